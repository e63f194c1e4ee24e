"""Change the domain in every small way and see whether a test notices: `python -m tests.mutation.domain_mutants`.

What was tried before is not tried again while its module and the checks are the same; build/mutation/ keeps it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

import pytest

from cds_service.app import create_catalogue

from .checks import Failures, case_checks, is_passed
from .code_mutants import AT_MODULE, MutableModule, Mutant
from .mutant_run import PACKAGE, Checks, Outcome, outcome_of
from .mutated_code import functions_below
from .mutation_page import page
from .mutation_score import LEAST, SURVIVED, keep_open, listed_survivors, score_of
from .reach import DOMAIN, LOADING, READING, Reach, Recorder, module_of

ROOT = HERE.parents[1]
KEPT = ROOT / "build" / "mutation"
REACH, RESULTS = KEPT / "reach.json", KEPT / "results.jsonl"
# The tests that are asked after the example patients, from those of the domain to whole calls.
TESTS = (
    "tests/domain", "tests/fhir", "tests/presentation", "tests/hooks/test_follow_up_suggestions.py",
    "tests/hooks/test_suggestions.py", "tests/test_no_false_reassurance.py", "tests/web/test_timeline_pages.py",
)  # fmt: skip
# Where none is to be asked, one has to be collected all the same: the run takes its fixtures from it.
ANY_TEST = "tests/domain/test_titer_classes.py"
# Those whose error would weigh most come first.
FIRST = (
    "dose_table", "order_dose", "dosing_weight", "rules.dose_and_order", "quantities", "intervals", "certainty",
    "vector_genomes", "reference_range", "steroid_dose", "rules.corticosteroid", "rules.corticosteroid_taper",
    "steroid_states", "steroid_course", "liver_panel", "liver_trend", "rules.liver", "monitoring_calendar", "follow_up",
    "platelet_count", "microangiopathy", "rules.platelets_and_tma",
)  # fmt: skip


def modules() -> dict[str, MutableModule]:
    """Every module of the domain, those of most weight first."""
    found = {module_of(path): path for path in sorted(DOMAIN.rglob("*.py"))}
    first = [f"{PACKAGE}.{name}" for name in FIRST]
    ordered = [*first, *(name for name in found if name not in first)]
    return {name: MutableModule(name, str(found[name]), found[name].read_text(encoding="utf-8")) for name in ordered}


class MutantLoop:
    """A plugin that takes the place of pytest's loop over the tests: it tries mutants on what was collected."""

    def __init__(self, mutants: list[Mutant], by_module: dict[str, MutableModule], jobs: int, results: Path) -> None:
        self._mutants, self._modules, self._jobs, self._results = mutants, by_module, jobs, results
        self._fixtures: dict[str, Any] = {}
        self._failures = Failures()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Function) -> Generator[None]:
        """Keep the fixtures of the session, which the first test has made."""
        if not self._fixtures:
            names = ("catalogue", "settings", "facts_of", "app")
            self._fixtures = {name: item._request.getfixturevalue(name) for name in names}
        return (yield)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record what reaches what, where that is not known; then try the mutants, some processes at a time."""
        session.config.pluginmanager.register(self._failures)
        is_passed(session.items[0], session.items[-1], self._failures)
        cases = case_checks(self._fixtures["catalogue"], self._fixtures["facts_of"])
        checks = Checks(
            cases={check.name: check for check in cases},
            tests={item.nodeid: item for item in session.items},
            reach=Reach.load(REACH),
            failures=self._failures,
            living={},
            load=lambda: create_catalogue(self._fixtures["settings"]),
            read=self._fixtures["facts_of"],
        )
        self._record(checks)
        if not self._mutants:
            return True
        checks.cases = {check.name: check.with_facts() for check in cases}
        checks.living = functions_below(PACKAGE)
        gc.collect()
        gc.freeze()
        for number in _in_processes(self._jobs):
            self._try(self._mutants[number :: self._jobs], checks)
        return True

    def _record(self, checks: Checks) -> None:
        for names in (checks.cases, checks.tests):
            missing = [name for name in names if name not in checks.reach.seconds]
            if missing:
                print(f"\nrecording what {len(missing)} checks reach", flush=True)
                self._record_these(missing, checks)

    def _record_these(self, missing: list[str], checks: Checks) -> None:
        for number in _in_processes(self._jobs):
            _recorded(checks, missing[number :: self._jobs]).save(REACH.with_suffix(f".{number}"))
        for number in range(self._jobs):
            checks.reach.add(Reach.load(REACH.with_suffix(f".{number}")))
        checks.reach.save(REACH)

    def _try(self, mutants: Iterable[Mutant], checks: Checks) -> None:
        with self._results.open("a", encoding="utf-8") as results:
            for mutant in mutants:
                outcome = outcome_of(mutant, self._modules[mutant.module], checks)
                results.write(as_line(outcome))
                results.flush()


def _in_processes(jobs: int) -> Iterable[int]:
    """Go through the numbers below `jobs`, each in a process of its own; this one waits for all."""
    children = []
    for number in range(jobs):
        child = os.fork()
        if child == 0:
            yield number
            os._exit(0)
        children.append(child)
    for child in children:
        _, status = os.waitpid(child, 0)
        if status:
            raise RuntimeError(f"a process of the run ended with {status}")


def _recorded(checks: Checks, names: Iterable[str]) -> Reach:
    tests = [name for name in names if name in checks.tests]
    with Recorder() as recorder:
        recorder.begin(LOADING + "the cards")
        checks.load()
        for name in names:
            if name in checks.cases:
                check = checks.cases[name]
                recorder.begin(READING + name)
                read = check.with_facts()
                recorder.begin(name)
                held = read.holds(anew=False)
                recorder.end()
                assert held, f"{name} does not hold without any mutant"
        for name, following in zip(tests, [*tests[1:], *tests[-1:]], strict=True):
            recorder.begin(name)
            passed = is_passed(checks.tests[name], checks.tests[following], checks.failures)
            recorder.end()
            if not passed:
                recorder.leave_out(name)
    return recorder.reach()


def as_line(outcome: Outcome) -> str:
    """An outcome as one line of the file of results."""
    mutant = outcome.mutant
    told = {"mutant": mutant.name, "became": outcome.became, "by": outcome.by, "seconds": outcome.seconds}
    return json.dumps(told, ensure_ascii=False) + "\n"


def earlier_results(path: Path) -> dict[str, dict[str, Any]]:
    """What earlier runs have found, by the name of the mutant; the last one counts."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {told["mutant"]: told for told in map(json.loads, lines)}


