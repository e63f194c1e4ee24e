"""The faults this service names, drawn as a tree.

CdsError
├── ContentProblem        a file under cards/ is not acceptable; the start is refused
├── SettingsProblem       an environment variable or configuration file is not acceptable; the start is refused
├── BadRequest            the caller's request cannot be read (HTTP 400, exit 2)
│   └── BodyTooDeep       it nests deeper than allowed
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


class BodyTooLarge(CdsError):
    """The request is larger than allowed."""


class UnsupportedMediaType(CdsError):
    """The request does not say that it is JSON."""


class UnknownService(CdsError):
    """No CDS Service has this id."""


class PatientUnavailable(CdsError):
    """The patient's record is absent, failed, empty or about somebody else."""


class StoreUnavailable(CdsError):
    """The database does not answer, is full, is locked, or refuses; nothing was kept."""


class NoUsableAnswer(CdsError):
    """A service that is replayed against does not answer, or not as a CDS Service."""
