"""What the rules about gaps, the end of the 30 days and the taper say at their edges (clinical-rules 4F, 5; label 2.1).

The child was infused on 2 February: day 28 is the last of the 30 days, day 29 the first on which the dose may fall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from site_policies import under_policy
from treated_child import COURSE, HALF, INFUSED, QUARTER, STEPS, day, order

from cds_service.domain.answers import Answer, ExtendSteroid, OrderSteroid, OrderTaper, RequestTest, Verdict
from cds_service.domain.facts import PatientFacts, Source
from cds_service.domain.registry import Rule
from cds_service.domain.rules.corticosteroid_taper import (
    steroid_continue,
    steroid_gap,
    steroid_taper_abrupt,
    steroid_taper_eligible,
    steroid_taper_short,
    steroid_taper_too_early,
    steroid_taper_unsupported,
)
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
Treated = Callable[..., PatientFacts]


def panel(number: int, **tests: Any) -> dict[str, Any]:
    return {"on": day(number).isoformat(), **tests}


def not_done(number: int) -> dict[str, Any]:
    return {"when": f"{day(number)}T08:00:00Z", "status": "not-done"}


def given(number: int, mg: str = "3.2") -> dict[str, Any]:
    return {"when": f"{day(number)}T08:00:00Z", "mg": mg}


FINE = [panel(28)]
ORDERS_ABSENT = {"medicationRequests": "absent"}


@pytest.fixture
def treated(facts_of: FactsOf) -> Treated:
    """The child on a day after the infusion, with unremarkable tests of day 28 unless said otherwise."""

    def read(number: int, *orders: Any, **words: Any) -> PatientFacts:
        moment = {} if {"draft_steroids", "moment"} & set(words) else {"moment": "chart"}
        panels = [item for item in words.pop("panels", FINE) if item["on"] <= day(number).isoformat()]
        child = {**moment, "today": day(number).isoformat(), "infused": INFUSED.isoformat(), "panels": panels}
        return facts_of({**child, "steroids": list(orders), **words})

    return read


def only(answers: tuple[Answer, ...]) -> Answer:
    (found,) = answers
    return found


def orders_behind(answer: Answer) -> list[str]:
    return [item.reference for item in answer.evidence if item.reference.startswith("MedicationRequest/")]


# --- nothing is recorded


def gap(facts: PatientFacts, catalogue: Catalogue) -> Answer:
    return steroid_gap(facts, catalogue.known)[0]


def short(facts: PatientFacts, catalogue: Catalogue) -> Answer:
    return steroid_taper_short(facts, catalogue.known)[0]


@pytest.mark.hazard("H24")
@pytest.mark.parametrize("rule", [steroid_taper_too_early, steroid_taper_unsupported, steroid_taper_abrupt])
def test_without_any_corticosteroid_the_rules_of_the_taper_are_silent_and_without_the_orders_unknown(
    treated: Treated, catalogue: Catalogue, rule: Rule
) -> None:
    assert rule(treated(5), catalogue.known).verdict is Verdict.SILENT
    answer = rule(treated(5, lists=ORDERS_ABSENT), catalogue.known)
    assert (answer.verdict, answer.missing) == (Verdict.UNKNOWN, (Source.ORDERS.value,))


@pytest.mark.hazard("H24")
@pytest.mark.parametrize("asked", [gap, short])
def test_so_are_those_about_gaps_and_length(
    treated: Treated, catalogue: Catalogue, asked: Callable[[PatientFacts, Catalogue], Answer]
) -> None:
    assert asked(treated(5), catalogue).verdict is Verdict.SILENT
    answer = asked(treated(5, lists=ORDERS_ABSENT), catalogue)
    assert (answer.verdict, answer.missing) == (Verdict.UNKNOWN, (Source.ORDERS.value,))


# --- days left out


def test_with_part_of_the_orders_only_a_dose_that_was_not_done_is_a_day_left_out(
    treated: Treated, catalogue: Catalogue
) -> None:
    doses = [given(3), not_done(5)]
    orders = (order(-1, 8), order(11, 28))
    facts = treated(12, *orders, steroid_doses=doses, lists={"medicationRequests": "partial"})
    past = steroid_gap(facts, catalogue.known)[0]
    assert (past.grade, past.shown["first_day"], past.shown["days"]) == ("day-missed", day(5), 1)
    whole = steroid_gap(treated(12, *orders, steroid_doses=doses), catalogue.known)[0]
    assert (whole.grade, whole.shown["first_day"], whole.shown["days"]) == ("days-missed", day(5), 3)


@pytest.mark.parametrize(
    ("number", "last", "days"),
    [
        # To the last of the 30 days, and as long as a taper would have lasted from the last dose: 28 days.
        (28, -1, 1),
        (29, -1, 0),
        (40, 12, 1),
        (41, 12, 0),
    ],
)
def test_a_day_without_a_dose_is_one_of_the_course_as_long_as_a_taper_would_last(
    treated: Treated, catalogue: Catalogue, number: int, last: int, days: int
) -> None:
    ahead = steroid_gap(treated(number, order(-1, last)), catalogue.known)[1]
    assert ahead.shown.get("days", 0) == days


def test_a_gap_ahead_rests_on_the_last_day_that_is_ordered(treated: Treated, catalogue: Catalogue) -> None:
    ahead = steroid_gap(treated(9, order(-1, 9), order(10, 10, "3.1 mg")), catalogue.known)[1]
    assert orders_behind(ahead) == ["MedicationRequest/steroid-2"]


@pytest.mark.hazard("H28")
@pytest.mark.parametrize(("last", "grade"), [(27, "at-discharge"), (28, "")])
def test_at_discharge_the_last_of_the_30_days_has_to_be_covered(
    treated: Treated, catalogue: Catalogue, last: int, grade: str
) -> None:
    ahead = steroid_gap(treated(20, order(-1, last), moment="discharge"), catalogue.known)[1]
    assert ahead.grade == grade


def test_at_discharge_a_day_that_is_left_out_later_is_ahead(treated: Treated, catalogue: Catalogue) -> None:
    ahead = steroid_gap(treated(26, COURSE, moment="discharge"), catalogue.known)[1]
    assert (ahead.grade, ahead.shown["first_day"]) == ("ahead", day(29))


def filled(facts: PatientFacts, catalogue: Catalogue) -> list[tuple[date, date]]:
    changes = steroid_gap(facts, catalogue.known)[1].changes
    return [(item.first_day, item.last_day) for item in changes if isinstance(item, OrderSteroid)]


@pytest.mark.parametrize(
    ("number", "orders", "days"),
    [
        (25, [order(-1, 27)], [(28, 28)]),
        (25, [order(-1, 28)], []),
        (24, [order(-1, 25), order(28, 40)], [(26, 27)]),
        (24, [order(-1, 25), order(29, 40)], [(26, 28)]),
    ],
)
def test_what_is_offered_fills_the_days_of_the_30_and_no_day_that_is_covered(
    treated: Treated, catalogue: Catalogue, number: int, orders: list[Any], days: list[tuple[int, int]]
) -> None:
    expected = [(day(first), day(last)) for first, last in days]
    assert filled(treated(number, *orders), catalogue) == expected


# --- may taper


def eligible(facts: PatientFacts, catalogue: Catalogue) -> Answer:
    return steroid_taper_eligible(facts, catalogue.known)


def test_the_days_of_the_first_and_the_last_sample_are_told(treated: Treated, catalogue: Catalogue) -> None:
    clotting = {"prothrombin_time": "12 s", "inr": "1.0 {INR}"}
    enzymes = {"alt": "20 U/L", "ast": "20 U/L", "total_bilirubin": "0.4 mg/dL"}
    panels = [
        panel(26, **enzymes, prothrombin_time="none", inr="none"),
        panel(28, **clotting, alt="none", ast="none", total_bilirubin="none"),
    ]
    answer = eligible(treated(28, order(-1, 40), panels=panels), catalogue)
    assert (answer.grade, answer.shown["sampled_from"], answer.shown["sampled_to"]) == ("eligible", day(26), day(28))


@pytest.mark.parametrize(
    ("words", "grade"),
    [
        ({"conditions": [{"code": "ICD10CM R17", "onset": day(27).isoformat()}]}, ""),
        ({"conditions": [{"code": "ICD10CM R17", "clinical": "resolved"}]}, "eligible"),
        ({"visit_reasons": ["ICD10CM R17"]}, ""),
        ({"visit_reasons": ["ICD10CM R11.10"]}, "eligible"),
    ],
)
def test_only_a_present_sign_of_the_liver_speaks_against_the_clinical_examination(
    treated: Treated, catalogue: Catalogue, words: dict[str, Any], grade: str
) -> None:
    assert eligible(treated(28, order(-1, 40), **words), catalogue).grade == grade


def tapers(facts: PatientFacts, catalogue: Catalogue, **policy: object) -> list[tuple[str, date, date]]:
    known = under_policy(catalogue.known, policy)
    changes = steroid_taper_eligible(facts, known).changes
    steps = [step for taper in changes if isinstance(taper, OrderTaper) for step in taper.steps]
    return [(str(step.mg), step.first_day, step.last_day) for step in steps]


def test_each_step_of_the_sites_template_has_its_own_length(treated: Treated, catalogue: Catalogue) -> None:
    policy = {"taper.template.first.days": 21, "taper.template.second.days": 10}
    assert tapers(treated(28, order(-1, 40)), catalogue, **policy) == [
        ("1.5", day(29), day(49)),
        ("0.9", day(50), day(59)),
    ]


@pytest.mark.parametrize(
    ("strength", "steps"),
    [
        (3, 2),
        # One tenth of a millilitre holds 1.5 mg: 1.6 and 0.8 mg are the same to the syringe.
        (15, 0),
        # And of 20 mg/mL it holds 2 mg: 0.8 mg are none at all.
        (20, 0),
    ],
)
def test_no_taper_is_offered_that_the_syringe_cannot_measure(
    treated: Treated, catalogue: Catalogue, strength: int, steps: int
) -> None:
    policy = {"steroid.suggested.strength_mg_per_ml": strength}
    assert len(tapers(treated(28, order(-1, 40)), catalogue, **policy)) == steps


def test_a_dose_of_yesterday_that_is_not_known_does_not_hide_what_is_ordered(
    treated: Treated, catalogue: Catalogue
) -> None:
    doses = [{"when": f"{day(20)}T08:00:00Z", "mg": "none"}]
    facts = treated(24, order(-1, 40), steroid_doses=doses)
    assert steroid_taper_too_early(facts, catalogue.known).verdict is Verdict.SILENT
    facts = treated(24, order(-1, 25), order(26, 60, "none", frequency="none", text="wean"))
    assert steroid_taper_too_early(facts, catalogue.known).missing == ("steroid-dose",)


# --- the taper begins


def test_a_taper_is_on_to_its_last_day(treated: Treated, catalogue: Catalogue) -> None:
    orders = (order(-1, 20), order(21, 30, HALF))
    assert steroid_taper_too_early(treated(30, *orders), catalogue.known).grade == "too-early"
    assert steroid_taper_too_early(treated(31, *orders), catalogue.known).verdict is Verdict.SILENT


@pytest.mark.hazard("H27")
@pytest.mark.parametrize(("begins", "early", "unsupported"), [(28, "too-early", ""), (29, "", "planned-not-proven")])
def test_a_reduction_on_the_last_of_the_30_days_is_too_early_and_the_next_day_has_to_be_proven(
    treated: Treated, catalogue: Catalogue, begins: int, early: str, unsupported: str
) -> None:
    facts = treated(20, order(-1, begins - 1), order(begins, 60, HALF))
    assert steroid_taper_too_early(facts, catalogue.known).grade == early
    assert steroid_taper_unsupported(facts, catalogue.known).grade == unsupported


JAUNDICE = [{"code": "ICD10CM R17", "onset": day(27).isoformat()}]


@pytest.mark.parametrize(("number", "grade"), [(28, "planned-abnormal"), (29, "")])
def test_a_sign_of_the_liver_speaks_against_a_taper_that_is_ahead(
    treated: Treated, catalogue: Catalogue, number: int, grade: str
) -> None:
    """Once it runs, a new sign is the finding of the liver's own rules."""
    facts = treated(number, COURSE, order(29, 56, HALF), conditions=JAUNDICE)
    assert steroid_taper_unsupported(facts, catalogue.known).grade == grade


