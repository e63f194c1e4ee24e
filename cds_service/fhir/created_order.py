"""What a client needs on an order that it is asked to create, beside what we put there ourselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cds_service.fhir.suggested_resources import SuggestedAction


def with_codings_first(action: SuggestedAction, codings: Sequence[tuple[str, str, str]]) -> SuggestedAction:
    """The action with these codings, (system, code, name), before our own in the code of its order.

    Unchanged without codings. The action must be one that creates a ServiceRequest or MedicationRequest.
    """
    resource = action.resource
    if not codings or resource is None:
        return action
    name = "code" if resource["resourceType"] == "ServiceRequest" else "medicationCodeableConcept"
    wanted = [{"system": system, "code": code, "display": display} for system, code, display in codings]
    concept = {**resource[name], "coding": [*wanted, *resource[name].get("coding", [])]}
    return replace(action, resource={**resource, name: concept})
