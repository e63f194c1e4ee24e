"""What section 2.F and 2.L of the conformance list and interfaces section 5 ask of every response, as checks.

`breaches` names every rule that a response breaks; an empty list is a conforming response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from fhir.resources.R4B import get_fhir_model_class

Json = dict[str, Any]
URGENCIES = ("info", "warning", "critical")
BASES = ("label", "policy", "outside-label")
FINDINGS = "onasemnogene-cds.findings"
STATES = ("verified", "action-needed", "not-checkable", "attest")
TOPICS = (
    "readiness", "record", "eligibility", "dose", "baseline", "infection", "vaccines", "steroid", "liver",
    "platelets", "heart", "infusion", "followup",
)  # fmt: skip
_HTML = re.compile(r"(?<!\\)<\s*[/!a-zA-Z]")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FORMS = (
    (re.compile(r"^(expected|lower|upper).*VolumeMl$"), re.compile(r"\d+\.\d")),
    (re.compile(r"(Ml|Kg|MlPerHour|Percent|VectorGenomes|Days|dayNumber)$"), _NUMBER),
    (re.compile(r"^expectedNdc$|^(lower|upper)Ndc$"), re.compile(r"\d{5}-\d{3}-\d{2}")),
    (re.compile(r"^(infusion|weight|due|previous|first|last)Date$|^(first|last)Day$|^window(Start|End)$"), _ISO_DAY),
    (re.compile(r"Weeks$"), re.compile(r"\d{1,2}(\+[0-6])?")),
)


def breaches(response: Any) -> list[str]:
    """Every rule the response breaks, by its row and where."""
    return list(_response(response))


def _response(response: Any) -> Iterator[str]:
    if not isinstance(response, dict) or not isinstance(response.get("cards"), list):
        yield "R-100 cards is no array"
        return
    yield from (f"R-004 {path}" for path in empty_values(response) if path != "cards")
    yield from (f"R-204 response.{name}" for name in set(response) - {"cards", "systemActions", "extension"})
    uuids = [card.get("uuid") for card in response["cards"] if "uuid" in card]
    if len(uuids) != len(set(uuids)):
        yield "R-103 a uuid stands twice"
    for number, card in enumerate(response["cards"]):
        yield from (f"{breach} in cards[{number}]" for breach in _card(card))


def _card(card: Json) -> Iterator[str]:
    known = {
        "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior",
        "overrideReasons", "links", "extension",
    }  # fmt: skip
    yield from (f"R-204 {name}" for name in set(card) - known)
    if "uuid" in card and not _is_uuid(card["uuid"]):
        yield "R-103 uuid"
    summary = card.get("summary")
    if not isinstance(summary, str) or not summary.strip() or "\n" in summary:
        yield "R-104 summary"
    elif len(summary.encode("utf-16-le")) // 2 >= 140:
        yield "R-104 summary is too long"
    if "detail" in card and (not isinstance(card["detail"], str) or _HTML.search(card["detail"])):
        yield "R-106 detail"
    if card.get("indicator") not in URGENCIES:
        yield "R-107 indicator"
    yield from _source(card.get("source"))
    yield from _suggestions(card)
    yield from (b for reason in card.get("overrideReasons", []) for b in _coding(reason, "R-127", needs_display=True))
    codes = [(reason.get("system"), reason.get("code")) for reason in card.get("overrideReasons", [])]
    if len(codes) != len(set(codes)):
        yield "R-129 a reason stands twice"
    yield from (breach for link in card.get("links", []) for breach in _link(link))
    if not isinstance(card.get("extension", {}), dict):
        yield "R-205 extension"


def _source(source: Any) -> Iterator[str]:
    if not isinstance(source, dict) or not isinstance(source.get("label"), str) or not source["label"]:
        yield "R-108 source.label"
        return
    for name, row in (("url", "R-109"), ("icon", "R-110")):
        if name in source and not _is_absolute(source[name]):
            yield f"{row} source.{name}"
    if "topic" in source:
        yield from _coding(source["topic"], "R-111", needs_display=False)


def _coding(coding: Any, row: str, *, needs_display: bool) -> Iterator[str]:
    needed = ("code", "system", *(("display",) if needs_display else ()))
    if not isinstance(coding, dict) or not all(isinstance(coding.get(name), str) for name in needed):
        yield f"{row} coding"
    elif set(coding) - {"code", "system", "display"}:
        yield "R-141 coding"


def _link(link: Json) -> Iterator[str]:
    if not all(isinstance(link.get(name), str) for name in ("label", "url", "type")):
        yield "R-130 link"
    elif link["type"] not in ("absolute", "smart"):
        yield "R-131 link.type"
    elif "appContext" in link and (link["type"] != "smart" or not isinstance(link["appContext"], str)):
        yield "R-133 link.appContext"


def _suggestions(card: Json) -> Iterator[str]:
    suggestions = card.get("suggestions", [])
    behavior = card.get("selectionBehavior")
    if suggestions and behavior not in ("at-most-one", "any"):
        yield "R-113 selectionBehavior"
    if not suggestions and behavior is not None:
        yield "R-115 selectionBehavior"
    if behavior == "at-most-one" and sum(s.get("isRecommended") is True for s in suggestions) > 1:
        yield "R-117 isRecommended"
    for suggestion in suggestions:
        if not isinstance(suggestion.get("label"), str) or not suggestion["label"]:
            yield "R-112 suggestion.label"
        if not _is_uuid(suggestion.get("uuid")):
            yield "R-116 suggestion.uuid"
        if "actionSelectionBehavior" in suggestion:
            yield "R-119 actionSelectionBehavior"
        for action in suggestion.get("actions", []):
            yield from _action(action)


def _action(action: Json) -> Iterator[str]:
    kind, resource = action.get("type"), action.get("resource")
    if kind not in ("create", "update", "delete"):
        yield "R-120 action.type"
    if not isinstance(action.get("description"), str) or not action["description"]:
        yield "R-121 action.description"
    if kind == "delete":
        if resource is not None or not re.fullmatch(r"[A-Z]\w+/[A-Za-z0-9\-.]+", action.get("resourceId", "")):
            yield "R-124 action.resourceId"
    elif not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        yield "R-003 action.resource"
    elif not resource.get("id"):
        yield "R-126 action.resource.id" if kind == "create" else "R-123 action.resource.id"


def our_breaches(response: Json) -> list[str]:
    """Every promise of interfaces section 5 that a conforming response breaks."""
    return [breach for card in response["cards"] for breach in _our_card(card)] + list(_our_order(response))


def _our_order(response: Json) -> Iterator[str]:
    cards = response["cards"]
    ranks = [URGENCIES.index(card["indicator"]) for card in cards]
    if ranks != sorted(ranks, reverse=True):
        yield "cards are not sorted by urgency"
    if len(cards) > 6:
        yield "more than six cards"
    topics = [card["source"]["topic"]["code"] for card in cards]
    if len(topics) != len(set(topics)):
        yield "a topic has two cards"
    if "systemActions" in response:
        yield "R-143 systemActions"


def _our_card(card: Json) -> Iterator[str]:
    yield from (
        f"{name} is missing" for name in ("uuid", "summary", "detail", "indicator", "source") if name not in card
    )
    topic = card["source"]["topic"]["code"]
    if topic not in TOPICS:
        yield f"{topic} is no topic"
    label = card["source"]["label"]
    if not label.startswith("ZOLGENSMA US label rev. 2/2025"):
        yield f"source.label says {label}"
    yield from _our_links(card)
    has_reasons = "overrideReasons" in card
    if has_reasons is (card["indicator"] == "info"):
        yield "override reasons stand on every warning and critical card, and on no other"
    findings = card.get("extension", {}).get(FINDINGS, [])
    if not findings and (topic, card["indicator"]) != ("followup", "info"):
        yield "only the card with the next dates may hold no finding"
    worst = max((finding["indicator"] for finding in findings), key=URGENCIES.index, default="info")
    if worst != card["indicator"]:
        yield "the card's indicator is not that of its worst finding"
    yield from (breach for finding in findings for breach in _finding(finding))
    yield from (breach for item in card.get("suggestions", []) for breach in _our_suggestion(item))


def _our_links(card: Json) -> Iterator[str]:
    """A link leads to the page of a rule of the card, or to the app with the card's topic (interfaces section 3)."""
    rules = {finding["rule"] for finding in card.get("extension", {}).get(FINDINGS, [])}
    links = card.get("links", [])
    pages = [link["url"].partition("/rules/")[2] for link in links if link["type"] == "absolute"]
    if not set(pages) <= rules or len(pages) != len(set(pages)) or len(pages) > 5 or bool(pages) is not bool(rules):
        yield f"links lead to the pages of {pages}"
    apps = [link for link in links if link["type"] == "smart"]
    if len(apps) > 1 or any(not link["url"].endswith("/app/launch") for link in apps):
        yield "at most one link leads to the app, by its plain launch address"
    topic = card["source"]["topic"]["code"]
    if any(link.get("appContext") != f'{{"topic":"{topic}"}}' for link in apps):
        yield "the app is not told the topic of the card"


