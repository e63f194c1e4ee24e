"""FHIR dates and times become local days and instants; what cannot be placed has no day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir import SiteClock
from cds_service.fhir.clinical_time import effective_time, iso_day, read_time, recency, sortable

NEW_YORK = ZoneInfo("America/New_York")


def clock_at(now: str, zone: str = "America/New_York") -> SiteClock:
    return SiteClock(datetime.fromisoformat(now), ZoneInfo(zone), timedelta(minutes=15))


def test_a_date_is_that_local_day(clock: SiteClock) -> None:
    time = read_time("2026-03-01", clock)
    assert (time.day, time.instant, time.may_satisfy) == (date(2026, 3, 1), None, True)


@pytest.mark.parametrize("written", ["2026", "2026-03"])
def test_a_year_or_a_month_cannot_be_placed(clock: SiteClock, written: str) -> None:
    time = read_time(written, clock)
    assert (time.day, time.may_satisfy, time.written) == (None, False, written)


@pytest.mark.hazard("H23")
@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-01T23:30:00-05:00", date(2026, 3, 1)),
        ("2026-03-02T04:30:00Z", date(2026, 3, 1)),
        ("2026-03-02T05:00:00Z", date(2026, 3, 2)),
        ("2026-03-02T04:59:59.999Z", date(2026, 3, 1)),
        ("2026-03-02T04:30:00.1234567Z", date(2026, 3, 1)),
        ("2026-03-02T04:30:00+00:00", date(2026, 3, 1)),
        ("2026-03-02T18:00:00+14:00", date(2026, 3, 1)),
    ],
)
def test_an_instant_is_moved_to_the_sites_zone_before_a_day_is_taken(clock: SiteClock, written: str, day: date) -> None:
    time = read_time(written, clock)
    assert (time.day, time.may_satisfy) == (day, True)
    assert time.instant == datetime.fromisoformat(written.replace("Z", "+00:00"))


@pytest.mark.hazard("H23")
@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2025-03-08T23:30:00-05:00", date(2025, 3, 8)),  # the evening before the clocks go forward
        ("2025-03-09T23:30:00-05:00", date(2025, 3, 10)),  # winter time written in summer
        ("2025-03-09T23:30:00-04:00", date(2025, 3, 9)),
        ("2025-11-02T23:30:00-04:00", date(2025, 11, 2)),  # summer time written in winter
        ("2025-11-02T00:30:00-05:00", date(2025, 11, 2)),
        ("2025-11-03T00:30:00-04:00", date(2025, 11, 2)),
    ],
)
def test_days_are_right_around_the_change_of_clocks(written: str, day: date) -> None:
    assert read_time(written, clock_at("2026-03-02T09:00:00+00:00")).day == day


def test_a_time_without_a_zone_is_shown_in_the_sites_zone_and_satisfies_nothing(clock: SiteClock) -> None:
    time = read_time("2026-03-01T08:00:00", clock)
    assert (time.day, time.instant) == (date(2026, 3, 1), datetime(2026, 3, 1, 8, tzinfo=NEW_YORK))
    assert not time.may_satisfy


def test_a_time_without_seconds_is_read(clock: SiteClock) -> None:
    assert read_time("2026-03-01T08:00Z", clock).may_satisfy


@pytest.mark.parametrize(
    "written", ["2026-03-01T24:00:00Z", "2026-03-01T24:00:00-05:00", "2026-03-01T25:00:00Z", "2026-03-01T08:60:00Z"]
)
def test_an_hour_that_does_not_exist_has_no_day(clock: SiteClock, written: str) -> None:
    assert read_time(written, clock).day is None


def test_a_leap_second_is_on_its_day_or_on_none(clock: SiteClock) -> None:
    time = read_time("2016-12-31T23:59:60Z", clock)
    assert time.day in (None, date(2016, 12, 31))
    assert time.written == "2016-12-31T23:59:60Z"


def test_a_local_hour_that_the_clocks_skip_is_on_its_day(clock: SiteClock) -> None:
    assert read_time("2025-03-09T02:30:00", clock).day == date(2025, 3, 9)


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("9999-12-31T23:59:59-12:00", "Pacific/Auckland"),
        ("0001-01-01T00:00:00+14:00", "America/New_York"),
        ("9999-12-31T23:59:59Z", "Pacific/Auckland"),
    ],
)
def test_the_edges_of_the_calendar_have_no_day(written: str, zone: str) -> None:
    time = read_time(written, clock_at("2026-03-02T09:00:00+00:00", zone))
    assert time.day is None
    assert not time.may_satisfy


@pytest.mark.parametrize("written", ["9999-12-31", "2200-01-01", "1899-12-31", "0001-01-01", "9999-12-31T23:59:59Z"])
def test_a_day_that_stands_for_no_end_or_not_known_cannot_be_placed(clock: SiteClock, written: str) -> None:
    time = read_time(written, clock)
    assert (time.day, time.written, time.may_satisfy) == (None, written, False)


def test_the_last_and_the_first_year_that_can_be_placed(clock: SiteClock) -> None:
    assert read_time("2199-12-31", clock).day == date(2199, 12, 31)
    assert read_time("1900-01-01", clock).day == date(1900, 1, 1)


@pytest.mark.parametrize(
    "written",
    [
        None, 5, 20260301, True, [], {}, ["2026-03-01"], "", "yesterday", "2026-13-01", "2026-02-30", "2026-3-1", "20260301",
        "01.03.2026", "03/01/2026", "2026-03-01T", "2026-03-01T8:00:00Z", "2026-03-01T08:00:00Z UTC", "2026-03-01Z",
        "2020-12-11T00:00:00Z UTC", "2026-03-01T08:00:00+5", "2026-W09-1", "2026-060", "-2026-03-01", "0000-01-01", "\u0662026-03-01",
        "2026-03-01T08:00:00EST", "2026-03-01T08:00:00.Z", "2026-03-01\n2026-03-01",
    ],
)  # fmt: skip
def test_what_is_no_fhir_time_has_no_day(clock: SiteClock, written: Any) -> None:
    time = read_time(written, clock)
    assert (time.day, time.instant, time.may_satisfy) == (None, None, False)


def test_blanks_around_a_time_do_no_harm(clock: SiteClock) -> None:
    assert read_time(" 2026-03-01 ", clock).day == date(2026, 3, 1)


@pytest.mark.hazard("H22")
@pytest.mark.parametrize(
    ("written", "is_future"),
    [
        ("2026-03-02T09:15:00Z", False),
        ("2026-03-02T09:15:01Z", True),
        ("2026-03-02T04:15:00", False),
        ("2026-03-02T04:15:01", True),
        ("2026-03-02", False),
        ("2026-03-03", True),
    ],
)
def test_the_future_begins_a_quarter_of_an_hour_after_now(clock: SiteClock, written: str, is_future: bool) -> None:
    time = read_time(written, clock)
    assert time.is_future is is_future
    assert not (is_future and time.may_satisfy)


@pytest.mark.hazard("H23")
def test_today_is_the_sites_day() -> None:
    assert clock_at("2026-03-02T04:30:00+00:00").today == date(2026, 3, 1)
    assert clock_at("2026-03-02T11:30:00+00:00", "Pacific/Auckland").today == date(2026, 3, 3)


@given(st.text(max_size=30) | st.datetimes().map(str) | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat))
def test_no_text_makes_the_reader_fail(written: str) -> None:
    time = read_time(written, clock_at("2026-03-02T09:00:00+00:00"))
    assert time.written == written.strip()


# --- which of several times counts

AT, INSTANT, START, ISSUED = "2026-02-01", "2026-02-02T08:00:00Z", "2026-02-03", "2026-02-04T08:00:00Z"
EVERY = {"effectiveDateTime": AT, "effectiveInstant": INSTANT, "effectivePeriod": {"start": START}, "issued": ISSUED}


@pytest.mark.parametrize(
    ("lacking", "day", "may_satisfy"),
    [
        ((), date(2026, 2, 1), True),
        (("effectiveDateTime",), date(2026, 2, 2), True),
        (("effectiveDateTime", "effectiveInstant"), date(2026, 2, 3), True),
        (("effectiveDateTime", "effectiveInstant", "effectivePeriod"), date(2026, 2, 4), False),
        (tuple(EVERY), None, False),
    ],
)
def test_collection_counts_before_release(
    clock: SiteClock, lacking: tuple[str, ...], day: date | None, may_satisfy: bool
) -> None:
    time = effective_time({name: value for name, value in EVERY.items() if name not in lacking}, clock)
    assert (time.day, time.may_satisfy) == (day, may_satisfy)


@pytest.mark.parametrize("period", [{"end": "2026-02-03"}, {}, [], "2026-02-03", None])
def test_a_period_without_a_start_gives_no_time_of_collection(clock: SiteClock, period: Any) -> None:
    assert not effective_time({"effectivePeriod": period, "issued": ISSUED}, clock).may_satisfy


def test_an_unreadable_time_of_collection_is_not_replaced_by_the_release(clock: SiteClock) -> None:
    assert effective_time({"effectiveDateTime": "last week", "issued": ISSUED}, clock).day is None


def test_what_cannot_be_placed_is_shown_as_written(clock: SiteClock) -> None:
    assert iso_day(read_time("2026-03", clock)) == "2026-03"
    assert iso_day(read_time("2026-03-02T04:30:00Z", clock)) == "2026-03-01"


def test_of_two_results_of_one_time_the_later_release_is_newer(clock: SiteClock) -> None:
    earlier = {"issued": "2026-03-01T08:00:00Z", "meta": {"lastUpdated": "2026-03-02T00:00:00Z"}}
    later = {"issued": "2026-03-01T09:00:00Z"}
    assert recency(earlier, clock) < recency(later, clock)


def test_releases_written_in_different_zones_are_compared_as_moments(clock: SiteClock) -> None:
    earlier = {"issued": "2026-03-01T08:30:00+02:00"}
    later = {"issued": "2026-03-01T07:00:00Z"}
    assert recency(earlier, clock) < recency(later, clock)


@pytest.mark.parametrize(
    ("written", "last"),
    [
        ("2026", date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 29)),
        ("2026-02", date(2026, 2, 28)),
        ("2026-02-01", None),
        ("2026-13", None),
        ("0000", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_last_day_that_a_month_or_year_can_mean(clock: SiteClock, written: str, last: date | None) -> None:
    assert read_time(written, clock).latest == last


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-03-01T08:30:00+02:00", "2026-03-01T07:00:00Z"),
        ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00.5Z"),
        ("2026-03-01T08:00:00.25Z", "2026-03-01T08:00:00.5Z"),
        ("2026-02-28T23:59:59-05:00", "2026-03-01T05:00:00Z"),
    ],
)
def test_moments_sort_by_time_however_they_are_written(earlier: str, later: str) -> None:
    assert sortable(earlier) < sortable(later)


@pytest.mark.parametrize(
    "written", [None, 5, "", "soon", "2026-03-01", "9999-12-31T23:59:59-12:00", "2026-03-01T24:00:00Z"]
)
def test_what_is_no_moment_sorts_as_it_is_written(written: Any) -> None:
    assert sortable(written) == (written if isinstance(written, str) else "")
