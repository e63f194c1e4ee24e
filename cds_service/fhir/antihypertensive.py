"""Medicines that lower the blood pressure, ordered or given, which can only raise an alarm (`tma-evaluate`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.medicines import StartedMedicine
from cds_service.fhir.anti_infective import first_day, is_local
from cds_service.fhir.clinical_time import SiteClock, effective_time, read_time
from cds_service.fhir.json_shapes import JsonObject, code_text, concept_texts, objects
from cds_service.fhir.recognition import Recognition, stated
from cds_service.fhir.references import own_reference

_NEVER_STARTED = frozenset({"entered-in-error", "cancelled", "draft", "not-done"})
_SURE = frozenset({"active", "completed", "stopped", "in-progress"})
_ONLY_CONSIDERED = frozenset({"proposal", "plan"})


def read_antihypertensive(
    resource: JsonObject, medications: Mapping[str, JsonObject], recognition: Recognition, clock: SiteClock
) -> StartedMedicine | None:
    """The course that an order or an administration tells of, or None: another medicine, a local route, never given."""
    status, intent = code_text(resource.get("status")), code_text(resource.get("intent"))
    if status in _NEVER_STARTED or intent == "option" or resource.get("doNotPerform") is True:
        return None
    concepts, written = stated(resource, medications)
    names = [name for name in (*concept_texts(concepts), *written) if name]
    if not any(recognition.holds("antihypertensive_name", name) for name in names):
        return None
    dosages = [*objects(resource.get("dosageInstruction")), *objects(resource.get("dosage"))]
    if is_local(dosages, names, recognition):
        return None
    starts = _starts(resource, dosages, recognition, clock)
    is_sure = status in _SURE and intent not in _ONLY_CONSIDERED
    return StartedMedicine(
        starts=starts,
        standing=Standing.ACCEPTED if is_sure else Standing.PROVISIONAL,
        evidence=Evidence(own_reference(resource), names[0], "", starts.isoformat() if starts else "", status),
    )


def _starts(resource: JsonObject, dosages: list[JsonObject], recognition: Recognition, clock: SiteClock) -> date | None:
    """The day it was given, or the first day that the order names, else the day of writing."""
    if resource.get("resourceType") == "MedicationAdministration":
        return effective_time(resource, clock).day
    return first_day(dosages, recognition, clock) or read_time(resource.get("authoredOn"), clock).day
