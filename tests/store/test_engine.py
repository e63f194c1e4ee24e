"""Which addresses are understood, and how long a database may keep us waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from databases import a_database, administer, engine_for
from kept_things import NOW, SERVICE, a_review, overridden

from cds_service.errors import SettingsProblem
from cds_service.store import DEFAULT_URL, PatientDigest, database_url, open_store, prepare_temporary_database
from cds_service.store.engine import reading_at_leisure


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_spoken_with_psycopg_however_the_scheme_is_written(scheme: str) -> None:
    url = database_url(f"{scheme}://user@db.example.org/cds")
    assert (url.drivername, url.host, url.database) == ("postgresql+psycopg", "db.example.org", "cds")


def test_the_default_is_a_file_under_the_working_directory() -> None:
    assert database_url(DEFAULT_URL).database == "var/onasemnogene-cds.sqlite3"


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("", "write sqlite:///PATH"),
        ("nonsense", "write sqlite:///PATH"),
        ("mysql://user@db.example.org/cds", "mysql is not supported; write sqlite:///PATH"),
        ("postgresql+psycopg2://user@db.example.org/cds", "postgresql+psycopg2 is not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_one_line(written: str, remedy: str) -> None:
    with pytest.raises(SettingsProblem) as refused:
        database_url(written)
    message = str(refused.value)
    assert message.startswith("CDS_DATABASE_URL: ")
    assert remedy in message
    assert "\n" not in message


def test_a_refused_address_is_not_repeated_with_its_password() -> None:
    with pytest.raises(SettingsProblem) as refused:
        database_url("oracle://user:synthetic-password@db.example.org/cds")
    assert "synthetic-password" not in str(refused.value)


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.store.engine.find_spec", lambda name: None)
    with pytest.raises(SettingsProblem, match=r"install onasemnogene-cds\[postgresql\]"):
        database_url("postgresql://user@db.example.org/cds")


def test_the_folder_of_a_file_is_created(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/one/two/cds.sqlite3", migrates=False).close()
    assert (tmp_path / "one" / "two" / "cds.sqlite3").is_file()


def test_a_folder_that_cannot_be_created_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(SettingsProblem, match="cannot be created"):
        open_store(f"sqlite:///{tmp_path}/file/cds.sqlite3", migrates=False)


def test_a_temporary_database_is_gone_when_it_is_closed() -> None:
    database = prepare_temporary_database()
    store = database.open()
    file = Path(database.url.database or "")
    assert file.is_file()
    store.close()
    assert not file.parent.exists()


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 2000)]
)
def test_sqlite_waits_for_a_lock_and_writes_through_to_the_disk(tmp_path: Path, pragma: str, value: object) -> None:
    with engine_for(f"sqlite:///{tmp_path}/cds.sqlite3") as engine, engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_an_instant_at_either_end_of_the_calendar_is_read_again_whatever_the_servers_zone(
    tmp_path: Path, zone: str, year: int
) -> None:
    with a_database("postgresql", tmp_path) as url:
        administer(f"ALTER DATABASE {database_url(url).database} SET timezone = '{zone}'")
        store = open_store(url, migrates=False)
        store._reader._seconds_to_wait = 30
        store.remember(a_review())
        assert store.flush(30)
        odd = datetime(year, 1, 1, tzinfo=UTC) if year == 1 else datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
        store.save_feedback([overridden(), overridden(outcome_at=odd)], NOW, SERVICE, "example-ehr")
        quiet = store.acknowledged(PatientDigest("0" * 64, b""), NOW, timedelta(days=7))
        store.close()
        assert quiet.findings == {"d1"}


def test_a_command_that_looks_at_everything_may_take_its_time(url: str) -> None:
    with engine_for(url) as engine, reading_at_leisure(engine) as connection:
        if engine.dialect.name == "postgresql":
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                assert connection.exec_driver_sql(f"SHOW {limit}").scalar() == "0"


def test_postgresql_waits_for_nothing_without_end(url: str) -> None:
    with engine_for(url) as engine, engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 2000
            return
        told = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("statement_timeout", "lock_timeout", "synchronous_commit")
        }
    assert told == {"statement_timeout": "5s", "lock_timeout": "2s", "synchronous_commit": "on"}
