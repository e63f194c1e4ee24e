"""Every result of a test in the order of time, as a timeline shows it (label 2.1, 2.3, 5.1, 5.3, 5.5; rules C3 to C6).

Multiples of the own upper limit come from `liver_trend`, what counts from `liver_panel`: the same functions the cards
use. A result that cannot be told stays in the series and says why; nothing is left out but what says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from cds_service.domain.days import days_from
from cds_service.domain.evidence import Standing
from cds_service.domain.exposure import infusion_day
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import LIVER_PANEL, PLATELETS, is_measured, is_zero, undisputed
from cds_service.domain.liver_trend import is_on_another_scale, is_reliable, multiple_of
from cds_service.domain.newest import newness
from cds_service.domain.quantities import exact_product, exact_quotient, plain, to_significant_digits
from cds_service.domain.reference_range import flag_contradicts, multiple_to_show, why_unclassified
from cds_service.domain.results import LabResult

TROPONIN_I = "troponin_i"
# Why a result cannot be drawn (the first ones), or proves nothing.
HINDRANCES = (
    "text", "unit", "no-range", "flag", "zero", "scale", "bounds", "conflict", "replaced", "preliminary", "time",
)  # fmt: skip
_VALUES = ("albumin", PLATELETS, "hemoglobin", TROPONIN_I)
SERIES = (*LIVER_PANEL, *_VALUES)


class Scale(Enum):
    """What a series is drawn as."""

    TIMES_ULN = "timesUln"
    VALUE = "value"


class Reading(Enum):
    """What a result may do: FINAL may prove, PROVISIONAL may only alarm, UNREADABLE holds no number."""

    FINAL = "final"
    PROVISIONAL = "provisional"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One result. `value`, `low` and `high` are in the test's own unit, as text; "" where they cannot be told there.

    `times_uln` is the multiple of the result's own upper limit with enough digits to stand on its side of a whole
    number. `comparator` tells that value and multiple are only a bound. `is_known`: what the series draws is known;
    `counts`: the result may prove something. `why` names what hinders, "" where nothing does. `day_number` counts from
    the infusion, None without one or without a day.
    """

    result: LabResult
    day_number: int | None
    value: str
    low: str
    high: str
    comparator: str
    times_uln: str
    reading: Reading
    is_known: bool
    counts: bool
    why: str


@dataclass(frozen=True, slots=True)
class ResultSeries:
    """The results of one test, oldest first, those of an unknown day last.

    `test` is the record's own name where only results of one assay may stand in a line, else "". `unit` is that of the
    values.
    """

    analyte: str
    scale: Scale
    unit: str
    test: str
    points: tuple[SeriesPoint, ...]


def result_series(facts: PatientFacts, known: Known) -> tuple[ResultSeries, ...]:
    """A series for each test of the timeline: liver tests as multiples of their own upper limits, the others as values.

    A test without any result has an empty series. Results of troponin I under different names may come from different
    assays, whose values cannot be compared, and stand in a series each.
    """
    return tuple(series for analyte in SERIES for series in _series(analyte, facts, known))


def _series(analyte: str, facts: PatientFacts, known: Known) -> Iterator[ResultSeries]:
    told = [r for r in facts.results_of(analyte) if r.standing is not Standing.NO_INFORMATION]
    scale = Scale.TIMES_ULN if analyte in LIVER_PANEL else Scale.VALUE
    names: Iterable[str] = dict.fromkeys(r.evidence.name for r in told) if analyte == TROPONIN_I else ()
    for test in names or ("",):
        results = sorted((r for r in told if not test or r.evidence.name == test), key=_by_time)
        points = _points(results, scale, facts, known)
        yield ResultSeries(analyte, scale, known.units.own_unit[analyte], test, points)


def _by_time(result: LabResult) -> tuple[bool, date, float, tuple[str, str], str]:
    return (result.measured.day is None, *newness(result), result.evidence.reference)


