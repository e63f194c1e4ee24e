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
    if by_time is InfusionTime.TOO_FAST:
        return by_time
    if (item.minutes_written and item.minutes is None) or (item.rate_written and item.ml_per_hour is None):
        return InfusionTime.NOT_INTERPRETABLE
    if item.ml_per_hour is None:
        return by_time or InfusionTime.NOT_STATED
    if volume_ml is None:
        return by_time if by_time is InfusionTime.TOO_SLOW else InfusionTime.NOT_COMPARABLE
    if by_time is None or item.minutes is None:
        return _by_rate(item.ml_per_hour, _rate(volume_ml, known.label["infusion_minutes"]), known)
    agrees = _by_rate(item.ml_per_hour, _rate(volume_ml, item.minutes), known) is InfusionTime.AS_LABELLED
    return by_time if agrees else InfusionTime.INCONSISTENT


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
