"""The example patients of cards/*/cases.yaml, and whether the answers are those that a case expects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from cds_service.content_folders import CARDS
from cds_service.domain.answers import Answer, Assurance, Verdict
from cds_service.domain.known import Known, Numbers
from cds_service.domain.quantities import plain
from cds_service.presentation.yaml_files import load_yaml

Case = dict[str, Any]
ASSURANCE = {"verified": Assurance.VERIFIED, "to attest": Assurance.ATTEST}


def cases_by_name() -> list[tuple[str, Case]]:
    """Every case with its topic and name, in the order of the files."""
    files = sorted(CARDS.glob("*/cases.yaml"))
    return [(f"{path.parent.name}: {case['name']}", case) for path in files for case in load_yaml(path)]


def named_once(cases: Iterable[tuple[str, Case]]) -> Iterator[tuple[str, Case]]:
    """The same cases; a name that stands twice says so the second time."""
    seen: set[str] = set()
    for name, case in cases:
        while name in seen:
            name = f"{name} (again)"
        seen.add(name)
        yield name, case


def known_of(case: Case, known: Known) -> Known:
    """The numbers of the card files, with the site policy that the case names."""
    changed = {name: Decimal(str(value)) for name, value in case.get("policy", {}).items()}
    if not changed:
        return known
    described = {name: known.policy.described(name) for name in known.policy}
    described |= {name: replace(described[name], value=value) for name, value in changed.items()}
    return replace(known, policy=Numbers(described))


def is_answered(case: Case, about: Iterable[Answer]) -> bool:
    """Whether one of the answers of the case's rule is the expected one, and none says more where it is to be silent."""
    about = list(about)
    if not any(_matches(answer, case["expect"], case.get("values", {})) for answer in about):
        return False
    says_nothing = case["expect"].startswith("silent") and "values" not in case
    return not says_nothing or all(answer.verdict is Verdict.SILENT for answer in about)


def _matches(answer: Answer, expect: str, values: dict[str, str]) -> bool:
    verdict, _, rest = expect.partition(" ")
    if answer.verdict is not Verdict(verdict):
        return False
    if verdict == "silent" and rest and answer.assurance is not ASSURANCE[rest]:
        return False
    if verdict != "silent" and answer.grade != rest:
        return False
    shown = {name: _text(value) for name, value in answer.shown.items()}
    return all(shown.get(name) == text for name, text in values.items())


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else str(value)
