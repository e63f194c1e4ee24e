"""The timeline draws what the service answers: every row of its tables, every state of its calendar, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from accessibility import serious_violations
from playwright.sync_api import Browser, Page, Route, expect
from running_services import RunningService
from smart_app import REBOUND, fhir_server, launch_address, on_answer, open_timeline, table
from watched_page import Viewport, watched_page

CHILDREN = (
    "course-uneventful-day-49",
    "course-liver-rise-day-29",
    "course-microangiopathy-day-7",
    "course-missed-visits-day-17",
    REBOUND,
)
SHEETS = (*CHILDREN, "course-uneventful-day-4", "course-missed-visits-day-13")
Json = dict[str, Any]


@pytest.fixture
def answering(browser: Browser) -> Iterator[Page]:
    """A window in which answers may fail: a browser writes each failed request to its console by itself."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", locale="en-US")
    yield context.new_page()
    context.close()


def without_ranges(bundle: Json, code: str) -> Json:
    """The same results without the reference ranges of one test."""
    for entry in bundle.get("entry", []):
        resource = entry["resource"]
        if code in json.dumps(resource.get("code", {})):
            resource.pop("referenceRange", None)
    return bundle


def changing(page: Page, scenario: str, change: Any) -> None:
    """Change what the Observation searches of a scenario find."""
    on_answer(page, f"**/{scenario}/fhir/Observation?**", change)


# --- what is drawn


@pytest.mark.parametrize("scenario", CHILDREN)
def test_the_calendar_is_drawn_in_the_states_that_the_service_gives(
    page: Page, demo: RunningService, scenario: str
) -> None:
    course = open_timeline(page, demo, scenario)
    parts = [(slot, part) for slot in course["slots"] for part in slot["parts"]]
    drawn = page.locator(".slot").evaluate_all("all => all.map(one => [one.dataset.slotId, one.dataset.status])")
    assert sorted(drawn) == sorted([slot["id"], part["status"]] for slot, part in parts)
    assert [(row[0], row[1], row[4]) for row in table(page, "slots-table")] == [
        (slot["id"], slot["target"], part["statusWords"]) for slot, part in parts
    ]


@pytest.mark.parametrize("scenario", CHILDREN)
def test_every_result_stands_in_a_table_as_the_service_gives_it(
    page: Page, demo: RunningService, scenario: str
) -> None:
    course = open_timeline(page, demo, scenario)
    for slot, scale in (("multiples-table", "timesUln"), ("values-table", "value")):
        points = [
            (series["name"], point.get("day", "not known"), point["written"])
            for series in course["series"]
            if series["scale"] == scale
            for point in series["points"]
        ]
        shown = table(page, slot)
        assert [(row[0], row[1], row[3].partition(" (")[0]) for row in shown] == points
        if scale == "timesUln":
            multiples = [p["timesUln"] for s in course["series"] if s["scale"] == scale for p in s["points"]]
            assert [row[4] for row in shown] == [f"{multiple} ×" for multiple in multiples]


@pytest.mark.parametrize("scenario", CHILDREN)
def test_every_day_of_the_corticosteroid_stands_in_its_table(page: Page, demo: RunningService, scenario: str) -> None:
    course = open_timeline(page, demo, scenario)
    words = course["words"]
    assert [(row[0], row[1], row[3], row[4]) for row in table(page, "steroid-table")] == [
        (
            day["day"],
            day.get("mg", "–" if day["source"] == "none" else "not known"),
            words["doseSources"][day["source"]],
            words["phases"][day["phase"]],
        )
        for day in course["steroid"]["days"]
    ]


def test_the_phases_are_named_in_the_words_of_the_service(page: Page, demo: RunningService) -> None:
    course = open_timeline(page, demo)
    named = page.locator("[data-slot=phases] .visually-hidden").all_text_contents()
    assert named == [phase["words"] for phase in course["steroid"]["phases"]]


def test_the_banner_says_who_when_and_which_day(page: Page, demo: RunningService) -> None:
    course = open_timeline(page, demo)
    banner = page.locator(".banner")
    for words in ("Course-Rebound Synthetic", "born 2025-11-17", course["infusion"]["words"], "D+46", course["today"]):
        expect(banner).to_contain_text(words)
    expect(banner).to_contain_text(course["steroid"]["state"]["words"])


