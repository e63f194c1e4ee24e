"""Infection, clinical stability and vaccines (clinical-rules group E; label 2.1, 5.2, 5.4, 7, 17)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from cds_service.domain.answers import (
    Answer,
    DeleteOrder,
    RequestTest,
    Shown,
    cannot_check,
    fires,
    silent,
    unknown,
)
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import DAYS_PER_WEEK, add_months, days_from
from cds_service.domain.dosing_weight import weight_for_dose
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.exposure import day_zero, infusion_day
from cds_service.domain.facts import Control, Moment, PatientFacts, Source
from cds_service.domain.infection import infection_evidence, unreadable_temperatures
from cds_service.domain.known import Known
from cds_service.domain.medicines import Vaccination, VaccineOrder
from cds_service.domain.quantities import exact_product, exact_quotient, to_significant_digits
from cds_service.domain.registry import Answers, rule, rule_of_several
from cds_service.domain.steroid_as_written import gravest_of_readings, one_after_the_other
from cds_service.domain.steroid_course import LOOK_BACK, course_around, required_end, required_start
from cds_service.domain.steroid_dose import DAY, DailySteroid, last_day_of_any, ordered_on, steroid_on

CHRONIC_INFECTIONS = ("hiv_infection", "tuberculosis", "chronic_hepatitis_b", "chronic_hepatitis_c")
NAMED_BY_LABEL = frozenset({"vaccine_mmr", "vaccine_varicella"})
OTHER_LIVE = frozenset({"vaccine_rotavirus", "vaccine_influenza_live", "vaccine_other_live"})
INFLUENZA = frozenset({"vaccine_influenza_inactivated", "vaccine_influenza_live"})
LONG_ACTING, SHORT_ACTING = "rsv_antibody_long_acting", "palivizumab"
NO_VACCINE = frozenset({LONG_ACTING, SHORT_ACTING, "rsv_antibody_unspecified"})
INFECTIOUS_DISEASE = RequestTest("infectious-disease-consult")
AFTER_NEW_INFECTION = ("alt", "prothrombin_time", "platelets", "creatinine")


# --- infection


@rule
def infection_active(facts: PatientFacts, known: Known) -> Answer:
    """Something in the record speaks for an infection: the label asks to postpone (label 2.1, 5.2)."""
    if facts.is_treated or not (facts.planned_orders or facts.proposed_infusions):
        return silent()
    found = infection_evidence(facts, known)
    planned = facts.planned_infusion
    shown: dict[str, Shown] = {
        "kinds": ", ".join(found.kinds),
        "temperature_written": found.temperature,
        "planned": planned or "",
    }
    if found.kinds:
        change = [DeleteOrder(draft.order_id) for draft in facts.drafts if facts.moment is Moment.ORDERING]
        return fires(_infection_grade(planned, facts, known), found.evidence, change, **shown)
    odd = unreadable_temperatures(facts, known)
    if odd:
        written = {"temperature_written": odd[0].value}
        return cannot_check("temperature-unreadable", "temperature", odd, **shown | written)
    lacking = facts.lacking(Source.DIAGNOSES, Source.MEASUREMENTS, Source.ORDERS)
    return unknown(lacking) if lacking else silent()


def _infection_grade(planned: date | None, facts: PatientFacts, known: Known) -> str:
    if facts.is_infusion_visit:
        return "on-infusion-day"
    if planned is None:
        return "recorded"
    days = days_from(facts.today, max(planned, facts.today))
    return "near-infusion" if days <= known.policy.whole("infection.planned_within_days") else "recorded"


@rule
def infection_chronic_uncontrolled(facts: PatientFacts, known: Known) -> Answer:
    """A chronic infection that is uncontrolled, or of which nobody says that it is controlled (label 5.2)."""
    if facts.is_treated:
        return silent()
    found = [d for d in facts.with_concept(*CHRONIC_INFECTIONS) if d.standing is not Standing.NO_INFORMATION]
    uncontrolled = [d for d in found if d.control is Control.UNCONTROLLED]
    unstated = [d for d in found if d.control is Control.NOT_STATED or d.standing is not Standing.ACCEPTED]
    for grade, items in (("uncontrolled", uncontrolled), ("control-not-stated", unstated)):
        if items:
            first = items[0].evidence
            shown: dict[str, Shown] = {"diagnosis": first.name or first.value, "since": first.day}
            return fires(grade, [item.evidence for item in items], [INFECTIOUS_DISEASE], **shown)
    lacking = facts.lacking(Source.DIAGNOSES)
    return unknown(lacking) if lacking else silent()


@rule
def infection_clearance_attest(facts: PatientFacts, known: Known) -> Answer:
    """A person has to see that there is no sign or symptom of infection (label 2.1, 5.2)."""
    return fires("attest") if _is_before_infusion(facts) else silent()


@rule
def clinical_stability_attest(facts: PatientFacts, known: Known) -> Answer:
    """A person has to see that hydration, nutrition and overall status are stable (label 2.1, 5.2)."""
    return fires("attest") if _is_before_infusion(facts) else silent()


def _is_before_infusion(facts: PatientFacts) -> bool:
    """While an order is written, and on the infusion day itself (ruling 34)."""
    if facts.is_treated or not facts.drafts:
        return False
    return facts.moment is Moment.ORDERING or (facts.is_infusion_visit)


@rule
def infection_after_infusion(facts: PatientFacts, known: Known) -> Answer:
    """A new infection in the weeks after the infusion may run a more severe course (label 5.2, 6.1)."""
    infusion = infusion_day(facts)
    if infusion is None:
        return unknown("infusion-date") if facts.is_treated else silent()
    day = days_from(infusion, facts.today)
    if not 0 <= day <= known.policy.whole("infection.after_infusion_days"):
        return silent()
    found = infection_evidence(facts, known, since=infusion)
    if not found.kinds:
        lacking = facts.lacking(Source.DIAGNOSES, Source.MEASUREMENTS)
        return unknown(lacking) if lacking else silent()
    hours = timedelta(hours=known.policy.whole("infection.recheck_hours"))
    missing = [a for a in AFTER_NEW_INFECTION if not _is_measured_within(a, hours, facts)]
    return fires(
        "infection",
        [*found.evidence, *_latest(("alt", "ast", "platelets"), facts)],
        [RequestTest(known.test_for[analyte], is_follow_up=True) for analyte in missing],
        infusion_date=infusion,
        day_number=day,
        kinds=", ".join(found.kinds),
    )


def _is_measured_within(analyte: str, hours: timedelta, facts: PatientFacts) -> bool:
    results = (item for item in facts.results_of(analyte) if item.number is not None)
    return any(item.standing is Standing.ACCEPTED and facts.is_within(item.measured, hours) for item in results)


def _latest(analytes: Iterable[str], facts: PatientFacts) -> list[Evidence]:
    found = []
    for analyte in analytes:
        dated = [item for item in facts.results_of(analyte) if item.measured.day]
        if dated:
            found.append(max(dated, key=lambda item: item.measured.day or date.min).evidence)
    return found


# --- vaccines before the infusion


@rule
def vaccines_up_to_date(facts: PatientFacts, known: Known) -> Answer:
    """The vaccinations on record, to be reviewed: the label asks that they are up to date (label 5.2, 17)."""
    if facts.is_treated or not facts.planned_orders:
        return silent()
    given = [item for item in facts.vaccinations if _is_vaccine(item)]
    evidence = [item.evidence for item in given]
    newest = max((item.given.day for item in given if item.given.day), default=None)
    shown: dict[str, Shown] = {"count": len(given), "newest_date": newest or ""}
    if facts.overdue_vaccines:
        return fires("overdue", [*facts.overdue_vaccines, *evidence], **shown)
    if given:
        return fires("listed", evidence, **shown)
    lacking = facts.lacking(Source.VACCINATIONS)
    if lacking:
        return cannot_check("not-available", lacking, **shown)
    return fires("none-recorded", **shown)


@rule_of_several
def rsv_influenza_prophylaxis(facts: PatientFacts, known: Known) -> Answers:
    """Seasonal RSV or influenza prophylaxis is recommended, and none is on record (label 5.2, 7, 17)."""
    day = day_zero(facts)
    if day is None and not facts.planned_orders:
        return (silent(),)
    first = max(day or facts.today, facts.today)
    last = (day or facts.today) + timedelta(days=known.policy.whole("prophylaxis.after_infusion_days"))
    in_season = _first_day_in_season(first, last, known)
    if in_season is None:
        return (silent(),)
    shown: dict[str, Shown] = {
        "from_date": first,
        "to_date": last,
        "first_month": known.policy.whole("season.first_month"),
        "last_month": known.policy.whole("season.last_month"),
    }
    return (_rsv(facts, known, shown), _influenza(in_season, facts, known, shown))


def _first_day_in_season(first: date, last: date, known: Known) -> date | None:
    """The first of these days that lies in the site's season, which may run over the turn of the year."""
    start, end = known.policy.whole("season.first_month"), known.policy.whole("season.last_month")
    for day in (first + DAY * n for n in range(days_from(first, last) + 1)):
        if start <= day.month <= end if start <= end else day.month >= start or day.month <= end:
            return day
    return None


