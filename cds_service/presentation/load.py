"""Reading `cards/` into a Catalogue, once, at the start. A file that is not acceptable stops the start."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError

import cds_service.domain.rules
from cds_service.domain.codes import Code, CodeBook
from cds_service.domain.dose_table import DoseBand, DoseTable
from cds_service.domain.known import ChecklistLine, Known, KnownNumber, Numbers, Provenance
from cds_service.domain.quantities import UnitTable
from cds_service.domain.registry import registry
from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.catalogue import (
    HOOKS,
    TOPICS,
    URGENCIES,
    Catalogue,
    ChecklistText,
    Grade,
    LabelIdentity,
    OrderText,
    Phrases,
    RuleCard,
    Words,
)
from cds_service.presentation.site_files import SiteCodes, SitePolicy
from cds_service.presentation.words import words
from cds_service.presentation.yaml_files import load_yaml, load_yaml_text, read_text

BASES = tuple(kind.value for kind in Provenance)
HEADINGS = (
    "What the record shows",
    "What is missing",
    "What the label says",
    "Site policy",
    "Outside the label",
    "What to consider",
)
_HEADER = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_USES = ("label", "policy", "outside")


def load_catalogue(folder: Path, site_policy: SitePolicy, site_codes: SiteCodes) -> Catalogue:
    """All card files under `folder`, with the site's own policy and codes put over them.

    Raises ContentProblem with the file, the fault and the remedy.
    """
    assert cds_service.domain.rules  # importing it registers the rules
    rules = registry()
    lines = _checklist(folder / "readiness" / "checklist.yaml", rules.ids)
    known = _known(folder, site_policy, site_codes, lines)
    cards = {card.rule_id: card for topic in TOPICS for card in _topic_cards(folder / topic, topic, known)}
    checks.require_same_ids(cards, rules.ids)
    return Catalogue(
        identity=_identity(folder / "label" / "identity.yaml"),
        known=known,
        codes=_codes(folder / "outside" / "codes", site_codes),
        names=_names(folder / "outside" / "names.yaml"),
        rules=rules,
        cards=cards,
        orders=_orders(folder / "shared" / "orders.yaml"),
        checklist={text.check: text for _, text in lines},
        checked_by={line.check: line.rules for line, _ in lines},
        phrases=_phrases(folder / "shared" / "phrases.yaml"),
    )


def _identity(path: Path) -> LabelIdentity:
    names = ("product", "proper_name", "revision", "url", "copy_sha256", "rules_checked_on")
    given = checks.require_fields(path, load_yaml(path), names, ("set_id",))
    if not isinstance(given["rules_checked_on"], date):
        raise ContentProblem(f"{path}: rules_checked_on is no date; write it as YYYY-MM-DD")
    texts = {name: checks.require_text(path, name, given[name]) for name in names[:-1]}
    return LabelIdentity(**texts, rules_checked_on=given["rules_checked_on"])


def _known(
    folder: Path,
    site_policy: SitePolicy,
    site_codes: SiteCodes,
    lines: tuple[tuple[ChecklistLine, ChecklistText], ...],
) -> Known:
    return Known(
        label=Numbers(_label_numbers(folder / "label" / "values.yaml")),
        policy=Numbers(_policy_numbers(folder / "policy" / "site_policy.yaml", site_policy)),
        outside=Numbers(_outside_numbers(folder / "outside" / "values.yaml")),
        doses=_dose_table(folder / "label"),
        units=_units(folder / "outside" / "units.yaml", site_codes),
        checklist=tuple(line for line, _ in lines),
    )


def _label_numbers(path: Path) -> dict[str, KnownNumber]:
    numbers = {}
    for name, entry in load_yaml(path).items():
        where = f"{path}: {name}"
        given = checks.require_fields(where, entry, ("value", "unit", "section", "quote"))
        value = checks.require_number(where, given["value"])
        numbers[name] = KnownNumber(
            name,
            value,
            str(given["unit"]),
            Provenance.LABEL,
            checks.require_quoted_section(where, given["section"]),
            checks.require_proof(where, value, given["quote"]),
        )
    return numbers


def _policy_numbers(path: Path, site_policy: SitePolicy) -> dict[str, KnownNumber]:
    numbers = {}
    for name, entry in load_yaml(path).items():
        where = f"{path}: {name}"
        optional = ("section", "at_least", "at_most")
        given = checks.require_fields(where, entry, ("value", "unit", "because", "decided_by"), optional)
        default = checks.require_number(where, given["value"])
        checks.require_text(where, "decided_by", given["decided_by"])
        numbers[name] = KnownNumber(
            name,
            site_policy.value_of(name, default, given.get("at_least"), given.get("at_most")),
            str(given["unit"]),
            Provenance.POLICY,
            checks.require_quoted_section(where, given.get("section", "")),
            checks.require_text(where, "because", given["because"]),
            default,
        )
    site_policy.refuse_names_not_in(numbers)
    return numbers


def _outside_numbers(path: Path) -> dict[str, KnownNumber]:
    numbers = {}
    for name, entry in load_yaml(path).items():
        where = f"{path}: {name}"
        given = checks.require_fields(where, entry, ("value", "unit", "source"))
        value = checks.require_number(where, given["value"])
        source = checks.require_text(where, "source", given["source"])
        numbers[name] = KnownNumber(name, value, str(given["unit"]), Provenance.OUTSIDE, "", source)
    return numbers


def _dose_table(folder: Path) -> DoseTable:
    doses = _rows(folder / "table_1_dose.csv", ("weight_from_kg", "weight_to_kg", "volume_ml"))
    kits = _rows(
        folder / "table_3_kits.csv",
        ("weight_from_kg", "weight_to_kg", "vials_5_5_ml", "vials_8_3_ml", "total_vials", "ndc"),
    )
    edges = [(row["weight_from_kg"], row["weight_to_kg"]) for row in doses]
    if edges != [(row["weight_from_kg"], row["weight_to_kg"]) for row in kits]:
        raise ContentProblem(f"{folder}: tables 1 and 3 have different weight bands; correct one of them")
    try:
        return DoseTable.of(tuple(_band(dose, kit) for dose, kit in zip(doses, kits, strict=True)))
    except (InvalidOperation, ValueError) as error:
        raise ContentProblem(f"{folder}: a table holds something else than a number; correct it") from error


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(read_text(path)))
    if tuple(reader.fieldnames or ()) != columns:
        raise ContentProblem(f"{path}: its columns must be {','.join(columns)}; restore the header line")
    return list(reader)


def _band(dose: Mapping[str, str], kit: Mapping[str, str]) -> DoseBand:
    return DoseBand(
        from_kg=Decimal(dose["weight_from_kg"]),
        to_kg=Decimal(dose["weight_to_kg"]),
        volume_ml=Decimal(dose["volume_ml"]),
        small_vials=int(kit["vials_5_5_ml"]),
        large_vials=int(kit["vials_8_3_ml"]),
        total_vials=int(kit["total_vials"]),
        kit_ndc=kit["ndc"],
    )


def _units(path: Path, site_codes: SiteCodes) -> UnitTable:
    own_unit, factors, spellings = {}, {}, {}
    for concept, entry in load_yaml(path).items():
        where = f"{path}: {concept}"
        given = checks.require_fields(where, entry, ("own_unit", "one_is", "source"), ("spellings",))
        own_unit[concept] = str(given["own_unit"])
        factors[concept] = {
            str(unit): checks.require_number(f"{where}: {unit}", factor) for unit, factor in given["one_is"].items()
        }
        spellings[concept] = {str(s): str(u) for s, u in given.get("spellings", {}).items()}
        spellings[concept] |= site_codes.spellings_of(concept, factors[concept])
        foreign = set(spellings[concept].values()) - set(factors[concept])
        if foreign:
            raise ContentProblem(f"{where}: {min(foreign)} is no unit of it; add it under one_is")
    site_codes.refuse_unit_concepts_not_in(factors)
    return UnitTable(own_unit, factors, spellings)


def _codes(folder: Path, site_codes: SiteCodes) -> CodeBook:
    addresses = {name: tuple(uris) for name, uris in load_yaml(folder / "systems.yaml").items()}
    concepts: dict[str, tuple[Code, ...]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == "systems.yaml":
            continue
        for concept, entries in load_yaml(path).items():
            concepts[concept] = tuple(_code(path, concept, entry, addresses) for entry in entries)
    return CodeBook.of(site_codes.added_to(concepts), addresses)


def _code(path: Path, concept: str, entry: Any, addresses: Mapping[str, object]) -> Code:
    where = f"{path}: {concept}"
    needed = ("system", "code", "name", "confidence")
    given = checks.require_fields(where, entry, needed, ("ndc", "completed_weeks"))
    checks.require_one_of(where, "confidence", given["confidence"], ("confirmed_1", "confirmed_2plus"))
    return Code(
        system=checks.require_one_of(where, "system", given["system"], addresses.keys()),
        code=checks.require_text(where, "code", given["code"]),
        name=checks.require_text(where, "name", given["name"]),
        confidence=given["confidence"],
        kit_ndc=given.get("ndc", ""),
        completed_weeks=given.get("completed_weeks"),
    )


def _names(path: Path) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(checks.require_text(path, name, text) for text in texts) for name, texts in load_yaml(path).items()
    }


def _checklist(path: Path, rule_ids: frozenset[str]) -> tuple[tuple[ChecklistLine, ChecklistText], ...]:
    return tuple(_checklist_line(path, entry, rule_ids) for entry in load_yaml(path))


def _checklist_line(path: Path, entry: Any, rule_ids: frozenset[str]) -> tuple[ChecklistLine, ChecklistText]:
    given = checks.require_fields(path, entry, ("check", "title"), ("section", "rules", "attested", "says"))
    where = f"{path}: {given['check']}"
    rules = tuple(given.get("rules", ()))
    for rule_id in rules:
        checks.require_one_of(where, "rules", rule_id, sorted(rule_ids))
    line = ChecklistLine(given["check"], rules, bool(given.get("attested", False)))
    text = ChecklistText(
        check=given["check"],
        title=checks.require_text(where, "title", given["title"]),
        section=checks.require_quoted_section(where, given.get("section", "")),
        says={state: _words(where, said) for state, said in given.get("says", {}).items()},
    )
    return line, text


def _orders(path: Path) -> dict[str, OrderText]:
    return {name: _order(path, name, entry) for name, entry in load_yaml(path).items()}


def _order(path: Path, name: str, entry: Any) -> OrderText:
    where = f"{path}: {name}"
    given = checks.require_fields(where, entry, ("text", "reason", "offer", "is_laboratory"), ("code",))
    code = given.get("code")
    return OrderText(
        name=name,
        code=(code["system"], code["code"], code["name"]) if code else None,
        text=checks.require_text(where, "text", given["text"]),
        reason=checks.require_text(where, "reason", given["reason"]),
        offer=_words(where, checks.require_text(where, "offer", given["offer"])),
        is_laboratory=given["is_laboratory"] is True,
    )


def _phrases(path: Path) -> Phrases:
    given = checks.require_fields(
        path, load_yaml(path), ("headings", "evidence", "states", "texts", "override_reasons")
    )
    checks.require_fields(f"{path}: headings", given["headings"], HEADINGS)
    return Phrases(
        headings=given["headings"],
        evidence=given["evidence"],
        states=given["states"],
        texts={name: _words(f"{path}: {name}", text) for name, text in given["texts"].items()},
        override_reasons=tuple(given["override_reasons"].items()),
    )


def _topic_cards(folder: Path, topic: str, known: Known) -> list[RuleCard]:
    return [_rule_card(path, topic, known) for path in sorted(folder.glob("*.md"))]


def _rule_card(path: Path, topic: str, known: Known) -> RuleCard:
    match = _HEADER.match(read_text(path))
    if match is None:
        raise ContentProblem(f"{path}: has no header; begin with --- lines as in TEMPLATE.md")
    header = checks.require_fields(
        path,
        load_yaml_text(match[1], path),
        ("phase", "hooks", "grades", "uses", "reviewed"),
        ("section", "basis", "explains", "never_milder", "never_unknown"),
    )
    headline, message, paragraphs = _body(path, match[2])
    basis = checks.require_one_of(path, "basis", header.get("basis", "label"), BASES)
    return RuleCard(
        rule_id=path.stem,
        topic=topic,
        section=checks.require_quoted_section(path, header.get("section", "")),
        phase=str(header["phase"]),
        hooks=frozenset(checks.require_one_of(path, "hooks", hook, HOOKS) for hook in header["hooks"]),
        grades={str(name): _grade(path, name, given, basis) for name, given in header["grades"].items()},
        is_never_milder=header.get("never_milder", False) is True,
        uses=_uses(path, header["uses"] or {}, known),
        explains=tuple(
            checks.require_one_of(path, "explains", name, known.policy) for name in header.get("explains", ())
        ),
        never_unknown=str(header.get("never_unknown", "")),
        reviewed=checks.require_text(path, "reviewed", header["reviewed"]),
        headline=_words(path, headline),
        message=_words(path, message),
        paragraphs={heading: _words(path, text) for heading, text in paragraphs.items()},
    )


def _grade(path: Path, name: str, given: Any, basis: str) -> Grade:
    where = f"{path}: grade {name}"
    if isinstance(given, str):
        given = {"urgency": given}
    checks.require_fields(where, given, ("urgency",), ("basis", *HOOKS))
    return Grade(
        urgency=checks.require_one_of(where, "urgency", given["urgency"], URGENCIES),
        basis=checks.require_one_of(where, "basis", given.get("basis", basis), BASES),
        on_hook={h: checks.require_one_of(where, h, given[h], URGENCIES) for h in HOOKS if h in given},
    )


def _uses(path: Path, given: Any, known: Known) -> dict[str, tuple[str, ...]]:
    checks.require_fields(f"{path}: uses", given, (), _USES)
    uses = {kind: tuple(given.get(kind, ())) for kind in _USES}
    for kind, names in uses.items():
        for name in names:
            checks.require_one_of(f"{path}: uses", kind, name, getattr(known, kind))
    return uses


def _body(path: Path, text: str) -> tuple[str, str, dict[str, str]]:
    """The headline, the message under it, and the paragraphs by sub-heading."""
    first, *rest = re.split(r"^## ", text.strip(), flags=re.MULTILINE)
    headline, _, message = first.partition("\n")
    if not headline.startswith("# ") or not message.strip():
        raise ContentProblem(f"{path}: begin with a # headline and a message below it, as in TEMPLATE.md")
    paragraphs = {}
    for part in rest:
        heading, _, paragraph = part.partition("\n")
        checks.require_one_of(path, "sub-heading", heading.strip(), HEADINGS)
        paragraphs[heading.strip()] = paragraph.strip()
    return headline[2:].strip(), message.strip(), paragraphs


def _words(where: Path | str, text: str) -> Words:
    try:
        return words(text)
    except TemplateSyntaxError as error:
        raise ContentProblem(f"{where}: {error.message} in its text; correct the {{{{ }}}} or {{% %}}") from error
