"""The one outgoing call: whatever a FHIR server does ends in a named hindrance, in time, and tells nobody the token."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import traceback
from collections.abc import Iterator

import pytest
import requests
import responses
from loopback_servers import http_answer, raw_server

from cds_service.domain.facts import Hindrance
from cds_service.fhir.client import Deadline, Exchange, FhirClient, Hindered

TOKEN = "secret-token-of-this-test"
SERVER = "https://ehr.example.org/fhir"
URL = f"{SERVER}/Patient/123"
PATIENT = b'{"resourceType":"Patient","id":"123"}'
LARGEST = 1000


@pytest.fixture
def client() -> Iterator[FhirClient]:
    client = FhirClient.pooled(LARGEST)
    yield client
    client.session.close()


def ask(client: FhirClient, url: str = URL, seconds: float = 5) -> tuple[dict[str, object], int]:
    return client.get(url, TOKEN, Deadline.after(seconds), Exchange())


def hindrance(client: FhirClient, url: str = URL, seconds: float = 5) -> Hindrance:
    with pytest.raises(Hindered) as hindered:
        ask(client, url, seconds)
    written = "".join(traceback.format_exception(hindered.value))
    assert TOKEN not in written
    assert "example.org" not in written
    return hindered.value.hindrance


@pytest.mark.spec("R-094")
def test_every_question_carries_the_token_and_asks_for_fhir_json(
    client: FhirClient, ehr: responses.RequestsMock
) -> None:
    ehr.get(URL, body=PATIENT)
    assert ask(client) == ({"resourceType": "Patient", "id": "123"}, len(PATIENT))
    sent = ehr.calls[0].request.headers
    assert sent["Authorization"] == f"Bearer {TOKEN}"
    assert sent["Accept"].startswith("application/fhir+json")


STATUSES = [
    (301, Hindrance.ELSEWHERE, 1),
    (302, Hindrance.ELSEWHERE, 1),
    (307, Hindrance.ELSEWHERE, 1),
    (400, Hindrance.NOT_UNDERSTOOD, 1),
    (401, Hindrance.REFUSED, 1),
    (403, Hindrance.REFUSED, 1),
    (404, Hindrance.NOT_OFFERED, 1),
    (406, Hindrance.NOT_UNDERSTOOD, 1),
    (410, Hindrance.NOT_OFFERED, 1),
    (429, Hindrance.SERVER_FAULT, 2),
    (500, Hindrance.SERVER_FAULT, 1),
    (501, Hindrance.NOT_OFFERED, 1),
    (502, Hindrance.SERVER_FAULT, 2),
    (503, Hindrance.SERVER_FAULT, 2),
    (504, Hindrance.SERVER_FAULT, 2),
]


@pytest.mark.parametrize(("status", "expected", "times"), STATUSES)
def test_a_status_other_than_200_is_a_hindrance_and_is_asked_again_only_where_it_may_pass(
    client: FhirClient, ehr: responses.RequestsMock, status: int, expected: Hindrance, times: int
) -> None:
    ehr.get(URL, status=status, body=PATIENT, headers={"Location": "https://elsewhere.example.org/Patient/123"})
    assert hindrance(client) is expected
    assert len(ehr.calls) == times


def test_a_fault_that_passes_costs_nothing_but_a_second_question(
    client: FhirClient, ehr: responses.RequestsMock
) -> None:
    ehr.get(URL, status=503)
    ehr.get(URL, body=PATIENT)
    assert ask(client)[0]["id"] == "123"


def test_a_broken_connection_is_tried_once_more(client: FhirClient, ehr: responses.RequestsMock) -> None:
    ehr.get(URL, body=requests.ConnectionError(f"reset while sending Bearer {TOKEN} to example.org"))
    ehr.get(URL, body=PATIENT)
    assert ask(client)[0]["id"] == "123"


def test_a_server_that_cannot_be_reached_is_named_so(client: FhirClient, ehr: responses.RequestsMock) -> None:
    ehr.get(URL, body=requests.ConnectionError(f"reset while sending Bearer {TOKEN} to example.org"))
    assert hindrance(client) is Hindrance.UNREACHABLE


def test_nobody_waits_longer_for_a_second_try_than_there_is_time(
    client: FhirClient, ehr: responses.RequestsMock
) -> None:
    ehr.get(URL, status=503, headers={"Retry-After": "30"})
    assert hindrance(client, seconds=2) is Hindrance.SERVER_FAULT
    assert len(ehr.calls) == 1


def test_without_time_left_nothing_is_asked(client: FhirClient, ehr: responses.RequestsMock) -> None:
    ehr.get(URL, body=PATIENT)
    assert hindrance(client, seconds=0) is Hindrance.TOO_LATE
    assert not ehr.calls


UNREADABLE = {
    "a web page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "JSON that breaks off": PATIENT[:-5],
    "nothing at all": b"",
    "an array": b"[" + PATIENT + b"]",
    "a number": b"7",
    "NaN": b'{"resourceType":"Patient","id":NaN}',
    "nesting without end": b'{"a":' * 150 + b"1" + b"}" * 150,
    "bytes that are no text": b'{"id":"\xff\xfe"}',
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_is_no_json_object_is_unreadable(client: FhirClient, ehr: responses.RequestsMock, what: str) -> None:
    ehr.get(URL, body=UNREADABLE[what])
    assert hindrance(client) is Hindrance.UNREADABLE


@pytest.mark.parametrize(("surplus", "is_read"), [(-1, True), (0, True), (1, False)])
def test_an_answer_may_be_as_large_as_allowed_and_no_larger(
    client: FhirClient, ehr: responses.RequestsMock, surplus: int, is_read: bool
) -> None:
    body = b'{"a":"' + b"x" * (LARGEST + surplus - 8) + b'"}'
    assert len(body) == LARGEST + surplus
    ehr.get(URL, body=body)
    if is_read:
        assert ask(client)[1] == len(body)
    else:
        assert hindrance(client) is Hindrance.TOO_LARGE


def test_a_small_answer_that_unpacks_to_a_large_one_is_too_large(client: FhirClient) -> None:
    packed = gzip.compress(b'{"a":"' + b"x" * 5_000_000 + b'"}')
    with raw_server(lambda to, _: to.sendall(http_answer(packed, headers="Content-Encoding: gzip\r\n"))) as address:
        assert hindrance(client, address) is Hindrance.TOO_LARGE


def test_a_packed_answer_is_read(client: FhirClient) -> None:
    packed = gzip.compress(PATIENT)
    with raw_server(lambda to, _: to.sendall(http_answer(packed, headers="Content-Encoding: gzip\r\n"))) as address:
        assert ask(client, address)[0]["id"] == "123"


def test_an_answer_shorter_than_it_says_is_unreadable(client: FhirClient) -> None:
    def cut_short(to: socket.socket, _: bytes) -> None:
        to.sendall(http_answer(PATIENT, length=len(PATIENT) + 1))
        to.close()

    with raw_server(cut_short) as address:
        assert hindrance(client, address) is Hindrance.UNREADABLE


def drip(what: bytes) -> object:
    """An answer sent byte by byte, faster than any pause a reader would notice, and without an end."""

    def answer(to: socket.socket, _: bytes) -> None:
        to.sendall(what)
        while True:
            to.sendall(b" ")
            time.sleep(0.01)

    return answer


DRIPS = {
    "in its body": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
    "in its headers": b"HTTP/1.1 200 OK\r\nX-Slow:",
    "in a chunk's length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1",
}


@pytest.mark.parametrize("where", DRIPS)
def test_a_slow_drip_ends_when_it_is_cut(client: FhirClient, where: str) -> None:
    exchange = Exchange()
    ended: list[Hindrance] = []

    def run(address: str) -> None:
        try:
            client.get(address, TOKEN, Deadline.after(0.3), exchange)
        except Hindered as fault:
            ended.append(fault.hindrance)

    with raw_server(drip(DRIPS[where])) as address:  # type: ignore[arg-type]
        asking = threading.Thread(target=run, args=(address,))
        asking.start()
        time.sleep(0.3)
        exchange.cut()
        asking.join(5)
    assert not asking.is_alive()
    assert ended == [Hindrance.TOO_LATE]


def test_a_connection_that_is_made_after_its_query_was_given_up_is_closed_at_once() -> None:
    exchange, (ours, theirs) = Exchange(), socket.socketpair()
    with ours, theirs:
        exchange.cut()
        exchange.uses(ours)
        theirs.settimeout(5)
        assert theirs.recv(1) == b""


def test_a_server_that_says_nothing_is_too_late(client: FhirClient) -> None:
    with raw_server(lambda to, _: time.sleep(2)) as address:
        assert hindrance(client, address, seconds=0.2) is Hindrance.TOO_LATE


def test_what_was_cut_before_it_began_is_not_asked(client: FhirClient, ehr: responses.RequestsMock) -> None:
    exchange = Exchange()
    exchange.cut()
    with pytest.raises(Hindered) as hindered:
        client.get(URL, TOKEN, Deadline.after(5), exchange)
    assert hindered.value.hindrance is Hindrance.TOO_LATE
    assert not ehr.calls


def test_a_query_given_up_after_its_answer_came_cuts_off_no_other_query(
    client: FhirClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last byte of an answer and its end the connection may already serve somebody else."""
    connections: set[int] = set()
    first, read_body = Exchange(), FhirClient._body

    def read_and_give_up(self: FhirClient, response: requests.Response, deadline: Deadline) -> bytes:
        written = read_body(self, response, deadline)
        first.cut()
        return written

    def answer(to: socket.socket, _: bytes) -> None:
        connections.add(id(to))
        to.sendall(http_answer(PATIENT))

    monkeypatch.setattr(FhirClient, "_body", read_and_give_up)
    with raw_server(answer) as address:
        with pytest.raises(Hindered):
            client.get(address, TOKEN, Deadline.after(5), first)
        ask(client, address)
    assert len(connections) == 1


