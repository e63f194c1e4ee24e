"""Appointments and the reasons of visits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from builders import PRODUCTS, SYSTEMS

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import Diagnosis
from cds_service.domain.handling import Slot, VisitKind
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.visit import read_slot, read_visit_reasons

Resource = dict[str, Any]
Read = Callable[..., Slot | None]
CVX = "http://hl7.org/fhir/sid/cvx"


@pytest.fixture
def read(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda resource, proposed=False: read_slot(resource, recognition, clock, is_proposed=proposed)


@pytest.fixture
def reasons(recognition: Recognition, clock: SiteClock) -> Callable[[Resource], list[Diagnosis]]:
    return lambda resource: read_visit_reasons(resource, recognition, clock)


def appointment(**members: Any) -> Resource:
    start = "2026-03-03T14:00:00Z"
    return {"resourceType": "Appointment", "id": "a1", "status": "booked", "start": start, **members}


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"description": "ZOLGENSMA infusion"}, VisitKind.INFUSION),
        ({"reasonCode": [PRODUCTS["zolgensma"]]}, VisitKind.INFUSION),
        ({"serviceType": [{"text": "Gene therapy infusion"}]}, VisitKind.INFUSION),
        ({"appointmentType": {"coding": [{"code": "7", "display": "Onasemnogene"}]}}, VisitKind.INFUSION),
        ({"serviceType": {"coding": [{"system": CVX, "code": "3"}]}}, VisitKind.VACCINATION),
        ({"reasonCode": [{"text": "MMR"}]}, VisitKind.VACCINATION),
        ({"description": "Vaccination, 12 months"}, VisitKind.VACCINATION),
        ({"description": "Zolgensma infusion; vaccination counselling"}, VisitKind.INFUSION),
        ({"description": "Beyfortus immunization"}, VisitKind.OTHER),
        ({"description": "Antibiotic infusion"}, VisitKind.OTHER),
        ({"description": "Well child visit"}, VisitKind.OTHER),
        ({"description": 5, "serviceType": "vaccination"}, VisitKind.OTHER),
        ({}, VisitKind.OTHER),
    ],
)
def test_what_an_appointment_is_for(read: Read, members: Resource, kind: VisitKind) -> None:
    found = read(appointment(**members))
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"description": "ZOLGENSMA follow-up"}, VisitKind.FOLLOW_UP),
        ({"description": "Labs for gene therapy"}, VisitKind.FOLLOW_UP),
        ({"description": "Post-Zolgensma monitoring"}, VisitKind.FOLLOW_UP),
        (
            {"serviceType": [{"text": "Neurology Follow Up"}], "reasonCode": [PRODUCTS["zolgensma"]]},
            VisitKind.FOLLOW_UP,
        ),
        ({"description": "Neurology", "comment": "3 months after Zolgensma"}, VisitKind.FOLLOW_UP),
        ({"serviceType": [{"text": "Gene therapy consult"}]}, VisitKind.OTHER),
        ({"appointmentType": {"coding": [{"code": "7", "display": "Onasemnogene teaching"}]}}, VisitKind.OTHER),
    ],
)
def test_a_visit_before_or_after_the_infusion_is_not_the_infusion(
    read: Read, members: Resource, kind: VisitKind
) -> None:
    found = read(appointment(**members))
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(
    "words",
    [
        "Lab",
        "Laboratory visit",
        "Blood draw",
        "Blood work",
        "Phlebotomy",
        "Follow-up visit",
        "Neuromuscular clinic",
        "Hepatology",
        "Monitoring",
    ],
)
def test_a_visit_with_blood_tests_or_a_clinic_of_the_follow_up_is_a_follow_up(read: Read, words: str) -> None:
    found = read(appointment(serviceType=[{"text": words}]))
    assert found is not None
    assert found.kind is VisitKind.FOLLOW_UP


@pytest.mark.parametrize("words", ["Well child visit, no labs", "Labour ward tour", "Dental"])
def test_another_visit_is_none(read: Read, words: str) -> None:
    found = read(appointment(description=words))
    assert found is not None
    assert found.kind is VisitKind.OTHER


def test_a_vaccination_at_a_follow_up_is_a_vaccination(read: Read) -> None:
    found = read(appointment(description="Zolgensma follow-up, MMR vaccine"))
    assert found is not None
    assert found.kind is VisitKind.VACCINATION


@pytest.mark.parametrize(
    "members",
    [
        {"description": "Zolgensma infusion, afternoon"},
        {"description": "Zolgensma infusion", "comment": "Labs at 8, follow-up is booked"},
        {"reasonCode": [PRODUCTS["zolgensma"]], "comment": "Lab results are in"},
        {"description": "Infusion room 2", "comment": "Zolgensma"},
    ],
)
def test_the_infusion_stays_the_infusion_whatever_a_comment_adds(read: Read, members: Resource) -> None:
    found = read(appointment(**members))
    assert found is not None
    assert found.kind is VisitKind.INFUSION


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error", "Cancelled "])
def test_an_appointment_that_does_not_take_place_is_none(read: Read, status: str) -> None:
    assert read(appointment(status=status, description="Zolgensma infusion")) is None


@pytest.mark.parametrize("status", ["proposed", "pending", "booked", "arrived", "fulfilled", None])
def test_every_other_appointment_counts(read: Read, status: Any) -> None:
    assert read(appointment(status=status)) is not None


def test_an_appointment_says_when_it_starts_and_whether_it_is_being_booked(read: Read) -> None:
    found = read(appointment(description="Zolgensma infusion"), True)
    assert found is not None
    assert (found.starts.day, found.is_proposed) == (date(2026, 3, 3), True)
    assert (found.evidence.reference, found.evidence.name) == ("Appointment/a1", "Zolgensma infusion")


def test_an_appointment_still_without_a_start_has_its_requested_one(read: Read) -> None:
    found = read(appointment(start=None, requestedPeriod=[{"start": "2026-03-04"}, {"start": "2026-03-09"}]))
    assert found is not None
    assert found.starts.day == date(2026, 3, 4)


def test_an_appointment_without_any_start_has_no_day(read: Read) -> None:
    found = read(appointment(start=None))
    assert found is not None
    assert found.starts == ClinicalTime("")


# --- reasons of visits


def encounter(*codes: str, **members: Any) -> Resource:
    reason = [{"coding": [{"system": SYSTEMS["ICD10CM"], "code": code}]} for code in codes]
    period = {"start": "2026-03-02T08:00:00Z"}
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "in-progress",
        "period": period,
        "reasonCode": reason,
        **members,
    }


@pytest.mark.parametrize(
    ("code", "concept"),
    [
        ("J06.9", "infection"),
        ("R50.9", "sign_of_infection"),
        ("R11.10", "vomiting"),
        ("R17", "jaundice"),
        ("R56.9", "seizure"),
        ("R23.3", "bruising"),
        ("R34", "oliguria"),
    ],
)
def test_a_visit_for_an_infection_or_vomiting_may_raise_an_alarm(
    reasons: Callable[[Resource], list[Diagnosis]], code: str, concept: str
) -> None:
    (found,) = reasons(encounter(code))
    assert (found.concept, found.standing, found.onset.day) == (concept, Standing.PROVISIONAL, date(2026, 3, 2))
    assert (found.evidence.reference, found.evidence.value, found.evidence.status) == (
        "Encounter/e1",
        code,
        "in-progress",
    )
    assert found.evidence.name, "what our list calls a code without a display"


@pytest.mark.parametrize("status", ["planned", "arrived", "triaged", "in-progress", "onleave", "Arrived "])
def test_the_reasons_of_open_visits_count(reasons: Callable[[Resource], list[Diagnosis]], status: str) -> None:
    assert len(reasons(encounter("J06.9", status=status))) == 1


@pytest.mark.parametrize("status", ["finished", "cancelled", "entered-in-error", "unknown", None])
def test_the_reasons_of_other_visits_do_not(reasons: Callable[[Resource], list[Diagnosis]], status: Any) -> None:
    assert reasons(encounter("J06.9", status=status)) == []


@pytest.mark.parametrize("reason", [[], None, "cough", [{"text": "infection"}], [None, 5]])
def test_other_reasons_say_nothing(reasons: Callable[[Resource], list[Diagnosis]], reason: Any) -> None:
    assert reasons(encounter(reasonCode=reason)) == []
    assert reasons(encounter("G12.0")) == []


def test_every_reason_counts_and_a_single_object_is_one(reasons: Callable[[Resource], list[Diagnosis]]) -> None:
    assert {found.concept for found in reasons(encounter("J06.9", "R11.10"))} == {"infection", "vomiting"}
    one = encounter("J06.9")["reasonCode"][0]
    assert len(reasons(encounter(reasonCode={**one, "text": "Cold"}, period=None))) == 1


@pytest.mark.parametrize(
    ("words", "concepts"),
    [
        ("Lethargic since this morning", {"decreased_alertness"}),
        ("Jaundice, not improving", {"jaundice"}),
        ("Petechiae and nosebleed", {"bruising"}),
        ("Seizure; fewer wet diapers", {"seizure", "oliguria"}),
        ("Deteriorating", {"deterioration"}),
        ("No jaundice, no bruising", set()),
        ("Check-up without seizures", set()),
        ("Family history of seizures", set()),
        ("Resolved jaundice", set()),
        ("Check-up", set()),
    ],
)
def test_a_reason_in_words_only_may_raise_an_alarm(
    reasons: Callable[[Resource], list[Diagnosis]], words: str, concepts: set[str]
) -> None:
    found = reasons(encounter(reasonCode=[{"text": words}]))
    assert {item.concept for item in found} == concepts
    assert all(item.standing is Standing.PROVISIONAL and item.evidence.name == words for item in found)


def test_the_words_beside_a_known_code_are_not_searched(reasons: Callable[[Resource], list[Diagnosis]]) -> None:
    coded = encounter("J06.9")["reasonCode"][0]
    found = reasons(encounter(reasonCode=[{**coded, "text": "Cold, lethargic"}]))
    assert [item.concept for item in found] == ["infection"]
