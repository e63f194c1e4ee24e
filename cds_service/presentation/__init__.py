"""Answers and card files in, cards out. Words, urgency and grouping; no clinical decision, no JSON."""

from cds_service.presentation.catalogue import Catalogue, RuleCard
from cds_service.presentation.group import cards_for
from cds_service.presentation.load import load_catalogue
from cds_service.presentation.plain_text import plain_text
from cds_service.presentation.render import Card, Finding, Suggestion
from cds_service.presentation.words import one_line, short

__all__ = [
    "Card",
    "Catalogue",
    "Finding",
    "RuleCard",
    "Suggestion",
    "cards_for",
    "load_catalogue",
    "one_line",
    "plain_text",
    "short",
]
