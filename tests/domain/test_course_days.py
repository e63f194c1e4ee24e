"""The corticosteroid course around the infusion: its first and last day, its gaps (rulings 37, 38, 43)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from cds_service.domain.facts import PatientFacts
from cds_service.domain.steroid_course import Course, course_around, required_end, required_start
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
CourseOf = Callable[..., Course | None]
INFUSION = date(2026, 3, 3)


@pytest.fixture
def course_of(catalogue: Catalogue, facts_of: FactsOf) -> CourseOf:
    def course(*orders: Any, within_supply: bool = False, **given: Any) -> Course | None:
        facts = facts_of({"steroids": list(orders), **given})
        return course_around(INFUSION, facts, catalogue.known, within_supply=within_supply)

    return course


def days(course: Course | None) -> tuple[str, str]:
    assert course is not None
    return course.first_day.isoformat(), course.last_day.isoformat()


def order(start: str, end: str, **members: Any) -> dict[str, Any]:
    return {"start": start, "end": end, **members}


def test_without_a_covered_day_there_is_no_course(course_of: CourseOf) -> None:
    assert course_of() is None
    assert course_of(order("2026-01-01", "2026-01-30")) is None


@pytest.mark.parametrize(
    ("orders", "first", "last"),
    [
        ([order("2026-03-02", "2026-03-31")], "2026-03-02", "2026-03-31"),
        ([order("2026-02-20", "2026-03-31")], "2026-02-20", "2026-03-31"),
        ([order("2026-03-05", "2026-04-03")], "2026-03-05", "2026-04-03"),
        # One day without is no break, before the infusion or after it.
        ([order("2026-02-20", "2026-02-28"), order("2026-03-02", "2026-03-31")], "2026-02-20", "2026-03-31"),
        ([order("2026-03-02", "2026-03-10"), order("2026-03-12", "2026-03-31")], "2026-03-02", "2026-03-31"),
        # Two days are.
        ([order("2026-02-20", "2026-02-27"), order("2026-03-02", "2026-03-31")], "2026-03-02", "2026-03-31"),
        ([order("2026-03-02", "2026-03-10"), order("2026-03-13", "2026-03-31")], "2026-03-02", "2026-03-10"),
        # Every other day never has two days without.
        ([order("2026-03-02", "2026-03-31", period=2)], "2026-03-02", "2026-03-30"),
    ],
)
def test_the_course_is_the_run_that_holds_or_follows_the_day_before(
    course_of: CourseOf, orders: list[Any], first: str, last: str
) -> None:
    assert days(course_of(*orders)) == (first, last)


def test_a_course_without_an_end_is_open_ended(course_of: CourseOf) -> None:
    course = course_of(order("2026-03-02", "none"))
    assert course is not None
    assert course.is_open_ended
    assert course.is_sure


def test_a_course_with_an_end_is_not(course_of: CourseOf) -> None:
    course = course_of(order("2026-03-02", "2026-03-31"))
    assert course is not None
    assert not course.is_open_ended


@pytest.mark.parametrize(
    ("sure", "unsure", "is_sure"),
    [
        (("2026-03-02", "2026-03-31"), None, True),
        (("2026-03-02", "2026-03-30"), ("2026-03-31", "2026-03-31"), False),
        (("2026-03-03", "2026-03-31"), ("2026-03-02", "2026-03-02"), False),
        # Two days without part them: that is another course.
        (("2026-03-02", "2026-03-31"), ("2026-02-27", "2026-02-27"), True),
        (("2026-03-02", "2026-03-31"), ("2026-04-03", "2026-04-03"), True),
        # Nobody looks further ahead than 180 days after the infusion.
        (("2026-03-02", "2026-08-30"), ("2026-08-31", "2026-09-10"), True),
        (("2026-03-02", "2026-08-29"), ("2026-08-30", "2026-09-10"), False),
    ],
)
def test_a_course_is_sure_where_each_of_its_days_is(
    course_of: CourseOf, sure: tuple[str, str], unsure: tuple[str, str] | None, is_sure: bool
) -> None:
    doubtful = [] if unsure is None else [order(*unsure, route="none")]
    course = course_of(order(*sure), *doubtful)
    assert course is not None
    assert course.is_sure is is_sure


def test_a_supply_ends_a_course_whose_order_has_no_end(course_of: CourseOf) -> None:
    orders = order("2026-03-02", "none", supply_days=10, written="2026-03-02")
    assert days(course_of(orders, within_supply=True)) == ("2026-03-02", "2026-03-11")


def test_a_course_that_leans_on_a_doubtful_order_is_not_sure(course_of: CourseOf) -> None:
    course = course_of(order("2026-03-02", "2026-03-31", route="none"))
    assert course is not None
    assert not course.is_sure


def test_a_dose_that_was_not_done_does_not_break_a_course_by_itself(course_of: CourseOf) -> None:
    given = {"steroid_doses": [{"days_ago": 1, "status": "not-done"}]}
    assert days(course_of(order("2026-02-20", "2026-03-31"), **given)) == ("2026-02-20", "2026-03-31")


@pytest.mark.parametrize(
    ("first_day", "end"),
    [
        ("2026-03-02", "2026-03-31"),  # D-1 to D+28
        ("2026-02-20", "2026-03-31"),  # an early start does not bring the end forward
        ("2026-03-03", "2026-04-01"),
        ("2026-03-05", "2026-04-03"),
    ],
)
def test_the_thirty_days_end_on_day_28_or_later(catalogue: Catalogue, first_day: str, end: str) -> None:
    assert required_start(INFUSION) == date(2026, 3, 2)
    assert required_end(date.fromisoformat(first_day), INFUSION, catalogue.known) == date.fromisoformat(end)


# --- how far a course is looked for


def test_a_supply_limits_a_course_only_where_it_is_asked_for(catalogue: Catalogue, facts_of: FactsOf) -> None:
    limited = order("2026-03-02", "2026-03-31", supply_days=10, written="2026-03-02")
    facts = facts_of({"steroids": [limited]})
    assert days(course_around(INFUSION, facts, catalogue.known)) == ("2026-03-02", "2026-03-31")


def test_a_course_is_looked_for_up_to_sixty_days_before_the_infusion(course_of: CourseOf) -> None:
    assert days(course_of(order("2025-11-01", "2026-03-31")))[0] == "2026-01-02"


def test_and_up_to_half_a_year_after_it(course_of: CourseOf) -> None:
    """180 days after 3 March are 30 August."""
    assert days(course_of(order("2026-08-30", "2026-09-10")))[0] == "2026-08-30"
    assert course_of(order("2026-08-31", "2026-09-10")) is None
