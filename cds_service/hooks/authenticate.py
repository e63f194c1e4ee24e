"""The client's token → the clients that may be calling, or one refusal (R-163 to R-189, in the order of R-185)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from cds_service.hooks.bearer_token import BearerToken, Refusal, Refused, read_bearer_token
from cds_service.hooks.clients import Client
from cds_service.hooks.key_sources import KeySource, KeysUnavailable

LEEWAY_SECONDS: Final = 60
_ORDER: Final = list(Refusal)
_MOMENTS: Final = (("exp", None), ("iat", None), ("nbf", 0))
# Some three thousand years from now.
_LATEST: Final = 10**11
_FEEDBACK: Final = "/feedback"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: one client, or several of one issuer that only the call itself can tell apart.

    `token` names the token without holding any of it; `seconds` is how long it could be sent again.
    """

    clients: tuple[Client, ...]
    token: str
    seconds: int

    @property
    def name(self) -> str:
        """The client's name, in logs and counts."""
        return "+".join(client.name for client in self.clients)

    def client_at(self, fhir_server: str) -> Client:
        """The client whose call names this FHIR server, "" for none. Raises Refused where that tells nothing."""
        if len(self.clients) == 1:
            return self.clients[0]
        named = [client for client in self.clients if client.has_base(fhir_server)]
        if len(named) != 1:
            raise Refused(Refusal.WHICH_CLIENT)
        return named[0]


@dataclass(frozen=True, slots=True)
class Authentication:
    """Checks tokens. `keys` are the clients' keys by the client's name; `now` is the time of day in seconds."""

    clients: tuple[Client, ...]
    keys: Mapping[str, KeySource]
    now: Callable[[], float]

    def caller(self, authorization: str, own_audiences: Collection[str]) -> Caller:
        """Who is calling, by the Authorization header. Raises Refused.

        `own_audiences` are the addresses of what is called, for clients with which no others were agreed.
        """
        token = read_bearer_token(authorization)
        issuer = token.claims.get("iss")
        named = [client for client in self.clients if client.issuer == issuer]
        if not named:
            raise Refused(Refusal.ISSUER)
        refused: list[Refused] = []
        accepting: list[Client] = []
        for client in named:
            try:
                self._check(token, client, own_audiences)
            except Refused as fault:
                refused.append(fault)
            else:
                accepting.append(client)
        if not accepting:
            raise max(refused, key=lambda fault: _ORDER.index(fault.refusal))
        return Caller(tuple(accepting), _name_of(token), self._seconds_left(token))

    def _check(self, token: BearerToken, client: Client, own_audiences: Collection[str]) -> None:
        """Everything that is agreed with one client. Raises Refused."""
        if token.algorithm not in client.algorithms:
            raise Refused(Refusal.ALGORITHM_OF_CLIENT)
        # Ignored where the keys are a file: nothing is fetched then (ruling 3).
        if client.jwks_url and token.header.get("jku", client.jwks_url) != client.jwks_url:
            raise Refused(Refusal.KEY_SET)
        self._check_signature(token, client)
        _check_audience(token.claims, client.audiences or own_audiences)
        _check_moments(token.claims, client.max_token_seconds, self.now())
        if client.tenants and token.claims.get("tenant") not in client.tenants:
            raise Refused(Refusal.TENANT, _told(token.claims.get("tenant")))
        if not isinstance(token.claims.get("jti"), str) or not token.claims["jti"]:
            raise Refused(Refusal.TOKEN_ID)

    def _check_signature(self, token: BearerToken, client: Client) -> None:
        try:
            named = self.keys[client.name].with_id(token.key_id)
        except KeysUnavailable:
            raise Refused(Refusal.NO_KEYS) from None
        if not named:
            raise Refused(Refusal.UNKNOWN_KEY)
        fitting = [key for key in named if key.fits(token.algorithm)]
        if not fitting:
            raise Refused(Refusal.UNFIT_KEY)
        if not any(key.verifies(token.written, token.algorithm) for key in fitting):
            raise Refused(Refusal.SIGNATURE)

    def _seconds_left(self, token: BearerToken) -> int:
        return max(1, int(token.claims["exp"]) + LEEWAY_SECONDS - int(self.now()) + 1)


def audiences_of(base_url: str, path: str) -> tuple[str, ...]:
    """The addresses a token for this path may name: its own; for feedback the service's as well (R-159, R-176).

    Each with and without a slash at the end. They are built from the configured address, never from the request's.
    """
    own = f"{base_url}{path.rstrip('/')}"
    addresses = [own, own.removesuffix(_FEEDBACK)] if own.endswith(_FEEDBACK) else [own]
    return tuple(written for address in addresses for written in (address, f"{address}/"))


def _check_audience(claims: Mapping[str, Any], accepted: Collection[str]) -> None:
    named = claims.get("aud")
    listed = named if isinstance(named, list) else [named]
    if not any(isinstance(item, str) and item in accepted for item in listed):
        raise Refused(Refusal.AUDIENCE, _told(named))


def _check_moments(claims: Mapping[str, Any], most_seconds: int, now: float) -> None:
    """exp, iat and, where there is one, nbf; each clock may be off by the leeway."""
    expires, issued, begins = (_moment(claims.get(name, usual)) for name, usual in _MOMENTS)
    if expires is None or issued is None:
        raise Refused(Refusal.MOMENTS)
    if expires + LEEWAY_SECONDS <= now:
        raise Refused(Refusal.EXPIRED)
    if begins is None or begins - LEEWAY_SECONDS > now:
        raise Refused(Refusal.NOT_YET)
    if issued - LEEWAY_SECONDS > now:
        raise Refused(Refusal.ISSUED_LATER)
    if not 0 < expires - issued <= most_seconds:
        raise Refused(Refusal.LASTS_TOO_LONG, f"{int(expires - issued)} seconds")


def _moment(value: object) -> Decimal | None:
    """A number of seconds that can be reckoned with; true and false are numbers in Python only."""
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool) or not 0 <= value < _LATEST:
        return None
    return Decimal(value)


def _told(value: object) -> str:
    """What a token says; the log takes of it what can be no id and no name (operations/log_fields.py)."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _name_of(token: BearerToken) -> str:
    """A name for the token by its issuer and id (R-179), that holds neither; an issuer has no control characters."""
    return sha256(f"{token.claims['iss']}\n{token.claims['jti']}".encode()).hexdigest()
