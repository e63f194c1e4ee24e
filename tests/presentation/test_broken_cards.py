"""Broken card files: the start is refused, and the message names the file, the fault and the remedy."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cds_service.errors import CdsError, ContentProblem
from cds_service.presentation import Catalogue, load_catalogue
from cds_service.presentation.site_files import SiteCodes, SitePolicy

STALE = "dose/weight-stale.md"
CODE_SYSTEMS = "shared/code_systems.yaml"
ABOUT, PAGES = "shared/about.yaml", "shared/pages.yaml"
VALUES, POLICY, OUTSIDE = "label/values.yaml", "policy/site_policy.yaml", "outside/values.yaml"
ROUTES, UNITS, CHECKLIST, ORDERS = (
    "outside/codes/routes.yaml",
    "outside/units.yaml",
    "readiness/checklist.yaml",
    "shared/orders.yaml",
)
TABLE_1, TABLE_3 = "label/table_1_dose.csv", "label/table_3_kits.csv"


@pytest.fixture
def cards(cards_with_few_codes: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(cards_with_few_codes, tmp_path / "cards"))


def load(folder: Path) -> Catalogue:
    return load_catalogue(folder, SitePolicy(), SiteCodes())


def refusal(folder: Path) -> str:
    with pytest.raises(ContentProblem) as refused:
        load(folder)
    message = str(refused.value)
    assert "\n" not in message
    return message


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} no longer holds {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_copy_is_sound_before_it_is_broken(cards: Path) -> None:
    assert load(cards).cards


# file, what stands there, what is put in its place, and what the message must say
BROKEN: dict[str, tuple[str, str, str, str]] = {
    "header: a field is missing": (STALE, "reviewed: none yet\n", "", "field reviewed is missing; add it"),
    "header: a field is unknown": (STALE, "reviewed:", "severity: high\nreviewed:", "field severity is unknown; correct or remove it"),
    "header: no header": (STALE, "---\n", "", "begin with --- lines"),
    "header: the section is a number": (STALE, 'section: "2.1"', "section: 2.10", "is not in quotes; write section:"),
    "header: the hook is unknown": (STALE, "order-sign", "order-review", "hooks is order-review; use one of"),
    "header: the basis is unknown": (STALE, "basis: policy", "basis: habit", "basis is habit; use one of label, policy, outside-label"),
    "header: the level is unknown": (STALE, "warning", "hard-stop", "urgency is hard-stop; use one of info, warning, critical"),
    "header: the level of a hook is unknown": (STALE, "urgency: warning,", "urgency: warning, encounter-start: severe,", "encounter-start is severe; use one of"),
    "header: a grade without a level": (STALE, "urgency: warning, ", "", "field urgency is missing; add it"),
    "header: a grade with an unknown hook": (STALE, "urgency: warning,", "urgency: warning, order-review: critical,", "field order-review is unknown"),
    "header: it uses a number nobody wrote down": (STALE, "weight.freshness.from_6_months_days", "weight.freshness", "policy is weight.freshness; use one of"),
    "header: it uses a kind of number there is none of": (STALE, "  policy:", "  habits:", "field habits is unknown"),
    "header: nobody says whether it was reviewed": (STALE, "reviewed: none yet", 'reviewed: ""', "reviewed: is empty; say it in words"),
    "header: no YAML": (STALE, "phase: ", "phase: [", "weight-stale.md"),
    "header: a field stands twice": (STALE, "phase: ", "phase: P1\nphase: ", "'phase' stands twice"),
    "body: no headline": (STALE, "\n# ", "\n", "begin with a # headline"),
    "body: a sub-heading of one's own": (STALE, "## What to consider", "## What to do", "sub-heading is What to do; use one of"),
    "body: a hole is not closed": (STALE, "{{ weight_age_days }}", "{{ weight_age_days }", "correct the {{ }} or {% %}"),
    "body: an unknown filter": (STALE, "{{ weight_age_days }}", "{{ weight_age_days | weeks }}", "correct the {{ }} or {% %}"),
    "label number: not in its quote": (VALUES, "  value: 2\n", "  value: 3\n", "age_limit_years: is 3, which its quote does not contain; correct one of them"),
    "label number: only part of a number in its quote": (VALUES, "less than 2 years", "less than 12 years", "is 2, which its quote does not contain"),
    "label number: no quote": (VALUES, "  quote: less than 2 years of age\n", "", "age_limit_years: field quote is missing; add it"),
    "label number: an empty quote": (VALUES, "  quote: less than 2 years of age\n", "  quote:\n", "which its quote does not contain"),
    "label number: words for digits": (VALUES, "  value: 2\n", "  value: two\n", "value two is not a number; write digits"),
    "label number: true for a number": (VALUES, "  value: 2\n", "  value: true\n", "value True is not a number; write digits"),
    "label number: the section is a number": (VALUES, 'section: "1"', "section: 1", "section 1 is not in quotes"),
    "label number: no fields": (VALUES, "age_limit_years:\n", "age_limit_years: 2\nother:\n", "age_limit_years: must be a mapping of fields"),
    "label number: stands twice": (VALUES, "age_limit_years:", "infusion_minutes: 5\nage_limit_years:", "stands twice"),
    "policy number: no reason": (POLICY, "  because: Table 1 prints one decimal", "  why: Table 1 prints one decimal", "field because is missing; add it"),
    "policy number: an empty reason": (POLICY, "  because: the label does not say how old the dosing weight may be.", '  because: ""', "because: is empty; say it in words"),
    "policy number: nobody decided": (POLICY, "  decided_by: proposed default\n", "", "field decided_by is missing; add it"),
    "policy number: decided by no one": (POLICY, "  decided_by: proposed default\n", "  decided_by:\n", "decided_by: is empty; say it in words"),
    "policy number: no number": (POLICY, "  value: 0.1\n", "  value: half-up\n", "is not a number; write digits"),
    "policy number: the section is a number": (POLICY, '  section: "2.1"', "  section: 2.1", "is not in quotes"),
    "outside number: no source": (OUTSIDE, "  source: International System of Units\n", "", "field source is missing; add it"),
    "outside number: an empty source": (OUTSIDE, "  source: International System of Units\n", "  source:\n", "source: is empty; say it in words"),
    "outside number: no number": (OUTSIDE, "  value: 1000\n", '  value: "1000"\n', "is not a number; write digits"),
    "table 1: another header": (TABLE_1, "volume_ml", "dose_ml", "its columns must be weight_from_kg,weight_to_kg,volume_ml; restore the header line"),
    "table 1: a comma for a point": (TABLE_1, "16.5", "16 5", "a table holds something else than a number; correct it"),
    "table 1: another band than table 3": (TABLE_1, "2.6,3.0", "2.6,3.1", "tables 1 and 3 have different weight bands; correct one of them"),
    "table 1: a row is missing": (TABLE_1, "2.6,3.0,16.5\n", "", "tables 1 and 3 have different weight bands; correct one of them"),
    "table 3: half a vial": (TABLE_3, "2.6,3.0,0,2,2", "2.6,3.0,0.5,2,2", "a table holds something else than a number; correct it"),
    "table 3: another header": (TABLE_3, "ndc", "kit", "restore the header line"),
    "unit: an unknown meaning": (UNITS, "spellings: {kg: kg,", "spellings: {kg: stone,", "stone is no unit of it; add it under one_is"),
    "unit: a factor in words": (UNITS, "one_is: {kg: 1,", "one_is: {kg: one,", "is not a number; write digits"),
    "unit: no source": (UNITS, "  source: calendar\n", "", "field source is missing; add it"),
    "code: an unknown system": (ROUTES, "system: SNOMED", "system: SNOMAD", "system is SNOMAD; use one of"),
    "code: not confirmed": (ROUTES, "confidence: confirmed_1", "confidence: memory", "confidence is memory; use one of confirmed_1, confirmed_2plus"),
    "code: a number": (ROUTES, 'code: "47625008"', "code: 47625008", "code: is empty; say it in words"),
    "code: no name": (ROUTES, 'name: "Intravenous route"', 'name: ""', "name: is empty; say it in words"),
    "code: an unknown field": (ROUTES, "confidence: confirmed_1", "confidence: confirmed_1, note: x", "field note is unknown; correct or remove it"),
    "names: a number": ("outside/names.yaml", "  - zolgensma\n", "  - 71894\n", "is empty; say it in words"),
    "checklist: an unknown rule": (CHECKLIST, "rules: [age-limit]", "rules: [age-limits]", "rules is age-limits; use one of"),
    "checklist: no title": (CHECKLIST, "  title: ", "  titel: ", "field title is missing; add it"),
    "checklist: the section is a number": (CHECKLIST, 'section: "8.4"', "section: 8.4", "section 8.4 is not in quotes"),
    "checklist: a hole is not closed": (CHECKLIST, "{{ expected_ndc }}", "{{ expected_ndc }", "correct the {{ }} or {% %}"),
    "order: no reason": (ORDERS, "  reason: before onasemnogene abeparvovec\n", "", "weigh: field reason is missing; add it"),
    "order: an empty text": (ORDERS, "offer: Order a new weight", 'offer: ""', "offer: is empty; say it in words"),
    "order: a hole is not closed": (ORDERS, "offer: Order a new weight", 'offer: "Order {{ x"', "correct the {{ }} or {% %}"),
    "header: no title": (STALE, "title: Dosing weight that is old\n", "", "field title is missing; add it"),
    "header: an empty title": (STALE, "title: Dosing weight that is old", 'title: ""', "title: is empty; say it in words"),
    "code systems: a topic is missing": (CODE_SYSTEMS, "  heart:\n", "  hearts:\n", "topics: field heart is missing; add it"),
    "code systems: a topic without a definition": (CODE_SYSTEMS, "    definition: Troponin and cardiac evaluation.\n", "", "heart: field definition is missing; add it"),
    "code systems: a system is missing": (CODE_SYSTEMS, "  rules:\n", "  rule:\n", "code_systems: field rules is missing; add it"),
    "code systems: no title": (CODE_SYSTEMS, "title: Topics of ZOLGENSMA decision support cards", 'title: ""', "card-topics: title: is empty; say it in words"),
    "code systems: an unknown word": (CODE_SYSTEMS, "{{ revision }}", "{{ edition }}", "description: 'edition' is undefined; write no name but {{ revision }}"),
    "code systems: a hole is not closed": (CODE_SYSTEMS, "{{ revision }}", "{{ revision }", "correct the {{ }} or {% %}"),
    "phrases: a heading is missing": ("shared/phrases.yaml", "  What is missing: What is missing\n", "", "headings: field What is missing is missing; add it"),
    "phrases: a whole part is missing": ("shared/phrases.yaml", "override_reasons:", "reasons:", "field override_reasons is missing; add it"),
    "identity: no date": ("label/identity.yaml", "rules_checked_on: 2026-11-22", "rules_checked_on: last autumn", "rules_checked_on is no date; write it as YYYY-MM-DD"),
    "identity: no product": ("label/identity.yaml", "product: ZOLGENSMA", "product:", "product: is empty; say it in words"),
    "identity: an unknown field": ("label/identity.yaml", "revision:", "edition: 2\nrevision:", "field edition is unknown; correct or remove it"),
    "about: an attribute is missing": (ABOUT, "  funding:\n", "  sponsors:\n", "about.yaml: attributes: field funding is missing; add it"),
    "about: an attribute says nothing": (ABOUT, "says:\n      - It informs.", "says: []\n      # It informs.", "about.yaml: role: says nothing; say it in words, or that it is not known"),
    "about: an attribute has no title": (ABOUT, "title: Funding", 'title: ""', "about.yaml: funding: title: is empty; say it in words"),
    "about: a sentence names what is not there": (ABOUT, "{{ rules }} rules", "{{ cards }} rules", "about.yaml: dates: 'cards' is undefined; use one of product, "),
    "about: a sentence is no template": (ABOUT, "{{ rules }} rules", "{{ rules rules", "correct the {{ }} or {% %}"),
    "about: a demographic item is missing": (ABOUT, "  ethnicity:\n", "  origin:\n", "about.yaml: demographics: field ethnicity is missing; add it"),
    "about: nobody says whether an item is used": (ABOUT, "used: true", "used: sometimes", "about.yaml: date-of-birth: used is sometimes; write true or false"),
    "about: a field is unknown": (ABOUT, "    used: true", "    weight: 1\n    used: true", "field weight is unknown; correct or remove it"),
    "pages: a phase is missing": (PAGES, "  P2: first month\n", "", "pages.yaml: phases: field P2 is missing; add it"),
    "pages: a kind of number has no words": (PAGES, "outside: Numbers from outside the label, each with its source.", 'outside: ""', "pages.yaml: numbers: outside: is empty"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_refused_with_its_name_the_fault_and_the_remedy(cards: Path, fault: str) -> None:
    name, old, new, said = BROKEN[fault]
    replaced(cards / name, old, new)
    message = refusal(cards)
    # The two tables are held against each other, so the message may name their folder.
    assert str(cards / name) in message or (name in (TABLE_1, TABLE_3) and str(cards / "label") in message)
    assert said in message


def test_a_policy_number_outside_its_own_limits_is_refused(cards: Path) -> None:
    replaced(cards / POLICY, "  value: 0.1\n", "  value: 0.2\n")
    with pytest.raises(
        CdsError, match=r"site_policy\.yaml: weight\.rounding\.step_kg is 0\.2; it must be 0\.1 to 0\.1"
    ):
        load(cards)


FILES = [
    VALUES, POLICY, OUTSIDE, UNITS, ROUTES, "outside/codes/systems.yaml", "outside/names.yaml", CHECKLIST, ORDERS, "shared/phrases.yaml", CODE_SYSTEMS,
    "label/identity.yaml",
]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_shape_is_refused_by_name(cards: Path, name: str) -> None:
    for content in ("", "word\n", "5\n", "- one\n- two\n"):
        (cards / name).write_text(content, encoding="utf-8")
        assert str(cards / name) in refusal(cards), content


@pytest.mark.parametrize("name", [*FILES, TABLE_1, TABLE_3, STALE])
def test_a_file_that_is_not_utf_8_is_refused_by_name(cards: Path, name: str) -> None:
    (cards / name).write_bytes("name: ü\n".encode("latin-1"))
    assert str(cards / name) in refusal(cards)


@pytest.mark.parametrize("name", [*(name for name in FILES if name != ROUTES), TABLE_1, TABLE_3])
def test_a_file_that_is_not_there_is_refused_by_name(cards: Path, name: str) -> None:
    (cards / name).unlink()
    assert str(cards / name) in refusal(cards)


@pytest.mark.parametrize("name", [STALE, TABLE_1])
def test_an_empty_card_or_table_is_refused_by_name(cards: Path, name: str) -> None:
    (cards / name).write_bytes(b"")
    assert str(cards / name) in refusal(cards)


@pytest.mark.parametrize(
    "field",
    ["hooks: order-sign", "hooks:", "hooks: 5", "hooks: [5]", "grades: []", "grades: stale", "grades:", "uses: all"],
)
def test_a_header_field_of_another_shape_is_refused_by_name(cards: Path, field: str) -> None:
    path = cards / STALE
    text = re.sub(
        rf"(?m)^{field.partition(':')[0]}:.*\n(  .*\n)*", f"{field}\n", path.read_text(encoding="utf-8"), count=1
    )
    path.write_text(text, encoding="utf-8")
    assert str(path) in refusal(cards)


def test_a_message_without_words_is_refused(cards: Path) -> None:
    path = cards / STALE
    header = path.read_text(encoding="utf-8").partition("\n# ")[0]
    path.write_text(f"{header}\n# Weigh again\n\n## What to consider\n\n- Weigh.\n", encoding="utf-8")
    assert "begin with a # headline and a message below it" in refusal(cards)


def test_a_card_without_a_rule_is_named(cards: Path) -> None:
    shutil.copy(cards / STALE, cards / "dose" / "weight-forgotten.md")
    assert "weight-forgotten.md has no rule of that name; add the rule or remove the card" in refusal(cards)


def test_a_rule_without_a_card_is_named(cards: Path) -> None:
    (cards / STALE).unlink()
    assert "rule weight-stale has no card; add weight-stale.md to its topic" in refusal(cards)
