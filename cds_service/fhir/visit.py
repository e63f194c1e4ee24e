"""Appointments, and what a visit is for (clinical-rules C8, 4E)."""

from __future__ import annotations

from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import Diagnosis
from cds_service.domain.handling import Slot, VisitKind
from cds_service.fhir.clinical_time import SiteClock, iso_day, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    first_text,
    objects,
    text,
)
from cds_service.fhir.occasion import names_product
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.references import own_reference
from cds_service.fhir.signs_in_words import SIGNS, signs_in
from cds_service.fhir.vaccine import vaccine_of

VISIT_REASONS = SIGNS | {"infection", "sign_of_infection", "vomiting"}
_NO_SLOT = frozenset({"cancelled", "noshow", "entered-in-error"})
_OPEN_VISIT = frozenset({"planned", "arrived", "triaged", "in-progress", "onleave"})
_PURPOSES = ("serviceType", "reasonCode", "appointmentType")


def read_slot(resource: JsonObject, recognition: Recognition, clock: SiteClock, *, is_proposed: bool) -> Slot | None:
    """The visit that an Appointment stands for, or None where it does not take place."""
    status = code_text(resource.get("status"))
    if status in _NO_SLOT:
        return None
    requested: JsonObject = next(iter(objects(resource.get("requestedPeriod"))), {})
    starts = read_time(resource.get("start") or requested.get("start"), clock)
    name = next(iter(_said(resource)), "") or "appointment"
    evidence = Evidence(own_reference(resource), name, starts.written, iso_day(starts), status)
    return Slot(_kind(resource, recognition), starts, is_proposed, evidence)


def _said(resource: JsonObject) -> list[str]:
    said = [text(resource.get("description"))]
    said += [words for member in _PURPOSES for words in concept_texts(resource.get(member))]
    return [words for words in said if words]


def _kind(resource: JsonObject, recognition: Recognition) -> VisitKind:
    if _is_infusion(resource, recognition):
        return VisitKind.INFUSION
    if vaccine_of({**resource, "resourceType": "Appointment"}, recognition):
        return VisitKind.VACCINATION
    is_follow_up = any(recognition.affirms("follow_up_visit", words) for words in _said(resource))
    return VisitKind.FOLLOW_UP if is_follow_up else VisitKind.OTHER


def _is_infusion(resource: JsonObject, recognition: Recognition) -> bool:
    """Whether it is for the infusion itself, and not for what comes before or after it.

    A comment on an infusion often names such things as well: it counts only where it alone names the product.
    """
    said, uncommented = _said(resource), {**resource, "comment": ""}
    is_named = names_product(uncommented, recognition) or _any_holds("infusion_visit", said, recognition)
    if not is_named and names_product(resource, recognition):
        is_named, said = True, [*said, text(resource.get("comment"))]
    return is_named and not _any_holds("not_infusion_visit", said, recognition)


def _any_holds(list_name: str, said: list[str], recognition: Recognition) -> bool:
    return any(recognition.holds(list_name, words) for words in said)


def read_visit_reasons(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> list[Diagnosis]:
    """Why the child is seen, by code, else in words, as far as it bears on infection, on keeping medicine down or on
    the signs that are watched after the infusion: of open visits only.

    A reason for coming is not a diagnosis yet: it may raise an alarm.
    """
    if code_text(resource.get("status")) not in _OPEN_VISIT:
        return []
    onset = read_time(an_object(resource.get("period")).get("start"), clock)
    status, found = code_text(resource.get("status")), []
    for reason in objects(resource.get("reasonCode")):
        code = next((text(coding.get("code")) for coding in codings(reason)), "")
        evidence = Evidence(own_reference(resource), _reason(reason, recognition), code, iso_day(onset), status)
        concepts = sorted(_concepts(reason, recognition) & VISIT_REASONS)
        found += [Diagnosis(concept, Standing.PROVISIONAL, evidence, None, onset) for concept in concepts]
    return found


def _concepts(reason: JsonObject, recognition: Recognition) -> frozenset[str]:
    """What a reason stands for by its codes; where none of them is known, the signs it names."""
    return recognition.concept_of(reason) or signs_in(concept_texts(reason), recognition)


def _reason(reason: JsonObject, recognition: Recognition) -> str:
    """What the record calls it, else what our list calls its code."""
    entries = (recognition.codes.look_up(c.get("system"), c.get("code")) for c in codings(reason))
    listed = next((entry[1].name for entry in entries if entry), "")
    return next(iter(concept_texts(reason)), "") or listed or first_text(reason)
