"""What whoever runs the service asks it: whether it lives, whether it is ready, and what it has counted.

Without authentication and without patient data; who may reach these paths is for the network to decide
(docs/operations.md).
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, current_app

from cds_service.operations import METRICS, READINESS
from cds_service.operations.metrics import CONTENT_TYPE, Metrics
from cds_service.operations.readiness import DependencyState, Readiness

operations = Blueprint("operations", __name__)


@operations.get("/health/live")
def live() -> Response:
    """The process is up and answers; nothing else is asked, so a lost database never restarts it."""
    return _json({"status": "live"})


@operations.get("/health/ready")
def ready() -> Response:
    """Whether calls can be answered, with one entry for each dependency; 503 where one that is needed is down."""
    readiness: Readiness = current_app.extensions[READINESS]
    states = readiness.states()
    is_ready = all(state.is_up or not state.is_needed for state in states.values())
    told = {name: _told(state) for name, state in states.items()}
    return _json({"status": "ready" if is_ready else "not-ready", "dependencies": told}, 200 if is_ready else 503)


@operations.get("/metrics")
def metrics() -> Response:
    """Everything counted, in Prometheus's text format."""
    counted: Metrics = current_app.extensions[METRICS]
    return _fresh(Response(counted.exposition(), content_type=CONTENT_TYPE))


def _told(state: DependencyState) -> dict[str, object]:
    told: dict[str, object] = {"status": state.status, "needed": state.is_needed}
    return told | ({"fault": state.fault} if state.fault else {})


def _json(document: object, status: int = 200) -> Response:
    return _fresh(Response(msgspec.json.encode(document), status, content_type="application/json"))


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
