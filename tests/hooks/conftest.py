"""What the tests of the wire share."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Every byte the service logs during the test."""
    written = io.StringIO()
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    yield written
    structlog.configure(**before)
