"""Times, results and records as the domain sees them, for tests that need no request."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.intervals import Interval
from cds_service.domain.results import LabFlag, LabResult, ReferenceRange

TODAY = date(2026, 3, 2)
D = Decimal
EVIDENCE = Evidence("Observation/1", "test")


def at(day: str, hour: str = "") -> ClinicalTime:
    """A time that may satisfy a rule: a local day, and a moment where an hour is given."""
    when = date.fromisoformat(day)
    moment = datetime.combine(when, time.fromisoformat(hour), UTC) if hour else None
    return ClinicalTime(f"{day}T{hour}" if hour else day, when, moment, is_exact=True)


def limits(
    value: str, high: str | None, low: str | None = None, comparator: str = "", *, is_unit_known: bool = True
) -> ReferenceRange:
    """A result held against its own limits."""
    number = Interval.of(comparator, D(value))
    assert number is not None
    return ReferenceRange(
        number, D(low) if low else None, D(high) if high else None, f"{low}-{high}", is_unit_known=is_unit_known
    )


def a_result(
    measured: ClinicalTime | None = None,
    *,
    analyte: str = "alt",
    written: str = "20",
    own: ReferenceRange | None = None,
    flag: LabFlag = LabFlag.NOT_STATED,
    standing: Standing = Standing.ACCEPTED,
    is_correction: bool = False,
    issued: str = "",
    number: Interval | None = None,
    amount: Interval | None = None,
) -> LabResult:
    """One laboratory result."""
    return LabResult(
        analyte=analyte,
        number=own.number if own else number,
        amount=amount,
        limits=own,
        flag=flag,
        written=written,
        measured=measured or at("2026-03-01", "08:00"),
        standing=standing,
        is_correction=is_correction,
        order_key=(issued, ""),
        evidence=Evidence(f"Observation/{written}", analyte, written),
    )
