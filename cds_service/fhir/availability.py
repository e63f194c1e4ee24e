"""What became of each list: it came, in part or whole, was not attempted, failed or is unusable (C13, R-080 to R-089).

Values are read by the type of what they hold, whatever their key is called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import (
    Hindrance,
    IdentityFault,
    IdentityProblem,
    ListState,
    Source,
    SourceState,
    UnreadableEntry,
)
from cds_service.fhir.clinical_time import sortable
from cds_service.fhir.delivery import Delivered, Delivery, came_whole, delivery_of, received_in, total_of
from cds_service.fhir.json_shapes import JsonObject, an_object, code_text, objects, text, whole_number
from cds_service.fhir.record import FetchedList
from cds_service.fhir.references import is_about, own_reference, plain_reference, referenced
from cds_service.fhir.standing import is_removed

SOURCE_OF_TYPE = {
    "Patient": Source.PATIENT,
    "Observation": Source.MEASUREMENTS,
    "MedicationRequest": Source.ORDERS,
    "MedicationAdministration": Source.GIVEN_DOSES,
    "Condition": Source.DIAGNOSES,
    "Immunization": Source.VACCINATIONS,
    "Procedure": Source.PROCEDURES,
    "ServiceRequest": Source.REQUESTED_TESTS,
    "DiagnosticReport": Source.REPORTS,
}
TYPE_OF_SOURCE = {source: kind for kind, source in SOURCE_OF_TYPE.items()}
# Of one resource; more would show nothing that two do not show.
_ENOUGH_TO_CONTRADICT = 2
# Of a whole resource: `text` is its display for people.
_NOT_CONTENT = frozenset({"meta", "text"})
_SOURCE_OF_KEY = {source.value: source for source in Source}
_WORST_FIRST = (
    ListState.FAILED,
    ListState.UNUSABLE,
    ListState.INCOMPLETE,
    ListState.COMPLETE,
    ListState.NOT_ATTEMPTED,
)


@dataclass(frozen=True, slots=True)
class Chart:
    """The resources that came with a call, by type, and what became of each list.

    Only resources about the call's patient are in it; the others are told in `identity_problems`.
    """

    by_type: Mapping[str, tuple[JsonObject, ...]]
    sources: Mapping[Source, SourceState]
    identity_problems: tuple[IdentityProblem, ...]
    unreadable: tuple[UnreadableEntry, ...]

    def of_type(self, resource_type: str) -> tuple[JsonObject, ...]:
        """The resources of this type."""
        return self.by_type.get(resource_type, ())


def read_chart(
    prefetch: Mapping[str, object] | None,
    patient_id: str,
    fetched: Mapping[Source, FetchedList] | None = None,
    beside: Iterable[JsonObject] = (),
) -> Chart:
    """All resources that came about this patient, and the state of each of the nine lists.

    `fetched` are the lists we asked the EHR for ourselves; `beside` are resources of no list.
    """
    deliveries = {key: delivery_of(value) for key, value in (prefetch or {}).items()}
    spoken_for = _spoken_for(deliveries)
    own = {source: _own_answers(source, answers) for source, answers in (fetched or {}).items()}
    delivered = [delivery for _, delivery in _by_key(deliveries, own)]
    every = _distinct([item for d in delivered for item in d.resources] + [Delivered.of(item) for item in beside])
    kept, problems = _by_type(every, patient_id)
    sources = {source: _merged(found) for source, found in spoken_for.items()}
    sources |= {
        s: _with_own_query(s, spoken_for[s], answers, own[s], patient_id) for s, answers in (fetched or {}).items()
    }
    if kept.get("Patient"):
        sources[Source.PATIENT] = SourceState(ListState.COMPLETE, 1)
    return Chart(
        by_type={kind: tuple(found) for kind, found in kept.items()},
        sources=sources,
        identity_problems=problems,
        unreadable=tuple(entry for key, d in _by_key(deliveries, own) for entry in _unread(key, d)),
    )


def lists_sent(prefetch: Mapping[str, object]) -> tuple[Source, ...]:
    """The lists that a call brought something of, whole or not, as the first entry of each value tells."""
    found = (_list_of(key, value) for key, value in prefetch.items())
    return tuple(dict.fromkeys(source for source in found if source is not None))


def _list_of(key: str, value: object) -> Source | None:
    """The list a value is of, by its content or its key; None for an outcome in its place, and for what is no FHIR."""
    kind = text(an_object(value).get("resourceType"))
    if kind == "OperationOutcome" or (value is not None and not kind):
        return None
    entries = objects(an_object(value).get("entry")) if kind == "Bundle" else []
    first = text(an_object(entries[0].get("resource")).get("resourceType")) if entries else kind
    return SOURCE_OF_TYPE.get(first, _SOURCE_OF_KEY.get(key))


def _by_type(
    delivered: Iterable[Delivered], patient_id: str
) -> tuple[dict[str, list[JsonObject]], tuple[IdentityProblem, ...]]:
    """The resources about this patient, by type, and why the others are set aside."""
    kept: dict[str, list[JsonObject]] = {}
    problems = []
    for item in delivered:
        problem = identity_problem(item.resource, patient_id)
        if problem is None:
            kept.setdefault(item.kind, []).append(item.resource)
        else:
            problems.append(problem)
    return kept, tuple(problems)


def missing_lists(
    prefetch: Mapping[str, object], patient_id: str, wanted: Collection[Source]
) -> dict[Source, tuple[str, ...]]:
    """The wanted lists that did not come whole: the addresses of their further pages, or () to ask for all of it.

    A list the EHR calls empty is not missing (R-082, R-084); one that failed may be asked for once (ruling 7). What
    came under the key of a list that is not wanted is not looked at, because most calls end here.
    """
    looked_at = {key: value for key, value in prefetch.items() if _SOURCE_OF_KEY.get(key) in (None, *wanted)}
    missing: dict[Source, tuple[str, ...]] = {}
    for source, found in _spoken_for({key: delivery_of(value) for key, value in looked_at.items()}).items():
        if source not in wanted:
            continue
        partial = _incomplete(found)
        is_lost = _merged(found).state not in (ListState.COMPLETE, ListState.INCOMPLETE)
        if is_lost or (source is Source.PATIENT and _is_of_somebody_else(found, patient_id)):
            missing[source] = ()
        elif partial:
            pages = tuple(d.next_page for d in partial)
            missing[source] = pages if all(pages) and not any(d.lacks for d in partial) else ()
    return missing


def _is_of_somebody_else(found: list[Delivery], patient_id: str) -> bool:
    """Whether Patients came, and none of them is the call's."""
    names = {item.name for d in found for item in d.resources if "Patient" in d.listed}
    return bool(names) and f"Patient/{patient_id}" not in names


