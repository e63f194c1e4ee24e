"""Orders and doses of systemic corticosteroids: drug, route, dose, rhythm and days (clinical-rules C1, C11).

Strengths come from codes and from coded ingredients, never out of a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from cds_service.domain.codes import Code
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.medicines import SteroidDose, SteroidOrder, SteroidPhase, SteroidRoute
from cds_service.domain.quantities import UnitTable, exact_product, exact_quotient
from cds_service.fhir.clinical_time import SiteClock, effective_time, iso_day, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    first_text,
    is_true,
    objects,
    only_object,
    says_nothing,
    text,
    whole_number,
)
from cds_service.fhir.product_order import dose_entries
from cds_service.fhir.quantity import as_written, read_ordered
from cds_service.fhir.recognition import STEROIDS, Recognition, resolved, stated
from cds_service.fhir.references import own_reference
from cds_service.fhir.timing import (
    DailyTiming,
    is_end_unreadable,
    last_day_of_length,
    last_day_until,
    read_timing,
    says_as_needed,
    timing_words,
)

Ways = frozenset[str]
Instructions = list[tuple[JsonObject, Ways]]

_NOT_SYSTEMIC = "steroid_not_systemic"
_NEVER_AN_ORDER = frozenset({"entered-in-error", "cancelled"})
_NO_ORDER_YET = frozenset({"proposal", "plan", "option"})
_ENDED = frozenset({"completed", "stopped"})
_TOLD = _ENDED | {"active", "on-hold"}
_NOT_RUNNING = _ENDED | {"on-hold", "unknown"}
_WAS_GIVEN = {"completed": True, "in-progress": True, "not-done": False}
_RATES = ("rateQuantity", "rateRatio", "rateRange")
_ONE_DAY = timedelta(days=1)
_LONGEST_SIG = 160


@dataclass(frozen=True, slots=True)
class _Product:
    """What is ordered: its drug, the listed codes that say so, and its names. `drug` is "" where only a brand does."""

    drug: str
    codes: tuple[Code, ...]
    names: tuple[str, ...]

    @property
    def forms(self) -> frozenset[str]:
        """The forms that its codes name, apart from those that name none."""
        return frozenset(code.form for code in self.codes) - {"", "any"}


@dataclass(frozen=True, slots=True)
class _Strength:
    """mg in one mL and in one tablet, portion or vial; None where no source says it, or two say different things."""

    per_ml: Decimal | None
    per_unit: Decimal | None


@dataclass(frozen=True, slots=True)
class _Dose:
    """One administration in mg, or in mg per kg, or why it is neither."""

    mg: Decimal | None
    mg_per_kg: Decimal | None
    why: str
    written: str


@dataclass(frozen=True, slots=True)
class _Step:
    """One instruction as it was read."""

    dose: _Dose
    timing: DailyTiming
    sequence: int | None
    sig: str
    is_taper_in_words: bool


@dataclass(frozen=True, slots=True)
class _OrderEnd:
    """When the whole order ends: as it states, and by when it was over at the latest; None where neither is known.

    `is_unreadable`: an end is stated, and is no day.
    """

    stated: date | None
    over_by: date | None
    is_unreadable: bool


def is_steroid_draft(resource: JsonObject, medications: Mapping[str, JsonObject], recognition: Recognition) -> bool:
    """Whether an order is for a systemic corticosteroid to be given regularly, decided on the raw JSON."""
    if resource.get("resourceType") != "MedicationRequest":
        return False
    product = _product(resource, medications, recognition)
    return product is not None and bool(_instructions(resource, product, recognition))


def read_steroid_order(
    resource: JsonObject,
    medications: Mapping[str, JsonObject],
    recognition: Recognition,
    units: UnitTable,
    clock: SiteClock,
    *,
    is_draft: bool,
) -> SteroidOrder | None:
    """The order for a systemic corticosteroid that a MedicationRequest amounts to, or None where it is none.

    None: another medicine, a product or route that does not act on the whole body, as needed, never ordered.
    """
    product = _product(resource, medications, recognition) if _is_order(resource, is_draft) else None
    instructions = _instructions(resource, product, recognition) if product else []
    if product is None or not instructions:
        return None
    route, why = _route([ways for _, ways in instructions], product)
    written_on = read_time(resource.get("authoredOn"), clock).day
    presumed_start = clock.today if is_draft else written_on or clock.today
    strength = _strength(product, _medication(resource, medications), units)
    steps = [_step(item, strength, recognition, units, clock, presumed_start) for item, _ in instructions]
    is_depot = _is_depot(product, [ways for _, ways in instructions], recognition)
    phases = _phases(steps, "depot" if is_depot else why, _order_end(resource, clock))
    starts = [phase.first_day for phase in phases if phase.first_day]
    return SteroidOrder(
        order_id=text(resource.get("id")),
        drug=product.drug,
        route=route,
        phases=phases,
        is_cover=_is_cover(resource, is_draft),
        standing=_standing(resource, is_draft),
        is_draft=is_draft,
        is_depot=is_depot,
        strength_mg_per_ml=strength.per_ml,
        written_on=written_on,
        supply_ends=_supply_end(resource, min(starts, default=presumed_start)),
        reason_written=first_text(resource.get("reasonCode")),
        evidence=_evidence(resource, product, steps, clock),
        is_status_unclear=not is_draft and code_text(resource.get("status")) not in _TOLD,
    )


def read_stopped_steroid_order(
    resource: JsonObject,
    medications: Mapping[str, JsonObject],
    recognition: Recognition,
    units: UnitTable,
    clock: SiteClock,
) -> SteroidOrder | None:
    """An order for a systemic corticosteroid that is being stopped and that the record does not hold, or None.

    It covers the days before today. One that is cancelled was withdrawn before anything was given, and covers none.
    """
    ended = {**resource, "status": "stopped"}
    order = read_steroid_order(ended, medications, recognition, units, clock, is_draft=False)
    if order is None:
        return None
    status = code_text(resource.get("status"))
    return replace(
        order,
        is_being_stopped=True,
        phases=() if status == "cancelled" else order.phases,
        evidence=replace(order.evidence, status=status),
    )


def until_replaced(order: SteroidOrder, later: Iterable[SteroidOrder], today: date) -> SteroidOrder:
    """The order as far as no later one of the same drug takes its place; both together would be given twice (trap 71).

    A later one begins on its first day, else on the day of its writing, else today.
    """
    others = (other for other in later if other is not order)
    taking_over = (o for o in others if o.drug == order.drug and o.standing is Standing.ACCEPTED)
    begins = [phase.first_day or o.written_on or today for o in taking_over for phase in o.phases]
    if not begins:
        return order
    last = min(begins) - _ONE_DAY
    phases = (
        replace(phase, last_day=min(phase.last_day or last, last))
        for phase in order.phases
        if (phase.first_day or order.written_on or today) <= last
    )
    return replace(order, phases=tuple(phases))


def read_steroid_dose(
    resource: JsonObject,
    medications: Mapping[str, JsonObject],
    recognition: Recognition,
    units: UnitTable,
    clock: SiteClock,
) -> SteroidDose | None:
    """The dose of a systemic corticosteroid that a MedicationAdministration records, given or not done, or None."""
    was_given = _WAS_GIVEN.get(code_text(resource.get("status")))
    if was_given and is_true(resource.get("notGiven")):
        was_given = False  # as an older release of FHIR says it
    product = _product(resource, medications, recognition) if was_given is not None else None
    if product is None or was_given is None:
        return None
    dosage = only_object(resource.get("dosage"))
    ways = _ways(dosage.get("route"), recognition)
    if not _is_systemic(ways, product, recognition):
        return None
    strength = _strength(product, _medication(resource, medications), units)
    entry = {"doseQuantity": dosage.get("dose"), **{name: dosage[name] for name in _RATES if name in dosage}}
    has_rate = any(dosage.get(name) for name in _RATES)
    dose = _judged([(0, found) for found in _doses(entry, strength, units, has_rate)])
    given = effective_time(resource, clock)
    reason = first_text(resource.get("statusReason")) or first_text(resource.get("reasonNotGiven"))
    status = ", ".join(filter(None, (code_text(resource.get("status")), reason)))
    evidence = Evidence(own_reference(resource), _name(product), dose.written, iso_day(given), status)
    return SteroidDose(product.drug, _route([ways], product)[0], dose.mg, was_given, given, evidence)


# --- which medicine


def _product(resource: JsonObject, medications: Mapping[str, JsonObject], recognition: Recognition) -> _Product | None:
    """The corticosteroid that a resource is about, by code, else by name; None for every other medicine."""
    concepts, written = stated(resource, medications)
    entries = [entry for coding in codings(concepts) if (entry := _entry(coding, recognition))]
    codes = tuple(code for concept, code in entries if concept in STEROIDS)
    names = tuple(dict.fromkeys(filter(None, (*concept_texts(concepts), *written))))
    drugs = {concept for concept, _ in entries if concept in STEROIDS}
    if not drugs:
        named = recognition.words_in("steroid_name", " | ".join(names))
        if not named or any(concept == _NOT_SYSTEMIC for concept, _ in entries):
            return None
        drugs = set(named & STEROIDS)
    product = _Product(drugs.pop() if len(drugs) == 1 else "", codes, names)
    is_local = any(concept == _NOT_SYSTEMIC for concept, _ in entries)
    return None if is_local and not product.forms & {"oral", "injection"} else product


def _entry(coding: JsonObject, recognition: Recognition) -> tuple[str, Code] | None:
    return recognition.codes.look_up(coding.get("system"), str(coding.get("code")))


def _name(product: _Product) -> str:
    return next(iter(product.names), "") or next((code.name for code in product.codes), product.drug)


def _medication(resource: JsonObject, medications: Mapping[str, JsonObject]) -> JsonObject:
    """The Medication resource that a resource refers to, contained or delivered."""
    return resolved(only_object(resource.get("medicationReference")), resource, medications)


def _strength(product: _Product, medication: JsonObject, units: UnitTable) -> _Strength:
    stated_by_resource = _ingredient_strength(medication, units)
    per_ml = {stated_by_resource.per_ml, *(code.mg_per_ml for code in product.codes)} - {None}
    per_unit = {stated_by_resource.per_unit, *(code.mg_per_unit for code in product.codes)} - {None}
    return _Strength(per_ml.pop() if len(per_ml) == 1 else None, per_unit.pop() if len(per_unit) == 1 else None)


def _ingredient_strength(medication: JsonObject, units: UnitTable) -> _Strength:
    """The strength by a Medication's only active ingredient, if it is a mass in a volume or in one piece (trap 63)."""
    active = [item for item in objects(medication.get("ingredient")) if item.get("isActive") is not False]
    ratio = only_object(active[0].get("strength")) if len(active) == 1 else {}
    mass, share = an_object(ratio.get("numerator")), an_object(ratio.get("denominator"))
    mg, ml = read_ordered(mass, "dose_mass", units), read_ordered(share, "volume", units)
    if mg is None or mg <= 0:
        return _Strength(None, None)
    if ml is not None and ml > 0:
        return _Strength(exact_quotient(mg, ml), None)
    is_bare = not text(share.get("unit")) and text(share.get("code")) in ("", "1")
    pieces = whole_number(share.get("value")) if is_bare else read_ordered(share, "dose_units", units)
    return _Strength(None, mg if pieces == 1 else None)


