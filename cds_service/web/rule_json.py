"""Rules and the about page as JSON documents: the same as the pages show, for machines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds_service.presentation.about_page import AboutPage
from cds_service.presentation.rule_page import GradeLevels, NumberShown, RulePage

Json = dict[str, Any]


def rules_document(pages: Iterable[RulePage]) -> Json:
    """The index: every rule with its topic, section, phase, levels, and the path of its own page."""
    return {"rules": [_entry(page) for page in pages]}


def rule_document(page: RulePage) -> Json:
    """One rule in full. Words are those of the card file, placeholders included; no level means: not on this hook."""
    return _entry(page) | {
        "words": {
            "headline": page.headline,
            "message": page.message,
            "paragraphs": [{"heading": heading, "text": text} for heading, text in page.paragraphs],
        },
        "numbers": [_number(number) for number in page.numbers],
        "cases": [{"name": case.name, "expect": case.expect} for case in page.cases],
        "neverUnknown": page.never_unknown,
        "reviewed": page.reviewed,
        "file": page.file,
    }


def _entry(page: RulePage) -> Json:
    return {
        "id": page.rule_id,
        "title": page.title,
        "topic": page.topic,
        "section": page.section,
        "phase": page.phase,
        "grades": [_levels(levels) for levels in page.levels],
        "path": f"/rules/{page.rule_id}",
    }


def _levels(levels: GradeLevels) -> Json:
    on_hook = {hook: level for hook, level in levels.on_hook.items() if level}
    return {"grade": levels.grade, "basis": levels.basis, "levels": on_hook}


def _number(number: NumberShown) -> Json:
    """A number with what stands behind it, under the name of its kind."""
    written: Json = {"kind": number.kind, "name": number.name, "value": number.value, "unit": number.unit}
    match number.kind:
        case "label":
            return written | {"section": number.section, "quote": number.because}
        case "policy":
            return written | {
                "because": number.because,
                "decidedBy": number.decided_by,
                "default": number.default,
                "isChangedBySite": number.is_changed,
            }
    return written | {"source": number.because}


def about_document(page: AboutPage) -> Json:
    """What this decision support says of itself."""
    return {
        "notReviewed": page.not_reviewed,
        "label": {
            "product": page.label.product,
            "properName": page.label.proper_name,
            "revision": page.label.revision,
            "url": page.label.url,
            "rulesCheckedOn": page.label.rules_checked_on.isoformat(),
        },
        "ruleSet": {
            "version": page.rule_set,
            "sha256": page.rule_set_digest,
            "rules": page.rules,
            "changedPolicy": list(page.changed_policy),
        },
        "attributes": [
            {"code": item.code, "title": item.title, "askedIn": list(item.asked_in), "says": list(item.says)}
            for item in page.attributes
        ],
        "demographics": [
            {
                "code": item.code,
                "title": item.title,
                "askedIn": list(item.asked_in),
                "isUsed": item.is_used,
                "says": item.says,
            }
            for item in page.demographics
        ],
    }
