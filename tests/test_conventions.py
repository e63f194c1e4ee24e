"""What the architecture forbids, read from the source: upward imports, clocks, stray numbers, words, and bad headers."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from medicine_builders import STEROID_INGREDIENTS
from site_policies import under_policy

import cds_service
from cds_service.content_folders import CARDS
from cds_service.domain.answers import Answer
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known, Numbers
from cds_service.presentation import Catalogue
from cds_service.presentation.yaml_files import load_yaml

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("conventions")
PACKAGE = Path(cds_service.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
DOMAIN = sorted((PACKAGE / "domain").rglob("*.py"))
RULES = sorted((PACKAGE / "domain" / "rules").glob("*.py"))
LEVELS = {
    "app": 6, "server": 6, "cli": 6, "__main__": 6, "card_printing": 6, "report_printing": 6, "replay": 6,
    "hooks": 5, "web": 5,
    "store": 4,
    "review": 3,
    "fhir": 2, "presentation": 2,
    "domain": 1, "operations": 1,
    "config": 0, "errors": 0, "content_folders": 0, "outbound": 0, "__init__": 0,
}  # fmt: skip
TOGETHER = {"app", "server", "cli", "__main__", "card_printing", "report_printing", "replay"}
KINDS = ("label", "policy", "outside")
FactsOf = Callable[[Mapping[str, Any]], PatientFacts]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def part_of(path: Path) -> str:
    """The package or module directly below cds_service that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def every(tree: ast.AST, *kinds: type[ast.AST]) -> Iterator[Any]:
    return (node for node in ast.walk(tree) if isinstance(node, kinds))


def modules_imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports, in full, with the line."""
    for node in every(tree_of(path), ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif node.level == 0:
            module = node.module or ""
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def parts_imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every part of this package that a file imports, with the line."""
    for module, line in modules_imported(path):
        names = module.split(".")
        if names[0] == "cds_service":
            yield (names[1] if len(names) > 1 and names[1] in LEVELS else "__init__"), line


# --- direction


def test_every_file_has_a_level() -> None:
    assert {part_of(path) for path in SOURCES} <= set(LEVELS)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    own = part_of(path)
    for imported, line in parts_imported(path):
        is_inside = imported == own or {imported, own} <= TOGETHER
        assert is_inside or LEVELS[imported] < LEVELS[own] or imported in ("__init__", "errors"), (
            f"{name_of(path)}:{line} imports {imported}"
        )


def test_the_lowest_files_import_none_of_ours_but_the_names_of_faults() -> None:
    for path in SOURCES:
        if LEVELS[part_of(path)] == 0:
            assert {imported for imported, _ in parts_imported(path)} <= {"errors"}, name_of(path)


def test_only_the_parts_that_wire_everything_read_the_settings() -> None:
    reading = {part_of(path) for path in SOURCES for imported, _ in parts_imported(path) if imported == "config"}
    assert reading <= TOGETHER


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_are_absolute(path: Path) -> None:
    assert not [node.lineno for node in every(tree_of(path), ast.ImportFrom) if node.level]


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_the_domain_imports_the_standard_library_only(path: Path) -> None:
    for module, line in modules_imported(path):
        root = module.split(".")[0]
        is_ours = module.startswith("cds_service.domain.")
        assert is_ours or root in sys.stdlib_module_names, f"{name_of(path)}:{line} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_fhir_models_are_those_of_release_4b(path: Path) -> None:
    for module, line in modules_imported(path):
        if module.startswith("fhir.resources"):
            assert module.startswith("fhir.resources.R4B"), f"{name_of(path)}:{line} imports {module}"


def test_only_the_fhir_package_knows_fhir_models() -> None:
    knowing = {part_of(path) for path in SOURCES for module, _ in modules_imported(path) if module.startswith("fhir.")}
    assert knowing <= {"fhir"}


# --- what the domain must not hold


@pytest.mark.parametrize("path", RULES, ids=name_of)
def test_rules_hold_no_number_but_0_and_1(path: Path) -> None:
    for node in every(tree_of(path), ast.Constant):
        if isinstance(node.value, (int, float, complex)) and not isinstance(node.value, bool):
            assert node.value in (0, 1), f"{name_of(path)}:{node.lineno} holds {node.value}"


