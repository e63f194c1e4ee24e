"""What a liver card offers to order: the tests that are missing and not ordered yet, the consultation, the dose."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from cds_service.domain.answers import OrderSteroid, RequestTest
from cds_service.domain.care import Consultation, Specialty
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import LIVER_PANEL, is_measured
from cds_service.domain.medicines import SteroidRoute
from cds_service.domain.monitoring_calendar import MonitoringSlot
from cds_service.domain.pending_tests import analytes_of, is_pending, tests_for_missing
from cds_service.domain.steroid_dose import DAY, steroid_on
from cds_service.domain.steroid_states import CourseStatus
from cds_service.domain.suggested_steroid import prednisolone

# Further testing where an injury of the liver is suspected (label 5.1).
FURTHER_TESTS = ("albumin", "partial_thromboplastin_time", "inr")
EXTENDED_PANEL = (*LIVER_PANEL, "albumin", "partial_thromboplastin_time")
CONSULT = RequestTest("hepatology-consult-urgent", is_follow_up=True)


def tests_of_slot(slot: MonitoringSlot, facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """The missing tests of a slot that nobody has ordered: for its target, or for now where that has passed."""
    first, last = max(min(slot.opens, slot.due_from), facts.today), max(slot.closes, facts.today)
    on = slot.target if slot.target >= facts.today else None
    return _not_ordered(slot.missing, slot.required, first, last, on, facts, known)


def tests_on(slot: MonitoringSlot, day: date, facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """The missing tests of a slot for the day of a visit, apart from those that are ordered already."""
    first, last = max(min(slot.opens, slot.due_from), facts.today), max(slot.closes, facts.today)
    return _not_ordered(slot.missing, slot.required, first, last, day, facts, known)


def tests_now(
    missing: Collection[str], required: Collection[str], facts: PatientFacts, known: Known
) -> tuple[RequestTest, ...]:
    """These tests now, apart from those that are awaited today."""
    return _not_ordered(missing, required, facts.today, facts.today, None, facts, known)


def repeat_of_panel(panel: Collection[str], facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """These tests once more within the site's days, apart from what is ordered for these days already."""
    last = facts.today + timedelta(days=known.policy.whole("liver.repeat_days"))
    return _not_ordered(panel, panel, facts.today, last, last, facts, known)


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
        if item.specialty is Specialty.LIVER and item.when.day is not None and item.when.day >= day
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
    held = prednisolone(facts.today + DAY, last, facts, known, mg=today.mg, purpose="hold")
    full = prednisolone(facts.today + DAY, last, facts, known, purpose="return")
    return tuple(order for order in (held, full) if order is not None)


def further_tests_missing(since: date, facts: PatientFacts) -> tuple[str, ...]:
    """Which of the further tests have no accepted result of this day or later."""
    return tuple(analyte for analyte in FURTHER_TESTS if not _is_measured_since(analyte, since, facts))


def _is_measured_since(analyte: str, since: date, facts: PatientFacts) -> bool:
    return any(
        item.analyte == analyte and is_measured(item) and item.measured.day is not None and item.measured.day >= since
        for item in facts.lab_results
    )