def _rsv(facts: PatientFacts, known: Known, shown: dict[str, Shown]) -> Answer:
    days = {
        LONG_ACTING: known.policy.whole("rsv.long_acting_days"),
        SHORT_ACTING: known.policy.whole("rsv.palivizumab_days"),
    }
    protecting = [
        item
        for item in facts.vaccinations
        if item.standing is Standing.ACCEPTED
        and item.concept in days
        and item.given.day
        and days_from(item.given.day, facts.today) <= days[item.concept]
    ]
    if protecting:
        return silent()
    lacking = facts.lacking(Source.VACCINATIONS)
    return unknown(lacking) if lacking else fires("rsv-not-documented", **shown)


def _influenza(in_season: date, facts: PatientFacts, known: Known, shown: dict[str, Shown]) -> Answer:
    months, born = known.policy.whole("influenza.from_months"), facts.born
    if born is not None and add_months(born.earliest, months) > in_season:
        return silent()
    start = _season_start(in_season, known)
    given = [v for v in facts.vaccinations if v.concept in INFLUENZA and v.standing is Standing.ACCEPTED]
    if any(v.given.day and v.given.day >= start for v in given):
        return silent()
    if born is not None and add_months(born.latest, months) > in_season:
        return unknown("birth-date", [born.evidence])
    lacking = facts.lacking(Source.VACCINATIONS)
    return unknown(lacking) if lacking else fires("influenza-not-documented", **shown)


