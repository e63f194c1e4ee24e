"""What one local day holds of a corticosteroid, as prednisolone (clinical-rules C11, ruling 38)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from domain_values import D
from site_policies import under_policy, without_policy

from cds_service.domain.certainty import Certainty
from cds_service.domain.facts import PatientFacts
from cds_service.domain.quantities import to_show_beside, to_significant_digits
from cds_service.domain.steroid_dose import (
    first_day_of,
    in_prednisolone,
    of_drug,
    ordered_on,
    steroid_on,
    why_not_computable,
)
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TODAY, TOMORROW, YESTERDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 1)
YES, NO, MAYBE = Certainty.TRUE, Certainty.FALSE, Certainty.UNKNOWN


@pytest.mark.parametrize(
    ("drug", "mg"),
    [
        ("prednisolone", "5"),
        ("prednisone", "5"),
        ("methylprednisolone", "4"),
        ("hydrocortisone", "20"),
        ("dexamethasone", "0.75"),
        ("betamethasone", "0.6"),
        ("cortisone", "25"),
        ("triamcinolone", "4"),
        ("deflazacort", "6"),
    ],
)
def test_every_drug_of_the_sites_table_equals_five_mg_of_prednisolone(catalogue: Catalogue, drug: str, mg: str) -> None:
    assert in_prednisolone(D(mg), drug, catalogue.known) == 5
    assert of_drug(D(5), drug, catalogue.known) == D(mg)


def test_a_drug_without_an_equivalent_is_not_computed(catalogue: Catalogue) -> None:
    assert in_prednisolone(D(5), "vamorolone", catalogue.known) is None
    assert in_prednisolone(None, "prednisolone", catalogue.known) is None
    assert in_prednisolone(D(4), "methylprednisolone", without_policy(catalogue.known, EQUIVALENT)) is None


EQUIVALENT = "steroid.equivalent.methylprednisolone_mg"


def test_a_site_may_set_its_own_equivalent(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of({"steroids": [{"drug": "methylprednisolone", "dose": "4 mg"}]})
    assert steroid_on(TODAY, facts, catalogue.known).mg == 5
    assert steroid_on(TODAY, facts, under_policy(catalogue.known, {EQUIVALENT: 8})).mg == Decimal("2.5")


@pytest.mark.parametrize(
    ("order", "covered", "uncovered"),
    [
        ({}, ["2026-03-02", "2026-03-31"], ["2026-03-01", "2026-04-01"]),
        ({"end": "none"}, ["2026-03-02", "2027-03-31"], ["2026-03-01"]),
        ({"period": 2}, ["2026-03-02", "2026-03-04"], ["2026-03-03"]),
        ({"weekdays": ["mon", "wed"]}, ["2026-03-02", "2026-03-04"], ["2026-03-03", "2026-03-05"]),
    ],
)
def test_an_order_covers_the_days_it_names(
    catalogue: Catalogue, facts_of: FactsOf, order: Any, covered: list[str], uncovered: list[str]
) -> None:
    facts = facts_of({"steroids": [order]})

    def cover(day: str) -> Certainty:
        return steroid_on(date.fromisoformat(day), facts, catalogue.known).cover

    assert [cover(day) for day in covered] == [YES] * len(covered)
    assert [cover(day) for day in uncovered] == [NO] * len(uncovered)


@pytest.mark.parametrize(
    ("order", "mg"),
    [
        ({}, "3.2"),
        ({"frequency": 2}, "6.4"),
        ({"dose": "1.6 mg", "times_of_day": ["08:00:00", "20:00:00"]}, "3.2"),
        ({"dose": "1 mg/kg"}, "3.2"),
        ({"dose": "6.4 mg", "period": 2}, "6.4"),
        ({"drug": "prednisone"}, "3.2"),
        ({"drug": "dexamethasone", "dose": "0.75 mg"}, "5"),
    ],
)
def test_a_days_dose_is_the_sum_of_its_administrations(
    catalogue: Catalogue, facts_of: FactsOf, order: Any, mg: str
) -> None:
    assert steroid_on(TODAY, facts_of({"steroids": [order]}), catalogue.known).mg == D(mg)


def test_overlapping_orders_are_added(catalogue: Catalogue, facts_of: FactsOf) -> None:
    day = steroid_on(TODAY, facts_of({"steroids": [{}, {"drug": "prednisone", "dose": "2 mg"}]}), catalogue.known)
    assert (day.mg, day.drugs) == (D("5.2"), frozenset({"prednisolone", "prednisone"}))


def test_a_dose_that_is_not_known_makes_the_sum_unknown(catalogue: Catalogue, facts_of: FactsOf) -> None:
    day = steroid_on(TODAY, facts_of({"steroids": [{}, {"dose": "none"}]}), catalogue.known)
    assert (day.mg, day.cover, day.is_computed) == (None, YES, True)


@pytest.mark.parametrize(
    "order", [{"route": "none"}, {"status": "unknown"}, {"start": "none"}, {"dose": "none"}, {"intent": "plan"}]
)
def test_a_doubtful_order_covers_no_day_for_sure(catalogue: Catalogue, facts_of: FactsOf, order: Any) -> None:
    assert steroid_on(TODAY, facts_of({"steroids": [order]}), catalogue.known).cover is not YES


@pytest.mark.parametrize("status", ["on-hold", "stopped", "cancelled"])
def test_an_order_that_is_not_given_covers_no_day_to_come(catalogue: Catalogue, facts_of: FactsOf, status: str) -> None:
    facts = facts_of({"steroids": [{"status": status, "start": "2026-02-01"}]})
    assert [steroid_on(day, facts, catalogue.known).cover for day in (TODAY, TOMORROW)] == [NO, NO]


@pytest.mark.hazard("H31")
@pytest.mark.parametrize("order", [{"prn": True}, {"route": "inhaled"}, {"route": "nasal"}])
def test_as_needed_or_inhaled_is_no_cover(catalogue: Catalogue, facts_of: FactsOf, order: Any) -> None:
    assert steroid_on(TODAY, facts_of({"steroids": [order]}), catalogue.known).cover is NO


RUNNING = {"steroids": [{"start": "2026-02-20"}]}


def test_recorded_doses_decide_about_a_past_day(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of(
        {**RUNNING, "steroid_doses": [{"days_ago": 1, "mg": "2"}, {"days_ago": 1, "at": "20:00", "mg": "1"}]}
    )
    day = steroid_on(YESTERDAY, facts, catalogue.known)
    assert (day.mg, day.cover, day.is_recorded_as_given) == (D(3), YES, True)


def test_the_order_decides_about_a_past_day_without_records(catalogue: Catalogue, facts_of: FactsOf) -> None:
    day = steroid_on(YESTERDAY, facts_of({**RUNNING, "steroid_doses": [{"days_ago": 2}]}), catalogue.known)
    assert (day.mg, day.cover, day.is_recorded_as_given) == (D("3.2"), YES, False)


def test_a_dose_that_was_not_done_removes_its_day(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of({**RUNNING, "steroid_doses": [{"days_ago": 1, "status": "not-done"}]})
    day = steroid_on(YESTERDAY, facts, catalogue.known)
    assert (day.mg, day.cover) == (None, NO)
    assert ordered_on(YESTERDAY, facts, catalogue.known).cover is YES


def test_today_the_order_counts_until_the_day_is_over(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of({"steroids": [{"frequency": 2}], "steroid_doses": [{"days_ago": 0}]})
    day = steroid_on(TODAY, facts, catalogue.known)
    assert (day.mg, day.is_recorded_as_given) == (D("6.4"), True)


def test_a_dose_without_an_order_counts_today(catalogue: Catalogue, facts_of: FactsOf) -> None:
    day = steroid_on(TODAY, facts_of({"steroids": [], "steroid_doses": [{}]}), catalogue.known)
    assert (day.mg, day.cover) == (D("3.2"), YES)


@pytest.mark.parametrize("dose", [{"route": "none"}, {"when": "2026-03-01T08:00:00"}])
def test_a_doubtful_dose_proves_nothing(catalogue: Catalogue, facts_of: FactsOf, dose: Any) -> None:
    facts = facts_of({"steroids": [], "steroid_doses": [{"days_ago": 1, **dose}]})
    assert steroid_on(YESTERDAY, facts, catalogue.known).cover is not YES


def test_a_recorded_dose_in_an_unknown_amount_is_given_all_the_same(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of({"steroids": [], "steroid_doses": [{"days_ago": 1, "mg": "none"}]})
    day = steroid_on(YESTERDAY, facts, catalogue.known)
    assert (day.mg, day.cover, day.is_computed) == (None, YES, False)


def test_a_day_beyond_the_supply_is_covered_by_the_order_only(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of({"steroids": [{"supply_days": 10, "written": "2026-03-02"}]})
    last, after = date(2026, 3, 11), date(2026, 3, 13)
    assert steroid_on(last, facts, catalogue.known, within_supply=True).cover is YES
    assert steroid_on(after, facts, catalogue.known, within_supply=True).cover is NO
    assert steroid_on(after, facts, catalogue.known).cover is YES


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"steroids": [{}]}, ""),
        ({"steroids": [{"dose": "1 mg/kg"}]}, ""),
        ({"steroids": [{"dose": "1 mg/kg"}], "weights": []}, "no-weight"),
        ({"steroids": [{"dose": "none"}]}, "no-dose"),
        ({"steroids": [{"frequency": "none"}]}, "no-frequency"),
        ({"steroids": [{"dose_range": ["2 mg", "4 mg"]}]}, "dose-range"),
        ({"steroids": [{"dose": "1 mL", "name": "Prednisolone"}]}, "no-strength"),
        ({"steroids": [{"drug": "vamorolone"}]}, "no-equivalent"),
        ({"steroids": [{"rxnorm": "none", "name": "Orapred"}]}, "unknown-drug"),
    ],
)
def test_a_dose_that_cannot_be_computed_has_a_reason(
    catalogue: Catalogue, facts_of: FactsOf, given: Any, why: str
) -> None:
    facts = facts_of(given)
    reasons = [why_not_computable(p, o, facts, catalogue.known) for o in facts.steroid_orders for p in o.phases]
    assert reasons == [why]
    day = steroid_on(TODAY, facts, catalogue.known)
    assert (day.mg is None) is bool(why)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1.03125", "1.031"),
        ("1.10004", "1.10004"),
        ("0.89996", "0.89996"),
        ("1.1", "1.1"),
        ("0.9", "0.9"),
    ],
)
def test_a_dose_is_shown_to_a_few_digits_and_never_on_the_other_side_of_a_limit(value: str, shown: str) -> None:
    assert to_show_beside(D(value), [D("0.9"), D("1.1")], 4) == D(shown)


def test_a_dose_that_no_rounding_keeps_on_its_side_is_shown_as_it_is() -> None:
    value = D("1.1" + "0" * 70 + "1")
    assert to_show_beside(value, [D("1.1")], 4) == value


def test_a_number_is_shown_to_so_many_significant_digits() -> None:
    assert to_significant_digits(D("1.03125"), 4) == D("1.031")


def with_phase(facts: PatientFacts, **members: Any) -> PatientFacts:
    """The same child, whose only corticosteroid order has one instruction that is changed."""
    (order,) = facts.steroid_orders
    (phase,) = order.phases
    return replace(facts, steroid_orders=(replace(order, phases=(replace(phase, **members),)),))


def test_an_instruction_may_name_its_days_one_by_one(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = with_phase(facts_of({}), only_on=frozenset({TODAY, date(2026, 3, 9)}))
    covered = [steroid_on(day, facts, catalogue.known).cover for day in (TODAY, TOMORROW, date(2026, 3, 9))]
    assert covered == [YES, NO, YES]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"times_per_day": None}, "no-frequency"),
        ({"mg": None, "mg_per_kg": None}, "no-dose"),
        ({"why_unknown": "not-interpretable"}, "not-interpretable"),
    ],
)
def test_an_instruction_without_a_reason_of_its_own_lacks_what_it_lacks(
    catalogue: Catalogue, facts_of: FactsOf, members: Any, why: str
) -> None:
    facts = with_phase(facts_of({}), **members)
    (order,) = facts.steroid_orders
    assert why_not_computable(order.phases[0], order, facts, catalogue.known) == why
    assert steroid_on(TODAY, facts, catalogue.known).mg is None


def test_a_depot_has_no_daily_dose(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of({})
    depot = replace(facts, steroid_orders=tuple(replace(o, is_depot=True) for o in facts.steroid_orders))
    (order,) = depot.steroid_orders
    assert why_not_computable(order.phases[0], order, depot, catalogue.known) == "depot"


# --- several doses or orders of one day


DOUBTFUL = {"when": "2026-03-01T20:00:00"}


@pytest.mark.parametrize(
    ("doses", "cover"), [([{"days_ago": 1}, DOUBTFUL], YES), ([DOUBTFUL], MAYBE), ([{"days_ago": 1}], YES)]
)
def test_one_proven_dose_covers_its_day_and_a_doubtful_one_may(
    catalogue: Catalogue, facts_of: FactsOf, doses: list[Any], cover: Certainty
) -> None:
    assert steroid_on(YESTERDAY, facts_of({"steroids": [], "steroid_doses": doses}), catalogue.known).cover is cover


def test_one_recorded_dose_in_milligrams_makes_a_day_computed_in_part(catalogue: Catalogue, facts_of: FactsOf) -> None:
    doses = [{"days_ago": 1}, {"days_ago": 1, "at": "20:00", "mg": "none"}]
    day = steroid_on(YESTERDAY, facts_of({"steroids": [], "steroid_doses": doses}), catalogue.known)
    assert (day.mg, day.is_computed) == (None, True)


def test_one_of_two_doubtful_orders_in_milligrams_makes_a_day_computed_in_part(
    catalogue: Catalogue, facts_of: FactsOf
) -> None:
    orders = [{"start": "none"}, {"dose": "none"}]
    day = steroid_on(TODAY, facts_of({"steroids": orders}), catalogue.known)
    assert (day.cover, day.mg, day.is_computed) == (MAYBE, None, True)


def test_an_order_that_ended_on_an_unknown_day_surely_covers_its_first_day_alone(
    catalogue: Catalogue, facts_of: FactsOf
) -> None:
    facts = facts_of({"steroids": [{"start": "2026-02-27", "end": "none", "status": "stopped"}]})
    covers = [steroid_on(date(2026, 2, number), facts, catalogue.known).cover for number in (26, 27, 28)]
    assert covers == [NO, YES, MAYBE]


def test_a_day_of_which_nothing_was_given_holds_no_recorded_and_no_computed_dose(
    catalogue: Catalogue, facts_of: FactsOf
) -> None:
    facts = facts_of({**RUNNING, "steroid_doses": [{"days_ago": 1, "status": "not-done"}]})
    day = steroid_on(YESTERDAY, facts, catalogue.known)
    assert (day.is_recorded_as_given, day.is_computed) == (False, False)


TODAY_DOUBTFUL = {"when": "2026-03-02T08:00:00"}
WITHOUT_ZONE = {"start": "2026-03-02T08:00:00"}


@pytest.mark.parametrize(
    ("order", "doses", "cover"),
    [
        ({}, [TODAY_DOUBTFUL], YES),
        (WITHOUT_ZONE, [TODAY_DOUBTFUL], MAYBE),
        (WITHOUT_ZONE, [{"days_ago": 0}], YES),
        (WITHOUT_ZONE, [{"days_ago": 0}, TODAY_DOUBTFUL], YES),
    ],
)
def test_today_is_covered_by_the_order_or_by_a_proven_dose(
    catalogue: Catalogue, facts_of: FactsOf, order: Any, doses: list[Any], cover: Certainty
) -> None:
    assert steroid_on(TODAY, facts_of({"steroids": [order], "steroid_doses": doses}), catalogue.known).cover is cover


@pytest.mark.parametrize(
    ("order", "given", "mg"),
    [
        ({}, "1", D("3.2")),
        ({}, "4", D(4)),
        ({"dose": "none"}, "4", None),
        ({}, "none", None),
    ],
)
def test_of_today_the_higher_of_ordered_and_given_counts_and_nothing_where_one_is_unknown(
    catalogue: Catalogue, facts_of: FactsOf, order: Any, given: str, mg: Any
) -> None:
    facts = facts_of({"steroids": [order], "steroid_doses": [{"days_ago": 0, "mg": given}]})
    assert steroid_on(TODAY, facts, catalogue.known).mg == mg


def test_the_supply_of_one_order_limits_it_beside_another_without(catalogue: Catalogue, facts_of: FactsOf) -> None:
    limited = {"supply_days": 10, "written": "2026-03-02", "end": "none"}
    facts = facts_of({"steroids": [limited, {"start": "2026-02-20", "end": "2026-03-05"}]})
    after = date(2026, 3, 13)
    assert steroid_on(after, facts, catalogue.known, within_supply=True).cover is NO
    assert ordered_on(after, facts, catalogue.known).cover is YES


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ({"steroids": [{"start": "none", "written": "2026-02-25"}]}, date(2026, 2, 25)),
        ({"steroids": [], "draft_steroids": [{"start": "none", "written": "2026-02-25"}]}, TODAY),
    ],
)
def test_an_order_without_a_start_begins_when_it_was_written_and_a_draft_today(
    catalogue: Catalogue, facts_of: FactsOf, given: Any, first: date
) -> None:
    facts = facts_of(given)
    (order,) = facts.steroid_orders
    assert first_day_of(order.phases[0], order, facts) == first
