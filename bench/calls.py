"""The calls that are measured: the same bytes for whoever is asked, but for an id of 36 characters in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
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


def all_calls() -> dict[str, Call]:
    """Every call by its name, the larger ones after the smaller ones.

    Their days are moved to the newest morning, so that ages and results are true.
    """
    day = (datetime.now(UTC) - _MORNING).date()
    made = (
        Call("order-select", SELECT, _body(_irrelevant(), day), cards=False),
        Call("order-select-record", SELECT, _body(_irrelevant_with_record(), day), cards=False),
        Call("discovery", "/cds-services"),
        Call("feedback", f"{VIEW}/feedback", _feedback()),
        Call("order-sign-200", SIGN, _body(_signing(200), day), cards=True, observations=200),
        *(
            Call(f"patient-view-{size}", VIEW, _body(chart_call(size), day), cards=True, observations=size)
            for size in (200, 2_000, 20_000)
        ),
    )
    return {call.name: call for call in made}


def _irrelevant() -> Json:
    """Three orders of a child, none for the product."""
    return compose_request(scenarios()["irrelevant-order"], "order-select")


def _irrelevant_with_record() -> Json:
    """The same, with what discovery asks for: a client that prefetches does so before it knows what an order is for."""
    return {**_irrelevant(), "prefetch": compose_request(scenarios()["unremarkable"], "order-select")["prefetch"]}


def _signing(observations: int) -> Json:
    """The order for the product is signed; the child's chart holds so many Observations."""
    return with_observations(compose_request(scenarios()["unremarkable"], "order-sign"), observations)


def _body(request: Json, day: date) -> bytes:
    return moved_to(day, write_json({**request, "hookInstance": PLACE}).decode()).encode()


def _feedback() -> bytes:
    """One card was overridden for a reason that it offers."""
    reason = {"code": "specialist-decision", "system": "https://cds.example.org/CodeSystem/override-reasons"}
    moment = datetime.now(UTC).replace(microsecond=0).isoformat()
    item = {"card": PLACE, "outcome": "overridden", "outcomeTimestamp": moment, "overrideReason": {"reason": reason}}
    return write_json({"feedback": [item]})
