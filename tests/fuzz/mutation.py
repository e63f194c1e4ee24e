"""The kinds of mutation, by name; each is a function that says whether it could change what it was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

Json = dict[str, Any]
ChangeDocument = Callable[[Json, Random], bool]
ChangeText = Callable[[bytes, Random], bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mutation of a parsed request. `damages`: it cannot make what the request says better."""

    name: str
    change: ChangeDocument
    damages: bool


KINDS: dict[str, Kind] = {}
TEXT_KINDS: dict[str, ChangeText] = {}


def mutation(*, damages: bool = False) -> Callable[[ChangeDocument], ChangeDocument]:
    """Register a kind under the name of its function."""

    def register(change: ChangeDocument) -> ChangeDocument:
        name = change.__name__.replace("_", "-")
        KINDS[name] = Kind(name, change, damages)
        return change

    return register


def text_mutation(change: ChangeText) -> ChangeText:
    """Register a kind that changes the bytes of a request."""
    TEXT_KINDS[change.__name__.replace("_", "-")] = change
    return change
