"""What was shown is written in the background: nothing waits for it, nothing fails by it, and every loss is counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from threading import Event

import pytest
from databases import rows_of
from kept_things import NOW, SERVICE, a_card, a_finding, a_review, uuid_of
from sqlalchemy.exc import DataError

from cds_service.errors import StoreUnavailable
from cds_service.store import QuietFinding, ShownReview, Store
from cds_service.store.counters import StoreCounters
from cds_service.store.review_writer import ReviewWriter


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.store.review_writer._PAUSES", (0.0, 0.0))


class Disk:
    """Takes reviews as the database would, as long as it is told to."""

    def __init__(self) -> None:
        self.kept: list[ShownReview] = []
        self.attempts = 0
        self.faults: list[Exception] = []
        self.refused: set[str] = set()
        self.is_free = Event()
        self.is_free.set()
        self.is_reached = Event()

    def save(self, reviews: Sequence[ShownReview]) -> None:
        self.attempts += 1
        self.is_reached.set()
        assert self.is_free.wait(30)
        if self.faults:
            raise self.faults.pop(0)
        if any(review.hook_instance in self.refused for review in reviews):
            raise StoreUnavailable("refused") from DataError("INSERT", {}, Exception())
        self.kept += reviews


def numbered(number: int) -> ShownReview:
    return a_review(hook_instance=f"call {number}")


def written_by(disk: Disk, *reviews: ShownReview, most_waiting: int = 1000) -> dict[str, int]:
    counters = StoreCounters()
    writer = ReviewWriter(disk.save, counters, most_waiting)
    for review in reviews:
        writer.put(review)
    writer.close()
    return counters.values()


def test_what_was_shown_stands_in_the_tables(store: Store, url: str) -> None:
    slot = a_finding("liver-monitor-overdue", digest="d2", slot="s2")
    quiet = QuietFinding("heart", "cardiac-evaluation-consider", "info")
    store.remember(a_review(a_card("one"), a_card("two", slot, topic="liver"), kept_quiet=(quiet,)))
    assert store.flush()
    (review,) = rows_of(url, "reviews")
    assert review == {
        "id": review["id"],
        "shown_at": NOW,
        "service_id": SERVICE,
        "hook_instance": "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e",
        "client": "example-ehr",
        "patient_hash": "0" * 64,
        "label_revision": "2/2025",
        "rule_set": "0.1.0",
    }
    cards = [(row["card_uuid"], row["topic"], row["indicator"]) for row in rows_of(url, "cards_shown")]
    assert cards == [(uuid_of("one"), "dose", "warning"), (uuid_of("two"), "liver", "warning")]
    found = [(row["rule_id"], row["evidence_digest"], row["slot_digest"]) for row in rows_of(url, "findings_shown")]
    assert found == [("weight-stale", "d1", None), ("liver-monitor-overdue", "d2", "s2")]
    (row,) = rows_of(url, "findings_kept_quiet")
    assert (row["topic"], row["rule_id"]) == ("heart", "cardiac-evaluation-consider")
    assert store.counters.values()["written"] == 1
    assert store.counters.values()["kept_quiet"] == 1


def test_many_reviews_keep_each_their_own_cards(store: Store, url: str) -> None:
    for number in range(250):
        store.remember(
            a_review(a_card(f"{number}"), hook_instance=f"{number}", shown_at=NOW + timedelta(seconds=number))
        )
    assert store.flush(30)
    reviews = {row["id"]: row["hook_instance"] for row in rows_of(url, "reviews")}
    assert len(reviews) == 250
    assert all(row["card_uuid"] == uuid_of(str(reviews[row["review_id"]])) for row in rows_of(url, "cards_shown"))


def test_a_hook_instance_that_a_database_refuses_is_kept_without_what_it_refuses(store: Store, url: str) -> None:
    store.remember(a_review(hook_instance="a\x00\ud800b"))
    assert store.flush()
    assert rows_of(url, "reviews")[0]["hook_instance"] == "a  b"


def test_the_lines_of_the_checklist_are_one_row_for_each_level(store: Store, url: str) -> None:
    lines = [a_finding("baseline-readiness", level, "") for level in ("warning", "info", "info", "warning")]
    store.remember(a_review(a_card("card", *lines, topic="readiness")))
    assert store.flush()
    assert [row["indicator"] for row in rows_of(url, "findings_shown")] == ["warning", "info"]


def test_closing_writes_what_is_waiting(store: Store, url: str) -> None:
    for number in range(50):
        store.remember(numbered(number))
    store.close()
    assert len(rows_of(url, "reviews")) == 50


def test_a_memory_that_is_forgotten_writes_what_is_waiting(url: str) -> None:
    from cds_service.store import open_store

    store = open_store(url, migrates=False)
    store.remember(numbered(1))
    del store
    assert len(rows_of(url, "reviews")) == 1


def test_closing_twice_is_closing_once(store: Store) -> None:
    store.close()
    store.close()


def test_what_comes_after_closing_is_dropped_and_counted(store: Store) -> None:
    store.close()
    store.remember(numbered(1))
    assert store.counters.values()["dropped"] == 1


def test_a_full_queue_drops_without_waiting(log: object) -> None:
    disk, counters = Disk(), StoreCounters()
    disk.is_free.clear()
    writer = ReviewWriter(disk.save, counters, most_waiting=2)
    writer.put(numbered(0))
    assert disk.is_reached.wait(30)
    for number in range(1, 6):
        writer.put(numbered(number))
    assert counters.values()["dropped"] == 3
    assert "review_dropped" in log.getvalue()  # type: ignore[attr-defined]
    disk.is_free.set()
    writer.close()
    assert [review.hook_instance for review in disk.kept] == ["call 0", "call 1", "call 2"]


@pytest.mark.parametrize("faults", [1, 2])
def test_a_database_that_comes_back_in_time_loses_nothing(faults: int) -> None:
    disk = Disk()
    disk.faults = [StoreUnavailable("away") for _ in range(faults)]
    counts = written_by(disk, numbered(1))
    assert (counts["written"], counts["failed"], disk.attempts) == (1, 0, faults + 1)


def test_a_database_that_stays_away_loses_the_batch_and_counts_it(log: object) -> None:
    disk = Disk()
    disk.faults = [StoreUnavailable("away") for _ in range(3)]
    counts = written_by(disk, numbered(1))
    assert (counts["written"], counts["failed"], disk.attempts) == (0, 1, 3)
    assert "reviews_not_written" in log.getvalue()  # type: ignore[attr-defined]


def test_after_a_loss_the_next_review_is_written() -> None:
    disk, counters = Disk(), StoreCounters()
    disk.faults = [StoreUnavailable("away") for _ in range(3)]
    writer = ReviewWriter(disk.save, counters)
    writer.put(numbered(1))
    assert writer.flush(30)
    writer.put(numbered(2))
    writer.close()
    assert [review.hook_instance for review in disk.kept] == ["call 2"]


def test_a_review_that_cannot_be_kept_takes_no_other_with_it() -> None:
    disk, counters = Disk(), StoreCounters()
    disk.is_free.clear()
    disk.refused = {"call 2"}
    writer = ReviewWriter(disk.save, counters)
    for number in range(4):
        writer.put(numbered(number))
    disk.is_free.set()
    writer.close()
    assert [review.hook_instance for review in disk.kept] == ["call 0", "call 1", "call 3"]
    assert (counters.values()["written"], counters.values()["failed"]) == (3, 1)


def test_a_fault_nobody_thought_of_ends_neither_the_thread_nor_the_count() -> None:
    disk, counters = Disk(), StoreCounters()
    disk.faults = [ZeroDivisionError("synthetic")]
    writer = ReviewWriter(disk.save, counters)
    writer.put(numbered(1))
    assert writer.flush(30)
    writer.put(numbered(2))
    writer.close()
    assert (counters.values()["written"], counters.values()["failed"]) == (1, 1)


def test_the_text_of_a_foreign_fault_is_not_logged(log: object) -> None:
    disk = Disk()
    disk.faults = [ValueError("synthetic-patient-data")]
    written_by(disk, numbered(1))
    assert "ValueError" in log.getvalue()  # type: ignore[attr-defined]
    assert "synthetic-patient-data" not in log.getvalue()  # type: ignore[attr-defined]


def test_what_a_hanging_database_keeps_waiting_at_the_end_is_counted_as_lost() -> None:
    disk, counters = Disk(), StoreCounters()
    disk.is_free.clear()
    writer = ReviewWriter(disk.save, counters)
    writer.put(numbered(1))
    assert disk.is_reached.wait(30)
    writer.close(seconds=0.01)
    disk.is_free.set()
    assert counters.values()["failed"] == 1
