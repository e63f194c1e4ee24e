"""What a card offers to do: tests, consultations, corticosteroid orders, and drafts changed or taken back (ruling 8, 59)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from builders import PATIENT_ID, hook_request
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from hook_calls import cards_of, post

from cds_service.domain.answers import DeleteOrder, ExtendSteroid
from cds_service.fhir import Recognition
from cds_service.fhir.suggested_resources import suggested_action
from cds_service.hooks.json_body import write_json
from cds_service.hooks.suggestions import selection_behavior

Json = dict[str, Any]
NOTHING_TESTED: Json = {"labs": "none", "titers": []}
WITHOUT_STEROID: Json = {"steroids": []}
DRUG_REFUSED: Json = {"steroid_doses": [{"status": "not-done", "reason": "vomiting"}]}
SHORT: Json = {"steroids": [], "draft_steroids": [{"end": "2026-03-20", "text": "3.2 mg daily", "reason": "SMA"}]}
MMR_ON_HIGH_DOSE: Json = {
    "draft": "none",
    "open_orders": [{}],
    "weight": "12 kg",
    "steroids": [{"dose": "24 mg", "start": "2026-02-01", "end": "2026-04-30"}],
}


def offered(client: FlaskClient, given: Json, hook: str = "order-sign") -> list[Json]:
    """Every suggestion of every card, each with its card's topic."""
    return list(_with_topic(cards_of(post(client, hook_request(given, hook)))))


def _with_topic(cards: list[Json]) -> Iterator[Json]:
    for card in cards:
        for suggestion in card.get("suggestions", []):
            yield {**suggestion, "topic": card["source"]["topic"]["code"]}


def names(suggestion: Json) -> list[str]:
    """What each action of a suggestion orders."""
    found = []
    for action in suggestion["actions"]:
        order = action["resource"]
        found.append((order.get("code") or order["medicationCodeableConcept"])["text"])
    return found


def the_only(suggestions: list[Json], topic: str) -> Json:
    (found,) = [item for item in suggestions if item["topic"] == topic]
    return found


def is_proper(resource: Json) -> bool:
    content = json.loads(write_json(resource))
    get_fhir_model_class(resource["resourceType"]).model_validate(content)
    return True


# --- tests


def test_several_missing_tests_are_one_suggestion_with_one_action_each(client: FlaskClient) -> None:
    suggestion = the_only(offered(client, NOTHING_TESTED), "readiness")
    assert suggestion["label"] == "Order 6 baseline tests"
    assert [action["type"] for action in suggestion["actions"]] == ["create"] * 6
    assert len(set(names(suggestion))) == 6


def test_laboratory_orders_are_recommended(client: FlaskClient) -> None:
    assert the_only(offered(client, NOTHING_TESTED), "readiness")["isRecommended"] is True
    assert the_only(offered(client, {"labs": {"creatinine": "none"}}), "readiness")["isRecommended"] is True


def test_one_missing_test_is_offered_by_its_name(client: FlaskClient) -> None:
    suggestion = the_only(offered(client, {"labs": {"creatinine": "none"}}), "readiness")
    assert suggestion["label"] == "Order creatinine"
    assert names(suggestion) == ["Creatinine"]


def test_three_analytes_of_one_panel_are_one_order(client: FlaskClient) -> None:
    suggestion = the_only(offered(client, {"labs": {"alt": "none", "ast": "none", "albumin": "none"}}), "readiness")
    assert len(suggestion["actions"]) == 1


@pytest.mark.parametrize(
    ("pending", "left"),
    [
        ([{"code": "LOINC 24325-3"}], 5),
        ([{"code": "LOINC 24325-3"}, {"code": "LOINC 58410-2"}], 4),
        ([{"code": "LOINC 2160-0", "status": "revoked"}], 6),
        ([{"code": "LOINC 2160-0", "status": "completed"}], 6),
        ([{"code": "LOINC 2160-0", "days_ago": 60}], 6),
    ],
)
def test_a_test_that_is_awaited_is_not_offered_again(client: FlaskClient, pending: list[Json], left: int) -> None:
    suggestion = the_only(offered(client, {**NOTHING_TESTED, "requests": pending}), "readiness")
    assert len(suggestion["actions"]) == left


def test_a_test_that_is_being_ordered_in_the_same_session_is_not_offered_again(client: FlaskClient) -> None:
    given = {"labs": {"creatinine": "none"}, "draft_requests": [{"code": "LOINC 2160-0"}]}
    assert offered(client, given) == []


def test_every_created_test_is_a_draft_order_for_this_child_with_a_reason(client: FlaskClient) -> None:
    for action in the_only(offered(client, NOTHING_TESTED), "readiness")["actions"]:
        order = action["resource"]
        assert is_proper(order)
        assert (order["resourceType"], order["status"], order["intent"]) == ("ServiceRequest", "draft", "order")
        assert order["subject"] == {"reference": f"Patient/{PATIENT_ID}"}
        assert order["reasonCode"][0]["text"]
        assert order["id"]


