"""The settings, read once from the environment; a start with wrong settings is refused (interfaces section 6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cds_service.errors import SettingsProblem

PREFIX = "CDS_"
_ISO_START = re.compile(r"\d{4}-\d{2}-\d{2}T")
_LOOPBACK_BASE = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]+)?(?:/|$)")
_BYTES_PER_MEGABYTE = 1024 * 1024


class Settings(BaseSettings):
    """Every `CDS_` variable with its default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    mode: Literal["demo", "production"] = "production"
    public_base_url: str | None = Field(default=None, pattern=r"^https?://[^/?#\s]+[^?#\s]*$")
    clients_file: Path | None = None
    policy_file: Path | None = None
    codes_file: Path | None = None
    database_url: str | None = Field(default=None, repr=False)
    shared_state_url: str = Field(default="memory://", repr=False)
    now: AwareDatetime | None = None
    spec_profile: Literal["2.0", "3.0"] = "2.0"
    budget_ms: int = Field(default=2000, gt=0)
    max_body_mb: int = Field(default=16, gt=0, le=1024)
    timezone: str | None = None
    rate_limit: int = Field(default=600, ge=0)
    discovery_auth: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands over, so that a test or a command decides about the environment."""
        return (init_settings,)

    @field_validator("now", mode="before")
    @classmethod
    def _now_is_a_date(cls, written: object) -> object:
        if isinstance(written, str) and not _ISO_START.match(written):
            raise ValueError("is no ISO date and time with a zone")
        return written

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
                raise ValueError("is no IANA zone such as America/New_York") from unknown
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The site's zone: all day arithmetic happens in it."""
        return ZoneInfo(self.timezone or "UTC")

    @property
    def max_body_bytes(self) -> int:
        """The largest request body that is read."""
        return self.max_body_mb * _BYTES_PER_MEGABYTE

    @property
    def base_url(self) -> str:
        """The public base address without a trailing slash; links and code systems are built from it."""
        return (self.public_base_url or "http://127.0.0.1:8000").rstrip("/")

    @property
    def fixed_now(self) -> datetime | None:
        """The clock a harness has fixed, or None for the real one."""
        return self.now


def load_settings(environment: Mapping[str, str], **overrides: object) -> Settings:
    """The settings of this environment. Raises SettingsProblem, one line that names the variable.

    `overrides` are values a command sets itself, by field name; the environment wins over them.
    """
    known = {f"{PREFIX}{name.upper()}": name for name in Settings.model_fields}
    given = {name: value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    unknown = sorted(name for name in given if name not in known)
    if unknown:
        raise SettingsProblem(f"{unknown[0]} is no setting of this service; remove it or correct its name")
    values: dict[str, Any] = {**overrides, **{known[name]: value for name, value in given.items()}}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsProblem(_one_line(error)) from error
    if settings.mode == "production" and settings.now is not None:
        raise SettingsProblem("CDS_NOW is refused in production; unset it")
    return settings


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "?"
    said = str(first["msg"]).removeprefix("Value error, ")
    return f"{PREFIX}{name.upper()}: {said[:1].lower()}{said[1:]}; correct it"


def require_production_ready(settings: Settings, *, is_test_bench: bool) -> None:
    """Raise SettingsProblem where something is missing without which nobody may rely on the service.

    Demo mode needs nothing. `is_test_bench`: every client is one on this machine, so the service may be without
    encryption.
    """
    if settings.mode != "production":
        return
    if settings.public_base_url is None:
        raise SettingsProblem("CDS_PUBLIC_BASE_URL is missing; production needs the https address that EHRs call")
    if settings.clients_file is None:
        raise SettingsProblem("CDS_CLIENTS_FILE is missing; production answers only the EHRs that are named there")
    if settings.timezone is None:
        raise SettingsProblem("CDS_TIMEZONE is missing; name the site's zone, such as America/New_York")
    is_encrypted = settings.public_base_url.startswith("https://")
    if not is_encrypted and not (is_test_bench and _LOOPBACK_BASE.match(settings.public_base_url)):
        raise SettingsProblem(
            "CDS_PUBLIC_BASE_URL is not https; write https://, or, on a test bench, http://127.0.0.1 and clients that "
            "all have allow_insecure_loopback"
        )
