"""Rounds: everybody answers every call in turn, again and again, so that no subject has the better minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.calls import Call
from bench.client import Load, closed_loop, open_loop
from bench.connection import WrongAnswer, ask
from bench.figures import Spread, percentile
from bench.servers import Server
from bench.subjects import Subject
from bench.tokens import Issuer

TOGETHER, TIMED_CONNECTIONS = 4, 8
# A call that takes longer than this, in seconds, is asked one at a time only, and has no timetable.
_LONG = 0.2
_FEWEST_TIMED = 100
# But no timetable takes so many times longer than planned.
_LONGEST_TIMED = 4
Cells = dict[tuple[str, str], "Cell"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: rounds, seconds of a closed loop and of a timetable, the fewest calls of a loop."""

    rounds: int
    closed_seconds: float
    timed_seconds: float
    fewest: int
    starts: int
    soak: int


FULL = Plan(rounds=5, closed_seconds=0.8, timed_seconds=1.0, fewest=1, starts=3, soak=100_000)
QUICK = Plan(rounds=2, closed_seconds=0.3, timed_seconds=0.5, fewest=1, starts=1, soak=5_000)


@dataclass(slots=True)
class Cell:
    """One subject on one call: a value for each round, seconds and calls a second; latencies of all timetables."""

    alone: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    timed: list[list[float]] = field(default_factory=list)
    peak_megabytes: float = 0.0
    expected_rate: float = 0.0

    @property
    def most(self) -> list[float]:
        """The most calls a second of each round."""
        if not self.together:
            return self.alone
        return [max(pair) for pair in zip(self.alone, self.together, strict=True)]

    def latency(self, percent: int) -> Spread | None:
        """A percentile of the latencies under half of the most, in milliseconds: over all rounds, with their range.

        None where there are too few of them for this percentile.
        """
        everything = [value for values in self.timed for value in values]
        if len(everything) * (100 - percent) < 100:
            return None
        each = [percentile(values, percent) * 1000 for values in self.timed]
        return Spread(percentile(everything, percent) * 1000, min(each), max(each))


def run_rounds(
    plan: Plan, subjects: Mapping[str, Subject], calls: Sequence[Call], servers: Mapping[str, Server], issuer: Issuer
) -> Iterator[tuple[int, str, str, Cells]]:
    """Measure, and tell after each step how far it is: round, call, subject, and everything measured so far.

    Raises WrongAnswer where somebody does not answer with 200.
    """
    cells: Cells = {}
    for number in range(plan.rounds):
        for call in calls:
            for name, subject in subjects.items():
                if call.name in subject.calls:
                    cell = cells.setdefault((call.name, name), Cell())
                    _measure(cell, subject, call, servers[name], issuer, plan)
                    yield number + 1, call.name, name, cells


def _measure(cell: Cell, subject: Subject, call: Call, server: Server, issuer: Issuer, plan: Plan) -> None:
    """One round of one subject on one call."""

    def closed(connections: int, number: int) -> Load:
        return closed_loop(server.port, subject.requests(call, issuer, number), connections, number)

    is_first = not cell.expected_rate
    if is_first:
        answer = ask(server.port, next(subject.requests(call, issuer, 1)))
        if not subject.is_right(call, answer):
            raise WrongAnswer(f"{subject.name} on {call.name}: {answer[:200]!r}")
        server.reset_peaks()
        cell.expected_rate = _first_rate(closed, plan)
    number = max(plan.fewest, round(cell.expected_rate * plan.closed_seconds))
    is_long = cell.expected_rate < 1 / _LONG
    before = server.cpu_seconds()
    loads = [closed(1, number)] if is_long else [closed(1, number), closed(TOGETHER, number)]
    cell.cpu.append((server.cpu_seconds() - before) / (number * len(loads)))
    cell.alone.append(loads[0].rate)
    if not is_long:
        cell.together.append(loads[1].rate)
        cell.timed.append(_timed(cell.most[-1] / 2, subject, call, server, issuer, plan).latencies)
    if is_first:  # later the process still holds what a larger call has left
        cell.peak_megabytes = server.peak_megabytes()


def _first_rate(closed: Callable[[int, int], Load], plan: Plan) -> float:
    """What it does about, once it is warm."""
    first = closed(1, 1)
    if first.rate < 1 / _LONG:
        return first.rate
    closed(1, 20)
    return closed(1, max(plan.fewest, round(first.rate * plan.closed_seconds / 4))).rate


def _timed(rate: float, subject: Subject, call: Call, server: Server, issuer: Issuer, plan: Plan) -> Load:
    """A timetable of so many calls a second, long enough for a high percentile."""
    seconds = min(max(plan.timed_seconds, _FEWEST_TIMED / rate), _LONGEST_TIMED * plan.timed_seconds)
    number = max(plan.fewest, round(rate * seconds))
    return open_loop(server.port, subject.requests(call, issuer, number), TIMED_CONNECTIONS, number, rate)
