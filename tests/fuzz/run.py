"""Send mutated requests to the service for long, and say what is wrong: python -m tests.fuzz.run (make fuzz).

    --seconds N       how long each process goes on (3600)
    --seed S          which inputs: the same seed sends the same ones in the same order (today's date)
    --processes N     how many at a time (2)
    --only SEED:INDEX one input alone: what was changed, and what the answers say

Prints how many inputs of each kind were sent, what came back, and which took longest. What is found is written to
build/fuzz/, one file for each input, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .asking import SECONDS_UNTIL_A_HANG, Service
from .bases import every_base
from .finding import Examiner, Finding
from .inputs import Input, every_kind, input_of

FOLDER = Path(__file__).parents[2] / "build" / "fuzz"
_SLOWEST = 10
_MOST_KEPT = 3_000
_ENOUGH_TO_SHOW = 40


@dataclass
class Tally:
    """What one process has sent and got back. `slowest` are CPU seconds with the input's name, kinds and size."""

    inputs: int = 0
    of_damage: int = 0
    cpu_seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    slowest: list[tuple[float, str, str, int]] = field(default_factory=list)

    def add(self, given: Input, status: int, seconds: float, finding: Finding | None) -> None:
        """Count one input."""
        self.inputs += 1
        self.of_damage += given.is_damage
        self.cpu_seconds += seconds
        self.kinds.update(given.kinds)
        self.statuses[status] += 1
        for fault in finding.faults if finding else ():
            self.faults[fault] += 1
            self.examples.setdefault(fault, given.name)
        if len(self.slowest) < _SLOWEST or seconds > self.slowest[-1][0]:
            slow = (seconds, given.name, ", ".join(given.kinds), len(given.request.body))
            self.slowest = sorted([*self.slowest, slow], reverse=True)[:_SLOWEST]

    def join(self, other: Tally) -> None:
        """Take in what another process has counted."""
        self.inputs += other.inputs
        self.of_damage += other.of_damage
        self.cpu_seconds += other.cpu_seconds
        self.kinds += other.kinds
        self.statuses += other.statuses
        self.faults += other.faults
        self.examples = {**other.examples, **self.examples}
        self.slowest = sorted([*self.slowest, *other.slowest], reverse=True)[:_SLOWEST]


def fuzz(seed: int, seconds: float, first: int, step: int) -> Tally:
    """Send every `step`-th input from `first` on until the time is up."""
    service, tally = Service(), Tally()
    examiner, ends = Examiner(service), time.monotonic() + seconds
    index, kept = first, 0
    with service.listening():
        while time.monotonic() < ends:
            # Where not even the alarm is heard, say where the service hangs, and end.
            faulthandler.dump_traceback_later(3 * SECONDS_UNTIL_A_HANG, exit=True)
            given = input_of(seed, index)
            began = time.process_time()
            status, finding = _examined(given, examiner)
            tally.add(given, status, time.process_time() - began, finding)
            if finding is not None and kept < _MOST_KEPT:
                kept += 1
                keep(finding)
            index += step
        faulthandler.cancel_dump_traceback_later()
    return tally


def _examined(given: Input, examiner: Examiner) -> tuple[int, Finding | None]:
    """The status of the answer, and what is wrong with it; 0 where our own examination fails, so that the run goes on."""
    try:
        reply, finding = examiner.examine(given)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"not examined: {type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
        return 0, Finding(given, (fault,))
    return reply.status, finding


def keep(finding: Finding) -> None:
    """Write an input and what is wrong with its answer into a folder that git ignores."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    given = finding.given
    path = FOLDER / f"{given.seed}-{given.index}"
    path.with_suffix(".body").write_bytes(given.request.body)
    said = {
        "again": f"python -m tests.fuzz.run --only {given.name}",
        "base": given.base.name,
        "kinds": given.kinds,
        "method": given.request.method,
        "path": given.request.path,
        "headers": dict(given.request.headers),
        "faults": finding.faults,
    }
    path.with_suffix(".json").write_text(json.dumps(said, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where two documents differ, each with what stood and what stands there."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name, "(absent)"), after.get(name, "(absent)"), f"{path}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif before != after:
        yield f"{path}: {json.dumps(before)[:300]} -> {json.dumps(after)[:300]}"


def show(given: Input) -> bool:
    """Print one input, what was changed in it, and what the answers say; whether it was answered as promised."""
    service = Service()
    examiner = Examiner(service)
    with service.listening():
        reply, finding = examiner.examine(given)
        before = service.ask(given.base)
    print(f"{given.name}  {given.base.name}  {', '.join(given.kinds)}{'  (damage)' if given.is_damage else ''}")
    print(f"{given.request.method} {given.request.path[:200]}  {dict(given.request.headers)}")
    for title, one, other in (("request", given.base.body, given.request.body), ("answer", before.body, reply.body)):
        print(f"\n{title}: {len(one)} -> {len(other)} bytes")
        try:
            print(*differences(json.loads(one), json.loads(other)), sep="\n")
        except ValueError:
            print(repr(other[:1_000]))
    print(f"\nstatus {before.status} -> {reply.status}", *(finding.faults if finding else ["as promised"]), sep="\n")
    return finding is None


def report(tally: Tally) -> None:
    """Print what was sent, what came back, what took longest and what was found."""
    print(f"{tally.inputs} inputs from {len(every_base())} requests, {tally.of_damage} of them damage only")
    print(f"{tally.cpu_seconds:.0f} CPU seconds, {1000 * tally.cpu_seconds / max(tally.inputs, 1):.1f} ms for one\n")
    print("statuses:", ", ".join(f"{status}: {count}" for status, count in sorted(tally.statuses.items())))
    print("kinds:", ", ".join(f"{name} {tally.kinds[name]}" for name in every_kind()), sep="\n")
    print("\nslowest, in CPU seconds:")
    print(*(f"  {s:.2f}  {name}  {size} bytes  {kinds}" for s, name, kinds, size in tally.slowest), sep="\n")
    print(f"\n{tally.faults.total()} faults of {len(tally.faults)} sorts")
    for fault, count in tally.faults.most_common(_ENOUGH_TO_SHOW):
        print(f"  {count} x {fault}, first of them {tally.examples[fault]}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.run", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=int(datetime.now(UTC).strftime("%Y%m%d")))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", metavar="SEED:INDEX")
    options = parser.parse_args()
    if options.only:
        seed, _, index = options.only.partition(":")
        return 0 if show(input_of(int(seed), int(index))) else 1
    works = [(options.seed, options.seconds, first, options.processes) for first in range(options.processes)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        tallies = pool.starmap(fuzz, works)
    whole = tallies[0]
    for tally in tallies[1:]:
        whole.join(tally)
    print(f"seed {options.seed}, {options.processes} processes for {options.seconds:.0f} seconds")
    report(whole)
    return 1 if whole.faults else 0


if __name__ == "__main__":
    sys.exit(main())
