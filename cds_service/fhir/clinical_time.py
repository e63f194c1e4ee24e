"""FHIR dates and times → local days and instants in the site's zone (clinical-rules C2)."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cds_service.domain.days import ClinicalTime
from cds_service.fhir.json_shapes import JsonObject, an_object, text

_FHIR_TIME = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?P<zone>Z|[+-]\d{2}:?\d{2})?)?)?)?"
)
# 9999-12-31 and its like mean "no end" or "not known"; nothing clinical lies outside of these years.
_PLACEABLE_YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True)
class SiteClock:
    """The one moment of a call, and the zone all its days are taken in.

    `future_allowance` is how far a record's clock may run ahead of ours before a time counts as future. `_read` and
    `_sortable` are what was made of times on this call, as they are written: the results of one sample share theirs.
    """

    now: datetime
    zone: ZoneInfo
    future_allowance: timedelta
    _read: dict[str, ClinicalTime] = field(default_factory=dict, init=False, repr=False, compare=False)
    _sortable: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def today(self) -> date:
        """The local day of the call."""
        return self.now.astimezone(self.zone).date()


def read_time(written: object, clock: SiteClock) -> ClinicalTime:
    """The time as exactly as it is written. What cannot be placed on a day has no day."""
    raw = text(written)
    read = clock._read.get(raw)
    if read is None:
        read = clock._read[raw] = _placed(raw, clock)
    return read


def _placed(raw: str, clock: SiteClock) -> ClinicalTime:
    match = _FHIR_TIME.fullmatch(raw)
    if match is None or match["day"] is None or int(match["year"]) not in _PLACEABLE_YEARS:
        return ClinicalTime(raw, latest=_latest_day(raw))
    try:
        if match["time"] is None:
            return _whole_day(raw, clock)
        return _instant(raw, has_zone=match["zone"] is not None, clock=clock)
    except (ValueError, OverflowError):
        return ClinicalTime(raw)


def _whole_day(raw: str, clock: SiteClock) -> ClinicalTime:
    day = date.fromisoformat(raw)
    return ClinicalTime(raw, day=day, is_exact=True, is_future=day > clock.today)


def _instant(raw: str, *, has_zone: bool, clock: SiteClock) -> ClinicalTime:
    stated = datetime.fromisoformat(raw)
    instant = stated.astimezone(clock.zone) if has_zone else stated.replace(tzinfo=clock.zone)
    is_future = instant > clock.now + clock.future_allowance
    return ClinicalTime(raw, day=instant.date(), instant=instant, is_exact=has_zone, is_future=is_future)


def effective_time(resource: JsonObject, clock: SiteClock, stem: str = "effective") -> ClinicalTime:
    """When it clinically happened; without that, when it was released, which satisfies nothing (C2)."""
    written = stated_time(resource, stem)
    if written:
        return read_time(written, clock)
    return replace(read_time(resource.get("issued"), clock), is_exact=False)


def stated_time(resource: JsonObject, stem: str = "effective") -> str:
    """When it clinically happened, as it is written: a moment, or the start of a period; "" where it is not stated."""
    return (
        text(resource.get(f"{stem}DateTime"))
        or text(resource.get(f"{stem}Instant"))
        or text(an_object(resource.get(f"{stem}Period")).get("start"))
    )


def is_timeless(resource: JsonObject) -> bool:
    """Whether a measurement states no time at all, neither of collection nor of release."""
    return not (stated_time(resource) or text(resource.get("issued")))


def _latest_day(written: str) -> date | None:
    """The last day that a month or year can mean; None for anything else."""
    match = _FHIR_TIME.fullmatch(written)
    if match is None or match["day"] is not None:
        return None
    year, month = int(match["year"]), int(match["month"] or 12)
    try:
        return date(year, month, monthrange(year, month)[1])
    except ValueError:
        return None


def means_no_end(written: object) -> bool:
    """Whether a time lies so far ahead, as 9999-12-31 does, that it stands for none."""
    match = _FHIR_TIME.fullmatch(text(written))
    return match is not None and int(match["year"]) >= _PLACEABLE_YEARS.stop


def iso_day(time: ClinicalTime) -> str:
    """The local day for showing, or what the record says where it cannot be placed."""
    return time.day.isoformat() if time.day else time.written


def recency(resource: JsonObject, clock: SiteClock) -> tuple[str, str]:
    """What decides between two results of one time: release, then last change, as sortable text (C3)."""
    changed = an_object(resource.get("meta")).get("lastUpdated")
    return _known_sortable(resource.get("issued"), clock), _known_sortable(changed, clock)


def _known_sortable(written: object, clock: SiteClock) -> str:
    raw = text(written)
    known = clock._sortable.get(raw)
    if known is None:
        known = clock._sortable[raw] = sortable(raw)
    return known


def sortable(written: object) -> str:
    """A moment as text that sorts by time whatever zone it was written in; other text as it is."""
    raw = text(written)
    match = _FHIR_TIME.fullmatch(raw)
    if match is None or match["zone"] is None:
        return raw
    try:
        return datetime.fromisoformat(raw).astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        return raw
