"""What was learned from each source's data: trained parameters and calibrations, as JSON text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.store.sql import stamp, upsert
from crm_sync.store.tables import learned

if TYPE_CHECKING:
    from sqlalchemy import Connection

CALIBRATION, PARAMETERS = "calibration", "parameters"

Learned = Mapping[tuple[str, str], str]
"""JSON documents by kind and source."""


def save_learned(tx: Connection, connection: str, documents: Learned, at: datetime) -> None:
    """Keep these; each takes the place of the earlier one of its kind and source."""
    rows = [
        {
            "connection": connection,
            "kind": kind,
            "source": source,
            "at": stamp(at),
            "document": text,
        }
        for (kind, source), text in documents.items()
    ]
    upsert(tx, learned, rows, update=("at", "document"))


def learned_of(tx: Connection, connection: str) -> dict[tuple[str, str], str]:
    """The latest documents of a connection, by kind and source."""
    from sqlalchemy import select

    query = select(learned).where(learned.c.connection == connection)
    rows = tx.execute(query.order_by(learned.c.kind, learned.c.source))
    return {(row.kind, row.source): row.document for row in rows}
