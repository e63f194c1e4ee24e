"""The prefetch templates we publish: CDS Hooks 2.0 grammar and the query subset every EHR has (R-058 to R-068)."""

from __future__ import annotations

from urllib.parse import quote

from cds_service.domain.codes import CodeBook
from cds_service.domain.facts import Source
from cds_service.fhir.observation import (
    GESTATIONAL_AGE,
    OTHER_WEIGHT,
    SMN1_CONCEPTS,
    SMN2_CONCEPTS,
    WEIGHT,
)

_OBSERVED = (WEIGHT, OTHER_WEIGHT, GESTATIONAL_AGE, *sorted(SMN1_CONCEPTS | SMN2_CONCEPTS))
_TYPES = {
    Source.ORDERS: "MedicationRequest",
    Source.GIVEN_DOSES: "MedicationAdministration",
    Source.DIAGNOSES: "Condition",
    Source.VACCINATIONS: "Immunization",
    Source.PROCEDURES: "Procedure",
    Source.REQUESTED_TESTS: "ServiceRequest",
    Source.REPORTS: "DiagnosticReport",
}


def prefetch_templates(codes: CodeBook) -> dict[str, str]:
    """Key → template for each of the nine lists; Observations only by the codes a rule uses."""
    templates = {Source.PATIENT.value: "Patient/{{context.patientId}}"}
    wanted = ",".join(_observation_codes(codes))
    templates[Source.MEASUREMENTS.value] = f"Observation?patient={{{{context.patientId}}}}&code={wanted}&_count=200"
    for source, resource_type in _TYPES.items():
        templates[source.value] = f"{resource_type}?patient={{{{context.patientId}}}}&_count=200"
    return templates


def _observation_codes(codes: CodeBook) -> list[str]:
    """`system|code` of every LOINC code that is read, percent-encoded, each once."""
    wanted = (item for concept in _OBSERVED for item in codes.concepts[concept] if item.system == "LOINC")
    address = codes.addresses["LOINC"][0]
    return list(dict.fromkeys(quote(f"{address}|{item.code}", safe=":/") for item in wanted))
