"""The corticosteroid course as a state machine: every state entered and left (clinical-rules 5; rulings 37, 38, 42)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds_service.domain.certainty import Certainty
from cds_service.domain.facts import PatientFacts
from cds_service.domain.steroid_dose import DailySteroid
from cds_service.domain.steroid_states import CourseState, CourseStatus, _stretches, course_status
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
StatusOn = Callable[..., CourseStatus]
INFUSED = date(2026, 2, 2)
FULL, HALF, QUARTER = "3.2 mg", "1.6 mg", "0.8 mg"


def day(number: int) -> str:
    """The calendar day so many days after the infusion."""
    return (INFUSED + timedelta(days=number)).isoformat()


def order(first: int, last: int | None, dose: str = FULL, **words: Any) -> dict[str, Any]:
    end = {"end": "none"} if last is None else {"end": day(last)}
    return {"start": day(first), "dose": dose, **end, **words}


def dose(number: int, mg: str = "3.2", **words: Any) -> dict[str, Any]:
    return {"when": f"{day(number)}T08:00:00Z", "mg": mg, **words}


COURSE = order(-1, 28)
STEPS = [order(29, 42, HALF), order(43, 56, QUARTER)]
FINE = [{"on": day(28)}]


@pytest.fixture
def status_on(catalogue: Catalogue, facts_of: FactsOf) -> StatusOn:
    """The status of a child on a day after the infusion, with these orders, one panel on D+28 unless said otherwise."""

    def status(number: int, *orders: Any, **given: Any) -> CourseStatus:
        panels = [panel for panel in given.pop("panels", FINE) if panel["on"] <= day(number)]
        child = {"moment": "chart", "today": day(number), "infused": INFUSED.isoformat(), "panels": panels}
        found = course_status(facts_of({**child, "steroids": list(orders), **given}), catalogue.known)
        assert found is not None
        return found

    return status


def t0(status: CourseStatus) -> int | None:
    return (status.taper_begins - INFUSED).days if status.taper_begins else None


def end(status: CourseStatus) -> int:
    return (status.required_end - INFUSED).days


# --- before the infusion: S0, S1, S2


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"steroids": []}, CourseState.NONE),
        ({}, CourseState.ORDERED),
        ({"steroid_doses": [{"days_ago": 0}]}, CourseState.BEGUN),
        ({"steroids": [], "lists": {"medicationRequests": "absent"}}, CourseState.UNKNOWN),
    ],
)
def test_before_the_infusion(catalogue: Catalogue, facts_of: FactsOf, given: Any, state: CourseState) -> None:
    found = course_status(facts_of(given), catalogue.known)
    assert found is not None
    assert found.state is state


def test_without_any_infusion_day_there_is_no_status(catalogue: Catalogue, facts_of: FactsOf) -> None:
    assert course_status(facts_of({"draft": {"planned": "none"}}), catalogue.known) is None


# --- the label's own course: S3, S4, S5, S6, S9


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (0, CourseState.COURSE),
        (27, CourseState.COURSE),
        (28, CourseState.MAY_TAPER),
        (29, CourseState.TAPER),
        (56, CourseState.TAPER),
        (57, CourseState.FINISHED),
        (100, CourseState.FINISHED),
    ],
)
def test_the_labels_course_day_by_day(status_on: StatusOn, number: int, state: CourseState) -> None:
    found = status_on(number, COURSE, *STEPS)
    assert (found.state, t0(found), end(found), found.taper_days) == (state, 29, 28, 28)
    assert found.permitted_end == date.fromisoformat(day(56))
    assert found.maintenance_mg == Decimal("3.2")


def test_nothing_ordered_after_the_infusion(status_on: StatusOn) -> None:
    assert status_on(5).state is CourseState.NONE
    assert status_on(5, lists={"medicationRequests": "partial"}).state is CourseState.UNKNOWN


@pytest.mark.hazard("H27")
@pytest.mark.parametrize(
    ("number", "panel", "state"),
    [
        (28, None, CourseState.DECIDE),
        (29, None, CourseState.DECIDE),
        (28, {"alt": "80 U/L"}, CourseState.DECIDE),
        (29, {"alt": "80 U/L"}, CourseState.EXTENDED),
        (29, {"alt": "79.9 U/L"}, CourseState.MAY_TAPER),
        (29, {"total_bilirubin": "1.01 mg/dL"}, CourseState.EXTENDED),
        (29, {"total_bilirubin": "1.0 mg/dL"}, CourseState.MAY_TAPER),
        (29, {"inr": "1.11 {INR}"}, CourseState.EXTENDED),
        (29, {"prothrombin_time": "13.5 s"}, CourseState.MAY_TAPER),
        (29, {"inr": "none"}, CourseState.DECIDE),
        (29, {"status": "preliminary"}, CourseState.DECIDE),
    ],
)
def test_at_the_end_of_the_30_days_the_liver_tests_decide(
    status_on: StatusOn, number: int, panel: Any, state: CourseState
) -> None:
    panels = [] if panel is None else [{"on": day(28), **panel}]
    assert status_on(number, order(-1, 60), panels=panels).state is state


def test_samples_of_day_21_do_not_decide_and_old_ones_no_longer_do(status_on: StatusOn) -> None:
    assert status_on(28, order(-1, 60), panels=[{"on": day(21)}]).state is CourseState.DECIDE
    assert status_on(28, order(-1, 60), panels=[{"on": day(25)}]).state is CourseState.MAY_TAPER
    assert status_on(35, order(-1, 60)).state is CourseState.MAY_TAPER
    assert status_on(36, order(-1, 60)).state is CourseState.DECIDE


def test_part_of_the_results_permits_no_taper(status_on: StatusOn) -> None:
    assert status_on(29, order(-1, 60), lists={"observations": "partial"}).state is CourseState.DECIDE


def test_a_prolonged_full_dose_is_left_when_the_tests_are_unremarkable(status_on: StatusOn) -> None:
    bad, good = {"on": day(28), "alt": "120 U/L"}, {"on": day(49)}
    assert status_on(48, order(-1, None), panels=[bad]).state is CourseState.EXTENDED
    found = status_on(50, order(-1, None), panels=[bad, good])
    assert (found.state, found.is_open_ended, found.last_day) == (CourseState.MAY_TAPER, True, None)


# --- T0


@pytest.mark.hazard("H27")
@pytest.mark.parametrize(("full_until", "begins"), [(27, 28), (28, 29)])
def test_the_first_reduced_day(status_on: StatusOn, full_until: int, begins: int) -> None:
    orders = (order(-1, full_until), order(begins, 60, HALF))
    assert t0(status_on(20, *orders)) == begins
    assert t0(status_on(40, *orders)) == begins


@pytest.mark.hazard("H29")
def test_h29_growth_is_no_taper(status_on: StatusOn) -> None:
    weights = [{"weight": "3.0 kg", "days_ago": 25}, {"weight": "3.84 kg", "days_ago": 1}]
    found = status_on(24, order(-1, 28, "3 mg"), weights=weights)
    assert (found.state, t0(found)) == (CourseState.COURSE, None)


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ({"drug": "methylprednisolone", "route": "intravenous", "dose": "2.56 mg"}, None),
        ({"drug": "methylprednisolone", "route": "intravenous", "dose": "2.31 mg"}, None),
        ({"drug": "methylprednisolone", "route": "intravenous", "dose": "2.3 mg"}, 10),
        ({"drug": "prednisone", "dose": "3.0 mg"}, None),
        ({"drug": "prednisone", "dose": "2.87 mg"}, 10),
        ({"dose": "3.1 mg"}, 10),
    ],
)
def test_a_change_of_drug_or_route_within_a_tenth_is_no_taper(
    status_on: StatusOn, words: Any, begins: int | None
) -> None:
    assert t0(status_on(12, order(-1, 9), {**order(10, 28), **words})) == begins


def test_there_and_back_between_vein_and_mouth(status_on: StatusOn) -> None:
    vein = {**order(10, 12), "drug": "methylprednisolone", "route": "intravenous", "dose": "2.4 mg"}
    found = status_on(20, order(-1, 9), vein, order(13, 28))
    assert (found.state, t0(found), found.was_raised_in_taper) == (CourseState.COURSE, None, False)


def test_a_day_with_both_drugs_is_no_full_dose_to_fall_from(status_on: StatusOn) -> None:
    other = {**order(10, 28), "drug": "methylprednisolone", "dose": "2.48 mg"}
    assert t0(status_on(12, order(-1, 10), other)) is None


def test_switches_cannot_creep_down(status_on: StatusOn) -> None:
    steps = (
        order(-1, 5),
        order(6, 10, "2.9 mg", drug="prednisone"),
        order(11, 15, "2.6 mg"),
    )
    assert t0(status_on(15, *steps)) == 11


def test_a_switch_within_the_taper_is_no_raise(status_on: StatusOn) -> None:
    vein = {**order(36, 38), "drug": "methylprednisolone", "route": "intravenous", "dose": "1.36 mg"}
    orders = (COURSE, order(29, 35, HALF), vein, order(39, 42, HALF), STEPS[1])
    found = status_on(37, *orders)
    assert (found.state, t0(found), found.was_raised_in_taper) == (CourseState.TAPER, 29, False)
    assert status_on(57, *orders).state is CourseState.FINISHED


@pytest.mark.parametrize(("last_raised", "full_mg"), [(8, "3.2"), (9, "6.4")])
def test_a_dose_is_the_full_one_from_its_third_day_in_a_row(
    status_on: StatusOn, last_raised: int, full_mg: str
) -> None:
    raised = status_on(last_raised, order(-1, 6), order(7, last_raised, "6.4 mg"))
    assert raised.maintenance_mg == Decimal(full_mg)


def test_a_dose_that_was_raised_and_is_back_at_1_mg_per_kg_is_no_taper(status_on: StatusOn) -> None:
    weights = [{"weight": "3.2 kg", "days_ago": 1}]
    orders = (order(-1, 6), order(7, 13, "6.4 mg"), order(14, None))
    back = status_on(15, *orders, weights=weights)
    assert (back.state, t0(back), back.maintenance_mg) == (CourseState.COURSE, None, Decimal("3.2"))
    further = status_on(15, *orders[:2], order(14, None, "2.8 mg"), weights=weights)
    assert (further.state, t0(further)) == (CourseState.TAPER, 14)


def test_without_a_fresh_weight_every_reduction_is_one(status_on: StatusOn) -> None:
    orders = (order(-1, 6), order(7, 13, "6.4 mg"), order(14, None))
    assert t0(status_on(15, *orders, weights=[{"weight": "3.2 kg", "days_ago": 16}])) == 14


# --- raised within a taper: S8


def test_a_raise_within_the_taper_ends_it_and_the_next_reduction_begins_another(status_on: StatusOn) -> None:
    orders = (COURSE, order(29, 35, HALF), order(36, 49, "2.4 mg"), order(50, 77, QUARTER))
    held = status_on(40, *orders[:3])
    assert (held.state, t0(held), held.was_raised_in_taper) == (CourseState.TAPER_HELD, None, True)
    again = status_on(50, *orders)
    assert (again.state, t0(again), again.taper_days) == (CourseState.TAPER, 50, 28)
    assert status_on(78, *orders).state is CourseState.FINISHED


def test_a_second_raise_within_the_taper_is_what_the_next_reduction_is_measured_against(status_on: StatusOn) -> None:
    raises = [order(29, 35, "1.6 mg"), order(36, 40, "2.0 mg"), order(41, 56, "2.4 mg")]
    status = status_on(58, COURSE, *raises, order(57, 84, "2.2 mg"))
    assert t0(status) == 57


def test_two_weights_that_contradict_each_other_excuse_no_reduction(status_on: StatusOn) -> None:
    orders = (order(-1, 6), order(7, 13, "6.4 mg"), order(14, None))
    one = {"weight": "3.2 kg", "days_ago": 1}
    assert t0(status_on(15, *orders, weights=[one])) is None
    assert t0(status_on(15, *orders, weights=[one, {"weight": "6.4 kg", "days_ago": 1}])) == 14


def test_days_without_a_dose_before_the_first_one_belong_to_no_course(catalogue: Catalogue) -> None:
    none = DailySteroid(INFUSED, None, Certainty.FALSE, frozenset(), frozenset(), False, False, ())
    dosed = replace(none, day=INFUSED + timedelta(days=1), mg=Decimal("3.2"), cover=Certainty.TRUE)
    assert _stretches([none, dosed], catalogue.known) == ((dosed,),)


def test_a_raise_back_to_the_full_dose_is_the_full_dose(status_on: StatusOn) -> None:
    bad = {"on": day(42), "alt": "100 U/L"}
    orders = (COURSE, order(29, 45, HALF), order(46, 70))
    assert status_on(44, *orders, panels=[*FINE, bad]).state is CourseState.TAPER_HELD
    found = status_on(46, *orders, panels=[*FINE, bad])
    assert (found.state, t0(found), found.was_raised_in_taper) == (CourseState.EXTENDED, None, True)
    assert status_on(46, *orders, panels=[*FINE, {"on": day(45)}]).state is CourseState.MAY_TAPER


def test_an_abnormal_test_holds_the_taper(status_on: StatusOn) -> None:
    bad = {"on": day(35), "alt": "80 U/L"}
    assert status_on(34, COURSE, *STEPS, panels=[*FINE, bad]).state is CourseState.TAPER
    assert status_on(35, COURSE, *STEPS, panels=[*FINE, bad]).state is CourseState.TAPER_HELD
    assert status_on(42, COURSE, *STEPS, panels=[*FINE, bad, {"on": day(42)}]).state is CourseState.TAPER


def test_half_a_recorded_dose_on_one_day_is_no_taper(status_on: StatusOn) -> None:
    found = status_on(20, COURSE, steroid_doses=[dose(10, "1.6")])
    assert (found.state, t0(found), found.was_raised_in_taper) == (CourseState.COURSE, None, False)


# --- gaps: SX


def test_one_day_without_interrupts_nothing(status_on: StatusOn) -> None:
    left_out = status_on(10, COURSE, steroid_doses=[dose(10, status="not-done")])
    assert left_out.state is CourseState.COURSE
    assert status_on(11, COURSE, steroid_doses=[dose(10, status="not-done")]).state is CourseState.COURSE


def test_a_taper_with_one_day_left_out_is_finished(status_on: StatusOn) -> None:
    assert status_on(57, COURSE, *STEPS, steroid_doses=[dose(40, status="not-done")]).state is CourseState.FINISHED


def test_two_days_without_break_a_taper_which_then_begins_anew(status_on: StatusOn) -> None:
    missed = [dose(40, status="not-done"), dose(41, status="not-done")]
    found = status_on(45, COURSE, *STEPS, steroid_doses=missed)
    assert (found.state, t0(found)) == (CourseState.TAPER, 42)
    assert status_on(57, COURSE, *STEPS, steroid_doses=missed).state is CourseState.INTERRUPTED


@pytest.mark.hazard("H28")
def test_a_course_that_ends_without_a_taper_is_interrupted_and_goes_on_after_a_restart(status_on: StatusOn) -> None:
    assert status_on(13, order(-1, 12)).state is CourseState.INTERRUPTED
    assert status_on(13, order(-1, 12), lists={"medicationRequests": "partial"}).state is CourseState.UNKNOWN
    assert status_on(16, order(-1, 12), order(16, 40)).state is CourseState.COURSE
    lower = status_on(16, order(-1, 12), order(16, 40, HALF))
    assert (lower.state, t0(lower)) == (CourseState.TAPER, 16)


def test_a_taper_of_27_days_is_not_finished(status_on: StatusOn) -> None:
    found = status_on(57, COURSE, order(29, 55, HALF))
    assert (found.state, found.taper_days, found.permitted_end) == (CourseState.INTERRUPTED, 27, None)


def test_a_stopped_order_ends_the_course_today(status_on: StatusOn) -> None:
    assert status_on(10, {**COURSE, "status": "stopped"}).state is CourseState.INTERRUPTED
    assert status_on(10, {**COURSE, "status": "on-hold"}).state in (CourseState.INTERRUPTED, CourseState.NONE)


def test_a_restart_after_the_taper_is_a_new_course(status_on: StatusOn) -> None:
    again = order(80, 84, "2.4 mg")
    assert status_on(70, COURSE, *STEPS, again).state is CourseState.FINISHED
    found = status_on(81, COURSE, *STEPS, again)
    assert (found.state, t0(found), found.is_full_dose) == (CourseState.DECIDE, None, True)
    assert found.restarted_on == date.fromisoformat(day(80))
    assert status_on(85, COURSE, *STEPS, again).state is CourseState.INTERRUPTED


@pytest.mark.parametrize("status", ["unknown", "no-such-status", ""])
@pytest.mark.parametrize("unclear", [0, 1, 2])
def test_a_taper_is_not_finished_while_the_status_of_one_of_its_orders_cannot_be_read(
    status_on: StatusOn, status: str, unclear: int
) -> None:
    orders = [{**item, "status": status} if n == unclear else item for n, item in enumerate((COURSE, *STEPS))]
    found = status_on(57, *orders)
    assert (found.state, found.why) == (CourseState.UNKNOWN, "steroid-order-status")


def test_an_order_that_may_still_run_leaves_no_taper_finished(status_on: StatusOn) -> None:
    assert status_on(70, COURSE, order(29, None, HALF, status="unknown")).state is CourseState.UNKNOWN


def test_an_unclear_order_from_before_the_course_says_nothing_of_it(status_on: StatusOn) -> None:
    before = order(-40, -20, status="unknown")
    assert status_on(57, before, COURSE, *STEPS).state is CourseState.FINISHED


# --- SU


def test_a_taper_in_words_only_is_unknown_while_it_runs_and_after(status_on: StatusOn) -> None:
    words = order(29, 56, "none", frequency="none", text="wean per protocol")
    assert status_on(20, COURSE, words).state is CourseState.COURSE
    for number in (30, 57):
        found = status_on(number, COURSE, words)
        assert (found.state, found.why) == (CourseState.UNKNOWN, "steroid-dose")


def test_what_was_given_contradicts_what_is_ordered(status_on: StatusOn) -> None:
    found = status_on(20, COURSE, steroid_doses=[dose(19, "1.6")])
    assert (found.state, found.why) == (CourseState.UNKNOWN, "given-differs")
    assert status_on(20, COURSE, steroid_doses=[dose(17, "1.6")]).state is CourseState.COURSE


@pytest.mark.parametrize(("mg", "state"), [("2.88", CourseState.COURSE), ("2.87", CourseState.UNKNOWN)])
def test_what_was_given_is_the_ordered_dose_within_a_tenth(status_on: StatusOn, mg: str, state: CourseState) -> None:
    found = status_on(20, COURSE, steroid_doses=[dose(18), dose(19, mg)])
    assert (found.state, found.why) == (state, "" if state is CourseState.COURSE else "given-differs")
    if state is CourseState.COURSE:
        assert t0(found) is None


def test_from_recorded_doses_to_an_order_is_no_taper(status_on: StatusOn) -> None:
    found = status_on(5, order(3, 28), steroid_doses=[dose(number, "3.3") for number in range(-1, 3)])
    assert (found.state, t0(found)) == (CourseState.COURSE, None)


# --- E


@pytest.mark.hazard("H55")
@pytest.mark.parametrize(
    ("first", "last_of_thirty"),
    [(-10, 28), (-4, 28), (-1, 28), (0, 29), (1, 30), (5, 34)],
)
def test_h55_the_end_of_the_30_days_follows_the_first_dose_and_the_infusion(
    status_on: StatusOn, first: int, last_of_thirty: int
) -> None:
    assert end(status_on(20, order(first, 60))) == last_of_thirty


def test_the_order_of_the_record_does_not_matter(status_on: StatusOn) -> None:
    orders = [COURSE, *STEPS, order(80, 84)]
    for number in (28, 40, 57, 82):
        one, other = status_on(number, *orders), status_on(number, *reversed(orders))
        assert (one.state, one.taper_begins, one.last_day) == (other.state, other.taper_begins, other.last_day)
