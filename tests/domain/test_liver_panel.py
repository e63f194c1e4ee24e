"""The five liver tests after the infusion: unremarkable or not, on every boundary (label 2.1, 2.3; C3, C5, C6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from domain_values import D, a_result, at, limits

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import NO_TIME, ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.liver_panel import (
    LIVER_PANEL,
    PanelReading,
    end_check_from,
    is_after_infusion,
    is_measured,
    is_unremarkable,
    newest_panel,
    panel_for_taper,
    results_after_infusion,
    undisputed,
    without_conflicts,
)
from cds_service.domain.liver_panel import TestReading as Reading
from cds_service.domain.results import LabFlag, LabResult, ReferenceRange
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TRUE, FALSE, UNKNOWN = Certainty.TRUE, Certainty.FALSE, Certainty.UNKNOWN
INFUSED = "2026-02-02"
# D+28, the last of the 30 days, is today; its first sample that counts is of D+25.
END = date(2026, 3, 2)
FIVE = dict.fromkeys(LIVER_PANEL, TRUE)
# What every result has beside its number: an upper limit, and an amount in the test's own unit.
UPPER = {"alt": "40", "ast": "40", "total_bilirubin": "1.0", "prothrombin_time": "13.5", "inr": "1.1"}


def lab(
    analyte: str, value: str, high: str | None = "", comparator: str = "", *, is_read: bool = True, **members: Any
) -> LabResult:
    """A result against its own upper limit; `is_read`: its unit is one of the test's own."""
    own = limits(value, UPPER[analyte] if high == "" else high, comparator=comparator) if high is not None else None
    number = Interval.of(comparator, D(value))
    amount = number if is_read else None
    return replace(a_result(analyte=analyte, written=value, own=own, number=number, amount=amount), **members)


# --- one result


@pytest.mark.parametrize(
    ("analyte", "value", "verdict"),
    [
        ("alt", "79.9", TRUE),
        ("alt", "80", FALSE),
        ("alt", "80.0", FALSE),
        ("alt", "80.1", FALSE),
        ("alt", "41", TRUE),
        ("ast", "79.99", TRUE),
        ("ast", "80", FALSE),
        ("total_bilirubin", "1.0", TRUE),
        ("total_bilirubin", "1.00", TRUE),
        ("total_bilirubin", "1.01", FALSE),
        ("prothrombin_time", "13.5", TRUE),
        ("prothrombin_time", "13.51", FALSE),
        ("inr", "1.1", TRUE),
        ("inr", "1.11", FALSE),
    ],
)
def test_the_boundaries_of_unremarkable(catalogue: Catalogue, analyte: str, value: str, verdict: Certainty) -> None:
    assert is_unremarkable(lab(analyte, value), catalogue.known) is verdict


def test_the_multiple_is_compared_exactly(catalogue: Catalogue) -> None:
    assert is_unremarkable(lab("alt", "66.66", "33.33"), catalogue.known) is FALSE
    assert is_unremarkable(lab("alt", "66.6599999999999999999999999999", "33.33"), catalogue.known) is TRUE


@pytest.mark.parametrize(
    ("analyte", "comparator", "value", "verdict"),
    [
        ("alt", "<", "5", TRUE),
        ("alt", "<", "80", TRUE),
        ("alt", "<=", "80", UNKNOWN),
        ("alt", "<", "81", UNKNOWN),
        ("alt", ">", "79", UNKNOWN),
        ("alt", ">=", "80", FALSE),
        ("alt", ">", "80", FALSE),
        ("total_bilirubin", "<", "0.2", TRUE),
        ("total_bilirubin", "<=", "1.0", TRUE),
        ("total_bilirubin", "<", "1.1", UNKNOWN),
        ("total_bilirubin", ">=", "1.0", UNKNOWN),
        ("inr", ">", "1.1", FALSE),
    ],
)
def test_a_bound_proves_only_what_it_says(
    catalogue: Catalogue, analyte: str, comparator: str, value: str, verdict: Certainty
) -> None:
    assert is_unremarkable(lab(analyte, value, comparator=comparator), catalogue.known) is verdict


