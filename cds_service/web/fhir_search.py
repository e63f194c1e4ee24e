"""The search parameters of the demo's FHIR server: which each type has, and what they match (FHIR R4, section 3.1.1).

Names and meanings are those of R4; a type has no parameter here that R4 does not define for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from cds_service.errors import CdsError
from cds_service.fhir.json_shapes import JsonObject, an_object, codings, text, values
from cds_service.fhir.references import plain_reference, referenced
from cds_service.web.fhir_date_search import DateSpan, date_test, span_of

Matcher = Callable[[JsonObject], bool]
_LONGEST_ECHO = 40


class FhirRefused(CdsError):
    """The FHIR server does not answer a request as asked; `status` and `code` say how it refuses (HTTP, IssueType)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A search parameter: its name and type in R4, and the elements it looks at (paths like `participant.actor`)."""

    name: str
    kind: Literal["reference", "token", "date"]
    elements: tuple[str, ...]

    def matcher(self, written: str) -> Matcher:
        """Tells whether a resource has one of the values written, which commas separate.

        Raises FhirRefused (400) for a date that is none.
        """
        alternatives = [item.strip() for item in written.split(",")]
        return _MATCHERS[self.kind](self.elements, alternatives)


def _reference(name: str, *elements: str) -> SearchParameter:
    return SearchParameter(name, "reference", elements)


def _token(name: str, *elements: str) -> SearchParameter:
    return SearchParameter(name, "token", elements or (name,))


def _date(name: str, *elements: str) -> SearchParameter:
    return SearchParameter(name, "date", elements or (name,))


_PATIENT = _reference("patient", "patient")
_SUBJECT = (_reference("patient", "subject"), _reference("subject", "subject"))
_STATUS, _CATEGORY, _CODE = _token("status"), _token("category"), _token("code")
_MEDICATION = _token("code", "medicationCodeableConcept")
_EFFECTIVE = ("effectiveDateTime", "effectivePeriod", "effectiveInstant")

ID = _token("_id", "id")
SEARCHABLE: dict[str, tuple[SearchParameter, ...]] = {
    "Patient": (),
    "Practitioner": (),
    "PractitionerRole": (),
    "Medication": (_CODE,),
    "Observation": (*_SUBJECT, _CODE, _CATEGORY, _STATUS, _date("date", *_EFFECTIVE)),
    "MedicationRequest": (
        *_SUBJECT,
        _MEDICATION,
        _CATEGORY,
        _STATUS,
        _token("intent"),
        _date("authoredon", "authoredOn"),
    ),
    "MedicationAdministration": (*_SUBJECT, _MEDICATION, _STATUS, _date("effective-time", *_EFFECTIVE)),
    "MedicationDispense": (*_SUBJECT, _MEDICATION, _STATUS, _date("whenhandedover", "whenHandedOver")),
    "Condition": (
        *_SUBJECT,
        _CODE,
        _CATEGORY,
        _token("clinical-status", "clinicalStatus"),
        _token("verification-status", "verificationStatus"),
        _date("onset-date", "onsetDateTime", "onsetPeriod"),
        _date("recorded-date", "recordedDate"),
    ),
    "Immunization": (
        _PATIENT,
        _token("vaccine-code", "vaccineCode"),
        _STATUS,
        _date("date", "occurrenceDateTime"),
    ),
    "ImmunizationRecommendation": (_PATIENT, _date("date")),
    "Procedure": (*_SUBJECT, _CODE, _CATEGORY, _STATUS, _date("date", "performedDateTime", "performedPeriod")),
    "ServiceRequest": (
        *_SUBJECT,
        _CODE,
        _CATEGORY,
        _STATUS,
        _token("intent"),
        _date("authored", "authoredOn"),
        _date("occurrence", "occurrenceDateTime", "occurrencePeriod"),
    ),
    "DiagnosticReport": (*_SUBJECT, _CODE, _CATEGORY, _STATUS, _date("date", *_EFFECTIVE)),
    "Encounter": (*_SUBJECT, _STATUS, _date("date", "period")),
    "Appointment": (_reference("patient", "participant.actor"), _STATUS, _date("date", "start")),
    "Communication": (*_SUBJECT, _CATEGORY, _STATUS, _date("sent")),
    "SupplyDelivery": (_PATIENT, _STATUS),
    "Task": (
        _reference("patient", "for"),
        _reference("subject", "for"),
        _CODE,
        _STATUS,
        _date("authored-on", "authoredOn"),
    ),
}


def parameter_of(resource_type: str, name: str) -> SearchParameter:
    """The parameter of this name. Raises FhirRefused: 404 for a type that is not served, 400 for an unknown name."""
    for parameter in (ID, *parameters_of(resource_type)):
        if parameter.name == name:
            return parameter
    raise FhirRefused(
        400,
        "not-supported",
        f"{name[:_LONGEST_ECHO]} is no search parameter of {resource_type} here; /metadata lists those it has",
    )


def parameters_of(resource_type: str) -> tuple[SearchParameter, ...]:
    """The parameters of a type beside `_id`. Raises FhirRefused (404) for a type that is not served."""
    if resource_type not in SEARCHABLE:
        raise FhirRefused(
            404, "not-supported", "no resources of this type are served here; /metadata lists the types that are"
        )
    return SEARCHABLE[resource_type]


def patient_references(written: str) -> list[str]:
    """`Patient/id` for each of the references written, bare ids included."""
    return [plain_reference(item) or f"Patient/{item.strip()}" for item in written.split(",")]


def _values_at(resource: JsonObject, paths: Iterable[str]) -> list[Any]:
    found: list[Any] = []
    for path in paths:
        level: list[object] = [resource]
        for name in path.split("."):
            level = [value for parent in level for value in values(an_object(parent).get(name))]
        found += level
    return found


def _reference_matcher(elements: tuple[str, ...], alternatives: list[str]) -> Matcher:
    wanted = set(patient_references(",".join(alternatives)))
    return lambda resource: any(referenced(value) in wanted for value in _values_at(resource, elements))


def _token_matcher(elements: tuple[str, ...], alternatives: list[str]) -> Matcher:
    """`system|code`, `system|` for every code of a system, `|code` for one without system, `code` for any system."""
    wanted = frozenset(_system_and_code(item) for item in alternatives)
    codes = frozenset(code for _, code in wanted)

    def is_wanted(value: object) -> bool:
        if isinstance(value, str):  # a code of a fixed list, whose system is implied
            return value in codes
        return any(not wanted.isdisjoint(_spellings(coding)) for coding in codings(value))

    return lambda resource: any(is_wanted(value) for value in _values_at(resource, elements))


def _system_and_code(written: str) -> tuple[str | None, str | None]:
    system, bar, code = written.rpartition("|")
    return (system, code or None) if bar else (None, code)


def _spellings(coding: JsonObject) -> set[tuple[str | None, str | None]]:
    """Every token that finds this coding."""
    system, code = text(coding.get("system")), text(coding.get("code"))
    return {(None, code), (system, code), (system, None)} if code else set()


def _date_matcher(elements: tuple[str, ...], alternatives: list[str]) -> Matcher:
    tests = [_date_test(item) for item in alternatives]

    def is_wanted(resource: JsonObject) -> bool:
        spans = [span for value in _values_at(resource, elements) if (span := span_of(value)) is not None]
        return any(test(span) for test in tests for span in spans)

    return is_wanted


def _date_test(written: str) -> Callable[[DateSpan], bool]:
    test = date_test(written)
    if test is None:
        message = "a date is not readable; write it like ge2026-03-02, with eq, ge, gt, le, lt or no prefix"
        raise FhirRefused(400, "invalid", message)
    return test


_MATCHERS: dict[str, Callable[[tuple[str, ...], list[str]], Matcher]] = {
    "reference": _reference_matcher,
    "token": _token_matcher,
    "date": _date_matcher,
}
