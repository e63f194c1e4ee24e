"""What a prefetch value is: resources, none, not attempted, failed, incomplete or unusable (C13, R-080 to R-089).

Values are read by the type of what they hold, whatever their key is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
from cds_service.fhir.json_shapes import JsonObject, an_object, code_text, objects, text, values, whole_number
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
# Of one resource; more would show nothing that two do not show.
_ENOUGH_TO_CONTRADICT = 2
_SOURCE_OF_KEY = {source.value: source for source in Source}
_SEARCH = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)(?:/_search)?(?:\?|$)")
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


@dataclass(slots=True)
class _Delivery:
    """What one prefetch value brought."""

    state: ListState
    resources: list[JsonObject]
    received: int = 0
    total: int | None = None
    odd_entries: int = 0
    asked_for: str = ""
    listed: frozenset[str] = frozenset()
    next_page: str = ""


def read_chart(
    prefetch: Mapping[str, object] | None,
    patient_id: str,
    fetched: Mapping[Source, FetchedList] | None = None,
    beside: Iterable[JsonObject] = (),
) -> Chart:
    """All resources that came about this patient, and the state of each of the nine lists.

    `fetched` are the lists we asked the EHR for ourselves; `beside` are resources of no list.
    """
    deliveries = {key: _delivery(value) for key, value in (prefetch or {}).items()}
    own = {source: _own_answers(source, answers) for source, answers in (fetched or {}).items()}
    delivered = [delivery for _, delivery in _by_key(deliveries, own)]
    every = _distinct([resource for d in delivered for resource in d.resources] + list(beside))
    kept: dict[str, list[JsonObject]] = {}
    problems = []
    for resource in every:
        problem = identity_problem(resource, patient_id)
        if problem is None:
            kept.setdefault(text(resource["resourceType"]), []).append(resource)
        else:
            problems.append(problem)
    sources = {source: _merged(found) for source, found in _spoken_for(deliveries).items()}
    sources |= {s: _with_own_query(sources[s], answers, own[s]) for s, answers in (fetched or {}).items()}
    if kept.get("Patient"):
        sources[Source.PATIENT] = SourceState(ListState.COMPLETE, 1)
    return Chart(
        by_type={kind: tuple(found) for kind, found in kept.items()},
        sources=sources,
        identity_problems=tuple(problems),
        unreadable=tuple(entry for key, d in _by_key(deliveries, own) for entry in _unread(key, d)),
    )


def lists_sent(prefetch: Mapping[str, object]) -> tuple[Source, ...]:
    """The lists that came with a call, whole or in part."""
    found = _spoken_for({key: _delivery(value) for key, value in prefetch.items()})
    came = (ListState.COMPLETE, ListState.INCOMPLETE)
    return tuple(source for source, values in found.items() if any(delivery.state in came for delivery in values))


def missing_lists(prefetch: Mapping[str, object], patient_id: str) -> dict[Source, tuple[str, ...]]:
    """The lists that did not come whole: for each the addresses of its further pages, or () to ask for all of it.

    A list the EHR calls empty is not missing (R-082, R-084); one that failed may be asked for once (ruling 7).
    """
    missing: dict[Source, tuple[str, ...]] = {}
    for source, found in _spoken_for({key: _delivery(value) for key, value in prefetch.items()}).items():
        partial = [d for d in found if d.state is ListState.INCOMPLETE]
        is_lost = _merged(found).state not in (ListState.COMPLETE, ListState.INCOMPLETE)
        if is_lost or (source is Source.PATIENT and _is_of_somebody_else(found, patient_id)):
            missing[source] = ()
        elif partial:
            pages = tuple(d.next_page for d in partial)
            missing[source] = pages if all(pages) else ()
    return missing


def _is_of_somebody_else(found: list[_Delivery], patient_id: str) -> bool:
    """Whether Patients came, and none of them is the call's."""
    names = {own_reference(resource) for d in found for resource in d.resources if "Patient" in d.listed}
    return bool(names) and f"Patient/{patient_id}" not in names


def _spoken_for(deliveries: Mapping[str, _Delivery]) -> dict[Source, list[_Delivery]]:
    """The values that say something about each list, as it sees them."""
    speaking: dict[Source, list[_Delivery]] = {source: [] for source in Source}
    for key, delivery in deliveries.items():
        for source in _sources_spoken_for(key, delivery):
            speaking[source].append(_as_seen_by(source, key, delivery))
    return speaking


def _by_key(
    deliveries: Mapping[str, _Delivery], own: Mapping[Source, list[list[_Delivery]]]
) -> Iterable[tuple[str, _Delivery]]:
    """Everything delivered with the key it came under; our own queries under the key they stand for."""
    yield from deliveries.items()
    yield from ((source.value, page) for source, answers in own.items() for pages in answers for page in pages)


