"""Vaccines and antibodies against RSV: given, being ordered or booked, and overdue (C1, ruling 36)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cds_service.domain.codes import Code
from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.medicines import Vaccination, VaccineOrder
from cds_service.fhir.clinical_time import SiteClock, effective_time, iso_day, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    first_text,
    is_true,
    objects,
    only_object,
    says_nothing,
    text,
    values,
)
from cds_service.fhir.recognition import VACCINES, Named, Recognition, stated
from cds_service.fhir.references import own_reference

ANTIBODIES = ("rsv_antibody_long_acting", "palivizumab", "rsv_antibody_unspecified", "rsv_product_ambiguous")
_BY_NAME = (
    ("vaccine_mmr_name", "vaccine_mmr"),
    ("vaccine_varicella_name", "vaccine_varicella"),
    ("vaccine_other_live_name", "vaccine_other_live"),
    ("vaccine_word", "vaccine_other"),
)
_NAMED_IN = {
    "ServiceRequest": ("code",),
    "Immunization": ("vaccineCode",),
    "Appointment": ("serviceType", "reasonCode", "appointmentType"),
}
_DRAFTS = frozenset({"MedicationRequest", "ServiceRequest", "Immunization"})
_NOT_BEING_ORDERED = frozenset({"entered-in-error", "cancelled", "stopped", "revoked", "noshow", "not-done"})
_NOT_GIVEN = frozenset({"entered-in-error", "not-done"})
_STANDING = {"completed": Standing.ACCEPTED, "in-progress": Standing.ACCEPTED, "unknown": Standing.PROVISIONAL}


def is_vaccine_draft(resource: JsonObject, recognition: Recognition) -> bool:
    """Whether an order, procedure request or immunization being written is a vaccine, decided on the raw JSON."""
    return text(resource.get("resourceType")) in _DRAFTS and bool(vaccine_of(resource, recognition))


def vaccine_of(
    resource: JsonObject, recognition: Recognition, medications: Mapping[str, JsonObject] | None = None
) -> str:
    """The concept of the vaccine that an order or an appointment is for, by code, else by name; "" for none.

    Antibodies are no vaccines, and a laboratory test of immunity is none either.
    """
    concepts, written = _named(resource, medications or {})
    found = recognition.concept_of(concepts)
    coded = next((concept for concept in VACCINES if concept in found), "")
    if coded or found & set(ANTIBODIES) or _is_laboratory_test(resource, recognition, concepts, written):
        return coded
    named = _by_name((*concept_texts(concepts), *written), recognition)
    is_of_vaccines = any(recognition.codes.is_system(coding.get("system"), "CVX") for coding in codings(concepts))
    return named or ("vaccine_other" if is_of_vaccines and not found else "")


def read_vaccine_order(
    resource: JsonObject, recognition: Recognition, medications: Mapping[str, JsonObject], clock: SiteClock
) -> VaccineOrder | None:
    """The vaccine that a draft or an appointment is for, or None; planned for today where no day is written.

    So is one whose day is written and cannot be read, and that day is not known.
    """
    status = code_text(resource.get("status"))
    if status in _NOT_BEING_ORDERED or resource.get("doNotPerform") is True:
        return None
    concept = vaccine_of(resource, recognition, medications)
    if not concept:
        return None
    times = _planned(resource, clock)
    day = next((time.day for time in times if time.day), None)
    planned, is_day_known = day or clock.today, day is not None or not times
    name = _name(resource, recognition, medications)
    shown = planned.isoformat() if is_day_known else times[0].written
    evidence = Evidence(own_reference(resource), name, "", shown, status)
    return VaccineOrder(text(resource.get("id")), concept, planned, evidence, is_day_known)


def read_vaccination(
    resource: JsonObject, medications: Mapping[str, JsonObject], recognition: Recognition, clock: SiteClock
) -> Vaccination | None:
    """The vaccine or RSV antibody that was given by an Immunization; by other records, the antibody only.

    None where it was not done, or where the record is of something else.
    """
    status = code_text(resource.get("status"))
    if status in _NOT_GIVEN or is_true(resource.get("doNotPerform")):
        return None
    concepts, _ = _named(resource, medications)
    found = recognition.concept_of(concepts)
    standing: Standing | None
    if resource.get("resourceType") == "Immunization":
        concept, standing = _immunization(concepts, found, recognition, status)
    else:
        concept, standing = next((name for name in ANTIBODIES if name in found), ""), _STANDING.get(status)
    is_order = resource.get("resourceType") == "MedicationRequest"
    if not concept or standing is None or (is_order and status != "completed"):
        return None
    given = _given(resource, clock)
    name = _name(resource, recognition, medications)
    return Vaccination(concept, given, standing, Evidence(own_reference(resource), name, "", iso_day(given), status))


def overdue_vaccines(resource: JsonObject) -> Evidence | None:
    """What an ImmunizationRecommendation calls overdue, or None."""
    overdue = [item for item in objects(resource.get("recommendation")) if _is_overdue(item.get("forecastStatus"))]
    if not overdue:
        return None
    names = (first_text(item.get("vaccineCode")) or first_text(item.get("targetDisease")) for item in overdue)
    said = ", ".join(dict.fromkeys(filter(None, names)))
    return Evidence(own_reference(resource), "immunization-recommendation", said, text(resource.get("date"))[:10])


def _is_overdue(status: object) -> bool:
    said = {code_text(coding.get("code")) for coding in codings(status)}
    return "overdue" in said | {words.lower() for words in concept_texts(status)}


def _named(resource: JsonObject, medications: Mapping[str, JsonObject]) -> tuple[list[JsonObject], list[str]]:
    """The CodeableConcepts and texts that say what a resource is about."""
    members = _NAMED_IN.get(text(resource.get("resourceType")))
    if members is None:
        return stated(resource, medications)
    written = [text(resource.get("description"))] if resource.get("resourceType") == "Appointment" else []
    return [concept for member in members for concept in objects(resource.get(member))], written


def _name(resource: JsonObject, recognition: Recognition, medications: Mapping[str, JsonObject]) -> str:
    """What the record calls it, else what our list calls its code."""
    concepts, written = _named(resource, medications)
    entries = (recognition.codes.look_up(c.get("system"), c.get("code")) for c in codings(concepts))
    listed = (entry[1].name for entry in entries if entry)
    return next((said for said in (*concept_texts(concepts), *written, *listed) if said), "vaccine")


def _is_laboratory_test(
    resource: JsonObject, recognition: Recognition, concepts: list[JsonObject], written: list[str]
) -> bool:
    """Whether a request asks for a test: by its code system, or by its name."""
    if resource.get("resourceType") != "ServiceRequest":
        return False
    is_coded = any(recognition.codes.is_system(coding.get("system"), "LOINC") for coding in codings(concepts))
    return is_coded or any(recognition.holds("laboratory_test", said) for said in (*concept_texts(concepts), *written))


def _by_name(names: Iterable[str], recognition: Recognition) -> str:
    said = " | ".join(names)
    named = next((concept for list_name, concept in _BY_NAME if recognition.holds(list_name, said)), "")
    if not named or recognition.holds("immune_globulin", said) or _names_antibody(said, recognition):
        return ""
    return named


def _names_antibody(said: str, recognition: Recognition) -> bool:
    """Whether a text holds the one-word name of a listed antibody."""
    words = said.lower().split()
    return any(_one_word(code) in words for concept in ANTIBODIES for code in recognition.codes.concepts[concept])


def _one_word(code: Code) -> str:
    return code.name.lower() if " " not in code.name else ""


def _immunization(
    concepts: list[JsonObject], found: frozenset[str], recognition: Recognition, status: str
) -> tuple[str, Standing]:
    """Its concept, `vaccine_other` for one of no known code or name; "" for this product, which is no vaccine."""
    standing = Standing.ACCEPTED if status == "completed" else Standing.PROVISIONAL
    coded = next((concept for concept in (*VACCINES, *ANTIBODIES) if concept in found), "")
    if coded:
        return coded, standing
    if recognition.medicine(concepts).named is not Named.SOMETHING_ELSE:
        return "", standing
    if _names_antibody(" ".join(concept_texts(concepts)), recognition):
        return "rsv_antibody_unspecified", Standing.PROVISIONAL
    return _by_name(concept_texts(concepts), recognition) or "vaccine_other", standing


def _planned(resource: JsonObject, clock: SiteClock) -> list[ClinicalTime]:
    """The times that a resource names for being done, the most exact kind first; also those that cannot be read."""
    timings = [only_object(item.get("timing")) for item in objects(resource.get("dosageInstruction"))]
    timings.append(an_object(resource.get("occurrenceTiming")))
    bounds = [an_object(only_object(timing.get("repeat")).get("boundsPeriod")) for timing in timings]
    named = [resource.get("occurrenceDateTime"), resource.get("start")]
    named += [event for timing in timings for event in values(timing.get("event"))]
    periods = [an_object(resource.get("occurrencePeriod")), *bounds, *objects(resource.get("requestedPeriod"))]
    named += [period.get("start") for period in periods]
    odd = [resource.get(name) for name in ("occurrenceTiming", "occurrencePeriod", "requestedPeriod")]
    odd += [only_object(timing.get("repeat")).get("boundsPeriod") for timing in timings]
    named += [
        resource.get("occurrenceString"),
        *(item for each in odd for item in values(each) if not isinstance(item, dict)),
    ]
    return [read_time(written, clock) for written in named if not says_nothing(written)]


def _given(resource: JsonObject, clock: SiteClock) -> ClinicalTime:
    """When it was given; of an order that was carried out, its planned time, or when it was written, inexactly."""
    if resource.get("resourceType") == "MedicationAdministration":
        return effective_time(resource, clock)
    planned = _planned(resource, clock)
    if planned or resource.get("resourceType") == "Immunization":
        return planned[0] if planned else ClinicalTime("")
    return replace(read_time(resource.get("authoredOn"), clock), is_exact=False)
