"""The first tables, and the random key of all digests. A step that was released is never changed."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY_BYTES = 32


def upgrade() -> None:
    """Create the tables and the key."""
    key = {"name": "digest", "secret_hex": secrets.token_hex(_KEY_BYTES), "created_at": datetime.now(UTC)}
    op.bulk_insert(_keys(), [key])
    _what_was_shown()
    _what_was_answered()


def _keys() -> sa.Table:
    return op.create_table(
        "keys",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("secret_hex", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_keys"),
    )


def _what_was_shown() -> None:
    op.create_table(
        "reviews",
        *_id("reviews"),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_id", sa.String(64), nullable=False),
        sa.Column("hook_instance", sa.String(255), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("patient_hash", sa.String(64), nullable=False),
        sa.Column("label_revision", sa.String(32), nullable=False),
        sa.Column("rule_set", sa.String(32), nullable=False),
    )
    op.create_table(
        "cards_shown",
        *_id("cards_shown"),
        *_parent("cards_shown", "review_id", "reviews"),
        sa.Column("card_uuid", sa.String(36), nullable=False),
        sa.Column("patient_hash", sa.String(64), nullable=False),
        sa.Column("topic", sa.String(32), nullable=False),
        sa.Column("indicator", sa.String(8), nullable=False),
    )
    _index("cards_shown", "review_id")
    _index("cards_shown", "patient_hash", "card_uuid")
    _index("cards_shown", "card_uuid", "patient_hash")
    op.create_table(
        "findings_shown",
        *_id("findings_shown"),
        *_parent("findings_shown", "card_id", "cards_shown"),
        sa.Column("rule_id", sa.String(64), nullable=False),
        sa.Column("indicator", sa.String(8), nullable=False),
        sa.Column("evidence_digest", sa.String(64), nullable=True),
        sa.Column("slot_digest", sa.String(64), nullable=True),
    )
    _index("findings_shown", "card_id")
    op.create_table(
        "findings_kept_quiet",
        *_id("findings_kept_quiet"),
        *_parent("findings_kept_quiet", "review_id", "reviews"),
        sa.Column("topic", sa.String(32), nullable=False),
        sa.Column("rule_id", sa.String(64), nullable=False),
        sa.Column("indicator", sa.String(8), nullable=False),
    )
    _index("findings_kept_quiet", "review_id")


def _what_was_answered() -> None:
    op.create_table(
        "feedback",
        *_id("feedback"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_id", sa.String(64), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("card_uuid", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
    )
    _index("feedback", "card_uuid")
    op.create_table(
        "override_reasons",
        *_id("override_reasons"),
        *_parent("override_reasons", "feedback_id", "feedback"),
        sa.Column("system", sa.String(255), nullable=False),
        sa.Column("code", sa.String(255), nullable=False),
        sa.Column("is_ours", sa.Boolean(), nullable=False),
    )
    _index("override_reasons", "feedback_id")
    op.create_table(
        "accepted_suggestions",
        *_id("accepted_suggestions"),
        *_parent("accepted_suggestions", "feedback_id", "feedback"),
        sa.Column("suggestion_uuid", sa.String(36), nullable=False),
    )
    _index("accepted_suggestions", "feedback_id")


def _id(table: str) -> tuple[SchemaItem, ...]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", number, nullable=False), sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def _parent(table: str, column: str, parent: str) -> tuple[SchemaItem, ...]:
    refers = sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=f"fk_{table}_{column}")
    return sa.Column(column, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False), refers


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def downgrade() -> None:
    """There is nothing before the first tables; feedback is not thrown away by a command."""
    raise NotImplementedError("restore a backup instead (docs/operations.md, 9)")
