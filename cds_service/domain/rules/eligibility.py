"""Who may not get the product yet, and why (clinical-rules group B, label 1, 2.1, 6.2, 8.4, 14)."""

from __future__ import annotations

from datetime import date, timedelta

from cds_service.domain.answers import (
    Answer,
    DeleteOrder,
    RequestTest,
    Shown,
    cannot_check,
    fires,
    silent,
    to_attest,
    unknown,
    verified,
)
from cds_service.domain.certainty import Certainty, all_of, any_of
from cds_service.domain.days import (
    MONTHS_PER_YEAR,
    add_months,
    days_from,
    full_years_and_days,
    weeks_and_days,
)
from cds_service.domain.dosing_weight import weight_for_dose
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import (
    BirthDate,
    Diagnosis,
    Exposure,
    ExposureKind,
    GeneReading,
    GeneticResult,
    PatientFacts,
    ProductOrder,
    Route,
    Source,
    Suffix,
)
from cds_service.domain.known import Known
from cds_service.domain.maturity import age_at_birth, all_are_readable, has_accepted_age, post_menstrual_age, weeks
from cds_service.domain.product_code import is_of_labeler
from cds_service.domain.registry import draft_rule, rule

SMA = "spinal_muscular_atrophy"
TEST_GENES = RequestTest("smn-genetics")


@rule
def age_limit(facts: PatientFacts, known: Known) -> Answer:
    """The child will not be younger than 2 years on the infusion day (label 1; 2.1, footnote to Table 1)."""
    if facts.is_treated:
        return silent()
    born, on = facts.born, facts.latest_infusion_day
    if born is None:
        written = facts.birth_written
        return cannot_check("birth-date-unusable", "birth-date", [facts.patient], written=written)
    first_possible = _second_birthday(born.earliest, known)
    last_possible = _second_birthday(born.latest, known)
    shown: dict[str, Shown] = {
        "born": facts.birth_written,
        "infusion_date": on,
        "is_planned": on in facts.planned_days,
        "age_at_infusion": " - ".join(dict.fromkeys(_age(day, on) for day in (born.latest, born.earliest))),
        "second_birthday": first_possible,
        "last_day": first_possible - timedelta(days=1),
        "is_leap_day": (born.earliest.month, born.earliest.day) != (first_possible.month, first_possible.day),
    }
    evidence = [born.evidence, *(order.evidence for order in facts.planned_orders)]
    if on >= last_possible:
        return fires("too-old", evidence, [DeleteOrder(d.order_id) for d in facts.drafts], **shown)
    if on >= first_possible:
        return cannot_check("cannot-be-verified", "birth-date", evidence, **shown)
    return verified(evidence, **shown) if facts.has_infusion_day else to_attest(evidence, **shown)


def _age(born: date, on: date) -> str:
    years, days = full_years_and_days(born, on)
    return f"{years} y {days} d"


def _second_birthday(born: date, known: Known) -> date:
    return add_months(born, MONTHS_PER_YEAR * known.label.whole("age_limit_years"))


@rule
def age_limit_approaching(facts: PatientFacts, known: Known) -> Answer:
    """The second birthday is near, and the infusion has not been given (label 1; lead time is site policy)."""
    if facts.is_treated or not facts.planned_orders:
        return silent()
    if facts.born is None:
        return unknown("birth-date")
    birthday = _second_birthday(facts.born.earliest, known)
    days_left = days_from(facts.today, birthday)
    if facts.latest_infusion_day >= birthday:
        return silent()
    grade = _nearness(days_left, bool(facts.planned_days), known)
    if not grade:
        return silent()
    return fires(
        grade,
        [facts.born.evidence],
        days_left=days_left,
        second_birthday=birthday,
        last_day=birthday - timedelta(days=1),
    )


def _nearness(days_left: int, is_planned: bool, known: Known) -> str:
    if days_left <= known.policy.whole("age_limit_approaching.urgent_days"):
        return "within-two-weeks"
    if days_left <= known.policy.whole("age_limit_approaching.planned_days"):
        return "within-a-month"
    if not is_planned and days_left <= known.policy.whole("age_limit_approaching.unplanned_days"):
        return "no-planned-date"
    return ""


