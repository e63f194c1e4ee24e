"""One resource that cannot be read spoils nothing: it is reported, and everything else counts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import PATIENT_ID, SYSTEMS, UCUM, bundle

from cds_service.domain.facts import PatientFacts
from cds_service.domain.infection import infection_evidence, unreadable_temperatures
from cds_service.fhir import read_facts as package_door
from cds_service.hooks.json_body import read_json_object
from cds_service.presentation import Catalogue

FactsOf = Callable[[Mapping[str, Any]], PatientFacts]
TWO_WEIGHTS = {"weights": [{"weight": "3.2 kg", "days_ago": 1}, {"weight": "3.1 kg", "days_ago": 3}]}


def test_a_reader_that_fails_on_one_resource_is_reported_and_the_others_are_read(
    facts_of: FactsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules[package_door.__module__]
    read = module.read_weight

    def fails_on_the_first(resource: dict[str, Any], *rest: Any) -> Any:
        if resource["id"] == "w1":
            raise ValueError("Jane Doe")
        return read(resource, *rest)

    monkeypatch.setattr(module, "read_weight", fails_on_the_first)
    facts = facts_of(TWO_WEIGHTS)
    assert [weight.evidence.reference for weight in facts.weights] == ["Observation/w2"]
    assert [item.evidence.reference for item in facts.unreadable] == ["Observation/w1"]
    assert "Jane" not in str(facts.unreadable)


@pytest.mark.parametrize("state", ["absent", "null", "failed", "html"])
def test_a_child_without_a_record_of_its_own_is_not_available(facts_of: FactsOf, state: str) -> None:
    assert facts_of({}).has_patient
    assert not facts_of({"lists": {"patient": state}}).has_patient


def test_numbers_stay_exact_from_the_request_to_the_facts(facts_of: FactsOf) -> None:
    weight = facts_of({"weight": "3.0500 kg"}).weights[0]
    assert weight.quantity is not None
    assert str(weight.quantity.value) == "3.0500"


def test_a_number_beyond_binary_precision_survives_the_request() -> None:
    body = b'{"value": 3.04999999999999999999}'
    assert str(read_json_object(body)["value"]) == "3.04999999999999999999"


# --- which orders a call is about


def references(orders: Any) -> list[str]:
    return [order.evidence.reference for order in orders]


@pytest.mark.parametrize("moment", ["visit", "booking"])
def test_at_a_visit_and_while_booking_the_open_orders_are_the_orders_in_hand(facts_of: FactsOf, moment: str) -> None:
    facts = facts_of({"moment": moment})
    assert references(facts.drafts) == references(facts.open_orders) == ["MedicationRequest/draft-1"]


def test_a_dispatched_order_is_in_hand_and_those_beside_it_are_open(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "dispatch", "open_orders": [{}]})
    assert references(facts.drafts) == ["MedicationRequest/draft-1"]
    assert sorted(references(facts.open_orders)) == ["MedicationRequest/draft-1", "MedicationRequest/order-1"]
    assert facts.unresolved_orders == ()


@pytest.mark.parametrize("status", ["completed", "stopped", "cancelled"])
def test_a_dispatched_order_that_is_closed_is_in_hand_all_the_same(facts_of: FactsOf, status: str) -> None:
    facts = facts_of({"moment": "dispatch", "draft": {"status": status}})
    assert (references(facts.drafts), facts.open_orders) == (["MedicationRequest/draft-1"], ())


@pytest.mark.hazard("H44")
def test_a_dispatched_reference_that_leads_nowhere_is_told(facts_of: FactsOf) -> None:
    wanted = ["MedicationRequest/draft-1", "MedicationRequest/away", "ServiceRequest/away", "away-too"]
    facts = facts_of({"moment": "dispatch", "dispatched": wanted})
    assert facts.unresolved_orders == ("MedicationRequest/away", "MedicationRequest/away-too")


def test_a_dispatched_order_for_another_medicine_is_not_unresolved(facts_of: FactsOf) -> None:
    assert facts_of({"moment": "dispatch", "dispatched": ["MedicationRequest/steroid-1"]}).unresolved_orders == ()


# --- drafts beside the record


@pytest.mark.parametrize(
    "draft", [{"replaces": "MedicationRequest/steroid-1"}, {"id": "steroid-1"}, {"id": "steroid-1", "dose": "5 mg"}]
)
def test_an_order_that_a_draft_changes_explains_past_days_only(facts_of: FactsOf, draft: dict[str, Any]) -> None:
    orders = facts_of({"draft_steroids": [draft]}).steroid_orders
    assert [(order.is_draft, order.is_cover, order.is_being_stopped) for order in orders] == [
        (False, False, False),
        (True, True, False),
    ]
    assert orders[0].evidence.reference == "MedicationRequest/steroid-1"
    assert orders[0].phases, "its days stay known"


@pytest.mark.parametrize("status", ["stopped", "cancelled"])
def test_an_order_that_the_call_stops_is_told_so_and_explains_past_days_only(facts_of: FactsOf, status: str) -> None:
    stopped = {"id": "steroid-1", "status": status}
    (order,) = facts_of({"infused": "2026-02-02", "draft_steroids": [stopped]}).steroid_orders
    assert (order.order_id, order.is_draft, order.is_cover, order.is_being_stopped) == ("steroid-1", False, False, True)
    assert order.phases[0].first_day == date(2026, 2, 1)


TAKEN_OVER = {"replaces": "MedicationRequest/steroid-1", "start": "2026-03-10", "end": "2026-04-01"}


def test_an_order_that_another_one_of_the_record_replaces_ends_the_day_before(facts_of: FactsOf) -> None:
    first, second = facts_of({"steroids": [{}, TAKEN_OVER]}).steroid_orders
    assert [phase.last_day for phase in first.phases] == [date(2026, 3, 9)]
    assert [phase.last_day for phase in second.phases] == [date(2026, 4, 1)]


def test_an_order_that_was_replaced_before_it_began_covers_nothing(facts_of: FactsOf) -> None:
    first, _ = facts_of({"steroids": [{}, {**TAKEN_OVER, "start": "2026-03-02"}]}).steroid_orders
    assert first.phases == ()


@pytest.mark.parametrize(
    "other",
    [
        {"replaces": "MedicationRequest/another"},
        {"replaces": "MedicationRequest/steroid-2"},
        {"drug": "dexamethasone"},
        {"status": "on-hold"},
        {"status": "cancelled"},
        {"intent": "plan"},
    ],
)
def test_an_order_that_nothing_in_force_of_its_drug_replaces_runs_on(facts_of: FactsOf, other: dict[str, Any]) -> None:
    first = facts_of({"steroids": [{}, {**TAKEN_OVER, **other}]}).steroid_orders[0]
    assert [phase.last_day for phase in first.phases] == [date(2026, 3, 31)]


def test_an_order_that_another_childs_draft_stops_runs_on(facts_of: FactsOf) -> None:
    stopped = {"id": "steroid-1", "status": "stopped", "subject": "other"}
    (order,) = facts_of({"draft_steroids": [stopped]}).steroid_orders
    assert (order.is_cover, order.is_being_stopped) == (True, False)


def test_a_stopped_order_that_the_record_does_not_hold_is_read_from_the_draft(facts_of: FactsOf) -> None:
    stopped = {"id": "elsewhere", "status": "stopped"}
    (order,) = facts_of({"infused": "2026-02-02", "steroids": [], "draft_steroids": [stopped]}).steroid_orders
    assert (order.is_draft, order.is_cover, order.is_being_stopped) == (False, False, True)
    assert (order.phases[0].first_day, order.phases[0].last_day) == (date(2026, 2, 1), date(2026, 3, 1))


def test_a_cancelled_draft_that_was_never_an_order_covers_no_day(facts_of: FactsOf) -> None:
    cancelled = {"id": "elsewhere", "status": "cancelled"}
    (order,) = facts_of({"infused": "2026-02-02", "steroids": [], "draft_steroids": [cancelled]}).steroid_orders
    assert (order.phases, order.is_being_stopped, order.evidence.status) == ((), True, "cancelled")


def test_an_order_that_a_draft_calls_an_error_is_being_stopped(facts_of: FactsOf) -> None:
    (order,) = facts_of({"draft_steroids": [{"id": "steroid-1", "status": "entered-in-error"}]}).steroid_orders
    assert (order.is_cover, order.is_being_stopped) == (False, True)


def test_a_steroid_draft_stands_beside_the_orders_of_the_record(facts_of: FactsOf) -> None:
    facts = facts_of({"draft_steroids": [{}]})
    assert sorted(order.is_draft for order in facts.steroid_orders) == [False, True]


def test_a_test_in_the_session_counts_as_requested(facts_of: FactsOf) -> None:
    facts = facts_of({"draft_requests": [{"code": "LOINC 2160-0"}]})
    assert [sorted(request.concepts) for request in facts.requested_tests] == [["creatinine"]]


def test_the_slot_being_booked_is_told_from_those_in_the_record(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "booking", "appointments": [{"for": "visit"}]})
    assert sorted((slot.kind.value, slot.is_proposed) for slot in facts.slots) == [
        ("follow-up", False),
        ("infusion", True),
    ]


# --- results


def test_results_of_no_known_code_are_counted(facts_of: FactsOf) -> None:
    facts = facts_of({"labs": {"alt": {"code": "LOCAL XALT"}, "ast": {"code": "LOCAL XAST"}}})
    assert facts.unmapped_results == 2
    assert not [result for result in facts.lab_results if result.analyte in ("alt", "ast")]


def test_a_titre_known_by_its_name_only_is_none_of_them(facts_of: FactsOf) -> None:
    facts = facts_of({})
    assert (facts.unmapped_results, len(facts.titers)) == (0, 1)


@pytest.mark.hazard("H22")
def test_results_dated_in_the_future_are_set_aside_and_told(facts_of: FactsOf) -> None:
    facts = facts_of({"labs": {"alt": {"when": "2026-03-05T08:00:00Z"}}, "titers": [{"text": "1:25", "days_ago": -3}]})
    assert not [result for result in facts.lab_results if result.analyte == "alt"]
    assert facts.titers == ()
    assert sorted(entry.evidence.reference for entry in facts.future_dated) == [
        "Observation/lab-alt-1",
        "Observation/titer-1",
    ]


def test_a_result_without_any_time_is_told(facts_of: FactsOf) -> None:
    facts = facts_of({"labs": {"alt": {"when": "none"}}, "titers": [{"text": "1:25", "when": "none"}]})
    told = [entry.evidence.reference for entry in facts.unreadable if entry.what == "no-time"]
    assert sorted(told) == ["Observation/lab-alt-1", "Observation/titer-1"]


def test_a_device_among_the_orders_is_passed_over_in_silence(facts_of: FactsOf) -> None:
    device = {
        "resourceType": "MedicationRequest",
        "id": "device",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "medicationReference": {"reference": "Medication/away", "display": "CONTINUOUS GLUCOSE SENSOR MISC"},
    }
    facts = facts_of({"extra": {"supplies": bundle([device])}})
    assert (len(facts.steroid_orders), facts.unreadable) == (1, ())


# --- results inside a panel


def a_panel(loinc_code: str, *parts: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A list under a key of its own, with a panel of yesterday afternoon."""
    panel = {
        "resourceType": "Observation",
        "id": "panel",
        "status": "final",
        "code": loinc(loinc_code),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": "2026-03-01T15:00:00Z",
        "component": list(parts),
        **members,
    }
    return {"extra": {"vitals": bundle([panel])}}


