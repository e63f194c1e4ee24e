"""Since when a limb or sign of microangiopathy is there, and what is too doubtful to clear it (label 5.4; C3, C6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from domain_values import D, a_result, limits

from cds_service.domain.certainty import Certainty
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.microangiopathy import (
    Microangiopathy,
    Presence,
    _Before,
    has_fallen,
    is_count_known,
    is_creatinine_raised,
    microangiopathy,
    numbers_after,
)
from cds_service.domain.results import LabResult
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TRUE, FALSE, UNKNOWN = Certainty.TRUE, Certainty.FALSE, Certainty.UNKNOWN
PRESENT, ABSENT, NOT_MEASURED = Presence.PRESENT, Presence.ABSENT, Presence.NOT_MEASURED
CHILD = {"moment": "chart", "infused": "2026-02-02", "today": "2026-02-10"}
HIGH_LDH = {"value": "900 U/L", "range": ["150", "450"]}
FINE_HAPTOGLOBIN = {"value": "90 mg/dL", "range": ["30", "200"]}
BOUNDS = (("", "11.0"), ("<", "12.5"))
NO_BASELINE = {"hemoglobin": "none"}
BRUISING, SEIZURE, KIDNEY_INJURY = "ICD10CM R23.3", "ICD10CM R56.9", "ICD10CM N17.9"


@pytest.fixture(scope="module")
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


def seen(facts_of: FactsOf, known: Known, **said: Any) -> Microangiopathy:
    """What speaks for microangiopathy in a child eight days after the infusion of 2026-02-02."""
    return microangiopathy(facts_of({**CHILD, **said}), known)


def february(day: int) -> date:
    return date(2026, 2, day)


# --- since when


def test_several_entries_of_a_sign_count_from_the_newest_and_from_nowhere_if_one_has_no_day(
    facts_of: FactsOf, known: Known
) -> None:
    dated = [{"code": BRUISING, "onset": "2026-02-09"}, {"code": BRUISING, "onset": "2026-02-05"}]
    found = seen(facts_of, known, conditions=dated).bruising
    assert (found.day, found.since) == (february(9), february(9))
    found = seen(facts_of, known, conditions=[*dated, {"code": BRUISING}]).bruising
    assert (found.day, found.since) == (february(9), None)


@pytest.mark.parametrize(
    ("onset", "day", "since"),
    [("2026-02-07", 9, 9), ("2026-02-10", 10, 10), ("", 9, None)],
)
def test_a_raised_creatinine_and_a_recorded_kidney_injury_are_there_since_the_later_of_them(
    facts_of: FactsOf, known: Known, onset: str, day: int, since: int | None
) -> None:
    recorded = {"code": KIDNEY_INJURY} | ({"onset": onset} if onset else {})
    counts = [{"on": "2026-02-09", "creatinine": "0.9 mg/dL"}]
    kidney = seen(facts_of, known, counts=counts, conditions=[recorded]).kidney
    assert (kidney.day, kidney.since) == (february(day), february(since) if since else None)


def test_beside_an_undated_result_the_day_of_a_dated_one_is_no_beginning(facts_of: FactsOf, known: Known) -> None:
    results = [{"when": "2026-01-31T08:00:00Z"}, {"value": "0.9 mg/dL", "when": "2026-02-09T08:00:00Z"}]
    undated = {"value": "0.9 mg/dL", "when": "none", "status": "preliminary"}
    assert seen(facts_of, known, labs={"creatinine": results}).kidney.since == february(9)
    kidney = seen(facts_of, known, labs={"creatinine": [*results, undated]}).kidney
    assert (kidney.presence, kidney.since) == (PRESENT, None)


def test_an_accepted_normal_count_ends_the_row_although_a_preliminary_one_stands_beside_it(
    facts_of: FactsOf, known: Known
) -> None:
    low = "60 10*3/uL"
    counts = [
        {"on": "2026-02-05", "platelets": low},
        {"on": "2026-02-07"},
        {"on": "2026-02-07", "at": "10:00", "status": "preliminary"},
        {"on": "2026-02-09", "platelets": low},
    ]
    assert seen(facts_of, known, counts=counts).platelets.since == february(9)


def test_what_was_normal_before_the_last_sign_began_says_nothing_of_today(facts_of: FactsOf, known: Known) -> None:
    """Bruises since 2026-02-05, low platelets since 2026-02-09; creatinine was normal between them."""
    signs = [{"code": BRUISING, "onset": "2026-02-05"}, {"code": SEIZURE}]
    counts = [
        {"on": "2026-02-07", "platelets": "none", "creatinine": "0.3 mg/dL"},
        {"on": "2026-02-09", "platelets": "60 10*3/uL"},
    ]
    kidney = seen(facts_of, known, counts=counts, conditions=signs).kidney
    assert (kidney.presence, kidney.why) == (NOT_MEASURED, "earlier")
    assert seen(facts_of, known, counts=counts[:1], conditions=signs).kidney.presence is ABSENT


# --- platelets and creatinine against a baseline that is only a bound


def amount(analyte: str, written: str, own: tuple[str, str]) -> LabResult:
    value = written.lstrip("<>=")
    comparator = written.removesuffix(value)
    number = Interval.of(comparator, D(value))
    own_limits = limits(value, own[1], own[0], comparator)
    return a_result(analyte=analyte, written=written, own=own_limits, number=number, amount=number)


@pytest.mark.parametrize(
    ("count", "before", "fallen"),
    [
        ("150", "300", TRUE),
        ("151", "300", FALSE),
        ("151", None, UNKNOWN),
        # Half of a baseline of at least 300 may be more than 150.
        ("151", ">=300", UNKNOWN),
        ("150", ">=300", TRUE),
        (">140", "300", UNKNOWN),
        (">150", "300", FALSE),
        ("<150", "300", TRUE),
        ("10", "<300", UNKNOWN),
    ],
)
def test_a_count_fell_by_half_only_from_a_baseline_that_is_known(
    known: Known, count: str, before: str | None, fallen: Certainty
) -> None:
    own = ("100", "450")
    first = amount("platelets", before, own) if before else None
    assert has_fallen(amount("platelets", count, own), first, known) is fallen


@pytest.mark.parametrize(
    ("now", "before", "raised"),
    [
        ("0.44", "0.3", FALSE),
        ("0.45", "0.3", TRUE),
        ("0.44", None, UNKNOWN),
        # 1.5 x a baseline below 0.3 may be less than 0.44.
        ("0.44", "<0.3", UNKNOWN),
        ("0.45", "<0.3", TRUE),
        ("<0.46", "0.3", UNKNOWN),
        ("<0.45", "0.3", FALSE),
    ],
)
def test_creatinine_has_risen_only_from_a_baseline_that_is_known(
    known: Known, now: str, before: str | None, raised: Certainty
) -> None:
    own = ("0.1", "0.5")
    first = amount("creatinine", before, own) if before else None
    assert is_creatinine_raised(amount("creatinine", now, own), first, known)[0] is raised


@pytest.mark.parametrize(
    ("platelets", "at", "since", "is_known"),
    [
        ("300 10*3/uL", "2026-02-10", None, True),
        ("60 10*3/uL", "2026-02-10", None, True),
        ("60 10*3/uL", "2026-02-10", 10, True),
        ("60 10*3/uL", "2026-02-10", 11, False),
        # The call is at noon of the tenth.
        ("60 10*3/uL", "2026-02-09", 9, True),
        ("60 10*3/uL", "2026-02-09", 10, False),
        ({"value": "300 10*3/uL", "flag": "L"}, "2026-02-10", None, False),
    ],
)
def test_a_count_of_the_last_day_is_known_whether_low_or_normal(
    facts_of: FactsOf, known: Known, platelets: Any, at: str, since: int | None, is_known: bool
) -> None:
    hour = "13:00" if at == "2026-02-09" else "08:00"
    facts = facts_of({**CHILD, "counts": [{"on": at, "at": hour, "platelets": platelets}]})
    assert is_count_known(facts, known, february(since) if since else None) is is_known


def test_a_remark_is_no_count(facts_of: FactsOf) -> None:
    counts = [{"on": "2026-02-08"}, {"on": "2026-02-09", "platelets": {"string": "giant platelets"}}]
    assert [item.evidence.day for item in numbers_after("platelets", facts_of({**CHILD, "counts": counts}))] == [
        "2026-02-08"
    ]


# --- haemolysis


def test_a_smear_that_says_nothing_takes_back_nothing_and_proves_nothing(facts_of: FactsOf, known: Known) -> None:
    comment = {"string": "giant platelets", "when": "2026-02-09T08:00:00Z"}
    assert not seen(facts_of, known, smears=[comment]).schistocytes.is_absent
    present = {"result": "Present", "when": "2026-02-08T08:00:00Z"}
    assert seen(facts_of, known, smears=[present, comment]).schistocytes.is_present


@pytest.mark.parametrize(("before", "fell"), [(25, False), (26, True), (28, True)])
def test_haemoglobin_falls_from_a_value_of_up_to_14_days_before(
    facts_of: FactsOf, known: Known, before: int, fell: bool
) -> None:
    """Without a baseline; 9.9 g/dL on 2026-02-09, 14 days after 2026-01-26."""
    counts = [{"on": f"2026-01-{before}", "hemoglobin": "12.0 g/dL"}, {"on": "2026-02-09", "hemoglobin": "9.9 g/dL"}]
    found = seen(facts_of, known, infused="2026-01-20", labs=NO_BASELINE, counts=counts)
    assert found.possible_hemolysis.is_present is fell


def test_haemoglobin_falls_from_the_day_before(facts_of: FactsOf, known: Known) -> None:
    counts = [{"on": "2026-02-08", "hemoglobin": "12.0 g/dL"}, {"on": "2026-02-09", "hemoglobin": "9.9 g/dL"}]
    assert seen(facts_of, known, labs=NO_BASELINE, counts=counts).possible_hemolysis.is_present


@pytest.mark.parametrize(
    ("first", "second", "fell"),
    [
        (("08:00", "12.0 g/dL"), ("20:00", "10.0 g/dL"), True),
        (("08:00", "12.0 g/dL"), ("20:00", "10.1 g/dL"), False),
        (("20:00", "12.0 g/dL"), ("08:00", "9.0 g/dL"), False),
        (("08:00", "12.0 g/dL"), ("08:06", "9.0 g/dL"), True),
        # Of one time they contradict each other, and without an hour nobody knows which was first.
        (("08:00", "12.0 g/dL"), ("08:05", "9.0 g/dL"), False),
        (("", "12.0 g/dL"), ("20:00", "9.0 g/dL"), False),
    ],
)
def test_haemoglobin_falls_from_an_earlier_value_of_the_same_day(
    facts_of: FactsOf, known: Known, first: tuple[str, str], second: tuple[str, str], fell: bool
) -> None:
    counts = [{"on": "2026-02-09", "at": hour, "hemoglobin": value} for hour, value in (first, second)]
    assert seen(facts_of, known, labs=NO_BASELINE, counts=counts).possible_hemolysis.is_present is fell


def test_a_fall_within_one_day_beside_a_high_ldh_is_specific(facts_of: FactsOf, known: Known) -> None:
    counts = [
        {"on": "2026-02-09", "at": "08:00", "hemoglobin": "12.0 g/dL"},
        {"on": "2026-02-09", "at": "20:00", "hemoglobin": "9.9 g/dL", "ldh": HIGH_LDH},
    ]
    assert seen(facts_of, known, labs=NO_BASELINE, counts=counts).hemolysis.ways == ("hemoglobin", "ldh")


def test_a_value_of_the_same_day_proves_no_steadiness(facts_of: FactsOf, known: Known) -> None:
    fine = {"haptoglobin": FINE_HAPTOGLOBIN}
    counts = [{"on": "2026-02-09", "at": hour, "hemoglobin": "12.0 g/dL", **fine} for hour in ("08:00", "20:00")]
    smear = {"result": "No schistocytes seen", "days_ago": 0}
    assert not seen(facts_of, known, labs=NO_BASELINE, counts=counts, smears=[smear]).hemolysis.is_absent


def test_a_fall_from_the_baseline_stays_one_although_the_day_before_was_as_low(facts_of: FactsOf, known: Known) -> None:
    counts = [
        {"on": "2026-02-08", "hemoglobin": "10.1 g/dL"},
        {"on": "2026-02-09", "hemoglobin": "10.0 g/dL", "ldh": HIGH_LDH},
    ]
    found = seen(facts_of, known, counts=counts)
    assert found.possible_hemolysis.is_present
    assert found.hemolysis.ways == ("hemoglobin", "ldh")


def test_a_preliminary_value_is_nothing_that_haemoglobin_fell_from(facts_of: FactsOf, known: Known) -> None:
    counts = [
        {"on": "2026-02-05", "hemoglobin": "12.5 g/dL", "status": "preliminary"},
        {"on": "2026-02-09", "hemoglobin": "10.0 g/dL", "ldh": HIGH_LDH},
    ]
    found = seen(facts_of, known, labs=NO_BASELINE, counts=counts)
    assert not found.possible_hemolysis.is_present
    assert not found.hemolysis.is_present


@pytest.mark.parametrize(("ldh", "is_present"), [("2026-02-08", True), ("2026-02-09", False)])
def test_what_cannot_be_compared_takes_no_fall_back_and_ldh_is_of_the_same_two_weeks(
    facts_of: FactsOf, known: Known, ldh: str, is_present: bool
) -> None:
    """The fall is of 2026-01-25. The value 15 days later has nothing of the days before it to be held against."""
    none = {"platelets": "none"}
    counts = [
        {"on": "2026-01-25", "hemoglobin": "9.9 g/dL"},
        {"on": "2026-02-09", "at": "09:00", "hemoglobin": "10.0 g/dL"},
        {"on": ldh, "at": "07:00", **none, "ldh": HIGH_LDH},
    ]
    found = seen(facts_of, known, infused="2026-01-20", counts=counts)
    assert found.hemolysis.is_present is is_present


def test_an_ldh_of_unknown_day_may_belong_to_the_fall(facts_of: FactsOf, known: Known) -> None:
    undated = {**HIGH_LDH, "when": "none", "status": "preliminary"}
    counts = [{"on": "2026-02-09", "hemoglobin": "9.9 g/dL"}]
    found = seen(facts_of, known, counts=counts, labs={"ldh": undated})
    assert (found.hemolysis.presence, found.hemolysis.since) == (PRESENT, None)


@pytest.mark.parametrize(
    ("second", "ways"),
    [
        # It has no limit to be held against: the last sure one still counts.
        ({"value": "500 U/L", "range": "none"}, ("hemoglobin", "ldh")),
        ({"value": "400 U/L", "range": ["150", "450"]}, ()),
    ],
)
def test_an_ldh_that_cannot_be_judged_takes_no_alarm_back(
    facts_of: FactsOf, known: Known, second: dict[str, Any], ways: tuple[str, ...]
) -> None:
    counts = [
        {"on": "2026-02-08", "ldh": HIGH_LDH},
        {"on": "2026-02-09", "hemoglobin": "9.9 g/dL", "ldh": second},
    ]
    assert seen(facts_of, known, counts=counts).hemolysis.ways == ways


def test_a_flag_of_high_within_the_range_is_no_high_ldh(facts_of: FactsOf, known: Known) -> None:
    flagged = {"value": "400 U/L", "range": ["150", "450"], "flag": "H"}
    counts = [{"on": "2026-02-09", "hemoglobin": "9.9 g/dL", "ldh": flagged}]
    assert not seen(facts_of, known, counts=counts).hemolysis.is_present


@pytest.mark.parametrize(
    ("haptoglobin", "hemoglobin", "hemolysis", "possible"),
    [
        (FINE_HAPTOGLOBIN, "12.0 g/dL", ABSENT, NOT_MEASURED),
        ({"value": "30 mg/dL", "range": ["30", "200"]}, "12.0 g/dL", ABSENT, NOT_MEASURED),
        ({"value": "29 mg/dL", "range": ["30", "200"]}, "12.0 g/dL", NOT_MEASURED, PRESENT),
        ({"value": "29 mg/dL", "range": ["30", "200"], "flag": "L"}, "12.0 g/dL", NOT_MEASURED, PRESENT),
        # Called low within its range, without a range, without a unit: nothing that proves.
        ({**FINE_HAPTOGLOBIN, "flag": "L"}, "12.0 g/dL", NOT_MEASURED, NOT_MEASURED),
        ({"value": "90 mg/dL", "range": "none"}, "12.0 g/dL", NOT_MEASURED, NOT_MEASURED),
        ({"value": "90", "range": ["30", "200"], "range_unit": "none"}, "12.0 g/dL", NOT_MEASURED, NOT_MEASURED),
    ],
)
def test_haemolysis_is_absent_only_where_haptoglobin_is_surely_not_low(
    facts_of: FactsOf, known: Known, haptoglobin: Any, hemoglobin: str, hemolysis: Presence, possible: Presence
) -> None:
    counts = [{"on": "2026-02-09", "hemoglobin": hemoglobin, "haptoglobin": haptoglobin}]
    smears = [{"result": "Absent", "when": "2026-02-09T08:00:00Z"}]
    found = seen(facts_of, known, counts=counts, smears=smears)
    assert (found.hemolysis.presence, found.possible_hemolysis.presence) == (hemolysis, possible)


def test_without_anything_to_compare_haemoglobin_with_haemolysis_is_not_absent(facts_of: FactsOf, known: Known) -> None:
    counts = [{"on": "2026-02-09", "hemoglobin": "12.0 g/dL", "haptoglobin": FINE_HAPTOGLOBIN}]
    smears = [{"result": "Absent", "when": "2026-02-09T08:00:00Z"}]
    found = seen(facts_of, known, labs=NO_BASELINE, counts=counts, smears=smears)
    assert (found.hemolysis.presence, found.possible_hemolysis.presence) == (NOT_MEASURED, NOT_MEASURED)


def test_no_haemolysis_is_as_old_as_the_oldest_of_its_tests(facts_of: FactsOf, known: Known) -> None:
    none = {"platelets": "none"}
    counts = [
        {"on": "2026-02-09", "hemoglobin": "12.0 g/dL"},
        {"on": "2026-02-08", **none, "haptoglobin": FINE_HAPTOGLOBIN},
    ]
    smears = [{"result": "Absent", "when": "2026-02-07T08:00:00Z"}]
    assert seen(facts_of, known, counts=counts, smears=smears).hemolysis.day == february(7)


# --- signs at the bedside


@pytest.mark.parametrize(
    ("starts", "is_new"),
    [("2026-02-01", False), ("2026-02-02", False), ("2026-02-03", True), ("2026-02-10", True), ("2026-02-11", False)],
)
def test_a_medicine_for_the_blood_pressure_is_new_from_the_day_after_the_infusion_to_today(
    facts_of: FactsOf, known: Known, starts: str, is_new: bool
) -> None:
    found = seen(facts_of, known, antihypertensives=[{"name": "amlodipine", "start": starts}])
    assert found.hypertension.is_present is is_new


def test_new_medicines_are_there_since_the_first_of_them(facts_of: FactsOf, known: Known) -> None:
    medicines = [{"name": "amlodipine", "start": "2026-02-08"}, {"name": "enalapril", "start": "2026-02-05"}]
    found = seen(facts_of, known, antihypertensives=medicines).hypertension
    assert (found.day, found.since) == (february(8), february(5))
    undated = {"name": "captopril", "start": "none", "written": "none"}
    found = seen(facts_of, known, antihypertensives=[*medicines, undated]).hypertension
    assert (found.day, found.since) == (february(8), None)


def test_a_pressure_of_the_infusion_day_without_an_hour_may_be_of_after_it(facts_of: FactsOf, known: Known) -> None:
    pressures = [{"systolic": "120 mm[Hg]", "when": "2026-02-02"}]
    assert seen(facts_of, known, today="2026-02-03", blood_pressures=pressures).hypertension.is_present


def test_a_pressure_without_a_day_is_told_without_one(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known, blood_pressures=[{"systolic": "120 mm[Hg]", "when": "none"}]).hypertension
    assert found.written.startswith("120")
    assert not found.written.endswith(", ")


@pytest.mark.parametrize(("volumes", "least"), [(("60 mL", "30 mL"), "30 mL"), (("0.5 mL", "0 mL"), "0 mL")])
def test_of_the_urine_of_a_day_the_least_is_told(
    facts_of: FactsOf, known: Known, volumes: tuple[str, str], least: str
) -> None:
    for pair in (volumes, volumes[::-1]):
        outputs = [{"volume": volume, "when": "2026-02-09T08:00:00Z"} for volume in pair]
        found = seen(facts_of, known, weight="3.2 kg", urine_outputs=outputs).urine
        assert found.is_present
        assert found.written.startswith(least)


def test_a_preliminary_urine_output_proves_nothing(facts_of: FactsOf, known: Known) -> None:
    enough = {"volume": "200 mL", "status": "preliminary"}
    assert seen(facts_of, known, weight="3.2 kg", urine_outputs=[enough]).urine.presence is NOT_MEASURED


def test_a_medicine_that_began_on_the_infusion_day_makes_a_later_order_of_it_no_older_one(
    facts_of: FactsOf, known: Known
) -> None:
    orders = [{"name": "amlodipine", "start": "2026-02-02"}, {"name": "amlodipine", "start": "2026-02-05"}]
    assert seen(facts_of, known, antihypertensives=orders).hypertension.since == february(5)


def test_the_highest_bound_of_the_values_before_keeps_a_fall_possible() -> None:
    """10.4 after 11.0 and after less than 12.5: from the second one it may have fallen by 2."""
    earlier = [a_result(analyte="hemoglobin", amount=Interval.of(sign, D(value))) for sign, value in BOUNDS]
    for results in (earlier, earlier[::-1]):
        assert _Before.of(results).has_lost(Interval.exactly(D("10.4")), D(2)) is UNKNOWN
    assert _Before.of(earlier).has_lost(Interval.exactly(D("10.6")), D(2)) is FALSE