def _season_start(day: date, known: Known) -> date:
    """The first day of the season that is running on this day, or that ran last; vaccines come a month before it."""
    month = known.policy.whole("season.first_month")
    start = date(day.year if day.month >= month else day.year - 1, month, 1)
    return add_months(start, -known.policy.whole("influenza.before_season_months"))


# --- vaccines beside the corticosteroid


_Judge = Callable[[VaccineOrder, PatientFacts, Known], Answer]


@dataclass(frozen=True, slots=True)
class _HighDose:
    """The high-dose days that end on a vaccine's day: how many in a row, and whether a day could not be computed."""

    days: int
    first: date | None
    is_unclear: bool


@rule_of_several
def live_vaccine_high_dose_steroid(facts: PatientFacts, known: Known) -> Answers:
    """A live vaccine during two weeks or more of high-dose corticosteroid (label 7)."""
    live = [order for order in facts.vaccine_orders if order.concept in NAMED_BY_LABEL | OTHER_LIVE]
    return tuple(_on_its_day(_live_vaccine, order, facts, known) for order in live) or (silent(),)


def _live_vaccine(order: VaccineOrder, facts: PatientFacts, known: Known) -> Answer:
    judge = partial(_beside_high_dose, order)
    return gravest_of_readings(judge, _ON_HIGH_DOSE, facts, known, one_after_the_other(facts, known))


_ON_HIGH_DOSE = ("label-vaccine", "other-live")


def _beside_high_dose(order: VaccineOrder, facts: PatientFacts, known: Known) -> Answer:
    high = _high_dose_until(order.planned, facts, known)
    required = _required_days(known)
    day = steroid_on(order.planned, facts, known)
    evidence = [order.evidence, *day.evidence]
    change = [DeleteOrder(order.order_id, is_product=False)] if facts.moment is Moment.ORDERING else []
    shown = _vaccine_shown(order) | _high_dose_shown(high, order.planned, day, facts, known)
    if high.days >= required:
        grade = "label-vaccine" if order.concept in NAMED_BY_LABEL else "other-live"
        return fires(grade, evidence, change, **shown)
    lacking: tuple[Source | str, ...] = facts.lacking(Source.ORDERS)
    if high.is_unclear or lacking:
        return cannot_check("dose-not-computable", lacking or ("steroid-dose",), evidence, **shown)
    ended = _ended_recently(order.planned, required, facts, known)
    if ended is Certainty.UNKNOWN:
        return cannot_check("dose-not-computable", "steroid-dose", evidence, **shown)
    if isinstance(ended, date):
        run = _high_dose_until(ended, facts, known)
        last = steroid_on(ended, facts, known)
        shown |= _high_dose_shown(run, ended, last, facts, known)
        return fires("stopped-recently", [order.evidence, *last.evidence], **shown)
    return silent()


