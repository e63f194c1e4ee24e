"""Exact decimals: one rounding, one conversion table, and digits that survive."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.domain.quantities import (
    Quantity,
    UnknownUnit,
    exact_product,
    exact_quotient,
    midpoint,
    per_cent,
    plain,
    rounded_half_up,
    to_show_beside,
    to_significant_digits,
)
from cds_service.presentation import Catalogue

TENTH = Decimal("0.1")
weights = st.decimals(min_value=0, max_value=999, places=4)
numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20"))


@given(weights)
def test_a_weight_is_rounded_to_the_nearest_tenth_and_halves_go_up(weight: Decimal) -> None:
    tenths = Fraction(weight) * 10
    assert Fraction(rounded_half_up(weight, TENTH)) == Fraction((tenths + Fraction(1, 2)).__floor__(), 10)


@given(weights)
def test_rounding_a_rounded_weight_changes_nothing(weight: Decimal) -> None:
    rounded = rounded_half_up(weight, TENTH)
    assert rounded_half_up(rounded, TENTH) == rounded


@given(weights, weights)
def test_a_heavier_child_is_never_rounded_below_a_lighter_one(one: Decimal, other: Decimal) -> None:
    lighter, heavier = sorted((one, other))
    assert rounded_half_up(lighter, TENTH) <= rounded_half_up(heavier, TENTH)


@pytest.mark.hazard("H6")
@pytest.mark.parametrize(
    ("weight", "rounded"),
    [
        ("3.04", "3.0"), ("3.05", "3.1"), ("3.0499999999", "3.0"), ("3.15", "3.2"), ("3.25", "3.3"), ("2.55", "2.6"), ("2.549", "2.5"),
        ("21.049", "21.0"), ("21.05", "21.1"), ("0.05", "0.1"), ("3", "3.0"),
    ],
)  # fmt: skip
def test_no_weight_falls_into_the_trap_of_binary_fractions(weight: str, rounded: str) -> None:
    assert str(rounded_half_up(Decimal(weight), TENTH)) == rounded


@given(numbers)
def test_a_number_is_written_in_plain_digits_that_read_back_as_the_same_number(number: Decimal) -> None:
    written = plain(number)
    assert Decimal(written) == number
    assert set(written) <= set("-0123456789.")


@given(weights)
def test_a_number_keeps_the_digits_it_was_written_with(number: Decimal) -> None:
    assert Decimal(plain(number)).as_tuple() == number.as_tuple()


def test_a_long_number_does_not_change() -> None:
    assert plain(Decimal("3.050")) == "3.050"
    assert plain(Decimal("1.1E+14")) == "110000000000000"


@pytest.mark.hazard("H5")
@given(weights)
def test_grams_and_kilograms_are_the_same_weight(catalogue: Catalogue, weight: Decimal) -> None:
    units = catalogue.known.units
    grams = Quantity(weight * 1000, "g")
    assert units.in_own_unit(grams, "body_weight") == weight


@given(st.decimals(min_value=0, max_value=99, places=3))
def test_pounds_are_converted_without_rounding(catalogue: Catalogue, pounds: Decimal) -> None:
    kilograms = catalogue.known.units.in_own_unit(Quantity(pounds, "[lb_av]"), "body_weight")
    assert Fraction(kilograms) == Fraction(pounds) * Fraction("0.45359237")


@pytest.mark.parametrize(
    ("unit", "concept"), [("lb", "body_weight"), ("mL", "body_weight"), ("kg", "height"), ("", "body_weight")]
)
def test_a_unit_that_is_not_listed_is_refused(catalogue: Catalogue, unit: str, concept: str) -> None:
    with pytest.raises(UnknownUnit):
        catalogue.known.units.in_own_unit(Quantity(Decimal(3), unit), concept)


@given(st.lists(st.decimals(min_value=-999, max_value=999, places=6), max_size=4))
def test_a_product_is_not_rounded(factors: list[Decimal]) -> None:
    expected = Fraction(1)
    for factor in factors:
        expected *= Fraction(factor)
    assert Fraction(exact_product(*factors)) == expected


def test_a_quotient_has_far_more_digits_than_any_comparison_needs() -> None:
    third = exact_quotient(Decimal(1), Decimal(3))
    assert abs(Fraction(third) - Fraction(1, 3)) < Fraction(1, 10**59)


def test_the_switching_point_lies_halfway() -> None:
    assert midpoint(Decimal("3.0"), Decimal("3.1")) == Decimal("3.05")


def test_numbers_for_showing_are_rounded_half_up() -> None:
    assert per_cent(Decimal("-2.2"), Decimal("16.5")) == Decimal("-13.3")
    assert per_cent(Decimal("0.25"), Decimal(100)) == Decimal("0.3")
    assert to_significant_digits(Decimal("386500000000000"), 3) == Decimal("387000000000000")


@given(weights)
def test_our_rounding_agrees_with_the_decimal_modules(weight: Decimal) -> None:
    assert rounded_half_up(weight, TENTH) == weight.quantize(TENTH, ROUND_HALF_UP)


def test_a_quotient_has_sixty_digits() -> None:
    assert len(exact_quotient(Decimal(2), Decimal(3)).as_tuple().digits) == 60


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        ("2.00000", "2", "2.00"),
        ("1.9999", "2", "1.9999"),
        ("2.0001", "2", "2.0001"),
        ("1.9949", "2", "1.99"),
        ("2.0050", "2", "2.01"),
    ],
)
def test_a_value_is_shown_on_its_own_side_of_a_limit_and_on_the_limit_only_where_it_is(
    value: str, limit: str, shown: str
) -> None:
    assert plain(to_show_beside(Decimal(value), [Decimal(limit)], 3)) == shown


@pytest.mark.parametrize(
    ("unit", "said", "contradicts"),
    [
        ("kg", "kg", False),
        ("kg", "g", True),
        ("kg", "Pounds", True),
        ("kg", "Kilograms", False),
        ("kg", "stone", False),
        # A code that is no unit of the concept is contradicted by every word for one that is.
        (None, "kg", True),
        (None, "pounds", True),
        (None, "stone", False),
    ],
)
def test_the_words_beside_a_code_contradict_it_where_they_name_another_unit(
    catalogue: Catalogue, unit: str | None, said: str, contradicts: bool
) -> None:
    assert catalogue.known.units.contradicts("body_weight", unit, said) is contradicts
