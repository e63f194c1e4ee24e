"""No number of the site is taken for the label's: every card names all it used, apart (interfaces 5; ADR 0008)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from builders import hook_of, today_of

from cds_service.content_folders import CARDS
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Numbers
from cds_service.domain.registry import answer_all
from cds_service.presentation import Card, Catalogue, group_findings
from cds_service.presentation.yaml_files import load_yaml

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
HEADING = "**Site policy, not in the label**"
CHECKLIST = "baseline-readiness"


def cards_of(given: Mapping[str, Any], facts_of: FactsOf, catalogue: Catalogue) -> tuple[Card, ...]:
    answers = answer_all(facts_of(given), catalogue.known, catalogue.rules)
    return group_findings(answers, hook_of(given), today_of(given), False, catalogue).cards


def children_of_every_grade() -> dict[tuple[str, str], Mapping[str, Any]]:
    """One example child for each way a rule can fire."""
    cases = [case for path in sorted(CARDS.glob("*/cases.yaml")) for case in load_yaml(path)]
    fires = [case for case in cases if case["expect"].startswith("fires ") and "policy" not in case]
    return {(case["rule"], case["expect"]): case.get("given") or {} for case in reversed(fires)}


def policy_part(card: Card) -> str:
    """What stands under the heading of the site's policy, up to the next heading or the closing line."""
    return card.detail.partition(HEADING)[2].partition("\n\n**")[0]


def is_named(name: str, text: str) -> bool:
    """A number is named in full, or as a member of its family: `family` member 1, member 2."""
    family, _, member = name.rpartition(".")
    return f"`{name}`" in text or (f"`{family}` " in text and f"{member} " in text)


@pytest.mark.hazard("H48")
def test_every_card_names_each_number_of_the_site_that_its_findings_used(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    seen, lacking = set(), []
    for given in children_of_every_grade().values():
        for card in cards_of(given, facts_of, catalogue):
            text = policy_part(card)
            for rule in {finding.rule_id for finding in card.findings} - {CHECKLIST}:
                seen.add(rule)
                used = catalogue.cards[rule].uses["policy"]
                lacking += [f"{rule}: {name}" for name in used if not is_named(name, text)]
    assert not lacking, lacking
    assert len(seen) > 80


@pytest.mark.hazard("H48")
def test_no_card_mentions_a_number_of_the_site_outside_that_part(facts_of: FactsOf, catalogue: Catalogue) -> None:
    names = tuple(catalogue.known.policy)
    for given in children_of_every_grade().values():
        for card in cards_of(given, facts_of, catalogue):
            elsewhere = card.detail.replace(policy_part(card), "")
            assert not [name for name in names if f"`{name}`" in elsewhere], card.summary


@pytest.mark.hazard("H48")
def test_a_value_that_the_site_has_set_is_marked_as_the_sites(facts_of: FactsOf, catalogue: Catalogue) -> None:
    given = {"weights": [{"weight": "3.2 kg", "days_ago": 9}]}
    described = {name: catalogue.known.policy.described(name) for name in catalogue.known.policy}
    limit = "weight.freshness.under_6_months_days"
    described[limit] = replace(described[limit], value=Decimal(5))
    changed = replace(catalogue, known=replace(catalogue.known, policy=Numbers(described)))

    def marked(under: Catalogue) -> list[str]:
        (card,) = [card for card in cards_of(given, facts_of, under) if card.topic == "dose"]
        return [line for line in card.detail.splitlines() if "set by this site" in line]

    assert marked(catalogue) == []
    (line,) = marked(changed)
    assert line.endswith(f": 5 days, set by this site (`{limit}`).")
