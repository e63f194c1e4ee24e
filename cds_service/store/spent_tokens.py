"""Which tokens have been used, and for which call (R-179, ruling 1), in this process or in Redis.

Neither a token nor anything of a patient is kept: a token is known by a hash of its issuer and id, a call by a hash
of its address and body.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from redis import Redis

REPEATABLE_SECONDS: Final = 60
MOST_TOKENS: Final = 100_000


class SpentTokens(Protocol):
    """Remembers tokens until they have expired."""

    def spend(self, token: str, call: str, seconds: int) -> bool:
        """Whether the token may be used for this call; from then on it is spent.

        It may where it is new, or was first used at most a minute ago for this same call: clients send a call again
        after a time-out. `seconds`: how long it has to be remembered, at least 1.
        """


class OwnSpentTokens:
    """Spent tokens of this process alone, at most `most`; beyond, the one that expires soonest is forgotten."""

    def __init__(self, now: Callable[[], float], most: int = MOST_TOKENS) -> None:
        self._now = now
        self._most = most
        self._lock = threading.Lock()
        self._uses: dict[str, tuple[str, float]] = {}
        self._ends: list[tuple[float, str]] = []

    def spend(self, token: str, call: str, seconds: int) -> bool:
        """As SpentTokens promises."""
        with self._lock:
            now = self._now()
            while self._ends and self._ends[0][0] <= now:
                self._forget_first()
            known = self._uses.get(token)
            if known is not None:
                return is_repeat(known, (call, now))
            while len(self._ends) >= self._most:
                self._forget_first()
            self._uses[token] = (call, now)
            heapq.heappush(self._ends, (now + seconds, token))
            return True

    def _forget_first(self) -> None:
        del self._uses[heapq.heappop(self._ends)[1]]

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._uses)


class RedisSpentTokens:
    """Spent tokens of all replicas. Raises RedisError where Redis cannot be had."""

    def __init__(self, redis: Redis, prefix: str, now: Callable[[], float]) -> None:
        self._redis = redis
        self._prefix = prefix
        self._now = now

    def spend(self, token: str, call: str, seconds: int) -> bool:
        """As SpentTokens promises; which of two simultaneous uses comes first is decided by Redis."""
        name, now = f"{self._prefix}{token}", self._now()
        if self._redis.set(name, f"{call} {now}", nx=True, ex=seconds):
            return True
        written = self._redis.get(name)
        if not isinstance(written, bytes):
            return False  # it has expired in between
        known, _, since = written.decode().rpartition(" ")
        return is_repeat((known, float(since)), (call, now))


def is_repeat(first: tuple[str, float], again: tuple[str, float]) -> bool:
    """Whether a second use of a token is the first one sent again; each is a call and its moment in seconds."""
    return first[0] == again[0] and again[1] - first[1] <= REPEATABLE_SECONDS
