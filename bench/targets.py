"""What was wished for, what was measured, and whether that meets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import NO_FIGURE, Spread, ratios, shown
from bench.memory import Soak
from bench.rounds import Cell

MET, MISSED, UNKNOWN = "met", "**missed**", "not measured"
MOST_P99 = 50.0


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a median. `is_least` says that the bound is the smallest value that meets it, else the largest."""

    what: str
    bound: float
    unit: str
    measured: Spread | None
    is_least: bool

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
        return f"{'at least' if self.is_least else 'at most'} {self.bound:g} {self.unit}".rstrip()

    @property
    def found(self) -> str:
        """What was measured, in words."""
        return NO_FIGURE if self.measured is None else f"{shown(self.measured)} {self.unit}".rstrip()


def all_targets(cells: Mapping[tuple[str, str], Cell], soak: Soak | None) -> list[Target]:
    """Every target with what was measured for it."""

    def rate(call: str, ours: str, theirs: str) -> Spread | None:
        return _spread(cells, (call, ours), (call, theirs), lambda cell: cell.most)

    def cpu(one: tuple[str, str], other: tuple[str, str]) -> Spread | None:
        return _spread(cells, one, other, lambda cell: cell.cpu)

    def least(what: str, bound: float, measured: Spread | None) -> Target:
        return Target(what, bound, "x", measured, is_least=True)

    def most(what: str, bound: float, measured: Spread | None, unit: str = "x") -> Target:
        return Target(what, bound, unit, measured, is_least=False)

    sizes = (
        ("order-sign-200", "order signed, 200 Observations"),
        ("patient-view-200", "chart opened, 200 Observations"),
    )
    targets = [
        least(
            "irrelevant call: rate to HealthChain that reads the drafts",
            6,
            rate("order-select", "service", "HealthChain, drafts"),
        ),
        least(
            "irrelevant call: rate to HealthChain that cannot see the drafts",
            6,
            rate("order-select", "service", "HealthChain"),
        ),
        least("irrelevant call: rate to the bare function", 0.25, rate("order-select", "service", "bare function")),
        least(
            "irrelevant call, ES384: rate to the bare function that checks too",
            0.5,
            rate("order-select", "service, ES384", "bare function, ES384"),
        ),
        least(
            "irrelevant call, RS384: rate to the bare function that checks too",
            0.5,
            rate("order-select", "service, RS384", "bare function, RS384"),
        ),
    ]
    for call, words in sizes:
        targets += [
            least(f"{words}: rate to HealthChain", 15, rate(call, "service", "HealthChain")),
            most(f"{words}: CPU to the bare function", 3, cpu((call, "service"), (call, "bare function"))),
        ]
    targets.append(
        most(
            "CPU of 20,000 Observations to that of 200",
            120,
            cpu(("patient-view-20000", "service"), ("patient-view-200", "service")),
        )
    )
    timed = [
        (call, name)
        for call in ("order-select", "order-sign-200", "patient-view-200")
        for name in ("service", "service, ES384")
    ]
    for call, name in timed:
        cell = cells.get((call, name))
        tokens = ", ES384" if name != "service" else ""
        targets.append(most(f"{call}{tokens}: p99 under half of the most", MOST_P99, cell and cell.latency(99), "ms"))
    if soak is not None:
        growth = Spread(soak.growth, soak.growth, soak.growth)
        targets.append(
            most(f"growth over the last three quarters of {soak.calls:,} calls", soak.most_growth, growth, "MB")
        )
    return targets


def _spread(
    cells: Mapping[tuple[str, str], Cell],
    one: tuple[str, str],
    other: tuple[str, str],
    values: Callable[[Cell], Sequence[float]],
) -> Spread | None:
    """The ratio of one cell's values to another's, round by round; None where one was not measured."""
    if one not in cells or other not in cells:
        return None
    return Spread.of(ratios(values(cells[one]), values(cells[other])))
