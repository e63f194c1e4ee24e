"""The authorization server of demo mode (SMART App Launch 2): who asks, what is granted, and a code exchanged once.

Everybody who asks is let in, because every patient in the demo is synthetic; but only by the whole protocol, so that
an app that leaves out a step of it is refused here as it would be in a hospital.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from cds_service.fhir.json_shapes import JsonObject
from cds_service.web.fhir_capabilities import authorize_address, token_address
from cds_service.web.fhir_server import DEMO_TOKEN

CODE_SECONDS, TOKEN_SECONDS = 60, 3600
_MOST_CODES = 1000
_KEY_ID = "demo"
_SIGNED_WITH = "ES384"
# RFC 7636: 43 to 128 characters without a meaning of their own; the challenge is a digest of fixed length.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_APP_ON_THIS_MACHINE = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?/app/")
_RESOURCE_SCOPE = re.compile(r"(?:patient|user)/(?:\*|[A-Z][A-Za-z]+)\.(?:rs|r|s|read|\*)")
_OTHER_SCOPES = frozenset({"launch", "launch/patient", "openid", "fhirUser"})
_OF_LAUNCH = frozenset({"launch", "launch/patient"})


class OAuthRefused(Exception):
    """A request that is refused: `error` is a word of RFC 6749, the message says what to do."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error

    @property
    def body(self) -> JsonObject:
        """The refusal as the token endpoint tells it (RFC 6749, section 5.2)."""
        return {"error": self.error, "error_description": str(self)}


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What an app asks for in the user's browser, checked as far as its form goes; `launch` is "" when standalone."""

    base: str
    client_id: str
    redirect_uri: str
    state: str
    scope: str
    challenge: str
    launch: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code stands for, until `ends` on the clock of the codes. `user` is like `Practitioner/id`."""

    request: AuthorizationRequest
    patient: str
    user: str
    ends: float


def read_request(asked: Mapping[str, str], base: str) -> AuthorizationRequest:
    """The request for authorization at the FHIR server of this base, after `require_our_page`. Raises OAuthRefused."""
    if asked.get("response_type") != "code":
        raise OAuthRefused("unsupported_response_type", "response_type is not code; send code")
    if not asked.get("state"):
        raise OAuthRefused("invalid_request", "state is missing; send one that nobody can guess")
    if asked.get("aud", "").rstrip("/") != base:
        raise OAuthRefused("invalid_request", "aud is not this FHIR server; send its base address")
    if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        raise OAuthRefused("invalid_request", "code_challenge is missing or not S256; send one (PKCE is required)")
    scope = granted_scope(asked.get("scope", ""))
    if not scope:
        raise OAuthRefused("invalid_scope", "no scope of this server is asked for; send scopes of SMART 2")
    return AuthorizationRequest(
        base=base,
        client_id=asked["client_id"],
        redirect_uri=asked["redirect_uri"],
        state=asked["state"],
        scope=scope,
        challenge=asked["code_challenge"],
        launch=asked.get("launch", ""),
        nonce=asked.get("nonce", ""),
    )


def require_our_page(asked: Mapping[str, str], our_page: str) -> None:
    """Raises OAuthRefused where an answer must not go to the address that is asked for: it is not our app's.

    The app of another service on this machine is ours as well, so that one in production mode can be tried.
    """
    if not asked.get("client_id"):
        raise OAuthRefused("invalid_request", "client_id is missing; send the app's")
    redirect_uri = asked.get("redirect_uri", "")
    if redirect_uri != our_page and not _APP_ON_THIS_MACHINE.fullmatch(redirect_uri):
        raise OAuthRefused("invalid_request", "redirect_uri is not that of the timeline; send its /app/ page")


def granted_scope(asked: str) -> str:
    """Those of the scopes asked for that this server knows, in their order."""
    words = dict.fromkeys(asked.split())
    return " ".join(word for word in words if word in _OTHER_SCOPES or _RESOURCE_SCOPE.fullmatch(word))


def may_choose_patient(request: AuthorizationRequest) -> bool:
    """Whether the app is to be told of a patient."""
    return bool(_OF_LAUNCH & set(request.scope.split()))


def answer_address(request: AuthorizationRequest, code: str) -> str:
    """Where the user's browser goes with the code."""
    return f"{request.redirect_uri}?{urlencode({'code': code, 'state': request.state})}"


