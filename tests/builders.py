"""Synthetic children for tests: a request that differs from an unremarkable one only where the test says so.

The vocabulary is that of the `given:` part of `cards/*/cases.yaml`; every word of it is one key below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

PATIENT_ID = "synthetic-1"
TODAY = date(2026, 3, 2)
UCUM = "http://unitsofmeasure.org"
SYSTEMS = {
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "SNOMED": "http://snomed.info/sct",
    "LOINC": "http://loinc.org",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "HCPCS": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
}
UCUM_WEIGHTS = ("kg", "g", "[lb_av]", "[oz_av]")
ROUTES = {
    "intravenous": ("47625008", "Intravenous route"),
    "intrathecal": ("72607000", "Intrathecal route"),
    "oral": ("26643006", "Oral route"),
}
PRODUCTS = {
    "zolgensma": {"coding": [{"system": SYSTEMS["RXNORM"], "code": "2170231", "display": "Zolgensma"}]},
    "itvisma": {"text": "ITVISMA (onasemnogene abeparvovec-brve)"},
    "ingredient": {"coding": [{"system": SYSTEMS["RXNORM"], "code": "2170226"}]},
}
LISTS = {
    "observations": "Observation",
    "medicationRequests": "MedicationRequest",
    "medicationAdministrations": "MedicationAdministration",
    "conditions": "Condition",
    "immunizations": "Immunization",
    "procedures": "Procedure",
    "serviceRequests": "ServiceRequest",
    "diagnosticReports": "DiagnosticReport",
}
KNOWN_WORDS = {
    "born", "today", "twin", "active", "replaced_by", "weights", "weight", "gestational_age", "conditions",
    "procedures", "genetics", "draft", "drafts", "background_drafts", "open_orders", "given_doses",
    "completed_orders", "procedure_doses", "lists", "extra", "died",
}  # fmt: skip


def today_of(given: Mapping[str, Any]) -> date:
    """The day of the call."""
    return date.fromisoformat(str(given.get("today", TODAY)))


def hook_request(given: Mapping[str, Any], hook: str = "order-sign") -> dict[str, Any]:
    """A hook request about the default child, changed where `given` says so."""
    foreign = set(given) - KNOWN_WORDS
    assert not foreign, f"unknown words in a case: {sorted(foreign)}"
    today = today_of(given)
    drafts = _drafts(given)
    background = [_order({"id": "background-1", **_map(change)}) for change in given.get("background_drafts", [])]
    context: dict[str, Any] = {
        "userId": "Practitioner/synthetic-prescriber",
        "patientId": PATIENT_ID,
        "draftOrders": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": draft} for draft in [*drafts, *background]],
        },
    }
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{draft['id']}" for draft in drafts]
    return {
        "hook": hook,
        "hookInstance": "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e",
        "context": context,
        "prefetch": _prefetch(given, today),
    }


def _prefetch(given: Mapping[str, Any], today: date) -> dict[str, Any]:
    held: dict[str, list[dict[str, Any]]] = {kind: [] for kind in LISTS.values()}
    for resource in _resources(given, today):
        held.setdefault(resource["resourceType"], []).append(resource)
    prefetch: dict[str, Any] = {"patient": patient(given)}
    for key, kind in LISTS.items():
        prefetch[key] = bundle(held[kind])
    for key, state in given.get("lists", {}).items():
        _put_in_trouble(prefetch, key, str(state))
    for key, value in given.get("extra", {}).items():
        prefetch[key] = value
    return prefetch


def _resources(given: Mapping[str, Any], today: date) -> list[dict[str, Any]]:
    made = [weight_observation(item, today, n) for n, item in enumerate(_weights(given), start=1)]
    made += _gestational_ages(given, today)
    made += [_condition(item, n) for n, item in enumerate(given.get("conditions", ["ICD10CM G12.0"]), start=1)]
    made += [_procedure(item, n) for n, item in enumerate(given.get("procedures", []), start=1)]
    made += [_genetics(item, n, today) for n, item in enumerate(given.get("genetics", [{"copies": 0}]), start=1)]
    made += [
        _order({"id": f"order-{n}", "status": "active", **_map(item)})
        for n, item in enumerate(given.get("open_orders", []), start=1)
    ]
    made += [
        _order({"id": f"completed-{n}", "status": "completed", **_map(item)})
        for n, item in enumerate(given.get("completed_orders", []), start=1)
    ]
    made += [_given_dose(item, n, today) for n, item in enumerate(given.get("given_doses", []), start=1)]
    made += [_procedure_dose(item, n, today) for n, item in enumerate(given.get("procedure_doses", []), start=1)]
    return made


def bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """A search result that holds these resources and says so."""
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    if resources:
        found["entry"] = [{"resource": item, "search": {"mode": "match"}} for item in resources]
    return found


def _put_in_trouble(prefetch: dict[str, Any], key: str, state: str) -> None:
    kind, _, counts = state.partition(" ")
    if kind in ("odd-entry", "failed-entry"):
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
        extra = (
            {"fullUrl": "urn:uuid:0"} if kind == "odd-entry" else {"resource": outcome, "search": {"mode": "outcome"}}
        )
        prefetch[key].setdefault("entry", []).append(extra)
        return
    if kind == "absent":
        del prefetch[key]
    elif kind in ("null", "None"):
        prefetch[key] = None
    elif kind == "failed":
        issue = {"severity": "error", "code": "forbidden"}
        prefetch[key] = {"resourceType": "OperationOutcome", "issue": [issue]}
    elif kind == "html":
        prefetch[key] = "<html>Service unavailable</html>"
    elif kind == "empty":
        prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    elif kind == "partial":
        prefetch[key]["link"] = [{"relation": "next", "url": "https://ehr.example.org/next"}]
        if counts:
            prefetch[key]["total"] = int(counts.split("/")[1])
        else:
            prefetch[key].pop("total", None)
    else:
        raise AssertionError(f"unknown state of a list: {state}")


def patient(given: Mapping[str, Any]) -> dict[str, Any]:
    """The child's own record."""
    made: dict[str, Any] = {"resourceType": "Patient", "id": PATIENT_ID, "active": given.get("active", True)}
    born = str(given.get("born", "2026-01-01"))
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