# --- which way


def _instructions(resource: JsonObject, product: _Product, recognition: Recognition) -> Instructions:
    """The instructions that are a schedule and act on the whole body, each with its ways; one that says nothing
    where the order has none.
    """
    items = objects(resource.get("dosageInstruction")) or [{}]
    scheduled = (item for item in items if not _is_as_needed(item, recognition))
    by_ways = [(item, _ways(item.get("route"), recognition)) for item in scheduled]
    return [(item, ways) for item, ways in by_ways if _is_systemic(ways, product, recognition)]


def _is_as_needed(item: JsonObject, recognition: Recognition) -> bool:
    """Whether an instruction is a maximum and no schedule: by its own element, its timing, or its text alone."""
    if is_true(item.get("asNeededBoolean")) or item.get("asNeededCodeableConcept"):
        return True
    timing = only_object(item.get("timing"))
    said = [*timing_words(timing), *([] if timing else [text(item.get("text"))])]
    return says_as_needed(said, recognition)


def _ways(route: object, recognition: Recognition) -> Ways:
    """By which ways a route leads into the body; empty where none is stated."""
    concepts = recognition.concept_of(route)
    said = concept_texts(route) or [text(coding.get("code")) for coding in codings(route)]
    if not any(said) and not concepts:
        return frozenset()

    def holds(name: str) -> bool:
        return any(recognition.holds(name, words) for words in said)

    if "route_not_systemic" in concepts or holds("route_not_systemic"):
        return frozenset({"local"})
    ways = concepts & {"oral", "intravenous", "intramuscular"}
    if "route_enteral_tube" in concepts or holds("route_systemic_oral") or holds("route_enteral_tube"):
        ways |= {"oral"}
    if holds("route_intravenous"):
        ways |= {"intravenous"}
    if holds("route_intramuscular"):
        ways |= {"intramuscular"}
    return ways or frozenset({"unclear"})


