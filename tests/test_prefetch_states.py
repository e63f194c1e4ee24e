"""Every state in which each of the nine lists may come, asked of the whole service (C13; ehr-reality traps 18 to 21).

A list that holds nothing, one that did not come, and one that came in another shape are three things.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders import LISTS, PATIENT_ID, bundle, hook_request
from compose_fixtures import ask, findings_in, lines_in
from flask.testing import FlaskClient

from cds_service.hooks.json_body import write_json

Json = dict[str, Any]
Answer = Callable[[Json], tuple[int, Json]]
Shape = Callable[[Json], Any]
# The lines of the checklist that a list proves, wholly or in part.
PROVEN_BY = {
    "observations": {
        "weight", "dose-volume", "kit", "gestational-age", "smn1-biallelic", "anti-aav9", "alt", "ast",
        "total-bilirubin", "albumin", "prothrombin-time", "partial-thromboplastin-time", "inr", "creatinine",
        "hemoglobin", "platelets", "steroid",
    },
    "medicationRequests": {"prior-exposure", "steroid"},
    "medicationAdministrations": {"prior-exposure"},
    "conditions": {"steroid"},
    "immunizations": {"prior-exposure"},
    "procedures": {"prior-exposure"},
    "serviceRequests": set(),
    "diagnosticReports": set(),
}  # fmt: skip
# What one entry of a list still proves where others may be missing.
PROVEN_BY_ONE_ENTRY = {"observations": {"gestational-age", "smn1-biallelic"}}
FOREIGN_VALUE = "97.31"


@pytest.fixture
def answer(client: FlaskClient) -> Answer:
    """Status and body of the answer to an order-sign request."""
    return lambda request: ask(client, "order-sign", write_json(request))


def outcome(severity: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}


def outcome_entry(severity: str) -> Json:
    return {"resource": outcome(severity), "search": {"mode": "outcome"}}


def resources_of(searchset: Json) -> list[Json]:
    return [entry["resource"] for entry in searchset.get("entry", [])]


FOUND_NONE: dict[str, Any] = {
    "null": None,
    "total 0": {"resourceType": "Bundle", "type": "searchset", "total": 0},
    "total 0, an empty list": {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []},
    "no total": {"resourceType": "Bundle", "type": "searchset"},
    "an outcome that warns": {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [outcome_entry("warning")]},
    "a collection": {"resourceType": "Bundle", "type": "collection"},
}  # fmt: skip
DID_NOT_COME: dict[str, Shape] = {
    "an outcome of an error": lambda _: outcome("error"),
    "an outcome of a warning": lambda _: outcome("warning"),
    "an outcome without an issue": lambda _: {"resourceType": "OperationOutcome"},
    "an outcome entry alone": lambda _: {"resourceType": "Bundle", "total": 0, "entry": [outcome_entry("error")]},
    "an outcome entry beside results": lambda v: {**v, "entry": [*v.get("entry", []), outcome_entry("fatal")]},
    "a web page": lambda _: "<!DOCTYPE html><html><body>Service unavailable</body></html>",
    "no text": lambda _: "",
    "a bare list": resources_of,
    "an empty object": lambda _: {},
    "a wrapper": lambda v: {"resource": v},
    "a bundle in a bundle": lambda v: bundle([v]),
    "another list": lambda _: bundle([{"resourceType": "Coverage", "id": "synthetic-coverage"}]),
}
INCLUDED = {"resource": {"resourceType": "Practitioner", "id": "synthetic-1"}, "search": {"mode": "include"}}
SAME_LIST: dict[str, Shape] = {
    "a collection": lambda v: {**v, "type": "collection"},
    "no type": lambda v: {name: v[name] for name in v if name != "type"},
    "no total": lambda v: {name: v[name] for name in v if name != "total"},
    "a total as text": lambda v: {**v, "total": str(v.get("total", 0))},
    "entries that call themselves matches": lambda v: {
        **v,
        "entry": [{**entry, "search": {"mode": "match"}} for entry in v.get("entry", [])],
    },
    "a warning beside the results": lambda v: {**v, "entry": [*v.get("entry", []), outcome_entry("warning")]},
    "an included resource beside the results": lambda v: {**v, "entry": [*v["entry"], INCLUDED]} if "entry" in v else v,
}


def with_list(key: str, value: Any) -> Json:
    request = hook_request({})
    request["prefetch"][key] = value
    return request


def told(body: Json) -> tuple[list[tuple[Any, ...]], dict[str, str]]:
    """The findings and the checklist of an answer, in a form to compare."""
    findings = [(f["rule"], f["indicator"], f.get("message"), str(f.get("values"))) for f in findings_in(body)]
    return sorted(findings, key=str), lines_in(body)


def verified(body: Json) -> set[str]:
    return {check for check, state in lines_in(body).items() if state == "verified"}


def unavailable(body: Json) -> list[Json]:
    return [finding for finding in findings_in(body) if finding["rule"] == "data-unavailable"]


# --- the eight lists


@pytest.mark.spec("R-082")
@pytest.mark.spec("R-084")
@pytest.mark.parametrize("state", [state for state in FOUND_NONE if state != "null"])
@pytest.mark.parametrize("key", LISTS)
def test_a_search_that_found_none_says_the_same_in_every_shape(answer: Answer, key: str, state: str) -> None:
    status, body = answer(with_list(key, FOUND_NONE[state]))
    _, body_of_null = answer(with_list(key, None))
    assert status == 200
    assert told(body) == told(body_of_null)
    assert unavailable(body) == []


@pytest.mark.hazard("H26")
@pytest.mark.spec("R-083")
@pytest.mark.spec("R-088")
@pytest.mark.parametrize("state", DID_NOT_COME)
@pytest.mark.parametrize("key", LISTS)
def test_a_list_that_did_not_come_is_named_and_proves_nothing(answer: Answer, key: str, state: str) -> None:
    value = hook_request({})["prefetch"][key]
    status, body = answer(with_list(key, DID_NOT_COME[state](value)))
    assert status == 200
    assert [finding["values"]["keys"] for finding in unavailable(body)] == [key]
    assert not verified(body) & (PROVEN_BY[key] - _proven_all_the_same(key, state))


def _proven_all_the_same(key: str, state: str) -> set[str]:
    """What the entries beside an error prove, however many of them are missing."""
    return PROVEN_BY_ONE_ENTRY.get(key, set()) if state == "an outcome entry beside results" else set()


@pytest.mark.hazard("H24")
@pytest.mark.spec("R-081")
@pytest.mark.parametrize("key", LISTS)
def test_a_list_that_was_not_sent_is_named_and_proves_nothing(answer: Answer, key: str) -> None:
    request = hook_request({})
    del request["prefetch"][key]
    _, body = answer(request)
    assert [finding["values"]["keys"] for finding in unavailable(body)] == [key]
    assert not verified(body) & PROVEN_BY[key]


@pytest.mark.spec("R-086")
@pytest.mark.parametrize("state", SAME_LIST)
@pytest.mark.parametrize("key", LISTS)
def test_a_list_in_another_shape_is_the_same_list(answer: Answer, key: str, state: str) -> None:
    value = hook_request({})["prefetch"][key]
    _, body = answer(with_list(key, SAME_LIST[state](value)))
    assert told(body) == told(answer(hook_request({}))[1])


@pytest.mark.hazard("H25")
@pytest.mark.spec("R-085")
@pytest.mark.parametrize("state", ["next", "total", "a bundle beside"])
@pytest.mark.parametrize("key", LISTS)
def test_a_list_that_came_in_part_proves_no_absence(answer: Answer, key: str, state: str) -> None:
    value = hook_request({})["prefetch"][key]
    parts = {
        "next": {**value, "link": [{"relation": "next", "url": "https://ehr.example.org/fhir/r4/x?-pageContext=9"}]},
        "total": {**value, "total": len(value.get("entry", [])) + 1},
        "a bundle beside": {**value, "entry": [*value.get("entry", []), {"resource": bundle([])}]},
    }
    status, body = answer(with_list(key, parts[state]))
    assert status == 200
    assert not verified(body) & (PROVEN_BY[key] - PROVEN_BY_ONE_ENTRY.get(key, set()))


@pytest.mark.spec("R-086")
@pytest.mark.parametrize("key", ["medicationRequests", "conditions", "immunizations"])
def test_one_entry_in_place_of_a_list_counts_and_proves_no_absence_of_others(answer: Answer, key: str) -> None:
    value = hook_request({})["prefetch"][key]
    (only,) = resources_of(value)
    _, body = answer(with_list(key, only))
    assert not verified(body) & PROVEN_BY[key]
    assert unavailable(body) == []
    rules = {finding["rule"] for finding in findings_in(body)}
    assert not rules & {"steroid-order-missing", "sma-diagnosis-missing", "rsv-influenza-prophylaxis"}


@pytest.mark.parametrize("entry", [None, {}, {"fullUrl": "urn:uuid:0"}, {"resource": None}, "x"])
@pytest.mark.parametrize("key", LISTS)
def test_an_entry_without_a_resource_is_told_and_the_others_count(answer: Answer, key: str, entry: Any) -> None:
    value = hook_request({})["prefetch"][key]
    _, body = answer(with_list(key, {**value, "entry": [*value.get("entry", []), entry]}))
    (finding,) = unavailable(body)
    assert f"{key}: entries-without-resource: 1" in finding["values"]["unreadable"]
    assert not verified(body) & (PROVEN_BY[key] - PROVEN_BY_ONE_ENTRY.get(key, set()))
    assert not {f["rule"] for f in findings_in(body)} & {"weight-missing", "steroid-order-missing"}


@pytest.mark.hazard("H1")
@pytest.mark.spec("R-089")
@pytest.mark.parametrize("key", LISTS)
def test_another_childs_entry_in_a_list_is_told_without_its_value_and_nothing_is_verified(
    answer: Answer, key: str
) -> None:
    element = "patient" if key == "immunizations" else "subject"
    foreign = {"resourceType": LISTS[key], "id": "foreign", "status": "final", "code": {"text": FOREIGN_VALUE}}
    foreign |= {element: {"reference": "Patient/somebody-else"}, "valueString": FOREIGN_VALUE}
    value = hook_request({})["prefetch"][key]
    _, body = answer(with_list(key, bundle([*resources_of(value), foreign])))
    assert ("data-wrong-patient", "critical") in {(f["rule"], f["indicator"]) for f in findings_in(body)}
    assert verified(body) == set()
    assert FOREIGN_VALUE not in write_json(body).decode()


# --- the Patient


PATIENT = hook_request({})["prefetch"]["patient"]


@pytest.mark.spec("R-091")
@pytest.mark.parametrize(
    "value",
    [
        None,
        outcome("error"),
        bundle([]),
        {"resourceType": "Bundle", "total": 0, "entry": [outcome_entry("warning")]},
        "<html>Service unavailable</html>",
        [PATIENT],
        {"resource": PATIENT},
        bundle([bundle([PATIENT])]),
        {**PATIENT, "id": "somebody-else"},
        {name: PATIENT[name] for name in PATIENT if name != "id"},
        {"resourceType": "Person", "id": PATIENT_ID},
    ],
)
def test_without_the_childs_own_record_there_is_no_answer(answer: Answer, value: Any) -> None:
    status, body = answer(with_list("patient", value))
    assert (status, body["resourceType"]) == (412, "OperationOutcome")


@pytest.mark.spec("R-086")
@pytest.mark.parametrize(
    "value",
    [
        bundle([PATIENT]),
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]},
        {"resourceType": "Bundle", "entry": {"resource": PATIENT}},
        {"resourceType": "Bundle", "total": 1, "entry": [{"resource": PATIENT}, outcome_entry("warning")]},
    ],
)
def test_a_patient_inside_a_bundle_is_the_patient(answer: Answer, value: Any) -> None:
    assert told(answer(with_list("patient", value))[1]) == told(answer(hook_request({}))[1])


def test_a_patient_under_a_key_typed_by_hand_is_the_patient(answer: Answer) -> None:
    request = with_list("-patient", PATIENT)
    del request["prefetch"]["patient"]
    assert told(answer(request)[1]) == told(answer(hook_request({}))[1])


# --- keys that nobody asked for


@pytest.mark.spec("R-087")
@pytest.mark.parametrize(
    "value",
    [
        None,
        {"resourceType": "PractitionerRole", "id": "synthetic-role"},
        bundle([]),
        FOUND_NONE["an outcome that warns"],
    ],
)
@pytest.mark.parametrize("key", ["-user", "", "Patient Weight (R4)", "item1"])
def test_a_key_that_nobody_asked_for_changes_nothing(answer: Answer, key: str, value: Any) -> None:
    assert told(answer(with_list(key, value))[1]) == told(answer(hook_request({}))[1])


@pytest.mark.parametrize("value", [outcome("error"), "<html>", {"resource": PATIENT}])
def test_what_failed_under_a_key_that_nobody_asked_for_may_have_been_one_of_ours(answer: Answer, value: Any) -> None:
    _, body = answer(with_list("-user", value))
    (finding,) = unavailable(body)
    assert (finding["indicator"], finding["values"].get("keys", "")) == ("warning", "")
    assert "-user" in finding["values"]["unreadable"]
