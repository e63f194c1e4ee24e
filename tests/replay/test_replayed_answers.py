"""What two answers are compared by, and how a difference is said."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from cds_service.replay.answers import Told, differences, told_in

VOLUME = Told("dose", "dose-volume", "critical", (("expectedVolumeMl", "16.5"),))
ALT = Told("readiness", "baseline-readiness", "info", (("check", "alt"), ("state", "verified")))
AST = Told("readiness", "baseline-readiness", "info", (("check", "ast"), ("state", "verified")))


def compared(expected: list[Told], got: list[Told]) -> list[str]:
    return differences(Counter(expected), Counter(got))


def card(topic: str, findings: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "source": {"topic": {"code": topic}},
        "indicator": "info",
        "extension": {"onasemnogene-cds.findings": findings},
    }


def test_equal_answers_do_not_differ_in_whatever_order() -> None:
    assert compared([VOLUME, ALT], [ALT, VOLUME]) == []


def test_a_missing_finding_is_named() -> None:
    assert compared([VOLUME], []) == ["dose-volume (critical) is expected and did not come"]


def test_a_finding_too_many_is_named() -> None:
    assert compared([ALT], [ALT, VOLUME]) == ["dose-volume (critical) came and is not expected"]


def test_the_same_finding_twice_is_one_too_many() -> None:
    assert compared([VOLUME], [VOLUME, VOLUME]) == ["dose-volume (critical) came and is not expected"]


def test_another_number_is_said_with_both() -> None:
    other = Told("dose", "dose-volume", "critical", (("expectedVolumeMl", "14.3"),))
    assert compared([VOLUME], [other]) == ["dose-volume: expectedVolumeMl 16.5 expected, got 14.3"]


def test_another_level_and_another_card_are_said() -> None:
    other = Told("record", "dose-volume", "warning", VOLUME.values)
    assert compared([VOLUME], [other]) == [
        "dose-volume: topic dose expected, got record, indicator critical expected, got warning"
    ]


def test_a_value_that_is_missing_or_new_is_said() -> None:
    other = Told("dose", "dose-volume", "critical", (("orderedVolumeMl", "14.3"),))
    assert compared([VOLUME], [other]) == [
        "dose-volume: expectedVolumeMl 16.5 expected, got nothing, orderedVolumeMl nothing expected, got 14.3"
    ]


def test_lines_of_the_checklist_are_told_apart_by_their_check() -> None:
    open_ast = Told("readiness", "baseline-readiness", "warning", (("check", "ast"), ("state", "not-checkable")))
    assert compared([ALT, AST], [ALT, open_ast]) == [
        "baseline-readiness ast: indicator info expected, got warning, state verified expected, got not-checkable"
    ]


def test_what_a_service_sends_can_neither_steer_a_terminal_nor_fill_it() -> None:
    other = Told("dose", "dose-volume", "critical", (("expectedVolumeMl", "\x1b[2J\n\u202e" + "9" * 500),))
    [said] = compared([VOLUME], [other])
    assert said.isprintable()
    assert len(said) < 150


def test_a_response_and_its_short_form_say_the_same() -> None:
    finding = {"rule": "dose-volume", "indicator": "critical", "values": {"expectedVolumeMl": "16.5"}}
    long = card("dose", [{**finding, "message": "In words.", "evidence": []}])
    short = {"topic": "dose", "indicator": "critical", "summary": "In words", "findings": [finding]}
    assert list(told_in([long])) == list(told_in([short])) == [VOLUME]


def test_a_card_without_findings_counts_by_its_topic_and_level() -> None:
    assert list(told_in([card("followup", [])])) == [Told("followup", "", "info")]
    assert compared([Told("followup", "", "info")], []) == ["card without findings (info) is expected and did not come"]


@pytest.mark.parametrize("cards", [None, [None], [{}], ["card"], [{"source": {"topic": "dose"}}], [card("dose", [{}])]])
def test_what_are_no_cards_is_noticed(cards: Any) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        Counter(told_in(cards))
