"""One resource that cannot be read spoils nothing: it is reported, and everything else counts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cds_service.domain.facts import PatientFacts
from cds_service.errors import PatientUnavailable
from cds_service.fhir import read_facts as package_door
from cds_service.hooks.json_body import read_json_object

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TWO_WEIGHTS = {"weights": [{"weight": "3.2 kg", "days_ago": 1}, {"weight": "3.1 kg", "days_ago": 3}]}


def test_a_reader_that_fails_on_one_resource_is_reported_and_the_others_are_read(
    facts_of: FactsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules[package_door.__module__]
    read = module.read_weight

    def fails_on_the_first(resource: dict[str, Any], *rest: Any) -> Any:
        if resource["id"] == "w1":
            raise ValueError("Jane Doe")
        return read(resource, *rest)

    monkeypatch.setattr(module, "read_weight", fails_on_the_first)
    facts = facts_of(TWO_WEIGHTS)
    assert [weight.evidence.reference for weight in facts.weights] == ["Observation/w2"]
    assert [item.evidence.reference for item in facts.unreadable] == ["Observation/w1"]
    assert "Jane" not in str(facts.unreadable)


def test_a_child_without_a_record_of_its_own_is_not_available(facts_of: FactsOf) -> None:
    with pytest.raises(PatientUnavailable):
        facts_of({"lists": {"patient": "absent"}})


def test_numbers_stay_exact_from_the_request_to_the_facts(facts_of: FactsOf) -> None:
    weight = facts_of({"weight": "3.0500 kg"}).weights[0]
    assert weight.quantity is not None
    assert str(weight.quantity.value) == "3.0500"


def test_a_number_beyond_binary_precision_survives_the_request() -> None:
    body = b'{"value": 3.04999999999999999999}'
    assert str(read_json_object(body)["value"]) == "3.04999999999999999999"