def _spoken_for(deliveries: Mapping[str, Delivery]) -> dict[Source, list[Delivery]]:
    """The values that say something about each list, as it sees them."""
    speaking: dict[Source, list[Delivery]] = {source: [] for source in Source}
    for key, delivery in deliveries.items():
        for source in _sources_spoken_for(key, delivery):
            speaking[source].append(_as_seen_by(source, key, delivery))
    return speaking


def _by_key(
    deliveries: Mapping[str, Delivery], own: Mapping[Source, list[list[Delivery]]]
) -> Iterable[tuple[str, Delivery]]:
    """Everything delivered with the key it came under; our own queries under the key they stand for."""
    yield from deliveries.items()
    yield from ((source.value, page) for source, answers in own.items() for pages in answers for page in pages)


def _own_answers(source: Source, fetched: FetchedList) -> list[list[Delivery]]:
    return [[_as_seen_by(source, source.value, delivery_of(page)) for page in pages] for pages in fetched.answers]


def _with_own_query(
    source: Source, sent: list[Delivery], fetched: FetchedList, answers: list[list[Delivery]], patient_id: str
) -> SourceState:
    """What is known of a list once we have asked for it, or for the rest of it, ourselves.

    A search that brought nothing usable leaves what the EHR sent; one that broke off makes the list incomplete.
    """
    pages = [page for answer in answers for page in answer]
    usable = [page for page in pages if page.is_usable]
    hindrance = fetched.hindrance or _hindrance_of(pages)
    if not usable:
        return replace(_merged(sent), hindrance=hindrance)
    if fetched.continues:
        # What follows a page the EHR sent belongs to the search of that page.
        searches = [[first, *rest] for first, rest in zip(_incomplete(sent), answers, strict=True)]
        kind, is_less = "", False
    else:
        searches, kind = answers, TYPE_OF_SOURCE[source]
        is_less = _lacks_what_was_sent(source, sent, usable, patient_id)
    is_whole = hindrance is None and not is_less and all(came_whole(search, kind) for search in searches)
    received = sum(received_in(search, kind) for search in searches)
    total = None if is_less else _total_of(searches)
    return SourceState(ListState.COMPLETE if is_whole else ListState.INCOMPLETE, received, total, hindrance)


