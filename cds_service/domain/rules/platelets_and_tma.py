"""Platelets and thrombotic microangiopathy after the infusion (clinical-rules group H; label 2.3, 5.3, 5.4).

Nothing here concludes that there is no microangiopathy: what was not measured is called so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from cds_service.domain.answers import Answer, ProposedChange, RequestTest, Shown, cannot_check, fires, silent, unknown
from cds_service.domain.care import Consultation, Specialty
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import ClinicalTime, days_from
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.exposure import infusion_day, is_infused
from cds_service.domain.facts import Moment, PatientFacts, Source
from cds_service.domain.follow_up import calendar_of, follows_infusion
from cds_service.domain.handling import VisitKind
from cds_service.domain.known import Known
from cds_service.domain.liver_orders import tests_of_slot, tests_on
from cds_service.domain.liver_panel import PLATELETS, is_after_infusion, is_measured, results_after_infusion
from cds_service.domain.microangiopathy import (
    CREATININE,
    HAPTOGLOBIN,
    HEMOGLOBIN,
    LDH,
    SHOWN_COUNTS,
    Limb,
    Microangiopathy,
    baseline,
    has_fallen,
    is_before_infusion,
    is_count_known,
    microangiopathy,
    numbers_after,
    systolic_limit,
)
from cds_service.domain.monitoring_calendar import (
    EVERY_OTHER_WEEK,
    MonitoringCalendar,
    MonitoringSlot,
    Series,
    SlotKind,
    SlotStatus,
)
from cds_service.domain.newest import newest_of, newness
from cds_service.domain.pending_tests import analytes_of, is_pending
from cds_service.domain.platelet_count import baseline_count, is_back_at_baseline, is_below_normal
from cds_service.domain.registry import Answers, rule, rule_of_several
from cds_service.domain.reliable_results import newest_reliable, reliable_results, written_result
from cds_service.domain.results import LabResult
from cds_service.domain.rules.infection_and_vaccines import NO_VACCINE

BLOOD_COUNT, SMEAR, KIDNEY = "cbc", "cbc-with-smear", "kidney-function"
COUNT_MISSING = "platelet-count"
INFECTIONS = ("infection", "sign_of_infection")


def _not_asked(facts: PatientFacts, known: Known) -> Answer | None:
    """What a rule of this group says where there is no follow-up to speak of; None where there is one."""
    if not follows_infusion(facts, known):
        return silent()
    if infusion_day(facts) is None:
        return unknown("infusion-date")
    return None if is_infused(facts) else silent()


def _calendar(facts: PatientFacts, known: Known) -> MonitoringCalendar:
    calendar = calendar_of(facts, known)
    assert calendar is not None
    return calendar


def _day_shown(facts: PatientFacts) -> dict[str, Shown]:
    infusion = infusion_day(facts)
    assert infusion is not None
    return {"infusion_date": infusion, "day_number": days_from(infusion, facts.today)}


def _unless_seen(facts: PatientFacts, *sources: Source) -> Answer:
    """Silent; unknown where what matters may lie in the part of a list that did not come."""
    lacking = facts.lacking(*(sources or (Source.MEASUREMENTS,)))
    return unknown(lacking) if lacking else silent()


def _samples_without_number(facts: PatientFacts) -> str:
    """Samples after the infusion in which nothing was counted, such as clumped ones."""
    told = [
        item
        for item in facts.results_of(PLATELETS)
        if item.number is None
        and (item.had_no_result or item.standing is not Standing.NO_INFORMATION)
        and is_after_infusion(item, facts)
    ]
    return "; ".join(", ".join(part for part in (item.written, item.evidence.day) if part) for item in told)


def _newest_written(analyte: str, facts: PatientFacts, known: Known) -> str:
    """The newest result after the infusion with its range and day, final or not, readable or not; "" where there is
    none.
    """
    newest = newest_of(results_after_infusion(analyte, facts), known)
    return "; ".join(written_result(item) for item in (*newest.provisional, *newest.accepted))


def _is_from(when: ClinicalTime, since: date) -> bool:
    return when.day is not None and when.day >= since


def _is_ordered(analyte: str, facts: PatientFacts, known: Known, last: date) -> bool:
    """Whether a test of this analyte is ordered from today to a day, or awaited now because no day is written."""
    for request in facts.requested_tests:
        day = request.wanted.day or (facts.today if is_pending(request, facts, known) else None)
        is_open = request.is_active and day is not None and facts.today <= day <= last
        if is_open and analyte in analytes_of(request, known):
            return True
    return False


def _sort_key(count: LabResult) -> tuple[bool, object, str]:
    low = count.amount.high if count.amount is not None else None
    return (low is None, low if low is not None else 0, count.evidence.reference)


# --- thrombotic microangiopathy


@rule
def tma_consult(facts: PatientFacts, known: Known) -> Answer:
    """The triad is there in part, or the diagnosis is made: consult immediately (label 5.4)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return not_asked
    tma = microangiopathy(facts, known)
    patterns = _patterns(tma)
    if not patterns:
        if lacking := facts.lacking(Source.MEASUREMENTS, Source.DIAGNOSES):
            return unknown(lacking)
        is_open = tma.platelets.is_present and not (tma.kidney.is_absent and tma.hemolysis.is_absent)
        return unknown("triad", tma.platelets.evidence) if is_open else silent()
    onset = _onset(patterns.values())
    consultations = _consultations(onset, facts)
    near, near_evidence = _near_events(facts, known)
    shown = _tma_shown(tma, facts, known) | {
        "patterns": ", ".join(patterns),
        "onset_date": onset or "",
        "consult_date": ", ".join(dict.fromkeys(item.evidence.day for item in consultations)),
        "near_events": near,
    }
    evidence = [item for limbs in patterns.values() for limb in limbs for item in limb.evidence]
    evidence += [*(item.evidence for item in consultations), *near_evidence]
    if consultations:
        return fires("consulted", evidence, _evaluation(facts, known), **shown)
    return fires(next(iter(patterns)), evidence, (*_CONSULT, *_evaluation(facts, known)), **shown)


