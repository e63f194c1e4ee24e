"""Observation → weights, gestational ages and SMN1 results. Selected by code before anything else is read."""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import GeneReading, GeneticResult, GestationalAge, WeightMeasurement
from cds_service.domain.quantities import Quantity, UnitTable
from cds_service.fhir.clinical_time import SiteClock, effective_time, iso_day, recency
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    first_text,
    objects,
    only_object,
    says_nothing,
    text,
    whole_number,
)
from cds_service.fhir.observed_value import READ_AS_QUANTITY, unread_value
from cds_service.fhir.quantity import as_written, read_measured
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.references import own_reference
from cds_service.fhir.standing import observation_standing, report_standing

_READ_AS_GENETICS = READ_AS_QUANTITY | {"valueCodeableConcept"}
WEIGHT, OTHER_WEIGHT = "body_weight", "body_weight_not_for_dosing"
GESTATIONAL_AGE, FOETAL_AGE = "gestational_age", "gestational_age_excluded"
SMN1_COPIES = "smn1_copy_number"
SMN1_TEXTS = frozenset({"smn1_targeted_analysis", "smn1_smn2_targeted_analysis"})
# Codes whose result may be a number of SMN1 copies; the joint SMN1 and SMN2 analysis does not say of which gene.
COUNTING = frozenset({SMN1_COPIES, "smn1_targeted_analysis"})
NEWBORN_SCREEN = "sma_newborn_screen"
VARIANT = "variant_observation"
SMN1_CONCEPTS = frozenset({SMN1_COPIES, NEWBORN_SCREEN, VARIANT}) | SMN1_TEXTS
SMN2_CONCEPTS = frozenset({"smn2_copy_number", "smn2_targeted_analysis"})

_WEEKS = r"(?P<weeks>\d{2})"
_DAYS = r"(?P<days>[0-6])"
_WEEK_WORD = r"\s*(?:w|wk|wks|week|weeks)"
_GESTATIONAL_AGE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_WEEKS}(?:{_WEEK_WORD})?",
        rf"{_WEEKS}\s*\+\s*{_DAYS}",
        rf"{_WEEKS}\s+{_DAYS}/7(?:{_WEEK_WORD})?",
        rf"{_WEEKS}{_WEEK_WORD}\s*(?:and\s*)?{_DAYS}\s*(?:d|day|days|/7)",
    )
)
_COUNTS = ("", "1", "copy", "copies", "copy number")
_COPIES = re.compile(r"(\d)(?: cop(?:y|ies))?")
_EXON = re.compile(r"\bexon\s*([78])\b", re.IGNORECASE)
_HOMOZYGOUS = frozenset({"la6705-3"})
_PRESENT = frozenset({"la9633-4"})


def read_weight(
    resource: JsonObject, concepts: frozenset[str], clock: SiteClock, units: UnitTable
) -> WeightMeasurement | None:
    """A body weight, or None if it was entered in error. Without a readable number its quantity is None."""
    standing = observation_standing(resource)
    if standing is None:
        return None
    element = only_object(resource.get("valueQuantity"))
    written = as_written(element) or text(resource.get("valueString")) or unread_value(resource, READ_AS_QUANTITY)
    is_empty = not written and standing is not Standing.NO_INFORMATION and not resource.get("component")
    if not written:
        standing = Standing.NO_INFORMATION
    elif resource.get("dataAbsentReason") or resource.get("focus"):
        standing = Standing.PROVISIONAL
    measured = effective_time(resource, clock)
    status = code_text(resource.get("status"))
    return WeightMeasurement(
        quantity=read_measured(element, WEIGHT, units),
        written=written,
        measured=measured,
        for_dosing=WEIGHT in concepts and OTHER_WEIGHT not in concepts,
        standing=standing,
        is_correction=status in ("amended", "corrected"),
        order_key=recency(resource, clock),
        evidence=_evidence(resource, written, measured),
        is_empty=is_empty,
    )


