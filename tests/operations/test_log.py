"""Log lines: only listed fields of their shape, a correlation id, and nothing a library or an exception says."""

from __future__ import annotations

import ast
import io
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

import cds_service
from cds_service.operations.log import audit_log, begin_correlation, correlation_id, end_correlation, set_up_logging
from cds_service.operations.log_fields import FIELDS, is_word

PACKAGE = Path(cds_service.__file__).parent
DROPPED: list[int] = []
# Set by the log itself, or tested on their own.
SET_ELSEWHERE = {"timestamp", "level", "event", "client", "host", "fault", "library"}
PATIENT = (
    "Synthetic, Child-One",
    "MRN 0012345",
    "2025-12-24",
    "3.2 kg",
    "Patient/abc",
    "a b",
    "eyJhbGciOi.e30.x",
    "abc1",
)


@pytest.fixture(autouse=True)
def written(log: io.StringIO) -> Iterator[io.StringIO]:
    """What is logged, at level info, and counted in DROPPED."""
    root = logging.getLogger()
    handlers = list(root.handlers)
    DROPPED.clear()
    set_up_logging("info", DROPPED.append)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(log))
    yield log
    root.handlers[:] = handlers
    end_correlation()


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def said(written: io.StringIO) -> dict[str, Any]:
    """The only line, without what stands on every line."""
    (line,) = lines(written)
    return {name: value for name, value in line.items() if name not in ("timestamp", "level")}


logger = structlog.get_logger("test")


def test_a_line_is_one_json_object_with_time_level_and_event(written: io.StringIO) -> None:
    logger.info("cards_loaded", cards=3)
    (line,) = lines(written)
    assert list(line) == ["timestamp", "level", "event", "cards"]
    assert (line["level"], line["event"], line["cards"]) == ("info", "cards_loaded", 3)
    assert line["timestamp"].endswith("Z")


def test_a_field_that_is_not_listed_is_dropped_and_counted(written: io.StringIO) -> None:
    logger.info("cards_loaded", cards=3, patient="Synthetic", weight=3.2)
    assert said(written) == {"event": "cards_loaded", "cards": 3, "dropped": 2}
    assert DROPPED == [2]


class FullDisk(io.StringIO):
    """A stream that takes nothing."""

    def write(self, text: str) -> int:
        raise OSError(28, "no space left")


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_line_that_cannot_be_written_is_counted_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, is_closed: bool
) -> None:
    stream = io.StringIO() if is_closed else FullDisk()
    monkeypatch.setattr("sys.stderr", stream)
    set_up_logging("info", DROPPED.append)
    if is_closed:
        stream.close()
    logger.info("cards_loaded", cards=3)
    assert sum(DROPPED) > 0


@pytest.mark.parametrize("value", PATIENT)
@pytest.mark.parametrize("field", sorted(set(FIELDS) - SET_ELSEWHERE))
def test_a_listed_field_takes_no_value_of_a_patient(written: io.StringIO, field: str, value: str) -> None:
    logger.info("refused", **{field: value})
    assert value not in written.getvalue()
    assert DROPPED == [1]


@pytest.mark.parametrize("value", [3.2, -1, True, 10**9, None, "3", [1]])
def test_a_count_is_a_whole_number_and_nothing_else(written: io.StringIO, value: object) -> None:
    logger.info("cards_loaded", cards=value)
    assert said(written) == {"event": "cards_loaded", "dropped": 1}


@pytest.mark.parametrize(
    "value", [["patient", "Synthetic Child"], {"patient": "fetched"}, "patient", [["patient"]], [None]]
)
def test_a_list_of_words_holds_words_only(written: io.StringIO, value: object) -> None:
    logger.info("access", sent=value)
    assert said(written) == {"event": "access", "dropped": 1}


@pytest.mark.parametrize("value", [{"patient": "3.2 kg"}, {"Patient/1": "fetched"}, {"patient": None}, ["patient"]])
def test_the_outcomes_of_lists_are_words_by_words(written: io.StringIO, value: object) -> None:
    logger.info("access", lists=value)
    assert said(written) == {"event": "access", "dropped": 1}


@pytest.mark.parametrize("event", ["Synthetic Child", "weighs 3.2 kg", "patient 17", "", "x" * 49])
def test_an_event_that_is_no_word_is_not_written(written: io.StringIO, event: str) -> None:
    logger.info(event, cards=1)
    assert said(written) == {"event": "unnamed", "cards": 1, "dropped": 1}


