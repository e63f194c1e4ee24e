"""What replicas have to know of each other's calls: spent tokens and counts of calls, at `CDS_SHARED_STATE_URL`.

`memory://` keeps them in this process, `redis://` and `rediss://` in Redis. While Redis cannot be had, this process
goes on by what it knows itself, and says so in the log (docs/adr/0024-answer-while-shared-state-is-down.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, time
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from limits.storage import RedisStorage

from cds_service.errors import SettingsProblem
from cds_service.store.call_counts import CallCounts, OwnCallCounts, StoredCallCounts
from cds_service.store.spent_tokens import OwnSpentTokens, RedisSpentTokens, SpentTokens

if TYPE_CHECKING:
    from redis import Redis

SHARED_STATE_URL: Final = "CDS_SHARED_STATE_URL"
_NAMES: Final = "onasemnogene-cds"
# A clinician waits behind each question; after one that failed, nobody asks again for a while.
_SECONDS_TO_ANSWER: Final = 0.25
_SECONDS_BETWEEN_TRIES: Final = 5
Answer = TypeVar("Answer")

log = structlog.get_logger("store")


@dataclass(frozen=True, slots=True)
class SharedState:
    """Spent tokens and counts of calls, of this process or of all replicas. `is_reachable` asks now."""

    spent_tokens: SpentTokens
    call_counts: CallCounts
    is_reachable: Callable[[], bool]

    def require_reachable(self) -> None:
        """Raise ConnectionError where the replicas share nothing at the moment."""
        if not self.is_reachable():
            raise ConnectionError(f"{SHARED_STATE_URL} is away; replicas do not know of each other's calls")


def open_shared_state(url: str, now: Callable[[], float] = time) -> SharedState:
    """The shared state at this address; `now` is the time of day in seconds.

    Redis is first asked when it is first needed, so the service starts without it. Raises SettingsProblem for an
    address that is none, and where the client library is not installed.
    """
    own_tokens, own_counts = OwnSpentTokens(now), OwnCallCounts(now)
    if url == "memory://":
        return SharedState(own_tokens, own_counts, lambda: True)
    if not url.startswith(("redis://", "rediss://")):
        raise SettingsProblem(f"{SHARED_STATE_URL} is no address we know; write memory:// or redis://host:6379/0")
    redis, link = _redis_at(url)
    tokens = RedisSpentTokens(redis, f"{_NAMES}:token:", now)
    counts = StoredCallCounts(
        RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=f"{_NAMES}:calls")
    )
    return SharedState(
        _LinkedSpentTokens(link, tokens, own_tokens),
        _LinkedCallCounts(link, counts, own_counts),
        lambda: link.ask(lambda: bool(redis.ping()), lambda: False),
    )


class _Link:
    """The way to Redis: asked while it answers, left alone for a while after it did not."""

    def __init__(self, fault: type[Exception], clock: Callable[[], float] = monotonic) -> None:
        self._fault = fault
        self._clock = clock
        self._not_before = clock()

    def ask(self, shared: Callable[[], Answer], own: Callable[[], Answer]) -> Answer:
        """The shared answer, or this process's own where there is none."""
        if self._clock() < self._not_before:
            return own()
        try:
            return shared()
        except self._fault as fault:
            self._not_before = self._clock() + _SECONDS_BETWEEN_TRIES
            log.error("shared_state_unreachable", fault=type(fault).__name__)
            return own()


@dataclass(frozen=True, slots=True)
class _LinkedSpentTokens:
    """What is accepted is spent here as well, so that tokens spent while Redis was away stay spent, at least here."""

    link: _Link
    shared: SpentTokens
    own: SpentTokens

    def spend(self, token: str, call: str, seconds: int) -> bool:
        """As SpentTokens promises."""
        is_fine_elsewhere = self.link.ask(lambda: self.shared.spend(token, call, seconds), lambda: True)
        return is_fine_elsewhere and self.own.spend(token, call, seconds)


@dataclass(frozen=True, slots=True)
class _LinkedCallCounts:
    link: _Link
    shared: CallCounts
    own: CallCounts

    def add(self, kind: str, name: str, per_minute: int) -> int:
        """As CallCounts promises."""
        return self.link.ask(
            lambda: self.shared.add(kind, name, per_minute), lambda: self.own.add(kind, name, per_minute)
        )


def _redis_at(url: str) -> tuple[Redis, _Link]:
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise SettingsProblem(
            f"{SHARED_STATE_URL} needs the client library of Redis; install onasemnogene-cds[redis]"
        ) from None
    # Once more, for a connection that was kept and has died; the library's own patience is seconds long.
    patience = {"socket_timeout": _SECONDS_TO_ANSWER, "socket_connect_timeout": _SECONDS_TO_ANSWER}
    try:
        client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 1), **patience)
    except ValueError:
        raise SettingsProblem(f"{SHARED_STATE_URL} cannot be read; write redis://host:6379/0") from None
    return client, _Link(redis.RedisError)
