"""A platelet count against its own lower limit and the child's baseline, on every boundary (label 2.3, 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from domain_values import D, a_result, at, limits

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import NO_TIME
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.platelet_count import baseline_count, is_back_at_baseline, is_below_normal
from cds_service.domain.results import LabFlag, LabResult
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TRUE, FALSE, UNKNOWN = Certainty.TRUE, Certainty.FALSE, Certainty.UNKNOWN
INFUSED = "2026-02-02"
BEFORE, AFTER = at("2026-01-30", "08:00"), at("2026-03-01", "08:00")


def platelets(value: str, low: str | None = "150", comparator: str = "", **members: Any) -> LabResult:
    """A count after the infusion against its own lower limit."""
    number = Interval.of(comparator, D(value))
    own = limits(value, "450", low, comparator) if low else None
    made = a_result(AFTER, analyte="platelets", written=value, own=own, number=number, amount=number)
    return replace(made, **members)


# --- below normal


@pytest.mark.parametrize(
    ("count", "below"),
    [
        (platelets("149.9"), TRUE),
        (platelets("150"), FALSE),
        (platelets("150.1"), FALSE),
        (platelets("130", "120"), FALSE),
        (platelets("160", "170"), TRUE),
        (platelets("20", comparator="<"), TRUE),
        (platelets("150", comparator="<"), TRUE),
        (platelets("150", comparator="<="), UNKNOWN),
        (platelets("150", comparator=">"), FALSE),
        (platelets("100", comparator=">"), UNKNOWN),
        # Without its own limit, the site's.
        (platelets("149.9", None), TRUE),
        (platelets("150", None), FALSE),
        (platelets("149.9", None, limits=limits("149.9", "450")), TRUE),
        (platelets("150", None, limits=limits("150", "450")), FALSE),
    ],
)
def test_below_the_lower_limit(catalogue: Catalogue, count: LabResult, below: Certainty) -> None:
    assert is_below_normal(count, catalogue.known) is below


@pytest.mark.parametrize(
    ("count", "below"),
    [
        # A unit that is not known may alarm and clears nothing.
        (platelets("200", limits=limits("200", "450", "150", is_unit_known=False)), UNKNOWN),
        (platelets("140", limits=limits("140", "450", "150", is_unit_known=False)), TRUE),
        (platelets("200", None, amount=None), UNKNOWN),
        (platelets("200", None, amount=None, limits=limits("200", "450")), UNKNOWN),
        # Nor does a flag against the number.
        (platelets("200", flag=LabFlag.LOW), UNKNOWN),
        (platelets("140", flag=LabFlag.NORMAL), TRUE),
        (platelets("200", flag=LabFlag.NORMAL), FALSE),
        (platelets("160", None, flag=LabFlag.LOW), UNKNOWN),
        (platelets("140", None, flag=LabFlag.NORMAL), TRUE),
    ],
)
def test_a_doubtful_count_is_never_normal(catalogue: Catalogue, count: LabResult, below: Certainty) -> None:
    assert is_below_normal(count, catalogue.known) is below


# --- the baseline


@pytest.fixture
def child(facts_of: FactsOf) -> Callable[..., PatientFacts]:
    """A treated child with these results and no others."""

    def facts(*results: LabResult) -> PatientFacts:
        return replace(facts_of({"moment": "chart", "infused": INFUSED}), lab_results=results)

    return facts


def before(value: str, day: str = "2026-01-30", hour: str = "08:00", **members: Any) -> LabResult:
    return platelets(value, **{"measured": at(day, hour), **members})


@pytest.mark.parametrize(
    ("results", "written"),
    [
        ((), None),
        ((platelets("300"),), None),
        ((before("300"),), "300"),
        ((before("300"), before("280", "2026-01-31")), "280"),
        ((before("280", "2026-02-02", "09:59"), before("300")), "280"),
        ((before("280", "2026-02-02", ""), before("300")), "280"),
        ((before("90", "2026-02-02", "12:00"), before("300")), "300"),
        ((before("300", measured=NO_TIME),), None),
        ((before("300", standing=Standing.PROVISIONAL),), None),
        ((before("280", "2026-01-31", standing=Standing.NO_INFORMATION), before("300")), "300"),
        # Two of one time that differ, or one whose unit nobody knows, are no baseline.
        ((before("300"), before("280")), None),
        ((before("300"), before("300")), "300"),
        ((before("300"), before("280", is_correction=True)), "280"),
        ((before("280", "2026-01-31", amount=None), before("300")), None),
        # A clumped sample was no count.
        ((before("0", "2026-01-31", written="clumped", number=None, amount=None, limits=None), before("300")), "300"),
        ((a_result(BEFORE, analyte="hemoglobin", written="12"),), None),
    ],
)
def test_the_newest_count_before_the_infusion_is_the_baseline(
    catalogue: Catalogue, child: Callable[..., PatientFacts], results: tuple[LabResult, ...], written: str | None
) -> None:
    for order in (results, results[::-1]):
        found = baseline_count(child(*order), catalogue.known)
        assert (found.written if found else None) == written


# --- back at baseline


@pytest.mark.parametrize(
    ("count", "baseline", "is_back"),
    [
        ("300", "300", TRUE),
        ("299", "300", TRUE),
        ("150", "300", TRUE),
        ("149.9", "300", FALSE),
        ("149.9", None, FALSE),
        ("150", None, TRUE),
        # Low before the infusion: as high as then is enough.
        ("120", "120", TRUE),
        ("119.9", "120", FALSE),
        ("121", "120", TRUE),
    ],
)
def test_as_high_as_before_or_not_below_normal(
    catalogue: Catalogue, child: Callable[..., PatientFacts], count: str, baseline: str | None, is_back: Certainty
) -> None:
    facts = child(*([before(baseline)] if baseline else []))
    assert is_back_at_baseline(platelets(count), baseline_count(facts, catalogue.known), catalogue.known) is is_back


@pytest.mark.parametrize(
    ("count", "baseline", "is_back"),
    [
        (platelets("140", amount=None, limits=None), before("120"), UNKNOWN),
        (platelets("200", amount=None, limits=None), before("120"), UNKNOWN),
        (platelets("140"), before("100", comparator=">"), FALSE),
        (platelets("110", comparator=">"), before("120"), UNKNOWN),
        (platelets("120", comparator=">="), before("120"), TRUE),
        (platelets("200", flag=LabFlag.LOW), None, UNKNOWN),
        (platelets("200", flag=LabFlag.LOW), before("300"), UNKNOWN),
    ],
)
def test_a_doubtful_count_is_not_back(
    catalogue: Catalogue,
    child: Callable[..., PatientFacts],
    count: LabResult,
    baseline: LabResult | None,
    is_back: Certainty,
) -> None:
    facts = child(*([baseline] if baseline else []))
    assert is_back_at_baseline(count, baseline_count(facts, catalogue.known), catalogue.known) is is_back


def test_the_record_is_read_the_same_way(catalogue: Catalogue, facts_of: FactsOf) -> None:
    counts = [{"on": "2026-03-01", "platelets": "149 10*3/uL"}]
    facts = facts_of({"moment": "chart", "infused": INFUSED, "counts": counts})
    baseline = baseline_count(facts, catalogue.known)
    assert baseline is not None
    assert baseline.measured.day is not None
    assert baseline.measured.day.isoformat() == "2026-01-31"
    newest = max((r for r in facts.lab_results if r.analyte == "platelets"), key=lambda r: r.evidence.day)
    assert is_below_normal(newest, catalogue.known) is TRUE
    assert is_back_at_baseline(newest, baseline_count(facts, catalogue.known), catalogue.known) is FALSE
