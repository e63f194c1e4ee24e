"""Opening the memory at the start of the service, and bringing its database to the current schema."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, select

from cds_service.errors import SettingsProblem
from cds_service.store.engine import (
    DATABASE_URL,
    create_database_engine,
    create_folder_of,
    database_url,
    reading,
    starting,
)
from cds_service.store.patient_digest import DigestKey
from cds_service.store.review_writer import MOST_WAITING
from cds_service.store.schema import migrate, prepare
from cds_service.store.store import Store
from cds_service.store.tables import keys

DIGEST_KEY = "digest"


def open_store(
    url: str, *, migrates: bool, most_waiting: int = MOST_WAITING, on_close: Callable[[], None] = lambda: None
) -> Store:
    """The memory in this database, which is created where there is none.

    An older schema is brought up only where `migrates` says so. Raises SettingsProblem or StoreUnavailable.
    """
    engine = _engine(database_url(url))
    try:
        with starting():
            (migrate if migrates else prepare)(engine)
            with reading(engine) as connection:
                key = _digest_key(connection)
    finally:
        # A server may fork after this; no connection is handed to two processes.
        engine.dispose()
    return Store(engine, key, most_waiting, on_close)


def migrate_database(url: str) -> str:
    """Bring this database to the current schema; its address without the password.

    Raises SettingsProblem or StoreUnavailable.
    """
    engine = _engine(database_url(url))
    try:
        with starting():
            migrate(engine)
    finally:
        engine.dispose()
    return engine.url.render_as_string(hide_password=True)


def create_temporary_url() -> tuple[str, Callable[[], None]]:
    """The address of a database in a temporary folder, and what removes that folder."""
    folder = Path(tempfile.mkdtemp(prefix="onasemnogene-cds-"))
    url = URL.create("sqlite", database=str(folder / "demo.sqlite3"))
    return url.render_as_string(), lambda: shutil.rmtree(folder, ignore_errors=True)


def _engine(url: URL) -> Engine:
    create_folder_of(url)
    return create_database_engine(url)


def _digest_key(connection: Connection) -> DigestKey:
    secret = connection.execute(select(keys.c.secret_hex).where(keys.c.name == DIGEST_KEY)).scalar()
    if not secret:
        raise SettingsProblem(f"{DATABASE_URL}: the key of the digests is missing; restore the table keys")
    return DigestKey(bytes.fromhex(secret))
