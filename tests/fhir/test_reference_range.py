"""The limits of a result: its own, for its own age, in one unit with it, and never guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import UCUM

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import BirthDate
from cds_service.domain.intervals import Interval
from cds_service.domain.quantities import UnitTable
from cds_service.domain.results import ReferenceRange
from cds_service.fhir.reference_range import RangeReader, StatedUnit

Resource = dict[str, Any]
Limits = Callable[..., ReferenceRange | None]
CHILD = Evidence("Patient/p", "birth date")
BORN = BirthDate(date(2026, 1, 5), date(2026, 1, 5), CHILD)
COLLECTED = date(2026, 3, 2)


@pytest.fixture
def limits(units: UnitTable) -> Limits:
    """The limits that 45 U/L is held against, of a child of eight weeks."""

    def read(
        *ranges: Resource,
        value: str = "45",
        analyte: str = "alt",
        unit: str | None = "U/L",
        unit_written: str | None = None,
        born: BirthDate | None = BORN,
        on: date | None = COLLECTED,
    ) -> ReferenceRange | None:
        stated = StatedUnit(unit, unit_written if unit_written is not None else unit or "")
        number = Interval.exactly(Decimal(value))
        measured = ClinicalTime(str(on), on)
        resource = {"referenceRange": list(ranges)}
        return RangeReader(units).limits(resource, analyte, number, stated, measured, born)

    return read


def bound(value: Any, unit: str = "", **members: Any) -> Resource:
    coded = {"unit": unit, "system": UCUM, "code": unit} if unit else {}
    return {"value": value, **coded, **members}


def upper(high: ReferenceRange | None) -> Decimal | None:
    return high.high if high else None


# --- the bounds


def test_numbers_are_the_limits(limits: Limits) -> None:
    found = limits({"low": bound(5, "U/L"), "high": bound(40, "U/L"), "text": "shown elsewhere"})
    assert found == ReferenceRange(Interval.exactly(Decimal(45)), Decimal(5), Decimal(40), "5-40 U/L")


@pytest.mark.parametrize(
    ("item", "low", "high", "written"),
    [
        ({"high": bound(40, "U/L")}, None, Decimal(40), "≤ 40 U/L"),
        ({"low": bound(5, "U/L")}, Decimal(5), None, "≥ 5 U/L"),
        ({"low": bound(0), "high": bound(Decimal("40.0"))}, Decimal(0), Decimal("40.0"), "0-40.0"),
        ({"low": bound(5, "U/L"), "high": bound(40)}, Decimal(5), Decimal(40), "5-40 U/L"),
        ({"high": bound(40, "U/L", comparator="<")}, None, Decimal(40), "≤ 40 U/L"),
    ],
)
def test_one_bound_is_enough(
    limits: Limits, item: Resource, low: Decimal | None, high: Decimal | None, written: str
) -> None:
    found = limits(item)
    assert found is not None
    assert (found.low, found.high, found.written, found.is_from_text) == (low, high, written, False)


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"text": ""},
        {"high": bound(0, "U/L")},
        {"high": bound(-40, "U/L")},
        {"low": bound(50, "U/L"), "high": bound(40, "U/L")},
        {"high": bound("forty", "U/L")},
        {"low": bound("nil", "U/L"), "high": bound(40, "U/L")},
        {"high": bound(40, "U/L", comparator=">")},
        {"low": bound(5, "U/L", comparator="<"), "high": bound(40, "U/L")},
        {"low": bound(5, "U/L"), "high": bound(40, "nkat/L")},
        {"high": [40]},
    ],
)
def test_bounds_that_make_no_sense_are_no_range(limits: Limits, item: Resource) -> None:
    assert limits(item) is None


@pytest.mark.parametrize("ranges", [(), ("0-40",), (None,), ([],)])
def test_without_a_range_there_are_no_limits(limits: Limits, ranges: tuple[Any, ...]) -> None:
    assert limits(*ranges) is None


# --- text


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("0-40", Decimal(0), Decimal(40)),
        ("0 - 40 U/L", Decimal(0), Decimal(40)),
        ("0.5–1.5", Decimal("0.5"), Decimal("1.5")),
        ("0 to 40", Decimal(0), Decimal(40)),
        ("0-40 IU/L", Decimal(0), Decimal(40)),
        ("< 40", None, Decimal(40)),
        ("<40", None, Decimal(40)),
        ("<=40", None, Decimal(40)),
        ("≤ 40 U/L", None, Decimal(40)),
        ("> 40", Decimal(40), None),
        (">=40 U/L", Decimal(40), None),
        ("≥ 40", Decimal(40), None),
    ],
)
def test_text_of_a_strict_form_is_a_range_and_is_flagged(
    limits: Limits, said: str, low: Decimal | None, high: Decimal | None
) -> None:
    found = limits({"text": said})
    assert found is not None
    assert (found.low, found.high, found.is_from_text, found.written) == (low, high, True, said)


@pytest.mark.parametrize(
    "said",
    [
        "normal",
        "see comment",
        "0-40 (adult)",
        "M: 0-40",
        "0-40, 0-33",
        "up to 40",
        "0-1e3",
        "<1e2",
        "< 0",
        "0-0",
        "-5-40",
        "< -40",
        "40-0",
        "0-1,200",
        "0,5-1,5",
        "0-40-80",
        "=40",
        "<>40",
        "0-40 mg/dL",
        "0-40 nkat/L",
        "\uff10-\uff14\uff10",
    ],
)
def test_other_text_is_no_range(limits: Limits, said: str) -> None:
    assert limits({"text": said}) is None


def test_an_upper_number_goes_before_the_text(limits: Limits) -> None:
    found = limits({"high": bound(40, "U/L"), "text": "0-33"})
    assert found is not None
    assert (found.high, found.is_from_text) == (40, False)


def test_text_completes_an_entry_that_has_no_upper_number(limits: Limits) -> None:
    found = limits({"low": bound(0, "U/L"), "text": "0-40"})
    assert found is not None
    assert (found.high, found.is_from_text) == (40, True)


# --- units


def test_a_range_without_a_unit_is_in_that_of_the_result(limits: Limits) -> None:
    found = limits({"high": bound(40)}, value="2", unit="ukat/L")
    assert found is not None
    assert (found.number.exact, found.high, found.is_unit_known) == (2, 40, True)


@pytest.mark.parametrize("words", ["%", "mg/dL", "weird"])
def test_one_unknown_unit_on_both_sides_needs_no_conversion(limits: Limits, words: str) -> None:
    found = limits({"high": bound(130, words)}, value="95", unit=None, unit_written=words, analyte="prothrombin_time")
    assert found is not None
    assert (found.number.exact, found.high, found.is_unit_known) == (95, 130, True)


def test_one_known_unit_on_both_sides_is_kept_as_it_is(limits: Limits) -> None:
    found = limits({"high": bound(1, "mg/dL")}, value="2.5", unit="mg/dL", analyte="total_bilirubin")
    assert found is not None
    assert (found.number.exact, found.high) == (Decimal("2.5"), 1)


def test_two_spellings_of_one_unit_are_one(limits: Limits) -> None:
    found = limits({"high": {"value": 40, "unit": "IU/L"}})
    assert found is not None
    assert (found.number.exact, found.high) == (45, 40)


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "high", "range_unit", "number", "own_high"),
    [
        ("total_bilirubin", "2", "mg/dL", 17, "umol/L", "34.208", "17"),
        ("total_bilirubin", "34.208", "umol/L", 1, "mg/dL", "34.208", "17.104"),
        ("albumin", "40", "g/L", 5, "g/dL", "4", "5"),
        ("platelets", "150000", "/uL", 450, "10*3/uL", "150", "450"),
        ("alt", "1", "ukat/L", 40, "U/L", "60", "40"),
    ],
)
def test_two_known_units_are_brought_into_the_analytes_own(
    limits: Limits, analyte: str, value: str, unit: str, high: int, range_unit: str, number: str, own_high: str
) -> None:
    found = limits({"high": bound(high, range_unit)}, value=value, unit=unit, analyte=analyte)
    assert found is not None
    assert (found.number.exact, found.high) == (Decimal(number), Decimal(own_high))


@pytest.mark.parametrize(
    ("analyte", "unit", "written", "range_unit"),
    [
        ("hemoglobin", None, "mg/dL", "g/dL"),
        ("prothrombin_time", None, "%", "s"),
        ("prothrombin_time", "s", "s", "%"),
        ("alt", None, "foo", "bar"),
        ("inr", "1", "", "s"),
        ("alt", None, "", "foo"),
    ],
)
def test_units_that_cannot_be_brought_together_are_no_range(
    limits: Limits, analyte: str, unit: str | None, written: str, range_unit: str
) -> None:
    found = limits({"high": bound(13, range_unit)}, value="13.2", unit=unit, unit_written=written, analyte=analyte)
    assert found is None


def test_a_contradicted_unit_of_a_range_is_no_unit(limits: Limits) -> None:
    high = {"value": 17, "unit": "mg/dL", "system": UCUM, "code": "umol/L"}
    assert limits({"high": high}, unit="mg/dL", analyte="total_bilirubin") is None


def test_a_pair_without_any_unit_is_marked(limits: Limits) -> None:
    found = limits({"high": bound(40)}, unit=None)
    assert found is not None
    assert (found.high, found.is_unit_known) == (40, False)


def test_an_inr_needs_no_unit(limits: Limits) -> None:
    found = limits({"high": bound(Decimal("1.1"))}, value="1.0", unit="1", unit_written="", analyte="inr")
    assert found is not None
    assert found.is_unit_known


# --- several ranges


@pytest.mark.hazard("H17")
def test_of_two_ranges_the_lowest_upper_limit_counts_with_its_own_lower_one(limits: Limits) -> None:
    adult, child = {"low": bound(1), "high": bound(56)}, {"low": bound(7), "high": bound(33)}
    found = limits(adult, child)
    assert found is not None
    assert (found.low, found.high, found.is_lowest_of_several) == (7, 33, True)


def test_the_same_range_twice_is_one(limits: Limits) -> None:
    found = limits({"high": bound(40)}, {"high": bound(40, "U/L")})
    assert found is not None
    assert found.is_lowest_of_several is False


def test_ranges_in_two_units_are_compared_in_one(limits: Limits) -> None:
    found = limits(
        {"high": bound(1, "mg/dL")}, {"high": bound(16, "umol/L")}, unit="mg/dL", value="2", analyte="total_bilirubin"
    )
    assert found is not None
    assert (found.number.exact, found.high) == (Decimal("34.208"), 16)


def test_without_any_upper_limit_the_highest_lower_one_counts(limits: Limits) -> None:
    found = limits({"low": bound(100)}, {"low": bound(150)})
    assert found is not None
    assert (found.low, found.high, found.is_lowest_of_several) == (150, None, True)


@pytest.mark.parametrize("word", ["therapeutic", "critical", "treatment", "absolute", "recommended"])
@pytest.mark.parametrize("element", ["type", "type text", "appliesTo", "text"])
def test_a_range_for_another_purpose_does_not_count(limits: Limits, word: str, element: str) -> None:
    said: dict[str, Resource] = {
        "type": {"type": {"coding": [{"code": word}]}},
        "type text": {"type": {"text": f"{word.title()} range"}},
        "appliesTo": {"appliesTo": [{"coding": [{"display": f"{word} use"}]}]},
        "text": {"text": f"{word} range"},
    }
    other = {"high": bound(20), **said[element]}
    assert upper(limits(other, {"high": bound(40)})) == 40
    assert limits(other) is None


@pytest.mark.parametrize("extra", [{}, {"type": {"coding": [{"code": "normal"}]}}, {"appliesTo": [{"text": "female"}]}])
def test_a_normal_range_counts_whoever_it_is_for(limits: Limits, extra: Resource) -> None:
    assert upper(limits({"high": bound(40), **extra})) == 40


# --- age


def age(low: Any = None, high: Any = None, unit: str = "mo", **members: Any) -> Resource:
    sides = {"low": low, "high": high}
    return {"age": {name: bound(value, unit, **members) for name, value in sides.items() if value is not None}}


@pytest.mark.parametrize(
    ("low", "high", "unit", "born", "holds"),
    [
        (0, 1, "mo", date(2026, 2, 2), True),
        (0, 1, "mo", date(2026, 2, 1), False),
        (1, None, "mo", date(2026, 2, 2), True),
        (1, None, "mo", date(2026, 2, 3), False),
        (0, 28, "d", date(2026, 2, 2), True),
        (0, 28, "d", date(2026, 2, 1), False),
        (4, None, "wk", date(2026, 2, 2), True),
        (4, None, "wk", date(2026, 2, 3), False),
        (0, 1, "a", date(2025, 3, 2), True),
        (0, 1, "a", date(2025, 3, 1), False),
        (18, None, "a", date(2026, 1, 5), False),
        (Decimal("0.5"), None, "a", date(2025, 9, 2), True),
        (Decimal("0.5"), None, "a", date(2025, 9, 3), False),
        (0, 1, "Months", date(2026, 2, 1), False),
    ],
)
def test_an_age_is_counted_by_the_calendar(
    limits: Limits, low: Any, high: Any, unit: str, born: date, holds: bool
) -> None:
    found = limits({"high": bound(33), **age(low, high, unit)}, {"high": bound(56)}, born=BirthDate(born, born, CHILD))
    assert upper(found) == (33 if holds else 56)


def test_an_age_is_that_at_collection(limits: Limits) -> None:
    newborn, older = {"high": bound(90), **age(0, 1)}, {"high": bound(40), **age(1, 12)}
    assert upper(limits(newborn, older, on=date(2026, 1, 20))) == 90
    assert upper(limits(newborn, older, on=date(2026, 3, 2))) == 40


@pytest.mark.hazard("H17")
def test_a_range_for_another_age_is_no_range(limits: Limits) -> None:
    assert limits({"high": bound(40), **age(18, None, "a")}) is None


def test_between_two_ages_the_completed_unit_counts(limits: Limits) -> None:
    infant, toddler = {"high": bound(50), **age(0, 11)}, {"high": bound(40), **age(12, 23)}
    eleven_and_a_half = BirthDate(date(2025, 3, 17), date(2025, 3, 17), CHILD)
    assert upper(limits(infant, toddler, born=eleven_and_a_half)) == 50


@pytest.mark.parametrize(
    "undecidable",
    [
        age(18, None, "parsec"),
        age("eighteen", None, "a"),
        age(18, None, "a", comparator=">"),
        age(Decimal("18.3"), None, "mo"),
        age(9999999, None, "a"),
        {"age": "adult"},
        {"age": {}},
    ],
)
def test_a_range_whose_age_cannot_be_told_is_kept(limits: Limits, undecidable: Resource) -> None:
    assert upper(limits({"high": bound(33), **undecidable}, {"high": bound(56)})) == 33


def test_an_unsure_birth_date_keeps_every_range_that_may_hold(limits: Limits) -> None:
    born = BirthDate(date(2026, 1, 1), date(2026, 2, 28), CHILD)
    found = limits({"high": bound(90), **age(0, 1)}, {"high": bound(40), **age(1, 12)}, born=born)
    assert upper(found) == 40


@pytest.mark.parametrize(("born", "on"), [(None, COLLECTED), (BORN, None)])
def test_without_an_age_every_range_is_kept(limits: Limits, born: BirthDate | None, on: date | None) -> None:
    found = limits({"high": bound(33), **age(18, None, "a")}, {"high": bound(56)}, born=born, on=on)
    assert upper(found) == 33
