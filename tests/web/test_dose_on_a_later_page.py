"""An earlier dose that stands on a later page of the record counts like any other (R-085; ruling 30)."""

from __future__ import annotations

from typing import Any

import pytest
from builders import hook_request
from compose_fixtures import ask, findings_in, lines_in
from flask.testing import FlaskClient
from loopback_servers import http_answer, raw_server

from cds_service.app import create_app
from cds_service.config import Settings
from cds_service.hooks.json_body import write_json

Json = dict[str, Any]
GIVEN = "medicationAdministrations"
GRANTED = {
    "access_token": "synthetic-demo-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/*.read",
    "subject": "onasemnogene-cds",
}


@pytest.fixture(scope="module")
def client(settings: Settings) -> FlaskClient:
    """The service with time enough for a busy machine."""
    return create_app(settings.model_copy(update={"budget_ms": 60_000})).test_client()


def asked_with_first_page(client: FlaskClient, second_page: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """Levels of findings and states of the checklist, where the call brings an empty first page of doses given."""

    def answer(to: Any, head: bytes) -> None:
        to.sendall(second_page if b"page=2" in head.split()[1] else http_answer(b"{}", status="404 Not Found"))

    with raw_server(answer) as address:
        request = hook_request({})
        link = [{"relation": "next", "url": f"{address}/MedicationAdministration?page=2"}]
        request["prefetch"][GIVEN] = {"resourceType": "Bundle", "type": "searchset", "total": 1, "link": link}
        access = {"fhirServer": address, "fhirAuthorization": GRANTED}
        status, body = ask(client, "order-sign", write_json({**request, **access}))
    assert status == 200
    return {finding["rule"]: finding["indicator"] for finding in findings_in(body)}, lines_in(body)


@pytest.mark.hazard("H13")
@pytest.mark.spec("R-085")
def test_a_dose_on_the_second_page_is_an_earlier_dose(client: FlaskClient) -> None:
    earlier = hook_request({"given_doses": [{"days_ago": 40, "status": "completed"}]})["prefetch"][GIVEN]
    found, lines = asked_with_first_page(client, http_answer(write_json({**earlier, "total": 1})))
    assert found["repeat-administration"] == "critical"
    assert lines.get("prior-exposure") != "verified"


@pytest.mark.hazard("H13")
@pytest.mark.spec("R-085")
def test_without_the_second_page_no_earlier_dose_is_excluded(client: FlaskClient) -> None:
    found, lines = asked_with_first_page(client, http_answer(b"{}", status="500 Internal Server Error"))
    assert "data-incomplete-paging" in found
    assert lines["prior-exposure"] == "not-checkable"
