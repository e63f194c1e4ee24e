"""What the demo's FHIR server says it can do, made from what it can do."""

from __future__ import annotations

from datetime import date

from cds_service import __version__
from cds_service.fhir.json_shapes import JsonObject
from cds_service.web.fhir_search import ID, SEARCHABLE, SearchParameter

FHIR_JSON = "application/fhir+json"
_FHIR_VERSION = "4.0.1"
_OAUTH_ADDRESSES = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


def capability_statement(base: str, today: date) -> JsonObject:
    """The CapabilityStatement (R4) of the server at this base address: types, interactions, search parameters."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": today.isoformat(),
        "kind": "instance",
        "software": {"name": "onasemnogene-cds demo", "version": __version__},
        "implementation": {"description": "Synthetic patients of the demo; nobody in it exists", "url": base},
        "fhirVersion": _FHIR_VERSION,
        "format": [FHIR_JSON, "json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(base),
                "resource": [_served(kind, parameters) for kind, parameters in SEARCHABLE.items()],
            }
        ],
    }


def authorize_address(base: str) -> str:
    """Where users of the FHIR server of this base are asked."""
    return f"{base}/auth/authorize"


def token_address(base: str) -> str:
    """Where a code of it is exchanged."""
    return f"{base}/auth/token"


def _security(base: str) -> JsonObject:
    """How apps are authorized, as SMART App Launch 1 has it; its second edition asks for smart-configuration."""
    addresses = {"authorize": authorize_address(base), "token": token_address(base)}
    listed = [{"url": name, "valueUri": address} for name, address in addresses.items()]
    return {
        "extension": [{"url": _OAUTH_ADDRESSES, "extension": listed}],
        "description": "Every request but this one needs a bearer token; any token will do.",
    }


def _served(resource_type: str, parameters: tuple[SearchParameter, ...]) -> JsonObject:
    listed = [{"name": item.name, "type": item.kind} for item in (ID, *parameters)]
    return {
        "type": resource_type,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [*listed, {"name": "_count", "type": "number"}],
    }
