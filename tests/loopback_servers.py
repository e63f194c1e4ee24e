"""Small HTTP servers on loopback that answer as a test tells them, also in ways no web framework would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kept_run import keep_body

Answer = Callable[[socket.socket, bytes], None]


@contextmanager
def raw_server(answer: Answer) -> Iterator[str]:
    """A server that hands every connection with its request to `answer`; gives its address, stops at the end."""
    listening = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=_attend, args=(connection, answer), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        is_over.set()
        listening.close()


def _attend(connection: socket.socket, answer: Answer) -> None:
    with connection:
        try:
            while head := _request_head(connection):
                answer(connection, head)
        except OSError:
            return


def _request_head(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
    return received


def http_answer(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    """A whole HTTP answer; `length` is the length it claims, the true one unless told otherwise."""
    keep_body(body)
    claimed = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/fhir+json\r\nContent-Length: {claimed}\r\n{headers}\r\n"
    return head.encode() + body
