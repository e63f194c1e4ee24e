"""What a card says of the kit at both edges of every band: volume, kit and vials, as the label's Tables 1 and 3 print them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from label_transcription import TABLE_1, TABLE_3

from cds_service.domain.facts import PatientFacts
from cds_service.domain.registry import answer_all
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
NAMES = ("expected_volume_ml", "small_vials", "large_vials", "total_vials", "expected_ndc")
ROWS = [(*dose[:2], (dose[2], *(str(cell) for cell in kit[2:]))) for dose, kit in zip(TABLE_1, TABLE_3, strict=True)]


@pytest.mark.parametrize(("lightest", "heaviest", "printed"), ROWS)
def test_both_edges_of_a_band_get_its_volume_its_kit_and_its_vials(
    facts_of: FactsOf, catalogue: Catalogue, lightest: str, heaviest: str, printed: tuple[str, ...]
) -> None:
    for weight in (lightest, heaviest):
        facts = facts_of({"weight": f"{weight} kg", "draft": {"dose": "1 mL"}})
        (dose,) = answer_all(facts, catalogue.known, catalogue.rules.only(frozenset({"dose-volume"})))
        assert tuple(str(dose.shown[name]) for name in NAMES) == printed
