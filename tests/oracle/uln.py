"""A result against its upper limit of normal: clinical-rules C4, C5, finding 3; label 2.1, 2.3, 5.1."""

import re
from datetime import date
from decimal import Decimal
from typing import NamedTuple

ENZYME = {"U/L": Decimal(1), "IU/L": Decimal(1), "ukat/L": Decimal(60), "nkat/L": Decimal("0.06")}
_IN_BASE_UNITS = {
    "alt": ENZYME,
    "ast": ENZYME,
    "bilirubin": {"mg/dL": Decimal("17.104"), "umol/L": Decimal(1)},
    "pt": {"s": Decimal(1)},
    "inr": {"{INR}": Decimal(1), "1": Decimal(1), "{ratio}": Decimal(1), "": Decimal(1)},
}
_HIGH_IN_TEXT = re.compile(r"^\s*(?:\d+(?:\.\d+)?\s*[-–]|<=?|≤)\s*(\d+(?:\.\d+)?)\s*\S*\s*$")
_NOT_FOR_NORMAL = {"therapeutic", "critical", "treatment"}


class Range(NamedTuple):
    """One referenceRange: high limit, its unit ("" if none), text, kind, and the ages in days it is for."""

    high: Decimal | None = None
    unit: str = ""
    text: str = ""
    kind: str = "normal"
    from_age: int | None = None
    to_age: int | None = None


class Times(NamedTuple):
    """A multiple of ULN: the quotient, exact, and whether it is that ("="), or lies below or above it.

    ``doubtful``: neither result nor limit states a unit that the analyte needs; it may alarm only (finding 8).
    """

    quotient: Decimal
    comparator: str = "="
    doubtful: bool = False


class Lab(NamedTuple):
    """A liver result after the infusion: whether it is unremarkable (None unknown), and whether it is preliminary."""

    analyte: str
    day: date
    fine: bool | None
    preliminary: bool = False


def _high(range_: Range) -> Decimal | None:
    """The numeric high, else the one its text names (C5.1, C5.2)."""
    if range_.high is not None:
        return range_.high
    found = _HIGH_IN_TEXT.match(range_.text)
    return Decimal(found[1]) if found else None


def _comparable(
    analyte: str, value: Decimal, unit: str, high: Decimal, range_unit: str
) -> tuple[Decimal, Decimal] | None:
    """Value and limit on one scale: the same unit as they are, else by the table of C4, else None."""
    if range_unit in ("", unit):
        return value, high
    factors = _IN_BASE_UNITS[analyte]
    if unit not in factors or range_unit not in factors:
        return None
    return value * factors[unit], high * factors[range_unit]


def times_uln(
    analyte: str, value: Decimal, unit: str, ranges: list[Range], age: int | None = None, comparator: str = ""
) -> Times | str:
    """The multiple of the result's own ULN, or the reason why it is unknown (C5.1 to C5.3, C5.6).

    ``age`` in days at collection. Of several usable ranges the lowest high counts.
    """
    for_age = [r for r in ranges if r.kind not in _NOT_FOR_NORMAL and _age_fits(r, age)]
    pairs = [
        _comparable(analyte, value, unit, high, range_.unit)
        for range_ in for_age
        if (high := _high(range_)) is not None and high > 0
    ]
    usable = [pair for pair in pairs if pair is not None]
    if not pairs:
        return "no range"
    if not usable:
        return "unit"
    no_unit = unit == "" and analyte != "inr"
    return Times(max(value / high for value, high in usable), comparator or "=", no_unit)


def _age_fits(range_: Range, age: int | None) -> bool:
    if range_.from_age is None and range_.to_age is None:
        return True
    return age is not None and (range_.from_age or 0) <= age and (range_.to_age is None or age <= range_.to_age)


