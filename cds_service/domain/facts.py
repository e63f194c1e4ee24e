"""Everything a rule may know about one child on one call: plain values, read once from the record.

Nothing here is computed from clinical numbers; that is what the rules do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, TypeVarTuple

from cds_service.domain.care import CardiacEvaluation, Consultation, Stay, Teaching
from cds_service.domain.days import NO_TIME, ClinicalTime, add_months
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.handling import KitEvent, Slot, VisitKind
from cds_service.domain.medicines import (
    AntiInfective,
    StartedMedicine,
    SteroidDose,
    SteroidOrder,
    Vaccination,
    VaccineOrder,
)
from cds_service.domain.quantities import Quantity
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

About = TypeVarTuple("About")
Found = TypeVar("Found")


class Source(Enum):
    """The lists of the record a call may bring; each value is the name callers know it by."""

    PATIENT = "patient"
    MEASUREMENTS = "observations"
    ORDERS = "medicationRequests"
    GIVEN_DOSES = "medicationAdministrations"
    DIAGNOSES = "conditions"
    VACCINATIONS = "immunizations"
    PROCEDURES = "procedures"
    REQUESTED_TESTS = "serviceRequests"
    REPORTS = "diagnosticReports"


class ListState(Enum):
    """What became of one list (C13). Only COMPLETE can prove that something is absent."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    NOT_ATTEMPTED = "not-attempted"
    FAILED = "failed"
    UNUSABLE = "unusable"


class Hindrance(Enum):
    """What kept a list, or a part of it, away: in most cases from a query of our own."""

    SERVER_NOT_LISTED = "server-not-listed"
    ACCESS_NOT_OURS = "access-not-ours"
    ACCESS_EXPIRED = "access-expired"
    OUT_OF_SCOPE = "out-of-scope"
    PARTLY_IN_SCOPE = "partly-in-scope"
    REFUSED = "refused"
    NOT_OFFERED = "not-offered"
    NOT_UNDERSTOOD = "not-understood"
    SERVER_FAULT = "server-fault"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    TOO_LATE = "too-late"
    ELSEWHERE = "elsewhere"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class SourceState:
    """The state of one list, and for an incomplete one how much of it came (None: the sender does not say).

    `hindrance` tells why asking for it ourselves did not help, or that the sender keeps a part back; None where
    nobody asked, or where it did.
    """

    state: ListState
    received: int = 0
    total: int | None = None
    hindrance: Hindrance | None = None

    @property
    def is_available(self) -> bool:
        """Whether entries of this list could be read, all of them or some."""
        return self.state in (ListState.COMPLETE, ListState.INCOMPLETE)


class IdentityFault(Enum):
    """Why an entry, or the whole record, may be about somebody else (C7)."""

    OTHER_PATIENT = "other-patient"
    NO_SUBJECT = "no-subject"
    RECORD_MERGED = "record-merged"
    RECORD_INACTIVE = "record-inactive"


@dataclass(frozen=True, slots=True)
class IdentityProblem:
    """One entry set aside, with the patient it names (empty where it names none) and the one it should name."""

    fault: IdentityFault
    evidence: Evidence
    named: str
    expected: str


@dataclass(frozen=True, slots=True)
class UnreadableEntry:
    """One entry, or part of one, that could not be read, what about it, and the list it stands in."""

    evidence: Evidence
    what: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class FutureDatedEntry:
    """One entry dated after the service's clock; `matters` if a rule would otherwise have relied on it."""

    evidence: Evidence
    written: str
    matters: bool


@dataclass(frozen=True, slots=True)
class BirthDate:
    """The birth date as an interval of local days; `latest` equals `earliest` where the day is recorded."""

    earliest: date
    latest: date
    evidence: Evidence

    @property
    def is_exact(self) -> bool:
        """Whether the record gives the day."""
        return self.earliest == self.latest


@dataclass(frozen=True, slots=True)
class WeightMeasurement:
    """One recorded body weight. `quantity` is None where the number or its unit cannot be interpreted.

    `is_empty`: the entry is not called off, and holds no value at all.
    """

    quantity: Quantity | None
    written: str
    measured: ClinicalTime
    for_dosing: bool
    standing: Standing
    is_correction: bool
    order_key: tuple[str, str]
    evidence: Evidence
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class GestationalAge:
    """Gestational age at birth in days, a lower bound where only weeks are given; None if it cannot be read."""

    at_birth_days: int | None
    written: str
    measured: ClinicalTime
    standing: Standing
    order_key: tuple[str, str]
    evidence: Evidence


