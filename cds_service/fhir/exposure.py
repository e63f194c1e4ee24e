"""Doses already given: MedicationAdministration, Procedure, Immunization, completed MedicationRequest (C8)."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import Exposure, ExposureKind
from cds_service.fhir.clinical_time import SiteClock, effective_time, iso_day, read_time
from cds_service.fhir.json_shapes import JsonObject, an_object, code_text, concept_texts, objects, values
from cds_service.fhir.quantity import as_written
from cds_service.fhir.recognition import Medicine, Named, Recognition
from cds_service.fhir.references import identifiers, own_reference, referenced

_GIVEN: Mapping[str, ExposureKind] = {
    "completed": ExposureKind.GIVEN,
    "in-progress": ExposureKind.GIVEN,
    "stopped": ExposureKind.PARTLY_GIVEN,
    "on-hold": ExposureKind.PARTLY_GIVEN,
}
_NOT_ORDERED = frozenset({"entered-in-error", "cancelled", "draft"})
_NOT_GIVEN = frozenset({"not-done", "entered-in-error", "preparation"})


def read_administration(
    resource: JsonObject,
    recognition: Recognition,
    medications: Mapping[str, JsonObject],
    clock: SiteClock,
) -> Exposure | None:
    """A dose that was given, wholly, partly or possibly, of the product or of its intrathecal relative."""
    medicine = recognition.medicine_of(resource, medications)
    kind = _kind(resource)
    if medicine.named is Named.SOMETHING_ELSE or kind is None:
        return None
    order = referenced(resource.get("request"))
    dose = as_written(an_object(an_object(resource.get("dosage")).get("dose")))
    given = effective_time(resource, clock)
    return _exposure(resource, medicine, kind, given, frozenset({order} if order else ()), dose)


def read_procedure_dose(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> Exposure | None:
    """A procedure record of the product; one that only tells of teaching about it is none."""
    medicine = recognition.medicine(objects(resource.get("code")))
    kind = _kind(resource)
    if medicine.named is Named.SOMETHING_ELSE or kind is None or _is_teaching(resource, recognition):
        return None
    period = an_object(resource.get("performedPeriod"))
    given = read_time(resource.get("performedDateTime") or period.get("start"), clock)
    based_on = frozenset(name for item in objects(resource.get("basedOn")) if (name := referenced(item)))
    return _exposure(resource, medicine, kind, given, based_on, "")


def _is_teaching(resource: JsonObject, recognition: Recognition) -> bool:
    """Whether words, and no code of the product, say that the family was taught, and nothing that it was given."""
    said = " | ".join(concept_texts(resource.get("code")))
    is_only_named = not recognition.concept_of(resource.get("code"))
    is_about_giving = recognition.holds("administration_word", said)
    return is_only_named and recognition.holds("teaching", said) and not is_about_giving


def read_immunization_dose(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> Exposure | None:
    """An immunization record of the product; some sites document gene therapy there."""
    medicine = recognition.medicine(objects(resource.get("vaccineCode")))
    kind = _kind(resource)
    if medicine.named is Named.SOMETHING_ELSE or kind is None:
        return None
    given = read_time(resource.get("occurrenceDateTime"), clock)
    return _exposure(resource, medicine, kind, given, frozenset(), "")


def read_completed_order(resource: JsonObject, medicine: Medicine, clock: SiteClock) -> Exposure | None:
    """A dose presumed from an order that is completed and whose time has passed (ruling 28)."""
    if not is_completed(resource):
        return None
    events = [
        read_time(event, clock)
        for item in objects(resource.get("dosageInstruction"))
        for event in values(an_object(item.get("timing")).get("event"))
    ]
    past = [event for event in events if event.day is not None and event.day <= clock.today and not event.is_future]
    if not past:
        return None
    same = frozenset({own_reference(resource)}) | identifiers(resource)
    return _exposure(resource, medicine, ExposureKind.PRESUMED_FROM_ORDER, past[0], same, "")


def is_completed(order: JsonObject) -> bool:
    """Whether an order says that it was carried out."""
    return code_text(order.get("status")) == "completed" and order.get("doNotPerform") is not True


def read_other_product_order(resource: JsonObject, medicine: Medicine, clock: SiteClock) -> Exposure | None:
    """An order for the intrathecal relative alone counts as an exposure to it (ruling 54)."""
    is_ordered = code_text(resource.get("status")) not in _NOT_ORDERED and resource.get("doNotPerform") is not True
    if medicine.named is not Named.INTRATHECAL_PRODUCT or not is_ordered:
        return None
    written = read_time(resource.get("authoredOn"), clock)
    return _exposure(resource, medicine, ExposureKind.OTHER_PRODUCT, written, frozenset(), "")


def _kind(resource: JsonObject) -> ExposureKind | None:
    """How surely a dose was given, by its status; a status that is missing or not known leaves it possible."""
    status = code_text(resource.get("status"))
    return None if status in _NOT_GIVEN else _GIVEN.get(status, ExposureKind.POSSIBLE)


def _exposure(
    resource: JsonObject,
    medicine: Medicine,
    kind: ExposureKind,
    given: ClinicalTime,
    order_references: frozenset[str],
    dose: str,
) -> Exposure:
    if medicine.named is Named.INTRATHECAL_PRODUCT:
        kind = ExposureKind.OTHER_PRODUCT
    elif given.is_future:
        kind = ExposureKind.POSSIBLE
    name = medicine.names[0] if medicine.names else "administration"
    status = code_text(resource.get("status"))
    return Exposure(
        kind, given, order_references, Evidence(own_reference(resource), name, dose, iso_day(given), status)
    )
