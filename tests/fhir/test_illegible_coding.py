"""Which codings cannot be read: those whose system or code is there, and is no text."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.json_shapes import is_illegible_coding

LOINC = "http://loinc.org"


@pytest.mark.parametrize(
    "coding",
    [
        {"system": [LOINC], "code": "777-3"},
        {"system": [[]], "code": "777-3"},
        {"system": {}, "code": "777-3"},
        {"system": False, "code": "777-3"},
        {"system": LOINC, "code": 777},
        {"system": LOINC, "code": ["777-3"]},
        ["777-3"],
        5,
    ],
)
def test_a_coding_whose_system_or_code_is_no_text_cannot_be_read(coding: Any) -> None:
    assert is_illegible_coding(coding)


@pytest.mark.parametrize(
    "coding",
    [
        {"system": LOINC, "code": "777-3"},
        {"code": "777-3"},
        {"system": None, "code": "777-3"},
        {"system": "", "code": " "},
        {},
        None,
        [],
    ],
)
def test_a_coding_of_which_a_part_is_absent_can_be_read(coding: Any) -> None:
    assert not is_illegible_coding(coding)