_CONSULT = (
    RequestTest("hematology-consult", is_follow_up=True),
    RequestTest("nephrology-consult", is_follow_up=True),
)


def _patterns(tma: Microangiopathy) -> dict[str, tuple[Limb, ...]]:
    """What asks for the consultation, the clearest first, with the limbs that make it up."""
    possible = {
        "diagnosed": (tma.diagnosis,),
        "schistocytes": (tma.schistocytes,),
        "hemolysis": (tma.platelets, tma.hemolysis),
        "kidney": (tma.platelets, tma.kidney),
    }
    return {name: limbs for name, limbs in possible.items() if all(limb.is_present for limb in limbs)}


def _onset(patterns: Iterable[tuple[Limb, ...]]) -> date | None:
    """The day on which the newest of the patterns was complete; None where a day of it is not known."""
    limbs = [limb for found in patterns for limb in found]
    days = [limb.since for limb in limbs if limb.since is not None]
    return max(days) if len(days) == len(limbs) else None


def _consultations(onset: date | None, facts: PatientFacts) -> list[Consultation]:
    """Blood or kidney specialists who were asked, or have seen the child, since the onset; not what is only booked."""
    found = [
        item
        for item in facts.consultations
        if item.specialty in (Specialty.BLOOD, Specialty.KIDNEY)
        and onset is not None
        and item.when.day is not None
        and onset <= item.when.day <= facts.today
    ]
    return sorted(found, key=lambda item: (item.when.day or date.min, item.evidence.reference))


def _near_events(facts: PatientFacts, known: Known) -> tuple[str, list[Evidence]]:
    """Vaccinations and infections around the infusion: some cases of TMA had such a trigger (label 5.4)."""
    infusion, near = infusion_day(facts), known.policy.whole("vaccine.near_days")
    assert infusion is not None
    dated = [(item.given.day, item.evidence) for item in facts.vaccinations if item.concept not in NO_VACCINE]
    dated += [(item.onset.day, item.evidence) for item in facts.with_concept(*INFECTIONS)]
    dated += [(item.measured.day, item.evidence) for item in facts.infection_tests if item.is_positive]
    close = [(day, told) for day, told in dated if day is not None and abs(days_from(infusion, day)) <= near]
    close.sort(key=lambda pair: (pair[0], pair[1].reference))
    words = (f"{told.name or told.value} {day.isoformat()}" for day, told in close)
    return "; ".join(dict.fromkeys(words)), [told for _, told in close]


