"""PostgreSQL and Redis as processes of a test's own on loopback, which it may stop and start again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from running_services import PATIENCE, free_port, needed, wait_until


@dataclass(slots=True)
class OwnRedis:
    """A Redis that keeps nothing on a disk, so that it comes back empty."""

    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Its address as the service is told."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            needed("redis-server"),
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers, "Redis answers")

    def stop(self) -> None:
        """Kill it: who asks it now is refused."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    """A Redis that runs."""
    redis = OwnRedis(free_port())
    redis.start()
    try:
        yield redis
    finally:
        redis.stop()


@dataclass(frozen=True, slots=True)
class OwnPostgresql:
    """A cluster in a folder, on a port that stays the same when it is started again."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """The address of its one database."""
        return f"postgresql://tests@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder} -c fsync=off"
        )
        self._control("--log=server.log", "start", f"--options={options}")

    def stop(self) -> None:
        """Stop it at once, as a machine that is lost: connections are cut, and new ones refused."""
        self._control("--mode=immediate", "stop")

    def processes(self) -> list[int]:
        """The process ids of the server and of everything it has started."""
        first = int((self.folder / "data" / "postmaster.pid").read_text("utf-8").split()[0])
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True, check=True
        )
        return [first, *map(int, children.stdout.split())]

    def _control(self, *words: str) -> None:
        self.run("pg_ctl", "--pgdata=data", "--wait", "--silent", *words)

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs, which refuse to run as root: Debian's package brings a user for that."""
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_postgres, needed(program), *words]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def own_postgresql() -> Iterator[OwnPostgresql]:
    """A cluster that runs, empty."""
    needed("initdb")
    # Not in a test's own folder, which nobody else may enter.
    folder = Path(tempfile.mkdtemp(prefix="cds-postgresql-"))
    cluster = OwnPostgresql(folder, free_port())
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        cluster.run("initdb", "--pgdata=data", "--username=tests", "--auth=trust", "--encoding=UTF8", "--no-sync")
        cluster.start()
        yield cluster
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
