"""Structured logs: one JSON line for each event on standard error, with listed fields only and a correlation id."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, MutableMapping
from pathlib import PurePath
from typing import Any, Final, TextIO, cast
from uuid import uuid4

import structlog
from structlog.typing import EventDict, WrappedLogger

from cds_service.operations.log_fields import FIELDS

_UNNAMED: Final = "unnamed"
# An audit line is written at every log level: it is a record, and no message to whoever reads the log.
_EVERYTHING: Final = structlog.make_filtering_bound_logger(logging.NOTSET)
audit_log: Final = structlog.wrap_logger(None, wrapper_class=_EVERYTHING)
log = structlog.get_logger("operations")


def set_up_logging(level: str, on_dropped: Callable[[int], None] = lambda fields: None) -> None:
    """Write events of this level and above; the lines of libraries become events of ours without their text.

    `on_dropped` is told how many fields of a line were not written; of a line that could not be written at all, one.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_fault,
            _ListedOnly(on_dropped),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Forgiving(sys.stderr, lambda: on_dropped(1)))),
        cache_logger_on_first_use=False,
    )
    _route_libraries()


def begin_correlation() -> str:
    """Give this call a new id, which stands on each of its lines from here on, and return it.

    An id of the caller's is never taken over: it could be anything, also a patient's number.
    """
    structlog.contextvars.clear_contextvars()
    correlation_id = uuid4().hex
    structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
    return correlation_id


def end_correlation() -> None:
    """Let what this thread does next stand under no id."""
    structlog.contextvars.clear_contextvars()


def correlation_id() -> str:
    """The id of the call this thread is answering, "" outside of one."""
    return str(structlog.contextvars.get_contextvars().get("correlation_id", ""))


def place_of(error: BaseException) -> str:
    """Where in the code an exception arose, as `file:line`; never what it says, which may quote what was read."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown:0"


class _Forgiving:
    """A stream on which what cannot be written, say on a full disk, is lost and told; no call fails for it."""

    def __init__(self, stream: TextIO, on_lost: Callable[[], None]) -> None:
        self._stream = stream
        self._on_lost = on_lost

    def write(self, text: str) -> None:
        """Write it, if that can be done."""
        self._try(lambda: self._stream.write(text))

    def flush(self) -> None:
        """Let it out, if that can be done."""
        self._try(self._stream.flush)

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (OSError, ValueError):  # a stream that is closed raises the second
            self._on_lost()


class _ListedOnly:
    """Keeps the fields of FIELDS that have their shape, and counts the others."""

    def __init__(self, on_dropped: Callable[[int], None]) -> None:
        self._on_dropped = on_dropped

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        kept = {name: event[name] for name, has_shape in FIELDS.items() if name in event and has_shape(event[name])}
        dropped = len(event) - len(kept)
        kept.setdefault("event", _UNNAMED)
        if dropped:
            kept["dropped"] = dropped
            self._on_dropped(dropped)
        return kept


def _name_fault(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> EventDict:
    """In place of an exception's text and traceback, its type and place."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event.update(fault=type(error).__name__, where=place_of(error))
    return event


class _LibraryLines(logging.Handler):
    """Turns a library's warnings into events that say which library and where; their text may hold addresses."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event for one record."""
        library, where = record.name.partition(".")[0], f"{PurePath(record.pathname).name}:{record.lineno}"
        error = record.exc_info[1] if record.exc_info else None
        named = {"fault": type(error).__name__} if error is not None else {}
        write = log.error if record.levelno >= logging.ERROR else log.warning
        write("library", library=library, where=where, **named)


def _route_libraries() -> None:
    """Let everything that reaches the root logger become an event, once; handlers of others stay."""
    root = logging.getLogger()
    if not any(isinstance(handler, _LibraryLines) for handler in root.handlers):
        root.addHandler(_LibraryLines(logging.WARNING))
