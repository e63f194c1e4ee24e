"""Records that leave a rule without a day, an hour or a unit: they may alarm, and verify nothing (clinical-rules C6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from cds_service.domain.answers import Answer, Assurance, Verdict
from cds_service.domain.days import NO_TIME
from cds_service.domain.facts import PatientFacts
from cds_service.domain.product_code import in_table_spelling
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
AnswersOf = Callable[[str, Mapping[str, Any]], tuple[Answer, ...]]
YOUNG = {"born": "2026-02-16", "conditions": ["ICD10CM G12.0"]}
NO_DAY: dict[str, Any] = {"draft": {"planned": "none"}, "steroids": []}


@pytest.fixture
def answers_of(catalogue: Catalogue, facts_of: FactsOf) -> AnswersOf:
    """What one rule says about a child."""

    def answers(rule: str, given: Mapping[str, Any]) -> tuple[Answer, ...]:
        return catalogue.rules.rules[rule](facts_of(given), catalogue.known)

    return answers


def grades(answers: tuple[Answer, ...]) -> set[str]:
    return {answer.grade for answer in answers}


def is_verified(answers: tuple[Answer, ...]) -> bool:
    return any(answer.assurance is Assurance.VERIFIED for answer in answers)


# --- neonatal jaundice (ruling 32)


@pytest.mark.hazard("H53")
@pytest.mark.parametrize(
    ("direct", "grade"),
    [
        ({"value": "1 mg/dL"}, "neonatal-jaundice-possible"),
        ({"value": "1 mg/dL", "when": "none"}, "neonatal-jaundice-possible"),
        ({"value": "5 mg/dL", "when": "none"}, "conjugated"),
        ({"value": "5 mg/dL"}, "conjugated"),
        ({"value": "5 mg/dL", "days_ago": 9}, "conjugated"),
        ({"value": "5 mg/dL", "days_ago": 10}, "neonatal-jaundice-possible"),
        ({"value": "1 furlong"}, "above"),
    ],
)
def test_the_exception_for_jaundice_of_the_newborn_depends_on_the_conjugated_share(
    answers_of: AnswersOf, direct: Any, grade: str
) -> None:
    given = {**YOUNG, "labs": {"total_bilirubin": "9 mg/dL", "direct_bilirubin": direct}}
    about = [a for a in answers_of("liver-baseline-above-2uln", given) if a.shown.get("analyte") == "total_bilirubin"]
    assert grades(tuple(about)) == {grade}


# --- corticosteroid


def test_without_a_day_and_without_the_list_of_orders_nobody_knows_whether_a_steroid_is_ordered(
    answers_of: AnswersOf,
) -> None:
    (known,) = answers_of("steroid-order-missing", NO_DAY)
    (unknown,) = answers_of("steroid-order-missing", {**NO_DAY, "lists": {"medicationRequests": "failed"}})
    assert (known.grade, unknown.verdict) == ("missing", Verdict.UNKNOWN)


@pytest.mark.parametrize(("hour", "grade"), [("none", ""), ("23:30", "short-interval")])
def test_the_hours_before_the_infusion_need_the_hour_of_the_dose(answers_of: AnswersOf, hour: str, grade: str) -> None:
    given = {"moment": "visit", "steroid_doses": [{"days_ago": 1, "at": hour}]}
    found = answers_of("steroid-start-late", given)
    assert (grades(found), is_verified(found)) == ({grade}, True)


def test_a_course_of_which_some_days_cannot_be_computed_verifies_no_dose(answers_of: AnswersOf) -> None:
    course = [{"end": "2026-03-10"}, {"start": "2026-03-11", "dose": "none"}]
    assert is_verified(answers_of("steroid-dose-low", {}))
    assert not is_verified(answers_of("steroid-dose-low", {"steroids": course}))


# --- live vaccines at a high dose (label 7)

HIGH: dict[str, Any] = {"weight": "12 kg", "draft_vaccines": [{"cvx": "03"}]}


@pytest.mark.hazard("H37")
@pytest.mark.parametrize(
    ("start", "refused", "grade"),
    [
        ("2026-02-15", [], {"label-vaccine"}),
        ("2025-11-01", [], {"label-vaccine"}),
        ("2026-02-25", [], {""}),
        ("2026-02-01", [3], {"label-vaccine"}),
        ("2026-02-01", [3, 4], {"stopped-recently"}),
    ],
)
def test_the_high_dose_days_are_one_run_that_one_missed_day_does_not_end(
    answers_of: AnswersOf, start: str, refused: list[int], grade: set[str]
) -> None:
    order = {"dose": "24 mg", "start": start, "end": "2026-04-30"}
    doses = [{"days_ago": days, "status": "not-done"} for days in refused]
    found = answers_of("live-vaccine-high-dose-steroid", {**HIGH, "steroids": [order], "steroid_doses": doses})
    assert grades(found) == grade


# --- an infection after the infusion


@pytest.mark.parametrize("labs", ["none", {"alt": {"when": "none"}, "ast": "none", "platelets": "none"}])
def test_an_infection_after_the_infusion_is_told_also_where_nothing_was_measured(
    answers_of: AnswersOf, labs: Any
) -> None:
    infection = {"code": "ICD10CM J06.9", "onset_days_ago": 2}
    given = {"draft": "none", "given_doses": [{"days_ago": 20}], "conditions": [infection], "labs": labs}
    (found,) = answers_of("infection-after-infusion", {"moment": "visit", **given})
    assert (found.grade, [item.reference for item in found.evidence]) == ("infection", ["Condition/c1"])


# --- times and codes


def test_a_time_that_names_no_day_lies_within_no_span(facts_of: FactsOf) -> None:
    assert not facts_of({}).is_within(NO_TIME, timedelta(days=1000))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("71894-121-03", "71894-121-03"),
        ("71894-0121-03", "71894-121-03"),
        ("7189412103", "71894-121-03"),
        ("71894012103", "71894-121-03"),
        (" 71894-121-03 ", "71894-121-03"),
        ("71894-121", "71894-121"),
        ("kit for 3.2 kg", "kit for 3.2 kg"),
    ],
)
def test_a_package_code_is_read_in_the_spelling_of_table_3_or_left_as_written(written: str, expected: str) -> None:
    assert in_table_spelling(written) == expected
