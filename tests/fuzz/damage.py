"""Damage: mutations after which a request says less than before, or contradicts itself, and never anything better.

What was there is still seen to be there, but cannot be read, does not come whole, is of somebody else, or is doubted.
So no answer may hold a reassurance that the answer to the unmutated request did not have (tests/fuzz/reassurance.py).
A result that goes without a trace, another number, unit, day, code or status that can be read: these may make a record
better in earnest, nobody can tell it from the request, and so they are no damage (tests/fuzz/changes.py).
"""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from random import Random
from typing import Any

from .mutation import mutation
from .odd_values import MARK, OTHER_KINDS, UNREADABLE
from .places import LISTS, Json, Place, a_read_place, a_resource, an_entry, named_places

_DAYS = (
    "effectiveDateTime", "effectivePeriod", "effectiveInstant", "occurrenceDateTime", "performedDateTime", "performedPeriod",
    "onsetDateTime", "recordedDate", "authoredOn", "issued", "birthDate", "start", "end",
)  # fmt: skip
# What has to be there before an entry can be relied on; without it everybody sees that something is missing.
_NEEDED = {
    "Observation": ("value*", "status", "subject", "effective*", "referenceRange", "unit"),
    "MedicationRequest": ("status", "intent", "subject", "dosageInstruction", "doseAndRate"),
    "MedicationAdministration": ("status", "subject", "effective*"),
    "Condition": ("subject", "clinicalStatus", "verificationStatus"),
    "Immunization": ("patient", "status", "occurrence*"),
    "Procedure": ("subject", "status"),
    "Patient": ("birthDate", "id"),
}


@mutation(damages=True)
def value_of_another_kind(document: Json, rng: Random) -> bool:
    """Text where a number stood, an object where text stood, and so on: somewhere in what is read of a resource."""
    place = a_read_place(document, rng)
    if place is None:
        return False
    place.put(deepcopy(rng.choice([value for value in OTHER_KINDS if _kind(value) != _kind(place.value)])))
    return True


def _kind(value: Any) -> str:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


@mutation(damages=True)
def value_wrapped_in_a_list(document: Json, rng: Random) -> bool:
    """As one large EHR does: [x] for x. It is read as x, or not at all."""
    return _put(a_read_place(document, rng), lambda value: [value])


def _put(place: Place | None, change: Any) -> bool:
    if place is None:
        return False
    place.put(change(place.value))
    return True


@mutation(damages=True)
def number_unreadable(document: Json, rng: Random) -> bool:
    """A measured or ordered number becomes words."""
    return _put_named(document, rng, ("value", "frequency", "period", "numerator", "denominator"), UNREADABLE)


@mutation(damages=True)
def result_unreadable(document: Json, rng: Random) -> bool:
    """All of a result becomes words."""
    resource = a_resource(document, rng, "Observation")
    if resource is None:
        return False
    for name in [name for name in resource if name.startswith("value")]:
        del resource[name]
    resource[rng.choice(("valueString", "valueQuantity", "valueDateTime", "valueRange"))] = rng.choice(UNREADABLE)
    return True


@mutation(damages=True)
def day_unreadable(document: Json, rng: Random) -> bool:
    """The day of an entry becomes words, or a day that no calendar has."""
    return _put_named(document, rng, _DAYS, (*UNREADABLE, "2026-13-45", "2026-02-30T25:61:00Z", "00000"))


@mutation(damages=True)
def status_unreadable(document: Json, rng: Random) -> bool:
    """The status of an entry is none that the standard knows."""
    return _put_named(document, rng, ("status",), (*UNREADABLE, "no-such-status", "finaal"))


@mutation(damages=True)
def unit_unreadable(document: Json, rng: Random) -> bool:
    """A quantity's unit, in words and code, is none that anybody knows."""
    resource = a_resource(document, rng)
    found = [place for place in named_places(resource, "unit") if isinstance(place.parent, dict)] if resource else []
    if not found:
        return False
    quantity = rng.choice(found).parent
    quantity["unit"] = "zorkmid"
    if "code" in quantity:
        quantity["code"] = "zorkmid"
    return True


def _put_named(document: Json, rng: Random, names: tuple[str, ...], values: tuple[Any, ...]) -> bool:
    resource = a_resource(document, rng)
    found = [p for p in named_places(resource, *names) if not isinstance(p.value, (dict, list))] if resource else []
    if not found:
        return False
    rng.choice(found).put(rng.choice(values))
    return True


@mutation(damages=True)
def subject_of_somebody_else(document: Json, rng: Random) -> bool:
    """An entry is about another child, or names the child in a way that nobody can read."""
    place = an_entry(document, rng)
    resource = place.value["resource"] if place else {}
    name = next((name for name in ("subject", "patient") if name in resource), None)
    if name is None:
        return False
    others = ({"reference": f"Patient/{MARK}"}, {"display": MARK}, {"reference": MARK}, f"Patient/{MARK}", [], 7)
    resource[name] = deepcopy(rng.choice(others))
    return True


