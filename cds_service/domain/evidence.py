"""What a datum of the record may be used for, and how it is cited (clinical-rules C1, C3, C6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Standing(Enum):
    """What a record entry may do, by its status.

    ACCEPTED may raise a card and clear one; PROVISIONAL may raise one and clears none; NO_INFORMATION does
    neither. Entries that were entered in error are removed before this point.
    """

    ACCEPTED = "accepted"
    PROVISIONAL = "provisional"
    NO_INFORMATION = "no information"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One datum a finding rests on, so that a clinician can check it: where it is, what it says, from when."""

    reference: str
    name: str
    value: str = ""
    day: str = ""
    status: str = ""


def distinct(items: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The same evidence in the same order, each once."""
    return tuple(dict.fromkeys(items))
