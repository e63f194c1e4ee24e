"""What a successful answer looks like: every rule of the specification and every promise of our own, on all cases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import HOOKS, hook_request, today_of
from fhir.resources.R4B import get_fhir_model_class
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import a_call, about_another_drug, cards_of, post
from markdown_it import MarkdownIt
from response_rules import FINDINGS, breaches, empty_values, our_breaches

from cds_service.content_folders import CARDS
from cds_service.hooks import Evaluator, evaluation, read_hook_call, service_by_id
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.views import EVALUATOR
from cds_service.presentation import Catalogue
from cds_service.presentation.yaml_files import load_yaml
from cds_service.review import Review, review_treatment

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("responses")
Json = dict[str, Any]
VECTORS = Path(__file__).resolve().parents[1] / "vectors"
ORDER_RULES = frozenset(
    {
        "dose-volume", "dose-triple-check", "kit-ndc", "kit-quantity", "route-intravenous",
        "infusion-duration-rate", "single-dose-order",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Answered:
    """One example patient of the card files, as a call and its answer."""

    name: str
    given: Json
    hook: str
    request: Json
    response: Json

    @property
    def actions(self) -> Iterator[Json]:
        for card in self.response["cards"]:
            for suggestion in card.get("suggestions", []):
                yield from suggestion["actions"]


Ask = Callable[[Json, Json], Json]


@pytest.fixture(scope="module")
def ask(app: Flask) -> Ask:
    """The answer to a request, on the day of its case, as a client reads it."""
    evaluator: Evaluator = app.extensions[EVALUATOR]

    def answer(request: Json, given: Json) -> Json:
        now = datetime.combine(today_of(given), time(9), UTC)
        service = service_by_id(f"onasemnogene-{request['hook']}")
        call = read_hook_call(read_json_object(write_json(request)), service)
        return read_json_object(write_json(replace(evaluator, now=lambda: now).answer(call)))

    return answer


@pytest.fixture(scope="module")
def answered(ask: Ask) -> list[Answered]:
    """Every case of every card, on the hooks of its moment."""
    found = []
    for path in sorted(CARDS.glob("*/cases.yaml")):
        for case in load_yaml(path):
            given = case.get("given") or {}
            for hook in HOOKS[given.get("moment", "ordering")]:
                request = hook_request(given, hook)
                found.append(
                    Answered(f"{hook}, {path.parent.name}: {case['name']}", given, hook, request, ask(request, given))
                )
    return found


def test_the_cases_bring_cards_with_every_kind_of_action(answered: list[Answered]) -> None:
    assert {action["type"] for item in answered for action in item.actions} == {"create", "update", "delete"}


@pytest.mark.spec("R-003")
@pytest.mark.spec("R-004")
@pytest.mark.spec("R-100")
@pytest.mark.spec("R-103")
@pytest.mark.spec("R-104")
@pytest.mark.spec("R-106")
@pytest.mark.spec("R-107")
@pytest.mark.spec("R-108")
@pytest.mark.spec("R-109")
@pytest.mark.spec("R-111")
@pytest.mark.spec("R-112")
@pytest.mark.spec("R-113")
@pytest.mark.spec("R-114")
@pytest.mark.spec("R-115")
@pytest.mark.spec("R-116")
@pytest.mark.spec("R-117")
@pytest.mark.spec("R-118")
@pytest.mark.spec("R-119")
@pytest.mark.spec("R-120")
@pytest.mark.spec("R-121")
@pytest.mark.spec("R-122")
@pytest.mark.spec("R-124")
@pytest.mark.spec("R-126")
@pytest.mark.spec("R-127")
@pytest.mark.spec("R-129")
@pytest.mark.spec("R-141")
@pytest.mark.spec("R-204")
@pytest.mark.spec("R-205")
def test_every_answer_obeys_the_specification(answered: list[Answered]) -> None:
    assert [f"{item.name}: {breach}" for item in answered for breach in breaches(item.response)] == []


@pytest.mark.spec("R-140")
@pytest.mark.spec("R-143")
def test_every_answer_keeps_our_own_promises(answered: list[Answered]) -> None:
    assert [f"{item.name}: {breach}" for item in answered for breach in our_breaches(item.response)] == []


@pytest.mark.spec("R-008")
@pytest.mark.spec("R-208")
def test_nothing_inside_our_extension_is_empty(answered: list[Answered]) -> None:
    for item in answered:
        for card in item.response["cards"]:
            assert set(card.get("extension", {FINDINGS})) == {FINDINGS}
            assert list(empty_values(card.get("extension", {}))) == []


@pytest.mark.spec("R-105")
@pytest.mark.spec("R-106")
def test_every_detail_is_plain_markdown(answered: list[Answered]) -> None:
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    shapes = {"paragraph", "bullet_list", "list_item", "strong", "inline", "text", "code_inline"}
    for detail in {card["detail"] for item in answered for card in item.response["cards"]}:
        tokens = reader.parse(detail)
        seen = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
        assert {name.removesuffix("_open").removesuffix("_close") for name in seen} <= shapes, detail


@pytest.mark.spec("R-101")
@pytest.mark.spec("R-005")
@pytest.mark.parametrize("hook", HOOKS["ordering"])
def test_no_guidance_is_an_empty_array_of_cards(client: FlaskClient, hook: str) -> None:
    response = post(client, about_another_drug(hook))
    assert (response.status_code, response.json) == (200, {"cards": []})


@pytest.mark.spec("R-006")
def test_a_card_without_suggestions_has_no_such_members(client: FlaskClient) -> None:
    for card in cards_of(post(client, a_call())):
        assert not {"suggestions", "selectionBehavior"} & set(card)


@pytest.mark.spec("R-198")
@pytest.mark.parametrize("hook", HOOKS["ordering"])
def test_a_repeated_call_gets_the_same_bytes(client: FlaskClient, hook: str) -> None:
    assert post(client, a_call(hook)).data == post(client, a_call(hook)).data


@pytest.mark.spec("R-103")
def test_another_hook_instance_gets_other_cards_uuids(client: FlaskClient) -> None:
    other = "11111111-1111-4111-8111-111111111111"
    uuids = [card["uuid"] for call in (a_call(), a_call(hookInstance=other)) for card in cards_of(post(client, call))]
    assert len(uuids) == len(set(uuids))


@pytest.mark.spec("R-116")
def test_no_uuid_stands_twice_in_an_answer(answered: list[Answered]) -> None:
    for item in answered:
        uuids = [card["uuid"] for card in item.response["cards"]]
        uuids += [s["uuid"] for card in item.response["cards"] for s in card.get("suggestions", [])]
        assert len(uuids) == len(set(uuids)), item.name


@pytest.mark.spec("R-113")
def test_two_suggestions_that_touch_one_draft_exclude_each_other(answered: list[Answered]) -> None:
    for item in answered:
        for card in item.response["cards"]:
            touched = [
                action.get("resourceId") or f"MedicationRequest/{action['resource']['id']}"
                for suggestion in card.get("suggestions", [])
                for action in suggestion["actions"]
                if action["type"] != "create"
            ]
            if len(touched) != len(set(touched)):
                assert card["selectionBehavior"] == "at-most-one", item.name


def test_at_most_one_update_is_offered_for_a_draft(answered: list[Answered]) -> None:
    for item in answered:
        updated = [action["resource"]["id"] for action in item.actions if action["type"] == "update"]
        assert len(updated) == len(set(updated)), item.name


@pytest.mark.spec("R-124")
def test_only_drafts_of_the_call_are_changed_or_deleted(answered: list[Answered]) -> None:
    for item in answered:
        drafts = {
            _name_of(entry["resource"]) for entry in item.request["context"].get("draftOrders", {}).get("entry", [])
        }
        for action in item.actions:
            if action["type"] == "delete":
                assert action["resourceId"] in drafts, item.name
            if action["type"] == "update":
                assert _name_of(action["resource"]) in drafts, item.name


def _name_of(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def test_every_created_order_is_about_the_child_of_the_call(answered: list[Answered]) -> None:
    for item in answered:
        for action in item.actions:
            if action["type"] == "create":
                assert action["resource"]["subject"]["reference"] == f"Patient/{item.request['context']['patientId']}"


@pytest.mark.parametrize(("urgency", "has_reasons"), [("info", False), ("warning", True), ("critical", True)])
def test_only_a_warning_or_worse_asks_for_a_reason(
    app: Flask, ask: Ask, monkeypatch: pytest.MonkeyPatch, urgency: str, has_reasons: bool
) -> None:
    def only_this_urgent(*given: Any) -> Review:
        review = review_treatment(*given)
        return replace(review, cards=tuple(replace(card, urgency=urgency) for card in review.cards))

    monkeypatch.setattr(evaluation, "review_treatment", only_this_urgent)
    for card in ask(hook_request({}), {})["cards"]:
        assert ("overrideReasons" in card) is has_reasons


def test_the_signing_checklist_has_one_finding_for_each_line(client: FlaskClient, catalogue: Catalogue) -> None:
    card = next(c for c in cards_of(post(client, a_call())) if c["source"]["topic"]["code"] == "readiness")
    lines = [f["values"]["check"] for f in card["extension"][FINDINGS] if f["rule"] == "baseline-readiness"]
    assert sorted(lines) == sorted(catalogue.checklist)


def test_every_section_of_a_finding_is_named_in_its_cards_source(answered: list[Answered]) -> None:
    """A card without findings gives the next dates, which rest on section 2.3."""
    for item in answered:
        for card in item.response["cards"]:
            findings = card.get("extension", {}).get(FINDINGS, [])
            sections = {s for f in findings if "section" in f for s in f["section"].split(", ")}
            named = [s for s in card["source"]["label"].partition(" section ")[2].split(", ") if s]
            assert sorted(sections if findings else {"2.3"}) == sorted(named), item.name


def test_code_systems_stand_under_the_public_address(client: FlaskClient) -> None:
    for card in cards_of(post(client, a_call())):
        systems = {card["source"]["topic"]["system"], *(r["system"] for r in card.get("overrideReasons", []))}
        assert all(system.startswith("http://127.0.0.1:8000/CodeSystem/") for system in systems)


# --- corrected drafts


def draft_of(request: Json) -> Json:
    draft: Json = request["context"]["draftOrders"]["entry"][0]["resource"]
    return draft


def corrected(response: Json) -> Json:
    found = [
        action["resource"]
        for card in response["cards"]
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]
    assert len(found) == 1, found
    resource: Json = found[0]
    return resource


def odd_draft(request: Json) -> Json:
    """The draft with parts that no rule reads and that a strict model would refuse."""
    draft = draft_of(request)
    draft |= {
        "meta": {"versionId": "3", "tag": []},
        "extension": [{"url": "https://ehr.example.org/x", "valueDecimal": Decimal("1.50")}],
        "note": [],
        "requester": None,
        "groupIdentifier": {},
        "priority": "",
        "category": {"text": "an object where a list belongs"},
        "vendorField": {"nested": [1, Decimal("0.10"), None]},
    }
    draft["dosageInstruction"][0]["additionalInstruction"] = [{"text": "by pump"}]
    return draft


@pytest.mark.spec("R-123")
def test_a_corrected_draft_keeps_everything_it_came_with(ask: Ask) -> None:
    request = hook_request({"draft": {"dose": "14.3 mL"}})
    before = deepcopy(odd_draft(request))
    after = corrected(ask(request, {}))
    before["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"] = after["dosageInstruction"][0]["doseAndRate"][0][
        "doseQuantity"
    ]
    assert write_json(after) == write_json(before)
    assert after["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == Decimal("19.3")


@pytest.mark.spec("R-123")
def test_a_corrected_draft_shows_every_digit_it_came_with(client: FlaskClient) -> None:
    call = a_call() | {"context": hook_request({"draft": {"dose": "14.3 mL"}})["context"]}
    odd_draft(call)
    text = post(client, call).text
    assert '"valueDecimal":1.50' in text
    assert "[1,0.10,null]" in text


PARTS = {
    "dose": ({"dose": "14.3 mL"}, {"dosageInstruction"}),
    "rate": ({"rate": "38.6 mL/h"}, {"dosageInstruction"}),
    "duration": ({"minutes": 30}, {"dosageInstruction"}),
    "route": ({"route": "oral"}, {"dosageInstruction"}),
    "kit": ({"ndc": "71894-122-03"}, {"medicationCodeableConcept"}),
    "quantity": ({"quantity": "2 {kit}"}, {"dispenseRequest"}),
    "refills": ({"refills": 1}, {"dispenseRequest"}),
}


@pytest.mark.spec("R-123")
@pytest.mark.parametrize("part", PARTS)
def test_a_correction_changes_only_what_was_wrong(ask: Ask, part: str) -> None:
    change, touched = PARTS[part]
    request = hook_request({"draft": change})
    before, after = draft_of(request), corrected(ask(request, {}))
    assert {name for name in before if before[name] != after.get(name)} == touched
    assert set(before) == set(after)


def test_a_correction_leaves_no_finding_about_the_order(answered: list[Answered], ask: Ask) -> None:
    left = []
    for item in answered:
        updates = {a["resource"]["id"]: a["resource"] for a in item.actions if a["type"] == "update"}
        if not updates or item.hook != "order-sign":
            continue
        request = deepcopy(item.request)
        for entry in request["context"]["draftOrders"]["entry"]:
            entry["resource"] = updates.get(entry["resource"]["id"], entry["resource"])
        for card in ask(request, item.given)["cards"]:
            left += [
                f"{item.name}: {finding['rule']}: {finding['message']}"
                for finding in card["extension"][FINDINGS]
                if finding["rule"] in ORDER_RULES and finding["indicator"] != "info"
            ]
    assert left == []


def test_a_correction_of_a_proper_draft_is_a_proper_resource(answered: list[Answered]) -> None:
    for item in answered:
        for action in item.actions:
            if action["type"] == "update" and _is_proper(draft_of(item.request)):
                assert _is_proper(action["resource"]), (item.name, action["resource"])


def _is_proper(resource: Json) -> bool:
    model = get_fhir_model_class(resource["resourceType"])
    plain = json.loads(write_json({name: value for name, value in resource.items() if name != "resourceType"}))
    try:
        model.model_validate(plain)
    except ValueError:
        return False
    return True


def three_amounts(request: Json) -> Json:
    """A draft as one large EHR writes it: calculated, administered and ordered amounts of the same dose."""
    draft = draft_of(request)
    entry = draft["dosageInstruction"][0]["doseAndRate"][0]
    amounts = {"calculated": "14.3", "admin-amount": "2", "ordered": "14.3"}
    draft["dosageInstruction"][0]["doseAndRate"] = [
        {
            **entry,
            "type": {"coding": [{"code": name}]},
            "doseQuantity": {**entry["doseQuantity"], "value": Decimal(value)},
        }
        for name, value in amounts.items()
    ]
    return draft


@pytest.mark.spec("R-123")
def test_of_several_amounts_only_the_ordered_one_is_corrected(ask: Ask) -> None:
    request = hook_request({})
    three_amounts(request)
    entries = corrected(ask(request, {}))["dosageInstruction"][0]["doseAndRate"]
    assert [entry["doseQuantity"]["value"] for entry in entries] == [Decimal("14.3"), 2, Decimal("19.3")]


@pytest.mark.spec("R-123")
def test_a_dose_in_the_place_of_an_older_release_is_corrected_there(ask: Ask) -> None:
    request = hook_request({"draft": {"dose": "14.3 mL"}})
    instruction = draft_of(request)["dosageInstruction"][0]
    instruction |= instruction.pop("doseAndRate")[0]
    after = corrected(ask(request, {}))["dosageInstruction"][0]
    assert after["doseQuantity"]["value"] == Decimal("19.3")
    assert "doseAndRate" not in after


@pytest.mark.spec("R-123")
def test_a_draft_without_any_instruction_gets_one(ask: Ask) -> None:
    request = hook_request({})
    del draft_of(request)["dosageInstruction"]
    after = corrected(ask(request, {}))["dosageInstruction"]
    assert [entry["doseAndRate"][0]["doseQuantity"]["value"] for entry in after] == [Decimal("19.3")]


def test_a_draft_that_only_refers_to_its_medication_keeps_the_reference(ask: Ask) -> None:
    request = hook_request({"draft": {"ndc": "71894-122-03", "dose": "14.3 mL"}})
    draft = draft_of(request)
    medication = {"resourceType": "Medication", "id": "m1", "code": draft.pop("medicationCodeableConcept")}
    draft["medicationReference"] = {"reference": "Medication/m1"}
    request["context"]["draftOrders"]["entry"].append({"resource": medication})
    response = ask(request, {})
    assert corrected(response)["medicationReference"] == draft["medicationReference"]
    descriptions = [
        a["description"] for card in response["cards"] for s in card.get("suggestions", []) for a in s["actions"]
    ]
    assert any("71894-121-03" in description for description in descriptions)


@pytest.mark.parametrize("identity", [None, "", 7])
def test_a_draft_that_cannot_be_addressed_is_not_corrected(ask: Ask, identity: Any) -> None:
    request = hook_request({"draft": {"dose": "14.3 mL"}})
    draft_of(request)["id"] = identity
    response = ask(request, {})
    assert "dose-volume" in [f["rule"] for card in response["cards"] for f in card["extension"][FINDINGS]]
    types = [a["type"] for card in response["cards"] for s in card.get("suggestions", []) for a in s["actions"]]
    assert "update" not in types
    assert "delete" not in types


def test_two_drafts_of_one_id_are_not_corrected(ask: Ask) -> None:
    request = hook_request({"drafts": [{"id": "twice", "dose": "14.3 mL"}, {"id": "twice", "dose": "22 mL"}]})
    types = [a["type"] for card in ask(request, {})["cards"] for s in card.get("suggestions", []) for a in s["actions"]]
    assert not {"update", "delete"} & set(types)


# --- the specification's own examples

CONTEXTS = sorted(
    path.relative_to(VECTORS).as_posix() for hook in HOOKS["ordering"] for path in (VECTORS / hook).glob("*.json")
)
VALID = ("response-two-cards", "response-empty-cards", "response-systemaction-only")


def vector(name: str) -> Json:
    return read_json_object((VECTORS / name).read_bytes())


@pytest.mark.spec("R-015")
@pytest.mark.spec("R-038")
@pytest.mark.parametrize("name", CONTEXTS)
def test_the_hooks_own_example_contexts_are_accepted(client: FlaskClient, name: str) -> None:
    hook = name.partition("/")[0]
    context = vector(name)
    assert cards_of(post(client, a_call(hook) | {"context": context.get("context", context)})) == []


@pytest.mark.spec("R-085")
def test_the_specifications_paginated_example_is_accepted_in_spite_of_its_ids(client: FlaskClient) -> None:
    assert cards_of(post(client, vector("spec/request-order-sign-paginated-prefetch.json"))) == []


@pytest.mark.parametrize("name", VALID)
def test_our_checks_find_nothing_in_the_specifications_good_responses(name: str) -> None:
    assert breaches(vector(f"spec/{name}.json")) == []


def test_our_checks_find_the_fault_of_the_specifications_bad_response() -> None:
    found = breaches(vector("spec/response-autolaunchable-NO-INDICATOR.json"))
    assert found == ["R-107 indicator in cards[0]"]


BROKEN: dict[str, tuple[str, Any]] = {
    "R-103": ("uuid", "no uuid"),
    "R-104": ("summary", "x" * 140),
    "R-106": ("detail", "<b>bold</b>"),
    "R-107": ("indicator", "hard-stop"),
    "R-108": ("source", {}),
    "R-109": ("source", {"label": "x", "url": "about:blank"}),
    "R-113": ("suggestions", [{"label": "x"}]),
    "R-115": ("selectionBehavior", "any"),
    "R-127": ("overrideReasons", [{"code": "x", "system": "y"}]),
    "R-130": ("links", [{"label": "x", "url": "https://example.org"}]),
    "R-133": ("links", [{"label": "x", "url": "https://example.org", "type": "absolute", "appContext": "x"}]),
    "R-204": ("private", 1),
    "R-205": ("extension", [1]),
    "R-004": ("detail", ""),
}


@pytest.mark.parametrize("row", BROKEN)
def test_our_checks_find_each_broken_rule(row: str) -> None:
    member, value = BROKEN[row]
    card = {"summary": "x", "indicator": "info", "source": {"label": "x"}, member: value}
    assert row in [breach.partition(" ")[0] for breach in breaches({"cards": [card]})]


@pytest.mark.parametrize(("length", "is_fine"), [(139, True), (140, False)])
def test_our_checks_count_the_summary_in_utf_16_units(length: int, is_fine: bool) -> None:
    for summary in ("x" * length, "😀" * (length // 2) + "x" * (length % 2)):
        card = {"summary": summary, "indicator": "info", "source": {"label": "x"}}
        assert (breaches({"cards": [card]}) == []) is is_fine
