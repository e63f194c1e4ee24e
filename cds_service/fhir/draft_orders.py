"""The orders being written, and which of them are ours: the gate, decided on the raw JSON (C9, ruling 53)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import IdentityFault, IdentityProblem
from cds_service.fhir.json_shapes import JsonObject, an_object, code_text, objects, text
from cds_service.fhir.recognition import Medicine, Recognition, medications_by_reference, stated
from cds_service.fhir.references import is_about, own_reference, plain_reference, referenced
from cds_service.fhir.steroid import is_steroid_draft
from cds_service.fhir.vaccine import is_vaccine_draft

# An order in force that is called an error now is not given any longer either.
_BEING_STOPPED = frozenset({"cancelled", "stopped", "entered-in-error"})
# Where an order that is none for a medicine says what it is for.
_CODED = ("code", "vaccineCode")
_MEDICINES = frozenset({"MedicationRequest", "MedicationAdministration"})


@dataclass(frozen=True, slots=True)
class Draft:
    """One order for the product, as it came."""

    resource: JsonObject
    medicine: Medicine


@dataclass(frozen=True, slots=True)
class DraftOrders:
    """The orders that this call is about, and those beside them.

    `in_hand` and `background` are orders for the product, selected and not. `others` are all further orders of the
    session, `others_in_hand` the selected ones among them. `names_steroid_or_vaccine`: one of those is for a
    corticosteroid or a vaccine, or a corticosteroid is being stopped, which concerns us in a child with the product.
    `taken_back` names the orders that are not being ordered any longer, `stopped` are the orders for medicines among
    them that are being stopped or cancelled. `unreadable_entries` counts entries without a resource. `other_subjects`
    are orders that name another patient; one that names none counts as the call's patient's (ruling 56).
    """

    in_hand: tuple[Draft, ...] = ()
    background: tuple[Draft, ...] = ()
    others: tuple[JsonObject, ...] = ()
    others_in_hand: tuple[JsonObject, ...] = ()
    names_steroid_or_vaccine: bool = False
    taken_back: frozenset[str] = frozenset()
    stopped: tuple[JsonObject, ...] = ()
    unreadable_entries: int = 0
    medications: dict[str, JsonObject] = field(default_factory=dict)
    other_subjects: tuple[IdentityProblem, ...] = ()

    def by_id(self) -> dict[str, JsonObject]:
        """The drafts by id; an id that two of them share addresses neither."""
        resources = [draft.resource for draft in (*self.in_hand, *self.background)]
        resources += self.others
        ids = [text(resource.get("id")) for resource in resources]
        times = Counter(ids)
        return {name: r for name, r in zip(ids, resources, strict=True) if name and times[name] == 1}


def read_draft_orders(
    draft_orders: object,
    selections: Sequence[str] | None,
    prefetch: object,
    patient_id: str,
    recognition: Recognition,
) -> DraftOrders:
    """The orders in a `draftOrders` Bundle. With `selections`, only selected orders are in hand.

    Costs a look at each order's codes, and at the ids of the recorded medication orders, which one of these may
    replace; the prefetch is searched for Medication resources only where an order refers to one that did not come
    with the orders.
    """
    entries = [(text(e.get("fullUrl")), an_object(e.get("resource"))) for e in _entries(draft_orders)]
    medications = medications_by_reference(entries)
    if _concern_nobody([resource for _, resource in entries if resource], medications, prefetch, recognition):
        return NO_DRAFTS
    orders = [resource for _, resource in entries if _is_being_ordered(resource)]
    taken_back = _of_patient([r for _, r in entries if r and not _is_being_ordered(r)], patient_id)
    stopped = tuple(order for order in taken_back if _is_being_stopped(order))
    if any(_refers_elsewhere(order, medications) for order in (*orders, *stopped)):
        medications = {**medications_in(prefetch), **medications}
    ours, others = _sorted_out(orders, medications, recognition)
    times = Counter(text(resource.get("id")) for _, resource in entries)
    in_hand = [draft for draft in ours if selections is None or _is_selected(draft.resource, selections, times)]
    others_in_hand = [order for order in others if selections is None or _is_selected(order, selections, times)]
    stopped_in_hand = [order for order in stopped if selections is None or _is_selected(order, selections, times)]
    is_named = any(_is_steroid_or_vaccine(order, medications, recognition) for order in others_in_hand) or any(
        is_steroid_draft(order, medications, recognition) for order in stopped_in_hand
    )
    is_named = is_named or _ends_recorded_steroid([*others_in_hand, *stopped_in_hand], prefetch, recognition)
    if not in_hand and not is_named:
        return NO_DRAFTS
    chosen = {id(draft) for draft in in_hand}
    judged = [draft.resource for draft in in_hand] if in_hand else others_in_hand
    return DraftOrders(
        in_hand=tuple(in_hand),
        background=tuple(draft for draft in ours if id(draft) not in chosen),
        others=_of_patient(others, patient_id),
        others_in_hand=_of_patient(others_in_hand, patient_id),
        names_steroid_or_vaccine=is_named,
        unreadable_entries=sum(not resource for _, resource in entries),
        taken_back=frozenset(own_reference(order) for order in taken_back if order.get("id")),
        stopped=stopped,
        medications=medications,
        other_subjects=tuple(p for order in judged if (p := _other_subject(order, patient_id))),
    )


def _concern_nobody(
    orders: list[JsonObject], medications: dict[str, JsonObject], prefetch: object, recognition: Recognition
) -> bool:
    """Whether none of these orders, whatever becomes of it, can concern this service: looked at first of all."""
    if any(_refers_elsewhere(order, medications) for order in orders):
        medications = {**medications_in(prefetch), **medications}
    return _tell_nothing(orders, medications, recognition) and not _ends_recorded_steroid(orders, prefetch, recognition)


def _tell_nothing(orders: list[JsonObject], medications: dict[str, JsonObject], recognition: Recognition) -> bool:
    """Whether these orders, of any kind, surely are neither for the product nor for a corticosteroid or vaccine.

    Looked through together: hundreds of words are looked for, and one long text costs hardly more than a short one.
    """
    concepts: list[JsonObject] = []
    written: list[str] = []
    for order in orders:
        of_medicine, names = stated(order, medications)
        concepts += of_medicine
        written += names
        concepts += [concept for member in _CODED for concept in objects(order.get(member))]
    return recognition.tells_nothing(concepts, written)


def _sorted_out(
    orders: list[JsonObject], medications: dict[str, JsonObject], recognition: Recognition
) -> tuple[list[Draft], list[JsonObject]]:
    """The orders for the product, and all others."""
    ours, others = [], []
    for order in orders:
        is_medicine = order.get("resourceType") == "MedicationRequest"
        medicine = recognition.medicine_of(order, medications) if is_medicine else None
        if medicine is not None and medicine.is_ours:
            ours.append(Draft(order, medicine))
        else:
            others.append(order)
    return ours, others


def _is_steroid_or_vaccine(order: JsonObject, medications: dict[str, JsonObject], recognition: Recognition) -> bool:
    return is_vaccine_draft(order, recognition) or is_steroid_draft(order, medications, recognition)


def _ends_recorded_steroid(orders: list[JsonObject], prefetch: object, recognition: Recognition) -> bool:
    """Whether one of these orders takes the place of a corticosteroid order of the record, whatever it orders itself.

    A running corticosteroid that is edited into something else is a stop.
    """
    medicines = [order for order in orders if order.get("resourceType") == "MedicationRequest"]
    names = {own_reference(order) for order in medicines if order.get("id")}
    names |= {referenced(order.get("priorPrescription")) for order in medicines} - {""}
    if not names:
        return False
    recorded = (an_object(e.get("resource")) for value in an_object(prefetch).values() for e in _entries(value))
    return any(
        order.get("resourceType") == "MedicationRequest"
        and own_reference(order) in names
        and is_steroid_draft(order, medications_in(prefetch), recognition)
        for order in recorded
    )


def _of_patient(orders: list[JsonObject], patient_id: str) -> tuple[JsonObject, ...]:
    return tuple(order for order in orders if is_about(order, f"Patient/{patient_id}") is not False)


def unmatched_selections(draft_orders: object, selections: Sequence[str] | None) -> int:
    """How many selections name none of the drafts, neither as `Type/id` nor by a bare id."""
    if not selections:
        return 0
    orders = [an_object(entry.get("resource")) for entry in _entries(draft_orders)]
    names = {own_reference(order) for order in orders} | {text(order.get("id")) for order in orders}
    return sum(selection not in names and plain_reference(selection) not in names for selection in selections)


def medications_of_drafts(draft_orders: object, prefetch: object, recognition: Recognition) -> list[str]:
    """The Medications that did not come with the drafts that refer to them, where they decide what the draft is.

    That is a draft that nothing names, and one that its display calls ours: its strength and kit stand there.
    """
    entries = [(text(e.get("fullUrl")), an_object(e.get("resource"))) for e in _entries(draft_orders)]
    medications = medications_by_reference(entries)
    unresolved = [r for _, r in entries if _is_being_ordered(r) and _refers_elsewhere(r, medications)]
    if not unresolved:
        return []
    medications = {**medications_in(prefetch), **medications}
    return _medications_named(
        order
        for order in unresolved
        if _refers_elsewhere(order, medications)
        and (recognition.is_nameless(order, medications) or recognition.medicine_of(order, medications).is_ours)
    )


def recorded_medications(prefetch: object, recognition: Recognition, *, only_nameless: bool) -> list[str]:
    """The Medications that the record's orders and doses refer to and that did not come, those without a name first."""
    medications = medications_in(prefetch)
    delivered = (an_object(e.get("resource")) for value in an_object(prefetch).values() for e in _entries(value))
    unresolved = [
        r for r in delivered if text(r.get("resourceType")) in _MEDICINES and _refers_elsewhere(r, medications)
    ]
    nameless = [r for r in unresolved if recognition.is_nameless(r, medications)]
    return _medications_named(nameless if only_nameless else [*nameless, *unresolved])


