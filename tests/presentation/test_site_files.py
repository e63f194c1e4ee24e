"""The site's own policy and codes: what is accepted, and what stops the start with a line that says why."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.content_folders import CARDS
from cds_service.errors import SettingsProblem
from cds_service.presentation import Catalogue, load_catalogue
from cds_service.presentation.site_files import load_site_codes, load_site_policy

Load = Callable[[str], Catalogue]


@pytest.fixture
def with_policy(tmp_path: Path, cards_with_few_codes: Path) -> Load:
    """The catalogue under a site's policy file of this content."""

    def load(content: str) -> Catalogue:
        path = tmp_path / "policy.toml"
        path.write_text(content, encoding="utf-8")
        return load_catalogue(cards_with_few_codes, load_site_policy(path), load_site_codes(None))

    return load


@pytest.fixture
def with_codes(tmp_path: Path, short_cards: Path) -> Load:
    """The catalogue under a site's codes file of this content."""

    def load(content: str) -> Catalogue:
        path = tmp_path / "codes.toml"
        path.write_text(content, encoding="utf-8")
        return load_catalogue(short_cards, load_site_policy(None), load_site_codes(path))

    return load


def test_without_files_everything_is_as_delivered(catalogue: Catalogue) -> None:
    delivered = load_catalogue(CARDS, load_site_policy(None), load_site_codes(None))
    assert dict(delivered.known.policy) == dict(catalogue.known.policy)


@pytest.mark.parametrize(
    ("content", "name", "value"),
    [
        ("[weight.freshness]\nunder_6_months_days = 5\n", "weight.freshness.under_6_months_days", "5"),
        ("weight.freshness.under_6_months_days = 5\n", "weight.freshness.under_6_months_days", "5"),
        ('"weight.freshness.under_6_months_days" = 5\n', "weight.freshness.under_6_months_days", "5"),
        ("[infusion.rate]\ntolerance = 0.02\n", "infusion.rate.tolerance", "0.02"),
        ("[infusion.rate]\ntolerance = 0\n", "infusion.rate.tolerance", "0"),
        ("[infusion.rate]\ntolerance = 0.05\n", "infusion.rate.tolerance", "0.05"),
        ("", "infusion.rate.tolerance", "0.01"),
    ],
)
def test_a_sites_policy_is_read_exactly(with_policy: Load, content: str, name: str, value: str) -> None:
    policy = with_policy(content).known.policy
    assert policy[name] == Decimal(value)
    assert str(policy[name]) == value


def test_the_delivered_value_is_remembered_beside_the_sites(with_policy: Load) -> None:
    described = with_policy("[infusion.rate]\ntolerance = 0.02\n").known.policy.described("infusion.rate.tolerance")
    assert (described.value, described.default) == (Decimal("0.02"), Decimal("0.01"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[infusion.rate]\ntolerance = 0.06\n", "infusion.rate.tolerance is 0.06; it must be 0 to 0.05"),
        ("[infusion.rate]\ntolerance = -0.01\n", "infusion.rate.tolerance is -0.01; it must be 0 to 0.05"),
        ("[weight.rounding]\nstep_kg = 0.5\n", "weight.rounding.step_kg is 0.5; it must be 0.1 to 0.1"),
        ("[term]\nfloor_weeks = 36\n", "term.floor_weeks is 36; it must be 37 to 42"),
        ("[term]\nany_birth_days = 100\n", "term.any_birth_days is 100; it must be 119 or more"),
        ("[weight]\nfreshnes = 5\n", "weight.freshnes is no policy"),
        ("[infusion]\nminutes = 30\n", "infusion.minutes is no policy"),
        ("infusion_minutes = 30\n", "infusion_minutes is no policy"),
        ('[infusion.rate]\ntolerance = "0.02"\n', "infusion.rate.tolerance is not a number; write digits"),
        ("[infusion.rate]\ntolerance = true\n", "infusion.rate.tolerance is not a number; write digits"),
        ("[infusion.rate]\ntolerance = nan\n", "infusion.rate.tolerance is not a number; write digits"),
        ("[infusion.rate]\ntolerance = inf\n", "infusion.rate.tolerance is not a number; write digits"),
        ("[infusion.rate]\ntolerance = [0.01]\n", "infusion.rate.tolerance is not a number; write digits"),
        ("[infusion.rate]\ntolerance = 2026-03-01\n", "infusion.rate.tolerance is not a number; write digits"),
        ("[infusion.rate\n", "is not TOML"),
        ("tolerance = \n", "is not TOML"),
    ],
)
def test_a_wrong_policy_stops_the_start(with_policy: Load, tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(SettingsProblem) as refused:
        with_policy(content)
    message = str(refused.value)
    assert str(tmp_path / "policy.toml") in message
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "name",
    [
        "weight.freshness.under_6_months_days",
        "rule_set.recheck_months",
        "observation.same_time_minutes",
        "term.notice_weeks",
        "weight.freshness.young_below_months",
    ],
)
def test_whole_days_weeks_and_months_take_no_fraction(with_policy: Load, name: str) -> None:
    with pytest.raises(SettingsProblem):
        with_policy(f"{name} = 37.5\n" if "term" in name else f"{name} = 6.5\n")


