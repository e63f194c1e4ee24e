"""Baseline tests before the infusion (clinical-rules group D; label 2.1, 2.3, 5.1, 5.3, 6.2, 8.6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from cds_service.domain.answers import (
    Answer,
    RequestTest,
    Shown,
    cannot_check,
    fires,
    noted,
    noted_to_attest,
    silent,
    unknown,
    verified,
)
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import add_months, days_from
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import Diagnosis, PatientFacts, Source
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import is_too_high_for_a_flag, is_zero
from cds_service.domain.newest import Newest, newest_of, newness
from cds_service.domain.pending_tests import ANTI_AAV9, pending_request, test_to_request
from cds_service.domain.quantities import exact_product
from cds_service.domain.reference_range import (
    exceeds,
    flag_contradicts,
    is_outside_own_range,
    times_uln,
    why_unclassified,
    written_multiple,
)
from cds_service.domain.registry import Answers, rule, rule_of_several
from cds_service.domain.results import InfectionTest, LabResult, TiterReading, TiterResult
from cds_service.domain.titer import TiterClass, class_of, negative_is_mapped

LIVER_LIMITED = ("alt", "ast", "total_bilirubin")
LIVER = (*LIVER_LIMITED, "albumin", "prothrombin_time", "partial_thromboplastin_time", "inr")
BLOOD_COUNT = ("platelets", "hemoglobin")
RETEST = RequestTest("anti-aav9-retest")
HEPATOLOGY = RequestTest("hepatology-consult")
INFECTIOUS_DISEASE = RequestTest("infectious-disease-consult")
HEPATITIS_TESTS = frozenset(
    {
        "hepatitis_b_surface_antigen",
        "hepatitis_b_surface_antigen_quantity",
        "hepatitis_b_dna",
        "hepatitis_c_rna",
        "hepatitis_a_igm",
    }
)


# --- anti-AAV9


@rule
def aav9_missing(facts: PatientFacts, known: Known) -> Answer:
    """No accepted anti-AAV9 antibody result before the infusion (label 2.1, 2.3)."""
    if facts.is_treated or any(_is_tested(item) for item in facts.titers):
        return silent()
    evidence = [item.evidence for item in facts.titers]
    pending = pending_request(ANTI_AAV9, facts, known)
    shown: dict[str, Shown] = {
        "pending_since": (pending.ordered.day or "") if pending else "",
        "what_exists": _what_exists(facts.titers),
    }
    change = test_to_request(ANTI_AAV9, facts, known)
    if any(item.reading is not TiterReading.NO_RESULT for item in facts.titers if _is_preliminary(item)):
        return fires("preliminary-only", evidence, change, **shown)
    if facts.lacking(Source.MEASUREMENTS):
        return unknown(facts.lacking(Source.MEASUREMENTS), evidence)
    if pending is not None and pending.ordered.day is not None:
        return fires("pending", [pending.evidence, *evidence], change, **shown)
    return fires("missing", evidence, change, **shown)


def _is_tested(item: TiterResult) -> bool:
    return item.standing is Standing.ACCEPTED and item.reading is not TiterReading.NO_RESULT


def _is_preliminary(item: TiterResult | LabResult) -> bool:
    """Whether a result is there that only its status keeps from counting."""
    return item.standing is Standing.PROVISIONAL and item.measured.may_satisfy


def _what_exists(items: Iterable[TiterResult | LabResult]) -> str:
    """What the record holds although none of it counts: value, day and status of each."""
    told = (item.evidence for item in items)
    return "; ".join(" ".join(part for part in (e.value, e.day, e.status) if part) for e in told)


def _newest_titers(facts: PatientFacts, known: Known) -> Newest[TiterResult]:
    """The newest titres; accepted ones of one local day stand beside each other (clinical-rules, aav9 rules)."""
    told = [item for item in facts.titers if item.reading is not TiterReading.NO_RESULT]
    newest = newest_of(told, known)
    if not newest.accepted or newest.accepted[0].is_correction:
        return newest
    day = newest.accepted[0].measured.day
    same_day = tuple(item for item in newest.earlier if item.measured.day == day)
    earlier = tuple(item for item in newest.earlier if item.measured.day != day)
    return Newest((*newest.accepted, *same_day), earlier, newest.provisional)


def _titers_written(items: Iterable[TiterResult]) -> str:
    return "; ".join(f"{item.written} ({item.evidence.day})" for item in items)


@rule
def aav9_above_1_50(facts: PatientFacts, known: Known) -> Answer:
    """The antibody titre is above 1:50, a level never evaluated (label 2.3, 6.2). Exactly 1:50 is not above."""
    if facts.is_treated:
        return silent()
    newest = _newest_titers(facts, known)
    classes = {class_of(item, known) for item in newest.accepted}
    every = [*newest.accepted, *newest.provisional, *newest.earlier]
    above = [item for item in newest.accepted if class_of(item, known) is TiterClass.ABOVE_LIMIT]
    unsure_above = [item for item in newest.provisional if class_of(item, known) is TiterClass.ABOVE_LIMIT]
    earlier_above = [item for item in newest.earlier if class_of(item, known) is TiterClass.ABOVE_LIMIT]
    evidence = [item.evidence for item in every]
    shown: dict[str, Shown] = {
        "results_written": _titers_written(sorted(every, key=newness)),
        "earlier_written": _titers_written(earlier_above),
        "method": "",
    }
    change = _retest(facts, known)
    if above:
        return fires("above", evidence, change, **_titer_shown(above[0]), **shown)
    if unsure_above:
        return fires("preliminary-above", evidence, change, **_titer_shown(unsure_above[0]), **shown)
    if newest.is_empty:
        lacking = facts.lacking(Source.MEASUREMENTS)
        return unknown(lacking) if lacking else silent()
    if newest.accepted and _is_proven_low(classes, newest, known):
        if facts.lacking(Source.MEASUREMENTS):
            return unknown(Source.MEASUREMENTS, evidence)
        first = newest.accepted[0]
        if any(item.is_other_method for item in newest.accepted):
            shown["method"] = next(item.method for item in newest.accepted if item.is_other_method)
            return noted_to_attest("other-method", evidence, **_titer_shown(first), **shown)
        if earlier_above:
            return noted("earlier-above", evidence, **_titer_shown(first), **shown)
        return verified(evidence, **_titer_shown(first), **shown)
    if earlier_above:
        return fires("above-behind-unclear", evidence, change, **_titer_shown(earlier_above[0]), **shown)
    return unknown("aav9-titer", evidence)


def _is_proven_low(classes: set[TiterClass], newest: Newest[TiterResult], known: Known) -> bool:
    """Whether every newest result is 1:50 or less, and nothing as new raises a doubt."""
    proving = {TiterClass.AT_MOST_LIMIT} | ({TiterClass.NEGATIVE} if negative_is_mapped(known) else set())
    return classes <= proving and all(class_of(item, known) in proving for item in newest.provisional)


def _titer_shown(item: TiterResult) -> dict[str, Shown]:
    exact = item.reciprocal.exact if item.reciprocal else None
    return {
        "titer_written": item.written,
        "titer_reciprocal": exact if exact is not None else "",
        "titer_date": item.evidence.day,
    }


def _retest(facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    return () if pending_request(ANTI_AAV9, facts, known) else (RETEST,)


@rule
def aav9_not_interpretable(facts: PatientFacts, known: Known) -> Answer:
    """The newest antibody result cannot be compared with 1:50, or two of one day disagree (label 2.3)."""
    if facts.is_treated:
        return silent()
    newest = _newest_titers(facts, known)
    told = newest.accepted or newest.provisional
    if not told:
        return silent()
    classes = {class_of(item, known) for item in newest.accepted}
    is_conflict = len(classes) > 1
    doubtful = [i for i in newest.provisional if class_of(i, known) is TiterClass.NOT_INTERPRETABLE]
    if not is_conflict and TiterClass.NOT_INTERPRETABLE not in classes and not doubtful:
        return silent()
    grade = "conflict" if is_conflict else "not-comparable"
    unclear = [i for i in newest.accepted if class_of(i, known) is TiterClass.NOT_INTERPRETABLE] or doubtful
    return cannot_check(
        "on-infusion-day" if facts.may_be_infusion_day else grade,
        "aav9-titer",
        [item.evidence for item in (*newest.accepted, *newest.provisional)],
        _retest(facts, known),
        **{**_titer_shown((unclear or list(told))[0]), "titer_reciprocal": ""},
        results_written=_titers_written(newest.accepted),
        is_conflict=is_conflict,
    )


@rule
def aav9_qualitative_negative(facts: PatientFacts, known: Known) -> Answer:
    """The antibody test was reported as negative without a titre (label 6.2; the cut-off is site policy)."""
    if facts.is_treated:
        return silent()
    newest = _newest_titers(facts, known)
    if newest.is_empty and facts.lacking(Source.MEASUREMENTS):
        return unknown(facts.lacking(Source.MEASUREMENTS))
    if not newest.accepted or {class_of(item, known) for item in newest.accepted} != {TiterClass.NEGATIVE}:
        return silent()
    item = newest.accepted[0]
    cut_off = known.policy["aav9.negative_reciprocal_at_most"]
    is_mapped = negative_is_mapped(known)
    shown: dict[str, Shown] = {
        "titer_written": item.written,
        "titer_date": item.evidence.day,
        "method": item.method,
        "cut_off": f"1:{cut_off:f}" if is_mapped else "",
    }
    if is_mapped:
        return noted("mapped", [item.evidence], **shown)
    return fires("cut-off-unknown", [item.evidence], **shown)


@rule
def aav9_old(facts: PatientFacts, known: Known) -> Answer:
    """The newest titre that can be relied on is old; the label gives no interval (label 2.3)."""
    if facts.is_treated:
        return silent()
    newest = _newest_titers(facts, known)
    if newest.is_empty and facts.lacking(Source.MEASUREMENTS):
        return unknown(facts.lacking(Source.MEASUREMENTS))
    if not newest.accepted or {class_of(i, known) for i in newest.accepted} != {TiterClass.AT_MOST_LIMIT}:
        return silent()
    item, on = newest.accepted[0], facts.latest_infusion_day
    assert item.measured.day is not None
    age = days_from(item.measured.day, on)
    if age <= known.policy.whole("aav9.freshness_days"):
        return silent()
    return noted(
        "old", [item.evidence], titer_written=item.written, titer_date=item.measured.day, age_days=age, on_date=on
    )


# --- results of the laboratory


def _with_number(analyte: str, facts: PatientFacts) -> list[LabResult]:
    return [item for item in facts.results_of(analyte) if item.number is not None]


def newest_results(analyte: str, facts: PatientFacts, known: Known) -> Newest[LabResult]:
    """The newest results of an analyte that are a number; one whose number could not be read proves nothing."""
    return facts.once(_newest_results, known, analyte)


def _newest_results(facts: PatientFacts, known: Known, analyte: str) -> Newest[LabResult]:
    unread = (item for item in facts.results_of(analyte) if item.is_unread)
    doubtful = [replace(item, standing=Standing.PROVISIONAL) for item in unread if _may_alarm(item)]
    return newest_of([*_with_number(analyte, facts), *doubtful], known)


def _may_alarm(item: LabResult) -> bool:
    return item.standing is not Standing.NO_INFORMATION


def _missing(analyte: str, facts: PatientFacts) -> bool:
    """Whether no accepted result of this analyte, of any age, is a number."""
    return not any(item.standing is Standing.ACCEPTED for item in _with_number(analyte, facts))


def _missing_answer(analyte: str, analytes: str, grades: tuple[str, str], facts: PatientFacts, known: Known) -> Answer:
    """That a test is missing, or only preliminary: the grades for both."""
    every = facts.results_of(analyte)
    evidence = [item.evidence for item in every]
    pending = pending_request(analyte, facts, known)
    if pending is not None:
        evidence.append(pending.evidence)
    shown: dict[str, Shown] = {
        "analyte": analyte,
        "analytes": analytes,
        "pending_since": (pending.ordered.day or "") if pending else "",
        "what_exists": _what_exists(every),
    }
    missing, preliminary_only = grades
    change = test_to_request(analyte, facts, known)
    if any(_is_preliminary(item) for item in every if item.number is not None):
        return fires(preliminary_only, evidence, change, **shown)
    if facts.lacking(Source.MEASUREMENTS):
        return unknown(facts.lacking(Source.MEASUREMENTS), evidence, analyte=analyte)
    return fires(missing, evidence, change, **shown)


@rule_of_several
def liver_baseline_missing(facts: PatientFacts, known: Known) -> Answers:
    """A liver test of the label's list has no accepted result before the infusion (label 2.1, 2.3, 5.1)."""
    if facts.is_treated:
        return (silent(),)
    missing = [analyte for analyte in LIVER if _missing(analyte, facts)]
    named = ", ".join(missing)
    grades = ("missing", "preliminary-only")
    return tuple(
        _missing_answer(analyte, named, grades, facts, known) if analyte in missing else silent(analyte=analyte)
        for analyte in LIVER
    )