def _on_its_day(judge: _Judge, order: VaccineOrder, facts: PatientFacts, known: Known) -> Answer:
    """The answer about an order. One whose day cannot be read is judged as of today, and where that tells of no
    corticosteroid on the day, it may be for any day ahead on which one runs.
    """
    answer = judge(order, facts, known).about(order.order_id)
    is_told = answer.is_finding and answer.grade != "stopped-recently"
    last = _last_day_of_course(facts, known)
    if order.is_day_known or is_told or (last is not None and last < facts.today):
        return answer
    shown = _vaccine_shown(order) | {"steroid_to": last or ""}
    lacking = (*answer.missing, "vaccine-date")
    return cannot_check("day-unreadable", lacking, [order.evidence], **shown).about(order.order_id)


def _last_day_of_course(facts: PatientFacts, known: Known) -> date | None:
    """The last day of a corticosteroid, as ordered or as the label asks for after the infusion; None without an end."""
    infusion, last = day_zero(facts), last_day_of_any(facts, known)
    if infusion is None or last is None:
        return last
    return max(last, required_end(required_start(infusion), infusion, known))


def _required_days(known: Known) -> int:
    return known.label.whole("live_vaccine_steroid_weeks") * DAYS_PER_WEEK


def _high_dose_until(day: date, facts: PatientFacts, known: Known) -> _HighDose:
    """Counted back from this day. A day on which an ordered dose was not given does not end the run (ruling 37)."""
    first, gap, current = None, 0, day
    while gap < known.policy.whole("steroid.gap_days") and day - current <= LOOK_BACK:
        steroid = steroid_on(current, facts, known)
        is_high = _is_high(steroid, facts, known)
        if is_high is Certainty.UNKNOWN:
            return _HighDose(_days_since(first, day), first, is_unclear=True)
        was_ordered = (
            steroid.cover is Certainty.FALSE and ordered_on(current, facts, known).cover is not Certainty.FALSE
        )
        if is_high is Certainty.FALSE and (first is None or not was_ordered):
            break
        first, gap = (current, 0) if is_high is Certainty.TRUE else (first, gap + 1)
        current -= DAY
    return _HighDose(_days_since(first, day), first, is_unclear=False)


def _days_since(first: date | None, day: date) -> int:
    return days_from(first, day) + 1 if first else 0


def _is_high(steroid: DailySteroid, facts: PatientFacts, known: Known) -> Certainty:
    """Whether a day reaches the label's mg a day, or its mg/kg a day on the newest weight; the limit itself does."""
    if steroid.cover is Certainty.FALSE:
        return Certainty.FALSE
    if steroid.mg is None:
        return Certainty.UNKNOWN
    if steroid.mg >= known.label["live_vaccine_steroid_mg_per_day"]:
        return Certainty.TRUE
    weight = weight_for_dose(facts, known)
    if weight is None:
        return Certainty.UNKNOWN
    limit = exact_product(weight.raw_kg, known.label["live_vaccine_steroid_mg_per_kg_per_day"])
    return Certainty.TRUE if steroid.mg >= limit else Certainty.FALSE


def _ended_recently(day: date, required: int, facts: PatientFacts, known: Known) -> date | Certainty:
    """The last high-dose day of a long enough run that ended not longer ago than the site's time, whatever came after
    it; else FALSE, or UNKNOWN where a dose of that time or before it cannot be computed and the run may be long enough.
    """
    months = known.policy.whole("live_vaccine.after_months")
    current = day - DAY
    while add_months(current, months) >= day:
        run = _high_dose_until(current, facts, known)
        if run.days >= required:
            return current
        if run.is_unclear:
            return Certainty.UNKNOWN
        current = (run.first or current) - DAY
    return Certainty.FALSE


def _vaccine_shown(order: VaccineOrder) -> dict[str, Shown]:
    return {
        "vaccine": order.evidence.name,
        "vaccine_date": order.planned,
        "is_day_known": order.is_day_known,
        "is_named_by_label": order.concept in NAMED_BY_LABEL,
    }


def _high_dose_shown(
    high: _HighDose, last: date, day: DailySteroid, facts: PatientFacts, known: Known
) -> dict[str, Shown]:
    weight = weight_for_dose(facts, known)
    per_kg: Decimal | str = ""
    if day.mg is not None and weight is not None:
        digits = known.outside.whole("shown_significant_digits")
        per_kg = to_significant_digits(exact_quotient(day.mg, weight.raw_kg), digits)
    return {
        "days_high": high.days,
        "first_high_day": high.first or "",
        "last_high_day": last if high.days else "",
        "mg_per_day": day.mg if day.mg is not None else "",
        "dose_mg_per_kg_per_day": per_kg,
        "weight_raw_kg": weight.raw_kg if weight else "",
    }


