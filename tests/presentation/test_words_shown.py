"""Words of a card file for somebody who reads the rule: placeholders as such, foreign marks made harmless."""

from __future__ import annotations

import pytest

from cds_service.presentation.words_shown import headline_shown, words_shown


def test_a_value_stands_as_a_placeholder() -> None:
    assert headline_shown("Weigh again: {{ days }} days old") == (
        'Weigh again: <span class="placeholder">days</span> days old'
    )


def test_a_condition_is_said_in_words_around_what_it_chooses() -> None:
    shown = headline_shown("{% if a %}one{% elif b > 2 %}two{% else %}three{% endif %}")
    said = [part.partition("]")[0] for part in str(shown).split("[")[1:]]
    assert said == ["if a", "or if b &gt; 2", "otherwise", "end"]


def test_a_condition_on_a_line_of_its_own_leaves_lists_lists() -> None:
    shown = str(words_shown("{% if a %}\n- first\n{% else %}\n- second\n{% endif %}"))
    assert shown.count("<li>") == 2
    assert "<li>first</li>" in shown
    assert '<p><span class="choice">[otherwise]</span></p>' in shown


def test_a_loop_is_said_in_words() -> None:
    shown = str(words_shown('{% for line in trend.split("; ") if line %}\n- {{ line }}\n{% endfor %}'))
    assert "[for each line in trend.split(&#34;; &#34;) if line]" in shown
    assert '<li><span class="placeholder">line</span></li>' in shown


@pytest.mark.parametrize("show", [headline_shown, words_shown])
@pytest.mark.parametrize(
    "text", ["<script>x</script>", "<img src=x onerror=y>", '{{ "<b>" }}', '{% if a == "<i>" %}a{% endif %}']
)
def test_no_text_becomes_an_element(show: object, text: str) -> None:
    shown = str(show(text))  # type: ignore[operator]
    for element in ("<script", "<img", "<b>", "<i>"):
        assert element not in shown


def test_markdown_is_rendered_around_placeholders() -> None:
    assert str(words_shown("**Now** {{ a }} (2.1).")) == (
        '<p><strong>Now</strong> <span class="placeholder">a</span> (2.1).</p>\n'
    )
