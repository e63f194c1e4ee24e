"""The monitoring calendar as a timeline shows it: one entry a day, with its liver and its platelet part (rules 6).

Every slot and its status come from `monitoring_calendar`; here they are only laid together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from cds_service.domain.days import days_from
from cds_service.domain.known import Provenance
from cds_service.domain.monitoring_calendar import MonitoringCalendar, MonitoringSlot, Series, SlotKind, SlotStatus


class PartStatus(Enum):
    """Where one part of a day stands. PARTIAL: some tests have a result, and it is not overdue, missed or booked.

    UNKNOWN: its time has come, not every test has a result, and the results did not all come, so nobody can tell (C13).
    OPTIONAL: an extra count that the site offers, which is never due.
    """

    FUTURE = "future"
    DUE = "due"
    BOOKED = "booked"
    PARTIAL = "partial"
    DONE = "done"
    OVERDUE = "overdue"
    MISSED = "missed"
    UNKNOWN = "unknown"
    OPTIONAL = "optional"


_STATUSES = {
    SlotStatus.UPCOMING: PartStatus.FUTURE,
    SlotStatus.DUE: PartStatus.DUE,
    SlotStatus.BOOKED: PartStatus.BOOKED,
    SlotStatus.DONE: PartStatus.DONE,
    SlotStatus.OVERDUE: PartStatus.OVERDUE,
    SlotStatus.MISSED: PartStatus.MISSED,
}
_AHEAD = (SlotStatus.UPCOMING, SlotStatus.DUE, SlotStatus.BOOKED)
_MAY_BE_PARTIAL = (SlotStatus.UPCOMING, SlotStatus.DUE)


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """One slot of the calendar, and its status as it is shown."""

    slot: MonitoringSlot
    status: PartStatus

    @property
    def is_past(self) -> bool:
        """Whether its time has passed and no result of it, or of a later one, is known."""
        return self.slot.status is SlotStatus.OVERDUE

    @property
    def is_ahead(self) -> bool:
        """Whether it is still to come or in its time, and not every result is known."""
        return self.slot.kind is not SlotKind.EXTRA and self.slot.status in _AHEAD


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """The slots of one target day. `name` is unique within a calendar: the liver slot's, where there is one.

    `opens` and `closes` hold the windows of all parts; `overdue_from` is the first such day, None where there is none.
    """

    name: str
    kind: SlotKind
    target: date
    day_number: int
    parts: tuple[CalendarPart, ...]

    @property
    def opens(self) -> date:
        """The first day of any part's window."""
        return min(part.slot.opens for part in self.parts)

    @property
    def closes(self) -> date:
        """The last day of any part's window."""
        return max(part.slot.closes for part in self.parts)

    @property
    def overdue_from(self) -> date | None:
        """The first day from which a part is overdue."""
        return min((p.slot.overdue_from for p in self.parts if p.slot.overdue_from is not None), default=None)

    @property
    def is_assumed(self) -> bool:
        """Whether it depends on a course that is not finished yet."""
        return any(part.slot.is_assumed for part in self.parts)

    @property
    def basis(self) -> str:
        """Extra counts are the site's own; all others are days on which the label asks for tests."""
        return Provenance.POLICY.value if self.kind is SlotKind.EXTRA else Provenance.LABEL.value


def calendar_days(calendar: MonitoringCalendar | None, *, has_all_results: bool) -> tuple[CalendarDay, ...]:
    """The days of the calendar in their order; none without a calendar.

    Without all results a slot that is filled stays filled, and of the others whose time has come nothing is said
    (ruling 16).
    """
    if calendar is None:
        return ()
    by_target: dict[date, list[MonitoringSlot]] = {}
    for slot in calendar.slots:
        by_target.setdefault(slot.target, []).append(slot)
    taken = {slot.name for slot in calendar.of(Series.LIVER)}
    return tuple(
        _day(target, by_target[target], taken, calendar, has_all_results=has_all_results)
        for target in sorted(by_target)
    )


def _day(
    target: date,
    slots: Sequence[MonitoringSlot],
    taken: set[str],
    calendar: MonitoringCalendar,
    *,
    has_all_results: bool,
) -> CalendarDay:
    first = min(slots, key=lambda slot: slot.series is not Series.LIVER)
    is_shared = first.series is not Series.LIVER and first.name in taken
    return CalendarDay(
        name=f"{first.name}-{first.series.value}" if is_shared else first.name,
        kind=first.kind,
        target=target,
        day_number=days_from(calendar.infusion, target),
        parts=tuple(CalendarPart(slot, _status(slot, has_all_results=has_all_results)) for slot in slots),
    )


def _status(slot: MonitoringSlot, *, has_all_results: bool) -> PartStatus:
    if slot.kind is SlotKind.EXTRA and slot.status is not SlotStatus.DONE:
        return PartStatus.OPTIONAL
    if not has_all_results and _has_come(slot) and not slot.is_complete:
        return PartStatus.UNKNOWN
    if slot.is_partial and slot.status in _MAY_BE_PARTIAL:
        return PartStatus.PARTIAL
    return _STATUSES[slot.status]


def _has_come(slot: MonitoringSlot) -> bool:
    """Whether its time has come; a result of the open window says so before the slot is due."""
    return slot.status is not SlotStatus.UPCOMING or slot.is_partial
