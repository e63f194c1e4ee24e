"""What is agreed with one client, on the wire: each quirk changes what it names, for that client only."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import hook_request
from fhir.resources.R4B import get_fhir_model_class
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import URLS, a_call, about_another_drug, cards_of, findings_of, post, with_context
from response_rules import breaches, our_breaches

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.content_folders import FHIR_FIXTURES
from cds_service.hooks.clients_file import load_clients
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.request import read_hook_call, without_null_prefetch
from cds_service.hooks.response import ResponseWriter
from cds_service.hooks.services import service_by_id
from cds_service.hooks.suggestions import created_order_names
from cds_service.presentation import Catalogue

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("quirks")
Json = dict[str, Any]
Pairs = list[tuple[list[Json], list[Json]]]
NOTHING_TESTED: Json = {"labs": "none", "titers": []}
WITHOUT_STEROID: Json = {"steroids": []}
ORDER_CODES = """
[[client.quirks.order_code]]
order = "creatinine"
system = "urn:example:preference-list"
code = "LAB66"
display = "Creatinine, our laboratory"

[[client.quirks.order_code]]
order = "prednisolone"
system = "urn:oid:2.16.840.1.113883.6.69"
code = "00000-0000-00"
display = "Prednisolone of our list"

[[client.quirks.order_code]]
order = "prednisolone"
system = "urn:example:preference-list"
code = "MED1"
display = "Prednisolone of our list"
"""
# Each client has one quirk, or a pair of them, and is told by its FHIR server.
QUIRKS = {
    "usual": "",
    "split": "one_action_per_suggestion = true",
    "plain": "plain_text_detail = true",
    "both": "one_action_per_suggestion = true\nplain_text_detail = true",
    "always": "always_system_actions = true",
    "unknown": "null_prefetch_is_unknown = true",
    "coded": ORDER_CODES,
}


def server_of(name: str) -> str:
    return f"https://{name}.example.org/fhir/r4"


def table_of(name: str, quirks: str) -> str:
    return (
        f'[[client]]\nname = "{name}"\nissuer = "https://{name}.example.org"\njwks_file = "keys.json"\n'
        f'fhir_base_urls = ["{server_of(name)}"]\n[client.quirks]\n{quirks}\n'
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The service of a site with all these clients."""
    folder: Path = tmp_path_factory.mktemp("site")
    (folder / "keys.json").write_text('{"keys": []}', encoding="utf-8")
    (folder / "clients.toml").write_text("".join(table_of(*item) for item in QUIRKS.items()), encoding="utf-8")
    environment = {"CDS_MODE": "demo", "CDS_NOW": "2026-03-02T09:00:00Z"}
    file = {"CDS_CLIENTS_FILE": str(folder / "clients.toml")}
    return create_app(load_settings(environment | file)).test_client()


def asked(given: Json, name: str, hook: str = "order-sign") -> Json:
    """A call about this child by the client of this name."""
    return {**hook_request(given, hook), "fhirServer": server_of(name)}


def suggestions_of(cards: list[Json]) -> list[Json]:
    return [suggestion for card in cards for suggestion in card.get("suggestions", [])]


@pytest.fixture(scope="module")
def pairs(site: FlaskClient) -> Pairs:
    """The cards of every committed request: as usual, and one action per suggestion in plain text."""
    found = []
    for path in sorted((FHIR_FIXTURES / "hook_requests").glob("*/*.json")):
        request = read_json_object(path.read_bytes())
        before, after = (post(site, {**request, "fhirServer": server_of(name)}) for name in ("usual", "both"))
        assert before.status_code == after.status_code
        if before.status_code == 200:
            found.append((cards_of(before), cards_of(after)))
    return found


# --- whose call it is


def test_a_clients_file_without_quirks_changes_no_answer(app: Flask, site: FlaskClient) -> None:
    call = asked(NOTHING_TESTED, "usual")
    assert post(site, call).data == post(app.test_client(), call).data


def test_a_quirk_of_one_client_changes_nothing_for_another(site: FlaskClient) -> None:
    usual = post(site, asked(NOTHING_TESTED, "usual")).data
    assert post(site, asked(NOTHING_TESTED, "nobody-we-know")).data == usual
    assert post(site, asked(NOTHING_TESTED, "split")).data != usual


def test_the_log_names_the_client(site: FlaskClient, log: io.StringIO) -> None:
    for name in ("plain", "nobody-we-know"):
        post(site, asked(NOTHING_TESTED, name))
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["client"] for line in lines if line["event"] == "access"] == ["plain", "demo"]


# --- one action per suggestion


