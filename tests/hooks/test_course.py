"""POST /app/course: one child's course for the timeline; what it answers, whom it refuses, and what it never keeps."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from builders import hook_request
from flask import Flask
from flask.testing import FlaskClient
from hook_calls import AUTHORIZATION, CHART, JSON, a_call, post, without_context
from simulated_children import CHILDREN, LIVER_RISE, MISSED, REBOUND, UNEVENTFUL, SimulatedChild, day
from tokens import BASE, Bench
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.content_folders import FHIR_FIXTURES
from cds_service.hooks.admission import Places
from cds_service.hooks.call_rates import CallRates
from cds_service.hooks.json_body import write_json
from cds_service.hooks.views import ADMISSION, MAX_BODY, STORE
from cds_service.store.shared_state import open_shared_state

pytestmark = pytest.mark.xdist_group("production")
COURSE = "/app/course"
INFUSED = {"moment": "chart", "infused": "2026-02-20"}
CHART_FIXTURES = sorted((FHIR_FIXTURES / "hook_requests" / "onasemnogene-patient-view").glob("*.json"))
FINDINGS = "onasemnogene-cds.findings"
MARK = "Zephyrine-0012345"
Json = dict[str, Any]


def course(client: FlaskClient, given: Json | None = None, **changes: Any) -> Json:
    """The answer about a child in the words of cases.yaml."""
    response = post(client, {**hook_request(given or INFUSED), **changes}, COURSE)
    assert response.status_code == 200, response.text
    answer: Json = response.json
    return answer


def refused(response: TestResponse, status: int, path: str = "") -> None:
    assert response.status_code == status, response.text
    outcome = response.json
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0].get("expression", [""])[0] == path


@pytest.fixture(scope="module")
def on_day() -> Iterator[Any]:
    """The course of a simulated child, with the clock at noon of that day."""
    apps: dict[int, Flask] = {}

    def told(child: SimulatedChild, number: int) -> Json:
        if number not in apps:
            now = datetime.combine(day(number), time(12), UTC).isoformat()
            apps[number] = create_app(load_settings({"CDS_MODE": "demo", "CDS_NOW": now}))
        return course(apps[number].test_client(), child.on(number))

    yield told
    for app in apps.values():
        app.extensions[STORE].close()


def series(answer: Json, name: str) -> Json:
    return next(item for item in answer["series"] if item["id"] == name)


def slots(answer: Json) -> dict[str, list[str]]:
    return {slot["id"]: [part["status"] for part in slot["parts"]] for slot in answer["slots"]}


def without_timeline(card: Json) -> Json:
    """The card without the link to the timeline, which does not lead to itself."""
    links = [link for link in card.get("links", []) if link["type"] != "smart"]
    return {name: value for name, value in card.items() if name != "links"} | ({"links": links} if links else {})


# --- what it answers


@pytest.mark.parametrize("path", CHART_FIXTURES, ids=lambda path: path.stem)
def test_the_cards_are_those_of_the_opened_chart(client: FlaskClient, path: Path) -> None:
    request = json.loads(path.read_text("utf-8"))
    chart = post(client, request)
    for name in ("fhirServer", "fhirAuthorization"):
        request.pop(name, None)
    told = post(client, request, COURSE)
    if chart.status_code == 200 and "fhirServer" not in json.loads(path.read_text("utf-8")):
        assert told.json.get("cards", []) == [without_timeline(card) for card in chart.json["cards"]]
    else:
        assert told.status_code in (200, 400, 403, 412)


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.name)
def test_the_five_children_have_their_course(on_day: Any, child: SimulatedChild) -> None:
    for number in (12, 30):
        answer = on_day(child, number)
        assert answer["concerns"] is True
        assert (answer["today"], answer["dayNumber"]) == (day(number).isoformat(), number)
        assert answer["infusion"] == {
            "state": "given",
            "day": "2026-03-02",
            "words": "ZOLGENSMA given on 2026-03-02.",
            "references": ["MedicationAdministration/infusion"],
        }
        assert "Nobody has clinically reviewed" in answer["notReviewed"]
        assert answer["summary"]["notReviewed"] == answer["notReviewed"]
        assert answer["cards"]


def test_a_course_on_track_holds_the_dates_of_the_worked_example(on_day: Any) -> None:
    answer = on_day(UNEVENTFUL, 12)
    assert {item["id"]: item["day"] for item in answer["steroid"]["plan"]} == {
        "first-day": "2026-03-01",
        "end-check": "2026-03-27",
        "end-of-course": "2026-03-30",
        "earliest-taper": "2026-03-31",
        "last-day": "2026-04-04",
        "earliest-end": "2026-04-27",
    }
    targets = {slot["id"]: slot["target"] for slot in answer["slots"]}
    assert (targets["W1"], targets["W8"], targets["O2"], targets["M3"]) == (
        "2026-03-09", "2026-04-27", "2026-05-25", "2026-06-02",
    )  # fmt: skip
    assert slots(answer)["W1"] == ["done", "done"]
    assert slots(answer)["W2"] == ["due", "due"]
    assert slots(answer)["W3"] == ["future", "future"]
    assert answer["steroid"]["state"] == {"code": "S3", "name": "course", "words": "full dose, the 30 days"}


def test_a_day_of_the_corticosteroid_tells_dose_source_and_phase(on_day: Any) -> None:
    days = {item["day"]: item for item in on_day(UNEVENTFUL, 12)["steroid"]["days"]}
    today = days["2026-03-14"]
    assert (today["mg"], today["mgPerKg"], today["source"], today["phase"]) == ("3.2", "1", "ordered", "course")
    assert (today["isPlanned"], days["2026-03-15"]["isPlanned"]) == (False, True)


def test_missed_tests_are_overdue_and_gathered_in_one_line_of_the_summary(on_day: Any) -> None:
    answer = on_day(MISSED, 23)
    assert slots(answer)["W1"] == ["overdue", "overdue"]
    first = answer["summary"]["nextTests"][0]
    assert first["day"] == answer["today"]
    assert first["words"].startswith(
        "Overdue, to be taken as soon as possible: ALT, AST, total bilirubin, PT, INR, platelets; first asked for on 2026-03-09, last on"
    )
    assert [item.get("slot") for item in answer["summary"]["nextTests"]].count("W1") == 0


def test_a_single_overdue_day_is_named(on_day: Any) -> None:
    assert on_day(MISSED, 12)["summary"]["nextTests"][0]["words"].endswith("platelets; first asked for on 2026-03-09")


def test_the_sheet_says_that_liver_tests_go_on_while_nobody_can_tell_the_end_of_the_corticosteroid(on_day: Any) -> None:
    further = [item["words"] for item in on_day(REBOUND, 46)["summary"]["nextTests"] if "day" not in item]
    assert len(further) == 1
    assert further[0].startswith("Liver tests do not end with the one named here")
    assert "at least until 2026-06-02 (5.1)" in further[0]
    assert on_day(REBOUND, 46)["slotNotes"] == further
    assert on_day(UNEVENTFUL, 30)["slotNotes"] == []


def test_the_panel_at_the_end_of_the_30_days_comes_before_any_reduction(on_day: Any) -> None:
    words = {item.get("slot"): item["words"] for item in on_day(UNEVENTFUL, 12)["summary"]["nextTests"]}
    assert "before any dose is reduced" in words["W4"]
    assert "before any dose is reduced" not in words["W3"] + words["W5"]


def test_a_course_that_broke_off_is_never_told_as_finished(on_day: Any) -> None:
    broken_off = on_day(MISSED, 17)["summary"]["steroidPlan"]
    assert any("contact the treatment team at once" in said for said in broken_off)
    assert any(said.startswith("Never stop it abruptly") for said in broken_off)
    finished = on_day(UNEVENTFUL, 92)["summary"]["steroidPlan"]
    assert not any(said.startswith("Never stop it abruptly") for said in finished)


def test_no_end_of_a_taper_is_told_while_it_is_held(on_day: Any) -> None:
    assert "earliest-end" not in {item["id"] for item in on_day(REBOUND, 42)["steroid"]["plan"]}
    assert "earliest-end" in {item["id"] for item in on_day(REBOUND, 40)["steroid"]["plan"]}


def test_a_day_of_platelets_alone_names_their_section_of_the_label(on_day: Any) -> None:
    named = {slot["id"]: slot["section"] for slot in on_day(UNEVENTFUL, 12)["slots"]}
    assert {name: named[name] for name in ("W1", "M3", "x1")} == {"W1": "2.3", "M3": "5.1", "x1": "5.3"}
    last = next(slot for slot in on_day(LIVER_RISE, 29)["slots"] if slot["kind"] == "last")
    assert ([part["part"] for part in last["parts"]], last["section"]) == (["platelets"], "2.3")


@pytest.mark.parametrize("state", ["failed", "absent", "partial"])
def test_without_all_results_the_summary_says_that_overdue_tests_cannot_be_told(
    client: FlaskClient, state: str
) -> None:
    answer = course(client, {**INFUSED, "lists": {"observations": state}})
    assert slots(answer)["W1"] == ["unknown", "unknown"]
    (w1,) = [slot for slot in answer["slots"] if slot["id"] == "W1"]
    assert w1["words"].count("not known: the results could not all be read") == 2
    first = answer["summary"]["nextTests"][0]
    assert first["day"] == answer["today"]
    assert first["words"].startswith(
        "Whether a test is overdue cannot be told, because the results could not all be read"
    )
    assert first["words"].endswith("for the day 2026-02-27")
    assert "Overdue" not in json.dumps(answer["summary"])
    assert answer["words"]["noResults"] == "no result seen, the results could not all be read"
    rules = {finding["rule"] for card in answer["cards"] for finding in card["extension"][FINDINGS]}
    assert {"liver-monitor-overdue", "platelet-monitor-overdue"} <= rules


def test_a_test_in_its_window_may_have_been_done_where_not_all_results_came(client: FlaskClient) -> None:
    panel = {"on": "2026-02-27", "inr": "none"}
    given = {"moment": "chart", "infused": "2026-02-20", "today": "2026-03-02", "panels": [panel], "counts": [panel]}
    answer = course(client, {**given, "infused": "2026-02-22", "lists": {"observations": "partial"}})
    (w1,) = [slot for slot in answer["slots"] if slot["id"] == "W1"]
    assert "not known: the results could not all be read, not seen INR" in w1["words"]
    (told,) = [item["words"] for item in answer["summary"]["nextTests"] if item.get("slot") == "W1"]
    assert told.endswith("; not known whether done already, the results could not all be read")
    assert "due now" not in told


def test_too_long_since_the_last_tests_seen_is_told_as_such(client: FlaskClient) -> None:
    seen = [{"on": "2026-02-20"}]
    child = {"moment": "chart", "infused": "2026-02-10", "panels": seen, "counts": seen}
    for lists, expected in (({}, False), ({"observations": "partial"}, True)):
        gaps = course(client, {**child, "lists": lists})["gaps"]
        assert [gap["words"].endswith("so later ones may have been done") for gap in gaps] == [expected, expected]


@pytest.mark.parametrize(
    ("steroids", "lists", "is_known"),
    [
        ([{"start": "2026-02-19", "end": "2026-03-26"}], {}, True),
        ([{"start": "2026-02-19", "end": "2026-02-25"}], {}, False),
        ([], {}, False),
        ([], {"medicationRequests": "failed"}, False),
    ],
    ids=["ordered", "interrupted", "nothing on record", "orders not there"],
)
def test_later_tests_depend_on_a_plan_or_on_one_that_is_not_known(
    client: FlaskClient, steroids: list[Json], lists: Json, is_known: bool
) -> None:
    answer = course(client, {**INFUSED, "steroids": steroids, "lists": lists})
    words = [item["words"] for item in answer["summary"]["nextTests"]]
    assert any("its day may move with the corticosteroid" in told for told in words) is is_known
    assert any("how the corticosteroid goes on, which is not known" in told for told in words) is not is_known


def test_mg_per_kg_is_shown_with_two_decimals_and_kept_with_more(client: FlaskClient) -> None:
    weights = [{"weight": "3.3 kg", "when": "2026-02-19T08:00:00Z"}]
    steroids = [{"start": "2026-02-19", "end": "2026-03-26", "dose": "3.2 mg"}]
    answer = course(client, {**INFUSED, "weights": weights, "steroids": steroids})
    today = next(item for item in answer["steroid"]["days"] if item["day"] == answer["today"])
    assert today["mgPerKg"] == "0.9697"
    assert "(0.97 mg/kg by the newest weight of that day)" in today["words"]


def test_too_long_since_the_last_tests_is_told(client: FlaskClient) -> None:
    answer = course(client, {**INFUSED, "today": "2026-03-02", "panels": [{"on": "2026-02-21"}]})
    assert answer["gaps"] == []
    child = {
        "moment": "chart",
        "infused": "2026-02-10",
        "panels": [{"on": "2026-02-20"}],
        "counts": [{"on": "2026-02-20"}],
    }
    assert [(gap["part"], gap["lastDay"], gap["days"]) for gap in course(client, child)["gaps"]] == [
        ("liver", "2026-02-20", 10),
        ("platelets", "2026-02-20", 10),
    ]


def test_a_result_is_a_multiple_of_its_own_limit_with_where_it_stands(client: FlaskClient) -> None:
    point = series(course(client, {**INFUSED, "labs": {"alt": {"value": "35 U/L", "days_ago": 1}}}), "alt")["points"][
        -1
    ]
    assert point["words"] == "ALT: 35 U/L, range 0-40 U/L, 0.88 × its own upper limit, 2026-03-01, day 9"
    assert {name: point[name] for name in ("value", "unit", "uln", "timesUln", "state", "isKnown", "counts", "reference")} == {
        "value": "35", "unit": "U/L", "uln": "40", "timesUln": "0.88", "state": "final", "isKnown": True, "counts": True,
        "reference": "Observation/lab-alt-1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("result", "state", "why"),
    [
        ({"value": "35 U/L", "range": "none"}, "final", "no upper limit came with it"),
        ({"value": "35 U/L", "status": "preliminary"}, "provisional", "it is not final"),
        ({"string": "elevated"}, "unreadable", "no number could be read from it"),
        ({"value": "<100 U/L"}, "final", "it is known only within bounds that settle nothing"),
    ],
)
def test_what_is_not_known_says_why(client: FlaskClient, result: Json, state: str, why: str) -> None:
    point = series(course(client, {**INFUSED, "labs": {"alt": {**result, "days_ago": 1}}}), "alt")["points"][-1]
    assert (point["state"], point["counts"], point["unknownWords"]) == (state, False, why)
    assert point["words"].endswith(why)


def test_results_that_contradict_each_other_both_stay(client: FlaskClient) -> None:
    both = [{"value": value, "when": "2026-03-01T08:00:00Z"} for value in ("70 U/L", "170 U/L")]
    points = series(course(client, {**INFUSED, "labs": {"alt": both}}), "alt")["points"]
    assert [(point["timesUln"], point["why"]) for point in points] == [("1.75", "conflict"), ("4.25", "conflict")]


def test_a_result_of_an_unknown_day_has_none(client: FlaskClient) -> None:
    labs = {"alt": {"value": "35 U/L", "when": "2026-02"}}
    (point,) = series(course(client, {**INFUSED, "labs": labs}), "alt")["points"]
    assert "day" not in point
    assert "day not known" in point["words"]


def test_two_assays_of_troponin_are_two_series(client: FlaskClient) -> None:
    labs = {"troponin_i": [{"value": "0.02 ng/mL", "display": "Troponin I"}, {"value": "12 ng/L", "display": "hs-TnI"}]}
    answer = course(client, {**INFUSED, "labs": labs})
    assert [series(answer, name)["name"] for name in ("troponin_i", "troponin_i-2")] == [
        "Troponin I (Troponin I)",
        "Troponin I (hs-TnI)",
    ]


def test_a_dose_that_cannot_be_computed_is_not_zero(client: FlaskClient) -> None:
    steroids = [{"start": "2026-02-19", "end": "2026-03-20", "dose": "none", "text": "as directed"}]
    answer = course(client, {**INFUSED, "steroids": steroids})
    today = next(item for item in answer["steroid"]["days"] if item["day"] == "2026-03-02")
    assert "mg" not in today
    assert today["words"] == "2026-03-02: ordered, dose not known, not sure that the day is covered"
    assert answer["steroid"]["state"]["words"].endswith("the record lacks a corticosteroid dose that can be computed")


def test_a_failed_list_is_never_an_empty_one(client: FlaskClient) -> None:
    answer = course(client, {**INFUSED, "steroids": [], "lists": {"medicationRequests": "failed"}})
    assert {item["source"] for item in answer["steroid"]["days"]} == {"unknown"}
    assert {item["phase"] for item in answer["steroid"]["phases"]} == {"unknown"}


def test_lines_carry_the_labels_numbers_and_their_section(client: FlaskClient) -> None:
    lines = {(line["series"][0], line.get("timesUln", line.get("value"))): line for line in course(client)["lines"]}
    assert {key: (line["basis"], line.get("section"), line["isAbove"]) for key, line in lines.items()} == {
        ("alt", "2"): ("label", "2.1", False),
        ("alt", "20"): ("label", "5.1", True),
        ("troponin_i", "0.176"): ("label", "5.5", False),
        ("platelets", "150"): ("policy", "5.3", False),
        ("total_bilirubin", "1"): ("label", "2.1", False),
    }


def test_the_summary_says_when_to_call_and_how_long_diapers_are_handled_with_care(client: FlaskClient) -> None:
    calls = course(client)["summary"]["whenToCall"]
    assert len(calls) == 7
    assert all(words.endswith("(17)") for words in calls)
    assert "until 2026-03-20" in calls[-1]
    later = course(client, {"moment": "chart", "infused": "2026-02-01"})["summary"]["whenToCall"]
    assert len(later) == 6


def test_a_planned_infusion_has_a_course_without_a_calendar(client: FlaskClient) -> None:
    answer = course(client, {"moment": "chart", "open_orders": [{"planned": "2026-03-03"}]})
    assert answer["infusion"]["state"] == "planned"
    assert (answer["slots"], answer["gaps"], answer["dayNumber"]) == ([], [], -1)
    assert answer["summary"]["title"] == "ZOLGENSMA follow-up"
    assert [list(item) for item in answer["summary"]["nextTests"]] == [["words"]]


def test_a_plan_that_passed_without_a_dose_says_so(client: FlaskClient) -> None:
    answer = course(client, {"moment": "chart", "open_orders": [{"planned": "2026-02-27"}]})
    assert answer["infusion"]["words"] == "ZOLGENSMA was planned for 2026-02-27; no dose is on record."


def test_a_dose_without_its_day_has_no_day_numbers(client: FlaskClient) -> None:
    answer = course(client, {"moment": "chart", "given_doses": [{"when": "2026-02"}]})
    assert (answer["infusion"]["state"], "dayNumber" in answer) == ("unknown", False)
    assert answer["steroid"]["state"]["name"] == "unknown"
    assert answer["steroid"]["phases"] == []


def test_after_the_follow_up_nothing_is_asked_for(on_day: Any) -> None:
    answer = on_day(UNEVENTFUL, 110)
    assert (answer["isOver"], answer["gaps"]) == (True, [])
    assert [item["words"] for item in answer["summary"]["nextTests"]] == [
        "The calendar of the follow-up has ended. Whether a test is still needed is for the treatment team to say."
    ]


def test_the_end_of_the_follow_up_leaves_no_test(client: FlaskClient) -> None:
    done = {"moment": "chart", "today": "2026-03-02", "infused": "2025-11-20"}
    days = ["2025-11-27", "2025-12-04", "2025-12-11", "2025-12-18", "2025-12-25", "2026-01-01", "2026-01-08", "2026-01-15",
            "2026-01-29", "2026-02-12", "2026-02-20"]  # fmt: skip
    steroids = [
        {"start": "2025-11-19", "end": "2025-12-18"},
        {"start": "2025-12-19", "end": "2026-01-15", "dose": "1.6 mg"},
    ]
    tests = [{"on": on} for on in days]
    answer = course(client, {**done, "panels": tests, "counts": tests, "steroids": steroids})
    assert [item["words"] for item in answer["summary"]["nextTests"]] == ["No further test is in the calendar."]
    assert answer["steroid"]["phases"][-1]["phase"] == "finished"


@pytest.mark.parametrize("given", [{"moment": "chart"}, {"moment": "chart", "labs": "none"}])
def test_a_child_without_the_product_is_told_nothing(client: FlaskClient, given: Json) -> None:
    answer = course(client, given)
    assert set(answer) == {"concerns", "words", "notReviewed"}
    assert answer["concerns"] is False
    assert "in what was read" in answer["words"]
    assert "does not prove" in answer["words"]


def test_a_child_who_has_died_has_no_course(client: FlaskClient) -> None:
    answer = course(client, {**INFUSED, "died": True})
    assert answer["concerns"] is False
    assert "has died" in answer["words"]


def test_words_of_the_record_stand_there_as_one_line_of_plain_text(client: FlaskClient) -> None:
    hostile = "<script>alert(1)</script>\n[x](https://evil.example.org)"
    labs = {"alt": {"string": hostile, "days_ago": 1, "display": hostile}}
    (point,) = series(course(client, {**INFUSED, "labs": labs}), "alt")["points"]
    assert "<" not in point["words"]
    assert "\n" not in point["words"] + point["written"] + point["test"]
    assert "https://" not in point["words"] + point["written"]


def test_no_word_says_that_anything_is_safe(on_day: Any) -> None:
    for child in CHILDREN:
        text = json.dumps({**on_day(child, 30), "cards": []}).lower()
        assert not any(word in text for word in ("safe", "cleared", "contraindicated"))


def test_every_number_is_text_and_nothing_is_null(on_day: Any) -> None:
    def leaves(value: Any) -> Iterator[Any]:
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        yield from (leaf for child in children for leaf in leaves(child))
        if not isinstance(value, (dict, list)):
            yield value

    answer = {**on_day(UNEVENTFUL, 30), "cards": []}
    assert not [leaf for leaf in leaves(answer) if leaf is None or isinstance(leaf, float)]


# --- whom it refuses


@pytest.mark.parametrize("user", ["Patient/p", "RelatedPerson/r", "https://ehr.example.org/fhir/Patient/p"])
def test_the_patient_and_relatives_are_refused(client: FlaskClient, user: str) -> None:
    refused(post(client, hook_request({**INFUSED, "user": user}), COURSE), 403)


@pytest.mark.parametrize(
    ("name", "value"), [("fhirServer", "https://ehr.example.org/fhir"), ("fhirAuthorization", AUTHORIZATION)]
)
def test_a_token_or_a_server_is_not_taken(client: FlaskClient, name: str, value: Any) -> None:
    refused(post(client, {**hook_request(INFUSED), name: value}, COURSE), 400, name)


def test_another_hook_is_refused(client: FlaskClient) -> None:
    refused(post(client, a_call("order-sign"), COURSE), 400, "hook")


@pytest.mark.parametrize("name", ["userId", "patientId"])
def test_the_context_has_to_be_whole(client: FlaskClient, name: str) -> None:
    refused(post(client, without_context(name, "patient-view"), COURSE), 400, f"context.{name}")


@pytest.mark.parametrize("state", ["absent", "null", "failed"])
def test_without_the_patient_there_is_no_course(client: FlaskClient, state: str) -> None:
    request = hook_request({**INFUSED, "lists": {}})
    changed = {"absent": {}, "null": {"patient": None}, "failed": {"patient": {"resourceType": "OperationOutcome"}}}
    prefetch = {key: value for key, value in request["prefetch"].items() if key != "patient"} | changed[state]
    refused(post(client, {**request, "prefetch": prefetch}, COURSE), 412)


def test_a_body_that_is_too_large_is_refused(app: Flask, client: FlaskClient) -> None:
    assert post(client, b" " * (app.extensions[MAX_BODY] + 1), COURSE).status_code == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_anything_but_json_is_refused(client: FlaskClient, content_type: str) -> None:
    assert post(client, hook_request(INFUSED), COURSE, content_type=content_type).status_code == 415


def test_what_nests_too_deep_is_refused(client: FlaskClient) -> None:
    assert post(client, b"[" * 200 + b"]" * 200, COURSE).status_code == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_answered(client: FlaskClient, method: str) -> None:
    response = client.open(COURSE, method=method)
    assert (response.status_code, response.headers["Allow"]) == (405, "OPTIONS, POST")


OWN = "http://localhost"
ORIGINS = [
    ({}, 200),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
    ({"Sec-Fetch-Site": "same-origin", "Origin": OWN}, 200),
    ({"Origin": "http://127.0.0.1:8000"}, 200),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "none"}, 403),
    ({"Origin": "https://evil.example.org"}, 403),
    ({"Origin": "http://localhost:81"}, 403),
    ({"Origin": "https://localhost"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": ""}, 403),
    ({"Origin": "http://[::1"}, 403),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example.org"}, 403),
]


@pytest.mark.parametrize(("headers", "status"), ORIGINS, ids=lambda value: str(value))
def test_only_pages_of_our_own_origin_may_call(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert post(client, hook_request(INFUSED), COURSE, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [(BASE, 200), ("http://localhost", 403), ("https://evil.example.org", 403)],
)
def test_in_production_our_origin_is_the_public_one(bench: Bench, origin: str, status: int) -> None:
    response = bench.client.post(
        COURSE, data=write_json(hook_request(INFUSED)), content_type=JSON, headers={"Origin": origin}
    )
    assert response.status_code == status


def test_no_page_of_another_origin_may_read_the_answer(client: FlaskClient) -> None:
    for origin in ("http://127.0.0.1:8000", "http://localhost:3000", "https://ehr.example.org"):
        response = post(client, hook_request(INFUSED), COURSE, headers={"Origin": origin})
        preflight = client.options(COURSE, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        for answer in (response, preflight):
            assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118


def test_no_answer_is_kept_by_a_browser(client: FlaskClient) -> None:
    assert post(client, hook_request(INFUSED), COURSE).headers["Cache-Control"] == "no-store"


def test_in_production_no_token_is_asked(bench: Bench) -> None:
    response = bench.client.post(COURSE, data=write_json(hook_request(INFUSED)), content_type=JSON)
    assert (response.status_code, response.json["concerns"]) == (200, True)


def test_an_address_may_call_so_often_in_a_minute(bench: Bench) -> None:
    bench.begin(rates=CallRates(open_shared_state("memory://").call_counts, 2))
    found = [
        bench.client.post(COURSE, data=b"{}", content_type=JSON, environ_base={"REMOTE_ADDR": peer})
        for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert [response.status_code for response in found] == [400, 400, 429, 400]
    assert 1 <= int(found[2].headers["Retry-After"]) <= 60


def test_a_course_takes_a_place_and_leaves_it_however_it_ends(bench: Bench) -> None:
    bench.begin(places=Places(1))
    for body in (b"{", write_json(hook_request(INFUSED)), b"{}"):
        assert bench.client.post(COURSE, data=body, content_type=JSON).status_code in (200, 400)
    places = bench.app.extensions[ADMISSION].places
    places.take()
    assert bench.client.post(COURSE, data=b"{}", content_type=JSON).status_code == 503


# --- what it never keeps


def test_nothing_is_remembered(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []
    monkeypatch.setattr(type(app.extensions[STORE]), "remember", lambda _self, shown: kept.append(shown))
    monkeypatch.setattr(type(app.extensions[STORE]), "acknowledged", lambda *asked: kept.append(asked))
    course(client)
    assert kept == []


def test_findings_that_were_answered_are_told_again(client: FlaskClient) -> None:
    child = {"moment": "chart", "infused": "2026-02-10"}
    assert course(client, child)["cards"] == course(client, child)["cards"] != []


def test_the_log_says_that_a_course_was_told_and_nothing_of_the_patient(client: FlaskClient, log: io.StringIO) -> None:
    request = hook_request({**INFUSED, "labs": {"alt": {"string": MARK, "id": MARK}}})
    request["hookInstance"] = MARK
    assert MARK in post(client, request, COURSE).text
    request["context"]["userId"] = f"Patient/{MARK}"
    assert MARK not in post(client, request, COURSE).text
    assert "onasemnogene-course" in log.getvalue()
    assert MARK not in log.getvalue()


def test_the_chart_still_answers_as_before(client: FlaskClient) -> None:
    assert post(client, hook_request(INFUSED), CHART).json["cards"]
