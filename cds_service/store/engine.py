"""One URL → an engine: SQLite in one file, or PostgreSQL for several replicas. Every wait has an end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cds_service.errors import SettingsProblem, StoreUnavailable

DATABASE_URL = "CDS_DATABASE_URL"
DEFAULT_URL = "sqlite:///var/onasemnogene-cds.sqlite3"
_POSTGRESQL = "postgresql+psycopg"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": _POSTGRESQL,
    "postgresql": _POSTGRESQL,
    _POSTGRESQL: _POSTGRESQL,
}
# Pages of SQLite that one connection keeps in memory; its own two megabytes fill up in each of our threads.
_KILOBYTES_OF_CACHE = 256
_SECONDS_FOR_A_LOCK = 2
_SECONDS_TO_CONNECT = 3
_SECONDS_FOR_A_STATEMENT = 5
_SECONDS_BETWEEN_SIGNS_OF_LIFE = 2
# A commit is answered only when it is on the disk, whatever the server's own default is. In a zone other than UTC an
# instant at either end of the calendar could be kept, and not be read again.
_SESSION = (
    f"-c statement_timeout={_SECONDS_FOR_A_STATEMENT}s -c lock_timeout={_SECONDS_FOR_A_LOCK}s "
    f"-c idle_in_transaction_session_timeout={_SECONDS_FOR_A_STATEMENT}s -c synchronous_commit=on -c timezone=UTC"
)
# What SQLAlchemy writes before a transaction in SQLite: a writer takes the lock at once and so never deadlocks.
_BEGIN = "sqlite_begin"


def database_url(written: str) -> URL:
    """The address of a database as we use it. Raises SettingsProblem for one that we cannot use."""
    try:
        url = make_url(written)
    except (ArgumentError, ValueError) as error:
        raise SettingsProblem(f"{DATABASE_URL}: is no database address; write sqlite:///PATH or {_EXAMPLE}") from error
    if url.drivername not in _DRIVERS:
        raise SettingsProblem(f"{DATABASE_URL}: {url.drivername} is not supported; write sqlite:///PATH or {_EXAMPLE}")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.drivername == _POSTGRESQL and find_spec("psycopg") is None:
        raise SettingsProblem(f"{DATABASE_URL}: PostgreSQL needs psycopg; install onasemnogene-cds[postgresql]")
    if url.drivername == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise SettingsProblem(f"{DATABASE_URL}: names no file, so nothing would be kept; write sqlite:///PATH")
    return url


_EXAMPLE = "postgresql://USER@HOST/NAME"


def create_database_engine(url: URL) -> Engine:
    """The engine for an address from `database_url`. Connects to nothing yet."""
    if url.drivername == _POSTGRESQL:
        return create_engine(
            url,
            connect_args=_postgresql_arguments(url),
            pool_pre_ping=True,
            pool_timeout=_SECONDS_FOR_A_LOCK,
            hide_parameters=True,
        )
    engine = create_engine(
        url, connect_args={"check_same_thread": False}, pool_timeout=_SECONDS_FOR_A_LOCK, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql_arguments(url: URL) -> dict[str, Any]:
    """Ours, where the address does not say otherwise; options that it names come after ours, and so count."""
    arguments: dict[str, Any] = {
        "connect_timeout": _SECONDS_TO_CONNECT,
        "tcp_user_timeout": _SECONDS_FOR_A_STATEMENT * 1000,
        # A server that is lost while it owes an answer says nothing; the system asks it, by default after two hours.
        "keepalives_idle": _SECONDS_FOR_A_STATEMENT,
        "keepalives_interval": _SECONDS_BETWEEN_SIGNS_OF_LIFE,
        "keepalives_count": 3,
        "application_name": "onasemnogene-cds",
    }
    arguments = {name: value for name, value in arguments.items() if name not in url.query}
    own = url.query.get("options", "")
    return arguments | {"options": f"{_SESSION} {own if isinstance(own, str) else ' '.join(own)}".strip()}


def _prepare_sqlite(connection: Any, record: object) -> None:
    """Transactions as we begin them ourselves, and a commit that is on the disk when it returns."""
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_SECONDS_FOR_A_LOCK * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{_KILOBYTES_OF_CACHE}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def create_folder_of(url: URL) -> None:
    """Create the folder of a SQLite file. Raises SettingsProblem where that cannot be done."""
    if url.drivername != "sqlite" or url.database is None:
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsProblem(f"{DATABASE_URL}: {folder} cannot be created ({error.strerror}); name another") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed as a whole at its end. Raises StoreUnavailable; then nothing was kept.

    Where the connection breaks during the commit itself, it may have been kept all the same.
    """
    try:
        with engine.connect().execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}) as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        raise unavailable(error) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads. Raises StoreUnavailable."""
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        raise unavailable(error) from error


@contextmanager
def reading_at_leisure(engine: Engine) -> Iterator[Connection]:
    """As `reading`, without an end to the wait: for a command that looks at everything. Raises StoreUnavailable."""
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        yield connection


@contextmanager
def starting() -> Iterator[None]:
    """Around what is done at the start or by a command: StoreUnavailable says why, in the driver's first words.

    While patients are served they are not told to anybody: they may hold what was to be written.
    """
    try:
        yield
    except StoreUnavailable as error:
        said = str(getattr(error.__cause__, "orig", None) or error.__cause__).strip().splitlines()[:1]
        why = f" ({said[0]})" if said else ""
        raise StoreUnavailable(
            f"{DATABASE_URL}: the database cannot be used{why}; correct the address or it"
        ) from error


def unavailable(error: SQLAlchemyError) -> StoreUnavailable:
    """The fault as we name it; what the driver said may hold data, so only its kind is told."""
    kind = type(getattr(error, "orig", None) or error).__name__
    return StoreUnavailable(f"the database cannot be used now ({kind}); try again later", kind)


def fault_of(error: Exception) -> str:
    """The kind of a fault, for the log; its text could hold what was to be written or asked for."""
    return error.fault if isinstance(error, StoreUnavailable) else type(error).__name__
