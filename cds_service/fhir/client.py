"""GET requests to an EHR's FHIR server: the only outgoing call of this service (R-093 to R-098).

One pooled session for all calls, without cookies, proxies and redirects. Whatever a server does ends in a named
Hindrance and never in an exception that holds an address or a token.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from socket import SHUT_RDWR, socket
from time import monotonic, sleep
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from cds_service.domain.facts import Hindrance
from cds_service.fhir.json_document import NestedTooDeep, NotJson, read_json_document
from cds_service.fhir.json_shapes import JsonObject

_PIECE: Final = 64 * 1024
_ATTEMPTS: Final = 2
_PAUSE_SECONDS: Final = 0.1
_WORTH_ANOTHER_TRY: Final = frozenset({429, 502, 503, 504})
_REFUSED: Final = frozenset({401, 403})
_LIBRARY_FAULTS: Final = (requests.RequestException, HTTPError, OSError, ValueError)
_NOT_OFFERED: Final = frozenset({404, 405, 410, 501})
# As many servers as one service is likely to know, and the calls of many clinicians at once to each.
_SERVERS, _CONNECTIONS = 16, 64


class Hindered(Exception):
    """A query brought nothing that can be used. `retry_after`: seconds the server asks to wait, if it does."""

    def __init__(self, hindrance: Hindrance, *, is_passing: bool = False, retry_after: float | None = None) -> None:
        super().__init__(hindrance.value)
        self.hindrance = hindrance
        self.is_passing = is_passing
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment, on the clock that only runs forward, at which an answer has to go out."""

    at: float

    @classmethod
    def after(cls, seconds: float, since: float | None = None) -> Deadline:
        """So many seconds after `since`, a reading of the same clock, or after now."""
        return cls((monotonic() if since is None else since) + seconds)

    @property
    def remaining(self) -> float:
        """Seconds that are left; negative once it has passed."""
        return self.at - monotonic()


class Exchange:
    """One query under way, which another thread may cut off when its time is up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket | None = None
        self._is_cut = False

    def uses(self, connection: socket | None) -> None:
        """Remember the connection the answer will come from, or None once it has come."""
        with self._lock:
            self._socket = connection
            if self._is_cut:
                _shut(connection)

    def cut(self) -> None:
        """End the query: whoever waits for its answer finds the connection closed."""
        with self._lock:
            self._is_cut = True
            _shut(self._socket)

    @property
    def is_cut(self) -> bool:
        """Whether somebody gave this query up."""
        return self._is_cut


def _shut(connection: socket | None) -> None:
    if connection is not None:
        try:
            connection.shutdown(SHUT_RDWR)
        except OSError:
            return


_under_way = threading.local()


class _CuttableConnection(HTTPConnection):
    """A connection that tells the exchange of its thread which socket it waits on."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the library's own class
        """The answer's head; from here on somebody else may close the connection."""
        _tell_exchange(self.sock)
        return super().getresponse()


class _CuttableSecureConnection(HTTPSConnection):
    """The same over TLS."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the library's own class
        """The answer's head; from here on somebody else may close the connection."""
        _tell_exchange(self.sock)
        return super().getresponse()


def _tell_exchange(connection: Any) -> None:
    exchange: Exchange | None = getattr(_under_way, "exchange", None)
    if exchange is not None:
        exchange.uses(connection)


class _CuttablePool(HTTPConnectionPool):
    """Its connections may be cut off while a query uses them, and not once they are back for the next one."""

    ConnectionCls = _CuttableConnection

    def _put_conn(self, conn: Any) -> None:
        _tell_exchange(None)
        super()._put_conn(conn)


class _CuttableSecurePool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _CuttableSecureConnection

    def _put_conn(self, conn: Any) -> None:
        _tell_exchange(None)
        super()._put_conn(conn)


