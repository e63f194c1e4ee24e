"""Visits and the kit: appointments in the record and proposed, the encounter, receipt and drawing up of the kit.

stay           the encounter of the call: `began` an ISO day or a moment, `status`, `id`; none for one that did not come
visit_reasons  why the child comes, each a code with its system or a text; stand in the same encounter
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from product_builders import PRODUCTS
from resource_parts import TERMINOLOGY, Json, coding, concept, is_none, refuse_unknown_words, subject, written_time

ENCOUNTER_ID = "synthetic-visit"
VISITS = {"infusion": "ZOLGENSMA infusion", "vaccination": "Vaccination visit", "visit": "Follow-up visit"}
INFUSION_START = "2026-03-03T09:00:00Z"
STAY_WORDS = "began status subject id"
APPOINTMENT_WORDS = "for name code start status subject id"
KIT_WORDS = "received drawn as status subject id"


def appointment(item: Mapping[str, Any], status: str) -> Json:
    """One hour for an infusion, a vaccination or another visit; the infusion of the default plan unless it says else."""
    refuse_unknown_words(item, APPOINTMENT_WORDS, "appointments and slots")
    service: Json = {"text": item.get("name", VISITS[item.get("for", "infusion")])}
    if "code" in item:
        service["coding"] = [coding(str(item["code"]))]
    made: Json = {
        "resourceType": "Appointment",
        "id": item["id"],
        "status": item.get("status", status),
        "serviceType": [service],
    }
    start = item.get("start", INFUSION_START)
    if not is_none(start):
        made |= {"start": written_time(start), "end": _an_hour_later(written_time(start))}
    return {**made, "participant": [{**subject(item, "actor"), "status": "accepted"}]}


def _an_hour_later(start: str) -> str:
    return written_time(datetime.fromisoformat(start) + timedelta(hours=1))


def stay_id(given: Mapping[str, Any]) -> str:
    """The id of the encounter that a call is about."""
    return str(_stay(given).get("id", ENCOUNTER_ID))


def _stay(given: Mapping[str, Any]) -> Mapping[str, Any]:
    stated = given.get("stay")
    stay = stated if isinstance(stated, Mapping) else {}
    refuse_unknown_words(stay, STAY_WORDS, "stay")
    return stay


def encounter(given: Mapping[str, Any]) -> Json:
    """The visit or stay of the call, with why the child comes."""
    stay = _stay(given)
    made: Json = {
        "resourceType": "Encounter",
        "id": stay_id(given),
        "status": stay.get("status", "in-progress" if stay else "arrived"),
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "IMP" if stay else "AMB"},
        **subject(stay),
    }
    if not is_none(stay.get("began")):
        made["period"] = {"start": written_time(stay["began"])}
    reasons = [concept(str(reason)) for reason in given.get("visit_reasons", [])]
    return {**made, "reasonCode": reasons} if reasons else made


def kit_event(item: Mapping[str, Any], number: int, order: str) -> Json:
    """The receipt of the kit or the drawing up of its content; a Task refers to the order it belongs to."""
    refuse_unknown_words(item, KIT_WORDS, "kit")
    assert ("received" in item) != ("drawn" in item), "a kit event is either received or drawn"
    is_receipt = "received" in item
    happened = written_time(item["received"] if is_receipt else item["drawn"])
    kind = item.get("as", "SupplyDelivery" if is_receipt else "Task")
    made: Json = {
        "resourceType": kind,
        "id": item.get("id", f"kit-{number}"),
        "status": item.get("status", "completed"),
    }
    if kind == "Task":
        name = "Kit received" if is_receipt else "Syringe drawn"
        made |= {"intent": "order", "code": {"text": name}, "focus": {"reference": order}, **subject(item, "for")}
        return {**made, "output": [{"type": {"text": name}, "valueDateTime": happened}]}
    assert is_receipt, "only a Task can say that the syringe was drawn"
    if kind == "MedicationDispense":
        product = {"medicationCodeableConcept": PRODUCTS["zolgensma"]}
        return {**made, **product, **subject(item), "whenHandedOver": happened}
    assert kind == "SupplyDelivery", f"unknown kind of a kit event: {kind}"
    supplied = {"itemCodeableConcept": PRODUCTS["zolgensma"]}
    return {**made, **subject(item, "patient"), "suppliedItem": supplied, "occurrenceDateTime": happened}
