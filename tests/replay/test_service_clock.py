"""Fixtures moved to the clock of a service: days by whole days, times to the same local time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cds_service.replay.answers import Told
from cds_service.replay.service_clock import ServiceClock


def clock(now: str, zone: str = "UTC") -> ServiceClock:
    return ServiceClock(datetime.fromisoformat(now), ZoneInfo(zone))


def moved_value(at: ServiceClock, value: str) -> str:
    return dict(at.moved_told(Told("dose", "dose-volume", "info", (("value", value),))).values)["value"]


@pytest.mark.parametrize(
    ("now", "zone", "is_own"),
    [
        ("2026-03-02T09:00+00:00", "UTC", True),
        ("2026-03-02T09:01+00:00", "UTC", False),
        ("2026-03-02T04:00-05:00", "America/New_York", False),
        ("2026-03-03T09:00+00:00", "UTC", False),
    ],
)
def test_only_the_fixtures_own_moment_needs_no_moving(now: str, zone: str, is_own: bool) -> None:
    assert clock(now, zone).is_that_of_the_fixtures is is_own


def test_nothing_is_changed_on_the_fixtures_own_day() -> None:
    text = '{"birthDate":"2026-01-02","effectiveDateTime":"2026-03-01T08:00:00.000-05:00"}'
    assert clock("2026-03-02T23:50+00:00").moved_request(text) == text.encode()


def test_the_day_is_that_of_the_services_zone() -> None:
    assert str(clock("2026-03-02T01:00+00:00", "America/New_York").today) == "2026-03-01"


@pytest.mark.parametrize(
    ("value", "moved"),
    [
        ("2026-03-05", "2026-03-15"),
        ("2026-03-05, 2026-03-28", "2026-03-15, 2026-04-07"),
        ("1.8 mg (2026-03-03), 0.9 mg (2026-03-17)", "1.8 mg (2026-03-13), 0.9 mg (2026-03-27)"),
        ("2026-03-02 14:00", "2026-03-12 14:00"),
        ("2024", "2024"),
        ("71894-121-03", "71894-121-03"),
        ("Observation/w-2026-03-01", "Observation/w-2026-03-01"),
        ("16.5", "16.5"),
    ],
)
def test_every_day_in_an_expected_value_is_moved(value: str, moved: str) -> None:
    assert moved_value(clock("2026-03-12T09:00+00:00"), value) == moved


@pytest.mark.parametrize(
    ("zone", "written", "moved"),
    [
        ("America/New_York", "2026-02-28T08:00:00Z", "2026-03-10T08:00:00-04:00"),  # summer time by then
        ("America/New_York", "2026-02-20T08:00:00Z", "2026-03-02T08:00:00-05:00"),
        ("Asia/Kolkata", "2026-02-28T22:00:00-05:00", "2026-03-11T03:00:00+05:30"),
        ("Asia/Kolkata", "2026-02-28T08:00:00", "2026-03-10T08:00:00"),  # a time without a zone is the site's own
        ("Asia/Kolkata", "2026-02-28", "2026-03-10"),
    ],
)
def test_a_time_is_the_same_local_time_in_the_services_zone(zone: str, written: str, moved: str) -> None:
    at = clock("2026-03-12T12:00+00:00", zone)
    assert at.moved_request(f'{{"effectiveDateTime":"{written}"}}') == f'{{"effectiveDateTime":"{moved}"}}'.encode()
    assert moved_value(at, written) == moved
