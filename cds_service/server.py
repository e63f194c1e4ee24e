"""The production server: gunicorn with threads, run from here and configured by nothing else (ADR 0025).

The application is made in each worker after the fork, so that threads, connections and counters belong to one process.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePath
from struct import pack
from time import sleep
from typing import Any, Final, NoReturn

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import ThreadWorker

from cds_service.errors import SettingsProblem
from cds_service.hooks.errors import outcome_of_status
from cds_service.hooks.json_body import write_json
from cds_service.operations import METRICS, RESOURCES
from cds_service.operations.garbage_collection import leave_what_stays
from cds_service.operations.interpreter_lines import route_interpreter_lines
from cds_service.operations.log import place_of
from cds_service.operations.metrics import SHARED_FOLDER, count_by_place

# A worker holds the whole rule set; threads are for calls that wait for an EHR's FHIR server.
_WORKERS, _THREADS = 2, 16
_MOST_WORKERS, _MOST_THREADS = 64, 256
# Calls under way get so long to end, and then what was opened so long to be closed, before the process is killed.
_SECONDS_FOR_CALLS, _SECONDS_FOR_CLOSING = 10, 5
# A worker whose main loop has not moved for so long is replaced; a slow call does not hold that loop up.
_SECONDS_WITHOUT_A_SIGN: Final = 30
# A worker that could not be made is made again after so long.
_SECONDS_BEFORE_ANOTHER_TRY: Final = 2
# How long a connection may bring nothing in the middle of a request, or take nothing of an answer.
_SECONDS_OF_SILENCE: Final = 10
# Longer than a proxy in front keeps its idle connections, so that it is never the service that closes one in use.
_KEEP_ALIVE: Final = 75
# One EHR sends tokens of 12 kB.
_LONGEST_HEADER: Final = 16_380
# The most gunicorn takes. The demo is a FHIR server too, and our own query for all tests has more than its default.
_LONGEST_REQUEST_LINE: Final = 8_190
_MEMORY_FOLDER: Final = Path("/dev/shm")
# Signals by which gunicorn reloads, grows or shrinks. A reload that fails would stop the service; a new process that
# fails stops nothing (docs/operations.md).
_NOT_TAKEN: Final = (signal.SIGHUP, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU)
_STATUS_OF_FAULT: Final = (
    (LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (ParseException, HTTPStatus.BAD_REQUEST),
)
# What gunicorn says of its processes that is worth a line of its own, by how its text begins: event, and its fields.
_WORTH_A_LINE: Final = {
    "Worker (pid:%s) was sent": ("worker_killed", ("pid", "signal")),
    "Worker (pid:%s) exited with code": ("worker_failed", ("pid", "code")),
    "WORKER TIMEOUT": ("worker_stuck", ("pid",)),
    "Handling signal": ("signal", ("signal",)),
}
log = structlog.get_logger("server")


@dataclass(frozen=True, slots=True)
class ServerSize:
    """How many processes answer, and how many calls each answers at once."""

    workers: int = _WORKERS
    threads: int = _THREADS


def server_size(environment: Mapping[str, str], *, is_state_shared: bool, is_production: bool) -> ServerSize:
    """The size that WEB_CONCURRENCY and WEB_THREADS ask for; one process where processes share no state.

    Raises SettingsProblem, which names the variable; in production also for several processes that would not know of
    each other which tokens were used.
    """
    workers = _number(environment, "WEB_CONCURRENCY", _WORKERS if is_state_shared else 1, _MOST_WORKERS)
    if is_production and workers > 1 and not is_state_shared:
        raise SettingsProblem(
            f"WEB_CONCURRENCY is {workers} and CDS_SHARED_STATE_URL memory://, which several processes do not share; "
            "use redis:// or one process"
        )
    return ServerSize(workers, _number(environment, "WEB_THREADS", _THREADS, _MOST_THREADS))


def _number(environment: Mapping[str, str], name: str, usual: int, most: int) -> int:
    written = environment.get(name) or str(usual)
    if not (written.isascii() and written.isdecimal() and 1 <= int(written) <= most):
        raise SettingsProblem(f"{name} is {written}; use a number from 1 to {most}")
    return int(written)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def run_server(make_app: Callable[[], Flask], listening: socket.socket, size: ServerSize) -> NoReturn:
    """Serve until SIGTERM, then let the calls under way end, close what was opened, and exit with 0; with 1 where it
    could not start.

    `make_app` is called in each worker process. `listening` is taken over.
    """
    route_interpreter_lines()
    shared = Path(tempfile.mkdtemp(prefix="cds-metrics-", dir=_memory_folder()))
    os.environ[SHARED_FOLDER] = str(shared)
    server = os.getpid()
    try:
        _Server(make_app, listening, size, shared).run()
    except SystemExit as end:
        # The workers, forked in there, end here too, with codes that tell gunicorn what became of them.
        if os.getpid() == server and end.code:
            sys.exit(1)
        raise
    sys.exit(0)


def _memory_folder() -> str | None:
    """A folder that is kept in memory, or None for the usual temporary one."""
    return str(_MEMORY_FOLDER) if os.access(_MEMORY_FOLDER, os.W_OK) else None


class _Server(BaseApplication):
    """gunicorn, configured here; no file, no environment variable and no argument adds to it."""

    def __init__(self, make_app: Callable[[], Flask], listening: socket.socket, size: ServerSize, shared: Path) -> None:
        self._make_app, self._listening, self._size, self._shared = make_app, listening, size, shared
        self.is_replacing = False
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        address = self._listening.getsockname()
        log.info("serving", host=address[0], port=address[1], workers=self._size.workers, threads=self._size.threads)
        for name, value in self._settings().items():
            self.cfg.set(name, value)

    def _settings(self) -> dict[str, Any]:
        return {
            "bind": f"fd://{self._listening.detach()}",
            "workers": self._size.workers,
            "threads": self._size.threads,
            "worker_class": Worker,
            "worker_tmp_dir": _memory_folder(),
            "timeout": _SECONDS_WITHOUT_A_SIGN,
            "graceful_timeout": _SECONDS_FOR_CALLS + _SECONDS_FOR_CLOSING,
            "keepalive": _KEEP_ALIVE,
            "limit_request_line": _LONGEST_REQUEST_LINE,
            "limit_request_field_size": _LONGEST_HEADER,
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
            "control_socket_disable": True,
            "logger_class": _ServerLog,
            "proc_name": "cds-service",
            "when_ready": lambda _server: _take_no_other_signals(),
            "pre_fork": _give_place,
            "post_fork": _begin_worker,
            "on_exit": lambda _server: shutil.rmtree(self._shared, ignore_errors=True),
        }

    def load(self) -> Any:
        """The application, in a worker process of its own.

        Where it cannot be made at the start, the server ends. Where it cannot be made for a worker that replaces
        another, say because the database is away, the others go on answering and it is tried again.
        """
        try:
            app = self._make_app()
        except Exception as error:
            if not self.is_replacing:
                raise
            log.error("worker_not_started", fault=type(error).__name__, where=place_of(error))
            sleep(_SECONDS_BEFORE_ANOTHER_TRY)
            sys.exit(1)
        app.wsgi_app = _with_plain_faults(app.wsgi_app)  # type: ignore[method-assign]
        app.extensions[METRICS].worker_started(self._size.threads)
        leave_what_stays()
        return app


def _with_plain_faults(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The same WSGI application, for which a body that breaks off in any way is an OSError, as it is for files."""

    def answer_plainly(environ: dict[str, Any], start_response: Any) -> Any:
        return answer(environ | {"wsgi.input": _Body(environ["wsgi.input"])}, start_response)

    return answer_plainly


