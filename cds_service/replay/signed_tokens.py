"""A token for each call, as an EHR signs it: a service that asks for tokens takes each of them once (R-179)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any
from uuid import uuid4

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cds_service.errors import BadRequest, SettingsProblem
from cds_service.hooks.json_body import read_json_object

_SECONDS_TO_LIVE = 5 * 60
_SMALLEST_RSA_BITS = 2048

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """Signs as this issuer, with RS384 or ES384. The key is never shown."""

    issuer: str
    key_id: str
    algorithm: str
    key: PrivateKey = field(repr=False)

    def token_for(self, url: str) -> str:
        """A new token for one call of this address, valid from now on for five minutes."""
        now = int(time())
        claims = {"iss": self.issuer, "aud": url, "iat": now, "exp": now + _SECONDS_TO_LIVE, "jti": str(uuid4())}
        return jwt.encode(claims, self.key, self.algorithm, {"typ": "JWT", "kid": self.key_id})


def read_signer(path: Path, issuer: str, key_id: str = "") -> TokenSigner:
    """A signer with the private key in a file: a JWK, or PEM. Without `key_id` the `kid` of the JWK is taken.

    Raises SettingsProblem where the file holds no such key; the message does not show it.
    """
    try:
        written = path.read_bytes()
    except OSError as error:
        raise SettingsProblem(f"{path}: cannot be read ({error.strerror}); name a file with a private key") from error
    jwk = _jwk(written)
    key = _key_of_jwk(jwk) if jwk is not None else _key_of_pem(written)
    algorithm = _algorithm_of(key)
    if not isinstance(key, PrivateKey) or not algorithm:
        raise SettingsProblem(
            f"{path}: holds no private key for RS384 or ES384; write one as JWK or as PEM without a password, RSA of "
            f"{_SMALLEST_RSA_BITS} bits or more, or EC on curve P-384"
        )
    named = key_id or (jwk or {}).get("kid")
    if not isinstance(named, str) or not named:
        raise SettingsProblem(f"{path}: names no key id; give the kid of its public key with --key-id")
    return TokenSigner(issuer, named, algorithm, key)


def _jwk(written: bytes) -> dict[str, Any] | None:
    try:
        return read_json_object(written)
    except BadRequest:
        return None


def _key_of_jwk(jwk: dict[str, Any]) -> object:
    try:
        return jwt.PyJWK(jwk, "ES384" if jwk.get("kty") == "EC" else "RS384").key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _key_of_pem(written: bytes) -> object:
    try:
        return load_pem_private_key(written, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _algorithm_of(key: object) -> str:
    """What the key can sign with and most services accept; "" for a key that cannot."""
    if isinstance(key, RSAPrivateKey) and key.key_size >= _SMALLEST_RSA_BITS:
        return "RS384"
    return "ES384" if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1) else ""