@pytest.mark.parametrize("path", RULES, ids=name_of)
def test_rules_hide_no_number_in_text(path: Path) -> None:
    for node in every(tree_of(path), ast.Constant):
        if isinstance(node.value, str):
            assert not re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", node.value) or _is_an_exon(node.value), (
                f"{name_of(path)}:{node.lineno}"
            )


def _is_an_exon(text: str) -> bool:
    """Exon 7 is the name of a part of the gene, no quantity."""
    return text == "7"


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_the_domain_has_no_binary_fractions(path: Path) -> None:
    tree = tree_of(path)
    assert not [node.lineno for node in every(tree, ast.Constant) if isinstance(node.value, (float, complex))]
    assert not [
        node.lineno
        for node in every(tree, ast.Call)
        if ast.unparse(node.func) in ("float", "round", "math.floor", "math.ceil")
    ]


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_the_domain_has_no_clock_no_file_and_no_network(path: Path) -> None:
    forbidden = re.compile(
        r"(^|\.)(now|utcnow|today|fromtimestamp)$|^time\.|^(open|print|input|exec|eval)$|^os\.|^(random|secrets|uuid|socket|subprocess)\b|read_text$|read_bytes$"
    )
    for node in every(tree_of(path), ast.Call):
        called = ast.unparse(node.func)
        assert not forbidden.search(called), f"{name_of(path)}:{node.lineno} calls {called}"


def docstrings(tree: ast.Module) -> set[int]:
    """The places of all docstrings."""
    holders = [tree, *every(tree, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)]
    first = [holder.body[0] for holder in holders if holder.body]
    return {id(node.value) for node in first if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}


def in_faults(tree: ast.Module) -> set[int]:
    """The texts of faults that are raised: they reach a developer, never a card."""
    return {id(node) for fault in every(tree, ast.Raise) for node in ast.walk(fault)}


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_the_domain_holds_no_sentences(path: Path) -> None:
    tree = tree_of(path)
    exempt = docstrings(tree) | in_faults(tree)
    for node in every(tree, ast.Constant):
        if isinstance(node.value, str) and id(node) not in exempt:
            assert len(node.value.split()) <= 3, f"{name_of(path)}:{node.lineno} says {node.value!r}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_public_name_says_what_it_promises(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree), f"{name_of(path)} has no docstring"
    for holder in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        for node in holder.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith(
                "_"
            ):
                assert ast.get_docstring(node), f"{name_of(path)}:{node.lineno} {node.name} has no docstring"


# --- cards and rules say the same


@pytest.fixture(scope="module")
def examples(facts_of: FactsOf, catalogue: Catalogue) -> list[tuple[PatientFacts, Known]]:
    """The facts of every case of every card, under the policy of its site; and a child on each corticosteroid."""
    cases = [case for path in sorted(CARDS.glob("*/cases.yaml")) for case in load_yaml(path)]
    cases += [{"given": {"steroids": [{"drug": drug}]}} for drug in STEROID_INGREDIENTS]
    return [
        (facts_of(case.get("given") or {}), under_policy(catalogue.known, case.get("policy", {}))) for case in cases
    ]


@pytest.fixture(scope="module")
def asked(
    examples: list[tuple[PatientFacts, Known]], catalogue: Catalogue
) -> tuple[dict[str, set[tuple[str, str]]], list[Answer]]:
    """Every number that each rule read, by kind and name, over all cases; and every answer."""
    read: dict[str, set[tuple[str, str]]] = {rule: set() for rule in catalogue.rules.ids}
    reading: list[str] = [""]
    said: list[Answer] = []
    for facts, under in examples:
        known = listening(under, lambda kind, name: read[reading[0]].add((kind, name)))
        first: list[Answer] = []
        for rule, ask in catalogue.rules.rules.items():
            reading[0] = rule
            # A copy is new facts, so that what is worked out once for each call is worked out for each rule.
            first += [answer.of(rule) for answer in ask(replace(facts), known)]
        said += first
        for rule, sum_up in catalogue.rules.summaries.items():
            reading[0] = rule
            said += [answer.of(rule) for answer in sum_up(facts, tuple(first), known)]
    return read, said


