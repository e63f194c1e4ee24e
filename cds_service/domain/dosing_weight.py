"""Which recorded weight may be dosed on, and how far it can be trusted (clinical-rules C3, C10; rulings 17 and 18).

All weights are exact decimals in kg; the dosing weight is rounded half-up once, after conversion.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from cds_service.domain.days import days_from
from cds_service.domain.dose_table import DoseBand
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import PatientFacts, WeightMeasurement
from cds_service.domain.known import Known
from cds_service.domain.newest import at_one_time, may_be_as_new, newness
from cds_service.domain.quantities import Quantity, exact_product, exact_quotient, rounded_half_up

BODY_WEIGHT = "body_weight"
_MAY_ALARM = ("not-final", "undated", "time-uncertain")


@dataclass(frozen=True, slots=True)
class WeightInKg:
    """One weight that a dose may be looked up for, before and after the one rounding."""

    raw_kg: Decimal
    rounded_kg: Decimal
    day: date
    measurement: WeightMeasurement

    @property
    def evidence(self) -> Evidence:
        """Where this weight stands in the record."""
        return self.measurement.evidence


@dataclass(frozen=True, slots=True)
class RejectedWeight:
    """A recorded weight that may not be dosed on, and why not."""

    measurement: WeightMeasurement
    reason: str


@dataclass(frozen=True, slots=True)
class WeightChoice:
    """The newest weights (several where they share one time), the two before them, and what was rejected.

    `chosen` is None where there is none, where the newest cannot be interpreted, or where the newest disagree.
    `earlier` are all that came before the newest and could set a dose. `newer_empty` are entries of a body weight that
    may be newer than the chosen one and hold no value.
    """

    chosen: WeightInKg | None
    newest: tuple[WeightMeasurement, ...]
    conflicting: tuple[WeightInKg, ...]
    previous: WeightInKg | None
    before_previous: WeightInKg | None
    rejected: tuple[RejectedWeight, ...]
    newer_unconfirmed: tuple[WeightMeasurement, ...]
    earlier: tuple[WeightMeasurement, ...] = ()
    newer_empty: tuple[WeightMeasurement, ...] = ()

    @property
    def newest_evidence(self) -> tuple[Evidence, ...]:
        """Where the newest weights stand in the record."""
        return tuple(weight.evidence for weight in self.newest)


class Doubt(Enum):
    """What makes a weight doubtful. GROWTH, NEWER_NOT_CONFIRMED and NEWER_EMPTY still let a dose be shown."""

    NOT_INTERPRETABLE = "not-interpretable"
    CONFLICT = "conflict"
    IMPOSSIBLE = "impossible"
    GRAMS_AND_KILOGRAMS = "grams-and-kilograms"
    POUNDS_AND_KILOGRAMS = "pounds-and-kilograms"
    GROWTH = "growth"
    NEWER_NOT_CONFIRMED = "newer-not-confirmed"
    NEWER_EMPTY = "newer-empty"


DOSE_SHOWN_ALL_THE_SAME = (None, Doubt.GROWTH, Doubt.NEWER_NOT_CONFIRMED, Doubt.NEWER_EMPTY)


def choose_weight(facts: PatientFacts, known: Known) -> WeightChoice:
    """The newest weight that may be used for dosing, with everything that could make it doubtful."""
    return facts.once(_choose, known)


def _choose(facts: PatientFacts, known: Known) -> WeightChoice:
    reasons = [(weight, _why_rejected(weight)) for weight in facts.weights]
    rejected = tuple(RejectedWeight(weight, reason) for weight, reason in reasons if reason)
    usable = sorted((weight for weight, reason in reasons if not reason), key=newness, reverse=True)
    if not usable:
        return WeightChoice(None, (), (), None, None, rejected, ())
    newest = at_one_time(usable, known)
    conflicting, chosen = _settled(newest, known)
    previous, before_previous = _two_before(usable[len(newest) :], known)
    return WeightChoice(
        chosen=chosen,
        newest=newest,
        conflicting=conflicting,
        previous=previous,
        before_previous=before_previous,
        rejected=rejected,
        newer_unconfirmed=_newer_in_another_band(chosen, rejected, known) if chosen else (),
        earlier=tuple(usable[len(newest) :]),
        newer_empty=tuple(w for w in facts.weights if _is_newer_and_empty(w, chosen)) if chosen else (),
    )


def _two_before(earlier: list[WeightMeasurement], known: Known) -> tuple[WeightInKg | None, WeightInKg | None]:
    """The two newest possible weights before the chosen one."""
    weights = (in_kg(weight, known) for weight in earlier if weight.quantity is not None)
    possible = (weight for weight in weights if _doubt_about_value(weight, known) is None)
    return next(possible, None), next(possible, None)


def _newer_in_another_band(
    chosen: WeightInKg, rejected: tuple[RejectedWeight, ...], known: Known
) -> tuple[WeightMeasurement, ...]:
    """Weights that may not be dosed on, may be newer than the chosen one, and may name another band: they alarm."""
    band = known.doses.for_weight(chosen.rounded_kg)
    candidates = [item.measurement for item in rejected if item.reason in _MAY_ALARM]
    return tuple(
        weight
        for weight in candidates
        if weight.standing is not Standing.NO_INFORMATION
        and _may_be_newer(weight, chosen)
        and (weight.quantity is None or known.doses.for_weight(_rounded(weight.quantity, known)) != band)
    )


def not_comparable(choice: WeightChoice, known: Known) -> tuple[WeightMeasurement, ...]:
    """Weights after the previous one that the chosen one should be compared with, and cannot be: pounds may hide (H4).

    Those without a readable number, and those that may only alarm, and would.
    """
    chosen, previous = choice.chosen, choice.previous
    if chosen is None:
        return ()
    alarming = [item.measurement for item in choice.rejected if item.reason in _MAY_ALARM]
    unread = [weight for weight in choice.earlier if weight.quantity is None]
    told = [weight for weight in (*unread, *alarming) if weight.standing is not Standing.NO_INFORMATION]
    return tuple(
        weight
        for weight in told
        if (previous is None or may_be_as_new(weight.measured, previous.measurement.measured))
        and (weight.quantity is None or _would_be_doubted(chosen, weight, known))
    )


def _would_be_doubted(chosen: WeightInKg, earlier: WeightMeasurement, known: Known) -> bool:
    """Whether the chosen weight is no plausible one after an earlier weight that may not be relied on."""
    assert earlier.quantity is not None
    raw_kg, day = known.units.in_own_unit(earlier.quantity, BODY_WEIGHT), earlier.measured.day or chosen.day
    before = WeightInKg(raw_kg, _rounded(earlier.quantity, known), min(day, chosen.day), earlier)
    if _doubt_about_value(before, known) is not None:
        return False
    return not _grew_plausibly(exact_quotient(chosen.raw_kg, raw_kg), before, chosen, known)


def _may_be_newer(weight: WeightMeasurement, chosen: WeightInKg) -> bool:
    """Whether a weight with a stated time may be of the chosen one's time or later."""
    is_stated = bool(weight.measured.written)
    return is_stated and may_be_as_new(weight.measured, chosen.measurement.measured)


