"""Exact quantities: decimals with a unit, one conversion table, and refusal of everything else (C4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

_EXACT = Context(prec=60)


class UnknownUnit(Exception):
    """The unit is not in the conversion table of this concept."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as the record writes it, with its unit."""

    value: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class UnitTable:
    """Which units a concept may come in and how each becomes the concept's own unit.

    `factors` maps concept → unit → what one such unit is in the concept's own unit.
    `spellings` maps concept → a unit written without a code system → the unit it means. `also_written` are
    words that are not accepted alone and only tell that a code is contradicted by the words beside it.
    """

    own_unit: Mapping[str, str]
    factors: Mapping[str, Mapping[str, Decimal]]
    spellings: Mapping[str, Mapping[str, str]]
    also_written: Mapping[str, Mapping[str, str]]

    def contradicts(self, concept: str, unit: str | None, said: str) -> bool:
        """Whether the words beside a unit's code name a unit of the concept that is another amount."""
        meant = self.spellings[concept].get(said) or self.also_written[concept].get(said.lower())
        factors = self.factors[concept]
        return meant is not None and (unit is None or factors[meant] != factors[unit])

    def in_own_unit(self, quantity: Quantity, concept: str) -> Decimal:
        """The quantity in the concept's own unit, exactly.

        Raises UnknownUnit where the unit is not in the table; nothing is guessed.
        """
        return _EXACT.multiply(quantity.value, self.size_of(quantity.unit, concept))

    def size_of(self, unit: str, concept: str) -> Decimal:
        """What one such unit is in the concept's own unit. Raises UnknownUnit where the table lacks it."""
        try:
            return self.factors[concept][unit]
        except KeyError as unknown:
            raise UnknownUnit(f"{unit!r} is no unit of {concept}") from unknown

    def coded(self, concept: str, code: str) -> str | None:
        """The unit behind a code of the unit code system, or None if this concept does not come in it."""
        return code if code in self.factors[concept] else None

    def spelled(self, concept: str, spelling: str) -> str | None:
        """The unit behind a spelling without a code, or None if it is not listed."""
        return self.spellings[concept].get(spelling)


def rounded_half_up(value: Decimal, step: Decimal) -> Decimal:
    """`value` to the nearest multiple of `step`, halves away from zero; rounded once, in decimal."""
    steps = _EXACT.divide(value, step).quantize(Decimal(1), rounding=ROUND_HALF_UP, context=_EXACT)
    return _EXACT.multiply(steps, step)


def per_cent(part: Decimal, whole: Decimal) -> Decimal:
    """`part` as a percentage of `whole`, to one decimal, for showing only."""
    return _EXACT.divide(part * Decimal(100), whole).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP, context=_EXACT)


def exact_product(*factors: Decimal) -> Decimal:
    """The product of all factors without rounding to the default precision."""
    product = Decimal(1)
    for factor in factors:
        product = _EXACT.multiply(product, factor)
    return product


def exact_quotient(part: Decimal, whole: Decimal) -> Decimal:
    """`part` divided by `whole`, to sixty digits."""
    return _EXACT.divide(part, whole)


def midpoint(lower: Decimal, upper: Decimal) -> Decimal:
    """The value halfway between two."""
    return _EXACT.divide(lower + upper, Decimal(2))


def plain(value: Decimal) -> str:
    """The number in digits without an exponent, with every digit it was written with."""
    return f"{value:f}"


def to_show_beside(value: Decimal, limits: Iterable[Decimal], digits: int) -> Decimal:
    """The value with so many significant digits, and with more where that would put it on the other side of a limit."""
    limits = list(limits)
    while digits < _EXACT.prec:
        shown = to_significant_digits(value, digits)
        if all((shown < limit, shown > limit) == (value < limit, value > limit) for limit in limits):
            return shown
        digits += 1
    return value


def to_significant_digits(value: Decimal, digits: int) -> Decimal:
    """The number rounded half-up to so many significant digits, for showing only."""
    return Context(prec=digits, rounding=ROUND_HALF_UP).plus(value)
