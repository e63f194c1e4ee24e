"""How a FHIR search compares dates that are written more or less exactly (R4, section 3.1.1.4.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cds_service.fhir.json_shapes import text

_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:T(?P<minute>\d{2}:\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d+)?)?(?P<zone>Z|[+-]\d{2}:\d{2})?)?)?)?"
)
_ASKED_FOR = re.compile(r"(?P<prefix>eq|ge|gt|le|lt)?(?P<date>\d.*)")
_INSTANT = timedelta(microseconds=1)
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DateSpan:
    """From the first to the last microsecond that a date can mean."""

    first: datetime
    last: datetime


DateTest = Callable[[DateSpan], bool]


def date_test(written: str) -> DateTest | None:
    """What a search value such as `ge2026-03-02` asks of a date, or None where it is none."""
    match = _ASKED_FOR.fullmatch(written)
    asked = _span_written(match["date"]) if match else None
    if match is None or asked is None:
        return None
    return _COMPARISONS[match["prefix"] or "eq"](asked)


def span_of(value: object) -> DateSpan | None:
    """The time that an element states, in UTC where it has no zone; a Period without start or end is open there."""
    if not isinstance(value, dict):
        return _span_written(text(value))
    start, end = (_span_written(text(value.get(name))) for name in ("start", "end"))
    if start is None and end is None:
        return None
    return DateSpan(start.first if start else _EARLIEST, end.last if end else _LATEST)


# What is above or below overlaps the time beyond the date that is asked for; what is equal lies within it.
_COMPARISONS: dict[str, Callable[[DateSpan], DateTest]] = {
    "eq": lambda asked: lambda found: asked.first <= found.first and found.last <= asked.last,
    "gt": lambda asked: lambda found: found.last > asked.last,
    "lt": lambda asked: lambda found: found.first < asked.first,
    "ge": lambda asked: lambda found: found.last > asked.last or asked.first <= found.first,
    "le": lambda asked: lambda found: found.first < asked.first or found.last <= asked.last,
}


def _span_written(written: str) -> DateSpan | None:
    match = _DATE.fullmatch(written)
    if match is None:
        return None
    day = f"{match['year']}-{match['month'] or '01'}-{match['day'] or '01'}"
    clock = f"T{match['minute'] or '00:00'}:{match['second'] or '00'}{match['fraction'] or ''}{match['zone'] or 'Z'}"
    try:
        first = datetime.fromisoformat(day + clock).astimezone(UTC)
        return DateSpan(first, _next(match, first) - _INSTANT)
    except (ValueError, OverflowError):
        return None


def _next(match: re.Match[str], first: datetime) -> datetime:
    """The first moment that the date, written as exactly as it is, no longer means."""
    if match["month"] is None:
        return first.replace(year=first.year + 1)
    if match["day"] is None:
        return (first + timedelta(days=31)).replace(day=1)
    if match["minute"] is None:
        return first + timedelta(days=1)
    if match["second"] is None:
        return first + timedelta(minutes=1)
    return first + (_INSTANT if match["fraction"] else timedelta(seconds=1))
