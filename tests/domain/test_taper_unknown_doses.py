"""A taper of which a dose cannot be computed, or which began on bad tests: never called long enough or gentle (2.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.domain.answers import Answer, Verdict
from cds_service.domain.certainty import Certainty
from cds_service.domain.facts import PatientFacts
from cds_service.domain.rules.corticosteroid_taper import (
    _is_from_high,
    _large_step,
    _panel_when_reduced,
    _planned_stop,
    steroid_taper_short,
)
from cds_service.domain.steroid_states import CourseStatus, course_status
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
INFUSED = date(2026, 2, 2)
IN_ML = {"dose": "1 mL", "rxnorm": "none"}


def day(number: int) -> str:
    return (INFUSED + timedelta(days=number)).isoformat()


def order(first: int, last: int, **words: Any) -> dict[str, Any]:
    return {"start": day(first), "end": day(last), "dose": "3.2 mg", **words}


TAPER = [order(-1, 28), order(29, 56, dose="1.6 mg")]


@pytest.fixture
def child(facts_of: FactsOf) -> Callable[..., PatientFacts]:
    """A treated child in the taper, on a day after the infusion."""

    def read(number: int, *orders: dict[str, Any], **given: Any) -> PatientFacts:
        said = {"moment": "chart", "today": day(number), "infused": INFUSED.isoformat(), "panels": [{"on": day(28)}]}
        return facts_of({**said, "steroids": list(orders or TAPER), **given})

    return read


def status_of(facts: PatientFacts, catalogue: Catalogue) -> CourseStatus:
    found = course_status(facts, catalogue.known)
    assert found is not None
    return found


def test_the_length_of_a_taper_with_an_unknown_dose_in_it_is_unknown(
    child: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    facts = child(36, *TAPER[:1], order(29, 35, dose="1.6 mg"), order(36, 45, **IN_ML))
    (answer,) = steroid_taper_short(facts, catalogue.known)
    assert (answer.verdict, answer.missing) == (Verdict.UNKNOWN, ("steroid-dose",))


def test_a_stop_from_an_unknown_dose_counts_as_one_from_a_high_dose(
    child: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    status = status_of(child(40), catalogue)
    last, full_mg = status.days[-1], status.maintenance_so_far_mg
    assert not _is_from_high(replace(last, mg=last.mg and last.mg / 4), full_mg, catalogue.known)
    assert _is_from_high(replace(last, mg=None), full_mg, catalogue.known)
    assert _is_from_high(last, None, catalogue.known)


def test_whether_a_taper_is_planned_to_end_abruptly_is_unknown_with_an_unknown_last_dose(
    child: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    facts = child(40)
    status = status_of(facts, catalogue)
    untold = replace(status, days=(*status.days[:-1], replace(status.days[-1], mg=None)))
    assert _planned_stop(status, facts, catalogue.known).verdict is Verdict.FIRES
    assert _planned_stop(untold, facts, catalogue.known).verdict is Verdict.UNKNOWN


def test_without_a_full_dose_no_step_can_be_called_large(
    child: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    facts = child(40, TAPER[0], order(29, 56, dose="0.8 mg"))
    status = status_of(facts, catalogue)
    begins = status.taper_begins
    assert begins is not None
    answers: list[Answer] = [
        _large_step(begins, status, catalogue.known),
        _large_step(begins, replace(status, maintenance_mg=None), catalogue.known),
    ]
    assert [answer.verdict for answer in answers] == [Verdict.FIRES, Verdict.SILENT]


def test_tests_that_were_bad_at_the_beginning_stay_bad_where_later_ones_tell_nothing(
    child: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    bad = {"on": day(28), "alt": "100 U/L"}
    unclear = {"on": day(35), "alt": {"value": "100 U/L", "range": "none"}}
    facts = child(36, panels=[bad, unclear])
    begins = date.fromisoformat(day(29))
    reading = _panel_when_reduced(begins, status_of(facts, catalogue), facts, catalogue.known)
    assert reading.verdict is Certainty.FALSE
