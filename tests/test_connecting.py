"""docs/connecting.md tells an EHR analyst what to type; what it prints is what the service has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.content_folders import CARDS, FHIR_FIXTURES
from cds_service.errors import BadRequest
from cds_service.hooks.clients import Client
from cds_service.hooks.clients_file import _ClientTable, _OrderCodeTable, _QuirksTable, load_clients
from cds_service.hooks.json_body import read_json_object
from cds_service.hooks.key_sources import read_key_file
from cds_service.hooks.request import HookCall, read_hook_call
from cds_service.hooks.services import SERVICES, service_by_id
from cds_service.presentation import Catalogue
from cds_service.presentation.catalogue import TOPICS
from cds_service.replay import load_scenarios, read_signer

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "connecting.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL)

CLIENT_KEYS = set(_ClientTable.model_fields)
QUIRK_KEYS = set(_QuirksTable.model_fields)
ORDER_CODE_KEYS = set(_OrderCodeTable.model_fields)


def blocks(language: str) -> list[str]:
    """The code blocks of the page in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def section(number: int) -> str:
    """The text of one numbered section, code blocks left out."""
    found = re.search(rf"^## {number} .*?(?=^## |\Z)", PROSE.replace(f"## {number}. ", f"## {number} "), re.M | re.S)
    assert found is not None
    return found[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row in a text, without rulers; a header is a row too."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def quoted(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def context_of(service_id: str) -> dict[str, Any]:
    """A context with every field that a hook of ours may have."""
    empty = {"resourceType": "Bundle", "type": "collection", "entry": []}
    assert service_by_id(service_id)
    return {
        "userId": "Practitioner/example",
        "patientId": "example-child",
        "encounterId": "example-visit",
        "draftOrders": empty,
        "selections": [],
        "dispatchedOrders": ["MedicationRequest/example"],
        "performer": "Organization/example",
        "appointments": empty,
    }


def call_with(service_id: str, fields: list[str]) -> HookCall:
    """The call whose context has these fields and no others. Raises BadRequest as the service would."""
    service = service_by_id(service_id)
    context = {name: value for name, value in context_of(service_id).items() if name in fields}
    return read_hook_call({"hook": service.hook, "hookInstance": "example", "context": context}, service)


@pytest.fixture
def templates(client: FlaskClient) -> dict[str, str]:
    """The prefetch templates as discovery shows them."""
    shown: dict[str, str] = client.get("/cds-services").get_json()["services"][0]["prefetch"]
    return shown


@pytest.fixture
def examples() -> list[dict[str, Any]]:
    """The hook calls on the page, in its order: a silent one, one without the Patient, one that brings access."""
    calls = [read_json_object(text.encode()) for text in blocks("json")]
    assert [call["hook"] for call in calls] == ["patient-view", "order-sign", "patient-view"]
    return calls


@pytest.mark.spec("R-037")
def test_the_addresses_are_those_of_the_services() -> None:
    shown = {row[1].strip("`"): row[0].strip("`") for row in rows(section(1)) if "/cds-services/" in row[1]}
    assert shown == {f"{{base}}/cds-services/{service.service_id}": service.hook for service in SERVICES}


@pytest.mark.parametrize("row", [r for r in rows(section(1)) if "/cds-services/" in r[1]], ids=lambda row: row[0])
def test_the_context_fields_are_those_a_call_needs(row: list[str]) -> None:
    service_id, fields = quoted(row[1])[0].rsplit("/", 1)[1], quoted(row[2])
    assert call_with(service_id, fields).patient_id == "example-child"
    for missing in set(fields) - {"draftOrders"}:
        with pytest.raises(BadRequest, match=missing):
            call_with(service_id, [name for name in fields if name != missing])


def test_the_templates_to_type_are_those_of_discovery(templates: dict[str, str]) -> None:
    shown = {quoted(row[0])[0]: quoted(row[1])[0] for row in rows(section(2)) if "{{context.patientId}}" in row[1]}
    abbreviated = {key: re.sub(r"&code=[^&]+", "&code=…", template) for key, template in templates.items()}
    assert shown == abbreviated


def test_the_printed_command_prints_every_template_in_full(client: FlaskClient, templates: dict[str, str]) -> None:
    command = next(block for block in blocks("sh") if "python3 -c" in block)
    program = command.split("'")[1]
    ran = subprocess.run(
        [sys.executable, "-c", program], input=client.get("/cds-services").data, capture_output=True, check=True
    )
    assert dict(line.split("\t") for line in ran.stdout.decode().splitlines()) == templates


def test_the_size_of_the_observation_query_is_roughly_as_said(templates: dict[str, str]) -> None:
    assert "about 150 codes in 4,000 characters" in " ".join(PROSE.split())
    query = templates["observations"]
    assert query.count("%7C") == pytest.approx(150, rel=0.2)
    assert len(query) == pytest.approx(4000, rel=0.2)


def test_no_other_key_or_service_of_ours_is_named(templates: dict[str, str]) -> None:
    assert set(re.findall(r"onasemnogene-[a-z-]+", PAGE)) - {"onasemnogene-cds"} <= {s.service_id for s in SERVICES}
    starred = {quoted(row[0])[0] for row in rows(section(2)) if row[0].endswith("★")}
    assert starred == {"medicationRequests", "medicationAdministrations", "immunizations", "procedures"}
    assert starred <= set(templates)


def test_the_scopes_cover_every_type_that_is_asked_for(templates: dict[str, str]) -> None:
    types = {re.split(r"[/?]", template)[0] for template in templates.values()} | {"Medication"}
    version_1, version_2 = (block.split() for block in blocks("text"))
    assert sorted(version_1) == sorted(f"user/{kind}.read" for kind in types)
    assert sorted(version_2) == sorted(f"user/{kind}.rs" for kind in types)


def test_a_chart_without_record_and_access_gets_no_cards(client: FlaskClient, examples: list[dict[str, Any]]) -> None:
    response = client.post("/cds-services/onasemnogene-patient-view", json=examples[0])
    assert (response.status_code, response.get_json()) == (200, {"cards": []})


def test_a_product_order_without_the_patient_is_412_and_gets_cards_with_it(
    client: FlaskClient, examples: list[dict[str, Any]]
) -> None:
    address = "/cds-services/onasemnogene-order-sign"
    assert address in next(block for block in blocks("sh") if "call.json" in block)
    assert client.post(address, json=examples[1]).status_code == 412
    patient = {"resourceType": "Patient", "id": "example-child", "birthDate": "2026-01-01"}
    response = client.post(address, json={**examples[1], "prefetch": {"patient": patient}})
    assert response.status_code == 200
    assert response.get_json()["cards"]


def test_the_example_with_access_is_a_call_about_a_synthetic_child(examples: list[dict[str, Any]]) -> None:
    call = read_hook_call(examples[2], service_by_id("onasemnogene-patient-view"))
    patients = FHIR_FIXTURES.glob("patients/*/patient.json")
    assert call.patient_id in {json.loads(path.read_text(encoding="utf-8"))["id"] for path in patients}


@pytest.mark.parametrize("written", blocks("toml"))
def test_the_clients_files_hold_known_keys_and_one_way_to_the_keys(written: str) -> None:
    (client,) = tomllib.loads(written)["client"]
    assert set(client) <= CLIENT_KEYS
    assert ("jwks_file" in client) != ("jwks_url" in client)
    assert set(client.get("quirks", {})) <= QUIRK_KEYS
    codes = client.get("quirks", {}).get("order_code", [])
    assert all(set(item) == ORDER_CODE_KEYS for item in codes)
    orders = yaml.safe_load((CARDS / "shared" / "orders.yaml").read_text(encoding="utf-8"))
    assert {item["order"] for item in codes} <= set(orders)


def test_every_key_of_the_clients_file_is_explained_with_its_default() -> None:
    table = {
        name: row[2] for row in rows(section(4)) if len(row) == 3 for name in quoted(row[0]) if name in CLIENT_KEYS
    }
    assert set(table) == CLIENT_KEYS
    defaults = {field.name: field.default for field in fields(Client)}
    assert json.loads(quoted(table["algorithms"])[0]) == list(defaults["algorithms"])
    assert table["max_token_seconds"] == str(defaults["max_token_seconds"])
    required = {name for name, key in _ClientTable.model_fields.items() if key.is_required()}
    assert {name for name, default in table.items() if default == "required"} == required


def test_the_key_and_the_client_to_try_a_call_with_are_what_it_takes(tmp_path: Path) -> None:
    program = next(block for block in blocks("sh") if "replay.key.json" in block).split("'")[1]
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    written = next(text for text in blocks("toml") if "replay.jwks.json" in text)
    (tmp_path / "clients.toml").write_text(written, "utf-8")
    (client,) = load_clients(tmp_path / "clients.toml", ())
    signer = read_signer(tmp_path / "replay.key.json", client.issuer)
    keys = read_key_file("clients.toml", tmp_path / "replay.jwks.json")
    (key,) = keys.with_id(signer.key_id)
    assert key.verifies(signer.token_for("https://cds.example.org"), signer.algorithm)
    assert "d" not in json.loads((tmp_path / "replay.jwks.json").read_text("utf-8"))["keys"][0]
    assert (tmp_path / "replay.key.json").stat().st_mode & 0o077 == 0
    assert f"--issuer {client.issuer}" in PAGE


def test_the_number_of_scenarios_is_as_said() -> None:
    assert f"`{len(load_scenarios(FHIR_FIXTURES))} scenarios, 0 differ`" in PAGE


def test_every_quirk_is_explained() -> None:
    explained = {name for row in rows(section(4)) for text in quoted(row[0]) for name in re.findall(r"\w+", text)}
    assert explained >= QUIRK_KEYS


def test_every_setting_it_names_exists() -> None:
    named = set(re.findall(r"CDS_[A-Z_]+", PAGE))
    assert named <= {f"CDS_{name.upper()}" for name in Settings.model_fields}


def test_every_default_it_names_is_the_default() -> None:
    defaults = dict(re.findall(r"`CDS_([A-Z_]+)` \((\d+)\)", PAGE))
    assert defaults == {"MAX_BODY_MB": "16", "BUDGET_MS": "2000"}
    assert all(str(Settings.model_fields[name.lower()].default) == value for name, value in defaults.items())


def test_the_override_reasons_to_map_are_ours(catalogue: Catalogue) -> None:
    step = re.search(r"^10\. .*?(?=^11\. )", section(5), re.M | re.S)
    assert step is not None
    reasons = [code for code, _ in catalogue.phrases.override_reasons]
    assert [name for name in quoted(step[0]) if name not in ("info", "warning", "critical")] == reasons


def test_topics_are_letters_and_digits_as_one_ehr_needs() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9]{1,100}", topic) for topic in TOPICS)
    row = next(row for row in rows(section(5)) if "source.topic.code" in row[0])
    assert set(quoted(row[1])) <= set(TOPICS)


