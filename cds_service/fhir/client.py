"""GET requests to an EHR's FHIR server (R-093 to R-098).

One pooled session for all calls, without cookies, proxies and redirects. Whatever a server does ends in a named
Hindrance and never in an exception that holds an address or a token.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Final

import requests

from cds_service.domain.facts import Hindrance
from cds_service.fhir.json_document import NestedTooDeep, NotJson, read_json_document
from cds_service.fhir.json_shapes import JsonObject
from cds_service.outbound import LIBRARY_FAULTS, AddressRefused, Destinations, Exchange, cuttable, outbound_session

_PIECE: Final = 64 * 1024
_ATTEMPTS: Final = 2
_PAUSE_SECONDS: Final = 0.1
_WORTH_ANOTHER_TRY: Final = frozenset({429, 502, 503, 504})
_REFUSED: Final = frozenset({401, 403})
_NOT_OFFERED: Final = frozenset({404, 405, 410, 501})


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


@dataclass(frozen=True, slots=True)
class FhirClient:
    """Reads JSON resources over HTTP. `largest_bytes` bounds one answer after decompression."""

    largest_bytes: int
    session: requests.Session = field(repr=False)

    @classmethod
    def pooled(
        cls,
        largest_bytes: int,
        trusted_certificates: str | None = None,
        destinations: Destinations | None = None,
    ) -> FhirClient:
        """A client with one session; without `destinations` every address may be asked."""
        return cls(largest_bytes, outbound_session(destinations, trusted_certificates))

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
        except LIBRARY_FAULTS as error:
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
        with cuttable(exchange):
            response = self.session.get(
                url, headers=headers, stream=True, allow_redirects=False, timeout=deadline.remaining
            )
            with response:
                yield response

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
    if isinstance(error, AddressRefused):
        return Hindered(Hindrance.SERVER_NOT_LISTED)
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
