"""What README.md shows is what the service answers, and every setting, command, path and status stands in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import MapAdapter

from cds_service.cli import main
from cds_service.config import Settings
from cds_service.content_folders import FHIR_FIXTURES
from cds_service.hooks.clients_file import load_clients
from cds_service.hooks.errors import _STATUS_AND_CODE
from cds_service.server import ServerSize
from cds_service.store import DEFAULT_URL

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ANSWER = json.loads(
    (FHIR_FIXTURES / "hook_responses" / "onasemnogene-order-sign" / "dose-by-formula.json").read_text("utf-8")
)["body"]
# Defaults that are not those of the class, as the page says them.
DEFAULTS = {
    "timezone": "in demo mode `UTC`",
    "public_base_url": "in demo mode `http://127.0.0.1:8000`",
    "database_url": f"`{DEFAULT_URL}`",
}


def section(title: str) -> str:
    """The text under a heading of the second level."""
    found = re.search(rf"(?ms)^## {title}$.*?(?=^## |\Z)", README)
    assert found is not None
    return found[0]


def rows(title: str) -> dict[str, list[str]]:
    """The table rows of a section, by their first cell."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for line in lines if (cells := [cell.strip() for cell in line.split("|")[1:-1]])}


@pytest.mark.parametrize("card", ANSWER["cards"], ids=lambda card: card["source"]["topic"]["code"])
def test_the_readme_shows_the_headlines_of_the_real_answer(card: dict[str, str]) -> None:
    assert card["summary"] in README


def test_the_readme_shows_the_dose_the_kit_and_the_suggestion_of_the_real_answer() -> None:
    suggestion = ANSWER["cards"][1]["suggestions"][0]
    assert suggestion["label"] in README
    assert "71894-120-02" in README
    assert "nobody has clinically reviewed" in README.lower()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_there_with_its_default(name: str) -> None:
    _, default = rows("Settings")[f"`CDS_{name.upper()}`"]
    own = Settings.model_fields[name].default
    said = DEFAULTS.get(name, "none" if own is None else f"`{str(own).lower()}`")
    assert said in default


def test_no_setting_is_there_that_the_service_does_not_know() -> None:
    named = set(re.findall(r"CDS_[A-Z_]+[A-Z]", README))
    assert named == {f"CDS_{name.upper()}" for name in Settings.model_fields}


def test_the_variables_of_the_process_stand_there_with_their_defaults() -> None:
    settings, usual = rows("Settings"), ServerSize()
    assert settings["`WEB_CONCURRENCY`"][1].startswith(f"`{usual.workers}`")
    assert settings["`WEB_THREADS`"][1] == f"`{usual.threads}`"
    assert {"`HOST`, `PORT`", "`REQUESTS_CA_BUNDLE`"} <= set(settings)


def test_every_command_is_there_and_no_other() -> None:
    named = {re.split(r"[ `]", cell)[2] for cell in rows("Commands") if cell.startswith("`cds-service ")}
    assert named == set(main.commands)


def test_every_path_is_there_and_no_other(app: Flask) -> None:
    told = re.findall(r"[ `](/[^`?]*)", " ".join(rows("HTTP")))
    adapter = app.url_map.bind("127.0.0.1")
    # A name stands for whatever stands in its place; GET is allowed on all but those that take something.
    found = {_rule_of(adapter, re.sub(r"[{][^}]+[}]", "any", path.replace("…", "Patient"))) for path in told}
    bare_fhir_bases = {rule.removesuffix("/<path:path>") for rule in found if rule.endswith("/fhir/<path:path>")}
    assert found | bare_fhir_bases == {rule.rule for rule in app.url_map.iter_rules()}


def _rule_of(adapter: MapAdapter, path: str) -> str:
    is_posted = path.startswith("/cds-services/") or path.endswith(("/app/course", "/auth/token"))
    method = "POST" if is_posted else "GET"
    rule, _ = adapter.match(path, method=method, return_rule=True)
    return rule.rule


@pytest.mark.spec("R-209")
def test_every_status_of_a_refusal_is_there() -> None:
    named = {int(status) for cell in rows("HTTP") for status in re.findall(r"\b[1-5]\d\d\b", cell)}
    assert {status for _, status, _ in _STATUS_AND_CODE} | {200, 405, 500} == named


def test_the_clients_file_that_is_shown_is_one(tmp_path: Path) -> None:
    written = next(text for text in re.findall(r"(?ms)^```toml\n(.*?)^```", README) if "[[client]]" in text)
    (tmp_path / "clients.toml").write_text(written, "utf-8")
    (client,) = load_clients(tmp_path / "clients.toml", ())
    assert client.name == "example-ehr"


def test_what_production_needs_is_named(app: Flask) -> None:
    start = section("In production").partition("starts only with")[2].partition(".\n")[0].partition(". ")[0]
    assert set(re.findall(r"CDS_[A-Z_]+", start)) == {"CDS_PUBLIC_BASE_URL", "CDS_CLIENTS_FILE", "CDS_TIMEZONE"}


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        path, _, anchor = target.partition("#")
        if not path.startswith("http"):
            page = ROOT / path if path else ROOT / "README.md"
            assert page.exists(), target
            assert not anchor or anchor in anchors_of(page.read_text("utf-8")), target


def anchors_of(page: str) -> set[str]:
    """Where links into a page may lead."""
    titles = re.findall(r"(?m)^#+ (.+)$", page)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
