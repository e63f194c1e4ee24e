"""The corticosteroid after the infusion: days left out, the end of the 30 days, the taper (clinical-rules 4F, 5).

The clinical examination that the label asks for before a taper is no record entry: it is never concluded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from cds_service.domain.answers import (
    Answer,
    BeginSteroidLater,
    ExtendSteroid,
    OrderSteroid,
    OrderTaper,
    ProposedChange,
    RequestTest,
    Shown,
    TaperStep,
    cannot_check,
    fires,
    silent,
    unknown,
    verified,
)
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import days_from
from cds_service.domain.dosing_weight import WeightInKg
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.exposure import infusion_day, is_infused
from cds_service.domain.facts import ExposureKind, Moment, PatientFacts, Source
from cds_service.domain.follow_up import calendar_of
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import (
    ENZYMES,
    LIVER_PANEL,
    PanelReading,
    TestReading,
    end_check_from,
    measured_after_infusion,
    panel_for_taper,
)
from cds_service.domain.medicines import SteroidOrder
from cds_service.domain.monitoring_calendar import MonitoringSlot, Series
from cds_service.domain.pending_tests import pending_request, tests_for_missing
from cds_service.domain.quantities import exact_product, to_significant_digits
from cds_service.domain.reference_range import written_multiple
from cds_service.domain.registry import Answers, rule, rule_of_several
from cds_service.domain.steroid_as_written import gravest_of_readings, with_open_ends
from cds_service.domain.steroid_course import LOOK_BACK
from cds_service.domain.steroid_dose import DAY, DailySteroid, daily_mg, first_day_of, steroid_on
from cds_service.domain.steroid_states import CourseState, CourseStatus, course_status, has_full_course
from cds_service.domain.suggested_steroid import measurable_ml, per_kg_to_show, prednisolone, weight_to_order_by

_PREDNISOLONE = frozenset({"prednisolone"})
_SIGNS_OF_THE_LIVER = ("jaundice", "hepatic_failure", "encephalopathy")


def _course(facts: PatientFacts, known: Known) -> CourseStatus | None:
    """Where the course stands; None before the infusion."""
    return course_status(facts, known) if is_infused(facts) else None


def _days_after(first: date, count: int) -> tuple[date, ...]:
    """So many days, the first one counted; none where the count is not above zero."""
    return tuple(first + DAY * n for n in range(count))


def _is_covered(day: date, facts: PatientFacts, known: Known) -> bool:
    return steroid_on(day, facts, known).cover is not Certainty.FALSE


def _is_untold_ahead(status: CourseStatus, today: date) -> bool:
    """Whether some dose of today or later is ordered in a way that cannot be computed."""
    ahead = (day for day in status.days if day.day >= today)
    return any(day.mg is None and day.cover is not Certainty.FALSE for day in ahead)


def _evidence_from(first: date, status: CourseStatus) -> list[Evidence]:
    """What the days around a change rest on: the last one before it, and the first one of it."""
    around = (day for day in status.days if first - DAY <= day.day <= first)
    return [item for day in around for item in day.evidence]


# --- days left out


@rule_of_several
def steroid_gap(facts: PatientFacts, known: Known) -> Answers:
    """Days of the course without a corticosteroid, past ones and those just ahead (label 2.1, 17; ruling 43)."""
    status = _course(facts, known)
    if status is None:
        return (silent(),)
    if status.first_day is None:
        return (unknown(status.why) if status.state is CourseState.UNKNOWN else silent(),)
    if status.state is CourseState.FINISHED:
        return (silent(),)
    return (_left_out(status, facts, known), _left_out_ahead(status, facts, known))


def _gap_shown(days: tuple[date, ...], status: CourseStatus) -> dict[str, Shown]:
    return {
        "first_day": days[0],
        "last_day": days[-1],
        "days": len(days),
        "infusion_date": status.infusion,
        "required_date": status.required_end,
        "dose_mg": "",
        "fill_until": "",
    }


def _watched_until(status: CourseStatus, known: Known) -> date | None:
    """So long a day without a dose is one of the course: to the end of a taper, or as long as a taper would last."""
    if status.permitted_end is not None or status.last_day is None:
        return status.permitted_end
    return max(status.last_day + timedelta(days=known.label.whole("taper_days")), status.required_end)


def _left_out(status: CourseStatus, facts: PatientFacts, known: Known) -> Answer:
    since = status.restarted_on or status.first_day
    assert since is not None
    until = _watched_until(status, known)
    past = _days_after(since, days_from(since, facts.today))
    days = tuple(d for d in past if not _is_covered(d, facts, known) and (until is None or d <= until))
    lacking = facts.lacking(Source.ORDERS)
    if lacking:
        days = tuple(day for day in days if _not_done_on(day, facts))
    if not days:
        return unknown(lacking) if lacking else silent()
    shown_days = known.policy.whole("steroid.gap_shown_days")
    recent = tuple(day for day in days if days_from(day, facts.today) <= shown_days)
    evidence = [e for day in (days[0] - DAY, *days) for e in steroid_on(day, facts, known).evidence]
    if not recent:
        return fires("earlier", evidence, **_gap_shown(days, status))
    is_break = len(recent) >= known.policy.whole("steroid.gap_days")
    return fires("days-missed" if is_break else "day-missed", evidence, **_gap_shown(recent, status))


def _not_done_on(day: date, facts: PatientFacts) -> bool:
    return any(dose.given.day == day and not dose.was_given for dose in facts.steroid_doses)


def _left_out_ahead(status: CourseStatus, facts: PatientFacts, known: Known) -> Answer:
    if facts.lacking(Source.ORDERS):
        return unknown(Source.ORDERS)
    is_discharge = facts.moment is Moment.DISCHARGE
    within = known.policy.whole("steroid.uncovered_within_days")
    count = max(within, days_from(facts.today, status.required_end)) if is_discharge else within
    until = _watched_until(status, known)
    ahead = _days_after(facts.today, count + 1)
    days = tuple(d for d in ahead if not _is_covered(d, facts, known) and (until is None or d <= until))
    if not days:
        return silent()
    change = _fill(days[0], status, facts, known)
    suggested: dict[str, Shown] = {
        "dose_mg": change.mg if change else "",
        "fill_until": change.last_day if change else "",
    }
    evidence = [item for day in status.days[-1:] for item in day.evidence]
    grade = "at-discharge" if is_discharge and days[0] <= status.required_end else "ahead"
    return fires(grade, evidence, [change] if change else [], **(_gap_shown(days, status) | suggested))


def _fill(first: date, status: CourseStatus, facts: PatientFacts, known: Known) -> OrderSteroid | None:
    """The full dose for the days of the 30 that nothing covers; not from today on, which another rule offers."""
    is_reduced = status.taper_begins is not None and status.taper_begins <= first
    if first == facts.today or first > status.required_end or is_reduced:
        return None
    days = _days_after(first, days_from(first, status.required_end) + 1)
    covered = next((day for day in days if _is_covered(day, facts, known)), None)
    last = covered - DAY if covered else status.required_end
    return prednisolone(first, last, facts, known, purpose="continue")


# --- the check at the end of the 30 days


@rule
def steroid_end_check_due(facts: PatientFacts, known: Known) -> Answer:
    """The liver tests that the label asks for at the end of the 30 days are still missing (label 2.1; ruling 44)."""
    status = _course(facts, known)
    if status is None:
        return silent()
    end = status.required_end
    first = end_check_from(end, known)
    last = end + timedelta(days=known.policy.whole("steroid.end_check.after_days"))
    if not first <= facts.today <= last:
        return silent()
    found = {analyte: list(_sampled(analyte, first, facts, known)) for analyte in LIVER_PANEL}
    missing = [analyte for analyte in LIVER_PANEL if not found[analyte]]
    evidence = [item for analyte in LIVER_PANEL for item in found[analyte]]
    if not missing:
        return verified(evidence)
    lacking = facts.lacking(Source.MEASUREMENTS)
    if lacking:
        return unknown(lacking, evidence)
    ordered = [analyte for analyte in missing if pending_request(analyte, facts, known) is not None]
    to_order = [analyte for analyte in missing if analyte not in ordered]
    changes = tests_for_missing(to_order, LIVER_PANEL, known, max(end, facts.today))
    shown: dict[str, Shown] = {
        "analytes": ", ".join(missing),
        "present": len(LIVER_PANEL) - len(missing),
        "is_all_ordered": not to_order,
        "end_date": end,
        "first_sample_date": first,
        "day_number": days_from(status.infusion, facts.today),
        "infusion_date": status.infusion,
    }
    return fires("due" if facts.today >= end else "soon", evidence, changes, **shown)


def _sampled(analyte: str, first: date, facts: PatientFacts, known: Known) -> Iterator[Evidence]:
    """The accepted results of a test that were sampled on a day or later, apart from those that contradict others."""
    for item in measured_after_infusion(analyte, facts, known):
        if item.measured.day is not None and item.measured.day >= first:
            yield item.evidence


# --- may taper


@rule
def steroid_taper_eligible(facts: PatientFacts, known: Known) -> Answer:
    """The laboratory part of "unremarkable" is met at the end of the 30 days or later (label 2.1; ruling 41)."""
    status = _course(facts, known)
    if status is None or facts.today < status.required_end:
        return silent()
    if status.state is CourseState.UNKNOWN:
        return unknown(status.why)
    if not status.is_full_dose:
        return silent()
    panel = panel_for_taper(status.required_end, facts, known)
    if panel.verdict is Certainty.TRUE and facts.lacking(Source.MEASUREMENTS):
        return unknown(Source.MEASUREMENTS, panel.evidence)
    if status.state is not CourseState.MAY_TAPER or _signs_of_the_liver(facts):
        return silent()
    if not has_full_course(status, facts, known):
        return unknown("full-course", panel.evidence)
    is_clear = not status.taper_begins and not _is_untold_ahead(status, facts.today)
    is_clear = is_clear and not facts.lacking(Source.ORDERS, Source.DIAGNOSES)
    taper = _taper(status, facts, known) if is_clear else None
    sampled = [test.result.measured.day for test in panel.tests if test.result and test.result.measured.day]
    shown: dict[str, Shown] = {
        "end_date": status.required_end,
        "taper_begins": status.taper_begins or "",
        "sampled_from": min(sampled),
        "sampled_to": max(sampled),
        "has_template": taper is not None,
        "day_number": days_from(status.infusion, facts.today),
    }
    for test in panel.tests:
        assert test.result is not None
        shown[test.analyte] = test.result.written
        shown[f"{test.analyte}_times_uln"] = written_multiple(test.result) if test.analyte in ENZYMES else ""
    return fires("eligible", panel.evidence, [taper] if taper else [], **shown)


def _signs_of_the_liver(facts: PatientFacts) -> list[Evidence]:
    """The recorded signs with which the clinical examination is not normal."""
    told = (*facts.with_concept(*_SIGNS_OF_THE_LIVER), *facts.visit_reasons)
    is_sign = (i for i in told if i.concept in _SIGNS_OF_THE_LIVER and i.standing is not Standing.NO_INFORMATION)
    return [item.evidence for item in is_sign]


def _taper(status: CourseStatus, facts: PatientFacts, known: Known) -> OrderTaper | None:
    """The site's template from tomorrow on; None without an undoubted weight, where it would be no taper of the
    label's length, or where the tests are too old by then.
    """
    weight, first = weight_to_order_by(facts, known), facts.today + DAY
    is_proven = panel_for_taper(status.required_end, facts, known, first).verdict is Certainty.TRUE
    if weight is None or status.maintenance_mg is None or not is_proven:
        return None
    days = [known.policy.whole("taper.template.first.days"), known.policy.whole("taper.template.second.days")]
    per_kg = [
        known.policy["taper.template.first.mg_per_kg_per_day"],
        known.policy["taper.template.second.mg_per_kg_per_day"],
    ]
    strength = known.policy["steroid.suggested.strength_mg_per_ml"]
    one = _step(per_kg[0], first, days[0], strength, weight, known)
    two = _step(per_kg[1], first + DAY * days[0], days[1], strength, weight, known)
    is_falling = status.maintenance_mg > one.mg > two.mg > 0
    return OrderTaper((one, two), strength) if is_falling and sum(days) >= known.label.whole("taper_days") else None


def _step(per_kg: Decimal, first: date, days: int, strength: Decimal, weight: WeightInKg, known: Known) -> TaperStep:
    ml = measurable_ml(exact_product(weight.raw_kg, per_kg), known)
    mg = exact_product(ml, strength)
    return TaperStep(mg, ml, per_kg_to_show(mg, weight, known), first, first + DAY * (days - 1))


# --- the taper begins


def _is_taper_on(status: CourseStatus, today: date) -> bool:
    """Whether a reduction is running or ahead."""
    return status.taper_begins is not None and (status.last_day is None or status.last_day >= today)


def _no_taper(status: CourseStatus, today: date) -> Answer:
    """What the rules about a taper say where none is to be seen: unknown where one may be hidden."""
    if status.state is CourseState.UNKNOWN:
        return unknown(status.why)
    return unknown("steroid-dose") if _is_untold_ahead(status, today) else silent()


def _is_only_drafted(begins: date, facts: PatientFacts) -> bool:
    """Whether a reduction of today is still in the hand of the prescriber."""
    return begins == facts.today and any(order.is_draft for order in facts.steroid_orders)


def _begin_shown(status: CourseStatus, facts: PatientFacts) -> dict[str, Shown]:
    assert status.taper_begins is not None
    levels = {day.day: day.mg for day in status.days}
    reduced = levels.get(status.taper_begins)
    return {
        "taper_begins": status.taper_begins,
        "is_ahead": status.taper_begins > facts.today or _is_only_drafted(status.taper_begins, facts),
        "mg_before": status.maintenance_mg if status.maintenance_mg is not None else "",
        "mg_after": reduced if reduced is not None else "",
        "end_date": status.required_end,
        "allowed_date": status.required_end + DAY,
        "first_day": status.first_day or "",
        "infusion_date": status.infusion,
    }


def _orders_without_infusion_day(facts: PatientFacts, known: Known) -> list[Evidence]:
    """The orders in hand that stop the corticosteroid, or may reduce it, where a dose of an unknown day was given.

    From which day on they may is counted from the infusion; with the doses behind it. Empty where none does.
    """
    undated = [item for item in facts.exposures if item.kind is not ExposureKind.OTHER_PRODUCT and not item.given.day]
    if facts.moment is not Moment.ORDERING or not undated or infusion_day(facts) is not None:
        return []
    orders = [o for o in facts.steroid_orders if o.is_being_stopped or (o.is_draft and _may_reduce(o, facts, known))]
    return [*(order.evidence for order in orders), *(item.evidence for item in undated)] if orders else []


def _may_reduce(draft: SteroidOrder, facts: PatientFacts, known: Known) -> bool:
    """Whether a draft gives less than some day before it, or one of both doses cannot be told."""
    days = (steroid_on(facts.today - DAY * n, facts, known) for n in range(1, LOOK_BACK.days + 1))
    before = [day.mg for day in days if day.cover is not Certainty.FALSE]
    ordered = [daily_mg(phase, draft, facts, known) for phase in draft.phases]
    if facts.lacking(Source.ORDERS) or None in ordered or None in before:
        return bool(before) or bool(facts.lacking(Source.ORDERS))
    lowest = min((mg for mg in ordered if mg is not None), default=None)
    return lowest is not None and any(mg is not None and lowest < mg for mg in before)


@rule
def steroid_taper_too_early(facts: PatientFacts, known: Known) -> Answer:
    """The dose is reduced before the 30 days are over (label 2.1)."""
    return gravest_of_readings(_too_early, ("too-early",), facts, known, with_open_ends(facts))


def _too_early(facts: PatientFacts, known: Known) -> Answer:
    status = _course(facts, known)
    if status is None and (untimed := _orders_without_infusion_day(facts, known)):
        return cannot_check("day-unknown", "infusion-date", untimed)
    if status is None or status.first_day is None:
        return silent() if status is None or status.state is not CourseState.UNKNOWN else unknown(status.why)
    begins = status.taper_begins
    if begins is None or not _is_taper_on(status, facts.today):
        return _no_taper(status, facts.today)
    if begins > status.required_end:
        return silent()
    later = [
        BeginSteroidLater(order.order_id, status.required_end + DAY)
        for order in facts.steroid_orders
        if order.is_draft and order.phases and min(first_day_of(p, order, facts) for p in order.phases) == begins
    ]
    return fires("too-early", _evidence_from(begins, status), later, **_begin_shown(status, facts))


@rule
def steroid_taper_unsupported(facts: PatientFacts, known: Known) -> Answer:
    """The dose is reduced after the 30 days, and the liver tests are not proven to be unremarkable (label 2.1)."""
    return gravest_of_readings(_unsupported, _UNSUPPORTED, facts, known, with_open_ends(facts))


_UNSUPPORTED = ("abnormal", "not-proven", "planned-abnormal", "planned-not-proven")


def _unsupported(facts: PatientFacts, known: Known) -> Answer:
    status = _course(facts, known)
    if status is None or status.first_day is None:
        return silent() if status is None or status.state is not CourseState.UNKNOWN else unknown(status.why)
    begins = status.taper_begins
    if begins is None or not _is_taper_on(status, facts.today):
        return _no_taper(status, facts.today)
    if begins <= status.required_end:
        return silent()
    panel = _panel_when_reduced(begins, status, facts, known)
    is_ahead = begins > facts.today or _is_only_drafted(begins, facts)
    # Once a taper runs, new signs are the liver rules' own finding.
    signs = _signs_of_the_liver(facts) if is_ahead else []
    lacking = facts.lacking(Source.MEASUREMENTS)
    if panel.verdict is Certainty.TRUE and not signs and not lacking:
        return silent()
    is_abnormal = panel.verdict is Certainty.FALSE or bool(signs)
    tests = panel.abnormal if is_abnormal else panel.unproven
    shown = _begin_shown(status, facts) | _tests_shown(tests, is_abnormal)
    shown |= {"signs": ", ".join(dict.fromkeys(sign.name or sign.value for sign in signs))}
    evidence = [*_evidence_from(begins, status), *panel.evidence, *signs]
    changes = () if is_abnormal else _missing_tests(panel, status, facts, known)
    prefix = "planned-" if begins > facts.today else ""
    if is_abnormal:
        return fires(f"{prefix}abnormal", evidence, changes, **shown)
    if lacking:
        return cannot_check(f"{prefix}not-proven", lacking, evidence, changes, **shown)
    return fires(f"{prefix}not-proven", evidence, changes, **shown)


def _panel_when_reduced(begins: date, status: CourseStatus, facts: PatientFacts, known: Known) -> PanelReading:
    """The tests as they stood when the dose was, or will be, reduced; else as they stand now, where that is better.

    A rise after a supported beginning is another finding.
    """
    end = status.required_end
    if begins > facts.today:
        return panel_for_taper(end, facts, known, begins)
    by_then = tuple(r for r in facts.lab_results if r.measured.day is None or r.measured.day <= begins)
    then = panel_for_taper(end, replace(facts, lab_results=by_then), known, begins)
    if then.verdict is Certainty.TRUE:
        return then
    now = panel_for_taper(end, facts, known)
    if now.verdict is Certainty.UNKNOWN and then.verdict is Certainty.FALSE:
        return then
    return now


def _tests_shown(tests: tuple[TestReading, ...], is_abnormal: bool) -> dict[str, Shown]:
    sampled = [test.result.measured.day for test in tests if test.result and test.result.measured.day]
    return {
        "analytes": ", ".join(test.analyte for test in tests),
        "is_abnormal": is_abnormal,
        "sampled_from": min(sampled, default=""),
        "reasons": ", ".join(dict.fromkeys(test.why for test in tests if test.why)),
    }


def _missing_tests(
    panel: PanelReading, status: CourseStatus, facts: PatientFacts, known: Known
) -> tuple[RequestTest, ...]:
    """The tests that would prove it, at the end of the 30 days, which a reduction that is judged here follows."""
    wanted = [t.analyte for t in panel.unproven if pending_request(t.analyte, facts, known) is None]
    return tests_for_missing(wanted, LIVER_PANEL, known, max(status.required_end, facts.today))


# --- the full dose goes on


@rule
def steroid_continue(facts: PatientFacts, known: Known) -> Answer:
    """After the 30 days at full dose, without proof of unremarkable liver tests: going on is right (label 2.1)."""
    status = _course(facts, known)
    if status is None or facts.today <= status.required_end:
        return silent()
    if status.state is CourseState.UNKNOWN:
        return unknown(status.why)
    if status.state not in (CourseState.DECIDE, CourseState.EXTENDED):
        return silent()
    panel = panel_for_taper(status.required_end, facts, known)
    last = _end_of_run(status, facts.today)
    within = known.policy.whole("steroid.uncovered_within_days")
    is_ending = last is not None and days_from(facts.today, last) <= within
    calendar = calendar_of(facts, known)
    slot = calendar.next_slot(Series.LIVER) if calendar else None
    if not is_ending and slot is not None and slot.booked:
        return silent()
    is_abnormal = panel.verdict is Certainty.FALSE
    change = _prolong(last, status, facts, known) if is_ending and last is not None else ()
    today = steroid_on(facts.today, facts, known)
    shown = _tests_shown(panel.abnormal if is_abnormal else panel.unproven, is_abnormal)
    shown |= _next_shown(slot, facts.today) | {
        "end_date": status.required_end,
        "order_ends": last or "",
        "mg_per_day": today.mg if today.mg is not None else "",
        "extend_until": change[0].last_day if change else "",
        "day_number": days_from(status.infusion, facts.today),
    }
    evidence = [*today.evidence, *panel.evidence]
    return fires("order-ends" if is_ending else "continue", evidence, change, **shown)


def _next_shown(slot: MonitoringSlot | None, today: date) -> dict[str, Shown]:
    """The next tests: on their day, or now where that has passed."""
    return {
        "next_test_date": max(slot.target, today) if slot else "",
        "is_booked": slot is not None and bool(slot.booked),
    }


def _end_of_run(status: CourseStatus, today: date) -> date | None:
    """The last day of the covered days that hold today, or yesterday; None without an end in sight."""
    last = max((run[1] for run in status.runs if run[0] <= today), default=today)
    return None if status.is_open_ended and last == status.runs[-1][1] else last


def _prolong(
    last: date, status: CourseStatus, facts: PatientFacts, known: Known
) -> tuple[ExtendSteroid] | tuple[OrderSteroid] | tuple[()]:
    """The full dose for some more days: the draft that ends too soon, else prednisolone as it is given now."""
    until = last + timedelta(days=known.policy.whole("steroid.extend_days"))
    draft = next((order for order in facts.steroid_orders if order.is_draft and _ends_on(order, last)), None)
    if draft is not None:
        return (ExtendSteroid(draft.order_id, until),)
    day, weight = steroid_on(last, facts, known), weight_to_order_by(facts, known)
    days = _days_after(last + DAY, days_from(last, until))
    covered = next((d for d in days if _is_covered(d, facts, known)), None)
    if covered is not None or weight is None or day.mg is None or day.drugs != _PREDNISOLONE:
        return ()
    if day.mg < exact_product(weight.raw_kg, known.policy["steroid.band.low"]):
        return ()
    order = prednisolone(last + DAY, until, facts, known, mg=day.mg, purpose="continue")
    return (order,) if order is not None else ()


def _ends_on(order: SteroidOrder, day: date) -> bool:
    return (
        bool(order.phases)
        and all(p.last_day is not None and p.last_day <= day for p in order.phases)
        and any(p.last_day == day for p in order.phases)
    )


# --- the taper itself


@rule_of_several
def steroid_taper_short(facts: PatientFacts, known: Known) -> Answers:
    """The taper lasts fewer than the label's 28 days, or falls by a large step (label 2.1)."""
    short = gravest_of_readings(_length, _SHORT, facts, known, with_open_ends(facts))
    status = _course(facts, known)
    if status is None or not _is_taper_told(status):
        return (short,)
    assert status.taper_begins is not None
    return (short, _large_step(status.taper_begins, status, known))


