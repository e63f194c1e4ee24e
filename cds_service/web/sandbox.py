"""The sandbox page of demo mode: its children with their moments, and every other scenario by service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app

from cds_service.errors import ContentProblem
from cds_service.presentation.yaml_files import load_yaml
from cds_service.web.fhir_server import write_json
from cds_service.web.fhir_views import base_of_scenario
from cds_service.web.layout import html_page

SANDBOX = "cds_sandbox"

sandbox = Blueprint("sandbox", __name__)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that somebody does in the EHR about a child; `name` is the scenario, as `service/scenario`."""

    name: str
    moment: str
    look: str


@dataclass(frozen=True, slots=True)
class SandboxChild:
    """A synthetic child with a line of its story, and its moments in their order."""

    name: str
    story: str
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class SandboxIndex:
    """What can be picked: groups of children, and all scenarios as `service/scenario` with what each proves."""

    opens_on: str
    groups: tuple[tuple[str, tuple[SandboxChild, ...]], ...]
    scenarios: Mapping[str, str]


def load_sandbox(folder: Path, requests: Mapping[str, str]) -> SandboxIndex:
    """The page's content from the fixture folder's `sandbox.yaml` and `scenarios.yaml`.

    `requests` are the fixture requests by `service/scenario`. Raises ContentProblem where a moment names none of them,
    or a part is missing.
    """
    path = folder / "sandbox.yaml"
    written = load_yaml(path)
    try:
        groups = tuple((group["name"], tuple(map(_child, group["children"]))) for group in written["groups"])
        opens_on = written["opens_on"]
    except (KeyError, TypeError) as missing:
        raise ContentProblem(
            f"{path}: {missing} is missing; write opens_on, and groups as its heading says"
        ) from missing
    offered = [moment.name for _, children in groups for child in children for moment in child.moments]
    for name in (opens_on, *offered):
        if name not in requests:
            raise ContentProblem(f"{path}: there is no request {name}; name one of hook_requests/")
    if opens_on not in offered:
        raise ContentProblem(f"{path}: opens_on names {opens_on}, which no child has; name a child's moment")
    return SandboxIndex(opens_on, groups, _proofs(folder, requests))


def _child(row: Mapping[str, Any]) -> SandboxChild:
    moments = tuple(Moment(item["request"], item["moment"], item["look"]) for item in row["moments"])
    return SandboxChild(row["name"], row["story"], moments)


def _proofs(folder: Path, requests: Mapping[str, str]) -> Mapping[str, str]:
    proofs = {row["name"]: str(row["proves"]) for row in load_yaml(folder / "scenarios.yaml")}
    return {name: proofs.get(name.partition("/")[2], "") for name in requests}


@sandbox.get("/")
def sandbox_page() -> Response:
    """The page; its script fetches what it shows."""
    return html_page("sandbox.html")


@sandbox.get("/demo/children")
def sandbox_children() -> Response:
    """The children with their moments, and all scenarios, each with its FHIR server."""
    index: SandboxIndex = current_app.extensions[SANDBOX]
    return Response(write_json(_as_json(index, base_of_scenario)), content_type="application/json")


def _as_json(index: SandboxIndex, server_of: Callable[[str], str]) -> dict[str, Any]:
    return {
        "opensOn": index.opens_on,
        "groups": [
            {"name": name, "children": [_child_json(child, server_of) for child in children]}
            for name, children in index.groups
        ],
        "scenarios": [
            {"name": name, "proves": proves, "fhirServer": server_of(name)} for name, proves in index.scenarios.items()
        ],
    }


def _child_json(child: SandboxChild, server_of: Callable[[str], str]) -> dict[str, Any]:
    moments = [
        {"name": m.name, "moment": m.moment, "look": m.look, "fhirServer": server_of(m.name)} for m in child.moments
    ]
    return {"name": child.name, "story": child.story, "moments": moments}
