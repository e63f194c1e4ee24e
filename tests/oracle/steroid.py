"""The corticosteroid course from daily doses: clinical-rules 5 and F, rulings 37, 40, 42, 43; label 2.1, 5.1.

``doses``: mg of prednisolone equivalent for each local day that has cover, None where the mg is not computable; a day
that is absent had none. Taper is judged in mg, not in mg/kg.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

Doses = dict[date, Decimal | None]
DAY = timedelta(days=1)
TAPER_DAYS = 28


class Course(NamedTuple):
    """S, E (last day of the 30), maintenance in mg/day, T0, Te, and what is wrong with the taper."""

    start: date
    end_of_30: date
    maintenance: Decimal | None
    taper_start: date | None
    last: date
    start_late: bool
    taper_too_early: bool
    taper_short: str  # "", "warning" below 28 days, "critical" below 14
    abrupt: bool
    longest_gap: int
    is_held: bool
    pause: tuple[date, date] | None


def _runs(doses: Doses) -> list[tuple[date, date]]:
    """First and last day of each run; a gap of 2 or more days ends one (ruling 37)."""
    runs: list[tuple[date, date]] = []
    for day in sorted(day for day, mg in doses.items() if mg != 0):
        if runs and day - runs[-1][1] <= 2 * DAY:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def start(doses: Doses, infusion: date) -> date | None:
    """S: the first day of the run that contains D-1, else the first day that follows it (ruling 37)."""
    before = infusion - DAY
    if doses.get(before, Decimal(0)) != 0:
        return next(first for first, last in _runs(doses) if first <= before <= last)
    return min((day for day, mg in doses.items() if mg != 0 and day > before), default=None)


def end_of_30(start: date, infusion: date) -> date:
    """E = max(S + 29, D + 28): an early start does not shorten the 30 days (F; label 2.1)."""
    return max(start + 29 * DAY, infusion + 28 * DAY)


class Levels(NamedTuple):
    """Maintenance in mg/day, T0, and whether the dose was raised within the taper and not reduced again since.

    ``pause``: the last day of a finished taper, and the first day after it on which the steroid was begun again.
    """

    maintenance: Decimal | None
    taper_start: date | None
    is_held: bool
    pause: tuple[date, date] | None


def levels(doses: Doses, start: date, until: date) -> Levels:
    """Maintenance and T0 as they stand on ``until``.

    Maintenance: the highest mg/day held on 3 or more consecutive days (ruling 42). T0: the first day below it; an
    increase after that resets T0 to the next reduction (`steroid-taper-short`), a gap of 2 or more days to the
    restart (SX), and after a finished taper everything begins anew (6.3). A day without a known dose is no step.
    """
    held = raised_to = taper = finished = pause = None
    previous, days, uncovered = Decimal(0), 0, 0
    for day in (start + n * DAY for n in range((until - start).days + 1)):
        mg = doses.get(day)
        uncovered = 0 if mg or day in doses else uncovered + 1
        if uncovered == 2:
            if _is_finished(doses, taper, day - 2 * DAY):
                held, finished = None, day - 2 * DAY
            taper = raised_to = None
            previous = Decimal(0)
        if finished is not None and day in doses:
            pause, finished = (finished, day), None
        if not mg:
            days = 0
            continue
        if taper is not None and mg > previous:
            taper, raised_to = None, None if held is not None and mg >= held else mg
        elif taper is None and raised_to is not None:
            raised_to = None if held is not None and mg >= held else max(raised_to, mg)
        level: Decimal | None = held if raised_to is None else raised_to
        if taper is None and level is not None and mg < level:
            taper = day
        days = days + 1 if mg == previous and days else 1
        if days >= 3 and (held is None or mg > held):
            held = mg
        previous = mg
    return Levels(held, taper, taper is None and raised_to is not None, pause)


def course(doses: Doses, infusion: date, until: date) -> Course | None:
    """The course as it stands, or is planned, up to ``until``; None without any steroid.

    It has stopped only if its last day lies before ``until``: nothing is abrupt while it runs.
    """
    first = start(doses, infusion)
    if first is None or first > until:
        return None
    seen = {day: mg for day, mg in doses.items() if first <= day <= until and mg != 0}
    last = max(seen)
    end = end_of_30(first, infusion)
    held, taper, is_held, pause = levels(doses, first, last)
    length = None if taper is None else (last - taper).days + 1
    return Course(
        first,
        end,
        held,
        taper,
        last,
        start_late=first > infusion - DAY,
        taper_too_early=taper is not None and taper <= end,
        taper_short="" if length is None or length >= TAPER_DAYS else ("critical" if length < 14 else "warning"),
        abrupt=last < until and (last < end or _from_half(seen[last], held)),
        longest_gap=_longest_gap(seen, first, last),
        is_held=is_held,
        pause=pause,
    )


def _from_half(mg: Decimal | None, held: Decimal | None) -> bool:
    """From 50 % or more of maintenance to nothing (`steroid-taper-abrupt`); where one is unknown it alarms (C6)."""
    return mg is None or held is None or mg >= held / 2


def _longest_gap(seen: Doses, first: date, last: date) -> int:
    longest = gap = 0
    day = first
    while day <= last:
        gap = 0 if day in seen else gap + 1
        longest = max(longest, gap)
        day += DAY
    return longest


def state(
    doses: Doses, infusion: date, today: date, unremarkable: bool | None, latest_abnormal: bool, day_before_given: bool
) -> str:
    """S0 ... S9, SX or SU on a day, by the table of section 5, from what is given or ordered up to that day.

    ``unremarkable``: the laboratory part that a taper needs (None unknown); ``latest_abnormal``: some newest result is
    abnormal; ``day_before_given``: the dose of D-1 is recorded as given.
    """
    first = start(doses, infusion)
    if today < infusion:
        if doses.get(infusion - DAY, Decimal(0)) == 0:
            return "S0"
        return "S2" if today == infusion - DAY and day_before_given else "S1"
    if first is None or first > today:
        return "S0"
    now = course(doses, infusion, today)
    assert now is not None
    latest = doses.get(today, Decimal(0))
    if latest == 0:
        returns = min((day for day, mg in doses.items() if mg != 0 and day > today), default=date.max)
        if (returns - now.last).days > 2:
            return _after(doses, now)
        latest = doses[now.last]
    if latest is None:
        return "SU"
    if now.taper_start is not None or now.is_held:
        return "S8" if latest_abnormal or now.is_held else "S6"
    if today < now.end_of_30:
        return "S3"
    if unremarkable is not False:
        return "S5" if unremarkable else "S4"
    return "S7" if today > now.end_of_30 else "S4"


def _after(doses: Doses, now: Course) -> str:
    """Without a dose: S9 after a finished taper, else SX; SU where its end cannot be told ("wean per protocol")."""
    if _is_finished(doses, now.taper_start, now.last):
        return "S9"
    run = max(first for first, last in _runs(doses) if first <= now.last)
    tail = {mg for day, mg in doses.items() if max(run, now.last - 27 * DAY) <= day <= now.last}
    return "SU" if now.last >= now.end_of_30 and None in tail else "SX"


def _is_finished(doses: Doses, taper: date | None, last: date) -> bool:
    """Whether a taper of 28 days or more ends here, every dose of it known (S9)."""
    if taper is None or (last - taper).days + 1 < TAPER_DAYS:
        return False
    return all(mg is not None for day, mg in doses.items() if taper <= day <= last)
