"""The follow-up of a child: the course as its calendar sees it, what is booked, and when it is over (C9, 6.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.domain.days import NO_TIME, add_months
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import Exposure, ExposureKind, PatientFacts
from cds_service.domain.follow_up import (
    calendar_of,
    follows_infusion,
    given_days,
    liver_tests_may_end_earlier,
    steroid_plan,
)
from cds_service.domain.monitoring_calendar import MonitoringCalendar, Series, SlotStatus, SteroidPlan
from cds_service.domain.steroid_states import CourseState, CourseStatus
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
ChildOn = Callable[..., PatientFacts]
INFUSED = date(2026, 2, 2)
WEEKS = tuple(range(7, 57, 7))
EVERY_OTHER = (70, 84)
# D+89 is three months after 2 February.
THREE_MONTHS = 89


def day(number: int) -> date:
    return INFUSED + timedelta(days=number)


def iso(number: int) -> str:
    return day(number).isoformat()


def number_of(when: date) -> int:
    return (when - INFUSED).days


# --- the course as the calendar sees it


def status(state: CourseState, **members: Any) -> CourseStatus:
    """A course of the label's days around the infusion, as one state has it; days are numbers."""
    days = {
        name: None if members.pop(name, None) is None else day(number)
        for name, number in dict(members).items()
        if name in ("first_day", "taper_begins", "last_day", "restarted_on")
    }
    runs = tuple((day(first), day(last)) for first, last in members.pop("runs", ()))
    ends = day(members.pop("required_end", 28))
    return CourseStatus(state, INFUSED, ends, runs=runs, **{"first_day": day(-1), **days, **members})


def spans(plan: SteroidPlan) -> list[tuple[int, int]]:
    return [(number_of(span.first_day), number_of(span.last_day)) for span in plan.spans]


@pytest.mark.parametrize(
    ("state", "members", "today", "ends", "is_known", "is_projected"),
    [
        # The label's own course: the whole calendar from the first day on.
        ("COURSE", {"last_day": 28}, 1, 56, True, True),
        ("COURSE", {}, 1, 56, True, True),
        ("COURSE", {"last_day": 70}, 1, 70, True, True),
        ("COURSE", {"required_end": 34}, 1, 62, True, True),
        # The end of the 30 days without proof, or with an abnormal test: no end is made up.
        ("DECIDE", {"last_day": 28}, 28, 28, False, False),
        ("DECIDE", {"last_day": 60}, 33, 33, False, False),
        ("EXTENDED", {}, 50, 50, False, False),
        # The tests are unremarkable: the taper could begin tomorrow or today, or begins as ordered.
        ("MAY_TAPER", {}, 28, 56, True, True),
        ("MAY_TAPER", {}, 29, 56, True, True),
        ("MAY_TAPER", {}, 64, 91, True, True),
        ("MAY_TAPER", {"taper_begins": 29, "last_day": 56}, 28, 56, True, True),
        ("MAY_TAPER", {"taper_begins": 29, "last_day": 70}, 28, 70, True, True),
        ("MAY_TAPER", {"taper_begins": 33, "last_day": 40}, 30, 60, True, True),
        # In the taper: never shorter than the label's 28 days, nor than the label's course.
        ("TAPER", {"taper_begins": 29, "last_day": 56}, 40, 56, True, True),
        ("TAPER", {"taper_begins": 29, "last_day": 40}, 35, 56, True, True),
        ("TAPER", {"taper_begins": 29, "last_day": 70}, 57, 70, True, True),
        ("TAPER", {"taper_begins": 64, "last_day": 91}, 64, 91, True, True),
        ("TAPER", {"taper_begins": 64, "last_day": 70}, 66, 91, True, True),
        ("TAPER", {"taper_begins": 29}, 56, 56, True, True),
        ("TAPER", {"taper_begins": 29}, 57, 57, False, False),
        ("TAPER", {"taper_begins": 10, "last_day": 20}, 12, 56, True, True),
        ("TAPER_HELD", {"taper_begins": 29, "last_day": 56}, 40, 56, True, True),
        ("TAPER_HELD", {}, 40, 40, False, False),
        # Over, as it should be or before its time; or never begun.
        ("FINISHED", {"taper_begins": 29, "last_day": 56}, 57, 56, True, False),
        ("FINISHED", {"taper_begins": 64, "last_day": 91}, 100, 91, True, False),
        ("FINISHED", {"taper_begins": 5, "last_day": 33}, 40, 56, True, True),
        ("INTERRUPTED", {"last_day": 20}, 23, 56, True, True),
        ("INTERRUPTED", {"last_day": 20}, 56, 56, True, True),
        ("INTERRUPTED", {"last_day": 20}, 57, 56, True, False),
        ("INTERRUPTED", {"last_day": 80}, 83, 80, True, False),
        ("NONE", {"first_day": None}, 10, 56, True, True),
        ("NONE", {"first_day": None}, 60, 56, True, False),
        # Nobody can tell the dose: the label's calendar within the 30 days, and after them only the next week.
        ("UNKNOWN", {"last_day": 28}, 28, 56, True, True),
        ("UNKNOWN", {"last_day": 60}, 29, 29, False, False),
    ],
)
def test_when_the_course_ends(
    catalogue: Catalogue,
    state: str,
    members: Mapping[str, Any],
    today: int,
    ends: int,
    is_known: bool,
    is_projected: bool,
) -> None:
    plan = steroid_plan(status(CourseState[state], **members), day(today), catalogue.known)
    assert (number_of(plan.last_day), plan.is_end_known, plan.is_projected) == (ends, is_known, is_projected)
    assert spans(plan) == [(-1, ends)]


