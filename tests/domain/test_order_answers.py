"""What the answers about an order rest on, show and offer, beyond their grade: orders of several instructions as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from site_policies import under_policy

from cds_service.domain.answers import Answer, CorrectOrder, RequestTest
from cds_service.domain.dosing_weight import choose_weight, not_comparable
from cds_service.domain.facts import (
    AmountKind,
    Instruction,
    OrderedAmount,
    PatientFacts,
    ProductOrder,
    Route,
    Suffix,
)
from cds_service.domain.order_dose import correction_of, ordered_volume, unclear_timing
from cds_service.domain.registry import answer_all
from cds_service.domain.rules.dose_and_order import (
    dose_expressed_in_vg,
    dose_triple_check,
    dose_volume,
    infusion_duration_rate,
    kit_ndc,
    kit_quantity,
    route_intravenous,
    weight_implausible,
)
from cds_service.domain.rules.eligibility import wrong_product
from cds_service.presentation import Catalogue

D = Decimal
FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
GROWN = [{"weight": "4.4 kg"}, {"weight": "3.2 kg", "days_ago": 2}]


def references(answer: Answer) -> list[str]:
    return [each.reference for each in answer.evidence]


def changed(instruction: Instruction, **parts: Any) -> Instruction:
    return replace(instruction, **parts)


def with_instructions(facts: PatientFacts, *parts: Mapping[str, Any]) -> ProductOrder:
    """The draft with one instruction for each of these, which differ from its own in what they name."""
    (draft,) = facts.drafts
    return replace(draft, instructions=tuple(changed(draft.instructions[0], **each) for each in parts))


# --- the weight


def test_a_jump_rests_on_both_weights(facts_of: FactsOf, catalogue: Catalogue) -> None:
    answer = weight_implausible(facts_of({"weights": GROWN}), catalogue.known)
    assert (answer.grade, len(references(answer))) == ("growth", 2)


def test_an_impossible_weight_rests_on_itself_alone(facts_of: FactsOf, catalogue: Catalogue) -> None:
    weights = [{"weight": "0.3 kg"}, {"weight": "3.2 kg", "days_ago": 2}]
    answer = weight_implausible(facts_of({"weights": weights}), catalogue.known)
    assert (answer.grade, len(references(answer))) == ("impossible", 1)


def test_a_newer_weight_that_is_not_confirmed_is_named_beside_the_chosen_one(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    weights = [{"weight": "4.0 kg", "days_ago": 0, "status": "preliminary"}, {"weight": "3.2 kg", "days_ago": 1}]
    answer = weight_implausible(facts_of({"weights": weights}), catalogue.known)
    assert (answer.grade, len(references(answer))) == ("newer-not-confirmed", 2)


def test_the_same_child_under_another_policy_is_weighed_anew(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({"weight": "3.24 kg"})
    coarse = under_policy(catalogue.known, {"weight.rounding.step_kg": D("1")})
    rounded = [choose_weight(facts, known).chosen for known in (catalogue.known, coarse, catalogue.known)]
    assert [weight.rounded_kg for weight in rounded if weight] == [D("3.2"), D("3"), D("3.2")]


# --- volume, kit and vector genomes


@pytest.mark.parametrize(
    ("dose", "has_dose", "volume"), [("3.52e14 vg", True, D("19.3")), ("1e10 vg", True, D("19.3"))]
)
def test_an_amount_in_vector_genomes_is_shown_beside_the_dose_of_the_table(
    facts_of: FactsOf, catalogue: Catalogue, dose: str, has_dose: bool, volume: Decimal
) -> None:
    facts = facts_of({"draft": {"dose": dose}})
    answer = dose_expressed_in_vg(facts.drafts[0], facts, catalogue.known)
    assert (answer.shown["has_table_dose"], answer.shown["expected_volume_ml"]) == (has_dose, volume)


def test_without_a_dose_of_the_table_none_is_shown_beside_vector_genomes(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    facts = facts_of({"weight": "25 kg", "draft": {"dose": "1e10 vg"}})
    answer = dose_expressed_in_vg(facts.drafts[0], facts, catalogue.known)
    assert (answer.grade, answer.shown["has_table_dose"]) == ("wrong-magnitude", False)
    assert "expected_volume_ml" not in answer.shown


@pytest.mark.parametrize(
    ("given", "has_dose"),
    [
        ({"draft": {"quantity": "2 {kit}"}}, True),
        ({"weight": "25 kg", "draft": {"quantity": "2 {kit}", "ndc": "none"}}, False),
    ],
)
def test_a_quantity_is_shown_beside_whether_the_table_has_a_dose(
    facts_of: FactsOf, catalogue: Catalogue, given: Mapping[str, Any], has_dose: bool
) -> None:
    facts = facts_of(given)
    answer = kit_quantity(facts.drafts[0], facts, catalogue.known)
    assert (answer.grade, answer.shown["has_table_dose"]) == ("not-one-kit", has_dose)


@pytest.mark.parametrize(("quantity", "grade"), [("0.9", "shortfall"), ("1.5", "not-one-kit"), ("2", "not-one-kit")])
def test_more_than_one_kit_is_no_shortfall(facts_of: FactsOf, catalogue: Catalogue, quantity: str, grade: str) -> None:
    facts = facts_of({"draft": {"quantity": f"{quantity} {{kit}}"}})
    assert kit_quantity(facts.drafts[0], facts, catalogue.known).grade == grade


def test_a_vial_beside_a_code_that_is_none_is_not_called_a_vial(facts_of: FactsOf, catalogue: Catalogue) -> None:
    grades = []
    for codes in (["71894-115-01"], ["71894-115-01", "71894-999-99"]):
        facts = facts_of({"draft": {"ndc": codes}})
        grades.append(kit_ndc(facts.drafts[0], facts, catalogue.known).grade)
    assert grades == ["vial-code", "not-in-table"]


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        ({"weights": [], "draft": {"dose": "14.3 mL", "ndc": "71894-121-03"}}, "volume-differs"),
        ({"weight": "25 kg", "draft": {"dose": "19.3 mL", "ndc": "71894-121-03"}}, "weight-differs"),
        ({"weight": "25 kg", "draft": {"dose": "19.3 mL", "ndc": "none"}}, "weight-differs"),
        ({"weight": "25 kg", "draft": {"dose": "19.3 mL", "ndc": "71894-120-02"}}, "something-differs"),
        ({"weight": "25 kg", "draft": {"dose": "14.3 mL", "ndc": "71894-120-02"}}, "something-differs"),
        ({"weight": "25 kg", "draft": {"dose": "14.3 mL", "ndc": "none"}}, "something-differs"),
        ({"weights": [], "draft": {"dose": "14.3 mL", "ndc": "71894-120-02"}}, "volume-differs"),
        ({"weights": [], "draft": {"dose": "19.3 mL", "ndc": "71894-120-02"}}, "something-differs"),
    ],
)
def test_the_one_that_no_table_has_is_the_odd_one_where_the_others_agree(
    facts_of: FactsOf, catalogue: Catalogue, given: Mapping[str, Any], grade: str
) -> None:
    facts = facts_of(given)
    assert dose_triple_check(facts.drafts[0], facts, catalogue.known).grade == grade


def test_an_odd_weight_is_measured_again_and_any_other_odd_one_is_corrected(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    offered = []
    for draft in ({"dose": "16.5 mL", "ndc": "71894-120-02", "quantity": "none"}, {"ndc": "71894-120-02"}):
        facts = facts_of({"draft": draft})
        offered.append(dose_triple_check(facts.drafts[0], facts, catalogue.known).changes)
    assert offered[0] == (RequestTest("weigh"),)
    assert [type(change) for change in offered[1]] == [CorrectOrder]


def test_a_volume_beside_a_kit_is_a_witness_of_its_own(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({"draft": {"ndc": "71894-121-03"}})
    kit = OrderedAmount(AmountKind.KITS, D(1), "1 kit")
    volume = OrderedAmount(AmountKind.VOLUME_ML, D("5.5"), "5.5 mL")
    both = with_instructions(facts, {"amount": kit}, {"amount": volume})
    assert dose_triple_check(both, facts, catalogue.known).grade == "volume-differs"


@pytest.mark.parametrize(
    ("text", "assurance"), [("1 dose over 60 minutes", "verified"), ("2 doses", "attest"), ("0 refills", "attest")]
)
def test_only_a_number_that_the_order_explains_leaves_its_text_unquestioned(
    facts_of: FactsOf, catalogue: Catalogue, text: str, assurance: str
) -> None:
    facts = facts_of({"draft": {"text": text}})
    assert dose_volume(facts.drafts[0], facts, catalogue.known).assurance.value == assurance


def test_the_first_unclear_amount_tells_why_a_volume_is_not_known(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({})
    amounts = [
        OrderedAmount(AmountKind.VOLUME_ML, D("9.3"), "9.3 mL"),
        OrderedAmount(AmountKind.VOLUME_ML_PER_KG, D("5"), "5 mL/kg"),
    ]
    order = with_instructions(facts, *({"amount": amount} for amount in amounts))
    assert ordered_volume(order, catalogue.known).reason == "per-kg"


def test_the_texts_of_an_order_without_an_amount_are_told_one_after_the_other(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    order = with_instructions(facts_of({}), *({"amount": None, "text": text} for text in ("", "as told", "slowly")))
    told = ordered_volume(order, catalogue.known)
    assert (told.reason, told.written) == ("text-only", "as told; slowly")


# --- route and time


def test_a_push_is_told_by_its_route_where_no_method_is_written(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({})
    parts = {"is_push_or_bolus": True, "method_written": "", "route_written": "IV push"}
    answer = route_intravenous(with_instructions(facts, parts), facts, catalogue.known)
    assert (answer.grade, answer.shown["route_written"]) == ("push-or-bolus", "IV push")


def test_one_method_among_several_that_cannot_be_read_is_told(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({})
    order = with_instructions(facts, {"is_method_unread": False}, {"is_method_unread": True})
    assert route_intravenous(order, facts, catalogue.known).grade == "method-not-read"


def test_the_most_worrying_of_several_times_is_told_with_all_that_is_written(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    facts = facts_of({})
    slow = {"minutes": D(90), "minutes_written": "90 min", "ml_per_hour": None, "rate_written": ""}
    fast = {"minutes": D(30), "minutes_written": "30 min", "ml_per_hour": None, "rate_written": ""}
    silent = {"minutes": None, "minutes_written": "", "ml_per_hour": None, "rate_written": ""}
    answer = infusion_duration_rate(with_instructions(facts, silent, slow, fast), facts, catalogue.known)
    assert (answer.grade, answer.shown["minutes_written"]) == ("too-fast", "90 min, 30 min")


# --- what would correct an order


def correction(facts: PatientFacts, catalogue: Catalogue, order: ProductOrder | None = None) -> list[CorrectOrder]:
    return list(correction_of(order or facts.drafts[0], facts, catalogue.known))


def test_an_order_that_agrees_needs_no_correction(facts_of: FactsOf, catalogue: Catalogue) -> None:
    assert correction(facts_of({}), catalogue) == []


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ({"dose": "14.3 mL"}, {"volume_ml": D("19.3")}),
        ({"dose": "3.52e14 vg"}, {"volume_ml": D("19.3")}),
        ({"rate": "10 mL/h"}, {"ml_per_hour": D("19.3")}),
        ({"rate": "none"}, {"ml_per_hour": D("19.3")}),
        ({"minutes": 30}, {"minutes": D("60")}),
        ({"ndc": "71894-120-02"}, {"kit_ndc": "71894-121-03"}),
        ({"ndc": "none"}, {"kit_ndc": "71894-121-03"}),
        ({"route": "none"}, {"to_intravenous": True}),
        ({"method": "IV push"}, {"to_intravenous": True}),
        ({"quantity": "none"}, {"to_one_kit": True}),
        ({"quantity": "2 {kit}"}, {"to_one_kit": True}),
        ({"quantity": "3 {vial}"}, {}),
        ({"quantity": "4 {vial}"}, {"to_one_kit": True}),
        ({"quantity": "1 {vial}"}, {"to_one_kit": True}),
        ({"refills": 1}, {"to_single_dose": True}),
    ],
)
def test_a_correction_changes_what_differs_and_nothing_that_agrees(
    facts_of: FactsOf, catalogue: Catalogue, draft: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    found = correction(facts_of({"draft": draft}), catalogue)
    assert found == ([CorrectOrder("draft-1", **expected)] if expected else [])


@pytest.mark.parametrize(
    "given",
    [
        {"given_doses": [{"days_ago": 30}]},
        {"draft": {"dose": "14.3 mL", "ndc": "12345-121-03"}},
        {"draft": {"dose": "14.3 mL", "ndc": ["71894-121-03", "12345-121-03"]}},
        {"draft": {"dose": "14.3 mL", "route": "intrathecal"}},
        {
            "draft": {
                "dose": "14.3 mL",
                "names": ["ITVISMA (onasemnogene abeparvovec-brve)"],
                "rxnorm": "none",
                "ndc": "none",
            }
        },
    ],
)
def test_an_order_that_may_be_meant_for_something_else_is_not_corrected(
    facts_of: FactsOf, catalogue: Catalogue, given: Mapping[str, Any]
) -> None:
    facts = facts_of({"draft": {"dose": "14.3 mL"}, **given})
    for order in facts.drafts:
        assert correction(facts, catalogue, order) == []


def test_a_doubtful_weight_gives_no_volume_rate_or_kit_and_no_time_beside_a_rate(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    wrong = {"dose": "14.3 mL", "minutes": 30, "ndc": "71894-120-02", "refills": 1}
    with_rate = correction(facts_of({"weights": GROWN, "draft": wrong}), catalogue)
    without = correction(facts_of({"weights": GROWN, "draft": {**wrong, "rate": "none"}}), catalogue)
    assert with_rate == [CorrectOrder("draft-1", to_single_dose=True)]
    assert without == [CorrectOrder("draft-1", minutes=D(60), to_single_dose=True)]


def test_only_the_instructions_with_an_amount_are_held_against_the_label(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    facts = facts_of({})
    remark = {"amount": None, "minutes": None, "minutes_written": "", "ml_per_hour": None, "rate_written": ""}
    assert correction(facts, catalogue, with_instructions(facts, {}, remark)) == []
    assert correction(facts, catalogue, with_instructions(facts)) != []


def test_a_rate_on_one_instruction_of_several_is_a_rate(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({"weights": GROWN, "draft": {"minutes": 30}})
    two = with_instructions(facts, {}, {"ml_per_hour": None, "rate_written": ""})
    (found,) = correction(facts, catalogue, two)
    assert found.minutes is None


def test_only_timing_that_is_unclear_is_told(facts_of: FactsOf) -> None:
    facts = facts_of({})
    clear = facts.drafts[0].instructions[0].repetition
    order = with_instructions(facts, {}, {"repetition": replace(clear, unclear="as directed")})
    assert unclear_timing(order) == "as directed"


def test_all_drafts_are_asked_about(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({"drafts": [{}, {"dose": "14.3 mL"}]})
    answers = answer_all(facts, catalogue.known, catalogue.rules.only(frozenset({"dose-volume"})))
    assert [(answer.order_id, answer.grade) for answer in answers] == [("draft-1", ""), ("draft-2", "mismatch")]


@pytest.mark.parametrize(
    ("weight", "dose", "grade"),
    [("3.5 kg", "3.85e14 vg", "matches"), ("3.5 kg", "3.7e14 vg", "mismatch"), ("3.3 kg", "3.85e14 vg", "mismatch")],
)
def test_the_heaviest_weight_of_a_band_times_the_dose_is_right_for_that_weight_alone(
    facts_of: FactsOf, catalogue: Catalogue, weight: str, dose: str, grade: str
) -> None:
    facts = facts_of({"weight": weight, "draft": {"dose": dose}})
    assert dose_expressed_in_vg(facts.drafts[0], facts, catalogue.known).grade == grade


@pytest.mark.parametrize("routes", [("intrathecal", "intravenous"), ("intravenous", "intrathecal")])
def test_one_intrathecal_instruction_of_several_names_another_product(
    facts_of: FactsOf, catalogue: Catalogue, routes: tuple[str, str]
) -> None:
    facts = facts_of({})
    order = with_instructions(facts, *({"route": Route(route)} for route in routes))
    assert wrong_product(replace(order, suffix=Suffix.NOT_STATED), facts, catalogue.known).grade == "intrathecal-route"


def test_a_corrected_weight_leaves_nothing_to_compare_with_what_it_replaces(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    weights = [{"weight": "7 stone", "id": "wrong"}, {"weight": "3.2 kg", "status": "corrected"}]
    choice = choose_weight(facts_of({"weights": weights}), catalogue.known)
    assert choice.chosen is not None
    assert not_comparable(choice, catalogue.known) == ()


@pytest.mark.parametrize(("kg", "count"), [("3.2 kg", 0), ("3.1 kg", 1)])
def test_a_later_weight_that_may_only_alarm_is_compared_as_one_of_the_same_day(
    facts_of: FactsOf, catalogue: Catalogue, kg: str, count: int
) -> None:
    """4.0 kg are 1.25 times 3.2 kg, which a day allows, and more than that of 3.1 kg (ruling 17)."""
    weights = [{"weight": "4.0 kg", "days_ago": 2}, {"weight": kg, "days_ago": 0, "status": "preliminary"}]
    choice = choose_weight(facts_of({"weights": weights}), catalogue.known)
    assert len(not_comparable(choice, catalogue.known)) == count
