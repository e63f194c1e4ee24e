"""A result against its own upper limit, as an exact multiple (clinical-rules C5; label 2.1, 5.1)."""

from __future__ import annotations

from decimal import Decimal

from cds_service.domain.certainty import Certainty
from cds_service.domain.intervals import Interval
from cds_service.domain.quantities import exact_product, plain, rounded_half_up
from cds_service.domain.results import LabFlag, LabResult

# Analytes for which the laboratory's own "normal" counts where it gives no range (C5 no. 4).
_FLAG_SUFFICES = frozenset({"total_bilirubin", "prothrombin_time", "inr"})
_HUNDREDTH = Decimal("0.01")


def times_uln(result: LabResult) -> Interval | None:
    """The result as a multiple of its own upper limit, or None where it has no usable one."""
    limits = result.limits
    return limits.number.divided_by(limits.high) if limits is not None and limits.high is not None else None


def exceeds(result: LabResult, multiple: Decimal) -> Certainty:
    """Whether the result is more than so many times its own upper limit.

    Without a known unit, or where the laboratory's flag contradicts the range, it may alarm and is never FALSE.
    """
    limits = result.limits
    if limits is None or limits.high is None:
        is_normal = result.flag is LabFlag.NORMAL and result.analyte in _FLAG_SUFFICES
        return Certainty.FALSE if is_normal else Certainty.UNKNOWN
    certainty = limits.number.is_above(exact_product(limits.high, multiple))
    is_doubtful = not limits.is_unit_known or flag_contradicts(result)
    return Certainty.UNKNOWN if certainty is Certainty.FALSE and is_doubtful else certainty


def flag_contradicts(result: LabResult) -> bool:
    """Whether the laboratory's flag does not fit its own range: normal outside it, or not normal inside it (C5)."""
    limits = result.limits
    if limits is None:
        return False
    is_high = limits.number.is_above(limits.high) if limits.high is not None else Certainty.UNKNOWN
    is_low = limits.number.is_below(limits.low) if limits.low is not None else Certainty.UNKNOWN
    if result.flag is LabFlag.NORMAL:
        return Certainty.TRUE in (is_high, is_low)
    if result.flag is LabFlag.HIGH:
        return is_high is Certainty.FALSE
    if result.flag is LabFlag.ABNORMAL:
        return is_high is Certainty.FALSE and is_low is not Certainty.TRUE
    return result.flag is LabFlag.LOW and is_low is Certainty.FALSE


def is_outside_own_range(result: LabResult) -> bool:
    """Whether the result surely lies above or below its own range."""
    limits = result.limits
    if limits is None:
        return False
    above = limits.high is not None and limits.number.is_above(limits.high) is Certainty.TRUE
    return above or (limits.low is not None and limits.number.is_below(limits.low) is Certainty.TRUE)


def why_unclassified(result: LabResult) -> str:
    """Why the multiple of the upper limit cannot be told; "" where it can."""
    limits = result.limits
    if result.number is None:
        return "text"
    if limits is None or limits.high is None:
        return "unit" if result.amount is None else "no-range"
    if not limits.is_unit_known:
        return "unit"
    return "flag" if flag_contradicts(result) else "bounds"


def written_multiple(result: LabResult) -> str:
    """The multiple for showing: two decimals, and more where rounding would hide on which side of a whole number
    it lies (C5 no. 6); "" where there is none.
    """
    multiple = times_uln(result)
    if multiple is None:
        return ""
    if multiple.exact is not None:
        return multiple_to_show(multiple.exact)
    if multiple.low is not None:
        return f"{'≥' if multiple.low_included else '>'} {multiple_to_show(multiple.low)}"
    sign = "≤" if multiple.high_included else "<"
    return f"{sign} {multiple_to_show(multiple.high)}" if multiple.high is not None else ""


def multiple_to_show(multiple: Decimal) -> str:
    """A multiple with two decimals, and more where rounding would hide on which side of a whole number it lies."""
    step = _HUNDREDTH
    while True:
        rounded = rounded_half_up(multiple, step)
        is_true_to_side = (rounded == rounded.to_integral_value()) == (multiple == multiple.to_integral_value())
        if is_true_to_side or step.adjusted() < -len(plain(multiple)):
            return plain(rounded)
        step = step.scaleb(-1)
