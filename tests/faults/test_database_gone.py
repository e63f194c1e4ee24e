"""PostgreSQL is stopped, or hangs, while the service runs: calls are answered in full, feedback is refused whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from databases import rows_of
from production_services import dependencies, in_production, workers_started
from registered_ehr import SIGN, TREATED, VIEW, RegisteredEhr, call_of_today, overriding
from running_services import RunningService, wait_until
from running_stores import OwnPostgresql, OwnRedis

pytestmark = pytest.mark.xdist_group("database-gone")
FEEDBACK = f"{VIEW}/feedback"
CARD = "6ec204af-b6de-5e94-8cd2-ee3473966b8c"
THREADS = 8


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, ehr: RegisteredEhr, postgresql: OwnPostgresql, redis: OwnRedis
) -> Iterator[RunningService]:
    """Two workers, which nobody restarts."""
    stores = {"database": postgresql.url, "shared_state": redis.url}
    with in_production(tmp_path_factory.mktemp("service"), ehr, **stores, WEB_THREADS=str(THREADS)) as service:
        yield service


@contextmanager
def away(postgresql: OwnPostgresql) -> Iterator[None]:
    """Without the database."""
    postgresql.stop()
    try:
        yield
    finally:
        postgresql.start()


@contextmanager
def hanging(postgresql: OwnPostgresql) -> Iterator[None]:
    """With a database that takes questions and answers none, as one whose disk stands still."""
    stopped = postgresql.processes()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def cards(service: RunningService, ehr: RegisteredEhr) -> list[list[dict[str, Any]]]:
    """The cards on two hooks."""
    calls = ((SIGN, call_of_today(SIGN)), (VIEW, call_of_today(VIEW, TREATED)))
    return [ehr.ask(service.address, path, call) for path, call in calls]


def feed_back(service: RunningService, ehr: RegisteredEhr) -> requests.Response:
    return ehr.post(service.address, FEEDBACK, overriding(CARD, CARD))


def wait_for_feedback_to_be_taken(service: RunningService, ehr: RegisteredEhr) -> None:
    """Until it is, by whichever worker is asked."""
    wait_until(lambda: all(feed_back(service, ehr).status_code == 200 for _ in range(4)), "feedback is taken again")


def test_without_the_database_calls_are_answered_in_full(
    service: RunningService, ehr: RegisteredEhr, postgresql: OwnPostgresql
) -> None:
    with_it = cards(service, ehr)
    assert all(with_it)
    with away(postgresql):
        assert [cards(service, ehr) for _ in range(3)] == [with_it] * 3


def test_without_the_database_feedback_is_refused_with_when_to_come_again_and_none_of_it_is_kept(
    service: RunningService, ehr: RegisteredEhr, postgresql: OwnPostgresql
) -> None:
    wait_for_feedback_to_be_taken(service, ehr)
    before = len(rows_of(postgresql.url, "feedback"))
    with away(postgresql):
        refused = [feed_back(service, ehr) for _ in range(4)]
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in refused} == {(503, "5")}
    assert {answer.json()["issue"][0]["code"] for answer in refused} == {"transient"}
    assert len(rows_of(postgresql.url, "feedback")) == before


def test_without_the_database_the_service_stays_ready_and_says_what_is_down(
    service: RunningService, postgresql: OwnPostgresql
) -> None:
    with away(postgresql):
        assert dependencies(service) == {"cards": "up", "database": "down", "shared-state": "up"}
    wait_until(lambda: dependencies(service)["database"] == "up", "readiness sees the database")


def test_when_the_database_is_back_feedback_is_kept_again_by_the_same_processes(
    service: RunningService, ehr: RegisteredEhr, postgresql: OwnPostgresql
) -> None:
    workers = service.workers()
    with away(postgresql):
        assert feed_back(service, ehr).status_code == 503
    before = len(rows_of(postgresql.url, "feedback"))
    wait_for_feedback_to_be_taken(service, ehr)
    assert len(rows_of(postgresql.url, "feedback")) >= before + 8
    assert service.workers() == workers


def test_without_the_database_a_killed_worker_is_replaced_and_the_new_one_answers(
    service: RunningService, ehr: RegisteredEhr, postgresql: OwnPostgresql
) -> None:
    killed = service.workers()
    number = workers_started(service)
    with_it = cards(service, ehr)
    with away(postgresql):
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: workers_started(service) == number + 2, "both workers are replaced")
        assert service.workers().isdisjoint(killed)
        assert cards(service, ehr) == with_it
        assert feed_back(service, ehr).status_code == 503
    wait_for_feedback_to_be_taken(service, ehr)


def test_a_database_that_hangs_holds_up_no_call_however_much_feedback_waits_for_it(
    service: RunningService, ehr: RegisteredEhr, postgresql: OwnPostgresql
) -> None:
    wait_for_feedback_to_be_taken(service, ehr)
    with_it = cards(service, ehr)
    told: list[int] = []
    waiting = [
        threading.Thread(target=lambda: told.append(feed_back(service, ehr).status_code), daemon=True)
        for _ in range(4 * THREADS)
    ]
    with hanging(postgresql):
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
        assert cards(service, ehr) == with_it
        assert dependencies(service)["database"] == "no-answer"
    assert set(told) == {503}
    wait_for_feedback_to_be_taken(service, ehr)
