"""Readiness: one entry for each dependency, each asked for a limited time."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.operations import METRICS, READINESS
from cds_service.operations.metrics import Metrics
from cds_service.operations.readiness import Readiness


def fails() -> None:
    raise ConnectionError("postgresql://user:word@db.example.org")


@pytest.fixture
def site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Readiness:
    """The application with dependencies of this test."""
    readiness = Readiness(app.extensions[METRICS].dependency, seconds=5)
    monkeypatch.setitem(app.extensions, READINESS, readiness)
    return readiness


def ready(client: FlaskClient) -> tuple[int, dict[str, Any]]:
    response = client.get("/health/ready")
    return response.status_code, response.get_json()


def test_the_service_is_ready_once_its_cards_are_loaded(client: FlaskClient) -> None:
    status, told = ready(client)
    assert (status, told["status"]) == (200, "ready")
    assert told["dependencies"] == {
        "cards": {"status": "up", "needed": True},
        "database": {"status": "up", "needed": False},
        "shared-state": {"status": "up", "needed": False},
    }


def test_a_process_that_answers_is_live_whatever_it_depends_on(client: FlaskClient, site: Readiness) -> None:
    site.register("database", fails)
    response = client.get("/health/live")
    assert (response.status_code, response.get_json()) == (200, {"status": "live"})


def test_without_a_needed_dependency_the_service_is_not_ready_and_says_which(
    client: FlaskClient, site: Readiness
) -> None:
    site.register("cards", lambda: None)
    site.register("database", fails)
    status, told = ready(client)
    assert (status, told["status"]) == (503, "not-ready")
    assert told["dependencies"]["cards"] == {"status": "up", "needed": True}
    assert told["dependencies"]["database"] == {"status": "down", "needed": True, "fault": "ConnectionError"}


def test_without_another_dependency_the_service_is_ready_and_says_so(client: FlaskClient, site: Readiness) -> None:
    site.register("keys", fails, is_needed=False)
    status, told = ready(client)
    assert (status, told["status"]) == (200, "ready")
    assert told["dependencies"]["keys"]["status"] == "down"


def test_what_a_dependency_says_is_neither_answered_nor_logged(
    client: FlaskClient, site: Readiness, log: io.StringIO
) -> None:
    site.register("database", fails)
    response = client.get("/health/ready")
    assert "example.org" not in response.text + log.getvalue()


def test_a_dependency_that_hangs_gives_no_answer_and_the_others_do() -> None:
    release = threading.Event()
    readiness = Readiness(seconds=0.05)
    readiness.register("database", release.wait)
    readiness.register("cards", lambda: None)
    states = readiness.states()
    release.set()
    assert (states["database"].status, states["cards"].status) == ("no-answer", "up")


def test_a_dependency_that_hangs_is_not_asked_a_second_time() -> None:
    release, asked = threading.Event(), []

    def hang() -> None:
        asked.append(1)
        release.wait()

    readiness = Readiness(seconds=0.05)
    readiness.register("database", hang)
    for _ in range(3):
        assert readiness.states()["database"].status == "no-answer"
    release.set()
    assert len(asked) == 1


def test_a_dependency_that_has_come_back_is_up_again() -> None:
    is_down = True

    def check() -> None:
        if is_down:
            fails()

    readiness = Readiness(seconds=5)
    readiness.register("database", check)
    assert not readiness.states()["database"].is_up
    is_down = False
    assert readiness.states()["database"].is_up


def test_a_change_is_logged_once(client: FlaskClient, site: Readiness, log: io.StringIO) -> None:
    faults = [ConnectionError("x"), ConnectionError("x"), None, None]

    def check() -> None:
        fault = faults.pop(0)
        if fault is not None:
            raise fault

    site.register("database", check)
    for _ in range(4):
        ready(client)
    events = [(line["event"], line["dependency"]) for line in map(json.loads, log.getvalue().splitlines())]
    assert events == [("dependency_down", "database"), ("dependency_up", "database")]


def test_the_state_is_counted(client: FlaskClient, site: Readiness, app: Flask) -> None:
    site.register("database", fails)
    ready(client)
    counted: Metrics = app.extensions[METRICS]
    assert b'cds_dependency_up{dependency="database"} 0.0' in counted.exposition()


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_what_operations_ask_is_never_kept_by_a_cache(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"
