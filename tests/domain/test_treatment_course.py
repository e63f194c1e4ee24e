"""One child's whole course: infusion, span, calendar days and their parts (rules 6; C8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from simulated_children import CHILDREN, MISSED, UNEVENTFUL, SimulatedChild, day

from cds_service.domain.calendar_days import CalendarDay, PartStatus
from cds_service.domain.facts import PatientFacts
from cds_service.domain.follow_up import body_waste_until, calendar_of
from cds_service.domain.treatment_course import InfusionState, TreatmentCourse, treatment_course
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
CourseOf = Callable[[Mapping[str, Any]], TreatmentCourse]


@pytest.fixture
def course_of(catalogue: Catalogue, facts_of: FactsOf) -> CourseOf:
    return lambda given: treatment_course(facts_of(given), catalogue.known)


def found(course: TreatmentCourse, name: str) -> CalendarDay:
    return next(item for item in course.days if item.name == name)


def statuses(course: TreatmentCourse, name: str) -> list[str]:
    return [part.status.value for part in found(course, name).parts]


# --- the infusion

GIVEN = {"moment": "chart", "infused": "2026-02-20"}


@pytest.mark.parametrize(
    ("given", "state", "infused", "number"),
    [
        (GIVEN, InfusionState.GIVEN, date(2026, 2, 20), 10),
        ({"moment": "chart", "given_doses": [{"status": "unknown", "when": "2026-02-20T10:00:00Z"}]},
         InfusionState.PRESUMED, date(2026, 2, 20), 10),
        ({"moment": "chart", "open_orders": [{"planned": "2026-03-03"}]}, InfusionState.PLANNED, date(2026, 3, 3), -1),
        ({"moment": "chart", "open_orders": [{"planned": "2026-02-27"}]}, InfusionState.PLANNED, date(2026, 2, 27), 3),
        ({"moment": "chart", "given_doses": [{"when": "2026-02"}]}, InfusionState.UNKNOWN, None, None),
        ({"moment": "chart", "given_doses": [{"when": "2026-02"}], "open_orders": [{"planned": "2026-03-03"}]},
         InfusionState.UNKNOWN, None, None),
        ({"moment": "chart"}, InfusionState.UNKNOWN, None, None),
    ],
)  # fmt: skip
def test_how_the_infusion_day_is_known(
    course_of: CourseOf, given: dict[str, Any], state: InfusionState, infused: date | None, number: int | None
) -> None:
    course = course_of(given)
    assert (course.infusion.state, course.infusion.day, course.day_number) == (state, infused, number)
    assert (course.calendar is None) is (state in (InfusionState.PLANNED, InfusionState.UNKNOWN))


def test_two_recorded_days_are_both_told(course_of: CourseOf) -> None:
    course = course_of({**GIVEN, "given_doses": [{"when": "2026-02-22T10:00:00Z", "id": "again"}]})
    assert (course.infusion.day, course.infusion.other_day) == (date(2026, 2, 20), date(2026, 2, 22))
    assert len(course.infusion.evidence) == 2


# --- the calendar

WORKED_EXAMPLE = {
    "W1": "2026-03-09", "W2": "2026-03-16", "W3": "2026-03-23", "W4": "2026-03-30", "W5": "2026-04-06",
    "W6": "2026-04-13", "W7": "2026-04-20", "W8": "2026-04-27", "O1": "2026-05-11", "O2": "2026-05-25",
    "M3": "2026-06-02",
}  # fmt: skip


def test_the_days_are_those_of_the_worked_example(course_of: CourseOf) -> None:
    course = course_of(UNEVENTFUL.on(12))
    assert {item.name: item.target.isoformat() for item in course.days if item.name[0] != "x"} == WORKED_EXAMPLE
    assert course.last_day == date(2026, 6, 16)


@pytest.mark.parametrize(
    ("number", "name", "expected"),
    [
        (10, "W2", ["future", "future"]),
        (11, "W2", ["due", "due"]),
        (14, "W2", ["done", "done"]),
        (10, "W5", ["future"]),
    ],
)
def test_a_part_has_the_status_of_its_slot(course_of: CourseOf, number: int, name: str, expected: list[str]) -> None:
    assert statuses(course_of(UNEVENTFUL.on(number)), name) == expected


@pytest.mark.parametrize(("number", "expected"), [(9, "due"), (10, "overdue"), (16, "overdue"), (24, "missed")])
def test_what_was_not_taken_is_overdue_and_missed_once_a_later_one_is_done(
    course_of: CourseOf, number: int, expected: str
) -> None:
    assert statuses(course_of(MISSED.on(number)), "W1") == [expected, expected]


def test_some_tests_of_a_panel_make_it_partial_and_the_rest_is_named(course_of: CourseOf) -> None:
    course = course_of({**UNEVENTFUL.on(14), "panels": [{"on": day(14).isoformat(), "inr": "none"}]})
    (liver, _) = found(course, "W2").parts
    assert (liver.status, liver.slot.missing) == (PartStatus.PARTIAL, ("inr",))


def test_an_overdue_panel_stays_overdue_although_a_part_of_it_is_there(course_of: CourseOf) -> None:
    panel = {"on": day(14).isoformat(), "inr": "none"}
    course = course_of({**UNEVENTFUL.on(17), "panels": [panel]})
    assert statuses(course, "W2")[0] == "overdue"


def test_what_is_ordered_for_its_window_is_booked(course_of: CourseOf) -> None:
    requests = [{"code": code, "wanted": day(14).isoformat()} for code in ("24325-3", "34528-0", "58410-2")]
    course = course_of({**UNEVENTFUL.on(12), "requests": requests})
    assert "booked" in statuses(course, "W2")


def test_an_extra_count_is_optional_and_never_overdue(course_of: CourseOf) -> None:
    course = course_of(UNEVENTFUL.on(60))
    assert statuses(course, "x1") == ["optional"]
    assert (found(course, "x1").basis, found(course, "x1").overdue_from) == ("policy", None)
    assert found(course, "W1").basis == "label"


def test_liver_and_platelets_of_one_day_are_two_parts_with_windows_of_their_own(course_of: CourseOf) -> None:
    item = found(course_of(UNEVENTFUL.on(30)), "W6")
    assert [(part.slot.opens, part.slot.closes) for part in item.parts] == [(day(39), day(45)), (day(37), day(47))]
    assert (item.opens, item.closes, item.overdue_from) == (day(37), day(47), day(45))


def test_two_days_never_share_a_name(course_of: CourseOf) -> None:
    for child in CHILDREN:
        for number in range(0, 121, 10):
            names = [item.name for item in course_of(child.on(number)).days]
            assert len(names) == len(set(names)), (child.name, number)


def test_a_last_count_on_another_day_than_the_last_panel_is_named_apart(course_of: CourseOf) -> None:
    course = course_of(CHILDREN[-1].on(30))
    assert {"M3", "M3-platelets"} <= {item.name for item in course.days}


def test_what_depends_on_the_course_says_so(course_of: CourseOf) -> None:
    course = course_of(UNEVENTFUL.on(12))
    assert [found(course, name).is_assumed for name in ("W4", "W5", "M3")] == [False, True, True]


# --- results that did not all come (ruling 16)

NOT_WHOLE = ("failed", "absent", "html", "partial", "odd-entry")


def with_observations(state: str, child: SimulatedChild, number: int, **words: Any) -> dict[str, Any]:
    return {**child.on(number), "lists": {"observations": state}, **words}


@pytest.mark.parametrize(("number", "name", "whole"), [(9, "W1", "due"), (10, "W1", "overdue"), (24, "W1", "missed")])
@pytest.mark.parametrize("state", ["partial", "odd-entry"])
def test_without_all_results_nobody_knows_whether_an_unseen_test_was_done(
    course_of: CourseOf, number: int, name: str, whole: str, state: str
) -> None:
    assert statuses(course_of(MISSED.on(number)), name) == [whole, whole]
    assert statuses(course_of(with_observations(state, MISSED, number)), name) == ["unknown", "unknown"]


@pytest.mark.parametrize("state", NOT_WHOLE)
def test_no_list_that_is_not_whole_calls_a_test_due_overdue_or_missed(course_of: CourseOf, state: str) -> None:
    for child in CHILDREN:
        for number in (5, 12, 24, 46, 90):
            course = course_of(with_observations(state, child, number))
            told = {part.status.value for item in course.days for part in item.parts}
            assert told <= {"future", "unknown", "done", "optional"}, (child.name, number)
            assert course.has_all_results is False


@pytest.mark.parametrize("state", ["failed", "absent"])
def test_without_any_results_what_has_its_time_is_unknown_and_what_lies_ahead_is_not(
    course_of: CourseOf, state: str
) -> None:
    course = course_of(with_observations(state, UNEVENTFUL, 12))
    assert [statuses(course, name) for name in ("W1", "W2", "W3")] == [["unknown"] * 2, ["unknown"] * 2, ["future"] * 2]
    assert statuses(course, "x1") == ["optional"]
    assert [part.is_past for part in found(course, "W1").parts] == [True, True]
    assert [part.is_ahead for name in ("W1", "W2", "W3") for part in found(course, name).parts] == [
        False, False, True, True, True, True,
    ]  # fmt: skip


def test_a_test_that_is_done_stays_done_although_more_results_may_exist(course_of: CourseOf) -> None:
    course = course_of(with_observations("partial", UNEVENTFUL, 12))
    assert (statuses(course, "W1"), statuses(course, "W2")) == (["done", "done"], ["unknown", "unknown"])


def test_a_booked_test_may_have_been_done_where_not_all_results_came(course_of: CourseOf) -> None:
    requests = [{"code": code, "wanted": day(14).isoformat()} for code in ("24325-3", "34528-0", "58410-2")]
    course = course_of(with_observations("partial", UNEVENTFUL, 12, requests=requests))
    assert statuses(course, "W2") == ["unknown", "unknown"]
    assert any(part.slot.booked for part in found(course, "W2").parts)


@pytest.mark.parametrize("number", [11, 12])
def test_a_panel_that_was_seen_in_part_may_be_whole(course_of: CourseOf, number: int) -> None:
    panel = {"on": day(11).isoformat(), "inr": "none"}
    given = {**UNEVENTFUL.on(number), "panels": [panel]}
    assert statuses(course_of(given), "W2")[0] == "partial"
    assert statuses(course_of({**given, "lists": {"observations": "partial"}}), "W2")[0] == "unknown"


@pytest.mark.parametrize("key", ["diagnosticReports", "serviceRequests", "medicationRequests"])
def test_other_lists_take_nothing_from_what_the_results_show(course_of: CourseOf, key: str) -> None:
    course = course_of({**MISSED.on(12), "lists": {key: "failed"}})
    assert (course.has_all_results, statuses(course, "W1")) == (True, ["overdue", "overdue"])


def test_an_extra_count_is_neither_past_nor_ahead(course_of: CourseOf) -> None:
    (part,) = found(course_of(UNEVENTFUL.on(1)), "x1").parts
    assert (part.is_past, part.is_ahead) == (False, False)


# --- whether the plan of the corticosteroid is known


@pytest.mark.parametrize(
    ("changes", "is_known"),
    [
        ({}, True),
        ({"steroids": []}, False),
        ({"steroids": [{"start": day(-1).isoformat(), "end": day(8).isoformat(), "dose": "3.2 mg"}]}, False),
        ({"steroids": [], "lists": {"medicationRequests": "failed"}}, False),
    ],
    ids=["ordered", "nothing ordered", "interrupted", "orders not there"],
)
def test_the_plan_is_known_where_a_corticosteroid_runs(
    course_of: CourseOf, changes: dict[str, Any], is_known: bool
) -> None:
    assert course_of({**UNEVENTFUL.on(12), **changes}).is_plan_known is is_known


def test_without_an_infusion_day_no_plan_is_known(course_of: CourseOf) -> None:
    assert course_of({"moment": "chart"}).is_plan_known is False


# --- the span


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.name)
def test_the_span_holds_every_day_that_is_told(course_of: CourseOf, child: SimulatedChild) -> None:
    for number in (0, 12, 30, 66, 120):
        course = course_of(child.on(number))
        days = [item.day for item in course.steroid.days] + [item.day for item in course.steroid.plan]
        days += [edge for item in course.days for edge in (item.opens, item.closes)]
        days += [span.last_day for span in course.steroid.phases]
        assert course.first_day <= min(days), number
        assert max(days) <= course.last_day, number


def test_results_of_long_ago_do_not_stretch_the_chart(course_of: CourseOf) -> None:
    old = {"moment": "chart", "infused": "2026-02-20", "labs": {"alt": [{"value": "20 U/L", "when": "2024-02-20"}]}}
    assert course_of(old).first_day == date(2026, 2, 18)


@pytest.mark.parametrize(("number", "is_over"), [(106, False), (107, True)])
def test_the_course_is_over_when_the_cards_fall_silent(course_of: CourseOf, number: int, is_over: bool) -> None:
    course = course_of(UNEVENTFUL.on(number))
    assert course.is_over is is_over
    assert {part.status.value for item in course.days for part in item.parts} <= {"done", "optional"}
    assert course.last_day == date(2026, 6, 16)


def test_years_later_nothing_is_overdue_and_the_chart_ends_with_the_course(course_of: CourseOf) -> None:
    course = course_of({"moment": "chart", "today": "2031-03-02", "infused": "2026-03-02"})
    assert (course.is_over, course.days) == (True, ())
    assert course.last_day == date(2026, 3, 30)
    assert course.steroid.days[-1].day <= course.last_day


def test_an_order_without_an_end_does_not_stretch_the_chart(course_of: CourseOf) -> None:
    endless = {**UNEVENTFUL.on(12), "steroids": [{"start": day(-1).isoformat(), "end": "none", "dose": "3.2 mg"}]}
    assert course_of(endless).last_day == date(2026, 6, 16)


def test_without_a_calendar_the_chart_holds_today(course_of: CourseOf) -> None:
    course = course_of({"moment": "chart", "labs": "none", "steroids": []})
    assert (course.first_day, course.last_day, course.days) == (date(2026, 3, 2), date(2026, 3, 2), ())


# --- the same as the cards


def test_the_calendar_is_that_of_the_cards(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of(UNEVENTFUL.on(30))
    course = treatment_course(facts, catalogue.known)
    assert course.calendar is calendar_of(facts, catalogue.known)


@pytest.mark.parametrize(("given", "until"), [(GIVEN, date(2026, 3, 20)), ({"moment": "chart"}, None)])
def test_body_waste_is_handled_with_care_for_a_month(
    catalogue: Catalogue, facts_of: FactsOf, given: dict[str, Any], until: date | None
) -> None:
    assert body_waste_until(facts_of(given), catalogue.known) == until


# --- what belongs to the infusion, and what the chart has to hold


def test_of_several_recorded_days_the_first_and_the_last_are_told(course_of: CourseOf) -> None:
    doses = [{"when": "2026-02-22T10:00:00Z", "id": "second"}, {"when": "2026-02-25T10:00:00Z", "id": "third"}]
    course = course_of({**GIVEN, "given_doses": doses})
    assert [item.reference for item in course.infusion.evidence] == [
        "MedicationAdministration/infusion",
        "MedicationAdministration/third",
    ]


def test_a_doubtful_record_of_the_same_day_takes_nothing_from_a_sure_one(course_of: CourseOf) -> None:
    doubtful = {"when": "2026-02-20T11:00:00Z", "status": "unknown", "id": "doubtful"}
    assert course_of({**GIVEN, "given_doses": [doubtful]}).infusion.state is InfusionState.GIVEN


PLANNED = {"moment": "chart", "open_orders": [{"planned": "2026-03-03"}]}


def test_a_dose_of_another_product_is_none_of_this_course(course_of: CourseOf) -> None:
    other = {"product": "itvisma", "when": "2026-02", "id": "other"}
    infusion = course_of({**PLANNED, "given_doses": [other]}).infusion
    assert (infusion.state, infusion.day, infusion.evidence) == (InfusionState.PLANNED, date(2026, 3, 3), ())


def test_a_dose_that_is_dated_ahead_is_none_of_an_unknown_day(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({**PLANNED, "given_doses": [{"when": "2026-03-02T08:00:00Z"}]})
    (dose,) = facts.exposures
    ahead = replace(dose, given=replace(dose.given, day=date(2026, 3, 3), instant=None, is_future=True))
    infusion = treatment_course(replace(facts, exposures=(ahead,)), catalogue.known).infusion
    assert (infusion.state, infusion.day) == (InfusionState.PLANNED, date(2026, 3, 3))


@pytest.mark.parametrize(("measured", "first"), [("2025-12-21", date(2025, 12, 21)), ("2025-12-20", date(2026, 2, 18))])
def test_results_of_sixty_days_before_the_course_are_on_the_chart(
    course_of: CourseOf, measured: str, first: date
) -> None:
    """The course begins on 19 February, the day before the infusion."""
    assert course_of({**GIVEN, "labs": {"alt": [{"value": "20 U/L", "when": measured}]}}).first_day == first


def test_a_day_of_which_one_part_was_done_stays_when_the_course_is_over(course_of: CourseOf) -> None:
    whole = UNEVENTFUL.on(120)
    counts = [item for item in whole["counts"] if item["on"] != "2026-03-16"]
    assert len(counts) == len(whole["counts"]) - 1
    course = course_of({**whole, "counts": counts})
    assert course.is_over
    assert "2026-03-16" in {item.target.isoformat() for item in course.days}


def test_a_day_is_overdue_from_its_first_part_that_can_be(course_of: CourseOf) -> None:
    """A part that is only offered is never overdue, and takes nothing from the other one."""
    joint = found(course_of(UNEVENTFUL.on(5)), "W1")
    liver, platelets = joint.parts
    offered = replace(liver, slot=replace(liver.slot, overdue_from=None))
    assert replace(joint, parts=(offered, platelets)).overdue_from == platelets.slot.overdue_from
    assert replace(joint, parts=(offered,)).overdue_from is None