def test_a_word_may_be_48_letters_long_and_not_49(written: io.StringIO) -> None:
    assert is_word("x" * 48)
    assert not is_word("x" * 49)


def test_an_exception_is_named_with_its_place_and_without_its_words(written: io.StringIO) -> None:
    try:
        raise ValueError("Synthetic Child weighs 3.2 kg")
    except ValueError:
        logger.exception("not_stored")
    line = said(written)
    assert (line["event"], line["fault"], line["where"].split(":")[0]) == ("not_stored", "ValueError", "test_log.py")
    assert "3.2" not in written.getvalue()
    assert "dropped" not in line


def test_an_exception_given_by_itself_is_named_too(written: io.StringIO) -> None:
    logger.error("not_stored", exc_info=KeyError("Synthetic Child"))
    assert said(written) == {"event": "not_stored", "fault": "KeyError", "where": "unknown:0"}


# --- correlation


def test_every_line_of_a_call_has_its_correlation_id(written: io.StringIO) -> None:
    first = begin_correlation()
    logger.info("refused")
    logger.info("access")
    second = begin_correlation()
    logger.info("access")
    assert first != second
    assert [line["correlation_id"] for line in lines(written)] == [first, first, second]


def test_outside_of_a_call_a_line_has_no_correlation_id(written: io.StringIO) -> None:
    begin_correlation()
    end_correlation()
    logger.info("worker_started")
    assert "correlation_id" not in said(written)
    assert correlation_id() == ""


def test_two_calls_at_once_keep_their_ids_apart(written: io.StringIO) -> None:
    both_began, ids = threading.Barrier(2), []

    def call() -> None:
        own = begin_correlation()
        both_began.wait()
        ids.append((own, correlation_id()))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [own == later for own, later in ids] == [True, True]
    assert len({own for own, _ in ids}) == 2


# --- levels


def test_what_is_below_the_level_is_not_written_and_an_audit_line_always_is(written: io.StringIO) -> None:
    set_up_logging("error")
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(written))
    logger.warning("refused")
    audit_log.info("access", status=200)
    assert said(written) == {"event": "access", "status": 200}


# --- libraries


def test_a_librarys_warning_is_an_event_without_its_text(written: io.StringIO) -> None:
    logging.getLogger("sqlalchemy.pool").warning("Retrying %s", "/Observation?patient=synthetic-1")
    line = said(written)
    assert (line["event"], line["library"], line["where"].split(":")[0]) == ("library", "sqlalchemy", "test_log.py")
    assert "synthetic" not in written.getvalue()


def test_a_librarys_exception_is_named_without_its_text(written: io.StringIO) -> None:
    try:
        raise OSError("token synthetic-secret")
    except OSError:
        logging.getLogger("waitress").exception("Exception while serving %s", "/cds-services?patient=synthetic")
    (line,) = lines(written)
    assert (line["level"], line["fault"]) == ("error", "OSError")
    assert "synthetic" not in written.getvalue()


def test_what_a_library_tells_below_a_warning_is_not_written(written: io.StringIO) -> None:
    logging.getLogger("urllib3.connectionpool").debug("GET /Patient/synthetic-1")
    logging.getLogger("sqlalchemy.engine").info("INSERT synthetic")
    assert written.getvalue() == ""


def test_setting_up_twice_writes_a_librarys_warning_once(written: io.StringIO) -> None:
    set_up_logging("info")
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(written))
    logging.getLogger("flask_cors").warning("odd")
    assert len(lines(written)) == 1


# --- what the source writes


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a logger in the package, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner, method = ast.unparse(node.func.value), node.func.attr
                if owner in ("log", "audit_log") and method in (
                    "debug",
                    "info",
                    "warning",
                    "error",
                    "critical",
                    "exception",
                ):
                    yield f"{path.name}:{node.lineno}", node


def test_every_event_of_the_source_is_a_written_word_with_listed_fields() -> None:
    odd = []
    for where, call in log_calls():
        names = [keyword.arg for keyword in call.keywords if keyword.arg is not None]
        event = call.args[0] if len(call.args) == 1 else None
        is_fixed = isinstance(event, ast.Constant) and is_word(event.value)
        odd += [] if is_fixed and set(names) <= set(FIELDS) | {"exc_info"} else [where]
    assert odd == []


def test_the_source_logs_at_all() -> None:
    assert len(list(log_calls())) > 10
