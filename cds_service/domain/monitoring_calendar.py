"""The monitoring calendar after the infusion (clinical-rules 6; label 2.3, 5.1, 5.3): one pure function.

Slots are calendar days relative to the infusion day D. Liver tests weekly for the first month and through the end
of the taper, every other week for another month, and once at the later of that month and three months; platelets
weekly for the first month and every other week for the second and third.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from itertools import groupby

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import DAYS_PER_WEEK, add_months, days_from
from cds_service.domain.evidence import Evidence, distinct
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import LIVER_PANEL, PLATELETS

WEEK, EVERY_OTHER_WEEK = timedelta(days=DAYS_PER_WEEK), timedelta(days=2 * DAYS_PER_WEEK)
# Two every-other-week panels fill "another month".
_PANELS_OF_ANOTHER_MONTH = 2
# No course in the literature is longer; it only bounds the calendar of a record that never ends.
_LONGEST = timedelta(days=730)


class Series(Enum):
    """What a slot is for."""

    LIVER = "liver"
    PLATELETS = "platelets"


class SlotKind(Enum):
    """Which part of the calendar a slot belongs to. EXTRA slots are offered and never due."""

    WEEKLY = "weekly"
    EVERY_OTHER_WEEK = "every-other-week"
    LAST = "last"
    EXTRA = "extra"


class SlotStatus(Enum):
    """Where a slot stands (clinical-rules 6.2). MISSED is history: a later slot is done."""

    UPCOMING = "upcoming"
    DUE = "due"
    BOOKED = "booked"
    DONE = "done"
    OVERDUE = "overdue"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Sample:
    """One accepted result after the infusion. `is_fine`: unremarkable, or for platelets back at baseline."""

    analyte: str
    day: date
    is_fine: Certainty
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Booking:
    """Tests ordered for a day, or an appointment on it; `analytes` is None for an appointment, which may bring all."""

    day: date
    analytes: frozenset[str] | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SteroidSpan:
    """The days of one corticosteroid course, both ends counted; days left out within it make no test rarer."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class SteroidPlan:
    """What the calendar needs of the course. The last span's end is Te, the last day of the taper.

    `is_end_known` is False while the dose cannot be reduced yet: then only the next weekly slot is shown, and no
    end is made up. `is_projected`: the end is a plan or the label's own, not yet reached.
    """

    spans: tuple[SteroidSpan, ...]
    is_end_known: bool
    is_projected: bool

    @property
    def last_day(self) -> date:
        """Te, or how far the weekly tests go on for now."""
        return self.spans[-1].last_day


