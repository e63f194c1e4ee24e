"""The liver follow-up from day to day: which slots, which samples and which signs count (label 2.1, 2.3, 5.1)."""

from __future__ import annotations

from typing import Any

import pytest
from asked_rules import Ask, about, said
from domain_values import D, a_result, at, limits

from cds_service.domain.answers import Answer, RequestTest
from cds_service.domain.evidence import Standing
from cds_service.domain.intervals import Interval
from cds_service.domain.results import LabResult

CHILD: dict[str, Any] = {"moment": "chart", "infused": "2026-02-02"}
DUE = ("liver-monitor-due", "platelet-monitor-due")
OVERDUE = ("liver-monitor-overdue", "platelet-monitor-overdue")
THREE_WEEKS = ("2026-02-09", "2026-02-16", "2026-02-23")
VOMITING = "ICD10CM R11.10"


def measured(*days: str) -> dict[str, Any]:
    """All liver tests and a platelet count on each of these days."""
    return {"panels": [{"on": day} for day in days], "counts": [{"on": day} for day in days]}


# --- before the day of the infusion


@pytest.mark.parametrize(
    "rule",
    ["liver-monitor-due", "liver-monitor-overdue", "liver-worsening", "liver-serious", "liver-consult-persist",
     "liver-rise-on-taper", "liver-acute-illness", "liver-extended-panel", "tma-consult", "tma-evaluate",
     "platelet-low", "platelet-not-at-baseline", "platelet-monitor-due", "platelet-monitor-overdue"],
)  # fmt: skip
def test_an_infusion_dated_ahead_has_no_follow_up_yet(ask: Ask, rule: str) -> None:
    answers = ask(rule, {**CHILD, "infused": "2026-03-09", "conditions": [{"code": VOMITING, "onset": "2026-03-01"}]})
    assert {answer.verdict.value for answer in answers} == {"silent"}


# --- a visit is booked


@pytest.mark.parametrize("rule", DUE)
@pytest.mark.parametrize(
    ("slots", "grade", "fitting", "others"),
    [
        # W4 is of 2026-03-02; its window is open from 2026-02-27 to 2026-03-05.
        (["2026-02-27"], "booking-fits", "2026-02-27", ""),
        (["2026-02-26"], "booking-misses", "", "2026-02-26"),
        (["2026-03-05", "2026-02-26"], "booking-fits", "2026-03-05", "2026-02-26"),
        (["2026-03-06"], "booking-misses", "", "2026-03-06"),
        # A visit without a day says nothing; the other one fits all the same.
        (["none", "2026-03-02"], "booking-fits", "2026-03-02", ""),
    ],
)
def test_a_proposed_day_fits_from_the_first_to_the_last_day_of_the_window(
    ask: Ask, rule: str, slots: list[str], grade: str, fitting: str, others: str
) -> None:
    visits = [{"for": "visit", "start": day if day == "none" else f"{day}T09:00:00Z"} for day in slots]
    given = {**CHILD, "moment": "booking", "today": "2026-02-25", **measured(*THREE_WEEKS), "slots": visits}
    (answer,) = [answer for answer in ask(rule, given) if answer.shown["slot"] == "W4"]
    assert (answer.grade, *said(answer, "fitting_dates", "other_dates")) == (grade, fitting, others)


@pytest.mark.parametrize("rule", DUE)
def test_only_a_visit_that_is_proposed_for_the_follow_up_fits(ask: Ask, rule: str) -> None:
    given = {
        **CHILD,
        "moment": "booking",
        "today": "2026-02-25",
        **measured(*THREE_WEEKS),
        "slots": [
            {"for": "vaccination", "start": "2026-03-02T09:00:00Z"},
            {"for": "visit", "start": "2026-03-20T09:00:00Z"},
        ],
        "appointments": [{"for": "visit", "start": "2026-02-25T09:00:00Z"}],
    }
    (answer,) = [answer for answer in ask(rule, given) if answer.shown["slot"] == "W4"]
    assert (answer.grade, *said(answer, "fitting_dates", "other_dates")) == ("booking-misses", "", "2026-03-20")


# --- what is overdue


