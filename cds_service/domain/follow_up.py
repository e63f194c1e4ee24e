"""The follow-up of one child after the infusion: its calendar, and whether it still runs (clinical-rules C9, 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import add_months
from cds_service.domain.exposure import infusion_day, is_infused, last_infusion_day
from cds_service.domain.facts import ExposureKind, PatientFacts
from cds_service.domain.handling import VisitKind
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import (
    LIVER_PANEL,
    PLATELETS,
    is_unremarkable,
    measured_after_infusion,
    results_after_infusion,
)
from cds_service.domain.monitoring_calendar import (
    Booking,
    MonitoringCalendar,
    Sample,
    SteroidPlan,
    SteroidSpan,
    monitoring_calendar,
)
from cds_service.domain.pending_tests import analytes_of, is_pending
from cds_service.domain.platelet_count import baseline_count, is_back_at_baseline
from cds_service.domain.steroid_course import required_start
from cds_service.domain.steroid_dose import DAY
from cds_service.domain.steroid_states import CourseState, CourseStatus, course_status


def calendar_of(facts: PatientFacts, known: Known) -> MonitoringCalendar | None:
    """The child's monitoring calendar; None where no infusion day is on record, or it is still ahead.

    The single source for cards, suggested orders and bookings.
    """
    return facts.once(_calendar_of, known)


def _calendar_of(facts: PatientFacts, known: Known) -> MonitoringCalendar | None:
    return _calendar_with(tuple(_samples(facts, known)), facts, known)


def liver_tests_may_end_earlier(facts: PatientFacts, known: Known) -> bool:
    """Whether the liver tests would become rarer or end sooner if the results that nobody can judge were unremarkable.

    Then a slot may have been due that the calendar does not show: it counts from the first unremarkable panel after
    the taper (clinical-rules 6.3).
    """
    calendar, samples = calendar_of(facts, known), tuple(_samples(facts, known))
    if calendar is None or calendar.taper_ended is None:
        return False
    fine = tuple(replace(s, is_fine=Certainty.TRUE) if s.is_fine is Certainty.UNKNOWN else s for s in samples)
    unread = tuple(_unread_liver_samples(calendar.taper_ended, facts, known))
    if fine == samples and not unread:
        return False
    otherwise = _calendar_with((*fine, *unread), facts, known)
    assert otherwise is not None
    if otherwise.liver_ends is None:
        return False
    return calendar.liver_ends is None or otherwise.liver_ends < calendar.liver_ends


def _unread_liver_samples(taper_ended: date, facts: PatientFacts, known: Known) -> Iterator[Sample]:
    """The liver results that no slot takes, as if they were unremarkable; one of no known day as of the taper's end."""
    for analyte in LIVER_PANEL:
        taken = {id(item) for item in measured_after_infusion(analyte, facts, known)}
        for item in results_after_infusion(analyte, facts):
            if id(item) not in taken and is_unremarkable(item, known) is not Certainty.FALSE:
                yield Sample(analyte, item.measured.day or taper_ended, Certainty.TRUE, item.evidence)


def _calendar_with(samples: tuple[Sample, ...], facts: PatientFacts, known: Known) -> MonitoringCalendar | None:
    infusion, last = infusion_day(facts), last_infusion_day(facts)
    status = course_status(facts, known) if is_infused(facts) else None
    if infusion is None or last is None or status is None:
        return None
    return monitoring_calendar(
        infusion=infusion,
        follow_up_from=last,
        today=facts.today,
        steroid=steroid_plan(status, facts.today, known),
        samples=samples,
        bookings=tuple(_bookings(facts, known)),
        known=known,
    )


def _samples(facts: PatientFacts, known: Known) -> Iterator[Sample]:
    """Every accepted result of the calendar's tests after the infusion, without those that contradict each other."""
    baseline = baseline_count(facts, known)
    for analyte in (*LIVER_PANEL, PLATELETS):
        for item in measured_after_infusion(analyte, facts, known):
            is_count = analyte == PLATELETS
            is_fine = is_back_at_baseline(item, baseline, known) if is_count else is_unremarkable(item, known)
            assert item.measured.day is not None
            yield Sample(analyte, item.measured.day, is_fine, item.evidence)


def _bookings(facts: PatientFacts, known: Known) -> Iterator[Booking]:
    """What is ordered for a day, or awaited now because no day is written, and the visits that are booked."""
    for request in facts.requested_tests:
        day = request.wanted.day or (facts.today if is_pending(request, facts, known) else None)
        if request.is_active and day is not None:
            yield Booking(day, analytes_of(request, known), request.evidence)
    for slot in facts.slots:
        is_booked = slot.kind is VisitKind.FOLLOW_UP and not slot.is_proposed
        # A visit that is over without a result has booked nothing.
        if is_booked and slot.starts.day is not None and slot.starts.day >= facts.today:
            yield Booking(slot.starts.day, None, slot.evidence)


