"""Asking the EHR's FHIR server for what did not come with a call, all of it at once and until the deadline.

Every query uses only what all large EHRs support (`patient`, `code`, `_count`, reads by id); what a server makes of
them is checked again by the readers, which select by patient, code, status and date themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from cds_service.domain.facts import Hindrance, Source
from cds_service.fhir.access import FhirAccess
from cds_service.fhir.availability import TYPE_OF_SOURCE, missing_lists
from cds_service.fhir.client import Deadline, Exchange, FhirClient, Hindered
from cds_service.fhir.delivery import next_page_of
from cds_service.fhir.json_shapes import JsonObject, an_object, objects, text
from cds_service.fhir.prefetch import OPEN_PATIENT, PAGE_SIZE
from cds_service.fhir.record import FetchedList, Record
from cds_service.fhir.scopes import READ, SEARCH, Coverage

# The lists that can name the product: an order, a dose, or either under another heading.
TRACES: Final = frozenset({Source.ORDERS, Source.GIVEN_DOSES, Source.PROCEDURES, Source.VACCINATIONS})
# More than a child's orders refer to; a record with thousands of references must not become thousands of queries.
MOST_READS: Final = 40
_NINE_LISTS: Final = frozenset(Source)
# Beside the nine lists: visits and bookings, teaching, the receipt of the kit.
_BESIDE: Final = ("Encounter", "Appointment", "Communication", "SupplyDelivery", "MedicationDispense")
_QUERIES_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Ask:
    """What one call may ask: about whom, until when, and by which access.

    `access` is a Hindrance where the call brings access that cannot be used, None where it brings none.
    """

    patient_id: str
    deadline: Deadline
    access: FhirAccess | Hindrance | None = None


@dataclass(slots=True)
class _Query:
    """One query, the pages that have come so far, and what ended it early. A search is followed page by page.

    `reads` is the type of the one resource that is read by its id, "" for a search.
    """

    address: str
    reads: str = ""
    pages: list[JsonObject] = field(default_factory=list)
    hindrance: Hindrance | None = None
    exchange: Exchange = field(default_factory=Exchange)


@dataclass(frozen=True, slots=True)
class ChartFetcher:
    """Fetches parts of charts. `queries` are the templates of the queries for each list, by its key."""

    client: FhirClient
    queries: Mapping[str, Sequence[str]]
    threads: ThreadPoolExecutor = field(repr=False)

    @classmethod
    def of(cls, client: FhirClient, queries: Mapping[str, Sequence[str]]) -> ChartFetcher:
        """A fetcher with threads of its own; they start when they are first needed."""
        return cls(client, queries, ThreadPoolExecutor(_QUERIES_AT_ONCE, thread_name_prefix="fhir"))

    def with_lists(self, record: Record, wanted: Collection[Source], ask: Ask) -> Record:
        """The record with those of the wanted lists that did not come whole, each asked for once at the most."""
        missing = _missing(record, wanted, ask)
        if not isinstance(ask.access, FhirAccess):
            return record.with_lists(_all_hindered(missing, ask.access))
        return record.with_lists(self._lists(missing, (), ask, ask.access))

    def with_everything(self, record: Record, encounter_id: str, ask: Ask) -> Record:
        """The record with all of the nine lists, and what can be had beside them (ruling 12).

        Nothing is told of visits, bookings, teaching or kit receipts that cannot be had.
        """
        missing = _missing(record, _NINE_LISTS, ask)
        if not isinstance(ask.access, FhirAccess):
            return record.with_lists(_all_hindered(missing, ask.access))
        beside = _queries_beside(record, encounter_id, ask, ask.access)
        record = record.with_lists(self._lists(missing, beside, ask, ask.access))
        return record.with_resources(tuple(r for query in beside for page in query.pages for r in _held(page)))

    def with_resources(self, record: Record, references: Iterable[str], ask: Ask) -> Record:
        """The record with the resources of these references (`Type/id`), as far as they can be read.

        Each is asked for once on a call at the most, and no more than MOST_READS of them in all.
        """
        access = ask.access
        wanted = [name for name in dict.fromkeys(references) if name not in record.wanted] if access else []
        queries: list[_Query] = []
        if isinstance(access, FhirAccess):
            allowed = [name for name in wanted if _may_be_read(name, access)]
            queries = [_read_of(name, access) for name in allowed[: max(0, MOST_READS - len(record.wanted))]]
            self._run(queries, access, ask.deadline)
        return record.with_resources(tuple(page for query in queries for page in query.pages), frozenset(wanted))

    def _lists(
        self,
        missing: Mapping[Source, Sequence[str]],
        beside: Sequence[_Query],
        ask: Ask,
        access: FhirAccess,
    ) -> dict[Source, FetchedList]:
        """All missing lists at once, with what is asked beside them.

        `missing` names the further pages of each list, none to ask for the whole list.
        """
        covered = {source: _coverage(source, access) for source in missing}
        queries = {
            source: self._queries(source, pages, ask.patient_id, access)
            for source, pages in missing.items()
            if covered[source] is not Coverage.NONE
        }
        self._run([*(query for found in queries.values() for query in found), *beside], access, ask.deadline)
        return {
            source: _told(queries.get(source, []), covered[source], continues=bool(pages))
            for source, pages in missing.items()
        }

    def _queries(self, source: Source, pages: Sequence[str], patient_id: str, access: FhirAccess) -> list[_Query]:
        """The queries for a list, or one for each further page; a page elsewhere is not asked for."""
        if not pages:
            if source is Source.PATIENT:
                return [_read_of(f"Patient/{patient_id}", access)]
            identity = quote(patient_id, safe="")
            paths = [template.replace(OPEN_PATIENT, identity) for template in self.queries[source.value]]
            return [_Query(f"{access.base}/{path}") for path in paths]
        addresses = [access.next_page(f"{access.base}/", page) for page in pages]
        return [_Query(a or "", hindrance=None if a else Hindrance.ELSEWHERE) for a in addresses]

    def _run(self, queries: Sequence[_Query], access: FhirAccess, deadline: Deadline) -> None:
        """Answer all queries side by side; one that is not through at the deadline keeps the pages it has."""
        waiting = [query for query in queries if query.hindrance is None]
        under_way = {self.threads.submit(self._answer, query, access, deadline): query for query in waiting}
        through, late = wait(under_way, max(deadline.remaining, 0))
        for future in late:
            future.cancel()
            under_way[future].exchange.cut()
            under_way[future].hindrance = Hindrance.TOO_LATE
        for future in through:
            if future.exception() is not None:
                under_way[future].hindrance = Hindrance.UNREADABLE

    def _answer(self, query: _Query, access: FhirAccess, deadline: Deadline) -> None:
        """Fill in the query's pages, and what kept the rest of them away."""
        try:
            self._follow(query, access, deadline)
        except Hindered as fault:
            query.hindrance = query.hindrance or fault.hindrance

    def _follow(self, query: _Query, access: FhirAccess, deadline: Deadline) -> None:
        """Read a resource, or a search to its last page, to the deadline, or to what one list may weigh."""
        address, seen, size = query.address, set[str](), 0
        while address:
            seen.add(address)
            page, weight = self._page(address, query, access, deadline)
            size += weight
            if size > self.client.largest_bytes:
                raise Hindered(Hindrance.TOO_LARGE)
            query.pages.append(page)
            address = "" if query.reads else _next_address(address, page, access)
            if address in seen:
                raise Hindered(Hindrance.ELSEWHERE)

    def _page(self, address: str, query: _Query, access: FhirAccess, deadline: Deadline) -> tuple[JsonObject, int]:
        """One answer, of the kind that was asked for, and its size.

        A server that does not understand the question is asked once more without a page size, which some lack.
        """
        try:
            page, weight = self.client.get(address, access.token, deadline, query.exchange)
        except Hindered as fault:
            if fault.hindrance is not Hindrance.NOT_UNDERSTOOD or not address.endswith(PAGE_SIZE):
                raise
            page, weight = self.client.get(address.removesuffix(PAGE_SIZE), access.token, deadline, query.exchange)
        if fault_found := _fault_in(page, query):
            raise Hindered(fault_found)
        return page, weight