def test_tests_that_have_become_fine_since_the_taper_began_support_it(treated: Treated, catalogue: Catalogue) -> None:
    taper = (COURSE, order(29, 60, HALF))
    bad = panel(28, alt="100 U/L")
    assert steroid_taper_unsupported(treated(34, *taper, panels=[bad]), catalogue.known).grade == "abnormal"
    facts = treated(36, *taper, panels=[bad, panel(35)])
    assert steroid_taper_unsupported(facts, catalogue.known).verdict is Verdict.SILENT


@pytest.mark.parametrize(("sampled", "grade"), [(28, ""), (29, ""), (30, "not-proven")])
def test_tests_of_the_day_on_which_the_taper_begins_or_before_support_it_for_good(
    treated: Treated, catalogue: Catalogue, sampled: int, grade: str
) -> None:
    """Two weeks later they are too old to prove anything of today.

    That a sample of the day itself supports it is our reading: clinical-rules 3 ends the window the day before.
    """
    facts = treated(44, COURSE, order(29, 60, HALF), panels=[panel(sampled)])
    assert steroid_taper_unsupported(facts, catalogue.known).grade == grade


def test_what_is_not_proven_is_told_as_it_is_today(treated: Treated, catalogue: Catalogue) -> None:
    """On the first day of the taper nothing was measured; today only the clotting is still missing."""
    late = panel(32, prothrombin_time="none", inr="none")
    answer = steroid_taper_unsupported(treated(33, COURSE, order(29, 60, HALF), panels=[late]), catalogue.known)
    assert (answer.grade, answer.shown["analytes"]) == ("not-proven", "prothrombin_time, inr")


