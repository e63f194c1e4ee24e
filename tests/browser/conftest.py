"""A real browser: the system's Chromium, driven against the service as a process of its own on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from running_services import PATIENCE, RunningService, free_port, needed, running
from watched_page import Viewport, watched_page

from cds_service.config import Settings

# No sandbox, because tests in CI run as root; and nothing is asked of the network.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this system. Where there is none the tests are skipped, but not in CI."""
    chromium = needed("chromium")
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[RunningService]:
    """The service in demo mode, at the moment all tests share."""
    port = free_port()
    assert settings.now is not None
    environment = {"CDS_PUBLIC_BASE_URL": f"http://127.0.0.1:{port}", "CDS_NOW": settings.now.isoformat()}
    folder: Path = tmp_path_factory.mktemp("demo")
    with running(folder, port=port, **environment) as service:
        yield service


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of a desktop. The test fails where the page writes an error, or asks anybody but this machine."""
    with watched_page(browser, Viewport(1280, 900)) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """The same as wide as a phone."""
    with watched_page(browser, Viewport(360, 740)) as opened:
        yield opened
