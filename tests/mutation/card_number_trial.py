"""One mutant on trial: a fork of a process that has read everything once, in a copy of the tree."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from .card_numbers import CardNumber, Mutant

_COPIED = ("cds_service", "tests", "cards", "fhir_fixtures", "docs", "bench", "deploy")
_LONGEST_SECONDS = 600
# Which tests look at a number of a kind after the example patients, in this order, and what their objection shows.
_BROAD = (
    "tests/presentation", "tests/fhir", "tests/hooks", "tests/oracle", "tests/test_end_to_end.py",
    "tests/test_simulated_courses.py", "tests/replay", "tests/web",
)  # fmt: skip
# Short tests near to a number, by the beginning of its name.
_NEAR = {
    "acknowledgement.": ("tests/hooks/test_quiet_findings.py", "tests/presentation/test_acknowledgement.py"),
    "feedback.": ("tests/hooks/test_feedback.py",),
    "gate.": ("tests/domain/test_follow_up.py",),
    "infection.": ("tests/domain/test_new_infection.py",),
    "liver.": ("tests/domain/test_liver_orders.py", "tests/domain/test_liver_panel.py"),
    "monitoring.": ("tests/domain/test_monitoring_calendar.py",),
    "observation.": ("tests/hooks/test_clocks_that_differ.py",),
    "platelet.": ("tests/domain/test_monitoring_calendar.py", "tests/domain/test_platelet_count.py"),
    "rule_set.": ("tests/presentation/test_rule_set_age.py",),
    "steroid.": ("tests/domain/test_course_states.py", "tests/hooks/test_suggestions.py"),
    "taper.": ("tests/domain/test_taper_suggestions.py",),
}
_STAGES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "cell": (
        ("behaviour", ("tests/domain/test_dose_table.py",)),
        ("transcription", ("tests/test_label_tables.py",)),
    ),
    "value": (
        ("behaviour", ("tests/domain",)),
        ("behaviour", _BROAD),
    ),
    "bound": (("transcription", ("tests/test_policy_limits.py",)), ("behaviour", ("tests/presentation",))),
    "factor": (("transcription", ("tests/test_code_lists.py",)), ("behaviour", ("tests/fhir", "tests/domain"))),
    "strength": (("transcription", ("tests/test_code_lists.py",)), ("behaviour", ("tests/fhir",))),
    "words": (
        ("transcription", ("tests/test_numbers_in_words.py",)),
        ("transcription", ("tests/test_traces.py", "tests/test_end_to_end.py", "tests/presentation")),
    ),
    "condition": (("behaviour", ("tests/presentation", "tests/test_end_to_end.py")),),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant. `how`: start, behaviour, transcription or survives; `by` names what objected."""

    how: str
    by: str = ""

    @property
    def is_survivor(self) -> bool:
        """Whether nothing objected."""
        return self.how == "survives"


class Trials:
    """Tries mutants one after the other and keeps what became of each, until something of the tree changes."""

    def __init__(self, root: Path, folder: Path, *, is_new: bool, is_quick: bool) -> None:
        self._is_quick = is_quick
        self._tree = folder / f"tree-{os.getpid()}"
        self._results = folder / "results.jsonl"
        if is_new:
            self._results.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._kept = dict(self._read())
        self._copy(root)
        self._witnesses: _Witnesses | None = None

    def outcome_of(self, mutant: Mutant) -> Outcome:
        """What became of this mutant, now or in an earlier run over the same file."""
        text = (self._tree / "cards" / mutant.number.file).read_text(encoding="utf-8")
        key = f"{mutant.key} | {sha256(text.encode()).hexdigest()[:12]}"
        if key not in self._kept:
            self._kept[key] = self._try(mutant, text)
            with self._results.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **asdict(self._kept[key])}, ensure_ascii=False) + "\n")
        return self._kept[key]

    def _read(self) -> Iterator[tuple[str, Outcome]]:
        if self._results.is_file():
            for line in self._results.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                if entry["how"] != "survives":  # what survived is looked at again
                    yield entry["key"], Outcome(entry["how"], entry["by"])

    def _copy(self, root: Path) -> None:
        atexit.register(shutil.rmtree, self._tree, ignore_errors=True)
        left_out = shutil.ignore_patterns("__pycache__", "node_modules")
        for name in _COPIED:
            shutil.copytree(root / name, self._tree / name, ignore=left_out)
        for file in root.glob("*.*"):
            if file.is_file():
                shutil.copy(file, self._tree)
        shutil.copy(root / "Makefile", self._tree)

    def _try(self, mutant: Mutant, text: str) -> Outcome:
        if self._witnesses is None:
            self._witnesses = _Witnesses(self._tree, is_quick=self._is_quick)
        changed = self._tree / "cards" / mutant.number.file
        changed.write_text(mutant.changed(text), encoding="utf-8")
        try:
            return _in_a_fork(lambda: self._witnesses.first_objection(mutant))  # type: ignore[union-attr]
        finally:
            changed.write_text(text, encoding="utf-8")


def _in_a_fork(look: Callable[[], Outcome]) -> Outcome:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(_LONGEST_SECONDS)
        os.close(reading)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        status = 1
        with suppress(BaseException):
            os.write(writing, json.dumps(asdict(look())).encode())
            status = 0
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return Outcome("survives", f"not settled within {_LONGEST_SECONDS} s")
    if not said:
        raise RuntimeError("a trial ended without an outcome; run it with --verbose to see which")
    return Outcome(**json.loads(said))


