"""What other people do for the child around the treatment: consultations, cardiac evaluations, teaching, the stay."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence


class Specialty(Enum):
    """Whom the label names for help, as far as this service tells them apart (label 2.1, 5.1, 5.4, 5.5)."""

    LIVER = "liver"
    BLOOD = "blood"
    KIDNEY = "kidney"
    HEART = "heart"


@dataclass(frozen=True, slots=True)
class Consultation:
    """A specialist who was asked or has seen the child; `when` is the day of asking, or of the visit."""

    specialty: Specialty
    when: ClinicalTime
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class CardiacEvaluation:
    """A look at the heart that was done or is ordered: ECG, echocardiography, cardiology. Troponin is a result."""

    when: ClinicalTime
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Teaching:
    """A record that the caregivers were taught."""

    when: ClinicalTime
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Stay:
    """The hospital stay or visit a call is about. `began` is its first day, NO_TIME where the record does not say."""

    began: ClinicalTime
    evidence: Evidence
