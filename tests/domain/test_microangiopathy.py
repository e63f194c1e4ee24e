"""Limbs and signs of thrombotic microangiopathy: present, absent, not measured (label 5.4; clinical-rules 4H, H35)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from domain_values import EVIDENCE, a_result, at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.domain.answers import RequestTest
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import ClinicalTime
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.microangiopathy import (
    Limb,
    Microangiopathy,
    Presence,
    _Before,
    _episode_start,
    _Reading,
    microangiopathy,
)
from cds_service.domain.rules.platelets_and_tma import _is_recovering, platelet_low, tma_consult, tma_evaluate
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
CHILD = {"moment": "chart", "infused": "2026-02-02", "today": "2026-02-10"}
ON = "2026-02-09"
FINE = {
    "hemoglobin": "12.0 g/dL",
    "creatinine": "0.3 mg/dL",
    "haptoglobin": {"value": "90 mg/dL", "range": ["30", "200"]},
}
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


def seen(facts_of: FactsOf, known: Known, **said: Any) -> Microangiopathy:
    """What speaks for microangiopathy in a child eight days after the infusion of 2026-02-02."""
    return microangiopathy(facts_of({**CHILD, **said}), known)


def count(on: str = ON, **tests: Any) -> dict[str, Any]:
    return {"on": on, **tests}


def limbs(found: Microangiopathy) -> dict[str, Limb]:
    return {field.name: getattr(found, field.name) for field in fields(found)}


# --- absent is proven, never assumed


@pytest.mark.hazard("H35")
def test_of_a_child_without_any_result_nothing_is_called_absent(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known)
    assert {limb.presence for limb in limbs(found).values()} == {Presence.NOT_MEASURED}


def test_results_of_before_the_infusion_say_nothing_about_today(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known, blood_pressures=[{"systolic": "80 mm[Hg]", "days_ago": 12}])
    assert found.platelets.presence is found.kidney.presence is found.hypertension.presence is Presence.NOT_MEASURED


def test_all_three_limbs_measured_and_normal_are_absent(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known, counts=[count(**FINE)], smears=[{"result": "Absent"}])
    assert found.is_excluded_by_tests


@pytest.mark.hazard("H35")
@pytest.mark.parametrize("test", ["hemoglobin", "haptoglobin"])
def test_haemolysis_is_absent_only_where_every_part_was_measured(facts_of: FactsOf, known: Known, test: str) -> None:
    parts = {name: value for name, value in FINE.items() if name != test}
    found = seen(facts_of, known, counts=[count(**parts)], smears=[{"result": "Absent"}])
    assert found.hemolysis.presence is Presence.NOT_MEASURED
    assert not found.is_excluded_by_tests


def test_a_normal_ldh_proves_nothing_by_itself(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known, counts=[count(ldh={"value": "300 U/L", "range": ["150", "450"]})])
    assert found.hemolysis.presence is Presence.NOT_MEASURED


def test_what_was_normal_before_the_sign_is_not_measured_since(facts_of: FactsOf, known: Known) -> None:
    bruised = [{"code": "ICD10CM R23.3", "onset": "2026-02-10"}]
    found = seen(facts_of, known, counts=[count(**FINE)], smears=[{"result": "Absent"}], conditions=bruised)
    assert found.bruising.since == date(2026, 2, 10)
    for limb in (found.platelets, found.kidney, found.hemolysis):
        assert (limb.presence, limb.why) == (Presence.NOT_MEASURED, "earlier")
        assert limb.written


def test_a_preliminary_normal_result_makes_nothing_absent(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known, counts=[count(status="preliminary", **FINE)], smears=[{"result": "Absent"}])
    assert found.platelets.presence is found.kidney.presence is Presence.NOT_MEASURED
    assert found.kidney.why == "unclear"


def test_nothing_recorded_is_no_proof_of_no_bruising_and_no_seizure(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known, counts=[count(**FINE)], smears=[{"result": "Absent"}])
    assert found.bruising.presence is found.seizure.presence is Presence.NOT_MEASURED


def test_urine_without_a_weight_is_not_judged(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known, weights=[], urine_outputs=[{"volume": "200 mL"}])
    assert (found.urine.presence, found.urine.why) == (Presence.NOT_MEASURED, "unclear")


def test_urine_of_an_old_day_is_not_judged(facts_of: FactsOf, known: Known) -> None:
    found = seen(facts_of, known, today="2026-02-20", urine_outputs=[{"volume": "20 mL", "days_ago": 8}])
    assert (found.urine.presence, found.urine.why) == (Presence.NOT_MEASURED, "old")


# --- present, and since when


def test_a_low_platelet_count_is_there_since_the_first_one_in_a_row(facts_of: FactsOf, known: Known) -> None:
    low = "60 10*3/uL"
    counts = [count("2026-02-04", platelets=low), count("2026-02-05"), count("2026-02-07", platelets=low)]
    found = seen(facts_of, known, counts=[*counts, count(platelets=low)])
    assert found.platelets.since == date(2026, 2, 7)
    assert found.platelets.day == date(2026, 2, 9)


def test_a_preliminary_normal_count_between_does_not_end_the_row(facts_of: FactsOf, known: Known) -> None:
    low = "60 10*3/uL"
    between = count("2026-02-07", status="preliminary")
    found = seen(facts_of, known, counts=[count("2026-02-05", platelets=low), between, count(platelets=low)])
    assert found.platelets.since == date(2026, 2, 5)


def test_an_undated_abnormal_result_is_there_since_nobody_knows_when(facts_of: FactsOf, known: Known) -> None:
    creatinine = {"value": "0.9 mg/dL", "when": "none"}
    found = seen(facts_of, known, labs={"creatinine": [{"when": "2026-01-31T08:00:00Z"}, creatinine]})
    assert found.kidney.is_present
    assert found.kidney.since is None


def test_haemolysis_of_two_parts_is_there_since_the_later_one(facts_of: FactsOf, known: Known) -> None:
    ldh = {"value": "900 U/L", "range": ["150", "450"]}
    found = seen(facts_of, known, counts=[count("2026-02-06", ldh=ldh), count("2026-02-08", hemoglobin="9.0 g/dL")])
    assert found.hemolysis.ways == ("hemoglobin", "ldh")
    assert found.hemolysis.since == date(2026, 2, 8)


@pytest.mark.parametrize(
    ("value", "range_", "ways"),
    [
        ("0.45 mg/dL", ["0.2", "0.5"], ("ratio",)),
        ("0.51 mg/dL", ["0.2", "0.5"], ("above-own-limit", "ratio")),
        ("0.6 mg/dL", ["0.2", "1"], ("ratio", "rise")),
        ("39.789 umol/L", ["18", "50"], ("ratio",)),
        ("53.052 umol/L", ["18", "60"], ("ratio", "rise")),
        ("0.59 mg/dL", ["0.2", "1"], ("ratio",)),
    ],
)
def test_creatinine_is_compared_exactly_across_units(
    facts_of: FactsOf, known: Known, value: str, range_: list[str], ways: tuple[str, ...]
) -> None:
    found = seen(facts_of, known, counts=[count(creatinine={"value": value, "range": range_})])
    assert found.kidney.ways == ways


@pytest.mark.parametrize(("value", "is_low"), [("76.7 mL", True), ("76.8 mL", False), ("76.9 mL", False)])
def test_urine_is_judged_by_the_weight(facts_of: FactsOf, known: Known, value: str, is_low: bool) -> None:
    found = seen(facts_of, known, weight="3.2 kg", urine_outputs=[{"volume": value}])
    assert found.urine.is_present is is_low
    assert found.urine.is_absent is not is_low


def test_a_sign_that_is_over_counts_for_a_day(facts_of: FactsOf, known: Known) -> None:
    over = {"code": "ICD10CM R56.9", "clinical": "resolved"}
    assert seen(facts_of, known, conditions=[{**over, "onset": "2026-02-09T12:00:00Z"}]).seizure.is_present
    assert not seen(facts_of, known, conditions=[{**over, "onset": "2026-02-09T08:00:00Z"}]).seizure.is_present


def test_a_pressure_of_the_infusion_day_counts_from_the_infusion_on(facts_of: FactsOf, known: Known) -> None:
    high = {"systolic": "120 mm[Hg]"}
    today = "2026-02-03"
    before = seen(facts_of, known, today=today, blood_pressures=[{**high, "when": "2026-02-02T09:59:00Z"}])
    after = seen(facts_of, known, today=today, blood_pressures=[{**high, "when": "2026-02-02T10:01:00Z"}])
    assert not before.hypertension.is_present
    assert after.hypertension.is_present


# --- whatever the order, and whatever is only preliminary

VALUES = {
    "platelets": ["30 10*3/uL", "60 10*3/uL", "149 10*3/uL", "150 10*3/uL", "300 10*3/uL"],
    "hemoglobin": ["9.9 g/dL", "10.0 g/dL", "10.1 g/dL", "12.0 g/dL"],
    "creatinine": ["0.3 mg/dL", "0.44 mg/dL", "0.45 mg/dL", "0.9 mg/dL"],
}
COUNTS = st.lists(
    st.fixed_dictionaries(
        {"on": st.sampled_from(["2026-02-03", "2026-02-07", "2026-02-09", "2026-02-10"])},
        optional={name: st.sampled_from(values) for name, values in VALUES.items()},
    ),
    min_size=1,
    max_size=3,
)


@given(counts=COUNTS)
@EXAMPLES
def test_the_order_of_the_record_does_not_matter(facts_of: FactsOf, known: Known, counts: list[dict[str, Any]]) -> None:
    facts = facts_of({**CHILD, "counts": counts})
    turned = replace(facts, lab_results=tuple(reversed(facts.lab_results)))
    first, second = limbs(microangiopathy(facts, known)), limbs(microangiopathy(turned, known))
    for name, limb in first.items():
        other = second[name]
        assert (limb.presence, set(limb.ways), limb.since) == (other.presence, set(other.ways), other.since), name
    for rule in (platelet_low, tma_evaluate, tma_consult):
        assert rule(facts, known).grade == rule(turned, known).grade


@given(counts=COUNTS, more=COUNTS)
@EXAMPLES
def test_a_preliminary_result_takes_no_alarm_back_and_proves_nothing(
    facts_of: FactsOf, known: Known, counts: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    preliminary = [{**item, "status": "preliminary"} for item in more]
    before = limbs(seen(facts_of, known, counts=counts))
    after = limbs(seen(facts_of, known, counts=[*counts, *preliminary]))
    for name, limb in before.items():
        if limb.is_present:
            assert after[name].is_present, name
        if after[name].is_absent:
            assert limb.is_absent, name


@given(counts=COUNTS)
@EXAMPLES
def test_consulting_is_never_forgotten_because_a_result_is_worse(
    facts_of: FactsOf, known: Known, counts: list[dict[str, Any]]
) -> None:
    worse = {"on": "2026-02-10", "at": "08:30", "platelets": "20 10*3/uL", "creatinine": "1.9 mg/dL"}
    answer = tma_consult(facts_of({**CHILD, "counts": [*counts, worse]}), known)
    assert answer.grade == "kidney"


# --- results that say little


@pytest.mark.parametrize(
    ("tests", "presence"),
    [
        ({"ldh": {"value": "900 U/L", "range": "none", "flag": "H"}}, Presence.PRESENT),
        ({"ldh": {"value": "900 U/L", "range": "none"}}, Presence.NOT_MEASURED),
        ({"haptoglobin": {"value": "5 mg/dL", "range": "none", "flag": "L"}}, Presence.PRESENT),
        ({"haptoglobin": {"value": "5 mg/dL", "range": "none"}}, Presence.NOT_MEASURED),
    ],
)
def test_the_laboratorys_flag_stands_in_for_a_range_that_is_missing(
    facts_of: FactsOf, known: Known, tests: dict[str, Any], presence: Presence
) -> None:
    """With a fall of haemoglobin by 3 g/dL, from a baseline of 12 g/dL."""
    fallen = {"hemoglobin": {"value": "9.0 g/dL", "range": "none"}}
    found = seen(facts_of, known, counts=[count("2026-02-01", hemoglobin="12.0 g/dL"), count(**fallen, **tests)])
    assert found.hemolysis.presence is presence


def test_a_haemoglobin_without_a_unit_has_fallen_neither_surely_nor_surely_not(facts_of: FactsOf, known: Known) -> None:
    unclear = {"hemoglobin": {"value": "12.0", "range": "none"}, "ldh": {"value": "900 U/L", "range": ["120", "300"]}}
    found = seen(facts_of, known, counts=[count("2026-02-01", hemoglobin="12.0 g/dL"), count(**unclear)])
    assert found.hemolysis.presence is Presence.NOT_MEASURED


def _grams(*bounds: str) -> list[Interval | None]:
    """Amounts in g/dL: a number, a bound such as `<9`, or `?` for one that is not known."""
    made = {"?": None}
    return [
        made.get(b) if b in made else Interval.of(b.rstrip("0123456789."), Decimal(b.lstrip("<>="))) for b in bounds
    ]


FALLS = [
    (["12.0"], "10.1", Certainty.FALSE),
    (["12.0"], "10.0", Certainty.TRUE),
    (["12.0"], "9.9", Certainty.TRUE),
    (["11.0", "12.0", "10.5"], "10.0", Certainty.TRUE),
    (["11.0", "11.9"], "10.0", Certainty.FALSE),
    (["11.0", "?"], "10.0", Certainty.UNKNOWN),
    (["12.0", "?"], "10.0", Certainty.TRUE),
    (["11.0", ">11.0"], "10.0", Certainty.UNKNOWN),
    ([">12.0"], "10.0", Certainty.TRUE),
    (["12.0"], "<10.0", Certainty.TRUE),
    (["11.0"], "<10.0", Certainty.UNKNOWN),
    (["12.0"], ">10.0", Certainty.UNKNOWN),
    (["11.0"], ">10.0", Certainty.FALSE),
    (["12.0"], "?", Certainty.UNKNOWN),
    (["?"], "10.0", Certainty.UNKNOWN),
]


@pytest.mark.parametrize(("before", "now", "fallen"), FALLS)
def test_haemoglobin_fell_from_any_earlier_value_or_surely_from_none(
    before: list[str], now: str, fallen: Certainty
) -> None:
    earlier = [a_result(analyte="hemoglobin", amount=amount) for amount in _grams(*before)]
    assert _Before.of(earlier).has_lost(_grams(now)[0], Decimal("2")) is fallen


def test_a_sign_of_unknown_day_tells_no_beginning(facts_of: FactsOf, known: Known) -> None:
    dated = _Reading(Certainty.TRUE, at("2026-02-09"), is_accepted=True, written="9.0 g/dL", evidence=EVIDENCE)
    undated = replace(dated, measured=ClinicalTime("some time"))
    assert _episode_start([undated]) is None
    assert _episode_start([undated, dated]) == date(2026, 2, 9)


# --- what is ordered already


def test_a_blood_count_that_is_ordered_in_time_is_not_offered_again(facts_of: FactsOf, known: Known) -> None:
    low = {**CHILD, "counts": [count(platelets="60 10*3/uL")]}
    ordered = {**low, "requests": [{"code": "58410-2", "wanted": "2026-02-12"}]}
    late = {**low, "requests": [{"code": "58410-2", "wanted": "2026-02-13"}]}

    def offered(child: Mapping[str, Any]) -> list[str]:
        answer = platelet_low(facts_of(child), known)
        return [change.test for change in answer.changes if isinstance(change, RequestTest)]

    assert offered(ordered) == [test for test in offered(low) if test != offered(low)[0]]
    assert offered(late) == offered(low)


def test_a_count_whose_height_is_not_known_is_not_recovering(known: Known) -> None:
    lower, higher = Interval.of("", Decimal("90")), Interval.of("", Decimal("120"))
    earlier = a_result(analyte="platelets", amount=lower)
    assert _is_recovering(a_result(analyte="platelets", amount=higher), earlier, known)
    assert not _is_recovering(a_result(analyte="platelets"), earlier, known)
