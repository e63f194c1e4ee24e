"""A database that takes feedback and never answers: nobody waits for long, and only one at a time while it lasts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from cds_service.errors import StoreUnavailable
from cds_service.store.bounded_write import BoundedWrite


@dataclass
class Database:
    """A database that hangs until it may go on, and a clock that a test moves."""

    now: float = 100.0
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    may_go_on: threading.Event = field(default_factory=threading.Event)
    writer: BoundedWrite = field(init=False)

    def __post_init__(self) -> None:
        self.writer = BoundedWrite(0.01, lambda: self.now)

    def hang(self) -> None:
        self.begun.release()
        assert self.may_go_on.wait(30)

    def refuses(self, work: Callable[[], object], fault: str) -> bool:
        with pytest.raises(StoreUnavailable) as refused:
            self.writer.write(work)
        return refused.value.fault == fault

    def has_patience(self) -> None:
        """From now on a busy machine makes nothing late."""
        self.writer._seconds_to_wait = 30


@contextmanager
def hanging() -> Iterator[Database]:
    """A database that has just kept somebody waiting too long."""
    database = Database()
    try:
        assert database.refuses(database.hang, "TimeoutError")
        yield database
    finally:
        database.may_go_on.set()
        database.writer.close()


def fails() -> None:
    raise StoreUnavailable("away", "OperationalError")


def test_what_was_written_is_given_back() -> None:
    assert BoundedWrite(30).write(lambda: "written") == "written"


@pytest.mark.parametrize(("seconds", "fault"), [(4.9, "Hanging"), (5.0, "TimeoutError")])
def test_after_a_write_that_took_too_long_the_database_is_left_alone_for_five_seconds(
    seconds: float, fault: str
) -> None:
    with hanging() as database:
        database.now += seconds
        assert database.refuses(database.hang, fault)


def test_while_one_tries_again_nobody_else_waits() -> None:
    with hanging() as database:
        database.now += 5
        database.has_patience()
        assert database.writer.write(lambda: database.refuses(fails, "Hanging"))


def test_a_database_that_answers_again_is_used_by_all() -> None:
    with hanging() as database:
        database.now += 5
        database.has_patience()
        assert [database.writer.write(lambda: "written") for _ in range(2)] == ["written"] * 2


def test_a_database_that_refuses_again_keeps_nobody_waiting_and_is_asked_by_all() -> None:
    with hanging() as database:
        database.now += 5
        database.has_patience()
        assert [database.refuses(fails, "OperationalError") for _ in range(2)] == [True] * 2


def test_what_has_not_begun_when_it_is_given_up_is_never_written() -> None:
    written: list[str] = []
    with hanging() as database:
        for _ in range(4):
            database.writer._threads.submit(database.hang)
        for _ in range(4):
            assert database.begun.acquire(timeout=30)
        database.now += 5
        assert database.refuses(lambda: written.append("late"), "TimeoutError")
    database.writer._threads.shutdown(wait=True)
    assert written == []


def test_when_the_service_ends_nothing_more_is_taken() -> None:
    writer = BoundedWrite(30)
    writer.close()
    with pytest.raises(StoreUnavailable):
        writer.write(lambda: "written")
