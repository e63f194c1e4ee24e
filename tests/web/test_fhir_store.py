"""Resources in memory: what a search finds, how it is paged, and what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fhir_calls import Json, ids, next_link, search, weight

from cds_service.web.fhir_search import FhirRefused
from cds_service.web.fhir_store import FhirStore

SERVER = "http://fhir.example.org"


def coded(identity: str, *codings: tuple[str | None, str]) -> Json:
    """An Observation with these codes; a coding may lack its system."""
    written = [{"system": system, "code": code} if system else {"code": code} for system, code in codings]
    return weight(identity, code={"coding": written})


def page(store: FhirStore, query: str) -> Json:
    return store.search(SERVER, "Observation", parse_qsl(query))


def refused(store: FhirStore, query: str) -> tuple[int, str]:
    with pytest.raises(FhirRefused) as refusal:
        page(store, query)
    return refusal.value.status, refusal.value.code


@pytest.mark.parametrize("written", ["one", "Patient/one", "http://elsewhere.example.org/fhir/Patient/one"])
@pytest.mark.parametrize("name", ["patient", "subject"])
def test_a_patient_is_named_by_id_or_reference(name: str, written: str) -> None:
    assert search([weight("a"), weight("b", patient="Patient/two")], **{name: written}) == ["a"]


def test_an_absolute_reference_to_a_patient_is_found_by_its_id() -> None:
    assert search([weight("a", patient="http://ehr.example.org/fhir/Patient/one")], patient="one") == ["a"]


@pytest.mark.parametrize("subject", [{}, {"display": "Somebody"}, {"reference": "#contained"}, "Patient/one", None])
def test_what_names_no_patient_is_no_patients(subject: object) -> None:
    assert search([weight("a", subject=subject)], patient="one") == []


def test_several_patients_are_found_together() -> None:
    held = [weight("a"), weight("b", patient="Patient/two"), weight("c", patient="Patient/three")]
    assert search(held, patient="one,two") == ["a", "b"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("s|1", ["in-s"]),
        ("1", ["in-s", "in-t", "in-none"]),
        ("|1", ["in-none"]),
        ("s|", ["in-s", "second-in-s"]),
        ("s|1,s|2", ["in-s", "second-in-s"]),
        ("s|3", []),
        ("S|1", []),
    ],
)
def test_a_code_is_found_by_system_and_code(written: str, found: list[str]) -> None:
    held = [
        coded("in-s", ("s", "1")),
        coded("in-t", ("t", "1")),
        coded("in-none", (None, "1")),
        coded("second-in-s", ("t", "9"), ("s", "2")),
        weight("in-words", code={"text": "1"}),
    ]
    assert search(held, code=written) == found


@pytest.mark.parametrize("written", ["final", "final,amended", "http://hl7.org/fhir/observation-status|final"])
def test_a_status_is_found_with_and_without_its_system(written: str) -> None:
    assert search([weight("a", status="final"), weight("b", status="preliminary")], status=written) == ["a"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-03-02", ["on"]),
        ("eq2026-03-02", ["on"]),
        ("ge2026-03-02", ["on", "after"]),
        ("gt2026-03-02", ["after"]),
        ("le2026-03-02", ["before", "on"]),
        ("lt2026-03-02", ["before"]),
        ("2026-03", ["on", "after"]),
        ("2026", ["before", "on", "after"]),
        ("lt2026-03", ["before"]),
        ("gt2025", ["before", "on", "after"]),
        ("ge2026-03-02T10:00:00Z", ["on", "after"]),
        ("gt2026-03-02T10:00:00Z", ["after"]),
        ("ge2026-03-02T11:00:00+01:00", ["on", "after"]),
        ("2026-03-02T10:00", ["on"]),
        ("2026-03-02T10:00:00.0Z", []),
        ("2026-03-02,2026-03-03", ["on", "after"]),
    ],
)
def test_a_date_is_compared_as_exactly_as_it_is_written(written: str, found: list[str]) -> None:
    held = [
        weight("before", "2026-02-28T23:59:59.9Z"),
        weight("on", "2026-03-02T10:00:00Z"),
        weight("after", "2026-03-03"),
        weight("without"),
        weight("unreadable", "yesterday"),
    ]
    assert search(held, date=written) == found


@pytest.mark.parametrize(
    ("period", "found"),
    [
        ({"start": "2026-03-01", "end": "2026-03-05"}, True),
        ({"start": "2026-02-01", "end": "2026-02-28"}, False),
        ({"start": "2026-02-01"}, True),
        ({"end": "2026-02-28"}, False),
        ({}, False),
    ],
)
def test_a_period_without_an_end_goes_on(period: Json, found: bool) -> None:
    assert bool(search([weight("a", effectivePeriod=period)], date="ge2026-03-02")) is found


def test_two_dates_limit_from_both_sides() -> None:
    store = FhirStore.of([weight(day, f"2026-03-0{day}") for day in "1234"])
    assert ids(page(store, "date=ge2026-03-02&date=lt2026-03-04")) == ["2", "3"]


def test_parameters_apply_together() -> None:
    held = [weight("a", status="final"), weight("b", status="preliminary"), weight("c", "2026-03-01", status="final")]
    assert search(held, patient="one", status="final", date="2026-03-01") == ["c"]


def test_an_id_is_found_by_search_and_by_reading() -> None:
    store = FhirStore.of([weight("a"), weight("b")])
    assert ids(page(store, "_id=b")) == ["b"]
    assert store.read("Observation", "b")["id"] == "b"


def test_the_first_of_two_resources_with_one_id_is_kept() -> None:
    store = FhirStore.of([weight("a", status="final"), weight("a", status="amended")])
    assert store.read("Observation", "a")["status"] == "final"
    assert page(store, "patient=one")["total"] == 1


@pytest.mark.parametrize("odd", [{}, {"resourceType": "Observation"}, {"resourceType": "OperationOutcome", "id": "a"}])
def test_what_cannot_be_asked_for_is_left_out(odd: Json) -> None:
    assert FhirStore.of([odd]) == FhirStore.of([])


def test_a_match_comes_with_its_address() -> None:
    held = weight("a")
    assert page(FhirStore.of([held]), "patient=one") == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "link": [{"relation": "self", "url": f"{SERVER}/Observation?patient=one"}],
        "entry": [{"fullUrl": f"{SERVER}/Observation/a", "resource": held, "search": {"mode": "match"}}],
    }


def test_a_search_without_a_match_has_no_entry() -> None:
    found = page(FhirStore.of([]), "patient=one")
    assert (found["total"], "entry" in found, next_link(found)) == (0, False, None)


@pytest.mark.parametrize(
    ("asked", "sizes"),
    [
        ("", [50, 50, 50, 50, 50, 1]),
        ("&_count=200", [200, 51]),
        ("&_count=201", [200, 51]),
        ("&_count=100", [100, 100, 51]),
        ("&_count=251", [200, 51]),
    ],
)
def test_a_page_holds_50_unless_asked_otherwise_and_never_more_than_200(asked: str, sizes: list[int]) -> None:
    store = FhirStore.of([weight(f"w{number}") for number in range(251)])
    pages = [page(store, f"patient=one{asked}")]
    while following := next_link(pages[-1]):
        pages.append(page(store, urlsplit(following).query))
    assert [len(ids(found)) for found in pages] == sizes
    assert [identity for found in pages for identity in ids(found)] == [f"w{number}" for number in range(251)]
    assert {found["total"] for found in pages} == {251}


def test_a_page_that_is_exactly_full_is_the_last_one() -> None:
    store = FhirStore.of([weight("a"), weight("b")])
    assert next_link(page(store, "patient=one&_count=2")) is None
    assert next_link(page(store, "patient=one&_count=1")) is not None


def test_a_count_of_0_tells_only_how_many_there_are() -> None:
    found = page(FhirStore.of([weight("a")]), "patient=one&_count=0")
    assert (found["total"], ids(found), next_link(found)) == (1, [], None)


def test_the_next_page_keeps_what_was_searched_for() -> None:
    held = [weight("a", status="final"), weight("b", status="preliminary"), weight("c", status="final")]
    store = FhirStore.of(held)
    first = page(store, "patient=one&status=final&_count=1")
    assert ids(page(store, urlsplit(next_link(first) or "").query)) == ["c"]


@pytest.mark.parametrize("query", ["_sort=-date", "code:in=x", "_include=*", "date:missing=true", "onset-date=2026"])
def test_a_parameter_that_is_unknown_is_refused_and_not_ignored(query: str) -> None:
    assert refused(FhirStore.of([]), f"patient=one&{query}") == (400, "not-supported")


@pytest.mark.parametrize(
    "query",
    [
        "date=yesterday",
        "date=ne2026-03-02",
        "date=2026-02-30",
        "date=9999",
        "date=2026-03-02T10",
        "_count=many",
        "_count=-1",
        "_count=²",
        "_count=1&_count=2",
        "_page=x",
        "_page=eNo",
        "_page=é",
    ],
)
def test_a_value_that_cannot_be_read_is_refused(query: str) -> None:
    assert refused(FhirStore.of([]), query) == (400, "invalid")


def test_a_parameter_without_a_value_is_refused() -> None:
    with pytest.raises(FhirRefused) as refusal:
        FhirStore.of([]).search(SERVER, "Observation", [("patient", "")])
    assert refusal.value.status == 400


def test_a_page_is_refused_beside_other_parameters_and_for_another_type() -> None:
    store = FhirStore.of([weight("a"), weight("b")])
    query = urlsplit(next_link(page(store, "patient=one&_count=1")) or "").query
    assert refused(store, f"{query}&status=final") == (400, "invalid")
    with pytest.raises(FhirRefused):
        store.search(SERVER, "Condition", parse_qsl(query))


@pytest.mark.parametrize("kind", ["Bundle", "observation", ""])
def test_a_type_that_is_not_served_is_not_found(kind: str) -> None:
    for ask in (lambda store: store.search(SERVER, kind, []), lambda store: store.read(kind, "a")):
        with pytest.raises(FhirRefused) as refusal:
            ask(FhirStore.of([]))
        assert (refusal.value.status, refusal.value.code) == (404, "not-supported")


def test_a_resource_that_is_not_there_is_not_found() -> None:
    with pytest.raises(FhirRefused) as refusal:
        FhirStore.of([weight("a")]).read("Observation", "b")
    assert (refusal.value.status, refusal.value.code) == (404, "not-found")


CONCEPT: Any = {"coding": [{"system": "s", "code": "x"}]}
ONE: Any = {"reference": "Patient/one"}
SUBJECT = {"patient": "one", "subject": "Patient/one"}
# Of each type a resource, and a value of every search parameter that finds it.
SEARCHED: dict[str, tuple[Json, Json]] = {
    "Patient": ({}, {}),
    "Practitioner": ({}, {}),
    "PractitionerRole": ({}, {}),
    "Medication": ({"code": CONCEPT}, {"code": "s|x"}),
    "Observation": (
        {"subject": ONE, "code": CONCEPT, "category": [CONCEPT], "status": "final", "effectiveInstant": "2026-03-02T09:00:00Z"},
        SUBJECT | {"code": "s|x", "category": "x", "status": "final", "date": "2026-03-02"},
    ),
    "MedicationRequest": (
        {"subject": ONE, "medicationCodeableConcept": CONCEPT, "category": [CONCEPT], "status": "active", "intent": "order", "authoredOn": "2026-03-02"},
        SUBJECT | {"code": "s|x", "category": "x", "status": "active", "intent": "order", "authoredon": "2026-03-02"},
    ),
    "MedicationAdministration": (
        {"subject": ONE, "medicationCodeableConcept": CONCEPT, "status": "completed", "effectiveDateTime": "2026-03-02"},
        SUBJECT | {"code": "s|x", "status": "completed", "effective-time": "2026-03-02"},
    ),
    "MedicationDispense": (
        {"subject": ONE, "medicationCodeableConcept": CONCEPT, "status": "completed", "whenHandedOver": "2026-03-02"},
        SUBJECT | {"code": "s|x", "status": "completed", "whenhandedover": "2026-03-02"},
    ),
    "Condition": (
        {"subject": ONE, "code": CONCEPT, "category": [CONCEPT], "clinicalStatus": CONCEPT, "verificationStatus": CONCEPT, "onsetDateTime": "2026-03-02", "recordedDate": "2026-03-03"},
        SUBJECT | {"code": "s|x", "category": "x", "clinical-status": "x", "verification-status": "s|x", "onset-date": "2026-03-02", "recorded-date": "2026-03-03"},
    ),
    "Immunization": (
        {"patient": ONE, "vaccineCode": CONCEPT, "status": "completed", "occurrenceDateTime": "2026-03-02"},
        {"patient": "one", "vaccine-code": "s|x", "status": "completed", "date": "2026-03-02"},
    ),
    "ImmunizationRecommendation": ({"patient": ONE, "date": "2026-03-02"}, {"patient": "one", "date": "2026-03-02"}),
    "Procedure": (
        {"subject": ONE, "code": CONCEPT, "category": CONCEPT, "status": "completed", "performedPeriod": {"start": "2026-03-02", "end": "2026-03-02"}},
        SUBJECT | {"code": "s|x", "category": "x", "status": "completed", "date": "2026-03-02"},
    ),
    "ServiceRequest": (
        {"subject": ONE, "code": CONCEPT, "category": [CONCEPT], "status": "active", "intent": "order", "authoredOn": "2026-03-02", "occurrenceDateTime": "2026-03-03"},
        SUBJECT | {"code": "s|x", "category": "x", "status": "active", "intent": "order", "authored": "2026-03-02", "occurrence": "2026-03-03"},
    ),
    "DiagnosticReport": (
        {"subject": ONE, "code": CONCEPT, "category": [CONCEPT], "status": "final", "effectiveDateTime": "2026-03-02"},
        SUBJECT | {"code": "s|x", "category": "x", "status": "final", "date": "2026-03-02"},
    ),
    "Encounter": (
        {"subject": ONE, "status": "finished", "period": {"start": "2026-03-02", "end": "2026-03-02"}},
        SUBJECT | {"status": "finished", "date": "2026-03-02"},
    ),
    "Appointment": (
        {"participant": [{"actor": {"reference": "Location/a"}}, {"actor": ONE}], "status": "booked", "start": "2026-03-02T09:00:00Z"},
        {"patient": "one", "status": "booked", "date": "2026-03-02"},
    ),
    "Communication": (
        {"subject": ONE, "category": [CONCEPT], "status": "completed", "sent": "2026-03-02"},
        SUBJECT | {"category": "x", "status": "completed", "sent": "2026-03-02"},
    ),
    "SupplyDelivery": ({"patient": ONE, "status": "completed"}, {"patient": "one", "status": "completed"}),
    "Task": (
        {"for": ONE, "code": CONCEPT, "status": "requested", "authoredOn": "2026-03-02"},
        SUBJECT | {"code": "s|x", "status": "requested", "authored-on": "2026-03-02"},
    ),
}  # fmt: skip
OTHER = {"date": "2027", "onset-date": "2027", "recorded-date": "2027", "authoredon": "2027", "authored": "2027"}
OTHER |= {
    "effective-time": "2027",
    "whenhandedover": "2027",
    "occurrence": "2027",
    "sent": "2027",
    "authored-on": "2027",
}


@pytest.mark.parametrize("kind", SEARCHED)
def test_every_parameter_of_a_type_finds_what_has_its_value_and_nothing_else(kind: str) -> None:
    held, values = SEARCHED[kind]
    store = FhirStore.of([{"resourceType": kind, "id": "a", **held}])
    for name, value in {"_id": "a", **values}.items():
        assert ids(store.search(SERVER, kind, [(name, value)])) == ["a"], name
        assert ids(store.search(SERVER, kind, [(name, OTHER.get(name, "other"))])) == [], name
