"""Medicines beside the product, as plain values: corticosteroids, vaccines, anti-infectives (C1, C11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing


class SteroidRoute(Enum):
    """By which way a corticosteroid acts on the whole body, or that nobody can tell."""

    ORAL = "oral"
    INTRAVENOUS = "intravenous"
    OTHER_SYSTEMIC = "other-systemic"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, slots=True)
class SteroidPhase:
    """One instruction of a corticosteroid order: so much, so often, from one day to another.

    `mg` is one administration of the drug itself, `mg_per_kg` the same by weight; both None where the record does
    not give them, and then `why_unknown` names the reason. `times_per_day` is None where no frequency can be read.
    `every_days` is 2 for every other day. `weekdays` (Monday is 0) and `only_on` restrict the days; empty: all.
    `first_day` is None where no start is written; `last_day` is None where no end is. `sequence` orders steps.
    `is_end_presumed`: the order is over and nothing says since when, so that its last days are not sure.
    `has_exact_days` is False where a day is that of a time without a zone, which proves nothing (ruling 62).
    `why_days_unknown` names the start or the end that is written and is no day, "" where both can be read: the dose
    then stands, and nobody can tell on which days.
    """

    mg: Decimal | None
    mg_per_kg: Decimal | None
    times_per_day: Decimal | None
    every_days: int
    weekdays: frozenset[int]
    only_on: frozenset[date]
    first_day: date | None
    last_day: date | None
    sequence: int | None
    why_unknown: str
    written: str
    is_end_presumed: bool = False
    has_exact_days: bool = True
    why_days_unknown: str = ""


@dataclass(frozen=True, slots=True)
class SteroidOrder:
    """One order for a systemic corticosteroid. PRN, inhaled, topical orders and the like are none.

    `drug` is its concept, such as prednisolone; "" where only a name was recognised. `is_cover` is False for an
    order that is on hold or ended: it covers no day from today on. One that is not ACCEPTED proves no day.
    `is_draft`: in the hand of the prescriber, so that it covers no day before today. `is_being_stopped`: the call
    takes it back. `is_being_changed`: a draft changes it or takes its place. `strength_mg_per_ml` is that of the
    ordered product, where known. `written_on` is the day of writing. `supply_ends` is the last day that the dispensed
    supply lasts, where stated. `is_depot`: acts for weeks. `is_status_unclear`: nobody can read whether it runs, has
    ended or was never given.
    """

    order_id: str
    drug: str
    route: SteroidRoute
    phases: tuple[SteroidPhase, ...]
    is_cover: bool
    standing: Standing
    is_draft: bool
    is_depot: bool
    strength_mg_per_ml: Decimal | None
    written_on: date | None
    supply_ends: date | None
    reason_written: str
    evidence: Evidence
    is_being_stopped: bool = False
    is_being_changed: bool = False
    is_status_unclear: bool = False


@dataclass(frozen=True, slots=True)
class StartedMedicine:
    """A course of a medicine that is told by name only. `starts` is its first day, else the day of writing."""

    starts: date | None
    standing: Standing
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SteroidDose:
    """One recorded administration of a systemic corticosteroid, or that it was not done.

    `mg` is of the drug itself, None where it cannot be read.
    """

    drug: str
    route: SteroidRoute
    mg: Decimal | None
    was_given: bool
    given: ClinicalTime
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class AntiInfective:
    """A course of a systemic anti-infective medicine. `ends` is None where it is running without a stated end.

    `starts` is its first day, else the day of writing; None where neither is known.
    """

    is_active: bool
    is_prophylaxis: bool
    starts: date | None
    ends: date | None
    standing: Standing
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Vaccination:
    """A vaccine or RSV antibody that was given, by concept."""

    concept: str
    given: ClinicalTime
    standing: Standing
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class VaccineOrder:
    """A vaccine being ordered or booked; no antibody.

    `planned` is its day; today where none is written (ruling 36), and where one is that cannot be read: then
    `is_day_known` is False, and it may be any day.
    """

    order_id: str
    concept: str
    planned: date
    evidence: Evidence
    is_day_known: bool = True