def _freshness_limit(facts: PatientFacts, known: Known) -> int:
    """How old a baseline test may be: the stricter limit on the day of the infusion (ruling 30)."""
    when = "at_infusion_days" if facts.is_infusion_visit else "at_order_days"
    return known.policy.whole(f"baseline.labs.freshness.{when}")


def _age_shown(result: LabResult, facts: PatientFacts, known: Known) -> dict[str, Shown]:
    assert result.measured.day is not None
    return {
        "analyte": result.analyte,
        "result_written": result.written,
        "result_date": result.measured.day,
        "age_days": days_from(result.measured.day, facts.today),
        "limit_days": _freshness_limit(facts, known),
        "is_infusion_day": facts.is_infusion_visit,
    }


def _is_stale(result: LabResult, facts: PatientFacts, known: Known) -> bool:
    assert result.measured.day is not None
    return days_from(result.measured.day, facts.today) > _freshness_limit(facts, known)


def _unread_beside(analyte: str, facts: PatientFacts, known: Known) -> list[Evidence]:
    """Results as new as the newest accepted one whose number or unit could not be read."""
    return [item.evidence for item in newest_results(analyte, facts, known).provisional if item.amount is None]


def _doubtful(analyte: str, facts: PatientFacts, known: Known) -> list[Evidence]:
    """What keeps the newest accepted result from satisfying: no usable unit, a contradiction, or a newer doubt."""
    newest = newest_results(analyte, facts, known)
    odd = [item for item in newest.accepted if item.amount is None]
    worse = [item for item in newest.provisional if is_outside_own_range(item)]
    found = [item.evidence for item in (*odd, *worse)]
    return [*found, *_unread_beside(analyte, facts, known), *_conflicting(analyte, facts, known)]


