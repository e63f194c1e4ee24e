"""Synthetic children for tests: a request that differs from an unremarkable one only where the test says so.

The vocabulary is that of the `given:` part of `cards/*/cases.yaml`; every word of it is one key of KNOWN_WORDS. What
the words of an item mean stands with the builder of its resource:

child_builders       twin weights gestational_age temperatures conditions procedures genetics ...
laboratory_builders  labs panels counts titers infection_tests smears requests
medicine_builders    steroids steroid_doses anti_infectives antihypertensives vaccinations ..., and their drafts
product_builders     draft, drafts and every other order or dose of the product
visit_builders       visit_reasons appointments slots kit stay
care_builders        blood_pressures urine_outputs consults cardiac teachings

Six moments: ordering, dispatch, visit, booking, chart (patient-view) and discharge (encounter-discharge). On chart and
discharge there is no order for the product unless `draft`, `drafts` or `open_orders` says so, and no dose either.

A child after the infusion says `infused: "2026-02-02"`, an ISO day, in any moment. It adds a completed administration
of the product (id infusion) on that day at 10:00 UTC, takes away the default order for the product, and puts what the
child has by default around that day instead of the planned one: the steroid order runs from the day before for 30 days
(3.2 mg once a day), results that the case does not state are two days before the infusion, the titre ten days, the
vaccination twenty. A result that `labs` states is dated by its own words, two days before the call without any, and
takes the place of the baseline; `panels` and `counts` stand beside the baseline. The weight stays that of yesterday.

A draft changes an order of the record where it has its id (`draft_steroids: [{id: steroid-1, dose: 2 mg}]`) or names it
in `replaces`, and stops it with `status: stopped`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from care_builders import care_resources
from child_builders import child_resources, patient, weight_observation
from laboratory_builders import laboratory_resources, request
from medicine_builders import medicine_resources, steroid_order, vaccine_order
from product_builders import PLANNED, PRODUCTS, dose_resources, product_orders
from resource_parts import PATIENT_ID, SYSTEMS, TODAY, UCUM, Json, bundle, collection, is_none
from visit_builders import appointment, encounter, kit_event, stay_id

__all__ = [
    "HOOKS",
    "LISTS",
    "PATIENT_ID",
    "PRODUCTS",
    "SYSTEMS",
    "TODAY",
    "UCUM",
    "bundle",
    "hook_of",
    "hook_request",
    "patient",
    "today_of",
    "weight_observation",
]

LISTS = {
    "observations": "Observation",
    "medicationRequests": "MedicationRequest",
    "medicationAdministrations": "MedicationAdministration",
    "conditions": "Condition",
    "immunizations": "Immunization",
    "procedures": "Procedure",
    "serviceRequests": "ServiceRequest",
    "diagnosticReports": "DiagnosticReport",
}
# Sent only where the child has any: by their type, under keys that the service does not ask for.
BESIDE = {
    "appointments": ("Appointment",),
    "immunizationRecommendations": ("ImmunizationRecommendation",),
    "kitEvents": ("SupplyDelivery", "MedicationDispense", "Task"),
    "encounters": ("Encounter",),
    "communications": ("Communication",),
}
HOOKS = {
    "ordering": ("order-sign", "order-select"),
    "dispatch": ("order-dispatch",),
    "visit": ("encounter-start",),
    "booking": ("appointment-book",),
    "chart": ("patient-view",),
    "discharge": ("encounter-discharge",),
}
# Without an order for the product unless the case states one.
ORDERLESS = ("chart", "discharge")
KNOWN_WORDS = {
    "moment", "born", "today", "infused", "twin", "active", "replaced_by", "died", "weights", "weight", "gestational_age",
    "temperatures", "conditions", "procedures", "genetics", "labs", "titers", "infection_tests", "requests", "steroids",
    "steroid_doses", "anti_infectives", "vaccinations", "overdue_vaccines", "draft", "drafts", "open_orders",
    "completed_orders", "given_doses", "procedure_doses", "visit_reasons", "appointments", "kit", "lists", "extra",
    "panels", "counts", "smears", "blood_pressures", "urine_outputs", "consults", "cardiac", "antihypertensives",
    "teachings", "stay",
}  # fmt: skip
WORDS_OF_MOMENT = {
    "ordering": {"user", "background_drafts", "draft_steroids", "draft_vaccines", "draft_requests"},
    "dispatch": {"dispatch_shape", "dispatched"},
    "visit": {"user"},
    "booking": {"user", "slots", "appointments_shape"},
    "chart": {"user"},
    "discharge": {"user"},
}


def today_of(given: Mapping[str, Any]) -> date:
    """The day of the call."""
    return date.fromisoformat(str(given.get("today", TODAY)))


def hook_of(given: Mapping[str, Any]) -> str:
    """The hook a child is asked about on: that of its moment; order-select where some drafts are not selected."""
    if "background_drafts" in given:
        return "order-select"
    return HOOKS[given.get("moment", "ordering")][0]


def hook_request(given: Mapping[str, Any], hook: str = "") -> Json:
    """A hook request about the default child, changed where `given` says so; without a hook on that of its moment.

    On the hooks of another moment than its own, the child is the same and the words of its own moment say nothing.
    """
    own_moment = given.get("moment", "ordering")
    foreign = set(given) - KNOWN_WORDS - WORDS_OF_MOMENT[own_moment]
    assert not foreign, f"unknown words in a case of moment {own_moment}: {sorted(foreign)}"
    hook = hook or hook_of(given)
    moment = next(moment for moment, hooks in HOOKS.items() if hook in hooks)
    planned = _infused(given) or (TODAY if moment == "visit" else PLANNED)
    drafts = _drafts(given, moment, planned)
    return {
        "hook": hook,
        "hookInstance": "5a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e",
        "context": _context(given, hook, drafts, planned),
        "prefetch": _prefetch(given, moment, drafts, planned),
    }


def _infused(given: Mapping[str, Any]) -> date | None:
    """The day of the infusion, where the case says that it was given."""
    return date.fromisoformat(str(given["infused"])) if "infused" in given else None


def _drafts(given: Mapping[str, Any], moment: str, planned: date) -> list[Json]:
    """The product orders of the call: being written, or active in the record."""
    has_default = moment not in ORDERLESS and "infused" not in given
    if given.get("draft") == "none" or not (has_default or "draft" in given or "drafts" in given):
        return []
    status = "draft" if moment == "ordering" else "active"
    return product_orders(given.get("drafts", [given.get("draft")]), "draft", status=status, planned=planned)


# --- context ----------------------------------------------------------------------------------------------------


def _context(given: Mapping[str, Any], hook: str, drafts: list[Json], planned: date) -> Json:
    if hook == "order-dispatch":
        return {"patientId": PATIENT_ID, **_dispatch(given, drafts)}
    context: Json = {"userId": given.get("user", "Practitioner/synthetic-prescriber"), "patientId": PATIENT_ID}
    if hook in ("encounter-start", "encounter-discharge"):
        return {**context, "encounterId": stay_id(given)}
    if hook == "patient-view":
        return {**context, "encounterId": stay_id(given)} if "stay" in given else context
    if hook == "appointment-book":
        return {**context, **_booking(given)}
    return {**context, **_ordering(given, drafts, planned, with_selections=hook == "order-select")}


def _ordering(given: Mapping[str, Any], drafts: list[Json], planned: date, *, with_selections: bool) -> Json:
    """Every order of the session; selected are the product's drafts, without any those of other medicines."""
    today = today_of(given)
    background = product_orders(given.get("background_drafts", []), "background")
    steroids = [
        steroid_order({"id": f"draft-steroid-{n}", **item}, today, planned, "draft")
        for n, item in enumerate(given.get("draft_steroids", []), start=1)
    ]
    vaccines = [
        vaccine_order({"id": f"draft-vaccine-{n}", **item}, today)
        for n, item in enumerate(given.get("draft_vaccines", []), start=1)
    ]
    requests = [
        request({"id": f"draft-request-{n}", **item}, today, "draft")
        for n, item in enumerate(given.get("draft_requests", []), start=1)
    ]
    made: Json = {"draftOrders": collection([*drafts, *background, *steroids, *vaccines, *requests])}
    if with_selections:
        made["selections"] = [_reference(order) for order in drafts or [*steroids, *vaccines]]
    return made


