"""The two places where replicas may keep what they share: in themselves, and in the Redis that CDS_TEST_REDIS_URL names."""

from __future__ import annotations

import os

import pytest


def redis_url() -> str:
    """The address of a Redis for tests. Skips the test where there is none, but never in CI."""
    url = os.environ.get("CDS_TEST_REDIS_URL", "")
    if not url:
        assert not os.environ.get("CI"), "CDS_TEST_REDIS_URL is not set; .ci/run starts a Redis and sets it"
        pytest.skip("no Redis: set CDS_TEST_REDIS_URL, for example to redis://127.0.0.1:6379/0")
    return url
