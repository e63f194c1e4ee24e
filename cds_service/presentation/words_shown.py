"""The words of a card file for somebody who reads the rule, not a child's card: its placeholders shown as such."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

_reader = MarkdownIt("commonmark", {"html": False})
_TAG = re.compile(r"\{\{-?\s*(?P<value>.*?)\s*-?\}\}|\{%-?\s*(?P<choice>.*?)\s*-?%\}", re.DOTALL)
_TAGS_ALONE = re.compile(r"^[ \t]*((?:\{%.*?%\}[ \t]*)+)$", re.MULTILINE)
# Characters that stand for nothing in any text: they keep the place of a placeholder while Markdown is rendered.
_OPEN, _CLOSE = "\ue000", "\ue001"
_KEPT = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_SAID = {"else": "otherwise", "endif": "end", "endfor": "end"}
_BEGINNINGS = (("elif ", "or if "), ("for ", "for each "))


def headline_shown(source: str) -> Markup:
    """One line of a card file as HTML, without Markdown."""
    tags = _tags(source)
    return _with_tags(str(escape(_kept(source))), tags)


def words_shown(source: str) -> Markup:
    """Words of a card file as HTML: values in braces as placeholders, conditions in words around what they choose."""
    apart = _TAGS_ALONE.sub(r"\n\1\n", source)
    return _with_tags(_reader.render(_kept(apart)), _tags(apart))


def _tags(source: str) -> list[Markup]:
    return [_tag(match) for match in _TAG.finditer(source)]


def _tag(match: re.Match[str]) -> Markup:
    if match["value"] is not None:
        return Markup('<span class="placeholder">{}</span>').format(match["value"])
    return Markup('<span class="choice">[{}]</span>').format(_in_words(match["choice"]))


def _in_words(choice: str) -> str:
    for beginning, said in _BEGINNINGS:
        if choice.startswith(beginning):
            return said + choice.removeprefix(beginning)
    return _SAID.get(choice, choice)


def _kept(source: str) -> str:
    numbers = iter(range(len(source)))
    return _TAG.sub(lambda _: f"{_OPEN}{next(numbers)}{_CLOSE}", source)


def _with_tags(html: str, tags: list[Markup]) -> Markup:
    return Markup(_KEPT.sub(lambda match: str(tags[int(match[1])]), html))
