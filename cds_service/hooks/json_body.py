"""Request bytes → JSON with exact decimals, within limits (R-008, R-012, R-014)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from cds_service.errors import BadRequest, BodyTooDeep

DEEPEST = 100
_MEMBERS = ("context", "prefetch", "fhirAuthorization", "extension")

_decoder = msgspec.json.Decoder(type=Any, float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def read_json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in these bytes, numbers with a fraction as Decimal.

    Raises BadRequest for anything else than one JSON object, BodyTooDeep for nesting beyond 100 levels.
    """
    try:
        document = _decoder.decode(body)
    except RecursionError as error:
        raise _too_deep("") from error
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, ValueError) as error:
        raise BadRequest("the body is not valid JSON; send one JSON object") from error
    if not isinstance(document, dict):
        raise BadRequest("the body is not a JSON object; send one JSON object")
    _refuse_deep(document, body)
    return document


def write_json(document: object) -> bytes:
    """The document as JSON; decimals become numbers with every digit they have."""
    return _encoder.encode(document)


def _refuse_deep(document: dict[str, Any], body: bytes) -> None:
    # Fewer brackets than levels allowed cannot nest deeper; most calls end here.
    if body.count(b"{") + body.count(b"[") <= DEEPEST or not _is_deeper(document, DEEPEST):
        return
    path = next((name for name in _MEMBERS if _is_deeper(document.get(name), DEEPEST - 1)), "")
    raise _too_deep(path)


def _is_deeper(value: object, levels: int) -> bool:
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


def _too_deep(path: str) -> BodyTooDeep:
    return BodyTooDeep(f"the body nests deeper than {DEEPEST} levels; flatten it", path)
