"""Ask every operation of the served description, well and badly formed: python -m tests.fuzz_openapi [--seconds N] [--seed S].

Schemathesis reads /openapi.json from the service and makes the requests; the service answers in this process. Prints
what was asked and every fault; exit 1 on any. Without --seconds one round is made: each boundary of every schema, and
--examples random requests for each operation. With --seconds more rounds of random requests follow, each with the next
seed, until the time is up. The same seed makes the same requests.

This is a process of its own, because schemathesis changes Hypothesis for everything that runs beside it.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import schemathesis
import structlog
from flask import Flask
from hypothesis.errors import HypothesisWarning
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from cds_service.hooks.services import SERVICES

try:
    from fuzzed_service import every_other_call_is_about_a_child, service
except ModuleNotFoundError:  # started as a module, from the repository's root; the builders import one another by name
    sys.path.append(str(Path(__file__).parent))
    from fuzzed_service import every_other_call_is_about_a_child, service

Json = dict[str, Any]
DESCRIPTION = "/openapi.json"
# The first feedback operation stands for the seven, which differ in their address alone; the random phase asks them all.
SAME_FEEDBACK = [f"/cds-services/{service.service_id}/feedback" for service in SERVICES[1:]]
# Well-formed calls may concern a child whose Patient was not sent, and a timeline may be asked for by a relative.
ANSWERS_TO_GOOD_CALLS = ["2xx", "403", "412"]
CHECKS: Json = {
    # Requests are read tolerantly: what has no bearing on a card is not refused for its form. What is refused stands in
    # test_openapi.py, member by member.
    "negative_data_rejection": {"enabled": False},
    "positive_data_acceptance": {"expected-statuses": ANSWERS_TO_GOOD_CALLS},
    # Its probes do not reach a WSGI application (schemathesis 4.32); no_answer_without_a_fresh_token asks instead, and more.
    "ignored_auth": {"enabled": False},
    # Nothing here is created, found again or deleted.
    "use_after_free": {"enabled": False},
    "ensure_resource_availability": {"enabled": False},
    "object_level_authorization": {"enabled": False},
}


@dataclass
class Run:
    """What was asked and what came of it: statuses by operation, and each fault once with the request that shows it.

    `with_cards` counts the answers that hold cards.
    """

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    with_cards: Counter[str] = field(default_factory=Counter)
    faults: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """How many requests were sent."""
        return sum(sum(counted.values()) for counted in self.statuses.values())

    def add(self, recorder: ScenarioRecorder) -> None:
        """Take in what was done for one operation."""
        counted = self.statuses.setdefault(recorder.label, Counter())
        responses = [i.response for i in recorder.interactions.values() if i.response is not None]
        counted.update(response.status_code for response in responses)
        self.with_cards[recorder.label] += sum(b'"cards":[{' in response.content for response in responses)
        for checks in recorder.checks.values():
            for check in checks:
                if check.status is Status.FAILURE and check.failure_info is not None:
                    said = f"{check.failure_info.failure.title}: {check.failure_info.failure.message}"
                    self.faults.setdefault((recorder.label, said), check.failure_info.code_sample)

    def report(self) -> Json:
        """The same as JSON."""
        return {
            "operations": {label: dict(sorted(counted.items())) for label, counted in sorted(self.statuses.items())},
            "withCards": dict(self.with_cards),
            "faults": [{"operation": o, "says": says, "request": sent} for (o, says), sent in self.faults.items()],
        }


class FaultsLogged(io.StringIO):
    """Of what the service logs, the lines that say where it failed."""

    def write(self, written: str) -> int:
        """Keep a line where it tells a fault."""
        return super().write(f"{written.strip()}\n") if '"failed"' in written else len(written)


# --- rounds


def one_round(app: Flask, run: Run, seed: int, examples: int, *, has_boundaries: bool, most_seconds: int = 0) -> None:
    """Ask every operation: random requests, and, with boundaries, each boundary of its schemas."""
    config: Json = {
        "seed": seed,
        "workers": 1,
        "generation": {"max-examples": examples, "database": "none"},
        "phases": {
            "examples": {"enabled": False},
            "coverage": {"enabled": has_boundaries},
            "stateful": {"enabled": False},
        },
        "checks": {**CHECKS, **({"max_response_time": most_seconds} if most_seconds else {})},
        "operations": [{"include-path": path, "phases": {"coverage": {"enabled": False}}} for path in SAME_FEEDBACK],
    }
    schema = schemathesis.openapi.from_wsgi(DESCRIPTION, app, config=SchemathesisConfig.from_dict(config))
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                run.add(event.recorder)
            case events.NonFatalError():
                # Not the service's fault, and yet an operation that was not asked.
                run.faults.setdefault((event.label, f"{type(event.value).__name__}: {event.value}"), "")
            case events.FatalError():
                raise event.exception


def main(arguments: list[str] | None = None) -> int:
    """Run as the module's docstring says; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz_openapi", description="Fuzz what /openapi.json describes."
    )
    parser.add_argument("--mode", choices=["demo", "production"], default="demo")
    parser.add_argument("--seconds", type=int, default=0, help="go on with further seeds for so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=10, help="random requests for each operation and round")
    parser.add_argument("--no-boundaries", action="store_true", help="random requests only")
    parser.add_argument("--most-seconds", type=int, default=0, help="a call that takes longer is a fault")
    parser.add_argument("--report", type=Path, help="write what was found here as JSON")
    given = parser.parse_args(arguments)
    until, run, log, rounds = monotonic() + given.seconds, Run(), FaultsLogged(), 0
    # A fault is shown by its own request.
    warnings.simplefilter("ignore", HypothesisWarning)
    with service(given.mode) as app:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
        every_other_call_is_about_a_child()
        while not rounds or monotonic() < until:
            has_boundaries = not rounds and not given.no_boundaries
            one_round(
                app,
                run,
                given.seed + rounds,
                given.examples,
                has_boundaries=has_boundaries,
                most_seconds=given.most_seconds,
            )
            rounds += 1
    if given.report:
        given.report.write_text(json.dumps(run.report()), encoding="utf-8")
    for (operation, says), sent in run.faults.items():
        print(f"{operation}: {says}\n    {sent}", file=sys.stderr)
    print(log.getvalue(), end="", file=sys.stderr)
    seeds = f"seeds {given.seed} to {given.seed + rounds - 1}" if rounds > 1 else f"seed {given.seed}"
    print(f"{len(run.statuses)} operations, {run.calls} calls, {seeds}, {len(run.faults)} faults")
    return 1 if run.faults else 0


if __name__ == "__main__":
    sys.exit(main())
