"""What is said to hold what: tests by their markers, example patients and calls by the hazards they name.

Read from the source, so that a name in a document is always the name of something that exists.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.content_folders import CARDS
from cds_service.presentation.yaml_files import load_yaml

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
TRACES = ROOT / "docs" / "traces"
MARKERS = ("spec", "hazard")
# Each row of this table is a token that the test below sends; its first word is the requirement.
JWT_TABLE = TESTS / "hooks" / "jwt_matrix.py"
JWT_ROWS = ("Row", "token", "claim", "header", "raw")
JWT_TEST = "tests/hooks/test_jwt_matrix.py::test_a_token_is_let_in_or_refused"
_HAZARDS_IN_FRONT = re.compile(r"^H\d+(?:, H\d+)*(?= )")
_HAZARDS_AT_THE_END = re.compile(r"\((H\d+(?:, H\d+)*)\)$")


@dataclass(frozen=True, slots=True)
class Case:
    """An example patient of cards/*/cases.yaml."""

    topic: str
    rule: str
    name: str

    @property
    def said(self) -> str:
        """Its name as hazards.yaml writes it."""
        return f"{self.rule}: {self.name}"

    @property
    def plain_name(self) -> str:
        """Its name without the numbers of hazards in front."""
        return _HAZARDS_IN_FRONT.sub("", self.name, count=1).strip()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A call of fhir_fixtures/scenarios.yaml, what it proves, and the rules whose findings it is expected to bring."""

    name: str
    proves: str
    rules: frozenset[str]

    @property
    def plain_words(self) -> str:
        """What it proves, without the numbers of hazards at the end."""
        return _HAZARDS_AT_THE_END.sub("", self.proves).strip()


@cache
def every_test() -> dict[str, frozenset[tuple[str, str]]]:
    """Every test as `tests/…/test_x.py::test_y`, with its markers as (kind, id)."""
    return {
        f"{path.relative_to(ROOT).as_posix()}::{name}": marks
        for path in sorted(TESTS.rglob("test_*.py"))
        for name, marks in _tests_in(ast.parse(path.read_text("utf-8")).body)
    }


def _tests_in(body: list[ast.stmt]) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}::{name}", marks) for name, marks in _tests_in(node.body))
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, frozenset(mark for decorator in node.decorator_list for mark in _marks_in(decorator))


def _marks_in(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Markers of ours below a node, such as `pytest.mark.spec("R-003")`, wherever a parameter carries them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MARKERS:
            for argument in node.args:
                if isinstance(argument, ast.Constant):
                    yield node.func.attr, str(argument.value)


@cache
def marked(kind: str) -> Mapping[str, tuple[str, ...]]:
    """For each id of a kind of marker the tests that carry it, in the order of their names."""
    found: dict[str, list[str]] = defaultdict(list)
    for test, marks in every_test().items():
        for which, number in sorted(marks):
            if which == kind:
                found[number].append(test)
    if kind == "spec":
        for number in sorted(_requirements_of_jwt_rows()):
            if JWT_TEST not in found[number]:
                found[number].append(JWT_TEST)
    return {number: tuple(sorted(names)) for number, names in found.items()}


def _requirements_of_jwt_rows() -> set[str]:
    calls = (node for node in ast.walk(ast.parse(JWT_TABLE.read_text("utf-8"))) if isinstance(node, ast.Call))
    rows = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id in JWT_ROWS and call.args)
    first = (row.args[0].value for row in rows if isinstance(row.args[0], ast.Constant))
    return {str(value) for value in first if re.fullmatch(r"R-\d{3}", str(value))}


@cache
def cases() -> tuple[Case, ...]:
    """Every example patient, in the order of the files."""
    files = sorted(CARDS.glob("*/cases.yaml"))
    return tuple(Case(path.parent.name, case["rule"], case["name"]) for path in files for case in load_yaml(path))


def hazards_of_case(case: Case) -> frozenset[str]:
    """The hazards that an example patient names in front: `H21 two counts of one time`."""
    found = _HAZARDS_IN_FRONT.match(case.name)
    return frozenset(re.findall(r"H\d+", found[0])) if found else frozenset()


@cache
def scenarios() -> tuple[Scenario, ...]:
    """Every call of the fixtures, in the order of the file."""
    rows = load_yaml(ROOT / "fhir_fixtures" / "scenarios.yaml")
    return tuple(Scenario(row["name"], row["proves"], _expected_in(row["expect"])) for row in rows)


def _expected_in(expect: dict[str, Any]) -> frozenset[str]:
    """The rules of which a call is expected to bring a finding, on whichever hook."""
    return frozenset(rule for on_hook in expect.values() if isinstance(on_hook, dict) for rule in on_hook)


def hazards_of_scenario(scenario: Scenario) -> frozenset[str]:
    """The hazards that a call names at the end: `… (H3, H8)`."""
    found = _HAZARDS_AT_THE_END.search(scenario.proves)
    return frozenset(found[1].split(", ")) if found else frozenset()


@cache
def hazards() -> dict[str, dict[str, Any]]:
    """docs/traces/hazards.yaml, by number."""
    return dict(load_yaml(TRACES / "hazards.yaml")["hazards"])


@cache
def hazards_not_held() -> dict[str, str]:
    """Hazards that nothing holds, with the reason."""
    return dict(load_yaml(TRACES / "hazards.yaml")["not_held"])


@dataclass(frozen=True, slots=True)
class Holders:
    """What holds a hazard."""

    cases: tuple[Case, ...]
    scenarios: tuple[Scenario, ...]
    tests: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.cases or self.scenarios or self.tests)


def holders_of(hazard: str) -> Holders:
    """Everything that says of itself, or of which hazards.yaml says, that it holds a hazard."""
    said = set(hazards()[hazard].get("cases", ()))
    return Holders(
        tuple(case for case in cases() if hazard in hazards_of_case(case) or case.said in said),
        tuple(scenario for scenario in scenarios() if hazard in hazards_of_scenario(scenario)),
        marked("hazard").get(hazard, ()),
    )


@cache
def label() -> dict[str, list[dict[str, Any]]]:
    """docs/traces/label.yaml: groups of sentences by section."""
    return dict(load_yaml(TRACES / "label.yaml"))


@cache
def requirements() -> dict[str, tuple[str, str, str]]:
    """docs/traces/conformance.yaml: level, what is asked, and why it stands as it does (or "")."""
    rows = load_yaml(TRACES / "conformance.yaml")
    return {number: (row[0], row[1], row[2] if len(row) > 2 else "") for number, row in rows.items()}


@cache
def sections_of_rules() -> dict[str, tuple[str, ...]]:
    """The sections that each card names in its header; none where the label has nothing on it."""
    headers = {path.stem: _header(path) for path in sorted(CARDS.glob("*/*.md"))}
    return {
        rule: tuple(part for part in str(header.get("section", "")).split(", ") if part)
        for rule, header in headers.items()
        if "grades" in header
    }


def _header(path: Path) -> dict[str, Any]:
    """The lines of a card's header that stand at its left edge and hold one value."""
    header = path.read_text("utf-8").partition("\n---\n")[0]
    return {key: value.strip().strip('"') for key, value in re.findall(r"(?m)^(\w+):(.*)$", header)}
