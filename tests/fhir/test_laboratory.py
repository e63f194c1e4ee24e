"""Observations become laboratory results: a number only where one is stated, and a unit only where it is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import SYSTEMS, UCUM

from cds_service.domain.evidence import Standing
from cds_service.domain.intervals import Interval
from cds_service.domain.quantities import UnitTable
from cds_service.domain.results import LabFlag, LabResult
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.laboratory import ANALYTES, LabReader

Resource = dict[str, Any]
Read = Callable[..., LabResult]
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@pytest.fixture
def read(clock: SiteClock, units: UnitTable) -> Read:
    """A result that was not entered in error."""

    def result(resource: Resource, analyte: str = "alt") -> LabResult:
        found = LabReader.of(None, clock, units).read(resource, analyte)
        assert found is not None
        return found

    return result


def lab(**members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": SYSTEMS["LOINC"], "code": "1742-6"}], "text": "SGPT"},
        "effectiveDateTime": "2026-02-28T08:00:00Z",
        **members,
    }


def quantity(value: Any, unit: str = "U/L", **members: Any) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit, **members}


def of(value: Any, unit: str = "U/L", **members: Any) -> Resource:
    return lab(valueQuantity=quantity(value, unit, **members))


def exactly(value: str) -> Interval:
    return Interval.exactly(Decimal(value))


# --- what is read


def test_a_result_is_read_with_its_number_its_time_and_its_place(read: Read) -> None:
    result = read(of(Decimal("81")))
    assert (result.analyte, result.number, result.amount) == ("alt", exactly("81"), exactly("81"))
    assert (result.written, result.measured.day, result.standing) == ("81 U/L", date(2026, 2, 28), Standing.ACCEPTED)
    assert (result.evidence.reference, result.evidence.name) == ("Observation/o1", "SGPT")
    assert (result.evidence.value, result.evidence.day, result.evidence.status) == ("81 U/L", "2026-02-28", "final")


def test_a_result_without_a_range_has_no_limits(read: Read) -> None:
    assert read(of(55)).limits is None


def test_a_result_keeps_its_own_range(read: Read) -> None:
    limits = read(lab(valueQuantity=quantity(81), referenceRange=[{"high": quantity(40)}])).limits
    assert limits is not None
    assert (limits.number, limits.high) == (exactly("81"), Decimal(40))


def test_every_analyte_has_a_code_and_a_unit(recognition: Recognition, units: UnitTable) -> None:
    assert [name for name in ANALYTES if name not in recognition.codes.concepts] == []
    assert [name for name in ANALYTES if name not in units.own_unit] == []


# --- standing


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("final", Standing.ACCEPTED),
        ("amended", Standing.ACCEPTED),
        ("corrected ", Standing.ACCEPTED),
        ("preliminary", Standing.PROVISIONAL),
        (None, Standing.PROVISIONAL),
        ("registered", Standing.NO_INFORMATION),
        ("cancelled", Standing.NO_INFORMATION),
        ("unknown", Standing.NO_INFORMATION),
    ],
)
def test_the_status_decides_what_a_result_may_do(read: Read, status: Any, standing: Standing) -> None:
    assert read(of(81) | {"status": status}).standing is standing


@pytest.mark.hazard("H20")
@pytest.mark.parametrize("status", ["entered-in-error", "Entered-In-Error "])
def test_a_result_entered_in_error_is_not_there(clock: SiteClock, units: UnitTable, status: str) -> None:
    assert LabReader.of(None, clock, units).read(of(81) | {"status": status}, "alt") is None


MASKED = {"coding": [{"code": "masked"}]}


@pytest.mark.parametrize(
    "value",
    [{}, {"valueQuantity": {"unit": "U/L"}}, {"valueQuantity": {}}, {"valueString": " "}, {"valueCodeableConcept": {}}],
)
@pytest.mark.parametrize("reason", [None, MASKED])
def test_a_result_without_a_value_gives_no_information(read: Read, value: Resource, reason: Any) -> None:
    result = read(lab(**value, dataAbsentReason=reason))
    assert (result.number, result.standing, result.written) == (None, Standing.NO_INFORMATION, "")


@pytest.mark.parametrize(
    "doubt",
    [
        {"dataAbsentReason": MASKED},
        {"focus": [{"reference": "Patient/somebody-else"}]},
        {"effectiveDateTime": None, "issued": "2026-02-28T08:00:00Z"},
        {"effectiveDateTime": "2026-02-28T08:00:00"},
        {"effectiveDateTime": "2026-02"},
        {"effectiveDateTime": "2026-03-09T08:00:00Z"},
        {"effectiveDateTime": None},
    ],
    ids=["said to be absent", "about another", "release only", "no zone", "month only", "future", "no time"],
)
def test_a_doubtful_result_may_alarm_and_proves_nothing(read: Read, doubt: Resource) -> None:
    assert read(of(81) | doubt).standing is Standing.PROVISIONAL


def test_a_doubt_gives_no_weight_to_what_was_not_resulted(read: Read) -> None:
    assert read(of(81) | {"status": "registered", "dataAbsentReason": MASKED}).standing is Standing.NO_INFORMATION


@pytest.mark.parametrize(
    ("status", "is_correction"), [("final", False), ("amended", True), ("corrected", True), ("preliminary", False)]
)
def test_a_correction_is_told_apart(read: Read, status: str, is_correction: bool) -> None:
    assert read(of(81) | {"status": status}).is_correction is is_correction


def test_of_two_results_of_one_time_the_one_released_later_sorts_later(read: Read) -> None:
    first = read(of(81) | {"issued": "2026-02-28T15:00:00+01:00"})
    second = read(of(81) | {"issued": "2026-02-28T14:30:00Z"})
    assert first.order_key < second.order_key


# --- numbers with a comparator


@pytest.mark.hazard("H51")
@pytest.mark.parametrize(
    ("comparator", "interval"),
    [
        ("<", Interval(None, Decimal(5), high_included=False)),
        ("<=", Interval(None, Decimal(5))),
        (">", Interval(Decimal(5), None, low_included=False)),
        (">=", Interval(Decimal(5), None)),
        ("≥", Interval(Decimal(5), None)),
        ("=", None),
        ("<>", None),
        ("ad", None),
        (5, None),
    ],
)
def test_a_comparator_makes_bounds_and_is_never_lost(read: Read, comparator: Any, interval: Interval | None) -> None:
    assert read(of(5, comparator=comparator)).number == interval


def test_a_bound_is_converted_as_a_number_is(read: Read) -> None:
    result = read(of(2, "ukat/L", comparator=">"))
    assert result.amount == Interval(Decimal(120), None, low_included=False)


@pytest.mark.parametrize("value", [-1, "1,250", "3,5", "81 U/L", True, [], {"value": 81}])
def test_what_is_no_number_of_nought_or_more_is_none(read: Read, value: Any) -> None:
    result = read(of(value))
    assert (result.number, result.amount) == (None, None)


@pytest.mark.parametrize(("value", "written"), [(False, "false"), ({"value": 81}, "value"), ([81], "value")])
def test_a_value_that_is_no_number_is_there_all_the_same(read: Read, value: Any, written: str) -> None:
    result = read(lab(valueQuantity={"value": value}))
    assert (result.number, result.written, result.standing) == (None, written, Standing.ACCEPTED)


def test_a_number_sent_as_text_is_a_number(read: Read) -> None:
    assert read(of("81.5")).number == exactly("81.5")


# --- numbers in text


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("81", exactly("81")),
        ("81.5", exactly("81.5")),
        (" 81 U/L ", exactly("81")),
        ("81U/L", exactly("81")),
        ("81 IU/L", exactly("81")),
        ("<5", Interval.of("<", Decimal(5))),
        ("< 5 U/L", Interval.of("<", Decimal(5))),
        ("<=5", Interval.of("<=", Decimal(5))),
        ("≤ 5", Interval.of("<=", Decimal(5))),
        (">1000", Interval.of(">", Decimal(1000))),
        (">= 1000", Interval.of(">=", Decimal(1000))),
        ("≥1000 U/L", Interval.of(">=", Decimal(1000))),
    ],
)
@pytest.mark.parametrize("shape", ["valueString", "valueCodeableConcept"])
def test_text_that_is_wholly_a_number_is_read(read: Read, shape: str, said: str, number: Interval) -> None:
    value = said if shape == "valueString" else {"text": said}
    result = read(lab(**{shape: value}))
    assert (result.number, result.written) == (number, said.strip())


NO_NUMBERS = [
    "HEMOLYZED",
    "SEE COMMENT",
    "pending",
    "GT 45",
    "1,250",
    "3,5",
    "<0.3 (L)",
    "45 H",
    "45 (H)",
    "45*",
    "H 45",
    "approx. 45",
    "40-50",
    "-5",
    "+5",
    ".5",
    "5.",
    "1e3",
    "=<5",
    "<>5",
    "1 000",
    "45 U/L hemolyzed",
    "45 foo",
    "45 mg/dL",
    "\uff14\uff15",
    "\u0664\u0665",
    "9" * 61,
]


@pytest.mark.parametrize("said", NO_NUMBERS)
def test_text_that_is_not_wholly_a_number_is_shown_and_has_none(read: Read, said: str) -> None:
    result = read(lab(valueString=said))
    assert (result.number, result.amount, result.limits) == (None, None, None)
    assert (result.written, result.standing) == (said, Standing.ACCEPTED)


def test_a_number_in_the_name_of_a_coded_answer_is_not_read(read: Read) -> None:
    result = read(lab(valueCodeableConcept={"coding": [{"code": "x", "display": "45"}]}))
    assert (result.number, result.written) == (None, "45")


@pytest.mark.parametrize("said", ["adequate", "clumped", "estimate adequate"])
def test_platelets_in_words_are_no_count(read: Read, said: str) -> None:
    result = read(lab(valueCodeableConcept={"text": said}), "platelets")
    assert (result.number, result.written) == (None, said)


def test_a_whole_number_is_a_number_without_a_unit(read: Read) -> None:
    result = read(lab(valueInteger=81))
    assert (result.number, result.amount, result.written) == (exactly("81"), None, "81")


def test_a_quantity_goes_before_text_beside_it(read: Read) -> None:
    assert read(lab(valueQuantity=quantity(81), valueString="20")).number == exactly("81")


@pytest.mark.parametrize("shape", ["valueRange", "valueRatio", "valueSampledData", "valueBoolean"])
def test_other_shapes_of_a_value_are_not_assessed(read: Read, shape: str) -> None:
    assert read(lab(**{shape: {"low": quantity(1)}})).number is None


@pytest.mark.parametrize(
    "value",
    [
        {"valueQuantity": "81 U/L"},
        {"valueQuantity": 81},
        {"valueQuantity": [quantity(20), quantity(400)]},
        {"valueString": ["81"]},
        {"valueInteger": "elevated"},
        {"valueRange": {"low": quantity(81)}},
        {"valueBoolean": True},
    ],
)
def test_a_value_in_a_shape_that_is_not_read_is_a_result_that_was_not_read(read: Read, value: Resource) -> None:
    result = read(lab(**value))
    assert (result.number, result.is_unread, result.standing) == (None, True, Standing.ACCEPTED)


def test_the_same_quantity_twice_is_one(read: Read) -> None:
    assert read(lab(valueQuantity=[quantity(81), quantity(81)])).number == exactly("81")


# --- units


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "amount"),
    [
        ("alt", "81", "U/L", "81"),
        ("alt", "81", "[IU]/L", "81"),
        ("alt", "1", "ukat/L", "60"),
        ("ast", "1000", "nkat/L", "60"),
        ("total_bilirubin", "1", "mg/dL", "17.104"),
        ("total_bilirubin", "17.104", "umol/L", "17.104"),
        ("albumin", "40", "g/L", "4"),
        ("prothrombin_time", "12", "s", "12"),
        ("partial_thromboplastin_time", "30", "s", "30"),
        ("inr", "1.1", "{INR}", "1.1"),
        ("inr", "1.1", "1", "1.1"),
        ("inr", "1.1", "{ratio}", "1.1"),
        ("creatinine", "1", "mg/dL", "88.42"),
        ("hemoglobin", "120", "g/L", "12"),
        ("hemoglobin", "10", "mmol/L", "16.11"),
        ("platelets", "300", "10*3/uL", "300"),
        ("platelets", "300", "10*9/L", "300"),
        ("platelets", "300", "K/uL", "300"),
        ("platelets", "300000", "/uL", "300"),
    ],
)
def test_a_known_code_makes_an_amount_in_the_analytes_own_unit(
    read: Read, analyte: str, value: str, unit: str, amount: str
) -> None:
    assert read(of(Decimal(value), unit), analyte).amount == exactly(amount)


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [
        ("prothrombin_time", "%"),
        ("prothrombin_time", "{ratio}"),
        ("alt", "mg/dL"),
        ("hemoglobin", "mg/dL"),
        ("platelets", "%"),
        ("platelets", "/cmm"),
        ("total_bilirubin", "g/L"),
    ],
)
def test_a_foreign_unit_leaves_the_number_and_makes_no_amount(read: Read, analyte: str, unit: str) -> None:
    result = read(of(95, unit), analyte)
    assert (result.number, result.amount, result.written) == (exactly("95"), None, f"95 {unit}")


@pytest.mark.parametrize(
    ("analyte", "element", "amount"),
    [
        ("alt", {"unit": "IU/L"}, "5"),
        ("alt", {"unit": "u/l"}, "5"),
        ("alt", {"unit": "IU/L", "code": "UNITS", "system": "urn:local:units"}, "5"),
        ("alt", {"unit": "U/L", "system": UCUM}, "5"),
        ("alt", {"code": "U/L"}, "5"),
        ("alt", {"code": "IU/L", "unit": "IU/L", "system": UCUM}, "5"),
        ("prothrombin_time", {"unit": "sec"}, "5"),
        ("platelets", {"unit": "K/uL"}, "5"),
        ("platelets", {"unit": "K/uL", "code": "K/uL", "system": UCUM}, "5"),
        ("platelets", {"unit": "x10E3/uL", "code": "10*3/uL", "system": UCUM}, "5"),
        ("inr", {"unit": "INR"}, "5"),
        ("inr", {}, "5"),
        ("alt", {}, None),
        ("alt", {"unit": "units"}, None),
        ("alt", {"code": "U/L", "system": "urn:local:units"}, None),
        ("inr", {"code": "17", "system": "urn:local:units"}, None),
    ],
)
def test_a_unit_is_a_code_or_a_listed_spelling(read: Read, analyte: str, element: Resource, amount: str | None) -> None:
    result = read(lab(valueQuantity={"value": 5, **element}), analyte)
    assert result.amount == (exactly(amount) if amount else None)


@pytest.mark.parametrize(
    ("analyte", "code", "said", "amount"),
    [
        ("total_bilirubin", "mg/dL", "umol/L", None),
        ("total_bilirubin", "g/L", "mg/dL", None),
        ("platelets", "/uL", "K/uL", None),
        ("albumin", "g/L", "g/dL", None),
        ("alt", "[IU]/L", "IU/L", "5"),
        ("alt", "U/L", "IU/L", "5"),
        ("platelets", "10*9/L", "K/uL", "5"),
        ("total_bilirubin", "mg/dl", "mg/dL", "85.520"),
        ("alt", "U/L", "Units per litre", "5"),
    ],
)
def test_words_that_contradict_the_code_leave_no_unit_and_another_spelling_does(
    read: Read, analyte: str, code: str, said: str, amount: str | None
) -> None:
    result = read(lab(valueQuantity={"value": 5, "unit": said, "system": UCUM, "code": code}), analyte)
    assert result.amount == (exactly(amount) if amount else None)


@pytest.mark.parametrize(
    ("analyte", "ranges", "amount"),
    [
        ("alt", [{"low": quantity(0), "high": quantity(40)}], "45"),
        ("alt", [{"high": {"value": 40, "unit": "IU/L"}}], "45"),
        ("alt", [{"text": "0 - 40 U/L"}], "45"),
        ("alt", [{"high": quantity(40)}, {"high": quantity(50)}], "45"),
        ("alt", [{"text": "0-40"}], None),
        ("alt", [{"text": "0-40 (adult)"}], None),
        ("alt", [{"high": quantity(40, "mg/dL")}], None),
        ("total_bilirubin", [{"high": quantity(1, "mg/dL")}, {"high": quantity(17, "umol/L")}], None),
        ("alt", [{"high": quantity(40), "type": {"text": "critical"}}], None),
    ],
)
def test_a_missing_unit_is_that_of_the_range(
    read: Read, analyte: str, ranges: list[Resource], amount: str | None
) -> None:
    result = read(lab(valueQuantity={"value": 45}, referenceRange=ranges), analyte)
    assert result.amount == (exactly(amount) if amount else None)


def test_text_may_carry_the_unknown_unit_of_its_own_range(read: Read) -> None:
    ranges = [{"low": quantity(70, "%"), "high": quantity(130, "%")}]
    result = read(lab(valueString="95 %", referenceRange=ranges), "prothrombin_time")
    assert (result.number, result.amount) == (exactly("95"), None)
    assert result.limits is not None
    assert result.limits.high == 130


# --- the laboratory's flag


@pytest.mark.parametrize(
    ("codes", "flag"),
    [
        ([], LabFlag.NOT_STATED),
        (["N"], LabFlag.NORMAL),
        (["H"], LabFlag.HIGH),
        (["HH"], LabFlag.HIGH),
        (["HU"], LabFlag.HIGH),
        (["L"], LabFlag.LOW),
        (["LL"], LabFlag.LOW),
        (["LU"], LabFlag.LOW),
        (["A"], LabFlag.ABNORMAL),
        (["AA"], LabFlag.ABNORMAL),
        (["h "], LabFlag.HIGH),
        (["H", "HH"], LabFlag.HIGH),
        (["N", "H"], LabFlag.ABNORMAL),
        (["H", "L"], LabFlag.ABNORMAL),
        (["U"], LabFlag.NOT_STATED),
        (["IND"], LabFlag.NOT_STATED),
    ],
)
def test_the_flag_is_read_and_flags_that_disagree_are_abnormal(read: Read, codes: list[str], flag: LabFlag) -> None:
    said = [{"coding": [{"system": INTERPRETATION, "code": code}]} for code in codes]
    assert read(of(45) | {"interpretation": said}).flag is flag


@pytest.mark.parametrize(("code", "flag"), [("N", LabFlag.NOT_STATED), ("H", LabFlag.HIGH)])
def test_a_flag_of_a_foreign_system_may_alarm_and_does_not_say_normal(read: Read, code: str, flag: LabFlag) -> None:
    assert read(of(45) | {"interpretation": [{"coding": [{"system": "urn:local", "code": code}]}]}).flag is flag
