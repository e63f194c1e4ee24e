"""The gate: which of the orders being written are for the product, and which of them are selected (C9, ruling 53)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders import PATIENT_ID, PRODUCTS, bundle

from cds_service.domain.facts import IdentityFault
from cds_service.fhir import DraftOrders, Recognition, read_draft_orders

Resource = dict[str, Any]
Read = Callable[..., DraftOrders]


@pytest.fixture
def read(recognition: Recognition) -> Read:
    def of(*orders: Resource, selections: tuple[str, ...] | None = None, prefetch: Any = None) -> DraftOrders:
        return read_draft_orders(bundle(list(orders)), selections, prefetch, PATIENT_ID, recognition)

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
def test_the_product_opens_the_gate(read: Read, product: Resource) -> None:
    assert read(an_order(product=product)).concern_us


@pytest.mark.parametrize("product", [PRODUCTS["itvisma"], OTHER, {}, None])
def test_nothing_else_does(read: Read, product: Any) -> None:
    assert not read(an_order(product=product)).concern_us


def test_the_product_among_other_orders_opens_the_gate(read: Read) -> None:
    assert ids(read(an_order("d0", OTHER), an_order("d1"), {"resourceType": "NutritionOrder", "id": "n"})) == ["d1"]


def test_a_medication_among_the_orders_is_no_order(read: Read) -> None:
    assert not read({"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}).concern_us


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "completed", "unknown", "", None])
def test_any_order_that_may_still_be_written_counts(read: Read, status: Any) -> None:
    assert read(an_order(status=status)).concern_us


@pytest.mark.parametrize(
    "members", [{"status": "cancelled"}, {"status": "stopped"}, {"status": "Entered-In-Error "}, {"doNotPerform": True}]
)
def test_an_order_that_is_taken_back_does_not_count(read: Read, members: Resource) -> None:
    assert not read(an_order(**members)).concern_us


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
def test_a_selection_that_names_no_order_selects_none(read: Read, selection: str) -> None:
    assert not read(an_order("d1"), selections=(selection,)).concern_us


def test_an_unselected_product_order_is_background(read: Read) -> None:
    found = read(an_order("d1"), an_order("d2"), selections=("MedicationRequest/d2",))
    assert (ids(found), [draft.resource["id"] for draft in found.background]) == (["d2"], ["d1"])


def test_an_order_without_an_id_cannot_be_selected_and_is_signed_all_the_same(read: Read) -> None:
    nameless = an_order("x")
    del nameless["id"]
    assert not read(nameless, selections=("",)).concern_us
    assert read(nameless).concern_us


def test_a_medication_beside_the_order_is_resolved(read: Read) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}
    order = an_order(product=None, medicationReference={"reference": "Medication/m"})
    assert read(order, medication).concern_us


@pytest.mark.parametrize("where", ["alone", "in a list"])
def test_a_medication_in_the_prefetch_is_resolved(read: Read, where: str) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}
    order = an_order(product=None, medicationReference={"reference": "Medication/m"})
    assert read(order, prefetch={"meds": medication if where == "alone" else bundle([medication])}).concern_us


def test_a_medication_beside_the_order_outweighs_one_in_the_prefetch(read: Read) -> None:
    beside = {"resourceType": "Medication", "id": "m", "code": OTHER}
    prefetched = {"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}
    order = an_order(product=None, medicationReference={"reference": "Medication/m"})
    assert not read(order, beside, prefetch={"meds": prefetched}).concern_us


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
    assert not read_draft_orders(drafts, None, None, PATIENT_ID, recognition).concern_us