def run(
    mutants: list[Mutant], by_module: dict[str, MutableModule], jobs: int, tests: Sequence[str], results: Path = RESULTS
) -> None:
    """Try these mutants and write down what became of each."""
    results.parent.mkdir(parents=True, exist_ok=True)
    loop = MutantLoop(mutants, by_module, jobs, results)
    status = pytest.main(["-q", "-n0", "-p", "no:cacheprovider", "-p", "no:randomly", *tests], plugins=[loop])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(f"the tests could not be collected: {status!r}")


def main(arguments: list[str] | None = None) -> int:
    """Try what was not tried yet, or is asked for; then tell the score. 1 where it is below the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--module", action="append", default=[], help="only modules whose name ends so")
    parser.add_argument("--again", choices=("survivors", "all"), help="try these again")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="the tests that are asked after the example patients")
    parser.add_argument("--quick", action="store_true", help="ask the example patients only")
    parser.add_argument("--report", action="store_true", help="try nothing, tell what is known")
    parser.add_argument("--record", action="store_true", help="only record which check reaches what")
    parser.add_argument("--sample", type=int, default=0, help="try so many of all, always the same, and nothing else")
    parser.add_argument("--keep-open", action="store_true", help="write down the survivors that nobody looked at")
    parser.add_argument("--page", type=Path, help="write the page about the score there")
    asked = parser.parse_args(arguments)
    if asked.quick:
        asked.tests = [ANY_TEST]
    by_module = modules()
    mutants = [mutant for module in by_module.values() for mutant in module.mutants]
    if asked.record:
        run([], by_module, asked.jobs, asked.tests)
        return 0
    if asked.sample:
        return tried_sample(sample_of(mutants, asked.sample), by_module, asked.jobs, asked.tests)
    wanted = [
        each for each in mutants if not asked.module or each.module.endswith(tuple(f".{e}" for e in asked.module))
    ]
    known = earlier_results(RESULTS)
    untried = [each for each in wanted if is_to_be_tried(each, known, asked.again)]
    untried.sort(key=lambda mutant: mutant.function == AT_MODULE)  # they take longest, because all is read anew
    if untried and not asked.report:
        run(untried, by_module, asked.jobs, asked.tests)
    score = score_of(wanted, earlier_results(RESULTS), listed_survivors())
    print(*score.lines(), sep="\n")
    if asked.keep_open:
        keep_open(score, listed_survivors())
    if asked.page:
        asked.page.write_text(page(score, listed_survivors()), encoding="utf-8")
    return 0 if score.is_good_enough else 1


def is_to_be_tried(mutant: Mutant, known: Mapping[str, Mapping[str, Any]], again: str | None) -> bool:
    """Whether a mutant was not tried yet, or is to be tried once more."""
    if again == "all" or mutant.name not in known:
        return True
    return again == "survivors" and known[mutant.name]["became"] in (*SURVIVED, "timed out")


def sample_of(mutants: Sequence[Mutant], size: int) -> list[Mutant]:
    """So many mutants, the same on every run of the same source: one of each module, the others from anywhere."""
    chosen: list[Mutant] = []
    shuffled = sorted(mutants, key=lambda mutant: sha256(mutant.name.encode()).hexdigest())
    for module in sorted({mutant.module for mutant in mutants}):
        chosen.append(next(mutant for mutant in shuffled if mutant.module == module))
    rest = (mutant for mutant in shuffled if mutant not in chosen)
    return [*chosen, *islice(rest, max(0, size - len(chosen)))]


def tried_sample(sample: list[Mutant], by_module: dict[str, MutableModule], jobs: int, tests: Sequence[str]) -> int:
    """Try a sample; 1 where more than may survive of all are neither caught nor listed."""
    with TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        run(sample, by_module, jobs, tests, results)
        score = score_of(sample, earlier_results(results), listed_survivors())
    print(f"{len(sample)} mutants, {sum(score.total[name] for name in ('caught', 'timed out'))} caught")
    for mutant in score.unlisted:
        print(f"neither caught nor listed: line {mutant.lines.start}: {mutant.name}")
    known = len(sample) - len(score.unlisted)
    return 1 if 100 * known < LEAST * len(sample) or score.total["untried"] else 0


if __name__ == "__main__":
    sys.exit(main())
