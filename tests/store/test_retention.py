"""What docs/operations.md tells an administrator to do with the tables does what it says, on both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from databases import engine_for, rows_of
from kept_things import SERVICE, a_card, a_finding, a_reason, a_review, accepted, overridden
from sqlalchemy import text

from cds_service.store import QuietFinding, Store, open_store
from cds_service.store.patient_digest import PatientDigest
from cds_service.store.tables import metadata

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text("utf-8")
DELETIONS = re.findall(r"(?m)^DELETE FROM .*;$", GUIDE)
THE_DAY = datetime(2026, 1, 1, tzinfo=UTC)
PATIENT = PatientDigest("0" * 64, b"")


def keep(store: Store, name: str, now: datetime) -> None:
    """A card that was shown, overridden and accepted at this moment, and a finding that was kept quiet."""
    card = a_card(name, a_finding(digest=name))
    store.remember(a_review(card, shown_at=now, kept_quiet=(QuietFinding("dose", "weight-stale", "info"),)))
    assert store.flush()
    answers = [overridden(name, a_reason(), outcome_at=now), accepted(name, outcome_at=now)]
    store.save_feedback(answers, now, SERVICE, "example-ehr")


def run(url: str, *statements: str) -> None:
    with engine_for(url) as engine, engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_what_is_older_than_the_day_is_deleted_and_the_rest_stays(store: Store, url: str) -> None:
    for name, moment in (
        ("before", THE_DAY - timedelta(seconds=1)),
        ("on", THE_DAY),
        ("after", THE_DAY + timedelta(1)),
    ):
        keep(store, name, moment)
    run(url, *DELETIONS)
    left = {table.name: len(rows_of(url, table.name)) for table in metadata.sorted_tables if table.name != "keys"}
    assert left == {
        "reviews": 2, "cards_shown": 2, "findings_shown": 2, "findings_kept_quiet": 2,
        "feedback": 4, "override_reasons": 2, "accepted_suggestions": 2,
    }  # fmt: skip
    assert store.acknowledged(PATIENT, THE_DAY, timedelta(days=7)).findings == {"on"}


def test_with_another_key_every_patient_is_another_and_nothing_is_lost(store: Store, url: str) -> None:
    keep(store, "card", THE_DAY)
    (secret,) = re.findall(r"`(UPDATE keys SET secret_hex = )'64 HEX DIGITS'`", GUIDE)
    before = store.patient("example-ehr", "", "p-1")
    with engine_for(url) as engine, engine.connect() as connection:
        old = connection.execute(text("SELECT secret_hex FROM keys")).scalar_one()
    run(url, f"{secret}'{'5a' * 32}'")
    with_another = open_store(url, migrates=False)
    run(url, f"{secret}'{old}'")
    assert with_another.patient("example-ehr", "", "p-1").patient_hash != before.patient_hash
    assert len(rows_of(url, "feedback")) == 2
    with_another.close()
