"""Going home after the infusion, and the years after it (clinical-rules group K; label 2.1, 2.3, 5.6, 6, 12.3, 17)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from cds_service.domain.answers import (
    Answer,
    OrderMonitoring,
    RequestTest,
    Shown,
    Verdict,
    cannot_check,
    fires,
    silent,
    unknown,
)
from cds_service.domain.care import Teaching
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import add_months, days_from, full_years_and_days
from cds_service.domain.dosing_weight import weight_for_dose
from cds_service.domain.evidence import Evidence
from cds_service.domain.exposure import infusion_day, is_infused, last_infusion_day
from cds_service.domain.facts import Diagnosis, ExposureKind, Moment, PatientFacts, Source
from cds_service.domain.follow_up import body_waste_until, calendar_of, given_days
from cds_service.domain.handling import VisitKind
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import LIVER_PANEL, PLATELETS, results_after_infusion
from cds_service.domain.medicines import SteroidOrder
from cds_service.domain.monitoring_calendar import MonitoringCalendar, MonitoringSlot, Series, SlotStatus
from cds_service.domain.pending_tests import analytes_of, is_pending, tests_for_missing
from cds_service.domain.quantities import plain
from cds_service.domain.registry import Answers, rule, rule_of_several, summary_rule
from cds_service.domain.steroid_dose import DAY, DailySteroid, steroid_on
from cds_service.domain.steroid_states import CourseState, course_status

THERE, MISSING, NOT_VISIBLE = "there", "missing", "not-visible"
NEOPLASM, BENIGN = "neoplasm", "benign_neoplasm"


# --- the plan for home


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the plan: whether it is there, missing, or not to be seen from here; and what is known of it."""

    name: str
    state: str
    shown: Mapping[str, Shown]
    evidence: tuple[Evidence, ...] = field(default=())


@rule
def discharge_plan(facts: PatientFacts, known: Known) -> Answer:
    """What a child needs at home after the infusion, and which of it the record does not hold (label 2.1, 2.3, 17)."""
    if facts.moment is not Moment.DISCHARGE or not _is_given(facts):
        return silent()
    infusion = infusion_day(facts)
    if infusion is None:
        return cannot_check("day-unknown", "infusion-date")
    calendar = calendar_of(facts, known)
    if calendar is None or not _is_first_discharge(facts, known):
        return silent()
    parts = _parts(infusion, calendar, facts, known)
    named = {state: [part.name for part in parts if part.state == state] for state in (MISSING, NOT_VISIBLE, THERE)}
    if not named[MISSING] and not named[NOT_VISIBLE]:
        return silent()
    tests = _tests_ahead(calendar, facts, known)
    shown: dict[str, Shown] = {name: value for part in parts for name, value in part.shown.items()}
    return fires(
        "incomplete",
        (item for part in parts for item in part.evidence),
        (OrderMonitoring(tests),) if tests else (),
        infusion_date=infusion,
        day_number=days_from(infusion, facts.today),
        open_parts=len(named[MISSING]) + len(named[NOT_VISIBLE]),
        missing=", ".join(named[MISSING]),
        not_visible=", ".join(named[NOT_VISIBLE]),
        there=", ".join(named[THERE]),
        orders_not_visible=bool(facts.lacking(Source.REQUESTED_TESTS)),
        **shown,
    )


def _is_given(facts: PatientFacts) -> bool:
    """Whether the product was given, or may have been, on a day that is not ahead or not known."""
    is_recorded = any(item.kind is not ExposureKind.OTHER_PRODUCT for item in facts.exposures)
    return is_recorded and (infusion_day(facts) is None or is_infused(facts))


def _is_first_discharge(facts: PatientFacts, known: Known) -> bool:
    """Whether the infusion was in this stay or shortly before; where the stay did not come, whether it may have been.

    A corticosteroid that still runs then speaks for it, so that a plan is rather looked at once too often.
    """
    if _is_shortly_after(facts, known):
        return True
    began = facts.stay.began.day if facts.stay else None
    if began is None:
        return _course_runs(facts, known)
    return any(began <= day for day in given_days(facts))


def _is_shortly_after(facts: PatientFacts, known: Known) -> bool:
    allowed = known.policy.whole("discharge.within_days")
    return any(0 <= days_from(day, facts.today) <= allowed for day in given_days(facts))


def _course_runs(facts: PatientFacts, known: Known) -> bool:
    status = course_status(facts, known)
    return status is not None and status.first_day is not None and status.is_running