def _is_systemic(ways: Ways, product: _Product, recognition: Recognition) -> bool:
    """Whether it may act on the whole body: by the route, else by the form, else unless its name says otherwise."""
    if ways or product.forms:
        return "local" not in ways
    return not any(recognition.holds("route_not_systemic", name) for name in product.names)


def _route(stated_ways: Iterable[Ways], product: _Product) -> tuple[SteroidRoute, str]:
    """The order's route, by the form where none is stated; with why it is not known, where it is not."""
    ways = frozenset().union(*stated_ways)
    if "unclear" in ways:
        return SteroidRoute.NOT_STATED, "not-interpretable"
    if ways == {"oral"} or (not ways and product.forms == {"oral"}):
        return SteroidRoute.ORAL, ""
    if ways == {"intravenous"}:
        return SteroidRoute.INTRAVENOUS, ""
    if ways or product.forms:
        return SteroidRoute.OTHER_SYSTEMIC, ""
    return SteroidRoute.NOT_STATED, "route-not-stated"


def _is_depot(product: _Product, stated_ways: Iterable[Ways], recognition: Recognition) -> bool:
    """Whether it is injected to act for weeks: triamcinolone, an acetate, or what is named a depot."""
    ways = frozenset().union(*stated_ways)
    is_injected = bool(ways & {"intravenous", "intramuscular"}) or (not ways and "injection" in product.forms)
    names = (*product.names, *(code.name for code in product.codes))
    is_slow = product.drug == "triamcinolone" or any(recognition.holds("steroid_depot", name) for name in names)
    return is_injected and is_slow