@rule
def tma_evaluate(facts: PatientFacts, known: Known) -> Answer:
    """Low platelets together with a sign of microangiopathy, or a sign while they are not known (label 5.4)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return not_asked
    infusion = infusion_day(facts)
    assert infusion is not None
    day = days_from(infusion, facts.today)
    if day > known.policy.whole("tma.until_day"):
        return silent()
    tma = microangiopathy(facts, known)
    suffix = "" if day <= known.policy.whole("tma.critical_until_day") else "-late"
    signs = [sign for sign in (*tma.clinical_signs, tma.possible_hemolysis) if sign.is_present]
    limbs = [limb for limb in (tma.kidney, tma.hemolysis) if limb.is_present]
    shown = _tma_shown(tma, facts, known) | {"consult_date": "", "near_events": ""}
    changes = _evaluation(facts, known)
    if tma.platelets.is_present and signs:
        evidence = [item for limb in (tma.platelets, *signs, *limbs) for item in limb.evidence]
        return fires(f"sign-with-low-count{suffix}", evidence, changes, **shown)
    open_limbs = [limb for limb in limbs if not _is_answered(limb, facts, known)]
    if open_limbs and not is_count_known(facts, known):
        evidence = [item for limb in (*open_limbs, *signs, tma.platelets) for item in limb.evidence]
        return fires(f"limb-without-count{suffix}", evidence, changes, **shown)
    unanswered = [sign for sign in signs if _is_unanswered(sign, tma, facts, known)]
    if unanswered and not tma.is_excluded_by_tests:
        evidence = [item for sign in signs for item in sign.evidence]
        missing = facts.lacking(Source.MEASUREMENTS) or (COUNT_MISSING,)
        return cannot_check("platelets-not-known", missing, evidence, changes, **shown)
    return _unless_seen(facts, Source.MEASUREMENTS, Source.DIAGNOSES)


def _is_answered(limb: Limb, facts: PatientFacts, known: Known) -> bool:
    """Whether a sure, normal count of a later day stands against it; otherwise an old smear would ask for ever."""
    return limb.day is not None and any(
        is_measured(count)
        and is_below_normal(count, known) is Certainty.FALSE
        and count.measured.day is not None
        and count.measured.day > limb.day
        for count in numbers_after(PLATELETS, facts)
    )


def _is_unanswered(sign: Limb, tma: Microangiopathy, facts: PatientFacts, known: Known) -> bool:
    """Whether a sign began in the site's last days and no count of the last hours follows it.

    Haemoglobin and haptoglobin come from the same tube as a count, so any count since then answers them.
    """
    days = known.policy.whole("tma.sign_days")
    if sign.since is not None and days_from(sign.since, facts.today) > days:
        return False
    if is_count_known(facts, known, sign.since):
        return False
    if sign is not tma.possible_hemolysis:
        return True
    return not (tma.platelets.is_absent and _is_on_or_after(tma.platelets.day, sign.day))


def _is_on_or_after(day: date | None, other: date | None) -> bool:
    return day is not None and other is not None and day >= other


def _tma_shown(tma: Microangiopathy, facts: PatientFacts, known: Known) -> dict[str, Shown]:
    """Each limb and each sign: where it stands, with the value and the day."""
    limbs = {
        "platelets": tma.platelets,
        "kidney": tma.kidney,
        "hypertension": tma.hypertension,
        "urine": tma.urine,
        "bruising": tma.bruising,
        "seizure": tma.seizure,
    }
    first = {name: baseline(name, facts, known) for name in (PLATELETS, HEMOGLOBIN, CREATININE)}
    possible = tma.possible_hemolysis
    hemolysis = possible if possible.is_present and not tma.hemolysis.is_present else tma.hemolysis
    shown: dict[str, Shown] = {}
    for name, limb in {**limbs, "hemolysis": hemolysis}.items():
        shown |= {
            f"{name}_state": limb.presence.value,
            f"{name}_ways": ", ".join(limb.ways),
            f"{name}_written": limb.written,
            f"{name}_why": limb.why,
        }
    if hemolysis is possible:
        shown["hemolysis_state"] = "possible"
    return {
        **_day_shown(facts),
        **shown,
        "diagnosis": tma.diagnosis.written,
        "hemoglobin_written": _newest_written(HEMOGLOBIN, facts, known),
        "ldh_written": _newest_written(LDH, facts, known),
        "haptoglobin_written": _newest_written(HAPTOGLOBIN, facts, known),
        "smear_written": tma.schistocytes.written,
        "baseline_platelets": written_result(count) if (count := first[PLATELETS]) else "",
        "baseline_hemoglobin": written_result(value) if (value := first[HEMOGLOBIN]) else "",
        "baseline_creatinine": written_result(value) if (value := first[CREATININE]) else "",
        "systolic_limit": systolic_limit(facts, known),
        "without_count": _samples_without_number(facts),
    }


# Offered test → what of it must be fresh for the offer to be left out; the smear stands apart.
_EVALUATION = {LDH: "ldh", HAPTOGLOBIN: "haptoglobin", CREATININE: KIDNEY}


def _evaluation(facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """The tests for haemolysis and kidneys that are neither of the site's last hours nor ordered for today."""
    hours = timedelta(hours=known.policy.whole("tma.count_hours"))
    tests = {SMEAR: None if _has_smear(facts, hours) and is_count_known(facts, known) else SMEAR}
    for analyte, test in _EVALUATION.items():
        fresh = any(
            is_measured(item) and facts.is_within(item.measured, hours) for item in numbers_after(analyte, facts)
        )
        is_known = fresh or _is_ordered(analyte, facts, known, facts.today)
        tests[test] = None if is_known else test
    pressure = any(
        item.systolic is not None and item.standing is Standing.ACCEPTED and facts.is_within(item.measured, hours)
        for item in facts.blood_pressures
    )
    others = ("bilirubin-fractions", "urinalysis", *(() if pressure else ("blood-pressure",)))
    wanted = [test for test in tests.values() if test is not None]
    return tuple(RequestTest(test, is_follow_up=True) for test in (*wanted, *others))