def _subject(item: Mapping[str, Any]) -> dict[str, Any]:
    named = item.get("subject", PATIENT_ID)
    if named == "none":
        return {}
    return {"subject": {"reference": f"Patient/{'somebody-else' if named == 'other' else named}"}}


def _weights(given: Mapping[str, Any]) -> list[Any]:
    if "weights" in given:
        return list(given["weights"])
    return [{"weight": given.get("weight", "3.2 kg")}]


def weight_observation(item: Any, today: date, number: int) -> dict[str, Any]:
    """One body weight."""
    item = item if isinstance(item, Mapping) else {"weight": item}
    made = {
        "resourceType": "Observation",
        "id": item.get("id", f"w{number}"),
        "status": item.get("status", "final"),
        "code": {
            "coding": [{"system": SYSTEMS["LOINC"], "code": item.get("code", "29463-7"), "display": "Body weight"}]
        },
        **_subject(item),
        **_effective(item, today),
    }
    if "issued_days_ago" in item:
        made["issued"] = f"{today - timedelta(days=item['issued_days_ago'])}T08:30:00Z"
    written = str(item.get("weight", "3.2 kg"))
    if written != "none":
        made["valueQuantity"] = quantity(written, UCUM_WEIGHTS)
    return made


def _effective(item: Mapping[str, Any], today: date) -> dict[str, Any]:
    when = item.get("when")
    if when == "none":
        return {}
    if when is not None:
        return {"effectiveDateTime": str(when)}
    day = today - timedelta(days=item.get("days_ago", 1))
    at = item.get("at", "08:00")
    return {"effectiveDateTime": f"{day}T{at}:00Z" if at else day.isoformat()}