@pytest.mark.hazard("H16")
@pytest.mark.parametrize(
    ("analyte", "flag", "verdict"),
    [
        ("alt", LabFlag.NORMAL, UNKNOWN),
        ("alt", LabFlag.HIGH, UNKNOWN),
        ("alt", LabFlag.NOT_STATED, UNKNOWN),
        ("inr", LabFlag.NORMAL, UNKNOWN),
        ("prothrombin_time", LabFlag.NORMAL, TRUE),
        ("total_bilirubin", LabFlag.NORMAL, TRUE),
        ("total_bilirubin", LabFlag.HIGH, FALSE),
        ("inr", LabFlag.ABNORMAL, FALSE),
        ("inr", LabFlag.LOW, UNKNOWN),
        ("inr", LabFlag.NOT_STATED, UNKNOWN),
    ],
)
@pytest.mark.parametrize("low", [None, "0.1"])
def test_without_an_upper_limit_only_the_laboratorys_word_counts(
    catalogue: Catalogue, analyte: str, flag: LabFlag, verdict: Certainty, low: str | None
) -> None:
    own = limits("20", None, low) if low else None
    result = replace(lab(analyte, "20", None), limits=own, flag=flag)
    assert is_unremarkable(result, catalogue.known) is verdict


@pytest.mark.parametrize(
    ("analyte", "value", "is_read", "verdict"),
    [
        # The site's policy: below 1.5, and below 2 mg/dL, which is 34.208 umol/L.
        ("inr", "1.4", True, TRUE),
        ("inr", "1.5", True, UNKNOWN),
        ("inr", "1.6", True, UNKNOWN),
        ("total_bilirubin", "34.207", True, TRUE),
        ("total_bilirubin", "34.208", True, UNKNOWN),
        ("total_bilirubin", "34.209", True, UNKNOWN),
        ("total_bilirubin", "1", False, UNKNOWN),
    ],
)
def test_a_flag_of_normal_beside_a_number_that_is_not_is_not_believed(
    catalogue: Catalogue, analyte: str, value: str, is_read: bool, verdict: Certainty
) -> None:
    result = lab(analyte, value, None, flag=LabFlag.NORMAL, is_read=is_read)
    assert is_unremarkable(result, catalogue.known) is verdict


@pytest.mark.parametrize("analyte", LIVER_PANEL)
@pytest.mark.parametrize(("value", "is_zero"), [("0", True), ("0.00", True), ("0.01", False)])
def test_a_liver_test_of_zero_was_never_measured(catalogue: Catalogue, analyte: str, value: str, is_zero: bool) -> None:
    result = lab(analyte, value)
    assert is_unremarkable(result, catalogue.known) is (UNKNOWN if is_zero else TRUE)
    assert is_measured(result) is not is_zero


@pytest.mark.parametrize(
    ("analyte", "value", "flag", "verdict"),
    [
        ("alt", "60", LabFlag.NORMAL, UNKNOWN),
        ("alt", "80", LabFlag.NORMAL, FALSE),
        ("alt", "30", LabFlag.HIGH, UNKNOWN),
        ("alt", "60", LabFlag.HIGH, TRUE),
        ("total_bilirubin", "0.9", LabFlag.HIGH, UNKNOWN),
        ("total_bilirubin", "1.2", LabFlag.NORMAL, FALSE),
        ("total_bilirubin", "0.9", LabFlag.NORMAL, TRUE),
    ],
)
def test_a_flag_against_the_range_clears_nothing(
    catalogue: Catalogue, analyte: str, value: str, flag: LabFlag, verdict: Certainty
) -> None:
    assert is_unremarkable(lab(analyte, value, flag=flag), catalogue.known) is verdict


def test_a_value_below_the_range_is_no_liver_finding(catalogue: Catalogue) -> None:
    low = lab("inr", "0.8", limits=limits("0.8", "1.1", "0.9"), flag=LabFlag.LOW)
    assert is_unremarkable(low, catalogue.known) is TRUE


@pytest.mark.parametrize(("value", "verdict"), [("20", UNKNOWN), ("79.9", UNKNOWN), ("80", FALSE)])
def test_without_a_unit_a_pair_may_alarm_and_clears_nothing(
    catalogue: Catalogue, value: str, verdict: Certainty
) -> None:
    own = limits(value, "40", is_unit_known=False)
    assert is_unremarkable(lab("alt", value, limits=own, amount=None), catalogue.known) is verdict
    assert not is_measured(lab("alt", value, limits=own, amount=None))


