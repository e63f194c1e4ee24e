"""What speaks for thrombotic microangiopathy: limbs of its triad and the signs (label 5.4; clinical-rules 4H).

Each is present, absent, or not measured. Present may come from anything that is told, also from what is not final.
Absent comes only from accepted data that were measured after everything that is present began. The label gives no
numbers; all of them are site policy.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from itertools import accumulate
from typing import TypeVar

from cds_service.domain.certainty import Certainty, all_of, any_of
from cds_service.domain.days import ClinicalTime, days_from, is_later
from cds_service.domain.dosing_weight import choose_weight
from cds_service.domain.evidence import Evidence, Standing, distinct
from cds_service.domain.exposure import infusion_day, infusion_moment
from cds_service.domain.facts import Diagnosis, PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import (
    PLATELETS,
    is_after_infusion,
    is_measured,
    measured_after_infusion,
    results_after_infusion,
)
from cds_service.domain.newest import may_be_as_new, newest_of
from cds_service.domain.platelet_count import baseline_count, is_below_normal
from cds_service.domain.quantities import Quantity, exact_product, plain
from cds_service.domain.reference_range import exceeds
from cds_service.domain.reliable_results import newest_reliable, written_result
from cds_service.domain.results import BloodPressure, BloodSmear, LabFlag, LabResult, UrineOutput

CREATININE, HEMOGLOBIN, LDH, HAPTOGLOBIN = "creatinine", "hemoglobin", "ldh", "haptoglobin"
SHOWN_COUNTS = 6
_ONCE = Decimal(1)
_HOURS_PER_DAY = Decimal(24)
_Item = TypeVar("_Item", BloodSmear, BloodPressure, UrineOutput)


class Presence(Enum):
    """Whether a limb or a sign is there. Absent is never concluded from a record that says nothing."""

    PRESENT = "present"
    ABSENT = "absent"
    NOT_MEASURED = "not-measured"


@dataclass(frozen=True, slots=True)
class Limb:
    """One limb of the triad, or one sign.

    `ways` name what makes it present. `written` is the newest value with its day, also where it proves nothing; `why`
    then says why not: old, earlier (than what is present), or unclear. `since` is the first day of what is present
    now, None where that day is not known.
    """

    presence: Presence
    ways: tuple[str, ...] = ()
    written: str = ""
    day: date | None = None
    since: date | None = None
    why: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_present(self) -> bool:
        """Whether it is there."""
        return self.presence is Presence.PRESENT

    @property
    def is_absent(self) -> bool:
        """Whether accepted data say that it is not there."""
        return self.presence is Presence.ABSENT


@dataclass(frozen=True, slots=True)
class Microangiopathy:
    """The triad, the signs, and a diagnosis that somebody has made already.

    `hemolysis` is the specific kind; `possible_hemolysis` a fall of haemoglobin or a low haptoglobin by itself.
    """

    platelets: Limb
    hemolysis: Limb
    possible_hemolysis: Limb
    schistocytes: Limb
    kidney: Limb
    hypertension: Limb
    bruising: Limb
    seizure: Limb
    urine: Limb
    diagnosis: Limb

    @property
    def clinical_signs(self) -> tuple[Limb, ...]:
        """The signs that the label names."""
        return (self.hypertension, self.bruising, self.seizure, self.urine)

    @property
    def is_excluded_by_tests(self) -> bool:
        """Whether all three limbs were measured after the signs, and none is there."""
        return self.platelets.is_absent and self.hemolysis.is_absent and self.kidney.is_absent


def microangiopathy(facts: PatientFacts, known: Known) -> Microangiopathy:
    """Where each limb and each sign stands today. Only for a child with an infusion day that is not ahead."""
    return facts.once(_microangiopathy, known)


def _microangiopathy(facts: PatientFacts, known: Known) -> Microangiopathy:
    smear = _schistocytes(facts)
    specific, possible = _hemolysis(smear, facts, known)
    found = Microangiopathy(
        platelets=_thrombocytopenia(facts, known),
        hemolysis=specific,
        possible_hemolysis=possible,
        schistocytes=smear,
        kidney=_kidney(facts, known),
        hypertension=_hypertension(facts, known),
        bruising=_recorded(facts, known, "bruising"),
        seizure=_recorded(facts, known, "seizure"),
        urine=_urine(facts, known),
        diagnosis=_recorded(facts, known, "thrombotic_microangiopathy"),
    )
    present = (found.platelets, found.hemolysis, found.kidney, found.diagnosis, *found.clinical_signs)
    began = max((limb.since for limb in present if limb.is_present and limb.since), default=None)
    return replace(
        found,
        platelets=_unless_earlier(found.platelets, began),
        hemolysis=_unless_earlier(found.hemolysis, began),
        kidney=_unless_earlier(found.kidney, began),
        hypertension=_unless_earlier(found.hypertension, began),
        urine=_unless_earlier(found.urine, began),
    )


def _unless_earlier(limb: Limb, began: date | None) -> Limb:
    """What was normal before the signs began says nothing about today."""
    is_earlier = began is not None and limb.day is not None and limb.day < began
    return replace(limb, presence=Presence.NOT_MEASURED, why="earlier") if limb.is_absent and is_earlier else limb


# --- readings of one kind


@dataclass(frozen=True, slots=True)
class _Reading:
    """One datum: whether it is abnormal, and whether it may prove anything."""

    verdict: Certainty
    measured: ClinicalTime
    is_accepted: bool
    written: str
    evidence: Evidence
    ways: tuple[str, ...] = ()


def _limb(newest: Sequence[_Reading], every: Sequence[_Reading]) -> Limb:
    """The limb as the newest readings tell it; `every` reading says since when."""
    evidence = distinct(reading.evidence for reading in newest)
    abnormal = [reading for reading in newest if reading.verdict is Certainty.TRUE]
    if abnormal:
        ways = tuple(dict.fromkeys(way for reading in abnormal for way in reading.ways))
        is_dated = all(reading.measured.day is not None for reading in abnormal)
        since = _episode_start(every) if is_dated else None
        first = abnormal[0]
        return Limb(Presence.PRESENT, ways, first.written, first.measured.day, since, evidence=evidence)
    if not newest:
        return Limb(Presence.NOT_MEASURED)
    accepted = [reading for reading in newest if reading.is_accepted]
    shown = (accepted or list(newest))[0]
    is_sure = bool(accepted) and all(reading.verdict is Certainty.FALSE for reading in accepted)
    presence, why = (Presence.ABSENT, "") if is_sure else (Presence.NOT_MEASURED, "unclear")
    return Limb(presence, (), shown.written, shown.measured.day, why=why, evidence=evidence)


def _episode_start(readings: Iterable[_Reading]) -> date | None:
    """The first of the days in a row on which it was abnormal, back from the newest; a normal accepted day ends it."""
    by_day: dict[date, list[_Reading]] = {}
    for reading in readings:
        if reading.measured.day is not None:
            by_day.setdefault(reading.measured.day, []).append(reading)
    start = None
    for day in sorted(by_day, reverse=True):
        if any(reading.verdict is Certainty.TRUE for reading in by_day[day]):
            start = day
        elif any(reading.is_accepted and reading.verdict is Certainty.FALSE for reading in by_day[day]):
            break
    return start


def _newest_day(readings: Iterable[_Reading]) -> list[_Reading]:
    """All readings of the newest accepted day, and those that may be as new without proving anything."""
    told = list(readings)
    day = max((r.measured.day for r in told if r.is_accepted and r.measured.day), default=None)
    if day is None:
        return told
    reference = ClinicalTime(day.isoformat(), day)
    return [r for r in told if (r.measured.day == day if r.is_accepted else may_be_as_new(r.measured, reference))]


def _of_lab(
    results: Sequence[LabResult], judge: Callable[[LabResult], tuple[Certainty, tuple[str, ...]]], known: Known
) -> Limb:
    """The limb as the newest results of one analyte tell it; what cannot be judged takes no alarm back."""
    judged = {id(item): judge(item) for item in results}
    newest = newest_reliable(results, lambda item: judged[id(item)][0], known)
    sure = {id(item) for item in (*newest.accepted, *newest.earlier)}
    readings = {id(item): _lab_reading(item, judged[id(item)], id(item) in sure) for item in results}
    told = [readings[id(item)] for item in (*newest.accepted, *newest.provisional)]
    return _limb(told, list(readings.values()))


def _lab_reading(item: LabResult, judged: tuple[Certainty, tuple[str, ...]], is_reliable: bool) -> _Reading:
    verdict, ways = judged
    return _Reading(verdict, item.measured, is_reliable, written_result(item), item.evidence, ways)


def _status(standing: Standing, evidence: Evidence) -> list[str]:
    return [evidence.status] if standing is not Standing.ACCEPTED and evidence.status else []


def _written(evidence: Evidence, standing: Standing) -> str:
    parts = [evidence.value or evidence.name, evidence.day, *_status(standing, evidence)]
    return ", ".join(part for part in parts if part)


def numbers_after(analyte: str, facts: PatientFacts) -> list[LabResult]:
    """The results of an analyte after the infusion that hold a number: clumped or estimated is no count."""
    return [item for item in results_after_infusion(analyte, facts) if item.number is not None]


def baseline(analyte: str, facts: PatientFacts, known: Known) -> LabResult | None:
    """The newest accepted result before the infusion; None where there is none, or two of one time differ."""
    if analyte == PLATELETS:
        return baseline_count(facts, known)
    before = [
        item
        for item in facts.results_of(analyte)
        if item.standing is not Standing.NO_INFORMATION
        and item.number is not None
        and item.measured.day is not None
        and not is_after_infusion(item, facts)
    ]
    accepted = newest_of(before, known).accepted
    amounts = {item.amount for item in accepted}
    return accepted[0] if len(amounts) == 1 and accepted[0].amount is not None else None


# --- platelets


def _thrombocytopenia(facts: PatientFacts, known: Known) -> Limb:
    """The newest count, not older than the site allows, is low or has fallen by half (ruling 49)."""
    counts, before = numbers_after(PLATELETS, facts), baseline_count(facts, known)
    limb = _of_lab(counts, lambda item: is_low_count(item, before, known), known)
    return _unless_old(limb, facts, known.policy.whole("tma.count_days"))


def _unless_old(limb: Limb, facts: PatientFacts, days: int) -> Limb:
    if limb.day is not None and days_from(limb.day, facts.today) > days:
        return replace(limb, presence=Presence.NOT_MEASURED, ways=(), since=None, why="old")
    return limb


def is_low_count(count: LabResult, before: LabResult | None, known: Known) -> tuple[Certainty, tuple[str, ...]]:
    """Whether a count is below its lower limit or has fallen from the baseline `before`, and which of it."""
    below, fell = is_below_normal(count, known), has_fallen(count, before, known)
    has_own_limit = count.limits is not None and count.limits.low is not None
    judged = {"below-own-limit" if has_own_limit else "below-site-limit": below, "fallen": fell}
    # Without a baseline the range alone decides, and the card says so.
    parts = [below] if before is None else [below, fell]
    return any_of(parts), tuple(way for way, certainty in judged.items() if certainty is Certainty.TRUE)


def has_fallen(count: LabResult, before: LabResult | None, known: Known) -> Certainty:
    """Whether a count has fallen by the site's share of the baseline `before` or more; UNKNOWN without one."""
    if before is None or before.amount is None or count.amount is None or before.amount.low is None:
        return Certainty.UNKNOWN
    kept = exact_product(before.amount.low, _ONCE - known.policy["platelet.fall_ratio"])
    above = count.amount.is_above(kept)
    if above is Certainty.FALSE:
        return Certainty.TRUE
    is_sure = above is Certainty.TRUE and before.amount.exact is not None
    return Certainty.FALSE if is_sure else Certainty.UNKNOWN


