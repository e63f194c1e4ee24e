"""The service's own answers for a synthetic patient: facts built directly, its pure functions asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from cds_service.app import create_catalogue
from cds_service.config import load_settings
from cds_service.domain.answers import Answer, Verdict
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import (
    BirthDate,
    Exposure,
    ExposureKind,
    ListState,
    Moment,
    PatientFacts,
    PlannedDay,
    ProductOrder,
    Source,
    SourceState,
    Suffix,
    WeightMeasurement,
)
from cds_service.domain.follow_up import calendar_of
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import is_unremarkable
from cds_service.domain.medicines import SteroidDose, SteroidOrder, SteroidPhase, SteroidRoute
from cds_service.domain.monitoring_calendar import MonitoringCalendar
from cds_service.domain.quantities import Quantity
from cds_service.domain.reference_range import times_uln, written_multiple
from cds_service.domain.results import LabFlag, LabResult, ReferenceRange
from cds_service.domain.rules.baseline import LIVER_LIMITED, liver_baseline_above_2uln
from cds_service.domain.rules.corticosteroid import steroid_start_late
from cds_service.domain.rules.corticosteroid_taper import steroid_taper_abrupt, steroid_taper_short
from cds_service.domain.rules.dose_and_order import weight_between_bands, weight_out_of_table
from cds_service.domain.steroid_states import CourseStatus, course_status
from cds_service.fhir.clinical_time import SiteClock
from cds_service.fhir.laboratory import LabReader

from .patients import ULN, PanelResult, Patient, ResultSpec, Step

NAMES = {"bilirubin": "total_bilirubin", "pt": "prothrombin_time"}
_UNIT = {"alt": "U/L", "ast": "U/L", "bilirubin": "mg/dL", "pt": "s", "inr": "1", "platelets": "10*3/uL"}
_LOWER_LIMIT_OF_PLATELETS = Decimal(150)
_COMPLETE = {source: SourceState(ListState.COMPLETE) for source in Source}
_NOWHERE = Evidence("", "")
_SAMPLED = date(2026, 3, 2)
_NO_RESULT = ResultSpec("alt", Decimal(0), "", "", "", (), None)


@dataclass(frozen=True)
class Verdicts:
    """What the service says of one result."""

    times: Interval | None
    shown: str
    is_above_twice: Verdict | None
    is_unremarkable: Certainty


@dataclass(frozen=True)
class SteroidAnswers:
    """What the rules say of the course's beginning and of its end."""

    start_late: Answer
    taper_short: Answer
    taper_abrupt: Answer


