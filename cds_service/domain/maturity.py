"""Gestational age at birth, and how mature the child is on a day (clinical-rules group B, label 8.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cds_service.domain.days import DAYS_PER_WEEK, days_from
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import GestationalAge, PatientFacts
from cds_service.domain.known import Known


@dataclass(frozen=True, slots=True)
class AgeAtBirth:
    """The gestational age at birth to reason with, in days, and every value behind it.

    `is_accepted` is False where only a provisional value says so: it may raise a card and clears none.
    """

    days: int
    is_accepted: bool
    evidence: tuple[Evidence, ...]


def age_at_birth(facts: PatientFacts, known: Known) -> AgeAtBirth | None:
    """The gestational age at birth: the newest value, the lower of two that differ too far, or None.

    A lower provisional value takes the place of an accepted one, because it may alarm.
    """
    plausible = [item for item in facts.gestational_ages if is_plausible(item, known)]
    accepted = [item for item in plausible if item.standing is Standing.ACCEPTED]
    provisional = [item for item in plausible if item.standing is Standing.PROVISIONAL]
    evidence = tuple(item.evidence for item in plausible)
    chosen = _newest_or_lowest(accepted, known) if accepted else None
    lowest_provisional = min((_days(item) for item in provisional), default=None)
    if lowest_provisional is not None and (chosen is None or lowest_provisional < chosen):
        return AgeAtBirth(lowest_provisional, False, evidence)
    return AgeAtBirth(chosen, True, evidence) if chosen is not None else None


def has_accepted_age(facts: PatientFacts, known: Known) -> bool:
    """Whether a plausible, accepted gestational age is recorded, whatever else contradicts it."""
    return any(item.standing is Standing.ACCEPTED and is_plausible(item, known) for item in facts.gestational_ages)


def all_are_readable(facts: PatientFacts, known: Known) -> bool:
    """Whether every recorded gestational age that says something could be read and is possible."""
    said = (item for item in facts.gestational_ages if item.standing is not Standing.NO_INFORMATION)
    return all(is_plausible(item, known) for item in said)


def is_plausible(item: GestationalAge, known: Known) -> bool:
    """Whether the value was read and lies in the range of possible gestational ages at birth."""
    if item.at_birth_days is None:
        return False
    shortest = weeks(known.policy.whole("gestational_age.plausible.at_least_weeks"))
    longest = weeks(known.policy.whole("gestational_age.plausible.at_most_weeks"))
    return shortest <= item.at_birth_days <= longest


def weeks(count: int) -> int:
    """This many weeks in days."""
    return count * DAYS_PER_WEEK


def post_menstrual_age(at_birth_days: int, born: date, on: date) -> int:
    """Gestational age at birth plus the days since: the maturity on a day, in days."""
    return at_birth_days + days_from(born, on)


def _newest_or_lowest(accepted: list[GestationalAge], known: Known) -> int:
    values = [_days(item) for item in accepted]
    if max(values) - min(values) > known.policy.whole("gestational_age.agreement_days"):
        return min(values)
    return _days(max(accepted, key=lambda item: item.order_key))


def _days(item: GestationalAge) -> int:
    assert item.at_birth_days is not None
    return item.at_birth_days
