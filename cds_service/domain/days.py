"""Local calendar days: all day arithmetic of this service (clinical-rules C2).

Days are dates in the site's zone. A difference of days is a calendar difference, never n times 24 hours.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

MONTHS_PER_YEAR = 12
DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True)
class ClinicalTime:
    """When something was measured, given or written, as exactly as the record says.

    `day` is the local day, None where the record gives only a month or a year, or nothing that can be read.
    `latest` is the last day that a month or a year can mean, None for anything else.
    `instant` is the moment in the site's zone, None where only a day is known.
    `is_exact` says whether the time may satisfy a rule: a time without a zone, or the time of release in place
    of the time of collection, may raise a card and clears none.
    `is_future` says that it lies after the service's own clock, beyond the allowance for clock differences.
    """

    written: str
    day: date | None = None
    instant: datetime | None = None
    is_exact: bool = False
    is_future: bool = False
    latest: date | None = None
    _seconds: float | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def seconds(self) -> float:
        """The instant in seconds, for comparing moments also within the hour that clocks repeat; 0 without one.

        Worked out once: results are sorted by it again and again, and a zone takes a microsecond to look up.
        """
        if self._seconds is None:
            object.__setattr__(self, "_seconds", self.instant.timestamp() if self.instant else 0)
        assert self._seconds is not None
        return self._seconds

    @property
    def may_satisfy(self) -> bool:
        """Whether a rule may rely on this time for reassurance."""
        return self.day is not None and self.is_exact and not self.is_future


NO_TIME = ClinicalTime("")


def add_months(day: date, months: int) -> date:
    """The same day number `months` later, clamped to the month's end (29 February + 1 year = 28 February)."""
    index = day.year * MONTHS_PER_YEAR + day.month - 1 + months
    year, month = divmod(index, MONTHS_PER_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_from(earlier: date, later: date) -> int:
    """Calendar days from one local day to another; negative when `later` comes first."""
    return (later - earlier).days


def hours_after(moment: datetime, hours: int) -> datetime:
    """The moment so many hours later, in its own zone, whatever its clocks do in between."""
    return (moment.astimezone(UTC) + timedelta(hours=hours)).astimezone(moment.tzinfo)


def is_later(moment: datetime, than: datetime) -> bool:
    """Whether one moment comes after another, also within the hour that clocks repeat."""
    return moment.timestamp() > than.timestamp()


def full_years_and_days(born: date, on: date) -> tuple[int, int]:
    """Age as completed years and the days since the last birthday."""
    years = on.year - born.year
    if add_months(born, years * MONTHS_PER_YEAR) > on:
        years -= 1
    return years, days_from(add_months(born, years * MONTHS_PER_YEAR), on)


def weeks_and_days(total_days: int) -> str:
    """A number of days as completed weeks and days, the way gestational age is written: 255 is "36+3"."""
    weeks, days = divmod(total_days, DAYS_PER_WEEK)
    return f"{weeks}+{days}"
