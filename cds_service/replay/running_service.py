"""A service somewhere, as its clients see it: one address, one token, one call at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests

from cds_service.errors import BadRequest, NoUsableAnswer, SettingsProblem
from cds_service.hooks.json_body import read_json_object
from cds_service.replay.answers import Json

_SECONDS = 30
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
    """A service at an address. The token, if there is one, is sent with every call and never shown."""

    base_url: str
    token: str = field(default="", repr=False)
    session: requests.Session = field(default_factory=requests.Session)

    @classmethod
    def at(cls, written: str, token: str = "") -> RunningService:
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
        return cls(written.rstrip("/"), token)

    def call(self, service_id: str, body: bytes) -> tuple[int, Json | None]:
        """The status and the JSON object of the answer to one hook call, None where it is none.

        Redirects are not followed. Raises NoUsableAnswer where there is no answer at all.
        """
        url = f"{self.base_url}/cds-services/{service_id}"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            reply = self.session.post(
                url, data=body, headers=headers, auth=self._sign, timeout=_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise NoUsableAnswer(f"{self.base_url}: {_reason(error)}") from error
        try:
            return reply.status_code, read_json_object(reply.content)
        except BadRequest:
            return reply.status_code, None

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token. Given as `auth`, so that no .netrc of this machine is asked for another one."""
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


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
