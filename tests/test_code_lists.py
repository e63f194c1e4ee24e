"""The code lists in cards/outside/codes: check digits, confidence, systems, and one pack per kit."""

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

CARDS = Path(__file__).resolve().parents[1] / "cards"
CODES = CARDS / "outside" / "codes"

SYSTEMS: dict[str, list[str]] = yaml.safe_load((CODES / "systems.yaml").read_text(encoding="utf-8"))
FILES = sorted(path for path in CODES.glob("*.yaml") if path.name != "systems.yaml")
CONCEPTS: dict[str, list[dict[str, Any]]] = {
    concept: entries for path in FILES for concept, entries in yaml.safe_load(path.read_text(encoding="utf-8")).items()
}
ENTRIES = [entry for entries in CONCEPTS.values() for entry in entries]

# The Verhoeff scheme: the dihedral group of order 10, its permutation, applied from the right.
VERHOEFF_D = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
VERHOEFF_P = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def passes_verhoeff(identifier: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(identifier)):
        check = int(VERHOEFF_D[check][int(VERHOEFF_P[place % 8][int(digit)])])
    return check == 0


def passes_luhn(code: str) -> bool:
    """LOINC: the digit after the hyphen is the mod 10 check digit of the digits before it."""
    number, _, check_digit = code.partition("-")
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += value // 10 + value % 10
    return check_digit == str(-total % 10)


def codes_of(system: str) -> list[str]:
    return [entry["code"] for entry in ENTRIES if entry["system"] == system]


def kit_ndcs_of_table_3() -> set[str]:
    with (CARDS / "label" / "table_3_kits.csv").open(encoding="utf-8", newline="") as file:
        return {row["ndc"] for row in csv.DictReader(file)}


def test_the_check_digit_tests_refuse_known_wrong_codes() -> None:
    assert passes_luhn("40665-2")
    assert not passes_luhn("40665-0")
    assert passes_verhoeff("64383006")
    assert not passes_verhoeff("80854005")


@pytest.mark.parametrize("code", codes_of("LOINC"))
def test_every_loinc_passes_its_check_digit(code: str) -> None:
    assert re.fullmatch(r"\d{1,7}-\d", code)
    assert passes_luhn(code)


@pytest.mark.parametrize("code", codes_of("SNOMED"))
def test_every_snomed_identifier_passes_verhoeff(code: str) -> None:
    assert re.fullmatch(r"\d{6,18}", code)
    assert passes_verhoeff(code)


def test_every_entry_has_a_system_a_quoted_code_a_name_and_a_confidence() -> None:
    for entry in ENTRIES:
        assert {"system", "code", "name", "confidence"} <= set(entry), entry
        assert isinstance(entry["code"], str), entry
        assert entry["name"], entry


def test_no_concept_is_written_twice() -> None:
    keys = [key for path in FILES for key in re.findall(r"(?m)^(\w+):", path.read_text(encoding="utf-8"))]
    assert sorted(keys) == sorted(CONCEPTS)


def test_no_code_stands_twice_inside_a_concept() -> None:
    for concept, entries in CONCEPTS.items():
        seen = [(entry["system"], entry["code"]) for entry in entries]
        assert len(seen) == len(set(seen)), concept


def test_no_code_is_both_wanted_and_excluded() -> None:
    for wanted, refused in (
        ("spinal_muscular_atrophy", "not_spinal_muscular_atrophy"),
        ("body_weight", "body_weight_not_for_dosing"),
        ("gestational_age", "gestational_age_excluded"),
    ):
        codes = [{(e["system"], e["code"]) for e in CONCEPTS[name]} for name in (wanted, refused)]
        assert codes[0].isdisjoint(codes[1]), wanted


def test_only_confirmed_codes_are_listed() -> None:
    assert {entry["confidence"] for entry in ENTRIES} <= {"confirmed_1", "confirmed_2plus"}


def test_every_system_is_known_and_none_is_cpt() -> None:
    assert {entry["system"] for entry in ENTRIES} <= set(SYSTEMS)
    assert "CPT" not in SYSTEMS
    assert not [uri for uris in SYSTEMS.values() for uri in uris if "ama-assn" in uri]


def test_no_address_belongs_to_two_systems() -> None:
    uris = [uri for uris in SYSTEMS.values() for uri in uris]
    assert len(uris) == len(set(uris))


def test_each_of_the_37_kits_has_one_branded_and_one_generic_pack() -> None:
    kits = kit_ndcs_of_table_3()
    packs = Counter(entry["ndc"] for entry in CONCEPTS["zolgensma_kit"])
    assert len(kits) == 37
    assert packs == dict.fromkeys(kits, 2)


def test_completed_weeks_are_those_of_the_name() -> None:
    for entry in CONCEPTS["premature_birth"]:
        stated = re.search(r"gestational age (\d+) completed weeks$", entry["name"])
        assert entry.get("completed_weeks") == (int(stated[1]) if stated else None), entry["code"]
