"""Blood pressure, urine output and the blood smear: what is read, and that doubt never settles anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import SYSTEMS, UCUM

from cds_service.domain.evidence import Standing
from cds_service.domain.quantities import UnitTable
from cds_service.domain.results import BloodPressure, BloodSmear, UrineOutput
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.bedside import read_blood_smear
from cds_service.fhir.vital_signs import read_blood_pressure, read_urine_output, systolic_results

Resource = dict[str, Any]


@pytest.fixture
def press(clock: SiteClock, units: UnitTable) -> Callable[[Resource], BloodPressure | None]:
    return lambda resource: read_blood_pressure(resource, clock, units)


@pytest.fixture
def collect(clock: SiteClock, units: UnitTable) -> Callable[[Resource], UrineOutput | None]:
    return lambda resource: read_urine_output(resource, clock, units)


@pytest.fixture
def look(clock: SiteClock, recognition: Recognition) -> Callable[[Resource], BloodSmear | None]:
    return lambda resource: read_blood_smear(resource, clock, recognition)


def loinc(code: str) -> Resource:
    return {"coding": [{"system": SYSTEMS["LOINC"], "code": code}]}


def observation(code: str = "8480-6", **members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": loinc(code),
        "effectiveDateTime": "2026-03-02T06:00:00Z",
        **members,
    }


def amount(value: Any, unit: str, **members: Any) -> Resource:
    """A number with a coded unit; `system=None` for a unit in words only."""
    coded = {"system": UCUM, "code": unit} if "system" not in members else {}
    return {"valueQuantity": {"value": value, "unit": unit, **coded, **{k: v for k, v in members.items() if v}}}


# --- blood pressure


@pytest.mark.parametrize(
    ("value", "systolic"),
    [
        (amount(Decimal("104"), "mm[Hg]"), Decimal(104)),
        (amount(104, "mmHg", system=None), Decimal(104)),
        (amount(104, "mm Hg", system=None), Decimal(104)),
        (amount(104, "kPa"), None),
        (amount(104, "mm", system=None), None),
        (amount("high", "mm[Hg]"), None),
        (amount(0, "mm[Hg]"), None),
        (amount(-104, "mm[Hg]"), None),
        (amount(104, "mm[Hg]", comparator="<"), None),
        ({"valueQuantity": {"value": 104}}, None),
        ({"valueString": "104/60"}, None),
    ],
)
def test_a_pressure_is_read_in_its_one_unit_only(
    press: Callable[[Resource], BloodPressure | None], value: Resource, systolic: Decimal | None
) -> None:
    found = press(observation(**value))
    assert found is not None
    assert found.systolic == systolic
    assert found.evidence.value, "what is not read is shown"


def test_a_pressure_above_a_limit_is_at_least_that_and_may_alarm_only(
    press: Callable[[Resource], BloodPressure | None],
) -> None:
    found = press(observation(**amount(110, "mm[Hg]", comparator=">")))
    assert found is not None
    assert (found.systolic, found.standing) == (Decimal(110), Standing.PROVISIONAL)


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        ({}, Standing.ACCEPTED),
        ({"status": "preliminary"}, Standing.PROVISIONAL),
        ({"effectiveDateTime": None}, Standing.PROVISIONAL),
        ({"focus": [{"reference": "Patient/mother"}]}, Standing.PROVISIONAL),
        ({"status": "cancelled"}, Standing.NO_INFORMATION),
        ({"valueQuantity": None}, Standing.NO_INFORMATION),
    ],
)
def test_a_doubtful_pressure_proves_nothing(
    press: Callable[[Resource], BloodPressure | None], change: Resource, standing: Standing
) -> None:
    found = press(observation(**amount(104, "mm[Hg]")) | change)
    assert found is not None
    assert found.standing is standing


def test_a_pressure_is_cited_with_its_value_and_day(press: Callable[[Resource], BloodPressure | None]) -> None:
    found = press(observation(**amount(104, "mm[Hg]")))
    assert found is not None
    assert found.measured.day == date(2026, 3, 2)
    assert (found.evidence.reference, found.evidence.value) == ("Observation/o1", "104 mm[Hg]")


def test_what_was_entered_in_error_is_not_there(
    press: Callable[[Resource], BloodPressure | None],
    collect: Callable[[Resource], UrineOutput | None],
    look: Callable[[Resource], BloodSmear | None],
) -> None:
    wrong = observation(status="entered-in-error")
    assert (press(wrong), collect(wrong), look(wrong)) == (None, None, None)


def test_a_panel_holds_its_systolic_part_and_nothing_else_of_it_counts(
    recognition: Recognition, press: Callable[[Resource], BloodPressure | None]
) -> None:
    parts = [{"code": loinc("8462-4"), **amount(60, "mm[Hg]")}, {"code": loinc("8480-6"), **amount(104, "mm[Hg]")}]
    panel = observation("85354-9", component=parts)
    (part,) = systolic_results(panel, recognition.concept_of(panel["code"]), recognition)
    found = press(part)
    assert found is not None
    assert (found.systolic, found.evidence.reference) == (Decimal(104), "Observation/o1")


def test_a_diastolic_pressure_is_none(recognition: Recognition) -> None:
    resource = observation("8462-4", **amount(60, "mm[Hg]"))
    assert systolic_results(resource, recognition.concept_of(resource["code"]), recognition) == []


# --- urine output


@pytest.mark.parametrize(
    ("value", "ml_per_day"),
    [
        (amount(80, "mL"), Decimal(80)),
        (amount(Decimal("0.08"), "L"), Decimal("80.00")),
        (amount(80, "mL/(24.h)"), Decimal(80)),
        (amount(80, "mL/d"), Decimal(80)),
        (amount(80, "mL", system=None), Decimal(80)),
        (amount(0, "mL"), Decimal(0)),
        (amount(2, "mL/kg/h"), None),
        (amount(80, "g"), None),
        (amount(-80, "mL"), None),
        (amount(80, "mL", comparator=">"), None),
        ({"valueQuantity": {"value": 80}}, None),
        ({"valueString": "80 mL"}, None),
    ],
)
def test_urine_is_read_as_the_volume_of_a_day(
    collect: Callable[[Resource], UrineOutput | None], value: Resource, ml_per_day: Decimal | None
) -> None:
    found = collect(observation("9192-6", **value))
    assert found is not None
    assert found.ml_per_day == ml_per_day
    assert found.evidence.value


def test_urine_below_a_limit_is_at_most_that_and_may_alarm_only(
    collect: Callable[[Resource], UrineOutput | None],
) -> None:
    found = collect(observation("9192-6", **amount(50, "mL", comparator="<")))
    assert found is not None
    assert (found.ml_per_day, found.standing) == (Decimal(50), Standing.PROVISIONAL)


# --- blood smear


@pytest.mark.parametrize(
    ("value", "is_found"),
    [
        ({"valueCodeableConcept": {"text": "Present"}}, True),
        ({"valueCodeableConcept": {"text": "Few"}}, True),
        ({"valueString": "Rare"}, True),
        ({"valueString": "1+"}, True),
        ({"valueString": "Schistocytes seen, 2+"}, True),
        ({"valueString": "Occasional schistocytes, no platelet clumps"}, True),
        ({"valueString": "Helmet cells"}, True),
        ({"valueBoolean": True}, True),
        ({"valueInteger": 2}, True),
        ({"valueQuantity": {"value": 3, "unit": "%"}}, True),
        ({"valueString": "see comment", "interpretation": [{"coding": [{"code": "A"}]}]}, True),
        ({"valueCodeableConcept": {"text": "Not seen."}}, False),
        ({"valueString": "None seen"}, False),
        ({"valueString": "Absent"}, False),
        ({"valueString": "No schistocytes seen"}, False),
        ({"valueBoolean": False}, False),
        ({"valueString": "Smear reviewed", "interpretation": [{"coding": [{"code": "NEG"}]}]}, False),
        ({"valueString": "Schistocytes not seen on review"}, None),
        ({"valueString": "Red cells unremarkable, no schistocytes on two slides"}, None),
        ({"valueString": "Red cell morphology reviewed"}, None),
        ({"valueInteger": 0}, None),
        ({"valueQuantity": {"value": 1, "comparator": "<", "unit": "%"}}, None),
    ],
)
def test_a_smear_says_what_was_seen_and_a_longer_text_can_only_alarm(
    look: Callable[[Resource], BloodSmear | None], value: Resource, is_found: bool | None
) -> None:
    found = look(observation("800-3", **value))
    assert found is not None
    assert (found.has_schistocytes, found.standing) == (is_found, Standing.ACCEPTED)


@pytest.mark.parametrize("members", [{}, {"valueString": "Pending"}, {"valueString": "Specimen clotted"}])
def test_a_smear_without_a_result_carries_no_information(
    look: Callable[[Resource], BloodSmear | None], members: Resource
) -> None:
    found = look(observation("800-3", **members))
    assert found is not None
    assert (found.has_schistocytes, found.standing) == (None, Standing.NO_INFORMATION)


def test_a_preliminary_smear_may_alarm_only(look: Callable[[Resource], BloodSmear | None]) -> None:
    found = look(observation("800-3", valueString="Few", status="preliminary"))
    assert found is not None
    assert (found.has_schistocytes, found.standing) == (True, Standing.PROVISIONAL)
