"""Quantities: only listed units, exact numbers, and nothing guessed (ruling 55)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.domain.quantities import Quantity, UnitTable
from cds_service.fhir.quantity import UCUM, as_written, read_measured, read_ordered

WEIGHT = "body_weight"


def coded(value: Any, code: str, unit: str = "") -> dict[str, Any]:
    return {"value": value, "unit": unit or code, "system": UCUM, "code": code}


@pytest.mark.parametrize("code", ["kg", "g", "[lb_av]", "[oz_av]"])
def test_a_weight_comes_in_four_coded_units(units: UnitTable, code: str) -> None:
    assert read_measured(coded(Decimal("3.2"), code), WEIGHT, units) == Quantity(Decimal("3.2"), code)


@pytest.mark.parametrize("code", ["KG", "Kg", "lb", "oz", "mg", "t", "", "kg ", "10*3.g", "1", "[lb_tr]", "mL"])
def test_another_code_is_no_unit_of_weight(units: UnitTable, code: str) -> None:
    if code.strip() != "kg":
        assert read_measured({"value": 3, "system": UCUM, "code": code}, WEIGHT, units) is None


@pytest.mark.parametrize("unit", ["kg", "g", "[lb_av]", "[oz_av]"])
def test_the_same_spellings_count_without_system_and_code(units: UnitTable, unit: str) -> None:
    assert read_measured({"value": 3, "unit": unit}, WEIGHT, units) == Quantity(Decimal(3), unit)


@pytest.mark.parametrize(
    "unit", ["Kg", "KG", "kgs", "kilogram", "kilograms", "lb", "lbs", "pounds", "oz", "gm", "grams", "G", "", None, 5]
)
def test_another_spelling_is_not_guessed(units: UnitTable, unit: Any) -> None:
    assert read_measured({"value": 3, "unit": unit}, WEIGHT, units) is None


@pytest.mark.parametrize(
    "element",
    [
        pytest.param({"value": 3, "unit": "kg", "code": "kg"}, id="a code without its system"),
        pytest.param({"value": 3, "unit": "kg", "system": UCUM}, id="a system without a code"),
        pytest.param(
            {"value": 3, "unit": "kg", "system": "http://ehr.example.org/units", "code": "kg"}, id="another system"
        ),
        pytest.param({"value": 3, "unit": "kg", "system": f"{UCUM}/", "code": "kg"}, id="nearly the system"),
        pytest.param({"value": 3, "unit": "kg", "system": "https://unitsofmeasure.org", "code": "kg"}, id="https"),
        pytest.param({"value": 3}, id="no unit"),
        pytest.param({"unit": "kg"}, id="no value"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_half_coded_unit_is_none(units: UnitTable, element: dict[str, Any]) -> None:
    assert read_measured(element, WEIGHT, units) is None


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">=", "~", "ad"])
def test_a_bound_is_no_measurement(units: UnitTable, comparator: str) -> None:
    assert read_measured(coded(3, "kg") | {"comparator": comparator}, WEIGHT, units) is None


@pytest.mark.parametrize("value", [3, Decimal("3"), "3", " 3 ", "3.0", "3e0", Decimal("30E-1")])
def test_a_number_counts_in_any_exact_form(units: UnitTable, value: Any) -> None:
    measured = read_measured(coded(value, "kg"), WEIGHT, units)
    assert measured is not None
    assert measured.value == 3


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, "", "  ", "three", "3,2", "1,250", "3.2 kg", "<3", "0x3", "NaN", "Infinity", "-Infinity", "sNaN", [], {}, [3],
        "1e999999", Decimal("1e999999"), Decimal("1e-999999"), "1" * 61, 10**31, Decimal("NaN"), "1_000",
    ],
)  # fmt: skip
def test_what_is_no_clinical_number_is_not_read(units: UnitTable, value: Any) -> None:
    assert read_measured(coded(value, "kg"), WEIGHT, units) is None


def test_a_weight_keeps_every_digit(units: UnitTable) -> None:
    measured = read_measured(coded(Decimal("3.0500"), "kg"), WEIGHT, units)
    assert measured is not None
    assert str(measured.value) == "3.0500"


# --- ordered amounts


@pytest.mark.parametrize(
    ("element", "ml"),
    [
        (coded(Decimal("19.3"), "mL"), "19.3"),
        (coded(Decimal("19.3"), "ml"), "19.3"),
        (coded(Decimal("0.0193"), "L"), "19.3000"),
        (coded(19300, "uL"), "19.300"),
        ({"value": Decimal("19.3"), "unit": "mL"}, "19.3"),
        ({"value": Decimal("19.3"), "unit": "milliliters"}, "19.3"),
        ({"value": Decimal("19.3"), "unit": "mL", "system": "http://ehr.example.org/units", "code": "1234"}, "19.3"),
        ({"value": Decimal("19.3"), "code": "mL"}, "19.3"),
    ],
)
def test_an_ordered_volume_is_read_in_ml(units: UnitTable, element: dict[str, Any], ml: str) -> None:
    assert read_ordered(element, "volume", units) == Decimal(ml)


@pytest.mark.parametrize(
    "element",
    [
        coded(19, "mg"), coded(19, "kg"), coded("19,3", "mL"), coded(19, "mL") | {"comparator": "<"}, {"value": 19}, {"value": 19, "unit": "cc of it"},
        {"value": 19, "unit": "mL/kg"}, {"value": 19, "unit": "{Capsule}"}, {},
    ],
)  # fmt: skip
def test_what_is_no_volume_is_not_read_as_one(units: UnitTable, element: dict[str, Any]) -> None:
    assert read_ordered(element, "volume", units) is None


# --- for showing


@pytest.mark.parametrize(
    ("element", "written"),
    [
        (coded(Decimal("3.20"), "kg"), "3.20 kg"),
        ({"value": Decimal("3.2"), "code": "kg"}, "3.2 kg"),
        ({"value": "3,2", "unit": "kg"}, "3,2 kg"),
        ({"value": 5, "unit": "kg", "comparator": "<"}, "< 5 kg"),
        ({"value": Decimal("386000000000000"), "unit": "vg"}, "3.86 × 10^14 vg"),
        ({"value": 0}, "0"),
        ({"unit": "kg"}, "kg"),
        ({"value": False}, "false"),
        ({"value": True, "unit": "kg"}, "true kg"),
        ({"value": [Decimal("3.2")], "unit": "kg"}, "value kg"),
        ({"value": [], "unit": "kg"}, "kg"),
        ({}, ""),
    ],
)
def test_a_quantity_is_shown_as_the_record_writes_it(element: dict[str, Any], written: str) -> None:
    assert as_written(element) == written


def test_an_absurd_number_does_not_fill_the_memory() -> None:
    assert len(as_written({"value": Decimal("1e999999"), "unit": "kg"})) < 100
