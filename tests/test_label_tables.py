"""The label's tables in cards/label against an independent transcription, row by row."""

import csv
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

from label_transcription import TABLE_1, TABLE_3

CARDS = Path(__file__).resolve().parents[1] / "cards"


def rows_of(name: str) -> list[dict[str, str]]:
    with (CARDS / "label" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


DOSES = rows_of("table_1_dose.csv")
KITS = rows_of("table_3_kits.csv")


def band(row: dict[str, str]) -> tuple[Decimal, Decimal]:
    return Decimal(row["weight_from_kg"]), Decimal(row["weight_to_kg"])


def test_both_tables_have_37_rows() -> None:
    assert len(DOSES) == len(KITS) == len(TABLE_1) == len(TABLE_3) == 37


def test_the_columns_are_named_as_agreed() -> None:
    assert list(DOSES[0]) == ["weight_from_kg", "weight_to_kg", "volume_ml"]
    assert list(KITS[0]) == [
        "weight_from_kg",
        "weight_to_kg",
        "vials_5_5_ml",
        "vials_8_3_ml",
        "total_vials",
        "ndc",
    ]


def test_every_dose_row_equals_the_transcription_as_printed() -> None:
    for row, printed in zip(DOSES, TABLE_1, strict=True):
        assert tuple(row.values()) == printed


def test_every_kit_row_equals_the_transcription_as_printed() -> None:
    for row, printed in zip(KITS, TABLE_3, strict=True):
        assert tuple(row.values()) == tuple(str(cell) for cell in printed)


def test_both_tables_have_the_same_bands() -> None:
    assert [band(row) for row in DOSES] == [band(row) for row in KITS]


def test_the_bands_run_from_2_6_to_21_0_kg_in_steps_of_0_1() -> None:
    bands = [band(row) for row in DOSES]
    assert bands[0][0] == Decimal("2.6")
    assert bands[-1][1] == Decimal("21.0")
    assert all(upper - lower == Decimal("0.4") for lower, upper in bands)
    for (_, upper), (next_lower, _) in pairwise(bands):
        assert next_lower - upper == Decimal("0.1")


def test_every_volume_is_the_upper_edge_times_5_5_rounded_half_up() -> None:
    for row in DOSES:
        exact = band(row)[1] * Decimal("5.5")
        assert Decimal(row["volume_ml"]) == exact.quantize(Decimal("0.1"), ROUND_HALF_UP)


def test_the_vials_of_every_kit_add_up() -> None:
    for row in KITS:
        assert int(row["vials_5_5_ml"]) + int(row["vials_8_3_ml"]) == int(row["total_vials"])


def filled_ml(kit: dict[str, str]) -> Decimal:
    return Decimal("5.5") * int(kit["vials_5_5_ml"]) + Decimal("8.3") * int(kit["vials_8_3_ml"])


def test_every_kit_covers_its_volume_with_at_most_0_7_ml_to_spare() -> None:
    for kit, dose in zip(KITS, DOSES, strict=True):
        surplus = filled_ml(kit) - Decimal(dose["volume_ml"])
        assert Decimal("0.0") <= surplus <= Decimal("0.7")


def test_no_kit_covers_the_next_band_up() -> None:
    for kit, next_dose in zip(KITS[:-1], DOSES[1:], strict=True):
        assert filled_ml(kit) < Decimal(next_dose["volume_ml"])


def test_the_ndc_product_runs_from_120_to_156_and_the_package_is_the_vial_count() -> None:
    for product, row in enumerate(KITS, start=120):
        assert row["ndc"] == f"71894-{product}-{int(row['total_vials']):02d}"
    assert KITS[-1]["ndc"].split("-")[1] == "156"
