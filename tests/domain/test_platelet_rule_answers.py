"""What a low count and a sign of microangiopathy ask for, and what answers them (label 5.3, 5.4; clinical-rules 4H)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from domain_values import D, a_result

from cds_service.domain.answers import Answer, RequestTest
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.registry import answer_all
from cds_service.domain.rules.platelets_and_tma import _sort_key
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
Ask = Callable[..., Answer]
CHILD: dict[str, Any] = {"moment": "chart", "infused": "2026-02-02", "today": "2026-02-10"}
PLATELETS, CREATININE = "777-3", "2160-0"
BRUISING = {"code": "ICD10CM R23.3", "onset": "2026-02-10"}


@pytest.fixture
def ask(facts_of: FactsOf, catalogue: Catalogue) -> Ask:
    """The one answer of a rule to a child eight days after the infusion."""

    def answer(rule: str, **said: Any) -> Answer:
        rules = catalogue.rules.only(frozenset({rule}))
        (found,) = (a for a in answer_all(facts_of({**CHILD, **said}), catalogue.known, rules) if a.rule_id == rule)
        return found

    return answer


def offered(answer: Answer) -> set[str]:
    return {change.test for change in answer.changes if isinstance(change, RequestTest)}


def count(on: str, platelets: str = "300 10*3/uL", **other: Any) -> dict[str, Any]:
    return {"on": on, "platelets": platelets, **other}


def fell(answer: Answer) -> str:
    return answer.grade if answer.verdict.value == "fires" else answer.verdict.value


# --- what a low count asks for


@pytest.mark.parametrize(
    ("request_", "is_offered"),
    [
        ({"wanted": "2026-02-09"}, True),
        ({"wanted": "2026-02-10"}, False),
        ({"wanted": "2026-02-12"}, False),
        ({"wanted": "2026-02-13"}, True),
        ({"wanted": "2026-02-11", "status": "revoked"}, True),
        ({"wanted": "2026-02-11", "code": "1742-6"}, True),
        # Without a day it is awaited now if it was ordered lately.
        ({"days_ago": 1}, False),
        ({"days_ago": 90}, True),
    ],
)
@pytest.mark.parametrize(("code", "test"), [(PLATELETS, "cbc"), (CREATININE, "kidney-function")])
def test_the_next_count_and_creatinine_are_offered_unless_they_are_ordered_for_the_next_two_days(
    ask: Ask, request_: dict[str, Any], is_offered: bool, code: str, test: str
) -> None:
    low = ask("platelet-low", counts=[count("2026-02-10", "60 10*3/uL")], requests=[{"code": code, **request_}])
    assert low.grade == "below-second"
    assert (test in offered(low)) is is_offered


@pytest.mark.parametrize(
    ("when", "status", "is_offered"),
    [
        ("2026-02-08", "final", True),
        ("2026-02-09", "final", False),
        ("2026-02-10", "final", False),
        ("2026-02-09", "preliminary", True),
    ],
)
def test_a_smear_and_creatinine_since_the_low_count_are_not_offered_again(
    ask: Ask, when: str, status: str, is_offered: bool
) -> None:
    low = ask(
        "platelet-low",
        counts=[count("2026-02-09", "60 10*3/uL")],
        smears=[{"result": "Absent", "when": f"{when}T09:00:00Z", "status": status}],
        labs={"creatinine": {"value": "0.3 mg/dL", "when": f"{when}T09:00:00Z", "status": status}},
    )
    assert ("cbc-with-smear" in offered(low)) is is_offered
    assert ("kidney-function" in offered(low)) is is_offered


# --- which count is told


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Rising, and at 100 or more: it recovers. Held against the last one before it, not against any.
        ([("2026-02-06", "130"), ("2026-02-09", "110"), ("2026-02-10", "120")], "silent"),
        ([("2026-02-06", "110"), ("2026-02-09", "130"), ("2026-02-10", "120")], "below-normal"),
        ([("2026-02-09", "110"), ("2026-02-10", "110")], "below-normal"),
        ([("2026-02-09", "90"), ("2026-02-10", "100")], "silent"),
        ([("2026-02-09", "90"), ("2026-02-10", "99.9")], "below-first"),
    ],
)
def test_a_count_recovers_where_it_is_higher_than_the_last_one_before_it(
    ask: Ask, counts: list[tuple[str, str]], expected: str
) -> None:
    told = [count(on, f"{value} 10*3/uL") for on, value in counts]
    assert fell(
        ask("platelet-low", labs={"platelets": {"value": "160 10*3/uL", "when": "2026-01-31"}}, counts=told)
    ) == (expected)


def test_a_count_that_its_flag_contradicts_is_in_no_conflict_with_another_one(ask: Ask) -> None:
    """90 is above its own limit of 80, the laboratory calls it low, and the site's first tier is 100."""
    flagged = {"value": "90 10*3/uL", "range": ["80", "450"], "flag": "L"}
    low = ask("platelet-low", counts=[{"on": "2026-02-10", "platelets": flagged}])
    assert (low.grade, str(low.shown["is_conflict"])) == ("below-first", "False")
    both = [count("2026-02-10", "60 10*3/uL"), count("2026-02-10", "200 10*3/uL")]
    assert str(ask("platelet-low", counts=both).shown["is_conflict"]) == "True"