class Service:
    """The service under its default policy."""

    def __init__(self) -> None:
        settings = load_settings({"CDS_MODE": "demo"})
        self.known: Known = create_catalogue(settings).known
        day = _SAMPLED + timedelta(days=10)
        nobody = Patient(0, day, _SAMPLED, Decimal(5), "kg", _NO_RESULT, (), frozenset(), False, (), None)
        self._untreated = self.facts(nobody)

    def kilograms(self, value: Decimal, unit: str) -> Decimal | None:
        """The weight in kg by the service's table, None for a unit outside it."""
        spelled = self.known.units.spelled("body_weight", unit)
        return None if spelled is None else self.known.units.in_own_unit(Quantity(value, spelled), "body_weight")

    def weight_answers(self, facts: PatientFacts) -> tuple[Answer, Answer]:
        """What `weight-out-of-table` and `weight-between-bands` say."""
        return weight_out_of_table(facts, self.known), weight_between_bands(facts, self.known)

    def verdicts(self, spec: ResultSpec) -> Verdicts:
        """One result, read as the record writes it."""
        result = _read(spec, self.known)
        return Verdicts(
            times_uln(result),
            written_multiple(result),
            self._above_twice(result),
            is_unremarkable(result, self.known),
        )

    def _above_twice(self, result: LabResult) -> Verdict | None:
        """What `liver-baseline-above-2uln` says before an infusion; None of a test that has no such limit."""
        if result.analyte not in LIVER_LIMITED:
            return None
        facts = replace(self._untreated, lab_results=(result,))
        answers = liver_baseline_above_2uln(facts, self.known)
        return next(a.verdict for a in answers if a.shown.get("analyte") == result.analyte)

    def course(self, facts: PatientFacts) -> CourseStatus | None:
        """The course on the day of the facts."""
        return course_status(facts, self.known)

    def steroid_answers(self, facts: PatientFacts) -> SteroidAnswers:
        """The answers of `steroid-start-late`, `steroid-taper-short` and `steroid-taper-abrupt`."""
        return SteroidAnswers(
            steroid_start_late(facts, self.known),
            steroid_taper_short(facts, self.known)[0],
            steroid_taper_abrupt(facts, self.known),
        )

    def calendar(self, facts: PatientFacts) -> MonitoringCalendar | None:
        """The calendar on the day of the facts."""
        return calendar_of(facts, self.known)

    def facts(self, patient: Patient) -> PatientFacts:
        """The patient as the domain sees one, on the opened chart."""
        is_infused = patient.infusion <= patient.today
        return PatientFacts(
            now=datetime.combine(patient.today, time(12), UTC),
            today=patient.today,
            zone="UTC",
            sources=_COMPLETE,
            identity_problems=(),
            unreadable=(),
            future_dated=(),
            has_patient=True,
            born=None,
            birth_written="",
            patient=_NOWHERE,
            is_multiple_birth=None,
            has_died=False,
            weights=_weights(patient, self.known),
            gestational_ages=(),
            diagnoses=(),
            genetic_results=(),
            other_genetic_evidence=(),
            exposures=(Exposure(ExposureKind.GIVEN, _on(patient.infusion), frozenset(), _NOWHERE),)
            if is_infused
            else (),
            unclear_orders=(),
            drafts=(),
            background_drafts=(),
            open_orders=() if is_infused else (_product_order(patient.infusion),),
            moment=Moment.CHART,
            names_product=False,
            unresolved_orders=(),
            lab_results=tuple(_lab_results(patient)),
            titers=(),
            temperatures=(),
            infection_tests=(),
            requested_tests=(),
            steroid_orders=tuple(_order(number, step) for number, step in enumerate(patient.steps)),
            steroid_doses=tuple(_doses(patient)),
            anti_infectives=(),
            vaccinations=(),
            vaccine_orders=(),
            overdue_vaccines=(),
            nil_by_mouth=(),
            visit_reasons=(),
            kit_events=(),
            slots=(),
            blood_pressures=(),
            urine_outputs=(),
            blood_smears=(),
            antihypertensives=(),
            consultations=(),
            cardiac_evaluations=(),
            teachings=(),
            stay=None,
            unmapped_results=0,
        )


def _on(day: date) -> ClinicalTime:
    return ClinicalTime(day.isoformat(), day, None, is_exact=True)


def _product_order(planned: date) -> ProductOrder:
    return ProductOrder(
        "order", _NOWHERE, Suffix.THIS_PRODUCT, (), (), None, None, "", PlannedDay(planned, planned.isoformat()),
        frozenset(), frozenset(), False, "",
    )  # fmt: skip


def _weights(patient: Patient, known: Known) -> tuple[WeightMeasurement, ...]:
    spelled = known.units.spelled("body_weight", patient.weight_unit)
    quantity = Quantity(patient.weight, spelled) if spelled else None
    written = f"{patient.weight} {patient.weight_unit}"
    # Long before the steroid, so that no dose is judged by it: that is not what is compared here.
    day = patient.infusion - timedelta(days=60)
    return (WeightMeasurement(quantity, written, _on(day), True, Standing.ACCEPTED, False, ("", ""), _NOWHERE),)


# --- corticosteroid


def _order(number: int, step: Step) -> SteroidOrder:
    phase = SteroidPhase(
        mg=step.mg,
        mg_per_kg=None,
        times_per_day=Decimal(1),
        every_days=1,
        weekdays=frozenset(),
        only_on=frozenset(),
        first_day=step.first,
        last_day=step.last,
        sequence=None,
        why_unknown="" if step.mg is not None else "text-only",
        written="",
    )
    return SteroidOrder(
        order_id=f"steroid-{number}",
        drug="prednisolone",
        route=SteroidRoute.ORAL,
        phases=(phase,),
        is_cover=True,
        standing=Standing.ACCEPTED,
        is_draft=False,
        is_depot=False,
        strength_mg_per_ml=None,
        written_on=step.first,
        supply_ends=None,
        reason_written="",
        evidence=_NOWHERE,
    )


