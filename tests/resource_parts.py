"""What the builders of synthetic resources share: who and when it is about, codes, quantities, times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

PATIENT_ID = "synthetic-1"
TODAY = date(2026, 3, 2)
HOUR_OF_CALL = time(9, tzinfo=UTC)
UCUM = "http://unitsofmeasure.org"
SYSTEMS = {
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "SNOMED": "http://snomed.info/sct",
    "LOINC": "http://loinc.org",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "HCPCS": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "LOCAL": "urn:local:lab-code",
}
ROUTES = {
    "intravenous": ("47625008", "Intravenous route"),
    "intrathecal": ("72607000", "Intrathecal route"),
    "oral": ("26643006", "Oral route"),
}
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


def is_none(value: object) -> bool:
    """Whether a word says that there is nothing: none, or no value at all."""
    return value is None or value == "none"


def refuse_unknown_words(item: Mapping[str, Any], known: str, what: str) -> None:
    """Fail where an item of a case has a word that its builder would not see."""
    foreign = set(item) - set(known.split())
    assert not foreign, f"unknown words in {what}: {sorted(foreign)}"


def subject(item: Mapping[str, Any], element: str = "subject") -> Json:
    """Whom a resource is about: this child, `other` for another one, `none` for nobody."""
    named = item.get("subject", PATIENT_ID)
    if named == "none":
        return {}
    return {element: {"reference": f"Patient/{'somebody-else' if named == 'other' else named}"}}


def coding(written: str) -> Json:
    """A code such as `LOINC 29463-7`."""
    system, _, code = written.partition(" ")
    return {"system": SYSTEMS.get(system, system), "code": code}


def concept(written: str, default_system: str = "") -> Json:
    """A CodeableConcept of a code with its system, of a code of the default system, or of a text."""
    if written.partition(" ")[0] in SYSTEMS:
        return {"coding": [coding(written)]}
    return {"coding": [coding(f"{default_system} {written}")]} if default_system else {"text": written}


def route_concept(route: object) -> Json:
    """A route by its code, or as the text it is written with; empty where there is none."""
    if is_none(route):
        return {}
    if route in ROUTES:
        code, display = ROUTES[str(route)]
        return {"route": {"coding": [{"system": SYSTEMS["SNOMED"], "code": code, "display": display}]}}
    return {"route": {"text": str(route)}}


def reason_codes(item: Mapping[str, Any]) -> Json:
    """Why something is ordered: a code with its system, or a text."""
    return {"reasonCode": [concept(str(item["reason"]))]} if "reason" in item else {}


def quantity(written: str, ucum: Iterable[str] = ()) -> Json:
    """ "3.2 kg" as a FHIR Quantity; the unit system is given for the units named."""
    match = re.fullmatch(r"(<=|>=|<|>)?\s*(-?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(.*)", written)
    assert match, written
    made: Json = {"value": Decimal(match[2])}
    if match[1]:
        made["comparator"] = match[1]
    return made | unit(match[3], ucum)


def unit(written: str, ucum: Iterable[str]) -> Json:
    """The unit of a Quantity, with the unit system for the units named; empty for no unit."""
    if written in ucum:
        return {"unit": written, "system": UCUM, "code": written}
    return {"unit": written} if written else {}


def effective(item: Mapping[str, Any], today: date) -> Json:
    """When something was measured or given: `when` as written, else `days_ago` and `at`."""
    when = item.get("when")
    if when == "none":
        return {}
    if when is not None:
        return {"effectiveDateTime": written_time(when)}
    day = today - timedelta(days=item.get("days_ago", 1))
    at = item.get("at", "08:00")
    assert is_none(at) or isinstance(at, str), f"put the time of day in quotes: {at}"
    return {"effectiveDateTime": day.isoformat() if is_none(at) or not at else f"{day}T{at}:00Z"}


def hours_before(hours: float, today: date) -> str:
    """The moment so many hours before the call."""
    return written_time(datetime.combine(today, HOUR_OF_CALL) - timedelta(hours=float(hours)))


def written_time(value: object) -> str:
    """A date or time as FHIR writes it, also where YAML has already read it as one."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, (date, datetime)) else str(value)


def issued(item: Mapping[str, Any], today: date) -> Json:
    """When a result was released, where the item says so."""
    if "issued_days_ago" not in item:
        return {}
    return {"issued": f"{today - timedelta(days=item['issued_days_ago'])}T08:30:00Z"}


def authored(item: Mapping[str, Any], today: date) -> Json:
    """When an order was written: the `written` date, or `days_ago`; not stated without either."""
    if "written" in item:
        return {"authoredOn": written_time(item["written"])}
    return {"authoredOn": (today - timedelta(days=item["days_ago"])).isoformat()} if "days_ago" in item else {}


def bundle(resources: list[Json]) -> Json:
    """A search result that holds these resources and says so."""
    found: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    if resources:
        found["entry"] = [{"resource": item, "search": {"mode": "match"}} for item in resources]
    return found


def collection(resources: list[Json]) -> Json:
    """A Bundle that a hook context carries."""
    made: Json = {"resourceType": "Bundle", "type": "collection"}
    return {**made, "entry": [{"resource": item} for item in resources]}
