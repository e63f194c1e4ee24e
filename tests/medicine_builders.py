"""Medicines beside the product: corticosteroids, anti-infectives, vaccines, each ordered or given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from resource_parts import (
    SYSTEMS,
    TERMINOLOGY,
    UCUM,
    Json,
    authored,
    effective,
    is_none,
    quantity,
    reason_codes,
    refuse_unknown_words,
    route_concept,
    subject,
    written_time,
)

STEROID_INGREDIENTS = {
    "prednisolone": "8638",
    "prednisone": "8640",
    "methylprednisolone": "6902",
    "hydrocortisone": "5492",
    "dexamethasone": "3264",
    "betamethasone": "1514",
    "cortisone": "2878",
    "triamcinolone": "10759",
    "deflazacort": "22396",
    "vamorolone": "2669799",
}
DOSE_MG = "3.2"
COURSE_DAYS = 30
UCUM_DOSES = ("mg", "g", "ug", "mL", "mg/kg", "mg/kg/d", "{tbl}", "{tablet}", "{capsule}", "{vial}")
STEP_WORDS = (
    "dose dose_range frequency period period_unit start end route prn times_of_day timing_code timing_text weekdays count "
    "bounds_days text sequence"
)
STEROID_WORDS = f"{STEP_WORDS} drug status intent rxnorm name supply_days valid_until refills days_ago written reason replaces steps subject id"
STEROID_DOSE_WORDS = "drug mg ml days_ago at when status reason route rxnorm name subject id"
ANTI_INFECTIVE_WORDS = "name rxnorm status start end route reason text days_ago written subject id"
ANTIHYPERTENSIVE_WORDS = "name status intent as start end days_ago written at when subject id"
VACCINATION_WORDS = "cvx rxnorm name days_ago at when status as subject id"
VACCINE_ORDER_WORDS = "cvx rxnorm name planned as status days_ago written subject id"


def medicine_resources(
    given: Mapping[str, Any], today: date, planned: date, baseline: date, *, is_visit: bool
) -> list[Json]:
    """What the record holds of medicines beside the product. The default steroid starts the day before `planned`.

    The default vaccination lies twenty days before `baseline`.
    """
    made = [
        steroid_order({"id": f"steroid-{n}", **item}, today, planned, "active")
        for n, item in enumerate(given.get("steroids", [{}]), start=1)
    ]
    day_before = f"{planned - timedelta(days=1)}T08:00:00Z"
    doses = given.get("steroid_doses", [{"when": day_before}] if is_visit else [])
    made += [_steroid_dose(item, n, today) for n, item in enumerate(doses, start=1)]
    made += [_anti_infective(item, n, today) for n, item in enumerate(given.get("anti_infectives", []), start=1)]
    lowering = enumerate(given.get("antihypertensives", []), start=1)
    made += [_antihypertensive(item, n, today) for n, item in lowering]
    vaccinations = given.get("vaccinations", [{"cvx": "306", "when": (baseline - timedelta(days=20)).isoformat()}])
    made += [_vaccination(item, n, today) for n, item in enumerate(vaccinations, start=1)]
    if given.get("overdue_vaccines"):
        made.append(_overdue_vaccine(today))
    return made


def _medication(item: Mapping[str, Any], code: object, fallback: str) -> Json:
    """A medicine by its RxNorm code and its name; by the fallback's name where it has neither."""
    made: Json = {}
    if not is_none(code):
        made["coding"] = [{"system": SYSTEMS["RXNORM"], "code": str(code)}]
    if "name" in item:
        made["text"] = item["name"]
    return made or {"text": fallback}


def steroid_order(item: Mapping[str, Any], today: date, planned: date, status: str) -> Json:
    """A corticosteroid order; every word replaces one part of a course of prednisolone around the planned day.

    An order with `steps` has one instruction for each; a step has the order's parts but for its own, and no dates
    but its own.
    """
    refuse_unknown_words(item, STEROID_WORDS, "steroids")
    drug = item.get("drug", "prednisolone")
    first = planned - timedelta(days=1)
    course = {"start": first, "end": first + timedelta(days=COURSE_DAYS - 1)}
    own = {word: item[word] for word in item if word in STEP_WORDS.split()}
    undated = {word: own[word] for word in own if word not in course}
    steps = [{**undated, **_known_step(step)} for step in item["steps"]] if "steps" in item else [{**course, **own}]
    made: Json = {
        "resourceType": "MedicationRequest",
        "id": item["id"],
        "status": item.get("status", status),
        "intent": item.get("intent", "order"),
        "medicationCodeableConcept": _medication(item, item.get("rxnorm", STEROID_INGREDIENTS.get(drug)), drug),
        **subject(item),
        **authored(item, today),
        **reason_codes(item),
        "dosageInstruction": [_dosage(step) for step in steps],
    }
    if "replaces" in item:
        made["priorPrescription"] = {"reference": item["replaces"]}
    dispense: Json = {}
    if "supply_days" in item:
        dispense["expectedSupplyDuration"] = _days(item["supply_days"])
    if "valid_until" in item:
        dispense["validityPeriod"] = {"end": written_time(item["valid_until"])}
    if "refills" in item:
        dispense["numberOfRepeatsAllowed"] = item["refills"]
    return {**made, "dispenseRequest": dispense} if dispense else made


