"""A card's detail for a client that shows it as it stands: the same words, without any Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_card_text import HOSTILE

from cds_service.presentation import plain_text
from cds_service.presentation.markdown import bullets
from cds_service.presentation.words import for_markdown, for_plain_text

DETAIL = r"""**What the record shows**

- Order says 14.3 mL; Table 1 gives 16.5 mL for 2.6-3.0 kg.
- Body weight: 2.6 kg, 2026-03-01 (Observation/w\_1)

**Site policy, not in the label**

- Also used: `infusion.rate.tolerance` 0.01.
- Counted in
  whole days.

Advisory only."""
PLAIN = """What the record shows

- Order says 14.3 mL; Table 1 gives 16.5 mL for 2.6-3.0 kg.
- Body weight: 2.6 kg, 2026-03-01 (Observation/w_1)

Site policy, not in the label

- Also used: infusion.rate.tolerance 0.01.
- Counted in whole days.

Advisory only."""


def test_headings_lists_code_and_escapes_become_text() -> None:
    assert plain_text(DETAIL) == PLAIN


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("", ""),
        ("A sentence.", "A sentence."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
        ("- one\n- two", "- one\n- two"),
        ("- one\n\n- two", "- one\n- two"),
        ("- one\n  - inside\n- two", "- one\n  - inside\n- two"),
        ("- one\n\n  more of it", "- one\n  more of it"),
        ("1 < 2 and 3 > 2", "1 ‹ 2 and 3 › 2"),
        ("a <b>c</b> | d", "a ‹b›c‹/b› / d"),
        (r"3 \* 4 \_ 5 \\ 6", r"3 * 4 _ 5 \ 6"),
        ("# Heading\n\n    code\n\nEnd", "Heading\n\ncode\n\nEnd"),
    ],
)
def test_each_shape_of_markdown_is_readable_as_text(markdown: str, plain: str) -> None:
    assert plain_text(markdown) == plain


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_forms_no_markup_for_a_client_that_looks_for_it(text: str) -> None:
    shown = plain_text(bullets([f"Found: {for_markdown(text)}"]))
    assert not set("<>[]`|\n") & set(shown)
    assert "://" not in shown
    assert "www." not in shown.lower()


@given(st.text())
def test_foreign_text_reads_as_in_the_one_line_fields(text: str) -> None:
    assert plain_text(bullets([f"Found: {for_markdown(text)}."])) == f"- Found: {for_plain_text(text)}."
