"""An anti-AAV9 titre against 1:50, by its reciprocal (label 2.3, 6.2; ruling 31)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from domain_values import EVIDENCE, at
from site_policies import under_policy

from cds_service.domain.evidence import Standing
from cds_service.domain.intervals import Interval
from cds_service.domain.results import TiterReading, TiterResult
from cds_service.domain.titer import TiterClass, class_of, negative_is_mapped
from cds_service.presentation import Catalogue


def a_titer(reading: TiterReading, reciprocal: Interval | None = None) -> TiterResult:
    return TiterResult(
        reading, reciprocal, "", "", False, at("2026-02-20"), Standing.ACCEPTED, False, ("", ""), EVIDENCE
    )


@pytest.mark.hazard("H14")
@pytest.mark.parametrize(
    ("comparator", "reciprocal", "expected"),
    [
        ("", "50", TiterClass.AT_MOST_LIMIT),
        ("", "50.1", TiterClass.ABOVE_LIMIT),
        ("", "25", TiterClass.AT_MOST_LIMIT),
        ("", "12.5", TiterClass.AT_MOST_LIMIT),
        ("", "100", TiterClass.ABOVE_LIMIT),
        ("<", "50", TiterClass.AT_MOST_LIMIT),
        ("<=", "50", TiterClass.AT_MOST_LIMIT),
        ("<", "100", TiterClass.NOT_INTERPRETABLE),
        (">", "25", TiterClass.NOT_INTERPRETABLE),
        (">=", "50", TiterClass.NOT_INTERPRETABLE),
        (">", "50", TiterClass.ABOVE_LIMIT),
        (">", "3200", TiterClass.ABOVE_LIMIT),
    ],
)
def test_the_reciprocal_is_compared_with_fifty(
    catalogue: Catalogue, comparator: str, reciprocal: str, expected: TiterClass
) -> None:
    titer = a_titer(TiterReading.RECIPROCAL, Interval.of(comparator, Decimal(reciprocal)))
    assert class_of(titer, catalogue.known) is expected


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (TiterReading.NEGATIVE, TiterClass.NEGATIVE),
        (TiterReading.NOT_INTERPRETABLE, TiterClass.NOT_INTERPRETABLE),
        (TiterReading.NO_RESULT, TiterClass.NOT_INTERPRETABLE),
    ],
)
def test_words_have_a_class_of_their_own(catalogue: Catalogue, reading: TiterReading, expected: TiterClass) -> None:
    assert class_of(a_titer(reading), catalogue.known) is expected


@pytest.mark.parametrize(("cut_off", "is_mapped"), [(0, False), (25, True), (50, True), (51, False), (100, False)])
def test_negative_means_something_only_with_a_cut_off_of_at_most_fifty(
    catalogue: Catalogue, cut_off: int, is_mapped: bool
) -> None:
    known = under_policy(catalogue.known, {"aav9.negative_reciprocal_at_most": cut_off})
    assert negative_is_mapped(known) is is_mapped
