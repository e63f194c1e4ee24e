"""The EHRs that call this service, and what was agreed with each: where their FHIR server is, and their quirks.

A quirk is a setting of one client (interfaces section 5); nothing about a client is ever guessed from its calls.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from cds_service.outbound import LOOPBACK, Destinations, IpNetwork, literal_address, plain_host

SMART_CLIENT_ID = "onasemnogene-cds"
DEFAULT_ALGORITHMS = ("RS384", "ES384")
PORT = r"(?::(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
# No character that two readers of an address could take differently: no user, backslash, space, query or fragment.
PATH = r"(?:/[A-Za-z0-9._~!$&'()*+,;=:%/-]*)?"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LOOPBACK = re.compile(rf"https?://(?:127(?:\.{_OCTET}){{3}}|localhost|\[::1\]){PORT}{PATH}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OrderCode:
    """A coding that a client needs on one of the orders we offer to create: a full system address, code and name."""

    order: str
    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a client differs from what the specification lets us expect; the defaults are the specification's.

    Without `app_context` a link to the app names no topic; `link_hosts` are the only hosts that links may lead to, all
    where it is empty.
    """

    one_action_per_suggestion: bool = False
    app_context: bool = True
    plain_text_detail: bool = False
    always_system_actions: bool = False
    null_prefetch_is_unknown: bool = False
    link_hosts: tuple[str, ...] = ()
    order_codes: tuple[OrderCode, ...] = ()

    def differing(self) -> dict[str, object]:
        """The quirks that are not as the specification has it, by name."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, usual) in values.items() if value != usual}

    def codings_of(self, order: str) -> list[tuple[str, str, str]]:
        """The (system, code, name) this client needs on an order, in the order of its file."""
        return [(item.system, item.code, item.display) for item in self.order_codes if item.order == order]


NO_QUIRKS = Quirks()


@dataclass(frozen=True, slots=True)
class Client:
    """One trusted EHR, as its table in the clients file says (interfaces section 6).

    `private_networks` are the networks inside the hospital that the host names of its addresses may lead to.
    `smart_client_id` is what the timeline is registered as. `authorization_servers` are the origins where users sign
    in, where these are others than those of the FHIR servers.
    `any_loopback` is no setting: in demo mode a client may fetch from every FHIR server on this machine as well.
    """

    name: str
    issuer: str
    jwks_file: Path | None = None
    jwks_url: str = ""
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    audiences: tuple[str, ...] = ()
    subject: str = ""
    tenants: tuple[str, ...] = ()
    fhir_base_urls: tuple[str, ...] = ()
    private_networks: tuple[IpNetwork, ...] = ()
    origins: tuple[str, ...] = ()
    max_token_seconds: int = 3600
    allow_insecure_loopback: bool = False
    quirks: Quirks = NO_QUIRKS
    any_loopback: bool = False
    smart_client_id: str = SMART_CLIENT_ID
    authorization_servers: tuple[str, ...] = ()

    def may_fetch_from(self, fhir_server: str) -> bool:
        """Whether this is one of the client's own FHIR servers.

        The whole address must agree; only one final slash, and the case of scheme and host, make no difference.
        """
        return self.has_base(fhir_server) or (self.any_loopback and is_loopback(fhir_server))

    @property
    def has_charts(self) -> bool:
        """Whether there is a FHIR server from which a chart of this client may be read."""
        return bool(self.fhir_base_urls) or self.any_loopback

    def has_base(self, fhir_server: str) -> bool:
        """Whether the address is one of `fhir_base_urls`."""
        # Letters outside ASCII may turn into ASCII ones when their case is changed.
        is_plain = fhir_server.isascii()
        return is_plain and _comparable(fhir_server) in map(_comparable, self.fhir_base_urls)


DEMO_CLIENT = Client(name="demo", issuer="", any_loopback=True)


def client_of(clients: tuple[Client, ...], fhir_server: str) -> Client:
    """Who is calling in demo mode, where nobody has to prove it: told by the FHIR server that the call names.

    The first client with that FHIR base; else the only client there is; else `DEMO_CLIENT`. "" for a call that names
    no FHIR server.
    """
    named = next((client for client in clients if client.has_base(fhir_server)), None)
    if named is None and len(clients) == 1:
        named = clients[0]
    return DEMO_CLIENT if named is None else replace(named, any_loopback=True)


def smart_client_id_at(clients: tuple[Client, ...], fhir_server: str) -> str | None:
    """The timeline's client id at a FHIR server: of the first client that may fetch there, or None without one."""
    named = (client for client in clients if client.may_fetch_from(fhir_server))
    return next((client.smart_client_id for client in named), None)


def destinations_of(clients: tuple[Client, ...]) -> Destinations:
    """Where this service may connect to: the hosts that the clients file names, and no others.

    A host leads to the public internet, or to what the site has listed for it: `private_networks` of the client, the
    address itself where the host is written as one, and this machine for a test bench.
    """
    networks: dict[str, tuple[IpNetwork, ...]] = {}
    for client in clients:
        for url in filter(None, (client.jwks_url, *client.fhir_base_urls)):
            host = host_of(url)
            networks[host] = (*networks.get(host, ()), *_networks_of(host, client))
    return Destinations(networks)


def host_of(url: str) -> str:
    """The host of a configured address, as hosts are compared."""
    return plain_host(urlsplit(url).hostname or "")


def _networks_of(host: str, client: Client) -> tuple[IpNetwork, ...]:
    literal = literal_address(host)
    itself = (ip_network(literal),) if literal is not None else ()
    return (*client.private_networks, *itself, *(LOOPBACK if client.allow_insecure_loopback else ()))


def is_loopback(url: str) -> bool:
    """Whether an http or https address surely leads to this machine; anything odd in it, a query too, means no."""
    return _LOOPBACK.fullmatch(url) is not None


def _comparable(url: str) -> str:
    """A FHIR base as it is compared: scheme and host in lower case, without one final slash."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{mark}{host.lower()}{slash}{path}".removesuffix("/")
