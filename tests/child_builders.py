"""The synthetic child itself: Patient, weights, gestational age, genetics, temperatures, diagnoses, procedures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from resource_parts import (
    PATIENT_ID,
    SYSTEMS,
    TERMINOLOGY,
    TODAY,
    Json,
    coding,
    effective,
    hours_before,
    is_none,
    issued,
    quantity,
    refuse_unknown_words,
    subject,
    written_time,
)

UCUM_WEIGHTS = ("kg", "g", "[lb_av]", "[oz_av]")
UCUM_TEMPERATURES = ("Cel", "[degF]")
CONDITION_WORDS = "code text onset onset_days_ago abated_days_ago clinical verification recorded subject"
TEMPERATURE_WORDS = "value hours_ago days_ago at when status code subject"


def patient(given: Mapping[str, Any]) -> Json:
    """The child's own record."""
    made: Json = {"resourceType": "Patient", "id": PATIENT_ID, "active": given.get("active", True)}
    born = str(given.get("born", _default_birth(given)))
    if born:
        made["birthDate"] = born
    twin = given.get("twin")
    if isinstance(twin, bool):
        made["multipleBirthBoolean"] = twin
    elif twin is not None:
        made["multipleBirthInteger"] = twin
    if given.get("died"):
        made["deceasedBoolean"] = True
    if "replaced_by" in given:
        made["link"] = [{"type": "replaced-by", "other": {"reference": given["replaced_by"]}}]
    return made


def _default_birth(given: Mapping[str, Any]) -> date:
    """1 January 2026, and sixty days before the first dose of the product where that is earlier."""
    today = date.fromisoformat(str(given.get("today", TODAY)))
    days = [date.fromisoformat(str(given["infused"]))] if "infused" in given else []
    for item in (*given.get("given_doses", []), *given.get("procedure_doses", [])):
        when = str(item.get("when", item.get("at", today - timedelta(days=item.get("days_ago", 30)))))[:10]
        days += [date.fromisoformat(when)] if len(when) == 10 else []
    return min([date(2026, 1, 1), *(day - timedelta(days=60) for day in days)])


def child_resources(given: Mapping[str, Any], today: date) -> list[Json]:
    """What was measured, found and diagnosed apart from the laboratory."""
    made = [weight_observation(item, today, n) for n, item in enumerate(_weights(given), start=1)]
    made += _gestational_ages(given, today)
    made += [_temperature(item, n, today) for n, item in enumerate(given.get("temperatures", []), start=1)]
    made += [_condition(item, n, today) for n, item in enumerate(given.get("conditions", ["ICD10CM G12.0"]), start=1)]
    made += [_procedure(item, n) for n, item in enumerate(given.get("procedures", []), start=1)]
    made += [_genetics(item, n, today) for n, item in enumerate(given.get("genetics", [{"copies": 0}]), start=1)]
    return made


def _weights(given: Mapping[str, Any]) -> list[Any]:
    if "weights" in given:
        return list(given["weights"])
    return [{"weight": given.get("weight", "3.2 kg")}]


def weight_observation(item: Any, today: date, number: int) -> Json:
    """One body weight."""
    item = item if isinstance(item, Mapping) else {"weight": item}
    made = {
        "resourceType": "Observation",
        "id": item.get("id", f"w{number}"),
        "status": item.get("status", "final"),
        "code": {
            "coding": [{"system": SYSTEMS["LOINC"], "code": item.get("code", "29463-7"), "display": "Body weight"}]
        },
        **subject(item),
        **effective(item, today),
        **issued(item, today),
    }
    written = str(item.get("weight", "3.2 kg"))
    if written != "none":
        made["valueQuantity"] = quantity(written, UCUM_WEIGHTS)
    return made