def _conflicting(analyte: str, facts: PatientFacts, known: Known) -> list[Evidence]:
    """The newest accepted results where they contradict each other, so that none of them satisfies (C3)."""
    accepted = newest_results(analyte, facts, known).accepted
    return [item.evidence for item in accepted] if _disagree(accepted) else []


def _fresh(result: LabResult, facts: PatientFacts, shown: dict[str, Shown]) -> Answer:
    if facts.lacking(Source.MEASUREMENTS):
        return unknown(Source.MEASUREMENTS, [result.evidence], analyte=result.analyte)
    return verified([result.evidence], **shown)


@rule_of_several
def liver_baseline_stale(facts: PatientFacts, known: Known) -> Answers:
    """An accepted liver test is older than the site allows; the label gives no interval (label 2.3, 5.1)."""
    if facts.is_treated:
        return (silent(),)
    newest = {a: found[0] for a in LIVER if (found := newest_results(a, facts, known).accepted)}
    stale = [analyte for analyte, result in newest.items() if _is_stale(result, facts, known)]
    answers = []
    for analyte, result in newest.items():
        shown = _age_shown(result, facts, known) | {"analytes": ", ".join(stale)}
        if analyte in stale:
            answers.append(fires("stale", [result.evidence], test_to_request(analyte, facts, known), **shown))
        elif unread := _doubtful(analyte, facts, known):
            answers.append(unknown("result-interpretable", unread, analyte=analyte))
        else:
            answers.append(_fresh(result, facts, shown))
    if not answers and facts.lacking(Source.MEASUREMENTS):
        return (unknown(facts.lacking(Source.MEASUREMENTS)),)
    return tuple(answers) or (silent(),)