def test_the_findings_are_those_of_the_cards_each_with_its_evidence_and_the_page_of_its_rule(
    page: Page, demo: RunningService
) -> None:
    course = open_timeline(page, demo)
    findings = [f for card in course["cards"] for f in card["extension"]["onasemnogene-cds.findings"]]
    assert page.locator(".card h3").all_text_contents() == [f"{c['indicator']} {c['summary']}" for c in course["cards"]]
    shown = page.locator(".findings [data-rule]")
    assert shown.count() == len(findings)
    for place, finding in enumerate(findings):
        line = shown.nth(place)
        expect(line).to_contain_text(finding["message"])
        assert line.locator("a").get_attribute("href") == f"/rules/{finding['rule']}"
        references = line.locator(".evidence .mono").all_text_contents()
        assert references == [item["reference"] for item in finding.get("evidence", [])]


def test_a_rule_page_that_is_linked_is_there(page: Page, demo: RunningService) -> None:
    open_timeline(page, demo)
    for address in page.locator(".findings [data-rule] p a").evaluate_all("all => all.map(one => one.href)"):
        assert page.request.get(address).status == 200


def test_markdown_of_a_card_is_shown_as_such(page: Page, demo: RunningService) -> None:
    open_timeline(page, demo)
    detail = page.locator(".card .detail").first
    page.locator(".card summary", has_text="The whole card").first.click()
    expect(detail.locator("strong").first).to_have_text("What the record shows")
    assert detail.locator("li").count() > 5


def test_the_topic_that_the_card_was_about_is_marked(page: Page, demo: RunningService) -> None:
    on_answer(page, "**/auth/token", lambda granted: granted | {"appContext": '{"topic":"liver"}'})
    open_timeline(page, demo)
    (marked,) = page.locator(".headlines a[aria-current]").all()
    panel = page.locator(str(marked.get_attribute("href")))
    assert panel.get_attribute("data-topic") == "liver"


# --- what is not known


def test_a_result_without_its_own_limit_is_drawn_as_unknown(page: Page, demo: RunningService) -> None:
    changing(page, REBOUND, lambda bundle: without_ranges(bundle, "1742-6"))
    course = open_timeline(page, demo)
    (alt,) = [series for series in course["series"] if series["id"] == "alt"]
    assert not any(point["isKnown"] for point in alt["points"])
    rows = [row for row in table(page, "multiples-table") if row[0] == "ALT"]
    assert {row[4] for row in rows} == {"not known"}
    assert all(point["unknownWords"] in row[5] for point, row in zip(alt["points"], rows, strict=True))


def test_a_provisional_result_says_that_it_does_not_count(page: Page, demo: RunningService) -> None:
    def provisional(bundle: Json) -> Json:
        for entry in bundle.get("entry", []):
            if entry["resource"]["id"].endswith("panel-7-alt"):
                entry["resource"]["status"] = "preliminary"
        return bundle

    changing(page, REBOUND, provisional)
    course = open_timeline(page, demo)
    (alt,) = [series for series in course["series"] if series["id"] == "alt"]
    (point,) = [point for point in alt["points"] if not point["counts"]]
    (row,) = [row for row in table(page, "multiples-table") if row[0] == "ALT" and "preliminary" in row[5]]
    assert point["unknownWords"] in row[5]


def test_a_list_that_could_not_be_read_is_named_and_sent_as_a_failure(answering: Page, demo: RunningService) -> None:
    with answering.expect_request("**/app/course") as sent:
        open_timeline(answering, demo, faults="status-403:Observation")
    told = answering.get_by_role("alert")
    expect(told).to_contain_text("Parts of the chart could not be read")
    expect(told).to_contain_text("observations: HTTP 403")
    outcome = json.loads(sent.value.post_data or "")["prefetch"]["observations"]
    assert (outcome["resourceType"], outcome["issue"][0]["code"]) == ("OperationOutcome", "forbidden")


