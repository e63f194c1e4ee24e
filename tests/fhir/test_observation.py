"""Observations become weights, gestational ages and SMN1 results."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import SYSTEMS, UCUM

from cds_service.domain.evidence import Standing
from cds_service.domain.facts import GeneReading, GeneticResult, GestationalAge, WeightMeasurement
from cds_service.domain.quantities import Quantity, UnitTable
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.observation import (
    other_evidence,
    read_genetic_report,
    read_genetic_result,
    read_gestational_age,
    read_weight,
)

Resource = dict[str, Any]
Weigh = Callable[[Resource], WeightMeasurement | None]
ReadAge = Callable[[Resource], GestationalAge | None]
ReadGene = Callable[[Resource], GeneticResult | None]


@pytest.fixture
def weigh(recognition: Recognition, clock: SiteClock, units: UnitTable) -> Weigh:
    return lambda resource: read_weight(resource, recognition.concept_of(resource["code"]), clock, units)


@pytest.fixture
def age(clock: SiteClock, units: UnitTable) -> ReadAge:
    return lambda resource: read_gestational_age(resource, clock, units)


@pytest.fixture
def gene(recognition: Recognition, clock: SiteClock) -> ReadGene:
    return lambda resource: read_genetic_result(resource, recognition.concept_of(resource["code"]), clock, recognition)


def observation(*codes: str, **members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": SYSTEMS["LOINC"], "code": code} for code in codes]},
        "effectiveDateTime": "2026-03-01T08:00:00Z",
        **members,
    }


def quantity(value: Any, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


STANDINGS = [
    ("final", Standing.ACCEPTED),
    ("amended", Standing.ACCEPTED),
    ("corrected", Standing.ACCEPTED),
    ("Final ", Standing.ACCEPTED),
    ("preliminary", Standing.PROVISIONAL),
    (" PRELIMINARY", Standing.PROVISIONAL),
    ("registered", Standing.NO_INFORMATION),
    ("cancelled", Standing.NO_INFORMATION),
    ("unknown", Standing.NO_INFORMATION),
    ("", Standing.PROVISIONAL),
    (None, Standing.PROVISIONAL),
    (5, Standing.PROVISIONAL),
]
IN_ERROR = ["entered-in-error", "entered-in-error ", "Entered-In-Error"]


# --- weights


def a_weight(*codes: str, **members: Any) -> Resource:
    return observation(*(codes or ("29463-7",)), **{"valueQuantity": quantity(Decimal("3.2"), "kg"), **members})


def test_a_weight_is_read_with_its_unit_its_day_and_its_place(weigh: Weigh) -> None:
    weight = weigh(a_weight())
    assert weight is not None
    assert weight.quantity == Quantity(Decimal("3.2"), "kg")
    assert (weight.written, weight.measured.day, weight.evidence.reference) == (
        "3.2 kg",
        date(2026, 3, 1),
        "Observation/o1",
    )


@pytest.mark.parametrize(("status", "standing"), STANDINGS)
def test_a_weights_status_decides_what_it_may_do(weigh: Weigh, status: Any, standing: Standing) -> None:
    weight = weigh(a_weight(status=status))
    assert weight is not None
    assert weight.standing is standing


@pytest.mark.hazard("H20")
@pytest.mark.parametrize("status", IN_ERROR)
def test_a_weight_entered_in_error_is_not_there(weigh: Weigh, status: str) -> None:
    assert weigh(a_weight(status=status)) is None


@pytest.mark.parametrize(
    ("codes", "for_dosing"),
    [
        (("29463-7",), True),
        (("3141-9",), True),
        (("8350-1",), True),
        (("8351-9",), True),
        (("8716-3", "29463-7", "3141-9"), True),
        (("3141-9", "8716-3"), True),
        (("8339-4",), False),
        (("3142-7",), False),
        (("8335-2",), False),
        (("8341-0",), False),
        (("29463-7", "3142-7"), False),
    ],
)
def test_the_codes_decide_whether_a_weight_may_set_the_dose(
    weigh: Weigh, codes: tuple[str, ...], for_dosing: bool
) -> None:
    weight = weigh(a_weight(*codes))
    assert weight is not None
    assert weight.for_dosing is for_dosing


@pytest.mark.parametrize("value", [None, {}, [], "", {"extension": [{"url": "x"}]}])
def test_a_weight_without_a_value_gives_no_information(weigh: Weigh, value: Any) -> None:
    weight = weigh(a_weight(valueQuantity=value, dataAbsentReason={"text": "masked"}))
    assert weight is not None
    assert (weight.quantity, weight.standing) == (None, Standing.NO_INFORMATION)


@pytest.mark.parametrize("written", ["3.2 kg", "70000", "SEE COMMENT"])
def test_a_weight_in_free_text_is_shown_and_not_read(weigh: Weigh, written: str) -> None:
    weight = weigh(a_weight(valueQuantity=None, valueString=written))
    assert weight is not None
    assert (weight.quantity, weight.written) == (None, written)


@pytest.mark.parametrize(
    ("members", "written"),
    [
        ({"valueQuantity": "3.2 kg"}, "3.2 kg"),
        ({"valueQuantity": Decimal("3.2")}, "valueQuantity"),
        ({"valueQuantity": [quantity(3, "kg"), quantity(4, "kg")]}, "valueQuantity"),
        ({"valueQuantity": None, "valueInteger": 4}, "valueInteger"),
        ({"valueQuantity": None, "valueString": ["4 kg"]}, "valueString"),
        ({"valueQuantity": None, "valueRange": {"low": quantity(3, "kg")}}, "valueRange"),
        ({"valueQuantity": None, "valueCodeableConcept": {"text": "4 kg"}}, "valueCodeableConcept"),
    ],
)
def test_a_weight_in_another_shape_is_a_weight_that_was_not_read(weigh: Weigh, members: Resource, written: str) -> None:
    weight = weigh(a_weight(**members))
    assert weight is not None
    assert (weight.quantity, weight.standing, weight.written) == (None, Standing.ACCEPTED, written)


def test_a_list_of_one_quantity_is_that_quantity(weigh: Weigh) -> None:
    weight = weigh(a_weight(valueQuantity=[quantity(Decimal("3.2"), "kg"), quantity(Decimal("3.2"), "kg")]))
    assert weight is not None
    assert weight.quantity == Quantity(Decimal("3.2"), "kg")


def test_a_converted_value_in_an_extension_is_not_read(weigh: Weigh) -> None:
    converted = {"extension": [{"url": "convertedMeasurement", "valueQuantity": quantity(7, "[lb_av]")}]}
    weight = weigh(a_weight(valueQuantity=quantity(Decimal("3.2"), "kg") | converted))
    assert weight is not None
    assert weight.written == "3.2 kg"


@pytest.mark.parametrize(
    ("status", "is_correction"), [("final", False), ("amended", True), ("corrected ", True), ("preliminary", False)]
)
def test_a_correction_is_known_by_its_status(weigh: Weigh, status: str, is_correction: bool) -> None:
    weight = weigh(a_weight(status=status))
    assert weight is not None
    assert weight.is_correction is is_correction


# --- gestational age at birth


def in_words(written: str, **members: Any) -> Resource:
    return observation("76516-4", valueString=written, **members)


def days_of(found: GestationalAge | None) -> int | None:
    assert found is not None
    return found.at_birth_days


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("39w0d", 273), ("39w 0d", 273), ("39 w 0 d", 273), ("39W0D", 273), ("39wk 2d", 275), ("39 wks 2 days", 275), ("39 weeks 2 days", 275),
        ("39 weeks and 2 days", 275), ("39 week 1 day", 274), ("39w2d.", 275), (" 39w2d ", 275),
        ("34+3", 241), ("34 + 3", 241), ("34+0", 238), ("34+6", 244),
        ("34 3/7", 241), ("34 0/7", 238), ("34 3/7 weeks", 241), ("34 3/7 wk", 241), ("34w3/7", 241), ("34 weeks 3/7", 241),
        ("34", 238), ("34w", 238), ("34 wk", 238), ("34 weeks", 238), ("34 Weeks", 238),
    ],
)  # fmt: skip
def test_a_gestational_age_is_read_in_every_usual_spelling(age: ReadAge, written: str, days: int) -> None:
    assert days_of(age(in_words(written))) == days


@pytest.mark.parametrize(
    "written",
    [
        "345", "34+7", "34+9", "34 7/7", "34 3/8", "34 8/7", "34+", "+3", "3+4", "4w2d", "034+3", "134+3", "34+3+2", "34-3", "34-36", "34.3", "34,3",
        "34 3", "34w8d", "34w7d", "34w3", "34d", "238", "238 days", "about 34 weeks", "34 weeks?", "<34", ">34+0", "34 to 35 weeks", "34/7",
        "34 months", "thirty-four", "term", "37-41 weeks (term)", "unknown", "SEE COMMENT", "34+3 (by LMP)", "-34", "34e1",
    ],
)  # fmt: skip
def test_a_near_miss_is_not_read(age: ReadAge, written: str) -> None:
    found = age(in_words(written))
    assert found is not None
    assert (found.at_birth_days, found.written) == (None, written)


@pytest.mark.parametrize(
    ("value", "days"),
    [
        (quantity(34, "wk"), 238),
        (quantity(Decimal("34.9"), "wk"), 244),
        (quantity(Decimal("34.14"), "wk"), 238),
        (quantity(241, "d"), 241),
        (quantity("34", "wk"), 238),
        ({"value": 34, "unit": "wk"}, 238),
        ({"value": 34}, None),
        ({"value": 34, "unit": "weeks of something"}, None),
        (quantity(34, "mo"), None),
        (quantity(34, "wk") | {"comparator": "<"}, None),
        (quantity(34, "kg"), None),
    ],
)
def test_a_gestational_age_as_a_quantity_needs_its_unit(age: ReadAge, value: Resource, days: int | None) -> None:
    assert days_of(age(observation("76516-4", valueQuantity=value))) == days


@pytest.mark.parametrize(("status", "standing"), STANDINGS)
def test_its_status_decides_what_it_may_do(age: ReadAge, status: Any, standing: Standing) -> None:
    found = age(in_words("39w0d", status=status))
    assert found is not None
    assert found.standing is standing


@pytest.mark.parametrize("status", IN_ERROR)
def test_an_age_entered_in_error_is_not_there(age: ReadAge, status: str) -> None:
    assert age(in_words("39w0d", status=status)) is None


@pytest.mark.parametrize(
    "value", [{"valueInteger": 34}, {"valueCodeableConcept": {"text": "34 weeks"}}, {"valueQuantity": "34 weeks"}]
)
def test_an_age_in_another_shape_was_not_read(age: ReadAge, value: Resource) -> None:
    found = age(observation("76516-4", **value))
    assert found is not None
    assert (found.at_birth_days, found.standing) == (None, Standing.ACCEPTED)


def test_an_age_in_a_list_of_one_is_read(age: ReadAge) -> None:
    assert days_of(age(observation("76516-4", valueQuantity=[quantity(34, "wk")]))) == 238


def test_an_age_without_a_value_gives_no_information(age: ReadAge) -> None:
    found = age(observation("76516-4"))
    assert found is not None
    assert (found.at_birth_days, found.standing) == (None, Standing.NO_INFORMATION)


# --- SMN1

COPIES, ANALYSIS, SCREEN, VARIANT = "111768-8", "35462-1", "92004-1", "69548-6"
GENE, STRUCTURE, STATE = "48018-6", "82155-3", "53034-5"


def reading_of(found: GeneticResult | None) -> tuple[GeneReading, int | None]:
    assert found is not None
    return found.reading, found.copies


@pytest.mark.parametrize(
    ("members", "copies"),
    [
        ({"valueQuantity": quantity(0, "{copies}")}, 0),
        ({"valueQuantity": {"value": 2}}, 2),
        ({"valueQuantity": [{"value": 2}]}, 2),
        ({"valueQuantity": {"value": "1"}}, 1),
        ({"valueQuantity": {"value": Decimal("0.0")}}, 0),
        ({"valueInteger": 0}, 0),
        ({"valueInteger": 3}, 3),
        ({"valueString": "0"}, 0),
        ({"valueString": "0 copies"}, 0),
        ({"valueString": "1 copy."}, 1),
        ({"valueString": "2 Copies"}, 2),
        ({"valueCodeableConcept": {"text": "0 copies"}}, 0),
        ({"valueCodeableConcept": {"coding": [{"display": "2 copies"}]}}, 2),
    ],
)
def test_a_whole_number_of_copies_is_read(gene: ReadGene, members: Resource, copies: int) -> None:
    assert reading_of(gene(observation(COPIES, **members))) == (GeneReading.COPY_NUMBER, copies)


@pytest.mark.parametrize(
    "members",
    [
        {"valueQuantity": {"unit": "{copies}"}, "valueString": "see report"},
        {"valueString": "zero"},
        {"valueString": "0 or 1 copies"},
        {"valueString": ">=2"},
        {"valueString": "no copies of SMN1 were found, 0 of 2"},
        {"valueString": "SMN2: 0 copies"},
        {"valueString": "12"},
        {"valueString": "0-1"},
        {"valueQuantity": "2"},
        {"valueRange": {"low": {"value": 2}, "high": {"value": 3}}},
        {"valueInteger": False},
        {"valueInteger": Decimal("2.5")},
        {"valueQuantity": {"value": 1, "comparator": "<"}},
        {"valueQuantity": {"value": 2, "unit": "%"}},
        {"valueQuantity": {"value": Decimal("1.5")}},
        {"valueQuantity": {"value": -1}},
        {"valueQuantity": {"value": "two"}},
        {"valueQuantity": {"value": False}},
        {"valueQuantity": {"value": "two"}, "valueString": "Homozygous deletion"},
        {"valueInteger": -1},
        {"valueInteger": "two", "valueString": "Homozygous deletion"},
    ],
)
def test_a_count_of_copies_that_cannot_be_read_is_a_count_all_the_same(gene: ReadGene, members: Resource) -> None:
    assert reading_of(gene(observation(COPIES, **members))) == (GeneReading.COUNT_UNREADABLE, None)


def test_a_carrier_stays_one_beside_a_count_that_cannot_be_read(gene: ReadGene) -> None:
    found = gene(observation(COPIES, valueQuantity={"value": "two"}, valueString="Carrier"))
    assert reading_of(found) == (GeneReading.CARRIER, None)


@pytest.mark.parametrize(
    ("said", "reading"),
    [
        ("Homozygous deletion", GeneReading.BIALLELIC),
        ("HOMOZYGOUS DELETION OF SMN1 EXON 7.", GeneReading.BIALLELIC),
        ("Compound heterozygous", GeneReading.COMPOUND_HETEROZYGOUS),
        ("carrier", GeneReading.CARRIER),
        ("Pathogenic SMN1 variant detected", GeneReading.SECOND_VARIANT),
        ("No homozygous deletion", GeneReading.NOT_INTERPRETABLE),
        ("Homozygous deletion not detected", GeneReading.NOT_INTERPRETABLE),
        ("Not a carrier", GeneReading.NOT_INTERPRETABLE),
        ("Homozygous deletion? repeat", GeneReading.NOT_INTERPRETABLE),
        ("positive", GeneReading.NOT_INTERPRETABLE),
        ("SEE COMMENT", GeneReading.NOT_INTERPRETABLE),
    ],
)
@pytest.mark.parametrize("place", ["valueString", "text", "display"])
def test_a_result_in_words_counts_only_as_a_whole(gene: ReadGene, said: str, reading: GeneReading, place: str) -> None:
    places = {
        "valueString": {"valueString": said},
        "text": {"valueCodeableConcept": {"text": said}},
        "display": {"valueCodeableConcept": {"coding": [{"code": "LA1", "display": said}]}},
    }
    assert reading_of(gene(observation(ANALYSIS, **places[place]))) == (reading, None)


@pytest.mark.parametrize(
    ("said", "reading"),
    [
        ("Positive", GeneReading.SCREEN_POSITIVE),
        ("out of range", GeneReading.SCREEN_POSITIVE),
        ("Negative.", GeneReading.SCREEN_NEGATIVE),
        ("in range", GeneReading.SCREEN_NEGATIVE),
        ("Homozygous deletion", GeneReading.NOT_INTERPRETABLE),
        ("borderline", GeneReading.NOT_INTERPRETABLE),
    ],
)
def test_a_newborn_screen_has_its_own_words(gene: ReadGene, said: str, reading: GeneReading) -> None:
    assert reading_of(gene(observation(SCREEN, valueString=said))) == (reading, None)


def component(code: str, **value: Any) -> Resource:
    return {"code": {"coding": [{"system": SYSTEMS["LOINC"], "code": code}]}, **value}


def concept(code: str, system: str = SYSTEMS["LOINC"]) -> Resource:
    return {"valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}


SMN1 = component(GENE, **concept("HGNC:11117", "http://www.genenames.org/geneId"))
SMN2 = component(GENE, **concept("HGNC:11118", "http://www.genenames.org/geneId"))
HOMOZYGOUS, HETEROZYGOUS = component(STATE, **concept("LA6705-3")), component(STATE, **concept("LA6706-1"))
PRESENT, ABSENT = concept("LA9633-4"), concept("LA9634-2")


def a_variant(*parts: Resource, **members: Any) -> Resource:
    return observation(VARIANT, component=list(parts), **members)


@pytest.mark.parametrize("system", ["http://www.genenames.org/geneId", "http://www.genenames.org"])
def test_a_structured_copy_number_of_smn1_is_read(gene: ReadGene, system: str) -> None:
    named = component(GENE, **concept("HGNC:11117", system))
    counted = component(STRUCTURE, valueQuantity={"value": 0})
    assert reading_of(gene(a_variant(named, counted))) == (GeneReading.COPY_NUMBER, 0)


def test_components_may_come_in_any_order(gene: ReadGene) -> None:
    assert reading_of(gene(a_variant(component(STRUCTURE, valueQuantity={"value": 1}), SMN1))) == (
        GeneReading.COPY_NUMBER,
        1,
    )


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (SMN2, component(STRUCTURE, valueQuantity={"value": 0})),
        (component(STRUCTURE, valueQuantity={"value": 0}),),
        (component(GENE, valueCodeableConcept={"text": "SMN1"}),),
    ],
)
def test_a_variant_that_is_not_said_to_be_of_smn1_is_another_genes(gene: ReadGene, parts: tuple[Resource, ...]) -> None:
    assert gene(a_variant(*parts)) is None


@pytest.mark.parametrize(
    ("state", "members", "reading"),
    [
        (HOMOZYGOUS, PRESENT, GeneReading.NOT_INTERPRETABLE),
        (HOMOZYGOUS, ABSENT, GeneReading.NOT_INTERPRETABLE),
        (HOMOZYGOUS, {}, GeneReading.NOT_INTERPRETABLE),
        (HETEROZYGOUS, PRESENT, GeneReading.NOT_INTERPRETABLE),
    ],
)
def test_a_structured_variant_that_nobody_calls_pathogenic_proves_nothing(
    gene: ReadGene, state: Resource, members: Resource, reading: GeneReading
) -> None:
    assert reading_of(gene(a_variant(SMN1, state, **members))) == (reading, None)


@pytest.mark.parametrize(
    ("state", "members", "reading"),
    [
        (HOMOZYGOUS, PRESENT, GeneReading.BIALLELIC),
        (HOMOZYGOUS, ABSENT, GeneReading.NOT_INTERPRETABLE),
        (HETEROZYGOUS, PRESENT, GeneReading.NOT_INTERPRETABLE),
    ],
)
def test_a_pathogenic_variant_is_biallelic_only_if_homozygous_and_present(
    gene: ReadGene, state: Resource, members: Resource, reading: GeneReading
) -> None:
    pathogenic = component("significance", valueCodeableConcept={"coding": [{"display": "Pathogenic"}]})
    assert reading_of(gene(a_variant(SMN1, state, pathogenic, **members))) == (reading, None)


def test_a_homozygous_variant_that_is_called_benign_is_no_mutation(gene: ReadGene) -> None:
    benign = component("53037-8", valueCodeableConcept={"coding": [{"code": "LA6675-8", "display": "Benign"}]})
    found = gene(a_variant(SMN1, HOMOZYGOUS, benign, **PRESENT))
    assert found is None or found.reading is not GeneReading.BIALLELIC


@pytest.mark.parametrize("value", [Decimal("0.5"), -1, "none"])
def test_a_structured_copy_number_that_is_no_count_cannot_be_read(gene: ReadGene, value: Any) -> None:
    found = gene(a_variant(SMN1, component(STRUCTURE, valueQuantity={"value": value}), **PRESENT))
    assert found is not None
    assert (found.reading, found.copies, found.evidence.value) == (GeneReading.COUNT_UNREADABLE, None, str(value))


def test_a_structured_copy_number_without_a_value_says_nothing(gene: ReadGene) -> None:
    found = gene(a_variant(SMN1, component(STRUCTURE, valueQuantity={"value": None}), **PRESENT))
    assert found is not None
    assert (found.reading, found.copies) == (GeneReading.NOT_INTERPRETABLE, None)


def test_a_bound_in_a_structured_copy_number_is_no_count(gene: ReadGene) -> None:
    found = gene(a_variant(SMN1, component(STRUCTURE, valueQuantity={"value": 0, "comparator": ">"}), **PRESENT))
    assert found is not None
    assert found.copies is None


@pytest.mark.parametrize(
    ("members", "exon"),
    [
        ({"code": {"coding": [{"system": SYSTEMS["LOINC"], "code": COPIES}], "text": "SMN1 exon 7 copies"}}, "7"),
        ({"code": {"coding": [{"system": SYSTEMS["LOINC"], "code": COPIES, "display": "SMN1 Exon 8"}]}}, "8"),
        ({}, ""),
        ({"code": {"coding": [{"system": SYSTEMS["LOINC"], "code": COPIES}], "text": "exon 78"}}, ""),
    ],
)
def test_the_exon_is_read_from_the_name_of_the_test(gene: ReadGene, members: Resource, exon: str) -> None:
    found = gene(observation(COPIES, valueInteger=0, **members))
    assert found is not None
    assert found.exon == exon


@pytest.mark.parametrize(
    "members",
    [{}, {"valueString": ""}, {"valueQuantity": {}}, {"dataAbsentReason": {"text": "pending"}}],
)
def test_a_test_without_a_result_says_nothing(gene: ReadGene, members: Resource) -> None:
    assert gene(observation(COPIES, **members)) is None


@pytest.mark.parametrize(("status", "standing"), STANDINGS)
def test_the_status_of_a_result_decides_what_it_may_do(gene: ReadGene, status: Any, standing: Standing) -> None:
    found = gene(observation(COPIES, valueInteger=0, status=status))
    assert (found.standing if found else Standing.NO_INFORMATION) is standing


@pytest.mark.parametrize("status", IN_ERROR)
def test_a_result_entered_in_error_is_not_there(gene: ReadGene, status: str, clock: SiteClock) -> None:
    resource = observation(COPIES, valueInteger=0, status=status)
    assert gene(resource) is None
    assert other_evidence(resource, clock) is None


def test_a_result_of_the_sister_gene_is_only_shown(clock: SiteClock) -> None:
    shown = other_evidence(observation("97654-8", valueInteger=2), clock)
    assert shown is not None
    assert (shown.reference, shown.value, shown.day) == ("Observation/o1", "2", "2026-03-01")
    assert other_evidence(observation("97654-8"), clock) is None


# --- reports


@pytest.fixture
def report(recognition: Recognition, clock: SiteClock) -> ReadGene:
    return lambda resource: read_genetic_report(resource, recognition.concept_of(resource["code"]), clock, recognition)


def a_report(**members: Any) -> Resource:
    return observation(ANALYSIS, **{"resourceType": "DiagnosticReport", **members})


@pytest.mark.parametrize(
    ("members", "reading"),
    [
        ({"conclusion": "Homozygous deletion"}, GeneReading.BIALLELIC),
        ({"conclusion": "carrier."}, GeneReading.CARRIER),
        ({"conclusionCode": [{"text": "Homozygous deletion"}]}, GeneReading.BIALLELIC),
        ({"conclusion": "No homozygous deletion"}, GeneReading.NOT_INTERPRETABLE),
        ({"conclusion": "0"}, GeneReading.NOT_INTERPRETABLE),
    ],
)
def test_the_conclusion_of_a_report_is_read_like_a_result(
    report: ReadGene, members: Resource, reading: GeneReading
) -> None:
    assert reading_of(report(a_report(**members))) == (reading, None)


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("final", Standing.ACCEPTED),
        ("amended", Standing.ACCEPTED),
        ("corrected", Standing.ACCEPTED),
        ("appended", Standing.ACCEPTED),
        ("preliminary", Standing.PROVISIONAL),
        ("partial", Standing.PROVISIONAL),
        ("registered", Standing.NO_INFORMATION),
        ("cancelled", Standing.NO_INFORMATION),
        ("unknown", Standing.NO_INFORMATION),
        (None, Standing.NO_INFORMATION),
    ],
)
def test_the_status_of_a_report_decides_what_it_may_do(report: ReadGene, status: Any, standing: Standing) -> None:
    found = report(a_report(conclusion="Homozygous deletion", status=status))
    assert (found.standing if found else Standing.NO_INFORMATION) is standing


@pytest.mark.parametrize("status", IN_ERROR)
def test_a_report_entered_in_error_is_not_there(report: ReadGene, status: str) -> None:
    assert report(a_report(conclusion="Homozygous deletion", status=status)) is None


def test_a_report_without_a_conclusion_says_nothing(report: ReadGene) -> None:
    assert report(a_report()) is None
