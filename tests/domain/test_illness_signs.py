"""Signs of an illness: which are of now, and which began after the infusion (ruling 48)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from domain_values import EVIDENCE, at

from cds_service.domain.days import NO_TIME, ClinicalTime
from cds_service.domain.evidence import Standing
from cds_service.domain.exposure import infusion_moment
from cds_service.domain.facts import Diagnosis, Exposure, ExposureKind, PatientFacts
from cds_service.domain.illness_signs import acute_illness_signs, liver_failure_signs, liver_symptoms
from cds_service.domain.infection import infection_evidence, unreadable_temperatures
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
INFUSED = date(2026, 2, 20)


@pytest.fixture
def child(facts_of: FactsOf) -> PatientFacts:
    return facts_of({"moment": "chart", "infused": "2026-02-20"})


def with_signs(facts: PatientFacts, concept: str, *onsets: ClinicalTime) -> PatientFacts:
    """The child with one entry of this concept for each onset."""
    made = [
        Diagnosis(concept, Standing.ACCEPTED, replace(EVIDENCE, reference=f"Condition/{n}"), onset=onset)
        for n, onset in enumerate(onsets)
    ]
    return replace(facts, diagnoses=tuple(made))


def began(signs: tuple[Diagnosis, ...]) -> list[str]:
    return [sign.onset.written for sign in signs]


def test_symptoms_count_from_the_day_itself_on(child: PatientFacts) -> None:
    facts = with_signs(child, "vomiting", at("2026-02-23"), at("2026-02-24"), at("2026-02-25"), NO_TIME)
    assert began(liver_symptoms(date(2026, 2, 24), facts)) == ["2026-02-24", "2026-02-25", ""]


def test_signs_of_an_acute_illness_count_from_the_infusion_day_on(child: PatientFacts, catalogue: Catalogue) -> None:
    facts = with_signs(child, "vomiting", at("2026-02-19"), at("2026-02-20"), at("2026-02-21"), NO_TIME)
    assert began(acute_illness_signs(INFUSED, facts, catalogue.known)) == ["2026-02-20", "2026-02-21", ""]


@pytest.mark.parametrize(
    ("onset", "is_told"),
    [
        (at("2026-02-19"), False),
        (at("2026-02-20"), False),
        (at("2026-02-20", "10:00"), False),
        (at("2026-02-20", "10:01"), True),
        (at("2026-02-21"), True),
        (NO_TIME, True),
    ],
)
def test_on_the_infusion_day_only_a_later_hour_is_after_the_infusion(
    child: PatientFacts, onset: ClinicalTime, is_told: bool
) -> None:
    assert bool(liver_failure_signs(INFUSED, with_signs(child, "jaundice", onset))) is is_told


def test_on_an_infusion_day_without_an_hour_no_sign_of_that_day_is_surely_later(child: PatientFacts) -> None:
    given = (Exposure(ExposureKind.GIVEN, at("2026-02-20"), frozenset(), EVIDENCE),)
    facts = with_signs(replace(child, exposures=given), "jaundice", at("2026-02-20", "23:00"))
    assert liver_failure_signs(INFUSED, facts) == ()


def test_a_sign_of_an_unknown_time_is_not_surely_of_the_last_hours(child: PatientFacts) -> None:
    assert not child.is_within(NO_TIME, timedelta(days=1000))


def test_of_two_records_of_the_infusion_day_the_earlier_hour_is_its_beginning(child: PatientFacts) -> None:
    hours = [at("2026-02-20", "11:00"), at("2026-02-20", "09:00")]
    made = (Exposure(ExposureKind.GIVEN, hour, frozenset(), EVIDENCE) for hour in hours)
    assert infusion_moment(replace(child, exposures=tuple(made))) == hours[1].instant


def test_a_reason_of_the_visit_that_is_no_symptom_is_none(child: PatientFacts) -> None:
    reason = Diagnosis("spinal_muscular_atrophy", Standing.ACCEPTED, EVIDENCE)
    symptom = replace(reason, concept="vomiting", evidence=replace(EVIDENCE, reference="Condition/2"))
    facts = replace(child, diagnoses=(), visit_reasons=(reason, symptom))
    assert [sign.concept for sign in liver_symptoms(INFUSED, facts)] == ["vomiting"]


# --- infection


def test_a_reason_of_the_visit_that_is_no_infection_is_none(child: PatientFacts, catalogue: Catalogue) -> None:
    reason = Diagnosis("spinal_muscular_atrophy", Standing.ACCEPTED, EVIDENCE)
    facts = replace(child, diagnoses=(), visit_reasons=(reason,))
    assert infection_evidence(facts, catalogue.known).kinds == ()


@pytest.mark.parametrize(("day", "kinds"), [("2026-02-19", ()), ("2026-02-20", ("diagnosis",))])
def test_an_infection_is_told_from_the_day_on_that_is_asked_about(
    child: PatientFacts, catalogue: Catalogue, day: str, kinds: tuple[str, ...]
) -> None:
    facts = with_signs(child, "infection", at(day))
    assert infection_evidence(facts, catalogue.known, since=INFUSED).kinds == kinds


def test_an_infection_that_is_over_is_none(child: PatientFacts, catalogue: Catalogue) -> None:
    (sign,) = with_signs(child, "infection", at("2026-02-25")).diagnoses
    facts = replace(child, diagnoses=(replace(sign, standing=Standing.NO_INFORMATION),))
    assert infection_evidence(facts, catalogue.known).kinds == ()


@pytest.mark.parametrize(
    ("value", "is_readable"), [("45 Cel", True), ("45.1 Cel", False), ("45 [degF]", False), ("45.1 [degF]", True)]
)
def test_a_number_that_belongs_to_the_other_scale_cannot_be_read(
    facts_of: FactsOf, catalogue: Catalogue, value: str, is_readable: bool
) -> None:
    facts = facts_of({"temperatures": [{"value": value}]})
    assert (unreadable_temperatures(facts, catalogue.known) == []) is is_readable
