"""Codes are looked up as exact pairs, apart from blanks around them and the dots of ICD-10-CM."""

from __future__ import annotations

import pytest

from cds_service.domain.codes import Code, CodeBook

BOOK = CodeBook.of(
    {"sma": (Code("ICD10CM", "G12.0", "Synthetic name", "confirmed_1"),)},
    {"ICD10CM": ("http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90"), "NDC": ()},
)


@pytest.mark.parametrize("code", ["G12.0", "G120", " G12.0 "])
@pytest.mark.parametrize("address", ["http://hl7.org/fhir/sid/icd-10-cm", " urn:oid:2.16.840.1.113883.6.90"])
def test_a_code_is_found_under_every_address_of_its_system(address: str, code: str) -> None:
    found = BOOK.look_up(address, code)
    assert found is not None
    assert found[0] == "sma"


@pytest.mark.parametrize(
    ("address", "code"),
    [("http://loinc.org", "G12.0"), ("", "G12.0"), (None, "G12.0"), (5, 5), ("http://hl7.org/fhir/sid/icd-10-cm", 120)],
)
def test_anything_else_is_not_found(address: object, code: object) -> None:
    assert BOOK.look_up(address, code) is None


def test_only_the_accepted_addresses_are_the_system() -> None:
    assert BOOK.is_system(" http://hl7.org/fhir/sid/icd-10-cm", "ICD10CM")
    assert not BOOK.is_system("http://hl7.org/fhir/sid/icd-10-cm/", "ICD10CM")
    assert not BOOK.is_system(None, "ICD10CM")


CVX = CodeBook.of(
    {"mmr": (Code("CVX", "03", "Synthetic name", "confirmed_1"),)}, {"CVX": ("http://hl7.org/fhir/sid/cvx",)}
)


@pytest.mark.parametrize(("code", "is_found"), [("03", True), ("3", True), ("003", False), ("30", False)])
def test_a_vaccine_code_may_have_lost_its_leading_zero(code: str, is_found: bool) -> None:
    assert (CVX.look_up("http://hl7.org/fhir/sid/cvx", code) is not None) is is_found


OTHER = ("urn:local",)


@pytest.mark.parametrize(
    ("listed", "code", "is_found"),
    [("1.2", "1.2", True), ("12", "1.2", True), ("1.2", "12", False), ("03", "3", False), ("3", "3", True)],
)
def test_a_code_of_another_system_keeps_its_dot_and_its_length(listed: str, code: str, is_found: bool) -> None:
    book = CodeBook.of({"any": (Code("LOCAL", listed, "Synthetic name", "confirmed_1"),)}, {"LOCAL": OTHER})
    assert (book.look_up("urn:local", code) is not None) is is_found


def test_a_chapter_is_found_by_the_beginning_of_its_codes_and_a_code_only_whole() -> None:
    chapter = Code("ICD10CM", "K7", "Synthetic chapter", "confirmed_1", is_prefix=True)
    book = CodeBook.of({"liver": (chapter,)}, {"ICD10CM": ("urn:icd",)})
    assert book.look_up("urn:icd", "K72.00") == ("liver", chapter)
    whole = CodeBook.of(
        {"liver": (Code("ICD10CM", "K72", "Synthetic name", "confirmed_1"),)}, {"ICD10CM": ("urn:icd",)}
    )
    assert whole.look_up("urn:icd", "K72.00") is None