def _own_answers(source: Source, fetched: FetchedList) -> list[list[_Delivery]]:
    return [[_as_seen_by(source, source.value, _delivery(page)) for page in pages] for pages in fetched.answers]


def _with_own_query(sent: SourceState, fetched: FetchedList, answers: list[list[_Delivery]]) -> SourceState:
    """What is known of a list once we have asked for it, or for the rest of it, ourselves.

    A search that brought nothing usable leaves what the EHR sent; one that broke off makes the list incomplete.
    """
    pages = [page for answer in answers for page in answer]
    usable = [page for page in pages if page.state in (ListState.COMPLETE, ListState.INCOMPLETE)]
    hindrance = fetched.hindrance
    if len(usable) < len(pages):
        hindrance = hindrance or (Hindrance.SERVER_FAULT if _has_failed(pages) else Hindrance.UNREADABLE)
    if not usable:
        return replace(sent, hindrance=hindrance)
    received = sum(page.received for page in usable) + (sent.received if fetched.continues else 0)
    total = sent.total if fetched.continues else _total_of(answers)
    came_whole = _is_all(received, total) if fetched.continues else all(map(_came_whole, answers))
    is_whole = came_whole and hindrance is None and not any("Bundle" in page.listed for page in usable)
    return SourceState(ListState.COMPLETE if is_whole else ListState.INCOMPLETE, received, total, hindrance)


def _total_of(answers: list[list[_Delivery]]) -> int | None:
    """How many entries the searches count together; None where one of them does not count."""
    totals = [answer[0].total for answer in answers if answer]
    known = [total for total in totals if total is not None]
    return sum(known) if len(known) == len(answers) else None


def _came_whole(answer: list[_Delivery]) -> bool:
    """Whether the pages of one search hold as many entries as its first page counts."""
    return bool(answer) and _is_all(sum(page.received for page in answer), answer[0].total)


def _is_all(received: int, total: int | None) -> bool:
    return total is None or total <= received


def _has_failed(pages: list[_Delivery]) -> bool:
    return any(page.state is ListState.FAILED for page in pages)


def _delivery(value: object) -> _Delivery:
    if value is None:
        return _Delivery(ListState.COMPLETE, [])
    resource = an_object(value)
    kind = text(resource.get("resourceType"))
    if kind == "OperationOutcome":
        return _Delivery(ListState.FAILED, [])
    if kind == "Bundle":
        return _bundle(resource)
    if not kind:
        return _Delivery(ListState.UNUSABLE, [])
    # Of the lists, one entry in place of a search shows what there is, and not that there is nothing else.
    is_whole = kind == "Patient"
    state = ListState.COMPLETE if is_whole else ListState.INCOMPLETE
    return _Delivery(state, [resource], 1, listed=frozenset({kind} if is_whole else ()))


def _bundle(bundle: JsonObject) -> _Delivery:
    """A search result or collection; an outcome entry of severity error means that the search failed."""
    found: list[JsonObject] = []
    included: list[JsonObject] = []
    odd, failed = 0, False
    for entry in values(bundle.get("entry")):
        resource = an_object(an_object(entry).get("resource"))
        kind = text(resource.get("resourceType"))
        mode = code_text(an_object(an_object(entry).get("search")).get("mode"))
        if kind == "OperationOutcome" or mode == "outcome":
            failed = failed or _is_error(resource)
        elif not kind:
            odd += 1
        else:
            (included if mode == "include" else found).append(resource)
    total = whole_number(bundle.get("total"))
    following = _following(bundle)
    listed = frozenset(text(resource.get("resourceType")) for resource in found)
    state = ListState.COMPLETE
    # A Bundle within a Bundle is a part that is not read.
    if following or not _is_all(len(found), total) or "Bundle" in listed:
        state = ListState.INCOMPLETE
    state = ListState.FAILED if failed else state
    next_page = following[0] if following else ""
    return _Delivery(state, found + included, len(found), total, odd, _asked_for(bundle), listed, next_page)


def next_page_of(bundle: JsonObject) -> str | None:
    """The address of the page that follows a search result, None for the last one; "" where it gives none."""
    return next(iter(_following(bundle)), None)


def _following(bundle: JsonObject) -> list[str]:
    """The addresses a search result gives for its next page: one, or none."""
    links = objects(bundle.get("link"))
    return [text(link.get("url")) for link in links if code_text(link.get("relation")) == "next"]