@dataclass(frozen=True, slots=True)
class MonitoringSlot:
    """One slot of the calendar. `present` are the analytes with an accepted result that belongs to it.

    `overdue_from` is None for a slot that is only offered. `booked` cites what is ordered or booked in its window.
    `is_assumed`: it depends on a course that is not finished yet.
    """

    name: str
    series: Series
    kind: SlotKind
    target: date
    opens: date
    closes: date
    due_from: date
    overdue_from: date | None
    required: tuple[str, ...]
    is_assumed: bool = False
    present: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    booked: tuple[Evidence, ...] = ()
    status: SlotStatus = SlotStatus.UPCOMING

    @property
    def missing(self) -> tuple[str, ...]:
        """The analytes still to be measured."""
        return tuple(analyte for analyte in self.required if analyte not in self.present)

    @property
    def is_complete(self) -> bool:
        """Whether every analyte has its result."""
        return not self.missing

    @property
    def is_partial(self) -> bool:
        """Whether some analytes have their result and others lack it."""
        return bool(self.present) and not self.is_complete

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to see to it: now, or because the time has passed."""
        return self.status in (SlotStatus.DUE, SlotStatus.BOOKED, SlotStatus.OVERDUE)


@dataclass(frozen=True, slots=True)
class Gap:
    """The time since the last complete panel or count has become too long, whatever the slots say (ruling 46)."""

    series: Series
    last_day: date
    days: int
    allowed: int


@dataclass(frozen=True, slots=True)
class MonitoringCalendar:
    """All slots in the order of their targets, and what follows from them.

    `last_panel` is the newest day since which all five liver tests were measured; `last_count` the newest platelet
    count. `liver_ends` is the later of one month after the taper and three months after the infusion, None while the
    end of the taper is not known; `liver_over_on` the day of the first unremarkable panel on or after it.
    `platelets_back_on` is the day of the first count after the first month that is back at baseline.
    """

    infusion: date
    today: date
    slots: tuple[MonitoringSlot, ...]
    gaps: tuple[Gap, ...]
    last_panel: date | None
    last_count: date | None
    taper_ended: date | None
    three_months: date
    liver_ends: date | None
    liver_over_on: date | None
    platelets_back_on: date | None

    def of(self, series: Series) -> tuple[MonitoringSlot, ...]:
        """The slots of one series."""
        return tuple(slot for slot in self.slots if slot.series is series)

    def ahead(self, series: Series) -> tuple[MonitoringSlot, ...]:
        """The slots of one series that are not done, missed or only offered: what is still to be ordered."""
        closed = (SlotStatus.DONE, SlotStatus.MISSED)
        return tuple(s for s in self.of(series) if s.status not in closed and s.kind is not SlotKind.EXTRA)

    def next_slot(self, series: Series) -> MonitoringSlot | None:
        """The next slot of one series that is neither done nor past its time."""
        return next((s for s in self.ahead(series) if s.status is not SlotStatus.OVERDUE), None)


def monitoring_calendar(
    infusion: date,
    follow_up_from: date,
    today: date,
    steroid: SteroidPlan,
    samples: Sequence[Sample],
    bookings: Sequence[Booking],
    known: Known,
) -> MonitoringCalendar:
    """The calendar of one child: a pure function of infusion day, corticosteroid course and results.

    Where the record names two infusion days the earlier one makes tests due, and the later one, `follow_up_from`,
    says when they may end (C8).
    """
    liver = [sample for sample in samples if sample.analyte in LIVER_PANEL]
    counts = [sample for sample in samples if sample.analyte == PLATELETS]
    three_months = add_months(follow_up_from, known.label.whole("liver_follow_up_months"))
    weekly_until, stays_weekly = _end_of_weekly(infusion, today, steroid, liver, known)
    ends = None if stays_weekly else _liver_end(weekly_until, three_months)
    over_on = None if ends is None else _first_fine_panel(liver, ends, not_before=ends)
    back_on = _first_back(counts, infusion)
    planned = [
        *_liver_slots(infusion, today, steroid, weekly_until, stays_weekly, ends, liver, over_on, known),
        *_platelet_slots(infusion, three_months, today, counts, back_on, known),
    ]
    slots = _with_status(_filled(planned, samples), bookings, today)
    last_panel, last_count = _last_panel(liver), max((sample.day for sample in counts), default=None)
    calendar = MonitoringCalendar(
        infusion=infusion,
        today=today,
        slots=tuple(sorted(slots, key=lambda slot: (slot.target, slot.series.value))),
        gaps=(),
        last_panel=last_panel,
        last_count=last_count,
        taper_ended=steroid.last_day if steroid.is_end_known else None,
        three_months=three_months,
        liver_ends=ends,
        liver_over_on=over_on,
        platelets_back_on=back_on,
    )
    return replace(calendar, gaps=tuple(_gaps(calendar, weekly_until, known)))


# --- liver: which slots


def _end_of_weekly(
    infusion: date, today: date, steroid: SteroidPlan, liver: Sequence[Sample], known: Known
) -> tuple[date, bool]:
    """The last day of the weekly tests, and whether they go on because nothing shows that they may become rarer.

    They last through Te, and after it until a panel around Te or later is unremarkable (clinical-rules 6.3).
    """
    end = steroid.last_day
    if not steroid.is_end_known:
        return max(end, today), True
    if steroid.is_projected:
        return end, False
    since = end - timedelta(days=known.policy.whole("monitoring.weekly.grace_days"))
    fine = _first_fine_panel(liver, since, not_before=end)
    if fine is not None:
        return fine, False
    overdue = timedelta(days=known.policy.whole("monitoring.weekly.overdue_days"))
    if today <= end + overdue and not _is_abnormal(liver, since):
        return end, False
    return today, True


def _liver_end(weekly_until: date, three_months: date) -> date:
    """The later of one month after the taper and three months after the infusion (label 2.3, 5.1)."""
    return max(add_months(weekly_until, 1), three_months)


def _first_fine_panel(liver: Sequence[Sample], since: date, not_before: date) -> date | None:
    """The first day by which each of the five tests has an unremarkable result of `since` or later, within a week.

    The day is that of the last of the five, and never earlier than `not_before`; an abnormal or unproven newer result
    up to that day spoils it.
    """
    fine = [s for s in liver if s.day >= since and s.is_fine is Certainty.TRUE]
    for day in sorted({max(sample.day, not_before) for sample in fine}):
        window = [s for s in liver if since <= s.day <= day and days_from(s.day, day) < DAYS_PER_WEEK]
        if all(_newest_is_fine(analyte, window) for analyte in LIVER_PANEL):
            return day
    return None


def _newest_is_fine(analyte: str, window: Iterable[Sample]) -> bool:
    newest = _of_newest_day(analyte, window)
    return bool(newest) and all(sample.is_fine is Certainty.TRUE for sample in newest)


def _is_abnormal(liver: Sequence[Sample], since: date) -> bool:
    """Whether the newest result of any test, of `since` or later, is abnormal."""
    window = [sample for sample in liver if sample.day >= since]
    newest = (sample for analyte in LIVER_PANEL for sample in _of_newest_day(analyte, window))
    return any(sample.is_fine is Certainty.FALSE for sample in newest)


def _of_newest_day(analyte: str, samples: Iterable[Sample]) -> list[Sample]:
    told = [sample for sample in samples if sample.analyte == analyte]
    newest = max((sample.day for sample in told), default=None)
    return [sample for sample in told if sample.day == newest]


def _liver_slots(
    infusion: date,
    today: date,
    steroid: SteroidPlan,
    weekly_until: date,
    stays_weekly: bool,
    ends: date | None,
    liver: Sequence[Sample],
    over_on: date | None,
    known: Known,
) -> list[MonitoringSlot]:
    """Weekly through Te, two every other week after it, the last one; and weekly again where the last is abnormal."""
    make = _Maker(Series.LIVER, LIVER_PANEL, known)
    first_month = infusion + WEEK * _WEEKS_OF_FIRST_MONTH
    # The one in whose window the last day lies checks the liver at the end of the taper.
    last_target = weekly_until if stays_weekly else weekly_until + make.weekly_grace
    weekly = [
        make.weekly(number, target, is_assumed=target > first_month and steroid.is_projected and target > today)
        for number, target in _weekly_targets(infusion, steroid, last_target, first_month, make.weekly_grace)
    ]
    if ends is None:
        # The next one, and no end is made up beyond it.
        number = max(days_from(infusion, weekly_until) // DAYS_PER_WEEK, _WEEKS_OF_FIRST_MONTH) + 1
        return [*weekly, make.weekly(number, infusion + WEEK * number)]
    after = [
        make.every_other_week(number, weekly_until + EVERY_OTHER_WEEK * number, steroid.is_projected)
        for number in range(1, _PANELS_OF_ANOTHER_MONTH + 1)
    ]
    last = make.last(ends, is_assumed=steroid.is_projected)
    if over_on is not None:
        last = replace(last, closes=max(last.closes, over_on))
    # A month of 28 days ends on the day of the second of them: one panel is both.
    return [*weekly, *(slot for slot in after if slot.target < ends), last, *_beyond(last, liver, over_on, today, make)]


_WEEKS_OF_FIRST_MONTH = 4


def _weekly_targets(
    infusion: date, steroid: SteroidPlan, until: date, first_month: date, grace: timedelta
) -> list[tuple[int, date]]:
    """Every seventh day of the first month, and of the days with corticosteroid after it.

    Of a course that was tapered before another one, too, up to the one in whose window its last day lies.
    """
    earlier = [SteroidSpan(span.first_day, span.last_day + grace) for span in steroid.spans[:-1]]
    spans = [*earlier, SteroidSpan(steroid.spans[-1].first_day, until)]
    last_number = min(max(days_from(infusion, until) // DAYS_PER_WEEK, _WEEKS_OF_FIRST_MONTH), _LONGEST // WEEK)
    numbered = ((number, infusion + WEEK * number) for number in range(1, last_number + 1))
    return [
        (number, target)
        for number, target in numbered
        if target <= first_month or any(s.first_day <= target <= s.last_day for s in spans)
    ]


def _beyond(
    last: MonitoringSlot, liver: Sequence[Sample], over_on: date | None, today: date, make: _Maker
) -> list[MonitoringSlot]:
    """Weekly again after a last panel that is abnormal or unproven, until one is unremarkable (clinical-rules 6.3)."""
    first = _not_fine_on([sample for sample in liver if sample.day >= last.opens])
    if over_on is not None or first is None:
        return []
    last_number = min(days_from(first, today) // DAYS_PER_WEEK + 1, _LONGEST // WEEK)
    return [make.weekly_again(number, first + WEEK * number) for number in range(1, last_number + 1)]


def _not_fine_on(samples: Sequence[Sample]) -> date | None:
    """The first day of a result that is not unremarkable, or by which all five were measured; None without either."""
    firsts = [min((s.day for s in samples if s.analyte == analyte), default=None) for analyte in LIVER_PANEL]
    days = [sample.day for sample in samples if sample.is_fine is not Certainty.TRUE]
    measured = [day for day in firsts if day is not None]
    days += [max(measured)] if len(measured) == len(LIVER_PANEL) else []
    return min(days, default=None)


# --- platelets: which slots


def _first_back(counts: Sequence[Sample], infusion: date) -> date | None:
    """The first day after the first month of which every count is back at baseline (clinical-rules 6.4)."""
    first_month = infusion + WEEK * _WEEKS_OF_FIRST_MONTH
    later = [sample for sample in counts if sample.day > first_month]
    not_back = {sample.day for sample in later if sample.is_fine is not Certainty.TRUE}
    return min({sample.day for sample in later} - not_back, default=None)


def _platelet_slots(
    infusion: date, three_months: date, today: date, counts: Sequence[Sample], back_on: date | None, known: Known
) -> list[MonitoringSlot]:
    """Weekly in the first month, every other week in the second and third, and on until they are back."""
    make = _Maker(Series.PLATELETS, (PLATELETS,), known)
    slots = [make.weekly(n, infusion + WEEK * n) for n in range(1, _WEEKS_OF_FIRST_MONTH + 1)]
    slots += [make.extra(name, infusion) for name in ("first", "second")]
    number = _WEEKS_OF_FIRST_MONTH + 2
    while (target := infusion + WEEK * number) < three_months:
        slots.append(make.every_other_week(number, target))
        number += 2
    if back_on is None:
        return [*slots, *_platelet_slots_beyond(three_months, today, make)]
    # Once they are back, only those remain of the later ones in which a count was taken.
    beyond = _platelet_slots_beyond(three_months, back_on, make) if back_on >= three_months else []
    return [*slots, *(slot for slot in beyond if any(slot.opens <= s.day <= slot.closes for s in counts))]


def _platelet_slots_beyond(three_months: date, until: date, make: _Maker) -> list[MonitoringSlot]:
    """At three months, and every other week after them up to the next one after `until`."""
    last_number = min(days_from(three_months, until), _LONGEST.days) // EVERY_OTHER_WEEK.days + 1
    numbers = range(1, last_number + 1)
    later = [make.every_other_week(n, three_months + EVERY_OTHER_WEEK * n, beyond=True) for n in numbers]
    return [make.last(three_months), *later]


# --- making one slot


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the slots of one series with the site's windows."""

    series: Series
    required: tuple[str, ...]
    known: Known

    @property
    def weekly_grace(self) -> timedelta:
        """How far from its day a weekly sample may lie."""
        return self._policy_days("monitoring.weekly.grace_days")

    def _policy_days(self, name: str) -> timedelta:
        return timedelta(days=self.known.policy.whole(name))

    def _slot(
        self, name: str, kind: SlotKind, target: date, before: timedelta, after: timedelta, overdue: timedelta
    ) -> MonitoringSlot:
        opens = target - before
        return MonitoringSlot(
            name, self.series, kind, target, opens, target + after, opens, target + overdue, self.required
        )

    def weekly(self, number: int, target: date, is_assumed: bool = False) -> MonitoringSlot:
        """A weekly slot; W4 is the check at the end of the 30 days."""
        grace, overdue = self.weekly_grace, self._policy_days("monitoring.weekly.overdue_days")
        slot = self._slot(f"W{number}", SlotKind.WEEKLY, target, grace, grace, overdue)
        return replace(slot, is_assumed=is_assumed)

    def weekly_again(self, number: int, target: date) -> MonitoringSlot:
        """A weekly slot after the regular end."""
        return replace(self.weekly(number, target), name=f"R{number}")

    def every_other_week(
        self, number: int, target: date, is_assumed: bool = False, *, beyond: bool = False
    ) -> MonitoringSlot:
        """An every-other-week slot: O1, O2 after the taper; platelets by their week, or P1 … beyond three months."""
        letter = "O" if self.series is Series.LIVER else "P" if beyond else "W"
        grace = self._policy_days("monitoring.every_other_week.grace_days")
        overdue = self._policy_days("monitoring.every_other_week.overdue_days")
        slot = self._slot(f"{letter}{number}", SlotKind.EVERY_OTHER_WEEK, target, grace, grace, overdue)
        return replace(slot, is_assumed=is_assumed)

    def last(self, target: date, is_assumed: bool = False) -> MonitoringSlot:
        """The panel on or after the end of the follow-up; due before it, and done only by a sample from then on."""
        window = self._policy_days("monitoring.last.window_days")
        overdue = self._policy_days("monitoring.last.overdue_days")
        slot = self._slot("M3", SlotKind.LAST, target, timedelta(0), window, overdue)
        due_from = target - self._policy_days("monitoring.last.due_before_days")
        return replace(slot, due_from=due_from, is_assumed=is_assumed)

    def extra(self, name: str, infusion: date) -> MonitoringSlot:
        """One of the two extra counts that the site offers in the first two weeks."""
        key = f"platelet.extra.{name}"
        opens = infusion + self._policy_days(f"{key}.from_day")
        target = infusion + self._policy_days(f"{key}.day")
        closes = infusion + self._policy_days(f"{key}.to_day")
        number = "x1" if name == "first" else "x2"
        return MonitoringSlot(number, self.series, SlotKind.EXTRA, target, opens, closes, opens, None, self.required)


