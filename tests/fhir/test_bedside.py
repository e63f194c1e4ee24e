"""Temperatures on the scale they are stated on, and tests for infections that say yes, no or neither."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import SYSTEMS, UCUM

from cds_service.domain.evidence import Standing
from cds_service.domain.quantities import Quantity, UnitTable
from cds_service.domain.results import InfectionTest, Temperature
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.bedside import INFECTION_TESTS, read_infection_test, read_temperature

Resource = dict[str, Any]
Feel = Callable[[Resource], Temperature]
Test = Callable[..., InfectionTest]


@pytest.fixture
def feel(clock: SiteClock, units: UnitTable) -> Feel:
    def read(resource: Resource) -> Temperature:
        found = read_temperature(resource, clock, units)
        assert found is not None
        return found

    return read


@pytest.fixture
def tested(clock: SiteClock, recognition: Recognition) -> Test:
    def read(resource: Resource, concept: str = "respiratory_pathogen_test") -> InfectionTest:
        found = read_infection_test(resource, concept, clock, recognition)
        assert found is not None
        return found

    return read


def observation(**members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": SYSTEMS["LOINC"], "code": "8310-5"}], "text": "Temp"},
        "effectiveDateTime": "2026-03-02T06:00:00Z",
        **members,
    }


def coded(value: Any, code: str, unit: str | None = None) -> Resource:
    return observation(valueQuantity={"value": value, "unit": unit or code, "system": UCUM, "code": code})


# --- temperature


@pytest.mark.parametrize(
    ("resource", "quantity"),
    [
        (coded(Decimal("38.0"), "Cel"), Quantity(Decimal("38.0"), "Cel")),
        (coded(Decimal("38.0"), "Cel", "°C"), Quantity(Decimal("38.0"), "Cel")),
        (coded(Decimal("100.4"), "[degF]"), Quantity(Decimal("100.4"), "[degF]")),
        (observation(valueQuantity={"value": 38, "unit": "C"}), Quantity(Decimal(38), "Cel")),
        (observation(valueQuantity={"value": 100, "unit": "°F"}), Quantity(Decimal(100), "[degF]")),
        (coded(380, "Cel"), Quantity(Decimal(380), "Cel")),
    ],
)
def test_a_temperature_stays_on_its_own_scale(feel: Feel, resource: Resource, quantity: Quantity) -> None:
    assert feel(resource).quantity == quantity


@pytest.mark.parametrize(
    "resource",
    [
        coded(38, "C"),
        coded(100, "F"),
        coded(38, "K"),
        coded(38, "Cel", "°F"),
        coded(100, "[degF]", "C"),
        observation(valueQuantity={"value": 38}),
        observation(valueQuantity={"value": 38, "unit": "Cel", "comparator": "<"}),
        observation(valueQuantity={"value": 38, "unit": "Cel", "comparator": "<="}),
        observation(valueQuantity={"value": 38, "unit": "Cel", "comparator": "ad"}),
        observation(valueString="38.0 C"),
        coded("hot", "Cel"),
    ],
)
def test_a_temperature_without_a_sure_scale_is_shown_and_not_read(feel: Feel, resource: Resource) -> None:
    result = feel(resource)
    assert result.quantity is None
    assert result.evidence.value != ""


@pytest.mark.parametrize(
    "value",
    [{"valueInteger": 39}, {"valueQuantity": "39 Cel"}, {"valueQuantity": [coded(37, "Cel"), coded(39, "Cel")]}],
)
def test_a_temperature_in_another_shape_was_taken_and_not_read(feel: Feel, value: Resource) -> None:
    found = feel(observation(**{"valueQuantity": None, **value}))
    assert (found.quantity, found.standing) == (None, Standing.ACCEPTED)


@pytest.mark.parametrize("comparator", [">", ">=", " > "])
def test_a_temperature_above_a_limit_is_at_least_that_and_may_alarm_only(feel: Feel, comparator: str) -> None:
    found = feel(observation(valueQuantity={"value": 38, "unit": "Cel", "comparator": comparator}))
    assert (found.quantity, found.standing) == (Quantity(Decimal(38), "Cel"), Standing.PROVISIONAL)
    assert found.evidence.value == f"{comparator.strip()} 38 Cel"


def test_a_temperature_above_a_limit_that_says_nothing_by_its_status_stays_so(feel: Feel) -> None:
    above = observation(valueQuantity={"value": 38, "unit": "Cel", "comparator": ">"}, status="cancelled")
    assert feel(above).standing is Standing.NO_INFORMATION


def test_a_temperature_is_read_with_its_time_and_its_place(feel: Feel) -> None:
    result = feel(coded(Decimal("37.5"), "Cel"))
    assert (result.measured.day, result.standing) == (date(2026, 3, 2), Standing.ACCEPTED)
    assert (result.evidence.name, result.evidence.value) == ("Temp", "37.5 Cel")


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        ({"status": "preliminary"}, Standing.PROVISIONAL),
        ({"effectiveDateTime": "2026-03-02T06:00:00"}, Standing.PROVISIONAL),
        ({"dataAbsentReason": {"text": "error"}}, Standing.PROVISIONAL),
        ({"focus": [{"reference": "Patient/mother"}]}, Standing.PROVISIONAL),
        ({"valueQuantity": None}, Standing.NO_INFORMATION),
        ({"status": "cancelled"}, Standing.NO_INFORMATION),
    ],
)
def test_a_doubtful_temperature_proves_nothing(feel: Feel, change: Resource, standing: Standing) -> None:
    assert feel(coded(38, "Cel") | change).standing is standing


def test_what_was_entered_in_error_is_not_there(clock: SiteClock, units: UnitTable, recognition: Recognition) -> None:
    wrong = coded(38, "Cel") | {"status": "entered-in-error"}
    assert read_temperature(wrong, clock, units) is None
    assert read_infection_test(wrong, "hepatitis_b_dna", clock, recognition) is None


# --- tests for infections


def flagged(code: str) -> Resource:
    return {"interpretation": [{"coding": [{"code": code}]}]}


@pytest.mark.parametrize(
    ("resource", "is_positive"),
    [
        (observation(valueString="Detected"), True),
        (observation(valueString="POSITIVE."), True),
        (observation(valueCodeableConcept={"text": "Reactive"}), True),
        (observation(valueCodeableConcept={"coding": [{"display": "Positive (qualifier value)"}]}), True),
        (observation(valueBoolean=True), True),
        (observation(**flagged("POS")), True),
        (observation(valueString="see comment", **flagged("POS")), True),
        (observation(valueString="negative", **flagged("POS")), True),
        (observation(valueString="Not detected"), False),
        (observation(valueCodeableConcept={"text": "negative"}), False),
        (observation(valueBoolean=False), False),
        (observation(**flagged("NEG")), False),
        (observation(valueString="pending"), None),
        (observation(valueString="not positive, repeat"), None),
        (observation(valueString="indeterminate", **flagged("A")), None),
        (observation(), None),
    ],
)
def test_a_test_says_yes_no_or_neither(tested: Test, resource: Resource, is_positive: bool | None) -> None:
    assert tested(resource).is_positive is is_positive


def amount(value: Any, comparator: str = "", **members: Any) -> Resource:
    compared = {"comparator": comparator} if comparator else {}
    return observation(valueQuantity={"value": value, "unit": "[IU]/mL", **compared}, **members)


@pytest.mark.parametrize("concept", ["hepatitis_b_dna", "hepatitis_c_rna", "hepatitis_b_surface_antigen_quantity"])
@pytest.mark.parametrize(
    ("resource", "is_positive"),
    [
        (amount(1200), True),
        (amount(Decimal("0.1")), True),
        (amount(0, ">"), True),
        (amount(20, ">="), True),
        (amount(20, "<"), None),
        (amount(20, "<="), None),
        (amount(0, ">="), None),
        (amount(0), False),
        (amount("many"), None),
        (amount(20, "<", valueString="Detected"), True),
        (amount(20, **flagged("NEG")), False),
    ],
)
def test_an_amount_of_the_agent_surely_above_nought_is_positive(
    tested: Test, concept: str, resource: Resource, is_positive: bool | None
) -> None:
    assert tested(resource, concept).is_positive is is_positive


@pytest.mark.parametrize("concept", ["respiratory_pathogen_test", "hepatitis_b_surface_antigen"])
def test_a_number_of_any_other_test_says_neither(tested: Test, concept: str) -> None:
    assert tested(amount(30), concept).is_positive is None


@pytest.mark.parametrize(
    ("resource", "standing", "written"),
    [
        (observation(valueString="Detected"), Standing.ACCEPTED, "Detected"),
        (observation(valueBoolean=True), Standing.ACCEPTED, "true"),
        (observation(**flagged("POS")), Standing.ACCEPTED, "POS"),
        (amount(20, "<"), Standing.ACCEPTED, "< 20 [IU]/mL"),
        (observation(valueString="Detected", status="preliminary"), Standing.PROVISIONAL, "Detected"),
        (observation(valueString="Detected", focus=[{"display": "mother"}]), Standing.PROVISIONAL, "Detected"),
        (observation(), Standing.NO_INFORMATION, ""),
    ],
)
def test_a_test_is_shown_as_written_and_stands_by_its_status(
    tested: Test, resource: Resource, standing: Standing, written: str
) -> None:
    result = tested(resource)
    assert (result.standing, result.evidence.value) == (standing, written)


def test_every_test_but_one_has_a_code(recognition: Recognition) -> None:
    assert INFECTION_TESTS - set(recognition.codes.concepts) <= {"hepatitis_a_igm"}
