"""The day of the infusion: the line, the kit, reactions (clinical-rules group J; label 2.1, 2.2, 5.7, 16.2)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from cds_service.domain.answers import Answer, Shown, cannot_check, fires, silent, to_attest, unknown, verified
from cds_service.domain.days import hours_after, is_later
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.exposure import infusions_on
from cds_service.domain.facts import Diagnosis, ExposureKind, Moment, PatientFacts, Source
from cds_service.domain.handling import KitEvent, KitStep
from cds_service.domain.known import Known
from cds_service.domain.registry import Answers, rule, rule_of_several
from cds_service.domain.steroid_dose import DAY

_TIMES = ("received", "planned", "earliest_start", "drawn", "use_by", "start_by")
REACTIONS = ("anaphylaxis", "rash", "urticaria", "dyspnea", "vomiting")


@rule
def infusion_line_checklist(facts: PatientFacts, known: Known) -> Answer:
    """What to check at the line on the infusion day; nothing here is computed or marked as done (label 2.1)."""
    if facts.is_treated:
        return silent()
    return fires("reminder") if facts.may_be_infusion_day else silent()


# --- the kit


def _in_order(step: KitStep, facts: PatientFacts) -> list[KitEvent]:
    """The events of this kind that have a day, in their order. Of several nobody can tell here which kit is meant."""
    dated = [e for e in facts.kit_events if e.step is step and e.happened.day and not e.happened.is_future]
    return sorted(dated, key=lambda event: (event.happened.day, _time_of(event)))


def _earliest(step: KitStep, facts: PatientFacts) -> KitEvent | None:
    """The event of this kind that leaves the shortest time of use."""
    return next(iter(_in_order(step, facts)), None)


def _time_of(event: KitEvent) -> float:
    return event.happened.instant.timestamp() if event.happened.instant else 0


def _planned_start(facts: PatientFacts) -> tuple[date | None, datetime | None]:
    """The planned day, and the moment where one is named: of the slot being booked, else of the order.

    At the visit itself the day is today, and nothing starts before now.
    """
    day = facts.planned_infusion
    starts = [slot.starts.instant for slot in facts.proposed_infusions if slot.starts.instant]
    starts = starts or [o.planned.start for o in facts.planned_orders if o.planned and o.planned.start]
    start = min((s for s in starts if s and s.date() == day), default=None)
    if facts.is_infusion_visit:
        return facts.today, max(start, facts.now) if start else None
    return day, start


def _latest_start(facts: PatientFacts) -> datetime | None:
    """The latest moment at which the infusion can start as planned: the named one, else the end of its day."""
    day, start = _planned_start(facts)
    if start is not None or day is None:
        return start
    return _end_of(day, facts)


def _end_of(day: date, facts: PatientFacts) -> datetime:
    return datetime.combine(day, time.max, facts.now.tzinfo)


@rule
def kit_use_by(facts: PatientFacts, known: Known) -> Answer:
    """The kit is used within 14 days of its receipt (label 16.2). The clock runs from receipt, not from thawing."""
    if facts.is_treated or not (facts.planned_orders or facts.proposed_infusions):
        return silent()
    receipt = _earliest(KitStep.RECEIVED, facts)
    if receipt is None or receipt.happened.day is None:
        empty: dict[str, Shown] = {"received": "", "last_use": "", "planned": facts.planned_infusion or ""}
        return _receipt_unknown([], empty, facts)
    day, start = _planned_start(facts)
    received, allowed = receipt.happened, timedelta(days=known.label.whole("kit_use_within_days"))
    assert received.day is not None
    last_day, last_moment = received.day + allowed, received.instant + allowed if received.instant else None
    shown: dict[str, Shown] = {
        "received": _written(received.day, received.instant),
        "last_use": _written(last_day, last_moment),
        "planned": _written(day, start) if day else "",
    }
    evidence = _events(facts)
    # Nothing is infused before today, or at the visit before now, whatever an order that was not changed says.
    earliest = max(start, facts.now) if start else (facts.now if facts.is_infusion_visit else None)
    is_past = (
        is_later(earliest, last_moment) if earliest and last_moment else max(day or facts.today, facts.today) > last_day
    )
    if is_past:
        return fires("past", evidence, **shown)
    # Without a planned day the earliest possible one is held against it: today.
    if (last_day - max(day or facts.today, facts.today)).days <= known.policy.whole("kit.warn_days"):
        return fires("within-two-days", evidence, **shown)
    if day is None:
        return cannot_check("day-unknown", "infusion-date", evidence, **shown)
    return verified(evidence, **shown) if received.may_satisfy else _receipt_unknown(evidence, shown, facts)


def _receipt_unknown(evidence: list[Evidence], shown: dict[str, Shown], facts: PatientFacts) -> Answer:
    """Said on a card only when the kit is about to be used (ruling 51); before that somebody has to see to it."""
    if facts.is_infusion_visit:
        return cannot_check("receipt-unknown", "kit-receipt", evidence, **shown)
    return to_attest(evidence, **shown)


def _events(facts: PatientFacts) -> list[Evidence]:
    return [event.evidence for event in facts.kit_events]


def _written(day: date, moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else day.isoformat()


@rule_of_several
def kit_thaw_and_syringe(facts: PatientFacts, known: Known) -> Answers:
    """Thawing, inspection and the syringe's eight hours (label 2.2, 16.2): a checklist, and what cannot be right."""
    is_time = facts.moment is Moment.DISPATCH or (facts.is_infusion_visit)
    if facts.is_treated or not is_time or not facts.planned_orders:
        return (silent(),)
    # The kit received last leaves the shortest time for thawing.
    receipt, drawn = next(reversed(_in_order(KitStep.RECEIVED, facts)), None), _earliest(KitStep.DRAWN, facts)
    empty: dict[str, Shown] = dict.fromkeys(_TIMES, "")
    _, start = _planned_start(facts)
    latest = _latest_start(facts)
    if start is not None:
        empty["planned"] = _written(start.date(), start)
    found = [fires("checklist", **empty)]
    if receipt is not None and receipt.happened.day is not None and latest is not None:
        received = receipt.happened.instant or datetime.combine(receipt.happened.day, time.min, facts.now.tzinfo)
        found += _thaw(receipt, received, latest, empty, known)
    if drawn is not None and drawn.happened.day is not None:
        moment = drawn.happened.instant or _end_of(drawn.happened.day, facts)
        found += _syringe(drawn, moment, start, empty, facts, known)
    return tuple(found)


