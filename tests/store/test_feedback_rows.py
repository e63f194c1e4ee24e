"""What is kept of feedback: each item, with its reasons, as it came; on the disk before anybody is told so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from databases import rows_of
from kept_things import NOW, OUR_SYSTEM, SERVICE, a_card, a_reason, a_review, accepted, overridden, uuid_of

from cds_service.store import FeedbackEvent, Store


def save(store: Store, *events: FeedbackEvent, client: str = "example-ehr") -> None:
    store.save_feedback(events, NOW, SERVICE, client)


def test_an_item_is_kept_with_what_it_says(store: Store, url: str) -> None:
    save(store, overridden("card", a_reason("done-elsewhere"), outcome_at=NOW - timedelta(minutes=5)))
    (row,) = rows_of(url, "feedback")
    assert row == {
        "id": row["id"],
        "received_at": NOW,
        "outcome_at": NOW - timedelta(minutes=5),
        "service_id": SERVICE,
        "client": "example-ehr",
        "card_uuid": uuid_of("card"),
        "outcome": "overridden",
        "comment": None,
    }
    (reason,) = rows_of(url, "override_reasons")
    assert (reason["system"], reason["code"], reason["is_ours"]) == (OUR_SYSTEM, "done-elsewhere", True)


def test_the_suggestions_that_were_taken_are_kept(store: Store, url: str) -> None:
    save(store, accepted("card", suggestion_uuids=(uuid_of("one"), uuid_of("two"))))
    assert [row["suggestion_uuid"] for row in rows_of(url, "accepted_suggestions")] == [uuid_of("one"), uuid_of("two")]


def test_each_of_several_items_keeps_its_own_reasons(store: Store, url: str) -> None:
    save(store, overridden("one", a_reason("other")), accepted("two"), overridden("three", a_reason("record-wrong")))
    cards = {row["id"]: row["card_uuid"] for row in rows_of(url, "feedback")}
    told = [(cards[row["feedback_id"]], row["code"]) for row in rows_of(url, "override_reasons")]
    assert told == [(uuid_of("one"), "other"), (uuid_of("three"), "record-wrong")]


@pytest.mark.spec("R-156")
def test_the_same_item_twice_is_two_rows_and_no_fault(store: Store, url: str) -> None:
    save(store, overridden())
    save(store, overridden())
    assert len(rows_of(url, "feedback")) == 2


@pytest.mark.spec("R-161")
def test_a_card_that_was_never_shown_is_kept_all_the_same(store: Store, url: str) -> None:
    save(store, overridden("never shown"))
    assert [row["card_uuid"] for row in rows_of(url, "feedback")] == [uuid_of("never shown")]


@pytest.mark.spec("R-161")
def test_how_many_cards_are_not_known_is_logged(store: Store, log: object) -> None:
    store.remember(a_review(a_card("shown")))
    assert store.flush()
    save(store, overridden("shown"), overridden("never shown"), overridden("never shown either"))
    line = json.loads(log.getvalue())  # type: ignore[attr-defined]
    assert (line["items"], line["unknown_cards"]) == (3, 2)


def test_no_items_are_no_rows_and_no_fault(store: Store, url: str) -> None:
    save(store)
    assert rows_of(url, "feedback") == []


def test_more_cards_than_a_database_takes_at_once_are_looked_up(store: Store, url: str) -> None:
    save(store, *(overridden(f"card {number}") for number in range(1201)))
    assert len(rows_of(url, "feedback")) == 1201


def test_an_instant_in_another_zone_is_the_same_instant(store: Store, url: str) -> None:
    save(store, overridden(outcome_at=datetime(2026, 3, 2, 4, 0, tzinfo=timezone(timedelta(hours=-5)))))
    assert rows_of(url, "feedback")[0]["outcome_at"] == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\x1bb"])
def test_characters_that_a_database_refuses_are_replaced(store: Store, url: str, text: str) -> None:
    save(store, overridden("card", a_reason(text, is_ours=False), comment=text))
    assert rows_of(url, "feedback")[0]["comment"] == "a b"
    assert rows_of(url, "override_reasons")[0]["code"] == "a b"


def test_text_of_a_client_is_cut_where_it_is_too_long(store: Store, url: str) -> None:
    save(store, overridden("card", a_reason("c" * 256, is_ours=False), comment="k" * 1001))
    assert rows_of(url, "feedback")[0]["comment"] == "k" * 1000
    assert rows_of(url, "override_reasons")[0]["code"] == "c" * 255


def test_what_was_stored_is_counted(store: Store) -> None:
    save(store, overridden("one"), accepted("two"))
    assert store.counters.values()["feedback_stored"] == 2
