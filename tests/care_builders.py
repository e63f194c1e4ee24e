"""The bedside and what other people do for the child: blood pressure, urine, consultations, the heart, teaching.

blood_pressures  `systolic` such as 110 mm[Hg], and perhaps `diastolic`; a panel with components, or `shape: alone`
urine_outputs    the `volume` of 24 hours, such as 200 mL
consults         `with` names the specialty in a text; `as` ServiceRequest (asked), Encounter (seen) or Appointment
cardiac          an ECG, or what `text` says; `as` ServiceRequest (ordered), Procedure or DiagnosticReport (done)
teachings        the caregivers were taught; `as` Procedure or Communication

Each is of yesterday unless it says when, by `days_ago`, or by `when` as a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from resource_parts import (
    SYSTEMS,
    Json,
    concept,
    effective,
    is_none,
    quantity,
    refuse_unknown_words,
    subject,
)

UCUM_BEDSIDE = ("mm[Hg]", "mL", "L", "mL/(24.h)", "mL/d")
BLOOD_PRESSURE_WORDS = "systolic diastolic shape code days_ago at when status subject id"
URINE_WORDS = "volume code days_ago at when status subject id"
CONSULT_WORDS = "with text code as status intent days_ago at when wanted subject id"
CARDIAC_WORDS = "text code as status intent days_ago at when wanted subject id"
TEACHING_WORDS = "text code as status days_ago at when subject id"


def care_resources(given: Mapping[str, Any], today: date) -> list[Json]:
    """Everything this module knows the words of."""
    builders: dict[str, Callable[[Mapping[str, Any], int, date], Json]] = {
        "blood_pressures": _blood_pressure,
        "urine_outputs": _urine_output,
        "consults": _consult,
        "cardiac": _cardiac,
        "teachings": _teaching,
    }
    return [
        build(item, n, today) for word, build in builders.items() for n, item in enumerate(given.get(word, []), start=1)
    ]


def _measurement(item: Mapping[str, Any], identity: str, code: str, today: date) -> Json:
    return {
        "resourceType": "Observation",
        "id": item.get("id", identity),
        "status": item.get("status", "final"),
        "code": {"coding": [{"system": SYSTEMS["LOINC"], "code": code}]},
        **subject(item),
        **effective({"days_ago": 1, **item}, today),
    }


def _blood_pressure(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, BLOOD_PRESSURE_WORDS, "blood_pressures")
    shape = item.get("shape", "panel")
    assert shape in ("panel", "alone"), f"unknown shape of a blood pressure: {shape}"
    code = item.get("code", "85354-9" if shape == "panel" else "8480-6")
    made = _measurement(item, f"blood-pressure-{number}", str(code), today)
    systolic = {} if is_none(item["systolic"]) else {"valueQuantity": quantity(str(item["systolic"]), UCUM_BEDSIDE)}
    if shape == "alone":
        return {**made, **systolic}
    parts = [("8480-6", systolic)]
    if "diastolic" in item:
        parts.append(("8462-4", {"valueQuantity": quantity(str(item["diastolic"]), UCUM_BEDSIDE)}))
    components = [{"code": concept(code, default_system="LOINC"), **value} for code, value in parts]
    return {**made, "component": components}


def _urine_output(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, URINE_WORDS, "urine_outputs")
    made = _measurement(item, f"urine-output-{number}", str(item.get("code", "9192-6")), today)
    return made if is_none(item["volume"]) else {**made, "valueQuantity": quantity(str(item["volume"]), UCUM_BEDSIDE)}


def _time(item: Mapping[str, Any], today: date) -> str | None:
    time = effective({"days_ago": 1, **item}, today).get("effectiveDateTime")
    return None if time is None else str(time)


def _request(item: Mapping[str, Any], identity: str, code: Json, today: date) -> Json:
    """A ServiceRequest of the day that the item says."""
    made: Json = {
        "resourceType": "ServiceRequest",
        "id": item.get("id", identity),
        "status": item.get("status", "active"),
        "intent": item.get("intent", "order"),
        "code": code,
        **subject(item),
    }
    times = {"authoredOn": _time(item, today), "occurrenceDateTime": item.get("wanted")}
    return made | {name: str(time) for name, time in times.items() if not is_none(time)}


def _code(item: Mapping[str, Any], default_text: str) -> Json:
    """A code with its system, a text, or both."""
    code: Json = concept(str(item["code"])) if "code" in item else {}
    return {**code, "text": str(item["text"])} if "text" in item else code or {"text": default_text}


def _consult(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, CONSULT_WORDS, "consults")
    code = _code(item, f"Consult {item.get('with', 'hepatology')}")
    kind, identity, time = item.get("as", "ServiceRequest"), item.get("id", f"consult-{number}"), _time(item, today)
    if kind == "ServiceRequest":
        return _request(item, identity, code, today)
    made: Json = {"resourceType": kind, "id": identity}
    if kind == "Encounter":
        made |= {"status": item.get("status", "finished"), **subject(item), "type": [code]}
        return {**made, "period": {"start": time}} if time else made
    assert kind == "Appointment", f"unknown kind of a consultation: {kind}"
    made |= {"status": item.get("status", "booked"), "serviceType": [code]}
    made["participant"] = [{**subject(item, "actor"), "status": "accepted"}]
    return {**made, "start": time} if time else made


def _cardiac(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, CARDIAC_WORDS, "cardiac")
    code, kind = _code(item, "ECG 12-lead"), item.get("as", "Procedure")
    identity, time = item.get("id", f"cardiac-{number}"), _time(item, today)
    if kind == "ServiceRequest":
        return _request(item, identity, code, today)
    element = {"Procedure": "performedDateTime", "DiagnosticReport": "effectiveDateTime"}[kind]
    status = item.get("status", "completed" if kind == "Procedure" else "final")
    made: Json = {"resourceType": kind, "id": identity, "status": status, "code": code, **subject(item)}
    return {**made, element: time} if time else made


def _teaching(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, TEACHING_WORDS, "teachings")
    code, kind = _code(item, "Caregiver education"), item.get("as", "Procedure")
    places = {"Procedure": ("code", "performedDateTime"), "Communication": ("topic", "sent")}
    where, element = places[kind]
    time = _time(item, today)
    made: Json = {
        "resourceType": kind,
        "id": item.get("id", f"teaching-{number}"),
        "status": item.get("status", "completed"),
        where: code,
        **subject(item),
    }
    return {**made, element: time} if time else made
