"""Every fixture request through the whole service, and what must hold of every answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from compose_fixtures import (
    FHIR_FIXTURES,
    FILES,
    ORDINARY,
    ask,
    calls,
    compose_request,
    disagreements,
    findings_in,
    findings_on,
    golden_form,
    lines_in,
    request_path,
    response_path,
    scenarios,
)
from flask.testing import FlaskClient
from markdown_it import MarkdownIt

from cds_service.hooks.json_body import read_json_object, write_json

Json = dict[str, Any]
CALLS = list(calls())
CALL = [pytest.param(hook, scenario, id=f"{hook}/{scenario['name']}") for hook, scenario in CALLS]
UNDISPUTED = [param for param in CALL if "disputed" not in param.values[1]]
WITH_VERDICT = [
    pytest.param(*param.values, id=param.id, marks=pytest.mark.xfail(reason=param.values[1]["disputed"], strict=True))
    if "disputed" in param.values[1]
    else param
    for param in CALL
]
WITH_CARDS = [param for param in CALL if isinstance(param.values[1]["expect"][param.values[0]], dict)]
NO_CARDS = [param for param in CALL if param.values[1]["expect"][param.values[0]] == "no cards"]
FORBIDDEN_WORDS = ("safe", "cleared", "contraindicated", "no infection")
LONGEST_SUMMARY = 139
CHANGED_BY_A_CORRECTION = ("dosageInstruction", "dispenseRequest", "medicationCodeableConcept")
CHANGED_IN_AN_INSTRUCTION = {
    "timing", "route", "method", "doseAndRate", "doseQuantity", "doseRange", "rateQuantity", "rateRatio",
}  # fmt: skip
NDC = "http://hl7.org/fhir/sid/ndc"
HOST = "http://attacker.example.org/x"
HOSTILE = (
    f"<script>alert(1)</script>](x)[press]({HOST}) ![i]({HOST}) <{HOST}> | a | b | www.attacker.example.org {HOST} `c` "
    f"**b** &lt;b&gt;\n\n# Heading\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n- item\n\n    code\n\n[r]: {HOST}\n<img src=x onerror=alert(1)>"
)
HARMLESS_MARKDOWN = {
    "paragraph_open", "paragraph_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    "inline", "text", "strong_open", "strong_close", "code_inline", "softbreak", "text_special",
}  # fmt: skip
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def stored_request(hook: str, scenario: Json) -> bytes:
    """The committed request of a scenario."""
    return (FHIR_FIXTURES / request_path(hook, scenario)).read_bytes()


def answer(client: FlaskClient, hook: str, scenario: Json) -> Json:
    """The service's answer to a committed request; it must be one."""
    status, body = ask(client, hook, stored_request(hook, scenario))
    assert status == 200
    return body


def suggestions_in(body: Json) -> Iterator[tuple[Json, Json]]:
    """Every suggestion of a response with each of its actions."""
    for card in body["cards"]:
        for suggestion in card.get("suggestions", []):
            for action in suggestion["actions"]:
                yield suggestion, action


def drafts_of(request: Json) -> dict[str, Json]:
    """The drafts of a request by id."""
    entries = request["context"].get("draftOrders", {}).get("entry", [])
    return {entry["resource"]["id"]: entry["resource"] for entry in entries}


# --- the expected answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hook", "scenario"), UNDISPUTED)
def test_the_answer_is_the_expected_one(client: FlaskClient, hook: str, scenario: Json) -> None:
    status, body = ask(client, hook, stored_request(hook, scenario))
    expected = read_json_object((FHIR_FIXTURES / response_path(hook, scenario)).read_bytes())
    assert golden_form(scenario, hook, status, body) == expected


@pytest.mark.parametrize(("hook", "scenario"), WITH_VERDICT)
def test_the_answer_is_what_was_worked_out_by_hand(client: FlaskClient, hook: str, scenario: Json) -> None:
    status, body = ask(client, hook, stored_request(hook, scenario))
    assert disagreements(scenario, hook, status, body) == []


