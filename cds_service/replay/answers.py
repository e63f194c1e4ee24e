"""What an answer says, and how two answers differ. Words are not compared: they may get better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from cds_service.hooks.response import FINDINGS

Json = dict[str, Any]
# What tells the findings of one rule apart.
_NAMING = ("check", "analyte", "slot")
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Told:
    """One finding with the topic of its card, or a card that has no finding: then `rule` is "".

    `values` are the finding's own, by name: numbers, days, codes, and texts of the record.
    """

    topic: str
    rule: str
    indicator: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def subject(self) -> str:
        """What it is about: the rule, and which check, analyte or slot."""
        named = dict(self.values)
        return " ".join([self.rule or "card without findings", *(named[name] for name in _NAMING if name in named)])


def told_in(cards: Iterable[Json]) -> Iterator[Told]:
    """All that cards say, of a response or in the short form of an expected one.

    Raises KeyError, TypeError or AttributeError where they are no cards.
    """
    for card in cards:
        topic = card["topic"] if "topic" in card else card["source"]["topic"]["code"]
        findings = findings_on(card)
        if not findings:
            yield Told(topic, "", card["indicator"])
        for finding in findings:
            values = tuple(sorted(finding.get("values", {}).items()))
            yield Told(topic, finding["rule"], finding["indicator"], values)


def findings_on(card: Json) -> list[Json]:
    """The findings of one card, of a response or in the short form; a card for a family carries none."""
    return list(card["findings"] if "findings" in card else card.get("extension", {}).get(FINDINGS, []))


def differences(expected: Counter[Told], got: Counter[Told]) -> list[str]:
    """What differs, one text for each finding; empty where nothing does."""
    missing, new = list((expected - got).elements()), list((got - expected).elements())
    return [
        _difference(*pair)
        for subject in dict.fromkeys(told.subject for told in (*missing, *new))
        for pair in zip_longest(_about(subject, missing), _about(subject, new))
    ]


def _about(subject: str, every: Iterable[Told]) -> list[Told]:
    return [told for told in every if told.subject == subject]


def _difference(expected: Told | None, got: Told | None) -> str:
    if expected is None:
        assert got is not None
        return f"{got.subject} ({got.indicator}) came and is not expected"
    if got is None:
        return f"{expected.subject} ({expected.indicator}) is expected and did not come"
    wanted, shown = _parts(expected), _parts(got)
    differing = [name for name in {**wanted, **shown} if wanted.get(name) != shown.get(name)]
    said = (f"{name} {_in_short(wanted.get(name))} expected, got {_in_short(shown.get(name))}" for name in differing)
    return f"{expected.subject}: {', '.join(said)}"


def _parts(told: Told) -> dict[str, str]:
    return {"topic": told.topic, "indicator": told.indicator, **dict(told.values)}


def _in_short(value: object) -> str:
    """A value as it may stand on a terminal's line, whoever sent it."""
    if value is None:
        return "nothing"
    text = "".join(letter if letter.isprintable() else "?" for letter in str(value))
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
