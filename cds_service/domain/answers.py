"""What a rule says: it fires, is silent, or is unknown; and what it proposes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import Enum

from cds_service.domain.evidence import Evidence, distinct
from cds_service.domain.facts import Source

Missing = Source | str | tuple[Source | str, ...]
Shown = str | int | bool | Decimal | date


class Verdict(Enum):
    """The three things a rule can say. It never "passes"."""

    FIRES = "fires"
    SILENT = "silent"
    UNKNOWN = "unknown"


class Assurance(Enum):
    """What a silent answer is worth on the checklist.

    VERIFIED: accepted data show that the condition does not hold. ATTEST: a person has to confirm it.
    NONE: nothing to say, and nothing to rely on.
    """

    VERIFIED = "verified"
    ATTEST = "attest"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CorrectOrder:
    """Change a draft to what the label and the site's policy give; a None or False leaves that part as it is."""

    order_id: str
    volume_ml: Decimal | None = None
    ml_per_hour: Decimal | None = None
    minutes: Decimal | None = None
    kit_ndc: str = ""
    to_intravenous: bool = False
    to_one_kit: bool = False
    to_single_dose: bool = False


@dataclass(frozen=True, slots=True)
class DeleteOrder:
    """Take a draft back: one for the product, or for something else."""

    order_id: str
    is_product: bool = True


@dataclass(frozen=True, slots=True)
class RequestTest:
    """Order a test, measurement or consultation; `test` names an entry of the card files' list of orders.

    `is_follow_up`: after the infusion. `on` is the day it is wanted for, None for now.
    """

    test: str
    is_follow_up: bool = False
    on: date | None = None


@dataclass(frozen=True, slots=True)
class OrderMonitoring:
    """Order all of these tests at once: the rest of the calendar, as one step."""

    tests: tuple[RequestTest, ...]


@dataclass(frozen=True, slots=True)
class OrderSteroid:
    """Order prednisolone by mouth once a day: mg and mL of one dose, the solution's strength, and the days.

    `mg_per_kg` is what the rounded dose amounts to at the child's weight. `purpose` says in one word what for: start,
    continue, hold, or return to the full dose.
    """

    mg: Decimal
    ml: Decimal
    strength_mg_per_ml: Decimal
    mg_per_kg: Decimal
    first_day: date
    last_day: date
    supply_days: int
    purpose: str = "start"


@dataclass(frozen=True, slots=True)
class TaperStep:
    """One step of a taper: mg and mL of one dose, once a day, from one day to another."""

    mg: Decimal
    ml: Decimal
    mg_per_kg: Decimal
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class OrderTaper:
    """Order prednisolone in falling steps, from the site's template; the label gives no steps."""

    steps: tuple[TaperStep, ...]
    strength_mg_per_ml: Decimal


@dataclass(frozen=True, slots=True)
class OrderIntravenousSteroid:
    """Order methylprednisolone into a vein once a day, equivalent to the prednisolone that is not kept."""

    mg: Decimal


@dataclass(frozen=True, slots=True)
class ExtendSteroid:
    """Let a corticosteroid draft run until this day."""

    order_id: str
    last_day: date


@dataclass(frozen=True, slots=True)
class BeginSteroidLater:
    """Let a corticosteroid draft begin on this day, and end as much later."""

    order_id: str
    first_day: date


ProposedChange = (
    CorrectOrder
    | DeleteOrder
    | RequestTest
    | OrderMonitoring
    | OrderSteroid
    | OrderTaper
    | OrderIntravenousSteroid
    | ExtendSteroid
    | BeginSteroidLater
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One rule's answer, about one order where `order_id` says so.

    `grade` names how a firing rule fires; the card file gives each grade its urgency. `shown` are the values the
    words may use. `missing` says what an unknown answer lacked, or what one about the record itself says is lacking:
    lists of the record, or reasons by name.
    """

    verdict: Verdict
    grade: str = ""
    evidence: tuple[Evidence, ...] = ()
    shown: Mapping[str, Shown] = field(default_factory=dict)
    missing: tuple[Source | str, ...] = ()
    assurance: Assurance = Assurance.NONE
    changes: tuple[ProposedChange, ...] = ()
    rule_id: str = ""
    order_id: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether a card says it: it fires, or it is unknown where the harm would be serious."""
        return bool(self.grade)

    def about(self, order_id: str) -> Answer:
        """The same answer, about this order."""
        return replace(self, order_id=order_id)

    def without(self, lists: Iterable[Source]) -> Answer:
        """The same answer, which says that these lists of the record could not be had."""
        return replace(self, missing=tuple(lists))

    def of(self, rule_id: str) -> Answer:
        """The same answer, given by this rule."""
        # Written out: `replace` takes three times as long, and every answer of every rule passes here.
        return Answer(
            self.verdict,
            self.grade,
            self.evidence,
            self.shown,
            self.missing,
            self.assurance,
            self.changes,
            rule_id,
            self.order_id,
        )


def fires(
    grade: str, evidence: Iterable[Evidence] = (), changes: Iterable[ProposedChange] = (), /, **shown: Shown
) -> Answer:
    """The condition holds, in this grade."""
    return Answer(
        Verdict.FIRES,
        grade=grade,
        evidence=distinct(evidence),
        shown=shown,
        changes=tuple(dict.fromkeys(changes)),
    )


def noted(grade: str, evidence: Iterable[Evidence] = (), /, **shown: Shown) -> Answer:
    """Accepted data answer the rule's question well, and something about them is still worth saying."""
    return replace(fires(grade, evidence, **shown), assurance=Assurance.VERIFIED)


def noted_to_attest(grade: str, evidence: Iterable[Evidence] = (), /, **shown: Shown) -> Answer:
    """Nothing computable is wrong, and what is said here has to be weighed by a person."""
    return replace(fires(grade, evidence, **shown), assurance=Assurance.ATTEST)


def silent(**shown: Shown) -> Answer:
    """The condition does not hold or does not concern this call; it reassures nobody."""
    return Answer(Verdict.SILENT, shown=shown)


def verified(evidence: Iterable[Evidence] = (), /, **shown: Shown) -> Answer:
    """Accepted data show that the condition does not hold."""
    return Answer(Verdict.SILENT, evidence=distinct(evidence), shown=shown, assurance=Assurance.VERIFIED)


def to_attest(evidence: Iterable[Evidence] = (), /, **shown: Shown) -> Answer:
    """Nothing computable is wrong, and a person has to confirm it."""
    return Answer(Verdict.SILENT, evidence=distinct(evidence), shown=shown, assurance=Assurance.ATTEST)


def unknown(missing: Missing, evidence: Iterable[Evidence] = (), /, **shown: Shown) -> Answer:
    """The record cannot say, for lack of these."""
    return Answer(Verdict.UNKNOWN, missing=_each(missing), evidence=distinct(evidence), shown=shown)


def cannot_check(
    grade: str,
    missing: Missing,
    evidence: Iterable[Evidence] = (),
    changes: Iterable[ProposedChange] = (),
    /,
    **shown: Shown,
) -> Answer:
    """The record cannot say, and the harm would be serious: said on a card, in this grade (C6)."""
    return Answer(
        Verdict.UNKNOWN,
        grade=grade,
        missing=_each(missing),
        evidence=distinct(evidence),
        shown=shown,
        changes=tuple(dict.fromkeys(changes)),
    )


def _each(missing: Missing) -> tuple[Source | str, ...]:
    return missing if isinstance(missing, tuple) else (missing,)
