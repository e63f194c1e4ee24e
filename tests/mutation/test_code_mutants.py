"""Which mutants are made of a piece of source, and which are not."""

from __future__ import annotations

from textwrap import dedent

import pytest

from .code_mutants import AT_MODULE, MutableModule


def mutable(source: str) -> MutableModule:
    return MutableModule("tiny", "tiny.py", dedent(source))


def changes(source: str) -> list[str]:
    return [mutant.change for mutant in mutable(source).mutants]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a < b", ["a < b → a <= b"]),
        ("a <= b", ["a <= b → a < b"]),
        ("a > b", ["a > b → a >= b"]),
        ("a >= b", ["a >= b → a > b"]),
        ("a == b", ["a == b → a != b"]),
        ("a is b", ["a is b → a is not b"]),
        ("a not in b", ["a not in b → a in b"]),
        ("a <= b < c", ["a <= b < c → a < b < c", "a <= b < c → a <= b <= c"]),
        ("a and b", ["a and b → a or b"]),
        ("a or b", ["a or b → a and b"]),
        ("not a", ["not a → a"]),
        ("-a", ["-a → a"]),
        ("a + b", ["a + b → a - b"]),
        ("a * b", ["a * b → a / b"]),
        ("a % b", ["a % b → a * b"]),
        ("True", ["True → False"]),
        ("0", ["0 → 1"]),
        ("7", ["7 → 6", "7 → 8"]),
        ("Decimal('0.19')", ["Decimal('0.19') → Decimal('0.20')"]),
        ("min(a)", ["min(a) → max(a)"]),
        ("any(a)", ["any(a) → all(a)"]),
        ("all_of(a)", ["all_of(a) → any_of(a)"]),
        ("a if b else c", ["a if b else c → c if b else a"]),
        ("[a for a in b if a]", ["if a → no filter"]),
        ("a[b:]", ["b → None"]),
        ("timedelta(days=1)", ["1 → 0", "1 → 2"]),
        ("Certainty.UNKNOWN", ["Certainty.UNKNOWN → Certainty.TRUE", "Certainty.UNKNOWN → Certainty.FALSE"]),
    ],
)
def test_an_expression_is_changed_by_its_smallest_step(expression: str, expected: list[str]) -> None:
    assert changes(f"def f():\n    return {expression}\n") == expected


def test_a_condition_is_turned_round_unless_its_operator_is() -> None:
    assert changes("def f():\n    if a:\n        g = 'x'\n") == ["a → not a"]
    assert changes("def f():\n    if a == b:\n        g = 'x'\n") == ["a == b → a != b"]
    assert changes("def f():\n    if not a:\n        g = 'x'\n") == ["not a → a"]


def test_a_call_for_its_effect_and_an_addition_are_left_out() -> None:
    assert changes("def f():\n    found.append(a)\n    total += b\n") == [
        "found.append(a) → pass",
        "total += b → pass",
        "total += b → total -= b",
    ]


def test_a_case_of_a_match_is_never_taken() -> None:
    source = "def f(a):\n    match a:\n        case 'x':\n            pass\n        case _:\n            pass\n"
    assert changes(source) == ["case 'x' → case 'x' if False"]


def test_a_function_that_may_give_none_gives_none_and_one_that_says_yes_or_no_says_the_opposite() -> None:
    assert changes("def f() -> int | None:\n    return a\n") == ["a → None"]
    assert changes("def f() -> bool:\n    return g(a)\n") == ["g(a) → not g(a)"]
    assert changes("def f() -> int:\n    return a\n") == []


@pytest.mark.parametrize(
    "source",
    [
        '"""One or 2 things, and not 3."""\n',
        "from __future__ import annotations\nimport a\n",
        "def f(a: tuple[int, 3] | None) -> Literal[1]: pass\n",
        "@dataclass(frozen=True, slots=True)\nclass A:\n    b: int | None\n",
        "def f():\n    assert a is not None\n",
        "def f():\n    raise ValueError(1 + a)\n",
        "Shown = int | None\n",
        "__all__ = [1]\n",
        "def f():\n    return zip(a, b, strict=True)\n",
        "def f():\n    return isinstance(a, int | str)\n",
        "if TYPE_CHECKING:\n    a = 1\n",
        "def f():\n    return f'{a:0>2}'\n",
    ],
)
def test_what_nobody_could_notice_is_left_alone(source: str) -> None:
    assert changes(source) == []


def test_a_mutant_is_named_by_its_outermost_function_and_the_text_of_its_line() -> None:
    source = """
        class A:
            b: bool = True

            def c(self, d=1):
                return [e for e in d if (lambda: e > 1)()]
        """
    found = [(mutant.function, mutant.line, mutant.change) for mutant in mutable(source).mutants]
    assert found[:3] == [
        (AT_MODULE, "b: bool = True", "True → False"),
        (AT_MODULE, "def c(self, d=1):", "1 → 0"),
        (AT_MODULE, "def c(self, d=1):", "1 → 2"),
    ]
    assert {function for function, _, _ in found[3:]} == {"A.c"}


def test_names_stay_the_same_when_lines_are_added_above_and_differ_for_equal_lines() -> None:
    source = "def f():\n    g(a < b)\n    g(a < b)\n"
    names = [mutant.name for mutant in mutable(source).mutants]
    assert len(set(names)) == len(names) == 4
    assert [mutant.name for mutant in mutable("import x\n\n" + source).mutants] == names


def test_the_code_of_a_mutant_differs_in_the_one_change_alone() -> None:
    module = mutable("def f(a, b):\n    return a < b, a > b\n")
    results = []
    for mutant in module.mutants:
        names: dict[str, object] = {}
        exec(module.compiled(mutant), names)
        results.append(names["f"](1, 1))  # type: ignore[operator]
    assert results == [(True, False), (False, True)]


def test_the_code_of_a_method_is_made_in_its_class() -> None:
    module = mutable("class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n")
    names: dict[str, type] = {}
    exec(module.compiled(module.mutants[0]), names)
    assert names["A"]().f() == 0
    assert names["A"].f.__qualname__ == "A.f"
