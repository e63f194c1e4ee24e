"""Tests that are ordered and awaited, so that nobody orders them again (clinical-rules, baseline-readiness)."""

from __future__ import annotations

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
        if request.is_active and _measures(request, analyte, known) and _is_recent(request, days, facts)
    ]
    return max(found, key=lambda request: request.ordered.day or facts.today, default=None)


def _measures(request: RequestedTest, analyte: str, known: Known) -> bool:
    in_panels = (known.panels[concept] for concept in request.concepts if concept in known.panels)
    return analyte in request.concepts or any(analyte in panel for panel in in_panels)


def _is_recent(request: RequestedTest, days: int, facts: PatientFacts) -> bool:
    return request.ordered.day is None or days_from(request.ordered.day, facts.today) <= days


def test_to_request(analyte: str, facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """The order for this analyte, or nothing where it is awaited already."""
    if pending_request(analyte, facts, known) is not None:
        return ()
    return (RequestTest(known.test_for[analyte]),)
