"""The tables. Nothing here names a patient or holds a clinical value; what identifies is a keyed digest (ADR 0023).

Rows are only ever added. Column types are those that SQLite and PostgreSQL both have.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

# The longest text that is kept of what a client chooses itself.
LONGEST_TEXT = 255
LONGEST_COMMENT = 1000
_DIGEST = 64  # SHA-256 in hexadecimal


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; SQLite has no zones, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The instant in UTC, for SQLite without its zone."""
        if value is None:
            return None
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The instant with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)


def _parent(name: str, table: str) -> Column[int]:
    return Column(name, ForeignKey(f"{table}.id"), nullable=False, index=True)


# The random key of all digests, made by the first migration.
keys = Table(
    "keys",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("secret_hex", String(_DIGEST), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
)

# One answer that showed something, or kept something quiet.
reviews = Table(
    "reviews",
    metadata,
    _id(),
    Column("shown_at", UtcDateTime(), nullable=False),
    Column("service_id", String(64), nullable=False),
    Column("hook_instance", String(LONGEST_TEXT), nullable=False),
    Column("client", String(64), nullable=False),
    Column("patient_hash", String(_DIGEST), nullable=False),
    Column("label_revision", String(32), nullable=False),
    Column("rule_set", String(32), nullable=False),
)

# `patient_hash` is that of the review, so that every call finds the cards of its patient, and the answers to them, by
# indexes alone, however many other patients there are.
cards_shown = Table(
    "cards_shown",
    metadata,
    _id(),
    _parent("review_id", "reviews"),
    Column("card_uuid", String(36), nullable=False),
    Column("patient_hash", String(_DIGEST), nullable=False),
    Column("topic", String(32), nullable=False),
    Column("indicator", String(8), nullable=False),
    Index(None, "patient_hash", "card_uuid"),
    Index(None, "card_uuid", "patient_hash"),
)

# The lines of the checklist have no digest: they are never kept quiet.
findings_shown = Table(
    "findings_shown",
    metadata,
    _id(),
    _parent("card_id", "cards_shown"),
    Column("rule_id", String(64), nullable=False),
    Column("indicator", String(8), nullable=False),
    Column("evidence_digest", String(_DIGEST), nullable=True),
    Column("slot_digest", String(_DIGEST), nullable=True),
)

# What would have been shown, had it not been answered with a reason before.
findings_kept_quiet = Table(
    "findings_kept_quiet",
    metadata,
    _id(),
    _parent("review_id", "reviews"),
    Column("topic", String(32), nullable=False),
    Column("rule_id", String(64), nullable=False),
    Column("indicator", String(8), nullable=False),
)

# `client` is empty where nobody had to prove who is calling, `card_uuid` where what came is no uuid of ours.
feedback = Table(
    "feedback",
    metadata,
    _id(),
    Column("received_at", UtcDateTime(), nullable=False),
    Column("outcome_at", UtcDateTime(), nullable=False),
    Column("service_id", String(64), nullable=False),
    Column("client", String(64), nullable=False),
    Column("card_uuid", String(36), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("comment", Text(), nullable=True),
)

# `is_ours`: one of the reasons that our cards offer, as found when it came.
override_reasons = Table(
    "override_reasons",
    metadata,
    _id(),
    _parent("feedback_id", "feedback"),
    Column("system", String(LONGEST_TEXT), nullable=False),
    Column("code", String(LONGEST_TEXT), nullable=False),
    Column("is_ours", Boolean(), nullable=False),
)

accepted_suggestions = Table(
    "accepted_suggestions",
    metadata,
    _id(),
    _parent("feedback_id", "feedback"),
    Column("suggestion_uuid", String(36), nullable=False),
)
