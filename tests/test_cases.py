"""Every case of cards/*/cases.yaml, and that the cases are complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders import hook_of, today_of
from example_patients import cases_by_name, is_answered, known_of, named_once
from whole_answers import answers_to, kept, told_of

from cds_service.domain.facts import PatientFacts
from cds_service.domain.registry import answer_all
from cds_service.presentation import Catalogue
from cds_service.presentation.render import Finding, finding_for


def _cases() -> list[Any]:
    return [pytest.param(case, id=name) for name, case in cases_by_name()]


WHOLE_ANSWERS = kept()


@pytest.mark.parametrize("case", _cases())
def test_the_rule_answers_as_the_case_says(
    case: dict[str, Any], facts_of: Callable[[Any], PatientFacts], catalogue: Catalogue
) -> None:
    answers = answer_all(facts_of(case.get("given") or {}), known_of(case, catalogue.known), catalogue.rules)
    about = [answer for answer in answers if answer.rule_id == case["rule"]]
    found = [(a.verdict.value, a.grade, a.assurance.value, dict(a.shown)) for a in about]
    assert is_answered(case, about), found


@pytest.mark.parametrize(
    ("name", "case"), [pytest.param(name, case, id=name) for name, case in named_once(cases_by_name())]
)
def test_the_whole_answer_is_the_one_that_is_kept(
    name: str, case: dict[str, Any], facts_of: Callable[[Any], PatientFacts], catalogue: Catalogue
) -> None:
    assert told_of(case, answers_to(case, facts_of, catalogue)) == WHOLE_ANSWERS[name], (
        "if it is meant: python -m tests.whole_answers"
    )


def test_no_answer_is_kept_of_a_case_that_is_gone() -> None:
    assert set(WHOLE_ANSWERS) == {name for name, _ in named_once(cases_by_name())}


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("case", _cases())
def test_what_the_case_makes_a_card_say_has_no_holes(
    case: dict[str, Any], facts_of: Callable[[Any], PatientFacts], catalogue: Catalogue
) -> None:
    given = case.get("given") or {}
    answers = answer_all(facts_of(given), known_of(case, catalogue.known), catalogue.rules)
    for answer in answers:
        if answer.is_finding and answer.rule_id != "baseline-readiness":
            finding = finding_for(answer, hook_of(given), today_of(given), catalogue)
            _is_well_worded(finding)


def _is_well_worded(finding: Finding) -> None:
    assert finding.headline
    assert len(finding.headline) <= 120, finding.headline
    assert finding.message
    text = " ".join(
        [finding.headline, finding.message, *(line for lines in finding.paragraphs.values() for line in lines)]
    )
    for word in (" safe ", "cleared", "contraindicated", "no infection", "None", "  "):
        assert word not in text, (word, text)


def test_every_rule_has_a_case_for_every_way_it_can_answer(catalogue: Catalogue) -> None:
    cases = [case for _, case in cases_by_name()]
    lacking = []
    for rule_id, card in catalogue.cards.items():
        expected = {case["expect"] for case in cases if case["rule"] == rule_id}
        grades = {expect.partition(" ")[2] for expect in expected if expect.startswith(("fires ", "unknown "))}
        lacking += [f"{rule_id}: grade {grade}" for grade in card.grades if grade not in grades]
        verdicts = {expect.partition(" ")[0] for expect in expected}
        if "silent" not in verdicts:
            lacking.append(f"{rule_id}: silent")
        if "unknown" not in verdicts and not card.never_unknown:
            lacking.append(f"{rule_id}: unknown")
    assert not lacking, lacking
