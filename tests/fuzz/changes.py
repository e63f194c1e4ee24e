"""Changes: mutations that may make what a request says better, worse, or another thing; held to form, not to content."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

from .mutation import mutation
from .odd_values import CODES, DATES, MARK, NUMBERS, OTHER_KINDS, STATUSES, SYSTEMS, TEXTS, UNITS
from .places import Json, a_resource, an_entry, any_place, context_of, named_places, places, resources

_DEEP = (5, 60, 99, 100, 101, 400)
_MANY = (50, 300)


def _put_any(document: Json, rng: Random, values: tuple[Any, ...], *names: str) -> bool:
    """Put one of the values at a place of one of these names, in a resource or anywhere."""
    within = a_resource(document, rng) if rng.random() < 3 / 4 else document
    found = named_places(within or document, *names)
    if not found:
        return False
    rng.choice(found).put(deepcopy(rng.choice(values)))
    return True


@mutation()
def odd_number(document: Json, rng: Random) -> bool:
    """A number of any size, sign and spelling."""
    return _put_any(
        document, rng, NUMBERS, "value", "total", "count", "frequency", "period", "numberOfRepeatsAllowed", "expires_in"
    )


@mutation()
def odd_day(document: Json, rng: Random) -> bool:
    """A day or time of any era, zone and spelling."""
    names = ("effective*", "occurrence*", "performed*", "onset*", "abatement*", "recordedDate", "authoredOn", "issued")
    return _put_any(
        document, rng, DATES, *names, "birthDate", "start", "end", "lastUpdated", "outcomeTimestamp", "deceased*"
    )


@mutation()
def odd_unit(document: Json, rng: Random) -> bool:
    """Another unit, or one that only looks like the right one."""
    resource = a_resource(document, rng)
    found = named_places(resource, "unit") if resource else []
    if not found:
        return False
    quantity = rng.choice(found).parent
    for name in rng.choice((("unit",), ("code",), ("unit", "code"), ("unit", "code", "system"))):
        quantity[name] = rng.choice(UNITS if name != "system" else SYSTEMS)
    return True


@mutation()
def odd_status(document: Json, rng: Random) -> bool:
    """A status of any resource, in any spelling."""
    return _put_any(document, rng, STATUSES, "status", "intent", "outcome", "mode")


@mutation()
def odd_code(document: Json, rng: Random) -> bool:
    """A code with blanks or dashes, of another thing, or of none."""
    return _put_any(document, rng, CODES, "code")


@mutation()
def odd_code_system(document: Json, rng: Random) -> bool:
    """The right code under a wrong system."""
    return _put_any(document, rng, SYSTEMS, "system")


@mutation()
def odd_text(document: Json, rng: Random) -> bool:
    """Markup, templates, control characters and very long texts, where text stands."""
    place = any_place(document, rng, str)
    if place is None:
        return False
    place.put(rng.choice(TEXTS))
    return True


@mutation()
def odd_words(document: Json, rng: Random) -> bool:
    """The same in the words that may come to stand on a card."""
    return _put_any(document, rng, TEXTS, "text", "display", "valueString", "unit", "reference", "id", "note")


@mutation()
def odd_member_name(document: Json, rng: Random) -> bool:
    """A member under a name that is none."""
    parents = [place.value for place in places(document) if isinstance(place.value, dict)]
    rng.choice([document, *parents])[rng.choice([t for t in TEXTS if not t.startswith("‹")])] = MARK
    return True


@mutation()
def member_missing(document: Json, rng: Random) -> bool:
    """A member or item that is not there."""
    place = any_place(document, rng)
    if place is None:
        return False
    del place.parent[place.name]
    return True


@mutation()
def member_null(document: Json, rng: Random) -> bool:
    """A member or item that is null."""
    place = any_place(document, rng)
    if place is None:
        return False
    place.put(None)
    return True


@mutation()
def member_empty(document: Json, rng: Random) -> bool:
    """A member or item that holds nothing of its kind."""
    place = any_place(document, rng)
    if place is None:
        return False
    place.put(type(place.value)() if isinstance(place.value, (str, list, dict)) else 0)
    return True


@mutation()
def anything_anywhere(document: Json, rng: Random) -> bool:
    """A value of any kind in any place, of the call itself too."""
    place = any_place(document, rng)
    if place is None:
        return False
    place.put(deepcopy(rng.choice((*OTHER_KINDS, *TEXTS, *NUMBERS))))
    return True


@mutation()
def list_unwrapped(document: Json, rng: Random) -> bool:
    """The first item in the place of a list, as older EHRs do."""
    place = any_place(document, rng, list)
    if place is None or not place.value:
        return False
    place.put(place.value[0])
    return True


@mutation()
def entry_missing(document: Json, rng: Random) -> bool:
    """An entry that was not found; the count says so, or not."""
    place = an_entry(document, rng)
    if place is None:
        return False
    del place.parent[place.name]
    bundle = document["prefetch"][place.path[1]]
    if isinstance(bundle.get("total"), int) and rng.random() < 1 / 2:
        bundle["total"] -= 1
    return True


@mutation()
def entry_repeated(document: Json, rng: Random) -> bool:
    """An entry that came many times, under one id or many."""
    place = an_entry(document, rng)
    if place is None:
        return False
    is_same = rng.random() < 1 / 2
    for number in range(rng.choice((1, 2, *_MANY))):
        copy = deepcopy(place.value)
        copy["resource"]["id"] = copy["resource"].get("id") if is_same else f"{MARK}-{number}"
        place.parent.append(copy)
    return True


@mutation()
def resource_of_another_type(document: Json, rng: Random) -> bool:
    """A resource that calls itself another one."""
    types = [r["resourceType"] for r in resources(document)] + [
        "Bundle",
        "Medication",
        "Group",
        "Binary",
        MARK,
        "patient",
    ]
    return _put_any(document, rng, tuple(types), "resourceType")


@mutation()
def ids_swapped(document: Json, rng: Random) -> bool:
    """Two resources with one another's ids."""
    found = [resource for resource in resources(document) if "id" in resource]
    if len(found) < 2:
        return False
    first, second = rng.sample(found, 2)
    first["id"], second["id"] = second["id"], first["id"]
    return True


