"""The site policy behind a card: numbers that decided in full, every other number used in one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cds_service.domain.known import KnownNumber
from cds_service.presentation.catalogue import Catalogue
from cds_service.presentation.render import Finding
from cds_service.presentation.words import OurWords, for_markdown


def policy_lines(findings: Iterable[Finding], catalogue: Catalogue) -> list[str]:
    """Markdown lines for all policy numbers that these findings used, each number once."""
    findings = list(findings)
    explained = dict.fromkeys(name for f in findings for name in f.explained_policy)
    others = dict.fromkeys(name for f in findings for name in f.other_policy if name not in explained)
    lines = [_said("policy_line", catalogue.known.policy.described(name), catalogue) for name in explained]
    if others:
        used = [_together(numbers, catalogue) for numbers in _by_family(others, catalogue)]
        lines.append(catalogue.phrases.texts["other_policy"].markdown.render(numbers=OurWords("; ".join(used))))
    return lines


def _by_family(names: Iterable[str], catalogue: Catalogue) -> list[list[KnownNumber]]:
    """The numbers whose names differ in their last part only stand together."""
    families: dict[str, list[KnownNumber]] = {}
    for name in names:
        families.setdefault(name.rpartition(".")[0], []).append(catalogue.known.policy.described(name))
    return list(families.values())


def _together(numbers: list[KnownNumber], catalogue: Catalogue) -> str:
    """One family of numbers: its name once, then what each is called in it."""
    if len(numbers) == 1:
        return _said("policy_number", numbers[0], catalogue)
    family = numbers[0].name.rpartition(".")[0]
    members = (_said("policy_member", replace(n, name=n.name.rpartition(".")[2]), catalogue) for n in numbers)
    return f"`{family}` {', '.join(members)}"


def _said(phrase: str, number: KnownNumber, catalogue: Catalogue) -> str:
    return catalogue.phrases.texts[phrase].markdown.render(
        name=OurWords(number.name),
        value=number.value,
        unit=OurWords("" if number.unit == "ratio" else f" {for_markdown(number.unit)}"),
        because=OurWords(number.because.rstrip(".")),
        is_changed=number.value != number.default,
    )
