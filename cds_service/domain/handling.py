"""Visits, and what happens to the kit on its way to the child: received, drawn up (label 2.2, 16.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence


class KitStep(Enum):
    """What was done with the kit."""

    RECEIVED = "received"
    DRAWN = "drawn"


@dataclass(frozen=True, slots=True)
class KitEvent:
    """One recorded step of the kit's way."""

    step: KitStep
    happened: ClinicalTime
    evidence: Evidence


class VisitKind(Enum):
    """What an appointment is for, as far as this service tells visits apart."""

    INFUSION = "infusion"
    VACCINATION = "vaccination"
    FOLLOW_UP = "follow-up"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Slot:
    """An appointment, proposed or booked. `is_proposed`: it is the one being booked now."""

    kind: VisitKind
    starts: ClinicalTime
    is_proposed: bool
    evidence: Evidence
