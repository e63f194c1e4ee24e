"""Which calls concern this service, and what is answered to those that hardly do (clinical-rules C9, 10.3, rulings 9-15)."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from builders import PATIENT_ID, PRODUCTS, bundle, hook_request
from flask.testing import FlaskClient
from hook_calls import URLS, a_call, cards_of, findings_of, post

GATE_MONTHS_AGO = "2025-09-02"  # six months before the call
ASTHMA = {"reason": "ICD10CM J45.901", "subject": PATIENT_ID}
BESIDE_TOPICS = {"record", "vaccines", "steroid", "liver", "platelets"}
MMR = [{"cvx": "03"}]
Given = dict[str, Any]

NOTHING_OF_OURS: dict[str, Given] = {
    "nothing at all": {},
    "spinal muscular atrophy alone": {"conditions": ["ICD10CM G12.0", "ICD10CM G12.9"]},
    "a steroid for asthma": {"draft_steroids": [ASTHMA], "steroids": [{"reason": "ICD10CM J45.901"}]},
    "a vaccine": {"draft_vaccines": MMR},
    "an open order for another child": {"open_orders": [{"subject": "other"}], "draft_vaccines": MMR},
    "a dose given to another child": {"given_doses": [{"subject": "other"}], "draft_steroids": [{}]},
    "a dose that belongs to nobody": {"given_doses": [{"subject": "none"}], "draft_steroids": [{}]},
    "low platelets": {"labs": {"platelets": "40 10*3/uL"}},
    "lists that did not come": {"lists": {"observations": "failed", "medicationRequests": "absent"}},
}
WORDS_OF_ORDERING = {"draft_steroids", "draft_vaccines"}


def without_product(hook: str, given: Given) -> Given:
    """The child without the product, in the words of the hook's own moment."""
    moments = {"order-dispatch": "dispatch", "encounter-start": "visit", "appointment-book": "booking"}
    moment = moments.get(hook, "ordering")
    own = given if moment == "ordering" else {k: v for k, v in given.items() if k not in WORDS_OF_ORDERING}
    call = {"draft": "none", "steroids": [], "moment": moment, **own}
    return {**call, "slots": [{"for": "vaccination"}]} if moment == "booking" else call


@pytest.mark.hazard("H38")
@pytest.mark.spec("R-101")
@pytest.mark.parametrize("hook", URLS)
@pytest.mark.parametrize("name", NOTHING_OF_OURS)
def test_a_call_without_the_product_gets_no_cards(client: FlaskClient, hook: str, name: str) -> None:
    given = without_product(hook, NOTHING_OF_OURS[name])
    assert cards_of(post(client, hook_request(given, hook))) == []


@pytest.mark.parametrize("hook", URLS)
@pytest.mark.parametrize("name", NOTHING_OF_OURS)
def test_a_call_without_the_product_needs_no_patient(client: FlaskClient, hook: str, name: str) -> None:
    call = hook_request(without_product(hook, NOTHING_OF_OURS[name]), hook)
    del call["prefetch"]["patient"]
    assert cards_of(post(client, call)) == []


@pytest.mark.spec("R-091")
@pytest.mark.parametrize("hook", URLS)
def test_a_call_about_the_product_needs_the_patient(client: FlaskClient, hook: str) -> None:
    call = a_call(hook)
    del call["prefetch"]["patient"]
    assert post(client, call).status_code == 412


@pytest.mark.parametrize(
    "given", [{"procedure_doses": [{"days_ago": 400}]}, {"open_orders": [{"status": "cancelled"}]}]
)
def test_a_call_that_turns_out_not_to_concern_us_needs_no_patient_either(client: FlaskClient, given: Given) -> None:
    call = hook_request({"draft": "none", "draft_vaccines": MMR, **given})
    del call["prefetch"]["patient"]
    assert cards_of(post(client, call)) == []


@pytest.mark.parametrize("hook", URLS)
def test_nothing_is_said_about_a_child_who_has_died(client: FlaskClient, hook: str) -> None:
    assert cards_of(post(client, hook_request({"died": True}, hook))) == []


