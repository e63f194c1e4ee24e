"""What requests, tokens and FHIR servers bring that must stand in no log and no database, each with its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

Given = tuple[str, str]
_DECODER = msgspec.json.Decoder(type=Any, float_hook=Decimal)
# A document with one of these is a call, feedback, or a resource; key sets and claims of tokens are none.
_OURS = frozenset({"context", "prefetch", "fhirAuthorization", "feedback", "resourceType"})
# Members whose text is of the standard's or the interface's own making: statuses, systems, units, names of hooks.
_VOCABULARY = frozenset(
    {
        "hook", "hookInstance", "fhirServer", "token_type", "scope", "subject", "resourceType", "status", "intent", "use",
        "system", "mode", "type", "url", "fullUrl", "profile", "unit", "relation", "comparator", "gender", "language",
        "priority", "criticality", "outcome", "card", "versionId", "lastUpdated", "durationUnit", "periodUnit",
        "outcomeTimestamp", "rel", "method", "severity", "source", "version",
    }
)  # fmt: skip
# Feedback names our own suggestions, by the ids that we gave them.
_SUGGESTIONS = "acceptedSuggestions"
# The kind of what stands under a member, or anywhere below it.
_KINDS = {
    "access_token": "token",
    "patientId": "patient id",
    "patient": "patient id",
    "encounterId": "resource id",
    "userId": "user id",
    "performer": "user id",
    "id": "resource id",
    "reference": "resource id",
    "selections": "resource id",
    "identifier": "identifier",
    "name": "name",
    "contact": "name",
    "address": "address",
    "telecom": "address",
    "birthDate": "date",
    "code": "code",
    "userComment": "comment",
}
_BELOW = frozenset({"identifier", "name", "contact", "address", "telecom"})
_MOMENT = re.compile(r"\d{4}(-\d\d(-\d\d(T.*)?)?)?")
_NUMBER = re.compile(r"[<>]?=?\s*[+-]?\d+([.,]\d+)?")
_BEARER = re.compile(r"(?i)\s*bearer\s+(.+)")
# Headers that say nothing of a patient: hosts, proxies, and forms.
_USUAL_HEADERS = frozenset(
    {
        "host", "content-type", "content-length", "connection", "accept", "accept-encoding", "user-agent", "origin",
        "x-forwarded-proto", "x-forwarded-host", "forwarded", "script-name", "path-info",
        "content-encoding", "transfer-encoding", "access-control-request-method", "access-control-request-headers",
    }
)  # fmt: skip
_NAMES_A_PATIENT = frozenset({"patient", "subject", "_id", "identifier", "name", "birthdate"})
_TELLING = 6
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?')


def in_body(body: bytes) -> Iterator[Given]:
    """What a body holds; where it is no JSON, the texts in quotes, or else all of it."""
    try:
        document = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, ValueError, RecursionError):
        yield from _in_broken(body[:100_000])
    else:
        yield from in_document(document)


def _in_broken(body: bytes) -> Iterator[Given]:
    """The texts in quotes that are no names of members, or else the beginning."""
    found = _STRING.findall(body)
    name = ""
    for written, is_name in found:
        text = written.decode("utf-8", "replace")
        if is_name:
            name = text
        elif name not in _VOCABULARY:
            yield from _given("broken body", text)
    if not found:
        yield from _given("broken body", body[:200].decode("utf-8", "replace"))


def in_document(document: Any) -> Iterator[Given]:
    """What a call, feedback, or a FHIR resource holds; nothing for any other document."""
    if isinstance(document, dict) and not _OURS.isdisjoint(document):
        yield from _in_value(document, "", "")


def in_environ(environ: Mapping[str, Any]) -> Iterator[Given]:
    """What a call to a WSGI application holds, its body apart where that can be read only once."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield from _in_header(name.removeprefix("HTTP_").replace("_", "-"), str(value))
    yield from _in_address(f"{environ.get('PATH_INFO', '')}?{environ.get('QUERY_STRING', '')}")
    body = getattr(environ.get("wsgi.input"), "getvalue", bytes)()
    if body:
        yield from in_body(body)


def in_prepared(request: Any) -> Iterator[Given]:
    """What a request of the library requests holds."""
    for name, value in request.headers.items():
        yield from _in_header(name, value.decode("latin-1") if isinstance(value, bytes) else value)
    yield from _in_address(request.url)
    body = request.body.encode() if isinstance(request.body, str) else request.body
    if isinstance(body, bytes):
        yield from in_body(body)


def in_head(head: bytes) -> Iterator[Given]:
    """What the request line and the headers of a request hold, however broken they are."""
    first, *headers = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    yield from _in_address(next((part for part in first.split() if part.startswith("/")), first))
    for line in headers:
        name, colon, value = line.partition(":")
        yield from _in_header(name, value.strip()) if colon else _given("header", line)


def _in_header(name: str, value: str) -> Iterator[Given]:
    if name.lower().replace("_", "-") in _USUAL_HEADERS:
        return
    bearer = _BEARER.fullmatch(value)
    yield from _token(bearer[1]) if bearer else _given("header", value)


def _token(written: str) -> Iterator[Given]:
    """A token, and its parts by themselves."""
    for part in (written, *written.split(".")):
        yield from _given("token", part)


def _in_address(address: str) -> Iterator[Given]:
    """The values in a query, and the ids in a path: numbers of pages and routes of ours are none."""
    parts = urlsplit(address)
    for name, value in parse_qsl(parts.query):
        if name in _NAMES_A_PATIENT or len(value) >= _TELLING:
            yield from _given("address part", value)
    path = [unquote(part) for part in parts.path.split("/")]
    for before, part in zip(["", *path], path, strict=False):
        if (before[:1].isupper() and before != "CodeSystem") or (len(part) >= _TELLING and re.search(r"[\d %]", part)):
            yield from _given("address part", part)


def _in_value(value: Any, name: str, kind: str) -> Iterator[Given]:
    """Everything below a member of this name; `kind` is that of a member above which decides."""
    if name == _SUGGESTIONS:
        return
    if isinstance(value, dict):
        for member, child in value.items():
            yield from _in_value(child, member, kind or (name if name in _BELOW else ""))
    elif isinstance(value, list):
        for child in value:
            yield from _in_value(child, name, kind)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, (int, Decimal, float)):
        yield from _given("value", str(value))
    elif isinstance(value, str):
        yield from _in_text(value, name, _KINDS.get(kind, ""))


def _in_text(text: str, name: str, kind: str) -> Iterator[Given]:
    if name in _VOCABULARY:
        return
    kind = kind or _KINDS.get(name) or _kind_by_form(text)
    if kind == "token":
        yield from _token(text)
    elif kind == "code" and not re.search(r"\d", text):
        return  # a word of the standard, such as `active`
    else:
        yield from _given(kind, text)
        if kind in ("resource id", "patient id", "user id"):
            yield from _given(kind, text.rstrip("/").rpartition("/")[2])


def _kind_by_form(text: str) -> str:
    if _MOMENT.fullmatch(text):
        return "date"
    return "value" if _NUMBER.fullmatch(text.strip()) else "text"


def _given(kind: str, text: str) -> Iterator[Given]:
    """The text, unless nobody could tell it from any other: a letter, or one character again and again."""
    text = text.strip()
    is_filling = len(set(text)) == 1 and (len(text) >= _TELLING or text.isalpha() or not text.isalnum())
    if text and not is_filling:
        yield kind, text