# --- how much


def _step(
    item: JsonObject,
    strength: _Strength,
    recognition: Recognition,
    units: UnitTable,
    clock: SiteClock,
    presumed_start: date,
) -> _Step:
    entries = dose_entries(item)
    has_rate = any(entry.get(name) for _, entry in entries for name in _RATES)
    dose = _judged([(rank, dose) for rank, entry in entries for dose in _doses(entry, strength, units, has_rate)])
    timing = only_object(item.get("timing"))
    said = text(item.get("text")) or text(item.get("patientInstruction"))
    sig = said or ", ".join(filter(None, (dose.written, *timing_words(timing)[-1:])))
    when = read_timing(timing, recognition, clock, presumed_start)
    is_taper = recognition.holds("taper_word", said) and not recognition.holds("taper_later", said)
    return _Step(dose, when, whole_number(item.get("sequence")), _shortened(sig), is_taper)


def _doses(entry: JsonObject, strength: _Strength, units: UnitTable, has_rate: bool) -> list[_Dose]:
    """The doses of one entry. `has_rate`: it, or another entry of the same instruction, states a rate.

    A volume beside a rate is that of a bag, not the dose; nor is a mass where the rate is one of mass, and so runs on
    (trap 62).
    """
    states_rate = any(entry.get(name) for name in _RATES)
    if states_rate and not _is_flow(entry, units):
        written = ", ".join(filter(None, (as_written(amount) for amount in objects(entry.get("doseQuantity")))))
        return [_Dose(None, None, "not-interpretable", written)]
    ranges = [_Dose(None, None, "dose-range", _range_written(span)) for span in objects(entry.get("doseRange"))]
    doses = [_dose(amount, strength, units, has_rate) for amount in objects(entry.get("doseQuantity"))]
    if not doses and not ranges and (states_rate or entry.get("doseQuantity") or entry.get("doseRange")):
        return [_Dose(None, None, "not-interpretable", "")]
    return [*doses, *ranges]


