"""What stands behind the services of these tests: each file has its own, because it breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import a_database
from registered_ehr import RegisteredEhr
from running_stores import OwnPostgresql, OwnRedis, own_postgresql, own_redis


@pytest.fixture(scope="session")
def ehr() -> RegisteredEhr:
    """An EHR with one key."""
    return RegisteredEhr()


@pytest.fixture(scope="module")
def redis() -> Iterator[OwnRedis]:
    """A Redis of this file's own."""
    with own_redis() as redis:
        yield redis


@pytest.fixture(scope="module")
def postgresql() -> Iterator[OwnPostgresql]:
    """A PostgreSQL of this file's own."""
    with own_postgresql() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database on the PostgreSQL of all tests."""
    with a_database("postgresql", Path(tmp_path_factory.mktemp("database"))) as url:
        yield url
