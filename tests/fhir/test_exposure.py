"""Doses already given, by whatever record says so (C8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from builders import PRODUCTS, SYSTEMS, UCUM

from cds_service.domain.facts import Exposure, ExposureKind
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.exposure import read_administration, read_completed_order, read_procedure_dose

Resource = dict[str, Any]
Read = Callable[[Resource], Exposure | None]


@pytest.fixture
def given(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda resource: read_administration(resource, recognition, {}, clock)


@pytest.fixture
def done(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda resource: read_procedure_dose(resource, recognition, clock)


@pytest.fixture
def ordered(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda resource: read_completed_order(resource, recognition.medicine_of(resource, {}), clock)


def administration(**members: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": PRODUCTS["zolgensma"],
        "effectiveDateTime": "2026-02-01T15:00:00Z",
        **members,
    }


@pytest.mark.hazard("H54")
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("completed", ExposureKind.GIVEN),
        ("Completed ", ExposureKind.GIVEN),
        ("in-progress", ExposureKind.GIVEN),
        ("stopped", ExposureKind.PARTLY_GIVEN),
        ("on-hold", ExposureKind.PARTLY_GIVEN),
        ("unknown", ExposureKind.POSSIBLE),
        ("", ExposureKind.POSSIBLE),
        (None, ExposureKind.POSSIBLE),
        (5, ExposureKind.POSSIBLE),
        ("administered", ExposureKind.POSSIBLE),
    ],
)
def test_the_status_says_how_surely_it_was_given(given: Read, status: Any, kind: ExposureKind) -> None:
    found = given(administration(status=status))
    assert found is not None
    assert (found.kind, found.given.day) == (kind, date(2026, 2, 1))


@pytest.mark.parametrize("status", ["not-done", "Not-Done ", "entered-in-error", "entered-in-error "])
def test_what_was_not_done_is_no_exposure(given: Read, status: str) -> None:
    assert given(administration(status=status)) is None


@pytest.mark.parametrize(
    ("effective", "day"),
    [
        ({"effectivePeriod": {"start": "2026-02-01T15:00:00Z", "end": "2026-02-01T16:00:00Z"}}, date(2026, 2, 1)),
        ({"effectiveDateTime": "2026-02"}, None),
        ({"effectiveDateTime": None}, None),
    ],
)
def test_its_day_is_known_or_not(given: Read, effective: Resource, day: date | None) -> None:
    found = given({**administration(effectiveDateTime=None), **effective})
    assert found is not None
    assert (found.kind, found.given.day) == (ExposureKind.GIVEN, day)


def test_a_future_administration_is_only_possible(given: Read) -> None:
    found = given(administration(effectiveDateTime="2026-03-09"))
    assert found is not None
    assert found.kind is ExposureKind.POSSIBLE


@pytest.mark.parametrize("product", [PRODUCTS["itvisma"], {"text": "onasemnogene abeparvovec-brve"}])
def test_the_intrathecal_relative_is_an_exposure_of_its_own_kind(given: Read, product: Resource) -> None:
    found = given(administration(medicationCodeableConcept=product))
    assert found is not None
    assert found.kind is ExposureKind.OTHER_PRODUCT


def test_the_shared_ingredient_counts_as_given(given: Read) -> None:
    found = given(administration(medicationCodeableConcept=PRODUCTS["ingredient"]))
    assert found is not None
    assert found.kind is ExposureKind.GIVEN


@pytest.mark.parametrize("product", [{"text": "Nusinersen"}, {}, None])
def test_another_medicine_is_no_exposure(given: Read, product: Any) -> None:
    assert given(administration(medicationCodeableConcept=product)) is None


def test_the_contained_medication_of_an_infusion_is_read(given: Read) -> None:
    contained = {"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}
    found = given(
        administration(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[contained])
    )
    assert found is not None


def test_an_administration_names_its_order_and_its_dose(given: Read) -> None:
    dose = {"dose": {"value": 19, "unit": "mL", "system": UCUM, "code": "mL"}}
    found = given(administration(request={"reference": "https://ehr.example.org/MedicationRequest/r1"}, dosage=dose))
    assert found is not None
    assert (found.order_references, found.evidence.value) == (frozenset({"MedicationRequest/r1"}), "19 mL")


def test_an_administration_without_a_dosage_is_read(given: Read) -> None:
    found = given(administration(dosage="19 mL", request="r1"))
    assert found is not None
    assert found.order_references == frozenset()


# --- procedures


def procedure(**members: Any) -> Resource:
    coding = {"system": SYSTEMS["HCPCS"], "code": "J3399"}
    return {
        "resourceType": "Procedure",
        "id": "p1",
        "status": "completed",
        "code": {"coding": [coding]},
        "performedDateTime": "2026-02-01",
        **members,
    }


def test_a_billed_procedure_of_the_product_is_an_exposure(done: Read) -> None:
    found = done(procedure(basedOn=[{"reference": "MedicationRequest/r1"}, None]))
    assert found is not None
    assert (found.kind, found.given.day, found.order_references) == (
        ExposureKind.GIVEN,
        date(2026, 2, 1),
        frozenset({"MedicationRequest/r1"}),
    )


def test_a_procedures_period_gives_its_day(done: Read) -> None:
    found = done(procedure(performedDateTime=None, performedPeriod={"start": "2026-02-01"}))
    assert found is not None
    assert found.given.day == date(2026, 2, 1)


@pytest.mark.parametrize("status", ["not-done", "preparation", "entered-in-error"])
def test_a_procedure_that_was_not_done_is_no_exposure(done: Read, status: str) -> None:
    assert done(procedure(status=status)) is None


def test_a_procedure_whose_status_nobody_knows_is_a_possible_exposure(done: Read) -> None:
    found = done(procedure(status=None))
    assert found is not None
    assert found.kind is ExposureKind.POSSIBLE


@pytest.mark.parametrize("words", ["Zolgensma caregiver education", "Teaching, onasemnogene abeparvovec-xioi"])
def test_teaching_about_the_product_is_no_exposure(done: Read, words: str) -> None:
    assert done(procedure(code={"text": words})) is None


@pytest.mark.parametrize(
    "words", ["Zolgensma infusion", "Zolgensma infusion and education", "Education, Zolgensma given"]
)
def test_a_procedure_that_tells_of_giving_it_is_an_exposure_whatever_was_taught(done: Read, words: str) -> None:
    assert done(procedure(code={"text": words})) is not None


def test_teaching_under_a_code_of_the_product_is_an_exposure(done: Read) -> None:
    coded = procedure()["code"]
    assert done(procedure(code={**coded, "text": "Zolgensma education"})) is not None


def test_another_procedure_is_no_exposure(done: Read) -> None:
    assert done(procedure(code={"text": "Lumbar puncture"})) is None


# --- completed orders


def order(*events: Any, **members: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "completed",
        "medicationCodeableConcept": PRODUCTS["zolgensma"],
        "dosageInstruction": [{"timing": {"event": list(events)}}],
        **members,
    }


@pytest.mark.parametrize("event", ["2026-02-01", "2026-02-01T15:00:00Z", "2026-03-02"])
def test_a_completed_order_whose_day_has_come_is_presumed_given(ordered: Read, event: str) -> None:
    found = ordered(order(event))
    assert found is not None
    assert found.kind is ExposureKind.PRESUMED_FROM_ORDER


@pytest.mark.parametrize("event", ["2026-03-03", "2026-03-02T20:00:00Z", "2026-02", "soon", None, 5])
def test_a_completed_order_without_a_past_day_is_no_exposure(ordered: Read, event: Any) -> None:
    assert ordered(order(event)) is None
    assert ordered(order()) is None


@pytest.mark.parametrize(
    "status", ["active", "stopped", "cancelled", "draft", "on-hold", "unknown", "entered-in-error", None]
)
def test_an_order_that_is_not_completed_is_no_exposure(ordered: Read, status: Any) -> None:
    assert ordered(order("2026-02-01", status=status)) is None


def test_an_order_not_to_give_is_no_exposure(ordered: Read) -> None:
    assert ordered(order("2026-02-01", doNotPerform=True)) is None


def test_a_presumed_dose_is_known_by_its_order_and_its_identifiers(ordered: Read) -> None:
    found = ordered(order("2026-02-01", identifier=[{"system": "s", "value": "7"}]))
    assert found is not None
    assert found.order_references == frozenset({"MedicationRequest/r1", "s|7"})


def test_a_completed_order_of_the_relative_is_of_the_other_product(ordered: Read) -> None:
    found = ordered(order("2026-02-01", medicationCodeableConcept=PRODUCTS["itvisma"]))
    assert found is not None
    assert found.kind is ExposureKind.OTHER_PRODUCT