@rule
def gestational_age_preterm(facts: PatientFacts, known: Known) -> Answer:
    """A child born preterm has not reached full term on the infusion day (label 8.4: delay)."""
    if facts.is_treated:
        return silent()
    at_birth = age_at_birth(facts, known)
    on = facts.earliest_infusion_day
    term = weeks(known.policy.whole("term.floor_weeks"))
    if _is_surely_past_term(facts.born, on, known):
        return verified([facts.patient])
    if at_birth is None:
        return unknown("gestational-age", _premature_birth(facts))
    if at_birth.days >= term:
        is_sure = at_birth.is_accepted and not facts.with_concept("premature_birth") and all_are_readable(facts, known)
        return verified(at_birth.evidence) if is_sure else unknown("gestational-age", at_birth.evidence)
    if facts.born is None:
        return unknown("birth-date", at_birth.evidence)
    # The earliest birth date makes the child most mature; only it can prove immaturity, only the latest maturity.
    maturity = post_menstrual_age(at_birth.days, facts.born.earliest, on)
    shown: dict[str, Shown] = {
        "at_birth_weeks": weeks_and_days(at_birth.days),
        "post_menstrual_age_weeks": weeks_and_days(maturity),
        "infusion_date": on,
        "is_planned": on in facts.planned_days,
        "first_day": facts.born.latest + timedelta(days=term - at_birth.days),
    }
    evidence = [*at_birth.evidence, facts.born.evidence]
    if maturity < term:
        return fires("before-term", evidence, **shown)
    if not facts.born.is_exact:
        return unknown("birth-date", at_birth.evidence)
    if maturity < weeks(known.policy.whole("term.notice_weeks")):
        return fires("before-full-term", evidence, **shown)
    return verified(evidence, **shown) if at_birth.is_accepted else unknown("gestational-age")


def _is_surely_past_term(born: BirthDate | None, on: date, known: Known) -> bool:
    """Old enough that any viable birth is past full term."""
    return born is not None and days_from(born.latest, on) >= known.policy.whole("term.any_birth_days")


def _premature_birth(facts: PatientFacts) -> list[Evidence]:
    return [item.evidence for item in facts.with_concept("premature_birth")]


@rule
def gestational_age_missing(facts: PatientFacts, known: Known) -> Answer:
    """A young infant's gestational age at birth is not recorded, so prematurity is not excluded (label 8.4)."""
    if facts.is_treated:
        return silent()
    at_birth = age_at_birth(facts, known)
    premature = facts.with_concept("premature_birth")
    is_term = at_birth is not None and at_birth.days >= weeks(known.policy.whole("term.floor_weeks"))
    is_contradicted = is_term and bool(premature)
    if at_birth is not None and at_birth.is_accepted and not is_contradicted:
        return verified(at_birth.evidence)
    if facts.born is None:
        return unknown("birth-date")
    on = facts.earliest_infusion_day
    if _is_surely_past_term(facts.born, on, known):
        return verified([facts.born.evidence])
    if has_accepted_age(facts, known) and not is_contradicted:
        return unknown("gestational-age", [item.evidence for item in facts.gestational_ages])
    completed = [item.completed_weeks for item in premature if item.completed_weeks is not None]
    rejected = [item.evidence for item in facts.gestational_ages]
    shown: dict[str, Shown] = {
        "age_days": days_from(facts.born.latest, on),
        "completed_weeks": min(completed, default=""),
        "is_contradicted": is_contradicted,
    }
    if premature:
        return fires("preterm-noted", [*_premature_birth(facts), *rejected], **shown)
    if facts.lacking(Source.MEASUREMENTS):
        return unknown(facts.lacking(Source.MEASUREMENTS))
    return fires("not-recorded", [facts.born.evidence, *rejected], **shown)


@rule
def sma_diagnosis_missing(facts: PatientFacts, known: Known) -> Answer:
    """Nothing in the record confirms spinal muscular atrophy (label 1)."""
    if facts.is_treated:
        return silent()
    diagnoses = facts.with_concept(SMA)
    confirmed = [item.evidence for item in diagnoses if item.standing is Standing.ACCEPTED]
    confirmed += [r.evidence for r in facts.genetic_results if _points_to_sma(r)]
    confirmed += [order.evidence for order in facts.planned_orders if order.reason_is_sma]
    if confirmed:
        return verified(confirmed)
    lacking = facts.lacking(Source.DIAGNOSES, Source.MEASUREMENTS, Source.REPORTS)
    if lacking:
        return unknown(lacking)
    weak = [item.evidence for item in diagnoses] + [
        item.evidence for item in facts.with_concept("spinal_muscular_atrophy_related")
    ]
    reasons = "; ".join(order.reason_written for order in facts.planned_orders if order.reason_written)
    return fires("not-found", weak, reason_written=reasons)


def _points_to_sma(result: GeneticResult) -> bool:
    proving = (GeneReading.BIALLELIC, GeneReading.COMPOUND_HETEROZYGOUS, GeneReading.SCREEN_POSITIVE)
    is_positive = result.reading in proving
    return result.standing is Standing.ACCEPTED and (is_positive or _has_no_copies(result))


