"""The tests that the plan for home offers to order: all of the calendar ahead, each once, and none that is ordered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service.domain.answers import Answer, OrderMonitoring, cannot_check, fires, silent, unknown
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import PatientFacts
from cds_service.domain.medicines import VaccineOrder
from cds_service.domain.rules.discharge_and_long_term import adverse_event_report, discharge_plan
from cds_service.presentation import Catalogue

Given = Mapping[str, Any]
AT_HOME: Given = {"moment": "discharge", "infused": "2026-02-27"}
WHOLE = {"hepatic-panel", "pt-inr", "cbc"}
LIVER = {"hepatic-panel", "pt-inr"}
# Weekly to the end of the taper on 24 April, then every other week, and three months after the infusion.
WHOLE_CALENDAR = {
    "2026-03-06": WHOLE,
    "2026-03-13": WHOLE,
    "2026-03-20": WHOLE,
    "2026-03-27": WHOLE,
    "2026-04-03": LIVER,
    "2026-04-10": WHOLE,
    "2026-04-17": LIVER,
    "2026-04-24": WHOLE,
    "2026-05-08": WHOLE,
    "2026-05-22": WHOLE,
    "2026-05-27": WHOLE,
}


@pytest.fixture
def plan(facts_of: Callable[[Given], PatientFacts], catalogue: Catalogue) -> Callable[..., Answer]:
    def ask(**given: Any) -> Answer:
        return discharge_plan(facts_of({**AT_HOME, **given}), catalogue.known)

    return ask


def offered(answer: Answer) -> dict[str, set[str]]:
    """The offered tests by day; each must be there once, and all of them in one change."""
    (change,) = answer.changes
    assert isinstance(change, OrderMonitoring)
    assert len(set(change.tests)) == len(change.tests)
    assert all(test.is_follow_up for test in change.tests)
    days: dict[str, set[str]] = {}
    for test in change.tests:
        assert test.on is not None
        days.setdefault(test.on.isoformat(), set()).add(test.test)
    assert list(days) == sorted(days)
    return days


def test_all_of_the_calendar_is_offered_up_to_the_last_panel(plan: Callable[..., Answer]) -> None:
    assert offered(plan()) == WHOLE_CALENDAR


@pytest.mark.parametrize(("is_day_known", "shown"), [(True, "2026-04-13"), (False, "")])
def test_a_vaccine_whose_planned_day_is_not_known_is_no_plan(
    facts_of: Callable[[Given], PatientFacts], catalogue: Catalogue, is_day_known: bool, shown: str
) -> None:
    order = VaccineOrder("v1", "vaccine_mmr", date(2026, 4, 13), Evidence("ServiceRequest/v1", "MMR"), is_day_known)
    answer = discharge_plan(replace(facts_of(AT_HOME), vaccine_orders=(order,)), catalogue.known)
    assert str(answer.shown["vaccine_date"]) == shown
    assert ("vaccines" in str(answer.shown["not_visible"])) != is_day_known


def test_what_a_visit_brings_is_not_offered_again(plan: Callable[..., Answer]) -> None:
    days = offered(plan(appointments=[{"for": "visit", "start": "2026-03-14T09:00:00Z"}]))
    assert days == {day: tests for day, tests in WHOLE_CALENDAR.items() if day != "2026-03-13"}


def test_what_is_ordered_is_not_offered_again_and_the_rest_of_its_day_is(plan: Callable[..., Answer]) -> None:
    days = offered(plan(requests=[{"code": "24325-3", "wanted": "2026-03-06"}]))
    assert days == {**WHOLE_CALENDAR, "2026-03-06": {"pt-inr", "cbc"}}


@pytest.mark.parametrize(
    ("wanted", "slot"), [("2026-03-03", "2026-03-06"), ("2026-03-09", "2026-03-06"), ("2026-03-10", "2026-03-13")]
)
def test_an_order_belongs_to_the_slot_in_whose_days_it_is_wanted(
    plan: Callable[..., Answer], wanted: str, slot: str
) -> None:
    days = offered(plan(requests=[{"code": "24325-3", "wanted": wanted}]))
    assert days == {**WHOLE_CALENDAR, slot: {"pt-inr", "cbc"}}


@pytest.mark.hazard("H33")
def test_an_order_for_a_day_before_the_three_months_are_over_does_not_stand_for_the_last_panel(
    plan: Callable[..., Answer],
) -> None:
    """The last panel is due at the end of the three months or later; one of two days before is not it (5.1)."""
    days = offered(plan(requests=[{"code": "24325-3", "wanted": "2026-05-25"}]))
    assert days == {**WHOLE_CALENDAR, "2026-05-22": {"pt-inr", "cbc"}}


def test_a_single_test_of_a_panel_that_is_ordered_leaves_the_single_others(plan: Callable[..., Answer]) -> None:
    days = offered(plan(requests=[{"code": "1742-6", "wanted": "2026-03-06"}]))
    assert days["2026-03-06"] == {"ast", "total-bilirubin", "pt-inr", "cbc"}


def test_an_order_that_was_revoked_is_none(plan: Callable[..., Answer]) -> None:
    revoked = [{"code": "24325-3", "wanted": "2026-03-06", "status": "revoked"}]
    assert offered(plan(requests=revoked)) == WHOLE_CALENDAR


def test_only_the_missing_part_of_a_panel_is_offered_and_what_is_late_for_today(plan: Callable[..., Answer]) -> None:
    # Day 8: the first panel of yesterday lacks the INR, the first count was not done.
    days = offered(plan(infused="2026-02-22", panels=[{"on": "2026-03-01", "inr": "none"}]))
    assert days["2026-03-02"] == {"inr", "cbc"}
    assert days["2026-03-08"] == WHOLE


def test_several_overdue_panels_are_one_of_today(plan: Callable[..., Answer]) -> None:
    days = offered(plan(infused="2026-02-10", stay={"began": "2026-02-09"}))
    assert days["2026-03-02"] == WHOLE
    assert min(days) == "2026-03-02"


def test_an_order_without_a_day_is_awaited_now_and_not_offered_for_today(plan: Callable[..., Answer]) -> None:
    given = {"infused": "2026-02-22", "requests": [{"code": "24325-3"}]}
    assert offered(plan(**given))["2026-03-02"] == {"pt-inr", "cbc"}


def test_without_an_infusion_day_nothing_is_offered(
    facts_of: Callable[[Given], PatientFacts], catalogue: Catalogue
) -> None:
    answer = discharge_plan(facts_of({"moment": "discharge", "given_doses": [{"when": "none"}]}), catalogue.known)
    assert (answer.grade, answer.changes) == ("day-unknown", ())


# --- where a suspected adverse reaction is reported


@pytest.fixture
def report(facts_of: Callable[[Given], PatientFacts], catalogue: Catalogue) -> Callable[..., list[Answer]]:
    def ask(*answers: Answer) -> list[Answer]:
        given = facts_of({"moment": "chart", "infused": "2026-02-27"})
        return [a for a in adverse_event_report(given, answers, catalogue.known) if a.grade]

    return ask


def test_each_card_has_one_line_that_names_its_first_finding(report: Callable[..., list[Answer]]) -> None:
    told = report(
        fires("tumor").of("tumor-report"),
        fires("evaluate").of("tma-evaluate"),
        fires("consult").of("tma-consult"),
        fires("serious").of("liver-serious"),
        fires("reaction").of("infusion-reaction"),
        fires("benign").of("tumor-report"),
    )
    assert [(a.shown["topic"], a.shown["about"], a.shown["findings"]) for a in told] == [
        ("liver", "liver-serious", "liver-serious"),
        ("platelets", "tma-consult", "tma-consult, tma-evaluate"),
        ("infusion", "infusion-reaction", "infusion-reaction"),
        ("followup", "tumor-report", "tumor-report"),
    ]


def test_what_is_only_due_or_could_not_be_checked_is_not_reported(report: Callable[..., list[Answer]]) -> None:
    told = report(
        fires("due").of("liver-monitor-due"),
        cannot_check("platelets-unknown", "infusion-date").of("tma-evaluate"),
        unknown("infusion-date").of("tumor-report"),
        silent().of("liver-serious"),
        fires("low").of("platelet-low"),
    )
    assert told == []


@pytest.mark.parametrize(("count", "is_reported"), [("49.9 10*3/uL", True), ("50 10*3/uL", False), ("49 10*9/L", True)])
def test_a_low_count_is_reported_from_the_critical_limit_on(
    count: str, is_reported: bool, facts_of: Callable[[Given], PatientFacts], catalogue: Catalogue
) -> None:
    given = facts_of({"moment": "chart", "infused": "2026-02-27", "counts": [{"on": "2026-03-01", "platelets": count}]})
    newest = [item.evidence for item in given.lab_results if item.evidence.reference == "Observation/count-1-platelets"]
    told = adverse_event_report(given, (fires("low", newest).of("platelet-low"),), catalogue.known)
    assert [answer.shown.get("about") for answer in told] == ["platelet-low" if is_reported else None]
