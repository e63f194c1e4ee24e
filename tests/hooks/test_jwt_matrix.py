"""Every row of the JWT matrix: who is let in, and the one answer to everybody else."""

from __future__ import annotations

import io
import json

import pytest
from jwt_matrix import ROWS, Row
from tokens import Bench

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("production")
REFUSAL = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "login",
            "details": {"text": "the call is not authenticated; send the token that was agreed"},
        }
    ],
}
REASONS = {
    "no Authorization header": "no-token",
    "two parts": "no-jwt",
    "typ JOSE": "typ",
    "no kid": "kid-missing",
    "crit": "crit",
    "alg none, signed all the same": "alg",
    "HS256 keyed with the public RSA key": "alg",
    "iss that is not listed": "iss-unknown",
    "RS256, which was not agreed": "alg-not-agreed",
    "jku that is another address of the client's host": "jku",
    "kid that is in no set": "kid-unknown",
    "RS384, RSA key of 1024 bits": "key-does-not-fit-alg",
    "a signature of another key": "signature",
    "aud of another service": "aud",
    "no exp": "exp-or-iat-missing",
    "expired 61 seconds ago": "exp",
    "nbf 61 seconds ahead": "nbf",
    "issued 61 seconds ahead": "iat",
    "lives an hour and a second": "exp-minus-iat",
    "a tenant that was not agreed": "tenant",
    "no tenant where one was agreed": "tenant",
    "no jti": "jti-missing",
    "the same token, another body": "jti-replayed",
    "one issuer, two clients, no FHIR server": "client-not-told-apart",
}


def row(sent: str) -> Row:
    (found,) = (row for row in ROWS if row.sent == sent)
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.requirement}: {row.sent}")
def test_a_token_is_let_in_or_refused(bench: Bench, row: Row) -> None:
    assert row.send(bench).status_code == (200 if row.is_let_in else 401)


@pytest.mark.spec("R-183")
@pytest.mark.parametrize("row", [row for row in ROWS if not row.is_let_in], ids=lambda row: row.sent)
def test_every_refusal_is_the_same(bench: Bench, row: Row) -> None:
    response, usual = row.send(bench), bench.post(None)
    assert response.json == REFUSAL
    assert response.data == usual.data
    assert response.headers["WWW-Authenticate"] == "Bearer"
    told, as_usual = (dict(answer.headers) for answer in (response, usual))
    # What names the line in our log is all that differs.
    assert told.pop("X-Correlation-Id") != as_usual.pop("X-Correlation-Id")
    assert told == as_usual


@pytest.mark.spec("R-183")
@pytest.mark.spec("R-184")
@pytest.mark.parametrize(("sent", "reason"), REASONS.items(), ids=REASONS)
def test_the_log_has_the_reason_under_the_number_of_the_answer(
    bench: Bench, log: io.StringIO, sent: str, reason: str
) -> None:
    response = row(sent).send(bench)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (said,) = (line for line in lines if line["event"] == "not_authenticated")
    assert said["reason"] == reason
    assert said["correlation_id"] == response.headers["X-Correlation-Id"]


@pytest.mark.spec("R-184")
def test_no_token_and_no_part_of_one_is_ever_logged(bench: Bench, log: io.StringIO) -> None:
    for each in ROWS:
        bench.begin()
        each.send(bench)
    assert "not_authenticated" in log.getvalue()
    # Every JWT of these tests begins its header or its claims with a brace and a quotation mark.
    assert "eyJ" not in log.getvalue()
