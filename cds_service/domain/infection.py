"""Evidence of a present infection: diagnoses and signs, fever, tests, medicines (clinical-rules group E; label 5.2).

Evidence is looked for; that there is none is never concluded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cds_service.domain.days import days_from
from cds_service.domain.evidence import Evidence, Standing
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.medicines import AntiInfective
from cds_service.domain.quantities import Quantity, exact_product
from cds_service.domain.results import Temperature

CELSIUS = "Cel"
PATHOGEN_TEST = "respiratory_pathogen_test"
_CONCEPTS = ("infection", "sign_of_infection")


@dataclass(frozen=True, slots=True)
class InfectionEvidence:
    """What speaks for an infection: the kinds of evidence by name, the evidence, and the temperature that counts."""

    kinds: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    temperature: str


def infection_evidence(facts: PatientFacts, known: Known, since: date | None = None) -> InfectionEvidence:
    """All that speaks for an infection now; with `since`, only what began or was measured on that day or later."""
    fevers = [t.evidence for t in facts.temperatures if _is_fever(t, facts, known) and _is_since(t.measured.day, since)]
    found = {
        "diagnosis": [*_diagnosed("infection", facts, since), *_diagnosed("acute_viral_hepatitis", facts, since)],
        "sign": _diagnosed("sign_of_infection", facts, since),
        "fever": fevers,
        "test": _positive_tests(facts, known, since),
        "medicine": [
            m.evidence for m in facts.anti_infectives if _is_treatment(m, facts, known) and _is_since(m.starts, since)
        ],
        "visit-reason": [r.evidence for r in facts.visit_reasons if r.concept in _CONCEPTS],
    }
    return InfectionEvidence(
        kinds=tuple(kind for kind, items in found.items() if items),
        evidence=tuple(item for items in found.values() for item in items),
        temperature=fevers[0].value if fevers else "",
    )


def unreadable_temperatures(facts: PatientFacts, known: Known) -> list[Evidence]:
    """Recent temperatures whose unit cannot be read or cannot be right."""
    hours = timedelta(hours=known.policy.whole("fever.within_hours"))
    return [
        item.evidence
        for item in facts.temperatures
        if item.standing is not Standing.NO_INFORMATION
        and facts.may_be_within(item.measured, hours)
        and (item.quantity is None or _is_implausible(item.quantity, known))
    ]


def _is_implausible(quantity: Quantity, known: Known) -> bool:
    """Whether the number belongs to the other scale."""
    highest = known.policy["temperature.plausible_at_most_celsius"]
    return quantity.value > highest if quantity.unit == CELSIUS else quantity.value <= highest


def _is_fever(item: Temperature, facts: PatientFacts, known: Known) -> bool:
    if item.quantity is None or item.standing is Standing.NO_INFORMATION or _is_implausible(item.quantity, known):
        return False
    limit = known.policy["fever.at_least_celsius"]
    is_celsius = item.quantity.unit == CELSIUS
    is_high = item.quantity.value >= (limit if is_celsius else _in_fahrenheit(limit, known))
    return is_high and facts.may_be_within(item.measured, timedelta(hours=known.policy.whole("fever.within_hours")))


def _in_fahrenheit(celsius: Decimal, known: Known) -> Decimal:
    """Exactly; the other direction would have to be rounded."""
    return exact_product(celsius, known.outside["fahrenheit_per_celsius"]) + known.outside["fahrenheit_at_zero_celsius"]


def _diagnosed(concept: str, facts: PatientFacts, since: date | None) -> list[Evidence]:
    current = [d for d in facts.with_concept(concept) if d.standing is not Standing.NO_INFORMATION]
    return [d.evidence for d in current if _is_since(d.onset.day, since)]


def _positive_tests(facts: PatientFacts, known: Known, since: date | None) -> list[Evidence]:
    allowed = known.policy.whole("infection.test_days")
    return [
        item.evidence
        for item in facts.infection_tests
        if item.concept == PATHOGEN_TEST
        and item.is_positive
        and item.standing is not Standing.NO_INFORMATION
        and (item.measured.day is None or days_from(item.measured.day, facts.today) <= allowed)
        and _is_since(item.measured.day, since)
    ]


def _is_treatment(medicine: AntiInfective, facts: PatientFacts, known: Known) -> bool:
    """Whether a course runs, or ended so recently that it still speaks for an infection; prophylaxis does not."""
    if medicine.is_prophylaxis or medicine.standing is Standing.NO_INFORMATION:
        return False
    if medicine.starts is not None and medicine.starts > facts.today:
        return False
    if medicine.ends is not None:
        allowed = known.policy.whole("infection.anti_infective_after_days")
        return days_from(medicine.ends, facts.today) <= allowed
    return medicine.is_active


def _is_since(day: date | None, since: date | None) -> bool:
    """Whether something of this day may have begun since then; of an unknown day it may."""
    return since is None or day is None or day >= since
