"""Charts of any size about one treated child, in the shape and weight of a hospital's Observations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from compose_fixtures import compose_request, scenarios

__all__ = ["NOW", "chart_call", "compose_request", "scenarios", "with_observations"]
Json = dict[str, Any]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LOINC = "http://loinc.org"
Measured = tuple[str, str, str, str, tuple[str, str] | None]
# code, name, unit, value, and its limits; four of the ten are read by a rule
MEASURED: tuple[Measured, ...] = (
    ("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "U/L", "31", ("5", "45")),
    ("8867-4", "Heart rate", "/min", "128", None),
    ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "%", "98", None),
    ("9279-1", "Respiratory rate", "/min", "34", None),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", "310", ("150", "450")),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", "4.3", ("3.5", "5.5")),
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", "139", ("134", "144")),
    ("8310-5", "Body temperature", "Cel", "36.9", None),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", "88", ("60", "100")),
    ("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "mg/dL", "0.4", ("0.1", "1.0")),
)


def chart_call(observations: int, measured: Sequence[Measured] = MEASURED) -> Json:
    """A patient-view call about a child on the 17th day after the infusion, with so many Observations in all.

    What is added to the child's own is measured in turn, every quarter of an hour.
    """
    return with_observations(compose_request(scenarios()["on-track"], "patient-view"), observations, measured)


def with_observations(request: Json, observations: int, measured: Sequence[Measured] = MEASURED) -> Json:
    """The same call about the same child, with so many Observations in all."""
    filled = deepcopy(request)
    own = filled["prefetch"]["observations"]["entry"]
    patient = own[0]["resource"]["subject"]["reference"]
    own += [{"resource": _observation(number, patient, measured)} for number in range(observations - len(own))]
    return filled


def _observation(number: int, patient: str, measured: Sequence[Measured]) -> Json:
    """One result; the newest ones are from this morning."""
    code, name, unit, value, limits = measured[number % len(measured)]
    taken = (NOW - timedelta(hours=3, minutes=15 * (number // len(measured)))).strftime("%Y-%m-%dT%H:%M:%SZ")
    made: Json = {
        "resourceType": "Observation",
        "id": f"synthetic-{number:06d}",
        "meta": {"versionId": "1", "lastUpdated": taken},
        "status": "final",
        "category": [{"coding": [{"system": "urn:oid:2.16.840.1.113883.4.642.3.401", "code": "vital-signs"}]}],
        "code": {
            "coding": [
                {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.0", "code": f"{number % 97}", "display": name},
                {"system": LOINC, "code": code, "display": name},
            ],
            "text": name,
        },
        "subject": {"reference": patient},
        "encounter": {"reference": "Encounter/synthetic-stay", "display": "Synthetic stay"},
        "effectiveDateTime": taken,
        "issued": taken,
        "performer": [{"reference": "Practitioner/synthetic", "display": "Synthetic Nurse"}],
        "valueQuantity": {"value": float(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }
    if limits:
        low, high = ({"value": float(limit), "unit": unit, "code": unit} for limit in limits)
        made["referenceRange"] = [{"low": low, "high": high, "text": f"{limits[0]} - {limits[1]} {unit}"}]
    return made