# --- above twice the upper limit


@rule_of_several
def liver_baseline_above_2uln(facts: PatientFacts, known: Known) -> Answers:
    """ALT, AST or total bilirubin is more than 2 x its own upper limit, which was not studied (label 5.1).

    Exactly 2 x is not more. Albumin, PT, PTT and INR have no such limit; outside their range they are noted.
    """
    if facts.is_treated:
        return (silent(),)
    limited = [_above_limit(analyte, facts, known) for analyte in LIVER_LIMITED]
    return (*limited, *(_outside_range(analyte, facts, known) for analyte in LIVER if analyte not in LIVER_LIMITED))


def _above_limit(analyte: str, facts: PatientFacts, known: Known) -> Answer:
    newest = newest_results(analyte, facts, known)
    above = [item for item in newest.accepted if _exceeds_limit(item, known) is Certainty.TRUE]
    unsure_above = [item for item in newest.provisional if _exceeds_limit(item, known) is Certainty.TRUE]
    if above or unsure_above:
        return _above(_worst(above or unsure_above), bool(above), newest, facts, known)
    every = (*newest.accepted, *newest.provisional)
    is_unclear = Certainty.UNKNOWN in {_exceeds_limit(item, known) for item in every} or _disagree(newest.accepted)
    if not newest.accepted or is_unclear:
        lacking: tuple[Source | str, ...] = facts.lacking(Source.MEASUREMENTS) or ("result-classified",)
        return unknown(lacking, [item.evidence for item in every], analyte=analyte)
    return _fresh(newest.accepted[0], facts, _multiple_shown(newest.accepted[0], newest))


