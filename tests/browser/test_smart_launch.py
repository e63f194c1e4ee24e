"""The timeline is launched by SMART App Launch 2, with PKCE, and leaves nothing of the access or the chart behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect
from registered_ehr import RegisteredEhr
from running_services import RunningService, free_port, running
from smart_app import (
    REBOUND,
    everything_kept,
    fhir_server,
    is_token_request,
    launch_address,
    on_answer,
    open_timeline,
)

from cds_service.store import open_store


def requests_of(page: Page) -> list[Request]:
    """The requests that the page makes from now on."""
    made: list[Request] = []
    page.on("request", lambda request: made.append(request))
    return made


def test_a_launch_from_the_chart_opens_the_timeline_of_its_patient(page: Page, demo: RunningService) -> None:
    course = open_timeline(page, demo)
    assert course["concerns"]
    expect(page.locator("[data-state=course] [data-slot=name]")).to_have_text("Course-Rebound Synthetic")


def test_without_a_patient_the_user_chooses_server_and_patient(page: Page, demo: RunningService) -> None:
    page.goto(f"{demo.address}/app/launch")
    page.get_by_role("link", name="Synthetic patients of the demo").click()
    expect(page.get_by_role("heading", name="Choose a patient")).to_be_visible()
    page.get_by_role("link", name="Course-Uneventful Synthetic").click()
    page.wait_for_selector("#timeline[data-ready]")
    expect(page.locator("[data-state=course] [data-slot=name]")).to_have_text("Course-Uneventful Synthetic")


def test_the_launch_asks_for_no_more_than_reading_and_proves_itself_with_pkce(page: Page, demo: RunningService) -> None:
    made = requests_of(page)
    open_timeline(page, demo)
    (asked,) = [parse_qs(urlsplit(request.url).query) for request in made if "/auth/authorize" in request.url]
    (exchanged,) = [parse_qs(request.post_data or "") for request in made if request.url.endswith("/auth/token")]
    scopes = asked["scope"][0].split()
    assert {"launch", "openid", "fhirUser", "patient/Patient.rs", "patient/Observation.rs"} <= set(scopes)
    assert all(scope.endswith(".rs") for scope in scopes if "/" in scope)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["aud"] == [fhir_server(demo)]
    assert len(exchanged["code_verifier"][0]) >= 43
    assert "client_secret" not in exchanged


def test_a_server_without_pkce_is_not_launched(page: Page, demo: RunningService) -> None:
    on_answer(page, "**/.well-known/smart-configuration", lambda said: said | {"code_challenge_methods_supported": []})
    page.goto(launch_address(demo, fhir_server(demo)))
    expect(page.get_by_role("alert")).to_contain_text("S256")
    assert "/app/launch" in page.url


def test_an_answer_with_another_state_is_refused(page: Page, demo: RunningService) -> None:
    made = requests_of(page)
    page.goto(f"{demo.address}/app/?code=stolen&state=guessed")
    expect(page.get_by_role("alert")).to_contain_text("does not belong to a launch from this window")
    assert not [request for request in made if "/auth/token" in request.url or "/app/course" in request.url]
    assert everything_kept(page)["address"] == f"{demo.address}/app/"


def test_a_refusal_of_the_sign_in_is_said(page: Page, demo: RunningService) -> None:
    page.goto(f"{demo.address}/app/?error=access_denied&error_description=the+user+said+no&state=x")
    expect(page.get_by_role("alert")).to_contain_text("access_denied: the user said no")


def test_what_a_refusal_says_stays_text(page: Page, demo: RunningService) -> None:
    page.goto(f"{demo.address}/app/?error=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.get_by_role("alert")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0


def test_the_address_cannot_bring_a_client_a_server_or_a_patient(page: Page, demo: RunningService) -> None:
    made = requests_of(page)
    more = "&clientId=evil&patientId=somebody-else&fhirServiceUrl=http%3A%2F%2F127.0.0.1%3A9%2Ffhir"
    page.goto(launch_address(demo, fhir_server(demo)) + more)
    page.wait_for_selector("#timeline[data-ready]")
    (asked,) = [parse_qs(urlsplit(request.url).query) for request in made if "/auth/authorize" in request.url]
    assert asked["client_id"] == ["onasemnogene-cds"]
    followed = [request.url for request in made if "/app/launch" not in request.url]
    assert followed
    assert not [url for url in followed if ":9/" in url or "somebody-else" in url]


def test_nothing_is_kept_once_the_timeline_is_open(page: Page, demo: RunningService) -> None:
    open_timeline(page, demo)
    assert everything_kept(page) == {
        "session": [],
        "local": [],
        "cookies": "",
        "databases": 0,
        "caches": 0,
        "history": None,
        "address": f"{demo.address}/app/",
    }


def test_what_is_kept_while_the_user_signs_in_is_neither_token_nor_patient(page: Page, demo: RunningService) -> None:
    page.route("**/auth/authorize?*", lambda route: route.fulfill(body="signing in", content_type="text/html"))
    page.goto(launch_address(demo, fhir_server(demo)))
    page.wait_for_url("**/auth/authorize?*")
    kept = json.dumps(everything_kept(page)["session"])
    assert "codeVerifier" in kept
    assert "access_token" not in kept
    assert "synthetic-course-rebound" not in kept


def test_a_reload_says_that_the_chart_has_to_be_opened_again(page: Page, demo: RunningService) -> None:
    open_timeline(page, demo)
    page.reload()
    expect(page.get_by_role("heading", name="No chart is open here")).to_be_visible()
    assert page.locator("[data-state=course]").is_hidden()


def test_the_way_back_leads_to_no_chart(page: Page, demo: RunningService) -> None:
    page.goto(f"{demo.address}/about")
    open_timeline(page, demo)
    page.goto(f"{demo.address}/about")
    page.go_back()
    expect(page.locator("[data-state=course]")).to_be_hidden()


def test_the_token_reaches_the_fhir_server_and_nobody_else(page: Page, demo: RunningService) -> None:
    made = requests_of(page)
    open_timeline(page, demo)
    bearing = [request.url for request in made if "authorization" in request.headers]
    assert bearing
    assert all(url.startswith(f"{fhir_server(demo)}/") for url in bearing)
    (course,) = [request.post_data or "" for request in made if request.url.endswith("/app/course")]
    assert "synthetic-demo-token" not in course
    assert "fhirAuthorization" not in course


def test_a_search_that_goes_on_at_another_server_is_not_followed_and_called_a_part(
    page: Page, demo: RunningService
) -> None:
    made = requests_of(page)
    open_timeline(page, demo, faults="elsewhere:Observation")
    assert not [request for request in made if "elsewhere.invalid" in request.url]
    expect(page.get_by_role("alert")).to_contain_text("observations: only a part of it came")


def test_a_search_that_holds_something_back_is_called_a_part(page: Page, demo: RunningService) -> None:
    course = open_timeline(page, demo, "course-missed-visits-day-17", "no-next:Observation")
    expect(page.get_by_role("alert")).to_contain_text("observations: only a part of it came")
    rules = {finding["rule"] for card in course["cards"] for finding in card["extension"]["onasemnogene-cds.findings"]}
    assert "data-incomplete-paging" in rules


def test_nothing_of_patient_or_token_is_logged(page: Page, demo: RunningService) -> None:
    open_timeline(page, demo)
    written = demo.log_file.read_text("utf-8")
    assert "onasemnogene-course" in written
    for secret in ("synthetic-demo-token", "synthetic-course-rebound", "Course-Rebound", "code="):
        assert secret not in written


def test_who_is_signed_in_has_to_be_known(page: Page, demo: RunningService) -> None:
    on_answer(page, "**/auth/token", lambda granted: {k: v for k, v in granted.items() if k != "id_token"})
    page.goto(launch_address(demo, fhir_server(demo)))
    expect(page.get_by_role("alert")).to_contain_text("openid and fhirUser")


def test_a_patient_has_to_be_named(page: Page, demo: RunningService) -> None:
    on_answer(page, "**/auth/token", lambda granted: {k: v for k, v in granted.items() if k != "patient"})
    page.goto(launch_address(demo, fhir_server(demo)))
    expect(page.get_by_role("alert")).to_contain_text("named no patient")


def test_a_server_that_is_not_on_this_machine_is_not_launched_in_the_demo(page: Page, demo: RunningService) -> None:
    made = requests_of(page)
    page.goto(launch_address(demo, "https://ehr.example.org/fhir"))
    expect(page.get_by_role("alert")).to_contain_text("This record system is not known here")
    assert not [request for request in made if "ehr.example.org/fhir" in urlsplit(request.url).netloc]


# --- in production


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory, demo: RunningService) -> Iterator[RunningService]:
    """A production service on loopback with two clients; the FHIR server of the first is the demo's."""
    folder: Path = tmp_path_factory.mktemp("production")
    bench = "allow_insecure_loopback = true\n"
    first = RegisteredEhr(
        "first-ehr", f'{bench}fhir_base_urls = ["{fhir_server(demo)}"]\norigins = ["{demo.address}"]\n'
    )
    second = RegisteredEhr("second-ehr", f'{bench}fhir_base_urls = ["http://127.0.0.1:9/fhir"]\n')
    port, database = free_port(), f"sqlite:///{folder}/memory.sqlite3"
    open_store(database, migrates=True).close()
    clients = folder / "clients.toml"
    clients.write_text("\n".join(ehr.entry(folder) for ehr in (first, second)), encoding="utf-8")
    settings = {
        "CDS_MODE": "production",
        "CDS_PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "CDS_TIMEZONE": "UTC",
        "CDS_CLIENTS_FILE": str(clients),
        "CDS_DATABASE_URL": database,
        "WEB_CONCURRENCY": "1",
    }
    with running(folder, port=port, **settings) as service:
        yield service


