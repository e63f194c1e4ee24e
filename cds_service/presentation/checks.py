"""Why a file under `cards/` is refused. Every refusal names the file, what is wrong, and the remedy."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.errors import ContentProblem

_IN_WORDS = {"one": Decimal(1), "two": Decimal(2), "three": Decimal(3)}
_POWER_OF_TEN = re.compile(r"([0-9.]+) × 10\^([0-9]+)")


def require_fields(
    where: Path | str, given: object, needed: Collection[str], optional: Collection[str] = ()
) -> Mapping[str, Any]:
    """The mapping, if it has all needed fields and no unknown one."""
    if not isinstance(given, Mapping):
        raise ContentProblem(f"{where}: must be a mapping of fields; write `field: value` lines")
    missing = [name for name in needed if name not in given]
    if missing:
        raise ContentProblem(f"{where}: field {missing[0]} is missing; add it")
    foreign = [name for name in given if name not in needed and name not in optional]
    if foreign:
        raise ContentProblem(f"{where}: field {foreign[0]} is unknown; correct or remove it")
    return given


def require_quoted_section(where: Path | str, section: object) -> str:
    """The label section, if it is text; an unquoted 2.10 would turn into 2.1."""
    if not isinstance(section, str):
        raise ContentProblem(f'{where}: section {section} is not in quotes; write section: "{section}"')
    return section


def require_one_of(where: Path | str, field: str, value: object, allowed: Collection[str]) -> str:
    """The value, if it is one of the allowed ones."""
    if value not in allowed:
        raise ContentProblem(f"{where}: {field} is {value}; use one of {', '.join(allowed)}")
    return str(value)


def require_number(where: Path | str, value: object) -> Decimal:
    """The number as an exact decimal."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ContentProblem(f"{where}: value {value} is not a number; write digits")
    return Decimal(value)


def require_proof(where: Path | str, value: Decimal, quote: object) -> str:
    """The label's few words, if they contain the number."""
    if not isinstance(quote, str) or value not in _numbers_in(quote):
        raise ContentProblem(f"{where}: is {value:f}, which its quote does not contain; correct one of them")
    return quote


def _numbers_in(quote: str) -> set[Decimal]:
    numbers = {Decimal(m) * Decimal(10) ** int(e) for m, e in _POWER_OF_TEN.findall(quote)}
    numbers |= {value for word, value in _IN_WORDS.items() if word in quote.lower().split()}
    return numbers | {Decimal(found) for found in re.findall(r"[0-9]+(?:\.[0-9]+)?", quote.replace(",", ""))}


def require_mapping(where: Path | str, value: object) -> Mapping[str, Any]:
    """The entries by name, if they are such."""
    if not isinstance(value, Mapping):
        raise ContentProblem(f"{where}: must hold entries by name; write `name: value` lines")
    return value


def require_list(where: Path | str, value: object) -> list[Any]:
    """The list, if it is one."""
    if not isinstance(value, list):
        raise ContentProblem(f"{where}: must be a list; write `- ` lines")
    return value


def require_texts(where: Path | str, value: object) -> list[str]:
    """The list of texts, if it is one."""
    texts = require_list(where, value)
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ContentProblem(f"{where}: is empty; say it in words, each entry as text")
    return texts


def require_text(where: Path | str, field: str, value: object) -> str:
    """The text, if there is any."""
    if not isinstance(value, str) or not value.strip():
        raise ContentProblem(f"{where}: {field}: is empty; say it in words")
    return value


def require_same_ids(cards: Collection[str], rules: Collection[str]) -> None:
    """Every rule has its card and every card its rule."""
    without_rule = sorted(set(cards) - set(rules))
    without_card = sorted(set(rules) - set(cards))
    if without_rule:
        raise ContentProblem(f"cards: {without_rule[0]}.md has no rule of that name; add the rule or remove the card")
    if without_card:
        raise ContentProblem(f"cards: rule {without_card[0]} has no card; add {without_card[0]}.md to its topic")
