"""The corticosteroid of one child day by day: dose, phase, and the days that are fixed (clinical-rules 5; label 2.1).

Doses come from `steroid_dose`, states from `steroid_states`, the end of the taper from the monitoring calendar: the
same functions the cards use. Nothing here judges a dose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import days_from
from cds_service.domain.dosing_weight import WeightInKg, weight_for_dose
from cds_service.domain.evidence import Evidence
from cds_service.domain.exposure import is_infused
from cds_service.domain.facts import PatientFacts, Source
from cds_service.domain.follow_up import steroid_plan
from cds_service.domain.known import Known, Provenance
from cds_service.domain.liver_panel import end_check_from
from cds_service.domain.quantities import to_significant_digits
from cds_service.domain.steroid_course import LOOK_BACK, course_around, required_start
from cds_service.domain.steroid_dose import DAY, DailySteroid, steroid_on
from cds_service.domain.steroid_states import CourseState, CourseStatus, states_by_day
from cds_service.domain.suggested_steroid import per_kg_to_show


class DoseSource(Enum):
    """How the dose of a day is known. NOT_GIVEN: the record says so; NONE: a whole list holds nothing for the day."""

    GIVEN = "given"
    ORDERED = "ordered"
    NOT_GIVEN = "not-given"
    NONE = "none"
    UNKNOWN = "unknown"


class Phase(Enum):
    """The part of the course a day belongs to; each is one or two states of clinical-rules section 5."""

    BEFORE = "before"
    NONE = "none"
    COURSE = "course"
    DECISION = "decision"
    TAPER = "taper"
    EXTENDED = "extended"
    HELD = "held"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"


_PHASES = {
    CourseState.NONE: Phase.NONE,
    CourseState.ORDERED: Phase.BEFORE,
    CourseState.BEGUN: Phase.BEFORE,
    CourseState.COURSE: Phase.COURSE,
    CourseState.DECIDE: Phase.DECISION,
    CourseState.MAY_TAPER: Phase.DECISION,
    CourseState.TAPER: Phase.TAPER,
    CourseState.EXTENDED: Phase.EXTENDED,
    CourseState.TAPER_HELD: Phase.HELD,
    CourseState.FINISHED: Phase.FINISHED,
    CourseState.INTERRUPTED: Phase.INTERRUPTED,
    CourseState.UNKNOWN: Phase.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class SteroidDay:
    """One local day. `mg` of prednisolone equivalent and `mg_per_kg` are as shown, None where nobody can tell.

    `is_sure` is False where it is not sure that the day is covered. `is_planned`: the day is ahead.
    """

    day: date
    mg: Decimal | None
    mg_per_kg: Decimal | None
    source: DoseSource
    phase: Phase
    is_sure: bool
    is_planned: bool
    evidence: tuple[Evidence, ...]

    @property
    def is_covered(self) -> bool:
        """Whether a corticosteroid is given or ordered for the day."""
        return self.source in (DoseSource.GIVEN, DoseSource.ORDERED)


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """Days of one phase, both ends counted; `is_planned` where they are ahead."""

    phase: Phase
    first_day: date
    last_day: date
    is_planned: bool


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """One day of the course that is fixed by the label, the site's policy or the record (`basis`, see Provenance).

    `name` says which. `is_assumed`: it holds only if the course goes on as planned.
    """

    name: str
    day: date
    basis: str
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class SteroidTimeline:
    """The course on the day of the call: where it stands, its days, their phases, and the days that are fixed."""

    status: CourseStatus | None
    days: tuple[SteroidDay, ...]
    phases: tuple[PhaseSpan, ...]
    plan: tuple[PlannedDay, ...]

    def on(self, day: date) -> SteroidDay | None:
        """What is known of one day; None where it lies outside the course."""
        return next((item for item in self.days if item.day == day), None)

    @property
    def is_endless(self) -> bool:
        """Whether what is ordered has no end in sight."""
        return self.status is not None and self.status.is_open_ended

    def until(self, last: date) -> SteroidTimeline:
        """The same timeline without what comes after a day."""
        days = tuple(item for item in self.days if item.day <= last)
        spans = (replace(s, last_day=min(s.last_day, last)) for s in self.phases if s.first_day <= last)
        return replace(self, days=days, phases=tuple(spans))


FROM_RECORD = "record"
# The names of PlannedDay, in the order of a course without delay.
PLANNED_DAYS = (
    "start", "first-day", "end-check", "end-of-course", "earliest-taper", "taper-begins", "earliest-end", "last-day",
)  # fmt: skip
_OVER = (CourseState.FINISHED, CourseState.INTERRUPTED)


def steroid_timeline(status: CourseStatus | None, facts: PatientFacts, known: Known) -> SteroidTimeline:
    """The corticosteroid timeline of a child whose course stands at `status`, None where no infusion day is known.

    Without an infusion day only the days that hold a corticosteroid are told, and their phase is unknown.
    """
    phases = _phases_by_day(status, facts, known)
    kilograms = _Kilograms(facts, known)
    days = tuple(
        _day(steroid_on(day, facts, known), phases.get(day), status, kilograms, facts, known)
        for day in _days_told(status, phases, facts)
    )
    told = tuple(item for item in days if item.is_covered or (status is not None and item.phase is not Phase.FINISHED))
    return SteroidTimeline(status, told, tuple(_spans(phases, facts.today)), tuple(_plan(status, facts, known)))


# --- phases


def _phases_by_day(status: CourseStatus | None, facts: PatientFacts, known: Known) -> Mapping[date, Phase]:
    """The phase of each day, from the day before the infusion or the first one with a corticosteroid on."""
    if status is None:
        return {}
    if is_infused(facts):
        by_state = {day: _PHASES[state] for day, state in states_by_day(facts, known)}
        phases = {day: _phase_on(day, phase, status) for day, phase in by_state.items()}
    else:
        phases = _phases_as_ordered(status, facts, known)
    # What lies between the day the course had to begin and its first day, or today, is no part of it.
    late = Phase.UNKNOWN if facts.lacking(Source.ORDERS) else Phase.NONE
    begins = min(phases, default=facts.today + DAY)
    return {**dict.fromkeys(_days_until(begins, required_start(status.infusion)), late), **phases}


def _phase_on(day: date, phase: Phase, status: CourseStatus) -> Phase:
    """The phase of a day; the last of the 30 days is still one of them, although the decision begins on it."""
    if day < status.infusion:
        return Phase.BEFORE
    return Phase.COURSE if phase is Phase.DECISION and day <= status.required_end else phase


def _phases_as_ordered(status: CourseStatus, facts: PatientFacts, known: Known) -> dict[date, Phase]:
    """The phases while no dose of the product is recorded, whether its day is ahead, is today or has passed.

    To the end of the 30 days and no further: what follows depends on the liver tests.
    """
    course = course_around(status.infusion, facts, known)
    if course is None:
        return {required_start(status.infusion): Phase.BEFORE} if status.infusion > facts.today else {}
    days = _days_until(min(course.last_day, status.required_end) + DAY, course.first_day)
    return {day: Phase.BEFORE if day < status.infusion else Phase.COURSE for day in days}


def _days_until(end: date, first: date) -> list[date]:
    """The days from the first one on, without the end."""
    return [first + DAY * n for n in range(days_from(first, end))]


def _spans(phases: Mapping[date, Phase], today: date) -> Iterator[PhaseSpan]:
    span: PhaseSpan | None = None
    for day in sorted(phases):
        is_planned = day > today
        if span is not None and (span.phase, span.is_planned) == (phases[day], is_planned):
            span = replace(span, last_day=day)
            continue
        if span is not None:
            yield span
        span = PhaseSpan(phases[day], day, day, is_planned)
    if span is not None:
        yield span


# --- days


def _days_told(status: CourseStatus | None, phases: Mapping[date, Phase], facts: PatientFacts) -> Sequence[date]:
    """The days of the phases; without any, those so long before today as a course is looked for, and today."""
    if phases:
        return sorted(phases)
    return _days_until(facts.today + DAY, facts.today - LOOK_BACK)


def _day(
    daily: DailySteroid,
    phase: Phase | None,
    status: CourseStatus | None,
    kilograms: _Kilograms,
    facts: PatientFacts,
    known: Known,
) -> SteroidDay:
    weight = kilograms.on(daily.day) if daily.mg is not None else None
    digits = known.outside.whole("shown_significant_digits")
    return SteroidDay(
        day=daily.day,
        mg=None if daily.mg is None else to_significant_digits(daily.mg, digits),
        mg_per_kg=None if daily.mg is None or weight is None else per_kg_to_show(daily.mg, weight, known),
        source=_source(daily, facts),
        phase=phase or Phase.UNKNOWN,
        is_sure=daily.cover is not Certainty.UNKNOWN,
        is_planned=daily.day > facts.today,
        evidence=daily.evidence,
    )


def _source(daily: DailySteroid, facts: PatientFacts) -> DoseSource:
    if daily.cover is not Certainty.FALSE:
        return DoseSource.GIVEN if daily.is_recorded_as_given else DoseSource.ORDERED
    if daily.evidence:
        return DoseSource.NOT_GIVEN
    # A list that did not all come cannot say that a day was left out.
    return DoseSource.UNKNOWN if facts.lacking(Source.ORDERS, Source.GIVEN_DOSES) else DoseSource.NONE


class _Kilograms:
    """The weight a day's dose is held against: the one that could be dosed on then, chosen as for a dose today."""

    def __init__(self, facts: PatientFacts, known: Known) -> None:
        self._facts, self._known = facts, known
        self._found: dict[int, WeightInKg | None] = {}

    def on(self, day: date) -> WeightInKg | None:
        """The newest accepted weight of this day or before it; None where there is none, or it is in doubt."""
        weights = tuple(w for w in self._facts.weights if w.measured.day is None or w.measured.day <= day)
        if len(weights) not in self._found:
            then = replace(self._facts, weights=weights)
            self._found[len(weights)] = weight_for_dose(then, self._known)
        return self._found[len(weights)]


