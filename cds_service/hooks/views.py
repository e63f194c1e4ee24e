"""The routes of CDS Hooks: a handful of lines each."""

from __future__ import annotations

import re
from time import monotonic

import structlog
from flask import Blueprint, Response, current_app, request

from cds_service.errors import BodyTooLarge, UnsupportedMediaType
from cds_service.fhir import unmatched_selections
from cds_service.hooks.clients import client_of
from cds_service.hooks.evaluation import Evaluator
from cds_service.hooks.feedback import FeedbackReader
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.request import ORDER_HOOKS, HookCall, read_hook_call
from cds_service.hooks.services import service_by_id
from cds_service.store import Store

EVALUATOR, CLIENTS = "cds_evaluator", "cds_clients"
STORE, FEEDBACK_READER = "cds_store", "cds_feedback_reader"
DISCOVERY, MAX_BODY = "cds_discovery", "cds_max_body_bytes"
_JSON_TYPES = frozenset({"application/json", "application/fhir+json"})
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

hooks = Blueprint("hooks", __name__)
log = structlog.get_logger("hooks")


@hooks.get("/cds-services")
def discover() -> Response:
    """The services on offer, written once at the start."""
    return json_response(current_app.extensions[DISCOVERY])


@hooks.post("/cds-services/<service_id>")
def call_service(service_id: str) -> Response:
    """One hook call: read, decide, answer."""
    received_at = monotonic()
    evaluator: Evaluator = current_app.extensions[EVALUATOR]
    service = service_by_id(service_id)
    call = read_hook_call(read_json_object(_body()), service)
    _log_oddities(call)
    client = client_of(current_app.extensions[CLIENTS], call.fhir_server)
    answer = evaluator.answer(call, client, received_at)
    if answer["cards"]:
        milliseconds = round((monotonic() - received_at) * 1000)
        cards = len(answer["cards"])
        log.info("cards", service=service_id, client=client.name, cards=cards, milliseconds=milliseconds)
    return json_response(write_json(answer))


@hooks.post("/cds-services/<service_id>/feedback")
def receive_feedback(service_id: str) -> Response:
    """What was done with cards: read whole, kept, and only then acknowledged (R-147, R-160, R-161)."""
    evaluator: Evaluator = current_app.extensions[EVALUATOR]
    reader: FeedbackReader = current_app.extensions[FEEDBACK_READER]
    store: Store = current_app.extensions[STORE]
    service = service_by_id(service_id)
    events = reader.read(read_json_object(_body()))
    store.save_feedback(events, evaluator.now(), service.service_id, _proven_client())
    response = Response(status=200)
    del response.headers["Content-Type"]
    return response


def _proven_client() -> str:
    """The name of the client that proved who it is; "" in demo mode, where nobody has to."""
    return ""


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


def _body() -> bytes:
    """The request's bytes, all of them.

    Raises UnsupportedMediaType for anything but plain JSON, and BodyTooLarge beyond the limit, also where the
    client does not announce the length.
    """
    if request.mimetype not in _JSON_TYPES:
        raise UnsupportedMediaType("the body is not declared as JSON; send Content-Type: application/json")
    if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("the body is compressed; send it without Content-Encoding")
    limit: int = current_app.extensions[MAX_BODY]
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {limit} bytes; send less prefetch or raise CDS_MAX_BODY_MB")
