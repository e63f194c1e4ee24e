"""A hook call → a response: gate, facts, review, cards. The whole road of one request, without HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from cds_service.domain.facts import Moment, PatientFacts
from cds_service.domain.relevance import Concern, concern_of
from cds_service.errors import PatientUnavailable
from cds_service.fhir import (
    Occasion,
    Recognition,
    SiteClock,
    dispatches_product,
    holds_trace_of_product,
    names_product,
    read_chart,
    read_draft_orders,
    read_facts,
)
from cds_service.hooks.clients import DEMO_CLIENT, Client
from cds_service.hooks.request import HookCall, without_null_prefetch
from cds_service.hooks.response import Json, ResponseWriter, response_body
from cds_service.hooks.suggestions import SuggestionWriter
from cds_service.presentation import Catalogue
from cds_service.review import review_treatment

MOMENTS = {
    "order-select": Moment.ORDERING,
    "order-sign": Moment.ORDERING,
    "order-dispatch": Moment.DISPATCH,
    "patient-view": Moment.CHART,
    "encounter-start": Moment.VISIT,
    "encounter-discharge": Moment.DISCHARGE,
    "appointment-book": Moment.BOOKING,
}
log = structlog.get_logger("evaluation")


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
        suggestions = SuggestionWriter(catalogue, recognition)
        return cls(catalogue, recognition, ResponseWriter(catalogue, suggestions, base_url), zone, now)

    def answer(self, call: HookCall, client: Client = DEMO_CLIENT) -> Json:
        """The response to a call, as agreed with the client; no cards where it does not concern this service (C9).

        Raises PatientUnavailable where the call is ours and the patient's record cannot be had.
        """
        if client.quirks.null_prefetch_is_unknown:
            call = without_null_prefetch(call)
        occasion = self._occasion(call)
        if occasion is None:
            return response_body([], client.quirks)
        facts = self._facts(call, occasion)
        concern = concern_of(facts, self.catalogue.known)
        if concern is Concern.NONE:
            return response_body([], client.quirks)
        if not facts.has_patient:
            raise PatientUnavailable("Patient is not available; send it as prefetch key patient")
        _log_unmapped(facts, call)
        if call.user_may_be_family:
            return self.writer.scheduling_text(facts, call, client.quirks)
        review = review_treatment(facts, self.catalogue, call.service.hook, concern)
        return self.writer.response(review, call, occasion.drafts.by_id(), client.quirks)

    def _occasion(self, call: HookCall) -> Occasion | None:
        """What the call is about, from its raw JSON; None where nothing in it can concern this service."""
        moment = MOMENTS[call.service.hook]
        if moment is Moment.ORDERING:
            return self._ordering(call)
        is_dispatched = dispatches_product(call.prefetch, call.dispatched_orders, self.recognition)
        is_ours = is_dispatched or holds_trace_of_product(call.prefetch, call.patient_id, self.recognition)
        if not is_ours and not any(names_product(item, self.recognition) for item in call.appointments):
            return None
        return Occasion(
            moment,
            names_product=is_dispatched,
            dispatched=call.dispatched_orders,
            tasks=call.fulfillment_tasks,
            appointments=call.appointments,
            encounter_id=call.encounter_id,
        )

    def _ordering(self, call: HookCall) -> Occasion | None:
        drafts = read_draft_orders(call.draft_orders, call.selections, call.prefetch, call.patient_id, self.recognition)
        is_ours = bool(drafts.in_hand)
        if not is_ours and drafts.names_steroid_or_vaccine:
            is_recorded = holds_trace_of_product(call.prefetch, call.patient_id, self.recognition)
            is_ours = bool(drafts.background) or is_recorded
        return Occasion(Moment.ORDERING, drafts, bool(drafts.in_hand)) if is_ours else None

    def _facts(self, call: HookCall, occasion: Occasion) -> PatientFacts:
        known = self.catalogue.known
        allowance = timedelta(minutes=known.policy.whole("observation.future_allowance_minutes"))
        clock = SiteClock(self.now(), self.zone, allowance)
        chart = read_chart(call.prefetch, call.patient_id)
        return read_facts(chart, occasion, call.patient_id, clock, known.units, self.recognition)


def _log_unmapped(facts: PatientFacts, call: HookCall) -> None:
    """How many results came under codes that neither we nor the site have mapped: a job for CDS_CODES_FILE."""
    if facts.unmapped_results:
        log.info("unmapped_results", service=call.service.service_id, results=facts.unmapped_results)