def _finding(finding: Json) -> Iterator[str]:
    rule = finding.get("rule")
    if set(finding) - {"rule", "indicator", "section", "basis", "message", "values", "evidence"}:
        yield f"{rule}: unknown member"
    if (
        not rule
        or finding.get("indicator") not in URGENCIES
        or finding.get("basis") not in BASES
        or not finding.get("message")
    ):
        yield f"{rule}: rule, indicator, basis or message"
    for name, value in finding.get("values", {}).items():
        if (
            not isinstance(value, str)
            or not re.fullmatch(r"[a-z][A-Za-z0-9]*", name)
            or any(key.search(name) and not form.fullmatch(value) for key, form in _FORMS)
        ):
            yield f"{rule}: values.{name} is {value!r}"
    if rule == "baseline-readiness" and finding.get("values", {}).get("state") not in STATES:
        yield "baseline-readiness without a state"
    for item in finding.get("evidence", []):
        if set(item) - {"reference", "label", "value", "date"} or not item.get("reference"):
            yield f"{rule}: evidence {item}"


def _our_suggestion(suggestion: Json) -> Iterator[str]:
    for action in suggestion["actions"]:
        resource = action.get("resource")
        if action["type"] == "create":
            yield from _created(resource, is_recommended=suggestion.get("isRecommended") is True)
        elif suggestion.get("isRecommended"):
            yield "isRecommended is only for laboratory orders"