@rule_of_several
def vaccine_during_steroid(facts: PatientFacts, known: Known) -> Answers:
    """A vaccine on a day of the corticosteroid course: adjust the schedule where feasible (label 7, 17)."""
    return tuple(_vaccine_beside_steroid(order, facts, known) for order in facts.vaccine_orders) or (silent(),)


def _vaccine_beside_steroid(order: VaccineOrder, facts: PatientFacts, known: Known) -> Answer:
    """That the day of a live vaccine cannot be read is told by the rule on live vaccines."""
    if order.concept in NAMED_BY_LABEL | OTHER_LIVE:
        return _during_steroid(order, facts, known).about(order.order_id)
    return _on_its_day(_during_steroid, order, facts, known)


def _during_steroid(order: VaccineOrder, facts: PatientFacts, known: Known) -> Answer:
    span = _steroid_span(order.planned, facts, known)
    if span is None:
        lacking = facts.lacking(Source.ORDERS)
        return unknown(lacking, [order.evidence]) if lacking else silent()
    first, last, is_planned, evidence = span
    is_live = order.concept in NAMED_BY_LABEL | OTHER_LIVE
    if is_live and _is_on_high_dose(order.planned, facts, known):
        return silent()
    return fires(
        "live-vaccine" if is_live else "any-vaccine",
        [order.evidence, *evidence],
        **_vaccine_shown(order),
        steroid_from=first,
        steroid_to=last or "",
        is_planned_course=is_planned,
    )


def _is_on_high_dose(day: date, facts: PatientFacts, known: Known) -> bool:
    """Whether the rule on high doses tells it, by what can be read or by what is written."""
    readings = (facts, *one_after_the_other(facts, known))
    return any(_high_dose_until(day, reading, known).days >= _required_days(known) for reading in readings)


def _steroid_span(
    day: date, facts: PatientFacts, known: Known
) -> tuple[date, date | None, bool, tuple[Evidence, ...]] | None:
    """The course that a day falls into, its end None where none is in sight: ordered, else the one the label asks
    for around a known infusion day.
    """
    infusion = day_zero(facts)
    steroid = steroid_on(day, facts, known)
    if infusion is not None:
        start = required_start(infusion)
        course = course_around(infusion, facts, known)
        if course is None and start <= day <= required_end(start, infusion, known):
            return start, required_end(start, infusion, known), True, ()
        if course is not None and course.first_day <= day <= course.last_day:
            return course.first_day, None if course.is_open_ended else course.last_day, False, steroid.evidence
    return None if steroid.cover is Certainty.FALSE else (day, day, False, steroid.evidence)


@rule_of_several
def vaccine_near_infusion(facts: PatientFacts, known: Known) -> Answers:
    """A vaccine close to the infusion: vaccinations preceded some cases of microangiopathy (label 5.4)."""
    infusion = day_zero(facts)
    if infusion is None:
        return (silent(),)
    near = known.policy.whole("vaccine.near_days")
    planned = [
        _near(o.evidence, o.planned, infusion, "planned", near, is_day_known=o.is_day_known)
        for o in facts.vaccine_orders
    ]
    given = [_near(v.evidence, v.given.day, infusion, "given", near) for v in facts.vaccinations if _is_vaccine(v)]
    found = tuple(answer for answer in (*planned, *given) if answer is not None)
    lacking: tuple[Source | str, ...] = facts.lacking(Source.VACCINATIONS)
    if not all(order.is_day_known for order in facts.vaccine_orders):
        lacking = (*lacking, "vaccine-date")
    return found or ((unknown(lacking),) if lacking else (silent(),))


def _is_vaccine(item: Vaccination) -> bool:
    return item.concept not in NO_VACCINE and item.standing is Standing.ACCEPTED


def _near(
    evidence: Evidence, day: date | None, infusion: date, grade: str, near: int, *, is_day_known: bool = True
) -> Answer | None:
    if day is None or abs(days_from(infusion, day)) > near:
        return None
    return fires(
        grade,
        [evidence],
        vaccine=evidence.name,
        vaccine_date=day,
        is_day_known=is_day_known,
        infusion_date=infusion,
        days_apart=abs(days_from(infusion, day)),
    )
