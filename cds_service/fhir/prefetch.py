"""The prefetch templates we publish: CDS Hooks 2.0 grammar and the query subset every EHR has (R-058 to R-068)."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from cds_service.domain.codes import Code, CodeBook
from cds_service.domain.facts import Source
from cds_service.fhir.availability import TYPE_OF_SOURCE
from cds_service.fhir.bedside import INFECTION_TESTS, SCHISTOCYTES
from cds_service.fhir.laboratory import ANALYTES
from cds_service.fhir.observation import (
    GESTATIONAL_AGE,
    OTHER_WEIGHT,
    SMN1_CONCEPTS,
    SMN2_CONCEPTS,
    WEIGHT,
)
from cds_service.fhir.scopes import ScopeSyntax
from cds_service.fhir.vital_signs import BLOOD_PRESSURE_PANEL, SYSTOLIC, URINE_OUTPUT

OPEN_PATIENT = "{{context.patientId}}"
ANTI_AAV9 = "anti_aav9"
PAGE_SIZE = "&_count=200"

_OBSERVED = (
    WEIGHT,
    OTHER_WEIGHT,
    GESTATIONAL_AGE,
    *sorted(SMN1_CONCEPTS | SMN2_CONCEPTS),
    *ANALYTES,
    ANTI_AAV9,
    "body_temperature",
    BLOOD_PRESSURE_PANEL,
    SYSTOLIC,
    URINE_OUTPUT,
    SCHISTOCYTES,
    *sorted(INFECTION_TESTS),
)
_ASKED_OTHERWISE = (Source.PATIENT, Source.MEASUREMENTS)
_TYPES = {source: kind for source, kind in TYPE_OF_SOURCE.items() if source not in _ASKED_OTHERWISE}


def prefetch_templates(codes: CodeBook) -> dict[str, str]:
    """Key → template for each of the nine lists; Observations only by the codes a rule uses."""
    templates = {Source.PATIENT.value: f"Patient/{OPEN_PATIENT}"}
    wanted = ",".join(_observation_codes(codes))
    templates[Source.MEASUREMENTS.value] = f"Observation?patient={OPEN_PATIENT}&code={wanted}{PAGE_SIZE}"
    for source, resource_type in _TYPES.items():
        templates[source.value] = f"{resource_type}?patient={OPEN_PATIENT}{PAGE_SIZE}"
    return templates


def scopes_for_queries(syntax: ScopeSyntax, opened: Literal["user", "patient"] = "user") -> str:
    """The scopes that open the nine lists, and the Medications they refer to, in the syntax of a SMART version.

    For everything the user may see, or for the one patient whose chart is open.
    """
    return " ".join(
        f"{opened}/{kind}.{syntax.value}" for kind in ("Patient", "Observation", *_TYPES.values(), "Medication")
    )


def own_queries(codes: CodeBook) -> dict[str, tuple[str, ...]]:
    """Key → the templates we fill in ourselves where a list did not come: the published one, and what it cannot find.

    No public code is confirmed for the anti-AAV9 test (ruling 31). Where the site has given none either, it is known
    by its name alone, and only a look through all laboratory results finds it.
    """
    queries: dict[str, tuple[str, ...]] = {key: (template,) for key, template in prefetch_templates(codes).items()}
    if not any(_can_be_asked_for(item) for item in codes.concepts[ANTI_AAV9]):
        laboratory = f"Observation?patient={OPEN_PATIENT}&category=laboratory{PAGE_SIZE}"
        queries[Source.MEASUREMENTS.value] += (laboratory,)
    return queries


def _observation_codes(codes: CodeBook) -> list[str]:
    """`system|code` of every LOINC code and every code of the site's own that is read, percent-encoded, each once."""
    entries = [item for concept in _OBSERVED for item in codes.concepts.get(concept, ())]
    wanted = []
    for item in entries:
        if _can_be_asked_for(item):
            wanted.append(f"{codes.addresses.get(item.system, (item.system,))[0]}|{item.code}")
    return list(dict.fromkeys(quote(name, safe=":/") for name in wanted))


def _can_be_asked_for(item: Code) -> bool:
    """Whether EHRs can be expected to know a code: LOINC's, and what the site has mapped."""
    return item.confidence == "site" or item.system == "LOINC"
