"""Key sets that a server's processes share: a new process knows what the others know, and as old as it is."""

from __future__ import annotations

import os
from time import monotonic

import pytest
from tokens import jwk, jwks

from cds_service.hooks.kept_key_set import KeptKeySet
from cds_service.hooks.key_sources import KeysUnavailable, RemoteKeys
from cds_service.hooks.signing_keys import LARGEST_SET, SigningKeys

OLD, NEW = jwks(jwk("rsa", "old")), jwks(jwk("ec", "new"))
DAY = 24 * 60 * 60


def down() -> SigningKeys:
    raise KeysUnavailable("down")


@pytest.fixture
def room() -> KeptKeySet:
    return KeptKeySet()


def test_before_the_first_set_there_is_none(room: KeptKeySet) -> None:
    assert room.last() is None


def test_the_newest_set_is_given_back_as_it_came(room: KeptKeySet) -> None:
    before = monotonic()
    for written in (OLD, NEW):
        room.keep(written)
        last = room.last()
        assert last is not None
        assert last[0] == written
        assert before <= last[1] <= monotonic()


@pytest.mark.parametrize(("size", "is_taken"), [(LARGEST_SET, True), (LARGEST_SET + 1, False)])
def test_a_set_larger_than_allowed_is_not_taken(room: KeptKeySet, size: int, is_taken: bool) -> None:
    room.keep(b"x" * size)
    assert (room.last() is not None) is is_taken


@pytest.mark.parametrize("place", [0, 35, 43, 44, 60])
def test_a_set_that_is_half_written_is_none(room: KeptKeySet, place: int) -> None:
    room.keep(OLD)
    room._memory[place] ^= 1
    assert room.last() is None


def test_a_process_that_is_forked_later_knows_what_another_has_kept(room: KeptKeySet) -> None:
    child = os.fork()
    if child == 0:
        room.keep(OLD)
        os._exit(0)
    os.waitpid(child, 0)
    assert RemoteKeys("example-ehr", down, kept=room).with_id("old")


@pytest.mark.parametrize(("age", "is_found"), [(DAY - 60, True), (DAY + 60, False)])
def test_what_another_process_has_kept_is_used_for_a_day_from_when_it_came(
    room: KeptKeySet, age: int, is_found: bool
) -> None:
    room.keep(OLD)
    keys = RemoteKeys("example-ehr", down, lambda: monotonic() + age, room)
    if is_found:
        assert keys.with_id("old")
    else:
        with pytest.raises(KeysUnavailable):
            keys.with_id("old")
