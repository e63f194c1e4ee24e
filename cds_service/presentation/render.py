"""An answer, the words of its card file, and its urgency on this hook: one finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds_service.domain.answers import Answer, ProposedChange, Shown
from cds_service.domain.evidence import Evidence
from cds_service.domain.quantities import plain
from cds_service.presentation.catalogue import HEADINGS, MILDER_HOOKS, URGENCIES, Catalogue, Grade, RuleCard
from cds_service.presentation.fingerprint import fingerprint_of
from cds_service.presentation.words import OurWords, one_line

LONGEST_SUMMARY = 139
# More than anybody checks; a record that holds thousands must not make a card of megabytes.
MOST_EVIDENCE = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule reports on this call, in words: what a card is made of.

    `values` are decimal strings, ISO days and short texts by name. `paragraphs` are Markdown by sub-heading.
    `fingerprint` is the same for the same finding on another call; "" where that cannot be told.
    """

    rule_id: str
    topic: str
    urgency: str
    section: str
    basis: str
    headline: str
    message: str
    values: Mapping[str, str]
    evidence: tuple[Evidence, ...]
    paragraphs: Mapping[str, tuple[str, ...]]
    explained_policy: tuple[str, ...]
    other_policy: tuple[str, ...]
    changes: tuple[ProposedChange, ...]
    grade: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One change a card offers. Its words are chosen where the change is written as a resource."""

    change: ProposedChange


@dataclass(frozen=True, slots=True)
class Card:
    """One card, complete but not yet JSON."""

    topic: str
    urgency: str
    summary: str
    detail: str
    sections: tuple[str, ...]
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]


def finding_for(answer: Answer, hook: str, today: date, catalogue: Catalogue) -> Finding:
    """The finding that this answer of today makes on this hook. The answer must be one that a card says."""
    card = catalogue.cards[answer.rule_id]
    grade = card.grades[answer.grade]
    phrases = catalogue.phrases
    shown = {
        **answer.shown,
        "grade": answer.grade,
        **_analyte_names(answer.shown, phrases.analytes),
        "reasons_in_words": _list_states(str(answer.shown.get("reasons", "")), phrases.list_states),
    }
    urgency = urgency_on(hook, card, grade)
    return Finding(
        rule_id=answer.rule_id,
        topic=_topic_of(answer, card, catalogue),
        urgency=urgency,
        section=card.section,
        basis=grade.basis,
        headline=" ".join(card.headline.plain.render(shown).split()),
        message=" ".join(card.message.plain.render(shown).split()),
        values=_values(answer.shown),
        evidence=answer.evidence[:MOST_EVIDENCE],
        paragraphs=_paragraphs(card, shown),
        explained_policy=card.explains,
        other_policy=tuple(name for name in card.uses["policy"] if name not in card.explains),
        changes=answer.changes,
        grade=answer.grade,
        fingerprint=fingerprint_of(answer, urgency, catalogue.identity.revision, today),
    )


def _topic_of(answer: Answer, card: RuleCard, catalogue: Catalogue) -> str:
    """The card a finding stands on: its rule's topic, or that of the finding it is `about` (ruling 5)."""
    about = catalogue.cards.get(str(answer.shown.get("about", "")))
    return about.topic if about is not None else card.topic


def _analyte_names(shown: Mapping[str, Shown], names: Mapping[str, str]) -> dict[str, OurWords]:
    """The analytes an answer names, in the words of the card files: `analyte_name`, `analyte_names`."""
    said = {}
    for key in ("analyte", "analytes"):
        codes = [code for code in str(shown.get(key, "")).split(", ") if code]
        said[f"{key.removesuffix('s')}_name{'s' if key.endswith('s') else ''}"] = OurWords(
            ", ".join(names.get(code, code) for code in codes)
        )
    return said


def _list_states(reasons: str, words: Mapping[str, str]) -> OurWords:
    """What became of each list, `key: state` one after another, in the words of the card files."""
    told = [reason.partition(": ") for reason in reasons.split(", ") if reason]
    return OurWords("; ".join(f"{key}: {words.get(state, state)}" for key, _, state in told))


def urgency_on(hook: str, card: RuleCard, grade: Grade) -> str:
    """The level a rule's block gives for this hook; else its level, one step milder where that applies.

    Source: clinical-rules section 0 no. 3.
    """
    if hook in grade.on_hook:
        return grade.on_hook[hook]
    if hook in MILDER_HOOKS and not card.is_never_milder:
        return URGENCIES[max(URGENCIES.index(grade.urgency) - 1, 0)]
    return grade.urgency


def fitted(headline: str, tail: str = "") -> str:
    """A summary that clients accept, fewer than 140 UTF-16 units: the headline cut at a word if need be, the tail
    kept whole."""
    room = LONGEST_SUMMARY - _utf_16_units(tail)
    if _utf_16_units(headline) <= room:
        return headline + tail
    kept = headline
    while _utf_16_units(kept) > room - 1:
        kept = kept.rpartition(" ")[0] or kept[:-1]
    return f"{kept}…{tail}"


def _utf_16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _values(shown: Mapping[str, Shown]) -> dict[str, str]:
    """What the finding's `values` hold: everything shown that is not empty, as text."""
    texts = {name: _as_text(value) for name, value in shown.items() if not isinstance(value, bool)}
    return {name: text for name, text in texts.items() if text}


def _as_text(value: Shown) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else one_line(str(value))


def _paragraphs(card: RuleCard, shown: Mapping[str, Shown]) -> dict[str, tuple[str, ...]]:
    """The finding's lines by sub-heading; its message comes first."""
    lines: dict[str, tuple[str, ...]] = {}
    for heading in HEADINGS:
        found = _lines(card.paragraphs[heading].markdown.render(shown)) if heading in card.paragraphs else ()
        if heading == "What the record shows":
            found = (*_lines(card.message.markdown.render(shown)), *found)
        if found:
            lines[heading] = found
    return lines


def _lines(text: str) -> tuple[str, ...]:
    """Each paragraph or list item of rendered Markdown as one line."""
    items = [" ".join(part.split()) for part in text.replace("\n- ", "\n\n- ").split("\n\n")]
    return tuple(item.removeprefix("- ") for item in items if item)
