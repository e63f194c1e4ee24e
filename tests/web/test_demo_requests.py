"""The synthetic requests that demo mode offers, moved to today."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.web.fixture_requests import FIXTURE_DAY, moved_to


def test_every_fixture_request_is_listed_with_its_address(client: FlaskClient) -> None:
    listed = client.get("/demo/hook_requests").get_json()["hook_requests"]
    assert len(listed) >= 30
    address = next(e["url"] for e in listed if e["scenario"] == "onasemnogene-order-sign/dose-by-formula")
    assert address == "http://localhost/demo/hook_requests/onasemnogene-order-sign/dose-by-formula"


def test_a_fixture_request_can_be_fetched_and_posted(client: FlaskClient) -> None:
    request = client.get("/demo/hook_requests/onasemnogene-order-sign/dose-by-formula").data
    answer = client.post("/cds-services/onasemnogene-order-sign", data=request, content_type="application/json")
    assert [card["indicator"] for card in json.loads(answer.data)["cards"]] == ["critical", "critical"]


def test_an_unknown_fixture_request_is_not_found(client: FlaskClient) -> None:
    answer = client.get("/demo/hook_requests/onasemnogene-order-sign/nothing")
    assert (answer.status_code, answer.get_json()["resourceType"]) == (404, "OperationOutcome")


def test_all_days_move_by_as_many_days_as_today_is_after_the_fixed_day() -> None:
    text = '{"birthDate":"2026-01-01","effectiveDateTime":"2026-03-01T08:00:00Z","id":"draft-2026-03-01"}'
    moved = moved_to(date(2026, 3, 12), text)
    assert date(2026, 3, 2) == FIXTURE_DAY
    assert moved == '{"birthDate":"2026-01-11","effectiveDateTime":"2026-03-11T08:00:00Z","id":"draft-2026-03-01"}'


def test_a_day_that_is_none_stays_as_it_is() -> None:
    assert moved_to(date(2026, 3, 12), '"2026-02-30"') == '"2026-02-30"'


def test_every_fixture_request_is_listed_with_its_fhir_server(client: FlaskClient) -> None:
    listed = client.get("/demo/hook_requests").get_json()
    assert listed["fhirServer"] == "http://localhost/demo/fhir"
    for entry in listed["hook_requests"]:
        assert entry["fhirServer"] == f"http://localhost/demo/scenarios/{entry['scenario']}/fhir"


def a_request(client: FlaskClient, query: str, scenario: str = "dose-by-formula") -> dict[str, Any]:
    answer = client.get(f"/demo/hook_requests/onasemnogene-order-sign/{scenario}{query}")
    assert answer.status_code == 200
    request: dict[str, Any] = answer.get_json()
    return request


def test_without_prefetch_a_request_brings_access_to_a_server_that_has_it(client: FlaskClient) -> None:
    whole, bare = a_request(client, ""), a_request(client, "?prefetch=none")
    access = {"fhirServer": bare.pop("fhirServer"), "fhirAuthorization": bare.pop("fhirAuthorization")}
    assert access == {
        "fhirServer": "http://localhost/demo/scenarios/onasemnogene-order-sign/dose-by-formula/fhir",
        "fhirAuthorization": {
            "access_token": "synthetic-demo-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/*.read",
            "subject": "onasemnogene-cds",
        },
    }
    del whole["prefetch"]
    assert bare == whole


def test_the_server_of_a_request_answers_with_what_it_left_out(client: FlaskClient) -> None:
    whole, bare = a_request(client, ""), a_request(client, "?prefetch=none")
    headers = {"Authorization": f"Bearer {bare['fhirAuthorization']['access_token']}"}
    patient = client.get(f"{bare['fhirServer']}/Patient/{bare['context']['patientId']}", headers=headers)
    assert patient.get_json() == whole["prefetch"]["patient"]


def test_a_request_without_prefetch_can_be_posted(client: FlaskClient) -> None:
    url = "/demo/hook_requests/onasemnogene-order-select/irrelevant-order?prefetch=none"
    service = "/cds-services/onasemnogene-order-select"
    answer = client.post(service, data=client.get(url).data, content_type="application/json")
    assert (answer.status_code, answer.get_json()) == (200, {"cards": []})


@pytest.mark.parametrize(
    ("kept", "keys"),
    [("patient", ["patient"]), ("observations,patient", ["patient", "observations"]), ("procedures", ["procedures"])],
)
def test_only_the_keys_that_are_named_are_kept(client: FlaskClient, kept: str, keys: list[str]) -> None:
    whole, partial = a_request(client, ""), a_request(client, f"?prefetch={kept}")
    assert partial["prefetch"] == {key: whole["prefetch"][key] for key in keys}
    assert "fhirServer" in partial


def test_keys_that_a_site_named_by_hand_can_be_kept(client: FlaskClient) -> None:
    assert list(a_request(client, "?prefetch=-user", "keys-named-by-hand")["prefetch"]) == ["-user"]


def test_a_list_that_the_request_does_not_have_stays_absent(client: FlaskClient) -> None:
    assert "prefetch" not in a_request(client, "?prefetch=procedures", "no-prefetch")


def test_the_server_of_a_request_can_have_faults(client: FlaskClient) -> None:
    server = a_request(client, "?prefetch=patient&fault=slow-200,outcome:Observation")["fhirServer"]
    assert server == (
        "http://localhost/demo/faulty/slow-200,outcome:Observation/onasemnogene-order-sign/dose-by-formula/fhir"
    )


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("prefetch=everything", "prefetch"),
        ("prefetch=", "prefetch"),
        ("prefetch=patient,none", "prefetch"),
        ("prefetch=none&fault=nothing", "fault"),
        ("fault=outcome", "prefetch"),
    ],
)
def test_what_is_unknown_is_refused(client: FlaskClient, query: str, path: str) -> None:
    answer = client.get(f"/demo/hook_requests/onasemnogene-order-sign/dose-by-formula?{query}")
    assert (answer.status_code, answer.get_json()["issue"][0]["expression"]) == (400, [path])
