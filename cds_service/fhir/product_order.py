"""MedicationRequest → an order for the product: dose, kit, route, rate, timing (ehr-reality traps 60 to 67)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import (
    AmountKind,
    Instruction,
    OrderedAmount,
    PlannedDay,
    ProductOrder,
    Repetition,
    Route,
)
from cds_service.domain.quantities import UnitTable, exact_product, exact_quotient
from cds_service.fhir.clinical_time import SiteClock, iso_day, read_time
from cds_service.fhir.json_shapes import (
    JsonObject,
    an_object,
    code_text,
    codings,
    concept_texts,
    first_text,
    is_illegible,
    number,
    objects,
    only_object,
    says_nothing,
    text,
    values,
    whole_number,
)
from cds_service.fhir.quantity import as_written, read_ordered
from cds_service.fhir.recognition import Medicine, Recognition
from cds_service.fhir.references import identifiers, own_reference, referenced

Rate = tuple[Decimal | None, str]
_SECONDS_PER_MINUTE = Decimal(60)
_SECONDS_PER_DAY = Decimal(86400)
_OFTEN = ("frequency", "frequencyMax")
_FREQUENCY = (*_OFTEN, "period", "periodMax", "periodUnit")
_DAYS_IN = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7, "mo": 30, "month": 30, "months": 30, "a": 365}
_OTHER_ROUTES = frozenset({"intramuscular", "subcutaneous", "oral", "other"})
_KINDS = (
    ("volume", AmountKind.VOLUME_ML),
    ("volume_per_kg", AmountKind.VOLUME_ML_PER_KG),
    ("vector_genomes", AmountKind.VECTOR_GENOMES),
    ("vector_genomes_per_kg", AmountKind.VECTOR_GENOMES_PER_KG),
    ("kits", AmountKind.KITS),
    ("vials", AmountKind.VIALS),
)
_BESIDE = ("doseQuantity", "doseRange", "rateQuantity", "rateRatio", "rateRange")
_GENOMES = (AmountKind.VECTOR_GENOMES, AmountKind.VECTOR_GENOMES_PER_KG)
_ORDERED_BEFORE_CALCULATED = ("ordered", "calculated", "")


@dataclass(frozen=True, slots=True)
class OrderReader:
    """Reads product orders with the units, names and clock of one call."""

    units: UnitTable
    recognition: Recognition
    clock: SiteClock

    def read(self, resource: JsonObject, medicine: Medicine) -> ProductOrder:
        """The order a MedicationRequest for this medicine amounts to. Nothing beyond the resource is required."""
        instructions = tuple(map(self._instruction, objects(resource.get("dosageInstruction"))))
        dispense = only_object(resource.get("dispenseRequest"))
        # Something that stands where the dispensing belongs, and is not it, may allow a second dose.
        refills = dispense.get("numberOfRepeatsAllowed") if dispense else resource.get("dispenseRequest") or None
        prior = referenced(resource.get("priorPrescription"))
        return ProductOrder(
            order_id=text(resource.get("id")),
            evidence=self._evidence(resource, medicine, instructions),
            suffix=medicine.suffix,
            kit_codes=medicine.kit_codes,
            instructions=instructions,
            quantity=self._quantity(dispense.get("quantity")),
            repeats_allowed=number(refills),
            repeats_written="" if refills is None else str(refills),
            planned=self._planned(resource),
            replaces=frozenset({prior}) if prior else frozenset(),
            same_as=frozenset({own_reference(resource)} if text(resource.get("id")) else ()) | identifiers(resource),
            reason_is_sma="spinal_muscular_atrophy" in self.recognition.concept_of(resource.get("reasonCode")),
            reason_written=first_text(resource.get("reasonCode")),
        )

    def _evidence(self, resource: JsonObject, medicine: Medicine, instructions: Iterable[Instruction]) -> Evidence:
        doses = " + ".join(item.amount.written for item in instructions if item.amount)
        author = text(an_object(resource.get("requester")).get("display"))
        said = ", ".join(part for part in (doses, *(f"NDC {code}" for code in medicine.kit_codes), author) if part)
        written = read_time(resource.get("authoredOn"), self.clock)
        name = medicine.names[0] if medicine.names else "product-order"
        notes = (code_text(resource.get("status")), "" if resource.get("subject") else "no-subject")
        return Evidence(own_reference(resource), name, said, iso_day(written), ", ".join(filter(None, notes)))

    def _instruction(self, item: JsonObject) -> Instruction:
        entries = dose_entries(item)
        amounts = [(rank, amount) for rank, entry in entries for amount in self._amounts(entry)]
        rates = _of_best_rank([(rank, rate) for rank, entry in entries for rate in self._rates(entry)])
        repeat = only_object(only_object(item.get("timing")).get("repeat"))
        minutes, minutes_written = self._minutes(repeat)
        route_texts, method_texts = concept_texts(item.get("route")), concept_texts(item.get("method"))
        return Instruction(
            amount=_judged(amounts),
            genome_amounts=tuple(amount for _, amount in amounts if amount.kind in _GENOMES),
            text=text(item.get("text")),
            route=self._route(item.get("route"), route_texts),
            route_written=first_text(item.get("route")),
            method_written=first_text(item.get("method")),
            is_method_unread=is_illegible(item.get("method")),
            is_push_or_bolus=any(self.recognition.push_or_bolus.search(said) for said in (*route_texts, *method_texts)),
            minutes=minutes,
            minutes_written=minutes_written,
            ml_per_hour=rates[0][0] if len({rate for rate, _ in rates}) == 1 else None,
            rate_written=", ".join(dict.fromkeys(written for _, written in rates)),
            repetition=self._repetition(item.get("timing"), repeat),
        )

    def _amounts(self, entry: JsonObject) -> list[OrderedAmount]:
        amounts = [self._amount(element) for element in objects(entry.get("doseQuantity"))]
        for name in ("doseQuantity", "doseRange"):
            if entry.get(name) and not objects(entry.get(name)):
                amounts.append(_unreadable(entry.get(name)))
        for span in objects(entry.get("doseRange")):
            low, high = as_written(an_object(span.get("low"))), as_written(an_object(span.get("high")))
            amounts.append(OrderedAmount(AmountKind.NOT_INTERPRETABLE, None, f"{low} - {high}"))
        return amounts

    def _amount(self, element: JsonObject) -> OrderedAmount:
        written = as_written(element)
        for concept, kind in _KINDS:
            value = read_ordered(element, concept, self.units)
            if value is not None:
                return OrderedAmount(kind, value, written)
        return OrderedAmount(AmountKind.NOT_INTERPRETABLE, None, written)

    def _quantity(self, stated: object) -> OrderedAmount | None:
        """What is to be dispensed; a bare number counts kits (ruling 24)."""
        element = only_object(stated)
        if not as_written(element):
            return _unreadable(stated) if stated else None
        value = number(element.get("value"))
        names_unit = text(element.get("unit")) or text(element.get("code"))
        if not names_unit and value is not None:
            return OrderedAmount(AmountKind.KITS, value, as_written(element))
        return self._amount(element)

    def _rates(self, entry: JsonObject) -> list[Rate]:
        rates: list[Rate] = [
            (read_ordered(element, "flow", self.units), as_written(element) or str(element))
            for element in objects(entry.get("rateQuantity"))
        ]
        for name in ("rateQuantity", "rateRatio", "rateRange"):
            if entry.get(name) and not objects(entry.get(name)):
                rates.append((None, str(entry.get(name))))
        for ratio in objects(entry.get("rateRatio")):
            volume, time = an_object(ratio.get("numerator")), an_object(ratio.get("denominator"))
            rates.append((self._rate_of(volume, time), f"{as_written(volume)} / {as_written(time)}"))
        for span in objects(entry.get("rateRange")):
            low, high = as_written(an_object(span.get("low"))), as_written(an_object(span.get("high")))
            rates.append((None, f"{low} - {high}"))
        return rates

    def _rate_of(self, volume: JsonObject, time: JsonObject) -> Decimal | None:
        ml = read_ordered(volume, "volume", self.units)
        seconds = read_ordered(time, "duration", self.units)
        if ml is None or seconds is None or seconds <= 0:
            return None
        per_hour = exact_product(ml, _SECONDS_PER_MINUTE, _SECONDS_PER_MINUTE)
        return exact_quotient(per_hour, seconds)

    def _minutes(self, repeat: JsonObject) -> tuple[Decimal | None, str]:
        """The infusion time. A duration in days or longer is the length of a course, not of an infusion."""
        if repeat.get("duration") is None:
            return None, ""
        unit = text(repeat.get("durationUnit"))
        written = as_written({"value": repeat.get("duration"), "unit": unit})
        if unit in _DAYS_IN:
            return None, ""
        seconds = read_ordered({"value": repeat.get("duration"), "unit": unit}, "duration", self.units)
        if seconds is None or seconds <= 0:
            return None, written
        return exact_quotient(seconds, _SECONDS_PER_MINUTE), written

    def _route(self, element: object, texts: list[str]) -> Route:
        """Intrathecal before any other before intravenous: a contradiction is read as the worse."""
        if not any(True for _ in codings(element)) and not texts:
            return Route.NOT_STATED if says_nothing(element) else Route.NOT_RECOGNISED
        named = self.recognition.concept_of(element) | self.recognition.routes_in(texts)
        if "intrathecal" in named:
            return Route.INTRATHECAL
        if named & _OTHER_ROUTES:
            return Route.OTHER
        return Route.INTRAVENOUS if "intravenous" in named else Route.NOT_RECOGNISED

    def _planned(self, resource: JsonObject) -> PlannedDay | None:
        """The planned day: the first timing event, else the start of the period. Never the day of writing (C8).

        One that stands there and cannot be read is a plan without a day, and not no plan.
        """
        timings = [only_object(item.get("timing")) for item in objects(resource.get("dosageInstruction"))]
        events = [event for timing in timings for event in values(timing.get("event")) if text(event)]
        periods = [only_object(only_object(timing.get("repeat")).get("boundsPeriod")) for timing in timings]
        starts = [period.get("start") for period in periods if text(period.get("start"))]
        if not events and not starts:
            unread = _unread_plan(resource)
            return None if says_nothing(unread) else PlannedDay(None, str(unread))
        time = read_time((events or starts)[0], self.clock)
        return PlannedDay(time.day, time.written, time.latest, time.instant)

    def _repetition(self, stated: object, repeat: JsonObject) -> Repetition:
        timing = only_object(stated)
        times, is_once_a_day, unclear = self._frequency(timing, repeat)
        for name in ("count", "countMax"):
            if repeat.get(name) is not None and whole_number(repeat.get(name)) is None:
                unclear = f"{name} {repeat.get(name)}"
        if (stated and not timing) or (timing.get("repeat") and not repeat):
            unclear = str(stated)
        counts = [count for name in ("count", "countMax") if (count := whole_number(repeat.get(name))) is not None]
        return Repetition(
            count=max(counts, default=None),
            times_per_period=times,
            is_once_a_day=is_once_a_day,
            planned_for=tuple(text(event) for event in values(timing.get("event")) if text(event)),
            several_times=any(len(values(repeat.get(name))) > 1 for name in ("timeOfDay", "dayOfWeek", "when")),
            bounds_within_a_day=self._bounds_within_a_day(repeat),
            unclear=unclear,
        )

    def _frequency(self, timing: JsonObject, repeat: JsonObject) -> tuple[str, bool, str]:
        """How often, whether that is once a day, and timing words that cannot be told to mean once."""
        stated = {name: repeat.get(name) for name in _FREQUENCY}
        if any(value is not None for value in stated.values()):
            often = max((n for name in _OFTEN if (n := number(stated[name])) is not None), default=Decimal(1))
            period, unit = number(stated["period"]), text(stated["periodUnit"])
            is_once = often == 1 and period in (None, Decimal(1)) and unit in ("", "d")
            return f"{often} / {period or 1} {unit}".strip(), is_once, ""
        code = timing.get("code")
        said = [word for word in (*(text(c.get("code")) for c in codings(code)), *concept_texts(code)) if word]
        repeating = [word for word in said if self.recognition.says("repeating_timing", [word])]
        if repeating:
            return repeating[0], repeating[0].lower() in ("qd", "daily"), ""
        is_single = any(self.recognition.says("single_timing", [word]) for word in said)
        return "", False, "" if is_single or not said else said[0]

    def _bounds_within_a_day(self, repeat: JsonObject) -> bool | None:
        period = an_object(repeat.get("boundsPeriod"))
        if text(period.get("start")) and text(period.get("end")):
            start, end = read_time(period["start"], self.clock), read_time(period["end"], self.clock)
            if start.instant and end.instant:
                return end.instant - start.instant <= timedelta(days=1)
            return start.day == end.day if start.day and end.day else None
        duration = an_object(repeat.get("boundsDuration"))
        seconds = read_ordered(duration, "duration", self.units) if duration else None
        if seconds is not None:
            return seconds <= _SECONDS_PER_DAY
        units = _DAYS_IN.get(text(duration.get("code")) or text(duration.get("unit")))
        count = number(duration.get("value"))
        if count is not None and units is not None:
            return count * units <= 1
        longest = an_object(an_object(repeat.get("boundsRange")).get("high"))
        return False if longest else None


def _unreadable(stated: object) -> OrderedAmount:
    """Something stands where an amount belongs, and it is none."""
    return OrderedAmount(AmountKind.NOT_INTERPRETABLE, None, str(stated))


def _unread_plan(resource: JsonObject) -> object:
    """What stands where the planned day belongs, or on the way to it, in an order of which no such day can be read."""
    stated = resource.get("dosageInstruction")
    parts: list[object] = [] if objects(stated) else [stated]
    for item in objects(stated):
        timing = only_object(item.get("timing"))
        repeat = only_object(timing.get("repeat"))
        period = only_object(repeat.get("boundsPeriod"))
        parts += [timing.get("event"), period.get("start")]
        on_the_way = ((item, "timing", timing), (timing, "repeat", repeat), (repeat, "boundsPeriod", period))
        parts += [holder.get(name) for holder, name, found in on_the_way if not found]
    return next((part for part in parts if not says_nothing(part)), None)


def dose_entries(item: JsonObject) -> list[tuple[int, JsonObject]]:
    """The dose entries with their rank; where a sender puts the dose beside them, that counts as one."""
    entries: list[tuple[int, JsonObject]] = []
    for entry in objects(item.get("doseAndRate")):
        said = {code_text(coding.get("code")) for coding in codings(entry.get("type"))}
        said |= {said_text.lower().replace(" ", "-") for said_text in concept_texts(entry.get("type"))}
        if "admin-amount" in said:
            continue
        kind = next((name for name in _ORDERED_BEFORE_CALCULATED if name in said), "")
        entries.append((_ORDERED_BEFORE_CALCULATED.index(kind), entry))
    beside = {name: item[name] for name in _BESIDE if name in item}
    return [*entries, (0, beside)] if beside else entries


def _of_best_rank(ranked: list[tuple[int, Rate]]) -> list[Rate]:
    """The rates of the entry that is judged: those beside a calculated dose do not count where an ordered one has."""
    best = min((rank for rank, _ in ranked), default=0)
    return [rate for rank, rate in ranked if rank == best]


def _judged(ranked: list[tuple[int, OrderedAmount]]) -> OrderedAmount | None:
    """The amount to judge: ordered before calculated, a volume before vector genomes, never two that differ."""
    if not ranked:
        return None
    best_rank = min(rank for rank, _ in ranked)
    best = [amount for rank, amount in ranked if rank == best_rank]
    if all(amount.kind in _GENOMES for amount in best):
        best = [amount for _, amount in ranked if amount.kind is AmountKind.VOLUME_ML] or best
    volumes = [amount for amount in best if amount.kind is AmountKind.VOLUME_ML] or best
    if len({(amount.kind, amount.value) for amount in volumes}) == 1:
        return volumes[0]
    written = " / ".join(dict.fromkeys(amount.written for amount in volumes))
    return OrderedAmount(AmountKind.NOT_INTERPRETABLE, None, written)
