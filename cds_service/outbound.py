"""HTTP to the outside: without cookies, proxies and redirects, to checked addresses, and to be cut off at any time.

Whoever asks names a configured address; nothing here takes one from a request. What is guarded against is a name that
leads elsewhere than the site meant: each name is looked up once for each connection, every address it leads to is
checked, and the connection goes to a checked address. Certificate and Host header stay those of the name.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SHUT_RDWR, SOCK_STREAM, getaddrinfo, socket
from typing import Any, Final

import requests
import structlog
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network
# Whatever the libraries raise; their texts hold addresses and headers, so none of them goes further.
LIBRARY_FAULTS: Final = (requests.RequestException, HTTPError, OSError, ValueError)
LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# This machine, its own link with the metadata services of clouds, and nobody in particular: never a hospital's server.
_NEVER: Final = tuple(
    ip_network(written)
    for written in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.192/32", "100.100.100.200/32", "168.63.129.16/32",
        "224.0.0.0/4", "240.0.0.0/4", "fd00:ec2::/32", "fd20:ce::254/128", "fe80::/10", "ff00::/8",
        # This machine, and addresses of IPv4 written or relayed as ones of IPv6.
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16",
    )
)  # fmt: skip
# All that is given to the public internet of IPv6. Beside it lie former private networks, and other ways to write an
# address of IPv4, some of which a router or the system itself turns into that.
_PUBLIC_IPV6: Final = ip_network("2000::/3")
# Networks of IPv6 whose addresses hold one of IPv4, in their last 32 bits.
_TRANSLATED: Final = (ip_network("::ffff:0:0/96"), ip_network("64:ff9b::/96"))
# As many servers as one service is likely to know, and the calls of many clinicians at once to each.
_SERVERS, _CONNECTIONS = 16, 64

log = structlog.get_logger("outbound")


class AddressRefused(ValueError):
    """A name leads to an address that the site has not allowed for it."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """The hosts that may be asked: for each, the networks it may lead to beside the public internet."""

    networks: Mapping[str, tuple[IpNetwork, ...]]

    def addresses_of(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses a host leads to now, each of them checked. Raises AddressRefused and OSError.

        One address that is not allowed refuses them all: a name that leads inside now and then is not to be trusted.
        """
        allowed = self.networks.get(plain_host(host))
        if allowed is None:
            raise _refused(host, "host-not-listed")
        found = getaddrinfo(plain_host(host), port, type=SOCK_STREAM)
        addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not _is_allowed(ip_address(address), allowed):
                raise _refused(host, "private-address", address)
        return addresses


def plain_host(host: str) -> str:
    """A host as it is compared: in lower case, an address of IPv6 without its brackets."""
    return host.lower().removeprefix("[").removesuffix("]")


def literal_address(host: str) -> IpAddress | None:
    """The address that a host is written as; None for a name."""
    try:
        return ip_address(plain_host(host))
    except ValueError:
        return None


def is_never_allowed(network: IpNetwork) -> bool:
    """Whether a network touches one that no site may list: this machine, its link, metadata services, multicast."""
    return any(network.overlaps(never) for never in _NEVER if never.version == network.version)


def _is_allowed(address: IpAddress, networks: Iterable[IpNetwork]) -> bool:
    return any(address in network for network in networks) or _is_public(address)


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, IPv6Address):
        if any(address in network for network in _TRANSLATED):
            return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _PUBLIC_IPV6:
            return False
    return address.is_global and not is_never_allowed(ip_network(address))


def _refused(host: str, reason: str, address: str = "") -> AddressRefused:
    # What a site means to allow goes into private_networks of its clients file (docs/connecting.md).
    log.warning("address_refused", host=host, reason=reason, **({"address": address} if address else {}))
    return AddressRefused("a host leads to an address that is not allowed")


class Exchange:
    """One query under way, which another thread may cut off when its time is up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket | None = None
        self._is_cut = False

    def uses(self, connection: socket | None) -> None:
        """Remember the connection the answer will come from, or None once it has come."""
        with self._lock:
            self._socket = connection
            if self._is_cut:
                _shut(connection)

    def cut(self) -> None:
        """End the query: whoever waits for its answer finds the connection closed."""
        with self._lock:
            self._is_cut = True
            _shut(self._socket)

    @property
    def is_cut(self) -> bool:
        """Whether somebody gave this query up."""
        return self._is_cut


def _shut(connection: socket | None) -> None:
    if connection is not None:
        try:
            connection.shutdown(SHUT_RDWR)
        except OSError:
            return


_under_way = threading.local()


@contextmanager
def cuttable(exchange: Exchange) -> Iterator[None]:
    """While it lasts, what this thread waits for can be cut off by way of the exchange."""
    _under_way.exchange = exchange
    try:
        yield
    finally:
        _under_way.exchange = None
        exchange.uses(None)


def _tell_exchange(connection: Any) -> None:
    exchange: Exchange | None = getattr(_under_way, "exchange", None)
    if exchange is not None:
        exchange.uses(connection)


class _Connection(HTTPConnection):
    """A connection to a checked address, that tells the exchange of its thread which socket it waits on."""

    def __init__(self, *args: Any, destinations: Destinations | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._destinations = destinations

    def _new_conn(self) -> socket:
        if self._destinations is None:
            return super()._new_conn()
        named = self._dns_host
        *others, last = self._destinations.addresses_of(named, self.port)
        try:
            for address in others:
                try:
                    return self._connected(address)
                except HTTPError:
                    continue
            return self._connected(last)
        finally:
            self._dns_host = named

    def _connected(self, address: str) -> socket:
        """A connection to this address. The name is put back by the caller: certificate and Host are checked by it."""
        self._dns_host = address
        return super()._new_conn()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the library's own class
        """The answer's head; from here on somebody else may close the connection."""
        _tell_exchange(self.sock)
        return super().getresponse()


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    """Its connections may be cut off while a query uses them, and not once they are back for the next one."""

    ConnectionCls = _Connection

    def _put_conn(self, conn: Any) -> None:
        _tell_exchange(None)
        super()._put_conn(conn)


class _SecurePool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _SecureConnection

    def _put_conn(self, conn: Any) -> None:
        _tell_exchange(None)
        super()._put_conn(conn)


class _Adapter(HTTPAdapter):
    """An adapter with our connections."""

    def __init__(self, destinations: Destinations | None) -> None:
        self._destinations = destinations
        super().__init__(pool_connections=_SERVERS, pool_maxsize=_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools that hand the destinations to each of their connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_Pool, destinations=self._destinations),
            "https": partial(_SecurePool, destinations=self._destinations),
        }


def outbound_session(
    destinations: Destinations | None = None, trusted_certificates: str | None = None
) -> requests.Session:
    """A session for questions to other servers. Redirects are refused by each question itself.

    Without `destinations` it goes wherever it is sent, for demo mode only. `trusted_certificates` is a file of
    certificate authorities, None: the usual.
    """
    # Its warnings name the address of a query, and that may hold the id of a patient.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    session = requests.Session()
    session.trust_env = False
    session.verify = trusted_certificates or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(destinations))
    return session
