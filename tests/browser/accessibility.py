"""What the accessibility scanner axe-core finds on a page."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SERIOUS = frozenset({"serious", "critical"})


def scan(page: Page) -> dict[str, Any]:
    """The whole report of the scanner on the page as it stands."""
    report: dict[str, Any] = Axe().run(page).response
    return report


def serious_violations(page: Page) -> list[str]:
    """One line for each element that breaks a rule, where the scanner calls that serious or critical."""
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {' '.join(node['target'][0].split())}"
        for rule in scan(page)["violations"]
        if rule["impact"] in _SERIOUS
        for node in rule["nodes"]
    ]
