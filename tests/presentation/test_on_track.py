"""Where nothing is wrong with a treated child, one card gives the next dates; otherwise every topic has its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from builders import TODAY

from cds_service.domain.answers import Answer, RequestTest, fires
from cds_service.domain.facts import PatientFacts, Source
from cds_service.domain.outlook import NextTest, Outlook, outlook_of
from cds_service.presentation import Card, Catalogue, group_findings
from cds_service.presentation.catalogue import HOOKS, Grade
from cds_service.presentation.words import words

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TEST = RequestTest("cbc", is_follow_up=True, on=date(2026, 3, 9))
NEXT = NextTest(date(2026, 3, 9), date(2026, 3, 6), date(2026, 3, 12), is_due=False, is_booked=False)
OUTLOOK = Outlook(date(2026, 3, 2), 5, NEXT, NEXT, "course", date(2026, 3, 30), (), ())


@pytest.fixture(scope="module")
def invented(catalogue: Catalogue) -> Catalogue:
    """A catalogue with one rule of each level about the liver and one about platelets."""
    pattern = catalogue.cards["weight-stale"]
    cards = {
        f"{topic}-{urgency}": replace(
            pattern,
            rule_id=f"{topic}-{urgency}",
            topic=topic,
            hooks=frozenset(HOOKS),
            grades={"found": Grade(urgency, "label", {})},
            is_reminder=urgency == "info",
            headline=words(f"{topic} {urgency}"),
            message=words(f"Message of {topic} {urgency}."),
            paragraphs={},
        )
        for topic in ("liver", "platelets")
        for urgency in ("info", "warning")
    }
    return replace(catalogue, cards={**catalogue.cards, **cards})


def said(rule: str, *changes: RequestTest) -> Answer:
    return fires("found", (), changes).of(rule)


def cards_of(catalogue: Catalogue, *answers: Answer, hook: str = "patient-view", outlook: Any = OUTLOOK) -> list[Card]:
    return list(group_findings(answers, hook, TODAY, False, catalogue, outlook).cards)


@pytest.mark.parametrize("hook", ["patient-view", "encounter-start"])
def test_reminders_stand_together_on_one_card_with_the_next_dates(invented: Catalogue, hook: str) -> None:
    (card,) = cards_of(invented, said("liver-info"), said("platelets-info", TEST), hook=hook)
    assert (card.topic, card.urgency) == ("followup", "info")
    assert card.summary == "On track, day 5; next liver tests and platelets 2026-03-09"
    assert "from 2026-03-06 to 2026-03-12" in card.detail
    assert "Message of liver info." in card.detail
    assert [finding.rule_id for finding in card.findings] == ["liver-info", "platelets-info"]
    assert [item.change for item in card.suggestions] == [TEST]


def test_without_any_reminder_the_next_dates_stand_alone(invented: Catalogue) -> None:
    (card,) = cards_of(invented)
    assert card.findings == ()
    assert card.sections == ("2.3",)


def test_one_warning_gives_every_topic_its_own_card_again(invented: Catalogue) -> None:
    cards = cards_of(invented, said("liver-warning"), said("platelets-info"))
    assert [card.topic for card in cards] == ["liver", "platelets"]


@pytest.mark.parametrize("hook", ["order-sign", "encounter-discharge", "appointment-book"])
def test_on_other_hooks_nobody_is_called_on_track(invented: Catalogue, hook: str) -> None:
    assert [card.topic for card in cards_of(invented, said("liver-info"), hook=hook)] == ["liver"]


def test_what_could_not_be_checked_is_said_and_nobody_is_on_track(invented: Catalogue) -> None:
    (card,) = cards_of(invented, outlook=replace(OUTLOOK, not_checked=(Source.DIAGNOSES, "steroid-dose")))
    assert card.summary.startswith("Day 5, not everything could be checked; next liver tests")
    assert "the list conditions, a corticosteroid dose that can be computed" in card.detail


@pytest.mark.parametrize("state", ["none", "interrupted", "unknown"])
def test_a_course_that_broke_off_is_never_on_track(invented: Catalogue, state: str) -> None:
    (card,) = cards_of(invented, outlook=replace(OUTLOOK, course_state=state))
    assert card.summary.startswith("Day 5, look at the corticosteroid; next liver tests")


def test_a_finding_that_is_no_mere_reminder_takes_the_headline(invented: Catalogue) -> None:
    cards = {**invented.cards, "liver-info": replace(invented.cards["liver-info"], is_reminder=False)}
    (card,) = cards_of(replace(invented, cards=cards), said("liver-info"), said("platelets-info"))
    assert card.summary == "Day 5: liver info; next liver tests and platelets 2026-03-09"


def test_an_abnormal_newest_result_is_named_and_never_on_track(invented: Catalogue) -> None:
    (card,) = cards_of(invented, outlook=replace(OUTLOOK, abnormal=("alt", "platelets")))
    assert card.summary.startswith("Day 5, abnormal: ALT, platelets; next liver tests")
    assert "Newest result abnormal: ALT, platelets." in card.detail


def test_different_days_are_named_apart_and_a_series_that_is_over_is_not_named(invented: Catalogue) -> None:
    later = replace(NEXT, target=date(2026, 3, 16), is_due=True)
    (card,) = cards_of(invented, outlook=replace(OUTLOOK, platelets=later))
    assert card.summary == "On track, day 5; next liver tests 2026-03-09; next platelets 2026-03-16"
    assert "due now" in card.detail
    (card,) = cards_of(invented, outlook=replace(OUTLOOK, liver=None, platelets=replace(NEXT, is_booked=True)))
    assert card.summary == "On track, day 5; next platelets 2026-03-09"
    assert "No further liver tests" in card.detail
    assert "ordered or booked" in card.detail


def test_a_child_without_a_calendar_has_no_outlook(facts_of: FactsOf, catalogue: Catalogue) -> None:
    assert outlook_of(facts_of({"moment": "chart", "open_orders": [{}]}), (), catalogue.known) is None
    assert outlook_of(facts_of({"moment": "chart", "given_doses": [{"when": "none"}]}), (), catalogue.known) is None


def test_results_that_are_abnormal_are_told_by_the_outlook(facts_of: FactsOf, catalogue: Catalogue) -> None:
    given = {
        "moment": "chart",
        "infused": "2026-02-20",
        "panels": [{"on": "2026-02-27", "alt": "80 U/L"}],
        "counts": [{"on": "2026-02-27", "platelets": {"value": "149 10*3/uL", "status": "preliminary"}}],
    }
    outlook = outlook_of(facts_of(given), (), catalogue.known)
    assert outlook is not None
    assert outlook.abnormal == ("alt", "platelets")


def test_the_outlook_of_a_treated_child_names_its_day_and_its_next_tests(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    outlook = outlook_of(facts_of({"moment": "chart", "infused": "2026-02-20"}), (), catalogue.known)
    assert outlook is not None
    assert (outlook.day_number, outlook.course_state) == (10, "course")
    assert outlook.liver is not None
    assert outlook.liver.target == date(2026, 3, 6)