def _is_newer_and_empty(weight: WeightMeasurement, chosen: WeightInKg) -> bool:
    """Whether an entry without a value may be newer than the chosen weight; one of the same moment is not."""
    if not weight.is_empty or not weight.for_dosing or weight.measured.is_future:
        return False
    moment = weight.measured.instant
    is_same_moment = moment is not None and moment == chosen.measurement.measured.instant
    return _may_be_newer(weight, chosen) and not is_same_moment


def in_kg(weight: WeightMeasurement, known: Known) -> WeightInKg:
    """A measured weight in kg, exact and rounded. The weight must have a quantity and a day."""
    assert weight.quantity is not None
    assert weight.measured.day is not None
    raw_kg = known.units.in_own_unit(weight.quantity, BODY_WEIGHT)
    return WeightInKg(raw_kg, _rounded(weight.quantity, known), weight.measured.day, weight)


def _rounded(quantity: Quantity, known: Known) -> Decimal:
    raw_kg = known.units.in_own_unit(quantity, BODY_WEIGHT)
    return rounded_half_up(raw_kg, known.policy["weight.rounding.step_kg"])


def doubt_about(choice: WeightChoice, known: Known) -> Doubt | None:
    """Why the newest weight is doubtful, or None. A choice without any weight has no doubt: it is missing."""
    if not choice.newest:
        return None
    if choice.conflicting:
        return Doubt.CONFLICT
    if choice.chosen is None:
        return Doubt.NOT_INTERPRETABLE
    doubt = _doubt_about_value(choice.chosen, known) or _doubt_about_growth(choice, choice.chosen, known)
    if doubt is None and choice.newer_unconfirmed:
        return Doubt.NEWER_NOT_CONFIRMED
    return doubt or (Doubt.NEWER_EMPTY if choice.newer_empty else None)


def ratio_to_previous(choice: WeightChoice) -> Decimal | None:
    """The newest weight as a multiple of the one before it, or None where there is no such pair."""
    if choice.chosen is None or choice.previous is None or not choice.previous.raw_kg:
        return None
    return exact_quotient(choice.chosen.raw_kg, choice.previous.raw_kg)


