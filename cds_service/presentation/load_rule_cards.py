"""Reading the card files: one Markdown file for each rule, a header and the words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cds_service.domain.known import Known, Provenance
from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.catalogue import HEADINGS, HOOKS, URGENCIES, Grade, RuleCard
from cds_service.presentation.words import words_in
from cds_service.presentation.yaml_files import load_yaml_text, read_text

BASES = tuple(kind.value for kind in Provenance)
_HEADER = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
USES = ("label", "policy", "outside")


def load_topic(folder: Path, topic: str, known: Known) -> list[RuleCard]:
    """The cards of one topic's folder. Raises ContentProblem with the file, the fault and the remedy."""
    return [_rule_card(path, topic, known) for path in sorted(folder.glob("*.md"))]


def _rule_card(path: Path, topic: str, known: Known) -> RuleCard:
    match = _HEADER.match(read_text(path))
    if match is None:
        raise ContentProblem(f"{path}: has no header; begin with --- lines as in TEMPLATE.md")
    header = checks.require_fields(
        path,
        load_yaml_text(match[1], path),
        ("title", "phase", "hooks", "grades", "uses", "reviewed"),
        ("section", "basis", "explains", "never_milder", "never_unknown", "reminder", "leads"),
    )
    headline, message, paragraphs = _body(path, match[2])
    basis = checks.require_one_of(path, "basis", header.get("basis", "label"), BASES)
    return RuleCard(
        rule_id=path.stem,
        title=checks.require_text(path, "title", header["title"]),
        topic=topic,
        section=checks.require_quoted_section(path, header.get("section", "")),
        phase=str(header["phase"]),
        hooks=frozenset(checks.require_one_of(path, "hooks", hook, HOOKS) for hook in _texts(path, header, "hooks")),
        grades={str(n): _grade(path, n, g, basis) for n, g in _grades(path, header["grades"]).items()},
        is_never_milder=header.get("never_milder", False) is True,
        leads=header.get("leads", False) is True,
        is_reminder=header.get("reminder", False) is True,
        uses=_uses(path, header["uses"] or {}, known),
        explains=tuple(
            checks.require_one_of(path, "explains", name, known.policy) for name in _texts(path, header, "explains")
        ),
        never_unknown=str(header.get("never_unknown", "")),
        reviewed=checks.require_text(path, "reviewed", header["reviewed"]),
        headline=words_in(path, headline),
        message=words_in(path, message),
        paragraphs={heading: words_in(path, text) for heading, text in paragraphs.items()},
    )


def _texts(path: Path, header: Mapping[str, Any], field: str) -> list[str]:
    return checks.require_texts(f"{path}: {field}", header.get(field, []))


def _grades(path: Path, given: Any) -> Mapping[str, Any]:
    if not checks.require_mapping(f"{path}: grades", given):
        raise ContentProblem(f"{path}: grades is empty; name at least one grade and its urgency")
    return checks.require_mapping(f"{path}: grades", given)


def _grade(path: Path, name: str, given: Any, basis: str) -> Grade:
    where = f"{path}: grade {name}"
    if isinstance(given, str):
        given = {"urgency": given}
    checks.require_fields(where, given, ("urgency",), ("basis", *HOOKS))
    return Grade(
        urgency=checks.require_one_of(where, "urgency", given["urgency"], URGENCIES),
        basis=checks.require_one_of(where, "basis", given.get("basis", basis), BASES),
        on_hook={h: checks.require_one_of(where, h, given[h], URGENCIES) for h in HOOKS if h in given},
    )


def _uses(path: Path, given: Any, known: Known) -> dict[str, tuple[str, ...]]:
    checks.require_fields(f"{path}: uses", given, (), USES)
    uses = {kind: tuple(checks.require_texts(f"{path}: uses: {kind}", given.get(kind, []))) for kind in USES}
    for kind, names in uses.items():
        for name in names:
            checks.require_one_of(f"{path}: uses", kind, name, getattr(known, kind))
    return uses


def _body(path: Path, text: str) -> tuple[str, str, dict[str, str]]:
    """The headline, the message under it, and the paragraphs by sub-heading."""
    first, *rest = re.split(r"^## ", text.strip(), flags=re.MULTILINE)
    headline, _, message = first.partition("\n")
    if not headline.startswith("# ") or not message.strip():
        raise ContentProblem(f"{path}: begin with a # headline and a message below it, as in TEMPLATE.md")
    paragraphs = {}
    for part in rest:
        heading, _, paragraph = part.partition("\n")
        checks.require_one_of(path, "sub-heading", heading.strip(), HEADINGS)
        paragraphs[heading.strip()] = paragraph.strip()
    return headline[2:].strip(), message.strip(), paragraphs
