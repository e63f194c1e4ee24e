"""Judging an amount written in vector genomes against the table's volume (label 2.1, 3; clinical-rules group C)."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from cds_service.domain.dose_table import DoseBand
from cds_service.domain.dosing_weight import WeightInKg
from cds_service.domain.facts import AmountKind, OrderedAmount
from cds_service.domain.known import Known
from cds_service.domain.order_dose import vector_genomes_in
from cds_service.domain.quantities import exact_product, exact_quotient, to_significant_digits


class VectorGenomeVerdict(Enum):
    """How an amount in vector genomes compares with the table, least worrying first."""

    MATCHES = "matches"
    LABEL_DOSE_PER_KG = "label-dose-per-kg"
    NOT_COMPARABLE = "not-comparable"
    WEIGHT_TIMES_DOSE = "weight-times-dose"
    MISMATCH = "mismatch"
    WRONG_MAGNITUDE = "wrong-magnitude"

    @property
    def rank(self) -> int:
        """Its place from least to most worrying."""
        return list(VectorGenomeVerdict).index(self)


def judge_vector_genomes(
    amount: OrderedAmount, weight: WeightInKg | None, band: DoseBand | None, known: Known
) -> VectorGenomeVerdict:
    """The verdict on one amount. Without a table dose only an order-of-magnitude error can be told."""
    if amount.value is None:
        return VectorGenomeVerdict.NOT_COMPARABLE
    if amount.kind is AmountKind.VECTOR_GENOMES_PER_KG:
        return _judge_per_kg(amount.value, known)
    if weight is None or band is None:
        return _judge_against_whole_table(amount.value, known)
    return _judge_total(amount.value, weight, band, known)


def _judge_per_kg(per_kg: Decimal, known: Known) -> VectorGenomeVerdict:
    recommended = known.label["dose_vector_genomes_per_kg"]
    if per_kg == recommended:
        return VectorGenomeVerdict.LABEL_DOSE_PER_KG
    if _is_far_from(per_kg, recommended, recommended, known):
        return VectorGenomeVerdict.WRONG_MAGNITUDE
    return VectorGenomeVerdict.MISMATCH


def _judge_against_whole_table(total: Decimal, known: Known) -> VectorGenomeVerdict:
    least = vector_genomes_in(known.doses.bands[0].volume_ml, known)
    most = vector_genomes_in(known.doses.bands[-1].volume_ml, known)
    if _is_far_from(total, least, most, known):
        return VectorGenomeVerdict.WRONG_MAGNITUDE
    return VectorGenomeVerdict.NOT_COMPARABLE


def _judge_total(total: Decimal, weight: WeightInKg, band: DoseBand, known: Known) -> VectorGenomeVerdict:
    expected = vector_genomes_in(band.volume_ml, known)
    if total in (expected, _as_rounded_elsewhere(expected, known)):
        return VectorGenomeVerdict.MATCHES
    if _is_far_from(total, expected, expected, known):
        return VectorGenomeVerdict.WRONG_MAGNITUDE
    recommended = known.label["dose_vector_genomes_per_kg"]
    if weight.rounded_kg == band.to_kg and total == exact_product(band.to_kg, recommended):
        return VectorGenomeVerdict.MATCHES
    products = [exact_product(kg, recommended) for kg in (weight.raw_kg, weight.rounded_kg)]
    return VectorGenomeVerdict.WEIGHT_TIMES_DOSE if total in products else VectorGenomeVerdict.MISMATCH


def _is_far_from(value: Decimal, least: Decimal, most: Decimal, known: Known) -> bool:
    factor = known.policy["dose.vg.magnitude_factor"]
    return value <= exact_quotient(least, factor) or value >= exact_product(most, factor)


def _as_rounded_elsewhere(expected: Decimal, known: Known) -> Decimal:
    """The total as tables outside this label round it: to fewer digits, one more from the limit on."""
    is_large = expected >= known.outside["vg_rounding.limit"]
    digits = known.outside.whole("vg_rounding.digits_from_limit" if is_large else "vg_rounding.digits_below_limit")
    return to_significant_digits(expected, digits)
