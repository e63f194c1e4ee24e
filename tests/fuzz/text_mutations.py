"""Mutations of the bytes of a request: what no parsed document can hold, and what no client of ours should send."""

from __future__ import annotations

import gzip
import re
from random import Random

from .mutation import text_mutation
from .odd_values import MARK, RAW

_MEMBER = re.compile(rb'"([A-Za-z]{1,40})":')
_SCALAR = re.compile(rb':("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)')
_DEEP = (99, 100, 101, 1_000, 5_000, 100_000)


@text_mutation
def member_twice(written: bytes, rng: Random) -> bytes:
    """A member stands twice, first or last with another value."""
    found = list(_MEMBER.finditer(written))
    if not found:
        return written
    match = rng.choice(found)
    other = rng.choice((b"null", b"7", b'"x"', b"{}", b"[]", b'"final"', b"3.2", b"1e5"))
    return written[: match.start()] + match[0] + other + b"," + written[match.start() :]


@text_mutation
def last_of_two_members(written: bytes, rng: Random) -> bytes:
    """A whole member of the call stands a second time at its end."""
    name = rng.choice((b"context", b"prefetch", b"hook", b"fhirServer", b"extension", b"feedback"))
    value = rng.choice((b"null", b"{}", b"[]", b'"x"', b"7"))
    return re.sub(rb"\}\s*\Z", b',"' + name + b'":' + value + b"}", written)


@text_mutation
def raw_value(written: bytes, rng: Random) -> bytes:
    """In the place of a value stands what is no JSON, or JSON at its limits."""
    return _in_place_of_a_value(written, rng, rng.choice(sorted(RAW.values())))


def _in_place_of_a_value(written: bytes, rng: Random, value: bytes) -> bytes:
    found = list(_SCALAR.finditer(written))
    if not found:
        return value
    match = rng.choice(found)
    return written[: match.start(1)] + value + written[match.end(1) :]


@text_mutation
def nested_in_text(written: bytes, rng: Random) -> bytes:
    """Brackets within brackets, closed again or not."""
    depth = rng.choice(_DEEP)
    opening, closing = rng.choice(((b"[", b"]"), (b'{"x":', b"}")))
    value = opening * depth + b"1" + (closing * depth if rng.random() < 3 / 4 else b"")
    return _in_place_of_a_value(written, rng, value)


@text_mutation
def cut_short(written: bytes, rng: Random) -> bytes:
    """The body breaks off, perhaps within a character."""
    return written[: rng.randrange(len(written) + 1)]


@text_mutation
def bytes_changed(written: bytes, rng: Random) -> bytes:
    """Some bytes are others, more, or gone."""
    changed = bytearray(written)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        odd = rng.choice(
            (
                b"\x00",
                b"\xff",
                b"\xc3",
                b"{",
                b"}",
                b'"',
                b"\\",
                b",",
                b":",
                b"\xef\xbb\xbf",
                b"\xe2\x80\xa8",
                b"-",
                b"e9",
            )
        )
        changed[at : at + rng.randint(0, 2)] = odd
    return bytes(changed)


@text_mutation
def marked_or_encoded(written: bytes, rng: Random) -> bytes:
    """A byte order mark, another character encoding, or compression that was not declared."""
    as_text = written.decode("utf-8", "surrogateescape")
    match rng.randrange(6):
        case 0:
            return b"\xef\xbb\xbf" + written
        case 1:
            return as_text.encode("utf-16", "surrogatepass")
        case 2:
            return as_text.encode("utf-32", "surrogatepass")
        case 3:
            return as_text.encode("latin-1", "replace")
        case 4:
            return gzip.compress(written, mtime=0)
    return as_text.encode("utf-7", "replace")


@text_mutation
def around_the_document(written: bytes, rng: Random) -> bytes:
    """Something before or after the document, or another document in its place."""
    odd = (
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"7",
        b'"x"',
        b"true",
        b"[" + written + b"]",
        written + written,
        b")]}',\n" + written,
    )
    more = (
        written + b"\x00",
        b" \n\t\r" * 500 + written,
        b"a=1&" + written,
        b"<html>" + MARK.encode(),
        written + b",",
        b"{" * 50,
    )
    return rng.choice((*odd, *more))