# --- filling the slots


def _filled(slots: Sequence[MonitoringSlot], samples: Sequence[Sample]) -> list[MonitoringSlot]:
    """Each result serves the nearest slot whose window holds its day, the earlier one of two equally near.

    The extra counts are only offered and take no result from another slot.
    """
    taken: dict[int | None, list[Sample]] = {}
    of_one_day = groupby(
        sorted(samples, key=lambda s: (s.day, s.analyte, s.evidence.reference, s.evidence.value)),
        key=lambda s: (s.analyte, s.day),
    )
    for (analyte, day), of_the_day in of_one_day:
        taken.setdefault(_nearest(analyte, day, slots), []).extend(of_the_day)
    return [_filled_with(slot, taken.get(index, []), samples) for index, slot in enumerate(slots)]


def _nearest(analyte: str, day: date, slots: Sequence[MonitoringSlot]) -> int | None:
    """The place of the nearest slot that a result of this day serves; None where there is none."""
    fitting = [
        (abs(days_from(slot.target, day)), slot.target, index)
        for index, slot in enumerate(slots)
        if analyte in slot.required and slot.kind is not SlotKind.EXTRA and slot.opens <= day <= slot.closes
    ]
    return min(fitting)[2] if fitting else None


def _filled_with(slot: MonitoringSlot, taken: Sequence[Sample], samples: Sequence[Sample]) -> MonitoringSlot:
    if slot.kind is SlotKind.EXTRA:
        taken = [s for s in samples if s.analyte in slot.required and slot.opens <= s.day <= slot.closes]
    measured = {sample.analyte for sample in taken}
    return replace(
        slot,
        present=tuple(analyte for analyte in slot.required if analyte in measured),
        evidence=distinct(sample.evidence for sample in taken),
    )


