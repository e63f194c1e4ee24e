"""What a card offers → CDS Hooks suggestions: orders for missing tests together, each other change by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from cds_service.domain.answers import (
    BeginSteroidLater,
    CorrectOrder,
    DeleteOrder,
    ExtendSteroid,
    OrderIntravenousSteroid,
    OrderMonitoring,
    OrderSteroid,
    OrderTaper,
    ProposedChange,
    RequestTest,
    TaperStep,
)
from cds_service.fhir import Recognition, SuggestedAction, TestOrder, suggested_action
from cds_service.hooks.json_body import write_json
from cds_service.presentation import Card, Catalogue, short

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SuggestionWriter:
    """Writes the suggestions of a card in the words of the card files.

    `one_action_each`: the client takes one action per suggestion, so that tests are offered one by one.
    """

    catalogue: Catalogue
    recognition: Recognition
    one_action_each: bool = False

    def of_card(self, card: Card, patient_id: str, drafts: Mapping[str, Json], card_uuid: UUID) -> list[Json]:
        """The card's suggestions: first that which orders every missing laboratory test, then the others.

        `drafts` are the drafts that can be addressed, as they came, by id.
        """
        changes = [item.change for item in card.suggestions]
        tests = [change for change in changes if self._is_laboratory(change)]
        together = tests if len(tests) > 1 and not self.one_action_each else []
        suggestions = [self._tests_together(together, patient_id, card_uuid)] if together else []
        for change in changes:
            if change in together:
                continue
            if isinstance(change, OrderMonitoring):
                suggestions += self._monitoring(change, patient_id, card_uuid)
                continue
            action = self._action(change, patient_id, drafts)
            if action is not None:
                suggestions.append(self._alone(change, action, card_uuid, drafts))
        return suggestions

    def _is_laboratory(self, change: ProposedChange) -> bool:
        return isinstance(change, RequestTest) and self.catalogue.orders[change.test].is_laboratory

    def _monitoring(self, change: OrderMonitoring, patient_id: str, card_uuid: UUID) -> list[Json]:
        """The rest of the calendar as one suggestion, or test by test for a client that takes one action each."""
        steps = []
        for test in change.tests:
            action = self._action(test, patient_id, {})
            assert action is not None
            steps.append(_step(action, self._offer(test, action, "")[1]))
        days = len({test.on for test in change.tests})
        label = self._say("order_monitoring", tests=len(steps), days=days)
        whole = [[step] for step in steps] if self.one_action_each else [steps]
        labels = [step["description"] for step in steps] if self.one_action_each else [label]
        return [
            _suggestion(said, part, card_uuid) | {"isRecommended": True}
            for said, part in zip(labels, whole, strict=True)
        ]

    def _tests_together(self, tests: Sequence[ProposedChange], patient_id: str, card_uuid: UUID) -> Json:
        """One suggestion that orders all of these tests."""
        steps = []
        for change in tests:
            action = self._action(change, patient_id, {})
            assert action is not None
            steps.append(_step(action, self._offer(change, action, "")[1]))
        is_follow_up = any(isinstance(change, RequestTest) and change.is_follow_up for change in tests)
        label = self._say("order_follow_up_tests" if is_follow_up else "order_tests", tests=len(tests))
        return _suggestion(label, steps, card_uuid) | {"isRecommended": True}

    def _alone(
        self, change: ProposedChange, action: SuggestedAction, card_uuid: UUID, drafts: Mapping[str, Json]
    ) -> Json:
        order_id = getattr(change, "order_id", "")
        which = self._say("which_order", order_id=short(order_id)) if order_id and len(drafts) > 1 else ""
        label, description = self._offer(change, action, which)
        written = _suggestion(label, [_step(action, description)], card_uuid)
        return written | {"isRecommended": True} if self._is_laboratory(change) else written

    def _action(self, change: ProposedChange, patient_id: str, drafts: Mapping[str, Json]) -> SuggestedAction | None:
        texts = self._resource_texts(change)
        return suggested_action(change, patient_id, drafts, self._test_orders(), self.recognition, texts)

    def _offer(self, change: ProposedChange, action: SuggestedAction, which: str) -> tuple[str, str]:
        """The suggestion's label, and the action's description, which is all that some EHRs show.

        `which` tells several drafts apart.
        """
        match change:
            case RequestTest():
                order = self.catalogue.orders[change.test]
                offer = order.offer.plain.render()
                if change.on is not None:
                    offer = self._say("offer_on_day", offer=offer, day=change.on)
                return offer, f"{offer}: {order.text}"
            case OrderMonitoring():
                return self._say("order_monitoring", tests=len(change.tests), days=""), ""
            case OrderTaper():
                shown = {"steps": [_step_shown(step) for step in change.steps], "strength": change.strength_mg_per_ml}
                return self._say("order_taper", **shown), self._say("order_taper_parts", **shown)
            case BeginSteroidLater():
                day = change.first_day
                description = self._say("begin_steroid_later_parts", day=day) + self._remarks(action)
                return self._say("begin_steroid_later", day=day) + which, description + which
            case DeleteOrder():
                parts = "delete_order_parts" if change.is_product else "delete_other_parts"
                return self._say("delete_order") + which, self._say(parts) + which
            case OrderSteroid():
                shown = _steroid_shown(change)
                return self._say("order_steroid", **shown), self._say("order_steroid_parts", **shown)
            case OrderIntravenousSteroid():
                return self._say("order_iv_steroid", dose_mg=change.mg), self._say(
                    "order_iv_steroid_parts", dose_mg=change.mg
                )
            case ExtendSteroid():
                until = change.last_day
                description = self._say("extend_steroid_parts", until=until) + self._remarks(action)
                return self._say("extend_steroid", until=until) + which, description + which
            case CorrectOrder():
                return self._correction(change, action, which)

    def _correction(self, change: CorrectOrder, action: SuggestedAction, which: str) -> tuple[str, str]:
        shown = _shown_parts(change) | {"kit_ndc": "" if action.kit_could_not_be_set else change.kit_ndc}
        description = self._say("correct_order_parts", **shown)
        if action.kit_could_not_be_set:
            description += self._say("kit_reminder", kit_ndc=change.kit_ndc)
        return self._say("correct_order", **shown) + which, description + self._remarks(action) + which

    def _remarks(self, action: SuggestedAction) -> str:
        return self._say("remarks_reminder") if action.remarks_remain else ""

    def _say(self, name: str, **shown: object) -> str:
        return self.catalogue.phrases.texts[name].plain.render(**shown)

    def _resource_texts(self, change: ProposedChange) -> Mapping[str, str]:
        """The words that stand inside the resource itself."""
        match change:
            case RequestTest():
                return {"reason": self._say("follow_up_reason")}
            case CorrectOrder():
                return {
                    "intravenous": self._say("intravenous"),
                    "kit_name": self._say("kit_name", kit_ndc=change.kit_ndc),
                }
            case OrderTaper():
                strength = change.strength_mg_per_ml
                sigs = {
                    f"sig_{number}": self._say("taper_sig", strength=strength, **_step_shown(step))
                    for number, step in enumerate(change.steps, start=1)
                }
                return {
                    "medication": self._say("steroid_medication", strength=strength),
                    "sig": "",
                    "reason": self._say("taper_reason"),
                    **sigs,
                }
            case OrderSteroid():
                shown = _steroid_shown(change)
                return {
                    "medication": self._say("steroid_medication", **shown),
                    "sig": self._say("steroid_sig", **shown),
                    "reason": self._say("steroid_reason"),
                }
            case OrderIntravenousSteroid():
                return {
                    "medication": self._say("iv_steroid_medication"),
                    "sig": self._say("iv_steroid_sig", dose_mg=change.mg),
                    "reason": self._say("steroid_reason"),
                }
        return {}

    def _test_orders(self) -> dict[str, TestOrder]:
        return {
            name: TestOrder(order.name, order.code, order.text, order.reason, order.priority)
            for name, order in self.catalogue.orders.items()
        }


def selection_behavior(suggestions: list[Json]) -> str:
    """`at-most-one` where two suggestions touch one draft, or would together take back two; else `any`."""
    actions = [action for suggestion in suggestions for action in suggestion["actions"] if action["type"] != "create"]
    touched = [action.get("resourceId") or _name_of(action["resource"]) for action in actions]
    deletions = sum(action["type"] == "delete" for action in actions)
    return "at-most-one" if len(touched) != len(set(touched)) or deletions > 1 else "any"


def _name_of(resource: Json) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _suggestion(label: str, steps: list[Json], card_uuid: UUID) -> Json:
    parts = [label]
    for step in steps:
        parts += [step["description"], step.get("resourceId", "")]
        parts += [_name_of(step["resource"])] if step["type"] == "update" else []
    return {"label": label, "uuid": str(uuid5(card_uuid, write_json(parts).decode())), "actions": steps}


def _step(action: SuggestedAction, description: str) -> Json:
    step: Json = {"type": action.type, "description": description}
    if action.resource is not None:
        step["resource"] = action.resource
    if action.resource_id:
        step["resourceId"] = action.resource_id
    return step


def _steroid_shown(change: OrderSteroid) -> dict[str, object]:
    return {
        "dose_mg": change.mg,
        "dose_ml": change.ml,
        "dose_mg_per_kg": change.mg_per_kg,
        "strength": change.strength_mg_per_ml,
        "first_day": change.first_day,
        "last_day": change.last_day,
        "supply_days": change.supply_days,
        "purpose": change.purpose,
    }


def _step_shown(step: TaperStep) -> dict[str, object]:
    return {
        "dose_mg": step.mg,
        "dose_ml": step.ml,
        "dose_mg_per_kg": step.mg_per_kg,
        "first_day": step.first_day,
        "last_day": step.last_day,
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
