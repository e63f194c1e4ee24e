"""What replicas know of each other's calls: the same promises in memory and in Redis, and what holds without Redis."""

from __future__ import annotations

import io
import socket
import threading
import time
from dataclasses import dataclass
from uuid import uuid4

import pytest
from loopback_servers import raw_server

from cds_service.errors import SettingsProblem
from cds_service.store.call_counts import OwnCallCounts
from cds_service.store.shared_state import SharedState, open_shared_state
from cds_service.store.spent_tokens import OwnSpentTokens

NOW = 1_780_000_000.0
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@dataclass
class Replicas:
    """Opens the shared state as often as a test wants, with a clock that the test moves."""

    url: str
    now: float = NOW

    def another(self) -> SharedState:
        return open_shared_state(self.url, lambda: self.now)


@pytest.fixture(params=["memory", "redis"])
def replicas(request: pytest.FixtureRequest) -> Replicas:
    return Replicas("memory://" if request.param == "memory" else request.getfixturevalue("redis_url"))


@pytest.fixture
def shared(replicas: Replicas) -> SharedState:
    return replicas.another()


@pytest.fixture
def token() -> str:
    """A token nobody has used."""
    return uuid4().hex


# --- spent tokens


@pytest.mark.spec("R-179")
def test_a_new_token_may_be_used(shared: SharedState, token: str) -> None:
    assert shared.spent_tokens.spend(token, "a call", 300)


@pytest.mark.spec("R-179")
def test_a_spent_token_is_refused_for_another_call(shared: SharedState, token: str) -> None:
    assert shared.spent_tokens.spend(token, "a call", 300)
    assert not shared.spent_tokens.spend(token, "another call", 300)
    assert shared.spent_tokens.spend(token, "a call", 300)


@pytest.mark.spec("R-179")
@pytest.mark.parametrize(("seconds", "is_fine"), [(59, True), (60, True), (61, False)])
def test_the_same_call_may_be_sent_again_for_a_minute(
    replicas: Replicas, shared: SharedState, token: str, seconds: int, is_fine: bool
) -> None:
    assert shared.spent_tokens.spend(token, "a call", 300)
    replicas.now += seconds
    assert shared.spent_tokens.spend(token, "a call", 300) is is_fine


def test_the_minute_counts_from_the_first_use(replicas: Replicas, shared: SharedState, token: str) -> None:
    for seconds, is_fine in ((0, True), (40, True), (60, True), (61, False), (300, False)):
        replicas.now = NOW + seconds
        assert shared.spent_tokens.spend(token, "a call", 3600) is is_fine


def test_of_simultaneous_uses_one_is_the_first(shared: SharedState, token: str) -> None:
    fine: list[bool] = []
    ready = threading.Barrier(16)

    def use(number: int) -> None:
        ready.wait(10)
        fine.append(shared.spent_tokens.spend(token, f"call {number}", 300))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(fine) == [False] * 15 + [True]


def test_a_token_spent_at_one_replica_is_spent_at_all_of_them(redis_url: str, token: str) -> None:
    replicas = Replicas(redis_url)
    one, other = replicas.another(), replicas.another()
    assert one.spent_tokens.spend(token, "a call", 300)
    assert not other.spent_tokens.spend(token, "another call", 300)
    assert other.spent_tokens.spend(token, "a call", 300)


def test_redis_forgets_a_token_when_it_has_expired_and_knows_nothing_that_it_says(redis_url: str, token: str) -> None:
    import redis

    open_shared_state(redis_url, lambda: NOW).spent_tokens.spend(token, "a call", 77)
    client = redis.Redis.from_url(redis_url)
    name = f"onasemnogene-cds:token:{token}"
    assert 75 <= client.ttl(name) <= 77
    assert client.get(name) == f"a call {NOW}".encode()
    client.close()


@pytest.fixture
def clock() -> list[float]:
    return [NOW]


@pytest.fixture
def own(clock: list[float]) -> OwnSpentTokens:
    """Room for three tokens."""
    return OwnSpentTokens(lambda: clock[0], most=3)


def test_memory_forgets_a_token_when_it_has_expired(own: OwnSpentTokens, clock: list[float]) -> None:
    own.spend("a", "a call", 60)
    for seconds, kept in ((59, 2), (60, 1)):
        clock[0] = NOW + seconds
        own.spend(f"at {seconds}", "a call", 300)
        assert len(own) == kept + (seconds == 60)


def test_memory_holds_no_more_than_it_may_and_forgets_what_expires_first(own: OwnSpentTokens) -> None:
    for name, seconds in (("late", 300), ("soon", 10), ("later", 400), ("latest", 500)):
        assert own.spend(name, "a call", seconds)
    assert len(own) == 3
    assert own.spend("soon", "another call", 10)
    assert not own.spend("latest", "another call", 500)


def test_memory_keeps_a_hundred_thousand_tokens() -> None:
    own = OwnSpentTokens(lambda: NOW)
    for number in range(100_001):
        own.spend(str(number), "a call", 300 + number)
    assert len(own) == 100_000


# --- counts