def _created(resource: Json, *, is_recommended: bool) -> Iterator[str]:
    kind = resource["resourceType"]
    if kind not in ("ServiceRequest", "MedicationRequest"):
        yield f"a {kind} is created"
        return
    get_fhir_model_class(kind).model_validate({k: v for k, v in resource.items() if k != "resourceType"})
    if resource.get("status") != "draft" or resource.get("intent") != "order":
        yield "a created resource is no draft order"
    if not any(reason.get("text") for reason in resource.get("reasonCode", [])):
        yield "a created resource gives no reason"
    codes = {coding.get("code") for coding in resource.get("code", {}).get("coding", [])}
    if is_recommended and "29463-7" in codes:
        yield "isRecommended is only for laboratory orders"


def empty_values(value: Any, path: str = "") -> Iterator[str]:
    """Where null, "", [] or {} stand; inside a draft that is given back they may stand (ruling 12)."""
    children: Iterator[tuple[str, Any]] = iter(())
    if isinstance(value, dict):
        is_returned_draft = value.get("type") == "update" and "resource" in value
        children = (
            (f"{path}.{name}".lstrip("."), v)
            for name, v in value.items()
            if not (is_returned_draft and name == "resource")
        )
    elif isinstance(value, list):
        children = ((f"{path}[{number}]", v) for number, v in enumerate(value))
    for where, child in children:
        if child is None or child in ("", [], {}):
            yield where
        else:
            yield from empty_values(child, where)


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_absolute(value: Any) -> bool:
    parts = urlsplit(value) if isinstance(value, str) else None
    return bool(parts and parts.scheme in ("http", "https") and parts.netloc)
