"""The catalogue of rules: every rule in full, the same for people and for machines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from page_parts import PageParts

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.content_folders import CARDS
from cds_service.domain.quantities import plain
from cds_service.presentation import Catalogue
from cds_service.presentation.catalogue import HOOKS, TOPICS
from cds_service.presentation.render import urgency_on
from cds_service.presentation.yaml_files import load_yaml

# What is prepared once for all of these tests is prepared in one process.
pytestmark = pytest.mark.xdist_group("rule pages")
RULES = sorted(path.stem for topic in TOPICS for path in (CARDS / topic).glob("*.md"))
JSON, HTML = {"Accept": "application/json"}, {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
Json = dict[str, Any]


def document(client: FlaskClient, path: str) -> Json:
    response = client.get(path, headers=JSON)
    assert (response.status_code, response.mimetype) == (200, "application/json")
    return response.json  # type: ignore[no-any-return]


def page(client: FlaskClient, path: str) -> PageParts:
    response = client.get(path, headers=HTML)
    assert (response.status_code, response.content_type) == (200, "text/html; charset=utf-8")
    return PageParts(response.text)


# --- the index


def test_the_index_has_every_rule_and_no_other(client: FlaskClient) -> None:
    assert sorted(rule["id"] for rule in document(client, "/rules")["rules"]) == RULES


def test_the_index_goes_by_topic(client: FlaskClient) -> None:
    topics = [rule["topic"] for rule in document(client, "/rules")["rules"]]
    assert list(dict.fromkeys(topics)) == list(TOPICS)
    assert topics == sorted(topics, key=TOPICS.index)


def test_the_index_leads_to_every_page(client: FlaskClient, catalogue: Catalogue) -> None:
    index = page(client, "/rules")
    leading = [address for address in index.attributes("a", "href") if address.startswith("/rules/")]
    assert sorted(leading) == [f"/rules/{rule}" for rule in RULES]
    for card in catalogue.cards.values():
        assert card.title in index.text


# --- one rule


@pytest.mark.parametrize("rule_id", RULES)
def test_a_rule_is_told_with_everything_its_card_file_says(
    client: FlaskClient, catalogue: Catalogue, rule_id: str
) -> None:
    told, card = document(client, f"/rules/{rule_id}"), catalogue.cards[rule_id]
    assert (told["title"], told["topic"], told["section"]) == (card.title, card.topic, card.section)
    assert told["reviewed"] == "none yet"
    assert (CARDS.parent / told["file"]).is_file()
    written = (CARDS.parent / told["file"]).read_text("utf-8")
    for words in (
        told["words"]["headline"],
        told["words"]["message"],
        *(p["text"] for p in told["words"]["paragraphs"]),
    ):
        assert words in written
    for grade in told["grades"]:
        expected = {h: urgency_on(h, card, card.grades[grade["grade"]]) for h in HOOKS if h in card.hooks}
        assert grade["levels"] == expected
    assert [grade["grade"] for grade in told["grades"]] == list(card.grades)
    used = [(kind, name) for kind, names in card.uses.items() for name in names]
    assert [(number["kind"], number["name"]) for number in told["numbers"]] == used


@pytest.mark.parametrize("rule_id", RULES)
def test_a_number_is_told_with_what_stands_behind_it(client: FlaskClient, catalogue: Catalogue, rule_id: str) -> None:
    behind = {
        "label": ("section", "quote"),
        "policy": ("because", "decidedBy", "default", "isChangedBySite"),
        "outside": ("source",),
    }
    for number in document(client, f"/rules/{rule_id}")["numbers"]:
        described = getattr(catalogue.known, number["kind"]).described(number["name"])
        assert (number["value"], number["unit"]) == (plain(described.value), described.unit)
        for name in behind[number["kind"]]:
            assert number[name] not in ("", None), (number["name"], name)


@pytest.mark.parametrize("rule_id", RULES)
def test_the_page_and_the_document_agree(client: FlaskClient, rule_id: str) -> None:
    told, shown = document(client, f"/rules/{rule_id}"), page(client, f"/rules/{rule_id}")
    assert shown.open == []
    assert shown.inline_code() == []
    for text in (told["id"], told["title"], told["section"], told["file"], told["reviewed"], told["neverUnknown"]):
        assert text in shown.text
    for number in told["numbers"]:
        proof = number.get("quote") or number.get("because") or number.get("source")
        assert number["name"] in shown.text
        assert f"{number['value']} {number['unit']}" in shown.text
        assert proof in shown.text
    for case in told["cases"]:
        assert case["name"] in shown.text
    for level in {level for grade in told["grades"] for level in grade["levels"].values()}:
        assert level in shown.text


def test_every_case_of_the_case_files_is_told_of_its_rule(client: FlaskClient) -> None:
    cases = [case for path in sorted(CARDS.glob("*/cases.yaml")) for case in load_yaml(path)]
    told = [
        (rule_id, case["name"], case["expect"])
        for rule_id in RULES
        for case in document(client, f"/rules/{rule_id}")["cases"]
    ]
    assert sorted(told) == sorted((case["rule"], case["name"], case["expect"]) for case in cases)


def test_placeholders_are_shown_as_placeholders_and_no_template_is_left_on_the_page(client: FlaskClient) -> None:
    html = client.get("/rules/weight-stale", headers=HTML).text
    assert '<span class="placeholder">weight_age_days</span>' in html
    assert "otherwise" in html
    for rule_id in RULES:
        shown = page(client, f"/rules/{rule_id}").text
        assert "{{" not in shown, rule_id
        assert "{%" not in shown, rule_id


def test_a_rule_is_milder_while_choosing_and_silent_on_other_hooks(client: FlaskClient) -> None:
    stale = document(client, "/rules/weight-stale")["grades"][0]
    assert (stale["grade"], stale["basis"]) == ("stale", "policy")
    assert stale["levels"] == {
        "order-select": "info",
        "order-sign": "warning",
        "order-dispatch": "warning",
        "encounter-start": "warning",
    }


def test_the_policy_numbers_that_decide_come_first_and_say_so(client: FlaskClient) -> None:
    deciding = [n["name"] for n in document(client, "/rules/weight-stale")["numbers"] if n.get("isExplainedOnCard")]
    assert len(deciding) == 3
    shown = page(client, "/rules/weight-stale").text
    assert shown.count("decides; stands on the card with its reason") == 3
    assert max(map(shown.index, deciding)) < shown.index("weight.rounding.step_kg")


def test_a_policy_number_that_the_site_has_changed_is_told_as_the_sites(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[weight.freshness]\nunder_6_months_days = 5\n", encoding="utf-8")
    environment = {"CDS_MODE": "demo", "CDS_POLICY_FILE": str(tmp_path / "policy.toml")}
    client = create_app(load_settings(environment)).test_client()
    numbers = {number["name"]: number for number in document(client, "/rules/weight-stale")["numbers"]}
    changed = numbers["weight.freshness.under_6_months_days"]
    assert (Decimal(changed["value"]), Decimal(changed["default"]), changed["isChangedBySite"]) == (5, 7, True)
    assert not numbers["weight.freshness.from_6_months_days"]["isChangedBySite"]
    assert "set by this site; built in: 7 days" in page(client, "/rules/weight-stale").text
    assert document(client, "/about")["ruleSet"]["changedPolicy"] == ["weight.freshness.under_6_months_days"]


# --- who gets what


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("text/html,*/*;q=0.8", "text/html"),
        ("application/json", "application/json"),
        ("application/json;q=0.5, text/html", "text/html"),
        ("*/*", "text/html"),
        ("image/png", "text/html"),
        ("", "text/html"),
    ],
)
@pytest.mark.parametrize("path", ["/rules", "/rules/dose-volume", "/about"])
def test_a_caller_gets_json_only_where_it_would_rather_have_it(
    client: FlaskClient, path: str, accept: str, mimetype: str
) -> None:
    response = client.get(path, headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (200, mimetype)
    assert response.headers.getlist("Vary") == ["Accept, Origin"]


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize(
    "name", ["no-such-rule", "DOSE-VOLUME", "<script>alert(1)</script>", "..%2Fabout", "dose volume"]
)
def test_an_unknown_rule_is_refused_as_json_that_repeats_nothing(client: FlaskClient, name: str, accept: str) -> None:
    response = client.get(f"/rules/{name}", headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (404, "application/json")
    assert response.json["resourceType"] == "OperationOutcome"
    assert name not in response.text


def test_looking_a_rule_up_is_no_hook_call_and_reads_no_file(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/rules/dose-volume")
    client.get("/rules")
    client.get("/about")

    def no_file(*_: object, **__: object) -> None:
        raise AssertionError("a file is read while a request is answered")

    monkeypatch.setattr("builtins.open", no_file)
    monkeypatch.setattr(Path, "read_text", no_file)
    monkeypatch.setattr(Path, "read_bytes", no_file)
    assert client.get("/rules/liver-worsening").status_code == 200
    assert client.get("/rules", headers=JSON).status_code == 200
    assert client.get("/about").status_code == 200
    assert client.get("/static/pages.css").status_code == 200
