"""The gate of hooks without drafts, decided on the raw JSON: a trace of the product about this child (C9, ruling 10)."""

from __future__ import annotations

from typing import Any

import pytest
from builders import PATIENT_ID, PRODUCTS, bundle

from cds_service.fhir import Recognition, holds_trace_of_product, names_product
from cds_service.fhir.occasion import dispatches_product

Resource = dict[str, Any]
CODED_IN = {
    "MedicationRequest": ("medicationCodeableConcept", "subject"),
    "MedicationAdministration": ("medicationCodeableConcept", "subject"),
    "Immunization": ("vaccineCode", "patient"),
    "Procedure": ("code", "subject"),
}
OURS = PRODUCTS["zolgensma"]


def a_trace(kind: str = "MedicationRequest", product: Any = OURS, patient: str = PATIENT_ID) -> Resource:
    coded, subject = CODED_IN[kind]
    return {"resourceType": kind, "id": "t1", coded: product, subject: {"reference": f"Patient/{patient}"}}


def holds(recognition: Recognition, *resources: Any) -> bool:
    return holds_trace_of_product({"anything": bundle(list(resources))}, PATIENT_ID, recognition)


@pytest.mark.parametrize("kind", CODED_IN)
@pytest.mark.parametrize("product", [OURS, PRODUCTS["ingredient"], {"text": "Zolgensma"}])
def test_an_order_a_dose_or_a_procedure_of_the_product_is_a_trace(
    recognition: Recognition, kind: str, product: Resource
) -> None:
    assert holds(recognition, a_trace(kind, product))


@pytest.mark.parametrize("kind", CODED_IN)
@pytest.mark.parametrize("product", [{"text": "Prednisolone"}, {}, None, "Zolgensma"])
def test_anything_else_is_none(recognition: Recognition, kind: str, product: Any) -> None:
    assert not holds(recognition, a_trace(kind, product))


def test_the_intrathecal_product_is_worth_reading_the_record_for(recognition: Recognition) -> None:
    assert holds(recognition, a_trace("MedicationAdministration", PRODUCTS["itvisma"]))


@pytest.mark.parametrize("kind", CODED_IN)
def test_a_trace_about_another_child_is_none(recognition: Recognition, kind: str) -> None:
    assert not holds(recognition, a_trace(kind, patient="somebody-else"))


@pytest.mark.parametrize("subject", [None, {}, {"display": "Baby"}, {"identifier": {"value": "1"}}])
def test_a_trace_about_nobody_is_none(recognition: Recognition, subject: Any) -> None:
    assert not holds(recognition, {**a_trace(), "subject": subject})


def test_a_trace_may_stand_alone_under_its_key(recognition: Recognition) -> None:
    assert holds_trace_of_product({"order": a_trace()}, PATIENT_ID, recognition)


@pytest.mark.parametrize("kind", ["Observation", "Condition", "ServiceRequest", "Medication", "Brew"])
def test_a_resource_of_another_kind_is_none_whatever_it_names(recognition: Recognition, kind: str) -> None:
    subject = {"subject": {"reference": f"Patient/{PATIENT_ID}"}}
    assert not holds(recognition, {"resourceType": kind, "code": OURS, "medicationCodeableConcept": OURS, **subject})


def test_a_medication_elsewhere_in_the_call_is_resolved(recognition: Recognition) -> None:
    order = {**a_trace(), "medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m"}}
    medication = {"resourceType": "Medication", "id": "m", "code": OURS}
    assert holds(recognition, order, medication)
    assert not holds(recognition, order)


@pytest.mark.parametrize("prefetch", [None, {}, [], "x", {"a": None, "b": [], "c": "x"}, {"a": {"resourceType": []}}])
def test_odd_deliveries_hold_none(recognition: Recognition, prefetch: Any) -> None:
    assert not holds_trace_of_product(prefetch, PATIENT_ID, recognition)


# --- orders that are dispatched


@pytest.mark.parametrize(
    "reference", ["MedicationRequest/t1", "t1", "https://ehr.example.org/fhir/MedicationRequest/t1"]
)
@pytest.mark.parametrize("patient", [PATIENT_ID, "somebody-else"])
def test_a_dispatched_order_for_the_product_is_seen_whoever_it_is_for(
    recognition: Recognition, reference: str, patient: str
) -> None:
    assert dispatches_product({"orders": bundle([a_trace(patient=patient)])}, (reference,), recognition)


@pytest.mark.parametrize("dispatched", [(), ("MedicationRequest/other",), ("ServiceRequest/t1",)])
def test_an_order_that_is_not_dispatched_is_not(recognition: Recognition, dispatched: tuple[str, ...]) -> None:
    assert not dispatches_product({"orders": bundle([a_trace()])}, dispatched, recognition)


def test_a_dispatched_order_for_another_medicine_is_not(recognition: Recognition) -> None:
    orders = {"orders": bundle([a_trace(product={"text": "Amoxicillin"})])}
    assert not dispatches_product(orders, ("MedicationRequest/t1",), recognition)


# --- appointments


@pytest.mark.parametrize(
    "members",
    [
        {"serviceType": [{"text": "ZOLGENSMA infusion"}]},
        {"reasonCode": [{"text": "Zolgensma"}]},
        {"appointmentType": {"text": "onasemnogene abeparvovec-xioi"}},
        {"description": "Zolgensma"},
        {"comment": "for ZOLGENSMA"},
    ],
)
def test_an_appointment_may_name_the_product_in_several_places(recognition: Recognition, members: Resource) -> None:
    assert names_product({"resourceType": "Appointment", **members}, recognition)


@pytest.mark.parametrize(
    "members", [{}, {"serviceType": [{"text": "Follow-up visit"}]}, {"comment": "ITVISMA"}, {"description": 5}]
)
def test_any_other_appointment_does_not(recognition: Recognition, members: Resource) -> None:
    assert not names_product({"resourceType": "Appointment", **members}, recognition)
