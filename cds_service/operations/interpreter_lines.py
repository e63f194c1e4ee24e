"""What the interpreter would print by itself, as events of ours: a traceback or a warning may quote what was read."""

from __future__ import annotations

import sys
import threading
import warnings
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, TextIO

import structlog

from cds_service.operations.log import place_of

if TYPE_CHECKING:
    from types import TracebackType

log: Final = structlog.get_logger("operations")


def route_interpreter_lines() -> None:
    """From here on, in this process and in those forked from it, what nobody caught and warnings are log lines.

    For a process that serves; whoever runs another command may want to read a traceback.
    """
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _uncaught_while_cleaning
    warnings.showwarning = _warned


def _uncaught(kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
    _tell(kind, error)


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_type is not SystemExit:
        _tell(given.exc_type, given.exc_value)


def _uncaught_while_cleaning(given: sys.UnraisableHookArgs) -> None:
    _tell(given.exc_type, given.exc_value)


def _tell(kind: type[BaseException], error: BaseException | None) -> None:
    log.error("uncaught", fault=kind.__name__, where=place_of(error) if error is not None else "unknown:0")


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """As `warnings.showwarning`, without what it says and the line of code."""
    log.warning("warned", fault=category.__name__, where=f"{PurePath(filename).name}:{lineno}")
