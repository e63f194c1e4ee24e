"""The liver after the infusion: what is due, what got worse, whom to ask (clinical-rules group G; label 2.1, 2.3, 5.1).

A normal clinical examination is never concluded here, and nothing here says that the liver is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.domain.answers import Answer, ProposedChange, Shown, Verdict, cannot_check, fires, silent, unknown
from cds_service.domain.care import Consultation
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import ClinicalTime, add_months, days_from
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.exposure import infusion_day, is_infused
from cds_service.domain.facts import Diagnosis, Moment, PatientFacts, Source
from cds_service.domain.follow_up import calendar_of, follows_infusion
from cds_service.domain.handling import VisitKind
from cds_service.domain.illness_signs import acute_illness_signs, liver_failure_signs, liver_symptoms
from cds_service.domain.known import Known
from cds_service.domain.liver_orders import (
    CONSULT,
    consultation_since,
    further_tests_missing,
    hold_or_return,
    offer_now,
    repeat_of_panel,
    tests_of_slot,
    tests_on,
)
from cds_service.domain.liver_panel import (
    ENZYMES,
    LIVER_PANEL,
    end_check_from,
    is_unremarkable,
    measured_after_infusion,
    results_after_infusion,
)
from cds_service.domain.liver_trend import (
    CLOTTING,
    INR,
    Trend,
    is_above_own_limit,
    is_at_least,
    is_more_than,
    is_on_another_scale,
    multiple_of,
    newly_above_limit,
    reaches,
    trend_lines,
    trends_of,
    worsening_of,
    worst_of,
    written_times,
)
from cds_service.domain.monitoring_calendar import MonitoringCalendar, MonitoringSlot, Series, SlotKind, SlotStatus
from cds_service.domain.newest import newest_of, newness
from cds_service.domain.quantities import to_significant_digits
from cds_service.domain.registry import Answers, rule, rule_of_several
from cds_service.domain.results import LabResult
from cds_service.domain.steroid_dose import DAY, steroid_on
from cds_service.domain.steroid_states import CourseState, CourseStatus, course_status

BILIRUBIN = "total_bilirubin"
NO_RANGE = "no-range"


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


def _course_shown(facts: PatientFacts, known: Known) -> dict[str, Shown]:
    """The day after the infusion, and where the corticosteroid course stands today."""
    infusion, status = infusion_day(facts), course_status(facts, known)
    assert infusion is not None
    assert status is not None
    today = steroid_on(facts.today, facts, known)
    is_given = today.cover is not Certainty.FALSE and status.first_day is not None and status.first_day <= facts.today
    begins = status.taper_begins if status.is_tapering and is_given else None
    digits = known.outside.whole("shown_significant_digits")
    return {
        "infusion_date": infusion,
        "day_number": days_from(infusion, facts.today),
        "course_state": status.state.value,
        "steroid_day": days_from(status.first_day, facts.today) + 1 if is_given and status.first_day else "",
        "taper_day": days_from(begins, facts.today) + 1 if begins and begins <= facts.today else "",
        "steroid_mg": to_significant_digits(today.mg, digits) if today.mg is not None and is_given else "",
        "has_steroid": is_given,
    }


# --- the calendar


def _slot_shown(slot: MonitoringSlot | None, calendar: MonitoringCalendar, facts: PatientFacts) -> dict[str, Shown]:
    """What every card about a slot shows; without a slot only the last panel and the next date."""
    following = calendar.next_slot(Series.LIVER)
    shown: dict[str, Shown] = dict.fromkeys(
        ("slot", "due_date", "due_day", "window_start", "window_end", "analytes"), ""
    )
    if slot is not None:
        shown |= {
            "slot": slot.name,
            "due_date": slot.target,
            "due_day": days_from(calendar.infusion, slot.target),
            "window_start": slot.opens,
            "window_end": slot.closes,
            "analytes": ", ".join(slot.missing),
        }
    last = calendar.last_panel
    return shown | {
        "infusion_date": calendar.infusion,
        "day_number": days_from(calendar.infusion, facts.today),
        "last_panel": last or "",
        "days_since": days_from(last, facts.today) if last else "",
        "next_date": following.target if following else "",
        "is_partial": slot is not None and slot.is_partial,
        "is_last": slot is not None and slot.kind is SlotKind.LAST,
        "is_assumed": slot is not None and slot.is_assumed,
        "orders_not_visible": bool(facts.lacking(Source.REQUESTED_TESTS)),
    }


@rule_of_several
def liver_monitor_due(facts: PatientFacts, known: Known) -> Answers:
    """Liver tests are due now, or a visit is being booked for them (label 2.1, 2.3, 5.1)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    calendar = _calendar(facts, known)
    if facts.moment is Moment.BOOKING:
        return tuple(_bookings(calendar, facts, known)) or (silent(),)
    due = [slot for slot in calendar.of(Series.LIVER) if slot.status is SlotStatus.DUE]
    if lacking := facts.lacking(Source.MEASUREMENTS):
        return (unknown(lacking),)
    return tuple(_due(slot, calendar, facts, known) for slot in due) or (silent(),)