def _has_smear(facts: PatientFacts, hours: timedelta) -> bool:
    return any(
        item.standing is Standing.ACCEPTED
        and item.has_schistocytes is not None
        and facts.is_within(item.measured, hours)
        for item in facts.blood_smears
    )


# --- a low count


@rule
def platelet_low(facts: PatientFacts, known: Known) -> Answer:
    """The newest count after the infusion is low, or has fallen by half in the first two weeks (label 5.3, 6.1)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return not_asked
    newest = newest_reliable(numbers_after(PLATELETS, facts), lambda item: is_below_normal(item, known), known)
    told = (*newest.accepted, *newest.provisional)
    first = baseline_count(facts, known)
    graded = [(grade, item) for item in told if (grade := _tier(item, first, facts, known))]
    if not graded:
        unclear = [item.evidence for item in told if is_below_normal(item, known) is Certainty.UNKNOWN]
        return _unclear(unclear, facts, known) if unclear else _unless_seen(facts)
    grade, count = min(graded, key=lambda pair: (_TIERS.index(pair[0]), _sort_key(pair[1])))
    is_reliable = any(count is item for item in newest.accepted)
    earlier = max(newest.earlier, key=newness, default=None) or first
    if is_reliable and _is_recovering(count, earlier, known):
        return silent()
    is_conflict = not is_reliable and is_measured(count) and is_below_normal(count, known) is not Certainty.UNKNOWN
    evidence = [item.evidence for item in told] + ([earlier.evidence] if earlier else [])
    shown = _count_shown(count, grade, facts, known) | {"is_conflict": is_conflict}
    return fires(grade, evidence, _after_low_count(count, facts, known), **shown)


def _unclear(counts: list[Evidence], facts: PatientFacts, known: Known) -> Answer:
    """A newest count of which nobody can tell whether it is low: said on the card, with what was written."""
    newest = newest_reliable(numbers_after(PLATELETS, facts), lambda item: is_below_normal(item, known), known)
    count = next(item for item in (*newest.accepted, *newest.provisional) if item.evidence in counts)
    shown = _count_shown(count, "unclassified", facts, known) | {"is_conflict": False}
    return cannot_check("unclassified", "result-interpretable", counts, _after_low_count(count, facts, known), **shown)


# From the worst to the mildest; the numbers are the site's.
_TIERS = ("below-fourth", "below-third", "below-second", "below-first", "fallen", "below-normal")
_LIMITS = {
    "below-fourth": "platelet.tier.fourth_below",
    "below-third": "platelet.tier.third_below",
    "below-second": "platelet.tier.second_below",
    "below-first": "platelet.tier.first_below",
}


def _tier(count: LabResult, first: LabResult | None, facts: PatientFacts, known: Known) -> str:
    """The worst grade that this count surely has; "" where it has none."""
    for grade, limit in _LIMITS.items():
        if count.amount is not None and count.amount.is_below(known.policy[limit]) is Certainty.TRUE:
            return grade
    if _is_early(count, facts, known) and has_fallen(count, first, known) is Certainty.TRUE:
        return "fallen"
    return "below-normal" if is_below_normal(count, known) is Certainty.TRUE else ""


def _is_early(count: LabResult, facts: PatientFacts, known: Known) -> bool:
    infusion = infusion_day(facts)
    assert infusion is not None
    day = count.measured.day or infusion
    return days_from(infusion, day) <= known.policy.whole("platelet.fall_until_day")


def _is_recovering(count: LabResult, earlier: LabResult | None, known: Known) -> bool:
    """Whether a count is higher than the one before and at least at the first tier (ruling 50)."""
    if count.amount is None:
        return False
    is_high_enough = count.amount.is_below(known.policy["platelet.tier.first_below"]) is Certainty.FALSE
    before = earlier.amount.high if earlier is not None and earlier.amount is not None else None
    return is_high_enough and before is not None and count.amount.is_above(before) is Certainty.TRUE


def _count_shown(count: LabResult, grade: str, facts: PatientFacts, known: Known) -> dict[str, Shown]:
    first, tma = baseline_count(facts, known), microangiopathy(facts, known)
    own = count.limits.low if count.limits is not None else None
    return {
        **_day_shown(facts),
        "analyte": PLATELETS,
        "result_written": count.written,
        "result_date": count.evidence.day,
        "result_day": days_from(infusion_day(facts) or facts.today, count.measured.day) if count.measured.day else "",
        "is_preliminary": not is_measured(count),
        "limit": known.policy[_LIMITS[grade]] if grade in _LIMITS else "",
        "limits_written": count.limits.written if count.limits is not None and own is not None else "",
        "first_limit": known.policy["platelet.tier.first_below"],
        "site_limit": known.policy["platelet.low"] if own is None else "",
        "has_fallen": has_fallen(count, first, known) is Certainty.TRUE,
        "baseline_written": written_result(first) if first else "",
        "trend": _trend(facts),
        "without_count": _samples_without_number(facts),
        "hemoglobin_written": _newest_written(HEMOGLOBIN, facts, known),
        "creatinine_written": _newest_written(CREATININE, facts, known),
        "pressure_written": _newest_pressure(facts),
        "signs": _signs_present(tma),
    }


def _newest_pressure(facts: PatientFacts) -> str:
    """The newest systolic pressure after the infusion with its day; "" where none was measured."""
    told = [
        item
        for item in facts.blood_pressures
        if item.standing is not Standing.NO_INFORMATION and not is_before_infusion(item.measured, facts)
    ]
    newest = max(told, key=lambda item: _newness(item.measured, item.evidence), default=None)
    return ", ".join(part for part in (newest.evidence.value, newest.evidence.day) if part) if newest else ""


def _newness(when: ClinicalTime, evidence: Evidence) -> tuple[date, float, str]:
    return (when.day or date.min, when.seconds, evidence.reference)


def _signs_present(tma: Microangiopathy) -> str:
    names = ("hypertension", "bruising", "seizure", "urine")
    return ", ".join(name for name, sign in zip(names, tma.clinical_signs, strict=True) if sign.is_present)


def _trend(facts: PatientFacts) -> str:
    """The last counts, oldest first, with their ids."""
    counts = [item for item in facts.results_of(PLATELETS) if item.number is not None]
    told = sorted((item for item in counts if item.standing is not Standing.NO_INFORMATION), key=newness)
    lines = (f"{written_result(item)}, {item.evidence.reference}" for item in told[-SHOWN_COUNTS:])
    return "; ".join(line.replace(";", ",") for line in lines)


def _after_low_count(count: LabResult, facts: PatientFacts, known: Known) -> Iterable[ProposedChange]:
    """A count within the site's days, and a smear and creatinine where they do not follow the low count yet."""
    last = facts.today + timedelta(days=known.policy.whole("platelet.repeat_days"))
    since = count.measured.day or facts.today
    if not _is_ordered(PLATELETS, facts, known, last):
        yield RequestTest(BLOOD_COUNT, is_follow_up=True, on=last)
    if not any(item.standing is Standing.ACCEPTED and _is_from(item.measured, since) for item in facts.blood_smears):
        yield RequestTest(SMEAR, is_follow_up=True)
    creatinine = [item for item in numbers_after(CREATININE, facts) if is_measured(item)]
    is_measured_since = any(_is_from(item.measured, since) for item in creatinine)
    if not is_measured_since and not _is_ordered(CREATININE, facts, known, last):
        yield RequestTest(KIDNEY, is_follow_up=True)


