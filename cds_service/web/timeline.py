"""Pages of the SMART on FHIR app: where it is launched, and the timeline. What they show is drawn by their scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from flask import Blueprint, Response, current_app, request

from cds_service.web.layout import html_page

SMART_APP = "cds_smart_app"

timeline = Blueprint("timeline", __name__)


@dataclass(frozen=True, slots=True)
class ChartServer:
    """A FHIR server whose charts the app may read, and the name under which users know it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class SmartApp:
    """What the app needs to know before it knows a patient.

    `client_id_at` gives the app's client id at a FHIR server, or None where it must not be launched. `queries` are the
    relative searches of the nine lists by prefetch key, with `{{context.patientId}}` where the patient's id goes.
    """

    client_id_at: Callable[[str], str | None]
    servers: tuple[ChartServer, ...]
    scopes: str
    queries: Mapping[str, str]
    is_demo: bool


@timeline.get("/app/launch")
def launch() -> Response:
    """Where an EHR opens the app for a patient (`iss` and `launch`), or a user without one, to choose a server."""
    app: SmartApp = current_app.extensions[SMART_APP]
    iss = request.args.get("iss", "").strip()
    client_id = app.client_id_at(iss) if iss else None
    return html_page(
        "launch.html",
        reads_charts=True,
        iss=iss,
        launch=request.args.get("launch", ""),
        client_id=client_id,
        scopes=app.scopes,
        servers=(*app.servers, *(_demo_servers() if app.is_demo else ())),
    )


@timeline.get("/app/", endpoint="app")
def timeline_page() -> Response:
    """The timeline; the EHR's authorization server sends the user here."""
    app: SmartApp = current_app.extensions[SMART_APP]
    queries = msgspec.json.encode(dict(app.queries)).decode()
    return html_page("timeline.html", reads_charts=True, queries=queries)


def _demo_servers() -> tuple[ChartServer, ...]:
    return (ChartServer("Synthetic patients of the demo", f"{request.host_url}demo/fhir"),)
