"""Charts of thousands of Observations: the same findings as of the few that matter, at a cost that grows with the size."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from compose_fixtures import client_at, findings_in
from flask.testing import FlaskClient

from bench.charts import Measured, chart_call
from cds_service.hooks.json_body import read_json_object, write_json

Json = dict[str, Any]
CHART = "/cds-services/onasemnogene-patient-view"
# More work per Observation than this, in the larger of two charts, is no noise of ties and calendar days.
MOST_GROWTH = 1.25


def answer(client: FlaskClient, call: Json) -> Json:
    reply = client.post(CHART, data=write_json(call), content_type="application/json")
    assert reply.status_code == 200
    return read_json_object(reply.data)


def without_laboratory(call: Json, own: int) -> Json:
    """The call with the first `own` Observations, and of the added ones only what no rule reads."""
    bundle = call["prefetch"]["observations"]
    read = {"1742-6", "777-3", "1975-2", "8310-5"}
    added = [e for e in bundle["entry"][own:] if e["resource"]["code"]["coding"][1]["code"] not in read]
    return {
        **call,
        "prefetch": {**call["prefetch"], "observations": {**bundle, "entry": bundle["entry"][:own] + added}},
    }


def test_thousands_of_results_that_no_rule_reads_change_nothing() -> None:
    client = client_at()
    small, large = chart_call(0), chart_call(5_000)
    own = len(small["prefetch"]["observations"]["entry"])
    assert answer(client, without_laboratory(large, own)) == answer(client, small)


@pytest.mark.hazard("H25")
def test_the_newest_of_thousands_of_results_is_found_wherever_it_stands() -> None:
    client = client_at()
    call = chart_call(5_000)
    entries = call["prefetch"]["observations"]["entry"]
    assert len(write_json(call)) > 4_000_000
    newest = next(e["resource"] for e in entries if e["resource"]["id"] == "synthetic-000000")
    newest["valueQuantity"] = {**newest["valueQuantity"], "value": 2_000}
    for place in (entries, entries[::-1]):
        call["prefetch"]["observations"]["entry"] = place
        serious = [f for f in findings_in(answer(client, call)) if f["rule"] == "liver-serious"]
        assert [(f["values"]["analyte"], f["indicator"]) for f in serious] == [("alt", "critical")]


def calls_made(client: FlaskClient, body: bytes) -> int:
    """How many functions it takes to answer: what a call costs, on any machine the same."""
    count = 0

    def counted(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        client.post(CHART, data=body, content_type="application/json")
    finally:
        sys.setprofile(before)
    return count


READ: dict[str, Measured] = {
    "weights": ("29463-7", "Body weight", "kg", "8.1", None),
    "ALT": ("1742-6", "ALT", "U/L", "31", ("5", "45")),
    "bilirubin": ("1975-2", "Bilirubin", "mg/dL", "0.4", ("0.1", "1.0")),
    "INR": ("6301-6", "INR", "1", "1.0", ("0.8", "1.2")),
    "platelets": ("777-3", "Platelets", "10*3/uL", "310", ("150", "450")),
    "haemoglobin": ("718-7", "Hemoglobin", "g/dL", "11.2", ("10.0", "14.0")),
    "creatinine": ("2160-0", "Creatinine", "mg/dL", "0.3", ("0.1", "0.5")),
    "troponin I": ("10839-9", "Troponin I", "ng/mL", "0.01", ("0", "0.04")),
    "temperature": ("8310-5", "Body temperature", "Cel", "36.9", None),
    "systolic pressure": ("8480-6", "Systolic blood pressure", "mm[Hg]", "85", None),
}


@pytest.mark.parametrize("what", READ)
def test_what_a_result_costs_does_not_grow_with_the_number_of_results(what: str) -> None:
    client = client_at()
    bodies = [write_json(chart_call(size, [READ[what]])) for size in (300, 500, 900)]
    client.post(CHART, data=bodies[0], content_type="application/json")
    small, middle, large = (calls_made(client, body) for body in bodies)
    first, second = (middle - small) / 200, (large - middle) / 400
    assert second <= first * MOST_GROWTH, (small, middle, large)
