"""What README.md shows is what the service answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_service.content_folders import FHIR_FIXTURES

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
ANSWER = json.loads(
    (FHIR_FIXTURES / "hook_responses" / "onasemnogene-order-sign" / "dose-by-formula.json").read_text("utf-8")
)["body"]


@pytest.mark.parametrize("card", ANSWER["cards"], ids=lambda card: card["source"]["topic"]["code"])
def test_the_readme_shows_the_headlines_of_the_real_answer(card: dict[str, str]) -> None:
    assert card["summary"] in README


def test_the_readme_shows_the_dose_the_kit_and_the_suggestion_of_the_real_answer() -> None:
    suggestion = ANSWER["cards"][1]["suggestions"][0]
    assert suggestion["label"] in README
    assert "71894-120-02" in README
    assert "nobody has clinically reviewed" in README.lower()
