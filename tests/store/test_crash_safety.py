"""A process that is killed in the middle of a feedback post: what it kept stays, and what it had not kept is not half there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from databases import rows_of
from kept_things import NOW, SERVICE, overridden

from cds_service.store import open_store

# Keeps one item; the process kills itself right before the commit, or right after it and before any answer.
PROGRAM = """
import os, signal, sys
from kept_things import NOW, SERVICE, overridden
from cds_service.operations.log import set_up_logging
from cds_service.store import open_store, store as memory

set_up_logging("info")

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

store = open_store(sys.argv[1], migrates=False)
if sys.argv[2] == "before":
    insert = memory.insert_feedback
    memory.insert_feedback = lambda *given: (insert(*given), die())
store.save_feedback([overridden("one"), overridden("two")], NOW, SERVICE, "example-ehr")
die()
"""


def started(program: str, *words: str) -> subprocess.Popen[bytes]:
    """The program in a process of its own, with our modules and those of the tests."""
    folders = os.pathsep.join(str(path) for path in (Path(__file__).parent, Path(__file__).parents[2]))
    environment = {**os.environ, "PYTHONPATH": folders}
    return subprocess.Popen([sys.executable, "-c", program, *words], env=environment)


def killed(url: str, when: str) -> None:
    assert started(PROGRAM, url, when).wait(timeout=60) == -signal.SIGKILL


@pytest.mark.parametrize(("when", "kept"), [("before", 0), ("after", 2)])
def test_a_killed_process_keeps_exactly_what_it_had_committed(url: str, when: str, kept: int) -> None:
    killed(url, when)
    assert len(rows_of(url, "feedback")) == kept
    assert len(rows_of(url, "override_reasons")) == kept


def test_after_a_kill_the_next_process_takes_feedback(url: str) -> None:
    killed(url, "before")
    store = open_store(url, migrates=False)
    store.save_feedback([overridden()], NOW, SERVICE, "example-ehr")
    store.close()
    assert len(rows_of(url, "feedback")) == 1


def test_several_processes_keep_all_that_they_acknowledge(url: str) -> None:
    program = PROGRAM.rpartition("store.save_feedback")[0] + (
        "for _ in range(25):\n    store.save_feedback([overridden('one')], NOW, SERVICE, 'example-ehr')\nstore.close()\n"
    )
    running = [started(program, url, "after") for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert len(rows_of(url, "feedback")) == 75
