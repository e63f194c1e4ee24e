"""The timeline as its users come to it, in a browser: through the whole launch, at a FHIR server of the demo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, Response, Route
from running_services import RunningService

REBOUND = "course-rebound-day-46"
Json = dict[str, Any]


def fhir_server(service: RunningService, scenario: str = REBOUND, faults: str = "") -> str:
    """The base of the FHIR server with the record of a scenario of the opened chart, behind these faults if any."""
    place = f"faulty/{faults}" if faults else "scenarios"
    return f"{service.address}/demo/{place}/onasemnogene-patient-view/{scenario}/fhir"


def launch_address(service: RunningService, iss: str, launch: str = "opaque") -> str:
    """Where an EHR opens the app."""
    return f"{service.address}/app/launch?iss={quote(iss, safe='')}&launch={launch}"


def open_timeline(page: Page, service: RunningService, scenario: str = REBOUND, faults: str = "") -> Json:
    """Launch from the chart, wait until the course is drawn, and give what the service answered."""
    with page.expect_response(lambda response: response.url.endswith("/app/course")) as told:
        page.goto(launch_address(service, fhir_server(service, scenario, faults)))
    page.wait_for_selector("#timeline[data-ready]")
    answer: Json = told.value.json()
    return answer


def table(page: Page, slot: str) -> list[list[str]]:
    """The rows of the table behind a drawing, shown or not."""
    rows: list[list[str]] = page.locator(f"[data-slot={slot}] tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return rows


def on_answer(page: Page, address: str, change: Callable[[Json], Json]) -> None:
    """Change what a FHIR server, or the authorization server, answers at these addresses."""

    def changed(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=change(response.json()))

    page.route(address, changed)


def everything_kept(page: Page) -> Json:
    """What the browser keeps for this origin, and the address of the page."""
    kept: Json = page.evaluate(
        """async () => ({
            session: Object.entries(sessionStorage), local: Object.entries(localStorage), cookies: document.cookie,
            databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
            history: history.state, address: location.href
        })"""
    )
    return kept


def is_token_request(response: Response) -> bool:
    """Whether this answers the exchange of a code."""
    return response.url.endswith("/auth/token")
