"""Where a treated child stands today, in a few dates: what one card says when nothing is wrong (clinical-rules 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from cds_service.domain.answers import Answer, Verdict
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import days_from
from cds_service.domain.facts import PatientFacts, ProductOrder, Source
from cds_service.domain.follow_up import calendar_of, liver_tests_may_end_earlier
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import (
    LIVER_PANEL,
    PLATELETS,
    is_after_infusion,
    newest_panel,
    results_after_infusion,
)
from cds_service.domain.monitoring_calendar import MonitoringSlot, Series, SlotStatus
from cds_service.domain.newest import may_be_as_new, newest_of
from cds_service.domain.platelet_count import is_below_normal
from cds_service.domain.reference_range import is_outside_own_range
from cds_service.domain.steroid_states import CourseState, course_status

# No slot asks for these; where one was measured and lies outside its range, nobody is on track.
_ALSO_LOOKED_AT = (
    "albumin", "partial_thromboplastin_time", "creatinine", "hemoglobin", "ldh", "haptoglobin", "troponin_i",
)  # fmt: skip
_OFF_TRACK = frozenset(s.value for s in (CourseState.NONE, CourseState.INTERRUPTED, CourseState.UNKNOWN))


@dataclass(frozen=True, slots=True)
class NextTest:
    """The next slot of one series: its day, its window, and whether it is due or booked already."""

    target: date
    opens: date
    closes: date
    is_due: bool
    is_booked: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """The child's day in the follow-up, the next tests, and the state of the corticosteroid course.

    `abnormal` are the tests whose newest result is surely not unremarkable, or outside its own range.
    `not_checked` are the reasons for which rules could not answer, by name.
    """

    infusion: date
    day_number: int
    liver: NextTest | None
    platelets: NextTest | None
    course_state: str
    course_ends: date | None
    abnormal: tuple[str, ...]
    not_checked: tuple[Source | str, ...]

    @property
    def is_on_track(self) -> bool:
        """Whether every rule could answer, no newest result is abnormal, and the corticosteroid is as it should be."""
        return not self.not_checked and not self.abnormal and self.course_state not in _OFF_TRACK


def outlook_of(facts: PatientFacts, answers: tuple[Answer, ...], known: Known) -> Outlook | None:
    """The outlook of a treated child; None where there is no calendar to go by."""
    calendar, status = calendar_of(facts, known), course_status(facts, known)
    if calendar is None or status is None:
        return None
    lacking = (item for answer in answers if answer.verdict is Verdict.UNKNOWN for item in answer.missing)
    return Outlook(
        infusion=calendar.infusion,
        day_number=days_from(calendar.infusion, facts.today),
        liver=_next(calendar.next_slot(Series.LIVER)),
        platelets=_next(calendar.next_slot(Series.PLATELETS)),
        course_state=status.state.value,
        course_ends=status.last_day or status.required_end,
        abnormal=tuple(_abnormal(facts, known)),
        not_checked=tuple(dict.fromkeys([*lacking, *_not_read(facts, known)])),
    )


def _not_read(facts: PatientFacts, known: Known) -> Iterator[str]:
    """That a newest result outside the liver panel holds no number, or a sample of any test gave no result.

    It may have been anything, so nobody is on track; nor is one whose calendar hangs on a result that nobody can judge,
    or for whom the product is ordered beside the dose given.
    """
    for analyte in (PLATELETS, *_ALSO_LOOKED_AT):
        newest = newest_of(results_after_infusion(analyte, facts), known)
        if any(item.number is None for item in (*newest.accepted, *newest.provisional)):
            yield "result-interpretable"
    if any(_newest_had_no_result(analyte, facts, known) for analyte in (PLATELETS, *LIVER_PANEL, *_ALSO_LOOKED_AT)):
        yield "sample-with-result"
    if liver_tests_may_end_earlier(facts, known):
        yield "panel-after-taper"
    if any(_may_be_ahead(order, facts.today) for order in facts.orders_beside_dose):
        yield "open-order-of-treated-child"


def _may_be_ahead(order: ProductOrder, today: date) -> bool:
    """Whether an order's infusion is planned for today or later, or for no day that is known."""
    day = order.planned.day if order.planned else None
    return day is None or day >= today


def _newest_had_no_result(analyte: str, facts: PatientFacts, known: Known) -> bool:
    """Whether a sample after the infusion that gave no result, such as a clumped one, may be the newest one."""
    accepted = newest_of(results_after_infusion(analyte, facts), known).accepted
    return any(
        item.had_no_result
        and is_after_infusion(item, facts)
        and (not accepted or may_be_as_new(item.measured, accepted[0].measured))
        for item in facts.results_of(analyte)
    )


def _abnormal(facts: PatientFacts, known: Known) -> Iterator[str]:
    yield from (test.analyte for test in newest_panel(facts, known).abnormal)
    counts = newest_of(results_after_infusion(PLATELETS, facts), known)
    told = (*counts.accepted, *counts.provisional)
    if any(is_below_normal(count, known) is Certainty.TRUE for count in told):
        yield PLATELETS
    for analyte in _ALSO_LOOKED_AT:
        newest = newest_of(results_after_infusion(analyte, facts), known)
        if any(is_outside_own_range(item) for item in (*newest.accepted, *newest.provisional)):
            yield analyte


def _next(slot: MonitoringSlot | None) -> NextTest | None:
    if slot is None:
        return None
    is_due, is_booked = slot.status in (SlotStatus.DUE, SlotStatus.BOOKED), bool(slot.booked)
    return NextTest(slot.target, slot.due_from, slot.closes, is_due, is_booked)
