"""A result may be dated a quarter of an hour ahead of the service's clock, and no minute more."""

from __future__ import annotations

import pytest
from builders import hook_request
from flask.testing import FlaskClient
from hook_calls import JSON, SIGN

from cds_service.hooks.json_body import write_json


@pytest.mark.hazard("H22")
@pytest.mark.parametrize(("weighed", "is_ahead"), [("2026-03-02T09:15:00Z", False), ("2026-03-02T09:16:00Z", True)])
def test_a_weight_of_the_next_quarter_of_an_hour_counts(client: FlaskClient, weighed: str, is_ahead: bool) -> None:
    call = hook_request({"weights": [{"weight": "3.2 kg", "when": weighed}]}, "order-sign")
    answer = client.post(SIGN, data=write_json(call), content_type=JSON).get_json()
    said = "\n".join(f"{card['summary']}\n{card['detail']}" for card in answer["cards"])
    assert ("Weigh the child" in said) is is_ahead
