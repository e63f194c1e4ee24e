"""What keeps quiet after an override: the same finding, and only that; and what the cards are without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import islice
from typing import Any

import pytest
from builders import TODAY

from cds_service.content_folders import CARDS
from cds_service.domain.answers import Answer, RequestTest, cannot_check, fires
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import PatientFacts, Source
from cds_service.domain.outlook import Outlook, outlook_of
from cds_service.domain.registry import Answers, answer_all
from cds_service.presentation import (
    Acknowledged,
    Catalogue,
    Finding,
    Grouping,
    evidence_digest,
    fingerprint,
    slot_digest,
)
from cds_service.presentation import group_findings as group
from cds_service.presentation.catalogue import HOOKS, TOPICS, Grade
from cds_service.presentation.fingerprint import (
    COMING_NEXT,
    COUNTED_FROM_TODAY,
    COUNTED_FROM_TODAY_IN,
    COUNTED_TO_A_DAY,
    DAY_LOOKED_AT,
    fingerprint_of,
)
from cds_service.presentation.render import finding_for
from cds_service.presentation.words import words
from cds_service.presentation.yaml_files import load_yaml

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
KEY = b"synthetic key"
TOMORROW = TODAY + timedelta(days=1)
WEIGHT = Evidence("Observation/w1", "weight", "3.2 kg", "2026-02-20")


# Each count, and by how much a day makes it greater.
COUNTS = [*((name, 1) for name in sorted(COUNTED_FROM_TODAY)), *((name, -1) for name in sorted(COUNTED_TO_A_DAY))]


def an_answer(grade: str = "stale", evidence: tuple[Evidence, ...] = (WEIGHT,), **shown: Any) -> Answer:
    return fires(grade, evidence, **{"weight_kg": "3.2", "allowed_days": 7, **shown}).of("weight-stale")


def print_of(answer: Answer, urgency: str = "warning", revision: str = "2/2025", on: date = TODAY) -> str:
    return fingerprint_of(answer, urgency, revision, on)


# --- when a finding is the same


def test_the_same_answer_is_the_same_finding() -> None:
    assert print_of(an_answer()) == print_of(an_answer())


@pytest.mark.parametrize(("name", "step"), COUNTS)
def test_days_that_go_by_make_no_other_finding(name: str, step: int) -> None:
    assert print_of(an_answer(**{name: 3})) == print_of(an_answer(**{name: 3 + step}), on=TOMORROW)


@pytest.mark.parametrize(("name", "step"), COUNTS)
def test_the_day_that_is_counted_from_makes_another_finding(name: str, step: int) -> None:
    assert print_of(an_answer(**{name: 3})) != print_of(an_answer(**{name: 3 + step}))
    assert print_of(an_answer(**{name: 3})) != print_of(an_answer(**{name: 3}), on=TOMORROW)


@pytest.mark.parametrize("rule", sorted(COUNTED_FROM_TODAY_IN))
def test_an_age_of_today_goes_by_and_one_on_another_day_does_not(rule: str) -> None:
    today, tomorrow = an_answer(age_days=20), an_answer(age_days=21)
    assert print_of(today.of(rule)) == print_of(tomorrow.of(rule), on=TOMORROW)
    assert print_of(today.of(rule)) != print_of(tomorrow.of(rule))
    planned = today.of("gestational-age-missing")
    assert print_of(planned) == print_of(planned, on=TOMORROW)
    assert print_of(planned) != print_of(tomorrow.of("gestational-age-missing"), on=TOMORROW)


@pytest.mark.parametrize("rule", sorted(DAY_LOOKED_AT))
def test_the_day_that_is_looked_at_may_be_today_for_days_and_no_other(rule: str) -> None:
    found = {on: an_answer(on_date=on).of(rule) for on in (TODAY, TOMORROW)}
    assert print_of(found[TODAY]) == print_of(found[TOMORROW], on=TOMORROW)
    assert print_of(found[TODAY]) != print_of(found[TOMORROW])
    assert print_of(found[TOMORROW]) != print_of(found[TOMORROW], on=TOMORROW)


@pytest.mark.parametrize(("rule", "name"), sorted((rule, name) for rule in COMING_NEXT for name in COMING_NEXT[rule]))
def test_what_comes_next_in_the_calendar_makes_no_other_finding(rule: str, name: str) -> None:
    assert print_of(an_answer(**{name: TODAY}).of(rule)) == print_of(an_answer(**{name: TOMORROW}).of(rule))
    assert print_of(an_answer(**{name: TODAY}).of(rule)) != print_of(an_answer(**{name: ""}).of(rule))
    assert print_of(an_answer(**{name: TODAY})) != print_of(an_answer(**{name: TOMORROW}))


@pytest.mark.parametrize("name", sorted(COUNTED_FROM_TODAY | COUNTED_TO_A_DAY))
def test_a_count_that_begins_makes_another_finding(name: str) -> None:
    assert print_of(an_answer(**{name: ""})) != print_of(an_answer(**{name: 1}))


@pytest.mark.parametrize(
    "other",
    [
        an_answer(grade="stale-on-infusion-day"),
        an_answer(weight_kg="3.3"),
        an_answer(is_doubtful=True),
        an_answer(evidence=(replace(WEIGHT, value="3.3 kg"),)),
        an_answer(evidence=(replace(WEIGHT, day="2026-02-21"),)),
        an_answer(evidence=(replace(WEIGHT, status="amended"),)),
        an_answer(evidence=(replace(WEIGHT, reference="Observation/w2"),)),
        an_answer(evidence=(WEIGHT, replace(WEIGHT, reference="Observation/w2"))),
        an_answer(evidence=()),
        an_answer().about("draft-2"),
        an_answer().of("weight-missing"),
        replace(an_answer(), missing=("result-interpretable",)),
    ],
    ids=["grade", "value", "flag", "evidence value", "evidence day", "evidence status", "evidence", "more evidence",
         "no evidence", "order", "rule", "reason"],
)  # fmt: skip
def test_anything_else_makes_another_finding(other: Answer) -> None:
    assert print_of(an_answer()) != print_of(other)


def test_another_level_or_another_label_makes_another_finding() -> None:
    assert len({print_of(an_answer()), print_of(an_answer(), "info"), print_of(an_answer(), revision="3/2027")}) == 3


def test_another_release_of_the_rules_makes_another_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    before = print_of(an_answer())
    monkeypatch.setattr(fingerprint, "__version__", "9.9.9")
    assert print_of(an_answer()) != before


def test_evidence_beyond_what_a_card_shows_counts_too() -> None:
    many = tuple(replace(WEIGHT, reference=f"Observation/w{number}") for number in range(60))
    changed = (*many[:-1], replace(many[-1], value="9.9 kg"))
    assert print_of(an_answer(evidence=many)) != print_of(an_answer(evidence=changed))


@pytest.mark.parametrize(
    "answer",
    [an_answer().without([Source.MEASUREMENTS]), cannot_check("stale", Source.ORDERS).of("weight-stale")],
    ids=["about the record", "unknown"],
)
def test_without_a_list_of_the_record_nobody_can_say_that_a_finding_is_the_same(answer: Answer) -> None:
    assert print_of(answer) == ""


@cache
def every_case() -> list[dict[str, Any]]:
    return [case for path in sorted(CARDS.glob("*/cases.yaml")) for case in load_yaml(path)]


def cases_of(rule: str) -> list[dict[str, Any]]:
    """Some cases in which the rule fires."""
    return list(islice((c for c in every_case() if c["rule"] == rule and c["expect"].startswith("fires")), 4))


@pytest.mark.parametrize(
    "rule",
    ["weight-stale", "age-limit-approaching", "liver-baseline-stale", "cardiac-evaluation-consider", "liver-worsening",
     "liver-monitor-due", "liver-monitor-overdue", "platelet-monitor-overdue", "liver-rise-on-taper"],
)  # fmt: skip
def test_what_counts_from_today_is_a_whole_number_of_days(rule: str, facts_of: FactsOf, catalogue: Catalogue) -> None:
    for case in cases_of(rule):
        for answer in answer_all(facts_of(case.get("given") or {}), catalogue.known, catalogue.rules):
            names = COUNTED_FROM_TODAY | COUNTED_TO_A_DAY | COUNTED_FROM_TODAY_IN.get(answer.rule_id, frozenset())
            counts = [answer.shown[name] for name in names & set(answer.shown)]
            assert all(value == "" or isinstance(value, int) for value in counts), (case["name"], answer.rule_id)


FOLLOWING_TODAY = {**COMING_NEXT, **{rule: frozenset({name}) for rule, name in DAY_LOOKED_AT.items()}}


@pytest.mark.parametrize("rule", sorted(FOLLOWING_TODAY))
def test_what_follows_today_is_a_day_that_the_rule_shows(rule: str, facts_of: FactsOf, catalogue: Catalogue) -> None:
    seen: set[str] = set()
    for case in cases_of(rule):
        answers = answer_all(facts_of(case.get("given") or {}), catalogue.known, catalogue.rules)
        shown = [
            (name, answer.shown.get(name, ""))
            for answer in answers
            if answer.rule_id == rule
            for name in FOLLOWING_TODAY[rule]
        ]
        assert all(isinstance(value, (date, str)) for _, value in shown)
        seen |= {name for name, value in shown if value != ""}
    assert "next_date" in seen or "on_date" in seen


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"weights": [{"weight": "3.2 kg", "days_ago": 9}]}, "weight-stale"),
        ({"moment": "chart", "infused": "2026-02-20"}, "liver-monitor-overdue"),
        ({"moment": "chart", "infused": "2026-02-20"}, "platelet-monitor-overdue"),
        ({"moment": "chart", "infused": "2026-02-16", "labs": {"alt": {"value": "90"}}}, "liver-worsening"),
        ({"labs": {"creatinine": {"days_ago": 20}}}, "creatinine-baseline-missing"),
        ({"steroids": [{"dose": "1 mg"}], "moment": "chart", "infused": "2026-02-20"}, "steroid-dose-low"),
    ],
)
def test_a_finding_of_today_is_the_same_tomorrow(
    given: dict[str, Any], rule: str, facts_of: FactsOf, catalogue: Catalogue
) -> None:
    today, tomorrow = (prints_on(day, given, rule, facts_of, catalogue) for day in (date(2026, 3, 2), date(2026, 3, 3)))
    assert today
    assert today == tomorrow


def overlapping(since: str) -> dict[str, Any]:
    """Two orders for a corticosteroid; the second begins on this day, while the first still runs."""
    return {"steroids": [{"end": "2026-03-15"}, {"start": since, "end": "2026-03-31"}]}


TAPER: dict[str, Any] = {
    "today": "2026-03-24",
    "moment": "chart",
    "steroids": [{"start": "2026-02-01", "end": "none"}],
    "panels": [{"on": "2026-03-02", "alt": "120 U/L"}, {"on": "2026-03-23", "alt": "60 U/L"}],
}


@pytest.mark.parametrize(
    ("rule", "one", "other", "day"),
    [
        ("steroid-dose-high", overlapping("2026-03-15"), overlapping("2026-03-13"), TODAY),
        (
            "gestational-age-missing",
            *({"gestational_age": None, "draft": {"planned": day}} for day in ("2026-03-03", "2026-03-20")),
            TODAY,
        ),
        (
            "steroid-taper-eligible",
            *({**TAPER, "infused": day} for day in ("2026-02-02", "2026-01-31")),
            date(2026, 3, 24),
        ),
    ],
)
def test_on_one_day_another_record_makes_another_finding_although_only_a_count_differs(
    rule: str, one: dict[str, Any], other: dict[str, Any], day: date, facts_of: FactsOf, catalogue: Catalogue
) -> None:
    before, after = (prints_on(day, given, rule, facts_of, catalogue) for given in (one, other))
    assert len(before) == len(after) == 1
    assert before != after


def prints_on(day: date, given: dict[str, Any], rule: str, facts_of: FactsOf, catalogue: Catalogue) -> list[str]:
    """What the rule fires with on this day, the record being the same."""
    facts = facts_of(given)
    moved = replace(facts, today=day, now=facts.now + (day - facts.today))
    answers = answer_all(moved, catalogue.known, catalogue.rules)
    return [print_of(answer, on=day) for answer in answers if answer.rule_id == rule and answer.is_finding]


# --- what is not shown then


@pytest.fixture(scope="module")
def invented(catalogue: Catalogue) -> Catalogue:
    """A catalogue with an invented rule for every topic and every level."""
    pattern = catalogue.cards["weight-stale"]
    cards = {
        f"{topic}-{urgency}": replace(
            pattern,
            rule_id=f"{topic}-{urgency}",
            topic=topic,
            hooks=frozenset(HOOKS),
            grades={"found": Grade(urgency, "label", {})},
            is_never_milder=True,
            headline=words(f"{topic} {urgency}"),
            message=words(f"Message of {topic} {urgency}."),
            paragraphs={},
        )
        for topic in TOPICS
        for urgency in ("info", "warning", "critical")
    }
    return replace(catalogue, cards={**catalogue.cards, **cards})


@pytest.fixture(scope="module")
def checklist(facts_of: FactsOf, catalogue: Catalogue) -> Answers:
    answers = answer_all(facts_of({}), catalogue.known, catalogue.rules)
    return tuple(answer for answer in answers if answer.rule_id == "baseline-readiness")


def found(topic: str, urgency: str = "warning", *changes: RequestTest) -> Answer:
    return fires("found", (), changes).of(f"{topic}-{urgency}")


def acknowledging(catalogue: Catalogue, *answers: Answer, hook: str = "patient-view") -> Acknowledged:
    """As if everything were known that was said on this hook."""
    findings = [finding_for(answer, hook, TODAY, catalogue) for answer in answers]
    return Acknowledged(KEY, frozenset(evidence_digest(finding, KEY) for finding in findings))


def grouped(
    catalogue: Catalogue,
    said: tuple[Answer, ...],
    quiet: tuple[Answer, ...],
    hook: str = "patient-view",
    outlook: Any = None,
) -> Grouping:
    return group(said, hook, TODAY, False, catalogue, outlook, acknowledging(catalogue, *quiet, hook=hook))


def rules_of(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.rule_id for finding in findings]


@pytest.mark.parametrize("urgency", ["info", "warning"])
def test_an_answered_finding_has_no_card_and_is_told_apart(invented: Catalogue, urgency: str) -> None:
    said = (found("liver", urgency),)
    made = grouped(invented, said, said)
    assert made.cards == ()
    assert rules_of(made.kept_quiet) == [f"liver-{urgency}"]


def test_a_critical_finding_is_always_shown(invented: Catalogue) -> None:
    said = (found("liver", "critical"),)
    made = grouped(invented, said, said)
    assert [card.topic for card in made.cards] == ["liver"]
    assert made.kept_quiet == ()


def test_a_finding_that_became_critical_is_shown(invented: Catalogue) -> None:
    made = grouped(invented, (found("liver", "critical"),), (found("liver", "warning"),))
    assert [card.urgency for card in made.cards] == ["critical"]


def test_a_card_stays_with_what_else_there_is_to_say(invented: Catalogue) -> None:
    made = grouped(invented, (found("liver"), found("liver", "info")), (found("liver"),))
    (card,) = made.cards
    assert (card.urgency, card.summary, rules_of(card.findings)) == ("info", "liver info", ["liver-info"])


def test_an_answered_finding_leaves_its_place_among_the_six_cards_to_another(invented: Catalogue) -> None:
    said = tuple(found(topic) for topic in TOPICS[1:8])
    assert len(grouped(invented, said, ()).cards) == 6
    made = grouped(invented, said, said[:1])
    assert [card.topic for card in made.cards] == list(TOPICS[2:8])
    assert all(len(card.findings) == 1 for card in made.cards)


def test_the_checklist_is_the_same_with_and_without_answers(invented: Catalogue, checklist: Answers) -> None:
    test = RequestTest("creatinine")
    said = (*checklist, found("baseline", "warning", test), found("heart", "info"))
    before = {card.topic: card for card in grouped(invented, said, (), "order-sign").cards}
    made = grouped(invented, said, said[len(checklist) :], "order-sign")
    assert set(before) == {"baseline", "readiness"}
    assert test in [item.change for item in before["readiness"].suggestions]
    assert made.cards == (before["readiness"],)
    assert rules_of(made.kept_quiet) == ["baseline-warning"]


def test_what_stands_on_the_checklist_card_for_information_stays(invented: Catalogue, checklist: Answers) -> None:
    said = (*checklist, found("heart", "info"))
    made = grouped(invented, said, said[-1:], "order-sign")
    assert "heart-info" in rules_of(made.cards[0].findings)
    assert made.kept_quiet == ()


# --- on track


@pytest.fixture(scope="module")
def outlook(facts_of: FactsOf, catalogue: Catalogue) -> Outlook:
    """That of a treated child with whom nothing is wrong."""
    facts = facts_of({"moment": "chart", "infused": "2026-02-27"})
    made = outlook_of(facts, answer_all(facts, catalogue.known, catalogue.rules), catalogue.known)
    assert made is not None
    return made


def test_a_child_with_an_answered_warning_is_not_on_track(invented: Catalogue, outlook: Outlook) -> None:
    said = (found("liver"), found("platelets", "info"))
    made = grouped(invented, said, said[:1], outlook=outlook)
    assert [card.topic for card in made.cards] == ["platelets"]
    assert grouped(invented, said, said, outlook=outlook).cards == ()


def test_the_card_of_a_child_on_track_stays_without_an_answered_reminder(invented: Catalogue, outlook: Outlook) -> None:
    said = (found("liver", "info"), found("platelets", "info"))
    made = grouped(invented, said, said[:1], outlook=outlook)
    (card,) = made.cards
    assert (card.topic, rules_of(card.findings)) == ("followup", ["platelets-info"])
    assert card.summary == "Day 3: platelets info; next liver tests and platelets 2026-03-06"


# --- slots


def of_slot(rule: str, grade: str, slot: str = "W3", due: str = "2026-03-13", **shown: Any) -> Answer:
    return fires(grade, (), slot=slot, due_date=date.fromisoformat(due), **shown).of(rule)


@pytest.fixture(scope="module")
def calendar(catalogue: Catalogue) -> Catalogue:
    """The four rules of the calendar with words that need nothing."""
    plain = {
        rule: replace(card, headline=words("Headline"), message=words("Message."), paragraphs={})
        for rule, card in catalogue.cards.items()
    }
    return replace(catalogue, cards=plain)


def slot_of(answer: Answer, catalogue: Catalogue) -> str:
    return slot_digest(finding_for(answer, "patient-view", TODAY, catalogue), KEY)


def test_a_slot_is_the_same_whether_due_or_overdue(calendar: Catalogue) -> None:
    due = slot_of(of_slot("liver-monitor-due", "due"), calendar)
    overdue = slot_of(of_slot("liver-monitor-overdue", "overdue", days_overdue=4), calendar)
    assert due == overdue != ""


def test_slots_of_another_name_day_or_series_are_others(calendar: Catalogue) -> None:
    slots = {
        slot_of(of_slot("liver-monitor-due", "due"), calendar),
        slot_of(of_slot("liver-monitor-due", "due", slot="W4"), calendar),
        slot_of(of_slot("liver-monitor-due", "due", due="2026-03-14"), calendar),
        slot_of(of_slot("platelet-monitor-due", "due"), calendar),
    }
    assert len(slots) == 4


@pytest.mark.parametrize("grade", ["booking-fits", "booking-misses"])
def test_a_booking_is_no_slot_to_close(calendar: Catalogue, grade: str) -> None:
    assert slot_of(of_slot("liver-monitor-due", grade), calendar) == ""


def test_a_gap_between_tests_is_no_slot(calendar: Catalogue) -> None:
    answer = fires("gap", (), slot="", due_date="", allowed_days=10).of("liver-monitor-overdue")
    assert slot_of(answer, calendar) == ""


def test_a_closed_slot_keeps_its_findings_quiet_whatever_else_changes(calendar: Catalogue) -> None:
    known = Acknowledged(KEY, slots=frozenset({slot_of(of_slot("liver-monitor-due", "due"), calendar)}))
    later = of_slot("liver-monitor-overdue", "overdue", days_overdue=9, last_panel="2026-03-01")
    next_slot = of_slot("liver-monitor-due", "due", slot="W4", due="2026-03-20")
    made = group((later, next_slot), "patient-view", TODAY, False, calendar, None, known)
    assert rules_of(made.kept_quiet) == ["liver-monitor-overdue"]
    assert [rules_of(card.findings) for card in made.cards] == [["liver-monitor-due"]]


def test_a_closed_slot_is_shown_all_the_same_where_it_is_critical(calendar: Catalogue) -> None:
    answer = of_slot("liver-monitor-overdue", "two-weeks-without")
    known = Acknowledged(KEY, slots=frozenset({slot_of(answer, calendar)}))
    assert [card.urgency for card in group((answer,), "patient-view", TODAY, False, calendar, None, known).cards] == [
        "critical"
    ]


def test_a_closed_slot_is_shown_again_where_the_results_cannot_be_seen(calendar: Catalogue) -> None:
    seen = of_slot("liver-monitor-overdue", "overdue")
    unseen = replace(seen, grade="not-visible").without([Source.MEASUREMENTS])
    known = Acknowledged(KEY, slots=frozenset({slot_of(seen, calendar)}))
    made = group((unseen,), "patient-view", TODAY, False, calendar, None, known)
    assert made.kept_quiet == ()


def test_a_slot_whose_results_could_not_be_seen_is_none_to_close(calendar: Catalogue) -> None:
    unseen = of_slot("liver-monitor-overdue", "not-visible").without([Source.MEASUREMENTS])
    assert slot_of(unseen, calendar) == ""


def test_digests_of_two_children_do_not_agree(calendar: Catalogue) -> None:
    finding = finding_for(of_slot("liver-monitor-due", "due"), "patient-view", TODAY, calendar)
    assert evidence_digest(finding, KEY) != evidence_digest(finding, b"another key")
    assert slot_digest(finding, KEY) != slot_digest(finding, b"another key")


def test_a_record_that_could_not_be_read_is_always_told(facts_of: FactsOf, catalogue: Catalogue) -> None:
    given = {"moment": "chart", "infused": "2026-02-20", "lists": {"observations": "absent"}}
    answers = answer_all(facts_of(given), catalogue.known, catalogue.rules)
    said = tuple(answer for answer in answers if answer.is_finding)
    made = group(said, "patient-view", TODAY, False, catalogue, None, acknowledging(catalogue, *said))
    assert "data-unavailable" in [rule for card in made.cards for rule in rules_of(card.findings)]
