"""The service behind a real server on this machine, and the fixtures it is replayed with."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from cds_service.content_folders import FHIR_FIXTURES
from cds_service.replay.left_out import LeftOut, load_left_out
from cds_service.replay.scenarios import Scenario, load_scenarios


class Quiet(WSGIRequestHandler):
    """Says nothing of the requests it gets."""

    def log_request(self, *_: object) -> None:
        pass


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The service at the fixtures' moment, on a port of this machine."""
    server = make_server("127.0.0.1", 0, app, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def every_scenario() -> tuple[Scenario, ...]:
    return load_scenarios(FHIR_FIXTURES)


@pytest.fixture(scope="session")
def every_reason() -> tuple[LeftOut, ...]:
    return load_left_out(FHIR_FIXTURES / "calendar.yaml")
