"""A MedicationRequest becomes an order: dose, kit, route, rate, timing, as odd as real systems write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import SYSTEMS, UCUM, hook_request

from cds_service.domain.facts import AmountKind, Instruction, ProductOrder, Route
from cds_service.domain.quantities import UnitTable
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.product_order import OrderReader

Resource = dict[str, Any]
Read = Callable[[Resource], ProductOrder]
ML = {"unit": "mL", "system": UCUM, "code": "mL"}


@pytest.fixture
def read(recognition: Recognition, clock: SiteClock, units: UnitTable) -> Read:
    reader = OrderReader(units, recognition, clock)
    return lambda resource: reader.read(resource, recognition.medicine_of(resource, {}))


@pytest.fixture
def instruct(read: Read) -> Callable[..., Instruction]:
    """The instruction that a dosageInstruction with these members amounts to."""

    def of(**members: Any) -> Instruction:
        return only(read(an_order(dosageInstruction=[members])))

    return of


def an_order(**members: Any) -> Resource:
    draft: Resource = hook_request({})["context"]["draftOrders"]["entry"][0]["resource"]
    return {**draft, **members}


def only(order: ProductOrder) -> Instruction:
    assert len(order.instructions) == 1
    return order.instructions[0]


def ml(value: Any) -> Resource:
    return {"value": value, **ML}


def amount(item: Instruction) -> tuple[AmountKind, Decimal | None] | None:
    return (item.amount.kind, item.amount.value) if item.amount else None


def typed(kind: str, quantity: Resource) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/dose-rate-type"
    return {"type": {"coding": [{"system": system, "code": kind}]}, "doseQuantity": quantity}


VOLUME = AmountKind.VOLUME_ML
UNCLEAR = (AmountKind.NOT_INTERPRETABLE, None)


def test_a_correct_draft_is_read(read: Read) -> None:
    order = read(an_order())
    item = only(order)
    assert (order.order_id, order.kit_codes) == ("draft-1", ("71894-121-03",))
    assert amount(item) == (VOLUME, Decimal("19.3"))
    assert (item.route, item.minutes, item.ml_per_hour) == (Route.INTRAVENOUS, Decimal(60), Decimal("19.3"))
    assert order.planned is not None
    assert order.planned.day == date(2026, 3, 3)


# --- 60: several entries for one dose


def test_of_calculated_administered_and_ordered_amounts_the_ordered_one_is_the_dose(
    instruct: Callable[..., Instruction],
) -> None:
    entries = [
        typed("calculated", ml(650)),
        typed("admin-amount", {"value": 2, "unit": "{tbl}"}),
        typed("ordered", ml(Decimal("19.3"))),
    ]
    assert amount(instruct(doseAndRate=entries)) == (VOLUME, Decimal("19.3"))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param([typed("calculated", ml(22))], (VOLUME, Decimal(22)), id="only calculated"),
        pytest.param([typed("admin-amount", ml(22))], None, id="only administered"),
        pytest.param(
            [typed("ordered", ml(22)), typed("calculated", ml(19))], (VOLUME, Decimal(22)), id="calculated differs"
        ),
        pytest.param([typed("ordered", ml(22)), typed("ordered", ml(22))], (VOLUME, Decimal(22)), id="ordered twice"),
        pytest.param(
            [typed("ordered", ml(22)), typed("ordered", ml(Decimal("22.0")))], (VOLUME, Decimal(22)), id="22 and 22.0"
        ),
        pytest.param([typed("ordered", ml(22)), typed("ordered", ml(19))], UNCLEAR, id="two orders that differ"),
        pytest.param(
            [typed("calculated", ml(22)), typed("calculated", ml(19))], UNCLEAR, id="two calculations that differ"
        ),
        pytest.param(
            [{"doseQuantity": ml(22)}, {"doseQuantity": ml(22)}], (VOLUME, Decimal(22)), id="no type, the same twice"
        ),
        pytest.param([{"doseQuantity": ml(22)}, {"doseQuantity": ml(19)}], UNCLEAR, id="no type, different"),
        pytest.param(
            [{"type": {"text": "Ordered "}, "doseQuantity": ml(22)}, typed("calculated", ml(19))],
            (VOLUME, Decimal(22)),
            id="type as text",
        ),
        pytest.param(
            [typed("ORDERED", ml(22)), {"doseQuantity": ml(19)}], (VOLUME, Decimal(22)), id="type in capitals"
        ),
        pytest.param(
            [{"type": {"text": "Admin Amount"}, "doseQuantity": ml(1)}, typed("calculated", ml(22))],
            (VOLUME, Decimal(22)),
            id="administered, in words",
        ),
        pytest.param([], None, id="an empty list"),
        pytest.param([{}], None, id="an empty entry"),
        pytest.param([None, "22 mL", 5], None, id="no objects"),
        pytest.param([{"doseQuantity": None}], None, id="null"),
    ],
)
def test_the_entry_to_judge(instruct: Callable[..., Instruction], entries: Any, expected: Any) -> None:
    assert amount(instruct(doseAndRate=entries)) == expected


def test_a_volume_beside_vector_genomes_is_the_dose(instruct: Callable[..., Instruction]) -> None:
    genomes = {"value": Decimal("3.86e14"), "unit": "vg"}
    item = instruct(doseAndRate=[typed("ordered", genomes), typed("calculated", ml(Decimal("19.3")))])
    assert amount(item) == (VOLUME, Decimal("19.3"))
    assert [found.kind for found in item.genome_amounts] == [AmountKind.VECTOR_GENOMES]


@pytest.mark.parametrize(
    ("quantity", "kind", "value"),
    [
        ({"value": 22, "unit": "mL"}, AmountKind.VOLUME_ML, "22"),
        ({"value": 22000, "unit": "uL"}, AmountKind.VOLUME_ML, "22"),
        ({"value": Decimal("0.022"), "unit": "L"}, AmountKind.VOLUME_ML, "22"),
        ({"value": Decimal("5.5"), "unit": "mL/kg"}, AmountKind.VOLUME_ML_PER_KG, "5.5"),
        ({"value": Decimal("3.86e14"), "unit": "vg"}, AmountKind.VECTOR_GENOMES, "386000000000000"),
        (
            {"value": Decimal("3.86"), "unit": "10*14.{vg}", "system": UCUM, "code": "10*14.{vg}"},
            AmountKind.VECTOR_GENOMES,
            "386000000000000",
        ),
        ({"value": Decimal("38.6"), "unit": "10*13 vg"}, AmountKind.VECTOR_GENOMES, "386000000000000"),
        ({"value": Decimal("1.1e14"), "unit": "vg/kg"}, AmountKind.VECTOR_GENOMES_PER_KG, "110000000000000"),
        ({"value": 1, "unit": "kit"}, AmountKind.KITS, "1"),
        ({"value": 1, "unit": "{dose}"}, AmountKind.KITS, "1"),
        ({"value": 3, "unit": "{vial}", "system": UCUM, "code": "{vial}"}, AmountKind.VIALS, "3"),
    ],
)
def test_what_an_amount_is_an_amount_of(
    instruct: Callable[..., Instruction], quantity: Resource, kind: AmountKind, value: str
) -> None:
    assert amount(instruct(doseAndRate=[{"doseQuantity": quantity}])) == (kind, Decimal(value))


@pytest.mark.parametrize(
    "quantity",
    [
        {"value": 2, "unit": "{Capsule}"}, {"value": 22}, {"value": "22 mL"}, {"unit": "mL"}, {"value": 22, "unit": "mg"}, ml(22) | {"comparator": "<"},
        {"value": "1e999999", **ML}, {"value": 22, "unit": "mL/h"}, {"value": 22, "unit": "tbl"},
    ],
)  # fmt: skip
def test_an_amount_in_anything_else_is_not_interpreted(
    instruct: Callable[..., Instruction], quantity: Resource
) -> None:
    assert amount(instruct(doseAndRate=[{"doseQuantity": quantity}])) == UNCLEAR


def test_a_range_is_no_dose(instruct: Callable[..., Instruction]) -> None:
    item = instruct(doseAndRate=[{"doseRange": {"low": ml(19), "high": ml(22)}}])
    assert amount(item) == UNCLEAR
    assert item.amount is not None
    assert item.amount.written == "19 mL - 22 mL"


# --- 61 to 63, 65 to 67: where the dose stands, and where it does not


def test_the_volume_is_the_dose_even_beside_a_rate(instruct: Callable[..., Instruction]) -> None:
    item = instruct(doseAndRate=[{"doseQuantity": ml(22), "rateQuantity": {"value": 22, "unit": "mL/h"}}])
    assert (amount(item), item.ml_per_hour) == ((VOLUME, Decimal(22)), Decimal(22))


def test_a_dose_in_the_place_of_an_older_release_is_read(instruct: Callable[..., Instruction]) -> None:
    item = instruct(doseQuantity=ml(22), rateQuantity={"value": 22, "unit": "mL/h"})
    assert (amount(item), item.ml_per_hour) == ((VOLUME, Decimal(22)), Decimal(22))


def test_two_places_that_differ_are_a_contradiction(instruct: Callable[..., Instruction]) -> None:
    assert amount(instruct(doseQuantity=ml(22), doseAndRate=[typed("ordered", ml(19))])) == UNCLEAR


def test_objects_in_place_of_lists_are_read(read: Read) -> None:
    item = only(
        read(an_order(dosageInstruction={"doseAndRate": {"doseQuantity": ml(22)}}, category={"text": "inpatient"}))
    )
    assert amount(item) == (VOLUME, Decimal(22))


def test_a_dose_in_words_is_kept_and_not_read(instruct: Callable[..., Instruction]) -> None:
    item = instruct(text="19.3 mL IV over 60 minutes")
    assert (item.amount, item.minutes, item.ml_per_hour) == (None, None, None)
    assert item.text == "19.3 mL IV over 60 minutes"


def test_an_order_needs_nothing_but_its_medication(read: Read) -> None:
    order = read({"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Zolgensma"}})
    assert (order.order_id, order.instructions, order.quantity, order.planned, order.same_as) == (
        "",
        (),
        None,
        None,
        frozenset(),
    )


@pytest.mark.parametrize("instructions", [None, [], "as directed", [None, "x"], 5])
def test_an_order_without_instructions_has_none(read: Read, instructions: Any) -> None:
    assert read(an_order(dosageInstruction=instructions)).instructions == ()


# --- rates


@pytest.mark.parametrize(
    ("rate", "ml_per_hour"),
    [
        ({"rateQuantity": {"value": Decimal("19.3"), "unit": "mL/h"}}, "19.3"),
        ({"rateQuantity": {"value": Decimal("19.3"), "unit": "mL/hr"}}, "19.3"),
        ({"rateQuantity": {"value": Decimal("0.5"), "unit": "mL/min"}}, "30"),
        ({"rateQuantity": {"value": Decimal("0.5"), "unit": "mL/min", "system": UCUM, "code": "mL/min"}}, "30"),
        ({"rateRatio": {"numerator": ml(Decimal("19.3")), "denominator": {"value": 1, "unit": "h"}}}, "19.3"),
        ({"rateRatio": {"numerator": ml(Decimal("19.3")), "denominator": {"value": 60, "unit": "min"}}}, "19.3"),
        ({"rateRatio": {"numerator": ml(Decimal("19.3")), "denominator": {"value": 3600, "unit": "s"}}}, "19.3"),
        ({"rateRatio": {"numerator": ml(Decimal("19.3")), "denominator": {"value": 2, "unit": "h"}}}, "9.65"),
    ],
)
def test_a_rate_is_read_in_ml_per_hour(instruct: Callable[..., Instruction], rate: Resource, ml_per_hour: str) -> None:
    item = instruct(doseAndRate=[{"doseQuantity": ml(22), **rate}])
    assert item.ml_per_hour == Decimal(ml_per_hour)
    assert item.rate_written


@pytest.mark.parametrize(
    "rate",
    [
        {"rateQuantity": {"value": 19}},
        {"rateQuantity": {"value": 19, "unit": "vg/h"}},
        {"rateQuantity": {"value": 19, "unit": "mL"}},
        {"rateQuantity": {"value": "fast", "unit": "mL/h"}},
        {"rateRatio": {"numerator": ml(19), "denominator": {"value": 0, "unit": "h"}}},
        {"rateRatio": {"numerator": ml(19), "denominator": {"value": -1, "unit": "h"}}},
        {"rateRatio": {"numerator": ml(19), "denominator": {"value": 1, "unit": "d"}}},
        {"rateRatio": {"numerator": ml(19), "denominator": None}},
        {"rateRatio": {"numerator": {"value": 19, "unit": "mg"}, "denominator": {"value": 1, "unit": "h"}}},
        {"rateRange": {"low": {"value": 10, "unit": "mL/h"}, "high": {"value": 20, "unit": "mL/h"}}},
    ],
)
def test_a_rate_in_anything_else_is_written_and_not_read(instruct: Callable[..., Instruction], rate: Resource) -> None:
    item = instruct(doseAndRate=[{"doseQuantity": ml(22), **rate}])
    assert item.ml_per_hour is None
    assert item.rate_written


def test_two_rates_that_differ_are_a_contradiction(instruct: Callable[..., Instruction]) -> None:
    slow, fast = ({"rateQuantity": {"value": value, "unit": "mL/h"}} for value in (10, 20))
    item = instruct(doseAndRate=[slow, fast])
    assert (item.ml_per_hour, item.rate_written) == (None, "10 mL/h, 20 mL/h")


def test_one_rate_written_in_two_ways_is_one(instruct: Callable[..., Instruction]) -> None:
    by_hour, by_minute = (
        {"rateQuantity": {"value": 30, "unit": "mL/h"}},
        {"rateQuantity": {"value": Decimal("0.5"), "unit": "mL/min"}},
    )
    assert instruct(doseAndRate=[by_hour, by_minute]).ml_per_hour == 30


def test_the_rate_of_an_administered_amount_is_none_of_the_orders(instruct: Callable[..., Instruction]) -> None:
    given = {**typed("admin-amount", ml(22)), "rateQuantity": {"value": 99, "unit": "mL/h"}}
    assert instruct(doseAndRate=[typed("ordered", ml(22)), given]).rate_written == ""


# --- infusion time


def timed(**repeat: Any) -> Resource:
    return {"timing": {"repeat": repeat}}


@pytest.mark.parametrize(
    ("duration", "unit", "minutes"),
    [
        (60, "min", 60),
        (Decimal("60.0"), "min", 60),
        (1, "h", 60),
        (3600, "s", 60),
        ("60", "min", 60),
        (30, "min", 30),
        (Decimal("0.5"), "h", 30),
        (90, "s", Decimal("1.5")),
    ],
)
def test_a_duration_in_seconds_minutes_or_hours_is_the_infusion_time(
    instruct: Callable[..., Instruction], duration: Any, unit: str, minutes: Any
) -> None:
    item = instruct(**timed(duration=duration, durationUnit=unit))
    assert item.minutes == Decimal(minutes)
    assert item.minutes_written


@pytest.mark.parametrize("unit", ["d", "wk", "mo", "a"])
def test_a_duration_in_days_or_longer_is_the_length_of_a_course(
    instruct: Callable[..., Instruction], unit: str
) -> None:
    item = instruct(**timed(duration=1, durationUnit=unit))
    assert (item.minutes, item.minutes_written) == (None, "")


@pytest.mark.parametrize(
    ("duration", "unit"), [(60, None), (60, ""), (0, "min"), (-60, "min"), ("an hour", "min"), ("1e999999", "h")]
)
def test_a_duration_that_cannot_be_read_is_written_all_the_same(
    instruct: Callable[..., Instruction], duration: Any, unit: Any
) -> None:
    item = instruct(**timed(duration=duration, durationUnit=unit))
    assert item.minutes is None
    assert item.minutes_written


@pytest.mark.parametrize("timing", [None, [], "over 60 min", {}, {"repeat": None}, {"repeat": []}])
def test_an_order_without_timing_states_no_time(instruct: Callable[..., Instruction], timing: Any) -> None:
    item = instruct(timing=timing)
    assert (item.minutes, item.minutes_written, item.repetition.planned_for) == (None, "", ())


# --- once or more often


def frequency(**members: Any) -> dict[str, Any]:
    return {"timing": members}


@pytest.mark.parametrize("code", ["BID", "TID", "QID", "QD", "Q4H", "Q6H", "QOD", "WK", "MO", "daily", "Weekly"])
@pytest.mark.parametrize("place", ["code", "text"])
def test_a_timing_code_that_repeats_is_seen(instruct: Callable[..., Instruction], code: str, place: str) -> None:
    concept = {"coding": [{"code": code}]} if place == "code" else {"text": code}
    assert instruct(**frequency(code=concept)).repetition.times_per_period


@pytest.mark.parametrize("part", ["timeOfDay", "dayOfWeek", "when"])
def test_several_times_of_a_day_or_week_are_seen(instruct: Callable[..., Instruction], part: str) -> None:
    assert instruct(**timed(**{part: ["one", "other"]})).repetition.several_times
    assert not instruct(**timed(**{part: ["one"]})).repetition.several_times


@pytest.mark.parametrize("said", ["Q6H PRN", "Every 6 hours as needed", "0900 & 1800", "as directed"])
@pytest.mark.parametrize("place", ["code", "text"])
def test_timing_that_cannot_be_told_to_mean_once_is_kept_as_unclear(
    instruct: Callable[..., Instruction], said: str, place: str
) -> None:
    concept = {"coding": [{"code": said}]} if place == "code" else {"text": said}
    repetition = instruct(**frequency(code=concept)).repetition
    assert (repetition.times_per_period, repetition.unclear) == ("", said)


@pytest.mark.parametrize("code", ["Once", "ONCE", "once", "STAT", ""])
def test_a_timing_code_that_means_once_says_nothing_about_repetition(
    instruct: Callable[..., Instruction], code: str
) -> None:
    repetition = instruct(**frequency(code={"text": code, "coding": [{"code": code}]})).repetition
    assert (repetition.times_per_period, repetition.unclear) == ("", "")


@pytest.mark.parametrize(
    ("repeat", "is_once_a_day"),
    [
        ({"frequency": 1, "period": 1, "periodUnit": "d"}, True),
        ({"frequency": 1}, True),
        ({"frequency": 2, "period": 1, "periodUnit": "d"}, False),
        ({"frequency": 1, "period": 1, "periodUnit": "wk"}, False),
        ({"frequency": 1, "period": 7, "periodUnit": "d"}, False),
        ({"period": 12, "periodUnit": "h"}, False),
        ({"frequency": 1, "frequencyMax": 3, "period": 1, "periodUnit": "d"}, False),
    ],
)
def test_a_frequency_is_seen_and_once_a_day_is_told_apart(
    instruct: Callable[..., Instruction], repeat: Resource, is_once_a_day: bool
) -> None:
    repetition = instruct(**timed(**repeat)).repetition
    assert (bool(repetition.times_per_period), repetition.is_once_a_day) == (True, is_once_a_day)


def test_the_highest_count_counts(instruct: Callable[..., Instruction]) -> None:
    assert instruct(**timed(count=1, countMax=3)).repetition.count == 3


@pytest.mark.parametrize(
    ("count", "read_as"),
    [(1, 1), (3, 3), ("2", 2), (Decimal("1.0"), 1), (None, None), ("once", None), (Decimal("1.5"), None)],
)
def test_a_count_is_a_whole_number(instruct: Callable[..., Instruction], count: Any, read_as: int | None) -> None:
    assert instruct(**timed(count=count)).repetition.count == read_as


@pytest.mark.parametrize(
    ("events", "times", "planned"),
    [
        (["2026-03-03"], 1, date(2026, 3, 3)),
        (["2026-03-03", "2026-03-10"], 2, date(2026, 3, 3)),
        ("2026-03-03", 1, date(2026, 3, 3)),
        (["2026-03-04T03:00:00Z"], 1, date(2026, 3, 3)),
        ([None, "2026-03-03"], 1, date(2026, 3, 3)),
        (["2026-03"], 1, None),
    ],
)
def test_the_first_event_is_the_planned_day_and_every_event_a_time(
    read: Read, events: Any, times: int, planned: date | None
) -> None:
    order = read(an_order(dosageInstruction=[{"timing": {"event": events}}]))
    assert len(only(order).repetition.planned_for) == times
    assert order.planned is not None
    assert order.planned.day == planned


def test_the_start_of_the_period_is_the_planned_day_where_there_is_no_event(read: Read) -> None:
    period = {"boundsPeriod": {"start": "2026-03-05", "end": "2026-03-05"}}
    order = read(an_order(dosageInstruction=[timed(**period)]))
    assert order.planned is not None
    assert order.planned.day == date(2026, 3, 5)


@pytest.mark.parametrize(
    "instruction",
    [
        7,
        {"timing": "x"},
        {"timing": {"event": [["x"]]}},
        {"timing": {"repeat": ["x"]}},
        {"timing": {"repeat": {"boundsPeriod": 7}}},
        {"timing": {"repeat": {"boundsPeriod": {"start": {"x": 1}}}}},
    ],
)
def test_a_planned_day_that_cannot_be_read_is_a_plan_without_a_day(read: Read, instruction: Any) -> None:
    planned = read(an_order(dosageInstruction=[instruction])).planned
    assert planned is not None
    assert (planned.day, planned.latest) == (None, None)


@pytest.mark.parametrize("instruction", [{}, {"timing": {}}, {"timing": {"event": [""], "repeat": {"count": 1}}}])
def test_an_order_that_says_nothing_of_its_day_has_no_plan(read: Read, instruction: Any) -> None:
    assert read(an_order(dosageInstruction=[instruction])).planned is None


def test_the_day_of_writing_is_never_the_planned_day(read: Read) -> None:
    assert read(an_order(dosageInstruction=[{}], authoredOn="2026-03-02")).planned is None


@pytest.mark.parametrize(
    ("start", "end", "within"),
    [
        ("2026-03-03", "2026-03-03", True),
        ("2026-03-03", "2026-03-04", False),
        ("2026-03-03T15:00:00Z", "2026-03-04T15:00:00Z", True),
        ("2026-03-03T15:00:00Z", "2026-03-04T15:00:01Z", False),
        ("2026-03-03T15:00:00Z", "2026-03-03", True),
        ("2026-03-03", "2026-03-04T15:00:00Z", False),
        ("2026-03", "2026-03-03", None),
        ("2026-03-03", "", None),
        ("", "2026-03-03", None),
    ],
)
def test_a_period_longer_than_a_day_is_told(
    instruct: Callable[..., Instruction], start: str, end: str, within: bool | None
) -> None:
    item = instruct(**timed(boundsPeriod={"start": start, "end": end}))
    assert item.repetition.bounds_within_a_day is within


@pytest.mark.parametrize(
    ("duration", "within"),
    [
        ({"value": 1, "unit": "d", "system": UCUM, "code": "d"}, True),
        ({"value": 2, "unit": "days"}, False),
        ({"value": 24, "unit": "h", "system": UCUM, "code": "h"}, True),
        ({"value": 25, "unit": "h", "system": UCUM, "code": "h"}, False),
        ({"value": 60, "unit": "min"}, True),
        ({"value": 4, "unit": "wk", "system": UCUM, "code": "wk"}, False),
        ({"value": 1, "unit": "mo", "system": UCUM, "code": "mo"}, False),
        ({"value": 1}, None),
        ({}, None),
    ],
)
def test_bounds_as_a_duration_are_compared_with_a_day(
    instruct: Callable[..., Instruction], duration: Resource, within: bool | None
) -> None:
    assert instruct(**timed(boundsDuration=duration)).repetition.bounds_within_a_day is within


# --- route and method


def route(code: str = "", text: str = "", display: str = "") -> Resource:
    coding = {"system": SYSTEMS["SNOMED"], "code": code, "display": display}
    return {"coding": [{k: v for k, v in coding.items() if v}]} | ({"text": text} if text else {})


@pytest.mark.parametrize(
    ("element", "read_as"),
    [
        (route("47625008"), Route.INTRAVENOUS),
        (route("47625008", "Intravenous"), Route.INTRAVENOUS),
        ({"text": "IV"}, Route.INTRAVENOUS),
        ({"text": "Intravenous infusion."}, Route.INTRAVENOUS),
        ({"coding": [{"system": "urn:oid:1.2.3", "code": "11", "display": "Intravenous"}]}, Route.INTRAVENOUS),
        (route("72607000"), Route.INTRATHECAL),
        ({"text": "intrathecal"}, Route.INTRATHECAL),
        (route("47625008", "Intrathecal"), Route.INTRATHECAL),
        ({"coding": [*route("47625008")["coding"], *route("72607000")["coding"]]}, Route.INTRATHECAL),
        (route("26643006"), Route.OTHER),
        (route("78421000"), Route.OTHER),
        (route("34206005"), Route.OTHER),
        ({"coding": [*route("47625008")["coding"], *route("26643006")["coding"]]}, Route.OTHER),
        ({"text": "by mouth"}, Route.OTHER),
        ({"text": "not intravenous"}, Route.OTHER),
        ({}, Route.NOT_STATED),
        (None, Route.NOT_STATED),
        ([], Route.NOT_STATED),
        ({"coding": []}, Route.NOT_STATED),
    ],
)
def test_the_route_is_read_and_a_contradiction_as_the_worse(
    instruct: Callable[..., Instruction], element: Any, read_as: Route
) -> None:
    assert instruct(route=element).route is read_as


@pytest.mark.parametrize(
    ("members", "is_push"),
    [
        ({"method": {"text": "IV push"}}, True),
        ({"method": {"text": "Slow BOLUS over 2 min"}}, True),
        ({"route": {"text": "IVP"}}, True),
        ({"route": {"text": "intravenous push"}}, True),
        ({"method": {"text": "by syringe pump"}}, False),
        ({"method": {"text": "infusion"}}, False),
        ({"text": "no bolus"}, False),
        ({}, False),
    ],
)
def test_a_push_or_bolus_is_seen_in_method_and_route(
    instruct: Callable[..., Instruction], members: Resource, is_push: bool
) -> None:
    assert instruct(**members).is_push_or_bolus is is_push


@pytest.mark.parametrize(
    ("method", "is_unread"),
    [
        ("x", True),
        (7, True),
        ({"text": 7}, True),
        (["x"], True),
        ({"text": "infusion"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_method_that_cannot_be_read_is_known_as_such(
    instruct: Callable[..., Instruction], method: Any, is_unread: bool
) -> None:
    assert instruct(method=method).is_method_unread is is_unread


# --- what is dispensed


@pytest.mark.parametrize(
    ("quantity", "kind", "value"),
    [
        ({"value": 1}, AmountKind.KITS, 1),
        ({"value": 1, "unit": "EA"}, AmountKind.KITS, 1),
        ({"value": 1, "unit": "{kit}", "system": UCUM, "code": "{kit}"}, AmountKind.KITS, 1),
        ({"value": 3, "unit": "vial"}, AmountKind.VIALS, 3),
        ({"value": 22, "unit": "mL"}, AmountKind.VOLUME_ML, 22),
        ({"value": 2, "unit": "boxes"}, AmountKind.NOT_INTERPRETABLE, None),
        ({"value": "one"}, AmountKind.NOT_INTERPRETABLE, None),
    ],
)
def test_the_quantity_to_dispense_is_read(read: Read, quantity: Resource, kind: AmountKind, value: int | None) -> None:
    found = read(an_order(dispenseRequest={"quantity": quantity})).quantity
    assert found is not None
    assert (found.kind, found.value) == (kind, value)


@pytest.mark.parametrize("dispense", [None, [], {}, {"quantity": None}, {"quantity": {}}])
def test_an_order_need_not_say_what_to_dispense(read: Read, dispense: Any) -> None:
    order = read(an_order(dispenseRequest=dispense))
    assert (order.quantity, order.repeats_allowed, order.repeats_written) == (None, None, "")


@pytest.mark.parametrize(
    ("refills", "allowed", "written"),
    [(0, 0, "0"), (2, 2, "2"), ("2", 2, "2"), ("none", None, "none"), (Decimal("1.0"), 1, "1.0")],
)
def test_refills_are_read_or_kept_as_written(read: Read, refills: Any, allowed: int | None, written: str) -> None:
    order = read(an_order(dispenseRequest={"numberOfRepeatsAllowed": refills}))
    assert (order.repeats_allowed, order.repeats_written) == (allowed, written)


# --- who an order is


def test_an_order_is_known_by_its_id_and_its_identifiers(read: Read) -> None:
    order = read(
        an_order(
            identifier={"system": "s", "value": "7"},
            priorPrescription={"reference": "MedicationRequest/old/_history/1"},
        )
    )
    assert order.same_as == {"MedicationRequest/draft-1", "s|7"}
    assert order.replaces == {"MedicationRequest/old"}


@pytest.mark.parametrize(
    ("reason", "is_sma"),
    [
        ([{"coding": [{"system": SYSTEMS["ICD10CM"], "code": "G12.0"}]}], True),
        ([{"text": "hypotonia"}, {"coding": [{"system": SYSTEMS["ICD10CM"], "code": "G12.1"}]}], True),
        ([{"text": "spinal muscular atrophy"}], False),
        ([{"coding": [{"system": SYSTEMS["ICD10CM"], "code": "G12.21"}]}], False),
        (None, False),
    ],
)
def test_a_coded_reason_may_name_the_disease(read: Read, reason: Any, is_sma: bool) -> None:
    assert read(an_order(reasonCode=reason)).reason_is_sma is is_sma
