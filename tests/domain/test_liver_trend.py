"""Which result of a liver test counts, and whether it is worse than the one before (clinical-rules 4G, C3 to C6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from domain_values import a_result, at, limits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.liver_trend import (
    Trend,
    is_on_another_scale,
    is_reliable,
    newly_above_limit,
    reaches,
    trend_lines,
    trend_of,
    worsening_of,
)
from cds_service.domain.results import LabFlag, LabResult
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
INFUSED = "2026-02-02"
PRELIMINARY = Standing.PROVISIONAL
EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
VALUES = st.sampled_from([10, 20, 39, 40, 41, 60, 79, 80, 81, 120, 121, 200, 799, 800, 900])


@pytest.fixture(scope="module")
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


def alt(day: str, value: str, *, high: str | None = "40", hour: str = "08:00", **other: Any) -> LabResult:
    """One ALT in U/L; more than one of a time differ by what is written."""
    comparator = value[0] if value[0] in "<>" else ""
    number = value.removeprefix(comparator)
    own = limits(number, high, "0", comparator) if high else None
    amount = Interval.of(comparator, Decimal(number))
    made = a_result(at(day, hour), written=f"{day} {hour} {value}", own=own, number=amount, amount=amount, **other)
    assert made.number is not None
    return made


def trend(facts_of: FactsOf, known: Known, *results: LabResult, analyte: str = "alt") -> Trend:
    """The trend of these results in a child infused on 2026-02-02."""
    facts = facts_of({"moment": "chart", "infused": INFUSED, "labs": "none"})
    return trend_of(analyte, replace(facts, lab_results=results), known)


def worse(facts_of: FactsOf, known: Known, *results: LabResult) -> tuple[str, str, bool] | None:
    """The result that is worse, the multiple it reaches for the first time, and whether it rose by the ratio."""
    found = worsening_of(trend(facts_of, known, *results), known)
    return found and (found.result.written.split()[-1], str(found.crossed or ""), found.has_risen)


# --- which results count


@pytest.mark.hazard("H16")
def test_a_result_without_a_range_may_alarm_and_clears_nothing(facts_of: FactsOf, known: Known) -> None:
    """H16."""
    high, bare = alt("2026-02-09", "900"), alt("2026-02-16", "20", high=None)
    found = trend(facts_of, known, high, bare)
    assert found.newest.accepted == (high,)
    assert [item.written for item in found.unclear] == [bare.written]
    assert found.why_unclear(found.unclear[0]) == "no-range"


@pytest.mark.hazard("H18")
def test_a_preliminary_result_stands_beside_the_accepted_one(facts_of: FactsOf, known: Known) -> None:
    """H18."""
    high, low = alt("2026-02-09", "200"), alt("2026-02-16", "20", standing=PRELIMINARY)
    found = trend(facts_of, known, high, low)
    assert (found.newest.accepted, [item.written for item in found.told]) == ((high,), [high.written, low.written])
    assert found.unclear == ()


@pytest.mark.hazard("H21")
def test_results_of_one_time_that_differ_clear_nothing(facts_of: FactsOf, known: Known) -> None:
    """H21."""
    high, one, two = alt("2026-02-09", "900"), alt("2026-02-16", "70"), alt("2026-02-16", "30", hour="08:05")
    found = trend(facts_of, known, high, one, two)
    assert found.newest.accepted == (high,)
    assert {found.why_unclear(item) for item in found.unclear} == {"conflict"}


def test_six_minutes_apart_the_later_one_counts(facts_of: FactsOf, known: Known) -> None:
    one, two = alt("2026-02-16", "70"), alt("2026-02-16", "30", hour="08:06")
    assert trend(facts_of, known, one, two).newest.accepted == (two,)


@pytest.mark.hazard("H19")
def test_the_only_correction_of_a_time_replaces_the_others(facts_of: FactsOf, known: Known) -> None:
    """H19."""
    first, corrected = alt("2026-02-16", "30"), alt("2026-02-16", "300", is_correction=True)
    found = trend(facts_of, known, corrected, first)
    assert (found.newest.accepted, found.conflicting) == ((corrected,), ())


def test_the_same_amount_twice_is_one_result(facts_of: FactsOf, known: Known) -> None:
    one, two = alt("2026-02-16", "30"), alt("2026-02-16", "30", hour="08:02")
    assert trend(facts_of, known, one, two).conflicting == ()


@pytest.mark.parametrize(
    ("result", "reliable"),
    [
        (alt("2026-02-16", "30"), True),
        (alt("2026-02-16", "<5"), True),
        (alt("2026-02-16", ">1000"), True),
        (alt("2026-02-16", "<500"), False),
        (alt("2026-02-16", ">30"), False),
        (alt("2026-02-16", "30", high=None), False),
        (alt("2026-02-16", "50", flag=LabFlag.NORMAL), False),
        (alt("2026-02-16", "30", standing=PRELIMINARY), False),
        (a_result(at("2026-02-16"), written="elevated"), False),
        (a_result(at("2026-02-16"), own=limits("30", "40", is_unit_known=False)), False),
        (a_result(at("2026-02-16"), analyte="total_bilirubin", amount=Interval.exactly(Decimal(1)),
                  number=Interval.exactly(Decimal(1)), flag=LabFlag.NORMAL), True),
        (a_result(at("2026-02-16"), analyte="total_bilirubin", amount=Interval.exactly(Decimal(2)),
                  number=Interval.exactly(Decimal(2)), flag=LabFlag.HIGH), False),
    ],
)  # fmt: skip
def test_what_is_relied_on(result: LabResult, reliable: bool, known: Known) -> None:
    assert is_reliable(result, known) is reliable


@pytest.mark.hazard("H52")
def test_a_clotting_time_in_per_cent_has_no_multiple(known: Known) -> None:
    """H52."""
    percent = a_result(analyte="prothrombin_time", own=limits("130", "120", "70"))
    seconds = a_result(analyte="prothrombin_time", own=limits("20", "13.5", "11"), amount=Interval.exactly(Decimal(20)))
    assert is_on_another_scale(percent)
    assert not reaches(percent, Decimal(1))
    assert not is_reliable(percent, known)
    assert not is_on_another_scale(seconds)
    assert reaches(seconds, Decimal("1.4"))


# --- worsening


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("20", "79.999", None),
        ("20", "80", ("80", "2", True)),
        ("60", "80", ("80", "2", False)),
        ("80", "119.999", None),
        ("80", "120", ("120", "3", True)),
        ("100", "120", ("120", "3", False)),
        ("160", "239.999", None),
        ("160", "240", ("240", "", True)),
        ("799", "800", ("800", "20", False)),
        ("800", "900", None),
        ("120", "80", None),
        ("20", ">500", (">500", "3", True)),
        (">1000", ">1000", None),
        ("20", "<500", None),
    ],
)
def test_the_limits_of_a_worsening(
    before: str, now: str, expected: tuple[str, str, bool] | None, facts_of: FactsOf, known: Known
) -> None:
    assert worse(facts_of, known, alt("2026-02-09", before), alt("2026-02-16", now)) == expected


def test_a_result_of_before_the_infusion_is_the_previous_one(facts_of: FactsOf, known: Known) -> None:
    """Ruling 48."""
    assert worse(facts_of, known, alt("2026-01-30", "100"), alt("2026-02-09", "110")) is None
    assert worse(facts_of, known, alt("2026-01-30", "60"), alt("2026-02-09", "81")) == ("81", "2", False)


def test_a_baseline_alone_is_no_worsening(facts_of: FactsOf, known: Known) -> None:
    assert worse(facts_of, known, alt("2026-01-30", "900")) is None


def test_without_a_result_before_it_a_high_one_is_a_worsening(facts_of: FactsOf, known: Known) -> None:
    assert worse(facts_of, known, alt("2026-02-09", "80")) == ("80", "2", False)


def test_each_result_is_held_against_its_own_limit(facts_of: FactsOf, known: Known) -> None:
    half = alt("2026-02-16", "90", high="80")
    assert worse(facts_of, known, alt("2026-02-09", "50"), half) is None
    assert worse(facts_of, known, alt("2026-02-09", "50"), alt("2026-02-16", "50", high="20")) == ("50", "2", True)


def test_the_same_sample_reported_twice_ends_no_alarm(facts_of: FactsOf, known: Known) -> None:
    series = [alt("2026-02-09", "20"), alt("2026-02-16", "200"), alt("2026-02-16", "200", hour="08:30")]
    assert worse(facts_of, known, *series) == ("200", "3", True)


def test_a_lower_result_ends_it(facts_of: FactsOf, known: Known) -> None:
    series = [alt("2026-02-09", "20"), alt("2026-02-16", "200"), alt("2026-02-23", "199")]
    assert worse(facts_of, known, *series) is None


def test_of_conflicting_results_the_worse_one_alarms(facts_of: FactsOf, known: Known) -> None:
    series = [alt("2026-02-09", "20"), alt("2026-02-16", "70"), alt("2026-02-16", "170")]
    assert worse(facts_of, known, *series) == ("170", "3", True)


def test_only_the_first_time_above_the_limit_is_told(facts_of: FactsOf, known: Known) -> None:
    first, second = alt("2026-02-09", "41"), alt("2026-02-16", "45")
    assert newly_above_limit(trend(facts_of, known, first)) == first
    assert newly_above_limit(trend(facts_of, known, first, second)) is None
    assert newly_above_limit(trend(facts_of, known, alt("2026-02-09", "40"))) is None


# --- what holds of every course


def series_of(values: list[int]) -> list[LabResult]:
    """One result a week from before the infusion on."""
    days = ["2026-01-30", "2026-02-09", "2026-02-16", "2026-02-23", "2026-03-02"]
    return [alt(day, str(value)) for day, value in zip(days, values, strict=False)]


@EXAMPLES
@given(values=st.lists(VALUES, min_size=1, max_size=4))
def test_a_result_worse_than_all_before_keeps_the_alarm(values: list[int], facts_of: FactsOf, known: Known) -> None:
    results = series_of(values)
    more = [*results, alt("2026-03-02", str(max(values) + 100), hour="08:30")]
    if worse(facts_of, known, *results) is not None:
        assert worse(facts_of, known, *more) is not None


@EXAMPLES
@given(values=st.lists(VALUES, min_size=2, max_size=5), doubtful=VALUES, kind=st.integers(0, 2))
def test_what_cannot_be_relied_on_never_ends_an_alarm(
    values: list[int], doubtful: int, kind: int, facts_of: FactsOf, known: Known
) -> None:
    results = series_of(values)
    day, value = "2026-03-02", str(doubtful)
    added = [
        alt(day, value, hour="08:30", standing=PRELIMINARY),
        alt(day, value, hour="08:30", high=None),
        a_result(at(day, "08:30"), written="elevated"),
    ][kind]
    before, after = worse(facts_of, known, *results), worse(facts_of, known, *results, added)
    assert before is None or after is not None


@EXAMPLES
@given(values=st.lists(VALUES, min_size=2, max_size=5), data=st.data())
def test_the_order_of_the_record_does_not_matter(
    values: list[int], data: st.DataObject, facts_of: FactsOf, known: Known
) -> None:
    results = series_of(values)
    shuffled = data.draw(st.permutations(results))
    assert worse(facts_of, known, *shuffled) == worse(facts_of, known, *results)


@EXAMPLES
@given(values=st.lists(VALUES, min_size=2, max_size=5))
def test_the_unit_does_not_matter(values: list[int], facts_of: FactsOf, known: Known) -> None:
    """Number and limit ten times as large, as in another unit: the multiples are the same."""
    results = series_of(values)
    others = [
        a_result(item.measured, written=item.written, own=limits(f"{value * 10}", "400"), amount=item.amount)
        for item, value in zip(results, values, strict=False)
    ]
    assert worse(facts_of, known, *others) == worse(facts_of, known, *results)


@EXAMPLES
@given(values=st.lists(VALUES, min_size=2, max_size=5, unique=True))
def test_falling_values_are_never_a_worsening(values: list[int], facts_of: FactsOf, known: Known) -> None:
    assert worse(facts_of, known, *series_of(sorted(values, reverse=True))) is None


# --- days that are not known


def test_of_results_with_a_day_only_the_earlier_day_came_before(facts_of: FactsOf, known: Known) -> None:
    first, second = alt("2026-02-10", "80", hour=""), alt("2026-02-17", "130", hour="")
    found = trend(facts_of, known, first, second)
    assert found.before(second) == ((first,),)
    assert found.before(first) == ()


def test_a_result_of_unknown_day_may_have_come_after_every_other(facts_of: FactsOf, known: Known) -> None:
    known_day = alt("2026-02-10", "80")
    undated = replace(alt("2026-02-17", "130"), measured=ClinicalTime("some time"), standing=PRELIMINARY)
    found = trend(facts_of, known, known_day, undated)
    assert found.before(undated) == ((known_day,),)


def test_a_result_of_unknown_day_is_shown_without_one(facts_of: FactsOf, known: Known) -> None:
    undated = replace(alt("2026-02-17", "130"), measured=ClinicalTime("some time"), standing=PRELIMINARY)
    facts = facts_of({"moment": "chart", "infused": INFUSED, "labs": "none"})
    assert ", day " not in trend_lines(trend(facts_of, known, undated), facts, known, None)
    assert ", day 15" in trend_lines(trend(facts_of, known, alt("2026-02-17", "130")), facts, known, None)
