"""What a low platelet count asks for next: another blood count two days later, by the site's policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from cds_service.domain.answers import RequestTest
from cds_service.domain.facts import PatientFacts
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]


def test_a_low_count_is_repeated_within_two_days(facts_of: FactsOf, catalogue: Catalogue) -> None:
    given = {
        "moment": "chart",
        "today": "2026-03-02",
        "infused": "2026-02-24",
        "counts": [{"on": "2026-03-02", "platelets": "60 10*3/uL"}],
    }
    answers = catalogue.rules.rules["platelet-low"](facts_of(given), catalogue.known)
    asked = [change for answer in answers for change in answer.changes if isinstance(change, RequestTest)]
    assert date(2026, 3, 4) in {change.on for change in asked}
