"""Routes of the demo's FHIR server: all patients, one scenario's record, and that record behind a fault."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from cds_service.web.fhir_faults import with_faults
from cds_service.web.fhir_search import FhirRefused
from cds_service.web.fhir_server import FhirAnswer, FhirRequest, Server, refusal, server_of
from cds_service.web.fixture_records import FixtureRecords

RECORDS, TODAY = "cds_fixture_records", "cds_today"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

fhir = Blueprint("fhir", __name__)


@fhir.route("/demo/fhir", defaults={"path": ""}, methods=_METHODS)
@fhir.route("/demo/fhir/<path:path>", methods=_METHODS)
def patients_server(path: str) -> Response:
    """The FHIR server with the records of all fixture patients."""
    today = current_app.extensions[TODAY]()
    return _answered(server_of(_records().of_all_patients(today), today), base_of_patients(), path)


@fhir.route("/demo/scenarios/<service_id>/<scenario>/fhir", defaults={"path": ""}, methods=_METHODS)
@fhir.route("/demo/scenarios/<service_id>/<scenario>/fhir/<path:path>", methods=_METHODS)
def scenario_server(service_id: str, scenario: str, path: str) -> Response:
    """The FHIR server with what one scenario's prefetch holds."""
    server = _server_of_scenario(service_id, scenario)
    return _answered(server, base_of_scenario(f"{service_id}/{scenario}"), path)


@fhir.route("/demo/faulty/<faults>/<service_id>/<scenario>/fhir", defaults={"path": ""}, methods=_METHODS)
@fhir.route("/demo/faulty/<faults>/<service_id>/<scenario>/fhir/<path:path>", methods=_METHODS)
def faulty_server(faults: str, service_id: str, scenario: str, path: str) -> Response:
    """The same behind faults that are asked for."""
    server = with_faults(faults, _server_of_scenario(service_id, scenario))
    return _answered(server, base_of_scenario(f"{service_id}/{scenario}", faults), path)


@fhir.errorhandler(FhirRefused)
def _refused(error: FhirRefused) -> Response:
    return _as_response(refusal(error))


def base_of_patients() -> str:
    """The absolute base address of the server with all patients."""
    return f"{request.host_url}demo/fhir"


def base_of_scenario(name: str, faults: str | None = None) -> str:
    """The absolute base address of the server of the scenario `service/name`, behind these faults if any.

    Raises FhirRefused (404) for an unknown fault.
    """
    if faults is None:
        return f"{request.host_url}demo/scenarios/{name}/fhir"
    with_faults(faults, lambda _: FhirAnswer())
    return f"{request.host_url}demo/faulty/{faults}/{name}/fhir"


def _records() -> FixtureRecords:
    records: FixtureRecords = current_app.extensions[RECORDS]
    return records


def _server_of_scenario(service_id: str, scenario: str) -> Server:
    today = current_app.extensions[TODAY]()
    return server_of(_records().of_scenario(f"{service_id}/{scenario}", today), today)


def _answered(server: Server, base: str, path: str) -> Response:
    asked = FhirRequest(
        base=base,
        path=path,
        parameters=list(request.args.items(multi=True)),
        method=request.method,
        authorization=request.headers.get("Authorization", ""),
    )
    return _as_response(server(asked))


def _as_response(answer: FhirAnswer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers), content_type=answer.content_type)
