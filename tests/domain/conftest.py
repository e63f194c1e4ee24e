"""What tests of the domain share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from asked_rules import Ask, FactsOf
from hypothesis import settings

from cds_service.domain.answers import Answer
from cds_service.domain.registry import answer_all
from cds_service.domain.results import LabResult
from cds_service.presentation import Catalogue

settings.load_profile("ci")  # the same examples on every run, and no deadline on a busy machine


@pytest.fixture
def ask(facts_of: FactsOf, catalogue: Catalogue) -> Ask:
    """The answers of one rule to a child; `results` stand in the record instead of its own."""

    def answers(rule: str, given: Mapping[str, Any], *results: LabResult) -> tuple[Answer, ...]:
        facts = facts_of(given)
        facts = replace(facts, lab_results=results) if results else facts
        rules = catalogue.rules.only(frozenset({rule}))
        return tuple(a for a in answer_all(facts, catalogue.known, rules) if a.rule_id == rule)

    return answers
