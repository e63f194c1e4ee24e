"""What may catch a mutant: example patients, asked of their own rule alone, and tests.

An example patient stands for two of its tests in test_cases.py: what the case expects, and the whole answer that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from example_patients import Case, cases_by_name, is_answered, known_of, named_once
from whole_answers import kept, told_of

from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.registry import Registry, answer_all
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """One example patient. What was read from its record is kept, for mutants that have no part in the reading."""

    name: str
    case: Case
    known: Known
    rules: Registry
    read: FactsOf
    whole: tuple[str, ...]
    facts: PatientFacts | None = None

    @classmethod
    def of(cls, name: str, case: Case, catalogue: Catalogue, read: FactsOf, whole: Sequence[str]) -> CaseCheck:
        """The check of a case; a rule that sums up others is asked with all of them."""
        asked = catalogue.rules.only(frozenset({case["rule"]}))
        rules = catalogue.rules if asked.summaries else asked
        return cls(name, case, known_of(case, catalogue.known), rules, read, tuple(whole))

    def with_facts(self) -> CaseCheck:
        """The same with the record read once and for all."""
        return replace(self, facts=self.read_facts())

    def read_facts(self) -> PatientFacts:
        """What is read from the record of the example patient."""
        return self.read(self.case.get("given") or {})

    def holds(self, anew: bool) -> bool:
        """Whether the rule answers as the case says; `anew`: from the record and not from what was kept of it."""
        # A copy has worked nothing out yet: what a rule once worked out with one mutant in place must not answer for the
        # next, nor hide it.
        facts = self.read_facts() if anew or self.facts is None else replace(self.facts)
        answers = answer_all(facts, self.known, self.rules)
        about = [answer for answer in answers if answer.rule_id == self.case["rule"]]
        return is_answered(self.case, about) and tuple(told_of(self.case, about)) == self.whole


def case_checks(catalogue: Catalogue, read: FactsOf) -> list[CaseCheck]:
    """One check for each example patient."""
    whole = kept()
    cases = named_once(cases_by_name())
    return [CaseCheck.of(name, case, catalogue, read, whole.get(name, ())) for name, case in cases]


def is_passed(item: pytest.Item, following: pytest.Item, watching: Failures) -> bool:
    """Run a test of this session and tell whether it passed."""
    watching.found = False
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return not watching.found


class Failures:
    """A plugin that notes whether something has failed."""

    def __init__(self) -> None:
        self.found = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for every part of a test."""
        self.found = self.found or report.failed
