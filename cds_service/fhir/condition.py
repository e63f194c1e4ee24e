"""Condition and Procedure → the diagnoses this service knows (clinical-rules C1, group B)."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import Control, Diagnosis
from cds_service.fhir.clinical_time import SiteClock, iso_day, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    first_text,
    only_object,
    text,
)
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.references import own_reference
from cds_service.fhir.signs_in_words import SIGNS, past_signs_in, signs_in
from cds_service.fhir.standing import condition_standing, procedure_standing

NOT_SMA = "not_spinal_muscular_atrophy"
PREMATURE = "premature_birth"
_SMA = frozenset({"spinal_muscular_atrophy", "spinal_muscular_atrophy_related"})
CONDITION_CONCEPTS = (
    _SMA
    | SIGNS
    | {
        PREMATURE,
        "ventilator_dependence",
        "ventilation_related",
        "tracheostomy",
        "limb_paralysis",
        "limb_paralysis_complete",
        "neonatal_jaundice",
        "liver_disease",
        "hepatic_failure",
        "acute_viral_hepatitis",
        "chronic_hepatitis_b",
        "chronic_hepatitis_c",
        "infection",
        "sign_of_infection",
        "hiv_infection",
        "tuberculosis",
        "vomiting",
        "feeding_intolerance",
        "rash",
        "urticaria",
        "dyspnea",
        "anaphylaxis",
        "thrombotic_microangiopathy",
        "microangiopathic_hemolytic_anemia",
        "acute_kidney_injury",
        "hypertension",
        "thrombocytopenia",
        "neoplasm",
        "benign_neoplasm",
    }
)
# Of these a past entry says something as well: an event that is over, or a history that bears on the liver.
_TELLING_WHEN_PAST = frozenset(
    {
        PREMATURE,
        "liver_disease",
        "hepatic_failure",
        "vomiting",
        "feeding_intolerance",
        "rash",
        "urticaria",
        "dyspnea",
        "anaphylaxis",
        "thrombotic_microangiopathy",
        "acute_kidney_injury",
        "seizure",
        "oliguria",
        "bruising",
        "jaundice",
        "neoplasm",
        "benign_neoplasm",
        "decreased_alertness",
    }
)
_OTHER_JAUNDICE, _JAUNDICE = "jaundice_of_other_cause", "jaundice"
_HEPATITIS_B = frozenset({"acute_viral_hepatitis", "chronic_hepatitis_b"})
PROCEDURE_CONCEPTS = frozenset({"tracheostomy_procedure"})


def read_diagnoses(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> list[Diagnosis]:
    """The known concepts of a Condition by its codes, and the signs it names where none of them is known.

    None if it was refuted, or is past and tells nothing then. Words alone may raise an alarm.
    """
    told = _told(resource, recognition, clock)
    if not told:
        return []
    clinical = " ".join(code_text(c.get("code")) for c in codings(resource.get("clinicalStatus")))
    verified = " ".join(code_text(c.get("code")) for c in codings(resource.get("verificationStatus")))
    onset = _onset(resource, clock)
    day = iso_day(onset)
    status = ", ".join(part for part in (clinical, verified) if part)
    code = next((text(c.get("code")) for c in codings(resource.get("code"))), "")
    evidence = Evidence(own_reference(resource), _name(resource, recognition), code, day, status)
    weeks, control = _completed_weeks(resource, recognition), _control(resource, recognition)
    return [
        Diagnosis(concept, told[concept], evidence, weeks if concept == PREMATURE else None, onset, control)
        for concept in sorted(told)
    ]


def _told(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> Mapping[str, Standing]:
    """What a Condition tells, and what each of it may do."""
    found = recognition.concept_of(resource.get("code"))
    said = [] if found else concept_texts(resource.get("code"))
    present = _coded(found) if found else signs_in(said, recognition)
    past = past_signs_in(said, recognition) - present
    standing = condition_standing(resource, has_ended=_has_ended(resource, clock)) if present | past else None
    if standing is None:
        return {}
    if said and standing is Standing.ACCEPTED:
        standing = Standing.PROVISIONAL
    if standing is Standing.NO_INFORMATION:
        present, past = frozenset(), present | past
    return dict.fromkeys(present, standing) | dict.fromkeys(past & _TELLING_WHEN_PAST, Standing.NO_INFORMATION)


def _coded(found: frozenset[str]) -> frozenset[str]:
    """The concepts that these codes stand for, without those that another code beside them contradicts."""
    concepts = found & CONDITION_CONCEPTS
    if NOT_SMA in found:
        concepts -= _SMA
    if "not_hepatitis_b" in found:
        concepts -= _HEPATITIS_B
    return concepts | {_JAUNDICE} if _OTHER_JAUNDICE in found else concepts


def read_adverse_event(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> list[Diagnosis]:
    """The known concepts of an AdverseEvent that happened, and the signs it names where it has no known code."""
    found = recognition.concept_of(resource.get("event"))
    concepts = _coded(found) if found else signs_in(concept_texts(resource.get("event")), recognition)
    if code_text(resource.get("actuality")) == "potential" or code_text(resource.get("status")) == "entered-in-error":
        return []
    onset = read_time(resource.get("date") or resource.get("detected") or resource.get("recordedDate"), clock)
    evidence = Evidence(own_reference(resource), first_text(resource.get("event")), "", iso_day(onset), "")
    return [Diagnosis(concept, Standing.PROVISIONAL, evidence, None, onset) for concept in sorted(concepts)]


def _onset(resource: JsonObject, clock: SiteClock) -> ClinicalTime:
    period = an_object(resource.get("onsetPeriod"))
    return read_time(resource.get("onsetDateTime") or period.get("start") or resource.get("recordedDate"), clock)


def _has_ended(resource: JsonObject, clock: SiteClock) -> bool:
    """Whether an end is stated that has come: a day or a month that lies behind, or an age. Words are not read."""
    period = only_object(resource.get("abatementPeriod"))
    ends = [resource.get("abatementDateTime"), period.get("end") or period.get("start")]
    times = [read_time(end, clock) for end in ends if text(end)]
    days = [time.day or time.latest for time in times]
    at_an_age = any(only_object(resource.get(name)) for name in ("abatementAge", "abatementRange"))
    return at_an_age or any(day is not None and day <= clock.today for day in days)


def _control(resource: JsonObject, recognition: Recognition) -> Control:
    """What the entry's own words say of control; the worse where they say both."""
    said = " ".join([*concept_texts(resource.get("code")), *concept_texts(resource.get("severity"))]).lower()
    if recognition.holds("not_controlled", said):
        return Control.UNCONTROLLED
    return Control.CONTROLLED if recognition.holds("controlled", said) else Control.NOT_STATED


