"""Broken words of the timeline: the start is refused, and one line names the file, the fault and the remedy."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.errors import ContentProblem
from cds_service.presentation import load_catalogue
from cds_service.presentation.site_files import SiteCodes, SitePolicy

WORDS = "shared/course.yaml"
# What stands there, what is put in its place, and what the message must say.
BROKEN: dict[str, tuple[str, str, str]] = {
    "a text is missing": ("not_reviewed:", "reviewed:", "field not_reviewed is missing; add it"),
    "a text is empty": ("no_state: no infusion day on record, so the course cannot be placed", 'no_state: ""', "no_state: is empty"),
    "a phase has no words": ("  held: taper held or dose raised again\n", "", "field held is missing; add it"),
    "a phase nobody knows": ("  held: taper held", "  paused: waiting\n  held: taper held", "field paused is unknown"),
    "a state without its letter": ("  taper-held: S8\n", "", "field taper-held is missing"),
    "a source without words": ("  not-given: recorded as not given\n", "", "field not-given is missing"),
    "a status without words": ("  overdue: overdue\n", "", "field overdue is missing"),
    "a series without a name": ("  troponin_i: Troponin I\n", "", "field troponin_i is missing"),
    "a reason without words": ("  zero: it is", "  nought: it is", "field zero is missing"),
    "an infusion state without words": ("  presumed: ", "  supposed: ", "field presumed is missing"),
    "a planned day without words": ("  end-of-course:\n", "  end-of-days:\n", "field end-of-course is missing"),
    "a section without quotes": ('    section: "17"', "    section: 17", 'is not in quotes; write section: "17"'),
    "a line at a number nobody wrote down": ("label.liver_seen_times_uln", "label.liver_seen", "is no number of the card files"),
    "a line at a number of no kind": ("label.liver_seen_times_uln", "liver_seen_times_uln", "is no number of the card files"),
    "a line across a test that is not drawn": ("series: [troponin_i]", "series: [troponin_t]", "series is troponin_t; use one of"),
    "a line on a scale nobody draws": ("    scale: value\n", "    scale: log\n", "scale is log; use one of"),
    "the own limit across a test that is not drawn": ("[total_bilirubin, prothrombin_time, inr]", "[ldh]", "series is ldh; use one of"),
    "a template that is none": ("{{ part }}: none since", "{{ part }: none since", "correct the {{ }} or {% %}"),
    "a heading that is no text": ("  today: today\n", "  today: 1\n", "today: is empty; say it in words"),
}  # fmt: skip


@pytest.fixture
def cards(cards_with_few_codes: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(cards_with_few_codes, tmp_path / "cards"))


@pytest.mark.parametrize("case", BROKEN)
def test_the_start_is_refused(cards: Path, case: str) -> None:
    old, new, says = BROKEN[case]
    path = cards / WORDS
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentProblem) as refused:
        load_catalogue(cards, SitePolicy(), SiteCodes())
    assert says in str(refused.value)
    assert WORDS in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_site_that_changed_a_number_has_its_line_there(cards: Path) -> None:
    changed = load_catalogue(cards, SitePolicy("site.toml", {"platelet.low": Decimal(140)}), SiteCodes())
    values = [line.number.value for line in changed.course.lines if line.number is not None]
    assert 140 in values
