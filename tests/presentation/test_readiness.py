"""The readiness card: worst first, one finding a line, and text that can be read without a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cds_service.domain.facts import PatientFacts
from cds_service.domain.relevance import Concern
from cds_service.presentation import Card, Catalogue
from cds_service.presentation.catalogue import URGENCIES
from cds_service.presentation.readiness import STATES
from cds_service.review import review_treatment

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
CardOf = Callable[..., Card]
CHECKLIST = "baseline-readiness"
MIXED: dict[str, Any] = {
    "labs": {"alt": "81 U/L", "creatinine": "none"},
    "lists": {"procedures": "failed"},
    "draft": {"planned": "none"},
}
NARROW = 40


@pytest.fixture(scope="module")
def card_of(facts_of: FactsOf, catalogue: Catalogue) -> CardOf:
    """The readiness card for a child at signing, or on another hook."""

    def card(given: Any = None, hook: str = "order-sign") -> Card:
        cards = review_treatment(facts_of(given or {}), catalogue, hook, Concern.PRODUCT).cards
        (found,) = [card for card in cards if card.topic == "readiness"]
        return found

    return card


def lines(card: Card) -> dict[str, tuple[str, str]]:
    """State and urgency of every line, by check."""
    return {f.values["check"]: (f.values["state"], f.urgency) for f in card.findings if f.rule_id == CHECKLIST}


def test_the_lines_stand_worst_first(card_of: CardOf) -> None:
    found = [(URGENCIES.index(u), STATES.index(s)) for s, u in lines(card_of(MIXED)).values()]
    assert found == sorted(found, key=lambda item: (-item[0], item[1]))
    assert {STATES[state] for _, state in found} == set(STATES)


def test_the_worst_line_decides_how_urgent_the_card_is(card_of: CardOf) -> None:
    assert card_of().urgency == "info"
    assert card_of({"titers": []}).urgency == "critical"
    assert card_of({"weights": [{"weight": "3.2 kg", "days_ago": 9}]}).urgency == "warning"


@pytest.mark.parametrize(
    ("analyte", "check"),
    [
        ("alt", "alt"),
        ("ast", "ast"),
        ("total_bilirubin", "total-bilirubin"),
        ("albumin", "albumin"),
        ("prothrombin_time", "prothrombin-time"),
        ("partial_thromboplastin_time", "partial-thromboplastin-time"),
        ("inr", "inr"),
        ("creatinine", "creatinine"),
        ("hemoglobin", "hemoglobin"),
        ("platelets", "platelets"),
    ],
)
def test_a_missing_test_opens_its_own_line_and_no_other(card_of: CardOf, analyte: str, check: str) -> None:
    before, after = lines(card_of()), lines(card_of({"labs": {analyte: "none"}}))
    assert [name for name in before if before[name] != after[name]] == [check]
    assert before[check] == ("verified", "info")
    assert after[check][0] == "action-needed"


def test_a_line_says_what_was_found_about_its_own_analyte(card_of: CardOf) -> None:
    messages = {
        f.values["check"]: f.message for f in card_of({"labs": {"ast": "90 U/L"}}).findings if "check" in f.values
    }
    assert "AST" in messages["ast"]
    assert messages["ast"] != messages["alt"]
    assert "AST" not in messages["alt"]


@pytest.mark.hazard("H18")
def test_a_preliminary_result_verifies_no_line(card_of: CardOf) -> None:
    assert lines(card_of({"labs": {"alt": {"status": "preliminary"}}}))["alt"][0] == "action-needed"


@pytest.mark.hazard("H39")
def test_what_needs_a_person_is_never_called_verified(card_of: CardOf, catalogue: Catalogue) -> None:
    attested = [line.check for line in catalogue.known.checklist if line.is_attested]
    assert attested
    assert {lines(card_of())[check][0] for check in attested} == {"attest"}


def test_at_signing_every_line_is_listed(card_of: CardOf, catalogue: Catalogue) -> None:
    card = card_of()
    assert all(text.title in card.detail for text in catalogue.checklist.values())


@pytest.mark.parametrize("hook", ["order-select"])
def test_while_choosing_verified_lines_are_counted_and_not_listed(
    card_of: CardOf, catalogue: Catalogue, hook: str
) -> None:
    card = card_of({}, hook)
    verified = [check for check, (state, _) in lines(card).items() if state == "verified"]
    assert verified
    assert not [check for check in verified if f"{catalogue.checklist[check].title}:" in card.detail]
    assert f"{len(verified)} verified" in card.detail


@pytest.mark.parametrize("given", [{}, MIXED, {"labs": "none", "titers": [], "steroids": [], "weights": []}])
def test_the_summary_counts_what_the_lines_say(card_of: CardOf, given: Any) -> None:
    card = card_of(given)
    found = list(lines(card).values())
    to_act_on = sum(
        state == "action-needed" or (state, urgency) == ("not-checkable", "critical") for state, urgency in found
    )
    if to_act_on:
        assert f"act on {to_act_on} check" in card.summary
    else:
        assert f"{sum(state == 'attest' for state, _ in found)} checks to attest" in card.summary


@pytest.mark.parametrize("given", [{}, MIXED, {"labs": "none", "titers": [], "steroids": [], "weights": []}])
@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
def test_the_text_is_read_in_a_narrow_column_as_well(card_of: CardOf, given: Any, hook: str) -> None:
    for line in card_of(given, hook).detail.splitlines():
        assert not line.startswith(("|", " ", "\t", "    ", ">")), line
        assert "|" not in line, line
        words = [word for word in line.split() if not set("/`") & set(word)]  # references and names of policy may break
        assert all(len(word) <= NARROW for word in words), line


@pytest.mark.parametrize("given", [{}, MIXED])
def test_every_line_begins_with_its_state_or_title(card_of: CardOf, catalogue: Catalogue, given: Any) -> None:
    titles = tuple(text.title for text in catalogue.checklist.values())
    for finding in card_of(given).findings:
        if finding.rule_id == CHECKLIST:
            assert finding.headline in titles
            assert finding.message.startswith(finding.headline)


@pytest.mark.hazard("H39")
def test_nothing_reassuring_is_said_beyond_the_single_line(card_of: CardOf) -> None:
    text = card_of().detail.lower()
    for word in (" safe", "cleared", "no infection", "contraindicated", "ready"):
        assert word not in text, word
