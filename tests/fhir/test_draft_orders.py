"""The gate: which of the orders being written are for the product, and which of them are selected (C9, ruling 53).

An order for a corticosteroid or a vaccine opens it only where the record holds a trace of the product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders import PATIENT_ID, PRODUCTS, bundle

from cds_service.domain.facts import IdentityFault
from cds_service.fhir import (
    DraftOrders,
    Recognition,
    holds_trace_of_product,
    medications_of_drafts,
    read_draft_orders,
    recorded_medications,
)
from cds_service.fhir.steroid import is_steroid_draft
from cds_service.fhir.vaccine import is_vaccine_draft

Resource = dict[str, Any]
Read = Callable[..., DraftOrders]
OpensGate = Callable[..., bool]


@pytest.fixture
def read(recognition: Recognition) -> Read:
    def of(*orders: Resource, selections: tuple[str, ...] | None = None, prefetch: Any = None) -> DraftOrders:
        return read_draft_orders(bundle(list(orders)), selections, prefetch, PATIENT_ID, recognition)

    return of


@pytest.fixture
def opens_gate(read: Read, recognition: Recognition) -> OpensGate:
    """Whether orders open the gate, with what the record delivers beside them."""

    def of(*orders: Resource, selections: tuple[str, ...] | None = None, prefetch: Any = None) -> bool:
        found = read(*orders, selections=selections, prefetch=prefetch)
        is_traced = holds_trace_of_product(prefetch, PATIENT_ID, recognition)
        return bool(found.in_hand) or (found.names_steroid_or_vaccine and is_traced)

    return of


def an_order(identity: str = "d1", product: Any = PRODUCTS["zolgensma"], **members: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": product,
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        **members,
    }


OTHER = {"text": "Prednisolone"}


def ids(found: DraftOrders) -> list[str]:
    return [draft.resource["id"] for draft in found.in_hand]


@pytest.mark.parametrize("product", [PRODUCTS["zolgensma"], PRODUCTS["ingredient"], {"text": "ZOLGENSMA kit"}])
def test_the_product_opens_the_gate(opens_gate: OpensGate, product: Resource) -> None:
    assert opens_gate(an_order(product=product))


@pytest.mark.parametrize("product", [PRODUCTS["itvisma"], OTHER, {}, None])
def test_nothing_else_does(opens_gate: OpensGate, product: Any) -> None:
    assert not opens_gate(an_order(product=product))


def test_the_product_among_other_orders_opens_the_gate(read: Read) -> None:
    assert ids(read(an_order("d0", OTHER), an_order("d1"), {"resourceType": "NutritionOrder", "id": "n"})) == ["d1"]


def test_a_medication_among_the_orders_is_no_order(opens_gate: OpensGate) -> None:
    assert not opens_gate({"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]})


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "completed", "unknown", "", None])
def test_any_order_that_may_still_be_written_counts(opens_gate: OpensGate, status: Any) -> None:
    assert opens_gate(an_order(status=status))


@pytest.mark.parametrize(
    "members", [{"status": "cancelled"}, {"status": "stopped"}, {"status": "Entered-In-Error "}, {"doNotPerform": True}]
)
def test_an_order_that_is_taken_back_does_not_count(opens_gate: OpensGate, members: Resource) -> None:
    assert not opens_gate(an_order(**members))


@pytest.mark.parametrize(
    "selection",
    [
        "MedicationRequest/d1",
        "d1",
        "https://ehr.example.org/fhir/MedicationRequest/d1",
        "MedicationRequest/d1/_history/2",
        " d1 ",
    ],
)
def test_a_selection_may_name_its_order_in_several_ways(read: Read, selection: str) -> None:
    assert ids(read(an_order("d1"), an_order("d2"), selections=(selection,))) == ["d1"]


@pytest.mark.parametrize("selection", ["d3", "NutritionOrder/d1", "MedicationRequest/D1", "MedicationRequest/", ""])
def test_a_selection_that_names_no_order_selects_none(opens_gate: OpensGate, selection: str) -> None:
    assert not opens_gate(an_order("d1"), selections=(selection,))


def test_an_unselected_product_order_is_background(read: Read) -> None:
    found = read(an_order("d1"), an_order("d2"), selections=("MedicationRequest/d2",))
    assert (ids(found), [draft.resource["id"] for draft in found.background]) == (["d2"], ["d1"])


def test_an_order_without_an_id_cannot_be_selected_and_is_signed_all_the_same(opens_gate: OpensGate) -> None:
    nameless = an_order("x")
    del nameless["id"]
    assert not opens_gate(nameless, selections=("",))
    assert opens_gate(nameless)


def test_a_medication_beside_the_order_is_resolved(opens_gate: OpensGate) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}
    order = an_order(product=None, medicationReference={"reference": "Medication/m"})
    assert opens_gate(order, medication)


@pytest.mark.parametrize("where", ["alone", "in a list"])
def test_a_medication_in_the_prefetch_is_resolved(opens_gate: OpensGate, where: str) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}
    order = an_order(product=None, medicationReference={"reference": "Medication/m"})
    assert opens_gate(order, prefetch={"meds": medication if where == "alone" else bundle([medication])})


def test_a_medication_beside_the_order_outweighs_one_in_the_prefetch(opens_gate: OpensGate) -> None:
    beside = {"resourceType": "Medication", "id": "m", "code": OTHER}
    prefetched = {"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}
    order = an_order(product=None, medicationReference={"reference": "Medication/m"})
    assert not opens_gate(order, beside, prefetch={"meds": prefetched})


@pytest.mark.hazard("H1")
def test_an_order_for_another_child_is_told(read: Read) -> None:
    found = read(an_order(subject={"reference": "Patient/somebody-else"}))
    assert [problem.fault for problem in found.other_subjects] == [IdentityFault.OTHER_PATIENT]


@pytest.mark.parametrize(
    "subject",
    [{"reference": f"https://ehr.example.org/Patient/{PATIENT_ID}"}, {"reference": f"Patient/{PATIENT_ID}/_history/1"}],
)
def test_an_order_for_this_child_is_not(read: Read, subject: Resource) -> None:
    assert read(an_order(subject=subject)).other_subjects == ()


@pytest.mark.parametrize("subject", [None, {}])
def test_an_order_without_a_subject_belongs_to_this_child(read: Read, subject: Any) -> None:
    assert read(an_order(subject=subject)).other_subjects == ()


@pytest.mark.parametrize(
    "subject",
    [
        {"display": "Baby"},
        {"identifier": {"value": "1"}},
        {"reference": "99999"},
        {"reference": "Patient/somebody-else#x"},
        [{"reference": "Patient/somebody-else"}],
        "Patient/somebody-else",
    ],
)
def test_an_order_whose_subject_does_not_resolve_to_this_child_is_told(read: Read, subject: Any) -> None:
    assert len(read(an_order(subject=subject)).other_subjects) == 1


def test_an_id_that_two_orders_share_addresses_neither(read: Read) -> None:
    assert read(an_order("d1"), an_order("d1"), an_order("d2")).by_id().keys() == {"d2"}


@pytest.mark.parametrize(
    "drafts", [None, {}, [], "x", {"entry": None}, {"entry": "x"}, {"entry": [None, {}, {"resource": []}]}]
)
def test_odd_bundles_hold_no_orders(recognition: Recognition, drafts: Any) -> None:
    found = read_draft_orders(drafts, None, None, PATIENT_ID, recognition)
    assert not found.in_hand
    assert not found.names_steroid_or_vaccine


# --- corticosteroids and vaccines, which concern us in a child with the product

STEROID = {"text": "Prednisolone"}
MMR = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "03", "display": "MMR"}]}
TRACES = {
    "an open order": an_order("order-1", status="active"),
    "a dose": {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": PRODUCTS["zolgensma"],
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
    },
    "a procedure": {
        "resourceType": "Procedure",
        "status": "completed",
        "code": {"text": "Zolgensma infusion"},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
    },
    "an immunization": {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"text": "Zolgensma"},
        "patient": {"reference": f"Patient/{PATIENT_ID}"},
    },
}


@pytest.mark.parametrize("product", [STEROID, MMR])
@pytest.mark.parametrize("trace", TRACES)
def test_a_steroid_or_vaccine_opens_the_gate_where_the_record_holds_the_product(
    opens_gate: OpensGate, product: Resource, trace: str
) -> None:
    assert opens_gate(an_order(product=product), prefetch={"any": bundle([TRACES[trace]])})


@pytest.mark.parametrize("product", [STEROID, MMR])
def test_a_steroid_or_vaccine_alone_opens_nothing(opens_gate: OpensGate, product: Resource) -> None:
    assert not opens_gate(an_order(product=product))


@pytest.mark.parametrize("product", [STEROID, MMR])
@pytest.mark.parametrize("trace", TRACES)
def test_the_product_of_another_child_opens_nothing(opens_gate: OpensGate, product: Resource, trace: str) -> None:
    element = "patient" if "patient" in TRACES[trace] else "subject"
    stray = {**TRACES[trace], element: {"reference": "Patient/somebody-else"}}
    assert not opens_gate(an_order(product=product), prefetch={"any": bundle([stray])})


@pytest.mark.parametrize("trace", TRACES)
def test_another_medicine_opens_nothing_whatever_the_record_holds(opens_gate: OpensGate, trace: str) -> None:
    assert not opens_gate(an_order(product={"text": "Amoxicillin"}), prefetch={"any": bundle([TRACES[trace]])})


def test_a_steroid_that_is_not_selected_opens_nothing(opens_gate: OpensGate) -> None:
    orders = [an_order("d1", STEROID), an_order("d2", {"text": "Amoxicillin"})]
    prefetch = {"any": bundle([TRACES["a dose"]])}
    assert not opens_gate(*orders, selections=("MedicationRequest/d2",), prefetch=prefetch)
    assert opens_gate(*orders, selections=("MedicationRequest/d1",), prefetch=prefetch)


@pytest.mark.parametrize("status", ["stopped", "cancelled", "Stopped ", "entered-in-error"])
def test_a_steroid_that_is_being_stopped_opens_the_gate_like_one_being_ordered(
    opens_gate: OpensGate, status: str
) -> None:
    order = an_order(product=STEROID, status=status)
    assert opens_gate(order, prefetch={"any": bundle([TRACES["a dose"]])})
    assert not opens_gate(order)


@pytest.mark.parametrize(
    "members",
    [
        {"doNotPerform": True},
        {"status": "stopped", "doNotPerform": True},
        {"status": "stopped", "medicationCodeableConcept": {"text": "Amoxicillin"}},
        {"status": "stopped", "medicationCodeableConcept": {"text": "Hydrocortisone cream, topical"}},
        {"status": "stopped", "subject": {"reference": "Patient/somebody-else"}},
    ],
)
def test_what_stops_no_steroid_of_this_child_opens_nothing(opens_gate: OpensGate, members: Resource) -> None:
    order = {**an_order(product=STEROID), **members}
    assert not opens_gate(order, prefetch={"any": bundle([TRACES["a dose"]])})


AMOXICILLIN = {"text": "Amoxicillin"}


@pytest.mark.parametrize(
    ("draft", "opens"),
    [
        (an_order("running", AMOXICILLIN), True),
        (an_order("running", AMOXICILLIN, status="stopped"), True),
        (an_order("new", AMOXICILLIN, priorPrescription={"reference": "MedicationRequest/running"}), True),
        (an_order("new", AMOXICILLIN, priorPrescription={"reference": "MedicationRequest/another"}), False),
        (an_order("new", AMOXICILLIN), False),
        ({**an_order("running", AMOXICILLIN), "resourceType": "ServiceRequest"}, False),
    ],
)
def test_a_running_steroid_that_is_edited_into_something_else_opens_the_gate(
    opens_gate: OpensGate, draft: Resource, opens: bool
) -> None:
    running = an_order("running", STEROID, status="active")
    assert opens_gate(draft, prefetch={"any": bundle([TRACES["a dose"], running])}) is opens


def test_another_medicine_that_is_edited_opens_nothing(opens_gate: OpensGate) -> None:
    running = an_order("running", AMOXICILLIN, status="active")
    draft = an_order("running", {"text": "Ampicillin"})
    assert not opens_gate(draft, prefetch={"any": bundle([TRACES["a dose"], running])})


def test_a_steroid_being_stopped_has_to_be_selected_where_orders_are_selected(opens_gate: OpensGate) -> None:
    orders = [an_order("d1", STEROID, status="stopped"), an_order("d2", {"text": "Amoxicillin"})]
    prefetch = {"any": bundle([TRACES["a dose"]])}
    assert not opens_gate(*orders, selections=("MedicationRequest/d2",), prefetch=prefetch)
    assert opens_gate(*orders, selections=("MedicationRequest/d1",), prefetch=prefetch)


def test_a_stopped_steroid_may_be_known_by_a_medication_of_the_record(opens_gate: OpensGate) -> None:
    order = an_order(status="stopped", medicationReference={"reference": "Medication/m1"})
    del order["medicationCodeableConcept"]
    medication = {"resourceType": "Medication", "id": "m1", "code": STEROID}
    assert opens_gate(order, prefetch={"any": bundle([TRACES["a dose"], medication])})


def test_orders_being_stopped_are_kept_apart_from_those_being_ordered(read: Read) -> None:
    stopped = an_order("d2", STEROID, status="stopped")
    in_error = an_order("d3", STEROID, status="entered-in-error")
    foreign = an_order("d4", STEROID, status="stopped", subject={"reference": "Patient/somebody-else"})
    found = read(an_order("d1"), stopped, in_error, foreign)
    assert [order["id"] for order in found.stopped] == ["d2", "d3"]
    assert found.taken_back == {"MedicationRequest/d2", "MedicationRequest/d3"}
    assert found.others == ()


@pytest.mark.parametrize("kind", ["MedicationRequest", "ServiceRequest", "Immunization"])
def test_a_vaccine_may_be_ordered_in_several_kinds_of_resource(read: Read, kind: str) -> None:
    element = {
        "MedicationRequest": "medicationCodeableConcept",
        "ServiceRequest": "code",
        "Immunization": "vaccineCode",
    }
    order = {"resourceType": kind, "id": "v1", "status": "draft", element[kind]: MMR}
    assert read(order).names_steroid_or_vaccine


def test_orders_beside_the_product_are_kept_and_the_selected_ones_told_apart(read: Read) -> None:
    selected = ("MedicationRequest/d1", "MedicationRequest/d2")
    found = read(an_order("d1"), an_order("d2", STEROID), an_order("d3", MMR), selections=selected)
    assert [order["id"] for order in found.others] == ["d2", "d3"]
    assert [order["id"] for order in found.others_in_hand] == ["d2"]


def test_an_order_beside_the_product_for_another_child_is_not_kept(read: Read) -> None:
    found = read(an_order("d1"), an_order("d2", STEROID, subject={"reference": "Patient/somebody-else"}))
    assert found.others == ()


def test_a_steroid_for_another_child_is_told_where_it_is_all_the_call_is_about(read: Read) -> None:
    found = read(an_order(product=STEROID, subject={"reference": "Patient/somebody-else"}))
    assert [problem.fault for problem in found.other_subjects] == [IdentityFault.OTHER_PATIENT]


def test_every_draft_of_the_session_can_be_addressed(read: Read) -> None:
    assert read(an_order("d1"), an_order("d2", STEROID)).by_id().keys() == {"d1", "d2"}


# --- Medications that are worth a read


def a_nameless_order(reference: str) -> Resource:
    return {"resourceType": "MedicationRequest", "status": "active", "medicationReference": {"reference": reference}}


REFERENCES = [
    ("Medication/m1", ["Medication/m1"]),
    ("https://ehr.example.org/fhir/r4/Medication/m1/_history/2", ["Medication/m1"]),
    ("Patient/somebody-else", []),
    ("Binary/b1", []),
    ("#m1", []),
    ("urn:uuid:7d2d4c9e-1c4f-4f0e-9a6b-2f6f0f3b5a12", []),
]


@pytest.mark.parametrize(("reference", "wanted"), REFERENCES)
def test_only_a_medication_that_an_order_refers_to_is_worth_a_read(
    recognition: Recognition, reference: str, wanted: list[str]
) -> None:
    orders = bundle([a_nameless_order(reference), a_nameless_order(reference)])
    assert medications_of_drafts(orders, {}, recognition) == wanted
    assert recorded_medications({"mine": orders}, recognition, only_nameless=True) == wanted


# --- the quick look, which most orders of a hospital do not get beyond


def coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def as_drafts(concept: Resource) -> list[Resource]:
    members = {
        "MedicationRequest": "medicationCodeableConcept",
        "ServiceRequest": "code",
        "Immunization": "vaccineCode",
    }
    return [{"resourceType": kind, "id": "d1", "status": "draft", member: concept} for kind, member in members.items()]


def concerns_us(draft: Resource, recognition: Recognition) -> bool:
    is_ours = recognition.medicine_of(draft, {}).is_ours
    return is_ours or is_vaccine_draft(draft, recognition) or is_steroid_draft(draft, {}, recognition)


def test_no_code_that_concerns_us_is_passed_over_at_a_glance(recognition: Recognition) -> None:
    book = recognition.codes
    concepts = [coded(address, code) for address, code in book.by_code]
    concepts += [coded(address, code) for address, beginnings in book.by_prefix.items() for code in beginnings]
    ours = [c for c in concepts if any(concerns_us(draft, recognition) for draft in as_drafts(c))]
    assert len(ours) > 100
    assert [c for c in ours if recognition.tells_nothing([c], [])] == []


def test_an_order_for_what_is_only_watched_is_passed_over_at_a_glance(recognition: Recognition) -> None:
    others = [*recognition.codes.concepts["panel_cbc"], *recognition.codes.concepts["systemic_anti_infective"]]
    for code in others:
        for address in recognition.codes.addresses[code.system]:
            assert recognition.tells_nothing([coded(address, code.code)], []), code.name
