"""Discovery: what is offered, and the prefetch templates, held against the grammar of CDS Hooks 2.0."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import JSON
from response_rules import empty_values

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.hooks import SERVICES, services
from cds_service.hooks.services import discovery
from cds_service.presentation import Catalogue

HOOK_VERSIONS = {
    "order-select": "1.0",
    "order-sign": "1.0",
    "order-dispatch": "1.1",
    "patient-view": "1.0",
    "encounter-start": "1.0",
    "encounter-discharge": "1.0",
    "appointment-book": "1.0",
}
KEYS = {
    "patient", "observations", "medicationRequests", "medicationAdministrations", "conditions", "immunizations",
    "procedures", "serviceRequests", "diagnosticReports",
}  # fmt: skip
TOKEN = re.compile(r"\{\{(.*?)\}\}")
SEARCH_PARAMETERS = {"patient", "code", "_count"}


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    response = app.test_client().get("/cds-services")
    assert response.status_code == 200
    found: dict[str, Any] = response.json
    return found


@pytest.fixture(scope="module")
def offered(document: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = document["services"]
    return entries


@pytest.fixture(scope="module")
def templates(offered: list[dict[str, Any]]) -> dict[str, str]:
    return {f"{entry['id']}.{key}": text for entry in offered for key, text in entry.get("prefetch", {}).items()}


@pytest.mark.spec("R-016")
@pytest.mark.spec("R-017")
@pytest.mark.spec("R-034")
def test_discovery_is_a_plain_get_without_a_token(client: FlaskClient) -> None:
    assert client.get("/cds-services").status_code == 200


@pytest.mark.spec("R-018")
def test_the_body_is_one_object_with_an_array_of_services(document: dict[str, Any]) -> None:
    assert set(document) == {"services"}
    assert isinstance(document["services"], list)


@pytest.mark.spec("R-019")
@pytest.mark.spec("R-005")
def test_nothing_on_offer_is_an_empty_array(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SERVICES", ())
    assert discovery(catalogue, "2.0") == {"services": []}


@pytest.mark.spec("R-004")
@pytest.mark.spec("R-006")
def test_no_value_is_empty(document: dict[str, Any]) -> None:
    assert list(empty_values(document)) == []


@pytest.mark.spec("R-020")
@pytest.mark.spec("R-021")
@pytest.mark.spec("R-022")
@pytest.mark.spec("R-023")
@pytest.mark.spec("R-025")
def test_every_service_has_its_texts(offered: list[dict[str, Any]]) -> None:
    for entry in offered:
        for name in ("hook", "id", "title", "description", "usageRequirements"):
            assert isinstance(entry[name], str), name
            assert entry[name].strip(), name


@pytest.mark.spec("R-023")
@pytest.mark.spec("R-032")
@pytest.mark.spec("R-038")
def test_every_service_is_found_below_the_address_of_discovery(
    client: FlaskClient, offered: list[dict[str, Any]]
) -> None:
    for entry in offered:
        assert not re.search("https?://", entry["id"])
        assert client.post(f"/cds-services/{entry['id']}", data=b"{}", content_type=JSON).status_code == 400


def test_the_services_of_this_release_are_those_of_seven_hooks(offered: list[dict[str, Any]]) -> None:
    assert [(entry["id"], entry["hook"]) for entry in offered] == [
        ("onasemnogene-order-select", "order-select"),
        ("onasemnogene-order-sign", "order-sign"),
        ("onasemnogene-order-dispatch", "order-dispatch"),
        ("onasemnogene-patient-view", "patient-view"),
        ("onasemnogene-encounter-start", "encounter-start"),
        ("onasemnogene-encounter-discharge", "encounter-discharge"),
        ("onasemnogene-appointment-book", "appointment-book"),
    ]


@pytest.mark.spec("R-028")
@pytest.mark.spec("R-030")
def test_no_pair_of_id_and_hook_stands_twice() -> None:
    pairs = [(service.service_id, service.hook) for service in SERVICES]
    assert len(pairs) == len(set(pairs))


@pytest.mark.spec("R-036")
def test_hook_names_are_noun_verb_or_reverse_domain(offered: list[dict[str, Any]]) -> None:
    for entry in offered:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+|[a-z]+(\.[a-z0-9-]+)+", entry["hook"])


@pytest.mark.spec("R-026")
@pytest.mark.spec("R-027")
def test_the_2_0_profile_names_no_versions(offered: list[dict[str, Any]]) -> None:
    assert not [entry["id"] for entry in offered if {"version", "hookVersion"} & set(entry)]


@pytest.mark.spec("R-026")
@pytest.mark.spec("R-027")
def test_the_3_0_profile_names_the_version_of_the_specification_and_of_the_hook() -> None:
    app = create_app(load_settings({"CDS_MODE": "demo", "CDS_SPEC_PROFILE": "3.0"}))
    for entry in app.test_client().get("/cds-services").json["services"]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
        assert entry["hookVersion"] == HOOK_VERSIONS[entry["hook"]]


@pytest.mark.spec("R-031")
@pytest.mark.spec("R-204")
def test_there_are_no_private_members(offered: list[dict[str, Any]]) -> None:
    for entry in offered:
        assert set(entry) <= {"hook", "id", "title", "description", "prefetch", "usageRequirements"}


@pytest.mark.spec("R-024")
def test_every_service_asks_for_the_nine_lists_by_their_agreed_keys(offered: list[dict[str, Any]]) -> None:
    for entry in offered:
        assert set(entry["prefetch"]) == KEYS
        assert all(isinstance(template, str) for template in entry["prefetch"].values())


@pytest.mark.spec("R-078")
def test_keys_are_names(templates: dict[str, str]) -> None:
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name.partition(".")[2]) for name in templates)


@pytest.mark.spec("R-058")
def test_every_template_is_a_relative_read_or_a_search_of_one_type(templates: dict[str, str]) -> None:
    for name, template in templates.items():
        filled = TOKEN.sub("123", template)
        assert re.fullmatch(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}|[A-Z][A-Za-z]+\?[^?#$/]+(/[^?#$]*)*", filled), name


@pytest.mark.spec("R-059")
@pytest.mark.spec("R-060")
@pytest.mark.spec("R-061")
@pytest.mark.spec("R-062")
@pytest.mark.spec("R-064")
@pytest.mark.spec("R-076")
def test_the_only_token_is_the_patients_id(templates: dict[str, str]) -> None:
    for name, template in templates.items():
        assert TOKEN.findall(template) == ["context.patientId"], name
        assert not re.search(r"[{}%]context|[{}]", TOKEN.sub("", template)), name


@pytest.mark.spec("R-066")
@pytest.mark.spec("R-067")
def test_searches_use_only_parameters_that_every_ehr_has(templates: dict[str, str]) -> None:
    for name, template in templates.items():
        _, _, query = TOKEN.sub("123", template).partition("?")
        parameters = [part.partition("=")[0] for part in query.split("&") if part]
        assert set(parameters) <= SEARCH_PARAMETERS, name
        assert len(parameters) == len(set(parameters)), name


@pytest.mark.spec("R-067")
def test_the_page_size_is_a_number(templates: dict[str, str]) -> None:
    counts = [re.findall(r"_count=([^&]*)", template) for template in templates.values()]
    assert all(re.fullmatch(r"[1-9]\d*", count) for found in counts for count in found)


@pytest.mark.spec("R-068")
def test_no_template_sorts(templates: dict[str, str]) -> None:
    assert not [name for name, template in templates.items() if "sort" in template.lower()]


@pytest.mark.spec("R-077")
def test_fixed_values_are_percent_encoded(templates: dict[str, str]) -> None:
    for name, template in templates.items():
        assert not re.search(r'[\s|"<>\\^`]', template), name
        assert TOKEN.sub("", template).isascii(), name


def test_observations_are_asked_for_by_the_codes_that_are_read(templates: dict[str, str], catalogue: Catalogue) -> None:
    for name in (name for name in templates if name.endswith(".observations")):
        codes = unquote(re.findall(r"code=([^&]*)", templates[name])[0]).split(",")
        wanted = [
            f"http://loinc.org|{item.code}"
            for concept in ("body_weight", "gestational_age", "smn1_copy_number")
            for item in catalogue.codes.concepts[concept]
        ]
        assert set(wanted) <= set(codes)
        assert len(codes) == len(set(codes))
