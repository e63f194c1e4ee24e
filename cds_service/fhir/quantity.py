"""FHIR Quantity elements → exact quantities in a unit we know, or none (clinical-rules C4, ruling 55)."""

from __future__ import annotations

from decimal import Decimal

from cds_service.domain.quantities import Quantity, UnitTable, plain
from cds_service.fhir.json_shapes import JsonObject, number, says_nothing, text

UCUM = "http://unitsofmeasure.org"
_COUNTED_DIGITS = 9


def read_measured(element: JsonObject, concept: str, units: UnitTable) -> Quantity | None:
    """A measured quantity, or None where its number or unit cannot be interpreted; a comparator is no number.

    The unit is a UCUM code under the UCUM system, or one of the listed spellings without system and code.
    """
    value = number(element.get("value"))
    if value is None or element.get("comparator"):
        return None
    system, code = text(element.get("system")), text(element.get("code"))
    unit = None
    if system == UCUM:
        unit = units.coded(concept, code)
        if units.contradicts(concept, unit, text(element.get("unit"))):
            return None
    elif not system and not code:
        unit = units.spelled(concept, text(element.get("unit")))
    return Quantity(value, unit) if unit else None


def at_least(element: JsonObject) -> JsonObject | None:
    """The Quantity `>38` as its lower bound; None where it states no lower bound."""
    return _bound(element, (">", ">=", "≥"))


def at_most(element: JsonObject) -> JsonObject | None:
    """The Quantity `<50` as its upper bound; None where it states no upper bound."""
    return _bound(element, ("<", "<=", "≤"))


def _bound(element: JsonObject, comparators: tuple[str, ...]) -> JsonObject | None:
    if text(element.get("comparator")) not in comparators:
        return None
    return {name: value for name, value in element.items() if name != "comparator"}


def read_ordered(element: JsonObject, concept: str, units: UnitTable) -> Decimal | None:
    """An ordered quantity in the concept's own unit, or None where it is not one of this concept.

    Orders name units by local codes as well; there the unit's text counts, by the listed spellings.
    """
    value = number(element.get("value"))
    if value is None or element.get("comparator"):
        return None
    system, code, said = text(element.get("system")), text(element.get("code")), text(element.get("unit"))
    unit = units.coded(concept, code) if system == UCUM and code else units.spelled(concept, said or code)
    return units.in_own_unit(Quantity(value, unit), concept) if unit else None


def as_written(element: JsonObject) -> str:
    """The quantity as the record writes it, for showing; "" where it holds nothing.

    A value that is neither a number nor text is there all the same: a truth value is shown, anything else is named.
    """
    shown = _value_as_written(element.get("value"))
    said = text(element.get("unit")) or text(element.get("code"))
    return " ".join([part for part in (text(element.get("comparator")), shown, said) if part])


def _value_as_written(value: object) -> str:
    exact = number(value)
    if exact is not None:
        return _digits(exact)
    if isinstance(value, bool):
        return str(value).lower()
    return text(value) or ("" if says_nothing(value) else "value")


def _digits(value: Decimal) -> str:
    """The number as written; a very large one with its power of ten, because nobody counts zeros rightly."""
    if value.adjusted() < _COUNTED_DIGITS:
        return plain(value)
    mantissa, _, exponent = f"{value.normalize():E}".partition("E")
    return f"{mantissa} × 10^{int(exponent)}"
