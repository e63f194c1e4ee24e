"""The command line: what it prints, its exit codes, its errors of one line."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result
from production_settings import production_settings

from cds_service.cli import main
from cds_service.content_folders import FHIR_FIXTURES

BY_FORMULA = FHIR_FIXTURES / "hook_requests" / "onasemnogene-order-sign" / "dose-by-formula.json"
IRRELEVANT = FHIR_FIXTURES / "hook_requests" / "onasemnogene-order-select" / "irrelevant-order.json"
NOW = "2026-03-02T09:00:00Z"


def run(*words: str, stdin: bytes | None = None, **environment: str) -> Result:
    cleared = {name: None for name in ("CDS_MODE", "CDS_NOW", "HOST", "PORT")}
    before = structlog.get_config()
    try:
        return CliRunner().invoke(main, list(words), input=stdin, env={**cleared, **environment})
    finally:
        structlog.configure(**before)


def refused(result: Result) -> str:
    """The one line on standard error of a command that was refused."""
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def test_evaluate_prints_the_cards_for_a_person() -> None:
    result = run("evaluate", str(BY_FORMULA), "--now", NOW)
    assert result.exit_code == 0
    assert "CRITICAL: dose" in result.stdout
    assert "Change dose to 16.5 mL" in result.stdout
    assert "71894-120-02" in result.stdout


def test_evaluate_prints_the_response_for_machines() -> None:
    result = run("evaluate", "-", "--json", "--now", NOW, stdin=BY_FORMULA.read_bytes())
    assert result.exit_code == 0
    assert [card["source"]["topic"]["code"] for card in json.loads(result.stdout)["cards"]] == ["readiness", "dose"]


def test_what_is_logged_meanwhile_goes_to_standard_error_with_listed_fields_only() -> None:
    request = json.loads(BY_FORMULA.read_bytes())
    observation = {
        "resourceType": "Observation",
        "id": "synthetic-1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "99999-9"}], "text": "Alanine aminotransferase"},
        "subject": {"reference": f"Patient/{request['context']['patientId']}"},
        "effectiveDateTime": "2026-02-27T08:00:00Z",
        "valueQuantity": {"value": 10.5, "unit": "U/L"},
    }
    request["prefetch"]["observations"]["entry"].append({"resource": observation})
    result = run("evaluate", "-", "--json", "--now", NOW, stdin=json.dumps(request).encode())
    assert json.loads(result.stdout)["cards"]
    assert json.loads(result.stderr)["event"] == "unmapped_results"


def test_a_call_that_is_not_ours_is_no_error() -> None:
    result = run("evaluate", str(IRRELEVANT), "--now", NOW)
    assert (result.exit_code, result.stdout) == (0, "No cards: this request does not concern the service.\n")


def test_characters_that_steer_a_terminal_are_written_as_escapes() -> None:
    request = json.loads(BY_FORMULA.read_bytes())
    name = "Synthetic \u009b31m \u202e name"
    request["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"]["text"] = f"Zolgensma {name}"
    result = run("evaluate", "-", "--json", "--now", NOW, stdin=json.dumps(request).encode())
    assert not set("\u009b\u202e") & set(result.stdout)
    assert (
        name
        in json.loads(result.stdout)["cards"][1]["suggestions"][0]["actions"][0]["resource"][
            "medicationCodeableConcept"
        ]["text"]
    )


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "hook is missing or not offered"),
        (b'{"hook": "order-review"}', "use one of order-select, order-sign"),
        (b'{"hook": "order-sign"}', "hookInstance is missing"),
    ],
)
def test_evaluate_refuses_bad_input_in_one_line(stdin: bytes, says: str) -> None:
    assert says in refused(run("evaluate", "-", stdin=stdin))


def test_evaluate_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in refused(run("evaluate", str(tmp_path / "nowhere.json")))


def test_evaluate_refuses_a_moment_that_is_none() -> None:
    assert "--now is yesterday" in refused(run("evaluate", str(BY_FORMULA), "--now", "yesterday"))


def test_evaluate_says_that_the_patient_is_missing() -> None:
    request = json.loads(BY_FORMULA.read_bytes())
    del request["prefetch"]["patient"]
    assert "Patient is not available" in refused(run("evaluate", "-", stdin=json.dumps(request).encode()))


def test_an_unknown_setting_is_named() -> None:
    assert "CDS_NOWW" in refused(run("policy", CDS_NOWW="1"))


def test_policy_prints_value_unit_default_reason_and_section() -> None:
    lines = run("policy").stdout.splitlines()
    at = lines.index("weight.rounding.step_kg = 0.1 kg   (default 0.1)")
    assert lines[at + 1].startswith("    why: Table 1 prints one decimal")
    assert lines[at + 2] == "    label section: 2.1"


def test_policy_prints_what_a_site_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("[weight.freshness]\nunder_6_months_days = 5\n", "utf-8")
    result = run("policy", CDS_POLICY_FILE=str(file))
    assert "weight.freshness.under_6_months_days = 5 days   (default 7)" in result.stdout


def test_cards_prints_the_index_of_rules() -> None:
    result = run("cards")
    assert result.exit_code == 0
    assert "dose/dose-volume  section 2.1  P0-P1" in result.stdout
    assert "cannot-be-verified warning (order-select warning, appointment-book warning)" in result.stdout


def test_check_config_prints_the_effective_values_with_secrets_masked() -> None:
    secret = "postgresql://user:pass" + "word@db.example.org/cds?sslpassword=other"
    result = run("check-config", CDS_MODE="demo", CDS_DATABASE_URL=secret)
    assert result.exit_code == 0
    assert "CDS_DATABASE_URL=postgresql://***@db.example.org/cds?***\n" in result.stdout
    assert "cards: 98 rules; site policy changed: nothing" in result.stdout


@pytest.fixture
def clients_file(tmp_path: Path) -> Path:
    (tmp_path / "keys.json").write_text('{"keys": []}', "utf-8")
    file = tmp_path / "clients.toml"
    file.write_text(
        """