def test_a_client_that_takes_one_action_gets_the_missing_tests_one_by_one(site: FlaskClient) -> None:
    cards = cards_of(post(site, asked(NOTHING_TESTED, "split")))
    tests = [item for item in suggestions_of(cards) if item.get("isRecommended")]
    assert [len(item["actions"]) for item in tests] == [1] * 6
    assert "Order creatinine" in [item["label"] for item in tests]
    assert {card.get("selectionBehavior", "any") for card in cards} == {"any"}


def test_a_client_that_takes_one_action_gets_the_calendar_order_by_order(site: FlaskClient) -> None:
    usual, split = (
        suggestions_of(cards_of(post(site, asked({"infused": "2026-02-27"}, name, "encounter-discharge"))))
        for name in ("usual", "split")
    )
    (whole,) = [item for item in usual if len(item["actions"]) > 1]
    assert [item["actions"][0] for item in split if item.get("isRecommended")] == whole["actions"]
    labels = [item["label"] for item in split]
    assert len(set(labels)) == len(labels)
    assert any(re.fullmatch(r"Order .* for 2026-\d\d-\d\d", label) for label in labels)


def test_split_suggestions_offer_the_same_actions_in_the_same_order(pairs: Pairs) -> None:
    several = 0
    for usual, split in pairs:
        for before, after in zip(usual, split, strict=True):
            actions = [action for item in before.get("suggestions", []) for action in item["actions"]]
            assert [item["actions"] for item in after.get("suggestions", [])] == [[action] for action in actions]
            several += any(len(item["actions"]) > 1 for item in before.get("suggestions", []))
    assert several > 5


def test_split_suggestions_obey_the_specification(pairs: Pairs) -> None:
    for usual, split in pairs:
        assert breaches({"cards": split}) == []
        assert our_breaches({"cards": split}) == our_breaches({"cards": usual})


def test_split_suggestions_have_labels_and_uuids_of_their_own(pairs: Pairs) -> None:
    for _, split in pairs:
        uuids = [item["uuid"] for item in suggestions_of(split)]
        assert len(set(uuids)) == len(uuids)
        for card in split:
            labels = [item["label"] for item in card.get("suggestions", [])]
            assert len(set(labels)) == len(labels)


@pytest.mark.spec("R-125")
def test_no_action_needs_another_of_its_suggestion(pairs: Pairs) -> None:
    for usual, _ in pairs:
        for suggestion in suggestions_of(usual):
            made = [action["resource"] for action in suggestion["actions"] if action["type"] == "create"]
            written = write_json(made).decode()
            assert not [item["id"] for item in made if f"{item['resourceType']}/{item['id']}" in written]


@pytest.mark.spec("R-198")
def test_a_repeated_call_gets_the_same_split_suggestions(site: FlaskClient) -> None:
    first, second = (post(site, asked(NOTHING_TESTED, "split")).data for _ in range(2))
    assert first == second


# --- plain text


def test_plain_text_holds_every_word_and_number_of_the_markdown(pairs: Pairs) -> None:
    for usual, plain in pairs:
        for before, after in zip(usual, plain, strict=True):
            unescaped = before["detail"].replace("\\", "")
            assert re.findall(r"\w+", after["detail"]) == re.findall(r"\w+", unescaped)


def test_plain_text_holds_no_markdown(pairs: Pairs) -> None:
    for _, plain in pairs:
        for card in plain:
            assert not re.search(r"\*\*|[`<>|\\]|\]\(|^\s*[#*+]", card["detail"], re.MULTILINE), card["detail"]


def test_plain_text_changes_nothing_but_the_detail(site: FlaskClient) -> None:
    usual, plain = (cards_of(post(site, asked(NOTHING_TESTED, name))) for name in ("usual", "plain"))
    assert [card["detail"] for card in usual] != [card["detail"] for card in plain]
    for card in (*usual, *plain):
        del card["detail"]
    assert usual == plain


def test_families_read_plain_text_too(site: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ResponseWriter, "_say", lambda *_, **__: "**Call** the clinic.")
    call = with_context("appointment-book", userId="RelatedPerson/synthetic-parent")
    details = [
        card["detail"]
        for name in ("usual", "plain")
        for card in cards_of(post(site, {**call, "fhirServer": server_of(name)}))
    ]
    assert details == ["**Call** the clinic.", "Call the clinic."]


# --- system actions


def system_actions(site: FlaskClient, call: Json, name: str) -> Any:
    answer = post(site, {**call, "fhirServer": server_of(name)})
    assert answer.status_code == 200
    return answer.json.get("systemActions", "left out")


@pytest.mark.spec("R-007")
@pytest.mark.hazard("H40")
@pytest.mark.parametrize("hook", URLS)
def test_system_actions_are_left_out_unless_agreed(site: FlaskClient, hook: str) -> None:
    call = a_call(hook)
    assert [system_actions(site, call, name) for name in ("usual", "always")] == ["left out", []]


