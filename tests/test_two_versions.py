"""One order or dose that came twice, by the prefetch and by a query of our own, was given once."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from builders import bundle
from compose_fixtures import ask, compose_request, findings_in, scenarios
from flask.testing import FlaskClient

from cds_service.hooks.json_body import write_json

Json = dict[str, Any]
HOOK, OUTGROWN = "patient-view", "outgrown-on-the-chart"


def steroid_order(request: Json) -> Json:
    order: Json = request["prefetch"]["medicationRequests"]["entry"][0]["resource"]
    return order


def found(client: FlaskClient, *again: Json) -> dict[str, Json]:
    """What is said of the corticosteroid of a child who has outgrown 3 mg a day, with further versions of entries."""
    request = compose_request(scenarios()[OUTGROWN], HOOK)
    prefetch = {**request["prefetch"], "again": bundle(list(again))} if again else request["prefetch"]
    _, body = ask(client, HOOK, write_json({**request, "prefetch": prefetch}))
    return {f["rule"]: f["values"] for f in findings_in(body) if f["rule"].startswith("steroid-")}


def another_version(**members: Any) -> Json:
    return {**deepcopy(steroid_order(compose_request(scenarios()[OUTGROWN], HOOK))), **members}


def test_a_copy_whose_references_are_absolute_hides_no_dose_that_is_too_low(client: FlaskClient) -> None:
    """Twice 3 mg would look like enough, and more."""
    subject = steroid_order(compose_request(scenarios()[OUTGROWN], HOOK))["subject"]["reference"]
    copy = another_version(subject={"reference": f"https://ehr.example.org/fhir/r4/{subject}"})
    assert found(client)["steroid-dose-low"]["mgPerDay"] == "3"
    assert found(client, copy) == found(client)


def test_the_dose_of_an_order_in_two_versions_that_differ_is_not_known(client: FlaskClient) -> None:
    other = another_version()
    other["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = 4
    said = found(client, other)
    assert said["steroid-not-computable"]["why"] == "two-versions"
    assert not {"steroid-dose-low", "steroid-dose-high"} & set(said)
