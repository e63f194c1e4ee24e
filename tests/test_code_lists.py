"""The code lists, units and names in cards/outside: check digits, confidence, systems, strengths, conversions."""

import csv
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.domain.codes import CodeBook
from cds_service.errors import ContentProblem
from cds_service.presentation.load_codes import load_codes
from cds_service.presentation.site_files import SiteCodes

CARDS = Path(__file__).resolve().parents[1] / "cards"
CODES = CARDS / "outside" / "codes"

SYSTEMS: dict[str, list[str]] = yaml.safe_load((CODES / "systems.yaml").read_text(encoding="utf-8"))
FILES = sorted(path for path in CODES.glob("*.yaml") if path.name != "systems.yaml")
CONCEPTS: dict[str, list[dict[str, Any]]] = {
    concept: entries for path in FILES for concept, entries in yaml.safe_load(path.read_text(encoding="utf-8")).items()
}
ENTRIES = [entry for entries in CONCEPTS.values() for entry in entries]
UNITS: dict[str, dict[str, Any]] = yaml.safe_load((CARDS / "outside" / "units.yaml").read_text(encoding="utf-8"))
NAMES: dict[str, list[str]] = yaml.safe_load((CARDS / "outside" / "names.yaml").read_text(encoding="utf-8"))

STEROIDS = (
    "prednisolone", "prednisone", "methylprednisolone", "hydrocortisone", "dexamethasone", "betamethasone", "cortisone",
    "triamcinolone", "deflazacort", "vamorolone",
)  # fmt: skip
ANALYTES = (
    "alt", "ast", "total_bilirubin", "direct_bilirubin", "albumin", "prothrombin_time", "partial_thromboplastin_time",
    "inr", "creatinine", "hemoglobin", "platelets", "body_temperature", "ldh", "haptoglobin", "troponin_i", "troponin_t",
)  # fmt: skip
# The shape of a code by its system, as it is written here.
SHAPES = {
    "LOINC": r"\d{1,7}-\d",
    "SNOMED": r"\d{6,18}",
    "RXNORM": r"[1-9]\d{0,6}",
    "CVX": r"\d{2,3}",
    "ICD10CM": r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
    "ATC": r"[A-Z]\d{2}[A-Z]{2}\d{2}",
}

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


@pytest.fixture(scope="module")
def book() -> CodeBook:
    return load_codes(CODES, SiteCodes())


def codes_of(system: str) -> list[str]:
    return [entry["code"] for entry in ENTRIES if entry["system"] == system and "prefix" not in entry]


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


def test_no_code_stands_in_two_concepts() -> None:
    """So a code is never both wanted and excluded, and a panel never carries the result of one of its tests."""
    concepts: dict[tuple[str, str], list[str]] = {}
    for concept, entries in CONCEPTS.items():
        for entry in entries:
            concepts.setdefault((entry["system"], entry["code"].replace(".", "")), []).append(concept)
    assert {key: found for key, found in concepts.items() if len(found) > 1} == {}


@pytest.mark.parametrize("system", SHAPES)
def test_codes_have_the_shape_of_their_system(system: str) -> None:
    assert [code for code in codes_of(system) if not re.fullmatch(SHAPES[system], code)] == []


def test_the_beginnings_of_codes_are_those_of_icd_10_cm() -> None:
    beginnings = [(entry["system"], entry["code"]) for entry in ENTRIES if "prefix" in entry]
    assert beginnings
    assert all(system == "ICD10CM" for system, _ in beginnings)
    assert [code for _, code in beginnings if not re.fullmatch(r"[A-Z]\d?[0-9A-Z]?(\.\d)?", code)] == []


ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"


def chapter_2() -> list[tuple[str, str]]:
    """Every category of neoplasms with what it is, by the headings of the chapter: C00-D49 with D3A."""
    malignant = [f"C{n:02}" for n in range(97)] + ["C4A", "C7A", "C7B"]
    in_situ, uncertain = [f"D{n:02}" for n in range(10)], [f"D{n}" for n in range(37, 50)]
    benign = [f"D{n}" for n in range(10, 37)] + ["D3A"]
    others = [(code, "neoplasm") for code in (*malignant, *in_situ, *uncertain)]
    return [*others, *((code, "benign_neoplasm") for code in benign)]


