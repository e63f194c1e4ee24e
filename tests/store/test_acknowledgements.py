"""What keeps quiet, worked out from what was shown and what was answered: for how long, for whom, and what never."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from databases import engine_for
from kept_things import NOW, SERVICE, a_card, a_finding, a_reason, a_review, accepted, overridden, uuid_of
from sqlalchemy import Connection

from cds_service.presentation import Acknowledged
from cds_service.store import FeedbackEvent, ShownReview, Store
from cds_service.store.acknowledgements import read_acknowledged
from cds_service.store.patient_digest import PatientDigest
from cds_service.store.tables import metadata

WEEK = timedelta(days=7)
PATIENT = PatientDigest("0" * 64, b"synthetic key")
DUE, OVERDUE = "liver-monitor-due", "liver-monitor-overdue"


def keep(store: Store, review: ShownReview, *events: FeedbackEvent, client: str = "example-ehr") -> None:
    store.remember(review)
    assert store.flush()
    store.save_feedback(events, NOW, SERVICE, client)


def quiet(store: Store, now: datetime = NOW, quiet_for: timedelta = WEEK) -> Acknowledged:
    return store.acknowledged(PATIENT, now, quiet_for)


def test_nothing_answered_keeps_nothing_quiet(store: Store) -> None:
    keep(store, a_review())
    assert (quiet(store).findings, quiet(store).slots) == (frozenset(), frozenset())


def test_the_findings_of_an_overridden_card_keep_quiet(store: Store) -> None:
    keep(
        store, a_review(a_card("card", a_finding(digest="d1"), a_finding(digest="d2", indicator="info"))), overridden()
    )
    assert quiet(store).findings == {"d1", "d2"}


def test_what_keeps_quiet_comes_with_the_key_of_this_patient(store: Store) -> None:
    keep(store, a_review(), overridden())
    assert quiet(store).key == PATIENT.evidence_key


def test_the_findings_of_another_card_do_not(store: Store) -> None:
    keep(
        store, a_review(a_card("one", a_finding(digest="d1")), a_card("two", a_finding(digest="d2"))), overridden("one")
    )
    assert quiet(store).findings == {"d1"}


def test_it_does_not_matter_which_came_first(store: Store) -> None:
    store.save_feedback([overridden()], NOW, SERVICE, "example-ehr")
    assert quiet(store).findings == frozenset()
    store.remember(a_review())
    assert store.flush()
    assert quiet(store).findings == {"d1"}


@pytest.mark.parametrize(
    ("since", "is_quiet"),
    [
        (timedelta(0), True),
        (WEEK - timedelta(seconds=1), True),
        (WEEK, True),
        (WEEK + timedelta(microseconds=1), False),
        (WEEK + timedelta(days=1), False),
    ],
)
def test_quiet_ends_after_the_time_of_the_site(store: Store, since: timedelta, is_quiet: bool) -> None:
    keep(store, a_review(), overridden())
    assert bool(quiet(store, NOW + since).findings) is is_quiet


def test_a_site_that_allows_no_time_has_nothing_quiet(store: Store) -> None:
    keep(store, a_review(a_card("card", a_finding(OVERDUE, slot="s1"))), overridden("card", a_reason("done-elsewhere")))
    assert quiet(store, quiet_for=timedelta(0)) == Acknowledged()


def test_feedback_that_comes_late_counts_from_when_it_was_answered(store: Store) -> None:
    keep(store, a_review(), overridden(outcome_at=NOW - timedelta(days=6)))
    assert quiet(store, NOW + timedelta(days=1)).findings
    assert not quiet(store, NOW + timedelta(days=1, seconds=1)).findings


def test_a_clock_of_a_client_that_is_ahead_keeps_nothing_quiet_for_longer(store: Store) -> None:
    keep(store, a_review(), overridden(outcome_at=NOW + timedelta(days=365)))
    assert not quiet(store, NOW + WEEK + timedelta(seconds=1)).findings


@pytest.mark.parametrize(
    ("ahead", "is_quiet"),
    [(timedelta(seconds=59), True), (timedelta(minutes=1), True), (timedelta(seconds=61), False), (WEEK, False)],
)
def test_an_answer_that_was_given_in_the_future_keeps_nothing_quiet(
    store: Store, ahead: timedelta, is_quiet: bool
) -> None:
    keep(store, a_review(), overridden())
    assert bool(quiet(store, NOW - ahead).findings) is is_quiet


def test_a_slot_that_was_answered_in_the_future_is_open(store: Store) -> None:
    keep(store, a_review(a_card("card", a_finding(OVERDUE, slot="W3"))), overridden("card", a_reason("done-elsewhere")))
    assert quiet(store).slots == {"W3"}
    assert quiet(store, NOW - WEEK).slots == frozenset()


def test_the_same_item_sent_again_keeps_nothing_quiet_for_longer(store: Store) -> None:
    keep(store, a_review(), overridden())
    store.save_feedback([overridden()], NOW + timedelta(days=5), SERVICE, "example-ehr")
    assert not quiet(store, NOW + WEEK + timedelta(seconds=1)).findings


def test_answering_again_begins_the_time_again(store: Store) -> None:
    keep(store, a_review(), overridden())
    later = NOW + timedelta(days=5)
    store.save_feedback([overridden(outcome_at=later)], later, SERVICE, "example-ehr")
    assert quiet(store, later + WEEK).findings


@pytest.mark.parametrize(
    "event",
    [
        accepted(),
        overridden("card", a_reason("contraindicated", is_ours=False)),
        overridden("another card"),
        replace(overridden(), outcome="accepted"),
    ],
    ids=["accepted", "a reason of the client's own", "another card", "accepted with a reason"],
)
def test_only_an_override_with_a_reason_of_ours_keeps_quiet(store: Store, event: FeedbackEvent) -> None:
    keep(store, a_review(), event)
    assert quiet(store).findings == frozenset()


def test_an_override_without_a_reason_keeps_nothing_quiet(store: Store) -> None:
    keep(store, a_review(), FeedbackEvent(overridden().card_uuid, "overridden", NOW))
    assert quiet(store).findings == frozenset()


def test_the_checklist_is_no_card_to_answer(store: Store) -> None:
    keep(store, a_review(a_card("card", a_finding(digest="d1"), topic="readiness")), overridden())
    assert quiet(store).findings == frozenset()


def test_a_finding_that_can_never_be_known_to_be_unchanged_is_never_quiet(store: Store) -> None:
    keep(store, a_review(a_card("card", a_finding(digest=""), a_finding(digest="d2"))), overridden())
    assert quiet(store).findings == {"d2"}


# --- whose it is


def test_what_was_answered_about_another_patient_does_not_count(store: Store) -> None:
    keep(store, a_review(patient_hash="1" * 64), overridden())
    assert quiet(store).findings == frozenset()


def test_a_card_that_two_patients_were_shown_keeps_nothing_quiet_for_either(store: Store) -> None:
    store.remember(a_review(patient_hash="1" * 64))
    keep(store, a_review(), overridden())
    assert quiet(store).findings == frozenset()
    assert store.acknowledged(PatientDigest("1" * 64, b""), NOW, WEEK).findings == frozenset()


def test_a_card_that_was_shown_again_keeps_quiet_as_well(store: Store) -> None:
    store.remember(a_review())
    keep(store, a_review(shown_at=NOW + timedelta(hours=1)), overridden())
    assert quiet(store).findings == {"d1"}


def test_one_client_does_not_answer_for_another(store: Store) -> None:
    keep(store, a_review(), overridden(), client="other-ehr")
    assert quiet(store).findings == frozenset()


def test_where_nobody_has_to_prove_who_is_calling_everybody_answers(store: Store) -> None:
    keep(store, a_review(), overridden(), client="")
    assert quiet(store).findings == {"d1"}


@pytest.mark.parametrize(("shown_by", "findings"), [("", {"d1"}), (SERVICE, {"d1"}), ("another service", set())])
def test_what_was_answered_on_cards_of_another_service_may_be_left_out(
    store: Store, shown_by: str, findings: set[str]
) -> None:
    store.remember(a_review())
    assert store.flush()
    store.save_feedback([overridden()], NOW, "another service", "example-ehr")
    assert store.acknowledged(PATIENT, NOW, WEEK, shown_by).findings == findings


def fill(connection: Connection, patients: int) -> None:
    """Keep one overridden card of each of so many other patients, and let the database count what it holds."""
    ids = range(1, patients + 1)
    card = a_card()
    review = {key: value for key, value in asdict(a_review()).items() if key in metadata.tables["reviews"].columns}
    rows: dict[str, Callable[[int], dict[str, Any]]] = {
        "reviews": lambda i: review | {"patient_hash": f"{i:064}"},
        "cards_shown": lambda i: {
            "review_id": i,
            "card_uuid": uuid_of(str(i)),
            "patient_hash": f"{i:064}",
            "topic": card.topic,
            "indicator": card.indicator,
        },
        "findings_shown": lambda i: {
            "card_id": i,
            "rule_id": DUE,
            "indicator": card.indicator,
            "evidence_digest": f"{i:064}",
        },
        "feedback": lambda i: {
            "received_at": NOW,
            "outcome_at": NOW,
            "service_id": SERVICE,
            "client": "example-ehr",
            "card_uuid": uuid_of(str(i)),
            "outcome": "overridden",
        },
        "override_reasons": lambda i: {"feedback_id": i} | asdict(a_reason()),
    }
    for table, row in rows.items():
        connection.execute(metadata.tables[table].insert(), [{"id": i} | row(i) for i in ids])
    connection.exec_driver_sql("ANALYZE")


def test_what_a_call_reads_is_found_by_indexes_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    with engine_for(url) as engine, engine.connect() as connection:
        fill(connection, patients=2_000)
        monkeypatch.setattr(
            connection, "execute", lambda statement, values: asked.append(statement.params(values)) or []
        )
        read_acknowledged(connection, PATIENT, NOW, WEEK, SERVICE)
        monkeypatch.undo()
        written = asked[0].compile(engine, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        told = str(connection.exec_driver_sql(f"{explain} {str(written).replace('%', '%%')}").all())
    assert "ix_cards_shown_patient_hash_card_uuid" in told, told
    assert not re.search(r"Seq Scan|SCAN (?!findings)", told), told


# --- done elsewhere


@pytest.fixture
def closed(store: Store) -> Callable[..., frozenset[str]]:
    """The slots that are closed once this card was overridden with a reason, however long ago."""

    def slots(*findings: object, reason: str = "done-elsewhere") -> frozenset[str]:
        keep(store, a_review(a_card("card", *findings)), overridden("card", a_reason(reason)))  # type: ignore[arg-type]
        return quiet(store, NOW + timedelta(days=100)).slots

    return slots


def test_done_elsewhere_closes_the_slot_of_the_card_for_good(closed: Callable[..., frozenset[str]]) -> None:
    assert closed(a_finding(OVERDUE, slot="W3")) == {"W3"}


def test_a_slot_that_is_due_is_closed_too(closed: Callable[..., frozenset[str]]) -> None:
    assert closed(a_finding(DUE, "info", slot="W3")) == {"W3"}


@pytest.mark.parametrize("reason", ["specialist-decision", "already-infused", "record-wrong", "other"])
def test_another_reason_closes_no_slot(closed: Callable[..., frozenset[str]], reason: str) -> None:
    assert closed(a_finding(OVERDUE, slot="W3"), reason=reason) == frozenset()


def test_another_reason_closes_no_slot_while_it_keeps_quiet_either(store: Store) -> None:
    card = a_card("card", a_finding(OVERDUE, slot="W3"))
    keep(store, a_review(card), overridden("card", a_reason("specialist-decision")))
    assert (quiet(store).findings, quiet(store).slots) == ({"d1"}, frozenset())


def test_of_an_overdue_and_a_due_slot_the_overdue_one_is_meant(closed: Callable[..., frozenset[str]]) -> None:
    assert closed(a_finding(OVERDUE, slot="W3"), a_finding(DUE, "info", slot="W4")) == {"W3"}


def test_several_overdue_slots_leave_open_which_was_meant(closed: Callable[..., frozenset[str]]) -> None:
    assert closed(a_finding(OVERDUE, slot="W2"), a_finding(OVERDUE, slot="W3")) == frozenset()


def test_a_critical_slot_is_never_closed(closed: Callable[..., frozenset[str]]) -> None:
    assert closed(a_finding(OVERDUE, "critical", slot="W3")) == frozenset()


def test_each_series_has_its_own_slot(closed: Callable[..., frozenset[str]]) -> None:
    platelets = a_finding("platelet-monitor-overdue", slot="another slot")
    assert closed(a_finding(OVERDUE, slot="liver W3"), platelets) == {"liver W3", "another slot"}


def test_a_slot_of_a_rule_that_is_no_longer_known_closes_nothing(closed: Callable[..., frozenset[str]]) -> None:
    assert closed(a_finding("a-rule-of-an-older-release", slot="W3")) == frozenset()