@pytest.mark.parametrize(("late", "in_time"), [OVERDUE, OVERDUE[::-1]])
def test_too_long_since_a_count_says_nothing_of_the_liver_and_the_other_way_round(
    ask: Ask, late: str, in_time: str
) -> None:
    """Ten days since the one on 2026-02-13, seven since the other on 2026-02-16."""
    long_ago = [{"on": "2026-02-06"}, {"on": "2026-02-13"}]
    lately = [{"on": "2026-02-09"}, {"on": "2026-02-16"}]
    panels, counts = (long_ago, lately) if late == OVERDUE[0] else (lately, long_ago)
    given = {**CHILD, "today": "2026-02-23", "panels": panels, "counts": counts}
    (gap,) = ask(late, given)
    assert said(gap, "days_since", "allowed_days") == ("10", "10")
    assert [answer.verdict.value for answer in ask(in_time, given)] == ["silent"]


def test_weeks_without_an_enzyme_are_counted_only_in_a_row(ask: Ask) -> None:
    """W1 to W3 are overdue on 2026-02-26; in the second week ALT alone was measured."""
    only_alt = {"ast": "none", "total_bilirubin": "none", "prothrombin_time": "none", "inr": "none"}
    given = {**CHILD, "today": "2026-02-26", "panels": [{"on": "2026-02-16", **only_alt}]}
    answers = ask("liver-monitor-overdue", given)
    assert [(answer.grade, *said(answer, "slot", "missed_weeks")) for answer in answers] == [
        ("overdue", "W1", "1"), ("overdue", "W2", "0"), ("overdue", "W3", "1"),
    ]  # fmt: skip


def test_tests_of_every_other_week_are_no_missed_weeks(ask: Ask) -> None:
    """The taper ended on 2026-01-26; the panels of 2026-02-09 and 2026-02-23 did not come."""
    weekly = [f"2025-12-{day:02}" for day in (8, 15, 22, 29)] + [f"2026-01-{day:02}" for day in (5, 12, 19, 26)]
    given = {
        **CHILD,
        "infused": "2025-12-01",
        "steroids": [{}, {"dose": "1.6 mg", "start": "2025-12-30", "end": "2026-01-26"}],
        **measured(*weekly),
    }
    answers = ask("liver-monitor-overdue", given)
    assert [(answer.grade, *said(answer, "slot", "missed_weeks")) for answer in answers] == [
        ("overdue", "O1", "0"), ("overdue", "O2", "0"),
    ]  # fmt: skip


# --- still high after the 30 days


def alt(day: str, value: str, high: str = "40", **other: Any) -> LabResult:
    number = Interval.exactly(D(value))
    own = limits(value, high)
    return a_result(at(day, "08:00"), written=f"{day} {value} of {high}", own=own, amount=number, **other)


