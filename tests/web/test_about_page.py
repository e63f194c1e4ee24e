"""What this decision support says of itself: complete, honest, the same for people and for machines."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from page_parts import PageParts

from cds_service import __version__
from cds_service.content_folders import CARDS
from cds_service.presentation import Catalogue
from cds_service.presentation.rule_set import rule_set_digest

# Source attributes of 45 CFR 170.315(b)(11)(iv), as the regulation counts them.
EVIDENCE_BASED = {f"(A)({number})" for number in range(1, 14)}
PREDICTIVE = {
    f"(B)({number})({part})"
    for number, parts in (
        (1, ("i", "ii", "iii", "iv")),
        (2, ("i", "ii", "iii", "iv")),
        (3, ("i", "ii")),
        (4, ("i", "ii", "iii", "iv")),
        (5, ("i", "ii")),
        (6, ("i", "ii", "iii", "iv")),
        (7, ("i", "ii", "iii", "iv", "v")),
        (8, ("i", "ii", "iii", "iv")),
        (9, ("i", "ii")),
    )
    for part in parts
}


@pytest.fixture
def about(client: FlaskClient) -> dict[str, Any]:
    response = client.get("/about", headers={"Accept": "application/json"})
    assert response.status_code == 200
    return response.json  # type: ignore[no-any-return]


def said(about: dict[str, Any], code: str) -> str:
    (entry,) = [item for item in about["attributes"] if item["code"] == code]
    return " ".join(entry["says"])


def test_every_source_attribute_that_certification_asks_for_is_answered(about: dict[str, Any]) -> None:
    entries = [*about["attributes"], *about["demographics"]]
    assert {place for entry in entries for place in entry["askedIn"]} == EVIDENCE_BASED | PREDICTIVE
    assert all(entry["says"] for entry in entries)


def test_it_says_that_nobody_has_reviewed_validated_or_paid_for_it(about: dict[str, Any]) -> None:
    assert "Nobody has clinically reviewed this software" in about["notReviewed"]
    assert "Nobody has clinically reviewed this software" in said(about, "purpose")
    assert said(about, "validation").startswith("None.")
    assert said(about, "performance").startswith("None")
    assert said(about, "funding").startswith("None is declared.")


def test_it_names_the_label_and_the_rule_set_in_force(about: dict[str, Any], catalogue: Catalogue) -> None:
    label, rule_set = about["label"], about["ruleSet"]
    assert (label["product"], label["revision"]) == ("ZOLGENSMA", "2/2025")
    assert label["rulesCheckedOn"] == catalogue.identity.rules_checked_on.isoformat()
    assert rule_set == {
        "version": __version__,
        "sha256": rule_set_digest(CARDS),
        "rules": len(catalogue.cards),
        "changedPolicy": [],
    }
    assert catalogue.identity.url in said(about, "citation")
    assert f"{len(catalogue.cards)} rules" in said(about, "dates")


def test_of_what_describes_a_person_only_the_birth_date_is_used(about: dict[str, Any]) -> None:
    assert [item["code"] for item in about["demographics"] if item["isUsed"]] == ["date-of-birth"]
    assert len(about["demographics"]) == 9


def test_the_readers_of_a_record_read_no_item_that_is_said_to_be_unused() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (CARDS.parent / "cds_service").rglob("fhir/*.py"))
    for member in ("gender", "us-core-race", "us-core-ethnicity", "communication", "genderIdentity", "birthsex"):
        assert f'"{member}"' not in source, member


def test_the_page_and_the_document_agree(client: FlaskClient, about: dict[str, Any]) -> None:
    page = PageParts(client.get("/about").text)
    assert page.open == []
    for entry in about["attributes"]:
        for text in (entry["title"], *entry["says"]):
            assert text in page.text
    for item in about["demographics"]:
        assert re.search(
            rf"{item['title']}\s*{'yes' if item['isUsed'] else 'no'}\s*{re.escape(item['says'])}", page.text
        )
    assert about["ruleSet"]["sha256"] in page.text


def test_nothing_on_it_calls_the_product_or_a_child_safe_or_cleared(client: FlaskClient) -> None:
    words = re.findall(r"[a-z]+", PageParts(client.get("/about").text).text.lower())
    assert not {"safe", "cleared", "contraindicated", "effective"} & set(words)


# --- the fingerprint


def test_the_fingerprint_changes_with_any_card_file_and_with_no_other(tmp_path: Path) -> None:
    copies = [Path(shutil.copytree(CARDS, tmp_path / name)) for name in ("same", "words", "number", "page")]
    same, words, number, page = copies
    for path, old, new in (
        (words / "dose/weight-stale.md", "Weigh again", "Weigh soon"),
        (number / "label/table_1_dose.csv", "16.5", "16.6"),
        (page / "README.md", "pharmacist", "reader"),
    ):
        path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    assert rule_set_digest(same) == rule_set_digest(CARDS) == rule_set_digest(page)
    assert len({rule_set_digest(folder) for folder in (same, words, number)}) == 3
