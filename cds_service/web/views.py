"""Routes of demo mode: the synthetic requests. The FHIR server that belongs to them is in fhir_views.py."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from cds_service.errors import BadRequest, UnknownService
from cds_service.web.fhir_search import FhirRefused
from cds_service.web.fhir_views import RECORDS, TODAY, base_of_patients, base_of_scenario, fhir
from cds_service.web.fixture_requests import index_of, moved_to, with_fhir_access

FIXTURES = "cds_fixture_requests"

__all__ = ["FIXTURES", "RECORDS", "TODAY", "demo"]

demo = Blueprint("demo", __name__)
demo.register_blueprint(fhir)


@demo.get("/demo/hook_requests")
def list_fixture_requests() -> Response:
    """All synthetic requests that can be fetched and posted to a service, and the FHIR server of each."""
    base_url = request.host_url.rstrip("/")
    return _json(index_of(current_app.extensions[FIXTURES], base_url, base_of_patients(), base_of_scenario))


@demo.get("/demo/hook_requests/<service_id>/<scenario>")
def fixture_request(service_id: str, scenario: str) -> Response:
    """One synthetic request, with its dates moved to today.

    With `prefetch=none`, or the keys to keep, it comes without the others and with access to the FHIR server that has
    them; with `fault` that server fails as asked.
    """
    name = f"{service_id}/{scenario}"
    text = current_app.extensions[FIXTURES].get(name)
    if text is None:
        raise UnknownService("no fixture request has this name; GET /demo/hook_requests lists them")
    moved = moved_to(current_app.extensions[TODAY](), text)
    kept, faults = request.args.get("prefetch"), request.args.get("fault")
    if kept is None and faults is None:
        return _json(moved.encode())
    if kept is None:
        raise BadRequest("fault is given without prefetch; add prefetch=none, or the keys to keep", "prefetch")
    return _json(with_fhir_access(moved, kept, _base(name, faults)))


def _base(name: str, faults: str | None) -> str:
    try:
        return base_of_scenario(name, faults)
    except FhirRefused as unknown:
        raise BadRequest(str(unknown), "fault") from unknown


def _json(body: bytes) -> Response:
    return Response(body, content_type="application/json")