@pytest.mark.spec("R-201")
def test_the_number_allowed_may_be_reached_and_not_passed(shared: SharedState, token: str) -> None:
    waits = [shared.call_counts.add("client", token, 3) for _ in range(4)]
    assert waits[:3] == [0, 0, 0]
    assert 1 <= waits[3] <= 60


def test_each_name_and_each_kind_is_counted_apart(shared: SharedState, token: str) -> None:
    assert shared.call_counts.add("client", token, 1) == 0
    assert shared.call_counts.add("client", token, 1) > 0
    assert shared.call_counts.add("refused", token, 1) == 0
    assert shared.call_counts.add("client", f"{token}-b", 1) == 0


@pytest.mark.parametrize(("seconds", "is_over"), [(59, False), (60, True), (61, True), (-1, True)])
def test_a_new_minute_is_counted_from_zero(token: str, seconds: int, is_over: bool) -> None:
    replicas = Replicas("memory://")
    shared = replicas.another()
    assert shared.call_counts.add("client", token, 1) == 0
    replicas.now += seconds
    assert (shared.call_counts.add("client", token, 1) == 0) is is_over


def test_the_wait_ends_with_the_minute(token: str) -> None:
    replicas = Replicas("memory://")
    shared = replicas.another()
    waits = []
    for seconds in (0, 0.5, 59.5):
        replicas.now = NOW + seconds
        waits.append(shared.call_counts.add("client", token, 1))
    assert waits == [0, 60, 1]


def test_callers_whose_minute_is_over_are_forgotten() -> None:
    clock = Replicas("memory://")
    counts = OwnCallCounts(lambda: clock.now)
    for seconds, kept in ((0, 1), (30, 2), (60, 2), (200, 1)):
        clock.now = NOW + seconds
        counts.add("refused", f"address {seconds}", 10)
        assert len(counts) == kept


def test_strangers_from_many_addresses_fill_no_memory() -> None:
    counts = OwnCallCounts(lambda: NOW, most=3)
    for number in range(5):
        counts.add("refused", f"address {number}", 1)
    assert len(counts) == 3
    assert [counts.add("refused", f"address {number}", 1) > 0 for number in (4, 3, 2)] == [True, True, True]
    assert counts.add("refused", "address 0", 1) == 0


def test_calls_at_all_replicas_count_together(redis_url: str, token: str) -> None:
    replicas = Replicas(redis_url)
    one, other = replicas.another(), replicas.another()
    assert one.call_counts.add("client", token, 2) == 0
    assert other.call_counts.add("client", token, 2) == 0
    assert one.call_counts.add("client", token, 2) > 0


# --- whether it can be had


def test_shared_state_that_answers_is_reachable(shared: SharedState) -> None:
    assert shared.is_reachable()


def events(log: io.StringIO) -> list[str]:
    """The shared state's own reports, whatever form the log has."""
    return [line for line in log.getvalue().splitlines() if "shared_state_unreachable" in line]


def test_without_redis_this_process_goes_on_by_what_it_knows_and_says_so(log: io.StringIO, token: str) -> None:
    shared = open_shared_state(NOBODY_LISTENS, lambda: NOW)
    assert not shared.is_reachable()
    assert shared.spent_tokens.spend(token, "a call", 300)
    assert not shared.spent_tokens.spend(token, "another call", 300)
    assert [shared.call_counts.add("client", token, 1) > 0 for _ in range(2)] == [False, True]
    assert events(log)
    assert "127.0.0.1" not in log.getvalue()


def hang(to: socket.socket, _: bytes) -> None:
    time.sleep(5)


def test_a_redis_that_hangs_is_asked_once_and_then_left_alone(log: io.StringIO, token: str) -> None:
    with raw_server(hang) as address:
        shared = open_shared_state(address.replace("http://", "redis://"), lambda: NOW)
        for number in range(50):
            assert shared.spent_tokens.spend(f"{token}-{number}", "a call", 300)
    assert len(events(log)) == 1


def test_a_token_spent_while_redis_was_away_stays_spent_here(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    shared = open_shared_state(redis_url, lambda: NOW)

    def broken(*_: object, **__: object) -> None:
        import redis

        raise redis.ConnectionError

    with monkeypatch.context() as away:
        away.setattr("redis.Redis.set", broken)
        away.setattr("cds_service.store.shared_state._SECONDS_BETWEEN_TRIES", 0)
        assert shared.spent_tokens.spend(token, "a call", 300)
    assert not shared.spent_tokens.spend(token, "another call", 300)


@pytest.mark.parametrize(
    "url", ["", "memory", "memory://x", "redis", "http://127.0.0.1", "memcached://127.0.0.1", "redis://127.0.0.1:port"]
)
def test_another_address_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsProblem, match="CDS_SHARED_STATE_URL") as refused:
        open_shared_state(url)
    assert "\n" not in str(refused.value)


def test_a_missing_client_library_stops_the_start_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "redis")
    with pytest.raises(SettingsProblem, match=r"install onasemnogene-cds\[redis\]"):
        open_shared_state("redis://127.0.0.1:6379/0")


def hide(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Let an import of this module fail as if it were not installed."""
    import sys

    monkeypatch.setitem(sys.modules, module, None)
