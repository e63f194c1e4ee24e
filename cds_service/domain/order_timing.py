"""Over how long an instruction would infuse the dose, from its time, its rate, or both (label 2.1; ruling 25, 60)."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from cds_service.domain.facts import Instruction
from cds_service.domain.known import Known
from cds_service.domain.order_dose import MINUTES_PER_HOUR
from cds_service.domain.quantities import exact_product, exact_quotient


class InfusionTime(Enum):
    """How an instruction's infusion time compares with the label's."""

    AS_LABELLED = "as-labelled"
    NOT_COMPARABLE = "not-comparable"
    NOT_STATED = "not-stated"
    NOT_INTERPRETABLE = "not-interpretable"
    TOO_SLOW = "too-slow"
    INCONSISTENT = "inconsistent"
    TOO_FAST = "too-fast"

    @property
    def rank(self) -> int:
        """Its place from least to most worrying."""
        return list(InfusionTime).index(self)


def infusion_time(item: Instruction, volume_ml: Decimal | None, known: Known) -> InfusionTime:
    """How the instruction compares with the label; `volume_ml` is the ordered volume, else the table's."""
    if not item.minutes_written and not item.rate_written:
        return InfusionTime.NOT_STATED
    by_time = _by_time(item.minutes, known) if item.minutes is not None else None
    by_rate = _by_rate_alone(item.ml_per_hour, volume_ml, known) if item.ml_per_hour is not None else None
    is_unreadable = (by_time is None and item.minutes_written) or (by_rate is None and item.rate_written)
    if by_time is InfusionTime.TOO_FAST or (by_rate is InfusionTime.TOO_FAST and by_time is None):
        return InfusionTime.TOO_FAST
    if is_unreadable:
        return InfusionTime.NOT_INTERPRETABLE
    if item.minutes is None or item.ml_per_hour is None:
        return by_time or by_rate or InfusionTime.NOT_STATED
    if volume_ml is None:
        if by_rate is InfusionTime.TOO_FAST:
            return InfusionTime.INCONSISTENT
        return InfusionTime.TOO_SLOW if by_time is InfusionTime.TOO_SLOW else InfusionTime.NOT_COMPARABLE
    agrees = _by_rate(item.ml_per_hour, _rate(volume_ml, item.minutes), known) is InfusionTime.AS_LABELLED
    return (by_time or InfusionTime.NOT_STATED) if agrees else InfusionTime.INCONSISTENT


def _by_rate_alone(ml_per_hour: Decimal, volume_ml: Decimal | None, known: Known) -> InfusionTime:
    """A rate against the volume; without a volume only one above every dose of the table can be told too fast."""
    minutes = known.label["infusion_minutes"]
    if volume_ml is not None:
        return _by_rate(ml_per_hour, _rate(volume_ml, minutes), known)
    fastest = _by_rate(ml_per_hour, _rate(known.doses.bands[-1].volume_ml, minutes), known)
    return fastest if fastest is InfusionTime.TOO_FAST else InfusionTime.NOT_COMPARABLE


def _by_time(minutes: Decimal, known: Known) -> InfusionTime:
    labelled = known.label["infusion_minutes"]
    if minutes == labelled:
        return InfusionTime.AS_LABELLED
    return InfusionTime.TOO_FAST if minutes < labelled else InfusionTime.TOO_SLOW


def _by_rate(ml_per_hour: Decimal, expected: Decimal, known: Known) -> InfusionTime:
    tolerated = exact_product(expected, known.policy["infusion.rate.tolerance"])
    if abs(ml_per_hour - expected) <= tolerated:
        return InfusionTime.AS_LABELLED
    return InfusionTime.TOO_FAST if ml_per_hour > expected else InfusionTime.TOO_SLOW


def _rate(volume_ml: Decimal, minutes: Decimal) -> Decimal:
    return exact_quotient(exact_product(volume_ml, MINUTES_PER_HOUR), minutes)
