"""What a card offers after the infusion: tests on their days, the rest of the calendar at once, steps of a taper."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from builders import PATIENT_ID, hook_request
from fhir.resources.R4B import get_fhir_model_class

from cds_service.domain.answers import (
    BeginSteroidLater,
    DeleteOrder,
    OrderIntravenousSteroid,
    OrderMonitoring,
    OrderSteroid,
    OrderTaper,
    ProposedChange,
    RequestTest,
    TaperStep,
)
from cds_service.fhir import Recognition
from cds_service.hooks.clients import NO_QUIRKS, OrderCode, Quirks
from cds_service.hooks.json_body import write_json
from cds_service.hooks.suggestions import SuggestionWriter, selection_behavior
from cds_service.presentation import Card, Catalogue
from cds_service.presentation.render import Suggestion

Json = dict[str, Any]
CARD = UUID("5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e")
FIRST, SECOND = date(2026, 3, 9), date(2026, 3, 16)
ONE_ACTION = Quirks(one_action_per_suggestion=True)
STEPS = (
    TaperStep(Decimal("1.5"), Decimal("0.5"), Decimal("0.47"), date(2026, 3, 31), date(2026, 4, 13)),
    TaperStep(Decimal("0.9"), Decimal("0.3"), Decimal("0.28"), date(2026, 4, 14), date(2026, 4, 27)),
)


@pytest.fixture
def writer(catalogue: Catalogue, recognition: Recognition) -> SuggestionWriter:
    return SuggestionWriter(catalogue, recognition)


def offered(
    writer: SuggestionWriter, *changes: ProposedChange, drafts: Json | None = None, quirks: Quirks = NO_QUIRKS
) -> list[Json]:
    card = Card("liver", "info", "", "", (), (), tuple(Suggestion(change) for change in changes))
    return writer.of_card(card, PATIENT_ID, drafts or {}, CARD, quirks)


def resources(suggestion: Json) -> list[Json]:
    found = [action["resource"] for action in suggestion["actions"]]
    for resource in found:
        content = json.loads(write_json(resource))
        get_fhir_model_class(resource["resourceType"]).model_validate(content)
    return found


def test_a_follow_up_test_is_ordered_for_its_day_and_after_the_infusion(writer: SuggestionWriter) -> None:
    (suggestion,) = offered(writer, RequestTest("pt-inr", is_follow_up=True, on=FIRST))
    assert suggestion["label"] == "Order prothrombin time with INR for 2026-03-09"
    (order,) = resources(suggestion)
    assert order["occurrenceDateTime"] == "2026-03-09"
    assert order["reasonCode"] == [{"text": "after onasemnogene abeparvovec"}]


def test_one_test_on_two_days_is_two_orders_with_ids_of_their_own(writer: SuggestionWriter) -> None:
    tests = [RequestTest("cbc", is_follow_up=True, on=day) for day in (FIRST, SECOND)]
    (suggestion,) = offered(writer, *tests)
    orders = resources(suggestion)
    assert [order["occurrenceDateTime"] for order in orders] == ["2026-03-09", "2026-03-16"]
    assert len({order["id"] for order in orders}) == 2


def test_the_rest_of_the_calendar_is_one_recommended_suggestion(writer: SuggestionWriter) -> None:
    tests = tuple(RequestTest(test, is_follow_up=True, on=day) for day in (FIRST, SECOND) for test in ("cbc", "pt-inr"))
    (suggestion,) = offered(writer, OrderMonitoring(tests))
    assert suggestion["label"] == "Create monitoring orders: 4 tests on 2 days"
    assert suggestion["isRecommended"] is True
    assert [order["status"] for order in resources(suggestion)] == ["draft"] * 4


def test_a_client_that_takes_one_action_gets_the_calendar_order_by_order(writer: SuggestionWriter) -> None:
    tests = tuple(RequestTest("cbc", is_follow_up=True, on=day) for day in (FIRST, SECOND))
    found = offered(writer, OrderMonitoring(tests), quirks=ONE_ACTION)
    assert [len(suggestion["actions"]) for suggestion in found] == [1, 1]
    assert len({suggestion["uuid"] for suggestion in found}) == 2
    assert [suggestion["label"] for suggestion in found] == [
        "Order a complete blood count for 2026-03-09",
        "Order a complete blood count for 2026-03-16",
    ]


def test_a_calendar_of_one_test_is_one_suggestion_for_every_client(writer: SuggestionWriter) -> None:
    change = OrderMonitoring((RequestTest("cbc", is_follow_up=True, on=FIRST),))
    assert offered(writer, change, quirks=ONE_ACTION) == offered(writer, change)


def test_a_taper_stays_one_order_for_a_client_that_takes_one_action(writer: SuggestionWriter) -> None:
    change = OrderTaper(STEPS, Decimal(3))
    assert offered(writer, change, quirks=ONE_ACTION) == offered(writer, change)


@pytest.mark.spec("R-117")
@pytest.mark.parametrize(("quirks", "recommended"), [(NO_QUIRKS, 1), (ONE_ACTION, 0)])
def test_of_suggestions_that_exclude_each_other_at_most_one_is_recommended(
    writer: SuggestionWriter, quirks: Quirks, recommended: int
) -> None:
    tests = (RequestTest("cbc", is_follow_up=True, on=FIRST), RequestTest("pt-inr", is_follow_up=True, on=FIRST))
    deletions = (DeleteOrder("a"), DeleteOrder("b"))
    drafts = {name: {"resourceType": "MedicationRequest", "id": name} for name in "ab"}
    found = offered(writer, *tests, *deletions, drafts=drafts, quirks=quirks)
    assert selection_behavior(found) == "at-most-one"
    assert sum("isRecommended" in suggestion for suggestion in found) == recommended


@pytest.mark.parametrize(
    ("order", "change"),
    [
        ("cbc", RequestTest("cbc", is_follow_up=True, on=FIRST)),
        ("hematology-consult", RequestTest("hematology-consult", is_follow_up=True)),
        (
            "prednisolone",
            OrderSteroid(Decimal("3.3"), Decimal("1.1"), Decimal(3), Decimal("1.03"), FIRST, SECOND, 8, "hold"),
        ),
        ("prednisolone-taper", OrderTaper(STEPS, Decimal(3))),
        ("methylprednisolone", OrderIntravenousSteroid(Decimal("2.6"))),
    ],
)
def test_each_created_order_takes_the_clients_coding_under_its_own_name(
    writer: SuggestionWriter, order: str, change: ProposedChange
) -> None:
    names = ("cbc", "hematology-consult", "prednisolone", "prednisolone-taper", "methylprednisolone")
    codes = tuple(OrderCode(name, "urn:example:list", f"code of {name}", name) for name in names)
    ((usual,), (coded,)) = (
        resources(offered(writer, change, quirks=quirks)[0]) for quirks in (NO_QUIRKS, Quirks(order_codes=codes))
    )
    concept = "code" if coded["resourceType"] == "ServiceRequest" else "medicationCodeableConcept"
    first, *others = coded[concept]["coding"]
    assert first == {"system": "urn:example:list", "code": f"code of {order}", "display": order}
    assert others == usual[concept].get("coding", [])
    assert coded[concept]["text"] == usual[concept]["text"]
    assert {**coded, concept: None} == {**usual, concept: None}


def test_a_draft_that_is_changed_gets_no_coding(writer: SuggestionWriter) -> None:
    draft = a_draft()
    quirks = Quirks(order_codes=(OrderCode("prednisolone", "urn:example:list", "x", "x"),))
    change = BeginSteroidLater("draft-steroid-1", date(2026, 3, 20))
    (usual, coded) = (offered(writer, change, drafts={"draft-steroid-1": draft}, quirks=q) for q in (NO_QUIRKS, quirks))
    assert usual == coded != []


def test_an_urgent_consultation_says_so_and_is_not_recommended(writer: SuggestionWriter) -> None:
    (suggestion,) = offered(writer, RequestTest("hematology-consult", is_follow_up=True))
    assert resources(suggestion)[0]["priority"] == "stat"
    assert "isRecommended" not in suggestion


def test_a_taper_is_one_draft_of_dated_steps_marked_as_site_policy(writer: SuggestionWriter) -> None:
    (suggestion,) = offered(writer, OrderTaper(STEPS, Decimal(3)))
    assert "isRecommended" not in suggestion
    assert suggestion["label"] == "Draft a taper by the site's template from 2026-03-31"
    assert suggestion["actions"][0]["description"].startswith("Site policy, not from the label")
    (order,) = resources(suggestion)
    steps = order["dosageInstruction"]
    assert [step["sequence"] for step in steps] == [1, 2]
    assert [step["timing"]["repeat"]["boundsPeriod"] for step in steps] == [
        {"start": "2026-03-31", "end": "2026-04-13"},
        {"start": "2026-04-14", "end": "2026-04-27"},
    ]
    assert [str(step["doseAndRate"][0]["doseQuantity"]["value"]) for step in steps] == ["1.5", "0.9"]


@pytest.mark.parametrize(
    ("purpose", "label"),
    [
        ("start", "Order prednisolone 3.3 mg once daily"),
        ("continue", "Continue prednisolone 3.3 mg once daily to 2026-03-16"),
        ("hold", "Hold prednisolone at 3.3 mg once daily to 2026-03-16"),
        ("return", "Return to prednisolone 3.3 mg once daily to 2026-03-16"),
    ],
)
def test_a_corticosteroid_order_says_what_it_is_for(writer: SuggestionWriter, purpose: str, label: str) -> None:
    change = OrderSteroid(Decimal("3.3"), Decimal("1.1"), Decimal(3), Decimal("1.03"), FIRST, SECOND, 8, purpose)
    (suggestion,) = offered(writer, change)
    assert suggestion["label"] == label
    assert "isRecommended" not in suggestion


def a_draft(**changes: Any) -> Json:
    given = {
        "draft": "none",
        "draft_steroids": [{"start": "2026-03-05", "end": "2026-04-01", "dose": "1.6 mg", **changes}],
    }
    draft: Json = hook_request(given)["context"]["draftOrders"]["entry"][0]["resource"]
    return draft


def test_a_draft_that_begins_too_early_is_moved_as_a_whole(writer: SuggestionWriter) -> None:
    draft = a_draft()
    (suggestion,) = offered(writer, BeginSteroidLater(draft["id"], date(2026, 3, 8)), drafts={draft["id"]: draft})
    period = resources(suggestion)[0]["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]
    assert period == {"start": "2026-03-08", "end": "2026-04-04"}
    assert draft == a_draft()


@pytest.mark.parametrize("odd", [{"end": "none"}, {"start": "2026-03-05T08:00:00Z"}, {"start": "2026-03-09"}])
def test_only_a_draft_with_plain_days_before_the_new_ones_is_moved(writer: SuggestionWriter, odd: Json) -> None:
    draft = a_draft(**odd)
    found = offered(writer, BeginSteroidLater(draft["id"], date(2026, 3, 8)), drafts={draft["id"]: draft})
    assert [len(suggestion["actions"]) for suggestion in found] == ([1] if odd == {"end": "none"} else [])


def test_a_draft_of_several_instructions_is_not_moved(writer: SuggestionWriter) -> None:
    draft = a_draft()
    draft["dosageInstruction"] *= 2
    assert offered(writer, BeginSteroidLater(draft["id"], date(2026, 3, 8)), drafts={draft["id"]: draft}) == []
