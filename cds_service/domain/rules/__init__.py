"""The rules, one function each, named after the situation they report. Importing this registers them all."""

from cds_service.domain.rules import (
    baseline,
    data_and_identity,
    dose_and_order,
    eligibility,
    infusion_day,
)

__all__ = ["baseline", "data_and_identity", "dose_and_order", "eligibility", "infusion_day"]
