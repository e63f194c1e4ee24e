"""The fixture requests with the answers expected of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cds_service.hooks.json_body import read_json_object
from cds_service.replay.answers import Told, told_in
from cds_service.web.fixture_requests import load_fixture_requests


@dataclass(frozen=True, slots=True)
class Scenario:
    """One request as JSON text, to a service, and the expected answer. `name` is the same on all hooks."""

    service_id: str
    name: str
    request: str
    status: int
    told: Counter[Told]

    @property
    def path(self) -> str:
        """Service and name, as it stands in the fixtures."""
        return f"{self.service_id}/{self.name}"


def load_scenarios(folder: Path) -> tuple[Scenario, ...]:
    """Every fixture request under `folder` with its expected answer."""
    return tuple(_scenario(folder, path, request) for path, request in load_fixture_requests(folder).items())


def _scenario(folder: Path, path: str, request: str) -> Scenario:
    expected = read_json_object((folder / "hook_responses" / f"{path}.json").read_bytes())
    service_id, _, name = path.partition("/")
    status = expected["status"]
    body = expected.get("body", expected)
    return Scenario(service_id, name, request, status, Counter(told_in(body["cards"]) if status == 200 else ()))
