"""The description as one JSON document, put together once at the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from cds_service import __version__
from cds_service.fhir import prefetch_templates
from cds_service.hooks.feedback import MOST_ENTRIES
from cds_service.hooks.json_body import write_json
from cds_service.hooks.services import SERVICES, CdsService
from cds_service.presentation import Catalogue
from cds_service.presentation.catalogue import CODE_SYSTEMS
from cds_service.presentation.yaml_files import load_yaml_text, read_text

Json = dict[str, Any]
_FOLDER = Path(__file__).resolve().parent
_SCHEMAS = ("requests.yaml", "answers.yaml", "timeline.yaml")
_JSON_TYPES = ("application/json", "application/fhir+json")
# What nobody gets who is not asked for a token, and what stands in the description for that alone.
_WITH_A_TOKEN = ("401", "429")
_OF_TOKENS = (("securitySchemes", "clientToken"), ("responses", "NotAuthenticated"), ("headers", "WWW-Authenticate"))


@dataclass(frozen=True, slots=True)
class Installation:
    """What differs between installations: the mode, who has to bring a token, the address, the largest body."""

    mode: str
    asks_for_tokens: bool
    discovery_asks_for_tokens: bool
    base_url: str
    max_body_bytes: int


def openapi_body(catalogue: Catalogue, here: Installation) -> bytes:
    """The description as it is served. Raises ContentProblem where one of its files is not acceptable."""
    return write_json(openapi_document(catalogue, here))


def openapi_document(catalogue: Catalogue, here: Installation) -> Json:
    """The description of every operation that is open to clients in this installation."""
    words = {
        "not_reviewed": catalogue.phrases.texts["page_not_reviewed"].plain.render(),
        "mode": here.mode,
        "max_body_bytes": str(here.max_body_bytes),
        "max_feedback_entries": str(MOST_ENTRIES),
    }
    document = _read("operations.yaml", words)
    hook_call, feedback = document.pop("hookCall"), document.pop("feedback")
    schemas = {name: schema for file in _SCHEMAS for name, schema in _read(file, words).items()}
    schemas |= {name: {"enum": list(codes)} for name, codes in _codes(catalogue).items()}
    template = schemas.pop("HookCall")
    keys = {key: {"$ref": "#/components/schemas/PrefetchValue"} for key in prefetch_templates(catalogue.codes)}
    schemas["Prefetch"]["properties"] = keys
    for service in SERVICES:
        schemas[_call_name(service)] = _call_schema(service, template)
        path = f"/cds-services/{service.service_id}"
        document["paths"][path] = {"post": _call_operation(service, hook_call, catalogue)}
        document["paths"][f"{path}/feedback"] = {"post": _feedback_operation(service, feedback)}
    document["info"]["version"] = __version__
    document["servers"] = [{"url": here.base_url}]
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["paths"] = {path: _with_faults(path, item, here) for path, item in document["paths"].items()}
    if not (here.asks_for_tokens or here.discovery_asks_for_tokens):
        for kind, name in _OF_TOKENS:
            del document["components"][kind][name]
    return document


def _read(file: str, words: Mapping[str, str]) -> Json:
    """The entries of one of our files, with what is known of this installation in them; `$ref` stays as it is."""
    path = _FOLDER / file
    content: Json = load_yaml_text(Template(read_text(path)).safe_substitute(words), path)
    return content


def _codes(catalogue: Catalogue) -> Mapping[str, Iterable[str]]:
    """The codes that answers hold, by the name of their schema."""
    course = catalogue.course
    return {
        "ServiceId": [service.service_id for service in SERVICES],
        "Hook": [service.hook for service in SERVICES],
        "TopicCode": catalogue.topics,
        "RuleId": sorted(catalogue.cards),
        "OverrideReasonCode": [code for code, _ in catalogue.phrases.override_reasons],
        "CodeSystemName": CODE_SYSTEMS,
        "InfusionStateCode": course.infusion,
        "CourseStateName": course.state_codes,
        "CourseStateCode": course.state_codes.values(),
        "SteroidPhaseCode": course.phases,
        "DoseSourceCode": course.dose_sources,
        "PlannedDayCode": course.plan,
        "SlotKindCode": course.slot_kinds,
        "SlotPartCode": course.parts,
        "SlotStatusCode": course.slot_states,
        "AnalyteCode": course.series,
        "HindranceCode": course.unknown,
    }


def _name_of(hook: str) -> str:
    """A hook's name as the names of schemas are written: order-sign becomes OrderSign."""
    return "".join(part.capitalize() for part in hook.split("-"))


def _call_name(service: CdsService) -> str:
    return f"{_name_of(service.hook)}Call"


def _call_schema(service: CdsService, template: Json) -> Json:
    """A call of one hook: that of every hook, with this hook's name and context."""
    context = {"$ref": f"#/components/schemas/{_name_of(service.hook)}Context"}
    return {**template, "properties": {**template["properties"], "hook": {"const": service.hook}, "context": context}}


def _call_operation(service: CdsService, shared: Json, catalogue: Catalogue) -> Json:
    texts = catalogue.phrases.texts
    schema = {"$ref": f"#/components/schemas/{_call_name(service)}"}
    return {
        "operationId": service.service_id,
        "summary": texts[f"title_{service.hook}"].plain.render(),
        "description": texts[f"description_{service.hook}"].plain.render(),
        "requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in _JSON_TYPES}},
        **shared,
    }


def _feedback_operation(service: CdsService, shared: Json) -> Json:
    return {
        "operationId": f"{service.service_id}-feedback",
        "summary": f"What was done with cards of {service.service_id}",
        **shared,
    }


def _with_faults(path: str, item: Json, here: Installation) -> Json:
    """The operations of a path as they are here: with tokens or without, and each may fail."""
    asks = here.discovery_asks_for_tokens if path == "/cds-services" else here.asks_for_tokens
    return {method: _with_fault(operation, asks_for_tokens=asks) for method, operation in item.items()}


def _with_fault(operation: Json, *, asks_for_tokens: bool) -> Json:
    responses = {**operation["responses"], "500": {"$ref": "#/components/responses/Failed"}}
    written = {**operation, "responses": responses}
    if "security" in operation and not asks_for_tokens:
        del written["security"]
        written["responses"] = {code: said for code, said in responses.items() if code not in _WITH_A_TOKEN}
    return written
