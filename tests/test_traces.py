"""docs/hazards.md, label-coverage.md and conformance.md are up to date, and everything they name exists."""

from __future__ import annotations

import re
from typing import Any

import pytest
from traces import (
    ROOT,
    cases,
    every_test,
    hazards,
    hazards_not_held,
    hazards_of_case,
    hazards_of_scenario,
    holders_of,
    label,
    marked,
    requirements,
    scenarios,
    sections_of_rules,
)
from write_traces import PAGES, kind_of

from cds_service.content_folders import CARDS
from cds_service.presentation import Catalogue
from cds_service.presentation.yaml_files import load_yaml

HAZARDS = [f"H{number}" for number in range(1, 57)]
REQUIREMENTS = [f"R-{number:03}" for number in range(1, 212)]
SECTIONS = (
    "1", "2", "2.1", "2.2", "2.3", "3", "4", "5", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "6", "6.1", "6.2", "6.3",
    "7", "8", "8.1", "8.2", "8.4", "8.6", "11", "12", "12.1", "12.2", "12.3", "13", "13.1", "13.2", "14", "16", "16.1",
    "16.2", "17",
)  # fmt: skip
GROUPS = [(section, group) for section, groups in label().items() for group in groups]
GROUP_IDS = [f"{section}: {group['about']}"[:70] for section, group in GROUPS]
KEYS_OF_GROUPS = {"about", "rules", "also", "numbers", "lines", "files", "stands", "tests", "nothing"}
# Paragraphs of these pages that every group of sentences has to account for.
PAGES_OF_WORDS = ("cards/label/gaps.md", "cards/label/not_computable.md")


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_its_sources_make(name: str) -> None:
    written = (ROOT / "docs" / name).read_text("utf-8")
    assert written == PAGES[name](), f"docs/{name} is not up to date; run make traces"


# --- hazards


def test_every_hazard_is_there_and_no_other() -> None:
    assert list(hazards()) == HAZARDS
    assert set(hazards_not_held()) <= set(HAZARDS)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_something_holds_a_hazard_or_the_reason_is_given(hazard: str) -> None:
    if hazard in hazards_not_held():
        assert hazards_not_held()[hazard]
        assert not holders_of(hazard), "it is held; take it off the list"
    else:
        assert holders_of(hazard), f"no test, example patient or call holds {hazard}"


@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_names_what_controls_it(hazard: str, catalogue: Catalogue) -> None:
    entry = hazards()[hazard]
    assert set(entry) <= {"hazard", "rules", "design", "cases", "limits"}
    assert entry["hazard"]
    assert entry.get("rules") or entry.get("design")
    assert set(entry.get("rules", ())) <= set(catalogue.cards)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_each_rule_that_controls_a_hazard_is_seen_to_answer(hazard: str) -> None:
    held = holders_of(hazard)
    answering = {case.rule for case in held.cases}.union(*(scenario.rules for scenario in held.scenarios))
    assert set(hazards()[hazard].get("rules", ())) <= answering


def test_example_patients_that_a_hazard_names_exist_and_say_nothing_of_it_themselves() -> None:
    named = {case.said: hazards_of_case(case) for case in cases()}
    for hazard in HAZARDS:
        for said in hazards()[hazard].get("cases", ()):
            assert said in named, f"{hazard}: no example patient is called {said!r}"
            assert hazard not in named[said], f"{hazard}: {said!r} says so itself"


def test_nobody_names_a_hazard_that_does_not_exist() -> None:
    named = {hazard for case in cases() for hazard in hazards_of_case(case)}
    named |= {hazard for scenario in scenarios() for hazard in hazards_of_scenario(scenario)}
    assert named | set(marked("hazard")) <= set(HAZARDS)


def test_no_hazard_is_named_where_it_would_not_be_found() -> None:
    """A number in the middle of a name is not counted, so none may stand there."""
    for case in cases():
        assert set(re.findall(r"\bH\d+\b", case.name)) == hazards_of_case(case), case.said
    for scenario in scenarios():
        assert set(re.findall(r"\bH\d+\b", scenario.proves)) == hazards_of_scenario(scenario), scenario.name


# --- label


def test_every_section_of_the_label_is_there_and_no_other() -> None:
    assert list(label()) == ["Highlights", "Boxed warning", *SECTIONS]


@pytest.mark.parametrize(("section", "group"), GROUPS, ids=GROUP_IDS)
def test_a_group_of_sentences_stands_somewhere(section: str, group: dict[str, Any], catalogue: Catalogue) -> None:
    assert set(group) <= KEYS_OF_GROUPS
    assert kind_of(group) != "nowhere"
    assert set(group.get("rules", [])) | set(group.get("also", [])) <= set(catalogue.cards)
    assert set(group.get("numbers", [])) <= set(catalogue.known.label)
    assert set(group.get("lines", [])) <= {line.check for line in catalogue.known.checklist}
    assert set(group.get("tests", [])) <= set(every_test())
    assert all((ROOT / path).is_file() for path in group.get("files", []))


@pytest.mark.parametrize(("section", "group"), GROUPS, ids=GROUP_IDS)
def test_words_that_are_said_to_stand_somewhere_stand_there(section: str, group: dict[str, Any]) -> None:
    for place in group.get("stands", []):
        path, _, words = place.partition(": ")
        assert words in one_line((ROOT / path).read_text("utf-8")), place


def test_a_rule_carries_something_of_each_section_that_its_card_names() -> None:
    carried = {(rule, section) for section, group in GROUPS for rule in group.get("rules", [])}
    named = {(rule, section) for rule, sections in sections_of_rules().items() for section in sections}
    assert carried == named


def test_a_rule_that_only_takes_part_does_not_name_the_section_on_its_card() -> None:
    for section, group in GROUPS:
        for rule in group.get("also", []):
            assert section not in sections_of_rules()[rule], (section, rule)


def test_every_number_of_the_label_belongs_to_a_group_of_its_section(catalogue: Catalogue) -> None:
    placed = [(name, section) for section, group in GROUPS for name in group.get("numbers", [])]
    numbers = catalogue.known.label
    assert sorted(placed) == sorted((name, numbers.described(name).section) for name in numbers)


def test_every_line_of_the_checklist_belongs_to_a_group_of_its_section() -> None:
    placed = sorted((name, section) for section, group in GROUPS for name in group.get("lines", []))
    lines = load_yaml(CARDS / "readiness" / "checklist.yaml")
    assert placed == sorted((line["check"], line["section"]) for line in lines)


@pytest.mark.parametrize("page", PAGES_OF_WORDS)
def test_every_entry_about_the_label_is_named_by_a_group(page: str) -> None:
    text = (ROOT / page).read_text("utf-8").partition("\n## ")[2]
    entries = [one_line(entry) for entry in re.split(r"\n(?=- |\n|#)", text) if entry.startswith("- ")]
    assert entries
    words = [place.partition(": ")[2] for _, group in GROUPS for place in group.get("stands", []) if page in place]
    assert [entry[:80] for entry in entries if not any(word in entry for word in words)] == []


# --- requirements


def test_every_requirement_is_there_and_no_other() -> None:
    assert list(requirements()) == REQUIREMENTS
    assert set(marked("spec")) <= set(REQUIREMENTS)


@pytest.mark.parametrize("number", REQUIREMENTS)
def test_a_requirement_has_a_test_or_the_reason_why_not(number: str) -> None:
    level, asked, why = requirements()[number]
    assert level in ("MUST", "MUST*", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "conditional", "client", "advice")
    assert asked
    assert marked("spec").get(number) or why