@pytest.mark.parametrize(
    "runs",
    [
        [(-1, 20), (40, 91)],
        [(-1, 34), (37, 91)],
        [(5, 91)],
        [(40, 91)],
        [],
    ],
)
def test_days_that_were_left_out_make_no_test_rarer(catalogue: Catalogue, runs: list[tuple[int, int]]) -> None:
    """The week on which nothing was given is a week all the same."""
    first = runs[0][0] if runs else None
    course = status(CourseState.TAPER, first_day=first, taper_begins=64, last_day=91, runs=runs)
    assert spans(steroid_plan(course, day(70), catalogue.known)) == [(-1, 91)]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"restarted_on": 80, "last_day": 84, "runs": [(-1, 56), (80, 84)]}, [(-1, 56), (80, 84)]),
        ({"restarted_on": 80, "last_day": 84, "runs": [(-1, 28), (30, 70), (80, 84)]}, [(-1, 70), (80, 84)]),
        ({"restarted_on": 60, "last_day": 84, "runs": [(-1, 35), (60, 84)]}, [(-1, 56), (60, 84)]),
        ({"restarted_on": 50, "last_day": 84, "runs": [(-1, 35), (50, 84)]}, [(-1, 49), (50, 84)]),
        ({"restarted_on": 80, "last_day": 84}, [(-1, 56), (80, 84)]),
        # Again for a single day.
        ({"restarted_on": 80, "last_day": 80, "runs": [(-1, 56), (80, 80)]}, [(-1, 56), (80, 80)]),
    ],
)
def test_only_a_completed_taper_parts_two_courses(
    catalogue: Catalogue, members: Mapping[str, Any], expected: list[tuple[int, int]]
) -> None:
    course = status(CourseState.INTERRUPTED, **members)
    assert spans(steroid_plan(course, day(90), catalogue.known)) == expected


def test_a_course_that_is_only_ordered_again_is_still_ahead(catalogue: Catalogue) -> None:
    course = status(CourseState.DECIDE, restarted_on=120, last_day=150, runs=[(-1, 100), (120, 150)])
    assert spans(steroid_plan(course, day(40), catalogue.known)) == [(-1, 40)]


# --- the calendar of a child


def panels(*numbers: int, **values: str) -> list[dict[str, Any]]:
    return [{"on": iso(number), **values} for number in numbers]


def counts(*numbers: int, **values: str) -> list[dict[str, Any]]:
    return [{"on": iso(number), **values} for number in numbers]


STEROIDS = [
    {"start": iso(-1), "end": iso(28), "dose": "3.2 mg"},
    {"start": iso(29), "end": iso(42), "dose": "1.6 mg"},
    {"start": iso(43), "end": iso(56), "dose": "0.8 mg"},
]


