"""CDS Hooks over HTTP: requests in, responses out. The only place that knows the protocol's words."""

from cds_service.hooks.evaluation import Evaluator
from cds_service.hooks.request import HookCall, read_hook_call
from cds_service.hooks.services import SERVICES, CdsService, service_by_id

__all__ = ["SERVICES", "CdsService", "Evaluator", "HookCall", "read_hook_call", "service_by_id"]
