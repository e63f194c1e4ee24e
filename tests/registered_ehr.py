"""An EHR that a production service knows, with a key made for this run, which calls it with a fresh token each time."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import requests
from builders import hook_request
from cryptography.hazmat.primitives.asymmetric import ec
from remembering_service import an_item
from running_services import PATIENCE

from cds_service.hooks.json_body import write_json
from cds_service.web.fixture_requests import moved_to

BASE = "https://cds.example.org"
VIEW, SIGN = "/cds-services/onasemnogene-patient-view", "/cds-services/onasemnogene-order-sign"
# Ten days after the infusion: liver tests and platelets of the first week are overdue, and the heart is looked at.
TREATED: dict[str, Any] = {"moment": "chart", "infused": "2026-02-20"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RegisteredEhr:
    """A client of the clients file. `more` are further lines of its entry there."""

    name: str = "example-ehr"
    more: str = ""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()))

    def entry(self, folder: Path) -> str:
        """Its entry in a clients file of this folder, into which its keys are written."""
        (folder / f"{self.name}.json").write_text(json.dumps(self.key_set()), encoding="utf-8")
        keys = "" if "jwks_url" in self.more else f'jwks_file = "{self.name}.json"\n'
        return f'[[client]]\nname = "{self.name}"\nissuer = "{self.issuer}"\n{keys}{self.more}\n'

    @property
    def issuer(self) -> str:
        """Who it says it is."""
        return f"https://{self.name}.example.org"

    def key_set(self) -> Json:
        """Its public key as a JWK Set."""
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "key", "alg": "ES384", "use": "sig"}]}

    def token(self, path: str, **changes: Any) -> str:
        """A token for one call of this path, good for five minutes from now; `changes` are claims."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": str(uuid4())}
        return jwt.encode({**claims, **changes}, self.key, "ES384", headers={"kid": "key"})

    def post(self, address: str, path: str, body: bytes, token: str = "", **options: Any) -> requests.Response:
        """The answer of the service at an address; without a token with a fresh one."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.token(path)}"}
        return requests.post(f"{address}{path}", data=body, headers=headers, timeout=PATIENCE, **options)

    def ask(self, address: str, path: str, body: bytes) -> list[Json]:
        """The cards that a hook call is answered with."""
        response = self.post(address, path, body)
        assert response.status_code == 200, response.text
        cards: list[Json] = response.json()["cards"]
        return cards


def call_of_today(path: str, given: Mapping[str, Any] | None = None, **changes: Any) -> bytes:
    """A hook call about a child described in the words of cases.yaml, every day in it moved to the real clock."""
    call = {**hook_request(given or {}, path.removeprefix("/cds-services/onasemnogene-")), **changes}
    return moved_to(datetime.now(UTC).date(), write_json(call).decode()).encode()


def overriding(*cards: str, code: str = "specialist-decision") -> bytes:
    """A feedback post by which these cards were not followed, for a reason that they offer."""
    reason = {"reason": {"code": code, "system": f"{BASE}/CodeSystem/override-reasons"}}
    now = datetime.now(UTC).isoformat()
    return write_json({"feedback": [an_item(card, outcomeTimestamp=now, overrideReason=reason) for card in cards]})
