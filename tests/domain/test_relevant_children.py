"""Which children concern this service once the record is read; and the day of the infusion (clinical-rules C8, C9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from domain_values import EVIDENCE, at

from cds_service.domain.days import NO_TIME
from cds_service.domain.exposure import day_zero, infusion_day, infusions_on, last_infusion_day
from cds_service.domain.facts import Exposure, ExposureKind, PatientFacts
from cds_service.domain.infection import infection_evidence
from cds_service.domain.product_code import is_of_product, is_vial
from cds_service.domain.relevance import Concern, concern_of, concerns_the_product, follows_infusion
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
BARE = {"draft": "none", "steroids": []}
TREATED = {**BARE, "given_doses": [{"days_ago": 20}]}
VACCINE_SLOT = [{"for": "vaccination"}]


@pytest.mark.parametrize(
    ("given", "concern"),
    [
        ({}, Concern.PRODUCT),
        (BARE, Concern.NONE),
        ({**BARE, "open_orders": [{}]}, Concern.BESIDE),
        (TREATED, Concern.BESIDE),
        ({"moment": "dispatch"}, Concern.PRODUCT),
        ({"moment": "dispatch", **TREATED}, Concern.NONE),
        ({"moment": "dispatch", **TREATED, "dispatched": ["MedicationRequest/x"]}, Concern.BESIDE),
        ({"moment": "dispatch", **BARE, "open_orders": [{}], "dispatched": ["MedicationRequest/x"]}, Concern.BESIDE),
        ({"moment": "dispatch", **BARE, "dispatched": ["MedicationRequest/x"]}, Concern.NONE),
        ({"moment": "visit"}, Concern.PRODUCT),
        ({"moment": "visit", "draft": {"planned": "2026-03-20"}}, Concern.NONE),
        ({"moment": "visit", **TREATED}, Concern.FOLLOW_UP),
        ({"moment": "visit", **BARE}, Concern.NONE),
        ({"moment": "booking"}, Concern.PRODUCT),
        ({"moment": "booking", "slots": VACCINE_SLOT}, Concern.BESIDE),
        ({"moment": "booking", **BARE, "slots": VACCINE_SLOT}, Concern.NONE),
        ({"moment": "booking", **TREATED, "slots": VACCINE_SLOT}, Concern.BESIDE),
        ({"moment": "booking", "slots": [{"for": "visit"}]}, Concern.NONE),
        ({"moment": "booking", **TREATED, "slots": [{"for": "visit"}]}, Concern.FOLLOW_UP),
        ({"moment": "booking", **TREATED, "slots": [{"name": "Physiotherapy"}]}, Concern.NONE),
        (
            {
                "moment": "booking",
                **TREATED,
                "slots": [{"name": "Physiotherapy"}],
                "appointments": [{"for": "vaccination", "start": "2026-03-09T09:00:00Z"}],
            },
            Concern.NONE,
        ),
        ({"moment": "chart", **BARE}, Concern.NONE),
        ({"moment": "chart", **BARE, "open_orders": [{}]}, Concern.FOLLOW_UP),
        ({"moment": "chart", **TREATED}, Concern.FOLLOW_UP),
        ({"moment": "chart", **BARE, "given_doses": [{"days_ago": 1800}]}, Concern.LONG_TERM),
        ({"moment": "chart", **BARE, "given_doses": [{"product": "itvisma"}]}, Concern.NONE),
        ({"moment": "discharge", **BARE}, Concern.NONE),
        ({"moment": "discharge", **BARE, "open_orders": [{}]}, Concern.NONE),
        ({"moment": "discharge", **BARE, "given_doses": [{"days_ago": 14}]}, Concern.FOLLOW_UP),
        ({"moment": "discharge", **BARE, "given_doses": [{"days_ago": 15}]}, Concern.NONE),
        ({"moment": "discharge", "infused": "2026-02-15"}, Concern.FOLLOW_UP),
        ({"moment": "discharge", "infused": "2026-02-15", "steroids": []}, Concern.NONE),
        (
            {"moment": "discharge", "infused": "2026-02-15", "steroids": [], "stay": {"began": "2026-02-14"}},
            Concern.FOLLOW_UP,
        ),
        (
            {"moment": "discharge", "infused": "2026-02-15", "steroids": [], "stay": {"began": "2026-02-15"}},
            Concern.FOLLOW_UP,
        ),
        (
            {"moment": "discharge", "infused": "2026-02-15", "steroids": [], "stay": {"began": "2026-02-16"}},
            Concern.NONE,
        ),
        ({"moment": "discharge", **BARE, "given_doses": [{"when": "none"}]}, Concern.FOLLOW_UP),
    ],
)
def test_a_call_concerns_us_on_positive_evidence_only(
    catalogue: Catalogue, facts_of: FactsOf, given: Any, concern: Concern
) -> None:
    facts = facts_of(given)
    assert concern_of(facts, catalogue.known) is concern
    assert concerns_the_product(facts) is (concern is Concern.PRODUCT)


@pytest.mark.parametrize(("given_on", "follows"), [("2025-09-02", True), ("2025-09-01", False), ("none", True)])
def test_the_follow_up_ends_after_six_calendar_months(
    catalogue: Catalogue, facts_of: FactsOf, given_on: str, follows: bool
) -> None:
    facts = facts_of({**BARE, "given_doses": [{"when": given_on}]})
    assert follows_infusion(facts, catalogue.known) is follows


def test_another_product_is_followed_by_nobody_here(catalogue: Catalogue, facts_of: FactsOf) -> None:
    facts = facts_of({**BARE, "given_doses": [{"product": "itvisma", "days_ago": 20}]})
    assert [item.kind for item in facts.exposures] == [ExposureKind.OTHER_PRODUCT]
    assert not follows_infusion(facts, catalogue.known)


# --- the day of the infusion


def with_exposures(facts: PatientFacts, *exposures: tuple[ExposureKind, str]) -> PatientFacts:
    made = (Exposure(kind, at(day) if day else NO_TIME, frozenset(), EVIDENCE) for kind, day in exposures)
    return replace(facts, exposures=tuple(made))


KIND = ExposureKind


@pytest.mark.parametrize(
    ("exposures", "expected"),
    [
        ([], None),
        ([(KIND.GIVEN, "2026-02-10")], "2026-02-10"),
        ([(KIND.PARTLY_GIVEN, "2026-02-10")], "2026-02-10"),
        ([(KIND.PRESUMED_FROM_ORDER, "2026-02-01"), (KIND.GIVEN, "2026-02-10")], "2026-02-10"),
        ([(KIND.POSSIBLE, "2026-01-01"), (KIND.PRESUMED_FROM_ORDER, "2026-02-01")], "2026-02-01"),
        ([(KIND.POSSIBLE, "2026-01-01")], "2026-01-01"),
        ([(KIND.GIVEN, "2026-02-12"), (KIND.PARTLY_GIVEN, "2026-02-10")], "2026-02-10"),
        ([(KIND.GIVEN, ""), (KIND.PRESUMED_FROM_ORDER, "2026-02-01")], "2026-02-01"),
        ([(KIND.GIVEN, "")], None),
        ([(KIND.OTHER_PRODUCT, "2026-02-10")], None),
    ],
)
def test_the_infusion_day_is_the_earliest_of_the_most_trusted_records(
    facts_of: FactsOf, exposures: list[tuple[ExposureKind, str]], expected: str | None
) -> None:
    found = infusion_day(with_exposures(facts_of({}), *exposures))
    assert found == (date.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize(
    ("exposures", "expected"),
    [
        ([], None),
        ([(KIND.GIVEN, "2026-02-10"), (KIND.PARTLY_GIVEN, "2026-02-12")], "2026-02-12"),
        ([(KIND.GIVEN, "2026-02-10"), (KIND.POSSIBLE, "2026-02-20")], "2026-02-10"),
        ([(KIND.PRESUMED_FROM_ORDER, "2026-02-20"), (KIND.GIVEN, "2026-02-10")], "2026-02-10"),
        ([(KIND.GIVEN, ""), (KIND.GIVEN, "2026-02-10")], "2026-02-10"),
        ([(KIND.POSSIBLE, "2026-02-10"), (KIND.OTHER_PRODUCT, "2026-02-20")], "2026-02-10"),
        ([(KIND.OTHER_PRODUCT, "2026-02-20")], None),
    ],
)
def test_the_last_infusion_day_is_the_latest_of_the_most_trusted_records(
    facts_of: FactsOf, exposures: list[tuple[ExposureKind, str]], expected: str | None
) -> None:
    found = last_infusion_day(with_exposures(facts_of({}), *exposures))
    assert found == (date.fromisoformat(expected) if expected else None)


@pytest.mark.hazard("H55")
def test_day_zero_is_the_planned_day_until_a_dose_is_recorded(facts_of: FactsOf) -> None:
    facts = facts_of({})
    assert day_zero(facts) == date(2026, 3, 3)
    assert day_zero(with_exposures(facts, (KIND.GIVEN, "2026-02-10"))) == date(2026, 2, 10)
    assert day_zero(with_exposures(facts, (KIND.PRESUMED_FROM_ORDER, "2026-02-10"))) == date(2026, 3, 3)
    assert day_zero(facts_of({"draft": {"planned": "none"}})) is None


def test_only_doses_that_were_given_are_infusions_of_a_day(facts_of: FactsOf) -> None:
    facts = with_exposures(facts_of({}), (KIND.GIVEN, "2026-02-10"), (KIND.POSSIBLE, "2026-02-10"))
    assert [item.kind for item in infusions_on(facts, (date(2026, 2, 10),))] == [KIND.GIVEN]
    assert infusions_on(facts, (date(2026, 2, 11),)) == ()


# --- evidence of an infection


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ({}, ()),
        ({"conditions": ["ICD10CM J06.9"]}, ("diagnosis",)),
        ({"conditions": ["ICD10CM R50.9"]}, ("sign",)),
        ({"temperatures": [{"value": "38.0 Cel"}]}, ("fever",)),
        ({"temperatures": [{"value": "100.4 [degF]"}]}, ("fever",)),
        ({"temperatures": [{"value": "37.9 Cel"}]}, ()),
        ({"temperatures": [{"value": "100.3 [degF]"}]}, ()),
        ({"temperatures": [{"value": "38.5 Cel", "hours_ago": 72}]}, ("fever",)),
        ({"temperatures": [{"value": "38.5 Cel", "hours_ago": 73}]}, ()),
        ({"infection_tests": [{"code": "LOINC 92131-2", "result": "Detected"}]}, ("test",)),
        ({"infection_tests": [{"code": "LOINC 92131-2", "result": "Not detected"}]}, ()),
        ({"anti_infectives": [{}]}, ("medicine",)),
        ({"anti_infectives": [{"reason": "prophylaxis"}]}, ()),
        ({"visit_reasons": ["ICD10CM J06.9"], "moment": "visit"}, ("visit-reason",)),
    ],
)
def test_evidence_of_an_infection_is_told_by_kind(
    catalogue: Catalogue, facts_of: FactsOf, given: Any, kinds: tuple[str, ...]
) -> None:
    assert infection_evidence(facts_of(given), catalogue.known).kinds == kinds


# --- codes of kits and vials


@pytest.mark.parametrize(
    ("code", "of_product", "vial"),
    [
        ("71894-121-03", True, False),
        ("71894-115-01", True, True),
        ("71894-119-01", False, False),
        ("71894-157-01", False, False),
        ("71894-1210-03", False, False),
        ("00078-121-03", False, False),
        ("", False, False),
    ],
)
def test_a_code_names_a_kit_or_a_vial_of_this_product(code: str, of_product: bool, vial: bool) -> None:
    assert (is_of_product(code), is_vial(code)) == (of_product, vial)


FULL_COURSE = {"start": "2026-02-01", "end": "2026-03-02"}
WHOLE_TAPER = {"start": "2026-03-03", "end": "2026-03-30", "dose": "1.6 mg"}


@pytest.mark.parametrize(
    ("again", "follows"),
    [
        ({"start": "2026-08-20", "end": "2026-09-10"}, True),
        # Ordered for later only: none is running, and the course is over.
        ({"start": "2026-09-10", "end": "2026-09-20"}, False),
    ],
)
def test_after_six_months_only_a_corticosteroid_that_runs_keeps_the_follow_up_open(
    catalogue: Catalogue, facts_of: FactsOf, again: dict[str, Any], follows: bool
) -> None:
    child = {"moment": "chart", "infused": "2026-02-02", "today": "2026-09-01"}
    facts = facts_of({**child, "steroids": [FULL_COURSE, WHOLE_TAPER, again]})
    assert follows_infusion(facts, catalogue.known) is follows
