"""The memory as the rest of the service uses it: one object for each process."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from cds_service.errors import StoreUnavailable
from cds_service.presentation import NOTHING_ACKNOWLEDGED, Acknowledged
from cds_service.store.acknowledgements import read_acknowledged
from cds_service.store.bounded_read import BoundedRead
from cds_service.store.counters import StoreCounters
from cds_service.store.engine import reading, writing
from cds_service.store.feedback import FeedbackEvent, count_unknown_cards, insert_feedback
from cds_service.store.patient_digest import DigestKey, PatientDigest
from cds_service.store.review_writer import MOST_WAITING, ReviewWriter
from cds_service.store.reviews import ShownReview, insert_reviews

log = structlog.get_logger("store")


class Store:
    """What was shown, what was answered, and what keeps quiet. Safe to use from several threads.

    `where` is the address without its password. `on_close` is called once at the end, `on_count` with what is counted.
    """

    def __init__(
        self,
        engine: Engine,
        key: DigestKey,
        most_waiting: int = MOST_WAITING,
        on_close: Callable[[], None] = lambda: None,
        on_count: Callable[[str, int], None] = lambda name, number: None,
    ) -> None:
        self.counters = StoreCounters(on_count)
        self.where = engine.url.render_as_string(hide_password=True)
        self._engine = engine
        self._key = key
        self._writer = ReviewWriter(lambda shown: _save_reviews(engine, shown), self.counters, most_waiting)
        self._reader = BoundedRead()
        # Also when the object is forgotten, and when the process ends in an orderly way.
        self._finalizer = weakref.finalize(self, _close, self._writer, self._reader, engine, on_close)

    def patient(self, client: str, patient_id: str) -> PatientDigest:
        """The patient as this database knows it."""
        return self._key.patient(client, patient_id)

    def remember(self, review: ShownReview) -> None:
        """Have this written in a moment. Never waits and never raises; what cannot be written is counted."""
        self.counters.add("kept_quiet", len(review.kept_quiet))
        self._writer.put(review)

    def acknowledged(self, patient: PatientDigest, now: datetime, quiet_for: timedelta) -> Acknowledged:
        """What keeps quiet for this patient; nothing where the database cannot say so at once."""
        if not quiet_for:
            return NOTHING_ACKNOWLEDGED
        engine = self._engine
        found = self._reader.read(lambda: _read_acknowledged(engine, patient, now, quiet_for))
        if found is None:
            self.counters.add("unread")
        return found or NOTHING_ACKNOWLEDGED

    def save_feedback(
        self, events: Sequence[FeedbackEvent], received_at: datetime, service_id: str, client: str
    ) -> None:
        """Keep these items; they are on the disk when this returns. Raises StoreUnavailable; then none was kept."""
        try:
            with writing(self._engine) as connection:
                unknown = count_unknown_cards(connection, events)
                insert_feedback(connection, events, received_at, service_id, client)
        except StoreUnavailable:
            self.counters.add("feedback_unstored", len(events))
            raise
        self.counters.add("feedback_stored", len(events))
        log.info("feedback", service=service_id, client=client or "unknown", items=len(events), unknown_cards=unknown)

    def require_usable(self) -> None:
        """Raise StoreUnavailable where the database does not answer a question; for the readiness probe."""
        with reading(self._engine) as connection:
            connection.exec_driver_sql("SELECT 1")

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until what was shown so far is written or lost; whether that was so within these seconds."""
        return self._writer.flush(seconds)

    def close(self) -> None:
        """Write what is waiting, and end. Does nothing the second time."""
        self._finalizer()


def _save_reviews(engine: Engine, shown: Sequence[ShownReview]) -> None:
    with writing(engine) as connection:
        insert_reviews(connection, shown)


def _read_acknowledged(engine: Engine, patient: PatientDigest, now: datetime, quiet_for: timedelta) -> Acknowledged:
    with reading(engine) as connection:
        return read_acknowledged(connection, patient, now, quiet_for)


def _close(writer: ReviewWriter, reader: BoundedRead, engine: Engine, on_close: Callable[[], None]) -> None:
    writer.close()
    reader.close()
    engine.dispose()
    on_close()