AFTER_30_DAYS: dict[str, Any] = {
    "moment": "chart", "infused": "2026-01-26", "today": "2026-03-06", "steroids": [{"end": "2026-03-30"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("results", "samples", "grade"),
    [
        ([alt("2026-02-23", "90"), alt("2026-03-05", "90")], "2", "persists-with-more"),
        # A lower one between them: only the newest counts.
        ([alt("2026-02-23", "90"), alt("2026-02-27", "70"), alt("2026-03-05", "90")], "1", "persists"),
        # Of two limits of one sample one is reached twice.
        ([alt("2026-02-27", "90"), alt("2026-02-27", "90", "50"), alt("2026-03-05", "90")], "2", "persists-with-more"),
        ([alt("2026-02-27", "79"), alt("2026-03-05", "80")], "1", "persists"),
    ],
)
def test_samples_at_two_times_the_limit_are_counted_back_to_the_first_lower_one(
    ask: Ask, results: list[LabResult], samples: str, grade: str
) -> None:
    answer = about(ask("liver-consult-persist", AFTER_30_DAYS, *results), "alt")
    assert (answer.grade, *said(answer, "samples")) == (grade, samples)


def test_a_bilirubin_that_is_raised_in_a_preliminary_result_stands_beside_it(ask: Ask) -> None:
    def bilirubin(hour: str, value: str, standing: Standing) -> LabResult:
        number = Interval.exactly(D(value))
        own, when = limits(value, "1.0"), at("2026-03-05", hour)
        return a_result(
            when, analyte="total_bilirubin", written=value, own=own, amount=number, standing=standing
        )  # fmt: skip

    beside = [bilirubin("08:00", "0.9", Standing.ACCEPTED), bilirubin("10:00", "1.1", Standing.PROVISIONAL)]
    answer = about(ask("liver-consult-persist", AFTER_30_DAYS, alt("2026-03-05", "90"), *beside), "alt")
    assert (answer.grade, *said(answer, "beside")) == ("persists-with-more", "total_bilirubin")


# --- signs of an illness


def test_each_sign_asks_for_what_was_not_measured_since_it_began(ask: Ask) -> None:
    """Since the first sign ALT was measured, since the second one nothing."""
    only_alt = {"ast": "none", "total_bilirubin": "none", "prothrombin_time": "none", "inr": "none"}
    given = {
        **CHILD,
        "panels": [{"on": "2026-02-16"}, {"on": "2026-02-22", **only_alt}],
        "conditions": [{"code": VOMITING, "onset": "2026-02-20"}, {"code": VOMITING, "onset": "2026-02-25"}],
    }
    (answer,) = ask("liver-acute-illness", given)
    assert said(answer, "analytes", "since_date") == (
        "alt, ast, total_bilirubin, prothrombin_time, inr", "2026-02-25",
    )  # fmt: skip
    first = {**given, "conditions": given["conditions"][:1]}
    assert said(ask("liver-acute-illness", first)[0], "analytes") == ("ast, total_bilirubin, prothrombin_time, inr",)


@pytest.mark.parametrize(("hour", "verdict"), [("07:59", "fires"), ("08:00", "silent"), ("08:01", "silent")])
def test_a_sample_of_the_minute_in_which_a_sign_began_answers_it(ask: Ask, hour: str, verdict: str) -> None:
    given = {
        **CHILD,
        "panels": [{"on": "2026-03-02", "at": hour}],
        "conditions": [{"code": VOMITING, "onset": "2026-03-02T08:00:00Z"}],
    }
    assert [answer.verdict.value for answer in ask("liver-acute-illness", given)] == [verdict]


def test_a_symptom_without_a_day_is_told_without_one(ask: Ask) -> None:
    given = {
        **CHILD,
        "panels": [{"on": "2026-02-23", "alt": "800 U/L"}],
        "conditions": [{"code": VOMITING, "text": "Vomiting", "clinical": "none", "verification": "none"}],
    }
    serious = next(answer for answer in ask("liver-serious", given) if answer.verdict.value == "fires")
    assert said(serious, "symptoms") == ("Vomiting",)


# --- further tests


def offered(answer: Answer) -> set[str]:
    return {change.test for change in answer.changes if isinstance(change, RequestTest)}


@pytest.mark.parametrize(("sampled", "is_offered"), [("2026-02-22", True), ("2026-02-23", False)])
def test_a_further_test_of_the_day_of_a_worse_result_is_not_asked_for_again(
    ask: Ask, sampled: str, is_offered: bool
) -> None:
    further = {"albumin": "4.0 g/dL", "partial_thromboplastin_time": "30 s"}
    alone = {"ast": "none", "total_bilirubin": "none", "prothrombin_time": "none", "inr": "none", "alt": "none"}
    panels = [{"on": "2026-02-16"}, {"on": sampled, **alone, **further}, {"on": "2026-02-23", "alt": "100 U/L"}]
    worse = about(ask("liver-worsening", {**CHILD, "panels": panels}), "alt")
    assert worse.grade == "worsening"
    assert ("aptt" in offered(worse)) is is_offered


def test_further_tests_are_those_since_the_last_of_the_suspicions(ask: Ask) -> None:
    """ALT got worse on 2026-02-23, the vomiting began on 2026-02-25; albumin lies between them."""
    alone = {"ast": "none", "total_bilirubin": "none", "prothrombin_time": "none", "inr": "none", "alt": "none"}
    given = {
        **CHILD,
        "panels": [{"on": "2026-02-23", "alt": "100 U/L"}, {"on": "2026-02-24", **alone, "albumin": "4.0 g/dL"}],
        "conditions": [{"code": VOMITING, "onset": "2026-02-25"}],
    }
    (answer,) = ask("liver-extended-panel", given)
    assert said(answer, "since_date", "analytes") == ("2026-02-25", "albumin, partial_thromboplastin_time, inr")
