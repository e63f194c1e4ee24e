"""The client's JWT as it arrives: its form, and why one is refused. Nothing in it is proven until it is verified."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from cds_service.fhir import NestedTooDeep, NotJson, read_json_document
from cds_service.hooks.signing_keys import octets_of

# Some EHRs send tokens of 12 kB.
_LONGEST: Final = 16 * 1024
_SCHEME: Final = "bearer"
_SEGMENT: Final = r"[A-Za-z0-9_-]+"
_JWT: Final = re.compile(rf"{_SEGMENT}\.{_SEGMENT}\.{_SEGMENT}")
# Algorithms with two keys: with a shared secret whoever checks a token can forge one.
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}
)  # fmt: skip


class Refusal(StrEnum):
    """Why a call is not authenticated, in the order in which it is looked at (R-185). For our log, never an answer."""

    NO_TOKEN = "no-token"
    NO_JWT = "no-jwt"
    TYPE = "typ"
    KEY_ID = "kid-missing"
    CRITICAL = "crit"
    ALGORITHM = "alg"
    ISSUER = "iss-unknown"
    ALGORITHM_OF_CLIENT = "alg-not-agreed"
    KEY_SET = "jku"
    NO_KEYS = "keys-unavailable"
    UNKNOWN_KEY = "kid-unknown"
    UNFIT_KEY = "key-does-not-fit-alg"
    SIGNATURE = "signature"
    AUDIENCE = "aud"
    MOMENTS = "exp-or-iat-missing"
    EXPIRED = "exp"
    NOT_YET = "nbf"
    ISSUED_LATER = "iat"
    LASTS_TOO_LONG = "exp-minus-iat"
    TENANT = "tenant"
    TOKEN_ID = "jti-missing"
    REPLAYED = "jti-replayed"
    WHICH_CLIENT = "client-not-told-apart"


class Refused(Exception):
    """A token is refused. `told` is what it says where that helps to set up the EHR, once its signature is verified."""

    def __init__(self, refusal: Refusal, told: str = "") -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.told = told


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token of the right form. `claims` prove nothing before the signature is verified."""

    written: str = field(repr=False)
    algorithm: str
    key_id: str
    header: Mapping[str, Any] = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


def read_bearer_token(authorization: str) -> BearerToken:
    """The JWT in an Authorization header. Raises Refused."""
    scheme, _, written = authorization.strip().partition(" ")
    written = written.strip()
    if scheme.lower() != _SCHEME or not written:
        raise Refused(Refusal.NO_TOKEN)
    if len(written) > _LONGEST or _JWT.fullmatch(written) is None:
        raise Refused(Refusal.NO_JWT)
    header, claims, _ = written.split(".")
    return _of_form(written, _json_object(header), _json_object(claims))


def _of_form(written: str, header: Mapping[str, Any], claims: Mapping[str, Any]) -> BearerToken:
    kind, key_id, algorithm = header.get("typ"), header.get("kid"), header.get("alg")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise Refused(Refusal.TYPE)
    if not isinstance(key_id, str) or not key_id:
        raise Refused(Refusal.KEY_ID)
    if "crit" in header or "b64" in header:
        raise Refused(Refusal.CRITICAL)  # extensions that must be understood; we understand none
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Refused(Refusal.ALGORITHM)
    return BearerToken(written, algorithm, key_id, header, claims)


def _json_object(segment: str) -> Mapping[str, Any]:
    octets = octets_of(segment)
    try:
        document = read_json_document(octets) if octets is not None else None
    except (NotJson, NestedTooDeep):
        raise Refused(Refusal.NO_JWT) from None
    if not isinstance(document, dict):
        raise Refused(Refusal.NO_JWT)
    return document