def read_gestational_age(resource: JsonObject, clock: SiteClock, units: UnitTable) -> GestationalAge | None:
    """A gestational age at birth in days, weeks alone as their first day; None if it was entered in error."""
    standing = observation_standing(resource)
    if standing is None:
        return None
    element = only_object(resource.get("valueQuantity"))
    said = text(resource.get("valueString"))
    written = as_written(element) or said or unread_value(resource, READ_AS_QUANTITY)
    measured = effective_time(resource, clock)
    quantity = read_measured(element, GESTATIONAL_AGE, units)
    return GestationalAge(
        at_birth_days=_whole_days(quantity, units) if quantity else _days_in_text(said),
        written=written,
        measured=measured,
        standing=_by_time(standing, measured) if written else Standing.NO_INFORMATION,
        order_key=(iso_day(measured), recency(resource, clock)[0]),
        evidence=_evidence(resource, written, measured),
    )


def _whole_days(quantity: Quantity, units: UnitTable) -> int:
    days = units.in_own_unit(quantity, GESTATIONAL_AGE)
    return int(days.to_integral_value(rounding=ROUND_FLOOR))


def _days_in_text(said: str) -> int | None:
    for pattern in _GESTATIONAL_AGE:
        if match := pattern.fullmatch(said.lower().rstrip(".")):
            parts = match.groupdict()
            return int(parts["weeks"]) * 7 + int(parts.get("days") or 0)
    return None


def read_genetic_result(
    resource: JsonObject, concepts: frozenset[str], clock: SiteClock, recognition: Recognition
) -> GeneticResult | None:
    """What a result says about SMN1, or None if it was entered in error, says nothing, or is about another gene."""
    standing = observation_standing(resource)
    if standing is None or standing is Standing.NO_INFORMATION:
        return None
    if VARIANT in concepts:
        reading, copies, written = _variant(resource, recognition)
        if reading is None:
            return None
    else:
        written = _said_or_counted(resource)
        reading, copies = _count_or_words(resource, concepts, recognition)
    if not written:
        return None
    exon = _EXON.search(" ".join([*concept_texts(resource.get("code")), written]))
    measured = effective_time(resource, clock)
    return GeneticResult(
        reading=reading,
        copies=copies,
        exon=exon[1] if exon else "",
        measured=measured,
        standing=_by_time(standing, measured),
        evidence=_evidence(resource, written, measured),
    )


def _count_or_words(
    resource: JsonObject, concepts: frozenset[str], recognition: Recognition
) -> tuple[GeneReading, int | None]:
    """The number of copies that was counted, else what the words say. A count may be one that nobody can read."""
    copies = _copies(resource) if concepts & COUNTING else None
    if copies is not None:
        return GeneReading.COPY_NUMBER, copies
    reading = _reading(_said(resource), concepts, recognition)
    is_count = bool(concepts & COUNTING) and _is_counted(resource) and reading is not GeneReading.CARRIER
    is_count = is_count or (SMN1_COPIES in concepts and reading is GeneReading.NOT_INTERPRETABLE)
    return GeneReading.COUNT_UNREADABLE if is_count else reading, None


def _by_time(standing: Standing, measured: ClinicalTime) -> Standing:
    """A result whose time cannot be placed may alarm and proves nothing (C2, ruling 62)."""
    return standing if measured.may_satisfy else Standing.PROVISIONAL


def _said(resource: JsonObject) -> list[str]:
    said = text(resource.get("valueString"))
    return [*([said] if said else []), *concept_texts(resource.get("valueCodeableConcept"))]


def _said_or_counted(resource: JsonObject) -> str:
    said = _said(resource)
    quantity = only_object(resource.get("valueQuantity"))
    counted = "" if says_nothing(quantity.get("value")) else as_written(quantity)
    whole = whole_number(resource.get("valueInteger"))
    if whole is not None:
        counted = counted or str(whole)
    return said[0] if said else counted or unread_value(resource, _READ_AS_GENETICS)


def _copies(resource: JsonObject) -> int | None:
    """A whole number of gene copies, from a count or from text that is nothing else."""
    element = only_object(resource.get("valueQuantity"))
    if element and not element.get("comparator"):
        unit = text(element.get("unit")) or text(element.get("code"))
        return _if_not_negative(whole_number(element.get("value"))) if unit.strip("{}").lower() in _COUNTS else None
    if (whole := whole_number(resource.get("valueInteger"))) is not None:
        return _if_not_negative(whole)
    for said in _said(resource):
        if match := _COPIES.fullmatch(said.lower().rstrip(".")):
            return int(match[1])
    return None


