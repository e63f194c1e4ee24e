"""Observation.referenceRange → the limits of one result, in one unit with it (clinical-rules C5).

Nothing is assumed: a range in another unit that cannot be converted, or one that is meant for something else than
normal values of this child, is no range.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from cds_service.domain.days import DAYS_PER_WEEK, MONTHS_PER_YEAR, ClinicalTime, add_months
from cds_service.domain.facts import BirthDate
from cds_service.domain.intervals import Interval
from cds_service.domain.quantities import UnitTable, exact_product, plain
from cds_service.domain.results import ReferenceRange
from cds_service.fhir.json_document import as_one_text
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    codings,
    concept_texts,
    number,
    objects,
    text,
    whole_number,
)
from cds_service.fhir.quantity import UCUM

# Ranges that tell what a treatment aims at, when to telephone, or what can be entered at all: never what is normal.
_NOT_NORMAL = re.compile(r"\b(?:therapeutic|critical|panic|treatment|absolute|recommended)\b")
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_UNIT = r"\s*(?P<unit>\S(?:.*\S)?)?"
_FROM_TO = re.compile(rf"(?P<low>{_NUMBER})\s*(?:-|–|—|to)\s*(?P<high>{_NUMBER}){_UNIT}")
_UP_TO = re.compile(rf"(?:<=|<|≤)\s*(?P<high>{_NUMBER}){_UNIT}")
_AT_LEAST = re.compile(rf"(?:>=|>|≥)\s*(?P<low>{_NUMBER}){_UNIT}")
_UPWARDS, _DOWNWARDS = frozenset({">", ">="}), frozenset({"<", "<="})
_MONTHS = {"mo": 1, "month": 1, "months": 1}
_MONTHS |= dict.fromkeys(("a", "y", "yr", "yrs", "year", "years"), MONTHS_PER_YEAR)
_DAYS = {"d": 1, "day": 1, "days": 1}
_DAYS |= dict.fromkeys(("wk", "wks", "week", "weeks"), DAYS_PER_WEEK)


@dataclass(frozen=True, slots=True)
class StatedUnit:
    """A unit as a record states it: `known` in the table of the analyte, None if it is not there; "" if none."""

    known: str | None
    written: str


NO_UNIT = StatedUnit(None, "")


def stated_unit(element: JsonObject, analyte: str, units: UnitTable) -> StatedUnit:
    """The unit of a Quantity: its code where that is of the unit system or of none, else its words.

    A code that the words beside it contradict is no unit of anything.
    """
    system, code, said = text(element.get("system")), text(element.get("code")), text(element.get("unit"))
    is_coded = bool(code) and system in ("", UCUM)
    named = code if is_coded else said
    known = unit_named(named, analyte, units) if named else None
    if is_coded and said and _contradicts(known, said, analyte, units):
        return StatedUnit(None, f"{said} ({code})")
    return StatedUnit(known, said or code)


def unit_named(said: str, analyte: str, units: UnitTable) -> str | None:
    """The analyte's unit behind a code or a listed spelling; some analytes have one for no word at all."""
    return units.coded(analyte, said) or units.spelled(analyte, said)


def _contradicts(known: str | None, said: str, analyte: str, units: UnitTable) -> bool:
    """Whether the words mean a unit of another size: IU/L beside [IU]/L is only another spelling."""
    if not units.contradicts(analyte, known, said):
        return False
    meant = units.spelled(analyte, said)
    return meant is None or known is None or units.size_of(meant, analyte) != units.size_of(known, analyte)


def unit_of_ranges(resource: JsonObject, analyte: str, units: UnitTable) -> StatedUnit:
    """The one unit that all ranges of normal values state; none where they state several, or none."""
    entries = (_entry(item, analyte, units) for item in objects(resource.get("referenceRange")) if _is_normal(item))
    stated = {entry.unit for entry in entries if entry and entry.unit.written}
    # Words after a number are a unit only if the table knows them.
    stated = {unit for unit in stated if unit.known or unit.written in units_written(resource)}
    return stated.pop() if len(stated) == 1 else NO_UNIT


def units_written(resource: JsonObject) -> frozenset[str]:
    """Every unit that stands in a bound of a range, as it is written."""
    bounds = (an_object(item.get(side)) for item in objects(resource.get("referenceRange")) for side in ("low", "high"))
    return frozenset(said for bound in bounds if (said := text(bound.get("unit")) or text(bound.get("code"))))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of referenceRange whose bounds could be read."""

    low: Decimal | None
    high: Decimal | None
    unit: StatedUnit
    written: str
    is_from_text: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Limits in one unit with the result. `unit` is a known one that they are in; None: they are in the own one."""

    limits: ReferenceRange
    unit: str | None