# --- the days that are fixed


def _plan(status: CourseStatus | None, facts: PatientFacts, known: Known) -> Iterator[PlannedDay]:
    """The first day, the end of the 30 days and its check, and the taper, in the order of time."""
    if status is None:
        return
    label, policy = Provenance.LABEL.value, Provenance.POLICY.value
    first = status.first_day
    yield (
        PlannedDay("start", required_start(status.infusion), label)
        if first is None
        else PlannedDay("first-day", first, FROM_RECORD)
    )
    yield PlannedDay("end-check", end_check_from(status.required_end, known), policy)
    yield PlannedDay("end-of-course", status.required_end, label)
    yield from _taper(status, facts, known)


def _taper(status: CourseStatus, facts: PatientFacts, known: Known) -> Iterator[PlannedDay]:
    label = Provenance.LABEL.value
    if status.taper_begins is not None:
        yield PlannedDay("taper-begins", status.taper_begins, FROM_RECORD)
        if status.state is CourseState.TAPER_HELD:
            # Nobody can say when a taper ends that may not go on yet (2.1).
            return
        yield PlannedDay("earliest-end", status.taper_begins + DAY * (known.label.whole("taper_days") - 1), label)
    elif facts.today <= status.required_end and status.state not in _OVER:
        yield PlannedDay("earliest-taper", status.required_end + DAY, label, is_assumed=True)
        planned = steroid_plan(status, facts.today, known)
        if planned.is_projected:
            yield PlannedDay("earliest-end", planned.last_day, label, is_assumed=True)
    if status.last_day is not None and status.first_day is not None:
        yield PlannedDay("last-day", status.last_day, FROM_RECORD)
