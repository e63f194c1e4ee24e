"""Reading the example patients: each with its rule, name and expectation, or the start is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.errors import ContentProblem
from cds_service.presentation.catalogue import TOPICS
from cds_service.presentation.load_cases import Case, load_cases

SOUND = "- rule: some-rule\n  name: a child\n  given: {}\n  expect: fires grade\n"


def folder_with(folder: Path, cases: str) -> Path:
    for topic in TOPICS:
        (folder / topic).mkdir()
        (folder / topic / "cases.yaml").write_text(cases if topic == "dose" else "[]\n", encoding="utf-8")
    return folder


def test_cases_are_told_by_rule_in_the_order_of_the_file(tmp_path: Path) -> None:
    second = SOUND.replace("a child", "another").replace("fires grade", "unknown")
    cases = load_cases(folder_with(tmp_path, SOUND + second))
    assert cases == {"some-rule": (Case("a child", "fires grade"), Case("another", "unknown"))}


@pytest.mark.parametrize(
    ("cases", "says"),
    [
        (SOUND.replace("  expect: fires grade\n", ""), "cases.yaml: field expect is missing; add it"),
        (SOUND.replace("expect: fires grade", 'expect: ""'), "cases.yaml: a child: expect: is empty; say it in words"),
        (SOUND + "  because: x\n", "cases.yaml: field because is unknown; correct or remove it"),
        ("rule: some-rule\n", "cases.yaml: must be a list; write `- ` lines"),
    ],
)
def test_a_case_that_is_not_complete_stops_the_start(tmp_path: Path, cases: str, says: str) -> None:
    with pytest.raises(ContentProblem) as refused:
        load_cases(folder_with(tmp_path, cases))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
