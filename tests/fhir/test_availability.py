"""What a prefetch value is: resources, none, not attempted, failed, incomplete, unusable; and whose resources."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import PATIENT_ID, bundle

from cds_service.domain.facts import IdentityFault, ListState, Source, SourceState
from cds_service.fhir import Chart, lists_sent, read_chart

OWN = {"reference": f"Patient/{PATIENT_ID}"}


def an(kind: str, identity: str | None = "1", **members: Any) -> dict[str, Any]:
    """A resource of this kind about the patient of the call."""
    named = {"id": identity} if identity else {}
    return {"resourceType": kind, **named, **({} if kind == "Patient" else {"subject": OWN}), **members}


def chart(**prefetch: Any) -> Chart:
    return read_chart(prefetch, PATIENT_ID)


def observations(value: Any) -> SourceState:
    return chart(observations=value).sources[Source.MEASUREMENTS]


def outcome(*severities: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": s, "code": "processing"} for s in severities]}


def an_outcome_entry(*severities: str, **members: Any) -> dict[str, Any]:
    return {"resource": outcome(*severities), "search": {"mode": "outcome"}, **members}


ONE = an("Observation")
FULL = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 1,
    "entry": [{"resource": ONE, "search": {"mode": "match"}}],
}


@pytest.mark.spec("R-081")
def test_a_key_that_is_not_there_was_not_attempted() -> None:
    assert chart().sources == dict.fromkeys(Source, SourceState(ListState.NOT_ATTEMPTED))
    assert read_chart(None, PATIENT_ID).sources == chart().sources


@pytest.mark.spec("R-082")
def test_null_means_that_there_is_nothing() -> None:
    assert observations(None).state is ListState.COMPLETE
    assert chart(observations=None).of_type("Observation") == ()


@pytest.mark.spec("R-083")
def test_an_outcome_in_place_of_a_list_means_that_the_search_failed() -> None:
    assert observations(outcome("error")).state is ListState.FAILED
    assert observations(outcome()).state is ListState.FAILED


@pytest.mark.spec("R-084")
@pytest.mark.parametrize(
    "empty",
    [
        {"resourceType": "Bundle", "type": "searchset", "total": 0},
        {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []},
        {"resourceType": "Bundle", "type": "searchset"},
        {"resourceType": "Bundle", "entry": None, "total": None, "link": None},
        {"resourceType": "Bundle", "total": "0"},
    ],
)
def test_an_empty_search_means_none_found(empty: dict[str, Any]) -> None:
    assert observations(empty) == SourceState(ListState.COMPLETE, 0, 0 if "0" in str(empty.get("total")) else None)


@pytest.mark.hazard("H26")
@pytest.mark.spec("R-083")
@pytest.mark.parametrize(
    ("severities", "state"),
    [
        (("information",), ListState.COMPLETE),
        (("warning",), ListState.COMPLETE),
        (("information", "warning"), ListState.COMPLETE),
        ((" Warning ",), ListState.COMPLETE),
        (("error",), ListState.FAILED),
        (("fatal",), ListState.FAILED),
        (("warning", "error"), ListState.FAILED),
        (("FATAL",), ListState.FAILED),
        ((), ListState.FAILED),
    ],
)
def test_an_outcome_entry_fails_the_search_by_its_severity(severities: tuple[str, ...], state: ListState) -> None:
    found = {"resourceType": "Bundle", "total": 0, "entry": [an_outcome_entry(*severities)]}
    assert observations(found).state is state


@pytest.mark.spec("R-083")
def test_an_outcome_entry_is_known_by_its_type_or_its_mode() -> None:
    by_type = {"resourceType": "Bundle", "entry": [{"resource": outcome("error")}]}
    by_mode = {"resourceType": "Bundle", "entry": [{"search": {"mode": "OUTCOME "}}]}
    assert observations(by_type).state is ListState.FAILED
    assert observations(by_mode).state is ListState.FAILED


@pytest.mark.spec("R-083")
def test_an_outcome_entry_beside_results_leaves_the_results() -> None:
    found = {**FULL, "entry": [*FULL["entry"], an_outcome_entry("warning")]}  # type: ignore[misc]
    assert observations(found) == SourceState(ListState.COMPLETE, 1, 1)
    assert chart(observations=found).of_type("Observation") == (ONE,)


@pytest.mark.hazard("H25")
@pytest.mark.spec("R-085")
@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, SourceState(ListState.COMPLETE, 1, 1)),
        ({"total": 2}, SourceState(ListState.INCOMPLETE, 1, 2)),
        ({"total": "2"}, SourceState(ListState.INCOMPLETE, 1, 2)),
        ({"total": "1"}, SourceState(ListState.COMPLETE, 1, 1)),
        ({"total": None}, SourceState(ListState.COMPLETE, 1, None)),
        ({"total": "many"}, SourceState(ListState.INCOMPLETE, 1, None)),
        ({"link": [{"relation": "self"}, {"relation": "next", "url": "x"}]}, SourceState(ListState.INCOMPLETE, 1, 1)),
        ({"link": {"relation": "Next "}, "total": None}, SourceState(ListState.INCOMPLETE, 1, None)),
        ({"link": [{"relation": "self"}, None, "next"]}, SourceState(ListState.COMPLETE, 1, 1)),
    ],
)
def test_a_next_page_or_a_larger_total_means_that_part_is_missing(change: dict[str, Any], state: SourceState) -> None:
    assert observations(FULL | change) == state


@pytest.mark.spec("R-085")
def test_included_resources_do_not_fill_up_a_total() -> None:
    included = {"resource": an("Observation", "2"), "search": {"mode": "include"}}
    assert observations({**FULL, "total": 2, "entry": [*FULL["entry"], included]}).state is ListState.INCOMPLETE  # type: ignore[misc]


@pytest.mark.spec("R-086")
@pytest.mark.parametrize("kind", ["searchset", "collection", "history", None])
def test_any_type_of_bundle_is_read(kind: str | None) -> None:
    assert chart(observations=FULL | {"type": kind}).of_type("Observation") == (ONE,)


@pytest.mark.spec("R-086")
def test_a_single_resource_in_place_of_a_list_is_read_and_proves_no_absence_of_others() -> None:
    assert observations(ONE) == SourceState(ListState.INCOMPLETE, 1, None)
    assert chart(observations=ONE).of_type("Observation") == (ONE,)


@pytest.mark.spec("R-088")
def test_a_bundle_within_a_bundle_is_a_part_that_is_not_read() -> None:
    assert observations(bundle([FULL])).state is ListState.UNUSABLE
    beside = observations({"resourceType": "Bundle", "entry": [{"resource": ONE}, {"resource": FULL}]})
    assert beside == SourceState(ListState.INCOMPLETE, 2, None)


@pytest.mark.spec("R-088")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("<html>Service unavailable</html>", id="a web page"),
        pytest.param("", id="empty text"),
        pytest.param(0, id="a number"),
        pytest.param(False, id="false"),
        pytest.param([], id="a bare list"),
        pytest.param([ONE], id="a bare list of resources"),
        pytest.param({}, id="an empty object"),
        pytest.param({"resource": ONE}, id="the wrapper of old clients"),
        pytest.param({"response": {"status": "200"}, "resource": FULL}, id="a response entry"),
        pytest.param({"resourceType": ""}, id="no type"),
        pytest.param({"resourceType": 5}, id="a numeric type"),
        pytest.param({"entry": [{"resource": ONE}]}, id="a bundle that does not say so"),
    ],
)
def test_anything_else_is_unusable(value: Any) -> None:
    assert observations(value).state is ListState.UNUSABLE


@pytest.mark.spec("R-087")
def test_a_list_is_known_by_what_it_holds_whatever_its_key() -> None:
    found = chart(vitalsOfThisSite=FULL)
    assert found.sources[Source.MEASUREMENTS].state is ListState.COMPLETE
    assert found.of_type("Observation") == (ONE,)


def test_an_empty_list_under_an_unknown_key_says_nothing() -> None:
    assert chart(vitalsOfThisSite={"resourceType": "Bundle", "total": 0}).sources == chart().sources


@pytest.mark.parametrize("entry", [[], [an_outcome_entry("warning")]])
def test_an_empty_list_under_an_unknown_key_speaks_by_the_address_of_its_search(entry: list[Any]) -> None:
    link = {"relation": "self", "url": "https://ehr.example.org/fhir/r4/Observation?patient=1&code=29463-7"}
    sources = chart(vitalsOfThisSite={"resourceType": "Bundle", "total": 0, "link": [link], "entry": entry}).sources
    assert {s for s in Source if sources[s].state is ListState.COMPLETE} == {Source.MEASUREMENTS}


@pytest.mark.parametrize("value", [None, {"resourceType": "PractitionerRole", "id": "1"}, bundle([])])
def test_a_key_typed_by_hand_that_is_about_the_user_changes_nothing(value: Any) -> None:
    found = read_chart({"observations": FULL, "-user": value}, PATIENT_ID)
    assert found.sources == chart(observations=FULL).sources
    assert (found.unreadable, found.identity_problems) == ((), ())


def test_a_mixed_list_speaks_for_every_type_in_it() -> None:
    mixed = bundle([an("Observation"), an("Condition"), an("Procedure")])
    sources = chart(everything=mixed).sources
    assert {s for s in Source if sources[s].state is ListState.COMPLETE} == {
        Source.MEASUREMENTS,
        Source.DIAGNOSES,
        Source.PROCEDURES,
    }


def test_a_mixed_list_that_is_cut_off_leaves_all_its_types_incomplete() -> None:
    mixed = bundle([an("Observation"), an("Condition")]) | {"total": 5}
    sources = chart(everything=mixed).sources
    assert {sources[Source.MEASUREMENTS].state, sources[Source.DIAGNOSES].state} == {ListState.INCOMPLETE}


@pytest.mark.spec("R-088")
def test_a_key_that_holds_only_another_list_is_unusable_and_the_other_list_counts() -> None:
    sources = chart(observations=bundle([an("Condition")])).sources
    assert sources[Source.MEASUREMENTS].state is ListState.UNUSABLE
    assert sources[Source.DIAGNOSES].state is ListState.COMPLETE


def test_of_two_values_about_one_list_the_worse_state_counts() -> None:
    cut_off = bundle([an("Observation", "2")]) | {"total": 9}
    sources = chart(observations=FULL, weights=cut_off).sources
    assert sources[Source.MEASUREMENTS] == SourceState(ListState.INCOMPLETE, 2, 10)


def test_a_resource_that_comes_twice_is_one() -> None:
    assert chart(observations=FULL, weights=FULL).of_type("Observation") == (ONE,)


@pytest.mark.parametrize("first", ["old", "new"])
def test_of_two_versions_the_one_changed_last_counts(first: str) -> None:
    old = an("Observation", meta={"lastUpdated": "2026-03-01T08:00:00Z"}, status="preliminary")
    new = an("Observation", meta={"lastUpdated": "2026-03-01T09:00:00Z"}, status="final")
    delivered = (old, new) if first == "old" else (new, old)
    found = chart(a=bundle([delivered[0]]), b=bundle([delivered[1]])).of_type("Observation")
    assert found == (new,)


def test_versions_changed_in_different_zones_are_compared_as_moments() -> None:
    old = an("Observation", meta={"lastUpdated": "2026-03-01T08:30:00+02:00"}, status="final")
    new = an("Observation", meta={"lastUpdated": "2026-03-01T07:00:00Z"}, status="entered-in-error")
    assert chart(a=bundle([old]), b=bundle([new])).of_type("Observation") == (new,)


def test_resources_without_an_id_are_all_kept() -> None:
    nameless = an("Observation", None)
    assert chart(observations=bundle([nameless, nameless])).of_type("Observation") == (nameless, nameless)


def test_one_id_of_two_types_is_two_resources() -> None:
    found = chart(everything=bundle([an("Observation", "7"), an("Condition", "7")]))
    assert len(found.of_type("Observation")) == len(found.of_type("Condition")) == 1


@pytest.mark.parametrize(
    "entry",
    [None, 5, "x", {}, {"resource": None}, {"resource": "x"}, {"resource": {}}, {"resource": {"resourceType": ""}}],
)
def test_an_entry_without_a_resource_is_reported_and_spoils_nothing(entry: Any) -> None:
    found = chart(observations={"resourceType": "Bundle", "entry": [entry, {"resource": ONE}]})
    assert found.of_type("Observation") == (ONE,)
    assert [item.evidence.reference for item in found.unreadable] == ["observations"]


def test_a_single_entry_need_not_stand_in_a_list() -> None:
    assert chart(observations={"resourceType": "Bundle", "entry": {"resource": ONE}}).of_type("Observation") == (ONE,)


# --- whose resources


@pytest.mark.spec("R-089")
@pytest.mark.parametrize(
    "reference",
    [
        f"Patient/{PATIENT_ID}", f"https://ehr.example.org/fhir/Patient/{PATIENT_ID}", f"Patient/{PATIENT_ID}/_history/3", f" Patient/{PATIENT_ID}",
    ],
)  # fmt: skip
def test_the_patient_may_be_named_by_any_kind_of_reference(reference: str) -> None:
    found = chart(observations=bundle([an("Observation", subject={"reference": reference})]))
    assert found.identity_problems == ()
    assert len(found.of_type("Observation")) == 1


@pytest.mark.hazard("H1")
@pytest.mark.spec("R-089")
@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        ({"reference": "Patient/somebody-else"}, IdentityFault.OTHER_PATIENT),
        ({"reference": f"Patient/{PATIENT_ID}0"}, IdentityFault.OTHER_PATIENT),
        ({"reference": f"Patient/{PATIENT_ID.upper()}"}, IdentityFault.OTHER_PATIENT),
        ({"reference": f"Group/{PATIENT_ID}"}, IdentityFault.OTHER_PATIENT),
        ({"reference": PATIENT_ID}, IdentityFault.NO_SUBJECT),
        ({"reference": "#pat"}, IdentityFault.NO_SUBJECT),
        ({"display": "Jane Doe"}, IdentityFault.NO_SUBJECT),
        ({"identifier": {"value": PATIENT_ID}}, IdentityFault.NO_SUBJECT),
        ({}, IdentityFault.NO_SUBJECT),
        (None, IdentityFault.NO_SUBJECT),
        ("Patient", IdentityFault.NO_SUBJECT),
    ],
)
def test_a_resource_of_somebody_else_or_of_nobody_is_set_aside_and_told(subject: Any, fault: IdentityFault) -> None:
    found = chart(observations=bundle([an("Observation", subject=subject)]))
    assert found.of_type("Observation") == ()
    assert [problem.fault for problem in found.identity_problems] == [fault]


@pytest.mark.spec("R-089")
def test_only_the_foreign_part_of_a_mixed_list_is_set_aside() -> None:
    foreign = an("Observation", "2", subject={"reference": "Patient/somebody-else"})
    found = chart(observations=bundle([ONE, foreign]))
    assert found.of_type("Observation") == (ONE,)
    assert [(p.evidence.reference, p.named, p.expected) for p in found.identity_problems] == [
        ("Observation/2", "Patient/somebody-else", f"Patient/{PATIENT_ID}")
    ]


def test_what_is_told_of_a_foreign_resource_holds_no_value_of_it() -> None:
    foreign = an(
        "Observation",
        subject={"reference": "Patient/somebody-else", "display": "Jane Doe"},
        valueQuantity={"value": 9, "unit": "kg"},
    )
    told = str(chart(observations=bundle([foreign])).identity_problems)
    assert "Jane" not in told
    assert "kg" not in told


def test_some_types_name_their_patient_in_an_element_called_patient() -> None:
    shot = {"resourceType": "Immunization", "id": "1", "patient": OWN}
    assert chart(immunizations=bundle([shot])).of_type("Immunization") == (shot,)


def test_another_patients_record_is_set_aside() -> None:
    found = chart(patient={"resourceType": "Patient", "id": "somebody-else"})
    assert found.of_type("Patient") == ()
    assert [problem.fault for problem in found.identity_problems] == [IdentityFault.OTHER_PATIENT]


def test_types_that_no_rule_reads_need_no_subject() -> None:
    medication = {"resourceType": "Medication", "id": "m"}
    found = chart(medications=bundle([medication]))
    assert found.of_type("Medication") == (medication,)
    assert found.identity_problems == ()


# --- resources of no list of ours

BESIDE_THE_LISTS: dict[str, dict[str, Any]] = {
    "Task": {"for": {"reference": "Patient/P"}},
    "SupplyDelivery": {"patient": {"reference": "Patient/P"}},
    "Encounter": {"subject": {"reference": "Patient/P"}},
    "Appointment": {"participant": [{"actor": {"reference": "Practitioner/1"}}, {"actor": {"reference": "Patient/P"}}]},
}


def beside(kind: str, patient: str) -> dict[str, Any]:
    """A resource of no list, about this patient."""
    members = json.loads(json.dumps(BESIDE_THE_LISTS[kind]).replace("Patient/P", f"Patient/{patient}"))
    return {"resourceType": kind, "id": "b1", **members}


@pytest.mark.parametrize("kind", BESIDE_THE_LISTS)
def test_a_resource_of_no_list_is_kept_where_it_is_about_this_patient(kind: str) -> None:
    chart = read_chart({"any": beside(kind, "123")}, "123")
    assert len(chart.of_type(kind)) == 1
    assert chart.identity_problems == ()


@pytest.mark.parametrize("kind", BESIDE_THE_LISTS)
def test_a_resource_of_no_list_is_set_aside_where_it_names_another_patient(kind: str) -> None:
    chart = read_chart({"any": beside(kind, "999")}, "123")
    assert chart.of_type(kind) == ()
    assert [(p.fault, p.named) for p in chart.identity_problems] == [(IdentityFault.OTHER_PATIENT, "Patient/999")]


@pytest.mark.parametrize("kind", ["Task", "Medication", "Organization"])
def test_a_resource_of_no_list_that_names_nobody_is_kept(kind: str) -> None:
    chart = read_chart({"any": {"resourceType": kind, "id": "b1"}}, "123")
    assert (len(chart.of_type(kind)), chart.identity_problems) == (1, ())


@pytest.mark.parametrize("value", ["<html>", {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}])
def test_a_failed_value_under_an_unknown_key_is_told(value: Any) -> None:
    chart = read_chart({"myLabs": value}, "123")
    assert [entry.evidence.reference for entry in chart.unreadable] == ["myLabs"]
    assert [entry.source for entry in chart.unreadable] == [None]


# --- which lists came, for the audit line


@pytest.mark.parametrize(
    ("key", "value", "came"),
    [
        ("patient", {"resourceType": "Patient", "id": "1"}, ["patient"]),
        (
            "labs",
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation"}}]},
            ["observations"],
        ),
        ("observations", {"resourceType": "Bundle"}, ["observations"]),
        ("observations", None, ["observations"]),
        ("observations", {"resourceType": "OperationOutcome"}, []),
        ("observations", "<html>", []),
        ("observations", {}, []),
        ("observations", {"resourceType": "Bundle", "entry": ["x", None]}, ["observations"]),
        ("anything", {"resourceType": "Bundle"}, []),
        ("anything", {"resourceType": "Task"}, []),
    ],
)
def test_the_lists_that_came_are_told_by_content_or_key(key: str, value: Any, came: list[str]) -> None:
    assert [source.value for source in lists_sent({key: value})] == came


def test_an_unreadable_value_under_an_empty_key_is_told_under_a_name() -> None:
    (unread,) = read_chart({" ": {"resourceType": "OperationOutcome"}}, "p1").unreadable
    assert unread.evidence.reference == "prefetch"
