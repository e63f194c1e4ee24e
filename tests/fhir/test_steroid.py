"""Corticosteroid orders and doses: which ones act on the whole body, how much, how often, from when to when (C11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import SYSTEMS, UCUM

from cds_service.domain.medicines import SteroidDose, SteroidOrder, SteroidPhase, SteroidRoute
from cds_service.domain.quantities import UnitTable
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.steroid import is_steroid_draft, read_steroid_dose, read_steroid_order

Resource = dict[str, Any]
Read = Callable[..., SteroidOrder | None]
ReadDose = Callable[[Resource], SteroidDose | None]

INGREDIENT, SOLUTION_3, SOLUTION_1, TABLET_5 = "8638", "283077", "312614", "198142"
EYE_DROPS, VIAL_40, DEPOT_BETAMETHASONE = "1376336", "311659", "578803"
TRIAMCINOLONE, METHYLPREDNISOLONE, VAMOROLONE, BUDESONIDE = "10759", "6902", "2669799", "19831"
ATC_PREDNISOLONE = {"coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB06"}]}
PER_MOUTH = {"text": "Oral"}
DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
COURSE = {"repeat": {**DAILY["repeat"], "boundsPeriod": {"start": "2026-03-02", "end": "2026-03-31"}}}
FIRST, LAST, TODAY, YESTERDAY = date(2026, 3, 2), date(2026, 3, 31), date(2026, 3, 2), date(2026, 3, 1)


@pytest.fixture
def read(recognition: Recognition, clock: SiteClock, units: UnitTable) -> Read:
    def of(resource: Resource, is_draft: bool = False, medications: Any = None) -> SteroidOrder | None:
        return read_steroid_order(resource, medications or {}, recognition, units, clock, is_draft=is_draft)

    return of


@pytest.fixture
def given(recognition: Recognition, clock: SiteClock, units: UnitTable) -> ReadDose:
    return lambda resource: read_steroid_dose(resource, {}, recognition, units, clock)


@pytest.fixture
def is_draft(recognition: Recognition) -> Callable[[Resource], bool]:
    return lambda resource: is_steroid_draft(resource, {}, recognition)


def rxnorm(*codes: str, **members: Any) -> Resource:
    return {"coding": [{"system": SYSTEMS["RXNORM"], "code": code} for code in codes], **members}


def mg(value: Any) -> Resource:
    return {"value": value, "unit": "mg", "system": UCUM, "code": "mg"}


def ml(value: Any) -> Resource:
    return {"value": value, "unit": "mL", "system": UCUM, "code": "mL"}


def typed(kind: str, quantity: Resource) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/dose-rate-type"
    return {"type": {"coding": [{"system": system, "code": kind}]}, "doseQuantity": quantity}


def step(dose: Resource | None = None, **members: Any) -> Resource:
    dosed = {"doseAndRate": [{"doseQuantity": dose}]} if dose else {}
    return {"route": PER_MOUTH, "timing": COURSE, **dosed, **members}


def an_order(*steps: Resource, **members: Any) -> Resource:
    """Prednisolone 3.2 mg by mouth once a day for 30 days, but for what is given."""
    return {
        "resourceType": "MedicationRequest",
        "id": "s1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": rxnorm(INGREDIENT),
        "authoredOn": "2026-02-27",
        "dosageInstruction": list(steps) or [step(mg(Decimal("3.2")))],
        **members,
    }


def of(drug: Any, *steps: Resource, **members: Any) -> Resource:
    medicine = rxnorm(drug) if isinstance(drug, str) else drug
    return an_order(*steps, medicationCodeableConcept=medicine, **members)


def found(order: SteroidOrder | None) -> SteroidOrder:
    assert order is not None
    return order


def only(order: SteroidOrder | None) -> SteroidPhase:
    assert order is not None
    assert len(order.phases) == 1
    return order.phases[0]


def dose_of(phase: SteroidPhase) -> tuple[Decimal | None, Decimal | None, str]:
    return phase.mg, phase.mg_per_kg, phase.why_unknown


def test_a_plain_order_is_read(read: Read) -> None:
    order = found(read(an_order(reasonCode=[{"text": "before gene therapy"}])))
    assert (order.order_id, order.drug, order.route) == ("s1", "prednisolone", SteroidRoute.ORAL)
    assert (order.is_cover, order.is_draft, order.is_depot) == (True, False, False)
    assert (order.written_on, order.supply_ends, order.strength_mg_per_ml) == (date(2026, 2, 27), None, None)
    assert order.reason_written == "before gene therapy"
    assert only(order) == SteroidPhase(
        mg=Decimal("3.2"),
        mg_per_kg=None,
        times_per_day=Decimal(1),
        every_days=1,
        weekdays=frozenset(),
        only_on=frozenset(),
        first_day=FIRST,
        last_day=LAST,
        sequence=None,
        why_unknown="",
        written="3.2 mg",
    )


def test_an_order_cites_the_record(read: Read) -> None:
    sig = "Give   1 mL\nby mouth daily. " + "Shake well. " * 20
    drug = rxnorm(SOLUTION_3, text="prednisolone 15 mg/5 mL")
    evidence = found(read(of(drug, step(ml(1), text=sig)))).evidence
    assert (evidence.reference, evidence.name) == ("MedicationRequest/s1", "prednisolone 15 mg/5 mL")
    assert evidence.value.startswith("1 mL, Give 1 mL by mouth daily. Shake")
    assert len(evidence.value) <= 160
    assert evidence.value.endswith("…")
    assert (evidence.day, evidence.status) == ("2026-02-27", "active")
    assert found(read(an_order())).evidence.name == "prednisolone", "what our list calls a code without a display"


# --- C11, traps 59 and 70: what is a systemic corticosteroid


@pytest.mark.parametrize(
    ("drug", "route", "expected"),
    [
        pytest.param(INGREDIENT, {"text": "Oral"}, SteroidRoute.ORAL, id="oral"),
        pytest.param(INGREDIENT, {"text": "by mouth"}, SteroidRoute.ORAL, id="by mouth"),
        pytest.param(INGREDIENT, {"coding": [{"code": "PO"}]}, SteroidRoute.ORAL, id="a code without a display"),
        pytest.param(INGREDIENT, {"text": "NG Tube"}, SteroidRoute.ORAL, id="nasogastric"),
        pytest.param(INGREDIENT, {"text": "Per G-tube"}, SteroidRoute.ORAL, id="gastrostomy"),
        pytest.param(METHYLPREDNISOLONE, {"text": "Intravenous"}, SteroidRoute.INTRAVENOUS, id="intravenous"),
        pytest.param(METHYLPREDNISOLONE, {"text": "Intramuscular"}, SteroidRoute.OTHER_SYSTEMIC, id="intramuscular"),
        pytest.param(METHYLPREDNISOLONE, {"text": "IV or PO"}, SteroidRoute.OTHER_SYSTEMIC, id="one or the other"),
        pytest.param(SOLUTION_3, None, SteroidRoute.ORAL, id="oral form, no route"),
        pytest.param(SOLUTION_3, {}, SteroidRoute.ORAL, id="oral form, empty route"),
        pytest.param(VIAL_40, None, SteroidRoute.OTHER_SYSTEMIC, id="injection, no route"),
        pytest.param(ATC_PREDNISOLONE, None, SteroidRoute.OTHER_SYSTEMIC, id="systemic by its ATC code"),
    ],
)
def test_the_route_or_else_the_form_makes_it_systemic(read: Read, drug: Any, route: Any, expected: Any) -> None:
    order = found(read(of(drug, step(mg(3), route=route))))
    assert (order.route, only(order).why_unknown) == (expected, "")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("26643006", SteroidRoute.ORAL),
        ("47625008", SteroidRoute.INTRAVENOUS),
        ("78421000", SteroidRoute.OTHER_SYSTEMIC),
        ("34206005", SteroidRoute.NOT_STATED),
    ],
)
def test_the_route_is_known_by_its_code(read: Read, code: str, expected: SteroidRoute) -> None:
    route = {"coding": [{"system": "http://local", "code": "1"}, {"system": SYSTEMS["SNOMED"], "code": code}]}
    assert found(read(an_order(step(mg(3), route=route)))).route is expected


@pytest.mark.parametrize(
    ("drug", "route", "why"),
    [
        pytest.param(INGREDIENT, None, "route-not-stated", id="an ingredient without a route"),
        pytest.param(INGREDIENT, {"text": "Rectal"}, "not-interpretable", id="rectal"),
        pytest.param(SOLUTION_3, {"text": "swish and spit"}, "not-interpretable", id="an oral form used otherwise"),
    ],
)
def test_where_the_way_is_not_known_the_order_is_kept_and_its_dose_is_not(
    read: Read, drug: Any, route: Any, why: str
) -> None:
    order = found(read(of(drug, step(mg(3), route=route))))
    assert order.route is SteroidRoute.NOT_STATED
    assert dose_of(only(order)) == (None, None, why)


@pytest.mark.hazard("H31")
@pytest.mark.parametrize(
    ("drug", "route"),
    [
        pytest.param(INGREDIENT, {"text": "Inhalation"}, id="inhaled"),
        pytest.param(INGREDIENT, {"text": "Ophthalmic"}, id="eye"),
        pytest.param(INGREDIENT, {"text": "Topical"}, id="skin"),
        pytest.param(INGREDIENT, {"text": "oral inhalation"}, id="words of two routes"),
        pytest.param(TRIAMCINOLONE, {"text": "Intra-articular"}, id="joint"),
        pytest.param(SOLUTION_3, {"text": "Nasal"}, id="an oral form into the nose"),
        pytest.param(EYE_DROPS, None, id="an eye product"),
        pytest.param(EYE_DROPS, PER_MOUTH, id="an eye product by mouth"),
        pytest.param(BUDESONIDE, PER_MOUTH, id="budesonide"),
        pytest.param(rxnorm(INGREDIENT, EYE_DROPS), None, id="an eye product beside its ingredient"),
        pytest.param(rxnorm(INGREDIENT, text="prednisolone ophthalmic drops"), None, id="a local name, no route"),
        pytest.param({"text": "hydrocortisone topical cream"}, None, id="a local name, no code"),
        pytest.param(rxnorm(EYE_DROPS, text="prednisolone acetate"), None, id="an eye product with a name"),
        pytest.param({"text": "Freestyle sensor"}, None, id="a device"),
        pytest.param("161", PER_MOUTH, id="another medicine"),
        pytest.param({}, PER_MOUTH, id="nothing"),
        pytest.param(None, PER_MOUTH, id="null"),
    ],
)
def test_what_does_not_act_on_the_whole_body_is_no_order(
    read: Read, is_draft: Callable[[Resource], bool], drug: Any, route: Any
) -> None:
    order = {
        **an_order(step(mg(3), route=route)),
        "medicationCodeableConcept": rxnorm(drug) if isinstance(drug, str) else drug,
    }
    assert read(order) is None
    assert not is_draft(order)


def test_a_salt_that_only_eye_drops_have_is_overruled_by_an_oral_product(read: Read) -> None:
    order = found(read(of(rxnorm(INGREDIENT, SOLUTION_3, "55062"), step(ml(1), route=None))))
    assert (order.route, only(order).mg) == (SteroidRoute.ORAL, Decimal(3))


def test_a_local_instruction_beside_a_systemic_one_is_left_out(read: Read) -> None:
    order = found(read(an_order(step(mg(3)), step(mg(1), route={"text": "Ophthalmic"}))))
    assert (only(order).mg, order.route) == (Decimal(3), SteroidRoute.ORAL)


@pytest.mark.parametrize(
    ("name", "drug"),
    [
        ("prednisoLONE 15 mg/5 mL solution", "prednisolone"),
        ("methylPREDNISolone sodium succinate", "methylprednisolone"),
        ("Orapred ODT", ""),
        ("hydrocortisone (Cortef)", "hydrocortisone"),
        ("prednisone or prednisolone", ""),
    ],
)
def test_a_name_without_a_code_is_recognised_as_a_whole_word(
    read: Read, is_draft: Callable[[Resource], bool], name: str, drug: str
) -> None:
    order = of({"text": name}, step(mg(3)))
    assert (found(read(order)).drug, only(read(order)).mg) == (drug, Decimal(3))
    assert is_draft(order)
    assert dose_of(only(read(of({"text": name}, step(ml(1)))))) == (None, None, "no-strength"), "never out of a name"


@pytest.mark.parametrize("name", ["fluprednisolone", "budesonide", "cortisonelike", "steroid"])
def test_another_word_is_none(read: Read, name: str) -> None:
    assert read(of({"text": name}, step(mg(3)))) is None


def test_the_display_of_a_reference_that_leads_nowhere_is_a_name(read: Read) -> None:
    order = an_order(medicationCodeableConcept=None, medicationReference={"display": "PREDNISOLONE 3 MG/ML PO SOLN"})
    assert (found(read(order)).drug, found(read(order)).evidence.name) == (
        "prednisolone",
        "PREDNISOLONE 3 MG/ML PO SOLN",
    )


def test_two_corticosteroids_in_one_order_are_no_known_drug(read: Read) -> None:
    assert found(read(of(rxnorm(INGREDIENT, METHYLPREDNISOLONE), step(mg(3))))).drug == ""


@pytest.mark.parametrize("code", [8638, "8638 "])
def test_a_code_written_oddly_is_read(read: Read, code: Any) -> None:
    assert (
        found(read(of({"coding": [{"system": SYSTEMS["RXNORM"], "code": code}]}, step(mg(3))))).drug == "prednisolone"
    )


def test_a_drug_without_an_equivalent_is_kept(read: Read) -> None:
    assert found(read(of(VAMOROLONE, step(mg(18))))).drug == "vamorolone"


# --- as needed, and what was never ordered


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"asNeededBoolean": True}, id="flag"),
        pytest.param({"asNeededBoolean": "true"}, id="flag as text"),
        pytest.param({"asNeededCodeableConcept": {"text": "wheeze"}}, id="a reason for need"),
        pytest.param({"timing": {"code": {"text": "Q6H PRN"}}}, id="in the timing"),
        pytest.param({"timing": None, "text": "3 mg by mouth as needed for wheeze"}, id="in free text only"),
    ],
)
def test_an_order_as_needed_is_none(read: Read, is_draft: Callable[[Resource], bool], members: Resource) -> None:
    order = an_order(step(mg(3), **members))
    assert read(order) is None
    assert not is_draft(order)


def test_words_of_need_beside_a_schedule_leave_the_schedule(read: Read) -> None:
    order = an_order(step(mg(3), asNeededBoolean=False, text="3 mg daily. Repeat as needed if vomited."))
    assert only(read(order)).times_per_day == 1


def test_an_extra_dose_as_needed_beside_a_schedule_is_left_out(read: Read) -> None:
    assert only(read(an_order(step(mg(3)), step(mg(1), asNeededBoolean=True)))).mg == Decimal(3)


@pytest.mark.parametrize(
    "members",
    [
        {"status": "entered-in-error"},
        {"status": "cancelled"},
        {"status": "Cancelled "},
        {"status": "draft"},
        {"doNotPerform": True},
        {"doNotPerform": "true"},
        {"intent": "proposal"},
        {"intent": "plan"},
        {"intent": "option"},
    ],
)
def test_what_was_never_ordered_is_none(read: Read, members: Resource) -> None:
    assert read(an_order(**members)) is None


@pytest.mark.parametrize("intent", ["order", "original-order", "instance-order", "reflex-order", "filler-order", None])
def test_every_kind_of_order_counts(read: Read, intent: Any) -> None:
    assert found(read(an_order(intent=intent))).is_cover


@pytest.mark.parametrize(
    ("members", "is_draft", "is_cover"),
    [
        ({"status": "active"}, False, True),
        ({"status": "draft"}, True, True),
        ({"status": None}, True, True),
        ({"status": "on-hold"}, False, False),
        ({"status": "on-hold"}, True, False),
        ({"status": "completed"}, False, False),
        ({"status": "stopped"}, False, False),
        ({"status": "stopped"}, True, False),
        ({"status": "unknown"}, False, False),
        ({"status": None}, False, False),
        ({"status": "active", "reportedBoolean": True}, False, False),
        ({"status": "active", "reportedBoolean": "True "}, False, False),
        ({"status": "active", "reportedReference": {"reference": "Patient/1"}}, False, False),
        ({"status": "active", "reportedBoolean": False}, False, True),
    ],
)
def test_what_covers_the_days_from_today_on(read: Read, members: Resource, is_draft: bool, is_cover: bool) -> None:
    order = found(read(an_order(**members), is_draft))
    assert (order.is_cover, order.is_draft) == (is_cover, is_draft)


@pytest.mark.parametrize(
    ("status", "end", "expected"),
    [
        ("completed", "2026-03-31", YESTERDAY),
        ("stopped", "2026-03-31", YESTERDAY),
        ("stopped", "2026-02-20", date(2026, 2, 20)),
        ("completed", None, YESTERDAY),
        ("active", "2026-03-31", LAST),
        ("on-hold", "2026-03-31", LAST),
    ],
)
def test_an_order_that_has_ended_ends_yesterday_at_the_latest(
    read: Read, status: str, end: Any, expected: date
) -> None:
    timing = {"repeat": {**DAILY["repeat"], "boundsPeriod": {"start": "2026-02-01", "end": end}}}
    assert only(read(an_order(step(mg(3), timing=timing), status=status))).last_day == expected


@pytest.mark.parametrize(
    ("status", "end", "validity", "is_presumed"),
    [
        ("completed", None, None, True),
        ("stopped", "2026-03-31", None, True),
        ("stopped", None, "2026-03-31", True),
        ("stopped", None, "2026-02-20", False),
        ("stopped", "2026-02-20", None, False),
        ("active", None, None, False),
    ],
)
def test_since_when_an_order_is_over_is_presumed_unless_it_says_so(
    read: Read, status: str, end: Any, validity: Any, is_presumed: bool
) -> None:
    timing = {"repeat": {**DAILY["repeat"], "boundsPeriod": {"start": "2026-02-01", "end": end}}}
    dispense = {"dispenseRequest": {"validityPeriod": {"end": validity}}} if validity else {}
    assert only(read(an_order(step(mg(3), timing=timing), status=status, **dispense))).is_end_presumed is is_presumed


# --- traps 60 to 63 and 65: how much


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        pytest.param(mg(Decimal("3.2")), (Decimal("3.2"), None, ""), id="mg"),
        pytest.param({"value": 3, "unit": "mg"}, (Decimal(3), None, ""), id="mg without a system"),
        pytest.param(
            {"value": "3", "unit": "MG", "system": "http://local", "code": "1"}, (Decimal(3), None, ""), id="local unit"
        ),
        pytest.param({"value": 3200, "unit": "mcg"}, (Decimal("3.2"), None, ""), id="micrograms"),
        pytest.param({"value": Decimal("0.5"), "unit": "g"}, (Decimal(500), None, ""), id="grams"),
        pytest.param({"value": 1, "unit": "mg/kg"}, (None, Decimal(1), ""), id="mg/kg"),
        pytest.param(ml(1), (Decimal(3), None, ""), id="mL of a known strength"),
        pytest.param({"value": 1, "unit": "{tbl}"}, (None, None, "no-strength"), id="a tablet of a solution"),
        pytest.param({"value": 2, "unit": "cap", "code": "{Capsule}"}, (None, None, "no-strength"), id="capsules"),
        pytest.param(
            {"value": 1, "unit": "tab(s)", "system": UCUM, "code": "tbl"}, (None, None, "not-interpretable"), id="tbl"
        ),
        pytest.param(
            {"value": 1, "unit": "tabs", "system": UCUM, "code": "tabs"}, (None, None, "not-interpretable"), id="tabs"
        ),
        pytest.param({"value": 1, "unit": "teaspoon"}, (None, None, "not-interpretable"), id="a teaspoon"),
        pytest.param({"value": 1, "unit": "mg/kg/d"}, (None, None, "not-interpretable"), id="mg/kg a day"),
        pytest.param({"value": 3}, (None, None, "not-interpretable"), id="no unit"),
        pytest.param({"unit": "mg"}, (None, None, "not-interpretable"), id="no number"),
        pytest.param({**mg(3), "comparator": "<"}, (None, None, "not-interpretable"), id="less than"),
        pytest.param(mg(0), (None, None, "not-interpretable"), id="none"),
        pytest.param(mg(-3), (None, None, "not-interpretable"), id="below none"),
    ],
)
def test_one_administration(read: Read, quantity: Resource, expected: Any) -> None:
    assert dose_of(only(read(of(SOLUTION_3, step(quantity))))) == expected


@pytest.mark.parametrize(
    ("members", "why"),
    [
        pytest.param({"text": "take as directed"}, "no-dose", id="free text only"),
        pytest.param({"doseAndRate": []}, "no-dose", id="an empty list"),
        pytest.param({"doseAndRate": [{"doseQuantity": "3 mg"}]}, "not-interpretable", id="text for a quantity"),
        pytest.param({"doseAndRate": [{"doseRange": {"low": mg(2), "high": mg(4)}}]}, "dose-range", id="a range"),
        pytest.param(
            {"doseAndRate": [{"doseQuantity": ml(50), "rateQuantity": {"value": 5, "unit": "mL/h"}}]},
            "not-interpretable",
            id="a bag",
        ),
        pytest.param(
            {"doseAndRate": [{"rateQuantity": {"value": 5, "unit": "mL/h"}}]}, "not-interpretable", id="a rate alone"
        ),
        pytest.param(
            {
                "text": "3.2 mg/h",
                "doseAndRate": [
                    {
                        "doseQuantity": ml(500),
                        "rateQuantity": {"value": Decimal("17.55"), "unit": "mL/hr", "system": UCUM, "code": "mL/h"},
                    }
                ],
            },
            "not-interpretable",
            id="a bag, the dose in words only",
        ),
        pytest.param(
            {"doseAndRate": [typed("ordered", ml(1)), {"rateQuantity": {"value": 5, "unit": "mL/h"}}]},
            "not-interpretable",
            id="a bag, its rate in another entry",
        ),
        pytest.param(
            {"doseAndRate": [{"doseQuantity": mg(400), "rateQuantity": {"value": 3, "unit": "ug/kg/min"}}]},
            "not-interpretable",
            id="a mass that runs on by mass",
        ),
        pytest.param(
            {
                "doseAndRate": [
                    {
                        "doseQuantity": mg(400),
                        "rateRatio": {"numerator": mg(3), "denominator": {"value": 1, "unit": "h"}},
                    }
                ]
            },
            "not-interpretable",
            id="a mass that runs on by a ratio of mass",
        ),
        pytest.param(
            {"doseAndRate": [{"doseQuantity": mg(400), "rateQuantity": "fast"}]},
            "not-interpretable",
            id="a mass beside a rate that is none",
        ),
    ],
)
def test_why_a_dose_is_not_known(read: Read, members: Resource, why: str) -> None:
    found = only(read(of(SOLUTION_3, step(**members))))
    assert (dose_of(found), found.why_days_unknown) == ((None, None, why), "")


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        ({"boundsPeriod": {"start": "2026-03-02", "end": "later"}}, "end-unreadable"),
        ({"boundsPeriod": {"start": "2026-03-02", "end": False}}, "end-unreadable"),
        ({"boundsPeriod": {"start": "later", "end": "2026-03-31"}}, "start-unreadable"),
        ({"boundsPeriod": {"start": False}}, "start-unreadable"),
        ({"boundsPeriod": "March"}, "start-unreadable"),
        ({"boundsPeriod": 0}, "start-unreadable"),
        ({"boundsPeriod": {"start": "2026-03-02"}, "boundsDuration": False}, "end-unreadable"),
        ({"boundsPeriod": {"start": "2026-03-02"}, "boundsRange": "a month"}, "end-unreadable"),
    ],
)
def test_days_that_cannot_be_read_leave_the_dose_as_it_is_written(read: Read, bounds: Resource, why: str) -> None:
    timing = {"repeat": {**DAILY["repeat"], **bounds}}
    found = only(read(an_order(step(timing=timing, doseAndRate=[{"doseQuantity": mg(3)}]))))
    assert (dose_of(found), found.why_days_unknown) == ((Decimal(3), None, ""), why)


@pytest.mark.parametrize("nothing", [None, "", " ", {}, [], {"start": None}])
def test_a_period_that_says_nothing_is_no_unreadable_one(read: Read, nothing: Any) -> None:
    timing = {"repeat": {**DAILY["repeat"], "boundsPeriod": nothing}}
    assert only(read(an_order(step(timing=timing)))).why_days_unknown == ""


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (["2026-03-02", "2026-03-03"], ""),
        (["2026-03-02", None], ""),
        (["2026-03-02", "later"], "end-unreadable"),
        (["2026-03-02", "08:00"], "end-unreadable"),
        (["2026-03-02", False], "end-unreadable"),
        ([False], "start-unreadable"),
        ("tomorrow", "start-unreadable"),
    ],
)
def test_an_event_that_cannot_be_read_may_be_any_day(read: Read, events: Any, why: str) -> None:
    assert only(read(an_order(step(timing={**DAILY, "event": events})))).why_days_unknown == why


def test_an_event_that_cannot_be_read_takes_nothing_from_days_that_can(read: Read) -> None:
    found = only(read(an_order(step(timing={**COURSE, "event": ["08:00"]}))))
    assert (found.first_day, found.last_day, found.why_days_unknown) == (FIRST, LAST, "")


def test_steps_without_days_are_no_doses_of_one_day_where_a_day_cannot_be_read(read: Read) -> None:
    unreadable = {"repeat": {**DAILY["repeat"], "boundsPeriod": {"start": "later"}}}
    found = read(an_order(step(mg(3), sequence=1, timing=unreadable), step(mg(2), sequence=2, timing=unreadable)))
    assert found is not None
    assert [(dose_of(phase), phase.why_days_unknown) for phase in found.phases] == [
        ((None, None, ""), "start-unreadable")
    ] * 2


def test_what_else_is_unknown_of_a_dose_is_told_beside_its_days(read: Read) -> None:
    timing = {"repeat": {"boundsPeriod": {"start": "later"}}}
    found = only(read(an_order(step(mg(3), timing=timing))))
    assert (found.why_unknown, found.why_days_unknown) == ("no-frequency", "start-unreadable")


@pytest.mark.parametrize(
    ("bounds", "last", "why"),
    [
        ({"start": "2026-03-02", "end": "2026-04"}, date(2026, 4, 1), ""),
        ({"start": "2026-03-02", "end": "2027"}, date(2027, 1, 1), ""),
        ({"end": "2026-04"}, None, "end-unreadable"),
        ({"end": "2026"}, None, "end-unreadable"),
    ],
)
def test_a_month_ends_an_order_at_its_first_day_unless_it_names_no_start(
    read: Read, bounds: Resource, last: date | None, why: str
) -> None:
    found = only(read(an_order(step(timing={"repeat": {**DAILY["repeat"], "boundsPeriod": bounds}}))))
    assert (found.last_day, found.why_days_unknown) == (last, why)


@pytest.mark.parametrize(
    "rate",
    [
        {"rateQuantity": {"value": 5, "unit": "mL/h"}},
        {"rateRatio": {"numerator": ml(5), "denominator": {"value": 1, "unit": "h"}}},
        {"rateRange": {"low": {"value": 5, "unit": "mL/h"}, "high": {"value": 9, "unit": "mL/h"}}},
    ],
)
def test_mg_beside_a_rate_of_volume_are_the_dose(read: Read, rate: Resource) -> None:
    assert only(read(an_order(step(doseAndRate=[{"doseQuantity": mg(3), **rate}])))).mg == Decimal(3)


@pytest.mark.parametrize(
    "dispense",
    [
        "30 days",
        False,
        {"validityPeriod": "March"},
        {"validityPeriod": False},
        {"validityPeriod": {"end": "later"}},
        [{"id": "1"}, {"id": "2"}],
    ],
)
def test_an_end_of_the_whole_order_that_cannot_be_read_leaves_its_days_open(read: Read, dispense: Any) -> None:
    found = only(read(an_order(dispenseRequest=dispense)))
    assert (found.why_unknown, found.why_days_unknown) == ("", "end-unreadable")


@pytest.mark.parametrize("end", [None, "2026-03-31", "9999-12-31"])
def test_an_order_that_is_valid_without_end_is_open(read: Read, end: Any) -> None:
    assert only(read(an_order(dispenseRequest={"validityPeriod": {"end": end}}))).why_unknown == ""


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(
            [typed("calculated", mg(9)), typed("admin-amount", ml(3)), typed("ordered", mg(3))],
            (Decimal(3), None, ""),
            id="ordered",
        ),
        pytest.param([typed("calculated", mg(3))], (Decimal(3), None, ""), id="only calculated"),
        pytest.param([typed("admin-amount", mg(3))], (None, None, "no-dose"), id="only administered"),
        pytest.param(
            [typed("ordered", mg(3)), typed("ordered", mg(4))], (None, None, "not-interpretable"), id="two that differ"
        ),
        pytest.param(
            [typed("ordered", mg(3)), typed("ordered", mg(Decimal("3.0")))], (Decimal(3), None, ""), id="one twice"
        ),
        pytest.param(
            [typed("calculated", mg(Decimal("3.2"))), typed("ordered", {"value": 1, "unit": "mg/kg"})],
            (Decimal("3.2"), Decimal(1), ""),
            id="by weight, and what that came to",
        ),
        pytest.param(
            [typed("calculated", mg(3)), typed("ordered", ml(1))],
            (Decimal(3), None, ""),
            id="mL of no strength, and mg",
        ),
        pytest.param(
            [typed("calculated", mg(3)), typed("", mg(4)), typed("ordered", ml(1))],
            (None, None, "no-strength"),
            id="mg that differ",
        ),
    ],
)
def test_of_several_entries_for_one_dose(read: Read, entries: Any, expected: Any) -> None:
    assert dose_of(only(read(an_order(step(doseAndRate=entries))))) == expected


def test_a_dose_beside_the_entries_is_read(read: Read) -> None:
    assert only(read(an_order(step(doseQuantity=mg(3))))).mg == Decimal(3)
    assert only(read({**an_order(), "dosageInstruction": step(mg(3))})).mg == Decimal(3)


def test_an_order_without_instructions_is_kept(read: Read) -> None:
    phase = only(read(of(SOLUTION_3, dosageInstruction=None)))
    assert (dose_of(phase), phase.times_per_day, phase.first_day) == ((None, None, "no-dose"), None, None)


def medication(strength: Any, *more: Resource, code: Any = None, **members: Any) -> Resource:
    ingredient = [{"itemCodeableConcept": rxnorm(INGREDIENT), "strength": strength}, *more]
    return {
        "resourceType": "Medication",
        "id": "m",
        "code": code or rxnorm(INGREDIENT),
        "ingredient": ingredient,
        **members,
    }


def ratio(mass: Any, unit: str, share: Any, share_unit: str = "") -> Resource:
    return {"numerator": {"value": mass, "unit": unit}, "denominator": {"value": share, "unit": share_unit}}


@pytest.mark.hazard("H30")
@pytest.mark.parametrize(
    ("strength", "per_ml"),
    [
        pytest.param(ratio(15, "mg", 5, "mL"), Decimal(3), id="15 mg in 5 mL"),
        pytest.param(ratio(400, "mg", 500, "mL"), Decimal("0.8"), id="400 mg in 500 mL"),
        pytest.param(ratio(15, "MG/5ML", 15, "MG/5ML"), None, id="the same above and below"),
        pytest.param(ratio(50, "mg", 50, "mg"), None, id="mass in mass"),
        pytest.param(ratio(1, "%", 1, ""), None, id="per cent"),
        pytest.param(ratio(0, "mg", 5, "mL"), None, id="nothing in it"),
        pytest.param(ratio(15, "mg", 0, "mL"), None, id="in nothing"),
        pytest.param(ratio(-15, "mg", 5, "mL"), None, id="less than nothing"),
        pytest.param(ratio(5, "mg", 1, "{tbl}"), None, id="in a tablet"),
        pytest.param("15 mg/5 mL", None, id="text"),
        pytest.param(None, None, id="null"),
    ],
)
def test_mL_need_a_strength_that_makes_sense(read: Read, strength: Any, per_ml: Any) -> None:
    contained = [medication(strength)]
    order = an_order(
        step(ml(2)), medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=contained
    )
    assert found(read(order)).strength_mg_per_ml == per_ml
    assert dose_of(only(read(order))) == ((2 * per_ml, None, "") if per_ml else (None, None, "no-strength"))


@pytest.mark.parametrize(
    ("strength", "expected"),
    [
        (ratio(5, "mg", 1, "{tbl}"), (Decimal(10), None, "")),
        (ratio(5, "mg", 1, "tablet"), (Decimal(10), None, "")),
        (ratio(5, "mg", 1), (Decimal(10), None, "")),
        (ratio(5, "mg", 2, "{tbl}"), (None, None, "no-strength")),
        (ratio(5, "mg", 1, "h"), (None, None, "no-strength")),
    ],
)
def test_tablets_need_the_strength_of_one(read: Read, strength: Any, expected: Any) -> None:
    order = an_order(
        step({"value": 2, "unit": "{tbl}"}),
        medicationCodeableConcept=None,
        medicationReference={"reference": "Medication/m"},
    )
    assert dose_of(only(read(order, False, {"Medication/m": medication(strength)}))) == expected


def test_the_listed_strength_of_a_tablet_is_used(read: Read) -> None:
    assert only(read(of(TABLET_5, step({"value": 2, "unit": "tbl"})))).mg == Decimal(10)
    assert only(read(of(VIAL_40, step({"value": 1, "unit": "vial"}, route={"text": "IV"})))).mg == Decimal(40)


def test_two_sources_of_strength_must_agree(read: Read) -> None:
    reference = {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m"}}
    order = an_order(step(ml(1)), **reference)
    agreeing = medication(ratio(15, "mg", 5, "mL"), code=rxnorm(SOLUTION_3))
    differing = medication(ratio(15, "mg", 1, "mL"), code=rxnorm(SOLUTION_3))
    assert only(read(order, False, {"Medication/m": agreeing})).mg == Decimal(3)
    assert dose_of(only(read(order, False, {"Medication/m": differing}))) == (None, None, "no-strength")
    assert dose_of(only(read(of(rxnorm(SOLUTION_3, SOLUTION_1), step(ml(1)))))) == (None, None, "no-strength")


def test_the_strength_of_a_mixture_is_nobodys(read: Read) -> None:
    other = {"itemCodeableConcept": {"text": "neomycin"}, "strength": ratio(3, "mg", 1, "mL")}
    order = an_order(step(ml(1)), medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    mixed, flavoured = (
        medication(ratio(3, "mg", 1, "mL"), other),
        medication(ratio(3, "mg", 1, "mL"), {**other, "isActive": False}),
    )
    assert only(read(order, False, {"Medication/m": mixed})).why_unknown == "no-strength"
    assert only(read(order, False, {"Medication/m": flavoured})).mg == Decimal(3)


# --- trap 64: how often, from when to when


@pytest.mark.parametrize(
    "timing",
    [{"repeat": {"boundsPeriod": {"start": "2026-03-02"}}}, {"code": {"text": "as directed"}}, None, "daily"],
)
def test_a_dose_without_a_frequency_is_kept(read: Read, timing: Any) -> None:
    phase = only(read(an_order(step(mg(3), timing=timing))))
    assert (phase.mg, phase.times_per_day, phase.why_unknown) == (Decimal(3), None, "no-frequency")


@pytest.mark.parametrize(
    ("repeat", "dispense", "last_day", "supply_ends"),
    [
        pytest.param({}, {}, None, None, id="open"),
        pytest.param(
            {"boundsDuration": {"value": 30, "unit": "d"}}, {}, date(2026, 3, 28), None, id="a length, from its writing"
        ),
        pytest.param(
            {"boundsPeriod": {"start": "2026-03-02"}, "duration": 30, "durationUnit": "d"},
            {},
            LAST,
            None,
            id="a course",
        ),
        pytest.param({}, {"validityPeriod": {"end": "2026-03-20"}}, date(2026, 3, 20), None, id="valid until"),
        pytest.param(
            {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-31"}},
            {"validityPeriod": {"end": "2027-02-27"}},
            LAST,
            None,
            id="the earlier",
        ),
        pytest.param(
            {},
            {"expectedSupplyDuration": {"value": 14, "unit": "d"}},
            None,
            date(2026, 3, 12),
            id="supply, from its writing",
        ),
        pytest.param(
            {"boundsPeriod": {"start": "2026-03-02"}},
            {"expectedSupplyDuration": {"value": 2, "unit": "wk"}, "numberOfRepeatsAllowed": 3},
            None,
            date(2026, 3, 15),
            id="one supply, without its refills",
        ),
    ],
)
def test_when_an_order_ends_and_its_supply(
    read: Read, repeat: Resource, dispense: Resource, last_day: Any, supply_ends: Any
) -> None:
    timing = {"repeat": {**DAILY["repeat"], **repeat}}
    order = found(read(an_order(step(mg(3), timing=timing), dispenseRequest=dispense)))
    assert (only(order).last_day, order.supply_ends) == (last_day, supply_ends)


def test_a_draft_without_a_start_counts_its_length_from_today(read: Read) -> None:
    timing = {"repeat": {**DAILY["repeat"], "boundsDuration": {"value": 30, "unit": "d"}}}
    supply = {"expectedSupplyDuration": {"value": 14, "unit": "d"}}
    order = found(read(an_order(step(mg(3), timing=timing), status="draft", dispenseRequest=supply), True))
    assert (only(order).first_day, only(order).last_day, order.supply_ends) == (None, LAST, date(2026, 3, 15))


def bounded(start: str | None = None, end: str | None = None) -> Resource:
    period = {name: day for name, day in (("start", start), ("end", end)) if day}
    return {"repeat": {**DAILY["repeat"], "boundsPeriod": period}}


def test_steps_one_after_the_other_have_their_own_days(read: Read) -> None:
    order = an_order(
        step(mg(3), sequence=1, timing=bounded("2026-03-02", "2026-03-31")),
        step(mg(2), sequence=2, timing=bounded("2026-04-01", "2026-04-14")),
        step(mg(1), sequence=3, timing=bounded("2026-04-15")),
    )
    phases = found(read(order)).phases
    assert [(phase.sequence, phase.mg, phase.why_unknown) for phase in phases] == [
        (1, Decimal(3), ""),
        (2, Decimal(2), ""),
        (3, Decimal(1), ""),
    ]
    assert (phases[1].first_day, phases[1].last_day) == (date(2026, 4, 1), date(2026, 4, 14))


@pytest.mark.parametrize(
    ("first", "second", "whys"),
    [
        pytest.param(DAILY, DAILY, ["steps-without-dates"] * 2, id="no days at all"),
        pytest.param(
            bounded("2026-03-02"), bounded("2026-04-01"), ["steps-without-dates", ""], id="the first never ends"
        ),
        pytest.param(
            bounded("2026-03-02", "2026-03-31"), DAILY, ["", "steps-without-dates"], id="the second never starts"
        ),
    ],
)
def test_steps_without_their_days_are_not_computable(read: Read, first: Any, second: Any, whys: list[str]) -> None:
    order = an_order(step(mg(3), sequence=1, timing=first), step(mg(2), sequence=2, timing=second))
    phases = found(read(order)).phases
    assert [phase.why_unknown for phase in phases] == whys
    assert all(phase.mg is None for phase in phases if phase.why_unknown)


def test_an_end_of_the_whole_order_gives_a_step_no_days(read: Read) -> None:
    steps = [step(mg(n), sequence=n, timing=bounded("2026-03-02")) for n in (1, 2)]
    order = found(read(an_order(*steps, dispenseRequest={"validityPeriod": {"end": "2026-03-31"}})))
    assert [phase.why_unknown for phase in order.phases] == ["steps-without-dates", ""]


@pytest.mark.parametrize("sequence", [None, 1])
def test_instructions_of_one_sequence_are_given_together(read: Read, sequence: Any) -> None:
    order = an_order(step(mg(2), sequence=sequence, timing=DAILY), step(mg(1), sequence=sequence, timing=DAILY))
    assert [phase.mg for phase in found(read(order)).phases] == [Decimal(2), Decimal(1)]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("wean per protocol", "taper-in-words"),
        ("Taper by 20 % every week", "taper-in-words"),
        ("3.2 mg daily, do not taper", ""),
        ("3.2 mg daily for 30 days, then taper as told", ""),
        ("3.2 mg daily", ""),
        ("tapering of the tube feeds is separate", "taper-in-words"),
    ],
)
def test_a_single_instruction_that_is_a_taper_in_words_has_no_known_dose(read: Read, words: str, why: str) -> None:
    assert only(read(an_order(step(mg(Decimal("3.2")), text=words)))).why_unknown == why


def test_the_dated_steps_of_a_taper_may_call_themselves_one(read: Read) -> None:
    order = an_order(
        step(mg(2), sequence=1, timing=bounded("2026-03-02", "2026-03-15"), text="taper, first step"),
        step(mg(1), sequence=2, timing=bounded("2026-03-16", "2026-03-31"), text="taper, second step"),
    )
    assert [phase.why_unknown for phase in found(read(order)).phases] == ["", ""]


def test_a_numbered_step_beside_one_without_a_number_needs_its_days(read: Read) -> None:
    order = an_order(step(mg(2), sequence=1, timing=DAILY), step(mg(1), timing=DAILY))
    assert [phase.why_unknown for phase in found(read(order)).phases] == ["steps-without-dates"] * 2


# --- depots


@pytest.mark.parametrize(
    ("drug", "route", "is_depot"),
    [
        pytest.param(DEPOT_BETAMETHASONE, None, True, id="a listed acetate"),
        pytest.param(rxnorm(TRIAMCINOLONE), {"text": "IM"}, True, id="triamcinolone"),
        pytest.param(
            rxnorm(METHYLPREDNISOLONE, text="methylprednisolone acetate"), {"text": "IM"}, True, id="an acetate"
        ),
        pytest.param({"text": "Depo-Medrol"}, {"text": "intramuscular"}, True, id="named a depot"),
        pytest.param(rxnorm(METHYLPREDNISOLONE), {"text": "IM"}, False, id="no acetate"),
        pytest.param(VIAL_40, {"text": "IV"}, False, id="succinate"),
        pytest.param({"text": "cortisone acetate tablet"}, PER_MOUTH, False, id="an acetate by mouth"),
        pytest.param(rxnorm(TRIAMCINOLONE), PER_MOUTH, False, id="triamcinolone by mouth"),
    ],
)
def test_an_injection_for_weeks_is_a_depot(read: Read, drug: Any, route: Any, is_depot: bool) -> None:
    order = found(read(of(drug, step(mg(6), route=route))))
    assert order.is_depot is is_depot
    assert dose_of(only(order)) == ((None, None, "depot") if is_depot else (Decimal(6), None, ""))


# --- the gate


@pytest.mark.parametrize("kind", ["ServiceRequest", "Immunization", None])
def test_only_a_medication_request_is_a_steroid_draft(is_draft: Callable[[Resource], bool], kind: Any) -> None:
    assert is_draft(an_order(status="draft"))
    assert not is_draft(an_order(resourceType=kind))


# --- trap 69: doses given


def a_dose(dose: Resource | None = None, **members: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": "g1",
        "status": "completed",
        "medicationCodeableConcept": rxnorm(SOLUTION_3),
        "effectiveDateTime": "2026-03-01T13:00:00Z",
        "dosage": {"dose": dose or mg(Decimal("3.2")), "route": PER_MOUTH},
        **members,
    }


@pytest.mark.parametrize(
    ("status", "was_given"), [("completed", True), ("in-progress", True), ("not-done", False), ("Not-Done ", False)]
)
def test_a_dose_was_given_or_not_done(given: ReadDose, status: str, was_given: bool) -> None:
    dose = given(a_dose(status=status))
    assert dose is not None
    assert (dose.was_given, dose.drug, dose.route) == (was_given, "prednisolone", SteroidRoute.ORAL)
    assert (dose.mg, dose.given.day, dose.evidence.value) == (Decimal("3.2"), YESTERDAY, "3.2 mg")


@pytest.mark.parametrize(("not_given", "was_given"), [(True, False), ("true", False), (False, True), (None, True)])
def test_a_dose_that_an_older_release_calls_not_given_was_not(given: ReadDose, not_given: Any, was_given: bool) -> None:
    dose = given(a_dose(notGiven=not_given))
    assert dose is not None
    assert dose.was_given is was_given


@pytest.mark.parametrize("status", ["entered-in-error", "stopped", "on-hold", "unknown", "", None, 5])
def test_other_statuses_say_nothing(given: ReadDose, status: Any) -> None:
    assert given(a_dose(status=status)) is None


@pytest.mark.parametrize(
    ("dosage", "mg_given"),
    [
        ({"dose": ml(1)}, Decimal(3)),
        ({"dose": {"value": 1, "unit": "mg/kg"}}, None),
        ({"dose": ml(50), "rateQuantity": {"value": 5, "unit": "mL/h"}}, None),
        ({"dose": "3 mg"}, None),
        ({"text": "3 mg"}, None),
        (None, None),
    ],
)
def test_how_much_was_given(given: ReadDose, dosage: Any, mg_given: Decimal | None) -> None:
    dose = given(a_dose(dosage=dosage))
    assert dose is not None
    assert (dose.mg, dose.route) == (mg_given, SteroidRoute.ORAL)


def test_a_dose_not_done_says_why(given: ReadDose) -> None:
    dose = given(a_dose(status="not-done", dosage=None, statusReason=[{"text": "refused"}]))
    assert dose is not None
    assert dose.evidence.status == "not-done, refused"
    older = given(a_dose(status="not-done", dosage=None, reasonNotGiven=[{"text": "vomited"}]))
    assert older is not None
    assert older.evidence.status == "not-done, vomited"


def test_a_dose_over_some_time_is_of_its_start(given: ReadDose) -> None:
    dose = given(a_dose(effectiveDateTime=None, effectivePeriod={"start": "2026-03-01T13:00:00Z"}))
    assert dose is not None
    assert dose.given.day == YESTERDAY


@pytest.mark.parametrize(
    "members",
    [
        {"medicationCodeableConcept": {"text": "paracetamol"}},
        {"medicationCodeableConcept": rxnorm(EYE_DROPS)},
        {"dosage": {"dose": mg(3), "route": {"text": "Ophthalmic"}}},
    ],
)
def test_another_dose_is_none(given: ReadDose, members: Resource) -> None:
    assert given(a_dose(**members)) is None


def test_a_dose_of_the_bare_ingredient_has_no_known_way(given: ReadDose) -> None:
    dose = given(a_dose(medicationCodeableConcept=rxnorm(INGREDIENT), dosage={"dose": mg(3)}))
    assert dose is not None
    assert dose.route is SteroidRoute.NOT_STATED
