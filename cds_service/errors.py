"""The faults this service names, drawn as a tree.

CdsError
├── ContentProblem        a file under cards/ is not acceptable; the start is refused
├── SettingsProblem       an environment variable or configuration file is not acceptable; the start is refused
├── BadRequest            the caller's request cannot be read (HTTP 400, exit 2)
│   └── BodyTooDeep       it nests deeper than allowed
├── NotAuthenticated      nobody whom this service knows has proved to be calling (HTTP 401)
├── NotAllowed            the caller may not have this, whoever it is (HTTP 403)
├── TooManyCalls          more calls in a minute than agreed (HTTP 429)
├── Overloaded            as many calls are being answered as can be answered in time (HTTP 503)
├── BodyTooLarge          the caller's request exceeds the size limit (HTTP 413)
├── UnsupportedMediaType  the caller did not send JSON (HTTP 415)
├── UnknownService        no CDS Service has this id (HTTP 404)
├── PatientUnavailable    the patient's record cannot be had (HTTP 412)
├── StoreUnavailable      the database cannot be used now (HTTP 503, exit 1)
└── NoUsableAnswer        a service that we call gives no answer that could be compared (exit 1)

Every message is one line that says what, where and the remedy, and holds no patient data.
"""

from __future__ import annotations


class CdsError(Exception):
    """Any fault that this service names itself."""


class ContentProblem(CdsError):
    """A card, a number or a table under `cards/` is not acceptable."""


class SettingsProblem(CdsError):
    """An environment variable or a configuration file is not acceptable."""


class BadRequest(CdsError):
    """The request cannot be read; `path` says where in it."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class BodyTooDeep(BadRequest):
    """The request nests deeper than allowed."""


class NotAuthenticated(CdsError):
    """Nobody whom this service knows has proved to be calling.

    The message is the same whatever the reason; `reason`, one word, is for the log and the metrics alone.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("the call is not authenticated; send the token that was agreed")
        self.reason = reason


class NotAllowed(CdsError):
    """The call comes from a page of somebody else, or for a person who may not see what it asks for."""


class _ComeBackLater(CdsError):
    """The call may be sent again after `retry_after` whole seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyCalls(_ComeBackLater):
    """A caller sends more calls in a minute than agreed: `client`, or `unknown` for one that is not authenticated."""

    def __init__(self, message: str, retry_after: int, client: str = "unknown") -> None:
        super().__init__(message, retry_after)
        self.client = client


class Overloaded(_ComeBackLater):
    """As many calls are being answered as can be answered in time."""


class BodyTooLarge(CdsError):
    """The request is larger than allowed."""


class UnsupportedMediaType(CdsError):
    """The request does not say that it is JSON."""


class UnknownService(CdsError):
    """No CDS Service has this id."""


class PatientUnavailable(CdsError):
    """The patient's record is absent, failed, empty or about somebody else."""


class StoreUnavailable(CdsError):
    """The database does not answer, is full, is locked, or refuses; nothing was kept. `fault` is its driver's word."""

    def __init__(self, message: str, fault: str = "StoreUnavailable") -> None:
        super().__init__(message)
        self.fault = fault


class NoUsableAnswer(CdsError):
    """A service that is replayed against does not answer, or not as a CDS Service."""
