"""What is not said of an entry of the record is the part that reassures nobody, or that nothing was said of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from asked_rules import FactsOf
from domain_values import EVIDENCE, D, a_result, at

from cds_service.domain.codes import Code
from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import ListState, PatientFacts, Repetition, SourceState, WeightMeasurement
from cds_service.domain.intervals import Interval
from cds_service.domain.medicines import SteroidOrder, SteroidPhase, SteroidRoute
from cds_service.domain.results import ReferenceRange


def test_a_time_of_which_no_more_is_said_satisfies_nothing() -> None:
    assert not ClinicalTime("2026-03-01", date(2026, 3, 1)).may_satisfy
    assert ClinicalTime("2026-03-01", date(2026, 3, 1), is_exact=True).may_satisfy


def test_a_time_stays_the_same_when_its_seconds_were_asked_for() -> None:
    asked, other = at("2026-03-01", "08:00"), at("2026-03-01", "08:00")
    assert asked.seconds > 0
    assert asked == other
    assert hash(asked) == hash(other)
    assert repr(asked) == repr(other)


def test_an_entry_of_the_code_lists_is_one_code_and_no_chapter() -> None:
    assert not Code("ICD10CM", "K72", "Synthetic name", "confirmed_1").is_prefix


def test_of_a_list_that_did_not_come_nothing_was_received() -> None:
    assert SourceState(ListState.NOT_ATTEMPTED).received == 0


def test_an_order_that_says_nothing_of_repetition_names_neither_one_time_a_day_nor_several() -> None:
    nothing = Repetition()
    assert (nothing.is_once_a_day, nothing.several_times, nothing.planned_for) == (False, False, ())


@pytest.fixture
def phase() -> SteroidPhase:
    day = date(2026, 3, 2)
    return SteroidPhase(D("3.2"), None, D(1), 1, frozenset(), frozenset(), day, None, None, "", "3.2 mg")


def test_a_step_of_a_corticosteroid_has_the_days_that_are_written(phase: SteroidPhase) -> None:
    assert (phase.is_end_presumed, phase.has_exact_days) == (False, True)


def test_an_order_is_taken_back_changed_or_unclear_only_where_that_is_said(phase: SteroidPhase) -> None:
    order = SteroidOrder(
        order_id="o1",
        drug="prednisolone",
        route=SteroidRoute.ORAL,
        phases=(phase,),
        is_cover=True,
        standing=Standing.ACCEPTED,
        is_draft=False,
        is_depot=False,
        strength_mg_per_ml=None,
        written_on=None,
        supply_ends=None,
        reason_written="",
        evidence=EVIDENCE,
    )
    assert (order.is_being_stopped, order.is_being_changed, order.is_status_unclear) == (False, False, False)


def test_a_weight_is_an_empty_entry_only_where_that_is_said() -> None:
    weight = WeightMeasurement(
        quantity=None,
        written="3.2 stone",
        measured=at("2026-03-01"),
        for_dosing=True,
        standing=Standing.ACCEPTED,
        is_correction=False,
        order_key=("", ""),
        evidence=EVIDENCE,
    )
    assert not weight.is_empty


def test_a_sample_gave_no_result_only_where_that_is_said() -> None:
    assert not a_result().had_no_result


def test_a_changed_copy_of_the_facts_works_everything_out_anew_and_shows_nothing_of_it(facts_of: FactsOf) -> None:
    facts = facts_of({})
    assert facts.once(day_of_call) == date(2026, 3, 2)
    later = replace(facts, today=date(2026, 3, 9))
    assert later.once(day_of_call) == date(2026, 3, 9)
    assert "day_of_call" not in repr(facts)


def day_of_call(facts: PatientFacts) -> date:
    return facts.today


def test_a_range_is_one_of_one_unless_several_are_said() -> None:
    twenty = Interval.of("", D(20))
    assert twenty is not None
    limits = ReferenceRange(twenty, None, D(40), "≤ 40")
    assert (limits.is_unit_known, limits.is_from_text, limits.is_lowest_of_several) == (True, False, False)
