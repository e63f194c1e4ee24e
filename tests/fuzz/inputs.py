"""Inputs by number: the same seed and index give the same request on every machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from cds_service.hooks.json_body import read_json_object, write_json

from . import changes, damage, text_mutations, transport
from .bases import Base, calls_about_children, every_base
from .mutation import KINDS, TEXT_KINDS, Kind
from .odd_values import with_raw_json

MODULES = (changes, damage, text_mutations)  # they register their kinds
MOST_MUTATIONS = 4
DAMAGE = tuple(kind for kind in KINDS.values() if kind.damages)
CHANGES = tuple(kind for kind in KINDS.values() if not kind.damages)
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Input:
    """One request to send, where it comes from, and by which kinds of mutation it was made, in their order.

    `is_damage`: every one of them only damages, so that the answer must not reassure more than that of the base.
    """

    seed: int
    index: int
    base: Base
    request: Base
    kinds: tuple[str, ...]
    is_damage: bool

    @property
    def name(self) -> str:
        """What `--only` takes to run it again."""
        return f"{self.seed}:{self.index}"


def input_of(seed: int, index: int) -> Input:
    """The input of this number: damage for one half, and of the others most are changes."""
    rng = Random(f"{seed}:{index}")
    drawn = rng.random()
    if drawn < 1 / 2:
        return _of_documents(seed, index, rng, DAMAGE)
    if drawn < 3 / 4:
        return _of_documents(seed, index, rng, (*CHANGES, *DAMAGE))
    if drawn < 9 / 10:
        return _of_text(seed, index, rng)
    return _of_transport(seed, index, rng)


def _of_documents(seed: int, index: int, rng: Random, kinds: tuple[Kind, ...]) -> Input:
    bases = calls_about_children() if rng.random() < 19 / 20 else every_base()
    base = rng.choice([base for base in bases if base.body])
    document = read_json_object(base.body)
    applied: list[Kind] = []
    wanted = rng.choice((1, 1, 1, 2, 3, MOST_MUTATIONS))
    for _ in range(_TRIES):
        kind = rng.choice(kinds)
        if kind.change(document, rng):
            applied.append(kind)
        if len(applied) == wanted:
            break
    request = replace(base, body=with_raw_json(write_json(document)))
    is_damage = bool(applied) and base.is_call and all(kind.damages for kind in applied)
    return Input(seed, index, base, request, tuple(kind.name for kind in applied), is_damage)


def _of_text(seed: int, index: int, rng: Random) -> Input:
    base = rng.choice([base for base in every_base() if base.body])
    body, kinds = base.body, []
    for _ in range(rng.choice((1, 1, 2))):
        kind = rng.choice(sorted(TEXT_KINDS))
        body = TEXT_KINDS[kind](body, rng)
        kinds.append(kind)
    return Input(seed, index, base, replace(base, body=body), tuple(kinds), is_damage=False)


def _of_transport(seed: int, index: int, rng: Random) -> Input:
    base = rng.choice([base for base in every_base() if not base.is_call or rng.random() < 1 / 20])
    request, kinds = base, []
    for _ in range(rng.choice((1, 1, 2))):
        kind = rng.choice(transport.KINDS)
        request = transport.mutated(request, kind, rng)
        kinds.append(kind)
    return Input(seed, index, base, request, tuple(kinds), is_damage=False)


def every_kind() -> tuple[str, ...]:
    """The names of all kinds of mutation."""
    return (*KINDS, *TEXT_KINDS, *transport.KINDS)
