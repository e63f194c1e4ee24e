"""One child's whole course on one day: infusion, corticosteroid, calendar and results (clinical-rules 5, 6).

What a timeline shows and nothing else: every value comes from the functions that the rules ask, so that the timeline
and the cards cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from cds_service.domain.calendar_days import CalendarDay, calendar_days
from cds_service.domain.days import days_from
from cds_service.domain.evidence import Evidence, distinct
from cds_service.domain.exposure import infusion_day, is_infused, last_infusion_day
from cds_service.domain.facts import ExposureKind, PatientFacts, Source
from cds_service.domain.follow_up import calendar_of, follows_infusion
from cds_service.domain.known import Known
from cds_service.domain.monitoring_calendar import MonitoringCalendar
from cds_service.domain.result_series import ResultSeries, result_series
from cds_service.domain.steroid_course import LOOK_BACK
from cds_service.domain.steroid_states import CourseState, course_status
from cds_service.domain.steroid_timeline import SteroidTimeline, steroid_timeline

_WITHOUT_PLAN = (CourseState.NONE, CourseState.INTERRUPTED, CourseState.UNKNOWN)
_GIVEN = (ExposureKind.GIVEN, ExposureKind.PARTLY_GIVEN)


class InfusionState(Enum):
    """How the infusion day is known.

    GIVEN: from a recorded administration, whole or in part. PRESUMED: from an order or a record that proves less.
    PLANNED: it is ahead, or passed without any record of a dose. UNKNOWN: a dose of no known day, or no plan.
    """

    GIVEN = "given"
    PRESUMED = "presumed"
    PLANNED = "planned"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InfusionPoint:
    """The infusion day. `other_day` is the last one where the record names several: the tests may end by that one."""

    state: InfusionState
    day: date | None
    other_day: date | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class TreatmentCourse:
    """The course as it stands today. `day_number` counts from the infusion, None where its day is not known.

    `is_over`: the follow-up has ended (ruling 15); then no day asks for anything, and only those with a result are
    told.
    `has_all_results`: the list of results came whole; without it nothing is known to be missing (C13).
    `first_day` to `last_day` hold everything that is worth showing.
    """

    today: date
    infusion: InfusionPoint
    day_number: int | None
    is_over: bool
    has_all_results: bool
    first_day: date
    last_day: date
    steroid: SteroidTimeline
    calendar: MonitoringCalendar | None
    days: tuple[CalendarDay, ...]
    series: tuple[ResultSeries, ...]

    @property
    def is_plan_known(self) -> bool:
        """Whether the record shows how the corticosteroid goes on: it is given or ordered, and its dose is known."""
        return self.steroid.status is not None and self.steroid.status.state not in _WITHOUT_PLAN


def treatment_course(facts: PatientFacts, known: Known) -> TreatmentCourse:
    """The whole course of a child with the product, given or planned, as far as the record tells it."""
    infusion = _infusion(facts)
    is_known = infusion.state is not InfusionState.UNKNOWN
    steroid = steroid_timeline(course_status(facts, known) if is_known else None, facts, known)
    calendar = calendar_of(facts, known)
    is_over = calendar is not None and not follows_infusion(facts, known)
    has_all_results = facts.can_prove_absence(Source.MEASUREMENTS)
    days, series = calendar_days(calendar, has_all_results=has_all_results), result_series(facts, known)
    if is_over:
        days = tuple(day for day in days if any(part.slot.present for part in day.parts))
    shown = sorted(_days_shown(infusion, steroid, days, None if is_over else calendar, facts.today))
    # Results long before the infusion are of another time; those that belong to it are never so old.
    results = [point.result.measured.day for item in series for point in item.points]
    earliest = shown[0] - LOOK_BACK
    shown += [day for day in results if day is not None and day >= earliest]
    last_day = max(shown)
    return TreatmentCourse(
        today=facts.today,
        infusion=infusion,
        day_number=days_from(infusion.day, facts.today) if infusion.day is not None else None,
        is_over=is_over,
        has_all_results=has_all_results,
        first_day=min(shown),
        last_day=last_day,
        steroid=steroid.until(last_day),
        calendar=calendar,
        days=days,
        series=series,
    )


def _infusion(facts: PatientFacts) -> InfusionPoint:
    own = [item for item in facts.exposures if item.kind is not ExposureKind.OTHER_PRODUCT]
    day, last = infusion_day(facts), last_infusion_day(facts)
    if is_infused(facts):
        named = [item for item in own if item.given.day in (day, last)]
        state = InfusionState.GIVEN if any(item.kind in _GIVEN for item in named) else InfusionState.PRESUMED
        return InfusionPoint(state, day, last if last != day else None, distinct(item.evidence for item in named))
    undated = distinct(item.evidence for item in own if item.given.day is None)
    if undated or facts.planned_infusion is None:
        return InfusionPoint(InfusionState.UNKNOWN, None, None, undated)
    return InfusionPoint(InfusionState.PLANNED, facts.planned_infusion, None, ())


def _days_shown(
    infusion: InfusionPoint,
    steroid: SteroidTimeline,
    days: tuple[CalendarDay, ...],
    calendar: MonitoringCalendar | None,
    today: date,
) -> Iterator[date]:
    """The days that the chart has to hold; without a calendar that runs, today only until the infusion."""
    if infusion.day is None or infusion.state is InfusionState.PLANNED or calendar is not None:
        yield today
    if infusion.day is not None:
        yield infusion.day
    yield from (item.day for item in steroid.days if item.is_covered and not (item.is_planned and steroid.is_endless))
    yield from (item.day for item in steroid.plan)
    yield from (edge for day in days for edge in (day.opens, day.closes))
    if calendar is not None and calendar.liver_ends is not None:
        yield calendar.liver_ends
