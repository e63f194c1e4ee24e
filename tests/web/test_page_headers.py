"""What browsers may do with our pages, in demo and in production, and that no page needs more."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from page_parts import PageParts
from production_settings import production_settings
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.web.layout import LAYOUT
from cds_service.web.page_headers import PageHeaders, demo_page_headers, origin_of, production_page_headers

PAGES = ("/rules", "/rules/dose-volume", "/about")


def policy_of(response: TestResponse) -> dict[str, str]:
    parts = (part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
    return dict(parts)  # type: ignore[arg-type]


def as_policy(headers: PageHeaders) -> dict[str, str]:
    parts = (part.split(" ", 1) for part in headers.of_chart_page()["Content-Security-Policy"].split("; "))
    return dict(parts)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("production")
    environment = production_settings(folder) | {"CDS_DATABASE_URL": f"sqlite:///{folder / 'memory.sqlite3'}"}
    clients = folder / "clients.toml"
    clients.write_text(
        clients.read_text("utf-8")
        + 'origins = ["https://ehr.example.org", "https://portal.example.org:8443"]\n'
        + 'fhir_base_urls = ["https://fhir.example.org:9443/r4/hospital", "https://fhir.example.org:9443/stu3"]\n',
        encoding="utf-8",
    )
    from cds_service.store import prepare_database

    prepare_database(environment["CDS_DATABASE_URL"], migrates=True)
    return create_app(load_settings(environment)).test_client()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_demo_runs_our_own_files_only_and_stands_in_our_own_frame(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert policy_of(response) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
    }
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_in_production_stands_in_the_frames_of_registered_origins_only(
    production: FlaskClient, path: str
) -> None:
    response = production.get(path)
    policy = policy_of(response)
    assert policy["frame-ancestors"] == "https://ehr.example.org https://portal.example.org:8443"
    assert policy["connect-src"] == "'self'"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_kept_by_nobody_and_tells_nobody_where_it_was(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Frame-Options" not in headers  # it knows no list of origins, and would forbid what frame-ancestors allows
    assert "Set-Cookie" not in headers


def test_the_page_that_reads_charts_may_ask_the_fhir_servers_of_the_clients(production: FlaskClient) -> None:
    headers = production.application.extensions[LAYOUT].headers
    assert as_policy(headers)["connect-src"] == "'self' https://fhir.example.org:9443"


def test_in_the_demo_it_may_ask_every_server_of_this_machine() -> None:
    assert as_policy(demo_page_headers())["connect-src"] == "'self' http://127.0.0.1:* http://localhost:*"


def test_where_nothing_is_configured_no_frame_may_hold_a_page() -> None:
    nowhere = production_page_headers([], [])
    assert as_policy(nowhere)["frame-ancestors"] == "'none'"
    assert as_policy(nowhere)["connect-src"] == "'self'"
    assert nowhere.of_page()["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ehr.example.org/fhir/r4", "https://ehr.example.org"),
        ("http://127.0.0.1:8080/fhir", "http://127.0.0.1:8080"),
        ("https://[2001:db8::1]:444/r4", "https://[2001:db8::1]:444"),
    ],
)
def test_of_an_address_the_origin_counts(url: str, origin: str) -> None:
    assert origin_of(url) == origin


# --- what the pages themselves hold


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_a_script_or_a_style_of_its_own(client: FlaskClient, path: str) -> None:
    page = PageParts(client.get(path).text)
    assert page.inline_code() == []
    assert page.open == []


@pytest.mark.parametrize("path", PAGES)
def test_everything_that_a_page_loads_comes_from_this_service_and_is_there(client: FlaskClient, path: str) -> None:
    page = PageParts(client.get(path).text)
    assert page.loaded()
    for address in page.loaded():
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_its_language_where_its_content_begins_and_that_nobody_has_reviewed_it(
    client: FlaskClient, path: str
) -> None:
    page = PageParts(client.get(path).text)
    assert page.attributes("html", "lang") == ["en"]
    assert "#main" in page.attributes("a", "href")
    assert page.attributes("main", "id") == ["main"]
    assert len([tag for tag, _ in page.elements if tag == "h1"]) == 1
    assert "Nobody has clinically reviewed this software" in page.text
    assert "US prescribing information revised 2/2025" in page.text
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_under_a_path_of_the_public_address_pages_lead_there(tmp_path: Path) -> None:
    environment = {"CDS_MODE": "demo", "CDS_PUBLIC_BASE_URL": "http://127.0.0.1:8000/zolgensma/"}
    page = PageParts(create_app(load_settings(environment)).test_client().get("/rules").text)
    inside = [address for address in (*page.attributes("a", "href"), *page.loaded()) if not address.startswith("#")]
    assert all(address.startswith("/zolgensma/") for address in inside)


def test_only_the_demo_leads_to_the_sandbox(client: FlaskClient, production: FlaskClient) -> None:
    assert "/" in PageParts(client.get("/about").text).attributes("a", "href")
    assert "/" not in PageParts(production.get("/about").text).attributes("a", "href")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_only_read(client: FlaskClient, path: str) -> None:
    head = client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    refused = client.post(path)
    assert (refused.status_code, refused.json["resourceType"]) == (405, "OperationOutcome")
    assert "GET" in refused.headers["Allow"]
