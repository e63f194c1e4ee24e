"""Ordered tests that are on their way, and orders that say nothing by mouth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from builders import SYSTEMS

from cds_service.domain.results import RequestedTest
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.requested_test import is_nil_by_mouth, read_requested_test

Resource = dict[str, Any]
Read = Callable[..., RequestedTest | None]
CBC = {"coding": [{"system": SYSTEMS["LOINC"], "code": "58410-2"}], "text": "CBC"}


@pytest.fixture
def read(clock: SiteClock, recognition: Recognition) -> Read:
    return lambda resource, is_draft=False: read_requested_test(resource, recognition, clock, is_draft=is_draft)


def request(**members: Any) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": "r1",
        "status": "active",
        "intent": "order",
        "code": CBC,
        "authoredOn": "2026-03-01T10:00:00Z",
        **members,
    }


def test_a_request_is_read_with_what_it_measures_and_when_it_was_written(read: Read) -> None:
    found = read(request())
    assert found is not None
    assert (found.concepts, found.is_active, found.ordered.day) == (frozenset({"panel_cbc"}), True, date(2026, 3, 1))
    assert (found.evidence.reference, found.evidence.name, found.evidence.day, found.evidence.status) == (
        "ServiceRequest/r1",
        "CBC",
        "2026-03-01",
        "active",
    )


@pytest.mark.parametrize(
    ("code", "concepts"),
    [
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": "1742-6"}]}, {"alt"}),
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": c} for c in ("6301-6", "34528-0")]}, {"inr", "panel_pt"}),
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": "10839-9"}]}, {"troponin_i"}),
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": "89577-1"}]}, {"panel_troponin_i"}),
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": "2532-0"}]}, {"ldh"}),
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": "4542-7"}]}, {"haptoglobin"}),
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": "24357-6"}]}, {"panel_urinalysis"}),
        ({"coding": [{"system": SYSTEMS["LOINC"], "code": "85354-9"}]}, {"blood_pressure_panel"}),
        ({"text": "Anti-AAV9 antibody"}, {"anti_aav9"}),
        ({"coding": [{"system": SYSTEMS["LOCAL"], "code": "1181"}]}, {"anti_aav9"}),
    ],
)
def test_a_request_is_known_by_its_codes_and_the_antibody_test_by_its_name_too(
    read: Read, code: Resource, concepts: set[str]
) -> None:
    found = read(request(code=code))
    assert found is not None
    assert found.concepts == concepts


@pytest.mark.parametrize(
    "change",
    [
        {"status": "entered-in-error "},
        {"code": {"text": "CBC"}},
        {"code": {"text": "Adenovirus antibody"}},
        {"code": None},
        {"resourceType": "DeviceRequest"},
    ],
)
def test_an_unknown_or_withdrawn_request_is_none(read: Read, change: Resource) -> None:
    assert read(request(**change)) is None


@pytest.mark.parametrize(
    ("change", "is_active"),
    [
        ({}, True),
        ({"intent": "original-order"}, True),
        ({"intent": "instance-order"}, True),
        ({"intent": "filler-order"}, True),
        ({"intent": "reflex-order"}, True),
        ({"doNotPerform": False}, True),
        ({"status": " Active"}, True),
        ({"intent": "plan"}, False),
        ({"intent": "proposal"}, False),
        ({"intent": "option"}, False),
        ({"intent": None}, False),
        ({"doNotPerform": True}, False),
        ({"doNotPerform": "true"}, False),
        ({"status": "draft"}, False),
        ({"status": "on-hold"}, False),
        ({"status": "revoked"}, False),
        ({"status": "completed"}, False),
        ({"status": "unknown"}, False),
        ({"status": None}, False),
    ],
)
def test_a_request_is_on_its_way_only_while_it_is_an_order_in_force(
    read: Read, change: Resource, is_active: bool
) -> None:
    found = read(request(**change))
    assert found is not None
    assert found.is_active is is_active


@pytest.mark.parametrize(("status", "is_active"), [("draft", True), ("active", True), ("completed", False)])
def test_a_draft_beside_the_order_in_hand_is_on_its_way(read: Read, status: str, is_active: bool) -> None:
    found = read(request(status=status), True)
    assert found is not None
    assert found.is_active is is_active


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ({"occurrenceDateTime": "2026-03-03"}, date(2026, 3, 3)),
        ({"occurrencePeriod": {"start": "2026-03-04T10:00:00Z", "end": "2026-03-05"}}, date(2026, 3, 4)),
        ({"occurrenceTiming": {"event": ["2026-03-08", "2026-03-06T10:00:00Z"]}}, date(2026, 3, 6)),
        ({"occurrenceTiming": {"repeat": {"frequency": 1}}}, None),
        ({"occurrencePeriod": {"end": "2026-03-05"}}, None),
        ({}, None),
    ],
)
def test_the_wanted_day_is_the_first_one_stated(read: Read, when: Resource, day: date | None) -> None:
    found = read(request(**when))
    assert found is not None
    assert found.wanted.day == day


def test_a_request_without_a_date_of_writing_has_none(read: Read) -> None:
    found = read(request(authoredOn=None))
    assert found is not None
    assert (found.ordered.day, found.evidence.day) == (None, "")


# --- nothing by mouth


def diet(**members: Any) -> Resource:
    return {"resourceType": "NutritionOrder", "id": "n1", "status": "active", "intent": "order", **members}


@pytest.mark.parametrize(
    "resource",
    [
        request(code={"text": "NPO"}),
        request(code={"text": "NPO after midnight"}),
        request(code={"coding": [{"display": "Nil by mouth"}]}),
        request(code={"text": "Diet"}, category=[{"text": "Nothing by mouth"}]),
        request(code={"text": "Diet"}, orderDetail=[{"text": "N.P.O."}]),
        request(code={"text": "NPO"}, intent=None),
        diet(oralDiet={"type": [{"text": "NPO"}]}),
        diet(oralDiet={"instruction": "Nothing by mouth until seen"}),
    ],
)
def test_an_order_in_force_may_say_nothing_by_mouth(recognition: Recognition, resource: Resource) -> None:
    assert is_nil_by_mouth(resource, recognition) is True


@pytest.mark.parametrize(
    "resource",
    [
        request(),
        request(code={"text": "Diet, infant formula"}),
        request(code={"text": "UNPOWERED mobility"}),
        request(code={"text": "NPO"}, status="completed"),
        request(code={"text": "NPO"}, status="draft"),
        request(code={"text": "NPO"}, intent="plan"),
        request(code={"text": "NPO"}, doNotPerform=True),
        {**request(code={"text": "NPO"}), "resourceType": "Task"},
        diet(oralDiet={"type": [{"text": "Breast milk"}]}),
        diet(),
    ],
)
def test_any_other_order_does_not_say_so(recognition: Recognition, resource: Resource) -> None:
    assert is_nil_by_mouth(resource, recognition) is False
