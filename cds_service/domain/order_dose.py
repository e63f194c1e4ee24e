"""What a product order says: its volume, its kit, its infusion time; and what it would have to say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.domain.answers import CorrectOrder
from cds_service.domain.dose_table import DoseBand
from cds_service.domain.dosing_weight import WeightInKg, band_for_dose, choose_weight, doubt_about, not_comparable
from cds_service.domain.facts import (
    AmountKind,
    Instruction,
    OrderedAmount,
    PatientFacts,
    ProductOrder,
    Route,
    Suffix,
)
from cds_service.domain.known import Known
from cds_service.domain.product_code import is_of_labeler
from cds_service.domain.quantities import exact_product, exact_quotient, rounded_half_up

MINUTES_PER_HOUR = Decimal(60)


@dataclass(frozen=True, slots=True)
class OrderedVolume:
    """The volume an order amounts to in mL, or None with the reason why it cannot be told.

    `written` is what the order says, as it says it.
    """

    ml: Decimal | None
    reason: str
    written: str


def ordered_volume(order: ProductOrder, known: Known) -> OrderedVolume:
    """The total volume of all dosage instructions of an order. A kit counts as its row's volume (Table 3)."""
    amounts = [item.amount for item in order.instructions if item.amount is not None]
    written = " + ".join(amount.written for amount in amounts)
    if not amounts:
        text = "; ".join(item.text for item in order.instructions if item.text)
        return OrderedVolume(None, "text-only" if text else "no-dose", text)
    volumes = [_volume_of(amount, order, known) for amount in amounts]
    if None in volumes:
        unclear = next(a for a, volume in zip(amounts, volumes, strict=True) if volume is None)
        return OrderedVolume(None, _REASONS[unclear.kind], written)
    return OrderedVolume(sum((v for v in volumes if v is not None), Decimal(0)), "", written)


_REASONS = {
    AmountKind.VOLUME_ML: "not-interpretable",
    AmountKind.VOLUME_ML_PER_KG: "per-kg",
    AmountKind.VECTOR_GENOMES: "vector-genomes",
    AmountKind.VECTOR_GENOMES_PER_KG: "vector-genomes",
    AmountKind.KITS: "kit-not-named",
    AmountKind.VIALS: "vials-not-a-kit",
    AmountKind.NOT_INTERPRETABLE: "not-interpretable",
}


def _volume_of(amount: OrderedAmount, order: ProductOrder, known: Known) -> Decimal | None:
    if amount.value is None:
        return None
    if amount.kind is AmountKind.VOLUME_ML:
        return amount.value
    kit = only_kit(order, known)
    if kit is None:
        return None
    if amount.kind is AmountKind.KITS:
        return exact_product(amount.value, kit.volume_ml)
    is_whole_kit = amount.kind is AmountKind.VIALS and amount.value == kit.total_vials
    return kit.volume_ml if is_whole_kit else None


def dosing_instructions(order: ProductOrder) -> tuple[Instruction, ...]:
    """The instructions that state an amount; all of them where none does. The others are remarks."""
    return tuple(item for item in order.instructions if item.amount is not None) or order.instructions


def only_kit(order: ProductOrder, known: Known) -> DoseBand | None:
    """The one kit of Table 3 an order names, or None where it names none or several."""
    kits = {kit for code in order.kit_codes if (kit := known.doses.for_kit(code))}
    return kits.pop() if len(kits) == 1 else None


def ml_per_kg(known: Known) -> Decimal:
    """The volume per kg that the recommended dose and the concentration amount to (label 2.1 and 3)."""
    return exact_quotient(known.label["dose_vector_genomes_per_kg"], known.label["concentration_vector_genomes_per_ml"])


def vector_genomes_in(volume_ml: Decimal, known: Known) -> Decimal:
    """The vector genomes in a volume, by the nominal concentration (label 3)."""
    return exact_product(volume_ml, known.label["concentration_vector_genomes_per_ml"])


def rate_for(volume_ml: Decimal, known: Known) -> Decimal:
    """The pump rate in mL/h that gives this volume in the label's infusion time (label 2.1)."""
    return exact_quotient(exact_product(volume_ml, MINUTES_PER_HOUR), known.label["infusion_minutes"])


def wrong_formula(ordered_ml: Decimal, weight: WeightInKg, known: Known) -> str:
    """The usual mistake behind a wrong volume: "weight-times-dose", "other-band", or "" if none is recognised."""
    decimal_place = known.policy["weight.rounding.step_kg"]
    for kilograms in (weight.raw_kg, weight.rounded_kg):
        product = exact_product(kilograms, ml_per_kg(known))
        if ordered_ml in (product, rounded_half_up(product, decimal_place)):
            return "weight-times-dose"
    return "other-band" if known.doses.for_volume(ordered_ml) else ""


