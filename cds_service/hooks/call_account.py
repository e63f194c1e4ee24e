"""What is told about a hook call once it is answered. Nothing in it tells who the patient is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.domain.answers import Answer, Verdict
from cds_service.domain.facts import Source
from cds_service.fhir import FetchedList, Record, lists_sent


@dataclass(slots=True)
class CallAccount:
    """What is known of one call, as far as it got before it was refused.

    `sent` are the lists that came with it; `fetched` those we asked the EHR for, each with what came of it; `unknown`
    what rules could not answer for lack of; `cards` are topic and indicator of each.
    """

    service: str
    client: str = "unknown"
    sent: tuple[str, ...] = ()
    fetched: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    cards: tuple[tuple[str, str], ...] = ()

    def received(self, prefetch: Mapping[str, object] | None) -> None:
        """These parts of the patient's record came with the call."""
        self.sent = tuple(source.value for source in lists_sent(prefetch or {}))

    def asked(self, record: Record) -> None:
        """These parts of it were asked for."""
        self.fetched = {source.value: _outcome(fetched) for source, fetched in record.fetched.items()}

    def answered(self, answers: Iterable[Answer]) -> None:
        """The rules said this; what the unknown answers lacked is kept."""
        lacking = [cause for answer in answers if answer.verdict is Verdict.UNKNOWN for cause in answer.missing]
        self.unknown = tuple(cause.value if isinstance(cause, Source) else cause for cause in lacking)

    def shown(self, cards: Iterable[Mapping[str, Any]]) -> None:
        """These cards, as they are written, are the answer."""
        self.cards = tuple((card["source"]["topic"]["code"], card["indicator"]) for card in cards)


def _outcome(fetched: FetchedList) -> str:
    return fetched.hindrance.value if fetched.hindrance is not None else "fetched"