def _is_flow(entry: JsonObject, units: UnitTable) -> bool:
    """Whether every rate of an entry is so much volume in a time: how fast a dose runs in, and no dose itself."""
    spans = [an_object(span.get(side)) for span in objects(entry.get("rateRange")) for side in ("low", "high")]
    flows = [*objects(entry.get("rateQuantity")), *(side for side in spans if side)]
    volumes = [an_object(ratio.get("numerator")) for ratio in objects(entry.get("rateRatio"))]
    read = [read_ordered(flow, "flow", units) for flow in flows]
    read += [read_ordered(volume, "volume", units) for volume in volumes]
    return bool(read) and None not in read


def _range_written(span: JsonObject) -> str:
    return f"{as_written(an_object(span.get('low')))} - {as_written(an_object(span.get('high')))}"


def _dose(amount: JsonObject, strength: _Strength, units: UnitTable, has_rate: bool) -> _Dose:
    written = as_written(amount)
    mg, mg_per_kg = read_ordered(amount, "dose_mass", units), read_ordered(amount, "dose_mass_per_kg", units)
    if mg is None and mg_per_kg is None and not has_rate:
        for concept, share in (("volume", strength.per_ml), ("dose_units", strength.per_unit)):
            number = read_ordered(amount, concept, units)
            if number is not None and share is None:
                return _Dose(None, None, "no-strength", written)
            mg = exact_product(number, share) if number is not None and share is not None else mg
    if not any(value is not None and value > 0 for value in (mg, mg_per_kg)):
        return _Dose(None, None, "not-interpretable", written)
    return _Dose(mg, mg_per_kg, "", written)


def _judged(ranked: list[tuple[int, _Dose]]) -> _Dose:
    """The dose to go by: ordered before calculated, never two that differ (trap 60).

    Where the ordered one is by weight, or in mL of no known strength, the calculated mg are the same dose.
    """
    if not ranked:
        return _Dose(None, None, "no-dose", "")
    best_rank = min(rank for rank, _ in ranked)
    best = [dose for rank, dose in ranked if rank == best_rank]
    if len({(dose.mg, dose.mg_per_kg, dose.why) for dose in best}) > 1:
        return _Dose(None, None, "not-interpretable", " / ".join(dict.fromkeys(dose.written for dose in best)))
    chosen = best[0]
    if chosen.mg is None and (chosen.mg_per_kg is not None or chosen.why == "no-strength"):
        calculated = {dose.mg for rank, dose in ranked if rank > best_rank and dose.mg is not None}
        if len(calculated) == 1:
            return replace(chosen, mg=calculated.pop(), why="")
    return chosen


# --- from when to when


def _phases(steps: list[_Step], why: str, order_end: _OrderEnd) -> tuple[SteroidPhase, ...]:
    return tuple(_phase(step, why or step.dose.why, _why_undated(step, steps), order_end) for step in steps)


def _phase(step: _Step, why: str, why_undated: str, order_end: _OrderEnd) -> SteroidPhase:
    timing = step.timing
    why_days_unknown = _why_days_unknown(timing, order_end)
    stated = min((day for day in (timing.last_day, order_end.stated) if day), default=None)
    over_by = order_end.over_by
    is_presumed = over_by is not None and (stated is None or stated > over_by)
    return SteroidPhase(
        mg=None if why or why_undated else step.dose.mg,
        mg_per_kg=None if why or why_undated else step.dose.mg_per_kg,
        times_per_day=timing.times_per_day,
        every_days=timing.every_days,
        weekdays=timing.weekdays,
        only_on=timing.only_on,
        first_day=timing.first_day,
        last_day=over_by if is_presumed else stated,
        sequence=step.sequence,
        why_unknown=why or ("" if why_days_unknown else why_undated) or _why_no_frequency(timing),
        written=step.sig,
        is_end_presumed=is_presumed,
        has_exact_days=timing.has_exact_days,
        why_days_unknown=why_days_unknown,
    )


def _why_no_frequency(timing: DailyTiming) -> str:
    return "no-frequency" if timing.times_per_day is None else ""


def _why_days_unknown(timing: DailyTiming, order_end: _OrderEnd) -> str:
    if timing.has_unreadable_start:
        return "start-unreadable"
    return "end-unreadable" if timing.has_unreadable_end or order_end.is_unreadable else ""


def without_doubtful_doses(orders: Sequence[SteroidOrder]) -> list[SteroidOrder]:
    """The orders; of one that came in two versions that differ nobody knows the dose, least of all their sum."""
    times = Counter(order.evidence.reference for order in orders)
    return [_without_dose(order) if _is_named_twice(order.evidence, times) else order for order in orders]