@rule
def platelet_not_at_baseline(facts: PatientFacts, known: Known) -> Answer:
    """The last count of the third month is not back at baseline (label 2.3: until it is)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return not_asked
    calendar = _calendar(facts, known)
    scheduled = [
        slot
        for slot in calendar.of(Series.PLATELETS)
        if slot.kind is SlotKind.EVERY_OTHER_WEEK and slot.target < calendar.three_months
    ]
    last_slot = max(scheduled, key=lambda slot: slot.target)
    if facts.today < last_slot.opens:
        return silent()
    after = numbers_after(PLATELETS, facts)
    baseline = baseline_count(facts, known)
    newest = newest_reliable(after, lambda item: is_back_at_baseline(item, baseline, known), known)
    counts = [item for item in newest.accepted if _is_from(item.measured, last_slot.opens)]
    counts += [item for item in newest.provisional if item.measured.day is None or item.measured.day >= last_slot.opens]
    judged = [(_return_grade(item, baseline, facts, known), item) for item in counts]
    for grade in ("below-normal", "half-lost"):
        for found, item in judged:
            if found == grade:
                return _not_back(grade, item, calendar, facts, known)
    if newest.accepted and newest.accepted[0] in counts:
        return _unless_seen(facts)
    if counts:
        return unknown(COUNT_MISSING, [item.evidence for item in counts])
    if facts.today <= last_slot.closes:
        return silent()
    return unknown(facts.lacking(Source.MEASUREMENTS) or COUNT_MISSING)


def _return_grade(count: LabResult, baseline: LabResult | None, facts: PatientFacts, known: Known) -> str:
    """How far a count is from being back: "" where it is back."""
    is_back = is_back_at_baseline(count, baseline, known)
    if is_back is Certainty.FALSE:
        return "below-normal"
    if is_back is Certainty.UNKNOWN:
        return "unclear"
    is_half = baseline is not None and has_fallen(count, baseline, known) is Certainty.TRUE
    return "half-lost" if is_half and is_below_normal(count, known) is Certainty.FALSE else ""


def _not_back(grade: str, count: LabResult, calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> Answer:
    first = baseline_count(facts, known)
    after = numbers_after(PLATELETS, facts)
    lowest = min(reliable_results(after, lambda item: is_below_normal(item, known), known), key=_sort_key, default=None)
    next_day = max(facts.today, count.measured.day or facts.today)
    shown: dict[str, Shown] = {
        **_day_shown(facts),
        "analyte": PLATELETS,
        "result_written": count.written,
        "result_date": count.evidence.day,
        "is_preliminary": not is_measured(count),
        "baseline_written": written_result(first) if first else "",
        "lowest_written": written_result(lowest) if lowest else "",
        "three_months": calendar.three_months,
        "next_date": _next_count(next_day, calendar),
    }
    wanted = _next_count(next_day, calendar)
    ordered = _is_ordered(PLATELETS, facts, known, wanted)
    changes = () if ordered else (RequestTest(BLOOD_COUNT, is_follow_up=True, on=wanted),)
    evidence = [item.evidence for item in (count, first, lowest) if item is not None]
    return fires(grade, evidence, changes, **shown)


def _next_count(day: date, calendar: MonitoringCalendar) -> date:
    """The calendar's next count after this day, else two weeks later: every other week goes on."""
    ahead = [slot.target for slot in calendar.ahead(Series.PLATELETS) if slot.target > day]
    return min(ahead, default=None) or day + EVERY_OTHER_WEEK