@mutation()
def subjects_swapped(document: Json, rng: Random) -> bool:
    """The whole call is about another child than its record, or one resource is."""
    context = context_of(document)
    if isinstance(context, dict) and rng.random() < 1 / 3:
        context["patientId"] = rng.choice((MARK, "Patient/x", " x ", "a/b", "synthetic-term-infant", "0"))
        return True
    return _put_any(
        document, rng, (f"Patient/{MARK}", "Patient/synthetic-term-infant", "#p", "urn:uuid:0"), "reference"
    )


@mutation()
def references_in_a_loop(document: Json, rng: Random) -> bool:
    """Resources that hold, follow from, replace or prove one another, round and round."""
    found = [resource for resource in resources(document) if isinstance(resource.get("resourceType"), str)]
    if not found:
        return False
    first, second = rng.choice(found), rng.choice(found)
    for one, other in ((first, second), (second, first)):
        target = {"reference": f"{other['resourceType']}/{other.get('id')}"}
        for name in (
            "hasMember",
            "derivedFrom",
            "basedOn",
            "partOf",
            "priorPrescription",
            "medicationReference",
            "reasonReference",
        ):
            one[name] = target if name in ("priorPrescription", "medicationReference") else [target]
    return True


@mutation()
def contained_in_a_loop(document: Json, rng: Random) -> bool:
    """A medicine contained in its order, which is made of itself."""
    resource = a_resource(document, rng, "MedicationRequest", "MedicationAdministration")
    if resource is None:
        return False
    own = {"reference": "#m"}
    medicine = {"resourceType": "Medication", "id": "m", "ingredient": [{"itemReference": own}], "manufacturer": own}
    resource.pop("medicationCodeableConcept", None)
    resource |= {"contained": [medicine, deepcopy(medicine), deepcopy(resource)], "medicationReference": own}
    return True


