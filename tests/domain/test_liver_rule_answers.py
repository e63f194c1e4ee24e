"""What the liver rules say on the days and doses where they turn (label 2.1, 5.1; clinical-rules 4G, 6.3)."""

from __future__ import annotations

from typing import Any

import pytest
from asked_rules import Ask, FactsOf, about, said
from domain_values import D, a_result, at, limits

from cds_service.domain.days import NO_TIME, ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.intervals import Interval
from cds_service.domain.results import LabResult
from cds_service.domain.rules.liver import _course_shown
from cds_service.presentation import Catalogue

FINE = [{"on": day} for day in ("2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23")]
# The first reduced dose on 2026-02-24, the day after the 30 days of an infusion on 2026-01-26.
TAPER: dict[str, Any] = {"moment": "chart", "infused": "2026-01-26"}
REDUCED = {"dose": "1.6 mg", "start": "2026-02-24", "end": "2026-03-23", "written": "2026-02-20"}
PANEL_BOOKED = [{"code": "24325-3", "wanted": "2026-03-03"}, {"code": "34528-0", "wanted": "2026-03-03"}]


# --- where the corticosteroid stands


@pytest.mark.parametrize(
    ("infused", "steroid", "expected"),
    [
        # The first dose is of today: day 1.
        ("2026-03-01", {"start": "2026-03-02"}, ("1", "3.2", "True")),
        ("2026-03-01", {"start": "2026-03-01"}, ("2", "3.2", "True")),
        # The first dose is of tomorrow: no day and no dose yet.
        ("2026-03-01", {"start": "2026-03-03"}, ("", "", "False")),
        # It is given, and nobody can tell how much.
        ("2026-02-27", {"dose": "none", "text": "as directed"}, ("5", "", "True")),
        # It ended yesterday.
        ("2026-02-02", {"end": "2026-03-01"}, ("", "", "False")),
    ],
)
def test_a_worse_result_shows_the_corticosteroid_of_the_day(
    ask: Ask, infused: str, steroid: dict[str, Any], expected: tuple[str, ...]
) -> None:
    panels = [{"on": "2026-03-02", "alt": "80 U/L"}]
    given = {"moment": "chart", "infused": infused, "steroids": [steroid], "panels": panels}
    worse = about(ask("liver-worsening", given), "alt")
    assert worse.grade == "worsening"
    assert said(worse, "steroid_day", "steroid_mg", "has_steroid") == expected


@pytest.mark.parametrize(
    ("starts", "taper_day", "before"), [("2026-03-02", "1", "20 U/L"), ("2026-03-01", "2", "20 U/L")]
)
def test_on_the_day_of_the_first_reduced_dose_the_result_of_that_day_is_not_the_one_before(
    ask: Ask, starts: str, taper_day: str, before: str
) -> None:
    full = {"end": "2026-02-28" if starts == "2026-03-01" else "2026-03-01"}
    reduced = {"dose": "1.6 mg", "start": starts, "end": "2026-03-29"}
    panels = [*FINE, {"on": "2026-03-02", "alt": "80 U/L"}]
    rise = about(ask("liver-rise-on-taper", {**TAPER, "steroids": [full, reduced], "panels": panels}), "alt")
    assert rise.grade == "rise"
    assert said(rise, "taper_day", "taper_from", "before_written", "before_date") == (
        taper_day, starts, before, "2026-02-23",
    )  # fmt: skip


@pytest.mark.parametrize(("onset", "grade"), [("2026-02-20", "rise"), ("2026-02-26", "rise-with-more")])
def test_symptoms_count_from_the_first_reduced_dose_on_however_late_it_came(ask: Ask, onset: str, grade: str) -> None:
    """The 30 days ended on 2026-02-16, the full dose went on to 2026-02-25."""
    given = {
        **TAPER,
        "infused": "2026-01-19",
        "steroids": [{"end": "2026-02-25"}, {**REDUCED, "start": "2026-02-26", "end": "2026-03-25"}],
        "panels": [*FINE, {"on": "2026-03-02", "alt": "80 U/L"}],
        "conditions": [{"code": "ICD10CM R11.10", "onset": onset}],
    }
    assert about(ask("liver-rise-on-taper", given), "alt").grade == grade