def _is_counted(resource: JsonObject) -> bool:
    """Whether a number of copies is reported, one that can be read or not; words alone are none."""
    quantity = only_object(resource.get("valueQuantity"))
    return not says_nothing(quantity.get("value")) or bool(unread_value(resource, _READ_AS_GENETICS))


def _if_not_negative(count: int | None) -> int | None:
    return count if count is not None and count >= 0 else None


def _reading(said: list[str], concepts: frozenset[str], recognition: Recognition) -> GeneReading:
    lists = {
        "newborn_screen_positive": GeneReading.SCREEN_POSITIVE,
        "newborn_screen_negative": GeneReading.SCREEN_NEGATIVE,
    }
    if NEWBORN_SCREEN not in concepts:
        lists = {
            "smn1_biallelic": GeneReading.BIALLELIC,
            "smn1_compound_heterozygous": GeneReading.COMPOUND_HETEROZYGOUS,
            "smn1_carrier": GeneReading.CARRIER,
            "smn1_second_variant": GeneReading.SECOND_VARIANT,
        }
    for name, reading in lists.items():
        if recognition.says(name, said):
            return reading
    return GeneReading.NOT_INTERPRETABLE


def read_genetic_report(
    resource: JsonObject, concepts: frozenset[str], clock: SiteClock, recognition: Recognition
) -> GeneticResult | None:
    """What a report's conclusion says about SMN1, or None if it concludes nothing or was entered in error."""
    standing = report_standing(resource)
    said = [text(resource.get("conclusion")), *concept_texts(resource.get("conclusionCode"))]
    said = [part for part in said if part]
    if standing is None or standing is Standing.NO_INFORMATION or not said:
        return None
    measured = effective_time(resource, clock)
    reading = _reading(said, concepts, recognition)
    return GeneticResult(
        reading, None, "", measured, _by_time(standing, measured), _evidence(resource, said[0], measured)
    )


def _variant(resource: JsonObject, recognition: Recognition) -> tuple[GeneReading | None, int | None, str]:
    """A structured variant of SMN1: its copy number, or a homozygous variant that is present."""
    components = objects(resource.get("component"))
    parts = {concept: part for part in components for concept in recognition.concept_of(part.get("code"))}
    gene = an_object(parts.get("gene_studied")).get("valueCodeableConcept")
    if "smn1_gene" not in recognition.concept_of(gene):
        return None, None, ""
    counted = an_object(parts.get("copy_number_component"))
    copies = _copies(counted)
    if copies is not None:
        return GeneReading.COPY_NUMBER, copies, str(copies)
    if _is_counted(counted):
        return GeneReading.COUNT_UNREADABLE, None, _said_or_counted(counted)
    state = an_object(parts.get("allelic_state")).get("valueCodeableConcept")
    is_present = _has_answer(resource.get("valueCodeableConcept"), _PRESENT)
    is_homozygous = _has_answer(state, _HOMOZYGOUS)
    said = [words for part in components for words in concept_texts(part.get("valueCodeableConcept"))]
    is_proof = is_present and is_homozygous and recognition.says("variant_pathogenic", said)
    reading = GeneReading.BIALLELIC if is_proof else GeneReading.NOT_INTERPRETABLE
    return reading, None, first_text(state) or first_text(resource.get("valueCodeableConcept"))


def _has_answer(concept: object, answers: frozenset[str]) -> bool:
    return any(code_text(coding.get("code")) in answers for coding in codings(concept))


def other_evidence(resource: JsonObject, clock: SiteClock) -> Evidence | None:
    """A result that is shown and not reasoned with, or None where there is nothing to show."""
    written = _said_or_counted(resource)
    if observation_standing(resource) is None or not written:
        return None
    return _evidence(resource, written, effective_time(resource, clock))


def _evidence(resource: JsonObject, written: str, measured: ClinicalTime) -> Evidence:
    name, status = first_text(resource.get("code")), code_text(resource.get("status"))
    return Evidence(own_reference(resource), name, written, iso_day(measured), status)
