"""The tables of a portal's database file.

Properties stand as JSON text in one column: a portal's properties change all the time, its tables
do not. `object` is the truth; `search_index` is what search sees, which lags behind.
"""

from __future__ import annotations

import sqlite3

_TABLES = """
CREATE TABLE IF NOT EXISTS object (
    type TEXT NOT NULL, id INTEGER NOT NULL, properties TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    archived_ms INTEGER, merged_into INTEGER,
    PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS object_updated ON object (type, updated_ms, id);
CREATE INDEX IF NOT EXISTS object_archived ON object (type, id) WHERE archived_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_merged ON object (type, merged_into)
    WHERE merged_into IS NOT NULL;
CREATE TABLE IF NOT EXISTS search_index (
    type TEXT NOT NULL, id INTEGER NOT NULL, properties TEXT NOT NULL, updated_ms INTEGER NOT NULL,
    PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS search_updated ON search_index (type, updated_ms, id);
CREATE TABLE IF NOT EXISTS search_pending (
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, id INTEGER NOT NULL, visible_ms INTEGER NOT NULL,
    properties TEXT, updated_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS search_pending_visible ON search_pending (visible_ms);
CREATE INDEX IF NOT EXISTS search_pending_of ON search_pending (type, id);
CREATE TABLE IF NOT EXISTS unique_value (
    type TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (type, property, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_value_of ON unique_value (type, id);
CREATE TABLE IF NOT EXISTS property (
    type TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (type, name));
CREATE TABLE IF NOT EXISTS property_group (
    type TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (type, name));
CREATE TABLE IF NOT EXISTS association (
    from_type TEXT NOT NULL, from_id INTEGER NOT NULL, to_type TEXT NOT NULL,
    to_id INTEGER NOT NULL, category TEXT NOT NULL, type_id INTEGER NOT NULL,
    PRIMARY KEY (from_type, from_id, to_type, to_id, category, type_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS association_label (
    from_type TEXT NOT NULL, to_type TEXT NOT NULL, type_id INTEGER NOT NULL,
    category TEXT NOT NULL, label TEXT, name TEXT,
    PRIMARY KEY (from_type, to_type, category, type_id));
CREATE TABLE IF NOT EXISTS owner (
    id INTEGER PRIMARY KEY, definition TEXT NOT NULL, archived INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS pipeline (
    type TEXT NOT NULL, id TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (type, id));
CREATE TABLE IF NOT EXISTS token (
    value TEXT PRIMARY KEY, kind TEXT NOT NULL, expires_ms INTEGER, refresh TEXT);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


def create_tables(sql: sqlite3.Connection) -> None:
    """Create what a new database lacks; an existing one is left as it is."""
    for statement in _TABLES.split(";"):
        if statement.strip():
            sql.execute(statement)
