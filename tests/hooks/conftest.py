"""A production service for tests of who may call, and one that remembers, whose clock a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from databases import KINDS, a_database, forget_all
from hypothesis import settings
from remembering_service import NOW, RememberingService
from tokens import Bench, production_bench

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.hooks.views import EVALUATOR, STORE

settings.load_profile("ci")  # the same examples on every run, and no deadline on a busy machine


@pytest.fixture(scope="session")
def _production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with production_bench(tmp_path_factory.mktemp("production")) as bench:
        yield bench


@pytest.fixture
def bench(_production: Bench) -> Bench:
    """A production service that has not been called yet."""
    _production.begin()
    return _production


@pytest.fixture(scope="module", params=KINDS)
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RememberingService]:
    """One service for all tests of a file."""
    with a_database(request.param, tmp_path_factory.mktemp("database")) as url:
        app = create_app(load_settings({"CDS_MODE": "demo", "CDS_DATABASE_URL": url}))
        service = RememberingService(app, url, app.extensions[STORE])
        service.store._reader._seconds_to_wait = 30  # a busy machine is no fault of these tests
        app.extensions[EVALUATOR] = replace(app.extensions[EVALUATOR], now=lambda: service.now)
        yield service
        service.store.close()


@pytest.fixture
def remembering(started: RememberingService) -> RememberingService:
    """The service with an empty memory, at nine o'clock on the day of all tests."""
    assert started.store.flush(30)
    forget_all(started.url)
    started.now = NOW
    return started
