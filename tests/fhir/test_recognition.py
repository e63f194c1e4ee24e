"""The product is recognised by every code and name it goes by, and nothing else is (ruling 54)."""

from __future__ import annotations

from typing import Any

import pytest
from builders import SYSTEMS
from label_transcription import TABLE_3

from cds_service.domain.facts import Suffix
from cds_service.fhir.recognition import Medicine, Named, Recognition, medications_by_reference
from cds_service.presentation import Catalogue

NDC, RXNORM = SYSTEMS["NDC"], SYSTEMS["RXNORM"]
KITS = [row[5] for row in TABLE_3]


def medicine(recognition: Recognition, *codings: dict[str, Any], text: str = "") -> Medicine:
    concept: dict[str, Any] = {"coding": list(codings)} | ({"text": text} if text else {})
    return recognition.medicine([concept])


def ndc(code: str, system: str | None = NDC) -> dict[str, Any]:
    return {"code": code} | ({"system": system} if system else {})


def spellings(kit: str) -> list[str]:
    labeler, product, package = kit.split("-")
    return [kit, f"{labeler}-0{product}-{package}", f"{labeler}0{product}{package}", f"{labeler}{product}{package}"]


@pytest.mark.parametrize("kit", KITS)
def test_a_kit_is_recognised_in_every_spelling_of_its_code(recognition: Recognition, kit: str) -> None:
    for code in spellings(kit):
        found = medicine(recognition, ndc(code))
        assert (found.named, found.kit_codes) == (Named.THIS_PRODUCT, (kit,)), code


@pytest.mark.parametrize("system", [NDC, "urn:oid:2.16.840.1.113883.6.69", None])
def test_a_kit_is_recognised_under_both_addresses_of_the_code_system_and_under_none(
    recognition: Recognition, system: str | None
) -> None:
    assert medicine(recognition, ndc("71894-121-03", system)).kit_codes == ("71894-121-03",)


@pytest.mark.parametrize(
    "system", [RXNORM, "http://hl7.org/fhir/sid/ndc/", "https://hl7.org/fhir/sid/ndc", "http://ehr.example.org/drugs"]
)
def test_a_package_code_under_another_system_is_none(recognition: Recognition, system: str) -> None:
    assert medicine(recognition, ndc("71894-121-03", system)).named is Named.SOMETHING_ELSE


@pytest.mark.parametrize("code", ["71894-110-01", "71894-115-01", "71894-0115-01", "71894011501"])
def test_a_vial_is_this_product(recognition: Recognition, code: str) -> None:
    assert medicine(recognition, ndc(code)).named is Named.THIS_PRODUCT


def test_labeler_and_product_without_a_package_are_this_product(recognition: Recognition) -> None:
    assert medicine(recognition, ndc("71894-121")).named is Named.THIS_PRODUCT


@pytest.mark.parametrize(
    "code",
    ["71894-119-02", "71894-157-14", "71894-999-01", "71895-121-03", "00071-121-03", "71894", "121-03", "7189412", ""],
)
def test_a_code_outside_the_range_is_not_the_product(recognition: Recognition, code: str) -> None:
    assert medicine(recognition, ndc(code)).named is Named.SOMETHING_ELSE


def test_an_unknown_code_of_the_labeler_is_kept_where_the_name_says_the_product(recognition: Recognition) -> None:
    found = medicine(recognition, ndc("71894-999-01"), text="Zolgensma")
    assert (found.named, found.kit_codes) == (Named.THIS_PRODUCT, ("71894-999-01",))


def test_every_rxnorm_code_of_a_kit_names_that_kit(recognition: Recognition, catalogue: Catalogue) -> None:
    codes = catalogue.codes.concepts["zolgensma_kit"]
    assert len(codes) == 74
    for item in codes:
        found = medicine(recognition, {"system": RXNORM, "code": item.code})
        assert (found.named, found.kit_codes) == (Named.THIS_PRODUCT, (item.kit_ndc,)), item.name


def test_every_rxnorm_code_of_the_product_is_recognised(recognition: Recognition, catalogue: Catalogue) -> None:
    for item in catalogue.codes.concepts["zolgensma"]:
        found = medicine(recognition, {"system": SYSTEMS[item.system], "code": item.code})
        assert (found.named, found.suffix) == (Named.THIS_PRODUCT, Suffix.THIS_PRODUCT), item.name


def test_a_kit_named_twice_is_one(recognition: Recognition) -> None:
    found = medicine(recognition, ndc("71894-121-03"), ndc("71894012103"), {"system": RXNORM, "code": "2170247"})
    assert found.kit_codes == ("71894-121-03",)


def test_two_different_kits_are_both_kept(recognition: Recognition) -> None:
    found = medicine(recognition, ndc("71894-121-03"), {"system": RXNORM, "code": "2170249"})
    assert set(found.kit_codes) == {"71894-121-03", "71894-122-03"}


