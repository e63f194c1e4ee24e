"""How often, on which days, and until when: every shape in which real systems write a schedule (trap 64)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.timing import DailyTiming, last_day_of_length, last_day_until, read_timing

Read = Callable[..., DailyTiming]
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
START = date(2026, 3, 2)
BOUNDS = {"boundsPeriod": {"start": "2026-03-02"}}
DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}


@pytest.fixture
def read(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda timing, presumed=None: read_timing(timing, recognition, clock, presumed)


def rhythm(found: DailyTiming) -> tuple[Decimal | None, int]:
    return found.times_per_day, found.every_days


def times(number: Any, every_days: int = 1) -> tuple[Decimal | None, int]:
    return (Decimal(str(number)) if number is not None else None), every_days


NOT_READABLE = times(None)


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        pytest.param(DAILY, times(1), id="once a day"),
        pytest.param({"frequency": "2", "period": "1", "periodUnit": "D"}, times(2), id="numbers as text"),
        pytest.param({"period": 1, "periodUnit": "d"}, times(1), id="no frequency is once"),
        pytest.param({"frequency": 2, "periodUnit": "d"}, times(2), id="no period is one"),
        pytest.param({"frequency": 1, "period": 8, "periodUnit": "h"}, times(3), id="every 8 hours"),
        pytest.param({"frequency": 1, "period": 5, "periodUnit": "h"}, times("4.8"), id="every 5 hours, on average"),
        pytest.param({"frequency": 1, "period": 24, "periodUnit": "h"}, times(1), id="every 24 hours"),
        pytest.param({"frequency": 1, "period": 48, "periodUnit": "h"}, times(1, 2), id="every 48 hours"),
        pytest.param({"frequency": 1, "period": 36, "periodUnit": "h"}, NOT_READABLE, id="every 36 hours"),
        pytest.param({"frequency": 1, "period": 2, "periodUnit": "d"}, times(1, 2), id="every other day"),
        pytest.param({"frequency": 2, "period": 2, "periodUnit": "d"}, times(1), id="twice in two days"),
        pytest.param({"frequency": 3, "period": 2, "periodUnit": "d"}, NOT_READABLE, id="three times in two days"),
        pytest.param({"frequency": 1, "period": Decimal("0.5"), "periodUnit": "d"}, times(2), id="every half day"),
        pytest.param({"frequency": 1, "period": Decimal("1.5"), "periodUnit": "d"}, NOT_READABLE, id="1.5 days"),
        pytest.param({"frequency": 14, "period": 1, "periodUnit": "wk"}, times(2), id="14 times a week"),
        pytest.param({"frequency": 1, "period": 1, "periodUnit": "wk"}, times(1, 7), id="once a week"),
        pytest.param({"frequency": 3, "period": 1, "periodUnit": "wk"}, NOT_READABLE, id="3 days a week, which?"),
        pytest.param({"frequency": 1, "period": 1, "periodUnit": "mo"}, NOT_READABLE, id="once a month"),
        pytest.param({"frequency": 1, "period": 30, "periodUnit": "min"}, NOT_READABLE, id="every 30 minutes"),
        pytest.param({"frequency": 1, "frequencyMax": 1, **DAILY}, times(1), id="a range of one"),
        pytest.param({**DAILY, "frequencyMax": 2}, NOT_READABLE, id="once or twice"),
        pytest.param({"frequency": 1, "period": 6, "periodMax": 8, "periodUnit": "h"}, NOT_READABLE, id="6 to 8 hours"),
        pytest.param({**DAILY, "frequency": 0}, NOT_READABLE, id="never"),
        pytest.param({**DAILY, "period": 0}, NOT_READABLE, id="no period at all"),
        pytest.param({**DAILY, "frequency": "often"}, NOT_READABLE, id="a word for a number"),
        pytest.param({**DAILY, "frequency": Decimal("0.5")}, NOT_READABLE, id="half a time"),
        pytest.param({"frequency": 2}, NOT_READABLE, id="twice, in what time?"),
        pytest.param({"timeOfDay": ["09:00:00", "18:00:00"]}, times(2), id="clock times alone"),
        pytest.param({"timeOfDay": ["09:00:00", "09:00:00"]}, times(1), id="one clock time twice"),
        pytest.param(
            {"timeOfDay": ["09:00:00", "18:00:00"], "period": 1, "periodUnit": "d"}, times(2), id="0900, 1800"
        ),
        pytest.param({"timeOfDay": ["09:00:00", "18:00:00"], **DAILY}, NOT_READABLE, id="two clock times, once a day"),
        pytest.param(
            {"timeOfDay": ["08:00:00"], "frequency": 1, "period": 2, "periodUnit": "d"}, times(1, 2), id="8:00"
        ),
        pytest.param({"when": ["MORN", "EVE"]}, times(2), id="morning and evening"),
        pytest.param({"when": ["PCM"], **DAILY}, times(1), id="after breakfast"),
        pytest.param({"when": ["MORN", "EVE"], **DAILY}, NOT_READABLE, id="morning and evening, once a day"),
        pytest.param({"when": ["PC"]}, NOT_READABLE, id="after meals: how many?"),
        pytest.param(
            {"when": ["PC"], "frequency": 3, "period": 1, "periodUnit": "d"}, times(3), id="3 times with meals"
        ),
        pytest.param({}, NOT_READABLE, id="nothing"),
        pytest.param("daily", NOT_READABLE, id="no object"),
    ],
)
def test_the_rhythm_by_numbers(read: Read, repeat: Any, expected: Any) -> None:
    assert rhythm(read({"repeat": repeat})) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ({"coding": [{"code": "QD"}]}, times(1)),
        ({"coding": [{"code": "BID"}]}, times(2)),
        ({"coding": [{"code": "TID"}]}, times(3)),
        ({"coding": [{"code": "QID"}]}, times(4)),
        ({"coding": [{"code": "AM"}]}, times(1)),
        ({"coding": [{"code": "PM"}]}, times(1)),
        ({"coding": [{"code": "QOD"}]}, times(1, 2)),
        ({"coding": [{"code": "Q3H"}]}, times(8)),
        ({"coding": [{"code": "Q4H"}]}, times(6)),
        ({"coding": [{"code": "Q6H"}]}, times(4)),
        ({"coding": [{"code": "Q8H"}]}, times(3)),
        ({"coding": [{"code": "Q12H"}]}, times(2)),
        ({"coding": [{"code": "Q72H"}]}, times(1, 3)),
        ({"coding": [{"code": "Q36H"}]}, NOT_READABLE),
        ({"coding": [{"code": "123", "display": "2 times  daily"}]}, times(2)),
        ({"text": "Every other day"}, times(1, 2)),
        ({"text": "Once daily.", "coding": [{"code": "QD"}]}, times(1)),
        ({"text": "daily", "coding": [{"code": "BID"}]}, NOT_READABLE),
        ({"text": "Q6H PRN"}, NOT_READABLE),
        ({"coding": [{"code": "BID"}, {"display": "Twice daily p.r.n."}]}, NOT_READABLE),
        ({"text": "Every 6 hours as needed"}, NOT_READABLE),
        ({"text": "daily unless asleep"}, NOT_READABLE),
        ({"text": "as directed"}, NOT_READABLE),
        ({}, NOT_READABLE),
        ("BID", NOT_READABLE),
    ],
)
def test_the_rhythm_by_codes_and_words(read: Read, code: Any, expected: Any) -> None:
    assert rhythm(read({"code": code})) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("BID", times(2)), ("0900 & 1800", times(2)), ("QD", NOT_READABLE), ("Q12H PRN", NOT_READABLE)],
)
def test_words_and_numbers_must_agree_where_both_can_be_read(read: Read, code: str, expected: Any) -> None:
    repeat = {"frequency": 2, "period": 1, "periodUnit": "d"}
    assert rhythm(read({"repeat": repeat, "code": {"text": code}})) == expected


@pytest.mark.parametrize(
    ("repeat", "expected", "weekdays"),
    [
        pytest.param({**DAILY, "dayOfWeek": ["mon", "thu"]}, times(1), {MON, THU}, id="daily on two days"),
        pytest.param({**DAILY, "dayOfWeek": "Sun"}, times(1), {SUN}, id="one day, no list"),
        pytest.param({**DAILY, "dayOfWeek": WEEK}, times(1), set(), id="every day of the week"),
        pytest.param(
            {"frequency": 3, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "wed", "fri"]},
            times(1),
            {MON, WED, FRI},
            id="three times a week, on three days",
        ),
        pytest.param(
            {"frequency": 2, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "wed", "fri"]},
            NOT_READABLE,
            {MON, WED, FRI},
            id="twice a week, on three days",
        ),
        pytest.param(
            {"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "wed", "fri"]},
            NOT_READABLE,
            {MON, WED, FRI},
            id="once a week, on three days",
        ),
        pytest.param(
            {"frequency": 2, "period": 2, "periodUnit": "wk", "dayOfWeek": ["mon"]},
            NOT_READABLE,
            {MON},
            id="in 2 weeks",
        ),
        pytest.param(
            {"frequency": 1, "period": 2, "periodUnit": "d", "dayOfWeek": ["mon"]},
            NOT_READABLE,
            {MON},
            id="every 2 days",
        ),
        pytest.param({"timeOfDay": ["08:00:00"], "dayOfWeek": ["sat", "sun"]}, times(1), {SAT, SUN}, id="at 8:00"),
        pytest.param({"dayOfWeek": ["mon"]}, NOT_READABLE, {MON}, id="days alone"),
        pytest.param({**DAILY, "dayOfWeek": ["mon", "someday"]}, NOT_READABLE, set(), id="a day nobody knows"),
    ],
)
def test_days_of_the_week(read: Read, repeat: Any, expected: Any, weekdays: set[int]) -> None:
    found = read({"repeat": repeat})
    assert (rhythm(found), found.weekdays) == (expected, weekdays)


# --- events


def test_a_single_event_alone_is_once_on_that_day(read: Read) -> None:
    found = read({"event": ["2026-03-02T13:00:00Z"]})
    assert found == DailyTiming(Decimal(1), 1, frozenset(), frozenset({START}), START, START)


def test_events_are_the_days_and_several_on_one_day_count(read: Read) -> None:
    found = read({"event": [f"2026-03-0{day}T{hour}:00:00-05:00" for day in (2, 4) for hour in ("08", "20")]})
    days = frozenset({START, date(2026, 3, 4)})
    assert found == DailyTiming(Decimal(2), 1, frozenset(), days, START, date(2026, 3, 4))


def test_events_that_differ_from_day_to_day_are_no_rhythm(read: Read) -> None:
    assert rhythm(read({"event": ["2026-03-02", "2026-03-02", "2026-03-03"]})) == NOT_READABLE
    assert rhythm(read({"event": ["2026-03-02", "2026-03-02", "2026-03-03"], "repeat": DAILY})) == NOT_READABLE


def test_a_single_event_beside_a_rhythm_is_the_start(read: Read) -> None:
    found = read({"event": "2026-03-02", "repeat": DAILY})
    assert (rhythm(found), found.only_on, found.first_day, found.last_day) == (times(1), frozenset(), START, None)


def test_several_events_beside_a_rhythm_are_the_days(read: Read) -> None:
    found = read({"event": ["2026-03-02", "2026-03-04"], "code": {"text": "QOD"}})
    assert (rhythm(found), len(found.only_on)) == (times(1), 2)
    assert rhythm(read({"event": ["2026-03-02", "2026-03-04"], "code": {"text": "BID"}})) == NOT_READABLE


@pytest.mark.parametrize("event", ["2026-03", "soon", 5, None])
def test_an_event_without_a_day_says_nothing(read: Read, event: Any) -> None:
    found = read({"event": [event]})
    assert (rhythm(found), found.only_on, found.first_day) == (NOT_READABLE, frozenset(), None)


# --- once


@pytest.mark.parametrize("timing", [{"code": {"text": "Once"}}, {"code": {"text": "STAT"}}, {"repeat": {"count": 1}}])
def test_once_is_on_its_first_day_only(read: Read, timing: Any) -> None:
    found = read({**timing, "event": ["2026-03-02"]})
    assert (rhythm(found), found.only_on, found.last_day) == (times(1), {START}, START)


def test_once_without_a_day_is_on_the_day_it_is_presumed_to_start(read: Read) -> None:
    found = read({"code": {"text": "Once"}}, START)
    assert (rhythm(found), found.only_on, found.first_day, found.last_day) == (times(1), {START}, None, START)
    assert rhythm(read({"code": {"text": "Once"}})) == NOT_READABLE


# --- from when to when


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2026-03-02T03:00:00Z", date(2026, 3, 1)),
        ("2026-03", date(2026, 3, 31)),
        ("2026", date(2026, 12, 31)),
        ("soon", None),
        (None, None),
    ],
)
def test_the_first_day_is_the_start_of_the_bounds(read: Read, start: Any, day: date | None) -> None:
    assert read({"repeat": {**DAILY, "boundsPeriod": {"start": start}}}).first_day == day


def test_the_start_of_the_bounds_comes_before_an_event(read: Read) -> None:
    assert read({"event": ["2026-03-05"], "repeat": {**DAILY, **BOUNDS}}).first_day == START


@pytest.mark.parametrize(
    ("end", "day"),
    [
        ("2026-03-31", date(2026, 3, 31)),
        ("2026-03-31T23:59:00-04:00", date(2026, 3, 31)),
        ("2026-03-31T00:00:00-04:00", date(2026, 3, 30)),
        ("2026-04-01T03:59:59Z", date(2026, 3, 31)),
        ("2026-03", date(2026, 3, 1)),
        ("2027", date(2027, 1, 1)),
        ("later", None),
        (5, None),
    ],
)
def test_a_period_ends_as_early_as_it_can_be_meant(clock: SiteClock, end: Any, day: date | None) -> None:
    assert last_day_until(end, clock) == day


def test_a_period_within_one_day_keeps_that_day(read: Read) -> None:
    midnight = "2026-03-02T00:00:00-05:00"
    assert read({"repeat": {**DAILY, "boundsPeriod": {"start": midnight, "end": midnight}}}).last_day == START


@pytest.mark.parametrize(
    ("value", "unit", "day"),
    [
        (30, "d", date(2026, 3, 31)),
        ("30", "days", date(2026, 3, 31)),
        (4, "wk", date(2026, 3, 29)),
        (1, "mo", date(2026, 4, 1)),
        (1, "a", date(2027, 3, 1)),
        (720, "h", date(2026, 3, 31)),
        (36, "h", date(2026, 3, 3)),
        (60, "min", START),
        (Decimal("1.5"), "d", date(2026, 3, 3)),
        (Decimal("1.5"), "mo", None),
        (0, "d", None),
        (-3, "d", None),
        (None, "d", None),
        (30, "doses", None),
        (10**20, "d", None),
        (10**6, "a", None),
    ],
)
def test_lengths_count_their_first_day(value: Any, unit: str, day: date | None) -> None:
    assert last_day_of_length(START, {"value": value, "unit": unit}) == day
    assert last_day_of_length(START, {"value": value, "code": unit, "unit": "{written}"}) == day


def test_a_length_without_a_start_has_no_end() -> None:
    assert last_day_of_length(None, {"value": 30, "unit": "d"}) is None


@pytest.mark.parametrize(
    ("more", "day"),
    [
        pytest.param({}, None, id="open"),
        pytest.param({"boundsDuration": {"value": 30, "unit": "d"}}, date(2026, 3, 31), id="a duration"),
        pytest.param(
            {"boundsRange": {"low": {"value": 28, "unit": "d"}, "high": {"value": 30, "unit": "d"}}},
            date(2026, 3, 29),
            id="a range: its low end",
        ),
        pytest.param({"boundsRange": {"high": {"value": 30, "unit": "d"}}}, date(2026, 3, 31), id="only a high end"),
        pytest.param({"duration": 30, "durationUnit": "d"}, date(2026, 3, 31), id="the length of a course"),
        pytest.param({"duration": 30, "durationUnit": "min"}, None, id="the length of one administration"),
        pytest.param({"count": 30}, date(2026, 3, 31), id="a number of times"),
        pytest.param({"count": 30, "frequency": 2}, date(2026, 3, 16), id="30 times, twice a day"),
        pytest.param({"count": 31, "frequency": 2}, date(2026, 3, 17), id="31 times, twice a day"),
        pytest.param({"count": 3, "period": 2}, date(2026, 3, 6), id="3 times, every other day"),
        pytest.param({"count": 4, "dayOfWeek": ["mon", "thu"]}, date(2026, 3, 12), id="4 times, on two weekdays"),
        pytest.param({"count": 0}, None, id="no times"),
        pytest.param({"count": "some"}, None, id="some times"),
        pytest.param({"count": 10**12}, None, id="beyond every calendar"),
        pytest.param({"boundsDuration": {"value": 30, "unit": "d"}, "count": 14}, date(2026, 3, 15), id="the earlier"),
    ],
)
def test_of_all_ends_the_earliest_counts(read: Read, more: Any, day: date | None) -> None:
    repeat = {**DAILY, **more}
    assert read({"event": ["2026-03-02"], "repeat": repeat}).last_day == day
    assert read({"repeat": repeat}, START).last_day == day, "counted from the presumed start"


@pytest.mark.parametrize(
    ("more", "day"),
    [
        ({"duration": 14, "durationUnit": "wk"}, date(2026, 6, 7)),
        ({"duration": 24, "durationUnit": "h"}, None),
        ({"duration": 25, "durationUnit": "h"}, date(2026, 3, 3)),
        ({"duration": 336, "durationUnit": "h"}, date(2026, 3, 15)),
        ({"duration": 1440, "durationUnit": "min"}, None),
        ({"duration": 1441, "durationUnit": "min"}, START),
    ],
)
def test_a_duration_of_more_than_a_day_is_the_length_of_the_course(read: Read, more: Any, day: date | None) -> None:
    found = read({"repeat": {**DAILY, **BOUNDS, **more}})
    assert (found.last_day, found.has_unreadable_end) == (day, False)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"duration": 14}, id="a duration in nothing"),
        pytest.param({"duration": 14, "durationUnit": "Day(s)"}, id="a duration in a unit of its own"),
        pytest.param({"duration": "two weeks", "durationUnit": "d"}, id="a duration in words"),
        pytest.param({"duration": 0, "durationUnit": "h"}, id="no duration"),
        pytest.param({"boundsDuration": {"value": 30, "unit": "doses"}}, id="bounds in doses"),
        pytest.param({"boundsDuration": "30 days"}, id="bounds in words"),
        pytest.param({"boundsDuration": {"value": 30, "unit": "d", "comparator": "<"}}, id="less than 30 days"),
        pytest.param({"boundsRange": {"low": {"value": 4}}}, id="a range in nothing"),
        pytest.param({"count": 0}, id="no times"),
        pytest.param({"count": "some"}, id="some times"),
        pytest.param({"boundsPeriod": {"start": "2026-03-02", "end": "03/31/2026"}}, id="an end in another order"),
        pytest.param({"boundsPeriod": {"start": "2026-03-02", "end": "2026-02-30"}}, id="an end on no day"),
        pytest.param({"boundsPeriod": {"start": "2026-03-02", "end": 20260331}}, id="an end as a number"),
        pytest.param({"boundsPeriod": {"end": "2026-04"}}, id="a month, without a start"),
        pytest.param({"boundsPeriod": {"start": "2026-03", "end": "2026-04"}}, id="a month, after a month"),
        pytest.param({"boundsPeriod": {"end": "2026"}}, id="a year, without a start"),
        pytest.param({"boundsPeriod": "March"}, id="a period in words"),
        pytest.param({"boundsPeriod": [{"end": "2026-03-09"}, {"end": "2026-03-31"}]}, id="two periods"),
    ],
)
def test_an_end_that_is_written_and_cannot_be_read_is_not_taken_for_none(read: Read, more: Any) -> None:
    assert read({"repeat": {**DAILY, **BOUNDS, **more}}).has_unreadable_end


@pytest.mark.parametrize("end", [None, "", "2026-03-31", "2026-03", "2026", "9999-12-31", "2200-01-01T00:00:00Z"])
def test_an_end_that_can_be_read_or_means_none_is_no_unreadable_one(read: Read, end: Any) -> None:
    assert not read({"repeat": {**DAILY, "boundsPeriod": {"start": "2026-03-02", "end": end}}}).has_unreadable_end


@pytest.mark.parametrize(
    ("period", "is_unreadable"),
    [
        ({"start": "soon"}, True),
        ({"start": 20260302}, True),
        ([{"start": "2026-03-02"}, {"start": "2026-03-09"}], True),
        ([{"start": "2026-03-02"}], False),
        ({"start": "2026-03"}, False),
        ({"end": "2026-03-31"}, False),
        (None, False),
    ],
)
def test_a_start_that_is_written_and_cannot_be_read_is_told(read: Read, period: Any, is_unreadable: bool) -> None:
    assert read({"repeat": {**DAILY, "boundsPeriod": period}}).has_unreadable_start is is_unreadable


def test_a_start_that_an_event_names_as_well_is_read(read: Read) -> None:
    found = read({"event": ["2026-03-02"], "repeat": {**DAILY, "boundsPeriod": {"start": "soon"}}})
    assert (found.first_day, found.has_unreadable_start) == (START, False)


@pytest.mark.parametrize(
    ("timing", "is_exact"),
    [
        ({"repeat": {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-31"}}}, True),
        ({"repeat": {"boundsPeriod": {"start": "2026-03-02T08:00:00Z", "end": "2026-03-31T08:00:00-05:00"}}}, True),
        ({"repeat": {"boundsPeriod": {"start": "2026-03-02T08:00:00", "end": "2026-03-31"}}}, False),
        ({"repeat": {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-31T08:00:00"}}}, False),
        ({"event": ["2026-03-02T08:00:00"]}, False),
        ({"event": ["2026-03-02T08:00:00-05:00"]}, True),
        ({"repeat": {"boundsPeriod": {"start": "2026-03"}}}, True),
        ({}, True),
    ],
)
def test_days_of_times_without_a_zone_are_not_exact(read: Read, timing: Any, is_exact: bool) -> None:
    assert read(timing).has_exact_days is is_exact


@pytest.mark.parametrize("code", ["Continuous", "continuous infusion", "Continuously for 24 hours"])
def test_what_runs_on_has_no_times_a_day(read: Read, code: str) -> None:
    assert rhythm(read({"repeat": DAILY, "code": {"text": code}})) == NOT_READABLE


def test_a_count_without_a_readable_rhythm_ends_nothing(read: Read) -> None:
    assert read({"event": ["2026-03-02"], "repeat": {"count": 30}, "code": {"text": "as directed"}}).last_day == START


def test_bounds_with_both_ends_and_nothing_else(read: Read) -> None:
    found = read({"repeat": {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-31"}}})
    assert found == DailyTiming(None, 1, frozenset(), frozenset(), START, date(2026, 3, 31))
