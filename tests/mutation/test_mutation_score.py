"""The score of a run, and what is wrong in the list of survivors."""

from __future__ import annotations

from pathlib import Path

import pytest

from .code_mutants import MutableModule, Mutant
from .mutation_score import Listed, Score, keep_open, listed_survivors, score_of

SOURCE = "def f(a, b):\n    return a < b, a > b, a and b\n"
MUTANTS: list[Mutant] = MutableModule("cds_service.domain.tiny", "tiny.py", SOURCE).mutants


def scored(*became: str, listed: tuple[Listed, ...] = ()) -> Score:
    results = {mutant.name: {"became": what} for mutant, what in zip(MUTANTS, became, strict=False)}
    return score_of(MUTANTS, results, {entry.name: entry for entry in listed})


def test_caught_and_timed_out_count_and_survivors_count_against_the_score() -> None:
    score = scored("caught", "timed out", "not reached")
    assert [mutant.change for mutant in score.survivors] == ["a and b → a or b"]
    assert not score.is_good_enough
    assert any(line.startswith("caught: 2 of 3; 66.67 %") for line in score.lines())


def test_an_equivalent_survivor_counts_neither_way() -> None:
    score = scored("caught", "caught", "survived", listed=(Listed(MUTANTS[2].name, "because", True),))
    assert score.is_good_enough
    assert (score.survivors, score.unlisted) == ((), ())


def test_an_open_survivor_is_known_and_counts_against_the_score() -> None:
    score = scored("caught", "caught", "survived", listed=(Listed(MUTANTS[2].name, "not yet", False),))
    assert not score.is_good_enough
    assert (len(score.survivors), score.unlisted) == (1, ())


@pytest.mark.parametrize("name", [MUTANTS[0].name, MUTANTS[0].name + "0"])
def test_a_listed_mutant_that_is_caught_or_gone_fails_the_run(name: str) -> None:
    score = scored("caught", "caught", "caught", listed=(Listed(name, "because", True),))
    assert score.stale == (name,)
    assert not score.is_good_enough


def test_a_listed_mutant_that_was_not_tried_is_not_stale() -> None:
    assert scored("caught", listed=(Listed(MUTANTS[2].name, "because", True),)).stale == ()


def test_the_list_names_a_mutant_by_module_function_line_and_change(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(
        "- module: tiny\n  function: f\n  line: return a < b, a > b, a and b\n"
        "  changes: ['a < b → a <= b', 'a > b → a >= b #2']\n  reason: because\n  open: true\n",
        encoding="utf-8",
    )
    listed = listed_survivors(path, tmp_path / "none.txt")
    assert [entry.is_equivalent for entry in listed.values()] == [False, False]
    assert list(listed) == [MUTANTS[0].name, MUTANTS[1].name.removesuffix("1") + "2"]


def test_survivors_that_nobody_looked_at_are_known_the_next_time_and_still_count(tmp_path: Path) -> None:
    empty, kept = tmp_path / "list.yaml", tmp_path / "open.txt"
    empty.write_text("[]", encoding="utf-8")
    keep_open(scored("caught", "survived", "survived"), listed_survivors(empty, kept), kept)
    again = scored("caught", "caught", "survived", listed=tuple(listed_survivors(empty, kept).values()))
    assert (len(again.survivors), again.unlisted, again.stale) == (1, (), (MUTANTS[1].name,))
