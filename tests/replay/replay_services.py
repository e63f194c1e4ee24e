"""Services that are replayed against."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from socket import create_server
from typing import Any

from compose_fixtures import client_at
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

FIXTURE_NOW = "2026-03-02T09:00:00Z"


class Quiet(WSGIRequestHandler):
    """Says nothing of the requests it gets."""

    def log_request(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[tuple[str, Callable[[Flask], None]]]:
    """An address on this machine, and what makes an application answer there; it can be made when the address is known."""
    with ExitStack() as ending, create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve(app: Flask) -> None:
            server = make_server("127.0.0.1", port, app, request_handler=Quiet, fd=listening.fileno())
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            ending.callback(server.server_close)
            ending.callback(thread.join)
            ending.callback(server.shutdown)

        yield f"http://127.0.0.1:{port}", serve


def asks_for_the_clock(body: bytes) -> bool:
    """Whether this is the first call of a replay, with days that are in the future of any service."""
    return b'"2126-' in body


class ServiceInProcess:
    """The service at another moment or in another zone, called without a network."""

    base_url = "http://127.0.0.1:8000"

    def __init__(self, now: str = FIXTURE_NOW, zone: str = "UTC") -> None:
        self.client = client_at(now, CDS_TIMEZONE=zone)

    def call(self, service_id: str, body: bytes) -> tuple[int, Any]:
        """The status and body of its answer."""
        reply = self.client.post(f"/cds-services/{service_id}", data=body, content_type="application/json")
        return reply.status_code, reply.get_json()


class WithoutCards(ServiceInProcess):
    """It says its clock and nothing else."""

    def call(self, service_id: str, body: bytes) -> tuple[int, Any]:
        """No cards, but where the clock is asked for."""
        return super().call(service_id, body) if asks_for_the_clock(body) else (200, {"cards": []})


class PastMidnight(ServiceInProcess):
    """Its day ends after the first answer."""

    def __init__(self) -> None:
        super().__init__("2026-03-02T23:59:00Z")
        self.later = client_at("2026-03-03T00:00:00Z")

    def call(self, service_id: str, body: bytes) -> tuple[int, Any]:
        """The answer of that moment."""
        answer = super().call(service_id, body)
        self.client = self.later
        return answer