def _parts(infusion: date, calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> tuple[_Part, ...]:
    return (
        *_corticosteroid(facts, known),
        _next_tests("liver", Series.LIVER, calendar, facts, known),
        _next_tests("platelets", Series.PLATELETS, calendar, facts, known),
        _vaccines(facts),
        _weight(facts, known),
        _contact(infusion, facts),
    )


def _corticosteroid(facts: PatientFacts, known: Known) -> tuple[_Part, ...]:
    """Cover from tomorrow to the end of the 30 days, at least for tomorrow; and how strong what is ordered is."""
    status = course_status(facts, known)
    assert status is not None
    empty: dict[str, Shown] = dict.fromkeys(("first_uncovered", "mg_per_day", "strengths"), "")
    first = facts.today + DAY
    last = max(status.required_end, first)
    shown = empty | {"steroid_to": last, "is_finished": status.state is CourseState.FINISHED}
    if status.state is CourseState.FINISHED:
        return (_Part("steroid", THERE, shown),)
    days = [steroid_on(first + DAY * n, facts, known, within_supply=True) for n in range(days_from(first, last) + 1)]
    uncovered = next((day.day for day in days if day.cover is Certainty.FALSE), None)
    is_sure = all(day.cover is Certainty.TRUE for day in days)
    state = THERE if is_sure else _open(facts, Source.ORDERS) if uncovered else NOT_VISIBLE
    covering = _covering(days, facts)
    strengths = dict.fromkeys(plain(o.strength_mg_per_ml) for o in covering if o.strength_mg_per_ml is not None)
    shown |= {"first_uncovered": uncovered or "", "strengths": ", ".join(strengths)}
    shown["mg_per_day"] = days[0].mg if days[0].mg is not None else ""
    cover = _Part("steroid", state, shown, tuple(order.evidence for order in covering))
    if not covering:
        return (cover,)
    is_stated = all(order.strength_mg_per_ml is not None for order in covering)
    return (cover, _Part("strength", THERE if is_stated else NOT_VISIBLE, {}))


def _covering(days: Iterable[DailySteroid], facts: PatientFacts) -> list[SteroidOrder]:
    """The orders that these days rest on."""
    told = {item.reference for day in days for item in day.evidence}
    return [order for order in facts.steroid_orders if order.evidence.reference in told]


def _open(facts: PatientFacts, source: Source) -> str:
    """Missing where the list is complete, else only not to be seen."""
    return MISSING if facts.can_prove_absence(source) else NOT_VISIBLE


def _next_tests(name: str, series: Series, calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> _Part:
    """Whether the next slots of a series are ordered or booked, and none is overdue."""
    ahead = calendar.ahead(series)
    overdue = [slot for slot in ahead if slot.status is SlotStatus.OVERDUE]
    coming = [slot for slot in ahead if slot not in overdue][: known.policy.whole("discharge.next_slots")]
    lacking = [slot for slot in coming if not slot.booked]
    shown: dict[str, Shown] = {
        f"{name}_next": _days_of(coming),
        f"{name}_overdue": _days_of(overdue),
        f"{name}_lacking": _days_of(lacking),
        f"{name}_booked": _days_of(slot for slot in coming if slot.booked),
    }
    open_states = [_open(facts, Source.MEASUREMENTS)] if overdue else []
    open_states += [_open(facts, Source.REQUESTED_TESTS)] if lacking else []
    state = MISSING if MISSING in open_states else NOT_VISIBLE if open_states else THERE
    return _Part(name, state, shown, tuple(item for slot in coming for item in slot.booked))


def _days_of(slots: Iterable[MonitoringSlot]) -> str:
    return ", ".join(slot.target.isoformat() for slot in slots)


def _vaccines(facts: PatientFacts) -> _Part:
    """A vaccination that is booked or ordered; that none is needed cannot be seen from here."""
    booked = [(s.starts.day, s.evidence) for s in facts.slots if s.kind is VisitKind.VACCINATION and s.starts.day]
    ordered = [(order.planned, order.evidence) for order in facts.vaccine_orders if order.is_day_known]
    ahead = [(day, evidence) for day, evidence in (*booked, *ordered) if day >= facts.today]
    next_day = min((day for day, _ in ahead), default="")
    state = THERE if ahead else NOT_VISIBLE
    return _Part("vaccines", state, {"vaccine_date": next_day}, tuple(evidence for _, evidence in ahead))


def _weight(facts: PatientFacts, known: Known) -> _Part:
    """A weight that the dose at home can be judged by, not older than the site allows."""
    weight = weight_for_dose(facts, known)
    if weight is None:
        return _Part("weight", _open(facts, Source.MEASUREMENTS), {"weight_raw_kg": "", "weight_date": ""})
    shown: dict[str, Shown] = {"weight_raw_kg": weight.raw_kg, "weight_date": weight.day}
    is_fresh = days_from(weight.day, facts.today) <= known.policy.whole("steroid.weight_fresh_days")
    state = THERE if is_fresh else _open(facts, Source.MEASUREMENTS)
    return _Part("weight", state, shown, (weight.evidence,))


def _contact(infusion: date, facts: PatientFacts) -> _Part:
    """Whom the family calls: part of their teaching. Without a record of it nobody can see it from here."""
    taught = _newest_teaching(infusion, facts)
    shown: dict[str, Shown] = {"taught_on": taught.when.day or "" if taught else ""}
    return _Part("contact", THERE if taught else NOT_VISIBLE, shown, (taught.evidence,) if taught else ())


def _newest_teaching(infusion: date | None, facts: PatientFacts) -> Teaching | None:
    """The newest teaching of the family on the infusion day or later; none where one of them is not known."""
    if infusion is None:
        return None
    since = [t for t in facts.teachings if t.when.may_satisfy and t.when.day and t.when.day >= infusion]
    return max(since, key=lambda teaching: teaching.when.day or infusion, default=None)


def _tests_ahead(calendar: MonitoringCalendar, facts: PatientFacts, known: Known) -> tuple[RequestTest, ...]:
    """All that the calendar still asks for, on its days, without what is measured, ordered or booked already.

    What is due or overdue is wanted today. Liver tests and platelets of one day go together.
    """
    wanted: dict[date, dict[str, None]] = {}
    for slot in (*calendar.ahead(Series.LIVER), *calendar.ahead(Series.PLATELETS)):
        on = max(slot.target, facts.today)
        for analyte in () if slot.booked else slot.missing:
            if analyte not in _ordered_for(slot, facts, known):
                wanted.setdefault(on, {})[analyte] = None
    required = (*LIVER_PANEL, PLATELETS)
    return tuple(
        test for day in sorted(wanted) for test in tests_for_missing(tuple(wanted[day]), required, known, on=day)
    )


def _ordered_for(slot: MonitoringSlot, facts: PatientFacts, known: Known) -> frozenset[str]:
    """What is ordered for the days of a slot, or awaited now where it is open, also where it is only a part of it."""
    first, last = max(slot.opens, facts.today), max(slot.closes, facts.today)
    found: set[str] = set()
    for request in facts.requested_tests:
        day = request.wanted.day or (facts.today if is_pending(request, facts, known) else None)
        if request.is_active and day is not None and first <= day <= last:
            found |= analytes_of(request, known)
    return frozenset(found)


# --- the talk with the family


@rule
def discharge_counselling(facts: PatientFacts, known: Known) -> Answer:
    """What the family has to know at home (label 17): a list to read out, never marked as done here."""
    if facts.moment is not Moment.DISCHARGE or not _is_given(facts):
        return silent()
    infusion = infusion_day(facts)
    until = last_infusion_day(facts)
    if until is not None and facts.today > add_months(until, known.label.whole("liver_follow_up_months")):
        return silent()
    months = known.label.whole("shedding_months")
    taught = _newest_teaching(infusion, facts)
    return fires(
        "taught" if taught else "checklist",
        (taught.evidence,) if taught else (),
        infusion_date=infusion or "",
        taught_on=taught.when.day or "" if taught else "",
        shedding_months=months,
        shedding_until=body_waste_until(facts, known) or "",
    )


@rule
def vector_shedding(facts: PatientFacts, known: Known) -> Answer:
    """The month in which body waste is handled with care, its last day included (label 17; ruling 51)."""
    if not _is_given(facts):
        return silent()
    infusion, last, until = infusion_day(facts), last_infusion_day(facts), body_waste_until(facts, known)
    if infusion is None or until is None:
        return unknown("infusion-date")
    if facts.today > until:
        return silent()
    return fires(
        "precautions",
        (item.evidence for item in facts.exposures if item.given.day in (infusion, last)),
        infusion_date=infusion,
        day_number=days_from(infusion, facts.today),
        until=until,
        months=known.label.whole("shedding_months"),
    )


# --- later


@rule_of_several
def tumor_report(facts: PatientFacts, known: Known) -> Answers:
    """A tumour that was found after the infusion, at any time: the manufacturer asks to hear of it (label 5.6, 17)."""
    if not _is_given(facts):
        return (silent(),)
    infusion = infusion_day(facts)
    by_entry: dict[str, list[Diagnosis]] = {}
    for diagnosis in facts.with_concept(NEOPLASM, BENIGN):
        by_entry.setdefault(diagnosis.evidence.reference, []).append(diagnosis)
    told = tuple(_tumor(items, infusion) for items in by_entry.values() if _may_be_after(items[0], infusion))
    if told:
        return told
    lacking = facts.lacking(Source.DIAGNOSES)
    if lacking and _is_after_follow_up(facts, known):
        # Years later nothing else is asked of this chart that could tell that the diagnoses did not come.
        return (cannot_check("not-visible", lacking, **_NO_TUMOR),)
    return (unknown(lacking),) if lacking else (silent(),)


def _is_after_follow_up(facts: PatientFacts, known: Known) -> bool:
    """Whether the label's months of follow-up have passed; until then other rules tell what did not come."""
    last = last_infusion_day(facts)
    return last is not None and facts.today > add_months(last, known.label.whole("liver_follow_up_months"))


_NO_TUMOR: Mapping[str, Shown] = dict.fromkeys(
    ("diagnosis", "code", "status", "onset_date", "infusion_date", "days_after", "years_after"), ""
)


def _may_be_after(diagnosis: Diagnosis, infusion: date | None) -> bool:
    """Whether it began, or was recorded, after the infusion day; where one of the days is not known it may have."""
    onset = diagnosis.onset.day
    return onset is None or infusion is None or onset > infusion


def _tumor(entry: list[Diagnosis], infusion: date | None) -> Answer:
    named, onset = entry[0].evidence, entry[0].onset.day
    days = days_from(infusion, onset) if infusion and onset else ""
    return fires(
        "tumor" if any(item.concept == NEOPLASM for item in entry) else "benign",
        [named],
        diagnosis=named.name or named.value,
        code=named.value if named.name else "",
        status=named.status,
        onset_date=onset or "",
        infusion_date=infusion or "",
        days_after=days,
        years_after=full_years_and_days(infusion, onset)[0] if infusion and onset else "",
    )


# --- suspected adverse reactions


# The findings that the label's reporting line belongs to, by the card they stand on; of one card the first is named.
_REPORTED: Mapping[str, str] = {
    "liver-serious": "liver",
    "tma-consult": "platelets",
    "tma-evaluate": "platelets",
    "platelet-low": "platelets",
    "infusion-reaction": "infusion",
    "tumor-report": "followup",
}
# Reported only from the site's critical count on: nearly every child has fewer platelets for a while.
_LOW_COUNT = "platelet-low"


@summary_rule
def adverse_event_report(facts: PatientFacts, answers: Answers, known: Known) -> Answers:
    """Where a suspected adverse reaction is reported (label 6, 17): one line for each card that shows one."""
    critical = _critical_counts(facts, known)
    found: dict[str, list[Answer]] = {}
    for rule_id, topic in _REPORTED.items():
        fired = [a for a in answers if a.rule_id == rule_id and a.verdict is Verdict.FIRES]
        told = [a for a in fired if rule_id != _LOW_COUNT or critical.intersection(a.evidence)]
        if told:
            found.setdefault(topic, []).extend(told)
    return tuple(_report(topic, told) for topic, told in found.items()) or (silent(),)


def _critical_counts(facts: PatientFacts, known: Known) -> frozenset[Evidence]:
    """The platelet counts after the infusion that are surely below the site's critical limit."""
    limit = known.policy["platelet.tier.third_below"]
    counts = results_after_infusion(PLATELETS, facts)
    return frozenset(c.evidence for c in counts if c.amount is not None and c.amount.is_below(limit) is Certainty.TRUE)


def _report(topic: str, told: list[Answer]) -> Answer:
    return fires(
        "report",
        (item for answer in told for item in answer.evidence),
        about=told[0].rule_id,
        topic=topic,
        findings=", ".join(dict.fromkeys(answer.rule_id for answer in told)),
    )