def refusal_address(asked: Mapping[str, str], refused: OAuthRefused) -> str:
    """Where it goes with a refusal; only after `require_our_page`."""
    told = {**refused.body, **({"state": asked["state"]} if asked.get("state") else {})}
    return f"{asked['redirect_uri']}?{urlencode(told)}"


class AuthorizationCodes:
    """Codes that are each exchanged once and within a minute; the oldest are forgotten beyond a thousand."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` counts seconds from any beginning."""
        self._clock = clock
        self._granted: dict[str, Granted] = {}
        self._lock = Lock()

    def issue(self, request: AuthorizationRequest, patient: str, user: str) -> str:
        """A fresh code for what is granted."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._granted[code] = Granted(request, patient, user, self._clock() + CODE_SECONDS)
            if len(self._granted) > _MOST_CODES:
                del self._granted[next(iter(self._granted))]
        return code

    def redeem(self, asked: Mapping[str, str], base: str) -> Granted:
        """What the code stands for; with that it is spent, also where something else about the request is wrong.

        Raises OAuthRefused with the error of RFC 6749 and 7636.
        """
        if asked.get("grant_type") != "authorization_code":
            raise OAuthRefused("unsupported_grant_type", "grant_type is not authorization_code; send that")
        if not asked.get("code"):
            raise OAuthRefused("invalid_request", "code is missing; send the one that came to the app's page")
        with self._lock:
            granted = self._granted.pop(asked["code"], None)
        if granted is None or granted.ends < self._clock() or granted.request.base != base:
            raise OAuthRefused("invalid_grant", "the code is unknown, spent or too old; launch the app again")
        if asked.get("client_id") != granted.request.client_id:
            raise OAuthRefused("invalid_client", "client_id is not the one that asked for the code")
        if asked.get("redirect_uri") != granted.request.redirect_uri:
            raise OAuthRefused("invalid_grant", "redirect_uri is not the one that the code was sent to")
        if not _proves(asked.get("code_verifier", ""), granted.request.challenge):
            raise OAuthRefused("invalid_grant", "code_verifier is missing or another one's; send it (PKCE is required)")
        return granted


def _proves(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(digest, challenge)


def token_response(granted: Granted, id_token: str) -> JsonObject:
    """What the app gets for its code; `id_token` is left out where it is ""."""
    response: dict[str, Any] = {
        "access_token": DEMO_TOKEN,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": granted.request.scope,
        "need_patient_banner": True,
    }
    if granted.patient:
        response["patient"] = granted.patient
    if id_token:
        response["id_token"] = id_token
    return response


class IdTokens:
    """Signs who the user is (OpenID Connect), with a key that is made anew for each start."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP384R1())

    def key_set(self) -> JsonObject:
        """The public half as a JWK Set."""
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": _KEY_ID, "alg": _SIGNED_WITH, "use": "sig"}]}

    def of(self, granted: Granted, now: int) -> str:
        """The signed statement, or "" where `openid` was not granted. `now` in seconds since 1970."""
        request = granted.request
        scopes = request.scope.split()
        if "openid" not in scopes:
            return ""
        claims: dict[str, Any] = {
            "iss": request.base,
            "aud": request.client_id,
            "sub": granted.user.rpartition("/")[2],
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        if request.nonce:
            claims["nonce"] = request.nonce
        if "fhirUser" in scopes:
            claims["fhirUser"] = f"{request.base}/{granted.user}"
        return jwt.encode(claims, self._key, _SIGNED_WITH, headers={"kid": _KEY_ID})


def smart_configuration(base: str) -> JsonObject:
    """What the server says of how it authorizes, for `.well-known/smart-configuration`."""
    return {
        **openid_configuration(base),
        "grant_types_supported": ["authorization_code"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "launch-ehr",
            "launch-standalone",
            "client-public",
            "context-ehr-patient",
            "context-standalone-patient",
            "context-banner",
            "sso-openid-connect",
            "permission-patient",
            "permission-user",
            "permission-v1",
            "permission-v2",
        ],
    }


def openid_configuration(base: str) -> JsonObject:
    """The same of who the user is, for `.well-known/openid-configuration`."""
    return {
        "issuer": base,
        "authorization_endpoint": authorize_address(base),
        "token_endpoint": token_address(base),
        "jwks_uri": f"{base}/auth/keys",
        "scopes_supported": ["launch", "launch/patient", "openid", "fhirUser", "patient/*.rs", "user/*.rs"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [_SIGNED_WITH],
    }
