"""Results of the laboratory and the bedside as plain values: what was reported, in which unit, against which limits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from cds_service.domain.days import ClinicalTime
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.intervals import Interval
from cds_service.domain.quantities import Quantity


class LabFlag(Enum):
    """What the laboratory itself says of a result, where it says anything."""

    NORMAL = "normal"
    HIGH = "high"
    LOW = "low"
    ABNORMAL = "abnormal"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """A result's own limits (C5). `number` is the result in the unit of the limits.

    `is_unit_known` is False where neither the result nor its limits state a unit: such a pair may alarm and
    satisfies nothing. `is_from_text` and `is_lowest_of_several` say how the limits were found.
    """

    number: Interval
    low: Decimal | None
    high: Decimal | None
    written: str
    is_unit_known: bool = True
    is_from_text: bool = False
    is_lowest_of_several: bool = False


@dataclass(frozen=True, slots=True)
class LabResult:
    """One result of one analyte.

    `number` is the number as reported, None where there is none (haemolysed, pending, clumped, words only).
    `amount` is that number in the analyte's own unit, None where its unit cannot be interpreted.
    `limits` is None where the result has no usable range. `had_no_result`: the sample was taken and gave nothing, as
    a clumped or haemolysed one; such a result carries no information, and awaits none.
    """

    analyte: str
    number: Interval | None
    amount: Interval | None
    limits: ReferenceRange | None
    flag: LabFlag
    written: str
    measured: ClinicalTime
    standing: Standing
    is_correction: bool
    order_key: tuple[str, str]
    evidence: Evidence
    had_no_result: bool = False

    @property
    def is_unread(self) -> bool:
        """Whether it says something from which no number could be read, such as "170 U/L (H)" or "elevated"."""
        return self.number is None and bool(self.written)


class TiterReading(Enum):
    """What a report of the anti-AAV9 antibody test holds."""

    RECIPROCAL = "reciprocal"
    NEGATIVE = "negative"
    NOT_INTERPRETABLE = "not-interpretable"
    NO_RESULT = "no-result"


@dataclass(frozen=True, slots=True)
class TiterResult:
    """One anti-AAV9 antibody result. `reciprocal` is the titre's reciprocal (1:50 is 50), only for RECIPROCAL.

    `method` is what the report says of it; `is_other_method`: that is not the ELISA that the label's limit refers to.
    """

    reading: TiterReading
    reciprocal: Interval | None
    written: str
    method: str
    is_other_method: bool
    measured: ClinicalTime
    standing: Standing
    is_correction: bool
    order_key: tuple[str, str]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Temperature:
    """One body temperature in `Cel` or `[degF]`; None where its number or unit cannot be interpreted."""

    quantity: Quantity | None
    measured: ClinicalTime
    standing: Standing
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class InfectionTest:
    """One test for an infectious agent, by concept. `is_positive` is None where the result says neither."""

    concept: str
    is_positive: bool | None
    measured: ClinicalTime
    standing: Standing
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RequestedTest:
    """A test that is ordered, in the record or beside the order in hand; `concepts` say what it would measure.

    `is_active`: on its way, so that it need not be ordered again.
    """

    concepts: frozenset[str]
    is_active: bool
    ordered: ClinicalTime
    wanted: ClinicalTime
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class BloodPressure:
    """One systolic blood pressure in mmHg; None where its number or unit cannot be interpreted."""

    systolic: Decimal | None
    measured: ClinicalTime
    standing: Standing
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class UrineOutput:
    """One recorded urine output: the volume of 24 hours in mL; None where it cannot be interpreted."""

    ml_per_day: Decimal | None
    measured: ClinicalTime
    standing: Standing
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class BloodSmear:
    """One look at a blood smear for schistocytes. `has_schistocytes` is None where the report says neither."""

    has_schistocytes: bool | None
    measured: ClinicalTime
    standing: Standing
    evidence: Evidence
