"""What happened to the kit on its way to the child: deliveries, dispenses, and the outputs of tasks (label 16.2)."""

from __future__ import annotations

from cds_service.domain.evidence import Evidence
from cds_service.domain.handling import KitEvent, KitStep
from cds_service.fhir.clinical_time import SiteClock, iso_day, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    concept_texts,
    first_text,
    objects,
    text,
)
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.references import own_reference

# Source: FHIR R4 supplydelivery-status, medicationdispense-status.
_STATUSES = {
    "SupplyDelivery": frozenset({"in-progress", "completed", "abandoned", "entered-in-error"}),
    "MedicationDispense": frozenset(
        {
            "preparation", "in-progress", "cancelled", "on-hold", "completed", "entered-in-error", "stopped",
            "declined", "unknown",
        }
    ),
}  # fmt: skip
_TASK_FAILED = frozenset({"rejected", "failed", "cancelled", "entered-in-error"})
_STEPS = (("kit_received", KitStep.RECEIVED), ("syringe_drawn", KitStep.DRAWN))


def read_kit_event(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> list[KitEvent]:
    """The steps of the kit's way that a SupplyDelivery, a MedicationDispense or a Task of the product records.

    Only steps whose day can be told. A task is taken as one about the product. Raises ValueError for a receipt whose
    status or day is written and cannot be read: it may be the one that counts.
    """
    kind, status = resource.get("resourceType"), code_text(resource.get("status"))
    if kind == "Task":
        return [] if status in _TASK_FAILED else _of_task(resource, recognition, clock)
    if kind not in _STATUSES:
        return []
    # In progress means of a delivery that it is on its way.
    is_handed_over = status == "completed" or (kind == "MedicationDispense" and status == "in-progress")
    if not is_handed_over and status in _STATUSES[kind]:
        return []
    is_delivery = kind == "SupplyDelivery"
    found = (_of_delivery if is_delivery else _of_dispense)(resource, recognition, clock)
    if found and not is_handed_over:
        raise ValueError("status")
    return found


def _of_delivery(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> list[KitEvent]:
    items = [item.get("itemCodeableConcept") for item in objects(resource.get("suppliedItem"))]
    concepts = [concept for item in items for concept in objects(item)]
    if not recognition.medicine(concepts).is_ours:
        return []
    arrived = resource.get("occurrenceDateTime") or an_object(resource.get("occurrencePeriod")).get("end")
    return _event(KitStep.RECEIVED, arrived, resource, first_text(concepts), clock)


def _of_dispense(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> list[KitEvent]:
    medicine = recognition.medicine_of(resource, {})
    if not medicine.is_ours:
        return []
    name = next(iter(medicine.names), "")
    return _event(KitStep.RECEIVED, resource.get("whenHandedOver"), resource, name, clock)


def _of_task(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> list[KitEvent]:
    found: list[KitEvent] = []
    for output in objects(resource.get("output")):
        step = _step(concept_texts(output.get("type")), recognition)
        happened = output.get("valueDateTime") or output.get("valueInstant")
        if step is not None:
            found += _event(step, happened, resource, first_text(output.get("type")), clock)
    return found


def _step(names: list[str], recognition: Recognition) -> KitStep | None:
    """The one step that the names hold; none where they deny it or hold both."""
    if any(recognition.holds("denial", name) for name in names):
        return None
    steps = [step for list_name, step in _STEPS if any(recognition.holds(list_name, name) for name in names)]
    return steps[0] if len(steps) == 1 else None


def _event(step: KitStep, written: object, resource: JsonObject, name: str, clock: SiteClock) -> list[KitEvent]:
    happened = read_time(written, clock)
    if happened.day is None:
        if written:
            raise ValueError("day")
        return []
    status = code_text(resource.get("status"))
    evidence = Evidence(own_reference(resource), name or "kit", text(written), iso_day(happened), status)
    return [KitEvent(step, happened, evidence)]
