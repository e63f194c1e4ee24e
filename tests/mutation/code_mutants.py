"""Every mutant of a module's source: one operator, number, condition or call changed by its smallest step.

What nobody could notice is left alone: annotations, decorators, docstrings and other texts, imports, assertions, and the
messages of errors. What is changed is the syntax tree; its lines stay those of the source.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import CodeType

NEIGHBOUR: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPPOSITE: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
# Functions that take each other's place without an error.
TWINS = {
    "min": "max", "max": "min", "any": "all", "all": "any", "any_of": "all_of", "all_of": "any_of",
    "bisect_left": "bisect_right", "bisect_right": "bisect_left", "first": "last", "last": "first",
}  # fmt: skip
CERTAINTIES = ("TRUE", "FALSE", "UNKNOWN")
# Their negation is the neighbour of the operator, which is a mutant already.
NEGATED_BY_OPERATOR = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
AT_MODULE = "<module>"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module.

    `function` is the qualified name of the outermost function around it, `<module>` outside of all functions. The name
    of a mutant is made of what it changes, so that it stays the same when other lines of the module come and go;
    `ordinal` counts those that would be named alike.
    """

    module: str
    function: str
    line: str
    change: str
    ordinal: int
    lines: range
    statement: range

    @property
    def name(self) -> str:
        """What tells this mutant from every other."""
        return " | ".join((self.module, self.function, self.line, self.change, str(self.ordinal)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands in the tree: a field of its parent, with an index in a list."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        """Let this node stand here."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True, slots=True)
class _Around:
    """What a node stands in."""

    function: str
    scope: str
    statement: ast.stmt | None
    returns: str


class MutableModule:
    """The source of one module, with all its mutants in the order of its lines."""

    def __init__(self, module: str, path: str, source: str) -> None:
        self._path = path
        self._tree = ast.parse(source, path)
        self._changes: dict[Mutant, tuple[Place, ast.AST, ast.AST]] = {}
        text = source.splitlines()
        alike: Counter[str] = Counter()
        for place, old, new, around in _changes_in(self._tree):
            mutant = _described(module, text, old, new, around)
            alike[mutant.name] += 1
            self._changes[replace(mutant, ordinal=alike[mutant.name])] = (place, old, new)

    @property
    def mutants(self) -> list[Mutant]:
        """All mutants of the module."""
        return list(self._changes)

    def compiled(self, mutant: Mutant) -> CodeType:
        """The code of the module with this one change, or of as much of it as the change is in: one function alone."""
        with self._changed(mutant):
            tree = self._tree if mutant.function == AT_MODULE else self._only(mutant.function)
            return compile(tree, self._path, "exec", annotations.compiler_flag, dont_inherit=True)

    def _only(self, function: str) -> ast.Module:
        """The module with nothing but this function, in its class if it has one."""
        *classes, name = function.split(".")
        body: list[ast.stmt] = self._tree.body
        shells = []
        for each in classes:
            shells.append(next(node for node in body if isinstance(node, ast.ClassDef) and node.name == each))
            body = shells[-1].body
        only: ast.stmt = next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == name)
        for shell in reversed(shells):
            only = ast.copy_location(ast.ClassDef(shell.name, [], [], [only], []), shell)
        return ast.Module([only], [])

    @contextmanager
    def _changed(self, mutant: Mutant) -> Iterator[None]:
        place, old, new = self._changes[mutant]
        place.put(new)
        try:
            yield
        finally:
            place.put(old)


def _described(module: str, text: list[str], old: ast.AST, new: ast.AST, around: _Around) -> Mutant:
    first, last = _first_line(old), _last_line(old)
    statement = around.statement
    return Mutant(
        module=module,
        function=around.function,
        line=text[first - 1].strip(),
        change=f"{_written(old)} → {_written(new)}",
        ordinal=0,
        lines=range(first, last + 1),
        statement=_header_of(statement) if statement is not None else range(first, last + 1),
    )


def _first_line(node: ast.AST) -> int:
    found: int = getattr(node, "lineno", 0)
    return found or min(inner.lineno for inner in ast.walk(node) if hasattr(inner, "lineno"))


def _last_line(node: ast.AST) -> int:
    found: int | None = getattr(node, "end_lineno", None)
    return found or max(inner.end_lineno for inner in ast.walk(node) if getattr(inner, "end_lineno", None))


def _header_of(statement: ast.stmt) -> range:
    """The lines of a statement, without those of the statements inside it."""
    last = statement.end_lineno or statement.lineno
    inner = getattr(statement, "body", None) or getattr(statement, "cases", None)
    if inner:
        last = max(statement.lineno, _first_line(inner[0]) - 1)
    return range(statement.lineno, last + 1)


def _written(node: ast.AST) -> str:
    if isinstance(node, ast.comprehension):
        return "".join(f" if {ast.unparse(test)}" for test in node.ifs).strip() or "no filter"
    if isinstance(node, ast.match_case):
        return f"case {ast.unparse(node.pattern)}" + (f" if {ast.unparse(node.guard)}" if node.guard else "")
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 120 else f"{text[:80]} … {text[-36:]}"


# --- where to look


def _changes_in(tree: ast.Module) -> Iterator[tuple[Place, ast.AST, ast.AST, _Around]]:
    found = list(_changes_below(tree, _Around(AT_MODULE, "", None, "")))
    return iter(sorted(found, key=lambda change: _first_line(change[1])))


def _changes_below(node: ast.AST, around: _Around) -> Iterator[tuple[Place, ast.AST, ast.AST, _Around]]:
    for place, child in _children(node):
        if _is_left_alone(place, child, around):
            continue
        inside = _within(place, child, around)
        for new in _alternatives(place, child, inside):
            yield place, child, ast.fix_missing_locations(ast.copy_location(new, child)), inside
        yield from _changes_below(child, inside)


def _children(node: ast.AST) -> Iterator[tuple[Place, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield Place(node, field, None), value
        elif isinstance(value, list):
            yield from ((Place(node, field, at), item) for at, item in enumerate(value) if isinstance(item, ast.AST))


def _within(place: Place, child: ast.AST, around: _Around) -> _Around:
    """What the parts of a node stand in."""
    if isinstance(child, ast.ClassDef):
        return replace(around, scope=f"{around.scope}{child.name}.", statement=child)
    if isinstance(child, (ast.FunctionDef, ast.Lambda)):
        is_function = isinstance(child, ast.FunctionDef)
        returns = ast.unparse(child.returns) if is_function and child.returns else ""
        statement = child if is_function else around.statement
        return replace(around, statement=statement, returns=returns)
    if isinstance(place.parent, ast.FunctionDef) and around.function == AT_MODULE and place.field == "body":
        around = replace(around, function=f"{around.scope}{place.parent.name}")
    return replace(around, statement=child) if isinstance(child, ast.stmt) else around


def _is_left_alone(place: Place, node: ast.AST, around: _Around) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert, ast.Raise, ast.JoinedStr)):
        return True
    if place.field in ("annotation", "returns", "decorator_list", "bases"):
        return True
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return True
    if isinstance(node, ast.Assign):
        target = ast.unparse(node.targets[0])
        return target == "__all__" or (around.function == AT_MODULE and _is_type_alias(node.value))
    if isinstance(place.parent, ast.keyword) and place.parent.arg in ("strict", "slots", "frozen"):
        return True  # they only tell a mistake of the program
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(place.parent, ast.Call) and place.field == "args" and _is_a_type_asked_for(place)


def _is_type_alias(value: ast.expr) -> bool:
    if isinstance(value, ast.BinOp):
        return isinstance(value.op, ast.BitOr)
    return isinstance(value, ast.Subscript)


def _is_a_type_asked_for(place: Place) -> bool:
    assert isinstance(place.parent, ast.Call)
    return isinstance(place.parent.func, ast.Name) and place.parent.func.id == "isinstance" and place.index == 1


# --- what takes its place


def _alternatives(place: Place, node: ast.AST, around: _Around) -> Iterator[ast.AST]:
    for kind, alternatives in _ALTERNATIVES:
        if isinstance(node, kind):
            yield from alternatives(node)
    if place.field == "test" and isinstance(place.parent, (ast.If, ast.While)):
        yield from _negated(node)
    if isinstance(place.parent, ast.Slice) and not isinstance(node, ast.Constant):
        yield ast.Constant(None)
    if isinstance(place.parent, ast.Return):
        yield from _other_results(node, around)


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for at, operator in enumerate(node.ops):
        other = NEIGHBOUR[type(operator)]()
        yield ast.Compare(node.left, [*node.ops[:at], other, *node.ops[at + 1 :]], node.comparators)


def _conditions(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def _signs(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand


def _arithmetic(node: ast.BinOp) -> Iterator[ast.AST]:
    is_of_texts = any(
        isinstance(side, (ast.List, ast.Tuple, ast.JoinedStr))
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )
    if type(node.op) in OPPOSITE and not is_of_texts:
        yield ast.BinOp(node.left, OPPOSITE[type(node.op)](), node.right)


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        steps = (1,) if node.value == 0 else (-1, 1)
        yield from (ast.Constant(node.value + step) for step in steps)


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    if not isinstance(node.func, ast.Name):
        return
    if node.func.id in TWINS:
        yield ast.Call(ast.Name(TWINS[node.func.id], ast.Load()), node.args, node.keywords)
    if node.func.id == "Decimal" and len(node.args) == 1:
        yield from _decimals(node.args[0])


def _decimals(number: ast.expr) -> Iterator[ast.AST]:
    """A decimal written as a text, one up in its last digit."""
    if isinstance(number, ast.Constant) and isinstance(number.value, str):
        digits = re.search(r"\d+$", number.value)
        if digits:
            raised = str(int(digits[0]) + 1).zfill(len(digits[0]))
            yield ast.Call(ast.Name("Decimal", ast.Load()), [ast.Constant(number.value[: digits.start()] + raised)], [])


def _certainties(node: ast.Attribute) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Name) and node.value.id == "Certainty" and node.attr in CERTAINTIES:
        yield from (ast.Attribute(node.value, other, node.ctx) for other in CERTAINTIES if other != node.attr)


def _choices(node: ast.IfExp) -> Iterator[ast.AST]:
    yield ast.IfExp(node.test, node.orelse, node.body)


def _filters(node: ast.comprehension) -> Iterator[ast.AST]:
    for at in range(len(node.ifs)):
        yield ast.comprehension(node.target, node.iter, [*node.ifs[:at], *node.ifs[at + 1 :]], node.is_async)


def _cases(node: ast.match_case) -> Iterator[ast.AST]:
    is_last_resort = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
    if not is_last_resort or node.guard is not None:
        yield ast.match_case(node.pattern, ast.Constant(False), node.body)


def _calls_for_effect(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call):
        yield ast.Pass()


def _additions(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.Pass()
    if type(node.op) in OPPOSITE and not isinstance(node.value, (ast.List, ast.Tuple, ast.GeneratorExp, ast.ListComp)):
        yield ast.AugAssign(node.target, OPPOSITE[type(node.op)](), node.value)


def _leaps(node: ast.stmt) -> Iterator[ast.AST]:
    yield ast.Break() if isinstance(node, ast.Continue) else ast.Continue()


def _negated(test: ast.AST) -> Iterator[ast.AST]:
    assert isinstance(test, ast.expr)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], NEGATED_BY_OPERATOR):
        return
    yield ast.UnaryOp(ast.Not(), test)


def _other_results(result: ast.AST, around: _Around) -> Iterator[ast.AST]:
    """None where a function may also give none, and the opposite where it gives what another one says."""
    is_none = isinstance(result, ast.Constant) and result.value is None
    if around.returns.endswith("| None") and not is_none:
        yield ast.Constant(None)
    if around.returns == "bool" and isinstance(result, (ast.Call, ast.Attribute, ast.Name)):
        assert isinstance(result, ast.expr)
        is_any_or_all = isinstance(result, ast.Call) and ast.unparse(result.func) in ("any", "all")
        if not is_any_or_all:
            yield ast.UnaryOp(ast.Not(), result)


_ALTERNATIVES: tuple[tuple[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[ast.AST]]], ...] = (
    (ast.Compare, _comparisons),
    (ast.BoolOp, _conditions),
    (ast.UnaryOp, _signs),
    (ast.BinOp, _arithmetic),
    (ast.Constant, _constants),
    (ast.Call, _calls),
    (ast.Attribute, _certainties),
    (ast.IfExp, _choices),
    (ast.comprehension, _filters),
    (ast.match_case, _cases),
    (ast.Expr, _calls_for_effect),
    (ast.AugAssign, _additions),
    ((ast.Continue, ast.Break), _leaps),
)