def _exceeds_limit(result: LabResult, known: Known) -> Certainty:
    """Whether a result is more than the label's multiple of its own upper limit (5.1).

    Zero proves nothing; nor does "normal" without a range beside a number that is not normal or cannot be read.
    """
    above = exceeds(result, known.label["liver_baseline_times_uln"])
    if above is Certainty.FALSE and is_zero(result):
        return Certainty.UNKNOWN
    if above is not Certainty.FALSE or (result.limits is not None and result.limits.high is not None):
        return above
    is_believed = result.amount is not None and not is_too_high_for_a_flag(result, known)
    return Certainty.FALSE if is_believed else Certainty.UNKNOWN


def _worst(results: list[LabResult]) -> LabResult:
    """The result that is the most times its own limit; of a conflict that one alarms (C3)."""
    multiples = [(item, times_uln(item)) for item in results]
    return max(multiples, key=lambda pair: pair[1].low or 0 if pair[1] else 0)[0]


def _above(
    result: LabResult, is_accepted: bool, newest: Newest[LabResult], facts: PatientFacts, known: Known
) -> Answer:
    evidence = [item.evidence for item in (*newest.accepted, *newest.provisional, *newest.earlier)]
    change = (*test_to_request(result.analyte, facts, known), HEPATOLOGY)
    shown = _multiple_shown(result, newest)
    if result.analyte == "total_bilirubin":
        grade, direct = _jaundice_grade(result, facts, known)
        if grade:
            jaundice = [item.evidence for item in facts.with_concept("neonatal_jaundice")]
            shown |= {"direct_written": direct.written if direct else ""}
            evidence += [*([direct.evidence] if direct else []), *jaundice]
            return fires(grade, evidence, change, **shown)
    return fires("above" if is_accepted else "preliminary-above", evidence, change, **shown)


