"""Two replicas with one PostgreSQL and one Redis behind nginx: they behave as one, and one may be lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from databases import rows_of
from production_services import in_production
from registered_ehr import SIGN, TREATED, VIEW, RegisteredEhr, call_of_today, overriding
from remembering_service import card_of
from running_proxy import Proxy, in_front_of
from running_services import PATIENCE, RunningService, is_live, wait_until
from running_stores import OwnRedis

pytestmark = pytest.mark.xdist_group("replicas")
FEEDBACK = f"{VIEW}/feedback"
CALLS_A_MINUTE = 60
BUSY = RegisteredEhr("busy-ehr")
A_CARD = "6ec204af-b6de-5e94-8cd2-ee3473966b8c"


@pytest.fixture(scope="module")
def replicas(
    tmp_path_factory: pytest.TempPathFactory, ehr: RegisteredEhr, database: str, redis: OwnRedis
) -> Iterator[tuple[RunningService, RunningService]]:
    """Two of them, each with one worker."""
    with ExitStack() as started:

        def a_replica(number: int) -> RunningService:
            folder = tmp_path_factory.mktemp(f"replica-{number}")
            rate = {"CDS_RATE_LIMIT": str(CALLS_A_MINUTE)}
            return started.enter_context(
                in_production(folder, ehr, BUSY, database=database, shared_state=redis.url, workers=1, **rate)
            )

        yield a_replica(1), a_replica(2)


@pytest.fixture(scope="module")
def proxy(replicas: tuple[RunningService, RunningService], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx in front of both."""
    with in_front_of(tmp_path_factory.mktemp("nginx"), [replica.port for replica in replicas]) as proxy:
        yield proxy


def through(proxy: Proxy, ehr: RegisteredEhr, path: str, body: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to a call through the proxy."""
    status, headers, _ = proxy.exchange(f"POST {path} HTTP/1.1\r\nAuthorization: Bearer {ehr.token(path)}", body)
    return status, headers


def test_a_token_used_at_one_replica_is_refused_at_both_for_another_call(
    replicas: tuple[RunningService, RunningService], ehr: RegisteredEhr
) -> None:
    one, other = (replica.address for replica in replicas)
    token, call = ehr.token(SIGN), call_of_today(SIGN)
    another = call_of_today(SIGN, hookInstance="c2a3f0de-6a53-4f0b-8f4e-0d1b2a3c4d5e")
    assert ehr.post(one, SIGN, call, token).status_code == 200
    assert [ehr.post(address, SIGN, another, token).status_code for address in (other, one)] == [401, 401]


def test_a_call_sent_again_gets_the_same_answer_at_the_other_replica(
    replicas: tuple[RunningService, RunningService], ehr: RegisteredEhr
) -> None:
    token, call = ehr.token(SIGN), call_of_today(SIGN)
    first, again = (ehr.post(replica.address, SIGN, call, token) for replica in replicas)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["cards"]
    assert again.json() == first.json()


def test_the_calls_of_a_client_are_counted_over_both_replicas(
    replicas: tuple[RunningService, RunningService], ehr: RegisteredEhr
) -> None:
    empty = b'{"feedback": []}'
    addresses = [replica.address for replica in replicas]
    statuses = [BUSY.post(addresses[n % 2], FEEDBACK, empty).status_code for n in range(CALLS_A_MINUTE + 2)]
    assert statuses == [200] * CALLS_A_MINUTE + [429, 429]
    assert ehr.post(addresses[0], FEEDBACK, empty).status_code == 200


def test_what_is_answered_at_one_replica_keeps_quiet_at_the_other(
    replicas: tuple[RunningService, RunningService], ehr: RegisteredEhr, database: str
) -> None:
    one, other = (replica.address for replica in replicas)
    shown = ehr.ask(one, VIEW, call_of_today(VIEW, TREATED))
    heart = card_of(shown, "heart")["uuid"]
    wait_until(lambda: heart in {row["card_uuid"] for row in rows_of(database, "cards_shown")}, "it is remembered")
    assert ehr.post(one, FEEDBACK, overriding(heart)).status_code == 200
    again = ehr.ask(other, VIEW, call_of_today(VIEW, TREATED))
    assert [card for card in shown if card["uuid"] != heart] == again


def test_every_answer_through_the_proxy_names_the_line_of_the_replica_that_gave_it(
    proxy: Proxy, replicas: tuple[RunningService, RunningService], ehr: RegisteredEhr
) -> None:
    def replicas_that_answered() -> set[int]:
        status, headers = through(proxy, ehr, SIGN, call_of_today(SIGN))
        assert status == 200
        named = headers["x-correlation-id"]
        (found,) = {r.port for r in replicas for line in r.log() if line.get("correlation_id") == named}
        return {found}

    assert set().union(*(replicas_that_answered() for _ in range(4))) == {replica.port for replica in replicas}


def test_a_replica_that_is_killed_costs_no_call_and_nothing_it_acknowledged(
    replicas: tuple[RunningService, RunningService],
    ehr: RegisteredEhr,
    database: str,
    redis: OwnRedis,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    before = len(rows_of(database, "feedback"))
    folder = tmp_path_factory.mktemp("killed")
    with (
        in_production(folder, ehr, database=database, shared_state=redis.url, workers=1, CDS_RATE_LIMIT="0") as killed,
        in_front_of(folder, [killed.port, replicas[0].port]) as proxy,
    ):
        while_both_live = [through(proxy, ehr, FEEDBACK, overriding(A_CARD))[0] for _ in range(6)]
        assert "feedback" in killed.events()
        for pid in (killed.process.pid, *killed.workers()):
            os.kill(pid, signal.SIGKILL)
        killed.process.wait(PATIENCE)
        # A worker that is still dying takes connections; what breaks off on those is not what is looked at here.
        wait_until(lambda: not is_live(killed.address), "the killed replica takes no connection")
        afterwards = [through(proxy, ehr, FEEDBACK, overriding(A_CARD))[0] for _ in range(6)]
        assert through(proxy, ehr, SIGN, call_of_today(SIGN))[0] == 200
    assert while_both_live + afterwards == [200] * 12
    assert len(rows_of(database, "feedback")) == before + 12
