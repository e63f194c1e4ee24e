"""What can be said of the record itself (clinical-rules group A): it never clears, and is never milder."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.domain.answers import Answer, Shown, Verdict, fires, silent, unknown
from cds_service.domain.days import days_from
from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import (
    Exposure,
    ExposureKind,
    IdentityFault,
    ListState,
    Moment,
    PatientFacts,
    Source,
    SourceState,
)
from cds_service.domain.known import Known
from cds_service.domain.registry import Answers, rule, summary_rule

# What a rule may lack by name, and the list it would have been read from.
READ_FROM: dict[Source | str, Source] = {
    "dosing-weight": Source.MEASUREMENTS,
    "earlier-weight": Source.MEASUREMENTS,
    "table-dose": Source.MEASUREMENTS,
    "table-kit": Source.MEASUREMENTS,
    "volume-for-rate": Source.MEASUREMENTS,
    "second-of-weight-volume-kit": Source.MEASUREMENTS,
    "band-of-weight-or-order": Source.MEASUREMENTS,
    "gestational-age": Source.MEASUREMENTS,
    "fresh-undoubted-weight": Source.MEASUREMENTS,
    "aav9-titer": Source.MEASUREMENTS,
    "result-classified": Source.MEASUREMENTS,
    "result-interpretable": Source.MEASUREMENTS,
    "panel-after-taper": Source.MEASUREMENTS,
    "sample-with-result": Source.MEASUREMENTS,
    "open-order-of-treated-child": Source.ORDERS,
    "steroid-dose": Source.ORDERS,
    "steroid-order-status": Source.ORDERS,
}
ESSENTIAL = (Source.MEASUREMENTS, Source.ORDERS, Source.GIVEN_DOSES)
# Lists that are only looked through for one fact; of the others the newest entry counts, or nothing reads them.
LOOKED_THROUGH = (Source.ORDERS, Source.GIVEN_DOSES, Source.DIAGNOSES, Source.PROCEDURES, Source.VACCINATIONS)


@summary_rule
def data_unavailable(facts: PatientFacts, answers: Answers, known: Known) -> Answers:
    """A list could not be had, or an entry could not be read: what was therefore not checked (C6, C13)."""
    away = [source for source, state in facts.sources.items() if not state.is_available]
    if not away and not facts.unreadable and not facts.unresolved_orders:
        return (silent(),)
    grade = "essential-list" if facts.unresolved_orders else "unreadable"
    if away:
        grade = _grade_of(away, facts)
    shown: dict[str, Shown] = {
        "keys": ", ".join(source.value for source in away),
        "reasons": ", ".join(f"{source.value}: {_reason(facts.sources[source])}" for source in away),
        "not_checked": ", ".join(_left_unknown(answers, away)),
        "unreadable": "; ".join(f"{item.evidence.reference}: {item.what}" for item in facts.unreadable),
        "unresolved": ", ".join(facts.unresolved_orders),
    }
    return (fires(grade, [item.evidence for item in facts.unreadable], **shown).without(away),)


def _grade_of(away: Iterable[Source], facts: PatientFacts) -> str:
    """How much the lists that are away matter (ruling 57): most before an act that cannot be undone."""
    if not any(source in ESSENTIAL for source in away):
        return "other-list"
    is_later_visit = facts.moment is Moment.VISIT and not facts.may_be_infusion_day
    return "essential-list-at-visit" if is_later_visit else "essential-list"


def _left_unknown(answers: Answers, lists: Iterable[Source]) -> list[str]:
    """The rules that are unknown for lack of one of these lists, or of what would be read from it."""
    wanted = set(lists)
    lacking = (
        a
        for a in answers
        if a.verdict is Verdict.UNKNOWN and wanted & {READ_FROM.get(item, item) for item in a.missing}
    )
    return list(dict.fromkeys(answer.rule_id for answer in lacking))


@summary_rule
def data_incomplete_paging(facts: PatientFacts, answers: Answers, known: Known) -> Answers:
    """A list came only in part, and the missing part could matter (C13)."""
    incomplete = {s: state for s, state in facts.sources.items() if state.state is ListState.INCOMPLETE}
    partial = {s: state for s, state in incomplete.items() if _could_matter(s, answers)}
    not_checked = _left_unknown(answers, partial)
    if not partial:
        return (silent(),)
    return (
        fires(
            "partial",
            keys=", ".join(source.value for source in partial),
            counts=", ".join(f"{source.value}: {_count(state)}" for source, state in partial.items()),
            reasons=", ".join(f"{s.value}: {_reason(state)}" for s, state in partial.items() if state.hindrance),
            not_checked=", ".join(not_checked),
        ).without(partial),
    )


def _could_matter(source: Source, answers: Answers) -> bool:
    """Whether the missing part could change a conclusion: not where the fact looked for is already found."""
    return source not in LOOKED_THROUGH or bool(_left_unknown(answers, [source]))


def _reason(state: SourceState) -> str:
    """What became of a list; where we asked for it ourselves, why that did not help."""
    return state.hindrance.value if state.hindrance is not None else state.state.value


def _count(state: SourceState) -> str:
    return f"{state.received}/{'?' if state.total is None else state.total}"


@rule
def data_wrong_patient(facts: PatientFacts, known: Known) -> Answer:
    """An entry, an order or the record itself may be about somebody else (C7)."""
    problems = facts.identity_problems
    if not problems:
        return silent()
    record = [p for p in problems if p.fault in (IdentityFault.RECORD_MERGED, IdentityFault.RECORD_INACTIVE)]
    nameless = all(p.fault is IdentityFault.NO_SUBJECT for p in problems)
    grade = "record-not-current" if record else "no-subject" if nameless else "other-patient"
    return fires(
        grade,
        [problem.evidence for problem in problems],
        entries=len(problems),
        named=", ".join(dict.fromkeys(problem.named for problem in problems if problem.named)),
        expected=problems[0].expected,
        is_merged=any(p.fault is IdentityFault.RECORD_MERGED for p in record),
    )


@rule
def data_future_dated(facts: PatientFacts, known: Known) -> Answer:
    """An entry is dated after now and was set aside (C2)."""
    if not facts.future_dated:
        return silent()
    matters = any(item.matters for item in facts.future_dated)
    return fires(
        "would-have-counted" if matters else "set-aside",
        [item.evidence for item in facts.future_dated],
        entries=len(facts.future_dated),
        written=", ".join(item.written for item in facts.future_dated),
        server_time=facts.now.isoformat(timespec="minutes"),
        zone=facts.zone,
    )


@rule
def infusion_date_unknown(facts: PatientFacts, known: Known) -> Answer:
    """The product was given, or should have been, and the day is unknown, contradicted or only presumed (C8)."""
    given = [item for item in facts.exposures if item.kind is not ExposureKind.OTHER_PRODUCT]
    evidence = [item.evidence for item in given]
    certain = [item for item in given if _is_dated_administration(item)]
    # Beside a dose that is sure, what an order presumes is settled; what is recorded otherwise is not.
    told = [item for item in given if item.kind is not ExposureKind.PRESUMED_FROM_ORDER and not item.given.is_future]
    days = sorted({item.given.day for item in (told if certain else certain) if item.given.day is not None})
    if len(days) > 1 and days_from(days[0], days[-1]) > known.policy.whole("exposure.same_infusion_days"):
        return fires("two-dates", evidence, first_date=days[0], last_date=days[-1])
    if certain:
        is_open = any(item.given.day is None and item.kind is not ExposureKind.POSSIBLE for item in told)
        return fires("no-date", evidence, infusion_date=days[0]) if is_open else silent()
    presumed = [item for item in given if item.kind is ExposureKind.PRESUMED_FROM_ORDER and item.given.day]
    if presumed:
        return fires("presumed", evidence, infusion_date=presumed[0].given.day or "")
    if given:
        return fires("no-date", evidence, infusion_date="")
    overdue = _orders_past_their_day(facts, known)
    if overdue:
        return fires("planned-day-passed", overdue)
    lacking = facts.lacking(Source.GIVEN_DOSES)
    return unknown(lacking) if lacking else silent()


def _is_dated_administration(item: Exposure) -> bool:
    return item.kind in (ExposureKind.GIVEN, ExposureKind.PARTLY_GIVEN) and item.given.may_satisfy


def _orders_past_their_day(facts: PatientFacts, known: Known) -> list[Evidence]:
    allowed = known.policy.whole("order.open_after_planned_days")
    return [
        order.evidence
        for order in facts.open_orders
        if order.planned and order.planned.day and days_from(order.planned.day, facts.today) > allowed
    ]


@rule
def multiple_birth_check(facts: PatientFacts, known: Known) -> Answer:
    """The child is a twin or one of several: two children may be treated in one week (label 1)."""
    if not facts.planned_orders or not facts.is_multiple_birth:
        return silent()
    return fires("reminder", [facts.patient])
