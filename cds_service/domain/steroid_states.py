"""The corticosteroid course as a state machine over daily prednisolone equivalents (clinical-rules 5; label 2.1).

A taper is judged in mg a day, an outgrown dose in mg/kg: growth alone is never a taper. Where the evidence
contradicts itself the state is UNKNOWN and says why; a wrong state would be worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import days_from
from cds_service.domain.dosing_weight import BODY_WEIGHT, choose_weight, doubt_about
from cds_service.domain.evidence import Standing
from cds_service.domain.exposure import infusion_day, is_infused
from cds_service.domain.facts import PatientFacts, Source
from cds_service.domain.known import Known
from cds_service.domain.liver_panel import newest_panel, panel_for_taper
from cds_service.domain.medicines import SteroidOrder
from cds_service.domain.quantities import exact_product
from cds_service.domain.steroid_course import course_around, required_end, required_start
from cds_service.domain.steroid_dose import DAY, DailySteroid, last_day_of_any, ordered_on, steroid_on

_LOOK_AHEAD = timedelta(days=180)
GIVEN_DIFFERS = "given-differs"
STATUS_UNCLEAR = "steroid-order-status"


class CourseState(Enum):
    """Where the course stands; the letters are those of clinical-rules section 5."""

    NONE = "none"  # S0: no corticosteroid
    ORDERED = "ordered"  # S1: ordered to begin the day before the infusion
    BEGUN = "begun"  # S2: the day before the infusion is given
    COURSE = "course"  # S3: the 30 days
    DECIDE = "decide"  # S4: the 30 days are over, full dose, liver tests not proven
    MAY_TAPER = "may-taper"  # S5: the laboratory part of "unremarkable" is met
    TAPER = "taper"  # S6: below the maintenance dose
    EXTENDED = "extended"  # S7: full dose beyond the 30 days because a liver test is abnormal
    TAPER_HELD = "taper-held"  # S8: a liver test is abnormal during the taper, or the dose was raised again
    FINISHED = "finished"  # S9: tapered over the label's days
    INTERRUPTED = "interrupted"  # SX: no dose, and no taper completed
    UNKNOWN = "unknown"  # SU: the daily dose cannot be told


@dataclass(frozen=True, slots=True)
class CourseStatus:
    """The course of one child on the day of the call.

    `why` names the reason of UNKNOWN. `first_day` is S, `required_end` E. `maintenance_mg` is the highest mg a day
    held for so many days as the site says (ruling 42), ordered days included; `maintenance_so_far_mg` the highest one
    until today; None where none was. `taper_begins` is T0, the first day of the last run of days below it, given or
    ordered. `last_day` is the last covered day of the last run, None where no end is in sight. `restarted_on` is the
    first day of a course that began after a completed taper. `permitted_end` is the last day of a taper of the label's
    days, given or ordered, that the record ends with; None without such an end. `runs` are the covered stretches from S
    on. `days` run from S to the last covered day.
    """

    state: CourseState
    infusion: date
    required_end: date
    why: str = ""
    first_day: date | None = None
    maintenance_mg: Decimal | None = None
    maintenance_so_far_mg: Decimal | None = None
    taper_begins: date | None = None
    last_day: date | None = None
    is_open_ended: bool = False
    was_raised_in_taper: bool = False
    restarted_on: date | None = None
    permitted_end: date | None = None
    runs: tuple[tuple[date, date], ...] = ()
    days: tuple[DailySteroid, ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether the steroid is being given, as far as the record tells."""
        return self.state not in (CourseState.NONE, CourseState.FINISHED, CourseState.INTERRUPTED)

    @property
    def is_full_dose(self) -> bool:
        """Whether the dose has not been reduced below the maintenance dose."""
        full = (CourseState.COURSE, CourseState.DECIDE, CourseState.MAY_TAPER, CourseState.EXTENDED)
        return self.state in full

    @property
    def is_tapering(self) -> bool:
        """Whether the dose is below the maintenance dose today."""
        return self.state in (CourseState.TAPER, CourseState.TAPER_HELD)

    @property
    def taper_days(self) -> int | None:
        """Days from the first reduced to the last day, both counted; None where one of them is not known."""
        if self.taper_begins is None or self.last_day is None or self.last_day < self.taper_begins:
            return None
        return days_from(self.taper_begins, self.last_day) + 1


