"""Conditions and procedures become the few diagnoses that rules look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders import SYSTEMS

from cds_service.domain.evidence import Standing
from cds_service.domain.facts import Control, Diagnosis
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.condition import read_adverse_event, read_diagnoses, read_procedures

Resource = dict[str, Any]
Read = Callable[[Resource], list[Diagnosis]]
ICD, SNOMED = SYSTEMS["ICD10CM"], SYSTEMS["SNOMED"]
SMA = "spinal_muscular_atrophy"


@pytest.fixture
def read(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda resource: read_diagnoses(resource, recognition, clock)


@pytest.fixture
def read_act(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda resource: read_procedures(resource, recognition, clock)


def status(code: Any) -> Resource:
    return {"coding": [{"code": code}]}


def condition(code: str = "G12.0", system: str = ICD, **members: Any) -> Resource:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "code": {"coding": [{"system": system, "code": code}]},
        "clinicalStatus": status("active"),
        "verificationStatus": status("confirmed"),
        "onsetDateTime": "2026-01-15",
        **members,
    }


def concepts(found: list[Diagnosis]) -> list[str]:
    return [item.concept for item in found]


@pytest.mark.parametrize("code", ["G12.0", "G120", "G12.1", "G12.9"])
@pytest.mark.parametrize(
    "system", [ICD, "urn:oid:2.16.840.1.113883.6.90", "http://terminology.hl7.org/CodeSystem/icd10CM"]
)
def test_the_disease_is_recognised_with_and_without_the_dot_under_every_address(
    read: Read, code: str, system: str
) -> None:
    assert concepts(read(condition(code, system))) == [SMA]


@pytest.mark.parametrize(
    "code",
    [
        {"text": "Spinal muscular atrophy"},
        {},
        None,
        {"coding": [{"code": "G12.0"}]},
        {"coding": [{"system": SNOMED, "code": "G12.0"}]},
        {"coding": [{"system": ICD, "code": "G12"}]},
    ],
)
def test_neither_words_nor_half_a_code_are_the_disease(read: Read, code: Any) -> None:
    assert read(condition() | {"code": code}) == []


@pytest.mark.parametrize(
    ("clinical", "verification", "standing"),
    [
        ("active", "confirmed", Standing.ACCEPTED),
        ("Active ", "Confirmed", Standing.ACCEPTED),
        ("recurrence", "confirmed", Standing.ACCEPTED),
        ("relapse", "confirmed", Standing.ACCEPTED),
        ("active", "unconfirmed", Standing.PROVISIONAL),
        ("active", "provisional", Standing.PROVISIONAL),
        ("active", "differential", Standing.PROVISIONAL),
        ("active", None, Standing.PROVISIONAL),
        (None, "confirmed", Standing.PROVISIONAL),
        (None, None, Standing.PROVISIONAL),
    ],
)
def test_only_a_current_and_confirmed_entry_is_accepted(
    read: Read, clinical: Any, verification: Any, standing: Standing
) -> None:
    found = read(condition(clinicalStatus=status(clinical), verificationStatus=status(verification)))
    assert [item.standing for item in found] == [standing]


@pytest.mark.parametrize("verification", ["refuted", "entered-in-error", "Entered-in-Error "])
def test_a_refuted_entry_is_not_there(read: Read, verification: str) -> None:
    assert read(condition(verificationStatus=status(verification))) == []


@pytest.mark.parametrize("clinical", ["inactive", "remission", "resolved"])
def test_a_past_entry_says_nothing_except_about_prematurity(read: Read, clinical: str) -> None:
    assert read(condition(clinicalStatus=status(clinical))) == []
    premature = read(condition("P07.37", clinicalStatus=status(clinical)))
    assert [(item.concept, item.standing) for item in premature] == [("premature_birth", Standing.NO_INFORMATION)]


@pytest.mark.parametrize(
    ("members", "is_over"),
    [
        ({"abatementDateTime": "2026-03-01"}, True),
        ({"abatementDateTime": "2026-02"}, True),
        ({"abatementPeriod": {"start": "2026-01-01", "end": "2026-02-01"}}, True),
        ({"abatementPeriod": {"start": "2026-02-01"}}, True),
        ({"abatementAge": {"value": 3, "unit": "wk"}}, True),
        ({"abatementDateTime": None}, False),
        ({"abatementDateTime": ""}, False),
        ({"abatementDateTime": "soon"}, False),
        ({"abatementDateTime": "2026-03-03"}, False),
        ({"abatementDateTime": "2026-03"}, False),
        ({"abatementDateTime": "2026"}, False),
        ({"abatementPeriod": {"start": "2026-02-01", "end": "2026-04-01"}}, False),
        ({"abatementPeriod": {}}, False),
        ({"abatementString": "not yet"}, False),
        ({"abatementBoolean": False}, False),
        ({}, False),
    ],
)
def test_without_a_status_an_entry_is_over_only_by_an_end_that_has_come(
    read: Read, members: Resource, is_over: bool
) -> None:
    found = read(condition("J18.9", clinicalStatus=None, **members))
    assert [item.standing for item in found] == ([] if is_over else [Standing.PROVISIONAL])


def test_an_end_beside_a_status_that_says_current_ends_nothing(read: Read) -> None:
    assert concepts(read(condition("J18.9", abatementDateTime="2026-02-01"))) == ["infection"]


def test_completed_weeks_are_those_of_the_code(read: Read) -> None:
    assert [item.completed_weeks for item in read(condition("P07.37"))] == [34]


def test_a_code_that_excludes_the_disease_outweighs_one_that_says_it(read: Read, recognition: Recognition) -> None:
    other = recognition.codes.concepts["not_spinal_muscular_atrophy"][0]
    both = {
        "coding": [
            {"system": ICD, "code": "G12.0"},
            {"system": recognition.codes.addresses[other.system][0], "code": other.code},
        ]
    }
    assert read(condition() | {"code": both}) == []


def test_an_entry_is_cited_with_its_code_day_and_status(read: Read) -> None:
    evidence = read(condition())[0].evidence
    assert (evidence.reference, evidence.value, evidence.day, evidence.status) == (
        "Condition/c1",
        "G12.0",
        "2026-01-15",
        "active, confirmed",
    )
    assert evidence.name


def test_an_entry_is_called_what_the_record_calls_it(read: Read) -> None:
    resource = condition()
    resource["code"]["text"] = "SMA type 1"
    assert read(resource)[0].evidence.name == "SMA type 1"


def act(code: str = "232685002", **members: Any) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": "p1",
        "status": "completed",
        "code": {"coding": [{"system": SNOMED, "code": code}]},
        **members,
    }


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        ("completed", Standing.ACCEPTED),
        ("in-progress", Standing.ACCEPTED),
        ("Completed ", Standing.ACCEPTED),
        ("unknown", Standing.PROVISIONAL),
        ("stopped", Standing.PROVISIONAL),
    ],
)
def test_a_procedures_status_decides_what_it_may_do(read_act: Read, state: str, standing: Standing) -> None:
    assert [(item.concept, item.standing) for item in read_act(act(status=state))] == [
        ("tracheostomy_procedure", standing)
    ]


@pytest.mark.parametrize("state", ["preparation", "not-done", "on-hold", "entered-in-error", "", None])
def test_a_procedure_that_was_not_done_is_not_there(read_act: Read, state: Any) -> None:
    assert read_act(act(status=state)) == []


def test_another_procedure_is_of_no_interest(read_act: Read) -> None:
    assert read_act(act("80146002")) == []


@pytest.mark.parametrize(
    "performed", [{"performedDateTime": "2026-02-01"}, {"performedPeriod": {"start": "2026-02-01"}}]
)
def test_a_procedures_day_is_that_of_its_time_or_of_its_start(read_act: Read, performed: Resource) -> None:
    assert read_act(act(**performed))[0].evidence.day == "2026-02-01"


# --- onset, control, and what a past entry says


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ({"onsetDateTime": "2026-02-20"}, "2026-02-20"),
        ({"onsetDateTime": None, "onsetPeriod": {"start": "2026-02-21"}}, "2026-02-21"),
        ({"onsetDateTime": None, "recordedDate": "2026-02-22"}, "2026-02-22"),
        ({"onsetDateTime": None}, None),
    ],
)
def test_the_onset_is_when_it_began_else_when_it_was_recorded(read: Read, members: Any, day: str | None) -> None:
    (found,) = read(condition(**members))
    assert (found.onset.day.isoformat() if found.onset.day else None) == day


@pytest.mark.parametrize(
    ("said", "control"),
    [
        ({"text": "Chronic hepatitis B"}, Control.NOT_STATED),
        ({"text": "Chronic hepatitis B, well controlled"}, Control.CONTROLLED),
        ({"text": "Chronic hepatitis B, uncontrolled"}, Control.UNCONTROLLED),
        ({"text": "Chronic hepatitis B, not controlled"}, Control.UNCONTROLLED),
        ({"text": "Controlled until last year, now uncontrolled"}, Control.UNCONTROLLED),
    ],
)
def test_control_is_what_the_entrys_own_words_say(read: Read, said: Resource, control: Control) -> None:
    code = {"coding": [{"system": ICD, "code": "B18.1"}], **said}
    assert {item.control for item in read(condition() | {"code": code})} == {control}


@pytest.mark.parametrize(
    ("code", "is_told"),
    [("K72.90", True), ("R11.10", True), ("J06.9", False), ("B18.1", False), ("P59.9", False)],
)
def test_a_past_entry_is_history_only_where_history_says_something(read: Read, code: str, is_told: bool) -> None:
    found = read(condition(code, clinicalStatus=status("resolved")))
    assert bool(found) is is_told
    assert {item.standing for item in found} <= {Standing.NO_INFORMATION}


@pytest.mark.parametrize(
    ("members", "is_told"),
    [
        ({}, True),
        ({"actuality": "actual"}, True),
        ({"actuality": "potential"}, False),
        ({"status": "entered-in-error"}, False),
    ],
)
def test_an_adverse_event_that_happened_can_alarm(
    recognition: Recognition, clock: SiteClock, members: Resource, is_told: bool
) -> None:
    event = {"resourceType": "AdverseEvent", "id": "e1", "event": {"coding": [{"system": ICD, "code": "T78.2XXA"}]}}
    found = read_adverse_event({**event, "date": "2026-03-01", **members}, recognition, clock)
    assert concepts(found) == (["anaphylaxis"] if is_told else [])
    assert {item.standing for item in found} <= {Standing.PROVISIONAL}


# --- what is watched after the infusion


@pytest.mark.parametrize(
    ("code", "concept"),
    [
        ("M31.19", "thrombotic_microangiopathy"),
        ("M31.1", "thrombotic_microangiopathy"),
        ("D59.39", "thrombotic_microangiopathy"),
        ("N17.9", "acute_kidney_injury"),
        ("R03.0", "hypertension"),
        ("R56.9", "seizure"),
        ("R34", "oliguria"),
        ("D69.6", "thrombocytopenia"),
        ("R23.3", "bruising"),
        ("R17", "jaundice"),
        ("P58.8", "jaundice"),
        ("P59.9", "neonatal_jaundice"),
        ("C22.2", "neoplasm"),
        ("D04.9", "neoplasm"),
        ("D38.1", "neoplasm"),
        ("D48.9", "neoplasm"),
        ("D49.9", "neoplasm"),
        ("D18.01", "benign_neoplasm"),
        ("D1801", "benign_neoplasm"),
        ("D22.9", "benign_neoplasm"),
        ("D36.9", "benign_neoplasm"),
        ("D3A.8", "benign_neoplasm"),
    ],
)
def test_a_finding_after_the_infusion_is_known_by_its_code(read: Read, code: str, concept: str) -> None:
    assert [(item.concept, item.standing) for item in read(condition(code))] == [(concept, Standing.ACCEPTED)]


@pytest.mark.parametrize("code", ["D50.9", "D3", "D", "C", "Cough", "c50", "C5000000"])
def test_what_is_no_whole_code_of_a_neoplasm_is_none(read: Read, code: str) -> None:
    assert read(condition(code)) == []


def test_a_neoplasm_is_cited_with_its_own_code_under_the_name_of_its_group(read: Read) -> None:
    evidence = read(condition("D18.01"))[0].evidence
    assert evidence.value == "D18.01"
    assert "emangioma" in evidence.name


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Hepatic encephalopathy", ["encephalopathy"]),
        ("Lethargy", ["decreased_alertness"]),
        ("Decreased alertness and petechiae", ["bruising", "decreased_alertness"]),
        ("Clinical deterioration", ["deterioration"]),
        ("JAUNDICED", ["jaundice"]),
        ("Convulsions", ["seizure"]),
        ("Oliguria", ["oliguria"]),
        ("Jaundice not improving", ["jaundice"]),
        ("Bruising but no bleeding", ["bruising"]),
        ("Fever, bleeding from the gums", ["bruising"]),
        ("No petechiae", []),
        ("Negative for bruising or bleeding", []),
        ("Non-icteric", []),
        ("Patient denies seizures", []),
        ("Mother reports that he is lethargic", ["decreased_alertness"]),
        ("Not tolerating feeds and lethargic", ["decreased_alertness"]),
        ("3 day history of lethargy", ["decreased_alertness"]),
        ("Resolved fever, now lethargic", ["decreased_alertness"]),
        ("At risk for bleeding", []),
        ("Family history of epilepsy", []),
        ("Monitor for seizures", []),
        ("Feeding well", []),
    ],
)
def test_a_sign_in_words_only_may_raise_an_alarm(read: Read, words: str, expected: list[str]) -> None:
    found = read(condition() | {"code": {"text": words}})
    assert sorted(concepts(found)) == expected
    assert {item.standing for item in found} <= {Standing.PROVISIONAL}
    assert {item.evidence.name for item in found} <= {words}


def test_a_sign_may_stand_in_the_display_of_a_code_that_nobody_knows(read: Read) -> None:
    code = {"coding": [{"system": SNOMED, "code": "1", "display": "Lethargy"}]}
    found = read(condition() | {"code": code})
    assert concepts(found) == ["decreased_alertness"]


def test_words_beside_a_known_code_are_not_searched(read: Read) -> None:
    code = {"coding": [{"system": ICD, "code": "J06.9"}], "text": "Cold, lethargic"}
    assert concepts(read(condition() | {"code": code})) == ["infection"]


@pytest.mark.parametrize("words", ["History of seizures", "Resolved jaundice", "H/o bruising, well now"])
def test_a_sign_that_words_call_over_is_told_as_past(read: Read, words: str) -> None:
    assert [item.standing for item in read(condition() | {"code": {"text": words}})] == [Standing.NO_INFORMATION]


@pytest.mark.parametrize(
    ("code", "is_told"),
    [
        ("R56.9", True), ("R23.3", True), ("R17", True), ("C22.2", True), ("D18.01", True), ("M31.19", True),
        ("N17.9", True), ("R34", True), ("I10", False), ("D69.6", False),
    ],
)  # fmt: skip
def test_a_past_finding_is_told_where_it_still_says_something(read: Read, code: str, is_told: bool) -> None:
    found = read(condition(code, clinicalStatus=status("resolved")))
    assert [item.standing for item in found] == [Standing.NO_INFORMATION] * is_told


def test_a_past_sign_in_words_is_told_as_past_or_not_at_all(read: Read) -> None:
    past = {"clinicalStatus": status("resolved")}
    assert [item.standing for item in read(condition(**past) | {"code": {"text": "Lethargy"}})] == [
        Standing.NO_INFORMATION
    ]
    assert read(condition(**past) | {"code": {"text": "Clinical deterioration"}}) == []


def test_a_refuted_sign_in_words_is_not_there(read: Read) -> None:
    assert read(condition(verificationStatus=status("refuted")) | {"code": {"text": "Seizure"}}) == []


def test_an_adverse_event_in_words_can_alarm(recognition: Recognition, clock: SiteClock) -> None:
    event = {"resourceType": "AdverseEvent", "id": "e1", "event": {"text": "Seizure"}, "date": "2026-03-01"}
    assert concepts(read_adverse_event(event, recognition, clock)) == ["seizure"]
