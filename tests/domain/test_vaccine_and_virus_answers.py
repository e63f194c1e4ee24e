"""An antibody is no vaccine, and a viral hepatitis is told by what its entry holds (label 5.1, 5.2, 7)."""

from __future__ import annotations

from dataclasses import replace

from asked_rules import Ask, FactsOf

from cds_service.domain.answers import Verdict
from cds_service.domain.rules.baseline import hepatic_viral_infection
from cds_service.presentation import Catalogue

IN_THE_COURSE = {"infused": "2026-02-20"}
INFLUENZA, NIRSEVIMAB = {"cvx": "161"}, {"cvx": "306"}


def test_during_a_corticosteroid_a_vaccine_is_told_and_an_antibody_is_not(ask: Ask) -> None:
    (vaccine,) = ask("vaccine-during-steroid", {**IN_THE_COURSE, "draft_vaccines": [INFLUENZA]})
    assert vaccine.grade == "any-vaccine"
    (antibody,) = ask("vaccine-during-steroid", {**IN_THE_COURSE, "draft_vaccines": [NIRSEVIMAB]})
    assert (antibody.verdict, antibody.order_id) == (Verdict.SILENT, "")


def test_a_viral_hepatitis_without_a_name_is_told_by_what_is_written(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({"conditions": ["ICD10CM B18.1"]})
    (recorded,) = facts.with_concept("acute_viral_hepatitis", "chronic_hepatitis_b")
    unnamed = replace(recorded, evidence=replace(recorded.evidence, name="", value="as written"))
    answer = hepatic_viral_infection(replace(facts, diagnoses=(unnamed,)), catalogue.known)
    assert (answer.grade, answer.shown["diagnosis"]) == ("recorded", "as written")