@pytest.mark.parametrize(
    "text",
    [
        "Zolgensma", "ZOLGENSMA", "zolgensma 2.6-3.0 kg kit", "Onasemnogene abeparvovec-xioi", "ONASEMNOGENE ABEPARVOVEC-XIOI 2E13 VG/ML IV KIT",
        "(Zolgensma)", "Zolgensma®", "Zolgensma, 5.5 mL",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["text", "display"])
def test_the_product_is_recognised_by_its_names(recognition: Recognition, text: str, place: str) -> None:
    concept = {"text": text} if place == "text" else {"coding": [{"display": text}]}
    found = recognition.medicine([concept])
    assert (found.named, found.suffix) == (Named.THIS_PRODUCT, Suffix.THIS_PRODUCT)


@pytest.mark.parametrize(
    "text", ["ITVISMA", "itvisma 60 mL", "onasemnogene abeparvovec-brve", "Onasemnogene Abeparvovec-BRVE intrathecal"]
)
def test_the_intrathecal_relative_alone_is_not_ours(recognition: Recognition, text: str) -> None:
    found = medicine(recognition, text=text)
    assert found.named is Named.INTRATHECAL_PRODUCT
    assert not found.is_ours


def test_the_relatives_name_beside_ours_is_ours_and_a_contradiction(recognition: Recognition) -> None:
    found = medicine(recognition, {"system": RXNORM, "code": "2170231"}, text="onasemnogene abeparvovec-brve")
    assert (found.is_ours, found.suffix) == (True, Suffix.INTRATHECAL_PRODUCT)


@pytest.mark.parametrize(
    "concept",
    [
        {"coding": [{"system": RXNORM, "code": "2170226"}]},
        {"coding": [{"system": "http://www.whocc.no/atc", "code": "M09AX09"}]},
        {"coding": [{"system": "http://fdasis.nlm.nih.gov", "code": "MLU3LU3EVV"}]},
        {"text": "onasemnogene abeparvovec"},
        {"text": "Onasemnogene abeparvovec 2 x 10^13 vg/mL"},
    ],
)
def test_the_shared_ingredient_opens_the_gate_and_proves_no_product(
    recognition: Recognition, concept: dict[str, Any]
) -> None:
    found = recognition.medicine([concept])
    assert (found.named, found.suffix, found.is_ours) == (Named.INGREDIENT_ONLY, Suffix.NOT_STATED, True)


@pytest.mark.hazard("H45")
@pytest.mark.parametrize(
    "concept",
    [
        {}, {"text": ""}, {"text": None}, {"coding": None}, {"coding": [None, "x", {}]}, {"coding": {"code": None}},
        {"text": "Amoxicillin"}, {"text": "Zolgensmab"}, {"text": "PreZolgensma"}, {"text": "zolgen sma"}, {"text": "abeparvovec"},
        {"coding": [{"system": RXNORM, "code": "999999"}]}, {"coding": [{"code": "2170231"}]},
    ],
)  # fmt: skip
def test_nothing_else_is_the_product(recognition: Recognition, concept: dict[str, Any]) -> None:
    assert recognition.medicine([concept]).named is Named.SOMETHING_ELSE


def test_the_coding_that_counts_need_not_be_the_first(recognition: Recognition) -> None:
    local = {"system": "urn:oid:1.2.3", "code": "77", "userSelected": True}
    assert medicine(recognition, local, {"code": None}, ndc("71894-121-03")).named is Named.THIS_PRODUCT


def test_names_are_kept_as_written_each_once(recognition: Recognition) -> None:
    found = medicine(recognition, {"display": "ZOLGENSMA kit"}, {"display": "ZOLGENSMA kit"}, text="Zolgensma")
    assert found.names == ("Zolgensma", "ZOLGENSMA kit")


# --- references to a medication

MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"coding": [ndc("71894-121-03")]}}


def order(reference: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "medicationReference": reference, **members}


def test_a_contained_medication_is_found(recognition: Recognition) -> None:
    found = recognition.medicine_of(
        order({"reference": "#m1"}, contained=[{"resourceType": "Medication", "id": "x"}, MEDICATION]), {}
    )
    assert found.kit_codes == ("71894-121-03",)


def test_a_single_contained_medication_need_not_stand_in_a_list(recognition: Recognition) -> None:
    assert recognition.medicine_of(order({"reference": "#m1"}, contained=MEDICATION), {}).is_ours


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("Medication/m1", ""),
        ("https://ehr.example.org/fhir/Medication/m1", ""),
        ("Medication/m1/_history/1", ""),
        ("urn:uuid:5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e", "urn:uuid:5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e"),
        ("Medication/other", "https://ehr.example.org/Medication/other"),
    ],
)
def test_a_medication_beside_the_order_is_found(recognition: Recognition, reference: str, address: str) -> None:
    medications = medications_by_reference([(address, MEDICATION)])
    assert recognition.medicine_of(order({"reference": reference}), medications).kit_codes == ("71894-121-03",)


