"""The calls that are measured: the same bytes for whoever is asked, but for an id of 36 characters in each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from bench.charts import chart_call, compose_request, scenarios, with_observations
from cds_service.hooks.json_body import write_json
from cds_service.web.fixture_requests import moved_to

PLACE = "00000000-0000-4000-8000-000000000000"
SIGN, SELECT, VIEW = (f"/cds-services/onasemnogene-{hook}" for hook in ("order-sign", "order-select", "patient-view"))
# The child of the charts has had its morning's results by then; later ones would lie in the future.
_MORNING = timedelta(hours=9)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `body` is empty for a GET; `PLACE` in it is an id that is another one in each call.

    `cards` says whether the service has to answer with cards, without cards, or (None) with something else.
    """

    name: str
    path: str
    body: bytes = b""
    cards: bool | None = None
    observations: int = 0

    @property
    def kilobytes(self) -> float:
        """The size of the body."""
        return len(self.body) / 1000

    def requests(self, prefix: str, tokens: Iterator[str] | None) -> Iterator[bytes]:
        """One HTTP request after the other, as long as there are tokens; without tokens without end.

        `prefix` goes before the path, which names the call in its token.
        """
        before, _, after = self.body.partition(PLACE.encode())
        verb = "POST" if self.body else "GET"
        type_ = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n" if self.body else ""
        head = f"{verb} {prefix}{self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{type_}"
        while True:
            own = head
            if tokens is not None:
                token = next(tokens, None)
                if token is None:
                    return
                own += f"Authorization: Bearer {token}\r\n"
            id_ = str(uuid4()).encode() if self.body else b""
            yield b"".join((own.encode(), b"\r\n", before, id_, after))


def all_calls(names: Collection[str] | None = None) -> dict[str, Call]:
    """The calls of these names, else all of them, by name; the larger ones come after the smaller ones.

    Their days are moved to the newest morning, so that ages and results are true.
    """
    day = (datetime.now(UTC) - _MORNING).date()
    return {name: make(name, day) for name, make in _MAKERS.items() if names is None or name in names}


def names_of_calls() -> list[str]:
    """What the calls are called."""
    return list(_MAKERS)


def _irrelevant(name: str, day: date) -> Call:
    """Three orders of a child, none for the product."""
    return Call(name, SELECT, _body(_three_orders(), day), cards=False)


def _irrelevant_with_record(name: str, day: date) -> Call:
    """The same, with what discovery asks for: a client that prefetches does so before it knows what an order is for."""
    prefetch = compose_request(scenarios()["unremarkable"], "order-select")["prefetch"]
    return Call(name, SELECT, _body({**_three_orders(), "prefetch": prefetch}, day), cards=False)


def _three_orders() -> Json:
    return compose_request(scenarios()["irrelevant-order"], "order-select")


def _discovery(name: str, _: date) -> Call:
    return Call(name, "/cds-services")


def _feedback(name: str, _: date) -> Call:
    """One card was overridden for a reason that it offers."""
    reason = {"code": "specialist-decision", "system": "https://cds.example.org/CodeSystem/override-reasons"}
    moment = datetime.now(UTC).replace(microsecond=0).isoformat()
    item = {"card": PLACE, "outcome": "overridden", "outcomeTimestamp": moment, "overrideReason": {"reason": reason}}
    return Call(name, f"{VIEW}/feedback", write_json({"feedback": [item]}))


def _signing(name: str, day: date) -> Call:
    """The order for the product is signed; the child's chart holds so many Observations."""
    size = _size_in(name)
    request = with_observations(compose_request(scenarios()["unremarkable"], "order-sign"), size)
    return Call(name, SIGN, _body(request, day), cards=True, observations=size)


def _opening(name: str, day: date) -> Call:
    """The chart of a treated child is opened; it holds so many Observations."""
    size = _size_in(name)
    return Call(name, VIEW, _body(chart_call(size), day), cards=True, observations=size)


def _size_in(name: str) -> int:
    return int(name.rpartition("-")[2])


def _body(request: Json, day: date) -> bytes:
    return moved_to(day, write_json({**request, "hookInstance": PLACE}).decode()).encode()


_MAKERS: Final[dict[str, Callable[[str, date], Call]]] = {
    "order-select": _irrelevant,
    "order-select-record": _irrelevant_with_record,
    "discovery": _discovery,
    "feedback": _feedback,
    "order-sign-200": _signing,
    "patient-view-200": _opening,
    "patient-view-2000": _opening,
    "patient-view-20000": _opening,
}
