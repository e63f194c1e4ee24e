"""Running tests as plain functions, in the process that asks: for files whose tests need no more than the catalogue."""

from __future__ import annotations

import importlib
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest


def first_failing(path: str, fixtures: Mapping[str, object]) -> str:
    """The id of the first test of this file that fails, or an empty text.

    Parameters are taken from the marks. Tests that ask for other fixtures than these are left out, and so are those
    of random examples. The file is imported anew, so that what it reads on the way is what stands there now.
    """
    file = Path(path)
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    sys.modules.pop(file.stem, None)
    try:
        tests = vars(importlib.import_module(file.stem))
    except Exception as error:
        return f"{path}: {type(error).__name__} while it is read"
    for name, test in tests.items():
        if name.startswith("test_") and inspect.isfunction(test) and not hasattr(test, "is_hypothesis_test"):
            for arguments in _arguments(test, fixtures):
                if not _passes(test, arguments):
                    return f"{path}::{name}"
    return ""


def _passes(test: Callable[..., object], arguments: Mapping[str, object]) -> bool:
    try:
        test(**arguments)
    except (Exception, pytest.fail.Exception):
        return False
    return True


def _arguments(test: Callable[..., object], fixtures: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """What to call the test with, once for each set of parameters; nothing where a fixture is not there."""
    given = [list(_sets(mark)) for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    asked = set(inspect.signature(test).parameters)
    for chosen in itertools.product(*given):
        parameters = {name: value for part in chosen for name, value in part.items()}
        if asked - set(parameters) <= set(fixtures):
            yield parameters | {name: fixtures[name] for name in asked - set(parameters)}


def _sets(mark: pytest.Mark) -> Iterator[dict[str, Any]]:
    names, values = mark.args[:2]
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    for value in values:
        each = value.values if hasattr(value, "values") and hasattr(value, "marks") else value
        yield dict(zip(names, each if len(names) > 1 or each is not value else (each,), strict=True))
