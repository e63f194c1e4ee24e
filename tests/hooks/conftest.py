"""A production service for tests of who may call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from tokens import Bench, production_bench

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