@mutation()
def provenance_of_everything(document: Json, rng: Random) -> bool:
    """A Provenance beside the entries that is about all of them, itself too."""
    place = an_entry(document, rng)
    if place is None:
        return False
    targets = [{"reference": f"{r['resourceType']}/{r.get('id')}"} for r in resources(document)]
    provenance = {"resourceType": "Provenance", "id": "p", "target": [*targets, {"reference": "Provenance/p"}]}
    place.parent.append({"resource": provenance, "search": {"mode": rng.choice(("include", "match", "outcome", MARK))}})
    return True


@mutation()
def bundle_in_a_bundle(document: Json, rng: Random) -> bool:
    """A Bundle that holds the list it is an entry of."""
    place = an_entry(document, rng)
    if place is None:
        return False
    bundle = document["prefetch"][place.path[1]]
    place.parent.append({"resource": deepcopy(bundle)})
    return True


@mutation()
def nested_deeply(document: Json, rng: Random) -> bool:
    """Objects in lists in objects, down to and past the deepest level allowed."""
    place = any_place(document, rng)
    if place is None:
        return False
    value: Any = place.value
    for number in range(rng.choice(_DEEP)):
        value = [value] if number % 2 else {rng.choice(("extension", "item", "part", "x")): value}
    place.put(value)
    return True


@mutation()
def items_by_the_hundred(document: Json, rng: Random) -> bool:
    """One item of a list very many times."""
    place = any_place(document, rng, list)
    if place is None or not place.value:
        return False
    place.put([*place.value, *(deepcopy(place.value[0]) for _ in range(rng.choice(_MANY)))])
    return True


@mutation()
def list_found_empty(document: Json, rng: Random) -> bool:
    """A list that says that there is nothing, in every spelling."""
    prefetch = document.get("prefetch")
    if not isinstance(prefetch, dict) or not prefetch:
        return False
    empty = (
        None,
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "total": 0, "entry": []},
        {"resourceType": "Bundle", "entry": None},
    )
    prefetch[rng.choice(sorted(prefetch))] = deepcopy(rng.choice(empty))
    return True


@mutation()
def lists_under_other_keys(document: Json, rng: Random) -> bool:
    """What came under one key came under that of another, or under a key of the client's own."""
    prefetch = document.get("prefetch")
    if not isinstance(prefetch, dict) or len(prefetch) < 2:
        return False
    first, second = rng.sample(sorted(prefetch), 2)
    prefetch[first], prefetch[second] = prefetch[second], prefetch[first]
    if rng.random() < 1 / 2:
        prefetch[rng.choice((MARK, "", "item", "0"))] = prefetch.pop(first)
    return True


@mutation()
def call_of_another_hook(document: Json, rng: Random) -> bool:
    """The hook, its instance, and the members of its context in other shapes."""
    names = (
        "hook",
        "hookInstance",
        "userId",
        "patientId",
        "encounterId",
        "selections",
        "dispatchedOrders",
        "performer",
        "appointments",
    )
    odd = (
        "order-sign",
        "ORDER-SIGN",
        "",
        MARK,
        "x" * 255,
        "x" * 256,
        None,
        7,
        True,
        [],
        {},
        ["x"],
        [None],
        ["MedicationRequest/x"],
    )
    found = named_places({name: document[name] for name in document if name != "prefetch"}, *names)
    found += named_places(context_of(document), *names)
    if not found:
        return False
    place = rng.choice(found)
    (document if place.name in ("hook", "hookInstance") else place.parent)[place.name] = deepcopy(rng.choice(odd))
    return True


@mutation()
def access_of_any_shape(document: Json, rng: Random) -> bool:
    """A FHIR server and a token, whole or in part; the server is never asked, because no client is allowed it."""
    servers = (
        f"https://{MARK}.example.org/fhir",
        "http://10.0.0.1/fhir",
        "ftp://x",
        "https://[::1",
        "//x",
        " ",
        7,
        None,
        "x" * 9_000,
    )
    document["fhirServer"] = rng.choice(servers)
    access: Json = {
        "access_token": MARK,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/*.read",
        "subject": MARK,
    }
    for name in sorted(access):
        if rng.random() < 1 / 6:
            access[name] = deepcopy(rng.choice((*OTHER_KINDS, None, "", -1, 10**30, "‹huge›")))
    document["fhirAuthorization"] = rng.choice((access, [access], MARK, {}, None))
    return True
