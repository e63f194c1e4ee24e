"""What was opened is closed at the end, the last first, whatever a single one does."""

from __future__ import annotations

import io
import json

from cds_service.operations.resources import Resources


def test_the_last_opened_is_closed_first_and_each_once() -> None:
    closed: list[str] = []
    resources = Resources()
    resources.register("store", lambda: closed.append("store"))
    resources.register("keys", lambda: closed.append("keys"))
    resources.close()
    resources.close()
    assert closed == ["keys", "store"]


def test_one_that_fails_is_logged_and_keeps_none_of_the_others_open(log: io.StringIO) -> None:
    closed: list[str] = []

    def fails() -> None:
        raise OSError("postgresql://user:word@db.example.org")

    resources = Resources()
    resources.register("store", lambda: closed.append("store"))
    resources.register("keys", fails)
    resources.close()
    assert closed == ["store"]
    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["event"], line["dependency"], line["fault"]) == ("not_closed", "keys", "OSError")
    assert "example.org" not in log.getvalue()
