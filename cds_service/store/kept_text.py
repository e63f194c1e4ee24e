"""Text from outside as both databases can keep it."""

from __future__ import annotations

from unicodedata import category
from uuid import UUID


def kept_text(text: str, longest: int) -> str:
    """The text without control characters and halves of characters, which PostgreSQL refuses, and not too long."""
    readable = "".join(" " if category(character) in ("Cc", "Cs") else character for character in text)
    return readable.strip()[:longest]


def kept_uuid(text: str) -> str:
    """A uuid as we write it; "" for anything else, which could be anything and so is not kept."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        return ""
