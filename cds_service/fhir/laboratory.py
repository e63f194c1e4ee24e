"""Observation → a laboratory result: number, unit, limits and what it may do (clinical-rules C1 to C5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import BirthDate
from cds_service.domain.intervals import Interval
from cds_service.domain.quantities import UnitTable, plain
from cds_service.domain.results import LabFlag, LabResult
from cds_service.fhir.clinical_time import SiteClock, effective_time, iso_day, recency
from cds_service.fhir.json_shapes import (
    JsonObject,
    code_text,
    codings,
    first_text,
    first_words,
    number,
    objects,
    only_object,
    text,
)
from cds_service.fhir.observed_value import unread_value
from cds_service.fhir.quantity import as_written
from cds_service.fhir.reference_range import (
    NO_UNIT,
    RangeReader,
    StatedUnit,
    stated_unit,
    unit_named,
    unit_of_ranges,
    units_written,
)
from cds_service.fhir.references import own_reference
from cds_service.fhir.standing import observation_standing

ANALYTES: tuple[str, ...] = (
    "alt",
    "ast",
    "total_bilirubin",
    "direct_bilirubin",
    "albumin",
    "prothrombin_time",
    "partial_thromboplastin_time",
    "inr",
    "creatinine",
    "hemoglobin",
    "platelets",
    "ldh",
    "haptoglobin",
    "troponin_i",
    "troponin_t",
)

# No thousands separators, no decimal commas, no sign, no exponent; never a number from within other words.
_REPORTED = re.compile(r"(?P<comparator><=|>=|<|>|≤|≥)?\s*(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>\S(?:.*\S)?)?")
_OWN = frozenset({"code", "component", "referenceRange", "interpretation", "dataAbsentReason"})
_READ = frozenset({"valueQuantity", "valueString", "valueInteger", "valueCodeableConcept"})
_LONGEST_RESULT = 100
_AS_CODE = {"≤": "<=", "≥": ">="}
_FLAGS: Mapping[str, LabFlag] = {
    "N": LabFlag.NORMAL,
    "A": LabFlag.ABNORMAL,
    "AA": LabFlag.ABNORMAL,
    **dict.fromkeys(("H", "HH", "HU"), LabFlag.HIGH),
    **dict.fromkeys(("L", "LL", "LU"), LabFlag.LOW),
}
_FLAG_SYSTEMS = (
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    "http://terminology.hl7.org/CodeSystem/v2-0078",
    "http://hl7.org/fhir/v2/0078",
)


@dataclass(frozen=True, slots=True)
class _Reported:
    """What a result states: its number, its unit, and all of it as written."""

    number: Interval | None
    unit: StatedUnit
    written: str


_NOTHING = _Reported(None, NO_UNIT, "")


@dataclass(frozen=True, slots=True)
class LabReader:
    """Reads laboratory results with the clock, the units and the child's birth date of one call."""

    born: BirthDate | None
    clock: SiteClock
    ranges: RangeReader

    @classmethod
    def of(cls, born: BirthDate | None, clock: SiteClock, units: UnitTable) -> LabReader:
        """A reader for one call; it is not kept for the next."""
        return cls(born, clock, RangeReader(units))

    def read(self, resource: JsonObject, analyte: str) -> LabResult | None:
        """A result of one of ANALYTES, or None if it was entered in error.

        Words and free text have no number; a unit that cannot be interpreted has no amount; both stay as written.
        """
        units = self.ranges.units
        measured = effective_time(resource, self.clock)
        reported = _reported(resource, analyte, units)
        standing = result_standing(resource, measured, has_value=bool(reported.written))
        if standing is None:
            return None
        value, unit = reported.number, _unit_with_ranges(reported.unit, resource, analyte, units)
        limits = None
        if value is not None:
            limits = self.ranges.limits(resource, analyte, value, unit, measured, self.born)
        return LabResult(
            analyte=analyte,
            number=value,
            amount=value.times(units.size_of(unit.known, analyte)) if value and unit.known else None,
            limits=limits,
            flag=_flag(resource),
            written=reported.written,
            measured=measured,
            standing=standing,
            is_correction=is_correction(resource),
            order_key=recency(resource, self.clock),
            evidence=result_evidence(resource, analyte, reported.written, measured),
            had_no_result=not reported.written and _is_final(resource) and not resource.get("component"),
        )


def _is_final(resource: JsonObject) -> bool:
    return observation_standing(resource) is Standing.ACCEPTED


