"""Five children from the infusion to day 120: what the opened chart says, and when it begins and ceases to say it."""

from __future__ import annotations

import pytest
from simulate_courses import Simulation, levels_of
from simulated_children import CHILDREN, DAYS, MISSED, UNEVENTFUL, SimulatedChild

RANK = ("info", "warning", "critical")


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return Simulation()


@pytest.mark.parametrize(
    ("child", "number", "rule", "level"),
    [
        pytest.param(child, number, rule, level, id=f"{child.name} D+{number} {rule} {level or 'silent'}")
        for child in CHILDREN
        for number, rule, level in child.turning_points
    ],
)
def test_the_chart_says_on_this_day_what_was_worked_out_by_hand(
    simulation: Simulation, child: SimulatedChild, number: int, rule: str, level: str | None
) -> None:
    assert levels_of(simulation.cards(child, number)).get(rule) == level


@pytest.mark.hazard("H38")
def test_an_uneventful_course_never_alarms_and_is_told_on_one_card_a_day(simulation: Simulation) -> None:
    for number in range(DAYS + 1):
        cards = simulation.cards(UNEVENTFUL, number)
        assert {card["indicator"] for card in cards} <= {"info"}, (number, levels_of(cards))
        assert len(cards) <= 1, number


def test_an_uneventful_course_falls_silent_two_weeks_after_its_last_panel(simulation: Simulation) -> None:
    assert simulation.cards(UNEVENTFUL, 92 + 14)
    assert simulation.cards(UNEVENTFUL, 92 + 15) == []


def test_the_same_facts_give_the_same_levels_on_the_chart_and_at_a_visit(simulation: Simulation) -> None:
    for number in (10, 17, 24):
        chart, visit = (levels_of(simulation.cards(MISSED, number, moment)) for moment in ("chart", "visit"))
        shared = set(chart) & set(visit)
        assert shared, number
        assert {rule: chart[rule] for rule in shared} == {rule: visit[rule] for rule in shared}, number


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.name)
def test_a_repeated_call_gives_the_same_cards(simulation: Simulation, child: SimulatedChild) -> None:
    for number in child.shown_on:
        assert simulation.cards(child, number) == simulation.cards(child, number)