[[client]]
name = "example-ehr"
issuer = "https://ehr.example.org"
jwks_file = "keys.json"
fhir_base_urls = ["https://ehr.example.org/fhir/r4", "https://ehr.example.org/fhir/r5"]

[client.quirks]
one_action_per_suggestion = true
plain_text_detail = true
link_hosts = ["a.example.org", "b.example.org"]

[[client.quirks.order_code]]
order = "creatinine"
system = "urn:example:list"
code = "LAB66"
display = "Creatinine"

[[client]]
name = "second"
issuer = "https://user:word@second.example.org/?key=word"
jwks_url = "https://second.example.org/jwks?key=word"
subject = "word"
""",
        "utf-8",
    )
    return file


def test_check_config_prints_each_client_with_its_quirks_and_no_secrets(clients_file: Path) -> None:
    result = run("check-config", CDS_MODE="demo", CDS_CLIENTS_FILE=str(clients_file))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert (
        "client example-ehr: issuer https://ehr.example.org; "
        "FHIR https://ehr.example.org/fhir/r4, https://ehr.example.org/fhir/r5; "
        "quirks one_action_per_suggestion=true, plain_text_detail=true, link_hosts=a.example.org+b.example.org, "
        "order_codes=creatinine"
    ) in lines
    assert "client second: issuer https://***@second.example.org/?***; FHIR none; quirks none" in lines
    assert "word" not in result.stdout


def test_check_config_prints_the_networks_of_a_client(clients_file: Path) -> None:
    written = clients_file.read_text("utf-8").replace(
        "fhir_base_urls", 'private_networks = ["10.20.0.0/16"]\nfhir_base_urls'
    )
    clients_file.write_text(written, "utf-8")
    result = run("check-config", CDS_MODE="demo", CDS_CLIENTS_FILE=str(clients_file))
    assert "; private networks 10.20.0.0/16; quirks one_action" in result.stdout


def test_check_config_stops_at_a_wrong_clients_file(clients_file: Path) -> None:
    clients_file.write_text("[[client]]\n", "utf-8")
    message = refused(run("check-config", CDS_MODE="demo", CDS_CLIENTS_FILE=str(clients_file)))
    assert "client number 1: name is missing; add it" in message


def test_evaluate_answers_as_agreed_with_the_client_of_the_call(clients_file: Path) -> None:
    request = json.loads(BY_FORMULA.read_bytes())
    details = {}
    for server in ("https://ehr.example.org/fhir/r4", "https://unknown.example.org"):
        stdin = json.dumps({**request, "fhirServer": server}).encode()
        result = run("evaluate", "-", "--json", "--now", NOW, stdin=stdin, CDS_CLIENTS_FILE=str(clients_file))
        details[server] = json.loads(result.stdout)["cards"][1]["detail"]
    assert ["**" in detail for detail in details.values()] == [False, True]


@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_production_without_clients_is_refused(command: str) -> None:
    assert "CDS_PUBLIC_BASE_URL is missing" in refused(run(command))
    production = {"CDS_PUBLIC_BASE_URL": "https://cds.example.org", "CDS_TIMEZONE": "UTC"}
    assert "CDS_CLIENTS_FILE is missing" in refused(run(command, **production))


@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_production_with_a_client_without_keys_is_refused(command: str, clients_file: Path) -> None:
    production = {"CDS_PUBLIC_BASE_URL": "https://cds.example.org", "CDS_TIMEZONE": "UTC"}
    message = refused(run(command, CDS_CLIENTS_FILE=str(clients_file), **production))
    assert "client example-ehr: jwks_file: " in message
    assert "holds no usable public key" in message


def test_check_config_of_a_production_service_that_may_start_ends_well(tmp_path: Path) -> None:
    result = run("check-config", **production_settings(tmp_path))
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"HOST": "0.0.0.0"}, "loopback only"),
        ({"HOST": "ehr.example.org"}, "loopback only"),
        ({"PORT": "http"}, "PORT is http"),
        ({"PORT": "70000"}, "PORT is 70000"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY is 0; use a number from 1 to 64"),
        ({"WEB_THREADS": "many"}, "WEB_THREADS is many"),
        ({"CDS_POLICY_FILE": "nowhere.toml"}, "nowhere.toml"),
        ({"CDS_CLIENTS_FILE": "nowhere.toml"}, "nowhere.toml"),
    ],
)
def test_serve_in_demo_mode_refuses(environment: dict[str, str], says: str) -> None:
    assert says in refused(run("serve", CDS_MODE="demo", **environment))


def test_demo_refuses_to_be_production() -> None:
    assert "CDS_MODE is production" in refused(run("demo", CDS_MODE="production"))


def test_serve_says_in_one_line_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", CDS_MODE="demo", PORT=str(taken.getsockname()[1]))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot listen on 127.0.0.1 port" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_line_and_exit_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "cds_service", "demo", "--port", port], capture_output=True, text=True, check=False
        )
    assert (result.returncode, result.stdout) == (1, "")
    assert "cannot listen on" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_fault_of_ours_is_one_line_and_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> object:
        raise ValueError("Synthetic Name")

    monkeypatch.setattr("cds_service.hooks.Evaluator.answer", fail)
    result = run("evaluate", str(BY_FORMULA), "--now", NOW)
    assert result.exit_code == 1
    assert result.stderr == "error: the work failed (ValueError); run with --debug to see where\n"