def test_every_category_of_neoplasms_is_benign_or_not(book: CodeBook) -> None:
    for category, concept in chapter_2():
        for code in (category, f"{category}.0", f"{category}0", f"{category}.9"):
            found = book.look_up(ICD10CM, code)
            assert found is not None, code
            assert found[0] == concept, code


@pytest.mark.parametrize(
    "code", ["D50", "D50.9", "D89.9", "B99.9", "E00", "D", "D1", "C5", "Cough", "C50000000", "c50.1", ""]
)
def test_what_is_no_neoplasm_is_found_by_no_beginning(book: CodeBook, code: str) -> None:
    assert book.look_up(ICD10CM, code) is None


@pytest.mark.parametrize("address", ["http://snomed.info/sct", "http://loinc.org", "http://example.org/icd"])
def test_beginnings_count_in_their_own_system_only(book: CodeBook, address: str) -> None:
    assert book.look_up(address, "C50.1") is None


def test_an_exact_code_counts_before_the_beginning_of_one(book: CodeBook) -> None:
    found = book.look_up(ICD10CM, "M31.11")
    assert found is not None
    assert (found[0], found[1].code, found[1].is_prefix) == ("thrombotic_microangiopathy", "M31.11", False)
    legacy = book.look_up(ICD10CM, "M31.1")
    assert legacy is not None
    assert (legacy[0], legacy[1].is_prefix) == ("thrombotic_microangiopathy", True)


@pytest.mark.parametrize(
    "entry",
    [
        '{system: ICD10CM, code: "C", name: "Synthetic", confidence: confirmed_1, prefix: 1}',
        '{system: ICD10CM, code: "C", name: "Synthetic", confidence: confirmed_1, prefix: false}',
        '{system: SNOMED, code: "1", name: "Synthetic", confidence: confirmed_1, prefix: true}',
    ],
)
def test_a_beginning_that_is_none_stops_the_start(tmp_path: Path, entry: str) -> None:
    systems = "ICD10CM:\n  - http://example.org/icd\nSNOMED:\n  - http://example.org/sct\n"
    (tmp_path / "systems.yaml").write_text(systems, encoding="utf-8")
    (tmp_path / "conditions.yaml").write_text(f"neoplasm:\n  - {entry}\n", encoding="utf-8")
    with pytest.raises(ContentProblem, match="prefix is true or left out"):
        load_codes(tmp_path, SiteCodes())


def test_what_does_not_count_stays_out() -> None:
    """Albumin by electrophoresis, an estimate of platelets, and a capillary prothrombin time nobody confirmed."""
    assert not {"2862-1", "46417-2"} & set(codes_of("LOINC"))
    assert [entry["code"] for entry in CONCEPTS["platelet_estimate"]] == ["49497-1"]


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


@pytest.mark.parametrize("steroid", STEROIDS)
def test_every_steroid_has_its_systemic_class_and_its_ingredient(steroid: str) -> None:
    forms = {(entry["system"], entry["form"]) for entry in CONCEPTS[steroid]}
    assert {("ATC", "systemic"), ("RXNORM", "any")} <= forms
    assert all(entry["form"] == "systemic" for entry in CONCEPTS[steroid] if entry["system"] == "ATC")


@pytest.mark.parametrize("entry", [e for name in STEROIDS for e in CONCEPTS[name]], ids=lambda e: str(e["code"]))
def test_form_and_strength_are_those_of_the_name(entry: dict[str, Any]) -> None:
    stated = re.findall(r"([\d.]+) MG(/ML)?(?![\w/])", entry["name"])
    forms = [form for word, form in (("Oral", "oral"), ("Inject", "injection")) if word in entry["name"]]
    assert entry["form"] in (forms or ["systemic", "any"])
    assert bool(stated) == bool(forms)
    strengths = {field: entry[field] for field in ("mg_per_ml", "mg_per_unit") if field in entry}
    if len(stated) != 1:
        assert strengths == {}
    else:
        number, per_ml = stated[0]
        assert {field: Decimal(str(value)) for field, value in strengths.items()} == {
            "mg_per_ml" if per_ml else "mg_per_unit": Decimal(number)
        }


