"""Cards → JSON within the specification's limits (R-100 to R-141; interfaces section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from cds_service.domain.answers import CorrectOrder, DeleteOrder, ProposedChange, RequestTest
from cds_service.domain.evidence import Evidence
from cds_service.fhir import Recognition, SuggestedAction, TestOrder, suggested_action
from cds_service.hooks.json_body import write_json
from cds_service.hooks.request import HookCall
from cds_service.presentation import Card, Catalogue, Finding, one_line, short
from cds_service.review import Review

Json = dict[str, Any]
FINDINGS = "onasemnogene-cds.findings"
_NAMESPACE = uuid5(NAMESPACE_URL, "onasemnogene-cds")


@dataclass(frozen=True, slots=True)
class ResponseWriter:
    """Writes responses; knows the card files' words and the public address of the code systems."""

    catalogue: Catalogue
    recognition: Recognition
    base_url: str

    def response(self, review: Review, call: HookCall, drafts: Mapping[str, Json]) -> Json:
        """The response body for a review. `drafts` are the drafts that can be addressed, as they came, by id."""
        return {"cards": [self._card(card, call, drafts) for card in review.cards]}

    def _card(self, card: Card, call: HookCall, drafts: Mapping[str, Json]) -> Json:
        findings = [self._finding(finding) for finding in card.findings]
        uuid = _uuid_of(call.service.service_id, call.hook_instance, card.topic, findings)
        written: Json = {
            "uuid": str(uuid),
            "summary": card.summary,
            "indicator": card.urgency,
            "detail": card.detail,
            "source": self._source(card),
        }
        suggestions = self._suggestions(card, call.patient_id, drafts, uuid)
        if suggestions:
            written["suggestions"] = suggestions
            written["selectionBehavior"] = _selection_behavior(suggestions)
        if card.urgency != "info":
            written["overrideReasons"] = self._override_reasons()
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

    def _suggestions(self, card: Card, patient_id: str, drafts: Mapping[str, Json], card_uuid: UUID) -> list[Json]:
        suggestions = []
        for item in card.suggestions:
            texts = self._resource_texts(item.change)
            action = suggested_action(item.change, patient_id, drafts, self._test_orders(), self.recognition, texts)
            if action is not None:
                several = len(drafts) > 1
                suggestions.append(self._suggestion(item.change, action, card_uuid, is_one_of_several=several))
        return suggestions

    def _suggestion(
        self, change: ProposedChange, action: SuggestedAction, card_uuid: UUID, *, is_one_of_several: bool
    ) -> Json:
        label, description = self._offer(change, action, is_one_of_several)
        written: Json = {
            "label": label,
            "uuid": str(uuid5(card_uuid, write_json([label, description, action.resource_id]).decode())),
        }
        if isinstance(change, RequestTest) and self.catalogue.orders[change.test].is_laboratory:
            written["isRecommended"] = True
        step: Json = {"type": action.type, "description": description}
        if action.resource is not None:
            step["resource"] = action.resource
        if action.resource_id:
            step["resourceId"] = action.resource_id
        written["actions"] = [step]
        return written

    def _offer(self, change: ProposedChange, action: SuggestedAction, is_one_of_several: bool) -> tuple[str, str]:
        """The suggestion's label, and the action's description, which is all that some EHRs show."""
        if isinstance(change, RequestTest):
            offer = self.catalogue.orders[change.test].offer.plain.render()
            return offer, f"{offer}: {self.catalogue.orders[change.test].text}"
        if isinstance(change, DeleteOrder):
            which = self._which(change.order_id, is_one_of_several)
            return self._say("delete_order") + which, self._say("delete_order_parts") + which
        shown = _shown_parts(change) | {"kit_ndc": "" if action.kit_could_not_be_set else change.kit_ndc}
        description = self._say("correct_order_parts", **shown)
        if action.kit_could_not_be_set:
            description += self._say("kit_reminder", kit_ndc=change.kit_ndc)
        if action.remarks_remain:
            description += self._say("remarks_reminder")
        which = self._which(change.order_id, is_one_of_several)
        return self._say("correct_order", **shown) + which, description + which

    def _which(self, order_id: str, is_one_of_several: bool) -> str:
        """Which draft is meant, where there are several."""
        return self._say("which_order", order_id=short(order_id)) if is_one_of_several else ""

    def _say(self, name: str, **shown: object) -> str:
        return self.catalogue.phrases.texts[name].plain.render(**shown)

    def _resource_texts(self, change: ProposedChange) -> Mapping[str, str]:
        kit = change.kit_ndc if isinstance(change, CorrectOrder) else ""
        return {"intravenous": self._say("intravenous"), "kit_name": self._say("kit_name", kit_ndc=kit)}

    def _test_orders(self) -> dict[str, TestOrder]:
        return {
            name: TestOrder(order.name, order.code, order.text, order.reason)
            for name, order in self.catalogue.orders.items()
        }


def _shown_parts(change: CorrectOrder) -> dict[str, object]:
    return {
        "volume_ml": change.volume_ml if change.volume_ml is not None else "",
        "rate": change.ml_per_hour if change.ml_per_hour is not None else "",
        "minutes": change.minutes if change.minutes is not None else "",
        "route": change.to_intravenous,
        "kit_ndc": change.kit_ndc,
        "one_kit": change.to_one_kit,
        "single": change.to_single_dose,
    }


def _uuid_of(service_id: str, hook_instance: str, topic: str, findings: list[Json]) -> UUID:
    """The same card for the same call: from service, hook instance, topic and findings."""
    return uuid5(_NAMESPACE, write_json([service_id, hook_instance, topic, findings]).decode())


def _selection_behavior(suggestions: list[Json]) -> str:
    """`at-most-one` where two suggestions touch one draft, or would together take back two; else `any`."""
    actions = [action for suggestion in suggestions for action in suggestion["actions"] if action["type"] != "create"]
    touched = [action.get("resourceId") or f"MedicationRequest/{action['resource'].get('id')}" for action in actions]
    deletions = sum(action["type"] == "delete" for action in actions)
    return "at-most-one" if len(touched) != len(set(touched)) or deletions > 1 else "any"


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
