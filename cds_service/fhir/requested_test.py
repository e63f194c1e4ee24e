"""ServiceRequest → a test that is ordered; and whether an order says that nothing may be given by mouth."""

from __future__ import annotations

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence
from cds_service.domain.results import RequestedTest
from cds_service.fhir.clinical_time import SiteClock, iso_day, read_time, sortable
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    concept_texts,
    first_text,
    only_object,
    text,
    values,
)
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.references import own_reference
from cds_service.fhir.standing import is_removed
from cds_service.fhir.titer import ANTI_AAV9, is_titer

ORDERS = frozenset({"order", "original-order", "instance-order", "filler-order", "reflex-order"})
_INTENDED_ONLY = frozenset({"proposal", "plan", "option", "directive"})


def read_requested_test(
    resource: JsonObject, recognition: Recognition, clock: SiteClock, *, is_draft: bool
) -> RequestedTest | None:
    """A request for a test of known concepts; None for any other, and if it was entered in error.

    It is active while it is on its way: in force, or a draft beside the order in hand (`is_draft`).
    """
    concepts = recognition.concept_of(resource.get("code"))
    if is_titer(resource, concepts, recognition):
        concepts |= {ANTI_AAV9}
    if resource.get("resourceType") != "ServiceRequest" or is_removed(resource) or not concepts:
        return None
    ordered = read_time(resource.get("authoredOn"), clock)
    status = code_text(resource.get("status"))
    is_running = status == "active" or (is_draft and status == "draft")
    is_order = code_text(resource.get("intent")) in ORDERS and not _is_forbidden(resource)
    return RequestedTest(
        concepts=concepts,
        is_active=is_running and is_order,
        ordered=ordered,
        wanted=_wanted(resource, clock),
        evidence=Evidence(own_reference(resource), first_text(resource.get("code")), "", iso_day(ordered), status),
    )


def _is_forbidden(resource: JsonObject) -> bool:
    return resource.get("doNotPerform") not in (None, False)


def _wanted(resource: JsonObject, clock: SiteClock) -> ClinicalTime:
    """When the test is to be done, the first time where several are named."""
    period = an_object(resource.get("occurrencePeriod"))
    events = values(only_object(resource.get("occurrenceTiming")).get("event"))
    first_event = min((event for event in events if text(event)), key=sortable, default=None)
    stated = (resource.get("occurrenceDateTime"), period.get("start"), first_event)
    return read_time(next((time for time in stated if text(time)), None), clock)


def is_nil_by_mouth(resource: JsonObject, recognition: Recognition) -> bool:
    """Whether an order in force, of nursing or of the kitchen, says that the child gets nothing by mouth."""
    if resource.get("resourceType") not in ("ServiceRequest", "NutritionOrder"):
        return False
    is_order = code_text(resource.get("intent")) not in _INTENDED_ONLY and not _is_forbidden(resource)
    if code_text(resource.get("status")) != "active" or not is_order:
        return False
    diet = only_object(resource.get("oralDiet"))
    said = [
        words
        for concept in (resource.get("code"), resource.get("category"), resource.get("orderDetail"), diet.get("type"))
        for words in concept_texts(concept)
    ]
    return any(recognition.holds("nil_by_mouth", words) for words in (*said, text(diet.get("instruction"))))
