"""Proposed changes → CDS Hooks actions with FHIR R4 resources (interfaces section 5, rulings 8 and 59).

A created resource is built as an R4B model, so that it can't leave malformed. An updated draft is the draft as
it came, changed only where the change says so; it is never validated, because it need not have been valid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.domain.answers import (
    BeginSteroidLater,
    CorrectOrder,
    DeleteOrder,
    ExtendSteroid,
    OrderIntravenousSteroid,
    OrderMonitoring,
    OrderSteroid,
    OrderTaper,
    ProposedChange,
    RequestTest,
)
from cds_service.domain.codes import Code, CodeBook
from cds_service.domain.product_code import in_table_spelling, is_of_labeler
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    objects,
    text,
)
from cds_service.fhir.quantity import UCUM
from cds_service.fhir.recognition import ROUTES, Recognition
from cds_service.fhir.references import is_an_id, own_reference

_REPEATING = (
    "count",
    "countMax",
    "frequency",
    "frequencyMax",
    "period",
    "periodMax",
    "periodUnit",
    "timeOfDay",
    "dayOfWeek",
    "when",
    "offset",
    "boundsDuration",
    "boundsRange",
)
_DOSES = ("doseQuantity", "doseRange")
_RATES = ("rateQuantity", "rateRatio", "rateRange")
_REMARKS = ("text", "patientInstruction", "maxDosePerPeriod", "maxDosePerAdministration", "maxDosePerLifetime")


@dataclass(frozen=True, slots=True)
class SuggestedAction:
    """One action of a suggestion: `create` or `update` with a resource, `delete` with a reference.

    `remarks_remain`: the draft keeps free text or dose limits that a person has to compare with the change.
    """

    type: str
    resource: JsonObject | None = None
    resource_id: str = ""
    kit_could_not_be_set: bool = False
    remarks_remain: bool = False


@dataclass(frozen=True, slots=True)
class TestOrder:
    """A test to be ordered, in the words of the card files: name, (system, code, name), text and reason.

    `priority` is a FHIR request priority, "" for none. `on` is the day it is wanted for.
    """

    name: str
    code: tuple[str, str, str] | None
    text: str
    reason: str
    priority: str = ""
    on: date | None = None


def suggested_action(
    change: ProposedChange,
    patient_id: str,
    drafts: Mapping[str, JsonObject],
    orders: Mapping[str, TestOrder],
    recognition: Recognition,
    texts: Mapping[str, str],
) -> SuggestedAction | None:
    """The action for one change, or None where the draft has no id to be addressed by or would not change.

    A deletion names the draft by a relative reference (conformance R-124), so its id has to be one that fits there.

    A change of several orders is written one test at a time.
    """
    if isinstance(change, RequestTest):
        order = replace(orders[change.test], on=change.on)
        order = replace(order, reason=texts["reason"]) if change.is_follow_up else order
        return SuggestedAction("create", _service_request(order, patient_id, recognition.codes))
    if isinstance(change, OrderMonitoring):
        return None
    if isinstance(change, OrderSteroid):
        return SuggestedAction("create", _oral_steroid(change, patient_id, recognition.codes, texts))
    if isinstance(change, OrderTaper):
        return SuggestedAction("create", _oral_taper(change, patient_id, recognition.codes, texts))
    if isinstance(change, OrderIntravenousSteroid):
        return SuggestedAction("create", _intravenous_steroid(change, patient_id, recognition.codes, texts))
    draft = drafts.get(change.order_id)
    if draft is None or not change.order_id:
        return None
    if isinstance(change, DeleteOrder):
        return SuggestedAction("delete", resource_id=own_reference(draft)) if is_an_id(change.order_id) else None
    if isinstance(change, ExtendSteroid):
        return _extended(draft, change)
    if isinstance(change, BeginSteroidLater):
        return _begun_later(draft, change)
    return _corrected(draft, change, recognition, texts)


def _oral_steroid(change: OrderSteroid, patient_id: str, codes: CodeBook, texts: Mapping[str, str]) -> JsonObject:
    """A draft for prednisolone once a day by mouth; the product only where its strength is the one calculated with."""
    repeat = {
        "boundsPeriod": {"start": change.first_day.isoformat(), "end": change.last_day.isoformat()},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
    }
    content = _medication_request("prednisolone", "oral", repeat, change.mg, patient_id, codes, texts)
    content["id"] = str(
        uuid5(NAMESPACE_URL, f"{patient_id}/prednisolone/{change.purpose}/{change.mg}/{change.first_day}")
    )
    content["dispenseRequest"] = {
        "expectedSupplyDuration": {"value": change.supply_days, "unit": "d", "system": UCUM, "code": "d"}
    }
    _name_solution(content, change.strength_mg_per_ml, codes)
    return _written(content)


def _name_solution(content: JsonObject, strength: Decimal, codes: CodeBook) -> None:
    """The product's code, where the code lists have a solution of this strength."""
    product = _solution(codes, strength)
    if product is not None:
        address = codes.addresses[product.system][0]
        content["medicationCodeableConcept"]["coding"] = [
            {"system": address, "code": product.code, "display": product.name}
        ]


