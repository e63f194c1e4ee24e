"""The kit's way: delivered, handed over, drawn up (label 16.2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from builders import PRODUCTS

from cds_service.domain.handling import KitEvent, KitStep
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.kit_event import read_kit_event

Resource = dict[str, Any]
Read = Callable[[Resource], list[KitEvent]]
MORNING = "2026-02-25T10:00:00Z"


@pytest.fixture
def read(recognition: Recognition, clock: SiteClock) -> Read:
    return lambda resource: read_kit_event(resource, recognition, clock)


def steps(found: list[KitEvent]) -> list[tuple[KitStep, date | None]]:
    return [(event.step, event.happened.day) for event in found]


RECEIVED = [(KitStep.RECEIVED, date(2026, 2, 25))]
DRAWN = [(KitStep.DRAWN, date(2026, 2, 25))]


def delivery(**members: Any) -> Resource:
    return {
        "resourceType": "SupplyDelivery",
        "id": "d1",
        "status": "completed",
        "suppliedItem": {"itemCodeableConcept": PRODUCTS["zolgensma"]},
        "occurrenceDateTime": MORNING,
        **members,
    }


def dispense(**members: Any) -> Resource:
    return {
        "resourceType": "MedicationDispense",
        "id": "p1",
        "status": "completed",
        "medicationCodeableConcept": PRODUCTS["zolgensma"],
        "whenHandedOver": MORNING,
        **members,
    }


def task(*outputs: Any, **members: Any) -> Resource:
    return {"resourceType": "Task", "id": "t1", "status": "completed", "output": list(outputs), **members}


def output(name: str, **value: Any) -> Resource:
    return {"type": {"text": name}, **(value or {"valueDateTime": MORNING})}


@pytest.mark.parametrize(
    ("made", "status", "expected"),
    [
        (delivery, "completed", RECEIVED),
        (delivery, "Completed ", RECEIVED),
        (delivery, "in-progress", []),
        (delivery, "abandoned", []),
        (delivery, "entered-in-error", []),
        (dispense, "completed", RECEIVED),
        (dispense, "Completed ", RECEIVED),
        (dispense, "in-progress", RECEIVED),
        (dispense, "preparation", []),
        (dispense, "cancelled", []),
        (dispense, "declined", []),
        (dispense, "entered-in-error", []),
    ],
)
def test_the_status_says_whether_the_kit_came(read: Read, made: Any, status: Any, expected: Any) -> None:
    assert steps(read(made(status=status))) == expected


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (delivery, "cancelled"),
        (delivery, None),
        (delivery, 5),
        (dispense, "abandoned"),
        (dispense, None),
        (dispense, "?"),
    ],
)
def test_a_receipt_whose_status_says_nothing_may_be_the_one_that_counts(read: Read, made: Any, status: Any) -> None:
    with pytest.raises(ValueError, match="status"):
        read(made(status=status))


@pytest.mark.parametrize(
    "resource",
    [
        delivery(suppliedItem={"itemCodeableConcept": {"text": "Blanket"}}),
        delivery(suppliedItem="Zolgensma"),
        delivery(suppliedItem=None),
        dispense(medicationCodeableConcept={"text": "prednisolone"}),
        dispense(medicationCodeableConcept=PRODUCTS["itvisma"]),
        {"resourceType": "SupplyRequest", "status": "completed"},
        {},
    ],
)
def test_another_thing_is_no_event(read: Read, resource: Resource) -> None:
    assert read(resource) == []


def test_a_delivery_over_some_time_ends_with_the_receipt(read: Read) -> None:
    period = {"start": "2026-02-23T08:00:00Z", "end": MORNING}
    assert steps(read(delivery(occurrenceDateTime=None, occurrencePeriod=period))) == RECEIVED
    assert read(delivery(occurrenceDateTime=None, occurrencePeriod={"start": MORNING})) == []


def test_a_step_without_a_day_is_none(read: Read) -> None:
    assert read(delivery(occurrenceDateTime=None)) == []
    assert read(dispense(whenHandedOver=None)) == []
    assert read(task(output("Kit received", valueDateTime=None))) == []


@pytest.mark.parametrize("written", ["2026-02", "yesterday", 5])
@pytest.mark.parametrize(
    "made",
    [
        lambda written: delivery(occurrenceDateTime=written),
        lambda written: dispense(whenHandedOver=written),
        lambda written: task(output("Kit received", valueDateTime=written)),
    ],
    ids=["delivery", "dispense", "task"],
)
def test_a_step_on_a_day_that_cannot_be_told_is_said(read: Read, made: Any, written: Any) -> None:
    with pytest.raises(ValueError, match="day"):
        read(made(written))


def test_a_supplied_item_in_a_list_is_read(read: Read) -> None:
    assert steps(read(delivery(suppliedItem=[{"itemCodeableConcept": PRODUCTS["zolgensma"]}]))) == RECEIVED


def test_the_contained_medication_of_a_dispense_is_read(read: Read) -> None:
    inside = [{"resourceType": "Medication", "id": "m", "code": PRODUCTS["zolgensma"]}]
    resource = dispense(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=inside)
    assert steps(read(resource)) == RECEIVED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Kit received", RECEIVED),
        ("Receipt: kit received at the pharmacy", RECEIVED),
        ("Syringe drawn", DRAWN),
        ("Dose drawn up", DRAWN),
        ("Kit not received", []),
        ("Kit received, dose drawn up", []),
        ("Temperature checked", []),
        ("", []),
    ],
)
def test_the_name_of_a_tasks_output_says_what_was_done(read: Read, name: str, expected: Any) -> None:
    assert steps(read(task(output(name)))) == expected


def test_the_display_of_an_outputs_code_is_read(read: Read) -> None:
    coded = {"type": {"coding": [{"code": "17", "display": "Syringe drawn"}]}, "valueInstant": MORNING}
    assert steps(read(task(coded))) == DRAWN


def test_a_task_may_record_both_steps(read: Read) -> None:
    found = read(task(output("Kit received"), output("Syringe drawn", valueDateTime="2026-03-02T08:30:00Z"), None))
    assert steps(found) == [*RECEIVED, (KitStep.DRAWN, date(2026, 3, 2))]


@pytest.mark.parametrize("status", ["rejected", "failed", "cancelled", "entered-in-error"])
def test_a_task_that_came_to_nothing_records_nothing(read: Read, status: str) -> None:
    assert read(task(output("Kit received"), status=status)) == []


def test_a_step_cites_its_resource(read: Read) -> None:
    evidence = read(delivery())[0].evidence
    assert (evidence.reference, evidence.name, evidence.value) == ("SupplyDelivery/d1", "Zolgensma", MORNING)
    assert (evidence.day, evidence.status) == ("2026-02-25", "completed")


def test_a_delivery_in_progress_is_still_on_its_way(read: Read) -> None:
    assert read(delivery(status="in-progress")) == []


def test_a_dispense_in_progress_that_was_handed_over_has_come(read: Read) -> None:
    assert steps(read(dispense(status="in-progress"))) == RECEIVED
