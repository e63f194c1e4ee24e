"""A screenshot with 256 colours in place of all: a third of the bytes, and no difference that an eye sees on our pages."""

from __future__ import annotations

import struct
import zlib
from collections import Counter

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR, _PALETTE = 2, 3
_CHANNELS = 3
_MOST_COLOURS = 256
Colour = bytes


def with_palette(screenshot: bytes) -> bytes:
    """The same PNG with a palette of its most frequent colours; the others become the nearest of these.

    Raises ValueError for a picture that is not one of three times eight bits without interlacing.
    """
    chunks = _chunks(screenshot)
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if kind != [8, _TRUE_COLOUR, 0, 0, 0]:
        raise ValueError(f"cannot read a PNG of the kind {kind}; take the screenshot without transparency")
    rows = _rows(zlib.decompress(chunks[b"IDAT"]), width * _CHANNELS, height)
    pixels = [[row[at : at + _CHANNELS] for at in range(0, len(row), _CHANNELS)] for row in rows]
    palette, places = _palette(Counter(pixel for row in pixels for pixel in row))
    indexed = b"".join(b"\0" + bytes(places[pixel] for pixel in row) for row in pixels)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(palette)),
            _chunk(b"IDAT", zlib.compress(indexed, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _palette(found: Counter[Colour]) -> tuple[list[Colour], dict[Colour, int]]:
    kept = [colour for colour, _ in found.most_common(_MOST_COLOURS)]
    places = {colour: place for place, colour in enumerate(kept)}
    for colour in found:
        if colour not in places:
            places[colour] = min(range(len(kept)), key=lambda place: _distance(kept[place], colour))
    return kept, places


def _distance(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunks(png: bytes) -> dict[bytes, bytes]:
    """The chunks by their name; the picture's own data, which may come in pieces, as one."""
    found: dict[bytes, bytes] = {}
    at = len(_SIGNATURE)
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        found[name] = found.get(name, b"") + png[at + 8 : at + 8 + length]
        at += length + 12
    return found


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _rows(filtered: bytes, width: int, height: int) -> list[bytes]:
    """Each row's bytes, with the filters undone that PNG puts before compression (W3C PNG, section 9)."""
    rows: list[bytes] = []
    above = bytearray(width)
    for number in range(height):
        start = number * (width + 1)
        row = bytearray(filtered[start + 1 : start + 1 + width])
        _unfilter(filtered[start], row, above)
        rows.append(bytes(row))
        above = row
    return rows


def _unfilter(kind: int, row: bytearray, above: bytearray) -> None:
    for at in range(len(row)) if kind else ():
        left = row[at - _CHANNELS] if at >= _CHANNELS else 0
        corner = above[at - _CHANNELS] if at >= _CHANNELS else 0
        up = above[at]
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner) if kind == 4 else 0)[kind]
        row[at] = (row[at] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda near: abs(guess - near))
