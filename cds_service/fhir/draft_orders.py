"""The orders being written, and which of them are ours: the gate, decided on the raw JSON (C9, ruling 53)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import IdentityFault, IdentityProblem
from cds_service.fhir.json_shapes import JsonObject, an_object, code_text, objects, text
from cds_service.fhir.recognition import Medicine, Recognition, medications_by_reference
from cds_service.fhir.references import is_about, own_reference, plain_reference, referenced

_NOT_BEING_ORDERED = frozenset({"cancelled", "stopped", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Draft:
    """One order in the prescriber's hand that is for the product, as it came."""

    resource: JsonObject
    medicine: Medicine


@dataclass(frozen=True, slots=True)
class DraftOrders:
    """The product orders that this call is about, and those beside it.

    `other_subjects` are orders that name another patient; an order that names none counts as the call's patient's
    (ruling 56).
    """

    in_hand: tuple[Draft, ...]
    background: tuple[Draft, ...]
    medications: dict[str, JsonObject]
    other_subjects: tuple[IdentityProblem, ...]

    @property
    def concern_us(self) -> bool:
        """Whether the gate opens: the product is among the orders this call is about."""
        return bool(self.in_hand)

    def by_id(self) -> dict[str, JsonObject]:
        """The product's drafts by id; an id that two of them share addresses neither."""
        ids = [text(draft.resource.get("id")) for draft in (*self.in_hand, *self.background)]
        resources = [draft.resource for draft in (*self.in_hand, *self.background)]
        times = Counter(ids)
        return {name: r for name, r in zip(ids, resources, strict=True) if name and times[name] == 1}


def read_draft_orders(
    draft_orders: object,
    selections: Sequence[str] | None,
    prefetch: object,
    patient_id: str,
    recognition: Recognition,
) -> DraftOrders:
    """The product's orders in a `draftOrders` Bundle. With `selections`, only selected orders are in hand.

    Costs a look at each order's codes; the prefetch is searched for Medication resources only where an order
    refers to one that did not come with the orders.
    """
    entries = [(text(e.get("fullUrl")), an_object(e.get("resource"))) for e in _entries(draft_orders)]
    orders = [resource for _, resource in entries if resource.get("resourceType") == "MedicationRequest"]
    medications = medications_by_reference(entries)
    if any(_refers_elsewhere(order, medications) for order in orders):
        medications = {**_medications_in(prefetch), **medications}
    ours = [
        Draft(order, medicine)
        for order in orders
        if _is_being_ordered(order) and (medicine := recognition.medicine_of(order, medications)).is_ours
    ]
    if not ours:
        return _NOTHING_OF_OURS
    times = Counter(text(resource.get("id")) for _, resource in entries)
    in_hand = [draft for draft in ours if selections is None or _is_selected(draft, selections, times)]
    chosen = {id(draft) for draft in in_hand}
    return DraftOrders(
        in_hand=tuple(in_hand),
        background=tuple(draft for draft in ours if id(draft) not in chosen),
        medications=medications,
        other_subjects=tuple(p for draft in in_hand if (p := _other_subject(draft.resource, patient_id))),
    )


def unmatched_selections(draft_orders: object, selections: Sequence[str] | None) -> int:
    """How many selections name none of the drafts, neither as `Type/id` nor by a bare id."""
    if not selections:
        return 0
    orders = [an_object(entry.get("resource")) for entry in _entries(draft_orders)]
    names = {own_reference(order) for order in orders} | {text(order.get("id")) for order in orders}
    return sum(selection not in names and plain_reference(selection) not in names for selection in selections)


_NOTHING_OF_OURS = DraftOrders((), (), {}, ())


def _entries(draft_orders: object) -> list[JsonObject]:
    return objects(an_object(draft_orders).get("entry"))


def _refers_elsewhere(order: JsonObject, medications: dict[str, JsonObject]) -> bool:
    name = referenced(order.get("medicationReference"))
    return bool(name) and not name.startswith("#") and name not in medications


def _medications_in(prefetch: object) -> dict[str, JsonObject]:
    """Every Medication that came with the call, alone or in a Bundle."""
    entries: list[tuple[str, JsonObject]] = []
    for value in an_object(prefetch).values():
        entries.append(("", an_object(value)))
        entries += [
            (text(e.get("fullUrl")), an_object(e.get("resource"))) for e in objects(an_object(value).get("entry"))
        ]
    return medications_by_reference(entries)


def _is_being_ordered(order: JsonObject) -> bool:
    return code_text(order.get("status")) not in _NOT_BEING_ORDERED and order.get("doNotPerform") is not True


def _is_selected(draft: Draft, selections: Sequence[str], times: Mapping[str, int]) -> bool:
    """Whether a selection names this order: as `Type/id`, or as a bare id that only one order has."""
    name, identity = own_reference(draft.resource), text(draft.resource.get("id"))
    if not identity:
        return False
    return any(
        plain_reference(selection) == name or (selection.strip() == identity and times[identity] == 1)
        for selection in selections
    )


def _other_subject(order: JsonObject, patient_id: str) -> IdentityProblem | None:
    expected = f"Patient/{patient_id}"
    if is_about(order, expected) is not False:
        return None
    evidence = Evidence(own_reference(order), "product-order")
    return IdentityProblem(IdentityFault.OTHER_PATIENT, evidence, referenced(order.get("subject")), expected)
