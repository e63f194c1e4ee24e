"""From what a call says about its FHIR server to the access we use, or the reason why we use none (R-093 to R-097)."""

from __future__ import annotations

from collections.abc import Callable

from cds_service.domain.facts import Hindrance
from cds_service.fhir import FhirAccess, is_bearer_token, plain_reference, read_scopes
from cds_service.hooks.request import FhirAuthorization, HookCall


def fhir_access(
    call: HookCall, may_fetch_from: Callable[[str], bool], subject: str = ""
) -> FhirAccess | Hindrance | None:
    """The access a call brings; a Hindrance where it may not be used, None where the call brings none.

    `subject` is our own client id at the client's authorization server, "" where the site has not told us (ruling 11).
    """
    granted = call.fhir_authorization
    if granted is None:
        return None
    if not may_fetch_from(call.fhir_server):
        return Hindrance.SERVER_NOT_LISTED
    if not _is_granted_to_us(granted, subject) or not _is_for(call.patient_id, granted):
        return Hindrance.ACCESS_NOT_OURS
    if granted.expires_in <= 0:
        return Hindrance.ACCESS_EXPIRED
    return FhirAccess(call.fhir_server, granted.access_token, read_scopes(granted.scope))


def _is_granted_to_us(granted: FhirAuthorization, subject: str) -> bool:
    return is_bearer_token(granted.access_token) and (not subject or granted.subject == subject)


def _is_for(patient_id: str, granted: FhirAuthorization) -> bool:
    """Whether a token that names a patient names this one, whatever its scopes; ids of dots alone name nobody."""
    if not patient_id.strip("."):
        return False
    own = plain_reference(granted.patient).removeprefix("Patient/") or granted.patient
    return own in ("", patient_id)