def _oral_taper(change: OrderTaper, patient_id: str, codes: CodeBook, texts: Mapping[str, str]) -> JsonObject:
    """A draft for prednisolone in falling steps: one instruction for each, in their order, each with its days."""
    first = change.steps[0]
    content = _medication_request("prednisolone", "oral", {}, first.mg, patient_id, codes, texts)
    content["id"] = str(uuid5(NAMESPACE_URL, f"{patient_id}/prednisolone/taper/{first.mg}/{first.first_day}"))
    whole = content["dosageInstruction"][0]
    content["dosageInstruction"] = [
        {
            **deepcopy(whole),
            "sequence": number,
            "text": texts[f"sig_{number}"],
            "timing": {
                "repeat": {
                    "boundsPeriod": {"start": step.first_day.isoformat(), "end": step.last_day.isoformat()},
                    "frequency": 1,
                    "period": 1,
                    "periodUnit": "d",
                }
            },
            "doseAndRate": [{"doseQuantity": _quantity(step.mg, "mg")}],
        }
        for number, step in enumerate(change.steps, start=1)
    ]
    _name_solution(content, change.strength_mg_per_ml, codes)
    return _written(content)


def _solution(codes: CodeBook, strength: Decimal) -> Code | None:
    """The prednisolone solution of this strength, as the code lists name it."""
    found = (c for c in codes.concepts["prednisolone"] if c.form == "oral" and c.mg_per_ml == strength)
    return next(found, None)


def _intravenous_steroid(
    change: OrderIntravenousSteroid, patient_id: str, codes: CodeBook, texts: Mapping[str, str]
) -> JsonObject:
    repeat = {"frequency": 1, "period": 1, "periodUnit": "d"}
    content = _medication_request("methylprednisolone", "intravenous", repeat, change.mg, patient_id, codes, texts)
    return _written(content)


def _medication_request(
    drug: str,
    route: str,
    repeat: JsonObject,
    mg: Decimal,
    patient_id: str,
    codes: CodeBook,
    texts: Mapping[str, str],
) -> JsonObject:
    way = codes.concepts[route][0]
    return {
        "resourceType": "MedicationRequest",
        "id": str(uuid5(NAMESPACE_URL, f"{patient_id}/{drug}/{route}")),
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": texts["medication"]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "reasonCode": [{"text": texts["reason"]}],
        "dosageInstruction": [
            {
                "text": texts["sig"],
                "timing": {"repeat": repeat},
                "asNeededBoolean": False,
                "route": {
                    "coding": [{"system": codes.addresses[way.system][0], "code": way.code, "display": way.name}]
                },
                "doseAndRate": [{"doseQuantity": _quantity(mg, "mg")}],
            }
        ],
    }


def _written(content: JsonObject) -> JsonObject:
    """The resource as a strict model writes it, so that it cannot leave malformed."""
    model = MedicationRequest if content["resourceType"] == "MedicationRequest" else ServiceRequest
    written: JsonObject = json.loads(
        model.model_validate(content).model_dump_json(exclude_none=True), parse_float=Decimal
    )
    return written


def _extended(draft: JsonObject, change: ExtendSteroid) -> SuggestedAction | None:
    """The draft with its last day moved; only where one instruction, and nothing else, names its days by a period."""
    resource = deepcopy(draft)
    instructions = objects(resource.get("dosageInstruction"))
    if len(instructions) != 1:
        return None
    period = an_object(an_object(an_object(instructions[0].get("timing")).get("repeat")).get("boundsPeriod"))
    dispense = an_object(resource.get("dispenseRequest"))
    ends_elsewhere = an_object(dispense.get("validityPeriod")).get("end") or dispense.get("expectedSupplyDuration")
    if not text(period.get("end")) or ends_elsewhere:
        return None
    period["end"] = change.last_day.isoformat()
    return SuggestedAction("update", resource, remarks_remain="text" in instructions[0])