def test_a_malformed_answer_puts_no_address_into_the_log(client: FhirClient, caplog: pytest.LogCaptureFixture) -> None:
    """The library warns of such headers and names the address, which holds the patient's id."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nno header at all\r\n\r\n" % len(PATIENT)
    with raw_server(lambda to, _: to.sendall(head + PATIENT)) as address:
        ask(client, f"{address}/Patient/123")
    assert not caplog.records


def test_a_redirect_is_not_followed_and_the_token_stays_here(client: FhirClient) -> None:
    seen: list[bytes] = []
    with raw_server(lambda to, head: (seen.append(head), to.sendall(http_answer(PATIENT)))[1]) as elsewhere:  # type: ignore[func-returns-value]
        moved = http_answer(b"", status="302 Found", headers=f"Location: {elsewhere}/\r\n")
        with raw_server(lambda to, _: to.sendall(moved)) as address:
            assert hindrance(client, address) is Hindrance.ELSEWHERE
    assert not seen


def test_a_cookie_of_one_answer_goes_into_no_other_question(client: FhirClient) -> None:
    seen: list[bytes] = []

    def answer(to: socket.socket, head: bytes) -> None:
        seen.append(head)
        to.sendall(http_answer(PATIENT, headers="Set-Cookie: session=of-another-clinician\r\n"))

    with raw_server(answer) as address:
        ask(client, address)
        ask(client, address)
    assert len(seen) == 2
    assert b"of-another-clinician" not in seen[1]


def test_connections_are_kept_for_the_next_question(client: FhirClient) -> None:
    connections: set[int] = set()
    with raw_server(lambda to, _: (connections.add(id(to)), to.sendall(http_answer(PATIENT)))[1]) as address:  # type: ignore[func-returns-value]
        for _ in range(5):
            ask(client, address)
    assert len(connections) == 1


def test_proxies_and_passwords_of_this_machine_are_not_used(
    client: FhirClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", "/nowhere")
    with raw_server(lambda to, _: to.sendall(http_answer(PATIENT))) as address:
        assert ask(client, address)[0]["id"] == "123"


def test_numbers_keep_every_digit(client: FhirClient, ehr: responses.RequestsMock) -> None:
    ehr.get(URL, body=b'{"value":3.10}')
    assert str(ask(client)[0]["value"]) == "3.10"
