"""Which of several results counts (clinical-rules C1 to C3)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from domain_values import a_result, at

from cds_service.domain.days import NO_TIME, ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.newest import may_be_as_new, newest_of
from cds_service.domain.results import LabResult
from cds_service.presentation import Catalogue

PRELIMINARY = Standing.PROVISIONAL


def written(results: tuple[LabResult, ...]) -> list[str]:
    return [result.written for result in results]


def chosen(catalogue: Catalogue, *results: LabResult) -> tuple[list[str], list[str], list[str]]:
    """What counts, what came before it, and what can only alarm."""
    newest = newest_of(results, catalogue.known)
    return written(newest.accepted), written(newest.earlier), written(newest.provisional)


def test_the_newest_of_several_days_counts(catalogue: Catalogue) -> None:
    days = [a_result(at(f"2026-02-{day}", "08:00"), written=day) for day in ("20", "28", "25")]
    assert chosen(catalogue, *days) == (["28"], ["25", "20"], [])


def test_without_any_result_nothing_counts(catalogue: Catalogue) -> None:
    assert newest_of([], catalogue.known).is_empty
    nothing = a_result(standing=Standing.NO_INFORMATION)
    assert newest_of([nothing], catalogue.known).is_empty


@pytest.mark.parametrize(("hour", "together"), [("08:05", True), ("08:06", False), ("08:00", True)])
def test_results_within_five_minutes_are_of_one_time(catalogue: Catalogue, hour: str, together: bool) -> None:
    results = [a_result(at("2026-03-01", "08:00"), written="early"), a_result(at("2026-03-01", hour), written="late")]
    accepted, earlier, _ = chosen(catalogue, *results)
    assert (sorted(accepted), earlier) == ((["early", "late"], []) if together else (["late"], ["early"]))


def test_five_minutes_are_five_minutes_across_midnight(catalogue: Catalogue) -> None:
    before = a_result(at("2026-02-28", "23:58"), written="before")
    after = a_result(at("2026-03-01", "00:02"), written="after")
    assert sorted(chosen(catalogue, before, after)[0]) == ["after", "before"]


def test_a_result_without_an_hour_may_be_of_any_hour_of_its_day(catalogue: Catalogue) -> None:
    results = [a_result(at("2026-03-01", "08:00"), written="hour"), a_result(at("2026-03-01"), written="day")]
    assert sorted(chosen(catalogue, *results)[0]) == ["day", "hour"]


def test_a_day_without_an_hour_is_older_than_the_next_day(catalogue: Catalogue) -> None:
    results = [a_result(at("2026-02-28"), written="old"), a_result(at("2026-03-01", "00:00"), written="new")]
    assert chosen(catalogue, *results)[:2] == (["new"], ["old"])


@pytest.mark.hazard("H19")
def test_of_one_time_the_only_correction_counts(catalogue: Catalogue) -> None:
    results = [a_result(written="first"), a_result(written="corrected", is_correction=True)]
    assert chosen(catalogue, *results) == (["corrected"], [], [])


@pytest.mark.hazard("H21")
def test_two_corrections_of_one_time_contradict_each_other(catalogue: Catalogue) -> None:
    results = [a_result(written=name, is_correction=True) for name in ("a", "b")] + [a_result(written="c")]
    assert sorted(chosen(catalogue, *results)[0]) == ["a", "b", "c"]


def test_a_correction_of_an_older_result_does_not_make_it_newer(catalogue: Catalogue) -> None:
    old = a_result(at("2026-02-20", "08:00"), written="old", is_correction=True)
    assert chosen(catalogue, old, a_result(written="new"))[0] == ["new"]


@pytest.mark.hazard("H18")
@pytest.mark.parametrize(
    ("measured", "may_alarm"),
    [
        (at("2026-03-01", "08:00"), True),
        (at("2026-03-01", "09:00"), True),
        (at("2026-03-01", "07:59"), False),
        (at("2026-03-01"), True),
        (at("2026-02-28"), False),
        (NO_TIME, True),
        (ClinicalTime("2026-03", latest=date(2026, 3, 31)), True),
        (ClinicalTime("2026", latest=date(2026, 12, 31)), True),
        (ClinicalTime("2026-02", latest=date(2026, 2, 28)), False),
        (ClinicalTime("2025", latest=date(2025, 12, 31)), False),
        (ClinicalTime("#REF!"), True),
        (ClinicalTime("yesterday"), True),
    ],
)
def test_a_preliminary_result_counts_only_where_it_may_be_as_new(
    catalogue: Catalogue, measured: ClinicalTime, may_alarm: bool
) -> None:
    preliminary = a_result(measured, written="preliminary", standing=PRELIMINARY)
    accepted, earlier, provisional = chosen(catalogue, a_result(written="final"), preliminary)
    assert (accepted, earlier) == (["final"], [])
    assert provisional == (["preliminary"] if may_alarm else [])


def test_without_a_final_result_every_preliminary_one_may_alarm(catalogue: Catalogue) -> None:
    results = [a_result(at(f"2026-02-{day}"), written=day, standing=PRELIMINARY) for day in ("10", "20")]
    newest = newest_of(results, catalogue.known)
    assert written(newest.provisional) == ["20", "10"]
    assert not newest.is_empty


@pytest.mark.parametrize(
    "changes", [{"is_exact": False}, {"is_future": True}, {"day": None}], ids=["no zone", "future", "month only"]
)
def test_a_final_result_whose_time_proves_nothing_can_only_alarm(catalogue: Catalogue, changes: Any) -> None:
    time = at("2026-03-01", "08:00")
    members = {"written": time.written, "day": time.day, "instant": time.instant, "is_exact": True, **changes}
    doubtful = a_result(ClinicalTime(**members), written="doubtful")
    assert chosen(catalogue, doubtful) == ([], [], ["doubtful"])


def test_of_one_time_the_later_release_comes_first(catalogue: Catalogue) -> None:
    results = [a_result(written="a", issued="2026-03-01T09:00"), a_result(written="b", issued="2026-03-01T10:00")]
    assert chosen(catalogue, *results)[0] == ["b", "a"]


def test_a_time_is_compared_with_the_moment_where_both_have_one() -> None:
    assert may_be_as_new(at("2026-03-01", "08:00"), at("2026-03-01", "08:00"))
    assert not may_be_as_new(at("2026-03-01", "07:00"), at("2026-03-01", "08:00"))
    assert may_be_as_new(at("2026-03-01"), at("2026-03-01", "08:00"))


@pytest.mark.parametrize(("day", "is_as_new"), [("2026-02-27", True), ("2026-02-28", True), ("2026-03-01", False)])
def test_a_month_counts_as_its_last_day(day: str, is_as_new: bool) -> None:
    february = ClinicalTime("2026-02", latest=date(2026, 2, 28))
    assert may_be_as_new(february, at(day)) is is_as_new
