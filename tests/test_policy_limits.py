"""How far a site may move each number of its policy: up to its limit and not one step further."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds_service.content_folders import CARDS
from cds_service.errors import SettingsProblem
from cds_service.presentation import Catalogue
from cds_service.presentation.site_files import SitePolicy
from cds_service.presentation.yaml_files import load_mapping, load_yaml

GROUPS: list[dict[str, Any]] = load_yaml(Path(__file__).with_name("policy_limits.yaml"))
LIMITS: dict[str, tuple[Any, Any]] = {name: limits for group in GROUPS for name, limits in group["limits"].items()}
POLICY = load_mapping(CARDS / "policy" / "site_policy.yaml")
SMALLEST_STEP = Decimal("0.001")


def accepted(name: str, value: Decimal) -> bool:
    """Whether the service starts with this value of the site. Numbers that are counted whole take whole steps."""
    entry = POLICY[name]
    site = SitePolicy("policy.toml", {name: value})
    try:
        given = site.value_of(name, entry["value"], entry["unit"], entry.get("at_least"), entry.get("at_most"))
    except SettingsProblem:
        return False
    return given == value


def step(name: str) -> Decimal:
    whole = all(isinstance(POLICY[name].get(field, 0), int) for field in ("value", "at_least", "at_most"))
    return Decimal(1) if whole else SMALLEST_STEP


@pytest.mark.parametrize("name", LIMITS)
def test_a_site_may_go_to_the_limit_and_no_further(name: str) -> None:
    lowest, highest = LIMITS[name]
    bottom = Decimal(0 if lowest is None else lowest)
    assert (accepted(name, bottom), accepted(name, bottom - step(name))) == (True, False)
    if highest is not None:
        assert (accepted(name, Decimal(highest)), accepted(name, Decimal(highest) + step(name))) == (True, False)
    else:
        assert accepted(name, Decimal(1_000_000))


def test_no_other_number_has_a_limit_but_0() -> None:
    limited = {name for name, entry in POLICY.items() if {"at_least", "at_most"} & set(entry)}
    assert limited == set(LIMITS)


@pytest.mark.parametrize("group", [group for group in GROUPS if "label" in group], ids=lambda group: group["because"])
def test_a_limit_that_rests_on_the_label_rests_on_its_number(group: dict[str, Any], catalogue: Catalogue) -> None:
    assert {name: catalogue.known.label[name] for name in group["label"]} == group["label"]
