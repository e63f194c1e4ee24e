"""Mutations of what carries a request: methods, paths, queries, media types, encodings and headers."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from .bases import Base
from .odd_values import MARK

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", MARK)
MEDIA_TYPES = (
    "application/json", "application/fhir+json", "application/json; charset=utf-8", "application/json; charset=utf-16",
    "application/json; charset=nonsense", "application/json;charset=\"", "APPLICATION/JSON", "text/json", "text/plain", "text/html",
    "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "*/*", "json", "",
)  # fmt: skip
ENCODINGS = ("", "identity", "IDENTITY", "gzip", "br", "deflate, gzip", "chunked", MARK)
_ENDS = (
    "/", "//", "/..", "/../..", "/.", "/%2e%2e/", "/%00", "/%ff", "%0d%0aX-Y:1", "?", "?" + "a=1&" * 500, "?x=%zz", "?_format=xml", "/" + MARK,
    ";x=1", "#x", "/feedback", "/feedback/", "/" + "x" * 3_000, "%20", "\u202e", "?_count=99999999999999999999", "?_count=-1", "?_count=x",
    "?date=ge0000", "?date=ap2026-13&date=", "?patient=" + MARK, "?patient=Patient/a/b", "?code=" + "1742-6," * 300, "?_sort=-" + MARK,
    "?_include=*", "?_page=-7", "?page=%00", "?fault=" + MARK, "?prefetch=" + MARK,
)  # fmt: skip
_HEADERS = (
    "Accept",
    "Origin",
    "Authorization",
    "X-Forwarded-For",
    "Host",
    "Cookie",
    "Accept-Language",
    "Sec-Fetch-Site",
    "Range",
    "If-None-Match",
)
_HEADER_VALUES = (
    "", "*", "text/html", "application/fhir+xml", f"https://{MARK}.example.org", "null", f"Bearer {MARK}", "Bearer a.b.c", "Bearer " + "x" * 9_000,
    "Basic eDp4", "127.0.0.1, ::1", f"{MARK}:99999", "bytes=0-1", "\x01", "é", "cross-site", "same-origin", "=?utf-8?q?x?=",
)  # fmt: skip
KINDS = ("other-method", "other-path", "other-media-type", "other-encoding", "other-headers", "other-length")


def mutated(base: Base, kind: str, rng: Random) -> Base:
    """The request as it is carried otherwise, by one of KINDS."""
    headers = dict(base.headers)
    match kind:
        case "other-method":
            return replace(base, method=rng.choice(METHODS))
        case "other-path":
            return replace(base, path=_other_path(base.path, rng))
        case "other-media-type":
            headers["Content-Type"] = rng.choice(MEDIA_TYPES)
        case "other-encoding":
            headers["Content-Encoding"] = rng.choice(ENCODINGS)
        case "other-headers":
            headers |= {rng.choice(_HEADERS): rng.choice(_HEADER_VALUES) for _ in range(rng.randint(1, 3))}
        case "other-length":
            headers["Content-Length"] = rng.choice(("0", "1", str(len(base.body) + 1), "-1", "x", "", "9" * 30))
    return replace(base, headers=headers)


def _other_path(path: str, rng: Random) -> str:
    if rng.random() < 1 / 2:
        return path + rng.choice(_ENDS)
    parts = path.split("/")
    parts[rng.randrange(1, len(parts))] = rng.choice(
        (MARK, "", "..", "%2F", "onasemnogene-order-sign", "fhir", "Observation", "x" * 300, "\x7f")
    )
    return "/".join(parts)
