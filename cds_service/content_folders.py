"""Where `cards/` and `fhir_fixtures/` are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_content"
_ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent

CARDS = _ROOT / "cards"
FHIR_FIXTURES = _ROOT / "fhir_fixtures"
