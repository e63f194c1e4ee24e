"""The watch over pages sees what it is there to see."""

from __future__ import annotations

import pytest
from accessibility import serious_violations
from playwright.sync_api import Browser, Page
from watched_page import Viewport, watched_page

_DESKTOP = Viewport(1024, 768)


@pytest.mark.parametrize(
    ("script", "event", "fault"),
    [
        ("console.error('it broke')", "console", "console error: it broke"),
        ("console.warn('it will break')", "console", "console warning: it will break"),
        ("setTimeout(() => { throw new Error('nobody caught it') }, 0)", "pageerror", "nobody caught it"),
        ("fetch('http://elsewhere.invalid/').catch(() => null)", "request", "request: http://elsewhere.invalid/"),
    ],
)
def test_a_fault_in_a_page_fails_its_test(browser: Browser, script: str, event: str, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        _run_in_a_page(browser, script, event)


def test_a_page_without_faults_passes(browser: Browser) -> None:
    with watched_page(browser, _DESKTOP) as page:
        page.evaluate("console.log('all is well')")


def test_the_scanner_sees_a_picture_without_words(page: Page) -> None:
    page.set_content("<html lang=en><title>A page</title><main><h1>A page</h1><img src='data:,'></main></html>")
    assert [line.partition(" ")[0] for line in serious_violations(page)] == ["image-alt"]


def _run_in_a_page(browser: Browser, script: str, event: str) -> None:
    with watched_page(browser, _DESKTOP) as page, page.expect_event(event):
        page.evaluate(script)
