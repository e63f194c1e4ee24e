"""Calendar days and hours, also where clocks are changed (clinical-rules C2)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cds_service.domain.days import add_months, days_from, full_years_and_days, hours_after, is_later, weeks_and_days

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-03-02T09:00", 24, "2026-03-03T09:00:00-05:00"),
        ("2026-03-07T12:00", 24, "2026-03-08T13:00:00-04:00"),  # clocks go forward in the night
        ("2026-10-31T12:00", 24, "2026-11-01T11:00:00-05:00"),  # clocks go back in the night
        ("2026-03-01T10:00", 14 * 24, "2026-03-15T11:00:00-04:00"),
        ("2026-03-08T01:30", 1, "2026-03-08T03:30:00-04:00"),
    ],
)
def test_so_many_hours_later_are_real_hours(start: str, hours: int, expected: str) -> None:
    moment = datetime.fromisoformat(start).replace(tzinfo=NEW_YORK)
    assert hours_after(moment, hours).isoformat() == expected


def test_within_the_hour_that_clocks_repeat_the_later_moment_is_later() -> None:
    first = datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK)
    second = datetime(2026, 11, 1, 1, 15, tzinfo=NEW_YORK, fold=1)
    assert is_later(second, than=first)
    assert not is_later(first, than=second)
    assert not is_later(first, than=first)


def test_moments_of_two_zones_are_compared_as_moments() -> None:
    assert is_later(datetime(2026, 3, 2, 9, 0, tzinfo=NEW_YORK), than=datetime(2026, 3, 2, 13, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2026-03-02", -3, "2025-12-02"),
        ("2026-12-15", 1, "2027-01-15"),
    ],
)
def test_a_month_later_is_the_same_day_number_clamped_to_the_months_end(start: str, months: int, expected: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(expected)


@pytest.mark.hazard("H23")
def test_a_day_more_is_a_calendar_day_whatever_the_clocks_do() -> None:
    assert days_from(date(2026, 3, 7), date(2026, 3, 9)) == 2
    assert days_from(date(2026, 3, 9), date(2026, 3, 7)) == -2


@pytest.mark.parametrize(
    ("born", "on", "expected"),
    [
        ("2024-03-03", "2026-03-02", (1, 364)),
        ("2024-03-02", "2026-03-02", (2, 0)),
        ("2024-02-29", "2026-02-28", (2, 0)),
    ],
)
def test_age_is_full_years_and_the_days_since_the_birthday(born: str, on: str, expected: tuple[int, int]) -> None:
    assert full_years_and_days(date.fromisoformat(born), date.fromisoformat(on)) == expected


@pytest.mark.parametrize(("days", "written"), [(255, "36+3"), (259, "37+0"), (0, "0+0")])
def test_weeks_are_written_as_completed_weeks_and_days(days: int, written: str) -> None:
    assert weeks_and_days(days) == written
