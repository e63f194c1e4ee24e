"""Every resource that the service writes, and every fixture that is not invalid on purpose, is valid FHIR R4.

Twice: by the models of fhir.resources, which know elements and types, and by the HAPI FHIR validator, which also knows
R4's invariants, value sets and UCUM. Neither knows LOINC, RxNorm, NDC, CVX, ICD-10-CM, HCPCS or SNOMED CT; the validator
warns that it cannot look a code up, but for SNOMED CT, of which it says nothing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import reference_validator
from compose_fixtures import invalid_on_purpose
from every_resource import Resources, name_of, written_by_others, written_by_the_service
from fhir.resources.R4B import get_fhir_model_class
from reference_validator import Issue, UntrustedJars, ValidatorUnavailable, pinned_checksums, trusted_jars, validate

from cds_service.fhir import Recognition
from cds_service.presentation import Catalogue

# What is collected and validated once for all of these tests is so in one process.
pytestmark = pytest.mark.xdist_group("every-resource")
Verdicts = Mapping[bytes, tuple[Issue, ...]]


@dataclass(frozen=True)
class KnownWarning:
    """A warning by what it says, and why it is harmless. `ours`: what the service writes may cause it too."""

    says: str
    why: str
    ours: bool = False


PUBLISHED = r"http://(loinc\.org|www\.nlm\.nih\.gov/research/umls/rxnorm)"
PUBLISHED_IN_RECORDS = (
    r"http://(hl7\.org/fhir/sid/(cvx|icd-10-cm|ndc)|www\.cms\.gov/Medicare/Coding/HCPCSReleaseCodeSets)"
)
KNOWN_WARNINGS = (
    KnownWarning(
        rf"CodeSystem is unknown and can't be validated: {PUBLISHED} for ",
        "the validator holds no LOINC and no RxNorm; ours stand in cards/outside/codes/ with their sources",
        ours=True,
    ),
    KnownWarning(
        rf"CodeSystem is unknown and can't be validated: {PUBLISHED_IN_RECORDS} for ",
        "the validator holds no CVX, ICD-10-CM, NDC and HCPCS; the fixtures' codes are those of cards/outside/codes/",
    ),
    KnownWarning(
        r"CodeSystem is unknown and can't be validated: (https://ehr\.example\.org/[A-Za-z0-9/-]+|urn:oid:[0-9.]+) for ",
        "a hospital's own code system, beside the published one, as EHRs send it",
    ),
    KnownWarning(
        r"Constraint failed: dom-6: ",
        "a narrative is good practice, not asked for; an order is read from its elements, and says what it is as text",
        ours=True,
    ),
    KnownWarning(
        r"Best Practice Recommendation: In general, all observations should have a performer",
        "who measured changes nothing here, and EHRs leave it out; we write no Observation",
    ),
    KnownWarning(
        r"UCUM Codes that contain human readable annotations like \{(INR|kit|Capsule)\} can be misleading",
        "{INR} is what laboratories write, {kit} and {Capsule} count; all are compared as written, never converted",
    ),
    KnownWarning(
        r"A Reference without an actual reference or identifier should have a display",
        "an order whose prescriber is masked, as a large EHR sends it",
    ),
    KnownWarning(
        r"No code provided, and a code should be provided from the value set "
        r"'(IdentifierType|Observation Interpretation Codes)'",
        "a type or a flag as text only, as a large EHR sends it",
    ),
    KnownWarning(
        r"The markdown contains content that appears to be an embedded HTML tag",
        "the hostile note is there to stay text",
    ),
    KnownWarning(
        r"SearchSet Bundles should have a self link",
        "a prefetched list is not asked what it was searched by",
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def ours(catalogue: Catalogue, recognition: Recognition) -> Resources:
    """What the service writes."""
    return written_by_the_service(catalogue, recognition)


@pytest.fixture(scope="module")
def theirs() -> tuple[Resources, Resources]:
    """What others write: valid, and invalid on purpose."""
    return written_by_others()


@pytest.fixture(scope="module")
def valid(theirs: tuple[Resources, Resources]) -> Resources:
    return theirs[0]


@pytest.fixture(scope="module")
def invalid(theirs: tuple[Resources, Resources]) -> Resources:
    return theirs[1]


@pytest.fixture(scope="module")
def spoiled(ours: Resources) -> Resources:
    """Orders of ours with faults that the models let pass."""
    orders = [json.loads(text) for text in ours]
    steroid = next(order for order in orders if order["resourceType"] == "MedicationRequest")
    test = next(order for order in orders if order["resourceType"] == "ServiceRequest")
    dose = steroid["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    with_unit = json.dumps(steroid).replace(json.dumps(dose), json.dumps({**dose, "code": "mgs"}))
    return {
        json.dumps({**test, "status": "drafted"}).encode(): "a status that R4 does not have",
        json.dumps({**test, "priority": "at once"}).encode(): "a priority that R4 does not have",
        with_unit.encode(): "a unit that UCUM does not have",
    }


@pytest.fixture(scope="module")
def verdicts(ours: Resources, valid: Resources, invalid: Resources, spoiled: Resources) -> Verdicts:
    """What the HAPI FHIR validator says of everything, started once; skipped where it cannot be, but never in CI."""
    everything = [*ours, *valid, *invalid, *spoiled]
    try:
        return dict(zip(everything, validate(everything), strict=True))
    except ValidatorUnavailable as unavailable:
        problem = str(unavailable)
    if os.environ.get("CI"):
        pytest.fail(problem, pytrace=False)
    pytest.skip(problem)


def said(resources: Resources, verdicts: Verdicts, severity: str) -> list[str]:
    """What the validator says with this severity, each with where the resource stands and what it is."""
    return [
        f"{where}: {name_of(json.loads(text))}: {issue.path}: {issue.message}"
        for text, where in resources.items()
        for issue in verdicts[text]
        if issue.severity == severity
    ]


def messages(resources: Iterable[bytes], verdicts: Verdicts) -> set[str]:
    """Every warning about these resources."""
    return {issue.message for text in resources for issue in verdicts[text] if issue.severity == "warning"}


# --- by the models


def faults_of(text: bytes) -> str:
    """What the models say against a resource, "" for nothing."""
    try:
        get_fhir_model_class(json.loads(text)["resourceType"]).model_validate_json(text)
    except ValueError as fault:
        return str(fault)
    return ""


@pytest.mark.hazard("H41")
def test_the_models_accept_everything_that_the_service_writes(ours: Resources) -> None:
    assert {where: fault for text, where in ours.items() if (fault := faults_of(text))} == {}


def test_the_models_accept_every_fixture_that_is_not_invalid_on_purpose(valid: Resources) -> None:
    assert {where: fault for text, where in valid.items() if (fault := faults_of(text))} == {}


def test_every_kind_of_order_is_looked_at(ours: Resources, catalogue: Catalogue) -> None:
    orders = [json.loads(text) for text in ours]
    tests = {order["code"]["text"] for order in orders if order["resourceType"] == "ServiceRequest"}
    assert tests == {order.text for order in catalogue.orders.values()}
    drugs = [order for order in orders if order["resourceType"] == "MedicationRequest"]
    kinds = {
        (drug["medicationCodeableConcept"]["text"].split()[0], len(drug["dosageInstruction"]) > 1) for drug in drugs
    }
    assert kinds == {("Prednisolone", False), ("Prednisolone", True), ("Methylprednisolone", False)}


def test_everything_called_invalid_on_purpose_is_there(invalid: Resources) -> None:
    assert {name_of(json.loads(text)) for text in invalid} == set(invalid_on_purpose())


# --- by the HAPI FHIR validator


@pytest.mark.hazard("H41")
def test_the_validator_finds_no_error_in_what_the_service_writes(ours: Resources, verdicts: Verdicts) -> None:
    assert said(ours, verdicts, "error") == []


def test_the_validator_finds_no_error_in_a_fixture_that_is_not_invalid_on_purpose(
    valid: Resources, verdicts: Verdicts
) -> None:
    assert said(valid, verdicts, "error") == [], "a fault of the builders; or name it under `invalid` in shapes.yaml"


def test_the_validator_refuses_what_is_invalid_on_purpose(invalid: Resources, verdicts: Verdicts) -> None:
    accepted = [where for text, where in invalid.items() if not said({text: where}, verdicts, "error")]
    assert accepted == []


def test_the_validator_sees_faults_that_the_models_let_pass(spoiled: Resources, verdicts: Verdicts) -> None:
    assert {fault: faults_of(text) for text, fault in spoiled.items()} == dict.fromkeys(spoiled.values(), "")
    assert [fault for text, fault in spoiled.items() if not said({text: fault}, verdicts, "error")] == []


def test_what_the_service_writes_causes_only_the_warnings_we_know_of_it(ours: Resources, verdicts: Verdicts) -> None:
    known = [warning.says for warning in KNOWN_WARNINGS if warning.ours]
    assert [line for line in messages(ours, verdicts) if not any(re.match(says, line) for says in known)] == []


def test_the_fixtures_cause_only_the_warnings_we_know(valid: Resources, verdicts: Verdicts) -> None:
    known = [warning.says for warning in KNOWN_WARNINGS]
    assert [line for line in messages(valid, verdicts) if not any(re.match(says, line) for says in known)] == []


def test_every_warning_we_know_still_occurs(ours: Resources, valid: Resources, verdicts: Verdicts) -> None:
    of_ours, of_theirs = messages(ours, verdicts), messages(valid, verdicts)
    gone = [
        warning.says
        for warning in KNOWN_WARNINGS
        if not any(re.match(warning.says, line) for line in (of_ours if warning.ours else of_theirs))
    ]
    assert gone == []


# --- where the validator comes from


def test_without_a_jdk_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValidatorUnavailable, match=r"^no JDK found; install .* default-jdk-headless$"):
        trusted_jars()


def test_without_maven_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_a_jdk(monkeypatch, tmp_path)
    with pytest.raises(ValidatorUnavailable, match=r"^no Maven found .* install maven$"):
        trusted_jars()


def test_a_jar_that_is_not_the_pinned_one_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_a_jdk(monkeypatch, tmp_path)
    for name in pinned_checksums():
        (tmp_path / name).write_bytes(b"another")
    with pytest.raises(UntrustedJars, match=r"\.jar is not the jar of jars\.sha256; delete build/hapi and try again$"):
        trusted_jars()


def only_a_jdk(monkeypatch: pytest.MonkeyPatch, jars: Path) -> None:
    """A machine with a JDK and without Maven, whose jars stand in this folder."""
    monkeypatch.setattr(reference_validator.shutil, "which", lambda name: name if name == "javac" else None)
    monkeypatch.setattr(reference_validator, "JARS", jars)


def test_the_pinned_jars_are_those_of_the_pinned_version() -> None:
    pinned = re.search(r"<hapi\.version>([0-9.]+)</hapi\.version>", reference_validator.COORDINATES.read_text("utf-8"))
    assert pinned
    asked_for = ("validation", "structures-r4", "validation-resources-r4", "caching-caffeine")
    assert {f"hapi-fhir-{part}-{pinned[1]}.jar" for part in asked_for} <= set(pinned_checksums())
