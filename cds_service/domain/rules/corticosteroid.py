"""The corticosteroid before and around the infusion (clinical-rules group F; label 2.1, 5.1, 7, 17)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from cds_service.domain.answers import (
    Answer,
    ExtendSteroid,
    OrderIntravenousSteroid,
    OrderSteroid,
    ProposedChange,
    Shown,
    cannot_check,
    fires,
    noted,
    silent,
    to_attest,
    unknown,
    verified,
)
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import days_from
from cds_service.domain.dosing_weight import WeightInKg, choose_weight, doubt_about, weight_for_dose
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.exposure import infusion_day, is_infused
from cds_service.domain.facts import Diagnosis, Moment, PatientFacts, Source
from cds_service.domain.known import Known
from cds_service.domain.medicines import SteroidDose, SteroidOrder, SteroidRoute
from cds_service.domain.newest import newest_of
from cds_service.domain.quantities import (
    exact_product,
    exact_quotient,
    rounded_half_up,
    to_significant_digits,
)
from cds_service.domain.reference_range import exceeds
from cds_service.domain.registry import Answers, rule, rule_of_several
from cds_service.domain.steroid_as_written import each_alone, gravest_of_readings, one_after_the_other, with_open_ends
from cds_service.domain.steroid_course import Course, course_around, required_end, required_start
from cds_service.domain.steroid_dose import (
    DAY,
    DailySteroid,
    first_day_of,
    is_proven,
    of_drug,
    ordered_on,
    steroid_on,
    why_not_computable,
)
from cds_service.domain.steroid_states import (
    GIVEN_DIFFERS,
    STATUS_UNCLEAR,
    CourseStatus,
    course_status,
    differing_doses,
    orders_of_unclear_status,
)
from cds_service.domain.suggested_steroid import per_kg_to_show, prednisolone, weight_to_order_by

INTRAVENOUS_DRUG = "methylprednisolone"
ORAL = frozenset({SteroidRoute.ORAL})
LIVER_FINDINGS = ("alt", "ast", "total_bilirubin")
ONCE = Decimal(1)


def _is_given(facts: PatientFacts) -> bool:
    """Whether the infusion lies behind, surely or presumed from the record (C8)."""
    return facts.is_treated or is_infused(facts)


def _infusion(facts: PatientFacts) -> date | None:
    """The infusion day where the product was given, else the planned one."""
    return infusion_day(facts) if _is_given(facts) else facts.planned_infusion


# --- ordered, and from which day


@rule
def steroid_order_missing(facts: PatientFacts, known: Known) -> Answer:
    """No corticosteroid order covers the day before the infusion (label 2.1, 5.1: all patients)."""
    if _is_given(facts):
        return _cover_after_infusion(facts, known)
    if not (facts.planned_orders or facts.proposed_infusions):
        return silent()
    infusion = facts.planned_infusion
    running = [order for order in facts.steroid_orders if order.is_cover]
    evidence = [order.evidence for order in facts.steroid_orders]
    if infusion is None and facts.may_be_infusion_day:
        infusion = facts.today
    if infusion is None:
        return _missing_without_day(running, evidence, facts)
    told = _cover_for(infusion, facts, known)
    if told.cover is not Certainty.FALSE:
        return _covered(told, running)
    return _not_covered(infusion, max(required_start(infusion), facts.today), running, facts, known)


def _covered(told: DailySteroid, running: list[SteroidOrder]) -> Answer:
    """Cover is proven by a dose that can be computed, on a day that is written; else it is not, or only presumed."""
    if not told.is_computed:
        return unknown("steroid-dose", told.evidence)
    shown: dict[str, Shown] = {"reason_written": _reasons(running)}
    return verified(told.evidence, **shown) if told.cover is Certainty.TRUE else to_attest(told.evidence, **shown)


def _not_covered(infusion: date, first: date, running: list[SteroidOrder], facts: PatientFacts, known: Known) -> Answer:
    evidence = [order.evidence for order in facts.steroid_orders]
    if facts.lacking(Source.ORDERS):
        return unknown(facts.lacking(Source.ORDERS), evidence)
    course = course_around(infusion, facts, known)
    begun = min(first, course.first_day) if course else first
    last = required_end(max(begun, required_start(infusion)), infusion, known)
    # Beside an order that runs on some of these days, a whole new course would be given on top of it.
    days = (steroid_on(first + DAY * n, facts, known) for n in range(days_from(first, last) + 1))
    is_beside = any(day.cover is not Certainty.FALSE for day in days)
    suggestion = None if is_beside else prednisolone(first, last, facts, known)
    shown = _suggestion_shown(suggestion, facts, known) | {
        "infusion_date": infusion,
        "start_date": first,
        "end_date": last,
        "ordered_from": min((_first_day(order, facts) for order in running), default=""),
    }
    change = (suggestion,) if suggestion else ()
    return fires("not-covering" if running else "missing", evidence, change, **shown)


def _cover_after_infusion(facts: PatientFacts, known: Known) -> Answer:
    """After the infusion and within the 30 days: a day without a corticosteroid (clinical-rules, index and 4F)."""
    if facts.moment in (Moment.ORDERING, Moment.DISPATCH, Moment.BOOKING):
        # There the stop, the cut or the taper in hand is judged, by the rules of the taper.
        return silent()
    infusion = infusion_day(facts)
    if infusion is None:
        return unknown("infusion-date")
    course = course_around(infusion, facts, known)
    end = course.required_end if course else required_end(required_start(infusion), infusion, known)
    today = steroid_on(facts.today, facts, known)
    if facts.today > end or today.cover is not Certainty.FALSE:
        return silent()
    running = [order for order in facts.steroid_orders if order.is_cover]
    return _not_covered(infusion, facts.today, running, facts, known)


def _missing_without_day(running: list[SteroidOrder], evidence: list[Evidence], facts: PatientFacts) -> Answer:
    empty = ("infusion_date", "start_date", "end_date", "dose_mg", "dose_ml", "strength_mg_per_ml", "dose_mg_per_kg")
    shown: dict[str, Shown] = dict.fromkeys((*empty, "weight_raw_kg"), "")
    shown |= {"has_dose": False, "ordered_from": min((_first_day(order, facts) for order in running), default="")}
    if running:
        return fires("start-day-unknown", evidence, **shown)
    if facts.lacking(Source.ORDERS):
        return unknown(facts.lacking(Source.ORDERS), evidence)
    return fires("missing", evidence, **shown)


def _reasons(orders: Iterable[SteroidOrder]) -> str:
    return "; ".join(dict.fromkeys(order.reason_written for order in orders if order.reason_written))


def _first_day(order: SteroidOrder, facts: PatientFacts) -> date:
    return min((first_day_of(phase, order, facts) for phase in order.phases), default=facts.today)


def _cover_for(infusion: date, facts: PatientFacts, known: Known) -> DailySteroid:
    """What covers the day before the infusion, and once the infusion's day has come, today."""
    return steroid_on(facts.today if facts.today >= infusion else required_start(infusion), facts, known)


