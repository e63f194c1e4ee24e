"""The schema: which one a database has, and how it gets the current one. The steps stand in `migrations/`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from cds_service.errors import SettingsProblem
from cds_service.store.engine import DATABASE_URL, reading, writing
from cds_service.store.tables import metadata

VERSION_TABLE = "schema_version"
_FOLDER = Path(__file__).parent / "migrations"
# Any number that nobody else uses: replicas that start together wait for each other at it.
_ONE_AT_A_TIME = 7189412015


class SchemaState(Enum):
    """What a database holds of ours. FOREIGN: tables of these names that we did not make; NEWER: of a later release."""

    EMPTY = "empty"
    CURRENT = "current"
    OLD = "old"
    NEWER = "newer"
    FOREIGN = "foreign"


def schema_state(connection: Connection) -> SchemaState:
    """What this database holds."""
    # The tables first: those that another replica makes in between come with a version.
    is_taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    version = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    if version is None:
        return SchemaState.FOREIGN if is_taken else SchemaState.EMPTY
    script = ScriptDirectory.from_config(alembic_config())
    if version == script.get_current_head():
        return SchemaState.CURRENT
    return SchemaState.OLD if version in {step.revision for step in script.walk_revisions()} else SchemaState.NEWER


def migrate(engine: Engine) -> None:
    """Bring the database to the current schema, all of it or nothing. Raises SettingsProblem or StoreUnavailable."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
        _refuse_what_is_not_ours(schema_state(connection))
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def prepare(engine: Engine) -> None:
    """Bring an empty database to the current schema. Raises SettingsProblem for one that has another schema."""
    if _state_that_is_ours(engine) is SchemaState.EMPTY:
        migrate(engine)


def require_current(engine: Engine) -> None:
    """Raise SettingsProblem for a database without the current schema; create nothing."""
    if _state_that_is_ours(engine) is SchemaState.EMPTY:
        raise SettingsProblem(f"{DATABASE_URL}: the database is empty; run `cds-service migrate` first")


def _state_that_is_ours(engine: Engine) -> SchemaState:
    """Empty or current; anything else is refused."""
    with reading(engine) as connection:
        state = schema_state(connection)
    if state is SchemaState.OLD:
        raise SettingsProblem(f"{DATABASE_URL}: the database has an older schema; run `cds-service migrate` first")
    _refuse_what_is_not_ours(state)
    return state


def _refuse_what_is_not_ours(state: SchemaState) -> None:
    if state is SchemaState.NEWER:
        raise SettingsProblem(f"{DATABASE_URL}: the database has the schema of a newer release; install that release")
    if state is SchemaState.FOREIGN:
        raise SettingsProblem(f"{DATABASE_URL}: the database holds tables of something else; name another database")


def alembic_config() -> Config:
    """Alembic's settings, without a file."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
