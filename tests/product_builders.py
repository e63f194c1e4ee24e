"""ZOLGENSMA in the record: its orders, being written or active, and the doses given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from resource_parts import (
    SYSTEMS,
    Json,
    effective,
    quantity,
    reason_codes,
    refuse_unknown_words,
    route_concept,
    subject,
    written_time,
)

PRODUCTS = {
    "zolgensma": {"coding": [{"system": SYSTEMS["RXNORM"], "code": "2170231", "display": "Zolgensma"}]},
    "itvisma": {"text": "ITVISMA (onasemnogene abeparvovec-brve)"},
    "ingredient": {"coding": [{"system": SYSTEMS["RXNORM"], "code": "2170226"}]},
}
ORDER_WORDS = (
    "id status intent names rxnorm ndc text route method dose dose_range second_dose rate amount_type extra_amounts count "
    "duration minutes frequency period period_unit times_of_day bounds timing_text planned quantity refills replaces "
    "written reason subject"
)
PLANNED = date(2026, 3, 3)


def product_orders(stated: Any, name: str, **defaults: Any) -> list[Json]:
    """The orders of a list in a case; each is a correct one where it does not say otherwise."""
    changes = [dict(item) if isinstance(item, Mapping) else {} for item in stated]
    return [product_order({"id": f"{name}-{n}", **defaults, **item}) for n, item in enumerate(changes, start=1)]


def dose_resources(given: Mapping[str, Any], today: date, infused: date | None = None) -> list[Json]:
    """The doses that the record holds; `infused` is the day of the infusion, at ten o'clock."""
    infusion = {"id": "infusion", "when": f"{infused}T10:00:00Z"}
    made = [_given_dose(infusion, 0, today)] if infused else []
    made += [_given_dose(item, n, today) for n, item in enumerate(given.get("given_doses", []), start=1)]
    made += [_procedure_dose(item, n, today) for n, item in enumerate(given.get("procedure_doses", []), start=1)]
    return made


def _given_dose(item: Mapping[str, Any], number: int, today: date) -> Json:
    made: Json = {
        "resourceType": "MedicationAdministration",
        "id": item.get("id", f"given-{number}"),
        "status": item.get("status", "completed"),
        "medicationCodeableConcept": PRODUCTS[item.get("product", "zolgensma")],
        **subject(item),
    }
    when = effective({"days_ago": 30, **item}, today)
    if when:
        made["effectiveDateTime"] = when["effectiveDateTime"]
    if "request" in item:
        made["request"] = {"reference": item["request"]}
    return made


def _procedure_dose(item: Mapping[str, Any], number: int, today: date) -> Json:
    return {
        "resourceType": "Procedure",
        "id": f"procedure-dose-{number}",
        "status": item.get("status", "completed"),
        "code": {"coding": [{"system": SYSTEMS["HCPCS"], "code": "J3399"}]},
        **subject(item),
        "performedDateTime": (today - timedelta(days=item.get("days_ago", 10))).isoformat(),
    }


def product_order(change: Mapping[str, Any]) -> Json:
    """A product order; every word of `change` replaces one part of a correct draft for 3.2 kg."""
    refuse_unknown_words(change, ORDER_WORDS, "a product order")
    made: Json = {
        "resourceType": "MedicationRequest",
        "id": change["id"],
        "status": change.get("status", "draft"),
        "intent": change.get("intent", "order"),
        "medicationCodeableConcept": _product(change),
        **subject(change),
        **reason_codes(change),
        "dosageInstruction": [_instruction(change)],
    }
    if "second_dose" in change:
        made["dosageInstruction"].append(
            {"doseAndRate": [{"doseQuantity": quantity(str(change["second_dose"]), ("mL",))}]}
        )
    if "replaces" in change:
        made["priorPrescription"] = {"reference": change["replaces"]}
    if "written" in change:
        made["authoredOn"] = written_time(change["written"])
    dispense = _dispense(change)
    if dispense:
        made["dispenseRequest"] = dispense
    return made


def _product(change: Mapping[str, Any]) -> Json:
    codings: list[Json] = []
    names = change.get("names", ["Zolgensma"])
    if change.get("rxnorm", "2170231") not in ("none", None):
        codings.append({"system": SYSTEMS["RXNORM"], "code": str(change.get("rxnorm", "2170231"))})
    kits = change.get("ndc", "71894-121-03")
    for kit in [] if kits in ("none", None) else kits if isinstance(kits, list) else [kits]:
        codings.append({"system": SYSTEMS["NDC"], "code": str(kit)})
    product: Json = {"coding": codings} if codings else {}
    if names:
        product["text"] = " ".join(names)
    return product


def _instruction(change: Mapping[str, Any]) -> Json:
    made: Json = {}
    if "text" in change:
        made["text"] = change["text"]
    timing = _timing(change)
    if timing:
        made["timing"] = timing
    made |= route_concept(change.get("route", "intravenous"))
    if "method" in change:
        made["method"] = {"text": change["method"]}
    entries = _dose_entries(change)
    if entries:
        made["doseAndRate"] = entries
    return made


def _dose_entries(change: Mapping[str, Any]) -> list[Json]:
    entry: Json = {}
    if "dose_range" in change:
        low, high = change["dose_range"]
        entry["doseRange"] = {"low": quantity(low, ("mL",)), "high": quantity(high, ("mL",))}
    elif change.get("dose", "19.3 mL") not in ("none", None):
        entry["doseQuantity"] = quantity(str(change.get("dose", "19.3 mL")), ("mL",))
    if change.get("rate", "19.3 mL/h") not in ("none", None):
        entry["rateQuantity"] = quantity(str(change.get("rate", "19.3 mL/h")), ("mL/h", "mL/min"))
    if entry and "amount_type" in change:
        entry["type"] = {"coding": [{"code": change["amount_type"]}]}
    entries = [entry] if entry else []
    for amount in change.get("extra_amounts", []):
        entries.append({"type": {"coding": [{"code": "calculated"}]}, "doseQuantity": quantity(str(amount), ("mL",))})
    return entries


def _timing(change: Mapping[str, Any]) -> Json:
    repeat: Json = {}
    if change.get("count", 1) not in ("none", None):
        repeat["count"] = change.get("count", 1)
    if "duration" in change:
        value, unit = str(change["duration"]).split(" ")
        repeat |= {"duration": quantity(value)["value"], "durationUnit": unit}
    elif change.get("minutes", 60) not in ("none", None):
        repeat |= {"duration": change.get("minutes", 60), "durationUnit": "min"}
    for word, element in (("frequency", "frequency"), ("period", "period"), ("period_unit", "periodUnit")):
        if word in change:
            repeat[element] = change[word]
    if "times_of_day" in change:
        repeat["timeOfDay"] = change["times_of_day"]
    if "bounds" in change:
        start, end = change["bounds"]
        repeat["boundsPeriod"] = {"start": str(start), "end": str(end)}
    timing: Json = {"repeat": repeat} if repeat else {}
    if "timing_text" in change:
        timing["code"] = {"text": change["timing_text"]}
    planned = change.get("planned", PLANNED)
    if planned not in ("none", None):
        timing["event"] = [written_time(day) for day in (planned if isinstance(planned, list) else [planned])]
    return timing


def _dispense(change: Mapping[str, Any]) -> Json:
    dispense: Json = {}
    if change.get("quantity", "1 {kit}") not in ("none", None):
        dispense["quantity"] = quantity(str(change.get("quantity", "1 {kit}")), ("{kit}", "{vial}", "mL"))
    if "refills" in change:
        dispense["numberOfRepeatsAllowed"] = change["refills"]
    return dispense