def course_status(facts: PatientFacts, known: Known) -> CourseStatus | None:
    """Where the course stands today; None where no infusion day is known, planned or past."""
    return facts.once(_course_status, known)


def _course_status(facts: PatientFacts, known: Known) -> CourseStatus | None:
    if is_infused(facts):
        infusion = infusion_day(facts)
        assert infusion is not None
        return _after(infusion, facts, known)
    planned = facts.planned_infusion
    return _before(planned, facts, known) if planned is not None else None


def _before(infusion: date, facts: PatientFacts, known: Known) -> CourseStatus:
    """S0 to S2: the infusion is still ahead."""
    start = required_start(infusion)
    end = required_end(start, infusion, known)
    day_before = steroid_on(start, facts, known)
    if day_before.cover is Certainty.FALSE:
        lacking = facts.lacking(Source.ORDERS)
        why = lacking[0].value if lacking else ""
        return CourseStatus(CourseState.UNKNOWN if why else CourseState.NONE, infusion, end, why)
    is_given = day_before.is_recorded_as_given and start <= facts.today
    return CourseStatus(CourseState.BEGUN if is_given else CourseState.ORDERED, infusion, end, first_day=start)


def _after(infusion: date, facts: PatientFacts, known: Known) -> CourseStatus:
    course = course_around(infusion, facts, known)
    lacking = facts.lacking(Source.ORDERS)
    if course is None or course.first_day > facts.today:
        end = required_end(required_start(infusion), infusion, known)
        why = lacking[0].value if lacking else ""
        return CourseStatus(CourseState.UNKNOWN if why else CourseState.NONE, infusion, end, why)
    days = _days(course.first_day, facts, known)
    stretches = _stretches(days, known)
    planned = _levels(stretches, facts, known)
    so_far = _levels(_until(facts.today, stretches), facts, known)
    is_open_ended = days[-1].day == facts.today + _LOOK_AHEAD
    status = CourseStatus(
        state=CourseState.UNKNOWN,
        infusion=infusion,
        required_end=course.required_end,
        first_day=course.first_day,
        maintenance_mg=planned.maintenance_mg,
        maintenance_so_far_mg=so_far.maintenance_mg,
        taper_begins=planned.taper_begins,
        last_day=None if is_open_ended else days[-1].day,
        is_open_ended=is_open_ended,
        was_raised_in_taper=planned.was_raised,
        restarted_on=planned.restarted_on,
        permitted_end=None if is_open_ended else planned.finished_on,
        runs=_runs(days),
        days=tuple(days),
    )
    state, why = _state(status, so_far, stretches, facts, known)
    return replace(status, state=state, why=why)


def _days(first: date, facts: PatientFacts, known: Known) -> list[DailySteroid]:
    """Every day from the first one to the last covered one, as far ahead as anybody plans."""
    horizon = facts.today + _LOOK_AHEAD
    last = min(last_day_of_any(facts, known) or horizon, horizon)
    days = [steroid_on(first + DAY * n, facts, known) for n in range(days_from(first, last) + 1)]
    while days and days[-1].cover is Certainty.FALSE:
        days.pop()
    return days


def _runs(days: Sequence[DailySteroid]) -> tuple[tuple[date, date], ...]:
    runs: list[tuple[date, date]] = []
    for day in days:
        if day.cover is Certainty.FALSE:
            continue
        if runs and day.day - runs[-1][1] == DAY:
            runs[-1] = (runs[-1][0], day.day)
        else:
            runs.append((day.day, day.day))
    return tuple(runs)


# --- stretches: what fewer uncovered days than end a course do not interrupt

Stretch = tuple[DailySteroid, ...]


