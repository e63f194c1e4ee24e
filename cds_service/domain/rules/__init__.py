"""The rules, one function each, named after the situation they report. Importing this registers them all."""

from cds_service.domain.rules import (
    baseline,
    corticosteroid,
    corticosteroid_taper,
    data_and_identity,
    discharge_and_long_term,
    dose_and_order,
    eligibility,
    heart,
    infection_and_vaccines,
    infusion_day,
    liver,
    platelets_and_tma,
    readiness,
)

__all__ = [
    "baseline",
    "corticosteroid",
    "corticosteroid_taper",
    "data_and_identity",
    "discharge_and_long_term",
    "dose_and_order",
    "eligibility",
    "heart",
    "infection_and_vaccines",
    "infusion_day",
    "liver",
    "platelets_and_tma",
    "readiness",
]