def _due(slot: MonitoringSlot, calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> Answer:
    shown = _slot_shown(slot, calendar, facts) | _proposed_shown((), (), ())
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
    following = calendar.next_slot(Series.LIVER)
    overdue = [slot for slot in calendar.of(Series.LIVER) if slot.status is SlotStatus.OVERDUE]
    for slot in calendar.ahead(Series.LIVER):
        fitting = [day for day in days if slot.opens <= day <= slot.closes]
        others = [day for day in days if day not in fitting]
        shown = _slot_shown(slot, calendar, facts) | _proposed_shown(fitting, others, overdue)
        if fitting:
            yield fires("booking-fits", evidence, tests_on(slot, fitting[0], facts, known), **shown)
        elif slot is following and slot.status is not SlotStatus.BOOKED and proposed:
            yield fires("booking-misses", evidence, **shown)


@rule_of_several
def liver_monitor_overdue(facts: PatientFacts, known: Known) -> Answers:
    """The liver tests of a slot did not come, or the last panel is too long ago (label 2.3, 5.1; ruling 46, 47)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    calendar = _calendar(facts, known)
    overdue = [slot for slot in calendar.of(Series.LIVER) if slot.status is SlotStatus.OVERDUE]
    gap = next((gap for gap in calendar.gaps if gap.series is Series.LIVER), None)
    if overdue:
        # Where the results cannot be seen, one answer says it for all slots.
        told = overdue[-1:] if facts.lacking(Source.MEASUREMENTS) else overdue
        return tuple(_overdue(slot, calendar, facts, known) for slot in told)
    if gap is not None:
        shown = _slot_shown(None, calendar, facts) | _overdue_shown(None, calendar, facts, known)
        shown |= {"days_since": gap.days, "allowed_days": gap.allowed, "last_panel": gap.last_day}
        return (_seen_or_not("gap", (), offer_now(LIVER_PANEL, facts, known), shown, facts),)
    lacking = facts.lacking(Source.MEASUREMENTS)
    return (unknown(lacking),) if lacking else (silent(),)


def _overdue(slot: MonitoringSlot, calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> Answer:
    shown = _slot_shown(slot, calendar, facts) | _overdue_shown(slot, calendar, facts, known)
    missed = _weeks_without_enzymes(slot, calendar)
    grade = "two-weeks-without" if missed >= known.policy.whole("liver.missed_weeks") else "overdue"
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


def _overdue_shown(
    slot: MonitoringSlot | None, calendar: MonitoringCalendar, facts: PatientFacts, known: Known
) -> dict[str, Shown]:
    status = course_status(facts, known)
    return {
        "days_overdue": days_from(slot.target, facts.today) if slot else "",
        "missed_weeks": _weeks_without_enzymes(slot, calendar) if slot else 0,
        "is_taper": status is not None and status.is_tapering,
        "allowed_days": "",
        "is_booked": bool(slot and slot.booked),
    }


def _weeks_without_enzymes(slot: MonitoringSlot, calendar: MonitoringCalendar) -> int:
    """How many weekly slots in a row around this one are overdue without any ALT or AST."""
    run: list[MonitoringSlot] = []
    for other in (s for s in calendar.of(Series.LIVER) if s.kind is SlotKind.WEEKLY):
        is_without = other.status is SlotStatus.OVERDUE and not set(other.present) & set(ENZYMES)
        if not is_without and slot in run:
            break
        run = [*run, other] if is_without else []
    return len(run) if slot in run else 0


@rule_of_several
def liver_panel_incomplete(facts: PatientFacts, known: Known) -> Answers:
    """Some of the five tests of a slot are there and others are not (label 2.1, 2.3); until the slot is overdue."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    if lacking := facts.lacking(Source.MEASUREMENTS):
        return (unknown(lacking),)
    calendar = _calendar(facts, known)
    partial = [s for s in calendar.of(Series.LIVER) if s.is_partial and s.status in (SlotStatus.DUE, SlotStatus.BOOKED)]
    answers = []
    for slot in partial:
        grade = "until-target" if facts.today <= slot.target else "after-target"
        shown = _slot_shown(slot, calendar, facts) | {"is_booked": bool(slot.booked)}
        answers.append(fires(grade, slot.evidence, tests_of_slot(slot, facts, known), **shown))
    return tuple(answers) or (silent(),)


@rule
def liver_followup_3mo(facts: PatientFacts, known: Known) -> Answer:
    """No panel yet at the later of three months after the infusion and one month after the taper (label 2.3, 5.1)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return not_asked
    calendar = _calendar(facts, known)
    ends, taper_ended = calendar.liver_ends, calendar.taper_ended
    if ends is None or taper_ended is None or calendar.liver_over_on is not None:
        return silent()
    if facts.today < ends - timedelta(days=known.policy.whole("monitoring.last.due_before_days")):
        return silent()
    if lacking := facts.lacking(Source.MEASUREMENTS):
        return unknown(lacking)
    slot = next(slot for slot in calendar.of(Series.LIVER) if slot.kind is SlotKind.LAST)
    shown = _slot_shown(slot, calendar, facts) | {
        "end_date": ends,
        "taper_end": taper_ended,
        "taper_month": add_months(taper_ended, 1),
        "three_months": calendar.three_months,
        "is_booked": bool(slot.booked),
    }
    if calendar.last_panel is not None and calendar.last_panel >= ends:
        return fires("not-closed", slot.evidence, **shown)
    grade = "passed" if facts.today > ends else "approaching"
    changes = () if slot.booked else tests_of_slot(slot, facts, known)
    return fires(grade, slot.evidence, changes, **shown)


# --- results


def _result_shown(
    result: LabResult, trend: Trend, facts: PatientFacts, known: Known, since: date | None = None
) -> dict[str, Shown]:
    """What every card about a result shows of it, and of the results before it."""
    limits = result.limits
    is_doubtful = result.standing is Standing.PROVISIONAL
    return {
        "analyte": trend.analyte,
        "result_written": result.written,
        "result_date": result.evidence.day,
        "since_date": result.measured.day or "",
        "times_uln": written_times(result),
        "limits_written": limits.written if limits else "",
        "is_range_from_text": bool(limits and limits.is_from_text),
        "is_lowest_of_several": bool(limits and limits.is_lowest_of_several),
        "is_conflict": result in trend.conflicting,
        "is_preliminary": is_doubtful and result not in trend.conflicting and result not in trend.unclear,
        "trend": trend_lines(trend, facts, known, course_status(facts, known), since),
    }


def _unless_seen(facts: PatientFacts, **shown: Shown) -> Answer:
    """Silent; unknown where the newest result may lie in the part of the list that did not come."""
    lacking = facts.lacking(Source.MEASUREMENTS)
    return unknown(lacking, (), **shown) if lacking else silent(**shown)


@rule_of_several
def liver_worsening(facts: PatientFacts, known: Known) -> Answers:
    """A liver test is worse than before, or its height cannot be told (label 2.1, 5.1; ruling 48; C5, C6)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    return facts.once(_worsened_tests, known)


def _worsened_tests(facts: PatientFacts, known: Known) -> Answers:
    return tuple(_worsened(trend, facts, known) for trend in trends_of(facts, known).values())


def _worsened(trend: Trend, facts: PatientFacts, known: Known) -> Answer:
    worse = worsening_of(trend, known)
    course = _course_shown(facts, known)
    empty: dict[str, Shown] = dict.fromkeys(
        ("previous_written", "previous_date", "previous_times_uln", "crossed", "why"), ""
    )
    if worse is not None:
        before = worse.previous
        shown = (
            empty
            | _result_shown(worse.result, trend, facts, known)
            | course
            | {
                "previous_written": before.written if before else "",
                "previous_date": before.evidence.day if before else "",
                "previous_times_uln": written_times(before),
                "crossed": worse.crossed if worse.crossed is not None else "",
            }
        )
        sampled = worse.result.measured.day
        further = further_tests_missing(sampled or facts.today, facts)
        changes = (*repeat_of_panel(sampled, facts, known), *offer_now(further, facts, known))
        return fires("worsening", trend.evidence, changes, **shown)
    unclear = worst_of(item for item in trend.unclear if not _is_high_without_range(item, known))
    if unclear is not None:
        shown = empty | _result_shown(unclear, trend, facts, known) | course | {"why": trend.why_unclear(unclear)}
        change = offer_now((trend.analyte,), facts, known)
        return cannot_check("unclassified", "result-classified", trend.evidence, change, **shown)
    above = newly_above_limit(trend)
    if above is not None:
        return fires("above-uln", trend.evidence, **empty | _result_shown(above, trend, facts, known) | course)
    return _unless_seen(facts, analyte=trend.analyte)


def _is_high_without_range(result: LabResult, known: Known) -> bool:
    """Whether ALT or AST is so high that it alarms without any upper limit."""
    is_without = result.analyte in ENZYMES and multiple_of(result) is None
    return is_without and is_at_least(result.amount, known.policy["liver.serious.alt_without_range_units_per_l"])


# --- suspected acute serious liver injury


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """Why an acute serious liver injury is suspected: a pattern of results, or a diagnosis; and since which day."""

    pattern: str
    since: date | None
    evidence: tuple[Evidence, ...]
    result: LabResult | None = None
    beside: LabResult | None = None
    diagnosis: Diagnosis | None = None


@rule_of_several
def liver_serious(facts: PatientFacts, known: Known) -> Answers:
    """Results or diagnoses that speak for an acute serious liver injury or failure (label 5.1)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    infusion = infusion_day(facts)
    assert infusion is not None
    trends = trends_of(facts, known)
    suspicions = [*_by_enzymes(trends, known), *_by_bilirubin(trends, known), *_by_clotting(trends, known)]
    suspicions += [
        _Suspicion("diagnosis", sign.onset.day, (sign.evidence,), diagnosis=sign)
        for sign in liver_failure_signs(infusion, facts)
    ]
    if suspicions:
        return tuple(_serious(item, trends, facts, known) for item in suspicions)
    open_ended = [item for item in _by_open_end(trends, known)]
    if open_ended:
        return tuple(_may_be_serious(item, trends, facts, known) for item in open_ended)
    unclear = [item.evidence for trend in trends.values() for item in trend.unclear]
    lacking = facts.lacking(Source.MEASUREMENTS, Source.DIAGNOSES)
    if lacking or unclear:
        return (unknown(lacking or "result-classified", unclear),)
    return (silent(),)


def _by_enzymes(trends: Mapping[str, Trend], known: Known) -> Iterable[_Suspicion]:
    """ALT or AST at the site's multiple of the upper limit, or without one at the site's absolute value."""
    limit = known.policy["liver.serious.enzymes_times_uln"]
    for analyte in ENZYMES:
        trend = trends[analyte]
        high = worst_of(item for item in trend.told if reaches(item, limit))
        bare = worst_of(item for item in trend.told if _is_high_without_range(item, known))
        if high is not None:
            yield _Suspicion("enzymes", high.measured.day, trend.evidence, high)
        elif bare is not None:
            yield _Suspicion(NO_RANGE, bare.measured.day, trend.evidence, bare)


def _by_open_end(trends: Mapping[str, Trend], known: Known) -> Iterable[_Suspicion]:
    """ALT or AST reported only as more than a number, which may be the site's multiple of the limit (H51, C6)."""
    limit = known.policy["liver.serious.enzymes_times_uln"]
    for analyte in ENZYMES:
        multiples = ((item, multiple_of(item)) for item in trends[analyte].told)
        may = [i for i, m in multiples if m is not None and m.high is None and not is_at_least(m, limit)]
        if (worst := worst_of(may)) is not None:
            yield _Suspicion("may-reach", worst.measured.day, trends[analyte].evidence, worst)


def _may_be_serious(item: _Suspicion, trends: Mapping[str, Trend], facts: PatientFacts, known: Known) -> Answer:
    shown = _serious_shown(item, trends, facts, known) | _consult_shown(None)
    changes: tuple[ProposedChange, ...] = (
        CONSULT,
        *offer_now(further_tests_missing(item.since or facts.today, facts), facts, known),
    )
    return cannot_check("may-reach", "result-classified", item.evidence, changes, **shown)


def _by_bilirubin(trends: Mapping[str, Trend], known: Known) -> Iterable[_Suspicion]:
    """Total bilirubin and ALT or AST, each above the site's multiple of the upper limit."""
    limit = known.policy["liver.serious.bilirubin_above_times_uln"]
    beside = known.policy["liver.serious.enzymes_with_bilirubin_above_times_uln"]
    told = [item for analyte in ENZYMES for item in trends[analyte].told]
    bilirubin = worst_of(item for item in trends[BILIRUBIN].told if is_more_than(multiple_of(item), limit))
    enzyme = worst_of(item for item in told if is_more_than(multiple_of(item), beside))
    if bilirubin is not None and enzyme is not None:
        yield _together("bilirubin", bilirubin, enzyme, trends)


def _by_clotting(trends: Mapping[str, Trend], known: Known) -> Iterable[_Suspicion]:
    """INR or PT raised as much as the site says, together with ALT or AST."""
    beside = known.policy["liver.serious.enzymes_with_clotting_times_uln"]
    enzyme = worst_of(item for a in ENZYMES for item in trends[a].told if reaches(item, beside))
    if enzyme is None:
        return
    for analyte in CLOTTING:
        high = worst_of(item for item in trends[analyte].told if _is_clotting_slow(item, known))
        if high is not None:
            yield _together("clotting", high, enzyme, trends)


def _is_clotting_slow(result: LabResult, known: Known) -> bool:
    if result.analyte == INR:
        return is_at_least(result.amount, known.policy["liver.serious.inr_at_least"])
    return reaches(result, known.policy["liver.serious.pt_times_uln"])


def _together(pattern: str, result: LabResult, beside: LabResult, trends: Mapping[str, Trend]) -> _Suspicion:
    """Two results of which the later one completes the pattern; undated ones make its day unknown."""
    days = (result.measured.day, beside.measured.day)
    since = None if days[0] is None or days[1] is None else max(days[0], days[1])
    evidence = (*trends[result.analyte].evidence, *trends[beside.analyte].evidence)
    return _Suspicion(pattern, since, evidence, result, beside)


def _serious(item: _Suspicion, trends: Mapping[str, Trend], facts: PatientFacts, known: Known) -> Answer:
    consultation = consultation_since(item.since, facts)
    shown = _serious_shown(item, trends, facts, known) | _consult_shown(consultation)
    missing = further_tests_missing(item.since or facts.today, facts)
    changes: tuple[ProposedChange, ...] = (
        *(() if consultation else (CONSULT,)),
        *offer_now(missing, facts, known),
        *hold_or_return(course_status(facts, known), facts, known),
    )
    evidence = (*item.evidence, *((consultation.evidence,) if consultation else ()))
    return fires("consulted" if consultation else item.pattern, evidence, changes, **shown)


def _consult_shown(consultation: Consultation | None) -> dict[str, Shown]:
    return {"consult_date": (consultation.when.day or "") if consultation else ""}


def _serious_shown(
    item: _Suspicion, trends: Mapping[str, Trend], facts: PatientFacts, known: Known
) -> dict[str, Shown]:
    names = (
        "analyte",
        "result_written",
        "result_date",
        "times_uln",
        "limits_written",
        "trend",
        "diagnosis",
        "onset_date",
    )
    shown: dict[str, Shown] = dict.fromkeys((*names, "beside_written", "beside_times_uln", "beside_date"), "")
    shown |= dict.fromkeys(("is_range_from_text", "is_lowest_of_several", "is_conflict", "is_preliminary"), False)
    shown |= {"since_date": item.since or "", "is_above_seen": False, "analytes": "", "status": ""}
    if item.result is not None:
        seen = known.label["liver_seen_times_uln"]
        shown |= _result_shown(item.result, trends[item.result.analyte], facts, known)
        shown |= {"since_date": item.since or "", "is_above_seen": is_more_than(multiple_of(item.result), seen)}
    if item.beside is not None:
        shown |= {
            "analytes": item.beside.analyte,
            "beside_written": item.beside.written,
            "beside_times_uln": written_times(item.beside),
            "beside_date": item.beside.evidence.day,
        }
    if item.diagnosis is not None:
        named = item.diagnosis.evidence
        shown |= {"diagnosis": named.name or named.value, "onset_date": named.day, "status": named.status}
    return shown | {
        "pattern": item.pattern,
        "symptoms": _signs_written(liver_symptoms(infusion_day(facts) or facts.today, facts)),
        **{f"last_{name}": _last_written(analyte, facts, known) for name, analyte in _LAST_SHOWN.items()},
        **_course_shown(facts, known),
    }


_LAST_SHOWN = {"inr": INR, "albumin": "albumin", "ptt": "partial_thromboplastin_time"}


def _last_written(analyte: str, facts: PatientFacts, known: Known) -> str:
    """The newest accepted result after the infusion, with its range and day; "" where it was not measured."""
    accepted = newest_of(results_after_infusion(analyte, facts), known).accepted
    if not accepted:
        return ""
    result = accepted[0]
    limits = f" ({result.limits.written})" if result.limits else ""
    return f"{result.written}{limits}, {result.evidence.day}"


def _signs_written(signs: Iterable[Diagnosis]) -> str:
    told = (item.evidence for item in signs)
    return ", ".join(" ".join(part for part in (e.name or e.value, e.day, e.status) if part) for e in told)


# --- after the 30 days


@rule_of_several
def liver_consult_persist(facts: PatientFacts, known: Known) -> Answers:
    """After the 30 days the newest ALT or AST is still 2 x its upper limit or more (label 2.1: consult promptly).

    Exactly 2 x counts. Bilirubin likewise by site policy; PT and INR are noted, because the label gives no multiple.
    """
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    status = course_status(facts, known)
    assert status is not None
    if facts.today <= status.required_end:
        return (silent(),)
    trends = trends_of(facts, known)
    first = end_check_from(status.required_end, known)
    return (
        *(_persisting(trends[analyte], trends, first, status, facts, known) for analyte in (*ENZYMES, BILIRUBIN)),
        *(_slow_clotting(trends[analyte], first, status, facts, known) for analyte in CLOTTING),
    )


def _since(results: Iterable[LabResult], first: date) -> list[LabResult]:
    return [item for item in results if item.measured.day is not None and item.measured.day >= first]


def _persisting(
    trend: Trend, trends: Mapping[str, Trend], first: date, status: CourseStatus, facts: PatientFacts, known: Known
) -> Answer:
    limit = known.label["liver_consult_times_uln"]
    high = worst_of(item for item in _since(trend.told, first) if reaches(item, limit))
    if high is None:
        if not _since(trend.newest.accepted, first):
            lacking = facts.lacking(Source.MEASUREMENTS)
            return unknown(lacking or "liver-after-course", trend.evidence, analyte=trend.analyte)
        return _unless_seen(facts, analyte=trend.analyte)
    days = _days_in_a_row(high, trend, first, known)
    consultation = consultation_since(min(days), facts)
    beside = [trends[name] for name in (BILIRUBIN, INR) if name != trend.analyte]
    is_beside = any(is_above_own_limit(item) for other in beside for item in other.told)
    is_again = len(days) > 1 and max(days) > status.required_end
    shown = _result_shown(high, trend, facts, known, first) | _course_shown(facts, known) | _consult_shown(consultation)
    shown |= {
        "end_date": status.required_end,
        "samples": len(days),
        "is_again": is_again,
        "beside": ", ".join(t.analyte for t in beside if any(is_above_own_limit(item) for item in t.told)),
    }
    evidence = [*trend.evidence, *(item for other in beside if is_beside for item in other.evidence)]
    if consultation is not None:
        return fires("consulted", [*evidence, consultation.evidence], **shown)
    name = "bilirubin" if trend.analyte == BILIRUBIN else "persists"
    grade = f"{name}-with-more" if is_beside or is_again else name
    return fires(grade, evidence, (CONSULT,), **shown)


def _days_in_a_row(high: LabResult, trend: Trend, first: date, known: Known) -> set[date]:
    """The days on which the test was at the label's multiple or more, without a lower one between them."""
    limit = known.label["liver_consult_times_uln"]
    assert high.measured.day is not None
    days = {high.measured.day}
    for group in trend.reliable:
        inside = _since(group, first)
        if not inside or not any(reaches(item, limit) for item in inside):
            break
        days |= {item.measured.day for item in inside if item.measured.day is not None}
    return days


def _slow_clotting(trend: Trend, first: date, status: CourseStatus, facts: PatientFacts, known: Known) -> Answer:
    high = worst_of(item for item in _since(trend.told, first) if is_above_own_limit(item))
    if high is None:
        return _unless_seen(facts, analyte=trend.analyte)
    shown = _result_shown(high, trend, facts, known, first) | _course_shown(facts, known) | _consult_shown(None)
    shown |= {"end_date": status.required_end, "samples": 1, "is_again": False, "beside": ""}
    return fires("clotting", trend.evidence, **shown)


# --- during the taper


@rule_of_several
def liver_rise_on_taper(facts: PatientFacts, known: Known) -> Answers:
    """A liver test is not unremarkable while the corticosteroid is tapered (label 5.1)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return (not_asked,)
    status = course_status(facts, known)
    assert status is not None
    if status.state is CourseState.UNKNOWN:
        return (unknown(status.why or "steroid-dose"),)
    if not status.is_tapering:
        return (silent(),)
    trends = trends_of(facts, known)
    abnormal = {name: _worst_abnormal(trend, known) for name, trend in trends.items()}
    return tuple(_rising(trends[name], abnormal, status, facts, known) for name in LIVER_PANEL)


def _worst_abnormal(trend: Trend, known: Known) -> LabResult | None:
    """The worst of the newest results that is surely not what the label calls unremarkable."""
    told = (item for item in trend.told if not is_on_another_scale(item))
    return worst_of(item for item in told if is_unremarkable(item, known) is Certainty.FALSE)


def _rising(
    trend: Trend, abnormal: Mapping[str, LabResult | None], status: CourseStatus, facts: PatientFacts, known: Known
) -> Answer:
    result = abnormal[trend.analyte]
    if result is None:
        if trend.unclear:
            return unknown("result-classified", trend.evidence, analyte=trend.analyte)
        return _unless_seen(facts, analyte=trend.analyte)
    if _is_answered(result, status, facts, known):
        return silent(analyte=trend.analyte)
    begins = status.taper_begins if status.taper_begins and status.taper_begins <= facts.today else None
    symptoms = liver_symptoms(begins or status.required_end, facts)
    before = _before_taper(trend, begins)
    is_grave = bool(symptoms) or abnormal[BILIRUBIN] is not None or abnormal[INR] is not None
    shown = _result_shown(result, trend, facts, known) | _course_shown(facts, known)
    shown |= {
        "symptoms": _signs_written(symptoms),
        "beside": ", ".join(name for name in (BILIRUBIN, INR) if abnormal[name] is not None and name != trend.analyte),
        "taper_from": begins or "",
        "before_written": before.written if before else "",
        "before_times_uln": written_times(before),
        "before_date": before.evidence.day if before else "",
    }
    evidence = [*trend.evidence, *(item.evidence for item in symptoms)]
    evidence += [item.evidence for name in (BILIRUBIN, INR) if (item := abnormal[name]) is not None]
    changes: tuple[ProposedChange, ...] = (
        *repeat_of_panel(result.measured.day, facts, known),
        *hold_or_return(status, facts, known),
    )
    return fires("rise-with-more" if is_grave else "rise", evidence, changes, **shown)


def _before_taper(trend: Trend, begins: date | None) -> LabResult | None:
    """The last reliable result before the first reduced dose."""
    days = ((group[0].measured.day, group[0]) for group in trend.reliable)
    return next((item for day, item in days if begins is not None and day is not None and day < begins), None)


def _is_answered(result: LabResult, status: CourseStatus, facts: PatientFacts, known: Known) -> bool:
    """Whether the dose was ordered anew after the result and does not fall before the next panel, which is booked."""
    day, slot = result.measured.day, _calendar(facts, known).next_slot(Series.LIVER)
    is_booked = not repeat_of_panel(day, facts, known) or bool(slot and slot.booked)
    if day is None or day > facts.today or slot is None or not is_booked:
        return False
    is_ordered_anew = any(
        order.is_cover and order.written_on is not None and order.written_on >= day for order in facts.steroid_orders
    )
    then = steroid_on(day, facts, known).mg
    last = max(slot.target, facts.today)
    ahead = [steroid_on(facts.today + DAY * n, facts, known).mg for n in range(days_from(facts.today, last) + 1)]
    return is_ordered_anew and then is not None and all(mg is not None and mg >= then for mg in ahead)


# --- acute illness


@rule
def liver_acute_illness(facts: PatientFacts, known: Known) -> Answer:
    """Signs of an acute illness after the infusion, and no complete panel since they began (label 2.1, 5.1, 17)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return not_asked
    infusion = infusion_day(facts)
    assert infusion is not None
    signs = acute_illness_signs(infusion, facts, known)
    samples = _samples(facts, known) if signs else {}
    missing_after = [(sign, _not_measured_after(sign.onset, samples, facts, known)) for sign in signs]
    unanswered = [(sign, missing) for sign, missing in missing_after if missing]
    if not unanswered:
        lacking = facts.lacking(Source.DIAGNOSES)
        return unknown(lacking) if lacking else silent()
    newest = max(unanswered, key=lambda pair: (pair[0].onset.day or facts.today, pair[0].evidence.reference))[0]
    missing = [a for a in LIVER_PANEL if any(a in lacking_then for _, lacking_then in unanswered)]
    since = newest.onset.day or facts.today
    shown: dict[str, Shown] = {
        "signs": _signs_written(sign for sign, _ in unanswered),
        "sign": newest.evidence.name or newest.evidence.value,
        "sign_date": newest.evidence.day,
        "since_date": newest.onset.day or "",
        "analytes": ", ".join(missing),
        "last_panel": _calendar(facts, known).last_panel or "",
        **_course_shown(facts, known),
    }
    evidence = [sign.evidence for sign, _ in unanswered]
    if lacking := facts.lacking(Source.MEASUREMENTS):
        return cannot_check("panel-not-visible", lacking, evidence, **shown)
    changes = offer_now([*missing, *further_tests_missing(since, facts)], facts, known)
    return fires("no-panel", evidence, changes, **shown)


def _samples(facts: PatientFacts, known: Known) -> Mapping[str, list[ClinicalTime]]:
    """When each of the five tests was surely measured after the infusion, the last ones first."""
    found = {}
    for analyte in LIVER_PANEL:
        sure = measured_after_infusion(analyte, facts, known)
        found[analyte] = [item.measured for item in sorted(sure, key=newness, reverse=True)]
    return found


def _not_measured_after(
    onset: ClinicalTime, samples: Mapping[str, list[ClinicalTime]], facts: PatientFacts, known: Known
) -> tuple[str, ...]:
    """Which of the five tests have no accepted result since a sign began."""
    hours = timedelta(hours=known.policy.whole("liver.acute_illness.hours"))
    return tuple(
        analyte
        for analyte, times in samples.items()
        if not any(_answers(sample, onset, facts, hours) for sample in times)
    )


def _answers(sample: ClinicalTime, onset: ClinicalTime, facts: PatientFacts, hours: timedelta) -> bool:
    """Whether a sample was taken after a sign began; where the hours do not tell, one of the site's last hours does."""
    assert sample.day is not None
    if onset.day is not None and sample.day != onset.day:
        return sample.day > onset.day
    if onset.day is not None and onset.instant is not None and sample.instant is not None:
        return sample.instant.timestamp() >= onset.instant.timestamp()
    return facts.is_within(sample, hours)


# --- further tests


@rule
def liver_extended_panel(facts: PatientFacts, known: Known) -> Answer:
    """Albumin, PTT or INR was not measured since an injury of the liver is suspected (label 5.1)."""
    if (not_asked := _not_asked(facts, known)) is not None:
        return not_asked
    suspected = [
        answer
        for answer in (*liver_worsening(facts, known), *liver_serious(facts, known), liver_acute_illness(facts, known))
        if answer.verdict is Verdict.FIRES and answer.grade != "above-uln"
    ]
    if not suspected:
        return _unless_seen(facts)
    days = [day for answer in suspected if isinstance(day := answer.shown["since_date"], date)]
    since = max(days, default=facts.today)
    missing = further_tests_missing(since, facts)
    if not missing:
        return _unless_seen(facts)
    if lacking := facts.lacking(Source.MEASUREMENTS):
        return unknown(lacking)
    changes = offer_now(missing, facts, known)
    evidence = [item for answer in suspected for item in answer.evidence]
    return fires("add", evidence, changes, analytes=", ".join(missing), since_date=since)
