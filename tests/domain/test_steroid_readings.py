"""What corticosteroid orders of unreadable days are read as, beside the facts alone (clinical-rules C8, C11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from cds_service.domain.facts import PatientFacts
from cds_service.domain.steroid_as_written import each_alone, one_after_the_other, with_open_ends
from cds_service.presentation import Catalogue

ReadGiven = Callable[[Mapping[str, Any]], PatientFacts]
Days = list[tuple[date | None, date | None]]

READABLE = {"start": "2026-03-02", "end": "2026-03-31"}
OPEN = {"start": "2026-03-02", "end": "soon"}
LATER = {"start": "2026-03-11", "end": "2026-03-31"}


def days_of(facts: PatientFacts) -> Days:
    return [(phase.first_day, phase.last_day) for order in facts.steroid_orders for phase in order.phases]


@pytest.mark.parametrize("steroids", [[], [READABLE], [READABLE, LATER], [{**READABLE, "end": "none"}]])
def test_orders_that_can_be_read_have_no_other_reading(
    facts_of: ReadGiven, catalogue: Catalogue, steroids: list[Any]
) -> None:
    facts = facts_of({"steroids": steroids})
    assert (with_open_ends(facts), one_after_the_other(facts, catalogue.known), each_alone(facts)) == ([], [], [])


@pytest.mark.parametrize(
    ("steroids", "days"),
    [
        ([OPEN], [(date(2026, 3, 2), None)]),
        ([{**READABLE, "valid_until": "soon"}], [(date(2026, 3, 2), date(2026, 3, 31))]),
        ([OPEN, OPEN], [(date(2026, 3, 2), None), (date(2026, 3, 2), None)]),
    ],
)
def test_an_order_of_an_unreadable_end_goes_on(facts_of: ReadGiven, steroids: list[Any], days: Days) -> None:
    assert [days_of(reading) for reading in with_open_ends(facts_of({"steroids": steroids}))] == [days]


@pytest.mark.parametrize(
    "steroids",
    [
        [OPEN, LATER],
        [{**OPEN, "start": "soon"}],
        [{**OPEN, "start": "none"}],
        [{**OPEN, "dose": "none"}],
        [OPEN, {**READABLE, "start": "soon"}],
    ],
)
def test_nobody_guesses_days_or_doses_to_tell_that_an_order_goes_on(facts_of: ReadGiven, steroids: list[Any]) -> None:
    assert with_open_ends(facts_of({"steroids": steroids})) == []


def test_what_cannot_be_computed_is_left_out_beside_what_can(facts_of: ReadGiven, catalogue: Catalogue) -> None:
    facts = facts_of({"steroids": [READABLE, {**READABLE, "dose": "1 mL"}]})
    (reading,) = one_after_the_other(facts, catalogue.known)
    assert [len(order.phases) for order in reading.steroid_orders] == [1, 0]


def test_a_dose_that_was_given_and_cannot_be_computed_is_left_out(facts_of: ReadGiven, catalogue: Catalogue) -> None:
    facts = facts_of(
        {"steroids": [READABLE], "steroid_doses": [{"ml": 1}, {"mg": 4}, {"mg": "none", "status": "not-done"}]}
    )
    (reading,) = one_after_the_other(facts, catalogue.known)
    assert [dose.was_given for dose in reading.steroid_doses] == [True, False]


def test_each_order_of_unreadable_days_is_read_alone_and_the_same_one_once(facts_of: ReadGiven) -> None:
    facts = facts_of({"steroids": [READABLE, OPEN, OPEN, {**OPEN, "dose": "4 mg"}]})
    assert [days_of(reading) for reading in each_alone(facts)] == [[(date(2026, 3, 2), None)]] * 2


def test_an_order_of_which_one_step_has_unreadable_days_is_read_alone(facts_of: ReadGiven) -> None:
    facts = facts_of({"steroids": [{"steps": [READABLE, {**LATER, "end": "soon"}]}]})
    days = [(date(2026, 3, 2), date(2026, 3, 31)), (date(2026, 3, 11), None)]
    assert [days_of(reading) for reading in each_alone(facts)] == [days]