# --- a corticosteroid or a vaccine beside the product

OTHER_DRAFTS: dict[str, Given] = {
    "steroid": {"draft_steroids": [{"dose": "9 mg"}], "steroids": []},
    "vaccine": {"draft_vaccines": MMR},
}
TRACES: dict[str, Given] = {
    "an open order": {"open_orders": [{}]},
    "an order on hold": {"open_orders": [{"status": "on-hold"}]},
    "a dose": {"given_doses": [{"days_ago": 20}]},
    "a procedure": {"procedure_doses": [{"days_ago": 20}]},
}


@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
@pytest.mark.parametrize("draft", OTHER_DRAFTS)
@pytest.mark.parametrize("trace", TRACES)
def test_a_steroid_or_vaccine_in_a_child_with_the_product_is_answered_by_its_own_topics_only(
    client: FlaskClient, hook: str, draft: str, trace: str
) -> None:
    given = {"draft": "none", "labs": "none", "titers": [], "weight": "1.9 kg", **OTHER_DRAFTS[draft], **TRACES[trace]}
    cards = cards_of(post(client, hook_request(given, hook)))
    assert cards or hook == "order-select"
    assert {card["source"]["topic"]["code"] for card in cards} <= BESIDE_TOPICS


@pytest.mark.parametrize("draft", OTHER_DRAFTS)
def test_an_order_that_was_cancelled_is_no_trace(client: FlaskClient, draft: str) -> None:
    given = {"draft": "none", **OTHER_DRAFTS[draft], "open_orders": [{"status": "cancelled"}]}
    assert cards_of(post(client, hook_request(given))) == []


@pytest.mark.parametrize("name", OTHER_DRAFTS)
def test_a_steroid_or_vaccine_beside_a_draft_of_the_product_leaves_every_topic_open(
    client: FlaskClient, name: str
) -> None:
    given = {**OTHER_DRAFTS[name], "labs": "none"}
    topics = {card["source"]["topic"]["code"] for card in cards_of(post(client, hook_request(given)))}
    assert {"readiness", "baseline"} <= topics


# --- the end of the gate (ruling 15)

LATER: dict[str, Given] = {
    "order-sign": {"draft": "none", "draft_vaccines": MMR},
    "encounter-start": {"moment": "visit", "draft": "none", "lists": {"conditions": "failed"}},
    "appointment-book": {"moment": "booking", "draft": "none", "slots": [{"for": "vaccination"}]},
}
AS_LONG_AS_IT_IS_OPEN: Given = {"steroids": [{"start": "2025-08-01", "end": "2026-04-30"}]}


@pytest.mark.parametrize("hook", LATER)
def test_up_to_six_months_after_the_infusion_a_call_concerns_us(client: FlaskClient, hook: str) -> None:
    given = {**LATER[hook], **AS_LONG_AS_IT_IS_OPEN, "given_doses": [{"when": GATE_MONTHS_AGO}]}
    assert cards_of(post(client, hook_request(given, hook)))


@pytest.mark.parametrize("hook", LATER)
def test_later_than_six_months_after_the_infusion_it_does_not(client: FlaskClient, hook: str) -> None:
    ended = {"steroids": [{"start": "2025-08-01", "end": "2026-02-20"}]}
    given = {**LATER[hook], **ended, "given_doses": [{"when": "2025-09-01"}]}
    assert cards_of(post(client, hook_request(given, hook))) == []


@pytest.mark.parametrize("hook", LATER)
def test_later_than_six_months_it_does_as_long_as_the_corticosteroid_runs(client: FlaskClient, hook: str) -> None:
    given = {**LATER[hook], **AS_LONG_AS_IT_IS_OPEN, "given_doses": [{"when": "2025-09-01"}]}
    assert cards_of(post(client, hook_request(given, hook)))


def test_a_second_order_concerns_us_however_long_ago_the_first_dose_was(client: FlaskClient) -> None:
    response = post(client, hook_request({"given_doses": [{"days_ago": 400}]}))
    assert "repeat-administration" in [finding["rule"] for finding in findings_of(response)]


# --- order-dispatch (ruling 11)

