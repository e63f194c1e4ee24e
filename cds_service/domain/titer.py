"""The anti-AAV9 titre against the label's 1:50, by its reciprocal, never by its quotient (label 2.3, 6.2).

1:100 is a higher titre than 1:50, although one hundredth is less than one fiftieth.
"""

from __future__ import annotations

from enum import Enum

from cds_service.domain.certainty import Certainty
from cds_service.domain.known import Known
from cds_service.domain.results import TiterReading, TiterResult


class TiterClass(Enum):
    """What a result says about 1:50."""

    AT_MOST_LIMIT = "at-most-limit"
    ABOVE_LIMIT = "above-limit"
    NEGATIVE = "negative"
    NOT_INTERPRETABLE = "not-interpretable"


def class_of(result: TiterResult, known: Known) -> TiterClass:
    """The class of a result that is one; an interval across the limit cannot be compared with it."""
    if result.reading is TiterReading.NEGATIVE:
        return TiterClass.NEGATIVE
    if result.reciprocal is None:
        return TiterClass.NOT_INTERPRETABLE
    above = result.reciprocal.is_above(known.label["aav9_reciprocal_limit"])
    if above is Certainty.UNKNOWN:
        return TiterClass.NOT_INTERPRETABLE
    return TiterClass.ABOVE_LIMIT if above is Certainty.TRUE else TiterClass.AT_MOST_LIMIT


def negative_is_mapped(known: Known) -> bool:
    """Whether the site has said what "negative" means in its assay, and that is 1:50 or less."""
    cut_off = known.policy["aav9.negative_reciprocal_at_most"]
    return 0 < cut_off <= known.label["aav9_reciprocal_limit"]