def _hindrance_of(pages: list[Delivery]) -> Hindrance | None:
    """What was wrong with the answers that came, the worst first."""
    if any(page.state is ListState.FAILED for page in pages):
        return Hindrance.SERVER_FAULT
    if any(not page.is_usable for page in pages):
        return Hindrance.UNREADABLE
    return Hindrance.WITHHELD if any(page.is_withheld for page in pages) else None


def _incomplete(sent: list[Delivery]) -> list[Delivery]:
    """The values that came in part, in the order in which `missing_lists` names their next pages."""
    return [delivery for delivery in sent if delivery.state is ListState.INCOMPLETE]


def _lacks_what_was_sent(source: Source, sent: list[Delivery], answers: list[Delivery], patient_id: str) -> bool:
    """Whether the EHR sent an entry of this patient that our own search for the whole list did not find.

    Then our search sees less than there is. Observations are asked for by code, so others than those may have come.
    """
    if source is Source.MEASUREMENTS:
        return False
    found = {item.name for page in answers for item in page.resources}
    return any(
        item.name not in found and is_about(item.resource, f"Patient/{patient_id}") is True
        for delivery in sent
        for item in delivery.resources
        if item.kind == TYPE_OF_SOURCE[source] and item.resource.get("id")
    )


def _total_of(searches: list[list[Delivery]]) -> int | None:
    """How many entries the searches count together; None where one of them does not count."""
    totals = [total_of(search) for search in searches]
    known = [total for total in totals if total is not None]
    return sum(known) if len(known) == len(totals) else None


def _sources_spoken_for(key: str, delivery: Delivery) -> set[Source]:
    """The lists a value says something about: the one its key names, and those whose entries it lists.

    A single resource, or one that a search included beside its matches, adds content and is no list.
    """
    kinds = delivery.listed or {delivery.asked_for}
    held = {SOURCE_OF_TYPE[kind] for kind in kinds if kind in SOURCE_OF_TYPE}
    named = _SOURCE_OF_KEY.get(key)
    return held | {named} if named else held


def _as_seen_by(source: Source, key: str, delivery: Delivery) -> Delivery:
    """A value whose key promises one list and that holds only others is unusable for the promised one."""
    types = _types(delivery)
    holds_it = any(SOURCE_OF_TYPE.get(kind) is source for kind in types)
    if types and not holds_it and _SOURCE_OF_KEY.get(key) is source:
        return Delivery(ListState.UNUSABLE)
    return delivery


def _types(delivery: Delivery) -> set[str]:
    return {item.kind for item in delivery.resources}


def _merged(deliveries: list[Delivery]) -> SourceState:
    """The worst of all that was said about one list."""
    if not deliveries:
        return SourceState(ListState.NOT_ATTEMPTED)
    worst = min(deliveries, key=lambda delivery: _WORST_FIRST.index(delivery.state)).state
    is_withheld = worst is ListState.INCOMPLETE and any(delivery.is_withheld for delivery in deliveries)
    totals = [] if is_withheld else [delivery.total for delivery in deliveries if delivery.total is not None]
    received = sum(received_in([delivery]) for delivery in deliveries)
    return SourceState(worst, received, sum(totals) if totals else None, Hindrance.WITHHELD if is_withheld else None)


