"""What was answered with a reason, and for how long it therefore stays quiet (clinical-rules 0 no. 4).

Worked out anew on every call from what was shown and what was answered, so that it does not matter which of the two
reached the database first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, exists, or_, select

from cds_service.presentation import Acknowledged
from cds_service.presentation.acknowledgement import OVERDUE, SLOT_RULES
from cds_service.store.feedback import OVERRIDDEN
from cds_service.store.patient_digest import PatientDigest
from cds_service.store.tables import UtcDateTime, cards_shown, feedback, findings_shown, override_reasons, reviews

DONE_ELSEWHERE = "done-elsewhere"
_CHECKLIST_TOPIC = "readiness"
# Between replicas.
_CLOCKS_MAY_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Answered:
    """One finding on a card that was overridden with a reason of ours."""

    card_id: int
    rule_id: str
    indicator: str
    evidence_digest: str
    slot_digest: str | None
    reason: str
    outcome_at: datetime
    received_at: datetime

    @property
    def at(self) -> datetime:
        """When it was answered: no clock of a client, and no item sent again, keeps anything quiet for longer."""
        return min(self.outcome_at, self.received_at)


def read_acknowledged(
    connection: Connection, patient: PatientDigest, now: datetime, quiet_for: timedelta, shown_by: str = ""
) -> Acknowledged:
    """What keeps quiet for this patient: findings answered at most `quiet_for` ago, and slots done elsewhere.

    With `shown_by` only what was answered on cards of this service. An answer of the future does not count: some
    clock was wrong then, or is now.
    """
    asked = {"patient": patient.patient_hash, "since": now - quiet_for, "shown_by": shown_by}
    answered = [_Answered(*row) for row in connection.execute(_BY_ONE if shown_by else _BY_ANY, asked)]
    answered = [item for item in answered if item.at <= now + _CLOCKS_MAY_DIFFER]
    return Acknowledged(
        patient.evidence_key,
        frozenset(item.evidence_digest for item in answered if now - item.at <= quiet_for),
        frozenset(_slots_done_elsewhere(answered)),
    )


def _answered_findings() -> Select[Any]:
    """The findings of the cards of a `patient` that were overridden with a reason of ours, by the same client.

    Those overridden `since` then, and those called done elsewhere at any time.

    Not those of a card that other patients were shown too: a client that calls every visit by the same
    `hookInstance` may give two patients the same card, and nobody can tell whose it was. The checklist is no card to
    answer with a reason.
    """
    patient, since = bindparam("patient", type_=String()), bindparam("since", type_=UtcDateTime())
    of_another = cards_shown.alias("cards_of_another")
    is_ambiguous = exists().where(of_another.c.card_uuid == feedback.c.card_uuid, of_another.c.patient_hash != patient)
    return (
        select(
            cards_shown.c.id,
            findings_shown.c.rule_id,
            findings_shown.c.indicator,
            findings_shown.c.evidence_digest,
            findings_shown.c.slot_digest,
            override_reasons.c.code,
            feedback.c.outcome_at,
            feedback.c.received_at,
        )
        .select_from(feedback)
        .join(override_reasons, override_reasons.c.feedback_id == feedback.c.id)
        .join(cards_shown, cards_shown.c.card_uuid == feedback.c.card_uuid)
        .join(reviews, reviews.c.id == cards_shown.c.review_id)
        .join(findings_shown, findings_shown.c.card_id == cards_shown.c.id)
        .where(
            # In one condition, so that a database begins with the cards of this patient and not with all answers.
            or_(feedback.c.received_at >= since, override_reasons.c.code == DONE_ELSEWHERE),
            cards_shown.c.patient_hash == patient,
            cards_shown.c.topic != _CHECKLIST_TOPIC,
            feedback.c.outcome == OVERRIDDEN,
            override_reasons.c.is_ours,
            or_(feedback.c.client == reviews.c.client, feedback.c.client == ""),
            findings_shown.c.evidence_digest.is_not(None),
            # A card shown again with the same uuid may rest on other data than the one that was answered.
            reviews.c.shown_at <= feedback.c.received_at,
            ~is_ambiguous,
        )
    )


# Put together once: that takes five times as long as to ask.
_BY_ANY = _answered_findings()
_BY_ONE = _BY_ANY.where(reviews.c.service_id == bindparam("shown_by", type_=String()))


def _slots_done_elsewhere(answered: Iterable[_Answered]) -> Iterable[str]:
    """The slot that "done elsewhere" speaks of: of a series the one that is overdue, else the one that is due.

    A card that names several of them leaves open which one was meant, and closes none.
    """
    named: defaultdict[tuple[int, str], dict[str, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
    for item in answered:
        if item.reason == DONE_ELSEWHERE and item.slot_digest and item.rule_id in SLOT_RULES:
            series, timing = SLOT_RULES[item.rule_id]
            named[item.card_id, series][timing].add((item.slot_digest, item.indicator))
    for by_timing in named.values():
        slots = by_timing.get(OVERDUE) or next(iter(by_timing.values()))
        if len(slots) == 1 and all(indicator != "critical" for _, indicator in slots):
            yield from (digest for digest, _ in slots)
