"""Composes fhir_fixtures/ from its tables: `make fixtures`, that is `python -m tests.compose_fixtures`.

Writes the patients of children.yaml, the hook_requests of scenarios.yaml and README.md; what a table no longer
names is removed. With `--update` it also asks the service, at the fixed clock, and writes hook_responses: only
where the answer agrees with what the scenario expects by hand, and with a difference to read.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.content_folders import FHIR_FIXTURES
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.presentation.yaml_files import load_yaml
from cds_service.replay.answers import findings_on

try:
    from builders import PATIENT_ID, TODAY, bundle, hook_request
    from composed_courses import words_on
except ModuleNotFoundError:  # started as a module, from the repository's root; the builders import one another by name
    sys.path.append(str(Path(__file__).parent))
    from builders import PATIENT_ID, TODAY, bundle, hook_request
    from composed_courses import words_on

Json = dict[str, Any]
NOW = f"{TODAY}T09:00:00Z"
CHECKLIST_RULE = "baseline-readiness"
# The scenario of each hook that the others of that hook are described by: they name only what differs.
ORDINARY = {
    "order-select": "unremarkable",
    "order-sign": "unremarkable",
    "order-dispatch": "dispatch",
    "encounter-start": "infusion-day",
    "appointment-book": "infusion-slot",
    "patient-view": "on-track",
    "encounter-discharge": "going-home",
}
ORDERING = ("order-select", "order-sign")
# The hooks about a visit or stay, and those before which the kit has come.
AT_A_VISIT = ("encounter-start", "encounter-discharge")
WITH_KIT = ("order-dispatch", "encounter-start")
PLANNED, WRITTEN = "2026-03-05", "2026-03-02"
SIGNED, RECEIVED = "2026-02-27", "2026-02-25"
COURSE_DAYS = 30
FILES = {
    "observations": "observations.json",
    "medicationRequests": "medication_requests.json",
    "medicationAdministrations": "medication_administrations.json",
    "conditions": "conditions.json",
    "immunizations": "immunizations.json",
    "procedures": "procedures.json",
    "serviceRequests": "service_requests.json",
    "diagnosticReports": "diagnostic_reports.json",
}
ALWAYS = ("observations", "medicationRequests")
# Sent only where the child has any; the visit is one resource, the others are lists.
BESIDE = {
    "encounter": "encounter.json",
    "appointments": "appointments.json",
    "immunizationRecommendations": "immunization_recommendations.json",
    "kitEvents": "kit_events.json",
    "encounters": "encounters.json",
    "communications": "communications.json",
}
TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}


@cache
def children() -> dict[str, Json]:
    """The rows of children.yaml by slug; a row that names a simulated child gets the record of its day."""
    rows = {row["slug"]: row for row in load_yaml(FHIR_FIXTURES / "children.yaml")}
    return {slug: _with_course(row) for slug, row in rows.items()}


def _with_course(row: Json) -> Json:
    return {**row, "given": words_on(row["course"], row["day"])} if "course" in row else row


def child_of(scenario: Json) -> Json:
    """Whom a scenario is about; where it says `before`, the same child while it was like another one of the table."""
    child = children()[scenario["child"]]
    return {**children()[scenario["before"]], "slug": child["slug"]} if "before" in scenario else child


@cache
def scenarios() -> dict[str, Json]:
    """The rows of scenarios.yaml by name."""
    rows = load_yaml(FHIR_FIXTURES / "scenarios.yaml")
    by_name = {row["name"]: row for row in rows}
    assert len(by_name) == len(rows), "two scenarios share a name"
    return by_name


@cache
def invalid_on_purpose() -> dict[str, str]:
    """The resources that R4 does not allow, by type and id (the long ids of one EHR cut): what is wrong with each."""
    return dict(load_yaml(FHIR_FIXTURES / "shapes.yaml")["invalid"])


def service_of(hook: str) -> str:
    """The service that answers a hook."""
    return f"onasemnogene-{hook}"


def calls() -> Iterator[tuple[str, Json]]:
    """Every composed call: a hook and the scenario it is about."""
    for scenario in scenarios().values():
        for hook in scenario["expect"]:
            yield hook, scenario


# --- patients ---------------------------------------------------------------------------------------------------


def patient_id_of(child: Json) -> str:
    """The child's id on the server."""
    if child.get("by_hand"):
        return str(_stored(f"patients/{child['slug']}/patient")["id"])
    return f"synthetic-{child['slug']}"