_SHORT = ("far-too-short", "short", "ended-earlier")


def _length(facts: PatientFacts, known: Known) -> Answer:
    status = _course(facts, known)
    if status is None or status.first_day is None:
        return silent() if status is None or status.state is not CourseState.UNKNOWN else unknown(status.why)
    if status.taper_begins is None or status.state is CourseState.FINISHED:
        return _no_taper(status, facts.today)
    if not _is_taper_told(status):
        return unknown("steroid-dose", next(_untold_in_taper(status)).evidence)
    return _too_short(status.taper_begins, status, facts, known)


def _is_taper_told(status: CourseStatus) -> bool:
    """Whether there is a taper that is not finished, and every dose of it is known."""
    is_over = status.taper_begins is None or status.state is CourseState.FINISHED
    return not is_over and next(_untold_in_taper(status), None) is None


def _untold_in_taper(status: CourseStatus) -> Iterator[DailySteroid]:
    begins = status.taper_begins or date.max
    return (d for d in status.days if d.day >= begins and d.mg is None and d.cover is not Certainty.FALSE)


def _taper_shown(begins: date, status: CourseStatus, known: Known) -> dict[str, Shown]:
    return {
        "taper_begins": begins,
        "last_date": status.last_day or "",
        "taper_days": status.taper_days if status.taper_days is not None else "",
        "allowed_date": begins + DAY * (known.label.whole("taper_days") - 1),
        "steps": ", ".join(_steps(begins, status, known)),
        "is_all_readable": True,
        "step_date": "",
        "mg_from": "",
        "mg_to": "",
    }


