"""Liver and platelet calendar: clinical-rules 6.1 to 6.4, rulings 10, 45 to 47; label 2.1, 2.3, 5.1, 5.3.

Days are local dates; D is the infusion date.
"""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from .steroid import DAY, Course, end_of_30
from .uln import Lab, laboratory_part

P5 = frozenset({"alt", "ast", "bilirubin", "pt", "inr"})
PLATELETS = frozenset({"platelets"})
Results = list[tuple[date, str]]  # accepted results: local day, analyte


class Slot(NamedTuple):
    """One slot: target, window in which a result fills it, first day it is due and first day it is overdue."""

    name: str
    target: date
    opens: date
    closes: date
    due: date
    overdue: date


def months_after(day: date, months: int) -> date:
    """Same day number, clamped to the month's end (C2)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _slot(name: str, target: date, before: int, after: int, overdue: int) -> Slot:
    opens = target - timedelta(before)
    return Slot(name, target, opens, target + timedelta(after), opens, target + timedelta(overdue))


def _weekly(day: int, infusion: date) -> Slot:
    return _slot(f"W{day // 7}", infusion + timedelta(day), 3, 3, 3)


def _every_other_week(name: str, target: date) -> Slot:
    return _slot(name, target, 5, 5, 4)


def _last(target: date) -> Slot:
    return Slot("M3", target, target, target + timedelta(14), target - timedelta(7), target + timedelta(8))


def weekly_until(state: str, course: Course | None, labs: list[Lab], infusion: date, today: date) -> tuple[date, bool]:
    """The last day of the weekly panels, and whether that is an end (True) or only today for now (6.1, 6.3).

    Through Te, and E+28 at least (D+56 for S = D-1); a planned taper counts its 28 days. They go on for as long as
    nothing shows the findings at Te or later to be unremarkable.
    """
    end = end_of_30(infusion - DAY, infusion) if course is None or course.start > today else course.end_of_30
    last = end + 28 * DAY  # the label's own
    if state == "S0":
        return weekly_end(last, labs, today)
    if state in ("S4", "S7") or (state == "SU" and today > end):
        return today, False
    if state == "S5":
        planned = course and course.taper_start
        last = max((planned or max(end + DAY, today)) + 27 * DAY, course.last if course and planned else date.min)
    elif state in ("S6", "S8"):
        assert course is not None
        if course.taper_start is None:
            return today, False
        last = max(last, course.last, course.taper_start + 27 * DAY)
        if last < today:
            return today, False
    elif state != "SU" and course is not None:
        last = max(last, course.last)
    return weekly_end(last, labs, today)


def weekly_end(last: date, labs: list[Lab], today: date) -> tuple[date, bool]:
    """Te, or the first day later than it by which a panel of Te-3 or later is unremarkable; else only today for now."""
    if last >= today:
        return last, True
    fine = first_fine_panel(labs, last - 3 * DAY, last)
    if fine is not None:
        return fine, True
    recent = [lab for lab in labs if lab.day >= last - 3 * DAY and not lab.preliminary]
    waits = today <= last + 3 * DAY and laboratory_part(recent, date.min, today) is not False
    return (last, True) if waits else (today, False)


def first_fine_panel(labs: list[Lab], since: date, not_before: date) -> date | None:
    """The first day by which all five, accepted and sampled ``since`` or later within a week, are unremarkable."""
    for day in sorted({max(lab.day, not_before) for lab in labs if lab.day >= since}):
        recent = [lab for lab in labs if lab.day <= day and not lab.preliminary]
        if laboratory_part(recent, max(since, day - 6 * DAY), day):
            return day
    return None


def liver_slots(
    infusion: date, until: date, is_end: bool, course: Course | None, labs: list[Lab], today: date
) -> list[Slot]:
    """Weekly from D+7 through the slot that holds Te, then Te+14, Te+28, then the one at the end of follow-up (6.3).

    None weekly between a finished taper (E+28 at least) and a restart. Without an end only the next one. After a last panel that is not unremarkable weekly again; the last one is filled
    by the first unremarkable panel from its day on, however late (`liver-followup-3mo`).
    """
    least = infusion + 56 * DAY if course is None else course.end_of_30 + 28 * DAY
    pause = course.pause if course else None
    reach = until + 3 * DAY if is_end else until
    days = range(7, max((reach - infusion).days, 28) + 1, 7)
    weekly = [slot for slot in (_weekly(day, infusion) for day in days) if not _is_within(pause, least, slot.target)]
    if not is_end:
        return [*weekly, _weekly(days[-1] + 7, infusion)]
    end = follow_up_ends(infusion, until)
    after = [_every_other_week(name, until + timedelta(days)) for name, days in (("O1", 14), ("O2", 28))]
    last = _last(end)
    over = first_fine_panel(labs, end, end)
    if over is not None:
        last = last._replace(closes=max(last.closes, over))
    return [*weekly, *(slot for slot in after if slot.target < end), last, *_again(labs, end, over, today)]


def _is_within(pause: tuple[date, date] | None, least: date, target: date) -> bool:
    """Between the slot that holds the last day of a finished taper and the restart."""
    return pause is not None and max(pause[0], least) + 3 * DAY < target < pause[1]


def _again(labs: list[Lab], end: date, over: date | None, today: date) -> list[Slot]:
    late = [lab for lab in labs if lab.day >= end and not lab.preliminary]
    firsts = [min((lab.day for lab in late if lab.analyte == name), default=date.max) for name in P5]
    first = min([max(firsts), *(lab.day for lab in late if not lab.fine)])
    if over is not None or first == date.max:
        return []
    return [_slot("R", first + timedelta(7 * n), 3, 3, 3) for n in range(1, (today - first).days // 7 + 2)]


def follow_up_ends(infusion: date, last_steroid_day: date) -> date:
    """The later of Te + 1 month and D + 3 months (liver.end, 6.3)."""
    return max(months_after(last_steroid_day, 1), months_after(infusion, 3))


def platelet_slots(infusion: date, today: date, counts: list[date], back: date | None) -> list[Slot]:
    """Weekly to D+28, every other week to D+84; month 3 and every 2 weeks on if not back at baseline (6.1, 6.4).

    Once back, of those from month 3 on only the ones with a count remain: no miss beyond it stays an alarm.
    """
    slots = [_weekly(day, infusion) for day in (7, 14, 21, 28)]
    slots += [_every_other_week(f"W{day // 7}", infusion + timedelta(day)) for day in (42, 56, 70, 84)]
    month_3 = months_after(infusion, 3)
    later = [_last(month_3)]
    while later[-1].target <= (back or today):
        later.append(_every_other_week("later", month_3 + timedelta(14 * len(later))))
    if back is not None:
        later = [s for s in later if back >= month_3 and any(s.opens <= day <= s.closes for day in counts)]
    return slots + later


def back_since(
    counts: list[tuple[date, Decimal]], baseline: Decimal | None, low: Decimal, infusion: date
) -> date | None:
    """The first day after D+28 with a count back at baseline (6.4)."""
    after = infusion + timedelta(28)
    return min((day for day, count in counts if day > after and back_at_baseline(count, baseline, low)), default=None)


def last_panel(results: Results) -> date | None:
    """The newest day since which all five have been measured (P5: not necessarily the same tube)."""
    newest = [max((day for day, name in results if name == analyte), default=date.min) for analyte in P5]
    return None if date.min in newest else min(newest)


def _served(slots: list[Slot], day: date) -> Slot | None:
    """The slot a result serves: of those whose window holds it the nearest target, ties the earlier (6.2)."""
    holding = [slot for slot in slots if slot.opens <= day <= slot.closes]
    return min(holding, key=lambda slot: (abs(slot.target - day), slot.target), default=None)


def statuses(slots: list[Slot], required: frozenset[str], results: Results, infusion: date, today: date) -> list[str]:
    """Each slot's status today: upcoming, due, partial, done, overdue or missed (6.2, ruling 47).

    A result of D itself counts as baseline, not as follow-up.
    """
    found: dict[Slot, set[str]] = {slot: set() for slot in slots}
    for day, analyte in results:
        slot = _served(slots, day)
        if slot and analyte in required and infusion < day <= today:
            found[slot].add(analyte)
    done = [found[slot] == required for slot in slots]
    return [
        _status(slot, done[index], bool(found[slot]), any(done[index + 1 :]), today) for index, slot in enumerate(slots)
    ]


def _status(slot: Slot, done: bool, some: bool, later_done: bool, today: date) -> str:
    if done:
        return "done"
    if later_done:
        return "missed"
    if today >= slot.overdue:
        return "overdue"
    if today < slot.due:
        return "upcoming"
    return "partial" if some else "due"


def gap_overdue(until: date, last: date | None, today: date) -> bool:
    """10 or more days since the last P5 while weekly, 18 or more while every other week (6.2, ruling 46).

    ``last``: the last panel after the infusion; before the first one W1's own dates rule.
    """
    return last is not None and (today - last).days >= (10 if today <= until else 18)


def back_at_baseline(count: Decimal, baseline: Decimal | None, lower_limit: Decimal | None) -> bool | None:
    """At least the baseline value, or at least the lower limit of normal (platelet.baseline.return); None is unknown."""
    limits = [limit for limit in (baseline, lower_limit) if limit is not None]
    return any(count >= limit for limit in limits) if limits else None
