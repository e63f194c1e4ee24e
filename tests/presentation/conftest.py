"""Copies of the card files that load in a moment, because many tests load them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from cds_service.content_folders import CARDS

settings.load_profile("ci")  # the same examples on every run, and no deadline on a busy machine

STALE = "dose/weight-stale.md"


@pytest.fixture(scope="session")
def short_cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card files with few words on all cards but one."""
    folder = tmp_path_factory.mktemp("short") / "cards"
    shutil.copytree(CARDS, folder, ignore=shutil.ignore_patterns("cases.yaml"))
    for path in folder.glob("*/*.md"):
        header, mark, _ = path.read_text(encoding="utf-8").partition("\n---\n")
        if mark and path != folder / STALE:
            path.write_text(f"{header}{mark}# Headline\n\nMessage.\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def cards_with_few_codes(short_cards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the shortest list of codes alone."""
    folder = tmp_path_factory.mktemp("few") / "cards"
    shutil.copytree(short_cards, folder)
    for path in (folder / "outside" / "codes").glob("*.yaml"):
        if path.name not in ("routes.yaml", "systems.yaml"):
            path.unlink()
    return folder
