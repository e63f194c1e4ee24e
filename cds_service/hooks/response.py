"""Cards → JSON within the specification's limits (R-100 to R-141; interfaces section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from cds_service.domain.evidence import Evidence
from cds_service.domain.facts import PatientFacts
from cds_service.domain.handling import VisitKind
from cds_service.hooks.clients import DEMO_CLIENT, NO_QUIRKS, Client, Quirks
from cds_service.hooks.json_body import write_json
from cds_service.hooks.links import LinkWriter
from cds_service.hooks.request import HookCall
from cds_service.hooks.suggestions import SuggestionWriter, selection_behavior
from cds_service.presentation import Card, Catalogue, Finding, one_line, plain_text
from cds_service.review import Review

Json = dict[str, Any]
FINDINGS = "onasemnogene-cds.findings"
_NAMESPACE = uuid5(NAMESPACE_URL, "onasemnogene-cds")


@dataclass(frozen=True, slots=True)
class ResponseWriter:
    """Writes responses; knows the card files' words and the public address of the code systems."""

    catalogue: Catalogue
    suggestions: SuggestionWriter
    links: LinkWriter
    base_url: str

    def scheduling_text(self, facts: PatientFacts, call: HookCall, quirks: Quirks = NO_QUIRKS) -> Json:
        """What a parent or the patient is told while booking: whom to ask, and no clinical word or value (ruling 9).

        It depends on nothing but what kind of visit is being booked.
        """
        kinds = dict.fromkeys(slot.kind for slot in facts.slots if slot.is_proposed)
        cards = [self._scheduling_card(kind, call, quirks) for kind in kinds if kind is not VisitKind.OTHER]
        return response_body(cards, quirks)

    def _scheduling_card(self, kind: VisitKind, call: HookCall, quirks: Quirks) -> Json:
        topic = {"system": f"{self.base_url}/CodeSystem/card-topics", "code": "followup"}
        source = {"label": self._say("scheduling_source"), "topic": topic}
        return {
            "uuid": str(_uuid_of(call.service.service_id, call.hook_instance, f"scheduling {kind.value}", [])),
            "summary": self._say(f"scheduling_{kind.value}"),
            "indicator": "info",
            "detail": _detail(self._say(f"scheduling_{kind.value}_detail"), quirks),
            "source": source,
        }

    def response(
        self, review: Review, call: HookCall, drafts: Mapping[str, Json], client: Client = DEMO_CLIENT
    ) -> Json:
        """The response body for a review. `drafts` are the drafts that can be addressed, as they came, by id."""
        cards = [self._card(card, review.facts, call, drafts, client) for card in review.cards]
        return response_body(cards, client.quirks)

    def _card(
        self, card: Card, facts: PatientFacts, call: HookCall, drafts: Mapping[str, Json], client: Client
    ) -> Json:
        findings = [self._finding(finding) for finding in card.findings]
        uuid = _uuid_of(call.service.service_id, call.hook_instance, card.topic, findings)
        written: Json = {
            "uuid": str(uuid),
            "summary": card.summary,
            "indicator": card.urgency,
            "detail": _detail(card.detail, client.quirks),
            "source": self._source(card),
        }
        suggestions = self.suggestions.of_card(card, call.patient_id, drafts, uuid, client.quirks)
        if suggestions:
            written["suggestions"] = suggestions
            written["selectionBehavior"] = selection_behavior(suggestions)
        if card.urgency != "info":
            written["overrideReasons"] = self._override_reasons()
        links = self.links.of_card(card, facts, client)
        if links:
            written["links"] = links
        if findings:
            written["extension"] = {FINDINGS: findings}
        return written

    def _source(self, card: Card) -> Json:
        identity = self.catalogue.identity
        label = self._say(
            "source", product=identity.product, revision=identity.revision, section=", ".join(card.sections)
        )
        topic = {"system": f"{self.base_url}/CodeSystem/card-topics", "code": card.topic}
        return {"label": label, "url": identity.url, "topic": topic}

    def _override_reasons(self) -> list[Json]:
        system = f"{self.base_url}/CodeSystem/override-reasons"
        return [
            {"system": system, "code": code, "display": display}
            for code, display in self.catalogue.phrases.override_reasons
        ]

    def _finding(self, finding: Finding) -> Json:
        written: Json = {"rule": finding.rule_id, "indicator": finding.urgency}
        if finding.section:
            written["section"] = finding.section
        written |= {"basis": finding.basis, "message": finding.message}
        if finding.values:
            written["values"] = {_camel_case(name): value for name, value in finding.values.items()}
        if finding.evidence:
            written["evidence"] = [self._evidence(item) for item in finding.evidence]
        return written

    def _evidence(self, item: Evidence) -> Json:
        name = self.catalogue.phrases.evidence.get(item.name, item.name)
        parts = {"reference": item.reference, "label": one_line(name), "value": one_line(item.value), "date": item.day}
        return {key: value for key, value in parts.items() if value}

    def _say(self, name: str, **shown: object) -> str:
        return self.catalogue.phrases.texts[name].plain.render(**shown)


def response_body(cards: list[Json], quirks: Quirks) -> Json:
    """The response with these cards.

    For a client that wants it, with an empty list of system actions. That breaks the rule that an empty list is left
    out (R-007); it was agreed with that client. There never is a system action (R-143).
    """
    return {"cards": cards, "systemActions": []} if quirks.always_system_actions else {"cards": cards}


def _detail(markdown: str, quirks: Quirks) -> str:
    """A card's detail; as plain text, not Markdown as R-105 asks, where that was agreed with the client."""
    return plain_text(markdown) if quirks.plain_text_detail else markdown


def _uuid_of(service_id: str, hook_instance: str, topic: str, findings: list[Json]) -> UUID:
    """The same card for the same call: from service, hook instance, topic and findings."""
    return uuid5(_NAMESPACE, write_json([service_id, hook_instance, topic, findings]).decode())


@cache
def _camel_case(name: str) -> str:
    """The name of a value as the interface writes it; there are only so many names, and none comes from a record."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