def _multiple_shown(result: LabResult, newest: Newest[LabResult]) -> dict[str, Shown]:
    limits = result.limits
    return {
        "analyte": result.analyte,
        "times_uln": written_multiple(result),
        "result_written": result.written,
        "limits_written": limits.written if limits else "",
        "result_date": result.evidence.day,
        "is_conflict": _disagree(newest.accepted),
        "is_range_from_text": bool(limits and limits.is_from_text),
        "is_lowest_of_several": bool(limits and limits.is_lowest_of_several),
        "earlier_written": "; ".join(f"{item.written} ({item.evidence.day})" for item in newest.earlier),
        "direct_written": "",
    }


def _jaundice_grade(total: LabResult, facts: PatientFacts, known: Known) -> tuple[str, LabResult | None]:
    """How the label's exception for neonatal jaundice applies (ruling 32): "" where it does not."""
    recorded = facts.with_concept("neonatal_jaundice")
    is_young = facts.born is not None and days_from(facts.born.earliest, facts.today) <= known.policy.whole(
        "neonatal_jaundice.age_days"
    )
    if not recorded and not is_young:
        return "", None
    newest = newest_results("direct_bilirubin", facts, known)
    days = known.policy.whole("neonatal_jaundice.direct_days")
    direct = next((i for i in (*newest.provisional, *newest.accepted) if _is_of_time(i, total, days)), None)
    if direct is not None:
        share = _share_above(direct, total, known)
        if share is not Certainty.FALSE:
            return ("conjugated" if share is Certainty.TRUE else ""), direct
    is_confirmed = any(item.standing is Standing.ACCEPTED for item in recorded)
    return ("neonatal-jaundice-recorded" if is_confirmed else "neonatal-jaundice-possible"), direct


def _is_of_time(direct: LabResult, total: LabResult, days: int) -> bool:
    """Whether the direct part was measured with the total, after it, or not much earlier."""
    if direct.measured.day is None or total.measured.day is None:
        return True
    return days_from(direct.measured.day, total.measured.day) <= days


def _share_above(direct: LabResult, total: LabResult, known: Known) -> Certainty:
    """Whether the direct part is more than the site's share of the total."""
    share = known.policy["neonatal_jaundice.conjugated_share_above"]
    whole = _exact(total.amount)
    if direct.amount is None or whole is None:
        return Certainty.UNKNOWN
    return direct.amount.is_above(exact_product(whole, share))


def _exact(amount: Interval | None) -> Decimal | None:
    return amount.exact if amount is not None else None


def _outside_range(analyte: str, facts: PatientFacts, known: Known) -> Answer:
    newest = newest_results(analyte, facts, known)
    outside = [item for item in (*newest.accepted, *newest.provisional) if is_outside_own_range(item)]
    if not outside:
        return silent(analyte=analyte)
    return noted("outside-own-range", [item.evidence for item in outside], **_multiple_shown(outside[0], newest))


@rule_of_several
def liver_baseline_unclassified(facts: PatientFacts, known: Known) -> Answers:
    """ALT, AST or total bilirubin cannot be told as a multiple of its own upper limit (label 5.1; C5)."""
    if facts.is_treated:
        return (silent(),)
    return tuple(_unclassified(analyte, facts, known) for analyte in LIVER_LIMITED)


def _unclassified(analyte: str, facts: PatientFacts, known: Known) -> Answer:
    newest = newest_results(analyte, facts, known)
    unclear = [i for i in (*newest.accepted, *newest.provisional) if _exceeds_limit(i, known) is Certainty.UNKNOWN]
    is_conflict = _disagree(newest.accepted)
    if newest.is_empty and facts.lacking(Source.MEASUREMENTS):
        return unknown(facts.lacking(Source.MEASUREMENTS), analyte=analyte)
    if not unclear and not is_conflict:
        return silent(analyte=analyte)
    result = unclear[0] if unclear else newest.accepted[0]
    return cannot_check(
        "not-classified",
        "result-classified",
        [item.evidence for item in (*newest.accepted, *newest.provisional)],
        test_to_request(analyte, facts, known),
        analyte=analyte,
        why="conflict" if is_conflict else "zero" if is_zero(result) else why_unclassified(result),
        result_written=result.written,
        limits_written=result.limits.written if result.limits else "",
        result_date=result.evidence.day,
    )


