"""Each state of one prefetch key against each way a FHIR server answers: what the card says, and the status.

`python -m tests.fetch_matrix` prints the table with the time each call took; tests/web/test_fetch_matrix.py holds it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.hooks.json_body import read_json_object, write_json

try:
    from compose_fixtures import NOW, compose_request, findings_in, scenarios
except ModuleNotFoundError:  # started as a module, from the repository's root; the builders import one another by name
    sys.path.append(str(Path(__file__).parent))
    from compose_fixtures import NOW, compose_request, findings_in, scenarios

Json = dict[str, Any]
HOOK, SCENARIO, KEY = "order-sign", "unremarkable", "observations"
SERVICE = f"onasemnogene-{HOOK}"
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
# A key in one of these states is taken at its word: nobody asks.
AT_ITS_WORD = ("whole", "null", "empty")
IN_PART = ("first page", "fewer than its total")
STATES = (
    *AT_ITS_WORD, "absent", "OperationOutcome", "outcome among entries", "web page", "another list", "wrapped", *IN_PART,
)  # fmt: skip
WHOLE = "whole"
# How the server answers → what became of the list where it cannot be had whole.
ANSWERS = {
    WHOLE: "",
    "once-503": "",
    "no access": "",
    "not listed": "server-not-listed",
    "expired": "access-expired",
    "out of scope": "out-of-scope",
    "partly in scope": "partly-in-scope",
    "status-401": "refused",
    "status-403": "refused",
    "status-404": "not-offered",
    "status-429": "server-fault",
    "status-500": "server-fault",
    "status-503": "server-fault",
    "outcome": "server-fault",
    "outcome-in-bundle": "server-fault",
    "html": "unreadable",
    "truncated": "unreadable",
    "empty": "unreadable",
    "wrong-type": "unreadable",
    "not-a-bundle": "unreadable",
    "redirect": "elsewhere",
    "elsewhere": "elsewhere",
    "huge": "too-large",
    "no-next": "no reason",
    "slow-10000": "too-late",
    "drip": "too-late",
    "endless": "too-late",
}
# These hold a call up to its deadline.
SLOW = ("slow-10000", "drip", "endless")
# What they bring is some of the list.
BRINGS_SOME = ("partly in scope", "elsewhere", "no-next", "endless")
SCOPES = {"out of scope": "user/Patient.read user/Condition.read", "partly in scope": "user/*.rs?category=laboratory"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One call: the key's state, the server's answer, and what came of it."""

    state: str
    answer: str
    status: int
    rules: dict[str, str]
    milliseconds: int

    @property
    def said(self) -> str:
        """What the cards say of lists that did not come: the rule with the reason, or nothing."""
        return "; ".join(f"{rule} ({why})" if why else rule for rule, why in self.rules.items()) or "nothing is missing"


def expected(state: str, answer: str) -> dict[str, str]:
    """The rules about missing lists that have to speak, with the reason they give for the list."""
    if state in AT_ITS_WORD or answer in (WHOLE, "once-503"):
        return {}
    if answer == "no access":
        reasons = {"absent": "not-attempted", "OperationOutcome": "failed", "outcome among entries": "failed"}
        return (
            {"data-incomplete-paging": ""} if state in IN_PART else {"data-unavailable": reasons.get(state, "unusable")}
        )
    is_some = answer in BRINGS_SOME or state in IN_PART
    reason = "" if ANSWERS[answer] == "no reason" else ANSWERS[answer]
    return {"data-incomplete-paging" if is_some else "data-unavailable": reason}


def application(budget_ms: int, largest_mb: int = 16) -> Flask:
    """The service at the fixtures' moment, with this much time for a call and this much weight for a list."""
    settings = {"CDS_BUDGET_MS": str(budget_ms), "CDS_MAX_BODY_MB": str(largest_mb), "CDS_LOG_LEVEL": "error"}
    return create_app(load_settings({"CDS_MODE": "demo", "CDS_NOW": NOW, **settings}))