def _next_address(current: str, page: JsonObject, access: FhirAccess) -> str:
    """The address of the page after this one, "" after the last. Raises Hindered where it leads away."""
    following = next_page_of(page)
    if following is None:
        return ""
    address = access.next_page(current, following)
    if address is None:
        raise Hindered(Hindrance.ELSEWHERE)
    return address


def _missing(record: Record, wanted: Collection[Source], ask: Ask) -> dict[Source, tuple[str, ...]]:
    """The wanted lists that did not come whole and that nobody has asked for on this call."""
    if ask.access is None:
        return {}
    return missing_lists(record.prefetch, ask.patient_id, [s for s in wanted if s not in record.fetched])


def _all_hindered(missing: Iterable[Source], hindrance: Hindrance | None) -> dict[Source, FetchedList]:
    return dict.fromkeys(missing, FetchedList(hindrance=hindrance))


def _queries_beside(record: Record, encounter_id: str, ask: Ask, access: FhirAccess) -> list[_Query]:
    """What is worth asking for beside the lists, as far as the token covers it and it did not come."""
    sent = {text(r.get("resourceType")) for value in record.prefetch.values() for r in _held(an_object(value))}
    queries = []
    visit = f"Encounter/{encounter_id}"
    if "Encounter" not in sent and _may_be_read(visit, access):
        queries.append(_read_of(visit, access))
    patient = quote(ask.patient_id, safe="")
    for kind in _BESIDE:
        if kind not in sent and access.scopes.coverage(kind, SEARCH) is not Coverage.NONE:
            queries.append(_Query(f"{access.base}/{kind}?patient={patient}{PAGE_SIZE}"))
    return queries


