"""What each hook's context must hold, and the shapes that published versions of the hooks have given it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders import PATIENT_ID, bundle, hook_request
from flask.testing import FlaskClient
from hook_calls import URLS, a_call, cards_of, findings_of, path_of, post, with_context, without_context
from werkzeug.test import TestResponse

NOT_TEXT: list[Any] = [1, 1.5, True, [], {}, "", "  "]
REQUIRED = {
    "order-select": ("userId", "patientId", "selections"),
    "order-sign": ("userId", "patientId"),
    "order-dispatch": ("patientId", "dispatchedOrders", "performer"),
    "encounter-start": ("userId", "patientId", "encounterId"),
    "appointment-book": ("userId", "patientId", "appointments"),
}
TEXTS = {hook: [n for n in names if n.endswith("Id") or n == "performer"] for hook, names in REQUIRED.items()}
OF_EVERY_HOOK = [(hook, name) for hook, names in REQUIRED.items() for name in names]
Change = Callable[[dict[str, Any]], None]


def refused_at(path: str, response: TestResponse) -> None:
    assert response.status_code == 400, response.text
    assert path_of(response) == path


@pytest.mark.spec("R-044")
@pytest.mark.parametrize(("hook", "name"), OF_EVERY_HOOK)
def test_a_missing_required_field_is_refused_with_its_path(client: FlaskClient, hook: str, name: str) -> None:
    refused_at(f"context.{name}", post(client, without_context(name, hook)))
    refused_at(f"context.{name}", post(client, with_context(hook, **{name: None})))


@pytest.mark.spec("R-009")
@pytest.mark.parametrize(("hook", "name"), [(hook, name) for hook, names in TEXTS.items() for name in names])
@pytest.mark.parametrize("value", NOT_TEXT)
def test_a_required_text_that_is_none_is_refused(client: FlaskClient, hook: str, name: str, value: Any) -> None:
    refused_at(f"context.{name}", post(client, with_context(hook, **{name: value})))


@pytest.mark.parametrize("hook", URLS)
@pytest.mark.parametrize("patient", [f"Patient/{PATIENT_ID}", f"{PATIENT_ID} "])
def test_on_every_hook_the_patients_id_is_bare(client: FlaskClient, hook: str, patient: str) -> None:
    refused_at("context.patientId", post(client, with_context(hook, patientId=patient)))


@pytest.mark.spec("R-040")
@pytest.mark.parametrize("hook", URLS)
@pytest.mark.parametrize("called", URLS)
def test_each_service_answers_its_own_hook_only(client: FlaskClient, hook: str, called: str) -> None:
    response = post(client, a_call(hook), URLS[called])
    if hook == called:
        assert cards_of(response)
    else:
        refused_at("hook", response)


@pytest.mark.parametrize("hook", ["order-sign", "order-select", "appointment-book"])
def test_where_the_encounter_is_optional_it_may_be_absent(client: FlaskClient, hook: str) -> None:
    assert cards_of(post(client, with_context(hook, encounterId="89284"))) == cards_of(post(client, a_call(hook)))


# --- order-dispatch


@pytest.mark.spec("R-065")
def test_a_dispatch_names_no_user(client: FlaskClient) -> None:
    assert "userId" not in a_call("order-dispatch")["context"]
    assert cards_of(post(client, a_call("order-dispatch")))


@pytest.mark.parametrize("user", ["Practitioner/1", "Patient/1", 1, None])
def test_a_user_that_a_dispatch_names_all_the_same_changes_nothing(client: FlaskClient, user: Any) -> None:
    expected = cards_of(post(client, a_call("order-dispatch")))
    assert cards_of(post(client, with_context("order-dispatch", userId=user))) == expected


@pytest.mark.hazard("H43")
@pytest.mark.parametrize("shape", ["1.1", "hyphenated", "1.0"])
@pytest.mark.parametrize("kit", [[], [{"received": "2026-02-25T10:00:00Z", "as": "Task"}]])
def test_every_published_spelling_of_a_dispatch_means_the_same(client: FlaskClient, shape: str, kit: Any) -> None:
    given = {"moment": "dispatch", "kit": kit, "draft": {"ndc": "71894-122-03"}}
    expected = findings_of(post(client, hook_request(given)))
    assert findings_of(post(client, hook_request({**given, "dispatch_shape": shape}))) == expected
    assert "kit-ndc" in [finding["rule"] for finding in expected]


def dispatch_of(**orders: Any) -> dict[str, Any]:
    call = without_context("dispatchedOrders", "order-dispatch")
    call["context"] |= orders
    return call


@pytest.mark.parametrize("name", ["dispatchedOrders", "dispatched-orders", "order"])
@pytest.mark.parametrize(
    "references",
    [
        ["MedicationRequest/draft-1"],
        "MedicationRequest/draft-1",
        "ServiceRequest/other, MedicationRequest/draft-1",
        ["https://ehr.example.org/fhir/MedicationRequest/draft-1"],
        "draft-1",
    ],
)
def test_dispatched_orders_may_be_an_array_or_one_text(client: FlaskClient, name: str, references: Any) -> None:
    rules = {finding["rule"] for finding in findings_of(post(client, dispatch_of(**{name: references})))}
    assert rules == {finding["rule"] for finding in findings_of(post(client, a_call("order-dispatch")))}


@pytest.mark.parametrize("name", ["dispatchedOrders", "dispatched-orders", "order"])
@pytest.mark.parametrize("references", [{}, 1, True])
def test_dispatched_orders_of_another_type_are_refused(client: FlaskClient, name: str, references: Any) -> None:
    refused_at(f"context.{name}", post(client, dispatch_of(**{name: references})))


def test_a_dispatched_order_that_is_no_text_is_refused_with_its_place(client: FlaskClient) -> None:
    orders = ["MedicationRequest/draft-1", {"reference": "MedicationRequest/draft-1"}]
    refused_at("context.dispatchedOrders[1]", post(client, dispatch_of(dispatchedOrders=orders)))


@pytest.mark.parametrize("tasks", ["Task/1", 1, True])
def test_tasks_that_are_no_resources_are_refused(client: FlaskClient, tasks: Any) -> None:
    refused_at("context.fulfillmentTasks", post(client, with_context("order-dispatch", fulfillmentTasks=tasks)))


@pytest.mark.parametrize("tasks", [None, [], {}, [None, 1, "x"]])
def test_a_dispatch_needs_no_tasks(client: FlaskClient, tasks: Any) -> None:
    assert cards_of(post(client, with_context("order-dispatch", fulfillmentTasks=tasks)))


# --- appointment-book

LATE_SLOT = [{"start": "2026-04-20T09:00:00Z"}]


def booking(shape: str) -> dict[str, Any]:
    """An infusion that is booked for a day on which this child is two years old."""
    given = {"moment": "booking", "born": "2024-04-10", "weight": "11.2 kg", "slots": LATE_SLOT}
    return hook_request({**given, "appointments_shape": shape})


def as_published(call: dict[str, Any]) -> None:
    """A Bundle, as the hook's page says."""


