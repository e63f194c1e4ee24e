"""What other people do for the child: consultations, looks at the heart, teaching of the family, the stay.

All of it makes a card quieter, so it counts only where it is under way or done, and nothing beside it denies it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.domain.care import CardiacEvaluation, Consultation, Specialty, Stay, Teaching
from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence
from cds_service.fhir.clinical_time import SiteClock, effective_time, iso_day, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    only_object,
    text,
)
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.references import own_reference, plain_reference
from cds_service.fhir.requested_test import ORDERS

_SPECIALTIES: Mapping[Specialty, str] = {
    Specialty.LIVER: "specialty_liver",
    Specialty.BLOOD: "specialty_blood",
    Specialty.KIDNEY: "specialty_kidney",
    Specialty.HEART: "specialty_heart",
}
# Statuses under which something is asked for, booked, under way or done; "planned" visits are booked.
_UNDER_WAY: Mapping[str, frozenset[str]] = {
    "ServiceRequest": frozenset({"active", "completed"}),
    "Encounter": frozenset({"planned", "arrived", "triaged", "in-progress", "onleave", "finished"}),
    "Appointment": frozenset({"pending", "booked", "arrived", "checked-in", "fulfilled"}),
    "Procedure": frozenset({"in-progress", "completed"}),
    "DiagnosticReport": frozenset({"partial", "preliminary", "final", "amended", "corrected", "appended"}),
    "Communication": frozenset({"completed"}),
}
_NAMED_IN: Mapping[str, tuple[str, ...]] = {
    "ServiceRequest": ("code", "orderDetail", "performerType"),
    "Encounter": ("type", "serviceType"),
    "Appointment": ("serviceType", "specialty", "appointmentType"),
    "Procedure": ("code", "category"),
    "DiagnosticReport": ("code", "category"),
    "Communication": ("category", "topic"),
}
CONSULTATIONS = ("ServiceRequest", "Encounter", "Appointment")
CARDIAC_EVALUATIONS = ("ServiceRequest", "Procedure", "DiagnosticReport")
TEACHINGS = ("Procedure", "Communication")
_NO_STAY = frozenset({"cancelled", "entered-in-error"})


def read_consultations(
    resource: JsonObject, recognition: Recognition, clock: SiteClock, *, is_draft: bool
) -> list[Consultation]:
    """The specialists who are asked by a request, or seen at a visit; none by a request for a test.

    `is_draft`: an order in the hand of the prescriber.
    """
    said = _said(resource) if _is_under_way(resource, is_draft) else []
    if not said or _is_denied(said, recognition) or _is_test(resource, said, recognition):
        return []
    asked = [specialty for specialty, words in _SPECIALTIES.items() if _any_holds(words, said, recognition)]
    when = _asked(resource, clock)
    evidence = _evidence(resource, said, when, "consultation")
    return [Consultation(specialty, when, evidence) for specialty in asked]


def read_cardiac_evaluation(
    resource: JsonObject, recognition: Recognition, clock: SiteClock, *, is_draft: bool
) -> CardiacEvaluation | None:
    """The look at the heart that is ordered or was done, or None; on the day it is wanted for, where one is written."""
    said = _said(resource) if _is_under_way(resource, is_draft) else []
    if not _any_holds("cardiac_evaluation", said, recognition) or _is_denied(said, recognition):
        return None
    when = _done(resource, clock)
    return CardiacEvaluation(when, _evidence(resource, said, when, "cardiac-evaluation"))


def read_teaching(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> Teaching | None:
    """The teaching of the family that a completed entry tells of, or None; one about something else is none."""
    said = _said(resource) if code_text(resource.get("status")) == "completed" else []
    if not _any_holds("teaching", said, recognition) or _any_holds("other_teaching", said, recognition):
        return None
    if _is_denied(said, recognition):
        return None
    when = _done(resource, clock)
    return Teaching(when, _evidence(resource, said, when, "teaching"))


def read_stay(encounters: Iterable[JsonObject], encounter_id: str, clock: SiteClock) -> Stay | None:
    """The encounter that a call is about, or None where it did not come with it."""
    name = plain_reference(encounter_id) or f"Encounter/{encounter_id.strip()}"
    for resource in encounters if encounter_id.strip() else ():
        status = code_text(resource.get("status"))
        if own_reference(resource) == name and status not in _NO_STAY:
            began = read_time(only_object(resource.get("period")).get("start"), clock)
            return Stay(began, Evidence(name, "stay", "", iso_day(began), status))
    return None


# --- what an entry says


def _said(resource: JsonObject) -> list[str]:
    """The words under which an entry is known."""
    members = _NAMED_IN.get(text(resource.get("resourceType")), ())
    said = [words for member in members for words in concept_texts(resource.get(member))]
    described = text(resource.get("description"))
    return [*said, described] if described and resource.get("resourceType") == "Appointment" else said


def _any_holds(list_name: str, said: list[str], recognition: Recognition) -> bool:
    return any(recognition.holds(list_name, words) for words in said)


def _is_denied(said: list[str], recognition: Recognition) -> bool:
    return _any_holds("denial", said, recognition)


def _is_test(resource: JsonObject, said: list[str], recognition: Recognition) -> bool:
    """Whether it measures something, or names a place: by a test's code, or in words that do not say consultation."""
    if any(recognition.codes.is_system(c.get("system"), "LOINC") for c in codings(resource.get("code"))):
        return True
    if _any_holds("consultation_word", said, recognition):
        return False
    return any(_any_holds(name, said, recognition) for name in ("laboratory_test", "not_consultation"))


# --- whether and when


def _is_under_way(resource: JsonObject, is_draft: bool) -> bool:
    kind, status = text(resource.get("resourceType")), code_text(resource.get("status"))
    if kind == "ServiceRequest":
        is_order = code_text(resource.get("intent")) in ORDERS and resource.get("doNotPerform") in (None, False)
        return is_order and (status in _UNDER_WAY[kind] or (is_draft and status == "draft"))
    return status in _UNDER_WAY.get(kind, ())


def _asked(resource: JsonObject, clock: SiteClock) -> ClinicalTime:
    """The day of asking, of a visit its own; of a request without it, the day it is wanted for."""
    asked = read_time(resource.get("authoredOn"), clock)
    return asked if asked.written else _done(resource, clock)


def _done(resource: JsonObject, clock: SiteClock) -> ClinicalTime:
    """When it is done or wanted; of a request that names no time, the day of asking."""
    kind = text(resource.get("resourceType"))
    if kind == "DiagnosticReport":
        return effective_time(resource, clock)
    if kind == "Procedure":
        return effective_time(resource, clock, "performed")
    periods = (an_object(resource.get("occurrencePeriod")), only_object(resource.get("period")))
    stated = (
        resource.get("occurrenceDateTime"),
        *(period.get("start") for period in periods),
        resource.get("start"),
        resource.get("sent"),
        resource.get("received"),
        resource.get("authoredOn"),
    )
    return read_time(next((time for time in stated if text(time)), None), clock)


def _evidence(resource: JsonObject, said: list[str], when: ClinicalTime, kind: str) -> Evidence:
    return Evidence(own_reference(resource), said[0] or kind, "", iso_day(when), code_text(resource.get("status")))
