"""Timing → how often on a day, on which days, from when to when, as odd as real systems write it (trap 64)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import ROUND_CEILING, Decimal

from cds_service.domain.days import DAYS_PER_WEEK, add_months
from cds_service.domain.quantities import exact_product, exact_quotient
from cds_service.fhir.clinical_time import SiteClock, means_no_end, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    code_text,
    codings,
    concept_texts,
    number,
    only_object,
    says_nothing,
    text,
    values,
    whole_number,
)
from cds_service.fhir.recognition import Recognition

# So many times on each day that counts, and which days count: each, every second, every third …
Rhythm = tuple[Decimal, int]

_UNREADABLE: Rhythm = (Decimal(0), 0)
_ONE_DAY = timedelta(days=1)
_HOURS_PER_DAY = Decimal(24)
_MONTHS_IN = {"mo": 1, "month": 1, "months": 1, "a": 12, "year": 12, "years": 12}
_HOURS_IN = {
    **dict.fromkeys(("s", "min", "minute", "minutes"), Decimal(0)),
    **dict.fromkeys(("h", "hr", "hour", "hours"), Decimal(1)),
    **dict.fromkeys(("d", "day", "days"), _HOURS_PER_DAY),
    **dict.fromkeys(("wk", "week", "weeks"), _HOURS_PER_DAY * DAYS_PER_WEEK),
}
_A_DAY_IN = {
    "s": Decimal(86400),
    **dict.fromkeys(("min", "minute", "minutes"), Decimal(1440)),
    **dict.fromkeys(("h", "hr", "hour", "hours"), _HOURS_PER_DAY),
}
_LISTS = (
    ("once_a_day", (Decimal(1), 1)),
    ("twice_a_day", (Decimal(2), 1)),
    ("three_times_a_day", (Decimal(3), 1)),
    ("four_times_a_day", (Decimal(4), 1)),
    ("every_other_day", (Decimal(1), 2)),
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MEALS = ("ACM", "ACD", "ACV", "CM", "CD", "CV", "PCM", "PCD", "PCV")
# Codes of the event timing value set that stand for one time of the day; "with meals" is none of them.
_ONCE_A_DAY_WHEN = frozenset(
    f"{part}{stretch}"
    for part in ("MORN", "AFT", "EVE", "NOON", "NIGHT", "PHS", "HS", "WAKE", *_MEALS)
    for stretch in ("", ".early", ".late")
)
_EVERY_N_HOURS = re.compile(r"q ?([1-9][0-9]?) ?h(?:r|rs|ours?)?")


@dataclass(frozen=True, slots=True)
class DailyTiming:
    """When an instruction is carried out, in local days.

    `times_per_day` is the number of times on each day that counts, None where nothing readable says it.
    `every_days` is 2 for every other day. `weekdays` (Monday is 0) and `only_on` restrict the days; empty: all.
    `first_day` is None where no start is written, `last_day` is None where no end is; of several ends it is the
    earliest plausible one. A start or an end that is written and cannot be read is neither, and is told; days that are
    those of times without a zone are not exact.
    """

    times_per_day: Decimal | None
    every_days: int
    weekdays: frozenset[int]
    only_on: frozenset[date]
    first_day: date | None
    last_day: date | None
    has_unreadable_start: bool = False
    has_unreadable_end: bool = False
    has_exact_days: bool = True


def read_timing(
    timing: JsonObject, recognition: Recognition, clock: SiteClock, presumed_start: date | None = None
) -> DailyTiming:
    """What a Timing element says. `presumed_start` is the day from which lengths count where no start is written."""
    repeat = only_object(timing.get("repeat"))
    written = [event for event in values(timing.get("event")) if not says_nothing(event)]
    events = [day for event in written if (day := read_time(event, clock).day)]
    weekdays = _weekdays(repeat)
    first_day = _first_day(repeat, clock) or min(events, default=None)
    start = first_day or presumed_start
    has_unreadable_event = len(events) < len(written) and not _are_bounds_readable(repeat, clock)
    is_single, rhythm = _rhythm(timing, repeat, weekdays, recognition)
    only_on = frozenset(events if len(events) > 1 or rhythm is None else ())
    if is_single and len(events) <= 1:
        rhythm, only_on = ((Decimal(1), 1), frozenset({start})) if start else (None, frozenset[date]())
    elif only_on:
        rhythm = _agreed([(_times_on_each(events), 1), *([(rhythm[0], 1)] if rhythm else [])])
    if rhythm is None or not rhythm[0] or weekdays is None:
        rhythm, weekdays = None, weekdays or frozenset()
    ends = [_bounds_end(repeat, clock), *_ends_by_length(repeat, start)]
    ends += [max(only_on, default=None), _end_by_count(repeat, start, rhythm, weekdays)]
    return DailyTiming(
        times_per_day=rhythm[0] if rhythm else None,
        every_days=rhythm[1] if rhythm else 1,
        weekdays=weekdays,
        only_on=only_on,
        first_day=first_day,
        last_day=min((end for end in ends if end), default=None),
        has_unreadable_start=first_day is None and (has_unreadable_event or _is_start_stated(repeat)),
        has_unreadable_end=has_unreadable_event or _is_end_unreadable(repeat, start or clock.today, clock),
        has_exact_days=_has_exact_days(timing, repeat, clock),
    )


def says_as_needed(texts: Iterable[str], recognition: Recognition) -> bool:
    """Whether one of the texts says that it is done as needed, which is no schedule."""
    return any(recognition.holds("as_needed", said) for said in texts)


def timing_words(timing: JsonObject) -> list[str]:
    """The codes and texts by which a Timing says in words how often."""
    code = timing.get("code")
    said = [*(text(coding.get("code")) for coding in codings(code)), *concept_texts(code)]
    return [" ".join(words.split()) for words in said if words]


def last_day_until(written: object, clock: SiteClock) -> date | None:
    """The last day of a period that ends then, as early as it can be meant; None where nothing readable is said.

    An end at midnight leaves nothing of its day; a month or a year ends it at its first day.
    """
    end = read_time(written, clock)
    if end.day is not None:
        is_midnight = end.instant is not None and end.instant.time() == time() and end.day > date.min
        return end.day - _ONE_DAY if is_midnight else end.day
    latest = end.latest
    return latest and latest.replace(day=1, month=latest.month if "-" in end.written else 1)


def last_day_of_length(start: date | None, length: JsonObject) -> date | None:
    """The last day of so many hours, days, weeks, months or years, counted from `start`; None where unreadable.

    A bound, such as less than 30 days, is no length.
    """
    value, unit = number(length.get("value")), code_text(length.get("code")) or code_text(length.get("unit"))
    if start is None or value is None or value <= 0 or length.get("comparator"):
        return None
    try:
        if unit in _HOURS_IN:
            days = exact_quotient(exact_product(value, _HOURS_IN[unit]), _HOURS_PER_DAY)
            return start + _ONE_DAY * (max(1, _rounded_up(days)) - 1)
        if unit in _MONTHS_IN and value == value.to_integral_value():
            return add_months(start, int(value) * _MONTHS_IN[unit]) - _ONE_DAY
    except (OverflowError, ValueError):
        return None  # longer than any calendar
    return None


def _rounded_up(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_CEILING))


def _first_day(repeat: JsonObject, clock: SiteClock) -> date | None:
    """The start of the bounds; where that names a month or year only, its last day: it satisfies nothing (C2)."""
    start = read_time(only_object(repeat.get("boundsPeriod")).get("start"), clock)
    return start.day or start.latest


def _has_exact_days(timing: JsonObject, repeat: JsonObject, clock: SiteClock) -> bool:
    """Whether every time that gives the schedule a day has a zone, or is a day."""
    period = only_object(repeat.get("boundsPeriod"))
    times = (read_time(time, clock) for time in (period.get("start"), period.get("end"), *values(timing.get("event"))))
    return all(time.is_exact for time in times if time.day is not None)


def _are_bounds_readable(repeat: JsonObject, clock: SiteClock) -> bool:
    period = only_object(repeat.get("boundsPeriod"))
    return all(read_time(period.get(side), clock).day is not None for side in ("start", "end"))


def _is_start_stated(repeat: JsonObject) -> bool:
    """Whether something stands where a start belongs."""
    period = only_object(repeat.get("boundsPeriod"))
    return not says_nothing(period.get("start") if period else repeat.get("boundsPeriod"))


def _rhythm(
    timing: JsonObject, repeat: JsonObject, weekdays: frozenset[int] | None, recognition: Recognition
) -> tuple[bool, Rhythm | None]:
    """Whether it is once and no more; else how often, by all that says it, which must agree."""
    words = timing_words(timing)
    if says_as_needed(words, recognition) or any(recognition.holds("continuous", said) for said in words):
        return False, _UNREADABLE
    if any(recognition.says("single_timing", [said]) for said in words):
        return True, None
    of_the_day = [times for times in (_clock_times(repeat), _whens(repeat)) if times]
    frequency = _frequency(repeat, of_the_day[0] if of_the_day else Decimal(1), weekdays or frozenset())
    readings = [(times, frequency[1] if frequency else 1) for times in of_the_day]
    readings += [reading for reading in (frequency, _in_words(words, recognition)) if reading]
    if not readings and whole_number(repeat.get("count")) == 1:
        return True, None
    return False, _agreed(readings) if readings else None


def _agreed(readings: list[Rhythm]) -> Rhythm:
    return readings[0] if len(set(readings)) == 1 else _UNREADABLE


def _frequency(repeat: JsonObject, default: Decimal, weekdays: frozenset[int]) -> Rhythm | None:
    """The rhythm by frequency and period; None where they say nothing. Ranges are not computable."""
    stated = [repeat.get(name) for name in ("frequency", "frequencyMax", "period", "periodMax")]
    often, most, period, longest = (number(value) for value in stated)
    unit = code_text(repeat.get("periodUnit"))
    if all(value is None for value in stated) or (period is None and not unit):
        return None
    if any(value is not None and number(value) is None for value in stated):
        return _UNREADABLE
    is_range = most not in (None, often) or longest not in (None, period)
    often, period = (default if often is None else often), (Decimal(1) if period is None else period)
    is_counted = often > 0 and period > 0 and often == often.to_integral_value()
    hours = _HOURS_IN.get(unit)
    if is_range or not is_counted or not hours:
        return _UNREADABLE
    is_weekly = bool(weekdays) and hours > _HOURS_PER_DAY
    if is_weekly and period != 1:
        return _UNREADABLE
    found = _per_hours(often, _HOURS_PER_DAY * len(weekdays) if is_weekly else exact_product(period, hours))
    return _UNREADABLE if weekdays and found[1] > 1 else found


def _per_hours(often: Decimal, hours: Decimal) -> Rhythm:
    """So many times in so many hours, where that is the same number on each day that counts."""
    if hours <= _HOURS_PER_DAY:
        return exact_quotient(exact_product(often, _HOURS_PER_DAY), hours), 1
    days = exact_quotient(hours, _HOURS_PER_DAY)
    if often % days == 0:
        return exact_quotient(often, days), 1
    return (often, int(days)) if often == 1 and days == days.to_integral_value() else _UNREADABLE


def _clock_times(repeat: JsonObject) -> Decimal:
    return Decimal(len({text(named) for named in values(repeat.get("timeOfDay")) if text(named)}))


def _whens(repeat: JsonObject) -> Decimal:
    """How many times of the day are named; none where one of the codes may mean several."""
    named = {text(code) for code in values(repeat.get("when")) if text(code)}
    return Decimal(len(named)) if named <= _ONCE_A_DAY_WHEN else Decimal(0)


def _in_words(words: list[str], recognition: Recognition) -> Rhythm | None:
    found = [rhythm for name, rhythm in _LISTS if recognition.says(name, words)]
    if not found:
        hours = (_EVERY_N_HOURS.fullmatch(said.lower()) for said in words)
        found = [_per_hours(Decimal(1), Decimal(n[1])) for n in hours if n]
    return _agreed(found) if found else None


def _weekdays(repeat: JsonObject) -> frozenset[int] | None:
    """The named days of the week, empty for all; None where one of them cannot be read."""
    named = [code_text(day) for day in values(repeat.get("dayOfWeek"))]
    if not set(named) <= set(_WEEKDAYS):
        return None
    days = frozenset(_WEEKDAYS.index(day) for day in named)
    return days if len(days) < DAYS_PER_WEEK else frozenset()


def _times_on_each(events: list[date]) -> Decimal:
    """On how many occasions each of the days has its event; 0 where the days differ in that."""
    times = set(Counter(events).values())
    return Decimal(times.pop()) if len(times) == 1 else Decimal(0)


def is_end_unreadable(period: object, clock: SiteClock) -> bool:
    """Whether a period is written that is none, or whose end is neither a time nor a way of saying there is none."""
    if not only_object(period):
        return not says_nothing(period)
    written = only_object(period).get("end")
    return not says_nothing(written) and last_day_until(written, clock) is None and not means_no_end(written)


def _is_end_unreadable(repeat: JsonObject, start: date, clock: SiteClock) -> bool:
    """Whether one of the elements that may end a schedule is there and cannot be read: then it is not open-ended."""
    if is_end_unreadable(repeat.get("boundsPeriod"), clock) or _is_month_without_start(repeat, clock):
        return True
    count = repeat.get("count")
    if count is not None and (whole_number(count) or 0) < 1:
        return True
    lengths_written = [repeat.get(name) for name in ("boundsDuration", "boundsRange")]
    if any(not says_nothing(written) and not only_object(written) for written in lengths_written):
        return True
    lengths = [*_lengths(repeat), *([_duration(repeat)] if not _is_of_one_administration(repeat) else [])]
    return any(last_day_of_length(start, length) is None for length in lengths)


def _is_month_without_start(repeat: JsonObject, clock: SiteClock) -> bool:
    """Whether a month or a year alone ends what has no first day, so that it may be over before it begins."""
    period = only_object(repeat.get("boundsPeriod"))
    start, end = read_time(period.get("start"), clock), read_time(period.get("end"), clock)
    return start.day is None and end.day is None and end.latest is not None


def _bounds_end(repeat: JsonObject, clock: SiteClock) -> date | None:
    period = only_object(repeat.get("boundsPeriod"))
    if _is_month_without_start(repeat, clock):
        return None
    end, start = last_day_until(period.get("end"), clock), read_time(period.get("start"), clock).day
    is_same_day = start is not None and start == read_time(period.get("end"), clock).day
    return start if is_same_day else end


def _ends_by_length(repeat: JsonObject, start: date | None) -> list[date | None]:
    """The ends by the length of the bounds, and by a duration that is too long for one administration: some systems
    write the length of the course there.
    """
    lengths = [*_lengths(repeat), *([] if _is_of_one_administration(repeat) else [_duration(repeat)])]
    return [last_day_of_length(start, length) for length in lengths]


def _lengths(repeat: JsonObject) -> list[JsonObject]:
    """The lengths that the bounds state; of a range the shorter one."""
    span = only_object(repeat.get("boundsRange"))
    stated = (only_object(repeat.get("boundsDuration")), only_object(span.get("low")) or only_object(span.get("high")))
    return [length for length in stated if length]


def _duration(repeat: JsonObject) -> JsonObject:
    return {"value": repeat.get("duration"), "unit": code_text(repeat.get("durationUnit"))}


def _is_of_one_administration(repeat: JsonObject) -> bool:
    """Whether a duration, where one is stated, is what FHIR means by it: seconds, minutes or hours, a day at most."""
    stated = _duration(repeat)
    longest, value = _A_DAY_IN.get(stated["unit"]), number(stated["value"])
    return stated["value"] is None or (longest is not None and value is not None and 0 < value <= longest)


def _end_by_count(
    repeat: JsonObject, start: date | None, rhythm: Rhythm | None, weekdays: frozenset[int]
) -> date | None:
    count = whole_number(repeat.get("count"))
    if start is None or rhythm is None or count is None or count < 1:
        return None
    last = _rounded_up(exact_quotient(Decimal(count), rhythm[0])) - 1
    try:
        if not weekdays:
            return start + _ONE_DAY * (last * rhythm[1])
        offsets = [n for n in range(DAYS_PER_WEEK) if (start.weekday() + n) % DAYS_PER_WEEK in weekdays]
        weeks, rest = divmod(last, len(offsets))
        return start + _ONE_DAY * (weeks * DAYS_PER_WEEK + offsets[rest])
    except OverflowError:
        return None  # later than any calendar
