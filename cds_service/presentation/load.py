"""Reading `cards/` into a Catalogue, once, at the start. A file that is not acceptable stops the start."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import cds_service.domain.rules
from cds_service.domain.known import ChecklistLine
from cds_service.domain.registry import registry
from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.catalogue import (
    BEFORE_THE_INFUSION,
    BESIDE_THE_PRODUCT,
    HEADINGS,
    HOOKS,
    TOPICS,
    Catalogue,
    ChecklistText,
    LabelIdentity,
    OrderText,
    Phrases,
    RuleCard,
)
from cds_service.presentation.load_codes import load_codes
from cds_service.presentation.load_numbers import load_known
from cds_service.presentation.load_rule_cards import load_topic
from cds_service.presentation.site_files import SiteCodes, SitePolicy
from cds_service.presentation.words import words_in
from cds_service.presentation.yaml_files import load_mapping, load_yaml


def load_catalogue(folder: Path, site_policy: SitePolicy, site_codes: SiteCodes) -> Catalogue:
    """All card files under `folder`, with the site's own policy and codes put over them.

    Raises ContentProblem with the file, the fault and the remedy.
    """
    assert cds_service.domain.rules  # importing it registers the rules
    rules = registry()
    lines = _checklist(folder / "readiness" / "checklist.yaml", rules.ids)
    orders = _orders(folder / "shared" / "orders.yaml")
    test_for = {analyte: order.name for order in reversed(list(orders.values())) for analyte in order.covers}
    known = load_known(folder, site_policy, site_codes, tuple(line for line, _ in lines), test_for)
    cards = {card.rule_id: card for topic in TOPICS for card in load_topic(folder / topic, topic, known)}
    checks.require_same_ids(cards, rules.ids)
    return Catalogue(
        identity=_identity(folder / "label" / "identity.yaml"),
        known=known,
        codes=load_codes(folder / "outside" / "codes", site_codes),
        names=_names(folder / "outside" / "names.yaml"),
        rules=rules,
        cards=cards,
        orders=orders,
        checklist={text.check: text for _, text in lines},
        checked_by={line.check: line.rules for line, _ in lines},
        phrases=_phrases(folder / "shared" / "phrases.yaml"),
        asked={hook: rules.only(_asked_on(hook, cards, lines)) for hook in HOOKS},
        asked_beside={hook: rules.only(_asked_beside_on(hook, cards)) for hook in HOOKS},
    )


def _asked_on(
    hook: str, cards: dict[str, RuleCard], lines: tuple[tuple[ChecklistLine, ChecklistText], ...]
) -> frozenset[str]:
    """The rules that answer on a hook: those whose card says so, and those behind the checklist."""
    answering = {card.rule_id for card in cards.values() if hook in card.hooks}
    return frozenset(answering | {rule for line, _ in lines for rule in line.rules})


def _asked_beside_on(hook: str, cards: dict[str, RuleCard]) -> frozenset[str]:
    """The rules that answer on a hook where the product is only in the record.

    A visit that is not for the infusion asks nothing that belongs before it. A dispatch that cannot be resolved is
    only reported.
    """
    topics = {
        "encounter-start": frozenset(TOPICS) - BEFORE_THE_INFUSION,
        "order-dispatch": frozenset({"record"}),
    }
    asked = topics.get(hook, BESIDE_THE_PRODUCT)
    return frozenset(card.rule_id for card in cards.values() if hook in card.hooks and card.topic in asked)


def _identity(path: Path) -> LabelIdentity:
    names = ("product", "proper_name", "revision", "url", "copy_sha256", "rules_checked_on")
    given = checks.require_fields(path, load_yaml(path), names, ("set_id",))
    if not isinstance(given["rules_checked_on"], date):
        raise ContentProblem(f"{path}: rules_checked_on is no date; write it as YYYY-MM-DD")
    texts = {name: checks.require_text(path, name, given[name]) for name in names[:-1]}
    return LabelIdentity(**texts, rules_checked_on=given["rules_checked_on"])


def _names(path: Path) -> dict[str, tuple[str, ...]]:
    return {name: tuple(checks.require_texts(f"{path}: {name}", texts)) for name, texts in load_mapping(path).items()}


def _checklist(path: Path, rule_ids: frozenset[str]) -> tuple[tuple[ChecklistLine, ChecklistText], ...]:
    return tuple(_checklist_line(path, entry, rule_ids) for entry in checks.require_list(path, load_yaml(path)))


def _checklist_line(path: Path, entry: Any, rule_ids: frozenset[str]) -> tuple[ChecklistLine, ChecklistText]:
    given = checks.require_fields(path, entry, ("check", "title"), ("section", "rules", "analyte", "attested", "says"))
    where = f"{path}: {given['check']}"
    rules = tuple(checks.require_texts(where, given.get("rules", [])))
    for rule_id in rules:
        checks.require_one_of(where, "rules", rule_id, sorted(rule_ids))
    line = ChecklistLine(given["check"], rules, bool(given.get("attested", False)), str(given.get("analyte", "")))
    text = ChecklistText(
        check=given["check"],
        title=checks.require_text(where, "title", given["title"]),
        section=checks.require_quoted_section(where, given.get("section", "")),
        analyte=line.analyte,
        says={s: words_in(where, said) for s, said in checks.require_mapping(where, given.get("says", {})).items()},
    )
    return line, text


def _orders(path: Path) -> dict[str, OrderText]:
    return {name: _order(path, name, entry) for name, entry in load_mapping(path).items()}


def _order(path: Path, name: str, entry: Any) -> OrderText:
    where = f"{path}: {name}"
    given = checks.require_fields(where, entry, ("text", "reason", "offer", "is_laboratory"), ("code", "covers"))
    code = given.get("code")
    if code is not None:
        checks.require_fields(f"{where}: code", code, ("system", "code", "name"))
    return OrderText(
        name=name,
        code=(code["system"], code["code"], code["name"]) if code else None,
        text=checks.require_text(where, "text", given["text"]),
        reason=checks.require_text(where, "reason", given["reason"]),
        offer=words_in(where, checks.require_text(where, "offer", given["offer"])),
        is_laboratory=given["is_laboratory"] is True,
        covers=tuple(checks.require_texts(where, given.get("covers", []))),
    )


def _phrases(path: Path) -> Phrases:
    given = checks.require_fields(
        path, load_mapping(path), ("headings", "evidence", "missing", "states", "texts", "analytes", "override_reasons")
    )
    for part in given:
        checks.require_mapping(f"{path}: {part}", given[part])
    checks.require_fields(f"{path}: headings", given["headings"], HEADINGS)
    return Phrases(
        headings=given["headings"],
        evidence={**given["analytes"], **given["evidence"]},
        missing=given["missing"],
        states=given["states"],
        texts={name: words_in(f"{path}: {name}", text) for name, text in given["texts"].items()},
        analytes=given["analytes"],
        override_reasons=tuple(given["override_reasons"].items()),
    )