def loinc(code: str) -> dict[str, Any]:
    return {"coding": [{"system": SYSTEMS["LOINC"], "code": code}]}


def of(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


WEIGHED = {"code": loinc("29463-7"), "valueQuantity": of(Decimal("4.2"), "kg")}


def test_a_weight_under_a_foreign_system_and_the_code_of_all_vital_signs_is_none(facts_of: FactsOf) -> None:
    foreign = {"system": "urn:oid:1.2.246.537.6.96", "code": "29463-7"}
    code = {"coding": [foreign, *loinc("8716-3")["coding"]], "text": "Weight"}
    facts = facts_of(a_panel("29463-7", code=code, valueQuantity=of(Decimal("4.2"), "kg")))
    assert ([weight.written for weight in facts.weights], facts.unmapped_results) == (["3.2 kg"], 1)


def test_a_weight_inside_a_panel_is_a_weight(facts_of: FactsOf) -> None:
    facts = facts_of(a_panel("85353-1", WEIGHED))
    assert [(w.written, w.for_dosing) for w in facts.weights] == [("3.2 kg", True), ("4.2 kg", True)]
    assert facts.unmapped_results == 0


def test_a_part_of_a_birth_weight_is_no_weight_to_dose_by(facts_of: FactsOf) -> None:
    facts = facts_of(a_panel("8339-4", WEIGHED, {"code": {"text": "Scale"}, "valueString": "1"}))
    assert {w.written for w in facts.weights if w.for_dosing} == {"3.2 kg"}


def test_a_temperature_and_an_age_inside_a_panel_are_read(facts_of: FactsOf) -> None:
    hot = {"code": loinc("8310-5"), "valueQuantity": of(39, "Cel")}
    early = {"code": loinc("76516-4"), "valueString": "34w0d"}
    facts = facts_of(a_panel("85353-1", hot, early))
    assert [t.quantity.value for t in facts.temperatures if t.quantity] == [39]
    assert 238 in {age.at_birth_days for age in facts.gestational_ages}


def test_a_titre_inside_a_panel_is_a_titre(facts_of: FactsOf) -> None:
    part = {"code": {"text": "Anti-AAV9 antibody titer"}, "valueString": "1:100"}
    facts = facts_of(a_panel("85353-1", part, code={"text": "Gene therapy work-up"}))
    assert "1:100" in {titer.written for titer in facts.titers}
    assert facts.unmapped_results == 0


def test_a_panel_that_only_refers_to_its_members_is_no_result(facts_of: FactsOf) -> None:
    member = {"reference": "Observation/lab-alt-1"}
    facts = facts_of(a_panel("1742-6", hasMember=[member]))
    assert [r.written for r in facts.lab_results if r.analyte == "alt" and r.number] == ["20 U/L"]


def test_one_observation_under_two_codes_of_one_concept_is_one(facts_of: FactsOf) -> None:
    twice = {"coding": [*loinc("8328-7")["coding"], *loinc("8310-5")["coding"]]}
    facts = facts_of(a_panel("8310-5", code=twice, valueQuantity=of(39, "Cel")))
    assert len(facts.temperatures) == 1


# --- what is followed after the infusion


def test_a_child_after_the_infusion_has_its_dose_and_its_baseline_before_it(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "chart", "infused": "2026-02-02"})
    assert [exposure.given.day for exposure in facts.exposures] == [date(2026, 2, 2)]
    assert {result.measured.day for result in facts.lab_results} == {date(2026, 1, 31)}
    assert (facts.drafts, facts.open_orders) == ((), ())
    (phase,) = facts.steroid_orders[0].phases
    assert (phase.first_day, phase.last_day) == (date(2026, 2, 1), date(2026, 3, 2))