def components_as_results(resource: JsonObject) -> list[JsonObject]:
    """Each component of an Observation as a result of its own, with the times and standing of the whole."""
    common = {name: value for name, value in resource.items() if name not in _OWN and not name.startswith("value")}
    return [common | part for part in objects(resource.get("component"))]


def result_standing(resource: JsonObject, measured: ClinicalTime, *, has_value: bool) -> Standing | None:
    """What a result may do; None if it was entered in error.

    A value that is said to be absent, a result about somebody or something else, and one whose time cannot be
    relied on may alarm and prove nothing.
    """
    standing = observation_standing(resource)
    if standing is None:
        return None
    if standing is Standing.NO_INFORMATION or not has_value:
        return Standing.NO_INFORMATION
    is_doubtful = bool(resource.get("dataAbsentReason") or resource.get("focus")) or not measured.may_satisfy
    return Standing.PROVISIONAL if is_doubtful else standing


def is_correction(resource: JsonObject) -> bool:
    """Whether a result replaces an earlier one of the same time."""
    return code_text(resource.get("status")) in ("amended", "corrected")


def result_evidence(resource: JsonObject, concept: str, written: str, measured: ClinicalTime) -> Evidence:
    """A result for showing, under the record's own name for the test, else under ours."""
    name = first_words(resource.get("code")) or concept
    status = code_text(resource.get("status"))
    return Evidence(own_reference(resource), name, written, iso_day(measured), status)


def quantity_interval(element: JsonObject) -> Interval | None:
    """The values that a Quantity's number may have; None where it has no number that is 0 or more."""
    comparator = element.get("comparator") or ""
    if not isinstance(comparator, str):
        return None
    return _interval(comparator.strip(), number(element.get("value")))


def _interval(comparator: str, exact: Decimal | None) -> Interval | None:
    if exact is None or exact < 0:
        return None
    return Interval.of(_AS_CODE.get(comparator, comparator), exact)


def _reported(resource: JsonObject, analyte: str, units: UnitTable) -> _Reported:
    """The first value that a result holds: quantity, text, whole number, or words of a concept."""
    element = only_object(resource.get("valueQuantity"))
    if element.get("value") is not None:
        return _Reported(quantity_interval(element), stated_unit(element, analyte, units), as_written(element))
    if said := text(resource.get("valueString")):
        return _in_words(said, resource, analyte, units)
    if (whole := number(resource.get("valueInteger"))) is not None:
        return _Reported(_interval("", whole), NO_UNIT, plain(whole))
    concept = only_object(resource.get("valueCodeableConcept"))
    if said := text(concept.get("text")):
        return _in_words(said, resource, analyte, units)
    if said := first_text(concept):
        return _Reported(None, NO_UNIT, said)
    unread = unread_value(resource, _READ)
    return _Reported(None, NO_UNIT, unread) if unread else _NOTHING


def _in_words(said: str, resource: JsonObject, analyte: str, units: UnitTable) -> _Reported:
    """A number in text: alone, or with words that are a unit of the analyte or of the result's own limits."""
    match = _REPORTED.fullmatch(said) if len(said) <= _LONGEST_RESULT else None
    if match is None:
        return _Reported(None, NO_UNIT, said)
    words = match["unit"] or ""
    unit = StatedUnit(unit_named(words, analyte, units), words) if words else NO_UNIT
    if words and not unit.known and words not in units_written(resource):
        return _Reported(None, NO_UNIT, said)
    return _Reported(_interval(match["comparator"] or "", number(match["number"])), unit, said)


def _unit_with_ranges(unit: StatedUnit, resource: JsonObject, analyte: str, units: UnitTable) -> StatedUnit:
    """The result's unit; where it states none, what that means for the analyte, else the unit of its limits."""
    if unit.written or unit.known:
        return unit
    if (known := unit_named("", analyte, units)) is not None:
        return StatedUnit(known, "")
    return unit_of_ranges(resource, analyte, units)


def _flag(resource: JsonObject) -> LabFlag:
    """What the laboratory's flags say together; a flag of a foreign system may alarm and does not say normal."""
    found: set[LabFlag] = set()
    for coding in codings(resource.get("interpretation")):
        flag = _FLAGS.get(text(coding.get("code")).upper())
        if flag is not None and (flag is not LabFlag.NORMAL or text(coding.get("system")) in _FLAG_SYSTEMS):
            found.add(flag)
    if len(found) > 1:
        return LabFlag.ABNORMAL
    return found.pop() if found else LabFlag.NOT_STATED
