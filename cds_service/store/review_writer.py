"""Writes what was shown in the background, so that no answer waits for it or fails because of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from cds_service.errors import StoreUnavailable
from cds_service.store.counters import StoreCounters
from cds_service.store.engine import fault_of
from cds_service.store.reviews import ShownReview

MOST_WAITING = 1000
_MOST_AT_ONCE = 100
# How long others are waited for that can be written in the same transaction. A review by itself costs eight times the
# processor time of one among twenty, most of it for the commit.
_SECONDS_TO_GATHER = 0.1
# Seconds before each further attempt; a database that is away for longer loses what was shown meanwhile.
_PAUSES = (0.25, 1.0)
_SECONDS_TO_CLOSE = 5.0

Save = Callable[[Sequence[ShownReview]], None]
log = structlog.get_logger("store")


class ReviewWriter:
    """A bounded queue and one thread that empties it, many reviews in one transaction.

    The thread begins with the first review, in the process that hands it over, and so survives a fork before that.
    """

    def __init__(self, save: Save, counters: StoreCounters, most_waiting: int = MOST_WAITING) -> None:
        self._save = save
        self._counters = counters
        self._waiting: Queue[ShownReview | None] = Queue(most_waiting)
        self._closing = Event()
        self._beginning = Lock()
        self._thread: Thread | None = None

    def put(self, review: ShownReview) -> None:
        """Hand over a review, without waiting; it is dropped and counted where too many are waiting already."""
        try:
            if self._closing.is_set():
                raise Full
            self._waiting.put_nowait(review)
        except Full:
            self._counters.add("dropped")
            log.warning("review_dropped", waiting=self._waiting.qsize())
        else:
            self._begin()

    def flush(self, seconds: float) -> bool:
        """Wait until everything handed over so far is written or lost; whether that was so within these seconds."""
        with self._waiting.all_tasks_done:
            return self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, seconds)

    def close(self, seconds: float = _SECONDS_TO_CLOSE) -> None:
        """Write what is waiting, for so many seconds, and end. What is left then is counted as lost."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self.flush(seconds):
            self._waiting.put(None)
        else:
            left = self._waiting.unfinished_tasks
            self._counters.add("failed", left)
            log.error("reviews_lost", reviews=left, fault="shutdown")

    def _begin(self) -> None:
        with self._beginning:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="review-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = self._next_batch()
            reviews = [item for item in batch if item is not None]
            if reviews:
                self._write(reviews)
            for _ in batch:
                self._waiting.task_done()
            if None in batch:
                return

    def _next_batch(self) -> list[ShownReview | None]:
        batch = [self._waiting.get()]
        self._closing.wait(_SECONDS_TO_GATHER)
        while len(batch) < _MOST_AT_ONCE:
            try:
                batch.append(self._waiting.get_nowait())
            except Empty:
                break
        return batch

    def _write(self, reviews: Sequence[ShownReview]) -> None:
        """Write them; a database that is away is asked again a few times, then they are lost and counted."""
        for pause in (*_PAUSES, None):
            try:
                self._save(reviews)
            except Exception as error:
                log.warning("reviews_not_written", reviews=len(reviews), fault=fault_of(error))
                if _is_about_data(error):
                    return self._write_each(reviews)
                if pause is not None:
                    self._closing.wait(pause)
            else:
                return self._counters.add("written", len(reviews))
        return self._counters.add("failed", len(reviews))

    def _write_each(self, reviews: Sequence[ShownReview]) -> None:
        """One by one, so that a single review that cannot be kept takes no other with it."""
        if len(reviews) == 1:
            return self._counters.add("failed")
        for review in reviews:
            self._write([review])
        return None


def _is_about_data(error: Exception) -> bool:
    """Whether the database refuses what is to be written, and would again."""
    return not isinstance(error, StoreUnavailable) or isinstance(error.__cause__, (DataError, IntegrityError))
