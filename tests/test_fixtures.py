"""The fixtures are what their tables say, synthetic, and true on any day."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from compose_fixtures import (
    COURSE_DAYS,
    FHIR_FIXTURES,
    ORDINARY,
    PLANNED,
    WRITTEN,
    calls,
    children,
    composed_files,
    patient_files,
    request_path,
    response_path,
    scenarios,
    superfluous_files,
)
from every_resource import resources_in
from label_transcription import TABLE_1, TABLE_3

from cds_service.hooks.json_body import read_json_object
from cds_service.web.fixture_requests import FIXTURE_DAY, moved_to

LARGEST_TOTAL = 8_000_000
ROOT = Path(__file__).parent.parent
ALL_FILES = sorted(path.relative_to(FHIR_FIXTURES).as_posix() for path in FHIR_FIXTURES.rglob("*") if path.is_file())
JSON_FILES = [name for name in ALL_FILES if name.endswith(".json")]
DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T.*)?")
KG = {"kg": Decimal(1), "g": Decimal("0.001"), "[lb_av]": Decimal("0.45359237")}
# Prednisolone for a weight that the record does not hold, or holds wrongly.
WITHOUT_WEIGHT = {"never-weighed", "birth-weight-only", "pounds-as-kilograms"}
# Drafts that hold FHIR of another release, or none at all.
ODD_DRAFTS = ("drafts/stu3-shaped", "drafts/tutorial-shaped", "drafts/hostile-text")
DATED_LATER = {"future-weight"}  # a weight of tomorrow is what this child is for
OUR_HOSTS = re.compile(r"([a-z]+\.)*example\.org")
SYSTEM_HOSTS = {
    "fdasis.nlm.nih.gov", "hl7.org", "loinc.org", "snomed.info", "terminology.hl7.org", "unitsofmeasure.org",
    "www.nlm.nih.gov", "www.cms.gov",
}  # fmt: skip
PERSONAL = {"address", "telecom", "photo", "contact", "communication", "generalPractitioner", "maritalStatus"}
CHILD = [pytest.param(child, id=slug) for slug, child in children().items()]
CALL = [pytest.param(hook, scenario, id=f"{hook}/{scenario['name']}") for hook, scenario in calls()]


def stored(name: str) -> dict[str, Any]:
    """A fixture by its path below fhir_fixtures/."""
    return read_json_object((FHIR_FIXTURES / name).read_bytes())


def texts_in(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a document with the name it stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item, key)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from texts_in(item, name)


def days_in(value: Any) -> Iterator[date]:
    """Every full date of a document."""
    for _, text in texts_in(value):
        if match := DAY.fullmatch(text):
            yield date.fromisoformat(match[1])


# --- composed, complete, described ------------------------------------------------------------------------------


def test_what_is_committed_is_what_the_tables_make() -> None:
    differing = [
        n
        for n, content in composed_files().items()
        if n not in ALL_FILES or (FHIR_FIXTURES / n).read_bytes() != content
    ]
    assert not differing, f"run make fixtures: {differing}"


def test_nothing_is_left_of_what_the_tables_no_longer_name() -> None:
    assert superfluous_files() == []


def test_every_call_has_an_expected_answer() -> None:
    assert [response_path(*call) for call in calls() if response_path(*call) not in ALL_FILES] == []


def test_every_file_has_one_line_in_the_readme() -> None:
    named = re.findall(r"^\| `([^`]+)` \|", (FHIR_FIXTURES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    answers = {response_path(*call): request_path(*call) for call in calls()}
    wanted = {answers.get(name, name) for name in ALL_FILES} - {"README.md"}
    assert sorted(named) == sorted(wanted)


def test_every_file_written_by_hand_is_used() -> None:
    table = (FHIR_FIXTURES / "scenarios.yaml").read_text(encoding="utf-8")
    by_hand = [n.removesuffix(".json") for n in JSON_FILES if n.startswith(("odd/", "drafts/"))]
    used = re.findall(r"odd/[\w-]+", table) + [
        f"drafts/{name}" for name in re.findall(r"(?:drafts|beside): ([\w-]+)$", table, re.MULTILINE)
    ]
    assert set(by_hand) == set(used) - {"drafts/absent", "drafts/none"}


def test_the_fixtures_stay_small() -> None:
    assert sum((FHIR_FIXTURES / name).stat().st_size for name in ALL_FILES) < LARGEST_TOTAL


@pytest.mark.parametrize("name", JSON_FILES)
def test_a_file_is_indented_and_ends_with_a_line(name: str) -> None:
    text = (FHIR_FIXTURES / name).read_text(encoding="utf-8")
    assert text.startswith('{\n "')
    assert text.endswith("\n}\n")


def test_the_composer_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "tests.compose_fixtures", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- children ---------------------------------------------------------------------------------------------------


def infusion_day_of(child: dict[str, Any]) -> date:
    """The day the child was infused, of one that was not the day it is planned for."""
    return date.fromisoformat(str(child["given"].get("infused", PLANNED)))


def newest_weight_kg(observations: dict[str, Any], before: date = FIXTURE_DAY) -> Decimal:
    """The newest weight before a day, in kg and rounded half-up to 0.1 kg; written apart from the service."""
    weights = [
        (item["effectiveDateTime"], item["valueQuantity"])
        for item in resources_in(observations)
        if any(coding.get("code") == "29463-7" for coding in item["code"].get("coding", []))
        and item["effectiveDateTime"] < before.isoformat()
    ]
    _, quantity = max(weights, key=lambda item: item[0])
    return (Decimal(quantity["value"]) * KG[quantity["code"]]).quantize(Decimal("0.1"), ROUND_HALF_UP)


@pytest.mark.parametrize("child", [param for param in CHILD if "table" in param.values[0]])
def test_a_childs_row_of_the_label_is_that_of_its_weight(child: dict[str, Any]) -> None:
    weight = newest_weight_kg(patient_files(child)["observations.json"])
    volume = next(row[2] for row in TABLE_1 if Decimal(row[0]) <= weight <= Decimal(row[1]))
    ndc = next(row[5] for row in TABLE_3 if Decimal(row[0]) <= weight <= Decimal(row[1]))
    assert child["table"] == {"volume": volume, "ndc": ndc}


@pytest.mark.parametrize("child", [param for param in CHILD if "steroid" in param.values[0]])
def test_a_childs_prednisolone_is_that_of_its_weight_and_of_thirty_days(child: dict[str, Any]) -> None:
    files = patient_files(child)
    infusion = infusion_day_of(child)
    order = next(r for r in resources_in(files["medication_requests.json"]) if "boundsPeriod" in str(r))
    instruction = order["dosageInstruction"][0]
    bounds = instruction["timing"]["repeat"]["boundsPeriod"]
    days = [date.fromisoformat(bounds[name]) for name in ("start", "end")]
    assert days[0] == infusion - timedelta(days=1)
    assert days[1] - days[0] == timedelta(days=COURSE_DAYS - 1)
    weighed = [o for o in resources_in(files["observations.json"]) if "valueQuantity" in o and "29463-7" in str(o)]
    if child["slug"] not in WITHOUT_WEIGHT:
        assert weighed
        mg = Decimal(instruction["doseAndRate"][0]["doseQuantity"]["value"])
        weight = newest_weight_kg(files["observations.json"], min(infusion, FIXTURE_DAY))
        assert abs(mg / weight - 1) <= Decimal("0.02")


@pytest.mark.parametrize("child", CHILD)
def test_nothing_happens_before_a_child_is_born_or_on_the_fixed_day(child: dict[str, Any]) -> None:
    files = patient_files(child)
    born = date.fromisoformat(files["patient.json"]["birthDate"])
    allowed = timedelta(days=1) if child["slug"] in DATED_LATER else timedelta(days=-1)
    for name, document in files.items():
        for resource in resources_in(document):
            planned = resource["resourceType"] in ("MedicationRequest", "ServiceRequest", "Appointment")
            for day in days_in(resource):
                assert born <= day, (name, day)
                assert planned or day <= FIXTURE_DAY + allowed, (name, day)


def test_no_two_resources_share_an_id() -> None:
    names = [
        f"{resource['resourceType']}/{resource['id']}"
        for child in children().values()
        for document in patient_files(child).values()
        for resource in resources_in(document)
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("child", CHILD)
def test_every_resource_of_a_child_is_about_that_child(child: dict[str, Any]) -> None:
    files = patient_files(child)
    own = f"Patient/{files['patient.json']['id']}"
    for name, document in files.items():
        for resource in resources_in(document):
            if resource["resourceType"] not in ("Patient", "Medication"):
                [booked] = resource.get("participant") or [{}]
                subject = resource.get("subject") or resource.get("patient") or booked["actor"]
                assert subject["reference"].endswith(own), name


# --- nobody real ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", JSON_FILES)
def test_every_patient_is_plainly_synthetic(name: str) -> None:
    document = stored(name)
    for resource in resources_in(document.get("prefetch", document)):
        if resource["resourceType"] == "Patient":
            assert resource["id"].startswith("synthetic-")
            assert {item["family"] for item in resource["name"]} == {"Synthetic"}
            assert resource["meta"]["tag"][0]["code"] == "HTEST"
            assert not PERSONAL & set(resource)
            assert all(
                item.get("value", "SYNTHETIC").startswith("SYNTHETIC") for item in resource.get("identifier", [])
            )


@pytest.mark.parametrize("name", JSON_FILES)
def test_people_and_places_are_synthetic_and_hosts_are_examples(name: str) -> None:
    for key, text in texts_in(stored(name)):
        for match in re.findall(r"\b(?:Practitioner|PractitionerRole|Organization|Encounter|Coverage)/([\w.-]+)", text):
            assert match.startswith("synthetic-"), text
        for address in re.findall(r"https?://[^\s\"')\]>]+", text):
            host = urlsplit(address).hostname or ""
            is_label = name.startswith("hook_responses/") and (host == "dailymed.nlm.nih.gov" or host == "127.0.0.1")
            is_system = key in ("system", "url") and host in SYSTEM_HOSTS
            assert is_system or is_label or OUR_HOSTS.fullmatch(host), text


# --- true on any day --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hook", "scenario"), CALL)
def test_every_full_date_moves_with_the_day_and_nothing_else(hook: str, scenario: dict[str, Any]) -> None:
    text = (FHIR_FIXTURES / request_path(hook, scenario)).read_text(encoding="utf-8")
    by = timedelta(days=100)
    moved = moved_to(FIXTURE_DAY + by, text)
    assert list(days_in(read_json_object(moved.encode()))) == [
        day + by for day in days_in(read_json_object(text.encode()))
    ]
    assert moved_to(FIXTURE_DAY - by, moved) == text
    assert re.sub(r"\d{4}-\d{2}-\d{2}", "", moved) == re.sub(r"\d{4}-\d{2}-\d{2}", "", text)


@pytest.mark.parametrize(("hook", "scenario"), CALL)
def test_an_order_is_planned_after_it_is_written(hook: str, scenario: dict[str, Any]) -> None:
    request = stored(request_path(hook, scenario))
    for order in resources_in(request["context"].get("draftOrders")):
        for item in order.get("dosageInstruction", []):
            for day in days_in(item):
                assert order.get("authoredOn", WRITTEN) < day.isoformat(), day


def test_every_scenario_says_what_it_proves_and_expects() -> None:
    for name, scenario in scenarios().items():
        assert scenario["proves"], name
        assert set(scenario["expect"]) <= set(ORDINARY), name
        assert set(scenario.get("full", [])) <= set(scenario["expect"]), name


# H39 to H41, H47 to H50 and H56 are no matter of one request; tests of their own hold them.
HAZARDS_OF_REQUESTS = {*range(1, 39), *range(42, 47), *range(51, 56)}


def test_every_hazard_of_a_request_is_proven_by_one() -> None:
    said = " ".join(scenario["proves"] for scenario in scenarios().values())
    named = {int(number) for number in re.findall(r"\bH(\d+)\b", said)}
    assert HAZARDS_OF_REQUESTS - named == set()
