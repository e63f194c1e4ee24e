"""Figures → one page of Markdown: what was wished for, what was measured, how, and how to do it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.calls import Call
from bench.crowd import CROWDS
from bench.environments import Installed, version_of
from bench.figures import NO_FIGURE, Spread, ratios, shown, shown_as_times, written
from bench.machine import Machine
from bench.memory import Soak
from bench.page_words import BEGINNING, CROWDED, GROWTH, HEADINGS, METHOD, REMARKS, RESOURCES, SOAKED, SUBJECTS
from bench.rounds import Cell, Cells, Plan
from bench.server_choice import CALLS, SERVERS, Choice
from bench.targets import BARE, SERVICE, all_targets

_VERSIONS = ("gunicorn", "flask", "msgspec", "pyjwt", "granian", "waitress", "healthchain", "uvicorn")


@dataclass(slots=True)
class Run:
    """Everything that a run has found; what was not asked for is empty."""

    machine: Machine
    plan: Plan
    calls: Mapping[str, Call]
    cells: Cells = field(default_factory=dict)
    start_ups: dict[str, list[float]] = field(default_factory=dict)
    shared_megabytes: dict[str, float] = field(default_factory=dict)
    environments: dict[str, Installed] = field(default_factory=dict)
    choice: Choice = field(default_factory=dict)
    soak: Soak | None = None


def page(run: Run) -> str:
    """The whole page."""
    parts = [_beginning(run), HEADINGS["targets"], _targets(run), HEADINGS["calls"], *_calls(run)]
    parts += [GROWTH, _growth(run), RESOURCES, _resources(run)]
    if run.choice:
        parts += [CROWDED, _servers(run)]
    if run.soak is not None:
        parts += [SOAKED, _soak(run.soak)]
    if REMARKS.is_file():
        parts.append(REMARKS.read_text("utf-8").strip())
    return "\n\n".join(part for part in parts if part) + "\n"


def _beginning(run: Run) -> str:
    machine = run.machine
    versions = ", ".join(f"{name} {version_of(name)}" for name in _VERSIONS)
    return "\n\n".join(
        (
            BEGINNING.format(
                day=machine.day,
                processor=machine.processor,
                cores=machine.cores,
                gigabytes=written(machine.gigabytes),
                system=machine.system,
                python=machine.python,
                versions=versions,
            ),
            SUBJECTS,
            METHOD.format(
                placing="The server has one core, the client another."
                if machine.server_core is not None
                else "Server and client share the only core, so that rates are lower than they would be.",
                rounds=run.plan.rounds,
                closed=f"{run.plan.closed_seconds:g}",
                timed=f"{run.plan.timed_seconds:g}",
            ),
        )
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _targets(run: Run) -> str:
    targets = all_targets(run.cells, run.soak)
    rows = [(each.what, each.wanted, each.found, each.verdict, each.reachable) for each in targets]
    return table(("target", "wanted", "measured", "verdict", "the bare function reaches"), rows)


def _calls(run: Run) -> Iterable[str]:
    heads = (
        "subject",
        "calls/s, 1 connection",
        "calls/s, 4 connections",
        "the service's rate to this",
        "CPU ms a call",
    )
    heads = (*heads, "p50 ms", "p95 ms", "p99 ms", "peak MB")
    for call in run.calls.values():
        cells = {name: cell for (of, name), cell in run.cells.items() if of == call.name}
        if not cells:
            continue
        rows = [_call_row(name, cell, cells.get(_comparable(name))) for name, cell in cells.items()]
        size = f", {written(call.kilobytes)} kB" if call.body else ""
        yield f"### {call.name}{size}\n\n{table(heads, rows)}"


def _comparable(name: str) -> str:
    """The service in the way of running that a subject is compared with: with the same tokens, or without any."""
    algorithm = name.rpartition(", ")[2]
    return f"{SERVICE}, {algorithm}" if algorithm in ("ES384", "RS384") else SERVICE


def _call_row(name: str, cell: Cell, service: Cell | None) -> Sequence[str]:
    milliseconds = [seconds * 1000 for seconds in cell.cpu]
    ratio = None if service is None or service is cell else Spread.of(ratios(service.most, cell.most))
    latencies = [shown(cell.latency(percent)) for percent in (50, 95, 99)]
    rates = (shown(Spread.of(cell.alone)), shown(Spread.of(cell.together)))
    return (
        name,
        *rates,
        shown_as_times(ratio),
        shown(Spread.of(milliseconds)),
        *latencies,
        written(cell.peak_megabytes),
    )


def _growth(run: Run) -> str:
    charts = [call for call in run.calls.values() if call.name.startswith("patient-view")]
    rows = []
    for name in (SERVICE, BARE, "HealthChain"):
        cells = [run.cells.get((call.name, name)) for call in charts]
        if not cells or cells[0] is None:
            continue
        figures = [shown(Spread.of([value * 1000 for value in cell.cpu])) if cell else NO_FIGURE for cell in cells]
        times = [shown_as_times(Spread.of(ratios(cell.cpu, cells[0].cpu))) if cell else NO_FIGURE for cell in cells[1:]]
        rows.append((name, *figures, *times))
    if not rows:
        return ""
    sizes = [f"{call.observations:,}" for call in charts]
    heads = ("subject", *(f"{size}: CPU ms" for size in sizes), *(f"{size} to {sizes[0]}" for size in sizes[1:]))
    return table(heads, rows)


def _resources(run: Run) -> str:
    rows = []
    for name, seconds in run.start_ups.items():
        memory = run.shared_megabytes.get(name)
        there = run.environments.get(name)
        rows.append(
            (
                name,
                shown(Spread.of(seconds)),
                NO_FIGURE if memory is None else written(memory),
                NO_FIGURE if there is None else str(there.packages),
                NO_FIGURE if there is None else written(there.megabytes),
            )
        )
    return table(("subject", "start-up, s", "all processes, MB", "packages", "installed MB"), rows)


def _servers(run: Run) -> str:
    parts = []
    heads = ("server", "other connections", "calls/s", "p99 ms", "answered", "all processes, MB")
    for call in CALLS:
        rows = []
        for name, server in SERVERS.items():
            for kind in CROWDS:
                beside = run.choice.get((call, kind, name))
                if beside is not None:
                    share = shown(Spread.of([each * 100 for each in beside.answered]))
                    figures = [shown(Spread.of(values)) for values in (beside.rates, beside.p99_milliseconds)]
                    rows.append((server, kind, *figures, f"{share} %", shown(Spread.of(beside.megabytes))))
        if rows:
            parts.append(f"### {call}\n\n{table(heads, rows)}")
    return "\n\n".join(parts)


def _soak(soak: Soak) -> str:
    step = soak.calls // (len(soak.readings) - 1)
    rows = [(f"{number * step:,}", written(reading)) for number, reading in enumerate(soak.readings)]
    verdict = "flat" if soak.is_flat else "**not flat**"
    told = f"The last three quarters added {soak.growth:.1f} MB: {verdict}."
    return f"{table(('calls', 'worker, MB'), rows)}\n\n{told}"
