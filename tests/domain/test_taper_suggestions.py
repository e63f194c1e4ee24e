"""What the rules about the corticosteroid's end and taper offer, and when they offer nothing (label 2.1; site policy)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds_service.domain.answers import (
    BeginSteroidLater,
    ExtendSteroid,
    OrderSteroid,
    OrderTaper,
    ProposedChange,
    RequestTest,
)
from cds_service.domain.facts import PatientFacts
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
ChangesOf = Callable[..., tuple[ProposedChange, ...]]
INFUSED = date(2026, 2, 2)


def day(number: int) -> date:
    return INFUSED + timedelta(days=number)


def order(first: int, last: int, dose: str = "3.2 mg", **words: Any) -> dict[str, Any]:
    return {"start": day(first).isoformat(), "end": day(last).isoformat(), "dose": dose, **words}


@pytest.fixture
def changes_of(catalogue: Catalogue, facts_of: FactsOf) -> ChangesOf:
    """Everything that one rule offers for a child on a day after the infusion."""

    def changes(rule: str, number: int, **given: Any) -> tuple[ProposedChange, ...]:
        moment = {} if "draft_steroids" in given else {"moment": "chart"}
        child = {**moment, "today": day(number).isoformat(), "infused": INFUSED.isoformat(), **given}
        answers = catalogue.rules.rules[rule](facts_of(child), catalogue.known)
        return tuple(change for answer in answers for change in answer.changes)

    return changes


FINE = [{"on": day(28).isoformat()}]


@pytest.mark.parametrize(
    ("kg", "doses"),
    [("3.2 kg", ["1.5", "0.9"]), ("3.0 kg", ["1.5", "0.9"]), ("6.0 kg", ["3.0", "1.5"]), ("4.1 kg", ["2.1", "0.9"])],
)
def test_the_taper_of_the_template_is_measurable_falls_and_lasts_28_days(
    changes_of: ChangesOf, kg: str, doses: list[str]
) -> None:
    full = order(-1, 28, f"{kg.split()[0]} mg")
    (taper,) = changes_of("steroid-taper-eligible", 28, weight=kg, steroids=[full], panels=FINE)
    assert isinstance(taper, OrderTaper)
    assert [step.mg for step in taper.steps] == [Decimal(mg) for mg in doses]
    assert [(step.first_day, step.last_day) for step in taper.steps] == [(day(29), day(42)), (day(43), day(56))]
    assert all(step.mg == step.ml * taper.strength_mg_per_ml for step in taper.steps)


def test_no_taper_is_offered_where_two_steps_round_to_one_dose(changes_of: ChangesOf) -> None:
    full = order(-1, 28, "0.6 mg")
    assert changes_of("steroid-taper-eligible", 28, weight="0.6 kg", steroids=[full], panels=FINE) == ()


@pytest.mark.parametrize(
    "weights",
    [
        [],
        [{"weight": "3.2 kg", "days_ago": 15}],
        [{"weight": "3.5 kg", "days_ago": 8}, {"weight": "7.7 kg", "days_ago": 1}],
        [{"weight": "3.2 kg", "days_ago": 1}, {"weight": "4.2 kg", "days_ago": 1}],
    ],
)
def test_no_dose_is_offered_on_a_weight_that_is_missing_old_or_in_doubt(changes_of: ChangesOf, weights: Any) -> None:
    assert changes_of("steroid-taper-eligible", 28, weights=weights, panels=FINE) == ()
    assert changes_of("steroid-gap", 22, weights=weights, steroids=[order(-1, 24)]) == ()
    assert changes_of("steroid-taper-abrupt", 30, weights=weights) == ()


def test_a_gap_ahead_is_filled_up_to_the_next_order_and_never_doubled(changes_of: ChangesOf) -> None:
    (fill,) = changes_of("steroid-gap", 20, steroids=[order(-1, 22), order(25, 28)])
    assert isinstance(fill, OrderSteroid)
    assert (fill.first_day, fill.last_day, fill.purpose) == (day(23), day(24), "continue")
    assert changes_of("steroid-gap", 20, steroids=[order(-1, 19)]) == ()
    assert changes_of("steroid-gap", 24) == ()


def test_no_full_dose_is_offered_into_a_taper(changes_of: ChangesOf) -> None:
    assert changes_of("steroid-gap", 15, steroids=[order(-1, 10), order(11, 18, "1.6 mg")]) == ()


def test_only_a_draft_that_begins_with_the_lower_dose_is_moved(changes_of: ChangesOf) -> None:
    moved = changes_of(
        "steroid-taper-too-early", 20, steroids=[order(-1, 27)], draft_steroids=[order(28, 60, "1.6 mg")]
    )
    assert moved == (BeginSteroidLater("draft-steroid-1", day(29)),)
    steps = [order(21, 27), order(28, 60, "1.6 mg")]
    whole = {"steps": [{**step, "sequence": n} for n, step in enumerate(steps, start=1)]}
    assert changes_of("steroid-taper-too-early", 20, steroids=[order(-1, 20)], draft_steroids=[whole]) == ()
    assert changes_of("steroid-taper-too-early", 20, steroids=[order(-1, 27), order(28, 60, "1.6 mg")]) == ()


def test_a_draft_that_ends_too_soon_is_extended_in_place_of_a_second_order(changes_of: ChangesOf) -> None:
    high = [{"on": day(35).isoformat(), "alt": "120 U/L"}]
    draft = {"steroids": [order(-1, 36)], "draft_steroids": [order(37, 40)], "panels": high}
    assert changes_of("steroid-continue", 36, **draft) == (ExtendSteroid("draft-steroid-1", day(54)),)
    (more,) = changes_of("steroid-continue", 36, steroids=[order(-1, 40)], panels=high)
    assert isinstance(more, OrderSteroid)
    assert (more.first_day, more.last_day, more.purpose) == (day(41), day(54), "continue")
    assert changes_of("steroid-continue", 36, steroids=[order(-1, 40), order(45, 60)], panels=high) == ()


def test_a_short_draft_is_lengthened_to_28_days(changes_of: ChangesOf) -> None:
    draft = [order(29, 50, "1.6 mg")]
    assert changes_of("steroid-taper-short", 28, draft_steroids=draft) == (ExtendSteroid("draft-steroid-1", day(56)),)


def test_the_dose_is_offered_again_only_shortly_after_it_stopped(changes_of: ChangesOf) -> None:
    (again,) = changes_of("steroid-taper-abrupt", 30)
    assert isinstance(again, OrderSteroid)
    assert (again.first_day, again.last_day, again.purpose) == (day(30), day(43), "return")
    assert changes_of("steroid-taper-abrupt", 34) == ()
    assert changes_of("steroid-taper-abrupt", 30, steroids=[order(-1, 28), order(31, 40)]) == ()


def wanted(changes: tuple[ProposedChange, ...]) -> set[tuple[str, date | None]]:
    assert all(isinstance(change, RequestTest) for change in changes)
    return {(change.test, change.on) for change in changes if isinstance(change, RequestTest)}


def test_the_missing_tests_are_offered_for_the_last_of_the_30_days_or_today(changes_of: ChangesOf) -> None:
    lacks_clotting = [{"on": day(26).isoformat(), "prothrombin_time": "none", "inr": "none"}]
    rule = "steroid-end-check-due"
    assert wanted(changes_of(rule, 26, panels=lacks_clotting)) == {("pt-inr", day(28))}
    assert wanted(changes_of(rule, 30, panels=lacks_clotting)) == {("pt-inr", day(30))}
    asked = [{"code": "LOINC 5902-2"}, {"code": "LOINC 6301-6"}]
    assert changes_of(rule, 30, panels=lacks_clotting, requests=asked) == ()


def test_an_unsupported_taper_asks_for_the_tests_before_the_dose_falls(changes_of: ChangesOf) -> None:
    rule, taper = "steroid-taper-unsupported", [order(-1, 28), order(29, 56, "1.6 mg")]
    assert {on for _, on in wanted(changes_of(rule, 20, steroids=taper))} == {day(28)}
    assert {on for _, on in wanted(changes_of(rule, 31, steroids=taper))} == {day(31)}
