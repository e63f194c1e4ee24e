"""The five liver tests after the infusion, and whether they are unremarkable (label 2.1, 2.3; clinical-rules C5, C6).

The label's clinical examination is no laboratory result and is never concluded here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cds_service.domain.certainty import Certainty, all_of
from cds_service.domain.days import days_from
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.exposure import infusion_day, infusion_moment
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.newest import newest_of
from cds_service.domain.quantities import Quantity, exact_product
from cds_service.domain.reference_range import exceeds, flag_contradicts, why_unclassified
from cds_service.domain.results import LabFlag, LabResult

ENZYMES = ("alt", "ast")
NORMAL_TESTS = ("total_bilirubin", "prothrombin_time", "inr")
LIVER_PANEL = (*ENZYMES, *NORMAL_TESTS)
PLATELETS = "platelets"
_ONCE = Decimal(1)


def is_unremarkable(result: LabResult, known: Known) -> Certainty:
    """Whether one result is what the label calls unremarkable: ALT and AST below 2 x ULN, the others normal.

    Strictly below: exactly 2 x ULN is not (2.1). A value below the lower limit counts as normal here (C5 no. 4).
    Without a usable upper limit, with a doubtful unit or a contradicting flag it is at best UNKNOWN.
    """
    if is_zero(result):
        return Certainty.UNKNOWN
    if result.analyte not in ENZYMES:
        return _is_normal(result, known)
    limits = result.limits
    if limits is None or limits.high is None:
        return Certainty.UNKNOWN
    below = limits.number.is_below(exact_product(limits.high, known.label["liver_unremarkable_times_uln"]))
    is_doubtful = not limits.is_unit_known or flag_contradicts(result)
    return Certainty.UNKNOWN if below is Certainty.TRUE and is_doubtful else below


def is_zero(result: LabResult) -> bool:
    """Whether a liver test is reported as zero, which no child has: something else was meant."""
    return result.analyte in LIVER_PANEL and result.number is not None and result.number.high == 0


def _is_normal(result: LabResult, known: Known) -> Certainty:
    has_range = result.limits is not None and result.limits.high is not None
    if not has_range and result.flag in (LabFlag.HIGH, LabFlag.ABNORMAL):
        return Certainty.FALSE
    if not has_range and is_too_high_for_a_flag(result, known):
        return Certainty.UNKNOWN
    above = exceeds(result, _ONCE)
    if above is Certainty.FALSE:
        # A clotting time in per cent is another scale: the lower, the worse.
        return Certainty.TRUE if result.amount is not None else Certainty.UNKNOWN
    return Certainty.FALSE if above is Certainty.TRUE else Certainty.UNKNOWN


def is_too_high_for_a_flag(result: LabResult, known: Known) -> bool:
    """Whether "normal" without a range stands beside a number that the site would not call so."""
    limits = {"inr": Quantity(known.policy["liver.flag_only.inr_at_least"], "1")}
    limits["total_bilirubin"] = Quantity(known.policy["liver.flag_only.bilirubin_at_least_mg_per_dl"], "mg/dL")
    limit = limits.get(result.analyte)
    if limit is None or result.amount is None:
        return False
    return result.amount.is_below(known.units.in_own_unit(limit, result.analyte)) is not Certainty.TRUE


def is_after_infusion(result: LabResult, facts: PatientFacts) -> bool:
    """Whether a result is, or may be, of a sample taken after the infusion.

    On the infusion day itself only where both hours say so; without them the sample counts as baseline
    (clinical-rules 6.2). A result of an unknown day may be of any.
    """
    infusion, day = infusion_day(facts), result.measured.day
    if infusion is None:
        return False
    if day is None or day != infusion:
        return day is None or day > infusion
    began = infusion_moment(facts)
    return result.measured.instant is not None and began is not None and result.measured.seconds > began.timestamp()


def results_after_infusion(analyte: str, facts: PatientFacts) -> tuple[LabResult, ...]:
    """All results of an analyte after the infusion that say anything, in the record's order."""
    return facts.once(_results_after_infusion, analyte)


def _results_after_infusion(facts: PatientFacts, analyte: str) -> tuple[LabResult, ...]:
    return tuple(
        item
        for item in facts.results_of(analyte)
        if item.standing is not Standing.NO_INFORMATION and is_after_infusion(item, facts)
    )


def measured_after_infusion(analyte: str, facts: PatientFacts, known: Known) -> Sequence[LabResult]:
    """The results of an analyte after the infusion that say how much and that no other contradicts."""
    return facts.once(_measured_after_infusion, known, analyte)


def _measured_after_infusion(facts: PatientFacts, known: Known, analyte: str) -> Sequence[LabResult]:
    return undisputed(results_after_infusion(analyte, facts), known)