# --- the calendar


def _slot_shown(
    slot: MonitoringSlot | None, calendar: MonitoringCalendar, facts: PatientFacts, known: Known
) -> dict[str, Shown]:
    """What every card about a slot shows; without a slot only the last count and the next date."""
    following = calendar.next_slot(Series.PLATELETS)
    first = baseline_count(facts, known)
    shown: dict[str, Shown] = dict.fromkeys(("slot", "due_date", "due_day", "window_start", "window_end"), "")
    if slot is not None:
        shown |= {
            "slot": slot.name,
            "due_date": slot.target,
            "due_day": days_from(calendar.infusion, slot.target),
            "window_start": slot.opens,
            "window_end": slot.closes,
        }
    last = calendar.last_count
    return shown | {
        **_day_shown(facts),
        "analyte": PLATELETS,
        "last_count": last or "",
        "last_written": _newest_written(PLATELETS, facts, known),
        "days_since": days_from(last, facts.today) if last else "",
        "baseline_written": written_result(first) if first else "",
        "next_date": following.target if following else "",
        "extra_dates": ", ".join(day.isoformat() for day in _extra_days(calendar, facts)),
        "orders_not_visible": bool(facts.lacking(Source.REQUESTED_TESTS)),
        "without_count": _samples_without_number(facts),
    }


