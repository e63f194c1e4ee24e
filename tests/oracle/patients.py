"""Random synthetic patients in plain values: realistic mixtures, and every boundary more often than chance would.

Knows neither of the two calculations. The same seed gives the same patients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

LIVER = ("alt", "ast", "bilirubin", "pt", "inr")
# The upper limit of every calendar result, so that its multiple is told by its value.
ULN = {
    "alt": Decimal(40),
    "ast": Decimal(50),
    "bilirubin": Decimal("1.2"),
    "pt": Decimal("13.5"),
    "inr": Decimal("1.1"),
}
_FINE = ("0.4", "0.7", "1", "1.0")
_ENZYME = ("0.5", "1.2", "1.99", "1.9999", "2", "2.0", "2.0001", "2.5", "6", "21")
_NORMAL = ("0.6", "1", "1.0001", "1.2", "1.99", "2", "2.01", "3")
_UNITS = {
    "alt": ("U/L", "IU/L", "ukat/L", "nkat/L", "mmol/h", ""),
    "ast": ("U/L", "IU/L", "ukat/L", "nkat/L", ""),
    "bilirubin": ("mg/dL", "umol/L", "g/L", ""),
    "pt": ("s", "%", ""),
    "inr": ("{INR}", "1", "{ratio}", "", "s"),
}
_BASE = {"ukat/L": Decimal(60), "nkat/L": Decimal("0.06"), "mg/dL": Decimal("17.104")}


@dataclass(frozen=True)
class RangeSpec:
    """One range of a result: high with its unit, or text; for what, and for which ages in days."""

    high: Decimal | None
    unit: str
    text: str = ""
    kind: str = "normal"
    from_age: int | None = None
    to_age: int | None = None


@dataclass(frozen=True)
class ResultSpec:
    """One laboratory result as the record writes it."""

    analyte: str
    value: Decimal
    unit: str
    comparator: str
    flag: str
    ranges: tuple[RangeSpec, ...]
    age: int | None


@dataclass(frozen=True)
class PanelResult:
    """One result of the calendar: how many times its upper limit, on which day, preliminary or not.

    For platelets `times` is the count in 10*3/uL.
    """

    analyte: str
    day: date
    times: Decimal
    is_preliminary: bool = False


@dataclass(frozen=True)
class Step:
    """One steroid order: mg of prednisolone a day, None where it cannot be computed, from one day to another."""

    mg: Decimal | None
    first: date
    last: date


@dataclass(frozen=True)
class Patient:
    """One child on one day."""

    number: int
    infusion: date
    today: date
    weight: Decimal
    weight_unit: str
    result: ResultSpec
    steps: tuple[Step, ...]
    not_done: frozenset[date]
    is_administration_recorded: bool
    panel: tuple[PanelResult, ...]
    baseline_count: Decimal | None


def patients(count: int, seed: int) -> Iterator[Patient]:
    """So many patients of a seed, the first ones the same for every count."""
    random = Random(seed)
    return (_patient(number, random) for number in range(count))


def _days(number: int) -> timedelta:
    return timedelta(days=number)


def _patient(number: int, random: Random) -> Patient:
    infusion = date(2024, 1, 1) + _days(random.randrange(2200))
    steps = _steps(infusion, random)
    today = _today(infusion, steps, random)
    not_done = _not_done(steps, today, random)
    weight, unit = _weight(random)
    return Patient(
        number,
        infusion,
        today,
        weight,
        unit,
        _result(random),
        steps,
        not_done,
        random.random() < 0.3,
        _panel(infusion, today, steps, random),
        random.choice((None, *map(Decimal, (120, 149, 150, 250, 400)))),
    )


def _today(infusion: date, steps: tuple[Step, ...], random: Random) -> date:
    """Any day from D-4 to D+150, or one on or beside a boundary of the calendar or the course."""
    if random.random() < 0.5 or not steps:
        return infusion + _days(random.randrange(-4, 151))
    landmarks = [
        infusion + _days(n) for n in (-1, 0, 7, 14, 21, 28, 29, 31, 35, 56, 57, 59, 66, 70, 74, 84, 88, 91, 99)
    ]
    landmarks += [edge for step in steps for edge in (step.first, step.last, step.last + _days(1))]
    return random.choice(landmarks) + _days(random.choice((-5, -3, -1, 0, 0, 0, 1, 3, 4)))


# --- dose


def _weight(random: Random) -> tuple[Decimal, str]:
    """Near a band's edge or switching point by grams, or anywhere; mostly in kg."""
    edge = Decimal(random.randrange(20, 216)) / 10
    nudge = random.choice(
        ("0", "0", "0.001", "-0.001", "0.02", "-0.02", "0.021", "0.03", "0.049", "0.05", "0.051", "0.07")
    )
    kg = edge + Decimal(nudge) if random.random() < 0.8 else Decimal(random.randrange(1500, 23000)) / 1000
    unit = random.choice(("kg", "kg", "kg", "g", "[lb_av]", "[oz_av]", "lb", "kgs"))
    per_kg = {"g": Decimal(1000), "[lb_av]": 1 / Decimal("0.45359237"), "[oz_av]": 1 / Decimal("0.028349523125")}
    places = {"g": "1", "[lb_av]": "0.01", "[oz_av]": "0.1"}.get(unit, "0.001")
    return (kg * per_kg.get(unit, Decimal(1))).quantize(Decimal(places)), unit