def test_follow_up_panels_and_counts_stand_beside_the_baseline(facts_of: FactsOf) -> None:
    panels = [{"on": "2026-02-09", "alt": "90 U/L", "inr": "none", "status": "preliminary"}]
    facts = facts_of({"infused": "2026-02-02", "panels": panels, "counts": [{"on": "2026-02-10"}]})
    later = {r.analyte: (r.written, r.standing.value) for r in facts.lab_results if r.measured.day > date(2026, 2, 2)}  # type: ignore[operator]
    assert later == {
        "alt": ("90 U/L", "provisional"),
        "ast": ("25 U/L", "provisional"),
        "total_bilirubin": ("0.4 mg/dL", "provisional"),
        "prothrombin_time": ("12.0 s", "provisional"),
        "platelets": ("300 10*3/uL", "accepted"),
    }


@pytest.mark.parametrize("shape", ["panel", "alone"])
def test_a_blood_pressure_is_found_alone_and_inside_its_panel(facts_of: FactsOf, shape: str) -> None:
    pressure = {"systolic": "110 mm[Hg]", "shape": shape, "days_ago": 2}
    facts = facts_of({"moment": "chart", "blood_pressures": [pressure]})
    assert [(item.systolic, item.measured.day) for item in facts.blood_pressures] == [(Decimal(110), date(2026, 2, 28))]
    assert facts.unmapped_results == 0


