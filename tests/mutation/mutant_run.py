"""Ask the checks about each mutant, in a process of its own, until one of them notices."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import pytest

from cds_service.presentation import Catalogue

from .checks import CaseCheck, FactsOf, Failures, case_checks, is_passed
from .code_mutants import AT_MODULE, MutableModule, Mutant
from .mutated_code import Functions, in_place, put_in_place
from .reach import LOADING, READING, Reach

PACKAGE = "cds_service.domain"
CAUGHT, SURVIVED, TIMED_OUT, NOT_REACHED = "caught", "survived", "timed out", "not reached"
# Seconds of example patients and of tests for one mutant, as they were recorded; the most likely ones come first.
MOST_SECONDS, MOST_SECONDS_OF_TESTS = 40.0, 20.0
MOST_SECONDS_OF_OTHERS = 3.0
LONGEST_TEST = 3.0
# Seconds of the processor for one example patient, who takes a hundredth of one: a mutant that takes more has no end.
SECONDS_OF_A_CASE = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant, and which check noticed it first."""

    mutant: Mutant
    became: str
    by: str
    seconds: float


@dataclass(slots=True)
class Checks:
    """All checks of this process by name, and what every mutant needs to be put in place."""

    cases: dict[str, CaseCheck]
    tests: dict[str, pytest.Item]
    reach: Reach
    failures: Failures
    living: Functions
    load: Callable[[], Catalogue]
    read: FactsOf
    caught_by: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def for_mutant(self, mutant: Mutant) -> list[str]:
        """The names of the checks that reach the mutant: those that caught its neighbours, then the quickest."""
        reached = self._reached(mutant)
        earlier = self.caught_by[mutant.module, mutant.function]
        names = {name.removeprefix(READING) for name in reached if not name.startswith(LOADING)}
        ordered = sorted(
            (name for name in names if name in self.cases or self._is_short(name)),
            key=lambda name: (-earlier[name], self._seconds(name, reached), name),
        )
        cases, tests = (
            [name for name in ordered if name in self.cases],
            [name for name in ordered if name in self.tests],
        )
        # Outside of functions every record is read anew, and nearly everything reaches the mutant.
        most = MOST_SECONDS / 8 if mutant.function == AT_MODULE else MOST_SECONDS
        # What a class gives its members by default is run by no line of its module: the quickest of the others see it.
        others = set(self.tests) - names if mutant.function == AT_MODULE else ()
        quickest = sorted(
            (n for n in others if self._is_short(n)), key=lambda name: (self._seconds(name, reached), name)
        )
        return [
            *self._within_limit(cases, reached, most),
            *self._within_limit(tests, reached, MOST_SECONDS_OF_TESTS),
            *self._within_limit(quickest, reached, MOST_SECONDS_OF_OTHERS),
        ]

    def _is_short(self, name: str) -> bool:
        return name in self.tests and self.reach.seconds.get(name, 0) <= LONGEST_TEST

    def _seconds(self, name: str, reached: set[str]) -> float:
        reading = self.reach.seconds.get(READING + name, 0) if READING + name in reached else 0
        return self.reach.seconds.get(name, 0) + reading

    def _within_limit(self, names: list[str], reached: set[str], most: float) -> Iterator[str]:
        total = 0.0
        for name in names:
            total += self._seconds(name, reached)
            if total > most:
                return
            yield name

    def _reached(self, mutant: Mutant) -> set[str]:
        if mutant.function == AT_MODULE:
            every = self.reach.lines.get(mutant.module, {})
            return self.reach.of(mutant.module, every)
        return self.reach.of(mutant.module, mutant.lines) or self.reach.of(mutant.module, mutant.statement)

    def is_part_of_loading(self, mutant: Mutant) -> bool:
        """Whether the mutant does its work while the cards are loaded, before any call."""
        return mutant.function == AT_MODULE or any(name.startswith(LOADING) for name in self._reached(mutant))

    def needs_a_process(self, mutant: Mutant, names: list[str]) -> bool:
        """Whether more than example patients of this process are to be asked."""
        return any(name in self.tests for name in names) or self.is_part_of_loading(mutant)

    def first_case_to_notice(self, mutant: Mutant, names: list[str]) -> str:
        """The first example patient that is answered otherwise with the mutant in place, "" if none is."""
        reached = self._reached(mutant)
        reads_anew = mutant.function == AT_MODULE
        for name in names:
            if name in self.cases and not _stands(self.cases[name], reads_anew or READING + name in reached):
                return name
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        return ""

    def first_test_to_notice(self, mutant: Mutant, names: list[str]) -> str:
        """The first test that fails with the mutant in place; then the example patients with the cards loaded anew."""
        tests = [name for name in names if name in self.tests]
        for name, following in zip(tests, [*tests[1:], *tests[-1:]], strict=True):
            if not is_passed(self.tests[name], self.tests[following], self.failures):
                return name
        if self.is_part_of_loading(mutant):
            return self._first_case_with_a_new_catalogue([name for name in names if name in self.cases])
        return ""

    def _first_case_with_a_new_catalogue(self, names: list[str]) -> str:
        try:
            again = case_checks(self.load(), self.read)
        except Exception:
            return "loading the cards"
        wanted = set(names)
        return next((check.name for check in again if check.name in wanted and not _stands(check, True)), "")


