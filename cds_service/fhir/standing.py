"""Resource statuses → what an entry may do (clinical-rules C1). None means: removed from all reasoning."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.domain.evidence import Standing
from cds_service.fhir.json_shapes import JsonObject, code_text, codings

_OBSERVATION: Mapping[str, Standing] = {
    "final": Standing.ACCEPTED,
    "amended": Standing.ACCEPTED,
    "corrected": Standing.ACCEPTED,
    "preliminary": Standing.PROVISIONAL,
}
_REMOVED = "entered-in-error"
_NOT_RESULTED = frozenset({"registered", "cancelled", "unknown"})
_REPORT: Mapping[str, Standing] = {
    **_OBSERVATION,
    "appended": Standing.ACCEPTED,
    "partial": Standing.PROVISIONAL,
}
_PROCEDURE: Mapping[str, Standing] = {
    "completed": Standing.ACCEPTED,
    "in-progress": Standing.ACCEPTED,
    "unknown": Standing.PROVISIONAL,
    "stopped": Standing.PROVISIONAL,
}
_CURRENT = frozenset({"active", "recurrence", "relapse"})
_PAST = frozenset({"inactive", "remission", "resolved"})
_WRONG = frozenset({"refuted", "entered-in-error"})


def is_removed(resource: JsonObject) -> bool:
    """Whether the entry was never true."""
    return code_text(resource.get("status")) == _REMOVED


def observation_standing(resource: JsonObject) -> Standing | None:
    """What an Observation may do by its status; one whose status is missing or misspelt may alarm."""
    status = code_text(resource.get("status"))
    if status == _REMOVED:
        return None
    return Standing.NO_INFORMATION if status in _NOT_RESULTED else _OBSERVATION.get(status, Standing.PROVISIONAL)


def report_standing(resource: JsonObject) -> Standing | None:
    """What a DiagnosticReport may do by its status."""
    if is_removed(resource):
        return None
    return _REPORT.get(code_text(resource.get("status")), Standing.NO_INFORMATION)


def procedure_standing(resource: JsonObject) -> Standing | None:
    """What a Procedure may do by its status."""
    if is_removed(resource):
        return None
    return _PROCEDURE.get(code_text(resource.get("status")), Standing.NO_INFORMATION)


def condition_standing(resource: JsonObject, *, has_ended: bool) -> Standing | None:
    """What a Condition may do: accepted only if it is current and confirmed; the past informs only.

    `has_ended`: it states an end that has come, which counts unless its status says that it is current.
    """
    verification = _codes(resource, "verificationStatus")
    if verification & _WRONG:
        return None
    clinical = _codes(resource, "clinicalStatus")
    if clinical & _PAST or (has_ended and not clinical & _CURRENT):
        return Standing.NO_INFORMATION
    is_accepted = clinical & _CURRENT and "confirmed" in verification
    return Standing.ACCEPTED if is_accepted else Standing.PROVISIONAL


def _codes(resource: JsonObject, element: str) -> set[str]:
    return {code_text(coding.get("code")) for coding in codings(resource.get(element))}
