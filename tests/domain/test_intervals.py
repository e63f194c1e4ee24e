"""What a reported number can prove, with a comparator and without (clinical-rules C4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.domain.certainty import Certainty, all_of, any_of
from cds_service.domain.intervals import Interval

YES, NO, MAYBE = Certainty.TRUE, Certainty.FALSE, Certainty.UNKNOWN


def interval(written: str) -> Interval:
    comparator = written.rstrip("0123456789.")
    found = Interval.of(comparator, Decimal(written.removeprefix(comparator)))
    assert found is not None
    return found


@pytest.mark.hazard("H51")
@pytest.mark.parametrize(
    ("written", "above", "below"),
    [
        ("49.9", NO, YES),
        ("50", NO, NO),
        ("50.0", NO, NO),
        ("50.1", YES, NO),
        ("<50", NO, YES),
        ("<=50", NO, MAYBE),
        (">50", YES, NO),
        (">=50", MAYBE, NO),
        ("<50.1", MAYBE, MAYBE),
        ("<=50.1", MAYBE, MAYBE),
        (">49.9", MAYBE, MAYBE),
        (">=49.9", MAYBE, MAYBE),
        ("<49.9", NO, YES),
        ("<=49.9", NO, YES),
        (">50.1", YES, NO),
        (">=50.1", YES, NO),
    ],
)
def test_a_number_proves_only_what_all_its_values_fulfil(written: str, above: Certainty, below: Certainty) -> None:
    found = interval(written)
    assert (found.is_above(Decimal(50)), found.is_below(Decimal(50))) == (above, below)


def test_less_than_five_proves_below_eighty_and_not_above_three() -> None:
    assert interval("<5").is_below(Decimal(80)) is YES
    assert interval("<5").is_above(Decimal(3)) is MAYBE


@pytest.mark.parametrize("comparator", ["~", "ad", "≤", "=", "< "])
def test_a_comparator_that_fhir_does_not_have_says_nothing(comparator: str) -> None:
    assert Interval.of(comparator, Decimal(5)) is None


@pytest.mark.parametrize(("written", "exact"), [("5", Decimal(5)), ("<5", None), (">=5", None)])
def test_only_a_number_without_a_comparator_is_exact(written: str, exact: Decimal | None) -> None:
    assert interval(written).exact == exact


@pytest.mark.parametrize("written", ["3", "<3", "<=3", ">3", ">=3"])
def test_multiplying_and_dividing_keep_the_bounds_and_whether_they_belong(written: str) -> None:
    assert interval(written).times(Decimal("0.1")).divided_by(Decimal("0.1")) == interval(written)


def test_multiplying_is_exact() -> None:
    assert interval("1.10").times(Decimal("1.1")).exact == Decimal("1.21")


def test_unknown_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError):
        bool(MAYBE)


@pytest.mark.parametrize(
    ("parts", "every", "some"),
    [
        ([], YES, NO),
        ([YES, YES], YES, YES),
        ([YES, MAYBE], MAYBE, YES),
        ([MAYBE, NO], NO, MAYBE),
        ([YES, NO], NO, YES),
        ([NO, NO], NO, NO),
    ],
)
def test_several_conditions_together(parts: list[Certainty], every: Certainty, some: Certainty) -> None:
    assert (all_of(parts), any_of(parts)) == (every, some)
