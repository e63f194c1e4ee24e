"""Tolerant access to FHIR JSON: whatever shape arrives, the answer is the wanted shape or nothing.

Real EHRs send objects for lists, numbers as text, and trailing blanks; nothing here raises on them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

JsonObject = dict[str, Any]

# A number further from one than this is no clinical number; writing it out would fill the memory.
_LARGEST_EXPONENT = 30
_LONGEST_NUMBER = 60
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")


def an_object(value: object) -> JsonObject:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def only_object(value: object) -> JsonObject:
    """The JSON object, or the only one of a list in place of it, else an empty one.

    Of several that differ nobody can tell which is meant, so none is taken.
    """
    if isinstance(value, dict):
        return value
    found = objects(value)
    return found[0] if found and all(item == found[0] for item in found) else {}


def objects(value: object) -> list[JsonObject]:
    """The JSON objects of a list, or of a single object in place of a list."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def values(value: object) -> list[object]:
    """A list as it is, a single value as a list of one, nothing as an empty list."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def text(value: object) -> str:
    """Text without surrounding blanks, or "" for anything else."""
    return value.strip() if isinstance(value, str) else ""


def says_nothing(value: object) -> bool:
    """Whether a value is absent, blank, or holds nothing but such values."""
    if isinstance(value, (dict, list)):
        return all(says_nothing(item) for item in (value.values() if isinstance(value, dict) else value))
    return value is None or (isinstance(value, str) and not value.strip())


def code_text(value: object) -> str:
    """A code of a fixed list, such as a status: trimmed and in lower case."""
    return text(value).lower()


def is_true(value: object) -> bool:
    """Whether a boolean says yes, also where it is written as text."""
    return value is True or code_text(value) == "true"


def is_false(value: object) -> bool:
    """Whether a boolean says no, also where it is written as text."""
    return value is False or code_text(value) == "false"


def number(value: object) -> Decimal | None:
    """A number as an exact decimal, also from text, or None where it is none or absurdly large."""
    if isinstance(value, Decimal):
        # It was a number when the JSON was read, which need not be seen again; only its size is in question.
        is_short = value.is_finite() and len(str(value)) <= _LONGEST_NUMBER
        return value if is_short and abs(value.adjusted()) <= _LARGEST_EXPONENT else None
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    written = str(value).strip()
    if len(written) > _LONGEST_NUMBER or not _NUMBER.fullmatch(written):
        return None
    exact = Decimal(written)
    return exact if abs(exact.adjusted()) <= _LARGEST_EXPONENT else None


def whole_number(value: object) -> int | None:
    """A number if it is a whole one, else None."""
    exact = number(value)
    return int(exact) if exact is not None and exact == exact.to_integral_value() else None


def codings(concept: object) -> list[JsonObject]:
    """All codings of a CodeableConcept, or of several; never only the first."""
    if isinstance(concept, dict):
        return objects(concept.get("coding"))
    return [coding for item in objects(concept) for coding in objects(item.get("coding"))]


def concept_texts(concept: object) -> list[str]:
    """Everything a CodeableConcept says in words: its text and its codings' displays, each once."""
    if not concept:
        return []
    said = [item.get("text") for item in objects(concept)]
    said += [coding.get("display") for coding in codings(concept)]
    parts = dict.fromkeys(part.strip() for part in said if isinstance(part, str))
    return [part for part in parts if part]


def first_text(concept: object) -> str:
    """The text a CodeableConcept is best known by, or its first code, or ""."""
    return first_words(concept) or next((text(coding.get("code")) for coding in codings(concept)), "")


def first_words(concept: object) -> str:
    """The first that a CodeableConcept says in words, or ""."""
    for item in objects(concept):
        if words := text(item.get("text")):
            return words
    return next((words for coding in codings(concept) if (words := text(coding.get("display")))), "")


def is_illegible(concept: object) -> bool:
    """Whether a CodeableConcept is there, and nothing of it can be read, or one of its codings cannot."""
    if says_nothing(concept):
        return False
    stated = [coding for item in objects(concept) for coding in values(item.get("coding"))]
    return not first_text(concept) or any(is_illegible_coding(coding) for coding in stated)


def is_illegible_coding(coding: object) -> bool:
    """Whether a Coding is there, and it, its system or its code is no text."""
    if not isinstance(coding, dict):
        return not says_nothing(coding)
    return any(part is not None and not isinstance(part, str) for part in (coding.get("system"), coding.get("code")))
