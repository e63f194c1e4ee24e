"""How urgent a finding is on each hook: its block's own level, else one step milder while choosing (ruling 3)."""

from __future__ import annotations

import pytest

from cds_service.presentation import Catalogue
from cds_service.presentation.catalogue import HOOKS, URGENCIES
from cds_service.presentation.render import urgency_on

NEVER_MILDER = ("repeat-administration", "duplicate-order", "wrong-product")


def level(catalogue: Catalogue, rule: str, grade: str, hook: str) -> str:
    card = catalogue.cards[rule]
    return urgency_on(hook, card, card.grades[grade])


@pytest.mark.parametrize(
    ("rule", "grade", "hook", "expected"),
    [
        ("dose-volume", "mismatch", "order-select", "warning"),
        ("dose-volume", "mismatch", "appointment-book", "warning"),
        ("dose-volume", "mismatch", "order-sign", "critical"),
        ("dose-volume", "mismatch", "encounter-start", "critical"),
        ("dose-volume", "mismatch", "order-dispatch", "critical"),
        ("weight-missing", "no-usable-weight", "order-select", "warning"),
        ("weight-missing", "no-usable-weight", "order-sign", "critical"),
        ("weight-stale", "stale", "order-select", "info"),
        ("weight-stale", "stale", "order-sign", "warning"),
        ("weight-stale", "stale", "encounter-start", "warning"),
        ("weight-stale", "stale-on-infusion-day", "encounter-start", "critical"),
        ("age-limit", "too-old", "order-select", "warning"),
        ("age-limit", "too-old", "order-sign", "critical"),
        ("gestational-age-missing", "not-recorded", "order-select", "info"),
        ("gestational-age-missing", "not-recorded", "order-sign", "warning"),
        ("smn1-biallelic", "contradicted", "order-sign", "critical"),
        ("smn1-biallelic", "no-result", "order-sign", "warning"),
        ("route-intravenous", "intrathecal", "order-sign", "critical"),
        ("route-intravenous", "not-stated", "order-sign", "warning"),
        ("infusion-duration-rate", "too-fast", "order-sign", "critical"),
        ("infusion-duration-rate", "too-slow", "order-sign", "warning"),
        ("outside-studied-range", "outside", "order-sign", "info"),
        ("multiple-birth-check", "reminder", "order-sign", "info"),
        ("data-unavailable", "essential-list", "order-select", "warning"),
        ("data-unavailable", "essential-list", "order-sign", "critical"),
        ("data-unavailable", "essential-list", "order-dispatch", "critical"),
        ("data-unavailable", "other-list", "order-select", "warning"),
        ("data-unavailable", "other-list", "order-sign", "warning"),
        ("data-wrong-patient", "other-patient", "order-select", "critical"),
        ("repeat-administration", "given", "order-select", "critical"),
        ("duplicate-order", "another-order", "order-select", "critical"),
        ("wrong-product", "intrathecal-route", "order-select", "critical"),
        ("kit-ndc", "other-kit", "order-sign", "critical"),
        ("kit-ndc", "not-in-table", "order-sign", "warning"),
        ("kit-quantity", "shortfall", "order-sign", "critical"),
        ("kit-quantity", "not-one-kit", "order-sign", "warning"),
        ("single-dose-order", "repeats", "order-sign", "critical"),
    ],
)
def test_levels_that_the_rules_ask_for(catalogue: Catalogue, rule: str, grade: str, hook: str, expected: str) -> None:
    assert level(catalogue, rule, grade, hook) == expected


def test_group_a_and_the_rules_about_a_second_dose_are_never_milder(catalogue: Catalogue) -> None:
    names = [rule for rule, card in catalogue.cards.items() if card.topic == "record"]
    for rule in (*names, *NEVER_MILDER):
        assert catalogue.cards[rule].is_never_milder, rule


def test_no_other_rule_claims_to_be_never_milder(catalogue: Catalogue) -> None:
    claiming = {rule for rule, card in catalogue.cards.items() if card.is_never_milder and card.topic != "record"}
    assert claiming == set(NEVER_MILDER)


def test_without_a_level_of_its_own_choosing_is_exactly_one_step_milder(catalogue: Catalogue) -> None:
    for rule, card in catalogue.cards.items():
        for name, grade in card.grades.items():
            for hook in HOOKS:
                if hook in grade.on_hook:
                    expected = grade.on_hook[hook]
                elif hook in ("order-select", "appointment-book") and not card.is_never_milder:
                    expected = {"critical": "warning", "warning": "info", "info": "info"}[grade.urgency]
                else:
                    expected = grade.urgency
                assert level(catalogue, rule, name, hook) == expected, (rule, name, hook)


def test_nothing_is_more_urgent_while_choosing_than_at_signing(catalogue: Catalogue) -> None:
    for rule, card in catalogue.cards.items():
        for name in card.grades:
            choosing, signing = (
                URGENCIES.index(level(catalogue, rule, name, hook)) for hook in ("order-select", "order-sign")
            )
            assert choosing <= signing, (rule, name)
