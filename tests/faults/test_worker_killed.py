"""Workers are killed while clients call and give feedback: nothing that was acknowledged is lost (R-160)."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import KINDS, a_database
from load_with_kills import Kept, load
from production_services import in_production, workers_started
from registered_ehr import RegisteredEhr
from running_services import wait_until
from running_stores import OwnRedis

pytestmark = pytest.mark.xdist_group("worker-killed")


@pytest.mark.spec("R-160")
@pytest.mark.parametrize("kind", KINDS)
def test_of_workers_that_are_killed_under_load_no_acknowledged_feedback_is_lost_and_no_answer_is_half(
    kind: str, tmp_path: Path, ehr: RegisteredEhr, redis: OwnRedis
) -> None:
    with a_database(kind, tmp_path) as url:
        stores = {"database": url, "shared_state": redis.url}
        with in_production(tmp_path, ehr, **stores, CDS_RATE_LIMIT="0") as service:
            seen = load(service, ehr, seconds=3, seconds_between_kills=1)
            wait_until(lambda: workers_started(service) == 2 + len(seen.killed), "all workers are replaced")
            assert service.stop() == 0
        kept = Kept.of(seen, url)
    assert kept.acknowledged > 0
    assert (kept.lost, kept.half_stored, seen.half_answers) == (0, 0, 0)
    assert {status for _, status in seen.statuses} <= {200, 503}
    assert {fault for _, fault in seen.without_answer} <= {"ConnectionError", "ChunkedEncodingError"}
