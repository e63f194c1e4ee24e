"""A page as its browser takes it apart: what it loads, where it leads, and what of it could run."""

from __future__ import annotations

from html.parser import HTMLParser

# Elements that hold no content.
_VOID = {"meta", "link", "br", "img", "input", "hr"}


class PageParts(HTMLParser):
    """The elements of one page: each with its attributes, all text, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, tag: str, name: str) -> list[str]:
        """This attribute of all elements of this name."""
        return [
            value or "" for element, attrs in self.elements if element == tag for value in [attrs.get(name)] if value
        ]

    def inline_code(self) -> list[str]:
        """Every script or style that stands in the page itself."""
        found = [tag for tag, attrs in self.elements if tag == "style" or (tag == "script" and not attrs.get("src"))]
        return found + [
            name for _, attrs in self.elements for name in attrs if name == "style" or name.startswith("on")
        ]

    def loaded(self) -> list[str]:
        """Every address that the page loads by itself."""
        sources = [attrs.get("src") for _, attrs in self.elements]
        linked = [attrs.get("href") for tag, attrs in self.elements if tag == "link"]
        return [address for address in (*sources, *linked) if address]