# --- one result against its own limits


def _result(random: Random) -> ResultSpec:
    analyte = random.choice(LIVER)
    units = _UNITS[analyte]
    unit = units[0] if random.random() < 0.5 else random.choice(units)
    age = random.choice((None, 0, 5, 27, 28, 29, 100, 364, 365, 366, 700))
    ranges = tuple(_range(analyte, unit, random) for _ in range(random.choice((0, 1, 1, 1, 1, 2, 3))))
    times = Decimal(random.choice((*_ENZYME, *_NORMAL, "0")))
    first = next((r.high for r in ranges if r.high is not None), None)
    base = first if first is not None else Decimal(40)
    value = times * base
    if ranges and first is not None and ranges[0].unit not in (unit, ""):
        value = value * _BASE.get(ranges[0].unit, Decimal(1)) / _BASE.get(unit, Decimal(1))
        value = (
            value.quantize(Decimal("0.0001"))
            if value == value.quantize(Decimal("0.0001"))
            else value.quantize(Decimal("0.01"))
        )
    comparator = random.choice(("", "", "", "", "", "<", "<=", ">", ">="))
    flag = random.choice(("", "", "", "", "N", "H", "HH", "L", "A"))
    if flag == "L" and any(own.text for own in ranges):
        flag = ""  # lower limits are not compared
    return ResultSpec(analyte, value, unit, comparator, flag, ranges, age)


def _range(analyte: str, unit: str, random: Random) -> RangeSpec:
    high = Decimal(
        random.choice(("33", "40", "56", "1.2", "13.5", "1.1", "0")) if random.random() < 0.5 else str(ULN[analyte])
    )
    own = random.choice((unit, unit, unit, "", random.choice(_UNITS[analyte])))
    kind = random.choice(("normal", "normal", "normal", "normal", "therapeutic", "critical", "treatment"))
    ages = random.choice(((None, None), (None, None), (0, 27), (28, 364), (0, 364), (365, None)))
    if random.random() < 0.2:
        words = random.choice(
            (
                f"0-{high}",
                f"0 - {high}",
                f"< {high}",
                f"<{high}",
                f"≤ {high}",
                f"<= {high}",
                f"0-{high} {own}",
                "see report",
            )
        )
        return RangeSpec(None, "", words.strip(), kind, *ages)
    return RangeSpec(high if random.random() < 0.95 else None, own, "", kind, *ages)


# --- the corticosteroid


