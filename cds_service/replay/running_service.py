"""A service somewhere, as its clients see it: one address, a token where it asks for one, one call at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests

from cds_service.errors import BadRequest, NoUsableAnswer, SettingsProblem
from cds_service.hooks.json_body import read_json_object
from cds_service.replay.answers import Json
from cds_service.replay.signed_tokens import TokenSigner

_SECONDS = 30
_REFUSED = (401, 403)
_CORRELATION_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
# Everything that a token of any kind consists of, and nothing that could end a header (RFC 6750).
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


def read_token(path: Path) -> str:
    """The token in a file. Raises SettingsProblem where there is none; the message does not show it."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsProblem(f"{path}: cannot be read ({error.strerror}); name a file with a token") from error
    except UnicodeDecodeError as error:
        raise SettingsProblem(f"{path}: holds no token; write one token and nothing else") from error
    if not _TOKEN.fullmatch(token):
        raise SettingsProblem(f"{path}: holds no token; write one token and nothing else")
    return token


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service at an address. Each call brings a token that `signer` signs for it, or `token`; none is ever shown."""

    base_url: str
    token: str = field(default="", repr=False)
    signer: TokenSigner | None = None
    session: requests.Session = field(default_factory=requests.Session)

    @classmethod
    def at(cls, written: str, token: str = "", signer: TokenSigner | None = None) -> RunningService:
        """The service at an address as a person writes it. Raises SettingsProblem for what is no such address."""
        try:
            address = urlsplit(written)
            has_host = bool(address.hostname) and address.port != 0
        except ValueError:
            has_host = False
        if not has_host or address.scheme not in ("http", "https") or address.query or address.fragment:
            raise SettingsProblem("BASE_URL is no address of a service; write it like http://127.0.0.1:8000")
        if "@" in address.netloc:
            raise SettingsProblem("BASE_URL holds a user or password; leave them out, a token goes into --token-file")
        return cls(written.rstrip("/"), token, signer)

    def call(self, service_id: str, body: bytes) -> tuple[int, Json | None]:
        """The status and the JSON object of the answer to one hook call, None where it is none.

        Redirects are not followed. Raises NoUsableAnswer where there is no answer at all, or nobody is let in.
        """
        url = f"{self.base_url}/cds-services/{service_id}"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        token = self.signer.token_for(url) if self.signer else self.token
        try:
            reply = self.session.post(
                url, data=body, headers=headers, auth=partial(_sign, token), timeout=_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise NoUsableAnswer(f"{self.base_url}: {_reason(error)}") from error
        if reply.status_code in _REFUSED:
            raise NoUsableAnswer(f"{url} answers {status_in_words(reply.status_code)}{_named(reply)}; {self._remedy}")
        try:
            return reply.status_code, read_json_object(reply.content)
        except BadRequest:
            return reply.status_code, None

    @property
    def _remedy(self) -> str:
        """What to do where the service lets nobody in."""
        if self.signer:
            return (
                "its log says why; --issuer, key and --key-id have to be those of its clients file, and BASE_URL its "
                "public address"
            )
        if self.token:
            return (
                "the token of --token-file is sent with every call and has to be accepted until the end; where each "
                "token is taken once, give --key-file"
            )
        return "give a token that is accepted with --token-file, or a key to sign one for each call with --key-file"


def _sign(token: str, request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add the token. Given as `auth`, so that no .netrc of this machine is asked for another one."""
    if token:
        request.headers["Authorization"] = f"Bearer {token}"
    return request


def _named(reply: requests.Response) -> str:
    """The id under which the service has logged its answer, if it tells one."""
    told = reply.headers.get("X-Correlation-Id", "")
    return f" (X-Correlation-Id {told})" if _CORRELATION_ID.fullmatch(told) else ""


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return f"no answer within {_SECONDS} seconds"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted here"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached, or broke off the connection; is the service running there?"
    return f"no usable answer ({type(error).__name__})"


def status_in_words(status: int) -> str:
    """A status with its standard name."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
