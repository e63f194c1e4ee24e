"""The numbers that stand in the words of cards/: each is listed with where it comes from, and is that number."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from mutation.card_numbers import CardNumber, numbers_in

from cds_service.content_folders import CARDS
from cds_service.presentation import Catalogue

LISTED: dict[str, dict[str, dict[str, int]]] = yaml.safe_load(
    Path(__file__).with_name("numbers_in_words.yaml").read_text(encoding="utf-8")
)
PHRASES = [(phrase, files) for phrases in LISTED.values() for phrase, files in phrases.items()]


def phrase_around(number: CardNumber, text: str) -> tuple[int, str]:
    """The longest listed phrase of this file that the number stands in and where it begins, or only the number."""
    found = [
        (at.start(), phrase)
        for phrase, files in PHRASES
        for at in re.finditer(re.escape(phrase), text)
        if number.file in files and at.start() <= number.start < at.end()
    ]
    unlisted = (number.start, f"{number.written}, as in: {text[number.start : number.start + 40]}")
    return max(found, key=lambda each: len(each[1]), default=unlisted)


def values_in(phrase: str) -> set[Decimal]:
    """The numbers of a phrase; a power of ten is one number."""
    powers = {Decimal(f"{digits}e{exponent}") for digits, exponent in re.findall(r"([\d.]+) × 10\^(\d+)", phrase)}
    return powers | {Decimal(found) for found in re.findall(r"\d+(?:\.\d+)?", phrase)}


def test_every_number_in_words_is_listed_as_often_as_it_stands_there() -> None:
    numbers = [number for number in numbers_in(CARDS) if number.kind in ("words", "condition")]
    texts = {number.file: (CARDS / number.file).read_text(encoding="utf-8") for number in numbers}
    standing = {(number.file, *phrase_around(number, texts[number.file])) for number in numbers}
    found = Counter((phrase, file) for file, _, phrase in standing)
    listed = Counter({(phrase, file): count for phrase, files in PHRASES for file, count in files.items()})
    assert (found - listed, listed - found) == (Counter(), Counter())


@pytest.mark.parametrize("source", [source for source in LISTED if re.fullmatch(r"(label|policy)\.[\w.]+", source)])
def test_a_phrase_holds_the_number_it_is_listed_under(source: str, catalogue: Catalogue) -> None:
    kind, _, name = source.partition(".")
    value = getattr(catalogue.known, kind)[name]
    for phrase in LISTED[source]:
        assert value in values_in(phrase), phrase


def test_the_derived_numbers_follow_from_those_of_the_label(catalogue: Catalogue) -> None:
    label = catalogue.known.label
    assert label["steroid_days"] - 2 == 28  # from the day before the infusion, which is day 0
    assert label["dose_vector_genomes_per_kg"] / label["concentration_vector_genomes_per_ml"] == Decimal("5.5")


def test_no_share_that_a_site_may_change_is_spelled_out() -> None:
    spelled = re.compile(r"\b(half|halves|a third|a quarter)\b(?!-)")
    found = [
        f"{path.stem}: {match[0]}"
        for path in sorted(CARDS.glob("*/*.md"))
        if path.parent.name != "label"
        for match in spelled.finditer(path.read_text(encoding="utf-8").partition("\n---\n")[2])
    ]
    assert found == []
