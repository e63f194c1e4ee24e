"""docs/operations.md and the alerts name what exists: every field, metric, event, alert and setting."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from flask import Flask

import cds_service
from cds_service.hooks.bearer_token import Refusal
from cds_service.operations import READINESS
from cds_service.operations.log_fields import FIELDS
from cds_service.operations.metrics import Metrics
from cds_service.store.counters import NAMES

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "operations.md").read_text("utf-8")
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus-alerts.yaml").read_text("utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
SERVER = (ROOT / "cds_service" / "server.py").read_text("utf-8")


def section(number: int) -> str:
    found = re.search(rf"(?ms)^## {number} .*?(?=^## |\Z)", GUIDE)
    assert found is not None
    return found[0]


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([A-Za-z_-]+)`", text))


def metrics() -> set[str]:
    """The metrics there are, as they are written in queries."""
    families = re.findall(r"(?m)^# TYPE (\S+) (\S+)$", Metrics().exposition().decode())
    return {name for name, kind in families if kind != "unknown" and not name.endswith("_created")}


def test_every_field_of_the_log_is_explained_and_no_other() -> None:
    rows = [line.split("|")[1] for line in section(6).splitlines() if line.startswith("| `")]
    table = rows[: next(number for number, row in enumerate(rows) if "`serving`" in row)]
    assert set().union(*map(names_in, table)) == set(FIELDS)


def test_every_metric_is_explained_and_no_other() -> None:
    rows = [line.split("|")[1] for line in section(7).splitlines() if line.startswith("| `")]
    assert set().union(*map(names_in, rows)) == metrics()


def test_every_event_of_the_log_is_explained() -> None:
    written = set()
    for path in Path(cds_service.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[0] in ("log", "audit_log"):
                first = node.args[0] if node.args else None
                written |= {str(first.value)} if isinstance(first, ast.Constant) else set()
    written |= set(re.findall(r'\("(worker_\w+|signal)", \(', SERVER))
    assert written - names_in(section(6)) == set()
    assert "worker_killed" in written


def test_no_event_is_explained_that_is_not_written() -> None:
    rows = [line.split("|")[1] for line in section(6).splitlines() if line.startswith("| `")]
    begin = next(number for number, row in enumerate(rows) if "`serving`" in row)
    source = "\n".join(path.read_text("utf-8") for path in Path(cds_service.__file__).parent.rglob("*.py"))
    explained = set().union(*map(names_in, rows[begin:]))
    assert {name for name in explained if f'"{name}"' not in source} == set()


def test_every_reason_of_a_401_is_explained_and_no_other() -> None:
    table = section(5).partition("### Calls end with 401")[2].partition("\n### ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set().union(*map(names_in, rows)) == {refusal.value for refusal in Refusal}


def test_every_event_of_the_store_is_explained_and_alerts_look_at_no_other() -> None:
    written = {name.replace("_", "-") for name in NAMES}
    (row,) = [line.split("|")[3] for line in section(7).splitlines() if "`cds_store_events_total`" in line]
    assert names_in(row) == written
    looked_at = {
        event
        for rule in RULES
        for selector in re.findall(r'cds_store_events_total\{event=~?"([^"]+)"', str(rule["expr"]))
        for event in selector.split("|")
    }
    assert looked_at
    assert looked_at <= written


def test_every_dependency_is_in_the_guide(app: Flask) -> None:
    table = section(5).partition("### A dependency is down")[2].partition("\n### ")[0]
    assert set(app.extensions[READINESS].states()) <= names_in(table)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_looks_at_metrics_there_are_and_says_what_is_wrong(rule: dict[str, object]) -> None:
    looked_at = set(re.findall(r"\bcds_\w+", str(rule["expr"])))
    known = metrics() | {f"{name}_{part}" for name in metrics() for part in ("bucket", "count", "sum")}
    assert looked_at <= known
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert str(rule["annotations"]["summary"]).endswith(".")  # type: ignore[index]


def test_every_alert_is_in_the_guide_with_what_to_do_and_whether_it_wakes_somebody() -> None:
    rows = [line for line in section(4).splitlines() if line.startswith("| `")]
    told = {(row.split("`")[1], row.split("|")[2].strip()) for row in rows}
    assert told == {(rule["alert"], rule["labels"]["severity"]) for rule in RULES}


def test_every_place_the_guide_sends_to_exists() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"(?m)^#+ (.*)$", GUIDE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= headings
    for target in re.findall(r"\]\((\.\./[^)#]+|[a-z][^)#:]+)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target


def test_the_settings_of_the_process_are_those_the_server_reads() -> None:
    rows = [line.split("|")[1] for line in section(2).splitlines() if line.startswith("| `")]
    read = set(re.findall(r'"(WEB_\w+)"', SERVER)) | {"HOST", "PORT", "REQUESTS_CA_BUNDLE"}
    assert set().union(*map(names_in, rows)) == read