def _with_status(slots: Sequence[MonitoringSlot], bookings: Sequence[Booking], today: date) -> list[MonitoringSlot]:
    done = {series: [s.target for s in slots if s.series is series and _counts_as_done(s)] for series in Series}
    made = []
    for slot in slots:
        booked = _booked(slot, bookings)
        has_later = any(target > slot.target for target in done[slot.series])
        made.append(replace(slot, booked=booked, status=_status(slot, bool(booked), has_later, today)))
    return made


def _counts_as_done(slot: MonitoringSlot) -> bool:
    return slot.is_complete and slot.kind is not SlotKind.EXTRA


def _booked(slot: MonitoringSlot, bookings: Sequence[Booking]) -> tuple[Evidence, ...]:
    """What is ordered or booked in the window, where together it brings everything that is missing."""
    inside = [b for b in bookings if slot.opens <= b.day <= slot.closes]
    if any(booking.analytes is None for booking in inside):
        return distinct(booking.evidence for booking in inside)
    brought = frozenset(a for booking in inside for a in booking.analytes or ())
    return distinct(b.evidence for b in inside) if inside and set(slot.missing) <= brought else ()


def _status(slot: MonitoringSlot, is_booked: bool, has_later: bool, today: date) -> SlotStatus:
    """Overdue wins over due and booked; a result fills its slot also after that (ruling 47)."""
    if slot.is_complete:
        return SlotStatus.DONE
    if has_later:
        return SlotStatus.MISSED
    if slot.kind is SlotKind.EXTRA:
        return SlotStatus.UPCOMING if today <= slot.closes else SlotStatus.MISSED
    if slot.overdue_from is not None and today >= slot.overdue_from:
        return SlotStatus.OVERDUE
    if today >= slot.due_from:
        return SlotStatus.BOOKED if is_booked else SlotStatus.DUE
    return SlotStatus.UPCOMING


