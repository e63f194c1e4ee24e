"""All rules by id. A rule's id is its function's name with hyphens; there is no list to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cds_service.domain.answers import Answer
from cds_service.domain.facts import PatientFacts, ProductOrder
from cds_service.domain.known import Known

Answers = tuple[Answer, ...]
Rule = Callable[[PatientFacts, Known], Answer]
RuleOfSeveral = Callable[[PatientFacts, Known], Answers]
DraftRule = Callable[[ProductOrder, PatientFacts, Known], Answer]
SummaryRule = Callable[[PatientFacts, Answers, Known], Answers]


@dataclass(frozen=True, slots=True)
class Registry:
    """The rules of the first pass, which see the facts, and of the second, which also see the first's answers."""

    rules: Mapping[str, RuleOfSeveral]
    summaries: Mapping[str, SummaryRule]

    def only(self, wanted: frozenset[str]) -> Registry:
        """The registry with only these rules."""
        return Registry(
            {name: rule for name, rule in self.rules.items() if name in wanted},
            {name: rule for name, rule in self.summaries.items() if name in wanted},
        )

    @property
    def ids(self) -> frozenset[str]:
        """Every rule's id."""
        return frozenset(self.rules) | frozenset(self.summaries)


_rules: dict[str, RuleOfSeveral] = {}
_summaries: dict[str, SummaryRule] = {}


def rule(function: Rule) -> Rule:
    """Register a rule that gives one answer about the child."""

    def answers(facts: PatientFacts, known: Known) -> Answers:
        return (function(facts, known),)

    _rules[_id_of(function)] = answers
    return function


def rule_of_several(function: RuleOfSeveral) -> RuleOfSeveral:
    """Register a rule that gives one answer for each thing it looks at."""
    _rules[_id_of(function)] = function
    return function


def draft_rule(function: DraftRule) -> DraftRule:
    """Register a rule that gives one answer for each draft order for the product."""

    def answers(facts: PatientFacts, known: Known) -> Answers:
        return tuple(function(draft, facts, known).about(draft.order_id) for draft in facts.drafts)

    _rules[_id_of(function)] = answers
    return function


def summary_rule(function: SummaryRule) -> SummaryRule:
    """Register a rule of the second pass."""
    _summaries[_id_of(function)] = function
    return function


def registry() -> Registry:
    """All rules registered so far; import `cds_service.domain.rules` first."""
    return Registry(dict(_rules), dict(_summaries))


def answer_all(facts: PatientFacts, known: Known, rules: Registry) -> Answers:
    """The answers of all rules: first those that see the facts, then those that sum them up."""
    first = tuple(answer.of(rule_id) for rule_id, ask in rules.rules.items() for answer in ask(facts, known))
    second = tuple(
        answer.of(rule_id) for rule_id, ask in rules.summaries.items() for answer in ask(facts, first, known)
    )
    return first + second


def _id_of(function: Callable[..., object]) -> str:
    return str(getattr(function, "__name__", "")).replace("_", "-")
