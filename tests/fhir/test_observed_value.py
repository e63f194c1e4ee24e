"""A value in a shape that nobody reads is not the same as no value: something was said, and it was not read."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.observed_value import READ_AS_QUANTITY, unread_value

KNOWN = READ_AS_QUANTITY | {"valueInteger", "valueBoolean", "valueCodeableConcept"}
KG = {"value": 3, "unit": "kg"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"valueQuantity": "3.2 kg"}, "3.2 kg"),
        ({"valueQuantity": 3.2}, "valueQuantity"),
        ({"valueQuantity": [KG, {"value": 4, "unit": "kg"}]}, "valueQuantity"),
        ({"valueQuantity": ["3.2 kg"]}, "valueQuantity"),
        ({"valueString": ["3.2 kg"]}, "valueString"),
        ({"valueString": 3}, "valueString"),
        ({"valueInteger": "three"}, "three"),
        ({"valueInteger": True}, "valueInteger"),
        ({"valueBoolean": "perhaps"}, "perhaps"),
        ({"valueCodeableConcept": "Detected"}, "Detected"),
        ({"valueRange": {"low": KG}}, "valueRange"),
        ({"valueSampledData": {"data": "1 2"}}, "valueSampledData"),
        ({"valueNumber": 0}, "valueNumber"),
        ({"valueQuantity": KG, "valueRatio": {"numerator": KG}}, "valueRatio"),
    ],
)
def test_a_value_in_a_shape_that_is_not_read_is_told(value: dict[str, Any], written: str) -> None:
    assert unread_value(value, KNOWN) == written


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"valueQuantity": None},
        {"valueQuantity": {}},
        {"valueQuantity": []},
        {"valueQuantity": {"unit": "kg"}},
        {"valueString": " "},
        {"valueRange": {}},
        {"interpretation": [{"text": "H"}]},
        {"dataAbsentReason": {"text": "masked"}},
    ],
)
def test_where_there_is_no_value_there_is_nothing_to_read(value: dict[str, Any]) -> None:
    assert unread_value(value, KNOWN) == ""


@pytest.mark.parametrize(
    "value",
    [
        {"valueQuantity": KG},
        {"valueQuantity": [KG]},
        {"valueQuantity": [KG, dict(KG)]},
        {"valueString": "3.2 kg"},
        {"valueInteger": "3"},
        {"valueBoolean": False},
        {"valueCodeableConcept": [{"text": "Detected"}]},
    ],
)
def test_a_value_that_its_reader_knows_is_left_to_it(value: dict[str, Any]) -> None:
    assert unread_value(value, KNOWN) == ""


@pytest.mark.parametrize("name", ["valueInteger", "valueBoolean", "valueCodeableConcept"])
def test_what_one_reader_knows_another_does_not(name: str) -> None:
    value = {"valueInteger": 3, "valueBoolean": True, "valueCodeableConcept": {"text": "x"}}[name]
    assert unread_value({name: value}, KNOWN) == ""
    assert unread_value({name: value}, READ_AS_QUANTITY) == name
