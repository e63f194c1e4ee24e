"""Every FHIR resource that the service writes or the fixtures hold, each once, for the tests that ask whether it is valid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from compose_fixtures import (
    FHIR_FIXTURES,
    PATIENT_ID,
    ask,
    calls,
    client_at,
    invalid_on_purpose,
    request_path,
)
from simulate_courses import Simulation
from simulated_children import CHILDREN

from cds_service.domain.answers import RequestTest
from cds_service.fhir import Recognition
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.suggestions import SuggestionWriter
from cds_service.presentation import Card, Catalogue
from cds_service.presentation.render import Suggestion

Json = dict[str, Any]
# A resource as one line of JSON → where it was found first.
Resources = dict[bytes, str]
# The addresses of resources that the service serves by themselves.
SERVED_AT = (
    "/CodeSystem/card-topics",
    "/CodeSystem/override-reasons",
    "/CodeSystem/rules",
    "/demo/fhir/metadata",
)
FHIR_BASE = "https://ehr.example.org/fhir/r4"
# The ids of one EHR are longer than R4's 64 characters, and Bundles come without fullUrl, as in the examples of CDS
# Hooks itself. Both are put right before a resource is judged, so that everything else about it is.
TOO_LONG = re.compile(r"(synthetic-ehr-shaped\.[a-z0-9-]+)\.[\w.-]{100,}")


def resources_in(value: Any) -> Iterator[Json]:
    """Every resource of a document that is not a Bundle, and none that stands inside another."""
    if isinstance(value, list):
        for item in value:
            yield from resources_in(item)
    elif isinstance(value, dict):
        if value.get("resourceType", "Bundle") != "Bundle":
            yield value
        else:
            for item in value.values():
                yield from resources_in(item)


def bundles_in(value: Any) -> Iterator[Json]:
    """Every Bundle of a document, the outer ones first."""
    if isinstance(value, list):
        for item in value:
            yield from bundles_in(item)
    elif isinstance(value, dict):
        if value.get("resourceType") == "Bundle":
            yield value
        for item in value.values():
            yield from bundles_in(item)


def name_of(resource: Json) -> str:
    """A resource's type and id, the long ids of one EHR cut; the type alone where it has no id."""
    return TOO_LONG.sub(r"\1", "/".join(str(resource[key]) for key in ("resourceType", "id") if key in resource))


def written_by_the_service(catalogue: Catalogue, recognition: Recognition) -> Resources:
    """What the service writes itself: the orders it suggests, the errors it answers with, and what it serves."""
    created = ((name, action["resource"]) for name, action in _actions_of_every_call() if action["type"] == "create")
    of_every_test = (("cards/shared/orders.yaml", order) for order in _orders_of_every_test(catalogue, recognition))
    errors = ((name, body) for name, body in _answers() if "resourceType" in body)
    found: Resources = {}
    for where, resource in (*created, *_orders_of_simulated_children(), *of_every_test, *errors, *_served()):
        _add(found, where, resource)
    return found


def written_by_others() -> tuple[Resources, Resources]:
    """The fixtures, and the drafts that come back corrected: those that mean to be valid, and those that do not.

    Of Bundles there is one of each form, since what they hold is there by itself.
    """
    valid: Resources = {}
    invalid: Resources = {}
    refused = invalid_on_purpose()
    for where, resource in (*_stored_resources(), *_corrected_drafts()):
        _add(invalid if name_of(resource) in refused else valid, where, resource)
    for where, searchset in _bundles_of_each_form():
        _add(valid, where, searchset)
    return valid, invalid


def _add(found: Resources, where: str, resource: Json) -> None:
    found.setdefault(TOO_LONG.sub(r"\1", write_json(resource).decode()).encode(), where)


# --- what the service writes


def _served() -> Iterator[tuple[str, Json]]:
    client = client_at()
    for address in SERVED_AT:
        reply = client.get(address)
        assert reply.status_code == 200, address
        yield address, read_json_object(reply.data)


