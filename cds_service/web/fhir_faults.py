"""Faults on purpose: what EHRs' FHIR servers do wrong, put over the demo's server one by one or together.

A fault takes a request and the server it spoils, and answers in the server's place. FAULTS lists them; `slow-MS`
stands beside the table. Written together with commas, each works on the answers of those before it; `:Type` behind
a fault limits it to requests for that type.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from threading import Lock
from time import sleep
from urllib.parse import urlencode

from cds_service.fhir.json_shapes import JsonObject, an_object, objects
from cds_service.web.fhir_search import FhirRefused, parameters_of
from cds_service.web.fhir_server import FhirAnswer, FhirRequest, Server, outcome, read_json, write_json
from cds_service.web.fhir_store import PAGE

Fault = Callable[[FhirRequest, Server], FhirAnswer]
OTHER_PATIENT = "synthetic-somebody-else"
HUGE_BYTES = 100_000_000
LONGEST_DELAY_MS = 10_000
_LONGEST_DRIP_S, _DRIP_PAUSE_S = 60, 0.05
_FILLER = "x" * 65_536
_MOST_ADDRESSES = 1000
_MOST_TOGETHER = 4
_NOT_IGNORED = frozenset({"patient", "subject", "_id", "_count", PAGE})
_SLOW = re.compile(r"slow-(\d{1,5})")
_PATIENT_REFERENCE = re.compile(rb'"reference":"(?:[^"]*/)?Patient/[^"]+"')
_WITH_RETRY_AFTER = (429, 503)


def with_faults(written: str, server: Server) -> Server:
    """The server with these faults, written like `slow-200,outcome:Observation`.

    Raises FhirRefused (404) where a fault or type is unknown, or there are more than four of them.
    """
    parts = written.split(",")
    if len(parts) > _MOST_TOGETHER:
        raise FhirRefused(404, "not-found", f"more faults than {_MOST_TOGETHER} at once; name fewer")
    for part in parts:
        name, _, resource_type = part.partition(":")
        if resource_type:
            parameters_of(resource_type)
        server = partial(_spoiled, _fault_named(name), resource_type, server)
    return server


def _spoiled(fault: Fault, resource_type: str, server: Server, request: FhirRequest) -> FhirAnswer:
    is_concerned = resource_type in ("", request.resource_type)
    return fault(request, server) if is_concerned else server(request)


def _fault_named(name: str) -> Fault:
    if name in FAULTS:
        return FAULTS[name]
    match = _SLOW.fullmatch(name)
    if match is None or int(match[1]) > LONGEST_DELAY_MS:
        known = ", ".join([*FAULTS, f"slow-MS (at most {LONGEST_DELAY_MS})"])
        raise FhirRefused(404, "not-found", f"no fault has this name; use one of {known}")
    return partial(_slow, int(match[1]) / 1000)


def _instead(make: Callable[[FhirRequest], FhirAnswer]) -> Fault:
    """Another answer in place of the right one, which is asked for all the same: it may take its time."""

    def fault(request: FhirRequest, server: Server) -> FhirAnswer:
        server(request)
        return make(request)

    return fault


def _on_document(change: Callable[[FhirRequest, JsonObject], object]) -> Fault:
    """The right answer with its resource or Bundle changed; refusals and other bodies stay as they are."""

    def fault(request: FhirRequest, server: Server) -> FhirAnswer:
        answer = server(request)
        document = answer.document
        if answer.content is not None or answer.status != 200 or not isinstance(document, dict):
            return answer
        return replace(answer, document=change(request, document))

    return fault


def _on_searchset(change: Callable[[FhirRequest, JsonObject], JsonObject]) -> Fault:
    """The right answer to a search changed; what is read by its id stays as it is."""
    return _on_document(lambda request, found: change(request, found) if found["resourceType"] == "Bundle" else found)


def _on_body(change: Callable[[bytes], bytes | Iterator[bytes]]) -> Fault:
    """The right answer with its bytes changed; a body that comes piece by piece stays as it is."""

    def fault(request: FhirRequest, server: Server) -> FhirAnswer:
        answer = server(request)
        body = answer.body
        return replace(answer, content=change(body)) if isinstance(body, bytes) else answer

    return fault


def _slow(seconds: float, request: FhirRequest, server: Server) -> FhirAnswer:
    sleep(seconds)
    return server(request)


def _status(status: int) -> Fault:
    headers = {"Retry-After": "1"} if status in _WITH_RETRY_AFTER else {}
    return _instead(lambda request: FhirAnswer(_an_error(), status, headers))


def _an_error() -> JsonObject:
    return outcome("exception", "this fault was asked for")


def _outcome_entry(request: FhirRequest) -> FhirAnswer:
    entry = {"resource": _an_error(), "search": {"mode": "outcome"}}
    return FhirAnswer({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [entry]})


def _wrong_type(request: FhirRequest) -> FhirAnswer:
    numbers = (1, 2)
    places = [{"resourceType": "Location", "id": f"synthetic-place-{n}", "status": "active"} for n in numbers]
    entries = [{"resource": place, "search": {"mode": "match"}} for place in places]
    return FhirAnswer({"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries})


def _html(request: FhirRequest) -> FhirAnswer:
    page = b"<!DOCTYPE html><html><body><h1>Service unavailable</h1></body></html>"
    return FhirAnswer(content=page, content_type="text/html; charset=utf-8")


def _redirect(request: FhirRequest) -> FhirAnswer:
    return FhirAnswer(status=302, headers={"Location": f"http://redirect.invalid/{request.path}"}, content=b"")


def _dripping(body: bytes) -> Iterator[bytes]:
    for number in body[: int(_LONGEST_DRIP_S / _DRIP_PAUSE_S)]:
        sleep(_DRIP_PAUSE_S)
        yield bytes([number])


def _endless(request: FhirRequest, server: Server) -> FhirAnswer:
    """Page after page, each the first match again under another id, and never the last one."""
    asked = [(name, value) for name, value in request.parameters if name != PAGE]
    page = next((value for name, value in request.parameters if name == PAGE), "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 10 else 1
    following = urlencode([*asked, (PAGE, str(number + 1))], safe="/:,")

    def one_of_many(_: FhirRequest, found: JsonObject) -> JsonObject:
        link = {"relation": "next", "url": f"{request.base}/{request.resource_type}?{following}"}
        shown = [_numbered(entry, number) for entry in islice(objects(found.get("entry")), 1)]
        bundle = {name: value for name, value in found.items() if name not in ("total", "entry")}
        return {**bundle, "link": [link], **({"entry": shown} if shown else {})}

    return _on_searchset(one_of_many)(replace(request, parameters=asked), server)


def _numbered(entry: JsonObject, number: int) -> JsonObject:
    resource = entry["resource"]
    return {**entry, "resource": {**resource, "id": f"{resource['id']}-{number}"}}


def _ignores_filters(request: FhirRequest, server: Server) -> FhirAnswer:
    """Everything about the patient, whatever else is asked: servers do so with parameters that they do not know."""
    kept = [(name, value) for name, value in request.parameters if name in _NOT_IGNORED]
    return server(replace(request, parameters=kept))


def _elsewhere(request: FhirRequest, found: JsonObject) -> JsonObject:
    links = [link for link in objects(found.get("link")) if link.get("relation") != "next"]
    away = {"relation": "next", "url": f"http://elsewhere.invalid/fhir/{request.resource_type}?{PAGE}=2"}
    return {**found, "link": [*links, away]}


def _no_next(request: FhirRequest, found: JsonObject) -> JsonObject:
    links = [link for link in objects(found.get("link")) if link.get("relation") != "next"]
    return {**found, "link": links, "total": max(found.get("total", 0), len(found.get("entry", [])) + 1)}


def _other_patient(request: FhirRequest, found: JsonObject) -> object:
    """Everything is about somebody else, and a Patient is somebody else."""
    reference = f'"reference":"Patient/{OTHER_PATIENT}"'.encode()
    changed = an_object(read_json(_PATIENT_REFERENCE.sub(reference, write_json(found))))
    for entry in objects(changed.get("entry")):
        entry["resource"] = _as_somebody_else(entry["resource"])
    return _as_somebody_else(changed)


def _as_somebody_else(resource: JsonObject) -> JsonObject:
    return {**resource, "id": OTHER_PATIENT} if resource["resourceType"] == "Patient" else resource


def _not_a_bundle(request: FhirRequest, found: JsonObject) -> object:
    return [entry["resource"] for entry in objects(found.get("entry"))] or [found]


def _huge(request: FhirRequest) -> FhirAnswer:
    return FhirAnswer(content=_huge_searchset())


def _compressed_bomb(request: FhirRequest) -> FhirAnswer:
    return FhirAnswer(content=_gzipped(_huge_searchset()), headers={"Content-Encoding": "gzip"})


def _huge_searchset() -> Iterator[bytes]:
    """A valid Bundle of HUGE_BYTES, of which only one entry is in memory."""
    resource = {"resourceType": "Basic", "id": "filler", "code": {"text": _FILLER}}
    entry = write_json({"resource": resource, "search": {"mode": "match"}})
    yield b'{"resourceType":"Bundle","type":"searchset","entry":[' + entry
    for _ in range(HUGE_BYTES // len(entry)):
        yield b"," + entry
    yield b"]}"


def _gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    gzip_format = 16 + zlib.MAX_WBITS
    packer = zlib.compressobj(wbits=gzip_format)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


class _AddressesInTurn:
    """The addresses whose next request is answered rightly; the oldest are forgotten beyond a thousand."""

    def __init__(self) -> None:
        self._refused: dict[str, None] = {}
        self._lock = Lock()

    def is_refused_now(self, address: str) -> bool:
        """Whether this request is to be refused: every first one is, and every second one is not."""
        with self._lock:
            if address in self._refused:
                del self._refused[address]
                return False
            self._refused[address] = None
            if len(self._refused) > _MOST_ADDRESSES:
                del self._refused[next(iter(self._refused))]
            return True


_in_turn = _AddressesInTurn()


def _once_503(request: FhirRequest, server: Server) -> FhirAnswer:
    address = f"{request.base}/{request.path}?{urlencode(request.parameters)}"
    return _status(503)(request, server) if _in_turn.is_refused_now(address) else server(request)


FAULTS: dict[str, Fault] = {
    **{f"status-{status}": _status(status) for status in (401, 403, 404, 429, 500, 503)},
    "once-503": _once_503,
    "outcome": _instead(lambda request: FhirAnswer(_an_error())),
    "outcome-in-bundle": _instead(_outcome_entry),
    "html": _instead(_html),
    "empty": _instead(lambda request: FhirAnswer(content=b"")),
    "redirect": _instead(_redirect),
    "wrong-type": _instead(_wrong_type),
    "not-a-bundle": _on_document(_not_a_bundle),
    "other-patient": _on_document(_other_patient),
    "elsewhere": _on_searchset(_elsewhere),
    "no-next": _on_searchset(_no_next),
    "ignores-filters": _ignores_filters,
    "endless": _endless,
    "truncated": _on_body(lambda body: body[: len(body) // 2]),
    "drip": _on_body(_dripping),
    "huge": _instead(_huge),
    "compressed-bomb": _instead(_compressed_bomb),
}
