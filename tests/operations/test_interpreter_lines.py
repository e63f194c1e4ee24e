"""A fault that nobody caught, and a warning, are log lines without their text, in a process that serves."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from running_services import PATIENCE, ROOT

PROGRAM = """
import sys, threading, warnings
from cds_service.operations.interpreter_lines import route_interpreter_lines
from cds_service.operations.log import set_up_logging

set_up_logging("info")
route_interpreter_lines()

def fail(kind):
    raise kind("Synthetic Child weighs 3.2 kg")

class FailsAtItsEnd:
    def __del__(self):
        fail(LookupError)

for kind in (ValueError, SystemExit):
    thread = threading.Thread(target=fail, args=(kind,), name="Synthetic Child")
    thread.start()
    thread.join()
FailsAtItsEnd()
warnings.warn("Synthetic Child weighs 3.2 kg", RuntimeWarning)
fail(ArithmeticError)
"""


def lines_of(program: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Exit code, standard error as it is, and the same read line by line; every line has to be JSON."""
    command = [sys.executable, "-W", "always", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.stdout == ""
    return done.returncode, done.stderr, [json.loads(line) for line in done.stderr.splitlines()]


def test_what_nobody_caught_is_named_with_its_place_and_without_its_words() -> None:
    code, written, lines = lines_of(PROGRAM)
    assert [(line["level"], line["event"], line["fault"]) for line in lines] == [
        ("error", "uncaught", "ValueError"),
        ("error", "uncaught", "LookupError"),
        ("warning", "warned", "RuntimeWarning"),
        ("error", "uncaught", "ArithmeticError"),
    ]
    assert [line["where"] for line in lines] == ["<string>:10", "<string>:10", "<string>:21", "<string>:10"]
    assert "Synthetic" not in written
    assert code == 1


def test_a_process_that_serves_routes_them() -> None:
    program = """
from cds_service import server
server._Server = lambda *_: 1 / 0
server.run_server(lambda: None, None, server.ServerSize())
"""
    code, written, _ = lines_of(
        f"from cds_service.operations.log import set_up_logging\nset_up_logging('info'){program}"
    )
    assert '"fault": "ZeroDivisionError"' in written
    assert code == 1