# --- a rise that was answered


def rise(ask: Ask, *, sampled: str, steroids: list[dict[str, Any]], requests: list[dict[str, Any]]) -> str:
    panels = [*FINE, {"on": sampled, "alt": "90 U/L"}]
    given = {**TAPER, "steroids": [{}, *steroids], "requests": requests, "panels": panels}
    return about(ask("liver-rise-on-taper", given), "alt").verdict.value


REDUCED_TO_FEBRUARY = {**REDUCED, "end": "2026-02-28", "status": "completed"}
RAISED = {"dose": "2.4 mg", "start": "2026-03-01", "end": "2026-04-20", "written": "2026-03-01"}


@pytest.mark.parametrize(
    ("steroids", "verdict"),
    [
        ([REDUCED_TO_FEBRUARY, RAISED], "silent"),
        ([REDUCED_TO_FEBRUARY, {**RAISED, "written": "2026-02-28"}], "silent"),
        # Ordered before the sample: nobody has answered it.
        ([REDUCED_TO_FEBRUARY, {**RAISED, "written": "2026-02-27"}], "fires"),
        ([REDUCED], "fires"),
        # The same dose, ordered anew.
        ([REDUCED_TO_FEBRUARY, {**RAISED, "dose": "1.6 mg"}], "silent"),
        ([REDUCED_TO_FEBRUARY, {**RAISED, "dose": "1.59 mg"}], "fires"),
        # The next panel is that of 2026-03-09: the dose may not fall before the day after it.
        ([REDUCED_TO_FEBRUARY, {**RAISED, "end": "2026-03-08"},
          {**RAISED, "dose": "0.8 mg", "start": "2026-03-09"}], "fires"),
        ([REDUCED_TO_FEBRUARY, {**RAISED, "end": "2026-03-09"},
          {**RAISED, "dose": "0.8 mg", "start": "2026-03-10"}], "silent"),
        # A dose that nobody can read ahead of the panel.
        ([REDUCED_TO_FEBRUARY, {**RAISED, "end": "2026-03-04"},
          {**RAISED, "dose": "none", "text": "wean", "start": "2026-03-05"}], "fires"),
    ],
)  # fmt: skip
def test_a_rise_is_answered_by_a_new_order_that_does_not_fall_before_the_next_panel(
    ask: Ask, steroids: list[dict[str, Any]], verdict: str
) -> None:
    assert rise(ask, sampled="2026-02-28", steroids=steroids, requests=PANEL_BOOKED) == verdict


def test_a_rise_of_today_is_answered_by_an_order_of_today(ask: Ask) -> None:
    held = {"dose": "1.6 mg", "start": "2026-03-02", "end": "2026-04-20", "written": "2026-03-02"}
    steroids = [{**REDUCED, "end": "2026-03-01"}, held]
    booked = [{**request, "wanted": "2026-03-05"} for request in PANEL_BOOKED]
    assert rise(ask, sampled="2026-03-02", steroids=steroids, requests=booked) == "silent"
    assert rise(ask, sampled="2026-03-02", steroids=steroids, requests=[]) == "fires"


# --- a serious injury


def times(analyte: str, value: str, high: str, measured: ClinicalTime, **other: Any) -> LabResult:
    number = Interval.exactly(D(value))
    return a_result(measured, analyte=analyte, written=value, own=limits(value, high), amount=number, **other)


