"""Text from outside as both databases can keep it."""

from __future__ import annotations

from unicodedata import category


def kept_text(text: str, longest: int) -> str:
    """The text without control characters and halves of characters, which PostgreSQL refuses, and not too long."""
    readable = "".join(" " if category(character) in ("Cc", "Cs") else character for character in text)
    return readable.strip()[:longest]