def test_only_medicines_carry_a_form_or_a_strength() -> None:
    carrying = {
        concept for concept, es in CONCEPTS.items() for e in es if {"form", "mg_per_ml", "mg_per_unit"} & set(e)
    }
    assert carrying == set(STEROIDS)


def test_strengths_are_loaded_as_exact_numbers(book: CodeBook) -> None:
    found = book.look_up("http://www.nlm.nih.gov/research/umls/rxnorm", "314099")
    assert found is not None
    assert (found[0], found[1].form, found[1].mg_per_ml) == ("methylprednisolone", "injection", Decimal("62.5"))


@pytest.mark.parametrize("address", SYSTEMS["CVX"])
@pytest.mark.parametrize("code", ["3", "03", " 3 "])
def test_a_vaccine_code_is_found_with_and_without_its_zero(book: CodeBook, address: str, code: str) -> None:
    found = book.look_up(address, code)
    assert found is not None
    assert (found[0], found[1].name) == ("vaccine_mmr", "MMR")


@pytest.mark.parametrize("code", ["0", "003", "x", "1e"])
def test_nothing_else_becomes_a_vaccine_code(book: CodeBook, code: str) -> None:
    assert book.look_up("http://hl7.org/fhir/sid/cvx", code) is None
    assert book.look_up("http://www.nlm.nih.gov/research/umls/rxnorm", "3") is None


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ("form: sublingual", "form is sublingual"),
        ("mg_per_ml: three", "value three is not a number"),
        ("mg_per_ml: yes", "is not a number"),
        ("mg_per_unit: 0", "a strength is above 0"),
        ("mg_per_unit: -2.5", "a strength is above 0"),
    ],
)
def test_a_wrong_form_or_strength_stops_the_start(tmp_path: Path, fields: str, what: str) -> None:
    (tmp_path / "systems.yaml").write_text("RXNORM:\n  - http://example.org/rxnorm\n", encoding="utf-8")
    (tmp_path / "steroids.yaml").write_text(
        f'prednisolone:\n  - {{system: RXNORM, code: "1", name: "Synthetic", confidence: confirmed_1, {fields}}}\n',
        encoding="utf-8",
    )
    with pytest.raises(ContentProblem, match=re.escape(what)):
        load_codes(tmp_path, SiteCodes())


@pytest.mark.parametrize("concept", ANALYTES)
def test_an_analytes_units_belong_to_its_codes(concept: str) -> None:
    assert CONCEPTS[concept]
    assert UNITS[concept]["one_is"][UNITS[concept]["own_unit"]] == 1
    assert UNITS[concept]["spellings"][UNITS[concept]["own_unit"]] == UNITS[concept]["own_unit"]


# What one unit is in another, from the definition of both: of the avoirdupois pound of 1959, of the calendar, of the
# katal, and of the prefixes of the International System of Units. What is not here is the same amount in other letters.
CONVERSIONS = {
    ("kg", "g"): "0.001", ("kg", "[lb_av]"): "0.45359237", ("kg", "[oz_av]"): "0.028349523125",
    ("d", "wk"): "7", ("s", "min"): "60", ("s", "h"): "3600",
    ("mL", "L"): "1000", ("mL", "uL"): "0.001", ("mL", "L/(24.h)"): "1000", ("mL", "L/d"): "1000", ("mL/h", "mL/min"): "60",
    ("vg", "10*13.{vg}"): "10000000000000", ("vg", "10*14.{vg}"): "100000000000000", ("vg", "10*15.{vg}"): "1000000000000000",
    ("vg/kg", "10*13.{vg}/kg"): "10000000000000", ("vg/kg", "10*14.{vg}/kg"): "100000000000000",
    ("U/L", "ukat/L"): "60", ("U/L", "nkat/L"): "0.06",
    ("g/dL", "g/L"): "0.1", ("mg/dL", "g/L"): "100", ("ug/L", "ng/L"): "0.001", ("ug/L", "pg/mL"): "0.001",
    ("10*3/uL", "/uL"): "0.001", ("10*3/uL", "/mm3"): "0.001", ("10*3/uL", "{cells}/uL"): "0.001",
    ("mg", "g"): "1000", ("mg", "ug"): "0.001", ("mg/kg", "g/kg"): "1000", ("mg/kg", "ug/kg"): "0.001",
}  # fmt: skip
# Where a mass becomes an amount of substance, each as clinical-rules C4 gives it.
OF_ONE_SUBSTANCE = {
    ("total_bilirubin", "mg/dL"): "17.104", ("direct_bilirubin", "mg/dL"): "17.104", ("creatinine", "mg/dL"): "88.42",
    ("hemoglobin", "mmol/L"): "1.611",
}  # fmt: skip


