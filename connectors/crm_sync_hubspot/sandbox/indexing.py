"""The search index, which lags behind: what is written shows in a search some seconds later.

Every version of a record waits in `search_pending` until the portal's clock reaches it. The index
is brought up to date when somebody searches, so a sandbox needs no thread of its own.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.portal import Portal

_DUE = """
    CREATE TEMP TABLE due AS
    SELECT type, id, max(seq) AS seq FROM search_pending WHERE visible_ms <= ? GROUP BY type, id
"""
_APPLY = """
    INSERT OR REPLACE INTO search_index (type, id, properties, updated_ms)
    SELECT type, id, properties, updated_ms
    FROM due JOIN search_pending USING (seq, type, id) WHERE properties IS NOT NULL
"""
_REMOVE = """
    DELETE FROM search_index WHERE (type, id) IN (
        SELECT type, id FROM due JOIN search_pending USING (seq, type, id)
        WHERE properties IS NULL)
"""
# Older versions go even where they would show later (the delay was shortened in between): a
# version never replaces a newer one.
_FORGET = """
    DELETE FROM search_pending WHERE seq IN (
        SELECT pending.seq FROM due
        JOIN search_pending AS pending USING (type, id) WHERE pending.seq <= due.seq)
"""


def enqueue(
    sql: sqlite3.Connection,
    portal: Portal,
    type: str,
    id: int,
    properties: str | None,
    updated_ms: int,
) -> None:
    """Let a version of a record show in searches once the delay is over.

    `properties` is JSON text; None removes the record from the index, as late as anything else.
    """
    visible_ms = portal.now_ms() + round(portal.settings.index_delay * 1000)
    sql.execute(
        "INSERT INTO search_pending (type, id, visible_ms, properties, updated_ms)"
        " VALUES (?, ?, ?, ?, ?)",
        (type, id, visible_ms, properties, updated_ms),
    )


def flush(sql: sqlite3.Connection, portal: Portal) -> None:
    """Apply what has become visible: of each record the latest such version."""
    sql.execute("DROP TABLE IF EXISTS temp.due")
    sql.execute(_DUE, (portal.now_ms(),))
    for statement in (_APPLY, _REMOVE, _FORGET):
        sql.execute(statement)
    sql.execute("DROP TABLE temp.due")


def catch_up(portal: Portal) -> None:
    """Bring the index up to date, in a transaction of its own and only if something is due."""
    with portal.database.reading() as sql:
        due = sql.execute(
            "SELECT 1 FROM search_pending WHERE visible_ms <= ? LIMIT 1", (portal.now_ms(),)
        ).fetchone()
    if due:
        with portal.database.writing() as sql:
            flush(sql, portal)
