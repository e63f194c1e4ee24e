"""Courses of anti-infective medicines: they may raise an alarm, and clear none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from builders import SYSTEMS

from cds_service.domain.evidence import Standing
from cds_service.domain.medicines import AntiInfective
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.anti_infective import read_anti_infective

Resource = dict[str, Any]
Read = Callable[[Resource], AntiInfective | None]
TODAY = date(2026, 3, 2)


@pytest.fixture
def read(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda resource: read_anti_infective(resource, {}, recognition, clock)


def an_order(name: str = "amoxicillin", route: Any = None, **members: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": "x1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "authoredOn": "2026-02-27",
        "dosageInstruction": [{"route": route} if route else {}],
        **members,
    }


def coded(code: str) -> Resource:
    return {"medicationCodeableConcept": {"coding": [{"system": SYSTEMS["RXNORM"], "code": code}]}}


def bounded(*ends: str | None) -> list[Resource]:
    return [{"timing": {"repeat": {"boundsPeriod": {"start": "2026-02-20", "end": end}}}} for end in ends]


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"medicationCodeableConcept": {"text": "Amoxicillin 400 mg/5 mL oral suspension"}},
        {"medicationCodeableConcept": {"coding": [{"code": "1", "display": "ceftriaxone injection"}]}},
        {"medicationCodeableConcept": None, "medicationReference": {"display": "ACYCLOVIR IV"}},
        coded("723"),
    ],
)
def test_an_anti_infective_is_known_by_code_or_name(read: Read, members: Resource) -> None:
    found = read(an_order(**members))
    assert found is not None
    assert (found.is_active, found.is_prophylaxis, found.standing) == (True, False, Standing.ACCEPTED)
    assert found.evidence.name
    assert (found.evidence.reference, found.evidence.day, found.evidence.status) == (
        "MedicationRequest/x1",
        "2026-02-27",
        "active",
    )


@pytest.mark.parametrize(
    "members",
    [
        {"medicationCodeableConcept": {"text": "acetaminophen"}},
        {"medicationCodeableConcept": {"text": "amoxicillinase"}},
        {"medicationCodeableConcept": None},
        coded("161"),
    ],
)
def test_another_medicine_is_none(read: Read, members: Resource) -> None:
    assert read(an_order(**members)) is None


@pytest.mark.parametrize(
    ("name", "route", "counts"),
    [
        ("gentamicin", {"text": "Intravenous"}, True),
        ("vancomycin", {"text": "Oral"}, True),
        ("gentamicin", {"text": "Ophthalmic"}, False),
        ("tobramycin", {"text": "Inhalation"}, False),
        ("clindamycin", {"text": "Topical"}, False),
        ("ciprofloxacin", {"text": "Otic"}, False),
        ("erythromycin ophthalmic ointment", None, False),
        ("erythromycin", None, True),
        ("amoxicillin for the ear", {"text": "Oral"}, True),
    ],
)
def test_one_for_eye_ear_skin_or_airways_is_none(read: Read, name: str, route: Any, counts: bool) -> None:
    assert (read(an_order(name, route)) is not None) is counts


def test_one_instruction_for_the_whole_body_is_enough(read: Read) -> None:
    routes = [{"route": {"text": "Ophthalmic"}}, {"route": {"text": "Oral"}}]
    assert read(an_order(dosageInstruction=routes)) is not None


@pytest.mark.parametrize(
    ("members", "is_active", "standing"),
    [
        ({"status": "active"}, True, Standing.ACCEPTED),
        ({"status": "completed"}, False, Standing.ACCEPTED),
        ({"status": "stopped"}, False, Standing.ACCEPTED),
        ({"status": "on-hold"}, True, Standing.PROVISIONAL),
        ({"status": "unknown"}, True, Standing.PROVISIONAL),
        ({"status": None}, True, Standing.PROVISIONAL),
        ({"intent": "plan"}, True, Standing.PROVISIONAL),
        ({"intent": "proposal"}, True, Standing.PROVISIONAL),
    ],
)
def test_the_status_says_whether_it_runs(read: Read, members: Resource, is_active: bool, standing: Standing) -> None:
    found = read(an_order(**members))
    assert found is not None
    assert (found.is_active, found.standing) == (is_active, standing)


@pytest.mark.parametrize(
    "members",
    [
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"status": "draft"},
        {"doNotPerform": True},
        {"intent": "option"},
    ],
)
def test_what_was_never_ordered_is_none(read: Read, members: Resource) -> None:
    assert read(an_order(**members)) is None


@pytest.mark.parametrize(
    ("members", "is_prophylaxis"),
    [
        ({"reasonCode": [{"text": "UTI prophylaxis"}]}, True),
        ({"reasonReference": [{"display": "Prophylactic antibiotics"}]}, True),
        ({"dosageInstruction": [{"text": "Give daily for prophylaxis."}]}, True),
        ({"dosageInstruction": [{"patientInstruction": "ppx"}]}, True),
        ({"dosageInstruction": [{"additionalInstruction": [{"text": "Prophylaxis"}]}]}, True),
        ({"note": [{"text": "PCP prophylaxis"}]}, False),
        ({"reasonCode": [{"text": "Sepsis, not prophylaxis"}]}, False),
        ({"reasonCode": [{"text": "prophylaxis"}], "dosageInstruction": [{"text": "not for prophylaxis"}]}, False),
        ({"reasonCode": [{"text": "prophylaxis"}], "dosageInstruction": [{"text": "no sun"}]}, True),
        ({"medicationCodeableConcept": {"text": "penicillin prophylaxis"}}, True),
        ({"reasonCode": [{"text": "Otitis media"}]}, False),
        ({"reasonCode": "prophylaxis"}, False),
    ],
)
def test_one_that_prevents_says_so(read: Read, members: Resource, is_prophylaxis: bool) -> None:
    found = read(an_order(**members))
    assert found is not None
    assert found.is_prophylaxis is is_prophylaxis


@pytest.mark.parametrize(
    ("members", "ends"),
    [
        pytest.param({}, None, id="open"),
        pytest.param({"dosageInstruction": []}, None, id="no instructions"),
        pytest.param({"dosageInstruction": bounded("2026-03-10")}, date(2026, 3, 10), id="a period"),
        pytest.param({"dosageInstruction": bounded("2026-03-01", "2026-03-05")}, date(2026, 3, 5), id="two: the later"),
        pytest.param({"dosageInstruction": bounded("2026-03-01", None)}, None, id="two: one open"),
        pytest.param(
            {"dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 10, "unit": "d"}}}}]},
            date(2026, 3, 8),
            id="a length, from its writing",
        ),
        pytest.param({"status": "completed", "dosageInstruction": bounded("2026-02-28")}, date(2026, 2, 28), id="over"),
        pytest.param(
            {"status": "stopped", "dosageInstruction": bounded("2026-03-10")}, TODAY, id="over before its end"
        ),
        pytest.param({"status": "stopped"}, date(2026, 2, 27), id="over, nobody knows when: not before it began"),
        pytest.param(
            {"status": "completed", "meta": {"lastUpdated": "2026-03-01T10:00:00Z"}},
            date(2026, 3, 1),
            id="over, nobody knows when: perhaps when the entry was changed",
        ),
        pytest.param(
            {"status": "completed", "meta": {"lastUpdated": "2026-02-01T10:00:00Z"}},
            date(2026, 2, 27),
            id="over, and changed before it began",
        ),
        pytest.param(
            {"status": "completed", "meta": {"lastUpdated": "2026-05-01T10:00:00Z"}}, TODAY, id="changed in the future"
        ),
        pytest.param({"status": "completed", "authoredOn": None}, None, id="over, and nothing is dated"),
    ],
)
def test_when_it_ends(read: Read, members: Resource, ends: date | None) -> None:
    found = read(an_order(**members))
    assert found is not None
    assert found.ends == ends


@pytest.mark.parametrize(
    ("members", "starts"),
    [
        ({}, date(2026, 2, 27)),
        ({"authoredOn": None}, None),
        ({"dosageInstruction": bounded("2026-03-10")}, date(2026, 2, 20)),
    ],
)
def test_when_it_starts(read: Read, members: Resource, starts: date | None) -> None:
    found = read(an_order(**members))
    assert found is not None
    assert found.starts == starts