@pytest.mark.parametrize("number", [5, 6, 8])
def test_every_statement_about_an_ehr_says_how_sure_we_are(number: int) -> None:
    text = section(number)
    steps = re.findall(r"^\d+\. .*?(?=^\d+\. |^#|^ *\||\Z)", text, re.M | re.S)
    assert [step for step in steps if not marks(step)] == []
    unmarked = [row[0] for row in rows(text) if not any(map(marks, row))]
    assert [name for name in unmarked if name not in ("what", "", "EHR")] == []


def test_only_marks_of_the_legend_are_used() -> None:
    legend = {row[0].strip("[]") for row in rows(PROSE) if re.fullmatch(r"\[\w+\]", row[0])}
    assert set(marks(PROSE)) == legend


def marks(text: str) -> list[str]:
    """The words of the marks in a text: what stands in square brackets and is no code, link or box to tick."""
    return re.findall(r"\[(\w+)(?:: [^\]]+)?\](?!\()", re.sub(r"`[^`]+`", "", text))


def anchors_of(page: str) -> set[str]:
    """Where links into a page may lead."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {"#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_within_the_docs_leads_somewhere() -> None:
    anchors = anchors_of(PROSE)
    targets = re.findall(r"\]\(([^)]+)\)", PROSE)
    assert [t for t in targets if t.startswith("#") and t not in anchors] == []
    elsewhere = [target.partition("#") for target in targets if not target.startswith("#")]
    assert [path for path, _, _ in elsewhere if not (DOCS / path).is_file()] == []
    for path, _, anchor in elsewhere:
        assert not anchor or f"#{anchor}" in anchors_of((DOCS / path).read_text("utf-8")), f"{path}#{anchor}"
