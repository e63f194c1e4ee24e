"""Keys made for this run, tokens signed with them as a test wants them, and a service that answers only registered EHRs."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import JSON, SIGN, about_another_drug
from loopback_servers import http_answer, raw_server
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.hooks.admission import Admission, Places
from cds_service.hooks.authenticate import Authentication
from cds_service.hooks.call_rates import CallRates
from cds_service.hooks.clients import destinations_of
from cds_service.hooks.json_body import write_json
from cds_service.hooks.key_sources import client_keys
from cds_service.hooks.views import ADMISSION
from cds_service.outbound import outbound_session
from cds_service.store.shared_state import open_shared_state

Json = dict[str, Any]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
NOW = 1_780_000_000
BASE = "https://cds.example.org"
ISSUER, REMOTE, SHARED, SPLIT, AGREED = (
    f"https://{name}.example.org" for name in ("ehr", "remote", "shared", "split", "agreed")
)
SPEC_EXAMPLE = "https://fhir-ehr.example.com/"
ODD_KID = "kid+with/odd=signs=="
KID_OF = {"RS": "rsa", "PS": "rsa", "ES": "ec"}


@cache
def key(name: str) -> PrivateKey:
    """The private key of this name; made when it is first asked for, and kept nowhere."""
    match name:
        case "small":
            return rsa.generate_private_key(public_exponent=65537, key_size=1024)
        case "p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "p521":
            return ec.generate_private_key(ec.SECP521R1())
        case _ if name.startswith("ec"):
            return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(name: str, kid: str | None, **members: Any) -> Json:
    """The public key as a member of a JWK Set."""
    public = key(name).public_key()
    kind = jwt.algorithms.RSAAlgorithm if isinstance(public, rsa.RSAPublicKey) else jwt.algorithms.ECAlgorithm
    written = kind.to_jwk(public, as_dict=True)
    return {
        **{k: v for k, v in written.items() if k in ("kty", "n", "e", "crv", "x", "y")},
        **({"kid": kid} if kid is not None else {}),
        **members,
    }


def jwks(*keys: Json) -> bytes:
    """A JWK Set of these keys."""
    return json.dumps({"keys": list(keys)}).encode()


def pem(name: str) -> bytes:
    """The public key as text: what an attacker knows and may take for a shared secret."""
    return (
        key(name).public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def claims(**changes: Any) -> Json:
    """The claims of a good token; a change of None takes one away."""
    usual = {"iss": ISSUER, "aud": BASE + SIGN, "iat": NOW, "exp": NOW + 300, "jti": str(uuid4())}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(
    payload: Mapping[str, Any] | bytes,
    name: str = "rsa",
    algorithm: str = "RS384",
    sign: Callable[[bytes], bytes] | None = None,
    **header: Any,
) -> str:
    """A token with this payload, signed with this key; changes of the header as in `claims`."""
    usual = {"alg": algorithm, "typ": "JWT", "kid": name, **header}
    head = {member: value for member, value in usual.items() if value is not None}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    covered = f"{segment(json.dumps(head).encode())}.{segment(body)}".encode()
    method = jwt.get_algorithm_by_name(algorithm) if sign is None else None
    signature = sign(covered) if sign else method.sign(covered, method.prepare_key(key(name)))  # type: ignore[union-attr,arg-type]
    return f"{covered.decode()}.{segment(signature)}"


def with_secret(secret: bytes, digest: str) -> Callable[[bytes], bytes]:
    """A signature that anybody can make who knows the secret."""
    return lambda covered: hmac.new(secret, covered, digest).digest()


def good(**changes: Any) -> str:
    """A token of the first client, signed with its RSA key."""
    return signed(claims(**changes))


@dataclass
class KeyServer:
    """Serves a JWK Set on loopback as a test wants it, and counts how often it was asked."""

    body: bytes = b""
    asked: int = 0
    answer: Callable[[socket.socket], None] | None = None

    def attend(self, to: socket.socket, _: bytes) -> None:
        self.asked += 1
        if self.answer is not None:
            self.answer(to)
        else:
            to.sendall(http_answer(self.body))


@contextmanager
def key_server(body: bytes) -> Iterator[tuple[KeyServer, str]]:
    """A key server and the address of its set."""
    server = KeyServer(body)
    with raw_server(server.attend) as address:
        yield server, f"{address}/jwks"


def clients_toml(keys_url: str) -> str:
    """The clients of the bench. Only the second one has its keys at an address."""
    return f"""
