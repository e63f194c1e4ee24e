"""The few Markdown shapes that cards are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.domain.evidence import Evidence
from cds_service.presentation.words import for_markdown, short


def evidence_lines(evidence: Iterable[Evidence], names: Mapping[str, str]) -> list[str]:
    """One line for each datum: name, value, day, status, and where it stands in the record.

    `names` gives a name to data whose own record has none.
    """
    lines = []
    for item in evidence:
        name = for_markdown(names.get(item.name, item.name))
        parts = [str(for_markdown(part)) for part in (item.value, item.day, item.status) if part]
        named = f"{name}: {', '.join(parts)}" if parts else str(name)
        lines.append(f"{named} ({for_markdown(short(item.reference))})")
    return lines


def short_evidence(evidence: Iterable[Evidence], names: Mapping[str, str]) -> list[str]:
    """The same on a checklist line: value, day and reference, with the name only where there is no value."""
    return [
        ", ".join(
            str(for_markdown(part))
            for part in (item.value or names.get(item.name, item.name), item.day, short(item.reference))
            if part
        )
        for item in evidence
    ]


def bullets(lines: Iterable[str]) -> str:
    """Lines as a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)
