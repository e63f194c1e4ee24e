"""A page that is watched: what it writes to the console, what fails in it, and whom it asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request
from running_services import PATIENCE

_PATIENCE_MS = PATIENCE * 1000
_OWN_HOSTS = frozenset({"127.0.0.1", "localhost", ""})


@dataclass(frozen=True, slots=True)
class Viewport:
    """The size of a window in CSS pixels."""

    width: int
    height: int


@dataclass  # without slots: Playwright marks the object whose methods listen
class Faults:
    """What went wrong in a page so far."""

    found: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        """An error or a warning on the console; a refused Content Security Policy is one."""
        if message.type in ("error", "warning"):
            self.found.append(f"console {message.type}: {message.text}")

    def script(self, error: Error) -> None:
        """An error that nothing in the page has caught."""
        self.found.append(f"script: {error}")

    def request(self, request: Request) -> None:
        """A request to somebody else."""
        if urlsplit(request.url).hostname not in (*_OWN_HOSTS, None):
            self.found.append(f"request: {request.url}")


@contextmanager
def watched_page(browser: Browser, viewport: Viewport, *, color_scheme: str = "light") -> Iterator[Page]:
    """A page in a window of its own, without what other pages stored; AssertionError at the end for every fault."""
    context = browser.new_context(
        viewport={"width": viewport.width, "height": viewport.height},
        color_scheme=color_scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="UTC",
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    faults = Faults()
    # Much longer than anything takes on a busy machine; nothing waits for it to pass.
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    page.on("console", faults.console)
    page.on("pageerror", faults.script)
    page.on("request", faults.request)
    try:
        yield page
        if faults.found:
            raise AssertionError("\n".join(faults.found))
    finally:
        context.close()
