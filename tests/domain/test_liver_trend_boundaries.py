"""The trend of a liver test where it turns: what came before, what is lower, which lines are shown (4G, C3, C6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from domain_values import D, a_result, at, limits

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import newest_panel, without_conflicts
from cds_service.domain.liver_trend import (
    Trend,
    newly_above_limit,
    trend_lines,
    trend_of,
    worsening_of,
    worst_of,
)
from cds_service.domain.results import LabResult
from cds_service.domain.steroid_states import course_status
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TrendOf = Callable[..., Trend]
CHILD: dict[str, Any] = {"moment": "chart", "infused": "2026-02-02", "labs": "none"}
PRELIMINARY = Standing.PROVISIONAL


@pytest.fixture(scope="module")
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


@pytest.fixture
def trend(facts_of: FactsOf, known: Known) -> TrendOf:
    """The trend of these results in a child infused on 2026-02-02."""

    def of(*results: LabResult) -> Trend:
        return trend_of(results[0].analyte, replace(facts_of(CHILD), lab_results=results), known)

    return of


def lab(
    day: str, value: str, *, high: str = "40", hour: str = "08:00", analyte: str = "alt", **other: Any
) -> LabResult:
    comparator = value[0] if value[0] in "<>" else ""
    number = value.removeprefix(comparator)
    amount = Interval.of(comparator, D(number))
    own = limits(number, high, "0", comparator)
    return a_result(
        at(day, hour), analyte=analyte, written=f"{day} {hour} {value} of {high}", own=own, amount=amount, **other
    )


def inr(day: str, value: str) -> LabResult:
    return lab(day, value, high="1.1", analyte="inr")


def worse(found: Trend, known: Known) -> tuple[str, str, bool] | None:
    """The value that is worse, the multiple it reaches for the first time, and whether it rose by the ratio."""
    worsening = worsening_of(found, known)
    return worsening and (worsening.result.written.split()[2], str(worsening.crossed or ""), worsening.has_risen)


# --- what came before


@pytest.mark.parametrize(
    ("measured", "is_later"),
    [
        (at("2026-02-16", "07:59"), False),
        (at("2026-02-16", "08:00"), False),
        (at("2026-02-16", "08:01"), True),
        # Without an hour the day decides.
        (at("2026-02-16"), False),
        (at("2026-02-17"), True),
        (at("2026-02-15"), False),
    ],
)
def test_a_result_came_before_another_by_its_hour_or_else_by_its_day(
    trend: TrendOf, measured: ClinicalTime, is_later: bool
) -> None:
    sure = lab("2026-02-16", "30")
    doubtful = replace(lab("2026-02-16", "50", standing=PRELIMINARY), measured=measured)
    assert trend(sure, doubtful).before(doubtful) == (((sure,),) if is_later else ())


def test_a_preliminary_result_is_in_no_conflict_with_the_final_one(trend: TrendOf) -> None:
    final, early = lab("2026-02-16", "30"), lab("2026-02-16", "90", standing=PRELIMINARY)
    found = trend(final, early)
    assert (found.newest.accepted, found.conflicting) == ((final,), ())


@pytest.mark.hazard("H21")
def test_two_results_around_midnight_are_of_one_time(trend: TrendOf) -> None:
    """H21."""
    late, early = lab("2026-02-15", "70", hour="23:58"), lab("2026-02-16", "30", hour="00:02")
    found = trend(lab("2026-02-09", "20"), late, early)
    assert len(found.conflicting) == 2
    assert [item.written.split()[2] for item in found.newest.accepted] == ["20"]


def test_a_conflict_that_is_over_is_told_no_more(trend: TrendOf) -> None:
    found = trend(lab("2026-02-09", "70"), lab("2026-02-09", "30"), lab("2026-02-16", "30"))
    assert (found.conflicting, found.unclear) == ((), ())


def test_the_same_amount_in_two_units_is_no_conflict(trend: TrendOf) -> None:
    one = lab("2026-02-16", "1.0", high="1.0", analyte="total_bilirubin")
    other = replace(one, limits=limits("17.1", "17.1"), number=Interval.exactly(D("17.1")), written="17.1 umol/L")
    assert trend(one, other).conflicting == ()


def test_what_says_nothing_stands_in_no_trend(trend: TrendOf) -> None:
    told, error = lab("2026-02-16", "30"), lab("2026-02-17", "90", standing=Standing.NO_INFORMATION)
    assert trend(told, error).every == (told,)


# --- worse


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # PT and INR: above their own limit, and 1.5 times the one before.
        ((("2026-02-09", "0.8"), ("2026-02-16", "1.2")), ("1.2", "", True)),
        ((("2026-02-09", "0.8"), ("2026-02-16", "1.19")), None),
        ((("2026-02-09", "0.7"), ("2026-02-16", "1.1")), None),
        ((("2026-02-09", "0.7"), ("2026-02-16", "1.11")), ("1.11", "", True)),
        # Below 1.1 says nothing of how much lower the one between was.
        ((("2026-02-09", "0.7"), ("2026-02-16", "<1.1"), ("2026-02-23", "1.2")), ("1.2", "", True)),
    ],
)
def test_a_clotting_time_is_worse_above_its_limit_and_by_half_more(
    trend: TrendOf, known: Known, values: tuple[tuple[str, str], ...], expected: tuple[str, str, bool] | None
) -> None:
    assert worse(trend(*(inr(day, value) for day, value in values)), known) == expected


def test_of_two_worse_results_the_higher_one_is_told(trend: TrendOf, known: Known) -> None:
    for first, second in (("100", "200"), ("200", "100")):
        early = lab("2026-02-16", second, hour="09:00", standing=PRELIMINARY)
        assert worse(trend(lab("2026-02-09", "20"), lab("2026-02-16", first), early), known) == ("200", "3", True)


def test_a_multiple_that_an_older_result_reached_is_not_reached_for_the_first_time(
    trend: TrendOf, known: Known
) -> None:
    series = [lab("2026-02-04", "90"), lab("2026-02-09", "20"), lab("2026-02-16", "100"), lab("2026-02-23", "100")]
    assert worse(trend(*series), known) == ("100", "", True)


def test_a_result_below_a_lower_bound_is_surely_lower(trend: TrendOf, known: Known) -> None:
    before = [lab("2026-02-09", "20"), lab("2026-02-16", ">100")]
    assert worse(trend(*before, lab("2026-02-23", "100")), known) is None
    assert worse(trend(*before, lab("2026-02-23", "101")), known) == ("101", "2", True)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        # 2.25 and 1.8 times the limit: not both reach two times.
        ((("90", "40"), ("90", "50")), "81", ("81", "2", False)),
        # 2.25 and 0.9 times: 1.5 times one of them.
        ((("90", "40"), ("90", "100")), "81", ("81", "2", True)),
        # 3.25 and 3.002 times: not lower than both of them, so the one before them counts.
        ((("130", "40"), ("130", "43.3")), "124", ("124", "3", True)),
        ((("130", "40"), ("130", "43.3")), "120", None),
    ],
)
def test_one_sample_with_two_limits_is_held_against_both(
    trend: TrendOf, known: Known, before: tuple[tuple[str, str], ...], now: str, expected: tuple[str, str, bool] | None
) -> None:
    one_sample = [lab("2026-02-16", value, high=high) for value, high in before]
    assert worse(trend(lab("2026-02-09", "20"), *one_sample, lab("2026-02-23", now)), known) == expected


def test_the_worst_is_the_highest_against_its_own_limit() -> None:
    high, low = lab("2026-02-09", "90"), lab("2026-02-16", "80")
    assert worst_of([high, low]) == worst_of([low, high]) == high
    # A bound from above may be anything: the number is worse.
    exact, bound = lab("2026-02-09", "20"), lab("2026-02-16", "<30")
    assert worst_of([bound, exact]) == exact


def test_above_the_limit_for_the_first_time_also_in_a_preliminary_result(trend: TrendOf) -> None:
    final, early = lab("2026-02-16", "40"), lab("2026-02-16", "45", hour="09:00", standing=PRELIMINARY)
    found = newly_above_limit(trend(final, early))
    assert found is not None
    assert found.written == early.written


def test_a_sample_above_only_one_of_its_limits_was_not_surely_above(trend: TrendOf) -> None:
    before = [lab("2026-02-09", "41"), lab("2026-02-09", "41", high="50")]
    now = lab("2026-02-16", "45")
    assert newly_above_limit(trend(*before, now)) == now
    assert newly_above_limit(trend(before[0], now)) is None


# --- for showing


def test_the_last_eight_results_are_shown_oldest_first(trend: TrendOf, facts_of: FactsOf, known: Known) -> None:
    results = [lab(f"2026-02-{day:02}", str(day)) for day in range(5, 15)]
    lines = trend_lines(trend(*reversed(results)), facts_of(CHILD), known, None).split("; ")
    assert [line.split()[2] for line in lines] == [str(day) for day in range(7, 15)]
    assert not any(", ," in line for line in lines)


def test_a_line_counts_the_days_of_the_corticosteroid_and_of_the_taper_from_one(
    facts_of: FactsOf, known: Known, trend: TrendOf
) -> None:
    """The course began on 2026-02-03, a day late; the reduced dose on 2026-03-05, without a readable dose after it."""
    steroids = [
        {"start": "2026-02-03", "end": "2026-03-04"},
        {"dose": "1.6 mg", "start": "2026-03-05", "end": "2026-04-01"},
    ]
    facts = facts_of({**CHILD, "today": "2026-03-07", "steroids": steroids})
    shown = trend(*(lab(day, "20") for day in ("2026-02-02", "2026-02-03", "2026-03-04", "2026-03-05", "2026-03-06")))
    lines = trend_lines(shown, facts, known, course_status(facts, known)).split("; ")
    counted = [[part for part in line.split(", ") if "day" in part or part.endswith(" mg")] for line in lines]
    assert counted == [
        ["day 0"],
        ["day 1", "steroid day 1", "3.2 mg"],
        ["day 30", "steroid day 30", "3.2 mg"],
        ["day 31", "steroid day 31", "1.6 mg", "taper day 1"],
        ["day 32", "steroid day 32", "1.6 mg", "taper day 2"],
    ]


def test_a_day_with_a_corticosteroid_of_unknown_dose_is_counted(
    facts_of: FactsOf, known: Known, trend: TrendOf
) -> None:
    facts = facts_of({**CHILD, "steroids": [{"dose": "none", "text": "as directed"}]})
    line = trend_lines(trend(lab("2026-02-04", "20")), facts, known, course_status(facts, known))
    assert "steroid day 4" in line
    assert " mg" not in line


# --- one time


def test_the_same_amount_written_in_two_ways_is_no_conflict(facts_of: FactsOf, known: Known) -> None:
    one = lab("2026-02-16", "20")
    facts = replace(facts_of(CHILD), lab_results=(one, replace(one, written="20.0")))
    reading = newest_panel(facts, known).tests[0]
    assert (reading.analyte, reading.why) == ("alt", "")


@pytest.mark.parametrize(("hour", "is_kept"), [("07:54", True), ("07:55", False), ("08:05", False), ("08:06", True)])
def test_a_correction_replaces_what_was_reported_up_to_five_minutes_from_it(
    known: Known, hour: str, is_kept: bool
) -> None:
    first, corrected = lab("2026-02-16", "30", hour=hour), lab("2026-02-16", "90", is_correction=True)
    assert (first in without_conflicts([first, corrected], known)) is is_kept
    assert corrected in without_conflicts([first, corrected], known)
