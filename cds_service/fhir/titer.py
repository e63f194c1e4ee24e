"""Observation → an anti-AAV9 antibody titre, as its reciprocal (clinical-rules 4 D, "Anti-AAV9 parsing").

1:100 is a higher titre than 1:50. Only the reciprocal is read, never the quotient, and a comparator speaks of the
reciprocal: `<1:50` is a reciprocal below 50. Whatever is not in the table is shown and not interpreted.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.domain.evidence import Standing
from cds_service.domain.intervals import Interval
from cds_service.domain.quantities import plain
from cds_service.domain.results import TiterReading, TiterResult
from cds_service.fhir.clinical_time import SiteClock, effective_time, recency
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    codings,
    concept_texts,
    first_text,
    number,
    objects,
    only_object,
    text,
    values,
)
from cds_service.fhir.laboratory import is_correction, quantity_interval, result_evidence, result_standing
from cds_service.fhir.observed_value import unread_value
from cds_service.fhir.quantity import as_written
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.references import referenced

ANTI_AAV9, NOT_ANTI_AAV9 = "anti_aav9", "not_anti_aav9"

# Full-width forms, look-alikes of signs, and blanks; superscripts and other digits stay and are not read.
_LOOK_ALIKES: dict[str, str] = {
    **dict.fromkeys("≤≦⩽", "<="),
    **dict.fromkeys("≥≧⩾", ">="),
    **dict.fromkeys("\u2236\ua789", ":"),  # the ratio sign, the modifier letter
    **dict.fromkeys("\u2044\u2215", "/"),  # the fraction slash, the division slash
    **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000", " "),
    **dict.fromkeys("\u200b\u2060\ufeff", ""),
}
_PLAIN_SIGNS: dict[int, int | str] = {ord(sign): plainly for sign, plainly in _LOOK_ALIKES.items()}
_PLAIN_SIGNS |= {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_COMPARATOR = r"(?P<comparator><=|>=|<|>)?"
_DIGITS = r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?P<fraction>\.[0-9]+)?"
_PRINTED = re.compile(rf"{_COMPARATOR}\s*1\s*(?:[:/]|in)\s*{_DIGITS}", re.IGNORECASE)
_COUNTED = re.compile(rf"{_COMPARATOR}\s*{_DIGITS}")
_THOUSANDS = re.compile(r"\.[0-9]{3}")
_MARKUP = re.compile(r"<[^>]*>")
_TITER_UNITS = frozenset({"{titer}", "{titre}", "titer", "titre"})
_TITER_NAME = re.compile(r"\btit(?:er|re)s?\b", re.IGNORECASE)
_ELISA = re.compile(r"elisa|\beia\b|immuno-?\s?assay|enzyme[- ]linked|enzyme immuno", re.IGNORECASE)
_CELL_BASED = re.compile(r"neutrali[sz]|cell[- ]based|transduction", re.IGNORECASE)
_OF_THE_MOTHER = re.compile(r"\b(?:maternal|mother)", re.IGNORECASE)
_NEGATIVE_CODES = frozenset({"260385009", "260415000"})
_READ = ("valueString", "valueRatio", "valueQuantity", "valueCodeableConcept", "valueInteger")


@dataclass(frozen=True, slots=True)
class _Said:
    """What one value says. `reciprocal` only where it is a titre."""

    reading: TiterReading
    reciprocal: Interval | None = None


_NOT_INTERPRETABLE = _Said(TiterReading.NOT_INTERPRETABLE)
_NEGATIVE = _Said(TiterReading.NEGATIVE)
_NO_RESULT = _Said(TiterReading.NO_RESULT)


def is_titer(resource: JsonObject, concepts: frozenset[str], recognition: Recognition) -> bool:
    """Whether an Observation of these concepts, or a request for one, is about the antibody to AAV9.

    By the concepts that its code stands for, else by its name.
    """
    if NOT_ANTI_AAV9 in concepts:
        return False
    if ANTI_AAV9 in concepts:
        return True
    name = " | ".join(concept_texts(resource.get("code")))
    return may_name_titer(name, recognition) and not recognition.holds("not_anti_aav9_name", _in_plain_signs(name))


def may_name_titer(name: str, recognition: Recognition) -> bool:
    """Whether a test's name names the virus; what stands beside it may say that it is another test."""
    return recognition.mentions("anti_aav9_name", _in_plain_signs(name))


def _in_plain_signs(name: str) -> str:
    return name.translate(_PLAIN_SIGNS).lower()