@pytest.mark.parametrize("faults", ["status-403:Observation", ""], ids=["failed", "first page only"])
def test_tests_that_may_have_been_done_are_drawn_as_not_known(
    answering: Page, demo: RunningService, faults: str
) -> None:
    scenario = "course-missed-visits-day-17"
    if not faults:
        changing(answering, scenario, lambda bundle: bundle | {"total": 500})
    course = open_timeline(answering, demo, scenario, faults)
    parts = [(slot["id"], part) for slot in course["slots"] for part in slot["parts"]]
    unknown = [(name, part) for name, part in parts if part["status"] == "unknown"]
    assert tuple(name for name, _ in unknown)[:2] == ("W1", "W1")
    assert not {part["status"] for _, part in parts} & {"due", "overdue", "missed"}
    drawn = answering.locator(".slot[data-status=unknown]")
    assert drawn.locator("text").all_text_contents() == ["U"] * len(unknown)
    words = unknown[0][1]["statusWords"]
    expect(answering.locator(".legend li", has_text=words)).to_have_count(1)
    assert [row[0] for row in table(answering, "slots-table") if row[4] == words] == [name for name, _ in unknown]
    expect(answering.locator("#summary")).to_contain_text("Whether a test is overdue cannot be told")


def test_access_that_has_ended_is_said(answering: Page, demo: RunningService) -> None:
    answering.goto(launch_address(demo, fhir_server(demo, faults="status-401")))
    expect(answering.get_by_role("alert")).to_contain_text("no longer accepts this access")


def test_without_the_patient_the_reason_of_the_service_is_shown(answering: Page, demo: RunningService) -> None:
    answering.goto(launch_address(demo, fhir_server(demo, faults="status-500:Patient")))
    alert = answering.get_by_role("alert").filter(has_text="could not be worked out")
    expect(alert).to_contain_text("(HTTP 412)")


def test_a_record_without_the_product_is_said_to_have_no_course(page: Page, demo: RunningService) -> None:
    def nothing(route: Route) -> None:
        route.fulfill(json={"resourceType": "Bundle", "type": "searchset", "total": 0})

    page.route(f"**/{REBOUND}/fhir/*?*", nothing)
    page.goto(launch_address(demo, fhir_server(demo)))
    expect(page.locator("[data-state=nothing]")).to_contain_text("there is no course to show")
    expect(page.locator("[data-state=nothing]")).to_contain_text("Nobody has clinically reviewed")


def test_a_parent_is_not_shown_the_timeline(answering: Page, demo: RunningService) -> None:
    def as_parent(route: Route) -> None:
        call = json.loads(route.request.post_data or "")
        call["context"]["userId"] = "RelatedPerson/synthetic-parent"
        route.continue_(post_data=json.dumps(call))

    answering.route("**/app/course", as_parent)
    answering.goto(launch_address(demo, fhir_server(demo)))
    expect(answering.get_by_role("alert")).to_contain_text("The timeline is not for this user")
    expect(answering.locator("[data-state=course]")).to_be_hidden()


def test_names_of_the_record_stay_text(page: Page, demo: RunningService) -> None:
    hostile = '<img src=x onerror="document.title=1">'
    on_answer(page, "**/fhir/Patient/*", lambda patient: patient | {"name": [{"text": hostile}]})
    open_timeline(page, demo)
    expect(page.locator("[data-state=course] [data-slot=name]")).to_have_text(hostile)
    expect(page.locator("#summary")).to_contain_text(hostile)
    assert page.locator("main img").count() == 0


def test_numbers_reach_the_service_as_they_are_written(page: Page, demo: RunningService) -> None:
    with page.expect_request("**/app/course") as sent:
        open_timeline(page, demo)
    assert '"value":4.0' in (sent.value.post_data or "")


def test_medicines_that_are_named_only_by_reference_are_read(page: Page, demo: RunningService) -> None:
    def by_reference(bundle: Json) -> Json:
        for entry in bundle.get("entry", []):
            concept = entry["resource"].pop("medicationCodeableConcept", None)
            if concept is not None:
                entry["resource"]["medicationReference"] = {"reference": "Medication/steroid"}
                medicine["code"] = concept
        return bundle

    medicine: Json = {"resourceType": "Medication", "id": "steroid"}
    on_answer(page, f"**/{REBOUND}/fhir/MedicationRequest?*", by_reference)
    page.route(f"**/{REBOUND}/fhir/Medication/steroid", lambda route: route.fulfill(json=medicine))
    course = open_timeline(page, demo)
    assert {day["source"] for day in course["steroid"]["days"]} >= {"ordered"}


# --- keyboard, screen readers, small windows


def test_arrow_keys_go_through_the_points_of_a_drawing(page: Page, demo: RunningService) -> None:
    course = open_timeline(page, demo)
    chart = page.locator("[data-slot=multiples]")
    told = page.locator("[data-slot=multiples] + .readout")
    chart.focus()
    expect(told).to_have_text("Arrow keys go through it.")
    words = {point["words"] for s in course["series"] if s["scale"] == "timesUln" for point in s["points"]}
    seen = []
    for key in ("ArrowRight", "ArrowRight", "End", "Home"):
        page.keyboard.press(key)
        seen.append(told.inner_text())
    assert set(seen) <= words
    assert seen[0] == seen[3] != seen[1]
    assert "2026-03-01" in seen[2]


