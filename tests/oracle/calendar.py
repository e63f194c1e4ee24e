"""Liver and platelet calendar: clinical-rules 6.1 to 6.4, rulings 10, 45 to 47; label 2.1, 2.3, 5.1, 5.3.

Days are local dates; D is the infusion date.
"""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

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


def _month_3(infusion: date) -> Slot:
    target = months_after(infusion, 3)
    return Slot("M3", target, target, target + timedelta(14), target - timedelta(7), target + timedelta(8))


def liver_slots(infusion: date, last_steroid_day: date) -> list[Slot]:
    """Weekly from D+7 through Te (D+56 at least), then Te+14, Te+28, then the 3-month panel (6.1, 6.3)."""
    weekly_until = max(last_steroid_day, infusion + timedelta(56))
    weekly = [_weekly(day, infusion) for day in range(7, (weekly_until - infusion).days + 1, 7)]
    o1, o2 = (weekly_until + timedelta(days) for days in (14, 28))
    slots = [*weekly, _every_other_week("O1", o1), _every_other_week("O2", o2)]
    month_3 = _month_3(infusion)
    return [*slots, month_3] if month_3.target > o2 else slots


def follow_up_ends(infusion: date, last_steroid_day: date) -> date:
    """The later of Te + 1 month and D + 3 months (liver.end, 6.3)."""
    return max(months_after(last_steroid_day, 1), months_after(infusion, 3))


def platelet_slots(infusion: date, today: date) -> list[Slot]:
    """Weekly to D+28, every other week to D+84, month 3, and on every 2 weeks until ``today`` (6.1, 6.4)."""
    slots = [_weekly(day, infusion) for day in (7, 14, 21, 28)]
    slots += [
        _every_other_week(name, infusion + timedelta(day))
        for name, day in zip(("W6", "W8", "O1", "O2"), (42, 56, 70, 84), strict=True)
    ]
    slots.append(_month_3(infusion))
    target = slots[-1].target + timedelta(14)
    while target <= today + timedelta(14):
        slots.append(_every_other_week("later", target))
        target += timedelta(14)
    return slots


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


def gap_overdue(infusion: date, last_steroid_day: date, panels: list[date], today: date) -> bool:
    """10 or more days since the last P5 while weekly, 18 or more while every other week (6.2, ruling 46).

    Counts panels after the infusion only; before the first one W1's own dates rule.
    """
    after = [day for day in panels if infusion < day <= today]
    weekly_until = max(last_steroid_day, infusion + timedelta(56))
    if not after or today > max(follow_up_ends(infusion, last_steroid_day), weekly_until + timedelta(28)):
        return False
    return (today - max(after)).days >= (10 if today <= weekly_until else 18)


def back_at_baseline(count: Decimal, baseline: Decimal | None, lower_limit: Decimal | None) -> bool | None:
    """At least the baseline value, or at least the lower limit of normal (platelet.baseline.return); None is unknown."""
    limits = [limit for limit in (baseline, lower_limit) if limit is not None]
    return any(count >= limit for limit in limits) if limits else None