def _extra_days(calendar: MonitoringCalendar, facts: PatientFacts) -> list[date]:
    """The days of the extra counts that the site offers, as long as they are ahead and open."""
    return [
        slot.target
        for slot in calendar.of(Series.PLATELETS)
        if slot.kind is SlotKind.EXTRA and slot.status is SlotStatus.UPCOMING and not slot.booked
    ]


@rule_of_several
def platelet_monitor_due(facts: PatientFacts, known: Known) -> Answers:
    """A platelet count is due now, or a visit is being booked for it (label 2.3, 5.3)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    calendar = _calendar(facts, known)
    if facts.moment is Moment.BOOKING:
        return tuple(_bookings(calendar, facts, known)) or (silent(),)
    if lacking := facts.lacking(Source.MEASUREMENTS):
        return (unknown(lacking),)
    due = [slot for slot in calendar.of(Series.PLATELETS) if slot.status is SlotStatus.DUE]
    return tuple(_due(slot, calendar, facts, known) for slot in due) or (silent(),)


def _due(slot: MonitoringSlot, calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> Answer:
    shown = _slot_shown(slot, calendar, facts, known) | _proposed_shown((), (), ())
    return fires("due", slot.evidence, tests_of_slot(slot, facts, known), **shown)


def _proposed_shown(
    fitting: Iterable[date], others: Iterable[date], overdue: Iterable[MonitoringSlot]
) -> dict[str, Shown]:
    return {
        "fitting_dates": ", ".join(day.isoformat() for day in fitting),
        "other_dates": ", ".join(day.isoformat() for day in others),
        "overdue_dates": ", ".join(slot.target.isoformat() for slot in overdue),
    }


def _bookings(calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> Iterable[Answer]:
    """For each slot whether a proposed day lies in its window; and that none lies in that of the next one."""
    proposed = [slot for slot in facts.slots if slot.is_proposed and slot.kind is VisitKind.FOLLOW_UP]
    days = sorted({slot.starts.day for slot in proposed if slot.starts.day is not None})
    evidence = [slot.evidence for slot in proposed]
    following = calendar.next_slot(Series.PLATELETS)
    overdue = [slot for slot in calendar.of(Series.PLATELETS) if slot.status is SlotStatus.OVERDUE]
    for slot in calendar.ahead(Series.PLATELETS):
        fitting = [day for day in days if slot.opens <= day <= slot.closes]
        others = [day for day in days if day not in fitting]
        shown = _slot_shown(slot, calendar, facts, known) | _proposed_shown(fitting, others, overdue)
        if fitting:
            yield fires("booking-fits", evidence, tests_on(slot, fitting[0], facts, known), **shown)
        elif slot is following and slot.status is not SlotStatus.BOOKED and proposed:
            yield fires("booking-misses", evidence, **shown)


@rule_of_several
def platelet_monitor_overdue(facts: PatientFacts, known: Known) -> Answers:
    """A count of the calendar did not come, or the last one is too long ago (label 2.3, 5.3; ruling 46, 47).

    In the second and third month it is milder once the platelets are back, because 5.3 says "or until".
    """
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    calendar = _calendar(facts, known)
    overdue = [slot for slot in calendar.of(Series.PLATELETS) if slot.status is SlotStatus.OVERDUE]
    if overdue:
        # Where the results cannot be seen, one answer says it for all slots.
        told = overdue[-1:] if facts.lacking(Source.MEASUREMENTS) else overdue
        return tuple(_overdue(slot, calendar, facts, known) for slot in told)
    gap = next((gap for gap in calendar.gaps if gap.series is Series.PLATELETS), None)
    if gap is None:
        return (_unless_seen(facts),)
    shown = _slot_shown(None, calendar, facts, known) | _overdue_shown(None, calendar, facts)
    shown |= {"days_since": gap.days, "allowed_days": gap.allowed, "last_count": gap.last_day}
    grade = "gap" if calendar.platelets_back_on is None else "gap-after-return"
    is_ordered = _is_ordered(PLATELETS, facts, known, facts.today)
    changes = () if is_ordered else (RequestTest(BLOOD_COUNT, is_follow_up=True),)
    return (_seen_or_not(grade, (), changes, shown, facts),)


def _overdue(slot: MonitoringSlot, calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> Answer:
    is_first_month = slot.kind is SlotKind.WEEKLY
    is_back = calendar.platelets_back_on is not None
    grade = "first-month" if is_first_month else "after-return" if is_back else "later-months"
    shown = _slot_shown(slot, calendar, facts, known) | _overdue_shown(slot, calendar, facts)
    return _seen_or_not(grade, slot.evidence, tests_of_slot(slot, facts, known), shown, facts)


def _seen_or_not(
    grade: str,
    evidence: Iterable[Evidence],
    changes: Iterable[ProposedChange],
    shown: dict[str, Shown],
    facts: PatientFacts,
) -> Answer:
    """What is missing, or only not to be seen where the list of results is not complete (C13)."""
    lacking = facts.lacking(Source.MEASUREMENTS)
    if lacking:
        return cannot_check("not-visible", lacking, evidence, **shown)
    return fires(grade, evidence, changes, **shown)


def _overdue_shown(slot: MonitoringSlot | None, calendar: MonitoringCalendar, facts: PatientFacts) -> dict[str, Shown]:
    return {
        "days_overdue": days_from(slot.target, facts.today) if slot else "",
        "allowed_days": "",
        "back_date": calendar.platelets_back_on or "",
        "booked": ", ".join(item.day for item in slot.booked) if slot else "",
        "is_booked": slot is not None and bool(slot.booked),
    }
