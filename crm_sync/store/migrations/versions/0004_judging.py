"""What judging keeps: answers that were paid for, what was learned, what people decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New tables, empty; new columns say nothing of what was judged before them."""
    _columns()
    _packs()
    _planned()
    op.create_table(
        "answer",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("asked_at", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("credits", sa.Float(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "connection", "contact_id", name="pk_answer"),
    )
    op.create_table(
        "learned",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "source", name="pk_learned"),
    )
    op.create_table(
        "verdict",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "claim", name="pk_verdict"),
    )
    op.create_index(
        "ix_verdict_connection_source_kind_rule",
        "verdict",
        ["connection", "source", "kind", "rule"],
    )


def _columns() -> None:
    text = [("job_change", "rule"), ("job_change", "direction")]
    text += [("change", name) for name in ("source", "identified_by", "band")]
    for table, name in text:
        op.add_column(table, sa.Column(name, sa.String(), nullable=False, server_default=""))
    for name in ("match_confidence", "change_confidence"):
        column = sa.Column(name, sa.Float(), nullable=False, server_default="0")
        op.add_column("job_change", column)


def _packs() -> None:
    edition = sa.Column("edition", sa.Integer(), nullable=False, server_default="1")
    op.add_column("plan", edition)
    due_on = sa.Column("due_on", sa.String(), nullable=False, server_default="")
    op.add_column("change", due_on)
    op.add_column("change", sa.Column("digest", sa.LargeBinary(), nullable=True))
    for name in ("pack", "slot"):
        op.add_column("change", sa.Column(name, sa.Integer(), nullable=True))
    op.create_table(
        "change_pack",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_pack"),
    )


def _planned() -> None:
    names = ("update_key", "task_key", "account_id", "owner_id", "company", "counts")
    op.create_table(
        "planned",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in names),
        sa.PrimaryKeyConstraint("connection", "contact_id", name="pk_planned"),
    )
    op.create_table(
        "planned_in",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("connection", name="pk_planned_in"),
    )