@pytest.mark.hazard("H52")
@pytest.mark.parametrize(("value", "verdict"), [("95", UNKNOWN), ("60", UNKNOWN), ("121", FALSE)])
def test_a_clotting_time_in_per_cent_is_never_normal_here(catalogue: Catalogue, value: str, verdict: Certainty) -> None:
    quick = lab("prothrombin_time", value, "120", is_read=False)
    assert is_unremarkable(quick, catalogue.known) is verdict


# --- before or after the infusion


@pytest.mark.parametrize(
    ("measured", "is_after"),
    [
        (at("2026-02-01", "23:59"), False),
        (at("2026-02-02"), False),
        (at("2026-02-02", "09:59"), False),
        (at("2026-02-02", "10:00"), False),
        (at("2026-02-02", "10:01"), True),
        (at("2026-02-03"), True),
        (at("2026-02-03", "00:00"), True),
        (ClinicalTime("2026-02"), True),
        (NO_TIME, True),
    ],
)
def test_on_the_infusion_day_the_hour_decides(facts_of: FactsOf, measured: ClinicalTime, is_after: bool) -> None:
    """The infusion of the default child begins at 10:00."""
    facts = facts_of({"moment": "chart", "infused": INFUSED})
    assert is_after_infusion(lab("alt", "20", measured=measured), facts) is is_after


def test_without_the_hour_of_the_infusion_its_day_is_baseline(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "chart", "infused": INFUSED})
    dated = replace(facts, exposures=tuple(replace(item, given=at(INFUSED)) for item in facts.exposures))
    assert not is_after_infusion(lab("alt", "20", measured=at(INFUSED, "23:59")), dated)
    assert is_after_infusion(lab("alt", "20", measured=at("2026-02-03")), dated)


def test_before_an_infusion_no_result_is_after_it(facts_of: FactsOf) -> None:
    facts = facts_of({})
    assert not is_after_infusion(lab("alt", "20"), facts)
    assert results_after_infusion("alt", facts) == ()
    assert newest_panel(facts, known=None).unproven == newest_panel(facts, known=None).tests  # type: ignore[arg-type]


def test_what_says_nothing_is_no_result(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "chart", "infused": INFUSED})
    told, untold = lab("alt", "20"), lab("alt", "21", standing=Standing.NO_INFORMATION)
    other = lab("ast", "22")
    assert results_after_infusion("alt", replace(facts, lab_results=(told, untold, other))) == (told,)


# --- the newest panel


@pytest.fixture
def reading(catalogue: Catalogue, facts_of: FactsOf) -> Callable[..., PanelReading]:
    """The reading of these results, beside a panel of all five on D+27 unless told otherwise, as the taper needs it."""

    def read(*results: LabResult, on: str = "2026-03-02", base: str | None = "2026-03-01") -> PanelReading:
        facts = facts_of({"moment": "chart", "infused": INFUSED})
        five = [lab(analyte, "1", measured=at(base, "08:00")) for analyte in LIVER_PANEL] if base else []
        return panel_for_taper(
            END, replace(facts, lab_results=(*five, *results)), catalogue.known, date.fromisoformat(on)
        )

    return read


def one(panel: PanelReading, analyte: str = "alt") -> Reading:
    return next(test for test in panel.tests if test.analyte == analyte)


def test_five_fine_results_are_proof(reading: Callable[..., PanelReading]) -> None:
    panel = reading()
    assert panel.verdict is TRUE
    assert [test.analyte for test in panel.tests] == list(LIVER_PANEL)
    assert (panel.abnormal, panel.unproven) == ((), ())
    assert len(panel.evidence) == 5
    assert {test.why for test in panel.tests} == {""}


@pytest.mark.hazard("H32")
@pytest.mark.parametrize("analyte", LIVER_PANEL)
def test_each_of_the_five_is_needed(
    reading: Callable[..., PanelReading], analyte: str, catalogue: Catalogue, facts_of: FactsOf
) -> None:
    four = [lab(name, "1", measured=at("2026-03-01")) for name in LIVER_PANEL if name != analyte]
    panel = reading(*four, base=None)
    assert panel.verdict is UNKNOWN
    assert [(test.analyte, test.why, test.result) for test in panel.unproven] == [(analyte, "missing", None)]


