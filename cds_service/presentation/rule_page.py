"""What can be looked up of one rule: its words, its levels, its numbers with where they come from, and its cases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.domain.known import KnownNumber, Numbers
from cds_service.domain.quantities import plain
from cds_service.presentation.catalogue import HEADINGS, HOOKS, Catalogue, RuleCard
from cds_service.presentation.load_cases import Case
from cds_service.presentation.load_rule_cards import USES
from cds_service.presentation.render import urgency_on

_PHASE = re.compile(r"P\d|all")


@dataclass(frozen=True, slots=True)
class GradeLevels:
    """One way a rule can fire: what it rests on, and its level on each hook; "" where the card does not appear."""

    grade: str
    basis: str
    on_hook: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NumberShown:
    """One number that a rule reads, as text.

    `kind` is label, policy or outside. `because` are the label's words, the reason, or the source. Of site policy
    `default` is the built-in value and `decided_by` says who chose it; `is_changed`: this site has another one.
    """

    kind: str
    name: str
    value: str
    unit: str
    section: str
    because: str
    default: str
    decided_by: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class RulePage:
    """One rule as it is looked up. Words are as they stand in the card file, with their placeholders.

    `paragraphs` are (heading, words) in the order of a card. `file` is the card file's path in the repository.
    """

    rule_id: str
    title: str
    topic: str
    topic_name: str
    section: str
    phase: str
    phase_in_words: str
    levels: tuple[GradeLevels, ...]
    headline: str
    message: str
    paragraphs: tuple[tuple[str, str], ...]
    numbers: tuple[NumberShown, ...]
    cases: tuple[Case, ...]
    never_unknown: str
    reviewed: str
    file: str

    @property
    def urgencies(self) -> frozenset[str]:
        """Every level that the rule can have on some hook."""
        return frozenset(level for grade in self.levels for level in grade.on_hook.values() if level)


def rule_pages(catalogue: Catalogue, cases: Mapping[str, tuple[Case, ...]]) -> Mapping[str, RulePage]:
    """Every rule by its id, by topic and then by title."""
    pages = [_rule_page(card, catalogue, cases.get(card.rule_id, ())) for card in catalogue.cards.values()]
    topics = list(catalogue.topics)
    return {page.rule_id: page for page in sorted(pages, key=lambda page: (topics.index(page.topic), page.title))}


def _rule_page(card: RuleCard, catalogue: Catalogue, cases: tuple[Case, ...]) -> RulePage:
    return RulePage(
        rule_id=card.rule_id,
        title=card.title,
        topic=card.topic,
        topic_name=catalogue.topics[card.topic].display,
        section=card.section,
        phase=card.phase,
        phase_in_words=_PHASE.sub(lambda found: catalogue.page_words.phases[found[0]], card.phase.replace("-", " to ")),
        levels=tuple(_levels(name, card) for name in card.grades),
        headline=card.headline.source,
        message=card.message.source,
        paragraphs=tuple(
            (catalogue.phrases.headings[heading], card.paragraphs[heading].source)
            for heading in HEADINGS
            if heading in card.paragraphs
        ),
        numbers=tuple(_number(kind, name, catalogue) for kind in USES for name in card.uses[kind]),
        cases=cases,
        never_unknown=card.never_unknown,
        reviewed=card.reviewed,
        file=f"cards/{card.topic}/{card.rule_id}.md",
    )


def _levels(name: str, card: RuleCard) -> GradeLevels:
    grade = card.grades[name]
    on_hook = {hook: urgency_on(hook, card, grade) if hook in card.hooks else "" for hook in HOOKS}
    return GradeLevels(name, grade.basis, on_hook)


def _number(kind: str, name: str, catalogue: Catalogue) -> NumberShown:
    of_kind: Numbers = getattr(catalogue.known, kind)
    number: KnownNumber = of_kind.described(name)
    is_changed = number.default is not None and number.value != number.default
    return NumberShown(
        kind=kind,
        name=name,
        value=plain(number.value),
        unit=number.unit,
        section=number.section,
        because=number.because,
        default="" if number.default is None else plain(number.default),
        decided_by=number.decided_by,
        is_changed=is_changed,
    )
