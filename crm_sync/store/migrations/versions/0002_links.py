"""The links of tasks are found without reading every change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the changes that are links, and no others."""
    op.create_index(
        "ix_change_links",
        "change",
        ["requires", "plan_id", "key"],
        unique=False,
        sqlite_where=sa.text("operation = 'link'"),
        postgresql_where=sa.text("operation = 'link'"),
    )
