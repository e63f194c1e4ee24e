"""References in one spelling, whatever a sender writes."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.references import identifiers, own_reference, plain_reference, referenced


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Patient/1", "Patient/1"),
        (" Patient/1 ", "Patient/1"),
        ("https://ehr.example.org/fhir/r4/Patient/1", "Patient/1"),
        ("http://Patient/Patient/1", "Patient/1"),
        ("Patient/1/_history/2", "Patient/1"),
        ("https://ehr.example.org/fhir/Patient/1/_history/2", "Patient/1"),
        ("Patient/1/", "Patient/1"),
        ("/Patient/1", "Patient/1"),
        ("Patient/a.b-C.9", "Patient/a.b-C.9"),
        ("#med-1", "#med-1"),
        ("urn:uuid:5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e", "urn:uuid:5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e"),
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("1", ""),
        ("Patient", ""),
        ("patient/1", ""),
        ("Patient/1/Observation", ""),
        ("Patient?identifier=x|1", ""),
        ("https://ehr.example.org", ""),
        ("", ""),
        (None, ""),
        (5, ""),
        (["Patient/1"], "Patient/1"),
        (["Patient/1", "Patient/2"], ""),
        ([], ""),
        ([["Patient/1"]], ""),
        ({"reference": "Patient/1"}, ""),
    ],
)
def test_a_reference_is_read_as_type_and_id(written: Any, plain: str) -> None:
    assert plain_reference(written) == plain


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ({"resourceType": "Patient", "id": "1"}, "Patient/1"),
        ({"resourceType": " Patient", "id": " 1 "}, "Patient/1"),
        ({"resourceType": "Patient"}, "Patient"),
        ({"resourceType": "Patient", "id": 1}, "Patient"),
        ({}, ""),
    ],
)
def test_a_resource_is_known_by_type_and_id(resource: dict[str, Any], name: str) -> None:
    assert own_reference(resource) == name


@pytest.mark.parametrize(
    "element",
    [None, "Patient/1", [], [{"reference": "Patient/1"}], {}, {"display": "Jane Doe"}, {"identifier": {"value": "1"}}],
)
def test_an_element_without_a_reference_refers_to_nothing(element: Any) -> None:
    assert referenced(element) == ""


def test_identifiers_are_pairs_of_system_and_value() -> None:
    found = identifiers(
        {"identifier": [{"system": "s", "value": " v "}, {"value": "w"}, {"system": "s"}, None, {"value": ""}]}
    )
    assert found == {"s|v"}