def test_arrow_keys_go_through_the_calendar(page: Page, demo: RunningService) -> None:
    course = open_timeline(page, demo)
    page.locator(".slot[tabindex='0']").focus()
    page.keyboard.press("End")
    told = page.locator("[data-slot=slots-told]")
    expect(told).to_have_text(course["slots"][-1]["words"])
    page.keyboard.press("ArrowLeft")
    expect(told).not_to_have_text(course["slots"][-1]["words"])


def test_tables_open_without_a_mouse(page: Page, demo: RunningService) -> None:
    open_timeline(page, demo)
    page.locator("[data-slot=slots-table] summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Blood tests")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1024])
def test_the_page_never_scrolls_sideways(browser: Browser, demo: RunningService, width: int) -> None:
    with watched_page(browser, Viewport(width, 740)) as page:
        open_timeline(page, demo, "course-missed-visits-day-17")
        for summary in page.locator("summary:visible").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scenario", ["course-missed-visits-day-17", REBOUND])
def test_the_accessibility_scan_finds_nothing_serious(page: Page, demo: RunningService, scenario: str) -> None:
    open_timeline(page, demo, scenario)
    assert serious_violations(page) == []
    for summary in page.locator("summary:visible").all():
        summary.click()
    assert serious_violations(page) == []


def test_the_accessibility_scan_finds_nothing_serious_on_a_phone(phone: Page, demo: RunningService) -> None:
    open_timeline(phone, demo)
    assert serious_violations(phone) == []


@pytest.mark.parametrize(
    "path", ["/app/launch", "/app/", "/app/?error=access_denied", "/app/launch?iss=https://x.example"]
)
def test_the_accessibility_scan_finds_nothing_serious_where_no_chart_is_open(
    page: Page, demo: RunningService, path: str
) -> None:
    page.goto(f"{demo.address}{path}")
    assert serious_violations(page) == []


# --- on paper


def pages_of(pdf: bytes) -> int:
    return pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") + pdf.count(b"/Type /Page ")


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("scenario", SHEETS)
def test_the_summary_is_one_page(page: Page, demo: RunningService, scenario: str, paper: str) -> None:
    open_timeline(page, demo, scenario)
    assert pages_of(page.pdf(format=paper)) == 1


def test_the_summary_says_when_what_and_that_nobody_has_reviewed_it(page: Page, demo: RunningService) -> None:
    course = open_timeline(page, demo)
    page.emulate_media(media="print")
    sheet = page.locator("#summary")
    summary = course["summary"]
    lines = [item["words"] for item in summary["nextTests"]] + summary["steroidPlan"] + summary["whenToCall"]
    assert sheet.locator("li").all_text_contents() == lines
    for words in (
        summary["title"],
        summary["notReviewed"],
        "Course-Rebound Synthetic, born 2025-11-17",
        *summary["sections"],
    ):
        expect(sheet).to_contain_text(words)
    expect(page.locator(".plot")).to_be_hidden()


def test_the_whole_timeline_can_be_printed(page: Page, demo: RunningService) -> None:
    page.add_init_script("window.print = () => { document.documentElement.dataset.printed = document.body.className }")
    open_timeline(page, demo)
    page.get_by_role("button", name="Print the whole timeline").click()
    assert page.locator("html").get_attribute("data-printed") == "prints-everything"
    assert pages_of(page.pdf(format="A4")) > 1
    page.get_by_role("button", name="Print the summary").click()
    assert page.locator("html").get_attribute("data-printed") == ""


def test_a_card_leads_to_the_launch_page_and_names_its_topic(page: Page, demo: RunningService) -> None:
    answer = page.request.get(f"{demo.address}/demo/hook_requests/onasemnogene-patient-view/{REBOUND}")
    cards = page.request.post(f"{demo.address}/cds-services/onasemnogene-patient-view", data=answer.json()).json()
    (link, *_) = [one for card in cards["cards"] for one in card["links"] if one["type"] == "smart"]
    assert link["url"] == f"{demo.address}/app/launch"
    assert "topic" in json.loads(link["appContext"])