def weight_for_dose(facts: PatientFacts, known: Known) -> WeightInKg | None:
    """The weight a dose may be looked up for, or None where there is none or the dose must be withheld."""
    return facts.once(_weight_for_dose, known)


def _weight_for_dose(facts: PatientFacts, known: Known) -> WeightInKg | None:
    choice = choose_weight(facts, known)
    return choice.chosen if doubt_about(choice, known) in DOSE_SHOWN_ALL_THE_SAME else None


def band_for_dose(facts: PatientFacts, known: Known) -> DoseBand | None:
    """The table's band for the dosing weight, or None where there is no such weight or the table has no dose."""
    weight = weight_for_dose(facts, known)
    return known.doses.for_weight(weight.rounded_kg) if weight else None


def days_a_weight_stays_fresh(facts: PatientFacts, known: Known) -> int:
    """How old a weight may be (C10): one limit at the infusion visit, else by age, stricter where that is not known."""
    if facts.is_infusion_visit:
        return known.policy.whole("weight.freshness.infusion_day_days")
    months = known.policy.whole("weight.freshness.young_below_months")
    if facts.born is None or facts.age_in_months_is_below(months):
        return known.policy.whole("weight.freshness.under_6_months_days")
    return known.policy.whole("weight.freshness.from_6_months_days")


def _why_rejected(weight: WeightMeasurement) -> str:
    if not weight.for_dosing:
        return "not-for-dosing"
    if weight.standing is not Standing.ACCEPTED:
        return "not-final"
    if weight.measured.is_future:
        return "future-dated"
    if weight.measured.day is None:
        return "undated"
    return "" if weight.measured.is_exact else "time-uncertain"


def _settled(newest: tuple[WeightMeasurement, ...], known: Known) -> tuple[tuple[WeightInKg, ...], WeightInKg | None]:
    """The weights in conflict, if any, and the one to use, if any."""
    corrections = [weight for weight in newest if weight.is_correction]
    candidates = corrections if len(corrections) == 1 else list(newest)
    if any(weight.quantity is None for weight in candidates):
        return (), None
    weights = [in_kg(weight, known) for weight in candidates]
    bands = {known.doses.for_weight(weight.rounded_kg) for weight in weights}
    if len({weight.raw_kg for weight in weights}) == 1 or (len(bands) == 1 and None not in bands):
        return (), weights[0]
    return tuple(weights), None


def _doubt_about_value(weight: WeightInKg, known: Known) -> Doubt | None:
    quantity = weight.measurement.quantity
    assert quantity is not None
    if weight.raw_kg <= 0:
        return Doubt.IMPOSSIBLE
    if quantity.unit == "kg" and quantity.value >= known.policy["weight.grams_in_kg_field.at_least_kg"]:
        return Doubt.GRAMS_AND_KILOGRAMS
    if quantity.unit == "g" and quantity.value < known.policy["weight.kg_in_grams_field.below_g"]:
        return Doubt.GRAMS_AND_KILOGRAMS
    lightest = known.policy["weight.plausible.at_least_kg"]
    heaviest = known.policy["weight.plausible.at_most_kg"]
    return None if lightest <= weight.rounded_kg <= heaviest else Doubt.IMPOSSIBLE


def _doubt_about_growth(choice: WeightChoice, newest: WeightInKg, known: Known) -> Doubt | None:
    ratio = ratio_to_previous(choice)
    if ratio is None or choice.previous is None or _grew_plausibly(ratio, choice.previous, newest, known):
        return None
    if _returned_to_trend(choice, newest, known):
        return None
    windows = (
        ("weight.pounds_as_kg.ratio_at_least", "weight.pounds_as_kg.ratio_at_most"),
        ("weight.kg_as_pounds.ratio_at_least", "weight.kg_as_pounds.ratio_at_most"),
    )
    in_window = any(known.policy[low] <= ratio <= known.policy[high] for low, high in windows)
    return Doubt.POUNDS_AND_KILOGRAMS if in_window else Doubt.GROWTH


def _grew_plausibly(ratio: Decimal, previous: WeightInKg, newest: WeightInKg, known: Known) -> bool:
    days = Decimal(days_from(previous.day, newest.day))
    upper = known.policy["weight.jump.ratio_above"] + exact_product(days, known.policy["weight.jump.ratio_per_day"])
    return known.policy["weight.jump.ratio_below"] <= ratio <= upper


def _returned_to_trend(choice: WeightChoice, newest: WeightInKg, known: Known) -> bool:
    """Whether the previous weight was the odd one: the newest agrees with the one before it."""
    trend = choice.before_previous
    if trend is None or not trend.raw_kg:
        return False
    difference = abs(exact_quotient(newest.raw_kg - trend.raw_kg, trend.raw_kg))
    return difference <= known.policy["weight.trend.agreement"]
