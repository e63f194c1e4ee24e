"""A JWK Set → the public keys that may verify a token (R-169, ruling 2), and the verifying itself."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cds_service.fhir import NestedTooDeep, NotJson, read_json_document

LARGEST_SET: Final = 64 * 1024
_SMALLEST_RSA_BITS, _LARGEST_RSA_BITS = 2048, 8192
_PUBLIC_MEMBERS: Final = ("kty", "n", "e", "crv", "x", "y")
_CURVE_OF: Final = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_ANY_OF_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_JWS: Final = jwt.PyJWS()
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")

PublicKey = RSAPublicKey | EllipticCurvePublicKey


class NotAKeySet(ValueError):
    """A text is no JWK Set; the message says why, in a word."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key of a client. `label` is the algorithm its JWK names, "" where it names none."""

    key_id: str
    label: str
    public: PublicKey = field(repr=False)

    def fits(self, algorithm: str) -> bool:
        """Whether the key is of the kind and size that the algorithm needs, and its label does not speak against it.

        RS256 on a key does not speak against RS384: one large EHR labels its keys so (ruling 2).
        """
        if self.label not in ("", algorithm) and (self.label, algorithm) != ("RS256", "RS384"):
            return False
        if isinstance(self.public, RSAPublicKey):
            return algorithm[:2] in ("RS", "PS") and _SMALLEST_RSA_BITS <= self.public.key_size <= _LARGEST_RSA_BITS
        return _CURVE_OF.get(algorithm) == self.public.curve.name

    def verifies(self, token: str, algorithm: str) -> bool:
        """Whether the token is signed by this key with this algorithm; the key has to fit it.

        What the token says is read once, by its reader, and the library looks at the signature alone: a second reader
        of the same header might read something else in it.
        """
        signed, _, signature = token.rpartition(".")
        octets = octets_of(signature)
        if octets is None:
            return False
        return bool(_JWS.get_algorithm_by_name(algorithm).verify(signed.encode(), self.public, octets))


def octets_of(segment: str) -> bytes | None:
    """The octets of a segment of a JWT in base64url, or None where it is not written in the one way there is."""
    if not _BASE64URL.fullmatch(segment) or len(segment) % 4 == 1:
        return None
    octets = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    return octets if urlsafe_b64encode(octets).rstrip(b"=") == segment.encode() else None


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The usable keys of one JWK Set."""

    keys: tuple[SigningKey, ...]

    def with_id(self, key_id: str) -> tuple[SigningKey, ...]:
        """The keys with this id, compared letter by letter; mostly one."""
        return tuple(key for key in self.keys if key.key_id == key_id)

    def prepare(self) -> None:
        """Nothing has to be fetched."""


def read_signing_keys(written: bytes) -> SigningKeys:
    """The keys of a JWK Set that can verify signatures; others are left out. Raises NotAKeySet."""
    if len(written) > LARGEST_SET:
        raise NotAKeySet("too-large")
    try:
        document = read_json_document(written)
    except (NotJson, NestedTooDeep):
        raise NotAKeySet("no-json") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise NotAKeySet("no-list-of-keys")
    read = (_signing_key(item) for item in listed if isinstance(item, dict))
    return SigningKeys(tuple(key for key in read if key is not None))


def _signing_key(jwk: Mapping[str, Any]) -> SigningKey | None:
    """The key, or None for one that is not for signatures, not public, of another kind, or broken."""
    key_id, label = jwk.get("kid"), jwk.get("alg", "")
    operations = jwk.get("key_ops", ["verify"])
    is_for_signatures = jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    if not isinstance(key_id, str) or not key_id or not isinstance(label, str) or not is_for_signatures:
        return None
    algorithm = "RS256" if jwk.get("kty") == "RSA" else _ANY_OF_CURVE.get(str(jwk.get("crv")), "")
    # Only what is public is handed on: of a set that shows its private keys too, we want none of them.
    members = {name: jwk[name] for name in _PUBLIC_MEMBERS if name in jwk}
    if not algorithm:
        return None
    try:
        public = jwt.PyJWK(members, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return SigningKey(key_id, label, public) if isinstance(public, (RSAPublicKey, EllipticCurvePublicKey)) else None
