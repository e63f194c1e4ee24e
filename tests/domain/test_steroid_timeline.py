"""The corticosteroid day by day: doses and how they are known, phases, and the days that are fixed (rules 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from simulated_children import CHILDREN, INFUSED, UNEVENTFUL, SimulatedChild

from cds_service.domain.facts import PatientFacts
from cds_service.domain.quantities import plain
from cds_service.domain.steroid_states import CourseState, course_status, states_by_day
from cds_service.domain.steroid_timeline import (
    _PHASES,
    DoseSource,
    Phase,
    SteroidDay,
    SteroidTimeline,
    steroid_timeline,
)
from cds_service.domain.suggested_steroid import per_kg_in_words
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TimelineOn = Callable[..., SteroidTimeline]
FULL, HALF, QUARTER = "3.2 mg", "1.6 mg", "0.8 mg"
FINE = {"on": "2026-03-30"}


def day(number: int) -> date:
    return INFUSED + timedelta(days=number)


def order(first: int, last: int | None, dose: str = FULL, **words: Any) -> dict[str, Any]:
    end = {"end": "none"} if last is None else {"end": day(last).isoformat()}
    return {"start": day(first).isoformat(), "dose": dose, **end, **words}


COURSE = order(-1, 28)
TAPER = [order(29, 42, HALF), order(43, 56, QUARTER)]


@pytest.fixture
def timeline_on(catalogue: Catalogue, facts_of: FactsOf) -> TimelineOn:
    """The timeline on a day after the infusion, with these orders and an unremarkable panel on D+28."""

    def timeline(number: int, *orders: Any, **given: Any) -> SteroidTimeline:
        panels = [panel for panel in given.pop("panels", [FINE]) if panel["on"] <= day(number).isoformat()]
        child = {"moment": "chart", "today": day(number).isoformat(), "infused": INFUSED.isoformat(), "panels": panels}
        facts = facts_of({**child, "steroids": list(orders), **given})
        return steroid_timeline(course_status(facts, catalogue.known), facts, catalogue.known)

    return timeline


def spans(timeline: SteroidTimeline) -> list[tuple[str, int, int, bool]]:
    """The phases as day numbers."""
    return [
        (s.phase.value, (s.first_day - INFUSED).days, (s.last_day - INFUSED).days, s.is_planned)
        for s in timeline.phases
    ]


def plan(timeline: SteroidTimeline) -> dict[str, int]:
    return {item.name: (item.day - INFUSED).days for item in timeline.plan}


def told(timeline: SteroidTimeline, number: int) -> SteroidDay:
    found = timeline.on(day(number))
    assert found is not None
    return found


# --- phases


def test_a_course_without_delay_has_its_phases_on_the_days_of_the_label(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(60, COURSE, *TAPER)
    assert spans(timeline) == [
        ("before", -1, -1, False),
        ("course", 0, 28, False),
        ("taper", 29, 56, False),
        ("finished", 57, 60, False),
    ]


def test_what_is_ahead_is_planned(timeline_on: TimelineOn) -> None:
    assert spans(timeline_on(28, COURSE, *TAPER))[-2:] == [("course", 0, 28, False), ("taper", 29, 56, True)]
    assert spans(timeline_on(27, COURSE))[-2:] == [("course", 0, 27, False), ("course", 28, 28, True)]


@pytest.mark.parametrize(
    ("panel", "phase"),
    [
        ({}, "decision"),
        ({"alt": "79.9 U/L"}, "decision"),
        ({"alt": "80 U/L"}, "extended"),
        ({"inr": "none"}, "decision"),
    ],
)
def test_after_the_30_days_the_liver_tests_tell_whether_the_full_dose_waits_or_goes_on(
    timeline_on: TimelineOn, panel: dict[str, Any], phase: str
) -> None:
    timeline = timeline_on(30, order(-1, 40), panels=[{"on": "2026-03-30", **panel}])
    assert spans(timeline)[1:] == [("course", 0, 28, False), (phase, 29, 30, False), (phase, 31, 40, True)]


def test_an_abnormal_test_during_the_taper_holds_it_from_the_day_of_the_sample_on(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(44, COURSE, *TAPER, panels=[FINE, {"on": day(42).isoformat(), "alt": "100 U/L"}])
    assert spans(timeline)[2:] == [("taper", 29, 41, False), ("held", 42, 44, False), ("taper", 45, 56, True)]


def test_a_raised_dose_stays_held_as_ordered(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(44, COURSE, order(29, 42, QUARTER), order(43, 60, HALF))
    assert spans(timeline)[2:] == [("taper", 29, 42, False), ("held", 43, 44, False), ("held", 45, 60, True)]


def test_days_without_a_dose_interrupt_the_course(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(12, order(-1, 9))
    assert spans(timeline)[1:] == [("course", 0, 9, False), ("interrupted", 10, 12, False)]
    assert told(timeline, 11).source is DoseSource.NONE


def test_a_gap_between_two_orders_ahead_is_an_interruption_or_after_a_taper_the_end(timeline_on: TimelineOn) -> None:
    assert spans(timeline_on(5, order(-1, 9), order(20, 30)))[2:4] == [
        ("course", 6, 9, True),
        ("interrupted", 10, 19, True),
    ]
    again = timeline_on(50, COURSE, *TAPER, order(70, 80))
    assert ("finished", 57, 69, True) in spans(again)


def test_a_day_left_out_between_two_interrupts_nothing(timeline_on: TimelineOn) -> None:
    ahead = timeline_on(5, order(-1, 9), order(11, 28))
    assert spans(ahead)[2:] == [("course", 6, 28, True)]
    assert told(ahead, 10).source is DoseSource.NONE


def test_a_dose_that_cannot_be_computed_is_unknown_and_never_nothing(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(5, order(-1, 9, dose="none", text="as directed"))
    assert spans(timeline) == [("before", -1, -1, False), ("unknown", 0, 5, False), ("unknown", 6, 9, True)]
    today = told(timeline, 5)
    assert (today.mg, today.mg_per_kg, today.source) == (None, None, DoseSource.ORDERED)


def test_a_course_that_never_began_is_shown_as_such(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(3)
    assert spans(timeline) == [("none", -1, 3, False)]
    assert {item.source for item in timeline.days} == {DoseSource.NONE}
    assert plan(timeline) == {
        "start": -1,
        "end-check": 25,
        "end-of-course": 28,
        "earliest-taper": 29,
        "earliest-end": 56,
    }


def test_a_late_start_leaves_the_days_before_it_without_and_moves_the_end(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(5, order(1, 30))
    assert spans(timeline) == [("none", -1, 0, False), ("course", 1, 5, False), ("course", 6, 30, True)]
    assert plan(timeline)["end-of-course"] == 30


@pytest.mark.parametrize("state", ["absent", "failed", "partial"])
def test_without_the_list_of_orders_nothing_is_said_to_be_missing(timeline_on: TimelineOn, state: str) -> None:
    timeline = timeline_on(3, lists={"medicationRequests": state})
    assert {span.phase for span in timeline.phases} == {Phase.UNKNOWN}
    assert {item.source for item in timeline.days} == {DoseSource.UNKNOWN}


def test_before_the_infusion_the_order_is_shown_to_the_end_of_the_30_days(
    catalogue: Catalogue, facts_of: FactsOf
) -> None:
    facts = facts_of({})
    timeline = steroid_timeline(course_status(facts, catalogue.known), facts, catalogue.known)
    start, end = date(2026, 3, 2), date(2026, 3, 31)
    assert [(s.phase, s.first_day, s.last_day) for s in timeline.phases] == [
        (Phase.BEFORE, start, start),
        (Phase.COURSE, date(2026, 3, 3), end),
    ]
    assert timeline.on(start) is not None
    assert [item.name for item in timeline.plan][:3] == ["first-day", "end-check", "end-of-course"]


def test_before_the_infusion_without_an_order_the_day_it_has_to_begin_stays_empty(
    catalogue: Catalogue, facts_of: FactsOf
) -> None:
    facts = facts_of({"steroids": []})
    timeline = steroid_timeline(course_status(facts, catalogue.known), facts, catalogue.known)
    assert [(item.day, item.source) for item in timeline.days] == [(date(2026, 3, 2), DoseSource.NONE)]
    assert timeline.plan[0].name == "start"


def test_without_an_infusion_day_only_the_days_with_a_dose_are_told_and_no_phase(
    catalogue: Catalogue, facts_of: FactsOf
) -> None:
    facts = facts_of({"moment": "chart", "steroids": [{"start": "2026-02-27", "end": "2026-03-01"}]})
    timeline = steroid_timeline(None, facts, catalogue.known)
    assert [item.day.day for item in timeline.days] == [27, 28, 1]
    assert {item.phase for item in timeline.days} == {Phase.UNKNOWN}
    assert (timeline.phases, timeline.plan, timeline.is_endless) == ((), (), False)


# --- doses


def test_a_dose_is_held_against_the_newest_weight_of_its_own_day(timeline_on: TimelineOn) -> None:
    weights = [
        {"weight": "3.2 kg", "when": f"{day(-1).isoformat()}T08:00:00Z"},
        {"weight": "4.0 kg", "when": f"{day(14).isoformat()}T08:00:00Z"},
    ]
    timeline = timeline_on(20, COURSE, weights=weights)
    assert [plain(told(timeline, n).mg_per_kg or 0) for n in (13, 14)] == ["1", "0.8"]


@pytest.mark.parametrize(
    ("per_kg", "told_as"),
    [
        ("0.9697", "0.97"), ("1.022", "1.02"), ("1.105", "1.11"), ("1", "1"), ("0.5", "0.5"), ("10.004", "10"),
        # On a limit it is told as one.
        ("1.10", "1.1"), ("0.900", "0.9"), ("5.00", "5"),
        # Rounded these would stand on a limit that they are below or above, or would be none.
        ("1.996", "1.996"), ("2.004", "2.004"), ("0.004", "0.004"),
    ],
)  # fmt: skip
def test_mg_per_kg_stands_in_words_with_two_decimals_unless_they_would_put_it_across_a_limit(
    catalogue: Catalogue, per_kg: str, told_as: str
) -> None:
    assert plain(per_kg_in_words(Decimal(per_kg), catalogue.known)) == told_as


def test_without_a_weight_the_milligrams_are_told_and_mg_per_kg_is_not(timeline_on: TimelineOn) -> None:
    today = told(timeline_on(5, COURSE, weights=[]), 5)
    assert (str(today.mg), today.mg_per_kg) == ("3.2", None)


def test_a_recorded_dose_tells_the_past_and_one_not_given_is_not_taken_for_missing_data(
    timeline_on: TimelineOn,
) -> None:
    doses = [
        {"when": f"{day(2).isoformat()}T08:00:00Z", "mg": "3.0"},
        {"when": f"{day(3).isoformat()}T08:00:00Z", "mg": "3.2", "status": "not-done"},
    ]
    timeline = timeline_on(5, COURSE, steroid_doses=doses)
    given, left_out, ordered = (told(timeline, n) for n in (2, 3, 4))
    assert (given.source, str(given.mg)) == (DoseSource.GIVEN, "3.0")
    assert (left_out.source, left_out.mg) == (DoseSource.NOT_GIVEN, None)
    assert ordered.source is DoseSource.ORDERED
    assert [item.is_planned for item in (told(timeline, 5), told(timeline, 6))] == [False, True]


def test_a_day_that_is_not_surely_covered_says_so(timeline_on: TimelineOn) -> None:
    assert not told(timeline_on(5, order(-1, 28, route="none")), 5).is_sure


# --- the plan


def test_the_dates_are_those_of_the_worked_example(timeline_on: TimelineOn) -> None:
    assert {item.name: item.day.isoformat() for item in timeline_on(12, COURSE).plan} == {
        "first-day": "2026-03-01",
        "end-check": "2026-03-27",
        "end-of-course": "2026-03-30",
        "earliest-taper": "2026-03-31",
        "earliest-end": "2026-04-27",
        "last-day": "2026-03-30",
    }


@pytest.mark.parametrize(("number", "is_told"), [(27, True), (28, True), (29, False)])
def test_the_earliest_taper_is_a_date_until_the_end_of_the_30_days_and_no_longer(
    timeline_on: TimelineOn, number: int, is_told: bool
) -> None:
    assert ("earliest-taper" in plan(timeline_on(number, order(-1, 40)))) is is_told


def test_without_proof_no_end_is_made_up_once_the_30_days_are_over(timeline_on: TimelineOn) -> None:
    assert plan(timeline_on(28, order(-1, 40), panels=[])).get("earliest-end") is None


def test_a_taper_ends_at_the_earliest_28_days_after_it_began(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(30, COURSE, order(29, 40, HALF))
    assert {name: plan(timeline)[name] for name in ("taper-begins", "earliest-end", "last-day")} == {
        "taper-begins": 29,
        "earliest-end": 56,
        "last-day": 40,
    }


def test_an_interrupted_course_has_no_earliest_taper(timeline_on: TimelineOn) -> None:
    assert "earliest-taper" not in plan(timeline_on(13, order(-1, 9)))


def test_an_order_without_an_end_has_no_last_day(timeline_on: TimelineOn) -> None:
    timeline = timeline_on(5, order(-1, None))
    assert timeline.is_endless
    assert "last-day" not in plan(timeline)


def test_a_timeline_can_be_cut(timeline_on: TimelineOn) -> None:
    cut = timeline_on(60, COURSE, *TAPER).until(day(40))
    assert cut.days[-1].day == day(40)
    assert spans(cut)[-1] == ("taper", 29, 40, False)


# --- the same as the state of each day


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.name)
def test_a_past_day_has_the_state_that_was_told_on_it(
    catalogue: Catalogue, facts_of: FactsOf, child: SimulatedChild
) -> None:
    """With the orders as they are on the last day; a record grows, so those of the day itself may differ."""
    last = child.on(120)
    states = dict(states_by_day(facts_of(last), catalogue.known))
    for number in range(0, 120, 7):
        orders = {"steroids": last["steroids"]}
        status = course_status(facts_of({**child.on(number), **orders}), catalogue.known)
        assert status is not None
        assert states[day(number)] is status.state, number


def test_today_has_the_state_of_the_course(catalogue: Catalogue, facts_of: FactsOf) -> None:
    for number in range(120):
        facts = facts_of(UNEVENTFUL.on(number))
        status = course_status(facts, catalogue.known)
        assert status is not None
        assert dict(states_by_day(facts, catalogue.known))[day(number)] is status.state


def test_without_a_course_there_are_no_states(catalogue: Catalogue, facts_of: FactsOf) -> None:
    assert states_by_day(facts_of({"moment": "chart"}), catalogue.known) == ()


def test_every_state_has_a_phase() -> None:
    assert set(_PHASES) == set(CourseState)


def test_a_phase_that_begins_on_the_last_day_asked_for_is_shown_for_that_day(timeline_on: TimelineOn) -> None:
    whole = timeline_on(60, COURSE, *TAPER)
    first, second = whole.phases[-2:]
    cut = whole.until(second.first_day)
    assert cut.phases[-1].phase is second.phase
    assert (cut.phases[-1].first_day, cut.phases[-1].last_day) == (second.first_day, second.first_day)
    assert whole.until(first.last_day).phases[-1] == first


# --- while no dose of the product is recorded


def planned_for(day: str, *orders: Any, **given: Any) -> dict[str, Any]:
    """A child on 2 March whose infusion is, or was, planned for a day."""
    return {"moment": "chart", "open_orders": [{"planned": day}], "steroids": list(orders), **given}


def phases_of(facts: PatientFacts, catalogue: Catalogue) -> list[tuple[Phase, date, date]]:
    timeline = steroid_timeline(course_status(facts, catalogue.known), facts, catalogue.known)
    joined: list[tuple[Phase, date, date]] = []
    for span in timeline.phases:
        if joined and joined[-1][0] is span.phase:
            joined[-1] = (span.phase, joined[-1][1], span.last_day)
        else:
            joined.append((span.phase, span.first_day, span.last_day))
    return joined


def march(number: int) -> date:
    return date(2026, 3, number)


@pytest.mark.parametrize(
    ("given", "phases"),
    [
        # Planned for today, for two days ago, for tomorrow: a corticosteroid that is given is never "none".
        (
            planned_for("2026-03-02", {"start": "2026-03-01", "end": "2026-03-30"}),
            [(Phase.BEFORE, march(1), march(1)), (Phase.COURSE, march(2), march(30))],
        ),
        (
            planned_for("2026-02-28", {"start": "2026-02-27", "end": "2026-03-28"}),
            [(Phase.BEFORE, date(2026, 2, 27), date(2026, 2, 27)), (Phase.COURSE, date(2026, 2, 28), march(28))],
        ),
        # Not beyond the 30 days, nor beyond what is ordered; an early course is told from its first day on.
        (
            planned_for("2026-03-03", {"start": "2026-02-20", "end": "2026-05-30"}),
            [(Phase.BEFORE, date(2026, 2, 20), march(2)), (Phase.COURSE, march(3), march(31))],
        ),
        (
            planned_for("2026-03-03", {"start": "2026-03-02", "end": "2026-03-10"}),
            [(Phase.BEFORE, march(2), march(2)), (Phase.COURSE, march(3), march(10))],
        ),
        # Begun late, or not at all.
        (
            planned_for("2026-03-02", {"start": "2026-03-02", "end": "2026-03-10"}),
            [(Phase.NONE, march(1), march(1)), (Phase.COURSE, march(2), march(10))],
        ),
        (planned_for("2026-03-02"), [(Phase.NONE, march(1), march(2))]),
        (planned_for("2026-03-02", lists={"medicationRequests": "partial"}), [(Phase.UNKNOWN, march(1), march(2))]),
    ],
)
def test_until_a_dose_of_the_product_is_recorded_the_phases_are_those_that_are_ordered(
    catalogue: Catalogue, facts_of: FactsOf, given: dict[str, Any], phases: list[tuple[Phase, date, date]]
) -> None:
    assert phases_of(facts_of(given), catalogue) == phases


def test_what_holds_only_if_the_course_goes_on_as_planned_says_so(timeline_on: TimelineOn) -> None:
    assumed = {item.name for item in timeline_on(12, COURSE).plan if item.is_assumed}
    assert assumed == {"earliest-taper", "earliest-end"}
    assert not any(item.is_assumed for item in timeline_on(30, COURSE, *TAPER).plan)