def test_the_first_of_several_abnormal_samples_is_told(treated: Treated, catalogue: Catalogue) -> None:
    panels = [
        panel(26, alt="100 U/L", ast="none"),
        panel(28, alt="none", ast="100 U/L", total_bilirubin="none", prothrombin_time="none", inr="none"),
    ]
    answer = steroid_taper_unsupported(treated(28, COURSE, order(29, 60, HALF), panels=panels), catalogue.known)
    assert (answer.shown["analytes"], answer.shown["sampled_from"]) == ("alt, ast", day(26))


def wanted(answer: Answer) -> set[tuple[str, date | None]]:
    return {(change.test, change.on) for change in answer.changes if isinstance(change, RequestTest)}


@pytest.mark.parametrize("begins", [29, 40])
def test_the_missing_tests_are_asked_for_at_the_end_of_the_30_days_unless_they_are_on_their_way(
    treated: Treated, catalogue: Catalogue, begins: int
) -> None:
    lacks = [panel(26, prothrombin_time="none", inr="none")]
    taper = (order(-1, begins - 1), order(begins, 70, HALF))
    answer = steroid_taper_unsupported(treated(27, *taper, panels=lacks), catalogue.known)
    assert {on for _, on in wanted(answer)} == {day(28)}
    asked = [{"code": "LOINC 5902-2"}, {"code": "LOINC 6301-6"}]
    again = steroid_taper_unsupported(treated(27, *taper, panels=lacks, requests=asked), catalogue.known)
    tests = {test for test, _ in wanted(answer)} - {test for test, _ in wanted(again)}
    assert tests == {"pt-inr"}


