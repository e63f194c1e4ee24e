"""Corticosteroid orders of unreadable days, taken at their word: what they would alarm about (clinical-rules C8, C11).

Doubtful data may raise a card and never clear one. So rules that alarm are asked again of what is written, and only
their alarms count; whatever satisfies, proves or permits is asked of the facts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cds_service.domain.answers import Answer
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.medicines import SteroidOrder, SteroidPhase
from cds_service.domain.steroid_dose import DAY, first_day_of, in_prednisolone, why_not_computable

Judge = Callable[[PatientFacts, Known], Answer]


def judged_as_written(
    judge: Judge,
    grades: Sequence[str],
    facts: PatientFacts,
    known: Known,
    *,
    in_part: bool = False,
    each_alone: bool = False,
) -> Answer:
    """The gravest of a judge's answers to the facts and to what is written, by grades from the gravest one down.

    Of what is written only these grades count, and no change is offered: nobody signs an order for days that are in
    doubt. `in_part`: it is asked too of what can be computed alone, where other doses of the day cannot. `each_alone`:
    of each order of unreadable days as well, which may run longer than to the next one. `is_all_readable` is shown
    with every finding.
    """
    plain = judge(facts, known)
    best = _marked(plain, is_all_readable=True) if plain.is_finding else plain
    readings = [as_written(facts), *([_computable(facts, known)] if in_part else [])]
    for reading in [*readings, *(facts.once(_each_alone) if each_alone else [])]:
        answer = judge(reading, known) if reading is not None else plain
        if _rank(answer, grades) < _rank(best, grades):
            best = replace(_marked(answer, is_all_readable=False), changes=())
    return best


def _marked(answer: Answer, *, is_all_readable: bool) -> Answer:
    return replace(answer, shown={**answer.shown, "is_all_readable": is_all_readable})


def _rank(answer: Answer, grades: Sequence[str]) -> int:
    return grades.index(answer.grade) if answer.grade in grades else len(grades)


def as_written(facts: PatientFacts) -> PatientFacts | None:
    """The facts with every order of unreadable days as if it ran on the days it may; None where there is none such.

    It begins where it would without a start, and has no end; but of orders of one drug that follow each other the
    one goes to the day before the next, and the next begins after it: both together would be given twice.
    """
    return facts.once(_as_written)


def _as_written(facts: PatientFacts) -> PatientFacts | None:
    courses = [_Course(o, phase, _begin(phase, o, facts)) for o in facts.steroid_orders for phase in o.phases]
    if not any(course.phase.why_days_unknown for course in courses):
        return None
    told = {id(course.phase): _at_its_word(course, courses) for course in courses if course.phase.why_days_unknown}
    orders = (
        replace(order, phases=tuple(told.get(id(phase), phase) for phase in order.phases))
        for order in facts.steroid_orders
    )
    return replace(facts, steroid_orders=tuple(orders))


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """One instruction of an order, and the day on which it begins, as far as anybody can tell."""

    order: SteroidOrder
    phase: SteroidPhase
    begins: date


def _begin(phase: SteroidPhase, order: SteroidOrder, facts: PatientFacts) -> date:
    """The first day of an instruction; of an unreadable one where it would begin without, but not after its end."""
    begins = first_day_of(phase, order, facts)
    return min(begins, phase.last_day or begins) if phase.why_days_unknown else begins


def _at_its_word(course: _Course, courses: Sequence[_Course]) -> SteroidPhase:
    others = [
        other
        for other in courses
        if other is not course and other.order.drug == course.order.drug and other.order.standing is Standing.ACCEPTED
    ]
    phase = course.phase
    if phase.why_days_unknown == "start-unreadable":
        return replace(phase, why_days_unknown="", first_day=_after_the_one_before(course, others))
    next_ones = [other.begins - DAY for other in others if other.begins > course.begins]
    ends = [day for day in (phase.last_day, *next_ones) if day is not None]
    return replace(phase, why_days_unknown="", first_day=course.begins, last_day=min(ends, default=None))


def _after_the_one_before(course: _Course, others: Sequence[_Course]) -> date:
    """The day after the last one of those that run when it would begin, unless it would be over by then."""
    running = (other for other in others if other.begins <= course.begins)
    ends = (other.phase.last_day for other in running if not other.phase.why_days_unknown)
    after = max((end + DAY for end in ends if end is not None and end >= course.begins), default=course.begins)
    last = course.phase.last_day
    return after if last is None or after <= last else course.begins


def _each_alone(facts: PatientFacts) -> list[PatientFacts]:
    """Each order of unreadable days, as if it were the only one."""
    return [
        replace(facts, steroid_orders=(_to_its_own_end(order, facts),))
        for order in facts.steroid_orders
        if any(phase.why_days_unknown for phase in order.phases)
    ]


def _to_its_own_end(order: SteroidOrder, facts: PatientFacts) -> SteroidOrder:
    phases = (replace(p, why_days_unknown="", first_day=_begin(p, order, facts)) for p in order.phases)
    return replace(order, phases=tuple(phases))


def _computable(facts: PatientFacts, known: Known) -> PatientFacts | None:
    """What is written, without the instructions and doses that nobody can compute; None where all can be computed."""
    return facts.once(_worked_out_in_part, known)


def _worked_out_in_part(facts: PatientFacts, known: Known) -> PatientFacts | None:
    written = as_written(facts) or facts
    orders = [
        replace(order, phases=tuple(p for p in order.phases if not why_not_computable(p, order, written, known)))
        for order in written.steroid_orders
    ]
    doses = [
        dose
        for dose in written.steroid_doses
        if not dose.was_given or in_prednisolone(dose.mg, dose.drug, known) is not None
    ]
    left_out = sum(len(order.phases) for order in written.steroid_orders) - sum(len(order.phases) for order in orders)
    if not left_out and len(doses) == len(written.steroid_doses):
        return None
    return replace(written, steroid_orders=tuple(order for order in orders if order.phases), steroid_doses=tuple(doses))
