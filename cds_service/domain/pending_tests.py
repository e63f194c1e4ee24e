"""Tests that are ordered and awaited, so that nobody orders them again (clinical-rules, baseline-readiness)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from cds_service.domain.answers import RequestTest
from cds_service.domain.days import days_from
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.results import RequestedTest

ANTI_AAV9 = "anti_aav9"


def pending_request(analyte: str, facts: PatientFacts, known: Known) -> RequestedTest | None:
    """The newest order in which this analyte is awaited, not older than the site allows; None where there is none."""
    days = known.policy.whole("aav9.pending_days" if analyte == ANTI_AAV9 else "requested_test.pending_days")
    found = [
        request
        for request in facts.requested_tests
        if request.is_active and analyte in analytes_of(request, known) and _is_recent(request, days, facts)
    ]
    return max(found, key=lambda request: request.ordered.day or facts.today, default=None)


def analytes_of(request: RequestedTest, known: Known) -> frozenset[str]:
    """What an ordered test will measure: what it names, and all that its panels hold."""
    in_panels = (known.panels[concept] for concept in request.concepts if concept in known.panels)
    return request.concepts.union(*in_panels)


def is_pending(request: RequestedTest, facts: PatientFacts, known: Known) -> bool:
    """Whether a test is ordered for no stated day, so recently that its result is awaited now."""
    days = known.policy.whole("requested_test.pending_days")
    is_dated = request.ordered.day is not None
    return request.is_active and is_dated and not request.wanted.written and _is_recent(request, days, facts)


def _is_recent(request: RequestedTest, days: int, facts: PatientFacts) -> bool:
    return request.ordered.day is None or days_from(request.ordered.day, facts.today) <= days


def test_to_request(analyte: str, facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """The order for this analyte, or nothing where it is awaited already."""
    if pending_request(analyte, facts, known) is not None:
        return ()
    return (RequestTest(known.test_for[analyte]),)


def tests_for_missing(
    missing: Collection[str], required: Collection[str], known: Known, on: date | None
) -> tuple[RequestTest, ...]:
    """The fewest tests that measure what is missing of the required analytes, and none of them again.

    A panel is offered only where everything it measures of the required ones is missing; else each test by itself.
    `on` is the day it is wanted for.
    """
    wanted: dict[str, None] = {}
    for analyte in missing:
        panel = known.test_for[analyte]
        is_whole = known.covered_by[panel] & frozenset(required) <= frozenset(missing)
        wanted[panel if is_whole else known.single_test_for.get(analyte, panel)] = None
    return tuple(RequestTest(test, is_follow_up=True, on=on) for test in wanted)