def _steps(infusion: date, random: Random) -> tuple[Step, ...]:
    """Mostly the label's course with its deviations: late, cut short, tapered early, fast, not at all; raised; unknown."""
    if random.random() < 0.03:
        return ()
    full = Decimal(random.choice(("3", "4.2", "5.0", "8.4")))
    start = infusion + _days(random.choice((-1, -1, -1, -1, -1, -1, -2, -3, -6, 0, 1, 4)))
    end = max(start + _days(29), infusion + _days(28)) + _days(random.choice((0, 0, 0, 0, 0, -1, -10, 1, 7, 14, 35)))
    steps = []
    shape = random.random()
    if shape < 0.05:  # raised for a while
        steps = [Step(full, start, start + _days(9)), Step(full * 2, start + _days(10), end)]
    elif shape < 0.08:  # raised for so many days as make a new maintenance dose, or one fewer
        back = start + _days(random.choice((12, 13)))
        steps = [
            Step(full, start, start + _days(9)),
            Step(full * Decimal("1.5"), start + _days(10), back - _days(1)),
            Step(full, back, end),
        ]
    elif shape < 0.11:  # in two overlapping parts
        steps = [Step(full / 2, start, end), Step(full / 2, start, end)]
    else:
        steps = [Step(full, start, end)]
    day = end + _days(1)
    if random.random() < 0.12:
        return tuple(steps)  # stops without a taper, or has not been tapered yet
    length = random.choice((28, 28, 28, 28, 28, 27, 29, 35, 14, 13, 7, 42))
    for fraction, part in _taper(length, random):
        steps.append(Step(full * Decimal(fraction), day, day + _days(part - 1)))
        day += _days(part)
    again = random.random()
    if again < 0.05:  # a new course after a pause
        first = day + _days(random.choice((0, 1, 2, 3, 10)))
        steps.append(Step(full, first, first + _days(random.choice((5, 13)))))
    if random.random() < 0.04:
        where = random.randrange(len(steps))
        steps[where] = Step(None, steps[where].first, steps[where].last)
    return tuple(steps)


def _taper(length: int, random: Random) -> list[tuple[str, int]]:
    half = length // 2
    shape = random.random()
    if shape < 0.5:
        return [("0.5", half), ("0.25", length - half)]
    if shape < 0.7:
        return [("0.75", length // 4), ("0.5", length // 4), ("0.25", length - 2 * (length // 4))]
    if shape < 0.8:
        return [("0.95", half), ("0.4", length - half)]
    if shape < 0.9:  # raised again on the way down
        third = max(length // 3, 1)
        return [("0.5", third), (random.choice(("0.75", "1")), third), ("0.25", length - third)]
    return [("0.5", length)]


def _not_done(steps: tuple[Step, ...], today: date, random: Random) -> frozenset[date]:
    """Past days recorded as not given: one, two in a row, or more."""
    if not steps or random.random() < 0.75:
        return frozenset()
    first, last = steps[0].first, min(max(step.last for step in steps), today - _days(1))
    if last <= first:
        return frozenset()
    day = first + _days(random.randrange((last - first).days + 1))
    return frozenset(day + _days(n) for n in range(random.choice((1, 1, 1, 2, 2, 3, 5))) if day + _days(n) <= last)


# --- the monitoring results


def _panel(infusion: date, today: date, steps: tuple[Step, ...], random: Random) -> tuple[PanelResult, ...]:
    """Panels and counts up to today: near their targets, late, incomplete, missing; each analyte once a day."""
    last = max((step.last for step in steps), default=infusion + _days(56))
    care = random.random()
    found: dict[tuple[str, date], PanelResult] = {}
    targets = [infusion + _days(day) for day in range(0, 127, 7)]
    abnormal = random.choice(("", "", "", "", *LIVER))
    until = infusion + _days(random.choice((14, 28, 35, 56, 70, 150)))
    for target in targets:
        if target > last + _days(7) and random.random() < 0.4:
            continue
        if random.random() < 0.25 * care:
            continue
        day = target + _days(random.choice((0, 0, 0, 0, 1, -1, -3, 3, -4, 4, 5, 6)))
        for analyte in LIVER:
            if random.random() < 0.04:
                continue
            on = day + _days(random.choice((0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -2)))
            values: tuple[str, ...] = _FINE
            if (analyte == abnormal and day <= until) or random.random() < 0.01:
                values = _ENZYME if analyte in ("alt", "ast") else _NORMAL
            found[analyte, on] = PanelResult(analyte, on, Decimal(random.choice(values)), random.random() < 0.02)
    normal_from = infusion + _days(random.choice((14, 28, 42, 70, 200)))
    for target in targets:
        if random.random() < 0.3 * care or (target > infusion + _days(28) and random.random() < 0.45):
            continue
        day = target + _days(random.choice((0, 0, 0, 1, -1, -3, 3, -4, 4, -5, 5, 6)))
        count = random.choice((149, 150, 250, 400)) if day >= normal_from else random.choice((60, 119, 120, 149))
        found["platelets", day] = PanelResult("platelets", day, Decimal(count))
    return tuple(sorted((r for r in found.values() if r.day <= today), key=lambda r: (r.day, r.analyte)))
