"""Alembic migrations, run by `crm_sync.store.database` when a database is opened."""

HEAD = "0004"
"""The newest revision; a test holds it equal to what Alembic finds."""
