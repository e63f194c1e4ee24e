"""The sandbox page's own side of the service: in demo mode alone, and with children that exist."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from production_settings import production_settings

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.content_folders import FHIR_FIXTURES
from cds_service.errors import ContentProblem
from cds_service.web.fixture_requests import load_fixture_requests
from cds_service.web.sandbox import load_sandbox

REQUESTS = load_fixture_requests(FHIR_FIXTURES)
CHILD = """
opens_on: {name}
groups:
- name: Some
  children:
  - name: A child
    story: Its story.
    moments:
    - {{moment: Now, request: {name}, look: At this.}}
"""
KNOWN = "onasemnogene-order-sign/unremarkable"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the scenarios, and no children yet."""
    (tmp_path / "scenarios.yaml").write_text("[]", encoding="utf-8")
    return tmp_path


def test_every_moment_of_a_child_is_a_request_that_can_be_fetched(client: FlaskClient) -> None:
    index = client.get("/demo/children").get_json()
    names = [m["name"] for group in index["groups"] for child in group["children"] for m in child["moments"]]
    assert len(names) > 30
    assert len(names) == len(set(names))
    assert index["opensOn"] in names
    for name in names:
        assert client.get(f"/demo/hook_requests/{name}").status_code == 200


def test_the_five_courses_and_the_moments_of_the_issue_are_offered(client: FlaskClient) -> None:
    groups = client.get("/demo/children").get_json()["groups"]
    moments = {m["moment"] for group in groups for child in group["children"] for m in child["moments"]}
    assert {"Order being written", "Day of infusion", "Day 12"} <= moments
    names = " ".join(m["name"] for group in groups for child in group["children"] for m in child["moments"])
    for course in ("uneventful", "liver-rise", "microangiopathy", "missed-visits", "rebound"):
        assert f"course-{course}-day-" in names


def test_every_scenario_is_offered_with_what_it_proves_and_its_fhir_server(client: FlaskClient) -> None:
    offered = client.get("/demo/children").get_json()["scenarios"]
    assert [entry["name"] for entry in offered] == list(REQUESTS)
    for entry in offered:
        assert entry["proves"]
        assert entry["fhirServer"] == f"http://localhost/demo/scenarios/{entry['name']}/fhir"


def test_a_moment_that_names_no_request_stops_the_start(folder: Path) -> None:
    (folder / "sandbox.yaml").write_text(CHILD.format(name="onasemnogene-order-sign/nothing"), encoding="utf-8")
    with pytest.raises(
        ContentProblem, match=r"sandbox.yaml: there is no request onasemnogene-order-sign/nothing; name"
    ):
        load_sandbox(folder, REQUESTS)


def test_a_first_view_that_no_child_has_stops_the_start(folder: Path) -> None:
    written = CHILD.format(name=KNOWN).replace(f"opens_on: {KNOWN}", "opens_on: onasemnogene-order-sign/twin")
    (folder / "sandbox.yaml").write_text(written, encoding="utf-8")
    with pytest.raises(ContentProblem, match="opens_on names onasemnogene-order-sign/twin, which no child has"):
        load_sandbox(folder, REQUESTS)


@pytest.mark.parametrize("part", ["opens_on", "story", "moments", "look"])
def test_a_part_that_is_missing_stops_the_start(folder: Path, part: str) -> None:
    (folder / "sandbox.yaml").write_text(CHILD.format(name=KNOWN).replace(part, "other"), encoding="utf-8")
    with pytest.raises(ContentProblem, match=f"'{part}' is missing"):
        load_sandbox(folder, REQUESTS)


class Parts(HTMLParser):
    """The parts of a page that a policy forbids, and the addresses that it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(tag)
        if tag == "script":
            self.loaded.append(given.get("src") or "inline")
        if tag == "link":
            self.loaded.append(given.get("href") or "")


def test_the_page_loads_its_own_files_alone(client: FlaskClient) -> None:
    page = client.get("/")
    parts = Parts()
    parts.feed(page.get_data(as_text=True))
    assert (page.status_code, page.mimetype, parts.inline) == (200, "text/html", [])
    assert {"/static/sandbox.js", "/static/sandbox.css"} <= set(parts.loaded)
    for address in parts.loaded:
        assert client.get(address).status_code == 200
    assert "connect-src 'self';" in page.headers["Content-Security-Policy"]


def test_the_page_says_what_it_is_without_its_script(client: FlaskClient) -> None:
    text = client.get("/").get_data(as_text=True)
    assert "Synthetic patients" in text
    assert "Demo mode" in text
    assert "obody has clinically reviewed" in text
    assert "/demo/hook_requests" in text


def test_in_production_there_is_no_sandbox(tmp_path: Path) -> None:
    production = create_app(load_settings(production_settings(tmp_path))).test_client()
    for path in ("/", "/demo/children"):
        answer = production.get(path)
        assert (answer.status_code, answer.get_json()["resourceType"]) == (404, "OperationOutcome")
