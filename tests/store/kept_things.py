"""What a test hands to the memory: reviews and feedback, unremarkable but for what the test says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.store import FeedbackEvent, OverrideReason, ShownCard, ShownFinding, ShownReview

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SERVICE = "onasemnogene-patient-view"
OUR_SYSTEM = "http://127.0.0.1:8000/CodeSystem/override-reasons"


def uuid_of(name: str) -> str:
    """The uuid of the card that a test calls by this name."""
    return str(uuid5(NAMESPACE_URL, name))


def a_finding(
    rule: str = "weight-stale", indicator: str = "warning", digest: str = "d1", slot: str = ""
) -> ShownFinding:
    return ShownFinding(rule, indicator, digest, slot)


def a_card(name: str = "card", *findings: ShownFinding, topic: str = "dose") -> ShownCard:
    findings = findings or (a_finding(),)
    return ShownCard(uuid_of(name), topic, findings[0].indicator, findings)


def a_review(*cards: ShownCard, **changes: Any) -> ShownReview:
    made = ShownReview(
        shown_at=NOW,
        service_id=SERVICE,
        hook_instance="5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e",
        client="example-ehr",
        patient_hash="0" * 64,
        label_revision="2/2025",
        rule_set="0.1.0",
        cards=cards or (a_card(),),
    )
    return replace(made, **changes)


def a_reason(code: str = "specialist-decision", *, is_ours: bool = True) -> OverrideReason:
    return OverrideReason(OUR_SYSTEM if is_ours else "urn:example:reasons", code, is_ours)


def overridden(card: str = "card", *reasons: OverrideReason, **changes: Any) -> FeedbackEvent:
    return replace(FeedbackEvent(uuid_of(card), "overridden", NOW, reasons or (a_reason(),)), **changes)


def accepted(card: str = "card", **changes: Any) -> FeedbackEvent:
    made = FeedbackEvent(uuid_of(card), "accepted", NOW, suggestion_uuids=(uuid_of(f"{card} suggestion"),))
    return replace(made, **changes)
