"""What must hold of every course after the infusion, whatever it looks like: generated courses, one property a test.

A course is a chart opened on some day up to four months after the infusion, with any panels, counts and corticosteroid
orders. Multiples of the upper limit are drawn so that every boundary is met often.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from builders import LISTS, TODAY, hook_request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.domain.answers import Answer, Assurance, Verdict
from cds_service.domain.days import days_from
from cds_service.domain.facts import PatientFacts
from cds_service.domain.follow_up import calendar_of
from cds_service.domain.monitoring_calendar import MonitoringSlot, SlotKind, SlotStatus
from cds_service.domain.registry import answer_all
from cds_service.fhir import FhirClient, Recognition, SiteClock, read_chart, read_facts
from cds_service.fhir.occasion import Occasion
from cds_service.hooks.evaluation import MOMENTS, Evaluator
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.request import read_hook_call
from cds_service.hooks.services import service_by_id
from cds_service.presentation import Catalogue
from cds_service.presentation.render import finding_for

Json = dict[str, Any]
INFUSED = date(2026, 3, 2)
FINDINGS = "onasemnogene-cds.findings"
RANK = ("info", "warning", "critical")
EXAMPLES = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# Upper limits that stay whole numbers in every unit the tests convert to.
ULN = {"alt": 60, "ast": 60, "total_bilirubin": 1}
ENZYMES = (24, 60, 114, 120, 126, 180, 240, 1200, 1260)
BILIRUBINS = ("0.4", "1.0", "1.01", "2.0", "2.1")
PLATELETS = (20, 40, 50, 75, 99, 100, 149, 150, 300)
# Rules of results; where one hands over to the next worse one, they are one alarm.
ALARMS_OF_RESULTS = (
    ("liver-worsening",),
    ("liver-serious",),
    ("liver-consult-persist",),
    ("liver-rise-on-taper",),
    ("steroid-taper-unsupported",),
    ("platelet-low",),
    ("tma-evaluate", "tma-consult"),
)


def day(number: int) -> date:
    return INFUSED + timedelta(days=number)


def dated(number: int) -> str:
    return day(number).isoformat()


# --- courses


def enzyme(value: int) -> Json:
    return {"value": f"{value} U/L", "range": ["0", str(ULN["alt"])]}


def bilirubin(value: str) -> Json:
    return {"value": f"{value} mg/dL", "range": ["0.2", "1.0"]}


@st.composite
def panels(draw: st.DrawFn, today: int) -> list[Json]:
    days = draw(st.lists(st.integers(1, max(today, 1)), max_size=7, unique=True))
    made = []
    for number in sorted(number for number in days if number <= today):
        panel: Json = {
            "on": dated(number),
            "at": "06:00",
            "status": draw(st.sampled_from(["final"] * 4 + ["preliminary"])),
        }
        panel["alt"] = draw(st.sampled_from(["none", *map(enzyme, ENZYMES)]))
        panel["ast"] = draw(st.sampled_from([*map(enzyme, ENZYMES[:3]), "none"]))
        panel["total_bilirubin"] = draw(st.sampled_from([*map(bilirubin, BILIRUBINS), "none"]))
        panel["inr"] = draw(st.sampled_from(["1.0 {INR}", "1.1 {INR}", "1.11 {INR}", "1.6 {INR}", "none"]))
        made.append(panel)
    return made


@st.composite
def counts(draw: st.DrawFn, today: int) -> list[Json]:
    days = draw(st.lists(st.integers(1, max(today, 1)), max_size=5, unique=True))
    made = []
    for number in sorted(number for number in days if number <= today):
        count: Json = {"on": dated(number), "at": "06:00", "platelets": f"{draw(st.sampled_from(PLATELETS))} 10*3/uL"}
        count["hemoglobin"] = draw(st.sampled_from(["12.0 g/dL", "10.0 g/dL", "9.9 g/dL"]))
        count["creatinine"] = draw(st.sampled_from(["0.3 mg/dL", "0.4 mg/dL", "0.7 mg/dL"]))
        made.append(count)
    return made


def order(first: int, last: int, mg: str) -> Json:
    return {"start": dated(first), "end": dated(last), "dose": f"{mg} mg", "id": f"steroid-{first}-{mg}"}


COURSES = (
    [order(-1, 28, "3.2")],
    [order(-1, 28, "3.2"), order(29, 42, "1.6"), order(43, 56, "0.8")],
    [order(-1, 28, "3.2"), order(29, 70, "3.2"), order(71, 84, "1.6"), order(85, 98, "0.8")],
    [order(-1, 12, "3.2")],
    [order(-1, 40, "2.0")],
    [order(-1, 20, "3.2"), order(24, 60, "3.2")],
    [order(-1, 28, "3.2"), order(29, 42, "1.6"), order(43, 60, "3.2")],
    [{"start": dated(-1), "end": dated(90), "dose": "none", "text": "wean per protocol", "id": "steroid-in-words"}],
    [],
)


@st.composite
def courses(draw: st.DrawFn) -> Json:
    today = draw(st.integers(0, 120))
    return {
        "moment": "chart",
        "today": dated(today),
        "infused": INFUSED.isoformat(),
        "labs": {name: {**enzyme(24), "when": f"{dated(-2)}T08:00:00Z"} for name in ("alt", "ast")},
        "panels": draw(panels(today)),
        "counts": draw(counts(today)),
        "steroids": draw(st.sampled_from(COURSES)),
    }


def today_of(course: Json) -> int:
    return days_from(INFUSED, date.fromisoformat(course["today"]))


# --- asking


@pytest.fixture(scope="module")
def facts_for(catalogue: Catalogue, recognition: Recognition) -> Callable[..., PatientFacts]:
    def read(request: Json, now: datetime) -> PatientFacts:
        call = read_hook_call(read_json_object(write_json(request)), service_by_id(f"onasemnogene-{request['hook']}"))
        occasion = Occasion(MOMENTS[request["hook"]])
        clock = SiteClock(now, ZoneInfo("UTC"), timedelta(minutes=15))
        chart = read_chart(call.prefetch, call.patient_id)
        return read_facts(chart, occasion, call.patient_id, clock, catalogue.known.units, recognition)

    return read


def now_of(course: Json) -> datetime:
    return datetime.fromisoformat(f"{course['today']}T09:00:00+00:00")


@pytest.fixture(scope="module")
def answer(catalogue: Catalogue) -> Callable[[Json, datetime], list[Json]]:
    """The cards for a request at a moment."""
    moment: list[datetime] = []
    evaluator = Evaluator.of(
        catalogue, ZoneInfo("UTC"), lambda: moment[-1], "http://127.0.0.1:8000", FhirClient.pooled(1), 1
    )

    def ask(request: Json, now: datetime) -> list[Json]:
        moment.append(now)
        call = read_hook_call(read_json_object(write_json(request)), service_by_id(f"onasemnogene-{request['hook']}"))
        cards: list[Json] = json.loads(write_json(evaluator.answer(call)))["cards"]
        return cards

    return ask


def answers_to(facts: PatientFacts, catalogue: Catalogue) -> tuple[Answer, ...]:
    return answer_all(facts, catalogue.known, catalogue.rules)


def levels(answers: tuple[Answer, ...], catalogue: Catalogue) -> dict[str, int]:
    """The worst level of each rule that speaks on the chart."""
    worst: dict[str, int] = {}
    for said in answers:
        if said.is_finding and said.rule_id != "baseline-readiness":
            level = RANK.index(finding_for(said, "patient-view", TODAY, catalogue).urgency)
            worst[said.rule_id] = max(worst.get(said.rule_id, 0), level)
    return worst


def findings_of(cards: list[Json]) -> list[Json]:
    return [finding for card in cards for finding in card.get("extension", {}).get(FINDINGS, [])]


# --- 1


def slot_rank(slot: MonitoringSlot) -> int:
    return 1 if slot.status is SlotStatus.OVERDUE else 0


@EXAMPLES
@given(course=courses(), data=st.data())
def test_a_result_later_than_a_slot_never_makes_the_slot_worse(
    course: Json, data: st.DataObject, facts_for: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    number = min(data.draw(st.integers(1, max(today_of(course), 1))), today_of(course))
    later = {"on": dated(number), "at": "07:00", "alt": enzyme(data.draw(st.sampled_from(ENZYMES)))}
    more = {**course, "panels": [*course["panels"], later]}
    before, after = (calendar_of(facts_for(hook_request(c), now_of(c)), catalogue.known) for c in (course, more))
    assert before is not None
    assert after is not None
    kept = {(slot.series, slot.name): slot for slot in after.slots}
    for slot in before.slots:
        then = kept.get((slot.series, slot.name))
        if slot.kind is SlotKind.EXTRA or slot.closes >= day(number) or then is None:
            continue
        assert slot_rank(then) <= slot_rank(slot)
        assert set(slot.present) <= set(then.present)


# --- 2


@EXAMPLES
@given(course=courses(), data=st.data())
def test_a_new_result_worse_than_all_before_never_removes_an_alarm(
    course: Json, data: st.DataObject, facts_for: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    more = deepcopy(course)
    if data.draw(st.booleans()):
        worst: Json = {"alt": enzyme(1320), "ast": enzyme(1320)}
        rest = dict.fromkeys(("total_bilirubin", "prothrombin_time", "inr"), "none")
        more["panels"] = [*course["panels"], {"on": course["today"], "at": "08:30", **worst, **rest}]
    else:
        more["counts"] = [*course["counts"], {"on": course["today"], "at": "08:30", "platelets": "10 10*3/uL"}]
    before, after = (
        levels(answers_to(facts_for(hook_request(c), now_of(c)), catalogue), catalogue) for c in (course, more)
    )
    for rules in ALARMS_OF_RESULTS:
        assert max(after.get(rule, -1) for rule in rules) >= max(before.get(rule, -1) for rule in rules), rules


# --- 3


def told(cards: list[Json]) -> list[Json]:
    """Cards without what follows the order of the record: the order of evidence, and names made from it."""
    found = deepcopy(cards)
    for card in found:
        card.pop("uuid")
        card["detail"] = sorted(card["detail"].splitlines())
        for finding in card.get("extension", {}).get(FINDINGS, []):
            finding.get("evidence", []).sort(key=lambda item: json.dumps(item, sort_keys=True))
        for suggestion in card.get("suggestions", []):
            suggestion.pop("uuid")
    return found


@pytest.mark.hazard("H25")
@EXAMPLES
@given(course=courses(), random=st.randoms(use_true_random=False))
def test_the_order_of_the_record_changes_nothing(
    course: Json, random: Any, answer: Callable[[Json, datetime], list[Json]]
) -> None:
    request = hook_request(course)
    shuffled = deepcopy(request)
    for key in LISTS:
        random.shuffle(shuffled["prefetch"][key].get("entry", []))
    assert told(answer(shuffled, now_of(course))) == told(answer(request, now_of(course)))


# --- 4

# In 28 years of this century every date has the same weekday, month length and place in the leap cycle again.
CYCLE = timedelta(days=10227)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def shifted(text: str, by: timedelta) -> str:
    return _ISO.sub(lambda match: (date.fromisoformat(match[0]) + by).isoformat(), text)


def without_names(cards: list[Json]) -> str:
    """The cards as text, without the identifiers that are made from what they say."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", json.dumps(cards, sort_keys=True))


