"""Medicines that lower the blood pressure: a start of one may raise an alarm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from cds_service.domain.evidence import Standing
from cds_service.domain.medicines import StartedMedicine
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.antihypertensive import read_antihypertensive

Resource = dict[str, Any]
Read = Callable[[Resource], StartedMedicine | None]


@pytest.fixture
def read(clock: SiteClock, recognition: Recognition) -> Read:
    return lambda resource: read_antihypertensive(resource, {}, recognition, clock)


def an_order(name: str = "Amlodipine 1 mg/mL oral suspension", **members: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": "a1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "authoredOn": "2026-02-27T10:00:00Z",
        **members,
    }


@pytest.mark.parametrize(
    "name", ["amlodipine", "Captopril", "ENALAPRIL", "Isradipine cap", "Nicardipine drip", "Katerzia"]
)
def test_one_is_known_by_its_name(read: Read, name: str) -> None:
    found = read(an_order(name))
    assert found is not None
    assert (found.standing, found.starts) == (Standing.ACCEPTED, date(2026, 2, 27))
    assert (found.evidence.reference, found.evidence.name) == ("MedicationRequest/a1", name)


@pytest.mark.parametrize("name", ["Amoxicillin", "Furosemide", "Propranolol", "Prednisolone", ""])
def test_another_medicine_is_none(read: Read, name: str) -> None:
    assert read(an_order(name)) is None


@pytest.mark.parametrize(
    ("members", "standing"),
    [
        ({"status": "active"}, Standing.ACCEPTED),
        ({"status": "completed"}, Standing.ACCEPTED),
        ({"status": "stopped"}, Standing.ACCEPTED),
        ({"status": "on-hold"}, Standing.PROVISIONAL),
        ({"status": "unknown"}, Standing.PROVISIONAL),
        ({"status": None}, Standing.PROVISIONAL),
        ({"intent": "plan"}, Standing.PROVISIONAL),
    ],
)
def test_an_orders_status_decides_what_it_may_do(read: Read, members: Resource, standing: Standing) -> None:
    found = read(an_order(**members))
    assert found is not None
    assert found.standing is standing


@pytest.mark.parametrize(
    "members",
    [
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"status": "draft"},
        {"doNotPerform": True},
        {"intent": "option"},
        {"dosageInstruction": [{"route": {"text": "topical"}}]},
    ],
)
def test_what_was_never_started_or_acts_locally_is_none(read: Read, members: Resource) -> None:
    assert read(an_order(**members)) is None


def test_an_order_starts_on_the_day_it_names(read: Read) -> None:
    timing = {"repeat": {"boundsPeriod": {"start": "2026-03-01"}}}
    found = read(an_order(dosageInstruction=[{"timing": timing}]))
    assert found is not None
    assert found.starts == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("status", "standing"),
    [("completed", Standing.ACCEPTED), ("in-progress", Standing.ACCEPTED), ("unknown", Standing.PROVISIONAL)],
)
def test_a_dose_that_was_given_starts_on_its_day(read: Read, status: str, standing: Standing) -> None:
    given = an_order(resourceType="MedicationAdministration", status=status, effectiveDateTime="2026-02-28")
    found = read(given)
    assert found is not None
    assert (found.starts, found.standing) == (date(2026, 2, 28), standing)


def test_a_dose_that_was_not_given_is_none(read: Read) -> None:
    assert read(an_order(resourceType="MedicationAdministration", status="not-done")) is None


def test_one_without_any_day_has_no_start(read: Read) -> None:
    found = read(an_order(authoredOn=None))
    assert found is not None
    assert (found.starts, found.evidence.day) == (None, "")