def quantity(written: str, ucum: tuple[str, ...] = ()) -> dict[str, Any]:
    """ "3.2 kg" as a FHIR Quantity; the unit system is given for the units named."""
    match = re.fullmatch(r"(<=|>=|<|>)?\s*(-?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(.*)", written)
    assert match, written
    made: dict[str, Any] = {"value": Decimal(match[2])}
    if match[1]:
        made["comparator"] = match[1]
    if match[3] in ucum:
        made |= {"unit": match[3], "system": UCUM, "code": match[3]}
    elif match[3]:
        made["unit"] = match[3]
    return made


def _gestational_ages(given: Mapping[str, Any], today: date) -> list[dict[str, Any]]:
    stated = given.get("gestational_age", "39w0d")
    if stated == "none":
        return []
    made = []
    for number, item in enumerate(stated if isinstance(stated, list) else [stated], start=1):
        item = item if isinstance(item, Mapping) else {"text": str(item)}
        observation: dict[str, Any] = {
            "resourceType": "Observation",
            "id": f"ga{number}",
            "status": item.get("status", "final"),
            "code": {
                "coding": [
                    {"system": SYSTEMS["LOINC"], "code": item.get("code", "76516-4"), "display": "Gestational age"}
                ]
            },
            **_subject(item),
            **_effective({"days_ago": 30, **item}, today),
        }
        if "value" in item:
            observation["valueQuantity"] = quantity(f"{item['value']} {item.get('unit', '')}".strip(), ("wk", "d"))
        else:
            observation["valueString"] = str(item["text"])
        made.append(observation)
    return made


def _coding(written: str) -> dict[str, Any]:
    system, _, code = written.partition(" ")
    return {"system": SYSTEMS.get(system, system), "code": code}


def _condition(item: Any, number: int) -> dict[str, Any]:
    item = item if isinstance(item, Mapping) else {"code": item}
    made: dict[str, Any] = {
        "resourceType": "Condition",
        "id": f"c{number}",
        "code": {"coding": [_coding(str(item["code"]))]},
        **_subject(item),
    }
    for element, default in (("verification", "confirmed"), ("clinical", "active")):
        status = item.get(element, default)
        if status != "none":
            system = f"http://terminology.hl7.org/CodeSystem/condition-{'ver-status' if element == 'verification' else 'clinical'}"
            made[f"{element}Status"] = {"coding": [{"system": system, "code": status}]}
    return made


def _procedure(item: Any, number: int) -> dict[str, Any]:
    item = item if isinstance(item, Mapping) else {"code": item}
    return {
        "resourceType": "Procedure",
        "id": f"p{number}",
        "status": item.get("status", "completed"),
        "code": {"coding": [_coding(str(item["code"]))]},
        **_subject(item),
        "performedDateTime": "2026-02-01",
    }


def _genetics(item: Mapping[str, Any], number: int, today: date) -> dict[str, Any]:
    code = {"copies": "111768-8", "text": "35462-1", "screen": "92004-1"}[
        next(name for name in ("copies", "text", "screen") if name in item)
    ]
    display = f"SMN1 exon {item['exon']}" if "exon" in item else "SMN1"
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"g{number}",
        "status": item.get("status", "final"),
        "code": {"coding": [{"system": SYSTEMS["LOINC"], "code": item.get("code", code), "display": display}]},
        **_subject(item),
        **_effective({"days_ago": 20, **item}, today),
    }
    if "copies" in item:
        made["valueQuantity"] = quantity(str(item["copies"])) | {"unit": "{copies}"}
    elif "text" in item:
        made["valueString"] = item["text"]
    else:
        made["valueCodeableConcept"] = {"text": item["screen"]}
    return made


def _given_dose(item: Mapping[str, Any], number: int, today: date) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "MedicationAdministration",
        "id": item.get("id", f"given-{number}"),
        "status": item.get("status", "completed"),
        "medicationCodeableConcept": PRODUCTS[item.get("product", "zolgensma")],
        **_subject(item),
    }
    when = _effective({"days_ago": 30, **item}, today)
    if when:
        made["effectiveDateTime"] = when["effectiveDateTime"]
    if "request" in item:
        made["request"] = {"reference": item["request"]}
    return made


