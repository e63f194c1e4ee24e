"""Table 1 and Table 3 for every weight a child can have: each band's edges and middle, and every gap in steps of 10 g."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_transcription import TABLE_1, TABLE_3

from cds_service.domain.answers import Answer, Verdict
from cds_service.domain.dose_table import DoseBand
from cds_service.domain.facts import PatientFacts
from cds_service.domain.quantities import plain, rounded_half_up
from cds_service.domain.registry import answer_all
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
ROWS = [
    (Decimal(low), Decimal(high), volume, kit[5]) for (low, high, volume), kit in zip(TABLE_1, TABLE_3, strict=True)
]
STEP = Decimal("0.01")


def expected_for(weight: Decimal) -> tuple[str, str]:
    """Volume and kit of the row that the weight, in tenths, stands in; computed without the service's own code."""
    tenths = int((weight * 10 + Decimal("0.5")).__floor__())
    return next((volume, kit) for low, high, volume, kit in ROWS if low * 10 <= tenths <= high * 10)


INSIDE = sorted({edge for low, high, *_ in ROWS for edge in (low, (low + high) / 2, high)})
GAPS = [high + STEP * n for (_, high, *_), _ in pairwise(ROWS) for n in range(1, 10)]


def table_dose(facts_of: FactsOf, catalogue: Catalogue, written: str) -> tuple[str, str]:
    """The volume and kit that the service gives for a child of this recorded weight."""
    answers = answer_all(facts_of({"weight": written, "draft": {"dose": "1 mL"}}), catalogue.known, catalogue.rules)
    dose = next(answer for answer in answers if answer.rule_id == "dose-volume")
    return plain(_decimal(dose, "expected_volume_ml")), str(dose.shown["expected_ndc"])


def _decimal(answer: Answer, name: str) -> Decimal:
    value = answer.shown[name]
    assert isinstance(value, Decimal)
    return value


def test_there_are_three_weights_in_each_of_37_bands_and_nine_in_each_gap() -> None:
    assert (len(INSIDE), len(GAPS)) == (37 * 3, 36 * 9)


def test_every_band_gives_its_row_at_its_edges_and_in_its_middle(facts_of: FactsOf, catalogue: Catalogue) -> None:
    for weight in INSIDE:
        assert table_dose(facts_of, catalogue, f"{weight} kg") == expected_for(weight), weight


@pytest.mark.hazard("H6")
def test_every_ten_grams_between_two_bands_go_to_the_nearer_one_and_the_half_goes_up(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    for weight in GAPS:
        assert table_dose(facts_of, catalogue, f"{weight} kg") == expected_for(weight), weight


def test_grams_give_the_same_rows_as_kilograms(facts_of: FactsOf, catalogue: Catalogue) -> None:
    for weight in GAPS[4::9]:
        assert table_dose(facts_of, catalogue, f"{weight * 1000} g") == expected_for(weight), weight


@pytest.mark.hazard("H6")
@pytest.mark.parametrize(
    ("weight", "volume", "kit"),
    [
        ("3.5", "19.3", "71894-121-03"),  # 19.25: binary rounding gives 19.2
        ("4.5", "24.8", "71894-123-03"),
        ("2.55", "16.5", "71894-120-02"),
        ("3.04", "16.5", "71894-120-02"),
        ("3.05", "19.3", "71894-121-03"),  # 3.05: binary rounding gives 3.0
        ("21.049", "115.5", "71894-156-14"),
    ],
)
def test_the_weights_that_binary_fractions_get_wrong(
    facts_of: FactsOf, catalogue: Catalogue, weight: str, volume: str, kit: str
) -> None:
    assert table_dose(facts_of, catalogue, f"{weight} kg") == (volume, kit)


@pytest.mark.parametrize("weight", ["2.549", "2.5", "21.05", "21.1"])
def test_outside_the_table_there_is_no_dose(facts_of: FactsOf, catalogue: Catalogue, weight: str) -> None:
    answers = answer_all(facts_of({"weight": f"{weight} kg"}), catalogue.known, catalogue.rules)
    dose = next(answer for answer in answers if answer.rule_id == "dose-volume")
    assert dose.verdict is Verdict.UNKNOWN
    assert "expected_volume_ml" not in dose.shown
    assert not [change for answer in answers for change in answer.changes if getattr(change, "volume_ml", None)]


def test_every_dose_written_as_the_table_prints_it_is_verified(facts_of: FactsOf, catalogue: Catalogue) -> None:
    for low, _, volume, kit in ROWS:
        given = {"weight": f"{low} kg", "draft": {"dose": f"{volume} mL", "rate": f"{volume} mL/h", "ndc": kit}}
        answers = {answer.rule_id: answer for answer in answer_all(facts_of(given), catalogue.known, catalogue.rules)}
        for rule in ("dose-volume", "kit-ndc", "dose-triple-check", "infusion-duration-rate"):
            assert answers[rule].assurance.value == "verified", (low, rule)


weights = st.decimals(min_value=Decimal("2.6"), max_value=Decimal("21.0"), places=3)
others = st.decimals(min_value=0, max_value=Decimal("2.549"), places=3) | st.decimals(
    min_value=Decimal("21.05"), max_value=99, places=3
)


@given(weights)
def test_every_weight_of_the_table_has_exactly_one_band(catalogue: Catalogue, weight: Decimal) -> None:
    rounded = rounded_half_up(weight, Decimal("0.1"))
    band = catalogue.known.doses.for_weight(rounded)
    holding = [b for b in catalogue.known.doses.bands if b.from_kg <= rounded <= b.to_kg]
    assert [band] == holding


@given(others)
def test_every_other_weight_has_none(catalogue: Catalogue, weight: Decimal) -> None:
    assert catalogue.known.doses.for_weight(rounded_half_up(weight, Decimal("0.1"))) is None


@given(weights)
def test_a_weight_lies_in_a_band_or_between_two_neighbours(catalogue: Catalogue, weight: Decimal) -> None:
    table = catalogue.known.doses
    around = table.around(weight)
    printed = [band for band in table.bands if band.from_kg <= weight <= band.to_kg]
    assert (around is None) == bool(printed)
    if around is not None:
        lower, upper = around
        assert table.bands.index(upper) == table.bands.index(lower) + 1
        assert lower.to_kg < weight < upper.from_kg


def test_the_printed_edges_lie_in_their_band_and_ten_grams_beside_them_between_two(catalogue: Catalogue) -> None:
    around = catalogue.known.doses.around
    assert [weight for weight in INSIDE if around(weight) is not None] == []
    assert [weight for weight in GAPS if around(weight) is None] == []


@given(others)
def test_outside_the_table_there_are_no_neighbours(catalogue: Catalogue, weight: Decimal) -> None:
    assert catalogue.known.doses.around(weight) is None


def test_weight_volume_and_kit_name_each_other(catalogue: Catalogue) -> None:
    table = catalogue.known.doses
    for band in table.bands:
        assert table.for_volume(band.volume_ml) is table.for_kit(band.kit_ndc) is table.for_weight(band.to_kg) is band


@given(st.decimals(min_value=0, max_value=200, places=2))
def test_a_volume_that_is_not_printed_names_no_band(catalogue: Catalogue, volume: Decimal) -> None:
    printed = {Decimal(row[2]) for row in ROWS}
    found: DoseBand | None = catalogue.known.doses.for_volume(volume)
    assert (found is not None) == (volume in printed)
