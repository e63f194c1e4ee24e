"""A database of its own for a test: SQLite in a temporary folder, or PostgreSQL where CDS_TEST_POSTGRESQL_URL is set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from kept_run import keep_rows
from sqlalchemy import Engine, create_engine, make_url, text

from cds_service.store.engine import create_database_engine, database_url
from cds_service.store.tables import metadata

KINDS = ("sqlite", "postgresql")
# As tests/conftest.py renames CDS_TEST_POSTGRESQL_URL.
_SERVER = "TEST_POSTGRESQL_URL"
_NO_SERVER = "CDS_TEST_POSTGRESQL_URL is not set: no PostgreSQL to test with; .ci/run starts one"


@contextmanager
def a_database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of this kind, which is gone at the end."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{uuid4().hex}.sqlite3"
        return
    server = os.environ.get(_SERVER)
    if server is None:
        pytest.fail(_NO_SERVER) if os.environ.get("CI") else pytest.skip(_NO_SERVER)
    name = f"cds_{uuid4().hex}"
    administer(f"CREATE DATABASE {name}")
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    try:
        yield url
    finally:
        keep_rows(url)
        administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def administer(statement: str) -> None:
    """Run a statement on the test server that cannot stand in a transaction."""
    url = make_url(os.environ[_SERVER]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@contextmanager
def engine_for(url: str) -> Iterator[Engine]:
    """An engine beside that of the service, to look at what was kept."""
    engine = create_database_engine(database_url(url))
    try:
        yield engine
    finally:
        engine.dispose()


def rows_of(url: str, table: str) -> list[dict[str, object]]:
    """All rows of a table, in the order in which they were added."""
    with engine_for(url) as engine, engine.connect() as connection:
        found = metadata.tables[table]
        return [dict(row) for row in connection.execute(found.select().order_by(found.c.id)).mappings()]


def forget_all(url: str) -> None:
    """Empty every table but that of the key."""
    keep_rows(url)
    with engine_for(url) as engine, engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name != "keys":
                connection.execute(table.delete())
