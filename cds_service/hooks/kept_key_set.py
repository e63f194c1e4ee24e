"""The last key set from an address, in memory that all worker processes of one server share.

A worker that is replaced while the address is down would otherwise know no key, and refuse whom its neighbours let in.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from mmap import mmap
from struct import Struct
from time import monotonic
from typing import Final

from cds_service.hooks.clients import Client
from cds_service.hooks.signing_keys import LARGEST_SET

# Checksum of all that follows; when the set came, by the machine's own clock; its size.
_HEAD: Final = Struct(">32sdI")


class KeptKeySet:
    """Room for one key set as it came. Made before the server forks; no file, so nobody else can write there."""

    def __init__(self) -> None:
        self._memory = mmap(-1, _HEAD.size + LARGEST_SET)

    def keep(self, written: bytes) -> None:
        """Take the place of the set before; one that is larger than allowed is not taken."""
        if len(written) > LARGEST_SET:
            return
        came_at = monotonic()
        head = _HEAD.pack(_checksum(came_at, written), came_at, len(written))
        self._memory[: _HEAD.size + len(written)] = head + written

    def last(self) -> tuple[bytes, float] | None:
        """The set, and when it came; None before the first, and where somebody was killed while he wrote it."""
        checksum, came_at, size = _HEAD.unpack(self._memory[: _HEAD.size])
        written = self._memory[_HEAD.size : _HEAD.size + size]
        return (written, came_at) if checksum == _checksum(came_at, written) else None


def _checksum(came_at: float, written: bytes) -> bytes:
    return sha256(_HEAD.pack(b"", came_at, len(written)) + written).digest()


def room_for_key_sets(clients: Iterable[Client]) -> dict[str, KeptKeySet]:
    """Room for the set of each address from which the keys of a client are fetched."""
    return {client.jwks_url: KeptKeySet() for client in clients if client.jwks_url}
