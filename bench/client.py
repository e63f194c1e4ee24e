"""The client: one process, keep-alive connections, requests made beforehand, nothing parsed but the end of an answer.

Closed loop: each connection sends its next request when it has its answer; this gives the most that a server does. Open
loop: requests leave by a timetable, whatever the server does, and a latency counts from the moment in the timetable, so
that waiting in line is counted.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter

END_OF_HEAD = b"\r\n\r\n"
# A selector wakes up to a millisecond late; so long before a departure the client waits awake, on a core of its own.
_AWAKE = 0.002
_CHUNK = 1 << 18
PATIENCE = 120


class WrongAnswer(Exception):
    """An answer that is no 200; one line that says what came."""


@dataclass(slots=True)
class Load:
    """What a load saw: how long it took, the latency of each answer in seconds, and how many never came."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    unanswered: int = 0
    refused: int = 0

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


class Connection:
    """One keep-alive connection that has at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.since = 0.0
        self._received = bytearray()
        self._length = -1

    def send(self, request: bytes, since: float) -> None:
        """Send a request whose latency counts from `since`."""
        self.since, self._length = since, -1
        self._received.clear()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; whether the answer is whole. Raises OSError where the connection ended."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self._received += chunk
        if self._length < 0:
            end = self._received.find(END_OF_HEAD)
            if end < 0:
                return False
            self._length = end + len(END_OF_HEAD) + _content_length(bytes(self._received[:end]))
        return len(self._received) >= self._length

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self._received[9:12])

    @property
    def body(self) -> bytes:
        """The body of the answer."""
        return bytes(self._received).partition(END_OF_HEAD)[2]

    def close(self) -> None:
        """End it."""
        self.socket.close()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise WrongAnswer(f"an answer without Content-Length: {head[:60]!r}")


def ask(port: int, request: bytes) -> bytes:
    """The body of the answer to one request on a connection of its own. Raises WrongAnswer and OSError."""
    connection = Connection(port)
    try:
        connection.send(request, perf_counter())
        while not connection.receive():
            pass
        _require_ok(connection)
        return connection.body
    finally:
        connection.close()


def _require_ok(connection: Connection) -> None:
    if connection.status != 200:
        raise WrongAnswer(f"status {connection.status}: {connection.body[:200]!r}")


def closed_loop(
    port: int, requests: Iterator[bytes], connections: int, number: int, patience: float | None = None
) -> Load:
    """Send so many requests, as fast as the answers come, over so many connections. Raises WrongAnswer.

    With `patience` it ends after so many seconds whatever has not come, and counts other answers as refused.
    """
    return _run(port, requests, connections, number, lambda _: 0.0, patience or PATIENCE, is_strict=patience is None)


def open_loop(
    port: int, requests: Iterator[bytes], connections: int, number: int, rate: float, patience: float | None = None
) -> Load:
    """Send so many requests by a timetable of `rate` a second, over so many connections. Raises WrongAnswer.

    `patience` as for a closed loop.
    """
    return _run(
        port, requests, connections, number, lambda sent: sent / rate, patience or PATIENCE, is_strict=patience is None
    )


def _run(
    port: int,
    requests: Iterator[bytes],
    connections: int,
    number: int,
    departure: Callable[[int], float],
    patience: float,
    *,
    is_strict: bool,
) -> Load:
    """The loop of both: a departure that is due leaves as soon as a connection is free."""
    load, free, under_way, sent = Load(), [Connection(port) for _ in range(connections)], 0, 0
    opened = list(free)
    is_timed = departure(1) > 0
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        begun = perf_counter()
        while sent < number or under_way:
            now = perf_counter()
            if now - begun > patience or not (free or under_way):
                break
            while free and sent < number and begun + departure(sent) <= now:
                request = next(requests)
                since = begun + departure(sent) if is_timed else perf_counter()
                connection, sent = free.pop(), sent + 1
                try:
                    connection.send(request, since)
                except OSError:
                    if is_strict:
                        raise
                    selector.unregister(connection.socket)
                    load.refused += 1
                else:
                    under_way += 1
            until = begun + departure(sent) - perf_counter() - _AWAKE if free and sent < number else 1.0
            for key, _ in selector.select(min(1.0, until) if until > 0 else 0):
                connection = key.data
                try:
                    is_whole = connection.receive()
                except OSError:
                    if is_strict:
                        raise
                    selector.unregister(connection.socket)
                    load.refused, under_way = load.refused + 1, under_way - 1
                    continue
                if is_whole:
                    under_way -= 1
                    free.append(connection)
                    _count(load, connection, is_strict)
        load.seconds = perf_counter() - begun
    load.unanswered = number - len(load.latencies) - load.refused
    for connection in opened:
        connection.close()
    return load


def _count(load: Load, connection: Connection, is_strict: bool) -> None:
    if connection.status == 200:
        load.latencies.append(perf_counter() - connection.since)
    elif is_strict:
        _require_ok(connection)
    else:
        load.refused += 1