def test_of_the_newest_counts_the_one_that_nobody_can_read_is_told(ask: Ask) -> None:
    unclear = {"value": "280", "range": "none", "status": "preliminary"}
    counts = [count("2026-02-08"), {"on": "2026-02-09", "platelets": unclear}]
    answer = ask("platelet-low", counts=counts)
    assert (answer.verdict.value, answer.grade) == ("unknown", "unclassified")
    assert str(answer.shown["result_written"]).startswith("280")


def test_of_the_pressures_after_the_infusion_the_newest_is_shown(ask: Ask) -> None:
    pressures = [
        {"systolic": "91 mm[Hg]", "when": "2026-02-01T08:00:00Z"},
        {"systolic": "92 mm[Hg]", "when": "2026-02-08T08:00:00Z"},
        {"systolic": "93 mm[Hg]", "when": "2026-02-09T08:00:00Z"},
        {"systolic": "94 mm[Hg]", "when": "2026-02-10T08:00:00Z", "status": "entered-in-error"},
    ]
    low = [count("2026-02-10", "60 10*3/uL")]
    shown = str(ask("platelet-low", counts=low, blood_pressures=pressures).shown["pressure_written"])
    assert shown.startswith("93")
    assert shown.endswith(", 2026-02-09")
    assert ask("platelet-low", counts=low, blood_pressures=pressures[:1]).shown["pressure_written"] == ""


def test_the_last_six_counts_are_shown_oldest_first(ask: Ask) -> None:
    counts = [count(f"2026-02-{day:02}", f"{day}0 10*3/uL") for day in range(3, 10)]
    counts.append({"on": "2026-02-10", "platelets": {"string": "giant platelets"}})
    counts.append({"on": "2026-02-10", "platelets": {"value": "7 10*3/uL", "status": "cancelled"}})
    lines = str(ask("platelet-low", counts=counts).shown["trend"]).split("; ")
    assert [line.split()[0] for line in lines] == ["40", "50", "60", "70", "80", "90"]


# --- signs of microangiopathy


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Schistocytes on 2026-02-05; a count of the last day would be known, these are older.
        ([count("2026-02-05")], "limb-without-count"),
        ([count("2026-02-06")], "silent"),
        ([count("2026-02-06", status="preliminary")], "limb-without-count"),
        ([count("2026-02-06", "149 10*3/uL")], "limb-without-count"),
        ([count("2026-02-06", {"value": "300", "range": "none"})], "limb-without-count"),  # type: ignore[arg-type]
        ([], "limb-without-count"),
    ],
)
def test_a_smear_is_answered_by_a_sure_normal_count_of_a_later_day(
    ask: Ask, counts: list[dict[str, Any]], expected: str
) -> None:
    smears = [{"result": "Present", "when": "2026-02-05T08:00:00Z"}]
    assert fell(ask("tma-evaluate", smears=smears, counts=counts)) == expected


