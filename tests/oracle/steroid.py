"""The corticosteroid course from daily doses: clinical-rules 5 and F, rulings 37, 40, 42, 43; label 2.1, 5.1.

``doses``: mg of prednisolone equivalent for each local day that has cover, None where the mg is not computable; a day
that is absent had none. Taper is judged in mg, not in mg/kg.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

Doses = dict[date, Decimal | None]
DAY = timedelta(days=1)


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
    """S: the first day of the run that contains or follows D-1 (ruling 37)."""
    return next((first for first, last in _runs(doses) if last >= infusion - DAY), None)


def end_of_30(start: date, infusion: date) -> date:
    """E = max(S + 29, D + 28): an early start does not shorten the 30 days (F; label 2.1)."""
    return max(start + 29 * DAY, infusion + 28 * DAY)


def maintenance_and_taper(doses: Doses, start: date, until: date) -> tuple[Decimal | None, date | None]:
    """Maintenance and T0 as they stand on ``until``.

    Maintenance: the highest mg/day held on 3 or more consecutive days (ruling 42). T0: the first day below it; an
    increase after that resets T0 to the next reduction (`steroid-taper-short`). A day without a known dose is no step.
    """
    held = raised_to = taper = None
    previous, days = Decimal(0), 0
    for day in (start + n * DAY for n in range((until - start).days + 1)):
        mg = doses.get(day)
        if not mg:
            days = 0
            continue
        if taper is not None and mg > previous:
            taper, raised_to = None, mg
        elif taper is None and raised_to is not None:
            raised_to = max(raised_to, mg)
        level = held if raised_to is None else raised_to
        if taper is None and level is not None and mg < level:
            taper = day
        days = days + 1 if mg == previous and days else 1
        if days >= 3 and (held is None or mg > held):
            held = mg
        previous = mg
    return held, taper


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
    held, taper = maintenance_and_taper(doses, first, last)
    length = None if taper is None else (last - taper).days + 1
    return Course(
        first,
        end,
        held,
        taper,
        last,
        start_late=first > infusion - DAY,
        taper_too_early=taper is not None and taper <= end,
        taper_short="" if length is None or length >= 28 else ("critical" if length < 14 else "warning"),
        abrupt=last < until and (last < end or _from_half(seen[last], held)),
        longest_gap=_longest_gap(seen, first, last),
    )


def _from_half(mg: Decimal | None, held: Decimal | None) -> bool:
    """From 50 % or more of maintenance to nothing (`steroid-taper-abrupt`)."""
    return mg is not None and held is not None and mg >= held / 2


def _longest_gap(seen: Doses, first: date, last: date) -> int:
    longest = gap = 0
    day = first
    while day <= last:
        gap = 0 if day in seen else gap + 1
        longest = max(longest, gap)
        day += DAY
    return longest


def state(doses: Doses, infusion: date, today: date, unremarkable: bool | None) -> str:
    """S0 ... S9, SX or SU on a day, by the table of section 5, from what is given or ordered up to that day.

    ``unremarkable``: the laboratory part on that day (True, False, None unknown).
    """
    first = start(doses, infusion)
    if first is None:
        return "S0"
    if today < infusion:
        covered = doses.get(infusion - DAY) != 0 and infusion - DAY in doses
        return "S0" if not covered else "S2" if today == infusion - DAY else "S1"
    if first > today:
        return "S0"
    if today in doses and doses[today] is None:
        return "SU"
    now = course(doses, infusion, today)
    assert now is not None
    if today not in doses or doses[today] == 0:
        finished = now.taper_start is not None and not now.taper_short
        return "S9" if finished else "SX"
    if now.taper_start is not None:
        return "S8" if unremarkable is False else "S6"
    if today < now.end_of_30:
        return "S3"
    return {True: "S5", False: "S7", None: "S4"}[unremarkable]


def dose_grade(mg: Decimal, kg: Decimal) -> str:
    """ "low" below 0.9, "high" above 1.1, "tenfold" above 5 mg/kg/day on the exact newest kg (F, ruling 42)."""
    per_kg = mg / kg
    if per_kg < Decimal("0.9"):
        return "low"
    return "tenfold" if per_kg > 5 else "high" if per_kg > Decimal("1.1") else "within"
