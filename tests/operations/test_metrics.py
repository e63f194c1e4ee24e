"""What is counted, in Prometheus's format, under labels that name our own things only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from cds_service.domain.facts import Hindrance, Source
from cds_service.hooks.services import SERVICES
from cds_service.operations import METRICS
from cds_service.operations.metrics import Metrics
from cds_service.presentation import Catalogue
from cds_service.presentation.catalogue import TOPICS

Record = Callable[[Metrics], None]
CALL = "onasemnogene-order-sign"


def counted(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of this name, by the values of their labels in alphabetical order of their names."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in samples}


@pytest.mark.parametrize(
    ("record", "name", "labels", "value"),
    [
        (lambda m: m.hook_call(CALL, "cards", 200, 0.02), "cds_hook_calls_total", ("cards", CALL, "200"), 1),
        (lambda m: m.hook_call(CALL, "cards", 200, 0.02), "cds_hook_seconds_count", (CALL,), 1),
        (lambda m: m.cards([("dose", "critical")] * 2), "cds_cards_total", ("critical", "dose"), 2),
        (lambda m: m.unknowns(["observations", "smn1-result"]), "cds_unknowns_total", ("smn1-result",), 1),
        (lambda m: m.fetched({"patient": "too-late"}), "cds_fhir_fetches_total", ("patient", "too-late"), 1),
        (lambda m: m.feedback(CALL, "overridden", 3), "cds_feedback_total", ("overridden", CALL), 3),
        (lambda m: m.store("feedback_unstored", 4), "cds_store_events_total", ("feedback_unstored",), 4),
        (lambda m: m.auth_failed("expired"), "cds_auth_failures_total", ("expired",), 1),
        (lambda m: m.rate_limited("example-ehr.2"), "cds_rate_limited_total", ("example-ehr.2",), 1),
        (lambda m: m.overloaded(), "cds_overloaded_total", (), 1),
        (lambda m: m.fault(), "cds_faults_total", (), 1),
        (lambda m: m.malformed(431), "cds_malformed_requests_total", ("431",), 1),
        (lambda m: m.log_fields_dropped(2), "cds_log_fields_dropped_total", (), 2),
        (lambda m: m.dependency("database", False), "cds_dependency_up", ("database",), 0),
        (lambda m: m.call_began(), "cds_calls_under_way", (), 1),
        (lambda m: m.worker_started(16), "cds_threads", (), 16),
        (lambda m: m.worker_started(16), "cds_workers_started_total", (), 1),
    ],
)
def test_what_is_recorded_is_counted(record: Record, name: str, labels: tuple[str, ...], value: float) -> None:
    metrics = Metrics()
    record(metrics)
    assert counted(metrics, name)[labels] == value


@pytest.mark.parametrize("name", ["cds_faults_total", "cds_overloaded_total", "cds_log_fields_dropped_total"])
def test_what_must_never_happen_is_counted_from_zero(name: str) -> None:
    assert counted(Metrics(), name) == {(): 0}


ODD = ["Synthetic, Child", "MRN-12345", "Patient/abc", "2026-03-02", "3.2 kg", "x" * 80, ""]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "record",
    [
        lambda m, odd: m.hook_call(odd, odd, 200, 0.1),
        lambda m, odd: m.cards([(odd, odd)]),
        lambda m, odd: m.unknowns([odd + "/"]),
        lambda m, odd: m.fetched({odd: odd}),
        lambda m, odd: m.feedback(odd, odd),
        lambda m, odd: m.store(odd),
        lambda m, odd: m.auth_failed(odd),
        lambda m, odd: m.rate_limited(odd + "/"),
        lambda m, odd: m.dependency(odd, True),
    ],
)
def test_a_value_that_is_no_name_of_ours_is_counted_as_other(record: Callable[[Metrics, str], None], odd: str) -> None:
    metrics = Metrics()
    record(metrics, odd)
    written = metrics.exposition().decode()
    assert '="other"' in written
    assert f'"{odd}' not in written.replace('"other', "") or not odd


def test_every_name_of_ours_is_counted_as_itself(catalogue: Catalogue) -> None:
    metrics = Metrics()
    for service in SERVICES:
        metrics.hook_call(service.service_id, "no-cards", 200, 0.1)
    metrics.cards([(topic, "info") for topic in TOPICS])
    metrics.unknowns(catalogue.phrases.missing)
    for hindrance in Hindrance:
        metrics.fetched({source.value: hindrance.value for source in Source})
    assert '"other"' not in metrics.exposition().decode()
    assert len(counted(metrics, "cds_unknowns_total")) == len(catalogue.phrases.missing)
    assert len(counted(metrics, "cds_fhir_fetches_total")) == len(Source) * len(Hindrance)


def test_the_number_of_clients_that_are_told_apart_is_bounded() -> None:
    metrics = Metrics()
    for number in range(105):
        metrics.rate_limited(f"client-{number}")
    clients = counted(metrics, "cds_rate_limited_total")
    assert len(clients) == 101
    assert clients[("other",)] == 5


def test_two_applications_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.fault()
    assert counted(other, "cds_faults_total") == {(): 0}


def test_prometheus_gets_its_own_format(client: FlaskClient) -> None:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert any(text_string_to_metric_families(response.text))


def test_metrics_are_read_only(client: FlaskClient) -> None:
    assert client.post("/metrics").status_code == 405


def test_no_call_is_under_way_once_it_is_answered(client: FlaskClient, app: Flask) -> None:
    client.get("/cds-services")
    assert counted(app.extensions[METRICS], "cds_calls_under_way") == {(): 0}
