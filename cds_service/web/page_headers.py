"""What a browser may do with our pages: which scripts run, whom they may ask, and in whose frame they may stand.

Nothing is ever loaded from elsewhere, and no script or style stands in a page itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOOPBACK = ("http://127.0.0.1:*", "http://localhost:*")


@dataclass(frozen=True, slots=True)
class PageHeaders:
    """Where pages may stand in a frame, and which other servers the page that reads a chart may ask.

    Both are sources as a Content Security Policy writes them; `frame_ancestors` without any means no frame at all.
    """

    frame_ancestors: tuple[str, ...]
    chart_sources: tuple[str, ...]

    def of_page(self) -> Mapping[str, str]:
        """The headers of a page that asks nobody but this service."""
        return self._headers(())

    def of_chart_page(self) -> Mapping[str, str]:
        """The headers of a page that reads a chart from FHIR servers as well, with the user's own access."""
        return self._headers(self.chart_sources)

    def _headers(self, others: tuple[str, ...]) -> Mapping[str, str]:
        policy = {
            "default-src": ("'none'",),
            "script-src": ("'self'",),
            "style-src": ("'self'",),
            "img-src": ("'self'", "data:"),
            "font-src": ("'self'",),
            "connect-src": ("'self'", *others),
            "base-uri": ("'none'",),
            "form-action": ("'none'",),
            "frame-ancestors": self.frame_ancestors or ("'none'",),
        }
        return {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "; ".join(f"{name} {' '.join(sources)}" for name, sources in policy.items()),
            # A page of an EHR that isolates itself still has to be able to show ours in its frame.
            "Cross-Origin-Resource-Policy": "cross-origin" if self._is_framed_by_others else "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    @property
    def _is_framed_by_others(self) -> bool:
        return any(source != "'self'" for source in self.frame_ancestors)


def demo_page_headers() -> PageHeaders:
    """For demo mode: framed by ourselves alone, charts from any FHIR server on this machine."""
    return PageHeaders(frame_ancestors=("'self'",), chart_sources=_LOOPBACK)


def production_page_headers(frame_origins: Iterable[str], chart_servers: Iterable[str]) -> PageHeaders:
    """For the clients of the clients file: `frame_origins` are the origins of their pages.

    `chart_servers` are addresses of their FHIR servers, and of their authorization servers where these are elsewhere;
    of each the origin counts.
    """
    return PageHeaders(tuple(dict.fromkeys(frame_origins)), tuple(dict.fromkeys(map(origin_of, chart_servers))))


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, as a policy writes a source."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{parts.port}' if parts.port else ''}"
