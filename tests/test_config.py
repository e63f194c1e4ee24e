"""The CDS_ variables: each is read, and a wrong one stops the start with one line that names it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cds_service.app import create_app
from cds_service.config import Settings, load_settings, require_production_ready
from cds_service.errors import SettingsProblem

DEMO = {"CDS_MODE": "demo"}
VARIABLES = {
    "CDS_MODE", "CDS_PUBLIC_BASE_URL", "CDS_CLIENTS_FILE", "CDS_POLICY_FILE", "CDS_CODES_FILE", "CDS_DATABASE_URL",
    "CDS_SHARED_STATE_URL", "CDS_NOW", "CDS_SPEC_PROFILE", "CDS_BUDGET_MS", "CDS_MAX_BODY_MB", "CDS_TIMEZONE",
    "CDS_RATE_LIMIT", "CDS_DISCOVERY_AUTH", "CDS_LOG_LEVEL",
}  # fmt: skip


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsProblem) as refused:
        load_settings(environment)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_the_variables_are_those_of_the_contract() -> None:
    assert {f"CDS_{name.upper()}" for name in Settings.model_fields} == VARIABLES


def test_without_any_variable_the_mode_is_production() -> None:
    assert load_settings({}).mode == "production"


DEFAULTS: dict[str, Any] = {
    "public_base_url": None,
    "clients_file": None,
    "policy_file": None,
    "codes_file": None,
    "shared_state_url": "memory://",
    "now": None,
    "spec_profile": "2.0",
    "budget_ms": 2000,
    "max_body_mb": 16,
    "rate_limit": 600,
    "discovery_auth": False,
    "log_level": "info",
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_default_is_that_of_the_contract(name: str) -> None:
    assert getattr(load_settings(DEMO), name) == DEFAULTS[name]


GOOD: dict[str, tuple[str, str, Any]] = {
    "CDS_MODE": ("mode", "demo", "demo"),
    "CDS_PUBLIC_BASE_URL": (
        "public_base_url",
        "https://cds.example.org/zolgensma",
        "https://cds.example.org/zolgensma",
    ),
    "CDS_CLIENTS_FILE": ("clients_file", "clients.toml", Path("clients.toml")),
    "CDS_POLICY_FILE": ("policy_file", "policy.toml", Path("policy.toml")),
    "CDS_CODES_FILE": ("codes_file", "codes.toml", Path("codes.toml")),
    "CDS_DATABASE_URL": ("database_url", "sqlite:///x.sqlite3", "sqlite:///x.sqlite3"),
    "CDS_SHARED_STATE_URL": ("shared_state_url", "redis://localhost:6379/0", "redis://localhost:6379/0"),
    "CDS_NOW": ("now", "2026-03-02T09:00:00Z", datetime(2026, 3, 2, 9, tzinfo=UTC)),
    "CDS_SPEC_PROFILE": ("spec_profile", "3.0", "3.0"),
    "CDS_BUDGET_MS": ("budget_ms", "500", 500),
    "CDS_MAX_BODY_MB": ("max_body_mb", "1", 1),
    "CDS_TIMEZONE": ("timezone", "America/New_York", "America/New_York"),
    "CDS_RATE_LIMIT": ("rate_limit", "0", 0),
    "CDS_DISCOVERY_AUTH": ("discovery_auth", "true", True),
    "CDS_LOG_LEVEL": ("log_level", "debug", "debug"),
}


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_each_variable_is_read(name: str) -> None:
    field, written, value = GOOD[name]
    assert getattr(load_settings({**DEMO, name: written}), field) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CDS_MODE", "test"),
        ("CDS_MODE", ""),
        ("CDS_MODE", "Demo"),
        ("CDS_PUBLIC_BASE_URL", "cds.example.org"),
        ("CDS_PUBLIC_BASE_URL", "ftp://cds.example.org"),
        ("CDS_PUBLIC_BASE_URL", "https://"),
        ("CDS_PUBLIC_BASE_URL", "https://cds.example.org/?a=1"),
        ("CDS_PUBLIC_BASE_URL", "https://cds.example.org/#top"),
        ("CDS_PUBLIC_BASE_URL", "https://cds.example.org/a b"),
        ("CDS_NOW", "yesterday"),
        ("CDS_NOW", "2026-03-02T09:00:00"),
        ("CDS_NOW", "2026-02-30T09:00:00Z"),
        ("CDS_SPEC_PROFILE", "1.0"),
        ("CDS_SPEC_PROFILE", "3"),
        ("CDS_BUDGET_MS", "0"),
        ("CDS_BUDGET_MS", "-1"),
        ("CDS_BUDGET_MS", "soon"),
        ("CDS_MAX_BODY_MB", "0"),
        ("CDS_MAX_BODY_MB", "1.5"),
        ("CDS_MAX_BODY_MB", "much"),
        ("CDS_MAX_BODY_MB", "99999"),
        ("CDS_TIMEZONE", "Mars/Base"),
        ("CDS_TIMEZONE", "New York"),
        ("CDS_TIMEZONE", ""),
        ("CDS_TIMEZONE", "../../../etc/passwd"),
        ("CDS_TIMEZONE", "/etc/localtime"),
        ("CDS_TIMEZONE", "America"),
        ("CDS_RATE_LIMIT", "-1"),
        ("CDS_RATE_LIMIT", "many"),
        ("CDS_DISCOVERY_AUTH", "maybe"),
        ("CDS_DISCOVERY_AUTH", ""),
        ("CDS_LOG_LEVEL", "loud"),
        ("CDS_LOG_LEVEL", "DEBUG "),
    ],
)
def test_a_bad_value_is_refused_in_one_line_that_names_the_variable(name: str, value: str) -> None:
    assert name in refusal({**DEMO, name: value})


@pytest.mark.parametrize("name", ["CDS_FOO", "CDS_", "CDS_MODES", "cds_mode", "CDS_TIME_ZONE", "CDS_POLICY_FILE_"])
def test_an_unknown_variable_is_refused_by_name(name: str) -> None:
    assert name in refusal({**DEMO, name: "x"})


def test_other_peoples_variables_are_ignored() -> None:
    assert load_settings({**DEMO, "PATH": "/bin", "MODE": "production", "XCDS_MODE": "x"}).mode == "demo"


def test_only_the_given_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_MODE", "demo")
    monkeypatch.setenv("CDS_BUDGET_MS", "7")
    settings = load_settings({})
    assert (settings.mode, settings.budget_ms) == ("production", 2000)


def test_the_environment_wins_over_what_a_command_sets() -> None:
    settings = load_settings(
        {"CDS_PUBLIC_BASE_URL": "https://cds.example.org"}, mode="demo", public_base_url="http://127.0.0.1:9"
    )
    assert (settings.mode, settings.base_url) == ("demo", "https://cds.example.org")


@pytest.mark.parametrize("url", ["https://cds.example.org/x", "https://cds.example.org/x/"])
def test_the_base_address_has_no_final_slash(url: str) -> None:
    assert load_settings({**DEMO, "CDS_PUBLIC_BASE_URL": url}).base_url == "https://cds.example.org/x"


def test_without_a_public_address_links_go_to_this_machine() -> None:
    assert load_settings(DEMO).base_url.startswith("http://127.0.0.1:")


def test_a_megabyte_is_1024_times_1024_bytes() -> None:
    assert load_settings({**DEMO, "CDS_MAX_BODY_MB": "2"}).max_body_bytes == 2 * 1024 * 1024


# --- time


def test_the_zone_is_utc_in_demo_mode_unless_it_is_set() -> None:
    assert load_settings(DEMO).zone == ZoneInfo("UTC")
    assert load_settings({**DEMO, "CDS_TIMEZONE": "Europe/Zurich"}).zone == ZoneInfo("Europe/Zurich")


def test_the_zone_decides_which_day_it_is() -> None:
    settings = load_settings({**DEMO, "CDS_TIMEZONE": "Pacific/Auckland", "CDS_NOW": "2026-03-02T12:30:00Z"})
    assert settings.now is not None
    assert settings.now.astimezone(settings.zone).date() == date(2026, 3, 3)


def test_a_fixed_clock_is_refused_in_production() -> None:
    message = refusal({"CDS_MODE": "production", "CDS_NOW": "2026-03-02T09:00:00Z"})
    assert "CDS_NOW" in message


def test_a_fixed_clock_is_refused_where_production_is_the_default() -> None:
    assert "CDS_NOW" in refusal({"CDS_NOW": "2026-03-02T09:00:00Z"})


# --- production


READY = {
    "CDS_PUBLIC_BASE_URL": "https://cds.example.org",
    "CDS_CLIENTS_FILE": "clients.toml",
    "CDS_TIMEZONE": "UTC",
}


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("is_test_bench", [False, True])
def test_production_needs_an_address_clients_and_a_zone(name: str, is_test_bench: bool) -> None:
    environment = {other: value for other, value in READY.items() if other != name}
    with pytest.raises(SettingsProblem) as refused:
        require_production_ready(load_settings(environment), is_test_bench=is_test_bench)
    assert str(refused.value).startswith(f"{name} is missing; ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("is_test_bench", [False, True])
def test_production_is_ready_with_all_of_them(is_test_bench: bool) -> None:
    require_production_ready(load_settings(READY), is_test_bench=is_test_bench)


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000/base", True),
        ("http://cds.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://localhost:8000@example.org", False),
        ("http://10.0.0.1", False),
    ],
)
@pytest.mark.spec("R-002")
def test_production_without_encryption_is_for_a_test_bench_on_this_machine(url: str, is_fine: bool) -> None:
    settings = load_settings({**READY, "CDS_PUBLIC_BASE_URL": url})
    with pytest.raises(SettingsProblem, match="CDS_PUBLIC_BASE_URL is not https; write https://"):
        require_production_ready(settings, is_test_bench=False)
    if is_fine:
        require_production_ready(settings, is_test_bench=True)
    else:
        with pytest.raises(SettingsProblem, match="CDS_PUBLIC_BASE_URL is not https"):
            require_production_ready(settings, is_test_bench=True)


def test_demo_mode_is_ready() -> None:
    require_production_ready(load_settings(DEMO), is_test_bench=False)


def test_an_unknown_place_of_shared_state_stops_the_start() -> None:
    with pytest.raises(SettingsProblem, match="CDS_SHARED_STATE_URL"):
        create_app(load_settings({**DEMO, "CDS_SHARED_STATE_URL": "memcached://127.0.0.1"}))


# --- the files that variables name


@pytest.mark.parametrize("name", ["CDS_POLICY_FILE", "CDS_CODES_FILE", "CDS_CLIENTS_FILE"])
def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path, name: str) -> None:
    missing = tmp_path / "nowhere.toml"
    with pytest.raises(SettingsProblem) as refused:
        create_app(load_settings({**DEMO, name: str(missing)}))
    message = str(refused.value)
    assert str(missing) in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["CDS_POLICY_FILE", "CDS_CODES_FILE", "CDS_CLIENTS_FILE"])
def test_the_variable_of_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsProblem, match=name):
        create_app(load_settings({**DEMO, name: str(tmp_path / "nowhere.toml")}))


def test_the_sites_policy_reaches_the_rules(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[weight.freshness]\nunder_6_months_days = 5\n", encoding="utf-8")
    app = create_app(load_settings({**DEMO, "CDS_POLICY_FILE": str(policy)}))
    known = app.extensions["cds_evaluator"].catalogue.known
    assert known.policy["weight.freshness.under_6_months_days"] == 5


def test_no_password_stands_in_the_settings_as_they_are_printed() -> None:
    addresses = {"CDS_DATABASE_URL": "postgresql://u:SECRET@h/db", "CDS_SHARED_STATE_URL": "redis://:SECRET@h"}
    assert "SECRET" not in repr(load_settings({"CDS_MODE": "demo", **addresses}))