# --- the full dose goes on

HIGH = [panel(28, alt="120 U/L")]


def ends(answer: Answer) -> tuple[str, object]:
    return answer.grade, answer.shown["order_ends"]


@pytest.mark.parametrize(
    ("number", "orders", "grade", "last"),
    [
        # One day was left out: the run that holds today counts, and none before or after it.
        (36, [order(-1, 20), order(22, 40)], "order-ends", 40),
        (36, [order(-1, 40), order(45, 60)], "order-ends", 40),
        (36, [order(-1, 34), order(36, 50)], "continue", 50),
        (36, [order(-1, 20), order(22, None)], "continue", None),
    ],
)
def test_the_order_ends_with_the_run_of_days_that_holds_today(
    treated: Treated, catalogue: Catalogue, number: int, orders: list[Any], grade: str, last: int | None
) -> None:
    answer = steroid_continue(treated(number, *orders, panels=HIGH), catalogue.known)
    assert ends(answer) == (grade, "" if last is None else day(last))


LIVER_TESTS = ("1742-6", "1920-8", "1975-2", "5902-2", "6301-6")


@pytest.mark.parametrize("tests", [(), LIVER_TESTS])
def test_an_order_that_ends_is_told_beside_tests_that_are_booked(
    treated: Treated, catalogue: Catalogue, tests: tuple[str, ...]
) -> None:
    booked = [{"code": f"LOINC {code}", "wanted": day(35).isoformat()} for code in tests]
    answer = steroid_continue(treated(34, order(-1, 36), panels=HIGH, requests=booked), catalogue.known)
    assert (answer.grade, answer.shown["next_test_date"]) == ("order-ends", day(35))
    assert answer.shown["is_booked"] is bool(tests)


