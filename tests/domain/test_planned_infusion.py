"""The day an infusion is planned for: the slot being booked, else the orders, else its appointment (clinical-rules C8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from domain_values import at

from cds_service.domain.days import NO_TIME
from cds_service.domain.facts import Instruction, Moment, PatientFacts, PlannedDay
from cds_service.domain.known import Known
from cds_service.domain.order_timing import InfusionTime, infusion_time
from cds_service.domain.quantities import exact_product
from cds_service.domain.relevance import concerns_the_product
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
UNPLANNED: dict[str, Any] = {"draft": {"planned": "none"}}


def on(*days: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(day) for day in days)


def planned_for(facts: PatientFacts, *days: str, latest: date | None = None) -> PatientFacts:
    """The same child with one draft for each of these days, "" for a plan that names none."""
    (draft,) = facts.drafts
    plans = (PlannedDay(date.fromisoformat(day) if day else None, day, None if day else latest) for day in days)
    return replace(facts, drafts=tuple(replace(draft, planned=plan) for plan in plans))


def test_a_slot_without_a_day_names_none(facts_of: FactsOf) -> None:
    slots = [{"for": "infusion", "start": "2026-03-05T09:00:00Z"}] * 2
    facts = facts_of({"moment": "booking", "slots": [{**slot, "id": f"s{n}"} for n, slot in enumerate(slots)]})
    dated, undated = facts.proposed_infusions
    assert replace(facts, slots=(dated, replace(undated, starts=NO_TIME))).planned_days == on("2026-03-05")


def test_where_no_order_names_a_day_the_appointment_of_the_infusion_does(facts_of: FactsOf) -> None:
    appointments = [
        {"for": "infusion", "start": "2026-03-05T09:00:00Z"},
        {"for": "infusion", "start": "2026-03-06T09:00:00Z"},
        {"for": "visit", "start": "2026-03-04T09:00:00Z"},
    ]
    facts = facts_of({**UNPLANNED, "appointments": appointments})
    dated, undated, visit = facts.slots
    facts = replace(facts, slots=(dated, replace(undated, starts=NO_TIME), visit))
    assert facts.planned_days == on("2026-03-05")


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("2026-02-27", "2026-03-02", "2026-03-05"), "2026-03-02"),
        (("2026-02-27", "2026-03-05"), "2026-03-05"),
        (("2026-02-20", "2026-02-27"), "2026-02-27"),
    ],
)
def test_the_next_planned_day_counts_today_included_else_the_last_one(
    facts_of: FactsOf, days: tuple[str, ...], expected: str
) -> None:
    assert planned_for(facts_of({}), *days).planned_infusion == date.fromisoformat(expected)


def test_a_plan_that_names_a_day_ends_on_that_day_whatever_else_it_could_mean(facts_of: FactsOf) -> None:
    (draft,) = facts_of({}).drafts
    plans = (PlannedDay(date(2026, 3, 5), "2026-03-05", date(2026, 3, 31)), PlannedDay(None, "soon"))
    facts = replace(facts_of({}), drafts=tuple(replace(draft, planned=plan) for plan in plans))
    assert facts.latest_infusion_day == date(2026, 3, 5)


def test_a_plan_that_names_a_month_may_mean_its_last_day(facts_of: FactsOf) -> None:
    facts = planned_for(facts_of({}), "2026-03-05", "", latest=date(2026, 3, 31))
    assert facts.latest_infusion_day == date(2026, 3, 31)


@pytest.mark.parametrize(("days", "is_known"), [(("2026-03-05", "2026-03-06"), True), (("2026-03-05", ""), False)])
def test_the_day_is_known_only_where_every_order_names_one(
    facts_of: FactsOf, days: tuple[str, ...], is_known: bool
) -> None:
    assert planned_for(facts_of({}), *days).has_infusion_day is is_known


def test_while_a_slot_is_booked_its_day_is_the_one_that_has_to_be_known(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "booking", "open_orders": [{}]})
    (slot,) = facts.proposed_infusions
    assert replace(facts, open_orders=()).has_infusion_day
    assert not replace(facts, slots=(replace(slot, starts=NO_TIME),)).has_infusion_day


@pytest.mark.parametrize("moment", [Moment.CHART, Moment.DISCHARGE])
def test_a_draft_is_no_concern_where_nothing_is_ordered(facts_of: FactsOf, moment: Moment) -> None:
    assert not concerns_the_product(replace(facts_of({}), moment=moment))


def test_seconds_are_those_of_the_moment_and_none_without_one() -> None:
    timed = at("2026-03-01", "08:00")
    assert timed.instant is not None
    assert (timed.seconds, at("2026-03-01").seconds) == (timed.instant.timestamp(), 0)


# --- a rate without a volume: only one that is too fast for every dose of the table can be told


@pytest.fixture
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


@pytest.mark.parametrize(
    ("of_the_largest", "expected"),
    [("1", InfusionTime.NOT_COMPARABLE), ("1.01", InfusionTime.NOT_COMPARABLE), ("1.02", InfusionTime.TOO_FAST)],
)
def test_without_a_volume_only_a_rate_above_that_of_the_largest_dose_is_too_fast(
    facts_of: FactsOf, known: Known, of_the_largest: str, expected: InfusionTime
) -> None:
    (draft,) = facts_of({}).drafts
    # 115.5 mL, the largest volume of the label's table, over 60 minutes.
    rate = exact_product(Decimal("115.5"), Decimal(of_the_largest))
    item: Instruction = replace(
        draft.instructions[0], minutes=None, minutes_written="", ml_per_hour=rate, rate_written=f"{rate} mL/h"
    )
    assert infusion_time(item, None, known) is expected
