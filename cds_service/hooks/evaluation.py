"""A hook call → a response: gate, facts, review, cards. The whole road of one request, without HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cds_service.fhir import DraftOrders, Recognition, SiteClock, read_chart, read_draft_orders, read_facts
from cds_service.hooks.request import HookCall
from cds_service.hooks.response import Json, ResponseWriter
from cds_service.presentation import Catalogue
from cds_service.review import Review, review_treatment


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Everything that is prepared once and shared by all calls. `now` gives the moment of a call."""

    catalogue: Catalogue
    recognition: Recognition
    writer: ResponseWriter
    zone: ZoneInfo
    now: Callable[[], datetime]

    @classmethod
    def of(cls, catalogue: Catalogue, zone: ZoneInfo, now: Callable[[], datetime], base_url: str) -> Evaluator:
        """Prepared from the card files."""
        recognition = Recognition.of(catalogue.codes, catalogue.names)
        return cls(catalogue, recognition, ResponseWriter(catalogue, recognition, base_url), zone, now)

    def answer(self, call: HookCall) -> Json:
        """The response to a call; no cards where the call does not concern this service (C9).

        Raises PatientUnavailable where the call is ours and the patient's record cannot be had.
        """
        drafts = read_draft_orders(call.draft_orders, call.selections, call.prefetch, call.patient_id, self.recognition)
        if not drafts.concern_us:
            return {"cards": []}
        return self.writer.response(self._review(call, drafts), call, drafts.by_id())

    def _review(self, call: HookCall, drafts: DraftOrders) -> Review:
        known = self.catalogue.known
        allowance = timedelta(minutes=known.policy.whole("observation.future_allowance_minutes"))
        clock = SiteClock(self.now(), self.zone, allowance)
        chart = read_chart(call.prefetch, call.patient_id)
        facts = read_facts(chart, drafts, call.patient_id, clock, known.units, self.recognition)
        return review_treatment(facts, self.catalogue, call.service.hook)
