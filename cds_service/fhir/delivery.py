"""What one value of a prefetch, or one answer to a query of our own, brought, by itself (C13, R-082 to R-088)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from cds_service.domain.facts import ListState
from cds_service.fhir.json_shapes import JsonObject, an_object, code_text, objects, text, values, whole_number
from cds_service.fhir.references import reference_as

# Search parameters by which less than a patient's whole list is asked for.
_NARROWING = frozenset(
    {
        "_id", "_lastUpdated", "authoredon", "category", "clinical-status", "code", "date", "effective-time", "intent",
        "issued", "period", "status", "vaccine-code",
    }
)  # fmt: skip
_SEARCH = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)(?:/_search)?(?:\?|$)")
_HARMLESS = frozenset({"information", "warning"})
# The issue types by which FHIR says that results were kept back: for permission, or because a part could not be had.
# Source: FHIR R4 issue-type. One large EHR warns in this way of results that the access does not cover.
_KEPT_BACK = frozenset(
    {
        "suppressed", "security", "login", "unknown", "expired", "forbidden",
        "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled", "too-costly",
    }
)  # fmt: skip


class Delivered(NamedTuple):
    """A resource with its type and the reference that it is known under, which all of its readers ask for."""

    kind: str
    name: str
    resource: JsonObject

    @classmethod
    def of(cls, resource: JsonObject) -> Delivered:
        """A resource that came."""
        kind = text(resource.get("resourceType"))
        return cls(kind, reference_as(kind, resource), resource)


@dataclass(slots=True)
class Delivery:
    """What one value brought.

    `matches` are what a search found, `included` what it sent beside them. `lacks`: part of it cannot be had
    or read, whatever page follows; `is_withheld`: because the sender says that it kept something back.
    """

    state: ListState
    matches: list[Delivered] = field(default_factory=list)
    included: list[Delivered] = field(default_factory=list)
    total: int | None = None
    odd_entries: int = 0
    asked_for: str = ""
    listed: frozenset[str] = frozenset()
    next_page: str = ""
    lacks: bool = False
    is_withheld: bool = False

    @property
    def resources(self) -> list[Delivered]:
        """Everything in it that can be read."""
        return self.matches + self.included

    @property
    def is_usable(self) -> bool:
        """Whether it is a list, whole or in part."""
        return self.state in (ListState.COMPLETE, ListState.INCOMPLETE)


def delivery_of(value: object) -> Delivery:
    """What a value brought; null is a list without entries (R-082)."""
    if value is None:
        return Delivery(ListState.COMPLETE)
    resource = an_object(value)
    kind = text(resource.get("resourceType"))
    if kind == "OperationOutcome":
        return Delivery(ListState.FAILED)
    if kind == "Bundle":
        return _bundle(resource)
    if not kind:
        return Delivery(ListState.UNUSABLE)
    # Of the lists, one entry in place of a search shows what there is, and not that there is nothing else.
    if kind == "Patient":
        return Delivery(ListState.COMPLETE, [Delivered.of(resource)], listed=frozenset({kind}))
    return Delivery(ListState.INCOMPLETE, [Delivered.of(resource)], lacks=True)


def next_page_of(bundle: JsonObject) -> str | None:
    """The address of the page that follows a search result, None for the last one; "" where it gives none."""
    return next(iter(_following(bundle)), None)


def how_many(delivered: Iterable[Delivered], kind: str = "") -> int:
    """How many resources there are, of one type if it is named; one that came twice is one."""
    names = [item.name for item in delivered if not kind or item.kind == kind]
    return len({name for name in names if "/" in name}) + sum("/" not in name for name in names)


def came_whole(pages: Sequence[Delivery], kind: str = "") -> bool:
    """Whether the pages of one search hold as many resources as any of them counts, and nothing of them is lost.

    With `kind` only resources of that type fill up the count.
    """
    if not pages or any(page.lacks for page in pages):
        return False
    total = total_of(pages)
    return total is None or total <= received_in(pages, kind)


def received_in(pages: Iterable[Delivery], kind: str = "") -> int:
    """How many matches the pages of one search hold."""
    return how_many((item for page in pages for item in page.matches), kind)


def total_of(pages: Iterable[Delivery]) -> int | None:
    """How many matches one search has, by the page that counts the most; None where none of its pages counts."""
    return max((page.total for page in pages if page.total is not None), default=None)


def _bundle(bundle: JsonObject) -> Delivery:
    """A search result or collection; an outcome entry of severity error means that the search failed."""
    found = Delivery(ListState.COMPLETE, asked_for=_asked_for(bundle), next_page=next_page_of(bundle) or "")
    is_failed = False
    for value in values(bundle.get("entry")):
        entry = an_object(value)
        resource, search = an_object(entry.get("resource")), an_object(entry.get("search"))
        item = Delivered.of(resource)
        mode = code_text(search.get("mode")) if search else ""
        if item.kind == "OperationOutcome" or mode == "outcome":
            is_failed = is_failed or _is_error(resource)
            found.is_withheld = found.is_withheld or _keeps_back(resource)
        elif not item.kind:
            found.odd_entries += 1
        else:
            (found.included if mode == "include" else found.matches).append(item)
    found.listed = frozenset(item.kind for item in found.matches)
    # Of what was kept back nobody says how much it is.
    found.total = None if found.is_withheld else whole_number(bundle.get("total"))
    # A Bundle within a Bundle is a part that is not read, a count that cannot be read may be any number, and what a
    # narrower question left out is not known to be absent.
    found.lacks = found.is_withheld or "Bundle" in found.listed or not _counts_plainly(bundle) or _is_narrowed(bundle)
    if _following(bundle) or not came_whole([found]):
        found.state = ListState.INCOMPLETE
    if is_failed:
        found.state = ListState.FAILED
    return found


def _counts_plainly(bundle: JsonObject) -> bool:
    """Whether a Bundle gives its total as a number, or gives none."""
    total = bundle.get("total")
    return total is None or whole_number(total) is not None


def _following(bundle: JsonObject) -> list[str]:
    """The addresses a search result gives for its next page: one, or none."""
    links = objects(bundle.get("link"))
    return [text(link.get("url")) for link in links if code_text(link.get("relation")) == "next"]


def _asked_for(bundle: JsonObject) -> str:
    """The resource type a search was for, by its own address; so an empty list says what it is a list of."""
    return next((match[1] for url in _own_addresses(bundle) if (match := _SEARCH.search(url))), "")


def _is_narrowed(bundle: JsonObject) -> bool:
    """Whether a search, by its own address, left out part of a list: active orders only, say.

    Observations are asked for by code or category by everybody, us too, and a Patient by its id.
    """
    if _asked_for(bundle) in ("Observation", "Patient"):
        return False
    queries = (url.partition("?")[2] for url in _own_addresses(bundle))
    return any(name.partition(":")[0] in _NARROWING for query in queries for name, _ in parse_qsl(query))


def _own_addresses(bundle: JsonObject) -> list[str]:
    """The addresses a search result gives for itself: one, or none."""
    links = objects(bundle.get("link"))
    return [text(link.get("url")) for link in links if code_text(link.get("relation")) == "self"]


def _is_error(outcome: JsonObject) -> bool:
    """Whether an outcome says anything worse than a warning, or does not say how bad it is."""
    issues = objects(outcome.get("issue"))
    return not issues or any(code_text(issue.get("severity")) not in _HARMLESS for issue in issues)


def _keeps_back(outcome: JsonObject) -> bool:
    """Whether an outcome, however mild it calls itself, says that results were kept back."""
    return any(code_text(issue.get("code")) in _KEPT_BACK for issue in objects(outcome.get("issue")))