@pytest.mark.parametrize(("hook", "scenario"), NO_CARDS)
def test_a_call_that_is_not_ours_gets_the_same_bytes(client: FlaskClient, hook: str, scenario: Json) -> None:
    reply = client.post(
        f"/cds-services/onasemnogene-{hook}", data=stored_request(hook, scenario), content_type="application/json"
    )
    assert (reply.status_code, reply.data) == (200, b'{"cards":[]}')


@pytest.mark.parametrize(("hook", "scenario"), CALL)
def test_asking_twice_gives_the_same_bytes(client: FlaskClient, hook: str, scenario: Json) -> None:
    address, body = f"/cds-services/onasemnogene-{hook}", stored_request(hook, scenario)
    first = client.post(address, data=body, content_type="application/json").data
    assert client.post(address, data=body, content_type="application/json").data == first


# --- missing is not normal --------------------------------------------------------------------------------------

# Lines that cannot be verified without a list. A diagnosis may rest on a condition or on a result, so that it hangs
# on neither alone; the route and rate stand in the order itself.
LABORATORY = {
    "anti-aav9", "alt", "ast", "total-bilirubin", "albumin", "prothrombin-time", "partial-thromboplastin-time", "inr",
    "creatinine", "hemoglobin", "platelets",
}  # fmt: skip
HANGING_ON = {
    "observations": {"gestational-age", "smn1-biallelic", "weight", "dose-volume", "kit", "steroid"} | LABORATORY,
    "medicationRequests": {"prior-exposure", "steroid"},
    "medicationAdministrations": {"prior-exposure"},
    "conditions": set(),
    "immunizations": {"prior-exposure"},
    "procedures": {"prior-exposure"},
    "serviceRequests": set(),
    "diagnosticReports": set(),
}
HANGING_ON_THE_DAY = {"medicationAdministrations": {"steroid"}, "kitEvents": {"kit-use-by"}}
WITH_CHECKLIST = ("order-select", "order-sign", "encounter-start", "appointment-book")
AFTER_INFUSION = ("patient-view", "encounter-discharge")
# Without the orders a visit shows no trace of the product, and is not ours.
DROPPED = [
    pytest.param(hook, key, id=f"{hook}/{key}")
    for hook in WITH_CHECKLIST
    for key in (*FILES, *(["kitEvents"] if hook == "encounter-start" else []))
    if (hook, key) != ("encounter-start", "medicationRequests")
]


def ordinary_request(hook: str) -> Json:
    """The request about a child of whom everything can be verified."""
    return compose_request(scenarios()[ORDINARY[hook]], hook)


@pytest.mark.hazard("H24")
@pytest.mark.parametrize(("hook", "key"), DROPPED)
def test_nothing_is_verified_that_hangs_on_a_list_that_did_not_come(client: FlaskClient, key: str, hook: str) -> None:
    """H24: drop each key in turn."""
    request = ordinary_request(hook)
    del request["prefetch"][key]
    status, body = ask(client, hook, write_json(request))
    assert status == 200
    assert any(finding["rule"] == "data-unavailable" for finding in findings_in(body)) or key not in FILES
    verified = {check for check, state in lines_in(body).items() if state == "verified"}
    assert verified
    assert not verified & HANGING_ON.get(key, set())
    if hook == "encounter-start":
        assert not verified & HANGING_ON_THE_DAY.get(key, set())


# Without the given doses a chart shows no trace of the product, and is not ours.
DROPPED_AFTER_INFUSION = [
    pytest.param(hook, key, id=f"{hook}/{key}")
    for hook in AFTER_INFUSION
    for key in FILES
    if key != "medicationAdministrations"
]


@pytest.mark.hazard("H24")
@pytest.mark.parametrize(("hook", "key"), DROPPED_AFTER_INFUSION)
def test_after_the_infusion_a_list_that_did_not_come_is_told(client: FlaskClient, key: str, hook: str) -> None:
    """H24: drop each key in turn; nobody is on track then, and nothing that was said before is left unsaid."""
    request = ordinary_request(hook)
    before = {finding["rule"] for finding in findings_in(ask(client, hook, write_json(request))[1])}
    del request["prefetch"][key]
    status, body = ask(client, hook, write_json(request))
    assert status == 200
    assert {finding["rule"] for finding in findings_in(body)} >= {"data-unavailable", *before}
    assert not [card["summary"] for card in body["cards"] if "rack" in card["summary"]]


