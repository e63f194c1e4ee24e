"""A PostgreSQL database of its own for a measurement, where CDS_TEST_POSTGRESQL_URL names a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

SERVER = "CDS_TEST_POSTGRESQL_URL"


@contextmanager
def own_database() -> Iterator[str | None]:
    """The address of an empty database, which is gone at the end; None where no server is named."""
    server = os.environ.get(SERVER)
    if not server:
        yield None
        return
    name = f"bench_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _administer(server: str, statement: str) -> None:
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
