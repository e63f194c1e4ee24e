"""A card's Markdown as plain text, for a client that shows it as it stands instead of rendering it."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cds_service.presentation.words import without_markup

_reader = MarkdownIt("commonmark", {"html": False})


def plain_text(markdown: str) -> str:
    """The same words without marks and escapes: list items begin with "- ", blocks stand a blank line apart.

    Characters that a client could still take for HTML, a link, code or a table are replaced as in one-line fields.
    """
    written, gap, mark, depth = "", "", "", 0
    for token in _reader.parse(markdown):
        depth += {"bullet_list_open": 1, "bullet_list_close": -1}.get(token.type, 0)
        if token.type == "list_item_open":
            mark = "- "
        if token.level == 0 and token.nesting >= 0 and written:
            gap = "\n\n"
        if token.content:
            indent = "  " * (depth - bool(mark))
            written += gap + indent + mark + without_markup(_words(token))
            gap, mark = "\n", ""
    return written


def _words(token: Token) -> str:
    if token.children is None:
        return token.content.rstrip()
    return "".join(" " if child.type == "softbreak" else child.content for child in token.children)