@pytest.mark.parametrize(
    ("sampled", "on", "verdict", "why"),
    [
        ("2026-02-26", "2026-03-02", UNKNOWN, "too-early"),
        ("2026-02-27", "2026-03-02", TRUE, ""),
        ("2026-03-02", "2026-03-02", TRUE, ""),
        ("2026-02-27", "2026-03-06", TRUE, ""),
        ("2026-02-27", "2026-03-07", UNKNOWN, "old"),
        ("2026-03-02", "2026-03-09", TRUE, ""),
        ("2026-03-02", "2026-03-10", UNKNOWN, "old"),
    ],
)
def test_three_days_before_the_end_and_seven_days_old(
    reading: Callable[..., PanelReading], sampled: str, on: str, verdict: Certainty, why: str
) -> None:
    panel = reading(base=sampled, on=on)
    assert panel.verdict is verdict
    assert {test.why for test in panel.tests} == {why}


@pytest.mark.parametrize("sampled", ["2026-02-10", "2026-02-26"])
def test_an_abnormal_result_counts_whatever_its_age(reading: Callable[..., PanelReading], sampled: str) -> None:
    bad = lab("alt", "80", measured=at(sampled))
    panel = reading(bad, *(lab(name, "1") for name in LIVER_PANEL if name != "alt"), base=None, on="2026-03-31")
    assert (panel.verdict, one(panel).verdict, one(panel).result, one(panel).why) == (FALSE, FALSE, bad, "")
    assert [test.analyte for test in panel.abnormal] == ["alt"]


def test_a_newer_fine_result_ends_an_older_abnormal_one(reading: Callable[..., PanelReading]) -> None:
    assert reading(lab("alt", "120", measured=at("2026-02-27"))).verdict is TRUE


def test_without_a_first_day_and_a_last_one_any_age_is_proof(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "chart", "infused": INFUSED, "panels": [{"on": "2026-02-04"}]})
    assert newest_panel(facts, catalogue.known).verdict is TRUE
    assert {test.why for test in panel_for_taper(END, facts, catalogue.known).tests} == {"too-early"}


def test_the_first_day_that_counts_for_the_end_of_the_30_days(catalogue: Catalogue) -> None:
    assert end_check_from(END, catalogue.known) == date(2026, 2, 27)


@pytest.mark.hazard("H18")
@pytest.mark.parametrize(
    ("value", "when", "verdict", "why"),
    [
        ("90", at("2026-03-01", "09:00"), FALSE, ""),
        ("90", at("2026-03-01"), FALSE, ""),
        ("90", at("2026-03-01", "07:00"), TRUE, ""),
        ("30", at("2026-03-01", "09:00"), TRUE, ""),
        ("90", NO_TIME, FALSE, ""),
    ],
)
def test_a_preliminary_result_that_may_be_newer_alarms_and_clears_nothing(
    reading: Callable[..., PanelReading], value: str, when: ClinicalTime, verdict: Certainty, why: str
) -> None:
    early = lab("alt", value, standing=Standing.PROVISIONAL, measured=when)
    assert (one(reading(early)).verdict, one(reading(early)).why) == (verdict, why)


def test_a_preliminary_result_alone_proves_nothing(reading: Callable[..., PanelReading]) -> None:
    early = lab("alt", "20", standing=Standing.PROVISIONAL)
    rest = [lab(name, "1") for name in LIVER_PANEL if name != "alt"]
    found = one(reading(early, *rest, base=None))
    assert (found.verdict, found.why, found.result) == (UNKNOWN, "preliminary", early)
    worse = one(reading(replace(early, limits=limits("80", "40")), *rest, base=None))
    assert worse.verdict is FALSE


