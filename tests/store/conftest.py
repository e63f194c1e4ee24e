"""The Redis for tests of what replicas share."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest


@pytest.fixture
def redis_url(services_for_tests: Mapping[str, str]) -> str:
    """The address of a Redis. Skips the test where there is none, but never in CI."""
    url = services_for_tests.get("CDS_TEST_REDIS_URL", "")
    if not url:
        if "CI" in os.environ:
            pytest.fail("CDS_TEST_REDIS_URL is not set; .ci/run starts a Redis and sets it")
        pytest.skip("no Redis: set CDS_TEST_REDIS_URL, for example to redis://127.0.0.1:6379/0")
    return url
