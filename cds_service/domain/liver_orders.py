"""What a liver card offers to order: the tests that are missing and not ordered yet, the consultation, the dose."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal

from cds_service.domain.answers import OrderSteroid, RequestTest
from cds_service.domain.care import Consultation, Specialty
from cds_service.domain.facts import PatientFacts
from cds_service.domain.follow_up import calendar_of
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import LIVER_PANEL, is_measured
from cds_service.domain.medicines import SteroidRoute
from cds_service.domain.monitoring_calendar import MonitoringSlot, Series
from cds_service.domain.pending_tests import analytes_of, is_pending, tests_for_missing
from cds_service.domain.quantities import exact_product
from cds_service.domain.steroid_dose import DAY, steroid_on
from cds_service.domain.steroid_states import CourseStatus
from cds_service.domain.suggested_steroid import prednisolone

# Further testing where an injury of the liver is suspected (label 5.1).
FURTHER_TESTS = ("albumin", "partial_thromboplastin_time", "inr")
EXTENDED_PANEL = (*LIVER_PANEL, "albumin", "partial_thromboplastin_time")
CONSULT = RequestTest("hepatology-consult-urgent", is_follow_up=True)


def tests_of_slot(slot: MonitoringSlot, facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """The missing tests of a slot that nobody has ordered: for its target where that is ahead, else for now."""
    if slot.target > facts.today:
        return tests_on(slot, slot.target, facts, known)
    if slot.series is not Series.LIVER:
        return tests_on(slot, None, facts, known)
    return offer_now(slot.missing, facts, known, until=slot.closes)


def tests_on(slot: MonitoringSlot, day: date | None, facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """The missing tests of a slot for the day of a visit, None for now, apart from those that are ordered already.

    What is ordered for a day before its window does not count: the last panel is due before its window opens.
    """
    first, last = max(slot.opens, facts.today), max(slot.closes, facts.today)
    return _not_ordered(slot.missing, slot.required, first, last, day, facts, known)


def offer_now(
    wanted: Collection[str], facts: PatientFacts, known: Known, until: date | None = None
) -> tuple[RequestTest, ...]:
    """These tests now, apart from those that are awaited today, or are ordered for a day until then.

    Chosen together with what the calendar misses now, so that no test is offered beside a panel that holds it.
    """
    together = set(wanted) | _due_now(facts, known)
    missing = [analyte for analyte in EXTENDED_PANEL if analyte in together]
    required = (*LIVER_PANEL, *(analyte for analyte in missing if analyte not in LIVER_PANEL))
    last = max(until or facts.today, facts.today)
    chosen = _not_ordered(missing, required, facts.today, last, None, facts, known)
    return tuple(test for test in chosen if known.covered_by[test.test] & set(wanted))


def _due_now(facts: PatientFacts, known: Known) -> set[str]:
    """What the calendar misses today or since earlier."""
    calendar = calendar_of(facts, known)
    slots = calendar.of(Series.LIVER) if calendar is not None else ()
    return {analyte for slot in slots if slot.is_open and slot.target <= facts.today for analyte in slot.missing}


def repeat_of_panel(sampled: date | None, facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """The five tests once more, within the site's days after a sample; now where these have passed."""
    within = timedelta(days=known.policy.whole("liver.repeat_days"))
    last = sampled + within if sampled is not None else facts.today
    if last <= facts.today:
        return offer_now(LIVER_PANEL, facts, known)
    return _not_ordered(LIVER_PANEL, LIVER_PANEL, facts.today, last, last, facts, known)


def _not_ordered(
    missing: Collection[str],
    required: Collection[str],
    first: date,
    last: date,
    on: date | None,
    facts: PatientFacts,
    known: Known,
) -> tuple[RequestTest, ...]:
    ordered = _ordered_between(first, last, facts, known)
    open_tests = tuple(analyte for analyte in missing if analyte not in ordered)
    return tests_for_missing(open_tests, required, known, on)


def _ordered_between(first: date, last: date, facts: PatientFacts, known: Known) -> frozenset[str]:
    """What is ordered for these days, or awaited now because no day is written."""
    found: set[str] = set()
    for request in facts.requested_tests:
        day = request.wanted.day or (facts.today if is_pending(request, facts, known) else None)
        if request.is_active and day is not None and first <= day <= last:
            found |= analytes_of(request, known)
    return frozenset(found)


def consultation_since(day: date | None, facts: PatientFacts) -> Consultation | None:
    """The first request for, or visit with, the liver's specialist on this day or later; None where none is known."""
    if day is None:
        return None
    since = [
        (item.when.day, item.evidence.reference, item)
        for item in facts.consultations
        if item.specialty is Specialty.LIVER and item.when.day is not None and day <= item.when.day <= facts.today
    ]
    return min(since, key=lambda found: found[:2])[-1] if since else None


def hold_or_return(status: CourseStatus | None, facts: PatientFacts, known: Known) -> tuple[OrderSteroid, ...]:
    """During a taper by mouth: the dose of today held, or the full dose again; neither without a sure weight.

    From tomorrow on, so that it is not given beside today's dose.
    """
    if status is None or not status.is_tapering:
        return ()
    today = steroid_on(facts.today, facts, known)
    if today.mg is None or not today.routes <= {SteroidRoute.ORAL}:
        return ()
    last = facts.today + timedelta(days=known.policy.whole("steroid.extend_days"))
    held = _held(today.mg, prednisolone(facts.today + DAY, last, facts, known, mg=today.mg, purpose="hold"), known)
    full = prednisolone(facts.today + DAY, last, facts, known, purpose="return")
    return tuple(order for order in (held, full) if order is not None)


def _held(mg: Decimal, order: OrderSteroid | None, known: Known) -> OrderSteroid | None:
    """The order where what a syringe measures is the same dose, within the site's tolerance."""
    if order is None or abs(order.mg - mg) > exact_product(mg, known.policy["steroid.switch_tolerance"]):
        return None
    return order


def further_tests_missing(since: date, facts: PatientFacts) -> tuple[str, ...]:
    """Which of the further tests have no accepted result of this day or later."""
    return tuple(analyte for analyte in FURTHER_TESTS if not _is_measured_since(analyte, since, facts))


def _is_measured_since(analyte: str, since: date, facts: PatientFacts) -> bool:
    return any(
        is_measured(item) and item.measured.day is not None and item.measured.day >= since
        for item in facts.results_of(analyte)
    )
