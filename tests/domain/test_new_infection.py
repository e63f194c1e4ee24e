"""Which tests a new infection after the infusion asks for: those without a result of the last 48 hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from domain_values import EVIDENCE

from cds_service.domain.answers import RequestTest
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import Control, Diagnosis, PatientFacts
from cds_service.domain.registry import answer_all
from cds_service.domain.rules.infection_and_vaccines import infection_chronic_uncontrolled
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
# The clock of all tests stands at 2026-03-02 09:00 UTC.
ALL_FOUR = {"hepatic-panel", "pt-inr", "cbc", "creatinine"}


def asked_for(facts_of: FactsOf, catalogue: Catalogue, **labs: Any) -> set[str]:
    """The tests that are offered to a child with RSV on day 20, who has these results."""
    given = {
        "moment": "visit",
        "infused": "2026-02-10",
        "infection_tests": [{"code": "LOINC 92131-2", "result": "Detected", "days_ago": 0}],
        "labs": labs,
    }
    answers = answer_all(facts_of(given), catalogue.known, catalogue.rules)
    (answer,) = [answer for answer in answers if answer.rule_id == "infection-after-infusion"]
    return {change.test for change in answer.changes if isinstance(change, RequestTest)}


def test_without_a_new_result_all_four_are_asked_for(facts_of: FactsOf, catalogue: Catalogue) -> None:
    assert asked_for(facts_of, catalogue) == ALL_FOUR


@pytest.mark.parametrize(
    ("when", "asked"),
    [
        ("2026-02-28T09:01:00Z", ALL_FOUR - {"cbc"}),
        ("2026-02-28T09:00:00Z", ALL_FOUR - {"cbc"}),
        ("2026-02-28T08:59:00Z", ALL_FOUR),
    ],
)
def test_a_result_of_the_last_48_hours_is_not_asked_for_again(
    facts_of: FactsOf, catalogue: Catalogue, when: str, asked: set[str]
) -> None:
    assert asked_for(facts_of, catalogue, platelets={"when": when}) == asked


@pytest.mark.parametrize(("standing", "grade"), [(Standing.ACCEPTED, "uncontrolled"), (Standing.NO_INFORMATION, "")])
def test_a_chronic_infection_that_is_over_is_not_uncontrolled(
    facts_of: FactsOf, catalogue: Catalogue, standing: Standing, grade: str
) -> None:
    entry = Diagnosis("tuberculosis", standing, EVIDENCE, control=Control.UNCONTROLLED)
    facts = replace(facts_of({}), diagnoses=(entry,))
    assert infection_chronic_uncontrolled(facts, catalogue.known).grade == grade
