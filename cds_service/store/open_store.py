"""Opening the memory at the start of the service, and bringing its database to the current schema."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Database:
    """A database with the current schema, and its key. Holds no connection, so a server may fork after it was made.

    `on_close` is called when a memory in it is closed, by the process that made this object.
    """

    url: URL
    key: DigestKey = field(repr=False)
    on_close: Callable[[], None] = lambda: None

    @property
    def where(self) -> str:
        """Its address without the password."""
        return self.url.render_as_string(hide_password=True)

    def open(
        self, on_count: Callable[[str, int], None] = lambda name, number: None, most_waiting: int = MOST_WAITING
    ) -> Store:
        """The memory in it, for this process. The database need not be there now."""
        return Store(create_database_engine(self.url), self.key, most_waiting, self.on_close, on_count)


def prepare_database(url: str, *, migrates: bool, on_close: Callable[[], None] = lambda: None) -> Database:
    """This database, which is created where there is none, and its key.

    An older schema is brought up only where `migrates` says so. Raises SettingsProblem or StoreUnavailable.
    """
    engine = _engine(database_url(url))
    try:
        with starting():
            (migrate if migrates else prepare)(engine)
            with reading(engine) as connection:
                key = _digest_key(connection)
    finally:
        engine.dispose()
    return Database(engine.url, key, on_close)


def prepare_temporary_database() -> Database:
    """A database in a temporary folder, which goes with its first memory, or else with this process."""
    folder, owner = Path(tempfile.mkdtemp(prefix="onasemnogene-cds-")), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return prepare_database(f"sqlite:///{folder / 'demo.sqlite3'}", migrates=True, on_close=remove)


def open_store(url: str, *, migrates: bool, most_waiting: int = MOST_WAITING) -> Store:
    """The memory in this database, as `prepare_database` finds it. Raises SettingsProblem or StoreUnavailable."""
    return prepare_database(url, migrates=migrates).open(most_waiting=most_waiting)


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


def _engine(url: URL) -> Engine:
    create_folder_of(url)
    return create_database_engine(url)


def _digest_key(connection: Connection) -> DigestKey:
    secret = connection.execute(select(keys.c.secret_hex).where(keys.c.name == DIGEST_KEY)).scalar()
    if not secret:
        raise SettingsProblem(f"{DATABASE_URL}: the key of the digests is missing; restore the table keys")
    return DigestKey(bytes.fromhex(secret))
