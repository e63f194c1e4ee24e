"""What a card offers → CDS Hooks suggestions: orders for missing tests together, each other change by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from cds_service.fhir import Recognition, SuggestedAction, TestOrder, suggested_action, with_codings_first
from cds_service.hooks.clients import NO_QUIRKS, Quirks
from cds_service.hooks.json_body import write_json
from cds_service.presentation import Card, Catalogue, short

Json = dict[str, Any]
# What the orders for medicines are called in a client's list of order codes; tests are called as in the card files.
_MEDICINES: Mapping[type, str] = {
    OrderSteroid: "prednisolone",
    OrderTaper: "prednisolone-taper",
    OrderIntravenousSteroid: "methylprednisolone",
}


@dataclass(frozen=True, slots=True)
class _Offer:
    """What is offered together: a label for the whole, and each action with a label of its own."""

    label: str
    parts: tuple[tuple[str, Json], ...]
    is_recommended: bool = False


@dataclass(frozen=True, slots=True)
class SuggestionWriter:
    """Writes the suggestions of a card in the words of the card files."""

    catalogue: Catalogue
    recognition: Recognition

    def of_card(
        self, card: Card, patient_id: str, drafts: Mapping[str, Json], card_uuid: UUID, quirks: Quirks = NO_QUIRKS
    ) -> list[Json]:
        """The card's suggestions: first that which orders every missing laboratory test, then the others.

        `drafts` are the drafts that can be addressed, as they came, by id. For a client that takes one action per
        suggestion, each action of several is a suggestion of its own. Of suggestions that exclude one another, at
        most one is recommended (R-117).
        """
        offers = self._offers(card, patient_id, drafts, quirks)
        if quirks.one_action_per_suggestion:
            offers = [part for offer in offers for part in _split(offer)]
        suggestions = [_suggestion(offer, card_uuid) for offer in offers]
        if selection_behavior(suggestions) == "at-most-one" and sum(o.is_recommended for o in offers) > 1:
            suggestions = [_suggestion(replace(offer, is_recommended=False), card_uuid) for offer in offers]
        return suggestions

    def _offers(self, card: Card, patient_id: str, drafts: Mapping[str, Json], quirks: Quirks) -> list[_Offer]:
        changes = [item.change for item in card.suggestions]
        tests = [change for change in changes if self._is_laboratory(change)]
        together = tests if len(tests) > 1 else []
        offers = [self._tests_together(together, patient_id, quirks)] if together else []
        for change in changes:
            if change in together:
                continue
            if isinstance(change, OrderMonitoring):
                offers.append(self._monitoring(change, patient_id, quirks))
                continue
            action = self._action(change, patient_id, drafts, quirks)
            if action is not None:
                offers.append(self._alone(change, action, drafts))
        return offers

    def _is_laboratory(self, change: ProposedChange) -> bool:
        return isinstance(change, RequestTest) and self.catalogue.orders[change.test].is_laboratory

    def _monitoring(self, change: OrderMonitoring, patient_id: str, quirks: Quirks) -> _Offer:
        """The rest of the calendar as one suggestion."""
        days = len({test.on for test in change.tests})
        label = self._say("order_monitoring", tests=len(change.tests), days=days)
        return _Offer(label, self._parts(change.tests, patient_id, quirks), is_recommended=True)

    def _tests_together(self, tests: Sequence[ProposedChange], patient_id: str, quirks: Quirks) -> _Offer:
        """One suggestion that orders all of these tests."""
        is_follow_up = any(isinstance(change, RequestTest) and change.is_follow_up for change in tests)
        label = self._say("order_follow_up_tests" if is_follow_up else "order_tests", tests=len(tests))
        return _Offer(label, self._parts(tests, patient_id, quirks), is_recommended=True)

    def _parts(self, tests: Sequence[ProposedChange], patient_id: str, quirks: Quirks) -> tuple[tuple[str, Json], ...]:
        """Each test as an action, with the label it has where it is offered alone."""
        parts = []
        for test in tests:
            action = self._action(test, patient_id, {}, quirks)
            assert action is not None
            label, description = self._offer(test, action, "")
            parts.append((label, _step(action, description)))
        return tuple(parts)

    def _alone(self, change: ProposedChange, action: SuggestedAction, drafts: Mapping[str, Json]) -> _Offer:
        order_id = getattr(change, "order_id", "")
        which = self._say("which_order", order_id=short(order_id)) if order_id and len(drafts) > 1 else ""
        label, description = self._offer(change, action, which)
        return _Offer(label, ((label, _step(action, description)),), is_recommended=self._is_laboratory(change))

    def _action(
        self, change: ProposedChange, patient_id: str, drafts: Mapping[str, Json], quirks: Quirks
    ) -> SuggestedAction | None:
        texts = self._resource_texts(change)
        action = suggested_action(change, patient_id, drafts, self._test_orders(), self.recognition, texts)
        if action is None or action.type != "create":
            return action
        name = change.test if isinstance(change, RequestTest) else _MEDICINES[type(change)]
        return with_codings_first(action, quirks.codings_of(name))

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


def created_order_names(catalogue: Catalogue) -> frozenset[str]:
    """The names of all orders that a card may offer to create."""
    return frozenset(catalogue.orders) | frozenset(_MEDICINES.values())


def selection_behavior(suggestions: list[Json]) -> str:
    """`at-most-one` where two suggestions touch one draft, or would together take back two; else `any`."""
    actions = [action for suggestion in suggestions for action in suggestion["actions"] if action["type"] != "create"]
    touched = [action.get("resourceId") or _name_of(action["resource"]) for action in actions]
    deletions = sum(action["type"] == "delete" for action in actions)
    return "at-most-one" if len(touched) != len(set(touched)) or deletions > 1 else "any"


def _name_of(resource: Json) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _split(offer: _Offer) -> list[_Offer]:
    """Each part of an offer as an offer of its own, recommended where the whole was."""
    if len(offer.parts) == 1:
        return [offer]
    return [_Offer(label, ((label, step),), offer.is_recommended) for label, step in offer.parts]


def _suggestion(offer: _Offer, card_uuid: UUID) -> Json:
    steps = [step for _, step in offer.parts]
    parts = [offer.label]
    for step in steps:
        parts += [step["description"], step.get("resourceId", "")]
        parts += [_name_of(step["resource"])] if step["type"] == "update" else []
    uuid = str(uuid5(card_uuid, write_json(parts).decode()))
    written = {"label": offer.label, "uuid": uuid, "actions": steps}
    return written | {"isRecommended": True} if offer.is_recommended else written


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
