"""Reading the database inside a hook call: for a moment at most, and not at all for a while after it failed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

import structlog

from cds_service.store.engine import fault_of

_SECONDS_TO_WAIT = 0.25
_SECONDS_TO_REST = 5.0
_THREADS = 4

T = TypeVar("T")
log = structlog.get_logger("store")


class BoundedRead:
    """Reads in threads of its own, so that a call never waits longer than agreed, whatever the database does."""

    def __init__(self, seconds_to_wait: float = _SECONDS_TO_WAIT, clock: Callable[[], float] = monotonic) -> None:
        self._seconds_to_wait = seconds_to_wait
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="acknowledged")
        self._rests_until = 0.0

    def read(self, work: Callable[[], T]) -> T | None:
        """What `work` gives; None where that took too long, failed, or failed a moment ago."""
        if self._clock() < self._rests_until:
            return None
        asked: Future[T] | None = None
        try:
            asked = self._threads.submit(work)
            return asked.result(self._seconds_to_wait)
        except Exception as error:
            if asked is not None:
                asked.cancel()
            self._rests_until = self._clock() + _SECONDS_TO_REST
            log.warning("acknowledgements_not_read", fault=fault_of(error))
            return None

    def close(self) -> None:
        """End the threads; what is still being read is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