@dataclass(frozen=True, slots=True)
class _NormalRanges:
    """What the ranges of normal values of a result say. `by_age` has each with its age; () where none has one."""

    of_all_ages: tuple[_Entry, ...]
    by_age: tuple[tuple[JsonObject, _Entry | None], ...]

    @classmethod
    def of(cls, ranges: list[tuple[JsonObject, _Entry | None]]) -> _NormalRanges:
        """Those of ranges whose bounds could be read, and of the others that they are there."""
        ages = tuple((an_object(item.get("age")), entry) for item, entry in ranges)
        return cls(tuple(entry for _, entry in ranges if entry), ages if any(age for age, _ in ages) else ())

    def at(self, day: date, born: BirthDate) -> Sequence[_Entry]:
        """The ranges that hold the age on this day; one that cannot be told to be for another age is kept.

        Where none holds it, an upper age counts until one more of its unit is completed: "0-11 months" beside
        "12-23 months" leaves no gap.
        """
        if not self.by_age:
            return self.of_all_ages
        exactly = [entry for age, entry in self.by_age if _may_hold(age, day, born, into_next=False)]
        held = exactly or [entry for age, entry in self.by_age if _may_hold(age, day, born, into_next=True)]
        return [entry for entry in held if entry]


_NO_RANGES = _NormalRanges((), ())


@dataclass(frozen=True, slots=True)
class RangeReader:
    """Reads the ranges of one call.

    `_read` is what ranges of normal values say, by analyte and as they are written. The results of one test repeat
    their ranges, and each is read once: that takes a third of the time. Nothing of it outlives the call.
    """

    units: UnitTable
    _read: dict[tuple[str, bytes], _NormalRanges] = field(default_factory=dict, init=False, repr=False)

    def limits(
        self,
        resource: JsonObject,
        analyte: str,
        number: Interval,
        unit: StatedUnit,
        measured: ClinicalTime,
        born: BirthDate | None,
    ) -> ReferenceRange | None:
        """The limits that a result of this number and unit has to be held against, or None where it has none usable.

        Of several ranges those for another age or another purpose do not count; of those left the one with the lowest
        upper limit does, with its own lower limit. Result and limits keep their unit if it is one; else both come in
        the analyte's own unit.
        """
        ranges = self._normal(resource.get("referenceRange"), analyte)
        entries = ranges.of_all_ages if born is None or measured.day is None else ranges.at(measured.day, born)
        found = [item for entry in entries if (item := _beside(entry, number, unit, analyte, self.units))]
        if len(found) > 1:
            return _lowest(found, analyte, self.units)
        return found[0].limits if found else None

    def _normal(self, ranges: object, analyte: str) -> _NormalRanges:
        if not ranges:
            return _NO_RANGES
        name = analyte, as_one_text(ranges)
        read = self._read.get(name)
        if read is None:
            normal = [item for item in objects(ranges) if _is_normal(item)]
            read = self._read[name] = _NormalRanges.of([(item, _entry(item, analyte, self.units)) for item in normal])
        return read


def _lowest(candidates: list[_Candidate], analyte: str, units: UnitTable) -> ReferenceRange:
    """The limits with the lowest upper one; without any upper one, those with the highest lower one.

    They are compared in the analyte's own unit where theirs is known.
    """
    bounds = []
    for item in candidates:
        low, high = (_in_own_unit(bound, item.unit, analyte, units) for bound in (item.limits.low, item.limits.high))
        bounds.append((low, high, item.limits))
    bounded = [(high, limits) for _, high, limits in bounds if high is not None]
    if bounded:
        _, chosen = min(bounded, key=lambda item: item[0])
    else:
        _, _, chosen = max(bounds, key=lambda item: item[0] or Decimal(0))
    return replace(chosen, is_lowest_of_several=len({(low, high) for low, high, _ in bounds}) > 1)


# --- which entries count


def _is_normal(item: JsonObject) -> bool:
    concepts = [concept for concept in (item.get("type"), item.get("appliesTo")) if concept]
    said = [words for concept in concepts for words in concept_texts(concept)]
    said += [text(coding.get("code")) for concept in concepts for coding in codings(concept)]
    return not any(_NOT_NORMAL.search(words.lower()) for words in (*said, text(item.get("text"))))


def _may_hold(age: JsonObject, day: date, born: BirthDate, *, into_next: bool) -> bool:
    start = _reached(born.earliest, age.get("low"), 0)
    end = _reached(born.latest, age.get("high"), int(into_next))
    is_young_enough = end is None or day < end or (day == end and not into_next)
    return (start is None or start <= day) and is_young_enough


