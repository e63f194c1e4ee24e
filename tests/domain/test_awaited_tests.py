"""Tests that are ordered: which is awaited now, and what is offered beside it (clinical-rules 4G)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from domain_values import EVIDENCE, TODAY, D, a_result, at

from cds_service.domain.care import Specialty
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import NO_TIME, ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.liver_orders import consultation_since, offer_now, repeat_of_panel
from cds_service.domain.pending_tests import is_pending, pending_request
from cds_service.domain.reliable_results import newest_reliable
from cds_service.domain.results import LabResult, RequestedTest
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
ALBUMIN = {"code": "1751-7"}
TWENTY = Interval.of("", D(20))


@pytest.fixture
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


@pytest.fixture
def child(facts_of: FactsOf) -> PatientFacts:
    return facts_of({})


def request(ordered: ClinicalTime, wanted: ClinicalTime = NO_TIME, *, is_active: bool = True) -> RequestedTest:
    return RequestedTest(frozenset({"alt"}), is_active, ordered, wanted, replace(EVIDENCE, day=ordered.written))


@pytest.mark.parametrize("days", [("2026-02-26", "2026-02-28"), ("2026-02-28", "2026-02-26")])
def test_of_two_orders_the_newer_one_is_awaited(child: PatientFacts, known: Known, days: tuple[str, str]) -> None:
    facts = replace(child, requested_tests=tuple(request(at(day)) for day in days))
    found = pending_request("alt", facts, known)
    assert found is not None
    assert found.ordered.day == date(2026, 2, 28)


def test_an_order_of_an_unknown_day_may_be_of_today(child: PatientFacts, known: Known) -> None:
    facts = replace(child, requested_tests=(request(NO_TIME), request(at("2026-03-01"))))
    found = pending_request("alt", facts, known)
    assert found is not None
    assert found.ordered.day is None


@pytest.mark.parametrize(
    ("asked", "is_awaited"),
    [
        (request(at("2026-02-23")), True),
        (request(at("2026-02-22")), False),
        (request(at("2026-03-01"), is_active=False), False),
        (request(NO_TIME), False),
        (request(at("2026-03-01"), at("2026-03-09")), False),
    ],
)
def test_a_test_for_no_stated_day_is_awaited_for_the_days_of_the_site(
    child: PatientFacts, known: Known, asked: RequestedTest, is_awaited: bool
) -> None:
    assert is_pending(asked, child, known) is is_awaited


# --- what is offered of the liver's tests


def names(tests: tuple[Any, ...]) -> set[str]:
    return {test.test for test in tests}


def test_what_is_awaited_today_is_not_offered(facts_of: FactsOf, known: Known) -> None:
    facts = facts_of({"requests": [{**ALBUMIN, "days_ago": 1}]})
    assert offer_now(("albumin",), facts, known) == ()


def test_what_was_ordered_too_long_ago_is_offered_again(facts_of: FactsOf, known: Known) -> None:
    facts = facts_of({"requests": [{**ALBUMIN, "days_ago": 8}]})
    assert names(offer_now(("albumin",), facts, known)) == {"albumin"}


@pytest.mark.parametrize(("until", "offered"), [(3, set()), (2, set()), (1, {"albumin"}), (-3, {"albumin"})])
def test_what_is_ordered_for_a_day_until_then_is_not_offered(
    facts_of: FactsOf, known: Known, until: int, offered: set[str]
) -> None:
    facts = facts_of({"requests": [{**ALBUMIN, "wanted": "2026-03-04"}]})
    assert names(offer_now(("albumin",), facts, known, until=TODAY + timedelta(days=until))) == offered


def test_what_is_ordered_for_today_counts_although_the_time_of_the_slot_has_passed(
    facts_of: FactsOf, known: Known
) -> None:
    facts = facts_of({"requests": [{**ALBUMIN, "wanted": "2026-03-02"}]})
    assert offer_now(("albumin",), facts, known, until=TODAY - timedelta(days=3)) == ()


def test_no_panel_is_offered_that_would_measure_again_what_is_ordered(facts_of: FactsOf, known: Known) -> None:
    facts = facts_of({"requests": [{**ALBUMIN, "days_ago": 1}]})
    wanted = ("alt", "ast", "total_bilirubin", "albumin")
    assert names(offer_now(wanted, facts, known)) == {"alt", "ast", "total-bilirubin"}


@pytest.mark.parametrize(("sampled", "days"), [("2026-02-27", {None}), ("2026-02-28", {date(2026, 3, 3)})])
def test_a_panel_is_repeated_within_three_days_of_the_sample_and_now_on_the_last_of_them(
    child: PatientFacts, known: Known, sampled: str, days: set[date | None]
) -> None:
    found = repeat_of_panel(date.fromisoformat(sampled), child, known)
    assert {test.on for test in found} == days


def test_of_several_consultations_the_first_is_the_answer(facts_of: FactsOf) -> None:
    facts = facts_of({"consults": [{"with": "hepatology", "days_ago": days} for days in (1, 5, 3)]})
    found = consultation_since(date(2026, 2, 1), facts)
    assert found is not None
    assert found.when.day == date(2026, 2, 25)


def test_of_two_consultations_of_one_day_always_the_same_is_the_answer(facts_of: FactsOf) -> None:
    facts = facts_of({"consults": [{"with": "hepatology", "id": name, "days_ago": 1} for name in ("b", "a")]})
    for consultations in (facts.consultations, facts.consultations[::-1]):
        found = consultation_since(date(2026, 2, 1), replace(facts, consultations=consultations))
        assert found is not None
        assert found.specialty is Specialty.LIVER
        assert found.evidence.reference.endswith("/a")


# --- the newest result that can be relied on


def judged(item: LabResult) -> Certainty:
    return Certainty.UNKNOWN if item.written.startswith("unclear") else Certainty.TRUE


def written(results: tuple[LabResult, ...]) -> list[str]:
    return [item.written for item in results]


def test_beside_a_reliable_result_only_what_is_not_older_remains_in_doubt(known: Known) -> None:
    sure = a_result(at("2026-02-25", "08:00"), written="sure", number=TWENTY, amount=TWENTY)
    older = a_result(at("2026-02-20", "08:00"), written="unclear, older")
    newer = a_result(at("2026-02-26", "08:00"), written="unclear, newer")
    newest = a_result(at("2026-02-27", "08:00"), written="preliminary", standing=Standing.PROVISIONAL)
    empty = a_result(at("2026-02-28", "08:00"), written="unclear, empty", standing=Standing.NO_INFORMATION)
    found = newest_reliable([sure, older, newer, newest, empty], judged, known)
    assert written(found.accepted) == ["sure"]
    assert written(found.provisional) == ["preliminary", "unclear, newer"]


def test_without_a_reliable_result_all_others_remain_in_doubt(known: Known) -> None:
    older = a_result(at("2026-02-20", "08:00"), written="unclear, older")
    newer = a_result(at("2026-02-26", "08:00"), written="unclear, newer")
    found = newest_reliable([older, newer], judged, known)
    assert (written(found.accepted), written(found.provisional)) == ([], ["unclear, newer", "unclear, older"])
