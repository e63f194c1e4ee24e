"""docs/feedback.md shows feedback as it is taken, and names reasons, policy and report as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service import report_printing
from cds_service.presentation import Catalogue
from cds_service.store.tables import LONGEST_COMMENT, LONGEST_TEXT

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "feedback.md").read_text("utf-8")
EXAMPLES = re.findall(r"(?ms)^```json\n(.*?)^```", PAGE)


@pytest.mark.parametrize("written", EXAMPLES, ids=lambda text: json.loads(text)["feedback"][0]["outcome"])
def test_the_examples_are_taken(client: FlaskClient, written: str) -> None:
    response = client.post(
        "/cds-services/onasemnogene-order-sign/feedback", data=written, content_type="application/json"
    )
    assert (response.status_code, response.data) == (200, b"")


def test_the_reason_of_the_example_is_one_that_cards_offer(catalogue: Catalogue) -> None:
    (reason,) = [
        item["overrideReason"]["reason"]
        for text in EXAMPLES
        for item in json.loads(text)["feedback"]
        if "overrideReason" in item
    ]
    codes = [code for code, _ in catalogue.phrases.override_reasons]
    assert reason["code"] in codes
    assert reason["system"] == "http://127.0.0.1:8000/CodeSystem/override-reasons"
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| reasons |")]
    assert re.findall(r"`([a-z-]+)`", row) == codes


def test_the_policy_is_as_said(catalogue: Catalogue) -> None:
    for name in ("acknowledgement.quiet_days", "feedback.store_comments"):
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}`")]
        assert row.split("|")[2].strip() == str(catalogue.known.policy.whole(name))
    assert f"not shown again for {catalogue.known.policy.whole('acknowledgement.quiet_days')} days" in PAGE
    assert f"up to {LONGEST_COMMENT} characters" in PAGE
    assert f"{LONGEST_TEXT} characters at most" in PAGE


def test_the_report_has_the_columns_that_are_shown() -> None:
    heading = next(line for line in PAGE.splitlines() if line.startswith("┃ Topic"))
    assert tuple(cell.strip() for cell in heading.split("┃")[2:-2]) == report_printing._HEADINGS