class _Witnesses:
    """What is read once, and looks at each mutant in its fork."""

    def __init__(self, tree: Path, *, is_quick: bool) -> None:
        self._is_quick = is_quick
        os.chdir(tree)
        sys.path[:0] = [str(tree), str(tree / "tests")]
        for name in [name for name in sys.modules if name.partition(".")[0] == "cds_service"]:
            del sys.modules[name]
        import test_cases
        import yaml
        from given_facts import facts_given

        import cds_service.app
        from cds_service.config import load_settings
        from cds_service.fhir import Recognition
        from cds_service.presentation import words

        assert Path(cds_service.app.__file__).is_relative_to(tree), "not the copy of the service"
        # The same text gives the same templates and the same content; compiling them is most of a start.
        words.words = functools.cache(words.words)
        yaml.load = functools.cache(yaml.load)
        self._load = lambda: cds_service.app.create_catalogue(load_settings({"CDS_MODE": "demo"}))
        self._recognition_of = lambda catalogue: Recognition.of(catalogue.codes, catalogue.names)
        self._facts_given = facts_given
        self._asks = test_cases.test_the_rule_answers_as_the_case_says
        self._cases = [(param.values[0], param.id) for param in test_cases._cases()]
        self._catalogue = self._load()
        recognition = self._recognition_of(self._catalogue)
        self._facts = {
            id(case): facts_given(case.get("given") or {}, self._catalogue.known.units, recognition)
            for case, _ in self._cases
        }

    def first_objection(self, mutant: Mutant) -> Outcome:
        """What notices that the number has changed, first of all."""
        from cds_service.errors import ContentProblem

        try:
            catalogue = self._load()
        except ContentProblem as problem:
            return Outcome("start", str(problem).rpartition("cards/")[2])
        for case, name in self._cases_for(mutant.number):
            if not self._still_answers(case, catalogue, mutant.number.kind):
                return Outcome("behaviour", f"case {name}")
        near = [paths for name, paths in _NEAR.items() if mutant.number.place.startswith(name)]
        for how, paths in (*(("behaviour", paths) for paths in near), *_STAGES[mutant.number.kind]):
            there = [path for path in paths if Path(path).exists()]
            if self._is_quick and any(Path(path).is_dir() for path in there):
                continue
            failing = _first_failing_test(there) if there else ""
            if failing:
                return Outcome(how, failing)
        return Outcome("survives")

    def _still_answers(self, case: Mapping[str, Any], catalogue: Any, kind: str) -> bool:
        """Whether the rule of the case answers as the case says. Summaries see the answers of all other rules."""
        rule = case["rule"]
        if rule in catalogue.rules.rules:
            catalogue = _with_rules(catalogue, catalogue.rules.only(frozenset({rule})))
        units = catalogue.known.units
        recognition = self._recognition_of(catalogue) if kind in ("factor", "strength") else None

        def facts_of(given: Mapping[str, Any]) -> Any:
            return self._facts_given(given, units, recognition) if recognition else self._facts[id(case)]

        try:
            self._asks(case, facts_of, catalogue)
        except Exception:  # an answer that is not the expected one, or none at all
            return False
        return True

    def _cases_for(self, number: CardNumber) -> list[tuple[dict[str, Any], str]]:
        """The example patients that may notice: of the rules that use the number, the nearest ones first."""
        cards = self._catalogue.cards
        if number.kind == "value":
            name = number.place.rpartition(".")[0]
            using = {
                rule: (name not in card.explains, sum(len(names) for names in card.uses.values()))
                for rule, card in cards.items()
                if any(name in names for names in card.uses.values())
            }
            chosen = [each for each in self._cases if each[0]["rule"] in using]
            return sorted(chosen, key=lambda each: using[each[0]["rule"]])
        if number.kind == "cell":
            return [each for each in self._cases if cards[each[0]["rule"]].topic == "dose"]
        if number.kind == "factor":
            concept, _, unit = number.place.partition(".one_is.")
            table = self._catalogue.known.units
            spellings = [unit, *(s for s, meant in table.spellings.get(concept, {}).items() if meant == unit)]
            naming = [each for each in self._cases if any(f" {s}" in str(each[0]) for s in spellings if s)]
            return naming[:60] + self._cases[::40]
        if number.kind == "strength":
            code = number.place.rpartition(".")[0].rpartition(".")[2]
            return [each for each in self._cases if code in str(each[0])]
        return []


def _with_rules(catalogue: Any, rules: Any) -> Any:
    from dataclasses import replace

    return replace(catalogue, rules=rules)


def _first_failing_test(paths: list[str]) -> str:
    """The id of the first test that fails, or an empty text."""
    import pytest

    failed: list[str] = []

    class Listener:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                failed.append(report.nodeid)

        def pytest_collectreport(self, report: pytest.CollectReport) -> None:
            if report.failed:
                failed.append(report.nodeid)

    options = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-c", "pyproject.toml", "--rootdir", "."]
    status = pytest.main([*options, *paths], plugins=[Listener()])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and not failed:
        raise RuntimeError(f"the tests did not run: {status}")
    return failed[0] if failed else ""