def _held(value: JsonObject) -> list[JsonObject]:
    """The resources of a Bundle, or the resource itself; what says no type is none."""
    if text(value.get("resourceType")) != "Bundle":
        return [value]
    resources = (an_object(entry.get("resource")) for entry in objects(value.get("entry")))
    return [resource for resource in resources if text(resource.get("resourceType"))]


def _fault_in(page: JsonObject, query: _Query) -> Hindrance | None:
    """Why an answer with status 200 is none: an error in place of the data, or something else than was asked for."""
    kind = text(page.get("resourceType"))
    if kind == "OperationOutcome":
        return Hindrance.SERVER_FAULT
    return None if kind == (query.reads or "Bundle") else Hindrance.UNREADABLE


def _coverage(source: Source, access: FhirAccess) -> Coverage:
    interaction = READ if source is Source.PATIENT else SEARCH
    return access.scopes.coverage(TYPE_OF_SOURCE[source], interaction)


def _may_be_read(reference: str, access: FhirAccess) -> bool:
    """Whether the token covers a resource, and its id is one; dots alone, or a path, would lead to another address."""
    kind, _, identity = reference.partition("/")
    return bool(identity.strip(".")) and "/" not in identity and access.scopes.coverage(kind, READ) is not Coverage.NONE


def _told(queries: Sequence[_Query], coverage: Coverage, *, continues: bool) -> FetchedList:
    """What became of a list: every page that came, and the first thing that kept the rest away."""
    if coverage is Coverage.NONE:
        return FetchedList(hindrance=Hindrance.OUT_OF_SCOPE)
    hindrance = next((query.hindrance for query in queries if query.hindrance is not None), None)
    if hindrance is None and coverage is Coverage.PART:
        hindrance = Hindrance.PARTLY_IN_SCOPE
    # A copy: a query that was too late may still be adding to its own list.
    return FetchedList(tuple(tuple(query.pages) for query in queries), hindrance, continues)


def _read_of(reference: str, access: FhirAccess) -> _Query:
    """The query that reads the resource of a reference, `Type/id`."""
    kind, _, identity = reference.partition("/")
    return _Query(f"{access.base}/{quote(kind, safe='')}/{quote(identity, safe='')}", reads=kind)
