"""The demo's FHIR server without its web framework: one request and a store in, one answer out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from cds_service.fhir.json_shapes import JsonObject
from cds_service.web.fhir_capabilities import FHIR_JSON, capability_statement
from cds_service.web.fhir_search import FhirRefused
from cds_service.web.fhir_store import FhirStore, Parameters

DEMO_TOKEN = "synthetic-demo-token"
ALLOWED = "GET, HEAD, OPTIONS"
_BEARER = "bearer"
_decoder = msgspec.json.Decoder(type=Any, float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class FhirRequest:
    """One request: `base` is the server's absolute address, `path` what follows it, without slashes around."""

    base: str
    path: str
    parameters: Parameters = ()
    method: str = "GET"
    authorization: str = ""

    @property
    def resource_type(self) -> str:
        """The type that is read or searched, or the word that stands in its place."""
        return self.path.partition("/")[0]


@dataclass(frozen=True, slots=True)
class FhirAnswer:
    """One answer. Its body is `content` where there is one, whole or piece by piece, else `document` as JSON."""

    document: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Iterator[bytes] | None = None
    content_type: str = FHIR_JSON

    @property
    def body(self) -> bytes | Iterator[bytes]:
        """What is sent."""
        return write_json(self.document) if self.content is None else self.content


Server = Callable[[FhirRequest], FhirAnswer]


def read_json(written: str | bytes) -> Any:
    """The JSON document, numbers with a fraction as Decimal."""
    return _decoder.decode(written)


def write_json(document: object) -> bytes:
    """The document as JSON, with every digit its decimals have."""
    return _encoder.encode(document)


def server_of(store: FhirStore, today: date) -> Server:
    """A FHIR server with these resources; what it refuses is answered with an OperationOutcome."""

    def answer(request: FhirRequest) -> FhirAnswer:
        try:
            return FhirAnswer(_asked_for(request, store, today))
        except FhirRefused as refused:
            return refusal(refused)

    return answer


def _asked_for(request: FhirRequest, store: FhirStore, today: date) -> JsonObject:
    if request.method not in ("GET", "HEAD"):
        raise FhirRefused(405, "not-supported", "this server is read only; use GET")
    if request.path == "metadata":
        return capability_statement(request.base, today)
    _require_token(request.authorization)
    match request.path.split("/"):
        case [resource_type]:
            return store.search(request.base, resource_type, request.parameters)
        case [resource_type, identity]:
            return store.read(resource_type, identity)
        case _:
            raise FhirRefused(404, "not-supported", "nothing answers here; read Type/id or search Type?patient=…")


def _require_token(authorization: str) -> None:
    """Any token will do; that there is one makes a client prove that it sends it."""
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != _BEARER or not token.strip():
        raise FhirRefused(401, "login", f"no token; send Authorization: Bearer {DEMO_TOKEN}")


def refusal(refused: FhirRefused) -> FhirAnswer:
    """The answer to a request that is refused."""
    headers = {401: {"WWW-Authenticate": "Bearer"}, 405: {"Allow": ALLOWED}}.get(refused.status, {})
    return FhirAnswer(outcome(refused.code, str(refused)), refused.status, headers)


def outcome(code: str, message: str) -> JsonObject:
    """An OperationOutcome with one error."""
    issue = {"severity": "error", "code": code, "details": {"text": message}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