def _dispatch(given: Mapping[str, Any], drafts: list[Json]) -> Json:
    """The references and the tasks, named as in one of the published versions of the hook."""
    shape = str(given.get("dispatch_shape", "1.1"))
    references = list(given.get("dispatched", [_reference(order) for order in drafts]))
    tasks = [event for event in _kit_events(given, drafts) if event["resourceType"] == "Task"]
    made: Json = {"performer": "Organization/synthetic-pharmacy"}
    if shape == "1.0":
        made["order"] = ",".join(references)
        return {**made, "task": tasks[0] if len(tasks) == 1 else tasks} if tasks else made
    orders, beside = {
        "1.1": ("dispatchedOrders", "fulfillmentTasks"),
        "hyphenated": ("dispatched-orders", "fulfillment-tasks"),
    }[shape]
    made[orders] = references
    return {**made, beside: tasks} if tasks else made


def _booking(given: Mapping[str, Any]) -> Json:
    """The proposed appointments: a Bundle as published, a bare array, or one under a key in the singular."""
    shape = given.get("appointments_shape", "bundle")
    slots = [
        appointment({"id": f"slot-{n}", **item}, "proposed") for n, item in enumerate(given.get("slots", [{}]), start=1)
    ]
    if shape == "singular":
        assert len(slots) == 1, "the shape singular has one slot"
        return {"appointment": slots[0]}
    assert shape in ("bundle", "array"), f"unknown shape of appointments: {shape}"
    return {"appointments": collection(slots) if shape == "bundle" else slots}


