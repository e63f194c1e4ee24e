"""One mutant on trial: a fork of a process that has read everything once, in a copy of the tree."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from .card_numbers import CardNumber, Mutant
from .plain_tests import first_failing

_COPIED = ("cds_service", "tests", "cards", "fhir_fixtures", "docs", "bench", "deploy")
_LONGEST_SECONDS = 600
# Kinds of number on which it depends what is read from a record.
_READ_ANEW = ("factor", "strength")
# Which tests look at a number of a kind after the example patients, and what their objection shows. Those of the
# first table are called as plain functions, which takes no time; then whole folders are run.
_FIRST: dict[str, tuple[tuple[str, str], ...]] = {
    "value": (),
    "cell": (("behaviour", "tests/domain/test_kit_contents.py"), ("transcription", "tests/test_label_tables.py")),
    "bound": (("transcription", "tests/test_policy_limits.py"),),
    "factor": (("transcription", "tests/test_code_lists.py"),),
    "strength": (("transcription", "tests/test_code_lists.py"),),
    "words": (("transcription", "tests/test_numbers_in_words.py"),),
    "condition": (
        ("behaviour", "tests/presentation/test_first_two_weeks.py"),
        ("transcription", "tests/test_numbers_in_words.py"),
    ),
}
_THEN: dict[str, tuple[str, ...]] = {
    "value": (
        "tests/domain", "tests/presentation", "tests/fhir", "tests/hooks", "tests/oracle", "tests/test_end_to_end.py",
        "tests/test_simulated_courses.py", "tests/replay", "tests/web",
    ),
    "cell": ("tests/domain/test_dose_table.py", "tests/oracle"),
    "bound": ("tests/presentation",),
    "factor": ("tests/fhir", "tests/domain"),
    "strength": ("tests/fhir",),
    "words": ("tests/test_traces.py", "tests/test_end_to_end.py", "tests/presentation"),
    "condition": ("tests/presentation", "tests/test_end_to_end.py"),
}  # fmt: skip
# Short tests near to a number, by the beginning of its name.
_NEAR = {
    "acknowledgement.": ("tests/hooks/test_quiet_findings.py", "tests/presentation/test_acknowledgement.py"),
    "feedback.": ("tests/hooks/test_feedback.py",),
    "gate.": ("tests/domain/test_follow_up.py",),
    "infection.": ("tests/domain/test_new_infection.py",),
    "liver.": ("tests/domain/test_liver_orders.py", "tests/domain/test_liver_panel.py"),
    "monitoring.": ("tests/domain/test_monitoring_calendar.py",),
    "observation.": ("tests/hooks/test_clocks_that_differ.py",),
    "platelet.": (
        "tests/domain/test_after_a_low_count.py",
        "tests/domain/test_monitoring_calendar.py",
        "tests/domain/test_platelet_count.py",
    ),
    "rule_set.": ("tests/presentation/test_rule_set_age.py",),
    "steroid.": ("tests/domain/test_course_states.py", "tests/hooks/test_suggestions.py"),
    "taper.": ("tests/domain/test_taper_suggestions.py",),
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


_NOBODY = Outcome("survives")


class Trials:
    """Tries mutants one after the other and keeps what became of each, until something of the tree changes."""

    def __init__(self, root: Path, folder: Path, *, is_new: bool, is_quick: bool, is_long: bool) -> None:
        self._is_quick, self._is_long = is_quick, is_long
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
        if self._is_long and mutant.number.kind in ("value", "cell"):
            self._witnesses.prepare()
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
        self._read = self._facts_of(self._catalogue)
        self._facts: dict[int, Any] = {}

    def prepare(self) -> None:
        """Read the facts of all example patients, which are the same under every number but a unit's or a code's."""
        for case, _ in self._cases:
            self._facts_of_case(case)

    def _facts_of_case(self, case: Mapping[str, Any]) -> Any:
        if id(case) not in self._facts:
            self._facts[id(case)] = self._read(case.get("given") or {})
        return self._facts[id(case)]

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
        fixtures = {"catalogue": catalogue, "facts_of": self._facts_of(catalogue)}
        for how, path in _FIRST[mutant.number.kind]:
            failing = first_failing(path, fixtures)
            if failing:
                return Outcome(how, failing)
        failing = self._first_failing_test(mutant.number)
        return (
            Outcome("transcription" if mutant.number.kind == "words" else "behaviour", failing) if failing else _NOBODY
        )

    def _first_failing_test(self, number: CardNumber) -> str:
        near = [path for name, paths in _NEAR.items() if number.place.startswith(name) for path in paths]
        failing = _first_failing_test(near) if near and number.kind == "value" else ""
        return failing or ("" if self._is_quick else _first_failing_test(_THEN[number.kind]))

    def _facts_of(self, catalogue: Any) -> Callable[[Mapping[str, Any]], Any]:
        recognition = self._recognition_of(catalogue)
        return lambda given: self._facts_given(given, catalogue.known.units, recognition)

    def _still_answers(self, case: Mapping[str, Any], catalogue: Any, kind: str) -> bool:
        """Whether the rule of the case answers as the case says. Summaries see the answers of all other rules."""
        rule = case["rule"]
        if rule in catalogue.rules.rules:
            catalogue = _with_rules(catalogue, catalogue.rules.only(frozenset({rule})))
        facts_of = self._facts_of(catalogue) if kind in _READ_ANEW else lambda given: self._facts_of_case(case)
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


def _first_failing_test(paths: Sequence[str]) -> str:
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