def _steps(begins: date, status: CourseStatus, known: Known) -> Iterator[str]:
    """The levels of the taper with the first day of each."""
    digits = known.outside.whole("shown_significant_digits")
    mg: Decimal | None = None
    for day in status.days:
        if day.day >= begins and day.mg is not None and day.mg != mg:
            mg = day.mg
            yield f"{to_significant_digits(mg, digits):f} mg ({day.day.isoformat()})"


def _too_short(begins: date, status: CourseStatus, facts: PatientFacts, known: Known) -> Answer:
    days, wanted = status.taper_days, known.label.whole("taper_days")
    if days is None or status.last_day is None or days >= wanted:
        return silent()
    evidence = [*_evidence_from(begins, status), *(item for day in status.days[-1:] for item in day.evidence)]
    shown = _taper_shown(begins, status, known)
    if days_from(status.last_day, facts.today) > wanted:
        return fires("ended-earlier", evidence, **shown)
    last = status.last_day
    drafts = [
        ExtendSteroid(o.order_id, begins + DAY * (wanted - 1))
        for o in facts.steroid_orders
        if o.is_draft and _ends_on(o, last) and begins > status.required_end
    ]
    is_far = days < known.policy.whole("taper.far_too_short_below_days")
    return fires("far-too-short" if is_far else "short", evidence, drafts, **shown)


