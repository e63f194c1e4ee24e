"""An answer as it is remembered, and what was remembered as an answer needs it: no value and no id of the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

import structlog

from cds_service import __version__
from cds_service.hooks.request import HookCall
from cds_service.presentation import (
    NOTHING_ACKNOWLEDGED,
    Acknowledged,
    Card,
    Catalogue,
    Finding,
    evidence_digest,
    slot_digest,
)
from cds_service.store import QuietFinding, ShownCard, ShownFinding, ShownReview, Store

Json = dict[str, Any]
log = structlog.get_logger("hooks")


@dataclass(frozen=True, slots=True)
class Memory:
    """What the evaluation asks of the store and tells it. Without a store it knows nothing and forgets all.

    Neither asking nor telling ever fails a call.
    """

    store: Store | None = None
    quiet_for: timedelta = timedelta(0)
    label_revision: str = ""

    @classmethod
    def of(cls, store: Store | None, catalogue: Catalogue) -> Memory:
        """The memory in this store, under the site's policy."""
        days = catalogue.known.policy.whole("acknowledgement.quiet_days")
        return cls(store, timedelta(days=days), catalogue.identity.revision)

    def acknowledged(self, call: HookCall, client: str, now: datetime) -> Acknowledged:
        """What was answered about this patient with a reason, and need not be shown again while it is unchanged."""
        if self.store is None:
            return NOTHING_ACKNOWLEDGED
        return self.store.acknowledged(self.store.patient(client, call.patient_id), now, self.quiet_for)

    def remember(
        self,
        call: HookCall,
        client: str,
        now: datetime,
        written: Sequence[Json],
        cards: Sequence[Card] = (),
        kept_quiet: Sequence[Finding] = (),
    ) -> None:
        """Have it kept what is being shown. `written` are the cards as JSON, `cards` what they were made of, if any."""
        if self.store is None or not (written or kept_quiet):
            return
        try:
            patient = self.store.patient(client, call.patient_id)
            shown = ShownReview(
                shown_at=now,
                service_id=call.service.service_id,
                hook_instance=call.hook_instance,
                client=client,
                patient_hash=patient.patient_hash,
                label_revision=self.label_revision,
                rule_set=__version__,
                cards=tuple(_card(json, card, patient.evidence_key) for json, card in zip_longest(written, cards)),
                kept_quiet=tuple(QuietFinding(item.topic, item.rule_id, item.urgency) for item in kept_quiet),
            )
            self.store.remember(shown)
        except Exception as error:  # whatever it is: the answer is decided, and is not lost for it
            self.store.counters.add("failed")
            log.error("review_not_remembered", fault=type(error).__name__)


NO_MEMORY = Memory()


def _card(json: Json, card: Card | None, key: bytes) -> ShownCard:
    findings = card.findings if card is not None else ()
    return ShownCard(
        card_uuid=json["uuid"],
        topic=json["source"]["topic"]["code"],
        indicator=json["indicator"],
        findings=tuple(
            ShownFinding(item.rule_id, item.urgency, evidence_digest(item, key), slot_digest(item, key))
            for item in findings
        ),
    )