def _stands(check: CaseCheck, anew: bool) -> bool:
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_OF_A_CASE)
    try:
        return check.holds(anew)
    except Exception:
        return False


class _OutOfTime(BaseException):
    """Raised into code that has used the processor for too long."""


def outcome_of(mutant: Mutant, module: MutableModule, checks: Checks) -> Outcome:
    """Try one mutant: a function's on the example patients in this process, all the rest in a process of its own."""
    begun = monotonic()
    names = checks.for_mutant(mutant)
    if not names:
        return Outcome(mutant, NOT_REACHED, "", 0)
    became, by = SURVIVED, ""
    if mutant.function != AT_MODULE:
        became, by = _tried_here(mutant, module, checks, names)
    if became == SURVIVED and (mutant.function == AT_MODULE or checks.needs_a_process(mutant, names)):
        became, by = _in_a_process(lambda: _try(mutant, module, checks, names))
    if became == CAUGHT and by in names:
        checks.caught_by[mutant.module, mutant.function][by] += 1
    return Outcome(mutant, became, by, round(monotonic() - begun, 2))


def _tried_here(mutant: Mutant, module: MutableModule, checks: Checks, names: list[str]) -> tuple[str, str]:
    """What became of the mutant of a function on the example patients; nothing of it is left in this process."""
    earlier = signal.signal(signal.SIGVTALRM, _stop)
    try:
        with in_place(mutant.module, module.compiled(mutant), checks.living):
            by = checks.first_case_to_notice(mutant, names)
    except _OutOfTime:
        return TIMED_OUT, "an example patient"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, earlier)
    return (CAUGHT, by) if by else (SURVIVED, "")


def _stop(*_: object) -> None:
    raise _OutOfTime


def _try(mutant: Mutant, module: MutableModule, checks: Checks, names: list[str]) -> str:
    try:
        put_in_place(mutant.module, mutant.function, module.compiled(mutant), checks.living)
    except Exception as error:
        return f"{type(error).__name__} on import"
    by = checks.first_case_to_notice(mutant, names) if mutant.function == AT_MODULE else ""
    return by or checks.first_test_to_notice(mutant, names)


def _in_a_process(work: Callable[[], str]) -> tuple[str, str]:
    """What became of the mutant, and what noticed it. The process may use the processor for a bounded time only."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(work, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        by = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return TIMED_OUT, signal.Signals(os.WTERMSIG(status)).name
    if os.waitstatus_to_exitcode(status):
        return CAUGHT, "the process ended"
    return (CAUGHT, by) if by else (SURVIVED, "")


def _child(work: Callable[[], str], writing: int) -> None:
    status = 1
    with suppress(BaseException):
        faulthandler.disable()
        seconds = int(2 * (MOST_SECONDS + MOST_SECONDS_OF_TESTS)) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.write(writing, work().encode())
        status = 0
    os._exit(status)
