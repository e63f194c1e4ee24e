"""How cards fared: shown, accepted, overridden and why, by topic, by rule and by week.

A card that got no feedback was neither accepted nor overridden (R-157). A card counts once, however often the same
call was repeated or the same feedback sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Engine, exists, func, select

from cds_service.store.engine import create_database_engine, database_url, reading_at_leisure, starting
from cds_service.store.feedback import OVERRIDDEN
from cds_service.store.schema import require_current
from cds_service.store.tables import (
    cards_shown,
    feedback,
    findings_kept_quiet,
    findings_shown,
    override_reasons,
    reviews,
)

# How reasons are called that are none of ours: their codes are another's, and may be free text.
FOREIGN_REASON, NO_REASON = "foreign-reason", "no-reason"
_CardKey = tuple[str, str]


@dataclass(slots=True)
class Counts:
    """Of cards: how many were shown, accepted, overridden. Of findings: how many were kept quiet."""

    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    kept_quiet: int = 0


@dataclass(slots=True)
class Figures:
    """The counts of one topic or rule: in all, by reason, and by ISO week such as 2026-W10, in order."""

    total: Counts = field(default_factory=Counts)
    reasons: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    weeks: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """The figures by topic and by rule; and how many items of feedback were about cards that are not known here."""

    topics: Mapping[str, Figures]
    rules: Mapping[str, Figures]
    items_on_unknown_cards: int


def read_report(url: str, zone: tzinfo) -> FeedbackReport:
    """The report of this database, weeks as they are in this zone. Raises SettingsProblem or StoreUnavailable."""
    engine = create_database_engine(database_url(url))
    try:
        with starting():
            return _report(engine, zone)
    finally:
        engine.dispose()


def _report(engine: Engine, zone: tzinfo) -> FeedbackReport:
    require_current(engine)
    topics: defaultdict[str, Figures] = defaultdict(Figures)
    rules: defaultdict[str, Figures] = defaultdict(Figures)
    with reading_at_leisure(engine) as connection:
        outcomes, reasons = _outcomes(connection), _reasons(connection)
        rules_on = _rules_on(connection)
        for (patient, uuid), topic, first_shown in _cards(connection):
            week = _week(first_shown, zone)
            figures = [topics[topic], *(rules[rule] for rule in rules_on.get((patient, uuid), ()))]
            for each in figures:
                _count(each, week, outcomes.get(uuid, frozenset()), reasons.get(uuid, frozenset()))
        for topic, rule, shown_at in _kept_quiet(connection):
            for each in (topics[topic], rules[rule]):
                each.total.kept_quiet += 1
                each.weeks[_week(shown_at, zone)].kept_quiet += 1
        unknown = _items_on_unknown_cards(connection)
    return FeedbackReport(_in_order(topics), _in_order(rules), unknown)


def _count(figures: Figures, week: str, outcomes: Iterable[str], reasons: Iterable[str]) -> None:
    for counts in (figures.total, figures.weeks[week]):
        counts.shown += 1
        for outcome in outcomes:
            setattr(counts, outcome, getattr(counts, outcome) + 1)
    for reason in reasons:
        figures.reasons[reason] += 1


def _in_order(figures: Mapping[str, Figures]) -> dict[str, Figures]:
    for each in figures.values():
        each.weeks = dict(sorted(each.weeks.items()))
        each.reasons = dict(sorted(each.reasons.items()))
    return dict(sorted(figures.items()))


def _week(moment: datetime, zone: tzinfo) -> str:
    year, week, _ = moment.astimezone(zone).isocalendar()
    return f"{year}-W{week:02}"


def _cards(connection: Connection) -> Iterable[tuple[_CardKey, str, datetime]]:
    """Each card once for each patient, with its topic and when it was shown first."""
    columns = (reviews.c.patient_hash, cards_shown.c.card_uuid, cards_shown.c.topic)
    statement = select(*columns, func.min(reviews.c.shown_at)).join_from(reviews, cards_shown).group_by(*columns)
    for patient, uuid, topic, shown_at in connection.execute(statement):
        yield (patient, uuid), topic, shown_at


def _rules_on(connection: Connection) -> Mapping[_CardKey, set[str]]:
    columns = (reviews.c.patient_hash, cards_shown.c.card_uuid, findings_shown.c.rule_id)
    statement = select(*columns).join_from(reviews, cards_shown).join(findings_shown).distinct()
    found: defaultdict[_CardKey, set[str]] = defaultdict(set)
    for patient, uuid, rule in connection.execute(statement):
        found[patient, uuid].add(rule)
    return found


def _outcomes(connection: Connection) -> Mapping[str, set[str]]:
    return _gathered(connection.execute(select(feedback.c.card_uuid, feedback.c.outcome).distinct()))


def _reasons(connection: Connection) -> Mapping[str, set[str]]:
    """Why each card was overridden, by its uuid."""
    statement = (
        select(feedback.c.card_uuid, override_reasons.c.code, override_reasons.c.is_ours)
        .outerjoin_from(feedback, override_reasons)
        .where(feedback.c.outcome == OVERRIDDEN)
        .distinct()
    )
    return _gathered((uuid, _reason(code, is_ours)) for uuid, code, is_ours in connection.execute(statement))


def _reason(code: str | None, is_ours: bool | None) -> str:
    if code is None:
        return NO_REASON
    return code if is_ours else FOREIGN_REASON


def _gathered(pairs: Iterable[Any]) -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for uuid, value in pairs:
        found[uuid].add(value)
    return found


def _kept_quiet(connection: Connection) -> Iterable[tuple[str, str, datetime]]:
    quiet = findings_kept_quiet
    statement = select(quiet.c.topic, quiet.c.rule_id, reviews.c.shown_at).join_from(quiet, reviews)
    return [(topic, rule, shown_at) for topic, rule, shown_at in connection.execute(statement)]


def _items_on_unknown_cards(connection: Connection) -> int:
    is_known = exists().where(cards_shown.c.card_uuid == feedback.c.card_uuid)
    statement = select(func.count()).select_from(feedback).where(~is_known)
    return connection.execute(statement).scalar_one()
