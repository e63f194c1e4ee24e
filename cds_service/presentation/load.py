"""Reading `cards/` into a Catalogue, once, at the start. A file that is not acceptable stops the start."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import cds_service.domain.rules
from cds_service.domain.facts import Hindrance, ListState
from cds_service.domain.known import ChecklistLine
from cds_service.domain.registry import registry
from cds_service.domain.relevance import Concern
from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.catalogue import (
    BEFORE_THE_INFUSION,
    BESIDE_A_VACCINATION,
    BESIDE_THE_PRODUCT,
    HEADINGS,
    HOOKS,
    LONG_TERM_RULES,
    TOPICS,
    Catalogue,
    ChecklistText,
    LabelIdentity,
    OrderText,
    Phrases,
    RuleCard,
)
from cds_service.presentation.load_about import load_about
from cds_service.presentation.load_code_systems import load_code_systems
from cds_service.presentation.load_codes import load_codes
from cds_service.presentation.load_course import load_course
from cds_service.presentation.load_numbers import load_known
from cds_service.presentation.load_page_words import load_page_words
from cds_service.presentation.load_rule_cards import load_topic
from cds_service.presentation.site_files import SiteCodes, SitePolicy
from cds_service.presentation.words import words_in
from cds_service.presentation.yaml_files import load_mapping, load_yaml

# What may be told of a list that is not whole.
_WHOLE_OR_COUNTED = (ListState.COMPLETE, ListState.INCOMPLETE)
LIST_STATES = tuple(e.value for kind in (ListState, Hindrance) for e in kind if e not in _WHOLE_OR_COUNTED)
# The priorities a FHIR request may carry.
PRIORITIES = ("routine", "urgent", "asap", "stat")


def load_catalogue(folder: Path, site_policy: SitePolicy, site_codes: SiteCodes) -> Catalogue:
    """All card files under `folder`, with the site's own policy and codes put over them.

    Raises ContentProblem with the file, the fault and the remedy.
    """
    assert cds_service.domain.rules  # importing it registers the rules
    rules = registry()
    lines = _checklist(folder / "readiness" / "checklist.yaml", rules.ids)
    orders = _orders(folder / "shared" / "orders.yaml")
    known = load_known(folder, site_policy, site_codes, tuple(line for line, _ in lines), _tests(orders))
    cards = {card.rule_id: card for topic in TOPICS for card in load_topic(folder / topic, topic, known)}
    checks.require_same_ids(cards, rules.ids)
    identity = _identity(folder / "label" / "identity.yaml")
    topics, code_systems = load_code_systems(folder / "shared" / "code_systems.yaml", identity.revision)
    return Catalogue(
        identity=identity,
        known=known,
        codes=load_codes(folder / "outside" / "codes", site_codes),
        names=_names(folder / "outside" / "names.yaml"),
        rules=rules,
        cards=cards,
        orders=orders,
        checklist={text.check: text for _, text in lines},
        checked_by={line.check: line.rules for line, _ in lines},
        phrases=_phrases(folder / "shared" / "phrases.yaml"),
        course=load_course(folder / "shared" / "course.yaml", known),
        topics=topics,
        code_systems=code_systems,
        page_words=load_page_words(folder / "shared" / "pages.yaml"),
        about=load_about(folder / "shared" / "about.yaml"),
        asked={
            concern: {hook: rules.only(_asked(concern, hook, cards, lines)) for hook in HOOKS} for concern in Concern
        },
    )


def _asked(
    concern: Concern,
    hook: str,
    cards: dict[str, RuleCard],
    lines: tuple[tuple[ChecklistLine, ChecklistText], ...],
) -> frozenset[str]:
    """The rules that answer on a hook: those whose card says so, as far as the call concerns their topic.

    Where the product itself is in hand, also those behind the checklist.
    """
    on_hook = {card.rule_id: card.topic for card in cards.values() if hook in card.hooks}
    match concern:
        case Concern.PRODUCT:
            return frozenset(on_hook) | {rule for line, _ in lines for rule in line.rules}
        case Concern.LONG_TERM:
            return LONG_TERM_RULES & frozenset(on_hook)
        case Concern.NONE:
            return frozenset()
    topics = _topics_beside(concern, hook)
    return frozenset(rule for rule, topic in on_hook.items() if topic in topics)


def _topics_beside(concern: Concern, hook: str) -> frozenset[str]:
    """What is looked at where the product itself is not in hand.

    A visit that is not for the infusion asks nothing that belongs before it; the chart asks all that its cards name.
    A dispatch that cannot be resolved is only reported.
    """
    if concern is Concern.BESIDE:
        beside = {"order-dispatch": frozenset({"record"}), "appointment-book": BESIDE_A_VACCINATION}
        return beside.get(hook, BESIDE_THE_PRODUCT)
    return frozenset(TOPICS) if hook == "patient-view" else frozenset(TOPICS) - BEFORE_THE_INFUSION


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


def _tests(orders: dict[str, OrderText]) -> dict[str, frozenset[str]]:
    """What each test that can be offered measures, in the order of the file."""
    return {order.name: frozenset(order.covers) for order in orders.values() if order.covers}


def _orders(path: Path) -> dict[str, OrderText]:
    return {name: _order(path, name, entry) for name, entry in load_mapping(path).items()}


def _order(path: Path, name: str, entry: Any) -> OrderText:
    where = f"{path}: {name}"
    given = checks.require_fields(
        where, entry, ("text", "reason", "offer", "is_laboratory"), ("code", "covers", "priority")
    )
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
        priority=checks.require_one_of(where, "priority", given["priority"], PRIORITIES) if "priority" in given else "",
    )


def _phrases(path: Path) -> Phrases:
    given = checks.require_fields(
        path,
        load_mapping(path),
        (
            "headings",
            "evidence",
            "missing",
            "states",
            "course_states",
            "list_states",
            "texts",
            "analytes",
            "override_reasons",
        ),
    )
    for part in given:
        checks.require_mapping(f"{path}: {part}", given[part])
    checks.require_fields(f"{path}: headings", given["headings"], HEADINGS)
    checks.require_fields(f"{path}: list_states", given["list_states"], LIST_STATES)
    return Phrases(
        headings=given["headings"],
        evidence={**given["analytes"], **given["evidence"]},
        missing=given["missing"],
        states=given["states"],
        course_states=given["course_states"],
        list_states=given["list_states"],
        texts={name: words_in(f"{path}: {name}", text) for name, text in given["texts"].items()},
        analytes=given["analytes"],
        override_reasons=tuple(given["override_reasons"].items()),
    )
