"""JSON → HookCall, or a named refusal that says where (R-038 to R-057; section 3 of the conformance list)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from cds_service.errors import BadRequest
from cds_service.fhir import plain_reference
from cds_service.hooks.services import CdsService

_LONGEST_HOOK_INSTANCE = 255
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,12}")
# Some thirty thousand years: as many as twelve digits hold.
_MOST_SECONDS = 10**12 - 1
JsonObject = dict[str, Any]
_FAMILY = frozenset({"Patient", "RelatedPerson"})
_STAFF = frozenset({"Practitioner", "PractitionerRole"})
ORDER_HOOKS = frozenset({"order-select", "order-sign"})
ENCOUNTER_HOOKS = frozenset({"encounter-start", "encounter-discharge"})
# Names of one field in the published versions of order-dispatch, newest first; one of them was misspelt.
_DISPATCHED = ("dispatchedOrders", "dispatched-orders", "order")
_TASKS = ("fulfillmentTasks", "fulfillment-tasks", "task")
_APPOINTMENTS = ("appointments", "appointment")
_AUTHORIZATION_TEXTS = ("access_token", "token_type", "scope", "subject")


@dataclass(frozen=True, slots=True)
class FhirAuthorization:
    """The access a client grants for the time of one call (R-047 to R-053). `patient` is a bare id, or ""."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str
    subject: str
    patient: str


@dataclass(frozen=True, slots=True)
class HookCall:
    """One hook call, checked as far as its form goes. Nothing in it has been read as FHIR yet.

    `draft_orders` is None where the client stripped the call of its orders, or the hook has none. `selections` is
    None on hooks that have none. `user_id` is empty on order-dispatch, which names no user. `fhir_server` is the
    client's FHIR base as it names it, "" where it names none.
    """

    service: CdsService
    hook_instance: str
    patient_id: str
    user_id: str
    draft_orders: Mapping[str, Any] | None
    selections: tuple[str, ...] | None
    prefetch: Mapping[str, Any] | None
    dispatched_orders: tuple[str, ...] = ()
    fulfillment_tasks: tuple[JsonObject, ...] = ()
    appointments: tuple[JsonObject, ...] = ()
    encounter_id: str = ""
    fhir_server: str = ""
    fhir_authorization: FhirAuthorization | None = None

    @property
    def user_may_be_family(self) -> bool:
        """Whether the patient, or a relative, may be at the screen: they see scheduling text only (ruling 9).

        While booking everybody is taken for family who is not named as a practitioner.
        """
        kind = plain_reference(self.user_id).partition("/")[0]
        return kind in _FAMILY or (self.service.hook == "appointment-book" and kind not in _STAFF)


def read_hook_call(document: Mapping[str, Any], service: CdsService) -> HookCall:
    """The call in a request body. Raises BadRequest with the path of what is missing or of the wrong type."""
    hook = _required_text(document, "hook", "hook")
    if hook != service.hook:
        raise BadRequest(f"hook is not {service.hook}; call the service of that hook", "hook")
    hook_instance = _required_text(document, "hookInstance", "hookInstance")
    if len(hook_instance) > _LONGEST_HOOK_INSTANCE:
        raise BadRequest("hookInstance is too long; send a UUID", "hookInstance")
    context = _required_object(document, "context", "context")
    authorization = _fhir_authorization(document)
    prefetch = _optional_object(document, "prefetch", "prefetch")
    user_id = "" if hook == "order-dispatch" else _required_text(context, "userId", "context.userId")
    patient_id = _patient_id(context)
    draft_orders = _draft_orders(context) if hook in ORDER_HOOKS else None
    encounter_id = _encounter_id(context, hook)
    return HookCall(
        service=service,
        hook_instance=hook_instance,
        patient_id=patient_id,
        user_id=user_id,
        draft_orders=draft_orders,
        selections=_selections(context, service, is_stripped=draft_orders is None),
        prefetch=prefetch,
        dispatched_orders=_dispatched_orders(context) if hook == "order-dispatch" else (),
        fulfillment_tasks=_resources(context, _TASKS) if hook == "order-dispatch" else (),
        appointments=_appointments(context) if hook == "appointment-book" else (),
        encounter_id=encounter_id,
        fhir_server=_fhir_server(document),
        fhir_authorization=authorization,
    )


def without_null_prefetch(call: HookCall) -> HookCall:
    """The call without the prefetch values that are null, so that they count as not attempted.

    The specification lets null mean that nothing was found (R-082). Some clients also send it for what they could
    not look up; for those it proves nothing.
    """
    if call.prefetch is None:
        return call
    return replace(call, prefetch={key: value for key, value in call.prefetch.items() if value is not None})