def cell(client: FlaskClient, ehr: str, state: str, answer: str) -> Cell:
    """The call with the key in this state and a FHIR server at `ehr` that answers like this."""
    request = {**_request(state, _base(ehr, answer)), **_access(ehr, answer)}
    started = perf_counter()
    reply = client.post(f"/cds-services/{SERVICE}", data=write_json(request), content_type="application/json")
    milliseconds = round((perf_counter() - started) * 1000)
    body = read_json_object(reply.data)
    rules = {
        f["rule"]: _reason(f) for f in findings_in(body) if f["rule"] in ("data-unavailable", "data-incomplete-paging")
    }
    return Cell(state, answer, reply.status_code, rules, milliseconds)


def _reason(finding: Json) -> str:
    reasons = str(finding.get("values", {}).get("reasons", ""))
    return reasons.removeprefix(f"{KEY}: ")


def _access(ehr: str, answer: str) -> Json:
    if answer == "no access":
        return {}
    server = "https://not-listed.example.org/fhir" if answer == "not listed" else _base(ehr, answer)
    return {
        "fhirServer": server,
        "fhirAuthorization": {
            "access_token": "synthetic-demo-token",
            "token_type": "Bearer",
            "expires_in": 0 if answer == "expired" else 300,
            "scope": SCOPES.get(answer, "user/*.read"),
            "subject": "onasemnogene-cds",
        },
    }


def _base(ehr: str, answer: str) -> str:
    is_fault = answer not in (WHOLE, *SCOPES, "no access", "not listed", "expired")
    place = f"faulty/{answer}:Observation" if is_fault else "scenarios"
    return f"{ehr}/demo/{place}/{SERVICE}/{SCENARIO}/fhir"


def _request(state: str, base: str) -> Json:
    request = compose_request(deepcopy(scenarios()[SCENARIO]), HOOK)
    prefetch = request["prefetch"]
    if state == "absent":
        del prefetch[KEY]
        return request
    prefetch[KEY] = _in_state(prefetch[KEY], state, base)
    return request


def _in_state(whole: Json, state: str, base: str) -> Any:
    patient = whole["entry"][0]["resource"]["subject"]["reference"].partition("/")[2]
    next_page = {"relation": "next", "url": f"{base}/Observation?patient={patient}"}
    return {
        "whole": whole,
        "null": None,
        "empty": {"resourceType": "Bundle", "type": "searchset", "total": 0},
        "OperationOutcome": OUTCOME,
        "outcome among entries": {**whole, "entry": [{"resource": OUTCOME, "search": {"mode": "outcome"}}]},
        "web page": "<!DOCTYPE html><html><body>Service unavailable</body></html>",
        "another list": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {"resourceType": "Procedure", "id": "p", "subject": {"reference": f"Patient/{patient}"}}}]},
        "wrapped": {"resource": whole},
        "first page": {**whole, "total": len(whole["entry"]), "entry": whole["entry"][:2], "link": [next_page]},
        "fewer than its total": {**whole, "total": len(whole["entry"]), "entry": whole["entry"][:2]},
    }[state]  # fmt: skip


def cells(client: FlaskClient, ehr: str) -> Iterator[Cell]:
    """Every state against every answer; a key taken at its word against one, because nobody asks."""
    for state in STATES:
        for answer in ANSWERS if state not in AT_ITS_WORD else (WHOLE, "status-500"):
            yield cell(client, ehr, state, answer)


def main() -> None:
    """Print the table."""
    from web.conftest import served

    application_under_test = application(budget_ms=2000)
    with served(application_under_test, threads=64) as ehr:
        print("| prefetch key | FHIR server | status | what the cards say | ms |\n|---|---|---|---|---|")
        for one in cells(application_under_test.test_client(), ehr):
            mark = "" if one.rules == expected(one.state, one.answer) else "  UNEXPECTED"
            print(f"| {one.state} | {one.answer} | {one.status} | {one.said}{mark} | {one.milliseconds} |")


if __name__ == "__main__":
    main()
