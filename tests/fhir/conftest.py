"""The clock and the unit table that readers of resources are given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings

from cds_service.domain.quantities import UnitTable
from cds_service.fhir import SiteClock
from cds_service.presentation import Catalogue

settings.load_profile("ci")  # the same examples on every run, and no deadline on a busy machine


@pytest.fixture(scope="session")
def clock() -> SiteClock:
    """Monday 2 March 2026, four in the morning in New York."""
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    return SiteClock(now, ZoneInfo("America/New_York"), timedelta(minutes=15))


@pytest.fixture(scope="session")
def units(catalogue: Catalogue) -> UnitTable:
    return catalogue.known.units
