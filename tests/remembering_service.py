"""A service with a memory, as a test calls it: hook calls, feedback on their cards, days that pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from builders import hook_request
from databases import rows_of
from flask import Flask
from werkzeug.test import TestResponse

from cds_service.hooks.json_body import write_json
from cds_service.store import Store

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OUR_SYSTEM = "http://127.0.0.1:8000/CodeSystem/override-reasons"
FINDINGS = "onasemnogene-cds.findings"
Json = dict[str, Any]


@dataclass
class RememberingService:
    """The application, its database, and the moment it takes for now."""

    app: Flask
    url: str
    store: Store
    now: datetime = field(default=NOW)

    def ask(self, given: Mapping[str, Any], service_hook: str, **changes: Any) -> list[Json]:
        """The cards for a child described in the words of cases.yaml; written down before this returns."""
        call = {**hook_request(given, service_hook), **changes}
        response = self.app.test_client().post(
            f"/cds-services/onasemnogene-{service_hook}", data=write_json(call), content_type="application/json"
        )
        assert response.status_code == 200, response.text
        assert self.store.flush(30)
        cards: list[Json] = response.json["cards"]
        return cards

    def feedback(self, body: Any, service: str = "onasemnogene-patient-view", **options: Any) -> TestResponse:
        """The answer to a feedback post; bytes are sent as they are."""
        data = body if isinstance(body, bytes) else write_json(body)
        options = {"content_type": "application/json", **options}
        return self.app.test_client().post(f"/cds-services/{service}/feedback", data=data, **options)

    def override(self, card: Json, code: str = "specialist-decision") -> None:
        """Feedback that this card was not followed, for a reason that it offers."""
        item = an_item(card["uuid"], overrideReason={"reason": {"code": code, "system": OUR_SYSTEM}})
        item["outcomeTimestamp"] = self.now.isoformat()
        assert self.feedback({"feedback": [item]}).status_code == 200

    def rows(self, table: str) -> list[dict[str, object]]:
        """All rows of a table."""
        return rows_of(self.url, table)


def an_item(card: str = "6ec204af-b6de-5e94-8cd2-ee3473966b8c", **changes: Any) -> Json:
    """One item of feedback that overrides a card, changed where the test says so; None takes a member away."""
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-03-02T09:00:00Z", **changes}
    return {name: value for name, value in item.items() if value is not None}


def rules_on(cards: list[Json]) -> set[str]:
    """The rules of all findings on these cards."""
    return {finding["rule"] for card in cards for finding in card.get("extension", {}).get(FINDINGS, [])}


def card_of(cards: list[Json], topic: str) -> Json:
    """The card of a topic."""
    (found,) = [card for card in cards if card["source"]["topic"]["code"] == topic]
    return found
