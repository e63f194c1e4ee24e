"""Card text: what comes from a record can form no markup, and a headline is short enough for every client."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markdown_it import MarkdownIt

from cds_service.domain.evidence import Evidence
from cds_service.presentation.markdown import bullets, evidence_lines
from cds_service.presentation.render import fitted
from cds_service.presentation.words import for_markdown, for_plain_text, one_line, words

HOSTILE = [
    "[click](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<https://evil.example>",
    "https://evil.example/x",
    "www.evil.example",
    "WWW.evil.example",
    "someone@evil.example",
    "a | b | c\n---|---|---\n1 | 2 | 3",
    "line\nbreak",
    "line\r\n\r\n# heading",
    "line\u2028separator\u2029here",
    "`code` and ```fence",
    "~~~\nfence",
    "*bold* __under__ ~~struck~~",
    "&lt;script&gt; &#60;b&#62;",
    "\\[not escaped\\](https://evil.example)",
    "[ref]: https://evil.example",
    "[ref][1]",
    "\u202egnp.exe",
    "$$x$$ $y$",
    "#1 heading",
    "<!-- comment -->",
    "{{ 7 * 7 }} {% raw %}",
    "\x00\x07null",
    "<a\nhref=x>",
]
FORBIDDEN = {
    "link_open",
    "image",
    "html_inline",
    "html_block",
    "table_open",
    "fence",
    "code_inline",
    "code_block",
    "heading_open",
    "hr",
    "em_open",
    "strong_open",
    "s_open",
    "softbreak",
    "hardbreak",
}
reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shapes(markdown: str) -> set[str]:
    """Every shape that a Markdown reader sees in the text."""
    tokens = reader.parse(markdown)
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_record_forms_no_markup(text: str) -> None:
    for line in (f"- Value: {for_markdown(text)}", f"- {for_markdown(text)}, and {for_markdown(text)} (x)"):
        assert not shapes(line) & FORBIDDEN, line


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_record_becomes_no_link_by_itself(text: str) -> None:
    for shown in (str(for_markdown(text)), str(for_plain_text(text))):
        assert "://" not in shown
        assert "@" not in shown
        assert "www." not in shown.lower()


@pytest.mark.parametrize("text", HOSTILE)
def test_text_in_a_one_line_field_has_no_brackets_of_markup(text: str) -> None:
    shown = str(for_plain_text(text))
    assert not set(shown) & set("<>[]`|\n\r\x00\u2028\u2029\u202e")


SPECIAL = st.text(
    alphabet=st.sampled_from(list("ab \n\t[]()<>!|`~*_#&;:/.@\\-=+$\"'wtps\u2028\u202e1{}%^")), max_size=40
)


@given(SPECIAL)
def test_no_mixture_of_special_characters_forms_markup(text: str) -> None:
    assert not shapes(f"- Value: {for_markdown(text)}") & FORBIDDEN


@given(SPECIAL)
def test_two_neighbouring_texts_form_no_markup_together(text: str) -> None:
    half = len(text) // 2
    line = f"- {for_markdown('x' + text[:half])} ({for_markdown(text[half:])})"
    assert not shapes(line) & FORBIDDEN


@given(st.text(max_size=60))
def test_text_stays_on_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize("text", ["a|b", "|", "a \\| b", "||"])
def test_text_breaks_no_table_that_it_stands_in(text: str) -> None:
    table = f"| a | b |\n|---|---|\n| {for_markdown(text)} | end |"
    cells = [token.content for token in reader.parse(table) if token.type == "inline"]
    assert cells[-1] == "end"
    assert len(cells) == 4


def test_long_text_is_shortened() -> None:
    assert len(one_line("x" * 100_000)) < 2000


def test_evidence_of_a_record_forms_no_markup() -> None:
    hostile = [Evidence(f"Observation/{text}", text, text, text, text) for text in HOSTILE]
    assert not shapes(bullets(evidence_lines(hostile, {}))) & FORBIDDEN


@pytest.mark.spec("R-197")
def test_evidence_says_what_when_and_where() -> None:
    line = evidence_lines([Evidence("Observation/w1", "Body weight", "3.2 kg", "2026-03-01", "final")], {})[0]
    for part in ("Body weight", "3.2 kg", "2026-03-01", "Observation/w1"):
        assert part in line


def test_evidence_whose_record_has_no_name_gets_ours() -> None:
    assert (
        "Birth date"
        in evidence_lines([Evidence("Patient/1", "birth-date", "2026-01-01")], {"birth-date": "Birth date"})[0]
    )


def test_numbers_and_days_are_shown_plainly() -> None:
    text = words("{{ number }} {{ day }} {{ count }}")
    shown = {"number": Decimal("1.10E+2"), "day": date(2026, 3, 1), "count": 3}
    assert text.plain.render(shown) == text.markdown.render(shown) == "110 2026-03-01 3"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("3.30E14"), "3.30 × 10^14"),
        (Decimal("330000000000000"), "3.30 × 10^14"),
        (Decimal("1.031E14"), "1.031 × 10^14"),
    ],
)
def test_vector_genomes_are_shown_with_their_power_of_ten(value: Decimal, shown: str) -> None:
    assert words("{{ value | power_of_ten }}").plain.render(value=value) == shown


@pytest.mark.parametrize(("value", "shown"), [("2.2", "+2.2"), ("-2.2", "-2.2")])
def test_a_difference_is_shown_with_its_sign(value: str, shown: str) -> None:
    assert words("{{ value | signed }}").plain.render(value=Decimal(value)) == shown


def test_a_hole_that_nothing_fills_is_refused() -> None:
    with pytest.raises(UndefinedError):
        words("{{ weight }}").plain.render(height=1)


def test_text_of_a_record_is_no_template() -> None:
    assert words("{{ name }}").plain.render(name="{{ 7 * 7 }}") == "{{ 7 * 7 }}"


# --- headlines


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@pytest.mark.spec("R-104")
@pytest.mark.parametrize("summary", ["x", "x" * 139, "ab " * 46, "😀" * 69])
def test_a_short_headline_stays_as_it_is(summary: str) -> None:
    assert fitted(summary) == summary


@pytest.mark.spec("R-104")
@pytest.mark.parametrize(
    "summary", ["word " * 40, "x" * 200, "😀 " * 70, "😀" * 100, "é" * 140, "word " * 27 + "x" * 60, "word " * 28]
)
def test_a_long_headline_is_cut_below_140_units(summary: str) -> None:
    cut = fitted(summary)
    assert 0 < units(cut) < 140
    assert cut.strip()


@pytest.mark.spec("R-104")
def test_a_headline_is_cut_between_words_and_says_that_it_is_cut() -> None:
    cut = fitted("Change dose " * 20)
    assert cut.endswith("…")
    assert cut.removesuffix("…").split() == ["Change", "dose"] * (len(cut.split()) // 2) + ["Change"] * (
        len(cut.split()) % 2
    )


@pytest.mark.spec("R-104")
@given(st.text(max_size=400))
def test_every_headline_ends_up_short_enough(summary: str) -> None:
    assert units(fitted(summary)) < 140


@pytest.mark.spec("R-104")
def test_a_cut_never_leaves_half_a_character() -> None:
    fitted("😀" * 100).encode("utf-8")
    fitted("word " * 26 + "😀" * 20).encode("utf-8")
