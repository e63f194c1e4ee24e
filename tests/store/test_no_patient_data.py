"""No table holds anything of a patient in clear: every synthetic request is sent, and everything in it is looked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from databases import KINDS, a_database, engine_for
from sqlalchemy import select

from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.content_folders import FHIR_FIXTURES
from cds_service.hooks.views import STORE
from cds_service.store.tables import metadata

REQUESTS = sorted((FHIR_FIXTURES / "hook_requests").glob("*/*.json"))
NOW = "2026-03-02T09:00:00Z"
TOKEN = "synthetic-token-of-this-test"
# Anything but single words, which may be words of ours as well.
_TELLING = re.compile(r"(?=.*[0-9.\-/ ])[^\s].{3,}")
# What cannot be read: digests with the key of the database, uuids of cards, and hookInstances as they were sent.
_DIGEST_OR_UUID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def texts_in(value: Any) -> Iterator[str]:
    """Every text and number in a JSON value, as text."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)
    elif isinstance(value, (str, float)):
        yield str(value)


def telling(request: Any) -> set[str]:
    """What identifies the patient or tells something about it: ids, references, dates, names, values."""
    found = {text for part in ("context", "prefetch") for text in texts_in(request.get(part))}
    names = {text for text in texts_in(request.get("prefetch", {}).get("patient", {})) if len(text) > 3}
    return {text for text in found if _TELLING.fullmatch(text)} | names | {request["context"]["patientId"]}


@pytest.mark.spec("R-197")
@pytest.mark.hazard("H50")
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_any_patient_stands_in_any_table(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    looked_for: set[str] = {TOKEN}
    with a_database(kind, tmp_path_factory.mktemp("database")) as url:
        app = create_app(load_settings({"CDS_MODE": "demo", "CDS_NOW": NOW, "CDS_DATABASE_URL": url}))
        client = app.test_client()
        for path in REQUESTS:
            request = json.loads(path.read_text("utf-8"))
            looked_for |= telling(request)
            service = f"/cds-services/{path.parent.name}"
            token = {"Authorization": f"Bearer {TOKEN}"}
            answer = client.post(service, json=request, headers=token).json
            comment = " ".join(sorted(looked_for))[:5000]
            items = [
                {
                    "card": card["uuid"],
                    "outcome": "overridden",
                    "overrideReason": {"reason": {"code": "other"}, "userComment": comment},
                    "outcomeTimestamp": NOW,
                }
                for card in answer.get("cards", [])
            ]
            assert client.post(f"{service}/feedback", json={"feedback": items}, headers=token).status_code == 200
        store = app.extensions[STORE]
        assert store.flush(60)
        store.close()
        kept = all_texts(url)
    assert len(kept) > 1000
    readable = "\n".join(sorted(text for text in kept if not _DIGEST_OR_UUID.fullmatch(text)))
    assert "weight-stale" in readable
    assert [text for text in sorted(looked_for) if text in readable] == []


def all_texts(url: str) -> set[str]:
    """Every text in every column of every table."""
    with engine_for(url) as engine, engine.connect() as connection:
        return {
            value
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
            for value in row
            if isinstance(value, str)
        }
