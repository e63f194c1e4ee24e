"""What one rule answers to a child, for tests that ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cds_service.domain.answers import Answer
from cds_service.domain.facts import PatientFacts

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
Ask = Callable[..., tuple[Answer, ...]]


def about(answers: tuple[Answer, ...], analyte: str) -> Answer:
    return next(answer for answer in answers if answer.shown.get("analyte") == analyte)


def said(answer: Answer, *names: str) -> tuple[str, ...]:
    return tuple(str(answer.shown[name]) for name in names)
