"""How many calls a caller has sent in the running minute. The minute begins with the first call of it."""

from __future__ import annotations

import math
from time import time
from typing import Protocol

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter


class CallCounts(Protocol):
    """Counts of calls by a kind and a name.

    Of two neighbouring minutes both may be full, so a short burst may have twice the number allowed.
    """

    def add(self, kind: str, name: str, per_minute: int) -> int:
        """Count one more; 0 where that is within the number allowed, else the seconds until the next minute begins."""


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
