"""The heart after the infusion: an evaluation to consider, and a raised troponin (clinical-rules group I; label 5.5).

The label sets no schedule for troponin, so that nothing here is ever due or overdue. Troponin I and T are two tests and
are never compared with each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cds_service.domain.answers import Answer, RequestTest, Shown, cannot_check, fires, silent, unknown
from cds_service.domain.care import Specialty
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import ClinicalTime, days_from
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.exposure import infusion_day, is_infused
from cds_service.domain.facts import Moment, PatientFacts, Source
from cds_service.domain.follow_up import follows_infusion
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import is_after_infusion, is_measured
from cds_service.domain.microangiopathy import is_before_infusion
from cds_service.domain.newest import newest_of, newness
from cds_service.domain.pending_tests import analytes_of
from cds_service.domain.reference_range import exceeds, times_uln, why_unclassified, written_multiple
from cds_service.domain.registry import Answers, rule, rule_of_several
from cds_service.domain.reliable_results import newest_reliable, written_result
from cds_service.domain.results import LabFlag, LabResult

TROPONIN_I, TROPONIN_T = "troponin_i", "troponin_t"
TROPONINS = (TROPONIN_I, TROPONIN_T)
TROPONIN_ORDER = RequestTest("troponin-i", is_follow_up=True)
CONSULT = RequestTest("cardiology-consult", is_follow_up=True)
_ONCE = Decimal(1)


@rule
def cardiac_evaluation_consider(facts: PatientFacts, known: Known) -> Answer:
    """Nobody has looked at the heart since the infusion: at discharge, and on the chart after the first week."""
    if not follows_infusion(facts, known):
        return silent()
    infusion = infusion_day(facts)
    if infusion is None:
        return unknown("infusion-date")
    if not is_infused(facts):
        return silent()
    day = days_from(infusion, facts.today)
    is_discharge = facts.moment is Moment.DISCHARGE
    if not is_discharge and day < known.policy.whole("cardiac.from_day"):
        return silent()
    if _evaluations(facts, known):
        return silent()
    if lacking := facts.lacking(Source.MEASUREMENTS, Source.PROCEDURES, Source.REPORTS, Source.REQUESTED_TESTS):
        return unknown(lacking)
    before = [item for item in facts.lab_results if item.analyte in TROPONINS and not is_after_infusion(item, facts)]
    newest = max((item for item in before if item.number is not None), key=newness, default=None)
    return fires(
        "at-discharge" if is_discharge else "on-chart",
        [newest.evidence] if newest else [],
        [TROPONIN_ORDER],
        infusion_date=infusion,
        day_number=day,
        before_written=written_result(newest) if newest else "",
        before_analyte=newest.analyte if newest else "",
    )


def _evaluations(facts: PatientFacts, known: Known) -> list[Evidence]:
    """What is on record about the heart since the infusion: done, seen, or at least ordered."""
    results = [item for item in facts.lab_results if item.analyte in TROPONINS and is_after_infusion(item, facts)]
    told = [item.evidence for item in results if item.standing is Standing.ACCEPTED and item.number is not None]
    looked = [item.evidence for item in facts.cardiac_evaluations if _is_since(item.when, facts)]
    asked = [
        item.evidence
        for item in facts.consultations
        if item.specialty is Specialty.HEART and _is_since(item.when, facts)
    ]
    ordered = [
        item.evidence for item in facts.requested_tests if item.is_active and analytes_of(item, known) & set(TROPONINS)
    ]
    return [*told, *looked, *asked, *ordered]


def _is_since(when: ClinicalTime, facts: PatientFacts) -> bool:
    """Whether a day is known and is not before the infusion."""
    return when.day is not None and not is_before_infusion(when, facts)


@rule_of_several
def troponin_raised(facts: PatientFacts, known: Known) -> Answers:
    """Troponin I is above its own upper limit (label 5.5); troponin T is shown as what it is, another test."""
    has_dose = bool(facts.exposures)
    if has_dose and not follows_infusion(facts, known):
        return (silent(),)
    if has_dose and infusion_day(facts) is None:
        return (unknown("infusion-date"),)
    return tuple(_troponin(analyte, facts, known) for analyte in TROPONINS)


def _troponin(analyte: str, facts: PatientFacts, known: Known) -> Answer:
    results = [item for item in facts.results_of(analyte) if _is_told(item)]
    after = [item for item in results if is_after_infusion(item, facts)]
    before = [item for item in results if not is_after_infusion(item, facts)]
    newest = newest_reliable(after or before, is_raised, known)
    told = (*newest.accepted, *newest.provisional)
    high = [item for item in told if is_raised(item) is Certainty.TRUE]
    unclear = [item for item in told if is_raised(item) is Certainty.UNKNOWN]
    if not high and not unclear:
        lacking = facts.lacking(Source.MEASUREMENTS)
        return unknown(lacking, (), analyte=analyte) if lacking else silent(analyte=analyte)
    item = max(high or unclear, key=_by_height)
    evidence = [other.evidence for other in told]
    shown = _shown(item, before if after else [], facts, known)
    is_sure = any(item is other for other in newest.accepted)
    shown |= {"is_conflict": not is_sure and is_measured(item) and is_raised(item) is not Certainty.UNKNOWN}
    if not after:
        return _before_infusion(item, bool(high), evidence, shown)
    if analyte == TROPONIN_T:
        return fires("troponin-t", evidence, **shown)
    changes = _what_to_order(item, facts, known)
    if not high:
        return cannot_check("not-classified", "result-classified", evidence, changes, **shown)
    return fires("as-before" if shown["was_as_high"] else "raised", evidence, changes, **shown)


def _is_told(item: LabResult) -> bool:
    """Whether a result may be a raised one: without a number, all but what the laboratory calls normal or low."""
    is_said_not_to_be_high = item.flag in (LabFlag.NORMAL, LabFlag.LOW)
    return item.standing is not Standing.NO_INFORMATION and (item.number is not None or not is_said_not_to_be_high)


def is_raised(item: LabResult) -> Certainty:
    """Whether a troponin is above its own upper limit; by the laboratory's flag where it gives no limit."""
    has_limit = item.limits is not None and item.limits.high is not None
    if not has_limit and item.flag in (LabFlag.HIGH, LabFlag.ABNORMAL):
        return Certainty.TRUE
    return exceeds(item, _ONCE)