def _without_dose(order: SteroidOrder) -> SteroidOrder:
    phases = (replace(phase, mg=None, mg_per_kg=None, why_unknown="two-versions") for phase in order.phases)
    return replace(order, phases=tuple(phases))


def without_doubtful_amounts(doses: Sequence[SteroidDose]) -> list[SteroidDose]:
    """The administrations, with the amount of one that came in two versions that differ unknown."""
    times = Counter(dose.evidence.reference for dose in doses)
    return [replace(dose, mg=None) if _is_named_twice(dose.evidence, times) else dose for dose in doses]


def _is_named_twice(evidence: Evidence, times: Mapping[str, int]) -> bool:
    """Whether two entries have the name of this one; without an id an entry has none."""
    return "/" in evidence.reference and times[evidence.reference] > 1


def _why_undated(step: _Step, steps: list[_Step]) -> str:
    """Steps one after the other need their days: each its first, and each but the last ones its last.

    A single instruction whose words make it a taper names no step at all.
    """
    numbers = {other.sequence for other in steps}
    if len(steps) == 1 and step.is_taper_in_words:
        return "taper-in-words"
    if len(numbers) <= 1:
        return ""
    is_last = None not in numbers and step.sequence == max(number for number in numbers if number is not None)
    has_days = step.timing.first_day and (step.timing.last_day or is_last)
    return "" if has_days else "steps-without-dates"


def _order_end(resource: JsonObject, clock: SiteClock) -> _OrderEnd:
    """The end of the order's validity; and of one that is over, that yesterday was its last day at the latest."""
    validity = only_object(only_object(resource.get("dispenseRequest")).get("validityPeriod"))
    over_by = clock.today - _ONE_DAY if code_text(resource.get("status")) in _ENDED else None
    return _OrderEnd(last_day_until(validity.get("end"), clock), over_by, _is_validity_unreadable(resource, clock))


def _is_validity_unreadable(resource: JsonObject, clock: SiteClock) -> bool:
    """Whether something stands where the end of the order's validity belongs, and cannot be read."""
    dispense = only_object(resource.get("dispenseRequest"))
    if not dispense:
        return not says_nothing(resource.get("dispenseRequest"))
    return is_end_unreadable(dispense.get("validityPeriod"), clock)


def _supply_end(resource: JsonObject, start: date) -> date | None:
    supply = only_object(only_object(resource.get("dispenseRequest")).get("expectedSupplyDuration"))
    return last_day_of_length(start, supply)


# --- the order itself


def _is_order(resource: JsonObject, is_draft: bool) -> bool:
    status = code_text(resource.get("status"))
    if status in _NEVER_AN_ORDER or (status == "draft" and not is_draft) or is_true(resource.get("doNotPerform")):
        return False
    return code_text(resource.get("intent")) not in _NO_ORDER_YET


def _standing(resource: JsonObject, is_draft: bool) -> Standing:
    """What an order proves of the days it names: one on hold, of unknown status, or told by the family proves none."""
    is_sure = is_draft or code_text(resource.get("status")) in ("active", "completed", "stopped")
    return Standing.ACCEPTED if is_sure and not _is_reported(resource) else Standing.PROVISIONAL


def _is_reported(resource: JsonObject) -> bool:
    return is_true(resource.get("reportedBoolean")) or bool(resource.get("reportedReference"))


def _is_cover(resource: JsonObject, is_draft: bool) -> bool:
    """Whether it covers days from today on: running, or being ordered, and not merely reported by somebody."""
    status = code_text(resource.get("status"))
    return not _is_reported(resource) and (status == "active" or (is_draft and status not in _NOT_RUNNING))


def _evidence(resource: JsonObject, product: _Product, steps: list[_Step], clock: SiteClock) -> Evidence:
    said = dict.fromkeys(part for step in steps for part in (step.dose.written, step.sig) if part)
    status = code_text(resource.get("status"))
    written = iso_day(read_time(resource.get("authoredOn"), clock))
    return Evidence(own_reference(resource), _name(product), _shortened(", ".join(said)), written, status)


def _shortened(said: str) -> str:
    said = " ".join(said.split())
    return said if len(said) <= _LONGEST_SIG else said[: _LONGEST_SIG - 1].rstrip() + "…"
