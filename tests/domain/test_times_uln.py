"""A result as a multiple of its own upper limit (clinical-rules C5; findings 3 and 10.2)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from domain_values import a_result, limits

from cds_service.domain.certainty import Certainty
from cds_service.domain.intervals import Interval
from cds_service.domain.reference_range import (
    exceeds,
    flag_contradicts,
    is_outside_own_range,
    times_uln,
    why_unclassified,
    written_multiple,
)
from cds_service.domain.results import LabFlag, ReferenceRange

YES, NO, MAYBE = Certainty.TRUE, Certainty.FALSE, Certainty.UNKNOWN
TWO = Decimal(2)
FLAGS = LabFlag


@pytest.mark.parametrize(
    ("value", "high", "expected"),
    [
        ("80", "40", NO),
        ("80.0", "40", NO),
        ("80.1", "40", YES),
        ("80.0000000000001", "40", YES),
        ("79.9", "40", NO),
        ("2.0", "1.0", NO),
        ("2.01", "1.0", YES),
        ("0.6", "0.3", NO),
        ("110", "55", NO),
    ],
)
def test_exactly_twice_the_limit_is_not_above_it(value: str, high: str, expected: Certainty) -> None:
    assert exceeds(a_result(own=limits(value, high)), TWO) is expected


@pytest.mark.hazard("H51")
@pytest.mark.parametrize(
    ("comparator", "value", "expected"),
    [
        ("<", "80", NO),
        ("<=", "80", NO),
        (">", "80", YES),
        (">=", "80", MAYBE),
        ("<", "81", MAYBE),
        (">", "500", YES),
        (">", "40", MAYBE),
    ],
)
def test_a_comparator_proves_what_it_can(comparator: str, value: str, expected: Certainty) -> None:
    assert exceeds(a_result(own=limits(value, "40", comparator=comparator)), TWO) is expected


@pytest.mark.hazard("H16")
def test_without_a_range_nothing_is_proven() -> None:
    result = a_result()
    assert times_uln(result) is None
    assert exceeds(result, TWO) is MAYBE
    assert written_multiple(result) == ""
    assert not is_outside_own_range(result)
    assert not flag_contradicts(result)


def test_a_range_without_an_upper_limit_is_none() -> None:
    result = a_result(own=limits("20", None, "10"))
    assert times_uln(result) is None
    assert exceeds(result, TWO) is MAYBE


@pytest.mark.parametrize(
    ("analyte", "expected"),
    [
        ("total_bilirubin", NO),
        ("prothrombin_time", NO),
        ("inr", NO),
        ("alt", MAYBE),
        ("ast", MAYBE),
        ("albumin", MAYBE),
    ],
)
def test_the_laboratorys_normal_suffices_for_three_tests_without_a_range(analyte: str, expected: Certainty) -> None:
    assert exceeds(a_result(analyte=analyte, flag=FLAGS.NORMAL), TWO) is expected
    assert exceeds(a_result(analyte=analyte, flag=FLAGS.ABNORMAL), TWO) is MAYBE


@pytest.mark.parametrize(("value", "expected"), [("20", MAYBE), ("80", MAYBE), ("81", YES)])
def test_without_a_unit_a_result_may_alarm_and_reassures_nobody(value: str, expected: Certainty) -> None:
    assert exceeds(a_result(own=limits(value, "40", is_unit_known=False)), TWO) is expected


@pytest.mark.parametrize(
    ("value", "flag", "contradicts"),
    [
        ("41", FLAGS.NORMAL, True),
        ("40", FLAGS.NORMAL, False),
        ("40", FLAGS.HIGH, True),
        ("41", FLAGS.HIGH, False),
        ("20", FLAGS.LOW, False),
        ("41", FLAGS.ABNORMAL, False),
        ("41", FLAGS.NOT_STATED, False),
    ],
)
def test_a_flag_may_contradict_the_range(value: str, flag: LabFlag, contradicts: bool) -> None:
    result = a_result(own=limits(value, "40"), flag=flag)
    assert flag_contradicts(result) is contradicts
    assert exceeds(result, TWO) is (MAYBE if contradicts else NO)


def test_a_contradicted_result_alarms_all_the_same() -> None:
    assert exceeds(a_result(own=limits("90", "40"), flag=FLAGS.NORMAL), TWO) is YES


@pytest.mark.parametrize(
    ("value", "low", "high", "outside"),
    [
        ("9.9", "10", "40", True),
        ("10", "10", "40", False),
        ("40", "10", "40", False),
        ("40.1", "10", "40", True),
        ("5", None, "40", False),
        ("5", "10", None, True),
        ("50", "10", None, False),
    ],
)
def test_outside_its_own_range_means_surely_beyond_a_limit(
    value: str, low: str | None, high: str | None, outside: bool
) -> None:
    assert is_outside_own_range(a_result(own=limits(value, high, low))) is outside


@pytest.mark.parametrize(
    ("multiple", "shown"),
    [
        ("1", "1.00"),
        ("2", "2.00"),
        ("1.996", "1.996"),
        ("2.004", "2.004"),
        ("2.0025", "2.003"),
        ("1.9996", "1.9996"),
        ("2.00004", "2.00004"),
        ("1.994", "1.99"),
        ("2.005", "2.01"),
        ("1.995", "1.995"),
        ("2.125", "2.13"),
        ("0.5", "0.50"),
        ("0.004", "0.004"),
        ("19.999", "19.999"),
    ],
)
def test_the_multiple_is_shown_on_its_own_side_of_a_whole_number(multiple: str, shown: str) -> None:
    assert written_multiple(a_result(own=limits(multiple, "1"))) == shown


def test_a_multiple_without_an_end_is_shown_to_two_decimals() -> None:
    assert written_multiple(a_result(own=limits("100", "30"))) == "3.33"
    assert written_multiple(a_result(own=limits("60", "31"))) == "1.94"


@pytest.mark.parametrize(
    ("comparator", "shown"), [("<", "< 2.50"), ("<=", "≤ 2.50"), (">", "> 2.50"), (">=", "≥ 2.50")]
)
def test_a_comparator_stays_visible_in_the_multiple(comparator: str, shown: str) -> None:
    assert written_multiple(a_result(own=limits("100", "40", comparator=comparator))) == shown


SOME = Interval.exactly(TWO)


@pytest.mark.parametrize(
    ("own", "flag", "number", "amount", "why"),
    [
        (None, FLAGS.NOT_STATED, None, None, "text"),
        (None, FLAGS.NOT_STATED, SOME, None, "unit"),
        (None, FLAGS.NOT_STATED, SOME, SOME, "no-range"),
        (limits("20", None, "10"), FLAGS.NOT_STATED, SOME, SOME, "no-range"),
        (limits("20", "40", is_unit_known=False), FLAGS.NOT_STATED, SOME, None, "unit"),
        (limits("20", "40"), FLAGS.HIGH, SOME, SOME, "flag"),
        (limits("100", "40", comparator="<"), FLAGS.NOT_STATED, SOME, SOME, "bounds"),
    ],
)
def test_why_a_multiple_cannot_be_told(
    own: ReferenceRange | None, flag: LabFlag, number: Interval | None, amount: Interval | None, why: str
) -> None:
    assert why_unclassified(a_result(own=own, flag=flag, number=number, amount=amount)) == why


@pytest.mark.parametrize(
    ("value", "low", "high", "flag", "contradicts"),
    [
        ("20", None, "40", FLAGS.NORMAL, False),
        ("20", "10", None, FLAGS.NORMAL, False),
        ("20", "10", None, FLAGS.HIGH, False),
        ("20", None, "40", FLAGS.LOW, False),
        ("20", "10", "40", FLAGS.ABNORMAL, True),
        ("5", "10", "40", FLAGS.ABNORMAL, False),
        ("50", "10", "40", FLAGS.ABNORMAL, False),
        ("20", None, "40", FLAGS.ABNORMAL, True),
        ("20", "10", None, FLAGS.ABNORMAL, False),
        ("5", "10", None, FLAGS.NORMAL, True),
    ],
)
def test_a_flag_is_contradicted_only_by_a_limit_that_is_known(
    value: str, low: str | None, high: str | None, flag: LabFlag, contradicts: bool
) -> None:
    assert flag_contradicts(a_result(own=limits(value, high, low), flag=flag)) is contradicts
