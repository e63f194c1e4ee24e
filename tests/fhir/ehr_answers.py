"""What an EHR's FHIR server answers in tests, and asking it for one list: shared by the tests of fetching."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
import responses
from builders import PATIENT_ID, bundle

from cds_service.domain.facts import Hindrance, ListState, Source
from cds_service.fhir import Ask, ChartFetcher, Deadline, FhirAccess, Record, read_chart, read_scopes

Json = dict[str, Any]
BASE = "https://ehr.example.org/fhir/r4"
TOKEN = "secret-token-of-this-test"
EVERYTHING = "user/*.read"
ABOUT = {"reference": f"Patient/{PATIENT_ID}"}
PATIENT = {"resourceType": "Patient", "id": PATIENT_ID}
TYPES = {
    Source.MEASUREMENTS: "Observation",
    Source.ORDERS: "MedicationRequest",
    Source.GIVEN_DOSES: "MedicationAdministration",
    Source.DIAGNOSES: "Condition",
    Source.VACCINATIONS: "Immunization",
    Source.PROCEDURES: "Procedure",
    Source.REQUESTED_TESTS: "ServiceRequest",
    Source.REPORTS: "DiagnosticReport",
}
BESIDE = ("Encounter", "Appointment", "Communication", "SupplyDelivery", "MedicationDispense")


def ask(base: str = BASE, scope: str = EVERYTHING, seconds: float = 5) -> Ask:
    return Ask(PATIENT_ID, Deadline.after(seconds), FhirAccess(base, TOKEN, read_scopes(scope)))


def condition(number: int = 1) -> Json:
    return {"resourceType": "Condition", "id": f"c{number}", "subject": ABOUT}


def page(resources: list[Json], **more: Any) -> Json:
    return {**bundle(resources), **more}


def link(address: str) -> list[Json]:
    return [{"relation": "next", "url": address}]


def answers(ehr: responses.RequestsMock, path: str, body: Any, **options: Any) -> None:
    """What the EHR answers to a search or read; the query of the address does not matter."""
    ehr.get(f"{BASE}/{path}", body=msgspec.json.encode(body), **options)


def serves_every_list(ehr: responses.RequestsMock) -> None:
    answers(ehr, f"Patient/{PATIENT_ID}", PATIENT)
    for kind in (*TYPES.values(), *BESIDE):
        answers(ehr, kind, bundle([]))


def asked(ehr: responses.RequestsMock) -> list[str]:
    return sorted(urlsplit(str(call.request.url)).path.removeprefix("/fhir/r4/") for call in ehr.calls)


def conditions(
    fetcher: ChartFetcher, wanted: Ask, prefetch: Json | None = None
) -> tuple[ListState, Hindrance | None, int]:
    """State of the diagnoses after asking for them, what hindered it, and how many there are."""
    record = fetcher.with_lists(Record.sent(prefetch), {Source.DIAGNOSES}, wanted)
    chart = read_chart(record.prefetch, PATIENT_ID, record.fetched, record.beside)
    state = chart.sources[Source.DIAGNOSES]
    return state.state, state.hindrance, len(chart.of_type("Condition"))
