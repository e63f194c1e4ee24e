"""The schema: made from nothing, brought up, refused where it is another; the same on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from databases import engine_for
from sqlalchemy import inspect, text

from cds_service.errors import SettingsProblem
from cds_service.store import migrate_database, open_store, schema
from cds_service.store.schema import VERSION_TABLE, SchemaState, schema_state
from cds_service.store.tables import metadata


def state_of(url: str) -> SchemaState:
    with engine_for(url) as engine, engine.connect() as connection:
        return schema_state(connection)


def run_on(url: str, *statements: str) -> None:
    with engine_for(url) as engine, engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def secrets_in(url: str) -> list[str]:
    with engine_for(url) as engine, engine.connect() as connection:
        return list(connection.execute(text("SELECT secret_hex FROM keys")).scalars())


def test_migrating_makes_exactly_the_tables_that_the_code_names(empty_url: str) -> None:
    migrate_database(empty_url)
    with engine_for(empty_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, VERSION_TABLE}


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    migrate_database(empty_url)
    before = secrets_in(empty_url)
    migrate_database(empty_url)
    assert secrets_in(empty_url) == before
    assert state_of(empty_url) is SchemaState.CURRENT


def test_every_database_has_a_random_key_of_its_own(empty_url: str, tmp_path: object) -> None:
    other = f"sqlite:///{tmp_path}/other.sqlite3"
    migrate_database(empty_url)
    migrate_database(other)
    (one,), (another,) = secrets_in(empty_url), secrets_in(other)
    assert len(bytes.fromhex(one)) == len(bytes.fromhex(another)) == 32
    assert one != another


def test_serving_brings_an_empty_database_to_the_current_schema(empty_url: str) -> None:
    assert state_of(empty_url) is SchemaState.EMPTY
    open_store(empty_url, migrates=False).close()
    assert state_of(empty_url) is SchemaState.CURRENT


def test_replicas_that_start_together_on_an_empty_database_all_start(empty_url: str) -> None:
    faults: list[BaseException] = []

    def start() -> None:
        try:
            open_store(empty_url, migrates=False).close()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(secrets_in(empty_url)) == 1


@pytest.mark.parametrize("step", ["inspect", "MigrationContext"])
def test_a_replica_that_looks_while_another_makes_the_tables_takes_them_for_ours(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real = getattr(schema, step)

    class Overtaken:
        """The step that is next, after another replica has made the tables."""

        def __call__(self, *given: object) -> object:
            self.overtake()
            return real(*given)

        def configure(self, *given: object, **options: object) -> object:
            self.overtake()
            return real.configure(*given, **options)

        def overtake(self) -> None:
            monkeypatch.undo()
            migrate_database(empty_url)

    monkeypatch.setattr(schema, step, Overtaken())
    assert state_of(empty_url) in (SchemaState.CURRENT, SchemaState.EMPTY)


@pytest.fixture
def known_steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets a revision count as an earlier step, as if there had been a release before the first."""

    def know(revision: str) -> None:
        class Step:
            def __init__(self) -> None:
                self.revision = revision

        monkeypatch.setattr("alembic.script.ScriptDirectory.walk_revisions", lambda self: [Step()])

    return know


def test_serving_refuses_an_older_schema_and_names_the_command(
    empty_url: str, known_steps: Callable[[str], None]
) -> None:
    migrate_database(empty_url)
    run_on(empty_url, f"UPDATE {VERSION_TABLE} SET version_num = '0000'")
    known_steps("0000")
    with pytest.raises(SettingsProblem, match="older schema; run `cds-service migrate` first"):
        open_store(empty_url, migrates=False)


@pytest.mark.parametrize("migrates", [True, False])
def test_the_schema_of_a_newer_release_is_refused(empty_url: str, migrates: bool) -> None:
    migrate_database(empty_url)
    run_on(empty_url, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(SettingsProblem, match="newer release; install that release"):
        open_store(empty_url, migrates=migrates)


@pytest.mark.parametrize("migrates", [True, False])
def test_a_database_with_tables_of_something_else_is_refused(empty_url: str, migrates: bool) -> None:
    run_on(empty_url, "CREATE TABLE feedback (id INTEGER PRIMARY KEY)")
    with pytest.raises(SettingsProblem, match="tables of something else; name another database"):
        open_store(empty_url, migrates=migrates)
    with engine_for(empty_url) as engine:
        assert inspect(engine).get_table_names() == ["feedback"]


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("stopped in the middle")

    monkeypatch.setattr("secrets.token_hex", fails)
    with pytest.raises(RuntimeError):
        migrate_database(empty_url)
    assert state_of(empty_url) is SchemaState.EMPTY


def test_a_database_without_its_key_is_refused(empty_url: str) -> None:
    migrate_database(empty_url)
    run_on(empty_url, "DELETE FROM keys")
    with pytest.raises(SettingsProblem, match="restore the table keys"):
        open_store(empty_url, migrates=False)
