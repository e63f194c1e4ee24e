"""A database that is gone, locked, full or slow: feedback is refused as a whole, and nothing else is kept waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from databases import a_database, administer, engine_for, rows_of
from kept_things import NOW, SERVICE, a_review, accepted, overridden
from sqlalchemy import event, text

from cds_service.errors import StoreUnavailable
from cds_service.presentation import NOTHING_ACKNOWLEDGED
from cds_service.store import FeedbackEvent, Store, open_store
from cds_service.store.bounded_read import BoundedRead
from cds_service.store.patient_digest import PatientDigest

WEEK = timedelta(days=7)
PATIENT = PatientDigest("0" * 64, b"synthetic key")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.store.review_writer._PAUSES", (0.0,))
    monkeypatch.setattr("cds_service.store.engine._SECONDS_FOR_A_LOCK", 0)
    monkeypatch.setattr("cds_service.store.engine._SESSION", "-c statement_timeout=5s -c lock_timeout=50ms")


def save(store: Store, *events: FeedbackEvent) -> None:
    store.save_feedback(events or (overridden(),), NOW, SERVICE, "example-ehr")


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else writes and does not end."""
    with engine_for(url) as engine, engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection = connection.execution_options(sqlite_begin="BEGIN EXCLUSIVE")
        with connection.begin() as transaction:
            if engine.dialect.name == "postgresql":
                connection.execute(text("LOCK TABLE feedback, reviews IN ACCESS EXCLUSIVE MODE"))
            yield
            transaction.rollback()


def test_a_locked_database_refuses_feedback_and_keeps_none_of_it(store: Store, url: str) -> None:
    with locked(url), pytest.raises(StoreUnavailable, match="the database cannot be used now"):
        save(store)
    assert rows_of(url, "feedback") == []
    assert store.counters.values()["feedback_unstored"] == 1


def test_feedback_is_taken_again_as_soon_as_the_lock_is_gone(store: Store, url: str) -> None:
    with locked(url), pytest.raises(StoreUnavailable):
        save(store)
    save(store)
    assert len(rows_of(url, "feedback")) == 1


def test_reviews_that_meet_a_lock_are_lost_and_counted(store: Store, url: str) -> None:
    with locked(url):
        store.remember(a_review())
        assert store.flush(30)
    assert store.counters.values()["failed"] == 1
    assert rows_of(url, "reviews") == []


@pytest.fixture
def gone(empty_url: str) -> Store:
    """The memory whose database went away after the start."""
    store = open_store(empty_url, migrates=True)
    if empty_url.startswith("sqlite"):
        path = Path(empty_url.removeprefix("sqlite:///"))
        path.unlink()
        path.mkdir()
    else:
        administer(f"DROP DATABASE {empty_url.rpartition('/')[2]} WITH (FORCE)")
    return store


def test_a_database_that_is_gone_refuses_feedback(gone: Store) -> None:
    with pytest.raises(StoreUnavailable):
        save(gone)
    assert gone.counters.values()["feedback_unstored"] == 1


def test_a_database_that_is_gone_keeps_nothing_quiet_and_is_counted(gone: Store) -> None:
    assert gone.acknowledged(PATIENT, NOW, WEEK) == NOTHING_ACKNOWLEDGED
    assert gone.counters.values()["unread"] == 1


def test_a_database_that_is_gone_takes_reviews_without_a_fault(gone: Store) -> None:
    gone.remember(a_review())
    assert gone.flush(30)
    assert gone.counters.values()["failed"] == 1


def test_a_probe_sees_a_server_that_is_gone() -> None:
    with a_database("postgresql", Path()) as url:
        store = open_store(url, migrates=True)
        store.require_usable()
        broken = url.rpartition("/")[0] + "/no_such_database"
        with pytest.raises(StoreUnavailable):
            open_store(broken, migrates=False)
        store.close()


def test_connections_that_the_server_has_cut_are_made_again() -> None:
    with a_database("postgresql", Path()) as url:
        store = open_store(url, migrates=True)
        save(store)
        administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.rpartition('/')[2]}'")
        save(store)
        assert len(rows_of(url, "feedback")) == 2
        store.close()


def test_a_full_disk_refuses_feedback_and_keeps_none_of_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cds.sqlite3"
    store = open_store(url, migrates=True)

    def fill(connection: object, record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
        connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    event.listen(store._engine, "connect", fill)
    with pytest.raises(StoreUnavailable):
        save(store, *(overridden(f"card {number}") for number in range(500)))
    assert rows_of(url, "feedback") == []
    assert rows_of(url, "override_reasons") == []
    event.remove(store._engine, "connect", fill)
    store._engine.dispose()
    save(store)
    assert len(rows_of(url, "feedback")) == 1
    store.close()


def test_a_failure_in_the_middle_leaves_no_half_of_an_item(empty_url: str) -> None:
    store = open_store(empty_url, migrates=True)
    with engine_for(empty_url) as engine, engine.begin() as connection:
        connection.execute(text("DROP TABLE accepted_suggestions"))
    with pytest.raises(StoreUnavailable):
        save(store, overridden("one"), accepted("two"))
    assert rows_of(empty_url, "feedback") == []
    assert rows_of(empty_url, "override_reasons") == []
    store.close()


def test_what_is_refused_is_told_without_what_was_to_be_kept(store: Store, url: str) -> None:
    with locked(url), pytest.raises(StoreUnavailable) as refused:
        save(store, overridden("card", comment="synthetic-comment"))
    assert "synthetic-comment" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "synthetic-comment" not in str(refused.value.__cause__)


# --- reading


def test_a_read_that_takes_too_long_is_given_up_and_nothing_is_asked_for_a_while() -> None:
    now = [100.0]
    may_end = threading.Event()
    asked = []
    reader = BoundedRead(seconds_to_wait=0.01, clock=lambda: now[0])

    def slow() -> str:
        asked.append(now[0])
        assert may_end.wait(30)
        return "found"

    assert reader.read(slow) is None
    now[0] = 104.9
    assert reader.read(slow) is None
    assert asked == [100.0]
    may_end.set()
    now[0] = 105.0
    assert BoundedRead(30, lambda: now[0]).read(slow) == "found"
    reader.close()


def test_after_a_rest_the_database_is_asked_again() -> None:
    now = [100.0]
    reader = BoundedRead(30, lambda: now[0])

    def fails() -> str:
        raise StoreUnavailable("away")

    assert reader.read(fails) is None
    assert reader.read(lambda: "found") is None
    now[0] = 105.0
    assert reader.read(lambda: "found") == "found"
    reader.close()


def test_a_fault_nobody_thought_of_fails_no_call(log: object) -> None:
    reader = BoundedRead(30)

    def fails() -> str:
        raise ValueError("synthetic-patient-data")

    assert reader.read(fails) is None
    assert "synthetic-patient-data" not in log.getvalue()  # type: ignore[attr-defined]
    reader.close()
    assert BoundedRead(30).read(lambda: "found") == "found"


def test_a_closed_reader_reads_nothing() -> None:
    reader = BoundedRead(30)
    reader.close()
    assert reader.read(lambda: "found") is None
