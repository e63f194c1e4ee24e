"""Bytes → HookCall where the service is named by the hook alone, as a request file has no address."""

from __future__ import annotations

from cds_service.errors import BadRequest
from cds_service.hooks.json_body import read_json_object
from cds_service.hooks.request import HookCall, read_hook_call
from cds_service.hooks.services import SERVICES


def read_call_of_any_service(body: bytes) -> HookCall:
    """The call in a request file, for the first service of its hook. Raises BadRequest."""
    document = read_json_object(body)
    hook = document.get("hook")
    service = next((service for service in SERVICES if service.hook == hook), None)
    if service is None:
        offered = ", ".join(service.hook for service in SERVICES)
        raise BadRequest(f"hook is missing or not offered; use one of {offered}", "hook")
    return read_hook_call(document, service)
