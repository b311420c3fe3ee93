"""What Alembic runs: the migrations, on the connection that `database.py` hands over."""

from __future__ import annotations

from alembic import context

from crm_sync.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