UNREADABLE = {"moment": "dispatch", "draft": "none", "dispatched": ["MedicationRequest/elsewhere"]}


@pytest.mark.hazard("H44")
@pytest.mark.parametrize("trace", TRACES)
def test_a_dispatched_order_that_did_not_come_is_critical_where_the_record_holds_the_product(
    client: FlaskClient, trace: str
) -> None:
    findings = findings_of(post(client, hook_request({**UNREADABLE, **TRACES[trace]})))
    assert [(f["rule"], f["indicator"]) for f in findings] == [("data-unavailable", "critical")]


def test_a_dispatched_order_that_did_not_come_is_nobodys_business_otherwise(client: FlaskClient) -> None:
    assert cards_of(post(client, hook_request(UNREADABLE))) == []


@pytest.mark.parametrize("trace", TRACES)
def test_a_dispatched_order_of_another_kind_is_never_missed(client: FlaskClient, trace: str) -> None:
    given = {**UNREADABLE, **TRACES[trace], "dispatched": ["ServiceRequest/elsewhere"]}
    assert cards_of(post(client, hook_request(given))) == []


def test_a_dispatched_order_for_another_medicine_is_not_ours(client: FlaskClient) -> None:
    given = {"moment": "dispatch", "dispatched": ["MedicationRequest/steroid-1"]}
    assert cards_of(post(client, hook_request(given))) == []


# --- encounter-start (ruling 13, H55)


@pytest.mark.hazard("H55")
@pytest.mark.parametrize(
    ("planned", "concerns_us"),
    [("2026-03-01", True), ("2026-03-02", True), ("none", True), ("2026-03-03", False), ("2026-03", True)],
)
def test_a_visit_concerns_us_unless_the_infusion_is_planned_for_a_later_day(
    client: FlaskClient, planned: str, concerns_us: bool
) -> None:
    given = {"moment": "visit", "draft": {"planned": planned}}
    assert bool(cards_of(post(client, hook_request(given)))) is concerns_us


# --- a parent or the patient at the screen (H42, ruling 9)

FAMILY = ("Patient/synthetic-1", "RelatedPerson/synthetic-mother")
CLINICAL = re.compile(
    r"\d|zolgensma|onasemnogene|prednisol|steroid|cortico|aav9|antibod|liver|infection|atrophy|\bsma\b|smn|vector|gene"
    r"|dose|kit|weight|test|result|critical|warning",
    re.IGNORECASE,
)
SICK: Given = {
    "labs": {"alt": "900 U/L"},
    "titers": ["1:3200"],
    "conditions": ["ICD10CM G12.0", "ICD10CM J06.9"],
    "steroids": [],
}


@pytest.mark.hazard("H42")
@pytest.mark.parametrize("user", FAMILY)
@pytest.mark.parametrize("kind", ["infusion", "vaccination"])
@pytest.mark.parametrize("record", [{}, SICK])
def test_family_is_told_whom_to_ask_and_nothing_else(client: FlaskClient, user: str, kind: str, record: Given) -> None:
    given = {"moment": "booking", "user": user, "slots": [{"for": kind}], **record}
    (card,) = cards_of(post(client, hook_request(given)))
    assert card["indicator"] == "info"
    assert set(card) == {"uuid", "summary", "indicator", "detail", "source"}
    for text in (card["summary"], card["detail"], card["source"]["label"]):
        assert not CLINICAL.search(text), text


@pytest.mark.hazard("H42")
@pytest.mark.parametrize("user", FAMILY)
def test_what_family_is_told_does_not_depend_on_the_record(client: FlaskClient, user: str) -> None:
    given = {"moment": "booking", "user": user}
    assert post(client, hook_request({**given, **SICK})).data == post(client, hook_request(given)).data


@pytest.mark.parametrize("hook", ["order-sign", "order-select", "encounter-start"])
@pytest.mark.parametrize("user", FAMILY)
def test_family_gets_no_finding_on_any_other_hook(client: FlaskClient, hook: str, user: str) -> None:
    call = hook_request(SICK, hook)
    call["context"]["userId"] = user
    assert findings_of(post(client, call)) == []


