"""The rules, one function each, named after the situation they report. Importing this registers them all."""

from cds_service.domain.rules import (
    baseline,
    corticosteroid,
    data_and_identity,
    dose_and_order,
    eligibility,
    infection_and_vaccines,
    infusion_day,
    readiness,
)

__all__ = [
    "baseline",
    "corticosteroid",
    "data_and_identity",
    "dose_and_order",
    "eligibility",
    "infection_and_vaccines",
    "infusion_day",
    "readiness",
]
