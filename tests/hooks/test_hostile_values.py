"""Whatever stands in whatever place of a request: no fault of ours, nothing of it in a refusal, nothing of it in the log."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from hook_calls import AUTHORIZATION, SIGN, a_call, post

MARK = "Hostile7f3"
VALUES: list[Any] = [
    MARK, f'a\n{{"event":"{MARK}"}}', f"\x1b[31m{MARK}", f"Patient/{MARK}", f"\u202e{MARK}", "x" * 5000 + MARK,
    f"https://ehr.example.org/{MARK}", [MARK], {MARK: MARK}, [{MARK: [MARK]}],
]  # fmt: skip
CALL = a_call(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=AUTHORIZATION)
FEEDBACK = {
    "feedback": [
        {
            "card": "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e",
            "outcome": "overridden",
            "outcomeTimestamp": "2026-03-02T09:00:00Z",
            "overrideReason": {"reason": {"code": "c", "system": "s", "display": "d"}, "userComment": "u"},
        },
        {
            "card": "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e",
            "outcome": "accepted",
            "outcomeTimestamp": "2026-03-02T09:00:00Z",
            "acceptedSuggestions": [{"id": "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e"}],
        },
    ]
}
Place = tuple[str | int, ...]


def places(value: Any, deepest: int, at: Place = ()) -> Iterator[Place]:
    """Every member and item of a document, down to so many levels."""
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in named:
        yield (*at, name)
        if len(at) + 1 < deepest:
            yield from places(child, deepest, (*at, name))


def with_value(document: Any, place: Place, value: object) -> Any:
    changed = copy.deepcopy(document)
    *parents, last = place
    inside = changed
    for name in parents:
        inside = inside[name]
    inside[last] = value
    return changed


def holds_nothing_hostile(client: FlaskClient, log: io.StringIO, document: Any, url: str) -> None:
    response = post(client, document, url)
    assert response.status_code in (200, 400, 412)
    assert response.status_code == 200 or MARK not in response.text
    assert MARK not in log.getvalue()
    assert all('"dropped"' not in line for line in log.getvalue().splitlines())
    log.seek(0)
    log.truncate()


@pytest.mark.spec("R-211")
@pytest.mark.parametrize("place", list(places(CALL, 3)), ids=lambda place: ".".join(map(str, place)))
def test_nothing_of_a_call_is_told_in_a_refusal_or_in_the_log(
    client: FlaskClient, log: io.StringIO, place: Place
) -> None:
    seed = sum(map(len, map(str, place)))
    for value in (VALUES[seed % 7], VALUES[7 + seed % 3]):
        holds_nothing_hostile(client, log, with_value(CALL, place, value), SIGN)


@pytest.mark.spec("R-211")
@pytest.mark.parametrize("parent", [(), ("context",), ("prefetch",), ("fhirAuthorization",)], ids=str)
def test_nothing_of_a_members_name_is_told_either(client: FlaskClient, log: io.StringIO, parent: Place) -> None:
    for name in filter(lambda value: isinstance(value, str), VALUES):
        holds_nothing_hostile(client, log, with_value(CALL, (*parent, name), {"resourceType": MARK}), SIGN)


@pytest.mark.spec("R-162")
@pytest.mark.parametrize("place", list(places(FEEDBACK, 6)), ids=lambda place: ".".join(map(str, place)))
def test_nothing_of_feedback_is_told_in_a_refusal_or_in_the_log(
    client: FlaskClient, log: io.StringIO, place: Place
) -> None:
    for value in VALUES:
        holds_nothing_hostile(client, log, with_value(FEEDBACK, place, value), f"{SIGN}/feedback")


@pytest.mark.spec("R-211")
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE", MARK.upper()])
@pytest.mark.parametrize(
    "path", [f"/{MARK}", f"{SIGN}/{MARK}/x", f"/cds-services?patient={MARK}", f"/CodeSystem/{MARK}"]
)
def test_nothing_of_a_method_path_query_or_header_comes_back(
    client: FlaskClient, log: io.StringIO, method: str, path: str
) -> None:
    headers = dict.fromkeys(("User-Agent", "Referer", "Cookie", "X-Forwarded-For", "Origin", "Authorization"), MARK)
    response = client.open(path, method=method, headers=headers)
    told = response.text + json.dumps(dict(response.headers)) + log.getvalue()
    assert response.status_code < 500
    assert MARK.lower() not in told.lower()
