"""A server as processes of its own, on one core, looked at from outside through /proc."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from bench.connection import WrongAnswer, ask

ROOT = Path(__file__).parents[1]
_PATIENCE = 60
_SECONDS_OF_A_TICK = 1 / os.sysconf("SC_CLK_TCK")
# Reset of the greatest amount of memory that a process has had, as proc(5) has it.
_RESET_PEAK = "5"


class DidNotStart(Exception):
    """A server that gave no answer in time; one line."""


@dataclass(slots=True)
class Server:
    """A running server: its first process, its port, and the seconds from its start to its first answer."""

    process: subprocess.Popen[bytes]
    port: int
    start_up: float = 0.0

    @classmethod
    def start(
        cls, command: Sequence[str], environment: Mapping[str, str], probe: bytes, core: int | None, log: Path
    ) -> Server:
        """Start it on this core, and wait until it answers the probe with 200. `{port}` in the command is its port.

        Raises DidNotStart.
        """
        port = free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CDS_", "WEB_", "BENCH_"))}
        begun = perf_counter()
        with log.open("wb") as written:
            process = subprocess.Popen(
                [part.replace("{port}", str(port)) for part in command],
                env=kept | {name: value.replace("{port}", str(port)) for name, value in environment.items()},
                cwd=ROOT,
                stdout=written,
                stderr=written,
                preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
            )
        server = cls(process, port)
        while not server._answers(probe):
            if process.poll() is not None or perf_counter() - begun > _PATIENCE:
                server.stop()
                raise DidNotStart(f"{' '.join(command)}: no answer; {log.read_text('utf-8')[-600:]}")
            sleep(0.005)
        server.start_up = perf_counter() - begun
        return server

    def _answers(self, probe: bytes) -> bool:
        try:
            ask(self.port, probe)
        except (OSError, WrongAnswer):
            return False
        return True

    def processes(self) -> list[int]:
        """The ids of all its processes, the first one before its descendants."""
        parents = _parents()
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu_seconds(self) -> float:
        """The CPU time of all its living processes since they began."""
        return sum(_ticks(pid) for pid in self.processes()) * _SECONDS_OF_A_TICK

    def reset_peaks(self) -> None:
        """Forget how much memory its processes have had."""
        for pid in self.processes():
            Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK, encoding="ascii")

    def peak_megabytes(self) -> float:
        """The most memory that the largest of its processes has had (VmHWM), since the last reset."""
        return max(_kilobytes(Path(f"/proc/{pid}/status"), "VmHWM") for pid in self.processes()) / 1024

    def shared_megabytes(self) -> float:
        """What all its processes have now, shared pages counted once (the sum of their Pss)."""
        return sum(_kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss") for pid in self.processes()) / 1024

    def resident_megabytes(self) -> float:
        """What the largest of its processes has now (VmRSS)."""
        return max(_kilobytes(Path(f"/proc/{pid}/status"), "VmRSS") for pid in self.processes()) / 1024

    def stop(self) -> None:
        """End it, and wait for it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _parents() -> dict[int, int]:
    """The parent of each process that runs."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text("utf-8").rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(stat.parent.name)] = int(parent)
    return found


def _ticks(pid: int) -> int:
    """utime and stime of a process, all threads of it that ever ran."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _kilobytes(file: Path, name: str) -> int:
    for line in file.read_text("utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
