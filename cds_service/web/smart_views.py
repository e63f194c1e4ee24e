"""Routes of the demo's authorization server, one beside each of its FHIR servers."""

from __future__ import annotations

from time import monotonic, time

from flask import Blueprint, Flask, Response, current_app, request

from cds_service.fhir.json_shapes import JsonObject, an_object, objects, text
from cds_service.web.fhir_search import FhirRefused
from cds_service.web.fhir_server import read_json, refusal, write_json
from cds_service.web.fhir_store import FhirStore
from cds_service.web.fhir_views import RECORDS, TODAY, base_of_patients, base_of_scenario
from cds_service.web.fixture_records import FixtureRecords
from cds_service.web.layout import html_page
from cds_service.web.smart_authorization import (
    AuthorizationCodes,
    AuthorizationRequest,
    IdTokens,
    OAuthRefused,
    answer_address,
    may_choose_patient,
    openid_configuration,
    read_request,
    refusal_address,
    require_our_page,
    smart_configuration,
    token_response,
)

CODES, ID_TOKENS = "cds_demo_codes", "cds_demo_id_tokens"
_CLINICIAN = "Practitioner/synthetic-clinician"
_BASES = (
    "/demo/fhir",
    "/demo/scenarios/<service_id>/<scenario>/fhir",
    "/demo/faulty/<faults>/<service_id>/<scenario>/fhir",
)

smart = Blueprint("smart", __name__)


def prepare_demo_authorization(app: Flask) -> None:
    """Give the application its codes and its key; they last as long as it does."""
    app.extensions[CODES] = AuthorizationCodes(monotonic)
    app.extensions[ID_TOKENS] = IdTokens()


def smart_configuration_page(**place: str) -> Response:
    """How apps are authorized at this FHIR server."""
    return _json(smart_configuration(_base(**place)))


def openid_configuration_page(**place: str) -> Response:
    """How its statements of who the user is are checked."""
    return _json(openid_configuration(_base(**place)))


def keys(**place: str) -> Response:
    """The public key of these statements."""
    _base(**place)
    return _json(current_app.extensions[ID_TOKENS].key_set())


def authorize(**place: str) -> Response:
    """Send the user back to the app with a code, or with a refusal; or let the user choose a patient first."""
    asked = request.args.to_dict()
    base, our_page = _base(**place), f"{request.host_url}app/"
    try:
        require_our_page(asked, our_page)
    except OAuthRefused as refused:
        return _json(refused.body, 400)
    try:
        return _granted(read_request(asked, base), _name(**place), asked.get("patient", ""))
    except OAuthRefused as refused:
        return _sent_to(refusal_address(asked, refused))


def token(**place: str) -> Response:
    """Exchange a code."""
    try:
        granted = current_app.extensions[CODES].redeem(request.form.to_dict(), _base(**place))
    except OAuthRefused as refused:
        return _json(refused.body, 401 if refused.error == "invalid_client" else 400)
    return _json(token_response(granted, current_app.extensions[ID_TOKENS].of(granted, int(time()))))


for _number, _rule in enumerate(_BASES):
    for _view, _path, _method in (
        (smart_configuration_page, ".well-known/smart-configuration", "GET"),
        (openid_configuration_page, ".well-known/openid-configuration", "GET"),
        (keys, "auth/keys", "GET"),
        (authorize, "auth/authorize", "GET"),
        (token, "auth/token", "POST"),
    ):
        smart.add_url_rule(f"{_rule}/{_path}", f"{_view.__name__}_{_number}", _view, methods=[_method])


@smart.errorhandler(FhirRefused)
def _refused(error: FhirRefused) -> Response:
    answer = refusal(error)
    return Response(answer.body, answer.status, dict(answer.headers), content_type=answer.content_type)


def _granted(asked: AuthorizationRequest, scenario: str, chosen: str) -> Response:
    if not may_choose_patient(asked):
        return _with_code(asked, "", _CLINICIAN)
    if scenario:
        context = an_object(_scenario(scenario).get("context"))
        return _with_code(asked, text(context.get("patientId")), text(context.get("userId")) or _CLINICIAN)
    patient = asked.launch or chosen
    if not patient:
        return html_page("choose_patient.html", patients=_patients())
    if f"Patient/{patient}" not in _all_patients().by_reference:
        raise OAuthRefused("invalid_request", "launch names no patient of this server; send a patient's id")
    return _with_code(asked, patient, _CLINICIAN)


def _with_code(asked: AuthorizationRequest, patient: str, user: str) -> Response:
    return _sent_to(answer_address(asked, current_app.extensions[CODES].issue(asked, patient, user)))


def _sent_to(address: str) -> Response:
    return Response(status=302, headers={"Location": address})


def _patients() -> list[tuple[str, str, str]]:
    """Name, birth date and address of the choice of each patient, by name."""
    shown = []
    for patient in _all_patients().by_type.get("Patient", ()):
        names = objects(patient.get("name"))
        name = text(names[0].get("text")) if names else ""
        address = f"{request.full_path}&patient={text(patient.get('id'))}"
        shown.append((name or text(patient.get("id")), text(patient.get("birthDate")), address))
    return sorted(shown)


def _all_patients() -> FhirStore:
    records: FixtureRecords = current_app.extensions[RECORDS]
    return records.of_all_patients(current_app.extensions[TODAY]())


def _scenario(name: str) -> JsonObject:
    records: FixtureRecords = current_app.extensions[RECORDS]
    return an_object(read_json(records.request_of(name)))


def _name(service_id: str = "", scenario: str = "", faults: str = "") -> str:
    """The scenario whose server is asked, or "" for that of all patients."""
    return f"{service_id}/{scenario}" if scenario else ""


def _base(service_id: str = "", scenario: str = "", faults: str = "") -> str:
    """The base of the FHIR server that is asked. Raises FhirRefused (404) where there is no such server."""
    name = _name(service_id, scenario)
    if not name:
        return base_of_patients()
    _scenario(name)
    return base_of_scenario(name, faults or None)


def _json(document: JsonObject, status: int = 200) -> Response:
    return Response(write_json(document), status, {"Pragma": "no-cache"}, content_type="application/json")
