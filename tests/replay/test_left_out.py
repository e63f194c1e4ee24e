"""What is not compared at another moment than the fixtures' own: as little as can be, and always with a reason."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from compose_fixtures import scenarios

from cds_service.presentation import Catalogue
from cds_service.replay.answers import Told
from cds_service.replay.left_out import LeftOut
from cds_service.replay.scenarios import Scenario
from cds_service.replay.service_clock import ServiceClock

SHEDDING = Told("followup", "vector-shedding", "info", (("dayNumber", "17"), ("until", "2026-03-13")))
VOLUME = Told("dose", "dose-volume", "critical", (("expectedVolumeMl", "16.5"),))


def reason(scenarios: frozenset[str] = frozenset(), **rules: frozenset[str] | None) -> LeftOut:
    by_id = {rule.replace("_", "-"): values for rule, values in rules.items()}
    return LeftOut("because", scenarios, by_id, lambda _: True)


def rest(left_out: LeftOut, *told: Told) -> list[Told]:
    return list(left_out.rest_of(Counter(told)).elements())


def clock(now: str, zone: str = "UTC") -> ServiceClock:
    return ServiceClock(datetime.fromisoformat(now), ZoneInfo(zone))


def test_a_value_is_left_out_and_the_rest_of_the_finding_is_not() -> None:
    left_out = reason(vector_shedding=frozenset({"until"}))
    assert rest(left_out, SHEDDING, VOLUME) == [
        Told("followup", "vector-shedding", "info", (("dayNumber", "17"),)),
        VOLUME,
    ]


def test_a_whole_finding_is_left_out_and_the_other_rules_are_not() -> None:
    assert rest(reason(vector_shedding=None), SHEDDING, VOLUME) == [VOLUME]


def test_without_rules_nothing_is_compared_but_the_status() -> None:
    assert rest(reason(), SHEDDING, VOLUME) == []


def test_it_says_what_is_not_compared() -> None:
    assert (
        reason(vector_shedding=frozenset({"until", "months"})).what == "vector-shedding months, vector-shedding until"
    )
    assert reason(vector_shedding=None, troponin_raised=None).what == "vector-shedding, troponin-raised"
    assert reason().what == "everything but the status"


def test_it_concerns_its_scenarios_or_all_of_them() -> None:
    at = clock("2026-11-22T09:00+00:00")
    assert reason().concerns("on-track", at)
    assert reason(frozenset({"on-track"})).concerns("on-track", at)
    assert not reason(frozenset({"on-track"})).concerns("unremarkable", at)


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        ("2026-02-26", True),
        ("2026-02-27", False),
        ("2026-03-02", False),
        ("2028-02-19", False),
        ("2028-02-20", True),
        ("2030-02-26", True),
        ("2030-02-27", False),
    ],
)
def test_a_leap_day_counts_within_the_first_two_years(every_reason: tuple[LeftOut, ...], day: str, holds: bool) -> None:
    [left_out] = [item for item in every_reason if "29 February" in item.because]
    assert left_out.concerns("near-second-birthday", clock(f"{day}T09:00+00:00")) is holds


@pytest.mark.parametrize(
    ("now", "zone", "holds"),
    [
        ("2026-11-01T09:00-05:00", "America/New_York", True),
        ("2026-11-02T09:00-05:00", "America/New_York", False),
        ("2026-10-31T09:00-04:00", "America/New_York", False),
        ("2026-03-29T09:00+02:00", "Europe/Berlin", True),
        ("2026-11-01T09:00+00:00", "UTC", False),
    ],
)
def test_hours_for_thawing_are_left_out_only_where_the_clocks_change(
    every_reason: tuple[LeftOut, ...], now: str, zone: str, holds: bool
) -> None:
    [left_out] = [item for item in every_reason if "thawing" in item.because]
    assert left_out.concerns("thaw-too-short", clock(now, zone)) is holds


def test_what_the_file_names_exists(
    every_reason: tuple[LeftOut, ...], every_scenario: tuple[Scenario, ...], catalogue: Catalogue
) -> None:
    assert len({item.because for item in every_reason}) == len(every_reason)
    shown = {(told.rule, name) for scenario in every_scenario for told in scenario.told for name, _ in told.values}
    for item in every_reason:
        assert item.because
        assert item.scenarios <= set(scenarios())
        assert set(item.rules) <= catalogue.rules.ids
        assert {(rule, name) for rule, names in item.rules.items() for name in names or ()} <= shown


def test_doses_kits_and_the_checklist_are_always_compared(
    every_reason: tuple[LeftOut, ...], catalogue: Catalogue
) -> None:
    named = {rule for item in every_reason for rule in item.rules if not item.scenarios}
    assert not {"baseline-readiness", *(r for r, card in catalogue.cards.items() if card.topic == "dose")} & named
    assert named == {"data-future-dated", "rsv-influenza-prophylaxis", "vector-shedding", "discharge-counselling"}
