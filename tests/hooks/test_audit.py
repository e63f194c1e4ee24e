"""The audit line and the counters of a hook call: who looked at what, with what outcome, and never at whom."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from builders import PATIENT_ID, hook_request
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import SIGN, URLS, a_call, about_another_drug, post
from prometheus_client.parser import text_string_to_metric_families

from cds_service.app import create_app
from cds_service.config import Settings
from cds_service.hooks.evaluation import Evaluator
from cds_service.operations.metrics import Metrics

LISTS = [
    "patient", "observations", "medicationRequests", "medicationAdministrations", "conditions", "immunizations",
    "procedures", "serviceRequests", "diagnosticReports",
]  # fmt: skip


@pytest.fixture
def fresh(settings: Settings) -> FlaskClient:
    """An application that has answered nothing yet."""
    return create_app(settings).test_client()


def access(log: io.StringIO) -> dict[str, Any]:
    (line,) = [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == "access"]
    return line


def counted(client: FlaskClient, name: str) -> dict[tuple[str, ...], float]:
    """Samples by the values of their labels, in alphabetical order of their names."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in samples}


@pytest.mark.spec("R-196")
@pytest.mark.parametrize("hook", URLS)
def test_a_call_is_told_in_one_line_with_who_what_when_and_outcome(
    client: FlaskClient, log: io.StringIO, hook: str
) -> None:
    response = post(client, a_call(hook))
    line = access(log)
    assert line["service"] == f"onasemnogene-{hook}"
    assert line["client"] == "demo"
    assert set(line["sent"]) <= set(LISTS)
    assert line["lists"] == {}
    assert (line["status"], line["outcome"], line["cards"]) == (200, "cards", len(response.get_json()["cards"]))
    assert line["correlation_id"] == response.headers["X-Correlation-Id"]
    assert line["timestamp"]


@pytest.mark.hazard("H50")
@pytest.mark.spec("R-196")
def test_nothing_of_the_patient_stands_on_the_audit_line(client: FlaskClient, log: io.StringIO) -> None:
    post(client, hook_request({"born": "2025-12-24", "weight": "3.33 kg", "twin": True}))
    line = access(log)
    assert "dropped" not in line
    for secret in (PATIENT_ID, "2025-12-24", "3.33", "synthetic"):
        assert secret not in json.dumps(line)


def test_the_lists_that_came_are_told_and_those_that_failed_are_not(client: FlaskClient, log: io.StringIO) -> None:
    call = a_call()
    kept = {"patient": call["prefetch"]["patient"], "conditions": {"resourceType": "OperationOutcome"}}
    post(client, a_call(prefetch=kept))
    assert access(log)["sent"] == ["patient"]


def test_a_call_about_another_drug_is_told_with_what_it_brought(client: FlaskClient, log: io.StringIO) -> None:
    post(client, about_another_drug())
    line = access(log)
    assert (line["outcome"], line["cards"], line["status"]) == ("no-cards", 0, 200)
    assert "patient" in line["sent"]


@pytest.mark.parametrize(
    ("call", "status", "outcome"),
    [(a_call(prefetch={}), 412, "refused"), (b"{", 400, "refused"), (a_call(context=[]), 400, "refused")],
)
def test_a_call_that_is_refused_is_told_too(
    client: FlaskClient, log: io.StringIO, call: Any, status: int, outcome: str
) -> None:
    post(client, call, SIGN)
    line = access(log)
    assert (line["status"], line["outcome"], line["cards"]) == (status, outcome, 0)
    assert "dropped" not in line


def test_a_call_that_fails_is_told_and_counted_as_a_fault(
    fresh: FlaskClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(Evaluator, "answer", fail)
    post(fresh, a_call())
    assert (access(log)["status"], access(log)["outcome"]) == (500, "failed")
    assert counted(fresh, "cds_faults_total") == {(): 1}


def test_a_path_that_is_no_service_is_no_access(client: FlaskClient, log: io.StringIO) -> None:
    post(client, {}, "/cds-services/onasemnogene-nowhere")
    client.get("/cds-services")
    assert '"access"' not in log.getvalue()


@pytest.mark.parametrize("path", ["/cds-services", "/nowhere", "/health/live", "/cds-services/nowhere"])
def test_every_answer_names_its_correlation_id(client: FlaskClient, path: str) -> None:
    ids = [client.get(path).headers["X-Correlation-Id"] for _ in range(2)]
    assert ids[0] != ids[1]
    assert all(len(identity) == 32 for identity in ids)


def test_a_correlation_id_of_the_caller_is_not_taken_over(client: FlaskClient, log: io.StringIO) -> None:
    sent = "0" * 32
    response = post(client, a_call(), headers={"X-Correlation-Id": sent, "X-Request-Id": sent})
    assert sent not in response.headers["X-Correlation-Id"] + log.getvalue()


def test_every_line_about_a_call_has_the_same_correlation_id(client: FlaskClient, log: io.StringIO) -> None:
    post(client, b"{", SIGN)
    ids = {line["correlation_id"] for line in map(json.loads, log.getvalue().splitlines())}
    assert len(ids) == 1


# --- what is counted


def test_calls_and_cards_are_counted(fresh: FlaskClient) -> None:
    cards = post(fresh, a_call()).get_json()["cards"]
    service = "onasemnogene-order-sign"
    assert counted(fresh, "cds_hook_calls_total") == {("cards", service, "200"): 1}
    assert counted(fresh, "cds_hook_seconds_count") == {(service,): 1}
    shown = {(card["indicator"], card["source"]["topic"]["code"]): 1.0 for card in cards}
    assert counted(fresh, "cds_cards_total") == shown


def test_what_unknown_answers_lacked_is_counted_by_list(fresh: FlaskClient) -> None:
    call = a_call()
    post(fresh, a_call(prefetch={"patient": call["prefetch"]["patient"]}))
    causes = {cause for (cause,) in counted(fresh, "cds_unknowns_total")}
    assert causes >= {"observations", "conditions", "medicationRequests"}
    assert "other" not in causes


def test_a_fault_of_the_counting_costs_nobody_an_answer(
    client: FlaskClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Metrics, "hook_call", fail)
    response = post(client, a_call())
    assert response.status_code == 200
    assert "not_accounted_for" in log.getvalue()


def test_the_application_of_another_test_counts_apart(fresh: FlaskClient, app: Flask) -> None:
    post(app.test_client(), a_call())
    assert counted(fresh, "cds_hook_calls_total") == {}