def _known_step(step: Mapping[str, Any]) -> Mapping[str, Any]:
    refuse_unknown_words(step, STEP_WORDS, "steps of a steroid order")
    return step


def _dosage(step: Mapping[str, Any]) -> Json:
    made: Json = {name: step[name] for name in ("sequence", "text") if name in step}
    timing = _timing(step)
    if timing:
        made["timing"] = timing
    if "prn" in step:
        made["asNeededBoolean"] = step["prn"]
    made |= route_concept(step.get("route", "oral"))
    if "dose_range" in step:
        low, high = (quantity(str(part), UCUM_DOSES) for part in step["dose_range"])
        made["doseAndRate"] = [{"doseRange": {"low": low, "high": high}}]
    elif not is_none(step.get("dose", "")):
        made["doseAndRate"] = [{"doseQuantity": quantity(str(step.get("dose", f"{DOSE_MG} mg")), UCUM_DOSES)}]
    return made


def _timing(step: Mapping[str, Any]) -> Json:
    """How often and from when to when. A timing in other words takes the place of the default frequency."""
    repeat: Json = {}
    if "bounds_days" in step:
        repeat["boundsDuration"] = _days(step["bounds_days"])
    else:
        bounds = {name: written_time(step[name]) for name in ("start", "end") if not is_none(step.get(name))}
        repeat |= {"boundsPeriod": bounds} if bounds else {}
    if "count" in step:
        repeat["count"] = step["count"]
    is_said_otherwise = any(word in step for word in ("timing_code", "timing_text", "times_of_day"))
    if not is_none(step.get("frequency", "none" if is_said_otherwise else 1)):
        repeat["frequency"] = step.get("frequency", 1)
        repeat |= {"period": step.get("period", 1), "periodUnit": step.get("period_unit", "d")}
    if "weekdays" in step:
        repeat["dayOfWeek"] = step["weekdays"]
    if "times_of_day" in step:
        repeat["timeOfDay"] = step["times_of_day"]
    timing: Json = {"repeat": repeat} if repeat else {}
    if "timing_code" in step:
        timing["code"] = {"coding": [{"system": f"{TERMINOLOGY}/v3-GTSAbbreviation", "code": step["timing_code"]}]}
    if "timing_text" in step:
        timing["code"] = {**timing.get("code", {}), "text": step["timing_text"]}
    return timing


def _days(count: int) -> Json:
    return {"value": count, "unit": "d", "system": UCUM, "code": "d"}


def _steroid_dose(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, STEROID_DOSE_WORDS, "steroid_doses")
    drug = item.get("drug", "prednisolone")
    made: Json = {
        "resourceType": "MedicationAdministration",
        "id": item.get("id", f"steroid-dose-{number}"),
        "status": item.get("status", "completed"),
        "medicationCodeableConcept": _medication(item, item.get("rxnorm", STEROID_INGREDIENTS.get(drug)), drug),
        **subject(item),
        **effective({"days_ago": 0, **item}, today),
    }
    if "reason" in item:
        element = "statusReason" if made["status"] == "not-done" else "reasonCode"
        made[element] = [{"text": item["reason"]}]
    written = f"{item['ml']} mL" if "ml" in item else f"{item.get('mg', DOSE_MG)} mg"
    dose = {} if is_none(item.get("mg", "")) else {"dose": quantity(written, UCUM_DOSES)}
    return {**made, "dosage": {**route_concept(item.get("route", "oral")), **dose}}


def _anti_infective(item: Mapping[str, Any], number: int, today: date) -> Json:
    refuse_unknown_words(item, ANTI_INFECTIVE_WORDS, "anti_infectives")
    bounds = {name: written_time(item[name]) for name in ("start", "end") if not is_none(item.get(name))}
    dosage: Json = {"text": item["text"]} if "text" in item else {}
    if bounds:
        dosage["timing"] = {"repeat": {"boundsPeriod": bounds}}
    dosage |= route_concept(item.get("route", "oral"))
    made = {
        "resourceType": "MedicationRequest",
        "id": item.get("id", f"anti-infective-{number}"),
        "status": item.get("status", "active"),
        "intent": "order",
        "medicationCodeableConcept": _medication(item, item.get("rxnorm"), "amoxicillin"),
        **subject(item),
        **authored(item, today),
        **reason_codes(item),
    }
    return {**made, "dosageInstruction": [dosage]} if dosage else made