def _doses(patient: Patient) -> Iterable[SteroidDose]:
    def dose(day: date, mg: Decimal | None, *, was_given: bool) -> SteroidDose:
        return SteroidDose("prednisolone", SteroidRoute.ORAL, mg, was_given, _on(day), _NOWHERE)

    yield from (dose(day, None, was_given=False) for day in sorted(patient.not_done))
    if not patient.is_administration_recorded:
        return
    days: dict[date, Decimal | None] = {}
    for step in patient.steps:
        for n in range((min(step.last, patient.today) - step.first).days + 1):
            day = step.first + timedelta(days=n)
            before = days.get(day, Decimal(0))
            days[day] = None if step.mg is None or before is None else before + step.mg
    yield from (dose(day, mg, was_given=True) for day, mg in days.items() if day not in patient.not_done)


# --- laboratory


def _lab_results(patient: Patient) -> Iterable[LabResult]:
    if patient.baseline_count is not None:
        day = patient.infusion - timedelta(days=10)
        yield _lab_result(PanelResult("platelets", day, patient.baseline_count))
    yield from (_lab_result(result) for result in patient.panel)


def _lab_result(result: PanelResult) -> LabResult:
    is_count = result.analyte == "platelets"
    value = result.times if is_count else result.times * ULN[result.analyte]
    number = Interval.exactly(value)
    low, high = (_LOWER_LIMIT_OF_PLATELETS, None) if is_count else (None, ULN[result.analyte])
    return LabResult(
        analyte=NAMES.get(result.analyte, result.analyte),
        number=number,
        amount=number,
        limits=ReferenceRange(number, low, high, "own"),
        flag=LabFlag.NOT_STATED,
        written=str(value),
        measured=_on(result.day),
        standing=Standing.PROVISIONAL if result.is_preliminary else Standing.ACCEPTED,
        is_correction=False,
        order_key=("", ""),
        evidence=Evidence(f"Observation/{result.analyte}-{result.day}", result.analyte),
    )


_CLOCK = SiteClock(datetime(2026, 3, 2, 12, tzinfo=UTC), ZoneInfo("UTC"), timedelta(minutes=15))


def _read(spec: ResultSpec, known: Known) -> LabResult:
    quantity: dict[str, object] = {"value": spec.value}
    if spec.unit:
        quantity["unit"] = spec.unit
    if spec.comparator:
        quantity["comparator"] = spec.comparator
    resource: dict[str, object] = {
        "resourceType": "Observation",
        "id": "r",
        "status": "final",
        "effectiveDateTime": _SAMPLED.isoformat(),
        "valueQuantity": quantity,
        "referenceRange": [_range(spec, index) for index in range(len(spec.ranges))],
    }
    if spec.flag:
        system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
        resource["interpretation"] = [{"coding": [{"system": system, "code": spec.flag}]}]
    born = None
    if spec.age is not None:
        birthday = _SAMPLED - timedelta(days=spec.age)
        born = BirthDate(birthday, birthday, _NOWHERE)
    result = LabReader.of(born, _CLOCK, known.units).read(resource, NAMES.get(spec.analyte, spec.analyte))
    assert result is not None
    return result


def _range(spec: ResultSpec, index: int) -> dict[str, object]:
    own = spec.ranges[index]
    written: dict[str, object] = {}
    if own.high is not None:
        written["high"] = {"value": own.high, **({"unit": own.unit} if own.unit else {})}
    if own.text:
        written["text"] = own.text
    if own.kind != "normal":
        written["type"] = {"coding": [{"code": own.kind}]}
    ages = {
        side: {"value": Decimal(days), "code": "d"}
        for side, days in (("low", own.from_age), ("high", own.to_age))
        if days is not None
    }
    if ages:
        written["age"] = ages
    return written
