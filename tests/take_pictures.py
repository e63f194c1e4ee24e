"""Takes the pictures of the pages that the README shows: `make pictures`, that is `python -m tests.take_pictures`.

The demo is served at the fixtures' fixed moment, so that a picture changes only where a page does. With names, only
those are taken: `python -m tests.take_pictures sandbox-order`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect, sync_playwright

TESTS = Path(__file__).parent
try:
    from palette_png import with_palette
    from running_services import needed, running
    from watched_page import Viewport, watched_page
except ModuleNotFoundError:  # started as a module, from the repository's root
    sys.path += [str(TESTS), str(TESTS / "browser")]
    from palette_png import with_palette
    from running_services import needed, running
    from watched_page import Viewport, watched_page

FOLDER = TESTS.parent / "docs" / "pictures"
NOW = "2026-03-02T09:00:00+00:00"
DESKTOP, PHONE = Viewport(1280, 1120), Viewport(360, 1120)


@dataclass(frozen=True)
class Picture:
    """One picture: `show` brings the page, given the address of the service, into the state to be seen.

    `is_whole` takes the page from top to bottom, also what lies below the window.
    """

    name: str
    viewport: Viewport
    show: Callable[[Page, str], None]
    is_whole: bool = False


def sandbox(scenario: str, *also: Callable[[Page], None]) -> Callable[[Page, str], None]:
    """The sandbox with the answer to a scenario, and what is then done there."""

    def show(page: Page, address: str) -> None:
        page.goto(f"{address}/#{scenario}")
        expect(page.locator("#answer-line")).to_contain_text("ms")
        for act in also:
            act(page)
        hide_what_differs(page)
        page.evaluate("scrollTo(0, 0)")

    return show


def timeline(scenario: str, *also: Callable[[Page], None]) -> Callable[[Page, str], None]:
    """The timeline of a scenario's child, launched from the chart, and what is then done there."""

    def show(page: Page, address: str) -> None:
        server = f"{address}/demo/scenarios/onasemnogene-patient-view/{scenario}/fhir"
        page.goto(f"{address}/app/launch?iss={quote(server, safe='')}&launch=picture")
        page.wait_for_selector("#timeline[data-ready]")
        for act in also:
            act(page)

    return show


def without_findings(page: Page) -> None:
    """Leave what lies below the drawings out of the picture."""
    page.evaluate(
        "for (const part of document.querySelectorAll('.plot-box ~ section, #summary, footer')) part.hidden = true"
    )


def on_paper(page: Page) -> None:
    """As it is printed, with the margins of a sheet."""
    page.emulate_media(media="print")
    page.evaluate("document.body.style.padding = '15mm'")


def accept_first(page: Page) -> None:
    """Accept the first suggestion on the page."""
    page.locator("button.accept").first.click()
    expect(page.locator(".outcome").filter(has_text="stored")).to_be_visible()


def hide_what_differs(page: Page) -> None:
    """Milliseconds and the port differ each time; a picture is to change only where the page does."""
    for place in ("#answer-line", "#response-size", "#address"):
        text = re.sub(r"\d+ ms", "… ms", page.locator(place).inner_text())
        usual = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", text)
        page.locator(place).evaluate("(element, text) => { element.textContent = text }", usual)


SHEET = Viewport(760, 1000)
PICTURES = (
    Picture("sandbox-order", DESKTOP, sandbox("onasemnogene-order-sign/dose-by-formula")),
    Picture("sandbox-infusion-day", DESKTOP, sandbox("onasemnogene-encounter-start/heavier-on-the-day")),
    Picture("sandbox-day-12", DESKTOP, sandbox("onasemnogene-patient-view/course-uneventful-day-12", accept_first)),
    Picture("sandbox-phone", PHONE, sandbox("onasemnogene-order-select/dose-by-formula")),
    Picture("timeline-uneventful", DESKTOP, timeline("course-uneventful-day-49", without_findings), is_whole=True),
    Picture("timeline-liver-rise", DESKTOP, timeline("course-liver-rise-day-29", without_findings), is_whole=True),
    Picture(
        "timeline-microangiopathy", DESKTOP, timeline("course-microangiopathy-day-14", without_findings), is_whole=True
    ),
    Picture(
        "timeline-missed-visits", DESKTOP, timeline("course-missed-visits-day-17", without_findings), is_whole=True
    ),
    Picture("timeline-rebound", DESKTOP, timeline("course-rebound-day-46"), is_whole=True),
    Picture("timeline-print", SHEET, timeline("course-rebound-day-46", on_paper), is_whole=True),
    Picture("timeline-phone", PHONE, timeline("course-rebound-day-46")),
)


def take(browser: Browser, picture: Picture, address: str) -> Path:
    """Take one picture; AssertionError where the page writes an error, or asks anybody but this machine."""
    path = FOLDER / f"{picture.name}.png"
    with watched_page(browser, picture.viewport) as page:
        picture.show(page, address)
        page.mouse.move(0, 0)
        path.write_bytes(with_palette(page.screenshot(full_page=picture.is_whole, animations="disabled")))
    return path


def main(names: list[str]) -> None:
    """Take all pictures, or those named."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        running(Path(folder), TESTS / "browser" / "demo_command.py", CDS_NOW=NOW) as service,
        sync_playwright() as playwright,
    ):
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=needed("chromium"), args=flags)
        for picture in PICTURES:
            if not names or picture.name in names:
                path = take(browser, picture, service.address)
                print(f"{path.relative_to(TESTS.parent)}  {path.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.take_pictures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="only these pictures")
    main(parser.parse_args().names)
