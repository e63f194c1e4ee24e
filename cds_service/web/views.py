"""Routes of demo mode."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from cds_service.errors import UnknownService
from cds_service.web.fixture_requests import index_of, moved_to

FIXTURES, TODAY = "cds_fixture_requests", "cds_today"

demo = Blueprint("demo", __name__)


@demo.get("/demo/hook_requests")
def list_fixture_requests() -> Response:
    """All synthetic requests that can be fetched and posted to a service."""
    return _json(index_of(current_app.extensions[FIXTURES], request.host_url.rstrip("/")))


@demo.get("/demo/hook_requests/<service_id>/<scenario>")
def fixture_request(service_id: str, scenario: str) -> Response:
    """One synthetic request, with its dates moved to today."""
    text = current_app.extensions[FIXTURES].get(f"{service_id}/{scenario}")
    if text is None:
        raise UnknownService("no fixture request has this name; GET /demo/hook_requests lists them")
    return _json(moved_to(current_app.extensions[TODAY](), text).encode())


def _json(body: bytes) -> Response:
    return Response(body, content_type="application/json")
