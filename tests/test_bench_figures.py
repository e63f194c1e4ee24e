"""The arithmetic of the measurements: percentiles, ratios, verdicts, and what the page makes of them. Nothing is timed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))

from bench.figures import Spread, percentile, ratios, shown, written
from bench.memory import Soak
from bench.report import table
from bench.rounds import Cell
from bench.targets import MET, MISSED, UNKNOWN, Target, all_targets

ONE_TO_HUNDRED = [float(number) for number in range(1, 101)]
CALL = ("order-select", "service")


def at_least(bound: float, *values: float) -> Target:
    return Target("", bound, "x", Spread.of(values), is_least=True)


@pytest.mark.parametrize(("percent", "value"), [(50, 50.0), (95, 95.0), (99, 99.0), (100, 100.0)])
def test_a_percentile_is_a_value_that_so_many_are_no_larger_than(percent: int, value: float) -> None:
    assert percentile(ONE_TO_HUNDRED[::-1], percent) == value


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 99) == percentile([7.0], 1) == 7.0


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_spread_has_the_median_and_both_ends() -> None:
    assert Spread.of([3.0, 1.0, 8.0]) == Spread(3.0, 1.0, 8.0)
    assert Spread.of([]) is None


def test_ratios_are_taken_round_by_round_and_never_of_nothing() -> None:
    assert ratios([10.0, 30.0, 5.0], [5.0, 10.0, 0.0]) == [2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.001234, "0.00123"),
        (9.876, "9.88"),
        (12.34, "12.3"),
        (345.6, "346"),
        (45678, "45,700"),
        (-2.0, "-2.00"),
    ],
)
def test_a_figure_has_three_digits_that_count(value: float, text: str) -> None:
    assert written(value) == text


def test_a_spread_is_shown_with_its_range_unless_the_rounds_agree() -> None:
    assert shown(Spread(2.0, 1.0, 3.0)) == "2.00 (1.00–3.00)"
    assert shown(Spread(2.0, 2.0, 2.001)) == "2.00"
    assert shown(None) == "–"


def test_the_bound_itself_meets_a_target_and_the_next_value_misses_it() -> None:
    assert at_least(6, 6.0).verdict == MET
    assert at_least(6, 5.99).verdict == MISSED
    assert Target("", 50, "ms", Spread.of([50.0])).verdict == MET
    assert Target("", 50, "ms", Spread.of([50.01])).verdict == MISSED


def test_the_median_decides_and_not_the_best_round() -> None:
    assert at_least(6, 1.0, 5.0, 100.0).verdict == MISSED


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert {target.verdict for target in all_targets({}, None)} == {UNKNOWN}


def test_each_target_names_what_it_wants_and_what_was_found() -> None:
    target = at_least(0.25, 0.3)
    assert (target.wanted, target.found) == ("at least 0.25 x", "0.300 x")


def test_the_most_of_a_round_is_that_of_its_faster_loop() -> None:
    assert Cell(alone=[10.0, 30.0], together=[20.0, 25.0]).most == [20.0, 30.0]
    assert Cell(alone=[10.0, 30.0]).most == [10.0, 30.0]


def test_a_percentile_of_latencies_is_over_all_rounds_in_milliseconds() -> None:
    cell = Cell(timed=[[0.001] * 99 + [0.009], [0.002] * 100])
    assert cell.latency(50) == Spread(2.0, 1.0, 2.0)
    assert cell.latency(99) == Spread(2.0, 1.0, 2.0)


def test_a_high_percentile_of_too_few_latencies_is_not_told() -> None:
    cell = Cell(timed=[[0.001] * 99])
    assert cell.latency(99) is None
    assert cell.latency(95) is not None


def test_a_target_about_latencies_is_unknown_where_there_were_too_few() -> None:
    (target,) = [each for each in all_targets({CALL: Cell(timed=[[0.001] * 9])}, None) if "p99" in each.what][:1]
    assert target.verdict == UNKNOWN


def test_memory_is_flat_that_grows_in_the_first_quarter_only() -> None:
    assert Soak(100, (80, 90, 100, 110, *[110] * 7)).is_flat
    assert not Soak(100, (80, 90, 100, 110, *[120] * 7)).is_flat


def test_growth_within_two_percent_or_one_megabyte_is_none() -> None:
    assert Soak(100, (*[100.0] * 10, 102.0)).is_flat
    assert not Soak(100, (*[100.0] * 10, 102.1)).is_flat
    assert Soak(100, (*[10.0] * 10, 11.0)).is_flat


def test_a_table_has_a_line_for_each_row() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
