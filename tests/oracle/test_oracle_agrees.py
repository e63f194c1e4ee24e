"""The second, independent calculation agrees with the service, and with the examples of the rules it was written from."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from label_transcription import TABLE_1, TABLE_3

from . import calendar, compare, dose, steroid, uln
from .patients import patients
from .service import Service

pytestmark = pytest.mark.xdist_group("oracle")
D = Decimal
INFUSED = date(2026, 3, 2)


def day(number: int) -> date:
    return INFUSED + timedelta(days=number)


def test_two_thousand_random_patients_get_the_same_answers_twice() -> None:
    service = Service()
    found = [
        f"#{patient.number} {name}: oracle {ours}; service {theirs}"
        for patient in patients(2000, seed=1)
        for name, ours, theirs in compare.differences(patient, service)
    ]
    assert found == []


def test_a_difference_is_printed_and_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dose, "rounded", lambda kg: kg.quantize(D("0.1"), "ROUND_HALF_EVEN"))
    assert compare.main(["--patients", "60", "--seed", "1"]) == 1
    *lines, summary = capsys.readouterr().out.splitlines()
    assert any("rounded kg: oracle" in line and "; service" in line and " kg" in line for line in lines)
    assert summary.startswith("60 patients of seed 1 compared, ")


def test_the_formula_of_the_second_table_gives_the_labels_rows() -> None:
    rows = [(str(row.lower), str(row.upper), str(row.volume)) for row in dose.TABLE]
    assert rows == list(TABLE_1)
    kits = [(row.small_vials, row.large_vials, row.small_vials + row.large_vials, row.ndc) for row in dose.TABLE]
    assert kits == [row[2:] for row in TABLE_3]


@pytest.mark.parametrize(
    ("kg", "volume", "grade", "near"),
    [
        ("2.549", None, "outside", None),
        ("2.55", "16.5", "inside only after rounding", None),
        ("3.0", "16.5", "inside", None),
        ("3.04", "16.5", "inside", True),
        ("3.05", "19.3", "inside", True),
        ("3.09", "19.3", "inside", False),
        ("20.55", "115.5", "inside", True),
        ("21.04", "115.5", "inside only after rounding", None),
        ("21.05", None, "outside", None),
    ],
)
def test_the_second_table_keeps_the_examples_of_the_rules(
    kg: str, volume: str | None, grade: str, near: bool | None
) -> None:
    row, between = dose.row(D(kg)), dose.between(D(kg))
    assert (row and row.volume) == (D(volume) if volume else None)
    assert dose.table_grade(D(kg)) == grade
    assert (between[2] if between else None) is near


@pytest.mark.parametrize(
    ("value", "above", "below"), [("79.9", False, True), ("80", False, False), ("80.1", True, False)]
)
def test_exactly_twice_is_neither_above_nor_below(value: str, above: bool, below: bool) -> None:
    times = uln.times_uln("alt", D(value), "U/L", [uln.Range(D(40), "U/L")])
    assert (uln.above(times, 2), uln.below(times, 2)) == (above, below)


def test_the_second_calendar_keeps_the_worked_example() -> None:
    slots = calendar.liver_slots(INFUSED, day(56), True, None, [], day(60))
    assert [slot.target.isoformat()[5:] for slot in slots] == [
        "03-09", "03-16", "03-23", "03-30", "04-06", "04-13", "04-20", "04-27", "05-11", "05-25", "06-02",
    ]  # fmt: skip


@pytest.mark.parametrize(("t0", "too_early"), [(28, True), (29, False)])
@pytest.mark.parametrize(("length", "short"), [(13, "critical"), (14, "warning"), (27, "warning"), (28, "")])
def test_the_second_course_keeps_the_examples_of_the_rules(t0: int, too_early: bool, length: int, short: str) -> None:
    doses: steroid.Doses = {day(n): D(3) if n < t0 else D("1.5") for n in range(-1, t0 + length)}
    course = steroid.course(doses, INFUSED, day(90))
    assert course is not None
    assert (course.end_of_30, course.taper_start, course.taper_too_early) == (day(28), day(t0), too_early)
    assert course.taper_short == short