def _thaw(
    receipt: KitEvent, received: datetime, start: datetime, empty: dict[str, Shown], known: Known
) -> list[Answer]:
    at_room = hours_after(received, known.label.whole("thaw_at_room_temperature_hours"))
    in_refrigerator = hours_after(received, known.label.whole("thaw_in_refrigerator_hours"))
    for grade, earliest in (("cannot-be-thawed", at_room), ("thaw-too-short", in_refrigerator)):
        if is_later(earliest, start):
            shown = empty | {
                "received": _written(received.date(), received),
                "earliest_start": _written(earliest.date(), earliest),
            }
            return [fires(grade, [receipt.evidence], **shown)]
    return []


def _syringe(
    event: KitEvent,
    drawn: datetime,
    start: datetime | None,
    empty: dict[str, Shown],
    facts: PatientFacts,
    known: Known,
) -> list[Answer]:
    """Whether an infusion that starts as planned, and not before now, would end later than the syringe may be used."""
    use_by = hours_after(drawn, known.label.whole("syringe_use_within_hours"))
    start_by = hours_after(drawn, known.policy.whole("kit.start_syringe_within_hours"))
    end = max(start or facts.now, facts.now) + timedelta(minutes=known.label.whole("infusion_minutes"))
    if not is_later(end, use_by):
        return []
    shown = empty | {
        "drawn": _written(drawn.date(), drawn),
        "use_by": _written(use_by.date(), use_by),
        "start_by": _written(start_by.date(), start_by),
    }
    return [fires("syringe-expired", [event.evidence], **shown)]


# --- reactions


@rule
def infusion_reaction(facts: PatientFacts, known: Known) -> Answer:
    """Signs of a reaction on the infusion day or the day after, or an interrupted infusion (label 5.7, 6.3)."""
    infusions = infusions_on(facts, (facts.today, facts.today - DAY))
    if not infusions:
        return silent()
    day = min(item.given.day for item in infusions if item.given.day)
    told = [d for d in facts.with_concept(*REACTIONS) if _may_follow(d, day)]
    worst = sorted(told, key=lambda item: REACTIONS.index(item.concept))
    evidence = [*(item.evidence for item in worst), *(item.evidence for item in infusions)]
    if worst:
        grade = "anaphylaxis" if worst[0].concept == "anaphylaxis" else "reaction"
        named = worst[0].evidence
        return fires(grade, evidence, infusion_date=day, diagnosis=named.name or named.value)
    if any(item.kind is ExposureKind.PARTLY_GIVEN for item in infusions):
        return fires("interrupted", evidence, infusion_date=day, diagnosis="")
    lacking = facts.lacking(Source.DIAGNOSES)
    return unknown(lacking) if lacking else silent()


def _may_follow(diagnosis: Diagnosis, day: date) -> bool:
    """Whether a sign began on this day or later; a present one of an unknown day may have."""
    if diagnosis.onset.day is None:
        return diagnosis.standing is not Standing.NO_INFORMATION
    return diagnosis.onset.day >= day
