"""The disk under SQLite is full while the service runs: feedback is refused whole, calls are answered, room helps."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from databases import rows_of
from production_services import dependencies, in_production
from registered_ehr import SIGN, VIEW, RegisteredEhr, call_of_today, overriding
from running_services import RunningService

pytestmark = pytest.mark.xdist_group("database-full")
FEEDBACK = f"{VIEW}/feedback"
CARD = "6ec204af-b6de-5e94-8cd2-ee3473966b8c"
# More than the log of this file ever has, and less than what is fed back in one post.
ROOM = 256 * 1024
MANY = 2_000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('database')}/cds.sqlite3"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, ehr: RegisteredEhr, url: str) -> Iterator[RunningService]:
    """One worker."""
    with in_production(tmp_path_factory.mktemp("service"), ehr, database=url, workers=1) as service:
        yield service


@contextmanager
def full(service: RunningService, room: int = ROOM) -> Iterator[None]:
    """No file of the workers may become larger than this, as if their disk had no more room."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in service.workers()}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


def feed_back(service: RunningService, ehr: RegisteredEhr, items: int) -> requests.Response:
    return ehr.post(service.address, FEEDBACK, overriding(*[CARD] * items))


def test_on_a_full_disk_feedback_is_refused_and_none_of_it_is_kept(
    service: RunningService, ehr: RegisteredEhr, url: str
) -> None:
    assert feed_back(service, ehr, 2).status_code == 200
    with full(service):
        refused = [feed_back(service, ehr, MANY) for _ in range(2)]
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in refused] == [(503, "5")] * 2
    assert (len(rows_of(url, "feedback")), len(rows_of(url, "override_reasons"))) == (2, 2)


def test_on_a_full_disk_calls_are_answered_in_full(service: RunningService, ehr: RegisteredEhr) -> None:
    with_room = ehr.ask(service.address, SIGN, call_of_today(SIGN))
    assert with_room
    with full(service):
        assert feed_back(service, ehr, MANY).status_code == 503
        assert ehr.ask(service.address, SIGN, call_of_today(SIGN)) == with_room


def test_where_the_log_cannot_be_written_either_calls_are_answered_all_the_same(
    service: RunningService, ehr: RegisteredEhr
) -> None:
    with_room = ehr.ask(service.address, SIGN, call_of_today(SIGN))
    with full(service, room=0):
        written = len(service.log())
        assert ehr.ask(service.address, SIGN, call_of_today(SIGN)) == with_room
        assert feed_back(service, ehr, 1).status_code == 503
        assert ehr.post(service.address, SIGN, b"{}").status_code == 400
        assert len(service.log()) == written


def test_a_full_disk_does_not_show_in_readiness_which_only_reads(service: RunningService) -> None:
    with full(service):
        assert dependencies(service)["database"] == "up"


def test_when_there_is_room_again_feedback_is_kept_again(service: RunningService, ehr: RegisteredEhr, url: str) -> None:
    workers, before = service.workers(), len(rows_of(url, "feedback"))
    with full(service):
        assert feed_back(service, ehr, MANY).status_code == 503
    assert feed_back(service, ehr, MANY).status_code == 200
    assert len(rows_of(url, "feedback")) == before + MANY
    assert service.workers() == workers
