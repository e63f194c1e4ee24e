"""The FHIR server of demo mode: who may ask, what it says of itself, and whose records it has."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir_calls import BASE, FORMULA, TOKEN, every_page, get, ids, issue_of, of_formula_infant, resources
from flask import Flask
from flask.testing import FlaskClient
from production_settings import production_settings
from test_fhir_store import SEARCHED

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.content_folders import FHIR_FIXTURES
from cds_service.fhir.availability import SOURCE_OF_TYPE
from cds_service.web.fixture_records import FixtureRecords
from cds_service.web.fixture_requests import FIXTURE_DAY, load_fixture_requests
from cds_service.web.views import TODAY

PATIENT = "Patient/synthetic-formula-infant"
SERVICES = sorted(path.name for path in (FHIR_FIXTURES / "hook_requests").iterdir())


def test_a_patient_is_read(client: FlaskClient) -> None:
    answer = get(client, f"/demo/fhir/{PATIENT}")
    assert (answer.status_code, answer.content_type) == (200, "application/fhir+json")
    assert answer.get_json()["birthDate"] == "2026-02-06"


def test_all_fixture_patients_are_served(client: FlaskClient) -> None:
    folders = {path.name for path in (FHIR_FIXTURES / "patients").iterdir()}
    assert get(client, "/demo/fhir/Patient?_count=200").get_json()["total"] == len(folders)


def test_numbers_keep_every_digit(client: FlaskClient) -> None:
    found = get(client, of_formula_infant("Observation/formula-infant-lab-albumin-1"))
    assert b'"value":4.0,' in found.data


def test_a_search_result_is_valid_fhir_and_its_addresses_answer(client: FlaskClient) -> None:
    found = get(client, "/demo/fhir/Observation?patient=synthetic-formula-infant&_count=2").get_json()
    assert Bundle.model_validate(found).total == 14
    for entry in found["entry"]:
        assert get(client, entry["fullUrl"]).get_json() == entry["resource"]


def test_a_search_goes_on_over_absolute_links(client: FlaskClient) -> None:
    pages = every_page(client, "/demo/fhir/Observation?patient=synthetic-formula-infant&_count=5")
    assert [len(ids(page)) for page in pages] == [5, 5, 4]
    assert len({identity for page in pages for identity in ids(page)}) == 14
    assert all(link["url"].startswith(f"{BASE}/Observation?") for page in pages for link in page["link"])


def test_codes_are_found_percent_encoded_or_not(client: FlaskClient) -> None:
    for bar in ("|", "%7C"):
        query = (
            f"Observation?patient=synthetic-formula-infant&code=http://loinc.org{bar}29463-7,http://loinc.org{bar}777-3"
        )
        found = get(client, f"/demo/fhir/{query}").get_json()
        assert ids(found) == ["formula-infant-w1", "formula-infant-lab-platelets-1"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic dTpw"])
def test_without_a_token_nothing_is_told(client: FlaskClient, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = client.get(f"/demo/fhir/{PATIENT}", headers=headers)
    assert issue_of(answer)[:2] == (401, "login")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_any_token_will_do(client: FlaskClient) -> None:
    assert client.get(f"/demo/fhir/{PATIENT}", headers={"Authorization": "bearer x"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Observation?patient=x&_sort=-date", 400),
        ("Patient/nobody", 404),
        ("Device?patient=x", 404),
        ("Patient/x/_history/1", 404),
        ("", 404),
    ],
)
def test_a_refusal_says_what_and_how_in_fhir(client: FlaskClient, path: str, status: int) -> None:
    refused, _, text = issue_of(get(client, f"/demo/fhir/{path}"))
    assert refused == status
    assert ";" in text


def test_a_refusal_names_the_unknown_parameter(client: FlaskClient) -> None:
    assert "_sort is no search parameter of Observation" in issue_of(get(client, "/demo/fhir/Observation?_sort=x"))[2]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["", "Observation", PATIENT, "metadata"])
def test_nothing_can_be_written(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(f"/demo/fhir/{path}", method=method, headers=TOKEN)
    assert issue_of(answer)[:2] == (405, "not-supported")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_page_of_this_machine_may_ask(client: FlaskClient) -> None:
    headers = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "Authorization",
    }
    answer = client.options(f"/demo/fhir/{PATIENT}", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def statement(client: FlaskClient, base: str = BASE) -> dict[str, Any]:
    answer = client.get(f"{base}/metadata")
    assert (answer.status_code, answer.content_type) == (200, "application/fhir+json")
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_capability_statement_is_valid_fhir_and_needs_no_token(client: FlaskClient) -> None:
    found = statement(client)
    assert CapabilityStatement.model_validate(found).fhirVersion == "4.0.1"
    assert (found["implementation"]["url"], found["date"]) == (BASE, "2026-03-02")


def test_the_capability_statement_names_exactly_the_parameters_that_are_tested(client: FlaskClient) -> None:
    listed = {
        served["type"]: {parameter["name"] for parameter in served["searchParam"]}
        for served in statement(client)["rest"][0]["resource"]
    }
    assert listed == {kind: {"_id", "_count", *values} for kind, (_, values) in SEARCHED.items()}


def test_every_interaction_of_the_capability_statement_answers(client: FlaskClient) -> None:
    for served in statement(client)["rest"][0]["resource"]:
        assert [interaction["code"] for interaction in served["interaction"]] == ["read", "search-type"]
        assert get(client, f"/demo/fhir/{served['type']}?_count=1").status_code == 200
        assert issue_of(get(client, f"/demo/fhir/{served['type']}/nothing"))[:2] == (404, "not-found")


def test_the_server_of_a_scenario_names_its_own_address(client: FlaskClient) -> None:
    base = f"http://localhost/demo/scenarios/{FORMULA}/fhir"
    assert statement(client, base)["implementation"]["url"] == base


def test_every_date_is_moved_to_today(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, TODAY, lambda: date(2026, 3, 12))
    for base in ("/demo/fhir", f"/demo/scenarios/{FORMULA}/fhir"):
        assert get(client, f"{base}/{PATIENT}").get_json()["birthDate"] == "2026-02-16"
        query = f"{base}/Observation?patient=synthetic-formula-infant&code=29463-7&date=ge2026-03-11"
        assert [item["effectiveDateTime"] for item in resources(get(client, query).get_json())] == [
            "2026-03-11T08:00:00Z"
        ]


def test_records_are_prepared_once_a_day() -> None:
    records = FixtureRecords(FHIR_FIXTURES, load_fixture_requests(FHIR_FIXTURES))
    for of_day in (records.of_all_patients, lambda today: records.of_scenario(FORMULA, today)):
        first = of_day(FIXTURE_DAY)
        assert of_day(FIXTURE_DAY) is first
        assert of_day(date(2026, 3, 3)) is not first


def test_a_scenario_has_its_own_server_with_its_own_patient_alone(client: FlaskClient) -> None:
    assert ids(get(client, of_formula_infant("Patient")).get_json()) == ["synthetic-formula-infant"]


def test_an_unknown_scenario_is_not_found(client: FlaskClient) -> None:
    answer = get(client, "/demo/scenarios/onasemnogene-order-sign/nothing/fhir/Patient/x")
    assert issue_of(answer)[:2] == (404, "not-found")


@pytest.mark.parametrize("scenario", ["prefetch-in-trouble", "essential-lists-in-trouble", "no-prefetch"])
def test_lists_that_did_not_arrive_are_empty_at_the_scenarios_server(client: FlaskClient, scenario: str) -> None:
    found = get(client, f"/demo/scenarios/onasemnogene-order-sign/{scenario}/fhir/DiagnosticReport").get_json()
    assert found["total"] == 0


@pytest.mark.parametrize("service", SERVICES)
def test_discoverys_queries_find_what_the_prefetch_of_each_scenario_holds(client: FlaskClient, service: str) -> None:
    offered = client.get("/cds-services").get_json()["services"]
    templates: dict[str, str] = next(item["prefetch"] for item in offered if item["id"] == service)
    codes = set(templates["observations"].partition("code=")[2].partition("&")[0].replace("%7C", "|").split(","))
    for listed in client.get("/demo/hook_requests").get_json()["hook_requests"]:
        if listed["scenario"].startswith(f"{service}/"):
            call = client.get(listed["url"]).get_json()
            patient = call["context"]["patientId"]
            expected = set(_in_prefetch(call, patient, codes))
            found = {
                f"{item['resourceType']}/{item['id']}"
                for key, template in templates.items()
                if key != "patient"
                for page in every_page(client, _filled(listed["fhirServer"], template, patient))
                for item in resources(page)
            }
            assert found == expected, listed["scenario"]


def _filled(base: str, template: str, patient: str) -> str:
    return f"{base}/{template.replace('{{context.patientId}}', patient)}"


def _in_prefetch(call: dict[str, Any], patient: str, codes: set[str]) -> list[str]:
    """What a request holds of the lists about its patient; of Observations those with one of the codes."""
    bundles = [value for value in call.get("prefetch", {}).values() if isinstance(value, dict)]
    held = [entry["resource"] for value in bundles for entry in value.get("entry", []) if "resource" in entry]
    return [
        f"{item['resourceType']}/{item['id']}"
        for item in held
        if item["resourceType"] in SOURCE_OF_TYPE
        and (item.get("subject") or item.get("patient") or {}).get("reference", "").endswith(f"Patient/{patient}")
        and (item["resourceType"] != "Observation" or codes & _tokens(item))
    ]


def _tokens(observation: dict[str, Any]) -> set[str]:
    return {f"{coding.get('system')}|{coding.get('code')}" for coding in observation.get("code", {}).get("coding", [])}


@pytest.mark.parametrize("path", [f"/demo/fhir/{PATIENT}", "/demo/fhir/metadata", of_formula_infant("Patient")])
def test_production_has_no_fhir_server(tmp_path: Path, path: str) -> None:
    production = create_app(load_settings(production_settings(tmp_path))).test_client()
    assert get(production, path).status_code == 404
    assert get(production, "/demo/hook_requests").status_code == 404
