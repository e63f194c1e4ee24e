"""Patient → the birth date as an interval, twins, death, and whether this record is the current one."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import BirthDate, IdentityFault, IdentityProblem
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    is_false,
    is_true,
    objects,
    text,
    whole_number,
)
from cds_service.fhir.references import own_reference, referenced

_BIRTH_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def read_birth_date(patient: JsonObject, today: date) -> BirthDate | None:
    """The birth date, as all days it may be where only the year or month is recorded.

    None where it is absent, unreadable, or wholly in the future. Nobody is born after today.
    """
    match = _BIRTH_DATE.fullmatch(text(patient.get("birthDate")))
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        earliest = date(year, month or 1, day or 1)
        latest = date(year, month or 12, day or monthrange(year, month or 12)[1])
    except ValueError:
        return None
    return BirthDate(earliest, min(latest, today), _evidence(patient)) if earliest <= today else None


def patient_evidence(patient: JsonObject) -> Evidence:
    """Where the patient's own data stand in the record."""
    return _evidence(patient)


def _evidence(patient: JsonObject) -> Evidence:
    return Evidence(own_reference(patient), "birth-date", text(patient.get("birthDate")))


def read_multiple_birth(patient: JsonObject) -> bool | None:
    """Whether the child is one of several; None where the record says nothing."""
    order = whole_number(patient.get("multipleBirthInteger"))
    if order is not None:
        return order >= 1
    stated = patient.get("multipleBirthBoolean")
    return True if is_true(stated) else False if is_false(stated) else None


def has_died(patient: JsonObject) -> bool:
    """Whether the record says that the patient has died."""
    return is_true(patient.get("deceasedBoolean")) or bool(text(patient.get("deceasedDateTime")))


def record_problems(patient: JsonObject, patient_id: str) -> tuple[IdentityProblem, ...]:
    """Why this record should not be used: it was merged into another one, or it is inactive (group A)."""
    expected = f"Patient/{patient_id}"
    merged = [
        IdentityProblem(IdentityFault.RECORD_MERGED, _record(patient), referenced(link.get("other")), expected)
        for link in objects(patient.get("link"))
        if code_text(link.get("type")) == "replaced-by"
    ]
    if is_false(patient.get("active")):
        merged.append(IdentityProblem(IdentityFault.RECORD_INACTIVE, _record(patient), "", expected))
    return tuple(merged)


def _record(patient: JsonObject) -> Evidence:
    return Evidence(own_reference(an_object(patient)), "patient-record")