def _disagree(results: Iterable[LabResult]) -> bool:
    """Whether results of one time are not one result (C3)."""
    return len({_compared(item) for item in results}) > 1


def _compared(result: LabResult) -> Interval | str | None:
    """What tells two results of one time apart: the amount, or the words where it has none."""
    return result.amount or (result.limits.number if result.limits else result.written)


# --- liver disease and hepatitis


@rule
def hepatic_impairment(facts: PatientFacts, known: Known) -> Answer:
    """Liver disease is recorded: the label asks to weigh risks and benefits (label 5.1, 8.6)."""
    if facts.is_treated:
        return silent()
    current = [d for d in facts.with_concept("hepatic_failure", "liver_disease") if _is_current(d)]
    past = [d for d in facts.with_concept("hepatic_failure", "liver_disease") if not _is_current(d)]
    failing = [d for d in current if d.concept == "hepatic_failure"]
    told = failing or current or past
    if not told:
        lacking = facts.lacking(Source.DIAGNOSES)
        return unknown(lacking) if lacking else silent()
    labs = [item for analyte in LIVER_LIMITED for item in newest_results(analyte, facts, known).accepted]
    evidence = [*(d.evidence for d in (*current, *past)), *(item.evidence for item in labs)]
    shown = _diagnosis_shown(told[0])
    if failing:
        return fires("failure", evidence, [HEPATOLOGY], **shown)
    if current:
        return fires("disease", evidence, [HEPATOLOGY], **shown)
    if _labs_are_low(facts, known):
        return noted("history", evidence, **shown)
    return fires("history-labs-open", evidence, [HEPATOLOGY], **shown)


def _is_current(diagnosis: Diagnosis) -> bool:
    return diagnosis.standing is not Standing.NO_INFORMATION


def _diagnosis_shown(diagnosis: Diagnosis) -> dict[str, Shown]:
    return {"diagnosis": diagnosis.evidence.name or diagnosis.evidence.value, "since": diagnosis.evidence.day}


def _labs_are_low(facts: PatientFacts, known: Known) -> bool:
    """Whether ALT, AST and bilirubin are all known to be no more than twice their upper limits."""
    newest = [newest_results(analyte, facts, known) for analyte in LIVER_LIMITED]
    return all(
        found.accepted
        and all(_exceeds_limit(i, known) is Certainty.FALSE for i in (*found.accepted, *found.provisional))
        for found in newest
    )


@rule
def hepatic_viral_infection(facts: PatientFacts, known: Known) -> Answer:
    """Acute viral hepatitis or chronic active hepatitis B, or a positive test for one (label 5.1, 5.2)."""
    if facts.is_treated:
        return silent()
    diagnoses = facts.with_concept("acute_viral_hepatitis", "chronic_hepatitis_b")
    tests = [item for item in facts.infection_tests if _is_recent_hepatitis(item, facts, known)]
    evidence = [*(item.evidence for item in diagnoses), *(item.evidence for item in tests)]
    if not evidence:
        lacking = facts.lacking(Source.DIAGNOSES, Source.MEASUREMENTS)
        return unknown(lacking) if lacking else silent()
    standings = {item.standing for item in diagnoses} | {item.standing for item in tests}
    return fires(
        "recorded" if Standing.ACCEPTED in standings else "not-confirmed",
        evidence,
        [HEPATOLOGY, INFECTIOUS_DISEASE],
        diagnosis=evidence[0].name or evidence[0].value,
        since=evidence[0].day,
    )