def test_an_ingredient_of_a_medication_counts(recognition: Recognition) -> None:
    mixture = {
        "resourceType": "Medication",
        "id": "m1",
        "ingredient": [{"itemCodeableConcept": {"text": "onasemnogene abeparvovec-xioi"}}],
    }
    assert recognition.medicine_of(order({"reference": "#m1"}, contained=[mixture]), {}).named is Named.THIS_PRODUCT


@pytest.mark.parametrize("place", ["contained", "beside"])
def test_an_ingredient_that_is_a_medication_of_its_own_counts(recognition: Recognition, place: str) -> None:
    mixture = {
        "resourceType": "Medication",
        "id": "bag",
        "ingredient": [{"itemReference": {"reference": f"{prefix}{name}"}} for prefix, name in (
            ("#", "saline"), ("#" if place == "contained" else "Medication/", "m1"),
        )],
    }  # fmt: skip
    saline = {"resourceType": "Medication", "id": "saline", "code": {"text": "Sodium chloride 0.9 %"}}
    contained = [mixture, saline, *([MEDICATION] if place == "contained" else [])]
    beside = medications_by_reference([("", MEDICATION)]) if place == "beside" else {}
    found = recognition.medicine_of(order({"reference": "#bag"}, contained=contained), beside)
    assert (found.named, found.kit_codes) == (Named.THIS_PRODUCT, ("71894-121-03",))


def test_of_several_references_each_is_followed(recognition: Recognition) -> None:
    several = order(
        {}, medicationReference=[{"display": "Sodium chloride"}, {"reference": "#m1"}], contained=[MEDICATION]
    )
    assert recognition.medicine_of(several, {}).is_ours


@pytest.mark.parametrize(
    ("members", "is_nameless"),
    [
        ({"medicationReference": {"reference": "Medication/away"}}, True),
        ({"medicationReference": {"reference": "Medication/away", "display": "X"}}, False),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": 2170231}]}}, False),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": 7}]}}, True),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "7"}]}}, False),
        ({"medicationCodeableConcept": {"coding": [{"system": ["x"], "code": "8638"}]}}, True),
        ({"medicationCodeableConcept": {"coding": [{"code": "8638"}]}}, False),
        ({"medicationCodeableConcept": {"coding": [{"extension": [{"url": "x", "valueCode": "masked"}]}]}}, True),
        ({}, True),
    ],
)
def test_a_medication_that_nothing_names_is_nameless(
    recognition: Recognition, members: dict[str, Any], is_nameless: bool
) -> None:
    assert recognition.is_nameless({"resourceType": "MedicationRequest", **members}, {}) is is_nameless


def test_a_reference_that_leads_nowhere_is_known_by_its_display(recognition: Recognition) -> None:
    assert (
        recognition.medicine_of(order({"reference": "Medication/away", "display": "ZOLGENSMA KIT"}), {}).named
        is Named.THIS_PRODUCT
    )
    assert recognition.medicine_of(order({"reference": "Medication/away"}), {}).named is Named.SOMETHING_ELSE
    assert recognition.medicine_of(order({"display": "Zolgensma"}), {}).named is Named.THIS_PRODUCT


@pytest.mark.parametrize(
    "reference", [None, "Medication/m1", [], {}, {"reference": 5}, {"reference": "#"}, {"reference": "#m2"}]
)
def test_an_odd_reference_is_no_medication(recognition: Recognition, reference: Any) -> None:
    assert (
        recognition.medicine_of(order(reference, contained=[MEDICATION, None, "x"]), {}).named is Named.SOMETHING_ELSE
    )


def test_only_medications_are_indexed() -> None:
    assert medications_by_reference([("", {"resourceType": "Patient", "id": "m1"}), ("", {})]) == {}


def test_words_are_compared_as_a_whole_apart_from_case_and_a_final_stop(recognition: Recognition) -> None:
    assert recognition.says("route_intravenous", ["Intravenous."])
    assert not recognition.says("route_intravenous", ["not intravenous", "intravenous or oral", ""])


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Prednisolone 15 mg/5 mL", {"prednisolone"}),
        ("METHYLPREDNISOLONE", {"methylprednisolone"}),
        ("Orapred, then prednisone", {"orapred", "prednisone"}),
        ("prednisolones", set()),
        ("", set()),
    ],
)
def test_words_of_a_list_are_found_as_whole_words_in_any_case(
    recognition: Recognition, said: str, found: set[str]
) -> None:
    assert recognition.words_in("steroid_name", said) == found
    assert recognition.holds("steroid_name", said) is bool(found)
