"""The synthetic requests that demo mode offers, moved to today."""

from __future__ import annotations

import json
from datetime import date

from flask.testing import FlaskClient

from cds_service.web.fixture_requests import FIXTURE_DAY, moved_to


def test_every_fixture_request_is_listed_with_its_address(client: FlaskClient) -> None:
    listed = client.get("/demo/hook_requests").get_json()["hook_requests"]
    assert len(listed) >= 30
    address = next(e["url"] for e in listed if e["scenario"] == "onasemnogene-order-sign/dose-by-formula")
    assert address == "http://localhost/demo/hook_requests/onasemnogene-order-sign/dose-by-formula"


def test_a_fixture_request_can_be_fetched_and_posted(client: FlaskClient) -> None:
    request = client.get("/demo/hook_requests/onasemnogene-order-sign/dose-by-formula").data
    answer = client.post("/cds-services/onasemnogene-order-sign", data=request, content_type="application/json")
    assert [card["indicator"] for card in json.loads(answer.data)["cards"]] == ["critical", "critical"]


def test_an_unknown_fixture_request_is_not_found(client: FlaskClient) -> None:
    answer = client.get("/demo/hook_requests/onasemnogene-order-sign/nothing")
    assert (answer.status_code, answer.get_json()["resourceType"]) == (404, "OperationOutcome")


def test_all_days_move_by_as_many_days_as_today_is_after_the_fixed_day() -> None:
    text = '{"birthDate":"2026-01-01","effectiveDateTime":"2026-03-01T08:00:00Z","id":"draft-2026-03-01"}'
    moved = moved_to(date(2026, 3, 12), text)
    assert date(2026, 3, 2) == FIXTURE_DAY
    assert moved == '{"birthDate":"2026-01-11","effectiveDateTime":"2026-03-11T08:00:00Z","id":"draft-2026-03-01"}'


def test_a_day_that_is_none_stays_as_it_is() -> None:
    assert moved_to(date(2026, 3, 12), '"2026-02-30"') == '"2026-02-30"'
