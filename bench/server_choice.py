"""The service under several servers, alone and beside a crowd of other clients: what the default is chosen by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bench.calls import Call
from bench.client import closed_loop, open_loop
from bench.crowd import CROWDS, crowd
from bench.figures import percentile
from bench.rounds import TIMED_CONNECTIONS, TOGETHER, Plan
from bench.servers import Server
from bench.subjects import Subject
from bench.tokens import Issuer

SERVERS = {"service": "gunicorn", "granian": "granian", "waitress": "waitress"}
# The first one is measured beside every crowd, the second one alone.
CALLS = ("order-select", "patient-view-200")
NEEDED = (*CALLS, "discovery")
_WARM, _ROUNDS = 50, 3
# So many times longer than it should take is waited for answers that do not come.
_PATIENCE = 3
Choice = dict[tuple[str, str, str], "Beside"]


@dataclass(slots=True)
class Beside:
    """One server on one call beside one crowd: a value for each round; `answered` is a share of what was sent."""

    rates: list[float] = field(default_factory=list)
    p99_milliseconds: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def compare_servers(
    plan: Plan,
    subjects: Mapping[str, Subject],
    calls: Mapping[str, Call],
    servers: Mapping[str, Server],
    issuer: Issuer,
) -> Iterator[tuple[int, str, str, str, Choice]]:
    """Measure, and tell after each step how far it is: round, call, crowd, server, and everything so far."""
    choice: Choice = {}
    for number in range(min(_ROUNDS, plan.rounds)):
        for call in (calls[name] for name in CALLS):
            for kind in CROWDS if call.name == CALLS[0] else CROWDS[:1]:
                for name, server in servers.items():
                    beside = choice.setdefault((call.name, kind, name), Beside())
                    alone = choice[call.name, CROWDS[0], name].rates
                    with crowd(kind, server.port, calls["discovery"], calls["order-select"]):
                        _measure(beside, subjects[name], call, server, issuer, plan, alone[0] if alone else None)
                    yield number + 1, call.name, kind, name, choice


def _measure(
    beside: Beside, subject: Subject, call: Call, server: Server, issuer: Issuer, plan: Plan, alone: float | None
) -> None:
    """The most calls a second, then a timetable of half of `alone`, what the server does without a crowd."""
    port = server.port
    if alone is None:
        closed_loop(port, subject.requests(call, issuer, _WARM), TOGETHER, _WARM)
        alone = closed_loop(port, subject.requests(call, issuer, _WARM), TOGETHER, _WARM).rate
    number = max(TOGETHER, round(alone * plan.closed_seconds))
    patience = _PATIENCE * plan.closed_seconds
    beside.rates.append(closed_loop(port, subject.requests(call, issuer, number), TOGETHER, number, patience).rate)
    rate, patience = alone / 2, _PATIENCE * plan.timed_seconds
    number = max(TOGETHER, round(rate * plan.timed_seconds))
    timed = open_loop(port, subject.requests(call, issuer, number), TIMED_CONNECTIONS, number, rate, patience)
    beside.answered.append(len(timed.latencies) / number)
    if timed.latencies:
        beside.p99_milliseconds.append(percentile(timed.latencies, 99) * 1000)
    beside.megabytes.append(server.shared_megabytes())
