"""One catalogue, one fixed clock, one application for all tests."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import kept_run
import pytest
import structlog
from builders import hook_of, hook_request, today_of
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app, create_catalogue
from cds_service.config import Settings, load_settings
from cds_service.domain.facts import PatientFacts
from cds_service.fhir import Occasion, Recognition, SiteClock, read_chart, read_draft_orders, read_facts
from cds_service.hooks.evaluation import MOMENTS
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.request import read_hook_call
from cds_service.hooks.services import service_by_id
from cds_service.presentation import Catalogue

# The service refuses variables of its own prefix that it does not know; those for the tests go by other names.
for _name in [name for name in os.environ if name.startswith("CDS_TEST_")]:
    os.environ[_name.removeprefix("CDS_")] = os.environ.pop(_name)

kept_run.begin()
FIXED_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def pytest_sessionfinish(session: pytest.Session) -> None:
    kept_run.end(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    kept_run.keep_streams(report)
    return report


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings({"CDS_MODE": "demo", "CDS_NOW": FIXED_NOW.isoformat()})


@pytest.fixture(scope="session")
def catalogue(settings: Settings) -> Catalogue:
    return create_catalogue(settings)


@pytest.fixture(scope="session")
def recognition(catalogue: Catalogue) -> Recognition:
    return Recognition.of(catalogue.codes, catalogue.names)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def facts_of(catalogue: Catalogue, recognition: Recognition) -> Callable[[Mapping[str, Any]], PatientFacts]:
    """What the service reads from a child described in the words of cases.yaml, on the hook of its moment.

    Read even where the service would not answer, because the call does not concern it.
    """

    def read(given: Mapping[str, Any]) -> PatientFacts:
        hook = hook_of(given)
        request = read_json_object(write_json(hook_request(given, hook)))
        call = read_hook_call(request, service_by_id(f"onasemnogene-{hook}"))
        drafts = read_draft_orders(call.draft_orders, call.selections, call.prefetch, call.patient_id, recognition)
        occasion = Occasion(
            MOMENTS[hook],
            drafts,
            bool(drafts.in_hand),
            call.dispatched_orders,
            call.fulfillment_tasks,
            call.appointments,
            call.encounter_id,
        )
        now = datetime.combine(today_of(given), FIXED_NOW.timetz())
        clock = SiteClock(now, ZoneInfo("UTC"), timedelta(minutes=15))
        chart = read_chart(call.prefetch, call.patient_id)
        return read_facts(chart, occasion, call.patient_id, clock, catalogue.known.units, recognition)

    return read


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Every byte the service logs during the test, at level info, whatever an earlier test has set."""
    written = io.StringIO()
    before = structlog.get_config()
    at_info = structlog.make_filtering_bound_logger(logging.INFO)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written), wrapper_class=at_info)
    yield written
    structlog.configure(**before)