@pytest.fixture
def child_on(facts_of: FactsOf) -> ChildOn:
    """A child on a day after the infusion; the label's course, without tests unless the test brings some."""

    def child(number: int, **given: Any) -> PatientFacts:
        chart = {"moment": "chart", "today": iso(number), "infused": INFUSED.isoformat(), "steroids": STEROIDS}
        return facts_of(chart | given)

    return child


def calendar(facts: PatientFacts, catalogue: Catalogue) -> MonitoringCalendar:
    found = calendar_of(facts, catalogue.known)
    assert found is not None
    return found


def status_of(found: MonitoringCalendar, name: str, series: Series = Series.LIVER) -> SlotStatus:
    return next(slot.status for slot in found.of(series) if slot.name == name)


def test_without_an_infusion_day_there_is_no_calendar(catalogue: Catalogue, facts_of: FactsOf) -> None:
    assert calendar_of(facts_of({}), catalogue.known) is None
    assert calendar_of(facts_of({"moment": "chart"}), catalogue.known) is None


def test_an_infusion_that_is_still_ahead_has_no_calendar(catalogue: Catalogue, child_on: ChildOn) -> None:
    facts = child_on(5)
    ahead = replace(facts, exposures=tuple(replace(e, given=replace(e.given, day=day(6))) for e in facts.exposures))
    assert calendar_of(ahead, catalogue.known) is None
    assert follows_infusion(ahead, catalogue.known)


def test_the_calendar_is_computed_once_for_a_child_and_a_set_of_numbers(
    catalogue: Catalogue, child_on: ChildOn
) -> None:
    facts = child_on(5)
    assert calendar_of(facts, catalogue.known) is calendar_of(facts, catalogue.known)
    again = replace(catalogue.known)
    assert calendar_of(facts, again) is not None


def test_results_of_the_record_fill_the_calendar(catalogue: Catalogue, child_on: ChildOn) -> None:
    found = calendar(child_on(11, panels=panels(7, inr="none"), counts=counts(8)), catalogue)
    week = found.of(Series.LIVER)[0]
    assert (week.missing, week.status) == (("inr",), SlotStatus.OVERDUE)
    assert status_of(found, "W1", Series.PLATELETS) is SlotStatus.DONE


@pytest.mark.parametrize(
    "words",
    [
        {"status": "preliminary"},
        {"status": "registered"},
        {"alt": {"string": "hemolyzed"}},
        {"alt": {"absent": "unknown"}},
        {"alt": "none"},
    ],
)
def test_what_says_no_number_or_is_not_final_fills_nothing(catalogue: Catalogue, child_on: ChildOn, words: Any) -> None:
    found = calendar(child_on(8, panels=[{"on": iso(7), **words}]), catalogue)
    assert "alt" in found.of(Series.LIVER)[0].missing
    assert status_of(found, "W1") is SlotStatus.DUE


def test_two_results_of_one_time_that_contradict_each_other_fill_nothing(
    catalogue: Catalogue, child_on: ChildOn
) -> None:
    twice = [*panels(7), {"on": iso(7), "alt": "90 U/L", **dict.fromkeys(("ast", "total_bilirubin"), "none")}]
    week = calendar(child_on(8, panels=twice), catalogue).of(Series.LIVER)[0]
    assert week.missing == ("alt",)


def test_what_was_measured_before_the_infusion_fills_nothing(catalogue: Catalogue, child_on: ChildOn) -> None:
    found = calendar(child_on(8), catalogue)
    assert (found.last_panel, found.last_count) == (None, None)
    assert found.of(Series.LIVER)[0].present == ()


def test_half_a_course_and_a_restart_keep_every_week(catalogue: Catalogue, child_on: ChildOn) -> None:
    """Stopped on D+20, given again from D+40: the weeks between are asked for all the same."""
    halves = [{"start": iso(-1), "end": iso(20), "dose": "3.2 mg"}, {"start": iso(40), "end": "none", "dose": "3.2 mg"}]
    for today in (38, 41):
        found = calendar(child_on(today, steroids=halves, panels=panels(7, 14, 21, 28)), catalogue)
        assert status_of(found, "W5") is SlotStatus.OVERDUE


def test_no_corticosteroid_at_all_is_watched_as_long_as_the_labels_course(
    catalogue: Catalogue, child_on: ChildOn
) -> None:
    found = calendar(child_on(10, steroids=[]), catalogue)
    assert [number_of(slot.target) for slot in found.of(Series.LIVER)] == [*WEEKS, *EVERY_OTHER, THREE_MONTHS]


