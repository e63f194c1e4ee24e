"""What is refused, with which status and path; what is accepted although it is odd; and what an error never says."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from builders import PATIENT_ID, bundle, hook_request
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import (
    AUTHORIZATION,
    SELECT,
    SIGN,
    URLS,
    a_call,
    about_another_drug,
    cards_of,
    findings_of,
    path_of,
    post,
    with_context,
    without_context,
)
from werkzeug.test import TestResponse

from cds_service.errors import ContentProblem
from cds_service.hooks import Evaluator
from cds_service.hooks.json_body import write_json

HOOKS = ("order-select", "order-sign")
NOT_TEXT: list[Any] = [1, 1.5, True, [], {}, ["x"], "", "  "]
NOT_AN_OBJECT: list[Any] = [[], "x", 1, True]


def refused_at(path: str, response: TestResponse) -> None:
    assert response.status_code == 400, response.text
    assert path_of(response) == path


def without(name: str, call: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in call.items() if key != name}


# --- the envelope


@pytest.mark.spec("R-039")
def test_an_unknown_service_is_not_found(client: FlaskClient) -> None:
    assert post(client, a_call(), "/cds-services/onasemnogene-medication-refill").status_code == 404


@pytest.mark.spec("R-039")
def test_an_unknown_service_is_not_found_whatever_is_sent(client: FlaskClient) -> None:
    assert post(client, b"{", "/cds-services/nowhere").status_code == 404


@pytest.mark.spec("R-040")
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    "other", ["patient-view", "order-dispatch", "Order-Sign", " order-sign", "medication-prescribe"]
)
def test_a_hook_that_is_not_this_services_is_refused(client: FlaskClient, hook: str, other: str) -> None:
    refused_at("hook", post(client, a_call(hook) | {"hook": other}, URLS[hook]))


@pytest.mark.spec("R-040")
def test_the_hook_of_the_other_service_is_refused(client: FlaskClient) -> None:
    refused_at("hook", post(client, a_call("order-sign"), SELECT))
    refused_at("hook", post(client, a_call("order-select"), SIGN))


@pytest.mark.spec("R-040")
@pytest.mark.spec("R-041")
@pytest.mark.spec("R-009")
@pytest.mark.parametrize("name", ["hook", "hookInstance"])
@pytest.mark.parametrize("value", [None, *NOT_TEXT])
def test_hook_and_hook_instance_must_be_text(client: FlaskClient, name: str, value: Any) -> None:
    refused_at(name, post(client, a_call() | {name: value}, SIGN))


@pytest.mark.spec("R-040")
@pytest.mark.spec("R-041")
@pytest.mark.spec("R-043")
@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
def test_a_missing_member_of_the_envelope_is_named(client: FlaskClient, name: str) -> None:
    refused_at(name, post(client, without(name, a_call()), SIGN))


@pytest.mark.spec("R-041")
@pytest.mark.parametrize(
    "instance",
    ["5A3C1B52-4C8E-4F0E-9A2B-0F6A1D2C3B4E", "abc", "urn:uuid:5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e", "ümlaut"],
)
def test_any_text_is_a_hook_instance(client: FlaskClient, instance: str) -> None:
    assert cards_of(post(client, a_call(hookInstance=instance)))


def events(log: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


@pytest.mark.spec("R-041")
def test_a_hook_instance_that_is_no_uuid_is_logged(client: FlaskClient, log: io.StringIO) -> None:
    post(client, a_call())
    post(client, a_call(hookInstance="abc"))
    assert events(log) == ["access", "hook_instance_is_no_uuid", "access"]


@pytest.mark.spec("R-042")
def test_one_hook_instance_may_come_twice(client: FlaskClient) -> None:
    assert [post(client, a_call()).status_code for _ in range(2)] == [200, 200]


@pytest.mark.spec("R-043")
@pytest.mark.parametrize("context", [None, *NOT_AN_OBJECT])
def test_a_context_that_is_no_object_is_refused(client: FlaskClient, context: Any) -> None:
    refused_at("context", post(client, a_call(context=context)))


# --- the context


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", ["userId", "patientId"])
def test_a_missing_field_of_the_context_is_named(client: FlaskClient, hook: str, name: str) -> None:
    refused_at(f"context.{name}", post(client, without_context(name, hook)))


@pytest.mark.spec("R-044")
@pytest.mark.spec("R-009")
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", ["userId", "patientId"])
@pytest.mark.parametrize("value", [None, *NOT_TEXT])
def test_user_and_patient_must_be_text(client: FlaskClient, hook: str, name: str, value: Any) -> None:
    refused_at(f"context.{name}", post(client, with_context(hook, **{name: value})))


@pytest.mark.spec("R-044")
@pytest.mark.parametrize(
    "patient", [f"Patient/{PATIENT_ID}", f"https://ehr.example.org/Patient/{PATIENT_ID}", f" {PATIENT_ID}"]
)
def test_a_patient_id_that_is_not_bare_is_refused(client: FlaskClient, patient: str) -> None:
    refused_at("context.patientId", post(client, with_context(patientId=patient)))


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("encounter", ["89284", None])
def test_the_encounter_is_optional(client: FlaskClient, encounter: str | None) -> None:
    assert cards_of(post(client, with_context(encounterId=encounter)))


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("hook", HOOKS)
def test_a_call_stripped_of_its_orders_gets_no_cards(client: FlaskClient, hook: str) -> None:
    assert cards_of(post(client, without_context("draftOrders", hook))) == []
    assert cards_of(post(client, with_context(hook, draftOrders=None))) == []


@pytest.mark.spec("R-044")
def test_a_call_stripped_of_its_orders_need_not_select_any(client: FlaskClient) -> None:
    call = without_context("draftOrders", "order-select")
    del call["context"]["selections"]
    assert cards_of(post(client, call)) == []


@pytest.mark.spec("R-044")
def test_a_call_stripped_of_its_orders_is_logged(client: FlaskClient, log: io.StringIO) -> None:
    post(client, without_context("draftOrders"))
    assert events(log) == ["stripped_request", "access"]


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("drafts", NOT_AN_OBJECT)
def test_orders_that_are_no_object_are_refused(client: FlaskClient, hook: str, drafts: Any) -> None:
    refused_at("context.draftOrders", post(client, with_context(hook, draftOrders=drafts)))


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("kind", ["MedicationRequest", "OperationOutcome"])
def test_orders_in_another_resource_than_a_bundle_are_refused(client: FlaskClient, kind: str) -> None:
    response = post(client, with_context(draftOrders={"resourceType": kind, "id": "draft-1"}))
    assert response.status_code == 400
    assert path_of(response).startswith("context.draftOrders")


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("entry", ["x", 1, True])
def test_entries_that_are_no_array_are_refused(client: FlaskClient, entry: Any) -> None:
    response = post(client, with_context(draftOrders={"resourceType": "Bundle", "entry": entry}))
    assert response.status_code == 400
    assert path_of(response).startswith("context.draftOrders")


def test_orders_without_a_bundle_type_are_read(client: FlaskClient) -> None:
    call = a_call()
    del call["context"]["draftOrders"]["type"]
    assert cards_of(post(client, call)) == cards_of(post(client, a_call()))


def test_a_single_entry_need_not_stand_in_an_array(client: FlaskClient) -> None:
    call = a_call()
    call["context"]["draftOrders"]["entry"] = call["context"]["draftOrders"]["entry"][0]
    assert cards_of(post(client, call)) == cards_of(post(client, a_call()))


@pytest.mark.parametrize(
    "drafts",
    [
        {},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": []},
        {"entry": [None, 1, {}, {"resource": None}]},
    ],
)
def test_a_bundle_without_orders_gets_no_cards(client: FlaskClient, drafts: dict[str, Any]) -> None:
    assert cards_of(post(client, with_context(draftOrders=drafts))) == []


def test_orders_of_a_kind_nobody_knows_are_ignored(client: FlaskClient) -> None:
    call = a_call()
    call["context"]["draftOrders"]["entry"].append(
        {"resource": {"resourceType": "Brew", "id": "draft-1", "medicationCodeableConcept": {"text": "Zolgensma"}}}
    )
    assert cards_of(post(client, call)) == cards_of(post(client, a_call()))


# --- selections


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("selections", ["MedicationRequest/draft-1", {}, 1, True])
def test_selections_that_are_no_array_are_refused(client: FlaskClient, selections: Any) -> None:
    refused_at("context.selections", post(client, with_context("order-select", selections=selections)))


@pytest.mark.spec("R-044")
def test_missing_selections_are_named(client: FlaskClient) -> None:
    refused_at("context.selections", post(client, without_context("selections", "order-select")))
    refused_at("context.selections", post(client, with_context("order-select", selections=None)))


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("item", [1, {}, ["MedicationRequest/draft-1"], True])
def test_a_selection_that_is_no_text_is_refused_with_its_place(client: FlaskClient, item: Any) -> None:
    selections = ["MedicationRequest/draft-1", item]
    refused_at("context.selections[1]", post(client, with_context("order-select", selections=selections)))


def test_a_bare_selection_is_matched_where_one_order_has_that_id(client: FlaskClient) -> None:
    assert cards_of(post(client, with_context("order-select", selections=["draft-1"])))


def test_a_bare_selection_that_two_orders_share_matches_neither(client: FlaskClient) -> None:
    call = with_context("order-select", selections=["draft-1"])
    call["context"]["draftOrders"]["entry"].append({"resource": {"resourceType": "NutritionOrder", "id": "draft-1"}})
    assert cards_of(post(client, call)) == []


@pytest.mark.parametrize(
    "selections", [[], ["MedicationRequest/nowhere"], ["nowhere"], ["NutritionOrder/draft-1"], [""]]
)
def test_a_selection_that_matches_nothing_is_ignored(client: FlaskClient, selections: list[str]) -> None:
    assert cards_of(post(client, with_context("order-select", selections=selections))) == []


@pytest.mark.parametrize("selections", [["MedicationRequest/nowhere"], ["nowhere"]])
def test_a_selection_that_is_ignored_is_logged(client: FlaskClient, log: io.StringIO, selections: list[str]) -> None:
    post(client, with_context("order-select", selections=selections))
    assert events(log) == ["selections_without_draft", "access"]


def test_a_selection_may_be_an_absolute_reference(client: FlaskClient) -> None:
    selections = ["https://ehr.example.org/fhir/MedicationRequest/draft-1"]
    assert cards_of(post(client, with_context("order-select", selections=selections)))


def test_selections_are_no_part_of_signing(client: FlaskClient) -> None:
    assert cards_of(post(client, with_context(selections="anything"))) == cards_of(post(client, a_call()))


# --- prefetch, FHIR access, extension


@pytest.mark.spec("R-054")
@pytest.mark.parametrize("prefetch", NOT_AN_OBJECT)
def test_a_prefetch_that_is_no_object_is_refused(client: FlaskClient, prefetch: Any) -> None:
    refused_at("prefetch", post(client, a_call(prefetch=prefetch)))


@pytest.mark.spec("R-054")
@pytest.mark.spec("R-009")
@pytest.mark.parametrize("prefetch", [{}, None])
def test_an_empty_prefetch_is_accepted(client: FlaskClient, prefetch: Any) -> None:
    assert cards_of(post(client, about_another_drug(prefetch=prefetch))) == []
    assert cards_of(post(client, without("prefetch", about_another_drug()))) == []


@pytest.mark.spec("R-009")
@pytest.mark.parametrize("name", ["fhirServer", "fhirAuthorization", "extension"])
def test_null_for_an_optional_member_is_nothing(client: FlaskClient, name: str) -> None:
    assert cards_of(post(client, a_call() | {name: None})) == cards_of(post(client, a_call()))


@pytest.mark.spec("R-045")
def test_authorization_without_a_server_is_refused(client: FlaskClient) -> None:
    refused_at("fhirServer", post(client, a_call(fhirAuthorization=AUTHORIZATION)))


@pytest.mark.spec("R-045")
@pytest.mark.parametrize("server", NOT_TEXT)
def test_a_server_that_is_no_text_is_refused(client: FlaskClient, server: Any) -> None:
    refused_at("fhirServer", post(client, a_call(fhirServer=server)))


def with_access(**changes: Any) -> dict[str, Any]:
    return a_call(fhirServer="https://ehr.example.org/fhir", fhirAuthorization={**AUTHORIZATION, **changes})


@pytest.mark.spec("R-047")
@pytest.mark.parametrize("access", NOT_AN_OBJECT)
def test_an_authorization_that_is_no_object_is_refused(client: FlaskClient, access: Any) -> None:
    refused_at("fhirAuthorization", post(client, with_access() | {"fhirAuthorization": access}))


@pytest.mark.spec("R-047")
@pytest.mark.parametrize("name", AUTHORIZATION)
def test_every_field_of_the_authorization_is_required(client: FlaskClient, name: str) -> None:
    call = with_access()
    call["fhirAuthorization"] = without(name, call["fhirAuthorization"])
    refused_at(f"fhirAuthorization.{name}", post(client, call))
    refused_at(f"fhirAuthorization.{name}", post(client, with_access(**{name: None})))


@pytest.mark.spec("R-048")
@pytest.mark.spec("R-051")
@pytest.mark.spec("R-052")
@pytest.mark.parametrize("name", ["access_token", "token_type", "scope", "subject"])
@pytest.mark.parametrize("value", NOT_TEXT)
def test_the_texts_of_the_authorization_must_be_text(client: FlaskClient, name: str, value: Any) -> None:
    refused_at(f"fhirAuthorization.{name}", post(client, with_access(**{name: value})))


@pytest.mark.spec("R-049")
def test_the_token_type_is_bearer_in_any_case(client: FlaskClient) -> None:
    assert cards_of(post(client, with_access(token_type="bearer")))
    refused_at("fhirAuthorization.token_type", post(client, with_access(token_type="MAC")))


@pytest.mark.spec("R-050")
@pytest.mark.parametrize("seconds", [300, "300", 0, Decimal("300.0"), Decimal("3E2")])
def test_whole_seconds_are_accepted(client: FlaskClient, seconds: Any) -> None:
    assert cards_of(post(client, with_access(expires_in=seconds)))


@pytest.mark.spec("R-050")
@pytest.mark.parametrize("seconds", ["9" * 400, "-" + "9" * 400, "1E999999", "-1E999999"])
def test_seconds_beyond_all_clocks_do_no_harm(client: FlaskClient, seconds: str) -> None:
    call = write_json(with_access(expires_in=0)).replace(b'"expires_in":0', b'"expires_in":' + seconds.encode())
    assert cards_of(post(client, call, SIGN))


@pytest.mark.spec("R-050")
@pytest.mark.parametrize("seconds", ["soon", "", "3.5", 3.5, True, [], {}, "3e2"])
def test_anything_else_is_no_number_of_seconds(client: FlaskClient, seconds: Any) -> None:
    refused_at("fhirAuthorization.expires_in", post(client, with_access(expires_in=seconds)))


@pytest.mark.spec("R-051")
@pytest.mark.parametrize(
    "scope", ["user/Patient.read patient/*.*", "user/Patient.rs", "patient/Observation.cruds?category=laboratory"]
)
def test_scopes_of_both_smart_versions_are_accepted(client: FlaskClient, scope: str) -> None:
    assert cards_of(post(client, with_access(scope=scope)))


@pytest.mark.spec("R-053")
def test_a_patient_scope_without_the_patient_is_accepted(client: FlaskClient) -> None:
    assert cards_of(post(client, with_access(scope="patient/*.read")))
    assert cards_of(post(client, with_access(scope="patient/*.read", patient=PATIENT_ID)))


@pytest.mark.spec("R-055")
@pytest.mark.spec("R-207")
@pytest.mark.parametrize("extension", [{"org.example.thing": {"a": [1]}}, {}, [], "text", 1, True, ["x"]])
def test_a_foreign_extension_changes_nothing_whatever_its_type(client: FlaskClient, extension: Any) -> None:
    assert cards_of(post(client, a_call(extension=extension))) == cards_of(post(client, a_call()))


@pytest.mark.spec("R-013")
def test_unknown_members_are_ignored_at_every_level(client: FlaskClient) -> None:
    call = with_access(foo=1) | {"foo": 1, "_hook": {"x": None}}
    call["context"] = {**call["context"], "foo": 1, "performer": 2}
    call["prefetch"]["patient"]["foo"] = {"bar": []}
    call["context"]["draftOrders"]["foo"] = 1
    assert cards_of(post(client, call)) == cards_of(post(client, a_call()))


@pytest.mark.spec("R-079")
@pytest.mark.spec("R-087")
def test_prefetch_that_nobody_asked_for_is_ignored(client: FlaskClient) -> None:
    call = a_call()
    call["prefetch"]["allergies"] = bundle([an_allergy_of(PATIENT_ID)])
    assert cards_of(post(client, call)) == cards_of(post(client, a_call()))


def an_allergy_of(patient_id: str) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": f"Patient/{patient_id}"}}


def test_prefetch_that_nobody_asked_for_is_reported_where_it_is_about_another_patient(client: FlaskClient) -> None:
    call = a_call()
    call["prefetch"]["allergies"] = bundle([an_allergy_of("other")])
    assert "data-wrong-patient" in [finding["rule"] for finding in findings_of(post(client, call))]


@pytest.mark.spec("R-057")
def test_the_order_of_members_is_free(client: FlaskClient) -> None:
    shuffled = dict(reversed(list(a_call().items())))
    assert post(client, shuffled).data == post(client, a_call()).data


@pytest.mark.spec("R-056")
@pytest.mark.parametrize("change", [{}, {"prefetch": {}}, {"prefetch": []}, {"hookInstance": None}])
def test_the_access_token_is_neither_logged_nor_sent_back(
    client: FlaskClient, log: io.StringIO, change: dict[str, Any]
) -> None:
    response = post(client, with_access() | change)
    assert AUTHORIZATION["access_token"] not in response.text + log.getvalue()


# --- the patient's record (ruling 5)


def no_patient(call: dict[str, Any]) -> None:
    del call["prefetch"]["patient"]


def null_patient(call: dict[str, Any]) -> None:
    call["prefetch"]["patient"] = None


def failed_patient(call: dict[str, Any]) -> None:
    call["prefetch"]["patient"] = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "forbidden"}],
    }


def other_patient(call: dict[str, Any]) -> None:
    call["prefetch"]["patient"]["id"] = "somebody-else"


def nameless_patient(call: dict[str, Any]) -> None:
    del call["prefetch"]["patient"]["id"]


def wrapped_patient(call: dict[str, Any]) -> None:
    call["prefetch"]["patient"] = {"resource": call["prefetch"]["patient"]}


def web_page_for_a_patient(call: dict[str, Any]) -> None:
    call["prefetch"]["patient"] = "<html>Service unavailable</html>"


def no_prefetch(call: dict[str, Any]) -> None:
    del call["prefetch"]


LACKING_PATIENTS = (
    no_patient, null_patient, failed_patient, other_patient, nameless_patient, wrapped_patient, web_page_for_a_patient, no_prefetch,
)  # fmt: skip


@pytest.mark.spec("R-091")
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("lacking", LACKING_PATIENTS)
def test_a_relevant_call_whose_patient_cannot_be_had_is_412(
    client: FlaskClient, hook: str, lacking: Callable[[dict[str, Any]], None]
) -> None:
    call = a_call(hook)
    lacking(call)
    assert post(client, call).status_code == 412


@pytest.mark.spec("R-091")
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("lacking", LACKING_PATIENTS)
def test_an_irrelevant_call_needs_no_patient(
    client: FlaskClient, hook: str, lacking: Callable[[dict[str, Any]], None]
) -> None:
    call = about_another_drug(hook)
    lacking(call)
    assert cards_of(post(client, call)) == []


@pytest.mark.spec("R-092")
def test_lacking_everything_but_the_patient_is_said_on_a_card(client: FlaskClient) -> None:
    call = a_call()
    call["prefetch"] = {"patient": call["prefetch"]["patient"]}
    assert "data-unavailable" in [finding["rule"] for finding in findings_of(post(client, call))]


@pytest.mark.spec("R-087")
def test_the_patient_is_known_by_its_type_whatever_its_key(client: FlaskClient) -> None:
    call = a_call()
    call["prefetch"]["thePatientFromEpic"] = call["prefetch"].pop("patient")
    assert cards_of(post(client, call))


# --- what an error is, and what it never says

ISSUE_TYPES = {"invalid", "not-found", "not-supported", "incomplete", "too-long", "exception", "login", "throttled"}
REFUSALS: dict[str, Callable[[FlaskClient], TestResponse]] = {
    "400 no JSON": lambda client: post(client, b"{", SIGN),
    "400 no hook": lambda client: post(client, {}, SIGN),
    "400 in the context": lambda client: post(client, with_context(patientId="Patient/1")),
    "400 too deep": lambda client: post(client, b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", SIGN),
    "404 service": lambda client: post(client, a_call(), "/cds-services/nowhere"),
    "404 page": lambda client: client.get("/nowhere", headers={"Accept": "text/html"}),
    "404 feedback": lambda client: post(client, {"feedback": []}, "/cds-services/nowhere/feedback"),
    "405": lambda client: client.delete(SIGN, headers={"Accept": "text/html"}),
    "412": lambda client: post(client, a_call(prefetch={})),
    "415": lambda client: post(client, a_call(), content_type="text/xml"),
}


@pytest.mark.spec("R-210")
@pytest.mark.spec("R-211")
@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_is_an_operation_outcome(client: FlaskClient, name: str) -> None:
    response = REFUSALS[name](client)
    assert response.status_code == int(name[:3])
    assert is_an_outcome(response)


def is_an_outcome(response: TestResponse) -> bool:
    outcome = response.json
    assert response.mimetype == "application/json"
    assert outcome["resourceType"] == "OperationOutcome"
    for issue in outcome["issue"]:
        assert issue["severity"] in ("fatal", "error", "warning", "information")
        assert issue["code"]
        assert issue["details"]["text"]
        assert set(issue) <= {"severity", "code", "details", "diagnostics", "expression"}
        assert issue["code"] in ISSUE_TYPES
    for sign in ("<html", "<!doctype", "Traceback", 'File "', ".py"):
        assert sign.lower() not in response.text.lower()
    return True


@pytest.mark.spec("R-211")
def test_a_refusal_repeats_nothing_of_the_request(client: FlaskClient, log: io.StringIO) -> None:
    for call in (
        with_context(patientId="Patient/Jane-Doe"),
        with_context("order-select", selections=[{"name": "Jane-Doe"}]),
        a_call() | {"hook": "Jane-Doe"},
        with_access(token_type="Jane-Doe"),
        a_call(prefetch={"patient": {"resourceType": "Patient", "id": "Jane-Doe"}}),
        with_context(draftOrders={"resourceType": "Jane-Doe"}),
    ):
        response = post(client, call, URLS.get(call["hook"], SIGN))
        assert response.status_code in (400, 412)
        assert "Jane-Doe" not in response.text
    assert "Jane-Doe" not in log.getvalue()


@pytest.mark.spec("R-211")
def test_an_unexpected_fault_tells_nobody_what_was_being_read(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("Jane Doe")

    monkeypatch.setattr(Evaluator, "answer", fail)
    response = post(client, a_call())
    assert response.status_code == 500
    assert is_an_outcome(response)
    assert "ValueError" in log.getvalue()
    for written in (response.text, log.getvalue(), caplog.text):
        assert "Jane" not in written


@pytest.mark.spec("R-211")
def test_a_fault_of_our_own_without_a_status_of_its_own_tells_nobody_either(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ContentProblem("Jane Doe")

    monkeypatch.setattr(Evaluator, "answer", fail)
    response = post(client, a_call())
    assert response.status_code == 500
    assert is_an_outcome(response)
    assert "Jane" not in response.text


def test_what_is_logged_is_one_json_object_a_line(client: FlaskClient, log: io.StringIO) -> None:
    post(client, a_call())
    post(client, b"{", SIGN)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("access", "info"),
        ("refused", "info"),
        ("access", "info"),
    ]


@pytest.mark.spec("R-056")
def test_nothing_of_the_patient_is_logged(client: FlaskClient, log: io.StringIO) -> None:
    post(client, hook_request({"born": "2025-12-24", "weight": "3.33 kg", "twin": True}))
    for secret in (PATIENT_ID, "2025-12-24", "3.33", "synthetic"):
        assert secret not in log.getvalue()


# --- every fault has its status, whichever part of the request is odd

ODD_VALUES: list[Any] = [None, True, 0, -1, "", "x", [], {}, [None], [[]], {"resourceType": "Bundle", "entry": "x"}]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        found += [place for key, child in value.items() for place in places(child, (*path, key))]
    elif isinstance(value, list):
        found += [place for key, child in enumerate(value) for place in places(child, (*path, key))]
    return found


def changed_at(path: tuple[Any, ...], value: Any, call: dict[str, Any]) -> dict[str, Any]:
    parent: Any = call
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return call


@pytest.mark.parametrize("path", places(a_call("order-select")), ids=lambda path: ".".join(map(str, path)))
def test_no_odd_value_anywhere_makes_the_service_fail(app: Flask, path: tuple[Any, ...]) -> None:
    client = app.test_client()
    for value in ODD_VALUES:
        call = changed_at(path, value, a_call("order-select"))
        response = client.post(SELECT, data=write_json(call), content_type="application/json")
        assert response.status_code in (200, 400, 412), (value, response.text)