def _reached(born: date, bound: object, more: int) -> date | None:
    """The day on which a child reaches an age, by so many more of its unit; None where that cannot be told."""
    element = an_object(bound)
    value = number(element.get("value"))
    if value is None or element.get("comparator"):
        return None
    unit = text(element.get("code")) if text(element.get("system")) in ("", UCUM) else ""
    unit = (unit or text(element.get("unit"))).lower()
    count = value + more
    try:
        if unit in _MONTHS:
            months = whole_number(exact_product(count, Decimal(_MONTHS[unit])))
            return None if months is None else add_months(born, months)
        if unit in _DAYS:
            days = whole_number(exact_product(count, Decimal(_DAYS[unit])))
            return None if days is None else born + timedelta(days=days)
    except (OverflowError, ValueError):
        return None
    return None


# --- what an entry says


def _entry(item: JsonObject, analyte: str, units: UnitTable) -> _Entry | None:
    """The bounds of an entry: its numbers, else its text; None where they cannot be read or make no sense."""
    low, high = an_object(item.get("low")), an_object(item.get("high"))
    entry = None
    if high.get("value") is None and (said := text(item.get("text"))):
        entry = _from_text(said, analyte, units)
    entry = entry or _from_numbers(low, high, analyte, units)
    if entry is None or (entry.low is None and entry.high is None):
        return None
    if entry.high is not None and (entry.high <= 0 or (entry.low is not None and entry.low > entry.high)):
        return None
    return entry


def _from_numbers(low: JsonObject, high: JsonObject, analyte: str, units: UnitTable) -> _Entry | None:
    least, most = number(low.get("value")), number(high.get("value"))
    if not (_is_bound(low, least, _UPWARDS) and _is_bound(high, most, _DOWNWARDS)):
        return None
    unit, other = stated_unit(high, analyte, units), stated_unit(low, analyte, units)
    if unit.written and other.written and not _is_same(unit, other, analyte, units):
        return None
    unit = unit if unit.written else other if other.written else NO_UNIT
    return _Entry(least, most, unit, _written(least, most, unit))


def _is_bound(element: JsonObject, value: Decimal | None, comparators: frozenset[str]) -> bool:
    """Whether an element of this number is a bound in one direction, or none at all."""
    comparator = element.get("comparator")
    is_read = value is not None or element.get("value") is None
    return is_read and (not comparator or text(comparator) in comparators)


def _written(low: Decimal | None, high: Decimal | None, unit: StatedUnit) -> str:
    if low is not None and high is not None:
        shown = f"{plain(low)}-{plain(high)}"
    else:
        shown = f"≤ {plain(high)}" if high is not None else f"≥ {plain(low)}" if low is not None else ""
    return f"{shown} {unit.written}".strip()


def _from_text(said: str, analyte: str, units: UnitTable) -> _Entry | None:
    """What "0-40", "< 40 U/L" or "> 40" says; anything that is not wholly of this form says nothing."""
    for pattern in (_FROM_TO, _UP_TO, _AT_LEAST):
        if match := pattern.fullmatch(said):
            parts = match.groupdict()
            bounds = [number(parts[name]) if parts.get(name) else None for name in ("low", "high")]
            words = parts["unit"] or ""
            unit = StatedUnit(unit_named(words, analyte, units), words) if words else NO_UNIT
            return _Entry(bounds[0], bounds[1], unit, said, is_from_text=True)
    return None


# --- limits beside a result


def _is_same(one: StatedUnit, other: StatedUnit, analyte: str, units: UnitTable) -> bool:
    """Whether two units are one: of the same size where both are known, else in the same words."""
    if one.known and other.known:
        return one.known == other.known or units.size_of(one.known, analyte) == units.size_of(other.known, analyte)
    return one.written == other.written


def _beside(entry: _Entry, value: Interval, unit: StatedUnit, analyte: str, units: UnitTable) -> _Candidate | None:
    """The limits with the result in one unit, or None where their units cannot be brought together."""
    own = entry.unit
    if not own.written or _is_same(own, unit, analyte, units):
        is_known = bool(own.written or unit.written or unit.known)
        limits = ReferenceRange(value, entry.low, entry.high, entry.written, is_known, entry.is_from_text)
        return _Candidate(limits, unit.known or own.known)
    if own.known and unit.known and not entry.is_from_text:
        low, high = (_in_own_unit(bound, own.known, analyte, units) for bound in (entry.low, entry.high))
        converted = value.times(units.size_of(unit.known, analyte))
        return _Candidate(ReferenceRange(converted, low, high, entry.written), None)
    return None


def _in_own_unit(bound: Decimal | None, unit: str | None, analyte: str, units: UnitTable) -> Decimal | None:
    return bound if bound is None or unit is None else exact_product(bound, units.size_of(unit, analyte))