def _has_no_copies(result: GeneticResult) -> bool:
    return result.reading is GeneReading.COPY_NUMBER and result.copies == 0


@rule
def smn1_biallelic(facts: PatientFacts, known: Known) -> Answer:
    """Bi-allelic SMN1 mutations are not proven, or a result contradicts them (label 1, 14)."""
    if facts.is_treated:
        return silent()
    results = _of_deciding_exon(facts.genetic_results)
    evidence = [item.evidence for item in (*results, *_other_exon(facts.genetic_results))]
    evidence += facts.other_genetic_evidence
    certainty = _biallelic(results)
    contradicting = _has_contradiction(results, known)
    if contradicting:
        return fires("contradicted", evidence, [TEST_GENES], also_proven=certainty is Certainty.TRUE)
    if certainty is Certainty.TRUE:
        return verified(evidence)
    if results:
        return cannot_check("not-proven", "smn1-result", evidence)
    lacking = facts.lacking(Source.MEASUREMENTS, Source.REPORTS)
    if lacking:
        return unknown(lacking, evidence)
    return fires("no-result", evidence, [TEST_GENES])


def _of_deciding_exon(results: tuple[GeneticResult, ...]) -> tuple[GeneticResult, ...]:
    """Exon 7 decides where results name different exons; results without an exon always count."""
    named = {item.exon for item in results if item.exon}
    if "7" not in named:
        return results
    return tuple(item for item in results if item.exon in ("", "7"))


def _other_exon(results: tuple[GeneticResult, ...]) -> tuple[GeneticResult, ...]:
    if "7" not in {item.exon for item in results}:
        return ()
    return tuple(item for item in results if item.exon not in ("", "7"))


def _biallelic(results: tuple[GeneticResult, ...]) -> Certainty:
    accepted = [item for item in results if item.standing is Standing.ACCEPTED]
    proving = (GeneReading.BIALLELIC, GeneReading.COMPOUND_HETEROZYGOUS)
    has_copies = any(item.reading is GeneReading.COPY_NUMBER and item.copies for item in accepted)
    if any(item.reading is GeneReading.COMPOUND_HETEROZYGOUS for item in accepted):
        return Certainty.TRUE
    if any(item.reading is GeneReading.COUNT_UNREADABLE for item in results):
        return Certainty.UNKNOWN  # it may be a count that contradicts
    if any(item.reading in proving or _has_no_copies(item) for item in accepted):
        # A deletion of both copies and a counted copy cannot both be true.
        return Certainty.UNKNOWN if has_copies else Certainty.TRUE
    has_deletion = any(item.reading is GeneReading.COPY_NUMBER and item.copies == 1 for item in accepted)
    has_variant = any(item.reading is GeneReading.SECOND_VARIANT for item in accepted)
    return Certainty.TRUE if has_deletion and has_variant else Certainty.UNKNOWN


def _has_contradiction(results: tuple[GeneticResult, ...], known: Known) -> bool:
    """Copies enough for health without two pathogenic variants, or a carrier; a provisional result alarms too."""
    enough = known.outside.whole("smn1_copies_without_deletion")
    accepted = [item.reading for item in results if item.standing is Standing.ACCEPTED]
    proven = GeneReading.COMPOUND_HETEROZYGOUS in accepted
    return any(
        item.reading is GeneReading.CARRIER
        or (item.reading is GeneReading.COPY_NUMBER and (item.copies or 0) >= enough and not proven)
        for item in results
    )


@rule
def advanced_sma(facts: PatientFacts, known: Known) -> Answer:
    """Advanced disease, in which the product has not been evaluated (label 1, 14)."""
    if facts.is_treated:
        return silent()
    airway = facts.with_concept("tracheostomy", "tracheostomy_procedure")
    ventilation = facts.with_concept("ventilator_dependence")
    paralysis = facts.with_concept("limb_paralysis_complete")
    related = facts.with_concept("ventilation_related", "limb_paralysis")
    evidence = [item.evidence for item in (*airway, *ventilation, *paralysis, *related)]
    invasive = all_of((_recorded(airway), _recorded(ventilation)))
    if any_of((_recorded(paralysis), invasive)) is Certainty.TRUE:
        return fires("advanced", evidence)
    if evidence:
        return cannot_check("possible", "hours-of-ventilation", evidence)
    lacking = facts.lacking(Source.DIAGNOSES, Source.PROCEDURES)
    return unknown(lacking) if lacking else silent()


def _recorded(diagnoses: tuple[Diagnosis, ...]) -> Certainty:
    """TRUE by an accepted entry, UNKNOWN by a provisional one, FALSE without any."""
    if any(item.standing is Standing.ACCEPTED for item in diagnoses):
        return Certainty.TRUE
    return Certainty.UNKNOWN if diagnoses else Certainty.FALSE