def _large_step(begins: date, status: CourseStatus, known: Known) -> Answer:
    """A single step down by more than the site's share of the full dose."""
    if status.maintenance_mg is None:
        return silent()
    allowed = exact_product(status.maintenance_mg, known.policy["taper.step_above"])
    levels = [day for day in status.days if day.mg is not None and day.day >= begins - DAY]
    for before, after in pairwise(levels):
        assert before.mg is not None
        assert after.mg is not None
        if before.mg - after.mg > allowed:
            shown = _taper_shown(begins, status, known)
            shown |= {"step_date": after.day, "mg_from": before.mg, "mg_to": after.mg}
            return fires("large-step", [*before.evidence, *after.evidence], **shown)
    return silent()


@rule
def steroid_taper_abrupt(facts: PatientFacts, known: Known) -> Answer:
    """The corticosteroid stops without a completed taper (label 2.1: never abruptly)."""
    return gravest_of_readings(_abrupt, _ABRUPT, facts, known, with_open_ends(facts))


_ABRUPT = (
    "cannot-tell", "being-stopped", "stopped", "at-discharge", "planned-stop", "stopped-after-restart", "ended-earlier",
)  # fmt: skip


def _abrupt(facts: PatientFacts, known: Known) -> Answer:
    status = _course(facts, known)
    if status is None or status.first_day is None:
        return silent() if status is None or status.state is not CourseState.UNKNOWN else unknown(status.why)
    stopping = [order.evidence for order in facts.steroid_orders if order.is_being_stopped]
    is_uncovered = not _is_covered(facts.today, facts, known)
    if status.state is CourseState.UNKNOWN:
        if stopping and is_uncovered:
            shown = _stop_shown(None, status.maintenance_mg, status, facts, known)
            return cannot_check("cannot-tell", status.why, stopping, **shown)
        return unknown(status.why)
    if status.state is CourseState.FINISHED:
        return silent()
    if status.state is CourseState.INTERRUPTED:
        return _stopped(stopping, status, facts, known)
    if facts.moment is Moment.DISCHARGE and status.permitted_end is None and not _goes_on(status, facts.today):
        last = status.days[-1]
        return fires("at-discharge", last.evidence, **_stop_shown(last, status.maintenance_mg, status, facts, known))
    return _planned_stop(status, facts, known)