class Control(Enum):
    """What the record says of the control of a chronic infection."""

    CONTROLLED = "controlled"
    UNCONTROLLED = "uncontrolled"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One problem-list entry of a concept this service knows. `completed_weeks` where the code states them.

    `onset` is when it began, else when it was recorded. A past entry has the standing NO_INFORMATION.
    """

    concept: str
    standing: Standing
    evidence: Evidence
    completed_weeks: int | None = None
    onset: ClinicalTime = NO_TIME
    control: Control = Control.NOT_STATED


class GeneReading(Enum):
    """What a genetic result says about SMN1. COUNT_UNREADABLE: copies were counted, and nobody knows how many."""

    BIALLELIC = "biallelic"
    COMPOUND_HETEROZYGOUS = "compound-heterozygous"
    SECOND_VARIANT = "second-variant"
    CARRIER = "carrier"
    SCREEN_POSITIVE = "screen-positive"
    SCREEN_NEGATIVE = "screen-negative"
    COPY_NUMBER = "copy-number"
    COUNT_UNREADABLE = "count-unreadable"
    NOT_INTERPRETABLE = "not-interpretable"


@dataclass(frozen=True, slots=True)
class GeneticResult:
    """One SMN1 result; `copies` only where a whole number of copies is reported, `exon` only where it is named."""

    reading: GeneReading
    copies: int | None
    exon: str
    measured: ClinicalTime
    standing: Standing
    evidence: Evidence


class ExposureKind(Enum):
    """How surely, and of what, an earlier dose is recorded (C8)."""

    GIVEN = "given"
    PARTLY_GIVEN = "partly-given"
    POSSIBLE = "possible"
    PRESUMED_FROM_ORDER = "presumed-from-order"
    OTHER_PRODUCT = "other-product"


@dataclass(frozen=True, slots=True)
class Exposure:
    """An earlier dose of this gene therapy, or of a close relative. `order_references` names its order."""

    kind: ExposureKind
    given: ClinicalTime
    order_references: frozenset[str]
    evidence: Evidence


class AmountKind(Enum):
    """What an ordered amount is an amount of."""

    VOLUME_ML = "mL"
    VOLUME_ML_PER_KG = "mL/kg"
    VECTOR_GENOMES = "vg"
    VECTOR_GENOMES_PER_KG = "vg/kg"
    KITS = "kit"
    VIALS = "vial"
    NOT_INTERPRETABLE = "not interpretable"


@dataclass(frozen=True, slots=True)
class OrderedAmount:
    """One ordered amount in its kind's unit. `value` is None where it cannot be interpreted."""

    kind: AmountKind
    value: Decimal | None
    written: str


class Route(Enum):
    """The ordered route, as far as this service tells routes apart."""

    INTRAVENOUS = "intravenous"
    INTRATHECAL = "intrathecal"
    OTHER = "other"
    NOT_RECOGNISED = "not-recognised"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, slots=True)
class Repetition:
    """What an instruction says about giving the product more than once; None or empty where it says nothing.

    `planned_for` are the times it names. `several_times` are parts that name more than one time of giving.
    `unclear` is timing that cannot be told to mean once.
    """

    count: int | None = None
    times_per_period: str = ""
    is_once_a_day: bool = False
    planned_for: tuple[str, ...] = ()
    several_times: bool = False
    bounds_within_a_day: bool | None = None
    unclear: str = ""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One dosage instruction of a product order.

    `amount` is the entry to be judged (ordered before calculated); `genome_amounts` are all entries in vector
    genomes; `minutes` is the infusion time; `ml_per_hour` the rate. A `…_written` is empty where nothing is said.
    `is_method_unread`: a method stands there that nobody can read; it may be a push or bolus.
    """

    amount: OrderedAmount | None
    genome_amounts: tuple[OrderedAmount, ...]
    text: str
    route: Route
    route_written: str
    method_written: str
    is_method_unread: bool
    is_push_or_bolus: bool
    minutes: Decimal | None
    minutes_written: str
    ml_per_hour: Decimal | None
    rate_written: str
    repetition: Repetition


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """The day an order is planned for. `day` is None where the record names no day; `latest` is then the last day
    that a month or year can mean, None where not even that can be told. `start` is the moment, where one is named.
    """

    day: date | None
    written: str
    latest: date | None = None
    start: datetime | None = None


class Suffix(Enum):
    """Which onasemnogene product an order names by its non-proprietary name's suffix or its brand."""

    THIS_PRODUCT = "this-product"
    INTRATHECAL_PRODUCT = "intrathecal-product"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, slots=True)
class ProductOrder:
    """One order for the product: a draft in the hand of the prescriber, or one already in the record.

    `kit_codes` are its package codes in the spelling of Table 3 where they have that form, else as written.
    `replaces` and `same_as` are references and identifiers. `reason_is_sma`: a coded reason names the disease.
    """

    order_id: str
    evidence: Evidence
    suffix: Suffix
    kit_codes: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    quantity: OrderedAmount | None
    repeats_allowed: Decimal | None
    repeats_written: str
    planned: PlannedDay | None
    replaces: frozenset[str]
    same_as: frozenset[str]
    reason_is_sma: bool
    reason_written: str


