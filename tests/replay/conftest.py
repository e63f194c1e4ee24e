"""The service behind a real server on this machine, and the fixtures it is replayed with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from replay_services import serving

from cds_service.content_folders import FHIR_FIXTURES
from cds_service.replay.left_out import LeftOut, load_left_out
from cds_service.replay.scenarios import Scenario, load_scenarios


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The service at the fixtures' moment, on a port of this machine."""
    with serving() as (where, serve):
        serve(app)
        yield where


@pytest.fixture(scope="session")
def every_scenario() -> tuple[Scenario, ...]:
    return load_scenarios(FHIR_FIXTURES)


@pytest.fixture(scope="session")
def every_reason() -> tuple[LeftOut, ...]:
    return load_left_out(FHIR_FIXTURES / "calendar.yaml")
