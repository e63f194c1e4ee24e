"""Hook calls as a client sends them, with one thing changed."""

from __future__ import annotations

from typing import Any

from builders import PATIENT_ID, bundle, hook_request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.hooks.json_body import write_json

SIGN, SELECT = "/cds-services/onasemnogene-order-sign", "/cds-services/onasemnogene-order-select"
DISPATCH, VISIT = "/cds-services/onasemnogene-order-dispatch", "/cds-services/onasemnogene-encounter-start"
BOOKING = "/cds-services/onasemnogene-appointment-book"
CHART, DISCHARGE = "/cds-services/onasemnogene-patient-view", "/cds-services/onasemnogene-encounter-discharge"
URLS = {
    "order-sign": SIGN,
    "order-select": SELECT,
    "order-dispatch": DISPATCH,
    "encounter-start": VISIT,
    "appointment-book": BOOKING,
    "patient-view": CHART,
    "encounter-discharge": DISCHARGE,
}
# What makes a call of a hook concern this service: on the others the default child's order does.
OURS: dict[str, dict[str, Any]] = {
    "patient-view": {"infused": "2026-02-20"},
    "encounter-discharge": {"infused": "2026-02-20"},
}
JSON = "application/json"
AUTHORIZATION = {
    "access_token": "opaque-token-of-this-test",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/Patient.read user/Observation.rs",
    "subject": "onasemnogene-cds",
}


def a_call(hook: str = "order-sign", **changes: Any) -> dict[str, Any]:
    """A call about the default child that concerns us; `changes` replace or add members of the request."""
    return {**hook_request(OURS.get(hook, {}), hook), **changes}


def with_context(hook: str = "order-sign", **changes: Any) -> dict[str, Any]:
    """A call whose context is changed."""
    call = a_call(hook)
    return {**call, "context": {**call["context"], **changes}}


def without_context(name: str, hook: str = "order-sign") -> dict[str, Any]:
    """A call whose context lacks one field."""
    call = a_call(hook)
    del call["context"][name]
    return call


def about_another_drug(hook: str = "order-sign", **changes: Any) -> dict[str, Any]:
    """A call that is none of this service's business."""
    call = with_context(hook, draftOrders=bundle([an_amoxicillin_order()]))
    if hook == "order-select":
        call["context"]["selections"] = ["MedicationRequest/other-1"]
    return {**call, **changes}


def an_amoxicillin_order() -> dict[str, Any]:
    """A draft for something else."""
    return {
        "resourceType": "MedicationRequest",
        "id": "other-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Amoxicillin 250 mg/5 mL"},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
    }


def post(client: FlaskClient, call: Any, url: str = "", **options: Any) -> TestResponse:
    """The call, posted to the service of its hook or to `url`."""
    url = url or URLS[call["hook"]]
    body = call if isinstance(call, bytes) else write_json(call)
    return client.post(url, data=body, **{"content_type": JSON, **options})


def cards_of(response: TestResponse) -> list[dict[str, Any]]:
    """The cards of a successful answer."""
    assert response.status_code == 200, response.text
    cards: list[dict[str, Any]] = response.json["cards"]
    return cards


def findings_of(response: TestResponse) -> list[dict[str, Any]]:
    """All findings on the cards of a successful answer."""
    return [f for card in cards_of(response) for f in card.get("extension", {}).get("onasemnogene-cds.findings", [])]


def path_of(response: TestResponse) -> str:
    """Where a refusal says that the fault is."""
    return str(response.json["issue"][0].get("expression", [""])[0])