def _points(results: list[LabResult], scale: Scale, facts: PatientFacts, known: Known) -> tuple[SeriesPoint, ...]:
    measured = [item for item in results if is_measured(item)]
    disputed = {id(item) for item in measured} - {id(item) for item in undisputed(results, known)}
    corrected = {item.measured.day for item in measured if item.is_correction}
    infusion = infusion_day(facts)
    points = []
    for item in results:
        hindrance = _why_untold(item, scale)
        why = hindrance or _why_not_counted(item, scale, known)
        if id(item) in disputed and not hindrance:
            is_replaced = not item.is_correction and item.measured.day in corrected
            why = "replaced" if is_replaced else "conflict"
        points.append(_point(item, infusion, is_known=not hindrance, why=why, known=known))
    return tuple(points)


def _why_untold(item: LabResult, scale: Scale) -> str:
    """Why what the series draws is not known; "" where it is, a bound included."""
    if item.number is None:
        return "text"
    if is_zero(item):
        return "zero"
    if scale is Scale.VALUE:
        return "" if item.amount is not None else "unit"
    if is_on_another_scale(item):
        return "scale"
    limits = item.limits
    if limits is None or limits.high is None or not limits.is_unit_known or flag_contradicts(item):
        return why_unclassified(item)
    return ""


def _why_not_counted(item: LabResult, scale: Scale, known: Known) -> str:
    """Why a result that can be drawn proves nothing; "" where it may."""
    if not item.measured.may_satisfy:
        return "time"
    if item.standing is not Standing.ACCEPTED:
        return "preliminary"
    return "" if scale is Scale.VALUE or is_reliable(item, known) else "bounds"


def _point(item: LabResult, infusion: date | None, *, is_known: bool, why: str, known: Known) -> SeriesPoint:
    day, multiple = item.measured.day, multiple_of(item)
    limits = item.limits
    return SeriesPoint(
        result=item,
        day_number=None if infusion is None or day is None else days_from(infusion, day),
        value=_value(item, known),
        low="" if limits is None else _limit(limits.low, item, known),
        high="" if limits is None else _limit(limits.high, item, known),
        comparator=_comparator(item.number),
        times_uln="" if multiple is None or not is_known else multiple_to_show(_bound(multiple)),
        reading=_reading(item),
        is_known=is_known,
        counts=not why,
        why=why,
    )


def _reading(item: LabResult) -> Reading:
    if item.number is None:
        return Reading.UNREADABLE
    is_final = item.standing is Standing.ACCEPTED and item.measured.may_satisfy
    return Reading.FINAL if is_final else Reading.PROVISIONAL


def _value(item: LabResult, known: Known) -> str:
    """The amount in the test's own unit as written; converted ones with a few digits."""
    if item.amount is None or item.number is None:
        return ""
    amount = _bound(item.amount)
    if amount == _bound(item.number):
        return plain(amount)
    return plain(to_significant_digits(amount, known.outside.whole("shown_significant_digits")))


def _limit(limit: Decimal | None, item: LabResult, known: Known) -> str:
    """A limit of the result's own range in the test's own unit; "" where it is not known there."""
    if limit is None or item.limits is None or item.amount is None:
        return ""
    amount, number = _bound(item.amount), _bound(item.limits.number)
    if not number:
        return ""
    if amount == number:
        return plain(limit)
    converted = exact_quotient(exact_product(limit, amount), number)
    return plain(to_significant_digits(converted, known.outside.whole("shown_significant_digits")))


def _bound(interval: Interval) -> Decimal:
    """The value, or the one bound there is."""
    bound = interval.high if interval.low is None else interval.low
    assert bound is not None
    return bound


def _comparator(number: Interval | None) -> str:
    """`<`, `<=`, `>` or `>=`; "" for an exact number and for none."""
    if number is None or number.exact is not None:
        return ""
    if number.low is None:
        return "<=" if number.high_included else "<"
    return ">=" if number.low_included else ">"
