"""What the cases of the card files cannot reach: truth tables, the numbers' own interface, and one verdict."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.domain.certainty import Certainty, all_of, any_of
from cds_service.domain.days import add_months, full_years_and_days, weeks_and_days
from cds_service.domain.facts import AmountKind, OrderedAmount
from cds_service.domain.known import KnownNumber, Numbers, Provenance
from cds_service.domain.vector_genomes import VectorGenomeVerdict, judge_vector_genomes
from cds_service.presentation import Catalogue

TRUE, FALSE, UNKNOWN = Certainty.TRUE, Certainty.FALSE, Certainty.UNKNOWN


@pytest.mark.parametrize("pair", list(product((TRUE, FALSE, UNKNOWN), repeat=2)))
def test_and_and_or_with_something_unknown(pair: tuple[Certainty, Certainty]) -> None:
    both = FALSE if FALSE in pair else UNKNOWN if UNKNOWN in pair else TRUE
    either = TRUE if TRUE in pair else UNKNOWN if UNKNOWN in pair else FALSE
    assert (all_of(pair), any_of(pair)) == (both, either)


def test_of_nothing_all_are_true_and_none_is() -> None:
    assert (all_of(()), any_of(())) == (TRUE, FALSE)


@pytest.mark.parametrize("certainty", Certainty)
def test_a_certainty_is_no_plain_truth_value(certainty: Certainty) -> None:
    with pytest.raises(TypeError):
        bool(certainty)


def numbers(heard: list[str] | None = None) -> Numbers:
    limit = KnownNumber("limit", Decimal("2.5"), "kg", Provenance.LABEL, "2.1", "a reason")
    return Numbers({"limit": limit}, heard.append if heard is not None else None)


def test_numbers_are_read_by_name() -> None:
    assert numbers()["limit"] == Decimal("2.5")
    assert (len(numbers()), list(numbers())) == (1, ["limit"])
    assert numbers().described("limit").section == "2.1"


def test_a_number_nobody_wrote_down_is_an_error() -> None:
    with pytest.raises(KeyError):
        numbers()["other"]


def test_reading_a_number_is_heard_and_looking_at_its_description_is_not() -> None:
    heard: list[str] = []
    numbers(heard)["limit"]
    numbers(heard).whole("limit")
    numbers(heard).described("limit")
    assert heard == ["limit", "limit"]


def test_an_amount_that_cannot_be_read_is_not_compared(catalogue: Catalogue) -> None:
    amount = OrderedAmount(AmountKind.VECTOR_GENOMES, None, "some vg")
    assert judge_vector_genomes(amount, None, None, catalogue.known) is VectorGenomeVerdict.NOT_COMPARABLE


days = st.dates(min_value=date(2000, 1, 1), max_value=date(2090, 12, 31))


@given(days, st.integers(min_value=0, max_value=60))
def test_a_month_later_is_the_same_day_number_or_the_end_of_the_month(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@pytest.mark.hazard("H56")
def test_a_leap_day_child_has_its_birthday_on_28_february() -> None:
    assert add_months(date(2024, 2, 29), 24) == date(2026, 2, 28)


@given(days, st.integers(min_value=0, max_value=2000))
def test_an_age_counts_full_years_and_the_days_since_the_birthday(born: date, lived: int) -> None:
    on = born + timedelta(days=lived)
    years, rest = full_years_and_days(born, on)
    assert add_months(born, 12 * years) + timedelta(days=rest) == on
    assert 0 <= rest < 366
    assert add_months(born, 12 * (years + 1)) > on


@pytest.mark.parametrize(("total", "written"), [(255, "36+3"), (259, "37+0"), (258, "36+6"), (0, "0+0")])
def test_weeks_are_written_as_obstetricians_do(total: int, written: str) -> None:
    assert weeks_and_days(total) == written
