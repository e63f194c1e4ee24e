"""Bytes → JSON with exact decimals, never nested deeper than anybody writes by hand or program."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

DEEPEST = 100

_decoder = msgspec.json.Decoder(type=Any, float_hook=Decimal)


class NotJson(ValueError):
    """The bytes are no JSON document."""


class NestedTooDeep(ValueError):
    """The document nests deeper than allowed; its readers would run out of stack. `document` as far as it was read."""

    def __init__(self, document: object = None) -> None:
        super().__init__()
        self.document = document


def read_json_document(written: bytes) -> Any:
    """The JSON value in these bytes, numbers with a fraction as Decimal. Raises NotJson and NestedTooDeep."""
    try:
        document = _decoder.decode(written)
    except RecursionError as error:
        raise NestedTooDeep from error
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, ValueError) as error:
        raise NotJson from error
    # Fewer brackets than levels allowed cannot nest deeper; most documents end here.
    if written.count(b"{") + written.count(b"[") > DEEPEST and is_deeper(document, DEEPEST):
        raise NestedTooDeep(document)
    return document


def is_deeper(value: object, levels: int) -> bool:
    """Whether objects and arrays nest deeper in a value than so many levels; looks at each of them once."""
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(levels):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True
