"""The service as a process of its own on loopback, started like an operator starts it, and looked at from outside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from kept_run import is_kept, keep_log

ROOT = Path(__file__).parent.parent
SERVE = (sys.executable, "-m", "cds_service", "serve")
# Much longer than anything takes on a busy machine; nothing waits for it to pass.
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class RunningService:
    """A process that serves on a port of this machine and logs to a file."""

    process: subprocess.Popen[bytes]
    port: int
    log_file: Path

    @property
    def address(self) -> str:
        """Where it is, without a final slash."""
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> list[dict[str, Any]]:
        """What it has logged so far; every line has to be JSON."""
        return [json.loads(line) for line in self.log_file.read_text("utf-8").splitlines()]

    def events(self) -> list[str]:
        """The events it has logged so far."""
        return [line["event"] for line in self.log()]

    def workers(self) -> set[int]:
        """The process ids of its workers."""
        return children_of(self.process.pid)

    def shared_folder(self) -> Path:
        """Where its workers count together."""
        maps = Path(f"/proc/{next(iter(self.workers()))}/maps").read_text("utf-8").split()
        return next(Path(part).parent for part in maps if "cds-metrics-" in part)

    def stop(self) -> int:
        """End it as an orchestrator does, and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


# The package of Debian that brings a program.
_PACKAGES = {
    "chromium": "chromium",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "redis-server": "redis-server",
    "initdb": "postgresql",
    "pg_ctl": "postgresql",
}
_FOLDERS = ("/usr/sbin", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True))


def needed(program: str) -> str:
    """Where a program is; the test is skipped where it is not installed, but never in CI."""
    found = shutil.which(program) or shutil.which(program, path=os.pathsep.join(_FOLDERS))
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{program} is not installed; on Debian: apt-get install {_PACKAGES[program]}", pytrace=False)
    return found or pytest.skip(f"{program} is not installed")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def children_of(pid: int) -> set[int]:
    """The processes that this one has started and that still run."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text("utf-8").rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.add(int(status.parent.name))
    return found


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something to become so."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)


@contextmanager
def running(
    folder: Path, program: Path | None = None, port: int | None = None, **environment: str
) -> Iterator[RunningService]:
    """The service in demo mode, ready to answer; ended and waited for at the end, whatever happens.

    `folder` takes the log. With `program` that is started in its place, with the port as its argument. Without `port`
    it is one that nobody listens on.
    """
    port = free_port() if port is None else port
    command = SERVE if program is None else (sys.executable, str(program), str(port))
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("CDS_", "WEB_", "PROMETHEUS_"))}
    own = {"CDS_MODE": "demo", "HOST": "127.0.0.1", "PORT": str(port), "PYTHONPATH": str(ROOT), **environment}
    log_file = folder / f"service-{port}.log"
    if is_kept():  # else it is a temporary one, which is gone at the end
        own.setdefault("CDS_DATABASE_URL", f"sqlite:///{folder}/service-{port}.sqlite3")
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, env=usual | own, stderr=log, cwd=folder)
    service = RunningService(process, port, log_file)
    try:
        wait_until(lambda: process.poll() is not None or is_live(service.address), "the service is live")
        assert process.poll() is None, log_file.read_text("utf-8")
        yield service
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        keep_log(log_file.read_bytes(), "processes")


def is_live(address: str) -> bool:
    """Whether a service answers at all."""
    try:
        return requests.get(f"{address}/health/live", timeout=PATIENCE).status_code == 200
    except requests.RequestException:
        return False
