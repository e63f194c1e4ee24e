"""Vaccines and RSV antibodies: given, ordered, booked, overdue; by code first, by name second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from builders import PRODUCTS, SYSTEMS

from cds_service.domain.evidence import Standing
from cds_service.domain.medicines import Vaccination, VaccineOrder
from cds_service.fhir import Recognition, SiteClock
from cds_service.fhir.vaccine import is_vaccine_draft, overdue_vaccines, read_vaccination, read_vaccine_order

Resource = dict[str, Any]
ReadOrder = Callable[[Resource], VaccineOrder | None]
ReadGiven = Callable[[Resource], Vaccination | None]
CVX = "http://hl7.org/fhir/sid/cvx"
PALIVIZUMAB, NIRSEVIMAB, CLESROVIMAB = "194279", "2642401", "2716802"
TODAY = date(2026, 3, 2)


@pytest.fixture
def ordered(recognition: Recognition, clock: SiteClock) -> ReadOrder:
    return lambda resource: read_vaccine_order(resource, recognition, {}, clock)


@pytest.fixture
def given(recognition: Recognition, clock: SiteClock) -> ReadGiven:
    return lambda resource: read_vaccination(resource, {}, recognition, clock)


@pytest.fixture
def is_draft(recognition: Recognition) -> Callable[[Resource], bool]:
    return lambda resource: is_vaccine_draft(resource, recognition)


def cvx(*codes: str) -> Resource:
    return {"coding": [{"system": CVX, "code": code} for code in codes]}


def rxnorm(code: str) -> Resource:
    return {"coding": [{"system": SYSTEMS["RXNORM"], "code": code}]}


def medication_request(medicine: Any, **members: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": "v1",
        "status": "draft",
        "medicationCodeableConcept": medicine,
        **members,
    }


def service_request(code: Any, **members: Any) -> Resource:
    return {"resourceType": "ServiceRequest", "id": "v1", "status": "draft", "code": code, **members}


def immunization(code: Any, **members: Any) -> Resource:
    return {"resourceType": "Immunization", "id": "v1", "status": "completed", "vaccineCode": code, **members}


def appointment(reason: Any, **members: Any) -> Resource:
    return {"resourceType": "Appointment", "id": "v1", "status": "proposed", "reasonCode": [reason], **members}


EVERY_KIND = [medication_request, service_request, immunization, appointment]
DRAFTS = EVERY_KIND[:3]


# --- which vaccine


@pytest.mark.parametrize("made", EVERY_KIND)
@pytest.mark.parametrize(
    ("named", "concept"),
    [
        (cvx("03"), "vaccine_mmr"),
        (cvx("3"), "vaccine_mmr"),
        (cvx("94"), "vaccine_mmr"),
        (cvx("21"), "vaccine_varicella"),
        (cvx("116"), "vaccine_rotavirus"),
        (cvx("149"), "vaccine_influenza_live"),
        (cvx("140"), "vaccine_influenza_inactivated"),
        (cvx("133"), "vaccine_other"),
        (cvx("140", "03"), "vaccine_mmr"),
        ({**cvx("140"), "text": "Varicella"}, "vaccine_influenza_inactivated"),
        ({"text": "MMR vaccine"}, "vaccine_mmr"),
        ({"text": "measles, mumps, rubella and varicella vaccine"}, "vaccine_mmr"),
        ({"text": "Varivax"}, "vaccine_varicella"),
        ({"text": "RotaTeq"}, "vaccine_other_live"),
        ({"text": "Yellow fever vaccine"}, "vaccine_other_live"),
        ({"coding": [{"code": "9", "display": "Hepatitis B vaccine"}]}, "vaccine_other"),
        ({"text": "12 month immunizations"}, "vaccine_other"),
    ],
)
def test_a_vaccine_is_known_by_code_else_by_name(ordered: ReadOrder, made: Any, named: Resource, concept: str) -> None:
    found = ordered(made(named, status="draft"))
    assert found is not None
    assert (found.concept, found.order_id) == (concept, "v1")


@pytest.mark.parametrize("made", DRAFTS)
@pytest.mark.parametrize("named", [cvx("03"), {"text": "MMR vaccine"}, {"text": "Rotarix"}, {"text": "LAIV"}])
def test_a_draft_of_a_vaccine_opens_the_gate(is_draft: Callable[[Resource], bool], made: Any, named: Resource) -> None:
    assert is_draft(made(named))


@pytest.mark.parametrize("made", EVERY_KIND)
@pytest.mark.parametrize(
    "named",
    [
        pytest.param(cvx("306"), id="nirsevimab"),
        pytest.param(cvx("93"), id="palivizumab"),
        pytest.param(cvx("304"), id="RSV, vaccine or antibody"),
        pytest.param({**cvx("306"), "text": "RSV vaccine"}, id="an antibody called a vaccine"),
        pytest.param(rxnorm(NIRSEVIMAB), id="nirsevimab as a medicine"),
        pytest.param({"text": "Beyfortus immunization"}, id="an antibody by name"),
        pytest.param({"text": "Varicella zoster immune globulin"}, id="a globulin"),
        pytest.param({"text": "Measles immunoglobulin"}, id="a globulin in one word"),
        pytest.param({"text": "Varicella antibodies (VariZIG)"}, id="a globulin by its brand"),
        pytest.param({"text": "acetaminophen"}, id="another medicine"),
        pytest.param({}, id="nothing"),
        pytest.param(None, id="null"),
        pytest.param("MMR", id="text"),
    ],
)
def test_what_is_no_vaccine(ordered: ReadOrder, is_draft: Callable[[Resource], bool], made: Any, named: Any) -> None:
    assert ordered(made(named, status="draft")) is None
    assert not is_draft(made(named))


@pytest.mark.parametrize(
    "code",
    [
        {"text": "Varicella IgG"},
        {"text": "Measles antibody titer"},
        {"text": "Rotavirus PCR, stool"},
        {"text": "Rubella immunity screen"},
        {"coding": [{"system": SYSTEMS["LOINC"], "code": "15410-4", "display": "Varicella"}]},
    ],
)
def test_a_laboratory_test_is_no_vaccine(ordered: ReadOrder, is_draft: Callable[[Resource], bool], code: Any) -> None:
    assert ordered(service_request(code)) is None
    assert not is_draft(service_request(code))


@pytest.mark.parametrize("kind", ["Appointment", "NutritionOrder", None])
def test_other_resources_open_no_gate(is_draft: Callable[[Resource], bool], kind: Any) -> None:
    assert not is_draft({**appointment({"text": "MMR vaccine"}), "resourceType": kind})


def test_the_display_of_a_medication_that_did_not_come_is_a_name(ordered: ReadOrder) -> None:
    found = ordered(medication_request(None, medicationReference={"display": "MMR VACCINE SC"}))
    assert found is not None
    assert (found.concept, found.evidence.name) == ("vaccine_mmr", "MMR VACCINE SC")


@pytest.mark.parametrize("member", ["description", "serviceType", "appointmentType"])
def test_an_appointment_says_in_several_places_what_it_is_for(ordered: ReadOrder, member: str) -> None:
    said: Any = "MMR vaccination" if member == "description" else {"text": "MMR vaccination"}
    found = ordered(appointment({}, **{member: said}))
    assert found is not None
    assert (found.concept, found.evidence.name) == ("vaccine_mmr", "MMR vaccination")


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "stopped", "revoked", "noshow", "not-done"])
def test_what_is_not_being_ordered_is_none(ordered: ReadOrder, status: str) -> None:
    assert ordered(service_request(cvx("03"), status=status)) is None


def test_an_order_not_to_give_is_none(ordered: ReadOrder) -> None:
    assert ordered(medication_request(cvx("03"), doNotPerform=True)) is None


# --- for which day


@pytest.mark.parametrize(
    "resource",
    [
        medication_request(cvx("03"), dosageInstruction=[{"timing": {"event": ["2026-03-16"]}}]),
        medication_request(
            cvx("03"), dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"start": "2026-03-16"}}}}]
        ),
        service_request(cvx("03"), occurrenceDateTime="2026-03-16T15:00:00Z"),
        service_request(cvx("03"), occurrencePeriod={"start": "2026-03-16"}),
        service_request(cvx("03"), occurrenceTiming={"event": ["2026-03-16"]}),
        immunization(cvx("03"), occurrenceDateTime="2026-03-16"),
        appointment(cvx("03"), start="2026-03-16T15:00:00Z"),
        appointment(cvx("03"), requestedPeriod=[{"start": "2026-03-16"}]),
    ],
)
def test_a_vaccine_is_planned_for_the_day_that_is_written(ordered: ReadOrder, resource: Resource) -> None:
    found = ordered(resource)
    assert found is not None
    assert (found.planned, found.evidence.day) == (date(2026, 3, 16), "2026-03-16")


@pytest.mark.parametrize("written", [None, "", " ", [], {}])
def test_a_vaccine_without_a_day_is_planned_for_today(ordered: ReadOrder, written: Any) -> None:
    found = ordered(service_request(cvx("03"), occurrenceDateTime=written))
    assert found is not None
    assert (found.planned, found.is_day_known, found.evidence.day) == (TODAY, True, TODAY.isoformat())


@pytest.mark.parametrize(
    ("written", "shown"),
    [("2026-06", "2026-06"), ("soon", "soon"), ("2026-02-30", "2026-02-30"), (5, ""), (["2026-03-10"], "")],
)
def test_nobody_knows_the_day_of_a_vaccine_that_cannot_be_read(ordered: ReadOrder, written: Any, shown: str) -> None:
    found = ordered(service_request(cvx("03"), occurrenceDateTime=written))
    assert found is not None
    assert (found.planned, found.is_day_known, found.evidence.day) == (TODAY, False, shown)


@pytest.mark.parametrize(
    ("member", "written", "shown"),
    [
        ("occurrenceString", "after the holidays", "after the holidays"),
        ("occurrencePeriod", "next week", "next week"),
        ("occurrenceTiming", False, ""),
    ],
)
def test_nobody_knows_the_day_of_a_vaccine_that_is_told_in_words(
    ordered: ReadOrder, member: str, written: Any, shown: str
) -> None:
    found = ordered(service_request(cvx("03"), **{member: written}))
    assert found is not None
    assert (found.planned, found.is_day_known, found.evidence.day) == (TODAY, False, shown)


def test_a_vaccine_is_planned_for_the_first_of_its_times_that_can_be_read(ordered: ReadOrder) -> None:
    timing = {"event": ["2026-03-16"]}
    found = ordered(service_request(cvx("03"), occurrenceDateTime="soon", occurrenceTiming=timing))
    assert found is not None
    assert (found.planned, found.is_day_known) == (date(2026, 3, 16), True)


# --- given


@pytest.mark.parametrize(
    ("code", "concept"),
    [
        (cvx("03"), "vaccine_mmr"),
        (cvx("306"), "rsv_antibody_long_acting"),
        (cvx("332"), "rsv_antibody_long_acting"),
        (cvx("93"), "palivizumab"),
        (cvx("304"), "rsv_product_ambiguous"),
        (cvx("140"), "vaccine_influenza_inactivated"),
        (cvx("9999"), "vaccine_other"),
        ({"text": "MMR"}, "vaccine_mmr"),
        ({"text": "something local"}, "vaccine_other"),
        (None, "vaccine_other"),
    ],
)
def test_an_immunization_is_of_a_vaccine_or_an_antibody(given: ReadGiven, code: Any, concept: str) -> None:
    found = given(immunization(code, occurrenceDateTime="2026-02-10T15:00:00Z"))
    assert found is not None
    assert (found.concept, found.standing, found.given.day) == (concept, Standing.ACCEPTED, date(2026, 2, 10))
    assert (found.evidence.reference, found.evidence.day, found.evidence.status) == (
        "Immunization/v1",
        "2026-02-10",
        "completed",
    )
    assert found.evidence.name


def test_an_antibody_known_by_its_name_alone_proves_nothing(given: ReadGiven) -> None:
    found = given(immunization({"text": "Beyfortus 50 mg"}))
    assert found is not None
    assert (found.concept, found.standing) == ("rsv_antibody_unspecified", Standing.PROVISIONAL)


@pytest.mark.parametrize("status", ["not-done", "entered-in-error", "Not-Done "])
def test_what_was_not_given_is_none(given: ReadGiven, status: str) -> None:
    assert given(immunization(cvx("03"), status=status)) is None


@pytest.mark.parametrize("status", [None, "", "unknown", 5])
def test_an_immunization_of_no_known_status_proves_nothing(given: ReadGiven, status: Any) -> None:
    found = given(immunization(cvx("03"), status=status))
    assert found is not None
    assert found.standing is Standing.PROVISIONAL


def test_gene_therapy_documented_as_an_immunization_is_no_vaccine(given: ReadGiven) -> None:
    assert given(immunization(PRODUCTS["zolgensma"])) is None


@pytest.mark.parametrize(("occurrence", "day"), [("2026-02", None), (None, None), ("2026-02-10", date(2026, 2, 10))])
def test_the_day_it_was_given_is_known_or_not(given: ReadGiven, occurrence: Any, day: date | None) -> None:
    found = given(immunization(cvx("03"), occurrenceDateTime=occurrence, recorded="2026-02-20"))
    assert found is not None
    assert found.given.day == day


def administration(code: str, **members: Any) -> Resource:
    day = {"effectiveDateTime": "2026-02-10T15:00:00Z"}
    return {
        **medication_request(rxnorm(code)),
        "resourceType": "MedicationAdministration",
        "status": "completed",
        **day,
        **members,
    }


@pytest.mark.parametrize(
    ("code", "concept"),
    [
        (NIRSEVIMAB, "rsv_antibody_long_acting"),
        (CLESROVIMAB, "rsv_antibody_long_acting"),
        (PALIVIZUMAB, "palivizumab"),
    ],
)
def test_an_antibody_may_be_charted_as_a_medicine(given: ReadGiven, code: str, concept: str) -> None:
    found = given(administration(code))
    assert found is not None
    assert (found.concept, found.standing, found.given.day) == (concept, Standing.ACCEPTED, date(2026, 2, 10))


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("in-progress", Standing.ACCEPTED),
        ("unknown", Standing.PROVISIONAL),
        ("not-done", None),
        ("entered-in-error", None),
        ("stopped", None),
        (None, None),
    ],
)
def test_the_status_of_an_administration_decides(given: ReadGiven, status: Any, standing: Standing | None) -> None:
    found = given(administration(PALIVIZUMAB, status=status))
    assert (found and found.standing) == standing


def test_another_medicine_given_is_no_vaccination(given: ReadGiven) -> None:
    assert given(administration("8638")) is None
    assert given({**administration(PALIVIZUMAB), "medicationCodeableConcept": {"text": "MMR vaccine"}}) is None


def test_a_completed_order_of_an_antibody_was_given_when_it_was_planned(given: ReadGiven) -> None:
    timing = {"dosageInstruction": [{"timing": {"event": ["2026-02-10"]}}]}
    found = given(medication_request(rxnorm(PALIVIZUMAB), status="completed", authoredOn="2026-02-01", **timing))
    assert found is not None
    assert (found.given.day, found.given.may_satisfy) == (date(2026, 2, 10), True)


def test_the_day_of_its_writing_proves_nothing(given: ReadGiven) -> None:
    found = given(medication_request(rxnorm(PALIVIZUMAB), status="completed", authoredOn="2026-02-01"))
    assert found is not None
    assert (found.given.day, found.given.may_satisfy) == (date(2026, 2, 1), False)


@pytest.mark.parametrize(
    "members", [{"status": "active"}, {"status": "unknown"}, {"status": "completed", "doNotPerform": True}]
)
def test_an_order_that_is_not_completed_was_not_given(given: ReadGiven, members: Resource) -> None:
    assert given(medication_request(rxnorm(PALIVIZUMAB), **members)) is None


# --- overdue


def recommendation(*items: Any) -> Resource:
    return {
        "resourceType": "ImmunizationRecommendation",
        "id": "r1",
        "date": "2026-03-01T09:00:00Z",
        "recommendation": list(items),
    }


OVERDUE = {"coding": [{"code": "overdue"}]}


@pytest.mark.parametrize(
    "status", [OVERDUE, {"coding": [{"code": "LA13423-1", "display": "Overdue"}]}, {"text": "Overdue"}]
)
def test_an_overdue_vaccine_is_named(status: Resource) -> None:
    item = {"vaccineCode": [{"text": "DTaP"}], "forecastStatus": status}
    found = overdue_vaccines(recommendation({"forecastStatus": {"text": "due"}}, item))
    assert found is not None
    assert (found.reference, found.value, found.day) == ("ImmunizationRecommendation/r1", "DTaP", "2026-03-01")


def test_an_overdue_vaccine_may_be_known_by_its_disease() -> None:
    items = [{"targetDisease": {"text": name}, "forecastStatus": OVERDUE} for name in ("Pertussis", "Polio", "Polio")]
    found = overdue_vaccines(recommendation(*items))
    assert found is not None
    assert found.value == "Pertussis, Polio"


@pytest.mark.parametrize(
    "items", [[], [None], [{}], [{"forecastStatus": {"text": "not overdue"}}], [{"forecastStatus": {"text": "due"}}]]
)
def test_what_is_not_overdue(items: Any) -> None:
    assert overdue_vaccines(recommendation(*items)) is None
    assert overdue_vaccines({"resourceType": "ImmunizationRecommendation"}) is None
