"""Writing feedback with an end to the waiting, so that a database that hangs holds up nobody else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import TypeVar

from cds_service.errors import StoreUnavailable

# As long as the database itself may take for one statement.
_SECONDS_TO_WAIT = 5.0
_SECONDS_TO_REST = 5.0
_THREADS = 4

T = TypeVar("T")


class BoundedWrite:
    """Writes in threads of its own. After one that took too long a single one waits now and then, until one is done."""

    def __init__(self, seconds_to_wait: float = _SECONDS_TO_WAIT, clock: Callable[[], float] = monotonic) -> None:
        self._seconds_to_wait = seconds_to_wait
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="feedback")
        self._lock = Lock()
        self._hangs = False
        self._not_before = 0.0

    def write(self, work: Callable[[], T]) -> T:
        """What `work` gives, when it is done. Raises what it raises, and StoreUnavailable where it takes too long.

        What took too long may be done all the same in the end.
        """
        self._require_hope()
        try:
            under_way = self._threads.submit(work)
        except RuntimeError as closed:
            raise StoreUnavailable("the service ends; try again later", "Closed") from closed
        try:
            done = under_way.result(self._seconds_to_wait)
        except TimeoutError:
            under_way.cancel()
            self._note(hangs=True)
            raise StoreUnavailable("the database does not answer now; try again later", "TimeoutError") from None
        except StoreUnavailable:
            self._note(hangs=False)
            raise
        self._note(hangs=False)
        return done

    def close(self) -> None:
        """End the threads; what is still being written is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _require_hope(self) -> None:
        """Raise StoreUnavailable where another has just waited in vain, or waits."""
        with self._lock:
            if not self._hangs:
                return
            if self._clock() < self._not_before:
                raise StoreUnavailable("the database does not answer now; try again later", "Hanging")
            self._not_before = self._clock() + self._seconds_to_wait + _SECONDS_TO_REST

    def _note(self, *, hangs: bool) -> None:
        with self._lock:
            self._hangs = hangs
            self._not_before = self._clock() + _SECONDS_TO_REST
