"""The code systems of the codes on cards: complete, valid, and under the addresses that cards name."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from compose_fixtures import ask, compose_request, findings_on, request_path, scenarios
from fhir.resources.R4B.codesystem import CodeSystem
from flask import Flask
from flask.testing import FlaskClient
from tokens import BASE, Bench

from cds_service import __version__
from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.content_folders import FHIR_FIXTURES
from cds_service.hooks.json_body import write_json
from cds_service.presentation import Catalogue
from cds_service.presentation.catalogue import TOPICS

Json = dict[str, Any]
NAMES = ("card-topics", "override-reasons", "rules")
PUBLIC = "https://cds.example.org/zolgensma"
FORBIDDEN_WORDS = ("safe", "cleared", "contraindicated", "no infection")
ASKED = [
    ("order-sign", "dose-by-formula"),
    ("encounter-start", "week-1-overdue"),
    ("patient-view", "on-track"),
    ("appointment-book", "parent-books-a-follow-up"),
]


def code_system(client: FlaskClient, name: str) -> Json:
    reply = client.get(f"/CodeSystem/{name}")
    assert (reply.status_code, reply.content_type) == (200, "application/fhir+json")
    read: Json = json.loads(reply.data)
    return read


def codes_of(client: FlaskClient, name: str) -> dict[str, Json]:
    return {concept["code"]: concept for concept in code_system(client, name)["concept"]}


@pytest.fixture(scope="module")
def public_client() -> FlaskClient:
    """The service under a public address, at the fixtures' moment."""
    environment = {"CDS_MODE": "demo", "CDS_NOW": "2026-03-02T09:00:00Z", "CDS_PUBLIC_BASE_URL": PUBLIC}
    return create_app(load_settings(environment)).test_client()


# --- complete, and nothing else


def test_the_topics_are_those_that_a_card_can_have(client: FlaskClient) -> None:
    assert list(codes_of(client, "card-topics")) == list(TOPICS)


def test_the_rules_are_those_that_a_finding_can_name(client: FlaskClient, catalogue: Catalogue) -> None:
    assert set(codes_of(client, "rules")) == catalogue.rules.ids


def test_the_override_reasons_are_those_of_the_interface(client: FlaskClient) -> None:
    reasons = ["specialist-decision", "done-elsewhere", "already-infused", "record-wrong", "other"]
    assert list(codes_of(client, "override-reasons")) == reasons


@pytest.mark.parametrize("name", NAMES)
def test_every_code_has_a_display_of_its_own(client: FlaskClient, name: str) -> None:
    displays = [concept["display"] for concept in code_system(client, name)["concept"]]
    assert all(displays)
    assert len(set(displays)) == len(displays)


def test_every_topic_says_what_its_cards_are_about(client: FlaskClient) -> None:
    assert all(concept["definition"] for concept in codes_of(client, "card-topics").values())


def test_a_rule_names_its_topic_and_the_sections_it_rests_on(client: FlaskClient, catalogue: Catalogue) -> None:
    topics = code_system(client, "card-topics")["url"]
    for rule, concept in codes_of(client, "rules").items():
        told = {item["code"]: item.get("valueCoding", item.get("valueString")) for item in concept["property"]}
        assert told.pop("topic") == {"system": topics, "code": catalogue.cards[rule].topic}
        assert told == ({"label-section": catalogue.cards[rule].section} if catalogue.cards[rule].section else {})


# --- named on cards as they are served


@pytest.mark.parametrize(("hook", "name"), ASKED)
def test_topics_and_rules_of_a_card_stand_in_their_code_systems(
    public_client: FlaskClient, hook: str, name: str
) -> None:
    request = (FHIR_FIXTURES / request_path(hook, scenarios()[name])).read_bytes()
    cards = ask(public_client, hook, request)[1]["cards"]
    assert cards
    for card in cards:
        topic = card["source"]["topic"]
        assert topic["system"] == f"{PUBLIC}/CodeSystem/card-topics"
        assert topic["code"] in codes_of(public_client, "card-topics")
        assert {finding["rule"] for finding in findings_on(card)} <= set(codes_of(public_client, "rules"))