def _stretches(days: Sequence[DailySteroid], known: Known) -> tuple[Stretch, ...]:
    """The days in parts, between which so many days in a row are uncovered as end a course (ruling 37)."""
    gap = known.policy.whole("steroid.gap_days")
    stretches: list[list[DailySteroid]] = []
    last_covered: date | None = None
    for day in days:
        if day.cover is not Certainty.FALSE:
            if last_covered is None or days_from(last_covered, day.day) > gap:
                stretches.append([])
            last_covered = day.day
        if stretches:
            stretches[-1].append(day)
    return tuple(_without_uncovered_end(stretch) for stretch in stretches)


def _without_uncovered_end(stretch: Sequence[DailySteroid]) -> Stretch:
    last = max(n for n, day in enumerate(stretch) if day.cover is not Certainty.FALSE)
    return tuple(stretch[: last + 1])


def _until(last: date, stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same stretches, as far as they have come."""
    cut = (tuple(day for day in stretch if day.day <= last) for stretch in stretches)
    return tuple(_without_uncovered_end(stretch) for stretch in cut if stretch)


# --- levels: the full dose, and where it is reduced


@dataclass(slots=True)
class _Levels:
    """What walking along the days has shown so far.

    `anchor_mg` is what a reduction is measured against: the maintenance dose, or after a raise within a taper the
    raised one; `lowest_mg` the lowest dose that counts as the same, after a change of drug or route. `full` is the
    last day that was not reduced, `previous` the last one whose dose is known.
    """

    maintenance_mg: Decimal | None = None
    anchor_mg: Decimal | None = None
    lowest_mg: Decimal | None = None
    taper_begins: date | None = None
    was_raised: bool = False
    is_held: bool = False
    held: int = 0
    full: DailySteroid | None = None
    previous: DailySteroid | None = None
    restarted_on: date | None = None
    finished_on: date | None = None

    def settle(self, day: DailySteroid) -> None:
        """Measure reductions against this day's dose from now on."""
        self.anchor_mg = self.lowest_mg = day.mg
        self.taper_begins, self.full = None, day


def _levels(stretches: Iterable[Stretch], facts: PatientFacts, known: Known) -> _Levels:
    """The maintenance dose and the beginning of the last taper. Days whose dose is unknown are passed over.

    After a taper that was completed a new stretch is a new course; after any other interruption it goes on with the
    old one, and a dose that is then below the maintenance dose is a reduction that begins anew.
    """
    levels = _Levels()
    for _, reached in _level_by_level(stretches, facts, known):
        levels = reached
    return levels


def _level_by_level(stretches: Iterable[Stretch], facts: PatientFacts, known: Known) -> Iterator[tuple[date, _Levels]]:
    """The levels after each day, and once more after the last day of each stretch, when its end can be judged.

    What is yielded goes on changing.
    """
    levels = _Levels()
    for stretch in stretches:
        if levels.finished_on is not None:
            levels = _Levels(restarted_on=stretch[0].day)
        else:
            _resume(levels)
        for day in stretch:
            _walk(levels, _as_meant(day, facts, known), facts, known)
            yield day.day, levels
        levels.finished_on = stretch[-1].day if _is_tapered(levels.taper_begins, stretch, known) else None
        yield stretch[-1].day, levels


def _resume(levels: _Levels) -> None:
    levels.taper_begins, levels.is_held, levels.previous = None, False, None
    levels.anchor_mg = levels.lowest_mg = levels.maintenance_mg


def _as_meant(day: DailySteroid, facts: PatientFacts, known: Known) -> DailySteroid:
    """The day with the ordered dose, where what was recorded as given is the same within the site's tolerance."""
    if not day.is_recorded_as_given or day.mg is None:
        return day
    ordered = ordered_on(day.day, facts, known)
    if not _is_same_dose(day.mg, ordered.mg, known):
        return day
    return replace(day, mg=ordered.mg, drugs=ordered.drugs, routes=ordered.routes, is_recorded_as_given=False)


def _walk(levels: _Levels, day: DailySteroid, facts: PatientFacts, known: Known) -> None:
    """One day on: at the full dose, reduced, raised again within a taper, or only switched."""
    if day.cover is Certainty.FALSE or day.mg is None:
        levels.held = 0
        return
    previous = levels.previous
    levels.held = levels.held + 1 if previous is not None and previous.mg == day.mg else 1
    _compare(levels, day, facts, known)
    is_held = levels.held >= known.policy.whole("steroid.maintenance_days")
    if is_held and (levels.maintenance_mg is None or day.mg > levels.maintenance_mg):
        levels.maintenance_mg = day.mg
        levels.settle(day)
    levels.previous = day


def _compare(levels: _Levels, day: DailySteroid, facts: PatientFacts, known: Known) -> None:
    assert day.mg is not None
    if levels.maintenance_mg is None or levels.lowest_mg is None:
        return
    if day.mg >= levels.maintenance_mg:
        _back_at_full_dose(levels, day, known)
    elif levels.taper_begins is not None:
        if _is_raised(day, levels.previous, known):
            levels.was_raised = levels.is_held = True
            levels.settle(day)
    elif day.mg >= levels.lowest_mg:
        levels.full = day
        if day.mg >= (levels.anchor_mg or day.mg):
            levels.settle(day)
    elif _is_switch(day, levels, known):
        levels.lowest_mg, levels.full = day.mg, day
    elif not levels.is_held and _is_back_from_raised_dose(levels.maintenance_mg, day, facts, known):
        levels.maintenance_mg = day.mg
        levels.settle(day)
    else:
        levels.taper_begins, levels.is_held = day.day, False


def _back_at_full_dose(levels: _Levels, day: DailySteroid, known: Known) -> None:
    """A shorter dip than a dose has to be held to count as one is a missed dose and no taper."""
    if levels.taper_begins is not None:
        is_dip = days_from(levels.taper_begins, day.day) < known.policy.whole("steroid.maintenance_days")
        levels.was_raised = levels.was_raised or not is_dip
    levels.is_held = False
    levels.settle(day)
    levels.anchor_mg = levels.lowest_mg = levels.maintenance_mg


def _is_raised(day: DailySteroid, previous: DailySteroid | None, known: Known) -> bool:
    """Whether the dose of a taper went up, not only by a change of drug or route."""
    assert day.mg is not None
    if previous is None or previous.mg is None or day.mg <= previous.mg:
        return False
    return not (_differs_in_kind(day, previous) and _is_same_dose(day.mg, previous.mg, known))


def _is_switch(day: DailySteroid, levels: _Levels, known: Known) -> bool:
    """Whether drug or route changed and the dose stayed equivalent to the full one, within the site's tolerance."""
    is_other = levels.full is not None and _differs_in_kind(day, levels.full)
    return is_other and _is_same_dose(day.mg, levels.anchor_mg, known)


def _differs_in_kind(day: DailySteroid, other: DailySteroid) -> bool:
    """Whether drug or route differ, or one is what was given and the other what is ordered."""
    return (day.drugs, day.routes, day.is_recorded_as_given) != (other.drugs, other.routes, other.is_recorded_as_given)


def _is_same_dose(mg: Decimal | None, reference: Decimal | None, known: Known) -> bool:
    if mg is None or reference is None:
        return False
    return abs(mg - reference) <= exact_product(reference, known.policy["steroid.switch_tolerance"])


def _is_back_from_raised_dose(maintenance: Decimal, day: DailySteroid, facts: PatientFacts, known: Known) -> bool:
    """Whether a dose that had been raised above the label's 1 mg/kg is back at it, which is no taper yet (2.1, 5.1).

    Only on an undoubted weight that was fresh on that day; without one, every reduction is one.
    """
    assert day.mg is not None
    kg = _fresh_kg_on(day.day, facts, known)
    if kg is None:
        return False
    was_raised = maintenance > exact_product(kg, known.policy["steroid.band.high"])
    return was_raised and day.mg >= exact_product(kg, known.policy["steroid.band.low"])


def _fresh_kg_on(day: date, facts: PatientFacts, known: Known) -> Decimal | None:
    """The highest weight of a day and the days before it on which it was fresh; None without one, or in doubt."""
    last = min(day, facts.today)
    first = last - timedelta(days=known.policy.whole("steroid.weight_fresh_days"))
    if doubt_about(choose_weight(facts, known), known) is not None:
        return None
    usable = [w for w in facts.weights if w.for_dosing and w.standing is Standing.ACCEPTED and w.measured.may_satisfy]
    fresh = [w for w in usable if w.measured.day is not None and first <= w.measured.day <= last]
    if not fresh or any(w.quantity is None for w in fresh):
        return None
    return max(known.units.in_own_unit(w.quantity, BODY_WEIGHT) for w in fresh if w.quantity is not None)


def _is_tapered(begins: date | None, stretch: Stretch, known: Known) -> bool:
    """Whether a stretch ends with a taper of the label's days or more, every dose of it computed."""
    if begins is None or days_from(begins, stretch[-1].day) + 1 < known.label.whole("taper_days"):
        return False
    taper = (day for day in stretch if day.day >= begins)
    return all(day.cover is Certainty.FALSE or day.mg is not None for day in taper)


# --- the state of today


def _state(
    status: CourseStatus, so_far: _Levels, stretches: Sequence[Stretch], facts: PatientFacts, known: Known
) -> tuple[CourseState, str]:
    """The state today, and why it is unknown where it is."""
    current = max((s for s in stretches if s[0].day <= facts.today), key=lambda stretch: stretch[0].day)
    if current[-1].day < facts.today:
        return _without_cover(status, current, so_far, facts, known)
    # A day that was left out, and is followed by others, interrupts nothing: the one before it tells the dose.
    today = max((d for d in current if d.day <= facts.today and d.cover is not Certainty.FALSE), key=lambda d: d.day)
    why = _why_unknown(today, facts, known)
    if why:
        return CourseState.UNKNOWN, why
    if so_far.taper_begins is not None or so_far.is_held:
        is_abnormal = newest_panel(facts, known).verdict is Certainty.FALSE
        return (CourseState.TAPER_HELD if is_abnormal or so_far.is_held else CourseState.TAPER), ""
    if facts.today < status.required_end:
        return CourseState.COURSE, ""
    verdict = panel_for_taper(status.required_end, facts, known).verdict
    if verdict is Certainty.TRUE and facts.can_prove_absence(Source.MEASUREMENTS):
        return CourseState.MAY_TAPER, ""
    is_after = facts.today > status.required_end
    return (CourseState.EXTENDED if is_after and verdict is Certainty.FALSE else CourseState.DECIDE), ""


def states_by_day(facts: PatientFacts, known: Known) -> tuple[tuple[date, CourseState], ...]:
    """The state of every day from S to today or the last covered day, whichever is later; empty without a course.

    A past day is judged as on that day itself: by the samples taken until then, and the doses as they are known now.
    A day ahead is judged by the orders alone, since no result can speak for it yet.
    """
    status = course_status(facts, known)
    if status is None or not status.days:
        return ()
    stretches = _stretches(status.days, known)
    reached = {day: replace(levels) for day, levels in _level_by_level(stretches, facts, known)}
    covered = {day.day: day for day in status.days if day.cover is not Certainty.FALSE}
    states: list[tuple[date, CourseState]] = []
    so_far, first, last = _Levels(), status.days[0].day, max(status.days[-1].day, facts.today)
    for day in (first + DAY * n for n in range(days_from(first, last) + 1)):
        so_far = reached.get(day, so_far)
        if day <= facts.today:
            state, _ = _state(status, so_far, stretches, _as_of(day, facts), known)
        elif day in covered:
            state = _planned_state(covered[day], so_far, status)
        elif not any(stretch[0].day <= day <= stretch[-1].day for stretch in stretches):
            state = _state_between(so_far, status, facts)
        states.append((day, state))
    return tuple(states)


def _as_of(day: date, facts: PatientFacts) -> PatientFacts:
    """The facts with the laboratory results of this day or before, and those whose day nobody knows."""
    if day == facts.today:
        return facts
    results = tuple(item for item in facts.lab_results if item.measured.day is None or item.measured.day <= day)
    return replace(facts, today=day, lab_results=results)


def _state_between(so_far: _Levels, status: CourseStatus, facts: PatientFacts) -> CourseState:
    """The state of a day ahead on which nothing is ordered."""
    if so_far.finished_on is None:
        return CourseState.INTERRUPTED
    return CourseState.UNKNOWN if orders_of_unclear_status(status, facts) else CourseState.FINISHED


def _planned_state(day: DailySteroid, so_far: _Levels, status: CourseStatus) -> CourseState:
    if day.mg is None:
        return CourseState.UNKNOWN
    if so_far.is_held:
        return CourseState.TAPER_HELD
    if so_far.taper_begins is not None:
        return CourseState.TAPER
    if day.day < status.required_end:
        return CourseState.COURSE
    return CourseState.EXTENDED if status.state is CourseState.EXTENDED else CourseState.DECIDE


def _without_cover(
    status: CourseStatus, current: Stretch, so_far: _Levels, facts: PatientFacts, known: Known
) -> tuple[CourseState, str]:
    lacking = facts.lacking(Source.ORDERS)
    if lacking:
        return CourseState.UNKNOWN, lacking[0].value
    if so_far.finished_on is not None:
        # An order whose status nobody can read may still run, or may never have been given: that reassures nobody.
        is_unclear = bool(orders_of_unclear_status(status, facts))
        return (CourseState.UNKNOWN, STATUS_UNCLEAR) if is_unclear else (CourseState.FINISHED, "")
    if current[-1].day < status.required_end:
        return CourseState.INTERRUPTED, ""
    # What ended may have been a taper in words only: nobody can tell.
    since = current[-1].day - timedelta(days=known.label.whole("taper_days"))
    is_untold = any(d.mg is None and d.cover is not Certainty.FALSE for d in current if d.day > since)
    return (CourseState.UNKNOWN, "steroid-dose") if is_untold else (CourseState.INTERRUPTED, "")


def orders_of_unclear_status(status: CourseStatus, facts: PatientFacts) -> tuple[SteroidOrder, ...]:
    """The orders with a day of the course, or after it, that may be running or may never have been given.

    Nobody can read their status. Those that ended before the course began say nothing of it.
    """
    return tuple(
        order
        for order in facts.steroid_orders
        if order.is_status_unclear
        and any(
            status.first_day is None or phase.last_day is None or phase.last_day >= status.first_day
            for phase in order.phases
        )
    )


def _why_unknown(today: DailySteroid, facts: PatientFacts, known: Known) -> str:
    """Why nobody can tell the dose of today; "" where it can be told."""
    if today.mg is None:
        return "steroid-dose"
    return GIVEN_DIFFERS if differing_doses(facts, known) else ""


def differing_doses(facts: PatientFacts, known: Known) -> tuple[DailySteroid, DailySteroid] | None:
    """What was given, and what was ordered, on the newest recorded one of the last days, where these contradict."""
    recent = (
        steroid_on(facts.today - DAY * n, facts, known)
        for n in range(1, known.policy.whole("steroid.maintenance_days"))
    )
    recorded = next((day for day in recent if day.is_recorded_as_given and day.mg is not None), None)
    if recorded is None:
        return None
    ordered = ordered_on(recorded.day, facts, known)
    if ordered.mg is None or _is_same_dose(recorded.mg, ordered.mg, known):
        return None
    return recorded, ordered


def has_full_course(status: CourseStatus, facts: PatientFacts, known: Known) -> bool:
    """Whether the label's days up to E held about the full dose, apart from so few days as break no course.

    Measured by the weight at the beginning, so that a dose that was outgrown still counts; without one any dose that
    can be computed does.
    """
    first = status.first_day
    weights = [
        known.units.in_own_unit(w.quantity, "body_weight")
        for w in facts.weights
        if first is not None
        and w.quantity is not None
        and w.for_dosing
        and w.standing is Standing.ACCEPTED
        and w.measured.day is not None
        and w.measured.day <= first
    ]
    enough = Decimal(0)
    if weights:
        enough = exact_product(min(weights), known.policy["steroid.band.very_low"])
    full = sum(1 for d in status.days if d.day <= status.required_end and d.mg is not None and d.mg >= enough)
    return full >= known.label.whole("steroid_days") - known.policy.whole("steroid.gap_days")
