"""When a list that we asked for is whole: only what surely is all of it may prove that something is absent (C13)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import responses
from builders import PATIENT_ID, bundle
from ehr_answers import ABOUT, BASE, Json, answers, ask, condition, conditions, link, page

from cds_service.domain.facts import Hindrance, ListState, Source
from cds_service.fhir import ChartFetcher, Record, read_chart

WHOLE, IN_PART = ListState.COMPLETE, ListState.INCOMPLETE
SECOND = link(f"{BASE}/Condition?page=2")


def warned(code: str, severity: str = "warning") -> Json:
    """An entry in which a server remarks something on a search."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}
    return {"resource": outcome, "search": {"mode": "outcome"}}


def with_remark(remark: Json, *found: Json, **more: Any) -> Json:
    listed = bundle(list(found))
    return {**listed, "entry": [*listed.get("entry", []), remark], **more}


# --- results that the sender keeps back


KEPT_BACK = [
    "suppressed", "security", "login", "unknown", "expired", "forbidden",
    "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled", "too-costly",
]  # fmt: skip


@pytest.mark.parametrize("found", [(), (condition(),)])
@pytest.mark.parametrize("code", KEPT_BACK)
def test_a_search_whose_results_were_kept_back_proves_no_absence_however_mild_the_remark(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, code: str, found: tuple[Json, ...]
) -> None:
    """One large EHR answers 200 with a warning of type `suppressed` where the access covers a part of a type only."""
    answers(ehr, "Condition", with_remark(warned(code), *found))
    assert conditions(fetcher, ask()) == (IN_PART, Hindrance.WITHHELD, len(found))


@pytest.mark.parametrize("code", ["processing", "informational", "not-supported", "not-found"])
@pytest.mark.parametrize("severity", ["warning", "information"])
def test_a_remark_on_anything_else_leaves_the_list_whole(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, code: str, severity: str
) -> None:
    answers(ehr, "Condition", with_remark(warned(code, severity), condition()))
    assert conditions(fetcher, ask()) == (WHOLE, None, 1)


def test_a_prefetched_list_that_was_kept_back_in_part_says_so_and_not_how_many_there_are() -> None:
    sent = {"conditions": with_remark(warned(" Suppressed"), condition(), total=1)}
    state = read_chart(sent, PATIENT_ID).sources[Source.DIAGNOSES]
    assert (state.state, state.received, state.total, state.hindrance) == (IN_PART, 1, None, Hindrance.WITHHELD)


