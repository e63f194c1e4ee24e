"""The whole answers to the example patients, as lines to be read and compared: `python -m tests.whole_answers`.

A case says what matters of an answer. What else it holds, every value shown, what it rests on and what it offers, is
kept in tests/whole_answers/ as the service gave it. It was not worked out by hand: a line that changes is to be read
like code, and a line that is wrong is a defect of the service.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from example_patients import Case, cases_by_name, known_of, named_once

from cds_service.domain.answers import Answer
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import PatientFacts, Source
from cds_service.domain.registry import Answers, answer_all
from cds_service.presentation import Catalogue

FOLDER = Path(__file__).parent / "whole_answers"


def told(answer: Answer) -> str:
    """Everything an answer says, in one line."""
    parts = [answer.verdict.value, answer.grade, answer.assurance.value, answer.order_id]
    parts += [f"lacking {_text(missing)}" for missing in answer.missing]
    parts += [f"{name}={_text(value)}" for name, value in sorted(answer.shown.items())]
    parts += [f"rests on {_evidence(item)}" for item in answer.evidence]
    parts += [f"offers {_change(change)}" for change in answer.changes]
    return " | ".join(" ".join(part.split()) for part in parts if part)


def answers_to(case: Case, facts_of: Callable[[Any], PatientFacts], catalogue: Catalogue) -> Answers:
    """The answers to a case of its own rule, and of those that this one sums up."""
    asked = catalogue.rules.only(frozenset({case["rule"]}))
    rules = catalogue.rules if asked.summaries else asked
    return answer_all(facts_of(case.get("given") or {}), known_of(case, catalogue.known), rules)


def told_of(case: Case, answers: Iterable[Answer]) -> list[str]:
    """What the rule of a case answered, one line for each answer."""
    return [told(answer) for answer in answers if answer.rule_id == case["rule"]]


def _evidence(item: Evidence) -> str:
    return ", ".join(part for part in (item.reference, item.name, item.value, item.day, item.status) if part)


def _change(change: Any) -> str:
    stated = [(field.name, getattr(change, field.name)) for field in fields(change)]
    return f"{type(change).__name__}({', '.join(f'{name} {_text(value)}' for name, value in stated if value)})"


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Source):
        return value.value
    if isinstance(value, tuple):
        return "[" + ", ".join(_change(item) if hasattr(item, "__slots__") else _text(item) for item in value) + "]"
    return str(value)


def kept() -> dict[str, list[str]]:
    """The lines of each case by its name, with its topic in front."""
    found: dict[str, list[str]] = {}
    for path in sorted(FOLDER.glob("*.txt")):
        name = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                found[name].append(line.strip())
            elif line:
                name = f"{path.stem}: {line}"
                found[name] = []
    return found


def files_of(lines_of: Iterable[tuple[str, list[str]]]) -> Iterator[tuple[str, str]]:
    """The files to be kept, each a topic with its content."""
    by_topic: dict[str, list[str]] = {}
    for name, lines in lines_of:
        topic, _, case = name.partition(": ")
        by_topic.setdefault(topic, []).append("\n".join([case, *(f"  {line}" for line in lines)]))
    for topic, cases in by_topic.items():
        yield topic, "\n\n".join(cases) + "\n"


def main() -> int:
    """Ask about every example patient, and write down the whole answers."""
    import pytest

    class Writer:
        """A plugin that takes the place of pytest's loop, and lets one test make the fixtures."""

        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            del items[1:]

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_call(self, item: pytest.Function) -> Iterator[None]:
            _write(*(item._request.getfixturevalue(name) for name in ("facts_of", "catalogue")))
            return (yield)

    tests = Path(__file__).parent
    return int(pytest.main(["-q", "-p", "no:cacheprovider", "-n0", f"{tests / 'test_cases.py'}"], plugins=[Writer()]))


def _write(facts_of: Callable[[Any], PatientFacts], catalogue: Catalogue) -> None:
    FOLDER.mkdir(exist_ok=True)
    found = [(name, told_of(case, answers_to(case, facts_of, catalogue))) for name, case in named_once(cases_by_name())]
    for topic, content in files_of(found):
        (FOLDER / f"{topic}.txt").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