def _encounter_id(context: Mapping[str, Any], hook: str) -> str:
    """The encounter a call is about; required where a visit begins or ends, optional where a chart is opened."""
    if hook in ENCOUNTER_HOOKS:
        return _required_text(context, "encounterId", "context.encounterId")
    given = context.get("encounterId")
    return given if isinstance(given, str) else ""


def _dispatched_orders(context: Mapping[str, Any]) -> tuple[str, ...]:
    """The references of the orders that are dispatched; one text may hold several, joined by commas."""
    name = next((name for name in _DISPATCHED if context.get(name) is not None), _DISPATCHED[0])
    path = f"context.{name}"
    given = context.get(name)
    if given is None:
        raise BadRequest(f"{path} is missing; send the dispatched orders' references", path)
    if not isinstance(given, (str, list)):
        raise BadRequest(f"{path} is not an array; send the dispatched orders' references", path)
    references = given.split(",") if isinstance(given, str) else given
    for number, item in enumerate(references):
        if not isinstance(item, str):
            raise BadRequest(f"{path}[{number}] is not text; send Type/id", f"{path}[{number}]")
    _required_text(context, "performer", "context.performer")
    return tuple(item.strip() for item in references if item.strip())


def _appointments(context: Mapping[str, Any]) -> tuple[JsonObject, ...]:
    """The proposed appointments: a Bundle of them as published, or an array, or a single one."""
    if all(context.get(name) is None for name in _APPOINTMENTS):
        path = "context.appointments"
        raise BadRequest(f"{path} is missing; send a Bundle of the proposed appointments", path)
    return _resources(context, _APPOINTMENTS)


def _resources(context: Mapping[str, Any], names: tuple[str, ...]) -> tuple[JsonObject, ...]:
    """The resources under the first of these names: in a Bundle, in an array, or alone."""
    name = next((name for name in names if context.get(name) is not None), None)
    if name is None:
        return ()
    given, path = context[name], f"context.{name}"
    if not isinstance(given, (dict, list)):
        raise BadRequest(f"{path} is not an object or array; send the resources", path)
    if isinstance(given, dict) and given.get("resourceType") == "Bundle":
        given = given.get("entry") or []
    entries = [given] if isinstance(given, dict) else given
    if not isinstance(entries, list):
        raise BadRequest(f"{path}.entry is not an array; send the resources as entries", f"{path}.entry")
    found = [entry.get("resource", entry) for entry in entries if isinstance(entry, dict)]
    return tuple(resource for resource in found if isinstance(resource, dict))


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


def _fhir_server(document: Mapping[str, Any]) -> str:
    """The FHIR base address as sent, without a trailing slash, or "" (R-045)."""
    server = document.get("fhirServer")
    if server is None:
        return ""
    if not isinstance(server, str) or not server.strip():
        raise BadRequest("fhirServer is not text; send the FHIR base address", "fhirServer")
    return server.strip().removesuffix("/")


def _fhir_authorization(document: Mapping[str, Any]) -> FhirAuthorization | None:
    """The access granted with a call, or None; it must be whole, and name no other form of token (R-045 to R-053)."""
    server = _fhir_server(document)
    access = _optional_object(document, "fhirAuthorization", "fhirAuthorization")
    if access is None:
        return None
    if not server:
        raise BadRequest("fhirServer is missing beside fhirAuthorization; send both or none", "fhirServer")
    texts = {name: _required_text(access, name, f"fhirAuthorization.{name}") for name in _AUTHORIZATION_TEXTS}
    if texts["token_type"].lower() != "bearer":
        raise BadRequest("fhirAuthorization.token_type is not Bearer; send Bearer", "fhirAuthorization.token_type")
    seconds = _whole_seconds(access.get("expires_in"))
    if seconds is None:
        path = "fhirAuthorization.expires_in"
        raise BadRequest(f"{path} is not a whole number; send seconds", path)
    patient = access.get("patient")
    return FhirAuthorization(
        access_token=texts["access_token"],
        expires_in=seconds,
        scope=texts["scope"],
        subject=texts["subject"],
        patient=patient.strip() if isinstance(patient, str) else "",
    )


def _whole_seconds(value: object) -> int | None:
    """Whole seconds, also as text or as 300.0; None for anything else. Absurd ones become the most there can be."""
    if isinstance(value, str):
        return int(value) if _WHOLE_NUMBER.fullmatch(value) else None
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
        return None
    if isinstance(value, Decimal) and value != value.to_integral_value():
        return None
    return int(min(max(value, -_MOST_SECONDS), _MOST_SECONDS))


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
