"""One catalogue, one fixed clock, one application for all tests."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import kept_run
import pytest
import structlog
from _pytest.nodeid import NodeId
from flask import Flask
from flask.testing import FlaskClient
from given_facts import FIXED_NOW, facts_given

from cds_service.app import create_app, create_catalogue
from cds_service.config import Settings, load_settings
from cds_service.domain.facts import PatientFacts
from cds_service.fhir import Recognition
from cds_service.presentation import Catalogue

# The service refuses variables of its own prefix that it does not know; those for the tests go by other names.
for _name in [name for name in os.environ if name.startswith("CDS_TEST_")]:
    os.environ[_name.removeprefix("CDS_")] = os.environ.pop(_name)

kept_run.begin()


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
    """What the service reads from a child described in the words of cases.yaml, on the hook of its moment."""

    def read(given: Mapping[str, Any]) -> PatientFacts:
        return facts_given(given, catalogue.known.units, recognition)

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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a group in one process: xdist 3.8 names it in a member that pytest 9.2 no longer reads."""
    for item in items:
        if "_nodeid" in vars(item):
            item._id = NodeId.parse(vars(item)["_nodeid"])
