"""Access to an EHR's FHIR server, as one call brings it, and the addresses a token may be sent to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit

from cds_service.fhir.scopes import Scopes

# A bearer token as RFC 6750 allows it; anything else could break out of the header it is sent in.
_BEARER_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
# An address without anything that two readers of addresses might read in two ways.
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:[/?][\x21\x23-\x5b\x5d\x5f\x61-\x7a\x7c\x7e]*)?")
_SLASHES = re.compile(r"[/\\]")


@dataclass(frozen=True, slots=True)
class FhirAccess:
    """A FHIR server this call may ask: its base address without a trailing slash, the token, and what it covers."""

    base: str
    token: str = field(repr=False)
    scopes: Scopes

    def next_page(self, current: str, written: str) -> str | None:
        """The address of a following page, or None where it leads away from this server's own addresses."""
        if not written.strip():
            return None
        try:
            address = urljoin(current, written.strip())
            is_below = _origin(address) == _origin(self.base) and _is_below(urlsplit(address).path, self.base)
        except ValueError:
            return None
        return address if is_below and _PLAIN_ADDRESS.fullmatch(address) else None


def is_bearer_token(written: str) -> bool:
    """Whether a text can be sent as a bearer token."""
    return _BEARER_TOKEN.fullmatch(written) is not None


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or usual


def _is_below(path: str, base: str) -> bool:
    """Whether a path is the base's own or below it, with no step back up.

    Some servers take a backslash for a slash, and a step `..;` for one without what follows the semicolon.
    """
    own = urlsplit(base).path.rstrip("/")
    steps = (step.partition(";")[0] for step in _SLASHES.split(unquote(path)))
    return (path == own or path.startswith(f"{own}/")) and ".." not in steps