@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/1"])
def test_a_practitioner_gets_the_findings_while_booking(client: FlaskClient, user: str) -> None:
    assert findings_of(post(client, hook_request({"moment": "booking", "user": user, **SICK})))


@pytest.mark.hazard("H42")
@pytest.mark.parametrize("user", ["Person/1", "Patients/1", "patient", "1", "https://ehr.example.org/Patient/1"])
def test_while_booking_whoever_is_not_named_as_a_practitioner_is_taken_for_family(
    client: FlaskClient, user: str
) -> None:
    response = post(client, hook_request({"moment": "booking", "user": user, **SICK}))
    assert cards_of(response)
    assert findings_of(response) == []


@pytest.mark.parametrize("user", ["1", "Person/1", "https://ehr.example.org/Practitioner/1"])
def test_on_other_hooks_the_findings_go_to_whoever_is_not_named_as_family(client: FlaskClient, user: str) -> None:
    call = hook_request({}, "order-sign")
    call["context"]["userId"] = user
    assert findings_of(post(client, call))


@pytest.mark.parametrize("user", FAMILY)
def test_family_is_told_nothing_about_a_visit_that_is_not_ours(client: FlaskClient, user: str) -> None:
    given = {"moment": "booking", "user": user, "slots": [{"for": "visit"}]}
    assert cards_of(post(client, hook_request(given))) == []


# --- what the log says


def lines_of(log: io.StringIO, event: str) -> list[dict[str, Any]]:
    return [line for text in log.getvalue().splitlines() if (line := json.loads(text))["event"] == event]


def unmapped(number: int, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"local-{number}",
        "status": "final",
        "code": {"coding": [{"system": "urn:local:lab-code", "code": "XALT", "display": "Secret-Name"}]},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "valueQuantity": {"value": 98765.4321, "unit": "U/L"},
        **members,
    }


@pytest.mark.parametrize("hook", URLS)
def test_results_of_unknown_codes_are_counted_in_the_log_without_any_value(
    client: FlaskClient, log: io.StringIO, hook: str
) -> None:
    call = a_call(hook)
    call["prefetch"]["labs"] = bundle([unmapped(1), unmapped(2), unmapped(3, subject={"reference": "Patient/other"})])
    assert post(client, call).status_code == 200
    assert [line["results"] for line in lines_of(log, "unmapped_results")] == [2]
    for secret in ("XALT", "Secret-Name", "98765", PATIENT_ID):
        assert secret not in log.getvalue()


def test_where_every_code_is_known_nothing_is_counted(client: FlaskClient, log: io.StringIO) -> None:
    post(client, hook_request({}))
    assert lines_of(log, "unmapped_results") == []


def test_a_call_that_is_not_ours_counts_nothing(client: FlaskClient, log: io.StringIO) -> None:
    call = hook_request({"draft": "none"})
    call["prefetch"]["labs"] = bundle([unmapped(1)])
    post(client, call)
    assert lines_of(log, "unmapped_results") == []


@pytest.mark.spec("R-044")
@pytest.mark.parametrize("hook", ["order-dispatch", "encounter-start", "appointment-book"])
def test_a_hook_without_drafts_is_not_logged_as_stripped_of_them(
    client: FlaskClient, log: io.StringIO, hook: str
) -> None:
    post(client, hook_request({}, hook))
    assert lines_of(log, "stripped_request") == []


def test_a_slot_that_names_the_product_concerns_us_before_anything_is_ordered(client: FlaskClient) -> None:
    call = hook_request({"moment": "booking", "draft": "none", "born": "2024-02-01", "weight": "12 kg"})
    assert "age-limit" in [finding["rule"] for finding in findings_of(post(client, call))]


def test_the_intrathecal_product_alone_is_not_ours_on_a_visit(client: FlaskClient) -> None:
    given = {"moment": "visit", "draft": {"names": ["ITVISMA"], "rxnorm": "none", "ndc": "none"}}
    assert PRODUCTS["itvisma"]
    assert cards_of(post(client, hook_request(given))) == []
