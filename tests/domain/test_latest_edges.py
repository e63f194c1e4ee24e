"""An order beside a dose, a dose of an unknown day, haemoglobin within one day: what just counts, and what does not.

Clinical-rules C8 and 4F, rulings 13 and 28; label 2.1, 5.4. What a docstring promises is asked for by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import reduce
from typing import Any

import pytest
from asked_rules import Ask
from domain_values import D, a_result, at

from cds_service.domain.answers import Verdict
from cds_service.domain.days import NO_TIME
from cds_service.domain.facts import Exposure, ExposureKind, Moment, PatientFacts, PlannedDay
from cds_service.domain.intervals import Interval
from cds_service.domain.known import Known
from cds_service.domain.microangiopathy import _Before, _Hours
from cds_service.domain.outlook import outlook_of
from cds_service.domain.results import LabResult
from cds_service.domain.rules.corticosteroid import steroid_dose_low
from cds_service.domain.rules.corticosteroid_taper import steroid_taper_too_early
from cds_service.domain.steroid_states import course_status, has_full_course, orders_of_unclear_status
from cds_service.domain.suggested_steroid import per_kg_in_words
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
INFUSED = "2026-02-02"
TODAY = date(2026, 3, 2)
TOMORROW, YESTERDAY = date(2026, 3, 3), date(2026, 3, 1)


@pytest.fixture(scope="module")
def known(catalogue: Catalogue) -> Known:
    return catalogue.known


# --- an order for the product beside a dose that was given


@pytest.fixture
def ordered_again(facts_of: FactsOf) -> Callable[..., PatientFacts]:
    """A child infused on 2 February, with one order more that is planned so, on 2 March."""

    def read(plan: PlannedDay | None, moment: Moment = Moment.VISIT) -> PatientFacts:
        facts = facts_of({"infused": INFUSED, "draft": {}})
        (draft,) = facts.drafts
        return replace(facts, moment=moment, drafts=(), open_orders=(replace(draft, planned=plan),))

    return read


@pytest.mark.parametrize(
    ("plan", "may_be"),
    [
        (PlannedDay(None, "soon"), True),
        (PlannedDay(None, "2026-03", latest=date(2026, 3, 31)), True),
        (PlannedDay(None, "by today", latest=TODAY), True),
        (PlannedDay(None, "2026-02", latest=date(2026, 2, 28)), False),
        (PlannedDay(TODAY, "today"), True),
        (PlannedDay(TOMORROW, "tomorrow"), False),
        (PlannedDay(YESTERDAY, "yesterday"), False),
        (PlannedDay(TOMORROW, "tomorrow", latest=date(2026, 3, 31)), False),
        (None, False),
    ],
)
def test_of_a_treated_child_only_a_plan_that_may_mean_today_makes_a_visit_the_one_for_an_infusion(
    ordered_again: Callable[..., PatientFacts], plan: PlannedDay | None, may_be: bool
) -> None:
    assert ordered_again(plan).may_be_infusion_day is may_be


def linked(facts: PatientFacts, *references: str) -> PatientFacts:
    """The same child, whose doses belong to these orders."""
    return replace(
        facts, exposures=tuple(replace(item, order_references=frozenset(references)) for item in facts.exposures)
    )


def test_an_order_that_a_dose_belongs_to_is_none_beside_it(ordered_again: Callable[..., PatientFacts]) -> None:
    facts = ordered_again(PlannedDay(None, "soon"))
    (order,) = facts.open_orders
    own = min(order.same_as)
    assert linked(facts, "MedicationRequest/another").orders_beside_dose == (order,)
    assert linked(facts).orders_beside_dose == (order,)
    assert linked(facts, own).orders_beside_dose == ()
    assert not linked(facts, own).may_be_infusion_day
    # Any one of the names of an order is enough to know it.
    assert linked(facts, "MedicationRequest/another", own).orders_beside_dose == ()


@pytest.mark.parametrize(
    ("plan", "may_be_ahead"),
    [
        (None, True),
        (PlannedDay(None, "soon"), True),
        (PlannedDay(TOMORROW, "tomorrow"), True),
        (PlannedDay(TODAY, "today"), True),
        (PlannedDay(YESTERDAY, "yesterday"), False),
    ],
)
def test_nobody_is_on_track_for_whom_an_infusion_may_still_be_ahead(
    ordered_again: Callable[..., PatientFacts], known: Known, plan: PlannedDay | None, may_be_ahead: bool
) -> None:
    found = outlook_of(ordered_again(plan, Moment.CHART), (), known)
    assert found is not None
    assert ("open-order-of-treated-child" in found.not_checked) is may_be_ahead


# --- a corticosteroid draft of a child who had a dose on an unknown day


def steroid(first: date, last: date, dose: str) -> dict[str, Any]:
    return {"start": first.isoformat(), "end": last.isoformat(), "dose": dose}


def days_ago(count: int) -> date:
    return TODAY - timedelta(days=count)


AHEAD = TODAY + timedelta(days=20)
RUNNING = steroid(days_ago(10), AHEAD, "3.2 mg")
HALF = steroid(TODAY, AHEAD, "1.6 mg")


@pytest.fixture
def given_some_day(facts_of: FactsOf) -> Callable[..., PatientFacts]:
    """A child who had the product on a day that the record does not name; a corticosteroid is being ordered."""

    def read(draft: dict[str, Any], *orders: dict[str, Any]) -> PatientFacts:
        facts = facts_of({"steroids": list(orders), "draft_steroids": [draft], "given_doses": [{}]})
        return replace(facts, exposures=tuple(replace(item, given=NO_TIME) for item in facts.exposures))

    return read


@pytest.mark.parametrize(
    ("draft", "orders", "may_reduce"),
    [
        (HALF, [RUNNING], True),
        (steroid(TODAY, AHEAD, "3.2 mg"), [RUNNING], False),
        # Yesterday's dose alone, one that ended some days ago, and the oldest day that is looked at.
        (HALF, [steroid(days_ago(1), days_ago(1), "3.2 mg")], True),
        (HALF, [steroid(days_ago(9), days_ago(3), "3.2 mg")], True),
        (HALF, [steroid(days_ago(70), days_ago(60), "3.2 mg")], True),
        (HALF, [steroid(days_ago(70), days_ago(61), "3.2 mg")], False),
        # One step of the draft is lower, the other is not.
        ({"steps": [steroid(TODAY, TOMORROW, "3.2 mg"), steroid(TOMORROW, AHEAD, "1.6 mg")]}, [RUNNING], True),
        # With nothing before it a draft reduces nothing that was given.
        ({"steps": [steroid(TODAY, TOMORROW, "3.2 mg"), steroid(TOMORROW, AHEAD, "1.6 mg")]}, [], False),
        # One of both doses cannot be told.
        ({**HALF, "dose": "none"}, [RUNNING], True),
        (HALF, [{**RUNNING, "dose": "none"}], True),
        ({**HALF, "dose": "none"}, [], False),
    ],
)
def test_a_draft_that_gives_less_than_a_day_before_it_may_reduce_too_early(
    given_some_day: Callable[..., PatientFacts],
    known: Known,
    draft: dict[str, Any],
    orders: list[dict[str, Any]],
    may_reduce: bool,
) -> None:
    answer = steroid_taper_too_early(given_some_day(draft, *orders), known)
    assert (answer.verdict, answer.grade) == ((Verdict.UNKNOWN, "day-unknown") if may_reduce else (Verdict.SILENT, ""))


def test_before_any_dose_a_lower_draft_is_no_early_taper(
    given_some_day: Callable[..., PatientFacts], known: Known
) -> None:
    facts = given_some_day(HALF, RUNNING)
    assert steroid_taper_too_early(replace(facts, exposures=()), known).verdict is Verdict.SILENT


def test_where_nothing_is_ordered_a_dose_of_an_unknown_day_is_no_early_taper(
    given_some_day: Callable[..., PatientFacts], known: Known
) -> None:
    facts = given_some_day(HALF, RUNNING)
    for moment in (Moment.VISIT, Moment.CHART, Moment.BOOKING):
        assert steroid_taper_too_early(replace(facts, moment=moment), known).verdict is Verdict.SILENT


def test_a_dose_of_a_relative_of_the_product_begins_no_course(
    given_some_day: Callable[..., PatientFacts], known: Known
) -> None:
    facts = given_some_day(HALF, RUNNING)
    (dose,) = facts.exposures
    other = replace(dose, kind=ExposureKind.OTHER_PRODUCT, evidence=replace(dose.evidence, reference="Procedure/other"))
    dated = replace(other, given=at("2026-01-20"))
    for exposure in (other, dated):
        assert steroid_taper_too_early(replace(facts, exposures=(exposure,)), known).verdict is Verdict.SILENT
        assert _told(replace(facts, exposures=(dose, exposure)), known) == _told(facts, known)


def _told(facts: PatientFacts, known: Known) -> list[str]:
    """What the answer about the early taper rests on."""
    answer = steroid_taper_too_early(facts, known)
    assert answer.grade == "day-unknown"
    return [item.reference for item in answer.evidence]


def test_the_dose_of_the_unknown_day_is_told_behind_the_draft(
    given_some_day: Callable[..., PatientFacts], known: Known
) -> None:
    facts = given_some_day(HALF, RUNNING)
    (draft,) = (order for order in facts.steroid_orders if order.is_draft)
    dose: Exposure = facts.exposures[0]
    assert _told(facts, known) == [draft.evidence.reference, dose.evidence.reference]


# --- haemoglobin of earlier times, taken together


def grams(number: str) -> Interval | None:
    """An amount in g/dL, with its comparator; None for "?"."""
    comparator = number[0] if number[0] in "<>" else ""
    return None if number == "?" else Interval.of(comparator, D(number.removeprefix(comparator)))


def counts(*numbers: str) -> list[LabResult]:
    return [a_result(analyte="hemoglobin", written=number, amount=grams(number)) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "lowest", "highest", "is_all_known"),
    [
        (("12.0", "11.0"), "12.0", "12.0", True),
        (("11.0", "12.0"), "12.0", "12.0", True),
        (("11.0", ">11.5"), "11.5", "11.0", False),
        ((">12.0", "11.0"), "12.0", "11.0", False),
        (("<12.0", "11.0"), "11.0", "12.0", True),
        (("11.0", "<12.0"), "11.0", "12.0", True),
        (("?", "11.0"), "11.0", "11.0", False),
        (("11.0", "?"), "11.0", "11.0", False),
        (("?", "?"), None, None, False),
    ],
)
def test_values_taken_together_one_by_one_say_what_all_of_them_say(
    numbers: Sequence[str], lowest: str | None, highest: str | None, is_all_known: bool
) -> None:
    results = counts(*numbers)
    said = reduce(_Before.together_with, (_Before.of([result]) for result in results))
    assert said == _Before(D(lowest) if lowest else None, D(highest) if highest else None, is_all_known)
    assert said == _Before.of(results)


def test_before_a_result_of_a_day_are_those_that_are_surely_earlier(known: Known) -> None:
    """Results that lie five minutes apart or less are of one time; one without an hour may be of any."""
    hours = ("20:00", "", "08:00", "12:00", "12:05", "12:06")
    numbers = ("9.0", "15.0", "12.0", "11.0", "14.0", "10.0")
    found = {
        hour: replace(item, measured=at("2026-02-09", hour)) for hour, item in zip(hours, counts(*numbers), strict=True)
    }
    day = _Hours.of(found.values(), known)
    before = {hour: day.before(item) for hour, item in found.items()}
    assert before == {
        "": None,
        "08:00": None,
        "12:00": _Before(D("12.0"), D("12.0"), is_all_known=True),
        "12:05": _Before(D("12.0"), D("12.0"), is_all_known=True),
        "12:06": _Before(D("12.0"), D("12.0"), is_all_known=True),
        "20:00": _Before(D("14.0"), D("14.0"), is_all_known=True),
    }


# --- the corticosteroid


def test_without_a_weight_at_its_beginning_a_course_of_any_dose_that_can_be_computed_is_full(
    facts_of: FactsOf, known: Known
) -> None:
    course = {"start": "2026-02-01", "end": "2026-03-02", "dose": "0.5 mg"}
    late = [{"weight": "3.2 kg", "when": "2026-02-10T08:00:00Z"}]
    facts = facts_of({"moment": "chart", "infused": INFUSED, "steroids": [course], "weights": late})
    status = course_status(facts, known)
    assert status is not None
    assert has_full_course(status, facts, known)


@pytest.mark.parametrize(
    ("ends", "is_told"),
    [
        ((date(2026, 1, 31),), False),
        # The first day of the course is one of it.
        ((date(2026, 2, 1),), True),
        ((date(2026, 1, 20), date(2026, 2, 10)), True),
        ((date(2026, 2, 10), date(2026, 1, 20)), True),
        ((None,), True),
    ],
)
def test_an_order_of_unclear_status_counts_where_one_of_its_steps_reaches_into_the_course(
    facts_of: FactsOf, known: Known, ends: tuple[date | None, ...], is_told: bool
) -> None:
    course = {"start": "2026-02-01", "end": "2026-03-02"}
    facts = facts_of({"moment": "chart", "infused": INFUSED, "steroids": [course]})
    status = course_status(facts, known)
    assert status is not None
    assert status.first_day == date(2026, 2, 1)
    (order,) = facts.steroid_orders
    steps = tuple(replace(order.phases[0], first_day=date(2026, 1, 10), last_day=end) for end in ends)
    unclear = replace(order, order_id="unclear", phases=steps, is_status_unclear=True)
    facts = replace(facts, steroid_orders=(order, unclear))
    assert orders_of_unclear_status(status, facts) == ((unclear,) if is_told else ())


def test_a_weight_of_which_nothing_is_written_leaves_no_gap_beside_one_that_cannot_be_read(
    facts_of: FactsOf, known: Known
) -> None:
    course = {"start": "2026-02-01", "end": "2026-03-02"}
    facts = facts_of({"moment": "chart", "today": "2026-02-10", "infused": INFUSED, "steroids": [course]})
    (weight,) = facts.weights
    unread = [replace(weight, quantity=None, written=written) for written in ("", "3.2 stone", "3 bags")]
    answer = steroid_dose_low(replace(facts, weights=tuple(unread)), known)
    assert (answer.grade, answer.missing) == ("no-weight", ("dosing-weight",))
    assert sorted(str(answer.shown["weight_written"]).split(" / ")) == ["3 bags", "3.2 stone"]


def test_a_dose_per_kilogram_is_told_to_the_hundredth(known: Known) -> None:
    said = [per_kg_in_words(D(number), known) for number in ("1.03", "1.034", "1.035")]
    assert said == [D("1.03"), D("1.03"), D("1.04")]


def test_an_antibody_is_no_vaccine_whose_schedule_the_corticosteroid_moves(ask: Ask) -> None:
    child = {"infused": INFUSED, "steroids": [{"start": "2026-02-01", "end": "2026-03-20"}]}
    antibody, vaccine = {"cvx": "306", "planned": "2026-03-02"}, {"cvx": "133", "planned": "2026-03-02"}
    (of_antibody,) = ask("vaccine-during-steroid", {**child, "draft_vaccines": [antibody]})
    assert of_antibody.verdict is Verdict.SILENT
    (of_both,) = ask("vaccine-during-steroid", {**child, "draft_vaccines": [antibody, vaccine]})
    assert of_both.verdict is Verdict.FIRES
