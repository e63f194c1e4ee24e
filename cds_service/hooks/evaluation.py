"""A hook call → a response: gate, facts, review, cards. The whole road of one request, without HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from cds_service.domain.facts import Moment, PatientFacts, Source
from cds_service.domain.relevance import Concern, concern_of
from cds_service.errors import PatientUnavailable
from cds_service.fhir import (
    TRACES,
    Ask,
    ChartFetcher,
    Deadline,
    FhirClient,
    Occasion,
    Recognition,
    Record,
    SiteClock,
    dispatches_product,
    holds_trace_of_product,
    medications_of_drafts,
    names_medicine_order,
    names_product,
    own_queries,
    read_chart,
    read_draft_orders,
    read_facts,
    recorded_medications,
)
from cds_service.hooks.call_account import CallAccount
from cds_service.hooks.clients import DEMO_CLIENT, Client
from cds_service.hooks.fhir_access import fhir_access
from cds_service.hooks.links import LinkWriter
from cds_service.hooks.memory import NO_MEMORY, Memory
from cds_service.hooks.request import HookCall, without_null_prefetch
from cds_service.hooks.response import Json, ResponseWriter, response_body
from cds_service.hooks.suggestions import SuggestionWriter
from cds_service.presentation import Catalogue
from cds_service.review import review_treatment
from cds_service.store import Store

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


# Of the time for a call, what is kept for reading the record and writing the cards once the EHR has answered.
_SHARE_FOR_FETCHING = 0.85


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read on one call that concerns us: the facts, what they are to us, and what the call is about."""

    facts: PatientFacts
    concern: Concern
    occasion: Occasion


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Everything that is prepared once and shared by all calls. `now` gives the moment of a call.

    `budget_seconds` bounds a call as a whole, queries to the EHR's FHIR server included.
    """

    catalogue: Catalogue
    recognition: Recognition
    writer: ResponseWriter
    fetcher: ChartFetcher
    zone: ZoneInfo
    now: Callable[[], datetime]
    budget_seconds: float
    memory: Memory = NO_MEMORY

    @classmethod
    def of(
        cls,
        catalogue: Catalogue,
        zone: ZoneInfo,
        now: Callable[[], datetime],
        base_url: str,
        fhir_client: FhirClient,
        budget_seconds: float,
        store: Store | None = None,
    ) -> Evaluator:
        """Prepared from the card files. Without a store nothing is remembered and nothing is kept quiet."""
        recognition = Recognition.of(catalogue.codes, catalogue.names)
        suggestions = SuggestionWriter(catalogue, recognition)
        writer = ResponseWriter(catalogue, suggestions, LinkWriter(catalogue, base_url), base_url)
        fetcher = ChartFetcher.of(fhir_client, own_queries(catalogue.codes))
        return cls(catalogue, recognition, writer, fetcher, zone, now, budget_seconds, Memory.of(store, catalogue))

    def answer(
        self,
        call: HookCall,
        client: Client = DEMO_CLIENT,
        received_at: float | None = None,
        account: CallAccount | None = None,
    ) -> Json:
        """The response to a call, as agreed with the client; no cards where it does not concern this service (C9).

        `received_at` is the reading of the running clock when the call came. `account` is told what was looked at and
        what was unknown. Raises PatientUnavailable where the call is ours and the patient's record cannot be had.
        """
        account = account or CallAccount(call.service.service_id)
        reading = self.read(call, client, received_at, account)
        if reading is None:
            return response_body([], client.quirks)
        now = self.now()
        if call.user_may_be_family:
            answer = self.writer.scheduling_text(reading.facts, call, client.quirks)
            self.memory.remember(call, client.name, now, answer["cards"])
            return answer
        is_product = reading.concern is Concern.PRODUCT
        acknowledged = self.memory.acknowledged(call, client.name, now, concerns_product=is_product)
        review = review_treatment(reading.facts, self.catalogue, call.service.hook, reading.concern, acknowledged)
        account.answered(review.answers)
        answer = self.writer.response(review, call, reading.occasion.drafts.by_id(), client)
        self.memory.remember(call, client.name, now, answer["cards"], review.cards, review.kept_quiet)
        return answer

    def read(self, call: HookCall, client: Client, received_at: float | None, account: CallAccount) -> Reading | None:
        """What a call tells about the child, and what that is to us; None where it does not concern this service.

        Raises PatientUnavailable as `answer` does.
        """
        if client.quirks.null_prefetch_is_unknown:
            call = without_null_prefetch(call)
        account.received(call.prefetch)
        ask = self._ask(call, client, received_at)
        record, occasion = self._gate(call, ask)
        if occasion is None:
            account.asked(record)
            _log_fetched(record, account, is_ours=False)
            return None
        record = self._complete(call, record, ask)
        account.asked(record)
        _log_fetched(record, account, is_ours=True)
        facts = self._facts(call, record, occasion)
        concern = concern_of(facts, self.catalogue.known)
        if concern is Concern.NONE:
            return None
        if not facts.has_patient:
            raise PatientUnavailable(_why_no_patient(facts))
        _log_unmapped(facts, call)
        return Reading(facts, concern, occasion)

    def _ask(self, call: HookCall, client: Client, received_at: float | None) -> Ask:
        """What may be asked of the EHR on this call, and until when; never longer than the token lives."""
        seconds = self.budget_seconds * _SHARE_FOR_FETCHING
        if call.fhir_authorization is not None:
            seconds = min(seconds, call.fhir_authorization.expires_in)
        access = fhir_access(call, client.may_fetch_from, client.subject)
        return Ask(call.patient_id, Deadline.after(seconds, received_at), access)

    def _gate(self, call: HookCall, ask: Ask) -> tuple[Record, Occasion | None]:
        """The record with what it took to decide, and what the call is about; None where it cannot concern us.

        An order for another drug never causes a query, whatever the EHR left out (ruling 5).
        """
        record = Record.sent(call.prefetch)
        if MOMENTS[call.service.hook] is Moment.ORDERING:
            return self._ordering(call, record, ask)
        if self._may_be_about_product(call, record):
            record = self._with_traces(record, ask)
        return record, self._occasion(call, record)

    def _ordering(self, call: HookCall, record: Record, ask: Ask) -> tuple[Record, Occasion | None]:
        if ask.access is not None:
            wanted = medications_of_drafts(call.draft_orders, record.values, self.recognition)
            record = self.fetcher.with_resources(record, wanted, ask)
        drafts = read_draft_orders(call.draft_orders, call.selections, record.values, call.patient_id, self.recognition)
        is_ours = bool(drafts.in_hand)
        if not is_ours and drafts.names_steroid_or_vaccine:
            is_ours = bool(drafts.background) or self._holds_trace(call, record)
            if not is_ours:
                record = self._with_traces(record, ask)
                is_ours = self._holds_trace(call, record)
        return record, Occasion(Moment.ORDERING, drafts, bool(drafts.in_hand)) if is_ours else None

    def _may_be_about_product(self, call: HookCall, record: Record) -> bool:
        """Whether more of the record may tell that a call without drafts concerns us."""
        if MOMENTS[call.service.hook] is Moment.DISPATCH:
            return names_medicine_order(call.dispatched_orders)
        is_named = any(names_product(item, self.recognition) for item in call.appointments)
        return not is_named and not self._holds_trace(call, record)

    def _holds_trace(self, call: HookCall, record: Record) -> bool:
        return holds_trace_of_product(record.values, call.patient_id, self.recognition)

    def _with_traces(self, record: Record, ask: Ask) -> Record:
        """The record with the lists that can name the product, where access is given."""
        record = self.fetcher.with_lists(record, TRACES, ask)
        if ask.access is None:
            return record
        nameless = recorded_medications(record.values, self.recognition, only_nameless=True)
        return self.fetcher.with_resources(record, nameless, ask)

    def _complete(self, call: HookCall, record: Record, ask: Ask) -> Record:
        """The record with everything that can still be had of it."""
        record = self.fetcher.with_everything(record, call.encounter_id, ask)
        if ask.access is None:
            return record
        return self.fetcher.with_resources(
            record, recorded_medications(record.values, self.recognition, only_nameless=False), ask
        )

    def _occasion(self, call: HookCall, record: Record) -> Occasion | None:
        """What a call without drafts is about, from its raw JSON; None where nothing in it can concern us."""
        is_dispatched = dispatches_product(record.values, call.dispatched_orders, self.recognition)
        is_ours = is_dispatched or self._holds_trace(call, record)
        if not is_ours and not any(names_product(item, self.recognition) for item in call.appointments):
            return None
        return Occasion(
            MOMENTS[call.service.hook],
            names_product=is_dispatched,
            dispatched=call.dispatched_orders,
            tasks=call.fulfillment_tasks,
            appointments=call.appointments,
            encounter_id=call.encounter_id,
        )

    def _facts(self, call: HookCall, record: Record, occasion: Occasion) -> PatientFacts:
        known = self.catalogue.known
        allowance = timedelta(minutes=known.policy.whole("observation.future_allowance_minutes"))
        clock = SiteClock(self.now(), self.zone, allowance)
        chart = read_chart(record.prefetch, call.patient_id, record.fetched, record.beside)
        return read_facts(chart, occasion, call.patient_id, clock, known.units, self.recognition)


def _why_no_patient(facts: PatientFacts) -> str:
    hindrance = facts.sources[Source.PATIENT].hindrance
    why = f" ({hindrance.value})" if hindrance is not None else ""
    return f"Patient is not available{why}; send it as prefetch key patient"


def _log_fetched(record: Record, account: CallAccount, *, is_ours: bool) -> None:
    """Which lists we asked for, or could not, and what kept them away; no address, no token, nothing of the patient.

    A call that was not recognised as ours because a list or a Medication failed looks like one that is not ours: here
    it shows.
    """
    if record.fetched or record.wanted:
        told, unread, wanted = account.fetched, len(record.unread), len(record.wanted)
        service = account.service
        log.info("fetched", service=service, is_ours=is_ours, lists=told, medications=wanted, unread_medications=unread)


def _log_unmapped(facts: PatientFacts, call: HookCall) -> None:
    """How many results came under codes that neither we nor the site have mapped: a job for CDS_CODES_FILE."""
    if facts.unmapped_results:
        log.info("unmapped_results", service=call.service.service_id, results=facts.unmapped_results)