def _suggestion_shown(suggestion: OrderSteroid | None, facts: PatientFacts, known: Known) -> dict[str, Shown]:
    weight = weight_to_order_by(facts, known)
    return {
        "has_dose": suggestion is not None,
        "dose_mg": suggestion.mg if suggestion else "",
        "dose_ml": suggestion.ml if suggestion else "",
        "strength_mg_per_ml": suggestion.strength_mg_per_ml if suggestion else "",
        "dose_mg_per_kg": suggestion.mg_per_kg if suggestion else "",
        "weight_raw_kg": weight.raw_kg if weight else "",
    }


@rule
def steroid_start_late(facts: PatientFacts, known: Known) -> Answer:
    """The corticosteroid begins later than the day before the infusion (label 2.1)."""
    is_given = _is_given(facts)
    infusion = infusion_day(facts) if is_given else facts.today
    if infusion is None or not (is_given or facts.may_be_infusion_day):
        return silent()
    course = course_around(infusion, facts, known)
    if is_given and course is not None and course.required_end < facts.today:
        return silent()
    required = required_start(infusion)
    day_before = [dose for dose in facts.steroid_doses if dose.given.day == required]
    given = [dose for dose in day_before if is_proven(dose)]
    was_given = any(dose.was_given for dose in day_before)
    shown: dict[str, Shown] = {
        "first_day": course.first_day if course else "",
        "infusion_date": infusion,
        "required_date": required,
        "hours": "",
    }
    if day_before and not was_given:
        grade = "late-after-infusion" if is_given else "not-given-day-before"
        return fires(grade, [dose.evidence for dose in day_before], **shown)
    if course is None:
        lacking = facts.lacking(Source.ORDERS)
        return unknown(lacking) if lacking and not given else silent()
    evidence = steroid_on(course.first_day, facts, known).evidence
    if course.first_day > required:
        return fires("late-after-infusion" if is_given else "late", evidence, **shown)
    if not given:
        return to_attest(evidence, **shown)
    return _begun_in_time(course, given, infusion, facts, known, shown)


