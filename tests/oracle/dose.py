"""Weight to dose volume and kit: label section 2.1 Table 1, section 16.1 Table 3."""

from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import NamedTuple

_TENTH = Decimal("0.1")
_KG_PER_UNIT = {
    "kg": Decimal(1),
    "g": Decimal("0.001"),
    "[lb_av]": Decimal("0.45359237"),
    "[oz_av]": Decimal("0.028349523125"),
}


class Row(NamedTuple):
    """One row of Tables 1 and 3: band and volume in kg and mL, the kit's NDC, its vials of 5.5 and 8.3 mL."""

    lower: Decimal
    upper: Decimal
    volume: Decimal
    ndc: str
    small_vials: int
    large_vials: int


def _row(index: int) -> Row:
    """Row ``index`` of the 37 rows: the band's upper edge x 5.5 mL, half-up (label 2.1 footnote a, finding 4)."""
    upper = Decimal("3.0") + index * Decimal("0.5")
    volume = (upper * Decimal("5.5")).quantize(_TENTH, ROUND_HALF_UP)
    small = -index % 3
    vials = 2 + (index + 2) // 3
    return Row(upper - Decimal("0.4"), upper, volume, f"71894-{120 + index}-{vials:02}", small, vials - small)


TABLE = tuple(_row(index) for index in range(37))


def kilograms(value: Decimal, unit: str) -> Decimal | None:
    """The weight in kg as an exact decimal, or None for a unit outside C4 (ruling 55)."""
    factor = _KG_PER_UNIT.get(unit)
    return None if factor is None else value * factor


def rounded(kg: Decimal) -> Decimal:
    """The effective weight: half-up to 0.1 kg, once (C10)."""
    return kg.quantize(_TENTH, ROUND_HALF_UP)


def row(kg: Decimal) -> Row | None:
    """The row of the rounded weight, or None: the label gives no dose (`weight-out-of-table`)."""
    weight = rounded(kg)
    return next((row for row in TABLE if row.lower <= weight <= row.upper), None)


def table_grade(kg: Decimal) -> str:
    """ "inside", "inside only after rounding" (warning) or "outside" (critical): `weight-out-of-table`."""
    if row(kg) is None:
        return "outside"
    return "inside" if TABLE[0].lower <= kg <= TABLE[-1].upper else "inside only after rounding"


def between(kg: Decimal) -> tuple[Row, Row, bool] | None:
    """The bands below and above a raw weight strictly between them, and whether x.x5 is at most 20 g away (ruling 20)."""
    for below, above in pairwise(TABLE):
        if below.upper < kg < above.lower:
            return below, above, abs(kg - (below.upper + above.lower) / 2) <= Decimal("0.020")
    return None


def vector_genomes(volume: Decimal) -> Decimal:
    """Total vg of a volume in mL at the nominal 2.0 x 10^13 vg/mL (label 3, 16.1)."""
    return volume * Decimal("2.0E13")
