"""Prednisolone as it may be suggested: the label's dose, rounded to what a syringe measures (label 2.1; site policy).

Never without an undoubted, fresh weight.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cds_service.domain.answers import OrderSteroid
from cds_service.domain.days import days_from
from cds_service.domain.dosing_weight import WeightInKg, choose_weight, doubt_about
from cds_service.domain.facts import PatientFacts, Source
from cds_service.domain.known import Known
from cds_service.domain.quantities import exact_product, exact_quotient, rounded_half_up, to_show_beside

_LIMITS = ("steroid.band.very_low", "steroid.band.low", "steroid.band.high", "steroid.far_too_high")
_STEP_IN_WORDS = Decimal("0.01")


def weight_to_order_by(facts: PatientFacts, known: Known) -> WeightInKg | None:
    """The dosing weight, where it is neither old nor in doubt, and known to be the newest."""
    choice = choose_weight(facts, known)
    if choice.chosen is None or doubt_about(choice, known) or facts.lacking(Source.MEASUREMENTS):
        return None
    is_fresh = days_from(choice.chosen.day, facts.today) <= known.policy.whole("steroid.weight_fresh_days")
    return choice.chosen if is_fresh else None


def per_kg_to_show(mg: Decimal, weight: WeightInKg, known: Known) -> Decimal:
    """mg/kg with a few digits, and with more where rounding would show it on the other side of a limit."""
    digits = known.outside.whole("shown_significant_digits")
    return to_show_beside(exact_quotient(mg, weight.raw_kg), _limits(known), digits)


def per_kg_in_words(mg_per_kg: Decimal, known: Known) -> Decimal:
    """mg/kg for a sentence: two decimals at most, half-up, and all of them where that would put it across a limit.

    Zero is such a limit: a dose that is there is never told as none.
    """
    shown = rounded_half_up(mg_per_kg, _STEP_IN_WORDS).normalize()
    limits = [Decimal(0), *_limits(known)]
    is_same = all((shown < limit, shown > limit) == (mg_per_kg < limit, mg_per_kg > limit) for limit in limits)
    return shown if is_same else mg_per_kg


def _limits(known: Known) -> list[Decimal]:
    """The doses per kilogram that rules compare with."""
    return [*(known.policy[name] for name in _LIMITS), known.label["live_vaccine_steroid_mg_per_kg_per_day"]]


def measurable_ml(mg: Decimal, known: Known) -> Decimal:
    """The volume of the site's solution that holds so many mg, rounded to what a syringe measures."""
    ml = exact_quotient(mg, known.policy["steroid.suggested.strength_mg_per_ml"])
    return rounded_half_up(ml, known.policy["steroid.suggested.step_ml"])


def prednisolone(
    first: date, last: date, facts: PatientFacts, known: Known, *, mg: Decimal | None = None, purpose: str = "start"
) -> OrderSteroid | None:
    """Prednisolone at the label's dose, or as many mg as named; None without an undoubted weight."""
    weight = weight_to_order_by(facts, known)
    if weight is None:
        return None
    strength = known.policy["steroid.suggested.strength_mg_per_ml"]
    wanted = mg or exact_product(weight.raw_kg, known.label["steroid_mg_per_kg_per_day"])
    ml = measurable_ml(wanted, known)
    rounded = exact_product(ml, strength)
    return OrderSteroid(
        mg=rounded,
        ml=ml,
        strength_mg_per_ml=strength,
        mg_per_kg=per_kg_to_show(rounded, weight, known),
        first_day=first,
        last_day=last,
        supply_days=known.policy.whole("steroid.suggested.supply_days"),
        purpose=purpose,
    )