def _goes_on(status: CourseStatus, today: date) -> bool:
    return status.last_day is None or status.last_day > today


def _stopped(stopping: list[Evidence], status: CourseStatus, facts: PatientFacts, known: Known) -> Answer:
    covered = [day for day in status.days if day.day < facts.today and day.cover is not Certainty.FALSE]
    last = covered[-1]
    # Not the whole plan's: a higher dose that is ordered for later does not make the dose that was stopped a small one.
    full_mg = status.maintenance_so_far_mg
    if last.day >= status.required_end and not _is_from_high(last, full_mg, known):
        return silent()
    shown = _stop_shown(last, full_mg, status, facts, known)
    if stopping:
        return fires("being-stopped", [*stopping, *last.evidence], **shown)
    if days_from(last.day, facts.today) > known.label.whole("taper_days"):
        return fires("ended-earlier", last.evidence, **shown)
    if status.restarted_on is not None and status.restarted_on <= last.day:
        return fires("stopped-after-restart", last.evidence, **shown)
    return fires("stopped", last.evidence, _resume(last, status, facts, known), **shown)


def _is_from_high(last: DailySteroid, full_mg: Decimal | None, known: Known) -> bool:
    """Whether the last dose was so large a share of the full one that a stop from it is abrupt."""
    if last.mg is None or full_mg is None:
        return True
    return last.mg >= exact_product(full_mg, known.policy["taper.stop_from_share"])


