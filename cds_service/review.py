"""The use case, in one function: facts → answers → cards. Read this file first.

A request is turned into facts by `fhir/`, reviewed here, and its cards are turned into a response by `hooks/`.
No step calls back to an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.domain.days import add_months
from cds_service.domain.facts import ListState, PatientFacts
from cds_service.domain.outlook import outlook_of
from cds_service.domain.registry import Answers, answer_all
from cds_service.domain.relevance import Concern
from cds_service.presentation import (
    NOTHING_ACKNOWLEDGED,
    Acknowledged,
    Card,
    Catalogue,
    Finding,
    RecordSeen,
    group_findings,
)


@dataclass(frozen=True, slots=True)
class Review:
    """What was known, what every rule said (fires, silent or unknown), and the cards that came of it.

    `kept_quiet` are findings that are on no card, because somebody answered them with a reason before.
    """

    facts: PatientFacts
    answers: Answers
    cards: tuple[Card, ...]
    kept_quiet: tuple[Finding, ...] = ()


def review_treatment(
    facts: PatientFacts,
    catalogue: Catalogue,
    hook: str,
    concern: Concern,
    acknowledged: Acknowledged = NOTHING_ACKNOWLEDGED,
) -> Review:
    """The answers of the rules this call asks, and their cards; none for a child who has died (C9)."""
    if facts.has_died:
        return Review(facts, (), ())
    answers = answer_all(facts, catalogue.known, catalogue.asked[concern][hook])
    outlook = outlook_of(facts, answers, catalogue.known) if concern is Concern.FOLLOW_UP else None
    is_old = _rules_are_old(facts, catalogue)
    seen = _record_seen(facts)
    grouping = group_findings(answers, hook, facts.today, is_old, catalogue, outlook, acknowledged, seen)
    return Review(facts, answers, grouping.cards, grouping.kept_quiet)


def _record_seen(facts: PatientFacts) -> RecordSeen:
    states = facts.sources.items()
    away = tuple(source.value for source, state in states if not state.is_available)
    return RecordSeen(away, any(state.state is ListState.INCOMPLETE for _, state in states))


def _rules_are_old(facts: PatientFacts, catalogue: Catalogue) -> bool:
    """Whether the rule set was last compared with the label too long ago (rule `label-version`)."""
    months = catalogue.known.policy.whole("rule_set.recheck_months")
    return facts.today > add_months(catalogue.identity.rules_checked_on, months)
