"""An app's steps through the demo's authorization server, as a browser would take them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SCENARIO = "onasemnogene-patient-view/course-uneventful-day-12"
PATIENT = "synthetic-course-uneventful"
OF_SCENARIO = f"/demo/scenarios/{SCENARIO}/fhir"
OF_ALL = "/demo/fhir"
HOST = "http://localhost"
REDIRECT = f"{HOST}/app/"
VERIFIER = "a-verifier-that-is-long-enough-for-the-protocol"
SCOPES = "launch openid fhirUser patient/Patient.rs patient/Observation.rs"
Json = dict[str, Any]


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def ask(client: FlaskClient, base: str = OF_SCENARIO, **changes: str | None) -> TestResponse:
    """The answer to a request for authorization; a change of None leaves the parameter out."""
    asked: dict[str, str | None] = {
        "response_type": "code",
        "client_id": "onasemnogene-cds",
        "redirect_uri": REDIRECT,
        "scope": SCOPES,
        "state": "state-of-this-launch",
        "aud": f"{HOST}{base}",
        "launch": "opaque",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    sent = {name: value for name, value in asked.items() if value is not None}
    return client.get(f"{base}/auth/authorize", query_string=sent)


def sent_back(answer: TestResponse) -> dict[str, str]:
    """What the app's page is given in its address."""
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT
    return dict(parse_qsl(parts.query))


def exchange(client: FlaskClient, code: str, base: str = OF_SCENARIO, **changes: str) -> TestResponse:
    """The answer to a request for a token."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": "onasemnogene-cds",
        "code_verifier": VERIFIER,
        **changes,
    }
    return client.post(f"{base}/auth/token", data=form)


def token(client: FlaskClient, base: str = OF_SCENARIO, **changes: str | None) -> Json:
    """The token response of a whole launch."""
    answer = exchange(client, sent_back(ask(client, base, **changes))["code"], base)
    assert answer.status_code == 200, answer.text
    granted: Json = answer.get_json()
    return granted
