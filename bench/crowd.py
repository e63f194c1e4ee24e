"""Other clients beside the load: connections that say nothing, and connections that say one byte a second."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bench.calls import Call
from bench.connection import Connection

NONE, IDLE, SLOW_HEADS, SLOW_BODIES = "none", "60 idle", "60 slow in the head", "60 slow in the body"
CROWDS = (NONE, IDLE, SLOW_HEADS, SLOW_BODIES)
CONNECTIONS = 60
_SECONDS_BETWEEN_BYTES = 1.0


@contextmanager
def crowd(kind: str, port: int, discovery: Call, posted: Call) -> Iterator[None]:
    """So many connections of this kind as long as this lasts.

    Idle ones have had an answer and keep the connection. Slow ones say a byte a second and are never silent for long.
    """
    if kind == NONE:
        yield
    elif kind == IDLE:
        with _idle(port, discovery):
            yield
    else:
        request = next(posted.requests("", None))
        with _slow(port, request, 1 if kind == SLOW_HEADS else len(request) - len(posted.body)):
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
def _slow(port: int, request: bytes, said: int) -> Iterator[None]:
    """They have already said so much of the request."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for each in sockets:
        each.sendall(request[:said])
    is_over = threading.Event()
    talking = threading.Thread(target=_talk, args=(sockets, request[said:], is_over), daemon=True)
    talking.start()
    try:
        yield
    finally:
        is_over.set()
        talking.join()
        for each in sockets:
            each.close()


def _talk(sockets: list[socket.socket], left: bytes, is_over: threading.Event) -> None:
    """One byte on each connection, again and again; a connection that was ended by the server is left alone."""
    for byte in left:
        if is_over.wait(_SECONDS_BETWEEN_BYTES):
            return
        for each in sockets:
            with suppress(OSError):
                each.send(bytes([byte]))
