"""The label asks to count platelets closely in the first two weeks; a card offers the site's extra counts until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cds_service.domain.facts import PatientFacts
from cds_service.domain.registry import answer_all
from cds_service.presentation import Catalogue
from cds_service.presentation.render import finding_for

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
EXTRA_COUNTS = "This site offers extra counts in the first two weeks"


@pytest.mark.parametrize("rule", ["platelet-monitor-due", "platelet-monitor-overdue"])
@pytest.mark.parametrize(("today", "is_offered"), [("2026-03-02", True), ("2026-03-03", False)])
def test_extra_counts_are_spoken_of_until_day_14(
    facts_of: FactsOf, catalogue: Catalogue, rule: str, today: str, is_offered: bool
) -> None:
    given = {"moment": "chart", "today": today, "infused": "2026-02-16"}
    answers = answer_all(facts_of(given), catalogue.known, catalogue.rules)
    said = [
        finding_for(a, "patient-view", facts_of(given).today, catalogue)
        for a in answers
        if a.rule_id == rule and a.is_finding
    ]
    assert said
    for finding in said:
        assert any(EXTRA_COUNTS in line for lines in finding.paragraphs.values() for line in lines) is is_offered
