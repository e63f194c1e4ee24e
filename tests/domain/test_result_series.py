"""Results in the order of time: what is drawn, what counts, and why the rest is not known (rules C3 to C6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cds_service.domain.facts import PatientFacts
from cds_service.domain.result_series import HINDRANCES, Reading, ResultSeries, Scale, SeriesPoint, result_series
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
SeriesOf = Callable[..., list[ResultSeries]]
CHILD = {"moment": "chart", "today": "2026-03-14", "infused": "2026-03-02"}


@pytest.fixture
def series_of(catalogue: Catalogue, facts_of: FactsOf) -> SeriesOf:
    """The series of one test, of a child twelve days after the infusion with these results of it."""

    def series(analyte: str, *results: Any, **given: Any) -> list[ResultSeries]:
        facts = facts_of({**CHILD, "labs": {analyte: list(results)}, **given})
        return [item for item in result_series(facts, catalogue.known) if item.analyte == analyte]

    return series


@pytest.fixture
def point_of(series_of: SeriesOf) -> Callable[..., SeriesPoint]:
    """The point that one result makes."""

    def point(analyte: str, result: Any) -> SeriesPoint:
        (found,) = series_of(analyte, result)[0].points
        return found

    return point


PointOf = Callable[..., SeriesPoint]


def test_liver_tests_are_multiples_and_all_others_values(catalogue: Catalogue, facts_of: FactsOf) -> None:
    scales = {item.analyte: item.scale for item in result_series(facts_of(CHILD), catalogue.known)}
    assert scales == {
        **dict.fromkeys(("alt", "ast", "total_bilirubin", "prothrombin_time", "inr"), Scale.TIMES_ULN),
        **dict.fromkeys(("albumin", "platelets", "hemoglobin", "troponin_i"), Scale.VALUE),
    }


def test_a_test_without_a_result_is_an_empty_series(series_of: SeriesOf) -> None:
    (series,) = series_of("troponin_i")
    assert (series.points, series.test) == ((), "")


def test_results_stand_in_the_order_of_time_with_their_day(series_of: SeriesOf) -> None:
    days = ("2026-03-09T08:00:00Z", "2026-02-28T08:00:00Z", "2026-03-09T07:00:00Z", "2026-03-02T08:00:00Z")
    (series,) = series_of("alt", *({"value": f"{n}0 U/L", "when": when} for n, when in enumerate(days, start=1)))
    assert [(point.value, point.day_number) for point in series.points] == [("20", -2), ("40", 0), ("30", 7), ("10", 7)]


def test_a_result_of_an_unknown_day_comes_last_and_has_no_day_number(series_of: SeriesOf) -> None:
    (series,) = series_of("alt", {"value": "50 U/L", "when": "2026-03"}, {"value": "20 U/L", "days_ago": 1})
    assert [(point.value, point.day_number, point.why) for point in series.points] == [
        ("20", 11, ""),
        ("50", None, "time"),
    ]


def test_without_an_infusion_day_no_day_is_counted(catalogue: Catalogue, facts_of: FactsOf) -> None:
    alt = result_series(facts_of({"moment": "chart"}), catalogue.known)[0]
    assert [point.day_number for point in alt.points] == [None]


@pytest.mark.parametrize(
    ("value", "times", "comparator"),
    [
        ("80 U/L", "2.00", ""),
        ("79.9 U/L", "1.998", ""),
        ("80.1 U/L", "2.003", ""),
        ("35 U/L", "0.88", ""),
        ("<5 U/L", "0.13", "<"),
        ("<=5 U/L", "0.13", "<="),
        (">1000 U/L", "25.00", ">"),
        (">=1000 U/L", "25.00", ">="),
    ],
)
def test_a_multiple_stands_on_its_side_of_a_limit_and_keeps_its_comparator(
    point_of: PointOf, value: str, times: str, comparator: str
) -> None:
    point = point_of("alt", {"value": value})
    assert (point.times_uln, point.comparator, point.is_known) == (times, comparator, True)
    assert point.value == value.lstrip("<>=").removesuffix(" U/L")
    assert point.high == "40"


def test_value_and_limits_are_in_the_tests_own_unit(point_of: PointOf) -> None:
    point = point_of("total_bilirubin", {"value": "0.4 mg/dL"})
    assert (point.value, point.low, point.high, point.times_uln) == ("6.842", "1.710", "17.10", "0.40")


def test_a_zero_cannot_carry_its_limits_into_another_unit(point_of: PointOf) -> None:
    point = point_of("total_bilirubin", {"value": "0 mg/dL"})
    assert (point.why, point.is_known, point.high) == ("zero", False, "")


def test_troponin_in_another_unit_is_the_same_value(point_of: PointOf) -> None:
    assert [point_of("troponin_i", {"value": v}).value for v in ("176 ng/L", "0.176 ng/mL", "0.177 ug/L")] == [
        "0.176",
        "0.176",
        "0.177",
    ]


def test_a_limit_that_is_not_stated_is_not_told(point_of: PointOf) -> None:
    assert (point_of("alt", {"value": "30 U/L", "range": ["none", "40"]}).low) == ""


def test_troponin_of_different_names_stands_in_different_series(series_of: SeriesOf) -> None:
    found = series_of(
        "troponin_i",
        {"value": "0.02 ng/mL", "display": "Troponin I", "days_ago": 2},
        {"value": "12 ng/L", "display": "Troponin I, high sensitivity", "days_ago": 1},
    )
    assert [(series.test, [point.value for point in series.points]) for series in found] == [
        ("Troponin I", ["0.02"]),
        ("Troponin I, high sensitivity", ["0.012"]),
    ]


# --- what is not known, and what proves nothing


@pytest.mark.parametrize(
    ("analyte", "result", "why"),
    [
        ("alt", {"string": "elevated"}, "text"),
        ("alt", {"value": "30 furlong/L", "range": "none"}, "unit"),
        ("alt", {"value": "30 U/L", "range": "none"}, "no-range"),
        ("alt", {"value": "30 U/L", "flag": "H"}, "flag"),
        ("alt", {"value": "0 U/L"}, "zero"),
        ("prothrombin_time", {"value": "95 %", "range": ["70", "130"], "range_unit": "%"}, "scale"),
        ("platelets", {"string": "adequate"}, "text"),
        ("hemoglobin", {"value": "12 furlong/L", "range": "none"}, "unit"),
    ],
)
def test_what_cannot_be_told_stays_in_the_series_and_says_why(
    point_of: PointOf, analyte: str, result: dict[str, Any], why: str
) -> None:
    point = point_of(analyte, result)
    assert (point.is_known, point.counts, point.why, point.times_uln) == (False, False, why, "")


@pytest.mark.parametrize(
    ("result", "why", "reading"),
    [
        ({"value": "30 U/L"}, "", Reading.FINAL),
        ({"value": "30 U/L", "status": "preliminary"}, "preliminary", Reading.PROVISIONAL),
        ({"value": "30 U/L", "when": "2026-03-13T08:00:00"}, "time", Reading.PROVISIONAL),
        ({"value": "<100 U/L"}, "bounds", Reading.FINAL),
        ({"value": "<80 U/L"}, "", Reading.FINAL),
        ({"value": ">500 U/L"}, "", Reading.FINAL),
    ],
)
def test_what_is_known_may_still_prove_nothing(
    point_of: PointOf, result: dict[str, Any], why: str, reading: Reading
) -> None:
    point = point_of("alt", result)
    assert (point.is_known, point.counts, point.why, point.reading) == (True, not why, why, reading)


def test_words_alone_are_unreadable(point_of: PointOf) -> None:
    assert point_of("alt", {"string": "elevated"}).reading is Reading.UNREADABLE


def test_results_of_one_time_that_differ_contradict_each_other(series_of: SeriesOf) -> None:
    at = "2026-03-09T08:00:00Z"
    (series,) = series_of("alt", {"value": "70 U/L", "when": at}, {"value": "170 U/L", "when": at})
    assert [(point.is_known, point.counts, point.why) for point in series.points] == [(True, False, "conflict")] * 2


def test_a_preliminary_result_that_differs_does_not_contradict_the_final_one(series_of: SeriesOf) -> None:
    when = "2026-03-09T08:00:00Z"
    early = {"value": "90 U/L", "when": when, "status": "preliminary"}
    (series,) = series_of("alt", {"value": "30 U/L", "when": when}, early)
    assert {point.value: (point.counts, point.why) for point in series.points} == {
        "30": (True, ""),
        "90": (False, "preliminary"),
    }


def test_a_corrected_result_counts_and_the_one_it_replaces_does_not(series_of: SeriesOf) -> None:
    at = "2026-03-09T08:00:00Z"
    (series,) = series_of(
        "alt", {"value": "30 U/L", "when": at}, {"value": "300 U/L", "when": at, "status": "corrected"}
    )
    assert {point.value: point.why for point in series.points} == {"30": "replaced", "300": ""}


@pytest.mark.parametrize("nothing", [{"absent": "not-performed"}, {"string": "haemolysed"}, {"status": "cancelled"}])
def test_what_says_that_there_is_no_result_is_no_point(series_of: SeriesOf, nothing: dict[str, Any]) -> None:
    (series,) = series_of("alt", nothing)
    assert series.points == ()


def test_every_hindrance_has_its_words(catalogue: Catalogue) -> None:
    assert set(catalogue.course.unknown) == set(HINDRANCES)
