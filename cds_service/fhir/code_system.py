"""Codes of our own → a FHIR R4 CodeSystem resource, built as a strict model so that it cannot leave malformed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fhir.resources.R4B.codesystem import CodeSystem

from cds_service.fhir.json_shapes import JsonObject


@dataclass(frozen=True, slots=True)
class OwnCode:
    """One code with its name, and what is told of it: `texts` and (system, code) pairs, by property."""

    code: str
    display: str
    definition: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    codings: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnCodeSystem:
    """A code system with all its codes: its address, `name` for machines, words for people.

    `properties` say what each property of the codes means.
    """

    url: str
    version: str
    name: str
    title: str
    description: str
    purpose: str
    properties: Mapping[str, str]
    codes: tuple[OwnCode, ...]


def code_system_resource(given: OwnCodeSystem) -> bytes:
    """The CodeSystem as JSON. It is a draft, and experimental, because nobody has clinically reviewed the cards."""
    content: JsonObject = {
        "resourceType": "CodeSystem",
        "id": given.url.rpartition("/")[2],
        "language": "en",
        "url": given.url,
        "version": given.version,
        "name": given.name,
        "title": given.title,
        "status": "draft",
        "experimental": True,
        "description": given.description,
        "purpose": given.purpose,
        "caseSensitive": True,
        "content": "complete",
        "count": len(given.codes),
        "property": [_property(given, code) for code in given.properties],
        "concept": [_concept(code) for code in given.codes],
    }
    filled = {name: value for name, value in content.items() if value != []}
    return CodeSystem.model_validate(filled).model_dump_json(exclude_none=True).encode()


def _property(system: OwnCodeSystem, code: str) -> JsonObject:
    is_coding = any(code in own.codings for own in system.codes)
    return {
        "code": code,
        "uri": f"{system.url}#{code}",
        "description": system.properties[code],
        "type": "Coding" if is_coding else "string",
    }


def _concept(own: OwnCode) -> JsonObject:
    concept: JsonObject = {"code": own.code, "display": own.display}
    if own.definition:
        concept["definition"] = own.definition
    told: list[JsonObject] = [
        {"code": name, "valueCoding": {"system": system, "code": code}} for name, (system, code) in own.codings.items()
    ]
    told += [{"code": name, "valueString": said} for name, said in own.texts.items()]
    return {**concept, "property": told} if told else concept
