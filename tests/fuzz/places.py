"""The parts of a request by what they are: places, resources, lists, and the elements that a reading rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

Json = dict[str, Any]
LISTS = (
    "observations", "medicationRequests", "medicationAdministrations", "conditions", "immunizations", "procedures",
    "serviceRequests", "diagnosticReports",
)  # fmt: skip
# Elements that say how an entry is kept or shown, and nothing of the child.
_NOT_READ = frozenset({"meta", "text", "display", "search", "fullUrl", "resourceType", "id", "identifier"})


@dataclass(frozen=True, slots=True)
class Place:
    """One member or item of a document: what holds it, under which name, and the names on the way to it."""

    parent: Any
    name: str | int
    path: tuple[str | int, ...]

    @property
    def value(self) -> Any:
        """What stands there."""
        return self.parent[self.name]

    def put(self, value: Any) -> None:
        """Let this stand there."""
        self.parent[self.name] = value


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Every member and item below a value."""
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in list(named):
        yield Place(value, name, (*path, name))
        yield from places(child, (*path, name))


def resources(document: Any) -> Iterator[Json]:
    """Every resource of a request, those within Bundles and those contained in others too."""
    for place in places(document):
        value = place.value
        if isinstance(value, dict) and "resourceType" in value and value["resourceType"] != "Bundle":
            yield value


def entries(document: Any) -> Iterator[Place]:
    """Every entry of every list in prefetch."""
    prefetch = document.get("prefetch") if isinstance(document, dict) else None
    for key, bundle in prefetch.items() if isinstance(prefetch, dict) else ():
        found = bundle.get("entry") if isinstance(bundle, dict) else None
        for number in range(len(found) if isinstance(found, list) else 0):
            yield Place(found, number, ("prefetch", key, "entry", number))


def an_entry(document: Any, rng: Random, *kinds: str) -> Place | None:
    """An entry of prefetch that holds a resource, of one of these types if any are named; short lists as often as long."""
    by_list: dict[str | int, list[Place]] = {}
    for place in entries(document):
        resource = place.value.get("resource") if isinstance(place.value, dict) else None
        if isinstance(resource, dict) and (not kinds or resource.get("resourceType") in kinds):
            by_list.setdefault(place.path[1], []).append(place)
    return rng.choice(by_list[rng.choice(sorted(by_list, key=str))]) if by_list else None


def a_resource(document: Any, rng: Random, *kinds: str) -> Json | None:
    """The resource of such an entry, or a draft of the context as often as one of a list."""
    drafts = [r for r in resources(context_of(document)) if not kinds or r.get("resourceType") in kinds]
    if drafts and rng.random() < 1 / 4:
        return rng.choice(drafts)
    place = an_entry(document, rng, *kinds)
    return place.value["resource"] if place else None


def context_of(document: Any) -> Any:
    """The context of a call, or an empty one."""
    return document.get("context", {}) if isinstance(document, dict) else {}


def a_read_place(document: Any, rng: Random, *kinds: type) -> Place | None:
    """A place within what is read of a resource, whose value is of one of these kinds."""
    resource = a_resource(document, rng)
    if resource is None:
        return None
    found = [
        place
        for place in places(resource)
        if not _NOT_READ & {str(name) for name in place.path} and (not kinds or isinstance(place.value, kinds))
    ]
    return rng.choice(found) if found else None


def any_place(document: Any, rng: Random, *kinds: type) -> Place | None:
    """Any place of the document, half of the time within what is read of a resource."""
    if rng.random() < 1 / 2 and (place := a_read_place(document, rng, *kinds)) is not None:
        return place
    found = [place for place in places(document) if not kinds or isinstance(place.value, kinds)]
    return rng.choice(found) if found else None


def named_places(value: Any, *names: str) -> list[Place]:
    """The places whose name is one of these, or begins with one that ends in a star."""
    starts = tuple(name[:-1] for name in names if name.endswith("*"))
    return [place for place in places(value) if place.name in names or (starts and str(place.name).startswith(starts))]
