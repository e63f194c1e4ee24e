"""The catalogue of rules and the about page in a real browser: read at a desk, on a phone, and by a screen reader."""

from __future__ import annotations

import pytest
from accessibility import serious_violations
from playwright.sync_api import Page, expect
from running_services import RunningService

_PATHS = ("/rules", "/rules/dose-volume", "/rules/liver-worsening", "/about")


@pytest.mark.parametrize("path", _PATHS)
def test_nothing_on_the_page_keeps_anybody_from_reading_it(page: Page, demo: RunningService, path: str) -> None:
    page.goto(f"{demo.address}{path}")
    expect(page.locator("h1")).to_be_visible()
    assert serious_violations(page) == []


@pytest.mark.parametrize("path", _PATHS)
def test_a_phone_shows_it_without_scrolling_sideways(phone: Page, demo: RunningService, path: str) -> None:
    phone.goto(f"{demo.address}{path}")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    assert serious_violations(phone) == []


def test_a_card_leads_to_its_rule_and_from_there_to_its_number(page: Page, demo: RunningService) -> None:
    page.goto(f"{demo.address}/rules")
    page.locator("main a[href$='/rules/liver-worsening']").click()
    expect(page).to_have_url(f"{demo.address}/rules/liver-worsening")
    expect(page.locator("main")).to_contain_text("cards/liver/liver-worsening.md")
    expect(page.locator("main")).to_contain_text("none yet")
