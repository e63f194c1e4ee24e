"""Was the product given, and on which day (clinical-rules C8)."""

from __future__ import annotations

from datetime import date, datetime

from cds_service.domain.facts import Exposure, ExposureKind, PatientFacts

_GIVEN = (ExposureKind.GIVEN, ExposureKind.PARTLY_GIVEN)
_TRUSTED_IN_ORDER = (_GIVEN, (ExposureKind.PRESUMED_FROM_ORDER,), (ExposureKind.POSSIBLE,))


def infusion_day(facts: PatientFacts) -> date | None:
    """Day 0: the earliest day of the most trusted kind of record; None where none names a day."""
    return facts.once(_infusion_day)


def _infusion_day(facts: PatientFacts) -> date | None:
    for kinds in _TRUSTED_IN_ORDER:
        days = [item.given.day for item in facts.exposures if item.kind in kinds and item.given.day]
        if days:
            return min(days)
    return None


def infusions_on(facts: PatientFacts, days: tuple[date, ...]) -> tuple[Exposure, ...]:
    """The doses recorded as given, wholly or in part, on one of these days."""
    return tuple(item for item in facts.exposures if item.kind in _GIVEN and item.given.day in days)


def day_zero(facts: PatientFacts) -> date | None:
    """The infusion day where the product was given, else the planned one; None where neither is known."""
    return infusion_day(facts) if facts.is_treated else facts.planned_infusion


def last_infusion_day(facts: PatientFacts) -> date | None:
    """The latest day of the most trusted kind of record: where two differ, the follow-up may stop by this one (C8)."""
    for kinds in _TRUSTED_IN_ORDER:
        days = [item.given.day for item in facts.exposures if item.kind in kinds and item.given.day]
        if days:
            return max(days)
    return None


def infusion_moment(facts: PatientFacts) -> datetime | None:
    """The hour at which the infusion began, where the record of day 0 names one."""
    day = infusion_day(facts)
    moments = [item.given.instant for item in facts.exposures if item.given.day == day and item.given.instant]
    return min(moments, default=None, key=datetime.timestamp)


def is_infused(facts: PatientFacts) -> bool:
    """Whether the record names a day of the infusion, certain or presumed, that is not ahead."""
    day = infusion_day(facts)
    return day is not None and day <= facts.today
