"""Requests that nobody wrote, damaged or not: each is answered as promised, and damage reassures nobody."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.hooks.json_body import read_json_object, write_json

from .bases import Base
from .finding import Examiner, new_faults
from .inputs import DAMAGE
from .strategies import requests

Json = dict[str, Any]
BIG = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=200, derandomize=True, deadline=None, database=None, suppress_health_check=BIG)
@given(requests())
def test_a_generated_request_is_answered_as_promised(examiner: Examiner, made: tuple[str, Json]) -> None:
    service_id, document = made
    request = Base("generated", f"/cds-services/{service_id}", write_json(document))
    assert new_faults(examiner, request) == []


@settings(max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=BIG)
@given(requests(), st.sampled_from(DAMAGE), st.integers(0, 1_000))
def test_damage_to_a_generated_request_reassures_nobody(
    examiner: Examiner, made: tuple[str, Json], kind: Any, number: int
) -> None:
    service_id, document = made
    base = Base(f"generated {service_id}", f"/cds-services/{service_id}", write_json(document))
    damaged = read_json_object(base.body)
    kind.change(damaged, Random(number))
    request = Base(base.name, base.path, write_json(damaged))
    assert new_faults(examiner, request, base) == []
