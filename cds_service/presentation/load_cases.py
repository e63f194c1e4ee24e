"""Reading the example patients of the rules, for those who look a rule up; no call needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.presentation import checks
from cds_service.presentation.catalogue import TOPICS
from cds_service.presentation.yaml_files import load_yaml

_OPTIONAL = ("given", "policy", "values")


@dataclass(frozen=True, slots=True)
class Case:
    """One example patient of a rule: what sets it apart, and how the rule answers, such as `fires stale`."""

    name: str
    expect: str


@cache
def load_cases(folder: Path) -> Mapping[str, tuple[Case, ...]]:
    """The cases of every rule by its id, in the order of the files; read once in a process, since files do not change.

    Raises ContentProblem with the file, the fault and the remedy.
    """
    cases: dict[str, list[Case]] = {}
    for path in (folder / topic / "cases.yaml" for topic in TOPICS):
        for entry in checks.require_list(path, load_yaml(path)):
            rule_id, case = _case(path, entry)
            cases.setdefault(rule_id, []).append(case)
    return {rule_id: tuple(of_rule) for rule_id, of_rule in cases.items()}


def _case(path: Path, entry: Any) -> tuple[str, Case]:
    given = checks.require_fields(path, entry, ("rule", "name", "expect"), _OPTIONAL)
    where = f"{path}: {given['name']}"
    return checks.require_text(where, "rule", given["rule"]), Case(
        checks.require_text(where, "name", given["name"]), checks.require_text(where, "expect", given["expect"])
    )
