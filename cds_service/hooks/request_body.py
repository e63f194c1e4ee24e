"""The bytes of a request: JSON by name, uncompressed, within the limit, and all of them."""

from __future__ import annotations

from flask import current_app, g, request

from cds_service.errors import BadRequest, BodyTooLarge, UnsupportedMediaType

MAX_BODY = "cds_max_body_bytes"
_JSON_TYPES = frozenset({"application/json", "application/fhir+json"})


def request_body() -> bytes:
    """The request's bytes, all of them; they can be asked for again.

    Raises UnsupportedMediaType for anything but plain JSON, and BodyTooLarge beyond the limit, also where the
    client does not announce the length; BadRequest where it does not come.
    """
    if "body" not in g:
        g.body = _read_body()
    body: bytes = g.body
    return body


def _read_body() -> bytes:
    environment = request.environ
    # Nearly all clients write the bare name, which need not be taken apart.
    if environment.get("CONTENT_TYPE") not in _JSON_TYPES and request.mimetype not in _JSON_TYPES:
        raise UnsupportedMediaType("the body is not declared as JSON; send Content-Type: application/json")
    if environment.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("the body is compressed; send it without Content-Encoding")
    limit: int = current_app.extensions[MAX_BODY]
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        body = request.stream.read(limit + 1)
    except OSError as error:  # the client fell silent, went away, or broke off its chunks
        raise BadRequest("the body did not arrive; send it again") from error
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {limit} bytes; send less prefetch or raise CDS_MAX_BODY_MB")