def _procedure_dose(item: Mapping[str, Any], number: int, today: date) -> dict[str, Any]:
    return {
        "resourceType": "Procedure",
        "id": f"procedure-dose-{number}",
        "status": item.get("status", "completed"),
        "code": {"coding": [{"system": SYSTEMS["HCPCS"], "code": "J3399"}]},
        **_subject(item),
        "performedDateTime": (today - timedelta(days=item.get("days_ago", 10))).isoformat(),
    }


def _map(change: Any) -> dict[str, Any]:
    return dict(change) if isinstance(change, Mapping) else {}


def _drafts(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    if given.get("draft") == "none":
        return []
    if "drafts" in given:
        return [_order({"id": f"draft-{n}", **_map(change)}) for n, change in enumerate(given["drafts"], start=1)]
    return [_order({"id": "draft-1", **_map(given.get("draft"))})]


def _order(change: Mapping[str, Any]) -> dict[str, Any]:
    """A product order; every word of `change` replaces one part of a correct draft for 3.2 kg."""
    made: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": change["id"],
        "status": change.get("status", "draft"),
        "intent": change.get("intent", "order"),
        "medicationCodeableConcept": _product(change),
        **_subject(change),
        "dosageInstruction": [_instruction(change)],
    }
    if "second_dose" in change:
        made["dosageInstruction"].append(
            {"doseAndRate": [{"doseQuantity": quantity(str(change["second_dose"]), ("mL",))}]}
        )
    if "replaces" in change:
        made["priorPrescription"] = {"reference": change["replaces"]}
    if "written" in change:
        made["authoredOn"] = str(change["written"])
    if "reason" in change:
        reason = str(change["reason"])
        is_code = reason.partition(" ")[0] in SYSTEMS
        made["reasonCode"] = [{"coding": [_coding(reason)]} if is_code else {"text": reason}]
    dispense = _dispense(change)
    if dispense:
        made["dispenseRequest"] = dispense
    return made


def _product(change: Mapping[str, Any]) -> dict[str, Any]:
    codings: list[dict[str, Any]] = []
    names = change.get("names", ["Zolgensma"])
    if change.get("rxnorm", "2170231") not in ("none", None):
        codings.append({"system": SYSTEMS["RXNORM"], "code": str(change.get("rxnorm", "2170231"))})
    kits = change.get("ndc", "71894-121-03")
    for kit in [] if kits in ("none", None) else kits if isinstance(kits, list) else [kits]:
        codings.append({"system": SYSTEMS["NDC"], "code": str(kit)})
    product: dict[str, Any] = {"coding": codings} if codings else {}
    if names:
        product["text"] = " ".join(names)
    return product


def _instruction(change: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if "text" in change:
        made["text"] = change["text"]
    timing = _timing(change)
    if timing:
        made["timing"] = timing
    route = change.get("route", "intravenous")
    if route in ROUTES:
        code, display = ROUTES[route]
        made["route"] = {"coding": [{"system": SYSTEMS["SNOMED"], "code": code, "display": display}]}
    elif route not in ("none", None):
        made["route"] = {"text": route}
    if "method" in change:
        made["method"] = {"text": change["method"]}
    entries = _dose_entries(change)
    if entries:
        made["doseAndRate"] = entries
    return made


def _dose_entries(change: Mapping[str, Any]) -> list[dict[str, Any]]:
    entry: dict[str, Any] = {}
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


def _timing(change: Mapping[str, Any]) -> dict[str, Any]:
    repeat: dict[str, Any] = {}
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
    timing: dict[str, Any] = {"repeat": repeat} if repeat else {}
    if "timing_text" in change:
        timing["code"] = {"text": change["timing_text"]}
    planned = change.get("planned", "2026-03-03")
    if planned not in ("none", None):
        timing["event"] = [str(day) for day in planned] if isinstance(planned, list) else [str(planned)]
    return timing


def _dispense(change: Mapping[str, Any]) -> dict[str, Any]:
    dispense: dict[str, Any] = {}
    if change.get("quantity", "1 {kit}") not in ("none", None):
        dispense["quantity"] = quantity(str(change.get("quantity", "1 {kit}")), ("{kit}", "{vial}", "mL"))
    if "refills" in change:
        dispense["numberOfRepeatsAllowed"] = change["refills"]
    return dispense
