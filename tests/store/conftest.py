"""Every test of the memory runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databases import KINDS, a_database, forget_all

from cds_service.app import set_up_logging
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
    yield opened
    opened.close()
