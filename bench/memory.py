"""Whether memory stays flat: `python -m bench.memory [CALLS]` sends 100,000 calls to one server.

Of a hundred calls ninety are irrelevant, nine sign an order and one opens a chart, each with 200 Observations.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.calls import Call, all_calls
from bench.client import closed_loop
from bench.rounds import FULL, TOGETHER
from bench.servers import Server
from bench.subjects import all_subjects
from bench.tokens import Issuer

READINGS = 10
MIX = ("patient-view-200", *("order-sign-200",) * 9, *("order-select",) * 90)
# Growth over the last three quarters of a run that counts as none.
FLAT_MEGABYTES, FLAT_SHARE = 1.0, 0.02


@dataclass(frozen=True, slots=True)
class Soak:
    """The memory of the worker before the first call, and after each tenth of them, in megabytes."""

    calls: int
    readings: tuple[float, ...]

    @property
    def growth(self) -> float:
        """What the last three quarters added, in megabytes."""
        return self.readings[-1] - self.readings[-(len(self.readings) * 3 // 4)]

    @property
    def most_growth(self) -> float:
        """The growth that still counts as none, in megabytes."""
        return max(FLAT_MEGABYTES, FLAT_SHARE * self.readings[-1])

    @property
    def is_flat(self) -> bool:
        """Whether it grew by no more than that."""
        return self.growth <= self.most_growth


def soak(server: Server, calls: Mapping[str, Call], number: int) -> Iterator[Soak]:
    """Send so many calls, and tell after each tenth of them what the memory is. Raises WrongAnswer."""
    requests, readings = _mixed(calls), [server.resident_megabytes()]
    for _ in range(READINGS):
        closed_loop(server.port, requests, TOGETHER, number // READINGS)
        readings.append(server.resident_megabytes())
        yield Soak(number, tuple(readings))


def _mixed(calls: Mapping[str, Call]) -> Iterator[bytes]:
    each = {name: call.requests("", None) for name, call in calls.items()}
    while True:
        for name in MIX:
            yield next(each[name])


def main() -> None:
    """Print the memory after each tenth of the calls."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else FULL.soak
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = all_subjects(Issuer(), folder, None)["service"].start(folder, min(os.sched_getaffinity(0)))
        try:
            for seen in soak(server, all_calls(MIX), number):
                print(
                    f"{(len(seen.readings) - 1) * number // READINGS:>8} calls {seen.readings[-1]:8.1f} MB", flush=True
                )
        finally:
            server.stop()
    print(f"the last three quarters: {seen.growth:+.1f} MB, {'flat' if seen.is_flat else 'not flat'}")


if __name__ == "__main__":
    main()
