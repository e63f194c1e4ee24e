"""Courses of systemic anti-infective medicines, which can only raise an alarm (C1, `infection-active`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.medicines import AntiInfective
from cds_service.fhir.clinical_time import SiteClock, iso_day, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    objects,
    only_object,
    text,
)
from cds_service.fhir.recognition import Recognition, stated
from cds_service.fhir.references import own_reference
from cds_service.fhir.timing import read_timing

_NEVER_AN_ORDER = frozenset({"entered-in-error", "cancelled", "draft"})
_ENDED = frozenset({"completed", "stopped"})
_SURE = frozenset({"active", "completed", "stopped"})
_ONLY_CONSIDERED = frozenset({"proposal", "plan"})


def read_anti_infective(
    resource: JsonObject, medications: Mapping[str, JsonObject], recognition: Recognition, clock: SiteClock
) -> AntiInfective | None:
    """The course that a MedicationRequest amounts to, or None: another medicine, a local route, never ordered."""
    status, intent = code_text(resource.get("status")), code_text(resource.get("intent"))
    if status in _NEVER_AN_ORDER or intent == "option" or resource.get("doNotPerform") is True:
        return None
    concepts, written = stated(resource, medications)
    names = [name for name in (*concept_texts(concepts), *written) if name]
    is_one = "systemic_anti_infective" in recognition.concept_of(concepts)
    if not is_one and not any(recognition.holds("anti_infective_name", name) for name in names):
        return None
    dosages = objects(resource.get("dosageInstruction"))
    if is_local(dosages, names, recognition):
        return None
    is_active = status not in _ENDED
    is_sure = status in _SURE and intent not in _ONLY_CONSIDERED
    written_on = read_time(resource.get("authoredOn"), clock)
    starts = first_day(dosages, recognition, clock) or written_on.day
    ends = _end(dosages, recognition, clock, is_active, written_on.day)
    return AntiInfective(
        is_active=is_active,
        is_prophylaxis=_is_prophylaxis(resource, names, recognition),
        starts=starts,
        ends=ends if is_active or ends else _last_seen(resource, clock, starts),
        standing=Standing.ACCEPTED if is_sure else Standing.PROVISIONAL,
        evidence=Evidence(
            own_reference(resource), _name(names, concepts, recognition), "", iso_day(written_on), status
        ),
    )


def _name(names: list[str], concepts: list[JsonObject], recognition: Recognition) -> str:
    """What the record calls it, else what our list calls its code."""
    entries = (recognition.codes.look_up(c.get("system"), str(c.get("code"))) for c in codings(concepts))
    return next(iter(names), "") or next((entry[1].name for entry in entries if entry), "")


def is_local(dosages: list[JsonObject], names: list[str], recognition: Recognition) -> bool:
    """Whether it is for eye, ear, skin or airways: by every stated route, or by its name where none is stated."""
    routes = [item.get("route") for item in dosages]
    stated_routes = [route for route in routes if concept_texts(route) or any(codings(route))]
    if not stated_routes:
        return any(recognition.holds("route_not_systemic", name) for name in names)
    return all(
        "route_not_systemic" in recognition.concept_of(route)
        or any(recognition.holds("route_not_systemic", said) for said in concept_texts(route))
        for route in stated_routes
    )


def _is_prophylaxis(resource: JsonObject, names: list[str], recognition: Recognition) -> bool:
    """Whether the reason, the instructions or the name say that it prevents, and nothing beside it denies that.

    It makes a card quieter, so notes are not read: they may be about anything, and hold anything.
    """
    said = [*names, *concept_texts(resource.get("reasonCode"))]
    said += [text(reference.get("display")) for reference in objects(resource.get("reasonReference"))]
    for item in objects(resource.get("dosageInstruction")):
        said += [text(item.get("text")), text(item.get("patientInstruction"))]
        said += concept_texts(item.get("additionalInstruction"))
    told = [words for words in said if recognition.holds("prophylaxis", words)]
    return bool(told) and not any(recognition.holds("denial", words) for words in told)


def first_day(dosages: list[JsonObject], recognition: Recognition, clock: SiteClock) -> date | None:
    """The first day that any instruction names."""
    timings = (only_object(item.get("timing")) for item in dosages)
    days = [day for timing in timings if (day := read_timing(timing, recognition, clock).first_day)]
    return min(days, default=None)


def _end(
    dosages: list[JsonObject], recognition: Recognition, clock: SiteClock, is_active: bool, written_on: date | None
) -> date | None:
    """The last day that all instructions name, None where one is open; not after today once the course has ended."""
    timings = [only_object(item.get("timing")) for item in dosages]
    ends = [read_timing(timing, recognition, clock, written_on).last_day for timing in timings]
    known = [end for end in ends if end]
    last = max(known) if known and len(known) == len(ends) else None
    return last if is_active or last is None else min(last, clock.today)


def _last_seen(resource: JsonObject, clock: SiteClock, starts: date | None) -> date | None:
    """Of a course that is over, nobody knows since when: the day its record was changed, at least its first day."""
    changed = read_time(an_object(resource.get("meta")).get("lastUpdated"), clock).day
    days = [min(day, clock.today) for day in (starts, changed) if day]
    return max(days, default=None)
