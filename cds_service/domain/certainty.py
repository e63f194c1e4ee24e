"""Three-valued logic: what is not known is neither true nor false (clinical-rules C6)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Certainty(Enum):
    """Whether something holds, as far as the record can tell."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        """Refuse to be used as a plain truth value, because unknown is not false.

        Raises TypeError always.
        """
        raise TypeError("compare a Certainty with TRUE, FALSE or UNKNOWN; it has no truth value")


def all_of(parts: Iterable[Certainty]) -> Certainty:
    """FALSE if any part is false, else UNKNOWN if any is unknown, else TRUE."""
    return _first_found(parts, Certainty.FALSE, Certainty.TRUE)


def any_of(parts: Iterable[Certainty]) -> Certainty:
    """TRUE if any part is true, else UNKNOWN if any is unknown, else FALSE."""
    return _first_found(parts, Certainty.TRUE, Certainty.FALSE)


def _first_found(parts: Iterable[Certainty], decisive: Certainty, otherwise: Certainty) -> Certainty:
    seen = set(parts)
    if decisive in seen:
        return decisive
    return Certainty.UNKNOWN if Certainty.UNKNOWN in seen else otherwise
