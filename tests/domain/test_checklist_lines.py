"""The state of a line of the readiness checklist (clinical-rules C6, group D; ruling 58)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cds_service.domain.answers import Answer, Verdict, cannot_check, fires, noted, silent, to_attest, unknown, verified
from cds_service.domain.facts import PatientFacts, Source
from cds_service.domain.known import ChecklistLine
from cds_service.domain.rules.readiness import baseline_readiness
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
LineOf = Callable[..., Answer]
FIRES, NOTED = fires("stale", analyte="alt"), noted("old", analyte="alt")
UNKNOWN, VERIFIED = unknown("dosing-weight"), verified(analyte="alt")
ATTEST, SILENT = to_attest(), silent()
SAID_UNKNOWN = cannot_check("not-classified", "result-classified")


@pytest.fixture
def line_of(catalogue: Catalogue, facts_of: FactsOf) -> LineOf:
    """The answer for one line behind which stand these answers of one rule."""

    def line(*answers: Answer, given: Any = None, **members: Any) -> Answer:
        entry = ChecklistLine("synthetic", **{"rules": ("a-rule",), "is_attested": False, **members})
        known = replace(catalogue.known, checklist=(entry,))
        (found,) = baseline_readiness(facts_of(given or {}), tuple(a.of("a-rule") for a in answers), known)
        return found

    return line


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([FIRES], "action-needed"),
        ([FIRES, UNKNOWN, VERIFIED], "action-needed"),
        ([UNKNOWN, VERIFIED], "not-checkable"),
        ([SAID_UNKNOWN, VERIFIED], "not-checkable"),
        ([UNKNOWN, ATTEST], "not-checkable"),
        ([ATTEST, VERIFIED], "attest"),
        ([ATTEST, SILENT], "attest"),
        ([VERIFIED], "verified"),
        ([VERIFIED, SILENT], "verified"),
        ([NOTED], "verified"),
        ([NOTED, VERIFIED], "verified"),
        ([NOTED, UNKNOWN], "not-checkable"),
        ([NOTED, FIRES], "action-needed"),
        ([SILENT], "not-checkable"),
        ([], "not-checkable"),
    ],
)
def test_a_line_has_the_worst_state_of_its_answers(line_of: LineOf, answers: list[Answer], state: str) -> None:
    found = line_of(*answers)
    assert (found.verdict, found.grade, found.shown["state"]) == (Verdict.FIRES, state, state)


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([], "attest"),
        ([VERIFIED], "attest"),
        ([SILENT], "attest"),
        ([UNKNOWN], "not-checkable"),
        ([FIRES], "action-needed"),
    ],
)
def test_a_line_that_a_person_attests_is_never_verified(line_of: LineOf, answers: list[Answer], state: str) -> None:
    assert line_of(*answers, is_attested=True).grade == state


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([fires("missing", analyte="ast"), VERIFIED], "verified"),
        ([fires("missing", analyte="alt"), verified(analyte="ast")], "action-needed"),
        ([verified(analyte="ast")], "not-checkable"),
        ([unknown("observations"), VERIFIED], "not-checkable"),
        ([silent(), VERIFIED], "verified"),
    ],
)
def test_a_line_about_one_analyte_hears_only_of_it_and_of_all(
    line_of: LineOf, answers: list[Answer], state: str
) -> None:
    assert line_of(*answers, analyte="alt").grade == state


def test_a_line_without_an_analyte_hears_of_every_one(line_of: LineOf) -> None:
    assert line_of(fires("missing", analyte="ast"), VERIFIED).grade == "action-needed"


def test_nothing_is_verified_on_a_call_with_somebody_elses_data(line_of: LineOf) -> None:
    stray = {"weights": [{"weight": "3.2 kg"}, {"weight": "9 kg", "subject": "other"}]}
    assert line_of(VERIFIED, given=stray).grade == "not-checkable"
    assert line_of(FIRES, given=stray).grade == "action-needed"


def test_a_line_names_what_its_unknown_answers_lacked_each_once(line_of: LineOf) -> None:
    found = line_of(unknown("dosing-weight"), unknown(("dosing-weight", "infusion-date")), VERIFIED)
    assert found.shown["because"] == "dosing-weight, infusion-date"
    assert line_of(VERIFIED).shown["because"] == ""


def test_a_line_without_rules_is_one_this_release_cannot_check(line_of: LineOf) -> None:
    found = line_of(rules=())
    assert (found.grade, found.shown["is_built"]) == ("not-checkable", False)
    assert line_of(rules=(), is_attested=True).shown["is_built"] is True


@pytest.mark.parametrize(
    "given",
    [
        {"draft": "none"},
        {"given_doses": [{"days_ago": 20}]},
        {"moment": "booking", "draft": "none", "slots": [{"for": "vaccination"}]},
    ],
)
def test_without_a_planned_infusion_there_is_no_checklist(catalogue: Catalogue, facts_of: FactsOf, given: Any) -> None:
    assert [answer.verdict for answer in baseline_readiness(facts_of(given), (), catalogue.known)] == [Verdict.SILENT]


@pytest.mark.parametrize("given", [{}, {"moment": "visit"}, {"moment": "booking"}])
def test_with_one_every_line_of_the_checklist_has_an_answer(
    catalogue: Catalogue, facts_of: FactsOf, given: Any
) -> None:
    answers = baseline_readiness(facts_of(given), (), catalogue.known)
    assert [answer.shown["check"] for answer in answers] == [line.check for line in catalogue.known.checklist]


def test_a_line_does_not_name_what_an_answer_lacked_that_is_not_unknown(line_of: LineOf) -> None:
    assert line_of(UNKNOWN, FIRES.without((Source.ORDERS,))).shown["because"] == "dosing-weight"
