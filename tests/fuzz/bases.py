"""What is mutated: every fixture request with its course, feedback, public examples, and calls of other addresses."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.hooks.json_body import read_json_object, write_json

try:
    import compose_fixtures
except ModuleNotFoundError:  # started as a module, from the repository's root; the builders import one another by name
    sys.path.append(str(Path(__file__).parents[1]))
    import compose_fixtures

Json = dict[str, Any]
JSON = "application/json"
VECTORS = Path(__file__).parents[1] / "vectors"
COURSE = "/app/course"
FEEDBACK = "/cds-services/onasemnogene-order-sign/feedback"
_CARD = "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e"
_FEEDBACK_ITEMS: tuple[Json, ...] = (
    {
        "card": _CARD,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-03-02T09:00:00Z",
        "overrideReason": {"reason": {"code": "c", "system": "s", "display": "d"}, "userComment": "u"},
    },
    {
        "card": _CARD,
        "outcome": "accepted",
        "outcomeTimestamp": "2026-03-02T09:00:00Z",
        "acceptedSuggestions": [{"id": _CARD}],
    },
)


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """One unmutated request: where it goes, and its JSON body as bytes; b"" where it has none."""

    name: str
    path: str
    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": JSON})

    @property
    def is_call(self) -> bool:
        """Whether it is about a child, so that the answer has cards or a course."""
        return self.name.startswith(("call ", "course "))


@cache
def every_base() -> tuple[Base, ...]:
    """All bases, the calls about children first, in the order of scenarios.yaml."""
    return (*_calls(), *_courses(), *_feedback(), *_examples(), *_addresses())


@cache
def calls_about_children() -> tuple[Base, ...]:
    """The bases whose answers may reassure: hook calls and courses."""
    return tuple(base for base in every_base() if base.is_call)


def _calls() -> Iterator[Base]:
    for hook, scenario in compose_fixtures.calls():
        body = write_json(compose_fixtures.compose_request(scenario, hook))
        yield Base(f"call {hook}/{scenario['name']}", f"/cds-services/{compose_fixtures.service_of(hook)}", body)


def _courses() -> Iterator[Base]:
    """The charts again, as the timeline sends them: without access to any server."""
    for base in _calls():
        document = read_json_object(base.body)
        if document["hook"] == "patient-view":
            document.pop("fhirServer", None)
            document.pop("fhirAuthorization", None)
            yield Base(base.name.replace("call patient-view/", "course "), COURSE, write_json(document))


def _feedback() -> Iterator[Base]:
    yield Base("feedback one", FEEDBACK, write_json({"feedback": [_FEEDBACK_ITEMS[0]]}))
    yield Base("feedback both", FEEDBACK, write_json({"feedback": list(_FEEDBACK_ITEMS)}))


def _examples() -> Iterator[Base]:
    """Public examples, sent to the service of their hook; answers among them go to it as well."""
    for path in sorted(VECTORS.rglob("*.json")):
        hook = path.parent.name if path.parent.name.startswith("order-") else "order-sign"
        name = f"example {path.relative_to(VECTORS).as_posix()}"
        yield Base(name, f"/cds-services/onasemnogene-{hook}", path.read_bytes())


def _addresses() -> Iterator[Base]:
    scenario = "onasemnogene-order-sign/dose-by-formula"
    child = "synthetic-term-infant"
    for path in (
        "/cds-services",
        "/CodeSystem/card-topics",
        "/health",
        "/ready",
        "/metrics",
        "/demo/hook_requests",
        f"/demo/hook_requests/{scenario}?prefetch=none&fault=status-503:Observation",
        "/demo/children",
        "/demo/fhir/metadata",
        f"/demo/fhir/Patient/{child}",
        f"/demo/fhir/Observation?patient={child}&code=29463-7,1742-6&date=ge2026-01-01&_count=5&_sort=-date",
        f"/demo/fhir/MedicationRequest?patient=Patient/{child}&_include=MedicationRequest:medication",
        f"/demo/scenarios/{scenario}/fhir/Observation?patient={child}",
        f"/demo/faulty/status-503:Observation/{scenario}/fhir/Observation?patient={child}",
    ):
        yield Base(f"address {path.partition('?')[0]}", path, method="GET", headers={})