@pytest.mark.parametrize(
    ("smear", "is_offered"),
    [
        ({"result": "Absent", "when": "2026-02-10T08:00:00Z"}, False),
        ({"result": "Absent", "when": "2026-02-10T08:00:00Z", "status": "preliminary"}, True),
        ({"string": "giant platelets", "when": "2026-02-10T08:00:00Z"}, True),
        ({"result": "Absent", "when": "2026-02-08T08:00:00Z"}, True),
    ],
)
def test_a_smear_of_today_is_not_asked_for_again(ask: Ask, smear: dict[str, Any], is_offered: bool) -> None:
    low = [count("2026-02-10", "60 10*3/uL")]
    answer = ask("tma-evaluate", counts=low, conditions=[BRUISING], smears=[smear])
    assert answer.grade == "sign-with-low-count"
    assert ("cbc-with-smear" in offered(answer)) is is_offered


def test_infections_and_vaccinations_within_two_weeks_of_the_infusion_are_told_in_their_order(ask: Ask) -> None:
    answer = ask(
        "tma-consult",
        smears=[{"result": "Present", "when": "2026-02-09T08:00:00Z"}],
        vaccinations=[
            {"cvx": "20", "when": "2026-02-05"},
            # An antibody against RSV is no vaccine.
            {"name": "nirsevimab", "when": "2026-02-04"},
            {"cvx": "20", "when": "2026-01-19"},
            {"cvx": "20", "when": "2026-01-18"},
        ],
        infection_tests=[
            {"code": "LOINC 5196-1", "result": "Positive", "when": "2026-02-01T08:00:00Z"},
            {"code": "LOINC 5196-1", "result": "Negative", "when": "2026-02-02T08:00:00Z"},
        ],
    )
    days = [event.split()[-1] for event in str(answer.shown["near_events"]).split("; ")]
    assert days == ["2026-01-19", "2026-02-01", "2026-02-05"]


# --- back at baseline


@pytest.mark.parametrize(
    ("today", "counts", "expected"),
    [
        # Three months end on 2026-05-02; the last count before is of 2026-04-27, its window 2026-04-22 to 2026-05-02.
        ("2026-04-21", [], "silent"),
        ("2026-04-22", [("2026-04-22", "100")], "below-normal"),
        ("2026-05-02", [], "silent"),
        ("2026-05-03", [], "unknown"),
        ("2026-05-03", [("2026-04-21", "100")], "unknown"),
    ],
)
def test_the_last_count_of_the_third_month_is_looked_for_in_its_window(
    ask: Ask, today: str, counts: list[tuple[str, str]], expected: str
) -> None:
    told = [count(on, f"{value} 10*3/uL") for on, value in counts]
    assert fell(ask("platelet-not-at-baseline", today=today, counts=told)) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [("2026-04-21", "unknown"), ("2026-04-22", "below-normal"), ("none", "below-normal")],
)
def test_a_preliminary_low_count_of_the_window_or_of_no_day_is_told(ask: Ask, when: str, expected: str) -> None:
    low = {"value": "100 10*3/uL", "status": "preliminary", "when": when if when == "none" else f"{when}T08:00:00Z"}
    labs = {"platelets": [{"when": "2026-01-31T08:00:00Z"}, low]}
    assert fell(ask("platelet-not-at-baseline", today="2026-05-03", labs=labs)) == expected


@pytest.mark.parametrize(
    ("today", "sampled", "status", "next_day"),
    [
        # A count every other week until the third month is over, and on from there.
        ("2026-04-27", "2026-04-27", "final", "2026-05-02"),
        ("2026-05-01", "2026-04-27", "final", "2026-05-02"),
        ("2026-05-02", "2026-04-27", "final", "2026-05-16"),
        # One that is not final fills no place of the calendar.
        ("2026-04-22", "2026-04-22", "preliminary", "2026-04-27"),
    ],
)
def test_the_next_count_is_the_next_one_of_the_calendar(
    ask: Ask, today: str, sampled: str, status: str, next_day: str
) -> None:
    low = [count(sampled, "100 10*3/uL", at="06:00", status=status)]
    answer = ask("platelet-not-at-baseline", today=today, counts=low)
    assert (answer.grade, str(answer.shown["next_date"])) == ("below-normal", next_day)


# --- what the record leaves out


