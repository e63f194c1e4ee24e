"""Who is let in, how often, and how many at a time: what stands before every CDS Hooks route."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NoReturn

import structlog

from cds_service.errors import NotAuthenticated, Overloaded
from cds_service.hooks.authenticate import Authentication, Caller, audiences_of
from cds_service.hooks.bearer_token import Refusal, Refused
from cds_service.hooks.call_rates import CallRates
from cds_service.hooks.clients import Client, client_of
from cds_service.operations.log_fields import FIELDS
from cds_service.store.spent_tokens import SpentTokens

_SECONDS_UNTIL_A_PLACE_IS_FREE: Final = 2
# The share of a server's threads that answer calls; the rest refuses what is too much, and tells how the service is.
_SHARE_FOR_CALLS: Final = 0.75

log = structlog.get_logger("authentication")


class Places:
    """Room for so many calls at once; who finds none is refused instead of kept waiting (R-201)."""

    def __init__(self, server_threads: int) -> None:
        self._free = threading.BoundedSemaphore(max(1, int(server_threads * _SHARE_FOR_CALLS)))

    def take(self) -> None:
        """Take a place, which has to be left again. Raises Overloaded at once where none is free."""
        if not self._free.acquire(blocking=False):
            raise Overloaded("too many calls at once; send it again later", _SECONDS_UNTIL_A_PLACE_IS_FREE)

    def leave(self) -> None:
        """Make the place free for another call."""
        self._free.release()


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets calls in. Without `authentication`, in demo mode, everybody may call, and the call says who it is."""

    clients: tuple[Client, ...]
    authentication: Authentication | None
    spent_tokens: SpentTokens
    rates: CallRates
    places: Places
    base_url: str
    is_discovery_open: bool = True

    def prepare(self) -> None:
        """Begin to fetch the clients' keys, so that the first call does not wait for them (R-203)."""
        if self.authentication is not None:
            for source in self.authentication.keys.values():
                source.prepare()

    def caller(self, authorization: str, path: str, peer: str) -> Caller | None:
        """Who is calling this path from the address `peer`; None in demo mode.

        Raises NotAuthenticated and TooManyCalls.
        """
        if self.authentication is None:
            return None
        try:
            caller = self.authentication.caller(authorization, audiences_of(self.base_url, path))
        except Refused as fault:
            self.rates.count_refused(peer)
            _refuse(fault)
        self.rates.count_call(caller.name)
        return caller

    def spend(self, caller: Caller, path: str, body: bytes) -> None:
        """Use the caller's token for this call. Raises NotAuthenticated where it was used for another (ruling 1)."""
        call = sha256(path.rstrip("/").encode() + b"\n" + body).hexdigest()
        if not self.spent_tokens.spend(caller.token, call, caller.seconds):
            _refuse(Refused(Refusal.REPLAYED), caller)

    def client(self, caller: Caller | None, fhir_server: str) -> Client:
        """The client a call comes from; `fhir_server` is the one it names, "" for none. Raises NotAuthenticated."""
        if caller is None:
            return client_of(self.clients, fhir_server)
        try:
            return caller.client_at(fhir_server)
        except Refused as fault:
            _refuse(fault, caller)


def _refuse(fault: Refused, caller: Caller | None = None) -> NoReturn:
    """Refuse without a reason; the log has it, under the id that every answer names (R-183, R-184)."""
    # Where what a token says could be an id or a name, the reason has to do.
    said = {"told": fault.told} if FIELDS["told"](fault.told) else {}
    said |= {"client": caller.name} if caller is not None and len(caller.clients) == 1 else {}
    log.info("not_authenticated", reason=fault.refusal.value, **said)
    raise NotAuthenticated(fault.refusal.value) from None
