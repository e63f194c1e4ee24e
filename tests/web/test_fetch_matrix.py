"""The table of tests/fetch_matrix.py, with a real FHIR server on loopback: every answer ends on the card."""

from __future__ import annotations

import pytest
from fetch_matrix import ANSWERS, AT_ITS_WORD, SLOW, STATES, WHOLE, application, cell, expected
from flask.testing import FlaskClient

QUICK = [answer for answer in ANSWERS if answer not in SLOW]


@pytest.fixture(scope="module")
def patient_client() -> FlaskClient:
    """The service with time enough for a busy machine, and a limit of 1 MB for one list."""
    return application(budget_ms=30_000, largest_mb=1).test_client()


@pytest.fixture(scope="module")
def hurried_client() -> FlaskClient:
    """The service with as little time as makes a slow server late, and no more than that."""
    return application(budget_ms=1_500).test_client()


@pytest.mark.parametrize("answer", QUICK)
@pytest.mark.parametrize("state", [state for state in STATES if state not in AT_ITS_WORD])
def test_a_key_that_did_not_come_is_asked_for_and_every_answer_is_told(
    patient_client: FlaskClient, ehr: str, state: str, answer: str
) -> None:
    came = cell(patient_client, ehr, state, answer)
    assert (came.status, came.rules) == (200, expected(state, answer))


@pytest.mark.spec("R-099")
@pytest.mark.parametrize("answer", [WHOLE, "status-500"])
@pytest.mark.parametrize("state", AT_ITS_WORD)
def test_a_key_that_came_is_taken_at_its_word(patient_client: FlaskClient, ehr: str, state: str, answer: str) -> None:
    came = cell(patient_client, ehr, state, answer)
    assert (came.status, came.rules) == (200, {})


@pytest.mark.hazard("H49")
@pytest.mark.spec("R-098")
@pytest.mark.spec("R-200")
@pytest.mark.parametrize("answer", SLOW)
@pytest.mark.parametrize("state", ["absent", "fewer than its total"])
def test_a_server_that_takes_too_long_costs_its_own_list_alone(
    hurried_client: FlaskClient, ehr: str, state: str, answer: str
) -> None:
    came = cell(hurried_client, ehr, state, answer)
    assert (came.status, came.rules) == (200, expected(state, answer))