def _reference(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


# --- prefetch ---------------------------------------------------------------------------------------------------


def _prefetch(given: Mapping[str, Any], moment: str, drafts: list[Json], planned: date) -> Json:
    held: dict[str, list[Json]] = {}
    for resource in _resources(given, moment, drafts, planned):
        held.setdefault(resource["resourceType"], []).append(resource)
    prefetch: Json = {"patient": patient(given)}
    for key, kind in LISTS.items():
        prefetch[key] = bundle(held.get(kind, []))
    if given.get("visit_reasons") or not is_none(given.get("stay")):
        prefetch["encounter"] = encounter(given)
    for key, kinds in BESIDE.items():
        found = [resource for kind in kinds for resource in held.get(kind, [])]
        if found:
            prefetch[key] = bundle(found)
    for key, state in given.get("lists", {}).items():
        _put_in_trouble(prefetch, key, str(state))
    for key, value in given.get("extra", {}).items():
        prefetch[key] = value
    return prefetch


def _resources(given: Mapping[str, Any], moment: str, drafts: list[Json], planned: date) -> list[Json]:
    today = today_of(given)
    infused = _infused(given)
    made = child_resources(given, today)
    made += laboratory_resources(given, today, infused or today)
    made += care_resources(given, today)
    made += [] if moment == "ordering" else drafts
    made += product_orders(given.get("open_orders", []), "order", status="active", planned=planned)
    made += product_orders(given.get("completed_orders", []), "completed", status="completed")
    made += dose_resources(given, today, infused)
    made += medicine_resources(given, today, planned, infused or today, is_visit=moment == "visit")
    made += [
        appointment({"id": f"appointment-{n}", **item}, "booked")
        for n, item in enumerate(given.get("appointments", []), start=1)
    ]
    events = _kit_events(given, drafts)
    return [*made, *(e for e in events if moment != "dispatch" or e["resourceType"] != "Task")]


def _kit_events(given: Mapping[str, Any], drafts: list[Json]) -> list[Json]:
    order = _reference(drafts[0]) if drafts else "MedicationRequest/order-1"
    return [kit_event(item, n, order) for n, item in enumerate(given.get("kit", []), start=1)]


def _put_in_trouble(prefetch: Json, key: str, state: str) -> None:
    kind, _, counts = state.partition(" ")
    if kind in ("odd-entry", "failed-entry"):
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
        extra = (
            {"fullUrl": "urn:uuid:0"} if kind == "odd-entry" else {"resource": outcome, "search": {"mode": "outcome"}}
        )
        prefetch[key].setdefault("entry", []).append(extra)
        return
    if kind == "absent":
        del prefetch[key]
    elif kind in ("null", "None"):
        prefetch[key] = None
    elif kind == "failed":
        issue = {"severity": "error", "code": "forbidden"}
        prefetch[key] = {"resourceType": "OperationOutcome", "issue": [issue]}
    elif kind == "html":
        prefetch[key] = "<html>Service unavailable</html>"
    elif kind == "empty":
        prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    elif kind == "partial":
        prefetch[key]["link"] = [{"relation": "next", "url": "https://ehr.example.org/next"}]
        if counts:
            prefetch[key]["total"] = int(counts.split("/")[1])
        else:
            prefetch[key].pop("total", None)
    else:
        raise AssertionError(f"unknown state of a list: {state}")