def test_signs_at_the_bedside_and_in_the_blood_are_read(facts_of: FactsOf) -> None:
    facts = facts_of({"moment": "chart", "urine_outputs": [{"volume": "80 mL"}], "smears": [{"result": "2+"}]})
    assert [item.ml_per_day for item in facts.urine_outputs] == [Decimal(80)]
    assert [item.has_schistocytes for item in facts.blood_smears] == [True]


def test_signs_dated_in_the_future_are_set_aside_and_told(facts_of: FactsOf) -> None:
    facts = facts_of(
        {
            "moment": "chart",
            "blood_pressures": [{"systolic": "110 mm[Hg]", "days_ago": -3}],
            "urine_outputs": [{"volume": "80 mL", "days_ago": -3}],
            "smears": [{"days_ago": -3}],
        }
    )
    assert (facts.blood_pressures, facts.urine_outputs, facts.blood_smears) == ((), (), ())
    assert sorted(entry.evidence.reference for entry in facts.future_dated) == [
        "Observation/blood-pressure-1",
        "Observation/smear-1",
        "Observation/urine-output-1",
    ]


def test_troponin_i_and_t_are_two_tests(facts_of: FactsOf) -> None:
    labs = {"troponin_i": "20 ng/L", "troponin_t": "0.05 ng/mL", "ldh": "400 U/L", "haptoglobin": "0.3 g/L"}
    facts = facts_of({"moment": "chart", "labs": labs})
    amounts = {r.analyte: r.amount.low for r in facts.lab_results if r.analyte in labs and r.amount}
    assert amounts == {
        "troponin_i": Decimal("0.020"),
        "troponin_t": Decimal("0.05"),
        "ldh": Decimal(400),
        "haptoglobin": Decimal("30.0"),
    }