def _is_recent_hepatitis(item: InfectionTest, facts: PatientFacts, known: Known) -> bool:
    if item.concept not in HEPATITIS_TESTS or not item.is_positive or item.standing is Standing.NO_INFORMATION:
        return False
    months = known.policy.whole("hepatitis.test_months")
    return item.measured.day is None or add_months(item.measured.day, months) >= facts.today


# --- creatinine and blood count


@rule
def creatinine_baseline_missing(facts: PatientFacts, known: Known) -> Answer:
    """No accepted creatinine before the infusion, or an old one (label 2.1, 5.4)."""
    if facts.is_treated:
        return silent()
    return _baseline_of("creatinine", "creatinine", ("missing", "preliminary-only"), facts, known)


@rule_of_several
def cbc_baseline_missing(facts: PatientFacts, known: Known) -> Answers:
    """No accepted platelet count or haemoglobin before the infusion, or an old one (label 2.1, 2.3, 5.3)."""
    if facts.is_treated:
        return (silent(),)
    missing = ", ".join(analyte for analyte in BLOOD_COUNT if _missing(analyte, facts))
    return tuple(
        _baseline_of(analyte, missing, (f"{analyte}-missing", f"{analyte}-preliminary-only"), facts, known)
        for analyte in BLOOD_COUNT
    )


def _baseline_of(analyte: str, analytes: str, grades: tuple[str, str], facts: PatientFacts, known: Known) -> Answer:
    if _missing(analyte, facts):
        return _missing_answer(analyte, analytes, grades, facts, known)
    newest = newest_results(analyte, facts, known)
    result = newest.accepted[0]
    shown = {"pending_since": "", "what_exists": "", "analytes": analytes, **_age_shown(result, facts, known)}
    evidence = [item.evidence for item in newest.accepted]
    change = test_to_request(analyte, facts, known)
    if _is_stale(result, facts, known):
        return fires("stale", evidence, change, **shown)
    unread = _unread_beside(analyte, facts, known)
    is_odd = any(item.amount is None or flag_contradicts(item) for item in newest.accepted)
    if is_odd or unread or len({item.amount for item in newest.accepted}) > 1:
        return cannot_check("not-interpretable", "result-interpretable", [*evidence, *unread], change, **shown)
    return _fresh(result, facts, shown)


@rule
def platelets_baseline_low(facts: PatientFacts, known: Known) -> Answer:
    """The baseline platelet count is below its own lower limit, or the site's (label 5.3, 5.4)."""
    if facts.is_treated:
        return silent()
    newest = newest_results("platelets", facts, known)
    low = [item for item in newest.accepted if _is_low(item, known) is Certainty.TRUE]
    unsure_low = [item for item in newest.provisional if _is_low(item, known) is Certainty.TRUE]
    for grade, found in (("low", low), ("preliminary-low", unsure_low)):
        if found:
            evidence = [item.evidence for item in (*newest.accepted, *newest.provisional)]
            return fires(grade, evidence, test_to_request("platelets", facts, known), **_low_shown(found[0], known))
    if newest.is_empty:
        lacking = facts.lacking(Source.MEASUREMENTS)
        return unknown(lacking, analyte="platelets") if lacking else silent()
    if any(_is_low(i, known) is Certainty.UNKNOWN for i in newest.accepted) or _disagree(newest.accepted):
        return unknown("result-interpretable", [item.evidence for item in newest.accepted], analyte="platelets")
    return silent()


def _is_low(result: LabResult, known: Known) -> Certainty:
    limits = result.limits
    if limits is not None and limits.low is not None:
        below = limits.number.is_below(limits.low)
        return Certainty.UNKNOWN if below is Certainty.FALSE and not limits.is_unit_known else below
    return result.amount.is_below(known.policy["platelet.low"]) if result.amount else Certainty.UNKNOWN


def _low_shown(result: LabResult, known: Known) -> dict[str, Shown]:
    own = result.limits.low if result.limits else None
    return {
        "analyte": result.analyte,
        "result_written": result.written,
        "result_date": result.evidence.day,
        "limit_written": own if own is not None else known.policy["platelet.low"],
        "uses_site_limit": own is None,
    }