@dataclass(frozen=True, slots=True)
class TestReading:
    """What the newest results of one test say. `verdict`: whether it is unremarkable.

    `why` names what keeps it from being proven: missing, preliminary, conflict, too-early, old, or why the multiple
    cannot be told; "" where it is proven or abnormal. `result` is the one to show, None where there is none.
    """

    analyte: str
    verdict: Certainty
    why: str
    result: LabResult | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class PanelReading:
    """The five tests together."""

    tests: tuple[TestReading, ...]

    @property
    def verdict(self) -> Certainty:
        """Whether all five are unremarkable; FALSE where one is abnormal, UNKNOWN where one is not proven."""
        return all_of(test.verdict for test in self.tests)

    @property
    def abnormal(self) -> tuple[TestReading, ...]:
        """The tests that are surely not unremarkable."""
        return tuple(test for test in self.tests if test.verdict is Certainty.FALSE)

    @property
    def unproven(self) -> tuple[TestReading, ...]:
        """The tests of which nobody can tell."""
        return tuple(test for test in self.tests if test.verdict is Certainty.UNKNOWN)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The results behind it."""
        return tuple(item for test in self.tests for item in test.evidence)


def newest_panel(
    facts: PatientFacts, known: Known, first_day: date | None = None, on: date | None = None
) -> PanelReading:
    """The newest result of each of the five tests after the infusion.

    Only samples of `first_day` or later prove anything, and only as long as they are not older than the site allows
    on the day `on` (ruling 41); an abnormal one counts whatever its age. Of conflicting results the worse one
    counts, and none proves anything (C3).
    """
    return PanelReading(tuple(_reading(analyte, facts, known, first_day, on) for analyte in LIVER_PANEL))


def _reading(analyte: str, facts: PatientFacts, known: Known, first_day: date | None, on: date | None) -> TestReading:
    newest = newest_of(results_after_infusion(analyte, facts), known)
    told = (*newest.accepted, *newest.provisional)
    evidence = tuple(item.evidence for item in told)
    abnormal = [item for item in told if is_unremarkable(item, known) is Certainty.FALSE]
    if abnormal:
        return TestReading(analyte, Certainty.FALSE, "", abnormal[0], evidence)
    why, shown = _why_unproven(newest.accepted, newest.provisional, known, first_day, on)
    return TestReading(analyte, Certainty.UNKNOWN if why else Certainty.TRUE, why, shown, evidence)


def _why_unproven(
    accepted: tuple[LabResult, ...],
    provisional: tuple[LabResult, ...],
    known: Known,
    first_day: date | None,
    on: date | None,
) -> tuple[str, LabResult | None]:
    if not accepted:
        return ("preliminary", provisional[0]) if provisional else ("missing", None)
    newest = accepted[0]
    day = newest.measured.day
    if len({item.amount or item.written for item in accepted}) > 1:
        return "conflict", newest
    if first_day is not None and day is not None and day < first_day:
        return "too-early", newest
    if on is not None and day is not None and days_from(day, on) > known.policy.whole("taper.labs_fresh_days"):
        return "old", newest
    if any(is_unremarkable(item, known) is not Certainty.TRUE for item in provisional):
        return "preliminary", provisional[0]
    unclear = next((item for item in accepted if is_unremarkable(item, known) is Certainty.UNKNOWN), None)
    return (why_unclassified(unclear), unclear) if unclear is not None else ("", newest)


def end_check_from(required_end: date, known: Known) -> date:
    """The first day whose samples count for the check at the end of the 30 days."""
    return required_end - timedelta(days=known.policy.whole("steroid.end_check.before_days"))


def panel_for_taper(required_end: date, facts: PatientFacts, known: Known, on: date | None = None) -> PanelReading:
    """The five tests as the taper needs them: sampled around the end of the 30 days or later, and fresh on a day."""
    return newest_panel(facts, known, end_check_from(required_end, known), on or facts.today)


def is_measured(result: LabResult) -> bool:
    """Whether an accepted result says how much: a number in a unit that can be interpreted, at a time relied on."""
    is_read = result.amount is not None or (result.limits is not None and result.limits.is_unit_known)
    is_read = is_read and not is_zero(result)
    return (
        result.standing is Standing.ACCEPTED and result.measured.may_satisfy and result.number is not None and is_read
    )


def undisputed(results: Iterable[LabResult], known: Known) -> list[LabResult]:
    """The results of one analyte that say how much, without those that another accepted one contradicts (C3).

    One of the same time that cannot be read contradicts too: it may have said something else.
    """
    told = (item for item in results if item.standing is Standing.ACCEPTED and item.measured.may_satisfy)
    return [item for item in without_conflicts(told, known) if is_measured(item)]


def without_conflicts(results: Iterable[LabResult], known: Known) -> list[LabResult]:
    """The results of one analyte, apart from those that a correction replaces or another one contradicts (C3).

    Both at the same time only; a corrected result contradicts only another corrected one. A result without an hour is
    compared with those of its day that have none either.
    """
    results = list(results)
    allowance = timedelta(minutes=known.policy.whole("observation.same_time_minutes")).total_seconds()
    corrections = _timed(item for item in results if item.is_correction)
    originals = _timed(item for item in results if not item.is_correction)
    out = {id(r) for timed in (*corrections.values(), *originals.values()) for r in _in_conflict(timed, allowance)}
    for day, timed in originals.items():
        moments = sorted(moment for moment, _ in corrections.get(day, ()))
        out |= {id(item) for moment, item in timed if _has_near(moments, moment, allowance)}
    return [item for item in results if id(item) not in out]


Timed = list[tuple[float, LabResult]]


def _timed(results: Iterable[LabResult]) -> dict[date | None, Timed]:
    """Results with their moment; those that have only a day by their day."""
    groups: dict[date | None, Timed] = {}
    for item in results:
        day = None if item.measured.instant else item.measured.day
        groups.setdefault(day, []).append((item.measured.seconds, item))
    return groups


def _has_near(moments: Sequence[float], moment: float, allowance: float) -> bool:
    """Whether one of these moments, earliest first, lies so close to another one."""
    index = bisect_left(moments, moment - allowance)
    return index < len(moments) and moments[index] <= moment + allowance


def _in_conflict(timed: Timed, allowance: float) -> Iterator[LabResult]:
    """Those for which another amount is reported so soon before or after them."""
    ordered = sorted(timed, key=lambda pair: pair[0])
    for forth in (ordered, ordered[::-1]):
        other: tuple[float, LabResult] | None = None
        for before, (time, item) in zip((None, *forth), forth, strict=False):
            if before is not None and _amount(before[1]) != _amount(item):
                other = before
            if other is not None and abs(time - other[0]) <= allowance:
                yield item


def _amount(result: LabResult) -> object:
    return result.amount or result.written
