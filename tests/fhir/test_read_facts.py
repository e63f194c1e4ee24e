"""One resource that cannot be read spoils nothing: it is reported, and everything else counts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cds_service.domain.facts import PatientFacts
from cds_service.fhir import read_facts as package_door
from cds_service.hooks.json_body import read_json_object

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TWO_WEIGHTS = {"weights": [{"weight": "3.2 kg", "days_ago": 1}, {"weight": "3.1 kg", "days_ago": 3}]}


def test_a_reader_that_fails_on_one_resource_is_reported_and_the_others_are_read(
    facts_of: FactsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules[package_door.__module__]
    read = module.read_weight

    def fails_on_the_first(resource: dict[str, Any], *rest: Any) -> Any:
        if resource["id"] == "w1":
            raise ValueError("Jane Doe")
        return read(resource, *rest)

    monkeypatch.setattr(module, "read_weight", fails_on_the_first)
    facts = facts_of(TWO_WEIGHTS)
    assert [weight.evidence.reference for weight in facts.weights] == ["Observation/w2"]
    assert [item.evidence.reference for item in facts.unreadable] == ["Observation/w1"]
    assert "Jane" not in str(facts.unreadable)


@pytest.mark.parametrize("state", ["absent", "null", "failed", "html"])
def test_a_child_without_a_record_of_its_own_is_not_available(facts_of: FactsOf, state: str) -> None:
    assert facts_of({}).has_patient
    assert not facts_of({"lists": {"patient": state}}).has_patient


def test_numbers_stay_exact_from_the_request_to_the_facts(facts_of: FactsOf) -> None:
    weight = facts_of({"weight": "3.0500 kg"}).weights[0]
    assert weight.quantity is not None
    assert str(weight.quantity.value) == "3.0500"


def test_a_number_beyond_binary_precision_survives_the_request() -> None:
    body = b'{"value": 3.04999999999999999999}'
    assert str(read_json_object(body)["value"]) == "3.04999999999999999999"


# --- which orders a call is about


def references(orders: Any) -> list[str]:
    return [order.evidence.reference for order in orders]


@pytest.mark.parametrize("moment", ["visit", "booking"])
def test_at_a_visit_and_while_booking_the_open_orders_are_the_orders_in_hand(facts_of: FactsOf, moment: str) -> None:
    facts = facts_of({"moment": moment})
    assert references(facts.drafts) == references(facts.open_orders) == ["MedicationRequest/draft-1"]


def test_a_dispatched_order_is_in_hand_and_those_beside_it_are_open(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "dispatch", "open_orders": [{}]})
    assert references(facts.drafts) == ["MedicationRequest/draft-1"]
    assert sorted(references(facts.open_orders)) == ["MedicationRequest/draft-1", "MedicationRequest/order-1"]
    assert facts.unresolved_orders == ()


@pytest.mark.parametrize("status", ["completed", "stopped", "cancelled"])
def test_a_dispatched_order_that_is_closed_is_in_hand_all_the_same(facts_of: FactsOf, status: str) -> None:
    facts = facts_of({"moment": "dispatch", "draft": {"status": status}})
    assert (references(facts.drafts), facts.open_orders) == (["MedicationRequest/draft-1"], ())


def test_a_dispatched_reference_that_leads_nowhere_is_told(facts_of: FactsOf) -> None:
    wanted = ["MedicationRequest/draft-1", "MedicationRequest/away", "ServiceRequest/away", "away-too"]
    facts = facts_of({"moment": "dispatch", "dispatched": wanted})
    assert facts.unresolved_orders == ("MedicationRequest/away", "MedicationRequest/away-too")


def test_a_dispatched_order_for_another_medicine_is_not_unresolved(facts_of: FactsOf) -> None:
    assert facts_of({"moment": "dispatch", "dispatched": ["MedicationRequest/steroid-1"]}).unresolved_orders == ()


# --- drafts beside the record


def test_a_steroid_draft_takes_the_place_of_the_order_it_replaces(facts_of: FactsOf) -> None:
    draft = {"draft_steroids": [{"dose": "5 mg", "replaces": "MedicationRequest/steroid-1"}]}
    facts = facts_of(draft)
    assert [(order.order_id, order.is_draft) for order in facts.steroid_orders] == [("draft-steroid-1", True)]


def test_a_steroid_draft_stands_beside_the_orders_of_the_record(facts_of: FactsOf) -> None:
    facts = facts_of({"draft_steroids": [{}]})
    assert sorted(order.is_draft for order in facts.steroid_orders) == [False, True]


def test_a_test_in_the_session_counts_as_requested(facts_of: FactsOf) -> None:
    facts = facts_of({"draft_requests": [{"code": "LOINC 2160-0"}]})
    assert [sorted(request.concepts) for request in facts.requested_tests] == [["creatinine"]]


def test_the_slot_being_booked_is_told_from_those_in_the_record(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "booking", "appointments": [{"for": "visit"}]})
    assert sorted((slot.kind.value, slot.is_proposed) for slot in facts.slots) == [("infusion", True), ("other", False)]


# --- results


def test_results_of_no_known_code_are_counted(facts_of: FactsOf) -> None:
    facts = facts_of({"labs": {"alt": {"code": "LOCAL XALT"}, "ast": {"code": "LOCAL XAST"}}})
    assert facts.unmapped_results == 2
    assert not [result for result in facts.lab_results if result.analyte in ("alt", "ast")]


def test_a_titre_known_by_its_name_only_is_none_of_them(facts_of: FactsOf) -> None:
    facts = facts_of({})
    assert (facts.unmapped_results, len(facts.titers)) == (0, 1)


def test_results_dated_in_the_future_are_set_aside_and_told(facts_of: FactsOf) -> None:
    facts = facts_of({"labs": {"alt": {"when": "2026-03-05T08:00:00Z"}}, "titers": [{"text": "1:25", "days_ago": -3}]})
    assert not [result for result in facts.lab_results if result.analyte == "alt"]
    assert facts.titers == ()
    assert sorted(entry.evidence.reference for entry in facts.future_dated) == [
        "Observation/lab-alt-1",
        "Observation/titer-1",
    ]


def test_a_result_without_any_time_is_told(facts_of: FactsOf) -> None:
    facts = facts_of({"labs": {"alt": {"when": "none"}}, "titers": [{"text": "1:25", "when": "none"}]})
    told = [entry.evidence.reference for entry in facts.unreadable if entry.what == "no-time"]
    assert sorted(told) == ["Observation/lab-alt-1", "Observation/titer-1"]
