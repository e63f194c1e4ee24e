"""What an answer is, which rules there are, and which numbers were read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from domain_values import EVIDENCE, D, at

from cds_service.domain.answers import Answer, cannot_check, fires, silent, unknown, verified
from cds_service.domain.evidence import Standing
from cds_service.domain.facts import Diagnosis, PatientFacts
from cds_service.domain.known import KnownNumber, Numbers, Provenance
from cds_service.domain.registry import Registry
from cds_service.domain.rules.data_and_identity import data_future_dated
from cds_service.domain.rules.discharge_and_long_term import tumor_report
from cds_service.presentation import Catalogue


@pytest.mark.parametrize(
    ("answer", "is_finding"),
    [
        (fires("grade"), True),
        (cannot_check("grade", "why"), True),
        (unknown("why"), False),
        (silent(), False),
        (verified(()), False),
    ],
)
def test_a_card_says_what_fires_and_what_cannot_be_checked_where_that_is_serious(
    answer: Answer, is_finding: bool
) -> None:
    assert answer.is_finding is is_finding


def test_the_rules_are_those_about_the_child_and_those_that_sum_up() -> None:
    registry = Registry({"weight-stale": lambda *_: ()}, {"baseline-readiness": lambda *_: ()})
    assert registry.ids == {"weight-stale", "baseline-readiness"}
    assert registry.only(frozenset({"weight-stale"})).ids == {"weight-stale"}
    assert registry.only(frozenset({"baseline-readiness"})).ids == {"baseline-readiness"}


def test_a_number_that_is_read_is_told_and_one_that_is_asked_about_is_not() -> None:
    read: list[str] = []
    numbers = Numbers({"limit": KnownNumber("limit", D("1.5"), "kg", Provenance.LABEL, "2.1", "")}, on_use=read.append)
    assert "limit" in numbers
    assert read == []
    assert numbers["limit"] == D("1.5")
    assert read == ["limit"]


@pytest.mark.parametrize("concepts", [("neoplasm", "benign_neoplasm"), ("benign_neoplasm", "neoplasm")])
def test_an_entry_with_codes_of_a_tumour_and_of_a_benign_one_is_a_tumour(
    facts_of: Callable[[Mapping[str, Any]], PatientFacts], catalogue: Catalogue, concepts: tuple[str, str]
) -> None:
    entry = Diagnosis("", Standing.ACCEPTED, EVIDENCE, onset=at("2026-02-25"))
    facts = facts_of({"moment": "chart", "infused": "2026-01-10"})
    facts = replace(facts, diagnoses=tuple(replace(entry, concept=concept) for concept in concepts))
    (answer,) = tumor_report(facts, catalogue.known)
    assert answer.grade == "tumor"


@pytest.mark.parametrize("matters", [(True, False), (False, True)])
def test_one_of_several_future_entries_that_would_have_counted_is_enough(
    facts_of: Callable[[Mapping[str, Any]], PatientFacts], catalogue: Catalogue, matters: tuple[bool, bool]
) -> None:
    facts = facts_of({"weights": [{}, {"days_ago": -1}]})
    (entry,) = facts.future_dated
    facts = replace(facts, future_dated=tuple(replace(entry, matters=each) for each in matters))
    assert data_future_dated(facts, catalogue.known).grade == "would-have-counted"
