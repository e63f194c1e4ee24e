"""Signs of an acute illness or of a failing liver after the infusion (label 2.1, 5.1, 17).

What is recorded may raise an alarm, whether confirmed or not. That there is no sign is never concluded.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from cds_service.domain.evidence import Standing
from cds_service.domain.exposure import infusion_moment
from cds_service.domain.facts import Diagnosis, PatientFacts
from cds_service.domain.known import Known

LIVER_FAILURE = ("hepatic_failure", "encephalopathy", "jaundice", "liver_disease")
NEONATAL_JAUNDICE = "neonatal_jaundice"
LIVER_SYMPTOMS = ("vomiting", "jaundice", "decreased_alertness", "deterioration", "encephalopathy", "hepatic_failure")
ACUTE_ILLNESS = (*LIVER_SYMPTOMS, "infection", "sign_of_infection")


def liver_failure_signs(infusion: date, facts: PatientFacts) -> tuple[Diagnosis, ...]:
    """What speaks for an acute liver injury, with an onset after the infusion or on an unknown day (ruling 48).

    Neonatal jaundice only where its onset is known: else it is that of the first weeks of life.
    """
    neonatal = (item for item in _current((NEONATAL_JAUNDICE,), facts) if item.onset.day is not None)
    told = (*_current(LIVER_FAILURE, facts), *neonatal)
    return _once(item for item in told if _is_after(item, infusion, facts))


def liver_symptoms(since: date, facts: PatientFacts) -> tuple[Diagnosis, ...]:
    """Symptoms that began on this day or later, or on an unknown one."""
    return tuple(item for item in _current(LIVER_SYMPTOMS, facts) if item.onset.day is None or item.onset.day >= since)


def acute_illness_signs(infusion: date, facts: PatientFacts, known: Known) -> tuple[Diagnosis, ...]:
    """Signs of an acute illness since the infusion day; one that is over only for the site's hours."""
    hours = timedelta(hours=known.policy.whole("liver.acute_illness.hours"))
    past = [
        item
        for item in facts.with_concept(*ACUTE_ILLNESS)
        if item.standing is Standing.NO_INFORMATION and facts.is_within(item.onset, hours)
    ]
    told = [*_current(ACUTE_ILLNESS, facts), *past]
    return _once(item for item in told if item.onset.day is None or item.onset.day >= infusion)


def _current(concepts: tuple[str, ...], facts: PatientFacts) -> tuple[Diagnosis, ...]:
    """Diagnoses and reasons of the visit that are not over, each entry of the record once."""
    named = (*facts.with_concept(*concepts), *(item for item in facts.visit_reasons if item.concept in concepts))
    return _once(item for item in named if item.standing is not Standing.NO_INFORMATION)


def _once(items: Iterable[Diagnosis]) -> tuple[Diagnosis, ...]:
    return tuple({(item.evidence.reference, item.evidence.name): item for item in items}.values())


def _is_after(item: Diagnosis, infusion: date, facts: PatientFacts) -> bool:
    """On the infusion day itself only where both hours say so."""
    day, moment, began = item.onset.day, item.onset.instant, infusion_moment(facts)
    if day is None or day != infusion:
        return day is None or day > infusion
    return moment is not None and began is not None and moment.timestamp() > began.timestamp()
