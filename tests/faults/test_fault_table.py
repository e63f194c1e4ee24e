"""The table of faults in docs/operations.md names tests that exist: without brackets those of the whole server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
GUIDE = (TESTS.parent / "docs" / "operations.md").read_text("utf-8")
TABLE = GUIDE.partition("### What breaks, and what comes of it")[2].partition("\n### ")[0]
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TABLE.splitlines() if line.startswith("| ")][1:]


def names_of_tests(folder: Path) -> set[str]:
    return {
        name
        for file in folder.rglob("test_*.py")
        for name in re.findall(r"(?m)^def (test_\w+)", file.read_text("utf-8"))
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_fault_says_what_comes_of_it_and_names_a_test_that_holds_it(row: list[str]) -> None:
    assert all(row)
    in_brackets = set(re.findall(r"\(`(test_\w+)`\)", row[4]))
    others = set(re.findall(r"`(test_\w+)`", row[4])) - in_brackets
    assert in_brackets | others
    assert in_brackets <= names_of_tests(TESTS) - names_of_tests(TESTS / "faults")
    assert others <= names_of_tests(TESTS / "faults")


def test_all_the_faults_are_there() -> None:
    assert len(ROWS) == 14