def test_a_newer_preliminary_result_of_unknown_height_keeps_it_open(reading: Callable[..., PanelReading]) -> None:
    early = lab("alt", "20", None, standing=Standing.PROVISIONAL, measured=at("2026-03-01", "10:00"))
    found = one(reading(early))
    assert (found.verdict, found.why, found.result) == (UNKNOWN, "preliminary", early)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (lab("alt", "20", None), "no-range"),
        (lab("alt", "20", None, is_read=False), "unit"),
        (lab("alt", "20", limits=limits("20", "40", is_unit_known=False)), "unit"),
        (lab("alt", "30", flag=LabFlag.HIGH), "flag"),
        (lab("alt", "100", comparator="<"), "bounds"),
        (replace(lab("alt", "20", None), number=None, amount=None), "text"),
    ],
)
def test_why_a_result_proves_nothing(reading: Callable[..., PanelReading], result: LabResult, why: str) -> None:
    newest = replace(result, measured=at("2026-03-02", "08:00"))
    found = one(reading(newest))
    assert (found.verdict, found.why, found.result) == (UNKNOWN, why, newest)


# --- conflicts and corrections


@pytest.mark.parametrize(
    ("values", "verdict", "why"),
    [
        (("20", "20"), TRUE, ""),
        (("20", "30"), UNKNOWN, "conflict"),
        (("20", "90"), FALSE, ""),
    ],
)
def test_of_conflicting_results_the_worse_one_counts(
    reading: Callable[..., PanelReading], values: tuple[str, str], verdict: Certainty, why: str
) -> None:
    first, second = (lab("alt", value, measured=at("2026-03-02", "08:00")) for value in values)
    for pair in ((first, second), (second, first)):
        found = one(reading(*pair))
        assert (found.verdict, found.why) == (verdict, why)


@pytest.mark.hazard("H19")
@pytest.mark.parametrize(("value", "corrected", "verdict"), [("90", "30", TRUE), ("30", "90", FALSE)])
def test_a_corrected_result_replaces_the_one_of_its_time(
    reading: Callable[..., PanelReading], value: str, corrected: str, verdict: Certainty
) -> None:
    when = at("2026-03-02", "08:00")
    pair = (lab("alt", value, measured=when), lab("alt", corrected, measured=when, is_correction=True))
    assert one(reading(*pair)).verdict is verdict
    assert one(reading(*reversed(pair))).verdict is verdict


@pytest.mark.hazard("H21")
@pytest.mark.parametrize(
    ("times", "values", "kept"),
    [
        (("08:00", "08:00"), ("20", "20"), ["20", "20"]),
        (("08:00", "08:05"), ("20", "30"), []),
        (("08:05", "08:00"), ("20", "30"), []),
        (("08:00", "08:06"), ("20", "30"), ["20", "30"]),
        (("", ""), ("20", "30"), []),
        (("", "08:00"), ("20", "30"), ["20", "30"]),
        (("08:00", ""), ("20", "30"), ["20", "30"]),
    ],
)
def test_results_that_contradict_each_other_are_left_out(
    catalogue: Catalogue, times: tuple[str, str], values: tuple[str, str], kept: list[str]
) -> None:
    pair = [lab("alt", value, measured=at("2026-03-02", hour)) for value, hour in zip(values, times, strict=True)]
    for results in (pair, pair[::-1]):
        assert sorted(item.written for item in without_conflicts(results, catalogue.known)) == kept


def test_five_minutes_are_five_minutes_across_midnight(catalogue: Catalogue) -> None:
    pair = [lab("alt", "20", measured=at("2026-03-01", "23:58")), lab("alt", "30", measured=at("2026-03-02", "00:02"))]
    assert without_conflicts(pair, catalogue.known) == []


def test_days_without_hours_contradict_each_other_only_on_one_day(catalogue: Catalogue) -> None:
    pair = [lab("alt", "20", measured=at("2026-03-01")), lab("alt", "30", measured=at("2026-03-02"))]
    assert without_conflicts(pair, catalogue.known) == pair


@pytest.mark.parametrize("corrected", ["20", "30"])
def test_what_was_corrected_is_left_out_and_the_correction_stays(catalogue: Catalogue, corrected: str) -> None:
    when = at("2026-03-02", "08:00")
    old, new = lab("alt", "20", measured=when), lab("alt", corrected, measured=when, is_correction=True)
    other = lab("alt", "40", measured=at("2026-03-02", "12:00"))
    assert without_conflicts([old, new, other], catalogue.known) == [new, other]
    assert without_conflicts([new, old], catalogue.known) == [new]


