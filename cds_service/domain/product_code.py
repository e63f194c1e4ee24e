"""The product's package codes (NDC): one spelling for all of them, that of the label's Table 3 (5-3-2)."""

from __future__ import annotations

import re

LABELER = "71894"
_VIAL_PRODUCTS = ("110", "115")
_FIRST_KIT, _LAST_KIT = "120", "156"
_SPELLINGS = (
    re.compile(r"(\d{5})-0?(\d{3})-(\d{2})"),
    re.compile(r"(\d{5})0(\d{3})(\d{2})"),
    re.compile(r"(\d{5})(\d{3})(\d{2})"),
)


def in_table_spelling(code: str) -> str:
    """A package code as 5-3-2 with hyphens, from 5-3-2, 5-4-2, ten or eleven digits; else as it was written.

    Ten digits are read as 5-3-2 and eleven as 5-4-2 with a leading zero, which is how this labeler's codes run.
    """
    written = code.strip()
    for spelling in _SPELLINGS:
        if match := spelling.fullmatch(written):
            return "-".join(match.groups())
    return written


def is_of_labeler(code: str) -> bool:
    """Whether a code in table spelling belongs to the product's labeler."""
    return code.startswith(f"{LABELER}-")


def is_vial(code: str) -> bool:
    """Whether a code in table spelling is that of a single vial, which is not sold by itself."""
    return is_of_labeler(code) and code.split("-")[1] in _VIAL_PRODUCTS


def is_of_product(code: str) -> bool:
    """Whether a code in table spelling is a kit or vial of this product (ruling 54)."""
    if not is_of_labeler(code):
        return False
    segment = code.split("-")[1]
    return is_vial(code) or (len(segment) == len(_FIRST_KIT) and _FIRST_KIT <= segment <= _LAST_KIT)
