"""How often somebody may call in a minute: each client, and each address from which calls are refused (R-201)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

import structlog

from cds_service.errors import TooManyCalls
from cds_service.store.call_counts import CallCounts

_CLIENT, _REFUSED, _PAGE = "client", "refused", "page"
# All addresses of such a network of IPv6 belong to one household or machine.
_BITS_OF_ONE_OWNER: Final = 64

log = structlog.get_logger("authentication")


@dataclass(frozen=True, slots=True)
class CallRates:
    """The number of calls allowed in a minute; 0: any number."""

    counts: CallCounts
    per_minute: int

    def count_call(self, client: str) -> None:
        """A client has proved to be calling. Raises TooManyCalls beyond the number allowed."""
        if not self.per_minute:
            return
        if wait := self.counts.add(_CLIENT, client, self.per_minute):
            log.warning("too_many_calls", client=client)
            raise TooManyCalls("more calls in a minute than agreed; send it again later", wait, client)

    def count_refused(self, peer: str) -> None:
        """A call from this address was not authenticated. Raises TooManyCalls beyond the number allowed.

        Only what is refused anyway is told to wait: the address may be a proxy before everybody, and a client with a
        good token gets in however many strangers there are. Its proxy has to limit those.
        """
        if not self.per_minute:
            return
        if wait := self.counts.add(_REFUSED, _owner_of(peer), self.per_minute):
            raise TooManyCalls("too many calls that are not authenticated; send it again later", wait)

    def count_page(self, peer: str) -> None:
        """A page of ours that was opened at this address calls. Raises TooManyCalls beyond the number allowed.

        Behind a proxy all pages call from one address, and the number is that of the whole site.
        """
        if not self.per_minute:
            return
        if wait := self.counts.add(_PAGE, _owner_of(peer), self.per_minute):
            raise TooManyCalls("more calls in a minute than allowed; send it again later", wait)


def _owner_of(peer: str) -> str:
    """The address, or of IPv6 the network its owner can take any address from."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _BITS_OF_ONE_OWNER), strict=False))
    return peer
