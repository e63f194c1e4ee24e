"""SECURITY.md names tests that exist, and no control without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWS = [
    line
    for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines()
    if re.match(r"\| [STRIDE] \|", line)
]  # fmt: skip


@pytest.fixture(scope="module")
def tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in re.findall(r"(?m)^def (test_\w+)", file.read_text("utf-8"))}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[2].strip()[:60])
def test_a_threat_is_met_by_a_control_that_a_test_proves(row: str, tests: set[str]) -> None:
    _, kind, threat, control, proof, _ = (part.strip() for part in row.split("|"))
    assert threat
    assert control
    named = set(re.findall(r"`(test_\w+)`", proof))
    assert named, f"{kind}: {threat}"
    assert named <= tests, named - tests


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/operations.md"])
def test_nothing_is_left_to_be_compared_with_another_branch(page: str) -> None:
    assert re.findall(r"\[(?:auth|store)\]", (ROOT / page).read_text("utf-8")) == []


def test_every_kind_of_threat_is_looked_at() -> None:
    assert {row[2] for row in ROWS} == set("STRIDE")


def test_every_boundary_has_its_table() -> None:
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    assert len(re.findall(r"(?m)^### \d ", page)) == 6