class _Adapter(HTTPAdapter):
    """An adapter whose connections can be cut off from outside."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools whose connections can be cut off."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _CuttablePool, "https": _CuttableSecurePool}


@dataclass(frozen=True, slots=True)
class FhirClient:
    """Reads JSON resources over HTTP. `largest_bytes` bounds one answer after decompression."""

    largest_bytes: int
    session: requests.Session = field(repr=False)

    @classmethod
    def pooled(cls, largest_bytes: int, trusted_certificates: str | None = None) -> FhirClient:
        """A client with one session; `trusted_certificates` is a file of certificate authorities, None: the usual."""
        # Its warnings name the address of a query, and that holds the id of a patient.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        session = requests.Session()
        session.trust_env = False
        session.verify = trusted_certificates or True
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(pool_connections=_SERVERS, pool_maxsize=_CONNECTIONS))
        return cls(largest_bytes, session)

    def get(self, url: str, token: str, deadline: Deadline, exchange: Exchange) -> tuple[JsonObject, int]:
        """The JSON object at an address, and its size in bytes; tried once more where the fault may pass.

        Raises Hindered.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._get_once(url, token, deadline, exchange)
            except Hindered as fault:
                pause = _PAUSE_SECONDS if fault.retry_after is None else fault.retry_after
                is_last = attempt == _ATTEMPTS or not fault.is_passing or exchange.is_cut
                if is_last or pause >= deadline.remaining:
                    raise
            sleep(pause)
        raise Hindered(Hindrance.UNREACHABLE)

    def _get_once(self, url: str, token: str, deadline: Deadline, exchange: Exchange) -> tuple[JsonObject, int]:
        if deadline.remaining <= 0 or exchange.is_cut:
            raise Hindered(Hindrance.TOO_LATE)
        try:
            with self._opened(url, token, deadline, exchange) as response:
                _refuse_status(response)
                written = self._body(response, deadline)
        except _LIBRARY_FAULTS as error:
            fault: Hindered | None = _named(error)
        else:
            fault = None
        if exchange.is_cut or deadline.remaining <= 0:
            raise Hindered(Hindrance.TOO_LATE)
        # Raised out here, so that it brings nothing of the library's own, whose texts hold addresses and headers.
        if fault is not None:
            raise fault
        return _object_in(written), len(written)

    @contextmanager
    def _opened(self, url: str, token: str, deadline: Deadline, exchange: Exchange) -> Iterator[requests.Response]:
        headers = {"Accept": "application/fhir+json, application/json", "Authorization": f"Bearer {token}"}
        _under_way.exchange = exchange
        try:
            response = self.session.get(
                url, headers=headers, stream=True, allow_redirects=False, timeout=deadline.remaining
            )
            with response:
                yield response
        finally:
            _under_way.exchange = None
            exchange.uses(None)

    def _body(self, response: requests.Response, deadline: Deadline) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > self.largest_bytes:
                raise Hindered(Hindrance.TOO_LARGE)
            if deadline.remaining <= 0:
                raise Hindered(Hindrance.TOO_LATE)
            pieces.append(piece)
        return b"".join(pieces)


def _named(error: Exception) -> Hindered:
    """What a library's exception means for the query."""
    if isinstance(error, requests.Timeout):
        return Hindered(Hindrance.TOO_LATE)
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        return Hindered(Hindrance.UNREADABLE)
    return Hindered(Hindrance.UNREACHABLE, is_passing=isinstance(error, requests.ConnectionError))


def _refuse_status(response: requests.Response) -> None:
    """Raise Hindered for every status but 200."""
    status = response.status_code
    if status == requests.codes.ok:
        return
    if status in _WORTH_ANOTHER_TRY:
        raise Hindered(Hindrance.SERVER_FAULT, is_passing=True, retry_after=_seconds_to_wait(response))
    if status in _REFUSED:
        raise Hindered(Hindrance.REFUSED)
    if status in _NOT_OFFERED:
        raise Hindered(Hindrance.NOT_OFFERED)
    if 300 <= status < 400:
        raise Hindered(Hindrance.ELSEWHERE)
    raise Hindered(Hindrance.NOT_UNDERSTOOD if 400 <= status < 500 else Hindrance.SERVER_FAULT)


def _seconds_to_wait(response: requests.Response) -> float | None:
    written = response.headers.get("Retry-After", "").strip()
    return float(written) if written.isdecimal() and len(written) < 6 else None


def _object_in(written: bytes) -> JsonObject:
    try:
        document = read_json_document(written)
    except (NotJson, NestedTooDeep):
        raise Hindered(Hindrance.UNREADABLE) from None
    if not isinstance(document, dict):
        raise Hindered(Hindrance.UNREADABLE)
    return document
