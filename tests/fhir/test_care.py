"""Consultations, looks at the heart, teaching, the stay: they quieten a card, so they count only where they are sure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from builders import SYSTEMS

from cds_service.domain.care import CardiacEvaluation, Consultation, Specialty, Teaching
from cds_service.domain.days import ClinicalTime
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.care import read_cardiac_evaluation, read_consultations, read_stay, read_teaching

Resource = dict[str, Any]
Ask = Callable[..., list[Consultation]]
LooksAtHeart = Callable[..., CardiacEvaluation | None]
Teach = Callable[[Resource], Teaching | None]


@pytest.fixture
def ask(recognition: Recognition, clock: SiteClock) -> Ask:
    return lambda resource, is_draft=False: read_consultations(resource, recognition, clock, is_draft=is_draft)


@pytest.fixture
def look(recognition: Recognition, clock: SiteClock) -> LooksAtHeart:
    return lambda resource, is_draft=False: read_cardiac_evaluation(resource, recognition, clock, is_draft=is_draft)


@pytest.fixture
def teach(recognition: Recognition, clock: SiteClock) -> Teach:
    return lambda resource: read_teaching(resource, recognition, clock)


def request(words: str = "Consult hepatology", **members: Any) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": "r1",
        "status": "active",
        "intent": "order",
        "code": {"text": words},
        "authoredOn": "2026-02-27T10:00:00Z",
        **members,
    }


def encounter(words: str = "Hepatology clinic visit", **members: Any) -> Resource:
    period = {"start": "2026-02-26T08:00:00Z"}
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "type": [{"text": words}],
        "period": period,
        **members,
    }


def appointment(words: str = "Hepatology", **members: Any) -> Resource:
    start = "2026-03-09T08:00:00Z"
    return {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "booked",
        "serviceType": [{"text": words}],
        "start": start,
        **members,
    }


def specialties(found: list[Consultation]) -> set[Specialty]:
    return {item.specialty for item in found}


# --- consultations


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("Consult hepatology", {Specialty.LIVER}),
        ("Referral to pediatric gastroenterology", {Specialty.LIVER}),
        ("Consultation, paediatric gastroenterology or hepatology, urgent", {Specialty.LIVER}),
        ("GI consult", {Specialty.LIVER}),
        ("Consult to GI", {Specialty.LIVER}),
        ("Consultation, paediatric haematology, immediately", {Specialty.BLOOD}),
        ("Hematologist", {Specialty.BLOOD}),
        ("Nephrology referral", {Specialty.KIDNEY}),
        ("Renal consult", {Specialty.KIDNEY}),
        ("Consultation, paediatric cardiology", {Specialty.HEART}),
        ("Consult hematology and nephrology", {Specialty.BLOOD, Specialty.KIDNEY}),
        ("Hepatology consult for elevated liver tests after infusion", {Specialty.LIVER}),
        ("Consult neurology", set()),
        ("Consult infectious disease", set()),
        ("Upper GI series", set()),
    ],
)
def test_a_request_names_whom_it_asks(ask: Ask, words: str, asked: set[Specialty]) -> None:
    assert specialties(ask(request(words))) == asked


@pytest.mark.parametrize(
    "resource",
    [
        request("Hematology panel"),
        request("Hematology lab"),
        request("Blood smear, hematology"),
        request("Cardiology test"),
        request("Hepatology", code={"coding": [{"system": SYSTEMS["LOINC"], "code": "24325-3"}], "text": "Hepatology"}),
        request("No hepatology consult needed"),
        encounter("Hematology infusion visit"),
        encounter("Gastroenterology ward"),
        appointment("Hematology lab draw"),
    ],
)
def test_a_test_a_place_or_a_denial_is_no_consultation(ask: Ask, resource: Resource) -> None:
    assert ask(resource) == []


@pytest.mark.parametrize("status", ["active", "completed", "Active "])
def test_a_request_in_force_or_done_counts(ask: Ask, status: str) -> None:
    assert len(ask(request(status=status))) == 1


@pytest.mark.parametrize(
    "members",
    [
        {"status": "draft"},
        {"status": "revoked"},
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"status": "on-hold"},
        {"status": "unknown"},
        {"status": None},
        {"intent": "plan"},
        {"intent": "proposal"},
        {"doNotPerform": True},
        {"doNotPerform": "yes"},
    ],
)
def test_a_request_that_asks_nobody_does_not(ask: Ask, members: Resource) -> None:
    assert ask(request(**members)) == []


def test_a_draft_counts_while_it_is_in_hand(ask: Ask) -> None:
    assert len(ask(request(status="draft"), True)) == 1
    assert ask(request(status="revoked"), True) == []


def test_the_performer_may_say_who_is_asked(ask: Ask) -> None:
    assert specialties(ask(request("Consultation", performerType={"text": "Nephrologist"}))) == {Specialty.KIDNEY}


@pytest.mark.parametrize("status", ["planned", "arrived", "in-progress", "finished"])
def test_a_visit_that_takes_place_counts(ask: Ask, status: str) -> None:
    assert specialties(ask(encounter(status=status))) == {Specialty.LIVER}


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "unknown", None])
def test_a_visit_that_does_not_take_place_does_not(ask: Ask, status: Any) -> None:
    assert ask(encounter(status=status)) == []


@pytest.mark.parametrize("status", ["booked", "arrived", "fulfilled", "pending"])
def test_an_appointment_that_is_made_counts(ask: Ask, status: str) -> None:
    assert specialties(ask(appointment(status=status))) == {Specialty.LIVER}


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error", "proposed", "waitlist"])
def test_an_appointment_that_is_not_made_does_not(ask: Ask, status: str) -> None:
    assert ask(appointment(status=status)) == []


@pytest.mark.parametrize(
    ("resource", "day"),
    [
        (request(), date(2026, 2, 27)),
        (request(occurrenceDateTime="2026-03-05"), date(2026, 2, 27)),
        (request(authoredOn=None, occurrenceDateTime="2026-03-05"), date(2026, 3, 5)),
        (request(authoredOn=None), None),
        (encounter(), date(2026, 2, 26)),
        (encounter(period=None), None),
        (appointment(), date(2026, 3, 9)),
    ],
)
def test_its_day_is_that_of_asking_or_of_the_visit(ask: Ask, resource: Resource, day: date | None) -> None:
    (found,) = ask(resource)
    assert found.when.day == day
    assert found.evidence.reference.startswith(resource["resourceType"])


# --- the heart


@pytest.mark.parametrize("kind", ["ServiceRequest", "Procedure", "DiagnosticReport"])
@pytest.mark.parametrize("words", ["ECG 12-lead", "EKG", "Echocardiogram", "Echo, transthoracic", "Cardiology"])
def test_a_look_at_the_heart_is_known_by_its_name(look: LooksAtHeart, kind: str, words: str) -> None:
    status = {"ServiceRequest": "active", "Procedure": "completed", "DiagnosticReport": "final"}[kind]
    assert look(request(words, resourceType=kind, status=status)) is not None


@pytest.mark.parametrize("words", ["Echovirus PCR", "Chest radiograph", "Troponin I", "No ECG needed", ""])
def test_something_else_is_none(look: LooksAtHeart, words: str) -> None:
    assert look(request(words)) is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("ServiceRequest", "revoked"),
        ("ServiceRequest", "draft"),
        ("Procedure", "not-done"),
        ("Procedure", "preparation"),
        ("Procedure", "entered-in-error"),
        ("DiagnosticReport", "cancelled"),
        ("DiagnosticReport", "registered"),
        ("DiagnosticReport", "entered-in-error"),
        ("Observation", "final"),
    ],
)
def test_one_that_is_not_done_is_none(look: LooksAtHeart, kind: str, status: str) -> None:
    assert look(request("ECG", resourceType=kind, status=status)) is None


@pytest.mark.parametrize(
    ("resource", "day"),
    [
        (request("ECG"), date(2026, 2, 27)),
        (request("ECG", occurrenceDateTime="2026-03-05"), date(2026, 3, 5)),
        (
            request("ECG", resourceType="Procedure", status="completed", performedDateTime="2026-02-20"),
            date(2026, 2, 20),
        ),
        (
            request("ECG", resourceType="Procedure", status="completed", performedPeriod={"start": "2026-02-21"}),
            date(2026, 2, 21),
        ),
        (
            request("ECG", resourceType="DiagnosticReport", status="final", effectiveDateTime="2026-02-22"),
            date(2026, 2, 22),
        ),
        (request("ECG", resourceType="Procedure", status="completed"), None),
    ],
)
def test_its_day_is_when_it_is_wanted_or_was_done(look: LooksAtHeart, resource: Resource, day: date | None) -> None:
    found = look(resource)
    assert found is not None
    assert found.when.day == day


# --- teaching


def lesson(words: str = "Caregiver education", **members: Any) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": "p1",
        "status": "completed",
        "code": {"text": words},
        "performedDateTime": "2026-03-01",
        **members,
    }


@pytest.mark.parametrize("words", ["Caregiver education", "Discharge teaching", "Parents taught", "Counselling"])
def test_teaching_is_known_by_its_name(teach: Teach, words: str) -> None:
    found = teach(lesson(words))
    assert found is not None
    assert (found.when.day, found.evidence.name) == (date(2026, 3, 1), words)


@pytest.mark.parametrize("element", ["category", "topic"])
def test_a_message_to_the_family_counts_by_what_it_is_about(teach: Teach, element: str) -> None:
    message = {"resourceType": "Communication", "id": "c1", "status": "completed", "sent": "2026-03-01T10:00:00Z"}
    found = teach({**message, element: {"text": "Patient education"}})
    assert found is not None
    assert found.when.day == date(2026, 3, 1)
    assert teach({**message, "payload": [{"contentString": "education"}]}) is None


@pytest.mark.parametrize("words", ["Breastfeeding education", "Car seat teaching", "Education not done", "Gastrostomy"])
def test_teaching_about_something_else_or_not_done_is_none(teach: Teach, words: str) -> None:
    assert teach(lesson(words)) is None


@pytest.mark.parametrize("status", ["not-done", "in-progress", "preparation", "entered-in-error", "stopped", None])
def test_only_completed_teaching_counts(teach: Teach, status: Any) -> None:
    assert teach(lesson(status=status)) is None


# --- the stay


@pytest.mark.parametrize("encounter_id", ["e1", " e1 ", "Encounter/e1"])
def test_the_stay_is_the_encounter_that_the_call_names(clock: SiteClock, encounter_id: str) -> None:
    found = read_stay([encounter(id="e0"), encounter()], encounter_id, clock)
    assert found is not None
    assert (found.began.day, found.evidence.reference) == (date(2026, 2, 26), "Encounter/e1")


@pytest.mark.parametrize("encounter_id", ["", " ", "e2", "Patient/e1"])
def test_another_encounter_is_not_the_stay(clock: SiteClock, encounter_id: str) -> None:
    assert read_stay([encounter()], encounter_id, clock) is None


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_stay_that_did_not_take_place_is_none(clock: SiteClock, status: str) -> None:
    assert read_stay([encounter(status=status)], "e1", clock) is None


def test_a_stay_without_a_beginning_has_no_first_day(clock: SiteClock) -> None:
    found = read_stay([encounter(period=None)], "e1", clock)
    assert found is not None
    assert found.began == ClinicalTime("")