def test_actions_of_one_suggestion_have_ids_of_their_own(client: FlaskClient) -> None:
    actions = the_only(offered(client, NOTHING_TESTED), "readiness")["actions"]
    assert len({action["resource"]["id"] for action in actions}) == len(actions)


def test_consultations_are_offered_by_themselves_and_not_recommended(client: FlaskClient) -> None:
    found = offered(client, {**NOTHING_TESTED, "conditions": ["ICD10CM G12.0", "ICD10CM B18.1"]})
    consults = [item for item in found if any("Consultation" in name for name in names(item))]
    assert [len(item["actions"]) for item in consults] == [1, 1]
    assert not any("isRecommended" in item for item in consults)
    tests = [item for item in found if item not in consults]
    assert [item["isRecommended"] for item in tests] == [True]


@pytest.mark.hazard("H40")
def test_nothing_but_laboratory_orders_is_recommended(client: FlaskClient) -> None:
    children: list[Json] = [{"weights": []}, WITHOUT_STEROID, DRUG_REFUSED, SHORT, {"draft": {"dose": "14.3 mL"}}]
    for given in children:
        found = offered(client, given)
        assert found, given
        assert not [item["label"] for item in found if "isRecommended" in item], given


# --- a corticosteroid by mouth


@pytest.fixture
def steroid(client: FlaskClient) -> Json:
    """The order that is offered for a child of 3.2 kg whose infusion is planned for 3 March."""
    (action,) = the_only(offered(client, WITHOUT_STEROID), "steroid")["actions"]
    assert action["type"] == "create"
    order: Json = action["resource"]
    return order


def test_the_offered_steroid_is_a_proper_draft_order_for_this_child(steroid: Json) -> None:
    assert is_proper(steroid)
    assert (steroid["resourceType"], steroid["status"], steroid["intent"]) == ("MedicationRequest", "draft", "order")
    assert steroid["subject"] == {"reference": f"Patient/{PATIENT_ID}"}
    assert steroid["reasonCode"][0]["text"]
    assert steroid["id"]


def test_it_runs_from_the_day_before_the_infusion_for_thirty_days(steroid: Json) -> None:
    repeat = steroid["dosageInstruction"][0]["timing"]["repeat"]
    assert repeat["boundsPeriod"] == {"start": "2026-03-02", "end": "2026-03-31"}
    assert (repeat["frequency"], repeat["period"], repeat["periodUnit"]) == (1, 1, "d")


def test_it_is_given_by_mouth_and_not_as_needed(steroid: Json) -> None:
    instruction = steroid["dosageInstruction"][0]
    assert instruction["asNeededBoolean"] is False
    assert [coding["code"] for coding in instruction["route"]["coding"]] == ["26643006"]


def test_its_dose_is_about_one_mg_for_each_kg_in_steps_that_can_be_drawn_up(steroid: Json) -> None:
    instruction = steroid["dosageInstruction"][0]
    (dose,) = [entry["doseQuantity"] for entry in instruction["doseAndRate"]]
    assert (str(dose["value"]), dose["unit"], dose["code"]) == ("3.3", "mg", "mg")
    assert "3.3 mg" in instruction["text"]
    assert "1.1 mL of 3 mg/mL" in instruction["text"]


def test_its_supply_is_longer_than_the_course(steroid: Json) -> None:
    duration = steroid["dispenseRequest"]["expectedSupplyDuration"]
    assert (duration["value"], duration["code"]) == (35, "d")