def test_what_others_do_for_the_child_is_read(facts_of: FactsOf) -> None:
    facts = facts_of(
        {
            "moment": "discharge",
            "consults": [{"with": "hepatology"}, {"with": "nephrology", "as": "Encounter"}],
            "cardiac": [{}],
            "antihypertensives": [{"start": "2026-02-27"}, {"as": "MedicationAdministration", "name": "Nifedipine"}],
            "teachings": [{"as": "Communication"}],
            "stay": {"began": "2026-02-20"},
        }
    )
    assert [item.specialty.value for item in facts.consultations] == ["liver", "kidney"]
    assert [item.when.day for item in facts.cardiac_evaluations] == [date(2026, 3, 1)]
    assert [item.starts for item in facts.antihypertensives] == [date(2026, 2, 27), date(2026, 3, 1)]
    assert [item.when.day for item in facts.teachings] == [date(2026, 3, 1)]
    assert facts.stay is not None
    assert facts.stay.began.day == date(2026, 2, 20)


def test_a_consultation_asked_in_the_session_counts(facts_of: FactsOf) -> None:
    facts = facts_of({"draft_requests": [{"text": "Consultation, paediatric gastroenterology or hepatology, urgent"}]})
    assert [item.specialty.value for item in facts.consultations] == ["liver"]


def test_a_stay_that_did_not_come_with_the_call_is_none(facts_of: FactsOf) -> None:
    assert facts_of({"moment": "discharge"}).stay is None
    assert facts_of({"moment": "chart"}).stay is None


# --- what once fell silent


@pytest.mark.parametrize(
    ("course", "kinds"),
    [
        ({"status": "completed", "days_ago": 3}, ("medicine",)),
        ({"status": "completed", "days_ago": 4}, ()),
        ({"status": "stopped", "days_ago": 1}, ("medicine",)),
    ],
)
def test_a_course_that_is_over_without_an_end_may_have_ended_just_now(
    facts_of: FactsOf, catalogue: Catalogue, course: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    assert infection_evidence(facts_of({"anti_infectives": [course]}), catalogue.known).kinds == kinds


@pytest.mark.parametrize(("value", "kinds"), [("> 38 Cel", ("fever",)), (">= 38.5 Cel", ("fever",)), ("> 37 Cel", ())])
def test_a_temperature_above_a_limit_of_fever_is_fever(
    facts_of: FactsOf, catalogue: Catalogue, value: str, kinds: tuple[str, ...]
) -> None:
    assert infection_evidence(facts_of({"temperatures": [{"value": value}]}), catalogue.known).kinds == kinds


def test_a_temperature_below_a_limit_is_told_as_unreadable(facts_of: FactsOf, catalogue: Catalogue) -> None:
    told = unreadable_temperatures(facts_of({"temperatures": [{"value": "< 38 Cel"}]}), catalogue.known)
    assert [item.value for item in told] == ["< 38 Cel"]


# --- one dose in two versions


@pytest.mark.parametrize(
    ("second", "amounts"), [({"mg": "3.2", "id": "g2"}, ["3.2", "3.2"]), ({"mg": "1", "id": "g1"}, [None, None])]
)
def test_the_amount_of_a_dose_in_two_versions_that_differ_is_not_known(
    facts_of: FactsOf, second: dict[str, Any], amounts: list[str | None]
) -> None:
    facts = facts_of({"steroid_doses": [{"mg": "3.2", "days_ago": 1, "id": "g1"}, {"days_ago": 1, **second}]})
    assert [dose.mg and str(dose.mg) for dose in facts.steroid_doses] == amounts
