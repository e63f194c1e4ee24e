"""A platelet count against its own lower limit and against the child's baseline (label 2.3, 5.3; clinical-rules 4H)."""

from __future__ import annotations

from cds_service.domain.certainty import Certainty, any_of
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import PLATELETS, is_after_infusion
from cds_service.domain.newest import newest_of
from cds_service.domain.reference_range import flag_contradicts
from cds_service.domain.results import LabFlag, LabResult


def baseline_count(facts: PatientFacts, known: Known) -> LabResult | None:
    """The newest accepted count before the infusion; None where there is none, or two of one time differ.

    A sample without a number, such as a clumped one, was no count.
    """
    return facts.once(_baseline_count, known)


def _baseline_count(facts: PatientFacts, known: Known) -> LabResult | None:
    counts = [item for item in facts.results_of(PLATELETS) if _is_before(item, facts)]
    accepted = newest_of(counts, known).accepted
    amounts = {item.amount for item in accepted}
    return accepted[0] if len(amounts) == 1 and accepted[0].amount is not None else None


def _is_before(item: LabResult, facts: PatientFacts) -> bool:
    is_count = item.standing is not Standing.NO_INFORMATION and item.number is not None
    return is_count and item.measured.day is not None and not is_after_infusion(item, facts)


def is_below_normal(count: LabResult, known: Known) -> Certainty:
    """Whether a count is below its own lower limit, else below the site's.

    UNKNOWN where its unit is not known, or where the laboratory's flag contradicts it (C5 no. 5).
    """
    limits = count.limits
    if limits is not None and limits.low is not None:
        below, is_doubtful = limits.number.is_below(limits.low), not limits.is_unit_known or flag_contradicts(count)
    elif count.amount is None:
        return Certainty.UNKNOWN
    else:
        below, is_doubtful = count.amount.is_below(known.policy["platelet.low"]), count.flag is LabFlag.LOW
    return Certainty.UNKNOWN if below is Certainty.FALSE and is_doubtful else below


def is_back_at_baseline(count: LabResult, baseline: LabResult | None, known: Known) -> Certainty:
    """Whether a count is at least the baseline value, or at least the lower limit of normal (site policy).

    `baseline` is that of `baseline_count`, found once for all the counts that are held against it.
    """
    ways = [_not(is_below_normal(count, known))]
    if baseline is not None and baseline.amount is not None and baseline.amount.exact is not None and count.amount:
        ways.append(_not(count.amount.is_below(baseline.amount.exact)))
    return any_of(ways)


def _not(certainty: Certainty) -> Certainty:
    turned = {Certainty.TRUE: Certainty.FALSE, Certainty.FALSE: Certainty.TRUE}
    return turned.get(certainty, Certainty.UNKNOWN)