# --- the gap rule


def _last_panel(liver: Sequence[Sample]) -> date | None:
    """The newest day since which each of the five tests has been measured; None where one never was."""
    newest = [max((s.day for s in liver if s.analyte == analyte), default=None) for analyte in LIVER_PANEL]
    days = [day for day in newest if day is not None]
    return min(days) if len(days) == len(LIVER_PANEL) else None


def _gaps(calendar: MonitoringCalendar, weekly_until: date, known: Known) -> Iterable[Gap]:
    """Too long since the last panel or count; before the first one the dates of the first slot speak (ruling 46)."""
    first_month = calendar.infusion + WEEK * _WEEKS_OF_FIRST_MONTH
    if calendar.liver_over_on is None:
        yield from _gap(Series.LIVER, calendar.last_panel, calendar.today <= weekly_until, calendar, known)
    if calendar.platelets_back_on is None or calendar.today <= calendar.three_months:
        yield from _gap(Series.PLATELETS, calendar.last_count, calendar.today <= first_month, calendar, known)


def _gap(
    series: Series, last: date | None, is_weekly: bool, calendar: MonitoringCalendar, known: Known
) -> Iterable[Gap]:
    if last is None:
        return
    phase = "weekly" if is_weekly else "every_other_week"
    allowed = known.policy.whole(f"monitoring.{phase}.gap_days")
    days = days_from(last, calendar.today)
    # "10 days or more": the site's number is the first one that is too long.
    if days >= allowed:
        yield Gap(series, last, days, allowed)