@EXAMPLES
@given(course=courses())
def test_moving_every_date_by_the_same_days_changes_only_dates(
    course: Json, answer: Callable[[Json, datetime], list[Json]]
) -> None:
    request = hook_request(course)
    moved = json.loads(shifted(json.dumps(json.loads(write_json(request))), CYCLE))
    here, there = answer(request, now_of(course)), answer(moved, now_of(course) + CYCLE)
    assert shifted(without_names(there), -CYCLE) == without_names(here)


@EXAMPLES
@given(course=courses(), by=st.integers(1, 400))
def test_moving_every_date_by_any_days_moves_each_slot_that_hangs_on_no_month(
    course: Json, by: int, facts_for: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    request = hook_request(course)
    step = timedelta(days=by)
    moved = json.loads(shifted(json.dumps(json.loads(write_json(request))), step))
    here = calendar_of(facts_for(request, now_of(course)), catalogue.known)
    there = calendar_of(facts_for(moved, now_of(course) + step), catalogue.known)
    assert here is not None
    assert there is not None

    def weekly(calendar: Any, back: timedelta) -> list[tuple[str, date, date, SlotStatus]]:
        first_month = calendar.infusion + timedelta(days=28)
        return [
            (slot.name, slot.target - back, slot.closes - back, slot.status)
            for slot in calendar.slots
            if slot.target <= first_month
        ]

    assert weekly(there, step) == weekly(here, timedelta(0))


# --- 5

CONVERSIONS: Mapping[str, tuple[str, Callable[[Decimal], Decimal]]] = {
    "U/L": ("ukat/L", lambda value: value / 60),
    "mg/dL bilirubin": ("umol/L", lambda value: value * Decimal("17.104")),
    "mg/dL creatinine": ("umol/L", lambda value: value * Decimal("88.42")),
    "10*3/uL": ("/uL", lambda value: value * 1000),
    "g/dL": ("g/L", lambda value: value * 10),
}
MASS_PER_VOLUME = {"1975-2": "mg/dL bilirubin", "2160-0": "mg/dL creatinine"}
UCUM = "http://unitsofmeasure.org"


def convert(quantity: Json, code: str) -> None:
    unit = MASS_PER_VOLUME.get(code, "") if quantity.get("code") == "mg/dL" else str(quantity.get("code"))
    if unit in CONVERSIONS:
        name, factor = CONVERSIONS[unit]
        quantity |= {"value": factor(Decimal(str(quantity["value"]))), "unit": name, "system": UCUM, "code": name}


def converted(request: Json) -> Json:
    """The same request with every result in another unit of the conversion table, its range too."""
    made = deepcopy(request)
    for entry in made["prefetch"]["observations"]["entry"]:
        resource = entry["resource"]
        code = next((c["code"] for c in resource["code"].get("coding", [])), "")
        for quantity in [
            resource.get("valueQuantity", {}),
            *(q for r in resource.get("referenceRange", []) for q in r.values()),
        ]:
            if isinstance(quantity, dict) and "value" in quantity:
                convert(quantity, code)
    return made


@cache
def _kept() -> frozenset[str]:
    return frozenset({"timesUln", "analyte", "analytes", "dueDate", "dayNumber", "slot"})


def essence(cards: list[Json]) -> list[tuple[Any, ...]]:
    """What findings say apart from how a number is written."""
    return sorted(
        (
            finding["rule"],
            finding["indicator"],
            tuple(sorted((k, v) for k, v in finding.get("values", {}).items() if k in _kept())),
        )
        for finding in findings_of(cards)
    )


@EXAMPLES
@given(course=courses())
def test_converting_units_changes_nothing(course: Json, answer: Callable[[Json, datetime], list[Json]]) -> None:
    request = hook_request(course)
    assert essence(answer(converted(request), now_of(course))) == essence(answer(request, now_of(course)))


# --- 6


@EXAMPLES
@given(course=courses(), data=st.data())
def test_deleting_what_an_alarm_does_not_rest_on_never_turns_it_into_verified(
    course: Json, data: st.DataObject, facts_for: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    request = hook_request(course)
    alarms = alarming(answers_to(facts_for(request, now_of(course)), catalogue))
    key = data.draw(st.sampled_from([key for key in LISTS if request["prefetch"][key].get("entry")]))
    entries = request["prefetch"][key]["entry"]
    gone = data.draw(st.sampled_from(range(len(entries))))
    reference = f"{entries[gone]['resource']['resourceType']}/{entries[gone]['resource']['id']}"
    fewer = deepcopy(request)
    del fewer["prefetch"][key]["entry"][gone]
    fewer["prefetch"][key]["total"] = len(entries) - 1
    verified = verified_rules(answers_to(facts_for(fewer, now_of(course)), catalogue))
    independent = {rule for rule, cited in alarms.items() if reference not in cited}
    assert not independent & verified


@EXAMPLES
@given(course=courses())
def test_taking_a_whole_list_away_never_turns_an_alarm_into_verified(
    course: Json, facts_for: Callable[..., PatientFacts], catalogue: Catalogue
) -> None:
    request = hook_request(course)
    alarms = alarming(answers_to(facts_for(request, now_of(course)), catalogue))
    for key in LISTS:
        fewer = {**request, "prefetch": {k: v for k, v in request["prefetch"].items() if k != key}}
        assert not set(alarms) & verified_rules(answers_to(facts_for(fewer, now_of(course)), catalogue)), key


def alarming(answers: tuple[Answer, ...]) -> dict[str, frozenset[str]]:
    """The rules that fire without any assurance, and all the entries they cite."""
    firing = [a for a in answers if a.verdict is Verdict.FIRES and a.assurance is Assurance.NONE]
    return {
        rule: frozenset(item.reference for a in firing if a.rule_id == rule for item in a.evidence)
        for rule in {a.rule_id for a in firing}
    }


def verified_rules(answers: tuple[Answer, ...]) -> set[str]:
    by_rule: dict[str, list[Answer]] = {}
    for said in answers:
        by_rule.setdefault(said.rule_id, []).append(said)
    return {
        rule
        for rule, said in by_rule.items()
        if any(a.assurance is Assurance.VERIFIED for a in said) and all(a.verdict is not Verdict.FIRES for a in said)
    }