class Moment(Enum):
    """What is happening while the service is asked."""

    ORDERING = "ordering"
    DISPATCH = "dispatch"
    VISIT = "visit"
    BOOKING = "booking"
    CHART = "chart"
    DISCHARGE = "discharge"


@dataclass(frozen=True, slots=True, eq=False)
class PatientFacts:
    """All that a rule may know: the child, the record, the orders in hand, and the day.

    Compared by identity: the facts of one call are never those of another. `drafts` are the product orders this
    call is about: being written or signed, being dispatched, or, at a visit and while booking, the open ones.
    `names_product`: an order of the call itself is for the product, also one set aside as another patient's.
    `slots` are its appointments. `stay` is the encounter it is about, where that came with the call.
    `unresolved_orders` are dispatched orders that did not come with the call.
    `unmapped_results` counts the results of no known code.
    """

    now: datetime
    today: date
    zone: str
    sources: Mapping[Source, SourceState]
    identity_problems: tuple[IdentityProblem, ...]
    unreadable: tuple[UnreadableEntry, ...]
    future_dated: tuple[FutureDatedEntry, ...]
    has_patient: bool
    born: BirthDate | None
    birth_written: str
    patient: Evidence
    is_multiple_birth: bool | None
    has_died: bool
    weights: tuple[WeightMeasurement, ...]
    gestational_ages: tuple[GestationalAge, ...]
    diagnoses: tuple[Diagnosis, ...]
    genetic_results: tuple[GeneticResult, ...]
    other_genetic_evidence: tuple[Evidence, ...]
    exposures: tuple[Exposure, ...]
    unclear_orders: tuple[Evidence, ...]
    drafts: tuple[ProductOrder, ...]
    background_drafts: tuple[ProductOrder, ...]
    open_orders: tuple[ProductOrder, ...]
    moment: Moment
    names_product: bool
    unresolved_orders: tuple[str, ...]
    lab_results: tuple[LabResult, ...]
    titers: tuple[TiterResult, ...]
    temperatures: tuple[Temperature, ...]
    infection_tests: tuple[InfectionTest, ...]
    requested_tests: tuple[RequestedTest, ...]
    steroid_orders: tuple[SteroidOrder, ...]
    steroid_doses: tuple[SteroidDose, ...]
    anti_infectives: tuple[AntiInfective, ...]
    vaccinations: tuple[Vaccination, ...]
    vaccine_orders: tuple[VaccineOrder, ...]
    overdue_vaccines: tuple[Evidence, ...]
    nil_by_mouth: tuple[Evidence, ...]
    visit_reasons: tuple[Diagnosis, ...]
    kit_events: tuple[KitEvent, ...]
    slots: tuple[Slot, ...]
    blood_pressures: tuple[BloodPressure, ...]
    urine_outputs: tuple[UrineOutput, ...]
    blood_smears: tuple[BloodSmear, ...]
    antihypertensives: tuple[StartedMedicine, ...]
    consultations: tuple[Consultation, ...]
    cardiac_evaluations: tuple[CardiacEvaluation, ...]
    teachings: tuple[Teaching, ...]
    stay: Stay | None
    unmapped_results: int
    _worked_out: dict[object, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, work: Callable[[PatientFacts, *About], Found], *about: *About) -> Found:
        """What `work(facts, *about)` gives, worked out the first time it is asked for and forgotten with these facts.

        Many rules of one call ask for the same weight, day or result. `work` must depend on nothing else.
        """
        question = (work, about)
        try:
            found: Found = self._worked_out[question]
        except KeyError:
            found = self._worked_out[question] = work(self, *about)
        return found

    def results_of(self, analyte: str) -> tuple[LabResult, ...]:
        """All results of one analyte, in the record's order."""
        return self.once(_by_analyte).get(analyte, ())

    def can_prove_absence(self, source: Source) -> bool:
        """Whether everything of this list is at hand and was read, so that "none found" means none (C13)."""
        is_complete = self.sources[source].state is ListState.COMPLETE
        return is_complete and all(entry.source is not source for entry in self.unreadable)

    def lacking(self, *sources: Source) -> tuple[Source, ...]:
        """Those of the given lists that cannot prove absence."""
        return tuple(source for source in sources if not self.can_prove_absence(source))

    def with_concept(self, *concepts: str) -> tuple[Diagnosis, ...]:
        """The diagnoses of these concepts, in the record's order."""
        return tuple(item for item in self.diagnoses if item.concept in concepts)

    def age_in_months_is_below(self, months: int) -> bool:
        """Whether the child may still be younger than this many calendar months today; True if unsure."""
        return self.born is None or add_months(self.born.latest, months) > self.today

    def is_within(self, time: ClinicalTime, allowed: timedelta) -> bool:
        """Whether a time lies within so long before now; a day without an hour is given the benefit of doubt."""
        if time.day is None:
            return False
        if time.instant is not None:
            return time.instant >= self.now - allowed
        return time.day >= (self.now - allowed).date()

    def may_be_within(self, time: ClinicalTime, allowed: timedelta) -> bool:
        """The same where a month or a year counts as its last day, and a time that cannot be read as any."""
        if time.day is None:
            return time.latest is None or time.latest >= (self.now - allowed).date()
        return self.is_within(time, allowed)

    @property
    def is_treated(self) -> bool:
        """Whether accepted evidence says that the product was given, wholly or in part."""
        return any(item.kind in (ExposureKind.GIVEN, ExposureKind.PARTLY_GIVEN) for item in self.exposures)

    @property
    def planned_orders(self) -> tuple[ProductOrder, ...]:
        """The orders whose plan counts on this call: the drafts in hand, else the open orders, else other drafts."""
        return self.drafts or self.open_orders or self.background_drafts

    @property
    def proposed_infusions(self) -> tuple[Slot, ...]:
        """The infusion appointments that are being booked now."""
        return tuple(slot for slot in self.slots if slot.is_proposed and slot.kind is VisitKind.INFUSION)

    @property
    def planned_days(self) -> tuple[date, ...]:
        """Every planned infusion day that the record states, earliest first.

        The slot being booked is the plan; else the orders' own days; else the infusion's appointment (C8).
        """
        if self.proposed_infusions:
            days = {slot.starts.day for slot in self.proposed_infusions if slot.starts.day}
        else:
            days = {order.planned.day for order in self.planned_orders if order.planned and order.planned.day}
            days = days or {s.starts.day for s in self.slots if s.kind is VisitKind.INFUSION and s.starts.day}
        return tuple(sorted(days))

    @property
    def planned_infusion(self) -> date | None:
        """The next planned day, or the last one where all have passed; None where the record states none."""
        ahead = [day for day in self.planned_days if day >= self.today]
        return ahead[0] if ahead else (self.planned_days[-1] if self.planned_days else None)

    @property
    def may_be_infusion_day(self) -> bool:
        """Whether the infusion is planned for today, or a visit begins with an order open for no later day.

        A plan that has passed without a recorded dose counts as no plan: infusions are postponed (ruling 13, H55). Of a
        treated child only a plan that is written and cannot be read may mean today.
        """
        if self.today in self.planned_days:
            return True
        if self.moment is not Moment.VISIT:
            return False
        if self.is_treated:
            return any(order.planned and _may_mean(self.today, order.planned) for order in self.orders_beside_dose)
        return bool(self.planned_orders) and all(day < self.today for day in self.planned_days)

    @property
    def orders_beside_dose(self) -> tuple[ProductOrder, ...]:
        """The orders whose plan counts on this call, without those that a recorded dose belongs to."""
        given = {name for item in self.exposures for name in item.order_references}
        return tuple(order for order in self.planned_orders if not given & order.same_as)

    @property
    def is_infusion_visit(self) -> bool:
        """Whether the visit that begins now may be the one for the infusion."""
        return self.moment is Moment.VISIT and self.may_be_infusion_day

    @property
    def latest_infusion_day(self) -> date:
        """The later of the last planned day and today: what an upper age limit is judged on (ruling 29).

        A plan that names only a month or year counts as its last day.
        """
        plans = (order.planned for order in self.planned_orders if order.planned)
        vague = (plan.latest for plan in plans if plan.day is None and plan.latest)
        return max((*self.planned_days, *vague, self.today))

    @property
    def has_infusion_day(self) -> bool:
        """Whether the day of the infusion is known: a slot being booked, or a day on every order that counts."""
        if self.proposed_infusions:
            return bool(self.planned_days)
        return bool(self.planned_orders) and all(o.planned and o.planned.day for o in self.planned_orders)

    @property
    def earliest_infusion_day(self) -> date:
        """The first planned day, today where none is known or it has passed: what maturity is judged on."""
        return max(self.today, self.planned_days[0]) if self.planned_days else self.today


def _may_mean(today: date, plan: PlannedDay) -> bool:
    """Whether a plan that names no day may mean this one."""
    return plan.day is None and (plan.latest is None or plan.latest >= today)


def _by_analyte(facts: PatientFacts) -> Mapping[str, tuple[LabResult, ...]]:
    found: dict[str, list[LabResult]] = {}
    for item in facts.lab_results:
        found.setdefault(item.analyte, []).append(item)
    return {analyte: tuple(items) for analyte, items in found.items()}