@pytest.mark.parametrize("hook", AFTER_INFUSION)
def test_a_chart_without_a_trace_of_the_product_is_not_ours(client: FlaskClient, hook: str) -> None:
    request = ordinary_request(hook)
    del request["prefetch"]["medicationAdministrations"]
    assert ask(client, hook, write_json(request)) == (200, {"cards": []})


@pytest.mark.parametrize("hook", ["encounter-start", "appointment-book", "order-dispatch"])
def test_without_the_orders_nothing_is_said_of_a_visit(client: FlaskClient, hook: str) -> None:
    request = ordinary_request(hook)
    del request["prefetch"]["medicationRequests"]
    request["prefetch"].pop("kitEvents", None)
    _, body = ask(client, hook, write_json(request))
    assert "verified" not in {
        state for check, state in lines_in(body).items() if check in HANGING_ON["medicationRequests"]
    }


@pytest.mark.parametrize(("hook", "key"), DROPPED)
def test_no_line_is_verified_by_a_list_that_did_not_come(client: FlaskClient, key: str, hook: str) -> None:
    """The evidence of a verified line is among what came."""
    request = ordinary_request(hook)
    dropped = [entry["resource"] for entry in request["prefetch"].pop(key).get("entry", [])]
    names = {f"{resource['resourceType']}/{resource['id']}" for resource in dropped}
    _, body = ask(client, hook, write_json(request))
    for card in body["cards"]:
        for finding in findings_on(card):
            if finding.get("values", {}).get("state") == "verified":
                assert not names & {item["reference"] for item in finding.get("evidence", [])}


@pytest.mark.parametrize("hook", ORDINARY)
def test_without_the_patient_there_is_no_answer(client: FlaskClient, hook: str) -> None:
    request = ordinary_request(hook)
    del request["prefetch"]["patient"]
    status, body = ask(client, hook, write_json(request))
    assert (status, body["resourceType"]) == (412, "OperationOutcome")


# --- the form of every answer -----------------------------------------------------------------------------------