def _medications_named(orders: Iterable[JsonObject]) -> list[str]:
    """The Medications these refer to, each once; a reference to anything else is not worth a read."""
    names = dict.fromkeys(referenced(order.get("medicationReference")) for order in orders)
    return [name for name in names if name.startswith("Medication/")]


NO_DRAFTS = DraftOrders()


def _entries(draft_orders: object) -> list[JsonObject]:
    return objects(an_object(draft_orders).get("entry"))


def _refers_elsewhere(order: JsonObject, medications: dict[str, JsonObject]) -> bool:
    name = referenced(order.get("medicationReference"))
    return bool(name) and not name.startswith("#") and name not in medications


def medications_in(prefetch: object) -> dict[str, JsonObject]:
    """Every Medication that came with the call, alone or in a Bundle."""
    entries: list[tuple[str, JsonObject]] = []
    for value in an_object(prefetch).values():
        entries.append(("", an_object(value)))
        for entry in objects(an_object(value).get("entry")):
            resource = an_object(entry.get("resource"))
            if resource.get("resourceType") == "Medication":
                entries.append((text(entry.get("fullUrl")), resource))
    return medications_by_reference(entries)


def _is_being_ordered(order: JsonObject) -> bool:
    return code_text(order.get("status")) not in _BEING_STOPPED and order.get("doNotPerform") is not True


def _is_being_stopped(order: JsonObject) -> bool:
    """Whether it is an order for a medicine that ends; one that was never true, or forbids, ends nothing."""
    is_medicine = order.get("resourceType") == "MedicationRequest" and order.get("doNotPerform") is not True
    return is_medicine and code_text(order.get("status")) in _BEING_STOPPED


def _is_selected(order: JsonObject, selections: Sequence[str], times: Mapping[str, int]) -> bool:
    """Whether a selection names this order: as `Type/id`, or as a bare id that only one order has."""
    name, identity = own_reference(order), text(order.get("id"))
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
    evidence = Evidence(own_reference(order), "order")
    return IdentityProblem(IdentityFault.OTHER_PATIENT, evidence, referenced(order.get("subject")), expected)
