"""One keep-alive connection of the client. Nothing of an answer is parsed but its status and its length."""

from __future__ import annotations

import socket
from time import perf_counter

PATIENCE = 120
_END_OF_HEAD = b"\r\n\r\n"
_CHUNK = 1 << 18


class WrongAnswer(Exception):
    """An answer that is no 200, or not what the subject has to say; one line that says what came."""


class Connection:
    """A connection that has at most one request under way. Raises OSError where the server ends it."""

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
        """Take what has come; whether the answer is whole."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self._received += chunk
        if self._length < 0:
            end = self._received.find(_END_OF_HEAD)
            if end < 0:
                return False
            self._length = end + len(_END_OF_HEAD) + _content_length(bytes(self._received[:end]))
        return len(self._received) >= self._length

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self._received[9:12])

    def require_ok(self) -> None:
        """Raise WrongAnswer where the answer is no 200."""
        if self.status != 200:
            raise WrongAnswer(f"status {self.status}: {self.body[:200]!r}")

    @property
    def body(self) -> bytes:
        """The body of the answer."""
        return bytes(self._received).partition(_END_OF_HEAD)[2]

    def close(self) -> None:
        """End it."""
        self.socket.close()


def ask(port: int, request: bytes) -> bytes:
    """The body of the answer to one request on a connection of its own. Raises WrongAnswer and OSError."""
    connection = Connection(port)
    try:
        connection.send(request, perf_counter())
        while not connection.receive():
            pass
        connection.require_ok()
        return connection.body
    finally:
        connection.close()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise WrongAnswer(f"an answer without Content-Length: {head[:60]!r}")
