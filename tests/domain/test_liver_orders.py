"""What the liver cards offer to order: nothing that is there or ordered already, and nothing twice (clinical-rules 4G)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from cds_service.domain.answers import OrderSteroid, RequestTest
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.liver_orders import consultation_since, hold_or_return
from cds_service.domain.registry import answer_all
from cds_service.domain.steroid_states import course_status
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
CHILD: dict[str, Any] = {"moment": "chart", "infused": "2026-02-02"}
TAPER: dict[str, Any] = {
    "moment": "chart",
    "infused": "2026-01-26",
    "steroids": [{}, {"dose": "1.5 mg", "start": "2026-02-24", "end": "2026-03-23"}],
}


@pytest.fixture(scope="module")
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


def offered(given: Mapping[str, Any], rules: set[str], facts_of: FactsOf, catalogue: Catalogue) -> set[tuple[str, str]]:
    """The tests that these rules offer together, each with its day, "" for now."""
    answers = answer_all(facts_of(given), catalogue.known, catalogue.rules.only(frozenset(rules)))
    tests = [change for answer in answers for change in answer.changes if isinstance(change, RequestTest)]
    return {(test.test, test.on.isoformat() if test.on else "") for test in tests}


def test_a_slot_ahead_is_ordered_for_its_day(facts_of: FactsOf, catalogue: Catalogue) -> None:
    given = {**CHILD, "today": "2026-02-07"}
    expected = {("hepatic-panel", "2026-02-09"), ("pt-inr", "2026-02-09")}
    assert offered(given, {"liver-monitor-due"}, facts_of, catalogue) == expected


def test_a_slot_whose_day_has_passed_is_ordered_for_now(facts_of: FactsOf, catalogue: Catalogue) -> None:
    given = {**CHILD, "today": "2026-02-10"}
    assert offered(given, {"liver-monitor-due"}, facts_of, catalogue) == {("hepatic-panel", ""), ("pt-inr", "")}


def test_only_what_is_missing_is_offered(facts_of: FactsOf, catalogue: Catalogue) -> None:
    given = {**CHILD, "today": "2026-02-09", "panels": [{"on": "2026-02-09", "inr": "none"}]}
    rules = {"liver-monitor-due", "liver-panel-incomplete"}
    assert offered(given, rules, facts_of, catalogue) == {("inr", "")}


def test_what_is_ordered_in_the_window_is_not_offered(facts_of: FactsOf, catalogue: Catalogue) -> None:
    given = {**CHILD, "today": "2026-02-07", "requests": [{"code": "24325-3", "wanted": "2026-02-10"}]}
    assert offered(given, {"liver-monitor-due"}, facts_of, catalogue) == {("pt-inr", "2026-02-09")}


def test_what_was_ordered_for_a_day_that_has_passed_is_offered_all_the_same(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    given = {**CHILD, "today": "2026-02-07", "requests": [{"code": "24325-3", "wanted": "2026-02-06"}]}
    expected = {("hepatic-panel", "2026-02-09"), ("pt-inr", "2026-02-09")}
    assert offered(given, {"liver-monitor-due"}, facts_of, catalogue) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("2026-02-28", {("hepatic-panel", "2026-03-01"), ("pt-inr", "2026-03-01")}),
        ("2026-03-01", {("pt-inr", "2026-03-01")}),
    ],
)
def test_what_is_ordered_for_a_day_before_the_last_panel_does_not_take_its_place(
    facts_of: FactsOf, catalogue: Catalogue, wanted: str, expected: set[tuple[str, str]]
) -> None:
    """M3 is of 2026-03-01 or later; it is announced a week before."""
    given = {
        **CHILD,
        "infused": "2025-12-01",
        "today": "2026-02-24",
        "steroids": [{}, {"dose": "1.6 mg", "start": "2025-12-30", "end": "2026-01-26"}],
        "panels": [{"on": "2026-01-26"}, {"on": "2026-02-09"}, {"on": "2026-02-23"}],
        "requests": [{"code": "24325-3", "wanted": wanted}],
    }
    assert offered(given, {"liver-followup-3mo"}, facts_of, catalogue) == expected


def test_a_single_test_is_not_offered_beside_a_panel_that_holds_it(facts_of: FactsOf, catalogue: Catalogue) -> None:
    panels = [{"on": "2026-02-09"}, {"on": "2026-02-16", "inr": "none", "alt": "100 U/L"}]
    given = {**CHILD, "today": "2026-02-26", "panels": panels}
    rules = {rule for rule, card in catalogue.cards.items() if card.topic == "liver"}
    assert offered(given, rules, facts_of, catalogue) == {("hepatic-panel", ""), ("pt-inr", ""), ("aptt", "")}


def test_after_a_worsening_the_panel_is_repeated_within_the_days_of_the_site(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    given = {**CHILD, "today": "2026-02-10", "panels": [{"on": "2026-02-09", "alt": "100 U/L"}]}
    repeated = {("hepatic-panel", "2026-02-12"), ("pt-inr", "2026-02-12")}
    assert offered(given, {"liver-worsening"}, facts_of, catalogue) == repeated | {("albumin", ""), ("aptt", "")}


@pytest.mark.parametrize(("day", "found"), [("2026-02-16", True), ("2026-02-17", True), ("2026-02-18", False)])
def test_a_consultation_counts_from_the_day_of_the_result(day: str, found: bool, facts_of: FactsOf) -> None:
    facts = facts_of({**CHILD, "consults": [{"with": "hepatology", "when": "2026-02-17T10:00:00Z"}]})
    assert (consultation_since(date.fromisoformat(day), facts) is not None) is found


def test_a_consultation_does_not_answer_a_result_of_an_unknown_day(facts_of: FactsOf) -> None:
    facts = facts_of({**CHILD, "consults": [{"with": "hepatology", "when": "2026-02-17T10:00:00Z"}]})
    assert consultation_since(None, facts) is None


def options(given: Mapping[str, Any], facts_of: FactsOf, known: Known) -> list[OrderSteroid]:
    facts = facts_of(given)
    return list(hold_or_return(course_status(facts, known), facts, known))


def test_during_a_taper_the_dose_may_be_held_or_raised_from_tomorrow(facts_of: FactsOf, known: Known) -> None:
    found = options(TAPER, facts_of, known)
    assert [(order.purpose, str(order.mg), str(order.first_day)) for order in found] == [
        ("hold", "1.5", "2026-03-03"),
        ("return", "3.3", "2026-03-03"),
    ]


def test_at_full_dose_nothing_is_held(facts_of: FactsOf, known: Known) -> None:
    assert options(CHILD, facts_of, known) == []


def test_a_dose_that_the_syringe_cannot_measure_is_not_called_held(facts_of: FactsOf, known: Known) -> None:
    steroids = [{}, {"dose": "0.4 mg", "start": "2026-02-24", "end": "2026-03-23"}]
    found = options({**TAPER, "steroids": steroids}, facts_of, known)
    assert [order.purpose for order in found] == ["return"]


def test_without_a_weight_no_dose_is_offered(facts_of: FactsOf, known: Known) -> None:
    assert options({**TAPER, "weights": []}, facts_of, known) == []


def test_a_taper_into_a_vein_is_not_turned_into_one_by_mouth(facts_of: FactsOf, known: Known) -> None:
    steroids = [{}, {**TAPER["steroids"][1], "drug": "methylprednisolone", "route": "intravenous"}]
    assert options({**TAPER, "steroids": steroids}, facts_of, known) == []


def test_a_dose_is_held_where_the_syringe_is_off_by_exactly_what_the_site_tolerates(
    facts_of: FactsOf, known: Known
) -> None:
    # 0.3 mL of 3 mg/mL are 0.9 mg, a tenth less than 1.0 mg.
    steroids = [{}, {"dose": "1.0 mg", "start": "2026-02-24", "end": "2026-03-23"}]
    found = options({**TAPER, "steroids": steroids}, facts_of, known)
    assert [(order.purpose, str(order.mg)) for order in found] == [("hold", "0.9"), ("return", "3.3")]
