"""Reading the words of the pages about rules."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from cds_service.presentation import checks
from cds_service.presentation.catalogue import PageWords
from cds_service.presentation.load_rule_cards import BASES, USES
from cds_service.presentation.yaml_files import load_mapping

PHASES = ("P0", "P1", "P2", "P3", "P4", "P5", "all")


def load_page_words(path: Path) -> PageWords:
    """The words by code, exactly those there are. Raises ContentProblem with the file, the fault and the remedy."""
    given = checks.require_fields(path, load_mapping(path), ("phases", "bases", "numbers"))
    return PageWords(
        phases=_texts(f"{path}: phases", given["phases"], PHASES),
        bases=_texts(f"{path}: bases", given["bases"], BASES),
        numbers=_texts(f"{path}: numbers", given["numbers"], USES),
    )


def _texts(where: str, given: Any, codes: Collection[str]) -> dict[str, str]:
    checks.require_fields(where, given, codes)
    return {code: checks.require_text(where, code, given[code]) for code in codes}
