"""Of all the small changes of the domain, a sample that is always the same is noticed, or listed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_nearly_all_mutants_of_a_sample_are_caught_or_listed() -> None:
    command = [sys.executable, "-m", "tests.mutation.domain_mutants", "--sample", "80", "--jobs", "1"]
    done = subprocess.run(
        [*command, "--tests", "tests/domain"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
