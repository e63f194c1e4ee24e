"""The service against the limit, its peers and other servers: `python -m bench.compare`, what `make bench` runs.

Prints the page with all figures; `--write` puts it into docs/performance.md. `--quick` is for trying things out: its
figures mean little. `--calls`, `--subjects` and `--parts` choose by name, as in `--calls order-select discovery`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from bench.calls import all_calls, names_of_calls
from bench.connection import WrongAnswer
from bench.environments import installed
from bench.machine import Machine
from bench.memory import MIX, soak
from bench.postgresql import SERVER, own_database
from bench.report import Run, page
from bench.rounds import FULL, QUICK, run_rounds
from bench.server_choice import NEEDED, SERVERS, compare_servers
from bench.servers import ROOT, DidNotStart, Server
from bench.subjects import PEERS_PYTHON, Subject, all_subjects
from bench.tokens import Issuer

PAGE = ROOT / "docs" / "performance.md"
Named = TypeVar("Named")
PARTS = ("rounds", "servers", "memory")
# Whose start-up is of interest: the others start in the same way.
_STARTED_OFTEN = ("service", "bare function", "Flask view", "HealthChain")


def main() -> int:
    """One run as the arguments say; 1 where somebody did not start or gave a wrong answer."""
    given = _arguments()
    begun = perf_counter()
    try:
        run = _run(given)
    except (DidNotStart, WrongAnswer) as fault:
        print(f"nothing is reported: {fault}", file=sys.stderr)
        return 1
    text = page(run)
    print(text)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    _tell(f"done in {(perf_counter() - begun) / 60:.1f} minutes")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds")
    parser.add_argument("--rounds", type=int, metavar="N", help="so many rounds in place of five, or two")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    for name in ("calls", "subjects", "parts"):
        parser.add_argument(f"--{name}", nargs="+", metavar="NAME", help="only these")
    return parser.parse_args()


def _run(given: argparse.Namespace) -> Run:
    plan = QUICK if given.quick else FULL
    plan = replace(plan, rounds=given.rounds or plan.rounds)
    parts = given.parts or PARTS
    names = list(_chosen(dict.fromkeys(names_of_calls()), given.calls))
    _chosen(dict.fromkeys(PARTS), given.parts)
    _tell("making the calls")
    run = Run(Machine.here(), plan, all_calls(names))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cds-bench-")))
        postgresql = stack.enter_context(own_database())
        if postgresql is None:
            _tell(f"{SERVER} is not set: feedback is measured on SQLite only")
        issuer = Issuer()
        subjects = all_subjects(issuer, folder, postgresql)
        if not PEERS_PYTHON.is_file():
            raise DidNotStart(f"there is no {PEERS_PYTHON.relative_to(ROOT)}; run make bench, which makes it")
        if "rounds" in parts:
            asked = _chosen({name: each for name, each in subjects.items() if each.calls}, given.subjects)
            _measure_calls(run, asked, issuer, folder)
        if "servers" in parts:
            _measure_servers(run, {name: subjects[name] for name in SERVERS}, issuer, folder)
        if "memory" in parts:
            _measure_memory(run, subjects["service"], folder)
    return run


def _measure_calls(run: Run, subjects: Mapping[str, Subject], issuer: Issuer, folder: Path) -> None:
    with ExitStack() as stack:
        servers = {name: _started(run, subject, folder, stack) for name, subject in subjects.items()}
        for number, call, name, cells in run_rounds(run.plan, subjects, list(run.calls.values()), servers, issuer):
            run.cells = cells
            cell = cells[call, name]
            _tell(f"round {number}, {call}, {name}: {cell.most[-1]:.1f} calls/s, {cell.cpu[-1] * 1000:.2f} ms CPU")
        run.shared_megabytes = {name: server.shared_megabytes() for name, server in servers.items()}
    run.environments = installed()


def _started(run: Run, subject: Subject, folder: Path, stack: ExitStack) -> Server:
    """A running server, stopped at the end; some are started several times for the time it takes."""
    seconds = run.start_ups.setdefault(subject.name, [])
    for _ in range(run.plan.starts - 1 if subject.name in _STARTED_OFTEN else 0):
        server = subject.start(folder, run.machine.server_core)
        server.stop()
        seconds.append(server.start_up)
    server = subject.start(folder, run.machine.server_core)
    stack.callback(server.stop)
    seconds.append(server.start_up)
    _tell(f"{subject.name}: first answer after {server.start_up:.2f} s")
    return server


def _measure_servers(run: Run, subjects: Mapping[str, Subject], issuer: Issuer, folder: Path) -> None:
    with ExitStack() as stack:
        servers = {}
        for name, subject in subjects.items():
            servers[name] = subject.start(folder, run.machine.server_core)
            stack.callback(servers[name].stop)
        for number, call, kind, name, choice in compare_servers(run.plan, subjects, all_calls(NEEDED), servers, issuer):
            run.choice = choice
            beside = choice[call, kind, name]
            answered = f"{beside.answered[-1] * 100:.0f} % answered"
            _tell(f"round {number}, {call}, {SERVERS[name]}, others {kind}: {beside.rates[-1]:.0f} calls/s, {answered}")


def _measure_memory(run: Run, service: Subject, folder: Path) -> None:
    server = service.start(folder, run.machine.server_core)
    try:
        for seen in soak(server, all_calls(MIX), run.plan.soak):
            run.soak = seen
            _tell(f"memory: {seen.readings[-1]:.1f} MB")
    finally:
        server.stop()


def _chosen(everything: Mapping[str, Named], names: Iterable[str] | None) -> dict[str, Named]:
    """Those that were asked for by name, in the order of all; everything without names."""
    wanted = set(names or everything)
    if unknown := wanted - set(everything):
        raise SystemExit(f"{min(unknown)} is unknown; use some of: {', '.join(everything)}")
    return {name: each for name, each in everything.items() if name in wanted}


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
