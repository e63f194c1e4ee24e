"""What clinicians did with cards: items are only ever added, each as it came, also when it comes twice (R-156)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cds_service.store.kept_text import kept_text
from cds_service.store.reviews import insert_all
from cds_service.store.tables import (
    LONGEST_COMMENT,
    LONGEST_TEXT,
    accepted_suggestions,
    cards_shown,
    feedback,
    override_reasons,
)

ACCEPTED, OVERRIDDEN = "accepted", "overridden"
# SQLite allows so many values in one statement in every version, and more in most.
_ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """Why a card was not followed. `is_ours`: one of the reasons that our cards offer."""

    system: str
    code: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """One item of feedback. `card_uuid` and suggestions are in canonical form; "" for a card that is no uuid."""

    card_uuid: str
    outcome: str
    outcome_at: datetime
    reasons: tuple[OverrideReason, ...] = ()
    suggestion_uuids: tuple[str, ...] = ()
    comment: str = ""


def insert_feedback(
    connection: Connection, events: Sequence[FeedbackEvent], received_at: datetime, service_id: str, client: str
) -> None:
    """Add the items with their reasons and suggestions, inside the caller's transaction."""
    rows = [_event(event, received_at, service_id, client) for event in events]
    by_id = list(zip(insert_all(connection, feedback, rows), events, strict=True))
    insert_all(connection, override_reasons, [_reason(i, reason) for i, event in by_id for reason in event.reasons])
    taken = [{"feedback_id": i, "suggestion_uuid": uuid} for i, event in by_id for uuid in event.suggestion_uuids]
    insert_all(connection, accepted_suggestions, taken)


def count_unknown_cards(connection: Connection, events: Iterable[FeedbackEvent]) -> int:
    """How many of the cards are not among those shown: perhaps not written yet, perhaps none of ours (R-161)."""
    asked = sorted({event.card_uuid for event in events})
    known: set[str] = set()
    for first in range(0, len(asked), _ASKED_AT_ONCE):
        wanted = cards_shown.c.card_uuid.in_(asked[first : first + _ASKED_AT_ONCE])
        known.update(connection.execute(select(cards_shown.c.card_uuid).where(wanted)).scalars())
    return len(set(asked) - known)


def _event(event: FeedbackEvent, received_at: datetime, service_id: str, client: str) -> dict[str, Any]:
    return {
        "received_at": received_at,
        "outcome_at": event.outcome_at,
        "service_id": service_id,
        "client": client,
        "card_uuid": event.card_uuid,
        "outcome": event.outcome,
        "comment": kept_text(event.comment, LONGEST_COMMENT) or None,
    }


def _reason(feedback_id: int, reason: OverrideReason) -> dict[str, Any]:
    return {
        "feedback_id": feedback_id,
        "system": kept_text(reason.system, LONGEST_TEXT),
        "code": kept_text(reason.code, LONGEST_TEXT),
        "is_ours": reason.is_ours,
    }