def _name(resource: JsonObject, recognition: Recognition) -> str:
    """What the record calls it, else what our list calls its code."""
    said = concept_texts(resource.get("code"))
    entries = (recognition.codes.look_up(c.get("system"), c.get("code")) for c in codings(resource.get("code")))
    return said[0] if said else next((entry[1].name for entry in entries if entry), "")


def _completed_weeks(resource: JsonObject, recognition: Recognition) -> int | None:
    entries = (recognition.codes.look_up(c.get("system"), c.get("code")) for c in codings(resource.get("code")))
    return next((e[1].completed_weeks for e in entries if e and e[1].completed_weeks is not None), None)


def read_procedures(resource: JsonObject, recognition: Recognition, clock: SiteClock) -> list[Diagnosis]:
    """The known concepts of a Procedure that was done or may have been."""
    concepts = recognition.concept_of(resource.get("code")) & PROCEDURE_CONCEPTS
    standing = procedure_standing(resource) if concepts else None
    if standing is None or standing is Standing.NO_INFORMATION:
        return []
    period = an_object(resource.get("performedPeriod"))
    day = iso_day(read_time(resource.get("performedDateTime") or period.get("start"), clock))
    name = first_text(resource.get("code"))
    status = code_text(resource.get("status"))
    evidence = Evidence(own_reference(resource), name, "", day, status)
    return [Diagnosis(concept, standing, evidence) for concept in sorted(concepts)]
