"""The rule set says when nobody has compared it with the label for too long (clinical-rules 4A, `label-version`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from site_policies import under_policy

from cds_service.domain.facts import PatientFacts
from cds_service.domain.relevance import Concern
from cds_service.presentation import Catalogue
from cds_service.review import review_treatment

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
NOT_COMPARED_SINCE = "Rule set not compared with the current label since "


def said(facts: PatientFacts, catalogue: Catalogue, checked_on: date, **policy: int) -> bool:
    """Whether the checklist card says so on 2 March 2026, under the policy as delivered or as changed here."""
    checked = replace(catalogue.identity, rules_checked_on=checked_on)
    known = under_policy(catalogue.known, {f"rule_set.{name}": value for name, value in policy.items()})
    review = review_treatment(facts, replace(catalogue, identity=checked, known=known), "order-sign", Concern.PRODUCT)
    (card,) = [card for card in review.cards if card.topic == "readiness"]
    return f"{NOT_COMPARED_SINCE}{checked_on}." in card.detail


@pytest.mark.hazard("H47")
@pytest.mark.parametrize(
    ("checked_on", "is_said"), [(date(2025, 3, 3), False), (date(2025, 3, 2), False), (date(2025, 3, 1), True)]
)
def test_a_rule_set_older_than_the_sites_limit_says_so(
    facts_of: FactsOf, catalogue: Catalogue, checked_on: date, is_said: bool
) -> None:
    assert said(facts_of({}), catalogue, checked_on) is is_said


def test_how_old_is_the_sites_to_say(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({})
    assert said(facts, catalogue, date(2025, 12, 1), recheck_months=2)
    assert not said(facts, catalogue, date(2025, 12, 1), recheck_months=4)
