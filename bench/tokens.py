"""An issuer that a service knows: its keys, its entry in a clients file, and a token for each call."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://ehr.example.org"
# The address of the service as its tokens name it; the path of the call follows.
AUDIENCE = "https://cds.example.org"
SECONDS_OF_A_TOKEN = 600
ALGORITHMS = ("ES384", "RS384")


@dataclass(frozen=True, slots=True)
class Issuer:
    """An EHR with one key for each algorithm, made for this run."""

    elliptic: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()))
    rsa: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def key_set(self) -> dict[str, Any]:
        """The public keys as a JWK Set; the id of a key is the name of its algorithm."""
        public = (
            jwt.algorithms.ECAlgorithm.to_jwk(self.elliptic.public_key(), as_dict=True),
            jwt.algorithms.RSAAlgorithm.to_jwk(self.rsa.public_key(), as_dict=True),
        )
        return {
            "keys": [
                {**key, "kid": name, "alg": name, "use": "sig"} for key, name in zip(public, ALGORITHMS, strict=True)
            ]
        }

    def write_clients_file(self, folder: Path) -> Path:
        """A clients file that names this issuer, with its keys in a file beside it."""
        (folder / "keys.json").write_text(json.dumps(self.key_set()), encoding="utf-8")
        path = folder / "clients.toml"
        path.write_text(
            f'[[client]]\nname = "bench"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
            "allow_insecure_loopback = true\n",
            encoding="utf-8",
        )
        return path

    def tokens(self, path: str, algorithm: str, number: int) -> Iterator[str]:
        """So many tokens for calls of this path, each good for one call in the next minutes."""
        key = {"ES384": self.elliptic, "RS384": self.rsa}[algorithm]
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE + path, "iat": now, "exp": now + SECONDS_OF_A_TOKEN}
        for _ in range(number):
            yield jwt.encode({**claims, "jti": str(uuid4())}, key, algorithm, headers={"kid": algorithm})