def is_count_known(facts: PatientFacts, known: Known, since: date | None = None) -> bool:
    """Whether an accepted count of the site's last hours can be judged, taken on this day or later."""
    hours = timedelta(hours=known.policy.whole("tma.count_hours"))
    sure = measured_after_infusion(PLATELETS, facts, known)
    return any(
        facts.is_within(item.measured, hours)
        and is_below_normal(item, known) is not Certainty.UNKNOWN
        and (since is None or (item.measured.day or since) >= since)
        for item in sure
    )


# --- haemolysis


def _schistocytes(facts: PatientFacts) -> Limb:
    readings = [
        _Reading(
            _as_certainty(item.has_schistocytes),
            item.measured,
            item.standing is Standing.ACCEPTED and item.measured.may_satisfy,
            f"schistocytes {_written(item.evidence, item.standing)}",
            item.evidence,
            ("schistocytes",),
        )
        for item in _after(facts.blood_smears, facts)
    ]
    told = [reading for reading in readings if reading.verdict is not Certainty.UNKNOWN]
    return _limb(_newest_day(told), told)


def _as_certainty(said: bool | None) -> Certainty:
    if said is None:
        return Certainty.UNKNOWN
    return Certainty.TRUE if said else Certainty.FALSE


def _hemolysis(smear: Limb, facts: PatientFacts, known: Known) -> tuple[Limb, Limb]:
    """The specific and the possible haemolysis (policy tma.hemoglobin_fall)."""
    counts = numbers_after(HEMOGLOBIN, facts)
    falls, quick_falls = _hemoglobin_falls(counts, facts, known)
    fallen = _of_lab(counts, lambda item: (falls[id(item)], (HEMOGLOBIN,)), known)
    fast = _of_lab(counts, lambda item: (quick_falls[id(item)], (HEMOGLOBIN,)), known)
    ldh = _of_lab(numbers_after(LDH, facts), lambda item: (_is_high(item), (LDH,)), known)
    haptoglobin = _of_lab(numbers_after(HAPTOGLOBIN, facts), lambda item: (_is_low(item), (HAPTOGLOBIN,)), known)
    beside = [limb for limb in (ldh, haptoglobin) if limb.is_present and _is_near(limb.day, fast.day, known)]
    together = [_joined((fast, *beside))] if fast.is_present and beside else []
    anemia = _recorded(facts, known, "microangiopathic_hemolytic_anemia")
    parts = [limb for limb in (smear, anemia, *together) if limb.is_present]
    possible = [limb for limb in (fallen, haptoglobin) if limb.is_present]
    specific = _joined(parts) if parts else _no_hemolysis((fallen, smear, haptoglobin))
    return specific, _joined(possible) if possible else Limb(Presence.NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class _Before:
    """What haemoglobin was on earlier days: the highest lower and upper bounds, and whether all bounds are known."""

    highest_low: Decimal | None
    highest_high: Decimal | None
    is_all_known: bool

    @classmethod
    def of(cls, results: Iterable[LabResult]) -> _Before:
        """What these results, at least one, say together."""
        amounts = [result.amount for result in results]
        lows = [amount.low for amount in amounts if amount is not None and amount.low is not None]
        highs = [amount.high for amount in amounts if amount is not None and amount.high is not None]
        return cls(max(lows, default=None), max(highs, default=None), len(highs) == len(amounts))

    def together_with(self, other: _Before) -> _Before:
        """What both say together."""
        lows = [low for low in (self.highest_low, other.highest_low) if low is not None]
        highs = [high for high in (self.highest_high, other.highest_high) if high is not None]
        is_all_known = self.is_all_known and other.is_all_known
        return _Before(max(lows, default=None), max(highs, default=None), is_all_known)

    def has_lost(self, now: Interval | None, allowed: Decimal) -> Certainty:
        """Whether a value is lower by the allowed amount or more than one of them; FALSE only if sure of all."""
        if now is None:
            return Certainty.UNKNOWN
        if now.high is not None and self.highest_low is not None and self.highest_low - now.high >= allowed:
            return Certainty.TRUE
        if not self.is_all_known or self.highest_high is None or now.low is None:
            return Certainty.UNKNOWN
        return Certainty.FALSE if self.highest_high - now.low < allowed else Certainty.UNKNOWN


@dataclass(frozen=True, slots=True)
class _Hours:
    """The values of one day whose hour is known, earliest first: the moment of each, and what all until it say."""

    moments: Sequence[float]
    until: Sequence[_Before]
    allowance: float

    @classmethod
    def of(cls, results: Iterable[LabResult], known: Known) -> _Hours:
        """The results of one day; those without an hour may be of any, and are left out."""
        timed = sorted((item for item in results if item.measured.instant), key=lambda item: item.measured.seconds)
        until = list(accumulate((_Before.of([item]) for item in timed), _Before.together_with))
        minutes = timedelta(minutes=known.policy.whole("observation.same_time_minutes"))
        return cls([item.measured.seconds for item in timed], until, minutes.total_seconds())

    def before(self, item: LabResult) -> _Before | None:
        """What the values say that are earlier than a result by more than results of one time may differ."""
        if item.measured.instant is None:
            return None
        index = bisect_left(self.moments, item.measured.seconds - self.allowance)
        return self.until[index - 1] if index else None


def _hemoglobin_falls(
    counts: Sequence[LabResult], facts: PatientFacts, known: Known
) -> tuple[dict[int, Certainty], dict[int, Certainty]]:
    """Whether haemoglobin fell by the site's amount or more, by the `id` of each result; and whether it did so fast.

    A fall is one from the baseline, or from a value of the site's days before. It is fast from the baseline only
    within the site's days after the infusion. A value of the same day that is surely earlier can show a fall, and no
    other value of that day proves that there was none.
    """
    infusion = infusion_day(facts)
    assert infusion is not None
    days = known.policy.whole("tma.hemoglobin_fall_days")
    allowed = known.policy["tma.hemoglobin_fall_g_per_dl"]
    first = baseline(HEMOGLOBIN, facts, known)
    from_first = _Before.of([first]) if first is not None else None
    by_day: dict[date, list[LabResult]] = {}
    for item in counts:
        if is_measured(item) and item.measured.day is not None:
            by_day.setdefault(item.measured.day, []).append(item)
    daily = {day: _Before.of(results) for day, results in by_day.items()}
    hourly = {day: _Hours.of(results, known) for day, results in by_day.items()}
    falls, quick_falls = {}, {}
    for item in counts:
        day = item.measured.day or facts.today
        before = [daily[earlier] for back in range(1, days + 1) if (earlier := day - timedelta(back)) in daily]
        lately = [said.has_lost(item.amount, allowed) for said in before]
        since_first = [from_first.has_lost(item.amount, allowed)] if from_first is not None else []
        is_early = days_from(infusion, day) <= days
        earlier_today = hourly[day].before(item) if day in hourly else None
        if earlier_today is not None and earlier_today.has_lost(item.amount, allowed) is Certainty.TRUE:
            lately.append(Certainty.TRUE)
        falls[id(item)] = any_of(all_said) if (all_said := [*lately, *since_first]) else Certainty.UNKNOWN
        quickly = [*lately, *since_first] if is_early else lately
        quick_falls[id(item)] = any_of(quickly) if quickly else Certainty.UNKNOWN
    return falls, quick_falls


def _is_high(item: LabResult) -> Certainty:
    has_limit = item.limits is not None and item.limits.high is not None
    if not has_limit and item.flag is LabFlag.HIGH:
        return Certainty.TRUE
    return exceeds(item, _ONCE)


def _is_low(item: LabResult) -> Certainty:
    limits = item.limits
    if limits is None or limits.low is None:
        return Certainty.TRUE if item.flag is LabFlag.LOW else Certainty.UNKNOWN
    below = limits.number.is_below(limits.low)
    is_doubtful = not limits.is_unit_known or item.flag is LabFlag.LOW
    return Certainty.UNKNOWN if below is Certainty.FALSE and is_doubtful else below


def _is_near(one: date | None, other: date | None, known: Known) -> bool:
    days = known.policy.whole("tma.hemoglobin_fall_days")
    return one is None or other is None or abs(days_from(one, other)) <= days


def _joined(limbs: Sequence[Limb]) -> Limb:
    """Several limbs as one, there since the last of them began: what is new asks for an answer again."""
    since = max((limb.since for limb in limbs if limb.since), default=None)
    return Limb(
        Presence.PRESENT,
        tuple(dict.fromkeys(way for limb in limbs for way in limb.ways)),
        "; ".join(dict.fromkeys(limb.written for limb in limbs if limb.written)),
        max((limb.day for limb in limbs if limb.day), default=None),
        since if all(limb.since is not None for limb in limbs) else None,
        evidence=distinct(item for limb in limbs for item in limb.evidence),
    )


def _no_hemolysis(parts: Sequence[Limb]) -> Limb:
    """Absent only where haemoglobin, smear and haptoglobin all say so, as old as the oldest of them."""
    written = "; ".join(limb.written for limb in parts if limb.written)
    evidence = distinct(item for limb in parts for item in limb.evidence)
    absent = all_of(Certainty.TRUE if limb.is_absent else Certainty.UNKNOWN for limb in parts)
    if absent is not Certainty.TRUE:
        return Limb(Presence.NOT_MEASURED, written=written, why="unclear" if written else "", evidence=evidence)
    oldest = min(limb.day for limb in parts if limb.day)
    return Limb(Presence.ABSENT, written=written, day=oldest, evidence=evidence)


# --- kidney


def _kidney(facts: PatientFacts, known: Known) -> Limb:
    """Creatinine, or a recorded acute kidney injury (policy tma.creatinine)."""
    results, before = numbers_after(CREATININE, facts), baseline(CREATININE, facts, known)
    measured = _of_lab(results, lambda item: is_creatinine_raised(item, before, known), known)
    return _with_recorded(measured, "acute_kidney_injury", facts, known)


def _with_recorded(measured: Limb, concept: str, facts: PatientFacts, known: Known) -> Limb:
    """What was measured, and what somebody recorded beside it."""
    recorded = _recorded(facts, known, concept)
    if not recorded.is_present:
        return measured
    return _joined([measured, recorded]) if measured.is_present else recorded


def is_creatinine_raised(item: LabResult, first: LabResult | None, known: Known) -> tuple[Certainty, tuple[str, ...]]:
    """Whether creatinine is above its own limit, or has risen from the baseline `first`, and which of it."""
    ratio, rise = known.policy["tma.creatinine_ratio"], known.policy["tma.creatinine_rise_mg_per_dl"]
    before = first.amount if first is not None else None
    own_rise = known.units.in_own_unit(Quantity(rise, "mg/dL"), CREATININE)
    judged = {
        "above-own-limit": _is_high(item),
        "ratio": _has_reached(item.amount, before, lambda value: exact_product(value, ratio)),
        "rise": _has_reached(item.amount, before, lambda value: value + own_rise),
    }
    return any_of(judged.values()), tuple(way for way, said in judged.items() if said is Certainty.TRUE)


def _has_reached(now: Interval | None, before: Interval | None, limit: Callable[[Decimal], Decimal]) -> Certainty:
    """Whether a value is at or above a limit worked out from the one before, also where that is an upper bound."""
    if now is None or before is None or before.high is None:
        return Certainty.UNKNOWN
    below = now.is_below(limit(before.high))
    if below is Certainty.FALSE:
        return Certainty.TRUE
    is_sure = below is Certainty.TRUE and before.exact is not None
    return Certainty.FALSE if is_sure else Certainty.UNKNOWN


# --- signs at the bedside


def _after(items: Iterable[_Item], facts: PatientFacts) -> list[_Item]:
    """What is told and was not surely before the infusion."""
    return [
        item
        for item in items
        if item.standing is not Standing.NO_INFORMATION and not is_before_infusion(item.measured, facts)
    ]


def is_before_infusion(moment: ClinicalTime, facts: PatientFacts) -> bool:
    """Whether it is surely of before the infusion; on the day itself only where both hours say so."""
    infusion, began = infusion_day(facts), infusion_moment(facts)
    if infusion is None or moment.day is None:
        return False
    if moment.day == infusion and moment.instant is not None and began is not None:
        return not is_later(moment.instant, began)
    return moment.day < infusion


def systolic_limit(facts: PatientFacts, known: Known) -> Decimal:
    """The site's limit of the systolic pressure at this age; the lower one where the age is not known."""
    is_young = facts.age_in_months_is_below(known.policy.whole("tma.systolic.young_below_months"))
    return known.policy["tma.systolic.young_above" if is_young else "tma.systolic.older_above"]


def _hypertension(facts: PatientFacts, known: Known) -> Limb:
    """A pressure above the site's limit, a recorded hypertension, or a medicine for it begun after the infusion.

    Of the pressures the newest day counts, and of that day the highest.
    """
    limit = systolic_limit(facts, known)
    readings = [
        _Reading(
            _as_certainty(None if item.systolic is None else item.systolic > limit),
            item.measured,
            item.standing is Standing.ACCEPTED and item.measured.may_satisfy and item.systolic is not None,
            _written(item.evidence, item.standing),
            item.evidence,
            ("pressure",),
        )
        for item in sorted(_after(facts.blood_pressures, facts), key=_highest_first)
    ]
    measured = _bedside(readings, facts, known)
    found = (measured, _recorded(facts, known, "hypertension"), _new_medicine(facts))
    present = [limb for limb in found if limb.is_present]
    return _joined(present) if present else measured


def _highest_first(item: BloodPressure) -> tuple[Decimal, str]:
    return (-item.systolic if item.systolic is not None else Decimal(0), item.evidence.reference)


def _new_medicine(facts: PatientFacts) -> Limb:
    """A medicine that lowers the blood pressure, of which no order or dose of before the infusion is known."""
    infusion = infusion_day(facts)
    assert infusion is not None
    earlier = {item.evidence.name for item in facts.antihypertensives if item.starts and item.starts < infusion}
    new = [
        item
        for item in facts.antihypertensives
        if item.evidence.name not in earlier
        and item.standing is not Standing.NO_INFORMATION
        and (item.starts is None or infusion < item.starts <= facts.today)
    ]
    if not new:
        return Limb(Presence.NOT_MEASURED)
    days = [item.starts for item in new if item.starts]
    return Limb(
        Presence.PRESENT,
        ("medicine",),
        "; ".join(dict.fromkeys(_written(item.evidence, item.standing) for item in new)),
        max(days, default=None),
        min(days) if len(days) == len(new) else None,
        evidence=distinct(item.evidence for item in new),
    )


def _urine(facts: PatientFacts, known: Known) -> Limb:
    """Less urine than the site's limit by the newest weight, or a recorded oliguria. Of a day the least counts."""
    weight = choose_weight(facts, known).chosen
    kg = weight.raw_kg if weight is not None else None
    outputs = sorted(_after(facts.urine_outputs, facts), key=_least_first)
    measured = _bedside([_urine_reading(item, kg, known) for item in outputs], facts, known)
    return _with_recorded(measured, "oliguria", facts, known)


def _least_first(item: UrineOutput) -> tuple[bool, Decimal, str]:
    return (item.ml_per_day is None, item.ml_per_day or Decimal(0), item.evidence.reference)


def _urine_reading(item: UrineOutput, kg: Decimal | None, known: Known) -> _Reading:
    enough = known.policy["tma.urine_below_ml_per_kg_per_hour"]
    is_low = None
    if item.ml_per_day is not None and kg is not None:
        is_low = item.ml_per_day < exact_product(enough, kg, _HOURS_PER_DAY)
    written = _written(item.evidence, item.standing)
    return _Reading(
        _as_certainty(is_low),
        item.measured,
        item.standing is Standing.ACCEPTED and item.measured.may_satisfy and is_low is not None,
        f"{written}, at {plain(kg)} kg" if kg is not None else written,
        item.evidence,
        ("volume",),
    )


def _bedside(readings: Sequence[_Reading], facts: PatientFacts, known: Known) -> Limb:
    """The limb by the newest day of a measurement, which says nothing any more after the site's days."""
    limb = _limb(_newest_day(readings), readings)
    return _unless_old(limb, facts, known.policy.whole("tma.sign_days"))


def _recorded(facts: PatientFacts, known: Known, concept: str) -> Limb:
    """A diagnosis or reason of the visit since the infusion; one that is over only for the site's hours.

    That nothing is recorded is no proof that nothing is there.
    """
    hours = timedelta(hours=known.policy.whole("tma.count_hours"))
    named = (*facts.with_concept(concept), *(item for item in facts.visit_reasons if item.concept == concept))
    found = [
        item
        for item in named
        if not is_before_infusion(item.onset, facts)
        and (item.standing is not Standing.NO_INFORMATION or facts.is_within(item.onset, hours))
    ]
    if not found:
        return Limb(Presence.NOT_MEASURED)
    days = [item.onset.day for item in found if item.onset.day]
    newest = max(days, default=None)
    return Limb(
        Presence.PRESENT,
        ("recorded",),
        "; ".join(dict.fromkeys(_written_diagnosis(item) for item in found)),
        newest,
        newest if len(days) == len(found) else None,
        evidence=distinct(item.evidence for item in found),
    )


def _written_diagnosis(item: Diagnosis) -> str:
    named = item.evidence
    return ", ".join(part for part in (named.name or named.value, named.day, named.status) if part)
