"""How many calls a caller has sent in the running minute. The minute begins with the first call of it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import time
from typing import Final, Protocol

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

MINUTE: Final = 60.0
MOST_CALLERS: Final = 10_000


class CallCounts(Protocol):
    """Counts of calls by a kind and a name.

    Of two neighbouring minutes both may be full, so a short burst may have twice the number allowed.
    """

    def add(self, kind: str, name: str, per_minute: int) -> int:
        """Count one more; 0 where that is within the number allowed, else the seconds until the next minute begins."""


class OwnCallCounts:
    """Counts of this process alone, of at most `most` callers; beyond, the one whose minute began first is forgotten.

    `now` is the time in seconds. Not the memory of the `limits` library, which starts a thread with most calls.
    """

    def __init__(self, now: Callable[[], float], most: int = MOST_CALLERS) -> None:
        self._now = now
        self._most = most
        self._lock = threading.Lock()
        # In the order in which the minutes began.
        self._minutes: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, kind: str, name: str, per_minute: int) -> int:
        """As CallCounts promises."""
        caller = (kind, name)
        with self._lock:
            now = self._now()
            begun, calls = self._minutes.get(caller, (now, 0))
            if now - begun >= MINUTE or now < begun:
                begun, calls = now, 0
            if not calls:
                self._minutes.pop(caller, None)
                self._make_room(now)
            self._minutes[caller] = (begun, calls + 1)
        return 0 if calls < per_minute else max(1, math.ceil(begun + MINUTE - now))

    def _make_room(self, now: float) -> None:
        while self._minutes:
            first, (begun, _) = next(iter(self._minutes.items()))
            if now - begun < MINUTE and len(self._minutes) < self._most:
                return
            del self._minutes[first]

    def __len__(self) -> int:
        return len(self._minutes)


class StoredCallCounts:
    """Counts in a storage of the `limits` library. Raises what that storage raises where it cannot be had."""

    def __init__(self, storage: Storage) -> None:
        self._limiter = FixedWindowRateLimiter(storage)

    def add(self, kind: str, name: str, per_minute: int) -> int:
        """As CallCounts promises."""
        item = RateLimitItemPerMinute(per_minute)
        return 0 if self._limiter.hit(item, kind, name) else self._seconds_left(item, kind, name)

    def _seconds_left(self, item: RateLimitItem, kind: str, name: str) -> int:
        ends = self._limiter.get_window_stats(item, kind, name).reset_time
        return max(1, math.ceil(ends - time()))