def read_titer(resource: JsonObject, clock: SiteClock, recognition: Recognition) -> TiterResult | None:
    """A report of the antibody test, or None if it was entered in error.

    The reciprocal may straddle any limit; whether it lies below one is for a rule to say.
    """
    measured = effective_time(resource, clock)
    said, written = _said(resource, recognition)
    has_result = said.reading is not TiterReading.NO_RESULT
    standing = result_standing(resource, measured, has_value=has_result)
    if standing is None:
        return None
    if standing is Standing.ACCEPTED and _is_of_somebody_else(resource):
        standing = Standing.PROVISIONAL
    return TiterResult(
        reading=said.reading,
        reciprocal=said.reciprocal,
        written=written,
        method=first_text(resource.get("method")),
        is_other_method=_is_other_method(resource),
        measured=measured,
        standing=standing,
        is_correction=is_correction(resource),
        order_key=recency(resource, clock),
        evidence=result_evidence(resource, "anti_aav9", written, measured),
    )


def _said(resource: JsonObject, recognition: Recognition) -> tuple[_Said, str]:
    """What the values of a report say together, and how they are written; values that differ say nothing."""
    said = dict.fromkeys(_values(resource, recognition)) or dict.fromkeys(_parts(resource, recognition))
    written = " | ".join(dict.fromkeys(part for _, part in said if part))
    readings = {reading for reading, _ in said}
    if not readings:
        return _NO_RESULT, ""
    return (readings.pop() if len(readings) == 1 else _NOT_INTERPRETABLE), written


def _values(resource: JsonObject, recognition: Recognition) -> Iterator[tuple[_Said, str]]:
    is_named_titer = any(_TITER_NAME.search(name) for name in concept_texts(resource.get("code")))
    if said := text(resource.get("valueString")):
        yield _in_words(said, recognition, is_named_titer), said
    if ratio := only_object(resource.get("valueRatio")):
        yield _ratio(ratio, resource), _ratio_written(ratio)
    quantity = only_object(resource.get("valueQuantity"))
    if quantity.get("value") is not None:
        yield _quantity(quantity, is_named_titer), as_written(quantity)
    concept = only_object(resource.get("valueCodeableConcept"))
    if concept:
        yield from _concept(concept, recognition, is_named_titer)
    if (whole := number(resource.get("valueInteger"))) is not None:
        yield _counted(Interval.exactly(whole), is_named_titer), plain(whole)
    if unread := unread_value(resource, _READ):
        yield _NOT_INTERPRETABLE, unread


def _parts(resource: JsonObject, recognition: Recognition) -> Iterator[tuple[_Said, str]]:
    """What a report without a value of its own says in components that are no titres themselves: nobody can tell."""
    for part in objects(resource.get("component")):
        is_a_titer = is_titer(part, recognition.concept_of(part.get("code")), recognition)
        if not is_a_titer and (said := unread_value(part, ())):
            yield _NOT_INTERPRETABLE, said


# --- text


def _in_words(said: str, recognition: Recognition, is_named_titer: bool) -> _Said:
    """What a text as a whole says: a printed titre, a number under a titre's name, or one of the listed words."""
    plainly = said.translate(_PLAIN_SIGNS).strip()
    if match := _PRINTED.fullmatch(plainly):
        return _titer(_interval(match))
    if match := _COUNTED.fullmatch(plainly):
        return _counted(_interval(match), is_named_titer)
    if recognition.says("test_negative", [plainly]):
        return _NEGATIVE
    return _NO_RESULT if _is_without_result(plainly, recognition) else _NOT_INTERPRETABLE


def _is_without_result(said: str, recognition: Recognition) -> bool:
    """Whether words say that there is no result, and neither a digit nor a finding stands beside them."""
    is_finding = any(recognition.holds(words, said) for words in ("test_positive", "test_negative"))
    has_digit = any(sign.isdigit() for sign in said)
    return recognition.holds("no_result_yet", said) and not is_finding and not has_digit


def _interval(match: re.Match[str]) -> Interval | None:
    """The reciprocal that is printed. Three digits behind a dot may be thousands, and then both readings are kept."""
    digits, fraction = match["digits"].replace(",", ""), match["fraction"] or ""
    exact = number(digits + fraction)
    if exact is None:
        return None
    if not _THOUSANDS.fullmatch(fraction):
        return Interval.of(match["comparator"] or "", exact)
    return None if match["comparator"] else Interval(exact, number(digits + fraction[1:]))


def _titer(reciprocal: Interval | None) -> _Said:
    """A reciprocal, which is 1 or more: anything less is a quotient or another scale."""
    if reciprocal is None or any(bound is not None and bound < 1 for bound in (reciprocal.low, reciprocal.high)):
        return _NOT_INTERPRETABLE
    return _Said(TiterReading.RECIPROCAL, reciprocal)