@cache
def _answers() -> list[tuple[str, Json]]:
    client = client_at()
    named = [(hook, request_path(hook, scenario)) for hook, scenario in calls()]
    return [(name, ask(client, hook, (FHIR_FIXTURES / name).read_bytes())[1]) for hook, name in named]


def _actions_of_every_call() -> Iterator[tuple[str, Json]]:
    """Every action with a resource that the service suggests in a fixture call, with the call."""
    for name, body in _answers():
        yield from ((name, action) for action in _actions_on(body.get("cards", [])))


def _actions_on(cards: Iterable[Json]) -> Iterator[Json]:
    for card in cards:
        for suggestion in card.get("suggestions", []):
            yield from (action for action in suggestion["actions"] if "resource" in action)


def _orders_of_simulated_children() -> Iterator[tuple[str, Json]]:
    """The orders suggested on the days on which something changes, and when the child goes home."""
    simulation = Simulation()
    for child in CHILDREN:
        days = {(number, "chart") for number in (*child.shown_on, *(turn[0] for turn in child.turning_points))}
        days |= {(number, "discharge") for number in (child.shown_on[0], child.discharged_on or 1)}
        for number, moment in sorted(days):
            for action in _actions_on(simulation.cards(child, number, moment)):
                yield f"{child.name}, day {number}, {moment}", action["resource"]


def _orders_of_every_test(catalogue: Catalogue, recognition: Recognition) -> Iterator[Json]:
    """Every test that a card may offer, as the order for it: at once, and for a day after the infusion."""
    writer = SuggestionWriter(catalogue, recognition)
    changes = [RequestTest(name) for name in catalogue.orders]
    changes += [RequestTest(name, is_follow_up=True, on=date(2026, 3, 9)) for name in catalogue.orders]
    for change in changes:
        card = Card("baseline", "info", "", "", (), (), (Suggestion(change),))
        for suggestion in writer.of_card(card, PATIENT_ID, {}, UUID(int=0)):
            yield from (action["resource"] for action in suggestion["actions"])


# --- what others write


def _stored_documents() -> Iterator[tuple[str, Json]]:
    for path in sorted(FHIR_FIXTURES.rglob("*.json")):
        name = path.relative_to(FHIR_FIXTURES).as_posix()
        if not name.startswith("hook_responses/"):
            yield name, read_json_object(path.read_bytes())


def _stored_resources() -> Iterator[tuple[str, Json]]:
    for name, document in _stored_documents():
        yield from ((name, resource) for resource in resources_in(document))


def _corrected_drafts() -> Iterator[tuple[str, Json]]:
    for name, action in _actions_of_every_call():
        if action["type"] == "update":
            yield f"the answer to {name}", action["resource"]


def _bundles_of_each_form() -> Iterator[tuple[str, Json]]:
    """One Bundle of each form, with the fullUrl that its entries lack."""
    seen = set()
    for name, document in _stored_documents():
        for found in bundles_in(document):
            if _form_of(found) not in seen and not _holds_invalid(found):
                seen.add(_form_of(found))
                yield name, _with_full_urls(found)


def _form_of(bundle: Json) -> bytes:
    """Everything about a Bundle but how many entries it has and what is in them."""
    entries = {write_json({**entry, "resource": "resource" in entry}) for entry in bundle.get("entry", [])}
    return write_json({**bundle, "total": "total" in bundle, "entry": [entry.decode() for entry in sorted(entries)]})


def _holds_invalid(bundle: Json) -> bool:
    return any(name_of(resource) in invalid_on_purpose() for resource in resources_in(bundle))


def _with_full_urls(bundle: Json) -> Json:
    entries = [{"fullUrl": f"{FHIR_BASE}/{name_of(entry['resource'])}", **entry} for entry in bundle.get("entry", [])]
    return {**bundle, "entry": entries} if entries else bundle
