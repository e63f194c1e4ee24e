"""The one door into this package: a chart and the orders in hand → everything a rule may know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import (
    Diagnosis,
    Exposure,
    FutureDatedEntry,
    GeneticResult,
    GestationalAge,
    PatientFacts,
    ProductOrder,
    UnreadableEntry,
    WeightMeasurement,
)
from cds_service.domain.quantities import UnitTable
from cds_service.errors import PatientUnavailable
from cds_service.fhir.availability import SOURCE_OF_TYPE, Chart
from cds_service.fhir.clinical_time import SiteClock, is_timeless
from cds_service.fhir.condition import read_diagnoses, read_procedures
from cds_service.fhir.draft_orders import Draft, DraftOrders
from cds_service.fhir.exposure import (
    is_completed,
    read_administration,
    read_completed_order,
    read_immunization_dose,
    read_other_product_order,
    read_procedure_dose,
)
from cds_service.fhir.json_shapes import JsonObject, code_text, text
from cds_service.fhir.observation import (
    FOETAL_AGE,
    GESTATIONAL_AGE,
    OTHER_WEIGHT,
    SMN1_CONCEPTS,
    SMN2_CONCEPTS,
    WEIGHT,
    other_evidence,
    read_genetic_report,
    read_genetic_result,
    read_gestational_age,
    read_weight,
)
from cds_service.fhir.patient import (
    has_died,
    patient_evidence,
    read_birth_date,
    read_multiple_birth,
    record_problems,
)
from cds_service.fhir.product_order import OrderReader
from cds_service.fhir.recognition import Medicine, Named, Recognition, medications_by_reference
from cds_service.fhir.references import identifiers, is_about, own_reference, referenced
from cds_service.fhir.standing import is_removed

__all__ = ["SiteClock", "read_facts"]

_OPEN = frozenset({"active", "on-hold", "unknown"})
Read = TypeVar("Read")
Aside = TypeVar("Aside")


@dataclass(slots=True)
class _Found:
    """What has been read so far, and what could not be."""

    weights: list[WeightMeasurement] = field(default_factory=list)
    gestational_ages: list[GestationalAge] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    genetic_results: list[GeneticResult] = field(default_factory=list)
    other_genetic_evidence: list[Evidence] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    open_orders: list[ProductOrder] = field(default_factory=list)
    unclear_orders: list[Evidence] = field(default_factory=list)
    unreadable: list[UnreadableEntry] = field(default_factory=list)

    def each(
        self,
        entries: Iterable[tuple[JsonObject, Aside]],
        read: Callable[[JsonObject, Aside], Read | Iterable[Read] | None],
        into: list[Read],
    ) -> None:
        """Read every resource by itself; one that cannot be read is reported and spoils nothing."""
        for resource, aside in entries:
            try:
                result = read(resource, aside)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as fault:
                self.unreadable.append(_unreadable(resource, type(fault).__name__))
                continue
            if isinstance(result, list):
                into += result
            elif result is not None:
                into.append(cast(Read, result))


def read_facts(
    chart: Chart,
    drafts: DraftOrders,
    patient_id: str,
    clock: SiteClock,
    units: UnitTable,
    recognition: Recognition,
) -> PatientFacts:
    """Everything a rule may know about this patient on this call.

    Raises PatientUnavailable where the patient's own record did not come or is somebody else's.
    """
    patients = [item for item in chart.of_type("Patient") if text(item.get("id")) == patient_id]
    if not patients:
        raise PatientUnavailable("Patient is not available; send it as prefetch key patient")
    patient, found = patients[0], _Found()
    reader = OrderReader(units, recognition, clock)
    _read_observations(chart, found, clock, units, recognition)
    conditions, procedures = _alone(chart.of_type("Condition")), _alone(chart.of_type("Procedure"))
    found.each(conditions, lambda r, _: read_diagnoses(r, recognition, clock), found.diagnoses)
    found.each(procedures, lambda r, _: read_procedures(r, recognition, clock), found.diagnoses)
    _read_doses_and_orders(chart, drafts, found, reader)
    problems = (*record_problems(patient, patient_id), *chart.identity_problems, *drafts.other_subjects)
    in_hand: list[ProductOrder] = []
    background: list[ProductOrder] = []
    found.each(_with_medicine(_own(drafts.in_hand, patient_id)), reader.read, in_hand)
    found.each(_with_medicine(_own(drafts.background, patient_id)), reader.read, background)
    future = tuple(_future_dated(found))
    return PatientFacts(
        now=clock.now.astimezone(clock.zone),
        today=clock.today,
        zone=clock.zone.key,
        sources=chart.sources,
        identity_problems=problems,
        unreadable=(*chart.unreadable, *found.unreadable),
        future_dated=future,
        born=read_birth_date(patient, clock.today),
        birth_written=text(patient.get("birthDate")),
        patient=patient_evidence(patient),
        is_multiple_birth=read_multiple_birth(patient),
        has_died=has_died(patient),
        weights=tuple(found.weights),
        gestational_ages=tuple(item for item in found.gestational_ages if not item.measured.is_future),
        diagnoses=tuple(found.diagnoses),
        genetic_results=tuple(item for item in found.genetic_results if not item.measured.is_future),
        other_genetic_evidence=tuple(found.other_genetic_evidence),
        exposures=tuple(found.exposures),
        unclear_orders=tuple(found.unclear_orders),
        drafts=tuple(in_hand),
        background_drafts=tuple(background),
        open_orders=tuple(found.open_orders),
    )


def _read_observations(
    chart: Chart, found: _Found, clock: SiteClock, units: UnitTable, recognition: Recognition
) -> None:
    """Select by code first; only what a rule uses is read."""
    weights: list[tuple[JsonObject, frozenset[str]]] = []
    genes: list[tuple[JsonObject, frozenset[str]]] = []
    ages, others = [], []
    for resource in chart.of_type("Observation"):
        concepts = recognition.concept_of(resource.get("code"))
        if not concepts:
            continue
        if concepts & {WEIGHT, OTHER_WEIGHT}:
            weights.append((resource, concepts))
        if GESTATIONAL_AGE in concepts and FOETAL_AGE not in concepts:
            ages.append(resource)
        if concepts & SMN1_CONCEPTS:
            genes.append((resource, concepts))
        elif concepts & SMN2_CONCEPTS:
            others.append(resource)
    found.each(weights, lambda r, concepts: read_weight(r, concepts, clock, units), found.weights)
    found.each(genes, lambda r, concepts: read_genetic_result(r, concepts, clock, recognition), found.genetic_results)
    for resource, _ in weights:
        if is_timeless(resource) and not is_removed(resource):
            found.unreadable.append(_unreadable(resource, "no-time"))
    reports = [
        (resource, concepts)
        for resource in chart.of_type("DiagnosticReport")
        if (concepts := recognition.concept_of(resource.get("code"))) & SMN1_CONCEPTS
    ]
    found.each(reports, lambda r, concepts: read_genetic_report(r, concepts, clock, recognition), found.genetic_results)
    found.each(_alone(ages), lambda r, _: read_gestational_age(r, clock, units), found.gestational_ages)
    found.each(_alone(others), lambda r, _: other_evidence(r, clock), found.other_genetic_evidence)


def _read_doses_and_orders(chart: Chart, drafts: DraftOrders, found: _Found, reader: OrderReader) -> None:
    recognition, clock = reader.recognition, reader.clock
    delivered = medications_by_reference(("", item) for item in chart.of_type("Medication"))
    medications = {**delivered, **drafts.medications}
    given, procedures = _alone(chart.of_type("MedicationAdministration")), _alone(chart.of_type("Procedure"))
    found.each(given, lambda r, _: read_administration(r, recognition, medications, clock), found.exposures)
    found.each(procedures, lambda r, _: read_procedure_dose(r, recognition, clock), found.exposures)
    immunizations = _alone(chart.of_type("Immunization"))
    found.each(immunizations, lambda r, _: read_immunization_dose(r, recognition, clock), found.exposures)
    in_hand = {name for draft in drafts.in_hand for name in _names(draft.resource)}
    recorded = [
        Draft(order, medicine)
        for order in chart.of_type("MedicationRequest")
        if (medicine := recognition.medicine_of(order, medications)).named is not Named.SOMETHING_ELSE
        and not (_names(order) & in_hand)
    ]
    replaced = {referenced(draft.resource.get("priorPrescription")) for draft in drafts.in_hand}
    not_replaced = [item for item in recorded if own_reference(item.resource) not in replaced]
    presumed: list[Exposure] = []
    found.each(_with_medicine(not_replaced), lambda r, m: read_completed_order(r, m, clock), presumed)
    found.each(_with_medicine(recorded), lambda r, m: read_other_product_order(r, m, clock), found.exposures)
    found.exposures += presumed
    explained = {exposure.evidence.reference for exposure in presumed}
    found.unclear_orders += [
        Evidence(own_reference(item.resource), next(iter(item.medicine.names), "product-order"), "", "", "completed")
        for item in not_replaced
        if is_completed(item.resource) and own_reference(item.resource) not in explained
    ]
    for kind in ("MedicationRequest", "MedicationAdministration"):
        found.unreadable += [
            _unreadable(resource, "medication-not-resolvable")
            for resource in chart.of_type(kind)
            if not is_removed(resource) and recognition.is_nameless(resource, medications)
        ]
    is_open = [item for item in recorded if item.medicine.is_ours and _is_open(item.resource)]
    found.each(_with_medicine(is_open), reader.read, found.open_orders)


def _alone(resources: Iterable[JsonObject]) -> Iterable[tuple[JsonObject, None]]:
    return ((resource, None) for resource in resources)


def _with_medicine(orders: Iterable[Draft]) -> Iterable[tuple[JsonObject, Medicine]]:
    return ((order.resource, order.medicine) for order in orders)


def _unreadable(resource: JsonObject, what: str) -> UnreadableEntry:
    kind = text(resource.get("resourceType"))
    return UnreadableEntry(Evidence(own_reference(resource), kind), what, SOURCE_OF_TYPE.get(kind))


def _own(orders: Iterable[Draft], patient_id: str) -> Iterable[Draft]:
    """The drafts for this patient; one that names another is set aside and never judged on this child's data."""
    return (order for order in orders if is_about(order.resource, f"Patient/{patient_id}") is not False)


def _names(resource: JsonObject) -> frozenset[str]:
    """Everything an order is known by; an order replaced by the draft in hand is known by that too."""
    own = frozenset({own_reference(resource)} if text(resource.get("id")) else ())
    return own | identifiers(resource)


def _is_open(resource: JsonObject) -> bool:
    return code_text(resource.get("status")) in _OPEN and resource.get("doNotPerform") is not True


def _future_dated(found: _Found) -> Iterable[FutureDatedEntry]:
    for weight in found.weights:
        if weight.measured.is_future:
            yield FutureDatedEntry(weight.evidence, weight.measured.written, weight.for_dosing)
    for exposure in found.exposures:
        if exposure.given.is_future:
            yield FutureDatedEntry(exposure.evidence, exposure.given.written, True)
    results = [(item.measured, item.evidence) for item in found.gestational_ages]
    results += [(item.measured, item.evidence) for item in found.genetic_results]
    for measured, evidence in results:
        if measured.is_future:
            yield FutureDatedEntry(evidence, measured.written, True)
