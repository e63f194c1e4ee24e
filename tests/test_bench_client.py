"""The client of the measurements counts every answer, and takes nothing but 200 for one. Nothing is timed."""

from __future__ import annotations

import socket
import sys
from itertools import repeat
from pathlib import Path

import pytest
from loopback_servers import http_answer, raw_server

sys.path.append(str(Path(__file__).resolve().parents[1]))

from bench.calls import PLACE, Call
from bench.client import closed_loop, open_loop
from bench.connection import WrongAnswer, ask

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POSTED = Call("posted", "/cds-services/one", f'{{"hookInstance":"{PLACE}"}}'.encode())


def good(connection: socket.socket, _: bytes) -> None:
    connection.sendall(http_answer(b'{"cards":[]}'))


def in_pieces(connection: socket.socket, _: bytes) -> None:
    for byte in http_answer(b"whole"):
        connection.sendall(bytes([byte]))


def refusing(connection: socket.socket, _: bytes) -> None:
    connection.sendall(http_answer(b"no", status="503 Service Unavailable"))


def ending(connection: socket.socket, _: bytes) -> None:
    connection.close()


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


@pytest.mark.parametrize("connections", [1, 4])
def test_both_loops_count_every_answer(connections: int) -> None:
    with raw_server(good) as address:
        closed = closed_loop(port_of(address), repeat(REQUEST), connections, 10)
        timed = open_loop(port_of(address), repeat(REQUEST), connections, 10, rate=1_000_000)
    assert len(closed.latencies) == len(timed.latencies) == 10
    assert closed.refused == timed.refused == 0
    assert closed.rate > 0


def test_an_answer_that_comes_in_pieces_is_put_together() -> None:
    with raw_server(in_pieces) as address:
        assert ask(port_of(address), REQUEST) == b"whole"


def test_nothing_is_measured_where_an_answer_is_no_200() -> None:
    with raw_server(refusing) as address, pytest.raises(WrongAnswer, match="503"):
        closed_loop(port_of(address), repeat(REQUEST), 1, 3)


def test_nothing_is_measured_where_a_connection_ends() -> None:
    with raw_server(ending) as address, pytest.raises(ConnectionError):
        closed_loop(port_of(address), repeat(REQUEST), 1, 3)


def test_beside_a_crowd_refusals_and_ended_connections_are_counted() -> None:
    with raw_server(refusing) as address:
        assert closed_loop(port_of(address), repeat(REQUEST), 2, 5, patience=60).refused == 5
    with raw_server(ending) as address:
        lost = closed_loop(port_of(address), repeat(REQUEST), 2, 5, patience=60)
    assert (lost.refused, lost.latencies) == (2, [])


def test_each_request_of_a_call_has_an_id_of_its_own_and_the_same_length() -> None:
    requests = POSTED.requests("", None)
    one, other = next(requests), next(requests)
    assert one != other
    assert len(one) == len(other)
    assert PLACE.encode() not in one
    assert f"Content-Length: {len(POSTED.body)}\r\n".encode() in one
    assert len(one.partition(b"\r\n\r\n")[2]) == len(POSTED.body)


def test_a_call_with_tokens_brings_each_once_and_ends_with_the_last() -> None:
    requests = list(POSTED.requests("/prefix", iter(["first", "second"])))
    assert [b"Bearer first\r\n" in requests[0], b"Bearer second\r\n" in requests[1]] == [True, True]
    assert len(requests) == 2
    assert requests[0].startswith(b"POST /prefix/cds-services/one HTTP/1.1\r\n")