def test_it_names_the_day_it_begins_also_where_the_infusion_is_later(client: FlaskClient) -> None:
    given = {**WITHOUT_STEROID, "draft": {"planned": "2026-03-10"}}
    (action,) = the_only(offered(client, given), "steroid")["actions"]
    period = action["resource"]["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]
    assert period == {"start": "2026-03-09", "end": "2026-04-07"}


def test_without_a_weight_no_dose_is_offered(client: FlaskClient) -> None:
    assert [item for item in offered(client, {**WITHOUT_STEROID, "weights": []}) if item["topic"] == "steroid"] == []


def test_without_an_infusion_day_no_course_is_offered(client: FlaskClient) -> None:
    found = offered(client, {**WITHOUT_STEROID, "draft": {"planned": "none"}})
    assert [item for item in found if item["topic"] == "steroid"] == []


# --- a corticosteroid into a vein


def test_a_dose_that_is_not_kept_brings_the_offer_of_an_intravenous_one(client: FlaskClient) -> None:
    found = [item for item in offered(client, DRUG_REFUSED) if any("Methylpred" in name for name in names(item))]
    (action,) = [action for item in found for action in item["actions"]]
    order = action["resource"]
    assert is_proper(order)
    instruction = order["dosageInstruction"][0]
    assert [coding["code"] for coding in instruction["route"]["coding"]] == ["47625008"]
    dose = instruction["doseAndRate"][0]["doseQuantity"]
    assert (str(dose["value"]), dose["code"]) == ("2.56", "mg")
    assert "2.56 mg" in instruction["text"]
    assert order["subject"] == {"reference": f"Patient/{PATIENT_ID}"}
    assert order["reasonCode"][0]["text"]


# --- a corticosteroid draft that ends too early


def test_extending_a_steroid_draft_changes_only_its_last_day(client: FlaskClient) -> None:
    (action,) = the_only(offered(client, SHORT), "steroid")["actions"]
    assert action["type"] == "update"
    drafts = [entry["resource"] for entry in hook_request(SHORT)["context"]["draftOrders"]["entry"]]
    expected = deepcopy(next(draft for draft in drafts if draft["id"] == "draft-steroid-1"))
    expected["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] = "2026-03-31"
    assert write_json(action["resource"]) == write_json(expected)


def test_the_remarks_that_stay_are_pointed_out(client: FlaskClient) -> None:
    (action,) = the_only(offered(client, SHORT), "steroid")["actions"]
    assert "free text" in action["description"]


@pytest.mark.parametrize(
    "instructions",
    [
        [],
        [{}, {}],
        [{"timing": {"repeat": {"count": 20}}}],
        [{"timing": {"repeat": {"boundsPeriod": {"start": "2026-03-02"}}}}],
        [{"timing": {"repeat": {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-20"}}}}] * 2,
    ],
)
def test_a_draft_whose_days_are_written_otherwise_is_not_changed(recognition: Recognition, instructions: Any) -> None:
    draft = {"resourceType": "MedicationRequest", "id": "s1", "dosageInstruction": instructions}
    change = ExtendSteroid("s1", date(2026, 3, 31))
    assert suggested_action(change, PATIENT_ID, {"s1": draft}, {}, recognition, {}) is None


# --- drafts taken back


@pytest.mark.parametrize("kind", ["MedicationRequest", "ServiceRequest", "Immunization"])
def test_taking_a_vaccine_draft_back_names_it_by_its_own_type(client: FlaskClient, kind: str) -> None:
    given = {**MMR_ON_HIGH_DOSE, "draft_vaccines": [{"cvx": "03", "as": kind}]}
    actions = [action for item in offered(client, given) for action in item["actions"]]
    deletions = [action for action in actions if action["type"] == "delete"]
    assert [action["resourceId"] for action in deletions] == [f"{kind}/draft-vaccine-1"]
    assert "resource" not in deletions[0]
    assert "ZOLGENSMA" not in deletions[0]["description"]


@pytest.mark.spec("R-124")
@pytest.mark.parametrize(
    ("identity", "is_offered"),
    [
        ("draft-1", True),
        ("1.2.840.5", True),
        ("e" * 65, True),
        ("draft 1", False),
        ("draft/1", False),
        ("draft_1", False),
        ("\u200fdraft", False),
        ("draft\n", False),
    ],
)
def test_a_draft_is_taken_back_only_by_an_id_that_a_reference_can_name(
    recognition: Recognition, identity: str, is_offered: bool
) -> None:
    drafts = {identity: {"resourceType": "MedicationRequest", "id": identity}}
    action = suggested_action(DeleteOrder(identity), PATIENT_ID, drafts, {}, recognition, {})
    assert (action and action.resource_id) == (f"MedicationRequest/{identity}" if is_offered else None)


def test_taking_the_products_draft_back_says_so(client: FlaskClient) -> None:
    actions = [a for item in offered(client, {"given_doses": [{"days_ago": 30}]}) for a in item["actions"]]
    (deletion,) = [action for action in actions if action["type"] == "delete"]
    assert deletion["resourceId"] == "MedicationRequest/draft-1"
    assert "ZOLGENSMA" in deletion["description"]


def test_of_several_drafts_the_suggestion_says_which(client: FlaskClient) -> None:
    given: Json = {"draft": {"dose": "14.3 mL"}, **SHORT}
    labels = [item["label"] for item in offered(client, given) if item["actions"][0]["type"] == "update"]
    assert ["draft-1" in label for label in labels] == [True, False]
    assert ["draft-steroid-1" in label for label in labels] == [False, True]


# --- which of several may be chosen together


def an_offer(kind: str, name: str) -> Json:
    resource_type, _, identity = name.partition("/")
    if kind == "delete":
        return {"actions": [{"type": kind, "resourceId": name}]}
    return {"actions": [{"type": kind, "resource": {"resourceType": resource_type, "id": identity}}]}


@pytest.mark.spec("R-113")
@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        ([("create", "ServiceRequest/a"), ("create", "ServiceRequest/a")], "any"),
        ([("update", "MedicationRequest/a"), ("update", "MedicationRequest/b")], "any"),
        ([("update", "MedicationRequest/a"), ("delete", "ServiceRequest/a")], "any"),
        ([("update", "MedicationRequest/a"), ("delete", "MedicationRequest/a")], "at-most-one"),
        ([("delete", "MedicationRequest/a"), ("delete", "MedicationRequest/b")], "at-most-one"),
    ],
)
def test_suggestions_exclude_each_other_where_they_touch_one_draft_or_take_back_two(
    offers: list[tuple[str, str]], expected: str
) -> None:
    assert selection_behavior([an_offer(*offer) for offer in offers]) == expected