@pytest.mark.parametrize(("mg", "offered"), [("2.88", 1), ("2.87", 0)])
def test_a_dose_of_nine_tenths_is_offered_to_go_on_and_a_lower_one_is_not(
    treated: Treated, catalogue: Catalogue, mg: str, offered: int
) -> None:
    answer = steroid_continue(treated(36, order(-1, 40, f"{mg} mg"), panels=HIGH), catalogue.known)
    assert (answer.grade, len(answer.changes)) == ("order-ends", offered)


@pytest.mark.parametrize(
    ("steps", "changes"),
    [
        ([order(36, 38), order(39, 40)], (ExtendSteroid("draft-steroid-1", day(54)),)),
        # The draft goes on after a break, and with its second step nothing may be doubled.
        ([order(36, 38), order(45, 50)], ()),
        ([order(36, 38), order(45, None)], ()),
    ],
)
def test_a_draft_in_steps_is_prolonged_where_the_last_of_them_ends_the_course(
    treated: Treated, catalogue: Catalogue, steps: list[dict[str, Any]], changes: tuple[ExtendSteroid, ...]
) -> None:
    draft = {"steps": [{**step, "sequence": number} for number, step in enumerate(steps, start=1)]}
    facts = treated(36, order(-1, 35), draft_steroids=[draft], panels=HIGH)
    answer = steroid_continue(facts, catalogue.known)
    assert (answer.grade, answer.changes) == ("order-ends", changes)


# --- the taper itself


def test_a_recorded_dose_of_unknown_amount_in_the_taper_leaves_its_length_unknown(
    treated: Treated, catalogue: Catalogue
) -> None:
    doses = [{"when": f"{day(33)}T08:00:00Z", "mg": "none"}]
    answer = only(steroid_taper_short(treated(36, COURSE, order(29, 40, HALF), steroid_doses=doses), catalogue.known))
    assert (answer.verdict, answer.missing) == (Verdict.UNKNOWN, ("steroid-dose",))