def test_a_pressure_without_a_day_is_shown_without_one_and_counts_as_older_than_any_day(ask: Ask) -> None:
    low = [count("2026-02-10", "60 10*3/uL")]
    undated = {"systolic": "91 mm[Hg]", "when": "none", "id": "z"}
    shown = str(ask("platelet-low", counts=low, blood_pressures=[undated]).shown["pressure_written"])
    assert shown.startswith("91")
    assert not shown.endswith(", ")
    dated = [
        {"systolic": "92 mm[Hg]", "when": "2026-02-08", "id": "y"},
        {"systolic": "93 mm[Hg]", "when": "2026-02-09", "id": "x"},
    ]
    assert str(ask("platelet-low", counts=low, blood_pressures=[undated, *dated]).shown["pressure_written"]).startswith(
        "93"
    )


def test_a_range_without_a_lower_limit_is_not_shown_as_what_the_count_is_below(ask: Ask) -> None:
    upper = {"value": "60 10*3/uL", "range": ["none", "450"]}
    low = ask("platelet-low", counts=[{"on": "2026-02-10", "platelets": upper}])
    assert (low.shown["limits_written"], str(low.shown["site_limit"])) == ("", "150")


def test_of_two_counts_as_low_the_one_that_is_known_in_its_unit_is_told(ask: Ask) -> None:
    without_unit = {"value": "110", "range": ["150", "450"], "range_unit": "none"}
    counts = [{"on": "2026-02-10", "platelets": without_unit}, count("2026-02-10", "120 10*3/uL")]
    low = ask("platelet-low", labs={"platelets": {"value": "300 10*3/uL", "when": "2026-01-31"}}, counts=counts)
    assert str(low.shown["result_written"]).startswith("120")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Haemoglobin fell on 2026-02-07; the count of the same tube answers it, an older one does not.
        ([count("2026-02-07")], "silent"),
        ([count("2026-02-08")], "silent"),
        ([count("2026-02-06")], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_fall_of_haemoglobin_is_answered_by_a_normal_count_since_then(
    ask: Ask, counts: list[dict[str, Any]], expected: str
) -> None:
    fallen = {"on": "2026-02-07", "platelets": "none", "hemoglobin": "9.9 g/dL"}
    assert fell(ask("tma-evaluate", counts=[fallen, *counts])) == expected


def test_a_pattern_with_a_part_of_unknown_day_has_no_onset_and_no_consultation_answers_it(ask: Ask) -> None:
    said: dict[str, Any] = {
        "counts": [count("2026-02-09", "60 10*3/uL")],
        "consults": [{"with": "Hematology", "when": "2026-02-10"}],
    }
    undated = ask("tma-consult", conditions=[{"code": "ICD10CM N17.9"}], **said)
    assert (undated.grade, undated.shown["onset_date"]) == ("kidney", "")
    dated = ask("tma-consult", conditions=[{"code": "ICD10CM N17.9", "onset": "2026-02-08"}], **said)
    assert (dated.grade, str(dated.shown["onset_date"])) == ("consulted", "2026-02-09")


def test_consultations_are_told_in_the_order_of_their_days(ask: Ask) -> None:
    answer = ask(
        "tma-consult",
        smears=[{"result": "Present", "when": "2026-02-08T08:00:00Z"}],
        consults=[{"with": "Hematology", "when": "2026-02-10"}, {"with": "Nephrology", "when": "2026-02-09"}],
    )
    assert (answer.grade, answer.shown["consult_date"]) == ("consulted", "2026-02-09, 2026-02-10")


def test_a_remark_without_a_day_is_told_without_one(ask: Ask) -> None:
    remark = {"string": "giant platelets", "when": "none"}
    baseline = {"when": "2026-01-31"}
    low = ask("platelet-low", labs={"platelets": [baseline, remark]}, counts=[count("2026-02-10", "60 10*3/uL")])
    assert low.shown["without_count"] == "giant platelets"


def test_a_count_with_an_amount_is_told_before_one_without() -> None:
    """Of several low counts the lowest is told; one whose amount cannot be read is told only where no other is."""
    low = a_result(analyte="platelets", written="60", amount=Interval.of("", D(60)))
    lower = a_result(analyte="platelets", written="40", amount=Interval.of("", D(40)))
    unread = a_result(analyte="platelets", written="few")
    assert min((unread, low, lower), key=_sort_key) is lower
    assert min((unread,), key=_sort_key) is unread
