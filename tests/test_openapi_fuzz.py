"""What a machine makes up from the served description is answered as described, with and without tokens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from compose_fixtures import ORDINARY, service_of

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
# A call that hangs ends the run here; speed is measured by `make bench`.
PATIENCE = 900
SEED = "20260302"
OPERATIONS = 25


def fuzzed(folder: Path, *arguments: str) -> Json:
    """What a run of its own process found; warnings are faults there as well."""
    report = folder / "report.json"
    command = [sys.executable, "-W", "error", "-m", "tests.fuzz_openapi", "--seed", SEED, "--report", str(report)]
    run = subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert report.exists(), run.stderr
    found: Json = json.loads(report.read_text("utf-8"))
    assert (found["faults"], run.returncode) == ([], 0), run.stderr
    return found


@pytest.mark.spec("R-209")
def test_every_operation_answers_as_described_whatever_is_sent(tmp_path: Path) -> None:
    found = fuzzed(tmp_path)
    assert len(found["operations"]) == OPERATIONS
    statuses = {status for counted in found["operations"].values() for status in counted}
    assert statuses == {"200", "400", "404", "405", "415"}
    # Many are about a child, or nothing but the gate would have been asked.
    asked = ["POST /app/course", *(f"POST /cds-services/{service_of(hook)}" for hook in ORDINARY)]
    assert [operation for operation in asked if not found["withCards"][operation]] == []


@pytest.mark.spec("R-163")
def test_in_production_mode_nothing_is_answered_without_a_fresh_token(tmp_path: Path) -> None:
    found = fuzzed(tmp_path, "--mode", "production", "--examples", "4", "--no-boundaries")
    assert len(found["operations"]) == OPERATIONS
    posted = {name: counted for name, counted in found["operations"].items() if name.startswith("POST /cds-services/")}
    assert [name for name, counted in posted.items() if not counted.get("200")] == []
