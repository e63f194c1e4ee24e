"""Faults → HTTP status and OperationOutcome, one table (R-209 to R-211): JSON always, patient data never."""

from __future__ import annotations

from typing import Any

from cds_service.errors import (
    BadRequest,
    BodyTooLarge,
    CdsError,
    NotAllowed,
    NotAuthenticated,
    Overloaded,
    PatientUnavailable,
    StoreUnavailable,
    TooManyCalls,
    UnknownService,
    UnsupportedMediaType,
)

_STATUS_AND_CODE: tuple[tuple[type[CdsError], int, str], ...] = (
    (BadRequest, 400, "invalid"),
    (NotAuthenticated, 401, "login"),
    (NotAllowed, 403, "forbidden"),
    (UnknownService, 404, "not-found"),
    (PatientUnavailable, 412, "incomplete"),
    (BodyTooLarge, 413, "too-long"),
    (UnsupportedMediaType, 415, "not-supported"),
    (TooManyCalls, 429, "throttled"),
    (Overloaded, 503, "transient"),
    (StoreUnavailable, 503, "transient"),
)
# A guess: a restart or a switch to another server takes about so long.
_SECONDS_UNTIL_THE_DATABASE_IS_BACK = 5
_CODE_OF_STATUS = {
    400: "invalid",
    404: "not-found",
    405: "not-supported",
    413: "too-long",
    415: "not-supported",
}


def outcome_of(error: CdsError) -> tuple[int, dict[str, Any]]:
    """The status and body for one of our own faults."""
    for kind, status, code in _STATUS_AND_CODE:
        if isinstance(error, kind):
            path = error.path if isinstance(error, BadRequest) else ""
            return status, operation_outcome(code, str(error), path)
    return 500, operation_outcome("exception", "the service failed; see its log")


def headers_of(error: CdsError) -> dict[str, str]:
    """What a refusal says in its headers: what to send instead, when to come again."""
    match error:
        case NotAuthenticated():
            return {"WWW-Authenticate": "Bearer"}
        case TooManyCalls() | Overloaded():
            return {"Retry-After": str(error.retry_after)}
        case StoreUnavailable():
            return {"Retry-After": str(_SECONDS_UNTIL_THE_DATABASE_IS_BACK)}
    return {}


def outcome_of_status(status: int, description: str) -> dict[str, Any]:
    """The body for a fault that the web framework found by itself."""
    code = _CODE_OF_STATUS.get(status, "exception" if status >= 500 else "invalid")
    return operation_outcome(code, description)


def operation_outcome(code: str, message: str, path: str = "") -> dict[str, Any]:
    """A FHIR OperationOutcome with one issue."""
    issue: dict[str, Any] = {"severity": "error", "code": code, "details": {"text": message}}
    if path:
        issue["expression"] = [path]
    return {"resourceType": "OperationOutcome", "issue": [issue]}