def test_a_prefetched_list_that_was_kept_back_in_part_is_asked_for(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Condition", bundle([condition(1), condition(2)]))
    sent = {"conditions": with_remark(warned("suppressed"), condition(1))}
    assert conditions(fetcher, ask(), sent) == (WHOLE, None, 2)


# --- counts


def test_one_entry_on_two_pages_does_not_stand_for_one_that_is_missing(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Condition", page([condition(1), condition(2)], total=3, link=SECOND))
    answers(ehr, "Condition", page([condition(2)], total=3))
    assert conditions(fetcher, ask()) == (IN_PART, None, 2)


@pytest.mark.parametrize(("total", "state"), [(2, WHOLE), (3, IN_PART)])
def test_the_page_that_counts_the_most_decides_how_many_there_are(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, total: int, state: ListState
) -> None:
    answers(ehr, "Condition", page([condition(1)], total=None, link=SECOND))
    answers(ehr, "Condition", page([condition(2)], total=total))
    assert conditions(fetcher, ask())[0] is state


def test_entries_of_another_type_do_not_fill_up_a_search(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", page([condition(), {"resourceType": "Practitioner", "id": "p"}], total=2))
    assert conditions(fetcher, ask()) == (IN_PART, None, 1)


@pytest.mark.parametrize("total", ["many", True, 1.5, {}, [], "1,250"])
def test_a_count_that_cannot_be_read_may_be_any_number(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, total: Any
) -> None:
    answers(ehr, "Condition", page([condition()], total=total))
    assert conditions(fetcher, ask()) == (IN_PART, None, 1)


# --- pages that follow what the EHR sent


def test_a_part_of_the_first_page_that_is_not_read_is_still_missing_after_the_last(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Condition", page([condition(2)]))
    sent = {"conditions": page([condition(1), bundle([condition(3)])], link=SECOND)}
    assert conditions(fetcher, ask(), sent) == (IN_PART, None, 2)


OTHER_PARTS: dict[str, Json] = {
    "a part that is not read": {"conditions": page([condition(1), bundle([condition(3)])], link=SECOND)},
    "another list without its next page": {
        "conditions": page([condition(1)], link=SECOND),
        "more": page([condition(2)], total=2),
    },
}


@pytest.mark.parametrize("what", OTHER_PARTS)
def test_the_whole_list_is_asked_for_where_the_next_page_would_not_complete_it(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, what: str
) -> None:
    answers(ehr, "Condition", bundle([condition(number) for number in (1, 2, 3)]))
    assert conditions(fetcher, ask(), OTHER_PARTS[what]) == (WHOLE, None, 3)
    assert [str(call.request.url) for call in ehr.calls] == [f"{BASE}/Condition?patient={PATIENT_ID}&_count=200"]


@pytest.mark.parametrize(("second", "total"), [(4, 9), (None, None)])
def test_two_searches_count_together_only_where_both_count(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, second: int | None, total: int | None
) -> None:
    weight = {"resourceType": "Observation", "id": "o1", "subject": ABOUT}
    by_code, by_category = page([weight], total=5), page([weight], total=second)

    def answer(sent: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, msgspec.json.encode(by_category if "category=" in sent.url else by_code)

    ehr.add_callback("GET", f"{BASE}/Observation", answer)
    record = fetcher.with_lists(Record.sent(None), {Source.MEASUREMENTS}, ask())
    state = read_chart(record.prefetch, PATIENT_ID, record.fetched).sources[Source.MEASUREMENTS]
    assert (state.state, state.total) == (IN_PART, total)


def test_each_search_has_to_be_whole_by_its_own_count(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    """Of six, two came and one follows; four others that somebody else searched for do not make up for it."""
    answers(ehr, "Condition", page([condition(3)]))
    others = page([condition(number) for number in (11, 12, 13, 14)], total=None)
    sent = {"conditions": page([condition(1), condition(2)], total=6, link=SECOND), "more": others}
    assert conditions(fetcher, ask(), sent) == (IN_PART, None, 7)


def test_the_first_page_again_is_not_the_second(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", page([condition(1)]))
    sent = {"conditions": page([condition(1)], total=2, link=SECOND)}
    assert conditions(fetcher, ask(), sent) == (IN_PART, None, 1)


def test_two_lists_of_one_kind_are_each_followed(fetcher: ChartFetcher, ehr: responses.RequestsMock) -> None:
    answers(ehr, "Condition", page([condition(2)], total=2))
    answers(ehr, "Condition", page([condition(4)], total=2))
    sent = {
        "active": page([condition(1)], total=2, link=SECOND),
        "resolved": page([condition(3)], total=2, link=link(f"{BASE}/Condition?page=3")),
    }
    assert conditions(fetcher, ask(), sent) == (WHOLE, None, 4)


# --- what the EHR sent against what we found


@pytest.mark.parametrize("found", [[], [condition(2)]])
def test_a_search_that_does_not_find_what_the_ehr_sent_sees_less_than_there_is(
    fetcher: ChartFetcher, ehr: responses.RequestsMock, found: list[Json]
) -> None:
    answers(ehr, "Condition", bundle(found))
    sent = {"conditions": page([condition(1)], total=9)}
    assert conditions(fetcher, ask(), sent) == (IN_PART, None, 1 + len(found))


def test_an_entry_of_somebody_else_that_was_sent_is_not_missed(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Condition", bundle([condition(1)]))
    foreign = {**condition(2), "subject": {"reference": "Patient/somebody-else"}}
    sent = {"conditions": page([condition(1), foreign], total=9)}
    assert conditions(fetcher, ask(), sent) == (WHOLE, None, 1)


def test_observations_of_other_codes_that_were_sent_are_not_missed(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    answers(ehr, "Observation", bundle([]))
    heart_rate = {"resourceType": "Observation", "id": "o1", "subject": ABOUT}
    record = Record.sent({"observations": page([heart_rate], total=900)})
    record = fetcher.with_lists(record, {Source.MEASUREMENTS}, ask())
    assert read_chart(record.prefetch, PATIENT_ID, record.fetched).sources[Source.MEASUREMENTS].state is WHOLE


# --- one entry in two copies


COPIES: dict[str, Json] = {
    "an absolute reference": {"subject": {"reference": f"{BASE}/Patient/{PATIENT_ID}"}},
    "a versioned reference": {"subject": {"reference": f"Patient/{PATIENT_ID}/_history/3"}},
    "a display for people": {"text": {"status": "generated", "div": "<div>Jaundice</div>"}},
    "another profile": {"meta": {"profile": ["https://ehr.example.org/profile"]}},
}


@pytest.mark.parametrize("what", COPIES)
def test_a_copy_that_only_looks_different_is_no_second_entry(what: str) -> None:
    copy = {**condition(), **COPIES[what]}
    chart = read_chart({"conditions": bundle([condition()]), "again": bundle([copy])}, PATIENT_ID)
    assert chart.of_type("Condition") == (condition(),)


def test_a_copy_that_says_something_else_is_kept_beside_the_first() -> None:
    other = {**condition(), "code": {"text": "Jaundice"}}
    chart = read_chart({"conditions": bundle([condition()]), "again": bundle([other])}, PATIENT_ID)
    assert chart.of_type("Condition") == (condition(), other)


NARROWED = [
    "MedicationRequest?patient=123&status=active",
    "https://ehr.example.org/fhir/MedicationRequest?patient=123&_count=200&status=active,completed",
    "MedicationRequest?patient=123&intent=order",
    "MedicationRequest?patient=123&status:not=stopped",
    "MedicationRequest?authoredon=ge2026-01-01&patient=123",
]
FOR_ALL = [
    "MedicationRequest?patient=123",
    "MedicationRequest?patient=123&_count=200&_include=MedicationRequest:medication",
    "MedicationRequest?subject=Patient/123",
    "https://[ehr.example.org/fhir/MedicationRequest?patient=123",
]


def narrowed_state(address: str) -> ListState:
    sent = {"activeMeds": {**bundle([]), "total": 0, "link": [{"relation": "self", "url": address}]}}
    return read_chart(sent, PATIENT_ID).sources[Source.ORDERS].state


@pytest.mark.parametrize("address", NARROWED)
def test_a_search_that_left_part_of_a_list_out_is_not_the_whole_list(address: str) -> None:
    assert narrowed_state(address) is ListState.INCOMPLETE


@pytest.mark.parametrize("address", FOR_ALL)
def test_a_search_for_all_of_a_patients_entries_is_the_whole_list(address: str) -> None:
    assert narrowed_state(address) is ListState.COMPLETE


def test_observations_are_asked_for_by_code_by_everybody() -> None:
    address = "Observation?patient=123&code=http://loinc.org%7C29463-7"
    sent = {"weights": {**bundle([]), "total": 0, "link": [{"relation": "self", "url": address}]}}
    assert read_chart(sent, PATIENT_ID).sources[Source.MEASUREMENTS].state is ListState.COMPLETE


def test_a_narrowed_list_is_asked_for_whole_where_access_is_given(
    fetcher: ChartFetcher, ehr: responses.RequestsMock
) -> None:
    address = "Condition?patient=123&clinical-status=active"
    sent = {"problems": {**bundle([condition(1)]), "link": [{"relation": "self", "url": address}]}}
    answers(ehr, "Condition", bundle([condition(1), condition(2)]))
    assert conditions(fetcher, ask(), sent) == (ListState.COMPLETE, None, 2)