@pytest.mark.parametrize(
    ("enzyme", "bilirubin", "since"),
    [
        (at("2026-02-16", "08:00"), at("2026-02-23", "08:00"), "2026-02-23"),
        (at("2026-02-23", "08:00"), at("2026-02-16", "08:00"), "2026-02-23"),
        (NO_TIME, at("2026-02-16", "08:00"), ""),
        (at("2026-02-16", "08:00"), NO_TIME, ""),
    ],
)
def test_two_results_make_a_pattern_since_the_later_of_them(
    ask: Ask, enzyme: ClinicalTime, bilirubin: ClinicalTime, since: str
) -> None:
    results = [
        times(name, value, high, when, standing=Standing.PROVISIONAL if when is NO_TIME else Standing.ACCEPTED)
        for name, value, high, when in (("alt", "200", "40", enzyme), ("total_bilirubin", "3", "1", bilirubin))
    ]
    serious = ask("liver-serious", {"moment": "chart", "infused": "2026-02-02"}, *results)
    assert [(answer.grade, *said(answer, "since_date")) for answer in serious] == [("bilirubin", since)]


@pytest.mark.parametrize(
    ("value", "high", "grade"),
    [("1000", None, "no-range"), ("999", None, "unknown"), ("1000", "51", "silent"), ("1000", "50", "enzymes")],
)
def test_only_an_enzyme_without_an_upper_limit_is_held_against_the_absolute_number(
    ask: Ask, value: str, high: str | None, grade: str
) -> None:
    own = limits(value, high) if high else None
    number = Interval.exactly(D(value))
    result = a_result(at("2026-02-23", "08:00"), written=value, own=own, number=number, amount=number)
    (answer,) = ask("liver-serious", {"moment": "chart", "infused": "2026-02-02"}, result)
    assert (answer.grade or answer.verdict.value) == grade


# --- what is overdue


@pytest.mark.parametrize("rule", ["liver-monitor-overdue", "platelet-monitor-overdue"])
def test_where_no_result_can_be_seen_one_answer_names_the_last_overdue_slot(ask: Ask, rule: str) -> None:
    """Infused on 2026-02-02; W1 to W3 are overdue on 2026-02-27, and the list of results did not all come."""
    given = {"moment": "chart", "infused": "2026-02-02", "today": "2026-02-27"}
    assert [said(answer, "slot") for answer in ask(rule, given)] == [("W1",), ("W2",), ("W3",)]
    cut = ask(rule, {**given, "lists": {"observations": "partial 2/9"}})
    assert [(answer.verdict.value, *said(answer, "slot")) for answer in cut] == [("unknown", "W3")]


@pytest.mark.hazard("H16")
@pytest.mark.parametrize(("value", "expected"), [("999", "unclassified"), ("1000", "")])
def test_an_enzyme_without_a_limit_is_unclear_unless_it_is_so_high_that_it_alarms(
    ask: Ask, value: str, expected: str
) -> None:
    """H16."""
    number = Interval.exactly(D(value))
    bare = a_result(at("2026-02-23", "08:00"), written=value, number=number, amount=number)
    answer = about(ask("liver-worsening", {"moment": "chart", "infused": "2026-02-02"}, bare), "alt")
    assert answer.grade == expected
    if expected:
        assert said(answer, "why", "result_written", "crossed", "infusion_date", "course_state") == (
            "no-range", "999", "", "2026-02-02", "decide",
        )  # fmt: skip


def test_where_the_orders_did_not_all_come_that_is_why_nobody_can_tell_of_a_taper(ask: Ask) -> None:
    given = {**TAPER, "steroids": [], "lists": {"medicationRequests": "partial 1/9"}}
    (answer,) = ask("liver-rise-on-taper", given)
    assert answer.verdict.value == "unknown"
    assert [str(getattr(item, "value", item)) for item in answer.missing] == ["medicationRequests"]


@pytest.mark.parametrize(
    ("missed", "taper_day"), [([], 8), ([{"when": "2026-03-02T08:00:00Z", "status": "not-done"}], "")]
)
def test_a_day_without_a_dose_is_no_day_of_the_taper(
    facts_of: FactsOf, catalogue: Catalogue, missed: list[Any], taper_day: object
) -> None:
    steroids = [{}, {"dose": "1.6 mg", "start": "2026-02-23", "end": "2026-03-22"}]
    facts = facts_of({"moment": "chart", "infused": "2026-01-25", "steroids": steroids, "steroid_doses": missed})
    shown = _course_shown(facts, catalogue.known)
    assert (shown["taper_day"], shown["has_steroid"]) == (taper_day, not missed)