def _begun_later(draft: JsonObject, change: BeginSteroidLater) -> SuggestedAction | None:
    """The draft moved so that it begins on a day; only where its one instruction names its days by a period."""
    resource = deepcopy(draft)
    instructions = objects(resource.get("dosageInstruction"))
    if len(instructions) != 1:
        return None
    period = an_object(an_object(an_object(instructions[0].get("timing")).get("repeat")).get("boundsPeriod"))
    dates = [_day_of(period.get(name)) for name in ("start", "end")]
    if dates[0] is None or (period.get("end") is not None and dates[1] is None):
        return None
    moved: timedelta = change.first_day - dates[0]
    if moved <= timedelta(0):
        return None
    period["start"] = change.first_day.isoformat()
    if dates[1] is not None:
        period["end"] = (dates[1] + moved).isoformat()
    return SuggestedAction("update", resource, remarks_remain="text" in instructions[0])


def _day_of(written: object) -> date | None:
    """A day written without an hour; a moment cannot be moved without knowing what it means."""
    try:
        return date.fromisoformat(text(written))
    except ValueError:
        return None


def _service_request(order: TestOrder, patient_id: str, codes: CodeBook) -> JsonObject:
    code: JsonObject = {"text": order.text}
    if order.code is not None:
        system, value, name = order.code
        code["coding"] = [{"system": codes.addresses[system][0], "code": value, "display": name}]
    content: JsonObject = {
        "resourceType": "ServiceRequest",
        "id": str(uuid5(NAMESPACE_URL, f"{patient_id}/{order.name}{f'/{order.on}' if order.on else ''}")),
        "status": "draft",
        "intent": "order",
        "code": code,
        "subject": {"reference": f"Patient/{patient_id}"},
        "reasonCode": [{"text": order.reason}],
    }
    if order.priority:
        content["priority"] = order.priority
    if order.on is not None:
        content["occurrenceDateTime"] = order.on.isoformat()
    return _written(content)


def _corrected(
    draft: JsonObject, change: CorrectOrder, recognition: Recognition, texts: Mapping[str, str]
) -> SuggestedAction | None:
    resource = deepcopy(draft)
    instruction = _dosing_instruction(resource)
    if change.to_single_dose:
        _make_single(resource, instruction)
    if change.volume_ml is not None or change.ml_per_hour is not None:
        _set_dose(instruction, change)
    if change.minutes is not None:
        repeat = _child(_child(instruction, "timing"), "repeat")
        _drop(repeat, ("durationMax",))
        repeat |= {"count": 1, "duration": _json_number(change.minutes), "durationUnit": "min"}
    if change.to_intravenous:
        _set_route(instruction, recognition, texts["intravenous"])
    if change.to_one_kit:
        _child(resource, "dispenseRequest")["quantity"] = {
            "value": 1,
            "unit": "{kit}",
            "system": UCUM,
            "code": "{kit}",
        }
    missed = bool(change.kit_ndc) and not _set_kit(resource, change.kit_ndc, recognition, texts["kit_name"])
    if resource == draft:
        return None
    remains = _has_remarks(resource, change)
    return SuggestedAction("update", resource, kit_could_not_be_set=missed, remarks_remain=remains)


def _has_remarks(resource: JsonObject, change: CorrectOrder) -> bool:
    """Whether the draft says more than is changed: free text or dose limits, which may now contradict it."""
    kit_text = text(an_object(resource.get("medicationCodeableConcept")).get("text")) if change.kit_ndc else ""
    instructions = objects(resource.get("dosageInstruction"))
    return bool(kit_text) or any(name in item for item in instructions for name in _REMARKS)


def _dosing_instruction(resource: JsonObject) -> JsonObject:
    """The instruction that is changed: the first that states a dose, else the first, else a new one."""
    found = objects(resource.get("dosageInstruction"))
    if found:
        return next((item for item in found if _states_a_dose(item)), found[0])
    made: JsonObject = {}
    resource["dosageInstruction"] = [made]
    return made


def _states_a_dose(instruction: JsonObject) -> bool:
    entries = [entry for entry in objects(instruction.get("doseAndRate")) if "admin-amount" not in _type(entry)]
    return any(name in entry for entry in (instruction, *entries) for name in ("doseQuantity", "doseRange"))


def _child(parent: JsonObject, name: str) -> JsonObject:
    """The object under this name, made where there is none."""
    if not isinstance(parent.get(name), dict):
        parent[name] = {}
    child: JsonObject = parent[name]
    return child


def _set_dose(instruction: JsonObject, change: CorrectOrder) -> None:
    """Dose and rate at the one place that is judged; others of its rank that say the same things lose only those."""
    judged, others = _judged_place(instruction)
    if change.volume_ml is not None:
        _put_instead(judged, _DOSES, _quantity(change.volume_ml, "mL"))
        for place in others:
            _drop(place, _DOSES)
    if change.ml_per_hour is not None:
        _put_instead(judged, _RATES, _quantity(change.ml_per_hour, "mL/h"))
        for place in others:
            _drop(place, _RATES)
    entries = instruction.get("doseAndRate")
    if isinstance(entries, list) and {} in entries:
        instruction["doseAndRate"] = [entry for entry in entries if entry != {}]