def test_of_two_recorded_days_the_first_counts_and_the_second_ends(catalogue: Catalogue, child_on: ChildOn) -> None:
    facts = child_on(10)
    (first,) = facts.exposures
    second = replace(first, given=replace(first.given, day=day(1)))
    found = calendar(replace(facts, exposures=(second, first)), catalogue)
    assert found.infusion == INFUSED
    assert found.three_months == add_months(day(1), 3)


# --- what is booked

WHOLE_PANEL = [{"code": code} for code in ("24325-3", "5902-2", "6301-6")]


def test_orders_that_together_bring_all_five_tests_book_a_week(catalogue: Catalogue, child_on: ChildOn) -> None:
    wanted = [{"wanted": iso(14), **order} for order in WHOLE_PANEL]
    found = calendar(child_on(12, panels=panels(7), requests=wanted), catalogue)
    assert status_of(found, "W2") is SlotStatus.BOOKED
    assert status_of(calendar(child_on(12, panels=panels(7), requests=wanted[:2]), catalogue), "W2") is SlotStatus.DUE


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, SlotStatus.BOOKED),
        ({"days_ago": 7}, SlotStatus.BOOKED),
        ({"days_ago": 8}, SlotStatus.DUE),
        ({"status": "revoked"}, SlotStatus.DUE),
        ({"status": "draft"}, SlotStatus.DUE),
        ({"wanted": iso(17)}, SlotStatus.BOOKED),
        ({"wanted": iso(18)}, SlotStatus.DUE),
        ({"wanted": "2026-02"}, SlotStatus.DUE),
    ],
)
def test_an_order_without_a_day_is_awaited_now(
    catalogue: Catalogue, child_on: ChildOn, words: Any, expected: SlotStatus
) -> None:
    wanted = [{**order, **words} for order in WHOLE_PANEL]
    found = calendar(child_on(12, panels=panels(7), requests=wanted), catalogue)
    assert status_of(found, "W2") is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"for": "visit"}, SlotStatus.BOOKED),
        ({"for": "visit", "status": "cancelled"}, SlotStatus.DUE),
        ({"for": "vaccination"}, SlotStatus.DUE),
        ({"for": "visit", "start": "none"}, SlotStatus.DUE),
        ({"for": "visit", "start": f"{iso(18)}T09:00:00Z"}, SlotStatus.DUE),
    ],
)
def test_a_visit_books_the_tests_of_its_week(
    catalogue: Catalogue, child_on: ChildOn, words: Any, expected: SlotStatus
) -> None:
    visit = {"start": f"{iso(14)}T09:00:00Z", **words}
    found = calendar(child_on(12, panels=panels(7), appointments=[visit]), catalogue)
    assert status_of(found, "W2") is expected
    assert status_of(found, "W2", Series.PLATELETS) is expected


def test_a_visit_that_is_only_proposed_books_nothing(catalogue: Catalogue, child_on: ChildOn) -> None:
    slot = {"for": "visit", "start": f"{iso(14)}T09:00:00Z"}
    facts = child_on(12, moment="booking", panels=panels(7), slots=[slot])
    assert any(found.is_proposed for found in facts.slots)
    assert status_of(calendar(facts, catalogue), "W2") is SlotStatus.DUE


# --- whether the follow-up still runs

ALL_PANELS = panels(*WEEKS, *EVERY_OTHER, THREE_MONTHS)
BACK = counts(42)


def test_without_the_product_nothing_is_followed(catalogue: Catalogue, facts_of: FactsOf) -> None:
    assert not follows_infusion(facts_of({"moment": "chart"}), catalogue.known)
    assert not follows_infusion(facts_of({}), catalogue.known)