def above(times: Times | str, limit: int) -> bool | None:
    """Whether the multiple is greater than ``limit``; None is unknown (label 5.1: greater than 2 x ULN before D).

    Comparators are intervals (C4): "<5" can prove below, never above; ">1000" is at least 1000.
    """
    if isinstance(times, str):
        return None
    if times.comparator in ("<", "<="):
        return False if times.quotient <= limit else None
    if times.comparator in (">", ">="):
        return True if times.quotient > limit or (times.comparator == ">" and times.quotient == limit) else None
    return times.quotient > limit


def below(times: Times | str, limit: int) -> bool | None:
    """Whether the multiple is less than ``limit``; None is unknown (label 2.1, 2.3: ALT and AST below 2 x ULN)."""
    if isinstance(times, str):
        return None
    if times.comparator in ("<", "<="):
        return True if times.quotient < limit or (times.comparator == "<" and times.quotient == limit) else None
    if times.comparator in (">", ">="):
        return False if times.quotient >= limit else None
    return times.quotient < limit


_NORMAL_FLAG = {"N": True, "L": True, "H": False, "HH": False, "A": False, "AA": False}


def _contradicted(times: Times, flag: str) -> bool:
    """Whether the laboratory's flag contradicts its own range (C5.5)."""
    over = above(times, 1)
    return (flag == "N" and over is True) or (flag in ("H", "HH", "A", "AA") and over is False)


def above_twice(times: Times | str, flag: str) -> bool | None:
    """Greater than 2 x ULN (label 5.1). Doubtful units and contradicted flags may alarm and prove nothing (C3, C6)."""
    over = above(times, 2)
    if isinstance(times, str) or over is not False:
        return over
    return None if times.doubtful or _contradicted(times, flag) else False


def is_unremarkable(analyte: str, times: Times | str, flag: str) -> bool | None:
    """ALT and AST below 2 x ULN; total bilirubin, PT and INR normal: at most the high (label 2.1, 2.3).

    Without a range bilirubin, PT and INR go by the flag (C5.4).
    """
    is_enzyme = analyte in ("alt", "ast")
    if isinstance(times, str):
        return _NORMAL_FLAG.get(flag) if times == "no range" and not is_enzyme else None
    over = above(times, 1)
    fine = below(times, 2) if is_enzyme else None if over is None else not over
    return None if fine is True and (times.doubtful or _contradicted(times, flag)) else fine


def laboratory_part(labs: list[Lab], since: date, today: date) -> bool | None:
    """Whether the newest of all five are unremarkable: sampled ``since`` or later, not older than 7 days (ruling 41).

    An abnormal one counts whatever its age; a preliminary one at least as new alarms and proves nothing (C1, C6).
    """
    return unremarkable(*(_newest(labs, analyte, since, today) for analyte in ("alt", "ast", "bilirubin", "pt", "inr")))


def _newest(labs: list[Lab], analyte: str, since: date, today: date) -> bool | None:
    own = [lab for lab in labs if lab.analyte == analyte and lab.day <= today]
    day = max((lab.day for lab in own if not lab.preliminary), default=None)
    told = [lab for lab in own if lab.day == day or (lab.preliminary and (day is None or lab.day >= day))]
    if any(lab.fine is False for lab in told):
        return False
    proven = day is not None and day >= since and (today - day).days <= 7
    return True if proven and all(lab.fine for lab in told) else None


def unremarkable(
    alt: bool | None, ast: bool | None, bilirubin: bool | None, pt: bool | None, inr: bool | None
) -> bool | None:
    """The laboratory part of "unremarkable": all five proven; False if one is proven abnormal (label 2.1, 2.3, C6)."""
    parts = (alt, ast, bilirubin, pt, inr)
    if False in parts:
        return False
    return None if None in parts else True


def shown(times: Decimal, boundaries: tuple[int, ...] = (1, 2, 3, 20)) -> str:
    """Two decimals, more where rounding would reach or cross a boundary (C5.6): 1.996 stays 1.996."""
    places = 2
    while places < 12:
        text = times.quantize(Decimal(1).scaleb(-places), "ROUND_HALF_UP")
        if all((times > limit, times < limit) == (text > limit, text < limit) for limit in boundaries):
            break
        places += 1
    return str(text)
