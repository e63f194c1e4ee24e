"""Asking for what did not come: what is asked, in parallel and in time, and what becomes of every answer."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest
import responses
from builders import PATIENT_ID, bundle
from ehr_answers import (
    ABOUT,
    BASE,
    BESIDE,
    EVERYTHING,
    PATIENT,
    TOKEN,
    TYPES,
    Json,
    answers,
    ask,
    asked,
    condition,
    conditions,
    link,
    page,
    serves_every_list,
)
from loopback_servers import http_answer, raw_server

from cds_service.domain.codes import Code, CodeBook
from cds_service.domain.facts import Hindrance, ListState, Source
from cds_service.fhir import Ask, ChartFetcher, Deadline, FhirAccess, FhirClient, Record, read_chart, read_scopes
from cds_service.fhir.fetching import MOST_READS, TRACES
from cds_service.fhir.prefetch import own_queries, prefetch_templates
from cds_service.presentation import Catalogue

# --- what is asked


def test_every_list_that_did_not_come_is_asked_for_once(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    serves_every_list(ehr)
    record = fetcher.with_everything(Record.sent(None), "", ask())
    assert asked(ehr) == sorted([f"Patient/{PATIENT_ID}", *TYPES.values(), "Observation", *BESIDE])
    chart = read_chart(record.prefetch, PATIENT_ID, record.fetched, record.beside)
    assert {state.state for state in chart.sources.values()} == {ListState.COMPLETE}
    assert {state.hindrance for state in chart.sources.values()} == {None}


def test_a_search_uses_only_what_every_large_ehr_has(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    serves_every_list(ehr)
    fetcher.with_everything(Record.sent(None), "", ask())
    for call in ehr.calls:
        query = parse_qs(urlsplit(str(call.request.url)).query)
        assert set(query) <= {"patient", "code", "category", "_count"}
        assert query.get("patient", [PATIENT_ID]) == [PATIENT_ID]


def test_observations_are_asked_for_by_the_codes_discovery_names(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, catalogue: Catalogue
) -> None:
    serves_every_list(ehr)
    fetcher.with_lists(Record.sent(None), {Source.MEASUREMENTS}, ask())
    published = prefetch_templates(catalogue.codes)["observations"].partition("?")[2]
    wanted = parse_qs(published.replace("{{context.patientId}}", PATIENT_ID))
    assert wanted in [parse_qs(urlsplit(str(call.request.url)).query) for call in ehr.calls]


def test_laboratory_results_are_looked_through_for_a_titre_without_a_code_until_the_site_maps_one(
    catalogue: Catalogue,
) -> None:
    def asks_for_all(codes: CodeBook) -> bool:
        return any("category=laboratory" in query for query in own_queries(codes)["observations"])

    mapped = Code("https://hospital.example.org/codes", "AAV9AB", "Anti-AAV9 titre", "site")
    with_site_code = {**catalogue.codes.concepts, "anti_aav9": (*catalogue.codes.concepts["anti_aav9"], mapped)}
    assert asks_for_all(catalogue.codes)
    assert not asks_for_all(CodeBook.of(with_site_code, catalogue.codes.addresses))


@pytest.mark.spec("R-082")
@pytest.mark.parametrize("sent", [None, bundle([]), bundle([condition()]), {"resourceType": "Bundle", "total": 0}])
def test_a_list_that_came_is_not_asked_for(fetcher: ChartFetcher, ehr: responses.RequestsMock, sent: Any) -> None:
    conditions(fetcher, ask(), {"conditions": sent})
    assert not ehr.calls


FAULTY = {
    "an error in its place": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]},
    "a web page": "<html><body>Proxy error</body></html>",
    "another list": bundle([{"resourceType": "Procedure", "id": "p1", "subject": ABOUT}]),
    "a part that says there is more": {**bundle([condition(2)]), "total": 5},
    "a wrapped resource": {"resource": condition(2)},
}


@pytest.mark.spec("R-081")
@pytest.mark.spec("R-083")
@pytest.mark.spec("R-088")
@pytest.mark.parametrize("what", FAULTY)
def test_a_list_that_came_faulty_is_asked_for_and_then_whole(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, what: str
) -> None:
    answers(ehr, "Condition", bundle([condition(1), condition(2)]))
    assert conditions(fetcher, ask(), {"conditions": FAULTY[what]}) == (ListState.COMPLETE, None, 2)


def test_what_came_under_the_wrong_name_is_kept_beside_the_fetched_list(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Condition", bundle([condition()]))
    record = fetcher.with_lists(
        Record.sent({"conditions": FAULTY["another list"]}), {Source.DIAGNOSES, Source.PROCEDURES}, ask()
    )
    chart = read_chart(record.prefetch, PATIENT_ID, record.fetched)
    assert len(chart.of_type("Procedure")) == len(chart.of_type("Condition")) == 1


def test_the_patient_of_somebody_else_is_asked_for(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, f"Patient/{PATIENT_ID}", PATIENT)
    record = fetcher.with_lists(
        Record.sent({"patient": {"resourceType": "Patient", "id": "another"}}), {Source.PATIENT}, ask()
    )
    chart = read_chart(record.prefetch, PATIENT_ID, record.fetched)
    assert [patient["id"] for patient in chart.of_type("Patient")] == [PATIENT_ID]
    assert len(chart.identity_problems) == 1


def test_a_patient_whom_the_ehr_calls_unknown_is_not_asked_for(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    fetcher.with_lists(Record.sent({"patient": None}), {Source.PATIENT}, ask())
    assert not ehr.calls


def test_a_list_is_asked_for_once_on_a_call_whatever_became_of_it(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Procedure", bundle([]), status=403)
    record = fetcher.with_lists(Record.sent(None), {Source.PROCEDURES}, ask())
    fetcher.with_lists(record, {Source.PROCEDURES}, ask())
    assert len(ehr.calls) == 1


def test_an_id_with_odd_characters_stays_inside_the_question(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    ehr.get(f"{BASE}/Condition", body=msgspec.json.encode(bundle([])))
    odd = Ask("a&_include=*#/..", Deadline.after(5), FhirAccess(BASE, TOKEN, read_scopes(EVERYTHING)))
    fetcher.with_lists(Record.sent(None), {Source.DIAGNOSES}, odd)
    assert parse_qs(urlsplit(str(ehr.calls[0].request.url)).query)["patient"] == ["a&_include=*#/.."]


def test_a_server_without_page_sizes_is_asked_again_without(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", {}, status=400)
    answers(ehr, "Condition", bundle([condition()]))
    assert conditions(fetcher, ask()) == (ListState.COMPLETE, None, 1)
    assert ["_count" in str(call.request.url) for call in ehr.calls] == [True, False]


# --- what the token covers


@pytest.mark.spec("R-093")
def test_what_the_token_does_not_cover_is_not_asked_for(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", bundle([condition()]))
    record = fetcher.with_everything(Record.sent(None), "visit", ask(scope="user/Condition.rs"))
    assert asked(ehr) == ["Condition"]
    states = read_chart(record.prefetch, PATIENT_ID, record.fetched).sources
    assert {s for s, state in states.items() if state.hindrance is Hindrance.OUT_OF_SCOPE} == set(Source) - {
        Source.DIAGNOSES
    }


def test_a_token_that_may_only_read_by_id_searches_nothing(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    assert conditions(fetcher, ask(scope="user/Condition.r")) == (ListState.NOT_ATTEMPTED, Hindrance.OUT_OF_SCOPE, 0)
    assert not ehr.calls


def test_a_token_for_part_of_a_list_proves_presence_and_no_absence(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Condition", bundle([condition()]))
    found = conditions(fetcher, ask(scope="user/Condition.rs?category=problem-list-item"))
    assert found == (ListState.INCOMPLETE, Hindrance.PARTLY_IN_SCOPE, 1)


def test_access_that_cannot_be_used_is_told_of_every_missing_list(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    unusable = Ask(PATIENT_ID, Deadline.after(5), Hindrance.SERVER_NOT_LISTED)
    assert conditions(fetcher, unusable) == (ListState.NOT_ATTEMPTED, Hindrance.SERVER_NOT_LISTED, 0)
    assert conditions(fetcher, unusable, {"conditions": bundle([])}) == (ListState.COMPLETE, None, 0)


def test_without_access_nothing_is_asked_and_nothing_else_told(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    assert conditions(fetcher, Ask(PATIENT_ID, Deadline.after(5))) == (ListState.NOT_ATTEMPTED, None, 0)
    assert not ehr.calls


# --- what the EHR answers


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
ANSWERS: dict[str, tuple[Any, int, ListState, Hindrance | None, int]] = {
    "a list": (bundle([condition()]), 200, ListState.COMPLETE, None, 1),
    "none found": (bundle([]), 200, ListState.COMPLETE, None, 0),
    "none found, with a warning": (
        {**bundle([]), "total": 0, "entry": [{"resource": {**OUTCOME, "issue": [{"severity": "warning"}]}, "search": {"mode": "outcome"}}]},
        200, ListState.COMPLETE, None, 0,
    ),
    "an error in a 200": (OUTCOME, 200, ListState.NOT_ATTEMPTED, Hindrance.SERVER_FAULT, 0),
    "an error among the entries": (
        page([condition()]) | {"entry": [{"resource": condition()}, {"resource": OUTCOME, "search": {"mode": "outcome"}}]},
        200, ListState.NOT_ATTEMPTED, Hindrance.SERVER_FAULT, 1,
    ),
    "a single resource": (condition(), 200, ListState.NOT_ATTEMPTED, Hindrance.UNREADABLE, 0),
    "other resources": (bundle([{"resourceType": "Procedure", "id": "p", "subject": ABOUT}]), 200, ListState.NOT_ATTEMPTED, Hindrance.UNREADABLE, 0),
    "more than it sends": (page([condition()], total=9), 200, ListState.INCOMPLETE, None, 1),
    "refusal": ({}, 403, ListState.NOT_ATTEMPTED, Hindrance.REFUSED, 0),
    "no such list": ({}, 404, ListState.NOT_ATTEMPTED, Hindrance.NOT_OFFERED, 0),
    "a fault": ({}, 500, ListState.NOT_ATTEMPTED, Hindrance.SERVER_FAULT, 0),
    "another place": ({}, 302, ListState.NOT_ATTEMPTED, Hindrance.ELSEWHERE, 0),
}  # fmt: skip


@pytest.mark.parametrize("what", ANSWERS)
def test_every_answer_ends_in_a_state_of_that_list(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, what: str
) -> None:
    body, status, *expected = ANSWERS[what]
    answers(ehr, "Condition", body, status=status)
    assert conditions(fetcher, ask()) == tuple(expected)


def test_one_list_in_trouble_leaves_the_others_alone(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", bundle([condition()]), status=500)
    serves_every_list(ehr)
    record = fetcher.with_everything(Record.sent(None), "", ask())
    states = read_chart(record.prefetch, PATIENT_ID, record.fetched).sources
    hindered = {source: state.hindrance for source, state in states.items() if state.hindrance}
    assert hindered == {Source.DIAGNOSES: Hindrance.SERVER_FAULT}


def test_what_the_ehr_sent_in_part_stays_where_asking_fails(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", {}, status=500)
    sent = {"conditions": page([condition()], total=9)}
    assert conditions(fetcher, ask(), sent) == (ListState.INCOMPLETE, Hindrance.SERVER_FAULT, 1)


# --- pages


@pytest.mark.hazard("H25")
@pytest.mark.spec("R-085")
def test_a_search_is_followed_to_its_last_page(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", page([condition(1)], total=3, link=link(f"{BASE}/Condition?page=2")))
    answers(ehr, "Condition", page([condition(2)], total=3, link=link("Condition?page=3")))
    answers(ehr, "Condition", page([condition(3)], total=3))
    assert conditions(fetcher, ask()) == (ListState.COMPLETE, None, 3)


@pytest.mark.spec("R-085")
def test_a_prefetched_first_page_is_followed(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", page([condition(2)], total=2))
    sent = {"myProblems": page([condition(1)], total=2, link=link(f"{BASE}/Condition?pageContext=opaque"))}
    assert conditions(fetcher, ask(), sent) == (ListState.COMPLETE, None, 2)
    assert "pageContext=opaque" in str(ehr.calls[0].request.url)


ELSEWHERE = [
    "https://evil.example.org/fhir/r4/Condition?page=2",
    "http://ehr.example.org/fhir/r4/Condition?page=2",
    "https://ehr.example.org:8443/fhir/r4/Condition?page=2",
    "https://ehr.example.org@evil.example.org/fhir/r4/Condition",
    "https://ehr.example.org/fhir/r4/../../admin",
    "https://ehr.example.org/fhir/r42/Condition",
    "https://ehr.example.org/other",
    "//evil.example.org/fhir/r4/Condition",
    "file:///etc/passwd",
    "https://ehr.example.org\\@evil.example.org/fhir/r4/Condition",
    "https://[ehr.example.org/fhir/r4/Condition",
    "https://ehr.example.org/fhir/r4/%2e%2e/%2e%2e/admin",
    "https://ehr.example.org/fhir/r4/..;/..;/admin",
    "https://ehr.example.org/fhir/r4/..%5c..%5cadmin",
    "https://ehr.example.org?page=2",
    "https://somebody:secret@ehr.example.org/fhir/r4/Condition?page=2",
    "https://ehr.example.org/fhir/r4/Condition\\page",
    "https://ehr.example.org/fhir/r4/Condition page",
]


@pytest.mark.spec("R-097")
@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_next_page_elsewhere_is_not_asked_for_and_the_list_stays_in_part(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, address: str
) -> None:
    answers(ehr, "Condition", page([condition()], link=link(address)))
    assert conditions(fetcher, ask()) == (ListState.INCOMPLETE, Hindrance.ELSEWHERE, 1)
    assert len(ehr.calls) == 1
    sent = {"conditions": page([condition()], link=link(address))}
    assert conditions(fetcher, ask(), sent) == (ListState.INCOMPLETE, Hindrance.ELSEWHERE, 1)
    assert len(ehr.calls) == 1


@pytest.mark.spec("R-097")
@pytest.mark.parametrize("address", [f"{BASE}?_getpages=7f2", f"{BASE}/?_getpages=7f2", "?_getpages=7f2"])
def test_a_next_page_at_the_base_itself_is_followed(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, address: str
) -> None:
    answers(ehr, "Condition", page([condition(1)], total=2, link=link(address)))
    for place in (BASE, f"{BASE}/", f"{BASE}/Condition"):
        ehr.get(place, body=msgspec.json.encode(page([condition(2)], total=2)))
    assert conditions(fetcher, ask()) == (ListState.COMPLETE, None, 2)


def test_a_next_page_at_a_base_without_a_path_is_followed(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    root = "https://fhir.example.org"
    first = page([condition(1)], total=2, link=link(f"{root}?_getpages=7f2"))
    ehr.get(f"{root}/Condition", body=msgspec.json.encode(first))
    ehr.get(f"{root}/", body=msgspec.json.encode(page([condition(2)], total=2)))
    assert conditions(fetcher, ask(root)) == (ListState.COMPLETE, None, 2)


def test_a_chain_of_pages_that_bites_its_tail_ends(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", page([condition()], link=link(f"{BASE}/Condition?page=2")))
    assert conditions(fetcher, ask()) == (ListState.INCOMPLETE, Hindrance.ELSEWHERE, 1)
    assert len(ehr.calls) == 2


def test_a_list_that_weighs_too_much_over_its_pages_ends_in_part(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    for number in range(4):
        heavy = {**condition(number), "note": [{"text": "x" * 40_000}]}
        answers(ehr, "Condition", page([heavy], link=link(f"{BASE}/Condition?page={number}")))
    assert conditions(fetcher, ask()) == (ListState.INCOMPLETE, Hindrance.TOO_LARGE, 2)


def test_pages_without_end_are_read_until_the_time_is_up(fetcher: ChartFetcher) -> None:
    numbers = iter(range(10**9))

    def next_page(to: Any, _: bytes) -> None:
        number = next(numbers)
        to.sendall(http_answer(msgspec.json.encode(page([condition(number)], link=link(f"Condition?page={number}")))))

    with raw_server(next_page) as address:
        state, hindrance, found = conditions(fetcher, ask(address, seconds=0.5))
    assert (state, hindrance) in {
        (ListState.INCOMPLETE, Hindrance.TOO_LATE),
        (ListState.INCOMPLETE, Hindrance.TOO_LARGE),
    }
    assert found > 1


# --- time


def test_lists_are_asked_for_side_by_side(fetcher: ChartFetcher) -> None:
    """The server answers nobody before all have asked: nine lists, Observations in two ways."""
    together = threading.Barrier(10, timeout=5)

    def wait_for_all(to: Any, head: bytes) -> None:
        together.wait()
        path = head.split()[1].decode().lstrip("/")
        body = PATIENT if path.startswith("Patient") else bundle([])
        to.sendall(http_answer(msgspec.json.encode(body)))

    scopes = " ".join(f"user/{kind}.read" for kind in ("Patient", *TYPES.values()))
    with raw_server(wait_for_all) as address:
        record = fetcher.with_everything(Record.sent(None), "", ask(address, scopes))
    states = read_chart(record.prefetch, PATIENT_ID, record.fetched).sources.values()
    assert {(state.state, state.hindrance) for state in states} == {(ListState.COMPLETE, None)}


@pytest.mark.hazard("H49")
def test_a_list_that_hangs_is_too_late_and_the_others_are_there(fetcher: ChartFetcher) -> None:
    is_over = threading.Event()

    def answer(to: Any, head: bytes) -> None:
        if b"/Observation?" in head:
            is_over.wait(20)
        body = PATIENT if b"/Patient/" in head else bundle([])
        to.sendall(http_answer(msgspec.json.encode(body)))

    with raw_server(answer) as address:
        record = fetcher.with_everything(Record.sent(None), "", ask(address, seconds=1))
        is_over.set()
    states = read_chart(record.prefetch, PATIENT_ID, record.fetched).sources
    late = {source: state.hindrance for source, state in states.items() if state.hindrance}
    assert late == {Source.MEASUREMENTS: Hindrance.TOO_LATE}


def test_a_query_that_was_given_up_frees_its_thread(catalogue: Catalogue) -> None:
    """The server goes on sending one byte after the other, which no time-out of a socket ends."""
    fetcher = ChartFetcher.of(FhirClient.pooled(100_000), own_queries(catalogue.codes))

    def drip(to: Any, _: bytes) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\nX-Slow:")
        while True:
            to.sendall(b" ")
            is_over.wait(0.01)

    is_over = threading.Event()
    with raw_server(drip) as address:
        assert conditions(fetcher, ask(address, seconds=0.3))[1] is Hindrance.TOO_LATE
        ending = threading.Thread(target=fetcher.threads.shutdown, daemon=True)
        ending.start()
        ending.join(5)
        assert not ending.is_alive()
    fetcher.client.session.close()


def test_a_fault_of_our_own_in_a_query_costs_its_own_list_alone(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(FhirClient, "get", fails)
    assert conditions(fetcher, ask()) == (ListState.NOT_ATTEMPTED, Hindrance.UNREADABLE, 0)


def test_a_deadline_that_has_passed_asks_nothing(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    serves_every_list(ehr)
    assert conditions(fetcher, ask(seconds=-1)) == (ListState.NOT_ATTEMPTED, Hindrance.TOO_LATE, 0)


# --- single resources


def test_referenced_resources_are_read_each_once(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Medication/m1", {"resourceType": "Medication", "id": "m1"})
    record = fetcher.with_resources(Record.sent(None), ["Medication/m1", "Medication/m1"], ask())
    assert [resource["id"] for resource in record.beside] == ["m1"]
    assert len(ehr.calls) == 1


@pytest.mark.parametrize(
    ("references", "reads"), [(MOST_READS - 1, MOST_READS - 1), (MOST_READS, MOST_READS), (MOST_READS + 1, MOST_READS)]
)
def test_a_record_with_very_many_references_does_not_become_as_many_questions(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, references: int, reads: int
) -> None:
    wanted = [f"Medication/m{number}" for number in range(references)]
    for name in wanted:
        answers(ehr, name, {"resourceType": "Medication", "id": name.rpartition("/")[2]})
    assert len(fetcher.with_resources(Record.sent(None), wanted, ask()).beside) == reads


def test_a_medication_that_could_not_be_read_is_not_asked_for_again(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Medication/m1", {}, status=403)
    record = fetcher.with_resources(Record.sent(None), ["Medication/m1"], ask())
    record = fetcher.with_resources(record, ["Medication/m1"], ask())
    assert len(ehr.calls) == 1
    assert record.unread == {"Medication/m1"}


def test_the_number_of_reads_is_limited_for_the_whole_call(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    record = Record.sent(None)
    for wave in range(2):
        wanted = [f"Medication/m{wave}-{number}" for number in range(MOST_READS - 1)]
        for name in wanted:
            answers(ehr, name, {"resourceType": "Medication", "id": name.rpartition("/")[2]})
        record = fetcher.with_resources(record, wanted, ask())
    assert len(record.beside) == len(ehr.calls) == MOST_READS
    assert len(record.unread) == MOST_READS - 2


def test_medications_that_the_access_does_not_cover_count_as_unread(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    assert fetcher.with_resources(Record.sent(None), ["Medication/m1"], ask(scope="user/Patient.read")).unread
    expired = Ask(PATIENT_ID, Deadline.after(5), Hindrance.ACCESS_EXPIRED)
    assert fetcher.with_resources(Record.sent(None), ["Medication/m1"], expired).unread
    assert not fetcher.with_resources(Record.sent(None), ["Medication/m1"], Ask(PATIENT_ID, Deadline.after(5))).unread
    assert not ehr.calls


@pytest.mark.parametrize(
    "reference",
    ["Medication/..", "Medication/.", "Medication/", "Medication/../Patient/other", "Medication/m1/../../../admin"],
)
def test_a_reference_that_leads_to_another_address_is_not_read(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, reference: str
) -> None:
    assert fetcher.with_resources(Record.sent(None), [reference], ask()).beside == ()
    assert not ehr.calls


def test_a_resource_that_cannot_be_read_is_left_out(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Medication/m1", OUTCOME)
    answers(ehr, "Medication/m2", bundle([]))
    answers(ehr, "Medication/m3", {"resourceType": "MedicationRequest", "id": "m3", "subject": ABOUT})
    answers(ehr, "Medication/m4", {"id": "m4"})
    wanted = [f"Medication/m{number}" for number in (1, 2, 3, 4)]
    assert fetcher.with_resources(Record.sent(None), wanted, ask()).beside == ()


def test_the_visit_and_the_booked_appointments_come_beside_the_lists(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    serves_every_list(ehr)
    answers(ehr, "Encounter/visit-1", {"resourceType": "Encounter", "id": "visit-1", "subject": ABOUT})
    record = fetcher.with_everything(Record.sent(None), "visit-1", ask())
    assert [resource["resourceType"] for resource in record.beside] == ["Encounter"]


@pytest.mark.parametrize("visit", ["../Patient/other", "v/../../../admin", "..", "/"])
def test_a_visit_whose_id_leads_to_another_address_is_not_read(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, visit: str
) -> None:
    serves_every_list(ehr)
    fetcher.with_everything(Record.sent(None), visit, ask())
    assert set(asked(ehr)) == {f"Patient/{PATIENT_ID}", *TYPES.values(), *BESIDE}


@pytest.mark.parametrize("entry", [{}, {"resource": {}}, {"resource": {"id": "1"}}, {"resource": None}])
def test_an_entry_beside_the_lists_that_is_no_resource_spoils_nothing(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, entry: Json
) -> None:
    answers(ehr, "Appointment", {"resourceType": "Bundle", "entry": [entry]})
    record = fetcher.with_everything(Record.sent(None), "", ask(scope="user/Appointment.read"))
    assert record.beside == ()
    assert read_chart(record.prefetch, PATIENT_ID, record.fetched, record.beside).by_type == {}


def test_a_visit_that_was_sent_is_not_read_again(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    serves_every_list(ehr)
    sent = {"visit": {"resourceType": "Encounter", "id": "visit-1", "subject": ABOUT}}
    fetcher.with_everything(Record.sent(sent), "visit-1", ask())
    assert "Encounter/visit-1" not in asked(ehr)


@pytest.mark.parametrize("kind", BESIDE)
def test_what_was_sent_beside_the_lists_is_not_asked_for(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, kind: str
) -> None:
    serves_every_list(ehr)
    fetcher.with_everything(Record.sent({"mine": bundle([{"resourceType": kind, "id": "b1"}])}), "", ask())
    assert set(asked(ehr)) & set(BESIDE) == set(BESIDE) - {kind}


def test_the_lists_that_can_name_the_product_are_these_four() -> None:
    assert {TYPES[source] for source in TRACES} == {
        "MedicationRequest", "MedicationAdministration", "Procedure", "Immunization",
    }  # fmt: skip


def test_a_token_stands_in_no_text_made_of_the_access() -> None:
    assert TOKEN not in f"{ask()!r} {ask().access} {unquote(repr(ask()))}"
