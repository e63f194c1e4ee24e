"""The oracle itself: what it takes for a promise kept, and for a word that something is unknown."""

from __future__ import annotations

import json
from typing import Any

from .asking import Reply
from .bases import COURSE, Base
from .lost_values import is_of_an_older_result, loses_a_result
from .promises import broken_promises
from .reassurance import new_reassurances, told_by

NO_COURSE = b'{"concerns":false,"words":"There is no course to show."}'
GAP = "steroid-gap"


def an_answer(*findings: dict[str, Any]) -> dict[str, Any]:
    found = [{"indicator": "warning", "message": "A day is left out.", **finding} for finding in findings]
    topic = {"label": "label", "topic": {"code": "record"}}
    return {"cards": [{"summary": "", "source": topic, "extension": {"onasemnogene-cds.findings": found}}]}


def reassured(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return new_reassurances(told_by(before), told_by(after))


def test_a_course_that_does_not_concern_the_service_is_an_answer_whatever_query_is_written_behind_its_address() -> None:
    for query in ("", "?", "?patient=Patient/a/b"):
        asked = Base("course of an unrelated child", f"{COURSE}{query}")
        assert broken_promises(asked, Reply(200, "application/json", NO_COURSE, "")) == []
    hook = Base("call", "/cds-services/onasemnogene-patient-view")
    assert broken_promises(hook, Reply(200, "application/json", NO_COURSE, "")) == ["neither cards nor a course"]


def test_a_finding_may_go_where_the_plan_for_home_calls_its_part_not_visible() -> None:
    dated = {"infusionDate": "2026-02-28", "missing": "steroid", "notVisible": "contact"}
    before = an_answer({"rule": GAP}, {"rule": "discharge-plan", "values": dated})
    said = an_answer({"rule": "discharge-plan", "values": {**dated, "notVisible": "steroid, contact"}})
    unsaid = an_answer({"rule": "discharge-plan", "values": dated})
    without_day = an_answer({"rule": "discharge-plan"})
    assert reassured(before, said) == []
    assert reassured(before, without_day) == []
    assert reassured(before, unsaid) == ["steroid-gap (warning) is gone without a word"]
    # The same in an answer that had said so before is no new word.
    before["cards"][0]["extension"]["onasemnogene-cds.findings"][1]["values"]["notVisible"] = "steroid, contact"
    assert reassured(before, said) == ["steroid-gap (warning) is gone without a word"]


def test_a_finding_may_go_where_another_of_its_topic_says_anew_that_something_cannot_be_told() -> None:
    kit = {"rule": "kit-ndc", "message": "The order names another kit."}
    before = an_answer({"rule": "dose-triple-check"}, kit)
    assert reassured(before, an_answer(kit)) == ["dose-triple-check (warning) is gone without a word"]
    unknown = {**kit, "message": "Without a usable weight the right kit cannot be named."}
    assert reassured(before, an_answer(unknown)) == []
    assert reassured(an_answer({"rule": "dose-triple-check"}, unknown), an_answer(unknown)) == [
        "dose-triple-check (warning) is gone without a word"
    ]
    of_another_topic = {"rule": "infection-active", "message": "It cannot be told."}
    is_known = an_answer({"rule": "dose-triple-check"}, {"rule": "infection-active"})
    assert reassured(is_known, an_answer(of_another_topic)) == ["dose-triple-check (warning) is gone without a word"]


def test_a_finding_may_go_where_a_card_of_its_topic_newly_calls_a_value_not_known() -> None:
    consult = {"rule": "tma-consult", "indicator": "info"}
    before, after = an_answer({"rule": "tma-evaluate"}, consult), an_answer(consult)
    assert reassured(before, after) == ["tma-evaluate (warning) is gone without a word"]
    after["cards"][0]["detail"] = "Before the infusion: haemoglobin not known."
    assert reassured(before, after) == []
    # The same in an answer that had said so before, or on a card about something else, is no new word.
    before["cards"][0]["detail"] = after["cards"][0]["detail"]
    assert reassured(before, after) == ["tma-evaluate (warning) is gone without a word"]
    other = an_answer({"rule": "kit-ndc"})
    other["cards"][0]["detail"] = "Haemoglobin not known."
    assert reassured(an_answer({"rule": "tma-evaluate"}, {"rule": "kit-ndc"}), other) == [
        "tma-evaluate (warning) is gone without a word"
    ]


def test_a_finding_on_the_product_may_go_where_the_line_of_the_route_says_that_it_cannot_be_read() -> None:
    line = {"rule": "baseline-readiness", "values": {"check": "route-and-rate", "state": "not-checkable"}}
    assert reassured(an_answer({"rule": "wrong-product"}), an_answer(line)) == []
    line["values"] = {"check": "route-and-rate", "state": "attest"}
    assert reassured(an_answer({"rule": "wrong-product"}), an_answer(line)) == [
        "wrong-product (warning) is gone without a word"
    ]


def with_results(*values: object) -> Base:
    entries = [{"resource": {"resourceType": "Observation", "valueQuantity": value}} for value in values]
    document = {"prefetch": {"observations": {"resourceType": "Bundle", "entry": entries}}}
    return Base("call", "/cds-services/onasemnogene-patient-view", body=json.dumps(document).encode())


def test_a_result_without_any_value_is_lost_and_one_that_cannot_be_read_is_not() -> None:
    base = with_results({"value": 12}, {"value": 13})
    assert not loses_a_result(base, base)
    assert not loses_a_result(base, with_results({"value": 12}, "odd"))
    assert not loses_a_result(base, with_results({"value": 12}, {"value": "odd", "unit": "g/dL"}))
    for nothing in ({}, None, "", [], {"unit": "g/dL"}, {"value": None, "unit": "g/dL"}):
        assert loses_a_result(base, with_results({"value": 12}, nothing))
    assert is_of_an_older_result("line hemoglobin is verified, and was not-checkable")
    assert not is_of_an_older_result("line steroid is verified, and was not-checkable")
    assert not is_of_an_older_result("on track")


def test_a_finding_may_go_where_one_that_asks_for_more_still_speaks_as_loudly() -> None:
    before = an_answer({"rule": "tma-evaluate"}, {"rule": "tma-consult"})
    assert reassured(before, an_answer({"rule": "tma-consult"})) == []
