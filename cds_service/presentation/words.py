"""Card text: templates with refused holes, and foreign text made harmless before it stands on a card.

Text from a record can form no link, image, HTML, table or line break on a card (interfaces section 5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from unicodedata import category

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError
from jinja2.runtime import Context

from cds_service.domain.quantities import plain
from cds_service.errors import ContentProblem
from cds_service.presentation.catalogue import Words

_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&#!$])")
_LIST_MARKER = re.compile(r"^([0-9]*)([.)+-])(?=\s|$)")
_MARKUP = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "`": "'", "|": "/"})
_LINKING = (
    (re.compile(r"://"), ": //"),
    (re.compile(r"(?i)www\."), "www ."),
    (re.compile(r"@"), " at "),
)
_NOT_ONE_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_LONGEST_FOREIGN_TEXT = 1000
_LONGEST_REFERENCE = 48


def one_line(text: str) -> str:
    """Foreign text on one line, shortened, and with nothing left in it that becomes a link by itself."""
    if _is_one_harmless_line(text):
        return text
    flat = _NOT_ONE_LINE.sub(" ", text).strip()
    if not flat.isascii():
        flat = "".join(character for character in flat if category(character) != "Cf")
    for pattern, harmless in _LINKING:
        flat = pattern.sub(harmless, flat)
    return flat if len(flat) <= _LONGEST_FOREIGN_TEXT else flat[: _LONGEST_FOREIGN_TEXT - 1] + "…"


def _is_one_harmless_line(text: str) -> bool:
    """Whether nothing has to be done to a text: a quick look, because that is so of nearly every one of a hundred."""
    return (
        text.isascii()
        and text.isprintable()
        and len(text) <= _LONGEST_FOREIGN_TEXT
        and "://" not in text
        and "@" not in text
        and "  " not in text
        and "www." not in text.lower()
        and text == text.strip()
    )


def short(reference: str) -> str:
    """A reference or id as it may stand in a sentence; some systems' ids run to hundreds of characters."""
    if len(reference) <= _LONGEST_REFERENCE:
        return reference
    return f"{reference[: _LONGEST_REFERENCE - 9]}…{reference[-8:]}"


class OurWords(str):
    """Text from the card files, which needs neither escaping nor shortening."""

    __slots__ = ()


def for_markdown(value: object) -> object:
    """A value as it may stand inside Markdown: text escaped, numbers in plain digits, days in ISO form."""
    if isinstance(value, str) and not isinstance(value, OurWords):
        return _escaped(one_line(value))
    return _shown(value)


def _escaped(line: str) -> str:
    """The line with a backslash before what Markdown would take for a mark; looked for first, because few hold one."""
    escaped = _MARKDOWN.sub(r"\\\1", line) if _MARKDOWN.search(line) else line
    return _LIST_MARKER.sub(r"\1\\\2", escaped) if _LIST_MARKER.match(escaped) else escaped


def for_plain_text(value: object) -> object:
    """A value as it may stand in a one-line field, which some clients render as Markdown all the same."""
    if isinstance(value, str) and not isinstance(value, OurWords):
        return without_markup(one_line(value))
    return _shown(value)


def without_markup(text: str) -> str:
    """The text with the characters of HTML, links, code and tables replaced by others that look like them."""
    return text.translate(_MARKUP)


def _shown(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value


def _power_of_ten(value: Decimal) -> str:
    """A very large number as people write it, with two decimals at least: 3.30 × 10^14."""
    digits = max(len(value.normalize().as_tuple().digits) - 1, 2)
    mantissa, _, exponent = f"{value:.{digits}E}".partition("E")
    return f"{mantissa} × 10^{int(exponent)}"


def _signed(value: Decimal) -> str:
    """A difference with its sign: +1.2 or -1.2."""
    return f"{value + 0:+f}" if value else plain(abs(value))


def first_upper(text: str) -> str:
    """The text as it begins a sentence; our own words stay our own."""
    began = text[:1].upper() + text[1:]
    return OurWords(began) if isinstance(text, OurWords) else began


class _CardText(Template):
    """A template that sees what it is given to show and nothing else: none of Jinja's own names, such as `range`.

    To lay those beneath took as long as all the rest of a text, of which a call writes about eighty.
    """

    def new_context(
        self, vars: dict[str, Any] | None = None, shared: bool = False, locals: Mapping[str, Any] | None = None
    ) -> Context:
        """What is to be shown, by name."""
        return self.environment.context_class(self.environment, vars or {}, self.name, self.blocks)


def _environment(finalize: object) -> Environment:
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,  # type: ignore[arg-type]
    )
    environment.template_class = _CardText
    environment.filters["power_of_ten"] = _power_of_ten
    environment.filters["signed"] = _signed
    environment.filters["first_upper"] = first_upper
    return environment


_plain = _environment(for_plain_text)
_markdown = _environment(for_markdown)


def words(text: str) -> Words:
    """The text as templates. Raises jinja2.TemplateSyntaxError if it is not one."""
    return Words(_plain.from_string(text), _markdown.from_string(text), text)


def words_in(where: Path | str, text: str) -> Words:
    """The text of a file as templates. Raises ContentProblem if it is not one."""
    try:
        return words(text)
    except TemplateSyntaxError as error:
        raise ContentProblem(f"{where}: {error.message} in its text; correct the {{{{ }}}} or {{% %}}") from error
