"""The road through an EHR's FHIR server, for real over loopback: the same cards, no fetch in vain, no secret told."""

from __future__ import annotations

import io
import re
import threading
from datetime import date
from typing import Any

import pytest
from compose_fixtures import ask, calls, compose_request, scenarios, service_of
from flask import Flask
from flask.testing import FlaskClient
from loopback_servers import http_answer, raw_server

from cds_service.app import create_app
from cds_service.config import Settings
from cds_service.hooks.json_body import read_json_object, write_json

Json = dict[str, Any]
TODAY = date(2026, 3, 2)
TOKEN = "synthetic-demo-token"
GRANTED = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/*.read",
    "subject": "onasemnogene-cds",
}
# The scenarios whose request itself holds what its FHIR server does not have, or the other way round.
OTHERWISE = {
    "conditions-missing-when-booking": "the request lacks a list that the server has",
    "conditions-refused-on-the-day": "likewise",
    "observations-missing-at-a-visit": "likewise",
    "observations-missing-on-the-day": "likewise",
    "observations-missing-on-the-chart": "likewise",
    "administrations-missing-at-dispatch": "likewise",
    "empty-lists-named-by-hand": "likewise",
    "essential-lists-in-trouble": "likewise",
    "prefetch-in-trouble": "likewise",
    "inpatient-orders": "the request holds a first page, the server all of them",
    "second-page-missing": "the request holds a first page, the server all of them",
    "second-page-missing-on-the-chart": "likewise",
    "second-page-of-weights-missing": "likewise",
    "hostile-text": "a server does not find another patient's entry",
    "weight-of-the-other-twin": "likewise",
    "twins-exchanged-on-the-day": "likewise",
    "syringe-expired": "a preparation task is not among the questions",
    "no-patient": "nobody has the Patient; the refusal says that the server does not either",
    "no-prefetch": "likewise",
}


@pytest.fixture(scope="module")
def client(settings: Settings) -> FlaskClient:
    """The service with time enough for a busy machine."""
    return create_app(settings.model_copy(update={"budget_ms": 60_000})).test_client()


def without_prefetch(request: Json, hook: str, name: str, ehr: str, place: str = "scenarios", **changes: Any) -> bytes:
    """The request with access to the scenario's FHIR server in place of its prefetch."""
    access = {"fhirServer": f"{ehr}/demo/{place}/{service_of(hook)}/{name}/fhir", "fhirAuthorization": GRANTED}
    bare = {key: value for key, value in request.items() if key != "prefetch"}
    return write_json({**bare, **access, **changes})


SAME = [
    pytest.param(hook, scenario, id=f"{hook}/{scenario['name']}")
    for hook, scenario in calls()
    if scenario["name"] not in OTHERWISE
]


@pytest.mark.spec("R-080")
@pytest.mark.spec("R-090")
@pytest.mark.parametrize(("hook", "scenario"), SAME)
def test_the_answer_is_the_same_with_prefetch_and_without(
    client: FlaskClient, ehr: str, hook: str, scenario: Json
) -> None:
    request = compose_request(scenario, hook)
    fetched = without_prefetch(request, hook, scenario["name"], ehr)
    assert ask(client, hook, fetched) == ask(client, hook, write_json(request))


def test_every_scenario_that_is_excepted_exists() -> None:
    assert set(OTHERWISE) <= set(scenarios())


def questions(log: io.StringIO) -> list[Json]:
    """What the service logged of its own questions."""
    lines = [read_json_object(line.encode()) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == "fetched"]


def asked_for(log: io.StringIO) -> set[str]:
    return {name for line in questions(log) for name in line["lists"]}


def test_an_order_for_another_drug_asks_the_ehr_nothing(client: FlaskClient, ehr: str, log: io.StringIO) -> None:
    request = compose_request(scenarios()["irrelevant-order"], "order-sign")
    assert ask(client, "order-sign", without_prefetch(request, "order-sign", "irrelevant-order", ehr)) == (
        200,
        {"cards": []},
    )
    assert not questions(log)


@pytest.mark.spec("R-095")
@pytest.mark.parametrize(("expires_in", "status"), [(1, 412), (300, 200)])
def test_nothing_is_waited_for_longer_than_the_token_lives(client: FlaskClient, expires_in: int, status: int) -> None:
    request = compose_request(scenarios()["unremarkable"], "order-sign")
    patient = request["prefetch"].pop("patient")
    is_over = threading.Event()

    def answer(to: Any, head: bytes) -> None:
        is_patient = b"/Patient/" in head
        if is_patient:
            is_over.wait(2)
        to.sendall(http_answer(write_json(patient)) if is_patient else http_answer(b"{}", status="404 Not Found"))

    with raw_server(answer) as address:
        access = {"fhirServer": address, "fhirAuthorization": {**GRANTED, "expires_in": expires_in}}
        assert ask(client, "order-sign", write_json({**request, **access}))[0] == status
        is_over.set()


TRACES = {"medicationRequests", "medicationAdministrations", "procedures", "immunizations"}


def test_the_chart_of_a_child_without_the_product_costs_the_four_lists_that_could_name_it(
    client: FlaskClient, ehr: str, log: io.StringIO
) -> None:
    name = next(s["name"] for h, s in calls() if h == "patient-view" and s["expect"][h] == "no cards")
    request = compose_request(scenarios()[name], "patient-view")
    assert ask(client, "patient-view", without_prefetch(request, "patient-view", name, ehr))[1] == {"cards": []}
    assert asked_for(log) <= TRACES | {"patient"}


def test_a_call_not_recognised_because_a_list_failed_is_told_in_the_log(
    client: FlaskClient, ehr: str, log: io.StringIO
) -> None:
    request = compose_request(scenarios()["on-track"], "patient-view")
    broken = without_prefetch(request, "patient-view", "on-track", ehr, "faulty/status-500")
    assert ask(client, "patient-view", broken) == (200, {"cards": []})
    (line,) = questions(log)
    assert (line["is_ours"], set(line["lists"].values())) == (False, {"server-fault"})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fhirServer": "https://ehr.example.org/fhir"}, "server-not-listed"),
        ({"fhirAuthorization": {**GRANTED, "expires_in": 0}}, "access-expired"),
        ({"fhirAuthorization": {**GRANTED, "scope": "launch openid"}}, "out-of-scope"),
    ],
)
def test_a_chart_not_recognised_because_its_access_cannot_be_used_is_told_in_the_log(
    client: FlaskClient, ehr: str, log: io.StringIO, changes: Json, why: str
) -> None:
    request = compose_request(scenarios()["on-track"], "patient-view")
    call = without_prefetch(request, "patient-view", "on-track", ehr, **changes)
    assert ask(client, "patient-view", call) == (200, {"cards": []})
    (line,) = questions(log)
    assert (line["is_ours"], line["lists"]) == (False, dict.fromkeys(TRACES, why))


@pytest.mark.spec("R-091")
@pytest.mark.parametrize(
    ("fault", "why"), [("status-401", "refused"), ("html", "unreadable"), ("wrong-type", "not available")]
)
def test_a_patient_who_cannot_be_had_is_412_with_the_reason(
    client: FlaskClient, ehr: str, fault: str, why: str
) -> None:
    request = compose_request(scenarios()["unremarkable"], "order-sign")
    broken = without_prefetch(request, "order-sign", "unremarkable", ehr, f"faulty/{fault}:Patient")
    status, body = ask(client, "order-sign", broken)
    assert (status, body["resourceType"]) == (412, "OperationOutcome")
    assert why in body["issue"][0]["details"]["text"]


@pytest.mark.spec("R-056")
@pytest.mark.spec("R-184")
@pytest.mark.parametrize(
    "fault", ["scenarios", "faulty/status-403", "faulty/html", "faulty/redirect", "faulty/truncated"]
)
def test_neither_token_nor_patient_is_told_in_log_or_answer(
    client: FlaskClient, ehr: str, log: io.StringIO, fault: str
) -> None:
    request = compose_request(scenarios()["unremarkable"], "order-sign")
    _, body = ask(client, "order-sign", without_prefetch(request, "order-sign", "unremarkable", ehr, fault))
    assert TOKEN not in log.getvalue() + str(body)
    assert request["context"]["patientId"] not in log.getvalue()
    assert not re.search(r"https?://127", log.getvalue())


def nameless_drafts() -> tuple[Json, Json]:
    """The `ehr-shaped` order without its name and the Medication it refers to; and that Medication."""
    request = compose_request(scenarios()["ehr-shaped"], "order-sign")
    drafts = request["context"]["draftOrders"]
    (medication,) = [e["resource"] for e in drafts["entry"] if e["resource"]["resourceType"] == "Medication"]
    orders = [entry for entry in drafts["entry"] if entry["resource"]["resourceType"] != "Medication"]
    for entry in orders:
        entry["resource"]["medicationReference"].pop("display", None)
    return {**request, "context": {**request["context"], "draftOrders": {**drafts, "entry": orders}}}, medication


def test_a_medication_that_only_a_reference_names_is_read(client: FlaskClient) -> None:
    request, medication = nameless_drafts()
    whole = ask(client, "order-sign", write_json(compose_request(scenarios()["ehr-shaped"], "order-sign")))

    def answer(to: Any, head: bytes) -> None:
        is_asked_for = head.split()[1].decode() == f"/Medication/{medication['id']}"
        to.sendall(http_answer(write_json(medication)) if is_asked_for else http_answer(b"{}", status="404 Not Found"))

    with raw_server(answer) as address:
        read = ask(client, "order-sign", write_json({**request, "fhirServer": address, "fhirAuthorization": GRANTED}))
    assert ask(client, "order-sign", write_json(request))[1] == {"cards": []}
    assert read == whole


def test_a_draft_that_nobody_can_name_because_its_medication_is_refused_is_told_in_the_log(
    client: FlaskClient, ehr: str, log: io.StringIO
) -> None:
    call = without_prefetch(nameless_drafts()[0], "order-sign", "ehr-shaped", ehr, "faulty/status-403:Medication")
    assert ask(client, "order-sign", call) == (200, {"cards": []})
    (line,) = questions(log)
    assert (line["is_ours"], line["lists"]) == (False, {})
    assert line["unread_medications"] == line["medications"] == 1


def test_demo_mode_asks_no_server_that_is_not_on_this_machine(app: Flask, log: io.StringIO) -> None:
    request = compose_request(scenarios()["unremarkable"], "order-sign")
    elsewhere = {"fhirServer": "https://ehr.example.org/fhir"}
    fetched = without_prefetch(request, "order-sign", "unremarkable", "http://127.0.0.1:1", **elsewhere)
    status, _ = ask(app.test_client(), "order-sign", fetched)
    assert status == 412
    assert set(questions(log)[0]["lists"].values()) == {"server-not-listed"}
