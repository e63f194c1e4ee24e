"""FHIR R4 JSON in, facts out, and back again for suggestions. Nothing outside knows how FHIR writes things."""

from cds_service.fhir.availability import Chart, read_chart
from cds_service.fhir.code_system import OwnCode, OwnCodeSystem, code_system_resource
from cds_service.fhir.draft_orders import DraftOrders, read_draft_orders, unmatched_selections
from cds_service.fhir.occasion import Occasion, dispatches_product, holds_trace_of_product, names_product
from cds_service.fhir.prefetch import prefetch_templates
from cds_service.fhir.read_facts import SiteClock, read_facts
from cds_service.fhir.recognition import Recognition
from cds_service.fhir.references import plain_reference
from cds_service.fhir.suggested_resources import SuggestedAction, TestOrder, suggested_action

__all__ = [
    "Chart",
    "DraftOrders",
    "Occasion",
    "OwnCode",
    "OwnCodeSystem",
    "Recognition",
    "SiteClock",
    "SuggestedAction",
    "TestOrder",
    "code_system_resource",
    "dispatches_product",
    "holds_trace_of_product",
    "names_product",
    "plain_reference",
    "prefetch_templates",
    "read_chart",
    "read_draft_orders",
    "read_facts",
    "suggested_action",
    "unmatched_selections",
]
