"""How many calls a caller has sent in the running minute. The minute begins with the first call of it."""

from __future__ import annotations

import math
from time import time
from typing import Final, Protocol

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

_ONCE_AN_HOUR: Final = RateLimitItemPerHour(1)


class CallCounts(Protocol):
    """Counts of calls by a kind and a name.

    Of two neighbouring minutes both may be full, so a short burst may have twice the number allowed.
    """

    def add(self, kind: str, name: str, per_minute: int) -> int:
        """Count one more; 0 where that is within the number allowed, else the seconds until the next minute begins."""

    def seconds_to_wait(self, kind: str, name: str, per_minute: int) -> int:
        """0 where one more would be within the number allowed, else the seconds until the next minute begins."""

    def note(self, kind: str, name: str) -> None:
        """Remember this name for up to an hour."""

    def is_noted(self, kind: str, name: str) -> bool:
        """Whether the name was noted within the hour."""


class StoredCallCounts:
    """Counts in a storage of the `limits` library. Raises what that storage raises where it cannot be had."""

    def __init__(self, storage: Storage) -> None:
        self._limiter = FixedWindowRateLimiter(storage)

    def add(self, kind: str, name: str, per_minute: int) -> int:
        """As CallCounts promises."""
        item = RateLimitItemPerMinute(per_minute)
        return 0 if self._limiter.hit(item, kind, name) else self._seconds_left(item, kind, name)

    def seconds_to_wait(self, kind: str, name: str, per_minute: int) -> int:
        """As CallCounts promises."""
        item = RateLimitItemPerMinute(per_minute)
        return 0 if self._limiter.test(item, kind, name) else self._seconds_left(item, kind, name)

    def note(self, kind: str, name: str) -> None:
        """As CallCounts promises."""
        self._limiter.hit(_ONCE_AN_HOUR, kind, name)

    def is_noted(self, kind: str, name: str) -> bool:
        """As CallCounts promises."""
        return not self._limiter.test(_ONCE_AN_HOUR, kind, name)

    def _seconds_left(self, item: RateLimitItem, kind: str, name: str) -> int:
        ends = self._limiter.get_window_stats(item, kind, name).reset_time
        return max(1, math.ceil(ends - time()))
