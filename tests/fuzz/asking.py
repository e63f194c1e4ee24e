"""Asks the service in process: no socket, one fixed day, everything it logs kept, and an alarm against hanging."""

from __future__ import annotations

import io
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import structlog
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from cds_service.app import create_app
from cds_service.config import load_settings

from .bases import Base

# Far beyond what any input needs: only a loop without an end reaches it.
SECONDS_UNTIL_A_HANG = 20
NOW = "2026-03-02T09:00:00Z"


class Hang(BaseException):
    """An input was not answered; no handler of the service catches this."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, media type, body, and all that was logged meanwhile. `fault`: what escaped, "" for nothing."""

    status: int
    media_type: str
    body: bytes
    log: str
    fault: str = ""


class Service:
    """The service in demo mode. `log` takes everything it writes."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        self.app: Flask = create_app(load_settings({"CDS_MODE": "demo", "CDS_NOW": NOW}))
        self.app.config["PROPAGATE_EXCEPTIONS"] = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take what is logged, at level debug, and put the logging back afterwards."""
        before = structlog.get_config()
        at_debug = structlog.make_filtering_bound_logger(logging.DEBUG)
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(self.log), wrapper_class=at_debug)
        try:
            yield
        finally:
            structlog.configure(**before)

    def ask(self, request: Base) -> Reply:
        """The answer to a request. A hang or an exception is an answer too, with a fault."""
        self.log.seek(0)
        self.log.truncate()
        fault, status, media_type, body = "", 0, "", b""
        try:
            with _alarm():
                status, media_type, body = self._open(request)
        except Hang:
            fault = "hang"
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        return Reply(status, media_type, body, self.log.getvalue(), fault)

    def _open(self, request: Base) -> tuple[int, str, bytes]:
        path, _, query = request.path.partition("?")
        builder = EnvironBuilder(
            path="/", method=request.method, query_string=query.partition("#")[0], data=request.body
        )
        environ = builder.get_environ()
        builder.close()
        environ["PATH_INFO"] = path.encode().decode("latin-1")
        environ.pop("CONTENT_TYPE", None)
        for name, value in request.headers.items():
            variable = name.upper().replace("-", "_")
            environ[variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"] = value
        answered, told, headers = run_wsgi_app(self.app, environ, buffered=True)
        return int(told.partition(" ")[0]), headers.get("Content-Type", ""), b"".join(answered)


@contextmanager
def _alarm() -> Iterator[None]:
    def hang(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    before: Any = signal.signal(signal.SIGALRM, hang)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_UNTIL_A_HANG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