@dataclass(frozen=True, slots=True)
class _Body:
    received: Any

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end. Raises OSError where they do not come, or not as HTTP wants them."""
        try:
            return bytes(self.received.read(size))
        except ParseException as error:
            raise OSError("the body is not as HTTP wants it") from error


def _take_no_other_signals() -> None:
    for number in _NOT_TAKEN:
        signal.signal(number, signal.SIG_IGN)


def _give_place(server: Any, worker: Any) -> None:
    """Give a worker the first place that no living one has."""
    taken = {other.place for other in server.WORKERS.values()}
    worker.place = next(place for place in range(1, len(taken) + 2) if place not in taken)


def _begin_worker(server: Any, worker: Any) -> None:
    """In the new process: its own counters, its own share of the time for ending, and whether it was there before."""
    server.app.is_replacing = worker.age > server.cfg.workers
    count_by_place(lambda: int(worker.place))
    worker.cfg.set("graceful_timeout", _SECONDS_FOR_CALLS)


class Worker(ThreadWorker):
    """gunicorn's threaded worker, which waits for no silent client and answers what is no HTTP in our own form."""

    place: int

    @property
    def extensions(self) -> dict[str, Any]:
        """Those of the application this worker runs."""
        application: Any = self.wsgi
        return dict(application.extensions)

    def init_process(self) -> None:
        """Load the application and answer calls. What ends this is named here; gunicorn would print what it says."""
        try:
            super().init_process()
        except Exception as error:
            log.error("worker_ended", fault=type(error).__name__, where=place_of(error))
            sys.exit(1 if self.booted else Arbiter.WORKER_BOOT_ERROR)

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to a thread, which its client cannot hold up by saying nothing."""
        silence = pack("ll", _SECONDS_OF_SILENCE, 0)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, silence)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, silence)
        super().enqueue_req(conn)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer a request that never reached the application, and repeat nothing of it."""
        known = (status for kind, status in _STATUS_OF_FAULT if isinstance(exc, kind))
        status = next(known, HTTPStatus.INTERNAL_SERVER_ERROR)
        self.extensions[METRICS].malformed(status.value)
        log.info("malformed_request", status=status.value, fault=type(exc).__name__)
        body = write_json(outcome_of_status(status.value, status.phrase.lower()))
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            client.sendall(head.encode() + body)
        except OSError:
            return

    def run(self) -> None:
        """Answer calls until told to stop, and close what was opened."""
        log.info("worker_started", worker=self.place)
        try:
            super().run()
        finally:
            self.extensions[RESOURCES].close()
            log.info("worker_stopped", worker=self.place)