def _counted(reciprocal: Interval | None, is_named_titer: bool) -> _Said:
    """A bare number: a reciprocal only under the name of a titre, and only a whole one, for an index is none."""
    if reciprocal is None or not is_named_titer:
        return _NOT_INTERPRETABLE
    bounds = [bound for bound in (reciprocal.low, reciprocal.high) if bound is not None]
    return _titer(reciprocal) if all(bound == bound.to_integral_value() for bound in bounds) else _NOT_INTERPRETABLE


# --- numbers


def _quantity(element: JsonObject, is_named_titer: bool) -> _Said:
    units = {said for name in ("code", "unit") if (said := text(element.get(name)).lower())}
    reciprocal = quantity_interval(element)
    if units - _TITER_UNITS - {"1"}:
        return _NOT_INTERPRETABLE
    return _titer(reciprocal) if units & _TITER_UNITS else _counted(reciprocal, is_named_titer)


def _ratio(ratio: JsonObject, resource: JsonObject) -> _Said:
    """1 to so many. A comparator on a part counts only as the report prints it, for it may mean either direction."""
    parts = [only_object(ratio.get(name)) for name in ("numerator", "denominator")]
    one, many = (number(part.get("value")) for part in parts)
    units = {said for part in parts for name in ("code", "unit") if (said := text(part.get(name)).lower())}
    if one != 1 or many is None or units - _TITER_UNITS - {"1"}:
        return _NOT_INTERPRETABLE
    comparators = [part.get("comparator") for part in parts if part.get("comparator")]
    if not comparators:
        return _titer(Interval.exactly(many))
    stated = Interval.of(text(comparators[0]) or "?", many) if len(comparators) == 1 else None
    return _titer(stated) if stated is not None and _printed(resource) == {stated} else _NOT_INTERPRETABLE


def _printed(resource: JsonObject) -> set[Interval | None]:
    """The titres in the text that a report prints: its string, or its narrative without markup."""
    narrative = _MARKUP.sub(" ", text(an_object(resource.get("text")).get("div")))
    shown = (text(resource.get("valueString")), html.unescape(narrative))
    return {
        _interval(match)
        for part in shown
        for match in re.finditer(rf"(?<![\w.,:/]){_PRINTED.pattern}(?![\w:/]|[.,][0-9])", part.translate(_PLAIN_SIGNS))
    }


def _ratio_written(ratio: JsonObject) -> str:
    return ":".join(as_written(only_object(ratio.get(name))) for name in ("numerator", "denominator"))


# --- concepts


def _concept(concept: JsonObject, recognition: Recognition, is_named_titer: bool) -> Iterator[tuple[_Said, str]]:
    """A coded answer and its text; the name of a code that is known itself is not read."""
    shown = first_text(concept)
    is_read = False
    others = []
    for coding in codings(concept):
        if text(coding.get("code")) in _NEGATIVE_CODES and recognition.codes.is_system(coding.get("system"), "SNOMED"):
            is_read = True
            yield _NEGATIVE, shown
        elif text(coding.get("display")):
            others.append(text(coding.get("display")))
    said = text(concept.get("text"))
    for words in [said] if said else others:
        is_read = True
        yield _in_words(words, recognition, is_named_titer), shown
    if shown and not is_read:
        yield _NOT_INTERPRETABLE, shown


# --- beside the value


def _is_other_method(resource: JsonObject) -> bool:
    """Whether the method, or the test's own name, is another than the ELISA that the label's limit refers to."""
    method = " | ".join(concept_texts(resource.get("method")))
    name = " | ".join(concept_texts(resource.get("code")))
    is_other = bool(method) and not _ELISA.search(method)
    return is_other or _CELL_BASED.search(f"{method} | {name}") is not None


def _is_of_somebody_else(resource: JsonObject) -> bool:
    """Whether the specimen, or the test's name, is the mother's, or the specimen's subject is not the result's."""
    specimen = an_object(resource.get("specimen"))
    name = referenced(specimen)
    contained = [item for item in objects(resource.get("contained")) if name == f"#{text(item.get('id')).lstrip('#')}"]
    subjects = {referenced(item.get("subject")) for item in contained if item.get("subject")}
    said = [text(specimen.get("display")), *concept_texts(resource.get("code"))]
    said += [words for item in contained for kind in values(item.get("type")) for words in concept_texts(kind)]
    is_other = bool(subjects - {referenced(resource.get("subject"))})
    return is_other or any(_OF_THE_MOTHER.search(words) for words in said)