LOCAL_WEIGHT = """
[[code]]
concept = "body_weight"
system = "urn:oid:1.2.840.114350"
code = "14"
name = "Dosing weight"
"""
POUNDS = """
[[unit]]
concept = "body_weight"
spelling = "lbs"
means = "[lb_av]"
"""


def test_a_local_code_stands_for_our_concept(with_codes: Load) -> None:
    found = with_codes(LOCAL_WEIGHT).codes.look_up("urn:oid:1.2.840.114350", "14")
    assert found is not None
    assert (found[0], found[1].name) == ("body_weight", "Dosing weight")


def test_a_local_code_takes_nothing_away(with_codes: Load) -> None:
    codes = with_codes(LOCAL_WEIGHT).codes
    assert codes.look_up("http://loinc.org", "29463-7") is not None


@pytest.mark.parametrize("system", ["LOINC", "http://loinc.org"])
def test_a_public_code_may_be_mapped_too(with_codes: Load, system: str) -> None:
    content = LOCAL_WEIGHT.replace("urn:oid:1.2.840.114350", system).replace('"14"', '"79348-9"')
    found = with_codes(content).codes.look_up("http://loinc.org", "79348-9")
    assert found is not None
    assert found[0] == "body_weight"


def test_a_local_spelling_of_a_unit_is_understood(with_codes: Load) -> None:
    assert with_codes(POUNDS).known.units.spelled("body_weight", "lbs") == "[lb_av]"


def test_both_kinds_may_stand_in_one_file(with_codes: Load) -> None:
    both = with_codes(LOCAL_WEIGHT + POUNDS)
    assert both.codes.look_up("urn:oid:1.2.840.114350", "14")
    assert both.known.units.spelled("body_weight", "lbs")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LOCAL_WEIGHT.replace("body_weight", "body_wait"), "concept body_wait is unknown"),
        (
            LOCAL_WEIGHT.replace('name = "Dosing weight"\n', ""),
            "[[code]] number 1 must have exactly concept, system, code, name as text",
        ),
        (LOCAL_WEIGHT + 'kind = "x"\n', "[[code]] number 1 must have exactly"),
        (LOCAL_WEIGHT.replace('"14"', "14"), "[[code]] number 1 must have exactly"),
        (LOCAL_WEIGHT.replace('"14"', '" "'), "[[code]] number 1 must have exactly"),
        (LOCAL_WEIGHT + LOCAL_WEIGHT.replace('"14"', "14"), "[[code]] number 2 must have exactly"),
        (POUNDS.replace("body_weight", "height"), "concept height has no units"),
        (POUNDS.replace("[lb_av]", "stone"), "lbs means stone, which is no unit of body_weight"),
        (
            POUNDS.replace('means = "[lb_av]"\n', ""),
            "[[unit]] number 1 must have exactly concept, spelling, means as text",
        ),
        ("[[codes]]\n", "codes is unknown; use [[code]] and [[unit]] tables"),
        ('code = "14"\n', "[[code]]"),
        ("code = 14\n", "[[code]]"),
        ('[code]\nconcept = "body_weight"\n', "[[code]]"),
        ("[[code]\n", "is not TOML"),
    ],
)
def test_a_wrong_codes_file_stops_the_start(with_codes: Load, tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(SettingsProblem) as refused:
        with_codes(content)
    message = str(refused.value)
    assert str(tmp_path / "codes.toml") in message
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize("load", [load_site_policy, load_site_codes])
def test_a_file_that_is_not_utf_8_stops_the_start(tmp_path: Path, load: object) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes("name = 'ü'\n".encode("latin-1"))
    with pytest.raises(SettingsProblem, match=r"site\.toml"):
        load(path)  # type: ignore[operator]


@pytest.mark.parametrize("load", [load_site_policy, load_site_codes])
def test_a_folder_is_no_file(tmp_path: Path, load: object) -> None:
    with pytest.raises(SettingsProblem, match="cannot be read"):
        load(tmp_path)  # type: ignore[operator]