def _distinct(delivered: list[Delivered]) -> list[Delivered]:
    """Each resource once; of two versions the later one, and both where nothing tells which is later."""
    newest: dict[str, list[Delivered]] = {}
    nameless = []
    for item in delivered:
        known = newest.get(item.name)
        if "/" not in item.name:
            nameless.append(item)
        elif known is None or _version(item.resource) > _version(known[0].resource):
            newest[item.name] = [item]
        elif _version(item.resource) == _version(known[0].resource) and len(known) < _ENOUGH_TO_CONTRADICT:
            known += [] if _says_the_same(item, known) else [item]
    return [*(item for versions in newest.values() for item in versions), *nameless]


def _says_the_same(item: Delivered, known: list[Delivered]) -> bool:
    """Whether one of these says the same, however it was written down: a copy must not count as a second dose."""
    return item in known or _content(item.resource) in [_content(other.resource) for other in known]


def _content(resource: JsonObject) -> JsonObject:
    """What a resource says, without what is about its record and its display, and with its references in one form."""
    return {name: _comparable(value) for name, value in resource.items() if name not in _NOT_CONTENT}


def _comparable(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _comparable(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return (plain_reference(value) or value) if name == "reference" else value


def _version(resource: JsonObject) -> tuple[str, int, str, int]:
    """What tells two versions apart: change, version number, release, and whether it corrects or takes back."""
    meta = an_object(resource.get("meta"))
    changed, released = sortable(meta.get("lastUpdated")), sortable(resource.get("issued"))
    corrects = code_text(resource.get("status")) in ("amended", "corrected")
    return changed, whole_number(meta.get("versionId")) or 0, released, 2 * is_removed(resource) + corrects


def _unread(key: str, delivery: Delivery) -> list[UnreadableEntry]:
    """What of a value could not be read: some of its entries, or all of it where it speaks for no list we know."""
    unread = [_odd_entries(key, delivery)] if delivery.odd_entries else []
    is_lost = delivery.state in (ListState.FAILED, ListState.UNUSABLE)
    if is_lost and not _sources_spoken_for(key, delivery):
        unread.append(UnreadableEntry(_place(key), f"list-{delivery.state.value}"))
    return unread


def _odd_entries(key: str, delivery: Delivery) -> UnreadableEntry:
    spoken_for = _sources_spoken_for(key, delivery)
    source = next(iter(spoken_for)) if len(spoken_for) == 1 else _SOURCE_OF_KEY.get(key)
    return UnreadableEntry(_place(key), f"entries-without-resource: {delivery.odd_entries}", source)


def _place(key: str) -> Evidence:
    """Where in the call something stood; a key may be empty, and what is told has to have a name."""
    name = key.strip() or "prefetch"
    return Evidence(name, name)


def identity_problem(resource: JsonObject, patient_id: str) -> IdentityProblem | None:
    """Why a resource may be about somebody else, or None; resources that are about nobody are nobody's."""
    kind = text(resource.get("resourceType"))
    if kind not in SOURCE_OF_TYPE:
        return _problem_beside_the_lists(resource, kind, patient_id)
    expected = f"Patient/{patient_id}"
    is_own = own_reference(resource) == expected if kind == "Patient" else is_about(resource, expected) is True
    if is_own:
        return None
    subject = an_object(resource.get("subject")) or an_object(resource.get("patient"))
    named = own_reference(resource) if kind == "Patient" else referenced(subject)
    fault = IdentityFault.OTHER_PATIENT if "/" in named else IdentityFault.NO_SUBJECT
    evidence = Evidence(own_reference(resource), kind)
    return IdentityProblem(fault, evidence, plain_reference(named), expected)


def _problem_beside_the_lists(resource: JsonObject, kind: str, patient_id: str) -> IdentityProblem | None:
    """A resource of no list, such as a Task or an Appointment: set aside only where it names another patient."""
    expected = f"Patient/{patient_id}"
    stated = [resource[name] for name in ("subject", "patient", "for") if resource.get(name)]
    stated += [participant.get("actor") for participant in objects(resource.get("participant"))]
    named = [name for item in stated if (name := referenced(item)).startswith("Patient/")]
    if kind == "Medication" or not named or expected in named:
        return None
    return IdentityProblem(IdentityFault.OTHER_PATIENT, Evidence(own_reference(resource), kind), named[0], expected)
