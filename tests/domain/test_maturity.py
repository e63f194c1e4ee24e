"""The gestational age to reason with, where several values are recorded (clinical-rules B)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from domain_values import EVIDENCE, at

from cds_service.domain.evidence import Standing
from cds_service.domain.facts import GestationalAge, PatientFacts
from cds_service.domain.maturity import age_at_birth, all_are_readable
from cds_service.presentation import Catalogue


@pytest.fixture
def child(facts_of: Callable[[Mapping[str, Any]], PatientFacts]) -> PatientFacts:
    return facts_of({"gestational_age": "none"})


def age(weeks: int | None, standing: Standing) -> GestationalAge:
    days = None if weeks is None else weeks * 7
    return GestationalAge(days, "", at("2026-01-01"), standing, ("", ""), EVIDENCE)


@pytest.mark.parametrize("weeks", [(36, 34, 35), (34, 36, 35)])
def test_of_several_provisional_ages_the_lowest_alarms(
    child: PatientFacts, catalogue: Catalogue, weeks: tuple[int, ...]
) -> None:
    ages = tuple(age(each, Standing.PROVISIONAL) for each in weeks)
    found = age_at_birth(replace(child, gestational_ages=(age(39, Standing.ACCEPTED), *ages)), catalogue.known)
    assert found is not None
    assert (found.days, found.is_accepted) == (34 * 7, False)


@pytest.mark.parametrize(
    ("standing", "is_readable"),
    [(Standing.NO_INFORMATION, True), (Standing.PROVISIONAL, False), (Standing.ACCEPTED, False)],
)
def test_only_a_value_that_says_nothing_need_not_be_read(
    child: PatientFacts, catalogue: Catalogue, standing: Standing, is_readable: bool
) -> None:
    ages = (age(39, Standing.ACCEPTED), age(None, standing))
    assert all_are_readable(replace(child, gestational_ages=ages), catalogue.known) is is_readable