def _judged_place(instruction: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """Where the dose that counts stands: beside the entries as older senders write it, or in the best entry."""
    entries = [entry for entry in objects(instruction.get("doseAndRate")) if "admin-amount" not in _type(entry)]
    beside = [instruction] if any(name in instruction for name in (*_DOSES, *_RATES)) else []
    best = 0 if beside else min((_rank(entry) for entry in entries), default=0)
    places = [*beside, *(entry for entry in entries if _rank(entry) == best)]
    if not places:
        made: JsonObject = {}
        instruction["doseAndRate"] = [*objects(instruction.get("doseAndRate")), made]
        return made, []
    judged = next((place for place in places if any(name in place for name in _DOSES)), places[0])
    return judged, [place for place in places if place is not judged]


def _put_instead(parent: JsonObject, names: tuple[str, ...], value: JsonObject) -> None:
    """The value under the first of these names, which say the same thing in different shapes, and under no other."""
    _drop(parent, names[1:])
    parent.pop(f"_{names[0]}", None)
    parent[names[0]] = value


def _drop(parent: JsonObject, names: Iterable[str]) -> None:
    """Take elements out, each with the extensions that stand beside it."""
    for name in names:
        parent.pop(name, None)
        parent.pop(f"_{name}", None)


def _rank(entry: JsonObject) -> int:
    said = _type(entry)
    return next((rank for rank, name in enumerate(("ordered", "calculated")) if name in said), 2)


def _type(entry: JsonObject) -> set[str]:
    said = {code_text(coding.get("code")) for coding in codings(entry.get("type"))}
    return said | {words.lower() for words in concept_texts(entry.get("type"))}


def _quantity(value: Decimal, unit: str) -> JsonObject:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _json_number(value: Decimal) -> int | Decimal:
    return int(value) if value == value.to_integral_value() else value


def _make_single(resource: JsonObject, instruction: JsonObject) -> None:
    """One administration: no refills, one instruction with a dose, one time, no repetition."""
    dispense = an_object(resource.get("dispenseRequest"))
    if "numberOfRepeatsAllowed" in dispense:
        dispense["numberOfRepeatsAllowed"] = 0
    every = objects(resource.get("dosageInstruction"))
    resource["dosageInstruction"] = [item for item in every if item is instruction or not _states_a_dose(item)]
    for item in objects(resource["dosageInstruction"]):
        _strip_repetition(item)
    repeat = _child(_child(instruction, "timing"), "repeat")
    repeat["count"] = 1


def _strip_repetition(instruction: JsonObject) -> None:
    timing = an_object(instruction.get("timing"))
    if isinstance(timing.get("event"), list):
        timing["event"] = timing["event"][:1]
        timing.pop("_event", None)
    _drop(timing, ("code",))
    repeat = an_object(timing.get("repeat"))
    _drop(repeat, _REPEATING)
    _drop(an_object(repeat.get("boundsPeriod")), ("end",))
    if timing.get("repeat") == {}:
        del timing["repeat"]


def _set_route(instruction: JsonObject, recognition: Recognition, name: str) -> None:
    """The intravenous route; a method of push or bolus is taken out, any other method stays."""
    route = recognition.codes.concepts["intravenous"][0]
    address = recognition.codes.addresses[route.system][0]
    stated = instruction.get("route")
    if (recognition.concept_of(stated) & ROUTES) | recognition.routes_in(concept_texts(stated)) != {"intravenous"}:
        instruction["route"] = {"coding": [{"system": address, "code": route.code, "display": name}]}
    said = " ".join(concept_texts(instruction.get("method")))
    if recognition.push_or_bolus.search(said):
        _drop(instruction, ("method",))


def _set_kit(resource: JsonObject, kit_ndc: str, recognition: Recognition, name: str) -> bool:
    """Put the kit's code into the draft; False where the draft only refers to a medication elsewhere."""
    concept = resource.get("medicationCodeableConcept")
    if not isinstance(concept, dict):
        return False
    address = recognition.codes.addresses["NDC"][0]
    kept = [coding for coding in objects(concept.get("coding")) if not _names_a_kit(coding, recognition)]
    concept["coding"] = [*kept, {"system": address, "code": kit_ndc, "display": name}]
    return True


def _names_a_kit(coding: JsonObject, recognition: Recognition) -> bool:
    entry = recognition.codes.look_up(coding.get("system"), coding.get("code"))
    is_kit = entry is not None and bool(entry[1].kit_ndc)
    package = in_table_spelling(text(coding.get("code")))
    return is_kit or recognition.codes.is_system(coding.get("system"), "NDC") or is_of_labeler(package)