def _begun_in_time(
    course: Course,
    given: list[SteroidDose],
    infusion: date,
    facts: PatientFacts,
    known: Known,
    shown: dict[str, Shown],
) -> Answer:
    evidence = [dose.evidence for dose in given]
    hours = _hours_before_infusion(given, infusion, facts)
    is_first = course.first_day == required_start(infusion) and facts.today <= infusion
    if is_first and hours is not None and hours < known.policy["steroid.late_on_day_before_hours"]:
        shown["hours"] = rounded_half_up(hours, known.outside["shown_ratio_step"])
        return noted("short-interval", evidence, **shown)
    if days_from(course.first_day, infusion) >= known.policy.whole("steroid.early_start_days"):
        return noted("early", evidence, **shown)
    return verified(evidence, **shown)


def _hours_before_infusion(given: list[SteroidDose], infusion: date, facts: PatientFacts) -> Decimal | None:
    """Hours from the first dose of the day before to the infusion's planned, recorded or present time."""
    doses = [dose.given.instant for dose in given if dose.given.instant]
    start = _infusion_moment(infusion, facts)
    if not doses or start is None:
        return None
    return exact_quotient(Decimal((start - min(doses)) // timedelta(minutes=1)), Decimal(_MINUTES_PER_HOUR))


_MINUTES_PER_HOUR = timedelta(hours=1) // timedelta(minutes=1)


def _infusion_moment(infusion: date, facts: PatientFacts) -> datetime | None:
    recorded = [item.given.instant for item in facts.exposures if item.given.day == infusion and item.given.instant]
    planned = [o.planned.start for o in facts.planned_orders if o.planned and o.planned.day == infusion]
    starts = [*recorded, *(start for start in planned if start)]
    if starts:
        return min(starts)
    return facts.now if infusion == facts.today else None


# --- how long


@rule
def steroid_course_short(facts: PatientFacts, known: Known) -> Answer:
    """The corticosteroid orders, or their supply, end before the 30 days do (label 2.1; ruling 43)."""
    infusion = _infusion(facts)
    if infusion is None:
        return unknown("infusion-date") if facts.steroid_orders else silent()
    course = course_around(infusion, facts, known, within_supply=True)
    lacking = facts.lacking(Source.ORDERS)
    if course is None or course.required_end < facts.today:
        return unknown(lacking) if lacking and course is None else silent()
    if course.last_day < facts.today and steroid_on(facts.today, facts, known).cover is not Certainty.FALSE:
        # Days were left out, and it goes on: another rule says so.
        return silent()
    ending = [order for order in facts.steroid_orders if order.is_cover]
    evidence = [order.evidence for order in ending]
    shown: dict[str, Shown] = {
        "last_date": course.last_day,
        "required_date": course.required_end,
        "days_short": max(days_from(course.last_day, course.required_end), 0),
        "infusion_date": infusion,
    }
    if lacking:
        return unknown(lacking, evidence)
    if course.last_day < course.required_end:
        drafts = [order.order_id for order in ending if order.is_draft and _ends_on(order, course.last_day)]
        return fires("short", evidence, [ExtendSteroid(o, course.required_end) for o in drafts], **shown)
    left_out = _days_left_out(course, facts, known)
    if left_out:
        return fires("not-every-day", evidence, **shown, first_left_out=left_out[0], days_left_out=len(left_out))
    return verified(evidence, **shown) if course.is_sure else unknown("steroid-dose", evidence, **shown)


def _days_left_out(course: Course, facts: PatientFacts, known: Known) -> list[date]:
    """The days of the required course from today on for which nothing is ordered, although it goes on after them."""
    first = max(course.first_day, facts.today)
    days = (first + DAY * n for n in range(days_from(first, course.required_end) + 1))
    return [day for day in days if ordered_on(day, facts, known).cover is Certainty.FALSE]


def _ends_on(order: SteroidOrder, day: date) -> bool:
    return any(phase.last_day == day for phase in order.phases)


# --- how much


def _days_to_judge(facts: PatientFacts, known: Known) -> list[DailySteroid]:
    """The days at full dose from today on, and yesterday where a dose of it is recorded.

    To the end of the 30 days; after it to the day before a reduction, because until then the label's dose goes on.
    """
    status = course_status(facts, known) if is_infused(facts) else None
    days = _days_of_plan(facts, known) if status is None else _days_of_course(status, facts)
    return [day for day in days if day.cover is not Certainty.FALSE]


def _days_of_plan(facts: PatientFacts, known: Known) -> list[DailySteroid]:
    """Before the infusion: the days of the planned course."""
    course = course_around(_infusion(facts) or facts.today + DAY, facts, known)
    if course is None:
        return []
    yesterday = steroid_on(facts.today - DAY, facts, known)
    is_of_course = course.first_day <= yesterday.day <= course.required_end
    given = [yesterday] if yesterday.is_recorded_as_given and is_of_course else []
    first = max(course.first_day, facts.today)
    # Those after a break too: a dose that is resumed within the 30 days has to be enough as well.
    ahead = (steroid_on(first + DAY * n, facts, known) for n in range(days_from(first, course.required_end) + 1))
    return [*given, *ahead]


def _days_of_course(status: CourseStatus, facts: PatientFacts) -> list[DailySteroid]:
    """After the infusion: within the 30 days all of them, a dose that is reduced too early too; then the full dose."""
    yesterday = facts.today - DAY
    days = [d for d in status.days if d.day >= facts.today or (d.day == yesterday and d.is_recorded_as_given)]
    if facts.today <= status.required_end:
        return [day for day in days if day.day <= status.required_end]
    if status.is_tapering:
        return []
    begins = status.taper_begins
    return [day for day in days if begins is None or day.day < begins]


def _nothing_to_judge(facts: PatientFacts) -> Answer:
    lacking = facts.lacking(Source.ORDERS)
    return unknown(lacking) if lacking else silent()


def _dose_shown(day: DailySteroid, weight: WeightInKg, facts: PatientFacts, known: Known) -> dict[str, Shown]:
    assert day.mg is not None
    orders = (order for order in facts.steroid_orders if order.evidence in day.evidence)
    strengths = {order.strength_mg_per_ml for order in orders if order.strength_mg_per_ml}
    return {
        "mg_per_day": day.mg,
        "dose_mg_per_kg_per_day": per_kg_to_show(day.mg, weight, known),
        "weight_raw_kg": weight.raw_kg,
        "weight_date": weight.day,
        "on_date": day.day,
        "strength_mg_per_ml": min(strengths, default=""),
        "drugs": ", ".join(sorted(day.drugs)),
    }


@rule
def steroid_dose_low(facts: PatientFacts, known: Known) -> Answer:
    """The daily dose is below the label's 1 mg/kg, beyond the site's tolerance, on the newest weight (label 2.1)."""
    return gravest_of_readings(_dose_low, _LOW, facts, known, with_open_ends(facts))


_LOW = ("very-low", "low", "outgrown")
_HIGH = ("far-too-high", "far-too-high-intravenous", "high", "high-with-liver-finding")


def _dose_low(facts: PatientFacts, known: Known) -> Answer:
    days = _days_to_judge(facts, known)
    weight = weight_for_dose(facts, known)
    if not days:
        return _nothing_to_judge(facts)
    if weight is None:
        return _without_weight(days[0], facts, known)
    known_days = [day for day in days if day.mg is not None]
    lowest = min(known_days, key=lambda day: day.mg or 0, default=None)
    if lowest is None or lowest.mg is None:
        return unknown("steroid-dose", days[0].evidence)
    evidence = [weight.evidence, *lowest.evidence]
    shown = _dose_shown(lowest, weight, facts, known)
    if lowest.mg < exact_product(weight.raw_kg, known.policy["steroid.band.low"]):
        return fires(_low_grade(lowest, weight, facts, known), evidence, **shown)
    if days_from(weight.day, facts.today) > known.policy.whole("steroid.weight_fresh_days"):
        return cannot_check("weight-old", "dosing-weight", evidence, **shown)
    return _in_order(len(known_days) == len(days), evidence, shown, facts, known)


def _without_weight(day: DailySteroid, facts: PatientFacts, known: Known) -> Answer:
    """Nothing to compare a dose in mg with. Told here once the product is given, or where a corticosteroid is ordered
    alone; else the rules on weights do.

    Where the list of weights did not come, it is told with that list.
    """
    is_told_here = facts.is_treated or (facts.moment is Moment.ORDERING and not facts.drafts)
    if not is_told_here or day.mg is None or facts.lacking(Source.MEASUREMENTS):
        return unknown("dosing-weight", day.evidence)
    newest = choose_weight(facts, known).newest
    written = " / ".join(item.written for item in newest if item.written)
    evidence = [*(item.evidence for item in newest), *day.evidence]
    return cannot_check("no-weight", "dosing-weight", evidence, weight_written=written)


def _in_order(
    is_complete: bool, evidence: list[Evidence], shown: dict[str, Shown], facts: PatientFacts, known: Known
) -> Answer:
    """Verified, unless a day cannot be computed, or the weight is not known to be the newest and undoubted (C6)."""
    if not is_complete:
        return unknown("steroid-dose", evidence)
    if facts.lacking(Source.MEASUREMENTS):
        return unknown(Source.MEASUREMENTS, evidence)
    if doubt_about(choose_weight(facts, known), known):
        return unknown("fresh-undoubted-weight", evidence)
    return verified(evidence, **shown)


def _low_grade(day: DailySteroid, weight: WeightInKg, facts: PatientFacts, known: Known) -> str:
    if _is_outgrown(day, facts, known):
        return "outgrown"
    assert day.mg is not None
    very_low = day.mg < exact_product(weight.raw_kg, known.policy["steroid.band.very_low"])
    return "very-low" if very_low else "low"


def _is_outgrown(day: DailySteroid, facts: PatientFacts, known: Known) -> bool:
    """Whether the dose never fell, and was enough for the weight at the start of the course."""
    infusion = _infusion(facts)
    course = course_around(infusion, facts, known) if infusion else None
    if course is None or course.first_day >= facts.today:
        return False
    days = [steroid_on(course.first_day + DAY * n, facts, known) for n in range(days_from(course.first_day, day.day))]
    days = [d for d in days if d.cover is not Certainty.FALSE]
    earlier = [w for w in facts.weights if w.measured.day and w.measured.day <= course.first_day and w.for_dosing]
    newest = newest_of((w for w in earlier if w.quantity is not None), known).accepted
    if not newest or newest[0].quantity is None or any(d.mg is None or day.mg is None or d.mg > day.mg for d in days):
        return False
    start_kg = known.units.in_own_unit(newest[0].quantity, "body_weight")
    return day.mg is not None and day.mg >= exact_product(start_kg, known.policy["steroid.band.low"])


@rule_of_several
def steroid_dose_high(facts: PatientFacts, known: Known) -> Answers:
    """The daily dose is above the label's 1 mg/kg, beyond the site's tolerance, or two drugs overlap (label 5.1, 7)."""
    days = _days_to_judge(facts, known)
    if not days:
        return (_nothing_to_judge(facts),)
    readings = [*one_after_the_other(facts, known), *each_alone(facts)]
    too_high = gravest_of_readings(_too_high, _HIGH, facts, known, readings)
    return (too_high, _two_drugs(days, facts, known))


def _too_high(facts: PatientFacts, known: Known) -> Answer:
    days = _days_to_judge(facts, known)
    if not days:
        return _nothing_to_judge(facts)
    weight = weight_for_dose(facts, known)
    if weight is None:
        return unknown("dosing-weight", days[0].evidence)
    known_days = [day for day in days if day.mg is not None]
    highest = max(known_days, key=lambda day: day.mg or 0, default=None)
    if highest is None or highest.mg is None:
        return unknown("steroid-dose", days[0].evidence)
    evidence = [weight.evidence, *highest.evidence]
    shown = _dose_shown(highest, weight, facts, known)
    if highest.mg > exact_product(weight.raw_kg, known.policy["steroid.far_too_high"]):
        is_intravenous = highest.routes == {SteroidRoute.INTRAVENOUS}
        return fires("far-too-high-intravenous" if is_intravenous else "far-too-high", evidence, **shown)
    if highest.mg > exact_product(weight.raw_kg, known.policy["steroid.band.high"]):
        findings = _liver_findings(facts, known)
        return fires("high-with-liver-finding" if findings else "high", [*evidence, *findings], **shown)
    return _in_order(len(known_days) == len(days), evidence, shown, facts, known)


def _liver_findings(facts: PatientFacts, known: Known) -> list[Evidence]:
    """What the record holds of a liver abnormality, for which the label allows a higher dose (5.1)."""
    results = [
        item
        for analyte in LIVER_FINDINGS
        for item in newest_of(facts.results_of(analyte), known).accepted
        if exceeds(item, ONCE) is Certainty.TRUE
    ]
    current = facts.with_concept("liver_disease", "hepatic_failure")
    diagnoses = [item for item in current if item.standing is not Standing.NO_INFORMATION]
    return [*(item.evidence for item in results), *(item.evidence for item in diagnoses)]


def _two_drugs(days: list[DailySteroid], facts: PatientFacts, known: Known) -> Answer:
    weight = weight_for_dose(facts, known)
    both = next((day for day in days if len(day.drugs) > 1), None)
    if both is None:
        return silent()
    shown: dict[str, Shown] = {
        "mg_per_day": both.mg if both.mg is not None else "",
        "dose_mg_per_kg_per_day": per_kg_to_show(both.mg, weight, known) if both.mg and weight else "",
        "weight_raw_kg": weight.raw_kg if weight else "",
        "weight_date": weight.day if weight else "",
        "on_date": both.day,
        "is_all_readable": both.mg is not None,
        "strength_mg_per_ml": "",
        "drugs": ", ".join(sorted(both.drugs)),
    }
    return fires("two-steroids", both.evidence, **shown)


@rule_of_several
def steroid_not_computable(facts: PatientFacts, known: Known) -> Answers:
    """A corticosteroid whose daily dose nobody can tell: by its order, or because the record contradicts itself (C11).

    Its cover is unproven, and permission for a taper is withheld.
    """
    readings = (facts, *with_open_ends(facts))
    contradiction = [answer for reading in readings for answer in _contradiction(reading, known)][:1]
    answers = [*_untold_orders(facts, known), *contradiction, *_unclear_status(facts, known)]
    return tuple(answers) or (_nothing_to_judge(facts),)


def _untold_orders(facts: PatientFacts, known: Known) -> Iterator[Answer]:
    for order in facts.steroid_orders:
        is_needed = _is_needed(order, facts)
        if not (is_needed or _hides_a_course(order, facts, known)) or _is_given_in_mg(order, facts):
            continue
        for phase in order.phases:
            why = why_not_computable(phase, order, facts, known)
            if why:
                why = why if is_needed else phase.why_days_unknown or why
                sig = phase.written or order.evidence.value
                empty: dict[str, Shown] = dict.fromkeys(("on_date", "mg_given", "mg_ordered"), "")
                yield cannot_check("not-computable", "steroid-dose", [order.evidence], sig=sig, why=why, **empty)
                break


def _is_needed(order: SteroidOrder, facts: PatientFacts) -> bool:
    """Whether an order runs, so that it matters what it amounts to.

    The dose until now of one that a draft changes tells whether the draft reduces it.
    """
    is_running = order.is_cover or (order.is_being_changed and not order.is_being_stopped)
    return is_running and not _is_over(order, facts)


def _is_over(order: SteroidOrder, facts: PatientFacts) -> bool:
    """Whether every instruction of an order ended before yesterday."""
    ends = [phase.last_day for phase in order.phases]
    return all(end is not None and end < facts.today - DAY for end in ends)


def _hides_a_course(order: SteroidOrder, facts: PatientFacts, known: Known) -> bool:
    """Whether a treated child's order has a first or last day that cannot be read, so that nobody can tell whether the
    course ended too early.

    Asked as long as the label's course and taper last, counted from the infusion, and from the order's own end.
    """
    if not _is_given(facts) or not any(phase.why_days_unknown for phase in order.phases):
        return False
    infusion, last = infusion_day(facts), max(phase.last_day or facts.today for phase in order.phases)
    if infusion is not None and last < required_start(infusion):
        return False
    if infusion is not None:
        last = max(last, required_end(required_start(infusion), infusion, known))
    return days_from(last, facts.today) <= known.label.whole("taper_days")


def _contradiction(facts: PatientFacts, known: Known) -> Iterator[Answer]:
    """What was given on one of the last days, where it is not what was ordered for it."""
    status = course_status(facts, known) if is_infused(facts) else None
    found = differing_doses(facts, known) if status is not None and status.why == GIVEN_DIFFERS else None
    if found is None:
        return
    given, ordered = found
    assert given.mg is not None
    assert ordered.mg is not None
    shown: dict[str, Shown] = {
        "sig": "",
        "why": GIVEN_DIFFERS,
        "on_date": given.day,
        "mg_given": given.mg,
        "mg_ordered": ordered.mg,
    }
    yield cannot_check(GIVEN_DIFFERS, GIVEN_DIFFERS, [*given.evidence, *ordered.evidence], **shown)


def _unclear_status(facts: PatientFacts, known: Known) -> Iterator[Answer]:
    """The orders for which nobody can tell whether a taper is finished."""
    status = course_status(facts, known) if is_infused(facts) else None
    if status is None or status.why != STATUS_UNCLEAR:
        return
    empty: dict[str, Shown] = dict.fromkeys(("on_date", "mg_given", "mg_ordered"), "")
    for order in orders_of_unclear_status(status, facts):
        sig = order.evidence.value
        yield cannot_check("status-unclear", STATUS_UNCLEAR, [order.evidence], sig=sig, why=STATUS_UNCLEAR, **empty)


def _is_given_in_mg(order: SteroidOrder, facts: PatientFacts) -> bool:
    """Whether recorded administrations of the same drug give its mg, yesterday or today, and its days can be read."""
    if any(phase.why_days_unknown for phase in order.phases):
        return False
    recent = (facts.today, facts.today - DAY)
    doses = [d for d in facts.steroid_doses if d.was_given and d.drug == order.drug and d.given.day in recent]
    return bool(doses) and all(dose.mg is not None for dose in doses)


# --- not kept


@rule
def steroid_oral_not_tolerated(facts: PatientFacts, known: Known) -> Answer:
    """A corticosteroid by mouth, and signs that it is not kept: consider an intravenous one (label 2.1, 17)."""
    today = ordered_on(facts.today, facts, known)
    if SteroidRoute.INTRAVENOUS in today.routes or not today.routes & ORAL:
        return _nothing_to_judge(facts)
    change = _intravenous(today, known)
    mg = change[0].mg if change else None
    shown: dict[str, Shown] = {"methylprednisolone_mg": mg if mg is not None else ""}
    grades = (
        ("vomiting", _vomiting(facts, known)),
        ("dose-refused", _refused(facts, known)),
        ("nil-by-mouth", list(facts.nil_by_mouth)),
    )
    for grade, found in grades:
        if found:
            changes: tuple[ProposedChange, ...] = change
            return fires(grade, [*found, *today.evidence], changes, **shown, evidence_date=found[0].day)
    lacking = facts.lacking(Source.DIAGNOSES)
    return unknown(lacking) if lacking else silent()


def _intravenous(today: DailySteroid, known: Known) -> tuple[OrderIntravenousSteroid, ...]:
    if not today.mg:
        return ()
    mg = of_drug(today.mg, INTRAVENOUS_DRUG, known)
    return (OrderIntravenousSteroid(to_significant_digits(mg, known.outside.whole("shown_significant_digits"))),)


def _vomiting(facts: PatientFacts, known: Known) -> list[Evidence]:
    """Recent vomiting or trouble with feeding; vomiting that surely goes on counts whenever it began."""
    hours = timedelta(hours=known.policy.whole("steroid.not_tolerated_hours"))
    told = (*facts.with_concept("vomiting", "feeding_intolerance"), *facts.visit_reasons)
    return [
        item.evidence
        for item in told
        if item.concept in ("vomiting", "feeding_intolerance")
        and item.standing is not Standing.NO_INFORMATION
        and (_goes_on(item) or facts.may_be_within(item.onset, hours))
    ]


def _goes_on(item: Diagnosis) -> bool:
    return item.concept == "vomiting" and item.standing is Standing.ACCEPTED


def _refused(facts: PatientFacts, known: Known) -> list[Evidence]:
    hours = timedelta(hours=known.policy.whole("steroid.not_tolerated_hours"))
    return [d.evidence for d in facts.steroid_doses if not d.was_given and facts.may_be_within(d.given, hours)]
