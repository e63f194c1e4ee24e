"""One service for all of these tests, with everything it logs, and the same generated examples on every run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from .asking import Service
from .finding import Examiner

settings.load_profile("ci")


@pytest.fixture(scope="session")
def _service() -> Service:
    return Service()


@pytest.fixture
def examiner(_service: Service) -> Iterator[Examiner]:
    """Asks the service, and says what is wrong with its answers."""
    with _service.listening():
        yield Examiner(_service)
