"""JSON → HookCall, or a named refusal that says where (R-038 to R-057; section 3 of the conformance list)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.errors import BadRequest
from cds_service.hooks.services import CdsService

_LONGEST_HOOK_INSTANCE = 255
_AUTHORIZATION_TEXTS = ("access_token", "token_type", "scope", "subject")


@dataclass(frozen=True, slots=True)
class HookCall:
    """One hook call, checked as far as its form goes. Nothing in it has been read as FHIR yet.

    `draft_orders` is None where the client stripped the call of its orders. `selections` is None on hooks that
    have none.
    """

    service: CdsService
    hook_instance: str
    patient_id: str
    user_id: str
    draft_orders: Mapping[str, Any] | None
    selections: tuple[str, ...] | None
    prefetch: Mapping[str, Any] | None


def read_hook_call(document: Mapping[str, Any], service: CdsService) -> HookCall:
    """The call in a request body. Raises BadRequest with the path of what is missing or of the wrong type."""
    hook = _required_text(document, "hook", "hook")
    if hook != service.hook:
        raise BadRequest(f"hook is not {service.hook}; call the service of that hook", "hook")
    hook_instance = _required_text(document, "hookInstance", "hookInstance")
    if len(hook_instance) > _LONGEST_HOOK_INSTANCE:
        raise BadRequest("hookInstance is too long; send a UUID", "hookInstance")
    context = _required_object(document, "context", "context")
    _check_fhir_access(document)
    prefetch = _optional_object(document, "prefetch", "prefetch")
    user_id = _required_text(context, "userId", "context.userId")
    patient_id = _patient_id(context)
    draft_orders = _draft_orders(context)
    return HookCall(
        service=service,
        hook_instance=hook_instance,
        patient_id=patient_id,
        user_id=user_id,
        draft_orders=draft_orders,
        selections=_selections(context, service, is_stripped=draft_orders is None),
        prefetch=prefetch,
    )


def _patient_id(context: Mapping[str, Any]) -> str:
    patient_id = _required_text(context, "patientId", "context.patientId")
    if "/" in patient_id or patient_id != patient_id.strip():
        raise BadRequest("context.patientId is not a bare id; send it without Patient/", "context.patientId")
    return patient_id


def _draft_orders(context: Mapping[str, Any]) -> Mapping[str, Any] | None:
    path = "context.draftOrders"
    bundle = _optional_object(context, "draftOrders", path)
    if bundle is None:
        return None
    if (bundle.get("resourceType") or "Bundle") != "Bundle":
        raise BadRequest(f"{path} is not a Bundle; send a Bundle of the drafts", f"{path}.resourceType")
    if not isinstance(bundle.get("entry", []), (list, dict, type(None))):
        raise BadRequest(f"{path}.entry is not an array; send the drafts as entries", f"{path}.entry")
    return bundle


def _selections(context: Mapping[str, Any], service: CdsService, *, is_stripped: bool) -> tuple[str, ...] | None:
    if service.hook != "order-select":
        return None
    path = "context.selections"
    selections = context.get("selections")
    if selections is None:
        if is_stripped:
            return ()
        raise BadRequest(f"{path} is missing; send the selected orders' references", path)
    if not isinstance(selections, list):
        raise BadRequest(f"{path} is not an array; send the selected orders' references", path)
    for number, item in enumerate(selections):
        if not isinstance(item, str):
            raise BadRequest(f"{path}[{number}] is not text; send Type/id", f"{path}[{number}]")
    return tuple(selections)


def _check_fhir_access(document: Mapping[str, Any]) -> None:
    """The form of `fhirServer` and `fhirAuthorization` (R-045 to R-053); this release does not use them."""
    server = document.get("fhirServer")
    if server is not None and not (isinstance(server, str) and server.strip()):
        raise BadRequest("fhirServer is not text; send the FHIR base address", "fhirServer")
    access = _optional_object(document, "fhirAuthorization", "fhirAuthorization")
    if access is None:
        return
    if server is None:
        raise BadRequest("fhirServer is missing beside fhirAuthorization; send both or none", "fhirServer")
    for name in _AUTHORIZATION_TEXTS:
        _required_text(access, name, f"fhirAuthorization.{name}")
    if access["token_type"].lower() != "bearer":
        raise BadRequest("fhirAuthorization.token_type is not Bearer; send Bearer", "fhirAuthorization.token_type")
    if not _is_whole_number(access.get("expires_in")):
        path = "fhirAuthorization.expires_in"
        raise BadRequest(f"{path} is not a whole number; send seconds", path)


def _is_whole_number(value: object) -> bool:
    if isinstance(value, str):
        return value.lstrip("-").isdecimal()
    return isinstance(value, int) and not isinstance(value, bool)


def _required_text(parent: Mapping[str, Any], name: str, path: str) -> str:
    value = parent.get(name)
    if value is None:
        raise BadRequest(f"{path} is missing; send it", path)
    if not isinstance(value, str) or not value.strip():
        raise BadRequest(f"{path} is not text; send a non-empty string", path)
    return value


def _required_object(parent: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    value = _optional_object(parent, name, path)
    if value is None:
        raise BadRequest(f"{path} is missing; send it", path)
    return value


def _optional_object(parent: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any] | None:
    value = parent.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise BadRequest(f"{path} is not an object; send an object or leave it out", path)
