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
_HIGH_IN_TEXT = re.compile(r"^\s*(?:\d+(?:\.\d+)?\s*[-–]|<=?|≤)\s*(\d+(?:\.\d+)?)\s*(\S*)\s*$")
LIMITED = ("alt", "ast", "bilirubin")  # what the label names with "> 2 x ULN" before the infusion (5.1)
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


def _bound(range_: Range, analyte: str, unit: str) -> tuple[Decimal, str] | None:
    """The numeric high, else the one its text names, with its unit (C5.1, C5.2); text in another unit is no range."""
    if range_.high is not None:
        return range_.high, range_.unit
    found = _HIGH_IN_TEXT.match(range_.text)
    if found is None:
        return None
    factors = _IN_BASE_UNITS[analyte]
    same = found[2] in ("", unit) or factors.get(found[2]) == factors.get(unit, 0)
    return (Decimal(found[1]), found[2]) if same else None


def _comparable(analyte: str, value: Decimal, unit: str, high: Decimal, own: str) -> tuple[Decimal, Decimal] | None:
    """Value and limit on one scale: as they are where they share a unit, else by the table of C4, else None."""
    if own in ("", unit):
        return value, high
    factors = _IN_BASE_UNITS[analyte]
    if unit not in factors or own not in factors:
        return None
    return value * factors[unit], high * factors[own]


def stated_unit(analyte: str, unit: str, ranges: list[Range]) -> str:
    """The result's unit; where it states none, the one unit that its ranges of normal values state."""
    own = [r for r in ranges if r.kind not in _NOT_FOR_NORMAL]
    words = {match[2] for r in own if r.high is None and (match := _HIGH_IN_TEXT.match(r.text)) and Decimal(match[1])}
    units = {r.unit for r in own if r.high and r.unit} | (words & _IN_BASE_UNITS[analyte].keys() - {""})
    return units.pop() if unit == "" and analyte != "inr" and len(units) == 1 else unit


def times_uln(
    analyte: str, value: Decimal, unit: str, ranges: list[Range], age: int | None = None, comparator: str = ""
) -> Times | str:
    """The multiple of the result's own ULN, or the reason why it is unknown (C5.1 to C5.3, C5.6).

    ``unit`` is the stated one, ``age`` in days at collection. Of several usable ranges the lowest high counts.
    """
    bounds = [_bound(r, analyte, unit) for r in ranges if r.kind not in _NOT_FOR_NORMAL and _age_fits(r, age)]
    pairs = [_comparable(analyte, value, unit, *bound) for bound in bounds if bound and bound[0] > 0]
    usable = [pair for pair in pairs if pair is not None]
    if not usable:
        return "unit" if pairs else "no range"
    return Times(max(value / high for value, high in usable), comparator or "=", unit == "" and analyte != "inr")


def _age_fits(range_: Range, age: int | None) -> bool:
    """A range is dropped where the child is known to be of another age (C5.1)."""
    return age is None or ((range_.from_age or 0) <= age and (range_.to_age is None or age <= range_.to_age))


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


def _contradicted(times: Times, flag: str) -> bool:
    """Whether the laboratory's flag contradicts its own range (C5.5)."""
    over = above(times, 1)
    return (flag == "N" and over is True) or (flag in ("H", "HH", "A", "AA") and over is False)


def by_flag(analyte: str, value: Decimal, unit: str, comparator: str, flag: str) -> bool | None:
    """Whether the laboratory's flag says normal where there is no usable range (C5.4): bilirubin, PT and INR only.

    "Normal" counts in a unit of the analyte only, and not for an INR of 1.5 or a bilirubin of 2 mg/dL or more (policy).
    """
    said = {"N": True, "H": False, "HH": False, "A": False, "AA": False}.get(flag)
    if analyte in ("alt", "ast") or (value == 0 and comparator not in (">", ">=")):
        return None
    if not said:
        return said
    if unit not in _IN_BASE_UNITS[analyte]:
        return None
    most = {"inr": Decimal("1.5"), "bilirubin": Decimal(2) * Decimal("17.104")}.get(analyte)
    number = Times(value * _IN_BASE_UNITS[analyte][unit] / (most or 1), comparator or "=")
    return True if most is None or below(number, 1) else None


def _is_zero(times: Times) -> bool:
    """No child has a zero: something else was meant, and it proves nothing."""
    return times.quotient == 0 and times.comparator not in (">", ">=")


def above_twice(times: Times | str, flag: str, by_flag: bool | None) -> bool | None:
    """Greater than 2 x ULN (label 5.1). Doubtful units and contradicted flags may alarm and prove nothing (C3, C6)."""
    if isinstance(times, str):
        return False if by_flag else None
    over = above(times, 2)
    if over is not False:
        return over
    return None if times.doubtful or _is_zero(times) or _contradicted(times, flag) else False


def is_unremarkable(
    analyte: str, times: Times | str, flag: str, by_flag: bool | None = None, unit: str | None = None
) -> bool | None:
    """ALT and AST below 2 x ULN; total bilirubin, PT and INR normal: at most the high (label 2.1, 2.3).

    Without a usable range ``by_flag`` decides (C5.4).
    """
    is_enzyme = analyte in ("alt", "ast")
    if isinstance(times, str):
        return by_flag
    if unit is not None and unit not in _IN_BASE_UNITS[analyte] and not is_enzyme and above(times, 1) is False:
        return None  # another scale: of a PT in per cent the low ones are the bad ones (C4, H52)
    over = above(times, 1)
    fine = below(times, 2) if is_enzyme else None if over is None else not over
    if _is_zero(times):
        return None
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


def shown(times: Decimal) -> str:
    """Two decimals, more where rounding would put it on a whole number that it is not (C5.6): 1.996 stays 1.996."""
    places = 2
    while (text := times.quantize(Decimal(1).scaleb(-places), "ROUND_HALF_UP")) % 1 == 0 and times % 1 and places < 12:
        places += 1
    return str(text)
