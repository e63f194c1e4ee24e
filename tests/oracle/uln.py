"""A result against its upper limit of normal: clinical-rules C4, C5, finding 3; label 2.1, 2.3, 5.1."""

import re
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
    """A multiple of ULN: the quotient, exact, and whether it is that ("="), or lies below or above it."""

    quotient: Decimal
    comparator: str = "="


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
    return Times(max(value / high for value, high in usable), comparator or "=")


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
        return True if times.quotient > limit or (times == Times(Decimal(limit), ">")) else None
    return times.quotient > limit


def below(times: Times | str, limit: int) -> bool | None:
    """Whether the multiple is less than ``limit``; None is unknown (label 2.1, 2.3: ALT and AST below 2 x ULN)."""
    if isinstance(times, str):
        return None
    if times.comparator in ("<", "<="):
        return True if times.quotient < limit or (times == Times(Decimal(limit), "<")) else None
    if times.comparator in (">", ">="):
        return False if times.quotient >= limit else None
    return times.quotient < limit


def normal(times: Times | str, interpretation: str = "") -> bool | None:
    """Whether total bilirubin, PT or INR is normal: at most the high; without a range by the flag (C5.4, C5.5)."""
    flag = {"N": True, "L": True, "H": False, "HH": False, "A": False, "AA": False}.get(interpretation)
    if isinstance(times, str):
        return flag if times == "no range" else None
    over = above(times, 1)
    within = None if over is None else not over
    contradicted = interpretation in ("N", "H", "HH") and within is not None and flag is not within
    return None if contradicted else within


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
