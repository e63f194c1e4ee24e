"""What was answered with a reason is not said again, through the whole service: for how long, and when it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from builders import PATIENT_ID, hook_request
from remembering_service import FINDINGS, NOW, RememberingService, card_of, rules_on
from sqlalchemy import event

from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.memory import Memory
from cds_service.hooks.request import HookCall
from cds_service.hooks.services import service_by_id
from cds_service.hooks.views import EVALUATOR
from cds_service.presentation import NOTHING_ACKNOWLEDGED, Acknowledged
from cds_service.store import Store

VIEW, SIGN, VISIT = "patient-view", "order-sign", "encounter-start"
DAY = timedelta(days=1)
# Ten days after the infusion: liver tests and platelets of the first week are overdue, and the heart is looked at.
TREATED: dict[str, Any] = {"moment": "chart", "infused": "2026-02-20"}
A_CALL = HookCall(service_by_id("onasemnogene-patient-view"), "call", PATIENT_ID, "", None, None, None)
HEART = "cardiac-evaluation-consider"


def topics(cards: list[dict[str, Any]]) -> list[str]:
    return [card["source"]["topic"]["code"] for card in cards]


def with_platelets(value: str, day: str = "2026-03-01", **changes: Any) -> dict[str, Any]:
    """The treated child, whose platelets were counted on this day, in 10*3/uL."""
    return {**TREATED, "counts": [{"on": day, "platelets": {"value": value}, **changes}]}


def level_of(rule: str, cards: list[dict[str, Any]]) -> str:
    (level,) = {f["indicator"] for card in cards for f in card["extension"][FINDINGS] if f["rule"] == rule}
    return str(level)


def test_an_answered_card_is_left_out_and_the_others_stay(remembering: RememberingService) -> None:
    first = remembering.ask(TREATED, VIEW)
    assert topics(first) == ["liver", "platelets", "heart", "followup"]
    remembering.override(card_of(first, "platelets"))
    again = remembering.ask(TREATED, VIEW)
    assert again == [card for card in first if card["source"]["topic"]["code"] != "platelets"]


@pytest.mark.spec("R-138")
def test_a_call_repeated_without_an_answer_gives_the_same_cards(remembering: RememberingService) -> None:
    assert remembering.ask(TREATED, VIEW) == remembering.ask(TREATED, VIEW)


def test_a_card_that_is_shown_again_is_the_same_card(remembering: RememberingService) -> None:
    first = remembering.ask(TREATED, VIEW)
    remembering.override(card_of(first, "heart"))
    remembering.ask(TREATED, VIEW)
    remembering.now += 7 * DAY + timedelta(seconds=1)
    again = card_of(remembering.ask(TREATED, VIEW), "heart")
    assert again["source"] == card_of(first, "heart")["source"]


@pytest.mark.hazard("H38")
@pytest.mark.parametrize(
    ("later", "is_shown"),
    [
        (timedelta(0), False),
        (DAY, False),
        (7 * DAY, False),
        (7 * DAY + timedelta(seconds=1), True),
        (8 * DAY, True),
    ],
)
def test_an_unchanged_finding_keeps_quiet_for_a_week(
    remembering: RememberingService, later: timedelta, is_shown: bool
) -> None:
    remembering.override(card_of(remembering.ask(TREATED, VIEW), "heart"))
    remembering.now += later
    assert (HEART in rules_on(remembering.ask(TREATED, VIEW))) is is_shown


def test_a_site_may_have_everything_shown_every_time(
    remembering: RememberingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = remembering.app.extensions[EVALUATOR]
    every_time = replace(evaluator, memory=replace(evaluator.memory, quiet_for=timedelta(0)))
    monkeypatch.setitem(remembering.app.extensions, EVALUATOR, every_time)
    first = remembering.ask(TREATED, VIEW)
    for card in first:
        remembering.override(card, "done-elsewhere")
    assert remembering.ask(TREATED, VIEW) == first


def test_the_time_is_that_of_the_sites_policy(remembering: RememberingService) -> None:
    assert remembering.app.extensions[EVALUATOR].memory.quiet_for == timedelta(days=7)


@pytest.mark.parametrize(
    "changed",
    [
        with_platelets("89"),
        with_platelets("90", "2026-03-02"),
        with_platelets("90", status="amended"),
    ],
    ids=["value", "day", "status"],
)
def test_a_finding_is_shown_again_the_moment_its_data_differ(
    remembering: RememberingService, changed: dict[str, Any]
) -> None:
    remembering.override(card_of(remembering.ask(with_platelets("90"), VIEW), "platelets"))
    assert "platelet-low" not in rules_on(remembering.ask(with_platelets("90"), VIEW))
    assert "platelet-low" in rules_on(remembering.ask(changed, VIEW))


def test_a_finding_that_became_critical_is_shown(remembering: RememberingService) -> None:
    first = remembering.ask(with_platelets("60"), VIEW)
    assert level_of("platelet-low", first) == "warning"
    remembering.override(card_of(first, "platelets"))
    assert level_of("platelet-low", remembering.ask(with_platelets("40"), VIEW)) == "critical"


@pytest.mark.parametrize(
    "reason", ["specialist-decision", "done-elsewhere", "already-infused", "record-wrong", "other"]
)
def test_a_critical_finding_is_shown_whatever_was_answered(remembering: RememberingService, reason: str) -> None:
    given = with_platelets("40")
    first = remembering.ask(given, VIEW)
    remembering.override(card_of(first, "platelets"), reason)
    assert level_of("platelet-low", remembering.ask(given, VIEW)) == "critical"


def test_a_list_that_could_not_be_read_is_told_every_time(remembering: RememberingService) -> None:
    given = {**TREATED, "lists": {"immunizations": "absent"}}
    first = remembering.ask(given, VIEW)
    remembering.override(card_of(first, "record"))
    assert card_of(remembering.ask(given, VIEW), "record") == card_of(first, "record")


def prefetch_of(given: Mapping[str, Any], name: str, **changes: Any) -> dict[str, Any]:
    """What comes with the call about a child, with one list changed; without it where there are no changes."""
    prefetch: dict[str, Any] = hook_request(given, VIEW)["prefetch"]
    found = prefetch.pop(name)
    return {**prefetch, name: {**found, **changes}} if changes else prefetch


IN_PART = {"link": [{"relation": "next", "url": "https://ehr.example.org/next"}]}


@pytest.mark.parametrize(
    "name", ["observations", "medicationRequests", "medicationAdministrations", "procedures", "diagnosticReports"]
)
def test_nothing_keeps_quiet_while_a_list_comes_in_part_for_the_newest_entry_may_be_in_the_rest(
    remembering: RememberingService, name: str
) -> None:
    given = with_platelets("90")
    remembering.override(card_of(remembering.ask(given, VIEW), "platelets"))
    assert "platelet-low" not in rules_on(remembering.ask(given, VIEW))
    assert "platelet-low" in rules_on(remembering.ask(given, VIEW, prefetch=prefetch_of(given, name, **IN_PART)))


def test_what_was_answered_with_a_list_in_part_is_shown_again(remembering: RememberingService) -> None:
    given = with_platelets("90")
    in_part = prefetch_of(given, "observations", **IN_PART)
    remembering.override(card_of(remembering.ask(given, VIEW, prefetch=in_part), "platelets"))
    assert "platelet-low" in rules_on(remembering.ask(given, VIEW, prefetch=in_part))
    assert "platelet-low" in rules_on(remembering.ask(given, VIEW))


def test_what_was_answered_with_a_list_in_view_is_shown_again_without_it(remembering: RememberingService) -> None:
    given = with_platelets("90")
    without = prefetch_of(given, "diagnosticReports")
    remembering.override(card_of(remembering.ask(given, VIEW), "platelets"))
    remembering.now += timedelta(seconds=1)
    for _ in range(2):
        assert "platelet-low" in rules_on(remembering.ask(given, VIEW, prefetch=without))
    remembering.override(card_of(remembering.ask(given, VIEW, prefetch=without), "platelets"))
    assert "platelet-low" not in rules_on(remembering.ask(given, VIEW, prefetch=without))


def test_an_answer_holds_on_every_hook_that_says_the_same(remembering: RememberingService) -> None:
    remembering.override(card_of(remembering.ask(TREATED, VIEW), "platelets"))
    assert topics(remembering.ask(TREATED, VISIT)) == ["liver"]


def test_the_checklist_is_shown_as_if_nothing_had_been_answered(remembering: RememberingService) -> None:
    given = {"labs": {"creatinine": None}}
    first = remembering.ask(given, SIGN)
    assert topics(first) == ["readiness", "baseline"]
    for card in first:
        remembering.override(card)
    assert remembering.ask(given, SIGN) == [card_of(first, "readiness")]


# --- at the steps towards the infusion


FEW_PLATELETS: dict[str, Any] = {"labs": {"platelets": {"value": "120"}}}
LOW = "platelets-baseline-low"


def test_what_was_answered_when_ordering_is_said_again_on_the_infusion_day(remembering: RememberingService) -> None:
    first = remembering.ask(FEW_PLATELETS, SIGN)
    assert level_of(LOW, first) == "warning"
    remembering.override(card_of(first, "baseline"))
    assert LOW not in rules_on(remembering.ask(FEW_PLATELETS, SIGN))
    visit = remembering.ask(FEW_PLATELETS, VISIT)
    assert level_of(LOW, visit) == "warning"
    remembering.override(card_of(visit, "baseline"))
    assert LOW not in rules_on(remembering.ask(FEW_PLATELETS, VISIT))


@pytest.mark.parametrize(
    ("hook", "concerns_product", "shown_by"),
    [
        ("order-sign", True, "onasemnogene-order-sign"),
        ("order-dispatch", True, "onasemnogene-order-dispatch"),
        ("encounter-start", True, "onasemnogene-encounter-start"),
        ("order-sign", False, ""),
        ("encounter-start", False, ""),
        ("order-select", True, ""),
        ("appointment-book", True, ""),
        ("patient-view", False, ""),
    ],
)
def test_at_each_step_towards_the_infusion_only_its_own_answers_count(
    hook: str, concerns_product: bool, shown_by: str
) -> None:
    asked: list[Any] = []

    class AskedStore:
        def patient(self, *_: str) -> str:
            return "patient"

        def acknowledged(self, *given: Any) -> Acknowledged:
            asked.append(given)
            return NOTHING_ACKNOWLEDGED

    call = replace(A_CALL, service=service_by_id(f"onasemnogene-{hook}"))
    memory = Memory(cast(Store, AskedStore()), 7 * DAY)
    memory.acknowledged(call, "example-ehr", NOW, concerns_product=concerns_product)
    assert asked == [("patient", NOW, 7 * DAY, shown_by)]


# --- whose it is


def about(patient_id: str, given: Mapping[str, Any], hook: str = VIEW) -> dict[str, Any]:
    """A request about another child whose record is the same."""
    return read_json_object(write_json(hook_request(given, hook)).replace(PATIENT_ID.encode(), patient_id.encode()))


def test_an_answer_about_one_child_keeps_nothing_quiet_for_another(remembering: RememberingService) -> None:
    other = about("synthetic-other", TREATED)
    remembering.override(card_of(remembering.ask(TREATED, VIEW), "heart"))
    shown = remembering.ask({}, VIEW, **{**other, "hookInstance": "9a3c1b52-4c8e-4f0e-9a2b-0f6a1d2c3b4e"})
    assert HEART in rules_on(shown)


def test_an_answer_at_one_hospital_keeps_nothing_quiet_for_the_same_id_at_another(
    remembering: RememberingService,
) -> None:
    here, there = ({"fhirServer": f"http://127.0.0.1:{port}/fhir"} for port in (8001, 8002))
    remembering.override(card_of(remembering.ask(TREATED, VIEW, **here), "platelets"))
    assert "platelets" not in topics(remembering.ask(TREATED, VIEW, **here))
    assert "platelets" in topics(remembering.ask(TREATED, VIEW, **there))


def test_one_card_for_two_children_is_no_answer_for_either(remembering: RememberingService) -> None:
    """The heart card names no datum but the infusion, and this client calls every visit by the same hookInstance."""
    first = remembering.ask(TREATED, VIEW)
    second = remembering.ask({}, VIEW, **about("synthetic-other", TREATED))
    assert card_of(first, "heart")["uuid"] == card_of(second, "heart")["uuid"]
    remembering.override(card_of(first, "heart"))
    assert HEART in rules_on(remembering.ask(TREATED, VIEW))
    assert HEART in rules_on(remembering.ask({}, VIEW, **about("synthetic-other", TREATED)))


# --- done elsewhere


def test_done_elsewhere_closes_one_slot_and_no_other(remembering: RememberingService) -> None:
    remembering.override(card_of(remembering.ask(TREATED, VIEW), "platelets"), "done-elsewhere")
    remembering.now += 8 * DAY
    shown = card_of(remembering.ask(TREATED, VIEW), "platelets")
    slots = [finding["values"]["slot"] for finding in shown["extension"][FINDINGS]]
    assert "W1" not in slots
    assert "W2" in slots


def test_another_reason_leaves_the_slot_open(remembering: RememberingService) -> None:
    remembering.override(card_of(remembering.ask(TREATED, VIEW), "platelets"), "other")
    remembering.now += 8 * DAY
    shown = card_of(remembering.ask(TREATED, VIEW), "platelets")
    assert "W1" in [finding["values"]["slot"] for finding in shown["extension"][FINDINGS]]


def test_a_closed_slot_is_shown_where_two_weeks_without_tests_make_it_critical(remembering: RememberingService) -> None:
    remembering.override(card_of(remembering.ask(TREATED, VIEW), "liver"), "done-elsewhere")
    assert "liver" not in topics(remembering.ask(TREATED, VIEW))
    remembering.now += 8 * DAY
    shown = card_of(remembering.ask(TREATED, VIEW), "liver")
    assert shown["indicator"] == "critical"
    assert {finding["values"]["slot"] for finding in shown["extension"][FINDINGS]} >= {"W1", "W2"}


# --- what is remembered


def test_what_is_shown_is_remembered_with_its_rules(remembering: RememberingService) -> None:
    cards = remembering.ask(TREATED, VIEW)
    (review,) = remembering.rows("reviews")
    assert (review["service_id"], review["client"]) == ("onasemnogene-patient-view", "demo")
    assert (review["label_revision"], review["rule_set"]) == ("2/2025", "0.1.0")
    assert review["shown_at"] == remembering.now
    kept = remembering.rows("cards_shown")
    assert [row["card_uuid"] for row in kept] == [card["uuid"] for card in cards]
    assert {str(row["rule_id"]) for row in remembering.rows("findings_shown")} == rules_on(cards)


def test_a_hook_instance_that_is_no_uuid_is_not_kept_for_it_could_be_anything(remembering: RememberingService) -> None:
    remembering.ask(TREATED, VIEW, hookInstance="Synthetic Patient, born 2026-01-01")
    (review,) = remembering.rows("reviews")
    assert review["hook_instance"] == ""


def test_what_keeps_quiet_is_remembered_and_counted(remembering: RememberingService) -> None:
    before = remembering.store.counters.values()["kept_quiet"]
    remembering.override(card_of(remembering.ask(TREATED, VIEW), "heart"))
    remembering.ask(TREATED, VIEW)
    (row,) = remembering.rows("findings_kept_quiet")
    assert (row["topic"], row["rule_id"], row["indicator"]) == ("heart", HEART, "info")
    assert remembering.store.counters.values()["kept_quiet"] == before + 1


def test_an_answer_on_which_everything_keeps_quiet_is_remembered(remembering: RememberingService) -> None:
    for card in remembering.ask(TREATED, VIEW):
        remembering.override(card)
    assert remembering.ask(TREATED, VIEW) == []
    assert len(remembering.rows("reviews")) == 2
    assert len(remembering.rows("findings_kept_quiet")) == 4


def test_a_call_that_is_not_ours_is_not_remembered(remembering: RememberingService) -> None:
    assert remembering.ask({"moment": "chart"}, VIEW) == []
    assert remembering.rows("reviews") == []


def test_scheduling_text_for_a_family_is_remembered_without_rules(remembering: RememberingService) -> None:
    given = {"moment": "booking", "user": "Patient/synthetic"}
    cards = remembering.ask(given, "appointment-book")
    assert [row["card_uuid"] for row in remembering.rows("cards_shown")] == [card["uuid"] for card in cards] != []
    assert remembering.rows("findings_shown") == []


def test_rows_are_only_ever_added(remembering: RememberingService) -> None:
    sent: list[str] = []
    engine = remembering.store._engine

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement.split()[0])

    event.listen(engine, "before_cursor_execute", note)
    try:
        for _ in range(2):
            for card in remembering.ask(TREATED, VIEW):
                remembering.override(card, "done-elsewhere")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert {"SELECT", "INSERT"} <= set(sent) <= {"SELECT", "INSERT", "BEGIN"}


# --- a memory that fails


def test_where_the_memory_cannot_be_read_everything_is_shown(
    remembering: RememberingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = remembering.ask(TREATED, VIEW)
    remembering.override(card_of(first, "platelets"))
    before = remembering.store.counters.values()["unread"]
    monkeypatch.setattr(remembering.store._reader, "read", lambda work: None)
    assert remembering.ask(TREATED, VIEW) == first
    assert remembering.store.counters.values()["unread"] == before + 1


def test_where_the_memory_cannot_be_written_everything_is_shown(
    remembering: RememberingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = remembering.ask(TREATED, VIEW)

    def fails(*_: object) -> None:
        raise ZeroDivisionError("synthetic")

    before = remembering.store.counters.values()["failed"]
    monkeypatch.setattr(remembering.store, "remember", fails)
    assert remembering.ask(TREATED, VIEW) == first
    assert remembering.store.counters.values()["failed"] == before + 1


def test_without_a_store_the_answer_is_the_same(
    remembering: RememberingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = remembering.ask(TREATED, VIEW)
    evaluator = remembering.app.extensions[EVALUATOR]
    monkeypatch.setitem(remembering.app.extensions, EVALUATOR, replace(evaluator, memory=Memory()))
    assert remembering.ask(TREATED, VIEW) == first
    assert len(remembering.rows("reviews")) == 1