@pytest.mark.parametrize("concept", UNITS)
def test_conversions_are_those_of_the_definitions_and_of_the_clinical_rules(concept: str) -> None:
    own = UNITS[concept]["own_unit"]
    for unit, factor in UNITS[concept]["one_is"].items():
        spelled = re.sub(r"(?<![A-Za-z])([mud]?)l\b", r"\1L", unit)  # the litre is written with either letter
        expected = OF_ONE_SUBSTANCE.get((concept, spelled), CONVERSIONS.get((own, spelled), "1"))
        assert Decimal(str(factor)) == Decimal(expected), (concept, unit)


def test_a_pound_has_sixteen_ounces() -> None:
    assert 16 * Decimal(CONVERSIONS["kg", "[oz_av]"]) == Decimal(CONVERSIONS["kg", "[lb_av]"])


def test_micrograms_in_letters_are_a_spelling_and_no_code() -> None:
    assert UNITS["troponin_i"]["spellings"]["mcg/L"] == "ug/L"
    assert "mcg/L" not in UNITS["troponin_i"]["one_is"]


def test_ambiguous_spellings_of_units_are_not_accepted() -> None:
    """Gauss, a count that is used for thousands and for millions, and a percentage."""
    spelled = {spelling for concept in ANALYTES for spelling in UNITS[concept]["spellings"]}
    coded = {unit for concept in ANALYTES for unit in UNITS[concept]["one_is"]}
    assert not {"G/L", "/cmm", "%", "mU/mL"} & (spelled | coded)
    assert not {"C", "F"} & coded


def test_names_are_written_as_they_are_compared() -> None:
    """In small letters, without a final stop, once, and never as something YAML reads as a number or a truth value."""
    for name, words in NAMES.items():
        assert all(isinstance(word, str) and word == word.lower().rstrip(". ") for word in words), name
        assert len(words) == len(set(words)), name


@pytest.mark.parametrize(
    "lists",
    [
        ("test_positive", "test_negative", "no_result_yet"),
        ("controlled", "not_controlled"),
        ("test_positive", "test_negative", "smear_present", "smear_absent", "no_result_yet"),
        ("specialty_liver", "specialty_blood", "specialty_kidney", "specialty_heart", "not_consultation"),
        ("teaching", "other_teaching"),
        ("antihypertensive_name", "steroid_name", "anti_infective_name"),
        (
            "sign_encephalopathy",
            "sign_decreased_alertness",
            "sign_deterioration",
            "sign_bruising",
            "sign_jaundice",
            "sign_seizure",
            "sign_oliguria",
        ),
        ("anti_aav9_name", "not_anti_aav9_name"),
        ("vaccine_mmr_name", "vaccine_varicella_name", "vaccine_other_live_name"),
        ("once_a_day", "twice_a_day", "three_times_a_day", "four_times_a_day", "every_other_day"),
        ("route_not_systemic", "route_systemic_oral", "route_enteral_tube"),
    ],
)
def test_no_word_means_two_things(lists: tuple[str, ...]) -> None:
    words = [word for name in lists for word in NAMES[name]]
    assert len(words) == len(set(words))


def test_every_timing_that_repeats_daily_is_known_to_repeat() -> None:
    assert {"qd", "bid", "tid", "qid", "qod", "am", "pm", "bed"} <= set(NAMES["repeating_timing"])
    assert set(NAMES["single_timing"]).isdisjoint(
        word for name in ("once_a_day", "twice_a_day", "every_other_day") for word in NAMES[name]
    )


def test_every_steroid_and_live_vaccine_name_is_recognised_as_such() -> None:
    assert set(STEROIDS) <= set(NAMES["steroid_name"])
    assert {"mmr", "mmrv", "varicella", "rotavirus", "flumist", "bcg", "yellow fever"} <= set(NAMES["vaccine_word"])
