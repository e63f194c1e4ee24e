"""Observation.value[x] in a shape that its reader does not know: something is said there, and it is not read.

Whoever leaves it out takes a newer result for none, and an older one for the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from cds_service.fhir.json_shapes import JsonObject, number, only_object

# What the readers of a measurement know: a number with its unit, and text, which they show.
READ_AS_QUANTITY = frozenset({"valueQuantity", "valueString"})
_HAS_ITS_SHAPE: Mapping[str, Callable[[object], bool]] = {
    "valueString": lambda value: isinstance(value, str),
    "valueBoolean": lambda value: isinstance(value, bool),
    "valueInteger": lambda value: number(value) is not None,
}


def unread_value(resource: JsonObject, known: Collection[str]) -> str:
    """How a value is written that is there and cannot be read, for showing; "" where there is none.

    `known` are the elements that the caller reads. Of those it is one of another JSON type, or several that differ in
    place of one. An element that holds no value, such as a Quantity with a unit only, is none.
    """
    for name, value in resource.items():
        if name.startswith("value") and _holds_something(value) and not (name in known and _has_its_shape(name, value)):
            return value.strip() if isinstance(value, str) else name
    return ""


def _holds_something(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in (None, {}, [])


def _has_its_shape(name: str, value: object) -> bool:
    check = _HAS_ITS_SHAPE.get(name)
    return check(value) if check else bool(only_object(value))
