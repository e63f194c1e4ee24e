"""On what was measured: the processor, its cores, and who has which."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, the day, and the cores of server and client; None where there is only one core for both."""

    day: str
    processor: str
    cores: int
    gigabytes: float
    system: str
    python: str
    server_core: int | None
    client_core: int | None

    @classmethod
    def here(cls) -> Machine:
        """This one; the client takes its core at once."""
        cores = sorted(os.sched_getaffinity(0))
        server, client = (cores[0], cores[-1]) if len(cores) > 1 else (None, None)
        if client is not None:
            os.sched_setaffinity(0, {client})
        return cls(
            day=datetime.now(UTC).date().isoformat(),
            processor=_field("/proc/cpuinfo", "model name"),
            cores=len(cores),
            gigabytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
            server_core=server,
            client_core=client,
        )


def _field(file: str, name: str) -> str:
    lines = Path(file).read_text("utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")