@pytest.mark.hazard("H21")
@pytest.mark.parametrize(
    ("doubtful", "is_kept"),
    [
        ({"number": None, "amount": None, "written": "see report"}, False),
        ({"amount": None, "written": "20 foo"}, False),
        ({"number": None, "amount": None, "written": "see report", "is_correction": True}, False),
        ({"number": None, "amount": None, "written": "see report", "standing": Standing.PROVISIONAL}, True),
        ({"number": None, "amount": None, "written": "see report", "measured": at("2026-03-02", "12:00")}, True),
        ({"number": None, "amount": None, "written": "see report", "measured": at("2026-03-02", "08:05")}, False),
        ({"number": None, "amount": None, "written": "see report", "measured": at("2026-03-02", "08:06")}, True),
        ({"number": None, "amount": None, "written": "see report", "measured": NO_TIME}, True),
    ],
)
def test_a_result_of_the_same_time_that_cannot_be_read_may_have_said_something_else(
    catalogue: Catalogue, doubtful: dict[str, Any], is_kept: bool
) -> None:
    read = lab("alt", "20", measured=at("2026-03-02", "08:00"))
    other = replace(replace(read, limits=None), **doubtful)
    assert undisputed([read, other], catalogue.known) == ([read] if is_kept else [])
    assert undisputed([other, read], catalogue.known) == ([read] if is_kept else [])


def test_two_corrections_of_one_result_contradict_each_other(catalogue: Catalogue) -> None:
    when = at("2026-03-02", "08:00")
    twice = [lab("alt", value, measured=when, is_correction=True) for value in ("20", "30")]
    assert without_conflicts([lab("alt", "40", measured=when), *twice], catalogue.known) == []


def test_results_without_an_amount_are_compared_as_written(catalogue: Catalogue) -> None:
    when = at("2026-03-02", "08:00")
    same = [lab("alt", "20", measured=when, amount=None) for _ in range(2)]
    assert without_conflicts(same, catalogue.known) == same
    differing = [same[0], lab("alt", "21", measured=when, amount=None)]
    assert without_conflicts(differing, catalogue.known) == []


# --- measured


@pytest.mark.parametrize(
    ("changes", "measured"),
    [
        ({}, True),
        ({"limits": None}, True),
        ({"amount": None}, True),
        ({"amount": None, "limits": None}, False),
        ({"amount": None, "limits": ReferenceRange(Interval.exactly(D("20")), None, D("40"), "0-40", False)}, False),
        ({"number": None}, False),
        ({"standing": Standing.PROVISIONAL}, False),
        ({"measured": NO_TIME}, False),
        ({"measured": ClinicalTime("2026-03-01T08:00", date(2026, 3, 1))}, False),
        ({"measured": ClinicalTime("2026-03-09", date(2026, 3, 9), None, is_exact=True, is_future=True)}, False),
    ],
)
def test_what_counts_as_measured(changes: Mapping[str, Any], measured: bool) -> None:
    assert is_measured(replace(lab("alt", "20"), **changes)) is measured


# --- from the record


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ({}, TRUE),
        ({"alt": "79.9 U/L"}, TRUE),
        ({"alt": "80 U/L"}, FALSE),
        ({"alt": "1.33 ukat/L"}, TRUE),
        ({"alt": {"value": "20 U/L", "range": "none"}}, UNKNOWN),
        ({"inr": {"value": "1.0 {INR}", "range": "none", "flag": "N"}}, TRUE),
        ({"inr": {"value": "1.0 {INR}", "range": "none", "flag": "H"}}, FALSE),
        ({"prothrombin_time": {"value": "95 %", "range": ["70", "120"]}}, UNKNOWN),
        ({"total_bilirubin": "1.01 mg/dL"}, FALSE),
    ],
)
def test_the_record_is_read_the_same_way(
    catalogue: Catalogue, facts_of: FactsOf, words: Mapping[str, Any], verdict: Certainty
) -> None:
    facts = facts_of({"moment": "chart", "infused": INFUSED, "panels": [{"on": "2026-03-01", **words}]})
    assert panel_for_taper(END, facts, catalogue.known).verdict is verdict
