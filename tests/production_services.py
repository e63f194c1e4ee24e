"""The service in production mode as processes on loopback, at a database and a Redis of the test's choice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from registered_ehr import BASE, RegisteredEhr
from running_services import PATIENCE, RunningService, running, wait_until

from cds_service.store import open_store


@contextmanager
def in_production(
    folder: Path, *ehrs: RegisteredEhr, database: str, shared_state: str = "memory://", workers: int = 2, **more: str
) -> Iterator[RunningService]:
    """A service that knows these EHRs, when all its workers are there. The database is brought to the schema before."""
    open_store(database, migrates=True).close()
    clients = folder / "clients.toml"
    clients.write_text("\n".join(ehr.entry(folder) for ehr in ehrs), encoding="utf-8")
    settings = {
        "CDS_MODE": "production",
        "CDS_PUBLIC_BASE_URL": BASE,
        "CDS_TIMEZONE": "UTC",
        "CDS_CLIENTS_FILE": str(clients),
        "CDS_DATABASE_URL": database,
        "CDS_SHARED_STATE_URL": shared_state,
        "WEB_CONCURRENCY": str(workers),
    }
    with running(folder, **settings | more) as service:
        wait_until(lambda: workers_started(service) == workers, "all workers are there")
        yield service


def workers_started(service: RunningService) -> int:
    """How many worker processes there have been, replacements included."""
    return service.events().count("worker_started")


def dependencies(service: RunningService) -> dict[str, str]:
    """What readiness says of each dependency. The service has to be ready."""
    response = requests.get(f"{service.address}/health/ready", timeout=PATIENCE)
    assert response.status_code == 200, response.text
    return {name: state["status"] for name, state in response.json()["dependencies"].items()}
