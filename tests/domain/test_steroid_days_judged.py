"""Which days of a planned corticosteroid are judged: the first and the last of the thirty, and none beyond."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cds_service.domain.answers import OrderSteroid
from cds_service.domain.facts import PatientFacts
from cds_service.domain.rules.corticosteroid import (
    steroid_course_short,
    steroid_dose_high,
    steroid_dose_low,
    steroid_order_missing,
)
from cds_service.presentation import Catalogue

D = Decimal
FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
# The infusion is planned for 3 March: the course is due from the day before to 31 March.
FIRST, SECOND, LAST, BEYOND = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 31), date(2026, 4, 1)
BEFORE_LAST = date(2026, 3, 30)
Part = tuple[date, date, str]


def ordered(facts: PatientFacts, *parts: Part) -> PatientFacts:
    """The child with one order that gives so many mg from one day to another, in each of its parts."""
    (order,) = facts.steroid_orders
    phase = order.phases[0]
    phases = tuple(replace(phase, first_day=first, last_day=last, mg=D(mg)) for first, last, mg in parts)
    return replace(facts, steroid_orders=(replace(order, phases=phases, supply_ends=None),))


@pytest.mark.parametrize(
    ("parts", "on"),
    [
        ([(FIRST, FIRST, "2"), (SECOND, BEYOND, "3.2")], FIRST),
        ([(FIRST, BEFORE_LAST, "3.2"), (LAST, BEYOND, "2")], LAST),
        ([(FIRST, LAST, "3.2"), (BEYOND, BEYOND, "2")], None),
    ],
)
def test_a_low_dose_is_told_on_every_day_of_the_thirty_and_on_none_beyond(
    facts_of: FactsOf, catalogue: Catalogue, parts: list[Part], on: date | None
) -> None:
    answer = steroid_dose_low(ordered(facts_of({}), *parts), catalogue.known)
    assert (answer.shown["on_date"] if answer.is_finding else None) == on


@pytest.mark.parametrize(
    ("parts", "on"),
    [
        ([(FIRST, FIRST, "6"), (SECOND, BEYOND, "3.2")], FIRST),
        ([(FIRST, BEFORE_LAST, "3.2"), (LAST, BEYOND, "6")], LAST),
        ([(FIRST, LAST, "3.2"), (BEYOND, BEYOND, "6")], None),
    ],
)
def test_a_high_dose_is_told_on_every_day_of_the_thirty_and_on_none_beyond(
    facts_of: FactsOf, catalogue: Catalogue, parts: list[Part], on: date | None
) -> None:
    answer = steroid_dose_high(ordered(facts_of({}), *parts), catalogue.known)[0]
    assert (answer.shown["on_date"] if answer.is_finding else None) == on


@pytest.mark.parametrize(
    ("parts", "is_offered"),
    [
        ([(LAST, BEYOND, "3.2")], False),
        ([(SECOND, SECOND, "3.2")], False),
        ([(BEYOND, BEYOND, "3.2")], True),
    ],
)
def test_no_whole_course_is_offered_beside_an_order_on_one_of_its_days(
    facts_of: FactsOf, catalogue: Catalogue, parts: list[Part], is_offered: bool
) -> None:
    answer = steroid_order_missing(ordered(facts_of({}), *parts), catalogue.known)
    assert answer.grade == "not-covering"
    assert [isinstance(change, OrderSteroid) for change in answer.changes] == ([True] if is_offered else [])


@pytest.mark.parametrize(
    ("parts", "left_out"),
    [
        ([(FIRST, BEFORE_LAST, "3.2"), (BEYOND, BEYOND, "3.2")], [LAST]),
        ([(FIRST, FIRST, "3.2"), (date(2026, 3, 4), BEYOND, "3.2")], [SECOND]),
        ([(FIRST, LAST, "3.2")], []),
    ],
)
def test_a_day_left_out_is_told_up_to_the_last_of_the_thirty(
    facts_of: FactsOf, catalogue: Catalogue, parts: list[Part], left_out: list[date]
) -> None:
    answer = steroid_course_short(ordered(facts_of({}), *parts), catalogue.known)
    found = [answer.shown["first_left_out"]] if answer.grade == "not-every-day" else []
    assert found == left_out


def test_a_dose_that_is_not_known_on_one_day_leaves_the_lowest_of_the_others_to_be_judged(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    facts = ordered(facts_of({}), (FIRST, FIRST, "3.2"), (SECOND, BEYOND, "2"))
    (order,) = facts.steroid_orders
    unknown = replace(order.phases[0], mg=None, mg_per_kg=None)
    facts = replace(facts, steroid_orders=(replace(order, phases=(unknown, *order.phases[1:])),))
    answer = steroid_dose_low(facts, catalogue.known)
    assert (answer.grade[-3:], answer.shown["on_date"]) == ("low", SECOND)
