"""Redis is killed while the service runs: calls are answered, and what was used here stays used (ADR 0024)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis as redis_client
from production_services import dependencies, in_production
from registered_ehr import SIGN, RegisteredEhr, call_of_today
from running_services import RunningService, wait_until
from running_stores import OwnRedis

pytestmark = pytest.mark.xdist_group("redis-gone")
CALL = call_of_today(SIGN)
ANOTHER = call_of_today(SIGN, hookInstance="c2a3f0de-6a53-4f0b-8f4e-0d1b2a3c4d5e")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, ehr: RegisteredEhr, redis: OwnRedis) -> Iterator[RunningService]:
    """One worker, so that it is known which one a call comes to."""
    folder = tmp_path_factory.mktemp("service")
    stores = {"database": f"sqlite:///{folder}/cds.sqlite3", "shared_state": redis.url}
    with in_production(folder, ehr, **stores, workers=1) as service:
        yield service


@contextmanager
def away(redis: OwnRedis) -> Iterator[None]:
    """Without Redis, which comes back empty."""
    redis.stop()
    try:
        yield
    finally:
        redis.start()


def test_without_redis_the_service_is_ready_and_says_so_now_and_then(
    service: RunningService, ehr: RegisteredEhr, redis: OwnRedis
) -> None:
    wait_until(lambda: dependencies(service)["shared-state"] == "up", "the service has found Redis")
    before = service.events().count("shared_state_unreachable")
    with away(redis):
        assert {ehr.post(service.address, SIGN, CALL).status_code for _ in range(30)} == {200}
        assert dependencies(service) == {"cards": "up", "database": "up", "shared-state": "down"}
        said = service.events().count("shared_state_unreachable") - before
    # Each call asks several times; a failed question is followed by some seconds without any.
    assert 1 <= said < 30


def test_without_redis_calls_are_answered_and_a_token_is_good_for_one_of_them(
    service: RunningService, ehr: RegisteredEhr, redis: OwnRedis
) -> None:
    used_before, used_meanwhile = ehr.token(SIGN), ehr.token(SIGN)
    answered = ehr.post(service.address, SIGN, CALL, used_before)
    assert answered.json()["cards"]
    with away(redis):
        assert ehr.post(service.address, SIGN, CALL, used_meanwhile).json() == answered.json()
        again = [ehr.post(service.address, SIGN, ANOTHER, token) for token in (used_before, used_meanwhile)]
        assert [answer.status_code for answer in again] == [401, 401]
    again = [ehr.post(service.address, SIGN, ANOTHER, token) for token in (used_before, used_meanwhile)]
    assert [answer.status_code for answer in again] == [401, 401]


def test_when_redis_is_back_tokens_are_shared_again(
    service: RunningService, ehr: RegisteredEhr, redis: OwnRedis
) -> None:
    with away(redis):
        assert ehr.post(service.address, SIGN, CALL).status_code == 200
    wait_until(lambda: dependencies(service)["shared-state"] == "up", "the service has found Redis again")
    with redis_client.Redis.from_url(redis.url) as shared:
        known = set(shared.keys("onasemnogene-cds:token:*"))
        assert ehr.post(service.address, SIGN, CALL).status_code == 200
        assert len(set(shared.keys("onasemnogene-cds:token:*")) - known) == 1