class _ServerLog(Logger):
    """gunicorn's log as events of ours. Its texts may quote what a client sent, so none of them is written."""

    def setup(self, cfg: Any) -> None:
        """Open no file and no stream."""
        self.cfg = cfg

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """No access log: the audit line says more."""

    def critical(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Something that stops a worker."""
        _write("error", msg, args)

    def error(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """A fault."""
        _write("error", msg, args)

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """A fault with its exception at hand; one that means a client fell silent is none of ours."""
        if isinstance(sys.exc_info()[1], BlockingIOError):
            log.info("silent_client")
        else:
            _write("error", msg, args)

    def warning(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Something odd."""
        _write("warning", msg, args)

    def info(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """The course of things: only what is worth a line."""
        _write("info", msg, args)

    def debug(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing of it is written."""

    def log(self, lvl: Any, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing in gunicorn's threaded worker writes in this way."""


def _write(level: str, text: object, args: tuple[object, ...]) -> None:
    """The event for a line of gunicorn's: one we know, else which place in gunicorn it came from."""
    known = (named for beginning, named in _WORTH_A_LINE.items() if str(text).startswith(beginning))
    event, fields = next(known, ("library", ()))
    if event != "library":
        getattr(log, level)(event, **dict(zip(fields, args, strict=False)))
    elif level != "info":
        caller = sys._getframe(2)
        where = f"{PurePath(caller.f_code.co_filename).name}:{caller.f_lineno}"
        error = sys.exc_info()[1]
        named = {"fault": type(error).__name__} if error is not None else {}
        getattr(log, level)("library", library="gunicorn", where=where, **named)
