"""Thousands of mutated requests, the same on every run: each is answered as promised, and none reassures more."""

from __future__ import annotations

from collections import Counter

import pytest

from .finding import Examiner
from .inputs import every_kind, input_of

SEED = 20260302
INPUTS, BLOCK = 2_000, 100
LEAST_OF_A_KIND = 10


@pytest.mark.hazard("H13")
@pytest.mark.spec("R-211")
@pytest.mark.parametrize("first", range(0, INPUTS, BLOCK))
def test_a_mutated_request_is_answered_as_promised(examiner: Examiner, first: int) -> None:
    """Never a fault of ours, HTML, or a reassurance that the unmutated request did not have.

    A failing input is looked at with `python -m tests.fuzz.run --only SEED:INDEX`.
    """
    found = [examiner.examine(input_of(SEED, index))[1] for index in range(first, first + BLOCK)]
    assert [(item.given.name, item.faults) for item in found if item is not None] == []


def test_every_kind_of_mutation_is_used_often() -> None:
    used = Counter(kind for index in range(INPUTS) for kind in input_of(SEED, index).kinds)
    assert {kind: used[kind] for kind in every_kind() if used[kind] < LEAST_OF_A_KIND} == {}


def test_half_of_the_inputs_only_damage_and_are_held_to_reassure_no_more() -> None:
    assert sum(input_of(SEED, index).is_damage for index in range(INPUTS)) > INPUTS * 2 // 5