@pytest.mark.parametrize(("number", "follows"), [(THREE_MONTHS + 14, True), (THREE_MONTHS + 15, False)])
def test_it_ends_so_long_after_the_last_panel(
    catalogue: Catalogue, child_on: ChildOn, number: int, follows: bool
) -> None:
    facts = child_on(number, panels=ALL_PANELS, counts=BACK)
    assert follows_infusion(facts, catalogue.known) is follows


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        # Abnormal, unproven, incomplete or too early a last panel; counts that are not back, or none after a month.
        ({"panels": [*ALL_PANELS[:-1], *panels(THREE_MONTHS, alt="80 U/L")]}, None),
        ({"panels": [*ALL_PANELS[:-1], *panels(THREE_MONTHS, inr="none")]}, None),
        ({"panels": [*ALL_PANELS[:-1], *panels(THREE_MONTHS - 1)]}, None),
        ({"panels": ALL_PANELS[:-1]}, None),
        ({"counts": counts(28)}, None),
        ({"counts": counts(42, platelets="149 10*3/uL")}, None),
        ({"counts": counts(42, platelets="150 10*3/uL")}, THREE_MONTHS),
        # What came later counts from its own day.
        ({"panels": [*ALL_PANELS[:-1], *panels(100)]}, 100),
        ({"counts": counts(110)}, 110),
    ],
)
def test_what_keeps_it_open(catalogue: Catalogue, child_on: ChildOn, changes: Any, last: int | None) -> None:
    given = {"panels": ALL_PANELS, "counts": BACK} | changes
    end = number_of(date(2026, 8, 2)) if last is None else last + 14
    assert follows_infusion(child_on(end, **given), catalogue.known)
    assert not follows_infusion(child_on(end + 1, **given), catalogue.known)


def test_at_six_months_it_ends_whatever_is_missing(catalogue: Catalogue, child_on: ChildOn) -> None:
    assert follows_infusion(child_on(number_of(date(2026, 8, 2))), catalogue.known)
    assert not follows_infusion(child_on(number_of(date(2026, 8, 3))), catalogue.known)


@pytest.mark.parametrize("number", [THREE_MONTHS + 15, number_of(date(2026, 8, 3)), number_of(date(2027, 2, 2))])
def test_a_running_corticosteroid_keeps_it_open(catalogue: Catalogue, child_on: ChildOn, number: int) -> None:
    tests = {"panels": [*ALL_PANELS, *panels(number - 1)], "counts": BACK}
    running = [*STEROIDS, {"start": iso(80), "end": "none", "dose": "3.2 mg"}]
    assert follows_infusion(child_on(number, steroids=running, **tests), catalogue.known)
    assert not follows_infusion(child_on(number, **tests), catalogue.known)


@pytest.mark.parametrize("state", ["partial", "failed", "absent"])
def test_a_list_of_orders_that_did_not_all_come_does_not_keep_it_open(
    catalogue: Catalogue, child_on: ChildOn, state: str
) -> None:
    """Years later a child is not followed because nobody can rule out a corticosteroid; one that is seen is enough."""
    lists = {"medicationRequests": state}
    assert not follows_infusion(child_on(1000, lists=lists), catalogue.known)
    running = [{"start": iso(-1), "end": "none", "dose": "3.2 mg"}]
    assert follows_infusion(child_on(1000, lists=lists, steroids=running), catalogue.known) is (state == "partial")


def test_a_running_dose_that_nobody_can_tell_keeps_it_open(catalogue: Catalogue, child_on: ChildOn) -> None:
    words = {"start": iso(29), "end": iso(300), "dose": "none", "frequency": "none", "text": "wean per protocol"}
    assert follows_infusion(child_on(300, steroids=[STEROIDS[0], words]), catalogue.known)
    assert not follows_infusion(child_on(301, steroids=[STEROIDS[0], words]), catalogue.known)


def test_after_six_months_a_child_without_corticosteroid_is_not_followed(
    catalogue: Catalogue, child_on: ChildOn
) -> None:
    assert not follows_infusion(child_on(200, steroids=[]), catalogue.known)


def test_the_later_of_two_days_decides_on_the_six_months(catalogue: Catalogue, child_on: ChildOn) -> None:
    facts = child_on(number_of(date(2026, 8, 3)))
    (first,) = facts.exposures
    second = replace(first, given=replace(first.given, day=day(1)))
    assert follows_infusion(replace(facts, exposures=(first, second)), catalogue.known)


def test_a_dose_of_an_unknown_day_keeps_it_open(catalogue: Catalogue, child_on: ChildOn) -> None:
    facts = child_on(400)
    undated = Exposure(ExposureKind.POSSIBLE, NO_TIME, frozenset(), Evidence("Procedure/1", "dose"))
    assert follows_infusion(replace(facts, exposures=(*facts.exposures, undated)), catalogue.known)