def patient_files(child: Json, changes: Json | None = None, planned: str = PLANNED) -> dict[str, Json]:
    """The child's record: file name → Patient or searchset Bundle. Files written by hand are read, not made.

    `changes` replace words of the child's row; the prednisolone of its row covers the days around `planned`, of a
    treated child those around its infusion.
    """
    if child.get("by_hand"):
        assert not changes, f"{child['slug']} is written by hand"
        folder = FHIR_FIXTURES / "patients" / child["slug"]
        return {path.name: read_json_object(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    given = {**child["given"], **(changes or {})}
    given = {"steroids": _course(child, str(given.get("infused", planned))), **given}
    prefetch = hook_request({**given, "draft": "none"})["prefetch"]
    files = {"patient.json": _patient(child, prefetch["patient"])}
    for key, name in FILES.items():
        found = [entry["resource"] for entry in prefetch[key].get("entry", [])]
        if found or key in ALWAYS:
            files[name] = bundle([_as_of(child, resource) for resource in found])
    for key, name in BESIDE.items():
        if key in prefetch:
            entries = prefetch[key].get("entry", [])
            visit = {**prefetch[key], "id": _visit_of(child)}
            files[name] = bundle([_as_of(child, e["resource"]) for e in entries]) if entries else _about(child, visit)
    return files


def is_treated(child: Json) -> bool:
    """Whether the child's row says that it was infused: its calls are about the time after the infusion."""
    return "infused" in child.get("given", {})


def _course(child: Json, planned: str) -> list[Json]:
    """The child's prednisolone: once a day from the day before the infusion, for the label's 30 days."""
    if "steroid" not in child:
        return []
    first = _day_before(planned)
    last = first + timedelta(days=COURSE_DAYS - 1)
    written = str(first - timedelta(days=3)) if is_treated(child) else "2026-02-26"
    return [{"dose": child["steroid"], "start": first, "end": last, "written": written}]


def _day_before(day: str) -> date:
    return date.fromisoformat(day[:10]) - timedelta(days=1)


def _patient(child: Json, built: Json) -> Json:
    given = child["slug"].title()
    is_girl = sum(map(ord, child["slug"])) % 2
    return {
        "resourceType": "Patient",
        "id": patient_id_of(child),
        "meta": {"tag": [TEST_DATA]},
        "active": built["active"],
        "name": [{"use": "official", "text": f"{given} Synthetic", "family": "Synthetic", "given": [given]}],
        "gender": "female" if is_girl else "male",
        **{name: built[name] for name in built if name not in ("resourceType", "id", "active")},
    }


def _as_of(child: Json, resource: Json) -> Json:
    """A builders' resource, made this child's: ids are unique over all children."""
    return _about(child, {**resource, "id": f"{child['slug']}-{resource['id']}"})


def _visit_of(child: Json) -> str:
    return f"synthetic-{child['slug']}-visit"


def _about(child: Json, built: Json) -> Json:
    """What the builders made, with this child's id for that of theirs, and its open order's for the builders' draft."""
    text = write_json(built).decode()
    for theirs, own in (
        (f"Patient/{PATIENT_ID}", f"Patient/{patient_id_of(child)}"),
        ('"MedicationRequest/draft-', f'"MedicationRequest/{child["slug"]}-open-'),
        ('"MedicationRequest/order-', f'"MedicationRequest/{child["slug"]}-open-'),
    ):
        text = text.replace(theirs, own)
    return read_json_object(text.encode())


# --- requests ---------------------------------------------------------------------------------------------------


def compose_request(scenario: Json, hook: str) -> Json:
    """The complete request of a scenario on a hook."""
    child = child_of(scenario)
    call = deepcopy(scenario.get("call", {}))
    context: Json = {"patientId": patient_id_of(child)}
    if hook != "order-dispatch":
        context = {"userId": "Practitioner/synthetic-prescriber", **context}
    context |= call.pop("context", {})
    drafts = _drafts(scenario, child) if hook in ORDERING else None
    if drafts is not None:
        if hook == "order-select":
            context["selections"] = _selections(scenario, drafts)
        beside = _stored(f"drafts/{scenario['beside']}")["entry"] if "beside" in scenario else []
        context["draftOrders"] = {**drafts, "entry": [*drafts["entry"], *beside]}
    if hook not in ORDERING:
        context |= _context_of_moment(scenario, child, hook)
    instance = uuid5(NAMESPACE_URL, f"{service_of(hook)}/{scenario['name']}")
    request = {"hook": hook, "hookInstance": str(instance), **call, "context": context}
    prefetch = _prefetch(scenario, child, hook)
    return {**request, "prefetch": prefetch} if prefetch else request


def _selections(scenario: Json, drafts: Json) -> list[str]:
    """What the scenario selects; without it the product's drafts, without any the drafts of other medicines."""
    if "selections" in scenario:
        return list(scenario["selections"])
    orders = [entry["resource"] for entry in drafts["entry"]]
    products = [order for order in orders if order["resourceType"] == "MedicationRequest"]
    if "context" in scenario:
        own = [order for order in products if order["id"].removeprefix("draft-").isdigit()]
        products = own or [order for order in orders if not order["id"].startswith("draft-request")]
    return [f"{order['resourceType']}/{order['id']}" for order in products]


def _context_of_moment(scenario: Json, child: Json, hook: str) -> Json:
    """What a visit, a dispatch or a booking says about itself, in the builders' shapes."""
    if hook in AT_A_VISIT:
        return {"encounterId": _visit_of(child)}
    if hook == "patient-view":
        return {}
    words = deepcopy(scenario.get("context", {}))
    if hook == "appointment-book":
        for slot in words.setdefault("slots", [{}]):
            slot.setdefault("start", f"{PLANNED}T09:00:00Z")
    else:
        words.setdefault("dispatched", [f"MedicationRequest/{child['slug']}-open-1"])
    moment = {"order-dispatch": "dispatch", "appointment-book": "booking"}[hook]
    made: Json = _about(child, hook_request({"moment": moment, **words}, hook)["context"])
    return {name: made[name] for name in made if name not in ("userId", "patientId")}


def _drafts(scenario: Json, child: Json) -> Json | None:
    named = scenario.get("drafts")
    if named == "absent":
        return None
    if named is None or named == "none":
        return _orders(scenario, child)
    stored = _stored(named if "/" in named else f"drafts/{named}")
    if stored["resourceType"] == "Bundle":
        return stored
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": stored}]}


def _orders(scenario: Json, child: Json) -> Json:
    """Drafts that are correct for the child, but for what the scenario changes, and what is drafted beside them."""
    words = scenario.get("context", {})
    made: Json = hook_request({"drafts": _changes(scenario, child, PLANNED, WRITTEN), **words})["context"][
        "draftOrders"
    ]
    return {**made, "entry": [{"resource": _subject(child, entry["resource"])} for entry in made["entry"]]}


def _subject(child: Json, draft: Json) -> Json:
    text = write_json(draft).replace(f"Patient/{PATIENT_ID}".encode(), f"Patient/{patient_id_of(child)}".encode())
    return read_json_object(text)


def _changes(scenario: Json, child: Json, planned: str, written: str) -> list[Json]:
    """The product's orders as the builders take them; none where the scenario says so, or the child is treated."""
    is_ordered = "order" in scenario or "orders" in scenario
    if scenario.get("drafts") == "none" or (is_treated(child) and not is_ordered):
        return []
    correct: Json = {"planned": planned, "written": written, "subject": patient_id_of(child)}
    if "table" in child:
        volume = child["table"]["volume"]
        correct |= {"dose": f"{volume} mL", "rate": f"{volume} mL/h", "ndc": child["table"]["ndc"]}
    return [{**correct, **change} for change in scenario.get("orders", [scenario.get("order", {})])]


def _planned_on(scenario: Json, hook: str) -> str:
    """The day the child's record is prepared for: on encounter-start the day of the call."""
    planned = str(scenario.get("order", {}).get("planned", "none"))
    if hook == "encounter-start":
        return str(TODAY)
    return PLANNED if planned == "none" else planned


def _record(scenario: Json, child: Json, hook: str) -> Json:
    """What differs from the child's row: on the infusion day prednisolone was given, and from the pharmacy on a kit is there."""
    changes: Json = {}
    if "day" in scenario:
        return {**words_on(child["course"], scenario["day"]), **scenario.get("record", {})}
    if is_treated(child):
        return dict(scenario.get("record", {}))
    if hook in WITH_KIT and not child.get("by_hand"):
        changes["kit"] = [{"received": RECEIVED}]
    if hook == "encounter-start" and "steroid" in child:
        day = _day_before(_planned_on(scenario, hook))
        changes["steroid_doses"] = [{"mg": child["steroid"].removesuffix(" mg"), "when": f"{day}T08:00:00Z"}]
    return {**changes, **scenario.get("record", {})}


def _prefetch(scenario: Json, child: Json, hook: str) -> Json:
    files = patient_files(child, _record(scenario, child, hook), _planned_on(scenario, hook))
    prefetch: Json = {"patient": files["patient.json"]}
    for key, name in FILES.items():
        prefetch[key] = files.get(name, bundle([]))
    prefetch |= {key: files[name] for key, name in BESIDE.items() if name in files}
    if hook not in ORDERING:
        held = [entry["resource"] for entry in prefetch["medicationRequests"].get("entry", [])]
        prefetch["medicationRequests"] = bundle([*_open_orders(scenario, child, hook), *held])
    for key, added in scenario.get("more", {}).items():
        prefetch[key] = _with_more(prefetch[key], added)
    troubles = scenario.get("lists", {})
    states = {**dict.fromkeys(FILES, troubles["all"]), **troubles} if "all" in troubles else troubles
    for key in [key for key in states if key != "all"]:
        prefetch[key] = _in_trouble(prefetch[key], states[key])
    kept = {key: value for key, value in prefetch.items() if value != "absent"}
    names = scenario.get("keys", {})
    return {**{names.get(key, key): value for key, value in kept.items()}, **scenario.get("extra", {})}


def _open_orders(scenario: Json, child: Json, hook: str) -> list[Json]:
    """The product's orders once they are signed: open ones in the record."""
    planned = str(TODAY) if hook == "encounter-start" else PLANNED
    changes = _changes(scenario, child, planned, SIGNED)
    made = hook_request({"draft": "none", "open_orders": changes, "steroids": []})["prefetch"]["medicationRequests"]
    orders = [entry["resource"] for entry in made.get("entry", [])]
    return [{**order, "id": f"{child['slug']}-open-{n}"} for n, order in enumerate(orders, start=1)]


def _with_more(searchset: Json, added: Iterable[str]) -> Json:
    resources = [entry["resource"] for entry in searchset.get("entry", [])]
    for name in added:
        stored = _stored(name)
        entries = stored["entry"] if stored["resourceType"] == "Bundle" else [{"resource": stored}]
        resources += [entry["resource"] for entry in entries]
    return bundle(resources)


def _in_trouble(value: Json, state: str) -> Any:
    """What arrives in place of a list: see `lists` in scenarios.yaml."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    entries = value.get("entry", [])
    states: dict[str, Any] = {
        "absent": "absent",
        "null": None,
        "outcome": outcome,
        "outcome-entry": {**value, "entry": [*entries, {"resource": outcome, "search": {"mode": "outcome"}}]},
        "html": "<!DOCTYPE html><html><body>Service unavailable</body></html>",
        "next": {
            **{name: value[name] for name in value if name != "total"},
            "link": [{"relation": "next", "url": "https://ehr.example.org/fhir/r4?page=2"}],
        },
        "total": {**value, "total": len(entries) + 2},
        "wrong-type": [entry["resource"] for entry in entries],
        "wrapper": {"resource": value},
        "in-bundle": bundle([value]),
    }
    return _stored(state) if "/" in state else states[state]


def _stored(name: str) -> Json:
    """A file by its path below fhir_fixtures/, without .json; a made one as it is made now."""
    folder, _, rest = name.partition("/")
    slug, _, file = rest.partition("/")
    if folder == "patients" and not children()[slug].get("by_hand"):
        return patient_files(children()[slug])[f"{file}.json"]
    return read_json_object((FHIR_FIXTURES / f"{name}.json").read_bytes())


# --- answers ----------------------------------------------------------------------------------------------------


def client_at(now: str = NOW, **settings: str) -> FlaskClient:
    """The service in demo mode with its clock at this moment: without another, the fixtures' fixed day."""
    environment = {"CDS_MODE": "demo", "CDS_NOW": now, "CDS_LOG_LEVEL": "warning", **settings}
    return create_app(load_settings(environment)).test_client()


def ask(client: FlaskClient, hook: str, request: bytes) -> tuple[int, Json]:
    """The service's answer: status and body."""
    reply = client.post(f"/cds-services/{service_of(hook)}", data=request, content_type="application/json")
    return reply.status_code, read_json_object(reply.data)


def golden_form(scenario: Json, hook: str, status: int, body: Json) -> Json:
    """What is kept of an answer: the whole body where the scenario says so or it is an error, else its essence."""
    if status != 200 or hook in scenario.get("full", []):
        return {"status": status, "body": body}
    return {"status": status, "cards": [_essence(card) for card in body["cards"]]}


def _essence(card: Json) -> Json:
    findings = [
        {name: finding[name] for name in ("rule", "indicator", "values") if name in finding}
        for finding in findings_on(card)
    ]
    made = {
        "topic": card["source"]["topic"]["code"],
        "indicator": card["indicator"],
        "summary": card["summary"],
        "findings": findings,
    }
    if "suggestions" in card:
        made["suggestions"] = [suggestion["label"] for suggestion in card["suggestions"]]
    return made


def findings_in(body: Json) -> list[Json]:
    """Every finding of a response, apart from the lines of the checklist."""
    return [f for card in body["cards"] for f in findings_on(card) if f["rule"] != CHECKLIST_RULE]


def lines_in(body: Json) -> dict[str, str]:
    """The checklist of a response: check → state."""
    every = [f for card in body["cards"] for f in findings_on(card)]
    return {f["values"]["check"]: f["values"]["state"] for f in every if f["rule"] == CHECKLIST_RULE}


def disagreements(scenario: Json, hook: str, status: int, body: Json) -> list[str]:
    """How an answer differs from what the scenario expects by hand; empty where it does not."""
    expected = scenario["expect"][hook]
    if isinstance(expected, int):
        return [] if status == expected else [f"status {status}, expected {expected}"]
    if status != 200:
        return [f"status {status}, expected 200"]
    if expected == "no cards":
        return [] if body == {"cards": []} else ["cards where none are expected"]
    return [
        *_different_findings({**_ordinary(scenario, hook)["expect"][hook], **expected}, findings_in(body)),
        *_different_lines(scenario, hook, lines_in(body)),
        *_different_values(scenario, expected, findings_in(body)),
    ]


def _ordinary(scenario: Json, hook: str) -> Json:
    """What is expected beside what a scenario names: nothing of a call that is apart or about a treated child."""
    is_apart = scenario.get("apart") or is_treated(child_of(scenario))
    return {"expect": {hook: {}}, "lines": "none"} if is_apart else scenarios()[ORDINARY[hook]]


def _different_findings(expected: Mapping[str, Any], findings: list[Json]) -> Iterator[str]:
    wanted = Counter(
        (rule, level)
        for rule, levels in expected.items()
        for level in (levels if isinstance(levels, list) else [levels])
        if level != "none"
    )
    found = Counter((finding["rule"], finding["indicator"]) for finding in findings)
    yield from (f"missing finding: {rule} {level}" for rule, level in sorted((wanted - found).elements()))
    yield from (f"unexpected finding: {rule} {level}" for rule, level in sorted((found - wanted).elements()))


def _different_lines(scenario: Json, hook: str, found: dict[str, str]) -> Iterator[str]:
    changed, ordinary = scenario.get("lines", {}), _ordinary(scenario, hook)["lines"]
    wanted = {} if "none" in (changed, ordinary) else {**ordinary, **changed}
    for check in {**wanted, **found}:
        if wanted.get(check) != found.get(check):
            yield f"line {check}: {found.get(check)}, expected {wanted.get(check)}"


def _different_values(scenario: Json, expected: Mapping[str, Any], findings: list[Json]) -> Iterator[str]:
    for rule, values in scenario.get("values", {}).items():
        shown = [finding.get("values", {}) for finding in findings if finding["rule"] == rule]
        if rule in expected and not any(values.items() <= item.items() for item in shown):
            differing = [{name: item.get(name) for name in values} for item in shown]
            yield f"values of {rule}: {differing}, expected {values}"
    table = child_of(scenario).get("table")
    if table is not None:
        volume = table["volume"]
        row = {"expectedVolumeMl": volume, "expectedRateMlPerHour": volume, "expectedNdc": table["ndc"]}
        for finding in findings:
            shown_row = {name: finding.get("values", {}).get(name, row[name]) for name in row}
            if shown_row != row:
                yield f"table row of {finding['rule']}: {shown_row}, expected {row}"


# --- files ------------------------------------------------------------------------------------------------------


def as_file(document: Json) -> bytes:
    """A document as it is stored: indented by one space, every digit kept, each resource of a Bundle on one line."""
    lines: list[bytes] = []
    text = msgspec.json.format(write_json(_with_short_entries(document, lines)), indent=1) + b"\n"
    return re.sub(rb'"resource (\d+)"', lambda match: lines[int(match[1])], text)


def _with_short_entries(value: Any, lines: list[bytes]) -> Any:
    if isinstance(value, list):
        return [_with_short_entries(item, lines) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("resourceType") == "Bundle" and value.get("type") == "searchset":
        short = []
        for entry in value.get("entry", []):
            lines.append(write_json(entry))
            short.append(f"resource {len(lines) - 1}")
        return {**value, "entry": short} if short else value
    return {name: _with_short_entries(item, lines) for name, item in value.items()}


def as_answer_file(golden: Json) -> bytes:
    """The same with each finding of the short form on one line."""
    lines: list[bytes] = []
    for card in golden.get("cards", []):
        for number, finding in enumerate(card["findings"]):
            lines.append(write_json(finding))
            card["findings"][number] = f"finding {len(lines) - 1}"
    text = as_file(golden)
    return re.sub(rb'"finding (\d+)"', lambda match: lines[int(match[1])], text)


def composed_files() -> dict[str, bytes]:
    """Everything that is made from the tables, by path below fhir_fixtures/; not the expected answers."""
    files = {}
    for child in children().values():
        if not child.get("by_hand"):
            for name, document in patient_files(child).items():
                files[f"patients/{child['slug']}/{name}"] = as_file(document)
    for hook, scenario in calls():
        files[request_path(hook, scenario)] = as_file(compose_request(scenario, hook))
    files["README.md"] = readme().encode()
    return files


def request_path(hook: str, scenario: Json) -> str:
    """Where the request of a scenario stands."""
    return f"hook_requests/{service_of(hook)}/{scenario['name']}.json"


def response_path(hook: str, scenario: Json) -> str:
    """Where the expected answer of a scenario stands."""
    return f"hook_responses/{service_of(hook)}/{scenario['name']}.json"


def superfluous_files() -> list[Path]:
    """Requests, answers and patients that no table names any more."""
    named = set(composed_files()) | {response_path(hook, scenario) for hook, scenario in calls()}
    by_hand = {slug for slug, child in children().items() if child.get("by_hand")}
    found = [
        path
        for part in ("patients", "hook_requests", "hook_responses")
        for path in (FHIR_FIXTURES / part).rglob("*.json")
    ]
    return [
        path
        for path in sorted(found)
        if path.relative_to(FHIR_FIXTURES).as_posix() not in named
        and not (path.parent.parent.name == "patients" and path.parent.name in by_hand)
    ]


README_HEAD = """# Fixtures

Synthetic children and the calls about them. Nobody here exists: every name, number and date is made up, every
patient is called Synthetic and is tagged as test data. The fixed day is 2026-03-02, 09:00 UTC; demo mode moves all
days to today. `cds-service replay` sends all of these calls to a running service and compares its answers; what hangs on
the calendar itself, such as the influenza and RSV season, is named in `calendar.yaml` and left out on another day.

The scenarios `walk-1` to `walk-5` follow one infant from referral to infusion through five hooks. The children
`going-home` and `day-6` to `day-95` stand so many days after the infusion; their charts are opened (patient-view), they
come to a visit, go home (encounter-discharge), or somebody changes their corticosteroid. The scenarios `course-*` are
days out of the courses of five simulated children (tests/simulated_children.py), of one of them from the order on.

`make fixtures` writes `patients/`, `hook_requests/` and this page from `children.yaml` and `scenarios.yaml`. To add a
call, add a few lines to `scenarios.yaml`, with what you expect worked out from the label; then
`python -m tests.compose_fixtures --update` asks the service and writes the answer to `hook_responses/` under the same
path, but only where it agrees with what you expect. Read the difference it prints like code.

Written by hand: `drafts/`, `odd/`, and the patients marked so below.
"""


INVALID_HEAD = """## What R4 does not allow

EHRs send it all the same. Every other resource here passes the validators; only the long ids of `ehr-shaped` and the
`fullUrl` that entries lack, as in the examples of CDS Hooks, are put right before they look.

| resource | what is wrong with it |
|---|---|
"""


def readme() -> str:
    """README.md: who each file is about and what it proves, one line for each."""
    shapes = load_yaml(FHIR_FIXTURES / "shapes.yaml")
    parts = [README_HEAD]
    parts.append(
        "## Tables\n\n| file | what |\n|---|---|\n" + "".join(f"| `{n}` | {t} |\n" for n, t in shapes["tables"].items())
    )
    rows = [
        f"| `patients/{child['slug']}/{name}` | {child['who']} | {_proof(child, name)} |\n"
        for child in children().values()
        for name in patient_files(child)
    ]
    parts.append("## Patients\n\n| file | who | proves |\n|---|---|---|\n" + "".join(rows))
    rows = [f"| `drafts/{name}.json` | {text} |\n" for name, text in shapes["drafts"].items()]
    parts.append("## Drafts of other shapes\n\n| file | what |\n|---|---|\n" + "".join(rows))
    rows = [f"| `odd/{name}.json` | {text} |\n" for name, text in shapes["odd"].items()]
    parts.append("## Odd entries\n\n| file | what is odd |\n|---|---|\n" + "".join(rows))
    rows = [f"| {name} | {text} |\n" for name, text in invalid_on_purpose().items()]
    parts.append(INVALID_HEAD + "".join(rows))
    rows = [
        f"| `{request_path(hook, scenario)}` | {scenario['child']} | {scenario['proves']} |\n"
        for hook, scenario in calls()
    ]
    parts.append(
        "## Calls and answers\n\nThe expected answer of each has the same path under `hook_responses/`.\n\n"
        "| file | child | proves |\n|---|---|---|\n" + "".join(rows)
    )
    return "\n".join(parts)


def _proof(child: Json, file_name: str) -> str:
    said = child["proves"] if file_name == "patient.json" else file_name.removesuffix(".json").replace("_", " ")
    return f"{said} (by hand)" if child.get("by_hand") else str(said)


def write_composed() -> list[str]:
    """Write what changed and remove what no table names; says what was done."""
    done = []
    for name, content in composed_files().items():
        path = FHIR_FIXTURES / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            done.append(f"wrote {name}")
    for path in superfluous_files():
        path.unlink()
        done.append(f"removed {path.relative_to(FHIR_FIXTURES)}")
    return done


def update_answers(client: FlaskClient) -> tuple[list[str], list[str]]:
    """Ask the service about every call: the differences that were written, and the refusals that were not."""
    written, refused = [], []
    for hook, scenario in calls():
        if "disputed" in scenario:
            refused.append(f"left as written by hand: {hook}/{scenario['name']}: {scenario['disputed']}")
            continue
        status, body = ask(client, hook, (FHIR_FIXTURES / request_path(hook, scenario)).read_bytes())
        wrong = disagreements(scenario, hook, status, body)
        if wrong:
            refused.append("\n  ".join([f"not written: {hook}/{scenario['name']}", *wrong]))
            continue
        path = FHIR_FIXTURES / response_path(hook, scenario)
        new = as_answer_file(golden_form(scenario, hook, status, body))
        old = path.read_bytes() if path.exists() else b""
        if new != old:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(new)
            written.append(_difference(response_path(hook, scenario), old, new))
    return written, refused


def _difference(name: str, old: bytes, new: bytes) -> str:
    before, after = old.decode().splitlines(), new.decode().splitlines()
    if not before:
        return f"new: {name}"
    return "\n".join(difflib.unified_diff(before, after, name, name, lineterm="", n=1))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.compose_fixtures", description=__doc__)
    parser.add_argument("--update", action="store_true", help="ask the service and write the expected answers")
    options = parser.parse_args()
    print(*(write_composed() or ["all composed files are up to date"]), sep="\n")
    if not options.update:
        return 0
    written, refused = update_answers(client_at())
    print(*(written or ["all expected answers are up to date"]), sep="\n")
    print(*refused, sep="\n", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