@mutation(damages=True)
def needed_element_missing(document: Json, rng: Random) -> bool:
    """An entry lacks an element that it needs to be relied on."""
    entry = an_entry(document, rng, *_NEEDED)
    if entry is None:
        return False
    resource = entry.value["resource"]
    found = named_places(resource, *_NEEDED[resource["resourceType"]])
    if not found:
        return False
    place = rng.choice(found)
    if rng.random() < 1 / 3:
        place.put(rng.choice((None, "", " ", {}, [])))
    else:
        del place.parent[place.name]
        if place.name == "unit":
            place.parent.pop("code", None)
    return True


@mutation(damages=True)
def entry_unreadable(document: Json, rng: Random) -> bool:
    """In the place of an entry stands something that holds no resource."""
    place = an_entry(document, rng)
    odd = (None, {}, "x", 7, [], {"resource": None}, {"resource": MARK}, {"resource": []}, {"fullUrl": "urn:uuid:0"})
    return _put(place, lambda _: deepcopy(rng.choice(odd)))


@mutation(damages=True)
def resource_type_unreadable(document: Json, rng: Random) -> bool:
    """An entry does not say what it is."""
    place = an_entry(document, rng)
    if place is None:
        return False
    place.value["resource"]["resourceType"] = rng.choice(("", None, 7, [], " "))
    return True


@mutation(damages=True)
def result_contradicted(document: Json, rng: Random) -> bool:
    """A second result of the same test and time, under the same id or another, says something else."""
    place = an_entry(document, rng, "Observation")
    quantities = named_places(place.value["resource"], "valueQuantity") if place else []
    found = [p for p in quantities if isinstance(p.value, dict) and isinstance(p.value.get("value"), (int, Decimal))]
    if place is None or not found or isinstance(found[0].value["value"], bool):
        return False
    other = deepcopy(place.value)
    quantity = named_places(other["resource"], "valueQuantity")[0].value
    quantity["value"] = quantity["value"] * rng.choice((3, 10, 100)) + 1
    if rng.random() < 1 / 2:
        other["resource"]["id"] = f"{MARK}-1"
    place.parent.append(other)
    bundle = document["prefetch"][place.path[1]]
    if isinstance(bundle.get("total"), int):
        bundle["total"] += 1
    return True


# --- lists


def _a_list(document: Json, rng: Random) -> str | None:
    found = [key for key in LISTS if key in (document.get("prefetch") or {})]
    return rng.choice(found) if found else None


def _change_list(document: Json, rng: Random, change: Any) -> bool:
    key = _a_list(document, rng)
    if key is None:
        return False
    document["prefetch"][key] = change(document["prefetch"][key])
    return True


def _outcome(rng: Random) -> Json:
    issue = {"severity": rng.choice(("error", "fatal", "", 7)), "code": "processing", "diagnostics": MARK}
    return {"resourceType": "OperationOutcome", "issue": rng.choice(([issue], [], issue, MARK))}


@mutation(damages=True)
def list_failed(document: Json, rng: Random) -> bool:
    """An OperationOutcome, or the page of a proxy, came in the place of a list."""
    pages = (f"<!DOCTYPE html><html><body>{MARK}</body></html>", "", 7, True, [], {}, {"resource": {}}, [None])
    return _change_list(document, rng, lambda _: _outcome(rng) if rng.random() < 1 / 2 else deepcopy(rng.choice(pages)))


@mutation(damages=True)
def list_not_sent(document: Json, rng: Random) -> bool:
    """A list did not come."""
    key = _a_list(document, rng)
    if key is not None:
        del document["prefetch"][key]
    return key is not None


@mutation(damages=True)
def list_has_more_pages(document: Json, rng: Random) -> bool:
    """A list came in part: it names a next page, counts more than it holds, or its count cannot be read."""

    def cut(bundle: Any) -> Any:
        if not isinstance(bundle, dict):
            return {}
        odd = ({"total": 10**9}, {"total": MARK}, {"link": [{"relation": "next", "url": f"https://127.0.0.1/{MARK}"}]})
        return {**bundle, **deepcopy(rng.choice(odd))}

    return _change_list(document, rng, cut)


@mutation(damages=True)
def list_with_an_error_beside(document: Json, rng: Random) -> bool:
    """Beside the entries stands an outcome that says that the search failed, or kept something back."""

    def with_outcome(bundle: Any) -> Any:
        found = bundle.get("entry", []) if isinstance(bundle, dict) else []
        kept_back = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]}
        outcome = rng.choice((_outcome(rng), kept_back))
        return {"resourceType": "Bundle", "entry": [*found, {"resource": outcome, "search": {"mode": "outcome"}}]}

    return _change_list(document, rng, with_outcome)


@mutation(damages=True)
def list_within_a_list(document: Json, rng: Random) -> bool:
    """The list stands in a Bundle of its own, once or many times."""

    def nested(bundle: Any) -> Any:
        for _ in range(rng.choice((1, 2, 20))):
            bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": bundle}]}
        return bundle

    return _change_list(document, rng, nested)
