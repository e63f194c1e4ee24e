"""Observation → blood pressure and urine output (clinical-rules C1, C4, `tma-evaluate`).

A bound such as `>110` is read where it can alarm, as that number, and then it can do nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.quantities import UnitTable
from cds_service.domain.results import BloodPressure, UrineOutput
from cds_service.fhir.clinical_time import SiteClock, effective_time
from cds_service.fhir.json_shapes import JsonObject, only_object, text
from cds_service.fhir.laboratory import components_as_results, result_evidence, result_standing
from cds_service.fhir.observed_value import READ_AS_QUANTITY, unread_value
from cds_service.fhir.quantity import as_written, at_least, at_most, read_measured
from cds_service.fhir.recognition import Recognition

SYSTOLIC, BLOOD_PRESSURE_PANEL, URINE_OUTPUT = "systolic_blood_pressure", "blood_pressure_panel", "urine_output"
_PRESSURE = "blood_pressure"
Bound = Callable[[JsonObject], JsonObject | None]


@dataclass(frozen=True, slots=True)
class _Sign:
    """One measurement in the unit of its concept; `amount` is None where it cannot be interpreted."""

    amount: Decimal | None
    measured: ClinicalTime
    standing: Standing
    evidence: Evidence


def systolic_results(resource: JsonObject, concepts: frozenset[str], recognition: Recognition) -> list[JsonObject]:
    """The systolic pressures of an Observation of these concepts, each as a result of its own: parts, or itself."""
    parts = components_as_results(resource) if resource.get("component") else []
    systolic = [part for part in parts if SYSTOLIC in recognition.concept_of(part.get("code"))]
    return systolic or ([resource] if SYSTOLIC in concepts else [])


def read_blood_pressure(resource: JsonObject, clock: SiteClock, units: UnitTable) -> BloodPressure | None:
    """A systolic blood pressure, or None if it was entered in error. `>110` counts as 110."""
    sign = _read(resource, SYSTOLIC, _PRESSURE, at_least, clock, units)
    if sign is None:
        return None
    systolic = sign.amount if sign.amount is not None and sign.amount > 0 else None
    return BloodPressure(systolic, sign.measured, sign.standing, sign.evidence)


def read_urine_output(resource: JsonObject, clock: SiteClock, units: UnitTable) -> UrineOutput | None:
    """The urine of 24 hours, or None if it was entered in error. `<50 mL` counts as 50 mL."""
    sign = _read(resource, URINE_OUTPUT, URINE_OUTPUT, at_most, clock, units)
    if sign is None:
        return None
    ml_per_day = sign.amount if sign.amount is not None and sign.amount >= 0 else None
    return UrineOutput(ml_per_day, sign.measured, sign.standing, sign.evidence)


def _read(
    resource: JsonObject, concept: str, unit_concept: str, alarming: Bound, clock: SiteClock, units: UnitTable
) -> _Sign | None:
    measured = effective_time(resource, clock)
    element = only_object(resource.get("valueQuantity"))
    written = as_written(element) or text(resource.get("valueString")) or unread_value(resource, READ_AS_QUANTITY)
    standing = result_standing(resource, measured, has_value=bool(written))
    if standing is None:
        return None
    bound = alarming(element)
    if bound is not None and standing is Standing.ACCEPTED:
        standing = Standing.PROVISIONAL
    quantity = read_measured(element if bound is None else bound, unit_concept, units)
    amount = None if quantity is None else units.in_own_unit(quantity, unit_concept)
    return _Sign(amount, measured, standing, result_evidence(resource, concept, written, measured))
