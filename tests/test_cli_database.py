"""The commands that use the database: migrate, report, and what the demo says about it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from databases import KINDS, a_database

from cds_service.cli import main
from cds_service.store import Store, open_store


def run(*words: str, **environment: str) -> Result:
    cleared = {name: None for name in ("CDS_MODE", "CDS_NOW", "CDS_DATABASE_URL")}
    return CliRunner().invoke(main, list(words), env={**cleared, **environment})


def failed(result: Result, code: int) -> str:
    """The one line on standard error of a command that did not do its work."""
    assert result.exit_code == code, result.output
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_migrate_brings_a_database_to_the_current_schema_and_may_be_run_again(kind: str, tmp_path: Path) -> None:
    with a_database(kind, tmp_path) as url:
        for _ in range(2):
            result = run("migrate", CDS_DATABASE_URL=url)
            assert result.exit_code == 0, result.output
            assert result.stdout.endswith(": at the current schema\n")
        open_store(url, migrates=False).close()


def test_migrate_uses_the_default_file_under_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("migrate").exit_code == 0
    assert (tmp_path / "var" / "onasemnogene-cds.sqlite3").is_file()


def test_migrate_names_no_password() -> None:
    secret = "synthetic-" + "password"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = failed(run("migrate", CDS_DATABASE_URL=f"postgresql://user:{secret}@127.0.0.1:{port}/cds"), 1)
    assert secret not in said
    assert "CDS_DATABASE_URL: the database cannot be used" in said
    assert "refused" in said


@pytest.mark.parametrize("command", ["migrate", "report"])
def test_a_bad_address_is_one_line(command: str) -> None:
    assert "mysql is not supported" in failed(run(command, CDS_DATABASE_URL="mysql://db.example.org/cds"), 2)


@pytest.mark.parametrize("command", ["migrate", "report"])
def test_demo_mode_without_an_address_has_no_database_to_work_on(command: str) -> None:
    assert "CDS_DATABASE_URL is not set" in failed(run(command, CDS_MODE="demo"), 2)


def test_a_report_on_a_file_that_is_not_there_creates_none(tmp_path: Path) -> None:
    file = tmp_path / "none.sqlite3"
    assert "nothing has been kept there yet" in failed(run("report", CDS_DATABASE_URL=f"sqlite:///{file}"), 2)
    assert not file.exists()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database in which one dose card was shown and overridden."""
    from datetime import UTC, datetime

    from cds_service.store import FeedbackEvent, OverrideReason, ShownCard, ShownFinding, ShownReview

    now, uuid = datetime(2026, 3, 2, 9, tzinfo=UTC), "11111111-2222-4333-8444-555555555555"
    url = f"sqlite:///{tmp_path}/cds.sqlite3"
    store: Store = open_store(url, migrates=True)
    card = ShownCard(uuid, "dose", "warning", (ShownFinding("weight-stale", "warning", "d"),))
    store.remember(ShownReview(now, "service", "call", "ehr", "0" * 64, "2/2025", "0.1.0", (card,)))
    reasons = (OverrideReason("", "done-elsewhere", is_ours=True),)
    store.save_feedback([FeedbackEvent(uuid, "overridden", now, reasons)], now, "service", "ehr")
    store.close()
    return url


@pytest.mark.parametrize("columns", ["40", "120"])
def test_the_report_for_a_person_has_topics_rules_and_weeks_and_cuts_no_name(url: str, columns: str) -> None:
    result = run("report", CDS_DATABASE_URL=url, COLUMNS=columns)
    assert result.exit_code == 0, result.output
    for word in ("dose", "weight-stale", "2026-W10", "done-elsewhere 1", "kept quiet"):
        assert word in result.stdout


@pytest.mark.parametrize("columns", ["80", "200"])
def test_no_name_is_cut_off_however_narrow_the_terminal(url: str, columns: str) -> None:
    result = run("report", CDS_DATABASE_URL=url, COLUMNS=columns)
    assert "…" not in result.stdout
    rows = [line.split("│") for line in result.stdout.splitlines() if line.startswith("│")]
    told = "".join(row[1].strip() for row in rows)
    assert "weight-stale" in told


def test_the_report_of_an_empty_memory_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cds.sqlite3"
    assert run("migrate", CDS_DATABASE_URL=url).exit_code == 0
    assert "No card has been shown yet." in run("report", CDS_DATABASE_URL=url).stdout


def test_the_report_for_machines(url: str) -> None:
    document = json.loads(run("report", "--json", CDS_DATABASE_URL=url).stdout)
    assert document["topics"][0]["reasons"] == {"done-elsewhere": 1}


def test_the_report_for_a_spreadsheet_has_a_column_for_each_reason(url: str) -> None:
    header, *lines = run("report", "--csv", CDS_DATABASE_URL=url).stdout.splitlines()
    assert header == (
        "kind,name,week,shown,accepted,overridden,kept_quiet,"
        "specialist-decision,done-elsewhere,already-infused,record-wrong,other,foreign-reason,no-reason"
    )
    assert lines[0] == "topic,dose,,1,0,1,0,0,1,0,0,0,0,0"


def test_one_report_has_one_form(url: str) -> None:
    assert "use one of them" in failed(run("report", "--csv", "--json", CDS_DATABASE_URL=url), 2)


def test_check_config_refuses_an_address_that_cannot_be_used() -> None:
    assert "mysql is not supported" in failed(
        run("check-config", CDS_MODE="demo", CDS_DATABASE_URL="mysql://db.example.org/cds"), 2
    )


def test_the_demo_says_where_its_temporary_database_is_and_removes_it_at_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-u", "-m", "cds_service", "demo", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        said = next(line for line in demo.stdout if line.startswith("Database: "))
        found = re.fullmatch(r"Database: sqlite:///(\S+) \(temporary\)\n", said)
        assert found is not None
        assert Path(found[1]).is_file()
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(timeout=30) == 0
    assert not Path(found[1]).parent.exists()
