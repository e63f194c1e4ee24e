"""The pages of the timeline: where it may be launched, what they let a browser do, and that they hold no code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from page_parts import PageParts
from production_settings import production_settings

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.store import prepare_database

KNOWN, OTHER = "https://fhir.example.org/r4", "https://second.example.org/fhir"
SECOND = """
[[client]]
name = "second-ehr"
issuer = "https://second.example.org"
jwks_file = "keys.json"
fhir_base_urls = ["https://second.example.org/fhir"]
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder: Path = tmp_path_factory.mktemp("production")
    environment = production_settings(folder) | {"CDS_DATABASE_URL": f"sqlite:///{folder / 'memory.sqlite3'}"}
    clients = folder / "clients.toml"
    more = (
        f'fhir_base_urls = ["{KNOWN}"]\nsmart_client_id = "timeline-42"\n'
        'authorization_servers = ["https://login.example.org"]\norigins = ["https://ehr.example.org"]\n'
    )
    clients.write_text(clients.read_text("utf-8") + more + SECOND, encoding="utf-8")
    prepare_database(environment["CDS_DATABASE_URL"], migrates=True)
    return create_app(load_settings(environment)).test_client()


def launch_of(client: FlaskClient, iss: str) -> dict[str, str | None]:
    """What the launch page hands to its script; empty where it must not launch."""
    page = PageParts(client.get("/app/launch", query_string={"iss": iss, "launch": "opaque"}).text)
    return next((attrs for _, attrs in page.elements if attrs.get("id") == "launch"), {})


@pytest.mark.parametrize("path", ["/app/launch", "/app/launch?iss=https%3A%2F%2Ffhir.example.org%2Fr4", "/app/"])
def test_no_code_stands_in_a_page(client: FlaskClient, production: FlaskClient, path: str) -> None:
    for caller in (client, production):
        page = PageParts(caller.get(path).text)
        assert page.inline_code() == []
        assert all(address.startswith("/static/") for address in page.loaded())


def test_in_production_the_pages_may_ask_the_servers_of_the_clients_file_alone(production: FlaskClient) -> None:
    for path in ("/app/launch", "/app/"):
        policy = production.get(path).headers["Content-Security-Policy"].split("; ")
        servers = "https://fhir.example.org https://login.example.org https://second.example.org"
        assert f"connect-src 'self' {servers}" in policy
        assert "frame-ancestors https://ehr.example.org" in policy


def test_a_known_server_is_launched_with_the_client_id_that_was_agreed(production: FlaskClient) -> None:
    assert launch_of(production, KNOWN)["data-client-id"] == "timeline-42"
    assert launch_of(production, OTHER)["data-client-id"] == "onasemnogene-cds"


@pytest.mark.parametrize(
    "iss", ["https://elsewhere.example.org/r4", f"{KNOWN}/../other", "http://127.0.0.1:9/fhir", "javascript:alert(1)"]
)
def test_an_unknown_server_is_refused_in_words(production: FlaskClient, iss: str) -> None:
    assert launch_of(production, iss) == {}
    assert "This record system is not known here" in production.get("/app/launch", query_string={"iss": iss}).text


def test_without_a_server_those_of_the_clients_file_are_listed(production: FlaskClient) -> None:
    page = PageParts(production.get("/app/launch").text)
    chosen = [address for address in page.attributes("a", "href") if "iss=" in address]
    assert chosen == [
        "/app/launch?iss=https%3A//fhir.example.org/r4",
        "/app/launch?iss=https%3A//second.example.org/fhir",
    ]


def test_the_demo_lists_its_own_server_and_launches_on_this_machine_only(client: FlaskClient) -> None:
    assert "/app/launch?iss=http%3A//localhost/demo/fhir" in client.get("/app/launch").text
    assert launch_of(client, "http://127.0.0.1:9000/fhir")["data-client-id"] == "onasemnogene-cds"
    assert launch_of(client, "https://fhir.example.org/r4") == {}


def test_what_the_address_says_stays_text(client: FlaskClient) -> None:
    page = client.get("/app/launch", query_string={"iss": '"><img src=x onerror=alert(1)>'}).text
    assert "<img" not in page


def test_scopes_are_those_of_the_nine_lists_in_smart_2(client: FlaskClient) -> None:
    scopes = (launch_of(client, "http://127.0.0.1:9000/fhir")["data-scopes"] or "").split()
    types = {scope.removeprefix("patient/").removesuffix(".rs") for scope in scopes}
    queries = client.get("/cds-services").get_json()["services"][0]["prefetch"].values()
    assert types == {query.partition("?")[0].partition("/")[0] for query in queries} | {"Medication"}
    assert all(scope.startswith("patient/") and scope.endswith(".rs") for scope in scopes)


def test_the_timeline_asks_what_discovery_publishes(client: FlaskClient) -> None:
    page = PageParts(client.get("/app/").text)
    (queries,) = [attrs["data-queries"] for _, attrs in page.elements if "data-queries" in attrs]
    published = {service["id"]: service["prefetch"] for service in client.get("/cds-services").get_json()["services"]}
    assert json.loads(queries or "") == published["onasemnogene-patient-view"]
