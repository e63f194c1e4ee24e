"""Request bytes → JSON with exact decimals, within limits (R-008, R-012, R-014)."""

from __future__ import annotations

from typing import Any

from cds_service.errors import BadRequest, BodyTooDeep
from cds_service.fhir import NestedTooDeep, NotJson, is_deeper, read_json_document
from cds_service.fhir.json_document import DEEPEST, as_one_text

_MEMBERS = ("context", "prefetch", "fhirAuthorization", "extension")


def read_json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in these bytes, numbers with a fraction as Decimal.

    Raises BadRequest for anything else than one JSON object, BodyTooDeep for nesting beyond 100 levels.
    """
    try:
        document = read_json_document(body)
    except NotJson as error:
        raise BadRequest("the body is not valid JSON; send one JSON object") from error
    except NestedTooDeep as error:
        raise _too_deep(error.document) from error
    if not isinstance(document, dict):
        raise BadRequest("the body is not a JSON object; send one JSON object")
    return document


def write_json(document: object) -> bytes:
    """The document as JSON; decimals become numbers with every digit they have."""
    return as_one_text(document)


def _too_deep(document: object) -> BodyTooDeep:
    members = document if isinstance(document, dict) else {}
    path = next((name for name in _MEMBERS if is_deeper(members.get(name), DEEPEST - 1)), "")
    return BodyTooDeep(f"the body nests deeper than {DEEPEST} levels; flatten it", path)
