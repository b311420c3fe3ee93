"""When everything was last read, and which records a whole pull did not find."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two moments; where they are null, the next pull is a whole one and nothing was missed."""
    op.add_column("cursor", sa.Column("whole_at", sa.String(), nullable=True))
    op.add_column("record", sa.Column("missed_at", sa.String(), nullable=True))