@pytest.mark.spec("R-144")
@pytest.mark.parametrize(
    "call",
    [
        about_another_drug(),
        hook_request({}, "patient-view"),
        with_context("appointment-book", userId="Patient/synthetic-1"),
    ],
)
def test_system_actions_are_there_also_without_cards_and_for_families(site: FlaskClient, call: Json) -> None:
    assert [system_actions(site, call, name) for name in ("usual", "always")] == ["left out", []]


def test_a_refusal_stays_a_refusal(site: FlaskClient) -> None:
    call = asked({}, "always")
    del call["prefetch"]["patient"]
    response = post(site, call)
    assert (response.status_code, response.json["resourceType"]) == (412, "OperationOutcome")


# --- null


def with_null(key: str, name: str) -> Json:
    call = asked({}, name)
    call["prefetch"][key] = None
    return call


@pytest.mark.spec("R-082")
def test_null_means_none_unless_agreed(site: FlaskClient) -> None:
    found = findings_of(post(site, with_null("conditions", "usual")))
    assert "data-unavailable" not in {finding["rule"] for finding in found}


def test_null_is_a_list_that_did_not_come_where_that_was_agreed(site: FlaskClient) -> None:
    absent = asked({}, "unknown")
    del absent["prefetch"]["conditions"]
    answer = post(site, with_null("conditions", "unknown"))
    assert "data-unavailable" in {finding["rule"] for finding in findings_of(answer)}
    assert answer.data == post(site, absent).data


@pytest.mark.parametrize("name", ["usual", "unknown"])
def test_a_null_patient_is_refused_either_way(site: FlaskClient, name: str) -> None:
    assert post(site, with_null("patient", name)).status_code == 412


def test_only_null_is_taken_out_of_a_prefetch() -> None:
    call = a_call()
    call["prefetch"] = {"a": None, "b": {}, "c": False, "d": "", "e": {"resourceType": "Bundle", "entry": None}}
    read = read_hook_call(call, service_by_id("onasemnogene-order-sign"))
    kept = without_null_prefetch(read)
    assert kept == replace(read, prefetch={name: call["prefetch"][name] for name in "bcde"})
    assert read.prefetch == call["prefetch"]


@pytest.mark.parametrize("prefetch", [None, {}])
def test_a_call_without_prefetch_stays_as_it_is(prefetch: Json | None) -> None:
    read = read_hook_call(a_call(prefetch=prefetch), service_by_id("onasemnogene-order-sign"))
    assert without_null_prefetch(read) == read


# --- codings on created orders


def created(site: FlaskClient, given: Json, name: str) -> dict[str, list[Json]]:
    """The codings of every order that is offered, by its text."""
    found = {}
    for item in suggestions_of(cards_of(post(site, asked(given, name)))):
        for action in item["actions"]:
            resource = action["resource"]
            get_fhir_model_class(resource["resourceType"]).model_validate(json.loads(write_json(resource)))
            concept = resource.get("code") or resource["medicationCodeableConcept"]
            found[concept["text"]] = concept.get("coding", [])
    return found


def test_a_clients_coding_stands_before_our_own_on_its_order_only(site: FlaskClient) -> None:
    usual, coded = (created(site, NOTHING_TESTED, name) for name in ("usual", "coded"))
    theirs = {"system": "urn:example:preference-list", "code": "LAB66", "display": "Creatinine, our laboratory"}
    ours = usual.pop("Creatinine")
    assert coded.pop("Creatinine") == [theirs, *ours]
    assert ours
    assert coded == usual


def test_a_medicine_gets_all_its_codings_in_the_order_of_the_file(site: FlaskClient) -> None:
    ((ours,), (coded,)) = (created(site, WITHOUT_STEROID, name).values() for name in ("usual", "coded"))
    assert [coding["code"] for coding in coded] == ["00000-0000-00", "MED1", *(coding["code"] for coding in ours)]


def test_every_order_that_a_card_offers_can_be_given_a_coding(tmp_path: Path, catalogue: Catalogue) -> None:
    names = [*catalogue.orders, "prednisolone", "prednisolone-taper", "methylprednisolone"]
    tables = [
        f'[[client.quirks.order_code]]\norder = "{name}"\nsystem = "urn:example:x"\ncode = "x"\ndisplay = "x"\n'
        for name in names
    ]
    (tmp_path / "keys.json").write_text('{"keys": []}', encoding="utf-8")
    path = tmp_path / "clients.toml"
    path.write_text(table_of("coded", "".join(tables)), encoding="utf-8")
    (client,) = load_clients(path, created_order_names(catalogue))
    assert [item.order for item in client.quirks.order_codes] == names
