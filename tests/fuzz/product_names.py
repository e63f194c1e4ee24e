"""Which resources of a request name the product: without one of them the service may not know that a call is its own.

It answers on positive evidence only, and says nothing of the children of others. So where damage has hit what names the
product, silence is no reassurance of ours; where everything that names it is unharmed, it is one.
"""

from __future__ import annotations

import json
import re
from functools import cache

from .bases import Base
from .places import Json, resources

_OF_DOSES = ("MedicationAdministration", "Procedure", "Immunization")
_NAMES = re.compile(r"zolgensma|onasemnogene|2170231|71894|J3399|avxs", re.IGNORECASE)


def names_product_less(base: Base, request: Base) -> bool:
    """Whether a resource of the base that names the product, or the context, is no longer the same in the request."""
    document = json.loads(request.body)
    if not isinstance(document, dict) or _context(document) != _context(json.loads(base.body)):
        return True
    return not _naming(base.body) <= {_written(resource) for resource in _in_usable_lists(document)}


@cache
def may_hold_a_dose(base: Base) -> bool:
    """Whether a resource of a kind that records what was given names the product, or an order for it is completed."""
    every = resources(json.loads(base.body))
    naming = [resource for resource in every if _NAMES.search(_written(resource))]
    return any(
        resource["resourceType"] in _OF_DOSES
        or (resource["resourceType"] == "MedicationRequest" and resource.get("status") == "completed")
        for resource in naming
    )


@cache
def _naming(body: bytes) -> frozenset[str]:
    every = (_written(resource) for resource in resources(json.loads(body)))
    return frozenset(text for text in every if _NAMES.search(text))


def _in_usable_lists(document: Json) -> list[Json]:
    """The resources of the context and of lists that stand where a list stands, not deeper."""
    found = list(resources(document.get("context")))
    prefetch = document.get("prefetch")
    for value in prefetch.values() if isinstance(prefetch, dict) else ():
        entries = value.get("entry", []) if isinstance(value, dict) else []
        found += [
            entry["resource"]
            for entry in entries
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
        ]
        found += [value] if isinstance(value, dict) else []
    return found


def _context(document: Json) -> str:
    return _written(document.get("context", {}))


def _written(value: Json) -> str:
    return json.dumps(value, sort_keys=True)
