"""What becomes of a mutant: caught, survived, timed out, or reached by no check."""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from . import mutant_run, mutated_code
from .checks import Failures
from .code_mutants import AT_MODULE, MutableModule, Mutant
from .mutant_run import CAUGHT, NOT_REACHED, SURVIVED, TIMED_OUT, Checks, outcome_of
from .mutated_code import functions_below
from .reach import LOADING, READING, Reach

SOURCE = """
from dataclasses import dataclass
from functools import cache

LIMIT = 3

def is_above(value):
    return value > LIMIT

kept = {"is_above": is_above}

@cache
def doubled(value):
    return value * 2

@dataclass(frozen=True)
class Child:
    is_twin: bool = False

    @property
    def count(self):
        return 2 if self.is_twin else 1

def first_below(values, limit=5):
    at = 0
    while values[at] > limit:
        at += 1
    return at
"""


@dataclass
class Told:
    """A check that is told what to hold."""

    name: str
    true: Callable[[], bool]
    anew: list[bool]

    def holds(self, anew: bool) -> bool:
        self.anew.append(anew)
        return self.true()


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "tiny.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(mutated_code, "KEEPING", "tiny")
    yield importlib.import_module("tiny")
    del sys.modules["tiny"]


def mutable(tiny: ModuleType) -> MutableModule:
    return MutableModule("tiny", str(tiny.__file__), SOURCE)


def checks_of(tiny: ModuleType, reached: str = "check", **told: Callable[[], bool]) -> Checks:
    """Checks of which each reaches every line of the module."""
    names = [f"{READING}{name}" if reached == READING else name for name in told]
    lines = {line: names for line in range(1, SOURCE.count("\n") + 1)} if reached else {}
    return Checks(
        cases={name: Told(name, true, []) for name, true in told.items()},
        tests={},
        reach=Reach(dict.fromkeys(told, 0.01), defaultdict(dict, tiny=lines)),
        failures=Failures(),
        living=functions_below("tiny"),
        load=lambda: pytest.fail("no check of these needs the cards"),
        read=lambda _: pytest.fail("nothing is to be read"),
    )


def became(tiny: ModuleType, change: str, checks: Checks) -> tuple[str, str]:
    module = mutable(tiny)
    mutant = next(each for each in module.mutants if each.change == change)
    outcome = outcome_of(mutant, module, checks)
    return outcome.became, outcome.by


def test_a_mutant_is_caught_by_the_first_check_that_fails_and_this_process_stays_as_it_was(tiny: ModuleType) -> None:
    checks = checks_of(tiny, far=lambda: tiny.is_above(4), near=lambda: not tiny.is_above(3))
    assert became(tiny, "value > LIMIT → value >= LIMIT", checks) == (CAUGHT, "near")
    assert not tiny.is_above(3)


def test_a_mutant_that_no_check_notices_has_survived(tiny: ModuleType) -> None:
    checks = checks_of(tiny, far=lambda: tiny.is_above(4))
    assert became(tiny, "value > LIMIT → value >= LIMIT", checks) == (SURVIVED, "")


def test_a_mutant_that_no_check_reaches_is_told(tiny: ModuleType) -> None:
    checks = checks_of(tiny, reached="", far=lambda: tiny.is_above(4))
    assert became(tiny, "value > LIMIT → value >= LIMIT", checks) == (NOT_REACHED, "")


def test_a_function_that_was_kept_elsewhere_is_the_mutant_too(tiny: ModuleType) -> None:
    checks = checks_of(tiny, kept=lambda: not tiny.kept["is_above"](3))
    assert became(tiny, "value > LIMIT → value >= LIMIT", checks) == (CAUGHT, "kept")


def test_what_a_cache_has_kept_is_forgotten(tiny: ModuleType) -> None:
    assert tiny.doubled(4) == 8
    assert became(tiny, "2 → 1", checks_of(tiny, twice=lambda: tiny.doubled(4) == 8)) == (CAUGHT, "twice")


def test_an_error_of_a_mutant_is_noticed(tiny: ModuleType) -> None:
    checks = checks_of(tiny, first=lambda: tiny.first_below([9, 4]) == 1)
    assert became(tiny, "values[at] > limit → not values[at] > limit", checks) == (CAUGHT, "first")
    assert (
        became(tiny, "at += 1 → at -= 1", checks_of(tiny, first=lambda: tiny.first_below([9, 9, 4]) == 2))[0] == CAUGHT
    )


def test_a_mutant_that_does_not_come_to_an_end_is_stopped(tiny: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutant_run, "SECONDS_OF_A_CASE", 0.2)
    checks = checks_of(tiny, first=lambda: tiny.first_below([9, 4]) == 1)
    assert became(tiny, "at += 1 → pass", checks)[0] == TIMED_OUT


@pytest.mark.parametrize(
    ("change", "true"),
    [
        ("3 → 4", lambda tiny: tiny.is_above(4)),
        ("False → True", lambda tiny: tiny.Child().count == 1),
        ("5 → 4", lambda tiny: tiny.first_below([5]) == 0),
    ],
)
def test_what_stands_outside_of_functions_is_taken_over(
    tiny: ModuleType, change: str, true: Callable[[ModuleType], bool]
) -> None:
    checks = checks_of(tiny, told=lambda: true(tiny))
    module = mutable(tiny)
    assert next(each for each in module.mutants if each.change == change).function == AT_MODULE
    assert became(tiny, change, checks) == (CAUGHT, "told")


def test_a_record_is_read_anew_only_where_the_reading_reaches_the_mutant(tiny: ModuleType) -> None:
    for reached, anew in (("check", "kept"), (READING, "anew")):
        checks = checks_of(tiny, reached, told=lambda: True)
        case = checks.cases["told"]
        case.true = lambda case=case: case.anew == [False]  # type: ignore[attr-defined]
        outcome = became(tiny, "value > LIMIT → value >= LIMIT", checks)
        assert outcome == ((SURVIVED, "") if anew == "kept" else (CAUGHT, "told"))


def test_what_caught_a_neighbour_is_asked_first(tiny: ModuleType) -> None:
    checks = checks_of(tiny, a=lambda: True, b=lambda: not tiny.is_above(3))
    mutant: Mutant = next(each for each in mutable(tiny).mutants if each.function == "is_above")
    assert checks.for_mutant(mutant) == ["a", "b"]
    assert outcome_of(mutant, mutable(tiny), checks).by == "b"
    assert checks.for_mutant(mutant) == ["b", "a"]


def test_what_is_run_while_the_cards_are_loaded_is_told(tiny: ModuleType) -> None:
    checks = checks_of(tiny, a=lambda: True)
    mutant = next(each for each in mutable(tiny).mutants if each.function == "is_above")
    assert not checks.is_part_of_loading(mutant)
    checks.reach.lines["tiny"][mutant.lines.start] = [f"{LOADING}the cards"]
    assert checks.is_part_of_loading(mutant)