def _by_height(item: LabResult) -> tuple[Decimal, str]:
    """The higher result is the one to show; of results in one unit only, which all of one analyte are."""
    low = item.amount.low if item.amount is not None else None
    return (low if low is not None else Decimal(0), item.evidence.reference)


def _before_infusion(item: LabResult, is_high: bool, evidence: Iterable[Evidence], shown: dict[str, Shown]) -> Answer:
    """Of a time before the infusion only a raised troponin I is noted."""
    if item.analyte == TROPONIN_T or not is_high:
        return silent(analyte=item.analyte)
    return fires("before-infusion", evidence, **shown)


def _shown(item: LabResult, before: list[LabResult], facts: PatientFacts, known: Known) -> dict[str, Shown]:
    infusion = infusion_day(facts)
    highest = known.label["troponin_highest_mcg_per_l"]
    is_i = item.analyte == TROPONIN_I
    # Of two that contradict each other the lower one, so that doubt never makes the card milder.
    earlier = min(newest_of(before, known).accepted, key=_by_height, default=None)
    consulted = [c for c in facts.consultations if c.specialty is Specialty.HEART and _is_from(c.when, item.measured)]
    return {
        "analyte": item.analyte,
        "infusion_date": infusion or "",
        "day_number": days_from(infusion, facts.today) if infusion else "",
        "result_written": item.written or item.flag.value,
        "result_date": item.evidence.day,
        "limits_written": item.limits.written if item.limits is not None else "",
        "times_uln": written_multiple(item) if times_uln(item) is not None else "",
        "why": why_unclassified(item) if is_raised(item) is Certainty.UNKNOWN else "",
        "is_preliminary": item.standing is not Standing.ACCEPTED or not item.measured.may_satisfy,
        "highest": highest,
        "is_above_highest": is_i and item.amount is not None and item.amount.is_above(highest) is Certainty.TRUE,
        "before_written": written_result(earlier) if earlier else "",
        "was_as_high": is_i and earlier is not None and _is_as_high(earlier, item),
        "consult_date": ", ".join(sorted({c.evidence.day for c in consulted})),
    }


def _is_as_high(earlier: LabResult, now: LabResult) -> bool:
    """Whether the value of before the infusion was surely raised too, and at least as high as the one now."""
    if earlier.amount is None or now.amount is None or now.amount.high is None or not is_measured(earlier):
        return False
    return is_raised(earlier) is Certainty.TRUE and earlier.amount.is_below(now.amount.high) is Certainty.FALSE


def _is_from(when: ClinicalTime, sampled: ClinicalTime) -> bool:
    return when.day is not None and sampled.day is not None and when.day >= sampled.day


def _what_to_order(item: LabResult, facts: PatientFacts, known: Known) -> list[RequestTest]:
    """The cardiologist, unless asked since the result; troponin I once more, unless it is ordered."""
    asked = any(c.specialty is Specialty.HEART and _is_from(c.when, item.measured) for c in facts.consultations)
    ordered = any(r.is_active and TROPONIN_I in analytes_of(r, known) for r in facts.requested_tests)
    return [*(() if asked else (CONSULT,)), *(() if ordered else (TROPONIN_ORDER,))]
