"""FHIR resources in memory: read by id, searched by the parameters of fhir_search.py, answered page by page."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from cds_service.fhir.json_shapes import JsonObject, objects, text
from cds_service.fhir.references import own_reference, referenced
from cds_service.web.fhir_search import (
    SEARCHABLE,
    FhirRefused,
    Matcher,
    parameter_of,
    parameters_of,
    patient_references,
)

PAGE = "_page"
DEFAULT_COUNT, LARGEST_COUNT = 50, 200
_SUBJECTS = ("subject", "patient", "for")
_BY_PATIENT = frozenset({"patient", "subject"})
_LONGEST_QUERY = 65_536
Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FhirStore:
    """Resources that can be read and searched, indexed once; nothing changes them afterwards."""

    by_reference: Mapping[str, JsonObject]
    by_type: Mapping[str, Sequence[JsonObject]]
    by_patient: Mapping[tuple[str, str], Sequence[JsonObject]]

    @classmethod
    def of(cls, resources: Iterable[JsonObject]) -> FhirStore:
        """These resources, the first of each `Type/id`; those without an id or of a type not served are left out."""
        by_reference: dict[str, JsonObject] = {}
        by_type: dict[str, list[JsonObject]] = {}
        by_patient: dict[tuple[str, str], list[JsonObject]] = {}
        for resource in resources:
            kind, reference = text(resource.get("resourceType")), own_reference(resource)
            if kind not in SEARCHABLE or not text(resource.get("id")) or reference in by_reference:
                continue
            by_reference[reference] = resource
            by_type.setdefault(kind, []).append(resource)
            for patient in _patients_of(resource):
                by_patient.setdefault((kind, patient), []).append(resource)
        return cls(by_reference, by_type, by_patient)

    def read(self, resource_type: str, identity: str) -> JsonObject:
        """The resource. Raises FhirRefused (404) where there is none."""
        parameters_of(resource_type)
        found = self.by_reference.get(f"{resource_type}/{identity}")
        if found is None:
            raise FhirRefused(404, "not-found", f"no {resource_type} has this id; search for those there are")
        return found

    def search(self, base: str, resource_type: str, parameters: Parameters) -> JsonObject:
        """A page of what matches all parameters, as a searchset Bundle with absolute addresses below `base`.

        Raises FhirRefused: 404 for a type that is not served, 400 for a parameter, value or page that is none.
        """
        parameters_of(resource_type)
        page = _page_asked_for(resource_type, parameters)
        found = self._matching(resource_type, page.criteria)
        shown = found[page.offset : page.offset + page.count]
        links = [{"relation": "self", "url": f"{base}/{resource_type}?{urlencode(parameters, safe='/:,')}"}]
        following = page.offset + page.count
        if page.count > 0 and following < len(found):
            token = _Page(resource_type, page.criteria, page.count, following).token()
            links.append({"relation": "next", "url": f"{base}/{resource_type}?{PAGE}={token}"})
        return searchset(base, shown, len(found), links)

    def _matching(self, resource_type: str, criteria: Parameters) -> list[JsonObject]:
        tests: list[Matcher] = []
        candidates: Iterable[JsonObject] = self.by_type.get(resource_type, ())
        for name, written in criteria:
            parameter = parameter_of(resource_type, name)
            if name in _BY_PATIENT:
                candidates = self._about(resource_type, written)
            tests.append(parameter.matcher(written))
        return [resource for resource in candidates if all(test(resource) for test in tests)]

    def _about(self, resource_type: str, written: str) -> list[JsonObject]:
        patients = dict.fromkeys(patient_references(written))
        return [item for patient in patients for item in self.by_patient.get((resource_type, patient), ())]


def searchset(base: str, resources: Iterable[JsonObject], total: int, links: list[dict[str, str]]) -> JsonObject:
    """A page of a search result; without a match it has no `entry`."""
    entries = [
        {"fullUrl": f"{base}/{own_reference(resource)}", "resource": resource, "search": {"mode": "match"}}
        for resource in resources
    ]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    return {**bundle, "entry": entries} if entries else bundle


def _patients_of(resource: JsonObject) -> set[str]:
    """The patients a resource is about, as `Patient/id`."""
    stated = [resource.get(name) for name in _SUBJECTS]
    stated += [participant.get("actor") for participant in objects(resource.get("participant"))]
    return {name for item in stated if (name := referenced(item)).startswith("Patient/")}


class _Page(msgspec.Struct, frozen=True, array_like=True):
    """Which page of which search; its token is all that a `next` link needs."""

    resource_type: str
    criteria: list[tuple[str, str]]
    count: int
    offset: int = 0

    def token(self) -> str:
        """The page as text that says nothing to a client."""
        return base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(self))).decode().rstrip("=")


def _page_asked_for(resource_type: str, parameters: Parameters) -> _Page:
    """What is searched for and from where. Raises FhirRefused (400) for a parameter without value or used twice."""
    if any(not value.strip() for _, value in parameters):
        raise FhirRefused(400, "invalid", "a search parameter has no value; give it one or leave it out")
    criteria = [(name, value) for name, value in parameters if name not in ("_count", PAGE)]
    counts = [value for name, value in parameters if name == "_count"]
    tokens = [value for name, value in parameters if name == PAGE]
    if not tokens:
        return _Page(resource_type, criteria, _count(counts))
    page = _page_of(tokens[0])
    if len(parameters) > 1 or page is None or page.resource_type != resource_type:
        raise FhirRefused(400, "invalid", f"{PAGE} is not from a next link of this search; follow the link unchanged")
    return page


def _count(written: list[str]) -> int:
    if not written:
        return DEFAULT_COUNT
    if len(written) > 1 or not (written[0].isascii() and written[0].isdigit()) or len(written[0]) > 9:
        raise FhirRefused(400, "invalid", "_count is no whole number; write it once, like _count=50")
    return min(int(written[0]), LARGEST_COUNT)


def _page_of(token: str) -> _Page | None:
    """The page that a token stands for, or None where it is none of ours."""
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        written = zlib.decompressobj().decompress(packed, _LONGEST_QUERY)
        page = msgspec.json.decode(written, type=_Page)
    except (ValueError, binascii.Error, zlib.error, msgspec.MsgspecError):
        return None
    is_one = 0 < page.count <= LARGEST_COUNT and page.offset > 0
    return page if is_one else None
