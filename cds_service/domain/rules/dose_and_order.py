"""Weight, dose volume, kit, route and rate of the order (clinical-rules group C, label 2.1, 3 and 16.1)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cds_service.domain.answers import (
    Answer,
    RequestTest,
    Shown,
    cannot_check,
    fires,
    silent,
    to_attest,
    unknown,
    verified,
)
from cds_service.domain.days import days_from
from cds_service.domain.dose_table import DoseBand
from cds_service.domain.dosing_weight import (
    Doubt,
    WeightChoice,
    WeightInKg,
    band_for_dose,
    choose_weight,
    days_a_weight_stays_fresh,
    doubt_about,
    not_comparable,
    ratio_to_previous,
    weight_for_dose,
)
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import (
    AmountKind,
    Moment,
    OrderedAmount,
    PatientFacts,
    ProductOrder,
    Route,
    Source,
)
from cds_service.domain.known import Known
from cds_service.domain.order_dose import (
    correction_of,
    dosing_instructions,
    has_unexplained_text,
    only_kit,
    ordered_volume,
    rate_for,
    repeating_parts,
    unclear_timing,
    vector_genomes_in,
    wrong_formula,
)
from cds_service.domain.order_timing import InfusionTime, infusion_time
from cds_service.domain.product_code import is_of_labeler, is_vial
from cds_service.domain.quantities import (
    exact_product,
    exact_quotient,
    midpoint,
    per_cent,
    rounded_half_up,
    to_significant_digits,
)
from cds_service.domain.registry import draft_rule, rule, rule_of_several
from cds_service.domain.vector_genomes import VectorGenomeVerdict, judge_vector_genomes

WEIGH_AGAIN = RequestTest("weigh")


@rule
def weight_missing(facts: PatientFacts, known: Known) -> Answer:
    """There is no weight that may be dosed on (label 2.1)."""
    choice = choose_weight(facts, known)
    if choice.newest:
        return verified(choice.newest_evidence)
    if facts.lacking(Source.MEASUREMENTS):
        return cannot_check("not-checkable", Source.MEASUREMENTS, (), [WEIGH_AGAIN])
    rejected = [item.measurement.evidence for item in choice.rejected]
    reasons = sorted({item.reason for item in choice.rejected})
    return fires("no-usable-weight", rejected, [WEIGH_AGAIN], rejected_because=", ".join(reasons))


@rule
def weight_stale(facts: PatientFacts, known: Known) -> Answer:
    """The newest weight is older than the site allows (label silent; site policy, C10)."""
    weight = choose_weight(facts, known).chosen
    if weight is None:
        return unknown("dosing-weight")
    age = days_from(weight.day, facts.today)
    allowed = days_a_weight_stays_fresh(facts, known)
    if age <= allowed:
        if facts.lacking(Source.MEASUREMENTS):
            return unknown(Source.MEASUREMENTS, [weight.evidence])
        return verified([weight.evidence], weight_date=weight.day, weight_age_days=age)
    return fires(
        "stale-on-infusion-day" if facts.is_infusion_visit else "stale",
        [weight.evidence],
        [WEIGH_AGAIN],
        **_weight_shown(weight),
        weight_age_days=age,
        allowed_days=allowed,
        **_room_in_band(weight, known),
    )


def _room_in_band(weight: WeightInKg, known: Known) -> dict[str, Shown]:
    band = known.doses.for_weight(weight.rounded_kg)
    if band is None:
        return {"grams_to_next_band": ""}
    room = exact_product(band.to_kg - weight.rounded_kg, known.outside["grams_per_kilogram"])
    return {"grams_to_next_band": room.normalize(), "band_from_kg": band.from_kg, "band_to_kg": band.to_kg}


@rule
def weight_implausible(facts: PatientFacts, known: Known) -> Answer:
    """The newest weight is impossible, in doubt of its unit, contradicted, or does not fit the one before."""
    choice = choose_weight(facts, known)
    if not choice.newest:
        return unknown("dosing-weight")
    doubt = doubt_about(choice, known)
    lacking = not_comparable(choice, known)
    if doubt is None and lacking:
        unread = [weight.evidence for weight in lacking]
        return unknown("earlier-weight", [*choice.newest_evidence, *unread])
    if doubt is None:
        return verified(choice.newest_evidence)
    evidence = list(choice.newest_evidence)
    if choice.previous and doubt in (Doubt.GROWTH, Doubt.POUNDS_AND_KILOGRAMS):
        evidence.append(choice.previous.evidence)
    evidence += [weight.evidence for weight in (*choice.newer_unconfirmed, *choice.newer_empty)]
    ratio = ratio_to_previous(choice)
    return fires(
        doubt.value,
        evidence,
        [WEIGH_AGAIN],
        newer=" / ".join(_newer(choice)),
        written=" / ".join(item.written for item in choice.newest),
        previous=choice.previous.measurement.written if choice.previous else "",
        previous_date=choice.previous.day if choice.previous else "",
        ratio=rounded_half_up(ratio, known.outside["shown_ratio_step"]) if ratio is not None else "",
    )


def _newer(choice: WeightChoice) -> Iterable[str]:
    """What the weights that may be newer say; of those without a value only their days are known."""
    if choice.newer_unconfirmed:
        return [item.written for item in choice.newer_unconfirmed]
    return dict.fromkeys(item.evidence.day for item in choice.newer_empty)


@rule
def weight_out_of_table(facts: PatientFacts, known: Known) -> Answer:
    """The weight lies outside Table 1, or inside only after rounding: the label gives no dose there (2.1)."""
    weight = weight_for_dose(facts, known)
    if weight is None:
        return unknown("dosing-weight")
    table = known.doses
    shown: dict[str, Shown] = {
        **_weight_shown(weight),
        "table_from_kg": table.lightest_kg,
        "table_to_kg": table.heaviest_kg,
    }
    if table.for_weight(weight.rounded_kg) is None:
        return fires("outside", [weight.evidence], **shown)
    if table.lightest_kg <= weight.raw_kg <= table.heaviest_kg:
        return verified([weight.evidence], **shown)
    return fires("inside-after-rounding", [weight.evidence], **shown)


@rule
def weight_between_bands(facts: PatientFacts, known: Known) -> Answer:
    """The unrounded weight lies strictly between two printed bands; the label is silent there (2.1, Table 1)."""
    weight = weight_for_dose(facts, known)
    if weight is None:
        return unknown("dosing-weight")
    around = known.doses.around(weight.raw_kg)
    if around is None:
        return verified([weight.evidence])
    lower, upper = around
    switching_point = midpoint(lower.to_kg, upper.from_kg)
    near = known.policy["weight.between_bands.near_kg"]
    grade = "near-switching-point" if abs(weight.raw_kg - switching_point) <= near else "between"
    return fires(
        grade,
        [weight.evidence],
        [WEIGH_AGAIN],
        **_weight_shown(weight),
        switching_point_kg=switching_point,
        **_candidate("lower", lower, weight, known),
        **_candidate("upper", upper, weight, known),
    )


def _candidate(name: str, band: DoseBand, weight: WeightInKg, known: Known) -> dict[str, Shown]:
    per_kg = exact_quotient(vector_genomes_in(band.volume_ml, known), weight.raw_kg)
    recommended = known.label["dose_vector_genomes_per_kg"]
    return {
        f"{name}_volume_ml": band.volume_ml,
        f"{name}_ndc": band.kit_ndc,
        f"{name}_vector_genomes_per_kg": _to_show(per_kg, known),
        f"{name}_difference_percent": per_cent(per_kg - recommended, recommended),
    }


@draft_rule
def dose_volume(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """The ordered volume differs from Table 1 for this weight, or cannot be verified (label 2.1, Table 1)."""
    ordered = ordered_volume(order, known)
    if ordered.reason == "vector-genomes":
        return silent()
    weight = weight_for_dose(facts, known)
    band = band_for_dose(facts, known)
    if weight is None or band is None:
        return unknown("table-dose", [order.evidence], ordered_written=ordered.written)
    evidence = [weight.evidence, order.evidence]
    shown = {**_weight_shown(weight), **_dose_shown(band, weight, known), "ordered_written": ordered.written}
    change = correction_of(order, facts, known)
    if ordered.ml is None:
        return cannot_check("not-verifiable", ordered.reason, evidence, change, reason=ordered.reason, **shown)
    shown["ordered_volume_ml"] = ordered.ml
    if ordered.ml == band.volume_ml:
        agreed = (band.volume_ml, rate_for(band.volume_ml, known), known.label["infusion_minutes"], Decimal(1))
        if has_unexplained_text(order, agreed):
            return to_attest(evidence, **shown)
        return _verified_by_weight(facts, known, evidence, **shown)
    difference = ordered.ml - band.volume_ml
    return fires(
        "mismatch",
        evidence,
        change,
        formula=wrong_formula(ordered.ml, weight, known),
        difference_ml=difference,
        difference_percent=per_cent(difference, band.volume_ml),
        **shown,
    )


@draft_rule
def dose_expressed_in_vg(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """The dose is written in vector genomes, which have to be converted and lose their exponents (2.1, 3)."""
    amounts = [amount for item in order.instructions for amount in item.genome_amounts]
    if not amounts:
        return verified([order.evidence])
    weight = weight_for_dose(facts, known)
    band = band_for_dose(facts, known)
    if band is not None and ordered_volume(order, known).ml == band.volume_ml:
        return verified([order.evidence])
    verdicts = [judge_vector_genomes(amount, weight, band, known) for amount in amounts]
    worst = max(verdicts, key=lambda verdict: verdict.rank)
    written = ", ".join(amount.written for amount in amounts)
    if worst is VectorGenomeVerdict.NOT_COMPARABLE:
        return unknown("table-dose", [order.evidence], ordered_written=written)
    return fires(
        worst.value,
        [order.evidence],
        correction_of(order, facts, known),
        ordered_written=written,
        has_table_dose=band is not None,
        **(_dose_shown(band, weight, known) if band and weight else {}),
    )


@draft_rule
def dose_triple_check(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """Weight, volume and kit each name a band of the tables; these are not the same band (2.1, 16.1)."""
    weight = weight_for_dose(facts, known)
    ordered = ordered_volume(order, known)
    stated: dict[str, DoseBand | None] = {}
    if weight is not None:
        stated["weight"] = band_for_dose(facts, known)
    if ordered.ml is not None and not _comes_from_kit(order):
        stated["volume"] = known.doses.for_volume(ordered.ml)
    in_table = {code for code in order.kit_codes if known.doses.for_kit(code)}
    if in_table:
        stated["kit"] = only_kit(order, known)
    evidence = [*([weight.evidence] if weight else []), order.evidence]
    bands = set(stated.values())
    if len(stated) <= 1:
        return unknown("second-of-weight-volume-kit", evidence)
    if len(bands) == 1 and None not in bands:
        is_complete = len(stated) == len(("weight", "volume", "kit"))
        return _verified_by_weight(facts, known, evidence) if is_complete else silent()
    odd = _odd_one_out(stated)
    return fires(
        f"{odd}-differs",
        evidence,
        [WEIGH_AGAIN] if odd == "weight" else correction_of(order, facts, known),
        **{f"band_of_{name}": _band_written(stated.get(name)) for name in ("weight", "volume", "kit")},
        weight_kg=weight.rounded_kg if weight else "",
        weight_raw_kg=weight.raw_kg if weight else "",
        ordered_written=ordered.written,
        ordered_ndc=", ".join(order.kit_codes),
    )


def _comes_from_kit(order: ProductOrder) -> bool:
    """Whether the volume is only the kit's own, and so no second witness."""
    return all(
        item.amount is None or item.amount.kind in (AmountKind.KITS, AmountKind.VIALS) for item in order.instructions
    )


