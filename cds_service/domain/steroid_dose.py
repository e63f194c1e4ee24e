"""Corticosteroid orders and doses as prednisolone equivalents per local day (clinical-rules C11; label 2.1).

The label says only "equivalent to oral prednisolone"; the table of equivalents is site policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from cds_service.domain.certainty import Certainty
from cds_service.domain.days import days_from
from cds_service.domain.dosing_weight import weight_for_dose
from cds_service.domain.evidence import Evidence, Standing, distinct
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.medicines import SteroidDose, SteroidOrder, SteroidPhase, SteroidRoute
from cds_service.domain.quantities import exact_product, exact_quotient

DAY = timedelta(days=1)
_PREDNISOLONE = "prednisolone"


@dataclass(frozen=True, slots=True)
class DailySteroid:
    """What one local day holds: mg of prednisolone equivalent, None where any part of it cannot be computed.

    `cover` is UNKNOWN where it is not sure that what is ordered acts on the whole body, or from which day on.
    `is_computed`: at least one part of it is a dose in mg.
    """

    day: date
    mg: Decimal | None
    cover: Certainty
    drugs: frozenset[str]
    routes: frozenset[SteroidRoute]
    is_recorded_as_given: bool
    is_computed: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What one instruction of an order gives on each day that it covers, from its start on. Compared by identity.

    `is_sure`: it surely gives it; on the first day only where the end is presumed.
    """

    order: SteroidOrder
    phase: SteroidPhase
    start: date
    mg: Decimal | None
    is_sure: bool

    def is_sure_on(self, day: date) -> bool:
        """Whether it surely gives it on a day that it covers."""
        return self.is_sure and (not self.phase.is_end_presumed or day == self.start)


@dataclass(frozen=True, slots=True)
class _Ordered:
    """What is ordered for every day that the same instructions cover."""

    mg: Decimal | None
    cover: Certainty
    drugs: frozenset[str]
    routes: frozenset[SteroidRoute]
    is_computed: bool
    evidence: tuple[Evidence, ...]


def steroid_on(day: date, facts: PatientFacts, known: Known, *, within_supply: bool = False) -> DailySteroid:
    """The corticosteroid of one day. Recorded administrations decide about past days that have any (ruling 38).

    `within_supply`: an order counts only as long as its dispensed supply lasts.
    """
    return facts.once(_steroid_on, known, day, within_supply and facts.once(_has_supply))


def last_day_of_any(facts: PatientFacts, known: Known) -> date | None:
    """The last day for which a corticosteroid is ordered or recorded; None where an order has no end."""
    return facts.once(_last_day_of_any, known)


def _last_day_of_any(facts: PatientFacts, known: Known) -> date | None:
    ends = [part.phase.last_day for part in facts.once(_parts, known)]
    ends += [dose.given.day or date.min for dose in facts.steroid_doses]
    last = [day for day in ends if day is not None]
    return max(last, default=date.min) if len(last) == len(ends) else None


def _has_supply(facts: PatientFacts) -> bool:
    """Whether the supply of any order is stated; without one it limits nothing."""
    return any(order.supply_ends is not None for order in facts.steroid_orders)


def _steroid_on(facts: PatientFacts, known: Known, day: date, within_supply: bool) -> DailySteroid:
    doses, parts = facts.once(_doses_by_day).get(day, ()), _ordered_parts(day, facts, known, within_supply)
    if not doses:
        return _as_ordered(day, parts, facts)
    given = [dose for dose in doses if dose.was_given]
    if not given:
        return DailySteroid(day, None, Certainty.FALSE, frozenset(), frozenset(), False, False, _evidence(doses))
    if day < facts.today or not parts:
        return _as_given(day, given, known)
    return _with_given(_as_ordered(day, parts, facts), given, known)


def ordered_on(day: date, facts: PatientFacts, known: Known) -> DailySteroid:
    """The corticosteroid that is ordered for a day, whatever was given."""
    return _as_ordered(day, _ordered_parts(day, facts, known, within_supply=False), facts)


def _doses_by_day(facts: PatientFacts) -> Mapping[date | None, Sequence[SteroidDose]]:
    found: dict[date | None, list[SteroidDose]] = {}
    for dose in facts.steroid_doses:
        found.setdefault(dose.given.day, []).append(dose)
    return found


def _ordered_parts(day: date, facts: PatientFacts, known: Known, within_supply: bool) -> tuple[_Part, ...]:
    """What covers a day. An ended order covers the past only, and one that is still being written nothing of it."""
    is_past = day < facts.today
    return tuple(
        part
        for part in facts.once(_parts, known)
        if _covers(part.phase, part.start, day)
        and (not part.order.is_draft if is_past else part.order.is_cover)
        and not (within_supply and part.order.supply_ends is not None and day > part.order.supply_ends)
    )


def _as_given(day: date, given: Sequence[SteroidDose], known: Known) -> DailySteroid:
    return DailySteroid(
        day=day,
        mg=_sum(in_prednisolone(dose.mg, dose.drug, known) for dose in given),
        cover=Certainty.TRUE if any(is_proven(dose) for dose in given) else Certainty.UNKNOWN,
        drugs=frozenset(dose.drug for dose in given),
        routes=frozenset(dose.route for dose in given),
        is_recorded_as_given=True,
        is_computed=any(dose.mg is not None for dose in given),
        evidence=_evidence(given),
    )


def is_proven(dose: SteroidDose) -> bool:
    """Whether a recorded dose surely was a systemic one, at a time that can be relied on."""
    return dose.was_given and dose.given.may_satisfy and dose.route is not SteroidRoute.NOT_STATED


