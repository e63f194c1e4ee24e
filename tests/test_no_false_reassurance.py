"""Requests that say less, or something else, than they seem to: no line that rests on them may be verified."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from builders import PATIENT_ID, SYSTEMS, TODAY, bundle, hook_request, weight_observation
from flask.testing import FlaskClient

from cds_service.hooks.json_body import write_json

Request = dict[str, Any]
Change = Callable[[Request], None]


def lines_of(client: FlaskClient, request: Request) -> dict[str, str]:
    """The state of every line of the checklist that the service answers with."""
    response = client.post(
        "/cds-services/onasemnogene-order-sign", data=write_json(request), content_type="application/json"
    )
    assert response.status_code == 200
    findings = [
        finding
        for card in json.loads(response.data)["cards"]
        for finding in card["extension"]["onasemnogene-cds.findings"]
    ]
    checks = [finding["values"] for finding in findings if finding["rule"] == "baseline-readiness"]
    return {values["check"]: values["state"] for values in checks}


def draft_of(request: Request) -> dict[str, Any]:
    draft: dict[str, Any] = request["context"]["draftOrders"]["entry"][0]["resource"]
    return draft


def administration(**members: Any) -> dict[str, Any]:
    subject = {"reference": f"Patient/{PATIENT_ID}"}
    return {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "subject": subject,
        **members,
    }


def an_administration_nobody_can_name(request: Request) -> None:
    given = administration(medicationReference={"reference": "Medication/not-sent"})
    request["prefetch"]["medicationAdministrations"] = bundle([given])


def a_masked_code(request: Request) -> None:
    masked = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
    }
    given = administration(medicationCodeableConcept={"coding": [masked]})
    request["prefetch"]["medicationAdministrations"] = bundle([given])


def a_single_administration_in_place_of_the_list(request: Request) -> None:
    del request["prefetch"]["medicationAdministrations"]
    request["prefetch"]["lastAdmin"] = administration(medicationCodeableConcept={"text": "paracetamol"})


def an_included_order_in_place_of_the_list(request: Request) -> None:
    del request["prefetch"]["medicationRequests"]
    order = {"resourceType": "MedicationRequest", "id": "o1", "status": "active", "intent": "order"}
    order |= {"subject": {"reference": f"Patient/{PATIENT_ID}"}, "medicationCodeableConcept": {"text": "paracetamol"}}
    request["prefetch"]["medicationAdministrations"]["entry"] = [{"resource": order, "search": {"mode": "include"}}]


def a_search_that_was_refused_without_saying_how_badly(request: Request) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "forbidden"}]}
    request["prefetch"]["medicationAdministrations"]["entry"] = [{"resource": outcome, "search": {"mode": "outcome"}}]


def a_product_written_with_an_underscore(request: Request) -> None:
    given = administration(medicationCodeableConcept={"text": "ZOLGENSMA_KIT 3.1"}, status="unknown")
    request["prefetch"]["medicationAdministrations"] = bundle([given])


@pytest.mark.parametrize(
    "change",
    [
        an_administration_nobody_can_name,
        a_masked_code,
        a_single_administration_in_place_of_the_list,
        an_included_order_in_place_of_the_list,
        a_search_that_was_refused_without_saying_how_badly,
        a_product_written_with_an_underscore,
    ],
)
def test_an_earlier_dose_is_not_excluded_by(client: FlaskClient, change: Change) -> None:
    request = hook_request({})
    assert lines_of(client, deepcopy(request))["prior-exposure"] == "verified"
    change(request)
    assert lines_of(client, request)["prior-exposure"] != "verified"


@pytest.mark.parametrize(
    "subject",
    [
        [{"reference": "Patient/other"}],
        "Patient/other",
        {"reference": "99999"},
        {"reference": "Patient/other#x"},
        {"display": "Synthetic Other"},
    ],
)
def test_a_draft_that_does_not_name_this_child_is_not_judged_on_its_data(client: FlaskClient, subject: Any) -> None:
    request = hook_request({})
    draft_of(request)["subject"] = subject
    assert lines_of(client, request) == {}


def a_newer_weight(**members: Any) -> Change:
    def change(request: Request) -> None:
        weight = weight_observation({"weight": "4.2 kg", "days_ago": 0, "id": "w9"}, TODAY, 9)
        request["prefetch"]["observations"]["entry"].append({"resource": {**weight, **members}})
        request["prefetch"]["observations"]["total"] += 1

    return change


@pytest.mark.parametrize("code", ["29463-7 ", " 29463-7"])
def test_a_code_with_blanks_around_it_is_the_same_code(client: FlaskClient, code: str) -> None:
    request = hook_request({})
    coding = {"system": f"{SYSTEMS['LOINC']} ", "code": code}
    a_newer_weight(code={"coding": [coding]})(request)
    assert lines_of(client, request)["dose-volume"] == "action-needed"


def test_two_versions_of_one_result_that_nothing_tells_apart_contradict_each_other(client: FlaskClient) -> None:
    request = hook_request({})
    entries = request["prefetch"]["observations"]["entry"]
    first = next(entry["resource"] for entry in entries if entry["resource"]["id"] == "w1")
    other = deepcopy(first)
    other["valueQuantity"]["value"] = 4.2
    entries.append({"resource": other})
    assert lines_of(client, request)["weight"] == "action-needed"


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ({"timing": [{"repeat": {"count": 3}}]}, "dose-volume"),
        ({"timing": {"repeat": {"count": "3x"}}}, "dose-volume"),
        ({"timing": {"repeat": {"count": 1, "duration": 5, "durationUnit": "mins"}}}, "route-and-rate"),
    ],
)
def test_timing_that_cannot_be_read_verifies_nothing(client: FlaskClient, part: dict[str, Any], line: str) -> None:
    request = hook_request({})
    draft_of(request)["dosageInstruction"][0] |= part
    assert lines_of(client, request)[line] != "verified"


@pytest.mark.parametrize("rate", ["100 mL/h", {"x": 1}])
def test_a_rate_that_cannot_be_read_verifies_nothing(client: FlaskClient, rate: Any) -> None:
    request = hook_request({})
    draft_of(request)["dosageInstruction"][0]["doseAndRate"][0]["rateQuantity"] = rate
    assert lines_of(client, request)["route-and-rate"] != "verified"


@pytest.mark.parametrize("dispense", [[{"numberOfRepeatsAllowed": 3, "quantity": {"value": 4, "unit": "kit"}}]])
def test_a_dispense_request_in_a_list_is_read(client: FlaskClient, dispense: Any) -> None:
    request = hook_request({})
    draft_of(request)["dispenseRequest"] = dispense
    assert lines_of(client, request)["dose-volume"] == "action-needed"


@pytest.mark.parametrize("volume", ["1e27", "1e30", "-1e30"])
def test_an_absurd_volume_is_answered(client: FlaskClient, volume: str) -> None:
    request = hook_request({})
    body = write_json(request).replace(
        b'"value":19.3,"unit":"mL","system"', f'"value":{volume},"unit":"mL","system"'.encode()
    )
    response = client.post("/cds-services/onasemnogene-order-sign", data=body, content_type="application/json")
    assert response.status_code == 200


def test_a_code_that_the_words_beside_it_contradict_is_no_weight(client: FlaskClient) -> None:
    request = hook_request({})
    a_newer_weight(valueQuantity={"value": 3.2, "unit": "lb", "system": "http://unitsofmeasure.org", "code": "kg"})(
        request
    )
    assert lines_of(client, request)["weight"] == "action-needed"
