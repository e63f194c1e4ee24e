"""What the rules about the corticosteroid before and in the 30 days say at their edges (clinical-rules 4F; label 2.1).

The infusion is planned for 3 March, or for today at a visit; a treated child was infused on 2 February.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from domain_values import D
from treated_child import INFUSED, day, order

from cds_service.domain.answers import Answer, Assurance, ExtendSteroid, Verdict
from cds_service.domain.facts import ExposureKind, PatientFacts
from cds_service.domain.medicines import SteroidOrder
from cds_service.domain.rules.corticosteroid import (
    steroid_course_short,
    steroid_dose_high,
    steroid_dose_low,
    steroid_not_computable,
    steroid_order_missing,
    steroid_start_late,
)
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
Treated = Callable[..., PatientFacts]
TODAY = date(2026, 3, 2)


@pytest.fixture
def treated(facts_of: FactsOf) -> Treated:
    """A treated child on a day after the infusion, seen without any order in hand."""

    def read(number: int, *orders: Any, **given: Any) -> PatientFacts:
        moment = {} if "draft_steroids" in given else {"moment": "chart"}
        child = {**moment, "today": day(number).isoformat(), "infused": INFUSED.isoformat()}
        return facts_of({**child, "steroids": list(orders), **given})

    return read


def only_order(facts: PatientFacts) -> SteroidOrder:
    (found,) = facts.steroid_orders
    return found


# --- is it ordered


def test_at_a_visit_without_a_planned_day_the_infusion_may_be_today(facts_of: FactsOf, catalogue: Catalogue) -> None:
    """Ruling 13: an open product order, no dose recorded, the planned date unknown."""
    facts = facts_of({"moment": "visit", "draft": {"planned": "none"}, "steroids": [{"start": "2026-03-01"}]})
    answer = steroid_order_missing(facts, catalogue.known)
    assert (answer.verdict, answer.assurance) == (Verdict.SILENT, Assurance.VERIFIED)


def test_an_order_on_hold_is_no_cover_after_the_infusion_either(treated: Treated, catalogue: Catalogue) -> None:
    answer = steroid_order_missing(treated(5, order(-1, 28, status="on-hold")), catalogue.known)
    assert (answer.grade, answer.shown["ordered_from"]) == ("missing", "")


def test_without_a_planned_day_the_earliest_order_tells_from_when_it_is_ordered(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    orders = [{"start": "2026-03-10"}, {"start": "2026-03-05"}, {"start": "2026-03-08"}]
    answer = steroid_order_missing(facts_of({"draft": {"planned": "none"}, "steroids": orders}), catalogue.known)
    assert (answer.grade, answer.shown["ordered_from"]) == ("start-day-unknown", date(2026, 3, 5))


def test_an_order_in_steps_is_ordered_from_its_first_step_on(facts_of: FactsOf, catalogue: Catalogue) -> None:
    steps = [
        {"sequence": 1, "start": "2026-03-05", "end": "2026-04-03"},
        {"sequence": 2, "start": "2026-04-04", "end": "2026-04-20", "dose": "1.6 mg"},
    ]
    answer = steroid_order_missing(facts_of({"steroids": [{"steps": steps}]}), catalogue.known)
    assert (answer.grade, answer.shown["ordered_from"]) == ("not-covering", date(2026, 3, 5))


def test_an_order_without_a_reason_leaves_the_reasons_of_the_others_alone(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    """A corticosteroid for another reason counts as cover, and the reason is named."""
    orders = [{}, {"drug": "prednisone", "reason": "asthma"}]
    answer = steroid_order_missing(facts_of({"steroids": orders}), catalogue.known)
    assert answer.shown["reason_written"] == "asthma"


# --- does it begin in time


@pytest.mark.parametrize(("number", "grade"), [(29, "late-after-infusion"), (30, "")])
def test_a_late_beginning_is_told_to_the_last_of_its_30_days(
    treated: Treated, catalogue: Catalogue, number: int, grade: str
) -> None:
    """Begun on the infusion day, the thirtieth day is D+29."""
    assert steroid_start_late(treated(number, order(0, 60)), catalogue.known).grade == grade


def visit(planned: str, *doses: str) -> dict[str, Any]:
    return {
        "moment": "visit",
        "draft": {"planned": planned},
        "steroid_doses": [{"when": f"2026-03-01T{hour}:00Z"} for hour in doses],
    }


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        # Less than twelve hours before the planned start, and more than twelve before now or the other way round.
        (visit("2026-03-02T08:30:00Z", "21:00"), D("11.5")),
        (visit("2026-03-02T10:00:00Z", "21:30"), ""),
        # The first dose of the day before counts.
        (visit("2026-03-02T10:00:00Z", "08:00", "23:00"), ""),
    ],
)
def test_the_hours_run_from_the_first_dose_of_the_day_before_to_the_planned_start(
    facts_of: FactsOf, catalogue: Catalogue, given: dict[str, Any], hours: object
) -> None:
    answer = steroid_start_late(facts_of(given), catalogue.known)
    assert (answer.shown["hours"], answer.grade) == (hours, "short-interval" if hours else "")


@pytest.mark.parametrize(
    ("dose_at", "planned_at", "hours"),
    [
        # Given at half past eight: eleven and a half hours after the dose, or twelve and a half.
        ("21:00", "10:00", D("11.5")),
        ("20:00", "10:00", ""),
        # Of what is planned and what is recorded the earlier one counts.
        ("20:00", "07:00", D(11)),
    ],
)
def test_the_hours_run_to_the_recorded_start_of_this_infusion(
    facts_of: FactsOf, catalogue: Catalogue, dose_at: str, planned_at: str, hours: object
) -> None:
    given = {
        "moment": "chart",
        "today": day(0).isoformat(),
        "steroids": [order(-1, 28)],
        "steroid_doses": [{"when": f"{day(-1)}T{dose_at}:00Z"}],
        "given_doses": [{"when": f"{day(0)}T08:30:00Z"}],
        "open_orders": [{"planned": f"{day(0)}T{planned_at}:00Z"}],
    }
    facts = facts_of(given)
    (dose,) = facts.exposures
    moment = dose.given.instant
    assert moment is not None
    # What may have been a dose twenty days before says nothing about the hour of this one.
    before = replace(dose.given, day=day(-20), instant=moment - timedelta(days=20, hours=3))
    other = replace(dose, kind=ExposureKind.POSSIBLE, given=before)
    for exposures in ((dose,), (dose, other)):
        answer = steroid_start_late(replace(facts, exposures=exposures), catalogue.known)
        assert (answer.shown["hours"], answer.grade) == (hours, "short-interval" if hours else "")


# --- does it last


def test_an_order_that_ends_today_is_too_short(treated: Treated, catalogue: Catalogue) -> None:
    answer = steroid_course_short(treated(10, order(-1, 10)), catalogue.known)
    assert (answer.grade, answer.shown["last_date"], answer.shown["days_short"]) == ("short", day(10), 18)


def test_a_draft_in_steps_is_prolonged_where_its_last_step_ends_too_soon(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    steps = [
        {"sequence": 1, "start": "2026-03-02", "end": "2026-03-10", "dose": "4.8 mg"},
        {"sequence": 2, "start": "2026-03-11", "end": "2026-03-20"},
    ]
    facts = facts_of({"steroids": [], "draft_steroids": [{"steps": steps}]})
    answer = steroid_course_short(facts, catalogue.known)
    assert answer.changes == (ExtendSteroid("draft-steroid-1", date(2026, 3, 31)),)


# --- is it enough, or too much


def low(facts: PatientFacts, catalogue: Catalogue) -> tuple[str, object]:
    answer = steroid_dose_low(facts, catalogue.known)
    return answer.grade, answer.shown.get("on_date", "")


def test_a_day_without_a_dose_is_no_day_with_an_unknown_one(facts_of: FactsOf, catalogue: Catalogue) -> None:
    orders = [{"end": "2026-03-10"}, {"start": "2026-03-12", "end": "2026-03-31"}]
    facts = facts_of({"steroids": orders})
    answers = (steroid_dose_low(facts, catalogue.known), steroid_dose_high(facts, catalogue.known)[0])
    assert [answer.assurance for answer in answers] == [Assurance.VERIFIED] * 2


def test_without_a_planned_day_the_dose_is_judged_from_tomorrow_as_the_day_before_on(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    """The old order ended two days ago and is another course; the 30 days of the new one end on 1 April."""
    orders = [
        {"start": "2026-02-10", "end": "2026-02-28", "status": "completed"},
        {"start": "2026-03-03", "end": "2026-03-31"},
        {"start": "2026-04-01", "end": "2026-04-02", "dose": "2.4 mg"},
    ]
    facts = facts_of({"draft": {"planned": "none"}, "steroids": orders})
    assert low(facts, catalogue) == ("low", date(2026, 4, 1))


@pytest.mark.parametrize("start", ["2026-02-27", "2026-03-01"])
def test_the_recorded_dose_of_yesterday_is_judged_too(facts_of: FactsOf, catalogue: Catalogue, start: str) -> None:
    facts = facts_of({"steroids": [{"start": start}], "steroid_doses": [{"days_ago": 1, "mg": "2.5"}]})
    assert low(facts, catalogue) == ("low", date(2026, 3, 1))


def test_a_dose_before_the_course_began_is_not_judged(facts_of: FactsOf, catalogue: Catalogue) -> None:
    orders = [{"start": "2026-02-10", "end": "2026-02-20"}, {"start": "2026-03-04", "end": "2026-04-02"}]
    doses = [{"days_ago": 1, "mg": "2.5"}]
    facts = facts_of({"steroids": orders, "steroid_doses": doses, "draft": {"planned": "2026-03-05T10:00:00Z"}})
    assert low(facts, catalogue) == ("", date(2026, 3, 4))


@pytest.mark.parametrize(
    ("planned", "found"),
    [
        # Planned for 1 February, the 30 days ended yesterday; planned a day earlier, they ended the day before.
        ("2026-02-01", ("low", date(2026, 3, 1))),
        ("2026-01-31", ("", "")),
    ],
)
def test_of_a_planned_infusion_that_passed_the_days_after_the_30_are_not_judged(
    facts_of: FactsOf, catalogue: Catalogue, planned: str, found: tuple[str, object]
) -> None:
    start = date.fromisoformat(planned) - timedelta(days=1)
    facts = facts_of(
        {
            "draft": {"planned": f"{planned}T10:00:00Z"},
            "steroids": [{"start": start.isoformat(), "end": "none", "dose": "2.4 mg"}],
            "steroid_doses": [{"days_ago": 1, "mg": "2.4"}],
        }
    )
    assert low(facts, catalogue) == found


def test_a_dose_that_is_resumed_after_a_break_is_judged_within_the_30_days(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    orders = [{"end": "2026-03-10"}, {"start": "2026-03-20", "end": "2026-03-31", "dose": "2.4 mg"}]
    assert low(facts_of({"steroids": orders}), catalogue) == ("low", date(2026, 3, 20))


def test_a_dose_that_was_reduced_too_early_is_low_to_the_last_of_the_30_days(
    treated: Treated, catalogue: Catalogue
) -> None:
    orders = (order(-1, 20), order(21, 60, "2 mg"))
    assert low(treated(28, *orders), catalogue) == ("very-low", day(28))
    assert low(treated(29, *orders), catalogue) == ("", "")


def test_the_last_of_the_30_days_is_judged_and_the_taper_after_it_is_not(
    treated: Treated, catalogue: Catalogue
) -> None:
    assert low(treated(20, order(-1, 27), order(28, 40, "2 mg")), catalogue) == ("very-low", day(28))
    assert low(treated(20, order(-1, 28), order(29, 56, "1.6 mg")), catalogue) == ("", day(20))


def test_after_the_30_days_the_full_dose_is_judged_up_to_the_day_before_the_taper(
    treated: Treated, catalogue: Catalogue
) -> None:
    answer = steroid_dose_low(treated(30, order(-1, 34), order(35, 62, "1.6 mg")), catalogue.known)
    assert (answer.assurance, answer.shown["mg_per_day"]) == (Assurance.VERIFIED, D("3.2"))
    grown = treated(30, order(-1, 34), order(35, 62, "1.6 mg"), weight="4.0 kg")
    assert low(grown, catalogue)[1] == day(30)


def with_orders(facts: PatientFacts, *changes: Mapping[str, Any]) -> PatientFacts:
    changed = (replace(o, **change) for o, change in zip(facts.steroid_orders, changes, strict=True))
    return replace(facts, steroid_orders=tuple(changed))


def test_the_strength_told_is_that_of_the_orders_of_the_day(facts_of: FactsOf, catalogue: Catalogue) -> None:
    orders = [{"end": "2026-03-10"}, {"start": "2026-03-11", "end": "2026-03-31", "dose": "2.4 mg"}]
    facts = with_orders(facts_of({"steroids": orders}), {"strength_mg_per_ml": D(1)}, {"strength_mg_per_ml": D(3)})
    answer = steroid_dose_low(facts, catalogue.known)
    assert (answer.shown["on_date"], answer.shown["strength_mg_per_ml"]) == (date(2026, 3, 11), D(3))


def test_of_two_strengths_of_one_day_the_weaker_is_told(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = with_orders(
        facts_of({"steroids": [{"dose": "1 mg"}, {"dose": "1.2 mg"}]}),
        {"strength_mg_per_ml": D(3)},
        {"strength_mg_per_ml": D(1)},
    )
    assert steroid_dose_low(facts, catalogue.known).shown["strength_mg_per_ml"] == D(1)


ONE_DAY = {"steroids": [{"end": "2026-03-02"}]}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({**ONE_DAY, "weights": []}, "dosing-weight"),
        ({"steroids": [{"end": "2026-03-02", "dose": "none"}]}, "steroid-dose"),
    ],
)
def test_one_day_is_enough_to_say_what_is_lacking(
    facts_of: FactsOf, catalogue: Catalogue, given: dict[str, Any], missing: str
) -> None:
    facts = facts_of(given)
    answers: list[Answer] = [steroid_dose_low(facts, catalogue.known), steroid_dose_high(facts, catalogue.known)[0]]
    for answer in answers:
        assert (answer.verdict, answer.missing) == (Verdict.UNKNOWN, (missing,))
        assert answer.evidence == (only_order(facts).evidence,)


def test_one_day_of_an_unknown_dose_leaves_it_open_whether_any_is_too_high(
    facts_of: FactsOf, catalogue: Catalogue
) -> None:
    facts = facts_of({"steroids": [{"end": "2026-03-10"}, {"start": "2026-03-11", "dose": "none"}]})
    answer = steroid_dose_high(facts, catalogue.known)[0]
    assert (answer.verdict, answer.missing) == (Verdict.UNKNOWN, ("steroid-dose",))


def test_a_dose_of_nothing_is_the_lowest_and_never_the_highest(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({})
    phase = only_order(facts).phases[0]
    nothing = replace(phase, last_day=TODAY, mg=D(0))
    little = replace(phase, first_day=TODAY + timedelta(days=1), mg=D("0.5"))
    facts = with_orders(facts, {"phases": (nothing, little)})
    lowest = steroid_dose_low(facts, catalogue.known)
    highest = steroid_dose_high(facts, catalogue.known)[0]
    assert (lowest.shown["on_date"], lowest.shown["mg_per_day"]) == (TODAY, D(0))
    assert (highest.grade, highest.shown["mg_per_day"]) == ("", D("0.5"))


# --- outgrown: the dose never fell, and was enough for the weight at the beginning

GROWN = [{"weight": "3.0 kg", "when": f"{day(-2)}T08:00:00Z"}, {"weight": "3.84 kg", "days_ago": 1}]


@pytest.mark.hazard("H29")
@pytest.mark.parametrize(
    ("orders", "grade"),
    [
        ([order(-1, 28, "2.8 mg")], "outgrown"),
        # It was higher in between: a dose that fell is low, and not outgrown.
        ([order(-1, -1, "2.8 mg"), order(0, 10, "3.4 mg"), order(11, 28, "2.8 mg")], "very-low"),
        # 2.7 mg were nine tenths of 3.0 kg, which is enough; 2.69 mg were not.
        ([order(-1, 28, "2.7 mg")], "outgrown"),
        ([order(-1, 28, "2.69 mg")], "very-low"),
    ],
)
def test_a_dose_is_outgrown_where_it_never_fell_and_was_enough_at_the_beginning(
    treated: Treated, catalogue: Catalogue, orders: list[Any], grade: str
) -> None:
    assert low(treated(24, *orders, weights=GROWN), catalogue)[0] == grade


def test_a_weight_that_cannot_be_read_does_not_hide_the_one_of_the_beginning(
    treated: Treated, catalogue: Catalogue
) -> None:
    facts = treated(24, order(-1, 28, "2.8 mg"), weights=GROWN)
    first = next(weight for weight in facts.weights if weight.measured.day == day(-2))
    later = replace(first.measured, day=day(-1), instant=None)
    unread = replace(first, quantity=None, measured=later, evidence=replace(first.evidence, reference="Observation/x"))
    facts = replace(facts, weights=(*facts.weights, unread))
    assert low(facts, catalogue)[0] == "outgrown"


# --- high


HIGH = {"steroids": [{"dose": "4.8 mg"}]}


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        ({"labs": {"alt": "40 U/L"}}, "high"),
        ({"labs": {"alt": "40.1 U/L"}}, "high-with-liver-finding"),
        ({"labs": {"alt": "60 U/L"}}, "high-with-liver-finding"),
        ({"conditions": [{"code": "ICD10CM K72.00"}]}, "high-with-liver-finding"),
        ({"conditions": [{"code": "ICD10CM K72.00", "clinical": "resolved"}]}, "high"),
    ],
)
def test_a_liver_test_above_its_limit_or_a_disease_that_is_present_may_explain_a_high_dose(
    facts_of: FactsOf, catalogue: Catalogue, given: dict[str, Any], grade: str
) -> None:
    """The label allows a higher dose for a liver abnormality (5.1); one that is over explains nothing."""
    assert steroid_dose_high(facts_of({**HIGH, **given}), catalogue.known)[0].grade == grade


def test_two_drugs_are_told_without_a_weight_too(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({"steroids": [{}, {"drug": "prednisone", "dose": "1 mg"}], "weights": []})
    answer = steroid_dose_high(facts, catalogue.known)[1]
    assert (answer.grade, answer.shown["mg_per_day"]) == ("two-steroids", D("4.2"))
    assert (answer.shown["dose_mg_per_kg_per_day"], answer.shown["weight_raw_kg"]) == ("", "")


# --- cannot be told


def untold(facts: PatientFacts, catalogue: Catalogue) -> list[str]:
    """The orders of which a card says that their dose cannot be computed."""
    answers = steroid_not_computable(facts, catalogue.known)
    return [item.reference for answer in answers if answer.grade == "not-computable" for item in answer.evidence]


def test_an_order_that_need_not_be_told_does_not_hide_the_next_one(facts_of: FactsOf, catalogue: Catalogue) -> None:
    facts = facts_of({"steroids": [{"status": "on-hold", "dose": "none"}, {"dose": "none"}]})
    assert untold(facts, catalogue) == ["MedicationRequest/steroid-2"]


@pytest.mark.parametrize(
    ("drafts", "told"),
    [
        ([], []),
        ([{"id": "steroid-1", "dose": "3.2 mg"}], ["MedicationRequest/steroid-1"]),
        ([{"id": "steroid-9", "dose": "3.2 mg", "drug": "prednisone"}], []),
        ([{"id": "steroid-1", "status": "stopped"}], []),
    ],
)
def test_an_order_that_no_longer_covers_is_told_only_where_a_draft_changes_it(
    facts_of: FactsOf, catalogue: Catalogue, drafts: list[Any], told: list[str]
) -> None:
    """Whether the draft reduces the dose depends on the dose until now; of a stop it does not."""
    status = "active" if drafts else "on-hold"
    given = {"steroids": [{"start": "2026-02-20", "dose": "none", "status": status}], "draft_steroids": drafts}
    facts = facts_of(given if drafts else {"steroids": given["steroids"]})
    if drafts and drafts[0]["id"] == "steroid-9":
        facts = replace(
            facts, steroid_orders=tuple(o if o.is_draft else replace(o, is_cover=False) for o in facts.steroid_orders)
        )
    assert untold(facts, catalogue) == told


@pytest.mark.parametrize(
    ("ends", "is_told"),
    [
        (["2026-02-28"], False),
        (["2026-03-01"], True),
        (["2026-03-02"], True),
        (["2026-02-20", "2026-03-20"], True),
        (["2026-02-20", "2026-02-28"], False),
    ],
)
def test_an_order_is_over_when_its_last_instruction_ended_before_yesterday(
    facts_of: FactsOf, catalogue: Catalogue, ends: list[str], is_told: bool
) -> None:
    facts = facts_of({"steroids": [{"start": "2026-02-10", "dose": "none"}]})
    phase = only_order(facts).phases[0]
    phases = tuple(replace(phase, last_day=date.fromisoformat(end)) for end in ends)
    assert bool(untold(with_orders(facts, {"phases": phases}), catalogue)) is is_told


@pytest.mark.parametrize(
    ("doses", "is_told"),
    [
        ([], True),
        ([{"days_ago": 1}], False),
        ([{"days_ago": 0}], False),
        ([{"days_ago": 2}], True),
        ([{"days_ago": 1, "status": "not-done"}], True),
        ([{"days_ago": 1, "drug": "prednisone"}], True),
        ([{"days_ago": 1, "mg": "none"}], True),
        ([{"days_ago": 1}, {"days_ago": 0, "mg": "none"}], True),
        ([{"days_ago": 1}, {"days_ago": 5, "mg": "none"}], False),
    ],
)
def test_recorded_doses_of_the_drug_yesterday_or_today_tell_what_the_order_does_not(
    facts_of: FactsOf, catalogue: Catalogue, doses: list[Any], is_told: bool
) -> None:
    facts = facts_of({"steroids": [{"start": "2026-02-20", "dose": "none"}], "steroid_doses": doses})
    assert bool(untold(facts, catalogue)) is is_told