def _as_ordered(day: date, parts: tuple[_Part, ...], facts: PatientFacts) -> DailySteroid:
    ordered = facts.once(_ordered, parts, tuple(part for part in parts if part.is_sure_on(day)))
    return DailySteroid(
        day=day,
        mg=ordered.mg,
        cover=ordered.cover,
        drugs=ordered.drugs,
        routes=ordered.routes,
        is_recorded_as_given=False,
        is_computed=ordered.is_computed,
        evidence=ordered.evidence,
    )


def _ordered(_facts: PatientFacts, parts: tuple[_Part, ...], sure: tuple[_Part, ...]) -> _Ordered:
    return _Ordered(
        mg=_sum(part.mg for part in parts) if parts else None,
        cover=Certainty.TRUE if sure else Certainty.UNKNOWN if parts else Certainty.FALSE,
        drugs=frozenset(part.order.drug for part in parts),
        routes=frozenset(part.order.route for part in parts),
        is_computed=any(part.mg is not None for part in sure or parts),
        evidence=_evidence(part.order for part in parts),
    )


def _with_given(ordered: DailySteroid, given: Sequence[SteroidDose], known: Known) -> DailySteroid:
    """A day that is not over, with what was given of it already."""
    return replace(
        ordered,
        mg=_higher(ordered.mg, given, known),
        cover=Certainty.TRUE if any(is_proven(dose) for dose in given) else ordered.cover,
        is_recorded_as_given=True,
        evidence=distinct((*ordered.evidence, *_evidence(given))),
    )


def _higher(ordered: Decimal | None, given: Sequence[SteroidDose], known: Known) -> Decimal | None:
    """What is ordered for a day that is not over, or what was given already where that is more."""
    recorded = _sum(in_prednisolone(dose.mg, dose.drug, known) for dose in given)
    return None if ordered is None or recorded is None else max(ordered, recorded)


def _evidence(items: Iterable[SteroidOrder | SteroidDose]) -> tuple[Evidence, ...]:
    return distinct(item.evidence for item in items)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _parts(facts: PatientFacts, known: Known) -> Sequence[_Part]:
    """What each instruction of each order gives."""
    return [_part(phase, order, facts, known) for order in facts.steroid_orders for phase in order.phases]


def _part(phase: SteroidPhase, order: SteroidOrder, facts: PatientFacts, known: Known) -> _Part:
    mg = daily_mg(phase, order, facts, known)
    is_sure = (
        mg is not None
        and phase.first_day is not None
        and phase.has_exact_days
        and order.route is not SteroidRoute.NOT_STATED
        and order.standing is Standing.ACCEPTED
    )
    return _Part(order, phase, first_day_of(phase, order, facts), mg, is_sure)


def first_day_of(phase: SteroidPhase, order: SteroidOrder, facts: PatientFacts) -> date:
    """The day an instruction starts, presumed from its writing where no start is written; a draft from today."""
    return phase.first_day or (facts.today if order.is_draft else order.written_on or facts.today)


def _covers(phase: SteroidPhase, start: date, day: date) -> bool:
    if day < start or (phase.last_day is not None and day > phase.last_day):
        return False
    if phase.only_on:
        return day in phase.only_on
    if phase.weekdays and day.weekday() not in phase.weekdays:
        return False
    return days_from(start, day) % phase.every_days == 0


def daily_mg(phase: SteroidPhase, order: SteroidOrder, facts: PatientFacts, known: Known) -> Decimal | None:
    """Prednisolone equivalent in mg on each day that the instruction covers; None where it cannot be computed."""
    if why_not_computable(phase, order, facts, known):
        return None
    assert phase.times_per_day is not None
    mg = phase.mg
    if mg is None:
        weight = weight_for_dose(facts, known)
        assert weight is not None
        assert phase.mg_per_kg is not None
        mg = exact_product(phase.mg_per_kg, weight.raw_kg)
    return in_prednisolone(exact_product(mg, phase.times_per_day), order.drug, known)


def why_not_computable(phase: SteroidPhase, order: SteroidOrder, facts: PatientFacts, known: Known) -> str:
    """The reason why an instruction's daily dose cannot be computed; "" where it can."""
    if order.is_depot:
        return "depot"
    if not order.drug:
        return "unknown-drug"
    if _equivalent_of(order.drug) not in known.policy:
        return "no-equivalent"
    if phase.why_unknown or phase.why_days_unknown:
        return phase.why_unknown or phase.why_days_unknown
    if phase.times_per_day is None:
        return "no-frequency"
    if phase.mg is None and phase.mg_per_kg is None:
        return "no-dose"
    is_weighed = phase.mg is not None or weight_for_dose(facts, known) is not None
    return "" if is_weighed else "no-weight"


def in_prednisolone(mg: Decimal | None, drug: str, known: Known) -> Decimal | None:
    """mg of a corticosteroid as mg of prednisolone, by the site's table; None where it has no entry."""
    name = _equivalent_of(drug)
    if mg is None or name not in known.policy:
        return None
    return exact_quotient(exact_product(mg, known.policy[_equivalent_of(_PREDNISOLONE)]), known.policy[name])


def of_drug(prednisolone_mg: Decimal, drug: str, known: Known) -> Decimal:
    """mg of prednisolone as mg of another corticosteroid, by the site's table."""
    whole = known.policy[_equivalent_of(_PREDNISOLONE)]
    return exact_quotient(exact_product(prednisolone_mg, known.policy[_equivalent_of(drug)]), whole)


@cache
def _equivalent_of(drug: str) -> str:
    return f"steroid.equivalent.{drug}_mg"
