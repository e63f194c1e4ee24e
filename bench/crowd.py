"""Other clients beside the load: connections that say nothing, and connections that say one byte a second."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from bench.calls import Call
from bench.client import Connection

NONE, IDLE, SLOW = "none", "60 idle", "60 slow"
CROWDS = (NONE, IDLE, SLOW)
CONNECTIONS = 60
_SECONDS_BETWEEN_BYTES = 1.0


@contextmanager
def crowd(kind: str, port: int, discovery: Call, posted: Call) -> Iterator[None]:
    """So many connections of this kind as long as this lasts.

    Idle ones have had an answer and keep the connection. Of the slow ones every second one is in the middle of its
    head, the others in the middle of their body; none of them is ever silent for long.
    """
    if kind == NONE:
        yield
    elif kind == IDLE:
        with _idle(port, discovery):
            yield
    else:
        with _slow(port, posted):
            yield


@contextmanager
def _idle(port: int, discovery: Call) -> Iterator[None]:
    connections = [Connection(port) for _ in range(CONNECTIONS)]
    requests = discovery.requests("", None)
    for connection in connections:
        connection.send(next(requests), 0.0)
        while not connection.receive():
            pass
    try:
        yield
    finally:
        for connection in connections:
            connection.close()


@contextmanager
def _slow(port: int, posted: Call) -> Iterator[None]:
    request = next(posted.requests("", None))
    body_at = len(request) - len(posted.body)
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    said = [1 if number % 2 else body_at for number in range(CONNECTIONS)]
    for each, length in zip(sockets, said, strict=True):
        each.sendall(request[:length])
    is_over = threading.Event()
    talking = threading.Thread(target=_talk, args=(sockets, said, request, is_over), daemon=True)
    talking.start()
    try:
        yield
    finally:
        is_over.set()
        talking.join()
        for each in sockets:
            each.close()


def _talk(sockets: list[socket.socket], said: list[int], request: bytes, is_over: threading.Event) -> None:
    """One byte on each connection, again and again; a connection that was ended by the server is left alone."""
    for number in count():
        if is_over.wait(_SECONDS_BETWEEN_BYTES):
            return
        for each, length in zip(sockets, said, strict=True):
            try:
                each.send(request[length + number : length + number + 1])
            except OSError:
                continue
