"""One child's whole course for the timeline: from what the page read with the user's own access, and nothing else.

Nothing is fetched, kept, remembered or logged of the patient, and no access token is taken.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, request

from cds_service.domain.treatment_course import treatment_course
from cds_service.errors import BadRequest, NotAllowed
from cds_service.hooks.admission import Admission
from cds_service.hooks.audit import begin_account
from cds_service.hooks.call_account import CallAccount
from cds_service.hooks.clients import Client
from cds_service.hooks.course_response import CourseWriter
from cds_service.hooks.evaluation import Evaluator
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.request import HookCall, read_hook_call
from cds_service.hooks.request_body import request_body
from cds_service.hooks.services import service_by_id
from cds_service.hooks.views import ADMISSION, EVALUATOR, json_response, leave
from cds_service.review import review_treatment

Json = dict[str, Any]
COURSE_SERVICE: Final = "onasemnogene-course"
_CHART: Final = "onasemnogene-patient-view"
# Whoever opened the page; no client of the clients file, and no quirks agreed with anybody.
_PAGE: Final = Client(name="page", issuer="")
_ACCESS = ("fhirServer", "fhirAuthorization")

course = Blueprint("course", __name__)
course.teardown_request(leave)


@course.before_request
def admit() -> None:
    """Let in what a page of ours sends, as often and as many at a time as allowed."""
    g.received_at = monotonic()
    admission: Admission = current_app.extensions[ADMISSION]
    _require_same_origin(admission)
    admission.places.take()
    g.leave_place = admission.places.leave
    admission.rates.count_page(request.remote_addr or "")


def _require_same_origin(admission: Admission) -> None:
    """Raise NotAllowed where the browser says that a page of somebody else is calling."""
    origins = {_origin_of(admission.base_url)}
    if admission.authentication is None:
        # In demo mode the service is reached under whatever name this machine has.
        origins.add(_origin_of(request.host_url))
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    is_ours = site in (None, "same-origin") and (origin is None or _origin_of(origin) in origins)
    if not is_ours:
        raise NotAllowed("the call comes from a page of another origin; call it from the timeline of this service")


def _origin_of(url: str) -> str:
    """Scheme, host and port of an address, as browsers name an origin; the whole text where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme and parts.netloc else url


@course.post("/app/course")
def tell_course() -> Response:
    """One child's course, from the parts of the record that the page sends."""
    evaluator: Evaluator = current_app.extensions[EVALUATOR]
    account = begin_account(COURSE_SERVICE)
    account.client = _PAGE.name
    call = read_course_call(read_json_object(request_body()))
    answer = course_of(call, evaluator, account, g.received_at)
    account.shown(answer.get("cards", []))
    return json_response(write_json(answer))


def read_course_call(document: Json) -> HookCall:
    """The call of the opened chart in a request body, without access to any server.

    Raises BadRequest, also where it brings a token or names a server; NotAllowed for the patient or a relative, who
    are shown scheduling text only (ruling 9).
    """
    brought = next((name for name in _ACCESS if document.get(name) is not None), "")
    if brought:
        raise BadRequest(f"{brought} is not taken here; leave it out and send the record in prefetch", brought)
    call = read_hook_call(document, service_by_id(_CHART))
    if call.user_may_be_family:
        raise NotAllowed("the timeline is for the treatment team; open it as a practitioner")
    return call


def course_of(call: HookCall, evaluator: Evaluator, account: CallAccount, received_at: float | None = None) -> Json:
    """The answer to a call: the course, and the cards that the opened chart shows for the same request.

    Findings that were answered with a reason are told again. Raises PatientUnavailable where the call is ours and came
    without the Patient.
    """
    writer = CourseWriter(evaluator.catalogue)
    reading = evaluator.read(call, _PAGE, received_at, account)
    if reading is None:
        return writer.nothing()
    if reading.facts.has_died:
        return writer.nothing(has_died=True)
    review = review_treatment(reading.facts, evaluator.catalogue, call.service.hook, reading.concern)
    account.answered(review.answers)
    cards = evaluator.writer.response(review, call, {}, _PAGE)["cards"]
    return writer.course(treatment_course(reading.facts, evaluator.catalogue.known), reading.facts, cards)
