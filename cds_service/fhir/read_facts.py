"""The one door into this package: a chart and the orders in hand → everything a rule may know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar, cast

from cds_service.domain.care import CardiacEvaluation, Consultation, Teaching
from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import (
    BirthDate,
    Diagnosis,
    Exposure,
    FutureDatedEntry,
    GeneticResult,
    GestationalAge,
    Moment,
    PatientFacts,
    ProductOrder,
    Source,
    UnreadableEntry,
    WeightMeasurement,
)
from cds_service.domain.handling import KitEvent, Slot
from cds_service.domain.medicines import (
    AntiInfective,
    StartedMedicine,
    SteroidDose,
    SteroidOrder,
    Vaccination,
    VaccineOrder,
)
from cds_service.domain.quantities import UnitTable
from cds_service.domain.results import (
    BloodPressure,
    BloodSmear,
    InfectionTest,
    LabResult,
    RequestedTest,
    Temperature,
    TiterResult,
    UrineOutput,
)
from cds_service.fhir.anti_infective import read_anti_infective
from cds_service.fhir.antihypertensive import read_antihypertensive
from cds_service.fhir.availability import SOURCE_OF_TYPE, Chart, identity_problem
from cds_service.fhir.bedside import (
    INFECTION_TESTS,
    SCHISTOCYTES,
    read_blood_smear,
    read_infection_test,
    read_temperature,
)
from cds_service.fhir.care import (
    CARDIAC_EVALUATIONS,
    CONSULTATIONS,
    TEACHINGS,
    read_cardiac_evaluation,
    read_consultations,
    read_stay,
    read_teaching,
)
from cds_service.fhir.clinical_time import SiteClock, is_timeless, iso_day, read_time
from cds_service.fhir.condition import read_adverse_event, read_diagnoses, read_procedures
from cds_service.fhir.draft_orders import Draft, DraftOrders
from cds_service.fhir.exposure import (
    is_completed,
    read_administration,
    read_completed_order,
    read_immunization_dose,
    read_other_product_order,
    read_procedure_dose,
)
from cds_service.fhir.json_shapes import JsonObject, code_text, first_text, is_illegible, objects, text
from cds_service.fhir.kit_event import read_kit_event
from cds_service.fhir.laboratory import ANALYTES, LabReader, components_as_results
from cds_service.fhir.measurand import Measurand, MeasurandReader
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
from cds_service.fhir.occasion import Occasion
from cds_service.fhir.patient import (
    has_died,
    patient_evidence,
    read_birth_date,
    read_multiple_birth,
    record_problems,
)
from cds_service.fhir.product_order import OrderReader
from cds_service.fhir.recognition import Medicine, Named, Recognition, medications_by_reference
from cds_service.fhir.references import identifiers, is_about, own_reference, plain_reference, referenced
from cds_service.fhir.requested_test import is_nil_by_mouth, read_requested_test
from cds_service.fhir.standing import is_removed
from cds_service.fhir.steroid import (
    read_steroid_dose,
    read_steroid_order,
    read_stopped_steroid_order,
    until_replaced,
    without_doubtful_amounts,
    without_doubtful_doses,
)
from cds_service.fhir.titer import read_titer
from cds_service.fhir.vaccine import overdue_vaccines, read_vaccination, read_vaccine_order
from cds_service.fhir.visit import read_slot, read_visit_reasons
from cds_service.fhir.vital_signs import URINE_OUTPUT, read_blood_pressure, read_urine_output, systolic_results

__all__ = ["SiteClock", "read_facts"]

BODY_TEMPERATURE = "body_temperature"
# Any other may be open: an order without a status, or with one that nobody can read, as well.
_CLOSED = frozenset({"cancelled", "completed", "draft", "entered-in-error", "revoked", "stopped"})
LABS = frozenset(ANALYTES)
Read = TypeVar("Read")
Aside = TypeVar("Aside")


class _Measured(Protocol):
    """Something with a time of measurement."""

    @property
    def measured(self) -> ClinicalTime:
        """When it was measured."""


Timed = TypeVar("Timed", bound=_Measured)


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
    lab_results: list[LabResult] = field(default_factory=list)
    titers: list[TiterResult] = field(default_factory=list)
    temperatures: list[Temperature] = field(default_factory=list)
    infection_tests: list[InfectionTest] = field(default_factory=list)
    requested_tests: list[RequestedTest] = field(default_factory=list)
    steroid_orders: list[SteroidOrder] = field(default_factory=list)
    steroid_doses: list[SteroidDose] = field(default_factory=list)
    anti_infectives: list[AntiInfective] = field(default_factory=list)
    vaccinations: list[Vaccination] = field(default_factory=list)
    vaccine_orders: list[VaccineOrder] = field(default_factory=list)
    overdue_vaccines: list[Evidence] = field(default_factory=list)
    nil_by_mouth: list[Evidence] = field(default_factory=list)
    visit_reasons: list[Diagnosis] = field(default_factory=list)
    kit_events: list[KitEvent] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    blood_pressures: list[BloodPressure] = field(default_factory=list)
    urine_outputs: list[UrineOutput] = field(default_factory=list)
    blood_smears: list[BloodSmear] = field(default_factory=list)
    antihypertensives: list[StartedMedicine] = field(default_factory=list)
    consultations: list[Consultation] = field(default_factory=list)
    cardiac_evaluations: list[CardiacEvaluation] = field(default_factory=list)
    teachings: list[Teaching] = field(default_factory=list)
    unmapped_results: int = 0
    medicine_orders: frozenset[str] = frozenset()
    unreadable: list[UnreadableEntry] = field(default_factory=list)

    def not_in_record(self, references: set[str]) -> tuple[str, ...]:
        """Those references to medicine orders that did not come with the call."""
        wanted = (name for name in references if name.startswith(("MedicationRequest/", "urn:", "#")))
        return tuple(sorted(name for name in wanted if name not in self.medicine_orders))

    def tell_unmapped(self, observation: JsonObject) -> None:
        """Count an Observation that is of no known kind; it may be of any where nothing of its code can be read."""
        self.unmapped_results += 1
        if is_illegible(observation.get("code")) and not is_removed(observation):
            self.unreadable.append(_unreadable(observation, "no-code"))

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
    occasion: Occasion,
    patient_id: str,
    clock: SiteClock,
    units: UnitTable,
    recognition: Recognition,
) -> PatientFacts:
    """Everything a rule may know about this patient on this call.

    `has_patient` tells whether the patient's own record came; one that is somebody else's did not.
    """
    patients = [item for item in chart.of_type("Patient") if text(item.get("id")) == patient_id]
    patient, found, drafts = next(iter(patients), {}), _Found(), occasion.drafts
    own_appointments = tuple(item for item in occasion.appointments if identity_problem(item, patient_id) is None)
    reader = OrderReader(units, recognition, clock)
    born = read_birth_date(patient, clock.today)
    delivered = medications_by_reference(("", item) for item in chart.of_type("Medication"))
    medications = {**delivered, **drafts.medications}
    _read_observations(chart, found, born, reader)
    _read_diagnoses(chart, found, reader)
    product_orders = _read_doses_and_orders(chart, drafts, found, born, reader, medications)
    _read_other_medicines(chart, drafts, own_appointments, found, reader, medications)
    _read_requested_tests(chart, drafts, found, reader)
    _read_care(chart, drafts, found, reader)
    _read_visits_and_kit(chart, own_appointments, occasion.tasks, product_orders, found, reader)
    in_hand, background, unresolved = _orders_in_hand(occasion, patient_id, product_orders, found, reader)
    booked_for_others = (identity_problem(item, patient_id) for item in occasion.appointments)
    if drafts.unreadable_entries:
        what = f"entries-without-resource: {drafts.unreadable_entries}"
        found.unreadable.append(UnreadableEntry(Evidence("draftOrders", "order"), what, Source.ORDERS))
    if any(other != patient for other in patients):
        found.unreadable.append(_unreadable(patient, "two-differing-records"))
    problems = (
        *record_problems(patient, patient_id),
        *chart.identity_problems,
        *drafts.other_subjects,
        *(problem for problem in booked_for_others if problem),
    )
    return PatientFacts(
        now=clock.now.astimezone(clock.zone),
        today=clock.today,
        zone=clock.zone.key,
        sources=chart.sources,
        identity_problems=problems,
        unreadable=(*chart.unreadable, *found.unreadable),
        future_dated=tuple(_future_dated(found)),
        has_patient=bool(patients),
        born=born,
        birth_written=text(patient.get("birthDate")),
        patient=patient_evidence(patient),
        is_multiple_birth=read_multiple_birth(patient),
        has_died=has_died(patient),
        weights=tuple(found.weights),
        gestational_ages=_not_future(found.gestational_ages),
        diagnoses=tuple(found.diagnoses),
        genetic_results=_not_future(found.genetic_results),
        other_genetic_evidence=tuple(found.other_genetic_evidence),
        exposures=tuple(found.exposures),
        unclear_orders=tuple(found.unclear_orders),
        drafts=tuple(in_hand),
        background_drafts=tuple(background),
        open_orders=tuple(found.open_orders),
        moment=occasion.moment,
        names_product=occasion.names_product,
        unresolved_orders=unresolved,
        lab_results=_not_future(found.lab_results),
        titers=_not_future(found.titers),
        temperatures=_not_future(found.temperatures),
        infection_tests=_not_future(found.infection_tests),
        requested_tests=tuple(found.requested_tests),
        steroid_orders=tuple(found.steroid_orders),
        steroid_doses=tuple(found.steroid_doses),
        anti_infectives=tuple(found.anti_infectives),
        vaccinations=tuple(found.vaccinations),
        vaccine_orders=tuple(found.vaccine_orders),
        overdue_vaccines=tuple(found.overdue_vaccines),
        nil_by_mouth=tuple(found.nil_by_mouth),
        visit_reasons=tuple(found.visit_reasons),
        kit_events=tuple(found.kit_events),
        slots=tuple(found.slots),
        blood_pressures=_not_future(found.blood_pressures),
        urine_outputs=_not_future(found.urine_outputs),
        blood_smears=_not_future(found.blood_smears),
        antihypertensives=tuple(found.antihypertensives),
        consultations=tuple(found.consultations),
        cardiac_evaluations=tuple(found.cardiac_evaluations),
        teachings=tuple(found.teachings),
        stay=read_stay(chart.of_type("Encounter"), occasion.encounter_id, clock),
        unmapped_results=found.unmapped_results,
    )


def _read_observations(chart: Chart, found: _Found, born: BirthDate | None, reader: OrderReader) -> None:
    """Select by code first; only what a rule uses is read."""
    clock, units, recognition = reader.clock, reader.units, reader.recognition
    weights: list[tuple[JsonObject, frozenset[str]]] = []
    genes: list[tuple[JsonObject, frozenset[str]]] = []
    tests: list[tuple[JsonObject, str]] = []
    labs: list[tuple[JsonObject, str]] = []
    pressures: list[JsonObject] = []
    ages, others, titers, temperatures, urine, smears = [], [], [], [], [], []
    measurands = MeasurandReader(recognition)
    for whole in chart.of_type("Observation"):
        measurand = measurands.of(whole)
        if not (measurand.is_known or whole.get("component")):
            found.tell_unmapped(whole)
            continue
        systolic = systolic_results(whole, measurand.concepts, recognition)
        pressures += systolic
        is_known = bool(systolic)
        for resource, own, concepts in _with_components(whole, measurand, measurands):
            is_known = is_known or own.is_known
            if own.is_titer:
                titers.append(resource)
            if concepts & {WEIGHT, OTHER_WEIGHT}:
                weights.append((resource, concepts))
            if GESTATIONAL_AGE in concepts and FOETAL_AGE not in concepts:
                ages.append(resource)
            if concepts & SMN1_CONCEPTS:
                genes.append((resource, concepts))
            elif concepts & SMN2_CONCEPTS:
                others.append(resource)
            if BODY_TEMPERATURE in concepts:
                temperatures.append(resource)
            if URINE_OUTPUT in concepts:
                urine.append(resource)
            if SCHISTOCYTES in concepts:
                smears.append(resource)
            labs += [(resource, analyte) for analyte in concepts & LABS if f"not_{analyte}" not in concepts]
            tests += [(resource, concept) for concept in concepts & INFECTION_TESTS if f"not_{concept}" not in concepts]
        if not is_known:
            found.tell_unmapped(whole)
    found.each(weights, lambda r, concepts: read_weight(r, concepts, clock, units), found.weights)
    found.each(genes, lambda r, concepts: read_genetic_result(r, concepts, clock, recognition), found.genetic_results)
    found.each(labs, LabReader.of(born, clock, units).read, found.lab_results)
    found.lab_results = [_as_told(result, recognition) for result in found.lab_results]
    found.each(tests, lambda r, concept: read_infection_test(r, concept, clock, recognition), found.infection_tests)
    found.each(_alone(titers), lambda r, _: read_titer(r, clock, recognition), found.titers)
    found.each(_alone(temperatures), lambda r, _: read_temperature(r, clock, units), found.temperatures)
    found.each(_alone(pressures), lambda r, _: read_blood_pressure(r, clock, units), found.blood_pressures)
    found.each(_alone(urine), lambda r, _: read_urine_output(r, clock, units), found.urine_outputs)
    found.each(_alone(smears), lambda r, _: read_blood_smear(r, clock, recognition), found.blood_smears)
    measured = [resource for resource, _ in (*weights, *labs)]
    for resource in [*measured, *titers]:
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


def _with_components(
    whole: JsonObject, measurand: Measurand, measurands: MeasurandReader
) -> Iterable[tuple[JsonObject, Measurand, frozenset[str]]]:
    """An Observation and each of its components, as results of their own, with what they are results of.

    A part of a birth weight, or of a foetus's age, is none of the child.
    """
    yield whole, measurand, measurand.concepts
    kept = measurand.concepts & {OTHER_WEIGHT, FOETAL_AGE}
    for part in components_as_results(whole) if whole.get("component") else ():
        own = measurands.of(part)
        yield part, own, own.concepts | kept if own.concepts else own.concepts


def _as_told(result: LabResult, recognition: Recognition) -> LabResult:
    """A result whose words say that there is none, such as haemolysed or pending, carries no information."""
    says_none = result.number is None and recognition.holds("no_result_yet", result.written)
    if not says_none:
        return result
    is_awaited = recognition.holds("result_awaited", result.written)
    return replace(result, standing=Standing.NO_INFORMATION, had_no_result=not is_awaited)


def _read_diagnoses(chart: Chart, found: _Found, reader: OrderReader) -> None:
    recognition, clock = reader.recognition, reader.clock
    conditions, procedures = _alone(chart.of_type("Condition")), _alone(chart.of_type("Procedure"))
    found.each(conditions, lambda r, _: read_diagnoses(r, recognition, clock), found.diagnoses)
    found.each(procedures, lambda r, _: read_procedures(r, recognition, clock), found.diagnoses)
    # It may name anything, also what would have raised a card, or a dose that was given.
    for kind, member in (("Condition", "code"), ("Procedure", "code"), ("Immunization", "vaccineCode")):
        illegible = (item for item in chart.of_type(kind) if is_illegible(item.get(member)) and not is_removed(item))
        unknown = (item for item in illegible if not recognition.concept_of(item.get(member)))
        found.unreadable += [_unreadable(item, "no-code") for item in unknown]
    events = _alone(chart.of_type("AdverseEvent"))
    found.each(events, lambda r, _: read_adverse_event(r, recognition, clock), found.diagnoses)


def _read_doses_and_orders(
    chart: Chart,
    drafts: DraftOrders,
    found: _Found,
    born: BirthDate | None,
    reader: OrderReader,
    medications: dict[str, JsonObject],
) -> list[Draft]:
    """Doses and orders of the product; returns its orders in the record, as they came."""
    recognition, clock = reader.recognition, reader.clock
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
    found.exposures = [_not_before_birth(item, born) for item in found.exposures]
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
    found.unreadable += [
        _unreadable(order, "medication-not-resolvable")
        for order in drafts.others
        if order.get("resourceType") == "MedicationRequest" and recognition.is_nameless(order, medications)
    ]
    ours = [item for item in recorded if item.medicine.is_ours]
    is_open = [item for item in ours if _is_open(item.resource)]
    found.each(_with_medicine(is_open), reader.read, found.open_orders)
    return ours


def _not_before_birth(exposure: Exposure, born: BirthDate | None) -> Exposure:
    """The dose without its day where that lies before the child was born: a wrong year must not end a follow-up."""
    day = exposure.given.day
    if born is None or day is None or day >= born.earliest:
        return exposure
    return replace(exposure, given=ClinicalTime(exposure.given.written))


def _orders_in_hand(
    occasion: Occasion, patient_id: str, recorded: list[Draft], found: _Found, reader: OrderReader
) -> tuple[list[ProductOrder], list[ProductOrder], tuple[str, ...]]:
    """The product orders the call is about, those beside them, and dispatched references that lead nowhere."""
    in_hand: list[ProductOrder] = []
    background: list[ProductOrder] = []
    if occasion.moment is Moment.ORDERING:
        found.each(_with_medicine(_own(occasion.drafts.in_hand, patient_id)), reader.read, in_hand)
        found.each(_with_medicine(_own(occasion.drafts.background, patient_id)), reader.read, background)
        return in_hand, background, ()
    if occasion.moment in (Moment.VISIT, Moment.BOOKING):
        return list(found.open_orders), [], ()
    wanted = {plain_reference(reference) or f"MedicationRequest/{reference}" for reference in occasion.dispatched}
    already = {order.evidence.reference: order for order in found.open_orders}
    closed = [d for d in recorded if own_reference(d.resource) in wanted and own_reference(d.resource) not in already]
    found.each(_with_medicine(closed), reader.read, in_hand)
    return [*(order for name, order in already.items() if name in wanted), *in_hand], [], found.not_in_record(wanted)


def _read_other_medicines(
    chart: Chart,
    drafts: DraftOrders,
    appointments: tuple[JsonObject, ...],
    found: _Found,
    reader: OrderReader,
    medications: dict[str, JsonObject],
) -> None:
    """Corticosteroids, vaccines and anti-infectives, in the record and beside the order in hand."""
    units, recognition, clock = reader.units, reader.recognition, reader.clock
    changed = {name for order in drafts.others for name in _names(order)}
    changed |= {referenced(order.get("priorPrescription")) for order in drafts.others} - {""}
    orders = chart.of_type("MedicationRequest")
    recorded = [order for order in orders if not _names(order) & (changed | drafts.taken_back)]
    found.medicine_orders = frozenset(own_reference(order) for order in orders)
    _read_steroid_orders(orders, drafts, changed, found, reader, medications)
    administrations = chart.of_type("MedicationAdministration")
    found.each(
        _alone(administrations),
        lambda r, _: read_steroid_dose(r, medications, recognition, units, clock),
        found.steroid_doses,
    )
    found.steroid_doses = without_doubtful_amounts(found.steroid_doses)
    found.each(
        _alone(recorded), lambda r, _: read_anti_infective(r, medications, recognition, clock), found.anti_infectives
    )
    found.each(
        _alone((*orders, *administrations)),
        lambda r, _: read_antihypertensive(r, medications, recognition, clock),
        found.antihypertensives,
    )
    given = (*chart.of_type("Immunization"), *administrations, *recorded)
    found.each(_alone(given), lambda r, _: read_vaccination(r, medications, recognition, clock), found.vaccinations)
    planned = (*drafts.others_in_hand, *appointments)
    found.each(
        _alone(planned), lambda r, _: read_vaccine_order(r, recognition, medications, clock), found.vaccine_orders
    )
    forecasts = _alone(chart.of_type("ImmunizationRecommendation"))
    found.each(forecasts, lambda r, _: overdue_vaccines(r), found.overdue_vaccines)


def _read_steroid_orders(
    orders: Iterable[JsonObject],
    drafts: DraftOrders,
    changed: set[str],
    found: _Found,
    reader: OrderReader,
    medications: dict[str, JsonObject],
) -> None:
    """Corticosteroid orders of the record and of the session.

    One of the record that a draft changes or stops still explains the days before today. One that is being stopped
    and that the record does not hold is read from the draft.
    """
    units, recognition, clock = reader.units, reader.recognition, reader.clock
    stopped = {name for order in drafts.stopped for name in _names(order)}
    never_true = drafts.taken_back - stopped
    recorded = [order for order in orders if not _names(order) & never_true]
    held = {name for order in recorded for name in _names(order)}
    written = [order for order in drafts.others if order.get("resourceType") == "MedicationRequest"]

    def read(resource: JsonObject, is_draft: bool) -> SteroidOrder | None:
        return read_steroid_order(resource, medications, recognition, units, clock, is_draft=is_draft)

    def read_recorded(resource: JsonObject, names: frozenset[str]) -> SteroidOrder | None:
        order = read(resource, False)
        if order is None or not names & (changed | stopped):
            return order
        is_stopped, is_changed = bool(names & stopped), bool(names & changed)
        return replace(order, is_cover=False, is_being_stopped=is_stopped, is_being_changed=is_changed)

    found.each(((order, _names(order)) for order in recorded), read_recorded, found.steroid_orders)
    found.steroid_orders = without_doubtful_doses(found.steroid_orders)
    prior = {own_reference(order): referenced(order.get("priorPrescription")) for order in recorded}
    later: dict[str, list[SteroidOrder]] = {}
    for order_read in found.steroid_orders:
        later.setdefault(prior.get(order_read.evidence.reference, ""), []).append(order_read)
    found.steroid_orders = [
        until_replaced(item, later.get(item.evidence.reference, ()), clock.today) for item in found.steroid_orders
    ]
    found.each(((order, True) for order in written), read, found.steroid_orders)
    found.each(
        _alone(order for order in drafts.stopped if not _names(order) & held),
        lambda r, _: read_stopped_steroid_order(r, medications, recognition, units, clock),
        found.steroid_orders,
    )


def _read_care(chart: Chart, drafts: DraftOrders, found: _Found, reader: OrderReader) -> None:
    """What other people do for the child, in the record and among the orders being written."""
    recognition, clock = reader.recognition, reader.clock
    written = [order for order in drafts.others if order.get("resourceType") == "ServiceRequest"]
    being_ordered = {name for order in written for name in _names(order)} | drafts.taken_back

    def entries(kinds: tuple[str, ...]) -> Iterable[tuple[JsonObject, bool]]:
        recorded = (item for kind in kinds for item in chart.of_type(kind))
        yield from ((item, False) for item in recorded if not _names(item) & being_ordered)
        if "ServiceRequest" in kinds:
            yield from ((item, True) for item in written)

    found.each(
        entries(CONSULTATIONS),
        lambda r, is_draft: read_consultations(r, recognition, clock, is_draft=is_draft),
        found.consultations,
    )
    found.each(
        entries(CARDIAC_EVALUATIONS),
        lambda r, is_draft: read_cardiac_evaluation(r, recognition, clock, is_draft=is_draft),
        found.cardiac_evaluations,
    )
    found.each(entries(TEACHINGS), lambda r, _: read_teaching(r, recognition, clock), found.teachings)


def _read_requested_tests(chart: Chart, drafts: DraftOrders, found: _Found, reader: OrderReader) -> None:
    recognition, clock = reader.recognition, reader.clock
    written = [order for order in drafts.others if order.get("resourceType") == "ServiceRequest"]
    being_ordered = {name for order in written for name in _names(order)}
    recorded = [order for order in chart.of_type("ServiceRequest") if not _names(order) & being_ordered]
    requests = [*((order, False) for order in recorded), *((order, True) for order in written)]
    found.each(
        requests,
        lambda r, is_draft: read_requested_test(r, recognition, clock, is_draft=is_draft),
        found.requested_tests,
    )
    for resource in (*recorded, *chart.of_type("NutritionOrder")):
        if is_nil_by_mouth(resource, recognition):
            written_on = iso_day(read_time(resource.get("authoredOn") or resource.get("dateTime"), clock))
            name = first_text(resource.get("code")) or "nil-by-mouth"
            found.nil_by_mouth.append(Evidence(own_reference(resource), name, "", written_on, "active"))


def _read_visits_and_kit(
    chart: Chart,
    appointments: tuple[JsonObject, ...],
    dispatch_tasks: tuple[JsonObject, ...],
    product_orders: list[Draft],
    found: _Found,
    reader: OrderReader,
) -> None:
    recognition, clock = reader.recognition, reader.clock
    slots = [
        *((item, False) for item in chart.of_type("Appointment")),
        *((item, True) for item in appointments),
    ]
    found.each(slots, lambda r, proposed: read_slot(r, recognition, clock, is_proposed=proposed), found.slots)
    encounters = _alone(chart.of_type("Encounter"))
    found.each(encounters, lambda r, _: read_visit_reasons(r, recognition, clock), found.visit_reasons)
    orders = {own_reference(item.resource) for item in product_orders}
    tasks = [task for task in chart.of_type("Task") if _referred_to(task) & orders]
    steps = [*chart.of_type("SupplyDelivery"), *chart.of_type("MedicationDispense"), *tasks, *dispatch_tasks]
    found.each(_alone(steps), lambda r, _: read_kit_event(r, recognition, clock), found.kit_events)


def _referred_to(task: JsonObject) -> frozenset[str]:
    return frozenset(referenced(item) for item in (task.get("focus"), *objects(task.get("basedOn"))))


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
    return code_text(resource.get("status")) not in _CLOSED and resource.get("doNotPerform") is not True


def _not_future(items: Iterable[Timed]) -> tuple[Timed, ...]:
    return tuple(item for item in items if not item.measured.is_future)


def _future_dated(found: _Found) -> Iterable[FutureDatedEntry]:
    for weight in found.weights:
        if weight.measured.is_future:
            yield FutureDatedEntry(weight.evidence, weight.measured.written, weight.for_dosing)
    for exposure in found.exposures:
        if exposure.given.is_future:
            yield FutureDatedEntry(exposure.evidence, exposure.given.written, True)
    for results in (
        found.gestational_ages,
        found.genetic_results,
        found.lab_results,
        found.titers,
        found.temperatures,
        found.infection_tests,
        found.blood_pressures,
        found.urine_outputs,
        found.blood_smears,
    ):
        for item in results:
            if item.measured.is_future:
                yield FutureDatedEntry(item.evidence, item.measured.written, True)
