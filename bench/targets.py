"""What was wished for, what was measured, and whether that meets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bench.figures import NO_FIGURE, Spread, ratios, shown
from bench.memory import Soak
from bench.rounds import Cell

MET, MISSED, UNKNOWN = "met", "**missed**", "not measured"
SERVICE, BARE, PEER, PEER_WITH_DRAFTS = "service", "bare function", "HealthChain", "HealthChain, drafts"
IRRELEVANT, WITH_RECORD, SIGNED, OPENED = "order-select", "order-select-record", "order-sign-200", "patient-view-200"
Measured = Mapping[tuple[str, str], Cell]
# The service's calls a second are to be at least so many times those of another: call, who, whom, times.
_RATES: Final = (
    (IRRELEVANT, SERVICE, PEER, 6),
    (IRRELEVANT, SERVICE, PEER_WITH_DRAFTS, 6),
    (WITH_RECORD, SERVICE, PEER, 6),
    (WITH_RECORD, SERVICE, PEER_WITH_DRAFTS, 6),
    (IRRELEVANT, SERVICE, BARE, 0.25),
    (IRRELEVANT, f"{SERVICE}, ES384", f"{BARE}, ES384", 0.5),
    (IRRELEVANT, f"{SERVICE}, RS384", f"{BARE}, RS384", 0.5),
    (SIGNED, SERVICE, PEER, 15),
    (OPENED, SERVICE, PEER, 15),
)
# The CPU of one cell is to be at most so many times that of another: what, cell, cell, times.
_CPU: Final = (
    (f"{SIGNED}: CPU of {SERVICE} to that of {BARE}", (SIGNED, SERVICE), (SIGNED, BARE), 3),
    (f"{OPENED}: CPU of {SERVICE} to that of {BARE}", (OPENED, SERVICE), (OPENED, BARE), 3),
    ("CPU of 20,000 Observations to that of 200", ("patient-view-20000", SERVICE), (OPENED, SERVICE), 120),
)
# Under half of the most, 99 of 100 answers are to come within this time.
_MOST_MILLISECONDS: Final = 50
_TIMED: Final = tuple((call, name) for call in (IRRELEVANT, SIGNED, OPENED) for name in (SERVICE, f"{SERVICE}, ES384"))


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a median. `is_least` says that the bound is the smallest value that meets it, else the largest.

    `limit` is what the bare function reaches in place of the service: where it misses the bound, nobody can meet it.
    """

    what: str
    bound: float
    unit: str
    measured: Spread | None
    is_least: bool = False
    limit: Spread | None = None

    @property
    def verdict(self) -> str:
        """Whether the median meets the bound; the bound itself meets it."""
        if self.measured is None:
            return UNKNOWN
        value = self.measured.median
        return MET if (value >= self.bound if self.is_least else value <= self.bound) else MISSED

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"{'at least' if self.is_least else 'at most'} {self.bound:.3g} {self.unit}"

    @property
    def found(self) -> str:
        """What was measured, in words."""
        return self._told(self.measured)

    @property
    def reachable(self) -> str:
        """What the limit reaches, in words."""
        return self._told(self.limit)

    def _told(self, spread: Spread | None) -> str:
        return NO_FIGURE if spread is None else f"{shown(spread)} {self.unit}"


def all_targets(cells: Measured, soak: Soak | None) -> Iterator[Target]:
    """Every target with what was measured for it; that of memory only where it was."""
    for call, ours, theirs, times in _RATES:
        measured = _ratio(cells, (call, ours), (call, theirs), "most")
        limit = _ratio(cells, (call, BARE), (call, theirs), "most") if theirs.startswith(PEER) else None
        yield Target(f"{call}: rate of {ours} to that of {theirs}", times, "x", measured, True, limit)
    for what, one, other, times in _CPU:
        yield Target(what, times, "x", _ratio(cells, one, other, "cpu"))
    for call, name in _TIMED:
        cell = cells.get((call, name))
        measured = None if cell is None else cell.latency(99)
        yield Target(f"{call}, {name}: p99 under half of the most", _MOST_MILLISECONDS, "ms", measured)
    if soak is not None:
        growth = Spread(soak.growth, soak.growth, soak.growth)
        what = f"memory: growth over the last three quarters of {soak.calls:,} calls"
        yield Target(what, soak.most_growth, "MB", growth)


def _ratio(cells: Measured, one: tuple[str, str], other: tuple[str, str], figure: str) -> Spread | None:
    """A figure of one cell to that of another, round by round; None where one of them was not measured."""
    if one not in cells or other not in cells:
        return None
    return Spread.of(ratios(getattr(cells[one], figure), getattr(cells[other], figure)))
