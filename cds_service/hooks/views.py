"""The routes of CDS Hooks: a handful of lines each."""

from __future__ import annotations

import re
from time import monotonic

import structlog
from flask import Blueprint, Response, current_app, g, request

from cds_service.fhir import unmatched_selections
from cds_service.hooks.admission import Admission
from cds_service.hooks.audit import begin_account, count_feedback
from cds_service.hooks.evaluation import Evaluator
from cds_service.hooks.feedback import FeedbackReader
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.request import ORDER_HOOKS, HookCall, read_hook_call
from cds_service.hooks.request_body import MAX_BODY, request_body
from cds_service.hooks.services import service_by_id
from cds_service.store import Store

EVALUATOR, ADMISSION, SHARED_STATE = "cds_evaluator", "cds_admission", "cds_shared_state"
STORE, FEEDBACK_READER = "cds_store", "cds_feedback_reader"
DISCOVERY = "cds_discovery"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

__all__ = [
    "ADMISSION",
    "DISCOVERY",
    "EVALUATOR",
    "FEEDBACK_READER",
    "MAX_BODY",
    "SHARED_STATE",
    "STORE",
    "hooks",
    "json_response",
]

hooks = Blueprint("hooks", __name__)
log = structlog.get_logger("hooks")


@hooks.before_request
def admit() -> None:
    """Let nobody in who must not call; no route of this blueprint is reached without it.

    A preflight brings no token (R-191). A call with a body takes a place, and its token is spent on this body.
    """
    g.received_at = monotonic()
    admission: Admission = current_app.extensions[ADMISSION]
    environment = request.environ
    method: str = environment["REQUEST_METHOD"]
    is_discovery = method in ("GET", "HEAD")
    if method == "OPTIONS" or (is_discovery and admission.is_discovery_open):
        return
    if not is_discovery:
        admission.places.take()
        g.leave_place = admission.places.leave
    authorization, peer = environment.get("HTTP_AUTHORIZATION", ""), environment.get("REMOTE_ADDR", "")
    path = request.path
    g.caller = caller = admission.caller(authorization, path, peer)
    if caller is not None:
        admission.spend(caller, path, b"" if is_discovery else request_body())


@hooks.teardown_request
def leave(_: BaseException | None) -> None:
    """Make room for the next call, however this one ended."""
    if leave_place := g.pop("leave_place", None):
        leave_place()


@hooks.get("/cds-services")
def discover() -> Response:
    """The services on offer, written once at the start."""
    return json_response(current_app.extensions[DISCOVERY])


@hooks.post("/cds-services/<service_id>")
def call_service(service_id: str) -> Response:
    """One hook call: read, decide, answer."""
    evaluator: Evaluator = current_app.extensions[EVALUATOR]
    admission: Admission = current_app.extensions[ADMISSION]
    service = service_by_id(service_id)
    account = begin_account(service.service_id)
    call = read_hook_call(read_json_object(request_body()), service)
    _log_oddities(call)
    client = admission.client(g.caller, call.fhir_server)
    account.client = client.name
    answer = evaluator.answer(call, client, g.received_at, account)
    account.shown(answer["cards"])
    return json_response(write_json(answer))


@hooks.post("/cds-services/<service_id>/feedback")
def receive_feedback(service_id: str) -> Response:
    """What was done with cards: read whole, kept, and only then acknowledged (R-147, R-160, R-161)."""
    evaluator: Evaluator = current_app.extensions[EVALUATOR]
    reader: FeedbackReader = current_app.extensions[FEEDBACK_READER]
    store: Store = current_app.extensions[STORE]
    service = service_by_id(service_id)
    events = reader.read(read_json_object(request_body()))
    # In demo mode nobody has to prove who it is.
    client = g.caller.name if g.caller is not None else ""
    store.save_feedback(events, evaluator.now(), service.service_id, client)
    count_feedback(service.service_id, [event.outcome for event in events])
    response = Response(status=200)
    del response.headers["Content-Type"]
    return response


def _log_oddities(call: HookCall) -> None:
    """What a client did that is answered all the same; somebody on site should know (rulings 4 and 10)."""
    if not _UUID.fullmatch(call.hook_instance):
        log.info("hook_instance_is_no_uuid", service=call.service.service_id)
    if call.service.hook in ORDER_HOOKS and call.draft_orders is None:
        log.info("stripped_request", service=call.service.service_id)
    elif unmatched := unmatched_selections(call.draft_orders, call.selections):
        log.info("selections_without_draft", service=call.service.service_id, selections=unmatched)


def json_response(body: bytes, status: int = 200) -> Response:
    """A JSON response with these bytes."""
    return Response(body, status=status, content_type="application/json")
