"""Answers and card files in, cards out. Words, urgency and grouping; no clinical decision, no JSON."""

from cds_service.presentation.acknowledgement import NOTHING_ACKNOWLEDGED, Acknowledged, evidence_digest, slot_digest
from cds_service.presentation.catalogue import Catalogue, RuleCard
from cds_service.presentation.fingerprint import RecordSeen
from cds_service.presentation.group import Grouping, group_findings
from cds_service.presentation.load import load_catalogue
from cds_service.presentation.plain_text import plain_text
from cds_service.presentation.render import Card, Finding, Suggestion
from cds_service.presentation.words import one_line, short

__all__ = [
    "NOTHING_ACKNOWLEDGED",
    "Acknowledged",
    "Card",
    "Catalogue",
    "Finding",
    "Grouping",
    "RecordSeen",
    "RuleCard",
    "Suggestion",
    "evidence_digest",
    "group_findings",
    "load_catalogue",
    "one_line",
    "plain_text",
    "short",
    "slot_digest",
]