def _asked_for(bundle: JsonObject) -> str:
    """The resource type a search was for, by its own address; so an empty list says what it is a list of."""
    own = (text(link.get("url")) for link in objects(bundle.get("link")) if code_text(link.get("relation")) == "self")
    return next((match[1] for url in own if (match := _SEARCH.search(url))), "")


def _is_error(outcome: JsonObject) -> bool:
    """Whether an outcome says anything worse than a warning, or does not say how bad it is."""
    issues = objects(outcome.get("issue"))
    return not issues or any(code_text(issue.get("severity")) not in ("information", "warning") for issue in issues)


def _sources_spoken_for(key: str, delivery: _Delivery) -> set[Source]:
    """The lists a value says something about: the one its key names, and those whose entries it lists.

    A single resource, or one that a search included beside its matches, adds content and is no list.
    """
    kinds = delivery.listed or {delivery.asked_for}
    held = {SOURCE_OF_TYPE[kind] for kind in kinds if kind in SOURCE_OF_TYPE}
    named = _SOURCE_OF_KEY.get(key)
    return held | {named} if named else held


def _as_seen_by(source: Source, key: str, delivery: _Delivery) -> _Delivery:
    """A value whose key promises one list and that holds only others is unusable for the promised one."""
    types = _types(delivery)
    holds_it = any(SOURCE_OF_TYPE.get(kind) is source for kind in types)
    if types and not holds_it and _SOURCE_OF_KEY.get(key) is source:
        return _Delivery(ListState.UNUSABLE, [])
    return delivery


def _types(delivery: _Delivery) -> set[str]:
    return {text(resource.get("resourceType")) for resource in delivery.resources}


def _merged(deliveries: list[_Delivery]) -> SourceState:
    """The worst of all that was said about one list."""
    if not deliveries:
        return SourceState(ListState.NOT_ATTEMPTED)
    worst = min(deliveries, key=lambda delivery: _WORST_FIRST.index(delivery.state))
    totals = [delivery.total for delivery in deliveries if delivery.total is not None]
    return SourceState(worst.state, sum(d.received for d in deliveries), sum(totals) if totals else None)


def _distinct(resources: list[JsonObject]) -> list[JsonObject]:
    """Each resource once; of two versions the later one, and both where nothing tells which is later."""
    newest: dict[str, list[JsonObject]] = {}
    nameless = []
    for resource in resources:
        name = own_reference(resource)
        known = newest.get(name)
        if "/" not in name:
            nameless.append(resource)
        elif known is None or _version(resource) > _version(known[0]):
            newest[name] = [resource]
        elif _version(resource) == _version(known[0]) and len(known) < _ENOUGH_TO_CONTRADICT and resource not in known:
            known.append(resource)
    return [*(resource for versions in newest.values() for resource in versions), *nameless]


def _version(resource: JsonObject) -> tuple[str, int, str, int]:
    """What tells two versions apart: change, version number, release, and whether it corrects or takes back."""
    meta = an_object(resource.get("meta"))
    changed, released = sortable(meta.get("lastUpdated")), sortable(resource.get("issued"))
    corrects = code_text(resource.get("status")) in ("amended", "corrected")
    return changed, whole_number(meta.get("versionId")) or 0, released, 2 * is_removed(resource) + corrects


def _unread(key: str, delivery: _Delivery) -> list[UnreadableEntry]:
    """What of a value could not be read: some of its entries, or all of it where it speaks for no list we know."""
    unread = [_odd_entries(key, delivery)] if delivery.odd_entries else []
    is_lost = delivery.state in (ListState.FAILED, ListState.UNUSABLE)
    if is_lost and not _sources_spoken_for(key, delivery):
        unread.append(UnreadableEntry(Evidence(key, key), f"list-{delivery.state.value}"))
    return unread


def _odd_entries(key: str, delivery: _Delivery) -> UnreadableEntry:
    spoken_for = _sources_spoken_for(key, delivery)
    source = next(iter(spoken_for)) if len(spoken_for) == 1 else _SOURCE_OF_KEY.get(key)
    return UnreadableEntry(Evidence(key, key), f"entries-without-resource: {delivery.odd_entries}", source)


def identity_problem(resource: JsonObject, patient_id: str) -> IdentityProblem | None:
    """Why a resource may be about somebody else, or None; resources that are about nobody are nobody's."""
    kind = text(resource.get("resourceType"))
    if kind not in SOURCE_OF_TYPE:
        return _problem_beside_the_lists(resource, kind, patient_id)
    expected = f"Patient/{patient_id}"
    if kind == "Patient":
        named, is_own = own_reference(resource), own_reference(resource) == expected
    else:
        subject = an_object(resource.get("subject")) or an_object(resource.get("patient"))
        named, is_own = referenced(subject), is_about(resource, expected) is True
    if is_own:
        return None
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