def test_a_short_taper_rests_on_the_days_around_its_beginning_and_on_its_last_day(
    treated: Treated, catalogue: Catalogue
) -> None:
    orders = (COURSE, order(29, 38, HALF), order(39, 45, "1.2 mg"), order(46, 46, QUARTER))
    answer = steroid_taper_short(treated(36, *orders), catalogue.known)[0]
    assert answer.grade == "short"
    assert orders_behind(answer) == [f"MedicationRequest/steroid-{n}" for n in (1, 2, 4)]


@pytest.mark.parametrize(("begins", "is_prolonged"), [(28, False), (29, True)])
def test_a_draft_that_begins_too_early_is_not_prolonged(
    treated: Treated, catalogue: Catalogue, begins: int, is_prolonged: bool
) -> None:
    """It has to be moved, which another rule offers."""
    facts = treated(26, order(-1, begins - 1), draft_steroids=[order(begins, 50, HALF)])
    answer = steroid_taper_short(facts, catalogue.known)[0]
    assert answer.grade == "short"
    assert bool(answer.changes) is is_prolonged


def test_a_day_left_out_in_the_taper_is_no_step_of_it(treated: Treated, catalogue: Catalogue) -> None:
    answers = steroid_taper_short(treated(45, COURSE, *STEPS, steroid_doses=[not_done(40)]), catalogue.known)
    assert [answer.verdict for answer in answers] == [Verdict.SILENT] * 2


def test_a_fall_before_the_taper_is_no_step_of_it(treated: Treated, catalogue: Catalogue) -> None:
    """A dose that had been raised came back to the full one long before."""
    orders = (order(-1, 6, "6.4 mg"), order(7, 28), *STEPS)
    facts = treated(9, *orders, weights=[{"weight": "3.2 kg", "days_ago": 1}])
    assert [answer.verdict for answer in steroid_taper_short(facts, catalogue.known)] == [Verdict.SILENT] * 2


# --- the stop


@pytest.mark.parametrize(("last", "grade"), [(27, "stopped"), (28, "")])
def test_a_stop_from_a_low_dose_is_abrupt_before_the_end_of_the_30_days_only(
    treated: Treated, catalogue: Catalogue, last: int, grade: str
) -> None:
    facts = treated(30, order(-1, 10), order(11, last, QUARTER))
    assert steroid_taper_abrupt(facts, catalogue.known).grade == grade


def test_a_new_course_of_one_day_that_stops_is_told_as_one(treated: Treated, catalogue: Catalogue) -> None:
    answer = steroid_taper_abrupt(treated(82, COURSE, *STEPS, order(80, 80)), catalogue.known)
    assert (answer.grade, answer.shown["last_date"], answer.shown["resumes_on"]) == (
        "stopped-after-restart", day(80), "",
    )  # fmt: skip


def test_the_next_day_with_a_dose_is_told_after_a_stop(treated: Treated, catalogue: Catalogue) -> None:
    orders = (order(-1, 12), order(20, 22), order(30, 40))
    answer = steroid_taper_abrupt(treated(15, *orders), catalogue.known)
    assert (answer.grade, answer.shown["resumes_on"]) == ("stopped", day(20))


@pytest.mark.parametrize(
    ("number", "last", "offered"),
    [
        # Within the 30 days another rule offers the dose again; so many days after the stop nobody does.
        (28, 25, 0),
        (29, 26, 1),
        (33, 28, 1),
        (34, 28, 0),
    ],
)
def test_the_dose_is_offered_again_after_the_30_days_and_for_five_days_after_the_stop(
    treated: Treated, catalogue: Catalogue, number: int, last: int, offered: int
) -> None:
    answer = steroid_taper_abrupt(treated(number, order(-1, last)), catalogue.known)
    assert (answer.grade, len(answer.changes)) == ("stopped", offered)
