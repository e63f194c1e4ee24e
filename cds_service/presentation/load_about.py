"""Reading what this decision support says of itself: cards/shared/about.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from cds_service.errors import ContentProblem
from cds_service.presentation import checks
from cds_service.presentation.catalogue import About, Attribute, Demographic, Words
from cds_service.presentation.words import words_in
from cds_service.presentation.yaml_files import load_mapping

# What 45 CFR 170.315(b)(11)(iv) asks of evidence-based decision support and, where it can apply, of predictive one.
ATTRIBUTES = (
    "purpose",
    "output",
    "users",
    "population",
    "role",
    "out-of-scope",
    "limits",
    "citation",
    "developer",
    "funding",
    "dates",
    "development",
    "fairness",
    "validation",
    "performance",
    "maintenance",
    "updates",
)
DEMOGRAPHICS = (
    "race",
    "ethnicity",
    "language",
    "sexual-orientation",
    "gender-identity",
    "sex",
    "date-of-birth",
    "social-determinants",
    "health-status",
)
# What the sentences may name, as they are rendered for a check.
PLACEHOLDERS = ("product", "proper_name", "revision", "label_url", "rule_set", "rules", "checked_on", "recheck_months")


def load_about(path: Path) -> About:
    """Every attribute and every demographic item, exactly those there are, in their order here.

    Raises ContentProblem with the file, the fault and the remedy.
    """
    given = checks.require_fields(path, load_mapping(path), ("attributes", "demographics"))
    attributes = checks.require_fields(f"{path}: attributes", given["attributes"], ATTRIBUTES)
    demographics = checks.require_fields(f"{path}: demographics", given["demographics"], DEMOGRAPHICS)
    return About(
        tuple(_attribute(f"{path}: {code}", code, attributes[code]) for code in ATTRIBUTES),
        tuple(_demographic(f"{path}: {code}", code, demographics[code]) for code in DEMOGRAPHICS),
    )


def _attribute(where: str, code: str, entry: Any) -> Attribute:
    given = checks.require_fields(where, entry, ("title", "asked_in", "says"))
    says = checks.require_texts(f"{where}: says", given["says"])
    if not says:
        raise ContentProblem(f"{where}: says nothing; say it in words, or that it is not known")
    return Attribute(code, *_title(where, given), tuple(_sentence(where, text) for text in says))


def _demographic(where: str, code: str, entry: Any) -> Demographic:
    given = checks.require_fields(where, entry, ("title", "asked_in", "used", "says"))
    if not isinstance(given["used"], bool):
        raise ContentProblem(f"{where}: used is {given['used']}; write true or false")
    says = _sentence(where, checks.require_text(where, "says", given["says"]))
    return Demographic(code, *_title(where, given), given["used"], says)


def _title(where: str, given: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    asked_in = checks.require_texts(f"{where}: asked_in", given["asked_in"])
    return checks.require_text(where, "title", given["title"]), tuple(asked_in)


def _sentence(where: str, text: str) -> Words:
    said = words_in(where, text)
    try:
        said.plain.render(dict.fromkeys(PLACEHOLDERS, ""))
    except UndefinedError as error:
        raise ContentProblem(f"{where}: {error.message}; use one of {', '.join(PLACEHOLDERS)}") from error
    return said
