"""The corticosteroid course at its edges: what just counts as a taper, a raise, an end, and what just does not.

Clinical-rules 5 and rulings 37, 38, 42. The child was infused on 2 February and weighs 3.2 kg; full dose is 3.2 mg.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from domain_values import D
from treated_child import COURSE, HALF, INFUSED, STEPS, day, order

from cds_service.domain.certainty import Certainty
from cds_service.domain.facts import PatientFacts
from cds_service.domain.steroid_states import (
    CourseState,
    CourseStatus,
    course_status,
    differing_doses,
    has_full_course,
    states_by_day,
)
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
Treated = Callable[..., PatientFacts]
StatusOn = Callable[..., CourseStatus]


def dose(number: int, mg: str = "3.2", **words: Any) -> dict[str, Any]:
    return {"when": f"{day(number)}T08:00:00Z", "mg": mg, **words}


def weight(kg: str, number: int, **words: Any) -> dict[str, Any]:
    return {"weight": kg, "when": f"{day(number)}T08:00:00Z", **words}


IN_WORDS = {"dose": "none", "frequency": "none", "text": "wean per protocol"}


@pytest.fixture
def treated(facts_of: FactsOf) -> Treated:
    def read(number: int, *orders: Any, **given: Any) -> PatientFacts:
        panels = [{"on": day(28).isoformat()}] if number >= 28 else []
        child = {"moment": "chart", "today": day(number).isoformat(), "infused": INFUSED.isoformat(), "panels": panels}
        return facts_of({**child, "steroids": list(orders), **given})

    return read


@pytest.fixture
def status_on(catalogue: Catalogue, treated: Treated) -> StatusOn:
    def status(number: int, *orders: Any, **given: Any) -> CourseStatus:
        found = course_status(treated(number, *orders, **given), catalogue.known)
        assert found is not None
        return found

    return status


def t0(status: CourseStatus) -> int | None:
    return (status.taper_begins - INFUSED).days if status.taper_begins else None


# --- days, runs, ends


@pytest.mark.parametrize(("ahead", "is_open"), [(179, False), (180, True), (181, True)])
def test_half_a_year_ahead_is_no_end_in_sight(status_on: StatusOn, ahead: int, is_open: bool) -> None:
    status = status_on(5, order(-1, 5 + ahead))
    assert (status.is_open_ended, status.last_day) == (is_open, None if is_open else day(5 + ahead))


def test_a_course_ends_on_its_last_covered_day_whatever_day_its_order_names(status_on: StatusOn) -> None:
    assert status_on(5, order(-1, 28, period=2)).last_day == day(27)


def test_a_course_that_has_not_begun_is_neither_endless_nor_raised(catalogue: Catalogue, facts_of: FactsOf) -> None:
    for steroids in ([], [{"end": "none"}]):
        status = course_status(facts_of({"steroids": steroids}), catalogue.known)
        assert status is not None
        assert (status.is_open_ended, status.was_raised_in_taper) == (False, False)


def test_the_runs_of_covered_days_are_told_one_by_one(status_on: StatusOn) -> None:
    status = status_on(5, order(-1, 9), order(11, 11), order(15, 20))
    assert status.runs == ((day(-1), day(9)), (day(11), day(11)), (day(15), day(20)))


def test_a_taper_of_one_day_lasts_one_day(status_on: StatusOn) -> None:
    status = status_on(20, COURSE, order(29, 29, HALF))
    assert (t0(status), status.taper_days) == (29, 1)


def test_two_orders_without_an_end_have_none_together(status_on: StatusOn) -> None:
    assert status_on(5, order(-1, None), order(2, None, drug="prednisone")).is_open_ended


# --- what was given, meant as ordered


def test_recorded_doses_that_vary_a_little_are_the_ordered_full_dose(status_on: StatusOn) -> None:
    """Within a tenth of 3.2 mg, and never the same for three days in a row."""
    doses = [dose(number, "3.1" if number % 2 else "3.3") for number in range(-1, 20)]
    status = status_on(20, order(-1, 25), order(26, 60, HALF), steroid_doses=doses)
    assert (status.state, status.maintenance_mg, t0(status)) == (CourseState.COURSE, D("3.2"), 26)


def test_a_reduction_within_a_tenth_is_one_also_where_the_days_before_were_recorded(status_on: StatusOn) -> None:
    """The drug is the same; that it was written down as given is no switch of it."""
    doses = [dose(number) for number in range(-1, 10)]
    assert t0(status_on(12, order(-1, 9), order(10, 28, "3.1 mg"), steroid_doses=doses)) == 10


def test_what_was_given_for_days_and_is_not_what_was_ordered_is_a_reduction(status_on: StatusOn) -> None:
    doses = [dose(number, "1.6") for number in range(10, 15)]
    assert t0(status_on(15, order(-1, None), steroid_doses=doses)) is None
    assert t0(status_on(15, order(-1, 14), steroid_doses=doses)) == 10


def test_recorded_doses_without_any_order_have_a_full_dose_too(status_on: StatusOn) -> None:
    status = status_on(8, steroid_doses=[dose(number) for number in range(-1, 9)])
    assert (status.state, status.maintenance_mg) == (CourseState.COURSE, D("3.2"))


# --- the full dose


def test_an_order_whose_first_day_is_not_sure_has_a_full_dose_too(status_on: StatusOn) -> None:
    """A time without a zone satisfies nothing (ruling 62), and a reduction is one all the same."""
    first = {**order(-1, 9), "start": f"{day(-1)}T08:00:00"}
    then = {**order(10, 28, HALF), "start": f"{day(10)}T08:00:00"}
    status = status_on(12, first, then)
    assert {item.cover for item in status.days} == {Certainty.UNKNOWN}
    assert (status.maintenance_mg, t0(status)) == (D("3.2"), 10)


@pytest.mark.parametrize(("last_raised", "full_mg"), [(11, "3.2"), (12, "6.4")])
def test_three_days_in_a_row_are_counted_anew_after_a_day_without(
    status_on: StatusOn, last_raised: int, full_mg: str
) -> None:
    orders = (order(-1, 6), order(7, last_raised, "6.4 mg"))
    status = status_on(last_raised, *orders, steroid_doses=[dose(9, status="not-done")])
    assert status.maintenance_mg == D(full_mg)


# --- raised, and back


@pytest.mark.parametrize(("last_low", "was_raised"), [(11, False), (12, True)])
def test_two_low_days_are_missed_doses_and_three_are_a_taper_that_was_raised(
    status_on: StatusOn, last_low: int, was_raised: bool
) -> None:
    status = status_on(20, order(-1, 9), order(10, last_low, HALF), order(last_low + 1, 28))
    assert (t0(status), status.was_raised_in_taper) == (None, was_raised)


@pytest.mark.parametrize(
    "raised",
    [
        # A small step up of the same drug, and a large one of another.
        order(36, 56, "1.7 mg"),
        order(36, 56, "2 mg", drug="methylprednisolone"),
    ],
)
def test_a_step_up_in_the_taper_holds_it(status_on: StatusOn, raised: dict[str, Any]) -> None:
    status = status_on(37, COURSE, order(29, 35, HALF), raised)
    assert (status.state, status.was_raised_in_taper) == (CourseState.TAPER_HELD, True)


def test_after_a_switch_there_and_back_a_dose_of_the_same_drug_is_measured_against_the_raised_one(
    status_on: StatusOn,
) -> None:
    """In the taper raised to 2.4 mg, 2.2 mg by another drug, 2.4 mg again: then 2.2 mg is a reduction."""
    orders = (
        COURSE,
        order(29, 35, HALF),
        order(36, 40, "2.4 mg"),
        order(41, 44, "2.2 mg", drug="prednisone"),
        order(45, 48, "2.4 mg"),
    )
    assert t0(status_on(47, *orders)) is None
    assert t0(status_on(50, *orders, order(49, 76, "2.2 mg"))) == 49


RAISED = (order(-1, 6), order(7, 13, "6.4 mg"))
FRESH = [weight("3.2 kg", 14)]


def test_what_was_raised_and_came_back_is_the_dose_from_which_a_switch_is_judged(status_on: StatusOn) -> None:
    orders = (*RAISED, order(14, 14), order(15, 28, "2.9 mg", drug="prednisone"))
    assert t0(status_on(15, *orders, weights=FRESH)) is None


def test_after_an_interruption_too_the_way_back_from_a_raised_dose_is_no_taper(status_on: StatusOn) -> None:
    weights = [weight("3.2 kg", 15)]
    status = status_on(17, *RAISED, order(16, 40), weights=weights)
    assert (status.state, t0(status), status.maintenance_mg) == (CourseState.COURSE, None, D("3.2"))


def test_each_switch_is_measured_against_the_full_dose_and_none_against_the_one_before(status_on: StatusOn) -> None:
    """2.9 mg are 3.2 mg within a tenth, and 2.65 mg are 2.9 mg: together they are a reduction."""
    orders = (order(-1, 5), order(6, 10, "2.9 mg", drug="prednisone"), order(11, 28, "2.65 mg"))
    assert t0(status_on(15, *orders)) == 11


@pytest.mark.parametrize(
    ("raised", "back", "begins"),
    [
        # Above 1.1 mg/kg is raised, and 0.9 mg/kg is the label's dose still.
        ("3.53 mg", "3.2 mg", None),
        ("3.52 mg", "3.2 mg", 14),
        ("6.4 mg", "2.88 mg", None),
        ("6.4 mg", "2.87 mg", 14),
    ],
)
def test_a_dose_is_back_at_the_labels_within_the_sites_band(
    status_on: StatusOn, raised: str, back: str, begins: int | None
) -> None:
    orders = (order(-1, 13, raised), order(14, 40, back))
    assert t0(status_on(15, *orders, weights=FRESH)) == begins


@pytest.mark.parametrize(
    ("number", "weights", "begins"),
    [
        # Fresh for fourteen days, and known on the day of the reduction.
        (15, [weight("3.2 kg", 0)], None),
        (15, [weight("3.2 kg", -1)], 14),
        (20, [weight("3.2 kg", 18)], 14),
        # A birth weight is none to dose by, however high.
        (15, [weight("6.4 kg", 2, code="8339-4"), weight("3.2 kg", 13)], None),
        # One that cannot be read may have been higher.
        (15, [weight("7 stone", 8), weight("3.2 kg", 13)], 14),
    ],
)
def test_only_on_a_fresh_weight_is_a_reduction_the_way_back_from_a_raised_dose(
    status_on: StatusOn, number: int, weights: list[Any], begins: int | None
) -> None:
    assert t0(status_on(number, *RAISED, order(14, 40), weights=weights)) == begins


def test_of_two_fresh_weights_the_higher_one_decides(status_on: StatusOn) -> None:
    """2.8 mg are nine tenths of 3.0 kg and less of 3.2 kg."""
    weights = [weight("3.0 kg", 8), weight("3.2 kg", 13)]
    assert t0(status_on(15, *RAISED, order(14, 40, "2.8 mg"), weights=weights)) == 14
    assert t0(status_on(15, *RAISED, order(14, 40, "2.8 mg"), weights=weights[:1])) is None


# --- the end


def test_an_unknown_dose_before_the_taper_leaves_it_finished_and_one_within_it_does_not(status_on: StatusOn) -> None:
    before = status_on(57, COURSE, *STEPS, steroid_doses=[dose(5, "none")])
    assert before.state is CourseState.FINISHED
    within = status_on(57, COURSE, *STEPS, steroid_doses=[dose(50, "none")])
    assert (within.state, within.why, within.permitted_end) == (CourseState.UNKNOWN, "steroid-dose", None)


def test_a_day_left_out_within_the_taper_leaves_it_finished(status_on: StatusOn) -> None:
    assert status_on(57, COURSE, *STEPS, steroid_doses=[dose(50, status="not-done")]).state is CourseState.FINISHED


@pytest.mark.parametrize(("last", "state"), [(27, CourseState.INTERRUPTED), (28, CourseState.UNKNOWN)])
def test_what_ended_in_words_before_the_30_days_were_over_is_interrupted(
    status_on: StatusOn, last: int, state: CourseState
) -> None:
    assert status_on(30, order(-1, 20), order(21, last, **IN_WORDS)).state is state


@pytest.mark.parametrize(("number", "state"), [(32, CourseState.INTERRUPTED), (33, CourseState.UNKNOWN)])
def test_only_an_unknown_dose_of_the_last_28_days_may_have_been_a_taper(
    status_on: StatusOn, number: int, state: CourseState
) -> None:
    """The course ended on day 60: days 33 to 60 are the 28."""
    assert status_on(62, order(-1, 60), steroid_doses=[dose(number, "none")]).state is state


# --- given and ordered contradict each other


@pytest.mark.parametrize(
    ("doses", "on"),
    [
        ([dose(18, "1.6")], 18),
        ([dose(17, "1.6")], None),
        ([dose(18, "1.6"), dose(19)], None),
        ([dose(19, "1.6"), dose(20)], 19),
        ([dose(18, "1.6"), dose(19, "none")], 18),
        # The day of the call is not over.
        ([dose(20, "1.6")], None),
    ],
)
def test_the_newest_recorded_dose_of_the_two_days_before_is_held_against_the_order(
    treated: Treated, catalogue: Catalogue, doses: list[Any], on: int | None
) -> None:
    found = differing_doses(treated(20, COURSE, steroid_doses=doses), catalogue.known)
    assert (found and (found[0].day, found[0].mg, found[1].mg)) == (
        None if on is None else (day(on), D("1.6"), D("3.2"))
    )


# --- did the 30 days hold about the full dose

BEFORE = [weight("3.2 kg", -2)]


@pytest.mark.parametrize(
    ("orders", "weights", "is_full"),
    [
        ([COURSE], BEFORE, True),
        # 0.75 mg/kg are about the full dose: 2.4 mg.
        ([order(-1, 28, "2.4 mg")], BEFORE, True),
        ([order(-1, 28, "2.39 mg")], BEFORE, False),
        # Two days may be lower, as two days without break a course; the last of the 30 days counts.
        ([order(-1, 0, "2 mg"), order(1, 28)], BEFORE, True),
        ([order(-1, 1, "2 mg"), order(2, 28)], BEFORE, False),
        ([order(-1, 1, "2 mg"), order(2, 40)], BEFORE, False),
        # The lowest weight until the first day, that day included; without one nothing is claimed.
        ([order(-1, 28, "2.4 mg")], [weight("4.0 kg", -10), *BEFORE], True),
        ([order(-1, 28, "2.4 mg")], [weight("4.0 kg", -1)], False),
        ([order(-1, 28, "2.4 mg")], [weight("4.0 kg", 0)], True),
    ],
)
def test_the_30_days_held_about_the_full_dose_on_all_but_two_days(
    treated: Treated, catalogue: Catalogue, orders: list[Any], weights: list[Any], is_full: bool
) -> None:
    facts = treated(28, *orders, weights=weights)
    status = course_status(facts, catalogue.known)
    assert status is not None
    assert has_full_course(status, facts, catalogue.known) is is_full


def test_days_of_an_unknown_dose_are_none_of_the_full_dose(treated: Treated, catalogue: Catalogue) -> None:
    doses = [dose(number, "none") for number in (3, 4, 5)]
    facts = treated(28, COURSE, weights=BEFORE, steroid_doses=doses)
    status = course_status(facts, catalogue.known)
    assert status is not None
    assert not has_full_course(status, facts, catalogue.known)


# --- the state of each day


def test_a_day_ahead_is_judged_by_the_orders_alone(treated: Treated, catalogue: Catalogue) -> None:
    """Day 10 is left out and interrupts nothing; from day 21 on little is ordered."""
    orders = (order(-1, 9), order(11, 20), order(30, 30), order(40, 45))
    states = dict(states_by_day(treated(5, *orders), catalogue.known))
    assert [states[day(n)] for n in (9, 10, 11, 20)] == [CourseState.COURSE] * 4
    assert [states[day(n)] for n in (21, 22, 29, 31, 39)] == [CourseState.INTERRUPTED] * 5
    assert max(states) == day(45)


def test_on_the_last_of_the_30_days_ahead_the_decision_is_due(treated: Treated, catalogue: Catalogue) -> None:
    states = dict(states_by_day(treated(20, order(-1, 40)), catalogue.known))
    assert [states[day(n)] for n in (27, 28, 29)] == [CourseState.COURSE, CourseState.DECIDE, CourseState.DECIDE]