[[client]]
name = "static"
issuer = "{ISSUER}"
jwks_file = "keys.json"
fhir_base_urls = ["https://ehr.example.org/fhir"]
origins = ["https://ehr.example.org", "https://[2001:db8::1]:8443"]

[[client]]
name = "remote"
issuer = "{REMOTE}"
jwks_url = "{keys_url}"
allow_insecure_loopback = true

[[client]]
name = "north"
issuer = "{SHARED}"
jwks_file = "keys.json"
tenants = ["north"]
origins = ["https://north.example.org:8443"]

[[client]]
name = "south"
issuer = "{SHARED}"
jwks_file = "keys.json"
tenants = ["south"]

[[client]]
name = "east"
issuer = "{SPLIT}"
jwks_file = "keys.json"
fhir_base_urls = ["https://split.example.org/east"]

[[client]]
name = "west"
issuer = "{SPLIT}"
jwks_file = "keys.json"
fhir_base_urls = ["https://split.example.org/west"]

[[client]]
name = "agreed"
issuer = "{AGREED}"
jwks_file = "keys.json"
audiences = ["sand_man"]
algorithms = ["RS256", "PS384", "ES256", "ES512"]
max_token_seconds = 900
"""


def static_keys() -> bytes:
    """The set in keys.json: good keys, and keys that verify nothing."""
    return jwks(
        jwk("rsa", "rsa", alg="RS384", use="sig"),
        jwk("rsa", "unlabelled"),
        jwk("rsa", "labelled-rs256", alg="RS256", use="sig"),
        jwk("rsa", "labelled-rs512", alg="RS512"),
        jwk("rsa", ODD_KID),
        jwk("rsa", "for-encryption", use="enc"),
        jwk("rsa", "for-wrapping", key_ops=["wrapKey"]),
        jwk("ec", "ec", alg="ES384"),
        jwk("ec", "ec-unlabelled"),
        jwk("p256", "p256"),
        jwk("p521", "p521"),
        jwk("small", "small"),
        jwk("rsa", None),
        {"kty": "oct", "kid": "secret", "k": segment(b"a secret that both sides would know")},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed25519", "x": segment(b"x" * 32)},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
    )


@dataclass
class Bench:
    """A production service whose clock stands at `now`, with what a test needs to call it."""

    app: Flask
    key_server: KeyServer
    now: float = NOW
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        self._made = self.admission
        self._keys_of_remote = self.key_server.body
        self.begin()

    def begin(self, **changes: Any) -> None:
        """Begin anew: no token spent, no call counted, no key fetched, the clock at NOW.

        `changes` are fields of the admission; without one there is no limit to the number of calls.
        """
        self.now = NOW
        self.key_server.body, self.key_server.answer = self._keys_of_remote, None
        self.key_server.asked = 0
        shared = open_shared_state("memory://", lambda: self.now)
        clients = self._made.clients
        keys = client_keys("clients.toml", clients, outbound_session(destinations_of(clients)))
        self.app.extensions[ADMISSION] = replace(
            self._made,
            authentication=Authentication(clients, keys, lambda: self.now),
            **{
                "spent_tokens": shared.spent_tokens,
                "rates": CallRates(shared.call_counts, 0),
                "places": Places(64),
                **changes,
            },
        )

    @property
    def admission(self) -> Admission:
        admission: Admission = self.app.extensions[ADMISSION]
        return admission

    def post(self, token: str | None, call: Any = None, url: str = SIGN, **headers: str) -> TestResponse:
        """A call with this token; by default one that does not concern the service, so the answer is no cards."""
        body = call if isinstance(call, bytes) else write_json(call or about_another_drug())
        sent = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.client.post(url, data=body, content_type=JSON, headers={**sent, **headers})


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.001)


@contextmanager
def production_bench(folder: Path, **environment: str) -> Iterator[Bench]:
    """A production service with the clients above; `folder` is where its files are written."""
    (folder / "keys.json").write_bytes(static_keys())
    with key_server(jwks(jwk("rsa-remote", "first"))) as (server, url):
        clients = folder / "clients.toml"
        clients.write_text(clients_toml(url), encoding="utf-8")
        settings = {
            "CDS_MODE": "production",
            "CDS_PUBLIC_BASE_URL": BASE,
            "CDS_TIMEZONE": "UTC",
            "CDS_CLIENTS_FILE": str(clients),
            "CDS_DATABASE_URL": f"sqlite:///{folder}/cds.sqlite3",
        }
        app = create_app(load_settings({**settings, **environment}))
        wait_until(lambda: server.asked == 1)  # the keys are fetched at the start, beside everything else
        yield Bench(app, server)