def _antihypertensive(item: Mapping[str, Any], number: int, today: date) -> Json:
    """A medicine that lowers the blood pressure, ordered yesterday, or given where it says `as`."""
    refuse_unknown_words(item, ANTIHYPERTENSIVE_WORDS, "antihypertensives")
    kind = item.get("as", "MedicationRequest")
    made: Json = {
        "resourceType": kind,
        "id": item.get("id", f"antihypertensive-{number}"),
        "medicationCodeableConcept": {"text": item.get("name", "amlodipine")},
        **subject(item),
    }
    if kind == "MedicationAdministration":
        return {**made, "status": item.get("status", "completed"), **effective({"days_ago": 1, **item}, today)}
    assert kind == "MedicationRequest", f"unknown kind of an antihypertensive: {kind}"
    made |= {"status": item.get("status", "active"), "intent": item.get("intent", "order")}
    made |= authored({"days_ago": 1, **item}, today)
    bounds = {name: written_time(item[name]) for name in ("start", "end") if not is_none(item.get(name))}
    return {**made, "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": bounds}}}]} if bounds else made


def _vaccine(item: Mapping[str, Any]) -> Json:
    """A vaccine by its codes and its name."""
    codings = [{"system": SYSTEMS[name.upper()], "code": str(item[name])} for name in ("cvx", "rxnorm") if name in item]
    made: Json = {"coding": codings} if codings else {}
    return {**made, "text": item["name"]} if "name" in item else made


def _vaccination(item: Mapping[str, Any], number: int, today: date) -> Json:
    """A vaccine or antibody that was given, twenty days ago unless it says when."""
    refuse_unknown_words(item, VACCINATION_WORDS, "vaccinations")
    kind = item.get("as", "Immunization")
    time = effective({"days_ago": 20, "at": "", **item}, today).get("effectiveDateTime")
    made: Json = {
        "resourceType": kind,
        "id": item.get("id", f"vaccination-{number}"),
        "status": item.get("status", "completed"),
    }
    if kind == "MedicationAdministration":
        made |= {"medicationCodeableConcept": _vaccine(item), **subject(item)}
        return {**made, "effectiveDateTime": time} if time else made
    assert kind == "Immunization", f"unknown kind of a vaccination: {kind}"
    given = {"occurrenceDateTime": time} if time else {"occurrenceString": "not known"}
    return {**made, "vaccineCode": _vaccine(item), **subject(item, "patient"), **given}


def vaccine_order(item: Mapping[str, Any], today: date) -> Json:
    """A vaccine being ordered, in the shape the item names. An Immunization has no status of a plan: it is to be done."""
    refuse_unknown_words(item, VACCINE_ORDER_WORDS, "draft_vaccines")
    kind = item.get("as", "MedicationRequest")
    planned = None if is_none(item.get("planned")) else written_time(item["planned"])
    made: Json = {"resourceType": kind, "id": item["id"]}
    if kind == "Immunization":
        made |= {"status": item.get("status", "completed"), "vaccineCode": _vaccine(item), **subject(item, "patient")}
        return {**made, **({"occurrenceDateTime": planned} if planned else {"occurrenceString": "not planned"})}
    made |= {"status": item.get("status", "draft"), "intent": "order", **subject(item), **authored(item, today)}
    if kind == "ServiceRequest":
        made["code"] = _vaccine(item)
        return {**made, "occurrenceDateTime": planned} if planned else made
    assert kind == "MedicationRequest", f"unknown kind of a vaccine order: {kind}"
    made["medicationCodeableConcept"] = _vaccine(item)
    return {**made, "dosageInstruction": [{"timing": {"event": [planned]}}]} if planned else made


def _overdue_vaccine(today: date) -> Json:
    """A forecast that calls one vaccine overdue."""
    status = {"coding": [{"system": f"{TERMINOLOGY}/immunization-recommendation-status", "code": "overdue"}]}
    return {
        "resourceType": "ImmunizationRecommendation",
        "id": "forecast-1",
        **subject({}, "patient"),
        "date": today.isoformat(),
        "recommendation": [{"vaccineCode": [_vaccine({"cvx": "133"})], "forecastStatus": status}],
    }