def _odd_one_out(stated: dict[str, DoseBand | None]) -> str:
    """Which of the three disagrees with the two others, or "something" where that cannot be told."""
    outside = [name for name, band in stated.items() if band is None]
    if outside:
        # Two that no table has do not agree with each other.
        is_told = len(outside) == 1 and len({band for band in stated.values() if band}) == 1
        return outside[0] if is_told else "something"
    lonely = [name for name, band in stated.items() if list(stated.values()).count(band) == 1]
    return lonely[0] if len(lonely) == 1 else "something"


def _band_written(band: DoseBand | None) -> str:
    return f"{band.from_kg}-{band.to_kg} kg" if band else ""


@draft_rule
def kit_ndc(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """The ordered kit is not the one Table 3 gives for this weight (label 16.1)."""
    band = band_for_dose(facts, known)
    evidence: list[Evidence] = [order.evidence]
    ordered = ", ".join(order.kit_codes)
    if not order.kit_codes:
        expected: dict[str, Shown] = _kit_shown(band) if band else {"expected_ndc": ""}
        if facts.moment is Moment.DISPATCH:
            return fires("not-named", evidence, **expected, ordered_ndc="")
        return to_attest(evidence, **expected)
    codes = [code for code in order.kit_codes if is_of_labeler(code)]
    outside = [code for code in codes if known.doses.for_kit(code) is None]
    others = [code for code in codes if code not in outside and band and code != band.kit_ndc]
    change = correction_of(order, facts, known)
    shown: dict[str, Shown] = {"ordered_ndc": ordered, "expected_ndc": "", **(_kit_shown(band) if band else {})}
    if others:
        return fires("other-kit", evidence, change, **shown)
    if outside:
        grade = "vial-code" if all(is_vial(code) for code in outside) else "not-in-table"
        return fires(grade, evidence, change, **{**shown, "ordered_ndc": ", ".join(outside)})
    if facts.moment is Moment.DISPATCH and codes and band is None:
        # The rules about the weight itself are not asked any more where an order is sent.
        return cannot_check("not-comparable", "table-kit", evidence, [WEIGH_AGAIN], **shown)
    if band is None or not codes:
        return unknown("table-kit", evidence, **shown)
    return _verified_by_weight(facts, known, evidence, **shown)


@draft_rule
def kit_quantity(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """The quantity to dispense is not one kit, or cannot cover the dose (label 3, 16.1)."""
    quantity = order.quantity
    if quantity is None:
        return silent()
    evidence = [order.evidence]
    change = correction_of(order, facts, known)
    band = band_for_dose(facts, known) or only_kit(order, known)
    shown: dict[str, Shown] = {"ordered_written": quantity.written, **(_kit_shown(band) if band else {})}
    shown["has_table_dose"] = band is not None
    if quantity.value is None:
        return cannot_check("not-interpretable", "quantity", evidence, change, **shown)
    if quantity.kind is AmountKind.KITS and quantity.value == 1:
        return verified(evidence, **shown)
    if quantity.kind is AmountKind.VIALS and band is not None and quantity.value == band.total_vials:
        return verified(evidence, **shown)
    grade = "shortfall" if _falls_short(quantity, band, known) else "not-one-kit"
    return fires(grade, evidence, change, **shown)


def _falls_short(quantity: OrderedAmount, band: DoseBand | None, known: Known) -> bool:
    """Whether even the larger vials would not hold the dose; fewer than one kit never does."""
    assert quantity.value is not None
    if quantity.kind is AmountKind.KITS:
        return quantity.value < 1
    if band is None:
        return False
    if quantity.kind is AmountKind.VIALS:
        return exact_product(quantity.value, known.label["large_vial_ml"]) < band.volume_ml
    return quantity.kind is AmountKind.VOLUME_ML and quantity.value < band.volume_ml


@rule_of_several
def weight_band_drift(facts: PatientFacts, known: Known) -> tuple[Answer, ...]:
    """An order already in the record is for another band than a newer weight (label 2.1, 16.1)."""
    if facts.is_treated:
        return (silent(),)
    weight, band = weight_for_dose(facts, known), band_for_dose(facts, known)
    choice = choose_weight(facts, known)
    is_undated = not choice.newest and any(item.reason in ("undated", "time-uncertain") for item in choice.rejected)
    in_doubt = choice if doubt_about(choice, known) is not None or is_undated else None
    return tuple(_drift_of(order, weight, band, in_doubt, known).about(order.order_id) for order in facts.open_orders)


def _drift_of(
    order: ProductOrder, weight: WeightInKg | None, band: DoseBand | None, in_doubt: WeightChoice | None, known: Known
) -> Answer:
    volume = ordered_volume(order, known).ml
    ordered_band = only_kit(order, known) or (known.doses.for_volume(volume) if volume is not None else None)
    if in_doubt is not None and (weight is None or ordered_band == band):
        return _drift_in_doubt(order, in_doubt)
    if weight is None or band is None or ordered_band is None:
        return unknown("band-of-weight-or-order", [order.evidence])
    if ordered_band == band:
        return verified([weight.evidence, order.evidence])
    return fires(
        "heavier" if band.to_kg > ordered_band.to_kg else "lighter",
        [weight.evidence, order.evidence],
        **_weight_shown(weight),
        **_kit_shown(band),
        ordered_ndc=ordered_band.kit_ndc,
        ordered_volume_ml=ordered_band.volume_ml,
        ordered_band=_band_written(ordered_band),
    )


def _drift_in_doubt(order: ProductOrder, choice: WeightChoice) -> Answer:
    """The newest weight is contradicted, cannot be read or is not believed: another band may be hidden (C6)."""
    told = (*choice.newest, *choice.newer_unconfirmed, *choice.newer_empty)
    told = told or tuple(item.measurement for item in choice.rejected)
    evidence = [*(weight.evidence for weight in told), order.evidence]
    written = " / ".join(", ".join(filter(None, (w.written, w.evidence.day))) for w in told if w.written)
    empty = " / ".join(weight.evidence.day for weight in choice.newer_empty)
    shown = {"weight_written": written, "without_value": empty}
    return cannot_check("weight-in-doubt", "fresh-undoubted-weight", evidence, [WEIGH_AGAIN], **shown)


@draft_rule
def route_intravenous(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """The route is not intravenous, is not stated, or the method is a push or bolus (label 2, 2.1)."""
    change = correction_of(order, facts, known)
    evidence = [order.evidence]
    wrong = [item for item in order.instructions if item.route in (Route.INTRATHECAL, Route.OTHER)]
    if wrong:
        grade = "intrathecal" if wrong[0].route is Route.INTRATHECAL else "not-intravenous"
        return fires(grade, evidence, change, route_written=wrong[0].route_written)
    pushed = [item for item in order.instructions if item.is_push_or_bolus]
    if pushed:
        return fires(
            "push-or-bolus",
            evidence,
            change,
            route_written=pushed[0].method_written or pushed[0].route_written,
        )
    unread = [item for item in dosing_instructions(order) if item.route is Route.NOT_RECOGNISED]
    if unread:
        written = unread[0].route_written
        return cannot_check("not-recognised", "route", evidence, change, route_written=written)
    if not order.instructions or any(item.route is Route.NOT_STATED for item in dosing_instructions(order)):
        return cannot_check("not-stated", "route", evidence, change)
    if any(item.is_method_unread for item in order.instructions):
        return cannot_check("method-not-read", "route", evidence, change)
    return verified(evidence, route_written=dosing_instructions(order)[0].route_written)


@draft_rule
def infusion_duration_rate(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """The infusion is not over 60 minutes, or time, rate and volume contradict each other (label 2.1)."""
    band = band_for_dose(facts, known)
    volume = ordered_volume(order, known).ml
    if volume is None:
        volume = band.volume_ml if band else None
    items = dosing_instructions(order)
    times = [infusion_time(item, volume, known) for item in items] or [InfusionTime.NOT_STATED]
    worst = max(times, key=lambda time: time.rank)
    change = correction_of(order, facts, known)
    expected = band.volume_ml if band else volume
    shown: dict[str, Shown] = {
        "minutes_written": _written(item.minutes_written for item in items),
        "rate_written": _written(item.rate_written for item in items),
        "expected_rate_ml_per_hour": rate_for(expected, known) if expected is not None else "",
    }
    evidence = [order.evidence]
    if worst is InfusionTime.AS_LABELLED:
        return verified(evidence, **shown)
    if worst is InfusionTime.NOT_COMPARABLE:
        return unknown("volume-for-rate", evidence, **shown)
    if worst in (InfusionTime.NOT_STATED, InfusionTime.NOT_INTERPRETABLE):
        return cannot_check(worst.value, "infusion-time", evidence, change, **shown)
    return fires(worst.value, evidence, change, **shown)


def _written(parts: Iterable[str]) -> str:
    return ", ".join(part for part in parts if part)


@draft_rule
def single_dose_order(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """The order, as written, would allow the product to be given more than once (label 1, 2)."""
    evidence = [order.evidence]
    change = correction_of(order, facts, known)
    parts = repeating_parts(order)
    if parts:
        return fires("repeats", evidence, change, parts=", ".join(parts), repeats_written=order.repeats_written)
    unclear = unclear_timing(order)
    if unclear:
        return cannot_check("not-interpretable", "timing", evidence, change, repeats_written=unclear)
    if order.repeats_written and order.repeats_allowed is None:
        written = order.repeats_written
        return cannot_check("not-interpretable", "refills", evidence, change, repeats_written=written)
    return verified(evidence)


def _verified_by_weight(facts: PatientFacts, known: Known, evidence: list[Evidence], **shown: Shown) -> Answer:
    """Verified, unless the weight it rests on is old, doubtful, or perhaps not the newest (C6, ruling 16)."""
    if facts.lacking(Source.MEASUREMENTS):
        return unknown(Source.MEASUREMENTS, evidence, **shown)
    choice = choose_weight(facts, known)
    is_fresh = choice.chosen and days_from(choice.chosen.day, facts.today) <= days_a_weight_stays_fresh(facts, known)
    if not is_fresh or doubt_about(choice, known) or not_comparable(choice, known):
        return unknown("fresh-undoubted-weight", evidence, **shown)
    return verified(evidence, **shown)


def _weight_shown(weight: WeightInKg) -> dict[str, Shown]:
    return {
        "weight_kg": weight.rounded_kg,
        "weight_raw_kg": weight.raw_kg,
        "weight_written": weight.measurement.written,
        "weight_date": weight.day,
    }


def _kit_shown(band: DoseBand) -> dict[str, Shown]:
    return {
        "expected_ndc": band.kit_ndc,
        "expected_volume_ml": band.volume_ml,
        "small_vials": band.small_vials,
        "large_vials": band.large_vials,
        "total_vials": band.total_vials,
        "band_from_kg": band.from_kg,
        "band_to_kg": band.to_kg,
    }


def _dose_shown(band: DoseBand, weight: WeightInKg, known: Known) -> dict[str, Shown]:
    genomes = vector_genomes_in(band.volume_ml, known)
    return {
        **_kit_shown(band),
        "expected_rate_ml_per_hour": rate_for(band.volume_ml, known),
        "total_vector_genomes": genomes,
        "vector_genomes_per_kg": _to_show(exact_quotient(genomes, weight.raw_kg), known),
    }


def _to_show(value: Decimal, known: Known) -> Decimal:
    return to_significant_digits(value, known.outside.whole("shown_significant_digits"))