# --- the course as the calendar sees it


def steroid_plan(status: CourseStatus, today: date, known: Known) -> SteroidPlan:
    """The days with corticosteroid, and when they end, as far as that can be said without making it up (6.3)."""
    taper = timedelta(days=known.label.whole("taper_days"))
    # The label's own course ends here; a course that broke off earlier is watched as long (6.3).
    standard_end = status.required_end + taper
    end, is_known = _end_of(status, today, standard_end, taper)
    spans = _spans(status, end, standard_end)
    return SteroidPlan(spans, is_end_known=is_known, is_projected=is_known and end >= today)


def _end_of(status: CourseStatus, today: date, standard_end: date, taper: timedelta) -> tuple[date, bool]:
    planned = status.last_day or standard_end
    match status.state:
        case CourseState.DECIDE | CourseState.EXTENDED:
            return max(today, standard_end - taper), False
        case CourseState.UNKNOWN:
            return (standard_end, True) if today <= status.required_end else (today, False)
        case CourseState.MAY_TAPER:
            begins = status.taper_begins or max(status.required_end + DAY, today)
            return max(begins + taper - DAY, planned if status.taper_begins else begins), True
        case CourseState.TAPER | CourseState.TAPER_HELD:
            return _end_of_taper(status, today, standard_end, taper)
    return max(planned, standard_end), True


def _end_of_taper(status: CourseStatus, today: date, standard_end: date, taper: timedelta) -> tuple[date, bool]:
    if status.taper_begins is None:
        return today, False
    end = max(status.last_day or status.taper_begins, status.taper_begins + taper - DAY, standard_end)
    return (end, True) if end >= today else (today, False)


def _spans(status: CourseStatus, end: date, standard_end: date) -> tuple[SteroidSpan, ...]:
    """To `end`, whatever days were late or left out; parted only by a taper that was completed (6.3)."""
    first = required_start(status.infusion)
    again = status.restarted_on
    if again is None or again > end:
        return (SteroidSpan(first, end),)
    tapered = max((last for _, last in status.runs if last < again), default=standard_end)
    return SteroidSpan(first, min(max(tapered, standard_end), again - DAY)), SteroidSpan(again, end)


# --- whether it still runs


def follows_infusion(facts: PatientFacts, known: Known) -> bool:
    """Whether the product was given, or may have been, and its follow-up still runs (ruling 15).

    It ends so long after the liver tests are truly over and the platelets are back, and at the latest so many months
    after the infusion unless a corticosteroid still runs. A dose of an unknown day keeps it open.
    """
    given = [item for item in facts.exposures if item.kind is not ExposureKind.OTHER_PRODUCT]
    if not given or any(item.given.day is None for item in given):
        return bool(given)
    if not _is_within_months(given_days(facts), facts.today, known):
        return _steroid_runs(facts, known)
    calendar = calendar_of(facts, known)
    if calendar is None or calendar.liver_over_on is None or calendar.platelets_back_on is None:
        return True
    over = max(calendar.liver_over_on, calendar.platelets_back_on, calendar.three_months)
    return facts.today <= over + timedelta(days=known.policy.whole("gate.tail_days")) or _steroid_runs(facts, known)


def given_days(facts: PatientFacts) -> tuple[date, ...]:
    """The days on which the product was given, or may have been."""
    return tuple(
        item.given.day for item in facts.exposures if item.kind is not ExposureKind.OTHER_PRODUCT and item.given.day
    )


def _is_within_months(days: Iterable[date], today: date, known: Known) -> bool:
    months = known.policy.whole("gate.after_infusion_months")
    return any(add_months(day, months) >= today for day in days)


def _steroid_runs(facts: PatientFacts, known: Known) -> bool:
    """Whether the record shows a day with a corticosteroid, today or later; a list that did not all come shows none."""
    status = course_status(facts, known) if is_infused(facts) else None
    if status is None or status.first_day is None or not status.is_running:
        return False
    return status.is_open_ended or (status.last_day is not None and status.last_day >= facts.today)


# --- for the family


def body_waste_until(facts: PatientFacts, known: Known) -> date | None:
    """The last day on which body waste is handled with care: a month after the last infusion day (label 17; ruling 51).

    None where no infusion day is known.
    """
    last = last_infusion_day(facts)
    return None if last is None else add_months(last, known.label.whole("shedding_months"))
