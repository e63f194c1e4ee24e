"""Putting a mutant in the place of running code: its functions get the mutant's code, whoever holds them."""

from __future__ import annotations

import functools
import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from types import CodeType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from .code_mutants import AT_MODULE

Functions = dict[tuple[str, str], list[FunctionType]]
# The package whose modules keep what they calculated before.
KEEPING = "cds_service"
_PLAIN = (bool, int, str, tuple, frozenset, dict, list, type(None))


def functions_below(package: str) -> Functions:
    """Every function that lives in a package, by its module and its qualified name: decorated, imported or kept."""
    found: Functions = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__module__ and thing.__module__.startswith(package):
            found[thing.__module__, thing.__code__.co_qualname].append(thing)
    return found


@contextmanager
def in_place(module: str, code: CodeType, living: Functions) -> Iterator[None]:
    """Let a function's code be that of the mutant for a while, and everything be as it was afterwards."""
    before = [(function, function.__code__) for function, _ in _swaps(module, code, living)]
    for function, mutated in _swaps(module, code, living):
        function.__code__ = mutated
    forget_everything()
    try:
        yield
    finally:
        for function, original in before:
            function.__code__ = original
        forget_everything()


def put_in_place(module: str, function: str, code: CodeType, living: Functions) -> None:
    """Let the code of this process be that of the mutant, for good; to be done in a process of its own."""
    if function == AT_MODULE:
        _graft(module, code, living)
    for swapped, mutated in [] if function == AT_MODULE else _swaps(module, code, living):
        swapped.__code__ = mutated
    forget_everything()


def _swaps(module: str, code: CodeType, living: Functions) -> list[tuple[FunctionType, CodeType]]:
    return [
        (function, inner)
        for inner in _codes_in(code)
        for function in living.get((module, inner.co_qualname), [])
        if function.__code__.co_freevars == inner.co_freevars
    ]


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)


def _graft(module: str, code: CodeType, living: Functions) -> None:
    """What stands outside of functions: run the mutated module beside the old one, and take over what came out other."""
    old = sys.modules[module]
    new = ModuleType(module)
    new.__dict__.update(__file__=old.__file__, __package__=old.__package__)
    sys.modules[module] = new  # dataclasses look their module up
    exec(code, new.__dict__)
    sys.modules[module] = old
    for name, value in vars(new).items():
        if name.startswith("__"):
            continue
        before = vars(old)[name]
        if isinstance(value, FunctionType):
            _take_defaults(before, value)
        elif isinstance(value, type) and value.__module__ == module:
            _take_members(before, value)
        elif isinstance(value, _PLAIN) or type(value).__module__ != module:
            _replace_everywhere(name, before, value)
    for (where, name), functions in living.items():
        if where == module and "<lambda>" in name:
            _take_lambda(functions, name, code)


def _take_defaults(before: Any, after: FunctionType) -> None:
    if isinstance(before, FunctionType):
        before.__defaults__, before.__kwdefaults__ = after.__defaults__, after.__kwdefaults__


def _take_members(before: Any, after: type) -> None:
    if issubclass(after, Enum):
        for member in after:
            before[member.name].__dict__.update(member.__dict__)
        return
    for name, member in vars(after).items():
        mine = vars(before).get(name)
        if name == "__dataclass_fields__" and mine is not None:
            mine.update(member)
        for inside in ("", "__func__", "__wrapped__"):
            plain, mutated = (getattr(each, inside, None) if inside else each for each in (mine, member))
            if isinstance(mutated, FunctionType):
                _take_defaults(plain, mutated)
                _take_generated(plain, mutated)


def _take_generated(before: Any, after: FunctionType) -> None:
    """The code that a dataclass writes by its fields, which stands in no file."""
    is_generated = after.__code__.co_filename == "<string>"
    if is_generated and isinstance(before, FunctionType) and before.__code__.co_freevars == after.__code__.co_freevars:
        before.__code__ = after.__code__


def _take_lambda(functions: list[FunctionType], name: str, code: CodeType) -> None:
    codes = [inner for inner in _codes_in(code) if inner.co_qualname == name]
    for function in functions:
        function.__code__ = next(
            (inner for inner in codes if inner.co_firstlineno == function.__code__.co_firstlineno), function.__code__
        )


def _replace_everywhere(name: str, before: Any, after: Any) -> None:
    for module in [found for found in sys.modules.values() if _is_below(found, KEEPING)]:
        if vars(module).get(name) is before:
            setattr(module, name, after)


def forget_everything() -> None:
    """Drop what the project has kept of earlier calls, so that all is calculated anew."""
    for module in [found for found in sys.modules.values() if _is_below(found, KEEPING)]:
        for value in vars(module).values():
            if isinstance(value, (WeakKeyDictionary, functools._lru_cache_wrapper)):
                value.clear() if isinstance(value, WeakKeyDictionary) else value.cache_clear()


def _is_below(module: ModuleType, package: str) -> bool:
    name = getattr(module, "__name__", "")
    return name == package or name.startswith(f"{package}.")
