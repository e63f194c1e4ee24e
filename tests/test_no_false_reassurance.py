"""Requests that say less, or something else, than they seem to: no line that rests on them may be verified."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from builders import PATIENT_ID, SYSTEMS, TODAY, bundle, hook_request, weight_observation
from compose_fixtures import ask, compose_request, findings_in, scenarios
from flask.testing import FlaskClient

from cds_service.hooks.json_body import write_json

Request = dict[str, Any]
Change = Callable[[Request], None]


def lines_of(client: FlaskClient, request: Request) -> dict[str, str]:
    """The state of every line of the checklist that the service answers with."""
    address = f"/cds-services/onasemnogene-{request['hook']}"
    response = client.post(address, data=write_json(request), content_type="application/json")
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


def an_order_nobody_can_name_beside_it(request: Request) -> None:
    draft = {"resourceType": "MedicationRequest", "id": "d9", "status": "draft", "intent": "order"}
    draft |= {
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "medicationReference": {"reference": "Medication/away"},
    }
    request["context"]["draftOrders"]["entry"].append({"resource": draft})


@pytest.mark.hazard("H13")
@pytest.mark.parametrize(
    "change",
    [
        an_administration_nobody_can_name,
        an_order_nobody_can_name_beside_it,
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


@pytest.mark.parametrize(
    ("born", "state"),
    [
        ("2019", "action-needed"),
        ("2023", "action-needed"),
        ("2024", "not-checkable"),
        ("2025", "verified"),
        ("2024-02", "action-needed"),
        ("2024-03", "not-checkable"),
        ("2024-05", "verified"),
        ("2026-13", "not-checkable"),
        ("2024-03-04T08:00:00Z", "not-checkable"),
        (2024, "not-checkable"),
        (None, "not-checkable"),
    ],
)
def test_a_birth_date_that_may_lie_on_either_side_of_the_limit_proves_no_age(
    client: FlaskClient, born: Any, state: str
) -> None:
    """Planned for 3 March 2026: the second birthday has to lie behind it or before it on every day it may be."""
    request = hook_request({})
    request["prefetch"]["patient"]["birthDate"] = born
    assert lines_of(client, request)["age-limit"] == state


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
        ({"timing": [{"repeat": {"count": 1}}, {"repeat": {"count": 3}}]}, "dose-volume"),
        ({"timing": {"repeat": [{"count": 1}, {"count": 3}]}}, "dose-volume"),
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


@pytest.mark.parametrize(
    "dispense",
    ["3 refills", [{"numberOfRepeatsAllowed": 0}, {"numberOfRepeatsAllowed": 3}], 3],
)
def test_a_dispense_request_that_cannot_be_read_verifies_no_single_dose(client: FlaskClient, dispense: Any) -> None:
    request = hook_request({})
    draft_of(request)["dispenseRequest"] = dispense
    assert lines_of(client, request)["dose-volume"] != "verified"


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


def test_pounds_in_place_of_kilograms_are_not_verified_where_the_weight_before_cannot_be_read(
    client: FlaskClient,
) -> None:
    request = hook_request({"weights": ["7.7 kg", {"weight": "3.5 kg", "days_ago": 11}]})
    assert lines_of(client, deepcopy(request))["weight"] == "action-needed"
    entries = request["prefetch"]["observations"]["entry"]
    before = next(entry["resource"] for entry in entries if entry["resource"]["id"] == "w2")
    before["valueQuantity"]["value"] = "illegible"
    lines = lines_of(client, request)
    assert lines["weight"] == "not-checkable"
    assert "verified" not in {lines["dose-volume"], lines["kit"]}


def test_a_method_that_cannot_be_read_may_be_a_push(client: FlaskClient) -> None:
    request = compose_request(scenarios()["push-or-bolus"], "order-sign")
    assert lines_of(client, deepcopy(request))["route-and-rate"] == "action-needed"
    draft_of(request)["dosageInstruction"][0]["method"] = "x"
    assert lines_of(client, request)["route-and-rate"] == "not-checkable"
    assert "route-intravenous" in rules_in(client, request)


@pytest.mark.parametrize("status", ["no-such-status", "", None, ["active"], 7])
def test_an_order_of_the_product_whose_status_cannot_be_read_may_be_open(client: FlaskClient, status: Any) -> None:
    request = hook_request({"open_orders": [{"id": "o9"}]})
    assert lines_of(client, deepcopy(request))["prior-exposure"] == "action-needed"
    entries = request["prefetch"]["medicationRequests"]["entry"]
    order = next(entry["resource"] for entry in entries if "o9" in entry["resource"]["id"])
    order["status"] = status
    assert lines_of(client, request)["prior-exposure"] == "action-needed"


@pytest.mark.parametrize(
    "code",
    [
        7,
        {"coding": [["B16.9"]]},
        {"coding": {"value": {"value": 1}}},
        {"coding": [{"code": True}]},
        {"coding": [{"system": ["http://hl7.org/fhir/sid/icd-10-cm"], "code": "B16.9"}]},
        {"coding": [{"system": 7, "code": "B16.9"}], "text": "Of its own"},
        {"coding": ["B16.9"], "text": "Of its own"},
    ],
)
@pytest.mark.parametrize("kind", ["Condition", "Observation"])
def test_a_diagnosis_or_result_that_nobody_can_name_is_told(client: FlaskClient, kind: str, code: Any) -> None:
    request = hook_request({})
    key = {"Condition": "conditions", "Observation": "observations"}[kind]
    entries = request["prefetch"][key]["entry"]
    entries.append({"resource": {**deepcopy(entries[-1]["resource"]), "id": "nameless", "code": code}})
    request["prefetch"][key]["total"] += 1
    told = client.post(
        "/cds-services/onasemnogene-order-sign", data=write_json(request), content_type="application/json"
    )
    assert f"{kind}/nameless: no-code" in told.text


@pytest.mark.hazard("H13")
@pytest.mark.parametrize(
    ("kind", "key", "member"),
    [
        ("Procedure", "procedures", "code"),
        ("Immunization", "immunizations", "vaccineCode"),
    ],
)
@pytest.mark.parametrize("code", [{"coding": ["x"]}, {"coding": [{"system": 7, "code": "J3399"}]}, 7])
def test_a_record_of_something_given_that_nobody_can_name_may_be_an_earlier_dose(
    client: FlaskClient, kind: str, key: str, member: str, code: Any
) -> None:
    request = hook_request({})
    bundle = request["prefetch"][key]
    nameless = {"resourceType": kind, "id": "nameless", "status": "completed", member: code}
    bundle["entry"] = [*bundle.get("entry", []), {"resource": {**nameless, **_subject_of(kind)}}]
    bundle["total"] = len(bundle["entry"])
    assert lines_of(client, deepcopy(request))["prior-exposure"] != "verified"
    told = client.post(
        "/cds-services/onasemnogene-order-sign", data=write_json(request), content_type="application/json"
    )
    assert f"{kind}/nameless: no-code" in told.text


def _subject_of(kind: str) -> dict[str, Any]:
    return {"patient" if kind == "Immunization" else "subject": {"reference": f"Patient/{PATIENT_ID}"}}


def test_a_diagnosis_that_one_of_its_codes_tells_is_read_although_another_cannot_be(client: FlaskClient) -> None:
    request = hook_request({"conditions": ["ICD10CM G12.0", "ICD10CM K72.00"]})
    diagnosis = request["prefetch"]["conditions"]["entry"][-1]["resource"]
    diagnosis["code"]["coding"].append({"system": 7, "code": "K72.00"})
    told = client.post(
        "/cds-services/onasemnogene-order-sign", data=write_json(request), content_type="application/json"
    )
    assert "hepatic-impairment" in told.text
    assert "no-code" not in told.text


def test_a_draft_that_changes_an_order_of_unknown_dose_is_not_taken_for_the_full_dose(client: FlaskClient) -> None:
    request = compose_request(scenarios()["steroid-cut-before-the-end"], "order-sign")
    assert "steroid-taper-too-early" in rules_in(client, deepcopy(request))
    del request["prefetch"]["medicationRequests"]["entry"][0]["resource"]["dosageInstruction"][0]["doseAndRate"]
    assert "steroid-not-computable" in rules_in(client, request)


@pytest.mark.parametrize("written", [["x"], 7, {"x": 1}, "in spring", "2026-03"])
def test_an_order_of_a_treated_child_whose_day_cannot_be_read_may_be_for_today(
    client: FlaskClient, written: Any
) -> None:
    request = compose_request(scenarios()["repeat-at-dispatch"], "encounter-start")
    order = request["prefetch"]["medicationRequests"]["entry"][0]["resource"]
    order["dosageInstruction"][0]["timing"]["event"] = [written]
    assert "repeat-administration" in rules_in(client, request)


@pytest.mark.parametrize("days", [[], ["2026-03-20"]])
def test_a_treated_child_with_an_open_order_beside_the_dose_is_not_on_track(
    client: FlaskClient, days: list[str]
) -> None:
    request = compose_request(scenarios()["repeat-at-dispatch"], "encounter-start")
    order = request["prefetch"]["medicationRequests"]["entry"][0]["resource"]
    order["dosageInstruction"][0]["timing"]["event"] = days
    _, body = ask(client, "encounter-start", write_json(deepcopy(request)))
    assert "On track" not in body["cards"][0]["summary"]
    assert "an open order for the product" in body["cards"][0]["detail"]
    dose = request["prefetch"]["medicationAdministrations"]["entry"][0]["resource"]
    dose["request"] = {"reference": f"MedicationRequest/{order['id']}"}
    _, body = ask(client, "encounter-start", write_json(request))
    assert "On track" in body["cards"][0]["summary"]


def test_a_platelet_count_that_cannot_be_read_leaves_nobody_on_track(client: FlaskClient) -> None:
    request = compose_request(scenarios()["platelets-60-without-creatinine"], "patient-view")
    entries = [entry["resource"] for entry in request["prefetch"]["observations"]["entry"]]
    low = next(item for item in entries if item.get("valueQuantity", {}).get("value") == 60)
    low["valueQuantity"] = "illegible"
    _, body = ask(client, "patient-view", write_json(request))
    assert "On track" not in body["cards"][0]["summary"]
    assert "a result that can be read" in body["cards"][0]["detail"]


def rules_in(client: FlaskClient, request: Request) -> set[str]:
    status, body = ask(client, request["hook"], write_json(request))
    assert status == 200
    return {finding["rule"] for finding in findings_in(body)}


@pytest.mark.parametrize("part", [{"status": "no-such-status"}, {"occurrenceDateTime": "yesterday"}])
def test_a_receipt_of_the_kit_that_cannot_be_read_is_told_and_not_called_missing(
    client: FlaskClient, part: dict[str, Any]
) -> None:
    request = hook_request({"moment": "visit", "kit": [{"received": "2026-02-10"}]})
    assert lines_of(client, deepcopy(request))["kit-use-by"] == "action-needed"
    (entry,) = request["prefetch"]["kitEvents"]["entry"]
    entry["resource"] |= part
    told = client.post(
        "/cds-services/onasemnogene-encounter-start", data=write_json(request), content_type="application/json"
    )
    assert f"SupplyDelivery/{entry['resource']['id']}" in told.text


@pytest.mark.parametrize("route", [True, "IT", {"coding": [["intrathecal"]]}, {"coding": [{"code": 7}]}, [7]])
def test_a_route_that_cannot_be_read_is_not_called_missing(client: FlaskClient, route: Any) -> None:
    request = hook_request({})
    draft_of(request)["dosageInstruction"][0]["route"] = route
    told = client.post(
        "/cds-services/onasemnogene-order-sign", data=write_json(request), content_type="application/json"
    )
    assert lines_of(client, request)["route-and-rate"] == "not-checkable"
    assert "the order names none" not in told.text


# --- laboratory, titre, corticosteroid, kit -----------------------------------------------------------------------

DOUBTFUL = [
    ({"labs": {"alt": {"status": "preliminary"}}}, "alt"),
    ({"labs": {"alt": {"status": "registered"}}}, "alt"),
    ({"labs": {"alt": {"status": "no-such-status"}}}, "alt"),
    ({"labs": {"alt": {"when": "2026-02-28T08:00:00"}}}, "alt"),
    ({"labs": {"alt": {"when": "2026-02"}}}, "alt"),
    ({"labs": {"alt": {"when": "none"}}}, "alt"),
    ({"labs": {"alt": {"days_ago": -1}}}, "alt"),
    ({"labs": {"alt": {"subject": "none"}}}, "alt"),
    ({"labs": {"alt": {"subject": "other"}}}, "alt"),
    ({"labs": {"alt": {"string": "HEMOLYZED"}}}, "alt"),
    ({"labs": {"alt": {"string": "normal"}}}, "alt"),
    ({"labs": {"alt": {"absent": True}}}, "alt"),
    ({"labs": {"alt": {"range": "none"}}}, "alt"),
    ({"labs": {"alt": {"range": "none", "flag": "N"}}}, "alt"),
    ({"labs": {"alt": {"range": "adults see comment"}}}, "alt"),
    ({"labs": {"alt": {"value": "20 mg/dL", "range": [0, 40], "range_unit": "U/L"}}}, "alt"),
    ({"labs": {"alt": {"value": "> 20 U/L"}}}, "alt"),
    ({"labs": {"alt": ["20 U/L", "90 U/L"]}}, "alt"),
    ({"labs": {"alt": ["20 U/L", {"value": "90 U/L", "status": "preliminary", "days_ago": 1}]}}, "alt"),
    ({"labs": {"alt": {"code": "76625-3", "value": "none"}}}, "alt"),
    ({"labs": {"total_bilirubin": {"code": "1968-7"}}}, "total-bilirubin"),
    ({"labs": {"platelets": {"string": "Clumped"}}}, "platelets"),
    ({"labs": {"platelets": {"concept": "adequate"}}}, "platelets"),
    ({"labs": {"platelets": "none", "platelet_estimate": "250 10*3/uL"}}, "platelets"),
    ({"labs": {"platelets": "300 G"}}, "platelets"),
    ({"labs": {"creatinine": {"string": "see comment"}}}, "creatinine"),
    ({"labs": {"inr": {"status": "cancelled"}}}, "inr"),
    ({"titers": [{"text": "50", "name": "Anti-AAV9 antibody"}]}, "anti-aav9"),
    ({"titers": ["50:1"]}, "anti-aav9"),
    ({"titers": ["<1:100"]}, "anti-aav9"),
    ({"titers": ["negative"]}, "anti-aav9"),
    ({"titers": ["pending"]}, "anti-aav9"),
    ({"titers": [{"ratio": [1, 50], "status": "preliminary"}]}, "anti-aav9"),
    ({"titers": [{"text": "1:25", "subject": "other"}]}, "anti-aav9"),
    ({"titers": [{"text": "1:25", "days_ago": -1}]}, "anti-aav9"),
    ({"titers": ["1:25", {"text": "1:100", "days_ago": 2}]}, "anti-aav9"),
    ({"titers": ["1:25", "1:100"]}, "anti-aav9"),
    ({"titers": [{"text": "1:25", "name": "Adenovirus antibody titer"}]}, "anti-aav9"),
    ({"steroids": [{"status": "on-hold"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"status": "cancelled"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"intent": "plan"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"prn": True}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"route": "Inhalation"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"dose": "1 mL"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"dose": "none", "text": "3.2 mg daily"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"dose_range": ["3 mg", "4 mg"]}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"frequency": "none"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"subject": "other"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"drug": "unheard", "name": "a corticosteroid"}], "steroid_doses": []}, "steroid"),
    ({"steroids": [{"supply_days": 14}]}, "steroid"),
    ({"steroids": [{"rxnorm": "2878"}], "steroid_doses": [], "weights": []}, "steroid"),
]
ON_THE_DAY = [
    ({"steroid_doses": []}, "steroid"),
    ({"steroid_doses": [{"when": "2026-03-01T08:00:00Z", "status": "not-done"}]}, "steroid"),
    ({"steroid_doses": [{"when": "2026-03-01T08:00:00Z", "status": "unknown"}]}, "steroid"),
    ({"steroid_doses": [{"when": "2026-03-01T08:00:00Z", "subject": "other"}]}, "steroid"),
    ({"steroid_doses": [{"when": "2026-03-01T08:00:00Z", "drug": "budesonide", "route": "Inhalation"}]}, "steroid"),
    ({"kit": []}, "kit-use-by"),
    ({"kit": [{"received": "2026-03-04"}]}, "kit-use-by"),
    ({"kit": [{"received": "2026-02"}]}, "kit-use-by"),
    ({"kit": [{"received": "2026-02-25", "status": "abandoned"}]}, "kit-use-by"),
    ({"kit": [{"received": "2026-02-25", "subject": "other"}]}, "kit-use-by"),
    ({"labs": {"alt": {"days_ago": 8}}}, "alt"),
    ({"weights": [{"weight": "3.2 kg", "days_ago": 2}]}, "weight"),
]


def named(cases: list[tuple[dict[str, Any], str]]) -> list[Any]:
    return [pytest.param(given, line, id=f"{line}: {json.dumps(given)}") for given, line in cases]


def request_of(given: dict[str, Any], hook: str) -> Request:
    """A visit is the infusion visit of a child whose kit came in time."""
    if hook == "order-sign":
        return hook_request(given)
    return hook_request({"moment": "visit", "kit": [{"received": "2026-02-25"}], **given})


@pytest.mark.parametrize("hook", ["order-sign", "encounter-start"])
def test_the_default_child_is_verified_line_by_line(client: FlaskClient, hook: str) -> None:
    lines = lines_of(client, request_of({}, hook))
    checked = {line for _, line in DOUBTFUL + (ON_THE_DAY if hook == "encounter-start" else [])}
    assert {lines[line] for line in checked} == {"verified"}


@pytest.mark.parametrize("hook", ["order-sign", "encounter-start"])
@pytest.mark.parametrize(("given", "line"), named(DOUBTFUL))
def test_a_doubtful_result_or_order_verifies_nothing(
    client: FlaskClient, given: dict[str, Any], line: str, hook: str
) -> None:
    assert lines_of(client, request_of(given, hook))[line] != "verified"


@pytest.mark.parametrize(("given", "line"), named(ON_THE_DAY))
def test_on_the_infusion_day_nothing_is_verified_by(client: FlaskClient, given: dict[str, Any], line: str) -> None:
    assert lines_of(client, request_of(given, "encounter-start"))[line] != "verified"


LISTS = ["observations", "medicationRequests", "medicationAdministrations", "conditions", "immunizations", "procedures"]
PROVEN_BY = {
    "observations": {
        "weight", "dose-volume", "kit", "gestational-age", "smn1-biallelic", "anti-aav9", "alt", "ast",
        "total-bilirubin", "albumin", "prothrombin-time", "partial-thromboplastin-time", "inr", "creatinine",
        "hemoglobin", "platelets", "steroid",
    },
    "medicationRequests": {"prior-exposure"},
    "medicationAdministrations": {"prior-exposure"},
    "immunizations": {"prior-exposure"},
    "procedures": {"prior-exposure"},
}  # fmt: skip


@pytest.mark.hazard("H24")
@pytest.mark.hazard("H25")
@pytest.mark.hazard("H26")
@pytest.mark.parametrize("state", ["failed", "html", "absent", "partial"])
@pytest.mark.parametrize("hook", ["order-sign", "encounter-start"])
@pytest.mark.parametrize("key", LISTS)
def test_a_list_in_trouble_verifies_nothing_and_leaves_the_infection_open(
    client: FlaskClient, key: str, hook: str, state: str
) -> None:
    """H24, H25, H26. What a part of a list can prove stays proven: an order that is there, a diagnosis, an age."""
    lines = lines_of(client, request_of({"lists": {key: state}}, hook))
    proven = PROVEN_BY.get(key, set())
    if state == "partial":
        proven = proven - {"gestational-age", "smn1-biallelic"}
    assert not {line for line in proven if lines.get(line) == "verified"}
    if lines and key in ("observations", "medicationRequests", "conditions"):
        assert lines["infection"] == "not-checkable"