def test_in_production_an_unknown_server_is_refused(
    page: Page, production: RunningService, demo: RunningService
) -> None:
    page.goto(launch_address(production, fhir_server(demo, "course-uneventful-day-12")))
    expect(page.get_by_role("alert")).to_contain_text("This record system is not known here")


def test_in_production_the_browser_may_ask_the_registered_servers_and_stand_in_the_clients_frame(
    page: Page, production: RunningService, demo: RunningService
) -> None:
    response = page.goto(launch_address(production, "http://127.0.0.1:1/nobody"))
    assert response is not None
    policy = response.headers["content-security-policy"].split("; ")
    assert f"connect-src 'self' {demo.address} http://127.0.0.1:9" in policy
    assert f"frame-ancestors {demo.address}" in policy
    assert "script-src 'self'" in policy


def test_in_production_the_timeline_of_a_registered_server_opens(
    page: Page, production: RunningService, demo: RunningService
) -> None:
    page.goto(launch_address(production, fhir_server(demo)))
    page.wait_for_selector("#timeline[data-ready]")
    assert page.url == f"{production.address}/app/"
    expect(page.locator("[data-state=course] [data-slot=name]")).to_have_text("Course-Rebound Synthetic")


def test_a_course_is_opened_twice_with_two_codes(page: Page, demo: RunningService) -> None:
    codes = []
    for _ in range(2):
        with page.expect_response(is_token_request) as exchanged:
            page.goto(launch_address(demo, fhir_server(demo, REBOUND)))
        codes += parse_qs(exchanged.value.request.post_data or "")["code"]
    assert len(set(codes)) == 2


def test_the_link_on_a_card_of_the_sandbox_opens_the_timeline_of_its_child(page: Page, demo: RunningService) -> None:
    page.goto(f"{demo.address}/#onasemnogene-patient-view/{REBOUND}")
    link = page.locator("a[href*='/app/launch']").first
    expect(link).to_be_visible()
    with page.expect_popup() as opened:
        link.click()
    opened.value.wait_for_selector("#timeline[data-ready]")
    expect(opened.value.locator("[data-state=course] [data-slot=name]")).to_have_text("Course-Rebound Synthetic")
