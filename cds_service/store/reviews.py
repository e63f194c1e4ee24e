"""What was shown on one call: which rules, how urgent, under which label; never a value of the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, insert

from cds_service.store.kept_text import kept_text
from cds_service.store.tables import LONGEST_TEXT, cards_shown, findings_kept_quiet, findings_shown, reviews


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """One finding on a card. The digests are keyed; "" for a line of the checklist, and without a calendar slot."""

    rule_id: str
    indicator: str
    evidence_digest: str = ""
    slot_digest: str = ""


@dataclass(frozen=True, slots=True)
class ShownCard:
    """One card as the client got it."""

    card_uuid: str
    topic: str
    indicator: str
    findings: tuple[ShownFinding, ...]


@dataclass(frozen=True, slots=True)
class QuietFinding:
    """One finding that was not shown, because it was answered with a reason before and has not changed."""

    topic: str
    rule_id: str
    indicator: str


@dataclass(frozen=True, slots=True)
class ShownReview:
    """One answer: its cards, and what was kept quiet on it."""

    shown_at: datetime
    service_id: str
    hook_instance: str
    client: str
    patient_hash: str
    label_revision: str
    rule_set: str
    cards: tuple[ShownCard, ...]
    kept_quiet: tuple[QuietFinding, ...] = ()


def insert_reviews(connection: Connection, shown: Sequence[ShownReview]) -> None:
    """Add these reviews with their cards and findings, inside the caller's transaction."""
    review_ids = insert_all(connection, reviews, [_review(item) for item in shown])
    by_review = list(zip(review_ids, shown, strict=True))
    cards = [card for item in shown for card in item.cards]
    rows = [_card(review_id, item.patient_hash, card) for review_id, item in by_review for card in item.cards]
    by_card = zip(insert_all(connection, cards_shown, rows), cards, strict=True)
    found = [_finding(card_id, item) for card_id, card in by_card for item in dict.fromkeys(card.findings)]
    _insert(connection, findings_shown, found)
    quiet = [_quiet(review_id, finding) for review_id, item in by_review for finding in item.kept_quiet]
    _insert(connection, findings_kept_quiet, quiet)


def insert_all(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Add the rows and give their ids, in the same order."""
    if not rows:
        return []
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Add the rows, whose ids nobody needs."""
    if rows:
        connection.execute(insert(table), rows)


def _review(item: ShownReview) -> dict[str, Any]:
    return {
        "shown_at": item.shown_at,
        "service_id": item.service_id,
        "hook_instance": kept_text(item.hook_instance, LONGEST_TEXT),
        "client": item.client,
        "patient_hash": item.patient_hash,
        "label_revision": item.label_revision,
        "rule_set": item.rule_set,
    }


def _card(review_id: int, patient_hash: str, card: ShownCard) -> dict[str, Any]:
    return {
        "review_id": review_id,
        "card_uuid": card.card_uuid,
        "patient_hash": patient_hash,
        "topic": card.topic,
        "indicator": card.indicator,
    }


def _finding(card_id: int, item: ShownFinding) -> dict[str, Any]:
    return {
        "card_id": card_id,
        "rule_id": item.rule_id,
        "indicator": item.indicator,
        "evidence_digest": item.evidence_digest or None,
        "slot_digest": item.slot_digest or None,
    }


def _quiet(review_id: int, item: QuietFinding) -> dict[str, Any]:
    return {"review_id": review_id, "topic": item.topic, "rule_id": item.rule_id, "indicator": item.indicator}