def correction_of(order: ProductOrder, facts: PatientFacts, known: Known) -> tuple[CorrectOrder, ...]:
    """The one change that makes a draft agree with the label: everything that differs, nothing that agrees.

    Empty where the child already has an exposure, where the order may be another child's or another product's,
    or where nothing would change. Volume, rate and kit are proposed only for a weight without any doubt.
    """
    if facts.exposures or facts.identity_problems or may_be_another_product(order):
        return ()
    choice = choose_weight(facts, known)
    is_doubtful = doubt_about(choice, known) is not None or bool(not_comparable(choice, known))
    band = None if is_doubtful else band_for_dose(facts, known)
    change = CorrectOrder(
        order.order_id,
        volume_ml=_new_volume(order, band, known),
        ml_per_hour=_new_rate(order, band, known),
        minutes=_new_minutes(order, known) if band or not _states_a_rate(order) else None,
        kit_ndc=band.kit_ndc if band and order.kit_codes != (band.kit_ndc,) else "",
        to_intravenous=_is_not_plain_intravenous(order),
        to_one_kit=_is_not_one_kit(order.quantity, band),
        to_single_dose=repeats(order),
    )
    return () if change == CorrectOrder(order.order_id) else (change,)


def may_be_another_product(order: ProductOrder) -> bool:
    """Whether the order's own words, codes or route say that another product is meant (rule wrong-product)."""
    return (
        order.suffix is Suffix.INTRATHECAL_PRODUCT
        or any(not is_of_labeler(code) for code in order.kit_codes)
        or any(item.route is Route.INTRATHECAL for item in order.instructions)
    )


def _new_volume(order: ProductOrder, band: DoseBand | None, known: Known) -> Decimal | None:
    if band is None or _volumes_in_ml(order) == [band.volume_ml]:
        return None
    return band.volume_ml


def _volumes_in_ml(order: ProductOrder) -> list[Decimal | None]:
    amounts = [item.amount for item in order.instructions if item.amount is not None]
    return [amount.value if amount.kind is AmountKind.VOLUME_ML else None for amount in amounts]


def _new_rate(order: ProductOrder, band: DoseBand | None, known: Known) -> Decimal | None:
    if band is None:
        return None
    rate = rate_for(band.volume_ml, known)
    return None if [item.ml_per_hour for item in dosing_instructions(order)] == [rate] else rate


def _new_minutes(order: ProductOrder, known: Known) -> Decimal | None:
    minutes = known.label["infusion_minutes"]
    return None if [item.minutes for item in dosing_instructions(order)] == [minutes] else minutes


def _states_a_rate(order: ProductOrder) -> bool:
    """Whether a rate stands in the order, which a new time would contradict unless it is changed as well."""
    return any(item.rate_written for item in dosing_instructions(order))


def _is_not_plain_intravenous(order: ProductOrder) -> bool:
    return not order.instructions or any(
        item.route is not Route.INTRAVENOUS or item.is_push_or_bolus for item in dosing_instructions(order)
    )


def _is_not_one_kit(quantity: OrderedAmount | None, band: DoseBand | None) -> bool:
    if quantity is None or quantity.value is None:
        return True
    if quantity.kind is AmountKind.VIALS and band is not None and quantity.value == band.total_vials:
        return False
    return quantity.kind is not AmountKind.KITS or quantity.value != 1


def repeats(order: ProductOrder) -> bool:
    """Whether the order, as written, would allow the product to be given more than once."""
    return bool(repeating_parts(order))


def repeating_parts(order: ProductOrder) -> tuple[str, ...]:
    """The parts of an order that would allow a second dose, by name, in the order they are looked at."""
    parts = ["refills"] if order.repeats_allowed is not None and order.repeats_allowed > 0 else []
    if sum(item.amount is not None for item in order.instructions) > 1:
        parts.append("several-instructions")
    if len({time for item in order.instructions for time in item.repetition.planned_for}) > 1:
        parts.append("several-times")
    for item in order.instructions:
        parts += _repeating_timing(item)
    return tuple(dict.fromkeys(parts))


def unclear_timing(order: ProductOrder) -> str:
    """Timing that cannot be told to mean once, as written; "" where there is none."""
    return ", ".join(dict.fromkeys(item.repetition.unclear for item in order.instructions if item.repetition.unclear))


def has_unexplained_text(order: ProductOrder, agreed: Iterable[Decimal]) -> bool:
    """Whether free text of an instruction holds a number that the structured order does not explain.

    Free text is never read for a dose; a number in it only keeps a check from being verified.
    """
    known_numbers = {number.normalize() for number in agreed}
    texts = " ".join(item.text for item in order.instructions)
    return any(Decimal(found).normalize() not in known_numbers for found in _NUMBER.findall(texts))


_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def _repeating_timing(item: Instruction) -> list[str]:
    timing = item.repetition
    parts = ["count"] if timing.count is not None and timing.count > 1 else []
    if timing.several_times:
        parts.append("several-times")
    once = timing.count == 1 or (timing.is_once_a_day and timing.bounds_within_a_day)
    if timing.times_per_period and not once:
        parts.append("frequency")
    if timing.bounds_within_a_day is False:
        parts.append("period")
    return parts
