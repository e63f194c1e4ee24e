"""What holds of every answer, whatever was asked: never a fault of ours, never HTML, JSON of the promised form, bounded."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from .asking import Reply
from .bases import COURSE, Base, calls_about_children
from .odd_values import MARK
from .places import Json, resources

try:
    from hooks.response_rules import breaches, our_breaches
except ModuleNotFoundError:
    sys.path.append(str(Path(__file__).parents[1] / "hooks"))
    from response_rules import breaches, our_breaches

# What the words of the cards take, and how often a card may say what a request says: in a value, a message, a detail.
ALLOWED_BYTES = 1_000_000
ALLOWED_TIMES = 8
# A number of weeks and no gestational age: after years it has three digits.
_COUNTED_WEEKS = "values.missedWeeks"
_TRACES = ("Traceback (most recent call last)", 'File "/', "site-packages", "werkzeug.exceptions", "jinja2.")
# A FHIR server of the demo that fails as its address says.
_FAULTY_ON_PURPOSE = "/demo/faulty/"
_ANSWERED_BY_HOOKS = ("/cds-services/", COURSE)


def broken_promises(request: Base, reply: Reply) -> list[str]:
    """Every promise that an answer breaks, one short text for each."""
    if reply.fault:
        return [f"escaped: {reply.fault}"]
    if reply.status >= 500 and not request.path.startswith(_FAULTY_ON_PURPOSE):
        return [f"status {reply.status}: {_logged_fault(reply)}"]
    return [*_form(request, reply), *_told(request, reply)]


def _logged_fault(reply: Reply) -> str:
    lines = [json.loads(line) for line in reply.log.splitlines() if line.startswith("{")]
    return "; ".join(f"{line['fault']} at {line.get('where')}" for line in lines if "fault" in line)


def _form(request: Base, reply: Reply) -> Iterator[str]:
    is_page = reply.status < 300 and reply.media_type.startswith(("text/plain", "text/html")) and _is_page(request)
    if reply.body and not reply.media_type.startswith(("application/json", "application/fhir+json")) and not is_page:
        yield f"media type {reply.media_type!r} with status {reply.status}"
        return
    if is_page or not reply.body:
        return
    if len(reply.body) > ALLOWED_BYTES + ALLOWED_TIMES * len(request.body):
        yield f"{len(reply.body)} bytes in answer to {len(request.body)}"
    try:
        document = json.loads(reply.body.decode("utf-8"), parse_constant=_refuse)
    except ValueError as error:
        yield f"no JSON: {type(error).__name__}"
        return
    if reply.status >= 400:
        yield from _refusal(document)
    elif request.method == "POST" and request.path.startswith(_ANSWERED_BY_HOOKS):
        yield from _cards(request, document)


def _is_page(request: Base) -> bool:
    """The numbers for the operators are text; pages for people are asked for by GET and are at other addresses."""
    return not request.path.startswith((*_ANSWERED_BY_HOOKS, "/demo/fhir"))


def _refuse(name: str) -> None:
    raise ValueError(name)


def _refusal(document: Any) -> Iterator[str]:
    issues = document.get("issue") if isinstance(document, dict) else None
    if not issues or document.get("resourceType") != "OperationOutcome":
        yield "a refusal is no OperationOutcome"
    elif any(not issue.get("severity") or not issue.get("code") for issue in issues):
        yield "an issue without severity or code"


def _cards(request: Base, document: Any) -> Iterator[str]:
    if not isinstance(document, dict) or "cards" not in document:
        is_course = request.path.partition("?")[0] == COURSE
        if not is_course or not isinstance(document, dict) or document.get("concerns") is not False:
            yield "neither cards nor a course"
        return
    answer = {"cards": document["cards"]}
    found = breaches(answer)
    if all(card.get("extension") for card in answer["cards"]):
        found += our_breaches(answer)
    yield from (f"card: {breach}" for breach in dict.fromkeys(found) if _COUNTED_WEEKS not in breach)
    text = json.dumps(document)
    if f"{MARK}49" in text or f"{MARK}xxxx" in text:
        yield "a template of the request was rendered"


def _told(request: Base, reply: Reply) -> Iterator[str]:
    """Nothing of the request in the log; nothing of it, and no trace of our code, in a refusal."""
    refusal = reply.body.decode("utf-8", "replace") if reply.status >= 400 else ""
    for where, text in (("refusal", refusal), ("log", reply.log)):
        yield from (f"{where} holds {trace!r}" for trace in _TRACES if trace in text)
        if MARK.lower() in text.lower():
            yield f"{where} holds the mark"
        yield from (f"{where} holds a {kind}" for kind, secret in secrets_of(request.name) if secret in text)
    if '"dropped"' in reply.log:
        yield "a log line has a field that was dropped"


@cache
def secrets_of(name: str) -> tuple[tuple[str, str], ...]:
    """What of the base's child may stand in no log and no refusal, each with its kind."""
    base = next((base for base in calls_about_children() if base.name == name), None)
    if base is None:
        return ()
    document: Json = json.loads(base.body)
    found = {("patient id", str(document["context"]["patientId"]))}
    for resource in resources(document):
        found.add(("resource id", str(resource.get("id", ""))))
        if resource["resourceType"] == "Patient":
            found.add(("birth date", str(resource.get("birthDate", ""))))
            found |= {
                ("name", str(item.get("text", ""))) for item in resource.get("name", []) if isinstance(item, dict)
            }
    return tuple(sorted(item for item in found if len(item[1]) >= 6))
