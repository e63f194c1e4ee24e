"""Which access of a call is used: only our own, for this patient, while it lasts, at a server on the list."""

from __future__ import annotations

from typing import Any

import pytest
from builders import PATIENT_ID
from hook_calls import AUTHORIZATION, a_call

from cds_service.domain.facts import Hindrance
from cds_service.fhir import FhirAccess
from cds_service.hooks.fhir_access import fhir_access
from cds_service.hooks.request import HookCall, read_hook_call
from cds_service.hooks.services import service_by_id

SERVER = "https://ehr.example.org/fhir"


def call_with(server: str | None = SERVER, **changes: Any) -> HookCall:
    """A call that brings access; a change of None takes the member away."""
    granted = {name: value for name, value in {**AUTHORIZATION, **changes}.items() if value is not None}
    call = a_call(fhirAuthorization=granted, **({"fhirServer": server} if server else {}))
    return read_hook_call(call, service_by_id("onasemnogene-order-sign"))


def used(call: HookCall, subject: str = "") -> FhirAccess | Hindrance | None:
    return fhir_access(call, lambda server: server == SERVER, subject)


def test_access_of_a_listed_server_is_used_with_its_token_and_scopes() -> None:
    access = used(call_with())
    assert isinstance(access, FhirAccess)
    assert (access.base, access.token) == (SERVER, AUTHORIZATION["access_token"])
    assert access.scopes.coverage("Observation", "search") > access.scopes.coverage("Condition", "search")


@pytest.mark.spec("R-045")
def test_a_final_slash_of_the_server_is_taken_away() -> None:
    access = used(call_with(f"{SERVER}/"))
    assert isinstance(access, FhirAccess)
    assert access.base == SERVER


@pytest.mark.spec("R-093")
def test_a_call_without_authorization_brings_no_access() -> None:
    call = read_hook_call(a_call(fhirServer=SERVER), service_by_id("onasemnogene-order-sign"))
    assert used(call) is None


@pytest.mark.spec("R-097")
@pytest.mark.parametrize("server", ["https://evil.example.org/fhir", f"{SERVER}/other", SERVER.upper()])
def test_a_server_that_is_not_listed_is_not_asked(server: str) -> None:
    assert used(call_with(server)) is Hindrance.SERVER_NOT_LISTED


@pytest.mark.parametrize(("expires_in", "is_used"), [(-1, False), (0, False), (1, True), ("0", False), ("300", True)])
@pytest.mark.spec("R-095")
def test_a_token_is_used_while_it_lasts(expires_in: int | str, is_used: bool) -> None:
    access = used(call_with(expires_in=expires_in))
    assert isinstance(access, FhirAccess) if is_used else access is Hindrance.ACCESS_EXPIRED


@pytest.mark.spec("R-096")
@pytest.mark.parametrize(
    ("subject", "is_used"), [("", True), (AUTHORIZATION["subject"], True), ("another-service", False)]
)
def test_a_token_granted_to_another_service_is_not_used(subject: str, is_used: bool) -> None:
    access = used(call_with(), subject)
    assert isinstance(access, FhirAccess) if is_used else access is Hindrance.ACCESS_NOT_OURS


LIMITED = "patient/Observation.rs"
PATIENTS = [
    (LIMITED, PATIENT_ID, True),
    (LIMITED, f"Patient/{PATIENT_ID}", True),
    (LIMITED, None, True),
    (LIMITED, "another", False),
    ("PATIENT/Observation.Read", "another", False),
    ("user/Observation.rs", "another", False),
    ("user/Observation.rs", PATIENT_ID, True),
]


@pytest.mark.hazard("H1")
@pytest.mark.spec("R-053")
@pytest.mark.parametrize(("scope", "patient", "is_used"), PATIENTS)
def test_a_token_that_names_another_patient_is_not_used(scope: str, patient: str | None, is_used: bool) -> None:
    access = used(call_with(scope=scope, patient=patient))
    assert isinstance(access, FhirAccess) if is_used else access is Hindrance.ACCESS_NOT_OURS


@pytest.mark.parametrize("token", ["two words", "line\r\nX-Evil: 1", 'quote"d', "naïve"])
def test_a_token_that_could_break_out_of_its_header_is_not_used(token: str) -> None:
    assert used(call_with(access_token=token)) is Hindrance.ACCESS_NOT_OURS


@pytest.mark.parametrize("patient_id", [".", ".."])
def test_an_id_of_dots_alone_is_asked_about_nowhere(patient_id: str) -> None:
    call = a_call(fhirServer=SERVER, fhirAuthorization=AUTHORIZATION)
    call["context"]["patientId"] = patient_id
    assert used(read_hook_call(call, service_by_id("onasemnogene-order-sign"))) is Hindrance.ACCESS_NOT_OURS


def test_a_call_shows_its_token_nowhere() -> None:
    call = call_with()
    assert str(AUTHORIZATION["access_token"]) not in f"{call!r} {used(call)!r}"
