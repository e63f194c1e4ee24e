"""Corticosteroid orders of unreadable days, taken at their word: what they would alarm about (clinical-rules C8, C11).

Doubtful data may raise a card and never clear one. So rules that alarm are asked again of what is written, and only
their alarms count; whatever satisfies, proves or permits is asked of the facts alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
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
    readings = readings_in_part(facts, known) if in_part else [as_written(facts) or facts]
    for reading in [*readings, *(facts.once(_each_alone) if each_alone else [])]:
        answer = judge(reading, known) if reading is not facts else plain
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
    orders = facts.steroid_orders
    if not any(phase.why_days_unknown for order in orders for phase in order.phases):
        return None
    sequences = {drug: _Sequence.of(drug, facts) for drug in {order.drug for order in orders}}
    told = (replace(o, phases=tuple(_at_its_word(p, o, sequences[o.drug], facts) for p in o.phases)) for o in orders)
    return replace(facts, steroid_orders=tuple(told))


@dataclass(frozen=True, slots=True)
class _Sequence:
    """The instructions of one drug that were surely ordered, by their first days.

    `ends` holds for each the latest readable last day of it and of those before it.
    """

    begins: Sequence[date]
    ends: Sequence[date]

    @classmethod
    def of(cls, drug: str, facts: PatientFacts) -> _Sequence:
        """The instructions of a drug in the record."""
        orders = (o for o in facts.steroid_orders if o.drug == drug and o.standing is Standing.ACCEPTED)
        spans = sorted((_begin(p, o, facts), _readable_end(p)) for o in orders for p in o.phases)
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


def _at_its_word(phase: SteroidPhase, order: SteroidOrder, same_drug: _Sequence, facts: PatientFacts) -> SteroidPhase:
    if not phase.why_days_unknown:
        return phase
    begins, last = _begin(phase, order, facts), phase.last_day
    if phase.why_days_unknown == "start-unreadable":
        running_to = same_drug.last_end_of_those_begun(begins)
        is_after = begins <= running_to < (last or date.max)
        return replace(phase, why_days_unknown="", first_day=running_to + DAY if is_after else begins)
    following = same_drug.next_after(begins)
    ends = [day for day in (last, following and following - DAY) if day is not None]
    return replace(phase, why_days_unknown="", first_day=begins, last_day=min(ends, default=None))


def _begin(phase: SteroidPhase, order: SteroidOrder, facts: PatientFacts) -> date:
    """The first day of an instruction; of an unreadable one where it would begin without, but not after its end."""
    begins = first_day_of(phase, order, facts)
    return min(begins, phase.last_day or begins) if phase.why_days_unknown else begins


def readings_in_part(facts: PatientFacts, known: Known) -> list[PatientFacts]:
    """The facts, what is written, and what can be computed of it alone; without what is the same."""
    others = (as_written(facts), _computable(facts, known))
    return [facts, *(reading for reading in others if reading is not None)]


def _each_alone(facts: PatientFacts) -> list[PatientFacts]:
    """Each order of unreadable days, as if it were the only one; once where several are the same but for their names."""
    in_doubt = (order for order in facts.steroid_orders if any(phase.why_days_unknown for phase in order.phases))
    alone = {(o.drug, o.route, o.is_draft, o.is_cover, o.phases): o for o in reversed([*in_doubt])}
    return [replace(facts, steroid_orders=(_to_its_own_end(order, facts),)) for order in alone.values()]


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
