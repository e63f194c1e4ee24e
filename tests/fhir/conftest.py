"""The clock and the unit table that readers of resources are given, and an EHR to ask."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import responses
from hypothesis import settings

from cds_service.domain.quantities import UnitTable
from cds_service.fhir import ChartFetcher, FhirClient, SiteClock
from cds_service.fhir.prefetch import own_queries
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


@pytest.fixture(scope="module")
def fetcher(catalogue: Catalogue) -> Iterator[ChartFetcher]:
    fetcher = ChartFetcher.of(FhirClient.pooled(100_000), own_queries(catalogue.codes))
    yield fetcher
    fetcher.threads.shutdown()
    fetcher.client.session.close()


@pytest.fixture
def ehr() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock
