"""Findings become cards: one per topic, most urgent first, at most six, and no finding is dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from builders import TODAY

from cds_service.domain.answers import Answer, RequestTest, fires
from cds_service.domain.facts import PatientFacts
from cds_service.domain.registry import Answers, answer_all
from cds_service.presentation import Card, Catalogue, group_findings
from cds_service.presentation.catalogue import HOOKS, TOPICS, Grade
from cds_service.presentation.words import words

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
OTHER_TOPICS = TOPICS[1:]


def situation(topic: str, urgency: str, number: int = 1) -> str:
    return f"{topic}-{urgency}-{number}"


@pytest.fixture(scope="module")
def invented(catalogue: Catalogue) -> Catalogue:
    """A catalogue with three invented rules for every topic and every level."""
    pattern = catalogue.cards["weight-stale"]
    cards = {
        situation(topic, urgency, number): replace(
            pattern,
            rule_id=situation(topic, urgency, number),
            topic=topic,
            hooks=frozenset(HOOKS),
            grades={"found": Grade(urgency, "label", {})},
            is_never_milder=True,
            headline=words(f"{topic} {urgency} {number}{{{{ more | default('') }}}}"),
            message=words(f"Message of {topic} {urgency} {number}."),
            paragraphs={},
        )
        for topic in TOPICS
        for urgency in ("info", "warning", "critical")
        for number in (1, 2, 3)
    }
    return replace(catalogue, cards={**catalogue.cards, **cards})


@pytest.fixture(scope="module")
def checklist(facts_of: FactsOf, catalogue: Catalogue) -> Answers:
    """The checklist of an unremarkable child, whose worst line is a warning."""
    answers = answer_all(facts_of({}), catalogue.known, catalogue.rules)
    return tuple(answer for answer in answers if answer.rule_id == "baseline-readiness")


def found(topic: str, urgency: str = "warning", number: int = 1, **shown: Any) -> Answer:
    changes = shown.pop("changes", ())
    return fires("found", (), changes, **shown).of(situation(topic, urgency, number))


def cards(invented: Catalogue, *answers: Answer, hook: str = "order-sign") -> tuple[Card, ...]:
    return group_findings(answers, hook, TODAY, False, invented).cards


def topics(made: tuple[Card, ...]) -> list[str]:
    return [card.topic for card in made]


def rules_on(made: tuple[Card, ...]) -> Counter[str]:
    return Counter(finding.rule_id for card in made for finding in card.findings)


def test_nothing_found_makes_no_card(invented: Catalogue) -> None:
    assert cards(invented) == ()


def test_a_topic_has_one_card_however_much_is_found(invented: Catalogue) -> None:
    made = cards(invented, found("dose"), found("dose", number=2), found("dose", "critical", 3))
    assert topics(made) == ["dose"]
    assert made[0].urgency == "critical"
    assert [finding.rule_id for finding in made[0].findings] == ["dose-critical-3", "dose-warning-1", "dose-warning-2"]


def test_the_headline_is_that_of_the_worst_finding_and_counts_the_others(invented: Catalogue) -> None:
    made = cards(invented, found("dose"), found("dose", "critical"), found("dose", "critical", 2))
    assert made[0].summary == "dose critical 1 (+2 more)"


def test_the_most_urgent_card_comes_first_and_ties_go_in_the_order_of_topics(invented: Catalogue) -> None:
    made = cards(invented, found("liver"), found("dose"), found("heart", "critical"), found("record"))
    assert topics(made) == ["heart", "record", "dose", "liver"]


def test_six_topics_have_six_cards_of_their_own(invented: Catalogue) -> None:
    made = cards(invented, *(found(topic) for topic in OTHER_TOPICS[:6]))
    assert topics(made) == list(OTHER_TOPICS[:6])
    assert all(len(card.findings) == 1 for card in made)


@pytest.mark.hazard("H38")
@pytest.mark.parametrize("count", [7, 8, 12])
def test_more_than_six_topics_share_the_sixth_card_and_it_says_how_many_more(invented: Catalogue, count: int) -> None:
    answers = [found(topic) for topic in OTHER_TOPICS[:count]]
    made = cards(invented, *answers)
    assert topics(made) == list(OTHER_TOPICS[:6])
    assert [len(card.findings) for card in made] == [1, 1, 1, 1, 1, count - 5]
    assert f"{count - 6} more" in made[5].summary
    assert rules_on(made) == Counter(answer.rule_id for answer in answers)


def test_the_merged_card_is_named_after_its_worst_finding(invented: Catalogue) -> None:
    answers = [found(topic, "critical") for topic in OTHER_TOPICS[:5]]
    answers += [found("liver", "info"), found("heart"), found("followup", "info")]
    merged = cards(invented, *answers, hook="encounter-start")[-1]
    assert (merged.topic, merged.urgency) == ("heart", "warning")
    assert [finding.topic for finding in merged.findings] == ["heart", "liver", "followup"]
    assert merged.summary == "heart warning 1 (+2 more topics)"


def test_the_merged_card_names_every_section_and_every_message(invented: Catalogue) -> None:
    merged = cards(invented, *(found(topic) for topic in OTHER_TOPICS))[-1]
    for finding in merged.findings:
        assert finding.message in merged.detail


@pytest.mark.parametrize("urgency", ["warning", "critical"])
def test_the_checklist_keeps_its_card_whatever_else_is_found(
    invented: Catalogue, checklist: Answers, urgency: str
) -> None:
    answers = [*checklist, *(found(topic, urgency) for topic in OTHER_TOPICS)]
    made = cards(invented, *answers)
    assert len(made) == 6
    own = next(card for card in made if card.topic == "readiness")
    assert Counter(finding.rule_id for finding in own.findings) == {"baseline-readiness": len(checklist)}
    assert rules_on(made) == Counter(answer.rule_id for answer in answers)
    merged = next(card for card in made if len({finding.topic for finding in card.findings}) > 1)
    assert len({finding.topic for finding in merged.findings}) == len(OTHER_TOPICS) - 4
    assert f"{len(OTHER_TOPICS) - 5} more" in merged.summary


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_reminders_go_onto_the_checklist_card_while_ordering(
    invented: Catalogue, checklist: Answers, hook: str
) -> None:
    made = cards(invented, *checklist, found("dose", "info"), found("liver", "info"), hook=hook)
    assert topics(made) == ["readiness"]
    assert {"dose-info-1", "liver-info-1"} <= set(rules_on(made))
    assert "Message of dose info 1." in made[0].detail


def test_reminders_keep_their_topic_on_the_day_of_the_infusion(invented: Catalogue, checklist: Answers) -> None:
    assert "dose" in topics(cards(invented, *checklist, found("dose", "info"), hook="encounter-start"))


def test_reminders_keep_their_topic_where_there_is_no_checklist(invented: Catalogue) -> None:
    assert topics(cards(invented, found("dose", "info"))) == ["dose"]


def test_a_rule_that_does_not_belong_to_a_hook_stays_silent_there(invented: Catalogue) -> None:
    name = situation("dose", "warning")
    elsewhere = replace(
        invented, cards={**invented.cards, name: replace(invented.cards[name], hooks=frozenset({"patient-view"}))}
    )
    assert cards(elsewhere, found("dose")) == ()


def test_a_change_stands_on_the_most_urgent_card_only(invented: Catalogue) -> None:
    weigh = (RequestTest("weigh"),)
    made = cards(
        invented,
        found("dose", changes=weigh),
        found("record", changes=weigh),
        found("liver", "critical", changes=weigh),
    )
    assert [(card.topic, len(card.suggestions)) for card in made] == [("liver", 1), ("record", 0), ("dose", 0)]


def test_how_many_more_is_said_under_the_longest_headline_too(invented: Catalogue) -> None:
    long = " of a name that somebody has typed" * 9
    made = cards(invented, found("dose", more=long), found("dose", number=2))
    assert len(made[0].summary) < 140
    assert "+1 more" in made[0].summary


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("seed", range(5))
def test_no_finding_is_ever_dropped(invented: Catalogue, checklist: Answers, hook: str, seed: int) -> None:
    levels = ("info", "warning", "critical")
    answers = [
        found(topic, levels[(seed + index * (1 + seed)) % 3], 1 + (index + seed) % 3)
        for index, topic in enumerate(TOPICS)
        if (index + seed) % 5
    ]
    on_checklist = checklist if hook in invented.cards["baseline-readiness"].hooks else ()
    made = cards(invented, *on_checklist, *answers, hook=hook)
    assert len(made) <= 6
    assert rules_on(made) == Counter(answer.rule_id for answer in (*on_checklist, *answers))
    ranks = [levels.index(card.urgency) for card in made]
    assert ranks == sorted(ranks, reverse=True)
    for card in made:
        assert card.urgency == max((finding.urgency for finding in card.findings), key=levels.index)
