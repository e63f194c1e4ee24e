"""What is happening, with all that a call itself brings beside the record; and the gate of hooks without drafts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cds_service.domain.facts import Moment
from cds_service.fhir.draft_orders import NO_DRAFTS, DraftOrders, medications_in
from cds_service.fhir.json_shapes import JsonObject, an_object, objects, text
from cds_service.fhir.recognition import Named, Recognition
from cds_service.fhir.references import is_about, own_reference, plain_reference

_MEDICINES = frozenset({"MedicationRequest", "MedicationAdministration"})
_MEDICINE_ORDERS = ("MedicationRequest/", "urn:")
_CODED_IN = {"Immunization": "vaccineCode", "Procedure": "code"}


@dataclass(frozen=True, slots=True)
class Occasion:
    """The moment of a call, the orders being written, the references of orders being dispatched, their tasks, and
    the appointments being booked. `names_product`: one of the orders is for the product, whoever it is for.
    `encounter_id` is that of the stay or visit the call is about, "" where it names none.
    """

    moment: Moment
    drafts: DraftOrders = NO_DRAFTS
    names_product: bool = False
    dispatched: tuple[str, ...] = ()
    tasks: tuple[JsonObject, ...] = ()
    appointments: tuple[JsonObject, ...] = ()
    encounter_id: str = ""


def holds_trace_of_product(prefetch: object, patient_id: str, recognition: Recognition) -> bool:
    """Whether anything delivered about this patient names the product: an order, a dose, a procedure.

    Decides from the raw JSON whether the record is worth reading; what it means is decided later.
    """
    medications: dict[str, JsonObject] | None = None
    for resource in _delivered(prefetch):
        kind = text(resource.get("resourceType"))
        if kind in _MEDICINES:
            medications = medications_in(prefetch) if medications is None else medications
            medicine = recognition.medicine_of(resource, medications)
        elif kind in _CODED_IN:
            medicine = recognition.medicine(objects(resource.get(_CODED_IN[kind])))
        else:
            continue
        if medicine.named is not Named.SOMETHING_ELSE and is_about(resource, f"Patient/{patient_id}") is True:
            return True
    return False


def dispatches_product(prefetch: object, dispatched: Collection[str], recognition: Recognition) -> bool:
    """Whether an order that is dispatched came with the call and is for the product, whoever it is for."""
    wanted = {plain_reference(reference) or f"MedicationRequest/{reference}" for reference in dispatched}
    orders = [item for item in _delivered(prefetch) if item.get("resourceType") == "MedicationRequest"]
    medications = medications_in(prefetch)
    return any(
        own_reference(order) in wanted and recognition.medicine_of(order, medications).is_ours for order in orders
    )


def names_medicine_order(dispatched: Collection[str]) -> bool:
    """Whether one of the references that are dispatched may be an order for a medicine."""
    return any((plain_reference(name) or name).startswith(_MEDICINE_ORDERS) or "/" not in name for name in dispatched)


def names_product(appointment: JsonObject, recognition: Recognition) -> bool:
    """Whether an appointment says that it is for the product."""
    concepts = [c for name in ("serviceType", "reasonCode", "appointmentType") for c in objects(appointment.get(name))]
    written = [text(appointment.get("description")), text(appointment.get("comment"))]
    return recognition.medicine(concepts, written).is_ours


def _delivered(prefetch: object) -> Iterator[JsonObject]:
    for value in an_object(prefetch).values():
        resource = an_object(value)
        if resource.get("resourceType") == "Bundle":
            yield from (an_object(entry.get("resource")) for entry in objects(resource.get("entry")))
        else:
            yield resource
