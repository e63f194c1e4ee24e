"""The links on cards: where they lead, for which child the timeline, and what a client does not get."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from builders import hook_request
from flask.testing import FlaskClient
from hook_calls import cards_of, post
from response_rules import FINDINGS, breaches

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.hooks import links
from cds_service.presentation import Catalogue

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("links")
Json = dict[str, Any]
INFUSED: Json = {"infused": "2026-02-20", "moment": "chart"}
WITHOUT_ANYTHING: Json = {"labs": "none", "titers": [], "weights": [], "steroids": [], "conditions": [], "genetics": []}
CLIENTS = {
    "usual": "",
    "without-context": "app_context = false",
    "other-host": 'link_hosts = ["ehr.example.org"]',
    "our-host": 'link_hosts = ["EHR.example.org", "CDS.example.org"]',
}


def fhir_server(name: str) -> str:
    return f"https://{name}.example.org/fhir"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The service of a site with these clients, published under another name than it listens on."""
    folder: Path = tmp_path_factory.mktemp("site")
    (folder / "keys.json").write_text('{"keys": []}', encoding="utf-8")
    tables = [
        f'[[client]]\nname = "{name}"\nissuer = "https://{name}.example.org"\njwks_file = "keys.json"\n'
        f'fhir_base_urls = ["{fhir_server(name)}"]\n[client.quirks]\n{quirks}\n'
        for name, quirks in CLIENTS.items()
    ]
    (folder / "clients.toml").write_text("".join(tables), encoding="utf-8")
    environment = {
        "CDS_MODE": "demo",
        "CDS_NOW": "2026-03-02T09:00:00Z",
        "CDS_PUBLIC_BASE_URL": "https://cds.example.org/zolgensma/",
        "CDS_CLIENTS_FILE": str(folder / "clients.toml"),
    }
    return create_app(load_settings(environment)).test_client()


def answer(site: FlaskClient, given: Json, hook: str, name: str = "usual") -> list[Json]:
    response = post(site, {**hook_request(given, hook), "fhirServer": fhir_server(name)})
    assert breaches(response.json) == []
    return cards_of(response)


def links_of(card: Json, kind: str) -> list[Json]:
    return [link for link in card.get("links", []) if link["type"] == kind]


def rules_of(card: Json) -> list[str]:
    return list(dict.fromkeys(finding["rule"] for finding in card.get("extension", {}).get(FINDINGS, [])))


# --- why this card


@pytest.mark.spec("R-130")
@pytest.mark.spec("R-131")
@pytest.mark.spec("R-132")
@pytest.mark.parametrize(("given", "hook"), [(WITHOUT_ANYTHING, "order-sign"), (INFUSED, "patient-view")])
def test_a_card_leads_to_the_pages_of_its_first_rules(
    site: FlaskClient, catalogue: Catalogue, given: Json, hook: str
) -> None:
    for card in answer(site, given, hook):
        assert [(link["url"], link["label"]) for link in links_of(card, "absolute")] == [
            (f"https://cds.example.org/zolgensma/rules/{rule}", f"Why this card: {catalogue.cards[rule].title}")
            for rule in rules_of(card)[:5]
        ]


def test_every_page_that_a_card_leads_to_is_there(site: FlaskClient) -> None:
    for card in answer(site, WITHOUT_ANYTHING, "order-sign"):
        for link in links_of(card, "absolute"):
            path = urlsplit(link["url"]).path.removeprefix("/zolgensma")
            assert site.get(path).status_code == 200


def test_of_many_rules_the_first_five_are_linked_each_once() -> None:
    findings = [SimpleNamespace(rule_id=f"rule-{number}") for number in (1, 1, 2, 3, 2, 4, 5, 6)]
    leading = links.leading_rules(SimpleNamespace(findings=findings))  # type: ignore[arg-type]
    assert leading == ["rule-1", "rule-2", "rule-3", "rule-4", "rule-5"]


@pytest.mark.spec("R-006")
def test_the_card_without_findings_leads_to_no_rule(site: FlaskClient) -> None:
    cards = answer(site, {}, "patient-view") + answer(site, INFUSED, "patient-view")
    for card in cards:
        if not rules_of(card):
            assert links_of(card, "absolute") == []
        assert card.get("links") != []


# --- the timeline


@pytest.mark.spec("R-133")
@pytest.mark.spec("R-134")
def test_after_the_infusion_a_card_leads_to_the_timeline_with_its_topic(site: FlaskClient) -> None:
    cards = answer(site, INFUSED, "patient-view")
    assert cards
    for card in cards:
        (link,) = links_of(card, "smart")
        assert link["url"] == "https://cds.example.org/zolgensma/app/launch"
        assert json.loads(link["appContext"]) == {"topic": card["source"]["topic"]["code"]}
        assert "timeline" in link["label"]


@pytest.mark.parametrize(
    ("given", "hook", "has_timeline"),
    [
        ({}, "order-sign", False),
        ({}, "order-select", False),
        ({}, "order-dispatch", False),
        ({}, "appointment-book", False),
        ({}, "encounter-start", True),
        (INFUSED, "encounter-discharge", True),
        ({"given_doses": [{"days_ago": 30, "status": "completed"}]}, "order-sign", True),
    ],
)
def test_the_timeline_is_for_children_around_or_after_the_infusion(
    site: FlaskClient, given: Json, hook: str, has_timeline: bool
) -> None:
    cards = answer(site, given, hook)
    assert cards
    assert {bool(links_of(card, "smart")) for card in cards} == {has_timeline}


def test_where_the_app_is_not_served_no_card_leads_to_it(site: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "SMART_APP_IS_SERVED", False)
    cards = answer(site, INFUSED, "patient-view")
    assert not any(links_of(card, "smart") for card in cards)
    assert any(links_of(card, "absolute") for card in cards)


def test_a_client_without_a_server_to_read_charts_from_gets_no_timeline(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"keys": []}', encoding="utf-8")
    (tmp_path / "clients.toml").write_text(
        '[[client]]\nname = "a"\nissuer = "https://a.example.org"\njwks_file = "keys.json"\n', encoding="utf-8"
    )
    environment = {"CDS_MODE": "demo", "CDS_CLIENTS_FILE": str(tmp_path / "clients.toml")}
    (client,) = create_app(load_settings(environment)).extensions["cds_admission"].clients
    assert not client.has_charts


# --- what was agreed with a client


def test_a_client_that_knows_no_context_gets_the_plain_launch_address(site: FlaskClient) -> None:
    for card in answer(site, INFUSED, "patient-view", "without-context"):
        (link,) = links_of(card, "smart")
        assert "appContext" not in link


@pytest.mark.spec("R-195")
def test_a_client_whose_list_of_hosts_lacks_ours_gets_no_link_and_the_whole_card(site: FlaskClient) -> None:
    usual = answer(site, INFUSED, "patient-view")
    bare = answer(site, INFUSED, "patient-view", "other-host")
    assert not any("links" in card for card in bare)
    assert bare == [{name: member for name, member in card.items() if name != "links"} for card in usual]


@pytest.mark.spec("R-195")
def test_a_client_whose_list_of_hosts_names_ours_gets_all_links(site: FlaskClient) -> None:
    assert answer(site, INFUSED, "patient-view", "our-host") == answer(site, INFUSED, "patient-view")


def test_what_a_parent_is_told_leads_nowhere(site: FlaskClient) -> None:
    call = hook_request({}, "appointment-book")
    call["context"]["userId"] = "RelatedPerson/mother"
    cards = cards_of(post(site, call))
    assert cards
    assert not any("links" in card for card in cards)
