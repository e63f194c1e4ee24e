"""Every test of the memory runs on SQLite and on PostgreSQL; what replicas share, in a process and in Redis."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from databases import KINDS, a_database, forget_all

from cds_service.operations.log import set_up_logging
from cds_service.store import Store, open_store


@pytest.fixture(scope="session", autouse=True)
def _logs_as_in_service() -> None:
    set_up_logging("info")


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database that holds nothing."""
    with a_database(request.param, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module", params=KINDS)
def kept_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one database for all tests of a file, with the current schema."""
    with a_database(request.param, tmp_path_factory.mktemp("database")) as url:
        open_store(url, migrates=True).close()
        yield url


@pytest.fixture
def url(kept_url: str) -> str:
    """The address of a database with the current schema and no rows."""
    forget_all(kept_url)
    return kept_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The memory in that database."""
    opened = open_store(url, migrates=False)
    opened._reader._seconds_to_wait = 30  # a busy machine is no fault of these tests
    yield opened
    opened.close()


@pytest.fixture
def redis_url() -> str:
    """The address of a Redis. Skips the test where there is none, but never in CI."""
    url = os.environ.get("TEST_REDIS_URL", "")
    if not url:
        if "CI" in os.environ:
            pytest.fail("CDS_TEST_REDIS_URL is not set; .ci/run starts a Redis and sets it")
        pytest.skip("no Redis: set CDS_TEST_REDIS_URL, for example to redis://127.0.0.1:6379/0")
    return url
