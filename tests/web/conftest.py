"""The demo behind its real web server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from waitress import wasyncore
from waitress.server import create_server


@contextmanager
def served(app: Flask, threads: int) -> Iterator[str]:
    """The application's address on a port of this machine, without a final slash, as long as it is served."""
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=threads)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            wasyncore.loop(timeout=0.02, map=sockets, count=1)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    stop.set()
    thread.join()
    server.task_dispatcher.shutdown()
    for channel in list(sockets.values()):
        channel.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The demo's address on a port of this machine, without a final slash."""
    with served(app, threads=4) as address:
        yield address


@pytest.fixture(scope="module")
def ehr(app: Flask) -> Iterator[str]:
    """The address of an EHR's FHIR server: the demo's, with a thread for each of many questions at once."""
    with served(app, threads=64) as address:
        yield address