def empties_in(value: Any, path: str = "") -> Iterator[str]:
    """The paths of every null, "", [] and {}; a draft that comes back is the sender's, not ours."""
    if value is None or value in ("", [], {}):
        yield path
    elif isinstance(value, dict):
        for name, item in value.items():
            if not (name == "resource" and value.get("type") == "update"):
                yield from empties_in(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from empties_in(item, f"{path}[{number}]")


@pytest.mark.spec("R-004")
@pytest.mark.parametrize(("hook", "scenario"), WITH_CARDS)
def test_nothing_in_an_answer_is_empty(client: FlaskClient, hook: str, scenario: Json) -> None:
    assert list(empties_in(answer(client, hook, scenario))) == []


@pytest.mark.parametrize(("hook", "scenario"), WITH_CARDS)
def test_the_form_of_every_card(client: FlaskClient, hook: str, scenario: Json) -> None:
    body = answer(client, hook, scenario)
    assert 1 <= len(body["cards"]) <= 6
    topics = [card["source"]["topic"]["code"] for card in body["cards"]]
    assert len(topics) == len(set(topics))
    ranks = [("critical", "warning", "info").index(card["indicator"]) for card in body["cards"]]
    assert ranks == sorted(ranks)
    for card in body["cards"]:
        assert len(card["summary"].encode("utf-16-le")) // 2 <= LONGEST_SUMMARY
        levels = [finding["indicator"] for finding in findings_on(card)]
        assert card["indicator"] == min(levels, key=("critical", "warning", "info").index, default="info")
        assert ("selectionBehavior" in card) == ("suggestions" in card)
        assert ("overrideReasons" in card) == (card["indicator"] != "info")
        for reason in card.get("overrideReasons", []):
            assert all(reason[name] for name in ("system", "code", "display"))
    uuids = [item["uuid"] for card in body["cards"] for item in (card, *card.get("suggestions", []))]
    assert len(uuids) == len(set(uuids))


@pytest.mark.hazard("H39")
@pytest.mark.parametrize(("hook", "scenario"), WITH_CARDS)
def test_no_words_that_could_be_read_as_permission(client: FlaskClient, hook: str, scenario: Json) -> None:
    """H39."""
    said = [words.lower() for words in words_of(answer(client, hook, scenario))]
    assert not [(word, words) for word in FORBIDDEN_WORDS for words in said if word in words]


def words_of(body: Json) -> Iterator[str]:
    """Every text of ours that a person reads."""
    for card in body["cards"]:
        yield from (card["summary"], card["detail"], card["source"]["label"])
        yield from (finding["message"] for finding in findings_on(card))
        for suggestion in card.get("suggestions", []):
            yield suggestion["label"]
            yield from (action["description"] for action in suggestion["actions"])


# --- suggestions ------------------------------------------------------------------------------------------------


@pytest.mark.hazard("H41")
@pytest.mark.parametrize(("hook", "scenario"), WITH_CARDS)
def test_every_suggestion_can_be_carried_out(client: FlaskClient, hook: str, scenario: Json) -> None:
    request = read_json_object(stored_request(hook, scenario))
    for suggestion, action in suggestions_in(answer(client, hook, scenario)):
        assert suggestion["label"]
        assert action["description"]
        if action["type"] == "create":
            is_draft_order(action["resource"], request["context"]["patientId"])
            is_test = action["resource"]["resourceType"] == "ServiceRequest"
            assert is_test or "isRecommended" not in suggestion
        else:
            assert "isRecommended" not in suggestion
        if action["type"] == "update":
            keeps_the_draft(drafts_of(request)[action["resource"]["id"]], action["resource"])
        if action["type"] == "delete":
            assert action["resourceId"].removeprefix("MedicationRequest/") in drafts_of(request)


def is_draft_order(resource: Json, patient_id: str) -> None:
    """A created resource: a draft order for this patient, with a reason and a temporary id (H41)."""
    assert (resource["status"], resource["intent"]) == ("draft", "order")
    assert resource["subject"] == {"reference": f"Patient/{patient_id}"}
    assert resource["id"]
    assert resource["reasonCode"][0]["text"]


def keeps_the_draft(draft: Json, corrected: Json) -> None:
    """An update: every element of the draft is still there, and only what a correction may touch has changed."""
    for name in {*draft, *corrected} - set(CHANGED_BY_A_CORRECTION):
        assert corrected.get(name) == draft.get(name), name
    assert without(corrected.get("dispenseRequest", {}), "quantity", "numberOfRepeatsAllowed") == without(
        draft.get("dispenseRequest", {}), "quantity", "numberOfRepeatsAllowed"
    )
    before, after = draft.get("medicationCodeableConcept", {}), corrected.get("medicationCodeableConcept", {})
    assert without(after, "coding") == without(before, "coding")
    assert [c for c in after.get("coding", []) if c["system"] != NDC] == [
        c for c in before.get("coding", []) if c["system"] != NDC
    ]
    instruction, new = draft["dosageInstruction"][0], corrected["dosageInstruction"][0]
    assert without(new, *CHANGED_IN_AN_INSTRUCTION) == without(instruction, *CHANGED_IN_AN_INSTRUCTION)
    assert new["timing"].get("event") == instruction["timing"].get("event")
    assert instruction["timing"]["repeat"].keys() <= {*new["timing"]["repeat"], "frequency", "period", "periodUnit"}
    entries, new_entries = instruction.get("doseAndRate", []), new.get("doseAndRate", [])
    assert len(entries) <= len(new_entries) <= max(len(entries), 1)
    assert sum(old != entry for old, entry in zip(entries, new_entries, strict=False)) <= 1


def without(element: Json, *names: str) -> Json:
    """An element without these parts."""
    return {name: value for name, value in element.items() if name not in names}


@pytest.mark.parametrize(("hook", "scenario"), WITH_CARDS)
def test_a_corrected_draft_needs_no_second_correction(client: FlaskClient, hook: str, scenario: Json) -> None:
    request = read_json_object(stored_request(hook, scenario))
    updates = [a["resource"] for _, a in suggestions_in(answer(client, hook, scenario)) if a["type"] == "update"]
    if not updates:
        return
    for entry in request["context"]["draftOrders"]["entry"]:
        entry["resource"] = next((u for u in updates if u["id"] == entry["resource"]["id"]), entry["resource"])
    _, body = ask(client, hook, write_json(request))
    remaining = [action for _, action in suggestions_in(body) if action["type"] == "update"]
    if all("medicationCodeableConcept" in update for update in updates):
        assert remaining == []
        assert not {f["rule"] for f in findings_in(body)} & {
            "dose-volume",
            "kit-ndc",
            "kit-quantity",
            "single-dose-order",
            "infusion-duration-rate",
        }
    assert "dose-volume" not in {finding["rule"] for finding in findings_in(body)}


# --- text from the record ---------------------------------------------------------------------------------------


def changed_texts(value: Any, names: set[str], change: Callable[[str], str]) -> Any:
    """A copy in which every text under one of these names is changed."""
    if isinstance(value, list):
        return [changed_texts(item, names, change) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change(item) if name in names and isinstance(item, str) else changed_texts(item, names, change)
        for name, item in value.items()
    }


def assert_harmless(body: Json) -> None:
    """No text of a card forms a link, an image, HTML, a heading or a table, nor what a client would link by itself."""
    for card in body["cards"]:
        tokens = [token for block in MARKDOWN.parse(card["detail"]) for token in (block, *(block.children or []))]
        assert not {token.type for token in tokens} - HARMLESS_MARKDOWN
        for token in tokens:
            if token.type == "text":
                assert not re.search(r"://|www\.|\w@\w", token.content), token.content
    for text in words_of(body):
        assert not re.search(r"://|www\.", text), text
    for card in body["cards"]:
        plain_texts = [card["summary"], *(finding["message"] for finding in findings_on(card))]
        plain_texts += [suggestion["label"] for suggestion in card.get("suggestions", [])]
        plain_texts += [action["description"] for _, action in suggestions_in({"cards": [card]})]
        for text in plain_texts:
            assert not re.search(r"[<>|`\n]|\]\(", text), text


@pytest.mark.parametrize(("hook", "scenario"), WITH_CARDS)
def test_the_markdown_of_every_card_is_plain(client: FlaskClient, hook: str, scenario: Json) -> None:
    assert_harmless(answer(client, hook, scenario))


@pytest.mark.parametrize("words", [HOSTILE, f"{HOSTILE[:40]}\u202e\u2028{HOSTILE}", "|" * 50 + HOSTILE * 5])
@pytest.mark.parametrize(("hook", "scenario"), WITH_CARDS)
def test_hostile_names_units_and_notes_stay_text(client: FlaskClient, hook: str, scenario: Json, words: str) -> None:
    request = read_json_object(stored_request(hook, scenario))
    names = {"text", "display", "unit", "valueString", "patientInstruction", "div"}
    hostile = changed_texts(deepcopy(request), names, lambda said: f"{said} {words}")
    status, body = ask(client, hook, write_json(hostile))
    assert status == 200
    assert_harmless(body)


@pytest.mark.parametrize(("hook", "scenario"), WITH_CARDS)
def test_hostile_ids_codes_and_dates_stay_text(client: FlaskClient, hook: str, scenario: Json) -> None:
    request = read_json_object(stored_request(hook, scenario))
    prefetch = without(request["prefetch"], "patient", "pat")
    names = {"id", "birthDate", "code", "status", "effectiveDateTime", "versionId"}
    request["prefetch"] |= changed_texts(prefetch, names - {"code"}, lambda said: f"{said}](x)<b>{HOST}")
    request["context"] = changed_texts(
        request["context"], {"authoredOn", "durationUnit"}, lambda said: f"{said}{HOSTILE}"
    )
    status, body = ask(client, hook, write_json(request))
    assert status == 200
    assert_harmless(body)