def listening(known: Known, heard: Callable[[str, str], None]) -> Known:
    """The same numbers, which tell when they are read."""
    kinds = {}
    for kind in KINDS:
        numbers: Numbers = getattr(known, kind)
        described = {name: numbers.described(name) for name in numbers}
        kinds[kind] = Numbers(described, on_use=lambda name, kind=kind: heard(kind, name))
    return replace(known, **kinds)


def test_a_card_header_names_exactly_the_numbers_its_rule_reads(
    asked: tuple[dict[str, set[tuple[str, str]]], list[Answer]], catalogue: Catalogue
) -> None:
    differing = []
    for rule, names in asked[0].items():
        declared = {(kind, name) for kind in KINDS for name in catalogue.cards[rule].uses[kind]}
        differing += [
            f"{rule}: reads {kind} {name}, which its header does not name" for kind, name in sorted(names - declared)
        ]
        differing += [
            f"{rule}: its header names {kind} {name}, which it never reads" for kind, name in sorted(declared - names)
        ]
    assert differing == []


def test_no_header_names_a_number_twice(catalogue: Catalogue) -> None:
    for rule, card in catalogue.cards.items():
        for kind in KINDS:
            assert len(card.uses[kind]) == len(set(card.uses[kind])), rule


def test_every_number_is_used(
    asked: tuple[dict[str, set[tuple[str, str]]], list[Answer]], catalogue: Catalogue
) -> None:
    read = {name for names in asked[0].values() for _, name in names}
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    numbers = [name for kind in KINDS for name in getattr(catalogue.known, kind)]
    assert [name for name in numbers if name not in read and f'"{name}"' not in source] == []


def test_every_grade_a_rule_gives_stands_in_its_header(
    asked: tuple[dict[str, set[tuple[str, str]]], list[Answer]], catalogue: Catalogue
) -> None:
    given = {(answer.rule_id, answer.grade) for answer in asked[1] if answer.grade}
    assert [f"{rule}: {grade}" for rule, grade in sorted(given) if grade not in catalogue.cards[rule].grades] == []


def literal_grades(function: ast.FunctionDef) -> set[str]:
    """The grades that a function passes to fires() or cannot_check() as literals, also by way of a name."""
    assigned: dict[str, list[ast.expr]] = {}
    for node in every(function, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                assigned.setdefault(target.id, []).append(node.value)
    grades: set[str] = set()
    for call in every(function, ast.Call):
        if ast.unparse(call.func) in ("fires", "cannot_check") and call.args:
            first = call.args[0]
            values = assigned.get(first.id, []) if isinstance(first, ast.Name) else [first]
            grades |= {text for value in values for text in _results(value)}
    return grades


def _results(value: ast.expr) -> Iterator[str]:
    """The texts that an expression may come to, as far as they are literals; its conditions are no results."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _results(value.body)
        yield from _results(value.orelse)


def rule_functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every rule by id."""
    for path in RULES:
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef) and any("rule" in ast.unparse(mark) for mark in node.decorator_list):
                yield node.name.replace("_", "-"), node


def test_the_rules_in_the_source_are_the_rules_that_are_asked(catalogue: Catalogue) -> None:
    assert {rule for rule, _ in rule_functions()} == catalogue.rules.ids


def test_every_literal_grade_of_a_rule_stands_in_its_header(catalogue: Catalogue) -> None:
    missing = [
        f"{rule}: {grade}"
        for rule, function in rule_functions()
        for grade in sorted(literal_grades(function))
        if grade not in catalogue.cards[rule].grades
    ]
    assert missing == []


def test_every_grade_of_a_header_is_given_by_its_rule(
    asked: tuple[dict[str, set[tuple[str, str]]], list[Answer]], catalogue: Catalogue
) -> None:
    given = {(answer.rule_id, answer.grade) for answer in asked[1]}
    given |= {(rule, grade) for rule, function in rule_functions() for grade in literal_grades(function)}
    assert [
        f"{rule}: {grade}"
        for rule, card in catalogue.cards.items()
        for grade in card.grades
        if (rule, grade) not in given
    ] == []


def test_no_card_claims_a_clinical_review(catalogue: Catalogue) -> None:
    assert {card.reviewed for card in catalogue.cards.values()} == {"none yet"}
