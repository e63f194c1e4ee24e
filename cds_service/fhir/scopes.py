"""What an access token covers, from the words of its `scope`: SMART v1, SMART v2, and one large EHR's own style.

Sources: SMART App Launch 1.0 and 2.0, R-051; "Observation.Read (Labs) (R4)" as that EHR writes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

READ, SEARCH = "read", "search"
_EVERY_TYPE = "*"
_SCOPE = re.compile(r"([^\s()]+)((?:\s*\([^()]*\))*)")
_WORD = re.compile(
    r"(?:(?:patient|user|system)/)?(?P<type>\*|[a-z]+)\.(?P<access>\*|read|write|search|c?r?u?d?s?)(?P<query>\?.*)?"
)
_REMARK = re.compile(r"\(([^()]*)\)")
_VERSION = re.compile(r"r[0-9]+b?|stu[0-9]+|dstu[0-9]*")
_OUR_VERSION = "r4"


class ScopeSyntax(Enum):
    """How a scope to read and search is written in SMART App Launch 1 and 2."""

    SMART_1 = "read"
    SMART_2 = "rs"


class Coverage(IntEnum):
    """How much of the resources of a type a token opens."""

    NONE = 0
    PART = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class Scopes:
    """What was granted, by resource type in lower case and interaction."""

    granted: Mapping[tuple[str, str], Coverage]

    def coverage(self, resource_type: str, interaction: str) -> Coverage:
        """How much of the type this interaction, `read` or `search`, may see."""
        wanted = ((name, interaction) for name in (resource_type.lower(), _EVERY_TYPE))
        return max(self.granted.get(name, Coverage.NONE) for name in wanted)


def read_scopes(written: str) -> Scopes:
    """The scopes in a blank-separated text; what is no resource scope grants nothing."""
    granted: dict[tuple[str, str], Coverage] = {}
    for word, remarks in _SCOPE.findall(written.lower()):
        match = _WORD.fullmatch(word)
        if match is None or not match["access"]:
            continue
        coverage = _coverage(match["query"], [remark.strip() for remark in _REMARK.findall(remarks)])
        for interaction in _interactions(match["access"]):
            name = (match["type"], interaction)
            granted[name] = max(granted.get(name, Coverage.NONE), coverage)
    return Scopes(granted)


def _coverage(query: str | None, remarks: list[str]) -> Coverage:
    """A query or a remark such as "(Labs)" narrows a scope; a remark that names a FHIR release only places it."""
    releases = [remark for remark in remarks if _VERSION.fullmatch(remark)]
    if releases and _OUR_VERSION not in releases:
        return Coverage.NONE
    is_narrowed = (query or "?") != "?" or len(releases) < len(remarks)
    return Coverage.PART if is_narrowed else Coverage.ALL


def _interactions(access: str) -> tuple[str, ...]:
    if access in ("*", READ):
        return (READ, SEARCH)
    if access == SEARCH:
        return (SEARCH,)
    if access == "write":
        return ()
    return tuple(name for letter, name in (("r", READ), ("s", SEARCH)) if letter in access)
