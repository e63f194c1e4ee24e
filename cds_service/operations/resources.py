"""What has to be closed when the process ends, such as the store with what it has not written yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from cds_service.operations.log import place_of

log: Final = structlog.get_logger("operations")


class Resources:
    """Everything that was opened, by name, in the order it was opened."""

    def __init__(self) -> None:
        self._closing: dict[str, Callable[[], object]] = {}

    def register(self, name: str, close: Callable[[], object]) -> None:
        """Have `close` called at the end, after those of everything registered later. `name` is one word."""
        self._closing[name] = close

    def close(self) -> None:
        """Close everything, the last opened first, once; a fault of one is logged and keeps none of the others open."""
        while self._closing:
            name, close = self._closing.popitem()
            try:
                close()
            except Exception as error:
                log.error("not_closed", dependency=name, fault=type(error).__name__, where=place_of(error))