@rule
def repeat_administration(facts: PatientFacts, known: Known) -> Answer:
    """The child has had the product, or a relative of it, under another order (label 1, 2, 6.2)."""
    if not facts.planned_orders:
        return silent()
    earlier = [item for item in facts.exposures if not _is_under_every_order(item, facts.planned_orders)]
    if earlier:
        worst = min(earlier, key=lambda item: list(ExposureKind).index(item.kind))
        return fires(
            worst.kind.value,
            [item.evidence for item in earlier],
            [DeleteOrder(draft.order_id) for draft in facts.drafts],
            given_on=worst.given.written,
        )
    if facts.is_treated:
        return silent()
    if facts.exposures:
        return unknown("dose-under-this-order", [item.evidence for item in facts.exposures])
    if facts.unclear_orders:
        return unknown("completed-order-without-day", facts.unclear_orders)
    lacking = facts.lacking(Source.GIVEN_DOSES, Source.ORDERS, Source.PROCEDURES, Source.VACCINATIONS)
    return unknown(lacking) if lacking else verified()


def _is_under_every_order(exposure: Exposure, orders: tuple[ProductOrder, ...]) -> bool:
    """Whether the dose belongs to the order in hand, and so is no earlier one (ruling 28)."""
    return all(exposure.order_references & order.same_as for order in orders)


@draft_rule
def duplicate_order(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """Another order for the product is open beside this draft (label 2)."""
    if facts.is_treated:
        return silent()
    others = [
        other
        for other in (*facts.open_orders, *facts.drafts, *facts.background_drafts)
        if other is not order and not _is_the_same(other, order)
    ]
    if others:
        return fires(
            "another-order",
            [order.evidence, *(other.evidence for other in others)],
            [DeleteOrder(order.order_id)],
            others=len(others),
        )
    lacking = facts.lacking(Source.ORDERS)
    return unknown(lacking, [order.evidence]) if lacking else verified()


def _is_the_same(other: ProductOrder, order: ProductOrder) -> bool:
    """The same order under another face, or one that the other replaces."""
    return bool(other.same_as & order.same_as or order.replaces & other.same_as or other.replaces & order.same_as)


@rule
def outside_studied_range(facts: PatientFacts, known: Known) -> Answer:
    """Weight or age outside the trials that showed efficacy and pooled safety: a description, no limit (6.1, 8.4)."""
    if facts.is_treated:
        return silent()
    weight = weight_for_dose(facts, known)
    on = facts.latest_infusion_day
    # A partial birth date makes nobody older than its last day does.
    age_days = days_from(facts.born.latest, on) if facts.born else None
    if weight is None and age_days is None:
        return unknown(("dosing-weight", "birth-date"))
    is_light = weight is not None and weight.raw_kg < known.label["studied_weight_from_kg"]
    is_heavy = weight is not None and weight.raw_kg > known.label["studied_weight_to_kg"]
    is_older = age_days is not None and age_days > known.policy.whole("studied_age.at_most_days")
    if not (is_light or is_heavy or is_older):
        is_complete = weight is not None and age_days is not None
        return silent() if is_complete else unknown(("dosing-weight", "birth-date"))
    evidence = [weight.evidence] if weight else []
    return fires(
        "outside",
        [*evidence, *([facts.born.evidence] if facts.born else [])],
        is_light=is_light,
        is_heavy=is_heavy,
        is_older=is_older,
        is_in_study_3_weight=weight is not None and weight.raw_kg >= known.label["study_3_weight_from_kg"],
        weight_kg=weight.rounded_kg if weight else "",
        weight_raw_kg=weight.raw_kg if weight else "",
        age_days=age_days if age_days is not None else "",
    )


@draft_rule
def wrong_product(order: ProductOrder, facts: PatientFacts, known: Known) -> Answer:
    """The order names this product and, by its code, suffix or route, another one (label 1, 2)."""
    change = [DeleteOrder(order.order_id)]
    foreign = [code for code in order.kit_codes if not is_of_labeler(code)]
    if order.suffix is Suffix.INTRATHECAL_PRODUCT:
        return fires("intrathecal-product-named", [order.evidence], change)
    if foreign:
        return fires("other-labeler", [order.evidence], change, ordered_ndc=", ".join(foreign))
    if any(item.route is Route.INTRATHECAL for item in order.instructions):
        return fires("intrathecal-route", [order.evidence], change)
    return verified([order.evidence]) if order.suffix is Suffix.THIS_PRODUCT else silent()