def _resume(last: DailySteroid, status: CourseStatus, facts: PatientFacts, known: Known) -> Iterable[ProposedChange]:
    """The full dose again, shortly after a stop that followed the 30 days; within them another rule offers it."""
    within = known.policy.whole("steroid.uncovered_within_days")
    if facts.today <= status.required_end or days_from(last.day, facts.today) > within or _goes_on(status, facts.today):
        return ()
    until = facts.today + DAY * (known.policy.whole("steroid.extend_days") - 1)
    order = prednisolone(facts.today, until, facts, known, purpose="return")
    return (order,) if order is not None else ()


def _planned_stop(status: CourseStatus, facts: PatientFacts, known: Known) -> Answer:
    """A taper that is ordered to end at a dose from which the stop would be abrupt."""
    begins = status.taper_begins
    if begins is None or status.last_day is None or not _is_taper_on(status, facts.today):
        return _no_taper(status, facts.today)
    last = status.days[-1]
    if last.mg is None:
        return unknown("steroid-dose", last.evidence)
    if not _is_from_high(last, status.maintenance_mg, known):
        return silent()
    return fires("planned-stop", last.evidence, **_stop_shown(last, status.maintenance_mg, status, facts, known))


def _stop_shown(
    last: DailySteroid | None, full_mg: Decimal | None, status: CourseStatus, facts: PatientFacts, known: Known
) -> dict[str, Shown]:
    mg = last.mg if last is not None else None
    return {
        "last_date": last.day if last is not None else "",
        "last_mg": to_significant_digits(mg, known.outside.whole("shown_significant_digits")) if mg is not None else "",
        "full_mg": full_mg if full_mg is not None else "",
        "day_number": days_from(status.infusion, facts.today),
        "infusion_date": status.infusion,
        "required_date": status.required_end,
        "is_before_end": last is not None and last.day < status.required_end,
        "resumes_on": min((run[0] for run in status.runs if last is not None and run[0] > last.day), default=""),
    }