def test_another_product_is_not_followed(catalogue: Catalogue, child_on: ChildOn) -> None:
    facts = child_on(10)
    other = replace(facts, exposures=tuple(replace(item, kind=ExposureKind.OTHER_PRODUCT) for item in facts.exposures))
    assert (follows_infusion(other, catalogue.known), given_days(other)) == (False, ())
    assert given_days(facts) == (INFUSED,)


# --- where the follow-up turns


def test_another_product_of_an_unknown_day_is_no_infusion(facts_of: FactsOf, catalogue: Catalogue) -> None:
    other = Exposure(ExposureKind.OTHER_PRODUCT, NO_TIME, frozenset(), Evidence("Procedure/1", "dose"))
    assert not follows_infusion(replace(facts_of({"moment": "chart"}), exposures=(other,)), catalogue.known)


@pytest.mark.parametrize(("when", "status"), [("2026-02-09", SlotStatus.BOOKED), ("2026-02-08", SlotStatus.DUE)])
def test_a_visit_of_today_is_still_ahead_and_one_of_yesterday_is_not(
    facts_of: FactsOf, catalogue: Catalogue, when: str, status: SlotStatus
) -> None:
    visit = {"for": "visit", "start": f"{when}T09:00:00Z"}
    facts = facts_of({"moment": "chart", "infused": "2026-02-02", "today": "2026-02-09", "appointments": [visit]})
    calendar = calendar_of(facts, catalogue.known)
    assert calendar is not None
    assert calendar.of(Series.LIVER)[0].status is status


# --- a calendar that hangs on what cannot be judged: the taper ends on day 56, and later tests count from a panel then

UNREAD = {"string": "twelve or so"}


@pytest.mark.hazard("H24")
@pytest.mark.parametrize(
    ("number", "prothrombin_time", "may_end_earlier"),
    [
        (56, {}, False),
        (56, UNREAD, True),
        (53, UNREAD, True),
        (52, UNREAD, False),
        # Of a day that is not known, so perhaps of the taper's end.
        (56, {**UNREAD, "when": "last week"}, True),
        (56, {"status": "preliminary"}, True),
        (56, {"range": "none"}, True),
        (56, {"value": "25.0 s"}, False),
        (56, {"value": "25.0 s", "status": "preliminary"}, False),
        (63, UNREAD, False),
    ],
)
def test_a_result_after_the_taper_that_cannot_be_judged_may_hide_that_a_test_is_due(
    catalogue: Catalogue, child_on: ChildOn, number: int, prothrombin_time: Any, may_end_earlier: bool
) -> None:
    others = [each for each in (*range(7, 50, 7), 56, 63) if each != number and (number >= 56 or each != 56)]
    given = [*panels(*others), {"on": iso(number), "prothrombin_time": prothrombin_time}]
    assert liver_tests_may_end_earlier(child_on(75, panels=given), catalogue.known) is may_end_earlier


def test_no_result_hides_anything_before_the_taper_has_ended(catalogue: Catalogue, child_on: ChildOn) -> None:
    given = [*panels(*range(7, 50, 7)), {"on": iso(55), "prothrombin_time": UNREAD}]
    assert not liver_tests_may_end_earlier(child_on(56, panels=given), catalogue.known)
    assert liver_tests_may_end_earlier(child_on(67, panels=given), catalogue.known)


def test_weekly_tests_without_an_end_in_sight_may_have_ended(catalogue: Catalogue, child_on: ChildOn) -> None:
    given = [*panels(*range(7, 50, 7)), {"on": iso(56), "prothrombin_time": UNREAD}]
    facts = child_on(67, panels=given)
    assert calendar(facts, catalogue).liver_ends is None
    assert liver_tests_may_end_earlier(facts, catalogue.known)
    # Where another test was not taken at all, the panel would not have ended them either.
    given[-1]["inr"] = "none"
    assert not liver_tests_may_end_earlier(child_on(67, panels=given), catalogue.known)


def test_without_a_calendar_nothing_hides(catalogue: Catalogue, facts_of: FactsOf) -> None:
    assert not liver_tests_may_end_earlier(facts_of({"moment": "chart"}), catalogue.known)
