"""The sandbox page in a real browser: what a first visitor sees, and everything that can be done there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from accessibility import serious_violations
from playwright.sync_api import Browser, Locator, Page, Route, expect
from running_services import ROOT, RunningService, running
from watched_page import Viewport, watched_page

from cds_service.config import Settings

Json = dict[str, Any]
FORMULA = "onasemnogene-order-sign/dose-by-formula"
DAY_12 = "onasemnogene-patient-view/course-uneventful-day-12"
NOT_OURS = "onasemnogene-patient-view/low-platelets-of-an-unrelated-child"
NO_PATIENT = "onasemnogene-order-sign/no-patient"
OVERDUE = "onasemnogene-patient-view/week-1-overdue"
HOSTILE = "<img src=x onerror=alert(1)> [press](javascript:alert(1)) [go](http://127.0.0.1/x) <script>alert(1)</script>"


def opened(page: Page, demo: RunningService, scenario: str = "") -> Page:
    """The page with the answer to a scenario; without a name, as a first visitor opens it."""
    page.goto(f"{demo.address}/{f'#{scenario}' if scenario else ''}")
    expect(page.locator("#answer-line")).to_contain_text("ms")
    return page


def cards(page: Page) -> list[str]:
    """Level and summary of each card, as they are read."""
    return page.eval_on_selector_all(
        "article.card", "all => all.map(card => card.querySelector('header').innerText.replace(/\\s+/g, ' '))"
    )


def card_of(page: Page, summary: str) -> Locator:
    """The card whose summary has these words."""
    return page.locator("article.card").filter(has=page.locator("h3", has_text=summary)).first


@contextmanager
def page_told_of(browser: Browser, status: int) -> Iterator[Page]:
    """A page on whose console stands that this status came, as browsers write it there, and nothing else."""
    line = rf"\Aconsole error: Failed to load resource: the server responded with a status of {status} \([A-Za-z ]+\)\Z"
    with pytest.raises(AssertionError, match=line), watched_page(browser, Viewport(1280, 900)) as page:
        yield page


def request_in(page: Page) -> Json:
    """The request as it stands in the page."""
    document: Json = json.loads(page.input_value("#request"))
    return document


def sent_again(page: Page) -> None:
    """Send the request as it stands, and wait for the answer."""
    with page.expect_response(lambda reply: "/cds-services/" in reply.url):
        page.click("#send")
    expect(page.locator("#sandbox")).not_to_have_attribute("aria-busy", "true")


@contextmanager
def made_demo(folder: Path, settings: Settings, **environment: str) -> Iterator[RunningService]:
    """What `make demo` serves, at the moment all tests share."""
    assert settings.now is not None
    program = Path(__file__).with_name("demo_command.py")
    with running(folder, program, CDS_NOW=settings.now.isoformat(), **environment) as service:
        yield service


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[RunningService]:
    with made_demo(tmp_path_factory.mktemp("sandbox"), settings) as service:
        yield service


@pytest.fixture(scope="module")
def remembering(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[tuple[RunningService, str]]:
    """The same with a database that can be looked at, and its address."""
    folder = tmp_path_factory.mktemp("remembering")
    database = f"sqlite:///{folder}/kept.sqlite3"
    with made_demo(folder, settings, CDS_DATABASE_URL=database) as service:
        yield service, database


def reported(database: str) -> Json:
    """What `cds-service report` tells of a database."""
    told = subprocess.run(
        [sys.executable, "-m", "cds_service", "report", "--json"],
        env={**os.environ, "CDS_MODE": "demo", "CDS_DATABASE_URL": database},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    report: Json = json.loads(told.stdout)
    return report


# --- the first minute -------------------------------------------------------------------------------------------


def test_the_first_view_shows_a_wrong_dose_with_its_cards_and_says_what_this_is(
    page: Page, demo: RunningService
) -> None:
    opened(page, demo)
    assert cards(page) == [
        "critical Before ZOLGENSMA: act on 2 checks",
        "critical Change dose to 16.5 mL: the ordered volume is another one (+1 more)",
    ]
    assert request_in(page)["hook"] == "order-sign"
    for words in ("Demo mode", "Synthetic patients", "Not clinically reviewed"):
        expect(page.locator(".intro").get_by_text(words)).to_be_visible()
    expect(page.locator("article.card").nth(1)).to_be_in_viewport()


def test_a_level_is_said_in_a_word_and_a_sign_as_well_as_in_colour(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    level = page.locator(".card .level").first
    assert level.inner_text() == "critical"
    assert level.evaluate("it => getComputedStyle(it, '::before').content").startswith('"▲')


def test_the_detail_is_rendered_and_can_be_read_whole(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    dose = page.locator("article.card").nth(1)
    expect(dose.locator(".detail strong").first).to_have_text("What the record shows")
    more = dose.locator("button.more")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    assert dose.locator(".detail").evaluate("it => it.scrollHeight - it.clientHeight") <= 1


def test_a_moment_can_be_chosen(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    with page.expect_response("**/cds-services/onasemnogene-order-select"):
        page.get_by_label("Order being written").check()
    expect(page.locator("article.card .level").first).to_have_text("warning")
    assert page.url.endswith("#onasemnogene-order-select/dose-by-formula")


def test_a_child_can_be_chosen_and_stands_in_the_banner(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    page.get_by_label("From the order on").check()
    expect(page.locator("#patient-name")).to_have_text("Course-Uneventful Synthetic")
    page.get_by_label("Day 12", exact=True).check()
    expect(page.locator("article.card h3")).to_have_text("On track, day 12; next liver tests and platelets 2026-03-04")


def test_no_card_stands_under_the_name_of_another_child(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    held: list[Route] = []
    page.route("**/cds-services/onasemnogene-order-select", lambda route: held.append(route))
    page.get_by_label("From the order on").check()
    expect(page.locator("#patient-name")).to_have_text("Course-Uneventful Synthetic")
    assert cards(page) == []
    expect(page.locator("#answer-line")).to_be_empty()
    held[0].continue_()
    expect(page.locator("article.card")).to_have_count(1)


def test_every_scenario_can_be_chosen_from_the_whole_list(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    page.get_by_text("All scenarios by service").click()
    page.get_by_label("Service", exact=True).select_option("onasemnogene-patient-view")
    page.get_by_label("Scenario", exact=True).select_option("onasemnogene-patient-view/tumor-five-years-after")
    expect(page.locator("#proves")).to_contain_text("tumour")
    page.click("#show-scenario")
    expect(page.locator("article.card .level").first).to_have_text("warning")


def test_an_address_with_an_unknown_scenario_opens_the_first_view(page: Page, demo: RunningService) -> None:
    assert len(cards(opened(page, demo, "onasemnogene-order-sign/%E0<b>nothing"))) == 2


# --- the request ------------------------------------------------------------------------------------------------


def test_an_edited_request_gets_other_cards(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    written = page.input_value("#request")
    page.fill("#request", written.replace("14.3", "16.5"))
    sent_again(page)
    assert not [line for line in cards(page) if "Change dose" in line]


def test_reset_brings_the_request_back(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    before = page.input_value("#request")
    page.fill("#request", "{}")
    page.click("#reset")
    expect(page.locator("#request")).to_have_value(before)


def test_every_digit_of_a_request_is_kept(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    fixture = ROOT / "fhir_fixtures/hook_requests" / f"{FORMULA}.json"
    assert json.loads(page.input_value("#request"), parse_float=str) == json.loads(
        fixture.read_text("utf-8"), parse_float=str
    )


def test_invalid_json_is_named_by_line_and_column_and_not_sent(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.fill("#request", '{\n "hook": "order-sign",\n "context": {"patientId" "x"}\n}')
    page.click("#send")
    expect(page.locator("#request-fault")).to_have_text("This is no JSON: line 3, column 26: a colon is missing here.")
    expect(page.locator("#request")).to_be_focused()
    expect(page.locator("#request")).to_have_attribute("aria-invalid", "true")
    assert asked == []


@pytest.mark.parametrize(
    "written",
    ["", "{", "[1,]", '{"a":1,}', "01", '{"a":"b\n"}', "{} {}", "nul", "[" * 300, '{"a":tru}', "'a'", '"\\x"', "1e"],
)
def test_text_that_is_no_json_is_never_sent(page: Page, demo: RunningService, written: str) -> None:
    opened(page, demo)
    page.fill("#request", written)
    page.click("#send")
    expect(page.locator("#request-fault")).to_contain_text("line ")


def test_without_prefetch_the_service_asks_the_fhir_server_and_says_the_same(page: Page, demo: RunningService) -> None:
    before = cards(opened(page, demo))
    with page.expect_response(lambda reply: "/cds-services/" in reply.url):
        page.get_by_label("Left out: the service asks the FHIR server").check()
    expect(page.locator("#sandbox")).not_to_have_attribute("aria-busy", "true")
    request = request_in(page)
    assert "prefetch" not in request
    assert request["fhirServer"] == f"{demo.address}/demo/scenarios/{FORMULA}/fhir"
    assert cards(page) == before


def test_a_refused_call_is_told_with_its_status_and_its_place(browser: Browser, demo: RunningService) -> None:
    with page_told_of(browser, 400) as page:
        opened(page, demo)
        page.fill("#request", page.input_value("#request").replace('"userId"', '"whoever"'))
        sent_again(page)
        expect(page.locator("#fault")).to_contain_text("400")
        expect(page.locator("#fault")).to_contain_text("userId")
        assert cards(page) == []


def test_a_call_without_a_patient_is_told(browser: Browser, demo: RunningService) -> None:
    with page_told_of(browser, 412) as page:
        opened(page, demo, NO_PATIENT)
        expect(page.locator("#fault")).to_contain_text("412")
        expect(page.locator("#fault")).to_contain_text("Patient is not available")


def test_an_answer_without_cards_is_explained(page: Page, demo: RunningService) -> None:
    opened(page, demo, NOT_OURS)
    expect(page.locator("#answer-line")).to_contain_text("0 cards")
    expect(page.locator(".nothing")).to_contain_text("no statement that all is well")


def test_the_response_can_be_looked_at_as_it_came(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    page.locator("#response-box summary").click()
    answer = json.loads(page.locator("#response").inner_text())
    assert len(answer["cards"]) == 2
    expect(page.locator("#response-size")).to_contain_text("200 OK")


def test_the_copied_command_sends_the_same_request_from_a_shell(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    # What a shell would take for its own: quotes, a variable, a command, a backslash.
    hostile = 'it\'s \\"$HOME\\" `id` $(id) \\\\ !! é'
    page.fill("#request", page.input_value("#request").replace("14.3", "16.5").replace("synthetic-prescriber", hostile))
    page.click("#copy")
    expect(page.locator("#copied")).to_contain_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    sent_again(page)
    from_shell = [f"{card['indicator']} {card['summary']}" for card in json.loads(done.stdout)["cards"]]
    assert from_shell == cards(page)
    body = command.split("<<'END_OF_REQUEST'\n")[1].removesuffix("\nEND_OF_REQUEST\n")
    assert json.loads(body) == request_in(page)


# --- suggestions, overrides, links ------------------------------------------------------------------------------


def test_an_accepted_correction_is_stored_carried_out_and_gone_when_sent_again(
    page: Page, remembering: tuple[RunningService, str]
) -> None:
    service, database = remembering
    opened(page, service)
    dose = page.locator("article.card").nth(1)
    dose.get_by_role("button", name="Accept: Change the draft to 16.5 mL").click()
    expect(dose.locator(".outcome")).to_contain_text("Feedback stored")
    expect(dose.locator(".outcome")).to_be_focused()
    assert '"value": 16.5' in page.input_value("#request")
    dose.locator(".outcome").get_by_text("What was sent").click()
    expect(dose.locator(".outcome pre").first).to_contain_text('"outcome": "accepted"')
    dose.locator(".outcome").get_by_role("button", name="Send again").click()
    expect(card_of(page, "Change dose")).to_have_count(0)
    assert [row["accepted"] for row in reported(database)["topics"] if row["topic"] == "dose"] == [1]


def test_a_created_order_is_shown_and_stands_beside_the_drafts(page: Page, demo: RunningService) -> None:
    opened(page, demo, "onasemnogene-order-sign/no-steroid")
    card = card_of(page, "none covers the day before the infusion")
    card.get_by_role("button", name="Accept").click()
    expect(card.locator(".outcome")).to_contain_text("create: ")
    drafts = request_in(page)["context"]["draftOrders"]["entry"]
    assert [entry["resource"]["resourceType"] for entry in drafts] == ["MedicationRequest", "MedicationRequest"]
    sent_again(page)
    assert not [line for line in cards(page) if "none covers the day before" in line]


def test_an_overridden_card_is_stored_and_keeps_quiet_when_sent_again(
    page: Page, remembering: tuple[RunningService, str]
) -> None:
    service, database = remembering
    opened(page, service, OVERDUE)
    card = card_of(page, "liver tests")
    summary = card.locator("h3").inner_text()
    card.locator("summary", has_text="Override").click()
    card.get_by_label("Reason").select_option(label="Done or resulted outside this record")
    card.get_by_label("Comment").fill("resulted elsewhere")
    card.get_by_role("button", name=f"Override: {summary}").click()
    expect(card.locator(".outcome")).to_contain_text("Feedback stored")
    card.locator(".outcome summary").click()
    expect(card.locator(".outcome pre")).to_contain_text("done-elsewhere")
    card.locator(".outcome").get_by_role("button", name="Send again").click()
    expect(page.locator("#answer-line")).to_contain_text("not shown again")
    assert not [line for line in cards(page) if summary in line]
    assert [row["overridden"] for row in reported(database)["topics"] if row["topic"] == "liver"] == [1]


def test_feedback_that_is_not_stored_is_said_and_can_be_tried_again(browser: Browser, demo: RunningService) -> None:
    with page_told_of(browser, 503) as page:
        opened(page, demo)
        page.route("**/feedback", lambda route: route.fulfill(status=503, body="{}"))
        dose = page.locator("article.card").nth(1)
        dose.get_by_role("button", name="Accept").click()
        expect(dose.locator(".outcome")).to_contain_text("Not stored (503)")
        expect(dose.get_by_role("button", name="Accept")).to_be_enabled()
        assert "14.3" in page.input_value("#request")


def test_why_this_card_opens_the_page_of_its_rule_in_a_new_tab(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    link = card_of(page, "Change dose").get_by_role("link", name="Why this card").first
    assert link.get_attribute("rel") == "noopener noreferrer"
    with page.context.expect_page() as another:
        link.click()
    assert another.value.url == f"{demo.address}/rules/dose-volume"
    expect(another.value.locator("h1")).to_be_visible()


def test_the_timeline_is_opened_as_an_ehr_opens_an_app(page: Page, demo: RunningService) -> None:
    opened(page, demo, DAY_12)
    address = page.locator("a.link-smart").first.get_attribute("href") or ""
    asked = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{demo.address}/app/launch?")
    assert asked["iss"] == [f"{demo.address}/demo/scenarios/{DAY_12}/fhir"]
    assert len(asked["launch"][0]) == 36
    assert "synthetic" not in asked["launch"][0]


# --- nothing of a record becomes part of the page ----------------------------------------------------------------


def test_hostile_text_of_a_record_forms_no_element_and_no_link(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    request = request_in(page)
    request["prefetch"]["patient"]["name"] = [{"text": HOSTILE}]
    order = request["context"]["draftOrders"]["entry"][0]["resource"]
    order["medicationCodeableConcept"]["text"] = HOSTILE
    for coding in order["medicationCodeableConcept"]["coding"]:
        coding["display"] = f"ZOLGENSMA {HOSTILE}"
    page.fill("#request", json.dumps(request))
    sent_again(page)
    for button in page.locator("button.more").all():
        button.click()
    text = page.locator("#cards").inner_text()
    assert "alert(1)" in text
    assert page.locator("#cards :is(img, script, iframe, object), #cards .detail a").count() == 0


def test_a_hostile_answer_forms_no_element_and_no_link(page: Page, demo: RunningService) -> None:
    card = {
        "uuid": "a",
        "summary": HOSTILE,
        "detail": f"{HOSTILE}\n\n| a | b |\n|:--|--:|\n| 1 | {HOSTILE} |\n\n![i](http://127.0.0.1/x)",
        "indicator": "warning<b>",
        "source": {"label": HOSTILE, "url": "javascript:alert(1)"},
        "suggestions": [{"label": HOSTILE, "uuid": "b", "actions": [{"type": "create", "description": HOSTILE}]}],
        "overrideReasons": [{"code": "x", "display": HOSTILE}],
        "links": [{"label": HOSTILE, "url": "javascript:alert(1)", "type": kind} for kind in ("absolute", "smart")],
    }
    page.route("**/cds-services/onasemnogene-order-sign", lambda route: route.fulfill(json={"cards": [card]}))
    opened(page, demo)
    shown = page.locator("article.card")
    assert shown.locator("img, script, b").count() == 0
    assert {link.get_attribute("href") for link in shown.locator("a").all()} == {"http://127.0.0.1/x"}
    assert shown.locator("td").all_inner_texts()[0] == "1"


def test_nothing_of_a_record_is_stored_in_the_browser_or_its_address(page: Page, demo: RunningService) -> None:
    opened(page, demo, DAY_12)
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert "synthetic" not in page.url


# --- for everybody ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", [FORMULA, DAY_12, NOT_OURS, "onasemnogene-order-sign/hostile-text"])
def test_the_scanner_finds_nothing_serious(page: Page, demo: RunningService, scenario: str) -> None:
    opened(page, demo, scenario)
    assert serious_violations(page) == []


def test_the_scanner_finds_nothing_serious_where_everything_is_open(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
    page.locator("button.accept").first.click()
    expect(page.locator(".outcome").nth(1)).to_contain_text("Feedback stored")
    page.fill("#request", "{")
    page.click("#send")
    assert serious_violations(page) == []


@pytest.mark.parametrize("scenario", [FORMULA, DAY_12, NOT_OURS])
def test_on_a_phone_nothing_is_cut_off_and_nothing_scrolls_sideways(
    phone: Page, demo: RunningService, scenario: str
) -> None:
    opened(phone, demo, scenario)
    for button in phone.locator("button.more").all():
        button.click()
    phone.locator("#choice-of-child > summary").click()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    assert serious_violations(phone) == []


def test_on_a_phone_the_list_closes_once_a_child_is_tapped(phone: Page, demo: RunningService) -> None:
    opened(phone, demo)
    phone.locator("#choice-of-child > summary").click()
    phone.get_by_text("Low platelets").click()
    expect(phone.locator("#children")).to_be_hidden()
    expect(phone.locator("#chosen-child")).to_have_text("Low platelets")
    expect(phone.locator("input[name=moment]:checked")).to_be_focused()
    expect(phone.locator("#moments")).to_be_in_viewport()


def test_at_1024_pixels_the_children_stand_beside_the_cards(browser: Browser, demo: RunningService) -> None:
    with watched_page(browser, Viewport(1024, 768)) as page:
        opened(page, demo)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1024
        expect(page.locator("article.card").first).to_be_in_viewport()
        expect(page.get_by_label("No corticosteroid")).to_be_in_viewport()


def test_everything_can_be_done_with_the_keyboard(page: Page, demo: RunningService) -> None:
    opened(page, demo)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.locator("input[name=child]:checked").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#patient-name")).to_have_text("Course-Uneventful Synthetic")
    page.locator("input[name=moment]:checked").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("input[name=moment]:checked + span")).to_have_text("Order being signed")
    expect(page.locator("input[name=moment]:checked")).to_be_focused()
    page.locator("input[name=child]:checked").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#patient-name")).to_have_text("Formula-Infant Synthetic")
    reach(page, "Accept: Change the draft to 16.5 mL")
    page.keyboard.press("Enter")
    expect(page.locator(".outcome").nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    with page.expect_response("**/cds-services/onasemnogene-order-sign"):
        reach(page, "Send again")
        page.keyboard.press("Enter")
    expect(page.locator("#cards")).to_be_focused()


def reach(page: Page, name: str) -> None:
    """Press Tab until the element of this name has the focus."""
    script = "() => document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
    for _ in range(80):
        if str(page.evaluate(script)).startswith(name):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {name}")
