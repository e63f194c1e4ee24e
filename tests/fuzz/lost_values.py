"""Which requests lose a result without a trace: an Observation without any value says nothing (clinical-rules C1).

Before the infusion an older result counts then, as if the newer sample had never been taken: that may be true, and so it
is no reassurance of ours. After the infusion such a sample is told (tests/fuzz/reassurance.py holds it).
"""

from __future__ import annotations

import json
import re
from functools import cache

from .bases import Base
from .places import Json, resources
from .reassurance import lines_of_rules

_BASELINE = re.compile(r"(?:liver|creatinine|cbc)-baseline-|platelets-baseline-")
_VERIFIED = re.compile(r"line ([a-z0-9-]+) is verified")


def loses_a_result(base: Base, request: Base) -> bool:
    """Whether fewer Observations hold a value than in the base."""
    document = json.loads(request.body)
    return isinstance(document, dict) and _values_in(document) < _values_of(base.body)


def is_of_an_older_result(fault: str) -> bool:
    """Whether a fault is that a laboratory test before the infusion became verified."""
    match = _VERIFIED.match(fault)
    return match is not None and match[1] in _laboratory_lines()


@cache
def _values_of(body: bytes) -> int:
    return _values_in(json.loads(body))


def _values_in(document: Json) -> int:
    return sum(
        any(name.startswith("value") and _says_something(value) for name, value in resource.items())
        for resource in resources(document)
        if resource["resourceType"] == "Observation"
    )


def _says_something(value: Json) -> bool:
    """Whether it is a value; a Quantity with a unit alone is none."""
    is_unit_alone = isinstance(value, dict) and "unit" in value and value.get("value") is None
    return value not in (None, "", " ", {}, []) and not is_unit_alone


@cache
def _laboratory_lines() -> frozenset[str]:
    """The lines of the checklist that rules on laboratory results before the infusion check."""
    return frozenset().union(*(lines for rule, lines in lines_of_rules().items() if _BASELINE.match(rule)))
