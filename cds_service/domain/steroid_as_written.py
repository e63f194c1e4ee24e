"""Corticosteroid orders of unreadable days, taken at their word: what they would alarm about (clinical-rules C8, C11).

Doubtful data may raise a card and never clear one. So rules that alarm are asked again of what is written, and only
their alarms count; whatever satisfies, proves or permits is asked of the facts alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate

from cds_service.domain.answers import Answer
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.medicines import SteroidOrder, SteroidPhase
from cds_service.domain.steroid_dose import DAY, first_day_of, in_prednisolone, why_not_computable

Judge = Callable[[PatientFacts, Known], Answer]


def gravest_of_readings(
    judge: Judge, grades: Sequence[str], facts: PatientFacts, known: Known, readings: Iterable[PatientFacts]
) -> Answer:
    """The gravest of a judge's answers to the facts and to other readings of them, by grades from the gravest one down.

    Of the readings only these grades count, and no change is offered: nobody signs an order for days that are in
    doubt. `is_all_readable` is shown with every finding.
    """
    best = judge(facts, known)
    if best.is_finding:
        best = _marked(best, is_all_readable=True)
    for reading in readings:
        answer = judge(reading, known)
        if _rank(answer, grades) < _rank(best, grades):
            best = replace(_marked(answer, is_all_readable=False), changes=())
    return best


def _marked(answer: Answer, *, is_all_readable: bool) -> Answer:
    return replace(answer, shown={**answer.shown, "is_all_readable": is_all_readable})


def _rank(answer: Answer, grades: Sequence[str]) -> int:
    return grades.index(answer.grade) if answer.grade in grades else len(grades)


# --- as if nothing ended


def with_open_ends(facts: PatientFacts) -> list[PatientFacts]:
    """The facts with every order of an unreadable end as if it had none; nothing where that does not tell all doses.

    Nothing is guessed: no first day, no dose of steps without days, and not whether an order goes on beside one that
    follows it. So a fall of the dose is one that is written, and no stop rests on an end that nobody can read.
    """
    return facts.once(_with_open_ends)


def _with_open_ends(facts: PatientFacts) -> list[PatientFacts]:
    in_doubt = [phase for order in facts.steroid_orders for phase in order.phases if phase.why_days_unknown]
    sequence = _Sequence.of(facts) if in_doubt else None
    if sequence is None or not all(_may_only_go_on(phase, sequence) for phase in in_doubt):
        return []
    orders = (
        replace(order, phases=tuple(replace(phase, why_days_unknown="") for phase in order.phases))
        for order in facts.steroid_orders
    )
    return [replace(facts, steroid_orders=tuple(orders))]


def _may_only_go_on(phase: SteroidPhase, sequence: _Sequence) -> bool:
    has_dose = phase.mg is not None or phase.mg_per_kg is not None
    if phase.why_days_unknown != "end-unreadable" or phase.first_day is None or not has_dose:
        return False
    return phase.last_day is not None or sequence.next_after(phase.first_day) is None


# --- as if one followed the other


def one_after_the_other(facts: PatientFacts, known: Known) -> list[PatientFacts]:
    """What is written, where no order of unreadable days is given together with one that follows it; and without the
    doses that nobody can compute. Each where it differs.

    The least that is written for a day: whatever is too much by it is too much.
    """
    return facts.once(_one_after_the_other, known)


def _one_after_the_other(facts: PatientFacts, known: Known) -> list[PatientFacts]:
    written = _in_sequence(facts)
    computable = _computable(written, known)
    return [reading for reading in (written, computable) if reading is not facts]


def _in_sequence(facts: PatientFacts) -> PatientFacts:
    orders = facts.steroid_orders
    if not any(phase.why_days_unknown for order in orders for phase in order.phases):
        return facts
    sequence = _Sequence.of(facts)
    told = (replace(o, phases=tuple(_at_its_word(p, o, sequence, facts) for p in o.phases)) for o in orders)
    return replace(facts, steroid_orders=tuple(told))


@dataclass(frozen=True, slots=True)
class _Sequence:
    """The instructions that were surely ordered, by their first days.

    `ends` holds for each the latest readable last day of it and of those before it.
    """

    begins: Sequence[date]
    ends: Sequence[date]

    @classmethod
    def of(cls, facts: PatientFacts) -> _Sequence:
        """The instructions of all drugs: of two drugs, too, the second takes the place of the first."""
        orders = (order for order in facts.steroid_orders if order.standing is Standing.ACCEPTED)
        spans = sorted((first_day_of(p, o, facts), _readable_end(p)) for o in orders for p in o.phases)
        return cls([begin for begin, _ in spans], list(accumulate((end for _, end in spans), max)))

    def next_after(self, day: date) -> date | None:
        """The first day of the next one that begins after this day."""
        place = bisect_right(self.begins, day)
        return self.begins[place] if place < len(self.begins) else None

    def last_end_of_those_begun(self, day: date) -> date:
        """The latest last day of those that have begun by this day; the first of all days where there is none."""
        place = bisect_right(self.begins, day)
        return self.ends[place - 1] if place else date.min


def _readable_end(phase: SteroidPhase) -> date:
    return date.min if phase.why_days_unknown or phase.last_day is None else phase.last_day


def _at_its_word(phase: SteroidPhase, order: SteroidOrder, sequence: _Sequence, facts: PatientFacts) -> SteroidPhase:
    """An instruction on the days that it may have: after those that run when it would begin, unless its own end comes
    first, and to the day before the next one, unless its own end can be read.
    """
    if not phase.why_days_unknown:
        return phase
    begins, last = first_day_of(phase, order, facts), phase.last_day
    if phase.why_days_unknown == "start-unreadable":
        running_to = sequence.last_end_of_those_begun(begins)
        begins = running_to + DAY if begins <= running_to < (last or date.max) else begins
    following = sequence.next_after(begins) if last is None else None
    last = following - DAY if following is not None else last
    return replace(phase, why_days_unknown="", first_day=begins, last_day=last)


def _computable(facts: PatientFacts, known: Known) -> PatientFacts:
    """The facts without the instructions and doses that nobody can compute."""
    orders = [
        replace(order, phases=tuple(p for p in order.phases if not why_not_computable(p, order, facts, known)))
        for order in facts.steroid_orders
    ]
    doses = [d for d in facts.steroid_doses if not d.was_given or in_prednisolone(d.mg, d.drug, known) is not None]
    left_out = sum(len(o.phases) - len(n.phases) for o, n in zip(facts.steroid_orders, orders, strict=True))
    if not left_out and len(doses) == len(facts.steroid_doses):
        return facts
    return replace(facts, steroid_orders=tuple(orders), steroid_doses=tuple(doses))


# --- as if there were no other


def each_alone(facts: PatientFacts) -> list[PatientFacts]:
    """Each order of unreadable days to its own end, as if it were the only one; once where several say the same."""
    return facts.once(_each_alone)


def _each_alone(facts: PatientFacts) -> list[PatientFacts]:
    in_doubt = [order for order in facts.steroid_orders if any(phase.why_days_unknown for phase in order.phases)]
    alone = {(o.drug, o.route, o.is_draft, o.is_cover, o.phases): o for o in reversed(in_doubt)}
    return [replace(facts, steroid_orders=(_to_its_own_end(order, facts),)) for order in alone.values()]


def _to_its_own_end(order: SteroidOrder, facts: PatientFacts) -> SteroidOrder:
    phases = (replace(p, why_days_unknown="", first_day=first_day_of(p, order, facts)) for p in order.phases)
    return replace(order, phases=tuple(phases))
