"""The faults that the demo's FHIR server can be asked for: each spoils what it says, and nothing else."""

from __future__ import annotations

import json
import zlib

import pytest
import requests
from fhir_calls import FORMULA, TOKEN, get, ids, issue_of, next_link, of_formula_infant, resources
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.web import fhir_faults
from cds_service.web.fhir_faults import FAULTS, HUGE_BYTES, OTHER_PATIENT

WEIGHTS = "Observation?patient=synthetic-formula-infant&code=http://loinc.org|29463-7"
OBSERVATIONS = "Observation?patient=synthetic-formula-infant"
READING = "Patient/synthetic-formula-infant"
STREAMED = {"drip", "huge", "compressed-bomb"}


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause would have been; nothing sleeps in these tests."""
    pauses: list[float] = []
    monkeypatch.setattr(fhir_faults, "sleep", pauses.append)
    return pauses


def spoiled(client: FlaskClient, faults: str, query: str = OBSERVATIONS) -> TestResponse:
    return get(client, of_formula_infant(query, faults))


def rightly(client: FlaskClient, query: str = OBSERVATIONS) -> TestResponse:
    return get(client, of_formula_infant(query))


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - STREAMED))
def test_every_fault_spoils_a_search(client: FlaskClient, fault: str) -> None:
    query = f"{OBSERVATIONS}&status=final&date=2026-03-01"
    answer, right = spoiled(client, fault, query), rightly(client, query)
    own_base = right.text.replace("/demo/scenarios/", f"/demo/faulty/{fault}/")
    assert (answer.status_code, answer.text) != (right.status_code, own_base)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_limited_to_a_type_spoils_no_other(client: FlaskClient, fault: str) -> None:
    for query in (READING, "metadata"):
        answer, right = spoiled(client, f"{fault}:Observation", query), rightly(client, query)
        own_base = right.text.replace("/demo/scenarios/", f"/demo/faulty/{fault}:Observation/")
        assert (answer.status_code, answer.text) == (200, own_base)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("query", [READING, OBSERVATIONS])
def test_a_status_comes_with_an_outcome(client: FlaskClient, status: int, query: str) -> None:
    answer = spoiled(client, f"status-{status}", query)
    assert issue_of(answer)[:2] == (status, "exception")
    assert answer.headers.get("Retry-After") == ("1" if status in (429, 503) else None)


def test_an_outcome_comes_as_if_all_was_well(client: FlaskClient) -> None:
    answer = spoiled(client, "outcome")
    assert issue_of(answer)[:2] == (200, "exception")
    assert answer.get_json()["issue"][0]["severity"] == "error"


def test_an_outcome_is_the_only_entry_of_a_search_result(client: FlaskClient) -> None:
    found = spoiled(client, "outcome-in-bundle").get_json()
    assert (found["type"], [entry["search"]["mode"] for entry in found["entry"]]) == ("searchset", ["outcome"])
    assert [resource["issue"][0]["severity"] for resource in resources(found)] == ["error"]


def test_a_page_for_people_comes_in_place_of_json(client: FlaskClient) -> None:
    answer = spoiled(client, "html")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_body_is_cut_in_the_middle(client: FlaskClient) -> None:
    whole = rightly(client, READING).data
    assert spoiled(client, "truncated", READING).data == whole[: len(whole) // 2]


def test_a_body_is_empty(client: FlaskClient) -> None:
    answer = spoiled(client, "empty")
    assert (answer.status_code, answer.data) == (200, b"")


def test_a_redirect_leads_to_another_host(client: FlaskClient) -> None:
    answer = spoiled(client, "redirect", READING)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"http://redirect.invalid/{READING}")


def test_the_next_page_is_elsewhere(client: FlaskClient) -> None:
    found = spoiled(client, "elsewhere", f"{OBSERVATIONS}&_count=5").get_json()
    assert (next_link(found) or "").startswith("http://elsewhere.invalid/")
    assert ids(found) == ids(rightly(client, f"{OBSERVATIONS}&_count=5").get_json())


@pytest.mark.parametrize(
    "query", [OBSERVATIONS, f"{OBSERVATIONS}&_count=5", "Procedure?patient=synthetic-formula-infant"]
)
def test_there_is_more_than_the_page_holds_and_no_way_to_it(client: FlaskClient, query: str) -> None:
    found = spoiled(client, "no-next", query).get_json()
    assert next_link(found) is None
    assert found["total"] > len(ids(found))


def test_there_is_always_another_page(client: FlaskClient) -> None:
    url = of_formula_infant(WEIGHTS, "endless")
    seen = []
    for _ in range(20):
        page = get(client, url).get_json()
        seen += ids(page)
        url = next_link(page) or ""
        assert url.startswith("http://localhost/demo/faulty/endless/")
    assert len(set(seen)) == len(seen) == 20


def test_an_empty_list_has_always_another_page_too(client: FlaskClient) -> None:
    page = spoiled(client, "endless", "Procedure?patient=synthetic-formula-infant").get_json()
    assert ids(page) == []
    assert next_link(page) is not None


@pytest.mark.parametrize("query", [OBSERVATIONS, READING, "Immunization?patient=synthetic-formula-infant"])
def test_everything_is_about_somebody_else(client: FlaskClient, query: str) -> None:
    answer, right = spoiled(client, "other-patient", query), rightly(client, query)
    found = resources(answer.get_json()) or [answer.get_json()]
    assert len(found) == len(resources(right.get_json()) or [right.get_json()])
    for resource in found:
        about = resource.get("subject") or resource.get("patient") or {"reference": f"Patient/{resource['id']}"}
        assert about["reference"] == f"Patient/{OTHER_PATIENT}"


def test_a_search_result_holds_resources_of_another_type(client: FlaskClient) -> None:
    assert {resource["resourceType"] for resource in resources(spoiled(client, "wrong-type").get_json())} == {
        "Location"
    }


def test_a_list_comes_in_place_of_a_bundle(client: FlaskClient) -> None:
    found = spoiled(client, "not-a-bundle").get_json()
    assert found == resources(rightly(client).get_json())
    assert spoiled(client, "not-a-bundle", READING).get_json() == [rightly(client, READING).get_json()]


def test_filters_are_ignored_but_for_the_patient(client: FlaskClient) -> None:
    found = spoiled(client, "ignores-filters", f"{WEIGHTS}&_sort=date&_count=5").get_json()
    assert (found["total"], len(ids(found))) == (14, 5)
    assert rightly(client, WEIGHTS).get_json()["total"] == 1


def test_the_first_request_for_an_address_fails_and_the_next_one_succeeds(client: FlaskClient) -> None:
    asked = (READING, WEIGHTS, READING, WEIGHTS)
    assert [spoiled(client, "once-503", query).status_code for query in asked] == [503, 503, 200, 200]


def test_only_so_many_addresses_are_remembered(client: FlaskClient) -> None:
    for number in range(1002):
        assert spoiled(client, "once-503", f"Patient/nobody-{number}").status_code == 503
    assert spoiled(client, "once-503", "Patient/nobody-0").status_code == 503
    assert spoiled(client, "once-503", "Patient/nobody-1001").status_code == 404


@pytest.mark.parametrize(("fault", "seconds"), [("slow-0", 0), ("slow-200", 0.2), ("slow-10000", 10)])
def test_an_answer_is_late_and_right(client: FlaskClient, slept: list[float], fault: str, seconds: float) -> None:
    assert spoiled(client, fault, READING).get_json() == rightly(client, READING).get_json()
    assert slept == [seconds]


@pytest.mark.parametrize("faults", ["slow-200,outcome", "outcome,slow-200"])
def test_faults_add_up_in_either_order(client: FlaskClient, slept: list[float], faults: str) -> None:
    assert issue_of(spoiled(client, faults))[:2] == (200, "exception")
    assert slept == [0.2]


def test_each_of_several_faults_has_its_own_type(client: FlaskClient, slept: list[float]) -> None:
    faults = "slow-200,outcome:Observation,status-404:Patient"
    assert [spoiled(client, faults, query).status_code for query in (OBSERVATIONS, READING, "Condition")] == [
        200,
        404,
        200,
    ]
    assert slept == [0.2, 0.2, 0.2]


def test_a_fault_works_on_the_answer_of_the_one_before(client: FlaskClient) -> None:
    page = spoiled(client, "html").data
    assert spoiled(client, "html,truncated").data == page[: len(page) // 2]
    assert spoiled(client, "truncated,html").data == page


@pytest.mark.parametrize(
    "others", ["outcome", "status-500", "not-a-bundle", "outcome-in-bundle", "endless", "html", "empty"]
)
def test_faults_that_change_a_right_answer_leave_others_as_they_are(client: FlaskClient, others: str) -> None:
    changing = "elsewhere:Patient,other-patient:Patient,no-next:Patient"
    alone, together = spoiled(client, others, READING), spoiled(client, f"{others},{changing}", READING)
    assert together.status_code == alone.status_code


def test_a_server_without_faults_asks_for_a_token_and_so_does_a_faulty_one(client: FlaskClient) -> None:
    answer = client.get(of_formula_infant(READING, "elsewhere"))
    assert issue_of(answer)[:2] == (401, "login")


@pytest.mark.parametrize(
    "faults",
    [
        "nothing",
        "slow-10001",
        "slow-x",
        "status-418",
        "",
        "outcome,nothing",
        "outcome:observation",
        ",".join(["outcome"] * 5),
    ],
)
def test_an_unknown_fault_is_not_found(client: FlaskClient, faults: str) -> None:
    answer = get(client, f"/demo/faulty/{faults or ' '}/{FORMULA}/fhir/{READING}")
    assert issue_of(answer)[0] == 404


def test_the_answer_to_an_unknown_fault_names_those_there_are(client: FlaskClient) -> None:
    text = issue_of(spoiled(client, "nothing"))[2]
    assert [name for name in (*FAULTS, "slow-MS") if name not in text] == []


def test_a_body_drips_byte_by_byte(address: str, slept: list[float]) -> None:
    answer = requests.get(address + of_formula_infant(READING, "drip"), headers=TOKEN, timeout=30)
    assert answer.json()["id"] == "synthetic-formula-infant"
    assert slept == [0.05] * len(answer.content)


def test_dripping_ends_after_a_minute(client: FlaskClient, slept: list[float]) -> None:
    assert len(spoiled(client, "drip").data) == len(slept) == 1200
    assert sum(slept) == pytest.approx(60)


@pytest.mark.parametrize("fault", ["huge", "compressed-bomb"])
def test_a_client_that_leaves_in_the_middle_of_a_huge_body_leaves_the_server_well(address: str, fault: str) -> None:
    url = address + of_formula_infant(OBSERVATIONS, fault)
    with requests.get(url, headers=TOKEN, timeout=30, stream=True) as answer:
        first = next(answer.iter_content(1000))
    assert first.startswith(b'{"resourceType":"Bundle","type":"searchset"')
    right = requests.get(address + of_formula_infant(READING), headers=TOKEN, timeout=30)
    assert right.json()["id"] == "synthetic-formula-infant"


def test_a_huge_body_is_a_valid_bundle_of_100_megabytes(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert HUGE_BYTES == 100_000_000
    monkeypatch.setattr(fhir_faults, "HUGE_BYTES", 1_000_000)
    body = spoiled(client, "huge").data
    assert len(body) == pytest.approx(1_000_000, rel=0.1)
    assert json.loads(body)["type"] == "searchset"


def test_a_compressed_body_is_small_until_it_is_unpacked(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_faults, "HUGE_BYTES", 1_000_000)
    answer = spoiled(client, "compressed-bomb")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < 10_000
    unpacked = zlib.decompress(answer.data, 16 + zlib.MAX_WBITS)
    assert unpacked == spoiled(client, "huge").data
