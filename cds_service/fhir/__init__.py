"""FHIR R4 JSON in, facts out, and back again for suggestions. Nothing outside knows how FHIR writes things."""

from cds_service.fhir.access import FhirAccess, is_bearer_token
from cds_service.fhir.availability import Chart, lists_sent, read_chart
from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.code_system import OwnCode, OwnCodeSystem, code_system_resource
from cds_service.fhir.created_order import with_codings_first
from cds_service.fhir.draft_orders import (
    DraftOrders,
    medications_of_drafts,
    read_draft_orders,
    recorded_medications,
    unmatched_selections,
)
from cds_service.fhir.fetching import TRACES, Ask, ChartFetcher
from cds_service.fhir.json_document import NestedTooDeep, NotJson, is_deeper, read_json_document
from cds_service.fhir.occasion import (
    Occasion,
    dispatches_product,
    holds_trace_of_product,
    names_medicine_order,
    names_product,
)
from cds_service.fhir.prefetch import own_queries, prefetch_templates, scopes_for_queries
from cds_service.fhir.read_facts import SiteClock, read_facts
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.record import FetchedList, Record
from cds_service.fhir.references import plain_reference
from cds_service.fhir.scopes import Scopes, ScopeSyntax, read_scopes
from cds_service.fhir.suggested_resources import SuggestedAction, TestOrder, suggested_action

__all__ = [
    "TRACES",
    "Ask",
    "Chart",
    "ChartFetcher",
    "Deadline",
    "DraftOrders",
    "FetchedList",
    "FhirAccess",
    "FhirClient",
    "NestedTooDeep",
    "NotJson",
    "Occasion",
    "OwnCode",
    "OwnCodeSystem",
    "Recognition",
    "Record",
    "ScopeSyntax",
    "Scopes",
    "SiteClock",
    "SuggestedAction",
    "TestOrder",
    "code_system_resource",
    "dispatches_product",
    "holds_trace_of_product",
    "is_bearer_token",
    "is_deeper",
    "lists_sent",
    "medications_of_drafts",
    "names_medicine_order",
    "names_product",
    "own_queries",
    "plain_reference",
    "prefetch_templates",
    "read_chart",
    "read_draft_orders",
    "read_facts",
    "read_json_document",
    "read_scopes",
    "recorded_medications",
    "scopes_for_queries",
    "suggested_action",
    "unmatched_selections",
    "with_codings_first",
]
