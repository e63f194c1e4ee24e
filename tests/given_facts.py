"""The facts of a child described in the words of cases.yaml, as the service reads them from the call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from builders import hook_of, hook_request, today_of

from cds_service.domain.facts import PatientFacts
from cds_service.domain.quantities import UnitTable
from cds_service.fhir import Occasion, Recognition, SiteClock, read_chart, read_draft_orders, read_facts
from cds_service.hooks.evaluation import MOMENTS
from cds_service.hooks.json_body import read_json_object, write_json
from cds_service.hooks.request import read_hook_call
from cds_service.hooks.services import service_by_id

FIXED_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def facts_given(given: Mapping[str, Any], units: UnitTable, recognition: Recognition) -> PatientFacts:
    """What the service reads on the hook of this child's moment.

    Read even where the service would not answer, because the call does not concern it.
    """
    hook = hook_of(given)
    request = read_json_object(write_json(hook_request(given, hook)))
    call = read_hook_call(request, service_by_id(f"onasemnogene-{hook}"))
    drafts = read_draft_orders(call.draft_orders, call.selections, call.prefetch, call.patient_id, recognition)
    occasion = Occasion(
        MOMENTS[hook],
        drafts,
        bool(drafts.in_hand),
        call.dispatched_orders,
        call.fulfillment_tasks,
        call.appointments,
        call.encounter_id,
    )
    now = datetime.combine(today_of(given), FIXED_NOW.timetz())
    clock = SiteClock(now, ZoneInfo("UTC"), timedelta(minutes=15))
    return read_facts(read_chart(call.prefetch, call.patient_id), occasion, call.patient_id, clock, units, recognition)