def test_every_override_reason_of_a_card_stands_in_its_code_system(public_client: FlaskClient) -> None:
    request = write_json(compose_request(scenarios()["dose-by-formula"], "order-sign"))
    cards = ask(public_client, "order-sign", request)[1]["cards"]
    displays = {code: concept["display"] for code, concept in codes_of(public_client, "override-reasons").items()}
    for card in cards:
        assert {(r["system"], r["code"], r["display"]) for r in card["overrideReasons"]} == {
            (f"{PUBLIC}/CodeSystem/override-reasons", code, display) for code, display in displays.items()
        }


@pytest.mark.parametrize("name", NAMES)
def test_a_code_system_says_the_address_it_answers_under(public_client: FlaskClient, name: str) -> None:
    read = code_system(public_client, name)
    assert (read["id"], read["url"]) == (name, f"{PUBLIC}/CodeSystem/{name}")
    addresses = [item["uri"] for item in read.get("property", [])]
    assert all(address.startswith(f"{read['url']}#") for address in addresses)
    assert urlsplit(read["url"]).scheme == "https"


# --- valid R4


@pytest.mark.parametrize("name", NAMES)
def test_a_code_system_is_valid_and_complete(client: FlaskClient, name: str) -> None:
    read = code_system(client, name)
    CodeSystem.model_validate(read)
    # The invariants of the resource: the form of its name, and no code twice.
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", read["name"])
    codes = [concept["code"] for concept in read["concept"]]
    assert len(set(codes)) == len(codes) == read["count"]
    assert (read["content"], read["caseSensitive"], read["version"]) == ("complete", True, __version__)
    assert all(read[text] for text in ("title", "description", "purpose"))
    declared = {item["code"]: item["type"] for item in read.get("property", [])}
    for concept in read["concept"]:
        for told in concept.get("property", []):
            assert f"value{declared[told['code']][0].upper()}{declared[told['code']][1:]}" in told


@pytest.mark.parametrize("name", NAMES)
def test_a_code_system_claims_no_more_than_a_draft(client: FlaskClient, name: str) -> None:
    """Nobody has clinically reviewed what it names."""
    read = code_system(client, name)
    assert (read["status"], read["experimental"]) == ("draft", True)
    text = json.dumps(read).lower()
    assert not [word for word in FORBIDDEN_WORDS if word in text]


def test_the_rules_name_the_label_they_follow(client: FlaskClient, catalogue: Catalogue) -> None:
    assert f"revised {catalogue.identity.revision}" in code_system(client, "rules")["description"]


# --- over HTTP


@pytest.mark.xdist_group("production")
@pytest.mark.parametrize("name", NAMES)
def test_it_answers_in_production_mode_too(bench: Bench, name: str) -> None:
    assert code_system(bench.client, name)["url"] == f"{BASE}/CodeSystem/{name}"


def test_head_answers_like_get_without_a_body(client: FlaskClient) -> None:
    reply = client.head("/CodeSystem/rules")
    assert (reply.status_code, reply.data) == (200, b"")
    assert reply.content_length == client.get("/CodeSystem/rules").content_length


@pytest.mark.parametrize("path", ["/CodeSystem", "/CodeSystem/", "/CodeSystem/topics", "/CodeSystem/rules/dose-volume"])
def test_another_code_system_is_not_found(client: FlaskClient, path: str) -> None:
    reply = client.get(path)
    assert (reply.status_code, reply.get_json()["resourceType"]) == (404, "OperationOutcome")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_another_method_is_refused_and_the_right_ones_are_named(client: FlaskClient, method: str) -> None:
    reply = client.open("/CodeSystem/rules", method=method)
    assert (reply.status_code, reply.get_json()["resourceType"]) == (405, "OperationOutcome")
    assert {name.strip() for name in reply.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.spec("R-190")
def test_in_demo_mode_a_page_of_this_machine_may_read_it(app: Flask) -> None:
    reply = app.test_client().get("/CodeSystem/rules", headers={"Origin": "http://localhost:3000"})
    assert reply.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    reply = app.test_client().get("/CodeSystem/rules", headers={"Origin": "https://evil.example.org"})
    assert "Access-Control-Allow-Origin" not in reply.headers