def _gestational_ages(given: Mapping[str, Any], today: date) -> list[Json]:
    stated = given.get("gestational_age", "39w0d")
    if stated == "none":
        return []
    made = []
    for number, item in enumerate(stated if isinstance(stated, list) else [stated], start=1):
        item = item if isinstance(item, Mapping) else {"text": str(item)}
        observation: Json = {
            "resourceType": "Observation",
            "id": f"ga{number}",
            "status": item.get("status", "final"),
            "code": {
                "coding": [
                    {"system": SYSTEMS["LOINC"], "code": item.get("code", "76516-4"), "display": "Gestational age"}
                ]
            },
            **subject(item),
            **effective({"days_ago": 30, **item}, today),
        }
        if "value" in item:
            observation["valueQuantity"] = quantity(f"{item['value']} {item.get('unit', '')}".strip(), ("wk", "d"))
        else:
            observation["valueString"] = str(item["text"])
        made.append(observation)
    return made


def _temperature(item: Mapping[str, Any], number: int, today: date) -> Json:
    """One body temperature, three hours before the call unless it says when."""
    refuse_unknown_words(item, TEMPERATURE_WORDS, "temperatures")
    says_when = "when" in item or "days_ago" in item
    time = effective(item, today) if says_when else {"effectiveDateTime": hours_before(item.get("hours_ago", 3), today)}
    return {
        "resourceType": "Observation",
        "id": f"temperature-{number}",
        "status": item.get("status", "final"),
        "code": {"coding": [{"system": SYSTEMS["LOINC"], "code": item.get("code", "8310-5")}]},
        **subject(item),
        **time,
        "valueQuantity": quantity(str(item["value"]), UCUM_TEMPERATURES),
    }


def _condition(item: Any, number: int, today: date) -> Json:
    item = item if isinstance(item, Mapping) else {"code": item}
    refuse_unknown_words(item, CONDITION_WORDS, "conditions")
    made: Json = {
        "resourceType": "Condition",
        "id": f"c{number}",
        "code": {"coding": [coding(str(item["code"]))]} if "code" in item else {},
        **subject(item),
    }
    if "text" in item:
        made["code"]["text"] = item["text"]
    has_abated = "abated_days_ago" in item
    defaults = {"verification": "confirmed", "clinical": "resolved" if has_abated else "active"}
    for element, default in defaults.items():
        status = item.get(element, default)
        if not is_none(status):
            system = f"{TERMINOLOGY}/condition-{'ver-status' if element == 'verification' else 'clinical'}"
            made[f"{element}Status"] = {"coding": [{"system": system, "code": status}]}
    if "onset" in item:
        made["onsetDateTime"] = written_time(item["onset"])
    elif "onset_days_ago" in item:
        made["onsetDateTime"] = (today - timedelta(days=item["onset_days_ago"])).isoformat()
    if has_abated:
        made["abatementDateTime"] = (today - timedelta(days=item["abated_days_ago"])).isoformat()
    if "recorded" in item:
        made["recordedDate"] = written_time(item["recorded"])
    return made


def _procedure(item: Any, number: int) -> Json:
    item = item if isinstance(item, Mapping) else {"code": item}
    return {
        "resourceType": "Procedure",
        "id": f"p{number}",
        "status": item.get("status", "completed"),
        "code": {"coding": [coding(str(item["code"]))]},
        **subject(item),
        "performedDateTime": "2026-02-01",
    }


def _genetics(item: Mapping[str, Any], number: int, today: date) -> Json:
    code = {"copies": "111768-8", "text": "35462-1", "screen": "92004-1"}[
        next(name for name in ("copies", "text", "screen") if name in item)
    ]
    display = f"SMN1 exon {item['exon']}" if "exon" in item else "SMN1"
    made: Json = {
        "resourceType": "Observation",
        "id": f"g{number}",
        "status": item.get("status", "final"),
        "code": {"coding": [{"system": SYSTEMS["LOINC"], "code": item.get("code", code), "display": display}]},
        **subject(item),
        **effective({"days_ago": 20, **item}, today),
    }
    if "copies" in item:
        is_count = isinstance(item["copies"], int)
        counted = quantity(str(item["copies"])) if is_count else {"value": item["copies"]}
        made["valueQuantity"] = counted | {"unit": "{copies}"}
    elif "text" in item:
        made["valueString"] = item["text"]
    else:
        made["valueCodeableConcept"] = {"text": item["screen"]}
    return made
