"""Calls of the demo's FHIR server, and a few resources to search for."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.web.fhir_store import FhirStore

Json = dict[str, Any]
TOKEN = {"Authorization": "Bearer synthetic-demo-token"}
BASE = "http://localhost/demo/fhir"
FORMULA = "onasemnogene-order-sign/dose-by-formula"


def get(client: FlaskClient, url: str) -> TestResponse:
    """The answer to a request with a token."""
    return client.get(url, headers=TOKEN)


def of_formula_infant(query: str, faults: str = "") -> str:
    """The address of a query at the server of the scenario with a dose by formula, behind these faults if any."""
    place = f"faulty/{faults}" if faults else "scenarios"
    return f"/demo/{place}/{FORMULA}/fhir/{query}"


def resources(bundle: Json) -> list[Json]:
    """The resources on one page."""
    return [entry["resource"] for entry in bundle.get("entry", [])]


def ids(bundle: Json) -> list[str]:
    """The ids on one page."""
    return [resource["id"] for resource in resources(bundle)]


def next_link(bundle: Json) -> str | None:
    """The address of the next page, or None on the last one."""
    return next((link["url"] for link in bundle.get("link", []) if link["relation"] == "next"), None)


def every_page(client: FlaskClient, url: str) -> list[Json]:
    """The pages of a search, from the first to the last."""
    following: str | None = url
    pages = []
    while following:
        answer = get(client, following)
        assert answer.status_code == 200, answer.text
        pages.append(answer.get_json())
        following = next_link(pages[-1])
    return pages


def issue_of(answer: TestResponse) -> tuple[int, str, str]:
    """Status, code and text of an answer that refuses, which is FHIR as every answer of a FHIR server."""
    assert answer.content_type == "application/fhir+json"
    outcome = answer.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    return answer.status_code, outcome["issue"][0]["code"], outcome["issue"][0]["details"]["text"]


def weight(identity: str, when: str | None = None, patient: str = "Patient/one", **more: Any) -> Json:
    """A body weight."""
    coding = {"system": "http://loinc.org", "code": "29463-7"}
    time = {"effectiveDateTime": when} if when else {}
    subject = {"reference": patient}
    return (
        {"resourceType": "Observation", "id": identity, "code": {"coding": [coding]}, "subject": subject} | time | more
    )


def search(held: list[Json], **parameters: str) -> list[str]:
    """The ids that a search for Observations finds."""
    query = [(name.replace("__", "-"), value) for name, value in parameters.items()]
    return ids(FhirStore.of(held).search("http://fhir.example.org", "Observation", query))