def under_the_wrong_key(call: dict[str, Any]) -> None:
    call["context"]["appointment"] = call["context"].pop("appointments")


def without_its_type(call: dict[str, Any]) -> None:
    del call["context"]["appointments"]["type"]


@pytest.mark.hazard("H43")
@pytest.mark.parametrize("shape", ["bundle", "array", "singular"])
def test_appointments_may_be_a_bundle_an_array_or_one_resource(client: FlaskClient, shape: str) -> None:
    findings = findings_of(post(client, booking(shape)))
    assert findings == findings_of(post(client, booking("bundle")))
    assert "age-limit" in [finding["rule"] for finding in findings]


@pytest.mark.parametrize("change", [under_the_wrong_key, without_its_type])
def test_a_bundle_of_appointments_may_be_misspelt(client: FlaskClient, change: Change) -> None:
    call = booking("bundle")
    change(call)
    assert findings_of(post(client, call)) == findings_of(post(client, booking("bundle")))


@pytest.mark.parametrize("appointments", ["Appointment/1", 1, True])
def test_appointments_of_another_type_are_refused(client: FlaskClient, appointments: Any) -> None:
    refused_at("context.appointments", post(client, with_context("appointment-book", appointments=appointments)))


def test_entries_of_appointments_that_are_no_array_are_refused(client: FlaskClient) -> None:
    broken = {"resourceType": "Bundle", "entry": "x"}
    refused_at("context.appointments.entry", post(client, with_context("appointment-book", appointments=broken)))


@pytest.mark.parametrize("appointments", [bundle([]), [], {}, [None, 1], {"resourceType": "Bundle"}])
def test_a_booking_without_a_slot_gets_no_cards(client: FlaskClient, appointments: Any) -> None:
    assert cards_of(post(client, with_context("appointment-book", appointments=appointments))) == []


# --- no odd value makes a hook fail

ODD_VALUES: list[Any] = [None, True, 0, "", "x", [], {}, [None], [[]], {"resourceType": "Bundle", "entry": "x"}]


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        *[(h, n) for h, names in REQUIRED.items() for n in names],
        ("order-dispatch", "fulfillmentTasks"),
        ("order-dispatch", "order"),
        ("order-dispatch", "task"),
        ("appointment-book", "appointment"),
        ("encounter-start", "extension"),
    ],
)
def test_an_odd_value_in_a_context_is_refused_or_read(client: FlaskClient, hook: str, name: str) -> None:
    for value in ODD_VALUES:
        response = post(client, with_context(hook, **{name: value}))
        assert response.status_code in (200, 400, 412), (value, response.text)
